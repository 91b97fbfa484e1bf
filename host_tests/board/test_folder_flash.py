"""A folder of files keeps the contract of a flash device, across a restart, and costs a file for each block in use."""

import os

from toolcart.board.folder_flash import BLOCK_BYTES, UNIT_BYTES, FolderFlash
from host_tests.board.test_safe_mode import own_name, remove_tree
from host_tests.portable import need_files
from host_tests.support.log import append, mounted

PORTABLE = True

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


def test_what_was_never_written_reads_as_erased():
    with Folder() as folder:
        device = folder.device()
        assert device.block_count == 4
        assert content(device, 0, 100) == b"\xff" * 100
        assert os.listdir(FOLDER) == []


def test_what_was_programmed_is_there_after_a_restart():
    with Folder() as folder:
        device = folder.device()
        assert device.program(BLOCK_BYTES + 32, bytearray(b"x" * 48), 48) == 0
        other = folder.device()
        assert content(other, BLOCK_BYTES, 96) == b"\xff" * 32 + b"x" * 48 + b"\xff" * 16


def test_units_are_programmed_one_behind_the_other_and_between():
    with Folder() as folder:
        device = folder.device()
        device.program(64, bytearray(b"b" * 16), 16)
        device.program(0, bytearray(b"a" * 16), 16)
        device.program(128, bytearray(b"c" * 16), 16)
        assert content(device, 0, 16) == b"a" * 16
        assert content(device, 64, 16) == b"b" * 16
        assert content(device, 128, 32) == b"c" * 16 + b"\xff" * 16


def test_an_erased_block_has_no_file():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(16), 16)
        device.program(BLOCK_BYTES, bytearray(16), 16)
        assert device.erase(0) == 0 and device.erase(3) == 0
        assert os.listdir(FOLDER) == ["0001"]
        assert content(device, 0, 16) == b"\xff" * 16


def test_reading_goes_across_blocks():
    with Folder() as folder:
        device = folder.device()
        device.program(BLOCK_BYTES - 16, bytearray(b"a" * 16), 16)
        device.program(BLOCK_BYTES, bytearray(b"b" * 16), 16)
        assert content(device, BLOCK_BYTES - 16, 32) == b"a" * 16 + b"b" * 16


def test_a_block_that_stays_open_for_reading_is_read_as_it_is_after_an_erase_and_a_program():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(b"a" * 16), 16)
        device.program(BLOCK_BYTES, bytearray(b"b" * 16), 16)
        assert content(device, 0, 16) == b"a" * 16
        device.program(16, bytearray(b"c" * 16), 16)
        assert content(device, 0, 32) == b"a" * 16 + b"c" * 16
        device.program(BLOCK_BYTES + 16, bytearray(b"d" * 16), 16)
        assert content(device, 0, 32) == b"a" * 16 + b"c" * 16
        device.erase(0)
        assert content(device, 0, 16) == b"\xff" * 16
        device.program(0, bytearray(b"e" * 16), 16)
        assert content(device, 0, 16) == b"e" * 16
        assert content(device, BLOCK_BYTES, 32) == b"b" * 16 + b"d" * 16


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


def test_a_folder_that_is_a_file_is_refused_at_the_start():
    with Folder() as folder:
        folder.device().close()
        refused = False
        try:
            FolderFlash(FOLDER + "/no/such/place", BLOCK_BYTES)
        except OSError:
            refused = True
        assert refused


def test_a_log_on_it_keeps_its_results_over_a_restart():
    with Folder() as folder:
        device = folder.device(14)
        assert device.unit_bytes == UNIT_BYTES
        log = mounted(device)
        for ident in range(1, 51):
            assert append(log, ident) == 0
        device.close()
        again = mounted(folder.device(14))
        assert again.number == 50 and again.waits(again.cursors[0]) == 50
