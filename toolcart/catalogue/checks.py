"""What a message may say, beyond what its fields can hold: presence, closed lists of values, times, the header.

Rules
1. The built message is read again and judged, so whatever way a value was given, what goes on the line counts.
2. An integrator sends every number and time; a controller may leave blank what it does not use (OP 2.3 p. 30).
3. A list of values that products or releases extend (meanings.OPEN) closes nothing out.
4. Text has no control characters: the documents allow 0x20 to 0x7F (OP 2.3 p. 30), later releases UTF-8.
"""

from .errors import FieldError, InvalidValue, Odd
from .fields import is_time

UNSET_TIMES = ("0000-00-00:00:00:00", "0" * 19)  # a controller without a clock; 1201's default (OP 5.9.1.1 p. 154)


def check_message(form, frame, given, only):
    """FieldError for the first field of a frame that is not as the documents have it; of those in `only`, or of all."""
    values = form.read(frame)
    for field in form.fields:
        if field.kind == "'" or (only is not None and field.name not in only):
            continue
        value = values[field.name]
        if value is not None and _is_free(field, value):
            continue
        try:
            _check(form, field, value, field.name)
            if field.kind == "T":
                _check_text(field, frame, given.get(field.name))
        except InvalidValue as wrong:
            name = "%s (%s)" % (field.name, field.id.decode()) if field.id else field.name
            found = given.get(field.name, value)
            raise FieldError(form.mid, form.revision, name, field.bounds(), found, str(wrong))


def _is_free(field, value):
    """True for what most fields are: a number or a text, and any will do."""
    return field.kind in "NIB" and not (field.values or isinstance(value, (Odd, list)))


def _check_text(field, frame, given):
    """InvalidValue for a text that is too short, or that reading would cut off: a NUL ends a message (OP 2.3 p. 30)."""
    if field.least and field.place and len(frame) - field.place + 1 < field.least:
        raise InvalidValue("at least %d bytes" % field.least)
    if isinstance(given, str):
        _check_characters(given)


def _check_characters(text):
    for char in text:
        if char < " ":
            raise InvalidValue("no control characters")


def _check(form, field, value, name):
    if isinstance(value, Odd):
        raise InvalidValue("what can be read again: %s" % value.why)
    if isinstance(value, list):
        for index, one in enumerate(value):
            if field.kind == "G":
                _check_entry(form, field.members, one, "%s[%d]" % (name, index))
            elif field.kind not in "VUR":
                _check(form, field, one, name)
    elif value is None:
        if "I" in form.about.sender and field.kind in "NIBFD":
            raise InvalidValue("a value: an integrator leaves none blank")
    elif field.kind == "D":
        if not is_time(value) and value not in UNSET_TIMES:
            raise InvalidValue("YYYY-MM-DD:HH:MM:SS")
    elif field.kind == "T":
        if field.most and len(value.encode()) > field.most:
            raise InvalidValue("at most %d bytes" % field.most)
        _check_characters(value)
    elif field.kind == "N" and field.values:
        _check_listed(field.values, value)


def _check_listed(values, value):
    from .meanings import OPEN, names_of  # only where a table has lists

    names = names_of(values)
    if values not in OPEN and value not in names:
        raise InvalidValue(", ".join(["%d %s" % (number, names[number]) for number in sorted(names)]))


def _check_entry(form, members, values, name):
    for member in members:
        if member.kind != "'":
            try:
                _check(form, member, values[member.name], name)
            except InvalidValue as wrong:
                path = "%s.%s" % (name, member.name)
                raise FieldError(form.mid, form.revision, path, "", values[member.name], str(wrong))


def check_header(mid, revision, given):
    """FieldError for a flag that is none, or a part without its number of parts (OP 2.2.6 p. 30)."""
    part, parts = given.get("part"), given.get("parts")
    if given.get("no_ack") not in (None, 0, 1):
        raise FieldError(mid, revision, "no_ack", "12", given["no_ack"], "0 to 1")
    if part is not None and parts is None:
        raise FieldError(mid, revision, "part", "20", part, "a number only beside parts")
    if part is not None and not (part == parts == 0 or 1 <= part <= parts):
        raise FieldError(mid, revision, "part", "20", part, "1 to %d" % parts)
