"""Finds frames again that nobody could read: their octets alone tell one result from another. Rare.

Like any search these say RECORD_BAD where the device cannot be read (agent.spool.search, rule 4).
"""

from agent.base.compat import const
from agent.base.fields import compare
from agent.record.raw import FRAME_MOST
from agent.record.result import BODY_BYTES, FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, ID_EPOCH
from agent.spool import record as rec
from agent.spool.memory import EPOCH
from agent.spool.search import oldest_of, search

BLOCKS_SEARCHED = const(4)  # such a frame is repeated at once or not at all
FETCHED_ID = const(22)  # of the ID in every MID 0065 (003:6565-7019), from the message's first octet

# Of the page: the epoch of a frame's IDs, and the frame.
_EPOCH = const(15)
_BODY = const(16)


def holds_frame(ring, buf, at, length):
    """Tell whether one of the newest blocks holds this very frame, or as much of it as is kept."""
    return search(ring, BLOCKS_SEARCHED, rec.KIND_RAW, _is_frame, buf, at, min(length, FRAME_MOST))


def holds_pushed(ring, ident, place):
    """Tell whether one of the newest blocks holds a frame that came by itself with these ten digits at `place`.

    `place` is counted from the frame's first octet; the frame is of this epoch of the controller's IDs.
    """
    return search(ring, BLOCKS_SEARCHED, rec.KIND_RAW, _is_pushed, ident, place, ring.memory[EPOCH])


def is_another(ring, buf, at, length, ident, pushed_at):
    """Tell whether this MID 0065 is of another result than the one that was known under `ident`, unread as well.

    `pushed_at` is where the ten digits of `ident` stand in a MID 0061, from its first octet.
    The log holds another frame of that ID; or no result at all, of which one could be stored twice by mistake, and has
    lost none: no block was opened twice, nor is one that held something among the two that a start erases.
    """
    if holds_pushed(ring, ident, pushed_at) or holds_frame(ring, buf, at, length):
        return False
    epoch = ring.memory[EPOCH]
    if search(ring, BLOCKS_SEARCHED, rec.KIND_RAW, _is_fetched, ident, FETCHED_ID, epoch):
        return True
    return ring.block_no + 2 <= ring.device.block_count and not oldest_of(ring, epoch, bytearray(BODY_BYTES))


def _is_frame(walk, buf, start, length):
    """Tell whether the record is this very frame."""
    return walk.length == HEAD_BYTES + length and compare(walk.page, _BODY, buf, start, length) == 0


def _is_pushed(walk, ident, place, epoch):
    """Tell whether the record is a frame of this epoch that came by itself, with these digits at `place`."""
    return not walk.flags & FLAG_RECOVERED and _has_id(walk, ident, place, epoch)


def _is_fetched(walk, ident, place, epoch):
    """Tell whether the record is a frame of this epoch that was asked for, with these digits at `place`."""
    return walk.flags & FLAG_RECOVERED and _has_id(walk, ident, place, epoch)


def _has_id(walk, ident, place, epoch):
    return (
        walk.page[_EPOCH] == epoch
        and walk.length >= HEAD_BYTES + place + ID_BYTES
        and compare(walk.page, _BODY + place, ident, 0, ID_BYTES) == 0
    )


assert _BODY == rec.HEAD_BYTES + HEAD_BYTES and _EPOCH == rec.HEAD_BYTES + ID_EPOCH
