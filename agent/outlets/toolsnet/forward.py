"""The station's task at ToolsNet's side: what the cursor points at goes out, and only a 05 with code 000 moves it on.

Rules
1. Order is the log's order, one telegram at a time; `agent.outlets.toolsnet.position` knows where the log stands.
2. A result refused `refused_attempts` times, or silent on three connects, may be the server's fault or its own. What
   is behind it tells (DIGEST G.9 no. 3): a sweep sends one after the other until one is taken. Then all in front of it
   are set aside; if none is, the server is in trouble and the order is kept.
3. Each sweep begins at the refused result again and reaches twice as far as the one before, and a result that it meets
   for the first time has to be refused `refused_attempts` times: a server that comes back is noticed at the first one.
4. A frame that could not be read is set aside when its turn comes. What is set aside moves into the quarantine when
   there is time; with no room there it stays where it is and stops nothing.
5. The flash is used only while the controller's line is quiet (agent.quiet): a chip loses octets meanwhile.
"""

from agent import health as h
from agent.base.compat import const
from agent.base.ticks import FOREVER, Timer
from agent.outlets.toolsnet.outlet import Outlet
from agent.outlets.toolsnet.position import NOT_SET, OUTLET, SET_ASIDE, SET_SOME
from agent.outlets.toolsnet.upstream import Upstream
from agent.quarantine import NO_ROOM, ROOM_BYTES
from agent.record.result import PARKED_SILENT, PARKED_UNREADABLE, TAKEN
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.toolsnet import session as ts

READS_A_STEP = const(8)
RETRY_MS = const(60000)  # of a refused result while the server is in trouble (G.9 no. 3)
SILENT_CONNECTS = const(3)
LOOKS_A_REACH = const(256)
REACH_MOST = const(1 << 17)  # more than are ever retained
JAM_MS = const(900000)  # a log full of refused results, and none behind them that could come in
JAM_RESULTS = const(31)  # what a block holds
TIDY_MS = const(60000)  # how often a full quarantine is asked for room
LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used

_WAIT_FACTORS = b"\x01\x06\x0c"  # 5, 30, 60 s (G.9 no. 3)


class Forward(Upstream):
    """One spool, one station of ToolsNet. `settings` is the `toolsnet` part of the completed configuration."""

    kind = "toolsnet"
    index = OUTLET

    def __init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch):
        Upstream.__init__(self, port, session, health, clock, settings)
        self.writer = writer
        self.outlet = Outlet(
            ring, quarantine, health, cursor_batch, settings["rewind"], settings["server_empty"] == "resend"
        )
        self.quarantine = quarantine
        self.parks = settings["refused"] == "park"
        self.refused_attempts = settings["refused_attempts"]
        self.refused_wait_ms = settings["refused_wait_ms"]
        self._sent = 0  # number of the result that is out, 0 if none
        self._sweeping = False  # what is out belongs to a sweep
        self._reach = 0  # how far the last sweep looked beyond the first; 0 while there is no need for any
        self._skips = 0  # how often only the first is tried before the next sweep
        self._proven = 0  # up to here every result was refused often enough
        self._mute = 0  # the result that the last connection ended at: the sweep passes over it once
        self._refused_here = 0  # how often the one that the sweep met last
        self._taken = 0  # number of the result that a sweep found, while what is in front of it is not set aside yet
        self._suspect = 0  # number of the result that the next two speak of
        self._refusals = 0
        self._silences = 0
        self._highest = 0
        self._hold = Timer()
        self._jam = Timer()  # since the log is full of results that are all refused
        self._tidy = Timer()  # until the quarantine is asked for room again
        self._full = False  # the quarantine, when it was asked last
        self._lowers = False  # the limit has to be taken back
        self._stopping = False
        self._quiet = None
        self._waits = False  # for the line

    def attach(self, quiet):
        """Ask this one (agent.quiet) when the flash may be used."""
        self._quiet = quiet
        quiet.join(self)

    def use_silence(self, now):
        """The line is quiet now and perhaps not for long: do what waits for that, allow the next results to go out."""
        if self._waits:
            self.step(now)
        if not self.outlet.prepare():
            self.health.note(h.NOT_SAVED, 4, now)

    def _flash_free(self):
        return self._quiet is None or self._quiet.may_write(self.outlet.ring)

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
                self.outlet.streams(self._reach == 0)
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

    def _resume(self, now):
        """The 08 says where the server stands; until that is written down nothing may go out."""
        if not self.outlet.resume(self.session.result_sequence, now):
            self.health.note(h.NOT_SAVED, 5, now)
            self.port.close()
            self._opening = False
            self._lost(self.session.closed(now), now)
            return
        self._taken = 0

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
            self.health.count(h.DELIVERED)

    def _refused(self, now):
        self.health.note(h.REFUSED_BY_SERVER, self.session.code, now)
        number = self._sent
        self._sent = 0
        self.outlet.reason = self.session.code
        if self._sweeping:
            self._refused_in_sweep(number)
            return
        self._refusals += 1
        if self._refusals < self.refused_attempts or not self.parks:
            step = self._refusals - 1 if self._refusals < 3 else 2
            self._hold.start(now, self.refused_wait_ms * _WAIT_FACTORS[step])
            return
        self._proven = number
        self._begin_sweep(now)
        if self._sweeping:
            self.outlet.pass_in_sweep()  # it was refused just now

    def _silent(self, now):
        self.health.note(h.SERVER_SILENT, self._sent, now)
        number = self._sent
        self._sent = 0
        self._sweeping = False
        if not self.parks:
            return
        if self._reach:
            if number > self._proven:
                self._look_later(now)  # this one as well: it is the server
            else:
                self._mute = number
                self.session.hurry(now)
            return
        self._silences += 1
        if self._silences >= SILENT_CONNECTS:
            self.outlet.reason = PARKED_SILENT
            self._mute = self._proven = number
            self._reach = 1
            self.session.hurry(now)

    # -- in search of one that the server takes ----------------------------------------------------------------

    def _begin_sweep(self, now):
        """Look beyond the refused one, or only at it: a sweep over thousands is not made every minute."""
        reach = 0
        if self._skips:
            self._skips -= 1
        else:
            reach = self._reach = self._reach * 2 if 0 < self._reach < REACH_MOST else self._reach or 1
            self._skips = reach // LOOKS_A_REACH
        self._refused_here = 0
        self.outlet.streams(False)
        self._sweeping = self.outlet.begin_sweep(reach)
        if not self._sweeping:
            self.health.note(h.NOT_SAVED, 6, now)
            self._hold.start(now, RETRY_MS)
            self._look_at_jam(now)

    def _refused_in_sweep(self, number):
        if number > self._proven:
            self._refused_here += 1
            if self._refused_here < self.refused_attempts:
                return  # the same again
            self._proven = number
        self._refused_here = 0
        self.outlet.pass_in_sweep()

    def _look_later(self, now):
        """None of the sweep was taken: the server is in trouble. Keep the order, and try again later."""
        self._sweeping = False
        self._mute = 0
        self._hold.start(now, RETRY_MS)
        ring = self.outlet.ring
        if self.outlet.sweep_last >= ring.number or not ring.can_write():
            self._look_at_jam(now)

    def _look_at_jam(self, now):
        """Nothing can come in behind what is refused, and only another result can tell whose fault it is: make room.

        What was refused is set aside then, though the server may be in trouble: kept, told, and sent by `retry`. Where
        the log has no room to say that results are passed over, that is one after the other until one is taken.
        """
        outlet = self.outlet
        if outlet.ring.has_room(ROOM_BYTES):
            self._jam.stop()
        elif not self._jam.armed:
            self._jam.start(now, JAM_MS)
        elif self._jam.expired(now):
            self._jam.start(now, JAM_MS if outlet.ring.can_write() else 0)
            last = outlet.cursor.number + JAM_RESULTS
            if outlet.set_aside((last if last < self._proven else self._proven) + 1, outlet.reason, now) == NOT_SET:
                self.health.note(h.NOT_SAVED, 9, now)

    def _finish_sweep(self, now):
        """The server has taken result `_taken`: set aside what is in front of it, then it is delivered."""
        outlet = self.outlet
        code = outlet.set_aside(self._taken, outlet.reason, now)
        if code != SET_ASIDE:
            self._hold.start(now, 0 if code == SET_SOME else RETRY_MS)
            return
        outlet.deliver(self._taken)
        self.health.count(h.DELIVERED)
        self._taken = 0
        self._end_sweep(now)

    def _end_sweep(self, now):
        """Go on as always, once the log says so."""
        self._sweeping = False
        if self.outlet.end_sweep():
            self._reach = self._skips = self._mute = 0
            self.outlet.streams(True)
        else:
            self.health.note(h.NOT_SAVED, 7, now)
            self._hold.start(now, RETRY_MS)

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

    def _send_of_sweep(self, now):
        """The same while refused results are passed over."""
        outlet = self.outlet
        self._waits = not self._flash_free()
        if self._waits:
            return
        if self._taken:
            self._finish_sweep(now)
            return
        if not self._sweeping:
            kind = outlet.next()
            if kind <= 0 or outlet.cursor.peek_number > self._proven:
                self._end_sweep(now)  # what was refused is gone: taken after all, or overwritten
                return
            self._begin_sweep(now)
            if not self._sweeping:
                return
        while True:
            kind = outlet.next_of_sweep()
            number = outlet.scout.peek_number
            if kind <= 0:
                self._look_later(now)
                return
            if number != self._mute:
                self._send(number)
                return
            outlet.pass_in_sweep()

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
        return number if outlet.next() == KIND_RESULT else 0

    def _send(self, number):
        if number <= self._highest:
            self.health.count(h.REPEATED)
        else:
            self._highest = number
        outlet = self.outlet
        session = self.session
        self._sent = number
        outlet.goes_out(number)
        session.send(
            self.writer.write(
                outlet.buf, outlet.at, outlet.length, outlet.flags, session.next_ident(), outlet.sequence_of(number)
            )
        )
