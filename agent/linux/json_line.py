"""What Linux adds to toolcart.agent.record.json_line: lines of events, of several spindles, of any length.

Rules
1. Reads only a page in memory; allocates freely.
2. As there: text stays what the controller sent, fields keep their order, and a line is printable ASCII.
"""

import json

from toolcart.agent.record import KIND_EVENT, SEVERAL_LEAST, extended_values, identifiers, spindles
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.record.json_line import Line
from toolcart.agent.record.text import describe, digits_of, text_of

CPYTHON_ONLY = True  # no board keeps such records
_encode = json.JSONEncoder(separators=(",", ":")).encode
_GRAPHS = (
    b'{"schema":1,"type":"graph"',
    b'{"schema":1,"type":"plot parameters"',
)  # toolcart.agent.linux.curve_assembly

_PM_STATUS = {0x30: "OK", 0x31: "OKR", 0x32: "NOK", 0x33: "TERMNOK"}  # OP 5.13.2 p. 182
_JUDGED = {0x30: "low", 0x31: "OK", 0x32: "high", 0x33: "NOK"}
_OBJECTS = {
    1: "dual reading",
    2: "tightening",
    3: "simulation",
    4: "joint check",
    5: "dimensional",
}  # protocol.md 10.7


def _named(words):
    """Return what gives a text its meaning among these words, itself if it has none."""
    return lambda text: words.get(text, text) or None


def _text(text):
    return text or None


def _digits(text):
    return (text.lstrip("0") or "0") if text else None


def _whole(text):
    return int(text) if text.isdigit() else None


def _wire_time(text):
    """Return `YYYY-MM-DD:hh:mm:ss`, the form in messages, as ISO 8601 writes it; None if it is not a time."""
    stamp = text.encode()
    return text[:10] + "T" + text[11:] if len(stamp) == res.STAMP_BYTES and res.is_time(stamp, 0) else None


_JOB_STATUS = {"0": "not completed", "1": "OK", "2": "NOK", "3": "aborted"}  # OP 5.5.6 p. 116-119
_JOB_MODE = {"0": "OK alone", "1": "OK and NOK"}
_TIGHTENINGS = ("off", "OK", "NOK", "aborted", "incremented", "decremented", "bypassed", "batch reset", "loosening")
_TIGHTENINGS += ("free batch", "job aborted")
_JOB_TIGHTENING = {"%02d" % number: word for number, word in enumerate(_TIGHTENINGS)}

# What an event's text has: the `what` it belongs to, place and width; its parameter in telegram 09, and whether that is
# a number (toolcart.agent.linux.toolsnet_events); its name in a line, where it is not the line's `text`, and its form.
EVENT_FIELDS = (
    (ev.ALARM, 0, 50, 4, False, None, None),
    (ev.PSET_SELECTED, ev.PSET_NAME, 25, 4, False, None, None),
    (ev.PSET_SELECTED, ev.PSET_CHANGE, 19, 10, False, "program_changed", _wire_time),
    (ev.JOB, ev.JOB_STATUS, 1, 20, True, "job_status", _named(_JOB_STATUS)),
    (ev.JOB, ev.JOB_MODE, 1, 21, True, "batch_mode", _named(_JOB_MODE)),
    (ev.JOB, ev.JOB_SIZE, 4, 22, True, "batch_size", _whole),
    (ev.JOB, ev.JOB_COUNTER, 4, 23, True, "batch_counter", _whole),
    (ev.JOB, ev.JOB_STEP, 3, 24, True, "step", _whole),
    (ev.JOB, ev.JOB_STEPS, 3, 25, True, "steps", _whole),
    (ev.JOB, ev.JOB_STEP_TYPE, 2, 26, True, "step_type", _whole),
    (ev.JOB, ev.JOB_TIGHTENING, 2, 27, True, "last_tightening", _named(_JOB_TIGHTENING)),
    (ev.JOB, ev.JOB_SEQUENCE, 5, 28, True, "job_sequence", _whole),
    (ev.VIN, 0, ev.VIN_MOST, 30, False, None, None),
    (ev.VIN, ev.IDENTIFIER_2, 25, 32, False, "identifier_2", _text),
    (ev.VIN, ev.IDENTIFIER_3, 25, 34, False, "identifier_3", _text),
    (ev.VIN, ev.IDENTIFIER_4, 25, 36, False, "identifier_4", _text),
    (ev.GONE, ev.GONE_FIRST, 10, 40, False, "first_id", _digits),
    (ev.GONE, ev.GONE_LAST, 10, 41, False, "last_id", _digits),
    (ev.GONE, ev.GONE_COUNT, 10, 42, True, "count", _whole),
    (ev.GONE, ev.GONE_TOTAL, 10, 43, True, "total", _whole),
    (ev.GONE, ev.GONE_EPOCH, 3, 44, True, "id_epoch", _whole),
    (ev.COMMAND, ev.COMMAND_OUTCOME, ev.COMMAND_OUTCOME_BYTES, 50, False, "outcome", _text),
    (ev.COMMAND, ev.COMMAND_MID, 4, 51, True, "mid", _whole),
    (ev.COMMAND, ev.COMMAND_WHO, ev.COMMAND_WHO_BYTES, 52, False, "asked_by", _text),
    (ev.COMMAND, ev.COMMAND_WORDS, ev.COMMAND_WORDS_BYTES, 4, False, None, None),
)


class ExtendedLine(Line):
    """Lines of all kinds of records, of any length: the buffer grows."""

    __slots__ = ()

    def has_room(self, octets):
        """Make room for so many more bytes, and return True."""
        lack = self.end + octets - self.most
        if lack > 0:
            self.buf.extend(bytes(max(lack, self.most)))
            self.most = len(self.buf)
        return True

    def write_record(self, page, at, kind, flags, length):
        """Write the whole line, as far as it fits."""
        if kind != KIND_EVENT:
            Line.write_record(self, page, at, kind, flags, length)
            return
        fields = _event(describe(page, at, kind, flags, length), page, at)
        self.begin(page, at, b"event")
        self.add(("," + _encode(fields)[1:] + "\n").encode())

    def add_more(self, page, at, length):
        """Write several spindles and additional identifiers; null if there are none."""
        if length < SEVERAL_LEAST:
            Line.add_more(self, page, at, length)
            return
        more = identifiers.has_identifiers(page, at, length)
        fields: dict = {"spindles": None if more else _spindles(page, at, length)}
        places = dict(identifiers.places_of(page, at)) if more else {}
        for number in range(1, identifiers.COUNT + 1):
            is_there = number in places
            fields["identifier_%d" % (number + 1)] = (
                text_of(page, places[number], identifiers.WIDTH) if is_there else None
            )
        frame = identifiers.frame_of(page, at, length)
        if frame:
            fields["frame"] = frame.hex()
        self.add(("," + _encode(fields)[1:-1]).encode())


_line = ExtendedLine(bytearray(4096))


def line_of(page, at, kind, flags, length):
    """Return the record whose payload of `length` bytes is at page[at:] as a line, with its line end."""
    _line.end = 0
    _line.put(page, at, kind, flags, length)
    return bytes(_line.buf[: _line.end])


def line_with(fields):
    """Return these (name, value) pairs as a line, with its line end."""
    return (_encode(dict(fields)) + "\n").encode()


def _event(labels, page, at):
    """Return what the line of an event has, which `labels` says in words."""
    fields: dict = {"time": iso_time(labels["time"])}
    for name in ("time_source", "event", "code", "text", "controller_ready", "tool_ready"):
        fields[name] = labels[name]
    text = page[at + ev.TEXT : at + ev.TEXT + page[at + ev.TEXT_LENGTH]].ljust(ev.TEXT_MOST)
    for what, place, width, _, _, name, form in EVENT_FIELDS:
        if form is not None:
            fields[name] = form(text_of(text, place, width) if what == page[at + ev.WHAT] else "")
    return fields


def _spindles(page, at, length):
    """Return what a result of several spindles adds (toolcart.agent.record.spindles)."""
    is_bolts = spindles.form_of(page, at) == spindles.BOLTS
    head = at + spindles.PLACE
    sequence = text_of(page, head + spindles.JOB_SEQUENCE, spindles.JOB_SEQUENCE_BYTES)
    fields: dict = {
        "told": spindles.announced_of(page, at),
        "press": spindles.presses(page, at),
        "job_sequence": _whole(sequence) if spindles.form_of(page, at) == spindles.SYNC else None,
        "pm_status": _PM_STATUS.get(page[head + spindles.PM_STATUS]) if is_bolts else None,
        "station_number": _whole(text_of(page, head + spindles.STATION, 2)) if is_bolts else None,
    }
    for name, place, width in _STATION_TEXTS:
        fields[name] = _text(text_of(page, head + place, width)) if is_bolts else None
    extras = {row: (place, count) for row, place, count in spindles.extras_of(page, at, length)}
    special = {}
    for row, place, octets in extended_values.specials_of(page, at, length):
        value = _in_words(
            page, place + extended_values.NAME, place + extended_values.VALUE, octets, place + extended_values.STEP
        )
        special.setdefault(row, []).append(value)
    fields["special"] = special.get(-1, [])
    fields["each"] = [
        _spindle(page, row, extended_values.object_of(page, at, index), extras.get(index), special.get(index, []))
        for index, row in enumerate(spindles.rows_of(page, at))
    ]
    return fields


_STATION_TEXTS = (
    ("station_name", spindles.STATION_NAME, spindles.NAME_BYTES),
    ("mode_name", spindles.MODE_NAME, spindles.NAME_BYTES),
    ("vin_rest", spindles.WORKPIECE, spindles.WORKPIECE_BYTES),
)
_BOLT_TEXTS = (
    ("name", spindles.EXTRA_NAME, spindles.NAME_BYTES),
    ("program", spindles.EXTRA_PROGRAM, spindles.NAME_BYTES),
    ("errors", spindles.EXTRA_ERRORS, spindles.ERRORS_BYTES),
    ("customer_error", spindles.EXTRA_CODE, 4),
)


def _in_words(page, name, value, octets, step):
    """Return a value that PowerMACS names in words, from the places of its parts."""
    return {
        "name": text_of(page, name, spindles.NAME_BYTES),
        "value": text_of(page, value, octets),
        "step": _whole(text_of(page, step, 2)),
    }


def _spindle(page, row, refers, extra, special):
    """Return one spindle; `extra`: where its bolt data begins, and how many values it has."""
    return {
        "spindle": row.number if row.number >= 0 else None,
        "channel": row.channel if row.channel >= 0 else None,
        "status": "OK" if row.status == 0x31 else "NOK",
        "torque": row.torque or None,
        "torque_status": _JUDGED.get(row.torque_status),
        "angle": _number(row.angle),
        "angle_status": _JUDGED.get(row.angle_status),
        "torque_min": row.torque_min or None,
        "torque_max": row.torque_max or None,
        "angle_min": _number(row.angle_min),
        "angle_max": _number(row.angle_max),
        "object_type": _OBJECTS.get(refers[0]),
        "reference_object": refers[1] if refers[1] > 0 else None,
        "bolt": None if extra is None else _bolt(page, extra[0], extra[1], special),
    }


def _bolt(page, place, count, special):
    first = place + spindles.EXTRA_BYTES
    places = [first + index * spindles.VALUE_BYTES for index in range(count)]
    bolt: dict = {"number": _text(digits_of(page, place + spindles.EXTRA_NUMBER, 4))}
    for name, start, width in _BOLT_TEXTS:
        bolt[name] = _text(text_of(page, place + start, width))
    bolt["pm_status"] = _PM_STATUS.get(page[place + spindles.EXTRA_PM_STATUS])
    bolt["values"] = [_in_words(page, at, at + 22, spindles.FIGURE_BYTES, at + 29) for at in places]
    bolt["special"] = special
    return bolt


def is_graph_line(line):
    """True if the line is a curve or its parameters."""
    return line.startswith(_GRAPHS)


def number_in(line):
    """Return the `number` of a line that `line_of` has made; 0 if it has none."""
    _, _, rest = line.partition(b'"number":')
    digits = rest.partition(b",")[0]
    return int(digits) if digits.isdigit() else 0


def station_in(line):
    """Return the digits of a line's `station`; b"" if it has none."""
    return line.partition(b'"station":')[2].partition(b",")[0]


def is_same_record(line, other):
    """True if two lines tell the same record: all fields that both have are the same; one may be an older version's."""
    if line == other:
        return True
    try:
        one, two = json.loads(line), json.loads(other)
    except ValueError:
        return False
    if not isinstance(two, dict) or not {"type", "station", "number"} <= two.keys():
        return False
    return all(one[name] == two[name] for name in one.keys() & two.keys() if name != "schema")


def _number(text):
    if not text.replace(".", "").replace("-", "").isdigit():
        return None
    return float(text) if "." in text else int(text)


def iso_time(stamp):
    """Return `YYYY-MM-DD hh:mm:ss` as ISO 8601 writes it; the controller gives no time zone."""
    return stamp.replace(" ", "T") if stamp else None
