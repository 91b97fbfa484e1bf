"""Takes ToolsNet telegrams apart and checks every field's length, form and range.

Rules:
1. A telegram here is the bytes after the four length digits; positions are the document's, less one.
2. `take_apart` returns a dict of fields and a list of Breach; a telegram with breaches may still have all its fields.
3. Numbers with decimals must have the point exactly where the layout prints it, though a real server is
   lenient (TN 5.13).
"""

from toolcart.base.octets import digits_only, printable, text_of
from toolcart.toolsnet.layouts import (
    ACKNOWLEDGE,
    EVENT,
    EVENT_ACKNOWLEDGE,
    EVENT_PARAMETER,
    FACTOR_MOST,
    GENERAL,
    GRAPH,
    INFORMATION,
    PARAMETER,
    PARAMETER_BYTES,
    PLUGIN_REQUEST,
    REQUEST,
    SHIFT_MOST,
    SPINDLE,
    STATION,
    STATION_PROGRAM,
    STATION_SPINDLE,
    SYSTEM,
    VIN,
    time_ok,
)

if hasattr(bytes, "translate"):  # all at once, on CPython alone
    from toolcart.toolsnet.patterns import pattern_of
else:
    pattern_of = None

# TN 6
SYSTEM_TYPES = {
    0: "PF3000",
    1: "PF2000",
    2: "pMACS",
    3: "Open Protocol",
    16: "Cooper Tools System",
    17: "Stanley Air Tools",
    18: "SPX Cooperation",
    19: "Ingersoll Rand",
    20: "Hickok",
    21: "AIMCO",
}

PORTABLE = True

FOR_A_SERVER = ("01", "02", "04", "06", "09", "13")  # the others go to the PIM, or come from the other side


class Breach:
    """A breach of the document: a field, its first byte as the document counts (0: none), what it is and may be."""

    def __init__(self, field, position, found, allowed):
        self.field = field
        self.position = position
        self.found = found
        self.allowed = allowed

    def __str__(self):
        return "%s at %d: %s, allowed: %s" % (self.field, self.position, self.found, self.allowed)


def frame(telegram):
    """Return the bytes on the line: four digits of length, then the telegram (TN 5.1)."""
    return ("%04d" % len(telegram)).encode() + telegram


def _decimal_ok(octets, decimals):
    """True for digits with the point `decimals` places from the end; a leading minus is allowed."""
    point = len(octets) - decimals - 1
    whole = octets[1:point] if octets[:1] == b"-" else octets[:point]
    return octets[point : point + 1] == b"." and digits_only(whole) and digits_only(octets[point + 1 :])


def _free_number_ok(octets):
    """True for a number with blanks around it and at most one point."""
    text = octets.strip()
    whole, point, rest = text.partition(b".")
    return digits_only(whole) and (digits_only(rest) if point else True)


def _signed_ok(octets):
    text = octets.strip()
    return digits_only(text[1:] if text[:1] in (b"-", b"+") else text)


class Reading:
    """One telegram while it is read by the layouts, and where it differs from what the document prints.

    What is in order is read by a pattern of its layout where there is one, which takes a fraction of the time; the
    rest with care.

    A part has the size that is printed and a number the form that is printed. Who takes more
    (toolcart.archive.server.reader) says so in `value` and by `is_exact`.
    """

    is_exact = True

    def __init__(self, telegram):
        self.telegram = telegram
        self.text = str(telegram, "latin-1") if pattern_of else ""
        self.breaches = []
        self.unread = set()  # fields without a value

    def differs(self, field, position, found, allowed):
        self.breaches.append(Breach(field, position, found, allowed))

    def shown(self, octets):
        """Return the bytes of a field that is wrong as text."""
        return text_of(octets)

    def value(self, octets, form):
        """Return the field's value, None if there is none, and what is allowed if it is wrong."""
        kind = form[3]
        if kind == "d":
            if not digits_only(octets):
                return None, "digits"
            value = int(octets)
            return value, None if form[4] <= value <= form[5] else "%d to %d" % (form[4], form[5])
        if kind in ("t", "t?"):
            good = time_ok(octets) or (kind == "t?" and octets == b" " * 14)
            return text_of(octets), None if good else "a time yyyymmddhhnnss"
        if kind == "s":
            return text_of(octets).rstrip(), None if printable(octets) else "printable ASCII"
        if kind == "i":
            good = _signed_ok(octets)
            return int(octets) if good else None, None if good else "a signed integer"
        good = _free_number_ok(octets) if kind == "f" else _decimal_ok(octets, int(kind[1]))
        return text_of(octets).strip(), None if good else "a number with %s decimals" % (kind[1:] or "any")

    def fields(self, at, layout, where=""):
        """Return the fields of a layout that begins at byte `at`; a field beyond the end is a breach."""
        pattern = pattern_of(layout) if pattern_of else None
        values = pattern.read(self.text, at) if pattern else None
        if values is not None:
            return values
        values = {}
        for form in layout:
            start = at + form[1]
            octets = self.telegram[start : start + form[2]]
            if len(octets) == form[2]:
                value, allowed = self.value(octets, form)
            else:
                value, allowed = None, "%d bytes" % form[2]
            if allowed:
                found = self.shown(octets) if len(octets) == form[2] else "cut off"
                self.differs(where + form[0], start + 1, found, allowed)
            if value is None:
                self.unread.add(where + form[0])
                value = 0 if form[3] in "di" else ""
            values[form[0]] = value
        return values

    def size(self, fields, name, position, printed):
        """Return the bytes of a part: those printed, or more if its length field says so and that is taken."""
        announced = fields[name]
        if announced == printed or (announced > printed and not self.is_exact):
            return announced
        if name not in self.unread:
            self.differs(name, position, "%d" % announced, "%d" % printed if self.is_exact else "%d or more" % printed)
        return printed

    def entries(self, at, count, size, layout, name):
        """Return those entries of a list that are whole."""
        there = max(0, min(count, (len(self.telegram) - at) // size))
        return [self.fields(at + index * size, layout, "%s[%d]." % (name, index)) for index in range(there)]

    def ends_at(self, end):
        """Note if the telegram is shorter or longer."""
        if len(self.telegram) != end:
            self.differs("length", 0, "%d bytes" % len(self.telegram), "%d bytes" % end)
        if len(self.telegram) < end:
            self.unread.add("length")


_GENERAL_BYTES = (("general_bytes", 7, 2, "d", 79, 99),)
_PARTS = (
    ("spindles", "spindle", 70, 70, SPINDLE),
    ("vins", "vin", 74, 29, VIN),
    ("parameters", "parameter", 79, PARAMETER_BYTES, PARAMETER),
)


def _result(one):
    """Telegram 04 (TN 5.3)."""
    at = one.size(one.fields(0, _GENERAL_BYTES), "general_bytes", 8, 80)
    fields = one.fields(0, GENERAL)
    parts = []
    for name, kind, position, printed, layout in _PARTS:
        count = fields[kind + "_count"]
        size = one.size(fields, kind + "_bytes", position, printed) if count or one.is_exact else printed
        parts.append((at, count, size, layout, name))
        at += count * size
    one.ends_at(at)
    for part in parts:
        fields[part[4]] = one.entries(*part)
    if one.is_exact:
        at -= PARAMETER_BYTES * fields["parameter_count"]
        for parameter in fields["parameters"]:
            _check_parameter(one, parameter, at)
            at += PARAMETER_BYTES
    return fields


def _check_parameter(one, parameter, at):
    """Check a value: type 1 is a signed 32-bit integer, type 2 a number (TN 5.3)."""
    text = parameter["value"].strip()
    unsigned = (text[1:] if text[:1] == "-" else text).encode()
    where = "parameter %05d " % parameter["parameter_id"]
    if not parameter["name"].strip():
        one.differs(where + "name", at + 14, "blank", "a name")
    if parameter["type"] == 1 and not (digits_only(unsigned) and -2147483648 <= int(text) <= 2147483647):
        one.differs(where + "value", at + 39, text, "a signed 32-bit integer")
    elif parameter["type"] == 2 and not _free_number_ok(unsigned):
        one.differs(where + "value", at + 39, text, "a number")


def _station(one):
    """Telegram 02 (TN 5.12): spindle blocks of 33 + 29 bytes for each program."""
    fields = one.fields(0, STATION)
    fields["spindles"] = []
    at = 63
    for index in range(fields["spindle_count"]):
        where = "spindles[%d]." % index
        if at + 33 > len(one.telegram):
            at += 33
            break
        spindle = one.fields(at, STATION_SPINDLE, where)
        at += 33
        spindle["programs"] = one.entries(at, spindle["program_count"], 29, STATION_PROGRAM, where + "programs")
        at += 29 * spindle["program_count"]
        fields["spindles"].append(spindle)
    one.ends_at(at)
    return fields


def _event(one):
    """Telegram 09 (TN 5.4)."""
    fields = one.fields(0, EVENT)
    count = fields["parameter_count"]
    fields["parameters"] = one.entries(48, count, 24, EVENT_PARAMETER, "parameters")
    one.ends_at(48 + 24 * count)
    return fields


def _graph(one):
    """Telegram 13 (TN 5.13). An impossible scale makes samples meaningless: it counts as not read."""
    fields = one.fields(0, GRAPH)
    at = one.size(fields, "general_bytes", 8, 116)
    octets = fields["sample_bytes"]
    shift, dom, nom = fields["bit_shift"], fields["factor_dom"], fields["factor_nom"]
    for name, position, fits, allowed in (
        ("sample_bytes", 113, octets % 2 == 0, "even"),
        ("bit_shift", 51, abs(shift) <= SHIFT_MOST, "%d to %d" % (-SHIFT_MOST, SHIFT_MOST)),
        ("factor_dom", 61, abs(dom) <= FACTOR_MOST, "%d to %d" % (-FACTOR_MOST, FACTOR_MOST)),
        ("factor_nom", 71, 0 < abs(nom) <= FACTOR_MOST, "%d to %d, not 0" % (-FACTOR_MOST, FACTOR_MOST)),
    ):
        if not fits and name not in one.unread:
            one.differs(name, position, "%d" % fields[name], allowed)
            one.unread.add(name)
    fields["samples"] = one.telegram[at : at + octets]
    one.ends_at(at + octets)
    return fields


_LISTS = {"02": _station, "04": _result, "09": _event, "13": _graph}
_PLAIN = {
    "01": (SYSTEM, 57),
    "05": (ACKNOWLEDGE, 24),
    "06": ((), 7),
    "07": (REQUEST, 19),
    # What the other side sends, and 11, which belongs to another plug-in.
    "08": (INFORMATION, 37),
    "10": (EVENT_ACKNOWLEDGE, 38),
    "11": (PLUGIN_REQUEST, 26),
    "12": ((), 7),
}
SENT = ("01", "02", "04", "05", "06", "07", "09", "13")  # by a station


def fields_of(one, kinds):
    """Return the fields of a telegram of one of these kinds, with its kind as "id"."""
    kind = text_of(one.telegram[:2])
    fields = {}
    if kind not in kinds:
        one.differs("telegram", 1, kind, ", ".join(kinds))
    elif kind in _LISTS:
        fields = _LISTS[kind](one)
    else:
        layout, size = _PLAIN[kind]
        one.ends_at(size)
        fields = one.fields(0, layout)
    fields["id"] = kind
    return fields


def take_apart(telegram, either_way=False):
    """Return (fields, breaches); fields always has "id" (protocol.md 9.2) and "identifier" (0 for none).

    Of the kinds that a station sends; with `either_way`, those that it receives too.
    """
    one = Reading(telegram)
    fields = fields_of(one, sorted(("08", "10", "11", "12") + SENT) if either_way else SENT)
    identifier = telegram[2:7]
    fields["identifier"] = int(identifier) if len(identifier) == 5 and digits_only(identifier) else 0
    if fields["identifier"] == 0:
        one.differs("identifier", 3, text_of(identifier), "1 to 99999")
    return fields, one.breaches
