"""What an answer means, by the phase that asked: it is there, it is gone, or there is none.

1. An answer counts once, and only to the question that waits for it; a late one as if it came in time.
2. Before it is taken it is seen whether it is what was asked for: its ID may be off, another station's, or that of
   another result (toolcart.agent.openprotocol.other_ids, shared_ids, contradictions).
3. What follows in each phase is in the table of toolcart.agent.openprotocol.recovery_phases. A part that does not know
   what comes behind it returns a STEP_; `take_step` does that.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol import id_continuity, look_conclusion, range_fetch
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.duplicate_search import HELD
from toolcart.agent.openprotocol.gap_fill import WHY_NONE, WHY_SILENT
from toolcart.agent.openprotocol.ids import after, id_at, moved, put_id, unpack_id
from toolcart.agent.openprotocol.recovery_request import NEXT, UNANSWERED_MOST
from toolcart.agent.openprotocol.result_digest import are_alike, is_unread, put_digest
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    TIGHTENING_ID,
    TIME,
    TORQUE,
)

_OFF = const(13)
_PHASES_LOOKED_UP = (phases.PHASE_NEWEST, phases.PHASE_WITNESS, phases.PHASE_UPWARD, phases.PHASE_POLL)


def take_step(recovery, step, now):
    """Do this STEP_; return an OUTCOME_, or the next STEP_."""
    if step == phases.STEP_ABSENT:
        return take_absent(recovery, now)
    if step == phases.STEP_ANOTHER:
        from toolcart.agent.openprotocol import unanswered_requests  # hardly any controller answers so

        return unanswered_requests.take_another(recovery)
    if step == phases.STEP_MAY_BE_THERE:
        return _go_on_searching(recovery, True, now)
    if step == phases.STEP_COMPARE_NEWEST:
        return id_continuity.compare_newest(recovery, now)
    if step == phases.STEP_WITHOUT_NEWEST:
        return id_continuity.go_on_without_newest(recovery, now)
    if step == phases.STEP_COUNT_GOES_ON:
        return id_continuity.count_goes_on(recovery, now)
    return id_continuity.conclude_empty(recovery, now)


def take_answer(recovery, body, start, now, flags=0, length=0):
    """Take the answer to the last request, a body with the flags its record would have; return an OUTCOME_.

    `length` is that of its payload, which begins HEAD_BYTES in front of the body.

    It may have used the stage unless that is OUTCOME_STORE: then `stored` or `wait_for_room` comes next.
    """
    recovery.has_answered = True
    recovery.revisions.is_answered()
    if is_not_awaited(recovery):
        return phases.OUTCOME_NONE
    asked = recovery.request.asked
    is_blank = _is_blank_record(body, start)
    number = id_at(body, start + TIGHTENING_ID)
    is_other = (number != asked or is_blank) if asked else (number < 0 and not is_blank)
    if is_other and recovery.ledger.is_unanswering():
        return recovery.cannot_ask(now)  # neither ID 0 nor a real one brings what was asked for
    if starts_over(recovery):
        return phases.OUTCOME_NONE
    if is_blank:
        return take_absent(recovery, now)
    at = start + TIGHTENING_ID
    if number < 0:
        return take_without_id(recovery, now)
    by = recovery.offset.by
    if by:
        number = recovery.offset.corrected(number)
    if by or not all_digits(body, at, ID_BYTES):
        put_id(body, at, number)
    put_digest(recovery.answer, 0, body, start, flags)
    if recovery.request.state == NEXT and recovery.offset.suspect >= 0:
        from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

        return other_ids.take_suspect(recovery, number)
    phase = recovery.phase
    is_searched = phase in _PHASES_LOOKED_UP or recovery.has_several()
    is_logged = (
        is_searched and recovery.duplicates.holds(body, start - HEAD_BYTES, length, flags | FLAG_RECOVERED) == HELD
    )
    if phase == phases.PHASE_FILL and not (is_logged or recovery.offset.is_ruled_out) and recovery.may_be_offset():
        from toolcart.agent.openprotocol.stored_nearby import ahead_of_stored  # only while something is fetched

        near = ahead_of_stored(recovery.duplicates, body, start, length, flags | FLAG_RECOVERED, number)
        if near:
            from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

            if other_ids.is_told_apart(recovery, moved(number, -near)):
                return other_ids.put_right(recovery, number, moved(number, -near))
    is_walked = phase == phases.PHASE_WALK and number == recovery.request.asked
    if is_walked and recovery.asks_own_station() and not recovery.offset.is_known():
        from toolcart.agent.openprotocol.stored_contents import is_pushed_as_another  # hardly any connection walks

        is_pushed_as_another(recovery, body, start, flags)
    if phase == phases.PHASE_FILL and number == recovery.request.asked and recovery.ledger.doubted:
        from toolcart.agent.openprotocol.stored_contents import turns_to_compare_pushed  # what is stored was read

        if turns_to_compare_pushed(recovery, number):
            return phases.OUTCOME_NONE
    return take_result(recovery, number, is_logged, now)


def take_silence(recovery, now):
    """No answer came: ask for the same again later; return an OUTCOME_."""
    if is_not_awaited(recovery):
        return phases.OUTCOME_NONE
    recovery.why = WHY_SILENT
    recovery.is_later = False
    phase, asked = recovery.phase, recovery.request.asked
    outcome = recovery.follow(recovery.ask_again_later(now), now)
    recovery.may_be_late = recovery.retry.armed and (recovery.phase, recovery.request.asked) == (phase, asked)
    return outcome


def starts_over(recovery):
    """There is an answer; True if none was to be expected: then the look begins anew."""
    ledger = recovery.ledger
    recovery.why = WHY_NONE
    if not ledger.is_unanswering():
        return False
    ledger.put_unanswering(False)
    recovery.flags = FLAG_UNPROVEN
    ledger.try_save()  # a start that does not know it yet learns it from the next answer
    recovery.start_over()
    return True


def is_not_awaited(recovery):
    """Take note of an answer; True if it is to an earlier question, or to none."""
    request = recovery.request
    waited, request.waits = request.waits, False
    recovery.is_later = False
    if recovery.may_be_late:  # it is to the question that is to be asked again
        waited = True
        recovery.may_be_late = False
        recovery.retry.stop()
        request.again()
    return not waited or recovery.phase >= _OFF


def take_without_id(recovery, now):
    """Take an answer without an ID; return an OUTCOME_.

    If the newest has none again and again, whatever is pushed meanwhile, nothing can be asked for until one has. Where
    pushes have IDs it is like no answer: what they skip counts at last.
    """
    ledger = recovery.ledger
    recovery.why = WHY_SILENT
    if recovery.phase == phases.PHASE_POLL:
        recovery.start_over()  # else each poll would find that nothing is unknown
        return phases.OUTCOME_NONE
    is_last = recovery.phase == phases.PHASE_NEWEST and recovery.unanswered + 1 >= UNANSWERED_MOST
    if not is_last or (ledger.is_met() and not (ledger.has_unnamed() or ledger.push_ids_differ())):
        return recovery.ask_again_later(now)
    recovery.switch_off(phases.PHASE_NO_ID)
    return phases.OUTCOME_NONE


def take_result(recovery, number, is_logged, now):
    """Take the result `number` in `answer`; `is_logged`: by what was looked up. Return an OUTCOME_."""
    phase = recovery.phase
    request = recovery.request
    ownership = recovery.ownership
    if number != request.asked and recovery.is_id_unique() and not is_unread(recovery.answer):
        if recovery.contradictions.gives_one_id_to_two(number, recovery.answer, recovery.observed.top):
            return recovery.end_contradiction(now)
    if request.is_answer_to_next():
        return phases.OUTCOME_NONE
    if phase == phases.PHASE_COMPARE:
        if number != request.asked and request.is_first_other():
            return phases.OUTCOME_NONE
        return _take_compared(recovery, number == request.asked, now)
    if phase in phases.PHASES_OF_KNOWN and not number == request.asked == unpack_id(recovery.sought, 0):
        from toolcart.agent.openprotocol import other_ids  # hardly any controller's IDs are off

        if other_ids.shows_offset(recovery, number):
            return other_ids.put_right(recovery, number, unpack_id(recovery.sought, 0))
    if ownership.shared is None and request.asked and number != request.asked:
        from toolcart.agent.openprotocol import other_ids  # hardly any controller answers another question

        if other_ids.lacks_push(recovery):
            return other_ids.take_other_id(recovery, number, now)
    if ownership.shared is not None:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        judged = shared_ids.judge(recovery, number)
        if judged != shared_ids.JUDGED_FINE:
            return shared_ids.take_judged(recovery, judged)
    if phase == phases.PHASE_NEWEST:
        return id_continuity.take_newest(recovery, number, is_logged, now)
    if phase == phases.PHASE_PROBE:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        return shared_ids.take_probed(recovery, False, now)
    if phase == phases.PHASE_POLL:
        is_inconclusive = number == recovery.ledger.top() and id_continuity.answers_inconclusively(
            recovery, recovery.answer
        )
        return recovery.end_poll(is_logged or is_inconclusive or recovery.is_top(recovery.answer), number)
    # Who shares the IDs answers with the nearest lower one: by its digits, so past a wrap too.
    is_lower = ownership.shares and number < request.asked
    if (is_lower and phase == phases.PHASE_FILL) or (
        phase == phases.PHASE_OWN_IDS and (number == request.asked or is_lower)
    ):
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        return shared_ids.take_answer(recovery, number)
    if number == request.asked:
        return _take_there(recovery, number, is_logged, now)
    if is_lower:
        return take_absent(recovery, now)
    # Hardly any controller answers another question.
    from toolcart.agent.openprotocol.other_ids import take_other_id

    return take_other_id(recovery, number, now)


def _take_there(recovery, number, is_logged, now):
    """The ID that was asked for is there; return an OUTCOME_."""
    phase = recovery.phase
    recovery.unanswered = 0
    recovery.revisions.does_without_newest = recovery.revisions.lacks_newest > 0
    first = recovery.came_first_as(number)
    is_repeat = first != number  # one of the two IDs is wrong
    is_new = not (is_repeat or is_unread(recovery.answer))
    is_way = phase == phases.PHASE_WALK or phase == phases.PHASE_UPWARD
    if is_way and recovery.contradictions.proves_nothing(is_new):
        return recovery.end_contradiction(now)
    if is_repeat and first == recovery.contradictions.newest:
        if (
            phase == phases.PHASE_WITNESS
            and id_continuity.is_unconfirmed(recovery)
            and recovery.is_top(recovery.answer)
        ):
            return id_continuity.end_confirming(recovery, False, now)  # the newest was given another ID than its own
        return phases.STEP_ANOTHER
    if recovery.contradictions.repeats_itself(is_repeat):
        return recovery.end_contradiction(now)
    if phase == phases.PHASE_WALK and not is_repeat and not recovery.walk.takes(recovery, number):
        return _go_on_searching(recovery, False, now)
    if is_repeat and (is_way or phase == phases.PHASE_FILL):  # each ID is to bring a result of its own
        return phases.STEP_ANOTHER
    recovery.contradicts = False
    if phase == phases.PHASE_CONFIRM:
        return id_continuity.end_confirming(recovery, True, now)
    if phase == phases.PHASE_WITNESS:
        return id_continuity.take_witness(recovery, is_logged, now)
    if phase == phases.PHASE_NEARBY:
        from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

        return nearby_search.take_nearby(recovery, now)
    if phase == phases.PHASE_FILL:
        return range_fetch.take_missing(recovery)
    if _rises(recovery):
        return _go_on_searching(recovery, recovery.walk.ended.is_lacking(recovery, number, is_logged), now)
    if phase == phases.PHASE_UPWARD:
        recovery.observed.take(number, recovery.answer)
        recovery.observed.miss_up_to_newest(is_logged)
        if recovery.observed.end and are_alike(recovery.answer, recovery.observed.end):
            return look_conclusion.end_up(recovery, now)
    return _go_on_searching(recovery, True, now)


def take_absent(recovery, now):
    """The controller has nothing under the ID that was asked for; return an OUTCOME_."""
    phase = recovery.phase
    request = recovery.request
    if request.is_answer_to_next() or recovery.turn_spindle():
        return phases.OUTCOME_NONE
    if phase == phases.PHASE_NEWEST:
        if recovery.observed.is_nothing():
            return id_continuity.take_no_newest(recovery, now)
        return id_continuity.look_at_sharing(recovery, now)
    if phase == phases.PHASE_PROBE:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        return shared_ids.take_probed(recovery, True, now)
    if phase == phases.PHASE_POLL:
        top = recovery.ledger.top()
        if request.asked or top < 0:
            return recovery.end_poll(True)
        return recovery.turn_to(phases.PHASE_POLL, after(top))  # 0 may be unknown there
    if phase == phases.PHASE_COMPARE:
        return _take_compared(recovery, False, now)
    if phase == phases.PHASE_CONFIRM:
        return id_continuity.end_confirming(recovery, False, now)
    if phase == phases.PHASE_WITNESS:
        return id_continuity.search_nearby(recovery, request.there, now)
    if phase == phases.PHASE_NEARBY:
        from toolcart.agent.openprotocol import nearby_search  # hardly any controller's IDs are off

        return nearby_search.take_absent(recovery, now)
    if phase == phases.PHASE_FILL:
        recovery.gap_fill.gone_run += not request.there
        if not request.there and _is_unchecked(recovery):
            from toolcart.agent.openprotocol.stored_contents import is_id_stored  # hardly any is gone

            if not is_id_stored(recovery):
                recovery.is_checked = True
                recovery.start_over()
                return phases.OUTCOME_NONE
        return range_fetch.close_asked(recovery, not request.there)
    if phase == phases.PHASE_OWN_IDS:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        return shared_ids.take_absent(recovery)
    return _go_on_searching(recovery, False, now)


def _go_on_searching(recovery, there, now):
    """Turn to the next question of a walk or a stretch, or to its end; return an OUTCOME_."""
    request = recovery.request
    observed = recovery.observed
    if recovery.phase == phases.PHASE_OWN_IDS:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        return shared_ids.add_answer(recovery, request.asked, there)
    if _rises(recovery):
        from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

        return id_walk.rise(recovery, there, now)
    if recovery.phase == phases.PHASE_UPWARD:
        observed.gone_run = 0 if there else observed.gone_run + 1
        if observed.gone_run >= recovery.ownership.gone_most:
            return look_conclusion.end_up(recovery, now)
        request.begin(after(request.asked))
    elif recovery.walk.search.answered(there):
        request.begin(recovery.walk.search.asked)
    else:
        from toolcart.agent.openprotocol import id_walk  # hardly any connection needs one

        return id_walk.end(recovery, now)
    return phases.OUTCOME_NONE


def _take_compared(recovery, is_there, now):
    """Take the result that was asked for, or that it is not there, and turn to the next one; return an OUTCOME_."""
    if recovery.check is not None:
        return recovery.check.take_answer(recovery, is_there, now)
    from toolcart.agent.openprotocol import differing_formats  # hardly any controller writes them otherwise

    return differing_formats.take_answer(recovery, recovery.answer if is_there else None)


def _is_unchecked(recovery):
    """True if it is to be seen whether the highest ID known stands, before what was skipped in front is gone."""
    is_checked = recovery.is_checked or recovery.offset.is_ruled_out or recovery.gap_fill.differing_push_ids
    return not (is_checked or recovery.flags) and recovery.is_id_unique()


def _rises(recovery):
    """True if what the count before may have left is asked for."""
    return recovery.walk is not None and recovery.walk.rises()


def _is_blank_record(body, start):
    """True if there is neither a time nor a torque nor an angle: no result, whatever ID it has."""
    for index in range(start + TORQUE, start + TIME):
        octet = body[index]
        if octet != 0x30 and octet != 0x20:
            return False
    return not body[start + TIME + 2]  # a month
