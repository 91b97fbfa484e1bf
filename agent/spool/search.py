"""Answers one question from the log itself: was this very tightening stored before?"""

from agent.base.fields import same
from agent.base.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID, TIME, TIME_BYTES
from agent.spool import record as rec
from agent.spool.record import RECORD_NONE

BLOCKS_SEARCHED = 8  # at least 120 results back; a controller repeats its latest ones, a recovery fills recent holes


def holds(ring, body, start, blocks=BLOCKS_SEARCHED):
    """Tell whether the newest `blocks` blocks hold a result with the tightening ID and time of body[start:].

    An ID alone does not do: a controller that was reset counts from the beginning again.
    """
    walk = ring.walk
    count = ring.device.block_count
    block = ring.block
    at = rec.HEAD_BYTES + HEAD_BYTES
    for _ in range(blocks if blocks < count else count):
        walk.begin(block, 0, 0)
        while True:
            kind = walk.next()
            if kind <= RECORD_NONE:
                break
            if (
                kind == rec.KIND_RESULT
                and same(walk.page, at + TIGHTENING_ID, body, start + TIGHTENING_ID, ID_BYTES)
                and same(walk.page, at + TIME, body, start + TIME, TIME_BYTES)
            ):
                return True
        block = block - 1 if block else count - 1
    return False
