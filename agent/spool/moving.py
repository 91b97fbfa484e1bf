"""Moves on in the log what is set aside in a block that is needed soon; rare, so the log is read for it.

Rules
1. Records are written once more at the end of the log, in their order, with flags of their own, and set aside there. A
   start knows by their octets which of them were.
2. It is begun only if all of a block finds room, with what has to be written beside it: what is moved in part frees
   nothing.
"""

from agent.base.crc import crc30
from agent.base.fields import copy
from agent.base.words import get_u32, put_u32
from agent.record.result import FLAG_ASIDE, FLAG_RETRIED
from agent.spool import aside
from agent.spool import record as rec
from agent.spool.record import HEAD_BYTES, RECORD_BAD


def is_in_the_way(ring):
    """Tell whether the oldest record that is set aside keeps a block that is needed soon, and all of it finds room.

    Begun too late it would fill what is left of the log and free nothing.
    """
    ahead = _count_in_front(ring)
    return ahead <= ring.spare_blocks + ring.count_passed_over(ahead) and _finds_room(ring, ahead, 0)


def is_movable_behind(ring, length):
    """Tell whether that still finds room behind a result with a payload of so many octets."""
    return ring.has_aside() and _finds_room(ring, _count_in_front(ring), ring.aligned(rec.FRAME_BYTES + length))


def _count_in_front(ring):
    return (ring.aside_block - ring.block - 1) % ring.device.block_count


def _finds_room(ring, ahead, used):
    """Tell whether what the oldest block has, behind `ahead` others, finds room behind so many octets more."""
    block = ring.aside_block
    needed = RECORD_BAD if ring.suspect else _get_needed(ring, block)
    if needed < 0:
        return False
    octets = ring.device.block_bytes
    # With the next block in the way none is free, and records go behind what a start has found.
    room = octets - (ring.rest if ring.offset == octets and not ahead else ring.offset)
    if used > room:  # it opens another block
        room = 0
    needed += used
    if ahead or block in [cursor.block for cursor in ring.cursors if cursor.durable]:
        # Else the block is free then, and takes these itself.
        needed += ring.memory_octets + ring.aligned(rec.FRAME_BYTES + rec.ASIDE_PAYLOAD)
    if ahead and needed > room:
        room += ring.count_usable(ahead) * (octets - rec.HEAD_OCTETS)
    return needed <= room


def _get_needed(ring, block):
    """Return the octets that what is set aside in this block takes elsewhere; RECORD_BAD if that cannot be read.

    What waits there still may be refused, and has to be moved on as well then, by a sweep with two records.
    """
    bound = ring.bound(block)
    if bound <= 0:
        return RECORD_BAD
    walk = ring.walk
    needed = [0]

    def visit(kind):
        if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
            needed[0] += ring.aligned(rec.FRAME_BYTES + walk.length)
        return False

    first, last = ring.aside_first, ring.aside_last
    while 0 < first < bound:
        if aside.walk_from(ring, block, first, bound if bound <= last else last + 1, visit) == RECORD_BAD:
            return RECORD_BAD
        following = aside.find_range(ring, last)
        if following is None:
            return RECORD_BAD
        first, last, _ = following
    cursor = ring.cursors[0]
    if cursor.block == block and cursor.seq < bound - 1:
        needed[0] += 2 * ring.aligned(rec.FRAME_BYTES + rec.CURSOR_PAYLOAD)
        if aside.walk_from(ring, block, cursor.seq + 1, bound, visit) == RECORD_BAD:
            return RECORD_BAD
    return needed[0]


def carry(ring, known):
    """Write the oldest record that is set aside, with a number above `known`, once more at the end of the log.

    There it waits to be set aside again, and no longer keeps its old block from being used. 0 when that is
    done, or less. The memory follows with the last one of all, and with each HEAD: a record of its own would take the
    room of one that has to be moved. `pass_moved` knows the others after a cut.
    """
    walk = ring.walk
    found = aside.find_result(ring, ring.aside_block, ring.aside_first, ring.aside_last, known)
    if found is not True:
        return aside.leave_range(ring) if found is False else RECORD_BAD
    number = get_u32(walk.page, HEAD_BYTES)
    code = write_again(ring)
    if code < 0:
        return code
    code = aside.pass_result(ring, number)
    if code < 0 or ring.has_aside() or aside.is_saved(ring):
        return code
    return aside.save(ring)


def write_again(ring):
    """Write the record in the page once more at the end of the log, where it is set aside: 0 when done, or less."""
    walk = ring.walk
    block, record_at, seq = walk.block, walk.record_at, walk.seq
    kind, flags, length = walk.kind, walk.flags, walk.length
    ring.urgent = True
    at = ring.begin(kind, length)
    ring.urgent = False
    if at < 0:
        return at
    walk.begin(block, record_at, seq - 1)
    if walk.next() != kind or walk.length != length:
        return RECORD_BAD
    copy(ring.stage, at, walk.page, HEAD_BYTES, length)
    put_u32(ring.stage, at, ring.number + 1)
    return ring.commit(kind, flags | FLAG_RETRIED | FLAG_ASIDE, length)


def was_moved(ring):
    """Tell whether the record in the page was written once more, to be set aside there: True, False or RECORD_BAD.

    As long as the record lies there that does too: it is behind it, and older blocks are erased first. It has a number
    of its own; a copy that a start has made of this one has not.
    """
    walk = ring.walk
    kind, length = walk.kind, walk.length
    number = get_u32(walk.page, HEAD_BYTES)
    check = crc30(walk.page, HEAD_BYTES + 4, HEAD_BYTES + length)

    def is_copy(found):
        return (
            found == kind
            and walk.flags & FLAG_ASIDE != 0
            and walk.length == length
            and get_u32(walk.page, HEAD_BYTES) != number
            and crc30(walk.page, HEAD_BYTES + 4, HEAD_BYTES + length) == check
        )

    return aside.walk_from(ring, walk.block, walk.seq + 1, rec.SEQ_TOP, is_copy)


def pass_moved(ring, known):
    """After a start: go past what was written once more already, behind what the quarantine has, up to `known`.

    The log is confirmed. 0, or RECORD_BAD.
    """
    while ring.has_aside():
        found = aside.find_result(ring, ring.aside_block, ring.aside_first, ring.aside_last, known)
        if found is True:
            number = get_u32(ring.walk.page, HEAD_BYTES)
            found = was_moved(ring)
            if found is False:
                return 0  # they are moved in their order
            code = aside.pass_result(ring, number) if found is True else found
        else:
            code = aside.leave_range(ring) if found is False else found
        if code < 0:
            return code
    return 0
