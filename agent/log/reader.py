"""The reading half of a log: each cursor sees every record that counts, once and in order.

Rules
1. Blocks are ordered by their first number (`firsts`), their places mean nothing: from a block's first number on, what
   earlier blocks hold is void. In a block of 0 nothing counts, in one of WORN nothing ever will.
2. `peek` finds, `advance` passes. What a cursor passes without a record is damaged, unless the records before and
   after it are adjacent: a start skipped those numbers. So it is where its block is gone when it is looked up again:
   whoever gives up a block moves the cursors first, and counts what they miss. Each number is counted once in a
   session, whichever cursor meets it; after a start again by one that was not past it, so a snapshot leaves it out
   (toolcart.agent.log.refound_damage). What is gone in front of all blocks is passed at the start (`pass_gone` of
   toolcart.agent.log.mount), so that no one moves a cursor over it without a count. A count is saved by whoever next
   relies on the state: a start goes on behind what an other side has.
3. The last record that a start found is not shown while it is in doubt.
4. A cursor keeps its place for one `version` of the blocks: after that it is looked up again by its number.
"""

from array import array

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import (
    FRAME_BYTES,
    NUMBER,
    NUMBER_TOP,
    RECORD_BAD,
    RECORD_LOST,
    RECORD_NONE,
    TOP,
    WORN,
    is_sound,
    record_length,
)
from toolcart.agent.log.staging import PAYLOAD_AT, READ_BYTES

_NUMBER = const(56)  # HEAD_OCTETS + NUMBER
_SPANS_MOST = const(8)  # spans of damage that are remembered; what is forgotten may be counted twice, never not at all


class Damage:
    """What the flash has lost of a log, or refuses, as far as it was noticed since the start."""

    def __init__(self):
        self.worn = 0  # erases and programs that failed on a worn block
        self.torn = 0  # writes that were cut
        self.unreadable = 0  # reads that failed
        self.ignored_to = 0  # nothing up to here is counted, since no outlet has yet to read it
        self.removed_at = NUMBER_TOP  # where an outlet stood that this session does not have any more
        self.counted_spans = []  # spans above it that are: the number before one, and its last

    def exclude(self, before, number):
        """Let the numbers between these two not count as damage from now on; return how many of them did until now."""
        low = begin = before if before > self.ignored_to else self.ignored_to
        high = end = number - 1
        if high <= low:
            return 0
        count = high - low
        spans = self.counted_spans
        for index in range(len(spans) - 1, -1, -1):
            one, other = spans[index]
            if one <= high and low <= other:
                count -= min(high, other) - max(low, one)
                begin = min(begin, one)
                end = max(end, other)
                spans.pop(index)
        spans.append((begin, end))
        if len(spans) > _SPANS_MOST:
            spans.pop(0)
        return count

    def ignore_before(self, number):
        """Let what is missing before `number` not count as damage."""
        if number - 1 > self.ignored_to:
            self.ignored_to = number - 1


class Reader:
    """The blocks of a log. `number` is the newest record that counts, `visible` the newest that may be read."""

    at = PAYLOAD_AT  # of the payload, in the page

    def __init__(self, device, state, ring, staging, align):
        self.device = device
        self.state = state
        self.ring_id = ring  # field.LOG .. GRAPHS: its numbers begin there in the state, and each head names it
        self.staging = staging
        self.page = staging.page
        self.align = align
        self.cursors = []
        self.firsts = array("I", [0] * device.block_count)
        self.version = 0  # grows whenever `firsts` changes
        self.block = device.block_count - 1  # the newest
        self.block_number = 0
        self.offset = 0  # where it ends
        self.number = 0
        self.next = 1
        self.visible = 0
        self.whole = 0  # the start found that no block is gone from this number on
        self.doubtful = False  # the last record that the start found is in doubt
        self.last_was_durable = False  # it is in doubt, but the snapshot that the start found calls it durable
        self.kind = RECORD_NONE  # of the record in the page
        self.flags = 0
        self.length = 0
        self.damage = Damage()

    def peek(self, cursor):
        """Read the next record that the cursor wants into page[at:]; return its kind, RECORD_NONE or RECORD_LOST.

        The page is shared: use it before the next call. Hot: allocates nothing.
        """
        while cursor.number < self.visible:
            if cursor.version != self.version:
                self.look_up(cursor)
            place = cursor.place
            offset = cursor.offset
            end = self.offset if place == self.block else self.device.block_bytes
            if cursor.number + 1 >= cursor.bound or offset + FRAME_BYTES > end:
                self.leave_block(cursor)
                continue
            octets = self.read_record(place, offset, end)
            if octets > 0:
                page = self.page
                number = get_u32(page, _NUMBER)
                next_offset = self.next_record_offset(offset, octets)
                if cursor.number < number < cursor.bound and number <= self.visible:
                    if number - cursor.number > 1:
                        from toolcart.agent.log.skipped import count_missing  # hardly any log has such a gap

                        if count_missing(self, cursor, number, offset, end) == RECORD_LOST:
                            return RECORD_LOST
                        cursor.number = number - 1
                    kind = self.kind = page[HEAD_OCTETS]
                    if cursor.wants >> (kind & 15) & 1:
                        cursor.found = number
                        cursor.next_offset = next_offset
                        self.flags = page[HEAD_OCTETS + 1]
                        self.length = octets - FRAME_BYTES
                        return kind
                    cursor.number = number
                    cursor.sequence_lag += 1
                cursor.offset = next_offset
            elif octets == RECORD_LOST:
                return RECORD_LOST
            else:
                cursor.offset = self.next_probe_offset(offset)
        return RECORD_NONE

    def seek(self, cursor, number, lag=0):
        """Move the cursor to just after `number`, as far as the log still has that; `cursor.number` says where it is.

        `sequence_lag` is its `cursor.sequence_lag` there.
        """
        oldest = self.first_above(0) - 1
        if number < oldest:
            number = oldest
        cursor.number = number if number < self.number else self.number
        cursor.sequence_lag = lag
        cursor.version = -1
        if cursor.slot and cursor.number < self.damage.ignored_to:  # an outlet goes back: that is to be read once more
            self.damage.ignored_to = cursor.number

    def backlog_of(self, cursor):
        """Return how many numbers come after the cursor."""
        count = self.number - cursor.number
        return count if count > 0 else 0

    def lowest(self):
        """Return the number that all durable cursors have passed."""
        low = NUMBER_TOP
        for cursor in self.cursors:
            if cursor.durable and cursor.number < low:
                low = cursor.number
        return low

    def used_blocks(self):
        """Return how many blocks hold something that counts."""
        count = 0
        for first in self.firsts:
            count += 0 < first < WORN
        return count

    # -- blocks ------------------------------------------------------------------------------------------------

    def first_above(self, number):
        """Return the lowest first number of a block above `number`, TOP if there is none."""
        least = TOP
        for first in self.firsts:
            if number < first < least:
                least = first
        return TOP if least == WORN else least

    def place_of(self, number):
        """Return the block that would hold `number`, -1 if it is older than all of them."""
        best = 0
        place = found = -1
        for first in self.firsts:
            place += 1
            if best < first <= number and first != WORN:
                best = first
                found = place
        return found

    def look_up(self, cursor):
        """Find the cursor's block; pass what is gone before it."""
        firsts = self.firsts
        if cursor.version < 0 or firsts[cursor.place] != cursor.first:
            place = self.place_of(cursor.number + 1)
            if place < 0:
                first = self.first_above(0)
                place = self.place_of(first)
                gone = cursor.number
                if cursor not in self.cursors:  # what all have passed may be gone for a scout
                    gone = max(gone, self.lowest())
                self.count_damaged(gone, first)
                cursor.number = first - 1
            self._enter(cursor, place)
        else:
            cursor.bound = self.first_above(cursor.first)
        cursor.version = self.version

    def _enter(self, cursor, place):
        cursor.place = place
        cursor.first = self.firsts[place]
        cursor.bound = self.first_above(cursor.first)
        cursor.offset = HEAD_OCTETS

    def leave_block(self, cursor):
        """Go to the block after the cursor's, or to the end; what was not found up to there is damaged."""
        last = cursor.bound - 1 if cursor.bound <= self.visible else self.visible
        place = cursor.place
        if place != self.block:
            place = cursor.place + 1 if cursor.place + 1 < self.device.block_count else 0
            if self.firsts[place] != cursor.bound:
                place = self.place_of(cursor.bound)
        if cursor.number < last:
            most = self.device.block_bytes // self.next_record_offset(0, FRAME_BYTES)
            skipped = 0
            if last - cursor.number >= most and place != cursor.place:
                from toolcart.agent.log.skipped import skipped_behind  # hardly any log has such a gap

                skipped = skipped_behind(self, cursor.place, place, cursor.number, last, most)
            self.count_damaged(cursor.number, last + 1 - skipped)
            cursor.number = last
        if place != cursor.place:
            self._enter(cursor, place)

    def count_damaged(self, before, number):
        """Count the numbers between these two as damaged."""
        count = self.damage.exclude(before, number)
        if count and self.ring_id != field.GRAPHS:
            state = self.state
            state.numbers[field.DAMAGED] += count
            state.is_reliable = False
            if self.ring_id == field.LOG:
                from toolcart.agent.log.refound_damage import remember  # hardly any log has such a gap

                remember(state.refound_damage, max(before, self.damage.ignored_to), number - 1, count)

    # -- bytes ------------------------------------------------------------------------------------------------

    def read_record(self, place, offset, end):
        """Read what is there into the page; return the length of a sound record, or a RECORD_ code."""
        staging = self.staging
        room = end - offset
        have = room if room < READ_BYTES else READ_BYTES
        address = place * self.device.block_bytes + offset
        if self.device.read_into(address, staging.read, have) < 0:
            self.damage.unreadable += 1
            return RECORD_LOST
        octets = record_length(self.page, HEAD_OCTETS, room)
        if octets <= 0:
            return octets
        if octets > have:
            if octets > staging.most:
                return RECORD_BAD
            if self.device.read_into(address, staging.read, octets) < 0:
                self.damage.unreadable += 1
                return RECORD_LOST
        return octets if is_sound(self.page, HEAD_OCTETS, octets) else RECORD_BAD

    def next_record_offset(self, offset, octets):
        """Return where the record after one of this length begins."""
        offset += octets + self.align - 1
        return offset - offset % self.align

    def next_probe_offset(self, offset):
        """Return where to look next after a place without a record; the page holds what was read there."""
        if min(self.staging.probe) == 0xFF:  # only erased bytes
            offset += READ_BYTES - self.align if self.align < READ_BYTES else 0
        offset += self.align
        return offset - offset % self.align


assert _NUMBER == HEAD_OCTETS + NUMBER
