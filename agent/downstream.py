"""The way to the controller: connects, closes, and waits between attempts.

Rules
1. The next connection waits 1, 2, 4 .. 30 s with jitter, 10 .. 60 s when the controller's slot was taken.
2. While the spool has no room, or the last result that a start has found is not reliable, the controller is left alone:
   it keeps its results, and MID 0064 brings them later.
3. A port that is open or closed at once will never wake anybody: it is looked at straight after `open`.
4. The station is told when somebody may say something on the line, and when not any more (agent.quiet).
5. Why the controller cannot be had lasts in `trouble` until its session stands, and is logged once for each change.
"""

from agent import health as h
from agent.base.ticks import Timer
from agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING, WHY_FAILED, WHY_TIMED_OUT
from agent.openprotocol import states as st
from agent.record.result import ROOM_BYTES
from agent.trouble import Trouble

ROOM_ASKED_MS = 1000  # how often a full spool is looked at again


class Downstream:
    """One controller's connection. `limits` is the `controller` part of the completed configuration."""

    def __init__(self, port, session, quiet, recovery, ring, health, host, number, limits, seed):
        self.port = port
        self.session = session
        self.link = session.link
        self.quiet = quiet
        self.recovery = recovery
        self.ring = ring
        self.health = health
        self.host = host
        self.number = number
        self.full = False
        self.room_bytes = ROOM_BYTES  # more where a controller repeats nothing (agent.operations)
        self.attempts = 0  # connections begun: agent.liveness looks whether it moves
        self.stopping = False
        self.trouble = Trouble()
        self._ready = False
        self._opening = False
        self._wait = Timer()
        self._connect_timeout_ms = limits["connect_timeout_ms"]
        self._backoff_least_ms = self._backoff_ms = limits["backoff_ms"]
        self._backoff_most_ms = limits["backoff_max_ms"]
        self._busy_least_ms = self._busy_ms = limits["busy_backoff_ms"]
        self._busy_most_ms = limits["busy_backoff_max_ms"]
        self._dice = seed & 0x7FFF

    def stop(self):
        """End the session in order; `stopped` tells when it is done."""
        self.stopping = True
        if self.session.state == st.CLOSED:
            self.port.close()
        else:
            self.session.stop()

    def stopped(self):
        """Tell whether the port is closed after `stop`."""
        return self.stopping and self.session.state == st.CLOSED

    def hurry(self, now):
        """The network is there now: do not wait for the next connection to it."""
        if self.link.steady and self.session.state == st.CLOSED and not self._opening:
            self._wait.start(now, 0)

    def recover(self, now):
        """After a fault: begin with a new connection."""
        self.health.note(h.FAULTS, 0, now)
        self._close(now)

    def _accepted(self):
        """A session stands: the next attempt need not be put off."""
        self._ready = True
        self.trouble.over()
        self._backoff_ms = self._backoff_least_ms
        self._busy_ms = self._busy_least_ms

    def _connect(self, now):
        if self.stopping:
            return False
        if self._opening:
            state = self.port.state()
            if state == PORT_OPEN:
                self._opening = False
                self._wait.stop()
                self.health.count(h.CONTROLLER_CONNECTS)
                self.session.opened()
                self.quiet.talks(True)
                return True
            if state == PORT_CLOSED or self._wait.expired(now):
                self._close(now)
            return False
        if not self._wait.expired(now):
            return False
        if self.ring.suspect:  # nothing could be stored, nor is it known what was: the last one may have the highest ID
            self._maintain()
            self.full = self.full or self.ring.suspect
        if self.full:
            if self.ring.suspect or not self.ring.has_room(self.room_bytes):
                self._wait.start(now, ROOM_ASKED_MS)
                return False
            self.full = False
        self._opening = True
        self.attempts += 1
        self._wait.start(now, self._connect_timeout_ms)
        self._maintain()  # while nobody can say anything yet
        self.port.open(self.host, self.number)
        # Open at once is a serial line, closed at once a network that is away: nothing will ever wake us for them.
        return self.port.state() != PORT_OPENING and self._connect(now)

    def _close(self, now):
        """Close, and wait before the next connection."""
        why = self.session.why
        if not self.stopping:
            self._blame(why, now)
        self.port.close()
        self.session.closed()
        self.quiet.talks(False)
        if not self.recovery.flush():
            self.health.note(h.NOT_SAVED, 1, now)  # the IDs are asked for again
        self.recovery.closed()
        self._opening = False
        if why == st.WHY_BUSY:
            wait_ms = self._busy_ms
            self._busy_ms = _doubled(wait_ms, self._busy_most_ms)
        elif self._ready and not self.full:
            wait_ms = self._backoff_least_ms
        else:
            wait_ms = self._backoff_ms
            self._backoff_ms = _doubled(wait_ms, self._backoff_most_ms)
        self._ready = False
        self._dice = (self._dice * 109 + 89) & 0x7FFF
        self._wait.start(now, wait_ms + wait_ms * self._dice // 0x7FFF // 4)

    def _blame(self, why, now):
        """Say why there is no connection: the session knows, or the port does."""
        session = self.session
        port = self.port
        code = session.code
        if why == st.WHY_NOTHING:
            code = port.why_code
            why = port.why
            if self._opening and why == 0:
                why = WHY_TIMED_OUT if port.state() == PORT_OPENING else WHY_FAILED
        was_open = session.state != st.CLOSED
        if was_open:
            self.health.note(h.CONTROLLER_LOSSES, why, now)
        if why == st.WHY_STOPPED:
            return  # our own doing: it begins anew at once
        state = st.READY if self._ready else st.STARTING if was_open else st.CLOSED
        is_news = self.trouble.set(why, state, code, session.request.asked, self.health.counters[h.STORED])
        if not was_open:
            self.health.count(h.CONTROLLER_AWAY)
            if is_news:
                self.health.log(h.CONTROLLER_AWAY, why, now)

    def _maintain(self):
        if not self.ring.maintain(self.recovery.compares()):
            self.health.count(h.NOT_SAVED)  # it is tried again each time


def _doubled(ms, most):
    return ms * 2 if ms * 2 < most else most
