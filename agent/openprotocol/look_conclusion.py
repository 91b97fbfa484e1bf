"""A look is over: what may be missing is known, and is written down in one snapshot (W1).

Rules
1. Where ID 0 is not answered, what may be missing ends where so many IDs in a row are gone, upward, or with the result
   that ID 0 brought under a wrong ID.
2. Where all begins anew, what was missing before is reported first, once (toolcart.agent.openprotocol.lost_ids).
3. Only where the count has begun again is what the log has of the one before. A walk alone does not show that: what was
   pushed and is not there any more, or never was, is in the log all the same, and not gone.
4. What cannot be written down now is tried again after a pause; nothing is asked for before.
"""

from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import ID_PERIOD, after, following, is_open
from toolcart.agent.openprotocol.result_digest import are_alike


def conclude_look(recovery, now):
    """What is missing begins at `first`: write it down, or first find where it ends. Return an OUTCOME_."""
    observed = recovery.observed
    if not observed.is_zero_absent:
        return settle(recovery, now)
    if observed.end and are_alike(observed.end, recovery.ledger.octets):
        return end_up(recovery, now)
    observed.gone_run = 0
    return recovery.turn_to(
        phases.PHASE_UPWARD, observed.first or 1 if observed.is_nothing() else after(observed.newest)
    )


def end_up(recovery, now):
    observed = recovery.observed
    if observed.is_nothing():  # nothing above the highest ID known
        from toolcart.agent.openprotocol.nothing_above import stay_at_top  # most have something new

        stay_at_top(recovery)
    return settle(recovery, now)


def settle(recovery, now):
    """W1: write down what was concluded; if that fails, try again later. Return an OUTCOME_."""
    ledger = recovery.ledger
    observed = recovery.observed
    recovery.phase = phases.PHASE_COMMIT
    if observed.starts_over:
        recovery.learn_results_each()
    is_reset = observed.starts_over and observed.is_reset and not ledger.push_ids_differ()
    ended = recovery.ended()
    left = ended.may_be_missing(ledger.ranges[ledger.ended_ranges :]) if ended is not None else None
    above = ()
    if ledger.ranges:
        from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

        above = seen_ids.seen_above(recovery)
    if not _report_lost(recovery, left is not None):
        recovery.wait_for_room(now)
        return phases.OUTCOME_NONE
    pushes = None
    if ledger.push_ids_differ() or ledger.has_unnamed():
        from toolcart.agent.openprotocol import differing_push_ids  # hardly any controller pushes so

        pushes = differing_push_ids.begun(recovery)
    _write_missing(recovery, left, above)
    ledger.put_controller(recovery.ownership.identity, recovery.ownership.shares, is_reset)
    if not ledger.commit():
        recovery.wait_for_room(now)
        return phases.OUTCOME_NONE
    if ended is None or not ended.is_of_between:
        recovery.flags = 0
    recovery.forget_look()
    recovery.gap_fill.differing_push_ids = pushes
    recovery.lost_reported = 0
    recovery.saw_new_count = False
    recovery.ownership.is_other = False
    recovery.phase = phases.PHASE_FILL
    return phases.OUTCOME_RESET if is_reset else phases.OUTCOME_NONE


def _report_lost(recovery, is_left):
    """Report what is gone as the count begins anew, once; False if that cannot be written down now."""
    ledger = recovery.ledger
    observed = recovery.observed
    if not (observed.starts_over and (ledger.is_met() or observed.is_reset or ledger.ranges)):
        return True
    from toolcart.agent.openprotocol import lost_ids  # hardly any count begins anew

    return lost_ids.report(recovery, is_left)


def _write_missing(recovery, left, above):
    """Write into the ledger what may be missing, and the highest result known.

    `left` is what may be of a count that ended, or None; `above` are ranges that the controller has shown.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    is_other = recovery.ownership.is_other
    ledger.begin()
    if observed.starts_over and observed.is_reset and not is_other:
        if recovery.walk is not None:
            recovery.walk.since_before = ledger.since
        from toolcart.agent.openprotocol import lost_ids  # hardly any count begins anew

        ledger.since = lost_ids.first_of_new(recovery)
    begun = () if ledger.is_met() or is_other else ledger.ranges
    if observed.starts_over:
        ledger.forget_ranges()
    elif ledger.ranges:
        from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

        seen_ids.cut(ledger)
    if left is not None:
        ledger.ended_ranges = 1
        ledger.add(left[0], left[1])
        ledger.ended_ranges = len(ledger.ranges)
    if (observed.starts_over and ledger.is_met()) or recovery.has_several():
        ledger.doubt()  # all the controller has may be missing, or `top` itself
    if observed.is_nothing():
        ledger.put_empty()
    else:
        first = observed.first
        if first == 0:
            first = following(ID_PERIOD - 1, observed.upto)  # unless the count goes on beyond 32 bits
        if first == 0:
            from toolcart.agent.openprotocol.ended_count import has_zero  # hardly any count goes over 0

            first = 1 if has_zero(recovery.duplicates, ledger) else 0
        if begun and is_open(first, observed.upto):
            ledger.ranges = begun
            ledger.add_open(first, observed.upto)
        else:
            ledger.add(first, observed.upto)
        ledger.put_top(observed.top)
    for first, last in above:
        ledger.add(first, last)
    ledger.end_doubt()
