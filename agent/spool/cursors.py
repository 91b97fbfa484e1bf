"""How far each outlet is, and the octets in which a HEAD and a CURSOR record say so of all of them at once.

    octet  0      4       8       12          15         18         21       24
           | seq  | number| limit | outlet 1  | outlet 2 | outlet 3 | missed |
           | u32  | u32   | u32   | u24       | u24      | u24      | u24    |
           |    the first outlet  |   the low 24 bits of seq        |

Rules
1. Everything up to `seq`, and result `number`, is done. Only the first outlet, which has a server that is asked what it
   has, needs `limit`: up to there results may be on their way.
2. No log holds 2**24 records: the others' `seq` is the highest number below that of the record which says so.
3. A durable outlet keeps a block from being erased until it has passed what lies there. A best-effort one is moved on,
   and what it has not had counts as `missed`, which stays at its highest.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.words import get_u32
from agent.spool.record import OUTLETS

WANTS_RESULTS = const(1)
WANTS_FRAMES = const(2)  # that could not be read
WANTS_EVENTS = const(4)
WANTS_GRAPHS = const(2)  # in the ring of graphs, where there are no frames

MISSED_MOST = const(0xFFFFFF)

UNKNOWN = const(-1)
NEVER = const(-0x3FFFFFFF)  # below any number

_BEHIND_MOST = const(0xFFFF00)
_LOW = const(0xFFFFFF)


class Cursor:
    """How far one outlet is."""

    __slots__ = (
        "ahead",
        "block",
        "bound",
        "delivered",
        "dropped",
        "durable",
        "event",
        "gone_from",
        "gone_to",
        "jumped",
        "limit",
        "number",
        "offset",
        "peek_block",
        "peek_event",
        "peek_number",
        "peek_offset",
        "peek_seq",
        "saved_block",
        "saved_number",
        "seq",
        "unused",
        "unused_at",
        "wants",
    )

    def __init__(self):
        self.durable = True  # keeps what it has not passed from being erased
        self.wants = WANTS_RESULTS | WANTS_FRAMES
        self.seq = 0
        self.number = 0
        self.event = 0  # number of the last event in front of it
        self.limit = 0
        self.delivered = 0  # how many the outlet's other side has said to have
        self.ahead = 0  # results that go out as they come: what a HEAD allows beyond `number`
        self.block = 0
        self.offset = 0
        self.bound = UNKNOWN  # of the block it stands in
        self.jumped = False  # what lies between `seq` and the next record is gone on purpose: no damage
        self.dropped = False  # what it jumps over is given up, to be counted when the next record is found
        self.gone_from = 0  # behind this number, and up to the next one, was overwritten what may have been delivered
        self.gone_to = 0
        self.peek_seq = 0
        self.peek_number = 0
        self.peek_event = 0
        self.peek_block = 0
        self.peek_offset = 0
        self.saved_block = UNKNOWN  # where the durable cursor stands
        self.saved_number = 0  # NEVER while the log does not say yet what was overwritten
        self.unused = 0  # numbers behind result `unused_at` that nothing has which waits, as a sweep has found
        self.unused_at = 0

    def enter(self, block, offset):
        """Stand in another block."""
        self.block = block
        self.offset = offset
        self.bound = UNKNOWN

    def stand_at(self, other):
        """Stand where `other` stands."""
        self.seq = other.seq
        self.number = other.number
        self.event = other.event
        self.enter(other.block, other.offset)
        self.jumped = other.jumped

    def advance(self):
        """Pass over the record that was found last."""
        self.seq = self.peek_seq
        self.number = self.peek_number
        self.event = self.peek_event
        if self.block != self.peek_block:
            self.enter(self.peek_block, 0)
        self.offset = self.peek_offset

    def saved(self):
        """The cursor as it stands now is durable."""
        self.saved_block = self.block
        self.saved_number = self.number


def put_cursors(buf, at, cursors, limit, newest, missed):
    """Write the CURSORS_BYTES octets of all cursors to buf[at:]; `newest` is the last number of the log."""
    first = cursors[0]
    pack_into("<III", buf, at, first.seq, first.number, limit)
    at += 12
    for index in range(1, OUTLETS):
        seq = cursors[index].seq if index < len(cursors) else 0
        put_u24(buf, at, seq if newest - seq < _BEHIND_MOST else newest - _BEHIND_MOST)
        at += 3
    put_u24(buf, at, missed if missed < MISSED_MOST else MISSED_MOST)


def load_cursors(cursors, buf, at, own):
    """Set the cursors to what buf[at:] says, in the record with number `own`; return how many were missed."""
    first = cursors[0]
    first.seq = get_u32(buf, at)
    first.number = get_u32(buf, at + 4)
    first.limit = get_u32(buf, at + 8)
    at += 9
    for index in range(1, len(cursors)):
        seq = own - (own - get_u24(buf, at + 3 * index) & _LOW)
        cursors[index].seq = seq if seq > 0 else 0
    return get_u24(buf, at + 12)


def get_u24(buf, at):
    """Return the number at buf[at:]."""
    return buf[at] | buf[at + 1] << 8 | buf[at + 2] << 16


def put_u24(buf, at, value):
    """Write the low 24 bits of `value`."""
    buf[at] = value & 0xFF
    buf[at + 1] = value >> 8 & 0xFF
    buf[at + 2] = value >> 16 & 0xFF
