"""Answers one question from the log itself: was this very tightening stored before?"""

from agent.base.fields import compare
from agent.base.result import (
    BATCH_STATUS,
    FLAG_EDGE_TIME,
    HEAD_BYTES,
    ID_BYTES,
    TIGHTENING_ID,
    TIME,
    TIME_BYTES,
    VIN,
    VIN_BYTES,
)
from agent.spool import record as rec
from agent.spool.record import RECORD_NONE

# A controller repeats its latest result, and that may lie as far back as all that was fetched since; 256 blocks of
# 4 KiB hold 4000 fetched results. What is there is found at once as a rule; going through all of them is rare.
BLOCKS_SEARCHED = 256

_VALUES_BYTES = TIME - BATCH_STATUS  # statuses, torque and angle lie side by side


def holds(ring, body, start, blocks=BLOCKS_SEARCHED, timeless=False):
    """Tell whether the newest `blocks` blocks hold a result with the tightening ID and time of body[start:].

    An ID alone does not do: a controller that was reset counts from the beginning again. A `timeless` result carries
    the agent's time, a new one each time it comes: there VIN and values have to be the same. Only records that count
    are looked at: what a failed write left behind was never acknowledged, and may fade.
    """
    count = ring.device.block_count
    block = ring.block
    left = blocks if blocks < ring.block_no else ring.block_no + 1
    for _ in range(count):
        if left <= 0:
            return False
        found = _holds_here(ring, block, body, start, timeless)
        if found > 0:
            return True
        if found == 0:  # an empty block, as an area that has grown has some, is no block searched
            left -= 1
        block = block - 1 if block else count - 1
    return False


def _holds_here(ring, block, body, start, timeless):
    """Return 1 if this block holds it, 0 if not, -1 if the block holds nothing at all."""
    walk = ring.walk
    if walk.first(block) == RECORD_NONE and walk.offset == 0:
        return -1
    until = ring.bound(block)
    at = rec.HEAD_BYTES + HEAD_BYTES
    walk.begin(block, 0, 0, until)
    while True:
        kind = walk.next()
        if kind <= RECORD_NONE:
            return 0
        if (
            kind == rec.KIND_RESULT
            and compare(walk.page, at + TIGHTENING_ID, body, start + TIGHTENING_ID, ID_BYTES) == 0
            and (
                compare(walk.page, at + TIME, body, start + TIME, TIME_BYTES) == 0
                if not timeless
                else walk.flags & FLAG_EDGE_TIME
                and compare(walk.page, at + VIN, body, start + VIN, VIN_BYTES) == 0
                and compare(walk.page, at + BATCH_STATUS, body, start + BATCH_STATUS, _VALUES_BYTES) == 0
            )
        ):
            return 1
