"""Every flash device keeps the same contract: RAM, a part of another, the simulated NOR, files, folders, chips."""

import pytest

from toolcart.agent.log.flash import FLASH_DONE, Partition
from toolcart.board.folder_flash import FolderFlash
from toolcart.board.linux.flash import FileFlash
from toolcart.board.ram_flash import RamFlash
from host_tests.board import fake_chip
from lab.harness.flash import BLANK, NEW, Misuse, Nor, PowerCut

DEVICES = {
    "ram": lambda path: RamFlash(6, 4096, 16),
    "part": lambda path: Partition(RamFlash(9, 4096, 256), 2, 6),
    "sim": lambda path: Nor(6, 4096, 64),
    "sim 512": lambda path: Nor(6, 4096, 512),
    "file": lambda path: FileFlash(path, 6 * 4096),
    "file 512": lambda path: FileFlash(path, 6 * 4096, 512),
    "folder": lambda path: FolderFlash(path, 6 * 4096),
}


def make(name, tmp_path):
    return DEVICES[name](str(tmp_path / "spool"))


@pytest.fixture(params=[*DEVICES, "rp2", "esp32"])
def flash(request, tmp_path):
    if request.param in DEVICES:
        yield make(request.param, tmp_path)
    else:
        with fake_chip.installed(request.param):
            yield fake_chip.driven(request.param, 6)[0]


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
    octets = bytes(range(256)) * 2
    assert flash.program(4096 + 1024, bytearray(octets), 512) == FLASH_DONE
    assert read(flash, 4096 + 512, 512) == b"\xff" * 512
    assert read(flash, 4096 + 1024, 600) == octets + b"\xff" * 88


def test_a_file_holds_its_content_for_the_next_start(tmp_path):
    flash = make("folder", tmp_path)
    assert flash.program(4096, bytearray(b"kept" * 128), 512) == FLASH_DONE
    flash.close()
    assert read(make("folder", tmp_path), 4096, 512) == b"kept" * 128


def test_the_simulated_chip_objects_to_a_second_program_of_a_unit():
    flash = Nor(2, 4096, 256)
    flash.program(0, bytearray(256), 256)
    with pytest.raises(AssertionError, match="a second time"):
        flash.program(0, bytearray(b"\xff" * 256), 256)


def test_the_simulated_chip_objects_to_a_unit_touched_by_a_cut():
    flash = Nor(2, 4096, 256)
    flash.cut_after = 0
    with pytest.raises(PowerCut):
        flash.program(0, bytearray(256), 256)
    assert read(flash, 0, 256) == b"\xff" * 256
    with pytest.raises(Misuse, match="though it is torn"):
        flash.program(0, bytearray(256), 256)
    assert flash.erase(0) == FLASH_DONE
    assert flash.program(0, bytearray(256), 256) == FLASH_DONE


def test_what_cut_left_reads_well_and_may_fade_at_a_later_start():
    flash = Nor(2, 4096, 256)
    flash.cut_after, flash.look = 0, NEW
    with pytest.raises(PowerCut):
        flash.program(0, bytearray(256), 256)
    assert read(flash, 0, 256) == bytes(256)
    flash.becomes(0, BLANK)
    assert read(flash, 0, 256) == b"\xff" * 256
    assert {image[2][0].look for image in flash.later()} < {image[2][0].look for image in flash.later(flickers=True)}


def test_file_that_forgets_has_its_old_block_again_after_a_cut():
    for is_synced in (False, True):
        flash = Nor(2, 4096, 16)
        flash.forgets = True
        flash.program(0, bytearray(32), 32)
        flash.erase(0)
        if is_synced:
            flash.program(4096, bytearray(16), 16)
        flash.cut_after, flash.look = 0, NEW
        with pytest.raises(PowerCut):
            flash.program(16, bytearray(b"\x11" * 16), 16)
        assert read(flash, 0, 32) == (b"\xff" if is_synced else b"\0") * 16 + b"\x11" * 16


def test_the_simulated_chip_counts_operations_and_wear():
    flash = Nor(2, 4096, 256)
    flash.erase(1)
    flash.program(4096, bytearray(512), 512)
    assert (flash.operations, flash.programs, flash.octets_programmed, flash.wear) == (2, 1, 512, [0, 1])


def test_a_part_must_fit_its_device():
    with pytest.raises(ValueError, match="does not fit"):
        Partition(RamFlash(4), 3, 2)


def test_an_esp32_keeps_the_view_of_what_it_programs():
    """Else each result would take something from the heap."""
    with fake_chip.installed("esp32"):
        device, cells = fake_chip.driven("esp32")
        seen = []
        write, read = cells.writeblocks, cells.readblocks
        cells.writeblocks = lambda block, buf, offset: seen.append(id(buf)) or write(block, buf, offset)
        cells.readblocks = lambda block, buf, offset: seen.append(id(buf)) or read(block, buf, offset)
        record = bytearray(b"result" * 50)
        for at in range(0, 128 * 4, 128):
            record[0] = at // 128
            assert device.program(at, record, 128) == FLASH_DONE
        assert len(set(seen[::2])) == len(set(seen[1::2])) == 1 and len(seen) == 8
        piece = bytearray(128)
        assert device.read_into(256, piece, 128) == FLASH_DONE and piece == b"\x02" + record[1:128]
        assert device.program(512, record, 272) == FLASH_DONE
