"""What was sought is not under its ID: it is looked for under those near it, since IDs may be off.

Rules
1. Sought is `top`, the highest result known, or the last push where `top` was never pushed. If that is nowhere near,
   `top` shows nothing, and a walk finds what the controller has (toolcart.agent.openprotocol.id_walk).
2. Where `top` is found under another ID, and came from an answer itself, its own ID is put right (W3).
3. A push that is nowhere may have been forgotten: the next one may show more.

Imported where the highest result known, or the push in its place, is not under its ID.
"""

from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST, apart
from toolcart.agent.openprotocol.ids import after, following, id_of, is_ahead, moved, unpack_id
from toolcart.agent.openprotocol.other_ids import forgets_offset, wait_for_push
from toolcart.agent.openprotocol.result_digest import same
from toolcart.agent.record.result import ID_BYTES, TIGHTENING_ID


def search(recovery, is_reset, now):
    """What was sought is not under its ID: it may be near it. Return an OUTCOME_."""
    if is_reset and forgets_offset(recovery):
        return phases.OUTCOME_NONE
    top = unpack_id(recovery.sought, 0)
    observed = recovery.observed
    observed.is_reset = is_reset
    if is_reset and observed.is_nothing() and unpack_id(recovery.answer, 0) == top:
        observed.take(top, recovery.answer)  # ID 0 is not known, but another result is there
        observed.upto = top
    if is_reset and recovery.has_noted_seen:
        from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

        seen_ids.restore(recovery.ledger, recovery.seen_before)
        recovery.has_noted_seen = False
    observed.is_witness_there = observed.is_witness_there or is_reset
    if recovery.spindle_count() > 1:
        return find_nothing(recovery, now)
    is_above = is_ahead(observed.newest, top) or observed.is_inconclusive
    observed.is_reset = is_reset or recovery.saw_new_count or not is_above
    is_other = is_reset and unpack_id(recovery.answer, 0) == top and not recovery.is_top(recovery.answer)
    return _ask_next(recovery, now, is_other)


def _ask_next(recovery, now, is_other=False):
    """Ask for the next ID near the one sought, under which there `is_other`; return an OUTCOME_."""
    top = unpack_id(recovery.sought, 0)
    offset = recovery.offset
    newest = recovery.observed.newest
    most = OFFSET_MOST
    is_far = is_ahead(top, newest) and not apart(newest, top)
    if newest >= 0 and not (is_far or is_ahead(newest, moved(top, most))):
        most = apart(newest, top)
    # Far above the newest nothing was ever made, unless another result is there.
    is_near = newest >= 0 and (not is_far or is_other or offset.probed > 0)
    is_near = is_near and not (offset.is_ruled_out or offset.is_known() or _is_apart(recovery))
    nearby = offset.next_nearby(most) if offset.by or offset.other_by or is_near else 0
    while nearby and top + nearby <= 0:
        nearby = offset.next_nearby(most)
    if not nearby:
        return find_nothing(recovery, now)
    return recovery.turn_to(phases.PHASE_NEARBY, moved(top, nearby) or after(0))


def take_nearby(recovery, now):
    """There is a result near the highest ID known; return an OUTCOME_."""
    if recovery.ledger.is_like_top(recovery.answer):
        if recovery.offset.by:
            return _correct_top(recovery, now)
        if recovery.may_be_offset() and not recovery.is_pushed(recovery.ledger.octets):
            return wait_for_push(recovery)  # IDs are off, now or when that came
    return _ask_next(recovery, now)


def find_nothing(recovery, now):
    """What was sought is nowhere; return an OUTCOME_."""
    observed = recovery.observed
    if unpack_id(recovery.sought, 0) != recovery.ledger.top():
        return _end_push_sought(recovery, False)
    if observed.is_nothing():
        return phases.STEP_EMPTY
    if _is_apart(recovery) and not observed.is_reset and is_ahead(observed.newest, recovery.ledger.top()):
        return phases.STEP_COUNT_GOES_ON  # the memory has dropped it
    if recovery.ledger.doubted and not observed.is_reset and not observed.is_inconclusive:
        from toolcart.agent.openprotocol import nothing_above  # most connections are proven before they push

        if nothing_above.goes_on_from_push(recovery, False):
            recovery.start_over()
            return phases.OUTCOME_NONE
    from toolcart.agent.openprotocol import id_walk  # IDs that are off need none

    return id_walk.begin(recovery, observed.is_reset, now)


def _is_apart(recovery):
    """True if what is pushed has no ID, or not the memory's, and the highest ID known is the memory's."""
    if not (recovery.ledger.push_ids_differ() or recovery.ledger.has_unnamed()):
        return False
    from toolcart.agent.openprotocol.differing_push_ids import knows_memory  # hardly any controller pushes so

    return knows_memory(recovery)


def _may_be(answer, pushed):
    """True if the answer is what was pushed under its ID, or may be that in another writing."""
    from toolcart.agent.openprotocol.differing_formats import fits  # only where a push was sought

    return same(answer, pushed) or (unpack_id(answer, 0) == unpack_id(pushed, 0) and fits(answer, pushed))


def take_push_sought(recovery, now):
    """The push that was asked for in place of the highest known is answered; return an OUTCOME_."""
    recovery.observed.is_witness_there = True
    if _may_be(recovery.answer, recovery.sought):
        return _end_push_sought(recovery, True)
    return _ask_next(recovery, now)  # IDs that are too high are those of others


def take_absent(recovery, now):
    """There is nothing under the ID nearby that was asked for; return an OUTCOME_."""
    is_over = recovery.offset.probed == 1 and not recovery.observed.is_witness_there  # the oldest go first
    return find_nothing(recovery, now) if is_over else _ask_next(recovery, now)


def _end_push_sought(recovery, is_there):
    """The last push was asked for in place of the highest known: IDs are right, as far as can be found out.

    Where it was forgotten before it could be asked for, the next push may show more.
    """
    offset = recovery.offset
    if not (is_there or recovery.observed.is_witness_there) and offset.waits_for_another():
        recovery.switch_off(phases.PHASE_NO_ID)
        return phases.OUTCOME_NONE
    offset.is_ruled_out = is_there
    offset.needs_push = False
    offset.give_up()
    recovery.start_over()
    return phases.OUTCOME_NONE


def _correct_top(recovery, now):
    """W3: the highest one known came from an answer of this kind: that is its own ID. Return OUTCOME_NONE."""
    ledger = recovery.ledger
    recovery.start_over()
    top = ledger.top()
    ledger.begin()
    if ledger.ranges:
        from toolcart.agent.openprotocol import seen_ids  # hardly any connection needs it

        seen_ids.cut(ledger)
    ledger.correct_top(recovery.answer)
    if is_ahead(ledger.top(), top) and _has_in_front_of(recovery, ledger.top()):  # else it made them before the meeting
        ledger.add(following(top, ledger.top()), ledger.top())  # under their own IDs they were never asked for
    if not ledger.commit():
        recovery.wait_for_room(now)
    return phases.OUTCOME_NONE


def _has_in_front_of(recovery, number):
    """True if the log has a result in front of this ID."""
    for page, at, _ in recovery.duplicates.results(1):
        if all_digits(page, at + TIGHTENING_ID, ID_BYTES) and is_ahead(number, id_of(page, at + TIGHTENING_ID)):
            return True
    return False
