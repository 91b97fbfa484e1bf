"""The part of an RP2's own flash that holds the spool, as a flash device (toolcart.agent.log.flash).

         0              FILES_BYTES                  storage_bytes
    ...  | file system  | ring                       |            behind the program, from `rp2.Flash()` on

Rules
1. Only our own image leaves the ring alone: its frozen _boot mounts a file system of FILES_BYTES. Stock firmware spans
   the whole storage with its file system and formats what does not fit, so there `ring` returns None and the spool is
   in a file.
2. Reading is a copy from the mapped flash; programming goes by pages of 256 bytes through a page of our own, because
   a part of a buffer would be an allocation.
3. The chip does not say whether a program succeeded: every page is read back, and one that differs is FLASH_WORN. That
   shows a bad erase as well, since a program only clears bits.
4. A program stops the chip for up to 3 ms, an erase for 45 to 400 ms: the log erases ahead while idle
   (toolcart.agent.log.log, `maintain`).
"""

import os

import rp2

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, copy
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN, REFUSED_BROKEN, REFUSED_NOTHING
from toolcart.board import FILES_BYTES

UNIT_BYTES = const(256)
BLOCK_BYTES = const(4096)

_BLOCK_COUNT = const(4)  # the block device protocol's numbers
_BLOCK_ERASE = const(6)


class Rp2Flash:
    """Whole blocks of the storage from `start_bytes` on, to its end."""

    __slots__ = ("_cells", "_device", "_page", "_refusal", "block_bytes", "block_count", "unit_bytes")

    def __init__(self, start_bytes=FILES_BYTES):
        self._device = rp2.Flash(start=start_bytes)
        self._cells = memoryview(self._device)  # type: ignore - the stubs lack its buffer
        self._page = bytearray(UNIT_BYTES)
        self._refusal = REFUSED_NOTHING
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = self._device.ioctl(_BLOCK_COUNT, 0)

    def read_into(self, address, buf, n):
        copy(buf, 0, self._cells, address, n)
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`, page by page; FLASH_WORN if a page reads back differently."""
        at = 0
        try:
            while at < n:
                copy(self._page, 0, buf, at, UNIT_BYTES)
                self._device.writeblocks(address // BLOCK_BYTES, self._page, address % BLOCK_BYTES)
                if compare(self._page, 0, self._cells, address, UNIT_BYTES):
                    return FLASH_WORN
                at += UNIT_BYTES
                address += UNIT_BYTES
        except OSError:
            return self._refuse()
        self._refusal = REFUSED_NOTHING
        return FLASH_DONE

    def erase(self, block):
        try:
            self._device.ioctl(_BLOCK_ERASE, block)
        except OSError:
            return self._refuse()
        return FLASH_DONE

    def refusal(self):
        """Return REFUSED_BROKEN since the driver has reported an error, until a program succeeds."""
        return self._refusal

    def _refuse(self):
        self._refusal = REFUSED_BROKEN
        return FLASH_IO


def ring():
    """Return the device of the spool; None if the file system takes the whole storage, or there is none.

    It begins where the existing file system ends, not where this version would end one: a version that is newer than
    the firmware must not look for the spool somewhere else.
    """
    start_bytes = files_bytes()
    if not 0 < start_bytes < _storage_bytes():
        return None
    return Rp2Flash(start_bytes)


def files_bytes():
    """Return the size of the mounted file system, 0 if there is none."""
    files = os.statvfs("/")
    return files[0] * files[2]


def other_division():
    """Return a note if the flash is not divided as this firmware would do it, else ""."""
    size = files_bytes()
    if size == FILES_BYTES or not 0 < size < _storage_bytes():
        return ""
    return "files have %d KiB as an earlier firmware made them (now %d), the spool lies behind" % (
        size // 1024,
        FILES_BYTES // 1024,
    )


def _storage_bytes():
    return rp2.Flash().ioctl(_BLOCK_COUNT, 0) * BLOCK_BYTES  # type: ignore - a number, None in the stubs
