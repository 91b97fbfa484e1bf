"""What the database is asked for statistics: sums of any span of time, whole, however many results there are.

Rules
1. Quarters of an hour that lie in the span whole come from their table (toolcart.archive.database.rollups), results
   at its ends from theirs; so do those of a range of VINs.
2. Sums are grouped by the database, by the beginning of the slot: PERIODS; by shift as well.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, String, and_, case, func, null, select, true
from sqlalchemy import column as column_of
from sqlalchemy import values as table_of

from toolcart.archive.database import rollups, vehicle_numbers
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter, which
from toolcart.archive.database.rollups import QUANTITIES, VERDICTS, end_of, slot_of
from toolcart.archive.statistics import spc
from toolcart.archive.statistics.periods import Shifts, moment
from toolcart.archive.statistics.spc import Sums

_R, _Q = t.RESULT.c, t.QUARTER.c
_FILLED = "999912312359"
PERIODS = {"quarter of an hour": (12, 900), "hour": (10, 3600), "day": (8, 86400), "month": (6, 28 * 86400)}
_LIMITS = tuple(name + end for name in QUANTITIES for end in ("Low", "High"))
READ_MOST = 20_000  # results that are looked through for VINs as they are
_UNITS = tuple(f"{name}Unit" for name in QUANTITIES)


Ends = tuple[float | None, float | None]  # least and most; unknown for no values


@dataclass
class ProgramSums:
    """The results of one program in one period under one set of limits and in one unit, as the station sent them."""

    period: str
    spindle: int
    program: int
    limits: dict[str, tuple[float, float]]
    units: tuple[str, str]  # of torque and angle
    good: int
    bad: int
    sums: dict[str, Sums]
    ok: dict[str, Sums]  # of the OK ones
    bad_ends: dict[str, Ends]  # of those that are not OK

    @property
    def key(self) -> tuple:
        """Spindle, program, limits and units."""
        limits = [limit for name in QUANTITIES for limit in self.limits[name]]
        return (self.spindle, self.program, *limits, *self.units)

    def specification(self, name: str) -> tuple[float | None, float | None]:
        """Return the limits as they are meant, None for each that is none."""
        return spc.specification(*self.limits[name])

    def of(self, only_ok: bool) -> dict[str, Sums]:
        """Return the sums of all or of the OK ones."""
        return self.ok if only_ok else self.sums

    def extremes(self, name: str) -> tuple[float | None, ...]:
        """Return the least and most of the OK ones, then of the others."""
        ok = self.ok[name]
        return ok.least, ok.most, *self.bad_ends[name]

    def add(self, other: ProgramSums) -> None:
        """Add other results of the same program, period and limits."""
        self.good += other.good
        self.bad += other.bad
        for name in QUANTITIES:
            self.sums[name].add(other.sums[name])
            self.ok[name].add(other.ok[name])
            self.bad_ends[name] = _both(self.bad_ends[name], other.bad_ends[name])


def _both(one: Ends, other: Ends) -> Ends:
    least, most = one
    other_least, other_most = other
    if least is None or most is None:
        return other
    if other_least is None or other_most is None:
        return one
    return min(least, other_least), max(most, other_most)


def program_sums(connection: Connection, wanted: ResultFilter, digits: int, shifts: Shifts = ()) -> list[ProgramSums]:
    """Return the sums of each period, which is the first `digits` of the time; with shifts, each shift of it as well.

    An entry's period has the shift's number behind a blank; 0 belongs to the last one of the day before.
    """
    by_key: dict[tuple, ProgramSums] = {}
    for source in sources(connection, wanted):
        for row in connection.execute(_grouped(source, digits, shifts)):
            entry = _sums_of(row)
            had = by_key.setdefault((entry.period, *entry.key), entry)
            if had is not entry:
                had.add(entry)
    return sorted(by_key.values(), key=lambda entry: entry.period)


def merged(entries: Sequence[ProgramSums], of: Callable[[str], str]) -> list[ProgramSums]:
    """Return the same in longer periods: `of` gives the one that a period is in."""
    several: dict[tuple, ProgramSums] = {}
    for entry in entries:
        key = (of(entry.period), *entry.key)
        if key in several:
            several[key].add(entry)
            continue
        sums, ok = ({name: replace(one) for name, one in some.items()} for some in (entry.sums, entry.ok))
        several[key] = replace(entry, period=key[0], sums=sums, ok=ok, bad_ends=dict(entry.bad_ends))
    return list(several.values())


def period(source: FromClause, digits: int, shifts: Shifts) -> ColumnElement[str]:
    """Return the first digits of a slot; with shifts, the number of its shift behind a blank."""
    begin: ColumnElement[str] = func.substr(source.c.Slot, 1, digits)
    if not shifts:
        return begin
    minute = func.substr(source.c.Slot, 9, 4)
    numbered = [(minute < start, str(number)) for number, (start, _) in enumerate(shifts)]
    return begin.concat(" ").concat(case(*numbered, else_=str(len(shifts))))


def _grouped(source: FromClause, digits: int, shifts: Shifts) -> Select:
    named = select(period(source, digits, shifts).label("Period"), source).subquery().c  # a name for what is grouped by
    keys = (named.Period, named.Spindle, named.Program, *[named[name] for name in (*_LIMITS, *_UNITS)])
    columns: list[ColumnElement] = [func.sum(named.Good), func.sum(named.Bad)]
    for name in QUANTITIES:
        columns += _columns(named, name)
    return select(*keys, *[column.label(f"c{at}") for at, column in enumerate(columns)]).group_by(*keys)


def _columns(source, name: str) -> list[ColumnElement]:
    """Return a quantity's columns: sums of the OK ones and of the others; inside subgroups, what the others add."""
    measures = ("Count", "Sum", "Squares")
    good, bad = ([source[f"{verdict}{name}{measure}"] for measure in measures] for verdict in VERDICTS)
    inner, free = _within(*good)
    all_inner, all_free = _within(*[one + other for one, other in zip(good, bad, strict=True)])
    return [
        *[func.sum(column) for column in (*good, *bad, inner, free)],
        *[func.sum(case((bad[0] > 0, more), else_=null())) for more in (all_inner - inner, all_free - free)],
        *[
            how(source[f"{verdict}{name}{end}"])
            for verdict in VERDICTS
            for how, end in ((func.min, "Least"), (func.max, "Most"))
        ],
    ]


def _within(count: ColumnElement, total: ColumnElement, squares: ColumnElement) -> tuple[ColumnElement, ColumnElement]:
    """Return the squares of a subgroup's differences from its mean, and its values less one."""
    return case((count > 0, squares - total * total / count), else_=0.0), case((count > 0, count - 1), else_=0)


def _sums_of(row: Row) -> ProgramSums:
    period, spindle, program, *limits = row[:7]
    torque_unit, angle_unit, good, bad, *rest = row[7:]
    entry = ProgramSums(period, spindle, program, {}, (torque_unit, angle_unit), int(good), int(bad), {}, {}, {})
    for at, name in enumerate(QUANTITIES):
        low, _ = entry.limits[name] = limits[2 * at], limits[2 * at + 1]
        measures, origin = rest[14 * at : 14 * at + 14], rollups.origin_of(low)
        count, total, squares, *bad_sums, inner, free, more_inner, more_free = measures[:10]
        ok_ends, bad_ends = (measures[10], measures[11]), (measures[12], measures[13])
        entry.ok[name] = Sums(int(count), total, squares, *ok_ends, inner, int(free), origin)
        every = Sums(
            *(int(count + bad_sums[0]), total + bad_sums[1], squares + bad_sums[2], *_both(ok_ends, bad_ends)),
            *(inner + (more_inner or 0.0), int(free + (more_free or 0)), origin),
        )
        entry.sums[name], entry.bad_ends[name] = every, bad_ends
    return entry


def sources(
    connection: Connection,
    wanted: ResultFilter,
    summed: Callable[..., Select] = rollups.summed,
    slot: ColumnElement[str] = _Q.Slot,
) -> list[FromClause]:
    """Return what has rows as the table of quarters has them; together they are of exactly the wanted results.

    `summed` gives those of single results, by their conditions; `slot` is the column, or what no index by time fits.
    """
    if wanted.vin_from or wanted.vin_to:
        return [summed(*which(connection, wanted)).subquery()]
    first, end, rest = spans(wanted.from_time or "", wanted.to_time or "")
    ends = [summed(*which(connection, wanted, *span)).subquery() for span in rest]
    return [select(t.QUARTER).where(*_quarters(wanted, first, end, slot)).subquery(), *ends]


def _quarters(
    wanted: ResultFilter, first: str, end: str, slot: ColumnElement[str] = _Q.Slot
) -> list[ColumnElement[bool]]:
    """The conditions that a row of quarters is of the wanted results, in the slots [first, end)."""
    here = [slot >= first, slot < end]
    if wanted.station is not None:
        here.append(t.is_row(t.QUARTER, t.PLACE, wanted.station))
    units = zip((_Q.TorqueUnit, _Q.AngleUnit), wanted.units or (), strict=False)
    for column, value in ((_Q.Program, wanted.program), (_Q.Spindle, wanted.spindle), (_Q.Tool, wanted.tool), *units):
        if value is not None:
            here.append(column == value)
    return here


def spans(since: str, until: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Return the first whole slot, the end of the last one, and the spans [since, until) that are in none of these."""
    first = since.ljust(12, "0")
    last = until.rstrip("a")
    last += _FILLED[len(last) :]  # the last minute
    begun, ending = slot_of(first), slot_of(last)
    is_whole = int(last[10:12]) % 15 == 14
    rest = []
    if begun != first:
        rest.append((since, min(end_of(begun), until)))
    if not is_whole:
        rest.append((max(since, ending), until))
    if len(rest) == 2 and begun == ending:
        rest = [(since, until)]
    return first, ending + "a" if is_whole else ending, rest


def period_of(connection: Connection, wanted: ResultFilter, most: int) -> str:
    """Return the shortest period of which there are at most about `most` between the first and the last result."""
    column: ColumnElement[str] = _R.Time
    if wanted.vin_from or wanted.vin_to:
        statement = which(connection, wanted)
    else:
        column = _Q.Slot
        begun = slot_of((wanted.from_time or "").ljust(12, "0"))
        statement = _quarters(replace(wanted, tool=None), begun, wanted.to_time or "")
    ends = [
        connection.execute(select(column).where(*statement).order_by(order).limit(1)).scalar()
        for order in (column, column.desc())
    ]
    if None in ends:
        return next(iter(PERIODS))
    first, last = (datetime.min if not end[:12].isdigit() else moment(end) for end in ends if end)
    between_s = (last - first).total_seconds()
    return next((name for name, (_, seconds) in PERIODS.items() if between_s <= seconds * most), "month")


def narrowed(connection: Connection, wanted: ResultFilter) -> ResultFilter:
    """Return the same for a range of many VINs with the minutes in which they were there, as results are read by time.

    Without the VINs, if they were the only ones then: so it is where cars come in the order of their numbers.
    """
    first, last = wanted.vin_from or "", wanted.vin_to or ""
    if not (first or last) or vehicle_numbers.are_few(connection, first, last):
        return wanted
    if _count(connection, replace(wanted, vin_from=None, vin_to=None)) <= READ_MOST:
        return wanted
    its_car = vehicle_numbers.between(connection, _R.VIN, first, last)  # what follows is in the same index
    names = (*t.PLACE, "Program", "Spindle")
    values = (*(wanted.station or ()), wanted.program, wanted.spindle)
    same = [_R[name] + 0 == value for name, value in zip(names, values, strict=True)]
    time = _R.Time.op("||")("")
    span = [time >= (wanted.from_time or ""), time < (wanted.to_time or "a")]
    statement = select(func.count(), func.min(time), func.max(time)).where(its_car, *same, *span)
    count, since, until = connection.execute(statement).one()
    if not count:
        return wanted
    then = replace(wanted, from_time=since[:12], to_time=until[:12] + "a")
    every = replace(then, vin_from=None, vin_to=None)
    return every if _count(connection, every) == count and wanted.tool is None else then


def _count(connection: Connection, wanted: ResultFilter) -> int:
    counted = [select(func.sum(source.c.Good + source.c.Bad)) for source in sources(connection, wanted)]
    return sum(int(connection.execute(one).scalar() or 0) for one in counted)


# -- single results ------------------------------------------------------------------------------------------------


def values(connection: Connection, wanted: ResultFilter, name: str) -> Sequence[Row]:
    """Return number, time, verdict, value, limits, and statuses of torque, angle and time, in the order of time."""
    value = rollups.fitting(_R[name])
    statuses = (_R.TorqueStatus, _R.AngleStatus, _R.TimeStatus)
    statement = select(_R.ResultId, _R.Time, _R.Overall, value, *rollups.limits(name), *statuses)
    statement = statement.where(*which(connection, wanted))
    return connection.execute(statement.where(value.is_not(None)).order_by(_R.Time, _R.ResultId)).fetchall()


def sample(connection: Connection, wanted: ResultFilter, total: int, most: int) -> Sequence[Row]:
    """Return torque and angle of the wanted results: of all `total`, or of about `most` in quarters drawn by lot.

    The lot is the same each time. A range of VINs is looked up whole.
    """
    statement = select(*[rollups.fitting(_R[name]).label(name) for name in QUANTITIES])
    if total <= most or wanted.vin_from or wanted.vin_to:
        return connection.execute(statement.where(*which(connection, wanted))).fetchall()
    first, end, _ = spans(wanted.from_time or "", wanted.to_time or "")
    slots = connection.execute(select(_Q.Slot).where(*_quarters(wanted, first, end)).distinct().order_by(_Q.Slot))
    several = list(slots.scalars())
    drawn = random.Random(len(several)).sample(several, math.ceil(len(several) * most / total))
    if not drawn:
        return []
    lot = table_of(column_of("Since", String), column_of("Until", String), name="Lot")
    lot = lot.data([(slot, end_of(slot)) for slot in sorted(drawn)]).cte()
    here = which(connection, replace(wanted, from_time=None, to_time=None))
    its_time = and_(_R.Time >= lot.c.Since, _R.Time < lot.c.Until)
    if connection.dialect.name == "sqlite":
        return connection.execute(statement.select_from(lot.join(t.RESULT, its_time)).where(*here)).fetchall()
    # PostgreSQL would take each span for a ninth of all results, and read these: OFFSET has it look each span up.
    each = statement.where(its_time, *here).correlate(lot).offset(0).lateral()
    return connection.execute(select(each).select_from(lot.join(each, true()))).fetchall()


def bars(
    connection: Connection,
    wanted: ResultFilter,
    only_ok: bool,
    ends: Callable[[str, tuple], tuple[float, float]],
    most: int,
) -> dict[str, dict[tuple, list[int]]]:
    """Return how many values of each quantity lie in each of `most` bars, by spindle, program, limits and
    units.

    `ends` gives where the bars of a quantity begin and end for these; the outer ones have all that is beyond. Counted
    here: to tell its bar the database works out a result's limits a dozen times, which takes twice as long.
    """
    columns = [_R[name] for name in (*_LIMITS, *_UNITS, *QUANTITIES)]
    statement = select(_R.Spindle, _R.Program, *columns).where(*which(connection, wanted))
    if only_ok:
        statement = statement.where(_R.Overall == 0)
    several: dict[tuple, list[list[float]]] = {}
    at = 2 + len(_LIMITS) + len(_UNITS)
    for row in connection.execute(statement):
        of = row[:at]
        values = several.get(of)
        if values is None:
            values = several[of] = [[] for _ in QUANTITIES]
        for one, value in zip(values, row[at:], strict=True):
            if value is not None:
                one.append(value)
    counted: dict[str, dict[tuple, list[int]]] = {name: {} for name in QUANTITIES}
    for (spindle, program, *limits, torque_unit, angle_unit), values in several.items():
        each = {name: rollups.limits_of(*limits[2 * place : 2 * place + 2]) for place, name in enumerate(QUANTITIES)}
        of_both = [limit for both in each.values() for limit in both]
        key = (spindle, program, *of_both, torque_unit, angle_unit)
        for name, some in zip(QUANTITIES, values, strict=True):
            if some:
                put_in_bars(counted[name].setdefault(key, [0] * most), some, *ends(name, key))
    return counted


def put_in_bars(counts: list[int], values: Sequence[float], first: float, end: float) -> None:
    """Add each value to the bar that it is in."""
    last, width = len(counts) - 1, (end - first) / len(counts)
    for value in values:
        counts[min(max(math.floor((value - first) / width), 0), last) if width else 0] += 1
