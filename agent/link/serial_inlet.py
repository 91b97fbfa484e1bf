"""What came over a serial line and was not looked at yet."""

from toolcart.agent.base.compat import const

INLET_BYTES = const(128)


class Inlet:
    """`octets[at:end]` are still to be looked at; nothing new is taken before that."""

    __slots__ = ("at", "end", "octets")

    def __init__(self):
        self.octets = bytearray(INLET_BYTES)
        self.at = self.end = 0

    def clear(self):
        """Forget what came."""
        self.at = self.end = 0

    def receive(self, n):
        """The first n bytes were filled."""
        self.at = 0
        self.end = n

    def room(self):
        """Return how many bytes it accepts now."""
        return 0 if self.at < self.end else INLET_BYTES

    def next(self):
        """Return the next byte."""
        at = self.at
        self.at = at + 1
        return self.octets[at]
