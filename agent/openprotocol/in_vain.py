"""A question brought no usable answer: it is asked again after a pause, or the ID is put off, or given up.

Rules
1. A poll is over; a missing ID is put off if it can be (toolcart.agent.openprotocol.put_off); "later" is believed for
   ever.
2. VAIN_MOST in a row, on however many connections, show that there will be no answer: before anything is proven nothing
   can be asked for, later the ID is gone. So it is sooner where nothing was ever answered, and no one has said "later".
   Where that was ID 0, the highest result known is asked for first.
3. Else an ID is asked for until it is given up while the next one is answered
   (toolcart.agent.openprotocol.recovery_request). The newest is done without where it is known what is missing.
4. A controller that ends connections with such a question is not asked on this one.

Imported where a question is in vain.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import put_off, range_fetch
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_SILENT
from toolcart.agent.openprotocol.recovery_request import NEXT, UNANSWERED_MOST

VAIN_MOST = const(45)  # some 34 minutes of silence


def ask_again_later(recovery, now):
    """Take a question without a usable answer; return a NEWS_."""
    phase = recovery.phase
    if phase == phases.PHASE_POLL:
        return recovery.end_poll(True)  # nothing is known to be missing
    if _is_missing_put_off(recovery, now):
        return phases.NEWS_NONE
    if recovery.is_later and phase != phases.PHASE_PROBE:  # it is neither gone nor without an answer, however often
        recovery.retry.start(now, recovery.retry_ms)
        return phases.NEWS_NONE
    recovery.vain += 1
    if _asks_in_vain(recovery):
        return _go_on_in_vain(recovery, now)
    if _can_do_without_newest(recovery):
        return recovery.take_absent(now)
    is_certain = phase != phases.PHASE_NEWEST and (
        phase not in phases.PHASES_OF_KNOWN or not recovery.observed.is_nothing()
    )
    if not recovery.request.fails(is_certain):
        return _give_up(recovery, now)
    if phase == phases.PHASE_PROBE and recovery.request.tries >= UNANSWERED_MOST:
        recovery.ownership.shared.is_proven = True  # nothing more will be said about it
        return recovery.compare_newest(now)
    recovery.retry.start(now, recovery.retry_ms)
    return phases.NEWS_NONE


def _is_missing_put_off(recovery, now):
    """True if the missing ID that was just asked for in vain is put off, since others may be missing."""
    if recovery.request.state == NEXT or not put_off.fails_for_now(recovery, now, False):
        return False
    recovery.vain += not recovery.is_later
    put_off.pass_over(recovery, recovery.request.asked)
    return True


def _asks_in_vain(recovery):
    """True if questions were asked in vain for so long that there will be no answer (rule 2)."""
    is_last = recovery.phase == phases.PHASE_WITNESS and recovery.vain > UNANSWERED_MOST
    is_tried = is_last or recovery.is_newest_tried(1)
    return recovery.vain >= VAIN_MOST or (is_tried and not (recovery.was_answered() or recovery.is_later))


def _can_do_without_newest(recovery):
    """True if the newest was asked for in vain though others are answered: what is missing is known without it."""
    ledger = recovery.ledger
    return recovery.is_newest_tried(1) and recovery.was_answered() and ledger.top() > 0 and len(ledger.ranges) > 0


def _go_on_in_vain(recovery, now):
    """Nothing was answered for long: before anything is proven nothing can be asked for; later, it is gone."""
    if recovery.flags or recovery.ledger.is_unasked():
        return recovery.cannot_ask_this(now)
    if recovery.phase == phases.PHASE_FILL and not recovery.turn_spindle():
        return range_fetch.close_asked(recovery, not recovery.request.there)
    return recovery.take_absent(now)


def _give_up(recovery, now):
    """Give up an ID that is not answered while the next one is; return a NEWS_."""
    phase = recovery.phase
    is_there = recovery.request.there
    if phase == phases.PHASE_FILL:
        return phases.NEWS_NONE if recovery.turn_spindle() else range_fetch.close_asked(recovery, not is_there)
    is_rejected = phase == phases.PHASE_SEEK and recovery.why != WHY_SILENT
    if phase in phases.PHASES_OF_KNOWN or phase == phases.PHASE_COMPARE or is_rejected:
        return recovery.take_absent(now)
    return recovery.go_on_searching(recovery.request.asked, True, now)  # it may be there


def shut_out(recovery, now):
    """Rule 4; return a NEWS_. One that has answered before is believed to do so again, until that comes twice."""
    if recovery.is_later:
        recovery.switch_off(phases.PHASE_OFF)
        recovery.retry.start(now, phases.OFF_MS)
        return phases.NEWS_NONE
    if recovery.why >= 0:
        recovery.vain += 0 if recovery.is_shut_out else VAIN_MOST // 2 + 1
        recovery.is_shut_out = True
        if recovery.was_answered() and recovery.vain < VAIN_MOST:
            recovery.switch_off(phases.PHASE_OFF)
            recovery.retry.start(now, phases.OFF_MS)
            return phases.NEWS_NONE
    return recovery.cannot_ask(now)
