"""A result of several spindles: after body and limits of toolcart.agent.record.result a head, rows, and extras.

    payload  0      8       114      151    ..      ..
             | head | body  | limits | head | rows  | extras |

The body has what the spindles have in common, and torque and angle of the first one in whole hundredths and degrees;
the rows are exact. Only such a record and one with identifiers have SEVERAL_LEAST bytes; their form tells them apart.

    head     0      1      2     4      6
    of SYNC  | 'S'  | type | rows| told | job sequence 5 |                                    11  MID 0101
    of BOLTS | 'B'  | type | rows| told | PM status | station 2 | its name 20 | mode's name 20 | rest of Wp. Id 15 |
             6                                                                                64  MID 0106
    of OBJECTS as of SYNC, 'O', type and job sequence blank                                   11  MID 1201

`type` is the subtype of the system: 1 tightens, 2 presses (kN and mm in place of Nm and degrees), blank unknown.
`told` is how many spindles the message announced, `rows` how many of them are here. More than 99 objects stand in
the five digits of the job sequence of OBJECTS.

    row of SYNC   | number 2 | channel 2 | status | torque status | angle status | torque 6 | angle 5 |          18
    row of BOLTS  | number 2 | status | torque status | angle status | torque, angle, torque max, torque min,
                  | angle max, angle min, 7 each |                                                           47
    row of OBJECTS | ID 4 | status | torque status | angle status | torque 6 | angle 5 | limits 33, as those of the
                  | record | object type | reference object 4 |                                                56

A status is 1 OK, else NOK; those of torque and angle are 0 low, 1 OK, 2 high, 3 NOK (low or high not said), blank
unknown. One that does not exist is there as it came, `?` for a 3 (`judgement`). Figures are kept as they came: in SYNC
hundredths and degrees, for a press both hundredths, and the limits are those of the record; in BOLTS decimals with a
point (OP 5.13.2 p. 183); in OBJECTS as in the body.

Extras are what MID 0107 has for each bolt, one after the other, as far as there was room:

    byte   0       2        4       8      28        48         49        99       103
           | row 2 | count 2| no. 4 | name | program | PM status| errors  | code 4 | count times: name 20, type 2,
                                                                                     value 7, step 2 = 31
On Linux special values stand between and after them (toolcart.agent.record.extended_values).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, copy, fill, is_blank, is_plain, number, put_number, put_text
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res

PLACE = const(151)  # of the head in the payload

SYNC = const(0x53)
BOLTS = const(0x42)
OBJECTS = const(0x4F)
BY_ID = const(0x08)  # bit of a form: these results can be asked for by ID, like those of one spindle
PRESS = const(0x32)

FORM = const(0)
TYPE = const(1)
ROWS = const(2)
ANNOUNCED = const(4)
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
WORKPIECE_BYTES = const(15)  # the rest of the 40; the first 25 are the VIN
BOLTS_HEAD_BYTES = const(64)
BOLTS_ROW_BYTES = const(47)

# In a row: number, status, torque and angle status, torque, angle, torque max, torque min, angle max, angle min.
BOLTS_PLACES = b"\x00\x02\x03\x04\x05\x0c\x13\x1a\x21\x28"
CHANNEL = const(2)
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

# Special values: toolcart.agent.record.extended_values.
SPECIAL = const(0x53)
SPECIAL_LENGTH = const(27)
SPECIAL_BYTES = const(29)


class Row:
    """One spindle of a record; figures are text as telegram 04 and people write them, "" where there is none."""

    def __init__(self, number, channel, statuses):
        self.number = number
        self.channel = channel
        self.status, self.torque_status, self.angle_status = statuses
        self.torque = self.torque_min = self.torque_max = ""
        self.angle = self.angle_min = self.angle_max = ""


def form_of(page, at):
    """Return the form of the payload at page[at:]: SYNC, BOLTS or OBJECTS."""
    return page[at + PLACE]


def count_of(page, at):
    """Return how many rows the payload at page[at:] has."""
    return max(0, number(page, at + PLACE + ROWS, 2))


def announced_of(page, at):
    """Return how many spindles the message announced."""
    if page[at + PLACE] == OBJECTS:
        declared = number(page, at + PLACE + JOB_SEQUENCE, JOB_SEQUENCE_BYTES)
        if declared > 0:
            return declared
    return max(0, number(page, at + PLACE + ANNOUNCED, 2))


def presses(page, at):
    """True if it has force and stroke in place of torque and angle."""
    return page[at + PLACE + TYPE] == PRESS


def rows_of(page, at):
    """Return the Row of each spindle of the payload at page[at:]; allocates."""
    form = form_of(page, at)
    first = first_row(page, at)
    octets = row_bytes(page, at)
    if form == BOLTS:
        return [_bolt_row(page, first + index * octets) for index in range(count_of(page, at))]
    return [_row(page, first + index * octets, at, form == SYNC) for index in range(count_of(page, at))]


def judgement(octet):
    """Return what a row has for this status of torque or angle: 0 low, 1 OK, 2 high; what is none as it came."""
    return 0x3F if octet == 0x33 else octet or 0x20


def unjudged_row(page, at, index=0):
    """Return the first row from `index` on without a status, or with one, also of torque or angle, that does not exist.

    -1 if there is none, or no rows. Allocates nothing.
    """
    form = page[at + PLACE]
    if form != SYNC and form != BOLTS and form != OBJECTS:
        return -1
    octets = row_bytes(page, at)
    place = first_row(page, at) + index * octets + (2 if form == BOLTS else 4)
    rows = count_of(page, at)
    while index < rows:
        if not 0x30 <= page[place] <= 0x31 or _is_odd(page[place + 1]) or _is_odd(page[place + 2]):
            return index
        index += 1
        place += octets
    return -1


def _is_odd(judged):
    return judged != 0x20 and not 0x30 <= judged <= 0x33


def odd_row(page, at, index=0):
    """Return the first row from `index` on that its number does not tell from the others, -1 if there is none.

    The number cannot be read, is 0, or a row before it has it. So is a row whose channel cannot be read. Allocates
    nothing.
    """
    form = page[at + PLACE]
    if form != SYNC and form != BOLTS and form != OBJECTS:
        return -1
    width = number_bytes(page, at)
    octets = row_bytes(page, at)
    first = place = first_row(page, at)
    rows = count_of(page, at)
    row = most = 0
    while row < rows:
        value = number(page, place, width)
        is_odd = value < 1
        if value > most:
            most = value
        elif value > 0:  # not in order
            other = first
            while number(page, other, width) != value:
                other += octets
            is_odd = other < place
        if form == SYNC and number(page, place + CHANNEL, 2) == BAD:
            is_odd = True
        if is_odd and row >= index:
            return row
        row += 1
        place += octets
    return -1


def first_row(page, at):
    """Return where in the page the rows begin."""
    return at + PLACE + (BOLTS_HEAD_BYTES if page[at + PLACE] == BOLTS else SYNC_HEAD_BYTES)


def row_bytes(page, at):
    """Return the length of a row."""
    form = page[at + PLACE]
    return BOLTS_ROW_BYTES if form == BOLTS else SYNC_ROW_BYTES if form == SYNC else OBJECTS_ROW_BYTES


def numbers_of(page, at):
    """Return the number of each row, below 0 where it cannot be read; allocates."""
    first = first_row(page, at)
    octets = row_bytes(page, at)
    width = number_bytes(page, at)
    return [number(page, first + index * octets, width) for index in range(count_of(page, at))]


def number_bytes(page, at):
    """Return the width of the number that a row begins with."""
    return OBJECT_BYTES if page[at + PLACE] == OBJECTS else 2


def rows_end(page, at):
    """Return where in the page the extras begin."""
    return first_row(page, at) + count_of(page, at) * row_bytes(page, at)


def extra_at(page, place, end):
    """Return where in page[:end], from `place` on, the next bolt's extra begins, -1 if there is none."""
    while place + EXTRA_BYTES <= end:
        if page[place] == SPECIAL:
            place += SPECIAL_BYTES + number(page, place + SPECIAL_LENGTH, 2)
            continue
        values = number(page, place + EXTRA_COUNT, 2)
        fits = number(page, place, 2) >= 0 and values >= 0 and place + EXTRA_BYTES + values * VALUE_BYTES <= end
        return place if fits else -1
    return -1


def extras_of(page, at, length):
    """Return for each bolt with an extra: its row from 0 on, where the extra begins, and how many values it has."""
    extras = []
    place = extra_at(page, rows_end(page, at), at + length)
    while place >= 0:
        values = number(page, place + EXTRA_COUNT, 2)
        extras.append((number(page, place, 2), place, values))
        place = extra_at(page, place + EXTRA_BYTES + values * VALUE_BYTES, at + length)
    return extras


def _row(page, place, at, is_sync):
    """Read a row of SYNC, whose limits are those of the record, or of OBJECTS."""
    channel = number(page, place + CHANNEL, 2) if is_sync else -1
    limits = at + res.HEAD_BYTES + res.BODY_BYTES if is_sync else place + OBJECT_LIMITS
    row = Row(number(page, place, number_bytes(page, at)), channel, page[place + 4 : place + 7])
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
    """Return the number as text, with its sign and without leading zeros; "" if it is not a number.

    With `decimals` a point goes before that many of its last digits.
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


# Written into telegram 04, in place; a file of its own would take one more block of a board's file system.
PROGRAM = const(98)  # of the first spindle
PARAMETER_BYTES = const(72)
VALUE_ROOM = const(25)  # and that of a name
NAME = const(-25)  # of a parameter, relative to its value
KIND = const(25)
STEP = const(32)

TEXT = const(0)
INTEGER = const(1)
REAL = const(2)

_visible = bytearray(8)  # a figure without its blanks


def put_figure(tx, to, shown_decimals, buf, at, width, decimals):
    """Write the figure at buf[at:at+width], whose last `decimals` digits are its fraction; return its type.

    With `shown_decimals`, 1 or 2, it takes eight bytes with that many decimals, zero if it does not fit or is not a
    figure. Else it has no leading zeros; what is not a figure is TEXT and not written.
    """
    if shown_decimals:
        fill(tx, to, 8, 0x30)
        tx[to + 7 - shown_decimals] = 0x2E
    end = at + width
    octet = buf[at]
    first = at + 1 if octet == 0x2D or octet == 0x2B else at
    point = behind = end - decimals
    if decimals == 0:
        found = buf.find(b".", first, end)
        if found >= 0:
            point = found
            behind = found + 1
    whole = number(buf, first, point - first) if point >= first else -1
    if whole < 0 or number(buf, behind, end - behind) < 0:
        count = 0
        for place in range(at, end):
            if buf[place] > 0x20:
                _visible[count] = buf[place]
                count += 1
        return put_figure(tx, to, shown_decimals, _visible, 0, count, decimals) if 0 < count < width else TEXT
    given = end - behind
    if first < point or given:
        return _put_digits(tx, to, shown_decimals, octet == 0x2D, whole, buf, behind, given)
    return TEXT


def _put_digits(tx, to, shown_decimals, is_negative, whole, buf, behind, given):
    """Write the whole part of a figure and its fraction, `given` digits at buf[behind:]."""
    start = to
    if shown_decimals:
        room = 7 - shown_decimals
        most = 1000000 if shown_decimals == 1 else 100000
        if whole >= (most // 10 if is_negative else most):
            return REAL
        if given > shown_decimals:
            given = shown_decimals
    else:
        if is_negative:
            start += 1
        room = 1
        most = 10
        while whole >= most:
            most *= 10
            room += 1
    put_number(tx, start, room, whole)
    if is_negative:
        tx[to] = 0x2D
    if given == 0:
        return INTEGER
    tx[start + room] = 0x2E
    copy(tx, start + room + 1, buf, behind, given)
    return REAL


def put_identifier(tx, to, buf, start, width):
    """Write text into a value, a name or an identifier at tx[to:], so that no two look alike."""
    if is_plain(buf, start, width):
        fill(tx, to, VALUE_ROOM)
        put_text(tx, to, buf, start, width)
        return
    from toolcart.agent.record.escaping import put_ascii, stripped  # hardly any text needs it

    put_ascii(tx, to, VALUE_ROOM, stripped(buf, start, width))


class Parameters:
    """Parameters one after the other; those without room are only counted."""

    def __init__(self):
        self.tx = _visible
        self.room = 0
        self.count = 0
        self.spindle = 0  # where in the telegram the number of their spindle stands; 0: they belong to all
        self._at = 0

    def begin(self, tx, at, room):
        """Start over; the first one goes to tx[at:], and there is room for `room` of them."""
        self.tx = tx
        self.room = room
        self.count = 0
        self._at = at

    def add(self, ident, name):
        """Add one, a text without a value; return where the value goes, 0 if there is no room."""
        self.count += 1
        if self.count > self.room:
            return 0
        tx = self.tx
        at = self._at
        self._at = at + PARAMETER_BYTES
        put_number(tx, at, 13, ident)  # of spindle 0
        if self.spindle:
            copy(tx, at, tx, self.spindle, 4)
        copy(tx, at + 4, tx, PROGRAM, 4)
        fill(tx, at + 13, 57)
        put_text(tx, at + 13, name, 0, len(name))
        put_number(tx, at + 63, 1, TEXT)
        put_number(tx, at + 70, 2, 0)
        return at + 38

    def add_text(self, ident, name, buf, start, width):
        """Add the text at buf[start:start+width], unless it is blank."""
        if is_blank(buf, start, width):
            return
        at = self.add(ident, name)
        if at:
            put_identifier(self.tx, at, buf, start, width)

    def add_figure(self, ident, name, buf, start, width):
        """Add the figure at buf[start:start+width], as text if it is none; return where it went."""
        at = self.add(ident, name)
        if at:
            kind = put_figure(self.tx, at, 0, buf, start, width, 0)
            if kind == TEXT:
                put_identifier(self.tx, at, buf, start, width)
            self.tx[at + KIND] = 0x30 + kind
        return at


assert PLACE == res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES and SEVERAL_LEAST == res.ROOM_BYTES + 1
