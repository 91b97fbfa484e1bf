"""Does the log hold this very tightening, or this very frame?

Rules
1. HELD: it does; NOT_HELD: it does not; HELD_UNKNOWN: the device cannot be read: the caller stores nothing. After
   NOT_HELD `search.skipped` says whether it may be in a block that could not be read: what is stored then may be there
   twice, and is counted as that before.
2. A result with an ID is looked up by it. Where the ID never changes all results have it: as many of the newest
   blocks are compared as hold the SAME_ID_MOST newest of them, since a controller repeats what it sent last.
3. A result without an ID, or an unreadable frame, is looked for in the newest blocks: it is repeated at once
   or not at all.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, get_u32
from toolcart.agent.log.search import Search
from toolcart.agent.openprotocol.ids import id_at, id_of, is_within
from toolcart.agent.record import FRAME_MOST, KIND_RAW, KIND_RESULT, provenance
from toolcart.agent.record.equality import have_same_contents, is_same, same_id
from toolcart.agent.record.result import (
    FLAG_EDGE_TIME,
    FLAG_RECOVERED,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    TIGHTENING_ID,
    TIME,
    TIME_BYTES,
    TORQUE,
)

HELD = const(1)
NOT_HELD = const(0)
HELD_UNKNOWN = const(-1)

SAME_ID_MOST = const(32)
RESULTS_MOST = const(500)  # more than come before a controller answers the first question
RECENT = const(64)  # results: what of them is stored again under another ID is counted
BLOCKS_SEARCHED = const(4)
READ_MOST = const(16)  # records a turn, where many are to be read

_CONTENTS = const(53)  # HEAD_BYTES + TORQUE
_CONTENTS_BYTES = const(18)  # torque, angle and time


class DuplicateSearch:
    """Questions to one log."""

    read_most = READ_MOST
    contents_most = 256  # results that toolcart.agent.openprotocol.stored_contents compares

    def __init__(self, log):
        self.log = log
        self.search = Search(log)

    def holds(self, page, at, length, flags, is_pushed=False):
        """Look for the tightening whose payload is at page[at:at+length], of a record with these flags.

        Pushed without ID and time it is no repeat: it may be another, and is counted like one (`search.skipped`).
        Hot: allocates nothing.
        """
        log = self.log
        search = self.search
        remaining = log.number  # of comparisons: more than there can be
        ident = at + HEAD_BYTES + TIGHTENING_ID
        if all_digits(page, ident, ID_BYTES):
            remaining = SAME_ID_MOST
            search.begin(page, ident)
        else:
            search.begin_newest(BLOCKS_SEARCHED)
        kind = search.next()
        place = search.place
        while kind > 0:
            if search.place != place:  # the newest of a block come last in it: it is compared as a whole
                if remaining <= 0:
                    break
                place = search.place
            if kind == KIND_RESULT:
                if is_same(log.page, log.at, log.length, log.flags, page, at, length, flags):
                    if is_pushed and flags & FLAG_EDGE_TIME and id_at(page, ident) <= 0:
                        search.skipped = True
                        return NOT_HELD
                    return HELD
                remaining -= 1
            kind = search.next()
        return HELD_UNKNOWN if kind < 0 else NOT_HELD

    def next_record(self):
        """Return the number of the record that is appended next."""
        return self.log.next

    def results(self, record, most=RESULTS_MOST):
        """Yield page, place of the body, and flags, of each result from this record on, the newest block first.

        No more than `most` records are read.
        """
        log = self.log
        search = Search(log)  # others may search while this one waits for its next turn
        search.begin_newest(log.device.block_count, record)
        kind = search.next()
        while kind > 0 and most:
            if kind == KIND_RESULT and get_u32(log.page, log.at) >= record:
                yield log.page, log.at + HEAD_BYTES, log.flags
            most -= 1
            kind = search.next()

    def has_id(self, ident, record):
        """True if a result with these ten digits was stored as this record or later."""
        log = self.log
        self.search.begin(ident, 0)
        while self.search.next() > 0:
            if get_u32(log.page, log.at) >= record:
                return True
        return False

    def results_of(self, ident, record):
        """Yield page, place of the body, and flags, of each result with these ten digits from this record on."""
        log = self.log
        search = Search(log)
        search.begin(ident, 0)
        while search.next() > 0:
            if get_u32(log.page, log.at) >= record:
                yield log.page, log.at + HEAD_BYTES, log.flags

    def holds_contents(self, page, at, length, flags):
        """True if the result at page[at:] may be among the RECENT records in front of its number.

        It may if one from the same place has its time and values: under the same ID whatever else was said, under
        another one if all else is the same.
        """
        log = self.log
        number = get_u32(page, at)
        body = at + HEAD_BYTES
        self.search.begin_newest(log.device.block_count, max(number - RECENT, 1))
        kind = self.search.next()
        while kind > 0:
            if (
                kind == KIND_RESULT
                and get_u32(log.page, log.at) < number
                and compare(log.page, log.at + _CONTENTS, page, at + _CONTENTS, _CONTENTS_BYTES) == 0
            ):
                start = log.at + HEAD_BYTES
                is_other = not same_id(log.page, start + TIGHTENING_ID, page, body + TIGHTENING_ID)
                if not provenance.is_elsewhere(log.page, log.at, log.length, page, at, length, is_other) and (
                    not is_other or have_same_contents(log.page, start, log.flags, page, body, flags)
                ):
                    return True
            kind = self.search.next()
        return False

    def count_ids(self, first, last, record, end=0):
        """Count the IDs first..last that were stored as this record or later, in front of `end` if that is not 0."""
        ids = set()
        for page, at, _ in self.results(record):
            if end and get_u32(page, at - HEAD_BYTES) >= end:
                continue
            if all_digits(page, at + TIGHTENING_ID, ID_BYTES):
                number = id_of(page, at + TIGHTENING_ID)
                if is_within(number, first, last):
                    ids.add(number)
        return len(ids)

    def holds_frame(self, buf, at, length):
        """Look for this very frame, or as much of it as is kept."""
        length = min(length, FRAME_MOST)
        log = self.log
        self.search.begin_newest(BLOCKS_SEARCHED)
        kind = self.search.next()
        while kind > 0:
            if kind == KIND_RAW and log.length == HEAD_BYTES + length:
                if compare(log.page, log.at + HEAD_BYTES, buf, at, length) == 0:
                    return HELD
            kind = self.search.next()
        return HELD_UNKNOWN if kind < 0 else NOT_HELD

    def holds_pushed(self, ident, place, epoch, spindle):
        """Look for a pushed frame with these ten digits at `place`, counted from its first byte.

        It must be of this epoch of the controller's IDs: in another one they meant another result. Spindle 0: any.
        """
        log = self.log
        self.search.begin_newest(BLOCKS_SEARCHED)
        kind = self.search.next()
        while kind > 0:
            if kind == KIND_RAW and not log.flags & FLAG_RECOVERED and log.length >= HEAD_BYTES + place + ID_BYTES:
                is_of_now = log.page[log.at + ID_EPOCH] == epoch
                is_it = is_of_now and (not spindle or provenance.spindle_in(log.page, log.at) == spindle)
                if is_it and compare(log.page, log.at + HEAD_BYTES + place, ident, 0, ID_BYTES) == 0:
                    return HELD
            kind = self.search.next()
        return HELD_UNKNOWN if kind < 0 else NOT_HELD


assert _CONTENTS == HEAD_BYTES + TORQUE and _CONTENTS_BYTES == TIME + TIME_BYTES - TORQUE
