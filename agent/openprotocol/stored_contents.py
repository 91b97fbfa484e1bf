"""What the log has, whatever IDs it has it under: what comes again is known by its time and values.

    entry  0        2.4      4        6      6.1     7         8
           |torque  |minute, |ID      |pushed|angle  |day,     |    an entry for each of the contents_most
           |20 bits |second  |16 bits |      |7 bits |quarter  |    newest results

    Of the minute its place in a quarter of an hour; of ID, and of day, hour and quarter together, a remainder.

Rules
1. Of what is stored though the log has its time and values, under any ID and of any spindle, each is counted as stored
   again (toolcart.agent.station.store), whatever the cause. No theory about a controller decides that.
2. It is read at READ_MOST records a turn, in front of the first question that may bring something to be stored; what
   came since is added. The newest `contents_most` are compared, at 8 bytes each. Where there are more, what is not
   found counts too, once one was found. On Linux that is all of a small spool: there two that look the same by chance
   are two, not hundreds.
3. PROOF_LEAST results that are not alike, pushed under IDs far from those that the memory has them under, prove that
   pushed IDs are others than the memory's (`push_ids_differ` of toolcart.agent.openprotocol.id_ledger). From then on
   jumps of pushed IDs show nothing, and what was pushed so is that, and not stored. An ID that is off by OFFSET_MOST or
   less shows nothing here: see toolcart.agent.openprotocol.id_offset.
4. What differs by whole quarters of an hour and by no more than a torque and angle that were rounded or cut off may be
   the same result, and so may one whose second is 0, of the same minute and values, since some keep no seconds: it is
   stored, and counts as stored again. A torque that is no round number was not rounded: then results that share a
   second are different ones, however near they are.
   Where the count has begun anew, for what has come, the time of one that was pushed, which no other has, or its torque
   and angle, is enough: the IDs may be off, and what is kept written otherwise.
   One that has no time may be any with its torque and angle, or any pushed one with whatever it has of these.
5. A pushed result is one fetched result, not two: another that is like it is stored.

Imported where something may have to be fetched.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, copy, fill, get_u32, put_u32
from toolcart.agent.openprotocol.duplicate_search import HELD, HELD_UNKNOWN, NOT_HELD, RESULTS_MOST
from toolcart.agent.openprotocol.id_offset import apart
from toolcart.agent.openprotocol.ids import id_of, is_ahead, is_some, length_of, put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, put_digest, same, two_digits
from toolcart.agent.record.equality import are_same_bodies
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_UNPROVEN, HEAD_BYTES, ID_BYTES, ID_EPOCH, TIGHTENING_ID

PROOF_LEAST = const(2)

_ENTRY = const(8)
_VALUES = const(12)  # of a digest
_PUSHED = const(1 << 16)
_UNNAMED = const((1 << 16) - 1)  # in place of an ID
_ANGLE_AT = const(17)
_ANGLE_BITS = const(127)
_WHEN_AT = const(24)
_MINUTE_AT = const(20)
_TORQUE_BITS = const((1 << 20) - 1)
_NO_TIME = const(1023 << 20)  # in place of minute and second
_ROUND = const(10)  # a torque that was rounded, or cut off, is a multiple of this
_UNKNOWN = const(127)  # in place of an angle


class StoredContents:
    """The newest results of one log."""

    def __init__(self, duplicates, epoch=0):
        self.since = 1  # as far as they show, results from this record on are of this epoch of the IDs
        self._epoch = epoch
        self.is_partial = False  # the log has more than these
        self.is_oldest_first = None  # what toolcart.agent.openprotocol.oldest_first has found, None: nothing yet
        self._duplicates = duplicates
        self._upto = duplicates.next_record() - 1  # what comes behind this record is not read yet
        self._most = duplicates.contents_most
        self._reads = duplicates.results(1, self._most + 1)
        self._entries = bytearray()
        self._entry = bytearray(_ENTRY)
        self._key = bytearray(4)
        self._angle = _UNKNOWN
        self._when = 0
        self._digest = bytearray(FINGERPRINT_BYTES)
        self._oldest = 0  # where the entries end that were read first, the newest in front
        self._turn = 0  # of the next one that takes an older one's place
        self._found = {}  # by the ID of the memory: what was found under another one
        self._ahead = set()  # by how much these were pushed above that, as remainders

    def read(self, most):
        """Read so many records; True once all are."""
        reads = self._reads
        while reads is not None and most:
            most -= 1
            one = next(reads, None)
            if one is None or self._is_full():
                self._reads = reads = None
                self._oldest = len(self._entries) // _ENTRY
                self.is_partial = self._is_full()
            else:
                self._add(one[0], one[1], one[2])
                self._note_epoch(one[0], one[1] - HEAD_BYTES, one[2])
        if reads is None:
            self._read_since()
        return reads is None

    def _note_epoch(self, page, at, flags):
        """Take note of whose epoch a record is; what is not proven may be of the next one."""
        if page[at + ID_EPOCH] != self._epoch and not flags & FLAG_UNPROVEN:
            self.since = max(self.since, get_u32(page, at) + 1)

    def _read_since(self):
        last = self._duplicates.next_record() - 1
        if last != self._upto:
            for page, at, flags in self._duplicates.results(self._upto + 1):
                self._add(page, at, flags)
            self._upto = last

    def _is_full(self):
        return len(self._entries) >= self._most * _ENTRY

    def _add(self, page, at, flags):
        """Add an entry, in place of the oldest one where there are enough."""
        number = _id_of(page, at)
        number = _UNNAMED if number < 0 else number % _UNNAMED
        self._take(page, at, flags)
        copy(self._entry, 0, self._key, 0, 4)
        pushed = 0 if flags & FLAG_RECOVERED else _PUSHED
        put_u32(self._entry, 4, number | pushed | self._angle << _ANGLE_AT | self._when << _WHEN_AT)
        if self._is_full():
            turn = self._turn
            place = self._oldest - 1 - turn if turn < self._oldest else turn
            copy(self._entries, place * _ENTRY, self._entry, 0, _ENTRY)
            self._turn = (turn + 1) % self._most
            self.is_partial = True
        else:
            self._entries.extend(self._entry)

    def added(self, record, body, start, flags):
        """The log has got what is at body[start:] as this record."""
        if self._reads is None and record == self._upto + 1:
            self._add(body, start, flags)
            self._upto = record

    # -- what is compared ----------------------------------------------------------------------------------------

    def holds(self, body, start, flags):
        """True if the log has the time and the values of the result at body[start:], or may have."""
        if not self._take(body, start, flags):
            return len(self._found) > 0
        return self._next(0) >= 0 or (self.is_partial and len(self._found) > 0)

    def may_hold(self, body, start, flags, epoch):
        """True if the log has what may be the result at body[start:], of this epoch of the IDs (rule 4)."""
        key = self._take(body, start, flags)
        if not key:
            return self._may_hold_timeless()
        is_new_count = self.since > 1 or epoch != self._epoch
        entries = self._entries
        of_second = 0  # pushed results that have its time
        torque = key & _TORQUE_BITS
        most = 0 if torque % _ROUND else _ROUND - 1
        minute = (key >> _MINUTE_AT) // 60 if (key >> _MINUTE_AT) % 60 == 0 else -1
        for at in range(0, len(entries), _ENTRY):
            other = get_u32(entries, at)
            word = get_u32(entries, at + 4)
            angle = word >> _ANGLE_AT & _ANGLE_BITS
            is_open = _UNKNOWN in (angle, self._angle)
            is_angle = is_open or angle == self._angle
            is_second = other >> _MINUTE_AT == key >> _MINUTE_AT
            is_quarter = word >> _WHEN_AT == self._when
            is_near = abs((other & _TORQUE_BITS) - torque) <= most
            if is_second and is_near and (is_open or (angle - self._angle) % 100 in (0, 1, 99)):
                return True
            is_minute = is_quarter and (other >> _MINUTE_AT) // 60 == minute
            may_be_off = is_new_count and word & _PUSHED
            if other & _TORQUE_BITS == torque and is_angle and (may_be_off or is_minute):
                return True
            of_second += bool(may_be_off and is_second and (is_quarter or is_angle))
        return of_second == 1

    def _may_hold_timeless(self):
        """True if the log may have what was taken, which has no time, by its values; where it has none, from a push."""
        digest = self._digest
        torque = -1 if digest[_VALUES] == 0xFF else _torque(digest)
        entries = self._entries
        for at in range(0, len(entries), _ENTRY):
            word = get_u32(entries, at + 4)
            angle = word >> _ANGLE_AT & _ANGLE_BITS
            is_angle = angle == self._angle or _UNKNOWN in (angle, self._angle)
            is_torque = torque == get_u32(entries, at) & _TORQUE_BITS or (torque < 0 and word & _PUSHED)
            if is_torque and is_angle:
                return True
        return False

    def holds_unnamed(self, body, start, flags):
        """True if the log has it from a push that named no ID."""
        at = self._first(body, start, flags)
        while at >= 0 and self._word(at) != _PUSHED | _UNNAMED:
            at = self._next(at + _ENTRY)
        return at >= 0

    def is_found(self, body, start, flags, is_known):
        """True if the fetched result at body[start:] was pushed under another ID, and is no other one's (rule 5).

        Unless it `is_known` that pushed IDs are others, what was pushed alike under several IDs is not the first one.
        """
        number = _id_of(body, start)
        at = self._first(body, start, flags)
        count = other = 0
        is_known = is_known or len(self._found) > 0
        while at >= 0:
            word = self._word(at)
            if word & _PUSHED:
                if count and other != word & _UNNAMED and not is_known:
                    return False
                other = word & _UNNAMED
                if number % _UNNAMED == other or apart(number % _UNNAMED, other):
                    return False
                count += 1
            at = self._next(at + _ENTRY)
        key = bytes(self._key)
        if count <= len([one for one in self._found if self._found[one] == key and one != number]):
            return False
        self._found[number] = key
        self._ahead.add((other - number) % _UNNAMED)
        return True

    def count_below(self, number, first, last):
        """Return how many of the pushed IDs first..last are below this ID of the memory; 0 where that is not known.

        It is where all that was found was pushed under an ID that is as far from the memory's.
        """
        below = (number + min(self._ahead) - first) % _UNNAMED if len(self._ahead) == 1 else 0
        return 0 if below > _UNNAMED // 2 else min(below, length_of(first, last))

    def is_near(self, body, start, flags):
        """True if it was pushed under an ID near its own, or its own, though the log has it not under that."""
        at = self._first(body, start, flags)
        if bytes(self._key) in self._found.values():
            return False
        while at >= 0 and not self._word(at) & _PUSHED:
            at = self._next(at + _ENTRY)
        return at >= 0

    def is_suspected(self):
        """True if one was found under another ID."""
        return len(self._found) > 0

    def is_proven(self):
        """Rule 3."""
        return len(set(self._found.values())) >= PROOF_LEAST

    def _first(self, body, start, flags):
        return self._next(0) if self._take(body, start, flags) else -1

    def _next(self, at):
        """Return where from `at` on there is an entry of what was taken, -1: nowhere."""
        entries = self._entries
        angle = self._angle
        at = entries.find(self._key, at)
        while at >= 0:
            word = get_u32(entries, at + 4) if at % _ENTRY == 0 else -1
            other = word >> _ANGLE_AT & _ANGLE_BITS
            if word >= 0 and word >> _WHEN_AT == self._when and (angle == other or _UNKNOWN in (angle, other)):
                return at
            at = entries.find(self._key, at + 1)
        return -1

    def _word(self, at):
        """Return the ID of the entry there, and whether it was pushed."""
        return get_u32(self._entries, at + 4) & (_PUSHED | _UNNAMED)

    def _take(self, page, at, flags):
        """Take what the result has besides its ID into `_key` and `_angle`; return the key, 0 without a time."""
        digest = self._digest
        put_digest(digest, 0, page, at, flags)
        angle = digest[-1]
        self._angle = _UNKNOWN if angle == 0xFF else two_digits(digest, -1)
        if not digest[TIME + 2] or digest[_VALUES] == 0xFF:
            put_u32(self._key, 0, 0 if digest[_VALUES] == 0xFF else _NO_TIME | _torque(digest))
            return 0
        minute = two_digits(digest, TIME + 5)
        key = (minute % 15 * 60 + two_digits(digest, TIME + 6)) << _MINUTE_AT | _torque(digest) or 1
        # It falls together after 16 hours, and never at the same time of another day of the month.
        self._when = (two_digits(digest, TIME + 3) * 33 + two_digits(digest, TIME + 4) * 4 + minute // 15) & 0x3F
        put_u32(self._key, 0, key)
        return key


def _torque(digest):
    return (two_digits(digest, _VALUES) * 100 + two_digits(digest, _VALUES + 1)) * 100 + two_digits(digest, _VALUES + 2)


def _id_of(page, at):
    at += TIGHTENING_ID
    return id_of(page, at) if all_digits(page, at, ID_BYTES) and is_some(page, at) else -1


def begun(recovery):
    """Return what the log has, as far as it was read."""
    contents = recovery.contents
    if contents is None:
        recovery.contents = contents = StoredContents(recovery.duplicates, recovery.ledger.epoch())
    return contents


def whole(recovery):
    """Return what the log has, which is read now as far as it was not."""
    contents = begun(recovery)
    while not contents.read(RESULTS_MOST):
        pass
    return contents


def is_pushed_as_another(recovery, body, start, flags):
    """True if the fetched result at body[start:] was pushed under another ID.

    What answers have brought under two IDs says nothing about that of its push.
    """
    number = _id_of(body, start)
    if recovery.came_first_as(number) != number:
        return False
    contents = whole(recovery)
    is_found = contents.is_found(body, start, flags, recovery.ledger.push_ids_differ())
    if is_found and contents.is_proven() and not recovery.offset.is_ruled_out:
        recovery.ledger.put_push_ids_differ()
        fill(recovery.ledger.expected, 0, ID_BYTES, 0xFF)  # no push moves `top` from now on
    return is_found


def holds_fetched(recovery, body, start, flags):
    """Return HELD if the log has the result at body[start:] otherwise, HELD_UNKNOWN if it may, else NOT_HELD."""
    ledger = recovery.ledger
    is_found = recovery.asks_own_station() and is_pushed_as_another(recovery, body, start, flags)
    contents = whole(recovery)
    if ledger.has_unnamed() and contents.holds_unnamed(body, start, flags):
        return HELD
    if ledger.push_ids_differ() and (is_found or contents.is_near(body, start, flags)):
        return HELD
    if contents.holds(body, start, flags):
        recovery.is_elsewhere = recovery.asks_own_station() and _holds_otherwise(
            recovery.duplicates, body, start, flags
        )
        return HELD if recovery.is_elsewhere else HELD_UNKNOWN
    return HELD_UNKNOWN if contents.may_hold(body, start, flags, ledger.epoch()) else NOT_HELD


def _holds_otherwise(duplicates, body, start, flags):
    """True if the log has all that the result at body[start:] says under another ID. Its own stays as it is."""
    at = start + TIGHTENING_ID
    ident = bytes(body[at : at + ID_BYTES])
    is_there = False
    for page, place, other in duplicates.results(1):
        if page[place + TIGHTENING_ID : place + TIGHTENING_ID + ID_BYTES] != ident and not is_there:
            copy(body, at, page, place + TIGHTENING_ID, ID_BYTES)
            is_there = are_same_bodies(page, place, other, body, start, flags)
    copy(body, at, ident, 0, ID_BYTES)
    return is_there


def first_of_count_at(recovery, number):
    """Return from which record of the log on this ID is of its count: what is above `top` is of the one before."""
    return 1 if is_ahead(number, recovery.ledger.top()) else recovery.first_of_count()


def is_id_stored(recovery):
    """True if the log has a result under the ID that is asked for: then that is not gone."""
    ledger = recovery.ledger
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, recovery.gap_fill.at)
    since = first_of_count_at(recovery, recovery.gap_fill.at)
    if ledger.push_ids_differ() or not recovery.duplicates.has_id(ident, since):
        return False
    if not recovery.offset.is_known():
        return True
    from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

    return other_ids.is_pushed_as(recovery, ident, since)


def turns_to_compare_pushed(recovery, number):
    """True if the answer to what may be missing may be what was pushed so before the proof, in another writing."""
    if (recovery.other_format is not None and recovery.other_format.is_over) or not recovery.is_id_unique():
        return False
    pushed = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in recovery.duplicates.results_of(bytes(recovery.ask_id), recovery.ledger.since):
        if not flags & FLAG_RECOVERED:
            put_digest(pushed, 0, page, at, flags)
            if same(recovery.answer, pushed):
                return False
    if unpack_id(pushed, 0) != number:
        return False
    from toolcart.agent.openprotocol.differing_formats import turns_to_compare  # hardly any controller does that

    if not turns_to_compare(recovery, recovery.answer, pushed):
        return False
    recovery.gap_fill.drop()
    return True


def count_lacking(recovery, first, last, end=0):
    """Return how many results of these IDs, which may be missing, the log lacks, before record `end` if not 0."""
    if not length_of(first, last):
        return 0
    lacking = max(0, length_of(first, last) - _count_here(recovery, first, last, end)) * recovery.results_each()
    if not recovery.has_several() or recovery.ownership.is_other:
        return lacking
    return lacking + recovery.results_of_spindles().lacking(first, last, recovery.first_of_count(), end)


def _count_here(recovery, first, last, end):
    """Return how many of these IDs are in the log."""
    ledger = recovery.ledger
    if recovery.ownership.is_other:  # these IDs are of the one before
        from toolcart.agent.openprotocol.successor import count_before  # hardly any cart needs it

        return count_before(recovery.duplicates, first, last, ledger.since)
    return recovery.duplicates.count_ids(first, last, recovery.first_of_count(), end)
