"""The layouts of MID 0061 and 0065 compiled into straight slices, for CPython.

Rules
1. Used by toolcart.agent.openprotocol.layouts on CPython. Its own `read_whole` still reads with care: a message that
   ends early, a number that is padded or not a number, a status that does not exist go to it from the start.
2. Blank fields and times that are not times are read here: they are not odd (rule 2 of layouts).
"""

from toolcart.agent.base.straight import COPY, DIGITS, FILL, PACK_TIME, STATUS, compiled
from toolcart.agent.record.result import BODY_BYTES, LIMITS_BYTES, RESULT_READ, STATUSES_MOST

CPYTHON_ONLY = True  # boards read with care

_JOB, _PSET, _TIME = 1, 2, 11
_STATUS_FIRST, _STATUS_LAST = 5, 8
_NO_DIGITS = (0, 11, 12, 14)  # VIN, time, time of change, serial
_STAMP_BYTES = 19
_WHOLE_BYTES = BODY_BYTES + LIMITS_BYTES


def straightened(read_with_care, scale_angles, widths, limit_widths):
    """Return what takes the place of `read_with_care` (layouts.read_whole)."""
    made: dict = {}  # by the layout's identity, with the layout: there are six

    def read_whole(layout, buf, at, length, body, start):
        known = made.get(id(layout))
        if known is None or known[0] is not layout:
            moves = _moves_of(layout, widths, limit_widths)
            last = max([move[3] + max(move[4], 1) for move in moves if move[0] != FILL])
            known = made[id(layout)] = layout, last, compiled(moves)
        if length < known[1] or not known[2](body, start, buf, at):
            return read_with_care(layout, buf, at, length, body, start)
        if layout[2] is None:
            return RESULT_READ, BODY_BYTES
        if layout[3] is None:
            return RESULT_READ, _WHOLE_BYTES
        return max(RESULT_READ, scale_angles(layout, buf, at, length, body, start)), _WHOLE_BYTES

    return read_whole


def _moves_of(layout, widths, limit_widths):
    job_width, places, limits, _ = layout
    moves, to = [], 0
    for index, place in enumerate(places):
        width = widths[index]
        used = job_width if index == _JOB else 3 if index == _PSET else width
        if not place:
            moves.append((FILL, 0, to, 0 if index == _TIME else 0x20, width))
        elif index == _TIME:
            moves.append((PACK_TIME, 0, to, place - 1, _STAMP_BYTES))
        elif _STATUS_FIRST <= index <= _STATUS_LAST:
            moves.append((STATUS, STATUSES_MOST[index - _STATUS_FIRST] - 0x30, to, place - 1, 1))
        elif index in _NO_DIGITS:
            moves.append((COPY, 0, to, place - 1, used))
        else:
            moves.append((DIGITS, width - used, to, place - 1, used))
        to += width
    for index, place in enumerate(limits or ()):
        width = limit_widths[index]
        moves.append((DIGITS, 0, to, place - 1, width) if place else (FILL, 0, to, 0x20, width))
        to += width
    if limits is not None:
        moves.append((FILL, 0, to, 0x20, 1))  # no decimals
    return moves
