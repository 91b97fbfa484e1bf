"""Results that come as MID 1201 and 1202, and what a controller needs that sends each of them once (002:316-327).

Rules
1. A result is acknowledged as a whole: each part in front of the last one when it is here, the last one when the result
   is durable. A controller that waits for each acknowledgement goes on then (003:7022-7040), one that ignores them (MT
   Focus 6000) loses nothing by it.
2. A part that is lost, foreign, late or came before is told (`controller malformed`) and never put together with
   others. What is lost is asked for: the controller's newest shows what is missing.
3. A MT Focus 6000 cannot be held back: what is pushed while nothing can be stored is lost to the push. Its session is
   ended while there is room for RESERVE_RESULTS, not when there is none; what it makes meanwhile is fetched later. The
   end takes 6 s at most (an answer that is out, MID 0003), and a screw takes a second or so.
4. An answer to MID 0006 is taken like one to MID 0064. A refusal that is none of the message or of the moment means
   that the result is not there: a MID 0004 comes "instead of a result" (002:692-693), its code is named nowhere.

Imported when the first such controller is met.
"""

from agent import health as h
from agent.base.compat import ON_CPYTHON, const
from agent.openprotocol import operation as op
from agent.openprotocol import replies
from agent.openprotocol import states as st
from agent.openprotocol.identity import REPEATS_NOTHING
from agent.record.result import FLAG_ODD, HEAD_BYTES, RESULT_ODD, RESULT_READ, ROOM_BYTES
from agent.spool.record import FRAME_BYTES
from agent.store import KEPT, KEPT_BEFORE, NOT_SURE

RESERVE_RESULTS = const(8)

_REASKED = (replies.REFUSED_REVISION, replies.REFUSED_BUSY, replies.REFUSED_LATER, replies.REFUSED_NEVER)


def handle(intake, event, now):
    """Take an event of a session without MID 0060."""
    intake.recovery.shared = None  # MID 1201 is asked for by its own ID and answered by it
    if event == st.EV_GENERIC:
        _meet(intake, now)
    elif event == st.EV_HISTORY_REFUSED:
        refusal = intake.session.refusal
        refusal = refusal if refusal in _REASKED else replies.REFUSED_GONE
        if not _is_left(intake):
            intake.session.generic.was_pushed(intake.session)
        intake._take_news(intake.recovery.refused(refusal, now), now)
    elif event == st.EV_PART_LATE:
        _look_for_lost(intake, now)
    else:
        _take_part(intake, event == st.EV_PART_CUT, now)


def _meet(intake, now):
    """A controller that repeats nothing: say so, and keep room for what it pushes while a session ends."""
    ring = intake.ring
    intake.health.note(h.REPEATS_NOTHING, intake.session.system_type, now)
    intake.room_bytes = RESERVE_RESULTS * ring.aligned(FRAME_BYTES + ROOM_BYTES) - FRAME_BYTES
    _keep_reserve(intake)


def _keep_reserve(intake):
    """End the session in order while there is still room for what comes until then."""
    if (
        intake.session.system_type == REPEATS_NOTHING
        and not intake.full
        and not intake.ring.has_room(intake.room_bytes)
    ):
        intake.full = True
        intake.session.stop()


def _is_left(intake):
    """Tell whether one was not stored in this session, and would be taken for what is acknowledged now."""
    return intake.full and intake.session.system_type != REPEATS_NOTHING  # that one waits for no acknowledgement


def _take_part(intake, cut_short, now):
    session = intake.session
    link = session.link
    operation = session.generic.operation
    if ON_CPYTHON:
        from agent.spindles import payload_most  # a board has no longer ones than its raw frames

        operation.most = payload_most(intake.ring)
    found = operation.take(link.buf, link.at, link.length, session.mid, session.revision, now)
    if cut_short and found != op.PART_UNREADABLE:
        intake.health.count(h.CUT_SHORT)
    if operation.lost:
        _look_for_lost(intake, now)
    if found == op.PART_WHOLE:
        _take_whole(intake, operation, now)
    elif found == op.PART_KEPT:
        if not session.generic.may_answer(session) and not _is_left(intake):
            operation.pushed = True
            session.acknowledge()
    elif found == op.PART_UNREADABLE:
        _keep_unread(intake, now)
    else:
        intake.health.note(h.CONTROLLER_MALFORMED, session.mid, now)
        if found == op.PART_FOREIGN:
            intake.recovery.look_again()  # the part in front of it was lost
        if found == op.PART_AGAIN and (operation.under_way or operation.kept):
            session.acknowledge()
        else:
            session.withhold()


def _look_for_lost(intake, now):
    intake.session.generic.operation.lost = False
    intake.health.note(h.CONTROLLER_MALFORMED, intake.session.mid, now)
    intake.recovery.look_again()


def _take_whole(intake, operation, now):
    """All parts are here: an answer to MID 0006, or a push."""
    session = intake.session
    answers = session.generic.answers(session)
    if answers == op.ANSWER_LATE:
        intake.health.note(h.CONTROLLER_UNKNOWN, session.mid, now)
        return
    if operation.found > RESULT_READ:
        intake.health.count(h.ODD_FIELDS)
    if answers != op.ANSWER_SURE:
        _take_pushed(intake, operation, answers == op.ANSWER_NONE, now)
    if answers != op.ANSWER_NONE:
        _take_fetched(intake, operation, now)
    _keep_reserve(intake)


def _take_body(intake, operation):
    link = intake.link
    octets = HEAD_BYTES + len(operation.body)
    if octets > intake.room_bytes:
        intake.room_bytes = octets  # until there is so much room there is no use in coming back
    flags = FLAG_ODD if operation.found == RESULT_ODD else 0
    intake.store.take_body(operation.body, len(operation.body), flags, link.buf, link.at)


def _take_pushed(intake, operation, acknowledges, now):
    session = intake.session
    if _is_left(intake):
        session.withhold()
        return
    _take_body(intake, operation)
    kept = intake.store.put_taken(now)
    operation.kept = kept == KEPT or kept == KEPT_BEFORE
    if operation.kept:
        if acknowledges:  # else it may be an answer, and the acknowledgement that of another result
            session.acknowledge()
        intake._wake_outlets(now)
        return
    session.withhold()
    _go_without(intake, kept)


def _go_without(intake, kept):
    """A push could not be stored: it is fetched later, on the next connection if there is no room now."""
    if kept == NOT_SURE:
        intake.recovery.look_again()
    elif not intake.full:
        intake.full = True
        intake.session.stop()


def _take_fetched(intake, operation, now):
    """The answer to what the recovery has asked for."""
    if intake._has_flushed(now):
        _take_body(intake, operation)
        intake._store_answer(now)


def _keep_unread(intake, now):
    """A part that nobody can read is kept as it came, and acknowledged, or it would come again for ever."""
    link = intake.link
    if _is_left(intake):
        intake.session.withhold()
        return
    kept = intake.store.put_unread(link.buf, link.at, link.length, now)
    intake.health.note(h.CONTROLLER_MALFORMED, intake.session.mid, now)
    if kept == KEPT or kept == KEPT_BEFORE:
        intake.session.acknowledge()
        intake.recovery.look_again()
        intake._wake_outlets(now)
        return
    intake.session.withhold()
    _go_without(intake, kept)
