"""Finds the newest event of a kind in a log.

Imported by those who look for one: at a start, or when a kind of event comes for the first time.
"""

from agent.record import KIND_EVENT
from agent.record import event as ev
from agent.spool.record import HEAD_BYTES, RECORD_NONE


def newest_event(ring, walk, what, blocks, of):
    """Return what `of(walk)` makes of the newest event of kind `what` for which it is not None; None if there is none.

    Only the newest `blocks` blocks are read, by this walk. `of` is called where the walk stands on such an event: its
    payload begins at walk.page[HEAD_BYTES:].
    """
    block = ring.block
    for _ in range(min(blocks, ring.device.block_count)):
        found = None
        walk.begin(block, 0, 0, ring.bound(block))
        kind = walk.next()
        while kind > RECORD_NONE:
            if kind == KIND_EVENT and walk.page[HEAD_BYTES + ev.WHAT] == what:
                made = of(walk)
                if made is not None:
                    found = made
            kind = walk.next()
        if found is not None:
            return found
        block = block - 1 if block else ring.device.block_count - 1
    return None
