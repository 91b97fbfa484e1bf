"""Judges a table before it is taken: every revision can be laid out, and what it names is there."""

from .errors import InvalidValue, TableError
from .fields import READERS
from .meanings import names_of

SENDERS = ("I", "C", "IC")
KINDS = ("Q", "P", "S", "E", "A", "C", "C!", "L", "X")
_TO_ITS_END = "TDH"  # kinds that may have no width of their own


def check_mid(mid):
    """TableError if a MID or a revision of it cannot be used."""
    if not 1 <= mid.mid <= 9999 or mid.sender not in SENDERS or mid.kind not in KINDS:
        values = (mid.mid, mid.sender, mid.kind)
        raise TableError("MID %d, sender %r, kind %r: 1 to 9999, I, C or IC, Q P S E A C C! L or X" % values)
    answer = mid.answer
    if answer not in ("-", "*", "requested") and not (answer[:4].isdigit() and answer[4:] in ("", "r")):
        raise TableError("MID %04d: %r is no answer" % (mid.mid, answer))
    for number in mid.revisions:
        _check_revision(mid, number)


def _check_revision(mid, number):
    where = "MID %04d revision %d" % (mid.mid, number)
    if not 1 <= number <= 999:
        raise TableError("%s: 1 to 999" % where)
    seen, base = [number], mid.revisions[number].base
    while base:
        if base in seen or base not in mid.revisions:
            raise TableError("%s: it cannot continue revision %d" % (where, base))
        seen.append(base)
        base = mid.revisions[base].base
    for revision in (mid.revisions[number], mid.revisions[number].other):
        if revision is not None:
            fields = revision.fields(mid)
            _check_fields(fields, [], where)


def _check_fields(fields, outer, place):
    names = list(outer)
    for field in fields:
        if field.kind == "'":
            continue
        where = "%s, %s" % (place, field.name)
        if field.name in names[len(outer) :]:
            raise TableError("%s: twice" % where)
        if isinstance(field.count, str) and field.count != "*" and field.count not in names:
            raise TableError("%s: no field before it is called %s" % (where, field.count))
        if field.kind in READERS and field.width is None and (field.count is None or field.kind not in _TO_ITS_END):
            raise TableError("%s: a width is wanted" % where)
        if field.scale < 1:
            raise TableError("%s: a scale of %d" % (where, field.scale))
        if field.kind == "G":
            if not field.members:
                raise TableError("%s: a group without members" % where)
            _check_fields(field.members, names, place)
        try:
            names_of(field.values)
        except (InvalidValue, ValueError):
            raise TableError("%s: %r names no values" % (where, field.values))
        names.append(field.name)
