"""Rewinds a cursor by a number of the records that its reader counts. Most carts never import it."""

from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.recount import walk


def rewind(log, cursor, rows, circle, counts=None):
    """Move the cursor back by `rows` of the records it counts, as far as the log still has them.

    Its `sequence_lag` follows.

    The count wraps after `circle`, and has those, too, that cannot be read any more. Return how many of them the log
    still has; below 0 if something cannot be read now: then nothing was moved.
    """
    if log.peek(cursor) < RECORD_NONE:  # after this it stands before what it wants next, or at the end
        return -1
    last = cursor.number
    scout = Cursor()
    scout.wants = cursor.wants
    start = last - rows
    while True:
        log.seek(scout, start)
        begin = scout.number
        passed = walk(log, scout, last, counts)
        if passed < 0:
            return -1
        lacking = rows - (last - begin - scout.sequence_lag)
        if lacking <= 0 or begin > start:
            break
        start = begin - lacking
    log.seek(cursor, begin, (cursor.sequence_lag - scout.sequence_lag) % circle)
    if cursor in log.cursors:
        log.reopen()
    return passed
