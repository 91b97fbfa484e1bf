"""Decides whether the watchdog may be fed (only while results and deadlines move), and whether a start is healthy.

Rules
1. No task may fail for longer than FAILING_MS: what a new connection does not heal, a restart may.
2. A station with results waiting, or without its controller, has to try something (a connection, a telegram, a result
   of the quarantine) within STUCK_MS plus twice the longest pause of controller and outlets. A plant that is away is
   not a fault: trying counts.
3. Not fed means restarted by the watchdog seconds later; the spool holds everything, so nothing is lost.
4. Healthy means: every spool is up and no task has failed for HEALTHY_MS. The network does not matter: a cart may start
   where there is none.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer, ticks_diff
from toolcart.agent.openprotocol.session_states import READY
from toolcart.agent.station.intake import BUSY_MOST_MS

FAILING_MS = const(60000)
STUCK_MS = const(900000)
HEALTHY_MS = const(20000)
ASKED_MS = const(4000)  # how often to ask: half of the 8.3 s that an RP2040's watchdog allows


class Liveness:
    """Watches one app; `may_feed` must be asked every ASKED_MS or more often."""

    __slots__ = ("_app", "_healthy_since", "_moved", "_moves", "_quiet_since", "reason")

    def __init__(self, app, now):
        count = len(app.stations)
        self.reason = ""  # why it may not be fed
        self._app = app
        self._quiet_since = now  # the latest moment when no task was failing
        self._moves = [0] * count
        self._moved = [now] * count
        self._healthy_since = Timer()
        self._healthy_since.start(now, HEALTHY_MS)

    def may_feed(self, now):
        """True if everything moves; `reason` says what does not."""
        self.reason = ""
        if self._fails(now):
            self.reason = "a task fails again and again"
        for index in range(len(self._app.stations)):
            if self._is_stuck(self._app.stations[index], index, now):
                self.reason = "station %d does not move" % self._app.stations[index].number
        return not self.reason

    def is_healthy(self, now):
        """True if this start has been good for HEALTHY_MS."""
        if self._app.scheduler.faults:
            return False
        for station in self._app.stations:
            if not station.mounted:
                self._healthy_since.start(now, HEALTHY_MS)
        return self._healthy_since.expired(now)

    def _fails(self, now):
        if not self._app.scheduler.is_failing():
            self._quiet_since = now
            return False
        return ticks_diff(now, self._quiet_since) > FAILING_MS

    def _is_stuck(self, station, index, now):
        moves = _moves(station)
        if moves != self._moves[index] or not _has_work(station):
            self._moves[index] = moves
            self._moved[index] = now
        return ticks_diff(now, self._moved[index]) > STUCK_MS + 2 * _longest_ms(station)


def _has_work(station):
    """True if something has to happen by itself; a spool that cannot be read is simply retried for ever."""
    if not station.mounted:
        return False
    for outlet in station.outlets:
        if station.log.backlog_of(station.log.cursors[outlet.index]) > 0 and not outlet.needs_operator():
            return True
    return station.session.state != READY and not station.intake.cannot_store


def _moves(station):
    """Return a number that changes whenever this station does something."""
    if not station.mounted:
        return 0
    moves = station.log.number + station.intake.attempts
    for outlet in station.outlets:
        moves += station.log.cursors[outlet.index].number + outlet.attempts
    for counter in station.counters.counts:
        moves += counter
    return moves & 0x3FFFFFFF


def _longest_ms(station):
    """Return the longest pause between two attempts, of the controller and of the outlets."""
    return max([BUSY_MOST_MS] + [outlet.longest_ms for outlet in station.outlets])
