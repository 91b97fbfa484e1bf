"""Builds frames: the data of a form out of values by name, and the header in front of it.

Rules
1. A parameter that is not given is blank; a count that is not given is that of the list it counts.
2. Whatever cannot be built ends in a FieldError, which names MID, revision, field, place, what was found and allowed.
3. A message longer than 9999 octets is built in linked parts, cut between two parameters (OP 2.2.6 p. 30).
"""

from .errors import FieldError, InvalidValue, Odd
from .fields import READERS, write, write_number
from .forms import HEADER_BYTES, HEADER_FIELDS, counted_by
from .trace_samples import octets_of_samples
from .variable import DataField, Resolution

FRAME_MOST = 9999
PARTS_MOST = 9


class Pieces:
    """Data that grows piece by piece; between two of them a linked message may be cut."""

    def __init__(self, form):
        self.form = form
        self.list = []
        self.octets = 0
        self.closed = False  # what could not be read stands there up to its end: nothing follows

    def add(self, raw):
        """Put octets behind the others."""
        self.list.append(raw)
        self.octets += len(raw)

    def error(self, field, found, allowed):
        """Return the error of a field that begins here."""
        place = field.bounds() or "%d" % (HEADER_BYTES + self.octets + 1 + len(field.id))
        name = "%s (%s)" % (field.name, field.id.decode()) if field.id else field.name
        unit = field.unit.partition("~")[0]
        return FieldError(self.form.mid, self.form.revision, name, place, found, allowed, unit)


def build_header(length, mid, revision, given):
    """Return the 20 octets; `given` has what is not blank of HEADER_FIELDS."""
    head = bytearray(("%04d%04d%03d" % (length, mid, revision)).encode() + b" " * 9)
    for name in given:
        at, width = HEADER_FIELDS[name]
        value = given[name]
        if value is not None:
            try:
                head[at : at + width] = write_number(value, width)
            except InvalidValue as wrong:
                raise FieldError(mid, revision, name, "%d" % (at + 1), value, str(wrong))
    return bytes(head)


def build_data(form, given):
    """Return the Pieces of a message's data field."""
    pieces = Pieces(form)
    if not form.known:
        if [name for name in given if name != "data"]:
            raise not_described(form)
        octets = given.get("data", b"")
        if not isinstance(octets, (bytes, bytearray, memoryview)):
            raise FieldError(form.mid, form.revision, "data", "21-", octets, "bytes")
        pieces.add(bytes(octets))
        return pieces
    _only(form, given, [field.name for field in form.fields])
    values = with_counts(form.counted, given, form.by_name)
    for field in form.fields:
        _write(field, values, values, pieces)
    return pieces


def not_described(form):
    """Return the error of a message that no table describes: its fields are not known."""
    if not form.about.revisions:
        allowed = "a MID whose fields are described; data=bytes builds any"
        return FieldError(form.mid, form.revision, "mid", "5-8", form.mid, allowed)
    revisions = ", ".join(["%d" % number for number in sorted(form.about.revisions)])
    allowed = "%s; data=bytes builds any" % revisions
    return FieldError(form.mid, form.revision, "revision", "9-11", form.revision, allowed)


def _only(form, given, names):
    for name in given:
        if name not in names:
            allowed = "one of: " + ", ".join([one for one in names if one[0] != "'"])
            raise FieldError(form.mid, form.revision, name, "", given[name], allowed)


def with_counts(counted, given, by_name):
    """Return the values with every count that is told by its list."""
    values = dict(given)
    for name in counted:
        if values.get(name) is None and name in by_name:
            values[name] = 0
            for other in counted[name]:
                counted_value = values.get(other)
                if isinstance(counted_value, str):
                    counted_value = _octets_of(counted_value)
                if isinstance(counted_value, (list, tuple, bytes, bytearray, memoryview)):
                    half = 1 if isinstance(counted_value, (list, tuple)) or by_name[other].kind != "Z" else 2
                    values[name] = len(counted_value) // half
                    break
    return values


def _write(field, values, outer, pieces):
    if pieces.closed:
        return
    if field.kind == "'":
        pieces.add(field.values.encode())
        return
    value = values.get(field.name)
    if isinstance(value, Odd) and value.rest:
        pieces.add(value.raw)
        pieces.closed = True
        return
    if value is None and isinstance(field.count, int):
        pieces.add(field.id + b" " * (field.width * field.count))
        return
    if field.id:
        pieces.add(field.id)
    try:
        if field.kind not in READERS:
            _LIST_WRITERS[field.kind](field, value, values, outer, pieces)
        elif field.count is None:
            pieces.add(write(field, _unscaled(field, value, values) if "~" in field.unit else value))
        elif field.width is None:
            pieces.add(_text(field, value, values))
        else:
            for one in _items(field, value, values, outer):
                pieces.add(write(field, one))
    except InvalidValue as wrong:
        raise pieces.error(field, value, str(wrong))


def _unscaled(field, value, values):
    """Return the whole number for a Decimal whose scale other fields of the message tell."""
    numerator, denominator = [values.get(name) for name in field.unit.split("~")[1:]]
    if numerator is None or denominator is None or numerator == denominator:
        return value
    if isinstance(value, str):
        raise InvalidValue("a whole number or a Decimal: %s tell its scale" % " and ".join(field.unit.split("~")[1:]))
    if not hasattr(value, "as_tuple"):
        return value
    if not (isinstance(numerator, int) and isinstance(denominator, int) and numerator):
        raise InvalidValue("a whole number: its scale is none")
    scaled = value * (field.scale * denominator) / numerator
    if scaled != int(scaled):
        raise InvalidValue("a multiple of %d/%d" % (numerator, field.scale * denominator))
    return int(scaled)


def _octets_of(text):
    """Return the octets of a text; none for one that UTF-8 has not: whoever writes it says so."""
    try:
        return text.encode()
    except UnicodeError:
        return b""


def _text(field, value, values):
    raw = getattr(value, "raw", value)
    if raw is None:
        raw = b""
    if isinstance(raw, str):
        raw = write(field, raw, max(len(_octets_of(raw)), field.least))
    if not isinstance(raw, bytes):
        raise InvalidValue("text")
    if field.count == "*":
        return raw
    return write(field, raw + b" " * ((values.get(field.count) or 0) - len(raw)), values.get(field.count) or 0)


def _items(field, value, values, outer):
    """Return what a list has, as many as its count says."""
    if value is not None and not isinstance(value, (list, tuple)):
        raise InvalidValue("a list")
    wanted = field.count
    if isinstance(wanted, str) and wanted != "*":
        wanted = values.get(wanted, outer.get(wanted)) or 0
    if wanted not in ("*", len(value or ())):
        raise InvalidValue("%r of them" % wanted)
    return value or ()


def _group(field, value, values, outer, pieces):
    by_name = {}
    for member in field.members:
        by_name[member.name] = member
    counted = counted_by(field.members)
    for index, one in enumerate(_items(field, value, values, outer)):
        if not isinstance(one, dict):
            raise InvalidValue("a list of dicts with: " + ", ".join([m.name for m in field.members if m.kind != "'"]))
        _only(pieces.form, one, [member.name for member in field.members])
        inner = with_counts(counted, one, by_name)
        for member in field.members:
            try:
                _write(member, inner, values, pieces)
            except FieldError as error:
                name = "%s[%d].%s" % (field.name, index, error.field)
                raise FieldError(error.mid, error.revision, name, error.place, error.found, error.allowed, error.unit)


def _coded(field, value, values, outer, pieces):
    kind, made_by, how = DataField, "what data_field() returns", (field.width or 5, field.kind == "V")
    if field.kind == "R":
        kind, made_by, how = Resolution, "what resolution() returns", ()
    for one in _items(field, value, values, outer):
        if not isinstance(one, kind):
            raise InvalidValue(made_by)
        try:
            pieces.add(one.octets(*how))
        except FieldError as error:  # which does not know the message
            name = "%s: %s" % (field.name, error.field)
            raise FieldError(pieces.form.mid, pieces.form.revision, name, "", error.found, error.allowed)


def _samples(field, value, values, outer, pieces):
    raw = octets_of_samples(value or b"")
    if (values.get(field.count) or 0) * 2 != len(raw):
        raise InvalidValue("%r samples" % values.get(field.count))
    pieces.add(b"\0" + raw)


_LIST_WRITERS = {"G": _group, "V": _coded, "U": _coded, "R": _coded, "Z": _samples}


def build(form, given, header):
    """Return the frame, without the NUL that ends a message without samples on the line."""
    pieces = build_data(form, given)
    length = HEADER_BYTES + pieces.octets
    if length > FRAME_MOST:
        raise FieldError(form.mid, form.revision, "length", "1-4", length, "20 to 9999; encode_linked makes parts")
    return build_header(length, form.mid, form.revision, header) + b"".join(pieces.list)


def build_linked(form, given, header, most):
    """Return the frames of a message in as many parts as its length asks for, each of at most `most` octets."""
    if not isinstance(most, int) or not HEADER_BYTES < most <= FRAME_MOST:
        raise FieldError(form.mid, form.revision, "most", "", most, "at least 21, at most 9999")
    parts = [[]]
    room = most - HEADER_BYTES
    used = 0
    pieces = build_data(form, given)
    for piece in pieces.list:
        while piece:
            if used and used + len(piece) > room:
                parts.append([])
                used = 0
            parts[-1].append(piece[:room])
            used += len(piece[:room])
            piece = piece[room:]
    if len(parts) > PARTS_MOST:
        raise FieldError(form.mid, form.revision, "parts", "19", len(parts), "1 to 9 parts of %d bytes" % most)
    frames = []
    for index, part in enumerate(parts):
        data = b"".join(part)
        head = dict(header)
        head["parts"] = len(parts)
        head["part"] = index + 1
        frames.append(build_header(HEADER_BYTES + len(data), form.mid, form.revision, head) + data)
    return frames
