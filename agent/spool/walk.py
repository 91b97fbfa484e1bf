"""Walks over the records of one block, past any damage, without ever returning a record that is not sound.

Rules
1. Only records with a right CRC and a `seq` inside a window are returned: above the last one (older ones are stale),
   below `until` (what stands there was never acknowledged: docs/spool.md, "void records").
2. Behind damage the walk looks at every multiple of 8 octets until a sound record comes or the block ends.
3. Erased octets end nothing: a hole is stepped over, so that one lost unit does not hide what lies behind it.
4. A device that cannot be read gives RECORD_BAD, which is not the end: the caller comes back later.
"""

from agent.base.words import get_u32
from agent.spool.record import (
    ALIGN_BYTES,
    AT_AFTER,
    FRAME_BYTES,
    HEAD_BYTES,
    HEAD_OCTETS,
    KIND_HEAD,
    RECORD_BAD,
    RECORD_LOST,
    RECORD_NONE,
    SEQ_TOP,
    is_head,
    is_sound,
    record_length,
)

READ_BYTES = 136  # a light result with its frame, or a HEAD, in one read of the device
PROBE_BYTES = 64

_BLANK = b"\xff" * PROBE_BYTES


class Walk:
    """A position in one block, and the record found there in `page` (its payload begins at HEAD_BYTES).

    With `other` its buffers are used: what was found there is gone with the next look here.
    """

    __slots__ = (
        "after",
        "block",
        "device",
        "flags",
        "kind",
        "length",
        "offset",
        "page",
        "probe",
        "record_at",
        "seq",
        "skipped",
        "until",
    )

    def __init__(self, device, page_bytes, other):
        self.device = device
        self.page = bytearray(page_bytes) if other is None else other.page
        self.probe = bytearray(PROBE_BYTES) if other is None else other.probe
        self.after = 0
        self.begin(0, 0, 0)

    def begin(self, block, offset, seq, until=SEQ_TOP):
        """Stand at `offset` of `block`; only records above number `seq` and below `until` count."""
        self.block = block
        self.offset = offset
        self.seq = seq
        self.until = until
        self.record_at = offset
        self.kind = RECORD_NONE
        self.flags = 0
        self.length = 0
        self.skipped = 0

    def next(self):
        """Go to the next record: its kind, RECORD_NONE at the end, RECORD_BAD if the device could not be read."""
        block_bytes = self.device.block_bytes
        while self.offset + FRAME_BYTES <= block_bytes:
            octets = self._look()
            if octets > 0:
                self._accept(octets)
                seq = get_u32(self.page, 4)
                if self.seq < seq < self.until:
                    self.seq = seq
                    return self.kind
            elif octets == RECORD_BAD:
                self.skipped += 1
                self.offset += ALIGN_BYTES
            elif octets == RECORD_LOST:
                return RECORD_BAD
            else:
                # From the next place on: what read as erased just now may read otherwise a moment later, for ever.
                offset = self.blank_to(self.block, self.offset + ALIGN_BYTES)
                if offset < 0:
                    return RECORD_BAD
                self.offset = offset
        return RECORD_NONE

    def first(self, block):
        """Look for the block's HEAD, or the record behind it: the kind found, RECORD_NONE, or RECORD_BAD.

        `seq` is then the record's own, and `after` the last number that counts in front of this block.
        """
        self.begin(block, 0, 0)
        octets = self._look()
        if octets == RECORD_BAD:
            self.offset = HEAD_OCTETS
            octets = self._look()
        if octets == RECORD_LOST:
            return RECORD_BAD
        if octets <= 0:
            return RECORD_NONE
        self._accept(octets)
        self.seq = get_u32(self.page, 4)
        if self.kind == KIND_HEAD and is_head(self.page, HEAD_BYTES):
            self.after = get_u32(self.page, HEAD_BYTES + AT_AFTER)
        else:
            self.after = self.seq - 2  # its HEAD had the number before
        return self.kind

    def blank_to(self, block, offset):
        """Return where the first octets that are not erased begin (a multiple of 8), the block's end if none do.

        RECORD_BAD if the device could not be read.
        """
        device = self.device
        probe = self.probe
        end = device.block_bytes
        while offset < end:
            n = end - offset if end - offset < PROBE_BYTES else PROBE_BYTES
            if device.read_into(block * end + offset, probe, n) < 0:
                return RECORD_BAD
            if n < PROBE_BYTES or probe != _BLANK:
                for index in range(n):
                    if probe[index] != 0xFF:
                        return offset + index - index % ALIGN_BYTES
            offset += n
        return end

    def blank_from(self, block, offset):
        """Return from where on all of the block reads as erased, `offset` at the least; RECORD_BAD if unreadable."""
        blank = offset
        while True:
            offset = self.blank_to(block, blank)
            if offset < 0 or offset == self.device.block_bytes:
                return offset if offset < 0 else blank
            blank = offset + ALIGN_BYTES

    def _look(self):
        """Bring what lies at the offset into the page: the octets of a sound record there, or a RECORD_ code."""
        device = self.device
        page = self.page
        block_bytes = device.block_bytes
        address = self.block * block_bytes + self.offset
        room = block_bytes - self.offset
        have = room if room < READ_BYTES else READ_BYTES
        if device.read_into(address, page, have) < 0:
            return RECORD_LOST
        octets = record_length(page, 0, room)
        if octets <= 0:
            return octets
        if octets > have:
            if octets > len(page):
                return RECORD_BAD
            if device.read_into(address, page, octets) < 0:
                return RECORD_LOST
        # A HEAD stands at the start of a block and nowhere else, the frame of a record that embeds one included.
        if (page[0] == KIND_HEAD and self.offset != 0) or not is_sound(page, 0, octets):
            return RECORD_BAD
        return octets

    def _accept(self, octets):
        page = self.page
        self.kind = page[0]
        self.flags = page[1]
        self.length = page[2] | page[3] << 8
        self.record_at = self.offset
        unit = self.device.unit_bytes
        if self.kind == KIND_HEAD or unit < ALIGN_BYTES:
            unit = ALIGN_BYTES
        end = self.offset + octets + unit - 1
        self.offset = end - end % unit
