"""Missing IDs are asked for one by one, oldest first, until none is left; each is closed by what came of it.

Rules
1. Before a range begins, what was learned for the one before is forgotten. At the end of all there is rest (IDLE), and
   what was read of the log is given back to the heap. Where a look has found a count that has ended, too, only what is
   missing of the one before it is asked for; then the next look follows (toolcart.agent.openprotocol.ended_count).
2. Where many in a row are gone, or a range has no known start, a walk from its end finds where the rest begins
   (toolcart.agent.openprotocol.id_walk).
3. If the first of a run of pushes comes, all of the run is closed (toolcart.agent.openprotocol.push_run).
4. Where several results have one ID, as many of them are gone as the log lacks, of the count that the ID is of.
"""

from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import ZERO_DIGITS, is_open
from toolcart.agent.openprotocol.result_digest import same


def turn_to_missing(recovery, now):
    """Ask for the next ID that may be missing; IDLE if there is none."""
    ranges = recovery.ledger.ranges
    gap_fill = recovery.gap_fill
    shared = recovery.ownership.shared
    if recovery.ledger.has_lost_zero and not gap_fill.report_lost_zero(recovery.results_each()):
        recovery.wait_for_room(now)
        return
    while ranges:
        place = 0 if recovery.deferred is None else recovery.deferred.next_range(recovery.ledger, now)
        if place < 0:
            recovery.phase = phases.PHASE_FILL
            recovery.retry.start(now, recovery.retry_ms)
            return
        if recovery.flags and place >= recovery.ledger.ended_ranges:
            break
        first, last = ranges[place]
        if gap_fill.turn(first):
            recovery.learn_results_each()
            recovery.spindle_results = None
            recovery.request.again()
            if shared is not None:
                shared.begin_range()
        if gap_fill.left_to(last):
            if gap_fill.at in recovery.stored_late:
                recovery.stored_late = tuple([one for one in recovery.stored_late if one != gap_fill.at])
                close_asked(recovery, False)
                continue
            if place < recovery.ledger.ended_ranges:
                from toolcart.agent.openprotocol.ended_ranges import pass_reached  # hardly any count begins anew

                if pass_reached(recovery, last):
                    continue
            if recovery.deferred is not None and recovery.deferred.is_waiting(gap_fill.at, now):
                from toolcart.agent.openprotocol.deferred_ids import pass_over  # hardly any controller needs it

                pass_over(recovery, gap_fill.at)
                continue
            if not recovery.ownership.shares:
                _turn_to_next(recovery, last, now)
                return
            from toolcart.agent.openprotocol.shared_ids import turn_to_ours  # loaded where it is

            if turn_to_ours(recovery, last):
                return
        elif not gap_fill.flush():
            recovery.wait_for_room(now)
            return
    if recovery.ledger.held and not gap_fill.flush():
        recovery.wait_for_room(now)
        return
    if recovery.flags:
        recovery.start_over()
        return
    recovery.phase = phases.PHASE_IDLE
    gap_fill.differing_push_ids = None
    recovery.contradictions.restarts = 0
    if recovery.walk is not None and not (recovery.walk.begins and recovery.may_be_offset()):
        recovery.walk = None
    if recovery.contents is not None and not recovery.contents.is_suspected():
        recovery.contents = None  # given back to the heap
    recovery.request.asked = 0  # IDs near the wrap are on the heap


def _turn_to_next(recovery, last, now):
    """Ask for the next one; after many that are gone a walk from the end finds where the rest begins."""
    gap_fill = recovery.gap_fill
    recovery.phase = phases.PHASE_FILL
    recovery.request.asked = gap_fill.at
    left = gap_fill.left_to(last)
    most = recovery.ownership.gone_most
    if is_open(gap_fill.at, last) or (gap_fill.gone_run >= most and left > most):
        from toolcart.agent.openprotocol import id_walk  # hardly any range needs one

        id_walk.go_down_in(recovery, last, left, now)


def turn_or_close(recovery):
    """Ask the next spindle for the same ID, or close it: it is not gone. Return OUTCOME_NONE."""
    return phases.OUTCOME_NONE if recovery.turn_spindle() else close_asked(recovery, False)


def close_asked(recovery, gone):
    """Close the ID asked for: it is no longer missing, and `gone` unless the log has it. Return OUTCOME_NONE."""
    gap_fill = recovery.gap_fill
    if recovery.deferred is not None:
        recovery.deferred.is_done(gap_fill.at)
    count = 0
    if gone and (gap_fill.differing_push_ids or not recovery.may_push_ids_differ()):
        from toolcart.agent.openprotocol.stored_contents import is_id_stored  # hardly any is gone

        count = 0 if is_id_stored(recovery) else 1
    if recovery.has_several():
        recovery.closed_top = recovery.ledger.top() if gap_fill.at == recovery.ledger.top() else recovery.closed_top
        from toolcart.agent.openprotocol.stored_contents import first_of_count_at  # hardly any controller has several

        since = first_of_count_at(recovery, gap_fill.at)
        if recovery.first_record:
            since = min(since, recovery.first_record)  # its count may have begun anew before that was known
        count = recovery.results_of_spindles().missing(bytes(recovery.ask_id), since)
    place = recovery.ledger.place_of(gap_fill.begin)
    last = recovery.ledger.ranges[place][1] if place >= 0 else 0
    if 0 <= place < recovery.ledger.ended_ranges:
        from toolcart.agent.openprotocol.ended_ranges import count_gone  # hardly any count begins anew

        count = count_gone(recovery, gone, count)
    gap_fill.close(count, recovery.why, last)
    if place >= 0 and gap_fill.is_over_zero(last) and not recovery.ownership.shares:
        if not recovery.duplicates.has_id(ZERO_DIGITS, recovery.ledger.since):
            gap_fill.lose_zero(recovery.results_each())
    return recovery.turn_to(phases.PHASE_FILL, recovery.gap_fill.at)


def take_missing(recovery):
    """Take the one that is missing; if that is the first of a run of pushes, close them all. Return an OUTCOME_."""
    ledger = recovery.ledger
    pushes = recovery.push_run
    if recovery.retry.armed:
        return phases.OUTCOME_NONE  # a push came meanwhile: it is asked for again
    is_others = recovery.ownership.shares and not recovery.ownership.shared.is_ours()
    recovery.passed_over += is_others
    if is_others:
        return close_asked(recovery, False)
    if pushes.last < 0 or recovery.has_several():
        return phases.OUTCOME_STORE
    if not same(recovery.answer, pushes.first) and not recovery.fits_in_other_format(recovery.answer, pushes.first):
        return phases.OUTCOME_STORE
    recovery.gap_fill.jump(pushes.last)
    pushes.close()
    ledger.close_run()
    return close_asked(recovery, False)
