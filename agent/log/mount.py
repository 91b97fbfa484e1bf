"""Starts a station's state and logs from whatever is on the flash, and writes nothing.

Rules
1. The snapshot says which blocks are the area's (identity), which copies count (COUNTS_TO) and what is durable (SOLID).
2. Blocks are looked at from the highest number down. The newest is the first that counts:

       block                                   counts
       a head, and no record behind it         no: it was never opened
       begins with copies, above COUNTS_TO     no: a cut left it, and its erase may not have held. Yes, where the blocks
                                               show that a snapshot which is lost named it: the next one describes it
                                               in its head, or it reaches further than all before it. Those have what it
                                               was copied from, but perhaps not the last one, which was in doubt. In a
                                               quarantine it needs a record behind its copies for that: they may have
                                               new numbers (toolcart.agent.quarantine.compaction)
       between one that counts and the one     no: a cut left it, unseen by that start
       that its head describes
       in front of one that is gone, all       no, where blocks wear: that one was erased, and those in front of it were
       durable cursors being past that         to be. A worn block may read well at any later start. Where none wears
                                               they would have been erased first: so that one was damaged, they count,
                                               and the log is whole (`log.whole`) only from behind it
       any other                               yes

3. Without a snapshot the newest head's identity is taken, and the cursors start at the oldest record. Where a log that
   refuses has no free block to settle its last record in, they start behind the oldest block: all had passed it, or
   it would not be full. One that overwrites settles by giving that block up, and counts what it held. No block of
   copies is named then.
4. The last record is in doubt; if the snapshot calls it durable, only until one of this session does too, or until no
   snapshot can be written any more. Numbers go on above all that were ever used.
5. A sound head of another format, version or size is left alone, and all with it: nothing is mounted (MOUNT_FOREIGN).
6. What the snapshot calls durable and is not there is damaged; from the first `log.checkpoint` on NEXT alone keeps
   its numbers from being used, and it is not counted again. If it is the newest block that the snapshot
   names, of which a cut may have left copies, the numbers of all that the block may have held are skipped, as they may
   have gone out. Those of a quarantine go nowhere: none is skipped, and what it lost are entries that it cannot read.
   What only an outlet that is not there has yet to take counts then, too: where numbers were skipped, nothing is found
   as it returns. A last record in doubt that is alone in its block may fade with it at any later start, and is no loss:
   no snapshot names a block for it alone.
7. A cut leaves one record at most behind the last one. Where more is there that cannot be read, records that a snapshot
   never saw are lost: as many count as damaged as results have room there, and so many numbers are skipped.
"""

from array import array

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, get_u32
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import (
    AT_FIRST,
    AT_FLAGS,
    AT_IDENTITY,
    AT_NUMBER,
    AT_RING,
    AT_WORDS,
    CARRIED,
    HEAD_BAD,
    HEAD_BLANK,
    HEAD_FOREIGN,
    HEAD_OCTETS,
    HEAD_SOUND,
    WORDS_BYTES,
    WORDS_HIGHEST,
    WORDS_NUMBER,
    check_head,
    note_id,
    size_of,
)
from toolcart.agent.log.framing import FRAME_BYTES, KIND_RESULT, RECORD_LOST, WHEN_FULL_REFUSE
from toolcart.agent.log.reader import TOP
from toolcart.agent.log.snapshot import STATE_FOREIGN
from toolcart.agent.log.staging import PAYLOAD_AT
from toolcart.agent.record.result import FLAG_COPY, TIGHTENING_ID
from toolcart.agent.record.result import HEAD_BYTES as BODY

MOUNT_DONE = const(0)
MOUNT_FAILED = const(-1)
MOUNT_FOREIGN = const(-2)

_HEAD_UNREADABLE = const(-9)  # below all HEAD_ codes
_NUMBER = const(56)  # HEAD_OCTETS + toolcart.agent.log.framing.NUMBER
_ID = PAYLOAD_AT + BODY + TIGHTENING_ID


def mount(state, logs, seed):
    """Set the state and its logs to what the device holds; return a MOUNT_ code. `seed` is a new area's identity."""
    code = state.load()
    if code < 0:
        return MOUNT_FOREIGN if code == STATE_FOREIGN else MOUNT_FAILED
    if not state.found:
        identity = 0
        for log in logs:
            identity = identity or _newest_identity(log)
        if identity < 0:
            return identity
        state.lost = identity > 0 or getattr(getattr(state.device, "device", 0), "found", False)
        state.identity = identity or seed
    for log in logs:
        code = _mount(log)
        if code != MOUNT_DONE:
            return code
        if log.ring_id == field.QUARANTINE:
            state.numbers[field.AREA] = log.device.block_count | state.graph_blocks() << field.AREA_GRAPHS
        elif log.ring_id == field.GRAPHS:
            state.numbers[field.AREA] = state.kept_blocks() | log.device.block_count << field.AREA_GRAPHS
    return MOUNT_DONE


def pass_gone(log, cursor):
    """Let a cursor as the last session left it pass what was before the oldest block, as damaged."""
    first = log.first_above(0)
    if not cursor.number + 1 < first < TOP:
        return
    if log.state.older:
        from toolcart.agent.log import lost_snapshot  # hardly any start has lost a snapshot

        lost_snapshot.pass_gone(log, cursor, first)
    else:
        log.count_damaged(cursor.number, first)
        cursor.number = first - 1


def _read_head(log, place):
    """Read the head of the block into the page; return a HEAD_ code, or _HEAD_UNREADABLE."""
    device = log.device
    if device.read_into(place * device.block_bytes, log.page, HEAD_OCTETS) < 0:
        return _HEAD_UNREADABLE
    code = check_head(log.page, size_of(log.device))
    return HEAD_FOREIGN if code == HEAD_SOUND and log.page[AT_RING] != log.ring_id else code


def _newest_identity(log):
    """Return the identity of the newest head, 0 if there is none, or a MOUNT_ code."""
    newest = identity = 0
    for place in range(log.device.block_count):
        code = _read_head(log, place)
        if code < HEAD_BAD:
            return MOUNT_FOREIGN if code == HEAD_FOREIGN else MOUNT_FAILED
        if code == HEAD_SOUND and get_u32(log.page, AT_NUMBER) > newest:
            newest = get_u32(log.page, AT_NUMBER)
            identity = get_u32(log.page, AT_IDENTITY)
    return identity


def _mount(log):
    """Find which blocks count, and the last record; set cursors and state to that. Return a MOUNT_ code."""
    state = log.state
    numbers = array("I", [0] * log.device.block_count)
    before = array("I", numbers)
    unnamed = []
    code = _read_heads(log, numbers, before, unnamed)
    if code != MOUNT_DONE:
        return code
    order = [place for place in range(log.device.block_count) if log.firsts[place]]
    order.sort(key=lambda place: numbers[place])
    copies = _find_newest(log, numbers, order, unnamed)
    if copies < 0 or not _check_chain(log, numbers, before, order, unnamed):
        return MOUNT_FAILED
    last = log.number
    if state.lost and last:
        first = log.first_above(0)
        refuses = log.ring_id == field.LOG and log.blocks.when_full == WHEN_FULL_REFUSE
        if refuses and min(log.firsts) > 0 and log.first_above(first) < TOP:
            first = log.first_above(first)  # rule 3
        for cursor in log.cursors:
            cursor.number = first - 1
    low = min([cursor.number for cursor in log.cursors] or [last])
    log.damage.ignore_before(min(low, log.damage.removed_at) + 1)
    own = state.numbers
    named = own[log.ring_id + field.COUNTS_TO]
    if last < own[log.ring_id + field.SOLID] and (log.block_number != named if copies else log.block_number < named):
        from toolcart.agent.log.skipped import skip_newest  # hardly any start has lost it

        skip_newest(log)
    elif log.ring_id == field.LOG:
        if own[field.LOG] >= own[field.LOG + field.SOLID]:
            log.count_damaged(last, own[field.LOG + field.SOLID])
        if log.damage.torn and last:
            from toolcart.agent.log.skipped import skip_tail  # hardly any start finds a cut write

            skip_tail(log)
    log.doubtful = last > 0
    log.last_was_durable = not state.lost and last < own[log.ring_id + field.SOLID]
    log.end_at(last)
    is_known = log.last_was_durable or not log.doubtful
    own[log.ring_id + field.SOLID] = log.next if is_known else last
    if is_known or copies or log.firsts[log.block] < last:  # else rule 6: it may fade
        own[log.ring_id + field.COUNTS_TO] = max(own[log.ring_id + field.COUNTS_TO], log.block_number)
    if log.doubtful:
        log.visible = last - 1
    if own[log.ring_id + field.NEXT] == 0:
        own[log.ring_id + field.NEXT] = 1
    log.state.refound_damage.clear()  # rule 6: SOLID says that it was counted
    state.rise(log.last_block_number // log.device.block_count + 1)
    return MOUNT_DONE


def _read_heads(log, numbers, before, unnamed):
    """Fill in the blocks' first numbers, their own, and those of the blocks before; return a MOUNT_ code.

    `unnamed` is filled with those that begin with copies and that the snapshot does not name.
    """
    page = log.page
    state = log.state
    counts_to = state.numbers[log.ring_id + field.COUNTS_TO]
    log.last_block_number = counts_to
    for place in range(log.device.block_count):
        code = _read_head(log, place)
        if code < HEAD_BAD:
            return MOUNT_FOREIGN if code == HEAD_FOREIGN else MOUNT_FAILED
        if code != HEAD_SOUND or get_u32(page, AT_IDENTITY) != state.identity:
            continue
        number = get_u32(page, AT_NUMBER)
        if number > log.last_block_number:
            log.last_block_number = number
        log.ids.widen_earlier(page, AT_WORDS + WORDS_HIGHEST)
        if page[AT_FLAGS] & CARRIED and number > counts_to:
            unnamed.append(place)
        numbers[place] = number
        before[place] = get_u32(page, AT_WORDS + WORDS_NUMBER)
        log.firsts[place] = get_u32(page, AT_FIRST)
    return MOUNT_DONE


def _find_newest(log, numbers, order, unnamed):
    """Remove blocks that do not count from the end of `order`, and read the one that is then the newest.

    Return 1 if that holds only copies, else 0; -1 if one cannot be read.
    """
    while order:
        place = order[-1]
        reaches = _reaches_beyond(log, place, order[:-1], unnamed) if place in unnamed else 1
        copies = _read_block(log, place) if reaches > 0 else reaches
        if copies < 0:
            return -1
        if reaches and log.number:
            log.block = place
            log.block_number = numbers[place]
            return copies
        log.damage.torn += reaches  # only a head, or not even that on a second read
        _reject_block(log, order.pop(), unnamed)
    log.number = log.offset = 0
    log.ids.forget()
    return 0


def _check_chain(log, numbers, before, order, unnamed):
    """Leave out the blocks before the newest that do not count (rule 2); return False if one cannot be read."""
    low = min([one.number for one in log.cursors if one.durable] or [one.number for one in log.cursors] or [0])
    bound = newest = TOP
    is_read = True  # the page and the log's end are those of the newest
    while order:
        place = order.pop()
        has_gap_behind = numbers[place] != newest < TOP  # a block between it and the next one that counts is gone
        counts = log.firsts[place] < bound and numbers[place] <= newest
        if has_gap_behind and counts and log.device.wears and bound <= low + 1:
            counts = False
        elif has_gap_behind and counts and place in unnamed:
            is_read = False
            counts = _reaches_beyond(log, place, order, unnamed)
            if counts < 0:
                return False
        if not counts:
            _reject_block(log, place, unnamed)
            continue
        if has_gap_behind and log.whole == 0:
            log.whole = bound
        if place in unnamed and log.state.found:
            log.state.older = True
        bound = log.firsts[place]
        newest = before[place]
    if not is_read:
        torn = log.damage.torn
        is_read = _read_block(log, log.block) >= 0
        log.damage.torn = torn
    return is_read


def _reaches_beyond(log, place, order, unnamed):
    """Return 1 if the copies at `place`, and what follows them, reach further than the blocks in `order`; else 0.

    Those are before it. With a snapshot copies alone must do so by more than one record of what they were copied from:
    the last one there may have faded. -1: one cannot be read.
    """
    torn = log.damage.torn
    copies = _read_block(log, place)
    number = log.number
    copies_alone = copies > 0 and log.state.found
    if copies_alone and log.ring_id == field.QUARANTINE:
        number = 0
    for other in reversed(order):
        if copies < 0 or number == 0:
            break
        copies = _read_block(log, other)
        if log.number + (copies_alone and log.number >= log.firsts[place]) >= number:
            number = 0
        elif log.number and other not in unnamed:
            break
    log.damage.torn = torn
    if copies_alone and number:
        unnamed.remove(place)  # what they were copied from may be damaged: no snapshot need be lost
    return -1 if copies < 0 else int(number > 0)


def _reject_block(log, place, unnamed):
    log.mark(place, 0)
    if place in unnamed and log.blocks.cut < 0:
        log.blocks.cut = place


def _read_block(log, place):
    """Find the block's last record (0: none), and what else is known about a newest block.

    Return 1 if it holds only copies, else 0; -1 if it cannot be read.
    """
    page = log.page
    end = log.device.block_bytes
    last = log.firsts[place] - 1
    offset = HEAD_OCTETS
    is_copy = 1
    torn = 0
    log.number = log.offset = 0
    log.ids.forget()
    code = _read_head(log, place)
    if code != HEAD_SOUND:
        return 0 if code == HEAD_BAD or code == HEAD_BLANK else -1
    copy(log.ids.words, 0, page, AT_WORDS, WORDS_BYTES)
    while offset + FRAME_BYTES <= end:
        octets = log.read_record(place, offset, end)
        if octets == RECORD_LOST:
            return -1
        if octets <= 0:
            offset = log.next_probe_offset(offset)
            torn |= octets < 0
            continue
        offset = log.next_record_offset(offset, octets)
        if octets > log.longest_bytes:
            log.longest_bytes = octets + -octets % log.align
        number = get_u32(page, _NUMBER)
        if number > last:
            torn = 0
            log.number = last = number
            log.offset = offset
            is_copy &= page[HEAD_OCTETS + 1] & FLAG_COPY != 0
            if page[HEAD_OCTETS] == KIND_RESULT:
                note_id(log.ids.newest, page, _ID)
    log.damage.torn += torn
    return is_copy


assert _NUMBER == HEAD_OCTETS + 4
