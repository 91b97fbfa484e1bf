"""One record as one line of JSON, written into a buffer: the form that outlets send to others (docs/outlets.md).

Rules
1. A measured value stays the text that the controller sent, in its unit: nothing is rounded. What is absent is null.
   IDs and program numbers are text; counts and degrees are whole numbers.
2. Fields keep their order, and a line is printable ASCII: the same record always gives the same bytes.
3. A line goes into the buffer whole or not at all. An ordinary result or frame allocates nothing; one with odd or
   absent fields, or with text beyond ASCII (toolcart.agent.record.escaping), does.
4. What only Linux writes (events, several spindles, more identifiers) is added by toolcart.agent.linux.json_line.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, copy, get_u32, put_number, unpack_digits
from toolcart.agent.record import FRAME, KIND_RAW, SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import spindle_in

SCHEMA = const(1)

TEXT = const(0)  # without padding
DIGITS = const(1)  # text without leading zeros
WHOLE = const(2)
HUNDREDTHS = const(3)  # text with a point
ANGLE = const(4)  # a number, which may have decimals in a record with FLAG_ODD
STAMP = const(5)  # 19 characters of a time
STATUS = const(6)  # and above: its words are _WORDS[form - STATUS]

_WORDS = (
    (b"not completed", b"OK", b"not used", b"running"),  # OP 5.8.2 p. 144; 3: since 2.9
    (b"low", b"OK", b"high"),
)

_BODY = const(8)
_LIMITS = const(114)

_IDENTITY = (
    (b',"tightening_id":', DIGITS, _BODY + res.TIGHTENING_ID, res.ID_BYTES),
    (b',"vin":', TEXT, _BODY + res.VIN, res.VIN_BYTES),
    (b',"job":', DIGITS, _BODY + res.JOB, 4),
    (b',"program":', DIGITS, _BODY + res.PSET, 4),
    (b',"batch_size":', WHOLE, _BODY + res.BATCH_SIZE, 4),
    (b',"batch_counter":', WHOLE, _BODY + res.BATCH_COUNTER, 4),
    (b',"batch_status":', STATUS, _BODY + res.BATCH_STATUS, 1),
)
_TORQUE = ((b',"torque":', HUNDREDTHS, _BODY + res.TORQUE, res.TORQUE_BYTES),)
_ANGLE = (
    (b',"torque_status":', STATUS + 1, _BODY + res.TORQUE_STATUS, 1),
    (b',"angle":', ANGLE, _BODY + res.ANGLE, res.ANGLE_BYTES),
    (b',"angle_status":', STATUS + 1, _BODY + res.ANGLE_STATUS, 1),
    (b',"program_changed":', STAMP, _BODY + res.PSET_CHANGE, res.STAMP_BYTES),
    (b',"tool_serial":', TEXT, _BODY + res.SERIAL, res.SERIAL_BYTES),
)
_LIMIT_FIELDS = (
    (b',"torque_min":', HUNDREDTHS, _LIMITS + res.TORQUE_MIN, res.TORQUE_BYTES),
    (b',"torque_max":', HUNDREDTHS, _LIMITS + res.TORQUE_MAX, res.TORQUE_BYTES),
    (b',"torque_target":', HUNDREDTHS, _LIMITS + res.TORQUE_TARGET, res.TORQUE_BYTES),
    (b',"angle_min":', ANGLE, _LIMITS + res.ANGLE_MIN, res.ANGLE_BYTES),
    (b',"angle_max":', ANGLE, _LIMITS + res.ANGLE_MAX, res.ANGLE_BYTES),
    (b',"angle_target":', ANGLE, _LIMITS + res.ANGLE_TARGET, res.ANGLE_BYTES),
)
_NO_LIMITS = (
    b',"torque_min":null,"torque_max":null,"torque_target":null,"angle_min":null,"angle_max":null,"angle_target":null'
)
_NO_MORE = b',"spindles":null,"identifier_2":null,"identifier_3":null,"identifier_4":null'
_UNITS = (b"Nm", b"lbf.ft", b"lbf.in", b"kpm", b"kgf.cm", b"ozf.in", b"%", b"Ncm")  # from 0x31 on

_NULL = b"null"
_QUOTE = const(0x22)
_ESCAPE = const(0x5C)
_MINUS = const(0x2D)
_ZERO = const(0x30)
_TILDE = const(0x7E)
_STAMP_OCTETS = const(21)  # an ISO time in its quotes
_NUMBER_OCTETS = const(12)

_HEX = b"0123456789abcdef"
_len = len  # a builtin is looked up in the module first


def _lacks_row(page, at):
    """True if a spindle of the result at page[at:] has no status, or an odd one, or no number of its own."""
    from toolcart.agent.record.spindles import odd_row, unjudged_row  # only where results have several spindles

    return unjudged_row(page, at) >= 0 or odd_row(page, at) >= 0


class Line:
    """Writes lines one after the other into `buf`, which is filled up to `end`; `most` is where it ends."""

    __slots__ = ("_digits", "_fits", "_first", "_last", "_odd", "buf", "end", "most")

    def __init__(self, buf):
        self.buf = buf
        self.end = 0
        self.most = _len(buf)
        self._digits = bytearray(14)
        self._first = self._last = 0  # what `_trim` has found
        self._fits = True
        self._odd = 0  # decimals of an angle

    def put(self, page, at, kind, flags, length):
        """Write the record whose payload of `length` bytes lies at page[at:] as a line; False if it does not fit."""
        start = self.end
        self._fits = True
        self.write_record(page, at, kind, flags, length)
        if not self._fits:
            self.end = start
        return self._fits

    def has_room(self, octets):
        """True if this many more bytes fit; what does not fit is not written, nor is anything after it."""
        if self.end + octets > self.most:
            self._fits = False
        return self._fits

    def write_record(self, page, at, kind, flags, length):
        """Write the whole line, as far as it fits."""
        is_raw = kind == KIND_RAW
        self.begin(page, at, b"frame" if is_raw else b"result")
        self.add(b',"spindle":')
        self.add_number(spindle_in(page, at))
        if is_raw:
            self._add_flag(b',"cut_short":', flags & res.FLAG_TRUNCATED)
            self._add_frame(page, at + FRAME, at + length)
        else:
            self._add_result(page, at, flags, length)
        self._add_flag(b',"fetched":', flags & res.FLAG_RECOVERED)
        self._add_flag(b',"again":', flags & res.FLAG_RETRIED)
        self.add(b"}\n")

    def begin(self, page, at, name):
        """Write the beginning of every line of a record of the main log."""
        self.add(b'{"schema":1,"type":"')
        self.add(name)
        self.add(b'","station":')
        self.add_number(page[at + 4] | page[at + 5] << 8)
        self.add(b',"number":')
        self.add_number(get_u32(page, at))

    def add_more(self, page, at, length):
        """Write several spindles and additional identifiers: a board's records have none."""
        self.add(_NO_MORE)

    # -- a result ----------------------------------------------------------------------------------------------

    def _add_result(self, page, at, flags, length):
        odd = b""
        self._odd = 0
        has_notes = flags & res.FLAG_ODD or res.lacks(page, at + _BODY) or res.has_odd_change(page, at + _BODY)
        if has_notes or (length >= SEVERAL_LEAST and _lacks_row(page, at)):
            from toolcart.agent.record.malformed import decimals_of, notes_of  # hardly any log has such a record

            self._odd = decimals_of(page, at, length) if flags & res.FLAG_ODD else 0
            odd = notes_of(page, at, flags, length).encode()
        has_limits = length >= _LIMITS + res.LIMITS_BYTES
        self._add_time(page, at + _BODY + res.TIME)
        self.add(b',"time_source":"agent' if flags & res.FLAG_EDGE_TIME else b',"time_source":"controller')
        self.add(b', clock unset"' if res.clock_was_unset(flags, page, at + _BODY + res.TIME) else b'"')
        self.add_fields(_IDENTITY, page, at)
        self.add(b',"status":"OK"' if page[at + _BODY + res.TIGHTENING_STATUS] == 0x31 else b',"status":"NOK"')
        self.add_fields(_TORQUE, page, at)
        self.add(b',"torque_unit":"')
        unit = page[at + _LIMITS + res.TORQUE_UNIT] - 0x31 if has_limits else 0
        self.add(_UNITS[unit if 0 <= unit < 8 else 0])
        self.add(b'"')
        self.add_fields(_ANGLE, page, at)
        self.add(b',"id_epoch":')
        self.add_number(page[at + res.ID_EPOCH])
        if has_limits:
            self.add_fields(_LIMIT_FIELDS, page, at)
        else:
            self.add(_NO_LIMITS)
        self.add(b',"odd":')
        self._trim(odd, 0, _len(odd))
        self._add_text(odd)
        self.add_more(page, at, length)

    def add_fields(self, rows, page, at):
        """Write these fields, rows of (name, form, place, width); the record's payload begins at page[at:]."""
        for name, form, place, width in rows:
            self.add(name)
            place += at
            if form >= STATUS:
                self._add_word(_WORDS[form - STATUS], page[place])
                continue
            self._trim(page, place, width)
            if self._first == self._last:
                self.add(_NULL)
            elif form == TEXT:
                self._add_text(page)
            elif page.find(b"\0", place, place + width) >= 0:
                self.add(_NULL)  # it may have taken a digit's place
            elif form == DIGITS and all_digits(page, self._first, self._last - self._first):
                self._skip_zeros(page)
                self._add_text(page)
            elif form == DIGITS:
                self.add(_NULL)
            elif form == WHOLE:
                self._add_whole(page)
            elif form == STAMP:
                self._add_stamp(page)
            else:
                self._add_decimal(page, 2 if form == HUNDREDTHS else self._odd, form == ANGLE)

    def _trim(self, page, place, width):
        """Find the field without its padding, blanks or NULs on either side."""
        last = place + width
        while last > place and (page[last - 1] == 0x20 or page[last - 1] == 0):
            last -= 1
        while place < last and (page[place] == 0x20 or page[place] == 0):
            place += 1
        self._first = place
        self._last = last

    def _skip_zeros(self, page):
        """Leave out leading zeros, but keep the last byte."""
        first = self._first
        last = self._last - 1
        while first < last and page[first] == _ZERO:
            first += 1
        self._first = first

    # -- values ------------------------------------------------------------------------------------------------

    def add(self, octets):
        """Write these bytes as they are."""
        n = _len(octets)
        if self.has_room(n):
            copy(self.buf, self.end, octets, 0, n)
            self.end += n

    def add_number(self, value):
        """Write a whole number from 0 to 2**30 - 1."""
        if not self.has_room(_NUMBER_OCTETS):
            return
        digits = 1
        most = 10
        while digits < 9 and value >= most:
            most *= 10
            digits += 1
        if value >= 1000000000:
            digits = 10
        put_number(self.buf, self.end, digits, value)
        self.end += digits

    def _add_flag(self, name, flag):
        self.add(name)
        self.add(b"true" if flag else b"false")

    def _add_word(self, words, octet):
        """Write the meaning of a status, null if it has none."""
        octet -= _ZERO
        if 0 <= octet < _len(words):
            self.add(b'"')
            self.add(words[octet])
            self.add(b'"')
        else:
            self.add(_NULL)

    def _add_text(self, page):
        """Write what `_trim` found as text, null for nothing."""
        at = self._first
        last = self._last
        if at == last:
            self.add(_NULL)
            return
        if not self.has_room(2 * (last - at) + 2):
            return
        buf = self.buf
        end = self.end
        buf[end] = _QUOTE
        end += 1
        while at < last:
            octet = page[at]
            if octet == _QUOTE or octet == _ESCAPE:
                buf[end] = _ESCAPE
                end += 1
            elif octet < 0x20 or octet >= _TILDE:
                self._add_foreign(page)
                return
            buf[end] = octet
            end += 1
            at += 1
        buf[end] = _QUOTE
        self.end = end + 1

    def _add_foreign(self, page):
        """Write what `_trim` found as text, with all that is no printable character in a form of its own."""
        from toolcart.agent.record.escaping import decoded, json_of  # hardly any text needs it

        self.add(b'"')
        self.add(json_of(decoded(bytes(page[self._first : self._last]))).encode())
        self.add(b'"')

    def _add_frame(self, page, at, last):
        """Write a frame, one character for each byte."""
        self.add(b',"frame":"')
        buf = self.buf
        while at < last and self.has_room(6):
            octet = page[at]
            at += 1
            end = self.end
            if octet < 0x20 or octet > 0x7E:
                copy(buf, end, b"\\u00", 0, 4)
                buf[end + 4] = _HEX[octet >> 4]
                buf[end + 5] = _HEX[octet & 15]
                self.end = end + 6
                continue
            if octet == _QUOTE or octet == _ESCAPE:
                buf[end] = _ESCAPE
                end += 1
            buf[end] = octet
            self.end = end + 1
        self.add(b'"')

    def _add_time(self, page, at):
        """Write a packed time in ISO 8601; the controller gives no time zone."""
        self.add(b',"time":')
        if page[at + 2] == 0:  # there is no month 0
            self.add(_NULL)
        elif self.has_room(_STAMP_OCTETS):
            digits = self._digits
            unpack_digits(digits, 0, page, at, 14)
            buf = self.buf
            end = self.end
            copy(buf, end, b'"0000-00-00T00:00:00"', 0, _STAMP_OCTETS)
            copy(buf, end + 1, digits, 0, 4)
            end += 6
            for place in (4, 6, 8, 10, 12):
                copy(buf, end, digits, place, 2)
                end += 3
            self.end = end

    def _add_stamp(self, page):
        """Write the time that `_trim` found, in the form it has in messages; null if it is not a time."""
        if self._last - self._first != res.STAMP_BYTES or not res.is_time(page, self._first):
            self.add(_NULL)
            return
        at = self.end
        self._add_text(page)
        if self._fits:
            self.buf[at + 11] = 0x54

    def _add_whole(self, page):
        """Write what `_trim` found as a whole number, null if it is not one."""
        if all_digits(page, self._first, self._last - self._first):
            self._skip_zeros(page)
            self._add_octets(page, self._first, self._last)
        else:
            self.add(_NULL)

    def _add_octets(self, page, first, last):
        if self.has_room(last - first):
            copy(self.buf, self.end, page, first, last - first)
            self.end += last - first

    def _add_decimal(self, page, decimals, is_number):
        """Write what `_trim` found as text or as a number, its last `decimals` digits behind a point, or null."""
        first = self._first
        last = self._last
        begin = first + 1 if page[first] == _MINUS else first
        if begin < last and all_digits(page, begin, last - begin):
            self._add_parts(page, begin > first, begin, last - decimals, is_number)
        else:
            self.add(_NULL)

    def _add_parts(self, page, is_negative, begin, point, is_number):
        """Write page[begin:point], then a point and the rest; leading zeros where that is too short.

        A number has no trailing zeros but the one after the point, and a whole 0 has no sign.
        """
        last = self._last
        missing = begin - point
        if missing > 0:
            point = begin
        while begin < point and page[begin] == _ZERO:
            begin += 1
        if not is_number:
            self.add(b'"')
        if is_negative and not (is_number and begin == point == last):
            self.add(b"-")
        if begin < point:
            self._add_octets(page, begin, point)
        else:
            self.add(b"0")
        if point < last:
            self.add(b".")
            least = self.end + 1
            while missing > 0:
                self.add(b"0")
                missing -= 1
            self._add_octets(page, point, last)
            if is_number:
                self._strip_zeros(least)
        if not is_number:
            self.add(b'"')

    def _strip_zeros(self, least):
        """Remove the trailing zeros of a number, down to buf[:least]; add one if it is shorter."""
        if self.end < least:
            self.add(b"0")
        while self.end > least and self.buf[self.end - 1] == _ZERO:
            self.end -= 1
