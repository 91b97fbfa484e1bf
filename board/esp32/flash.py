"""A data partition of an ESP32 as a flash device (toolcart.agent.log.flash).

Rules
1. The partition is called `spool` in the table (docs/boards.md); nothing else writes to it.
2. `writeblocks` with an offset programs without erasing first; erasing is ioctl 6 (the block device protocol).
3. The chip does not say whether a program succeeded: what was programmed is read back, and a difference is FLASH_WORN.
   That shows a bad erase as well, since a program only clears bits.
4. The unit is 16 bytes: what an encrypted flash can program at once, and two wasted bytes on a light result.
"""

from esp32 import Partition

from toolcart.agent.base.compat import const
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN, REFUSED_BROKEN, REFUSED_NOTHING

UNIT_BYTES = const(16)
BLOCK_BYTES = const(4096)
LABEL = "spool"

_BLOCK_ERASE = const(6)
_PIECE_BYTES = const(256)  # read back at once; most programs are smaller


class PartitionFlash:
    """All whole blocks of a partition."""

    __slots__ = ("_partition", "_piece", "_refusal", "block_bytes", "block_count", "unit_bytes")

    def __init__(self, partition):
        self._partition = partition
        self._piece = bytearray(_PIECE_BYTES)
        self._refusal = REFUSED_NOTHING
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = partition.info()[3] // BLOCK_BYTES

    def read_into(self, address, buf, n):
        try:
            self._partition.readblocks(address // BLOCK_BYTES, _part(buf, n), address % BLOCK_BYTES)
        except OSError:
            return self._refuse()
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`; FLASH_WORN if it reads back differently."""
        try:
            self._partition.writeblocks(address // BLOCK_BYTES, _part(buf, n), address % BLOCK_BYTES)
            is_good = self._reads_as(address, buf, n)
        except OSError:
            return self._refuse()
        self._refusal = REFUSED_NOTHING
        return FLASH_DONE if is_good else FLASH_WORN

    def _reads_as(self, address, buf, n):
        at = 0
        while at < n:
            octets = n - at if n - at < _PIECE_BYTES else _PIECE_BYTES
            piece = _part(self._piece, octets)
            self._partition.readblocks((address + at) // BLOCK_BYTES, piece, (address + at) % BLOCK_BYTES)
            if piece != memoryview(buf)[at : at + octets]:
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


def _part(buf, n):
    """Return the first n bytes; a view costs 16 bytes of heap, but no call of this port takes a count."""
    return buf if len(buf) == n else memoryview(buf)[:n]
