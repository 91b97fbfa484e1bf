"""What is missing in the sequences of an archive's stations, came late or came again; nothing is written.

Sequences wrap from 99999 to 1 (protocol.md 8.4); a jump of more than half the circle goes back. Results and events each
have their own sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at
from toolcart.archive.database import tables as t
from toolcart.archive.database.tables import Station


@dataclass
class SequenceGap:
    """Something in a station's sequences that a person should look at."""

    of: str  # "result", "event"
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
    for of, table in (("result", t.RESULT), ("event", t.EVENT)):
        columns = [table.c[name] for name in (*t.RESULT_KEY, "Arrived", "Arrivals")]
        statement = select(*columns).order_by(*table.primary_key.columns)
        yield from _gaps(of, connection.execution_options(yield_per=1000).execute(statement))


def _gaps(of: str, rows: Iterable) -> Iterator[SequenceGap]:
    latest: dict[Station, tuple] = {}
    reached: dict[Station, tuple] = {}  # the sequence from which a station goes on, and its newest time
    missing: dict[Station, dict[int, SequenceGap]] = {}  # by the first of each
    for system_type, system, number, sequence, time, arrived, arrivals in rows:
        station = (system_type, system, number)
        before = latest.get(station)
        if before == (sequence, time):
            continue  # another spindle of the same telegram
        latest[station] = (sequence, time)
        gaps = missing.setdefault(station, {})
        last, newest = reached.get(station, (sequence, time))
        reached[station] = (sequence, max(time, newest))
        ahead = (sequence - last) % SEQUENCES
        if 1 < ahead <= SEQUENCES // 2:
            first = sequence_at(last + 1)
            if first in gaps:
                yield gaps[first]  # of the round before
            gaps[first] = SequenceGap(of, station, "missing", first, sequence_at(sequence - 1), ahead - 1, arrived)
        elif before is not None and ahead != 1:
            follows = sequence == sequence_at(before[0] + 1)
            if not follows:
                yield SequenceGap(of, station, "behind", sequence, sequence, 1, arrived)
            if time < newest:  # it came late; with a newer time the station has begun anew
                _fill(gaps, sequence, follows)
                reached[station] = (last, newest)
        if arrivals > 1:
            yield SequenceGap(of, station, "again", sequence, sequence, arrivals - 1, arrived)
    for gaps in missing.values():
        yield from gaps.values()


def _fill(gaps: dict[int, SequenceGap], sequence: int, follows: bool) -> None:
    """Leave of a gap what is before and behind a sequence that came late; one that `follows` is the gap's first."""
    around = (gap for gap in gaps.values() if (sequence - gap.first) % SEQUENCES < gap.count)
    gap = gaps.get(sequence) if follows else next(around, None)
    if gap is None:
        return
    del gaps[gap.first]
    before = (sequence - gap.first) % SEQUENCES
    for first, count in ((gap.first, before), (sequence_at(sequence + 1), gap.count - before - 1)):
        if count:
            gaps[first] = replace(gap, first=first, last=sequence_at(first + count - 1), count=count)
