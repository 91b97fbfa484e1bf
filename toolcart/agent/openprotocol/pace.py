"""The session's times: when a message of ours is due, and when the controller is given up (session rules 1 and 7).

rest      since our last message       keepalive_ms later MID 9999 is due
silence   since an unanswered 9999     silence_ms later the controller is gone; any byte stops it
blocked   since the link took nothing  silence_ms later likewise
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer

KEEPALIVE_MS = const(7000)  # without a transmission of ours; one may get lost before a controller closes after 15 s
RESPONSE_TIMEOUT_MS = const(5000)  # the specification names none; controllers answer within tenths of a second
SILENCE_MS = const(15000)  # the time after which a controller gives us up as well (003:12526)
STOP_WAIT_MS = const(1000)
TRIES = const(3)  # 003:1440-1442


class Pace:
    """See the module. Times in ms; `tries` is how often a request is sent."""

    __slots__ = (
        "blocked",
        "keepalive_ms",
        "keepalives",
        "response_timeout_ms",
        "rest",
        "silence",
        "silence_ms",
        "stop_wait_ms",
        "tries",
    )

    def __init__(self, keepalive_ms, response_timeout_ms, silence_ms, stop_wait_ms, tries):
        self.keepalive_ms = keepalive_ms
        self.response_timeout_ms = response_timeout_ms
        self.silence_ms = silence_ms
        self.stop_wait_ms = stop_wait_ms
        self.tries = tries
        self.keepalives = 0  # sent on this connection since the session was READY
        self.rest = Timer()
        self.silence = Timer()
        self.blocked = Timer()

    def closed(self):
        """The connection has ended."""
        self.rest.stop()
        self.silence.stop()
        self.blocked.stop()

    def is_blocked(self, now):
        """The link takes nothing at present."""
        if not self.blocked.armed:
            self.blocked.start(now, self.silence_ms)

    def is_mute(self, now):
        """True if the controller has fallen silent, or takes nothing."""
        return (self.silence.armed and self.silence.expired(now)) or (self.blocked.armed and self.blocked.expired(now))

    def kept_alive(self, now, ready):
        """MID 9999 goes out; return True if the one before it was answered."""
        if self.silence.armed:
            return False
        self.silence.start(now, self.silence_ms)
        self.keepalives += ready
        return True

    def least(self, now, wait):
        """Return `wait`, or the ms until the controller would be given up if that is less."""
        if self.silence.armed:
            wait = self.silence.least(now, wait)
        if self.blocked.armed:
            wait = self.blocked.least(now, wait)
        return wait
