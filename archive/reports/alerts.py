"""What people should hear of, sent to them: a silent station, too many not OK, a wrong clock.

Rules
1. A cause is reported when it begins and when it is over. It must be clearly over: the share of NOK below half the
   limit, a clock within half of what it may be off.
2. A station's clock is judged by the results that arrived soonest after their time: results delayed on their way cause
   no alert as long as one of the last DRIFT_OF was not delayed. Stations have this machine's time zone.
3. A message is bounded: CAUSES_MOST causes, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from toolcart.archive.database import tables as t
from toolcart.toolsnet.rows import moment

DRIFT_OF = 20
OLD_S = 3600.0  # results that arrived earlier say nothing about now
CAUSES_MOST = 50
_DIGITS = "%Y%m%d%H%M%S"


@dataclass(frozen=True)
class Limits:
    """Limits; None: not watched."""

    silent_s: float | None = 600.0
    nok_percent: float | None = None
    nok_of: int = 100  # how many of a station's newest results
    drift_s: float | None = 120.0


def causes(connection: Connection, limits: Limits, reported: Collection[str], now: datetime) -> dict[str, str]:
    """Return each current cause with a sentence; `reported` are those reported and not yet over."""
    active = {}
    stations = select(*t.STATION.primary_key.columns, t.STATION.c.Name, t.STATION.c.Heard)
    stations = stations.where(t.STATION.c.Watched == t.WATCHED)
    for *key, name, heard_at in connection.execute(stations).fetchall():
        place = "/".join(map(str, key))
        who = f"{name} ({place})"
        if silence := _silence(heard_at, limits, now):
            active[f"silent {place}"] = f"{who}: silent since {silence}"
        rows = _newest(connection, key, max(limits.nok_of, DRIFT_OF), now)
        if sentence := _too_many(rows, limits, f"nok {place}" in reported):
            active[f"nok {place}"] = f"{who}: {sentence}"
        if sentence := _drift(rows, limits, f"clock {place}" in reported):
            active[f"clock {place}"] = f"{who}: {sentence}"
    return active


def message(now: Mapping[str, str], reported: Mapping[str, str]) -> tuple[str, str] | None:
    """Return subject and text of what has begun or is over since `reported`; None if nothing has changed."""
    new = [text for cause, text in now.items() if cause not in reported]
    over = [f"over: {text}" for cause, text in reported.items() if cause not in now]
    lines = new + over
    if not lines:
        return None
    subject = (
        f"toolcart archive: {lines[0]}" if len(lines) == 1 else f"toolcart archive: {len(new)} new, {len(over)} over"
    )
    more = [f"and {len(lines) - CAUSES_MOST} more"] if len(lines) > CAUSES_MOST else []
    return subject, "\n".join([*lines[:CAUSES_MOST], *more])


def _silence(heard_at: str, limits: Limits, now: datetime) -> str | None:
    then = moment(heard_at)
    if then is None or limits.silent_s is None:
        return None
    silence = abs(now - then.replace(tzinfo=UTC))  # one that will be heard spoke last before the clock was set back
    if silence <= timedelta(seconds=limits.silent_s):
        return None
    return f"{then:%Y-%m-%d %H:%M} UTC"


def _newest(connection: Connection, key: list[int], most: int, now: datetime) -> list[tuple]:
    """Return verdict, station's time and arrival of the newest results that arrived within OLD_S."""
    r = t.RESULT.c
    since = (now - timedelta(seconds=OLD_S)).strftime(_DIGITS)
    statement = select(r.Overall, r.Time, r.Arrived).where(t.is_row(t.RESULT, t.RESULT_KEY, key), r.Arrived >= since)
    return [tuple(row) for row in connection.execute(statement.order_by(r.Time.desc()).limit(most))]


def _too_many(rows: list[tuple], limits: Limits, was_reported: bool) -> str | None:
    some = rows[: limits.nok_of]
    if limits.nok_percent is None or len(some) < limits.nok_of:
        return None
    percent = 100 * sum(row[0] for row in some) / len(some)
    if percent <= (limits.nok_percent / 2 if was_reported else limits.nok_percent):
        return None
    return f"{percent:.1f} % of the last {len(some)} results are not OK"


def _drift(rows: list[tuple], limits: Limits, was_reported: bool) -> str | None:
    pairs = [(moment(arrived), moment(time)) for _, time, arrived in rows[:DRIFT_OF]]
    late = [(a.replace(tzinfo=UTC).astimezone().replace(tzinfo=None) - b).total_seconds() for a, b in pairs if a and b]
    if not late or limits.drift_s is None:
        return None
    off = min(late)
    if abs(off) <= (limits.drift_s / 2 if was_reported else limits.drift_s):
        return None
    return f"its clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead'}, or its results come so late"
