"""A log from which events go to ToolsNet: it has a cursor for them, and keeps the base of their sequence.

Rules
1. The third cursor is the events'. So there may be one outlet beside ToolsNet; where there is none nothing is looked
   for in its place.
2. Where a cursor record and a HEAD say how far a fourth outlet would be they say here what is told: 18 bits, and a mark
   by which they are known from another outlet's cursor.
"""

from agent.base.words import get_u32
from agent.record import KIND_EVENT
from agent.spool.blocks import WHEN_FULL_REFUSE
from agent.spool.cursors import WANTS_EVENTS, WANTS_FRAMES, WANTS_RESULTS, get_u24
from agent.spool.record import (
    AT_CURSORS,
    AT_EVENT_NUMBER,
    HEAD_BYTES,
    KIND_CURSOR,
    KIND_HEAD,
    OUTLETS,
    RECORD_NONE,
    is_head,
)
from agent.spool.ring import Ring

CPYTHON_ONLY = True  # a board has room for results alone

FILE = 1
EVENTS = 2
BASE_SLOT = 3
WANTS_ALL = WANTS_RESULTS | WANTS_FRAMES | WANTS_EVENTS

_BLOCKS = 4  # in which a cursor record or a HEAD is looked for
_MARK = 0xA80000
_MARKED = 0xFC0000
_BEYOND = 0x3F000000  # above any record, so nothing in the log is for who stands there


class EventRing(Ring):
    """A log that also keeps `told`, the 24 bits of BASE_SLOT: each cursor record and HEAD repeats them."""

    def __init__(self, device, outlets=OUTLETS, when_full=WHEN_FULL_REFUSE, wide=False):
        Ring.__init__(self, device, outlets, when_full, wide=wide)
        self.told = 0
        self.event_limit = 0  # the last event in front of the newest of these records, when the log was mounted
        for index in (FILE, EVENTS, BASE_SLOT):
            cursor = self.cursors[index]
            cursor.durable = False
            cursor.wants = 0
        self.cursors[EVENTS].wants = WANTS_ALL

    def read_told(self):
        """The log was mounted: what it has kept, 0 if nothing."""
        told, self.event_limit = told_by(self)
        self.told = told if told & _MARKED == _MARK else 0
        self.keep_told()

    def put_told(self, told):
        """Keep these 18 bits, from the next record on."""
        self.told = _MARK | told
        self.keep_told()

    def keep_told(self):
        """No outlet stands in these places: nothing in the log is for them, being in front of it."""
        self.cursors[BASE_SLOT].seq = _BEYOND | self.told
        if not self.cursors[FILE].wants:
            self.cursors[FILE].seq = _BEYOND

    def save_cursors(self, limit, flags=-1):
        """Make all cursors durable, and what is told (agent.spool.ring)."""
        code = Ring.save_cursors(self, limit, flags)
        self.keep_told()  # taken over like the others' was what the record says, not where they are
        return code

    def _land(self, cursor, number, event):
        """The jump ends (agent.spool.reader): of what the events' cursor was moved past only events are missed."""
        if cursor is self.cursors[EVENTS] and number > cursor.number:
            cursor.number = number
        Ring._land(self, cursor, number, event)


def told_by(ring):
    """Return what the newest record that says so has in the base's place, and the last event in front of it."""
    walk = ring.walk
    block = ring.block
    for _ in range(min(_BLOCKS, ring.device.block_count) if ring.seq else 0):
        told = -1
        event = last = 0
        walk.begin(block, 0, 0, ring.bound(block))
        while walk.next() > RECORD_NONE:
            at = -1
            if walk.kind == KIND_EVENT:
                event = get_u32(walk.page, HEAD_BYTES)
            elif walk.kind == KIND_CURSOR:
                at = HEAD_BYTES
            elif walk.kind == KIND_HEAD and is_head(walk.page, HEAD_BYTES):
                event = get_u32(walk.page, HEAD_BYTES + AT_EVENT_NUMBER)
                at = HEAD_BYTES + AT_CURSORS
            if at >= 0:
                told = get_u24(walk.page, at + 12 + 3 * (BASE_SLOT - 1))
                last = event
        if told >= 0:
            return told, last
        block = block - 1 if block else ring.device.block_count - 1
    return 0, 0
