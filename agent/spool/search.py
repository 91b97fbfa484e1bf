"""Answers from the log itself: was this very tightening stored before, and which of these IDs still lies there?

Rules
1. Two results are one tightening if ID and time agree and so does every field that both of them carry: a fetched one
   carries fewer, and says some in another way. A controller with a constant or blank ID, or one that was reset, gives
   two the same ID; a VIN or a value tells them apart then.
2. A result that carries the agent's own time came without one: there the time is no field that both carry.
3. Only records that count are looked at: what a failed write left behind was never acknowledged, and may fade.
4. A device that cannot be read tells nothing: a search says RECORD_BAD then, and whoever asked stores nothing. That is
   one whose newest block cannot be read. What lies in others is lost: else one bad sector would stop a station.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare, copy, is_blank, number
from agent.base.words import unpack_digits
from agent.record.result import (
    ANGLE,
    ANGLE_STATUS,
    BATCH_COUNTER,
    BATCH_SIZE,
    BATCH_STATUS,
    BODY_BYTES,
    FLAG_EDGE_TIME,
    FLAG_ODD,
    FLAG_RECOVERED,
    FLAG_RETRIED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    JOB,
    PSET,
    PSET_CHANGE,
    SERIAL,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TIME,
    TIME_BYTES,
    TORQUE,
    TORQUE_STATUS,
    VIN,
    has_time,
)
from agent.spool import record as rec
from agent.spool.memory import EPOCH, ID_FLAGS, TIME_KNOWN, TOP
from agent.spool.record import RECORD_BAD, RECORD_NONE

# A controller repeats its latest result, and that may lie as far back as all that was fetched since; 256 blocks of
# 4 KiB hold 4000 fetched results. What is there is found at once as a rule; going through all of them is rare.
BLOCKS_SEARCHED = 256
PROVEN_BLOCKS_SEARCHED = 16

# Of the page: a result's epoch, its body or a frame, and what a HEAD remembers.
_EPOCH = const(15)
_BODY = const(16)
_MEMORY = const(64)
_UNSURE = const(0x8D)  # flags of a controller's IDs: known, looked through, without a result, of no time
_KNOWN = const(1)

# The fields between which a difference tells, each up to the next one; the tool's serial is not the message's.
_FIELDS = bytes(
    (
        VIN,
        JOB,
        PSET,
        BATCH_SIZE,
        BATCH_COUNTER,
        BATCH_STATUS,
        TIGHTENING_STATUS,
        TORQUE_STATUS,
        ANGLE_STATUS,
        TORQUE,
        ANGLE,
        TIME,
    )
)


def holds(ring, body, start, blocks=BLOCKS_SEARCHED, flags=0):
    """Tell whether the newest `blocks` blocks hold the tightening of body[start:], a result with these flags (rule 4).

    With FLAG_UNPROVEN among them no record that has it counts.
    """
    return search(ring, blocks, rec.KIND_RESULT, _is_this, body, start, flags)


def holds_another(ring, body, start, flags, unbroken=False):
    """Tell whether the log holds another tightening under the ID and time of body[start:], and not this one.

    With `unbroken` only behind all that it has lost: there it would hold this one as well, if that had come later.
    """
    if not has_time(body, start) or holds(ring, body, start, PROVEN_BLOCKS_SEARCHED, flags) > 0:
        return False
    since = _unbroken_since(ring) if unbroken else 0
    return search(ring, PROVEN_BLOCKS_SEARCHED, rec.KIND_RESULT, _is_another, body, start, since)


def holds_earlier(ring, body, start, epoch):
    """Tell whether the log holds a result of this epoch under the ID of body[start:], with an earlier time."""
    return search(ring, PROVEN_BLOCKS_SEARCHED, rec.KIND_RESULT, _is_earlier, body, start, epoch)


def holds_later_id(ring, body, start):
    """Tell whether the log holds a result with a higher ID than body[start:] and an earlier time, of the same count.

    That is one of the memory's epoch, up to the highest ID, which the controller had proven.
    """
    top = bytearray(ID_BYTES)
    unpack_digits(top, 0, ring.memory, TOP, ID_BYTES)
    detail = (ring.memory[EPOCH], top)
    return search(ring, PROVEN_BLOCKS_SEARCHED, rec.KIND_RESULT, _is_above, body, start, detail)


def oldest_of(ring, epoch, body):
    """Copy into `body` the oldest result that the log holds of this epoch; whether there is one."""
    walk = ring.walk
    count = ring.device.block_count
    for ahead in range(1, count + 1):
        block = (ring.block + ahead) % count
        until = ring.bound(block)
        walk.begin(block, 0, 0, until)
        kind = walk.next()
        while kind > RECORD_NONE:
            if kind == rec.KIND_RESULT and walk.page[_EPOCH] == epoch:
                if all_digits(walk.page, _BODY + TIGHTENING_ID, ID_BYTES) and not walk.flags & FLAG_EDGE_TIME:
                    copy(body, 0, walk.page, _BODY, BODY_BYTES)
                    return True
            kind = walk.next()
    return False


def find_proven(ring, epoch, body):
    """Copy into `body` the newest result of this epoch whose ID the controller had proven; False if none came behind.

    Where that was fetched it is the highest one known then: a controller that keeps few loses the other first. It may
    be older than what a start could search, or gone: then the oldest HEAD there is says what was known in front
    of it. Where that was of another epoch it is the oldest result that was found.
    """
    walk = ring.walk
    block = ring.block
    behind = any_of_it = False
    for _ in range(min(PROVEN_BLOCKS_SEARCHED, ring.device.block_count)):
        walk.begin(block, 0, 0, ring.bound(block))
        found = doubted = here = told = False
        while True:
            kind = walk.next()
            if kind <= RECORD_NONE:
                break
            if kind == rec.KIND_HEAD or kind == rec.KIND_MEMORY:
                memory = _MEMORY if kind == rec.KIND_HEAD else rec.HEAD_BYTES
                told = not doubted and _take_top(walk.page, memory, epoch, body)
                here, any_of_it = here or told, any_of_it or told
                continue
            if kind != rec.KIND_RESULT or walk.page[_EPOCH] != epoch or walk.flags & FLAG_RETRIED:
                continue
            if walk.flags & FLAG_UNPROVEN:
                doubted = True
                if here:
                    continue
            if not walk.flags & FLAG_EDGE_TIME and all_digits(walk.page, _BODY + TIGHTENING_ID, ID_BYTES):
                here = any_of_it = True
                if not told or not walk.flags & FLAG_RECOVERED:  # else it was missing, below what was known
                    copy(body, 0, walk.page, _BODY, BODY_BYTES)
                if not walk.flags & FLAG_UNPROVEN:
                    found, doubted = True, False
        behind = behind or doubted
        if found:
            return behind
        block = block - 1 if block else ring.device.block_count - 1
    return behind and any_of_it


def _take_top(page, at, epoch, body):
    """Copy into `body` the highest ID and the latest time of the memory at page[at:]; False if it is unsure."""
    if page[at + EPOCH] != epoch or page[at + ID_FLAGS] & _UNSURE != _KNOWN or page[at + TIME_KNOWN + 2] == 0:
        return False
    unpack_digits(body, TIGHTENING_ID, page, at + TOP, ID_BYTES)
    copy(body, TIME, page, at + TIME_KNOWN, TIME_BYTES)
    return True


def _unbroken_since(ring):
    """Return the `seq` from which on no block is missing: one that could not be erased keeps what is older."""
    walk = ring.walk
    count = ring.device.block_count
    block = ring.block
    since = ring.seq + 1
    after = ring.seq  # the last number that counts in the block in front
    for _ in range(min(PROVEN_BLOCKS_SEARCHED, count)):
        bound = ring.bound(block)
        begins = walk.seq if walk.first(block) > RECORD_NONE else 0
        before = walk.after
        walk.begin(block, 0, 0, bound)
        while walk.next() > RECORD_NONE:
            pass
        if begins and walk.seq == after:
            since, after = begins, before
        block = block - 1 if block else count - 1
    return since


def search(ring, left, kind, fits, buf, start, detail):
    """Tell whether the newest `left` blocks hold a record of this kind that `fits` what lies at buf[start:] (rule 4).

    `fits` is asked with the record in the walk's page, its body at `_BODY`; `detail` is its own.
    """
    count = ring.device.block_count
    block = ring.block
    left = min(left, ring.block_no + 1)
    for _ in range(count):
        if left <= 0:
            break
        found = _holds_here(ring, block, kind, fits, buf, start, detail)
        if found > 0:
            return found
        left -= 1 + found  # an empty block, as an area that has grown has some, is no block searched
        block = block - 1 if block else count - 1
    return RECORD_BAD if ring.walk.first(ring.block) == RECORD_BAD else 0


def _holds_here(ring, block, wanted, fits, buf, start, detail):
    """Return 1 if this block holds it, 0 if not, -1 if the block holds nothing at all."""
    walk = ring.walk
    if walk.first(block) == RECORD_NONE and walk.offset == 0:
        return -1
    walk.begin(block, 0, 0, ring.bound(block))
    while True:
        kind = walk.next()
        if kind <= RECORD_NONE:
            return 0
        if kind == wanted and fits(walk, buf, start, detail):
            return 1


def _is_this(walk, body, start, flags):
    """Tell whether the record is the very tightening."""
    return not walk.flags & flags & FLAG_UNPROVEN and is_same(walk.page, _BODY, walk.flags, body, start, flags)


def _is_another(walk, body, start, since):
    """Tell whether the record, `seq` number `since` or later, has its ID and time, and is another one for all that.

    Both values differ: no controller says torque and angle of one result otherwise in another message.
    """
    page = walk.page
    return (
        walk.seq >= since
        and not walk.flags & FLAG_EDGE_TIME
        and compare(page, _BODY + TIGHTENING_ID, body, start + TIGHTENING_ID, ID_BYTES) == 0
        and compare(page, _BODY + TIME, body, start + TIME, TIME_BYTES) == 0
        and _differs(page, _BODY, body, start, TORQUE, ANGLE - TORQUE)
        and _differs(page, _BODY, body, start, ANGLE, TIME - ANGLE)
    )


def _is_earlier(walk, body, start, epoch):
    """Tell whether the record is of this epoch and has its ID, with an earlier time."""
    return (
        walk.page[_EPOCH] == epoch
        and not walk.flags & FLAG_EDGE_TIME
        and compare(walk.page, _BODY + TIGHTENING_ID, body, start + TIGHTENING_ID, ID_BYTES) == 0
        and compare(walk.page, _BODY + TIME, body, start + TIME, TIME_BYTES) < 0
    )


def _is_above(walk, body, start, detail):
    """Tell whether the record is a proven one of this epoch with an earlier time and a higher ID, up to the top."""
    epoch, top = detail
    at = _BODY + TIGHTENING_ID
    return (
        walk.page[_EPOCH] == epoch
        and not walk.flags & (FLAG_UNPROVEN | FLAG_EDGE_TIME | FLAG_RETRIED)
        and compare(walk.page, at, body, start + TIGHTENING_ID, ID_BYTES) > 0
        and compare(walk.page, at, top, 0, ID_BYTES) <= 0
        and compare(walk.page, _BODY + TIME, body, start + TIME, TIME_BYTES) < 0
        and all_digits(walk.page, at, ID_BYTES)
    )


def is_same(one, at, flags, other, start, other_flags):
    """Tell whether the bodies at one[at:] and other[start:], with their records' flags, are of one tightening."""
    if compare(one, at + TIGHTENING_ID, other, start + TIGHTENING_ID, ID_BYTES) != 0:
        return False
    if not (flags | other_flags) & FLAG_EDGE_TIME and compare(one, at + TIME, other, start + TIME, TIME_BYTES) != 0:
        return False
    for index in range(len(_FIELDS) - 1):
        field = _FIELDS[index]
        if _differs(one, at, other, start, field, _FIELDS[index + 1] - field):
            fetched = (flags | other_flags) & FLAG_RECOVERED
            differs_so = (flags ^ other_flags) & FLAG_ODD
            if not fetched or not _is_told_otherwise(one, at + field, other, start + field, field, differs_so):
                return False
    return not _differs(one, at, other, start, PSET_CHANGE, TIGHTENING_ID - PSET_CHANGE)


def _is_told_otherwise(one, at, other, start, field, is_one_odd):
    """Tell whether this is a field that MID 0061 and 0065 may say in two ways.

    A batch that runs is 0 or 3, by the revision (release 2.9); some controllers keep neither its counter nor its status
    (Desoutter's MID list of 2015, page 3); an angle is in degrees or in parts of one. A status beyond OK (2 to 5 in MID
    0061 of Nexo's OP-Ford, 3 608 878 300, page 388) may be a plain 0 in MID 0065.
    """
    if field == TIGHTENING_STATUS:
        return (one[at] == 0x30 and other[start] > 0x31) or (other[start] == 0x30 and one[at] > 0x31)
    if field == BATCH_STATUS or field == BATCH_COUNTER:
        width = BATCH_SIZE - PSET if field == BATCH_COUNTER else 1
        return number(one, at, width) == 0 or number(other, start, width) == 0
    return field == ANGLE and is_one_odd != 0


def _differs(one, at, other, start, field, width):
    """Tell whether both carry the field, and not the same."""
    return (
        compare(one, at + field, other, start + field, width) != 0
        and not is_blank(one, at + field, width)
        and not is_blank(other, start + field, width)
    )


assert TIGHTENING_ID + ID_BYTES == SERIAL and _MEMORY == rec.HEAD_BYTES + rec.AT_MEMORY
assert _BODY == rec.HEAD_BYTES + HEAD_BYTES and _EPOCH == rec.HEAD_BYTES + ID_EPOCH
