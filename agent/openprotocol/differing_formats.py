"""Is an answer a result that the log has as it was pushed, though the controller writes the two otherwise?

Some give the time of what they keep in UTC, or of its end, or without seconds; some round a torque that they cut off
elsewhere, or do not keep it.

Rules
1. An answer fits a result that was pushed under its ID if both have the same time, or the same torque and angle; one
   without a torque has its angle alone. Torque and angle of two results of one second differ by more than a last digit.
2. One that fits shows little: a count that began afresh has the same IDs. So the newest ones that were pushed under
   other IDs are asked for, too. Two that fit, both by their times or both by their values, prove it, if these are not
   the same in both; of those that have an angle alone it takes three. One that fits by neither shows that it is not so.
3. It holds for the connection. Then an answer that fits is that result. Where it is not proven, what fits and is stored
   counts as stored again, also if only the torque fits, or but for its last digit.

Imported where an answer fits but is not the same.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, get_u32
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, put_digest, same
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, TIGHTENING_ID, TIME_BYTES

PROOF_LEAST = const(3)  # a pair is two, one by its angle alone is one
_PAIRS_MOST = const(6)
COMPARED_MOST = const(200)  # the newest records of the log, read in one turn

_TIME = const(5)  # of a digest
_VALUES = const(12)
_ANGLE = const(15)


def fits_by_time(one, other):
    """True if both digests have a time, and the same, and their values are not those of two results."""
    if not 0 < one[_TIME + 2] <= 0x12 or compare(one, _TIME, other, _TIME, TIME_BYTES) != 0:
        return False
    return _may_be_same(one, other, _VALUES, _ANGLE) or _may_be_same(one, other, _ANGLE, FINGERPRINT_BYTES)


def _may_be_same(one, other, at, end):
    """True if both digests have this value, but for its last digit, or either has none."""
    for digest in (one, other):
        if digest[at] == 0xFF or _number(digest, at, end) == 0:
            return True
    return _is_near(one, other, at, end)


def _is_near(one, other, at, end):
    """True if this value of both is the same, but for its last digit; a digest has two digits of an angle."""
    apart = abs(_number(one, at, end) - _number(other, at, end))
    return apart <= 1 or (at == _ANGLE and apart % 100 in (0, 1, 99))


def fits_by_values(answer, pushed):
    """True if both digests have the same torque and angle; or where the answer has no torque, the same angle."""
    if answer[_VALUES] == 0xFF or pushed[_VALUES] == 0xFF:
        return False
    if _torque(answer) == 0:
        return answer[_ANGLE] == pushed[_ANGLE] != 0xFF
    is_angle_open = answer[_ANGLE] == 0xFF or pushed[_ANGLE] == 0xFF
    return compare(answer, _VALUES, pushed, _VALUES, 3 if is_angle_open else 4) == 0


def fits(answer, pushed):
    """Rule 1, of two digests under one ID."""
    return fits_by_time(answer, pushed) or fits_by_values(answer, pushed)


def _may_fit(answer, pushed):
    """The same, if a last digit may differ."""
    is_near = _is_near(answer, pushed, _VALUES, _ANGLE) or (
        _torque(answer) == 0 and _is_near(answer, pushed, _ANGLE, FINGERPRINT_BYTES)
    )
    return fits(answer, pushed) or is_near


def _torque(digest):
    return _number(digest, _VALUES, _ANGLE)


def _number(digest, at, end):
    value = 0
    for index in range(at, end):
        value = value * 100 + (digest[index] >> 4) * 10 + (digest[index] & 0x0F)
    return value


def is_stored(duplicates, body, start, answer, flags, record, is_proven):
    """True if the log has what fits `answer`, of the body at body[start:], as this record or later.

    A fetched one is looked for among what was pushed, and the other way round; `flags` are its own.
    """
    ident = bytes(body[start + TIGHTENING_ID : start + TIGHTENING_ID + ID_BYTES])
    if not all_digits(ident, 0, ID_BYTES):
        return False
    is_fit = fits if is_proven else _may_fit
    stored = bytearray(FINGERPRINT_BYTES)
    for page, at, other in duplicates.results_of(ident, record):
        put_digest(stored, 0, page, at, other)
        if (flags ^ other) & FLAG_RECOVERED:
            if is_fit(answer, stored) if flags & FLAG_RECOVERED else is_fit(stored, answer):
                return True
    return False


class OtherFormat:
    """What one connection's answers have shown."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Nothing was shown."""
        self.is_proven = False
        self.is_over = False  # it is proven, or will not be
        self._pushed = []  # what is to be asked for yet
        self._proof = 0
        self._by_time = self._by_values = True
        self._first = bytes(FINGERPRINT_BYTES)  # of the pairs
        self._times_differ = self._values_differ = False

    def begin(self, duplicates, answer, pushed):
        """The answer fits what was `pushed`: find what to ask for besides; False if there is nothing."""
        self.forget()
        self._note_pair(answer, pushed)
        self._pushed = _newest_pushed(duplicates, unpack_id(pushed, 0))
        self.is_over = not self._pushed
        return not self.is_over

    def asked(self):
        """Return the ID to ask for."""
        return unpack_id(self._pushed[-1], 0)

    def take(self, answer):
        """Take the answer to that, None if there is none; False if nothing more is to be asked for."""
        pushed = self._pushed.pop()
        if answer is not None and not self._note_pair(answer, pushed):
            self._pushed = []
        is_by_time = self._by_time and self._times_differ
        is_by_values = self._by_values and self._values_differ
        self.is_proven = self._proof >= PROOF_LEAST and (is_by_time or is_by_values)
        self.is_over = self.is_proven or not self._pushed
        return not self.is_over

    def _note_pair(self, answer, pushed):
        """Take a pair; False if it does not fit."""
        self._by_time = self._by_time and fits_by_time(answer, pushed)
        self._by_values = self._by_values and fits_by_values(answer, pushed)
        first = self._first
        if self._proof:
            self._times_differ = self._times_differ or compare(first, _TIME, pushed, _TIME, TIME_BYTES) != 0
            self._values_differ = self._values_differ or compare(first, _VALUES, pushed, _VALUES, 4) != 0
        else:
            self._first = bytes(pushed)
        self._proof += 2 if fits_by_time(answer, pushed) or _torque(answer) else 1
        return self._by_time or self._by_values


def _newest_pushed(duplicates, besides):
    """Return the digests of the newest results that were pushed, the newest last; none under ID `besides`."""
    results = duplicates.results(max(duplicates.next_record() - COMPARED_MOST, 1))
    pushed = (one for one in digests(results) if not one[3] & FLAG_RECOVERED and one[1] != besides)
    return [digest for _, _, digest, _ in newest_of(pushed, _PAIRS_MOST - 1)]


def digests(results):
    """Yield record, ID, digest and flags of each of these results of the log that has an ID."""
    for page, at, flags in results:
        if all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            digest = bytearray(FINGERPRINT_BYTES)
            put_digest(digest, 0, page, at, flags)
            if unpack_id(digest, 0):
                yield get_u32(page, at - HEAD_BYTES), unpack_id(digest, 0), digest, flags


def newest_record(duplicates, number, known=None):
    """Return the newest record of the log with this ID, or of the result `known` that has it; 0: there is none."""
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, number)
    digest = bytearray(FINGERPRINT_BYTES)
    newest = 0
    for page, at, flags in duplicates.results_of(bytes(ident), 1):
        put_digest(digest, 0, page, at, flags)
        if known is None or same(digest, known):
            newest = max(newest, get_u32(page, at - HEAD_BYTES))
    return newest


def newest_of(found, most):
    """Return the newest of what `digests` yields, one of each ID, the newest last."""
    newest = []
    for result in found:
        record, number = result[:2]
        if not [one for one in newest if one[1] == number and one[0] > record]:
            newest = [one for one in newest if one[1] != number] + [result]
            newest.sort(key=_record_of)
            newest = newest[-most:]
    return newest


def _record_of(found):
    return found[0]


def turns_to_compare(recovery, answer, pushed):
    """True if this answer may be what was pushed under its ID, in another writing: then that is to be found out."""
    if not recovery.is_id_unique() or (recovery.other_format is not None and recovery.other_format.is_over):
        return False
    if not fits(answer, pushed):
        return False
    recovery.other_format = OtherFormat()
    if recovery.other_format.begin(recovery.duplicates, answer, pushed):
        recovery.turn_to(phases.PHASE_COMPARE, recovery.other_format.asked())
    return not recovery.other_format.is_over


def take_answer(recovery, answer):
    """Turn to the next one that was pushed, or begin anew with what that has shown; return OUTCOME_NONE."""
    if recovery.other_format.take(answer):
        return recovery.turn_to(phases.PHASE_COMPARE, recovery.other_format.asked())
    recovery.start_over()
    return phases.OUTCOME_NONE
