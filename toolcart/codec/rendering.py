"""A message and a MID's tables, as lines for people and as plain data for JSON.

Rules
1. The content of a message is foreign text: it goes through toolcart.base.terminal_safe on its way to a terminal.
2. JSON has values as they are: whole numbers, their decimal text beside them, words for codes, hex for octets. The
   frame stands beside them, so a line can be read again (toolcart.codec.inputs, `from_json`).
"""

from __future__ import annotations

import textwrap
from typing import Any

from toolcart import catalogue
from toolcart.agent.openprotocol import layouts, shifted_result
from toolcart.agent.openprotocol.spindle_assembly import ASSEMBLY_UNREADABLE, SpindleAssembly
from toolcart.agent.openprotocol.spindle_layouts import STATION_MID, SYNC_MID
from toolcart.agent.record import PAYLOAD_WIDE
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.malformed import INCOMPLETE
from toolcart.agent.record.result import BODY_BYTES, LIMITS_BYTES
from toolcart.base.terminal_safe import visible
from toolcart.catalogue import DataField, FrameError, Message, Odd, Resolution, read_extra, samples_of
from toolcart.catalogue.fields import Field
from toolcart.catalogue.forms import Form
from toolcart.catalogue.meanings import names_of
from toolcart.codec.examples import example
from toolcart.codec.inputs import TOOLSNET, CaptureItem
from toolcart.toolsnet.telegrams import take_apart

KINDS = {
    "Q": "request",
    "P": "reply",
    "S": "subscription",
    "E": "event",
    "A": "acknowledgement",
    "C": "command",
    "C!": "command, can be disabled by an input",
    "L": "link level",
    "X": "other",
}
SENDERS = {"I": "integrator", "C": "controller", "IC": "both"}
TELEGRAMS = {
    "01": "System description",
    "02": "Station description",
    "04": "Result",
    "05": "Acknowledge",
    "06": "Keep-alive",
    "07": "PIM information request",
    "08": "PIM information",
    "09": "Error event",
    "10": "Error event acknowledge",
    "11": "FSH information request",
    "12": "PIM verification",
    "13": "Graph",
}
SAMPLES_SHOWN = 12
VALUES_COLUMNS = 100  # of a list of values, which is indented by 6
VALUES_REPEATED = 8  # a longer list of values is shown once
LIGHT = 999  # the revision without parameter IDs
NO_UNIT = "its torque has a unit that is not defined; the agent keeps it as it came"
NO_RESULT = "of its ID, time and status too few can be read; the agent keeps it as it came"
NO_SPINDLES = "it cannot be read, or a torque or an angle of it is no number; the agent keeps it as it came"
SYNC_ROWS = 174  # where those of MID 0101 begin
READ_WITH = {  # what the agent reads: decimals, below 0 if it may have no point
    **dict.fromkeys(("tightening_id", "job_id", "pset_id", "batch_size", "batch_counter"), -1),
    **dict.fromkeys(("torque", "torque_min", "torque_max", "torque_target"), 2),
    **dict.fromkeys(("angle", "angle_min", "angle_max", "angle_target"), 0),
}
OCTETS_SHOWN = 200  # of what is not a message; --json has them all
NOTES = ("wrong_length", "later", "shifted", "incomplete", "unreadable")
TYPES = {"N": "digits", "I": "signed", "B": "bit mask", "F": "number", "T": "text", "D": "time", "H": "hex"}
LISTS = {"G": "group", "V": "data fields", "U": "data fields without step", "R": "resolutions", "Z": "NUL, samples"}


def as_data(seen: CaptureItem) -> dict[str, Any]:
    """Return one message as plain data."""
    data: dict[str, Any] = {"protocol": seen.protocol}
    if seen.at_s is not None:
        data["at_s"] = round(seen.at_s, 6)
    if seen.way:
        data["way"] = seen.way
    if seen.problem:
        return {**data, "problem": seen.problem, "octets": seen.octets.hex()}
    if seen.protocol == TOOLSNET:
        return {**data, **_telegram(seen.octets), "octets": seen.octets.hex()}
    try:
        message = seen.message()
    except FrameError as error:
        return {**data, "problem": str(error), "octets": seen.octets.hex()}
    if seen.parts:
        data |= {"parts": len(seen.parts), "frames": [part.hex() for part in seen.parts]}
    else:
        data["frame"] = seen.octets.hex()
    counted, actual = seen.wrong_length()
    if actual:
        data["wrong_length"] = f"its length says {counted}, it has {actual} bytes; the agent takes it as it ended"
    return {**data, **message_as_data(message, seen.frame())}


def message_as_data(message: Message, frame: bytes = b"") -> dict[str, Any]:
    """Return one message of Open Protocol as plain data; `frame` is it as it came, if its length is another one."""
    about = message.form.about
    data: dict[str, Any] = {
        "mid": message.mid,
        "revision": message.revision,
        "name": about.name,
        "sent_by": SENDERS.get(about.sender, "not documented"),
        "header": {name: value for name, value in message.header().items() if value is not None},
    }
    by_ids = _by_ids(message, frame or bytes(message.frame))
    data |= {name: words for name, words in by_ids.items() if isinstance(words, str)}
    message = by_ids.get("message", message)
    if not message.form.known:
        return {**data, "described": False, "data": message.data().hex()}
    if data.get("unreadable") not in (None, NO_RESULT) and message.revision == LIGHT:
        return {**data, "fields": {}}  # without IDs none of them can be told to be in its place
    read = {} if "unreadable" in data else _as_read(message)
    data["fields"] = {
        field.name: read[field.name] if field.name in read else _value(message, field) for field in message.form.fields
    }
    extra = read_extra(message)
    if extra:
        data["extra"] = _plain(extra)
    odd = {
        name: {"octets": one.raw.hex(), "why": one.why}
        for name, one in message.odd().items()
        if name.partition("[")[0] not in read
    }
    rest = message.rest()
    answer = message.answer()
    return {
        **data,
        **({"odd": odd} if odd else {}),
        **({"rest": rest.hex()} if rest else {}),
        "answer": {"mid": answer[0], "revision": answer[1]} if answer else None,
    }


def _by_ids(message: Message, frame: bytes) -> dict[str, Any]:
    """Return what the agent makes of a result that is not as documented: the message it reads, and words about it."""
    if message.mid in (SYNC_MID, STATION_MID):
        read = SpindleAssembly()
        read.most = PAYLOAD_WIDE
        part = read.take(bytearray(frame), 0, len(frame), message.mid, message.revision, False, 0)
        return {"unreadable": NO_SPINDLES} if part == ASSEMBLY_UNREADABLE else {}
    layout = layouts.layout_of(message.mid, message.revision) if message.mid in (61, 65) else None
    if layout is None:
        return {}
    if layouts.in_place(message.mid, message.revision, frame, 0, len(frame)):
        unread = _unread(layout, frame)
        if unread:
            return {"unreadable": unread}
        return {} if message.form.known else _as_last(message)
    located = shifted_result.find(message.mid, message.revision, bytearray(frame), 0, len(frame))
    if located is None:
        return {"unreadable": "its fields are not where its revision has them; the agent keeps it as it came"}
    revision, copied, how = located
    unread = _unread(layouts.layout_of(message.mid, revision), copied)
    if unread:
        return {"unreadable": unread}
    if not how:
        return {}
    shown = revision if catalogue.form(message.mid, revision).known else layouts.LAST_REVISION
    head = b"%04d" % len(copied) + frame[4:8] + b"%03d" % shown
    if how == INCOMPLETE:
        note = "some of its fields were cut off, or are not proven by what is behind them; the agent leaves them out"
        return {"incomplete": note, "message": catalogue.decode(head + copied[11:])}
    by = "its time and the blanks behind its VIN" if revision == LIGHT else "their IDs"
    note = f"its fields are not where revision {message.revision} has them; found by {by}, as revision {revision}"
    return {"shifted": note, "message": catalogue.decode(head + copied[11:])}


def _unread(layout: tuple, frame: bytes) -> str:
    """Return why the agent reads no result from a frame with its fields in place, empty if it does."""
    if not layouts.names_unit(layout, frame, 0, len(frame)):
        return NO_UNIT
    body = bytearray(BODY_BYTES + LIMITS_BYTES)
    return "" if layouts.read_whole(layout, frame, 0, len(frame), body, 0)[0] else NO_RESULT


def _as_read(message: Message) -> dict[str, Any]:
    """Return the numbers of a result that the agent reads though they are not written as documented."""
    if message.mid not in (61, 65, SYNC_MID):
        return {}
    frame = bytearray(message.frame)
    read = []
    negative = set()
    for name in message.odd():
        place = _place_of(message, name)
        if place is None:
            continue
        start, end, decimals = place
        raw = frame[start:end]
        is_read = layouts.put_careful(frame, start, len(raw), raw, 0, len(raw), decimals)
        is_negative = is_read and frame[start] == 0x2D
        if not is_read or (is_negative and decimals < 0):  # a sign is one of torques and angles
            frame[start:end] = raw
            continue
        read.append(name)
        if is_negative:  # the catalogue may know no sign there
            frame[start] = 0x30
            negative.add(name)
    other = catalogue.decode(bytes(frame)) if read else message
    values = {}
    for name in read:
        field, _, member = name.partition("].")
        field, _, row = field.partition("[")
        value = values[field] = values.get(field) or _value(other, message.form.by_name[field])
        if name in negative and member:
            value[int(row)][member] *= -1
        elif name in negative:
            values[field] = {**value, "value": -value["value"], "decimal": "-" + value["decimal"]}
    return values


def _place_of(message: Message, name: str) -> tuple[int, int, int] | None:
    """Return where a number that the agent reads begins and ends, and its decimals; None if it reads none there."""
    field, _, member = name.partition("].")
    if not member:
        return (*message.form.places[name][:2], READ_WITH[name]) if name in READ_WITH else None
    row = SYNC_ROWS + int(field.partition("[")[2]) * sp.SYNC_ROW_BYTES
    is_press = "system_subtype" in message.form.by_name and message["system_subtype"] == 2
    places = {"torque": (row + 6, row + 12, 2), "angle": (row + 13, row + 18, 2 if is_press else 0)}
    return places.get(member) if message.mid == SYNC_MID else None


def _as_last(message: Message) -> dict[str, Any]:
    """Return a result of a revision that nobody has described, which begins as the last one that is."""
    last = layouts.LAST_REVISION
    frame = bytes(message.frame)
    note = f"revision {message.revision} is not described; read as revision {last}, which it begins with"
    return {"later": note, "message": catalogue.decode(frame[:8] + b"%03d" % last + frame[11:])}


def _value(message: Message, field: Field) -> Any:
    value = message[field.name]
    if isinstance(value, int) and (field.scale != 1 or field.unit):
        return {"value": value, "decimal": message.decimal(field.name), "unit": message.unit(field.name)}
    if isinstance(value, int) and field.kind == "B" and field.values:
        return {"value": value, "bits": message.bits(field.name)}
    words = message.meaning(field.name) if field.values else ""
    if words and not isinstance(words, list):
        return {"value": value, "meaning": words}
    return _plain(value, field.kind)


def _plain(value: Any, kind: str = "") -> Any:
    if isinstance(value, Odd):
        return {"octets": value.raw.hex(), "why": value.why}
    if isinstance(value, bytes):
        return samples_of(value) if kind == "Z" else value.hex()
    if isinstance(value, DataField):
        data = {"pid": value.pid, "name": value.name(), "value": _plain(value.value()), "step": value.step}
        return {**data, **({"unit": value.unit_name()} if value.unit else {})}
    if isinstance(value, Resolution):
        return {"first": value.first, "last": value.last, "value": _plain(value.value()), "unit": value.unit_name()}
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in value}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _telegram(octets: bytes) -> dict[str, Any]:
    fields, breaches = take_apart(octets[4:], either_way=True)
    data = {"telegram": fields["id"], "name": TELEGRAMS.get(fields["id"], "not defined"), "fields": _plain(fields)}
    return {**data, **({"odd": [str(breach) for breach in breaches]} if breaches else {})}


def lines_of(data: dict[str, Any]) -> list[str]:
    """Return the plain data of a message as lines: a heading, then a line for each field."""
    if "problem" in data:
        octets = bytes.fromhex(data["octets"])
        more = f" ... and {len(octets) - OCTETS_SHOWN} bytes" if len(octets) > OCTETS_SHOWN else ""
        text = visible(octets[:OCTETS_SHOWN].decode("utf-8", "replace"))
        return ["no message: " + data["problem"], "  " + text + more]
    if "telegram" in data:
        lines = [f"telegram {data['telegram']}  {data['name']}"]
    else:
        parts = f", {data['parts']} parts" if "parts" in data else ""
        lines = [f"MID {data['mid']:04d} revision {data['revision']}  {data['name']}{parts}"]
    if data.get("header"):
        lines.append("  header: " + ", ".join(f"{name} {value}" for name, value in data["header"].items()))
    if data.get("described") is False:
        lines.append("  not described, kept raw: " + visible(bytes.fromhex(data["data"]).decode("utf-8", "replace")))
    lines += [f"  {word.replace('_', ' ')}: {data[word]}" for word in NOTES if word in data]
    fields = {**data.get("fields", {}), **{f"extra {name}": value for name, value in data.get("extra", {}).items()}}
    width = max([len(name) for name in fields], default=0)
    for name, value in fields.items():
        value_lines = _value_lines(value)
        lines += [f"  {name:<{width}}  {value_lines[0]}"] + [f"  {'':<{width}}  {more}" for more in value_lines[1:]]
    if "rest" in data:
        lines.append("  behind it: " + visible(bytes.fromhex(data["rest"]).decode("utf-8", "replace")))
    if isinstance(data.get("odd"), list):
        lines += ["  odd: " + visible(one) for one in data["odd"]]
    return lines


def _value_lines(value: Any) -> list[str]:
    if value is None:
        return ["-"]
    if isinstance(value, dict):
        if "why" in value:
            return [f"odd, {value['why']}: " + visible(bytes.fromhex(value["octets"]).decode("utf-8", "replace"))]
        if "decimal" in value:
            return [f"{value['decimal']} {value['unit']}".rstrip()]
        if "bits" in value:
            return [f"{value['value']}: " + (", ".join(value["bits"]) or "none")]
        if "meaning" in value:
            return [f"{visible(value['value'])} = {value['meaning']}"]
        if "pid" in value:
            step = f", step {value['step']}" if value["step"] else ""
            text = " ".join(_value_lines(value["value"]))
            return [f"{value['pid']:05d} {value['name'] or 'no name'}: {text} {value.get('unit', '')}".rstrip() + step]
        return [", ".join(f"{visible(name)} {' '.join(_value_lines(one))}" for name, one in value.items())]
    if isinstance(value, list):
        if value and isinstance(value[0], int) and len(value) > SAMPLES_SHOWN:
            return [f"{len(value)} of them: " + " ".join(map(str, value[:SAMPLES_SHOWN])) + " ..."]
        if not any(isinstance(one, dict) for one in value):
            return [" ".join(visible(one) for one in value) or "none"]
        return [line for one in value for line in _value_lines(one)]
    return [visible(value)]


# -- tables --------------------------------------------------------------------------------------------------------


def mid_as_data(mid: int, revision: int | None = None) -> dict[str, Any]:
    """Return what the catalogue has on a MID: all revisions, or one."""
    about = catalogue.about(mid)
    wanted = catalogue.revisions(mid) if revision is None else [revision]
    return {
        "mid": mid,
        "name": about.name,
        "sent_by": SENDERS.get(about.sender, "not documented"),
        "kind": KINDS[about.kind],
        "answer": about.answer,
        "category": about.category,
        "source": about.source,
        "note": about.note,
        "revisions": [
            _form_as_data(form, form is not first)
            for first in (catalogue.form(mid, number) for number in wanted)
            for form in (first, first.other)
            if form is not None
        ],
    }


def _form_as_data(form: Form, is_other: bool) -> dict[str, Any]:
    telegram, source = example(form)
    return {
        "revision": form.revision,
        "other": is_other,
        "described": form.known,
        "length": form.length or None,
        "since": form.since or "2.8.0 or before",
        "source": form.source,
        "fields": [field_as_data(field) for field in form.fields],
        "example": {"telegram": telegram.decode("utf-8"), "source": source},
    }


def field_as_data(field: Field) -> dict[str, Any]:
    """Return one line of a table."""
    kind = TYPES.get(field.kind) or LISTS.get(field.kind) or "separator"
    data: dict[str, Any] = {
        "id": field.id.decode(),
        "name": field.name,
        "place": field.bounds(),
        "type": kind,
        "width": field.width,
        "count": field.count,
        "unit": field.unit.partition("~")[0] + (f" / {field.scale}" if field.scale != 1 else ""),
        "meaning": field.meaning if field.meaning != field.name.replace("_", " ") else "",
        "values": names_of(field.values) if field.kind != "'" else {},
        "note": field.note,
    }
    if field.members:
        data["members"] = [field_as_data(member) for member in field.members if member.kind != "'"]
    return data


def table_of(form: dict[str, Any], lists: set[str]) -> list[str]:
    """Return the plain data of one revision as lines: parameter ID, bytes, type, name, unit, meaning.

    `lists` has the long lists of values shown above; those of this revision are added.
    """
    rows: list[tuple[str, ...]] = [("ID", "bytes", "type", "name", "unit", "meaning")]
    notes: dict[int, list[str]] = {}
    _rows(form["fields"], "", rows, notes, lists)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for number, row in enumerate(rows):
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[5]]).rstrip())
        lines += ["      " + note for note in notes.get(number, ())]
    return lines


def _rows(fields: list[dict], before: str, rows: list, notes: dict[int, list[str]], lists: set[str]) -> None:
    for field in fields:
        times = "" if field["count"] is None else f" x {field['count']}" if field["count"] != "*" else " to the end"
        kind = f"{field['type']} {field['width'] or ''}".rstrip() + times
        rows.append(
            (before + (field["id"] or "--"), field["place"], kind, field["name"], field["unit"], field["meaning"])
        )
        texts = notes.setdefault(len(rows) - 1, [])
        words = "; ".join(f"{number} {meant}".replace(" ", "\0") for number, meant in sorted(field["values"].items()))
        if words in lists:
            texts.append(f"{len(field['values'])} values, as above")
        else:
            texts += [line.replace("\0", " ") for line in textwrap.wrap(words, VALUES_COLUMNS, break_on_hyphens=False)]
        if len(field["values"]) > VALUES_REPEATED:
            lists.add(words)
        if field["note"]:
            texts.append(field["note"])
        _rows(field.get("members", []), before + ".", rows, notes, lists)
