"""Is the result that ID 0 brought the newest, and is its ID its own?

Rules
1. Where the highest result known, `top`, is still under its ID, or there was none, the newest is asked for under its
   own ID before anything follows from it. What is not there, or is another one there, was given a wrong ID: then ID 0
   shows nothing, as if it were not known there. So it is where the newest has the ID 0, or that of `top`, or is `top`
   under another ID. What is asked for upward ends with it. Where `top` is not there IDs may be off, and the walk shows
   it.
2. One that the log has, and behind which another one was pushed, is not the newest: the memory is late, or answers ID 0
   with an older one. So is `top` where the log has only others: it was there before the first meeting. Below `top` it
   shows nothing either; above `top`, where pushes have no ID of the memory, what is asked for goes on upward from it.
   What was pushed last and is below `top` is of a new count. What is above `top`, and came into the log in front of it,
   is of the count before.
3. What this connection has pushed above an N that is not below `top` is the newest: the memory is late. At the first
   meeting the first push is ours, and what is above it.
4. Another result that has the ID of the first push of this connection begins no count: as the first of several spindles
   is pushed the others are made, and some keep a result with another time. Only the first of these may be missing.
5. Where several results may have one ID, or stations share the IDs, nothing of this is asked.

Imported where the newest may be another one than ID 0 brought.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol import seen_ids
from toolcart.agent.openprotocol.differing_formats import digests, fits
from toolcart.agent.openprotocol.ids import ID_PERIOD, following, is_ahead, unpack_id
from toolcart.agent.openprotocol.question_revisions import NEWEST_SHOWS_NOTHING
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, are_alike, put_digest, same
from toolcart.agent.openprotocol.unnamed_spindles import are_near
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES


def shows_nothing(recovery):
    """True if it is known without a question that ID 0 shows nothing (rules 1 and 2)."""
    observed = recovery.observed
    ledger = recovery.ledger
    newest, top = observed.newest, ledger.top()
    is_above = recovery.is_top(observed.top) or not ledger.is_met() or is_ahead(newest, top)
    if newest < 1:  # it cannot be asked for, and is a result's only where a count ends
        return not (is_above and top > ID_PERIOD // 2)
    if is_above and not (ledger.has_unnamed() or ledger.push_ids_differ()):
        return _is_of_count_before(recovery)
    is_old = _is_old(recovery)
    observed.is_zero_absent = is_old and is_above
    return is_old and not is_above


def do_without(recovery, now):
    """The ID that ID 0 brought shows nothing on this connection; return an OUTCOME_."""
    newest = bytes(recovery.observed.top)
    recovery.revisions.lacks_newest = NEWEST_SHOWS_NOTHING
    recovery.ledger.first_of_empty = 0  # it has something, and it is not known under which ID
    if recovery.has_noted_seen:
        seen_ids.restore(recovery.ledger, recovery.seen_before)
        recovery.has_noted_seen = False
    recovery.contradictions.forget_newest()
    recovery.start_over()
    recovery.observed.end = newest
    return phases.STEP_ABSENT


def take_push(recovery):
    """The last push of this connection is above N; return the ID of the newest (rule 3)."""
    observed = recovery.observed
    ledger = recovery.ledger
    if not is_ahead(ledger.top(), observed.newest) and recovery.is_id_unique() and not recovery.may_push_ids_differ():
        observed.take(ledger.last_id, ledger.last_push)
        observed.is_held = True
    return observed.newest


def is_of_first_push(recovery):
    """True if the highest result known, whose ID is that of the first push of this connection, is that (rule 4)."""
    observed = recovery.observed
    top = recovery.ledger.octets
    if recovery.may_push_ids_differ() or not recovery.ownership.has_plain_ids():
        return False
    if is_ahead(observed.newest, unpack_id(top, 0)) and fits(observed.top, top):
        return False  # the newest is that: IDs are off
    return recovery.is_pushed(top, since=recovery.first_record)


def may_be_missing(recovery, answer):
    """True unless the answer, under the ID of `top`, is that in another writing, as their times show (rule 4)."""
    pushed = recovery.ledger.octets
    recovery.ledger.doubt(recovery.first_record)  # it may be that all the same
    return not (answer[TIME + 2] and pushed[TIME + 2]) or are_near(answer, pushed)


def take_first_push(recovery):
    """Take the first push at the first meeting, as the newest is known, and not written down (rule 3)."""
    observed = recovery.observed
    ledger = recovery.ledger
    newest = unpack_id(observed.top, 0)
    if ledger.last_id == newest and not same(observed.top, ledger.last_push):
        recovery.start_over()
    elif is_ahead(newest, ledger.last_id) and not recovery.ownership.shares:
        observed.first = following(ledger.last_id)


def _is_of_count_before(recovery):
    """True if the log has got `top` after the newest, which is above it: the count has begun anew between them."""
    of_newest = of_top = 0
    for record, _, digest, _ in digests(recovery.duplicates.results(1, recovery.duplicates.contents_most)):
        if recovery.is_top(digest):
            of_top = max(of_top, record)
        elif same(digest, recovery.observed.top):
            of_newest = max(of_newest, record)
    return 0 < of_newest < of_top


def _is_old(recovery):
    """Rule 2."""
    newest = recovery.observed.top
    one = bytearray(FINGERPRINT_BYTES)
    of_newest = last = 0
    is_there = False
    for page, at, flags in recovery.duplicates.results(1, recovery.duplicates.contents_most):
        record = get_u32(page, at - HEAD_BYTES)
        put_digest(one, 0, page, at, flags)
        is_it = are_alike(one, newest)
        is_there = is_there or is_it
        if not flags & FLAG_RECOVERED:
            last = max(last, record)
            if is_it:
                of_newest = max(of_newest, record)
    return of_newest < last and (is_there or recovery.ledger.is_top(newest))
