"""A preallocated file as a flash device, written through to the disk before `program` returns.

Rules
1. Durable means: pwrite, then fdatasync. fdatasync writes the data and every piece of metadata needed to read it back
   (open(2), fdatasync(2)); size and blocks never change after the file was made, so nothing else is needed. The new
   file itself is made durable with fsync of the file and of its folder.
2. `erase` is not synced by itself: the next `program` of the block is, and until then the old content is harmless,
   because a block is erased only when no cursor needs it.
3. One agent at a time: the file is locked (flock); the lock goes with the process, however it ends.
4. A file that is no spool is left alone: it is an error, not an empty area.
5. A file only grows. With a smaller setting it stays as it is and `note` says so: nothing that waits in it is given up.
6. After an error the disk may show what it does not hold (a failed fdatasync marks the pages clean). The ring never
   goes on in such a place, nor in a block that was erased before the error: it erases again.
"""

import errno
import fcntl
import os

from agent.spool.flash import FLASH_DONE, FLASH_IO
from agent.spool.record import HEAD_BYTES, KIND_HEAD, is_spool_head

CPYTHON_ONLY = True
BLOCK_BYTES = 4096  # the page of the cache and the sector of a disk: a block never straddles two
UNIT_BYTES = 16  # a file can take any; 16 wastes two octets on a light result


class FlashUnusable(Exception):
    """The file cannot serve as a spool; the text says why and what to do."""


class FileFlash:
    """The flash device over one file of `size_bytes`, rounded down to whole blocks."""

    def __init__(self, path, size_bytes):
        self.path = path
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.last_error = ""
        self.note = ""
        self._blank = b"\xff" * BLOCK_BYTES
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FlashUnusable("cannot open %s: %s" % (path, error.strerror))
        try:
            self._lock()
            self._make(size_bytes)
        except FlashUnusable:
            os.close(self._descriptor)
            raise
        except OSError as error:
            os.close(self._descriptor)
            raise FlashUnusable("cannot prepare %s (%d KiB): %s" % (path, size_bytes // 1024, error.strerror))

    def read_into(self, address, buf, n):
        """Copy `n` octets from `address` into buf[0:n]."""
        try:
            got = os.preadv(self._descriptor, [memoryview(buf)[:n]], address)
        except OSError as error:
            return self._failed("read", error)
        return FLASH_DONE if got == n else FLASH_IO

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and through to the disk."""
        try:
            put = os.pwrite(self._descriptor, memoryview(buf)[:n], address)
            os.fdatasync(self._descriptor)
        except OSError as error:
            return self._failed("write", error)
        return FLASH_DONE if put == n else FLASH_IO

    def erase(self, block):
        """Make every octet of the block 0xFF; durable with the next `program`."""
        try:
            put = os.pwrite(self._descriptor, self._blank, block * BLOCK_BYTES)
        except OSError as error:
            return self._failed("erase", error)
        return FLASH_DONE if put == BLOCK_BYTES else FLASH_IO

    def close(self):
        """Close the file and give up the lock."""
        os.close(self._descriptor)

    def _failed(self, what, error):
        self.last_error = "%s of %s: %s" % (what, self.path, error.strerror)
        return FLASH_IO

    def _lock(self):
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise FlashUnusable("%s is in use by another agent; stop that one first" % self.path)
            raise

    def _make(self, size_bytes):
        """Take the file as it is, or make it: preallocated, erased, durable. A larger setting makes it larger."""
        wanted = size_bytes // BLOCK_BYTES
        have, rest = divmod(os.fstat(self._descriptor).st_size, BLOCK_BYTES)
        if (have or rest) and not self._is_spool(have):
            raise FlashUnusable("%s is not a spool; name another path, or move the file away" % self.path)
        self.block_count = max(wanted, have)
        if wanted < have:
            kept = "%s keeps its %d KiB: a spool does not shrink; to make it smaller, let it run empty and delete it"
            self.note = kept % (self.path, have * BLOCK_BYTES // 1024)
        if have < self.block_count:
            os.posix_fallocate(self._descriptor, 0, self.block_count * BLOCK_BYTES)
            for block in range(have, self.block_count):
                if os.pwrite(self._descriptor, self._blank, block * BLOCK_BYTES) != BLOCK_BYTES:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
            folder = os.open(os.path.dirname(os.path.abspath(self.path)), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _is_spool(self, blocks):
        """Tell whether any block begins with a HEAD or is still erased; a file cut short while it was made counts."""
        buf = bytearray(64)
        for block in range(blocks):
            if self.read_into(block * BLOCK_BYTES, buf, 64) < 0:
                return False
            if buf == self._blank[:64] or (buf[0] == KIND_HEAD and is_spool_head(buf, HEAD_BYTES)):
                return True
        return not any(os.pread(self._descriptor, BLOCK_BYTES, 0).strip(b"\xff\x00"))
