"""The wall clock of a chip: local time from the best source so far, and how good that is.

Rules
1. Sources in rising order: none, the chip's own clock from before the start, the controller's results, ToolsNet's
   telegram 05, NTP (toolcart.board.ntp). A better one always sets the clock, an equal one corrects it, a worse one only
   after STALE_MS.
2. The controller's time is that of a result that may have waited, so it serves only until there is something better. A
   controller's clock is set only if the configuration says so (toolcart.agent.openprotocol.queries), and never from its
   own time.
3. A difference of up to CORRECT_S seconds is left alone (TN 3): a clock that is set all the time jumps all the time.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, put_number
from toolcart.agent.base.ticks import ticks_diff

SOURCE_NONE = const(0)
SOURCE_RTC = const(1)
SOURCE_CONTROLLER = const(2)
SOURCE_TOOLSNET = const(3)
SOURCE_NTP = const(4)
SOURCE_NAMES = ("none", "rtc", "controller", "toolsnet", "ntp")

STALE_MS = const(86400000)  # a chip's crystal drifts some seconds a day
CORRECT_S = const(2)

_STAMP = b"0000-00-00:00:00:00"
_FIRST_YEAR = const(2024)  # an unset clock says 2000 or 2021


class Clock:
    """`rtc` has `read() -> (year, month, day, hour, minute, second, ...)` and `write(` these six as a tuple `)`."""

    def __init__(self, rtc, now):
        self._rtc = rtc
        self.source = SOURCE_RTC if rtc.read()[0] >= _FIRST_YEAR else SOURCE_NONE
        self._accepted_at = now
        self.jumps = 0  # how often it was set

    def wants(self, source, now):
        """True if a time from this source would be accepted."""
        return source >= self.source or ticks_diff(now, self._accepted_at) > STALE_MS

    def offer(self, source, moment, now):
        """Take the local time in six numbers from a source; True if it was accepted."""
        if moment[0] < _FIRST_YEAR or not self.wants(source, now):
            return False
        self.source = source
        self._accepted_at = now
        if _apart_s(self._rtc.read(), moment) > CORRECT_S:
            self._rtc.write(moment)
            self.jumps += 1
        return True

    def stamp_into(self, buf):
        """Write the local time as 19 characters into buf[0:19]; what `read` returns is all that is allocated."""
        moment = self._rtc.read()
        copy(buf, 0, _STAMP, 0, 19)
        put_number(buf, 0, 4, moment[0])
        for place in range(1, 6):
            put_number(buf, 2 + 3 * place, 2, moment[place])


def _apart_s(one, other):
    """Return the seconds between two moments; those of different dates as if the days were adjacent."""
    a = (one[3] * 60 + one[4]) * 60 + one[5]
    b = (other[3] * 60 + other[4]) * 60 + other[5]
    if tuple(one[:3]) == tuple(other[:3]):
        return abs(a - b)
    return min(abs(a - b + 86400), abs(b - a + 86400))


def from_digits(digits):
    """Return the six numbers of `yyyymmddhhmmss`; None if it is not a date and time."""
    try:
        text = bytes(digits).decode()
        year, month, day = int(text[0:4]), int(text[4:6]), int(text[6:8])
        hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
    except (ValueError, UnicodeError):
        return None
    if not 1 <= month <= 12 or not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 59:
        return None
    return year, month, day, hour, minute, second
