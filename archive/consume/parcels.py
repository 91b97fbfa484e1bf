"""What the writer does with a batch in its transaction: it stores what is new, and how far the batches are stored.

Rules (docs/library/consumers.md)
1. `have` is the number that the database has for the topic and the spool's identity, 0 if none; it is read in the same
   transaction that changes it.
2. after > have: something before it did not arrive, nothing is stored. last <= have: a repeat. Else the records above
   `have` are stored and have = last. If nothing is sent again, a gap is passed over.
3. A result's sequence is its number on the circle, moved to follow what the station has brought otherwise: a gap in
   the sequences is a gap in the numbers, a new spool goes on where the old one ended, and none is used twice.
4. A tightening that is there already with the same ID, time, spindle, torque and angle, in the database or in the same
   commit, is counted as a repeat of the oldest one: it came through ToolsNet, or was fetched again after a spool was
   lost, or by an operator's retry.
5. A message that could not be read is kept as a row of Breach.
6. An event or a curve gets the system of the topic's batches, and belongs to its newest spool; without one it is left
   out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.archive.consume.batch import Batch
from toolcart.archive.consume.lines import placed
from toolcart.archive.database import bulk_insert
from toolcart.archive.database import tables as t
from toolcart.archive.storage.writer import REPEATED, STORED, ParcelContent, Station
from toolcart.toolsnet.rows import key_of, tightening_of

GAP = "gap"
_SAME = (*t.PLACE, "TighteningId", "Time", "Spindle", "Torque", "Angle")
_KEY = (t.CONSUMED.c.Topic, t.CONSUMED.c.Identity)
_PEER_MOST = 60


def decide(have: int, after: int, last: int, waits: bool = True) -> str:
    """Return what a batch is to a consumer that has this number: GAP, REPEATED or STORED."""
    if after > have and waits:
        return GAP
    return REPEATED if last <= have else STORED


def parcel_of(batch: Batch) -> dict:
    """Return the batch as the writer takes it; with the outcome, `number` becomes that of the receipt."""
    counts = dict.fromkeys(("number", "new", "known", "missing"), 0)
    return {**placed(batch.place), "topic": batch.topic, "batch": batch, **counts, "other": None}


def line_parcel(topic: str, kind: str, fields: dict) -> dict:
    """Return a single telegram as the writer takes it; with the outcome, `number` is 0 if it was left out."""
    return {**fields, "topic": topic, "kind": kind, "telegram": fields, "number": 0}


@dataclass
class _Progress:
    """How far one identity on one topic has come."""

    number: int
    base: int
    sequence: int  # of its newest result
    arrived: str
    is_new: bool = False
    places: set[Station] = field(default_factory=set)  # stations whose batches came on this topic


def open_parcels(
    connection: Connection, parcels: list[dict], latest: Callable[[Station], int], arrived: str
) -> list[ParcelContent]:
    """Return what is new in each of them; `latest` gives the sequence of a station's latest result."""
    rows = _rows(connection, {parcel["topic"] for parcel in parcels})
    ends: dict[Station, int] = {}
    opened = []
    for parcel in parcels:
        if "kind" in parcel:
            opened.append(_open_line(parcel, rows))
            continue
        batch: Batch = parcel["batch"]
        progress = rows.setdefault((batch.topic, batch.identity), _Progress(0, 0, -1, arrived, is_new=True))
        end = ends.get(batch.place, latest(batch.place))
        if progress.sequence != end:
            progress.base, progress.sequence = end - progress.number, end
        others = {place for (topic, _), one in rows.items() if topic == batch.topic for place in one.places}
        parcel["other"] = next(iter(others - {batch.place}), None)
        opened.append(_open(parcel, progress, arrived))
        if opened[-1].outcome == STORED:
            progress.places.add(batch.place)
            progress.arrived = arrived
            ends[batch.place] = progress.sequence
    _leave_known(connection, parcels, opened)
    return opened


def _rows(connection: Connection, topics: set[str]) -> dict[tuple[str, str], _Progress]:
    c = t.CONSUMED.c
    statement = select(*_KEY, c.Number, c.Base, c.Sequence, c.Arrived, c.SystemType, c.System, c.Station)
    rows = connection.execute(statement.where(c.Topic.in_(topics)))
    return {(row[0], row[1]): _Progress(*row[2:6], places={tuple(row[6:])}) for row in rows}


def _open_line(parcel: dict, rows: dict[tuple[str, str], _Progress]) -> ParcelContent:
    telegram, kind = dict(parcel["telegram"]), parcel["kind"]
    ours = [
        (progress.arrived, progress.base, place)
        for (topic, _), progress in rows.items()
        for place in progress.places
        if topic == parcel["topic"] and place[2] == telegram["station"]
    ]
    parcel["number"] = len(ours)
    if not ours:
        return ParcelContent(REPEATED)
    _, base, (system_type, system, _) = max(ours)
    telegram.update(system_type=system_type, system=system)
    parcel.update(system_type=system_type, system=system)
    if kind == "13":
        telegram["sequence"] = sequence_at(base + telegram["sequence"])
    return ParcelContent(STORED, [(kind, telegram)])


def _open(parcel: dict, progress: _Progress, arrived: str) -> ParcelContent:
    batch: Batch = parcel["batch"]
    parcel.update(new=0, known=0, missing=0)
    opened = ParcelContent(decide(progress.number, batch.after, batch.last, batch.waits))
    if opened.outcome == STORED:
        parcel["missing"] = (
            batch.last - max(progress.number, 0) - sum(number > progress.number for number, _ in batch.records)
        )
        for number, record in batch.records:
            if number <= progress.number:
                continue
            parcel["new"] += 1
            if isinstance(record, dict):
                progress.sequence = sequence_at(progress.base + number)
                opened.telegrams.append(("04", {**record, "sequence": progress.sequence}))
            else:
                breach_head = (arrived, batch.topic[-_PEER_MOST:], "", f"message {number}", None)
                opened.rows.append((t.BREACH, (*breach_head, record, "a result that can be read")))
        key = (batch.topic, batch.identity)
        if progress.is_new:
            opened.rows.append(
                (t.CONSUMED, (*key, batch.last, progress.base, progress.sequence, *batch.place, arrived))
            )
            progress.is_new = False
        place = dict(zip(t.PLACE, batch.place, strict=True))
        now = {"Number": batch.last, "Base": progress.base, "Sequence": progress.sequence, **place, "Arrived": arrived}
        opened.changes.append((t.CONSUMED, key, now))
        progress.number = batch.last
    parcel["number"] = progress.number
    return opened


def _leave_known(connection: Connection, parcels: list[dict], opened: list[ParcelContent]) -> None:
    """Take out results that are there under another sequence, and name what they repeat."""
    keys = [key for one in opened for kind, fields in one.telegrams if kind == "04" and (key := _same_key(fields))]
    first = {key: _oldest(connection, key) for key in bulk_insert.known_keys(connection, t.RESULT, _SAME, keys)}
    for parcel, one in zip(parcels, opened, strict=True):
        new = []
        for kind, fields in one.telegrams:
            key = _same_key(fields) if kind == "04" else None
            if key is not None and key in first:
                parcel["known"] += 1
                parcel["new"] -= 1
                one.again.append(first[key])
                continue
            if key is not None:
                first[key] = key_of(fields)
            new.append((kind, fields))
        one.telegrams = new


def _oldest(connection: Connection, same: tuple) -> tuple:
    """Return the key of the oldest result of this tightening."""
    columns = [t.RESULT.c[name] for name in t.RESULT_KEY]
    statement = select(*columns).where(t.is_row(t.RESULT, _SAME, same)).order_by(t.RESULT.c.ResultId).limit(1)
    return tuple(connection.execute(statement).one())


def _same_key(result: dict) -> tuple | None:
    """Return what tells a tightening from all others of its station; None if it has no ID."""
    first = result["spindles"][0]
    ident, torque, angle = tightening_of(result)
    if not ident or torque is None or angle is None:
        return None
    station = (result["system_type"], result["system"], result["station"])
    return (*station, ident, result["time"], first["spindle"], torque, angle)
