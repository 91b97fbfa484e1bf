"""Finds again what an outlet has set aside and nobody has taken away yet: rare, so it is read from the log.

Rules
1. The memory names the oldest range only; the others are found by their ASIDE records, which come behind what they
   speak of. `ASIDE_RANGES` says whether there are any.
2. A range is left with one MEMORY record, when everything of it is kept elsewhere or given up.
"""

from struct import pack_into

from agent.base.words import get_u32
from agent.spool import record as rec
from agent.spool.memory import ASIDE_FIRST, ASIDE_LENGTH, ASIDE_RANGES
from agent.spool.record import HEAD_BYTES, RECORD_NONE


def first_of(ring):
    """Return the `seq` of the first record of the oldest range."""
    return get_u32(ring.memory, ASIDE_FIRST)


def last_of(ring):
    """Return the `seq` of its last record."""
    memory = ring.memory
    return get_u32(memory, ASIDE_FIRST) + (memory[ASIDE_LENGTH] | memory[ASIDE_LENGTH + 1] << 8) - 1


def place(ring, below=rec.SEQ_TOP):
    """Set `ring.aside_block` to the block in which the oldest range begins: FLASH_DONE, or RECORD_BAD.

    Blocks that begin at number `below` or above were never opened, as a start found.
    """
    seq = first_of(ring)
    walk = ring.walk
    count = ring.device.block_count
    highest = 0
    found = -1
    for hop in range(1, count + 1):
        block = (ring.block + hop) % count
        kind = walk.first(block)
        if kind < RECORD_NONE:
            return rec.RECORD_BAD
        if kind == RECORD_NONE or walk.seq < highest or walk.seq > ring.seq or walk.seq >= below:
            continue
        highest = walk.seq
        if walk.after < seq or found < 0:
            found = block
    ring.aside_block = found if found >= 0 else ring.block
    return 0


def walk_from(ring, block, seq, until, visit):
    """Call visit(kind) for each record that counts from `block` on with seq <= its number < until; page as found.

    Stops at True and returns it; else False, or RECORD_BAD if the device cannot be read. `ring.walk` is in use.
    """
    count = ring.device.block_count
    walk = ring.walk
    last = seq - 1
    for _ in range(count):
        bound = ring.bound(block)
        if bound < 0:
            return rec.RECORD_BAD
        offset = 0
        while True:
            walk.begin(block, offset, last, bound if bound < until else until)
            kind = walk.next()
            if kind < RECORD_NONE:
                return rec.RECORD_BAD
            if kind == RECORD_NONE:
                break
            offset = walk.offset
            last = walk.seq
            if visit(kind):
                return True
        if block == ring.block:
            return False
        block = (block + 1) % count
    return False


def find_range(ring, after):
    """Find the first ASIDE record of a range that begins behind `seq` number `after`.

    Returns (first, last, reason), (0, 0, 0) if there is none, None if the device cannot be read.
    """
    found = [0, 0, 0]
    walk = ring.walk

    def visit(kind):
        if kind == rec.KIND_ASIDE and get_u32(walk.page, HEAD_BYTES) > after:
            found[0] = get_u32(walk.page, HEAD_BYTES)
            found[1] = get_u32(walk.page, HEAD_BYTES + 4)
            found[2] = walk.page[HEAD_BYTES + 12] | walk.page[HEAD_BYTES + 13] << 8
            return True
        return False

    code = walk_from(ring, ring.aside_block, after + 1, rec.SEQ_TOP, visit)
    return None if code == rec.RECORD_BAD and code is not True else (found[0], found[1], found[2])


def leave_range(ring, first=0, last=0):
    """Make it durable that the oldest range is done with, up to `first` where that still lies in it; 0 or less."""
    memory = ring.memory
    ranges = memory[ASIDE_RANGES]
    if first == 0 and ranges:
        following = find_range(ring, last_of(ring))
        if following is None:
            return rec.RECORD_BAD
        first, last, _ = following
        if ranges < 255 or first == 0:
            ranges = ranges - 1 if first else 0
    at = ring.begin_memory()
    if at < 0:
        return at
    pack_into("<IHB", ring.stage, at + ASIDE_FIRST, first, last - first + 1 if first else 0, ranges)
    code = ring.commit_memory()
    if code == 0 and first:
        code = place(ring)
    return code


def give_up(ring, block):
    """What is set aside in this block is overwritten: count it and leave it behind. Only where that is allowed."""
    first, last = first_of(ring), last_of(ring)
    bound = ring.bound(block)
    counted = [0]

    def visit(kind):
        if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
            counted[0] += 1
        return False

    if bound < 0 or walk_from(ring, block, first, bound if bound <= last else last + 1, visit) == rec.RECORD_BAD:
        return
    kept = ring.overwritten
    ring.overwritten += counted[0]
    code = leave_range(ring, bound, last) if bound <= last else leave_range(ring)
    if code < 0:
        ring.overwritten = kept
