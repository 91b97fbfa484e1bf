"""Nothing proves what the IDs mean: a walk finds what the controller has, all of which may be missing.

Rules
1. It goes down from the newest (toolcart.agent.openprotocol.lowest_id_search). Where that is not above `w`, the highest
   result known, it first goes up from `w`, for what the count before may have left
   (toolcart.agent.openprotocol.ended_count).
2. Another controller is believed first; what it has made since it was first seen may be missing
   (toolcart.agent.openprotocol.successor).
3. Where many missing IDs in a row are gone, a walk down from the end of the range finds where the rest begins.

Imported where a walk is needed: most connections prove their IDs without one.
"""

from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol import look_conclusion
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import ID_PERIOD, after, first_below, following, is_ahead, preceding
from toolcart.agent.openprotocol.lowest_id_search import LowestIdSearch
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES


class Walk:
    """What the walks of one connection have found."""

    def __init__(self):
        self.search = LowestIdSearch()
        self.lowest = bytearray(FINGERPRINT_BYTES)  # the lowest that is there
        self.is_over = False  # what is missing begins with the lowest that was found
        self.begins = ()  # where what is missing began then, of the count before and of the new one, if there are two
        self.ended = None  # toolcart.agent.openprotocol.ended_count's, where the newest is not above `w`

    def rises(self):
        """True if what the count before may have left is asked for."""
        return self.ended is not None and self.ended.is_rising


def _of(recovery):
    """Return the walk, which is made with the first use."""
    if recovery.walk is None:
        recovery.walk = Walk()
    return recovery.walk


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
            return phases.NEWS_ASK_AGAIN
        from toolcart.agent.openprotocol.successor import first_missing  # hardly any cart needs it

        observed.is_reset = True
        first = first_missing(recovery.ledger, observed)
        if first < 0 and not ownership.shares:
            return go_down(recovery, observed.newest, ID_PERIOD // 2, now)
        observed.first = first_below(observed.newest) if first < 0 else first
    elif not ownership.shares:  # else ours are found in stretches
        top = recovery.ledger.top()
        if top <= 0 or observed.is_unsaid or is_ahead(observed.newest, top):
            return go_down(recovery, observed.newest, ID_PERIOD // 2, now)
        from toolcart.agent.openprotocol.ended_count import EndedCount  # hardly any cart needs it

        _of(recovery).ended = EndedCount(top, ownership.gone_most)
        return recovery.turn_to(phases.PHASE_UPWARD, top)
    return look_conclusion.conclude_look(recovery, now)


def go_down(recovery, above, left, now):
    """Walk down from `above`, for `left` IDs at most; return a NEWS_."""
    walk = _of(recovery)
    copy(walk.lowest, 0, recovery.observed.top, 0, FINGERPRINT_BYTES)
    if not walk.search.begin(above, left, recovery.ownership.gone_most):
        return end(recovery, now)
    return recovery.turn_to(phases.PHASE_WALK, walk.search.asked)


def rise(recovery, is_new, now):
    """Take whether an answer to that is new, and turn to the next question; return a NEWS_."""
    ended = recovery.walk.ended
    observed = recovery.observed
    if ended.take(recovery.request.asked, is_new):
        return recovery.turn_to(phases.PHASE_UPWARD, after(recovery.request.asked))
    if not ended.is_falling:
        # In front of 1 is the count before.
        return go_down(recovery, observed.newest, max(observed.newest - 1, 0), now)
    last = ended.end_fall()
    if last != observed.newest:
        observed.upto = last
    return look_conclusion.conclude_look(recovery, now)


def end(recovery, now):
    """The walk has found the lowest ID that is there; return a NEWS_."""
    walk = recovery.walk
    if walk.search.finds_all():
        return recovery.end_contradiction(now)
    lowest = walk.search.lowest()
    walk.is_over = True
    if recovery.flags:  # else the walk was inside a range
        return _conclude(recovery, lowest, now)
    gap_fill = recovery.gap_fill
    here = 0 if recovery.ledger.is_apart() else recovery.count_here(gap_fill.at, preceding(lowest))
    is_counted = gap_fill.pushes_apart or not recovery.may_be_apart()
    gap_fill.jump(lowest, recovery.results_each() if is_counted else 0, here)
    return recovery.turn_to(phases.PHASE_FILL, lowest)


def _conclude(recovery, lowest, now):
    """All that the controller has may be missing, from `lowest` on; return a NEWS_."""
    observed = recovery.observed
    ended = recovery.walk.ended
    observed.first = lowest
    is_left = ended is not None and ended.is_there and not recovery.ledger.ranges
    recovery.walk.begins = (following(recovery.ledger.top()), lowest) if is_left else ()
    if ended is None:
        return look_conclusion.conclude_look(recovery, now)
    if ended.goes_on_with_zero(lowest):
        observed.first = 0
    number = ended.fall(observed.newest, lowest)
    return recovery.turn_to(phases.PHASE_UPWARD, number) if number else look_conclusion.conclude_look(recovery, now)
