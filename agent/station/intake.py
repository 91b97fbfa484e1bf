"""The station's task on the controller's side: connects, takes what is pushed, fetches the rest, waits in between.

Rules
1. A push is taken by its handler, one per row (toolcart.agent.openprotocol.subscriptions): its `take` makes it durable
   or not, and only what is durable is acknowledged. Two kinds are acknowledged all the same, since they would come for
   ever and cost the connection: a curve (toolcart.agent.linux.controller_curves) and an event that cannot be read
   (toolcart.agent.linux.controller_events). A result in parts has rules of its own in its handler. That of MID 0061
   is the intake itself, over `Store`: an object of its own would cost a chip a hundred bytes of its heap.
2. A result that is pushed and cannot be kept, since the log has no room, the flash refuses, or the log's last record is
   in doubt, ends the session in order, and none is begun before there is room: the controller keeps its results, and
   MID 0064 fetches them later. What is fetched waits for room within its session. After a refusal the flash is tried
   before the controller is asked again: each time a device says so by `probe_ms` (toolcart.agent.log.flash), else
   after ever longer pauses until a result is kept.
3. One fetch at a time, only when no input waits: a live result is never delayed by an old one.
4. Every connection ends here: closed port, broken framing, silence, rejection. Over TCP, where the session itself ends
   it, what is durable is acknowledged first.
   The next one waits 10 .. 60 s if the controller's slot was taken, else 1, 2, 4 .. 30 s, each and up to a quarter
   more. It waits 1 s after a session that was up, unless something could not be kept, or framing was lost again and no
   result was stored in between; and whatever came before where another revision, or another way, is left to try
   (`has_alternative_left` of toolcart.agent.openprotocol.result_mode). The reason is kept in `fault` until a session is
   up, and is logged once for each change.
5. `subscription_check` sees whether the controller still pushes, and has this connection end if it does not.
6. `flash_window.set_receiving` is told when something may be said on the line, and when no longer.

    stopping      `stop` was called: no connection is begun any more, whatever else holds; never taken back
    cannot_store  rule 2: no result that is pushed is taken any more in this session, which ends in order, and no
                  connection is begun until `_can_keep` takes it back
    flash_refused only with `cannot_store`: the flash is why, and is tried as rule 2 says; without it room is lacking,
                  which is looked for every ROOM_ASKED_MS, or the log's last record is in doubt
    _ready        this connection's session was up, also while it ends: set with READY, taken back as it closes
    _more         on a serial line: input lies unread behind a push that took time to store. The step ends at once, and
                  the next one begins with that input, and with the time of then
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.connection_fault import KEPT_AGAIN, ConnectionFault
from toolcart.agent.base.ticks import FOREVER, Backoff, Timer
from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING, WHY_FAILED, WHY_TIMED_OUT
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.controller_identity import read_tool
from toolcart.agent.openprotocol.error_codes import (
    REJECTED_BUSY,
    REJECTED_GONE,
    REJECTED_LATER,
    REJECTED_REVISION,
    noted,
)
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.id_ledger import INDEXES
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.subscriptions import NAMED
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NO_FIGURES, NOT_KEPT
from toolcart.agent.station.subscription_check import SubscriptionCheck

READS_A_STEP = const(8)  # then the other tasks have their turn
_CONNECT_TIMEOUT_MS = const(5000)
BACKOFF_MS = const(1000)  # before the first reconnect; each further one doubles it
BACKOFF_MOST_MS = const(30000)  # and up to a quarter more: a controller that is on again is found within 38 s
BUSY_MS = const(10000)  # where another client has the place: asked more often it stays taken (protocol.md 4.4)
BUSY_MOST_MS = const(60000)  # some keep the place of a client that was cut off for a minute
FETCH_AFTER_MS = const(50)  # of silence on a serial line: a controller with more results continues well before that
_OWNER_REVISION = const(7)  # of MID 0065, from which on it may name a station
ROOM_ASKED_MS = const(1000)  # how often a log without room is checked again


class Intake:
    """One controller, one log."""

    def __init__(self, station, store, controller):
        tcp = controller["link"] == "tcp"
        self.port = station.controller_port
        self.session = session = station.session
        self.link = session.link
        self.is_event_driven = session.is_event_driven
        self.flash_window = station.flash_window
        self.recovery = recovery = station.recovery
        self.subscription_check = SubscriptionCheck(recovery, recovery.retry_ms)
        self.store = store
        self.log = store.log
        self.counters = station.counters
        # the connection to the controller, and why there is none (rule 4)
        self.host = controller["host" if tcp else "device"]
        self.port_number = controller["port" if tcp else "baud"]  # of a serial line: its speed
        self.attempts = 0  # connections begun: toolcart.agent.cart.watchdog checks that it grows
        self.opening = False  # a connection was requested and is not open yet
        self.fault = ConnectionFault()
        self.wait = Timer()  # for the next attempt; while `opening`, for the current one
        self._backoff = Backoff(BACKOFF_MS, BACKOFF_MOST_MS)
        self._busy_backoff = Backoff(BUSY_MS, BUSY_MOST_MS)
        # how many had been stored when one could not be kept, or framing was lost, last: until it is more, waits grow
        self._stored_at_refusal = -1
        self._is_junk_noted = False  # that octets came that are no message was logged: once for each connection
        self._jitter_state = (station.board.seed() + station.number) & 0x7FFF
        # of a serial line: while a controller talks on it nothing old is asked for
        self._fetch_after_ms = 0 if tcp else FETCH_AFTER_MS
        self._fetch_delay = Timer()
        self._octets_received = 0  # since it was opened: perhaps none of them answers anything
        # how much of the recovery's counts was reported
        self._gone_reported = 0  # IDs
        self._not_saved_reported = 0  # snapshots refused
        self.queries = None  # toolcart.agent.openprotocol.queries, if configured
        self.commands = None  # toolcart.agent.station.commands, likewise
        self.has_request_due = False  # the tool's data, or a command, is asked for before missing results
        # the head of the module says what these mean together
        self.cannot_store = False
        self.flash_refused = False
        self.stopping = False
        self._ready = False
        self.late_answers = None  # toolcart.agent.station.late_answers', once a question got no answer in time
        self._last_answer_was_fill = False  # to a question for what is missing
        self._is_tool_due = False
        self._more = False
        self._outlet_slots = ()
        session.subscriptions[0].set_handler(self)

    # -- the station's calls -------------------------------------------------------------------------------------

    def attach(self, scheduler, outlet_slots):
        """Wake these slots (a tuple) for every result kept."""
        self._scheduler = scheduler
        self._outlet_slots = outlet_slots

    def begin(self, now):
        """Start with the revisions that worked before."""
        session = self.session
        indexes = self.log.state.octets[INDEXES]
        start_revisions = session.start_revisions
        start_revisions.index = (indexes & 0x0F) % len(start_revisions.all)
        ledger = self.store.ledger
        self._gone_reported = ledger.gone()
        results = session.subscriptions[0].revisions
        results.index = (indexes >> 4) % len(results.all)
        if ledger.is_met() or ledger.is_empty():
            start_revisions.accepted_index = start_revisions.index
            results.accepted_index = results.index
        self.wait.start(now, 0)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more. Hot: allocates nothing."""
        if self.session.state == session_states.CLOSED:
            if self.stopping:
                return FOREVER
            if not self._connect(now):
                return self.wait.left(now)
        link = self.link
        is_event_driven = self.is_event_driven
        reads = READS_A_STEP
        while reads:
            reads -= 1
            n = self.port.readinto(link.inlet(), link.free)
            if n > 0:
                link.receive(n)
                if self._fetch_after_ms:
                    self._octets_received += n
                    self._fetch_delay.start(now, self._fetch_after_ms)
            if n or self._more or not is_event_driven:
                self._handle_events(now)
            left = self._exchange(n, now)
            if left < 0:
                return self.wait.left(now)
            if self._more:
                return 0  # more came while the flash was busy: it needs the current time
            if n == 0 or (is_event_driven and n < link.free):  # the port wakes us if there is more
                left = self._do_idle_work(left, now)
                if left >= 0:
                    return left
        return 0

    def stop(self, now):
        """End the session in order; `stopped` tells when it is done."""
        self.stopping = True
        if self.session.state == session_states.CLOSED:
            self.port.close()
        else:
            self.session.stop(now)

    def stopped(self):
        """True if the port is closed after `stop`."""
        return self.stopping and self.session.state == session_states.CLOSED

    def connect_now(self, now):
        """Connect at once if it would do so over the network: the network is up now."""
        if self.is_event_driven and self.session.state == session_states.CLOSED and not self.opening:
            self.wait.start(now, 0)

    def reset_after_fault(self, now):
        """Start over with a new connection after a fault."""
        self.counters.note(counter.FAULTS, 0, now)
        self._close(now)

    def stalled(self, now):
        """The process got no turn for a while: the controller may have given up."""
        self.subscription_check.doubt(now)

    # -- the connection ------------------------------------------------------------------------------------------

    def _connect(self, now):
        """Return True once the port is open; else `wait` says when to check again."""
        if self.stopping:
            return False
        if self.opening:
            state = self.port.state()
            if state == PORT_OPEN:
                self.opening = False
                self.wait.stop()
                self.counters.count(counter.CONTROLLER_CONNECTS)
                self._octets_received = 0
                self._is_junk_noted = False
                self.session.opened()
                self.flash_window.set_receiving(True)
                return True
            if state == PORT_CLOSED or self.wait.expired(now):
                self._close(now)
            return False
        if not self.wait.expired(now):
            return False
        if not self._can_keep(now):
            return False
        self.opening = True
        self.attempts += 1
        self.wait.start(now, _CONNECT_TIMEOUT_MS)
        self.port.open(self.host, self.port_number)
        # A serial line is open at once, a network that is down closes at once: nothing would wake us for either.
        return self.port.state() != PORT_OPENING and self._connect(now)

    def _can_keep(self, now):
        """True if the next result can be kept, as far as the flash can tell without it; else start the wait."""
        log = self.log
        # While the last record is in doubt nothing can be stored, nor is it known what was stored.
        is_sure = self.store.finish_replay()
        if (is_sure or log.device.refusal() == 0) and not log.has_room(log.room_bytes):
            self.cannot_store, self.flash_refused = True, False
            self.wait.start(now, ROOM_ASKED_MS)
            return False
        if is_sure and (not self.cannot_store or log.state.save()) and log.maintain():  # while nothing can be said yet
            self.cannot_store = self.flash_refused = False
            return True
        self._note_storage_failure()
        self._pause(now, self._probe_ms() or self._backoff.next())
        return False

    def _probe_ms(self):
        """Return the ms until a flash that refused is tried again; 0 where a try may wear it."""
        device = self.log.device.device
        return device.probe_ms() if self.flash_refused and hasattr(device, "probe_ms") else 0

    def _note_storage_failure(self):
        """Note that something could not be kept, and whether that is for want of room."""
        self.cannot_store = True
        self.flash_refused = self.log.device.refusal() != 0
        self._stored_at_refusal = self.counters.counts[counter.STORED]

    def _pause(self, now, wait_ms):
        """Wait so long and up to a quarter more."""
        self._jitter_state = (self._jitter_state * 109 + 89) & 0x7FFF
        self.wait.start(now, wait_ms + wait_ms * self._jitter_state // 0x7FFF // 4)

    def _close(self, now):
        """Close, and start the wait for the next connection."""
        why = self.session.why
        if not self.stopping:
            self._record_fault(why, now)
        self.port.close()
        self.session.closed()
        self.flash_window.set_receiving(False)
        self.subscription_check.closed()
        old_result = self.session.old_result
        if self.recovery.end_session(now, old_result.has_ended):
            old_result.revisions.forget_ends()  # each revision has its turn
        self._report_recovery(now)
        self.opening = False
        stored = self.counters.counts[counter.STORED]
        is_stuck = why == session_states.WHY_FRAMING and stored == self._stored_at_refusal
        if why == session_states.WHY_FRAMING:
            self._stored_at_refusal = stored
        if why == session_states.WHY_BUSY:
            wait_ms = self._busy_backoff.next()
        elif (self._ready and not self.cannot_store and not is_stuck) or self.session.result_mode.has_alternative_left:
            wait_ms = BACKOFF_MS
        else:
            wait_ms = self._backoff.next()
        self._ready = False
        self._pause(now, wait_ms)

    def _record_fault(self, why, now):
        """Record why there is no connection, as the session or the port says."""
        session = self.session
        port = self.port
        code, mid = session.received.rejected_code, session.received.rejected_mid
        if why == session_states.WHY_NOTHING or why == session_states.WHY_SILENCE:
            mid = session.request.asked
        if why == session_states.WHY_SILENCE and self._fetch_after_ms:
            code = self._octets_received
        if why == session_states.WHY_NOTHING:
            code = port.why_code
            why = port.why
            if self.opening and why == 0:
                why = WHY_TIMED_OUT if port.state() == PORT_OPENING else WHY_FAILED
        was_open = session.state != session_states.CLOSED
        if was_open:
            self.counters.note(counter.CONTROLLER_LOSSES, why, now)
        if why == session_states.WHY_STOPPED:  # we ended it: it starts again by itself
            if self.cannot_store:
                self.fault.set(KEPT_AGAIN, session_states.READY, 0, 0, self.counters.counts[counter.STORED])
            return
        state = session_states.READY if self._ready else session_states.STARTING if was_open else session_states.CLOSED
        has_changed = self.fault.set(why, state, code, mid, self.counters.counts[counter.STORED])
        if not was_open:
            self.counters.count(counter.CONTROLLER_AWAY)
            if has_changed:
                self.counters.log.add(counter.CONTROLLER_AWAY, why, now)

    def _begin_ready(self, now):
        """Begin a session: reset the waits for the next attempt, and remember which revisions worked."""
        self._ready = True
        self.late_answers = None
        self.fault.over()
        if self.counters.counts[counter.STORED] != self._stored_at_refusal:
            self._backoff.reset()
        self._busy_backoff.reset()
        session = self.session
        state = self.log.state
        indexes = session.start_revisions.index | session.subscriptions[0].revisions.index << 4
        if state.octets[INDEXES] != indexes:
            state.octets[INDEXES] = indexes
            if not state.save():
                # A later snapshot has it, or the next session finds out again.
                self.counters.note(counter.NOT_SAVED, 0, now)
        session.subscriptions[0].handler.on_event(self, session_states.EV_READY, now)
        if session.old_result.revisions.is_suspended():
            self.apply_outcome(self.recovery.requests_suspended(now), now)
        self.subscription_check.rest(now)
        self._is_tool_due = self.has_request_due = True
        if self.queries is not None:
            self.queries.opened(now)

    # -- the conversation ----------------------------------------------------------------------------------------

    def _exchange(self, n, now):
        """Write what is due; return the ms until the next deadline, -1 if the connection is over."""
        session = self.session
        if n < 0 and session.state != session_states.CLOSED:
            self._close(now)
        left = session.tick(now)
        if left == 0 and self.is_event_driven:  # a deadline has come that nothing else would handle
            self._handle_events(now)
            left = session.tick(now)
        if self.link.pending:
            left = self._write(left, now)
        return -1 if session.state == session_states.CLOSED else left

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
                if pending == 0 and self.is_event_driven and not self.session.has_more():
                    break
            left = self.session.tick(now)  # only now: what was sent sets deadlines, and more may be due
            if n == 0:
                break
            pending = link.pending
        return left

    def _write_last(self):
        """Acknowledge what is durable before the port is closed, as far as it takes that now."""
        link = self.link
        while link.pending or self.session.post_last():
            n = self.port.write(link.tx, link.tx_from, link.pending)
            if n <= 0:
                return
            link.sent(n)

    def _handle_events(self, now):
        session = self.session
        self._more = False
        while True:
            event = session.next_event(now)
            if not self._ready and session.state == session_states.READY:
                self._begin_ready(now)
            if event == session_states.EV_NONE:
                return
            if event == session_states.EV_PUSHED or event == session_states.EV_PUSHED_CUT:
                session.pushed.handler.take(self, event == session_states.EV_PUSHED_CUT, now)
                if self.is_event_driven:
                    if self.link.start == self.link.end:  # `is_empty`, without a call
                        return
                elif self.link.room() == 0:
                    self._more = True
                    return
            elif event == session_states.EV_OVER:
                if self.is_event_driven:
                    self._write_last()
                self._close(now)
                return
            else:
                self._handle_answer(event, now)

    def _handle_answer(self, event, now):
        session = self.session
        if session.subscriptions[0].handler is None:
            self._create_handler(session.subscriptions[0])
        if event == session_states.EV_FETCHED:
            self._take_fetched(now)
        elif event == session_states.EV_FETCH_REJECTED:
            self._take_rejection(now)
        elif event == session_states.EV_FETCH_SILENT:
            self._note_silence()
            self.apply_outcome(self.recovery.silent(now), now)
        elif event == session_states.EV_OTHER_SPINDLE:
            self._take_other_answer(now)
        elif event == session_states.EV_FETCH_LATE:
            if session.request.unasked == 1:
                from toolcart.agent.openprotocol.other_ids import forget_answers  # hardly any controller does that

                session.request.unasked = 2
                forget_answers(self.recovery)
            if self.late_answers is not None:
                self.late_answers.take(self, now)
        elif event == session_states.EV_TOOL:
            read_tool(self.store.serial, self.link.buf, self.link.at)
        elif event == session_states.EV_REJECTED:
            self.counters.note(counter.CONTROLLER_REFUSALS, noted(session.received.named, session.received.code), now)
        elif event == session_states.EV_UNKNOWN:
            if self.commands is None or not self.commands.came_late(session, now):
                from toolcart.agent.openprotocol.shifted_header import note_unknown  # few send what was not asked for

                note_unknown(session, self.counters, now)
        elif event == session_states.EV_MALFORMED:
            if session.received.mid or not self._is_junk_noted:
                self._is_junk_noted = self._is_junk_noted or not session.received.mid
                self.counters.note(counter.CONTROLLER_MALFORMED, session.received.mid, now)
            else:
                self.counters.count(counter.CONTROLLER_MALFORMED)
        elif event >= session_states.EV_WATCH:
            self.subscription_check.on_event(self, event, now)
        elif event >= session_states.EV_HANDLERS:
            session.subscriptions[0].handler.on_event(self, event, now)  # type: ignore - it was created above
        elif event >= session_states.EV_QUERY:
            self.queries.take(event, session, self.counters, now)  # type: ignore - who asked is there

    def _take_rejection(self, now):
        """Take the rejection of a question for an old result."""
        recovery = self.recovery
        session = self.session
        rejection = session.received.rejection
        was_filling = recovery.phase == phases.PHASE_FILL
        revision = recovery.revision()
        outcome = recovery.rejected(rejection, now, session.received.code)
        goes_on = was_filling and recovery.phase == phases.PHASE_FILL
        is_deferred = rejection == REJECTED_LATER or rejection == REJECTED_BUSY
        goes_on = goes_on or rejection == REJECTED_REVISION or (recovery.revision() != revision and not is_deferred)
        counts = recovery.phase == phases.PHASE_OFF or not goes_on
        if rejection == REJECTED_GONE:  # that is an answer: it has no such result
            session.old_result.answered_gone(counts)
        else:
            session.old_result.rejected(counts, is_deferred)
        self.apply_outcome(outcome, now)

    def _create_handler(self, subscription):
        """Create the handler for a controller that sends its results in another form; loaded only now."""
        if subscription.row[NAMED]:
            from toolcart.agent.station.operations import Operations

            subscription.set_handler(Operations())
        else:
            from toolcart.agent.station.spindle_intake import Spindles

            subscription.set_handler(Spindles())

    # -- pushes --------------------------------------------------------------------------------------------------

    def take(self, intake, cut_short, now):
        """Take, as its handler, the MID 0061 that just came. Hot: allocates nothing."""
        # MID 0062 does not say which one it is for: an answer would count for the one not taken.
        if self.cannot_store:
            self.session.withhold()
            return
        kept = self.store.put_pushed(self.link, self.session.received.revision, cut_short, now)
        if kept <= NOT_KEPT:
            self.answer(kept, now)
            return
        if kept == KEPT_BEFORE:
            self.subscription_check.doubt(now, True)
        if not self.is_event_driven:
            self._use_last_chance(now)
        self.session.acknowledge()
        self._scheduler.wake_all(self._outlet_slots, now)  # `wake_outlets`, without a call

    def _use_last_chance(self, now):
        """Let everything write that waits for a silence, if the controller waits for an acknowledgement now.

        Not while a request is outstanding: its answer may come in the meantime.
        """
        if self.link.last_chance() and not self.session.request.asked:
            self._maintain()
            self.flash_window.offer(now)

    def on_event(self, intake, event, now):
        """Begin the recovery: a session is up whose results come as MID 0061 and can be asked for."""
        session = self.session
        self.recovery.begin_session(session.identity, session.system_type, now)

    def answer(self, kept, now):
        """Acknowledge what a handler made durable; return True if it did. If nothing can be stored, end the session."""
        if kept > NOT_KEPT:
            if not self.is_event_driven:
                self._use_last_chance(now)
            self.session.acknowledge()
            self.wake_outlets(now)
            several = self.session.result_mode.multi_spindle
            if kept == KEPT_BEFORE and (several is None or not several.rewinds()):
                self.subscription_check.doubt(now, True)
            return True
        self.session.withhold()
        if kept == NOT_KEPT:
            self.leave(now)
        return False

    def leave(self, now):
        """End the session in order, as nothing more can be kept, and come back when there is room."""
        if not self.cannot_store:
            self._note_storage_failure()
            self.session.stop(now)

    def wake_outlets(self, now):
        """Wake the outlets: something was stored."""
        self._scheduler.wake_all(self._outlet_slots, now)

    # -- silences, and what is asked in them ---------------------------------------------------------------------

    def _do_idle_work(self, left, now):
        """Ask what is due, or erase ahead; return the ms until the next deadline, -1 if something was asked."""
        session = self.session
        recovery = self.recovery
        if self._fetch_delay.armed and self._fetch_delay.expired(now):
            self._fetch_delay.stop()
        wait_ms = self.subscription_check.timer.left(now)
        if wait_ms:
            if wait_ms < left:
                left = wait_ms
        elif session.can_fetch() and not self._fetch_delay.armed and self.subscription_check.look(session, now):
            return -1
        # Checked before the call: usually there is nothing to fetch.
        if self.has_request_due or ((recovery.phase or recovery.ledger.ranges) and recovery.seeks()):
            generic = session.result_mode.generic
            if generic is not None and generic.holds_back:
                left = min(left, generic.tick(now))
            if recovery.push_run.on_its_way is not None:
                from toolcart.agent.openprotocol.unfetchable import count_when_due  # loaded where that is

                left = count_when_due(recovery, now, left)
            if session.can_fetch():
                if self._fetch_delay.armed:
                    left = self._fetch_delay.least(now, left)
                elif self._fetch_next(now):
                    return -1
                elif self.flash_window.may_program():  # else nothing is asked before the line's own deadline
                    left = recovery.wait_least(now, left)
        if self.queries is not None:
            if self._fetch_delay.armed:
                left = self._fetch_delay.least(now, left)
            else:
                left = self.queries.look(session, now, left)
                if left < 0:
                    return left
        if not self.log.writes_in_one_program() and (self.is_event_driven or self.flash_window.may_erase()):
            self._maintain()
        return left

    def _maintain(self):
        if not self.log.maintain():
            self.counters.count(counter.NOT_SAVED)  # it is retried each time

    def _fetch_next(self, now):
        if self.has_request_due and self._ask_first(now):
            return True
        recovery = self.recovery
        log = self.log
        if recovery.phase == phases.PHASE_FILL and not log.has_room(log.room_bytes, False):  # the controller keeps it
            recovery.wait_for_room(now, ROOM_ASKED_MS)
            return False
        if not self.flash_window.may_program():
            return False
        if not recovery.prepare_request(now):
            self._report_recovery(now)
            return False
        session = self.session
        generic = session.result_mode.generic
        if generic is not None and generic.is_under_way(recovery.ask_id):
            recovery.wait_for_room(now, ROOM_ASKED_MS)  # it is coming
            return False
        recovery.put_request(session.old_result.asked_id)
        session.old_result.revision = recovery.revision()
        session.old_result.spindle = recovery.ask_spindle
        session.fetch()
        return True

    def _ask_first(self, now):
        """Ask for what comes before missing results; return False if nothing of it may be asked now."""
        self.has_request_due = False
        if self._is_tool_due:
            self._is_tool_due = False
            self.has_request_due = self.commands is not None
            if self.session.ask_tool():
                return True
        return self.commands is not None and self.commands.ask_first(self.session, now)

    def _report_recovery(self, now):
        """Count what the recovery found gone, which is in the log by now, and what it could not save."""
        gone = self.recovery.ledger.gone()
        if gone != self._gone_reported:
            self.counters.note(counter.IDS_GONE, gone - self._gone_reported, now)
            self._gone_reported = gone
            self.wake_outlets(now)
            self.subscription_check.fetched(self, -1, now)
        counts = self.counters.counts
        passed_over = self.recovery.passed_over
        if passed_over != counts[counter.PASSED_OVER]:
            if counts[counter.PASSED_OVER] == 0:
                self.counters.log.add(counter.PASSED_OVER, passed_over, now)
            counts[counter.PASSED_OVER] = passed_over
        if self.recovery.ledger.not_saved != self._not_saved_reported:
            self._not_saved_reported = self.recovery.ledger.not_saved
            self.counters.note(counter.NOT_SAVED, 0, now)

    def _note_silence(self):
        if self.late_answers is None:
            from toolcart.agent.station.late_answers import LateAnswers  # hardly any controller answers late

            self.late_answers = LateAnswers()
        self.late_answers.note(self.recovery)

    def _take_fetched(self, now):
        self.session.old_result.answered()
        link = self.link
        ownership = self.recovery.ownership
        if ownership.shared is None and self.session.received.revision >= _OWNER_REVISION:
            from toolcart.agent.openprotocol.shared_ids import seek_station  # few controllers answer in it

            if seek_station(self, now):
                return
        if ownership.shared is not None:
            session = self.session
            ownership.shared.read_owner(link.buf, link.at, link.length, session.received.revision, session.station_id)
        if self.late_answers is not None and self.late_answers.take(self, now):
            return
        spindle = self.session.request.spindle
        self._last_answer_was_fill = self.recovery.phase == phases.PHASE_FILL
        is_read = self.store.read_fetched(link.buf, link.at, link.length, self.session.received.revision, spindle)
        self.store_answer(is_read, now)

    def _take_other_answer(self, now):
        """Store one more answer to what was asked for last: a controller sends what all spindles have under the ID.

        Not if that was to find out what is missing, which is stored oldest first.
        """
        link = self.link
        if not self._last_answer_was_fill or self.recovery.ownership.shared is not None:
            return
        if self.store.read_fetched(link.buf, link.at, link.length, self.session.received.revision):
            if self.put_fetched(True, now) != NOT_KEPT:
                self.wake_outlets(now)

    def store_answer(self, is_read, now):
        """Store the answer to the recovery's request: it is in the stage, or only its ID if it cannot be read."""
        recovery = self.recovery
        store = self.store
        link = self.link
        if is_read:
            outcome = recovery.fetched(self.log.stage, store.body, now, store.flags, store.length)
        else:
            self.counters.note(counter.CONTROLLER_MALFORMED, 65, now)
            from toolcart.agent.openprotocol.frame_contents import check_of  # hardly any answer cannot be read

            frame = link.buf[link.at + HEADER_BYTES : link.at + link.length]
            check = check_of(frame)
            outcome = recovery.fetched_unread(self.log.stage, store.body, check, now, frame)
        if outcome != phases.OUTCOME_STORE:
            self.apply_outcome(outcome, now)
            return
        kept = self.put_fetched(is_read, now)
        if kept == NOT_KEPT:
            recovery.wait_for_room(now)
        else:
            recovery.stored(now)
            self.wake_outlets(now)
            if kept == KEPT:
                self.subscription_check.fetched(self, id_of(recovery.ask_id, 0), now)

    def put_fetched(self, is_read, now, asked=None):
        """Store the answer to `asked` that is in the stage, or as it came; return KEPT, KEPT_BEFORE or NOT_KEPT."""
        kept = self.store.put_fetched(now) if is_read else NO_FIGURES
        if kept != NO_FIGURES:
            return kept
        link = self.link
        pushed_at = self.session.place_of_pushed_id()
        asked = self.recovery.ask_id if asked is None else asked
        return self.store.put_fetched_raw(link.buf, link.at, link.length, asked, pushed_at, now, is_read)

    def apply_outcome(self, outcome, now):
        """Act on what the recovery has concluded from an answer."""
        if outcome == phases.OUTCOME_ASK_AGAIN:
            self.session.old_result.rejected(False)  # it is not the question that ends this connection
            self.session.stop(now)
        elif outcome == phases.OUTCOME_NO_OWNER:
            self.counters.note(counter.NO_OWNER, self.session.received.revision, now)
        elif outcome == phases.OUTCOME_KNOWN or outcome == phases.OUTCOME_UNKNOWN:
            self.subscription_check.polled(self, outcome == phases.OUTCOME_KNOWN, now)
        elif outcome == phases.OUTCOME_OFFSET:
            self.counters.note(counter.IDS_OFF, self.recovery.offset.by, now)
        elif outcome == phases.OUTCOME_RESET:
            self.counters.note(counter.CONTROLLER_RESETS, self.recovery.ledger.epoch(), now)
        self._report_recovery(now)
