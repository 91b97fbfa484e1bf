"""Variable data fields, and resolutions of a trace (OP 2.4 p. 32, OP 6.1 p. 266-267, OP 5.27.1 p. 258).

    octet 0      5       8     10    13    17
          | PID 5| length| type| unit| step| value |       17 + length; without step in MID 0902
          | first index 5| last index 5| length 3| type 2| unit 3| time value |       18 + length

Rules
1. A value is read by the type that stands before it; what does not fit it is Odd.
2. Types 50 to 52 are arrays of 8 characters an element, 8 to 10 pairs of such: value on the Y axis, then on the X axis.
3. Type 90 is MT Focus 6000's number in exponent form, 12 characters (MT "Communication").
"""

from .errors import FieldError, InvalidValue, Odd, quoted
from .fields import read_float, read_number, read_signed, read_text, write_number, write_time

# Data type -> its name, and what it can hold.
_KINDS = {
    1: ("UI", "a whole number, 0 or more"),
    2: ("I", "a whole number"),
    3: ("F", "a number"),
    4: ("S", "text"),
    5: ("T", "a time"),
    6: ("B", "True or False"),
    7: ("H", "hexadecimal text"),
    8: ("PL1", "a list of pairs of numbers"),
    9: ("PL2", "a list of pairs of numbers"),
    10: ("PL4", "a list of pairs of numbers"),
    50: ("FA", "a list of numbers"),
    51: ("UA", "a list of whole numbers, 0 or more"),
    52: ("IA", "a list of whole numbers"),
    90: ("scientific float", "a number"),
}
TYPES = {kind: _KINDS[kind][0] for kind in _KINDS}
ELEMENT = 8
_PID_DIGITS = (5, 6)
VALUE_MOST = 999  # octets, as three digits tell


class UnreadableRest(Exception):
    """What follows cannot be read: why."""


def _array(raw, read):
    if len(raw) % ELEMENT:
        return Odd(raw, "no whole elements of 8 characters")
    values = [read(raw[at : at + ELEMENT]) for at in range(0, len(raw), ELEMENT)]
    for value in values:
        if isinstance(value, Odd):
            return Odd(raw, value.why)
    return values


def value_of(kind, raw):
    """Return the value of these octets by the data type; None if they are blank, Odd if they do not fit it."""
    if kind == 1:
        return read_number(raw)
    if kind == 2:
        return read_signed(raw)
    if kind in (3, 90):
        return read_float(raw)
    if kind == 6:
        value = read_number(raw)
        return value if value is None or isinstance(value, Odd) else value != 0
    if kind in (50, 51, 52):
        return _array(raw, (read_float, read_number, read_signed)[kind - 50])
    if kind in (8, 9, 10):
        flat = _array(raw, read_float)
        if isinstance(flat, Odd) or len(flat) % 2:
            return Odd(raw, "no pairs of numbers")
        return [(flat[at], flat[at + 1]) for at in range(0, len(flat), 2)]
    if kind in (4, 5, 7):
        return read_text(raw)
    return Odd(raw, "data type %r is not known" % kind)


class _Coded:
    """A value behind a head of digits that has its type and unit."""

    HEAD = ()  # attribute, its name in words, width; the length is that of `raw`

    def __init__(self, kind, unit, raw):
        self.type = kind
        self.unit = unit
        self.raw = raw

    def __eq__(self, other):
        return isinstance(other, type(self)) and all(
            getattr(self, row[0]) == getattr(other, row[0]) for row in self.HEAD
        )

    def __hash__(self):
        return hash(self.raw)

    def value(self):
        """Return what it says: int, float, text, True or False, a list; None if blank; Odd if it does not fit."""
        return value_of(self.type, self.raw)

    def unit_name(self):
        """Return the unit's sign, empty for none; of a resolution ms, but s with MT Focus 6000."""
        from .units import unit_of

        return unit_of(self.unit)

    def _octets(self, head):
        octets = b""
        for name, words, width in head:
            value = len(self.raw) if name == "raw" else getattr(self, name)
            _range(words, value, 10**width - 1)
            octets += write_number(value, width)
        return octets + self.raw


def _read_head(frame, at, head):
    """Return the numbers of a head at frame[at:], and where it ends; UnreadableRest if they are none."""
    values = []
    for _, words, width in head:
        raw = frame[at : at + width]
        if len(raw) < width or not raw.isdigit():
            raise UnreadableRest("%s at octet %d is %s" % (words, at + 1, quoted(raw)))
        values.append(int(raw))
        at += width
    return values, at


class DataField(_Coded):
    """One variable data field: pid, type, unit, step and the bytes of its value.

    >>> import toolcart
    >>> field = toolcart.data_field(2001, 12.5, unit=1)
    >>> field.name(), field.value(), field.unit_name()
    ('Torque, measured value', 12.5, 'Nm')
    """

    HEAD = (("pid", "PID", 5), ("raw", "length", 3), ("type", "data type", 2), ("unit", "unit", 3), ("step", "step", 4))

    def __init__(self, pid, kind, unit, step, raw):
        _Coded.__init__(self, kind, unit, raw)
        self.pid = pid
        self.step = step

    def __repr__(self):
        return "DataField(%05d, %r)" % (self.pid, self.value())

    def name(self):
        """Return the PID's name, empty if it is undocumented."""
        from .pids import name_of

        return name_of(self.pid)

    def octets(self, digits, with_step):
        """Return it as it is sent."""
        return self._octets(_head_of(digits, with_step))


def _head_of(digits, with_step):
    """Return the head of data fields whose PIDs have so many digits."""
    head = (("pid", "PID", digits),) + DataField.HEAD[1:]
    return head if with_step else head[:-1]


def data_field(pid, value, kind=None, unit=0, step=0, digits=5):
    """Return a data field of a value; the type (TYPES) is told by the value where it is not given.

    `pid` 0 to 99999, or of six digits in a message that has such (V6 in its table); `unit` 0 to 999, `step` 0 to 9999.
    A number, text, True or False, None for a blank, a datetime, a list of numbers or of pairs; bytes stand for
    themselves. FieldError for a value that the type cannot hold.

    >>> import toolcart
    >>> toolcart.data_field(2001, 12.5, unit=1).value()
    12.5
    """
    if type(digits) is not int or digits not in _PID_DIGITS:
        raise FieldError(0, 0, "digits", "", digits, "5, or 6 where the message has such PIDs")
    _range("PID", pid, 10**digits - 1)
    _range("unit", unit, 999)
    _range("step", step, 9999)
    kind, raw = _value_as(value, kind, "value of PID %05d" % pid)
    return DataField(pid, kind, unit, step, raw)


def _range(name, value, most):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise FieldError(0, 0, name, "", value, "0 to %d" % most)


def _value_as(value, kind, name):
    """Return the type and the octets of a value; FieldError where the type cannot hold it."""
    is_raw = isinstance(value, (bytes, bytearray, memoryview))
    if is_raw and kind is not None:
        _range("type of " + name, kind, 99)
    elif kind is not None and (isinstance(kind, bool) or kind not in TYPES):
        allowed = ", ".join(["%d %s" % (number, TYPES[number]) for number in sorted(TYPES)])
        raise FieldError(0, 0, "type of " + name, "", kind, allowed)
    try:
        if is_raw:
            kind, raw = 4 if kind is None else kind, bytes(value)
        else:
            kind = _kind_for(value) if kind is None else kind
            raw = _raw_of(value, kind).encode()
        if len(raw) > VALUE_MOST:
            raise InvalidValue("at most %d bytes" % VALUE_MOST)
    except (InvalidValue, UnicodeError) as error:
        raise FieldError(0, 0, name, "", value, str(error) if isinstance(error, InvalidValue) else "text in UTF-8")
    return kind, raw


def _kind_for(value):
    if isinstance(value, bool):
        return 6
    if isinstance(value, int):
        return 1 if value >= 0 else 2
    if isinstance(value, float) or hasattr(value, "as_tuple"):  # a Decimal
        return 3
    if isinstance(value, (list, tuple)):
        if any(isinstance(one, (list, tuple)) for one in value):
            return 8
        if not all(_is_whole(one) for one in value):
            return 50
        return 51 if all(one >= 0 for one in value) else 52
    if hasattr(value, "timetuple"):
        return 5
    if value is None or isinstance(value, str):
        return 4
    raise InvalidValue("a number, text, True or False, a time, a list of numbers or of pairs, or bytes")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_whole(value) or (isinstance(value, float) and value - value == 0)  # neither nan nor inf


def _raw_of(value, kind):
    """Return the text of a value; InvalidValue where the type cannot hold it."""
    if value is None:
        return ""
    if hasattr(value, "as_tuple"):
        value = float(value)
    is_list = isinstance(value, (list, tuple))
    if kind in (50, 51, 52) and is_list and all(_is_number(one) if kind == 50 else _is_whole(one) for one in value):
        return "".join([_element(one) for one in value])
    if kind in (8, 9, 10) and is_list:
        if all(isinstance(pair, (list, tuple)) and len(pair) == 2 and all(map(_is_number, pair)) for pair in value):
            return "".join([_element(one) for pair in value for one in pair])
    if kind == 6 and value in (True, False):
        return "1" if value else "0"
    if kind == 90 and _is_number(value):
        mantissa, _, exponent = ("%.3e" % value).partition("e")
        power = int(exponent)
        return _padded("%se%s%d" % (mantissa, "-" if power < 0 else "+", abs(power)), 12)
    if (kind == 1 and _is_whole(value) and value >= 0) or (kind == 2 and _is_whole(value)):
        return "%d" % value
    if kind == 3 and _is_number(value):
        return "%r" % value
    if kind == 5 and hasattr(value, "timetuple"):
        return write_time(value, 19).decode()
    if isinstance(value, str) and not isinstance(value_of(kind, value.encode()), Odd):
        return value
    raise InvalidValue(_KINDS[kind][1])


def _padded(text, width):
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    return sign + "0" * (width - len(text)) + digits


def _element(value):
    text = "%d" % value
    if isinstance(value, float):
        decimals = 4
        text = "%.*f" % (decimals, value)
        while len(text) > ELEMENT and decimals:
            decimals -= 1
            text = "%.*f" % (decimals, value)
    if len(text) > ELEMENT:
        raise InvalidValue("numbers of %d characters" % ELEMENT)
    return _padded(text, ELEMENT)


class Resolution(_Coded):
    """The time between two samples from one index of a trace to another.

    >>> import toolcart
    >>> part = toolcart.resolution(1, 100, 2)
    >>> part.first, part.last, part.value(), part.unit_name()
    (1, 100, 2.0, 'ms')
    """

    HEAD = (("first", "first index", 5), ("last", "last index", 5)) + DataField.HEAD[1:4]

    def __init__(self, first, last, kind, unit, raw):
        _Coded.__init__(self, kind, unit, raw)
        self.first = first
        self.last = last

    def __repr__(self):
        return "Resolution(%d, %d, %r)" % (self.first, self.last, self.value())

    def octets(self):
        """Return it as it is sent."""
        return self._octets(self.HEAD)


def resolution(first, last, value, kind=3, unit=202):
    """Return a resolution: the time between two samples, from index `first` to `last` (0 to 99999), in ms as a rule.

    FieldError for what cannot be built.

    >>> import toolcart
    >>> toolcart.resolution(1, 100, 2).value()
    2.0
    """
    _range("first index", first, 99999)
    _range("last index", last, 99999)
    _range("unit", unit, 999)
    kind, raw = _value_as(value, kind, "time value")
    return Resolution(first, last, kind, unit, raw)


def read_data_field(frame, at, digits, with_step):
    """Return the data field at frame[at:] and where the next one begins; UnreadableRest if its head is none."""
    head = frame[at : at + 17]
    if digits == 5 and with_step and len(head) == 17 and head.isdigit():
        end = at + 17 + int(head[5:8])
        if end <= len(frame):
            one = DataField(int(head[:5]), int(head[8:10]), int(head[10:13]), int(head[13:]), frame[at + 17 : end])
            return one, end
    values, at = _read_head(frame, at, _head_of(digits, with_step))
    pid, length, kind, unit = values[:4]
    if at + length > len(frame):
        raise UnreadableRest("the value of PID %05d ends behind the message" % pid)
    return DataField(pid, kind, unit, values[4] if with_step else 0, frame[at : at + length]), at + length


def read_resolution(frame, at):
    """Return the resolution at frame[at:] and where the next one begins; UnreadableRest if its head is none."""
    (first, last, length, kind, unit), at = _read_head(frame, at, Resolution.HEAD)
    if at + length > len(frame):
        raise UnreadableRest("the time value ends behind the message")
    return Resolution(first, last, kind, unit, frame[at : at + length]), at + length
