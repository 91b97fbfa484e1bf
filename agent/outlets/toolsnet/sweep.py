"""In search of a result that the server takes, past those it refuses: whose fault is a refusal, the server's or theirs?

Rules (DIGEST G.9 no. 3)
1. A sweep sends one result after the other until one is taken. Then all in front of it are set aside; if none is, the
   server is in trouble and the order is kept.
2. Each sweep begins at the refused result again and reaches twice as far as the one before, or to the log's end. A
   result that it meets for the first time has to be refused `refused_attempts` times. In front of each repeat of
   that, those before it go out once more, if they are few: a server that comes back is noticed at the first one.
3. What a sweep sends goes out once, without copies, and after a slow answer it begins again: the server may come back
   while it is waited for, and would take a later one then.
4. One that was silent on three connects is passed over, until one behind it is refused or the connection breaks: then
   it has its turn again. The same after a wait on that connection: the server may be well again by then.
5. Nothing of a sweep goes out before the log says that results are passed over (agent.outlets.toolsnet.outlet).
"""

from agent import health as h
from agent.base.compat import const
from agent.base.ticks import Timer
from agent.outlets.toolsnet.position import NOT_SET, SET_ASIDE, SET_SOME
from agent.outlets.toolsnet.upstream import Upstream
from agent.record.result import ROOM_BYTES

RETRY_MS = const(60000)  # of a refused result while the server is in trouble (G.9 no. 3)
LOOKS_A_REACH = const(256)
SLOW_MS = const(250)  # an answer that took so long: the next one may find another server than it speaks of
FEW = const(16)  # that are refused before one that the sweep meets for the first time
JAM_MS = const(900000)  # a log full of refused results, and none behind them that could come in
JAM_RESULTS = const(31)  # what a block holds


class Sweep(Upstream):
    """What goes out to one server, and the search behind what it refuses."""

    def __init__(self, port, session, writer, outlet, health, clock, settings):
        Upstream.__init__(self, port, session, health, clock, settings)
        self.writer = writer
        self.outlet = outlet
        self.refused_attempts = settings["refused_attempts"]
        self._sent = 0  # number of the result that is out, 0 if none
        self._highest = 0
        self._sweeping = False  # what is out belongs to a sweep
        self._reach = 0  # how far the last sweep looked beyond the first; 0 while there is no need for any
        self._skips = 0  # how often only the first is tried before the next sweep
        self._proven = 0  # up to here every result was refused often enough
        self._slow = 0  # the last result whose answer took so long that this sweep began again
        self._mute = 0  # the result that the last connection ended at: the sweep passes over it once
        self._mute_again = 0  # the same, if it was offered once more when what is behind it was refused
        self._refused_here = 0  # how often the one that the sweep met last
        self._taken = 0  # number of the result that a sweep found, while what is in front of it is not set aside yet
        self._hold = Timer()
        self._jam = Timer()  # since the log is full of results that are all refused
        self._quiet = None
        self._waits = False  # for the line

    def attach(self, quiet):
        """Ask this one (agent.quiet) when the flash may be used."""
        self._quiet = quiet
        quiet.join(self)

    def _flash_free(self):
        return self._quiet is None or self._quiet.may_write(self.outlet.ring)

    # -- one result --------------------------------------------------------------------------------------------

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

    # -- the search --------------------------------------------------------------------------------------------

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
            if kind < 0:
                self._pause(now)  # it cannot be read just now
                return
            if kind == 0 or outlet.cursor.peek_number > self._proven:
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
                self.session.send_once()
                return
            outlet.pass_in_sweep(number)

    def _begin_sweep(self, now):
        """Look beyond the refused one, or only at it: a sweep over thousands is not made every minute."""
        reach = 0
        if self._skips:
            self._skips -= 1
        else:
            reach = self._reach * 2
            most = self.outlet.ring.number - self.outlet.cursor.number  # no further than the log: another one may come
            reach = self._reach = (reach if reach < most else most) or 1
            self._skips = reach // LOOKS_A_REACH
        self._refused_here = self._slow = 0
        self.outlet.streams(False)
        self._sweeping = self.outlet.begin_sweep(reach)
        if not self._sweeping:
            self.health.note(h.NOT_SAVED, 6, now)
            self._pause(now)
            self._look_at_jam(now)

    def _refused_in_sweep(self, number, now):
        if number > self._proven:
            self._refused_here += 1
        if (
            0 < self._mute < number and self._mute != self._mute_again
        ):  # the server answers, and perhaps that one as well
            self._mute_again = self._mute
            self._mute = 0
            self.outlet.restart_sweep()
            return
        if number > self._proven:
            if self._refused_here < self.refused_attempts:
                # The same again. If it is taken then, the server was in trouble: what is before it was refused by that.
                if self.outlet.met <= FEW:
                    self.outlet.restart_sweep()
                return
            self._proven = number
            self._refused_here = 0
        if number > self._slow and self.outlet.met <= FEW and self.session.waited(now) >= SLOW_MS:
            self._slow = number
            self.outlet.restart_sweep()
        else:
            self.outlet.pass_in_sweep(number)

    def _look_later(self, now):
        """None of the sweep was taken: the server is in trouble. Keep the order, and try again later."""
        self._sweeping = False
        self._mute_again = 0
        self._pause(now)
        ring = self.outlet.ring
        if self.outlet.sweep_last >= ring.number or not ring.can_write():
            self._look_at_jam(now)

    def _look_at_jam(self, now):
        """Nothing can come in behind what is refused, and only another result can tell whose fault it is: make room.

        What was refused is set aside then, though the server may be in trouble: kept, told, and sent by `retry`. Where
        the log has no room to say that results are passed over, that is one after the other until one is taken.
        """
        outlet = self.outlet
        # Where overwriting is allowed there is room for a push always; for what is missing nothing is given up.
        if outlet.ring.has_room(ROOM_BYTES) and outlet.ring.has_spare():
            self._jam.stop()
        elif not self._jam.armed:
            self._jam.start(now, JAM_MS)
        elif self._jam.expired(now):
            self._jam.start(now, JAM_MS if outlet.ring.can_write() else 0)
            last = outlet.cursor.number + JAM_RESULTS
            if last > self._proven:
                last = self._proven
            code = SET_SOME
            while code == SET_SOME:  # two turns at most: what is left of a block would wait as long once more
                code = outlet.set_aside(last + 1, outlet.reason, now)
            if code == NOT_SET:
                self.health.note(h.NOT_SAVED, 9, now)

    def _finish_sweep(self, now):
        """The server has taken result `_taken`: set aside what is in front of it, then it is delivered."""
        outlet = self.outlet
        code = outlet.set_aside(self._taken, outlet.reason, now, True)
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
            self._reach = self._skips = self._mute = self._mute_again = 0
            self.outlet.streams(True)
        else:
            self.health.note(h.NOT_SAVED, 7, now)
            self._pause(now)

    def _pause(self, now):
        """Go on later: the server may be well again by then, also for the result that was to be passed over."""
        self._mute = 0
        self._hold.start(now, RETRY_MS)
