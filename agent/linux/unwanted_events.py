"""Passes the events that an outlet does not want, so that they keep no room in the log while it is away.

`peek` does so too, but whoever peeks counts what is damaged. ToolsNet's place may do that only once an 08 came: what
was out before a start may be what is damaged (toolcart.agent.outlets.toolsnet.resume_point). So this goes as far as
one number follows the other, and counts nothing.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import FRAME_BYTES, NUMBER

CPYTHON_ONLY = True  # on a board the log has no events but `results gone`


def pass_unwanted(log):
    """Let each cursor pass the records behind it that its reader does not want, up to the first that it may."""
    for cursor in log.cursors:
        while cursor.number < log.visible and _pass_one(log, cursor):
            pass


def _pass_one(log, cursor):
    """Let the cursor go one place on; False if what is there is wanted, or not what follows it."""
    if cursor.version != log.version:
        if log.place_of(cursor.number + 1) < 0:
            return False  # its block is gone
        log.look_up(cursor)
    if cursor.number + 1 >= cursor.bound:
        log.leave_block(cursor)  # nothing is missing up to there
        return True
    place, offset = cursor.place, cursor.offset
    end = log.offset if place == log.block else log.device.block_bytes
    octets = log.read_record(place, offset, end) if offset + FRAME_BYTES <= end else 0
    if octets <= 0:
        return False
    number = get_u32(log.page, HEAD_OCTETS + NUMBER)
    if number > cursor.number:
        if number != cursor.number + 1 or cursor.wants >> (log.page[HEAD_OCTETS] & 15) & 1:
            return False
        cursor.number = number
        cursor.sequence_lag += 1
    cursor.offset = log.next_record_offset(offset, octets)
    return True
