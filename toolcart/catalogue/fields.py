"""The types of a parameter: how each is read from its octets and written into them.

    N unsigned digits   I signed digits   B bit mask in digits   F number with a point   H hexadecimal text
    T text in UTF-8, blanks on the right                         D time stamp YYYY-MM-DD:HH:MM:SS, or any text

Rules
1. Blanks (or NULs, as some controllers send) are None: the parameter is not used (OP 2.3 p. 30).
2. What does not fit its type is Odd: its octets are kept and nothing is raised. So is a number with a NUL, which may
   have taken a digit's place.
3. Numbers stay whole: torque in hundredths is an int, and its unit tells the hundred.
"""

from .errors import InvalidValue, Odd

BLANKS = b" \0"


class Field:
    """One line of a table: parameter ID, name, type, width, unit, names of values, meaning.

    `place` is the first octet of the value as the documents count, 0 where it depends on what stands before it.
    `count` is None, the number of repetitions or the name of the field that tells it; `members` are a group's fields.
    """

    def __init__(self, number, name, kind, width, count=None, members=None):
        self.id = number
        self.name = name
        self.kind = kind
        self.width = width
        self.unit = ""
        self.scale = 1
        self.values = ""
        self.meaning = ""
        self.count = count
        self.members = members
        self.place = 0
        self.note = ""
        self.least = 0  # octets of a text to the end: a shorter one is padded with blanks
        self.most = 0  # 0 for as many as the frame has

    def __repr__(self):
        width = self.width or ("[%s]" % self.count if self.count is not None else "")
        return "<Field %s %s%s%s>" % (self.name, self.kind, width, (" at " + self.bounds()) if self.place else "")

    def copy(self):
        """Return the same line, to be placed elsewhere."""
        other = Field(self.id, self.name, self.kind, self.width, self.count, self.members)
        other.unit, other.scale, other.values, other.meaning = self.unit, self.scale, self.values, self.meaning
        other.note, other.least, other.most = self.note, self.least, self.most
        return other

    def octets(self):
        """Return how many octets it takes with its ID; -1 if that depends on the message."""
        if not isinstance(self.width, int) or isinstance(self.count, str):
            return -1
        return len(self.id) + self.width * (1 if self.count is None else self.count)

    def bounds(self):
        """Return its place as the documents write it, `141-146`; empty where it depends on the message."""
        if not self.place:
            return ""
        octets = self.octets()
        if octets < 0:
            return "%d-" % self.place
        last = self.place + octets - len(self.id) - 1
        return "%d" % self.place if last == self.place else "%d-%d" % (self.place, last)


def read_number(raw):
    """N and B: digits, with blanks beside them as in the specification's examples (OP 5.8.2 p. 133, 5.8.6 p. 146)."""
    if raw.isdigit():
        return int(raw)
    if not raw.strip(BLANKS):
        return None
    stripped = raw.strip(b" ")
    return int(stripped) if stripped.isdigit() else Odd(raw, "no digits")


def read_signed(raw):
    """I: the same with a sign before them."""
    if raw.isdigit():
        return int(raw)
    if not raw.strip(BLANKS):
        return None
    stripped = raw.strip(b" ")
    digits = stripped[1:] if stripped[:1] in (b"-", b"+") else stripped
    if not digits.isdigit():
        return Odd(raw, "no number")
    return -int(digits) if stripped[:1] == b"-" else int(digits)


def read_float(raw):
    """F: a number with a point, or in exponent form."""
    if not raw.strip(BLANKS):
        return None
    stripped = raw.strip(b" ")
    for octet in stripped:
        if octet not in b"0123456789.-+eE":  # Python would take `nan` and `1_0` as well
            return Odd(raw, "no number")
    try:
        return float(stripped.decode())
    except (ValueError, UnicodeError):
        return Odd(raw, "no number")


def read_text(raw):
    """T, D and H: text without the blanks on its right."""
    try:
        text = raw.decode()
    except UnicodeError:
        return Odd(raw, "no UTF-8")
    return text.rstrip(" \0") or None


def is_time(text):
    """True if the text is a time stamp YYYY-MM-DD:HH:MM:SS that a calendar has."""
    if not isinstance(text, str) or len(text) != 19:
        return False
    if text[4] + text[7] + text[10] + text[13] + text[16] != "--:::":
        return False
    digits = text.replace("-", "").replace(":", "")
    if len(digits) != 14 or not digits.encode().isdigit():
        return False
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 28 + leap if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    clock = int(digits[8:10]) <= 23 and int(digits[10:12]) <= 59 and int(digits[12:]) <= 59
    return year > 0 and 1 <= month <= 12 and 1 <= day <= days and clock


READERS = {
    "N": read_number,
    "B": read_number,
    "I": read_signed,
    "F": read_float,
    "T": read_text,
    "D": read_text,
    "H": read_text,
}


def write_number(value, width):
    """Return the digits, with zeros on the left."""
    most = 10**width - 1
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InvalidValue("0 to %d" % most)
    return ("%d" % (value + most + 1))[1:].encode()


def write_signed(value, width):
    """Return the digits; a minus takes the place of the first one."""
    if isinstance(value, int) and value < 0 and width > 1:
        if value < 1 - 10 ** (width - 1):
            raise InvalidValue("%d to %d" % (1 - 10 ** (width - 1), 10**width - 1))
        return b"-" + write_number(-value, width - 1)
    return write_number(value, width)


def write_float(value, width):
    """Return the number with a point and as many decimals as fit, 4 at most (OP 5.13.2 p. 183)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for decimals in range(4, -1, -1):
            text = "%.*f" % (decimals, abs(value))
            zeros = width - len(text) - (value < 0)
            if zeros >= 0 and text[0] in "0123456789":  # neither nan nor inf
                return ("-" * (value < 0) + "0" * zeros + text).encode()
    raise InvalidValue("a number of %d characters" % width)


def write_text(value, width):
    """Return the text with blanks on its right."""
    if not isinstance(value, str):
        raise InvalidValue("text")
    try:
        raw = value.encode()
    except UnicodeError:
        raise InvalidValue("text in UTF-8")
    if len(raw) > width:
        raise InvalidValue("at most %d bytes" % width)
    return raw + b" " * (width - len(raw))


def write_time(value, width):
    """The same for a time stamp: text, a datetime, or year, month, day, hour, minute, second."""
    if getattr(value, "tzinfo", None) is not None:
        raise InvalidValue("a time without a zone: it is the controller's clock")
    if hasattr(value, "timetuple"):
        value = tuple(value.timetuple())[:6]
    if isinstance(value, (tuple, list)) and len(value) >= 6:
        if not all(isinstance(one, int) for one in value[:6]):
            raise InvalidValue("year, month, day, hour, minute, second")
        value = "%04d-%02d-%02d:%02d:%02d:%02d" % tuple(value[:6])
    return write_text(value, width)


WRITERS = {
    "N": write_number,
    "B": write_number,
    "I": write_signed,
    "F": write_float,
    "T": write_text,
    "D": write_time,
    "H": write_text,
}


def write(field, value, width=None):
    """Return the octets of a plain field, without its ID; InvalidValue with what is allowed."""
    width = field.width if width is None else width
    if value is None:
        return b" " * width
    if isinstance(value, Odd):
        value = value.raw
    if isinstance(value, bytes):
        if len(value) != width:
            raise InvalidValue("%d bytes" % width)
        return value
    is_text = isinstance(value, str)
    if hasattr(value, "as_tuple") and field.kind in "NIBF":  # a Decimal, in the field's unit
        value = float(value) if field.kind == "F" else format(value, "f")
    try:
        if field.kind in "NIB" and isinstance(value, (str, list, tuple)):
            value = _number_of(field, value, is_text and "0 to %d" % (10**width - 1))
        return WRITERS[field.kind](value, width)
    except InvalidValue as wrong:
        raise InvalidValue(str(wrong) + _in_unit(field, width, str(wrong)))


def _in_unit(field, width, allowed):
    """Return what is said of a field's unit behind what is allowed, where that is a range or any number."""
    unit = field.unit.partition("~")[0]
    if field.kind not in "NI" or not unit or not (" to " in allowed or allowed == "a number"):
        return ""
    if field.scale == 1:
        return " " + unit
    most = decimal_text(10**width - 1, field.scale)
    return " in %s/%d, or a Decimal or text in %s up to %s" % (unit, field.scale, unit, most)


def _number_of(field, value, instead):
    """Return the number for decimal text in the field's unit, for a value's words, or for a list of bits' words.

    Text of digits is no number where its unit has no decimals: it may as well come from a wrong column. `instead`
    says then what is allowed; False for what was a Decimal.
    """
    if not isinstance(value, str):
        if field.kind != "B":
            raise InvalidValue("one number")
        from .meanings import mask_of

        return mask_of(field.values, value)
    whole, point, rest = value.partition(".")
    places = len("%d" % field.scale) - 1
    digits = (whole[1:] if whole[:1] == "-" else whole, rest if point else "0")
    if all(text and not text.strip("0123456789") for text in digits):
        if instead and field.scale == 1 and not point:
            raise InvalidValue(instead)
        if len(rest) <= places and 10**places == field.scale:
            return int(whole + rest + "0" * (places - len(rest)))
        unit = field.unit.partition("~")[0]
        raise InvalidValue(
            "at most %d decimals in %s" % (places, unit) if places else ("a whole number %s" % unit).rstrip()
        )
    from .meanings import number_of

    return number_of(field.values, value)


def ratio_of(field, value, values):
    """Return (number, divisor) of a whole number, with the angle scale that `values` may have."""
    over = field.scale
    _, _, factors = field.unit.partition("~")
    if factors and factors.split("~")[0] in values:
        numerator, denominator = [values[factor] for factor in factors.split("~")]
        if isinstance(numerator, int) and isinstance(denominator, int) and denominator:
            return value * numerator, over * denominator
    return value, over


def decimal_text(value, scale):
    """Return a whole number divided by `scale` as exact text: 1234 and 100 give `12.34`."""
    places = len("%d" % scale) - 1
    if 10**places != scale:
        # Not a power of ten: six decimals, rounded.
        value, scale, places = (value * 10**6 * 2 + scale) // (2 * scale), 10**6, 6
    if not places:
        return "%d" % value
    whole, rest = abs(value) // scale, abs(value) % scale
    return "%s%d.%s" % ("-" if value < 0 else "", whole, ("%d" % (rest + scale))[1:])
