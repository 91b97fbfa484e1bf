"""What is known of a controller's tightening IDs, durably: the highest result proven, and which IDs may be missing.

Rules
1. `top`, the highest result proven, is nothing, EMPTY (the controller had no result when asked) or the ID, time and
   values of a result. Two results are the same if all three agree; times are compared for nothing else.
2. The fold (`stored`), the same after an append and at startup: a result pushed on a connection that has proven what
   the IDs mean moves `top`; the IDs skipped become a range in the same step. What was pushed before that carries
   FLAG_UNPROVEN and moves nothing, unless there is no `top` at all; what was fetched moves nothing.
3. Everything else is changed by what asks (toolcart.agent.openprotocol.recovery and its parts): together in one
   snapshot (`begin`, `commit`), or alone (`try_save`).
4. The ranges are exact, oldest first. What is written has room for two: the oldest, and one over all others. An ID
   counts as gone only in the step in which it leaves what is written: until then it is `held`. So a written range loses
   IDs at its begin alone, and what was counted once is never in one again, whatever is added later.
   After EMPTY everything before the first result may be missing: it is not known where that range begins, unless
   that is 1 and ID 0 has brought nothing, nor how much of it is asked for. A range that lies in it, of a count that
   begins anew, is one of its own.
   Where a count has begun anew the first ranges may be of the one before (`ended_ranges`; of what is written, the
   oldest): whatever has these IDs now, what the present count has reached can not be had any more.
5. Where stations share the IDs a jump means nothing and opens no range.
6. Results of several spindles cannot be asked for: there is no range, and the first range's last ID is that of the
   result stored before `top` (toolcart.agent.openprotocol.spindle_subscription, rule 2), and that of the second one how
   many frames came since that cannot be read (toolcart.agent.openprotocol.spindle_ids, rule 3).
7. Spindles that send a result each, named in its header, may share the tightening's ID. Which there are is learned from
   what is stored. `top` is then the result of one of them, and those of the others do not move it. Where several
   results have one ID and name none, how many is learned by toolcart.agent.openprotocol.unnamed_spindles.
8. `doubted`: from this record of the log on some of what may be missing may have been stored before, by a push that was
   not proven or on its way; from the first on, where ranges became one, all that a controller has is missing, or a
   start found a range. While the log has that record, it says whether it has a result; later no one knows. A `run` of
   pushes that began with that very record is in no doubt: it is asked for once, and closed or another one.
9. Stored again is counted by the fold, as a bound: what was fetched while anything was in doubt, and what was pushed
   though it was neither missing nor above `top`, if the log no longer has what would say; a frame that cannot be read,
   which is looked for in the newest blocks alone, if anything was in doubt.
10. A controller that cannot be asked proves nothing (`is_unanswering`): each push is `top` then, also one after it, and
    what a jump opens is a range until it is counted as gone (toolcart.agent.openprotocol.unfetchable).
11. The unit of a torque is that of the last message that named one. Where it was another than Nm (`has_other_unit`), or
   one that is not defined, an answer that names none is not believed. A push that names none has `unit`, the last one
   that is defined; a start finds that in the log (toolcart.agent.station.named_unit).
12. Another controller that has named itself once is the `successor`, with the first of its IDs that was seen, -1 if
   none was. It is in place of the second range, where that is free; else a start forgets it. The fold takes its first
   push in front of any answer for that ID.
13. What is pushed without an ID that can be read, or with 0 where that is none, will seem to be missing
   (`has_unnamed`). What is fetched then may be that: where time and values do not show it, each counts as stored again,
   until a push with an ID came and nothing is missing.
14. The first session writes EMPTY as soon as results are subscribed to: what is made from then on is ours. If it ends
    before it has shown anything, the next one asks for all that. Until then (`is_first_contact`) EMPTY is no answer of
    the controller.
15. The IDs that are pushed may not be those that the memory has (`push_ids_differ`, the bit of EMPTY beside a `top`:
    toolcart.agent.openprotocol.stored_contents). Then a push is like one without an ID: it moves nothing, and `top` is
    the highest result of the memory.

    octet  0      5      12     16     21    26     31    36       40      41    42    43       44
           |ID    |time  |values|first |last |first |last |identity|indexes|flags|epoch|spindles|
           | BCD  | BCD  |      | BCD, a range each, 0:   |  u32   |       |     |     |        |
           `--- top, a digest -´        none             ´   `- the top bit: the oldest range is of the count before
                                        |ID    |identity|  in place of the second range: the successor

`spindles` is the one that all came from, or with the top bit set the highest of several; 0: nothing came yet. From 100
to 127: so many less 98 are the results of an ID, and none names a spindle.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, fill, get_u32, holds, pack_digits, put_u32
from toolcart.agent.log.snapshot_fields import DAMAGED, GONE, STORED_AGAIN
from toolcart.agent.openprotocol.ids import (
    COUNT_MOST,
    following,
    id_of,
    increment,
    is_ahead,
    is_open,
    is_some,
    is_within,
    length_of,
    open_below,
    pack_id,
    preceding,
    put_id,
    unpack_id,
)
from toolcart.agent.openprotocol.result_digest import (
    FINGERPRINT_BYTES,
    TIME,
    are_alike,
    are_of_one,
    put_digest,
    put_values,
    same,
)
from toolcart.agent.record import KIND_RAW, KIND_RESULT, SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import SPINDLE, SPINDLE_BITS

RANGES_MOST = const(2)  # that are written
_KNOWN_MOST = const(12)

# Of state.octets; `top` is first.
INDEXES = const(40)  # the revisions that worked, four bits each: of MID 0001, of the results
_RANGES = const(16)
_BEFORE_TOP = const(21)
_IDENTITY = const(36)
_ENDED_AT = const(39)  # in its last octet
_ENDED = const(0x80)
_FLAGS = const(41)
EPOCH = const(42)
SPINDLES = const(43)
_SEVERAL = const(0x80)
_UNNAMED_RESULTS = const(98)
UNNAMED_MOST = const(29)
PARTLY_ACKNOWLEDGED_MOST = const(4)

_MET = const(1)  # `top` is a result
_EMPTY = const(2)
_SHARED = const(4)  # all stations of the controller share the IDs
_DOUBTED = const(8)  # rule 8, for the next start
_UNANSWERING = const(16)  # rule 10
_OTHER_UNIT = const(32)  # rule 11
_SUCCESSOR = const(128)  # rule 12
_SUCCESSOR_ID = const(26)  # where it is: no digits if there is none
_SUCCESSOR_IDENTITY = const(31)

_WITH_LIMITS = const(151)  # bytes of such a payload, and more
_UNIT = const(139)  # in a body with limits
_NM = const(0x31)
_MID = const(4)  # in a frame
_MID_END = const(8)
_SYNC = b"0101"
_TIGHTENED = b"006"  # 0061 and 0065
_UNNAMED = const(64)  # rule 13

_RESULT_LEAST = const(100)  # octets; the shortest MID 0061 has 121


class IdLedger:
    """The IDs of one controller, over the station's state."""

    def __init__(self, state, recovers=True):
        self.state = state
        self.recovers = recovers
        self.octets = state.octets
        self.ended_ranges = 0  # so many ranges, from the first one on, are of the count before
        self.expected = bytearray(res.ID_BYTES)  # top + 1 if a proven push was the last to move it, else no digits
        self.ranges = []  # [first, last] each
        self.held = []  # rule 4: [first, last, how many of these IDs are gone, why], oldest first
        self.unit = 0  # rule 11, as its digit; 0: none was named since the start
        self.doubted = 0  # rule 8; 0: nothing is
        self.since = 1  # IDs of results from this record of the log on are of the present count, as far as is known
        self.run = 0  # rule 8; 0: there is none
        self.has_lost_zero = False  # that was counted, and no event says so yet
        # IDs that pushes skipped, or in front of a newest below `top`, and the highest ID of these, or of a count that
        # has begun anew: not proven, and not written down, as the log says it (toolcart.agent.openprotocol.unfetchable)
        self.skipped = 0
        self.unproven = -1
        self.not_saved = 0  # snapshots that could not be written
        self.last_push = bytearray(FINGERPRINT_BYTES)  # of the last push that was not the expected one
        # The last PARTLY_ACKNOWLEDGED_MOST pushes of which a part was acknowledged, and that are not whole.
        self.partly_acknowledged = []
        self.last_id = -1  # of the last push: -1 if it has none, or was the expected one
        self.successor = 0  # its identity; 0: there is none
        self.successor_id = -1
        self.is_first_contact = False  # rule 14
        self.first_of_empty = 1  # in front of this ID a controller that had nothing has made nothing; 0: not known
        self._kept = b"", 0, 0, -1
        self._is_unnamed = False  # the last push
        self.load()

    def load(self):
        """Load what the state says."""
        octets = self.octets
        fill(self.expected, 0, res.ID_BYTES, 0xFF)
        self.ranges = []
        self.held = []
        most = RANGES_MOST
        if octets[_FLAGS] & _SUCCESSOR:
            most = 1
            self.successor = get_u32(octets, _SUCCESSOR_IDENTITY)
            self.successor_id = unpack_id(octets, _SUCCESSOR_ID) if octets[_SUCCESSOR_ID] != 0xFF else -1
        for at in range(_RANGES, _RANGES + most * 10, 10):
            first = unpack_id(octets, at)
            if first:
                self.ranges.append([first, unpack_id(octets, at + 5)])
        self.ended_ranges = 1 if self.ranges and octets[_ENDED_AT] & _ENDED else 0
        self._is_unnamed = self.has_unnamed()
        self.doubted = 1 if self.ranges or octets[_FLAGS] & _DOUBTED else 0

    # -- the fold ----------------------------------------------------------------------------------------------

    def stored(self, kind, flags, buf, at, length):
        """Count the stored result whose payload is at buf[at:at+length] as known. Hot: allocates nothing.

        Return 0 if it was not stored before, or that is counted; else a record: it may have been, if the log has lost
        that one (rule 9).
        """
        spindle = buf[at + SPINDLE] & SPINDLE_BITS
        at += res.HEAD_BYTES
        if kind == KIND_RESULT and length >= _WITH_LIMITS:
            self.note_unit(buf, at)
        is_next = flags == 0 and holds(buf, at + res.TIGHTENING_ID, self.expected) and kind == KIND_RESULT
        if is_next and spindle == self.octets[SPINDLES]:
            self.last_id = -1
            self.follows(buf, at)
            return 0
        if kind == KIND_RESULT:
            return self._stored_elsewhere(flags, buf, at, length)
        if kind == KIND_RAW:
            self._stored_unread(flags, buf, at, length - res.HEAD_BYTES)
        return 0

    def follows(self, body, start):
        """The same for the body of a result without flags that has the ID in `expected`. Hot: allocates nothing."""
        octets = self.octets
        at = start + res.TIGHTENING_ID
        if body[at + 9] == 0x30 and body[at + 8] == 0x30:
            pack_digits(octets, 0, body, at, res.ID_BYTES)
        else:  # the other digits stay
            octets[4] = (body[at + 8] & 0x0F) << 4 | body[at + 9] & 0x0F
        copy(octets, TIME, body, start + res.TIME, res.TIME_BYTES)
        put_values(octets, 0, body, start)
        increment(self.expected)

    def note_unit(self, body, start):
        """Take the unit of the stored result whose body, with limits, is at body[start:]. Hot: allocates nothing."""
        unit = body[start + _UNIT]
        if unit == _NM:
            self.unit = unit
            self.octets[_FLAGS] &= ~_OTHER_UNIT & 0xFF
        elif 0x31 < unit <= 0x38:
            self.unit = unit
            self.octets[_FLAGS] |= _OTHER_UNIT

    def _stored_elsewhere(self, flags, buf, at, length):
        several = False
        if length >= SEVERAL_LEAST:
            from toolcart.agent.record.spindles import BY_ID, PLACE  # only where results have several spindles

            several = not buf[at - res.HEAD_BYTES + PLACE] & BY_ID
        if not several:
            self._note_spindle(buf[at - res.HEAD_BYTES + SPINDLE] & SPINDLE_BITS)
        if flags & (res.FLAG_RECOVERED | res.FLAG_RETRIED):
            return self._stored_fetched() if flags & res.FLAG_RECOVERED else 0
        fill(self.expected, 0, res.ID_BYTES, 0xFF)
        if several:
            from toolcart.agent.openprotocol.spindle_ids import stored

            stored(self, flags, buf, at)
            return 0
        self.last_id = -1
        if not self.recovers or self.push_ids_differ() or not self._is_named(buf, at + res.TIGHTENING_ID):
            self._stored_unnamed(get_u32(buf, at - res.HEAD_BYTES))
            return 0
        self._is_unnamed = False
        number = id_of(buf, at + res.TIGHTENING_ID)
        put_digest(self.last_push, 0, buf, at, flags)
        self.last_id = number
        again = self._pushed_again(number)
        if not self.is_met():
            self._note_whole(number)
            if self.is_empty() and not self.is_unanswering() and number != self.first_of_empty:
                self.add_open(open_below(preceding(number)), preceding(number))
            self.put_top(self.last_push)
        elif flags & res.FLAG_UNPROVEN:
            self._note_whole(number)
            if self.successor and self.successor_id < 0:
                self.put_successor(self.successor, number)
            self.doubt(get_u32(buf, at - res.HEAD_BYTES))
            self._note_skipped(number)
        else:
            self._note_proven(number, get_u32(buf, at - res.HEAD_BYTES))
        return again

    def _stored_unread(self, flags, buf, at, length):
        """Take note of the frame at buf[at:at+length], which cannot be read."""
        if length >= _MID_END and not compare(buf, at + _MID, _TIGHTENED, 0, len(_TIGHTENED)):
            from toolcart.agent.openprotocol.layouts import has_undefined_unit  # hardly any log has such a record

            if has_undefined_unit(buf, at, length):
                self.octets[_FLAGS] |= _OTHER_UNIT
        if flags & res.FLAG_RECOVERED:
            self.state.numbers[STORED_AGAIN] += self.doubted > 0
            return
        if length >= _MID_END and not compare(buf, at + _MID, _SYNC, 0, len(_SYNC)):
            from toolcart.agent.openprotocol.spindle_ids import (
                stored_unread,
            )  # only where results have several spindles

            stored_unread(self)
        elif length >= _RESULT_LEAST:
            self._stored_unnamed(get_u32(buf, at - res.HEAD_BYTES))
        elif self.recovers:  # too short for a result
            self.doubt(get_u32(buf, at - res.HEAD_BYTES))

    def _stored_unnamed(self, record):
        """Take note of a push without an ID that can be read, this record of the log (rule 13)."""
        if not self.recovers:
            return
        if not self.is_unanswering():
            self.note_contact(False)
            self._is_unnamed = not self.push_ids_differ()
            self.octets[_FLAGS] |= _UNNAMED if self._is_unnamed else 0
        self.doubt(record)

    def _is_named(self, body, at):
        """True if the ten bytes at body[at:] are an ID; 0 is one for who counts past the last, or tells no others."""
        if not all_digits(body, at, res.ID_BYTES):
            return False
        if is_some(body, at):
            return True
        return not is_ahead(self.top(), 0) if self.is_met() else self.is_unanswering() and not self.is_empty()

    def _stored_fetched(self):
        """Return from which record on what was fetched may have been stored before; 0: it was not, or is counted."""
        if not self.has_unnamed():
            return self._fetched_again()
        self.state.numbers[STORED_AGAIN] += 1
        return 0

    def _fetched_again(self):
        """Return from which record on a fetched result may have been stored before; 0: it was not."""
        return 0 if 1 < self.run == self.doubted else self.doubted

    def _pushed_again(self, number):
        """The same for the last push, which has this ID: it may have been fetched while it was on its way."""
        top = self.top()
        if top < 0 or self.is_unanswering() or is_ahead(number, top):
            return 0
        if self.misses(number):
            return self._fetched_again()
        return 1 if number != top or self.is_top(self.last_push) else 0  # an ID may never change

    def _note_spindle(self, spindle):
        """Take note that a result of this spindle is stored; 0: of one that was not named."""
        octet = self.octets[SPINDLES] if self.results_each() == 1 else 1
        if octet == 0:
            self.octets[SPINDLES] = spindle
        elif spindle and spindle != octet:
            highest = octet & ~_SEVERAL
            self.octets[SPINDLES] = (spindle if spindle > highest else highest) | _SEVERAL

    def _note_skipped(self, number):
        """Count what a push of this ID has skipped, which is not proven, if it goes on with what was pushed last."""
        highest = self.unproven if self.unproven >= 0 else self.top()
        if is_ahead(number, highest):
            self.skipped += length_of(following(highest, number), preceding(number))
            self.unproven = number

    def _note_proven(self, number, record):
        """Take a push of ID `number`, this record of the log, on a connection that has proven `top`."""
        top = self.top()
        if is_ahead(number, top):
            if not self.shares():
                self.add(following(top, number), preceding(number))
        # else: no new count has begun before
        elif number != top and not self.is_unanswering():
            self._note_whole(number)
            self.doubt(record)
            return
        self._note_whole(number)
        if not self.is_other_spindle_of(self.octets):
            self.put_top(self.last_push)
        if not self.ended_ranges:  # else each is looked at: it may have reached what is missing of the count before
            put_id(self.expected, 0, number)
            increment(self.expected)

    def _note_whole(self, number):
        """This result is stored: what a part of it has opened is missing up to the ID in front of it at most.

        Where another one has begun since, it is among what may be missing, and the log says that it is not.
        """
        if number not in self.partly_acknowledged:
            return
        self.partly_acknowledged.remove(number)
        for index in range(self.ended_ranges, len(self.ranges)):
            first, last = self.ranges[index]
            if last == number:
                if first == last:
                    self.ranges.pop(index)
                else:
                    self.ranges[index][1] = preceding(number)
                self.end_doubt()
                self._write_ranges()
                return
        if self.misses(number):
            self.doubt()

    def move_top(self, buf, at):
        """Make `top` the result of several spindles whose body is at buf[at:], the last one stored (rule 6)."""
        self.successor = 0
        self.forget_ranges()
        copy(self.octets, _BEFORE_TOP, self.octets, 0, TIME)
        put_digest(self.last_push, 0, buf, at, 0)
        self.put_top(self.last_push)

    # -- what holds now ------------------------------------------------------------------------------------------

    def is_met(self):
        """True if a result of this controller is known."""
        return self.octets[_FLAGS] & _MET != 0

    def is_empty(self):
        """True if the controller had no result when it was last asked."""
        return self.octets[_FLAGS] & (_MET | _EMPTY) == _EMPTY and not self.is_first_contact

    def push_ids_differ(self):
        """True if what is pushed has other IDs than the controller's memory (rule 15)."""
        return self.octets[_FLAGS] & (_MET | _EMPTY) == _MET | _EMPTY

    def put_push_ids_differ(self):
        """What is pushed has other IDs than the controller's memory."""
        self.octets[_FLAGS] |= _EMPTY

    def is_unanswering(self):
        """True if this controller answers no question about its results, as far as is known (rule 10)."""
        return self.octets[_FLAGS] & _UNANSWERING != 0

    def has_other_unit(self):
        """True if a torque without a unit may be one of another unit than Nm (rule 11)."""
        return self.octets[_FLAGS] & _OTHER_UNIT != 0

    def has_unnamed(self):
        """True if some of what may be missing may have been pushed without its ID (rule 13)."""
        return self.octets[_FLAGS] & _UNNAMED != 0

    def shares(self):
        """True if all stations of the controller share the IDs."""
        return self.octets[_FLAGS] & _SHARED != 0

    def top(self):
        """Return the highest ID known, -1 if there is none."""
        return unpack_id(self.octets, 0) if self.is_met() else -1

    def spindles(self):
        """Return up to which spindle each may have a result under one ID, 1 where there is only one."""
        octet = self.octets[SPINDLES]
        return octet & ~_SEVERAL if octet & _SEVERAL else 1

    def results_each(self):
        """Return how many results an ID has where no spindle is named; 1 where that was never more, or one is named."""
        octet = self.octets[SPINDLES]
        return octet - _UNNAMED_RESULTS if _UNNAMED_RESULTS < octet < _SEVERAL else 1

    def is_other_spindle_of(self, digest):
        """True if the last push is another spindle's part of the tightening in `digest`."""
        return self.octets[SPINDLES] & _SEVERAL != 0 and are_of_one(self.last_push, digest)

    def in_front(self):
        """Return the ID of the result of several spindles that was stored before `top`, 0 if there is none below it."""
        number = unpack_id(self.octets, _BEFORE_TOP)
        return number if is_ahead(self.top(), number) else 0

    def is_top(self, digest):
        """True if `digest` is that of the highest result known."""
        return self.is_met() and same(digest, self.octets)

    def is_like_top(self, digest):
        """True if `digest` has the time and the values of the highest result known, under any ID."""
        return self.is_met() and are_alike(digest, self.octets)

    def epoch(self):
        """Return how often the IDs have restarted, modulo 256."""
        return self.octets[EPOCH]

    def identity(self):
        """Return what tells this controller from others, 0 if nothing is known."""
        if not self.ended_ranges:
            return get_u32(self.octets, _IDENTITY)
        octets = bytearray(self.octets[_IDENTITY:_FLAGS])
        octets[_ENDED_AT - _IDENTITY] &= ~_ENDED & 0xFF
        return get_u32(octets, 0)

    def count_held(self):
        """Return how many IDs were found gone and do not count yet (rule 4)."""
        return sum([one[2] for one in self.held]) if self.held else 0

    def misses(self, number):
        """True if this ID may be missing of the present count."""
        for first, last in self.ranges[self.ended_ranges :] if self.ended_ranges else self.ranges:
            if is_within(number, first, last):
                return True
        return False

    def count_again(self, record, first):
        """Count what was stored last as stored again, if the log lacks this record (see `stored`).

        `first` is the oldest that it has without a block missing behind it.
        """
        if record < first or self.state.numbers[DAMAGED] > 0:
            self.state.numbers[STORED_AGAIN] += 1

    def gone(self):
        """Return how many IDs the controller no longer had, in total."""
        return self.state.numbers[GONE]

    # -- changes -------------------------------------------------------------------------------------------------

    def begin(self):
        """Begin changes that `commit` makes durable in one step."""
        self._kept = bytes(self.octets), self.gone(), self.successor, self.successor_id

    def commit(self):
        """Make the changes durable; False, and `undo`, if the state cannot be written."""
        if self.octets == self._kept[0] and self._kept[1] == self.gone():
            return True
        if self.state.save():
            return True
        self.not_saved += 1
        self.undo()
        return False

    def undo(self):
        """Go back to what was written as `begin` was called, as a start would read it: ranges as two, nothing held."""
        self.octets[:], self.state.numbers[GONE], self.successor, self.successor_id = self._kept
        self.load()

    def try_save(self):
        """Make what holds durable; if the state cannot be written that is counted, and no more."""
        self.not_saved += not self.state.save()

    def note_contact(self, saves=True):
        """Results are subscribed to, or one has no ID: if it is the first session, let the next one know (rule 14)."""
        if not self.octets[_FLAGS] & (_MET | _EMPTY):
            self.put_empty()
            self.is_first_contact = True
            if saves:
                self.try_save()

    def end_contact(self):
        """The first session is over, or has shown something; True if there was one."""
        is_over = self.is_first_contact
        self.is_first_contact = False
        return is_over

    def put_top(self, digest):
        """Make this result `top`."""
        self.skipped = 0
        self.unproven = -1
        fill(self.expected, 0, res.ID_BYTES, 0xFF)  # the log may have results above it
        copy(self.octets, 0, digest, 0, FINGERPRINT_BYTES)
        if not self.is_met():
            self.octets[_FLAGS] &= ~_EMPTY & 0xFF
        self.octets[_FLAGS] |= _MET

    def correct_top(self, digest):
        """Make this result `top`, which had another ID; what may be missing up to it ends with it."""
        if self.ranges and self.ranges[-1][1] == self.top():
            self.ranges[-1][1] = unpack_id(digest, 0)
            if not length_of(self.ranges[-1][0], self.ranges[-1][1]):
                self.ranges.pop()
            self._write_ranges()
        self.put_top(digest)

    def put_empty(self):
        """Make `top` EMPTY: there was nothing."""
        self.is_first_contact = False
        self.skipped = 0
        self.unproven = -1
        fill(self.expected, 0, res.ID_BYTES, 0xFF)  # else the next push would open no range
        self.octets[_FLAGS] = self.octets[_FLAGS] & ~_MET & 0xFF | _EMPTY
        fill(self.octets, 0, FINGERPRINT_BYTES, 0)

    def put_nothing(self):
        """Forget `top`: it is another controller's."""
        self.put_empty()
        self.octets[_FLAGS] &= ~_EMPTY & 0xFF

    def put_successor(self, identity, number):
        """Another controller has named itself, and shown this ID; -1: none yet (rule 12)."""
        self.successor = identity
        self.successor_id = number
        self._write_ranges()

    def put_unanswering(self, is_unanswering):
        """Set whether this controller answers no question."""
        self.octets[_FLAGS] = self.octets[_FLAGS] & ~_UNANSWERING & 0xFF | (_UNANSWERING if is_unanswering else 0)

    def put_results_each(self, count):
        """An ID has so many results, up to UNNAMED_MOST, unless spindles are named; they never get fewer."""
        each = self.results_each()
        if each < count <= UNNAMED_MOST and (each > 1 or self.octets[SPINDLES] == 1):
            self.octets[SPINDLES] = _UNNAMED_RESULTS + count

    def put_controller(self, identity, shares, is_reset):
        """Set what tells this controller from others and whether stations share its IDs; count a restart of them."""
        if identity != self.identity():
            self.octets[_FLAGS] &= ~_OTHER_UNIT & 0xFF  # of another controller
            if self.results_each() > 1:
                self.octets[SPINDLES] = 1
        put_u32(self.octets, _IDENTITY, identity)
        self._write_ranges()
        if identity == self.successor:
            self.put_successor(0, -1)
        self.octets[_FLAGS] = self.octets[_FLAGS] & ~_SHARED & 0xFF | (_SHARED if shares else 0)
        if is_reset:
            self.octets[EPOCH] = (self.octets[EPOCH] + 1) & 0xFF

    def count_gone(self, count):
        """Count so many IDs as gone."""
        numbers = self.state.numbers
        numbers[GONE] = min(numbers[GONE] + count, COUNT_MOST)

    def doubt(self, record=1):
        """Note that from this record of the log on some of what may be missing may have been stored."""
        if not 0 < self.doubted <= record:
            self.doubted = record
        self.octets[_FLAGS] |= _DOUBTED

    def end_doubt(self):
        """Doubt nothing any more if nothing is missing."""
        if not self.ranges:
            self.doubted = 0
            self.octets[_FLAGS] &= ~_DOUBTED & 0xFF
            if not self._is_unnamed:
                self.octets[_FLAGS] &= ~_UNNAMED & 0xFF

    def close_run(self):
        """The run of pushes is what the controller has: nothing of it is in doubt."""
        if 1 < self.run == self.doubted:
            self.doubted = 0
        self.run = 0

    def forget_ranges(self):
        """Forget all ranges: nothing is missing any more."""
        self.ranges = []
        self.held = []
        self.ended_ranges = 0
        self._write_ranges()

    def add(self, first, last):
        """Add a range above all others: the IDs first..last may be missing. Where it begins with 0, that is gone."""
        if length_of(first, last) == 0:
            return
        if first == 0:
            self.count_gone(1)
            self.has_lost_zero = True
            self.add(1, last)
            return
        ranges = self.ranges
        begin, end = ranges[-1] if len(ranges) > self.ended_ranges else (0, 0)
        goes_on = begin and is_within(first, begin, end)
        if goes_on and is_ahead(last, end):
            ranges[-1][1] = last
        elif not goes_on or is_open(begin, end):  # it is not known how much of an open one is asked for
            ranges.append([first, last])
        if len(ranges) > RANGES_MOST:
            self.doubt()
        if len(ranges) > _KNOWN_MOST:
            last = ranges.pop()[1]
            ranges[-1][1] = last
            self.held = [one for one in self.held if is_ahead(ranges[-1][0], one[0])]
        self._write_ranges()

    def add_open(self, first, last):
        """Add a range with an unknown start to those of results that have begun: from these on all was made here."""
        begun = self.ranges
        self.ranges = []
        if not begun or is_open(begun[0][0], begun[0][1]):
            self.add(first, last)
            return
        low = begun[0][0]
        if is_ahead(low, last):
            self.add(first, last)
            for one in begun:
                self.add(one[0], one[1])
        else:
            self.add(first, preceding(low))
            self.add(low, last if is_ahead(last, begun[-1][1]) else begun[-1][1])

    def widen(self, number):
        """Let the oldest range of the present count reach to this ID, in front of the end of the newest and in none."""
        ranges = self.ranges
        place = self.ended_ranges
        if length_of(number, ranges[place][0]):
            ranges[place][0] = number
        elif len(ranges) > place + 1 and length_of(ranges[place][1], number):
            ranges[place][1] = number
        self.doubt()
        self._write_ranges()

    def move_first(self, number):
        """Let the oldest range begin with `number`, which may be in front of it."""
        ranges = self.ranges
        if length_of(number, ranges[0][1]):
            ranges[0][0] = number
            self._write_ranges()
        else:
            self.close_up_to(0, following(ranges[0][1]))

    def add_in_front(self, first, last):
        """Add a range in front of all others, if there is anything in it."""
        if is_ahead(last, preceding(first)):
            self.ranges.insert(0, [first, last])
            self.ended_ranges = 0  # IDs are off: which of these are of the count before is not known
            self.doubt()
            self._write_ranges()

    def place_of(self, first):
        """Return which range begins with this ID, -1: none does."""
        for place in range(len(self.ranges)):
            if self.ranges[place][0] == first:
                return place
        return -1

    def close_up_to(self, place, number):
        """Close this range up to `number`: nothing below that is missing in it any more."""
        ranges = self.ranges
        if length_of(number, ranges[place][1]):
            ranges[place][0] = number
        else:
            ranges.pop(place)
            self.ended_ranges -= place < self.ended_ranges
        self.end_doubt()
        self._write_ranges()

    def hold(self, first, last, count, why):
        """So many of these IDs, which are in no range, are gone: that counts once they leave what is written."""
        place = len(self.held)
        while place and is_ahead(self.held[place - 1][0], first):
            place -= 1
        self.held.insert(place, [first, last, count, why])

    def leaving(self):
        """Return the oldest that is held and in no written range, None if there is none."""
        is_second = len(self.ranges) > 1 and self.ended_ranges != 1  # else that is of another count
        if not self.held or (is_second and not is_ahead(self.ranges[1][0], self.held[0][0])):
            return None
        return self.held[0]

    def release(self):
        """The oldest that is held counts."""
        self.held.pop(0)
        self._write_ranges()

    def split(self, place):
        """Let the first ID of this range be one of its own."""
        first, last = self.ranges[place]
        if first != last:
            self.ranges[place] = [first, first]
            self.ranges.insert(place + 1, [following(first, last) or 1, last])
            self.ended_ranges += place < self.ended_ranges
            self.doubt()
            self._write_ranges()

    def take_written(self):
        """Let what is written be all that is known: what was held may be missing again."""
        if len(self.ranges) > RANGES_MOST or self.held:
            self.ranges = self._written()
            self.ended_ranges = min(self.ended_ranges, 1)
            self.held = []
            self.doubt()

    def _written(self):
        """Return the ranges that are written."""
        if len(self.ranges) <= RANGES_MOST and not self.held:
            return self.ranges
        parts = [[first, last] for first, last in self.ranges]
        for first, last, _, _ in self.held:
            place = len(parts) if not self.ended_ranges else 0
            while place and is_ahead(parts[place - 1][0], first):
                place -= 1
            if place == 0 and parts:  # there is no room for its event
                parts[0][0] = first
            elif place == 0 or is_ahead(first, parts[place - 1][1]):
                parts.insert(place, [first, last])
        if len(parts) > RANGES_MOST:
            place = self.ended_ranges if 0 < self.ended_ranges < len(parts) else 1
            parts = [[parts[0][0], parts[place - 1][1]], [parts[place][0], parts[-1][1]]]
        return parts

    def _write_ranges(self):
        fill(self.octets, _RANGES, RANGES_MOST * 10, 0)
        at = _RANGES
        ranges = self._written()
        for first, last in ranges:
            pack_id(self.octets, at, first)
            pack_id(self.octets, at + 5, last)
            at += 10
        octets = self.octets
        octets[_FLAGS] &= ~_SUCCESSOR & 0xFF
        if self.successor and len(ranges) < RANGES_MOST:
            octets[_FLAGS] |= _SUCCESSOR
            if self.successor_id < 0:
                fill(octets, _SUCCESSOR_ID, TIME, 0xFF)
            else:
                pack_id(octets, _SUCCESSOR_ID, self.successor_id)
            put_u32(octets, _SUCCESSOR_IDENTITY, self.successor)
        octets[_ENDED_AT] = octets[_ENDED_AT] & ~_ENDED & 0xFF | (_ENDED if self.ended_ranges else 0)


assert _WITH_LIMITS == res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES and _UNIT == res.BODY_BYTES + res.TORQUE_UNIT
