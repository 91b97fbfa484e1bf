"""Reads a log newest block first: the results with one tightening ID, or everything in the newest blocks.

Rules
1. Within a block records come in order. What is in doubt or void is not found.
2. A block's head has the lowest and highest ID of the results in the block before it (toolcart.agent.log.block_head):
   so a block that cannot have an ID costs one read, and an ID above all in the log none.
3. What cannot be read is read once more: a device may refuse a single read. A block that then still cannot be read is
   RECORD_LOST if it is the newest, or if that cannot be read either: the device is away. Otherwise only this block is
   worn, or was refused twice; the search goes on behind it, and `skipped` says that what it has not found may be there.
"""

from toolcart.agent.base.fields import compare, copy, get_u32
from toolcart.agent.log.block_head import (
    AT_NUMBER,
    AT_WORDS,
    HEAD_OCTETS,
    HEAD_SOUND,
    WORDS_BYTES,
    WORDS_HIGHEST,
    WORDS_LOWEST,
    WORDS_NUMBER,
    check_head,
    size_of,
    u16,
)
from toolcart.agent.log.framing import FRAME_BYTES, KIND_RESULT, NUMBER, RECORD_LOST, RECORD_NONE, WORN
from toolcart.agent.log.staging import PAYLOAD_AT
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID

_ID = PAYLOAD_AT + HEAD_BYTES + TIGHTENING_ID
_NUMBER = HEAD_OCTETS + NUMBER


class Search:
    """One search in a log at a time. The record found is in the log's page, as after its `peek`."""

    def __init__(self, log):
        self.log = log
        self._key = bytearray(ID_BYTES)
        self._words = bytearray(WORDS_BYTES)  # on the block before the current one
        self._keyed = False
        self._left = 0  # blocks
        self._lowest = 0  # what is older is not of interest
        self.place = -1  # of the current block
        self._first = 0
        self._bound = 0
        self._offset = 0
        self._number = 0
        self.skipped = False  # some of what was to be searched could not be read
        self._turned = -1  # the version of the blocks that `_in_turn` is of
        self._in_turn = False  # they follow each other in the order of their places

    def begin(self, key, at):
        """Start a search for the results with the ten-byte ID at key[at:]. Hot: allocates nothing."""
        log = self.log
        self.place = -1
        self.skipped = False
        ids = log.ids
        is_in_newest = compare(key, at, ids.newest, ID_BYTES, ID_BYTES) <= 0
        if not is_in_newest and compare(key, at, ids.earlier, 0, ID_BYTES) > 0:
            return
        copy(self._key, 0, key, at, ID_BYTES)
        self._begin(log.device.block_count)
        self._keyed = True
        copy(self._words, 0, ids.words, 0, WORDS_BYTES)
        if not is_in_newest or compare(key, at, ids.newest, 0, ID_BYTES) < 0:
            self._step()

    def begin_newest(self, blocks, number=0):
        """Start a search for every record in the newest `blocks` blocks, in those alone that go beyond `number`."""
        self._begin(blocks, number)
        self._keyed = False

    def next(self):
        """Read the next one into the page; return its kind, RECORD_NONE or RECORD_LOST. Hot: allocates nothing."""
        log = self.log
        page = log.page
        while self.place >= 0:
            end = log.offset if self.place == log.block else log.device.block_bytes
            offset = self._offset
            if offset + FRAME_BYTES > end or self._number + 1 >= self._bound:
                self._step()
                continue
            octets = log.read_record(self.place, offset, end)
            if octets == RECORD_LOST:
                octets = log.read_record(self.place, offset, end)
            if octets > 0:
                self._offset = log.next_record_offset(offset, octets)
                number = get_u32(page, _NUMBER)
                if self._number < number < self._bound:
                    self._number = number
                    kind = page[HEAD_OCTETS]
                    if not self._keyed or (kind == KIND_RESULT and page.find(self._key, _ID, _ID + ID_BYTES) == _ID):
                        log.kind = kind
                        log.flags = page[HEAD_OCTETS + 1]
                        log.length = octets - FRAME_BYTES
                        return kind
            elif octets != RECORD_LOST:
                self._offset = log.next_probe_offset(offset)
            elif self.place == log.block or self._is_away():
                return RECORD_LOST
            else:
                self.skipped = True
                self._step()
        return RECORD_NONE

    def _is_away(self):
        log = self.log
        return log.device.read_into(log.block * log.device.block_bytes, log.page, HEAD_OCTETS) < 0

    def _begin(self, blocks, number=0):
        log = self.log
        self._lowest = number
        self.skipped = False
        self._left = blocks
        self.place = log.block if log.number and blocks > 0 else -1
        self._first = log.firsts[log.block]
        self._bound = log.visible + 1
        self._offset = HEAD_OCTETS
        self._number = self._first - 1

    def _step(self):
        """Go to the next older block that may have what is searched for."""
        log = self.log
        while True:
            self._left -= 1
            self._bound = self._first
            is_over = self._left <= 0 or self._first <= self._lowest
            place = -1
            if not is_over and log.firsts[self.place] == self._first:
                place = self._place_before(self.place)
            elif not is_over:  # it was given up while the search waited for its next turn
                place = log.place_of(self._first - 1)
            self.place = place
            if place < 0:
                return
            self._first = log.firsts[place]
            if not self._keyed or self._may_hold(place):
                self._offset = HEAD_OCTETS
                self._number = self._first - 1
                return

    def _place_before(self, place):
        """Return the block whose records come right before those of this one, -1 if there is none.

        Blocks are nearly always opened one after the other: then it is the next one that way round.
        """
        log = self.log
        firsts = log.firsts
        if self._turned != log.version:
            self._turned = log.version
            self._in_turn = _are_in_turn(firsts)
        first = firsts[place]
        if not self._in_turn:
            return log.place_of(first - 1)
        at = place
        while True:
            at = at - 1 if at else log.device.block_count - 1
            if at == place or first < firsts[at] != WORN:  # that is the newest
                return -1
            if 0 < firsts[at] < first:
                return at

    def _may_hold(self, place):
        """Return False if the words on this block rule out the ID; keep the words in its own head for the next."""
        log = self.log
        page = log.page
        words = self._words
        if log.device.read_into(place * log.device.block_bytes, page, HEAD_OCTETS) < 0 or (
            check_head(page, size_of(log.device)) != HEAD_SOUND
        ):
            words[WORDS_NUMBER] = words[WORDS_NUMBER + 1] = words[WORDS_NUMBER + 2] = words[WORDS_NUMBER + 3] = 0xFF
            return True
        holds = u16(words, 0) == place and get_u32(words, WORDS_NUMBER) == get_u32(page, AT_NUMBER)
        misses = holds and (
            compare(self._key, 0, words, WORDS_LOWEST, ID_BYTES) < 0
            or compare(self._key, 0, words, WORDS_HIGHEST, ID_BYTES) > 0
        )
        copy(words, 0, page, AT_WORDS, WORDS_BYTES)
        return not misses


def _are_in_turn(firsts):
    """True if the blocks that count follow each other in the order of their places, from the oldest on."""
    before = lowest = highest = 0
    falls = 0
    for first in firsts:
        if 0 < first != WORN:
            falls += first <= before
            before = first
            lowest = lowest or first
            highest = first
    return falls == 0 or (falls == 1 and highest < lowest)
