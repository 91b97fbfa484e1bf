"""All begins anew: what was missing before, or was made since, and is not fetched now is reported as gone.

Rules
1. Gone is what was missing and seen before (toolcart.agent.openprotocol.unfetchable), and what lies between `w`, the
   highest result known, and the lowest that the controller still has.
2. Where the count has begun anew, what lies in front of its lowest result is gone too, unless something shows that the
   memory goes back to its begin.

Imported where what was known no longer holds: hardly any count begins anew.
"""

from toolcart.agent.openprotocol import unfetchable
from toolcart.agent.openprotocol.gap_fill import WHY_NONE, WHY_RESET
from toolcart.agent.openprotocol.ids import following, is_ahead, is_open, length_of, preceding
from toolcart.agent.openprotocol.result_digest import TIME, two_digits


def report(recovery, is_fetched):
    """Report what was missing, or made since, below what is settled as gone; False if that has to wait.

    What was missing before `is_fetched`: only a new count has lost something.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    if recovery.may_be_apart():
        return True
    parts = []
    if not is_fetched:
        parts = unfetchable.lost(
            recovery, observed.newest, observed.is_reset, recovery.has_noted_seen, recovery.seen_before
        )
        if not observed.is_reset and ledger.is_met():
            parts.append((following(ledger.top()), preceding(observed.first)))
    lost = []
    for first, last in parts:
        if not observed.is_reset and not is_ahead(observed.first, last):
            last = preceding(observed.first)
        if length_of(first, last) and not is_open(first, last):
            lost.append((first, last))
    if recovery.ownership.shares:
        return True
    each = recovery.results_each()
    count = each * sum([length_of(first, last) - recovery.count_here(first, last) for first, last in lost])
    last = preceding(observed.first)
    if _has_lost_new(recovery) and length_of(1, last) and not is_open(1, last):
        here = recovery.duplicates.count_ids(1, last, recovery.first_record) if recovery.first_record else 0
        count += each * max(0, length_of(1, last) - here)
        lost.append((1, last))
    return count == 0 or recovery.gap_fill.report(
        lost[0][0], lost[-1][1], count, WHY_RESET if observed.is_reset else WHY_NONE
    )


def _has_lost_new(recovery):
    """True if the count has begun anew, and nothing shows that the memory goes back to its begin.

    That is shown by a result of the count before, or one days older than `w`: times differ by time zones. What
    another controller has made before the first meeting is not ours.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    if not observed.is_reset or recovery.ownership.is_other or not ledger.is_met() or observed.is_nothing():
        return False
    ended = recovery.ended()
    if ended is not None and ended.is_there:
        return False
    return _day(recovery.walk.lowest) + 2 > _day(ledger.octets)


def _day(digest):
    """Return the day of a digest, as a number that is never too far from the next one's; large if it has none."""
    month = two_digits(digest, TIME + 2)
    return (two_digits(digest, TIME + 1) * 12 + month) * 31 + two_digits(digest, TIME + 3) if month else 1 << 20
