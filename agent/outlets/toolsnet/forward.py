"""The station's task at ToolsNet's side: what the cursor points at goes out, and only a 05 with code 000 moves it on.

Rules
1. Order is the log's order, one telegram at a time; `agent.outlets.toolsnet.position` knows where the log stands.
2. A result refused `refused_attempts` times, or silent on three connects, may be the server's fault or its own. What
   is behind it tells (agent.outlets.toolsnet.sweep).
3. A frame that could not be read is set aside when its turn comes. What is set aside moves into the quarantine when
   there is time; with no room there it stays where it is and stops nothing.
4. The flash is used only while the controller's line is quiet (agent.quiet): a chip loses octets meanwhile.
"""

# First, because imports nest (agent.app).
from agent.toolsnet import session as ts

# isort: split
from agent import health as h
from agent.base.compat import const
from agent.base.ticks import FOREVER, Timer
from agent.outlets.toolsnet.outlet import Outlet
from agent.outlets.toolsnet.position import NOT_SET, OUTLET
from agent.outlets.toolsnet.sweep import RETRY_MS, Sweep
from agent.quarantine import NO_ROOM
from agent.record.result import PARKED_SILENT, PARKED_UNREADABLE, ROOM_BYTES, TAKEN
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.trouble import MALFORMED, NO_ANSWER

READS_A_STEP = const(8)
SILENT_CONNECTS = const(3)
TIDY_MS = const(60000)  # how often a full quarantine is asked for room
LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used

_WAIT_FACTORS = b"\x01\x06\x0c"  # 5, 30, 60 s (G.9 no. 3)


class Forward(Sweep):
    """One spool, one station of ToolsNet. `settings` is the `toolsnet` part of the completed configuration."""

    kind = "toolsnet"
    index = OUTLET

    def __init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch):
        outlet = Outlet(
            ring, quarantine, health, cursor_batch, settings["rewind"], settings["server_empty"] == "resend"
        )
        Sweep.__init__(self, port, session, writer, outlet, health, clock, settings)
        self.quarantine = quarantine
        self.parks = settings["refused"] == "park"
        self.refused_wait_ms = settings["refused_wait_ms"]
        self._suspect = 0  # number of the result that the next two speak of
        self._refusals = 0
        self._silences = 0
        self._silent_one = 0  # number of the result that `_silences` speaks of
        self._tidy = Timer()  # until the quarantine is asked for room again
        self._full = False  # the quarantine, when it was asked last
        self._lowers = False  # the limit has to be taken back
        self._stopping = False

    def use_silence(self, now):
        """The line is quiet now and perhaps not for long: do what waits for that, allow the next results to go out."""
        if self._waits:
            self.step(now)
        if not self.outlet.prepare():
            self.health.note(h.NOT_SAVED, 4, now)

    def is_up(self):
        """Tell whether the server takes results."""
        return self.session.state == ts.STREAMING

    def begin(self, now):
        """The ring is mounted: go to the PIM."""
        self.session.start(now)

    def stop(self):
        """Close, and make the cursor durable so that nothing is sent twice after a planned stop."""
        self._stopping = True
        self.session.stop()
        self.port.close()
        if not self.outlet.save():
            self.health.count(h.NOT_SAVED)

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if self._stopping:
            return FOREVER
        session = self.session
        # An answer may have to be written down.
        self._waits = (self._sweeping or session.state != ts.STREAMING) and not self._flash_free()
        if self._waits:
            return LINE_WAIT_MS
        if self._lowers and session.state != ts.STREAMING:
            self._lowers = not self.outlet.lower()
        for _ in range(READS_A_STEP):
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
                self._blame(0, now)
            if session.commanded != ts.CMD_NONE:
                self._obey(now)
                if session.is_due(now):
                    continue  # it is open already
            if session.can_send() and (self.outlet.waits() or self._taken or self._reach):
                self._send_next(now)
            left = session.tick(now)
            if session.pending:
                left = self._write(left, now)
            if frames is None or n < frames.free:  # the port wakes us if there is more
                if self.outlet.has_untidied():
                    left = self._tidy_up(left, now)
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

    def _tidy_up(self, left, now):
        """Move one record that was set aside into the quarantine; return the ms until there may be more to do."""
        tidy = self._tidy
        if tidy.armed:
            if not tidy.expired(now) and (not self._full or self.outlet.ring.has_room(ROOM_BYTES)):
                return tidy.least(now, left)
            tidy.stop()
        if not self._flash_free():
            self._waits = True
            return left
        code = self.quarantine.take_oldest(self.outlet.ring)
        if code == TAKEN:
            self._full = False
            return 0
        if code == NO_ROOM and self.quarantine.make_way(self.outlet.ring) == TAKEN:
            return 0
        if code == NO_ROOM and not self._full:
            self._full = True
            self.health.note(h.PARKED_FAILED, 0, now)
        tidy.start(now, TIDY_MS)
        return tidy.least(now, left)

    # -- connection --------------------------------------------------------------------------------------------

    def _lost(self, event, now):
        if event != ts.EV_NONE:
            self.health.note(h.SERVER_LOSSES, self._sent, now)
        self._sent = 0
        if self._sweeping and self.outlet.scout.number >= self._mute:
            self._mute = 0  # it was passed over, and what is behind it has told nothing: now it has its turn
        self._sweeping = False
        self._lowers = True
        self.outlet.streams(False)

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
                self._resume(now)
            elif event == ts.EV_STREAMING:
                self.health.count(h.SERVER_CONNECTS)
                self.trouble.over()
                self.outlet.streams(self._reach == 0)
            elif event == ts.EV_SILENT:
                self._blame(NO_ANSWER, now)
                self._silent(now)
            elif event == ts.EV_LOST:
                self._lost(event, now)
                self._blame(0, now)
            elif event == ts.EV_NO_PIM:
                self.health.note(h.NO_PIM, 0, now)
                self._blame(0, now)
            elif event == ts.EV_FOREIGN:
                self.health.note(h.SERVER_FOREIGN, self._sent, now)
            elif event == ts.EV_UNKNOWN:
                self.health.note(h.SERVER_UNKNOWN, 0, now)
                self._is_foreign = True
            else:
                self.health.note(h.SERVER_MALFORMED, 0, now)
                self._is_foreign = True
                if session.state == ts.WAITING:
                    self._lost(event, now)
                    self._blame(MALFORMED, now)

    def _resume(self, now):
        """The 08 says where the server stands; until that is written down nothing may go out."""
        if not self.outlet.resume(self.session.result_sequence, now):
            self.health.note(h.NOT_SAVED, 5, now)
            self._break(now)
            return
        self._taken = 0

    def _break(self, now):
        """Ask the server anew where it stands."""
        self.port.close()
        self._opening = False
        self._lost(self.session.closed(now), now)

    def _accepted(self, now):
        number = self._sent
        self._sent = 0
        self._refusals = 0
        self._silences = 0
        self._jam.armed = False
        if self._sweeping:
            self._taken = number
            self._finish_sweep(now)
        else:
            self.outlet.deliver(number)
            self.health.counters[h.DELIVERED] += 1  # without a call

    def _refused(self, now):
        self.health.note(h.REFUSED_BY_SERVER, self.session.code, now)
        number = self._sent
        self._sent = 0
        self.outlet.reason = self.session.code
        if number == self._silent_one:
            self._silences = self._mute_again = 0
        if self._sweeping:
            self._refused_in_sweep(number, now)
            return
        self._count_refusal(number, now)
        if self.session.was_late():  # only the next 08 tells what became of the copy
            self._break(now)

    def _count_refusal(self, number, now):
        if number <= self.outlet.cursor.number:
            return  # it was overwritten meanwhile: what comes next is another one
        self._refusals += 1
        if self._refusals < self.refused_attempts or not self.parks:
            step = self._refusals - 1 if self._refusals < 3 else 2
            self._hold.start(now, self.refused_wait_ms * _WAIT_FACTORS[step])
            return
        self._proven = number
        self._begin_sweep(now)
        if self._sweeping:
            self.outlet.pass_in_sweep(number)  # it was refused just now

    def _silent(self, now):
        self.health.note(h.SERVER_SILENT, self._sent, now)
        number = self._sent
        self._sent = 0
        self._sweeping = False
        if not self.parks:
            return
        if self._reach and number > self._proven:
            self._look_later(now)  # this one as well: it is the server
            self._hold.start(now, 2 * RETRY_MS)  # each look costs two connections
            return
        if number != self._silent_one:
            self._silent_one = number
            self._silences = 0
        self._silences += 1
        if self._reach:
            # Before that it is offered again, behind those in front of it.
            self._mute = number if self._silences >= SILENT_CONNECTS else 0
            self.session.hurry(now)
        elif self._silences >= SILENT_CONNECTS:
            self.outlet.reason = PARKED_SILENT
            self._mute = self._proven = number
            self._reach = 1
            self.session.hurry(now)

    # -- the next one ------------------------------------------------------------------------------------------

    def _send_next(self, now):
        if self._hold.armed:
            if not self._hold.expired(now):
                return
            self._hold.stop()
        if self._sweeping or self._taken or self._reach:
            self._send_of_sweep(now)
            return
        outlet = self.outlet
        kind = outlet.next()
        if kind <= 0:
            return
        number = outlet.cursor.peek_number
        if number == outlet.vouched:
            outlet.deliver(number)
            return
        if number != self._suspect:
            self._suspect = number  # what was counted speaks of one that is gone
            self._refusals = 0
            self._silences = 0
        if kind == KIND_RAW or outlet.must_write(number):
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
            code = outlet.set_aside(number + 1, PARKED_UNREADABLE, now)
            self._hold.start(now, RETRY_MS if code == NOT_SET else 0)
            return 0
        if not outlet.allow(number):
            self.health.note(h.NOT_SAVED, 8, now)
            self._hold.start(now, RETRY_MS)
            return 0
        # Writing may have overwritten it: then another one is the next.
        return number if outlet.next() == KIND_RESULT and outlet.cursor.peek_number == number else 0
