"""Results as files for other programs: CSV, lines of JSON, XLSX, Parquet.

Rules
1. A spreadsheet never evaluates what a station sent: a VIN may be `=1+1`. In CSV such a text gets an apostrophe in
   front, in XLSX it is a text cell.
2. CSV and XLSX have times as people write them, JSON the protocol's 14 digits, Parquet timestamps.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TextIO

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
NEEDS = {"xlsx": "XlsxWriter", "parquet": "pyarrow"}
XLSX_ROWS_MOST = 2**20 - 1  # of a sheet, below its header
_TIMES = ("Time", "Arrived")
_FORMULAS = tuple("=+-@\t\r")
_XLSX = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}


def write(kind: str, rows: Iterable[dict], path: str) -> int:
    """Write the rows to `path`, return how many; ImportError if the library is missing, OSError if writing fails."""
    if kind == "parquet":
        from toolcart.archive import parquet

        return parquet.write(rows, path)
    if kind == "xlsx":
        return _write_xlsx(rows, path)
    with open(path, "w", encoding="utf-8", newline="") as file:
        return (write_csv if kind == "csv" else write_json)(rows, file)


def write_json(rows: Iterable[dict], file: TextIO) -> int:
    """Write one object per line."""
    count = 0
    for row in rows:
        file.write(json.dumps(row) + "\n")
        count += 1
    return count


def write_csv(rows: Iterable[dict], file: TextIO) -> int:
    """Write the rows below a header, if there are any."""
    writer = None
    count = 0
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        # To a spreadsheet 14 digits are a number of some trillions.
        told = {**row, **{name: shown_time(row[name]) for name in _TIMES}}
        writer.writerow({name: _no_formula(value) for name, value in told.items()})
        count += 1
    return count


def _write_xlsx(rows: Iterable[dict], path: str) -> int:
    import xlsxwriter  # type: ignore

    count = 0
    with xlsxwriter.Workbook(path, _XLSX) as book:
        sheet = book.add_worksheet("Results")
        head, time = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.freeze_panes(1, 0)
        row: dict = {}
        for row in rows:
            if not count:
                for column, name in enumerate(row):
                    sheet.write_string(0, column, name, head)
                    sheet.set_column(column, column, 20 if name in (*_TIMES, "VIN") else 12)
            count += 1
            if count > XLSX_ROWS_MOST:
                raise OSError(0, f"a sheet has {XLSX_ROWS_MOST} rows at most; ask for less, or for CSV or Parquet")
            for column, (name, value) in enumerate(row.items()):
                _write_cell(sheet, count, column, moment(value) if name in _TIMES else value, time)
        sheet.autofilter(0, 0, count, max(0, len(row) - 1))
    return count


def _write_cell(sheet: Any, line: int, column: int, value: Any, time: Any) -> None:
    put: Callable[..., Any] = sheet.write_number
    if value is None:
        return
    if isinstance(value, datetime):
        sheet.write_datetime(line, column, value, time)
        return
    if isinstance(value, str) or abs(value) >= 2**53:  # a sheet's numbers are doubles: a text keeps all digits
        put, value = sheet.write_string, str(value)
    put(line, column, value)


def moment(digits: str) -> datetime | str:
    """Return the time of 14 digits; the text itself if a sheet cannot have such a time."""
    try:
        told = datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError:
        return digits
    return told if told.year >= 1900 else digits


def shown_time(digits: str) -> str:
    """Return 14 digits as people write a time."""
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:14]}"


def _no_formula(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value[:1] in _FORMULAS else value
