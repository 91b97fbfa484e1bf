"""An outlet whose secret cannot be read yet.

It holds the cursor's place and tries again every RETRY_MS, counted and shown with the reason; it becomes the outlet
itself once it can be. Its records wait in the log meanwhile.
"""

from copy import copy

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.linux import Outlet

CPYTHON_ONLY = True

RETRY_MS = 10000
NOT_STARTED = "not started"


class AwaitingSecret(Outlet):
    """The outlet of these settings (toolcart.agent.outlets) until `make(settings, station, index)` can make it.

    The real one then takes its place in the station; this one goes on to pass the turns of its slot to it.
    """

    port = fault = None
    longest_ms = RETRY_MS

    def __init__(self, station, index, settings, make):
        self.kind = settings["kind"]
        self.index = index
        self.attempts = 0
        self._station = copy(station)  # the station itself forgets its settings
        self._settings = settings
        self._make = make
        self._outlet = None
        self._why = ""
        self._stopping = False
        self._slot = None, 0

    def begin(self, now):
        """Try at the first step."""

    def attach(self, scheduler, slot):
        """Keep the slot for the outlet."""
        self._slot = scheduler, slot

    def step(self, now):
        """Try to make the outlet; let it work once it is there."""
        if self._outlet is not None:
            return self._outlet.step(now)
        if self._stopping:
            return FOREVER
        self.attempts += 1
        station = self._station
        why = self._settings["awaits"].look()
        if why:
            if why != self._why:
                station.counters.log.add(counter.OUTLET_FAILED, self.index, now)
            station.counters.count(counter.OUTLET_FAILED)
            self._why = why
            return RETRY_MS
        self._outlet = made = self._make(self._settings, station, self.index)
        station.outlets[self.index] = made
        made.begin(now)
        made.attach(*self._slot)
        if made.port is not None:
            station.board.watch(made.port, self._slot[1])
        return 0

    def reset_after_fault(self, now):
        if self._outlet is not None:
            self._outlet.reset_after_fault(now)

    def is_up(self):
        return False

    def begin_shutdown(self, now):
        self._stopping = True

    def stop(self):
        """Begin no outlet any more; no cursor has moved."""
        self._stopping = True

    def put_state(self, report):
        settings = self._settings
        report["state"] = NOT_STARTED
        report["place"] = settings.get("url") or "%s://%s:%d" % (self.kind, settings["host"], settings["port"])
        report["why"] = self._why
