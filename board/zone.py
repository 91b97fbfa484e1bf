"""A time zone by its rules, as POSIX writes them: `CET-1CEST,M3.5.0,M10.5.0/3` is Central Europe with summer time.

Rules
1. The form is that of the TZ variable (POSIX 1003.1, 8.3): name, hours behind UTC, and if there is summer time its
   name, its hours and the two changes. Names may be in <>. Hours may have minutes and seconds; those of a change may
   be from -167 to 167, as in the tables of the tz database.
2. A change is Mm.w.d (month, week 1 to 5, day 0 to 6 with 0 a Sunday; week 5 is the last), Jn (1 to 365, 29 February is
   not counted) or n (0 to 365).
3. Asked about once an hour: it may allocate.
"""

_HOUR_S = 3600
_DAY_S = 86400
_MARCH_FIRST = (306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275)  # days before a month if March begins the year


class Zone:
    """A zone that `parsed` found: seconds to add to UTC, and the two changes or None."""

    def __init__(self, standard_s, summer_s, begins, ends):
        self.standard_s = standard_s
        self.summer_s = summer_s
        self._begins = begins
        self._ends = ends

    def offset_s(self, unix_s):
        """Return the seconds from UTC to local time at a moment in seconds since 1970."""
        if self._begins is None:
            return self.standard_s
        year = _year_of(unix_s + self.standard_s)
        begins = _moment(self._begins, year) - self.standard_s
        ends = _moment(self._ends, year) - self.summer_s
        if begins < ends:
            is_summer = begins <= unix_s < ends
        else:  # the southern hemisphere: it ends in the next year
            is_summer = not ends <= unix_s < begins
        return self.summer_s if is_summer else self.standard_s

    def left_s(self, unix_s):
        """Return the seconds to the next change; None if there is none."""
        if self._begins is None:
            return None
        least = None
        year = _year_of(unix_s + self.standard_s)
        for one in (year, year + 1):
            for change, before_s in ((self._begins, self.standard_s), (self._ends, self.summer_s)):
                left = _moment(change, one) - before_s - unix_s
                if left > 0 and (least is None or left < least):
                    least = left
        return least


def fixed(offset_min):
    """Return a zone without summer time."""
    return Zone(offset_min * 60, 0, None, None)


def parsed(text):
    """Return the Zone of a text; None if it is not valid."""
    try:
        return _parsed(text)
    except (ValueError, IndexError):
        return None


def zone_of(text, messages):
    """Return the zone with these rules, UTC without any; what cannot be read is UTC too, and is among `messages`."""
    zone = parsed(text) if text else None
    if zone is None:
        if text:
            messages.append("time_zone cannot be read: " + text)
        zone = fixed(0)
    return zone


def _parsed(text):
    parts = text.split(",")
    reader = _Reader(parts[0])
    reader.name()
    standard_s = -reader.time(24)
    if reader.is_over():
        return None if len(parts) > 1 else Zone(standard_s, 0, None, None)
    reader.name()
    summer_s = standard_s + _HOUR_S if reader.is_over() else -reader.time(24)
    if not reader.is_over() or len(parts) != 3:
        return None
    return Zone(standard_s, summer_s, _change(parts[1]), _change(parts[2]))


class _Reader:
    """Reads names and times, one after the other."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def is_over(self):
        return self.at == len(self.text)

    def name(self):
        """Pass a name of at least three letters, or one in <>."""
        text, start = self.text, self.at
        if text[start] == "<":
            self.at = text.find(">", start) + 1
            if self.at - start < 5:
                raise ValueError
            return
        while self.at < len(text) and text[self.at].isalpha():
            self.at += 1
        if self.at - start < 3:
            raise ValueError

    def time(self, most):
        """Return the seconds of [+-]h[:m[:s]]."""
        sign = 1
        if self.text[self.at] in "+-":
            sign = -1 if self.text[self.at] == "-" else 1
            self.at += 1
        seconds = self.number(most) * _HOUR_S
        for unit in (60, 1):
            if self.at < len(self.text) and self.text[self.at] == ":":
                self.at += 1
                seconds += self.number(59) * unit
        return sign * seconds

    def number(self, most):
        """Return the number at this place; ValueError if it is above `most`."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at].isdigit():
            self.at += 1
        value = int(self.text[start : self.at])
        if value > most:
            raise ValueError
        return value


def _change(text):
    """Return (kind, month or day, week, weekday, seconds of the day)."""
    day, slash, hours = text.partition("/")
    seconds = 2 * _HOUR_S
    if slash:
        reader = _Reader(hours)
        seconds = reader.time(167)
        if not reader.is_over():
            raise ValueError
    if day[0] == "M":
        month, week, weekday = [int(word) for word in day[1:].split(".")]
        if not (1 <= month <= 12 and 1 <= week <= 5 and 0 <= weekday <= 6):
            raise ValueError
        return "M", month, week, weekday, seconds
    kind = "J" if day[0] == "J" else "n"
    number = int(day[1:] if kind == "J" else day)
    if not (1 if kind == "J" else 0) <= number <= 365:
        raise ValueError
    return kind, number, 0, 0, seconds


def _moment(change, year):
    """Return a change in a year as seconds since 1970, in the local time that holds before the change."""
    kind, number, week, weekday, seconds = change
    if kind == "M":
        first = _days(year, number, 1)
        day = first + (weekday - (first + 4) % 7) % 7 + (week - 1) * 7  # 1 January 1970 was a Thursday
        following = _days(year + number // 12, number % 12 + 1, 1)
        while day >= following:
            day -= 7
    else:
        day = _days(year, 1, 1) + number - (1 if kind == "J" else 0)
        if kind == "J" and number >= 60 and _days(year, 3, 1) - _days(year, 2, 1) == 29:
            day += 1
    return day * _DAY_S + seconds


def _days(year, month, day):
    """Return the days since 1 January 1970."""
    if month < 3:
        year -= 1
    return year * 365 + year // 4 - year // 100 + year // 400 + _MARCH_FIRST[month - 1] + day - 1 - 719468


def _year_of(local_s):
    days = local_s // _DAY_S
    year = 1970 + days // 366
    while _days(year + 1, 1, 1) <= days:
        year += 1
    return year
