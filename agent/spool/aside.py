"""Finds again what an outlet has set aside in its place and nobody has taken away yet; rare, so the log is read for it.

Rules
1. The memory names the oldest range only; the others are found by their ASIDE records, which come behind what they
   speak of. `ASIDE_RANGES` says whether there are any.
2. `ring.aside_first` and its like are where the one who takes them away stands; after a start they are what the memory
   says, and what was taken since is found to be taken. So the memory may follow when there is room for a record.
"""

from agent.base.words import get_u32
from agent.record.result import PARKED_BYTES
from agent.spool import record as rec
from agent.spool.cursors import Cursor
from agent.spool.memory import ASIDE_FIRST, ASIDE_LENGTH, ASIDE_RANGES
from agent.spool.record import HEAD_BYTES, RECORD_NONE


def load(ring, below):
    """Stand at the oldest range that the memory names: 0, or RECORD_BAD if the device cannot be read."""
    memory = ring.memory
    length = memory[ASIDE_LENGTH] | memory[ASIDE_LENGTH + 1] << 8
    ring.aside_first = get_u32(memory, ASIDE_FIRST) if length else 0
    ring.aside_last = ring.aside_first + length - 1 if length else 0
    ring.aside_ranges = memory[ASIDE_RANGES] if length else 0
    return place(ring, below) if length else 0


def place(ring, below=rec.SEQ_TOP):
    """Set `ring.aside_block` to the block in which the oldest range begins: FLASH_DONE, or RECORD_BAD.

    Blocks that begin at number `below` or above were never opened, as a start found.
    """
    seq = ring.aside_first
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
        if block == ring.block or bound >= until:
            return False
        block = (block + 1) % count
    return False


def find_result(ring, block, seq, last, above):
    """Bring the first result or raw frame with a number above this one into the page: True, False or RECORD_BAD.

    Looks from `block` and record `seq` up to record `last`. A copy of the result before has its number.
    """
    walk = ring.walk

    def visit(kind):
        return (kind == rec.KIND_RESULT or kind == rec.KIND_RAW) and get_u32(walk.page, HEAD_BYTES) > above

    return walk_from(ring, block, seq, last + 1, visit)


def find_range(ring, after):
    """Find the ASIDE record of the first range that ends behind `seq` number `after`; `first` is what is left of it.

    Returns (first, last, reason), (0, 0, 0) if there is none, None if the device cannot be read.
    """
    found = [0, 0, 0]
    walk = ring.walk

    def visit(kind):
        if kind == rec.KIND_ASIDE and get_u32(walk.page, HEAD_BYTES + 4) > after:
            first = get_u32(walk.page, HEAD_BYTES)
            found[0] = first if first > after else after + 1
            found[1] = get_u32(walk.page, HEAD_BYTES + 4)
            at = HEAD_BYTES + rec.AT_ASIDE_REASON
            found[2] = walk.page[at] | walk.page[at + 1] << 8
            return True
        return False

    code = walk_from(ring, ring.aside_block, after + 1, rec.SEQ_TOP, visit)
    return None if code == rec.RECORD_BAD else (found[0], found[1], found[2])


def leave_range(ring):
    """The oldest range is done with: stand at the next one, if there is any: 0, or RECORD_BAD."""
    first = last = 0
    if ring.aside_ranges:
        following = find_range(ring, ring.aside_last)
        if following is None:
            return rec.RECORD_BAD
        first, last, _ = following
        if ring.aside_ranges < 255:
            ring.aside_ranges -= 1
    if first == 0:
        ring.aside_ranges = 0
    ring.aside_first = first
    ring.aside_last = last
    return place(ring) if first else 0


def is_saved(ring):
    """Tell whether the memory names the range at which `ring` stands."""
    memory = ring.memory
    length = memory[ASIDE_LENGTH] | memory[ASIDE_LENGTH + 1] << 8
    return get_u32(memory, ASIDE_FIRST) == ring.aside_first if length else ring.aside_first == 0


def save(ring):
    """Let the memory name the range at which `ring` stands: 0, or less if that could not be written."""
    at = ring.begin_memory()
    if at < 0:
        return at
    ring.put_aside(at)
    return ring.commit_memory()


def pass_result(ring, number):
    """Result `number` of the oldest range is taken away, and its copy: 0, or RECORD_BAD."""
    found = find_result(ring, ring.aside_block, ring.aside_first, ring.aside_last, number)
    if found is True:
        ring.aside_first = ring.walk.seq
        ring.aside_block = ring.walk.block
        return 0
    return leave_range(ring) if found is False else found


def give_up(ring, block):
    """What the oldest range has in this block is overwritten: leave it behind, counted durably. Only where allowed.

    0 when that is done, or less: then it is tried again. The next range may have some there as well.
    """
    first, last = ring.aside_first, ring.aside_last
    before = first, last, ring.aside_block, ring.aside_ranges, ring.overwritten
    bound = ring.bound(block)
    if bound < 0:
        return rec.RECORD_BAD
    counted = number = 0
    found = True
    while found is True:
        found = find_result(ring, block, first, bound - 1 if bound <= last else last, number)
        if found is True:
            counted += 1
            number = get_u32(ring.walk.page, HEAD_BYTES)
    code = pass_result(ring, number) if found is False else found
    if ring.aside_first != first:
        ring.overwritten += counted
        # Where there is no room the HEAD of the next block says it; a record in the stage must not be disturbed.
        if code == 0 and not ring.saving and ring.fits(ring.memory_octets):
            ring.saving = True
            code = save(ring)
            ring.saving = False
    if code < 0:
        ring.aside_first, ring.aside_last, ring.aside_block, ring.aside_ranges, ring.overwritten = before
    return code


def kept_between(parked, first, last):
    """Return how many results `first` to `last` of the main log the quarantine has, or had, and the lowest of them.

    A count of RECORD_BAD if the device cannot be read.
    """
    scout = Cursor()
    scout.jumped = True
    scout.enter((parked.block + 1) % parked.device.block_count, 0)
    count = lowest = 0
    while True:
        kind = parked.peek_from(scout)
        if kind <= RECORD_NONE:
            return (count, lowest) if kind == RECORD_NONE else (kind, 0)
        number = get_u32(parked.walk.page, HEAD_BYTES + parked.walk.length - PARKED_BYTES)
        if first <= number <= last:
            if count == 0:
                lowest = number
            count += 1
        scout.advance()
