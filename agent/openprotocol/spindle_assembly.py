"""Brings a result of several spindles, in MID 0101 or in MID 0106 and the MID 0107 that follow, into one record.

    0101  octet 22   26    53   57    62   68      74     77            101          122    143   164    171  174
          | number| VIN | job| pset| size| counter| batch| torque 3 x 6| angle 3 x 5| change| time| ID 5| ok| 18 each
    0106  octet 22     26     30        42      46     68    89    93     115 118 121   163     165
          | parts 2| 01  | data no. | station| name | time| mode| its name| ok| PM| Wp. Id| bolts 2| 67 each | specials
    0107  | parts 2| 02 ..| data no. | station| time | bolt 4, name, program, PM, errors, code | values, steps, specials

Offsets count from 0 (OP 5.12.7 p. 173-178, 5.13.2 p. 181-186, 5.13.3 p. 188-194). Each field comes after its number,
two digits. The time of MID 0107 is printed 9 bytes wide but said to have 19: the place of the next field's number tells
which.

Rules
1. A cycle is stored when all of it has come. MID 0108 with Bolt Data 1 means "go on" and is sent before that; the last
   one, with 0, when the record is durable. MID 0107 come in the order of the bolts; one that is not the next is
   reported and changes nothing here.
2. What is not a number is kept as it came, and the result is odd; a limit without room is blank. A message that cannot
   be read at all (how many, which ID), or in which the torque or the angle of a spindle is neither blank nor a number
   that its row has room for, is kept raw. Figures of MID 0101 are hundredths and degrees; one with a point is what it
   says, cut to as many decimals.
3. Nothing is read from a place that is not proven: each number in front of a field, and what is after the counted
   rows, is where it belongs, or the fields are found by their numbers (toolcart.agent.openprotocol.shifted_fields);
   else the message cannot be read. One that was cut off has its rows up to there.
4. What the log has no room for is left out, from the end: values of bolt data first. Special values
   are kept on Linux (toolcart.agent.linux.extended_store).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, fill, is_blank, number, put_number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.spindle_layouts import (
    BOLT_BYTES,
    BOLT_MID,
    FIELDS,
    RESTS,
    SPECIAL_BYTES,
    SYNC_MID,
    VALUE_BYTES,
    is_in_place,
)
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp

ASSEMBLY_WHOLE = const(0)
ASSEMBLY_MORE = const(1)  # the next bolt's data may be asked for
ASSEMBLY_REPEATED = const(2)  # a part that came before, or is no longer awaited
ASSEMBLY_FOREIGN = const(3)
ASSEMBLY_UNREADABLE = const(4)

WAIT_MS = const(10000)  # for the next bolt's data

_ID = const(30)  # data number, in MID 0106 and 0107
_NM = const(0x31)
_NOK = const(0x33)
_SYNC_FIGURES = ((6, 6, 2), (13, 5, 0))  # torque and angle in a row: place, width, decimals
_PRESS_FIGURES = ((6, 6, 2), (13, 5, 2))
_BOLT_FIGURES = ((15, 7, -1), (24, 7, -1))  # they keep their point


class SpindleAssembly:
    """The result under way, or the last one completed; the rest is up to the intake."""

    def __init__(self):
        self.body = bytearray(sp.PLACE - res.HEAD_BYTES)
        self.octets = 0  # of the body and all that follows it
        self.head = bytearray(HEADER_BYTES)  # the header of its first message
        self.most = 0  # bytes that the log takes; set by the owner
        self.result_code = res.RESULT_READ
        self.cut = False  # something did not fit, or was incomplete
        self.under_way = False
        self._rows = 0
        self._total = 0  # messages of this cycle
        self._next = 0
        self._late = Timer()

    def take(self, buf, at, length, mid, revision, more, now):
        """Take the message at buf[at:at+length]; `more`: bolt data is wanted. Return a CYCLE_."""
        if mid == BOLT_MID:
            outcome = self._read(buf, at, length, mid, revision)
        elif self.under_way and not self.is_left(buf, at, length, mid):
            return ASSEMBLY_REPEATED
        else:
            self.give_up()
            copy(self.head, 0, buf, at, HEADER_BYTES)
            outcome = self._read(buf, at, length, mid, revision)
            if mid == SYNC_MID:
                return outcome
            if outcome == ASSEMBLY_WHOLE and more and self._total > 1:
                self.under_way = True
                outcome = ASSEMBLY_MORE
        if outcome == ASSEMBLY_MORE:
            self._late.start(now, WAIT_MS)
        return outcome

    def is_left(self, buf, at, length, mid):
        """True if the message at buf[at:at+length] begins a result other than the one under way."""
        if not self.under_way or mid == BOLT_MID:
            return False
        return length <= 163 or compare(buf, at + _ID, self.body, res.TIGHTENING_ID, res.ID_BYTES) != 0

    def give_up(self):
        """Give up what is under way: it will not be completed."""
        self.under_way = False
        self._late.stop()

    def is_late(self, now):
        """True if the wait for the next bolt's data is over: then what has come is all there will be."""
        return self._late.armed and self._late.expired(now)

    def _read(self, buf, at, length, mid, revision):
        """Read the message at buf[at:at+length], or a copy of it with its fields in place; return a CYCLE_."""
        is_shifted = not is_in_place(mid, buf, at, length)
        lacks_text = False
        if is_shifted:
            from toolcart.agent.openprotocol.shifted_fields import is_cut, straightened  # hardly ever needed

            source, first = buf, at

            def rest(_, place, end):
                return RESTS[mid](source, first, place, end, True)

            for fields in FIELDS[mid]:
                copies = straightened(fields, len(fields), buf, at, length, rest)
                if len(copies) == 1 and copies[0]:
                    break
            else:
                return ASSEMBLY_UNREADABLE
            lacks_text = is_cut(copies[0], buf, at, length)
            buf, at, length = copies[0], 0, len(copies[0])
        if mid == BOLT_MID:
            outcome = self._go_on(buf, at, length)
        elif mid == SYNC_MID:
            outcome = self._sync(buf, at, length, revision)
        else:
            outcome = self.take_station(buf, at, length, revision)
        if is_shifted and (outcome == ASSEMBLY_WHOLE or outcome == ASSEMBLY_MORE):
            from toolcart.agent.record.malformed import INCOMPLETE, SHIFTED, mark

            how = INCOMPLETE if lacks_text else SHIFTED
            mark(self.body, -res.HEAD_BYTES, res.HEAD_BYTES + self.octets, how)
            self.result_code = res.RESULT_ODD
        return outcome

    # -- MID 0101 ----------------------------------------------------------------------------------------------

    def _sync(self, buf, at, length, revision):
        announced = number(buf, at + 22, 2) if length >= 174 else -1
        if announced < 0 or not all_digits(buf, at + 164, 5):
            return ASSEMBLY_UNREADABLE
        rows = min(announced, (length - 174) // sp.SYNC_ROW_BYTES)
        rows_end = at + 174 + announced * sp.SYNC_ROW_BYTES + 2  # of the subtype
        presses = _digit(buf, rows_end + 2) if revision >= 4 and rows_end + 3 <= at + length else 0x20
        figures = _PRESS_FIGURES if presses == sp.PRESS else _SYNC_FIGURES
        if not _are_figures(buf, at + 174, rows, sp.SYNC_ROW_BYTES, figures):
            return ASSEMBLY_UNREADABLE
        body = self._begin(sp.SYNC, presses, rows, announced, sp.SYNC_HEAD_BYTES, sp.SYNC_ROW_BYTES)
        copy(body, res.VIN, buf, at + 26, res.VIN_BYTES)
        self._put_number(res.JOB, 4, buf, at + 53, 2)
        self._put_number(res.PSET, 4, buf, at + 57, 3)
        self._put_number(res.BATCH_SIZE, 4, buf, at + 62, 4)
        self._put_number(res.BATCH_COUNTER, 4, buf, at + 68, 4)
        self._status(res.BATCH_STATUS, buf[at + 74], 0x33)
        limits = res.BODY_BYTES
        for place, start in ((res.TORQUE_MIN, 77), (res.TORQUE_MAX, 85), (res.TORQUE_TARGET, 93)):
            self._put_number(limits + place, res.TORQUE_BYTES, buf, at + start, res.TORQUE_BYTES, figures[0][2], True)
        for place, start in ((res.ANGLE_MIN, 101), (res.ANGLE_MAX, 108), (res.ANGLE_TARGET, 115)):
            self._put_number(limits + place, res.ANGLE_BYTES, buf, at + start, res.ANGLE_BYTES, figures[1][2], True)
        copy(body, res.PSET_CHANGE, buf, at + 122, res.STAMP_BYTES)
        res.put_time(body, 0, buf, at + 143)
        fill(body, res.TIGHTENING_ID, res.ID_BYTES, 0x30)
        copy(body, res.TIGHTENING_ID + 5, buf, at + 164, 5)
        self._status(res.TIGHTENING_STATUS, buf[at + 171], 0x31)
        head = sp.PLACE - res.HEAD_BYTES
        if revision >= 5 and rows_end + 10 <= at + length:
            copy(body, head + sp.JOB_SEQUENCE, buf, rows_end + 5, sp.JOB_SEQUENCE_BYTES)
        self._sync_rows(buf, at + 174, head + sp.SYNC_HEAD_BYTES, revision >= 4, figures)
        if presses == sp.PRESS:  # strokes are hundredths
            body[limits + res.ANGLE_DECIMALS] = 0x32
            self.result_code = res.RESULT_ODD
        return ASSEMBLY_WHOLE

    def _sync_rows(self, buf, first, place, is_plain, figures):
        """Write the rows, and the first one's figures into the body."""
        body = self.body
        for index in range(self._rows):
            start = first + index * sp.SYNC_ROW_BYTES
            copy(body, place, buf, start, 5)
            body[place + 5] = _judged(buf[start + 5], is_plain)
            body[place + 6] = _judged(buf[start + 12], True)
            to = place + 7
            code = self.result_code
            for figure, width, decimals in figures:
                self._put_number(to, width, buf, start + figure, width, decimals, True)
                to += width
            if index == 0:
                copy(body, res.TORQUE, body, place + 7, sp.TORQUE_BYTES + sp.ANGLE_BYTES)
                self._measured(place + 5)
            else:
                self.result_code = code  # it tells of the body
            place += sp.SYNC_ROW_BYTES

    # -- MID 0106 ----------------------------------------------------------------------------------------------

    def take_station(self, buf, at, length, revision):
        """Begin with the MID 0106 at buf[at:at+length]; return ASSEMBLY_WHOLE or ASSEMBLY_UNREADABLE."""
        announced = number(buf, at + 163, 2) if length >= 165 else -1
        total = number(buf, at + 22, 2) if length >= 165 else -1
        if announced < 0 or total < 0 or not all_digits(buf, at + _ID, res.ID_BYTES):
            return ASSEMBLY_UNREADABLE
        rows = min(announced, (length - 165) // BOLT_BYTES)
        if not _are_figures(buf, at + 165, rows, BOLT_BYTES, _BOLT_FIGURES):
            return ASSEMBLY_UNREADABLE
        presses = _subtype(buf, at, length, announced) if revision >= 4 else 0x20
        body = self._begin(sp.BOLTS, presses, rows, announced, sp.BOLTS_HEAD_BYTES, sp.BOLTS_ROW_BYTES)
        self._total = total
        self._next = 2
        head = sp.PLACE - res.HEAD_BYTES
        copy(body, res.TIGHTENING_ID, buf, at + _ID, res.ID_BYTES)
        copy(body, head + sp.STATION, buf, at + 42, 2)
        copy(body, head + sp.STATION_NAME, buf, at + 46, sp.NAME_BYTES)
        res.put_time(body, 0, buf, at + 68)
        self._put_number(res.PSET, 4, buf, at + 89, 2)
        copy(body, head + sp.MODE_NAME, buf, at + 93, sp.NAME_BYTES)
        self._status(res.TIGHTENING_STATUS, buf[at + 115], 0x31)
        body[head + sp.PM_STATUS] = _digit(buf, at + 118)
        copy(body, res.VIN, buf, at + 121, res.VIN_BYTES)
        copy(body, head + sp.WORKPIECE, buf, at + 121 + res.VIN_BYTES, sp.WORKPIECE_BYTES)
        self._bolt_rows(buf, at + 165, head + sp.BOLTS_HEAD_BYTES)
        return ASSEMBLY_WHOLE

    def _bolt_rows(self, buf, first, place):
        """Copy the rows, and the first one's figures into the body."""
        body = self.body
        limits = res.BODY_BYTES
        if self._rows:
            for to, width, start, decimals in (
                (res.TORQUE, res.TORQUE_BYTES, 15, 2),
                (res.ANGLE, res.ANGLE_BYTES, 24, 0),
                (limits + res.TORQUE_MAX, res.TORQUE_BYTES, 33, 2),
                (limits + res.TORQUE_MIN, res.TORQUE_BYTES, 42, 2),
                (limits + res.ANGLE_MAX, res.ANGLE_BYTES, 51, 0),
                (limits + res.ANGLE_MIN, res.ANGLE_BYTES, 60, 0),
            ):
                self._put_number(to, width, buf, first + start, sp.FIGURE_BYTES, decimals)
        for index in range(self._rows):
            start = first + index * BOLT_BYTES
            copy(body, place, buf, start + 2, 2)
            body[place + 2] = buf[start + 6]
            body[place + 3] = _judged(buf[start + 9], False)
            body[place + 4] = _judged(buf[start + 12], False)
            for figure in range(6):
                copy(body, place + 5 + figure * sp.FIGURE_BYTES, buf, start + 15 + figure * 9, sp.FIGURE_BYTES)
            if index == 0:
                self._measured(place + 3)
            place += sp.BOLTS_ROW_BYTES

    # -- MID 0107 ----------------------------------------------------------------------------------------------

    def _go_on(self, buf, at, length):
        count = number(buf, at + 26, 2) if length >= 65 else -1
        if count < 2:
            return ASSEMBLY_UNREADABLE
        if compare(buf, at + _ID, self.body, res.TIGHTENING_ID, res.ID_BYTES) or number(buf, at + 22, 2) != self._total:
            return ASSEMBLY_FOREIGN
        if count < self._next or not self.under_way:
            return ASSEMBLY_REPEATED
        if count > self._next:
            return ASSEMBLY_FOREIGN
        self._next += 1
        self.take_bolt(buf, at, at + length, count - 2)
        if count < self._total:
            return ASSEMBLY_MORE
        self.give_up()
        return ASSEMBLY_WHOLE

    def take_bolt(self, buf, at, end, row):
        """Append one bolt's data to the rows, as much as fits; return where its values begin in buf, 0 if nowhere."""
        place = at + 65  # of parameter 06
        if number(buf, place, 2) != 6 and number(buf, at + 55, 2) == 6:
            place = at + 55  # the time as wide as it is printed
        if place + 115 > end or number(buf, place, 2) != 6 or row >= 99:
            self.result_code = res.RESULT_ODD
            return 0
        values = _values_of(buf, place + 113, end)
        room = (self.most - res.HEAD_BYTES - self.octets - sp.EXTRA_BYTES) // sp.VALUE_BYTES
        self.cut = self.cut or len(values) > min(room, 99)
        if room < 0:
            self.cut = True
            return 0
        values = values[: min(room, 99)]
        extra = bytearray(b" " * sp.EXTRA_BYTES)
        put_number(extra, 0, 2, row)
        put_number(extra, sp.EXTRA_COUNT, 2, len(values))
        copy(extra, sp.EXTRA_NUMBER, buf, place + 2, 4)
        copy(extra, sp.EXTRA_NAME, buf, place + 8, sp.NAME_BYTES)
        copy(extra, sp.EXTRA_PROGRAM, buf, place + 30, sp.NAME_BYTES)
        copy(extra, sp.EXTRA_PM_STATUS, buf, place + 52, 1)
        copy(extra, sp.EXTRA_ERRORS, buf, place + 55, sp.ERRORS_BYTES)
        copy(extra, sp.EXTRA_CODE, buf, place + 107, 4)
        for value in values:
            extra += value
        self.body = self.body[: self.octets] + extra
        self.octets += len(extra)
        return place + 113

    # -- parts of the body -------------------------------------------------------------------------------------

    def _begin(self, form, presses, rows, announced, head_bytes, row_bytes):
        """Begin a new body for as many rows as fit."""
        room = self.most - sp.PLACE - head_bytes
        self._rows = min(rows, room // row_bytes, 99)
        self.cut = self._rows < announced
        self.result_code = res.RESULT_READ
        head = sp.PLACE - res.HEAD_BYTES
        self.octets = head + head_bytes + self._rows * row_bytes
        if len(self.body) < self.octets:
            self.body = bytearray(self.octets)
        body = self.body
        fill(body, 0, self.octets)
        fill(body, res.TIME, 7, 0)
        body[res.BODY_BYTES + res.TORQUE_UNIT] = _NM
        body[head] = form
        body[head + sp.TYPE] = presses
        put_number(body, head + sp.ROWS, 2, self._rows)
        put_number(body, head + sp.ANNOUNCED, 2, min(announced, 99))
        return body

    def _put_number(self, place, width, buf, start, used, decimals=-1, is_scaled=False):
        """Write a number into the body; what is none (`_digits_of`) as it came, blank if it is a limit without room."""
        body = self.body
        fill(body, place, width)
        digits = _digits_of(buf, start, used, decimals, is_scaled)
        if not digits or len(digits) > width:
            if is_blank(buf, start, used):
                return
            self.result_code = max(self.result_code, res.RESULT_PADDED)
            if not digits or place == res.TORQUE or place == res.ANGLE:  # else its row has it
                from toolcart.agent.record.malformed import keep_unread  # hardly any result needs it

                keep_unread(body, place, width, buf[start : start + used])
                self.result_code = res.RESULT_ODD
            return
        fill(body, place, width, 0x30)
        sign = 1 if digits[0] == "-" else 0
        copy(body, place + width - len(digits) + sign, digits.encode(), sign, len(digits) - sign)
        if sign:
            body[place] = 0x2D
            self.result_code = res.RESULT_ODD

    def _status(self, place, octet, most):
        if octet == 0:
            octet = 0x20
        self.body[place] = octet
        if octet != 0x20 and not 0x30 <= octet <= most:
            self.result_code = res.RESULT_ODD

    def _measured(self, place):
        """Copy the first spindle's judgements of torque and angle into the body; blank if neither low, OK nor high."""
        body = self.body
        for offset in range(2):
            octet = body[place + offset]
            body[res.TORQUE_STATUS + offset] = octet if 0x30 <= octet <= 0x32 else 0x20


def _are_figures(buf, first, rows, row_bytes, figures):
    """True if each of these figures, (place, width, decimals), is a number or blank in each row at buf[first:].

    One that has so many decimals fits its width with them.
    """
    for row in range(first, first + rows * row_bytes, row_bytes):
        for place, width, decimals in figures:
            text = bytes(buf[row + place : row + place + width]).replace(b"\0", b" ").strip()
            digits = text[1:].strip() if text[:1] in (b"-", b"+") else text
            if not text:
                continue
            if not digits or min(digits) <= 0x2D or not sp.pointed(digits, 0, len(digits), 0):  # a blank, or a sign
                return False
            if decimals >= 0 and len(_digits_of(text, 0, len(text), decimals, True)) > width:
                return False
    return True


def _digits_of(buf, start, used, decimals, is_scaled):
    """Return the number times ten for each of `decimals` as text, cut to a whole one; "" if it is none.

    Where it `is_scaled` one without a point is so already. Below 0 decimals it has to be whole.
    """
    text = sp.pointed(buf, start, used, 0)
    has_point = buf.find(b".", start, start + used) >= 0
    if not text or (has_point and decimals < 0):
        return ""
    sign = "-" if text[0] == "-" else ""
    whole, _, fraction = text[len(sign) :].partition(".")
    if decimals > 0 and (has_point or not is_scaled):
        whole += (fraction + "00")[:decimals]
    digits = whole.lstrip("0")
    return sign + digits if digits else "0"


def _digit(buf, place):
    """Return the digit at buf[place], a blank for anything else."""
    return buf[place] if 0x30 <= buf[place] <= 0x39 else 0x20


def _judged(octet, is_plain):
    """Return toolcart.agent.record.spindles' judgement for a status: 0 low, 1 OK, 2 high; `is_plain`: 0 is NOK."""
    return _NOK if is_plain and octet == 0x30 else sp.judgement(octet)


def _subtype(buf, at, length, announced):
    """Return the last digit of the subtype after the special values of the MID 0106, a blank if it is not there."""
    place = at + 165 + announced * BOLT_BYTES + 2
    end = at + length
    count = number(buf, place, 2) if place + 2 <= end else -1
    place += 2
    while count > 0 and place + SPECIAL_BYTES <= end:
        octets = number(buf, place + SPECIAL_BYTES - 2, 2)
        if octets < 0:
            return 0x20
        place += SPECIAL_BYTES + octets
        count -= 1
    return _digit(buf, place + 4) if count == 0 and place + 5 <= end else 0x20


def _values_of(buf, place, end):
    """Return the values of the bolt and its steps, whose count is at buf[place:]: name, type, value, step."""
    values = []
    count = number(buf, place, 2)
    place += 2
    while count > 0 and place + VALUE_BYTES <= end:
        values.append(bytes(buf[place : place + VALUE_BYTES]) + b"00")
        place += VALUE_BYTES
        count -= 1
    place += 2
    count = number(buf, place, 3) if place + 3 <= end else -1
    place += 6  # that count, and whether all steps were sent
    while count > 0 and place + sp.VALUE_BYTES <= end:
        values.append(bytes(buf[place : place + sp.VALUE_BYTES]))
        place += sp.VALUE_BYTES
        count -= 1
    return values
