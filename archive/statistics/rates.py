"""How much was not OK, of how many, for which cause, and how many screws were OK at the first attempt.

Rules
1. Counts are exact, of any span: whole quarters of an hour from their table, results at its ends from theirs.
2. A rate's interval is Wilson's of 95 %: it is right for few results and for none that were not OK.
3. A screw is a car's results of one program, station and spindle up to the first that is OK: an OK behind one that was
   not is a screw that was repeated, one that is not OK and that nothing follows was never OK. What has no VIN, or one
   that is no car's (toolcart.archive.statistics.placeholders), belongs to no car: it is in no screw, and counted apart.
4. What to fix first are the causes by how often they occurred (Pareto). Where the statuses name none, parameters that
   came with the result may: an error, a reason, a status that does not exist.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter, which
from toolcart.archive.statistics.periods import Shifts
from toolcart.archive.statistics.placeholders import Placeholders
from toolcart.archive.statistics.statistics import PERIODS, period, sources

_OTHER = re.compile("[4-9]").fullmatch  # what a station may send beyond the text
OTHER = "other"
_STATUSES = {1: "not OK", 2: "low", 3: "high"}  # TN 5.3


def cause(torque: int | None, angle: int | None, time: int | None) -> str:
    """Return what its statuses say is wrong with a result: `torque low, angle high`; `other` if they say nothing."""
    named = (("torque", torque), ("angle", angle), ("time", time))
    parts = [f"{name} {_STATUSES.get(status, status)}" for name, status in named if status]
    return ", ".join(parts) or OTHER


# What a station reports as a rule: one thing wrong, or torque and angle.
_OF = {name: [f"{name} {_STATUSES[number]}" for number in (2, 3)] for name in ("torque", "angle")}
CAUSES = (*_OF["torque"], *_OF["angle"], *[f"{one}, {two}" for one in _OF["torque"] for two in _OF["angle"]], OTHER)


def statuses(words: str) -> tuple[int, int, int] | None:
    """Return the statuses of torque, angle and time for this cause; None if it is not a cause."""
    numbers = {"torque": 0, "angle": 0, "time": 0}
    for one in () if words == OTHER else words.split(", "):
        name, _, status = one.partition(" ")
        number = next((n for n, word in _STATUSES.items() if word == status), int(status) if _OTHER(status) else 0)
        if name not in numbers or not number:
            return None
        numbers[name] = number
    return numbers["torque"], numbers["angle"], numbers["time"]


def pareto(counts: Mapping[Hashable, int]) -> list[dict]:
    """Return what, count, share of all, and cumulative share, the most frequent first."""
    total = sum(counts.values())
    bars, so_far = [], 0
    for what, count in sorted(Counter(counts).items(), key=lambda one: (-one[1], str(one[0]))):
        so_far += count
        bars.append({"what": what, "count": count, "share": count / total, "up_to": so_far / total})
    return bars


def causes(connection: Connection, wanted: ResultFilter) -> list[dict]:
    """Return the causes of what is not OK, the most frequent first."""
    statuses = (_R.TorqueStatus, _R.AngleStatus, _R.TimeStatus)
    statement = select(*statuses, func.count()).where(*which(connection, replace(wanted, nok=True))).group_by(*statuses)
    counted: Counter = Counter()
    for *row, count in connection.execute(statement):
        counted[cause(*row)] += count
    bars = pareto(counted)
    return [with_reasons(connection, wanted, bar) for bar in bars]


REASONS_OF = 500  # results, the newest ones: each is looked up
REASONS = 3  # that are named
_REASON_IDS = (60017, 60018, 60019)  # a bolt's errors, and a customer's code for them (docs/outlets.md)
_ODD_FIELDS = 60006
_REASON_NAMES = ("%error%", "%reason%", "%fault%", "%fail%")


def with_reasons(connection: Connection, wanted: ResultFilter, bar: dict) -> dict:
    """Return a cause's bar with its reasons: of `other`, as far as they are known.

    `reasons_of`: they are counted of so many results, the newest ones; None if of all.
    """
    if bar["what"] != OTHER:
        return {**bar, "reasons": [], "reasons_of": None}
    other = replace(wanted, nok=True, statuses=(0, 0, 0))
    newest = select(_R.ResultId).where(*which(connection, other)).order_by(_R.Time.desc()).limit(REASONS_OF)
    numbers = connection.execute(newest).scalars().all()
    known = Counter(reasons(connection, numbers).values())
    several = [{"what": what, "count": count} for what, count in known.most_common(REASONS)]
    return {**bar, "reasons": several, "reasons_of": len(numbers) if len(numbers) < bar["count"] else None}


def reasons(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Return why these results were not OK, by their parameters; those that have none of the kind are left out."""
    if not numbers:
        return {}
    same, its = t.RESULT.alias(), t.RESULT_PARAMETER.c
    first = select(func.min(same.c.ResultId)).where(*[same.c[name] == _R[name] for name in t.RESULT_KEY])
    statement = select(_R.ResultId, its.ParameterId, its.Name, its.Value).where(
        _R.ResultId.in_(numbers),
        its.ResultId == first.scalar_subquery(),  # which a telegram's parameters belong to
        its.Spindle.in_((0, _R.Spindle)),
        or_(
            its.ParameterId.in_(_REASON_IDS),
            and_(its.ParameterId == _ODD_FIELDS, its.Value.like("%status%")),
            *[func.lower(its.Name).like(name) for name in _REASON_NAMES],
        ),
    )
    found: dict[int, list[str]] = {}
    for number, ident, name, value in connection.execute(statement.order_by(its.Number)):
        if value.strip(" 0"):
            found.setdefault(number, []).append(value if ident == _ODD_FIELDS else f"{name} {value}")
    return {number: ", ".join(parts) for number, parts in found.items()}


KEY = (*t.PLACE, "Program", "Tool")
NO_VIN = Placeholders()
_Z = 1.959964  # of a normal distribution, 2.5 % are beyond it
_R, _Q = t.RESULT.c, t.QUARTER.c
_SORTING = 6  # times as long as reading takes SQLite to sort by five columns
Counts = dict[tuple, tuple[int, int]]  # OK and not OK


def interval(bad: int, count: int) -> tuple[float, float]:
    """Return the ends of the interval in which the true rate is, 0 to 1; all of it for no results."""
    if not count:
        return 0.0, 1.0
    rate, square = bad / count, _Z * _Z
    middle = (rate + square / (2 * count)) / (1 + square / count)
    reach = _Z / (1 + square / count) * math.sqrt(rate * (1 - rate) / count + square / (4 * count * count))
    return (0.0 if not bad else middle - reach), (1.0 if bad == count else middle + reach)


def rate(bad: int, count: int) -> dict:
    """Return of how many, the rate of those not OK, and its interval; None for no results."""
    low, high = interval(bad, count)
    return {"of": count, "rate": bad / count if count else None, "low": low, "high": high}


def totals(connection: Connection, wanted: ResultFilter) -> Counts:
    """Return how many were OK and how many not, by KEY."""
    slot = _Q.Slot.op("||")("") if _is_for_most(connection, wanted) else _Q.Slot
    return _counts(
        connection, sources(connection, wanted, _each, slot), lambda source: [source.c[name] for name in KEY]
    )


def _is_for_most(connection: Connection, wanted: ResultFilter) -> bool:
    """True if SQLite had better read all quarters in the order of KEY than sort those of the span: it never would."""
    if wanted.station is not None or connection.dialect.name != "sqlite":
        return False
    first, last = (connection.execute(select(end(_Q.Slot))).scalar() for end in (func.min, func.max))
    ends = [_days(text or "") for text in (first, last, wanted.from_time or first, wanted.to_time or last)]
    if None in ends:
        return False
    begun, ended, since, until = (one or 0 for one in ends)
    return _SORTING * (min(until, ended) - max(since, begun)) >= ended - begun


def _days(text: str) -> int | None:
    """Return the number of the day that a time begins with, a rough one; None if it does not."""
    digits = text[:8].rstrip("a").ljust(8, "0")
    return int(digits[:4]) * 372 + int(digits[4:6]) * 31 + int(digits[6:]) if digits.isdigit() else None


def added(counts: Counts, by: Sequence[str]) -> Counts:
    """Return totals by some columns of KEY; `by` nothing: all in one."""
    sums: Counts = {}
    places = [KEY.index(name) for name in by]
    for key, (good, bad) in counts.items():
        some = tuple(key[place] for place in places)
        had = sums.get(some, (0, 0))
        sums[some] = had[0] + good, had[1] + bad
    return sums


def over_time(
    connection: Connection, wanted: ResultFilter, digits: int, shifts: Shifts = ()
) -> dict[str, tuple[int, int]]:
    """The same by the first digits of the time, and the number of the shift behind a blank."""

    by_key = _counts(
        connection, map(_by_slot, sources(connection, wanted, _each)), lambda of: [period(of, digits, shifts)]
    )
    return {key[0]: counts for key, counts in sorted(by_key.items())}


def _by_slot(source: FromClause) -> FromClause:
    """Return the sums of each slot: in their order there is nothing to sort."""
    sums = (func.sum(source.c[name]).label(name) for name in ("Good", "Bad"))
    return select(source.c.Slot, *sums).group_by(source.c.Slot).subquery()


def _counts(
    connection: Connection, several: Iterable[FromClause], keys: Callable[[FromClause], list[ColumnElement]]
) -> Counts:
    counts: Counts = {}
    for source in several:
        named = [key.label(f"k{at}") for at, key in enumerate(keys(source))]
        each = select(*named, source.c.Good, source.c.Bad).subquery().c
        columns = [each[f"k{at}"] for at in range(len(named))]
        statement = select(*columns, func.sum(each.Good), func.sum(each.Bad)).group_by(*columns)
        for row in connection.execute(statement):
            values = list(row)
            key = tuple(values[:-2])
            had = counts.get(key, (0, 0))
            counts[key] = had[0] + int(values[-2] or 0), had[1] + int(values[-1] or 0)
    return counts


def _each(*which: ColumnElement[bool]) -> Select:
    """Return the query for single results, with those columns of Quarter that are asked for here."""
    is_good, minute = _R.Overall == 0, func.substr(_R.Time, 1, 12)
    verdict = (case((is_good, 1), else_=0).label("Good"), case((is_good, 0), else_=1).label("Bad"))
    place = [_R[name] for name in (*t.PLACE, "Program")]
    return select(*place, _R.SpindleSerial.label("Tool"), minute.label("Slot"), *verdict).where(*which)


# -- first attempts ------------------------------------------------------------------------------------------------


@dataclass
class Attempts:
    """Screws: OK at the first attempt, OK after others, never; and results, OK and not, that belong to no car."""

    at_once: int = 0
    again: int = 0
    never: int = 0
    ok_without_car: int = 0
    nok_without_car: int = 0

    @property
    def screws(self) -> int:
        return self.at_once + self.again + self.never

    def as_dict(self) -> dict:
        """Return the counts, the rate of those OK at once, and its interval; None for no screws."""
        low, high = interval(self.at_once, self.screws)
        rate = self.at_once / self.screws if self.screws else None
        return {**vars(self), "screws": self.screws, "rate": rate, "low": low, "high": high}


def attempts(
    connection: Connection, wanted: ResultFilter, counts: Counts, no_car: Placeholders = NO_VIN
) -> dict[tuple, Attempts]:
    """Return the screws by station and program: (system type, system, station, program); `counts`: their totals."""
    has_no_car = _R.VIN.in_(no_car.vins)
    by = (*t.PLACE, "Program")
    by_program = {key: Attempts(at_once=good) for key, (good, _) in added(counts, by).items()}
    columns = [_R[name] for name in by]
    within = which(connection, replace(wanted, nok=True))
    following = _next(wanted.to_time).label("Next")
    nok = select(*columns, following).where(*within, ~has_no_car).subquery().c
    keys = [nok[name] for name in by]
    for *key, behind, count in connection.execute(select(*keys, nok.Next, func.count()).group_by(*keys, nok.Next)):
        entry = by_program.setdefault(tuple(key), Attempts())
        if behind is None:
            entry.never = count
        elif behind == 0:
            entry.at_once -= count
            entry.again = count
    statement = select(*columns, func.count(literal(1))).where(*within, has_no_car).group_by(*columns)
    for *key, count in connection.execute(statement):
        by_program.setdefault(tuple(key), Attempts()).nok_without_car = count
    for *key, count in connection.execute(_ok_without_car(connection, wanted, no_car)):
        entry = by_program.setdefault(tuple(key), Attempts())
        entry.ok_without_car += count
        entry.at_once -= count
    return by_program


def _ok_without_car(connection: Connection, wanted: ResultFilter, no_car: Placeholders) -> Select:
    """Return the query for how many OK results belong to no car, by station and program of each spindle.

    Each is looked up in the index of cars, which has all that is asked for in the order of time, for each of the few
    VINs that are there.
    """
    there = connection.execute(select(t.CAR.c.VIN).where(t.CAR.c.VIN.in_(no_car.vins))).scalars().all()
    *by, spindle = [t.PROGRAM.c[name] for name in (*t.PLACE, "Program", "Spindle")]
    same = [_R[column.name] == column for column in (*by, spindle)]
    within = which(connection, ResultFilter(from_time=wanted.from_time, to_time=wanted.to_time))
    here = [] if wanted.station is None else [t.is_row(t.PROGRAM, t.PLACE, wanted.station)]
    if wanted.program is not None:
        here.append(t.PROGRAM.c.Program == wanted.program)
    ok = select(func.count()).where(_R.VIN.in_(["", *there]), *same, *within, _R.Overall == 0)
    return select(*by, ok.select_from(t.RESULT).correlate(t.PROGRAM).scalar_subquery()).where(*here)


def screws_of(verdicts: Sequence[tuple[Hashable, int]]) -> Attempts:
    """Return the screws of a car: of each of its results the program, station and spindle, and whether it is not OK."""
    found, tries = Attempts(), Counter[Hashable]()
    for where, is_bad in verdicts:
        tries[where] += 1
        if not is_bad:
            found.at_once, found.again = found.at_once + (tries[where] == 1), found.again + (tries[where] > 1)
            del tries[where]
    found.never = len(tries)
    return found


def _next(until: str | None) -> ScalarSelect:
    """Return the verdict of what follows a result at its car's screw; unknown for nothing.

    Each is looked up by itself, in the index of its car, which has all that is asked for in this order.
    """
    one = t.RESULT.alias()
    same = [one.c[name] == _R[name] for name in ("VIN", *t.PLACE, "Program", "Spindle")]
    time = one.c.Time
    later = and_(time >= _R.Time, or_(time > _R.Time, one.c.ResultId > _R.ResultId))  # the first: a range of the index
    within = [time < until] if until else []
    statement = select(one.c.Overall).where(*same, later, *within).order_by(time, one.c.ResultId).limit(1)
    return statement.scalar_subquery()


def together(several: Sequence[Attempts]) -> Attempts:
    """Return all of them added."""
    return Attempts(*(sum(counts) for counts in zip(*(vars(one).values() for one in several), strict=True)))


DIGITS = {"day": PERIODS["day"][0], "week": PERIODS["day"][0], "shift": PERIODS["day"][0], "month": PERIODS["month"][0]}
