"""What does this controller have, and do its IDs still mean what they did: from the newest to what may be missing.

1. The newest is asked for as ID 0. It is the highest result known, or above it; else that one is asked for, and where
   it is not under its ID either, what is near it, or all that the controller has.
2. Each answer leads to the next question, or to the conclusion (toolcart.agent.openprotocol.look_conclusion).

The phases NEWEST, CONFIRM and WITNESS of the table in toolcart.agent.openprotocol.recovery_phases.
"""

from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol import look_conclusion
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST
from toolcart.agent.openprotocol.ids import after, first_below, following, is_ahead, moved, open_below, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, is_unread, same


def take_newest(recovery, number, is_logged, now):
    """Take the newest of the spindle asked: the highest of all counts. Return an OUTCOME_."""
    recovery.request.again()
    recovery.looked_at = recovery.duplicates.next_record()
    recovery.came_first_as(number)
    recovery.contradictions.newest = number
    recovery.observed.take_newest(number, recovery.answer, is_logged, recovery.ledger)
    return phases.OUTCOME_NONE if recovery.turn_spindle() else look_at_sharing(recovery, now)


def look_at_sharing(recovery, now):
    """The newest is known: first see whether its ID is the stations' or ours alone. Return an OUTCOME_."""
    ownership = recovery.ownership
    if ownership.shared is None or not ownership.shared.needs_proof(ownership.shares):
        return compare_newest(recovery, now)
    return recovery.turn_to(phases.PHASE_PROBE, after(recovery.observed.newest))


def compare_newest(recovery, now):
    """Go on from the newest; return an OUTCOME_."""
    ledger = recovery.ledger
    observed = recovery.observed
    newest = observed.newest
    top = ledger.top()
    if recovery.ownership.is_other and ledger.successor_id < 0 and not recovery.ownership.is_believed:
        ledger.put_successor(recovery.ownership.identity, newest)
        ledger.try_save()
    recovery.learn_results_each(top >= 0 and is_ahead(newest, top))
    if ledger.doubted and top > 0 and not is_ahead(top, newest):
        from toolcart.agent.openprotocol.nothing_above import take_pushes  # most are proven before they push

        top = take_pushes(recovery)
    several = recovery.has_several()
    if ledger.last_id >= 0 and is_ahead(ledger.last_id, newest):
        from toolcart.agent.openprotocol import newest_check  # hardly any memory is late

        newest = newest_check.take_push(recovery)
    is_held = observed.is_held and several and _is_of_top_id(recovery, observed.top)
    is_newest = newest > 0 and is_ahead(newest, top) and not observed.is_held
    is_newest = is_newest or recovery.is_top(observed.top)
    if (ledger.has_unnamed() or ledger.push_ids_differ() or not is_newest) and is_unconfirmed(recovery):
        from toolcart.agent.openprotocol import newest_check  # most have something new, or nothing

        if newest_check.shows_nothing(recovery):
            return newest_check.do_without(recovery, now)
    observed.miss_up_to_newest(observed.is_held and not several)
    recovery.request.again()
    observed.starts_over = observed.is_reset = False
    if not ledger.is_met() and not ledger.is_empty():
        observed.first = following(observed.upto)  # what it made before the first meeting is not ours
        recovery.phase = phases.PHASE_COMMIT
        recovery.wait_for_room(now, phases.ON_ITS_WAY_MS)  # unless it pushes that, or one in front of it, yet
        return phases.OUTCOME_NONE
    if ledger.is_empty() and not recovery.ownership.is_other:
        if is_unconfirmed(recovery):
            return recovery.turn_to(phases.PHASE_CONFIRM, newest)
        observed.starts_over = True
        observed.first = first_below(newest) if recovery.ownership.shares else open_below(observed.upto)
        return look_conclusion.conclude_look(recovery, now)
    return _compare_with_top(recovery, newest, top, is_held, now)


def _compare_with_top(recovery, newest, top, is_held, now):
    """Compare the newest with the highest result known, both by their IDs; return an OUTCOME_.

    `is_held`: the log has the newest, of the same tightening as `top`.
    """
    ledger = recovery.ledger
    observed = recovery.observed
    observed.is_inconclusive = is_inconclusive = newest == top and answers_inconclusively(recovery, observed.top)
    if recovery.is_top(observed.top) or is_held:
        observed.take(newest, ledger.octets)  # which may say more
        observed.first = newest if is_held and newest != recovery.closed_top else following(observed.upto)
        return look_conclusion.conclude_look(recovery, now)
    if newest == top and _turns_to_compare(recovery, observed.top):
        return phases.OUTCOME_NONE
    if newest == top == recovery.first_id and _is_of_first_push(recovery):
        return count_goes_on(recovery, now, observed.top)
    is_above = is_ahead(newest, top)
    may_be_moved = (
        recovery.asks_own_station() and not recovery.offset.is_ruled_out
    )  # the newest, or the highest ID known
    if is_above and top > 0 and not recovery.saw_new_count:
        from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

        seen_ids.note_newest(recovery, newest)
    elif newest > 0 and not is_inconclusive and (recovery.saw_new_count or not is_above):  # until that is settled
        if newest != ledger.unproven:  # else pushes have shown how many came in front of it
            ledger.skipped = max(ledger.skipped, newest)
        if recovery.offset.is_ruled_out or is_ahead(moved(top, -OFFSET_MOST), newest):  # else they may be off
            recovery.saw_new_count |= not (observed.is_held or ledger.is_like_top(observed.top))
    if top <= 0 or not (is_above or is_inconclusive or may_be_moved):
        from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

        return id_walk.begin(recovery, top >= 0 and not (is_above or is_inconclusive), now)
    return _turn_to_witness(recovery)


def _turns_to_compare(recovery, answer):
    """True if this answer may be the highest result known, in another writing: then that is to be found out."""
    from toolcart.agent.openprotocol import differing_formats  # hardly any controller writes them otherwise

    return differing_formats.turns_to_compare(recovery, answer, recovery.ledger.octets)


def _is_of_top_id(recovery, answer):
    """True if the answer, which the log has, is of the tightening of the highest result known."""
    from toolcart.agent.openprotocol.spindle_results import is_of_top_id  # hardly any controller has several

    return is_of_top_id(recovery, answer)


def _is_of_first_push(recovery):
    """True if the highest result known, whose ID another one has, is the first push of this connection."""
    from toolcart.agent.openprotocol.newest_check import is_of_first_push  # hardly any is made in between

    return is_of_first_push(recovery)


def answers_inconclusively(recovery, answer):
    """True if this answer under the highest ID known says neither that it is that result nor that it is not."""
    top = recovery.ledger.octets
    may_be = is_unread(answer) or is_unread(top)
    if not may_be and recovery.has_several():
        from toolcart.agent.openprotocol.spindle_results import (
            may_share_its_id,  # hardly any controller has several
        )

        may_be = may_share_its_id(recovery, answer, top)
    return may_be and not recovery.is_top(answer)


def is_unconfirmed(recovery):
    """True if it is to be seen whether what ID 0 brought is the newest, under its own ID."""
    observed = recovery.observed
    is_open = not (observed.is_zero_absent or observed.is_nothing()) and not observed.is_confirmed
    return is_open and not recovery.ownership.is_other and recovery.is_id_unique()


def end_confirming(recovery, is_there, now):
    """Take whether there is a result under the ID of the newest; return an OUTCOME_."""
    observed = recovery.observed
    newest = observed.top
    is_other = unpack_id(newest, 0) != observed.newest  # one was pushed since
    is_it = same(recovery.answer, newest) or is_unread(recovery.answer) or is_unread(newest)
    if not is_there or not (is_other or is_it):
        from toolcart.agent.openprotocol import newest_check  # hardly any controller gives it a wrong ID

        return newest_check.do_without(recovery, now)
    observed.is_confirmed = True
    if not observed.is_witness_there:  # it had nothing before
        return compare_newest(recovery, now)
    recovery.offset.is_proven = True
    is_above = is_ahead(observed.newest, recovery.ledger.top())
    return count_goes_on(recovery, now) if is_above else search_nearby(recovery, True, now)


def take_no_newest(recovery, now):
    """ID 0 is gone: the controller has nothing, or does not know ID 0. Return an OUTCOME_."""
    ledger = recovery.ledger
    observed = recovery.observed
    recovery.request.again()
    observed.is_zero_absent = True
    is_pushed = ledger.last_id >= 0  # this connection has pushed one: it counts as the newest, unless it was late
    if is_pushed and is_ahead(ledger.top(), ledger.last_id):
        from toolcart.agent.openprotocol import nothing_above  # hardly any push is below the one before it

        is_pushed = nothing_above.has_pushed_newest(recovery)
    if is_pushed:
        observed.take(ledger.last_id, ledger.last_push)
        observed.is_held = True
        return look_at_sharing(recovery, now)
    if ledger.top() <= 0:
        return conclude_empty(recovery, now)
    return go_on_without_newest(recovery, now)


def go_on_without_newest(recovery, now):
    """ID 0 shows nothing: a push that counts as the newest does, else the highest ID known. Return an OUTCOME_."""
    if recovery.ledger.doubted:
        from toolcart.agent.openprotocol import nothing_above  # hardly any connection begins so

        if nothing_above.takes_push(recovery):
            return look_at_sharing(recovery, now)
    return _turn_to_witness(recovery)


def _turn_to_witness(recovery):
    """Ask for the highest known; where it may be off and was not pushed, for the last push. Return OUTCOME_NONE."""
    ledger = recovery.ledger
    is_other = recovery.offset.needs_push and recovery.may_be_offset() and recovery.is_pushed(ledger.last_push)
    copy(recovery.sought, 0, ledger.last_push if is_other else ledger.octets, 0, FINGERPRINT_BYTES)
    return recovery.turn_to(phases.PHASE_WITNESS, unpack_id(recovery.sought, 0))


def take_witness(recovery, is_logged, now):
    """There is a result under the highest ID known; return an OUTCOME_."""
    request = recovery.request
    ledger = recovery.ledger
    observed = recovery.observed
    if request.asked != ledger.top():
        from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

        return nearby_search.take_push_sought(recovery, now)
    several = recovery.has_several()
    is_above = observed.is_nothing() or is_ahead(observed.newest, request.asked)
    if several and observed.is_held and not is_above:
        from toolcart.agent.openprotocol.unnamed_spindles import is_behind_last  # hardly any memory is late

        is_above = is_behind_last(recovery.duplicates, unpack_id(observed.top, 0))
    is_known = recovery.is_top(recovery.answer) or (is_logged and _is_of_top_id(recovery, recovery.answer))
    if not is_known and is_unread(recovery.answer):
        from toolcart.agent.openprotocol.count_check import tells  # hardly any answer cannot be read

        is_known = tells(recovery.frame, ledger.octets)
    if not (is_known or observed.is_nothing()) and is_above and ledger.epoch():
        from toolcart.agent.openprotocol import oldest_first  # hardly any count begins anew

        if oldest_first.hides_known(recovery, request.asked):
            recovery.offset.is_proven = True
            return count_goes_on(recovery, now)
    if is_known and not several and recovery.is_pushed(ledger.octets):
        recovery.offset.is_ruled_out = not recovery.offset.is_known()
    if not is_known and _turns_to_compare(recovery, recovery.answer):
        return phases.OUTCOME_NONE
    if not is_known and request.asked == recovery.first_id and _is_of_first_push(recovery):
        return count_goes_on(recovery, now, recovery.answer)
    if not is_known and answers_inconclusively(recovery, recovery.answer):
        if recovery.turn_spindle():
            return phases.OUTCOME_NONE
        from toolcart.agent.openprotocol import count_check  # hardly any controller has such answers

        return count_check.begin(recovery, now)
    is_top = observed.newest == request.asked
    if is_known and is_unconfirmed(recovery) and not observed.is_inconclusive:
        observed.is_witness_there = True
        # Where it has the same ID another result was given that.
        if is_top:
            return end_confirming(recovery, False, now)
        return recovery.turn_to(phases.PHASE_CONFIRM, observed.newest)
    if not is_known or not (is_above or is_top):
        request.there = True
        return phases.OUTCOME_NONE if recovery.turn_spindle() else search_nearby(recovery, True, now)
    recovery.offset.is_proven = True
    return count_goes_on(recovery, now)


def count_goes_on(recovery, now, other=None):
    """The highest ID known still means the same; `other`: another result that has it, too. Return an OUTCOME_."""
    ledger = recovery.ledger
    observed = recovery.observed
    top = ledger.top()
    is_missing = recovery.has_several()
    if other is not None and not is_missing:
        from toolcart.agent.openprotocol.newest_check import may_be_missing  # hardly any is made in between

        is_missing = may_be_missing(recovery, other)
    if not observed.is_nothing() and not is_ahead(unpack_id(observed.top, 0), top):
        observed.take(top, ledger.octets)  # the newest that was answered cannot be read, and says no more
        observed.upto = top
    observed.first = top if is_missing and top != recovery.closed_top else following(top)
    return look_conclusion.conclude_look(recovery, now)


def search_nearby(recovery, is_reset, now):
    """What was sought is not under its ID: it may be near it (rule 7). Return an OUTCOME_."""
    from toolcart.agent.openprotocol import nearby_search  # it is there, as a rule

    return nearby_search.search(recovery, is_reset, now)


def conclude_empty(recovery, now):
    """The controller has nothing: what it makes from now on is ours. Return an OUTCOME_."""
    observed = recovery.observed
    if recovery.ledger.last_id >= 0:
        from toolcart.agent.openprotocol.nothing_above import has_pushed_newest  # most have something new

        if has_pushed_newest(recovery):
            return take_no_newest(recovery, now)  # meanwhile
    observed.starts_over = recovery.ownership.is_other or recovery.ledger.top() <= 0
    observed.is_reset = recovery.ownership.is_other and recovery.ledger.is_met()
    if not recovery.ownership.is_other and (recovery.ledger.is_met() or recovery.ledger.has_unnamed()):
        from toolcart.agent.openprotocol import nothing_above  # most have something new

        if nothing_above.shows_nothing(recovery):
            recovery.switch_off(phases.PHASE_NO_ID)
            return phases.OUTCOME_NONE
        if not observed.starts_over:
            nothing_above.stay_at_top(recovery)
    return look_conclusion.settle(recovery, now)
