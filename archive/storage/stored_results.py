"""Which results are stored already: the one place that decides it, for telegrams, batches and imports.

A result has two names: the sequence of its telegram 04, and the number of its line in a batch (the column Number). Its
row has both once it has come both ways.

Rules
1. The column Sequence is the telegram's. A result that came in batches alone has its number there, below zero; one
   whose sequence and time another result has already, a multiple of SEQUENCE_SPAN more. So no name that is given here
   is one of ToolsNet's, and nothing is lost to another result's name.
2. A telegram is a repeat of the row with its sequence and time, if that has the same content. Else, if a result of the
   same content came in batches alone, it is that one's first telegram, and the row gets the sequence. Else it is new.
3. A line belongs to the oldest result of the same content that has no number yet, which gets its number. Else it is a
   repeat if there is one with its tightening ID; else it is new.
4. The content is the tightening ID, the first spindle, and its torque and angle, cut to a telegram's decimals. One that
   is unknown counts as 0: that is what a telegram has where a line has none. A copy that does not say the ID (a setting
   may leave it out of telegrams) agrees with each; a row has the ID as soon as one of its copies says it, and from
   then on no other one's. What says an ID belongs to a row with that ID before one without. So of several that differ
   in nothing but an ID that only one way says, copies are paired in the order in which they came each way, and there
   are as many rows as results.
5. All of a commit is decided in order of arrival, by what the database had and what was decided before it in the
   commit. What the database had is read in the same transaction, which no other writer's overlaps
   (toolcart.archive.storage.known_state).
6. Of what an older version stored it is not known which way it came (number 0): where batches come, its content counts
   for both, and its sequence stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, select, update

from toolcart.archive.database import bulk_insert
from toolcart.archive.database import tables as t
from toolcart.archive.database.tables import Station
from toolcart.toolsnet.layouts import REAL_MOST
from toolcart.toolsnet.rows import tightening_of

NEW, AGAIN, ALSO = "new", "again", "also"  # ALSO: it was there, and comes this way for the first time
_NUMBERS = 2**31 - 1  # as many as the column Sequence has below zero
_TORQUE_UNIT, _ANGLE_UNIT = 100, 10  # of a telegram's last decimal
_CUT = 1e-6  # less than this is the binary form's
_PLACE_TIME = (*t.PLACE, "Time")
_MEASURED = ("Torque", "Angle")
_CONTENT = (*_PLACE_TIME, "TighteningId", "Spindle", *_MEASURED)
_ALIKE = (
    'AND abs(coalesce(had."Torque", 0) - new."Torque") < 0.011 AND abs(coalesce(had."Angle", 0) - new."Angle") < 0.11'
)
_UNSAID = f'{_ALIKE} AND had."TighteningId" IS NULL'
_COLUMNS = ("ResultId", *_CONTENT, "Sequence", "Number")
_COMPARED = select(*[t.RESULT.c[name] for name in _COLUMNS])

Moment = tuple[int, int, int, str]  # a station's second
Content = tuple[int, int, int]


@dataclass(eq=False)
class StoredResult:
    """A result of the database, or of this commit."""

    moment: Moment
    age: float  # its first row; one of this commit comes behind all
    sequence: int
    number: int | None
    ident: int | None  # the tightening ID; None if no copy says it
    spindles: dict[int, Content]  # contents, by spindle
    written_as: int  # its sequence in the database when the commit's rows are in
    written_number: int | None
    written_ident: int | None
    more: int = 0  # arrivals

    def has(self, content: Content) -> bool:
        """True if it has this content."""
        return self.spindles.get(content[0]) == content

    def may_be(self, ident: int | None) -> bool:
        """True if no two copies say different IDs."""
        return self.ident is None or ident is None or self.ident == ident


def sequence_of_number(number: int) -> int:
    """Return what the column Sequence has for a result that came in batches alone."""
    return -((number - 1) % _NUMBERS + 1)


def content_of(row: dict) -> Content:
    """Return what tells a tightening from others of its station and second, beside its ID."""
    return (row["Spindle"], _cut(row["Torque"], _TORQUE_UNIT), _cut(row["Angle"], _ANGLE_UNIT))


def row_of(fields: dict) -> dict:
    """Return the columns that are compared, of a telegram 04 or a batch's line."""
    ident, torque, angle = tightening_of(fields)
    row = {
        "SystemType": fields["system_type"],
        "System": fields["system"],
        "Station": fields["station"],
        "Time": fields["time"],
        "TighteningId": ident,
        "Spindle": fields["spindles"][0]["spindle"],
        "Torque": torque,
        "Angle": angle,
    }
    if "sequence" in fields:
        row["Sequence"] = fields["sequence"]
    return row


def like(connection: Connection, rows: Iterable[dict]) -> list[dict]:
    """Return the rows of the database that have the station, the time and about the content of one of these."""
    names = _CONTENT
    keys = [tuple((row[name] or 0) if name in _MEASURED else row[name] for name in names) for row in rows]
    with_id, without = [key for key in keys if key[4] is not None], [key for key in keys if key[4] is None]
    same = (*_PLACE_TIME, "Spindle")
    found = set()
    for columns, some, more in ((names[:6], with_id, _ALIKE), (same, with_id, _UNSAID), (same, without, _ALIKE)):
        found.update(bulk_insert.matching(connection, t.RESULT, _COLUMNS, names, columns, some, more))
    return [dict(zip(_COLUMNS, row, strict=True)) for row in sorted(found, key=lambda row: row[0])]


class StoredResults:
    """What a commit has to know of results; `rows` has the columns of all that it brings (`row_of`).

    `stations` are those of its batches, beside those that the database has from others.
    """

    def __init__(self, connection: Connection, rows: list[dict], stations: Iterable[Station] = ()) -> None:
        self._connection = connection
        self._rows: dict[int, StoredResult] = {}  # of the database, by ResultId
        self._by_name: dict[tuple, StoredResult | None] = {}
        self._asked_beyond: set[tuple] = set()
        self._by_content: dict[tuple, list[StoredResult]] = {}
        self._by_ident: dict[tuple, StoredResult] = {}
        self._changed: dict[StoredResult, None] = {}
        self._curves: dict[tuple, int] = {}  # their new sequences, by the old key
        self._in_batches = set(stations)
        if rows:
            self._ask([_key(_moment(row), row["Sequence"]) for row in rows if "Sequence" in row])
            self._in_batches |= t.stations_of_batches(connection)
        if self._in_batches:
            alike = [row for row in rows if _moment(row)[:3] in self._in_batches]
            for row in like(connection, alike):
                self._know(row)

    # -- what comes ------------------------------------------------------------------------------------------------

    def telegram(self, row: dict, arrivals: int = 1) -> tuple[str, StoredResult]:
        """Return what a result of ToolsNet is, and as what it is stored or is to be stored (rule 2)."""
        moment, content, ident, sequence = _moment(row), content_of(row), row["TighteningId"], row["Sequence"]
        unsaid = None
        while (had := self._named(moment, sequence)) is not None:
            if had.has(content) and had.may_be(ident):
                if had.ident == ident:
                    return self._arrived(had, AGAIN, ident, arrivals)
                unsaid = unsaid or had
            sequence += t.SEQUENCE_SPAN
        if unsaid is not None:
            return self._arrived(unsaid, AGAIN, ident, arrivals)
        for had in self._alike(moment, content, ident):
            if had.sequence < 0:
                had.sequence = sequence
                self._by_name[moment, sequence] = had
                return self._arrived(had, ALSO, ident, arrivals)
            if had.number == t.UNKNOWN and had.ident == ident is not None and moment[:3] in self._in_batches:
                return self._arrived(had, ALSO, ident, arrivals)
        return NEW, self._add(moment, sequence, None, ident, content)

    def expect(self, lines: list[tuple[dict, int]]) -> None:
        """Look up at once whether the numbers that these lines will get are taken."""
        self._ask([_key(_moment(row), sequence_of_number(number)) for row, number in lines])

    def line(self, row: dict, number: int, arrivals: int = 1) -> tuple[str, StoredResult]:
        """Return what a line of a batch is, and as what it is stored (rule 3); its number is later if that is taken."""
        moment, content, ident = _moment(row), content_of(row), row["TighteningId"]
        alike = self._alike(moment, content, ident)
        same = [had for had in alike if had.ident == ident is not None]
        for had in same or alike:
            if not had.number:
                had.number = number
                return self._arrived(had, ALSO, ident, arrivals)
        if same:
            return self._arrived(same[0], AGAIN, ident, arrivals)
        while self._named(moment, sequence_of_number(number)) is not None:
            number += 1
        return NEW, self._add(moment, sequence_of_number(number), number, ident, content)

    def row(self, row: dict) -> StoredResult:
        """Return as what a row of another archive is stored, or is to be stored here; that is no arrival."""
        content, ident = content_of(row), row["TighteningId"]
        had = self._named(_moment(row), row["Sequence"])
        if had is not None and had.may_be(ident) and (had.has(content) or content[0] not in had.spindles):
            self._learn(had, ident)
            return had  # a further spindle of it, if it has not this one
        if row["Sequence"] < 0:
            return self.line(row, row["Number"], 0)[1]
        _, had = self.telegram({**row, "Sequence": row["Sequence"] % t.SEQUENCE_SPAN}, 0)
        had.number = had.number or row["Number"]
        return had

    def sequence_of(self, place: Station, time: str, ident: int | None) -> int | None:
        """Return the sequence under which a tightening is stored; None if it is not."""
        if ident is None:
            return None
        moment = (*place, time)
        if (moment, ident) in self._by_ident:
            return self._by_ident[moment, ident].sequence
        statement = _COMPARED.where(t.is_row(t.RESULT, (*_PLACE_TIME, "TighteningId"), (*moment, ident)))
        row = self._connection.execute(statement.order_by(t.RESULT.c.ResultId).limit(1)).mappings().first()
        return None if row is None else self._know(dict(row)).sequence

    # -- the database ----------------------------------------------------------------------------------------------

    def look_for_curves(self, pending: Iterable[tuple] = ()) -> None:
        """Find the curves that are under a number, in the database or among these keys, and follow their results."""
        moved = {
            _key(had.moment, sequence_of_number(had.number)): had.sequence
            for had in self._changed
            if had.sequence >= 0 and had.number
        }
        keys = bulk_insert.known_keys(self._connection, t.GRAPH, t.RESULT_KEY, list(moved))
        keys.update(key[: len(t.RESULT_KEY)] for key in pending)
        self._curves = {key: moved[key] for key in keys if key in moved}

    def write(self) -> None:
        """Write what has changed, behind the commit's new rows; nothing is read."""
        for had in self._changed:
            now = had.sequence, had.number, had.ident
            if not had.more and now == (had.written_as, had.written_number, had.written_ident):
                continue
            here = t.is_row(t.RESULT, t.RESULT_KEY, _key(had.moment, had.written_as))
            values = {"Sequence": had.sequence, "Number": had.number, "Arrivals": t.RESULT.c.Arrivals + had.more}
            if had.ident != had.written_ident:
                values["TighteningId"] = had.ident
            self._connection.execute(update(t.RESULT).where(here).values(**values))
        for key, sequence in self._curves.items():
            _move_curves(self._connection, key, sequence)

    def _ask(self, keys: list[tuple]) -> None:
        for kind, system, station, sequence, time in keys:
            self._by_name.setdefault(((kind, system, station, time), sequence), None)
        for row in bulk_insert.matching(self._connection, t.RESULT, _COLUMNS, t.RESULT_KEY, t.RESULT_KEY, keys):
            self._know(dict(zip(_COLUMNS, row, strict=True)))

    def _named(self, moment: Moment, sequence: int) -> StoredResult | None:
        if (moment, sequence) not in self._by_name:
            if sequence < t.SEQUENCE_SPAN:
                self._ask([_key(moment, sequence)])
            else:
                self._ask_beyond(moment, sequence % t.SEQUENCE_SPAN)
        return self._by_name.get((moment, sequence))

    def _ask_beyond(self, moment: Moment, sequence: int) -> None:
        """Ask at once for all results of this second whose sequence another one has, which may be many."""
        if (moment, sequence) not in self._asked_beyond:
            self._asked_beyond.add((moment, sequence))
            alike = (t.RESULT.c.Sequence >= t.SEQUENCE_SPAN, t.RESULT.c.Sequence % t.SEQUENCE_SPAN == sequence)
            here = t.is_row(t.RESULT, _PLACE_TIME, moment)
            for row in self._connection.execute(_COMPARED.where(here, *alike)).mappings().fetchall():
                self._know(dict(row))

    def _alike(self, moment: Moment, content: Content, ident: int | None) -> list[StoredResult]:
        """Return those that it may be: one with its ID first, then the oldest."""
        some = [had for had in self._by_content.get((moment, content), ()) if had.may_be(ident)]
        return sorted(some, key=lambda had: (ident is not None and had.ident is None, had.age)) if some[1:] else some

    def _know(self, row: dict) -> StoredResult:
        """Note a row of the database."""
        moment, content = _moment(row), content_of(row)
        had = self._by_name.get((moment, row["Sequence"])) or self._rows.get(row["ResultId"])
        if had is None:
            had = self._add(moment, row["Sequence"], row["Number"], row["TighteningId"], content, row["ResultId"])
        elif content[0] not in had.spindles:
            self._index(had, content)
        self._rows[row["ResultId"]] = had
        return had

    def _add(
        self,
        moment: Moment,
        sequence: int,
        number: int | None,
        ident: int | None,
        content: Content,
        age: float = math.inf,
    ) -> StoredResult:
        one = StoredResult(moment, age, sequence, number, ident, {}, sequence, number, ident)
        self._by_name[moment, sequence] = one
        self._by_ident.setdefault((moment, ident), one)
        self._index(one, content)
        return one

    def _index(self, one: StoredResult, content: Content) -> None:
        one.spindles[content[0]] = content
        self._by_content.setdefault((one.moment, content), []).append(one)

    def _arrived(self, had: StoredResult, how: str, ident: int | None, arrivals: int) -> tuple[str, StoredResult]:
        self._learn(had, ident)
        had.more += arrivals
        self._changed[had] = None
        return how, had

    def _learn(self, had: StoredResult, ident: int | None) -> None:
        """Give a result the ID that this copy says, if none did so far."""
        if had.ident is None and ident is not None:
            had.ident = ident
            self._by_ident.setdefault((had.moment, ident), had)
            self._changed[had] = None


def _key(moment: Moment, sequence: int) -> tuple:
    return (*moment[:3], sequence, moment[3])


def _moment(row: dict) -> Moment:
    return (row["SystemType"], row["System"], row["Station"], row["Time"])


def _cut(value: float | None, unit: int) -> int:
    if value is None or not math.fabs(value) <= REAL_MOST:
        return 0
    return int(value * unit + math.copysign(_CUT, value))


def _move_curves(connection: Connection, key: tuple, sequence: int) -> None:
    """Give the curves of a result its new sequence; one that is there under that already stays alone."""
    here, there = t.is_row(t.GRAPH, t.RESULT_KEY, key), t.GRAPH.alias()
    same = [there.c[name] == t.GRAPH.c[name] for name in (*_PLACE_TIME, "Spindle", "GraphType")]
    is_there = exists(select(there.c.GraphId).where(*same, there.c.Sequence == sequence))
    connection.execute(delete(t.GRAPH).where(here, is_there))
    connection.execute(update(t.GRAPH).where(here).values(Sequence=sequence))
