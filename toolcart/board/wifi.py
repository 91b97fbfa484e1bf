"""Joins a Wi-Fi network, stays joined, and moves to a stronger access point of it while the cart is moved.

Rules
1. The machine only decides; a `radio` acts: status(), join(bssid), leave(), level(), scan(), restart().
2. A join has JOIN_MS. After a failure it waits 1, 2, 4 .. 60 s; after RESTART_AFTER failures the radio is switched off
   and on once, because the firmware of radios hangs.
3. Weaker than ROAM_DBM for three looks in a row: scan, and change to an access point of the same name that is at
   least GAIN_DB stronger. At most one scan a minute: it blocks the chip for some seconds, ten at most.
4. If joining a chosen access point fails, the next join is to any.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer

RADIO_IDLE = const(0)
RADIO_JOINING = const(1)
RADIO_JOINED = const(2)  # with an address
RADIO_FAILED = const(3)  # wrong password, no such network, refused

DOWN = const(0)
JOINING = const(1)
UP = const(2)

JOIN_MS = const(20000)
LOOK_MS = const(250)  # while joining
CHECK_MS = const(5000)  # while joined
BACKOFF_MS = const(1000)
BACKOFF_MAX_MS = const(60000)
RESTART_AFTER = const(5)
ROAM_DBM = -75
WEAK_LOOKS = const(3)
GAIN_DB = const(8)
SCAN_MS = const(60000)

STATE_NAMES = ("down", "joining", "up")


class Wifi:
    """The machine; `joins`, `losses`, `failures` and `roams` count."""

    __slots__ = (
        "_backoff_ms",
        "_check",
        "_failed_in_a_row",
        "_radio",
        "_scan",
        "_wait",
        "_weak",
        "failures",
        "joins",
        "level_dbm",
        "losses",
        "restarts",
        "roams",
        "state",
    )

    def __init__(self, radio, now):
        self._radio = radio
        self._wait = Timer()
        self._wait.start(now, 0)
        self._check = Timer()
        self._scan = Timer()
        self._backoff_ms = BACKOFF_MS
        self._failed_in_a_row = 0
        self._weak = 0
        self.state = DOWN
        self.level_dbm = 0
        self.joins = self.losses = self.failures = self.roams = self.restarts = 0

    def is_up(self):
        """True if there is a network."""
        return self.state == UP

    def restart(self, is_deep, now):
        """Switch the radio off and on and join again, whatever state it claims."""
        self.restarts += 1
        self.state = DOWN
        self._radio.leave()
        self._radio.restart(is_deep)
        self._check.stop()
        self._wait.start(now, 0)

    def tick(self, now):
        """Do what is due; return the ms until the next look."""
        if self.state == DOWN:
            if self._wait.expired(now):
                self._join(None, now)
            return self._wait.left(now) if self.state == DOWN else LOOK_MS
        if self.state == JOINING:
            return self._look_at_join(now)
        if self._check.expired(now):
            self._look_at_link(now)
        return self._check.left(now) if self.state == UP else LOOK_MS

    def _join(self, bssid, now):
        self.state = JOINING
        self._wait.start(now, JOIN_MS)
        self._radio.join(bssid)

    def _look_at_join(self, now):
        status = self._radio.status()
        if status == RADIO_JOINED:
            self.state = UP
            self.joins += 1
            self._weak = 0
            self._failed_in_a_row = 0
            self._backoff_ms = BACKOFF_MS
            self._wait.stop()
            self._check.start(now, CHECK_MS)
            return CHECK_MS
        if status == RADIO_FAILED or self._wait.expired(now):
            self.failures += 1
            self._failed_in_a_row += 1
            self._give_up(now)
            return self._wait.left(now)
        return LOOK_MS

    def _give_up(self, now):
        self._radio.leave()
        if self._failed_in_a_row and self._failed_in_a_row % RESTART_AFTER == 0:
            self.restarts += 1
            self._radio.restart()
        self.state = DOWN
        self._wait.start(now, self._backoff_ms)
        doubled_ms = self._backoff_ms * 2
        self._backoff_ms = doubled_ms if doubled_ms < BACKOFF_MAX_MS else BACKOFF_MAX_MS

    def _look_at_link(self, now):
        self._check.start(now, CHECK_MS)
        if self._radio.status() != RADIO_JOINED:
            self.losses += 1
            self.state = DOWN
            self._radio.leave()
            self._wait.start(now, 0)  # the first attempt at once; pauses begin when it fails
            return
        self.level_dbm = self._radio.level()
        self._weak = self._weak + 1 if self.level_dbm < ROAM_DBM else 0
        if self._weak >= WEAK_LOOKS and (not self._scan.armed or self._scan.expired(now)):
            self._scan.start(now, SCAN_MS)
            self._weak = 0
            better = self._stronger()
            if better is not None:
                self.roams += 1
                self._radio.leave()
                self._join(better, now)

    def _stronger(self):
        """Return the access point to change to, None if staying is best; scan() has (bssid, dBm, is it the present)."""
        best = None
        best_dbm = self.level_dbm + GAIN_DB
        for bssid, dbm, is_present in self._radio.scan():
            if not is_present and dbm >= best_dbm:
                best = bssid
                best_dbm = dbm
        return best
