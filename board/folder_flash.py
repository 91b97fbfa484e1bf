"""A folder of small files as a flash device, for a chip whose firmware gives no raw flash: one file for each block.

Rules
1. One file a block, never one large file: littlefs copies everything behind a place that is written to, so a program
   in the middle of a 1 MiB file would cost 250 erases; in a file of one block it costs one or two.
2. A block that is erased has no file. What lies behind a file's end reads as 0xFF.
3. Durable means the file was flushed; littlefs then has the new content or the old one, never a mixture.
4. A full file system is FLASH_IO: the result is not acknowledged, the controller keeps it.
5. Two files stay open, since opening one allocates: the block that is written to, and the block that was read last.
"""

# pyright: reportOptionalMemberAccess=false

import os
import sys

from agent.base.compat import const
from agent.log.flash import FLASH_DONE, FLASH_IO

BLOCK_BYTES = const(4096)
UNIT_BYTES = const(16)

_ERASED = b"\xff" * 64

if sys.implementation.name == "cpython":  # only the tests; its files take no count

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


class FolderFlash:
    """The flash device over `folder`, made if it is not there."""

    def __init__(self, folder, size_bytes):
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = size_bytes // BLOCK_BYTES
        self._folder = folder
        self._file = None  # the block that is written to stays open
        self._open_block = -1
        self._end = 0
        self._read_file = None  # another block's, as it was when it was opened
        self._read_block = -1
        try:
            os.mkdir(folder)
        except OSError:
            os.stat(folder)  # raises if it is neither there nor can be made

    def read_into(self, address, buf, n):
        """Copy `n` octets from `address` into buf[0:n]."""
        offset = address % BLOCK_BYTES
        if offset + n <= BLOCK_BYTES:
            return self._read(address // BLOCK_BYTES, offset, buf, n)
        done = 0
        while done < n:  # across blocks: the one case that allocates, and the spool never asks for it
            offset = (address + done) % BLOCK_BYTES
            part = BLOCK_BYTES - offset
            if part > n - done:
                part = n - done
            if self._read((address + done) // BLOCK_BYTES, offset, memoryview(buf)[done : done + part], part) < 0:
                return FLASH_IO
            done += part
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and flush it."""
        block = address // BLOCK_BYTES
        offset = address % BLOCK_BYTES
        try:
            file = self._writable(block)
            while self._end < offset:
                part = offset - self._end
                self._end += file.write(_ERASED[:part] if part < 64 else _ERASED)
            file.seek(offset)
            put = _write_file(file, buf, n)
        except OSError:
            self.close()
            return FLASH_IO
        if offset + n > self._end:
            self._end = offset + n
        return FLASH_DONE if put == n else FLASH_IO

    def erase(self, block):
        """Remove the block's file."""
        if block == self._open_block or block == self._read_block:
            self.close()
        try:
            os.remove(self._path(block))
        except OSError:
            if self._exists(block):
                return FLASH_IO
        return FLASH_DONE

    def close(self):
        """Close the files that are open."""
        self._close_read()
        file = self._file
        self._file = None
        self._open_block = -1
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # what matters was flushed

    def _close_read(self):
        file = self._read_file
        self._read_file = None
        self._read_block = -1
        if file is not None:
            file.close()

    def _path(self, block):
        return "%s/%04d" % (self._folder, block)

    def _exists(self, block):
        try:
            os.stat(self._path(block))
        except OSError:
            return False
        return True

    def _writable(self, block):
        if block != self._open_block:
            self.close()
            if self._exists(block):
                self._file = open(self._path(block), "r+b")
                self._end = self._file.seek(0, 2)
            else:
                self._file = open(self._path(block), "w+b")
                self._end = 0
            self._open_block = block
        return self._file

    def _read(self, block, offset, buf, n):
        """Read n octets of one block, with 0xFF behind the file's end."""
        got = 0
        try:
            if block == self._open_block:
                if offset < self._end:
                    self._file.seek(offset)
                    got = _read_file(self._file, buf, n)
            elif block == self._read_block or self._exists(block):
                if block != self._read_block:
                    self._close_read()
                    self._read_file = open(self._path(block), "rb")
                    self._read_block = block
                self._read_file.seek(offset)
                got = _read_file(self._read_file, buf, n)
        except OSError:
            self._close_read()
            return FLASH_IO
        for index in range(got or 0, n):
            buf[index] = 0xFF
        return FLASH_DONE
