"""An outlet whose secret cannot be read yet: it holds the cursor's place and becomes the outlet itself once it can be.

Rules
1. The station collects meanwhile; the outlet's records wait in the log, as for any other side that is away.
2. It tries again every RETRY_MS, counted and shown with the reason.
"""

from copy import copy

from toolcart.agent.base import health as h
from toolcart.agent.base.ticks import FOREVER

CPYTHON_ONLY = True  # a board's secrets are in its configuration

RETRY_MS = 10000


class Awaiting:
    """The outlet of these settings (toolcart.agent.outlets); `make(settings, station, index)` makes the real one."""

    slot = -1  # of the real one's port, too (board.watch)
    longest_ms = RETRY_MS

    def __init__(self, station, index, settings, make):
        self.kind = settings["kind"]
        self.index = index
        self.port = self
        self.times = None
        self.attempts = 0
        self.trouble = None  # the real one's, for what `put_state` leaves to its port
        self._station = copy(station)  # the station itself forgets its settings
        self._settings = settings
        self._make = make
        self._outlet = None
        self._tried = 0  # before the outlet was there
        self._why = ""
        self._stopping = False
        self._scheduler = None
        self._slot = 0

    def begin(self, now):
        """Try at the first step."""

    def attach(self, scheduler, slot):
        """Keep the slot for the outlet."""
        self._scheduler, self._slot = scheduler, slot

    def step(self, now):
        """Try to make the outlet; do its work once it is there."""
        outlet = self._outlet
        if outlet is not None:
            left = outlet.step(now)
            self.attempts = self._tried + outlet.attempts
            return left
        if self._stopping:
            return FOREVER
        self.attempts += 1
        why = self._settings["awaits"].look()
        if why:
            if why != self._why:
                self._station.health.log(h.OUTLET_FAILED, self.index, now)
            self._station.health.count(h.OUTLET_FAILED)
            self._why = why
            return RETRY_MS
        self._outlet = made = self._make(self._settings, self._station, self.index)
        self.trouble = getattr(made, "trouble", None)
        self._tried = self.attempts
        made.begin(now)
        made.attach(self._scheduler, self._slot)
        if made.port is not None:
            self._station.board.watch(made.port, self.slot)
        return 0

    def is_up(self):
        return self._outlet is not None and self._outlet.is_up()

    def holds(self):
        return self._outlet is not None and self._outlet.holds()

    def recover(self, now):
        if self._outlet is not None:
            self._outlet.recover(now)

    def hurry(self, now):
        if self._outlet is not None:
            self._outlet.hurry(now)

    def leave(self, now):
        self._stopping = True
        if self._outlet is not None:
            self._outlet.leave(now)

    def has_left(self, now):
        return self._outlet is None or self._outlet.has_left(now)

    def stop(self):
        """Close; without the outlet no cursor has moved."""
        self._stopping = True
        if self._outlet is not None:
            self._outlet.stop()

    def put_state(self, shown):
        if self._outlet is not None:
            self._outlet.put_state(shown)
            return
        settings = self._settings
        shown["state"] = "not started"
        shown["place"] = settings.get("url") or "%s://%s:%d" % (self.kind, settings["host"], settings["port"])
        shown["why"] = self._why
