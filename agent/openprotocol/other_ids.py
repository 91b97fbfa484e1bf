"""An answer has another ID than was asked for: it is late, or its ID is off, or what was asked for cannot be had.

Rules
1. The first one may be late: the same is asked for once more. At the second time the ID that was asked for is gone.
2. Where nothing that was pushed can be compared, it may be off: then nothing is asked for before a push shows it
   (toolcart.agent.openprotocol.id_offset, rule 3).
3. If it is a result that was pushed, it is asked for under the ID that it was pushed with, too. If it is there, no ID
   is off: the controller has answered with it what is gone. Else by how much IDs are off is known when a second answer
   shows the same: then all starts over, and what a walk has found is put right. A result that another one equals in all
   but its ID shows nothing.

Imported where an answer has another ID than was asked for, or may be off.
"""

from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.id_offset import apart
from toolcart.agent.openprotocol.ids import before, put_id, unpack_id
from toolcart.agent.openprotocol.recovery_request import NEXT
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, fit, put_digest
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, ID_EPOCH

_PHASES_OF_NO_OFFSET = (phases.PHASE_PROBE, phases.PHASE_OWN_IDS, phases.PHASE_POLL)


def take_other_id(recovery, number, now):
    """Another ID came than was asked for: an answer to an earlier question, or at the second time its own.

    Then the one that was asked for cannot be had. Return an OUTCOME_.
    """
    if recovery.request.is_first_other():
        return phases.OUTCOME_NONE
    if lacks_push(recovery, recovery.offset.is_near(number, recovery.request.asked)):
        return wait_for_push(recovery)
    if forgets_offset(recovery):
        return phases.OUTCOME_NONE
    if recovery.contradictions.take_other_id(number, recovery.answer):
        return recovery.end_contradiction(now)
    observed = recovery.observed
    observed.is_witness_there = observed.is_witness_there or recovery.phase == phases.PHASE_WITNESS
    if observed.is_nothing() and recovery.phase == phases.PHASE_WITNESS:
        observed.take(number, recovery.answer)  # it has something, though it does not know ID 0
        observed.upto = number
    return phases.STEP_ANOTHER


def lacks_push(recovery, is_near=False):
    """True if an answer with another ID than was asked for shows nothing before something is pushed (rule 2).

    `is_near`: it has an ID nearby, and nothing that was pushed was found on this connection.
    """
    if not recovery.request.asked or recovery.phase in _PHASES_OF_NO_OFFSET:
        return False
    if recovery.offset.needs_push or not recovery.may_be_offset():
        return False
    return is_near or not recovery.is_pushed(recovery.ledger.octets)


def wait_for_push(recovery):
    """Nothing shows what these answers are as long as nothing is pushed that is known from elsewhere."""
    recovery.offset.needs_push = True
    ledger = recovery.ledger
    if recovery.is_pushed(ledger.last_push) and (recovery.first_record or not recovery.is_pushed(ledger.octets)):
        recovery.start_over()
    else:
        recovery.switch_off(phases.PHASE_NO_ID)
    return phases.OUTCOME_NONE


def forgets_offset(recovery):
    """Forget an offset of an earlier connection, which an answer speaks against; True if there was one."""
    if recovery.offset.is_proven:
        return False
    recovery.offset.forget()
    recovery.contradictions.forget_brought()
    recovery.start_over()
    return True


def forget_answers(recovery):
    """Some came unasked: each may have been taken for the answer to another question."""
    if recovery.can_poll():
        recovery.contradictions.opened()
        recovery.start_over()


def shows_offset(recovery, number):
    """True if the answer is what was sought, and was pushed, but ID or question are others (rule 3)."""
    sought = unpack_id(recovery.sought, 0)
    asked = recovery.request.asked
    if recovery.offset.is_ruled_out or not recovery.may_be_offset():
        return False
    if number == sought == asked or not are_alike(recovery.answer, recovery.sought):
        return False
    is_near = (number == sought or apart(number, sought)) and (asked == sought or apart(asked, sought))
    return bool(is_near) and recovery.is_pushed(recovery.sought) and is_told_apart(recovery, sought)


def take_suspect(recovery, number):
    """Take the answer to the question for the ID that was pushed (rule 3); return OUTCOME_NONE."""
    offset = recovery.offset
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, number)
    one = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in recovery.duplicates.results_of(bytes(ident), 1) if number == offset.suspect else ():
        put_digest(one, 0, page, at, flags)
        offset.is_ruled_out |= not flags & FLAG_RECOVERED and are_like(one, recovery.answer)
    offset.suspect = -1
    recovery.request.is_answer_to_next()
    return phases.OUTCOME_NONE


def is_pushed_as(recovery, ident, since):
    """True if the log has a push of this ID from this record on: what was fetched before may have a wrong one."""
    return any(not flags & FLAG_RECOVERED for _, _, flags in recovery.duplicates.results_of(bytes(ident), since))


def are_like(one, other):
    """True if nothing but the ID tells these apart: where one has no time, its values do."""
    return are_alike(one, other) or fit(one, other)


def is_told_apart(recovery, number):
    """True if what came is the result pushed under this ID, and can be no other one.

    It can if the log or ID 0 has one like it under another ID, or if another one was pushed under this in this count.
    """
    answer = recovery.answer
    newest = recovery.observed.top
    if unpack_id(newest, 0) not in (number, unpack_id(answer, 0)) and are_like(newest, answer):
        return False
    epoch = recovery.ledger.epoch()
    is_pushed = False
    one = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in recovery.duplicates.results(1):
        put_digest(one, 0, page, at, flags)
        is_like = are_like(one, answer)
        if unpack_id(one, 0) != number:
            if is_like:
                return False
        elif not flags & FLAG_RECOVERED:
            if not is_like and page[at - HEAD_BYTES + ID_EPOCH] == epoch:
                return False
            is_pushed = is_pushed or is_like
    return is_pushed


def put_right(recovery, number, pushed):
    """The result pushed as `pushed` came as `number`: put IDs right from now on if that is certain."""
    asked = recovery.request.asked
    if not recovery.offset.confirms(number, pushed, asked):
        if asked != pushed:
            recovery.offset.suspect = pushed
            recovery.request.state = NEXT
        return phases.OUTCOME_NONE
    recovery.contradictions.forget_brought()
    recovery.start_over()
    ledger = recovery.ledger
    first = ledger.ranges[0][0] if ledger.ranges else -1
    walk = recovery.walk
    # What a walk has found is as the answers say, and may be off.
    if walk is not None and walk.is_over and first >= walk.search.lowest():
        walk.is_over = False
        ledger.move_first(recovery.offset.corrected(first))
        for begin in reversed(walk.begins):  # under their own IDs these were not asked for
            ledger.add_in_front(begin, before(recovery.offset.corrected(begin)))
        walk.begins = ()
        ledger.try_save()
    return phases.OUTCOME_OFFSET if recovery.offset.by else phases.OUTCOME_NONE  # no ID is off: questions are
