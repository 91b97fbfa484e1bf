"""A data partition of an ESP32 as a flash device (toolcart.agent.log.flash).

Rules
1. The partition is called `spool` in the table (docs/boards.md); nothing else writes to it.
2. `writeblocks` with an offset programs without erasing first; erasing is ioctl 6 (the block device protocol).
3. The chip does not say whether a program succeeded: what was programmed is read back, and a difference is FLASH_WORN.
   That shows a bad erase as well, since a program only clears bits.
4. The unit is 16 bytes: what an encrypted flash can program at once, and two wasted bytes on a light result.
5. No call of this port takes a count: a part of a buffer is a view. That of what is programmed is kept for as long as
   the same part is wanted: results of one length take nothing from the heap so.
"""

from esp32 import Partition

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN, REFUSED_BROKEN, REFUSED_NOTHING

UNIT_BYTES = const(16)
BLOCK_BYTES = const(4096)
LABEL = "spool"

_BLOCK_ERASE = const(6)
_PIECE_BYTES = const(256)  # read back at once; most programs are smaller


class View:
    """The first bytes of a buffer."""

    __slots__ = ("_buf", "_n", "_view")

    def __init__(self):
        self._buf = None
        self._n = 0
        self._view = None

    def of(self, buf, n):
        """Return the first n bytes."""
        if len(buf) == n:
            return buf
        if self._buf is not buf or self._n != n:
            self._buf = buf
            self._n = n
            self._view = memoryview(buf)[:n]
        return self._view


class PartitionFlash:
    """All whole blocks of a partition."""

    __slots__ = (
        "_partition",
        "_piece",
        "_read_back",
        "_refusal",
        "_written",
        "block_bytes",
        "block_count",
        "unit_bytes",
    )

    def __init__(self, partition):
        self._partition = partition
        self._piece = bytearray(_PIECE_BYTES)
        self._written, self._read_back = View(), View()
        self._refusal = REFUSED_NOTHING
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = partition.info()[3] // BLOCK_BYTES

    def read_into(self, address, buf, n):
        try:
            self._partition.readblocks(
                address // BLOCK_BYTES, buf if len(buf) == n else memoryview(buf)[:n], address % BLOCK_BYTES
            )
        except OSError:
            return self._refuse()
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`; FLASH_WORN if it reads back differently."""
        try:
            self._partition.writeblocks(address // BLOCK_BYTES, self._written.of(buf, n), address % BLOCK_BYTES)
            is_good = self._reads_as(address, buf, n)
        except OSError:
            return self._refuse()
        self._refusal = REFUSED_NOTHING
        return FLASH_DONE if is_good else FLASH_WORN

    def _reads_as(self, address, buf, n):
        at = 0
        while at < n:
            octets = n - at if n - at < _PIECE_BYTES else _PIECE_BYTES
            piece = self._read_back.of(self._piece, octets)
            self._partition.readblocks((address + at) // BLOCK_BYTES, piece, (address + at) % BLOCK_BYTES)
            if compare(self._piece, 0, buf, at, octets):
                return False
            at += octets
        return True

    def erase(self, block):
        try:
            self._partition.ioctl(_BLOCK_ERASE, block)
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
    """Return the device of the spool; None if the table has no such partition."""
    found = Partition.find(Partition.TYPE_DATA, label=LABEL)
    return PartitionFlash(found[0]) if found else None
