"""Walks over the records of one block, past any damage, without ever returning a record that is not sound.

Rules
1. Only records with a right CRC and a `seq` above the last one are returned; older ones are stale and stepped over.
2. Behind damage the walk looks at every multiple of 8 octets until a sound record comes or the block ends.
3. Without damage it stops at the first erased octet: nothing is ever written behind a unit that was left out.
4. A device that cannot be read gives RECORD_BAD, which is not the end: the caller comes back later.
"""

from agent.base.words import get_u32
from agent.spool.record import (
    ALIGN_BYTES,
    HEAD_BYTES,
    RECORD_BAD,
    RECORD_NONE,
    is_sound,
    record_length,
)

READ_BYTES = 136  # a light result with its frame in one read of the device


class Walk:
    """A position in one block, and the record found there in `page` (its payload begins at HEAD_BYTES)."""

    __slots__ = (
        "block",
        "device",
        "flags",
        "kind",
        "length",
        "offset",
        "page",
        "record_at",
        "seq",
        "skipped",
    )

    def __init__(self, device, page_bytes):
        self.device = device
        self.page = bytearray(page_bytes)
        self.begin(0, 0, 0)

    def begin(self, block, offset, seq):
        """Stand at `offset` of `block`; records up to number `seq` are stale."""
        self.block = block
        self.offset = offset
        self.seq = seq
        self.record_at = offset
        self.kind = RECORD_NONE
        self.flags = 0
        self.length = 0
        self.skipped = 0

    def next(self):
        """Go to the next record: its kind, RECORD_NONE at the end, RECORD_BAD if the device could not be read."""
        device = self.device
        page = self.page
        block_bytes = device.block_bytes
        base = self.block * block_bytes
        damaged = False
        while self.offset + HEAD_BYTES < block_bytes:
            room = block_bytes - self.offset
            have = room if room < READ_BYTES else READ_BYTES
            if device.read_into(base + self.offset, page, have) < 0:
                return RECORD_BAD
            octets = record_length(page, 0, room)
            if octets > have:
                octets = self._read_rest(base, octets)
            if octets > 0 and is_sound(page, 0, octets):
                self._accept(octets)
                if get_u32(page, 4) > self.seq:
                    self.seq = get_u32(page, 4)
                    return self.kind
                continue
            if octets == RECORD_NONE and not damaged:
                return RECORD_NONE
            damaged = True
            self.skipped += 1
            self.offset += ALIGN_BYTES
        return RECORD_NONE

    def _read_rest(self, base, octets):
        page = self.page
        if octets > len(page) or self.device.read_into(base + self.offset, page, octets) < 0:
            return RECORD_BAD
        return octets

    def _accept(self, octets):
        page = self.page
        self.kind = page[0]
        self.flags = page[1]
        self.length = page[2] | page[3] << 8
        self.record_at = self.offset
        unit = self.device.unit_bytes
        if self.kind == 0x48 or unit < ALIGN_BYTES:
            unit = ALIGN_BYTES
        end = self.offset + octets + unit - 1
        self.offset = end - end % unit
