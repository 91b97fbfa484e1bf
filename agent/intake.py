"""The station's task at the controller's side: connects, takes results, acknowledges what is durable, fetches the rest.

Rules
1. `Store` decides what may be acknowledged; nothing else here calls `session.acknowledge`.
2. While the spool has no room the session is ended in order and the controller left alone: it keeps its results, and
   MID 0064 brings them later.
3. One fetch at a time, only when no input waits: a live result is never delayed by an old one.
4. Every connection ends here: closed port, framing lost, silence, refusal. The next one: agent.downstream.
"""

from agent import health as h
from agent.base.compat import const
from agent.base.fields import copy
from agent.base.ticks import FOREVER, Timer
from agent.downstream import Downstream
from agent.openprotocol import states as st
from agent.openprotocol.known import CLOSED_KEPT, EPOCH, FLAG_KNOWN, FLAGS, INDEXES
from agent.openprotocol.questions import NEWS_ASK_AGAIN, NEWS_NO_OWNER, NEWS_RESET, NEWS_STORE, PHASE_FILL, PHASE_KEPT
from agent.record.result import ID_BYTES
from agent.spool.unread import is_another
from agent.store import KEPT, KEPT_BEFORE, NOT_KEPT

READS_A_STEP = 8  # then the other tasks have their turn
FETCH_AFTER_MS = const(50)  # of silence on a serial line: a controller with more results goes on well before that


class Intake(Downstream):
    """One controller, one spool."""

    def __init__(self, port, session, quiet, recovery, store, health, host, number, limits, seed):
        Downstream.__init__(self, port, session, quiet, recovery, store.ring, health, host, number, limits, seed)
        self.store = store
        self._fetch_after_ms = 0 if limits["link"] == "tcp" else FETCH_AFTER_MS
        self._heard = Timer()
        self._tool_due = False
        self.errands = None  # agent.errands, where the settings want it
        self.happenings = None  # agent.happenings, where an outlet wants events
        self._gone = None
        self._more = False  # came while the flash was busy within this step: its `now` is old
        self._outlet_slots = ()

    def attach(self, scheduler, outlet_slots):
        """Wake these slots, a tuple, for every result kept."""
        self._scheduler = scheduler
        self._outlet_slots = outlet_slots

    def begin(self, now):
        """Start from what the log says; the ring is mounted, not confirmed."""
        session = self.session
        indexes = self.recovery.known.memory[INDEXES]
        session.start_index = (indexes & 0x0F) % len(session.start_revisions)
        if self.recovery.known.memory[FLAGS] & FLAG_KNOWN:
            session.stood_index = session.start_index
        subscription = session.subscriptions[0]
        subscription.index = (indexes >> 4) % len(subscription.revisions)
        self._wait.start(now, 0)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if self.session.state == st.CLOSED:
            if self.stopping:
                return FOREVER
            if not self._connect(now):
                return self._wait.left(now)
        link = self.link
        steady = link.steady
        reads = READS_A_STEP
        while reads:
            reads -= 1
            n = self.port.readinto(link.inlet(), link.free)
            if n > 0:
                self.session.receive(n)
                if self._fetch_after_ms:
                    self._heard.start(now, self._fetch_after_ms)
            if n or self._more or not steady:
                self._handle_events(now)
            left = self._exchange(n, now)
            if left < 0:
                return self._wait.left(now)
            if self._more:
                return 0  # more came while the flash was busy: that wants the time as it is now
            if n == 0 or (steady and n < link.free):  # the port wakes us if there is more
                left = self._use_silence(left, now)
                if left >= 0:
                    return left
        return 0

    # -- conversation ------------------------------------------------------------------------------------------

    def _exchange(self, n, now):
        """Write what is due; return the ms until the next deadline, -1 when the connection is over."""
        session = self.session
        if n < 0 and session.state != st.CLOSED:
            self._close(now)
        left = session.tick(now)
        if left == 0 and self.link.steady:  # a deadline has come, and nothing else would look at it
            self._handle_events(now)
            left = session.tick(now)
        if self.link.pending:
            left = self._write(left, now)
        return -1 if session.state == st.CLOSED else left

    def _write(self, left, now):
        """Write until nothing more is due or the port takes no more; return the ms until the next deadline."""
        link = self.link
        pending = link.pending
        while pending:
            n = self.port.write(link.tx, link.tx_from, pending)
            if n < 0:
                self._close(now)
                return left
            if n:
                link.sent(n)
                pending = link.pending
                if pending == 0 and link.steady and not self.session.has_more():
                    break
            left = self.session.tick(now)  # only now: what has gone out sets deadlines, and more may be due
            if n == 0:
                break
            pending = link.pending
        return left

    def _use_silence(self, left, now):
        """Nothing is to be read: fetch what was missed, erase ahead; ms until the next deadline, -1 after a fetch."""
        session = self.session
        if self._heard.armed and self._heard.expired(now):
            self._heard.stop()
        if self._tool_due or self.recovery.seeks():
            if session.can_fetch():
                if self._heard.armed:
                    left = self._heard.least(now, left)
                elif self._fetch_next(now):
                    return -1
                left = self.recovery.wait_least(now, left)
        if self.errands is not None:
            if self._heard.armed:
                left = self._heard.least(now, left)
            else:
                left = self.errands.look(session, now, left)
                if left < 0:
                    return left
        if (self.ring.suspect or not self.ring.next_ready) and (self.link.steady or self.quiet.may_erase()):
            self._maintain()
        return left

    def _fetch_next(self, now):
        if self._tool_due:
            self._tool_due = False
            self.session.ask_tool()
            return True
        recovery = self.recovery
        if recovery.phase == PHASE_FILL and not self.ring.has_room(self.room_bytes):
            recovery.wait_for_room(now, True)
            return False
        if not self.quiet.may_program():
            return False
        if not recovery.want(now):
            if recovery.known.has_untold() and not self.full:
                self._tell_gone(now)
            return False
        session = self.session
        if recovery.phase == PHASE_KEPT:
            recovery.claim.ask(session)
            return True
        copy(session.fetch_id, 0, recovery.ask_id, 0, ID_BYTES)
        session.fetch_revision = recovery.revision()
        session.request.lower_too = recovery.shared is not None
        session.fetch()
        return True

    def _tell_gone(self, now):
        """Some results cannot be had: the log says which."""
        if self._gone is None:
            from agent.gone import Gone  # as long as nothing is gone nobody needs it

            self._gone = Gone(self.store)
        if self._gone.write_down(self.recovery, self.room_bytes, now):
            self._wake_outlets(now)

    def _handle_events(self, now):
        session = self.session
        self._more = False
        while True:
            event = session.next_event(now)
            if not self._ready and session.state == st.READY:
                self._begin_ready(now)
            if event == st.EV_NONE:
                return
            if event == st.EV_RESULT or event == st.EV_RESULT_CUT:
                self._take_result(event == st.EV_RESULT_CUT, now)
                if self.link.steady:
                    if self.link.is_empty():
                        return
                elif self.link.room() == 0:
                    self._more = True
                    return
            elif event == st.EV_OVER:
                self._close(now)
                return
            else:
                self._handle_answer(event, now)

    def _handle_answer(self, event, now):
        session = self.session
        if event == st.EV_FETCHED:
            self._take_fetched(now)
        elif event == st.EV_FETCH_REFUSED:
            self._take_news(self.recovery.refused(session.refusal, now), now)
        elif event == st.EV_FETCH_SILENT:
            self.recovery.silent(now)
        elif event == st.EV_HAPPENED:
            self._take_happening(now)
        elif event == st.EV_TOOL:
            copy(self.store.serial, 0, session.tool_serial, 0, len(session.tool_serial))
        elif event == st.EV_REFUSED:
            self.health.note(h.CONTROLLER_REFUSALS, session.code, now)
        elif event == st.EV_UNKNOWN:
            self.health.note(h.CONTROLLER_UNKNOWN, session.mid, now)
        elif event == st.EV_MALFORMED:
            self.health.note(h.CONTROLLER_MALFORMED, session.mid, now)
        elif event == st.EV_KEPT or event == st.EV_NOT_KEPT:
            link = self.link
            mid = session.mid if event == st.EV_KEPT else 0
            self.recovery.hear_kept(link.buf, link.at, link.length, mid)
        elif event >= st.EV_SEVERAL:
            from agent.spindles import handle as handle_several  # only where a controller has several spindles

            handle_several(self, event, now)
        elif event >= st.EV_TRACE:
            self.session._push.subscription.keeper.take(self, event == st.EV_TRACE_CUT, now)  # agent.traces
        elif event >= st.EV_ERRAND:
            self.errands.take(event, session, self.health, now)  # type: ignore
        elif event >= st.EV_PART:
            from agent.operations import handle  # only where a controller has no MID 0060

            handle(self, event, now)

    def _begin_ready(self, now):
        session = self.session
        self._accepted()
        indexes = session.start_index | session.subscriptions[0].index << 4
        if self.recovery.known.memory[INDEXES] != indexes and self.ring.has_spare():
            at = self.ring.begin_memory()
            if at >= 0:
                self.ring.stage[at + INDEXES] = indexes
            if at < 0 or self.ring.commit_memory() != 0:
                self.health.note(h.NOT_SAVED, 2, now)  # the next session finds out again
        if session.several is not None and session.several.subscription is not None:
            from agent.spindles import ready

            ready(self, now)  # there is no MID 0064
        else:
            self.recovery.opened(session.identity, session.system_type, now)
        self._tool_due = True
        if self.errands is not None:
            self.errands.opened(now)

    # -- results -----------------------------------------------------------------------------------------------

    def _take_result(self, cut_short, now):
        session = self.session
        link = self.link
        if self.full:  # an answer would count for the one that was not taken: MID 0062 does not say for which it is
            session.withhold()
            return
        kept = self.store.put_pushed(link.buf, link.at, link.length, session.revision, cut_short, now)
        if kept == KEPT or kept == KEPT_BEFORE:
            # While something is asked its answer may come meanwhile.
            if not link.steady and link.last_chance() and not session.request.asked:
                self._maintain()
                self.quiet.offer(now)
            session.acknowledge()
            for slot in self._outlet_slots:  # here and not by `_wake_outlets`: a call less for every result
                self._scheduler.wake(slot, now)
            return
        session.withhold()
        if kept == NOT_KEPT:
            self.full = True
            session.stop()

    def _take_happening(self, now):
        """Results have the right of way: with no room for both an event is told again."""
        link = self.link
        kept = NOT_KEPT
        if not self.full and self.ring.has_room(self.room_bytes):
            kept = self.happenings.put(self.session.mid, link.buf, link.at, link.length, now)  # type: ignore
        if kept == NOT_KEPT:
            self.session.withhold()
            return
        self.session.acknowledge()
        self._wake_outlets(now)

    def _take_fetched(self, now):
        link = self.link
        shared = self.recovery.shared
        if not self._has_flushed(now):
            return
        if shared is not None:
            shared.hear_owner(link.buf, link.at, link.length, self.session.revision)
        if self.store.read_fetched(link.buf, link.at, link.length, self.session.revision):
            self._store_answer(now)
        else:
            self._take_unread(now)

    def _has_flushed(self, now):
        """Before the stage is used for an answer: what is gone lies in front of it, and is written down first."""
        if self.recovery.phase != PHASE_FILL or self.recovery.flush():
            return True
        self.health.note(h.NOT_SAVED, 3, now)
        self.recovery.wait_for_room(now)
        return False

    def _store_answer(self, now):
        """The answer to what the recovery has asked for stands in the stage."""
        recovery = self.recovery
        news = recovery.fetched(self.ring.stage, self.store.body_place(), now)
        if news != NEWS_STORE:
            self._take_news(news, now)
            return
        kept = self.store.put_fetched(now)
        if kept == NOT_KEPT or (kept == KEPT_BEFORE and not recovery.kept(CLOSED_KEPT)):
            recovery.wait_for_room(now, kept == NOT_KEPT)
        self._wake_outlets(now)

    def _take_unread(self, now):
        """Nobody can read the answer: keep the result that was asked for, or its push alone; else its ID may do."""
        self.health.note(h.CONTROLLER_MALFORMED, 65, now)
        recovery = self.recovery
        buf, at, length = self.link.buf, self.link.at, self.link.length
        pushed_at = self.session.place_of_pushed_id()
        if recovery.keeps_answer():
            kept = self.store.put_fetched_raw(buf, at, length, recovery.ask_id, pushed_at, now)
            if kept == NOT_KEPT or not recovery.kept(CLOSED_KEPT):
                recovery.wait_for_room(now, kept == NOT_KEPT)
            self._wake_outlets(now)
        else:
            recovery.is_another_unread = is_another(self.ring, buf, at, length, recovery.witness, pushed_at)
            self._take_news(recovery.fetched(self.ring.stage, self.store.body_place(), now), now)

    def _wake_outlets(self, now):
        for slot in self._outlet_slots:
            self._scheduler.wake(slot, now)

    def _take_news(self, news, now):
        if news == NEWS_ASK_AGAIN:
            self.session.stop()
        if news == NEWS_NO_OWNER:
            self.health.note(h.NO_OWNER, self.session.revision, now)
        if news == NEWS_RESET:
            self.health.note(h.CONTROLLER_RESETS, self.recovery.known.memory[EPOCH], now)
