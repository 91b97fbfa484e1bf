"""What every simulated peer shares: bytes out, bytes later, and one list of what the other side did wrong.

Rules:
1. An endpoint lives for one connection; what outlives it belongs to the device that made it.
2. A breach by the other side is one text in `complaints`; a close by us is one text in `closings`.
3. A line that swallowed something sets `excused`: then a silence is the line's fault, not a complaint.
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.base.octets import text_of

PORTABLE = True


class Endpoint:
    """Base of all simulated peers; lab/harness/line.py has the contract."""

    in_pieces = "message in pieces: "

    def __init__(self, complaints, closings, options=None):
        self.options = options
        self.complaints = complaints
        self.closings = closings
        self.wants_close = False
        self.excused = False
        self.alive = False
        self._received = b""
        self._out = []
        self._later = []  # (due ticks, bytes), in order of sending

    def connected(self, now):
        self.alive = True

    def ended(self):
        """The other side has ended the connection in order: all that it sent has come."""

    def disconnected(self, now):
        self.alive = False

    def outgoing(self):
        if not self._out:
            return b""
        octets = b"".join(self._out)
        self._out = []
        return octets

    def receive(self, octets, now):
        """Take what came: `next_frame` cuts a whole message off, `message` handles it."""
        self._received += octets
        taken = 0
        while not self.wants_close:
            frame = self.next_frame()
            if frame is None:
                break
            taken += 1
            self.message(frame, now)
        if self.options.whole_writes and (self._received or not taken):
            self.complain(self.in_pieces + text_of(octets))

    def send(self, octets):
        """Send now, or after what still waits, so that the order never changes."""
        if self._later:
            self._later.append((self._later[-1][0], octets))
        else:
            self._out.append(octets)

    def send_later(self, octets, delay_ms, now):
        self._later.append((ticks_add(now, delay_ms), octets))

    def release(self, now):
        """Move what is due to the output; return ms until the next is due."""
        while self._later:
            left = ticks_diff(self._later[0][0], now)
            if left > 0:
                return left
            self._out.append(self._later.pop(0)[1])
        return FOREVER

    def complain(self, text):
        self.complaints.append(text)

    def close(self, reason):
        if not self.wants_close:
            self.closings.append(reason)
        self.wants_close = True


class Settings:
    """A set of named options with defaults; an unknown name, and a value of another kind, is a mistake and raises."""

    DEFAULTS = {}

    def __init__(self, **changed):
        for name in self.DEFAULTS:
            self.set(name, self.DEFAULTS[name])
        for name in changed:
            if name not in self.DEFAULTS:
                raise ValueError("no such option: " + name)
            if not _is_like(self.DEFAULTS[name], changed[name]):
                raise ValueError("%s: %r in place of one like %r" % (name, changed[name], self.DEFAULTS[name]))
            self.set(name, changed[name])

    def set(self, name, value):
        """Set an option to a copy: a list of faults is used up, and whoever gave it may use it again."""
        if isinstance(value, dict):
            value = dict(value)
        elif isinstance(self.DEFAULTS[name], list):
            value = list(value)
        setattr(self, name, value)


def _is_like(default, value):
    """True if a value is of the default's kind; a list is as good as a tuple, and anything as good as None."""
    if default is None:
        return True
    for kind in (bool, int, (list, tuple)):
        if isinstance(default, kind):
            return isinstance(value, kind) and isinstance(value, bool) == isinstance(default, bool)
    return isinstance(value, type(default))
