"""Brings a ring up from whatever lies on the flash: never refuses what is damaged, reads the blocks' first records and
one block.

Rules
1. The newest block is the one whose first sound record has the highest `seq`; HEADs order the log, places do not.
2. Counters, cursors and memory come from the newest sound HEAD, then from every record behind it in order.
3. Nothing is appended behind the last record: it may be half programmed and read well, and so may what looks erased.
4. What is whole and does not fit (another version, other units, a larger area) is left alone: SPOOL_FOREIGN.
5. Blocks whose first records cannot be read are searched from end to end only where the newest one is to be expected,
   BLOCKS_SEARCHED of them at most: a foreign area of any size costs one or two reads a block.
"""

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.record import HEAD_BYTES, RECORD_NONE, is_head, is_spool_head
from agent.spool.replay import HEAD_MEMORY_AT, MEMORY_AT
from agent.spool.ring import ROLE_MAIN, ROLE_PARKED, SPOOL_FAILED, SPOOL_FOREIGN
from agent.spool.walk import READ_BYTES, Walk

READINGS = const(4)  # the newest block may be torn and read differently each time; the one before it is not
BLOCKS_SEARCHED = const(8)  # 32 KiB: more than the parking area and any burst of damage

WHY_VERSION = const(1)
WHY_UNIT = const(2)
WHY_BLOCK = const(3)
WHY_SMALLER = const(4)
WHY_ROLE = const(5)


def mount(ring, confirm=True):
    """Set `ring` to what its device holds: 1 if a log was found, 0 for an area without one.

    SPOOL_FAILED if the device could not be read; nothing may be written then, try again later. SPOOL_FOREIGN if the
    area holds a spool that does not fit; `ring.why` says how (agent.spool.why). An owner with a memory passes
    confirm=False and confirms when its memory is up to date: the copy opens a block, whose HEAD carries it.
    """
    below = rec.SEQ_TOP
    for _ in range(READINGS):
        headed = _find_newest(ring, below)
        if headed < -1:
            return headed
        if ring.seq == 0:
            return 0
        below = _replay(ring, headed)
        if below <= 0:
            break
    if below:
        return SPOOL_FAILED
    _close_tail(ring)
    for cursor in ring.cursors:
        # A result that was delivered and has faded since must not have its number taken by another.
        if cursor.number > ring.number:
            ring.number = cursor.number
    if not _place_cursors(ring):
        return SPOOL_FAILED
    if confirm:
        ring.confirm()
    return 1


def parking_blocks(device, wanted):
    """Return how many blocks in front of the device are the parking area: as a main HEAD says, else `wanted`.

    SPOOL_FAILED if the device cannot be read.
    """
    walk = Walk(device, READ_BYTES)
    for block in range(device.block_count):
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return SPOOL_FAILED
        if kind != rec.KIND_HEAD or not is_head(walk.page, HEAD_BYTES):
            continue
        at = HEAD_BYTES + rec.AT_FIRST_BLOCK
        if walk.page[HEAD_BYTES + rec.AT_ROLE] == ROLE_MAIN:
            return walk.page[at] | walk.page[at + 1] << 8
        return get_u32(walk.page, HEAD_BYTES + rec.AT_BLOCK_COUNT)
    return wanted


def _misfit(ring, page, at):
    """Return why the HEAD's payload at `at` does not fit the ring, 0 if it does."""
    device = ring.device
    if not is_spool_head(page, at):
        return 0
    if not is_head(page, at):
        return WHY_VERSION
    if page[at + rec.AT_UNIT] | page[at + rec.AT_UNIT + 1] << 8 != device.unit_bytes:
        return WHY_UNIT
    if get_u32(page, at + rec.AT_BLOCK_BYTES) != device.block_bytes:
        return WHY_BLOCK
    if page[at + rec.AT_ROLE] != ring.role:
        return WHY_ROLE
    if get_u32(page, at + rec.AT_BLOCK_COUNT) > device.block_count:
        return WHY_SMALLER
    return 0


def _find_newest(ring, below):
    """Set ring.block and ring.seq to the newest block's; return the newest block with a sound HEAD, -1 without one.

    Blocks that begin at number `below` or above are passed over: they did not read the same twice.
    """
    walk = ring.walk
    headed = -1
    headed_seq = 0
    ring.seq = 0
    ring.block = ring.device.block_count - 1
    for cursor in ring.cursors:
        cursor.seq = cursor.number = cursor.limit = 0
    for block in range(ring.device.block_count):
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return SPOOL_FAILED
        if kind == RECORD_NONE or walk.seq >= below:
            continue
        if kind == rec.KIND_HEAD:
            ring.why = _misfit(ring, walk.page, HEAD_BYTES)
            if ring.why:
                return SPOOL_FOREIGN
            if walk.seq > headed_seq:
                headed = block
                headed_seq = walk.seq
        if walk.seq > ring.seq:
            ring.seq = walk.seq
            ring.block = block
    return headed if _search_behind(ring, below) else SPOOL_FAILED


def _search_behind(ring, below):
    """Look from end to end at the blocks behind the newest whose first records are damaged; False if unreadable."""
    walk = ring.walk
    count = ring.device.block_count
    block = ring.block
    for _ in range(BLOCKS_SEARCHED if BLOCKS_SEARCHED < count else count):
        block = (block + 1) % count
        kind = walk.first(block)
        if kind != RECORD_NONE or walk.offset == 0:  # a block of the log, or erased
            return kind >= RECORD_NONE
        walk.begin(block, 0, ring.seq, below)
        kind = walk.next()
        if kind < RECORD_NONE:
            return False
        if kind > RECORD_NONE:
            ring.seq = walk.seq
            ring.block = block
        elif walk.skipped:
            ring.unreadable += 1
    return True


def _replay(ring, headed):
    """Read the log from the newest HEAD on: 0 when done, -1 if the device cannot be read.

    A block that does not hold now what it held a moment ago was torn: returns the number it began with.
    """
    newest = ring.block
    expected = ring.seq
    block = headed if headed >= 0 else newest
    ring.seq = 0
    ring.number = 0
    while True:
        if not _replay_block(ring, block):
            return -1
        if block == headed and not ring.headed:
            return expected
        if block == newest:
            return 0 if ring.seq >= expected else expected
        block = (block + 1) % ring.device.block_count


def _replay_block(ring, block):
    walk = ring.walk
    walk.begin(block, 0, ring.seq)
    ring.headed = False
    while True:
        kind = walk.next()
        if kind <= RECORD_NONE:
            return kind == RECORD_NONE
        if kind == rec.KIND_HEAD:
            ring.headed = True
        _apply(ring, kind, walk.page)
        ring.offset = walk.offset
        ring.seq = walk.seq
        ring.last_record_at = walk.record_at
        ring.last_kind = kind
        ring.last_block = block


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
        if 0 <= outlet < len(ring.cursors):
            _load_cursor(ring.cursors[outlet], page, at + 4)
    elif kind == rec.KIND_MEMORY:
        ring.base = get_u32(page, at)
        copy(ring.memory, 0, page, MEMORY_AT, rec.MEMORY_BYTES)
    elif kind == rec.KIND_HEAD and is_head(page, at):
        ring.block_no = get_u32(page, at + rec.AT_BLOCK_NO)
        ring.number = get_u32(page, at + rec.AT_NUMBER)
        ring.event_number = get_u32(page, at + rec.AT_EVENT_NUMBER)
        ring.base = get_u32(page, at + rec.AT_BASE)
        at += rec.AT_CURSORS
        for cursor in ring.cursors:
            _load_cursor(cursor, page, at)
            at += rec.CURSOR_BYTES
        copy(ring.memory, 0, page, HEAD_MEMORY_AT, rec.MEMORY_BYTES)


def _load_cursor(cursor, page, at):
    cursor.seq = get_u32(page, at)
    cursor.number = get_u32(page, at + 4)
    limit = get_u32(page, at + 8)
    if limit > cursor.limit:
        cursor.limit = limit


def _close_tail(ring):
    """Decide where the next record may go, and whether the last one can be relied on."""
    ring.suspect = ring.last_kind != rec.KIND_SEAL
    ring.proven = ring.last_record_at > rec.HEAD_OCTETS
    end = ring.device.block_bytes
    unit = ring.device.unit_bytes
    found = ring.offset
    ring.offset = end
    if found >= end:
        return
    offset = found + unit - 1
    offset -= offset % unit
    # From where the record ended: behind a HEAD the next one shares its unit.
    if not ring.is_erased(ring.block, found):
        # Torn, or damaged since it was acknowledged and sent: its number may be known elsewhere.
        ring.torn += 1
        ring.number += 1
    elif ring.role == ROLE_PARKED and offset < end:
        ring.offset = offset


def _place_cursors(ring):
    """Find for each cursor the block in which its next record lies: the last one that begins at or before it."""
    walk = ring.walk
    count = ring.device.block_count
    for cursor in ring.cursors:
        cursor.block = -1
        cursor.offset = 0
        cursor.jumped = True
    oldest = -1
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
        if walk.seq < highest or walk.seq > ring.seq:
            continue  # left over in a block that could not be erased, or torn
        highest = walk.seq
        if oldest < 0:
            oldest = block
        for cursor in ring.cursors:
            if walk.after <= cursor.seq:
                cursor.block = block
                cursor.jumped = False
    for cursor in ring.cursors:
        if cursor.block < 0 and damaged >= 0:
            cursor.block = damaged
            cursor.jumped = False
        elif cursor.block < 0:
            cursor.block = oldest if oldest >= 0 else ring.block
    return True
