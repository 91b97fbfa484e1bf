"""Flash devices on every interpreter: a folder of files, a header page, a failing supply."""

import os

from toolcart.agent.base import counters as h
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.board.folder_flash import BLOCK_BYTES, FolderFlash
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.spool_header import COPY_AT, PAGE_BYTES, Header
from toolcart.board.ram_flash import RamFlash
from toolcart.board.supplied_flash import SuppliedFlash
from host_tests.board.test_safe_mode import own_name, remove_tree
from host_tests.portable import need_files
from host_tests.support.heap import allocated, heap_tools
from lab.harness.allocation_free_peers import Workbench, configuration

PORTABLE = True
HEAP = "1m"


# A folder of files keeps the contract of a flash device, across a restart, and costs a file for each block in use.

FOLDER = own_name("folder_flash_test")


class Folder:
    def __enter__(self):
        need_files()
        self.__exit__()
        return self

    def __exit__(self, *_):
        if FOLDER in os.listdir("."):
            remove_tree(FOLDER)

    def device(self, blocks=4):
        return FolderFlash(FOLDER, blocks * BLOCK_BYTES)


def content(device, address, n):
    buf = bytearray(n)
    assert device.read_into(address, buf, n) == 0
    return bytes(buf)


def test_an_erased_block_has_no_file():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(16), 16)
        device.program(BLOCK_BYTES, bytearray(16), 16)
        assert device.erase(0) == 0 and device.erase(3) == 0
        assert os.listdir(FOLDER) == ["0001"]
        assert content(device, 0, 16) == b"\xff" * 16


def test_reading_one_block_again_and_again_opens_its_file_once():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(b"a" * 16), 16)
        device.program(BLOCK_BYTES, bytearray(b"b" * 16), 16)
        content(device, 0, 16)
        device._path = None  # who opens a file asks for its name
        for _ in range(3):
            assert content(device, 0, 16) == b"a" * 16
            assert content(device, BLOCK_BYTES, 16) == b"b" * 16


# The header page of a spool's file is read as it was written, from either of its copies, and nothing else is one.


def page(**other):
    settings = {"unit_bytes": 64, "block_bytes": 4096, "block_count": 256, "owner": (3, 17, 9999)}
    settings.update(other)
    return Header(identity=bytes(range(16)), **settings).page()


def test_the_page_lies_as_its_drawing_says():
    octets = bytes(page())
    assert octets[:8] == b"toolcart" and octets[8:12] == b"\x02\x00\x40\x00"
    assert octets[12:20] == b"\x00\x10\x00\x00\x00\x01\x00\x00"
    assert octets[20:28] == b"\x03\x00\x11\x00\x0f\x27\x00\x00"
    assert octets[28:44] == bytes(range(16))
    assert octets[COPY_AT : COPY_AT + 48] == octets[:48]


def test_other_octets_are_no_header():
    for octets in (b"", b"toolcart", b"\xff" * PAGE_BYTES, bytes(PAGE_BYTES), b"Dear ToolsNet" * 400):
        assert linux_header.read(octets) is None
    assert not linux_header.is_ours(b"") and not linux_header.is_ours(b"\xff" * PAGE_BYTES)


def test_blocks_of_a_file_lie_behind_its_header():
    blocks = b"\x48" + bytes(4095) + b"\xff" * 4096
    assert linux_header.blocks_of(bytes(page()) + blocks) == blocks
    assert linux_header.blocks_of(blocks) == blocks


# Below the limit of the supply a flash is not touched, no result is acknowledged, and nothing is allocated for it.

SUPPLY = [29, 29127, 4400]  # pin, limit in the ADC's figures, in mV
GOOD, LOW = 33000, 29000


class Adc:
    """What lies at the pin."""

    def __init__(self):
        self.figure = GOOD

    def read_u16(self):
        return self.figure


def supplied():
    adc = Adc()
    cells = RamFlash(16)
    return adc, cells, SuppliedFlash(cells, adc.read_u16, SUPPLY)


def test_below_limit_no_result_is_taken_and_above_it_they_all_come():
    adc, flash, device = supplied()
    bench = Workbench(configuration(), device)
    bench.settle()
    assert bench.many_results(5)
    stored = bench.toolsnet.stored
    adc.figure = LOW
    cells = bytes(flash.cells)
    assert not bench.many_results(1)
    assert bench.controller.acknowledged == stored and bench.station.intake.full, "the controller keeps it"
    assert bytes(flash.cells) == cells and device.refused > 0
    assert bench.station.counters.counts[h.FLASH_FAILED] > 0
    adc.figure = GOOD
    bench.wait(120000)
    assert bench.many_results(5) and bench.sound()


def test_neither_a_look_at_the_supply_nor_a_refusal_allocates():
    adc, _, device = supplied()
    page = bytearray(256)

    def work():
        adc.figure = GOOD
        assert device.erase(3) == FLASH_DONE and device.program(3 * 4096, page, 256) == FLASH_DONE
        adc.figure = LOW
        assert device.erase(3) == FLASH_IO and device.program(3 * 4096, page, 256) == FLASH_IO

    work()
    assert device.refused == 2 and device.about() == {"mv": 4380, "least_mv": 4400, "refused": 2}
    heap_tools()
    assert not allocated(work)
