"""Brings a ring up from whatever lies on the flash: never refuses what is damaged, reads the blocks' first records and
one block.

Rules
1. The newest block is the one whose first sound record has the highest `seq`; HEADs order the log, places do not.
2. Counters, cursors and memory come from the newest sound HEAD, then from every record behind it in order, by the
   same `apply` that takes over a record when it is written. A HEAD and the record behind it were programmed in one
   piece: where nothing sound follows a HEAD that piece is torn, and the block counts as never opened.
3. Nothing is appended behind the last record: it may be half programmed and read well, and so may what looks erased.
   A result found there is not applied before it was written once more; state is, because the next HEAD repeats it.
4. What is whole and does not fit (another version, other units, a larger area) is left alone: SPOOL_FOREIGN.
5. Blocks whose first records cannot be read are searched from end to end only where the newest one is to be expected,
   BLOCKS_SEARCHED of them at most: a foreign area of any size costs one or two reads a block.
"""

from agent.base.compat import const
from agent.base.fields import copy
from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.blocks import SPOOL_FAILED, SPOOL_FOREIGN
from agent.spool.cursors import load_cursors
from agent.spool.fold import ROLE_QUARANTINE
from agent.spool.memory import ASIDE_LENGTH, DELIVERED
from agent.spool.placing import place_cursors
from agent.spool.record import HEAD_BYTES, RECORD_NONE, is_head, is_spool_head

READINGS = const(4)  # the newest block may be torn and read differently each time; the one before it is not
BLOCKS_SEARCHED = const(8)  # 32 KiB: more than the parking area and any burst of damage

WHY_VERSION = const(1)
WHY_UNIT = const(2)
WHY_BLOCK = const(3)
WHY_SMALLER = const(4)
WHY_ROLE = const(5)


def mount(ring):
    """Set `ring` to what its device holds: 1 if a log was found, 0 for an area without one.

    SPOOL_FAILED if the device could not be read; nothing may be written then, try again later. SPOOL_FOREIGN if the
    area holds a spool that does not fit; `ring.why` says how (agent.spool.why). Nothing is written: `ring.confirm`
    makes the last record reliable.
    """
    code, below = _read_log(ring)
    if code <= 0:
        return code
    _close_tail(ring)
    ring.number += ring.lost  # a record that cannot be read may have a number that was sent
    for cursor in ring.cursors:
        # A result that was delivered and has faded since must not have its number taken by another.
        if cursor.number > ring.number:
            ring.number = cursor.number
    if not place_cursors(ring, below):
        return SPOOL_FAILED
    if ring.memory[ASIDE_LENGTH] or ring.memory[ASIDE_LENGTH + 1]:
        from agent.spool.aside import load

        if load(ring, below) < 0:
            return SPOOL_FAILED
    else:
        ring.aside_first = ring.aside_last = ring.aside_ranges = 0  # a later record took back what one had said
    ring.certain = _certain(ring)
    return 1


def _certain(ring):
    """Return up to which `seq` all counts even if the newest block fades, as its HEAD says; 0 where it will not fade.

    Only where all that is in that block is state, which the next HEAD repeats: 0 otherwise.
    """
    kind = ring.last_kind
    if ring.proven or (kind != rec.KIND_MEMORY and kind != rec.KIND_CURSOR and kind != rec.KIND_SEAL):
        return 0
    return ring.walk.after if ring.walk.first(ring.block) == rec.KIND_HEAD else 0


def _read_log(ring):
    """Find the newest block that was opened and replay the log: (1, the number from which on blocks were not opened).

    (0, 0) for an area without a log, (SPOOL_FAILED or SPOOL_FOREIGN, 0).
    """
    below = rec.SEQ_TOP
    unopened = 0
    readings = 0
    while unopened <= ring.device.block_count and readings < READINGS:
        headed = _find_newest(ring, below)
        if headed < -1:
            return headed, 0
        if ring.seq == 0:
            ring.suspect = False
            return 0, 0
        begins = ring.seq
        began = _replay(ring, headed)
        if began < 0:
            break
        if began == 0 and ring.last_kind != rec.KIND_HEAD:
            if unopened:
                ring.torn += 1
            return 1, below
        if began == 0:  # a HEAD alone: the piece that it is of was cut
            below = begins
            unopened += 1
        else:
            below = began
            readings += 1
    return SPOOL_FAILED, 0


def _misfit(ring, page, at):
    """Return why the HEAD's payload at `at` does not fit the ring, 0 if it does."""
    device = ring.device
    if not is_spool_head(page, at):
        return 0
    if not is_head(page, at):
        return WHY_VERSION
    if 1 << page[at + rec.AT_UNIT_LOG] != device.unit_bytes:
        return WHY_UNIT
    if 1 << page[at + rec.AT_BLOCK_LOG] != device.block_bytes:
        return WHY_BLOCK
    if page[at + rec.AT_ROLE] != ring.role:
        return WHY_ROLE
    if _u16(page, at + rec.AT_BLOCK_COUNT) > device.block_count:
        return WHY_SMALLER
    return 0


def _u16(page, at):
    return page[at] | page[at + 1] << 8


def _find_newest(ring, below):
    """Set ring.block and ring.seq to the newest block's; return the newest block with a sound HEAD, -1 without one.

    Blocks that begin at number `below` or above are passed over: they did not read the same twice.
    """
    walk = ring.walk
    headed = -1
    headed_seq = 0
    _forget(ring)
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
        erased = walk.offset == 0  # in a quarantine it may have been gone on behind a HEAD that was torn and has faded
        if kind != RECORD_NONE or (erased and ring.role != ROLE_QUARANTINE):
            return kind >= RECORD_NONE
        walk.begin(block, 0, ring.seq, below)
        kind = walk.next()
        if kind < RECORD_NONE:
            return False
        if kind > RECORD_NONE:
            ring.seq = walk.seq
            ring.block = block
        elif erased:
            return True
        elif walk.skipped:
            ring.unreadable += 1
    return True


class _Before:
    """The memory and both numbers in front of the last record that is for outlets; how many were lost behind it."""

    def __init__(self):
        self.memory = bytearray(rec.MEMORY_BYTES)
        self.number = self.events = self.lost = 0

    def note_state(self, ring, kind):
        """Note what counts in front of the record in the page: it may fade before it is confirmed.

        Its number tells how many of those that were lost in front of it had one.
        """
        copy(self.memory, 0, ring.memory, 0, rec.MEMORY_BYTES)
        most = get_u32(ring.walk.page, HEAD_BYTES) - 1
        self.number = ring.number
        self.events = ring.event_number
        if kind == rec.KIND_EVENT:
            self.events = max(self.events, min(self.events + self.lost, most))
        else:
            self.number = max(self.number, min(self.number + ring.lost, most))
            ring.lost = 0
        self.lost = 0


def _replay(ring, headed):
    """Read the log from the newest HEAD on: 0 when done, -1 if the device cannot be read.

    A block that does not hold now what it held a moment ago was torn: returns the number it began with.
    """
    newest = ring.block
    expected = ring.seq
    block = headed if headed >= 0 else newest
    before = _Before()
    ring.seq = 0
    while True:
        headed_here = _replay_block(ring, block, before)
        if headed_here < 0:
            return -1
        if block == headed and headed_here == 0:
            return expected
        if block == newest:
            break
        block = (block + 1) % ring.device.block_count
    if rec.is_for_outlets(ring.last_kind):
        _remember(ring, before.memory, before.number, before.events)
    ring.event_number += before.lost
    return 0 if ring.seq >= expected else expected


def _forget(ring):
    """As on an area without a log."""
    ring.seq = 0
    ring.block = ring.device.block_count - 1
    ring.offset = ring.device.block_bytes
    ring.block_no = 0
    ring.overwritten = ring.missed = 0
    ring.last_kind = 0
    ring.lost = 0
    ring.aside_first = ring.aside_last = ring.aside_ranges = 0
    for cursor in ring.cursors:
        cursor.seq = cursor.number = cursor.event = cursor.limit = 0
    _remember(ring, bytes(rec.MEMORY_BYTES), 0, 0)


def _remember(ring, memory, number, event_number):
    copy(ring.memory, 0, memory, 0, rec.MEMORY_BYTES)
    ring.cursors[0].delivered = get_u32(ring.memory, DELIVERED)
    ring.number = number
    ring.event_number = event_number
    ring.owner.load()


def _replay_block(ring, block, before):
    """Apply what counts in this block: 1 if a HEAD was among it, 0 if not, -1 if the device cannot be read.

    `ring.lost` counts what was lost behind the last result.
    """
    walk = ring.walk
    until = rec.SEQ_TOP
    if block != ring.block:
        until = _until(ring, block)
        if until < 0:
            return -1
    walk.begin(block, 0, ring.seq, until)
    headed = 0
    while True:
        kind = walk.next()
        if kind <= RECORD_NONE:
            return headed if kind == RECORD_NONE else -1
        if kind == rec.KIND_HEAD:
            headed = 1
            _apply_head(ring, walk.page)
            ring.lost = 0
            before.lost = 0
        else:
            if ring.seq and walk.seq > ring.seq + 1:
                missing = walk.seq - ring.seq - 1
                if kind == rec.KIND_CURSOR:  # so many were refused, and were nothing new; some of them may read well
                    missing = missing - walk.flags if missing > walk.flags else 0
                ring.lost += missing
                before.lost += missing
            if rec.is_for_outlets(kind):
                before.note_state(ring, kind)
            ring.apply(kind, walk.flags, walk.page, HEAD_BYTES, walk.length)
        ring.offset = walk.offset
        ring.seq = walk.seq
        ring.last_record_at = walk.record_at
        ring.last_kind = kind
        ring.last_block = block


def _until(ring, block):
    """Return the `seq` from which on records of a block before the newest do not count, as far as a HEAD says so."""
    walk = ring.walk
    if walk.first(block) < RECORD_NONE:
        return rec.RECORD_BAD
    own = walk.seq
    while block != ring.block:
        block = (block + 1) % ring.device.block_count
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return rec.RECORD_BAD
        if kind > RECORD_NONE and walk.seq > own:
            return walk.after + 1
    return rec.SEQ_TOP


def _apply_head(ring, page):
    at = HEAD_BYTES
    if not is_head(page, at):
        return
    ring.block_no = get_u32(page, at + rec.AT_BLOCK_NO)
    ring.number = get_u32(page, at + rec.AT_NUMBER)
    ring.event_number = get_u32(page, at + rec.AT_EVENT_NUMBER)
    ring.overwritten = get_u32(page, at + rec.AT_OVERWRITTEN)
    ring.missed = load_cursors(ring.cursors, page, at + rec.AT_CURSORS, get_u32(page, 4))
    copy(ring.memory, 0, page, at + rec.AT_MEMORY, rec.MEMORY_BYTES)
    ring.cursors[0].delivered = get_u32(ring.memory, DELIVERED)
    ring.owner.load()


def _close_tail(ring):
    """Decide where the next record may go, and whether the last one can be relied on."""
    ring.suspect = ring.last_kind != rec.KIND_SEAL
    ring.proven = ring.last_record_at > rec.HEAD_OCTETS
    end = ring.device.block_bytes
    unit = ring.device.unit_bytes
    found = ring.offset
    ring.offset = ring.rest = end
    if found >= end:
        return
    # From where the record ended: behind a HEAD the next one shares its unit.
    blank = ring.walk.blank_from(ring.block, found)
    if blank != found:
        # Torn, or damaged since it was acknowledged and sent: its number may be known elsewhere.
        ring.torn += 1
        ring.skip_number()
    if blank < 0:
        return
    offset = blank + unit - 1
    offset -= offset % unit
    if ring.role == ROLE_QUARANTINE and blank == found and offset < end:
        ring.offset = offset
    else:
        ring.rest = offset
