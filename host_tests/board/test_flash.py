"""Every flash device keeps the same contract: RAM, a part of another, the simulated NOR, files and folders."""

import pytest

from toolcart.agent.log.flash import FLASH_DONE, Part, RamFlash
from toolcart.board.folder_flash import FolderFlash
from toolcart.board.linux.flash import FileFlash
from lab.harness.flash import FADES, NOTHING, PowerCut, SimFlash

DEVICES = ["ram", "part", "sim", "sim 512", "file", "file 512", "folder"]


def make(name, tmp_path):
    if name == "ram":
        return RamFlash(6, 4096, 16)
    if name == "part":
        return Part(RamFlash(9, 4096, 256), 2, 6)
    if name == "sim":
        return SimFlash(6, 4096, 64)
    if name == "sim 512":
        return SimFlash(6, 4096, 512)
    if name == "file 512":
        return FileFlash(str(tmp_path / "spool"), 6 * 4096, 512)
    if name == "file":
        return FileFlash(str(tmp_path / "spool"), 6 * 4096)
    return FolderFlash(str(tmp_path / "spool"), 6 * 4096)


@pytest.fixture(params=DEVICES)
def flash(request, tmp_path):
    return make(request.param, tmp_path)


def read(flash, address, n):
    buf = bytearray(n + 3)
    assert flash.read_into(address, buf, n) == FLASH_DONE
    assert buf[n:] == b"\x00\x00\x00", "more was written than asked for"
    return bytes(buf[:n])


def test_erase_takes_one_block_and_no_other(flash):
    for block in range(6):
        assert flash.program(block * flash.block_bytes, bytearray(b"\x55" * 512), 512) == FLASH_DONE
    assert flash.erase(3) == FLASH_DONE
    for block in range(6):
        assert read(flash, block * flash.block_bytes, 512) == (b"\xff" if block == 3 else b"\x55") * 512
    assert flash.program(3 * flash.block_bytes, bytearray(b"\x11" * 512), 512) == FLASH_DONE
    assert read(flash, 3 * flash.block_bytes, 512) == b"\x11" * 512


def test_programs_may_leave_a_hole_in_a_block(flash):
    assert flash.program(4096, bytearray(b"\x01" * 512), 512) == FLASH_DONE
    assert flash.program(4096 + 1024, bytearray(b"\x02" * 512), 512) == FLASH_DONE
    assert read(flash, 4096 + 512, 512) == b"\xff" * 512


@pytest.mark.parametrize("name", ["folder"])
def test_a_file_holds_its_content_for_the_next_start(name, tmp_path):
    flash = make(name, tmp_path)
    assert flash.program(4096, bytearray(b"kept" * 128), 512) == FLASH_DONE
    flash.close()
    assert read(make(name, tmp_path), 4096, 512) == b"kept" * 128


def test_the_simulated_chip_objects_to_a_second_program_of_a_unit():
    flash = SimFlash(2, 4096, 256)
    flash.program(0, bytearray(256), 256)
    with pytest.raises(AssertionError, match="twice"):
        flash.program(0, bytearray(b"\xff" * 256), 256)


def test_the_simulated_chip_objects_to_a_unit_touched_by_a_cut():
    flash = SimFlash(2, 4096, 256)
    flash.cut_at = 1
    flash.cut_shape = NOTHING
    with pytest.raises(PowerCut):
        flash.program(0, bytearray(256), 256)
    with pytest.raises(PowerCut):
        flash.erase(0)
    flash.restart()
    assert read(flash, 0, 256) == b"\xff" * 256
    with pytest.raises(AssertionError, match="twice"):
        flash.program(0, bytearray(256), 256)
    assert flash.erase(0) == FLASH_DONE
    assert flash.program(0, bytearray(256), 256) == FLASH_DONE


def test_a_fading_unit_reads_well_until_the_next_start_but_one():
    flash = SimFlash(2, 4096, 256)
    flash.cut_at = 1
    flash.cut_shape = FADES
    with pytest.raises(PowerCut):
        flash.program(0, bytearray(256), 256)
    flash.restart()
    assert read(flash, 0, 256) == bytes(256)
    flash.restart()
    assert read(flash, 0, 256) == b"\xff" * 256


def test_the_simulated_chip_counts_operations_wear_and_time():
    flash = SimFlash(2, 4096, 256)
    flash.erase(1)
    flash.program(4096, bytearray(512), 512)
    assert (flash.operations, flash.programs, flash.octets_programmed, flash.wear) == (2, 1, 512, [0, 1])
    assert flash.busy_us == 45000 + 1400 and flash.longest_us == 45000


def test_a_part_must_fit_its_device():
    with pytest.raises(ValueError, match="does not fit"):
        Part(RamFlash(4), 3, 2)
