"""Results in sums, a row for each quarter of an hour: statistics over any span are made of these, and exact.

    rows_of(rows of Result) -> rows of Quarter       what the writer adds in the transaction that stores the results
    summed(which)                                    the same from the stored results, by SQL
    add, again                                       keep the table equal to the results

Rules
1. A row is a station's program, spindle, tool, set of limits and units in one quarter of an hour of the station's
   clock. Sums are additive, so the order of arrival does not matter, nor which server stores.
2. Limits are kept as they came, 0 for one that is unknown; what they mean is the statistics' rule (spc.specification).
   Values are summed as differences from the lower one, which lies near them: squares of these lose no digits. One from
   FAR on may stand for none: then they are summed as they are, as they are without limits. A difference too small to
   be squared, which PostgreSQL refuses, is 0.
3. Where results are deleted, their quarters are summed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.sql.functions import coalesce

from toolcart.archive.database import bulk_insert
from toolcart.archive.database import tables as t

QUANTITIES = ("Torque", "Angle")
VERDICTS = ("Good", "Bad")  # OK, not OK
KEY = tuple(t.QUARTER.primary_key.columns.keys())
MEASURES = tuple(t.QUARTER.columns.keys())[len(KEY) :]
_R, _Q = t.RESULT.c, t.QUARTER.c
_AT = {name: at for at, name in enumerate(bulk_insert.columns(t.RESULT))}
_LEAST, _MOST = "Least", "Most"
_SMALL = 1e-100
FAR = 999.0

_PLACE = KEY[:5]  # all of it but the slot
Place = tuple[int, int, int, int, int, str]  # system type, system, station, program, spindle, slot


def slot_of(time: str) -> str:
    """Return the begin of the quarter of an hour that 14 digits are in, as 12 digits."""
    minute = time[10:12]
    return time[:10] + ("00" if minute < "15" else "15" if minute < "30" else "30" if minute < "45" else "45")


def limits_of(low: float | None, high: float | None) -> tuple[float, float]:
    """Return the limits as they came, 0 for one that is unknown."""
    return low or 0.0, high or 0.0


def origin_of(low: float) -> float:
    """Return what values with this lower limit are summed as differences from."""
    return low if abs(low) < FAR else 0.0


def rows_of(results: Iterable[tuple]) -> list[tuple]:
    """Return the sums of some rows of Result."""
    sums: dict[tuple, list] = {}
    for row in results:
        torque_limits = limits_of(row[_AT["TorqueLow"]], row[_AT["TorqueHigh"]])
        angle_limits = limits_of(row[_AT["AngleLow"]], row[_AT["AngleHigh"]])
        place = _place_of(row)
        units = row[_AT["TorqueUnit"]], row[_AT["AngleUnit"]]
        key = (*place, row[_AT["SpindleSerial"]], *torque_limits, *angle_limits, *units)
        one = sums.setdefault(key, [0, 0, *4 * (0, 0.0, 0.0, None, None)])
        bad = int(row[_AT["Overall"]] != 0)
        one[bad] += 1
        for number, (low, _) in enumerate((torque_limits, angle_limits)):
            value = row[_AT[QUANTITIES[number]]]
            if value is not None:
                apart = value - origin_of(low)
                _count(one, 2 + 10 * number + 5 * bad, value, 0.0 if abs(apart) < _SMALL else apart)
    return [(*key, *one) for key, one in sums.items()]


def _count(one: list, at: int, value: float, apart: float) -> None:
    one[at] += 1
    one[at + 1] += apart
    one[at + 2] += apart * apart
    one[at + 3] = value if one[at + 3] is None else min(one[at + 3], value)
    one[at + 4] = value if one[at + 4] is None else max(one[at + 4], value)


def _place_of(row: tuple) -> Place:
    return (*(row[_AT[name]] for name in _PLACE), slot_of(row[_AT["Time"]]))


def add(connection: Connection, results: list[tuple]) -> None:
    """Add some rows of Result, which are stored in the same transaction."""
    bulk_insert.insert(connection, t.QUARTER, rows_of(results), _MERGING)


_MERGED = {name: "least" if name.endswith(_LEAST) else "most" if name.endswith(_MOST) else "sum" for name in MEASURES}
_MERGING = bulk_insert.merging(t.QUARTER, _MERGED)


# -- by SQL --------------------------------------------------------------------------------------------------------


def _slot() -> ColumnElement[str]:
    minute = func.substr(_R.Time, 11, 2)
    quarter = case((minute < "15", "00"), (minute < "30", "15"), (minute < "45", "30"), else_="45")
    return func.substr(_R.Time, 1, 10).concat(quarter)


def _measures() -> dict[str, ColumnElement]:
    """Return the columns of a row of Result that are summed; those of the other verdict are unknown, or 0."""
    measures: dict[str, ColumnElement] = {verdict: case((_is(verdict), 1), else_=0) for verdict in VERDICTS}
    for name in QUANTITIES:
        low, _ = limits(name)
        origin = case((func.abs(low) < FAR, low), else_=0.0)
        for verdict in VERDICTS:
            value = case((_is(verdict), fitting(_R[name])), else_=null())
            exact = value - origin
            apart = case((func.abs(exact) < _SMALL, 0.0), else_=exact)
            what = f"{verdict}{name}"
            measures[f"{what}Count"] = case((value.is_not(None), 1), else_=0)
            measures[f"{what}Sum"], measures[f"{what}Squares"] = coalesce(apart, 0.0), coalesce(apart * apart, 0.0)
            measures[what + _LEAST] = measures[what + _MOST] = value
    return measures


def fitting(column: ColumnElement) -> ColumnElement[float]:
    """Return the column; unknown where a damaged disk has put what is no number."""
    return case((column.between(-t.REAL_MOST, t.REAL_MOST), column), else_=null())


def _is(verdict: str) -> ColumnElement[bool]:
    return _R.Overall == 0 if verdict == "Good" else _R.Overall != 0


def limits(name: str) -> tuple[ColumnElement[float], ColumnElement[float]]:
    """Return the columns of a result's limits as they came, 0 for one that is unknown."""
    return coalesce(fitting(_R[f"{name}Low"]), 0.0), coalesce(fitting(_R[f"{name}High"]), 0.0)


def summed(*which: ColumnElement[bool]) -> Select:
    """Return the query for the sums of stored results, with the columns of Quarter."""
    place = [_R[name].label(name) for name in _PLACE]
    keys = [*place, _slot().label("Slot"), _R.SpindleSerial.label("Tool")]
    for name in QUANTITIES:
        keys += [limit.label(name + end) for limit, end in zip(limits(name), ("Low", "High"), strict=True)]
    keys += [_R.TorqueUnit, _R.AngleUnit]
    measures = [column.label(name) for name, column in _measures().items()]
    one = select(*keys, *measures).where(*which).subquery().c
    how: dict[str, Callable[..., ColumnElement]] = {"sum": func.sum, "least": func.min, "most": func.max}
    return select(
        *[one[name] for name in KEY], *[how[_MERGED[name]](one[name]).label(name) for name in MEASURES]
    ).group_by(*[one[name] for name in KEY])


def again(connection: Connection, places: Iterable[Place]) -> None:
    """Sum these quarters again: some of their results are deleted."""
    several = sorted(set(places))
    if several:
        given = [{**dict(zip(_GIVEN, place, strict=True)), _END: end_of(place[-1])} for place in several]
        deletion, summing = _again()
        connection.execute(deletion, given)
        connection.execute(summing, given)


_GIVEN = tuple(f"of_{name}" for name in KEY[:6])  # the names of a place's parts in these statements
_END = "of_end"


@cache
def _again() -> tuple[Delete, Insert]:
    """Return what deletes a quarter, and sums it again; building one takes longer than the database does for it."""
    *station, program, spindle, slot = (bindparam(name) for name in _GIVEN)
    here = t.is_row(t.RESULT, (*t.PLACE, "Spindle"), (*station, spindle))
    of_quarter = (here, _R.Program + 0 == program, _R.Time >= slot, _R.Time < bindparam(_END))
    deletion = delete(t.QUARTER).where(t.is_row(t.QUARTER, KEY, (*station, program, spindle, slot)))
    return deletion, insert(t.QUARTER).from_select((*KEY, *MEASURES), summed(*of_quarter))


def end_of(slot: str) -> str:
    """Return the end of a quarter as text that sorts behind all of its times and before all later ones."""
    return f"{slot[:10]}{int(slot[10:12]) + 15}"


def places_where(connection: Connection, *which: ColumnElement[bool]) -> set[Place]:
    """Return the quarters of stored results."""
    statement = select(*[_R[name] for name in _PLACE], _slot()).where(*which).distinct()
    return {(row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(statement)}


def places_of(results: Iterable[dict]) -> set[Place]:
    """Return the quarters of some results, given as dicts by column."""
    return {(*(row[name] for name in _PLACE), slot_of(row["Time"])) for row in results}
