"""Results that come as MID 1201 and 1202: their handler, also for a controller that sends each only once.

That is a MT Focus 6000 (MT notes on MID 0008).

Rules
1. The last part is acknowledged when the result is durable; each one before it once it is durable that a result of
   this ID may be missing: a controller that waits for each acknowledgement sends the next part only then (OP 5.9
   p. 153). One that ignores them (MT Focus 6000) sends all at once: a write to the flash between its parts could lose
   octets of a serial line, so its ID is made durable when the result is lost.
2. A result that was given up is reported (`controller malformed`), and fetched, or counted as gone, like all that may
   be missing. So is a part that is repeated, or has no place in its result; this one is kept as it came before it is
   acknowledged. While a question is outstanding that it may answer, neither is: a push comes again. Where its first
   part comes again though the question was sent once, it is a push, and the question is over: its answer will hardly
   be whole. A connection that ended before that is followed by one on which nothing is asked for WAIT_MS. What was
   shown above the highest ID known, and is given up like an answer, may be missing, too.
3. A MT Focus 6000 cannot be held back: a push that comes while nothing can be stored is lost. So its session is ended
   while there is still room for RESERVE_RESULTS; what it makes in the meantime is fetched later. Ending it takes 2 s at
   most (an outstanding answer, MID 0003), and a screw takes about a second.
4. A damaged part, and one that has no row, is kept as it came before it is acknowledged, and counted like any frame
   that cannot be read. The objects that are proven are stored as the result; if there is none, its MID 1201 is kept as
   it came in its place. On a serial line damage may be the line's fault: the result is taken as lost, until the same
   part comes a second time. There that holds for the ID of a part in front of its MID 1201, too.
5. What was whole and could not be stored is stored when its last part comes again, on this connection or the next.
6. Where a MID 1201 cannot be read, its MIDs 1202 are kept as they came, like itself: each that comes before the next
   MID 1201 that can be read, before it is acknowledged. So is what was held for a MID 1201 that does not come, when it
   is given up: its ID was durable as missing. While a question is outstanding it may be the answer: that is in vain,
   like one that is not answered, and so is the result gone at last.
7. An answer to MID 0006 is taken like one to MID 0064. A rejection that is due neither to the message nor to the moment
   means that the result is not there: a MID 0004 comes "instead of a result" (MT notes on MID 1201), its code is not
   specified.
8. What is given up, though parts of it were acknowledged, is kept: as the result, marked, where MID 1201 and all of its
   objects came and only its number of parts says otherwise, likewise when it answers a question; else each part as it
   came, and its ID stays missing. Until then, WAIT_MS at most, its parts are in RAM alone: after a power cut its ID is
   missing.

Imported when the first such controller is met.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.log.framing import FRAME_BYTES
from toolcart.agent.openprotocol import error_codes, session_states
from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.seen_ids import begins, note_newest
from toolcart.agent.record.provenance import NONE_NAMED
from toolcart.agent.record.result import ID_BYTES, RESULT_ODD, RESULT_UNREADABLE, ROOM_BYTES, TIGHTENING_ID
from toolcart.agent.station.store import NOT_KEPT

RESERVE_RESULTS = const(8)

_REASKED = (
    error_codes.REJECTED_REVISION,
    error_codes.REJECTED_BUSY,
    error_codes.REJECTED_LATER,
    error_codes.REJECTED_NEVER,
)


class Operations:
    """Takes the parts that were pushed or asked for, for one intake."""

    def __init__(self):
        self.is_unread = False  # the last MID 1201 could not be read (rule 6)

    def take(self, intake, cut_short, now):
        """Take the message that just came."""
        session = intake.session
        link = session.link
        generic = session.result_mode.generic
        mid = session.received.mid
        generic.withheld = False
        generic.is_late(now)  # while others come no event says so
        generic.route(session)
        operation = generic.operation
        operation.most = intake.store.longest
        code = operation.take(link.buf, link.at, link.length, mid, session.received.revision, now)
        if cut_short and code != op.PART_UNREADABLE:
            intake.counters.count(counter.CUT_SHORT)
        if mid == op.OVERALL:
            self.is_unread = code == op.PART_UNREADABLE
            for one in generic.operations if self.is_unread else ():
                if one.is_early():
                    one.spill()
        self._look_for_lost(intake, mid, now)
        is_odd = operation.damaged or code == op.PART_FOREIGN or (code == op.PART_KEPT and operation.is_early())
        if is_odd and self._is_spoiled(intake, code, now):
            return
        if code == op.PART_UNREADABLE:
            self._keep_unread(intake, now)
        elif code == op.PART_FOREIGN:
            self._take_foreign(intake, operation, now)
        elif self._keep_aside(intake, operation, now):
            self._take_part(intake, operation, code, now)
        generic.tick(now, code == op.PART_KEPT)

    def _take_part(self, intake, operation, code, now):
        """Take a part that has its place in the operation, or repeats one."""
        session = intake.session
        generic = session.result_mode.generic
        if code == op.PART_AGAIN:
            intake.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            if not operation.under_way and (operation.kept or operation.answered):
                if operation.kept:
                    session.acknowledge()
                else:
                    session.withhold()
                return
        if not operation.under_way:
            operation.answers = False
            generic.completed()
            self._take_whole(intake, operation, now)
            return
        operation.answers = generic.may_answer(session)
        if operation.is_in_doubt() and operation.begins_again and session.request.sends == 1:
            operation.answers = False
            session.silent(now, True)
            intake.apply_outcome(intake.recovery.silent(now), now)
        if operation.answers or _is_left(intake):
            generic.withheld = operation.is_in_doubt()
            session.withhold()
        else:
            self._acknowledge_part(intake, operation, now)

    def _take_foreign(self, intake, operation, now):
        """Take a part that has no place: keep it as it came, and note that its result may be missing."""
        session, link = intake.session, intake.link
        digits = bytes(link.buf[link.at + op.RESULT_ID : link.at + op.RESULT_ID + ID_BYTES])
        if session.result_mode.generic.is_asked_for(session, digits, 0):
            intake.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            session.result_mode.generic.withheld = True
            session.withhold()
        elif self._keep_as_it_came(intake, operation, now) and self._note_missing(intake, digits, now):
            session.acknowledge()
            intake.recovery.push_incomplete(now)

    def on_event(self, intake, event, now):
        """Handle an event: a session is up, the next part did not come, or a request is rejected."""
        session = intake.session
        if event == session_states.EV_READY:
            # MID 1201 is asked for by its own ID and answered by it.
            intake.recovery.begin_session(session.identity, session.system_type, now, True)
            if session.result_mode.generic.withheld:
                intake.recovery.retry.start(now, op.WAIT_MS)
            self._look_for_lost(intake, op.OVERALL, now)  # on the last connection
        elif event == session_states.EV_GENERIC:
            self._meet(intake, now)
        elif event == session_states.EV_PART_LATE:
            self._look_for_lost(intake, op.OVERALL, now)
        elif event == session_states.EV_HISTORY_REJECTED:
            rejection = (
                session.received.rejection if session.received.rejection in _REASKED else error_codes.REJECTED_GONE
            )
            if not _is_left(intake):
                for operation in session.result_mode.generic.unacknowledged(session):
                    self._acknowledge_part(intake, operation, now)
            intake.apply_outcome(intake.recovery.rejected(rejection, now, session.received.code), now)

    def _acknowledge_part(self, intake, operation, now):
        """Acknowledge a part, once it is durable that its result may be missing."""
        if not operation.noted and intake.session.system_type != REPEATS_NOTHING:
            digits = bytes(operation.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES])
            operation.noted = self._note_missing(intake, digits, now)
            if not operation.noted:
                operation.give_up()
                return
        operation.pushed = True
        intake.session.acknowledge()

    def _note_missing(self, intake, digits, now):
        """Make it durable that the result of this ID may be missing; False if that cannot be."""
        if begins(intake.recovery, digits, now):
            return True
        intake.counters.note(counter.FLASH_FAILED, intake.log.device.refusal(), now)
        intake.answer(NOT_KEPT, now)
        return False

    def _meet(self, intake, now):
        """Note a controller that repeats nothing, and keep room for what it pushes while a session ends."""
        intake.counters.note(counter.REPEATS_NOTHING, intake.session.system_type, now)
        unit = intake.log.device.unit_bytes
        record = (FRAME_BYTES + ROOM_BYTES + unit - 1) // unit * unit
        intake.log.room_bytes = RESERVE_RESULTS * record - FRAME_BYTES
        self._keep_reserve(intake, now)

    def _keep_reserve(self, intake, now):
        """End the session in order while there is still room for what comes until it has ended."""
        if intake.session.system_type == REPEATS_NOTHING and not intake.log.has_room(intake.log.room_bytes):
            intake.leave(now)

    def _look_for_lost(self, intake, mid, now):
        """Note what was given up when this MID came, or was waited in; an answer is asked for again anyway."""
        recovery = intake.recovery
        for operation in intake.session.result_mode.generic.lost():
            lost, operation.lost = operation.lost, op.NOT_LOST
            rest, operation.rest = operation.rest, None
            if rest is not None and self._take_rest(intake, operation, rest, lost, now):
                operation.spilled, operation.lost_id = [], b""
                intake.counters.note(counter.CONTROLLER_MALFORMED, mid, now)
                continue
            for _ in operation.spilled if lost == op.NOT_LOST else (lost,):
                intake.counters.note(counter.CONTROLLER_MALFORMED, mid, now)
            self._keep_spilled(intake, operation, now)
            if lost == op.LOST_ANSWER:
                _note_seen(recovery, operation)
            elif operation.lost_id and begins(recovery, operation.lost_id, now):
                operation.lost_id = b""
            if lost == op.LOST_UNKNOWN:
                recovery.start_over_later(now)
            elif lost == op.LOST_PUSH:
                recovery.push_incomplete(now)

    def _take_rest(self, intake, operation, rest, lost, now):
        """Take the result, with its MID 1201, of which nothing but parts without an object can be missing (rule 8)."""
        body, first = rest
        if lost == op.LOST_ANSWER:
            generic = intake.session.result_mode.generic
            if operation.body is not body or not op.is_asked(intake.session.request):
                return False
            last, generic.operation = generic.operation, operation
            self._take_whole(intake, operation, now)
            generic.operation = last
            return True
        intake.store.take_body(body, len(body), RESULT_ODD, first, 0)
        is_kept = not _is_left(intake) and intake.store.put_taken(now) > NOT_KEPT
        if is_kept:
            intake.wake_outlets(now)
        return is_kept

    def _take_whole(self, intake, operation, now):
        """Take a complete result: an answer to MID 0006, or a push."""
        session = intake.session
        answers = session.result_mode.generic.answers(session)
        if answers == op.ANSWER_LATE:
            intake.counters.note(counter.CONTROLLER_UNKNOWN, session.received.mid, now)
            return
        operation.answered = answers != op.ANSWER_NONE
        if answers != op.ANSWER_SURE:
            self._take_pushed(intake, operation, answers == op.ANSWER_NONE, now)
        if answers != op.ANSWER_NONE:  # it answers the recovery's request
            if operation.result_code == RESULT_UNREADABLE:
                self._keep_first(intake, operation, now)
            self._into_stage(intake, operation, NONE_NAMED)
            intake.store_answer(True, now)
        self._keep_reserve(intake, now)

    def _into_stage(self, intake, operation, unnamed=1):
        body = operation.body
        intake.store.take_body(body, len(body), operation.result_code, operation.first, 0, unnamed)

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
            intake.session.result_mode.generic.withheld = True
            intake.wake_outlets(now)
        else:
            intake.answer(kept, now)

    def _is_spoiled(self, intake, code, now):
        """True if a line may have damaged the part that just came: it has to come again unchanged.

        Its result is given up then; one that it may not be of goes on.
        """
        session, link, store = intake.session, intake.link, intake.store
        if store.plausible is None or store.is_sure(
            False, link.buf, link.at, link.length, session.received.revision, now
        ):
            return False
        if code == op.PART_FOREIGN:
            intake.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            intake.recovery.start_over_later(now)
        else:
            session.result_mode.generic.operation.drop(False)  # its ID may be damaged as well
            self._look_for_lost(intake, session.received.mid, now)
        session.withhold()
        return True

    def _keep_aside(self, intake, operation, now):
        """Keep what has no row, or cannot be read, as it came; False if that cannot be."""
        has_no_overall = operation.is_early() and (self.is_unread or operation.is_kept)
        if operation.damaged or operation.unplaced or has_no_overall:
            if not self._keep_as_it_came(intake, operation, now):
                return False
            operation.is_kept = operation.is_kept or has_no_overall
        if operation.spilled:  # it could not be kept
            operation.drop()
            intake.answer(NOT_KEPT, now)
            return False
        return True

    def _keep_spilled(self, intake, operation, now):
        """Keep what was held, and the result will not have, as it came, or come back when there is room for it."""
        while operation.spilled:
            frame = operation.spilled[-1]
            if intake.store.put_unread(frame, 0, len(frame), now) == NOT_KEPT:
                intake.leave(now)
                return
            operation.spilled.pop()
            intake.wake_outlets(now)

    def _keep_as_it_came(self, intake, operation, now):
        """Keep the part that just came as it came; False if that cannot be: then it is not acknowledged."""
        link = intake.link
        if _is_left(intake):
            intake.session.withhold()
            return False
        intake.counters.note(counter.CONTROLLER_MALFORMED, intake.session.received.mid, now)
        if intake.store.put_unread(link.buf, link.at, link.length, now) == NOT_KEPT:
            operation.drop()
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
        intake.counters.note(counter.CONTROLLER_MALFORMED, intake.session.received.mid, now)
        is_asked = op.is_asked(intake.session.request)
        if intake.answer(intake.store.put_unread(link.buf, link.at, link.length, now), now) and not is_asked:
            intake.recovery.start_over_later(now)


def _note_seen(recovery, operation):
    """Note that what is lost was there, be it an answer or a push."""
    number = id_of(operation.lost_id, 0)
    operation.lost_id = b""
    if recovery.ledger.is_met():
        note_newest(recovery, recovery.offset.corrected(number))


def _is_left(intake):
    """True if a result was not stored in this session: an acknowledgement now would count for that one."""
    return (
        intake.cannot_store and intake.session.system_type != REPEATS_NOTHING
    )  # that one waits for no acknowledgement
