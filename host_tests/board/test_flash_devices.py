"""Flash devices on every interpreter: a folder of files keeps the contract."""

import os

from toolcart.board.folder_flash import BLOCK_BYTES, FolderFlash
from host_tests.board.test_safe_mode import own_name, remove_tree
from host_tests.portable import need_files

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
