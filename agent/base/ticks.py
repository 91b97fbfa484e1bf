"""Wrapping time: milliseconds modulo 2**30, compared only here.

Rules
1. A moment is an int 0..2**30-1 (`ticks_ms` of a 32-bit board: it wraps every 12.4 days).
2. Moments are compared with `ticks_diff` only; they must be less than 2**29 ms (6.2 days) apart.
3. No step here makes an int of 2**30 or more: such an int costs an allocation on a 32-bit board.
"""

from toolcart.agent.base.compat import const

TICKS_MAX = const(0x3FFFFFFF)
TICKS_PERIOD = const(0x40000000)  # for the owners of a clock; the hot path never touches it
FOREVER = const(0x1FFFFFFF)  # the longest wait: one less than half a period

_HALF = const(0x20000000)


def ticks_add(moment, ms):
    """Return the moment `ms` milliseconds (0..2**29-1) after `moment`."""
    left = TICKS_MAX - moment
    return moment + ms if ms <= left else ms - left - 1


def ticks_diff(later, earlier):
    """Return `later` minus `earlier` in milliseconds, -2**29..2**29-1."""
    ms = later - earlier
    if ms >= _HALF:
        return ms - TICKS_MAX - 1
    if ms < -_HALF:
        return ms + TICKS_MAX + 1
    return ms


class Timer:
    """One deadline that can be set, stopped and queried; made once and reused.

    >>> timer = Timer()
    >>> timer.start(1000, 50)
    >>> timer.left(1020), timer.expired(1050)
    (30, True)
    """

    __slots__ = ("armed", "due")

    def __init__(self):
        self.armed = False
        self.due = 0

    def start(self, now, ms):
        """Expire `ms` milliseconds after `now`; this replaces an earlier deadline."""
        left = TICKS_MAX - now
        self.due = now + ms if ms <= left else ms - left - 1
        self.armed = True

    def stop(self):
        """Never expire until started again."""
        self.armed = False

    def left(self, now):
        """Return the milliseconds until it expires: 0 if it has, FOREVER if it is not set."""
        if not self.armed:
            return FOREVER
        ms = self.due - now  # ticks_diff, without a call
        if ms > 0:
            return ms if ms < _HALF else 0
        return 0 if ms >= -_HALF else ms + TICKS_MAX + 1

    def least(self, now, ms):
        """Return `ms`, or the time left if that is less."""
        if not self.armed:
            return ms
        left = self.due - now
        if not 0 < left < _HALF:  # the cases that `left` handles
            left = self.left(now)
        return left if left < ms else ms

    def expired(self, now):
        """True if it is set and its time has come; it stays so until started or stopped."""
        return self.armed and self.left(now) == 0


class Backoff:
    """Ever longer waits: `least` ms, twice as long each time, `most` ms in the end.

    >>> backoff = Backoff(1000, 30000)
    >>> backoff.next(), backoff.next()
    (1000, 2000)
    """

    __slots__ = ("_least", "_most", "ms")

    def __init__(self, least, most):
        self._least = least
        self._most = most
        self.ms = least  # the next wait

    def reset(self):
        """It works again: the next wait is the shortest."""
        self.ms = self._least

    def next(self):
        """Return the wait, and make the one after it longer."""
        ms = self.ms
        self.ms = ms * 2 if ms * 2 < self._most else self._most
        return ms
