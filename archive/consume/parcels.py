"""What the writer does with a batch in its transaction: it stores what is new, and how far the batches are stored.

Rules (docs/library/consumers.md)
1. `have` is the number that the database has for the topic and the spool's identity, 0 if none; it is read in the same
   transaction that changes it.
2. after > have: something before it did not arrive, nothing is stored. last <= have: a repeat. Else the records above
   `have` are stored and have = last. If nothing is sent again, a gap is passed over.
3. A result's Number is its number in the batch, moved to follow what the station has brought in batches otherwise: a
   gap in the Numbers is a gap in the batches, a new spool goes on where the old one ended, and none is used twice.
4. Whether a tightening is there already is decided by toolcart.archive.storage.stored_results. One that has come in a
   batch before, as one that was fetched again after a spool was lost, or an operator's retry, leaves no gap.
5. A message that could not be read, or a line that cannot be stored under its name, is kept as a row of Breach.
6. An event or a curve gets the system of the topic's batches, and belongs to its newest spool; without one it is left
   out. A curve belongs to the tightening with its ID and time, under whatever name that is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, tuple_

from toolcart.archive.consume.batch import Batch
from toolcart.archive.consume.lines import placed
from toolcart.archive.database import tables as t
from toolcart.archive.storage.stored_results import AGAIN, NEW, StoredResults, row_of, sequence_of_number
from toolcart.archive.storage.writer import REPEATED, STORED, ParcelContent, Station

GAP = "gap"
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
    return {**placed(batch.place), "topic": batch.topic, "batch": batch, **counts, "other": None, "unread": []}


def line_parcel(topic: str, kind: str, fields: dict, ident: int | None = None) -> dict:
    """Return a single telegram as the writer takes it; with the outcome, `number` is 0 if it was left out.

    `ident` is the tightening ID that a curve belongs to.
    """
    return {**fields, "topic": topic, "kind": kind, "telegram": fields, "ident": ident, "number": 0}


@dataclass
class _Progress:
    """How far one identity on one topic has come."""

    number: int
    base: int
    newest: int  # Number of its newest result
    arrived: str
    is_new: bool = False
    places: set[Station] = field(default_factory=set)  # stations whose batches came on this topic


class Parcels:
    """The parcels of a commit, which are opened one after the other in the order of arrival."""

    def __init__(self, connection: Connection, parcels: list[dict], arrived: str) -> None:
        self._arrived = arrived
        self._rows = _rows(connection, {parcel["topic"] for parcel in parcels})
        self._batches: list[Batch] = [parcel["batch"] for parcel in parcels if "batch" in parcel]
        self._ends = _ends(connection, {batch.place for batch in self._batches})  # Number of a station's newest result

    def lines(self) -> list[dict]:
        """Return all results that they may bring."""
        lines = []
        for batch in self._batches:
            progress = self._rows.get((batch.topic, batch.identity))
            have = progress.number if progress is not None else 0
            lines += [record for number, record in batch.records if number > have and isinstance(record, dict)]
        return lines

    def stations(self) -> set[Station]:
        """Return whose results they are."""
        return {batch.place for batch in self._batches}

    def open(self, parcel: dict, stored: StoredResults) -> ParcelContent:
        """Return what is new in one."""
        return self._open_line(parcel, stored) if "kind" in parcel else self._open_batch(parcel, stored)

    def _open_batch(self, parcel: dict, stored: StoredResults) -> ParcelContent:
        batch: Batch = parcel["batch"]
        key = (batch.topic, batch.identity)
        progress = self._rows.setdefault(key, _Progress(0, 0, -1, self._arrived, is_new=True))
        others = {place for (topic, _), one in self._rows.items() if topic == batch.topic for place in one.places}
        parcel.update(new=0, known=0, missing=0, unread=[], other=next(iter(others - {batch.place}), None))
        opened = ParcelContent(decide(progress.number, batch.after, batch.last, batch.waits))
        if opened.outcome == STORED:
            end = self._ends.get(batch.place, 0)
            if progress.newest != end:
                progress.base, progress.newest = end - progress.number, end
            self._open_records(parcel, progress, stored, opened)
            self._ends[batch.place] = progress.newest
            progress.number = batch.last
            progress.arrived = self._arrived
            progress.places.add(batch.place)
            place = dict(zip(t.PLACE, batch.place, strict=True))
            now = {"Number": progress.number, "Base": progress.base, "Sequence": progress.newest, **place}
            if progress.is_new:
                opened.rows.append((t.CONSUMED, (*key, *now.values(), self._arrived)))
                progress.is_new = False
            opened.changes.append((t.CONSUMED, key, {**now, "Arrived": self._arrived}))
        parcel["number"] = progress.number
        return opened

    def _open_records(self, parcel: dict, progress: _Progress, stored: StoredResults, opened: ParcelContent) -> None:
        batch: Batch = parcel["batch"]
        new = [(number, record) for number, record in batch.records if number > progress.number]
        parcel["missing"] = batch.last - max(progress.number, 0) - len(new)
        compared = {number: row_of(record) for number, record in new if isinstance(record, dict)}
        stored.expect([(row, progress.base + number) for number, row in compared.items()])
        for number, record in new:
            parcel["unread"] += record["breaches"] if isinstance(record, dict) else ()
            if not isinstance(record, dict):
                parcel["new"] += 1
                breach_head = (self._arrived, batch.topic[-_PEER_MOST:], "", f"message {number}", None)
                opened.rows.append((t.BREACH, (*breach_head, record, "a result that can be read")))
                continue
            how, one = stored.line(compared[number], progress.base + number)
            had = one.number or 0
            if how == AGAIN and had < progress.base + number:  # it leaves no gap
                progress.base -= 1
                opened.again += 1
                parcel["known"] += 1
                continue
            progress.base, progress.newest = had - number, had
            opened.again += how == AGAIN
            parcel["new" if how == NEW else "known"] += 1
            if how == NEW:
                opened.telegrams.append(("04", {**record, "sequence": sequence_of_number(had), "number": had}))

    def _open_line(self, parcel: dict, stored: StoredResults) -> ParcelContent:
        telegram, kind = dict(parcel["telegram"]), parcel["kind"]
        ours = [
            (progress.arrived, progress.base, place)
            for (topic, _), progress in self._rows.items()
            for place in progress.places
            if topic == parcel["topic"] and place[2] == telegram["station"]
        ]
        parcel["number"] = len(ours)
        if not ours:
            return ParcelContent(REPEATED)
        _, base, place = max(ours)
        telegram.update(placed(place))
        parcel.update(placed(place))
        if kind == "09":
            telegram["sequence"] = sequence_of_number(telegram["sequence"])
        else:
            sequence = stored.sequence_of(place, telegram["time"], parcel["ident"])
            by_number = sequence_of_number(base + telegram["sequence"])
            telegram["sequence"] = by_number if sequence is None else sequence
        return ParcelContent(STORED, [(kind, telegram)])


def _rows(connection: Connection, topics: set[str]) -> dict[tuple[str, str], _Progress]:
    c = t.CONSUMED.c
    statement = select(*_KEY, c.Number, c.Base, c.Sequence, c.Arrived, c.SystemType, c.System, c.Station)
    rows = connection.execute(statement.where(c.Topic.in_(topics)))
    return {(row[0], row[1]): _Progress(*row[2:6], places={tuple(row[6:])}) for row in rows}


def _ends(connection: Connection, stations: set[Station]) -> dict[Station, int]:
    columns = [t.CONSUMED.c[name] for name in t.PLACE]
    statement = select(*columns, func.max(t.CONSUMED.c.Sequence)).where(tuple_(*columns).in_(list(stations)))
    return {tuple(row[:3]): row[3] for row in connection.execute(statement.group_by(*columns))}
