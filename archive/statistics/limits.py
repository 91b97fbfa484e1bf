"""Control limits of a program's charts: chosen from a reference period, and kept with who set them, when and why.

Rules
1. Limits hold from their begin on, a phase, until the next ones begin (ISO 7870-2: limits from a period in which the
   process was under control, not from what they judge). Where none hold, a chart is measured by what it shows.
2. What was set stays known: later limits with the same begin take the place of the earlier ones, and limits can be
   withdrawn. Each change is in the audit.
3. The mean and the deviation within subgroups are kept as numbers: results that are moved out do not change these. How
   much subgroups differ depends on their kind, and is that of the reference period as the archive has it
   (toolcart.archive.statistics.control_charts).
4. Limits are of one unit, and measure what is in that. A reference period with results in several has limits for each.
5. Limits are of OK results, as charts are. An earlier version had limits of all results too: these are not in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from toolcart.archive.database import audit
from toolcart.archive.database import tables as t
from toolcart.archive.database.queries import ResultFilter, dicts
from toolcart.archive.database.rollups import QUANTITIES, slot_of
from toolcart.archive.statistics import spc, statistics
from toolcart.archive.statistics.spc import Level
from toolcart.toolsnet import rows

NOTE_MOST = 500
_C = t.CONTROL_LIMITS.c
_OF = (*t.PLACE, "Program", "Spindle")


class TooFewValues(Exception):
    """The reference period has too few values for limits."""


@dataclass(frozen=True)
class Phase:
    """What charts are measured by from `begins` on, 12 digits of the station's clock."""

    number: int
    begins: str
    level: Level
    since: str = ""  # its reference period, 12 digits; the last minute is `until`
    until: str = ""


def phases(connection: Connection, wanted: ResultFilter, units: tuple[str, str]) -> dict[str, list[Phase]]:
    """Return the phases of a program's torque and angle in these units, in order of their begin."""
    by_quantity: dict[str, dict[str, Phase]] = {name: {} for name in QUANTITIES}
    shown = set(zip(QUANTITIES, units, strict=True))
    for row in kept(connection, wanted)[::-1]:
        if row["OnlyOK"] and not row["Withdrawn"] and (row["Quantity"], row["Unit"]) in shown:
            level = Level(row["Mean"], row["Within"])
            phase = Phase(row["ControlLimitsId"], row["Begins"], level, row["Since"], row["Until"])
            by_quantity[row["Quantity"]][row["Begins"]] = phase
    return {name: [several[begins] for begins in sorted(several)] for name, several in by_quantity.items()}


def kept(connection: Connection, wanted: ResultFilter) -> list[dict]:
    """Return all limits that were ever set for this program and spindle, newest first."""
    here = t.is_row(t.CONTROL_LIMITS, _OF, (*(wanted.station or ()), wanted.program, wanted.spindle))
    statement = select(t.CONTROL_LIMITS).where(here).order_by(_C.ControlLimitsId.desc())
    return dicts(connection, statement)


def put(connection: Connection, reference: ResultFilter, begins: str, who: str, note: str) -> list[tuple[str, Level]]:
    """Set limits of torque and angle from what `reference` names; return those set.

    TooFewValues if neither has enough.
    """
    digits = statistics.PERIODS["day"][0]
    entries = statistics.program_sums(connection, replace(reference, tool=None, vin_from=None, vin_to=None), digits)
    levels = []
    of = sorted({(at, entry.units[at]) for entry in entries for at in range(len(QUANTITIES))})
    for at, unit in of:
        name = QUANTITIES[at]
        sums = spc.together(entry.ok[name] for entry in entries if entry.units[at] == unit)
        level = spc.level_of(sums)
        if level is None or not level.within:
            continue
        values = {
            **dict(zip(_OF, (*(reference.station or ()), reference.program, reference.spindle), strict=True)),
            "Quantity": name,
            "Unit": unit,
            "Begins": slot_of(begins.ljust(12, "0")),
            "Since": reference.from_time,
            "Until": (reference.to_time or "").rstrip("a"),
            "OnlyOK": 1,
            "Count": sums.count,
            "Mean": level.mean,
            "Within": level.within,
            "Who": who,
            "Arrived": rows.now_text(),
            "Note": note[:NOTE_MOST],
        }
        connection.execute(insert(t.CONTROL_LIMITS).values(**values))
        audit.note(connection, f"control limits of {_named(values)}: {_levels_text(values)}", who)
        levels.append((name, level))
    if not levels:
        raise TooFewValues(
            f"Limits need {spc.ENOUGH} OK values that are not all the same, and a quarter of an hour with two."
        )
    return levels


def withdraw(connection: Connection, number: int, who: str) -> bool:
    """Take limits out of use; False if there are none of this number, or they are withdrawn already."""
    there = _C.ControlLimitsId == number
    row = connection.execute(select(t.CONTROL_LIMITS).where(there)).mappings().first()
    if row is None or row["Withdrawn"]:
        return False
    connection.execute(update(t.CONTROL_LIMITS).where(there).values(Withdrawn=rows.now_text()))
    audit.note(connection, f"control limits of {_named(dict(row))} withdrawn", who)
    return True


def segments(phases: Sequence[Phase], periods: Sequence[str]) -> list[tuple[int, int, Phase | None]]:
    """Return the phase of each stretch of subgroups: first, one past the last, None in front of all phases.

    A subgroup in which a phase begins is still measured by what held before.
    """
    parts: list[tuple[int, int, Phase | None]] = []
    for at, period in enumerate(periods):
        begun = [phase for phase in phases if phase.begins <= period.ljust(12, "0")]
        phase = begun[-1] if begun else None
        if parts and parts[-1][2] is phase:
            parts[-1] = (parts[-1][0], at + 1, phase)
        else:
            parts.append((at, at + 1, phase))
    return parts


def _named(values: dict) -> str:
    station = "/".join(str(values[name]) for name in _OF[:3])
    where = f"station {station} program {values['Program']} spindle {values['Spindle']} {values['Quantity'].lower()}"
    return f"{where} from {values['Begins']} on"


def _levels_text(values: dict) -> str:
    of = f"{values['Count']} OK results of {values['Since']} to {values['Until']}"
    unit = values["Unit"]
    figures = f"mean {values['Mean']:.5g} {unit}, s within {values['Within']:.5g} {unit}"
    return f"{figures} of {of}. {values['Note']}".strip()
