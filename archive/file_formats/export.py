"""Results as files for other programs: CSV, lines of JSON, XLSX, Parquet, each row written as it comes.

Rules
1. A spreadsheet never evaluates what a station sent: a VIN may be `=1+1`. In CSV such a text gets an apostrophe in
   front, in XLSX it is a text cell.
2. CSV and XLSX have times as people write them, JSON the protocol's 14 digits, Parquet timestamps.
3. CSV has two dialects: comma and point, and what a spreadsheet in Germany or France opens by itself: semicolon,
   decimal comma, and a mark in front that says UTF-8. There a text that would become another value (00012345, 1E5, 1-2,
   SEPT2, WAHR, #NV) is written as ="00012345", which a spreadsheet shows as that text. Other programs want CSV or XLSX.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TextIO

from toolcart.archive.file_formats import xlsx

STATUSES = {1: "NOK", 2: "low", 3: "high"}  # TN 5.3
_TIMES = xlsx.TIMES
_FORMULAS = tuple("=+-@\t\r")
# A text with digits and no other words than these may be a number, a date or a time to a spreadsheet set to German,
# French or English: months by their beginning, exponents, currencies, halves of a day.
_MONTHS = "jan feb fév mar mär mrz apr avr mai may jun jui jul aug aou aoû sep okt oct nov dez dec déc".split()
_NO_TEXT = "e a p am pm eur usd gbp chf".split()
_TRUTHS = "wahr falsch true false vrai faux".split()
_WORDS = re.compile(r"[^\W\d_]+")
_TEXT_MOST = 255  # characters of a text in a formula; no longer one is a number
_DIGITS_MOST = 10**15  # a spreadsheet's number has 15 digits


@dataclass(frozen=True)
class FileFormat:
    """What pages, commands and the process that writes files know of a format; one of the two writers is there."""

    name: str  # in addresses (as=NAME); also its option of `toolcart archive query`
    label: str  # of the link
    media_type: str
    ending: str
    help: str  # of the option; "": it has another one
    write_text: Callable[[Iterable[dict], TextIO], int] | None = None
    write_file: Callable[[Iterable[dict], str], int] | None = None  # by path: it is no text
    encoding: str = "utf-8"
    needs: str = ""  # a library that an installation may lack
    note: str = ""  # for people, beside the links
    is_for_results: bool = False  # has the columns of results, so it can be made of nothing else

    def write(self, rows: Iterable[dict], path: str) -> int:
        """Write the rows to `path`, return how many; ImportError if its library is missing, OSError if that fails."""
        if self.write_file is not None:
            return self.write_file(rows, path)
        assert self.write_text is not None
        with open(path, "w", encoding=self.encoding, newline="") as file:
            return self.write_text(rows, file)


def write_json(rows: Iterable[dict], file: TextIO) -> int:
    """Write one object per line."""
    count = 0
    for row in rows:
        file.write(json.dumps(row) + "\n")
        count += 1
    return count


def write_csv(rows: Iterable[dict], file: TextIO, is_semicolon: bool = False) -> int:
    """Write the rows below a header, if there are any; `is_semicolon`: as a spreadsheet opens it (rule 3)."""
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
                if is_time:
                    value = readable_time(value)
                elif value[:1] in _FORMULAS:
                    value = "'" + value
                elif is_semicolon and _is_taken_for_another(value):
                    value = _as_text(value)
            elif is_semicolon and type(value) is float:
                value = repr(value).replace(".", ",")
            elif is_semicolon and type(value) is int and abs(value) >= _DIGITS_MOST:
                value = _as_text(str(value))
            cells.append(value)
        writer.writerow(cells)
        count += 1
    return count


def _is_taken_for_another(text: str) -> bool:
    """True if a spreadsheet may take this for a number, a date, a truth value, an error; it stays as it is with "="."""
    if len(text) > _TEXT_MOST:
        return False
    if text.startswith("#"):  # #NV, #N/A, #REF!: an error
        return True
    words = _WORDS.findall(text.lower())
    if any(character.isdigit() for character in text):
        return all(word in _NO_TEXT or word[:3] in _MONTHS for word in words)
    return any(word in _TRUTHS for word in words) and len(words) == 1


def _as_text(text: str) -> str:
    return '="' + text.replace('"', '""') + '"'


def _write_parquet(rows: Iterable[dict], path: str) -> int:
    from toolcart.archive.file_formats import parquet

    return parquet.write(rows, path)


# In the order of the links on a page.
_ROWS = (
    FileFormat(
        "csv",
        "CSV",
        "text/csv; charset=utf-8",
        "csv",
        "CSV with a header.",
        write_text=lambda rows, file: write_csv(rows, file),
    ),
    FileFormat(
        "csv-semicolon",
        "CSV with semicolons",
        "text/csv; charset=utf-8",
        "csv",
        "CSV with semicolons and decimal commas.",
        write_text=lambda rows, file: write_csv(rows, file, is_semicolon=True),
        encoding="utf-8-sig",
        note='In CSV with semicolons a text such as 00012345 or 1-2 is written as ="00012345", so that a spreadsheet '
        "keeps it; for other programs take CSV or XLSX. In both a text that begins with =, +, - or @ has an "
        "apostrophe in front, as a spreadsheet would take it for a formula.",
    ),
    FileFormat(
        "xlsx",
        "XLSX",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        "Write to this file.",
        write_file=xlsx.write,
    ),
    FileFormat("json", "JSON", "application/x-ndjson", "json", "", write_text=write_json),
    FileFormat(
        "parquet",
        "Parquet",
        "application/vnd.apache.parquet",
        "parquet",
        "Write to this file; needs pyarrow.",
        write_file=_write_parquet,
        needs="pyarrow",
        is_for_results=True,
    ),
)
FORMATS = {one.name: one for one in _ROWS}


def status(value: int | None) -> str:
    """Return the status of a value; "" if it is good or was not sent."""
    return STATUSES.get(value, str(value)) if value else ""


def readable_time(digits: str) -> str:
    """Return 14 digits as people write a time."""
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:14]}"
