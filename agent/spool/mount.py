"""Brings a ring up from whatever lies on the flash: never refuses, reads every block's first record and one block.

Rules
1. The newest block is the one whose first sound record has the highest `seq`; HEADs order the log, places do not.
2. Counters, cursors and memory come from the newest sound HEAD, then from every record behind it in order.
3. Behind the last sound record everything must read as erased, else the rest of that block is left alone for ever.
4. A result at the very end is suspect (a torn record may read well today): it is written once more.
"""

from agent.base.fields import copy
from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.record import HEAD_BYTES, RECORD_NONE
from agent.spool.ring import FORMAT_VERSION, MEMORY_BYTES, OUTLETS, SPOOL_FAILED

HEAD_MEMORY_AT = HEAD_BYTES + 56  # where the owner's memory lies in the page of a HEAD
MEMORY_AT = HEAD_BYTES + 4  # and in that of a MEMORY record

_MAGIC = b"TCSP"


def mount(ring, confirm=True):
    """Set `ring` to what its device holds: 1 if a log was found, 0 for an area without one.

    SPOOL_FAILED if the device could not be read; nothing may be written then, try again later. An owner with a memory
    passes confirm=False and confirms when its memory is up to date: the copy may open a block, whose HEAD carries it.
    """
    headed = _find_newest(ring)
    if headed == SPOOL_FAILED or ring.seq == 0:
        return headed if headed == SPOOL_FAILED else 0
    newest = ring.block
    block = headed if headed >= 0 else newest
    while True:
        _replay_block(ring, block)
        if block == newest:
            break
        block = (block + 1) % ring.device.block_count
    _close_tail(ring)
    for cursor in ring.cursors:
        _place(ring, cursor)
    if confirm:
        ring.confirm()
    return 1


def replay_begin(ring):
    """Start over at the newest block's first record, for the owner of the ring's memory."""
    ring.walk.begin(ring.block, 0, 0)


def replay_next(ring):
    """Bring the next record of the newest block into the page: its kind, or RECORD_NONE.

    HEAD and MEMORY records stand for `ring.memory`, which already holds the last of them; results behind the last one
    have to be applied by the owner.
    """
    kind = ring.walk.next()
    return kind if kind > RECORD_NONE else RECORD_NONE


def is_head(page, at):
    """Tell whether the payload at `at` is a HEAD of a version this code reads."""
    for index in range(4):
        if page[at + index] != _MAGIC[index]:
            return False
    return page[at + 4] == FORMAT_VERSION and page[at + 5] == OUTLETS


def _find_newest(ring):
    """Set ring.block and ring.seq to the newest block's; return the newest block with a sound HEAD, or -1."""
    walk = ring.walk
    headed = -1
    headed_seq = 0
    for block in range(ring.device.block_count):
        walk.begin(block, 0, 0)
        kind = walk.next()
        if kind < 0:
            return SPOOL_FAILED
        if kind == RECORD_NONE:
            continue
        if walk.seq > ring.seq:
            ring.seq = walk.seq
            ring.block = block
        if kind == rec.KIND_HEAD and walk.seq > headed_seq and is_head(walk.page, HEAD_BYTES):
            headed = block
            headed_seq = walk.seq
    return headed


def _replay_block(ring, block):
    walk = ring.walk
    walk.begin(block, 0, 0)
    last = 0
    while True:
        kind = walk.next()
        if kind <= RECORD_NONE:
            break
        if last and walk.seq != last + 1:
            ring.damaged += walk.seq - last - 1
        last = walk.seq
        _apply(ring, kind, walk.page)
        ring.offset = walk.offset
        ring.seq = walk.seq
        ring.last_record_at = walk.record_at
        ring.suspect = kind == rec.KIND_RESULT or kind == rec.KIND_RAW


def _apply(ring, kind, page):
    at = HEAD_BYTES
    if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
        number = get_u32(page, at)
        if number > ring.number:
            ring.number = number
    elif kind == rec.KIND_EVENT:
        ring.event_number = get_u32(page, at)
    elif kind == rec.KIND_CURSOR:
        outlet = get_u32(page, at)
        if outlet < len(ring.cursors):
            _load_cursor(ring.cursors[outlet], page, at + 4)
    elif kind == rec.KIND_MEMORY:
        ring.base = get_u32(page, at)
        copy(ring.memory, 0, page, MEMORY_AT, MEMORY_BYTES)
    elif kind == rec.KIND_HEAD and is_head(page, at):
        ring.block_no = get_u32(page, at + 16)
        ring.number = get_u32(page, at + 20)
        ring.event_number = get_u32(page, at + 24)
        ring.base = get_u32(page, at + 28)
        at += 32
        for cursor in ring.cursors:
            _load_cursor(cursor, page, at)
            at += 12
        copy(ring.memory, 0, page, HEAD_MEMORY_AT, MEMORY_BYTES)


def _load_cursor(cursor, page, at):
    cursor.seq = get_u32(page, at)
    cursor.number = get_u32(page, at + 4)
    limit = get_u32(page, at + 8)
    if limit > cursor.limit:
        cursor.limit = limit


def _close_tail(ring):
    """Make sure that the next append meets erased flash, in this block or the next."""
    unit = ring.device.unit_bytes
    offset = ring.offset + unit - 1
    offset -= offset % unit
    if offset < ring.device.block_bytes and not ring.is_erased(ring.block, offset):
        ring.torn += 1
        offset = ring.device.block_bytes
    ring.offset = offset


def _place(ring, cursor):
    """Find the block in which the cursor's next record lies: the last one that begins at or before it."""
    walk = ring.walk
    best = -1
    best_seq = 0
    oldest = ring.block
    oldest_seq = ring.seq + 1
    for block in range(ring.device.block_count):
        walk.begin(block, 0, 0)
        if walk.next() <= RECORD_NONE:
            continue
        if walk.seq <= cursor.seq + 1 and walk.seq > best_seq:
            best = block
            best_seq = walk.seq
        if walk.seq < oldest_seq:
            oldest = block
            oldest_seq = walk.seq
    cursor.offset = 0
    cursor.jumped = best < 0
    cursor.block = oldest if best < 0 else best
