"""The days, weeks and shifts that results belong to, by their station's clock.

Rules
1. A shift begins at a quarter of an hour: statistics are made of these (toolcart.archive.database.rollups).
2. A week is Monday to Sunday and has its ISO 8601 number.
3. A shift belongs to the day on which it begins: a night shift's work after midnight counts for the day before.
4. Shifts begin at set times and each lasts until the next one begins; there may be any number of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

Shifts = tuple[tuple[str, str], ...]  # start time, HHMM, and name; in order of time
_SHIFT = re.compile(r"([^=,]{1,20})=([01]\d|2[0-3]):?(00|15|30|45)")


def shifts_of(text: str) -> Shifts:
    """Read `early=06:00,late=14:00,night=22:00`; ValueError if it is something else."""
    matches = [_SHIFT.fullmatch(part.strip()) for part in text.split(",")]
    shifts = sorted((one[2] + one[3], one[1].strip()) for one in matches if one)
    if None in matches or len(dict(shifts)) < len(shifts) or len({name for _, name in shifts}) < len(shifts):
        raise ValueError(
            f"{text!r}: a name and a begin at a quarter of an hour for each shift: early=06:00,late=14:00,night=22:00"
        )
    return tuple(shifts)


def period_by(by: str) -> Callable[[str], str]:
    """Return what names the `day`, `week` or `month` of a time: 2026-11-21, 2026-W47, 2026-11."""
    return {"day": _day, "week": lambda time: _week_of(time[:8]), "month": lambda time: f"{time[:4]}-{time[4:6]}"}[by]


def name_of_shift(numbered: str, shifts: Shifts) -> str:
    """Return the name of a day's shift: `20261121 3` is 2026-11-21 night, `20261121 0` that of the day before."""
    day, _, number = numbered.partition(" ")
    at = int(number) - 1
    return f"{_day(day) if at >= 0 else _day_before(day)} {shifts[at][1]}"


def subgroup_by(kind: str, shifts: Shifts) -> tuple[int, Callable[[str], str]]:
    """Return of how many digits sums are asked for, for subgroups of this kind, and what gives a period's begin."""
    if kind == "week":
        return 8, lambda period: _monday_of(period[:8])
    if kind == "shift":
        return 8, lambda period: _begin_of_shift(period, shifts)
    digits = {"quarter of an hour": 12, "hour": 10, "day": 8, "month": 6}[kind]
    return digits, lambda period: period[:digits]


def ends_of(begin: str, kind: str, shifts: Shifts = ()) -> dict[str, str]:
    """Return a subgroup's first and last moment as an address has them."""
    since = _iso(begin)
    if kind in ("month", "day", "hour"):
        return {"from": since, "to": since}
    if kind == "week":
        return {"from": since, "to": (moment(begin) + timedelta(days=6)).date().isoformat()}
    if kind == "shift":
        starts = [start for start, _ in shifts]
        following = starts[(starts.index(begin[8:]) + 1) % len(starts)]
        end = moment(begin[:8] + following) + timedelta(days=following <= begin[8:], minutes=-1)
        return {"from": since, "to": end.isoformat(timespec="minutes")}
    return {"from": since, "to": f"{since[:-2]}{int(begin[10:12]) + 14}"}


def _iso(digits: str) -> str:
    day = "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)
    return day + (f"T{digits[8:10]}" if len(digits) > 8 else "") + (f":{digits[10:12]}" if len(digits) > 10 else "")


def _day(time: str) -> str:
    return f"{time[:4]}-{time[4:6]}-{time[6:8]}"


def moment(digits: str) -> datetime:
    """Return a time of 8 to 14 digits, to the minute; 29 February of a common year, as in old archives, is 1 March."""
    first = datetime(max(1, int(digits[:4])), int(digits[4:6]), 1, int(digits[8:10] or 0), int(digits[10:12] or 0))
    return first + timedelta(days=int(digits[6:8]) - 1)


@lru_cache(1000)
def _day_before(day: str) -> str:
    return (moment(day) - timedelta(days=1)).date().isoformat()


@lru_cache(1000)
def _week_of(day: str) -> str:
    year, week, _ = moment(day).isocalendar()
    return f"{year:04d}-W{week:02d}"


@lru_cache(1000)
def _monday_of(day: str) -> str:
    then = moment(day)
    return (then - timedelta(days=then.weekday())).date().isoformat().replace("-", "")


def _begin_of_shift(numbered: str, shifts: Shifts) -> str:
    day, _, number = numbered.partition(" ")
    at = int(number) - 1
    return (day if at >= 0 else _day_before(day).replace("-", "")) + shifts[at][0]
