"""Results that come as MID 1201 and 1202: their keeper, also for a controller that sends each only once.

That is a MT Focus 6000 (MT notes on MID 0008).

Rules
1. The last part is acknowledged when the result is durable; each one before it once it is durable that a result of
   this ID may be missing: a controller that waits for each acknowledgement sends the next part only then (OP 5.9
   p. 153). One that ignores them (MT Focus 6000) sends all at once: a write to the flash between its parts could lose
   octets of a serial line, so its ID is made durable when the result is lost.
2. A part that is lost, foreign, late or repeated is reported (`controller malformed`) and never combined with others.
   What is lost is fetched, or counted as gone, like all that may be missing.
3. A MT Focus 6000 cannot be held back: a push that comes while nothing can be stored is lost. So its session is ended
   while there is still room for RESERVE_RESULTS; what it makes in the meantime is fetched later. Ending it takes 2 s at
   most (an outstanding answer, MID 0003), and a screw takes about a second.
4. A damaged part, and one that has no row, is kept as it came before it is acknowledged, and counted like any frame
   that cannot be read. The objects that are proven are stored as the result; if there is none, its MID 1201 is kept as
   it came in its place. On a serial line damage may be the line's fault: the result is taken as lost, until the same
   part comes a second time.
5. An answer to MID 0006 is taken like one to MID 0064. A rejection that is due neither to the message nor to the moment
   means that the result is not there: a MID 0004 comes "instead of a result" (MT notes on MID 1201), its code is not
   specified.

Imported when the first such controller is met.
"""

from toolcart.agent.base import counters as h
from toolcart.agent.base.compat import const
from toolcart.agent.log.framing import FRAME_BYTES
from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol import session_states as st
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING
from toolcart.agent.record.provenance import NONE_NAMED
from toolcart.agent.record.result import ID_BYTES, RESULT_UNREADABLE, ROOM_BYTES, TIGHTENING_ID
from toolcart.agent.station.store import NOT_KEPT

RESERVE_RESULTS = const(8)

_REASKED = (
    error_codes.REFUSED_REVISION,
    error_codes.REFUSED_BUSY,
    error_codes.REFUSED_LATER,
    error_codes.REFUSED_NEVER,
)


class Operations:
    """Takes the parts that were pushed or asked for, for one intake."""

    def take(self, intake, cut_short, now):
        """Take the message that just came."""
        session = intake.session
        link = session.link
        operation = session.fallback.generic.operation
        operation.most = intake.store.longest
        code = operation.take(link.buf, link.at, link.length, session.received.mid, session.received.revision, now)
        if cut_short and code != op.PART_UNREADABLE:
            intake.counters.count(h.CUT_SHORT)
        if operation.lost:
            self._look_for_lost(intake, session.received.mid, now)
        if operation.damaged and self._is_spoiled(intake, now):
            return
        if (operation.damaged or operation.beside) and not self._keep_as_it_came(intake, operation, now):
            return
        if code == op.PART_WHOLE:
            operation.answers = False
            self._take_whole(intake, operation, now)
        elif code == op.PART_KEPT:
            operation.answers = session.fallback.generic.may_answer(session)
            if not operation.answers and not _is_left(intake):
                self._acknowledge_part(intake, operation, now)
        elif code == op.PART_UNREADABLE:
            self._keep_unread(intake, now)
        else:
            intake.counters.note(h.CONTROLLER_MALFORMED, session.received.mid, now)
            at = link.at + op.RESULT_ID
            is_asked = session.request.asked and link.buf[at : at + ID_BYTES] == session.old_result.asked_id
            if code == op.PART_FOREIGN and not (operation.answers or is_asked):
                intake.recovery.restart_later(now)  # the part before it was lost
            if code == op.PART_AGAIN and (operation.under_way or operation.kept):
                session.acknowledge()
            else:
                session.withhold()

    def on_event(self, intake, event, now):
        """Handle an event: a session is up, the next part did not come, or a request is rejected."""
        session = intake.session
        if event == st.EV_READY:
            # MID 1201 is asked for by its own ID and answered by it.
            intake.recovery.opened(session.identity, session.system_type, now, True)
            if session.fallback.generic.operation.lost:  # on the last connection
                self._look_for_lost(intake, op.OVERALL, now)
        elif event == st.EV_GENERIC:
            self._meet(intake, now)
        elif event == st.EV_PART_LATE:
            self._look_for_lost(intake, op.OVERALL, now)
        elif event == st.EV_HISTORY_REFUSED:
            refusal = session.received.refusal if session.received.refusal in _REASKED else error_codes.REFUSED_GONE
            if not _is_left(intake) and session.fallback.generic.was_pushed(session):
                self._acknowledge_part(intake, session.fallback.generic.operation, now)
            intake.take_news(intake.recovery.refused(refusal, now, session.received.code), now)

    def _acknowledge_part(self, intake, operation, now):
        """Acknowledge a part, once it is durable that its result may be missing."""
        if not operation.pushed and intake.session.system_type != REPEATS_NOTHING:
            digits = bytes(operation.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES])
            if not intake.recovery.begins(digits, now):
                operation.give_up()
                intake.counters.note(h.FLASH_FAILED, intake.log.device.refusal(), now)
                intake.answer(NOT_KEPT, now)
                return
        operation.pushed = True
        intake.session.acknowledge()

    def _meet(self, intake, now):
        """Note a controller that repeats nothing, and keep room for what it pushes while a session ends."""
        intake.counters.note(h.REPEATS_NOTHING, intake.session.system_type, now)
        unit = intake.log.device.unit_bytes
        record = (FRAME_BYTES + ROOM_BYTES + unit - 1) // unit * unit
        intake.log.room_bytes = RESERVE_RESULTS * record - FRAME_BYTES
        self._keep_reserve(intake, now)

    def _keep_reserve(self, intake, now):
        """End the session in order while there is still room for what comes until it has ended."""
        if intake.session.system_type == REPEATS_NOTHING and not intake.log.has_room(intake.log.room_bytes):
            intake.leave(now)

    def _look_for_lost(self, intake, mid, now):
        """A result was given up when this MID came, or was waited in; what was an answer is asked for again anyway."""
        operation = intake.session.fallback.generic.operation
        operation.lost = False
        intake.counters.note(h.CONTROLLER_MALFORMED, mid, now)
        if not operation.half or intake.recovery.begins(operation.half, now):
            operation.half = b""
        if not operation.answers:
            intake.recovery.missed(now)

    def _take_whole(self, intake, operation, now):
        """Take a complete result: an answer to MID 0006, or a push."""
        session = intake.session
        answers = session.fallback.generic.answers(session)
        if answers == op.ANSWER_LATE:
            intake.counters.note(h.CONTROLLER_UNKNOWN, session.received.mid, now)
            return
        if answers != op.ANSWER_SURE:
            self._take_pushed(intake, operation, answers == op.ANSWER_NONE, now)
        if answers != op.ANSWER_NONE:  # it answers the recovery's request
            if operation.result_code == RESULT_UNREADABLE:
                self._keep_first(intake, operation, now)
            self._into_stage(intake, operation, NONE_NAMED)
            intake.store_answer(True, now)
        self._keep_reserve(intake, now)

    def _into_stage(self, intake, operation, unnamed=1):
        link = intake.link
        intake.store.take_body(operation.body, len(operation.body), operation.result_code, link.buf, link.at, unnamed)

    def _take_pushed(self, intake, operation, acknowledges, now):
        if _is_left(intake):
            intake.session.withhold()
            return
        if operation.result_code == RESULT_UNREADABLE:
            kept = self._keep_first(intake, operation, now)
        else:
            self._into_stage(intake, operation)
            kept = intake.store.put_taken(now)
        operation.kept = kept > NOT_KEPT
        if operation.kept and not acknowledges:  # it may be an answer, and its acknowledgement count for another result
            intake.wake_outlets(now)
        else:
            intake.answer(kept, now)

    def _is_spoiled(self, intake, now):
        """Give up the result if a line may have damaged the part that just came: it has to come again unchanged."""
        session, link, store = intake.session, intake.link, intake.store
        if store.plausible is None or store.is_sure(
            False, link.buf, link.at, link.length, session.received.revision, now
        ):
            return False
        session.fallback.generic.operation.give_up()
        self._look_for_lost(intake, session.received.mid, now)
        session.withhold()
        return True

    def _keep_as_it_came(self, intake, operation, now):
        """Keep the part that just came as it came; False if that cannot be: then it is not acknowledged."""
        link = intake.link
        if _is_left(intake):
            intake.session.withhold()
            return False
        intake.counters.note(h.CONTROLLER_MALFORMED, intake.session.received.mid, now)
        if intake.store.put_unread(link.buf, link.at, link.length, now) == NOT_KEPT:
            operation.give_up()
            intake.answer(NOT_KEPT, now)
            return False
        intake.wake_outlets(now)
        return True

    def _keep_first(self, intake, operation, now):
        """Keep the MID 1201 of a result without a proven object as it came; KEPT, KEPT_BEFORE or NOT_KEPT."""
        return intake.store.put_unread(operation.first, 0, len(operation.first), now)

    def _keep_unread(self, intake, now):
        """Keep an unreadable part as it came, and acknowledge it, or it would be repeated forever."""
        link = intake.link
        if _is_left(intake):
            intake.session.withhold()
            return
        intake.counters.note(h.CONTROLLER_MALFORMED, intake.session.received.mid, now)
        if intake.answer(intake.store.put_unread(link.buf, link.at, link.length, now), now):
            intake.recovery.restart_later(now)


def _is_left(intake):
    """True if a result was not stored in this session: an acknowledgement now would count for that one."""
    return intake.full and intake.session.system_type != REPEATS_NOTHING  # that one waits for no acknowledgement
