"""The station's task at ToolsNet's side: what the cursor points at goes out, and only a 05 with code 000 moves it on.

Rules
1. Order is the log's order, one telegram at a time; `agent.outlet` knows where the log stands.
2. A result refused `refused_attempts` times, or silent on three connects, is probed with the one behind it (DIGEST G.9
   no. 3): if that is taken the refused one is parked; if not, the server is in trouble and the order is kept.
3. A frame that could not be read is parked when its turn comes. With the parking area full the way is blocked: nothing
   is dropped.
4. The flash is used only while the controller's line is quiet (agent.link): a chip loses octets meanwhile.
"""

from agent import health as h
from agent.base.compat import const
from agent.base.result import PARKED_SILENT, PARKED_UNREADABLE, STAMP_BYTES
from agent.base.ticks import FOREVER, Timer
from agent.link import PROGRAM_MS
from agent.link.port import PORT_CLOSED, PORT_OPEN
from agent.outlet import Outlet
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.toolsnet import session as ts

READS_A_STEP = const(8)
RETRY_MS = const(60000)  # of a refused result while the server is in trouble (G.9 no. 3)
SILENT_CONNECTS = const(3)
LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used

_WAIT_FACTORS = b"\x01\x06\x0c"  # 5, 30, 60 s (G.9 no. 3)


class Forward:
    """One spool, one station of ToolsNet. `settings` is the `toolsnet` part of the completed configuration."""

    def __init__(self, port, session, writer, ring, parked, health, clock, settings, cursor_batch):
        self.port = port
        self.session = session
        self.writer = writer
        self.outlet = Outlet(
            ring, parked, health, cursor_batch, settings["rewind"], settings["server_empty"] == "resend"
        )
        self.health = health
        self.clock = clock
        self.pim_host = settings["pim_host"]
        self.pim_port = settings["pim_port"]
        self.host_override = settings["host_override"]
        self.parks = settings["refused"] == "park"
        self.refused_attempts = settings["refused_attempts"]
        self.refused_wait_ms = settings["refused_wait_ms"]
        self.attempts = 0  # connections begun or given up: agent.liveness looks whether it moves
        self._stamp = bytearray(STAMP_BYTES)
        self._opening = False
        self._reached = False  # by the last attempt: somebody's connection is open, or was
        self._sent = 0  # number of the result that is out, 0 if none
        self._probe = 0  # number of the result that is out as a probe
        self._probe_due = False
        self._suspect = 0  # number of the result that the next three speak of
        self._refusals = 0
        self._silences = 0
        self._highest = 0
        self._hold = Timer()
        self._stopping = False
        self._line = None
        self._waits = False  # for the line

    def attach(self, line):
        """Ask this one (`quiet(busy_ms)`) when the flash may be used."""
        self._line = line

    def prepare(self, now):
        """The line is quiet now and perhaps not for long: do what waits for that, allow the next results to go out."""
        if self._waits:
            self.step(now)
        self.outlet.prepare()

    def _flash_free(self):
        return self._line is None or self._line.quiet(PROGRAM_MS)

    def begin(self, now):
        """The ring is mounted: go to the PIM."""
        self.session.start(now)

    def stop(self):
        """Close, and make the cursor durable so that nothing is sent twice after a planned stop."""
        self._stopping = True
        self.session.stop()
        self.port.close()
        self.outlet.save()

    def hurry(self, now):
        """The network is there now: do not wait for the next connection, if the last one has reached nobody."""
        if not self._reached:
            self.session.hurry(now)

    def recover(self, now):
        """After a fault: begin with a new connection."""
        self.health.note(h.FAULTS, 1, now)
        self.port.close()
        self._opening = False
        self.session.closed(now)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if self._stopping:
            return FOREVER
        session = self.session
        self._waits = False
        if (self._probe or session.state != ts.STREAMING) and not self._flash_free():
            self._waits = True
            return LINE_WAIT_MS  # an answer may have to be written down
        reads = READS_A_STEP
        while reads:
            reads -= 1
            n = 0
            frames = None
            if self._opening:
                self._look_at_opening(now)
            elif session.state > ts.PIM_OPENING:
                frames = session.frames
                n = self.port.readinto(frames.inlet(), frames.free)
                if n > 0:
                    frames.receive(n)
            if n or session.is_due(now):
                self._handle_events(now)
            if n < 0:
                self._lost(session.closed(now), now)
            if session.commanded != ts.CMD_NONE:
                self._obey(now)
            if self.outlet.cursor.number < self.outlet.ring.number and session.can_send():
                self._send_next(now)
            left = session.tick(now)
            if session.pending:
                left = self._write(left, now)
            if frames is None or n < frames.free:  # the port wakes us if there is more
                return self._least(left, now) if self._waits or self._hold.armed else left
        return 0

    def _least(self, left, now):
        """Return `left`, or what is left until a hold is over or the line is asked again, if that is less."""
        if self._waits and left > LINE_WAIT_MS:
            left = LINE_WAIT_MS
        if not self._hold.armed:
            return left
        if self._hold.expired(now):
            self._hold.stop()
            return 0 if self.session.can_send() else left  # without a connection its end changes nothing
        return self._hold.least(now, left)

    # -- connection --------------------------------------------------------------------------------------------

    def _look_at_opening(self, now):
        state = self.port.state()
        if state == PORT_OPEN:
            self._opening = False
            self._reached = True
            self.session.opened(now)
        elif state == PORT_CLOSED:
            self._opening = False
            self.session.closed(now)

    def _obey(self, now):
        command = self.session.command()
        self.port.close()
        self._opening = False
        self._reached = self._reached and command == ts.CMD_CLOSE
        self.attempts += 1
        if command == ts.CMD_OPEN_PIM:
            self.clock.stamp_into(self._stamp)
            self.session.set_stamp(self._stamp)
            self.port.open(self.pim_host, self.pim_port)
            self._opening = True
        elif command == ts.CMD_OPEN_SERVER:
            self.port.open(self._server_host(now), self.session.server_port or self.pim_port)
            self._opening = True
        if self._opening and self.port.state() == PORT_CLOSED:  # a network that is away wakes nobody
            self._look_at_opening(now)

    def _server_host(self, now):
        """The host named by the 08; blank and 0.0.0.0 mean the PIM's own (DIGEST G.9 no. 14)."""
        if self.host_override:
            return self.host_override
        try:
            named = bytes(self.session.server_address).decode().strip(" \x00")
        except UnicodeError:
            named = ""
        if not named or named == "0.0.0.0":
            return self.pim_host
        if named != self.pim_host:
            self.health.note(h.OTHER_HOST, self.session.server_port, now)
        return named

    def _write(self, left, now):
        """Write until nothing more is due or the port takes no more; return the ms until the next deadline."""
        session = self.session
        pending = session.pending
        while pending:
            n = self.port.write(session.tx, session.tx_from, pending)
            if n < 0:
                self._lost(session.closed(now), now)
                return 0
            if n == 0:
                break
            if session.sent(n, now):
                left = session.tick(now)
            pending = session.pending
        return left

    def _lost(self, event, now):
        if event != ts.EV_NONE:
            self.health.note(h.SERVER_LOSSES, self._sent, now)
        self._sent = 0
        self._probe = 0

    # -- events ------------------------------------------------------------------------------------------------

    def _handle_events(self, now):
        session = self.session
        while True:
            event = session.next_event(now)
            if event == ts.EV_NONE:
                return
            if event == ts.EV_ACCEPTED:
                self._accepted(now)
                if session.frames.is_empty():
                    return  # nothing waits for a deadline now
            elif event == ts.EV_REFUSED:
                self._refused(now)
            elif event == ts.EV_INFO:
                if not self.outlet.resume(session.result_sequence, now):
                    self._hold.start(now, RETRY_MS)
            elif event == ts.EV_STREAMING:
                self.health.count(h.SERVER_CONNECTS)
            elif event == ts.EV_SILENT:
                self._silent(now)
            elif event == ts.EV_LOST:
                self._lost(event, now)
            elif event == ts.EV_NO_PIM:
                self.health.note(h.NO_PIM, 0, now)
            elif event == ts.EV_FOREIGN:
                self.health.note(h.SERVER_FOREIGN, self._sent, now)
            elif event == ts.EV_UNKNOWN:
                self.health.note(h.SERVER_UNKNOWN, 0, now)
            else:
                self.health.note(h.SERVER_MALFORMED, 0, now)
                if session.state == ts.WAITING:
                    self._lost(event, now)

    def _accepted(self, now):
        if not self._probe:
            self.outlet.deliver(self._sent)
        elif not self.outlet.park_up_to(self._probe, now):
            self._hold.start(now, RETRY_MS)
        self._probe = 0
        self._sent = 0
        self._refusals = 0
        self._silences = 0

    def _refused(self, now):
        self.health.note(h.REFUSED_BY_SERVER, self.session.code, now)
        self._sent = 0
        if self._probe:
            self._in_trouble(now)
            return
        self.outlet.reason = self.session.code
        self._refusals += 1
        if self._refusals < self.refused_attempts or not self.parks:
            step = self._refusals - 1 if self._refusals < 3 else 2
            self._hold.start(now, self.refused_wait_ms * _WAIT_FACTORS[step])
        else:
            self._probe_due = True

    def _silent(self, now):
        self.health.note(h.SERVER_SILENT, self._sent, now)
        self._sent = 0
        if self._probe:
            self._in_trouble(now)
            return
        self._silences += 1
        if self._silences >= SILENT_CONNECTS and self.parks:
            self.outlet.reason = PARKED_SILENT
            self._probe_due = True

    def _in_trouble(self, now):
        """The probe was not taken either: it is the server; keep the order and try again later."""
        self._probe = 0
        self._probe_due = False
        self._refusals = 0
        self._silences = 0
        self._hold.start(now, RETRY_MS)

    # -- the next one ------------------------------------------------------------------------------------------

    def _send_next(self, now):
        if self._hold.armed:
            if not self._hold.expired(now):
                return
            self._hold.stop()
        outlet = self.outlet
        kind = outlet.next()
        if kind <= 0:
            return
        number = outlet.cursor.peek_number
        if number != self._suspect:
            self._suspect = number  # what was counted speaks of one that is gone
            self._refusals = 0
            self._silences = 0
            self._probe_due = False
        if kind == KIND_RAW or self._probe_due or number > outlet.cursor.limit:
            number = self._write_down(kind, number, now)
        if number:
            self._send(number)

    def _write_down(self, kind, number, now):
        """Do what has to be durable before anything goes out; return the number that may go out now, 0 if none."""
        outlet = self.outlet
        self._waits = not self._flash_free()
        if self._waits:
            return 0
        if kind == KIND_RAW:
            # Parked, it makes room for the next one at once; with no place for it the way is blocked.
            self._hold.start(now, 0 if outlet.park(PARKED_UNREADABLE, now) else RETRY_MS)
            return 0
        if self._probe_due:
            self._probe_due = False
            self._probe = outlet.prepare_probe(number)
            if self._probe == 0:
                self._hold.start(now, RETRY_MS)
            return self._probe
        outlet.allow(number)
        return number if outlet.next() == KIND_RESULT else 0

    def _send(self, number):
        if number <= self._highest:
            self.health.count(h.REPEATED)
        else:
            self._highest = number
        outlet = self.outlet
        session = self.session
        self._sent = number
        session.send(
            self.writer.write(
                outlet.buf, outlet.at, outlet.length, outlet.flags, session.next_ident(), outlet.sequence_of(number)
            )
        )
