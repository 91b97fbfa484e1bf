"""Is a memory that keeps two counts of IDs searched from its oldest result on? Then it hides what the present one made.

Rules
1. It is searched so where an ID is answered with what was pushed under it, though a later result is known to have it.
2. A missing ID of the present count that is answered with a result of a count before may be that of a copy to which the
   controller was set back: then that is all there is, and nothing is missing. Where the memory is searched from its
   oldest result on, what the present count has made under the ID is never shown: it is gone.
3. One question tells, and holds for what is to be fetched now: for the push that was stored last of those under whose
   ID there is another one; if there is none, for the highest result known. Where a small memory has dropped all under
   which it shows the count before, nothing tells.
4. Where the highest result known is hidden, and the newest is above it, the count goes on.
5. What it shows in place of the present count's result may have been made before the first meeting, so that the log
   does not have it: its time tells. It is stored as what it is, and what it hides is gone all the same.

Imported where something was fetched, or the highest result known is not under its ID, and a count has begun anew.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, get_u32
from toolcart.agent.openprotocol import id_walk, range_fetch, stored_contents
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.differing_formats import digests, newest_record
from toolcart.agent.openprotocol.gap_fill import WHY_SILENT
from toolcart.agent.openprotocol.ids import after, id_of, is_ahead
from toolcart.agent.openprotocol.result_digest import TIME
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, TIGHTENING_ID

_VALUES = const(12)  # of a digest
_RECENT_MOST = const(48)  # pushes that are looked at for rule 3


def takes_kept(recovery):
    """True if the missing ID, whose answer the log has, is closed here, or when the question is answered (rule 2)."""
    if not recovery.is_id_unique() or recovery.may_push_ids_differ() or recovery.offset.is_known():
        return False
    ledger = recovery.ledger
    top = ledger.top()
    if 0 < newest_record(recovery.duplicates, top, ledger.octets) < recovery.first_of_count():
        return False  # nothing is known of the present count
    number = recovery.gap_fill.at
    is_older = stored_contents.is_id_stored(recovery)  # it was fetched just now, or the present count has one
    if is_older and (
        newest_record(recovery.duplicates, number, recovery.answer) < newest_record(recovery.duplicates, number)
        or not _is_of_count_before(recovery)
    ):
        return False
    contents = stored_contents.begun(recovery)
    if contents.is_oldest_first is None:
        asked = _stored_twice(recovery.duplicates, number)
        asked = top if asked < 0 else asked
        if asked != number:
            recovery.check = OldestFirstCheck(asked, is_older)
            recovery.turn_to(phases.PHASE_COMPARE, asked)
            return True
        contents.is_oldest_first = hides_known(recovery, number)
    if contents.is_oldest_first:
        _close(recovery, True, is_older)
    return contents.is_oldest_first


def hides_known(recovery, number):
    """True if what came last, under this ID, is of a count before, or not the result known to have it (rules 1, 5)."""
    if not recovery.is_id_unique():
        return False
    if not recovery.is_pushed(recovery.answer, since=1):  # what was fetched may have come under an ID that is off
        return _is_of_count_before(recovery) and not recovery.is_top(recovery.answer)
    its = newest_record(recovery.duplicates, number, recovery.answer)
    is_before = its < recovery.first_of_count() and not recovery.is_top(recovery.answer)
    return 0 < its and (its < newest_record(recovery.duplicates, number) or is_before)


def _is_of_count_before(recovery):
    """True if what came last was made, by its time, before the last result of the count before (rule 5)."""
    walk = id_walk.begun(recovery)
    since = recovery.first_of_count()
    if walk.before is None:
        last = 0
        walk.before = b""
        for record, _, digest, _ in digests(recovery.duplicates.results(1)):
            if last < record < since:
                last = record
                walk.before = bytes(digest[TIME:_VALUES])
    return recovery.answer[TIME + 2] > 0 and recovery.answer[TIME:_VALUES] < walk.before


class OldestFirstCheck:
    """The question for `asked` (rule 3); what is missing came from a memory that may keep one that `is_older`."""

    def __init__(self, asked, is_older):
        self.asked = asked
        self._is_older = is_older

    def take_answer(self, recovery, is_there, now):
        """Take the answer, if it `is_there`, and close the missing ID; return an OUTCOME_."""
        is_oldest_first = is_there and hides_known(recovery, self.asked)
        stored_contents.begun(recovery).is_oldest_first = is_oldest_first
        recovery.check = None
        return _close(recovery, is_oldest_first, self._is_older)


def _stored_twice(duplicates, above):
    """Return the ID of the push that was stored last of those whose IDs the log has twice; -1: none of the last has.

    One `above` this ID comes first: a small memory has dropped the oldest of those below it.
    """
    recent = []  # record and ID of the pushes stored last, so many: what the log holds is more than a chip can
    for pushed in _numbers(duplicates):
        recent.append(pushed)
        if len(recent) > _RECENT_MOST:
            recent.remove(min(recent))
    times = {number: 0 for _, number in recent}
    for _, number in _numbers(duplicates):
        if number in times:
            times[number] += 1
    last = False, 0, -1
    for record, number in recent:
        if times[number] > 1:
            last = max(last, (is_ahead(number, above), record, number))
    return last[2]


def _numbers(duplicates):
    """Yield record and ID of each push that has one."""
    for page, at, flags in duplicates.results(1):
        if not flags & FLAG_RECOVERED and all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            yield get_u32(page, at - HEAD_BYTES), id_of(page, at + TIGHTENING_ID)


def _close(recovery, is_gone, is_older):
    """Close the missing ID, for which there was an answer, one that `is_older` is stored; return an OUTCOME_."""
    gap_fill = recovery.gap_fill
    if is_gone:
        recovery.why = WHY_SILENT
    ledger = recovery.ledger
    if is_gone and is_older and ledger.place_of(gap_fill.begin) >= ledger.ended_ranges:
        gap_fill.jump(after(gap_fill.at), 1, WHY_SILENT)
        return recovery.turn_to(phases.PHASE_FILL, gap_fill.at)
    gap_fill.gone_run = 0
    return range_fetch.close_asked(recovery, is_gone)
