"""Writes results into a Parquet file, some thousands at a time: millions of them do not need more memory.

The file gets its name when it is complete. Time is the station's own, without a zone, Arrived is UTC; an invalid time,
which an odd station may send, is null.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice

import pyarrow  # type: ignore
from pyarrow import parquet  # type: ignore
from sqlalchemy import Integer

from toolcart.archive.tables import RESULT, Real

AT_ONCE = 10000
NAMES = ("StationName", "ProgramName", "Remarks")  # of the map and of people, beside the table's own columns
TIMES = {"Time": pyarrow.timestamp("s"), "Arrived": pyarrow.timestamp("s", tz="UTC")}


def schema() -> pyarrow.Schema:
    """Return a column for each one of Result, and the names."""
    columns = []
    for column in RESULT.columns:
        whole, real = isinstance(column.type, Integer), isinstance(column.type, Real)
        kind = pyarrow.int64() if whole else pyarrow.float64() if real else pyarrow.string()
        columns.append((column.name, TIMES.get(column.name, kind)))
    return pyarrow.schema([*columns, *[(name, pyarrow.string()) for name in NAMES]])


def write(rows: Iterable[dict], path: str) -> int:
    """Write the rows and return how many; without any there is no file. OSError if it cannot be written."""
    count = 0
    some = _some(iter(rows))
    taken = next(some, None)
    if taken is None:
        return 0
    part = f"{path}.part"
    try:
        with parquet.ParquetWriter(part, schema()) as writer:
            while taken:
                writer.write_table(pyarrow.Table.from_pylist([_timed(row) for row in taken], schema()))
                count += len(taken)
                taken = next(some, None)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    return count


def _timed(row: dict) -> dict:
    return {**row, **{name: moment(row[name]) for name in TIMES}}


def moment(digits: str) -> datetime | None:
    """Return the time of 14 digits; None if they are not a time."""
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError:
        return None


def _some(rows: Iterator[dict]) -> Iterator[list[dict]]:
    while some := list(islice(rows, AT_ONCE)):
        yield some
