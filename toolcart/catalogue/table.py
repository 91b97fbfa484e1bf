"""Reads a table, which is text that looks like the specification's own, into MIDs, revisions and parameters.

    MID 0061 C E 0062 Last tightening result data @OP 5.8.2 p. 133  number, sender, kind, answer, name, source
    MID 0062 I A - Last tightening result data acknowledge [20] @OP 5.8.3 p. 145  revision 1 is the header's 20 octets
    MID 7412-7414,7418 IC X - Information @later 10         several that are named only
    REV 1 231 @OP 5.8.2 p. 134                              revision, documented length of the whole message
    15 torque N6 *Nm/100 Torque                             parameter ID, name, type and width, unit, meaning
    22 batch_status N1 =BATCH                               names of the values, of meanings.py or on the spot
    !OP 5.8.2 p. 135 printed ... the reason                 a note: why it is not as printed
    REV 3 +2 419 @OP 5.8.2 p. 140                           revision 2 and what follows; -name leaves one out
    REV 8 +7 571 since=2.10 @later 3                        a revision newer than 2.8.0
    REV 1 other @OP 5.4.3 p. 106                            the same number laid out otherwise, see rule 6
    -- request_mid N4 <object_count                         it stands in front of a field of revision 1
    01-08 light_1-8 N1 =YES                                 eight alike
    02-04 vin job_id pset_id                                fields that this table has said before, see rule 7
    18 spindles G[number_of_spindles]                       a group: its members begin with a point
    .  channel_id N2 ':'                                    the octets behind it that separate two members
    .  spindles.torque I6 *Nm/100                           a member changed or added in a group of revision 1

Rules
1. `--` is no parameter ID. A field whose name is there already takes the place of the other one.
2. Sender: I integrator, C controller. Kind: Q request, P reply, S subscription, E event, A acknowledgement, C command
   (C! one that an input can disable), L link level, X other.
3. Answer: a MID, with `r` if its revision is the asked one; `*` the same message; `mid` the one named in it; `-` none.
4. Lists: N3[count] repeats a plain field, G[count] a group, V[count] variable data fields (V6: PIDs of six digits),
   U[count] the same without step, R[count] resolutions, Z[count] the NUL and the samples behind it. The count is a
   field's name, a number, or `*`: up to the end.
5. T[length] is text whose width another field tells, T* text to the end, T*25 of 25 octets at most,
   T25*40 of 25 at least.
6. Where releases or documents give one number two layouts, the newer stands first, the `other` behind it. A message is
   read as the other one where it fits that to its last octet.
7. A line of names alone has fields as a table said them last: their types, units, values and meanings. A group's
   members are said apart from other fields.
8. A source is section and page of a printed document. `later N` is clause 10.N of docs/internals/protocol.md, and is
   shown as that.
"""

from .errors import TableError
from .fields import Field

_PLAIN = "NIBFTDH"
_LISTS = "GVURZ"


class Mid:
    """A MID: who sends it, what it is for, what it wants as an answer, and the texts of its revisions."""

    def __init__(self, number, sender, kind, answer, name, source):
        self.mid = number
        self.sender = sender
        self.kind = kind
        self.answer = answer
        self.name = name
        self.source = source
        self.category = ""
        self.revisions = {}  # number -> Revision
        self.note = ""

    def __repr__(self):
        return "<Mid %04d, %s>" % (self.mid, self.name or "not in the catalogue")


class Revision:
    """A revision of a MID: its fields, the whole length if that is fixed, since when, where it is described."""

    def __init__(self, number, length, base, without, since, source):
        self.revision = number
        self.length = length
        self.base = base
        self.without = without
        self.since = since
        self.source = source
        self.other = None  # the other layout of this number
        self.lines = []

    def fields(self, mid):
        """Return its fields in their order, placed."""
        merged = [f.copy() for f in mid.revisions[self.base].fields(mid)] if self.base else []
        merged = [f for f in merged if f.name not in self.without]
        field = group = None
        for line in self.lines:
            if line.startswith("!"):
                if field is not None:
                    field.note = line[1:]
                continue
            if line.startswith("."):
                owner, _, rest = line[1:].strip().partition(".")
                groups = [f for f in merged if f.kind == "G" and f.name == owner]
                if groups:
                    _exchange(groups[0].members, rest)
                elif group is None or group.members is None:
                    raise TableError("MID %04d: %r is no member of a group" % (mid.mid, line))
                else:
                    group.members += _member(line[1:])
                continue
            for one in _each(line):
                field, before, _ = _field(one)
                group = field if field.kind == "G" else None
                names = [f.name for f in merged]
                if field.name in names:
                    merged[names.index(field.name)] = field
                elif before and before not in names:
                    raise TableError("%r: no field is called %s" % (line, before))
                else:
                    merged.insert(names.index(before) if before else len(names), field)
        _place(merged, 21)
        return merged


def _written_out(line, definitions):
    """Return the lines that one of names alone stands for; of any other note in `said` how it describes its field."""
    words = line.split()
    if line[0] == "!" or len(words) < 2:
        return [line]
    point, names = line[0] == ".", words[1:]
    if not all((point, name) in definitions for name in names):
        if len(words) > 2:
            definitions[point, names[0]] = " ".join(words[2:])
        return [line]
    first, _, last = words[0].partition("-")
    if not first.isdigit():
        return ["%s %s %s" % (words[0], name, definitions[point, name]) for name in names]
    if not (last or first).isdigit() or int(last or first) - int(first) + 1 != len(names):
        raise TableError("%r: as many names as parameter IDs are wanted" % line)
    return ["%02d %s %s" % (int(first) + at, name, definitions[point, name]) for at, name in enumerate(names)]


def _member(line):
    """Return a group's member, and the separator behind it."""
    member, _, separator = _field(line)
    return [member, _literal(separator)] if separator else [member]


def _exchange(members, line):
    """Put a member and its separator in the place of the one of that name, or behind all others."""
    new = _member(line)
    names = [member.name for member in members]
    at = names.index(new[0].name) if new[0].name in names else len(names)
    has_separator = at + 1 < len(names) and members[at + 1].kind == "'"
    members[at : at + 1 + has_separator] = new


def _place(fields, at):
    for field in fields:
        if field.kind == "G":
            _place(field.members, 0)
            widths = [member.octets() for member in field.members]
            field.width = None if -1 in widths else sum(widths)
        field.place = at + len(field.id) if at else 0
        octets = field.octets()
        at = at + octets if at and octets >= 0 else 0


def _each(line):
    """Return the lines that one stands for: `01-08 light_1-8 N1` for eight."""
    words = line.split(None, 2)
    first, _, last = words[0].partition("-")
    if len(words) < 3 or not (first.isdigit() and last.isdigit()):
        return [line]
    stem = words[1].partition("-")[0].rstrip("0123456789")
    begin, _, end = words[1][len(stem) :].partition("-")
    count = int(last) - int(first) + 1
    if not (begin.isdigit() and end.isdigit()) or int(end) - int(begin) + 1 != count or count < 2:
        raise TableError("%r: as many names as parameter IDs are wanted" % line)
    return ["%02d %s%d %s" % (int(first) + at, stem, int(begin) + at, words[2]) for at in range(count)]


def _field(line):
    """Return a line's field, the name of the one in front of which it stands, and what separates it from the next."""
    words = line.split()
    if len(words) < 2:
        raise TableError("%r: parameter ID, name and type are wanted" % line)
    if words[0] != "--" and not words[0].isdigit():
        words = ["--"] + words
    number, name, form = words[:3]
    field = _typed(b"" if number == "--" else number.encode(), name, form)
    rest, before, separator = 3, "", ""
    for word in words[3:]:
        if word[0] == "*":
            field.unit, _, scale = word[1:].partition("/")
            if not (scale or "1").isdigit():
                raise TableError("%r: a scale is a number" % line)
            field.scale = int(scale or 1)
        elif word[0] == "=" and len(word) > 1:
            field.values = word[1:]
        elif word[0] == "<":
            before = word[1:]
        elif word[0] == "'" and word[-1] == "'" and len(word) > 2:
            separator = word
        else:
            break
        rest += 1
    field.meaning = " ".join(words[rest:]) or name.replace("_", " ")
    return field, before, separator


def _literal(word):
    field = Field(b"", word, "'", len(word) - 2)
    field.values = word[1:-1]
    return field


def _typed(number, name, form):
    kind, rest = form[0], form[1:]
    if kind not in _PLAIN and kind not in _LISTS:
        raise TableError("%s: %r is no type" % (name, form))
    width, _, count = rest.partition("[")
    if "[" in rest and (len(count) < 2 or count[-1] != "]"):
        raise TableError("%s: %r is no count" % (name, form))
    if count:
        count = int(count[:-1]) if count[:-1].isdigit() else count[:-1]
    else:
        count = "*" if "*" in width else None
    field = Field(number, name, kind, int(width) if width.isdigit() else None, count, [] if kind == "G" else None)
    least, _, most = width.partition("*")
    field.least = int(least) if count == "*" and least.isdigit() else 0
    field.most = int(most) if count == "*" and most.isdigit() else 0
    return field


def revision_numbers(word):
    """Return the numbers of `1-7,998`."""
    numbers = []
    for part in word.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise TableError("%r: numbers are wanted, such as 1-7,998" % word)
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _apart(line):
    """Return what a line says and its source, which may be short (rule 8)."""
    text, _, source = line.partition(" @")
    return text, source.replace("later ", "protocol.md 10.")


def _mids_of(line):
    text, source = _apart(line)
    words = text.split()
    if len(words) < 5 or words[1].strip("0123456789,-"):
        raise TableError("%r: number, sender, kind and answer are needed" % line)
    has_header_only = words[-1] == "[20]"
    name = " ".join(words[5:-1] if has_header_only else words[5:])
    mids = [Mid(number, words[2], words[3], words[4], name, source) for number in revision_numbers(words[1])]
    if has_header_only:
        mids[0].revisions[1] = Revision(1, 20, 0, [], "", "")
    return mids


def _revisions_of(line):
    text, source = _apart(line)
    words = text.split()
    if len(words) < 2 or words[1].strip("0123456789,-"):
        raise TableError("%r: numbers of revisions are wanted" % line)
    length, base, without, since, other = 0, 0, [], "", False
    for word in words[2:]:
        if word.isdigit():
            length = int(word)
        elif word[0] == "+" and word[1:].isdigit():
            base = int(word[1:])
        elif word[0] == "-":
            without.append(word[1:])
        elif word.startswith("since="):
            since = word[6:]
        elif word == "other":
            other = True
        else:
            raise TableError("%r: %r is not known" % (line, word))
    return [Revision(number, length, base, without, since, source) for number in revision_numbers(words[1])], other


def _add_revisions(mid, line):
    revisions, other = _revisions_of(line)
    for revision in revisions:
        if not other:
            mid.revisions[revision.revision] = revision
        elif revision.revision in mid.revisions:
            mid.revisions[revision.revision].other = revision
        else:
            raise TableError("%r: the other layout stands behind the first" % line)
    return revisions


def read_table(text):
    """Return the MIDs of a table by their number; TableError, which names the line, where it is none."""
    if not isinstance(text, str):
        raise TableError("%r is no table" % (text,))
    mids = {}
    mid = None
    revisions = []
    definitions = {}  # (is it a group's member, name) -> what stands behind that name
    for line in text.split("\n"):
        line = line.strip()
        if not line or line[0] == "#":
            continue
        if line.startswith("MID "):
            for mid in _mids_of(line):
                mids[mid.mid] = mid
            revisions = []
        elif mid is None:
            raise TableError("%r: stands before the first MID" % line)
        elif line.startswith("REV "):
            revisions = _add_revisions(mid, line)
        elif not revisions and line[0] == "!":
            mid.note = line[1:]
        elif not revisions:
            raise TableError("%r: stands before the first revision" % line)
        else:
            lines = _written_out(line, definitions)
            for revision in revisions:
                revision.lines += lines
    return mids
