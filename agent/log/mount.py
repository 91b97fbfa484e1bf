"""Starts a station's state and logs from whatever is on the flash, and writes nothing.

Rules
1. The snapshot says which blocks are the area's (identity), which copies count (COUNTS_TO) and what is durable (SOLID).
2. The newest block that counts is the one with the highest number; a head without a record after it was never opened.
   One that begins with copies, above COUNTS_TO, does not count, whatever else it holds: its erase may not have held.
   Nor does one between a block that counts and the one that its head describes: a cut left it, unseen by that start.
   Nor do those in front of one that is gone, if all durable cursors are past that: it was erased, and what is in
   front of it was to be. A worn block may read well at any later start. Where no block can be worn, what is in front of
   it would have been erased first: so that one was not, but damaged, and they count. The log is WHOLE from behind it.
3. Without a snapshot the newest head's identity is taken, and the cursors start at the oldest record. Where none
   of a log that refuses is free to settle the last record in, they start behind the oldest block: all had passed it, or
   it would not be full. One that overwrites settles by giving that block up, and counts what it held. Of the newest
   blocks with nothing but copies, and the one below them, the one that reaches furthest counts, the older of equals.
4. The last record is in doubt; if the snapshot calls it durable, only until one of this session does too, or until no
   snapshot can be written any more. Numbers go on above all that were ever used.
5. What is whole but of another format, version or size is left alone.
6. What the snapshot calls durable and is not there is damaged; from the first checkpoint on NEXT alone keeps its
   numbers from being used, and it is not counted again. If it is the newest block that the snapshot
   names, the numbers of all that the block may have held are skipped, as they may have gone out. Those of a quarantine
   go nowhere: none is skipped, and what it lost are entries that it cannot read. What only an outlet that is not there
   has yet to take counts then, too: where numbers were skipped, nothing is found as it returns. A last record in doubt
   that is alone in its block may fade with it at any later start, and is no loss: no snapshot names a block for it
   alone.
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
        if log.ring == field.QUARANTINE:
            state.numbers[field.AREA] = log.device.block_count | state.graph_blocks() << field.AREA_GRAPHS
        elif log.ring == field.GRAPHS:
            state.numbers[field.AREA] = state.kept_blocks() | log.device.block_count << field.AREA_GRAPHS
    return MOUNT_DONE


def pass_gone(log, cursor):
    """Let a cursor as the last session left it pass what was before the oldest block, as damaged."""
    first = log.first_above(0)
    if cursor.number + 1 < first < TOP:
        log.count_damaged(cursor.number, first)
        cursor.number = first - 1


def _read_head(log, place):
    """Read the head of the block into the page; return a HEAD_ code, or _HEAD_UNREADABLE."""
    device = log.device
    if device.read_into(place * device.block_bytes, log.page, HEAD_OCTETS) < 0:
        return _HEAD_UNREADABLE
    code = check_head(log.page, size_of(log.device))
    return HEAD_FOREIGN if code == HEAD_SOUND and log.page[AT_RING] != log.ring else code


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
    state = log.state
    numbers = array("I", [0] * log.device.block_count)
    before = array("I", numbers)
    code = _read_heads(log, numbers, before)
    if code != MOUNT_DONE:
        return code
    order = [place for place in range(log.device.block_count) if log.firsts[place]]
    order.sort(key=lambda place: numbers[place])
    copies = _find_newest(log, numbers, order)
    if copies < 0:
        return MOUNT_FAILED
    low = min([one.number for one in log.cursors if one.durable] or [one.number for one in log.cursors] or [0])
    bound = newest = TOP
    while order:
        place = order.pop()
        is_gone = numbers[place] != newest < TOP  # what was in front of the one that counts
        if log.firsts[place] >= bound or numbers[place] > newest or (is_gone and log.device.wears and bound <= low + 1):
            log.mark(place, 0)
        else:
            if is_gone and log.whole == 0:
                log.whole = bound
            bound = log.firsts[place]
            newest = before[place]
    last = log.number
    if state.lost and last:
        first = log.first_above(0)
        refuses = log.ring == field.LOG and log.blocks.when_full == WHEN_FULL_REFUSE
        if refuses and min(log.firsts) > 0 and log.first_above(first) < TOP:
            first = log.first_above(first)  # rule 3
        for cursor in log.cursors:
            cursor.number = first - 1
    low = min([cursor.number for cursor in log.cursors] or [last])
    log.damage.ignore_before(min(low, log.damage.removed_at) + 1)
    own = state.numbers
    if log.block_number < own[log.ring + field.COUNTS_TO] and last < own[log.ring + field.SOLID]:
        from toolcart.agent.log.skipped import skip_newest  # hardly any start has lost it

        skip_newest(log)
    elif log.ring == field.LOG and own[field.LOG] >= own[field.LOG + field.SOLID]:
        log.count_damaged(last, own[log.ring + field.SOLID])
    log.doubtful = last > 0
    log.solid = not state.lost and last < own[log.ring + field.SOLID]
    log.end_at(last)
    is_known = log.solid or not log.doubtful
    own[log.ring + field.SOLID] = log.next if is_known else last
    if is_known or copies or log.firsts[log.block] < last:  # else rule 6: it may fade
        own[log.ring + field.COUNTS_TO] = max(own[log.ring + field.COUNTS_TO], log.block_number)
    if log.doubtful:
        log.visible = last - 1
    if own[log.ring + field.NEXT] == 0:
        own[log.ring + field.NEXT] = 1
    log.state.again.clear()  # rule 6: SOLID says that it was counted
    state.rise(log.last_block_number // log.device.block_count + 1)
    return MOUNT_DONE


def _read_heads(log, numbers, before):
    """Fill in the blocks' first numbers, their own, and those of the blocks before; return a MOUNT_ code."""
    page = log.page
    state = log.state
    counts_to = state.numbers[log.ring + field.COUNTS_TO]
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
        if page[AT_FLAGS] & CARRIED and number > counts_to and state.found:
            log.blocks.cut = place
        else:
            numbers[place] = number
            before[place] = get_u32(page, AT_WORDS + WORDS_NUMBER)
            log.firsts[place] = get_u32(page, AT_FIRST)
    return MOUNT_DONE


def _find_newest(log, numbers, order):
    """Remove blocks that do not count from the end of `order`, and read the one that is then the newest.

    Return 1 if that holds only copies, else 0; -1 if one cannot be read.
    """
    best = place = -1
    reach = copies = 0
    index = len(order) - 1
    while index >= 0:
        place = order[index]
        copies = _read_block(log, place)
        if copies < 0:
            return -1
        if log.number == 0:  # only a head, or not even that on a second read
            log.damage.torn += 1
            log.mark(place, 0)
            order.pop(index)
        elif log.number >= reach:
            best = place
            reach = log.number
        if log.number and not (copies and log.state.lost):
            break
        index -= 1
    while order and order[-1] != best:
        log.mark(order[-1], 0)
        log.blocks.cut = order.pop()
    if best >= 0:
        if place != best:
            copies = _read_block(log, best)
            if copies < 0:
                return -1
        log.block = best
        log.block_number = numbers[best]
    return copies


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
        if octets > log.usual:
            log.usual = octets + -octets % log.align
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
