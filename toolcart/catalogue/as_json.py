"""A message as JSON, and back to the same octets.

{"mid": 61, "revision": 999, "header": {"station": 1}, "fields": {"torque": 4237, ...}}

Rules
1. Fields stand under their names as `Message.fields` has them. What JSON has no word for is an object with one of the
   keys "octets" (hexadecimal), "odd", "data_field" and "resolution".
2. Where these fields do not build the same octets (blanks where zeros belong, something behind the last field, a number
   with two layouts), "frame" has all of them, hexadecimal; a field that was changed beside it wins. "frames" are those
   of a message in linked parts.
3. The lines of `toolcart decode --json` are read too: a field may be an object with its "value" and what that means.
   Of variable data fields and resolutions they tell what is for people, so these are taken from the frame.
"""

import json

from .errors import FieldError, FrameError, Odd
from .forms import HEADER_FIELDS, OF_ENCODE
from .trace_samples import samples_of
from .variable import DataField, Resolution

_PARTS = {
    "data_field": (DataField, ("pid", "type", "unit", "step")),
    "resolution": (Resolution, ("first", "last", "type", "unit")),
}


def to_json(message):
    """Return a Message as JSON text."""
    data = {"mid": message.mid, "revision": message.revision}
    data["header"] = {name: value for name, value in message.header().items() if value is not None}
    fields = message.fields() if message.form.known else {"data": message.data()}
    data["fields"] = {name: _plain(fields[name]) for name in fields}
    if not _is_built_alike(message, data["header"], fields):
        data["frame"] = message.frame.hex()
    return json.dumps(data)


def _is_built_alike(message, header, fields):
    """True if `encode` makes the same frame of these fields."""
    from .building import build

    described = message.form.about.revisions.get(message.revision)
    if not message.mid or (described is not None and described.other is not None):
        return False
    try:
        return build(message.form, fields, header) == message.frame
    except FieldError:
        return False


def _plain(value):
    if isinstance(value, bytes):
        return {"octets": value.hex()}
    if isinstance(value, Odd):
        return {"odd": value.raw.hex(), "why": value.why, "rest": value.rest}
    if isinstance(value, (DataField, Resolution)):
        key = "data_field" if isinstance(value, DataField) else "resolution"
        parts = {name: getattr(value, name) for name in _PARTS[key][1]}
        parts["octets"] = value.raw.hex()
        return {key: parts}
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in value}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


_NO_FIELDS = set(OF_ENCODE) | set(HEADER_FIELDS)
_AS_IN_FRAME = object()
_MEANINGS = ("decimal", "bits", "meaning")


def _revived(value):
    if isinstance(value, list):
        revived = [_revived(one) for one in value]
        return _AS_IN_FRAME if _AS_IN_FRAME in revived else revived
    if not isinstance(value, dict):
        return value
    if "value" in value and [name for name in _MEANINGS if name in value]:
        return value["value"]
    if "pid" in value or "first" in value:
        return _AS_IN_FRAME
    if set(value) == {"octets", "why"}:
        return Odd(bytes.fromhex(value["octets"]), value["why"])
    if "odd" in value:
        return Odd(bytes.fromhex(value["odd"]), value["why"], value["rest"])
    for key in _PARTS:
        if key in value:
            make, names = _PARTS[key]
            parts = value[key]
            return make(*[parts[name] for name in names], raw=bytes.fromhex(parts["octets"]))
    if set(value) == {"octets"}:
        return bytes.fromhex(value["octets"])
    revived = {name: _revived(value[name]) for name in value}
    return _AS_IN_FRAME if _AS_IN_FRAME in revived.values() else revived


def _is_as(value, expected, name):
    """True if a value is what the frame says."""
    if name not in expected:
        return False
    if isinstance(expected[name], bytes) and isinstance(value, list):
        return value == samples_of(expected[name])
    return value is _AS_IN_FRAME or value == expected[name]


def from_json(catalogue, text):
    """Return the Message that JSON text tells, in the layouts of `catalogue`.

    FrameError where the text is not of this kind, FieldError where a field cannot be built. Where `toolcart decode` has
    read a frame otherwise than its header says (`shifted`, `incomplete`, `later`), the frame counts.
    """
    try:
        data = json.loads(text)
    except (TypeError, ValueError, RuntimeError) as error:  # the last one: nested too deep
        raise FrameError("no message in JSON: %s" % error)
    try:
        mid, revision, header = data["mid"], data.get("revision", 1), dict(data.get("header", {}))
        is_frame_alone = data.get("described") is False or {"shifted", "incomplete", "later"} & set(data)
        given = {} if is_frame_alone else data["fields"]
        fields = {name: _revived(value) for name, value in given.items()}
        frame = bytes.fromhex(data["frame"]) if "frame" in data else None
        parts = [bytes.fromhex(part) for part in data.get("frames", ())]
    except KeyError as error:
        raise FrameError('no message in JSON: it has no "%s"' % error.args[0])
    except (AttributeError, TypeError, ValueError, RuntimeError):  # the last one: nested too deep
        raise FrameError("no message in JSON: it is laid out otherwise than to_json() writes it")
    for names, place in ((set(header) - set(HEADER_FIELDS), "header"), (set(fields) & _NO_FIELDS, "fields")):
        if names:
            raise FrameError('no message in JSON: its "%s" cannot have "%s"' % (place, sorted(names)[0]))
    if frame is None and not parts:
        return catalogue.decode(catalogue.encode(mid, revision, check=False, **header, **fields))
    message = catalogue.decode_parts(parts) if parts else catalogue.decode(frame)
    if (message.mid, message.revision) != (mid, revision):
        raise FrameError("no message in JSON: its frame is MID %04d revision %d" % (message.mid, message.revision))
    actual = message.fields() if message.form.known else {"data": message.data()}
    changes = {name: fields[name] for name in fields if not _is_as(fields[name], actual, name)}
    return catalogue.decode(catalogue.encode(message, check=False, **changes)) if changes else message
