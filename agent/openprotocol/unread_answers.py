"""An answer of which only the ID can be read: it is kept as it came, and tells what its ID and its frame tell.

Rule 11 of toolcart.agent.openprotocol.recovery. Imported where one came: hardly any controller has such answers.
"""

from toolcart.agent.openprotocol import recovery_answers
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.count_check import has_both
from toolcart.agent.openprotocol.ids import id_at
from toolcart.agent.openprotocol.result_digest import put_unread
from toolcart.agent.record.result import TIGHTENING_ID


def take_unread(recovery, body, start, check, now, frame=b""):
    """The same for an answer of which only the ID can be read; OUTCOME_STORE: it is to be kept as it came.

    `check`, 30 bits, tells its frame, or as much of it as there is in `frame`, from others, under any ID where the
    frame has a time.
    """
    recovery.frame = frame
    if recovery_answers.is_not_awaited(recovery):
        return phases.OUTCOME_NONE
    number = id_at(body, start + TIGHTENING_ID)
    if number < 0 and recovery.ledger.is_unanswering():
        return recovery.cannot_ask(now)
    if recovery_answers.starts_over(recovery):
        return phases.OUTCOME_NONE
    if number >= 0:
        number = recovery.offset.corrected(number)
    if number < 0 and recovery.phase == phases.PHASE_FILL:
        number = recovery.request.asked
    if number < 0:
        return recovery_answers.take_without_id(recovery, now)
    put_unread(recovery.answer, number, check)
    last = recovery.ledger.last_id
    if recovery.phase == phases.PHASE_FILL and number == recovery.request.asked and last >= 0 and last != number:
        if recovery.is_id_unique() and has_both(frame, recovery.ledger.last_push):
            return phases.STEP_ANOTHER  # the newest by now, which is answered for what is gone
    return recovery_answers.take_result(recovery, number, False, now)
