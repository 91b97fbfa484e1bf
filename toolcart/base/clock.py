"""A clock that only moves when told, starting just before the tick counter wraps.

Rules:
1. `now` is what a 32-bit board's ticks_ms would say: an int that wraps at 2**30 ms.
2. `total_ms` is the same time unwrapped, counted since the clock was made; for the simulators' own books.
3. `stamp()` is the simulated wall time as Open Protocol writes it, YYYY-MM-DD:HH:MM:SS (OP 5.8.2 p. 135).
"""

PORTABLE = True

TICKS_PERIOD = 1 << 30
# Five seconds before the wrap, so that every longer test crosses it.
START_TICKS = TICKS_PERIOD - 5000
# 2024-03-14 09:26:53, the moment of the worked examples, in seconds after 1970-01-01 00:00:00.
START_WALL_S = 1710408413
_DAY_S = 86400


def calendar(unix_s):
    """Return (year, month, day, hour, minute, second) for a number of seconds after 1970-01-01 00:00:00."""
    rest_s = unix_s % _DAY_S
    # Counted from 0000-03-01, so that a leap day is the last day of its year and eras of 400 years are all
    # alike.
    days = unix_s // _DAY_S + 719468
    era = days // 146097
    day_of_era = days % 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day, rest_s // 3600, rest_s // 60 % 60, rest_s % 60


def stamp_text(unix_s):
    """Return the 19 characters YYYY-MM-DD:HH:MM:SS."""
    return "%04d-%02d-%02d:%02d:%02d:%02d" % calendar(unix_s)


def seconds_of(text):
    """Return the seconds after 1970-01-01 00:00:00 of YYYY-MM-DD:HH:MM:SS."""
    year, month = int(text[0:4]), int(text[5:7])
    if month < 3:
        year -= 1
        month += 12
    days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + int(text[8:10]) - 719469
    return ((days * 24 + int(text[11:13])) * 60 + int(text[14:16])) * 60 + int(text[17:19])


class SimClock:
    """Time for tests: it stands still until `advance`."""

    def __init__(self, start=START_TICKS):
        self.now = start % TICKS_PERIOD
        self.total_ms = 0
        self.wall_s = START_WALL_S

    def advance(self, ms):
        """Let `ms` milliseconds pass and return the new `now`."""
        if ms < 0:
            raise ValueError("time does not run backwards")
        self.total_ms += ms
        self.now = (self.now + ms) % TICKS_PERIOD
        return self.now

    def stamp(self):
        return stamp_text(self.wall_s + self.total_ms // 1000)


class Dice:
    """Seeded random numbers that are the same on CPython and on a 32-bit MicroPython."""

    def __init__(self, seed=1):
        self._state = (seed * 2654435761 + 12345) % 0x7FFFFFFF or 1

    def randrange(self, start, stop=None):
        """Return a number from start..stop-1, or from 0..start-1 if only one is given."""
        if stop is None:
            start, stop = 0, start
        # The minimal standard generator of Park and Miller; its low bits are good enough for faults and
        # torques.
        self._state = self._state * 48271 % 0x7FFFFFFF
        return start + self._state % (stop - start)
