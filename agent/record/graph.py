"""A piece of the curve of one tightening, as it came in MID 0900, or of its plot parameters, MID 0901.

    byte   0      4       6     7      8      12    22     29          36      37   38         39
           |number|station|piece|pieces|result|ID 10|time 7|time of the|spindle|what|transducer|steps
           | u32  | u16   | u8  | u8   | u32  |     |BCD   | result BCD| u8    | u8 | u8       | u8, 4 at most
           40   42       46   52    58       59    60        64          68        72      74
           |unit|program4|low6|high6|decimals|shift|numerator|denominator|announced|count  |step, 10 each | data
           | u16|        |    |     | u8     | i8  | u32     | u32       | u32     | u16   |
    step   0          2           6
           |samples   |numerator  |denominator     ms from each of these samples to the next
           | u16      | u32       | u32
    named  0       1               2     4           where the top bit of `steps` is set, behind the steps
           |spindle|spindle of the |bolt |object
           | u8    |header u8      | u16 | u16

    any other piece: the first eight bytes, then data.

Rules
1. `number` counts pieces only; those of one curve are consecutive, `piece` from 0 to `pieces` - 1. A curve with missing
   pieces was cut by a power failure, or its first ones were overwritten.
2. A sample is two bytes, big endian, two's complement. It means 2**shift * numerator / denominator * sample in `unit`
   (Open Protocol's, OP 6.3 p. 267: 1 Nm, 50 degrees), as in telegram 13 of ToolsNet (TN 5.13). Both are integers
   below 2**30, reduced; 1/1 where the controller names no coefficient (with FLAG_ODD).
3. `what` is the trace type (OP 5.27.1 p. 258): 1 angle, 2 torque, 3 current, 4 gradient, 5 stroke, 6 force. 0: the data
   are the data fields of a MID 0901 as they came, `count` bytes of text.
4. `result` is the number in the main log of the curve's result, 0 if unknown; with it come the result's own time, its
   program and the limits of that value, which telegram 13 also needs (TN 5.13). `low` and `high` are digits, the
   last `decimals` of them after the point, in Nm and degrees, blank where unknown.
5. `count` samples are there, `announced` is how many the message said. A step whose numerator is 0 is unknown.
6. The flags FLAG_EDGE_TIME (the time is the agent's), FLAG_COPY, FLAG_TRUNCATED (fewer samples came than were
   announced) and FLAG_ODD (something is not as it should be, but was read all the same) mean the same as for a result.
   They are the same in every piece.
7. Curves of several bolts may have one ID and one time. What tells them apart is what their messages name, 0 if
   nothing: PID 01301 (`bolt`), the spindle of the header, the object of revision 3. The first `spindle` there has the
   upper eight bits of the one at 36, which is that of the result's row: 1 to 9999. A message that names no bolt, and no
   spindle and no object but 1, has no such part.
"""

from toolcart.agent.base.compat import const

PIECE = const(6)
PIECES = const(7)
RESULT = const(8)
RESULT_ID = const(12)
TIME = const(22)
RESULT_TIME = const(29)
SPINDLE = const(36)
WHAT = const(37)
TRANSDUCER = const(38)
STEPS = const(39)
UNIT = const(40)
PROGRAM = const(42)
LOW = const(46)
HIGH = const(52)
DECIMALS = const(58)
SHIFT = const(59)
NUMERATOR = const(60)
DENOMINATOR = const(64)
ANNOUNCED = const(68)
COUNT = const(72)
FIRST_STEP = const(74)

STEP_BYTES = const(10)
STEPS_MOST = const(4)
STEPS_BITS = const(0x7F)  # of the byte at STEPS
HAS_NAMED = const(0x80)
NAMED_BYTES = const(6)  # spindle's upper bits, the header's spindle, bolt, object
NAMED_BOLT = const(2)
NAMED_OBJECT = const(4)
LIMIT_BYTES = const(6)
PIECE_DATA = const(8)  # in any piece but the first
PIECE_BYTES = const(500)  # 512 with its frame, a multiple of every program unit
PIECES_MOST = const(255)

_RING_BLOCKS_LEAST = const(4)  # of the log that keeps them

PARAMETERS = const(0)  # the contents of a MID 0901
ANGLE = const(1)
TORQUE = const(2)


def ring_blocks(octets, block_bytes):
    """Return how many blocks the log that keeps them has of so many bytes; none of 0."""
    return max(octets // block_bytes, _RING_BLOCKS_LEAST) if octets else 0


def data_at(page, at):
    """Return where in the page the data of the piece at page[at:] begins."""
    if page[at + PIECE]:
        return at + PIECE_DATA
    return named_at(page, at) + (NAMED_BYTES if page[at + STEPS] & HAS_NAMED else 0)


def named_at(page, at):
    """Return where what the message named stands, if it named anything: behind the steps."""
    return at + FIRST_STEP + STEP_BYTES * (page[at + STEPS] & STEPS_BITS)


def spindle_of(page, at):
    """Return the spindle whose curve this is, as its result numbers them: 1 to 9999."""
    upper = page[named_at(page, at)] if page[at + STEPS] & HAS_NAMED else 0
    return page[at + SPINDLE] | upper << 8


def _named(page, at, place):
    if not page[at + STEPS] & HAS_NAMED:
        return 0
    first = named_at(page, at) + place
    return page[first] | page[first + 1] << 8


def bolt_of(page, at):
    """Return the bolt that the message names, 0 if none."""
    return _named(page, at, NAMED_BOLT)


def object_of(page, at):
    """Return the object that the message names, 0 if none."""
    return _named(page, at, NAMED_OBJECT)


def is_of_same(page, at, other, start):
    """True if both first pieces are of one bolt, as far as their messages say so."""
    if not (page[at + STEPS] & other[start + STEPS]) & HAS_NAMED:
        return not (page[at + STEPS] | other[start + STEPS]) & HAS_NAMED
    first = named_at(page, at)
    second = named_at(other, start)
    return page[first + 1 : first + NAMED_BYTES] == other[second + 1 : second + NAMED_BYTES]


def is_piece(page, at, length):
    """True if a payload of `length` bytes at page[at:] can be a piece of a curve."""
    if not PIECE_DATA < length <= PIECE_BYTES or page[at + PIECE] >= page[at + PIECES]:
        return False
    if page[at + PIECE]:
        return True
    return length > FIRST_STEP and page[at + STEPS] & STEPS_BITS <= STEPS_MOST and data_at(page, at) < at + length
