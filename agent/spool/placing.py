"""Finds where each outlet goes on after a start: its block in the log, and the numbers in front of it.

Rules
1. What is written down of a cursor is its `seq`, of the first outlet's also the number of the last result. The rest is
   found again in the blocks.
2. A cursor whose place is gone stands in front of the oldest block there is. What lies between counts as overwritten
   for the first outlet, where that is allowed; of the others nobody knows how much it was. So does what is missing in
   the oldest block: a cut may have left it half erased, and no record said yet what was given up. Nor was it if the
   block in front of that failed.
"""

from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.blocks import WHEN_FULL_OVERWRITE
from agent.spool.cursors import WANTS_EVENTS
from agent.spool.record import HEAD_BYTES, RECORD_NONE, is_head


def place_cursors(ring, below):
    """Find for each cursor the block in which its next record lies: the last one that begins at or before it.

    A block that was never opened begins at `below` or above. It may have the number of the last record that counts:
    one that was refused, or had faded, and is there again.
    """
    walk = ring.walk
    count = ring.device.block_count
    for cursor in ring.cursors:
        cursor.enter(-1, 0)
        cursor.jumped = True
    oldest = following = -1
    damaged = -1
    highest = 0
    for hop in range(1, count + 1):
        block = (ring.block + hop) % count
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return False
        if kind == RECORD_NONE:
            if walk.offset and oldest < 0 and damaged < 0:
                damaged = block  # what waits may begin in here
            continue
        if walk.seq < highest or walk.seq > ring.seq or walk.seq >= below:
            continue  # left over in a block that could not be erased, or torn
        highest = walk.seq
        if oldest < 0:
            oldest = block
        elif following < 0:
            following = block
        for cursor in ring.cursors:
            if walk.after <= cursor.seq:
                cursor.block = block
                cursor.jumped = False
    ring.half = -1
    if ring.when_full == WHEN_FULL_OVERWRITE:  # it comes next, and may be erased in part
        ring.half = damaged if damaged >= 0 else oldest
        ring.half_to = following if damaged < 0 and following >= 0 else oldest
    return _stand(ring, oldest, damaged)


def _stand(ring, oldest, damaged):
    """Let each cursor stand in its block, or in the first one there is; False if that could not be read."""
    for cursor in ring.cursors:
        if cursor.block < 0 and damaged >= 0:
            cursor.block = damaged
            cursor.jumped = False
        elif cursor.block < 0:
            cursor.block = oldest if oldest >= 0 else ring.block
            # Nothing that waits is erased without the durable cursor before it, but where it may be overwritten. Of
            # the others nobody knows how much that was.
            cursor.dropped = ring.when_full == WHEN_FULL_OVERWRITE and cursor is ring.cursors[0]
        if not _number(ring, cursor):
            return False
        cursor.saved()
    return True


def _number(ring, cursor):
    """Set a cursor's numbers to the last ones in front of it: only the first outlet's is written down, for results."""
    if cursor.jumped or (cursor is ring.cursors[0] and not cursor.wants & WANTS_EVENTS):
        return True
    walk = ring.walk
    bound = ring.bound(cursor.block)
    if bound < 0:
        return False
    walk.begin(cursor.block, 0, 0, bound)
    while True:
        kind = walk.next()
        if kind < RECORD_NONE:
            return False
        if kind == rec.KIND_HEAD and is_head(walk.page, HEAD_BYTES):  # of what is in front of it: it may be the first
            cursor.number = get_u32(walk.page, HEAD_BYTES + rec.AT_NUMBER)
            cursor.event = get_u32(walk.page, HEAD_BYTES + rec.AT_EVENT_NUMBER)
        if kind == RECORD_NONE or walk.seq > cursor.seq:
            return True
        number = get_u32(walk.page, HEAD_BYTES)
        if kind == rec.KIND_EVENT:
            cursor.event = number
        elif kind != rec.KIND_HEAD and rec.is_for_outlets(kind) and number > cursor.number:
            cursor.number = number
