"""Results of several spindles from message to record: the handler of MID 0101, 0106 and 0107.

Rules
1. A result is one record, stored when all of it is here, and one record for ToolsNet. The request for more of it (MID
   0108 with Bolt Data 1) says that it was read; the last acknowledgement says that it is durable.
2. A result is a repeat if the log holds it. Its bolt data is not asked for again.
3. A part that is repeated while the cycle is under way is not answered again: the first answer is on its way, and MID
   0108 does not say what it answers. A second answer would count for the next part, and in the end for a result that
   is not durable.
4. If bolt data does not come in time, or not before the next result, the result is stored without it. Where it did not
   come in time the session ends: the controller may wait for an answer to what was lost, and one that does not name its
   part could count for the next result. What cannot be read, or is not the next bolt's, is kept as it came. It gets the
   one answer that is due while bolt data is waited for, and the result is stored in front of that.
5. What a jump of the IDs shows to be gone is counted by the fold, and told as an event behind the result that showed
   it; where there is no room, with a later one.
6. There is nothing to fetch: the controller pushes again what was not acknowledged, from where the subscription
   rewinds to. A controller met for the first time is noted as met at once, so that its first result is not missed.

Imported when the first such controller is met.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.gap_fill import WHY_NEVER
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.recovery_phases import OUTCOME_NONE
from toolcart.agent.openprotocol.session_states import EV_PART_LATE, EV_READY
from toolcart.agent.openprotocol.spindle_assembly import (
    ASSEMBLY_FOREIGN,
    ASSEMBLY_MORE,
    ASSEMBLY_UNREADABLE,
    ASSEMBLY_WHOLE,
)
from toolcart.agent.openprotocol.spindle_ids import SYNC_PERIOD, ahead_by, skipped
from toolcart.agent.openprotocol.spindle_layouts import BOLT_MID, STATION_MID, SYNC_MID
from toolcart.agent.record.result import RESULT_READ, TIGHTENING_ID
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NOT_KEPT


class Spindles:
    """Takes the parts that are pushed, for one intake."""

    def __init__(self):
        self._first = self._last = self._lost = 0  # what is gone and not told yet, and how many of these IDs

    def take(self, intake, cut_short, now):
        """Take the message that just came."""
        session = intake.session
        assembly = session.result_mode.multi_spindle.assembly
        link = session.link
        more = session.result_mode.multi_spindle.wants_bolts(session)
        assembly.most = intake.store.longest
        if not intake.cannot_store and assembly.is_left(link.buf, link.at, link.length, session.received.mid):
            self._store_as_it_is(intake, assembly, now)
        if intake.cannot_store:  # an answer would count for the one not taken
            session.withhold()
            return
        code = assembly.take(link.buf, link.at, link.length, session.received.mid, session.received.revision, more, now)
        assembly.cut = assembly.cut or cut_short
        if code == ASSEMBLY_WHOLE:
            self._store(intake, assembly, True, now)
        elif code == ASSEMBLY_MORE:
            if session.received.mid != STATION_MID or not self._is_repeat(intake, assembly, now):
                _ask_for(session, True)
                session.acknowledge()
        elif code == ASSEMBLY_UNREADABLE or (code == ASSEMBLY_FOREIGN and assembly.under_way):
            self._keep_unread(intake, assembly, now)
        else:
            if code == ASSEMBLY_FOREIGN:
                intake.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            session.withhold()

    def on_event(self, intake, event, now):
        """Handle an event: a session is up, or the rest of a cycle did not come."""
        assembly = intake.session.result_mode.multi_spindle.assembly
        if event == EV_PART_LATE:
            self._store_as_it_is(intake, assembly, now)
            intake.session.stop(now)
        elif event == EV_READY:
            ledger = intake.store.ledger
            if not (ledger.is_met() or ledger.is_empty()):
                ledger.begin()
                ledger.put_empty()
                if not ledger.commit():
                    # The next session will again begin with only new results.
                    intake.counters.note(counter.NOT_SAVED, 0, now)

    def _store_as_it_is(self, intake, assembly, now):
        intake.counters.note(counter.CONTROLLER_MALFORMED, BOLT_MID, now)
        self._store(intake, assembly, False, now)

    def _into_stage(self, intake, assembly):
        intake.store.take_body(assembly.body, assembly.octets, assembly.result_code, assembly.head, 0)

    def _is_repeat(self, intake, assembly, now):
        """Return True if the log holds the cycle that has just begun; then it is answered at once."""
        self._into_stage(intake, assembly)
        kept = intake.store.repeated(now)
        if kept < NOT_KEPT:
            return False
        assembly.give_up()
        self._settle(intake, kept, True, now)
        return True

    def _store(self, intake, assembly, answers, now):
        """Make a complete cycle durable, once, and acknowledge it."""
        link = intake.link
        store = intake.store
        session = intake.session
        if store.plausible is not None and answers:
            if not store.is_sure(
                assembly.result_code == RESULT_READ, link.buf, link.at, link.length, session.received.revision, now
            ):
                session.withhold()
                return
        if assembly.cut:
            intake.counters.count(counter.CUT_SHORT)
        self._into_stage(intake, assembly)
        ledger = store.ledger
        follows = not ledger.is_met() or ahead_by(ledger, intake.log.stage, store.body)
        lost, top = skipped(ledger, intake.log.stage, store.body), ledger.top()
        kept = store.put_taken(now, False)
        if kept == KEPT:
            self._report_gone(intake, lost, top, id_of(assembly.body, TIGHTENING_ID), now)
        if kept == KEPT and not follows:
            intake.counters.note(counter.OUT_OF_SEQUENCE, 0, now)
        if kept != KEPT_BEFORE:
            # The IDs may have restarted with it: then what was stored last says nothing.
            behind = -1 if kept == KEPT or follows else max(id_of(assembly.body, TIGHTENING_ID) - 1, 0)
            session.result_mode.multi_spindle.rewind_after(behind)
        self._settle(intake, kept, answers, now)

    def _report_gone(self, intake, lost, top, number, now):
        """Tell that `lost` IDs between these two are gone, with what could not be told before (rule 5)."""
        if lost:
            if not self._lost:
                self._first = (top + 1) % SYNC_PERIOD
            self._last = (number - 1) % SYNC_PERIOD
            self._lost += lost
        if not self._lost:
            return
        ledger = intake.store.ledger
        if intake.store.report_gone(self._first, self._last, self._lost, ledger.gone(), ledger.epoch(), WHY_NEVER):
            self._lost = 0
        intake.apply_outcome(OUTCOME_NONE, now)

    def _keep_unread(self, intake, assembly, now):
        """Keep the message as it came, and acknowledge it, or it would be repeated forever."""
        session = intake.session
        link = session.link
        intake.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
        kept = intake.store.put_unread(link.buf, link.at, link.length, now)
        if kept > NOT_KEPT and assembly.under_way:
            assembly.give_up()
            self._store(intake, assembly, False, now)
            if intake.cannot_store:
                session.withhold()
                return
        _ask_for(session, False)
        intake.answer(kept, now)

    def _settle(self, intake, kept, answers, now):
        """Act on the cycle's outcome: KEPT, KEPT_BEFORE, NOT_KEPT. `answers`: its last part waits for an answer."""
        session = intake.session
        if answers:
            _ask_for(session, False)
            intake.answer(kept, now)
        elif kept == NOT_KEPT:
            intake.leave(now)
        else:
            intake.wake_outlets(now)


def _ask_for(session, more):
    """Ask a PowerMACS in the next acknowledgement for `more` of this cycle, or not."""
    push = session.pushed
    if push.pushed_mid != SYNC_MID:
        push.asks_for_more(more)
