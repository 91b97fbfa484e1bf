"""Writes results into a Parquet file, a thousand at a time: millions of them do not need more memory.

The file gets its name when it is complete. Time is the station's own, without a zone, Arrived is UTC; an invalid time,
which an odd station may send, is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import pyarrow  # type: ignore
from pyarrow import parquet  # type: ignore
from sqlalchemy import Integer

from toolcart.archive.database.tables import SHOWN, Real
from toolcart.base.atomic_file import whole
from toolcart.toolsnet.rows import moment

AT_ONCE = 1000  # rows that Python holds
GROUP = 10  # times as many are a row group of the file; by then they are columns, a tenth of the size
NAMES = ("StationName", "ProgramName", "Remarks")  # beside the table's own columns
TIMES = {"Time": pyarrow.timestamp("s"), "Arrived": pyarrow.timestamp("s", tz="UTC")}


def schema() -> pyarrow.Schema:
    """Return a column for each one of Result that is shown, and the names."""
    columns = []
    for column in SHOWN:
        whole, real = isinstance(column.type, Integer), isinstance(column.type, Real)
        kind = pyarrow.int64() if whole else pyarrow.float64() if real else pyarrow.string()
        columns.append((column.name, TIMES.get(column.name, kind)))
    return pyarrow.schema([*columns, *[(name, pyarrow.string()) for name in NAMES]])


def write(rows: Iterable[dict], path: str) -> int:
    """Write the rows and return how many; without any there is no file. OSError if it cannot be written."""
    count = 0
    batches = _batches(iter(rows))
    first = next(batches, None)
    if first is None:
        return 0
    batches = chain([first], batches)
    with whole(path) as part, parquet.ParquetWriter(part, schema()) as writer:
        while group := list(islice(batches, GROUP)):
            table = pyarrow.Table.from_batches(group)
            writer.write_table(table)
            count += len(table)
    return count


def _timed(row: dict) -> dict:
    return {**row, **{name: moment(row[name]) for name in TIMES}}


def _batches(rows: Iterator[dict]) -> Iterator[pyarrow.RecordBatch]:
    while some := [_timed(row) for row in islice(rows, AT_ONCE)]:
        yield pyarrow.RecordBatch.from_pylist(some, schema())
