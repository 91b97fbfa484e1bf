"""What Linux adds to toolcart.agent.record.line: lines of events, several spindles, additional identifiers, any length.

Rules
1. Reads only a page in memory; allocates freely.
2. As there: text stays what the controller sent, fields keep their order, and a line is printable ASCII.
"""

import json

from toolcart.agent.record import KIND_EVENT, SEVERAL_LEAST, specials, spindles
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.record.line import Line
from toolcart.agent.record.text import describe, digits_of, text_of

CPYTHON_ONLY = True  # no board keeps such records
_encode = json.JSONEncoder(separators=(",", ":")).encode
_GRAPHS = (b'{"schema":1,"type":"graph"', b'{"schema":1,"type":"plot parameters"')  # toolcart.agent.wide.graphs

_PM_STATUS = {0x30: "OK", 0x31: "OKR", 0x32: "NOK", 0x33: "TERMNOK"}  # 003:8288-8290
_JUDGED = {0x30: "low", 0x31: "OK", 0x32: "high", 0x33: "NOK"}
_OBJECTS = {
    1: "dual reading",
    2: "tightening",
    3: "simulation",
    4: "joint check",
    5: "dimensional",
}  # beyond-2.8.md 3.5

# What an event's text has besides words: name, the `what` it belongs to, place, width, and how it is read.
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


class WideLine(Line):
    """Lines of all kinds of records; the buffer grows up to `most_bytes`, None for any length."""

    __slots__ = ("most_bytes",)

    def __init__(self, buf, most_bytes=None):
        Line.__init__(self, buf)
        self.most_bytes = most_bytes

    def has_room(self, octets):
        """True if so many more bytes fit."""
        lack = self.end + octets - self.most
        if lack > 0 and (self.most_bytes is None or self.end + octets <= self.most_bytes):
            self.buf.extend(bytes(max(lack, self.most)))
            self.most = len(self.buf) if self.most_bytes is None else min(len(self.buf), self.most_bytes)
        return Line.has_room(self, octets)

    def write_record(self, page, at, kind, flags, length):
        """Write the whole line, as far as it fits."""
        if kind != KIND_EVENT:
            Line.write_record(self, page, at, kind, flags, length)
            return
        fields = []
        _event(fields, describe(page, at, kind, flags, length), page, at)
        self.begin(page, at, b"event")
        self.add(("," + _encode(dict(fields))[1:] + "\n").encode())

    def add_more(self, page, at, length):
        """Write several spindles and additional identifiers; null if there are none."""
        if length < SEVERAL_LEAST:
            Line.add_more(self, page, at, length)
            return
        more = specials.has_identifiers(page, at, length)
        fields = []
        fields.append(("spindles", None if more else _spindles(page, at, length)))
        found = specials.places_of(page, at) if more else ()
        for number in range(1, specials.COUNT + 1):
            texts = [text_of(page, place, specials.WIDTH) for one, place in found if one == number]
            fields.append(("identifier_%d" % (number + 1), texts[0] if texts else None))
        self.add(("," + _encode(dict(fields))[1:-1]).encode())


_line = WideLine(bytearray(4096))


def line_of(page, at, kind, flags, length):
    """Return the record whose payload of `length` bytes is at page[at:] as a line, with its line end."""
    _line.end = 0
    _line.put(page, at, kind, flags, length)
    return bytes(_line.buf[: _line.end])


def line_with(fields):
    """Return these (name, value) pairs as a line, with its line end."""
    return (_encode(dict(fields)) + "\n").encode()


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


def _spindles(page, at, length):
    """Return what a result of several spindles adds (toolcart.agent.record.spindles)."""
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
        value = _named(page, place + specials.NAME, place + specials.VALUE, octets, place + specials.STEP)
        special.setdefault(row, []).append(value)
    fields.append(("special", special.get(-1, [])))
    each = []
    for index, row in enumerate(spindles.rows_of(page, at)):
        each.append(_spindle(page, row, specials.object_of(page, at, index), extras.get(index), special.get(index, [])))
    fields.append(("each", each))
    return dict(fields)


def _named(page, name, value, octets, step):
    """Return a value that PowerMACS names in words, from the places of its parts."""
    return {
        "name": text_of(page, name, spindles.NAME_BYTES),
        "value": text_of(page, value, octets),
        "step": _whole(page, step, 2),
    }


def _spindle(page, row, refers, extra, special):
    """Return one spindle; `extra`: where its bolt data begins, and how many values it has."""
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
        return dict(fields + [("bolt", None)])
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
    return dict(fields + [("bolt", dict(bolt))])


def is_graph_line(line):
    """True if the line is a curve or its parameters."""
    return line.startswith(_GRAPHS)


def is_other_line(line):
    """True if the line is a result, a frame or an event."""
    return not line.startswith(_GRAPHS)


def number_in(line):
    """Return the `number` of a line that `line_of` has made; 0 if it has none."""
    _, _, rest = line.partition(b'"number":')
    digits = rest.partition(b",")[0]
    return int(digits) if digits.isdigit() else 0


def _whole(buf, at, width):
    text = text_of(buf, at, width)
    return int(text) if text.isdigit() else None


def _number(text):
    if not text.replace(".", "").replace("-", "").isdigit():
        return None
    return float(text) if "." in text else int(text)


def iso_time(stamp):
    """Return `YYYY-MM-DD hh:mm:ss` as ISO 8601 writes it; the controller gives no time zone."""
    return stamp.replace(" ", "T") if stamp else None


def _wire_time(text):
    """Return the same for `YYYY-MM-DD:hh:mm:ss`, the form in messages."""
    return text[:10] + "T" + text[11:] if len(text) == res.STAMP_BYTES and text[10] == ":" else None
