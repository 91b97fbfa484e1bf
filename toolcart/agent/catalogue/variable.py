"""Variable data fields, and resolutions of a trace (003:1331-1374, 003:12549-12627, 003:12184-12236).

    octet 0      5       8     10    13    17
          | PID 5| length| type| unit| step| value |       17 + length; without step in MID 0902
          | first index 5| last index 5| length 3| type 2| unit 3| time value |       18 + length

Rules
1. A value is read by the type that stands before it; what does not fit it is Odd.
2. Types 50 to 52 are arrays of 8 characters an element, 8 to 10 pairs of such: value on the Y axis, then on the X axis.
3. Type 90 is MT Focus 6000's number in exponent form, 12 characters (002:39-43).
"""

from .errors import Odd, quoted
from .fields import read_float, read_number, read_signed, read_text, write_number

TYPES = {
    1: "UI",
    2: "I",
    3: "F",
    4: "S",
    5: "T",
    6: "B",
    7: "H",
    8: "PL1",
    9: "PL2",
    10: "PL4",
    50: "FA",
    51: "UA",
    52: "IA",
    90: "scientific float",
}
ELEMENT = 8


class Broken(Exception):
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


class DataField:
    """One variable data field: pid, type, unit, step and the octets of its value."""

    def __init__(self, pid, kind, unit, step, raw):
        self.pid = pid
        self.type = kind
        self.unit = unit
        self.step = step
        self.raw = raw

    def __repr__(self):
        return "DataField(%05d, %r)" % (self.pid, self.value())

    def __eq__(self, other):
        return isinstance(other, DataField) and self.octets(5, True) == other.octets(5, True)

    def __hash__(self):
        return hash(self.raw)

    def value(self):
        """Return what it says: int, float, text, True or False, a list; None if blank; Odd if it does not fit."""
        return value_of(self.type, self.raw)

    def name(self):
        """Return the PID's name, empty if it is undocumented."""
        from .pids import name_of

        return name_of(self.pid)

    def unit_name(self):
        """Return the unit's sign, empty for none."""
        from .units import unit_of

        return unit_of(self.unit)

    def octets(self, digits, with_step):
        """Return it as it is sent."""
        head = write_number(self.pid, digits) + write_number(len(self.raw), 3) + write_number(self.type, 2)
        step = write_number(self.step, 4) if with_step else b""
        return head + write_number(self.unit, 3) + step + self.raw


def data_field(pid, value, kind=None, unit=0, step=0):
    """Return a data field of a value; the type is told by the value where it is not given."""
    if isinstance(value, bytes):
        return DataField(pid, 4 if kind is None else kind, unit, step, value)
    if kind is None:
        kind = _kind_for(value)
    return DataField(pid, kind, unit, step, _raw_of(value, kind).encode())


def _kind_for(value):
    if isinstance(value, bool):
        return 6
    if isinstance(value, int):
        return 1 if value >= 0 else 2
    if isinstance(value, float):
        return 3
    if isinstance(value, (list, tuple)):
        if any(isinstance(one, float) for one in value):
            return 50
        return 51 if all(one >= 0 for one in value) else 52
    return 4


def _raw_of(value, kind):
    if value is None:
        return ""
    if kind == 90:
        mantissa, _, exponent = ("%.3e" % value).partition("e")
        power = int(exponent)
        return _padded("%se%s%d" % (mantissa, "-" if power < 0 else "+", abs(power)), 12)
    if kind in (50, 51, 52):
        return "".join([_element(one) for one in value])
    if kind in (8, 9, 10):
        return "".join([_element(one) for pair in value for one in pair])
    if kind == 6:
        return "1" if value else "0"
    if isinstance(value, float):
        return "%r" % value
    return "%s" % (value,)


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
    return _padded(text, ELEMENT)


class Resolution:
    """The time between two samples from one index of a trace to another."""

    def __init__(self, first, last, kind, unit, raw):
        self.first = first
        self.last = last
        self.type = kind
        self.unit = unit
        self.raw = raw

    def __repr__(self):
        return "Resolution(%d, %d, %r)" % (self.first, self.last, self.value())

    def __eq__(self, other):
        return isinstance(other, Resolution) and self.octets() == other.octets()

    def __hash__(self):
        return hash(self.raw)

    def value(self):
        """Return the time value."""
        return value_of(self.type, self.raw)

    def unit_name(self):
        """Return the unit's sign: seconds with MT Focus 6000, milliseconds elsewhere."""
        from .units import unit_of

        return unit_of(self.unit)

    def octets(self):
        """Return it as it is sent."""
        head = write_number(self.first, 5) + write_number(self.last, 5) + write_number(len(self.raw), 3)
        return head + write_number(self.type, 2) + write_number(self.unit, 3) + self.raw


def resolution(first, last, value, kind=3, unit=202):
    """Return a resolution of a value."""
    return Resolution(first, last, kind, unit, _raw_of(value, kind).encode())


def _digits(frame, at, width, what):
    raw = frame[at : at + width]
    if len(raw) < width or not raw.isdigit():
        raise Broken("%s at octet %d is %s" % (what, at + 1, quoted(raw)))
    return int(raw)


def read_data_field(frame, at, digits, with_step):
    """Return the data field at frame[at:] and where the next one begins; Broken if its head is none."""
    head = frame[at : at + 17]
    if digits == 5 and with_step and len(head) == 17 and head.isdigit():
        end = at + 17 + int(head[5:8])
        if end <= len(frame):
            one = DataField(int(head[:5]), int(head[8:10]), int(head[10:13]), int(head[13:]), frame[at + 17 : end])
            return one, end
    pid = _digits(frame, at, digits, "PID")
    at += digits
    length = _digits(frame, at, 3, "length")
    kind = _digits(frame, at + 3, 2, "data type")
    unit = _digits(frame, at + 5, 3, "unit")
    at += 8
    step = 0
    if with_step:
        step = _digits(frame, at, 4, "step")
        at += 4
    if at + length > len(frame):
        raise Broken("the value of PID %05d ends behind the message" % pid)
    return DataField(pid, kind, unit, step, frame[at : at + length]), at + length


def read_resolution(frame, at):
    """Return the resolution at frame[at:] and where the next one begins; Broken if its head is none."""
    first = _digits(frame, at, 5, "first index")
    last = _digits(frame, at + 5, 5, "last index")
    length = _digits(frame, at + 10, 3, "length")
    kind = _digits(frame, at + 13, 2, "data type")
    unit = _digits(frame, at + 15, 3, "unit")
    at += 18
    if at + length > len(frame):
        raise Broken("the time value ends behind the message")
    return Resolution(first, last, kind, unit, frame[at : at + length]), at + length
