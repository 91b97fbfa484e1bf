"""Carries the newest block over into one erased in this session, before the session's first append or to make room.

    void      what earlier blocks hold from the `first` of a later one on (toolcart.agent.log.block_head), never read
    in doubt  the last record that a start found, until it is known to be durable (`doubtful`): rule 4 of
              toolcart.agent.log.mount
    cut       a block of copies that do not count, as the power failed before a snapshot named it: `cut` of
              toolcart.agent.log.blocks
    counts    what is in it is the log's, unless it is void: copies by rule 2

Rules
1. Restarts cost no capacity: what is not passed is copied, and the old block is void. Only the last record, if it is in
   doubt, is copied where the block is more than seven eighths full and two others may be opened; in a quarantine
   three, because nothing can be taken out while a record is in doubt, and one of two may be worn, and because without
   a third what is left of the block is all the room there is. Where everything is passed, nothing is copied.
2. The copies count from the snapshot that names their block (COUNTS_TO); until then the old block is the newest.
3. While there are copies that do not count, the whole block is copied, so that they are void whatever happens, and
   their block is opened first.
4. The head of the copies describes the old block or, where that is now void, has that block's own words.
5. No doubt, one block free, and no room for the new record after the copies: nothing is carried. A log that refuses is
   full then (LOG_FULL); one that overwrites goes on without (LOG_DONE), and gives up its oldest block if need be.
6. What lay between two records and cannot be read is counted when these are copied: then they are adjacent. The
   snapshot that names their block is the first that has this count.
7. Where one block is free, in a quarantine two (its rule 5), the only room may be what was passed in a full newest
   block, or what lies after a refused program: whenever there is some, the rest is carried, not only at a start.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, get_u32
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import AT_WORDS, CARRIED, HEAD_OCTETS, WORDS_BYTES, forget_ids, note_id
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from toolcart.agent.log.framing import (
    BLOCKS_TRIED,
    FRAME_BYTES,
    KIND_RESULT,
    LOG_DONE,
    LOG_FAILED,
    LOG_FULL,
    RECORD_LOST,
    WHEN_FULL_REFUSE,
    seal,
)
from toolcart.agent.log.reader import WORN
from toolcart.agent.log.staging import PAYLOAD_AT
from toolcart.agent.record.result import FLAG_COPY, ID_BYTES, TIGHTENING_ID
from toolcart.agent.record.result import HEAD_BYTES as BODY

_NUMBER = const(56)  # HEAD_OCTETS + toolcart.agent.log.framing.NUMBER
_ID = PAYLOAD_AT + BODY + TIGHTENING_ID


class Copies:
    """Copies of records in a block that was erased in this session. `put` them, `end`, and save."""

    def __init__(self, log):
        self.log = log
        self.words = bytearray(HEAD_OCTETS)  # as in a head
        self.ids = bytearray(2 * ID_BYTES)
        self.place = 0
        self.first = 0  # from this number on all earlier blocks are void
        self.number = 0  # of their block, as its head has it; no record's
        self.lowest = 0  # the first copy's record number
        self.offset = 0  # where they end
        log.put_words(self.words)

    def begin(self, place, first):
        """Write them to this block, which is erased."""
        self.place = place
        self.first = first
        self.offset = 0
        forget_ids(self.ids)

    def put(self, octets, number):
        """Copy the record in the page, of this length and with this number in the log; below FLASH_DONE it failed."""
        log = self.log
        page = log.page
        begin = self.place * log.device.block_bytes
        kind = page[HEAD_OCTETS]
        seal(page, HEAD_OCTETS, kind, page[HEAD_OCTETS + 1] | FLAG_COPY, octets - FRAME_BYTES, number)
        if self.offset == 0:
            copy(page, AT_WORDS, self.words, AT_WORDS, WORDS_BYTES)
            self.lowest = number
            self.number = log.put_head(page, self.place, self.first, CARRIED)
            behind = log.next_record_offset(HEAD_OCTETS, octets)
            code = log.device.program(begin, page, behind)
        else:
            behind = log.next_record_offset(self.offset, octets)
            code = log.device.program(begin + self.offset, log.staging.read, behind - self.offset)
        if code == FLASH_DONE:
            if kind == KIND_RESULT:
                note_id(self.ids, page, _ID)
            self.offset = behind
            return code
        log.blocks.erased = -1
        if code == FLASH_WORN:
            log.damage.worn += 1
            log.mark(self.place, WORN)
        return code

    def end(self):
        """Finish: the copies are on flash, and a snapshot must now say that they count."""
        log = self.log
        log.staging.staged_log = None  # the last record is elsewhere now
        log.blocks.erased = -1
        log.enter(self.place, self.first, self.offset, self.number, self.words)
        log.ids.set_newest(self.ids)
        log.open_to = 0
        log.unsaved = True
        if log.ring_id == field.LOG and log.state.refound_damage:
            from toolcart.agent.log.refound_damage import settle

            settle(log.state.refound_damage, self.lowest)
        log.state.numbers[log.ring_id + field.SOLID] = log.number + 1


def fits(log, low, octets):
    """True if a record of this length fits after the copies of what is above `low`."""
    if log.blocks.cut >= 0 and low < log.number:
        low = 0  # rule 3
    offset = HEAD_OCTETS
    while offset < log.offset:
        found = log.read_record(log.block, offset, log.offset)
        if found == RECORD_LOST:
            return True  # an append will report it
        if found > 0 and get_u32(log.page, _NUMBER) > low:
            break
        offset = log.next_record_offset(offset, found) if found > 0 else log.next_probe_offset(offset)
    # The first copy comes right after a head; if the original did not, what is left out makes up for the difference.
    head = log.next_record_offset(HEAD_OCTETS, FRAME_BYTES) if offset > HEAD_OCTETS else HEAD_OCTETS
    used = log.offset - offset + head
    return log.next_record_offset(used, octets) <= log.device.block_bytes


def carry(log, octets):
    """Carry over what must come before an append of this length; return a LOG_ code."""
    blocks = log.blocks
    if log.lowest() > blocks.saved_lowest() and not log.state.save():
        return LOG_FAILED
    low = blocks.saved_lowest()
    if low >= log.number and not log.doubtful and blocks.cut < 0:
        return LOG_DONE
    block_bytes = log.device.block_bytes
    free = blocks.count_free(low)
    whole = log.offset <= block_bytes - block_bytes // 8 or free <= blocks.kept_free or blocks.cut >= 0
    if not log.doubtful:
        if not whole:
            return LOG_DONE
        if free < 2 and not fits(log, low, octets):
            return LOG_FULL if blocks.when_full == WHEN_FULL_REFUSE else LOG_DONE
    first = log.number
    if blocks.cut >= 0 or (whole and low < first):
        first = log.firsts[log.block]
        if low >= first and blocks.cut < 0:
            first = low + 1
    copies = Copies(log)
    if first == log.firsts[log.block]:
        copy(copies.words, AT_WORDS, log.ids.words, 0, WORDS_BYTES)
    for _ in range(BLOCKS_TRIED):
        place = blocks.find(0)
        if place < 0:
            return place
        copies.begin(place, first)
        last = _copy(log, copies)
        if last >= 0:
            _end(log, copies, last)
            return LOG_DONE
        if last == FLASH_IO:
            break
    return LOG_FAILED


def _copy(log, copies):
    """Copy the records from `copies.first` on; return the last number found in the old block, or a FLASH_ code."""
    last = 0
    is_adjacent = True
    offset = HEAD_OCTETS
    while offset + FRAME_BYTES <= log.offset:
        octets = log.read_record(log.block, offset, log.offset)
        if octets == RECORD_LOST:
            log.blocks.erased = -1
            return FLASH_IO
        if octets <= 0:
            offset = log.next_probe_offset(offset)
            is_adjacent = False
            continue
        offset = log.next_record_offset(offset, octets)
        number = get_u32(log.page, _NUMBER)
        if not last < number <= log.number:
            continue
        if not is_adjacent:  # among the copies nothing will tell that it was there
            log.count_damaged(last or log.firsts[log.block] - 1, number)
            is_adjacent = True
        last = number
        if number >= copies.first:
            code = copies.put(octets, number)
            if code != FLASH_DONE:
                return code
    return last


def _end(log, copies, last):
    if log.doubtful and last < log.number:  # it was torn, and never acknowledged
        log.damage.torn += 1
        log.doubtful = False
        before = log.firsts[log.block] - 1
        if last <= before:  # nothing in it counts
            log.mark(log.block, 0)
        log.end_at(last if last > before else before)
    if copies.offset:
        copies.end()


assert FLASH_WORN != FLASH_IO and _NUMBER == HEAD_OCTETS + 4
