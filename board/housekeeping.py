"""Everything a chip does besides the agent, in the turns of the same loop: network, watchdog, lamp, clock, console.

Rules
1. `on_turn(now)` never waits and returns the ms until it wants to be called again (toolcart.board.loop).
2. The watchdog is fed only while `Liveness` says that results and deadlines move.
3. When the agent is healthy for the first time, the running version is confirmed (toolcart.board.safe_mode) and says so
   on the console: `toolcart{"healthy": ...}`. It repeats that for a while, for a computer that was just plugged in.

`board` has: network (tick(now), is_up(), about()), watchdog (feed()) or None, show_lamp(on), read_console() -> text,
clock (toolcart.board.clock) or None, ntp (toolcart.board.ntp.Ntp) or None, calendar(unix_s), about() -> dict.
"""

import json

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import unpack_digits
from toolcart.agent.base.ticks import Timer
from toolcart.agent.cart.led import Blinker, code_of
from toolcart.agent.cart.watchdog import ASKED_MS, Liveness
from toolcart.board.clock import SOURCE_CONTROLLER, SOURCE_NAMES, SOURCE_NTP, SOURCE_TOOLSNET, from_digits
from toolcart.board.console import VERSION_FILE, Console
from toolcart.board.network import Silence

CLOCK_MS = const(60000)  # how often ToolsNet and the controller are asked for the time
TAKE_MS = const(1000)  # how old what they say may be
TELL_MS = const(5000)
UNCONFIRMED_MS = const(60000)  # between two tries to write to a file system that may be full or worn
TELLINGS = const(24)  # two minutes


class Housekeeping:
    """The work besides one app."""

    def __init__(self, app, board, configuration, folder, confirmation, now):
        self.app = app
        self.board = board
        self.console = Console(app, folder, self.about)
        self.liveness = Liveness(app, now)
        self.blinker = Blinker(now)
        self.is_confirmed = False
        self.unconfirmed = 0  # how often the confirmation could not be written
        self.wants_restart = False
        # Read here: later an open file's 1,148 bytes in one piece would be needed each time that it is told.
        self._version = version_of(folder)
        self._confirmation = confirmation
        self._tellings = 0
        self._was_up = False
        self._silence = Silence(now)
        self._feed = _started(now)
        self._clock = _started(now)
        self._tell = _started(now)
        self._digits = bytearray(14)
        self._lit = None

    def on_turn(self, now):
        """Do what is due; return the ms until the next call, or a negative number to end the loop."""
        board = self.board
        wait_ms = board.network.tick(now)
        if board.network.is_up() is not self._was_up:
            self._was_up = not self._was_up
            if self._was_up:
                self.app.network_is_up(now)
        if self._feed.expired(now):
            self._feed.start(now, ASKED_MS)
            self._look_after(now)
        wait_ms = _less(wait_ms, self._feed.left(now))
        wait_ms = _less(wait_ms, self._blink(now))
        if board.clock is not None:
            wait_ms = _less(wait_ms, self._keep_time(now))
        if not self.is_confirmed or self._tellings < TELLINGS:
            self._tell_health(now)
            wait_ms = _less(wait_ms, self._tell.left(now))
        text = board.read_console()
        if text:
            self.console.take(text)
        if self.console.job is not None:
            self.console.go_on()
            wait_ms = 0
        if self.console.wants_restart or self.wants_restart:
            return -1
        return wait_ms  # typing ends the wait by itself (toolcart.board.sockets)

    def about(self):
        """Return the board's own part of the status."""
        board = self.board
        report = board.about()
        report["clock"] = "system" if board.clock is None else SOURCE_NAMES[board.clock.source]
        report["ntp"] = None if board.ntp is None else board.ntp.about(board.now())
        report["lamp"] = self.blinker.code
        report["confirmed"] = self.is_confirmed
        report["unconfirmed"] = self.unconfirmed
        report["watchdog"] = self.liveness.reason or ("fed" if board.watchdog is not None else "off")
        report["network"] = board.network.about()
        report["network"]["silences"] = self._silence.restarts
        return report

    def _look_after(self, now):
        network = self.board.network
        if self._silence.is_over(self.board.sockets, network.is_up(), now):
            network.restart(self._silence.restarts % 2 == 0, now)
        if self.liveness.may_feed(now):
            if self.board.watchdog is not None:
                self.board.watchdog.feed()
        elif self.board.watchdog is None:
            self.wants_restart = True

    def _blink(self, now):
        blinker = self.blinker
        left = blinker.tick(now, code_of(self.app.stations, self.board.network.is_up()))
        if blinker.on is not self._lit:
            self._lit = blinker.on
            self.board.show_lamp(blinker.on)
        return left

    def _tell_health(self, now):
        if not self._tell.expired(now):
            return
        self._tell.start(now, TELL_MS)
        if not self.is_confirmed:
            for station in self.app.stations:
                if not station.mounted:
                    break
            else:
                self._confirmation.came_up()  # where a spool was not up at once (toolcart.board.main)
            if not self.liveness.is_healthy(now):
                return
            # False: it cannot be written, so the next start would not know. It is tried again.
            self.is_confirmed = self._confirmation.healthy() is not False
            if not self.is_confirmed:
                self.unconfirmed += 1
                self._tell.start(now, UNCONFIRMED_MS)
                return
        self._tellings += 1
        self.console.tell(healthy=True, version=self._version)

    # -- time --------------------------------------------------------------------------------------------------

    def _keep_time(self, now):
        board = self.board
        left = CLOCK_MS
        if board.ntp is not None:
            left = board.ntp.tick(now, board.network.is_up(), self._set_by_ntp)
        if self._take_times(now):
            left = _less(left, TAKE_MS)
        if self._clock.expired(now):
            self._clock.start(now, CLOCK_MS)
            self._ask_others(now)
        return _less(left, self._clock.left(now))

    def _set_by_ntp(self, unix_s):
        board = self.board
        board.clock.offer(SOURCE_NTP, board.calendar(unix_s), board.now())

    def _ask_others(self, now):
        """Ask for the time of the next 05, and of the next result, if the clock wants them."""
        clock = self.board.clock
        for station in self.app.stations:
            if station.mounted:
                for outlet in station.outlets:
                    if outlet.times is not None:
                        outlet.times.wants_stamp = clock.wants(SOURCE_TOOLSNET, now)
                station.intake.store.wants_time = clock.wants(SOURCE_CONTROLLER, now)

    def _take_times(self, now):
        """Take each time that has come, once; return whether another one may come."""
        waits = False
        for station in self.app.stations:
            if not station.mounted:
                continue
            for outlet in station.outlets:
                times = outlet.times
                if times is not None:
                    if times.stamp[0]:
                        self._offer(SOURCE_TOOLSNET, times.stamp, now)
                        times.stamp[0] = 0
                    waits = waits or times.wants_stamp
            store = station.intake.store
            if store.live_time[0]:
                unpack_digits(self._digits, 0, store.live_time, 0, 14)
                self._offer(SOURCE_CONTROLLER, self._digits, now)
                store.live_time[0] = 0
            waits = waits or store.wants_time
        return waits

    def _offer(self, source, digits, now):
        """Offer a time to the clock, if the digits are one."""
        moment = from_digits(digits)
        if moment is not None:
            self.board.clock.offer(source, moment, now)


def version_of(folder):
    """Return the digest of the version in a folder, "" if there is none."""
    try:
        with open(folder + VERSION_FILE) as file:
            return json.load(file)["digest"]
    except (OSError, ValueError, KeyError):
        return ""


def _started(now):
    timer = Timer()
    timer.start(now, 0)
    return timer


def _less(a, b):
    return a if a < b else b
