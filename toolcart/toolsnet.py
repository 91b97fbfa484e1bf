"""Takes ToolsNet telegrams apart and checks every field's length, form and range; the tables of its archive, simulated.

Rules:
1. A telegram here is the bytes after the four length digits; positions are the document's, less one.
2. `take_apart` returns a dict of fields and a list of Breach; a telegram with breaches may still have all its fields.
3. Numbers with decimals must have the point exactly where the layout prints it, though a real server is
   lenient (004:318-320).
4. The map's tables have the names of 004 section 6; the other tables' names and all columns are our own. Times are
   kept as they came, 14 digits; ResultView shows them and the statuses in readable form.
"""

from toolcart.agent.toolsnet.telegram import SEQUENCES
from toolcart.base.octets import digits_only, printable, text_of

# 004:336-362
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

SCHEMA = """
CREATE TABLE IF NOT EXISTS TNMapSystemType (SystemType INTEGER PRIMARY KEY, Name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS TNMapSystem (
    SystemType INTEGER, System INTEGER, Name TEXT NOT NULL, IP TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (SystemType, System));
CREATE TABLE IF NOT EXISTS TNMapStation (
    SystemType INTEGER, System INTEGER, Station INTEGER, Name TEXT NOT NULL, IP TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (SystemType, System, Station));
CREATE TABLE IF NOT EXISTS TNMapSpindle (
    SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER, Name TEXT NOT NULL,
    PRIMARY KEY (SystemType, System, Station, Spindle));
CREATE TABLE IF NOT EXISTS TNMapProgram (
    SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER, Program INTEGER, Name TEXT NOT NULL,
    PRIMARY KEY (SystemType, System, Station, Spindle, Program));
CREATE TABLE IF NOT EXISTS Result (
    ResultId INTEGER PRIMARY KEY, SystemType INTEGER NOT NULL, System INTEGER NOT NULL,
    Station INTEGER NOT NULL,
    Sequence INTEGER NOT NULL, Time TEXT NOT NULL, VIN TEXT NOT NULL, Spindle INTEGER NOT NULL,
    SpindleSerial TEXT NOT NULL, Program INTEGER NOT NULL, Overall INTEGER NOT NULL,
    TorqueLow REAL, Torque REAL, TorqueHigh REAL, TorqueStatus INTEGER,
    AngleLow REAL, Angle REAL, AngleHigh REAL, AngleStatus INTEGER, TimeStatus INTEGER,
    TighteningId INTEGER, Arrivals INTEGER NOT NULL DEFAULT 1, OutOfOrder INTEGER NOT NULL DEFAULT 0,
    UNIQUE (SystemType, System, Station, Sequence, Time, Spindle));
CREATE INDEX IF NOT EXISTS ResultByTighteningId ON Result (TighteningId);
CREATE INDEX IF NOT EXISTS ResultByVIN ON Result (VIN);
CREATE TABLE IF NOT EXISTS ResultVIN (
    ResultId INTEGER NOT NULL REFERENCES Result, Identifier INTEGER NOT NULL, VIN TEXT NOT NULL,
    PRIMARY KEY (ResultId, Identifier));
CREATE TABLE IF NOT EXISTS ResultParameter (
    ResultId INTEGER NOT NULL REFERENCES Result, Spindle INTEGER, Program INTEGER,
    ParameterId INTEGER NOT NULL,
    Name TEXT NOT NULL, Value TEXT NOT NULL, Type INTEGER NOT NULL, Unit TEXT NOT NULL,
    Step INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ParameterByResult ON ResultParameter (ResultId);
CREATE TABLE IF NOT EXISTS Event (
    EventId INTEGER PRIMARY KEY, SystemType INTEGER NOT NULL, System INTEGER NOT NULL,
    Station INTEGER NOT NULL,
    Sequence INTEGER NOT NULL, Time TEXT NOT NULL, Code INTEGER NOT NULL, Level INTEGER NOT NULL,
    Arrivals INTEGER NOT NULL DEFAULT 1, UNIQUE (SystemType, System, Station, Sequence, Time));
CREATE TABLE IF NOT EXISTS EventParameter (
    EventId INTEGER NOT NULL REFERENCES Event, ParameterId INTEGER, Type INTEGER, Value TEXT);
CREATE TABLE IF NOT EXISTS Graph (
    GraphId INTEGER PRIMARY KEY, SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER,
    Program INTEGER, Sequence INTEGER, Time TEXT, GraphType INTEGER, BitShift INTEGER, FactorDom INTEGER,
    FactorNom INTEGER, SampleMs REAL, Samples BLOB);
CREATE VIEW IF NOT EXISTS ResultView AS
    SELECT r.ResultId, t.Name AS SystemTypeName, s.Name AS SystemName, st.Name AS StationName,
        sp.Name AS SpindleName, p.Name AS ProgramName, r.Sequence,
        substr(r.Time, 1, 4) || '-' || substr(r.Time, 5, 2) || '-' || substr(r.Time, 7, 2) || ' ' ||
        substr(r.Time, 9, 2) || ':' || substr(r.Time, 11, 2) || ':' || substr(r.Time, 13, 2) AS Time,
        r.VIN, CASE r.Overall WHEN 0 THEN 'OK' ELSE 'NOK' END AS Overall,
        r.TorqueLow, r.Torque, r.TorqueHigh,
        CASE r.TorqueStatus WHEN 0 THEN 'OK' WHEN 1 THEN 'NOK' WHEN 2 THEN 'low' ELSE 'high' END
            AS TorqueStatus,
        r.AngleLow, r.Angle, r.AngleHigh,
        CASE r.AngleStatus WHEN 0 THEN 'OK' WHEN 1 THEN 'NOK' WHEN 2 THEN 'low' ELSE 'high' END
            AS AngleStatus,
        r.TighteningId, r.Arrivals
    FROM Result r
    LEFT JOIN TNMapSystemType t USING (SystemType)
    LEFT JOIN TNMapSystem s USING (SystemType, System)
    LEFT JOIN TNMapStation st USING (SystemType, System, Station)
    LEFT JOIN TNMapSpindle sp USING (SystemType, System, Station, Spindle)
    LEFT JOIN TNMapProgram p USING (SystemType, System, Station, Spindle, Program)
    ORDER BY r.ResultId;
"""


PORTABLE = True

FOR_A_SERVER = ("01", "02", "04", "06", "09", "13")  # the others go to the PIM, or come from the other side

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# Every telegram's fields, for all readers (004:120-320).


def _layout(start, text):
    """Return (name, start, width, form) of each `name:width:form`, one behind the other.

    Forms: d digits, written as their range, which stands behind it; t a time stamp, t? that or blanks, s text; n2, n1
    decimals; i a signed integer; f a number with or without a point.
    """
    rows = []
    for word in text.split():
        name, width, form = word.split(":")
        low, dash, high = form.partition("-")
        rows.append((name, start, int(width)) + (("d", int(low), int(high)) if dash else (form,)))
        start += int(width)
    return tuple(rows)


GENERAL = _layout(
    9,
    "system_type:4:1-9999 system:4:1-9999 station:4:1-9999 time:14:t sequence:5:0-99999 vin:25:s"
    " spindle_count:4:1-9999 spindle_bytes:2:70-99 vin_count:2:0-99 vin_bytes:2:29-99 parameter_count:3:0-999"
    " parameter_bytes:2:72-99",
)
SPINDLE = _layout(
    0,
    "spindle:4:1-9999 serial:10:s program:4:1-9999 overall:1:0-1 torque_low:8:n2 torque:8:n2 torque_status:1:0-3"
    " torque_high:8:n2 angle_low:8:n1 angle:8:n1 angle_status:1:0-3 angle_high:8:n1 time_status:1:0-3",
)
VIN = _layout(0, "identifier:4:1-9999 vin:25:s")
PARAMETER = _layout(
    0,
    "spindle:4:0-9999 program:4:1-9999 parameter_id:5:0-65535 name:25:s value:25:s type:1:0-2 unit:6:s step:2:0-99",
)
SYSTEM = _layout(7, "system_type:4:1-9999 system:4:1-9999 ip:15:s name:25:s spare:2:s")
STATION = _layout(7, "system_type:4:1-9999 system:4:1-9999 station:4:1-9999 ip:15:s name:25:s spindle_count:4:1-9999")
STATION_SPINDLE = _layout(0, "spindle:4:1-9999 name:25:s program_count:4:0-9999")
STATION_PROGRAM = _layout(0, "program:4:1-9999 name:25:s")
EVENT_PARAMETER = _layout(0, "parameter_id:3:0-999 type:1:0-9 value:20:s")
REQUEST = _layout(7, "system_type:4:1-9999 system:4:1-9999 station:4:1-9999")
EVENT = REQUEST + _layout(19, "time:14:t sequence:5:0-99999 code:5:0-99999 level:3:0-999 parameter_count:2:0-99")
# The time in a 05 is the server's (004:222): a station without one leaves it blank.
ACKNOWLEDGE = _layout(7, "time:14:t? code:3:0-999")
# What the other side sends (004:206-248, 373-383). A port may have blanks around it (004:318-320).
_INFORMATION = _layout(7, "latest_result:5:0-99999 latest_event:5:0-99999 ip:15:s port:5:i")
_EVENT_ACKNOWLEDGE = REQUEST + _layout(19, "time:14:t code:5:0-99999")
PLUGIN_REQUEST = _layout(7, "station:4:1-9999 ip:15:s")
GRAPH = _layout(
    7,
    "general_bytes:3:116-999 system_type:4:1-9999 system:4:1-9999 station:4:1-9999 spindle:4:1-9999"
    " program:4:1-9999 time:14:t sequence:5:0-99999 graph_type:1:0-1 bit_shift:10:i factor_dom:10:i"
    " factor_nom:10:i limit_min:8:n1 limit_max:8:n1 angle_offset:8:n1 sample_ms:8:f sample_bytes:4:0-8000",
)


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
    """Return the bytes on the line: four digits of length, then the telegram (004:105-110)."""
    return ("%04d" % len(telegram)).encode() + telegram


def time_ok(octets):
    """True if 14 digits are a moment that exists: yyyymmddhhnnss, nn being minutes (004:128)."""
    if not digits_only(octets):
        return False
    year, month, day = int(octets[:4]), int(octets[4:6]), int(octets[6:8])
    leaps = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1 or month < 1 or month > 12 or day < 1 or day > _MONTH_DAYS[month - 1] + leaps:
        return False
    return int(octets[8:10]) < 24 and int(octets[10:12]) < 60 and int(octets[12:14]) < 60


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


def _value(octets, form):
    """Return the field's value and, if it is wrong, what is allowed, else None."""
    kind = form[3]
    if kind == "d":
        if not digits_only(octets):
            return 0, "digits"
        value = int(octets)
        return value, None if form[4] <= value <= form[5] else "%d to %d" % (form[4], form[5])
    if kind in ("t", "t?"):
        good = time_ok(octets) or (kind == "t?" and octets == b" " * 14)
        return text_of(octets), None if good else "a time yyyymmddhhnnss"
    if kind == "s":
        return text_of(octets).rstrip(), None if printable(octets) else "printable ASCII"
    if kind == "i":
        good = _signed_ok(octets)
        return int(octets) if good else 0, None if good else "a signed integer"
    if kind == "f":
        good = _free_number_ok(octets)
    else:
        good = _decimal_ok(octets, int(kind[1]))
    return text_of(octets).strip(), None if good else "a number with %s decimals" % (kind[1:] or "any")


def _fields(telegram, base, layout, breaches, where=""):
    """Return the fields of a layout at `base`; a field beyond the end is a breach."""
    found = {}
    for form in layout:
        start = base + form[1]
        octets = telegram[start : start + form[2]]
        if len(octets) < form[2]:
            breaches.append(Breach(where + form[0], start + 1, "cut off", "%d bytes" % form[2]))
            found[form[0]] = 0 if form[3] in "di" else ""
            continue
        value, allowed = _value(octets, form)
        if allowed:
            breaches.append(Breach(where + form[0], start + 1, text_of(octets), allowed))
        found[form[0]] = value
    return found


def _expect_bytes(telegram, expected, breaches):
    if len(telegram) != expected:
        breaches.append(Breach("length", 0, "%d bytes" % len(telegram), "%d bytes" % expected))


def _result(telegram, breaches):
    """Return the fields of telegram 04 (004:120-185)."""
    general_bytes = telegram[7:9]
    if general_bytes != b"80":
        breaches.append(Breach("general_bytes", 8, text_of(general_bytes), "80"))
    found = _fields(telegram, 0, GENERAL, breaches)
    for name, position, size in (("spindle_bytes", 70, 70), ("vin_bytes", 74, 29), ("parameter_bytes", 79, 72)):
        if found[name] != size:
            breaches.append(Breach(name, position, "%d" % found[name], "%d" % size))
    counts = (found["spindle_count"], found["vin_count"], found["parameter_count"])
    expected = 80 + 70 * counts[0] + 29 * counts[1] + 72 * counts[2]
    _expect_bytes(telegram, expected, breaches)
    found["spindles"] = []
    found["vins"] = []
    found["parameters"] = []
    if len(telegram) != expected:
        return found
    at = 80
    for count, size, layout, name in (
        (counts[0], 70, SPINDLE, "spindles"),
        (counts[1], 29, VIN, "vins"),
        (counts[2], 72, PARAMETER, "parameters"),
    ):
        for index in range(count):
            found[name].append(_fields(telegram, at, layout, breaches, "%s[%d]." % (name, index)))
            at += size
    at -= 72 * counts[2]
    for parameter in found["parameters"]:
        check_parameter(parameter, at, breaches)
        at += 72
    return found


def check_parameter(parameter, at, breaches):
    """Check a value: type 1 is a signed 32-bit integer, type 2 a number (004:171)."""
    text = parameter["value"].strip()
    where = "parameter %05d " % parameter["parameter_id"]
    if not parameter["name"].strip():
        breaches.append(Breach(where + "name", at + 14, "blank", "a name"))
    if parameter["type"] == 1:
        unsigned = text[1:] if text[:1] == "-" else text
        if not digits_only(unsigned.encode()) or not -2147483648 <= int(text) <= 2147483647:
            breaches.append(Breach(where + "value", at + 39, text, "a signed 32-bit integer"))
    elif parameter["type"] == 2:
        unsigned = text[1:] if text[:1] == "-" else text
        if not _free_number_ok(unsigned.encode()):
            breaches.append(Breach(where + "value", at + 39, text, "a number"))


def _station(telegram, breaches):
    """Return the fields of telegram 02 (004:269-288): spindle blocks of 33 + 29 bytes for each program."""
    found = _fields(telegram, 0, STATION, breaches)
    found["spindles"] = []
    at = 63
    for index in range(found["spindle_count"]):
        where = "spindles[%d]." % index
        spindle = _fields(telegram, at, STATION_SPINDLE, breaches, where)
        at += 33
        spindle["programs"] = []
        for _ in range(spindle["program_count"]):
            spindle["programs"].append(_fields(telegram, at, STATION_PROGRAM, breaches, where + "program."))
            at += 29
        found["spindles"].append(spindle)
        if at > len(telegram):
            break
    _expect_bytes(telegram, at, breaches)
    return found


def _event(telegram, breaches):
    """Return the fields of telegram 09 (004:189-204)."""
    found = _fields(telegram, 0, EVENT, breaches)
    count = found["parameter_count"]
    _expect_bytes(telegram, 48 + 24 * count, breaches)
    found["parameters"] = []
    if len(telegram) == 48 + 24 * count:
        for index in range(count):
            where = "parameters[%d]." % index
            found["parameters"].append(_fields(telegram, 48 + 24 * index, EVENT_PARAMETER, breaches, where))
    return found


def _graph(telegram, breaches):
    """Return the fields of telegram 13 (004:290-320)."""
    found = _fields(telegram, 0, GRAPH, breaches)
    _expect_bytes(telegram, 116 + found["sample_bytes"], breaches)
    if found["general_bytes"] != 116 or found["sample_bytes"] % 2:
        told = "%d, %d" % (found["general_bytes"], found["sample_bytes"])
        breaches.append(Breach("general_bytes, sample_bytes", 8, told, "116, even"))
    if found["factor_nom"] == 0:
        breaches.append(Breach("factor_nom", 71, "0", "not 0"))
    found["samples"] = telegram[116:]
    return found


def take_apart(telegram, either_way=False):
    """Return (fields, breaches); fields always has "id" (two characters) and "identifier" (0 for none).

    A server receives the kinds of `_SENT` and four longer ones; with `either_way` those that it sends are accepted too.
    """
    breaches = []
    kind = text_of(telegram[:2])
    identifier = telegram[2:7]
    found = {}
    if kind == "04":
        found = _result(telegram, breaches)
    elif kind == "02":
        found = _station(telegram, breaches)
    elif kind == "09":
        found = _event(telegram, breaches)
    elif kind == "13":
        found = _graph(telegram, breaches)
    elif kind in _SENT or (either_way and kind in _TOLD):
        layout, size = _SENT[kind] if kind in _SENT else _TOLD[kind]
        _expect_bytes(telegram, size, breaches)
        found = _fields(telegram, 0, layout, breaches)
    else:
        breaches.append(Breach("telegram", 1, kind, "01, 02, 04 to 13"))
    found["id"] = kind
    found["identifier"] = int(identifier) if len(identifier) == 5 and digits_only(identifier) else 0
    if found["identifier"] == 0:
        breaches.append(Breach("identifier", 3, text_of(identifier), "1 to 99999"))
    return found, breaches


_SENT = {
    "01": (SYSTEM, 57),
    "05": (ACKNOWLEDGE, 24),
    "06": ((), 7),
    "07": (REQUEST, 19),
}
# What the other side sends, and 11, which belongs to another plug-in.
_TOLD = {
    "08": (_INFORMATION, 37),
    "10": (_EVENT_ACKNOWLEDGE, 38),
    "11": (PLUGIN_REQUEST, 26),
    "12": ((), 7),
}


# What ToolsNet's records say about themselves: their owner, the tightening, and which of two is older.

# The parameter that carries the controller's tightening ID (DIGEST G.6).
TIGHTENING_ID_PARAMETER = 30


def tightening_id_of(result):
    """Return the controller's tightening ID of a result, None if it has none."""
    for parameter in result["parameters"]:
        if parameter["parameter_id"] == TIGHTENING_ID_PARAMETER:
            text = parameter["value"].strip()
            return int(text) if text.isdigit() else None
    return None


def is_behind(sequence, latest):
    """True if `sequence` is an older number than `latest` on the circle 1..99999."""
    return (sequence - latest) % SEQUENCES > SEQUENCES // 2


def station_of(record):
    return record["system_type"], record["system"], record["station"]
