"""One record as one line of JSON: what an outlet writes that others read. docs/outlets.md has every field.

Rules
1. Reads a page in memory, and that alone; allocates as it likes.
2. A figure that was measured stays the text that the controller sent, in its unit: nothing is rounded. What is absent
   is null. IDs and numbers of programs are text; counts and degrees are whole numbers.
3. Fields keep their order, and a line is printable ASCII: the same record always gives the same octets.
"""

from agent.record import KIND_EVENT, KIND_RAW, SEVERAL_LEAST, identifiers, specials, spindles
from agent.record import event as ev
from agent.record import result as res
from agent.record.odd import decimals_of
from agent.record.raw import FRAME
from agent.record.text import decimal_of, describe, digits_of, text_of

CPYTHON_ONLY = True  # no board has a file to write lines into
SCHEMA = 1
_GRAPHS = (b'{"schema":1,"type":"graph"', b'{"schema":1,"type":"plot parameters"')  # agent.wide.graphs

_PM_STATUS = {0x30: "OK", 0x31: "OKR", 0x32: "NOK", 0x33: "TERMNOK"}  # 003:8288-8290
_JUDGED = {0x30: "low", 0x31: "OK", 0x32: "high", 0x33: "NOK"}
_OBJECTS = {
    1: "dual reading",
    2: "tightening",
    3: "simulation",
    4: "joint check",
    5: "dimensional",
}  # beyond-2.8.md 3.5

# What an event's text has beside words: name, `what` it is of, place, width, and what is made of it.
_TEXT, _WHOLE, _TIME = range(3)
_DETAILS = (
    ("program_changed", ev.PSET_SELECTED, ev.PSET_CHANGE, 19, _TIME),
    ("job_status", ev.JOB, ev.JOB_STATUS, 1, _TEXT),
    ("batch_mode", ev.JOB, ev.JOB_MODE, 1, _TEXT),
    ("batch_size", ev.JOB, ev.JOB_SIZE, 4, _WHOLE),
    ("batch_counter", ev.JOB, ev.JOB_COUNTER, 4, _WHOLE),
    ("step", ev.JOB, ev.JOB_STEP, 3, _WHOLE),
    ("steps", ev.JOB, ev.JOB_STEPS, 3, _WHOLE),
    ("step_type", ev.JOB, ev.JOB_STEP_TYPE, 2, _WHOLE),
    ("last_tightening", ev.JOB, ev.JOB_TIGHTENING, 2, _TEXT),
    ("job_sequence", ev.JOB, ev.JOB_SEQUENCE, 5, _WHOLE),
    ("identifier_2", ev.VIN, ev.IDENTIFIER_2, 25, _TEXT),
    ("identifier_3", ev.VIN, ev.IDENTIFIER_3, 25, _TEXT),
    ("identifier_4", ev.VIN, ev.IDENTIFIER_4, 25, _TEXT),
)
_COMMAND = (
    ("outcome", ev.COMMAND, ev.COMMAND_OUTCOME, ev.COMMAND_OUTCOME_BYTES, _TEXT),
    ("mid", ev.COMMAND, ev.COMMAND_MID, 4, _WHOLE),
    ("asked_by", ev.COMMAND, ev.COMMAND_WHO, ev.COMMAND_WHO_BYTES, _TEXT),
)
# 003:4976-5226
_DETAIL_NAMES = {
    "job_status": {"0": "not completed", "1": "OK", "2": "NOK", "3": "aborted"},
    "batch_mode": {"0": "OK alone", "1": "OK and NOK"},
    "last_tightening": {
        "00": "off",
        "01": "OK",
        "02": "NOK",
        "03": "aborted",
        "04": "incremented",
        "05": "decremented",
        "06": "bypassed",
        "07": "batch reset",
        "08": "loosening",
        "09": "free batch",
        "10": "job aborted",
    },
}


def line_of(page, at, kind, flags, length):
    """Return the record whose payload of `length` octets lies at page[at:] as a line, with its end."""
    told = describe(page, at, kind, flags, length)
    fields = [
        ("schema", SCHEMA),
        ("type", "event" if kind == KIND_EVENT else "frame" if kind == KIND_RAW else "result"),
        ("station", told["station"]),
        ("number", told["number"]),
    ]
    if kind == KIND_EVENT:
        _event(fields, told, page, at)
    else:
        fields.append(("spindle", told["spindle"]))
        if kind == KIND_RAW:
            fields.append(("cut_short", flags & res.FLAG_TRUNCATED != 0))
            fields.append(("frame", "".join([chr(octet) for octet in page[at + FRAME : at + length]])))
        else:
            _result(fields, told, page, at + res.HEAD_BYTES, length)
        fields.append(("fetched", flags & res.FLAG_RECOVERED != 0))
        fields.append(("again", flags & res.FLAG_RETRIED != 0))
    return line_with(fields)


def line_with(fields):
    """Return the line, with its end, of these (name, value)."""
    return (_object(fields) + "\n").encode()


def _object(fields):
    return "{%s}" % ",".join(["%s:%s" % (_text(name), _value(value)) for name, value in fields])


def _event(fields, told, page, at):
    fields.append(("time", iso_time(told["time"])))
    for name in ("time_source", "event", "code", "text", "controller_ready", "tool_ready"):
        fields.append((name, told[name]))
    text = bytearray(b" " * ev.TEXT_MOST)
    text[: page[at + ev.TEXT_LENGTH]] = page[at + ev.TEXT : at + ev.TEXT + page[at + ev.TEXT_LENGTH]]
    _details(fields, _DETAILS, text, page[at + ev.WHAT])
    for name in ("first_id", "last_id", "count", "total", "id_epoch"):
        fields.append((name, told.get(name)))
    _details(fields, _COMMAND, text, page[at + ev.WHAT])


def _details(fields, rows, text, happened):
    for name, what, place, width, form in rows:
        value = text_of(text, place, width) if what == happened else ""
        if form == _WHOLE:
            fields.append((name, int(value) if value.isdigit() else None))
        elif form == _TIME:
            fields.append((name, _wire_time(value)))
        else:
            fields.append((name, _DETAIL_NAMES.get(name, {}).get(value, value) or None))


def _result(fields, told, page, body, length):
    fields.append(("time", iso_time(told["time"])))
    fields.append(("time_source", told["time_source"]))
    for name in ("tightening_id", "vin"):
        fields.append((name, told[name] or None))
    fields.append(("job", digits_of(page, body + res.JOB, 4) or None))
    fields.append(("program", told["program"] or None))
    fields.append(("batch_size", _whole(page, body + res.BATCH_SIZE, 4)))
    fields.append(("batch_counter", _whole(page, body + res.BATCH_COUNTER, 4)))
    fields.append(("batch_status", _status(told["batch_status"])))
    fields.append(("status", told["status"]))
    fields.append(("torque", _decimal(told["torque"])))
    fields.append(("torque_unit", told["unit"]))
    fields.append(("torque_status", _status(told["torque_status"])))
    fields.append(("angle", _number(told["angle"])))
    fields.append(("angle_status", _status(told["angle_status"])))
    fields.append(("program_changed", _wire_time(text_of(page, body + res.PSET_CHANGE, res.STAMP_BYTES))))
    fields.append(("tool_serial", text_of(page, body + res.SERIAL, res.SERIAL_BYTES) or None))
    fields.append(("id_epoch", page[body - res.HEAD_BYTES + res.ID_EPOCH]))
    has_limits = length >= res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES
    limits = body + res.BODY_BYTES
    decimals = decimals_of(page, body - res.HEAD_BYTES, length) if "odd" in told else 0
    for name, place in (
        ("torque_min", res.TORQUE_MIN),
        ("torque_max", res.TORQUE_MAX),
        ("torque_target", res.TORQUE_TARGET),
    ):
        shown = decimal_of(page, limits + place, res.TORQUE_BYTES, 2) if has_limits else ""
        fields.append((name, _decimal(shown)))
    for name, place in (("angle_min", res.ANGLE_MIN), ("angle_max", res.ANGLE_MAX), ("angle_target", res.ANGLE_TARGET)):
        shown = decimal_of(page, limits + place, res.ANGLE_BYTES, decimals) if has_limits else ""
        fields.append((name, _number(shown)))
    fields.append(("odd", told.get("odd") or None))
    at = body - res.HEAD_BYTES
    more = identifiers.has_identifiers(page, at, length)
    fields.append(("spindles", _spindles(page, at, length) if length >= SEVERAL_LEAST and not more else None))
    found = identifiers.places_of(page, at) if more else ()
    for number in range(1, identifiers.COUNT + 1):
        texts = [text_of(page, place, identifiers.WIDTH) for one, place in found if one == number]
        fields.append(("identifier_%d" % (number + 1), texts[0] if texts else None))


def _spindles(page, at, length):
    """What a result of several spindles has more (agent.record.spindles), as (name, value)."""
    is_bolts = spindles.form_of(page, at) == spindles.BOLTS
    head = at + spindles.PLACE
    sequence = None if is_bolts else _whole(page, head + spindles.JOB_SEQUENCE, spindles.JOB_SEQUENCE_BYTES)
    fields = [
        ("told", spindles.told_of(page, at)),
        ("press", spindles.presses(page, at)),
        ("job_sequence", sequence),
        ("pm_status", _PM_STATUS.get(page[head + spindles.PM_STATUS]) if is_bolts else None),
        ("station_number", _whole(page, head + spindles.STATION, 2) if is_bolts else None),
    ]
    for name, place, width in (
        ("station_name", spindles.STATION_NAME, spindles.NAME_BYTES),
        ("mode_name", spindles.MODE_NAME, spindles.NAME_BYTES),
        ("vin_rest", spindles.WORKPIECE, spindles.WORKPIECE_BYTES),
    ):
        fields.append((name, text_of(page, head + place, width) or None if is_bolts else None))
    extras = {row: (place, count) for row, place, count in spindles.extras_of(page, at, length)}
    special = {}
    for row, place, octets in specials.specials_of(page, at, length):
        special.setdefault(row, []).append(_special(page, place, octets))
    fields.append(("special", special.get(-1, [])))
    rows = spindles.rows_of(page, at)
    each = []
    for index, row in enumerate(rows):
        each.append(_spindle(page, row, specials.object_of(page, at, index), extras.get(index), special.get(index, [])))
    fields.append(("each", each))
    return tuple(fields)


def _special(page, place, octets):
    return _named(page, place + specials.NAME, place + specials.VALUE, octets, place + specials.STEP)


def _named(page, name, value, octets, step):
    """A value that PowerMACS names by words, whose parts stand at these places."""
    return (
        ("name", text_of(page, name, spindles.NAME_BYTES)),
        ("value", text_of(page, value, octets)),
        ("step", _whole(page, step, 2)),
    )


def _spindle(page, row, refers, extra, special):
    """One spindle, as (name, value); `extra`: where its bolt data begins, and how many values it has."""
    fields = [
        ("spindle", row.number if row.number >= 0 else None),
        ("channel", row.channel if row.channel >= 0 else None),
        ("status", "OK" if row.status == 0x31 else "NOK"),
        ("torque", row.torque or None),
        ("torque_status", _JUDGED.get(row.torque_status)),
        ("angle", _number(row.angle)),
        ("angle_status", _JUDGED.get(row.angle_status)),
        ("torque_min", row.torque_min or None),
        ("torque_max", row.torque_max or None),
        ("angle_min", _number(row.angle_min)),
        ("angle_max", _number(row.angle_max)),
        ("object_type", _OBJECTS.get(refers[0])),
        ("reference_object", refers[1] if refers[1] > 0 else None),
    ]
    if extra is None:
        return tuple(fields + [("bolt", None)])
    place, count = extra
    values = []
    for index in range(count):
        value = place + spindles.EXTRA_BYTES + index * spindles.VALUE_BYTES
        values.append(_named(page, value, value + 22, spindles.FIGURE_BYTES, value + 29))
    bolt = [("number", digits_of(page, place + spindles.EXTRA_NUMBER, 4) or None)]
    for name, start, width in (
        ("name", spindles.EXTRA_NAME, spindles.NAME_BYTES),
        ("program", spindles.EXTRA_PROGRAM, spindles.NAME_BYTES),
        ("errors", spindles.EXTRA_ERRORS, spindles.ERRORS_BYTES),
        ("customer_error", spindles.EXTRA_CODE, 4),
    ):
        bolt.append((name, text_of(page, place + start, width) or None))
    bolt.append(("pm_status", _PM_STATUS.get(page[place + spindles.EXTRA_PM_STATUS])))
    bolt += [("values", values), ("special", special)]
    return tuple(fields + [("bolt", tuple(bolt))])


def is_graph_line(line):
    """True if the line is of a curve or its parameters."""
    return line.startswith(_GRAPHS)


def is_other_line(line):
    """True if the line is of a result, a frame or an event."""
    return not line.startswith(_GRAPHS)


def number_in(line):
    """Return the `number` of a line that `line_of` has made, 0 if it is none."""
    _, _, rest = line.partition(b'"number":')
    digits = rest.partition(b",")[0]
    return int(digits) if digits.isdigit() else 0


def _status(text):
    """A status in words; one that does not exist is an octet, and told as odd."""
    return text if len(text) > 1 else None


def _whole(buf, at, width):
    text = text_of(buf, at, width)
    return int(text) if text.isdigit() else None


def _decimal(text):
    """The text of a number as it is; None if it is none."""
    return text if text.replace(".", "").replace("-", "").isdigit() else None


def _number(text):
    if not _decimal(text):
        return None
    return float(text) if "." in text else int(text)


def iso_time(stamp):
    """`YYYY-MM-DD hh:mm:ss` as ISO 8601 writes it; the controller names no time zone."""
    return stamp.replace(" ", "T") if stamp else None


def _wire_time(text):
    """The same for `YYYY-MM-DD:hh:mm:ss`, as it stands in messages."""
    return text[:10] + "T" + text[11:] if len(text) == res.STAMP_BYTES and text[10] == ":" else None


def _value(value):
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, tuple):
        return _object(value)
    if isinstance(value, list):
        return "[%s]" % ",".join([_value(one) for one in value])
    return str(value) if isinstance(value, (int, float)) else _text(value)


def _text(text):
    """As JSON writes text; what is no printable ASCII as the four digits of its code."""
    parts = ['"']
    for letter in text:
        if letter == '"' or letter == "\\":
            parts.append("\\" + letter)
        elif " " <= letter <= "~":
            parts.append(letter)
        else:
            parts.append("\\u%04x" % ord(letter))
    parts.append('"')
    return "".join(parts)
