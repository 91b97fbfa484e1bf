"""A result of several spindles: behind body and limits (agent.record.result) a head, a row of each spindle, and extras.

    payload  0      8       114      151    ..      ..
             | head | body  | limits | head | rows  | extras |

The body is what the spindles have in common and, of torque and angle, the first one's in whole hundredths and degrees;
the rows are exact. Such a record is told by its length alone: no other result has SEVERAL_LEAST octets.

    head     0      1      2     4      6
    of SYNC  | 'S'  | type | rows| told | job sequence 5 |                                    11  MID 0101
    of BOLTS | 'B'  | type | rows| told | PM status | station 2 | its name 20 | mode's name 20 | rest of Wp. Id 15 |
             6                                                                                64  MID 0106
    of OBJECTS as of SYNC, 'O', type and job sequence blank                                   11  MID 1201

`type` is the subtype of the system: 1 tightens, 2 presses (kN and mm stand in place of Nm and degrees), blank unknown.
`told` is how many spindles the message said, `rows` how many of them are here.

    row of SYNC   | number 2 | channel 2 | status | torque status | angle status | torque 6 | angle 5 |          18
    row of BOLTS  | number 2 | status | torque status | angle status | torque, angle, torque max, torque min,
                  | angle max, angle min, 7 each |                                                           47
    row of OBJECTS | ID 4 | status | torque status | angle status | torque 6 | angle 5 | limits 33, as those of the
                  | record | object type | reference object 4 |                                                56

A status is 1 OK, else NOK; those of torque and angle are 0 low, 1 OK, 2 high, 3 NOK (nobody says which), blank unknown.
Figures stand there as they came: of SYNC hundredths and degrees, or hundredths of a press, whose limits
are those of the record; of BOLTS decimals with a point (003:8338-8372); of OBJECTS as in the body.

Extras are what MID 0107 has of each bolt, one after the other, as far as there was room:

    octet  0       2        4       8      28        48         49        99       103
           | row 2 | count 2| no. 4 | name | program | PM status| errors  | code 4 | count times: name 20, type 2,
                                                                                     value 7, step 2 = 31

On Linux special values stand between and behind them (agent.record.specials).
"""

from agent.base.compat import ON_CPYTHON, const
from agent.base.fields import number
from agent.record import SEVERAL_LEAST
from agent.record import result as res

PLACE = const(151)  # of the head in the payload

SYNC = const(0x53)
BOLTS = const(0x42)
OBJECTS = const(0x4F)
PRESS = const(0x32)

FORM = const(0)
TYPE = const(1)
ROWS = const(2)
TOLD = const(4)
JOB_SEQUENCE = const(6)
JOB_SEQUENCE_BYTES = const(5)
SYNC_HEAD_BYTES = const(11)
SYNC_ROW_BYTES = const(18)

PM_STATUS = const(6)
STATION = const(7)
STATION_NAME = const(9)
NAME_BYTES = const(20)
MODE_NAME = const(29)
WORKPIECE = const(49)
WORKPIECE_BYTES = const(15)  # of the 40; the first 25 are the VIN
BOLTS_HEAD_BYTES = const(64)
BOLTS_ROW_BYTES = const(47)

# Of a row: number, status, torque and angle status, torque, angle, torque max, torque min, angle max, angle min.
SYNC_PLACES = b"\x00\x04\x05\x06\x07\x0d"
BOLTS_PLACES = b"\x00\x02\x03\x04\x05\x0c\x13\x1a\x21\x28"
CHANNEL = const(2)
# Of a row of OBJECTS.
OBJECT_BYTES = const(4)
OBJECT_LIMITS = const(18)
OBJECT_TYPE = const(51)
OBJECTS_ROW_BYTES = const(56)
TORQUE_BYTES = const(6)
ANGLE_BYTES = const(5)
FIGURE_BYTES = const(7)

EXTRA_COUNT = const(2)
EXTRA_NUMBER = const(4)
EXTRA_NAME = const(8)
EXTRA_PROGRAM = const(28)
EXTRA_PM_STATUS = const(48)
EXTRA_ERRORS = const(49)
ERRORS_BYTES = const(50)
EXTRA_CODE = const(99)
EXTRA_BYTES = const(103)
VALUE_BYTES = const(31)

# Special values: agent.record.specials.
SPECIAL = const(0x53)
SPECIAL_LENGTH = const(27)
SPECIAL_BYTES = const(29)

SPINDLES_MOST = const(50)  # 003:7806, 8297


class Row:
    """One spindle of a record; figures are text as telegram 04 and people write them, "" where there is none."""

    def __init__(self, number, channel, statuses):
        self.number = number
        self.channel = channel
        self.status, self.torque_status, self.angle_status = statuses
        self.torque = self.torque_min = self.torque_max = ""
        self.angle = self.angle_min = self.angle_max = ""


def form_of(page, at):
    """Return SYNC or BOLTS of the payload at page[at:]."""
    return page[at + PLACE]


def count_of(page, at):
    """Return how many rows the payload at page[at:] has."""
    return max(0, number(page, at + PLACE + ROWS, 2))


def told_of(page, at):
    """Return how many spindles the message said."""
    return max(0, number(page, at + PLACE + TOLD, 2))


def presses(page, at):
    """Tell whether force and stroke stand in place of torque and angle."""
    return page[at + PLACE + TYPE] == PRESS


def rows_of(page, at):
    """Return the Row of each spindle of the payload at page[at:]; allocates."""
    form = form_of(page, at)
    first, octets = _shape(page, at)
    if form == BOLTS:
        return [_bolt_row(page, first + index * octets) for index in range(count_of(page, at))]
    return [_row(page, first + index * octets, at, form == SYNC) for index in range(count_of(page, at))]


def rows_end(page, at):
    """Return where in the page the extras begin."""
    first, octets = _shape(page, at)
    return first + count_of(page, at) * octets


def _shape(page, at):
    """Return where the rows begin and how long each is."""
    form = form_of(page, at)
    if form == BOLTS:
        return at + PLACE + BOLTS_HEAD_BYTES, BOLTS_ROW_BYTES
    return at + PLACE + SYNC_HEAD_BYTES, SYNC_ROW_BYTES if form == SYNC else OBJECTS_ROW_BYTES


def extras_of(page, at, length):
    """Return for each bolt with extras: its row from 0 on, where its extra begins, and how many values it has."""
    found = []
    place = rows_end(page, at)
    end = at + length
    while place + EXTRA_BYTES <= end:
        if ON_CPYTHON:
            if page[place] == SPECIAL:
                place += SPECIAL_BYTES + max(0, number(page, place + SPECIAL_LENGTH, 2))
                continue
        row = number(page, place, 2)
        values = number(page, place + EXTRA_COUNT, 2)
        if row < 0 or values < 0 or place + EXTRA_BYTES + values * VALUE_BYTES > end:
            break
        found.append((row, place, values))
        place += EXTRA_BYTES + values * VALUE_BYTES
    return found


def _row(page, place, at, is_sync):
    """Read a row of SYNC, whose limits are those of the record, or of OBJECTS."""
    channel = number(page, place + CHANNEL, 2) if is_sync else -1
    limits = at + res.HEAD_BYTES + res.BODY_BYTES if is_sync else place + OBJECT_LIMITS
    row = Row(number(page, place, 2 if is_sync else OBJECT_BYTES), channel, page[place + 4 : place + 7])
    stroke = 2 if presses(page, at) else 0
    row.torque = pointed(page, place + 7, TORQUE_BYTES, 2)
    row.angle = pointed(page, place + 13, ANGLE_BYTES, stroke)
    row.torque_min = pointed(page, limits + res.TORQUE_MIN, TORQUE_BYTES, 2)
    row.torque_max = pointed(page, limits + res.TORQUE_MAX, TORQUE_BYTES, 2)
    row.angle_min = pointed(page, limits + res.ANGLE_MIN, ANGLE_BYTES, stroke)
    row.angle_max = pointed(page, limits + res.ANGLE_MAX, ANGLE_BYTES, stroke)
    return row


def _bolt_row(page, place):
    row = Row(number(page, place, 2), -1, page[place + 2 : place + 5])
    figures = []
    for field in range(4, 10):
        figures.append(pointed(page, place + BOLTS_PLACES[field], FIGURE_BYTES, 0))
    row.torque, row.angle, row.torque_max, row.torque_min, row.angle_max, row.angle_min = figures
    return row


def pointed(buf, at, width, decimals):
    """Return the number as text, a sign in front, without leading zeros; "" if it is none.

    With `decimals` the last so many digits stand behind a point.
    """
    text = "".join([chr(octet) for octet in buf[at : at + width] if octet > 0x20])
    sign = "-" if text[:1] == "-" else ""
    text = text[1:] if text[:1] in ("-", "+") else text
    whole, point, fraction = text.partition(".")
    if not (whole + fraction).isdigit():
        return ""
    if decimals:
        if point or len(whole) < decimals:
            return ""
        fraction = whole[-decimals:]
        whole = whole[:-decimals]
    whole = whole.lstrip("0") or "0"
    return sign + whole + ("." + fraction if fraction else "")


assert PLACE == res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES and SEVERAL_LEAST == res.ROOM_BYTES + 1
