"""A question brought no usable answer: it is asked again after a pause, or the ID is put off, or given up.

Rules
1. A poll is over; a missing ID is put off if it can be (toolcart.agent.openprotocol.deferred_ids); "later" is believed
   for ever, unless rule 5 says otherwise.
2. IN_A_ROW_MOST in a row, on however many connections, show that there will be no answer: before anything is proven
   nothing can be asked for, later the ID is gone. So it is sooner where nothing was ever answered, and no one has said
   "later". Where that was ID 0, the highest result known is asked for first.
3. Else an ID is asked for until it is given up while the next one is answered
   (toolcart.agent.openprotocol.recovery_request). The newest is done without where it is known what is missing.
4. A controller that ends connections with such a question is not asked on this one.
5. What is looked for, the highest result known or the end of a walk, is not there if it is in vain UNANSWERED_MOST
   times and once more after one that is there was answered: some say "later", or nothing, of what is gone. "Later" is
   waited for once; then one that is there is asked for in front of each further time, and UNANSWERED_MOST are enough.
   From then on the same word means so at once, silence at the second time.
6. Nor is what is sought there if its question has ended three connections in a row on which others were answered, nor
   are those near it. On a way up or down one alone shows nothing: if the next one is answered, it may be missing; if
   that ends connections too, neither is there, nor are those behind them. So it is with one that is answered with
   another result: if the next one is too, neither is there.

Imported where a question is in vain.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import deferred_ids, range_fetch
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_SILENT
from toolcart.agent.openprotocol.ids import after, is_ahead
from toolcart.agent.openprotocol.question_revisions import NEWEST_UNANSWERED
from toolcart.agent.openprotocol.recovery_request import LATER_MOST, NEXT, UNANSWERED_MOST

IN_A_ROW_MOST = const(45)  # some 34 minutes of silence
_SILENT_MOST = const(3)


def ask_again_later(recovery, now):
    """Take a question without a usable answer; return an OUTCOME_."""
    phase = recovery.phase
    if phase == phases.PHASE_POLL:
        return recovery.end_poll(True)  # nothing is known to be missing
    if _is_missing_put_off(recovery, now):
        return phases.OUTCOME_NONE
    is_looked_for = deferred_ids.known_there(recovery) >= 0
    if is_looked_for and _is_gone_like_others(recovery):
        return _take_as_gone(recovery, now)
    # Else it is neither gone nor without an answer, however often.
    if recovery.is_later and phase != phases.PHASE_PROBE and not is_looked_for:
        recovery.retry.start(now, recovery.retry_ms)
        return phases.OUTCOME_NONE
    recovery.unanswered += not recovery.is_later
    if _asks_in_vain(recovery):
        return _go_on_in_vain(recovery, now)
    if _can_do_without_newest(recovery):
        return phases.STEP_ABSENT
    is_certain = phase != phases.PHASE_NEWEST and (
        phase not in phases.PHASES_OF_KNOWN or not recovery.observed.is_nothing()
    )
    is_put_off = recovery.is_later and is_looked_for
    if not recovery.request.fails(is_certain, LATER_MOST if is_put_off else UNANSWERED_MOST):
        return _give_up(recovery, now)
    if phase == phases.PHASE_PROBE and recovery.request.tries >= UNANSWERED_MOST:
        from toolcart.agent.openprotocol import shared_ids  # where it is, that is loaded

        shared = recovery.ownership.shared
        if not shared.asks_log:
            shared.is_proven = shared.is_probed = True  # nothing more will be said about it
        return shared_ids.take_probed(recovery, False, now)
    is_at_once = is_put_off and recovery.request.state == NEXT
    recovery.retry.start(now, 0 if is_at_once else recovery.retry_ms)  # a ring drops the others while one waits
    return phases.OUTCOME_NONE


def passes_over(recovery, number, now):
    """True if this ID, which is looked for, is taken as gone without a question (rule 6)."""
    if number < 1 or not recovery.deferred.is_passed_over(number, now):
        return False
    recovery.why = WHY_SILENT
    if recovery.phase == phases.PHASE_NEARBY:
        from toolcart.agent.openprotocol import nearby_search

        recovery.follow(nearby_search.find_nothing(recovery, now), now)
    else:
        _end_way(recovery, recovery.ownership.gone_most // 2, True)
        recovery.follow(phases.STEP_ABSENT, now)
    return True


def next_of(recovery):
    """Return which ID to ask for in the state NEXT."""
    if recovery.offset.suspect >= 0:
        return recovery.offset.suspect
    number = deferred_ids.known_there(recovery)
    last = recovery.ledger.last_id
    if recovery.is_later and 0 <= number == recovery.observed.newest and last > 0 and is_ahead(last, number):
        number = last  # pushed since: a small memory may have dropped what was the newest
    return after(recovery.request.asked) if number < 0 or number == recovery.request.asked else number


def _is_gone_like_others(recovery):
    """True if what was just asked in vain is answered like another one that was given up."""
    request = recovery.request
    return request.given_up_for == recovery.why and (recovery.is_later or request.tries > 0)


def _take_as_gone(recovery, now):
    """What is looked for is not there, or it is as if it were not; return an OUTCOME_.

    Silence may be an accident: so many in a row end a way, else each takes a minute.
    """
    if not recovery.is_later:
        _end_way(recovery, recovery.ownership.gone_most // _SILENT_MOST)
    return phases.STEP_ABSENT


def take_another(recovery):
    """What was asked for was answered with another result: as if it were not there (rule 6). Return STEP_ABSENT."""
    recovery.why = WHY_SILENT
    _end_way(recovery, 0, True)
    return phases.STEP_ABSENT


def _end_way(recovery, most, may_be_there=False):
    """So many more IDs in a row count as gone in front of the one asked for, which `may_be_there`."""
    if recovery.phase == phases.PHASE_WALK:
        recovery.walk.search.skip(most, may_be_there)
    elif recovery.ended() is not None:
        recovery.ended().skip(most, may_be_there)
    recovery.observed.gone_run += most


def _is_missing_put_off(recovery, now):
    """True if the missing ID that was just asked for in vain is put off, since others may be missing."""
    if recovery.request.state == NEXT or not deferred_ids.fails_for_now(recovery, now, False):
        return False
    recovery.unanswered += not recovery.is_later
    deferred_ids.pass_over(recovery, recovery.request.asked)
    return True


def _asks_in_vain(recovery):
    """True if questions were asked in vain for so long that there will be no answer (rule 2)."""
    is_last = recovery.phase == phases.PHASE_WITNESS and recovery.unanswered > UNANSWERED_MOST
    is_tried = is_last or recovery.is_newest_tried(1)
    is_answered = recovery.was_answered() or recovery.has_answered or recovery.is_later
    return recovery.unanswered >= IN_A_ROW_MOST or (is_tried and not is_answered)


def _can_do_without_newest(recovery):
    """True if the newest was asked for in vain though others are answered: the highest known shows as much."""
    revisions = recovery.revisions
    is_known = revisions.does_without_newest or (revisions.lacks_newest and recovery.has_answered)
    is_tried = recovery.is_newest_tried(UNANSWERED_MOST if is_known else 1)
    # A first look that was cut short leaves nothing behind that says so but `does_without_newest`.
    is_answered = is_known or recovery.was_answered() or recovery.has_answered
    if not (is_tried and is_answered and recovery.ledger.top() > 0):
        return False
    revisions.lacks_newest = NEWEST_UNANSWERED
    return True


def _go_on_in_vain(recovery, now):
    """Nothing was answered for long: before anything is proven nothing can be asked for; later, it is gone."""
    if recovery.flags or recovery.ledger.is_unanswering():
        from toolcart.agent.openprotocol import unfetchable

        return unfetchable.cannot_ask_this(recovery, now)
    if recovery.phase == phases.PHASE_FILL and not recovery.turn_spindle():
        return range_fetch.close_asked(recovery, not recovery.request.there)
    return phases.STEP_ABSENT


def _give_up(recovery, now):
    """Give up an ID that is not answered while the next one is; return an OUTCOME_."""
    phase = recovery.phase
    is_there = recovery.request.there
    if phase == phases.PHASE_FILL:
        return phases.OUTCOME_NONE if recovery.turn_spindle() else range_fetch.close_asked(recovery, not is_there)
    if deferred_ids.known_there(recovery) >= 0:
        recovery.request.given_up_for = recovery.why
        return _take_as_gone(recovery, now)
    is_rejected = phase == phases.PHASE_OWN_IDS and recovery.why != WHY_SILENT
    if phase in phases.PHASES_OF_KNOWN + (phases.PHASE_COMPARE, phases.PHASE_CONFIRM) or is_rejected:
        return phases.STEP_ABSENT
    return phases.STEP_MAY_BE_THERE


def requests_suspended(recovery, now):
    """Rule 4; return an OUTCOME_. One that has answered before is believed to do so again, until that comes twice."""
    if recovery.revisions.put_off:
        recovery.switch_off(phases.PHASE_OFF)
        recovery.retry.start(now, phases.OFF_MS)
        return phases.OUTCOME_NONE
    if recovery.why >= 0:
        recovery.unanswered += 0 if recovery.was_suspended else IN_A_ROW_MOST // 2 + 1
        recovery.was_suspended = True
        if recovery.was_answered() and recovery.unanswered < IN_A_ROW_MOST:
            recovery.switch_off(phases.PHASE_OFF)
            recovery.retry.start(now, phases.OFF_MS)
            return phases.OUTCOME_NONE
    from toolcart.agent.openprotocol import unfetchable

    recovery.revisions.go_on_later()
    return unfetchable.cannot_ask(recovery, now)
