"""What is missing in the sequences of an archive's stations, came late or came again; nothing is written.

Rules
1. Sequences wrap from 99999 to 1 (protocol.md 8.4); a jump of more than half the circle goes back.
2. A station's results and its events have sequences of their own. A number of a batch that no result has is no gap: it
   is an event's, or was given up by the cart, which counts it.
3. What came once each way did not come again. Of a station with both ways only the order in which each result came
   first is known, so its sequences are gone through in their own order, as far as SORTED rows allow.
4. An earlier version gave both ways one sequence, and now and then the same numbers: what it stored of a station with
   batches is named apart, since its gaps may be none.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table, select

from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at
from toolcart.archive.database import tables as t
from toolcart.archive.database.tables import Station

SORTED = 5000  # rows of a station; what is stored by ToolsNet later than so many others counts as behind


@dataclass
class SequenceGap:
    """Something in a station's sequences that a person should look at."""

    of: str  # "result", "result by MQTT", "result by either way", "event"
    station: Station
    kind: str  # "missing", "behind", "again"
    first: int
    last: int
    count: int
    arrived: str


def check(connection: Connection) -> Iterator[SequenceGap]:
    """Go through all sequences in order of arrival for results behind an earlier arrival, repeats, and gaps that
    nothing filled later.
    """
    results = _rows(connection, t.RESULT, "Number")
    in_batches = t.stations_of_batches(connection)
    from_toolsnet, from_either = _Sequences("result"), _Sequences("result by either way")
    both_ways = {station: _InOrder() for station in in_batches}
    for station, sequence, time, arrived, arrivals, number in results:
        again = arrivals - (sequence >= 0) - bool(number)
        if sequence < 0:
            if again > 0:
                place = sequence_at(number)
                yield SequenceGap("result by MQTT", station, "again", place, place, again, arrived)
            continue
        row = sequence % t.SEQUENCE_SPAN, time, arrived, again
        if station not in in_batches:
            yield from from_toolsnet.take(station, *row)
        elif number == t.UNKNOWN:
            yield from from_either.take(station, *row)
        else:
            for one in both_ways[station].put(row):
                yield from from_toolsnet.take(station, *one)
    for station, order in both_ways.items():
        for one in order.rest():
            yield from from_toolsnet.take(station, *one)
    events = _Sequences("event")
    for station, sequence, time, arrived, arrivals in _rows(connection, t.EVENT):
        if sequence >= 0:  # others are lines, which are numbered together with other records
            yield from events.take(station, sequence, time, arrived, arrivals - 1)
    for sequences in (from_toolsnet, from_either, events):
        yield from sequences.missing()


def _rows(connection: Connection, table: Table, *more: str) -> Iterator[tuple]:
    columns = [table.c[name] for name in (*t.RESULT_KEY, "Arrived", "Arrivals", *more)]
    statement = select(*columns).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=1000).execute(statement):
        yield (tuple(row[:3]), *row[3:])


class _InOrder:
    """Rows of one station in the order of their sequences, also over the wrap."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, tuple]] = []  # place on a line without a wrap, order of arrival, row
        self._times: dict[int, str] = {}  # of the sequences in it
        self._last = self._place = self._count = 0

    def put(self, row: tuple) -> Iterator[tuple]:
        """Take the next row; yield those that come before all that is left."""
        sequence, time = row[:2]
        if self._times.get(sequence, time) != time:  # the station has begun anew
            yield from self.rest()
        ahead = (sequence - self._last) % SEQUENCES
        self._place += ahead if ahead <= SEQUENCES // 2 else ahead - SEQUENCES
        self._last = sequence
        self._count += 1
        self._times[sequence] = time
        heapq.heappush(self._heap, (self._place, self._count, row))
        if len(self._heap) > SORTED:
            yield self._pop()

    def rest(self) -> Iterator[tuple]:
        """Yield the rows that are left."""
        while self._heap:
            yield self._pop()

    def _pop(self) -> tuple:
        row = heapq.heappop(self._heap)[2]
        self._times.pop(row[0], None)
        return row


class _Sequences:
    """One kind of sequence of all stations, gone through in order of arrival."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._latest: dict[Station, tuple] = {}
        self._reached: dict[Station, tuple] = {}  # the sequence from which a station goes on, and its newest time
        self._missing: dict[Station, dict[int, SequenceGap]] = {}  # by the first of each

    def take(self, station: Station, sequence: int, time: str, arrived: str, again: int) -> Iterator[SequenceGap]:
        """Yield what there is to say about the next one."""
        before = self._latest.get(station)
        if before == (sequence, time):
            return  # another spindle of the same telegram
        self._latest[station] = (sequence, time)
        gaps = self._missing.setdefault(station, {})
        last, newest = self._reached.get(station, (sequence, time))
        self._reached[station] = (sequence, max(time, newest))
        ahead = (sequence - last) % SEQUENCES
        if 1 < ahead <= SEQUENCES // 2:
            first = sequence_at(last + 1)
            if first in gaps:
                yield gaps[first]  # of the round before
            gaps[first] = SequenceGap(
                self._of, station, "missing", first, sequence_at(sequence - 1), ahead - 1, arrived
            )
        elif before is not None and ahead != 1:
            follows = sequence == sequence_at(before[0] + 1)
            if not follows:
                yield SequenceGap(self._of, station, "behind", sequence, sequence, 1, arrived)
            if _fill(gaps, sequence, follows) or time <= newest:  # it came late; else the station has begun anew
                self._reached[station] = (last, max(time, newest))
        if again > 0:
            yield SequenceGap(self._of, station, "again", sequence, sequence, again, arrived)

    def missing(self) -> Iterator[SequenceGap]:
        """Yield the gaps that nothing has filled."""
        for gaps in self._missing.values():
            yield from gaps.values()


def _fill(gaps: dict[int, SequenceGap], sequence: int, follows: bool) -> bool:
    """Leave of a gap what is before and behind a sequence that came late; one that `follows` is the gap's first.

    False if it is in none.
    """
    around = (gap for gap in gaps.values() if (sequence - gap.first) % SEQUENCES < gap.count)
    gap = gaps.get(sequence) if follows else next(around, None)
    if gap is None:
        return False
    del gaps[gap.first]
    before = (sequence - gap.first) % SEQUENCES
    for first, count in ((gap.first, before), (sequence_at(sequence + 1), gap.count - before - 1)):
        if count:
            gaps[first] = replace(gap, first=first, last=sequence_at(first + count - 1), count=count)
    return True
