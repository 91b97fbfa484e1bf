"""MicroPython's unix port keeps its spool in the same kind of file as CPython, and leaves a foreign one alone."""

import os
import sys
from hashlib import sha256

from toolcart.board.folder_flash import BLOCK_BYTES, FolderFlash
from toolcart.board.linux import header as linux_header
from host_tests.board.test_safe_mode import own_name, remove_tree
from host_tests.portable import Skip, need_files

PORTABLE = True

PATH = own_name("unix_flash_test")
KIB = 1024
OURS = (3, 1, 7)


def flash_class():
    if sys.implementation.name != "micropython" or sys.platform != "linux":
        raise Skip("toolcart.board.unix.board is MicroPython's unix port")
    need_files()
    remove()
    from toolcart.board.unix.board import FileFlash

    return FileFlash


def remove():
    for name in (PATH, PATH + ".new"):
        try:
            os.remove(name)
        except OSError:
            pass


def digest():
    """The file's SHA-256, read in pieces: a whole file in one object need not fit a heap that is in use."""
    found = sha256()
    with open(PATH, "rb") as file:
        while True:
            piece = file.read(KIB)
            if not piece:
                return found.digest()
            found.update(piece)


def part(start, count):
    with open(PATH, "rb") as file:
        file.seek(start)
        return file.read(count)


def refused(make, owner):
    before = digest()
    try:
        make(PATH, 64 * KIB, 16, owner).close()
    except OSError:
        assert digest() == before
        return True
    return False


def test_a_new_file_has_a_header_and_keeps_what_was_programmed():
    make = flash_class()
    flash = make(PATH, 64 * KIB, 64, OURS)
    assert flash.unit_bytes == 64 and flash.block_count == 16
    assert flash.program(4096, bytearray(b"x" * 64), 64) == 0
    flash.close()
    assert os.stat(PATH)[6] == 4096 + 64 * KIB and part(8192, 64) == b"x" * 64
    assert linux_header.read(part(0, 4096)).owner == OURS
    flash = make(PATH, 128 * KIB, 16, OURS)
    assert flash.unit_bytes == 64 and flash.block_count == 32
    buf = bytearray(64)
    assert flash.read_into(4096, buf, 64) == 0 and buf == b"x" * 64
    assert flash.erase(1) == 0 and flash.read_into(4096, buf, 64) == 0 and buf == b"\xff" * 64
    flash.close()
    assert PATH + ".new" not in os.listdir(".")
    remove()


def test_a_foreign_file_and_the_spool_of_another_station_are_left_alone():
    make = flash_class()
    make(PATH, 64 * KIB, 16, OURS).close()
    assert refused(make, (3, 1, 8))
    assert not refused(make, OURS)
    with open(PATH, "wb") as file:
        file.write(b"\xff" * 8192)
    assert refused(make, OURS)
    remove()


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


def test_reading_goes_across_blocks():
    with Folder() as folder:
        device = folder.device()
        device.program(BLOCK_BYTES - 16, bytearray(b"a" * 16), 16)
        device.program(BLOCK_BYTES, bytearray(b"b" * 16), 16)
        assert content(device, BLOCK_BYTES - 16, 32) == b"a" * 16 + b"b" * 16


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
