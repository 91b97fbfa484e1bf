"""What stands behind body and limits, rows of spindles or additional identifiers: does it differ, is it plain text?

Imported when there is such a payload: hardly any controller has them.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, differs, is_plain, number
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.spindles import BOLTS, BOLTS_ROW_BYTES, OBJECTS, PLACE, SYNC, count_of, first_row, row_bytes

_IDENTIFIERS = const(0x49)  # toolcart.agent.record.extended_values
_FIRST = const(152)
_WIDTH = const(25)
_COUNT = const(3)
_SPECIAL_NAME = const(5)  # of toolcart.agent.record.extended_values
_VALUE = const(22)  # in a value of a bolt, behind name and type
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


def is_text_plain(page, at, length):
    """True if nothing in this result is shown escaped (toolcart.agent.record.escaping). Allocates nothing."""
    body = at + res.HEAD_BYTES
    if not (is_plain(page, body + res.VIN, res.VIN_BYTES) and is_plain(page, body + res.SERIAL, res.SERIAL_BYTES)):
        return False
    if length < SEVERAL_LEAST:
        return True
    form = page[at + PLACE]
    if form == _IDENTIFIERS:
        for index in range(_COUNT):
            if not is_plain(page, at + _FIRST + index * _WIDTH, _WIDTH):
                return False
        return True
    return form != BOLTS or _are_bolts_plain(page, at, at + length)


def _is_number_plain(page, place, width):
    """True if this number is plain, or not shown: a NUL may have taken a digit's place."""
    return is_plain(page, place, width) or page.find(b"\0", place, place + width) >= 0


def _are_bolts_plain(page, at, end):
    """True if the names of a station and its bolts, and the values that these have in words, are plain text."""
    head = at + PLACE
    if not (
        is_plain(page, head + sp.STATION_NAME, sp.NAME_BYTES)
        and is_plain(page, head + sp.MODE_NAME, sp.NAME_BYTES)
        and is_plain(page, head + sp.WORKPIECE, sp.WORKPIECE_BYTES)
    ):
        return False
    place = sp.rows_end(page, at)
    while place + sp.SPECIAL_BYTES <= end:
        if page[place] == sp.SPECIAL:
            octets = number(page, place + sp.SPECIAL_LENGTH, 2)
            values, first, width = 1, place + _SPECIAL_NAME, octets
            value = sp.SPECIAL_BYTES - _SPECIAL_NAME
            place += sp.SPECIAL_BYTES + octets
        else:
            octets = values = number(page, place + sp.EXTRA_COUNT, 2)
            first, value, width = place + sp.EXTRA_BYTES, _VALUE, sp.FIGURE_BYTES
            if place + sp.EXTRA_BYTES <= end and not _is_bolt_plain(page, place):
                return False
            place = first + values * sp.VALUE_BYTES
        if octets < 0 or place > end:
            return True
        for index in range(values):
            name = first + index * sp.VALUE_BYTES
            if not (is_plain(page, name, sp.NAME_BYTES) and is_plain(page, name + value, width)):
                return False
    return True


def _is_bolt_plain(page, place):
    return (
        _is_number_plain(page, place + sp.EXTRA_NUMBER, 4)
        and is_plain(page, place + sp.EXTRA_NAME, sp.NAME_BYTES)
        and is_plain(page, place + sp.EXTRA_PROGRAM, sp.NAME_BYTES)
        and is_plain(page, place + sp.EXTRA_ERRORS, sp.ERRORS_BYTES)
        and is_plain(page, place + sp.EXTRA_CODE, 4)
    )


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
