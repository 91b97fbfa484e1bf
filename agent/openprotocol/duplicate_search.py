"""Does the log hold this very tightening, or this very frame?

Rules
1. 1: it does; 0: it does not; -1: the device cannot be read and the answer is unknown: the caller stores nothing.
   After a 0 `search.skipped` says whether it may be in a block that could not be read: what is stored then may be there
   twice, and is counted as that before.
2. A result with an ID is looked up by it. Where the ID never changes all results have it: as many of the newest
   blocks are compared as hold the SAME_ID_MOST newest of them, since a controller repeats what it sent last.
3. A result without an ID, or an unreadable frame, is looked for in the newest blocks: it is repeated at once
   or not at all.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, get_u32
from toolcart.agent.log.search import Search
from toolcart.agent.openprotocol.ids import id_of, length_of, moved, put_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, put_digest
from toolcart.agent.record import FRAME_MOST, KIND_RAW, KIND_RESULT
from toolcart.agent.record.equality import are_same_bodies, have_same_contents, is_same, same_id
from toolcart.agent.record.provenance import is_elsewhere, spindle_in
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    TIGHTENING_ID,
    TIME,
    TIME_BYTES,
    TORQUE,
)

SAME_ID_MOST = const(32)
RESULTS_MOST = const(500)  # more than come before a controller answers the first question
RECENT = const(64)  # results: what of them is stored again under another ID is counted
BLOCKS_SEARCHED = const(4)
READ_MOST = const(16)  # records a turn, where many are to be read

_SECOND = const(62)  # of the time, in a body
_CONTENTS = const(53)  # HEAD_BYTES + TORQUE
_CONTENTS_BYTES = const(18)  # torque, angle and time


class DuplicateSearch:
    """Questions to one log."""

    read_most = READ_MOST
    contents_most = 256  # results that toolcart.agent.openprotocol.stored_contents compares

    def __init__(self, log):
        self.log = log
        self.search = Search(log)

    def holds(self, page, at, length, flags):
        """Look for the tightening whose payload is at page[at:at+length], of a record with these flags.

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
                    return 1
                remaining -= 1
            kind = search.next()
        return -1 if kind < 0 else 0

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

    def near(self, body, start, length, flags, number, most):
        """Return by how much `number`, the ID of the result at body[start:], is ahead of the one it has in the log.

        0 if the log has it under no other ID `most` apart; under ID 0 it may be without one. The ID stays as it is. One
        whose second is 0 may be without seconds.
        """
        digits = bytearray(ID_BYTES)
        at = start + TIGHTENING_ID
        ahead = 0
        for by in range(-most, most + 1):
            if by and by != number and not ahead:
                put_id(digits, moved(number, -by))
                copy(body, at, digits, 0, ID_BYTES)
                is_there = self.holds(body, start - HEAD_BYTES, length, flags) > 0
                if not is_there and not body[start + _SECOND]:
                    is_there = _has_alike(self.results_of(bytes(digits), 1), body, start, flags)
                ahead = by if is_there else 0
        put_id(digits, number)
        copy(body, at, digits, 0, ID_BYTES)
        return ahead

    def holds_otherwise(self, body, start, flags):
        """True if the log has all that the result at body[start:] says under another ID. Its own stays as it is."""
        at = start + TIGHTENING_ID
        ident = bytes(body[at : at + ID_BYTES])
        is_there = False
        for page, place, other in self.results(1):
            if page[place + TIGHTENING_ID : place + TIGHTENING_ID + ID_BYTES] != ident and not is_there:
                copy(body, at, page, place + TIGHTENING_ID, ID_BYTES)
                is_there = are_same_bodies(page, place, other, body, start, flags)
        copy(body, at, ident, 0, ID_BYTES)
        return is_there

    def holds_contents(self, page, at, length, flags):
        """Return 1 if the result at page[at:] may be among the RECENT records in front of its number.

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
                if not is_elsewhere(log.page, log.at, log.length, page, at, length, is_other) and (
                    not is_other or have_same_contents(log.page, start, log.flags, page, body, flags)
                ):
                    return 1
            kind = self.search.next()
        return 0

    def count_ids(self, first, last, record):
        """Count the IDs first..last that were stored as this record or later."""
        ids = set()
        for page, at, _ in self.results(record):
            if all_digits(page, at + TIGHTENING_ID, ID_BYTES):
                number = id_of(page, at + TIGHTENING_ID)
                if length_of(first, number) and length_of(number, last):
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
                    return 1
            kind = self.search.next()
        return -1 if kind < 0 else 0

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
                is_it = is_of_now and (not spindle or spindle_in(log.page, log.at) == spindle)
                if is_it and compare(log.page, log.at + HEAD_BYTES + place, ident, 0, ID_BYTES) == 0:
                    return 1
            kind = self.search.next()
        return -1 if kind < 0 else 0


def _has_alike(results, body, start, flags):
    """True if one of these results of the log is what is at body[start:], under any ID; its second may be 0."""
    one, other = bytearray(FINGERPRINT_BYTES), bytearray(FINGERPRINT_BYTES)
    put_digest(one, 0, body, start, flags)
    is_there = False
    for page, at, stored in results:
        put_digest(other, 0, page, at, stored)
        is_there = is_there or are_alike(one, other)
    return is_there


assert _SECOND == TIME + TIME_BYTES - 1
assert _CONTENTS == HEAD_BYTES + TORQUE and _CONTENTS_BYTES == TIME + TIME_BYTES - TORQUE
