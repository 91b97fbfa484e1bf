"""Nothing proves what the IDs mean: a walk finds what the controller has, all of which may be missing.

Rules
1. It goes down from the newest (toolcart.agent.openprotocol.lowest_id_search). Where the count has begun anew it first
   goes up from `top`, the highest result known, or from the newest where that is above it, for what other counts may
   have left (toolcart.agent.openprotocol.ended_count).
2. Another controller is believed first; what it has made since it was first seen may be missing
   (toolcart.agent.openprotocol.successor).
3. Where many missing IDs in a row are gone, a walk down from the end of the range finds where the rest begins. Each
   begins with less left than the one of the same look before it in the same range: else nothing follows from the
   answers, whatever they are. Of a count that has ended it goes down to `top` at most: below is the new one. What lies
   between is gone without a question: its reason says so (WHY_SKIPPED), since IDs may have gaps wider than K.
4. Where nothing says whether stations share the IDs, the log does: if what was pushed skips hardly any ID that is not
   fetched, or they fall twice, few in a row that are gone end a way (K): else IDs in no order would take hundreds of
   questions for each push.
5. Where the newest is above `top`, which was pushed and is not there, the memory has dropped `top`, or never kept it,
   or the count has begun anew and passed `top`. The walk ends a few IDs below `top`, and below what was missing before,
   unless it meets one there that the log lacks and that is later than `top`: then it goes on, until it meets another
   one. What is from there down was made before the first meeting, or is stored.

Imported where a walk is needed: most connections prove their IDs without one.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import all_digits, copy, get_u32
from toolcart.agent.openprotocol import id_ownership, look_conclusion
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_NONE, WHY_SKIPPED
from toolcart.agent.openprotocol.ids import (
    ID_PERIOD,
    after,
    ahead_by,
    first_below,
    following,
    id_of,
    is_ahead,
    is_open,
    preceding,
    unpack_id,
)
from toolcart.agent.openprotocol.lowest_id_search import LowestIdSearch
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, TIGHTENING_ID

THERE_MOST = const(16)

_RESULTS_READ = const(64)
_RESULTS_LEAST = const(6)
_BELOW_KNOWN = const(4)  # IDs that are asked for below the highest known: a new count has gone through them all


class Walk:
    """What the walks of one connection have found."""

    def __init__(self):
        self.search = LowestIdSearch()
        self.lowest = bytearray(FINGERPRINT_BYTES)  # the lowest that is there
        self.there = []  # the checks of the last THERE_MOST that are, 30 bits each
        self.is_over = False  # what is missing begins with the lowest that was found
        self.known = -1  # what is not above this ends the walk (rule 5)
        self.last = self.left = -1  # of the range it is in: its end, and how many IDs it began with
        self.begins = ()  # where what is missing began then, of the count before and of the new one, if there are two
        self.before = None  # the time of the last result of the count before, as a digest has it, None: not read yet
        self.since_before = 1  # `since` of the ledger, of the count before
        self.ended = None  # toolcart.agent.openprotocol.ended_count's, where the count does not go on

    def takes(self, recovery, number):
        """Take an answer under the ID that was asked for; False if nothing from there down is missing (rule 5)."""
        digest = recovery.answer
        if self.known >= 0 and not is_ahead(number, self.known):
            from toolcart.agent.openprotocol.ended_count import EndedCountSearch  # hardly any walk goes so far

            if recovery.is_pushed(digest, True) or EndedCountSearch(self.known, 0).age(recovery, number) < 1:
                self.search.skip(recovery.ownership.gone_most)
                return False
            if is_ahead(unpack_id(self.lowest, 0), self.known):
                self.search.extend(ID_PERIOD // 2)
        copy(self.lowest, 0, digest, 0, FINGERPRINT_BYTES)
        self.there.append(crc30(digest, 0, FINGERPRINT_BYTES))
        del self.there[:-THERE_MOST]
        return True

    def forget_look(self):
        """The recovery starts over: it may walk in the same range once more."""
        self.ended = self.before = None
        self.last = self.known = -1

    def rises(self):
        """True if what the count before may have left is asked for."""
        return self.ended is not None and self.ended.is_rising


def begun(recovery):
    """Return the walk, which is made with the first use."""
    if recovery.walk is None:
        recovery.walk = Walk()
    return recovery.walk


def _learn_gone_most(recovery):
    """Set K to less where the log shows that the stations do not share the IDs."""
    ownership = recovery.ownership
    if ownership.gone_most > id_ownership.GONE_OWN and not (ownership.shares or _may_be_shared(recovery.duplicates)):
        ownership.gone_most = id_ownership.GONE_OWN


def _may_be_shared(duplicates):
    """True unless the IDs in the log are not like those of a count that other stations share (rule 4)."""
    ids = set()
    pushes = []
    for page, at, flags in duplicates.results(1, _RESULTS_READ):
        if all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            number = id_of(page, at + TIGHTENING_ID)
            ids.add(number)
            if not flags & FLAG_RECOVERED:
                pushes.append((get_u32(page, at - HEAD_BYTES), number))
    pushes.sort()
    skipped = falls = 0
    for place in range(1, len(pushes)):
        number, end = pushes[place - 1][1], pushes[place][1]
        falls += end < number
        if number < end <= number + id_ownership.GONE_SHARED:
            skipped += len([one for one in range(number + 1, end) if one not in ids])
    return falls < 2 and (len(ids) < _RESULTS_LEAST or skipped * 4 > len(ids))


def begin(recovery, is_reset, now):
    """Nothing proves what the IDs mean: find what the controller has, all of which may be missing."""
    observed = recovery.observed
    ownership = recovery.ownership
    observed.starts_over = True
    observed.is_reset = is_reset
    observed.first = first_below(observed.newest)
    if ownership.is_other:
        if not ownership.is_believed:
            recovery.switch_off(phases.PHASE_OFF)
            return phases.OUTCOME_ASK_AGAIN
        from toolcart.agent.openprotocol.successor import first_missing  # hardly any cart needs it

        observed.is_reset = True
        first = first_missing(recovery.ledger, observed)
        if first < 0 and not ownership.shares:
            return go_down(recovery, observed.newest, ID_PERIOD // 2, now)
        observed.first = first_below(observed.newest) if first < 0 else first
    elif not ownership.shares:  # else ours are found in stretches
        top = recovery.ledger.top()
        if top <= 0 or observed.is_inconclusive or is_ahead(observed.newest, top):
            if top > 0 and observed.is_reset and not observed.is_inconclusive and recovery.is_id_unique():
                return _rise_from(recovery, observed.newest, True)
            left = ID_PERIOD // 2
            if top > 0 and not (observed.is_reset or observed.is_inconclusive or recovery.ownership.is_other):
                if recovery.is_id_unique() and recovery.is_pushed(recovery.ledger.octets):  # rule 5
                    ranges = recovery.ledger.ranges
                    walk = begun(recovery)
                    walk.known = preceding(ranges[0][0]) if ranges else top
                    left = ahead_by(observed.newest, walk.known) + _BELOW_KNOWN
            return go_down(recovery, observed.newest, left, now)
        return _rise_from(recovery, top, False)
    return look_conclusion.conclude_look(recovery, now)


def _rise_from(recovery, number, is_between):
    """Ask upward for what other counts have left: from `top` on, or above the newest, if that is beyond it."""
    _learn_gone_most(recovery)
    from toolcart.agent.openprotocol.ended_count import BETWEEN_MOST, EndedCountSearch  # hardly any cart needs it

    most = recovery.ownership.gone_most
    ended = begun(recovery).ended = EndedCountSearch(number, min(most, BETWEEN_MOST) if is_between else most)
    ended.is_between = is_between
    return recovery.turn_to(phases.PHASE_UPWARD, after(number) if is_between else number)


def go_down(recovery, above, left, now):
    """Walk down from `above`, for `left` IDs at most; return an OUTCOME_."""
    _learn_gone_most(recovery)
    walk = begun(recovery)
    walk.there = []
    copy(walk.lowest, 0, recovery.observed.top, 0, FINGERPRINT_BYTES)
    if not walk.search.begin(above, left, recovery.ownership.gone_most):
        return end(recovery, now)
    return recovery.turn_to(phases.PHASE_WALK, walk.search.asked)


def go_down_in(recovery, last, left, now):
    """Walk down from the end of a range, `last`, of which so many IDs are left; return an OUTCOME_."""
    top = recovery.ledger.top()
    if not is_open(recovery.gap_fill.at, last):
        from toolcart.agent.openprotocol import id_steps  # hardly any controller's IDs have gaps

        if id_steps.skip_to_next(recovery, last):
            return recovery.turn_to(phases.PHASE_FILL, recovery.gap_fill.at)
    if is_open(recovery.gap_fill.at, last) and is_ahead(last, top):
        left = ahead_by(last, top)  # of the count before; what is not above `top` is of the new one
    walk = begun(recovery)
    if walk.last == last and left >= walk.left:
        return recovery.end_contradiction(now)
    walk.last, walk.left = last, left
    return go_down(recovery, following(last), left, now)


def rise(recovery, is_new, now):
    """Take whether an answer to that is new, and turn to the next question; return an OUTCOME_."""
    ended = recovery.walk.ended
    observed = recovery.observed
    if ended.take(recovery.request.asked, is_new):
        return recovery.turn_to(phases.PHASE_UPWARD, after(recovery.request.asked))
    if not ended.is_falling:
        # In front of 1 is the count before.
        return go_down(recovery, observed.newest, max(observed.newest - 1, 0), now)
    return _end_ended(recovery, now)


def _end_ended(recovery, now):
    """What other counts have left is known; return an OUTCOME_."""
    ended = recovery.walk.ended
    ended.end_fall(recovery)
    if ended.is_of_between:
        return look_conclusion.settle(recovery, now)
    return look_conclusion.conclude_look(recovery, now)


def end(recovery, now):
    """The walk has found the lowest ID that is there; return an OUTCOME_."""
    walk = recovery.walk
    if walk.search.finds_all():
        return recovery.end_contradiction(now)
    lowest = walk.search.lowest()
    if walk.known >= 0 and not is_ahead(lowest, walk.known) and is_ahead(unpack_id(walk.lowest, 0), walk.known):
        lowest = following(walk.known)  # what may be there is not of a new count
    walk.is_over = True
    if walk.last < 0:  # else it was inside a range
        return _conclude(recovery, lowest, now)
    gap_fill = recovery.gap_fill
    from toolcart.agent.openprotocol.stored_contents import count_lacking  # only once something is gone

    is_counted = gap_fill.differing_push_ids or not recovery.may_push_ids_differ()
    lacking = ahead_by(lowest, gap_fill.at)
    if not recovery.ledger.push_ids_differ():
        lacking = count_lacking(recovery, gap_fill.at, preceding(lowest))
    are_all_asked = ahead_by(lowest, gap_fill.at) <= recovery.ownership.gone_most
    gap_fill.jump(lowest, lacking if is_counted else 0, WHY_NONE if are_all_asked else WHY_SKIPPED)
    return recovery.turn_to(phases.PHASE_FILL, lowest)


def _conclude(recovery, lowest, now):
    """All that the controller has may be missing, from `lowest` on; return an OUTCOME_."""
    observed = recovery.observed
    ended = recovery.walk.ended
    if ended is not None and lowest + recovery.offset.ask <= 1:
        lowest = min(lowest, 1)  # where questions are off what is below cannot be asked for, and may be there
    observed.first = lowest
    is_left = ended is not None and ended.is_there and not recovery.ledger.ranges
    recovery.walk.begins = (following(recovery.ledger.top()), lowest) if is_left else ()
    if ended is None:
        return look_conclusion.conclude_look(recovery, now)
    if ended.goes_on_with_zero(lowest):
        observed.first = 0
    number = ended.fall(observed.newest, lowest)
    return recovery.turn_to(phases.PHASE_UPWARD, number) if number else _end_ended(recovery, now)
