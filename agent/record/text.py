"""A stored record in words, for the agent's status, the quarantine and `toolcart spool`.

Rules
1. It only reads a page in memory; it may allocate.
2. What the controller sent stays text: nothing is rounded, and what is absent is empty text.
"""

from toolcart.agent.base.fields import get_u32, is_plain, unpack_digits
from toolcart.agent.record import KIND_EVENT, KIND_RAW, SEVERAL_LEAST
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import spindle_in

_BATCH = {0x30: "not completed", 0x31: "OK", 0x32: "not used", 0x33: "running"}  # OP 5.8.2 p. 144; 3: since 2.9
_MEASURED = {0x30: "low", 0x31: "OK", 0x32: "high"}
_READY = {0x30: False, 0x31: True}
_EVENTS = {  # toolcart.agent.record.event
    1: "alarm",
    2: "alarm acknowledged",
    3: "parameter set",
    4: "job",
    5: "vehicle",
    16: "results gone",
    17: "command",
}
_REASONS = {  # toolcart.agent.station.missing_results
    "none": "the controller has nothing under these IDs",
    "reset": "the controller's IDs mean other results than before, or it is another controller",
    "mute": "no answer came for these, or none that is certainly theirs",
    "never": "the controller cannot be asked for them",
    "skip": "not all of these were asked for, since the controller has nothing under many in a row",
    "many": "more was missing than can be noted",
    "?": "for several reasons",
}
# They were asked for, or nothing is, once the newest was rejected in every revision.
_REJECTED = "the controller rejected these IDs with code %s, or all questions, so that they were not asked for"
_UNITS = ("Nm", "lbf.ft", "lbf.in", "kpm", "kgf.cm", "ozf.in", "%", "Ncm")  # from 0x31 on

CLOCK_UNSET = "agent, clock unset"


def describe(page, at, kind, flags, length):
    """Return in words the record whose payload of `length` bytes is at page[at:]."""
    fields = {"number": get_u32(page, at), "station": page[at + 4] | page[at + 5] << 8}
    if kind == KIND_EVENT:
        return _event(fields, page, at, flags)
    fields["spindle"] = spindle_in(page, at)
    if kind == KIND_RAW:
        fields["source"] = "RAW"
        fields["octets"] = length - res.HEAD_BYTES
        return fields
    body = at + res.HEAD_BYTES
    status = page[body + res.TIGHTENING_STATUS]
    fields["source"] = "RECOVERED" if flags & res.FLAG_RECOVERED else "LIVE"
    fields["vin"] = text_of(page, body + res.VIN, res.VIN_BYTES)
    fields["program"] = digits_of(page, body + res.PSET, 4)
    decimals = 0
    if flags & res.FLAG_ODD or length >= SEVERAL_LEAST or res.lacks(page, body) or res.has_odd_change(page, body):
        from toolcart.agent.record.malformed import decimals_of, notes_of  # hardly any log has such a record

        decimals = decimals_of(page, at, length) if flags & res.FLAG_ODD else 0
        notes = notes_of(page, at, flags, length)
        if notes or flags & res.FLAG_ODD:
            fields["odd"] = notes
    fields["torque"] = decimal_of(page, body + res.TORQUE, res.TORQUE_BYTES, 2)
    fields["unit"] = "Nm"
    fields["angle"] = decimal_of(page, body + res.ANGLE, res.ANGLE_BYTES, decimals)
    fields["status"] = "OK" if status == 0x31 else "NOK"
    fields["torque_status"] = _named(_MEASURED, page[body + res.TORQUE_STATUS])
    fields["angle_status"] = _named(_MEASURED, page[body + res.ANGLE_STATUS])
    fields["batch_status"] = _named(_BATCH, page[body + res.BATCH_STATUS])
    fields["time"] = time_of(page, body)
    fields["time_source"] = time_source(flags, page, body + res.TIME)
    fields["tightening_id"] = digits_of(page, body + res.TIGHTENING_ID, res.ID_BYTES)
    if length >= res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES:
        unit = page[body + res.BODY_BYTES + res.TORQUE_UNIT] - 0x31
        fields["unit"] = _UNITS[unit if 0 <= unit < len(_UNITS) else 0]
    return fields


def _event(fields, page, at, flags):
    fields["source"] = "EVENT"
    fields["event"] = _EVENTS.get(page[at + ev.WHAT], "event %d" % page[at + ev.WHAT])
    fields["code"] = text_of(page, at + ev.CODE, ev.CODE_BYTES)
    what = page[at + ev.WHAT]
    if what == ev.PSET_SELECTED or what == ev.JOB:
        fields["code"] = digits_of(page, at + ev.CODE, ev.CODE_BYTES)
    words = at + ev.TEXT
    if what == ev.PSET_SELECTED:
        words += ev.PSET_NAME
    elif what == ev.COMMAND:
        words += ev.COMMAND_WORDS
    end = at + ev.TEXT + page[at + ev.TEXT_LENGTH]
    if what == ev.JOB:  # only figures
        end = words
    elif what == ev.VIN and end > words + ev.VIN_MOST:
        end = words + ev.VIN_MOST
    fields["text"] = text_of(page, words, end - words) if end > words else ""
    fields["controller_ready"] = _READY.get(page[at + ev.CONTROLLER_READY])
    fields["tool_ready"] = _READY.get(page[at + ev.TOOL_READY])
    if page[at + ev.WHAT] == ev.GONE:
        _gone(fields, page, at + ev.TEXT)
    fields["time"] = packed_time(page, at + ev.TIME)
    fields["time_source"] = time_source(flags, page, at + ev.TIME)
    return fields


def _gone(fields, page, text):
    """Add which IDs are gone (toolcart.agent.station.missing_results): from which to which, and how many of these."""
    for name, place in (("first_id", ev.GONE_FIRST), ("last_id", ev.GONE_LAST)):
        fields[name] = digits_of(page, text + place, res.ID_BYTES) or None
    for name, place, width in (
        ("count", ev.GONE_COUNT, res.ID_BYTES),
        ("total", ev.GONE_TOTAL, res.ID_BYTES),
        ("id_epoch", ev.GONE_EPOCH, 3),
    ):
        digits = digits_of(page, text + place, width)
        fields[name] = int(digits) if digits.isdigit() else None
    code = fields["code"]
    fields["text"] = _REJECTED % code if code.isdigit() else _REASONS.get(code, "")


def time_of(page, body):
    """Return the time stamp of the result body at page[body:] as YYYY-MM-DD hh:mm:ss; None if it has none."""
    return packed_time(page, body + res.TIME)


def time_source(flags, page, at):
    """Return whose clock the packed time at page[at:] is of: controller, agent, or the agent's before it was set."""
    if not flags & res.FLAG_EDGE_TIME:
        return "controller"
    return CLOCK_UNSET if res.clock_was_unset(flags, page, at) else "agent"


def packed_time(page, at):
    """Return the time packed at page[at:] as YYYY-MM-DD hh:mm:ss; None if it is not a time."""
    if page[at + 2] == 0:  # there is no month 0
        return None
    digits = bytearray(14)
    unpack_digits(digits, 0, page, at, 14)
    text = digits.decode()
    return "%s-%s-%s %s:%s:%s" % (text[:4], text[4:6], text[6:8], text[8:10], text[10:12], text[12:])


def text_of(buf, at, width):
    """Return the field as text without its padding, blanks or NULs; what is no text is escaped."""
    if is_plain(buf, at, width):
        return bytes(buf[at : at + width]).decode().replace("\0", " ").strip(" ")
    from toolcart.agent.record.escaping import decoded, stripped  # hardly any text needs it

    return decoded(stripped(buf, at, width))


def _number_of(buf, at, width):
    """Return the number as text without its padding, empty if a NUL is in it: that may have taken a digit's place."""
    return "" if bytes(buf[at : at + width]).find(b"\0") >= 0 else text_of(buf, at, width)


def digits_of(buf, at, width):
    """Return the digits without leading zeros, empty text for an absent field."""
    text = _number_of(buf, at, width)
    return (text.lstrip("0") or "0") if text else ""


def decimal_of(buf, at, width, decimals):
    """Return the number with its sign and `decimals` decimals; as it came if it is not one, empty if absent."""
    text = _number_of(buf, at, width)
    sign = text[:1] if text[:1] == "-" else ""
    digits = text[len(sign) :]
    if not digits.isdigit():
        return text
    digits = "0" * (decimals - len(digits)) + digits
    whole = digits[: len(digits) - decimals].lstrip("0") or "0"
    return sign + whole + ("." + digits[-decimals:] if decimals else "")


def _named(names, octet):
    """Return the meaning of the status, or itself if it has none; empty if absent."""
    return names.get(octet) or (chr(octet) if 0x20 < octet <= 0x7E else "")
