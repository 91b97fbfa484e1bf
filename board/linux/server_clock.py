"""Compares the system's clock with the server's times in ToolsNet's telegram 05 (TN 3), and sets it if wanted.

Rules
1. The first 05 is taken, and then one every EVERY_MS, as it comes: it has whole seconds and took time to arrive, so a
   difference is known to about ERROR_S.
2. The clock is set (`set`) only if nothing else keeps it: NTP is better. Up to CORRECT_S is left alone.
3. A difference of whole half hours is a wrong time zone, not a wrong clock: it is reported, and nothing is set.
4. If the agent may not set it (CAP_SYS_TIME) that is reported, and tried again with the next time.
5. Whoever sets our clock between two times makes the last difference another one: it is told as it is now, and the
   next time that comes is taken.
6. Only times from FIRST_YEAR on count: a server whose own clock is not set says 1970 or 2000.
"""

import time

from toolcart.agent.base.ticks import Timer
from toolcart.board.clock import from_digits

CPYTHON_ONLY = True

EVERY_MS = 600000
LOOK_MS = 1000  # until there is a station to ask
CORRECT_S = 2
ERROR_S = 1.0
HALF_HOUR_S = 1800
ZONES_MOST_S = 14 * 3600
FIRST_YEAR = 2024
STEP_S = 1.0

RIGHT, DIFFERS, SET, KEPT, ZONE, NOT_ALLOWED = "right", "differs", "set", "kept by NTP", "time zone", "not allowed"
MOVED = "set since"  # by somebody else, and not right


class ServersClock:
    """The time of ToolsNet's server, for an `app`; `sets` the system's clock by it, or only compares."""

    def __init__(self, app, board, sets):
        self.ahead_s = None  # how much our clock is ahead of the server's; None: not known
        self.outcome = ""  # of the last comparison, "" before the first
        self.times_set = 0
        self._app = app
        self._board = board
        self._sets = sets
        self._exact_s = 0.0
        self._above_uptime_s = 0.0  # our clock at the last comparison, less the machine's uptime
        self._due = Timer()
        self._sessions = []  # sessions with ToolsNet; the first 05 that comes to one of them counts

    def on_turn(self, now):
        """Take a time that came since the last turn, and ask for the next when it is due."""
        if self.ahead_s is not None:
            self._notice_step(now)
        for session in self._sessions:
            if not session.wants_stamp:
                self._take(session.stamp)
                self._sessions = []
                self._due.start(now, EVERY_MS)
                return
        if self._sessions or (self._due.armed and not self._due.expired(now)):
            return
        self._due.start(now, LOOK_MS)
        self._sessions = [
            outlet.times
            for one in self._app.stations
            for outlet in one.outlets
            if one.mounted and outlet.times is not None
        ]
        for session in self._sessions:
            session.wants_stamp = True

    def about(self):
        """Return what status shows of it."""
        return {"ahead_s": self.ahead_s, "error_s": ERROR_S, "outcome": self.outcome, "times_set": self.times_set}

    def _take(self, digits):
        moment = from_digits(digits)
        if moment is None or moment[0] < FIRST_YEAR:
            return
        try:
            server_s = time.mktime(moment + (0, 0, -1)) + 0.5  # the middle of its second
        except (OverflowError, ValueError):
            return
        self._exact_s = ahead_s = self._board.wall_s() - server_s
        self.ahead_s = round(ahead_s)
        self.outcome = self._outcome(ahead_s, server_s)
        self._above_uptime_s = self._board.wall_s() - _uptime_s()

    def _notice_step(self, now):
        """Let the difference be as it is after our clock was set by somebody else (rule 5)."""
        above_uptime_s = self._board.wall_s() - _uptime_s()
        step_s = above_uptime_s - self._above_uptime_s
        if abs(step_s) < STEP_S:
            return
        if self.outcome == SET:
            self._exact_s = 0.0
        self._exact_s += step_s
        self._above_uptime_s = above_uptime_s
        self.ahead_s = round(self._exact_s)
        self.outcome = _judged(self._exact_s) or MOVED
        if not self._sessions:
            self._due.start(now, 0)

    def _outcome(self, ahead_s, server_s):
        judged = _judged(ahead_s)
        if judged or not self._sets:
            return judged or DIFFERS
        if self._board.clock_is_set():
            return KEPT
        try:
            self._board.set_wall_s(server_s)
        except OSError:
            return NOT_ALLOWED
        self.times_set += 1
        return SET


def _judged(ahead_s):
    """Return what such a difference is, "" for one that a clock is set for."""
    if abs(ahead_s) <= CORRECT_S:
        return RIGHT
    halves = round(ahead_s / HALF_HOUR_S)
    if halves and abs(ahead_s) < ZONES_MOST_S + CORRECT_S and abs(ahead_s - halves * HALF_HOUR_S) <= CORRECT_S:
        return ZONE
    return ""


def _uptime_s():
    """Return how long the machine is up, its sleep included: nobody can set that."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
