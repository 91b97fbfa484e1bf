"""What the rejection of a question means: there is no such result, not now, not in this revision, or never.

1. Code 15 says that it is gone. Once a result came on this connection any other code does, or none, but for "later" and
   "busy": the first rejection of an ID has it asked for once more, the second one counts, and its code at once from
   then on (`is_first_rejection`; rule 3 of toolcart.agent.openprotocol.recovery). ID 0 is not asked once more for that.
2. A revision that is rejected is followed by the next one (toolcart.agent.openprotocol.question_revisions).
3. What can be asked in no revision is counted (toolcart.agent.openprotocol.unfetchable).

Imported at once: an import takes memory each time, and a poll of an empty controller is rejected for years.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import error_codes, recovery_answers
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_NEVER, WHY_NONE
from toolcart.agent.openprotocol.ids import id_of

_FOR_GOOD = (error_codes.REJECTED_REVISION, error_codes.REJECTED_NEVER)
_NOT_THERE = const(15)  # the code of a result that the controller does not have


def take_rejection(recovery, kind, now, code=0):
    """Take a rejection of the REJECTED_ class `kind` with this code, if known; return an OUTCOME_."""
    if recovery_answers.is_not_awaited(recovery):
        return phases.OUTCOME_NONE
    is_later = kind == error_codes.REJECTED_LATER or kind == error_codes.REJECTED_BUSY
    # Not every controller says 15 of an ID that is not there: one that has answered other questions says it by any
    # code, or by none; and one that does not know ID 0 may reject that so for ever. Where stations share the IDs
    # one that is not there is answered with another: whatever is rejected without 15 may be there.
    is_certain = recovery.request.asked or recovery.phase == phases.PHASE_POLL
    is_certain = is_certain or (recovery.revisions.lacks_newest and recovery.ledger.top() > 0)
    is_absent = recovery.has_answered and is_certain and not recovery.ownership.shares
    is_absent = is_absent or recovery.phase == phases.PHASE_PROBE
    is_absent = is_absent or (
        recovery.is_newest_tried() and kind == error_codes.REJECTED_OTHER and recovery.ledger.top() > 0
    )
    if kind == error_codes.REJECTED_GONE:
        recovery.revisions.is_answered()
    if kind == error_codes.REJECTED_GONE or (is_absent and not is_later):
        if recovery_answers.starts_over(recovery):
            return phases.OUTCOME_NONE
        number = id_of(recovery.ask_id, 0)
        if kind != error_codes.REJECTED_GONE and number and recovery.request.is_first_rejection(number, code):
            return phases.OUTCOME_NONE
        recovery.why = _why_of(code, WHY_NONE)
        if recovery.request.asked:
            recovery.unanswered = 0
        return phases.STEP_ABSENT
    recovery.why = _why_of(code, WHY_NEVER)
    recovery.is_later = is_later
    if is_later:
        recovery.revisions.is_deferred(recovery.has_answered or recovery.was_answered())
    does_without = recovery.phase == phases.PHASE_NEWEST and recovery.revisions.does_without_newest
    if recovery.revisions.turns(kind, recovery.has_answered or does_without):
        return phases.OUTCOME_NONE
    is_for_good = kind in _FOR_GOOD
    if is_for_good and recovery.was_answered() and recovery.revisions.may_be_known():
        # The revision that it has answered in before was rejected for another reason.
        return recovery.ask_again_later(now)
    is_for_newest = recovery.phase == phases.PHASE_NEWEST and recovery.ledger.top() > 0 and not is_later
    is_for_newest = is_for_newest and recovery.revisions.lack_newest_alone()
    if is_for_newest or is_for_good:
        from toolcart.agent.openprotocol import unfetchable

        return unfetchable.cannot_ask_this(recovery, now)
    return recovery.ask_again_later(now)


def _why_of(code, otherwise):
    """Return why an ID is gone that was rejected with this code; `otherwise` where that says nothing, or is 15."""
    return -code if code > 0 and code != _NOT_THERE else otherwise
