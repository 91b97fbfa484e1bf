"""The station's task for ToolsNet: sends what the policy gives over one connection, and tells it each answer.

Rules
1. One telegram is outstanding at a time.
2. `sources` send what goes out besides results, if any are handed in (toolcart.agent.linux.toolsnet_source). They send
   only while results are not in trouble, and before results, except for one that gives way.
3. After a refusal while a copy may be on its way the server is asked where it stands.
4. The flash is used only while the controller's line is quiet (toolcart.agent.link.flash_window): a chip loses bytes
   meanwhile.
5. Why there is no connection stays in `fault` until there is one, and is logged once for each change. One that ended
   with a result that had no answer proves nothing by coming again: its reason is there again until a result has a 05.
   If no result waits, as the 08 has settled them, less is enough once: a connection if the last one broke, and a 05 to
   a 06, where the server answers any, if it was silent or could not be read. After that a second 06 of one connection
   has to have its 05: it comes and goes with each result no more, if these come soon.
6. The orderly end: nothing more goes out, what is outstanding has two seconds to be answered, then the connection is
   closed.
"""

# First, because imports nest (toolcart.agent.cart.app).
from toolcart.agent.toolsnet import session as ts

# isort: split
from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.connection_fault import (
    FOREIGN_PIM,
    MALFORMED,
    NO_ANSWER,
    NO_INFO,
    NO_PIM,
    NO_PORT,
    NOT_ALLOWED,
    NOT_WRITTEN,
)
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.link.port import WHY_TIMED_OUT, decimal
from toolcart.agent.outlets import ENDED, Connection
from toolcart.agent.outlets.toolsnet.policy import BUSY, IN_ORDER, LOOKAHEAD, SEND, WRITE, Policy
from toolcart.agent.record.result import STAMP_BYTES

WRITES_A_STEP = const(4)
LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used
NOT_WRITTEN_MS = const(5000)  # until the next connection, if our own flash refuses; then twice as long each time
CURSOR_BATCH = const(48)  # results on the word of one snapshot: at most so many are repeated after a cut, which is rare

_INDEX = const(0)  # of its cursor


class ToolsNetOutlet(Connection):
    """One log, one station of ToolsNet. `settings` is the `toolsnet` part of the completed configuration."""

    kind = "toolsnet"
    index = _INDEX

    def __init__(self, port, session, writer, station, settings, sources=(), cursor_batch=CURSOR_BATCH):
        Connection.__init__(self, port, session)
        self.times = session
        self.writer = writer
        self.counters = counters = station.counters
        self.clock = station.board
        self.log = log = station.log
        self.flash_window = quiet = station.flash_window
        part = log.device
        # After a cut this many may seem to wait though they are stored: never more than half of what the log holds.
        batch = min(cursor_batch, (part.block_count - 2) * part.block_bytes // log.longest_bytes // 2)
        self.policy = Policy(log, log.state, station.quarantine, counters, settings, batch, cursor_batch)
        self.sources = sources
        self.out = self.policy  # whose telegram is out, or was last: it hears the answer
        self.newest_sent = 0  # the highest number that went out
        session.owner = self
        self._wakes = None  # the scheduler and the slot that an operator's order wakes
        if quiet is not None:
            quiet.join(self)
        for source in sources:
            source.join(self)
        # where the connection leads: the PIM, then the host that its 08 names
        self.pim_host = settings["pim_host"]
        self.pim_port = settings["pim_port"]
        self.host_override = settings["host_override"]
        self._allow_hosts = settings["allow_hosts"]
        self._named_host = ""  # by the last 08
        self.failed_at = {}  # by the state that a connection to a server failed in: that server's host and port
        self._is_foreign = False  # what came in place of what is awaited cannot be read, or is for something else
        self._lacks_why = 0  # why a connection ended with a result that had no answer, until one has or that is passed
        self._is_passed = False  # one was passed over, and no result has had an answer since
        self.longest_ms = session.reconnect_ms
        self._waits = False  # for the line
        self._is_silent = False  # a silence of the line is offered now
        self._unwritten_ms = 0  # that were waited because our own flash refused; 0: it does not

    # -- the contract of outlets -------------------------------------------------------------------------------

    def begin(self, now):
        """The log is mounted: go to the PIM."""
        self.policy.reoffers.begin(now)
        self.session.start(now)

    def is_up(self):
        """True if the server takes results."""
        return self.session.state == ts.STREAMING and not self.fault.why

    def needs_operator(self):
        """True while only an operator can let results go on, or ToolsNet if it takes the one that it refuses."""
        policy = self.policy  # a server that refuses everything may be at fault
        refuses_all = policy.failed_lookaheads and policy.lookahead.others and policy.phase <= LOOKAHEAD
        return policy.is_stuck() and not refuses_all

    def connect_now(self, now):
        """The network is there now: try at once, unless the last attempt opened a connection."""
        if self.phase < ENDED:
            self.session.connect_now(now)

    def may_stop(self, now):
        """True if nothing is outstanding any more, or was not answered in time: `stop` may come."""
        return self._shutdown_timer.expired(now) or self.session.state != ts.STREAMING or self.session.is_idle()

    def stop(self):
        """Close, and make the cursor durable so that nothing is sent twice after a planned stop."""
        Connection.stop(self)
        if not self.policy.save_at_end():
            self.counters.count(counter.NOT_SAVED)

    def do_deferred_writes(self, now):
        """The line is quiet now and perhaps not for long: do what waits for it, and allow the next results out."""
        self._is_silent = True  # in a silence that is offered it may write without asking
        if self._waits:
            self.step(now)
        if not self.policy.prepare():
            self.counters.note(counter.NOT_SAVED, 0, now)
        self._is_silent = False

    def put_state(self, report):
        """Add what people want to know."""
        from toolcart.agent.outlets.toolsnet.status import put_state  # only when it is shown

        put_state(report, self)

    def attach(self, scheduler, slot):
        """Let an operator's order wake this slot."""
        self._wakes = (scheduler, slot)

    def offer_on_order(self, number, in_doubt):
        """An operator wants `number` offered now; return an ASK_ of toolcart.agent.quarantine.quarantine."""
        self._wake()
        return self.policy.offer_on_order(number, in_doubt)

    def offer_again(self, number, count, doubted, now, unread=0):
        """An operator has everything from the log's `number` on sent again; True if that is durable (policy)."""
        self._break(now)
        done = self.policy.offer_again(number, count, doubted, unread)
        self._wake()
        return done

    def drop_first(self):
        """An operator drops the one that all wait for; return a DROP_ of toolcart.agent.quarantine.quarantine."""
        self._wake()
        return self.policy.drop_first()

    def _wake(self):
        now = self.clock.now()
        self.session.connect_now(now)  # it is wanted now, and the server may be there again
        if self._wakes is not None:
            self._wakes[0].wake(self._wakes[1], now)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        self._waits = False
        if ts.STOPPED < self.session.state < ts.STREAMING and not self.may_write():  # what an 08 says is written down
            return LINE_WAIT_MS
        left = Connection.step(self, now)
        return LINE_WAIT_MS if self._waits and left > LINE_WAIT_MS else left

    # -- what goes out -----------------------------------------------------------------------------------------

    def may_write(self):
        """True if the flash may be used now; if not, it is asked again soon."""
        quiet = self.flash_window
        self._waits = not (
            quiet is None
            or self._is_silent
            or (
                quiet.may_write(self.log.state)
                and (not self.policy.writes_quarantine() or quiet.may_write(self.policy.lookahead.quarantine.log))
            )
        )
        return not self._waits

    def send_next(self, now):
        """Send what comes next, if anything may; return the ms until there may be more."""
        if not self.session.can_send() or self._shutdown_timer.armed:
            return FOREVER
        policy = self.policy
        if self.sources and policy.phase == IN_ORDER and self._send_source(now):
            return FOREVER
        turns = WRITES_A_STEP
        while turns:
            turns -= 1
            code = policy.next(now)
            if code == SEND:
                self._send_result(policy)
                if policy.phase and policy.may_not_retransmit():
                    self.session.outstanding.send_once()
                return FOREVER
            if code == WRITE:
                if not self.may_write() or not policy.write(now):
                    break
            elif code != BUSY:
                break
        else:
            return 0
        left = policy.time_left(now, FOREVER)
        if self.sources and policy.phase == IN_ORDER:
            for source in self.sources:
                left = source.time_left(now, left)
        return left

    def _send_result(self, out):
        """Send the log's `out.number`, which lies at out.buf[out.at:]; `out` hears what becomes of it."""
        if out.number <= self.newest_sent:
            self.counters.count(counter.REPEATED)
        else:
            self.newest_sent = out.number
        self.out = out
        octets = self.writer.write(out.buf, out.at, out.length, out.flags, self.session.ident, out.sequence)
        self.session.send(octets)

    def _send_source(self, now):
        """Let the source whose turn it is send; True if one did."""
        for source in self.sources:
            if source.waits() and not (source.gives_way and self.log.backlog_of(self.policy.cursor)):
                octets = source.send(now)
                if octets:
                    self.out = source
                    self.session.send_from(source.tx, octets, source.takes_10)
                    return True
        return False

    # -- what comes back ---------------------------------------------------------------------------------------

    def take_events(self, now):
        """Hear what the session says, until it says nothing more."""
        session = self.session
        while True:
            event = session.next_event(now)
            if event == ts.EV_NONE:
                if self._lacks_why and session.state == ts.STREAMING:
                    self._pass_over()
                return
            if event == ts.EV_ACCEPTED:
                if self._lacks_why or self._is_passed or self._is_foreign:
                    self._answered()
                self.out.accepted(now)
                incoming = session.incoming
                if incoming.start == incoming.end:  # a call less for each result
                    return  # nothing waits for a deadline now
            elif event == ts.EV_REFUSED:
                self._refused(now)
            elif event == ts.EV_INFO:
                self._resume(now)
            elif event == ts.EV_STREAMING:
                self.counters.count(counter.SERVER_CONNECTS)
                if not self._lacks_why:
                    self.fault.over()
                elif self.fault.why != self._lacks_why or self.fault.state != ts.STREAMING:
                    self.fault.set(self._lacks_why, ts.STREAMING, 0, 0, self.counters.counts[counter.DELIVERED])
            elif event == ts.EV_SILENT:
                self.counters.note(counter.SERVER_SILENT, self.policy.number if self.out is self.policy else 0, now)
                self.lost(now, True)
                self._record_fault(NO_ANSWER, now)
            elif event == ts.EV_LOST:
                self.connection_lost(event, now)
            else:
                self._odd(event, now)

    def _answered(self):
        """What is out has a 05 that can be read."""
        self._is_foreign = False
        if self.out is self.policy:
            self._lacks_why = 0
            self._is_passed = False
            self.fault.over()

    def _pass_over(self):
        """Call a connection that stands a working one, if it may be though a result had no 05 on the last."""
        if self.log.backlog_of(self.policy.cursor):
            return
        heartbeat = self.session.heartbeat
        acks = heartbeat.acks
        if acks > 1 or (
            not self._is_passed and (acks or not heartbeat.is_expected or not NO_ANSWER <= self._lacks_why <= MALFORMED)
        ):
            self._is_passed = True
            self._lacks_why = 0
            self.fault.over()

    def _odd(self, event, now):
        counters = self.counters
        if event != ts.EV_NO_PIM and (self.session.state != ts.STREAMING or not self.session.is_idle()):
            self._is_foreign = True
        if event == ts.EV_NO_PIM:
            counters.note(counter.NO_PIM, 0, now)
            self._record_fault(0, now)
        elif event == ts.EV_FOREIGN:
            counters.note(counter.SERVER_FOREIGN, -1 if self.session.state == ts.PIM_INFO else self.policy.number, now)
        elif event == ts.EV_UNKNOWN:
            counters.note(counter.SERVER_UNKNOWN, 0, now)
        else:
            counters.note(counter.SERVER_MALFORMED, 0, now)
            if self.session.state == ts.WAITING:
                self.lost(now)
                self._record_fault(MALFORMED, now)

    def _refused(self, now):
        session = self.session
        out = self.out
        self._answered()
        self.counters.note(counter.REFUSED_BY_SERVER, session.code, now)
        is_once = out is self.policy and self.policy.may_not_retransmit()
        out.refused(session.code, now)
        if session.outstanding.was_late() and not is_once:
            self._break(now)  # only the next 08 tells what became of the copy

    def lost(self, now, is_silent=False, is_ours=False):
        """The connection is gone. `is_ours`: we have ended it; else `_record_fault` says why the server is gone."""
        policy = self.policy
        if not is_ours:
            if policy.out:
                self._lacks_why = -1  # `_record_fault` says it
            if not is_silent:
                self.counters.note(counter.SERVER_LOSSES, policy.number if policy.out else 0, now)
        out = self.out
        self.out = policy
        if out is not policy:
            out.silent(now)
        # A connection that broke says no more about what was out than a server that is away.
        policy.silent(now, is_silent and self.session.proven)

    def _resume(self, now):
        """The 08 says where the server stands; until that is written down nothing may go out."""
        done = self.policy.resume(self.session.info.result_sequence, now)
        for source in self.sources:
            done = done and source.resume(now)
        if done:
            self._unwritten_ms = 0
            return
        self.counters.note(counter.NOT_SAVED, 0, now)
        self._break(now)
        self._record_fault(NOT_WRITTEN, now)
        self._unwritten_ms = ms = min(max(NOT_WRITTEN_MS, 2 * self._unwritten_ms), self.longest_ms)
        self.session.rest(ms, now)

    def _break(self, now, is_fault=False):
        """Ask the server again where it stands. We end the connection: that is no loss of the server."""
        self.hang_up()
        self.session.closed(now)
        self.lost(now, is_fault, True)

    def reset_after_fault(self, now):
        """After a fault: begin with a new connection."""
        self.counters.note(counter.FAULTS, 1, now)
        self._break(now, True)

    # -- the connection: the PIM first, then the host that its 08 names ------------------------------------------------

    def address_for(self, command, now):
        """Return where the session wants to go, None if nowhere, or where it may not."""
        self._is_foreign = False
        if command == ts.CMD_OPEN_PIM:
            stamp = bytearray(STAMP_BYTES)
            self.clock.stamp_into(stamp)
            self.session.set_stamp(stamp)
            return self.pim_host, self.pim_port
        if command == ts.CMD_CLOSE:
            return None
        info = self.session.info
        host = self._allowed_host(now) if info.port >= 0 else ""
        if host:
            return host, info.port or self.pim_port
        self.session.closed(now)
        self._record_fault(NOT_ALLOWED if info.port >= 0 else NO_PORT, now)
        return None

    def server_host(self):
        """Return the server's host by the last 08: the PIM's if blank, 0.0.0.0 or no text (protocol.md 8.3)."""
        if self.host_override:
            return self.host_override
        try:
            named = decimal(bytes(self.session.info.address).decode().strip(" \x00"))
        except UnicodeError:
            named = ""
        return self.pim_host if not named or named == "0.0.0.0" else named

    def _allowed_host(self, now):
        """Return the server's host, "" if it is not allowed."""
        host, port = self.server_host(), self.session.info.port
        if host != self.pim_host and host != self.host_override:
            if self._allow_hosts is not None and host not in self._allow_hosts:
                self.counters.note(counter.HOST_REFUSED, port, now)
                return ""
            if host != self._named_host:  # said with each change, not with each connection
                self.counters.note(counter.OTHER_HOST, port, now)
        self._named_host = host
        return host

    def connection_lost(self, event, now):
        """The connection has ended, or could not be opened."""
        if self.phase >= ENDED:
            self.lost(now)
        self._record_fault(0, now)

    def _record_fault(self, why, now):
        """Say why the connection is gone: the caller knows, or the port does, or what was awaited in vain."""
        session = self.session
        port = self.port
        state = session.lost_in
        why = why or port.why
        if self._is_foreign and state == ts.PIM_VERIFY:
            why = FOREIGN_PIM
        elif self._is_foreign and (state == ts.PIM_INFO or state == ts.STREAMING):
            why = MALFORMED
        elif why == 0:
            if state == ts.PIM_VERIFY:
                why = NO_PIM
            elif state == ts.PIM_INFO:
                why = NO_INFO
            else:
                why = NO_ANSWER if state == ts.STREAMING else WHY_TIMED_OUT
        if state != ts.STREAMING:
            self.policy.nobody_there()
        if state > ts.PIM_INFO:  # the next 08 may name another server
            self.failed_at[state] = self.server_host(), session.info.port
        counters = self.counters
        counters.count(counter.SERVER_AWAY)
        if self._lacks_why < 0:
            self._lacks_why = why
        if self.fault.set(why, state, port.why_code, 0, counters.counts[counter.DELIVERED]):
            counters.log.add(counter.SERVER_AWAY, why, now)
