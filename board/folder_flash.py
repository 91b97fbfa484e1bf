"""A folder of small files as a flash device, for a chip whose firmware has no raw flash: one file for each block.

Rules
1. One file for each block, never one large file: littlefs copies everything behind a place that is written to, so a
   program in the middle of a 1 MiB file would cost 250 erases; in a file of one block it costs one or two.
2. An erased block has no file. Whatever is behind a file's end reads as 0xFF.
3. Durable means the file was flushed; littlefs then has the new content or the old one, never a mixture.
4. A full file system is FLASH_IO: the result is not acknowledged, and the controller keeps it.
5. OPEN_FILES stay open, since opening one allocates 1.2 KB (MicroPython 1.25, extmod/vfs_lfsx_file.c:95: the object has
   the cache of littlefs in it), and an open file can neither be truncated nor reused for another. So a result costs
   heap only when the log moves to another block.
6. The first file is made as the first session writes its first state, and any other one after that: where there are
   others, and no state, that was lost.
"""

# pyrefly: ignore-errors[missing-attribute]

import os
import sys

from toolcart.agent.base.compat import const
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, REFUSED_NO_ROOM, REFUSED_NOTHING
from toolcart.board.errno_reasons import refusal_of

BLOCK_BYTES = const(4096)
UNIT_BYTES = const(16)
OPEN_FILES = const(3)  # the log's newest block, the state's, and one that is read
FOLDER = "/spool"  # where relative paths begin

_ERASED = b"\xff" * 64

if sys.implementation.name == "cpython":  # only for the tests; its files take no count

    def _read_file(file, buf, n):
        return file.readinto(memoryview(buf)[:n])

    def _write_file(file, buf, n):
        put = file.write(memoryview(buf)[:n])
        file.flush()
        os.fsync(file.fileno())
        return put

else:

    def _read_file(file, buf, n):
        return file.readinto(buf, n)

    def _write_file(file, buf, n):
        put = file.write(buf, 0, n)
        file.flush()
        return put


def folder_of(path):
    """Return the one spelling of the folder of a spool with this path, which begins at FOLDER if it is relative."""
    if not path.startswith("/"):
        path = FOLDER + "/" + (path.replace("@", "_") if path.startswith("raw@") else path)
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def is_shared(one, other):
    """True if these are one folder, or one is in the other; to FAT capitals are small letters."""
    one, other = one.lower() + "/", other.lower() + "/"
    return one.startswith(other) or other.startswith(one)


def open_folder(path, size_kib, others):
    """Return the flash device of this path, None if there can be none, and what the board lacks for it, "" if nothing.

    `others` are the paths of the spools that other stations have.
    """
    folder = folder_of(path)
    for other in others:
        if is_shared(folder, folder_of(other)):
            return None, "%s: shares its folder with the spool %s of another station" % (path, other)
    try:
        if folder.startswith(FOLDER + "/"):
            try:
                os.mkdir(FOLDER)
            except OSError:
                pass  # it exists; if not, the next line says so
        device = FolderFlash(folder, size_kib * 1024)
        room_kib = device.room_kib()
    except OSError as error:
        words = {
            20: "a file lies where this folder, or one above it, is to be: remove that",  # ENOTDIR
            28: "the file system is full",  # ENOSPC
        }
        return None, "%s: %s" % (folder, words.get(error.errno or 0, "no folder can be there: %s" % error))
    if room_kib < size_kib:
        return device, "%s: %d KiB are to lie in files, where %d have room" % (folder, size_kib, room_kib)
    return device, ""


class _Open:
    """One file that stays open."""

    __slots__ = ("block", "end", "file")

    def __init__(self, block, file):
        self.block = block
        self.file = file
        self.end = file.seek(0, 2)


class FolderFlash:
    """The flash device over `folder`, which is made if it does not exist."""

    def __init__(self, folder, size_bytes):
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = size_bytes // BLOCK_BYTES
        self.folder = folder
        self._refusal = REFUSED_NOTHING
        self._open = []  # the last used one is the last
        self._is_there = bytearray(self.block_count)  # which blocks have a file
        try:
            os.mkdir(folder)
        except OSError:
            os.stat(folder)  # raises if it neither exists nor can be made
        for name in os.listdir(folder):
            if name.isdigit() and int(name) < self.block_count:
                self._is_there[int(name)] = 1
        self.found = any(self._is_there[1:])

    def read_into(self, address, buf, n):
        """Read n bytes of one block; 0xFF behind the file's end."""
        offset = address % BLOCK_BYTES
        got = 0
        try:
            opened = self._opened(address // BLOCK_BYTES, False)
            if opened is not None and offset < opened.end:
                opened.file.seek(offset)
                got = _read_file(opened.file, buf, n)
        except OSError as error:
            self.close()
            return self._refuse(error)
        for index in range(got or 0, n):
            buf[index] = 0xFF
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and flush it."""
        offset = address % BLOCK_BYTES
        try:
            opened = self._opened(address // BLOCK_BYTES, True)
            file = opened.file
            while opened.end < offset:
                part = offset - opened.end
                file.seek(opened.end)
                opened.end += file.write(_ERASED[:part] if part < 64 else _ERASED)
            file.seek(offset)
            put = _write_file(file, buf, n)
        except OSError as error:
            self.close()
            return self._refuse(error)
        if offset + n > opened.end:
            opened.end = offset + n
        if put != n:
            self._refusal = REFUSED_NO_ROOM
            return FLASH_IO
        self._refusal = REFUSED_NOTHING
        return FLASH_DONE

    def erase(self, block):
        """Remove the block's file."""
        for opened in self._open:
            if opened.block == block:
                self._open.remove(opened)
                _close(opened)
                break
        if self._is_there[block]:
            try:
                os.remove(self._path(block))
            except OSError as error:
                return self._refuse(error)
            self._is_there[block] = 0
        return FLASH_DONE

    def refusal(self):
        """Return why the file system refused last, until a program succeeds."""
        return self._refusal

    def room_kib(self):
        """Return how much its files have and may still take of their file system."""
        files = os.statvfs(self.folder)
        free = max(0, files[3])  # littlefs may count more blocks as used than there are
        return (files[0] * free + sum(self._is_there) * BLOCK_BYTES) // 1024

    def close(self):
        """Close all open files."""
        while self._open:
            _close(self._open.pop())

    def _refuse(self, error):
        self._refusal = refusal_of(error.errno)
        return FLASH_IO

    def _path(self, block):
        return "%s/%04d" % (self.folder, block)

    def _opened(self, block, makes):
        """Return a block's file, which stays open; None if it does not exist and is not to be made."""
        files = self._open
        for opened in files:
            if opened.block == block:
                if opened is not files[-1]:
                    files.remove(opened)
                    files.append(opened)
                return opened
        exists = self._is_there[block]
        if not exists and not makes:
            return None
        if len(files) >= OPEN_FILES:
            _close(files.pop(0))
        opened = _Open(block, open(self._path(block), "r+b" if exists else "w+b"))
        self._is_there[block] = 1
        files.append(opened)
        return opened


def _close(opened):
    try:
        opened.file.close()
    except OSError:
        pass  # everything that matters was flushed
