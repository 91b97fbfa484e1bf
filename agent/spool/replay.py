"""Tells the owner of a ring's memory what the newest block holds: after a mount, before the ring is confirmed."""

from agent.spool import record as rec
from agent.spool.record import HEAD_BYTES, RECORD_NONE

HEAD_MEMORY_AT = HEAD_BYTES + rec.AT_MEMORY  # where the owner's memory lies in the page of a HEAD
MEMORY_AT = HEAD_BYTES + 4  # and in that of a MEMORY record


def replay_begin(ring):
    """Start over at the newest block's first record, for the owner of the ring's memory."""
    ring.walk.begin(ring.block, 0, 0, ring.seq + 1)


def replay_next(ring):
    """Bring the next record of the newest block into the page: its kind, or RECORD_NONE.

    HEAD and MEMORY records stand for `ring.memory`, which already holds the last of them; results behind the last one
    have to be applied by the owner.
    """
    kind = ring.walk.next()
    return kind if kind > RECORD_NONE else RECORD_NONE
