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
from toolcart.base.terminal_safe import visible
from toolcart.catalogue import DataField, FrameError, Message, Odd, Resolution, read_extra, samples_of
from toolcart.catalogue.fields import Field
from toolcart.catalogue.forms import Form
from toolcart.catalogue.meanings import names_of
from toolcart.codec.examples import example
from toolcart.codec.inputs import TOOLSNET, CaptureItem
from toolcart.toolsnet import take_apart

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
NO_UNIT = "its torque has a unit that is not defined; the agent keeps it as it came"
OCTETS_SHOWN = 200  # of what is not a message; --json has them all
TYPES = {"N": "digits", "I": "signed", "B": "bit mask", "F": "number", "T": "text", "D": "time", "H": "hex"}
LISTS = {"G": "group", "V": "data fields", "U": "data fields without step", "R": "resolutions", "Z": "NUL, samples"}


def as_data(seen: CaptureItem) -> dict[str, Any]:
    """Return one message as plain data."""
    told: dict[str, Any] = {"protocol": seen.protocol}
    if seen.at_s is not None:
        told["at_s"] = round(seen.at_s, 6)
    if seen.way:
        told["way"] = seen.way
    if seen.problem:
        return {**told, "problem": seen.problem, "octets": seen.octets.hex()}
    if seen.protocol == TOOLSNET:
        return {**told, **_telegram(seen.octets), "octets": seen.octets.hex()}
    try:
        message = seen.message()
    except FrameError as error:
        return {**told, "problem": str(error), "octets": seen.octets.hex()}
    if seen.parts:
        told |= {"parts": len(seen.parts), "frames": [part.hex() for part in seen.parts]}
    else:
        told["frame"] = seen.octets.hex()
    return {**told, **message_as_data(message)}


def message_as_data(message: Message) -> dict[str, Any]:
    """Return one message of Open Protocol as plain data."""
    about = message.form.about
    told: dict[str, Any] = {
        "mid": message.mid,
        "revision": message.revision,
        "name": about.name,
        "sent_by": SENDERS.get(about.sender, "not documented"),
        "header": {name: value for name, value in message.header().items() if value is not None},
    }
    found = _by_ids(message)
    told |= {name: words for name, words in found.items() if isinstance(words, str)}
    message = found.get("message", message)
    if not message.form.known:
        return {**told, "described": False, "data": message.data().hex()}
    told["fields"] = {field.name: _value(message, field) for field in message.form.fields}
    extra = read_extra(message)
    if extra:
        told["extra"] = _plain(extra)
    odd = {name: {"octets": one.raw.hex(), "why": one.why} for name, one in message.odd().items()}
    rest = message.rest()
    answer = message.answer()
    return {
        **told,
        **({"odd": odd} if odd else {}),
        **({"rest": rest.hex()} if rest else {}),
        "answer": {"mid": answer[0], "revision": answer[1]} if answer else None,
    }


def _by_ids(message: Message) -> dict[str, Any]:
    """Return what the agent makes of a result that is not as documented: the message it reads, and words about it."""
    layout = layouts.layout_of(message.mid, message.revision) if message.mid in (61, 65) else None
    if layout is None:
        return {}
    frame = bytes(message.frame)
    if layouts.in_place(message.mid, message.revision, frame, 0, len(frame)):
        if not layouts.names_unit(layout, frame, 0, len(frame)):
            return {"unreadable": NO_UNIT}
        return {} if message.form.known else _as_last(message)
    found = shifted_result.find(message.mid, message.revision, bytearray(frame), 0, len(frame))
    if found is None:
        return {"unreadable": "its fields are not where its revision has them; the agent keeps it as it came"}
    revision, copied, is_shifted = found
    if not layouts.names_unit(layouts.layout_of(message.mid, revision), copied, 0, len(copied)):
        return {"unreadable": NO_UNIT}
    if not is_shifted:
        return {}
    head = b"%04d" % len(copied) + frame[4:8] + b"%03d" % revision
    told = f"its fields are not where revision {message.revision} has them; found by their IDs, as revision {revision}"
    return {"shifted": told, "message": catalogue.decode(head + copied[11:])}


def _as_last(message: Message) -> dict[str, Any]:
    """Return a result of a revision that nobody has described, which begins as the last one that is."""
    last = layouts.LAST_REVISION
    frame = bytes(message.frame)
    told = f"revision {message.revision} is not described; read as revision {last}, which it begins with"
    return {"later": told, "message": catalogue.decode(frame[:8] + b"%03d" % last + frame[11:])}


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
        told = {"pid": value.pid, "name": value.name(), "value": _plain(value.value()), "step": value.step}
        return {**told, **({"unit": value.unit_name()} if value.unit else {})}
    if isinstance(value, Resolution):
        return {"first": value.first, "last": value.last, "value": _plain(value.value()), "unit": value.unit_name()}
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in value}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _telegram(octets: bytes) -> dict[str, Any]:
    fields, breaches = take_apart(octets[4:], either_way=True)
    told = {"telegram": fields["id"], "name": TELEGRAMS.get(fields["id"], "not defined"), "fields": _plain(fields)}
    return {**told, **({"odd": [str(breach) for breach in breaches]} if breaches else {})}


def lines_of(told: dict[str, Any]) -> list[str]:
    """Return the plain data of a message as lines: a heading, then a line for each field."""
    if "problem" in told:
        octets = bytes.fromhex(told["octets"])
        more = f" ... and {len(octets) - OCTETS_SHOWN} bytes" if len(octets) > OCTETS_SHOWN else ""
        text = visible(octets[:OCTETS_SHOWN].decode("utf-8", "replace"))
        return ["no message: " + told["problem"], "  " + text + more]
    if "telegram" in told:
        lines = [f"telegram {told['telegram']}  {told['name']}"]
    else:
        parts = f", {told['parts']} parts" if "parts" in told else ""
        lines = [f"MID {told['mid']:04d} revision {told['revision']}  {told['name']}{parts}"]
    if told.get("header"):
        lines.append("  header: " + ", ".join(f"{name} {value}" for name, value in told["header"].items()))
    if told.get("described") is False:
        lines.append("  not described, kept raw: " + visible(bytes.fromhex(told["data"]).decode("utf-8", "replace")))
    lines += [f"  {word}: {told[word]}" for word in ("later", "shifted", "unreadable") if word in told]
    fields = {**told.get("fields", {}), **{f"extra {name}": value for name, value in told.get("extra", {}).items()}}
    width = max([len(name) for name in fields], default=0)
    for name, value in fields.items():
        shown = _shown(value)
        lines += [f"  {name:<{width}}  {shown[0]}"] + [f"  {'':<{width}}  {more}" for more in shown[1:]]
    if "rest" in told:
        lines.append("  behind it: " + visible(bytes.fromhex(told["rest"]).decode("utf-8", "replace")))
    if isinstance(told.get("odd"), list):
        lines += ["  odd: " + visible(one) for one in told["odd"]]
    return lines


def _shown(value: Any) -> list[str]:
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
            shown = " ".join(_shown(value["value"]))
            return [f"{value['pid']:05d} {value['name'] or 'no name'}: {shown} {value.get('unit', '')}".rstrip() + step]
        return [", ".join(f"{visible(name)} {' '.join(_shown(one))}" for name, one in value.items())]
    if isinstance(value, list):
        if value and isinstance(value[0], int) and len(value) > SAMPLES_SHOWN:
            return [f"{len(value)} of them: " + " ".join(map(str, value[:SAMPLES_SHOWN])) + " ..."]
        if not any(isinstance(one, dict) for one in value):
            return [" ".join(visible(one) for one in value) or "none"]
        return [line for one in value for line in _shown(one)]
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
    told: dict[str, Any] = {
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
        told["members"] = [field_as_data(member) for member in field.members if member.kind != "'"]
    return told


def table_of(told: dict[str, Any], lists: set[str]) -> list[str]:
    """Return the plain data of one revision as lines: parameter ID, bytes, type, name, unit, meaning.

    `lists` has the long lists of values shown above; those of this revision are added.
    """
    rows: list[tuple[str, ...]] = [("ID", "bytes", "type", "name", "unit", "meaning")]
    notes: dict[int, list[str]] = {}
    _rows(told["fields"], "", rows, notes, lists)
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
        told = notes.setdefault(len(rows) - 1, [])
        words = "; ".join(f"{number} {meant}".replace(" ", "\0") for number, meant in sorted(field["values"].items()))
        if words in lists:
            told.append(f"{len(field['values'])} values, as above")
        else:
            told += [line.replace("\0", " ") for line in textwrap.wrap(words, VALUES_COLUMNS, break_on_hyphens=False)]
        if len(field["values"]) > VALUES_REPEATED:
            lists.add(words)
        if field["note"]:
            told.append(field["note"])
        _rows(field.get("members", []), before + ".", rows, notes, lists)
