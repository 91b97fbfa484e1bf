"""A revision made ready for reading: where each plain field stands, and how the rest is walked through.

Rules
1. The head is every plain field up to the first list, group or text without a width: it is read by place.
2. The tail, whatever follows, is walked once. Where a count or a length is no number, the rest of the message is Odd.
3. On CPython the head of a revision that comes again and again is read by a function made for it (compiled.py) where
   all IDs and digits stand where they belong. Anything else is read field by field.
"""

from .errors import Odd
from .fields import READERS, is_time
from .variable import UnreadableRest, read_data_field, read_resolution

HEADER_BYTES = 20
# What a header has beside length, MID and revision: name -> first octet, width.
HEADER_FIELDS = {
    "no_ack": (11, 1),
    "station": (12, 2),
    "spindle": (14, 2),
    "sequence": (16, 2),
    "parts": (18, 1),
    "part": (19, 1),
}
OF_ENCODE = ("self", "mid", "revision", "check")  # its own words: no field is called so
IS_CPYTHON = hasattr("", "isidentifier")  # MicroPython's text has no such method; there fields are read one by one
# To make that function takes as long as to read 100 messages without it; a program that reads a few need not wait.
READS_BEFORE = 8


def counted_by(fields):
    """Return name of a count -> names of the fields that it counts."""
    counted = {}
    for field in fields:
        if isinstance(field.count, str) and field.count != "*":
            counted[field.count] = counted.get(field.count, []) + [field.name]
    return counted


class Form:
    """How messages of one MID and revision are laid out. `known` is False where no table describes it.

    `lower`: the described revision below it, whose fields such a message begins with; what follows is `rest()`.
    """

    def __init__(self, about, revision, described, lower=None):
        self.about = about
        self._described = described
        self._lower = lower
        self._scaled = None
        self.plain = self  # another one reads the same layout as values (scaled.py)
        self.mid = about.mid
        self.revision = revision
        self.known = described is not None
        self.length = described.length if described else 0
        self.since = described.since if described else ""
        self.source = (described.source or about.source) if described else about.source
        self.fields = described.fields(about) if described else _proven(lower.fields(about)) if lower else []
        self.by_name = {}
        for field in self.fields:
            if field.kind == "'":
                continue
            if field.name in self.by_name:
                raise ValueError("MID %04d revision %d: %s twice" % (self.mid, revision, field.name))
            self.by_name[field.name] = field
        self.counted = counted_by(self.fields)
        other = described.other if described else None
        self.other = Form(about, revision, other) if other else None
        self._divide()
        self.read = self._make if IS_CPYTHON else self._read_both  # frame -> every field by name
        self.read_head = self.read_slowly
        self._reads = 0

    def __reduce__(self):
        kept = _standard_form(self.mid, self.revision)
        if self is kept or self is kept.other:
            return _standard, (self.mid, self.revision, self is kept.other)
        return Form, (self.about, self.revision, self._described, self._lower)

    def __repr__(self):
        return "<Form of MID %04d revision %d, %d fields>" % (self.mid, self.revision, len(self.by_name))

    def scaled(self):
        """Return the layout that reads values in place of raw numbers."""
        if self._scaled is None:
            from .scaled import ScaledForm

            self._scaled = ScaledForm(self)
        return self._scaled

    def _divide(self):
        self.places = {}  # of the head: name -> first octet, end, reader, ID, where the ID stands
        self.following = {}  # of the head: name -> ID of the field behind it
        at = HEADER_BYTES
        count = 0
        for field in self.fields:
            if field.count is not None or field.width is None or field.kind not in READERS:
                break
            start = at + len(field.id)
            at = start + field.width
            self.places[field.name] = (start, at, READERS[field.kind], field.id, start - len(field.id))
            count += 1
        self.head = self.fields[:count]
        self.tail = self.fields[count:]
        self.head_end = at
        for index in range(count):
            has_following = index + 1 < count and self.head[index].id
            self.following[self.head[index].name] = self.head[index + 1].id if has_following else b""

    def for_frame(self, frame):
        """Return the layout that a whole frame has: the other one where it fits that to its last octet."""
        return self.other if self.other is not None and self.other._fits(frame) else self

    def _fits(self, frame):
        values = self.read_slowly(frame)
        if self.read_tail(frame, values) != len(frame):
            return False
        odd = {}
        collect_odd(values, "", odd)
        return not odd and all(is_time(values[field.name]) for field in self.fields if field.kind == "D")

    def read_one(self, frame, name):
        """Return the value of a field of the head."""
        start, end, reader, number, at = self.places[name]
        if number and not frame.startswith(number, at):
            return self._odd(frame, start, end, number, at)
        following = self.following[name]
        if following and end + len(following) <= len(frame) and not frame.startswith(following, end):
            return Odd(frame[start:end], "parameter ID %r behind it" % frame[end : end + len(following)])
        raw = frame[start:end]
        if end <= len(frame):
            return reader(raw)
        return Odd(raw, "cut off: %d of %d bytes" % (len(raw), end - start)) if raw else None

    def _odd(self, frame, start, end, number, at):
        if at >= len(frame):
            return None
        return Odd(frame[start:end], "parameter ID %r where %r belongs" % (frame[at:start], number))

    def read_slowly(self, frame):
        """Return the values of the head by name, each read by itself."""
        values = {}
        for name in self.places:
            values[name] = self.read_one(frame, name)
        return values

    def _make(self, frame):
        """Read a frame; when that was done often, make what reads the head at once."""
        self._reads += 1
        if self._reads > READS_BEFORE:
            from .compiled import compile_head

            self.read_head = compile_head(self.head, self.head_end, self.read_slowly) or self.read_slowly
            self.read = self._read_both if self.tail else self.read_head
        return self._read_both(frame)

    def _read_both(self, frame):
        values = self.read_head(frame)
        self.read_tail(frame, values)
        return values

    def read_tail(self, frame, values):
        """Add the values of the tail; return where it ends."""
        if not self.tail:
            return min(self.head_end, len(frame))
        if len(frame) < self.head_end:
            for field in self.tail:
                values[field.name] = None
            return len(frame)
        return walk(self.tail, frame, self.head_end, values, values)


def _proven(fields):
    """Return the fields if each has an ID that shows its place in a revision that no table has, else none."""
    for field in fields:
        if not field.id or field.count is not None or field.kind not in READERS:
            return []
    return fields


def _standard(mid, revision, is_other):
    """Return a form of the usual catalogue: what a pickled one of it names."""
    form = _standard_form(mid, revision)
    return form.other or form if is_other else form


def _standard_form(mid, revision):
    package = __name__[: -len(".forms")]  # which imports this module
    return __import__(package, None, None, ("STANDARD",)).STANDARD.form(mid, revision)


def walk(fields, frame, at, values, outer):
    """Read fields one behind the other into `values`; return where they end."""
    start, named = at, fields[0]
    for field in fields:
        if field.kind != "'":  # a separator belongs to the field before it, which is Odd where it is another
            start, named = at, field
        try:
            if at >= len(frame) and _may_be_missing(field, values, outer):
                if field.kind != "'":
                    is_list = field.count is not None and not (field.kind in READERS and field.width is None)
                    values[field.name] = [] if is_list else None
                continue
            if not frame.startswith(field.id, at):
                raise UnreadableRest("parameter ID %r where %r belongs" % (frame[at : at + len(field.id)], field.id))
            at = read_item(field, frame, at + len(field.id), values, outer)
        except UnreadableRest as broken:
            values[named.name] = Odd(frame[start:], str(broken), True)
            for other in fields[fields.index(field) + 1 :]:
                if other.kind != "'":
                    values[other.name] = None
            return len(frame)
    return at


def _may_be_missing(field, values, outer):
    """True if a message may end before this field: a plain one, as in older forms, or a list of nothing.

    In an entry of a list only its last separator may be missing: nothing is lost with it.
    """
    if field.count is not None:
        return field.count != "*" and count_of(field, values, outer) == 0
    return values is outer or field.kind == "'"


def count_of(field, values, outer):
    """Return how often it is repeated, or how wide it is; a huge number for one up to the end."""
    if isinstance(field.count, int):
        return field.count
    if field.count == "*":
        return 1 << 29
    count = values.get(field.count, outer.get(field.count))
    if count is None:
        return 0
    if not isinstance(count, int):
        raise UnreadableRest("%s, which tells how many, is %r" % (field.count, count))
    return count


def read_item(field, frame, at, values, outer):
    """Read one field of a tail into `values`; return where it ends."""
    kind = field.kind
    if kind == "'":
        if not frame.startswith(field.values.encode(), at):
            raise UnreadableRest("%r where %r belongs" % (frame[at : at + field.width], field.values))
        return at + field.width
    if kind == "Z":
        return _samples(field, frame, at, values, outer)
    if kind in READERS and field.count is None:
        return _plain(field, frame, at, field.width, values)
    count = count_of(field, values, outer)
    if kind in READERS and field.width is None:
        return _plain(field, frame, at, min(count, len(frame) - at) if field.count == "*" else count, values)
    least = field.width if kind in READERS else 1 if kind == "G" else 0  # the readers of the others say what is missing
    entries = values[field.name] = []
    while len(entries) < count and not (field.count == "*" and at >= len(frame)):
        if at + least > len(frame):
            raise UnreadableRest("%d of %d" % (len(entries), count))
        one, at = _entry(field, frame, at, values)
        entries.append(one)
    return at


def _entry(field, frame, at, values):
    """Return one entry of a list, and where it ends."""
    if field.kind in READERS:
        end = at + field.width
        return READERS[field.kind](frame[at:end]), end
    if field.kind == "G":
        member = {}
        return member, walk(field.members, frame, at, member, values)
    if field.kind == "R":
        return read_resolution(frame, at)
    return read_data_field(frame, at, field.width or 5, field.kind == "V")


def _plain(field, frame, at, width, values):
    raw = frame[at : at + width]
    if len(raw) < width:
        raise UnreadableRest("cut off: %d of %d bytes" % (len(raw), width))
    values[field.name] = READERS[field.kind](raw)
    return at + width


def _samples(field, frame, at, values, outer):
    count = count_of(field, values, outer)
    if frame[at : at + 1] != b"\0":
        raise UnreadableRest("%r where the NUL before the samples belongs" % frame[at : at + 1])
    raw = frame[at + 1 :]
    if len(raw) != 2 * count:
        raise UnreadableRest("%d bytes of samples, %d are announced" % (len(raw), 2 * count))
    values[field.name] = raw
    return len(frame)


def collect_odd(values, before, malformed):
    """Add every Odd of these values to `found`, by its name with `before` in front."""
    for name in values:
        value = values[name]
        if isinstance(value, Odd):
            malformed[before + name] = value
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, dict):
                    collect_odd(one, "%s%s[%d]." % (before, name, index), malformed)
                elif isinstance(one, Odd):
                    malformed["%s%s[%d]" % (before, name, index)] = one
