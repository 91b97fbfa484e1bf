"""How far one reader of a log has come. Only its number is durable; its place on the flash is looked up again.

Rules
1. `advance` passes the record that `peek` or `peek_staged` found; otherwise `number` moves only over what is not
   wanted, damaged or gone.
2. `sequence_lag` grows with each record that is passed and not wanted: a reader that numbers what it wants without gaps
   sets it so that `number - sequence_lag` is the sequence of the last one passed. Moving a cursor back
   (toolcart.agent.log.rewind) must set `sequence_lag` too.
3. The place is valid for only one `version` of the log's blocks; a cursor in an erased block is placed again.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.record import KIND_EVENT, KIND_GRAPH, KIND_RAW, KIND_RESULT

# The bit of a kind is given by its low four bits.
WANTS_RESULTS = const(1 << (KIND_RESULT & 15))
WANTS_FRAMES = const(1 << (KIND_RAW & 15))  # frames that could not be read
WANTS_EVENTS = const(1 << (KIND_EVENT & 15))
WANTS_GRAPHS = const(1 << (KIND_GRAPH & 15))
WANTS_ALL = const(0xFFFF)


class Cursor:
    """Everything up to `number` is done; a durable cursor keeps what comes after it from being erased."""

    __slots__ = (
        "sequence_lag",
        "bound",
        "durable",
        "first",
        "found",
        "next_offset",
        "number",
        "offset",
        "place",
        "slot",
        "version",
        "wants",
    )

    def __init__(self):
        self.number = 0
        self.slot = 0  # where a snapshot has `number` (toolcart.agent.log.snapshot; it may keep `sequence_lag` as well)
        self.sequence_lag = 0
        self.durable = True
        self.wants = WANTS_RESULTS | WANTS_FRAMES
        self.found = 0  # number of the record found last
        self.place = 0  # the block, whose first number is `first`; `offset`: where in it to look next
        self.first = 0  # 0: nowhere
        self.offset = 0
        self.next_offset = 0  # where the one after the record found last begins
        self.bound = 0  # from this number on the block's records are void
        self.version = -1

    def advance(self):
        """Pass the record that was found last."""
        self.number = self.found
        self.offset = self.next_offset

    def stand_at(self, other):
        """Move to where `other` is."""
        self.number = other.number
        self.sequence_lag = other.sequence_lag
        self.place = other.place
        self.first = other.first
        self.offset = other.offset
        self.bound = other.bound
        self.version = other.version
