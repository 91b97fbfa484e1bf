"""All begins anew: what was missing before, or was made since, and is not fetched now is reported as gone.

Rules
1. Gone is what was missing and seen before (toolcart.agent.openprotocol.unfetchable), and what lies between `top`, the
   highest result known, and the lowest that the controller still has; of several results under the ID of `top` those
   that never came.
2. Where the count has begun anew, what lies in front of its lowest result is gone too, but for what was pushed, unless
   something shows that the memory goes back to its begin: a result older than `top`. Where the count before was there
   as the look began, the small memory may have dropped what it had of the new one since: what lies behind its first
   push is gone.
3. Each count has an event of its own: no first ID is above the last.
4. Where pushed IDs are not the memory's, and always as far from these, what they skipped in front of the lowest one
   that the memory has is gone. Where they are now so far and now so, what they skip shows nothing.

Imported where what was known no longer holds: hardly any count begins anew.
"""

from toolcart.agent.base.crc import crc30
from toolcart.agent.openprotocol import unfetchable
from toolcart.agent.openprotocol.differing_formats import digests
from toolcart.agent.openprotocol.gap_fill import WHY_NONE, WHY_RESET, WHY_SKIPPED
from toolcart.agent.openprotocol.ids import following, is_ahead, is_open, is_within, length_of, moved, preceding, put_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, same, two_digits
from toolcart.agent.record.result import FLAG_RECOVERED, ID_BYTES


def report(recovery, is_fetched):
    """Report what was missing, or made since, below what is settled as gone; False if that has to wait.

    What was missing before `is_fetched`: only a new count has lost something.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    if recovery.may_push_ids_differ():
        return _report(recovery, [] if is_fetched else _skipped_below(recovery), WHY_NONE)
    begins = unfetchable.first_of_new_count(recovery) if observed.is_reset else 0
    parts = []
    if not is_fetched:
        parts = unfetchable.lost(
            recovery, observed.newest, observed.is_reset, recovery.has_noted_seen, recovery.seen_before, begins
        )
        if ledger.is_met() and recovery.has_several() and ledger.top() != recovery.closed_top:
            parts.append((ledger.top(), ledger.top()))  # of another spindle
        if not observed.is_reset and ledger.is_met():
            parts.append((following(ledger.top(), observed.first), preceding(observed.first)))
    lost = []
    for first, last in parts:
        if not observed.is_reset and not is_ahead(observed.first, last):
            last = preceding(observed.first)
        if length_of(first, last) and not is_open(first, last):
            lost.append((first, last))
    if recovery.ownership.shares:
        return True
    from toolcart.agent.openprotocol.stored_contents import count_lacking  # only once something is gone

    losses = [(first, last, count_lacking(recovery, first, last, begins)) for first, last in lost]
    if ledger.ended_ranges:
        from toolcart.agent.openprotocol import ended_ranges  # hardly any count begins anew twice

        before = ledger.ranges[: ledger.ended_ranges]
        losses = [(first, last, ended_ranges.count_lacking(recovery, first, last)) for first, last in before] + losses
    ended = recovery.ended()
    if ended is not None:
        above = ended.last
        for _, last, _ in losses:
            above = last if is_ahead(last, above) else above
        if is_ahead(ended.hidden, above):
            losses.append((following(above), ended.hidden, length_of(following(above), ended.hidden)))
    first, last, here = _lost_of_new(recovery)
    if length_of(first, last) and not is_open(first, last):
        losses.append((first, last, max(0, length_of(first, last) - here) * recovery.results_each()))
    return _report(recovery, losses, WHY_RESET if observed.is_reset else WHY_NONE)


def _report(recovery, losses, why):
    """Report first, last and count of each loss; False if some of it has to wait."""
    events = _ascending(losses)
    for first, last, count in events[recovery.lost_reported :]:
        is_skipped = why == WHY_NONE and count > recovery.ownership.gone_most  # the walk has asked for no more below
        if count and not recovery.gap_fill.report(first, last, count, WHY_SKIPPED if is_skipped else why):
            return False
        recovery.lost_reported += 1
    return True


def _skipped_below(recovery):
    """Return first, last and count of what pushes have skipped and the memory does not have any more (rule 4)."""
    from toolcart.agent.openprotocol.stored_contents import count_lacking, whole

    losses = []
    for first, last in recovery.ledger.ranges:
        is_skipped = _is_pushed(recovery, preceding(first)) and _is_pushed(recovery, following(last))
        count = whole(recovery).count_below(recovery.observed.first, first, last) if is_skipped else 0
        if count:
            last = moved(first, count - 1)
            losses.append((first, last, count_lacking(recovery, first, last)))
    return losses


def _is_pushed(recovery, number):
    """True if the log has a push of this ID."""
    from toolcart.agent.openprotocol.other_ids import is_pushed_as  # hardly any controller's pushed IDs are others

    ident = bytearray(ID_BYTES)
    put_id(ident, 0, number)
    return is_pushed_as(recovery, ident, 1)


def _ascending(losses):
    """Return first, last and count of what is to be reported: those that ascend are one, a new count is another."""
    events = []
    for first, last, count in losses:
        if events and is_ahead(first, events[-1][1]):
            events[-1] = events[-1][0], last, events[-1][2] + count
        else:
            events.append((first, last, count))
    return events


def first_of_new(recovery):
    """Return from which record of the log on IDs are of the count that begins anew: none in front of `top` is.

    Where all may have been stored before, a push shows it that is not above `top`; what was fetched shows nothing.
    """
    ledger = recovery.ledger
    if ledger.doubted <= 1:
        from toolcart.agent.openprotocol.nothing_above import pushed_of_new_count

        pushes = pushed_of_new_count(recovery)
        return pushes[0][0] if pushes else recovery.duplicates.next_record()
    tops = [one[0] for one in digests(recovery.duplicates.results(ledger.doubted)) if same(one[2], ledger.octets)]
    return max(tops) + 1 if tops else ledger.doubted


def _lost_of_new(recovery):
    """Return first and last of what a new count has made in front of the lowest there is, and how many were pushed.

    It begins with 1; where a result of the count before is there, or was as this look began, with its first push. What
    another controller has made before the first meeting is not ours. A lowest one days older than `top`, or any that
    is there and the log had before `top`, shows that the memory goes back to its begin: times differ by time zones.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    nothing = 1, 0, 0
    if not observed.is_reset or recovery.ownership.is_other or not ledger.is_met() or observed.is_nothing():
        return nothing
    ended = recovery.ended()
    is_before_there = ended is not None and ended.is_there
    pushed = _pushed_since_top(recovery)
    if is_before_there and not pushed:
        return nothing
    if not is_before_there and (_day(recovery.walk.lowest) + 2 <= _day(ledger.octets) or _is_from_before(recovery)):
        return nothing
    first, last = pushed[0] if is_before_there else 1, preceding(observed.first)
    return first, last, len({one for one in pushed if is_within(one, first, last)})


def _is_from_before(recovery):
    """True if the log had one that the walk found there before it had `top`: the oldest go first."""
    found = top = 0
    for record, _, digest, _ in digests(recovery.duplicates.results(1)):
        if same(digest, recovery.ledger.octets):
            top = max(top, record)
        elif crc30(digest, 0, FINGERPRINT_BYTES) in recovery.walk.there:
            found = min(found or record, record)
    return 0 < found < top


def _pushed_since_top(recovery):
    """Return the IDs of what was pushed since `top`, in that order."""
    ledger = recovery.ledger
    found = []
    top = 0
    for record, number, digest, flags in digests(recovery.duplicates.results(max(ledger.doubted, ledger.since))):
        if same(digest, ledger.octets):
            top = max(top, record)
        elif not flags & FLAG_RECOVERED:
            found.append((record, number))
    return [number for record, number in sorted(found) if record > top]


def _day(digest):
    """Return the day of a digest, as a number that is never too far from the next one's; large if it has none."""
    month = two_digits(digest, TIME + 2)
    return (two_digits(digest, TIME + 1) * 12 + month) * 31 + two_digits(digest, TIME + 3) if month else 1 << 20
