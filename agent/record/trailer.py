"""What stands behind body and limits, rows of spindles or additional identifiers: does it differ, is it plain text?

Imported when there is such a payload: hardly any controller has them.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, differs
from toolcart.agent.record.provenance import origin_bytes
from toolcart.agent.record.spindles import BOLTS, BOLTS_ROW_BYTES, OBJECTS, PLACE, SYNC, count_of, first_row, row_bytes

_IDENTIFIERS = const(0x49)  # toolcart.agent.record.extended_values
_FIRST = const(152)
_WIDTH = const(25)
_COUNT = const(3)
_TILDE = const(0x7E)
_MEASURED = const(18)  # of a row: its number, status, torque and angle


def differ(page, at, other, start):
    """True if both have the same kind of it, and say something else there."""
    form = page[at + PLACE]
    if form != other[start + PLACE]:
        return False
    if form == _IDENTIFIERS:
        for index in range(_COUNT):
            place = _FIRST + index * _WIDTH
            if differs(page, at + place, other, start + place, _WIDTH):
                return True
    return form in (SYNC, BOLTS, OBJECTS) and _do_rows_differ(page, at, other, start, form)


def is_plain_behind(page, at, length):
    """True if it has nothing that an outlet may have to escape (toolcart.agent.record.escaping)."""
    place = at + PLACE
    end = at + length - origin_bytes(page, at)
    while place < end:
        octet = page[place]
        if octet >= _TILDE or 0 < octet < 0x20:
            return False
        place += 1
    return True


def _do_rows_differ(page, at, other, start, form):
    """True if a spindle that both have is another one, or has other figures."""
    width = BOLTS_ROW_BYTES if form == BOLTS else _MEASURED
    one = first_row(page, at)
    its = first_row(other, start)
    for _ in range(min(count_of(page, at), count_of(other, start))):
        if compare(page, one, other, its, width):
            return True
        one += row_bytes(page, at)
        its += row_bytes(other, start)
    return False
