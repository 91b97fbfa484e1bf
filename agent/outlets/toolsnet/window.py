"""Several results out at once: for a backlog over a line with a long round trip (`toolsnet.window`).

Rules
1. A window is open only while many results wait and nothing is in doubt; else one telegram is out, as ever.
2. Results leave it in their order: what is answered behind one that is not, waits for that.
3. A refusal lets what is out be answered and nothing more go out. What was refused in front of one that was taken is
   set aside: to ToolsNet its number has passed. What was refused behind the last one that was taken is offered again,
   alone, as ever.
4. A connection that ends leaves what the next 08 has to settle (agent.outlets.toolsnet.doubt).
5. After a refusal and after such an end one result is out at a time for SHUT_MS.
6. No more are out than one record allows (`cursor_batch`).
"""

from agent import health as h
from agent.base.ticks import Timer
from agent.outlets.toolsnet.beside import Beside
from agent.outlets.toolsnet.doubt import WindowOutlet
from agent.outlets.toolsnet.forward import LINE_WAIT_MS
from agent.outlets.toolsnet.position import SET_ASIDE, SET_SOME
from agent.outlets.toolsnet.row import UNANSWERED
from agent.outlets.toolsnet.sweep import RETRY_MS
from agent.toolsnet import session as ts

CPYTHON_ONLY = True  # on a board one result is out at a time

OPEN_FACTOR = 2  # so many windows full of results have to wait: it costs a record in the log to open, and one to shut
SHUT_MS = 600000
READ_AGAIN_MS = 1000  # until a log that could not be read is tried again


class Windowed(Beside):
    """One station of ToolsNet, to which up to `window` results are out at once. Its session is a RowSession."""

    def __init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch):
        Beside.__init__(self, port, session, writer, ring, quarantine, health, clock, settings, cursor_batch)
        # What is refused is offered again and again where it may not be set aside: there is no window in front of it.
        self.window = min(settings["window"], cursor_batch) if self.parks else 1
        self.outlet = WindowOutlet(
            ring, quarantine, health, cursor_batch, settings["rewind"], settings["server_empty"] == "resend"
        )
        self.outlet.row = session.row
        self._shut = Timer()  # until it may be opened again
        self._again = Timer()  # until what could not be set aside is tried again
        self._shuts = False  # the log has still to be told that it is shut

    def put_state(self, shown):
        """Add what people want to know."""
        Beside.put_state(self, shown)
        shown["window"] = self.session.width
        shown["outstanding"] = len(self.session.row)
        shown["in_doubt"] = self.outlet.in_doubt

    def step(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if self._stopping:
            return Beside.step(self, now)
        if self._shut.expired(now):
            self._shut.stop()
        if self._again.expired(now):
            self._again.stop()
            self._settle(now)
        if self._settle_refused(now) if self.outlet.left_open and self.is_up() else self._tell_log():
            return min(Beside.step(self, now), LINE_WAIT_MS)
        return self._again.least(now, Beside.step(self, now))

    # -- what goes out -----------------------------------------------------------------------------------------

    def _may_add(self):
        is_single = self.session.width == 1 and not self.session.row and not self.outlet.left_open
        return is_single and Beside._may_add(self)

    def _send_next(self, now):
        if self.outlet.left_open:
            return
        if self.session.width == 1 and not self._open(now):
            Beside._send_next(self, now)
            return
        while self.session.can_send() and not self._wants_turn():
            if not self._send_ahead(now):
                break
        if not self.session.row:  # nothing that a window could send: one at a time
            self._close(now, 0)
            if not self._waits and not self._hold.armed:
                Beside._send_next(self, now)

    def _open(self, now):
        """Begin to have several out, if that may be; whether it may."""
        if self.window == 1 or self._shut.armed or self._wants_turn() or not self._may_add():
            return False
        if not self.outlet.may_open(OPEN_FACTOR * self.window) or not self._flash_free() or not self.outlet.open():
            return False
        self.session.width = self.window
        self._shuts = False
        return True

    def _wants_turn(self):
        """Tell whether a source has something that goes out in front of results."""
        for source in self.outlet.sources:
            if source.waits() and not source.gives_way and not source.hold.armed:
                return True
        return False

    def _send_ahead(self, now):
        """Send the next one behind those that are out; whether there was one."""
        outlet = self.outlet
        number = outlet.next_ahead()
        if not number:
            return False
        if outlet.must_write(number):
            self._waits = not self._flash_free()
            if self._waits or not outlet.has_room():
                return False
            if not outlet.allow(number):
                self.health.note(h.NOT_SAVED, 8, now)
                self._hold.start(now, RETRY_MS)
                return False
            if outlet.next_ahead() != number:  # writing has overwritten it
                return False
        self._send(number)
        self.session.row[-1].number = number
        outlet.ahead.advance()
        return True

    # -- what comes back ---------------------------------------------------------------------------------------

    def _accepted(self, now):
        if self.session.answered is None:
            Beside._accepted(self, now)
            return
        self._refusals = self._silences = 0
        self._jam.stop()
        self._settle(now)

    def _refused(self, now):
        session = self.session
        if session.answered is None:
            Beside._refused(self, now)
            return
        self.health.note(h.REFUSED_BY_SERVER, session.code, now)
        session.width = 1
        self._settle(now)

    def _settle(self, now):
        """Let those leave the row that are answered, from its front."""
        row = self.session.row
        while row and row[0].code == 0:
            out = row.pop(0)
            if not self.outlet.pass_delivered(out.number):
                row.insert(0, out)
                self._again.start(now, READ_AGAIN_MS)
                return
        if row and all(out.code != UNANSWERED for out in row):
            self.outlet.left_open = row[:]
            row.clear()
            self._settle_refused(now)
        elif not row and not self.outlet.waits():
            self._close(now, 0)

    def _settle_refused(self, now):
        """All are answered, and the first was refused: set aside what lies in front of one that was taken.

        Returns whether the controller's line is waited for.
        """
        if self._again.armed:
            return False
        if not self._flash_free():
            return True
        outlet = self.outlet
        rest = outlet.left_open
        last = max([out.number for out in rest if out.code == 0], default=0)
        while rest and rest[0].number <= last:
            out = rest[0]
            if out.code != 0 and out.number > outlet.cursor.number:  # else it was overwritten meanwhile
                code = outlet.set_aside(out.number + 1, out.code, now)
                if code != SET_ASIDE:
                    self._again.start(now, 0 if code == SET_SOME else RETRY_MS)
                    return False
            elif out.code == 0 and not outlet.pass_delivered(out.number):
                self._again.start(now, READ_AGAIN_MS)
                return False
            del rest[0]
        first = rest[0] if rest else None
        outlet.left_open = []
        self._close(now, SHUT_MS)
        if first is not None:  # it may be the server's fault or its own: as with one at a time
            self._suspect = first.number
            self._refusals = self._silences = 0
            outlet.reason = first.code
            self._count_refusal(first.number, now)
        return False

    def _close(self, now, shut_ms):
        """One at a time from now on."""
        self.session.width = 1
        self._shuts = self.outlet.says_open()
        if shut_ms:
            self._shut.start(now, shut_ms)

    def _tell_log(self):
        """Have the log say that the window is shut; whether the controller's line is waited for."""
        if not self._shuts or self.session.width > 1:
            return False
        if not self._flash_free():
            return True
        self._shuts = False
        if self.outlet.says_open() and not self.outlet.left_open:
            self.outlet.shut()
        return False

    # -- loss --------------------------------------------------------------------------------------------------

    def _lost(self, event, now):
        self._take_left_open(now)
        Beside._lost(self, event, now)

    def _silent(self, now):
        if not self.session.left_open:
            Beside._silent(self, now)
            return
        self.health.note(h.SERVER_SILENT, self._sent, now)
        self._lost(ts.EV_NONE, now)

    def _take_left_open(self, now):
        """The connection is gone: what was out is for the next 08."""
        session, outlet = self.session, self.outlet
        self._again.stop()
        if session.left_open:
            outlet.left_open = session.left_open
            session.left_open = []
        if outlet.left_open:
            self._shuts = False  # the log has to say it until the 08 is read
            self._shut.start(now, SHUT_MS)

    def recover(self, now):
        """After a fault: begin with a new connection."""
        Beside.recover(self, now)
        self._take_left_open(now)
