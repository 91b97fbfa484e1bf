"""Tells numbers that a start skipped from records that are gone. Imported only where numbers are missing in a block."""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import NUMBER

_NUMBER = const(56)  # HEAD_OCTETS + NUMBER


def count_missing(log, cursor, number, offset, end):
    """Count what is missing between the cursor and `number`, whose record is at `offset` of its block and in the page.

    Nothing is if the record of the cursor's number ends right there. A read that fails counts as a gap.
    """
    place = cursor.place
    at = HEAD_OCTETS
    before = -1
    while at < offset:
        octets = log.look(place, at, end)
        before = get_u32(log.page, _NUMBER) if octets > 0 else -1
        at = log.behind(at, octets) if octets > 0 else log.over(at)
    if at != offset or before != cursor.number:
        log.count_damaged(cursor.number, number)
    return log.look(place, offset, end)


assert _NUMBER == HEAD_OCTETS + NUMBER
