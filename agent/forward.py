"""The station's task at ToolsNet's side: what the cursor points at goes out, and only a 05 with code 000 moves it on.

Rules
1. Order is the log's order, one telegram at a time. The cursor moves after 05/000, after parking, or when the server's
   08 says that it has what was sent.
2. Before a result goes out, the log says durably that it may (`limit`), so that after a cut the 08 can tell what is
   there from what never left (DIGEST G.8: never skip what was never sent).
3. A result refused `refused_attempts` times, or silent on three connects, is probed with the one behind it (G.9 no. 3):
   if that is taken the refused one is parked, durably, in an area of its own; if not, the server is in trouble.
4. A frame that could not be read is parked when its turn comes. With the parking area full the way is blocked: nothing
   is dropped.
5. The flash is used only while the controller's line is quiet (agent.link): a chip loses octets meanwhile.
"""

from struct import pack_into

from agent import health as h
from agent.base.compat import const
from agent.base.fields import copy
from agent.base.result import PARKED_BYTES, PARKED_SILENT, PARKED_UNREADABLE, STAMP_BYTES
from agent.base.ticks import FOREVER, Timer
from agent.base.words import get_u32, put_u32
from agent.link import PROGRAM_MS
from agent.link.port import PORT_CLOSED, PORT_OPEN
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.toolsnet import session as ts

OUTLET = const(0)
READS_A_STEP = const(8)
SEQUENCES = const(99999)  # 1..99999, 0 means nothing (DIGEST G.8)
RETRY_MS = const(60000)  # of a refused result while the server is in trouble (G.9 no. 3)
SILENT_CONNECTS = const(3)
LINE_WAIT_MS = const(5)  # until a serial line is asked again whether the flash may be used

_HELD_AT = const(47)  # in the ring's memory, behind what agent.openprotocol.recovery keeps there
_HALF = const(50000)
_WAIT_FACTORS = b"\x01\x06\x0c"  # 5, 30, 60 s (G.9 no. 3)


class Forward:
    """One spool, one station of ToolsNet. `settings` is the `toolsnet` part of the completed configuration."""

    def __init__(self, port, session, writer, ring, parked, health, clock, settings, cursor_batch):
        self.port = port
        self.session = session
        self.writer = writer
        self.ring = ring
        self.parked = parked
        self.health = health
        self.clock = clock
        self.pim_host = settings["pim_host"]
        self.pim_port = settings["pim_port"]
        self.host_override = settings["host_override"]
        self.rewinds = settings["rewind"]
        self.resends_if_empty = settings["server_empty"] == "resend"
        self.parks = settings["refused"] == "park"
        self.refused_attempts = settings["refused_attempts"]
        self.refused_wait_ms = settings["refused_wait_ms"]
        self.cursor_batch = cursor_batch
        self.attempts = 0  # connections begun or given up: agent.liveness looks whether it moves
        self._stamp = bytearray(STAMP_BYTES)
        self._opening = False
        self._sent = 0  # number of the result that is out, 0 if none
        self._probe = 0  # number of the result that is out as a probe
        self._probe_due = False
        self._suspect = 0  # number of the result that the next three speak of
        self._refusals = 0
        self._silences = 0
        self._reason = 0
        self._taken = 0  # number of the latest result that the server is known to have
        self._highest = 0
        self._hold = Timer()
        self._stopping = False
        self._line = None
        self._waits = False  # for the line

    def attach(self, line):
        """Ask this link when the flash may be used."""
        self._line = line

    def _flash_free(self):
        return self._line is None or self._line.quiet(PROGRAM_MS)

    def prepare(self):
        """The line is quiet now and perhaps not for long: allow the next results to go out, if that is due soon."""
        cursor = self.ring.cursors[OUTLET]
        if cursor.limit <= cursor.number + self.cursor_batch // 2:
            self.ring.save_cursor(OUTLET, cursor.number + self.cursor_batch)

    def begin(self, now):
        """The ring is mounted: go to the PIM."""
        self.session.start(now)

    def stop(self):
        """Close, and make the cursor durable so that nothing is sent twice after a planned stop."""
        self._stopping = True
        self.session.stop()
        self.port.close()
        cursor = self.ring.cursors[OUTLET]
        self.ring.save_cursor(OUTLET, cursor.limit)

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
        port = self.port
        self._waits = False
        if (self._probe or session.state != ts.STREAMING) and not self._flash_free():
            return LINE_WAIT_MS  # an answer may have to be written down
        for _ in range(READS_A_STEP):
            n = 0
            if self._opening:
                self._look_at_opening(now)
            elif session.state > ts.PIM_OPENING:
                n = port.readinto(session.frames.inlet(), session.frames.room())
                if n > 0:
                    session.frames.receive(n)
            self._handle_events(now)
            if n < 0:
                self._lost(session.closed(now), now)
            self._obey(now)
            if session.can_send():
                self._send_next(now)
            left = session.tick(now)
            self._write(now)
            if n <= 0:
                break
        else:
            return 0
        if self._hold.expired(now):
            self._hold.stop()  # there is no connection to use it: its deadline is over all the same
        held = self._hold.left(now)
        if self._waits and left > LINE_WAIT_MS:
            left = LINE_WAIT_MS
        return held if held < left else left

    # -- connection --------------------------------------------------------------------------------------------

    def _look_at_opening(self, now):
        state = self.port.state()
        if state == PORT_OPEN:
            self._opening = False
            self.session.opened(now)
        elif state == PORT_CLOSED:
            self._opening = False
            self.session.closed(now)

    def _obey(self, now):
        command = self.session.command()
        if command == ts.CMD_NONE:
            return
        self.port.close()
        self._opening = False
        self.attempts += 1
        if command == ts.CMD_OPEN_PIM:
            self.clock.stamp_into(self._stamp)
            self.session.set_stamp(self._stamp)
            self.port.open(self.pim_host, self.pim_port)
            self._opening = True
        elif command == ts.CMD_OPEN_SERVER:
            self.port.open(self._server_host(now), self.session.server_port or self.pim_port)
            self._opening = True

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

    def _write(self, now):
        session = self.session
        while session.outgoing():
            n = self.port.write(session.tx, session.tx_from, session.outgoing())
            if n < 0:
                self._lost(session.closed(now), now)
                return
            if n == 0:
                return
            session.sent(n, now)
            if not session.outgoing():
                session.tick(now)  # the 07 follows the 05 at once

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
            elif event == ts.EV_REFUSED:
                self._refused(now)
            elif event == ts.EV_INFO:
                self._resume(session.result_sequence, now)
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
        if self._probe:
            self._park_refused(now)
        else:
            self._pass(self._sent)
            self._taken = self._sent
            self.health.count(h.DELIVERED)
            if self._sent == get_u32(self.ring.memory, _HELD_AT):
                self._hold_number(0)
        self._sent = 0
        self._refusals = 0
        self._silences = 0

    def _refused(self, now):
        self.health.note(h.REFUSED_BY_SERVER, self.session.code, now)
        self._sent = 0
        if self._probe:
            self._in_trouble(now)
            return
        self._reason = self.session.code
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
            self._reason = PARKED_SILENT
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
        ring = self.ring
        cursor = ring.cursors[OUTLET]
        kind = ring.peek(OUTLET)
        if kind <= 0:
            return
        number = cursor.peek_number
        writes = kind == KIND_RAW or self._probe_due or number > cursor.limit
        self._waits = writes and not self._flash_free()
        if self._waits:
            return
        if kind == KIND_RAW:
            if self._park(PARKED_UNREADABLE, now):
                ring.advance(OUTLET)
            return
        if number != self._suspect:
            self._suspect = number  # what was counted speaks of one that is gone
            self._refusals = 0
            self._silences = 0
            self._probe_due = False
        if self._probe_due:
            self._probe_due = False
            number = self._prepare_probe(number)
            if number == 0:
                self._hold.start(now, RETRY_MS)
                return
            self._probe = number
        elif number > cursor.limit:
            ring.save_cursor(OUTLET, number + self.cursor_batch - 1)
            if ring.peek(OUTLET) != KIND_RESULT:
                return
        if number <= self._highest:
            self.health.count(h.REPEATED)
        else:
            self._highest = number
        walk = ring.walk
        session = self.session
        octets = self.writer.write(
            walk.page, FRAME_HEAD, walk.length, walk.flags, session.next_ident(), self.sequence_of(number)
        )
        self._sent = number
        session.send(octets)

    def _prepare_probe(self, refused):
        """Bring the result behind the refused one into the page, all notes made; its number, 0 if there is none."""
        ring = self.ring
        kind, number = ring.peek_second(OUTLET)
        if kind != KIND_RESULT:
            return 0
        self._hold_number(refused)
        if number > ring.cursors[OUTLET].limit:
            ring.save_cursor(OUTLET, number + self.cursor_batch - 1)
        kind, number = ring.peek_second(OUTLET)
        return number if kind == KIND_RESULT else 0

    def sequence_of(self, number):
        """Return the rundown sequence 1..99999 of a result number."""
        return (number + self.ring.base - 1) % SEQUENCES + 1

    def _pass(self, number):
        """Move the cursor past a result; it may have been overwritten meanwhile, then it has moved already."""
        cursor = self.ring.cursors[OUTLET]
        if cursor.number < number:
            if cursor.peek_number != number:
                self.ring.peek(OUTLET)
            if cursor.peek_number == number:
                self.ring.advance(OUTLET)

    # -- parking -----------------------------------------------------------------------------------------------

    def _park(self, reason, now):
        """Put what `peek` finds next into the parking area; False if it could not be kept there."""
        ring = self.ring
        parked = self.parked
        if ring.peek(OUTLET) <= 0:
            return False
        walk = ring.walk
        length = walk.length + PARKED_BYTES
        at = parked.begin(walk.kind, length)
        if at >= 0:
            copy(parked.stage, at, walk.page, FRAME_HEAD, walk.length)
            put_u32(parked.stage, at, parked.number + 1)
            end = at + walk.length
            pack_into("<IHH", parked.stage, end, ring.cursors[OUTLET].peek_number, reason, 0)
            if parked.commit(walk.kind, walk.flags, length) == 0:
                self.health.note(h.PARKED, reason, now)
                return True
        self.health.note(h.PARKED_FAILED, reason, now)
        self._hold.start(now, RETRY_MS)
        return False

    def _park_refused(self, now):
        """The probe was taken: park the one before it, then both are done."""
        ring = self.ring
        probe = self._probe
        reason = self._reason
        self._probe = 0
        self._taken = probe
        while ring.peek(OUTLET) > 0 and ring.cursors[OUTLET].peek_number < probe:
            if not self._park(reason, now):
                return
            ring.advance(OUTLET)
            reason = PARKED_UNREADABLE  # between the two only frames that could not be read may lie
        self._pass(probe)
        self.health.count(h.DELIVERED)
        self._hold_number(0)

    def _hold_number(self, number):
        """Note durably which result was refused, before one behind it may reach the server."""
        put_u32(self.ring.memory, _HELD_AT, number)
        self.ring.save_memory()

    # -- where the server stands -------------------------------------------------------------------------------

    def _resume(self, stored, now):
        """Set the cursor by the sequence that the 08 names (DIGEST G.8)."""
        ring = self.ring
        cursor = ring.cursors[OUTLET]
        if ring.number == 0:
            if ring.base != stored % SEQUENCES:
                ring.base = stored % SEQUENCES
                ring.save_memory()
            return
        if stored == 0:
            if cursor.number:
                self.health.note(h.SERVER_EMPTY, cursor.number, now)
                if self.resends_if_empty:
                    ring.rewind(OUTLET, 0)
            return
        behind = (self.sequence_of(ring.number) - stored) % SEQUENCES
        reached = ring.number - behind
        if reached == cursor.number or 0 < self._taken == reached < cursor.number:
            return  # what lies between the two was parked
        if cursor.number < reached <= cursor.limit:
            self._take_as_stored(reached, now)
        elif reached > cursor.number:
            self.health.note(h.RESUME_UNKNOWN, stored, now)
        elif reached >= 0 and cursor.number - reached < _HALF:
            self.health.note(h.SERVER_BEHIND, cursor.number - reached, now)
            if self.rewinds:
                ring.rewind(OUTLET, reached)
        else:
            self.health.note(h.RESUME_UNKNOWN, stored, now)
            following = self.sequence_of(cursor.number + 1)
            if (following - stored - 1) % SEQUENCES >= _HALF:
                ring.base = (ring.base + stored + 1 - following) % SEQUENCES
                ring.save_memory()

    def _take_as_stored(self, reached, now):
        """The server has everything up to number `reached`: only its 05 were lost."""
        ring = self.ring
        cursor = ring.cursors[OUTLET]
        self._taken = reached
        held = get_u32(ring.memory, _HELD_AT)
        while cursor.number < reached:
            kind = ring.peek(OUTLET)
            number = cursor.peek_number
            if kind <= 0 or number > reached:
                return
            refused = number == held and number < reached  # the probe behind it was taken
            if (kind == KIND_RAW or refused) and not self._park(
                PARKED_UNREADABLE if kind == KIND_RAW else self._reason, now
            ):
                return
            ring.advance(OUTLET)
            self.health.count(h.RESUMED)
        if 0 < held <= reached:
            self._hold_number(0)
