"""The latest things that were counted, with time and value: a ring of fixed size, which allocates nothing."""

from array import array

from toolcart.agent.base.compat import const

LOG_ENTRIES = const(32)


class EventLog:
    """The log of one station: a new entry takes the place of the oldest."""

    __slots__ = ("_codes", "_moments", "_values", "logged")

    def __init__(self):
        self.logged = 0  # entries ever written
        self._moments = array("i", [0] * LOG_ENTRIES)
        self._codes = bytearray(LOG_ENTRIES)
        self._values = array("i", [0] * LOG_ENTRIES)

    def add(self, counter, value, now):
        """Log a counter with a number that says more (a code, a MID, a byte count)."""
        at = self.logged % LOG_ENTRIES
        self._moments[at] = now
        self._codes[at] = counter
        self._values[at] = value
        self.logged += 1

    def entries(self):
        """Yield (moment, counter, value) of what the log still holds, oldest first."""
        first = self.logged - LOG_ENTRIES if self.logged > LOG_ENTRIES else 0
        for index in range(first, self.logged):
            at = index % LOG_ENTRIES
            yield self._moments[at], self._codes[at], self._values[at]
