"""Joins a Wi-Fi network, stays joined, and moves to a stronger access point of it while the cart is moved.

Rules
1. A failure is what lwIP or ESP-IDF report as one: wrong password, no such network, refused.
2. A join has JOIN_MS. After a failure it waits 1, 2, 4 .. 60 s; after RESTART_AFTER failures the radio is switched off
   and on once, because the firmware of radios hangs.
3. Weaker than ROAM_DBM for three looks in a row: scan, and change to an access point of the same name that is at
   least GAIN_DB stronger. At most one scan a minute: it blocks the chip for some seconds, ten at most.
4. If joining a chosen access point fails, the next join is to any.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.board.network import Interface

DOWN = const(0)
JOINING = const(1)
UP = const(2)

JOIN_MS = const(20000)
LOOK_MS = const(250)  # while joining
CHECK_MS = const(5000)  # while joined
BACKOFF_MS = const(1000)
BACKOFF_MAX_MS = const(60000)
RESTART_AFTER = const(5)
ROAM_DBM = const(-75)
WEAK_LOOKS = const(3)
GAIN_DB = const(8)
SCAN_MS = const(60000)

STATE_NAMES = ("down", "joining", "up")


class Wifi(Interface):
    """The chip's WLAN; `joins`, `losses`, `failures` and `roams` count.

    `scan(wlan)` lists the access points without tripping the watchdog.
    """

    def __init__(self, wlan, settings, scan, now):
        self._scan_with = scan
        self._wait = Timer()
        self._wait.start(now, 0)
        self._scan = Timer()
        self._bssid = None  # the one chosen last
        self._backoff_ms = BACKOFF_MS
        self._failed_in_a_row = 0
        self._weak = 0
        self.state = DOWN
        self.level_dbm = 0
        self.joins = self.failures = self.roams = self.restarts = 0
        wlan.active(False)
        Interface.__init__(self, wlan, settings, now)

    def is_up(self):
        return self.state == UP

    def restart(self, is_deep, now):
        """Leave the network, switch the radio off and on, or its chip if `is_deep`, and join again."""
        self.state = DOWN
        self._leave()
        self._switch_off_and_on(is_deep)
        self._wait.start(now, 0)

    def about(self):
        report = {"kind": "wifi", "state": STATE_NAMES[self.state], "level_dbm": self.level_dbm, "joins": self.joins}
        report.update(
            {"losses": self.losses, "failures": self.failures, "roams": self.roams, "restarts": self.restarts}
        )
        report["address"] = self._address()
        return report

    def tick(self, now):
        if self.state == DOWN:
            if self._wait.expired(now):
                self._join(None, now)
            return self._wait.left(now) if self.state == DOWN else LOOK_MS
        if self.state == JOINING:
            return self._look_at_join(now)
        if self._next.expired(now):
            self._look_at_link(now)
        return self._next.left(now) if self.state == UP else LOOK_MS

    def _join(self, bssid, now):
        self.state = JOINING
        self._wait.start(now, JOIN_MS)
        self._bssid = bssid
        settings = self._settings
        try:
            if bssid is None:
                self._interface.connect(settings["ssid"], settings["password"] or None)
            else:
                self._interface.connect(settings["ssid"], settings["password"] or None, bssid=bssid)
        except OSError:
            pass  # status() shows it

    def _look_at_join(self, now):
        if self._interface.isconnected():  # with an address
            self.state = UP
            self.joins += 1
            self._weak = 0
            self._failed_in_a_row = 0
            self._backoff_ms = BACKOFF_MS
            self._wait.stop()
            self._next.start(now, CHECK_MS)
            return CHECK_MS
        code = self._interface.status()
        if code < 0 or 200 <= code < 300 or self._wait.expired(now):  # lwIP's failures, and ESP-IDF's
            self.failures += 1
            self._failed_in_a_row += 1
            self._give_up(now)
            return self._wait.left(now)
        return LOOK_MS

    def _give_up(self, now):
        self._leave()
        if self._failed_in_a_row % RESTART_AFTER == 0:
            self._switch_off_and_on(False)
        self.state = DOWN
        self._wait.start(now, self._backoff_ms)
        doubled_ms = self._backoff_ms * 2
        self._backoff_ms = doubled_ms if doubled_ms < BACKOFF_MAX_MS else BACKOFF_MAX_MS

    def _look_at_link(self, now):
        self._next.start(now, CHECK_MS)
        if not self._interface.isconnected():
            self.losses += 1
            self.state = DOWN
            self._leave()
            self._wait.start(now, 0)  # the first attempt at once; pauses begin when it fails
            return
        self.level_dbm = self._level()
        self._weak = self._weak + 1 if self.level_dbm < ROAM_DBM else 0
        if self._weak >= WEAK_LOOKS and (not self._scan.armed or self._scan.expired(now)):
            self._scan.start(now, SCAN_MS)
            self._weak = 0
            better = self._stronger()
            if better is not None:
                self.roams += 1
                self._leave()
                self._join(better, now)

    def _stronger(self):
        """Return the access point of the network to change to, None if staying is best."""
        best = None
        best_dbm = self.level_dbm + GAIN_DB
        name = self._settings["ssid"].encode()
        try:
            present = self._interface.config("bssid")
        except (OSError, ValueError):
            present = self._bssid  # a port that cannot say
        try:
            for point in self._scan_with(self._interface):
                if point[0] == name and point[1] != present and point[3] >= best_dbm:
                    best = point[1]
                    best_dbm = point[3]
        except OSError:
            return None
        return best

    def _leave(self):
        try:
            self._interface.disconnect()
        except OSError:
            pass

    def _level(self):
        """Return the strength in dBm."""
        try:
            return int(self._interface.status("rssi"))
        except (OSError, ValueError, TypeError):
            return 0

    def _switch_off_and_on(self, is_deep):
        """Switch the radio off and on, its chip too if `is_deep` and possible."""
        self.restarts += 1
        self._interface.active(False)
        if is_deep and hasattr(self._interface, "deinit"):
            self._interface.deinit()
        self._switch_on()

    def _switch_on(self):
        Interface._switch_on(self)
        wlan = self._interface
        try:
            wlan.config(pm=wlan.PM_NONE)  # else an answer waits for a beacon, and some access points lose it
        except (AttributeError, ValueError, OSError):
            pass  # a port that does not know it
