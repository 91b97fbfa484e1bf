"""Results as files for other programs: CSV, lines of JSON, XLSX, Parquet, each row written as it comes.

Rules
1. A spreadsheet never evaluates what a station sent: a VIN may be `=1+1`. In CSV such a text gets an apostrophe in
   front, in XLSX it is a text cell.
2. CSV and XLSX have times as people write them, JSON the protocol's 14 digits, Parquet timestamps.
3. CSV has two dialects: comma and point, and what a spreadsheet in Germany or France opens by itself: semicolon,
   decimal comma, and a mark in front that says UTF-8.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

from toolcart.archive.file_formats import xlsx

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "csv-semicolon": "text/csv; charset=utf-8",
    "json": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
ENDINGS = {"csv-semicolon": "csv"}  # of a file's name, where it is not the kind
NEEDS = {"parquet": "pyarrow"}
STATUSES = {1: "NOK", 2: "low", 3: "high"}  # TN 5.3
_TIMES = xlsx.TIMES
_FORMULAS = tuple("=+-@\t\r")


def write(kind: str, rows: Iterable[dict], path: str) -> int:
    """Write the rows to `path`, return how many; ImportError if the library is missing, OSError if writing fails."""
    if kind == "parquet":
        from toolcart.archive.file_formats import parquet

        return parquet.write(rows, path)
    if kind == "xlsx":
        return xlsx.write(rows, path)
    is_semicolon = kind == "csv-semicolon"
    with open(path, "w", encoding="utf-8-sig" if is_semicolon else "utf-8", newline="") as file:
        return write_json(rows, file) if kind == "json" else write_csv(rows, file, is_semicolon)


def write_json(rows: Iterable[dict], file: TextIO) -> int:
    """Write one object per line."""
    count = 0
    for row in rows:
        file.write(json.dumps(row) + "\n")
        count += 1
    return count


def write_csv(rows: Iterable[dict], file: TextIO, is_semicolon: bool = False) -> int:
    """Write the rows below a header, if there are any; `is_semicolon`: with decimal commas."""
    writer = csv.writer(file, delimiter=";" if is_semicolon else ",")
    count = 0
    times: list[bool] = []
    for row in rows:
        if not count:
            writer.writerow(row)
            times = [name in _TIMES for name in row]
        cells: list[Any] = []
        for is_time, value in zip(times, row.values(), strict=True):
            if type(value) is str:
                # To a spreadsheet 14 digits are a number of some trillions.
                value = readable_time(value) if is_time else "'" + value if value[:1] in _FORMULAS else value
            elif is_semicolon and type(value) is float:
                value = repr(value).replace(".", ",")
            cells.append(value)
        writer.writerow(cells)
        count += 1
    return count


def status(value: int | None) -> str:
    """Return the status of a value; "" if it is good or was not sent."""
    return STATUSES.get(value, str(value)) if value else ""


def readable_time(digits: str) -> str:
    """Return 14 digits as people write a time."""
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:14]}"
