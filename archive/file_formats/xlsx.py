"""Writes rows into an XLSX file as they come, in constant memory (ECMA-376: a zip of XML; cells hold their texts).

    with Book(path) as book:
        for row in rows: book.write(row)                  dicts with the same names

Rules
1. Texts are texts: nothing is a formula or a link. Characters that XML has not are written as `_x0001_` (ECMA-376 part
   1, 22.9.2.19).
2. A sheet has SHEET_ROWS rows with the header; what is more goes into further sheets.
3. A whole number beyond 2^53 is a text: a sheet's numbers are doubles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from toolcart.base.atomic_file import whole

SHEET_ROWS = 2**20
TIMES = ("Time", "Arrived")
_LEVEL = 1  # of compression: a higher one takes longer than all the rest
_FLUSH_ROWS = 500
_WIDE = (*TIMES, "VIN", "Remarks")
_SPECIAL = re.compile("[&<>\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_").search
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPACE = "http://schemas.openxmlformats.org/"
_MAIN, _OF = _SPACE + "spreadsheetml/2006/main", _SPACE + "officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_EPOCH = 693594  # date.toordinal() of 1899-12-30, day 0 of a sheet
_DIGITS_MOST = 10**15  # a sheet's number has 15 digits
_FIRST = 61  # 1900-03-01: sheets count a 29 February before it


def escaped(text: str) -> str:
    if not _SPECIAL(text):
        return text
    text = _CONTROLS.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def letters(column: int) -> str:
    """Return a column's name: A, Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


class Book:
    """A file that is being written; leaving `with` completes it. OSError if that fails."""

    def __init__(self, path: str) -> None:
        self.count = 0
        self._zip = ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self._sheet: Any = None
        self._sheets = 0
        self._line = 0
        self._names: list[str] = []
        self._columns: list[tuple[str, bool]] = []
        self._lines: list[str] = []
        self._days: dict[str, int] = {}

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            if self._sheet is None:
                self._begin([])
            self._end()
            self._complete()
        elif self._sheet is not None:
            self._sheet.close()
        self._zip.close()

    def write(self, row: dict[str, Any]) -> None:
        """Write a row below those before it."""
        if self._sheet is None:
            self._begin(list(row))
        elif self._line >= SHEET_ROWS:
            self._end()
            self._begin(self._names)
        self.count += 1
        self._line += 1
        line = self._line
        cells = []
        for (column, is_time), value in zip(self._columns, row.values(), strict=True):
            if value is None:
                continue
            kind = type(value)
            if kind is str:
                days = self._moment(value) if is_time else None
                if days is not None:
                    cells.append(f'<c r="{column}{line}" s="1"><v>{days!r}</v></c>')
                    continue
            elif kind is float or (kind is int and -_DIGITS_MOST < value < _DIGITS_MOST):
                cells.append(f'<c r="{column}{line}"><v>{value!r}</v></c>')
                continue
            text = escaped(value if kind is str else str(value))
            cells.append(f'<c r="{column}{line}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>')
        self._lines.append(f'<row r="{line}">{"".join(cells)}</row>')
        if len(self._lines) >= _FLUSH_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._sheet.write("".join(self._lines).encode("utf-8", "replace"))
        self._lines.clear()

    def _moment(self, digits: str) -> float | None:
        """Return a time of 14 digits as days; None for what is none, or one that sheets count otherwise."""
        if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
            return None
        day = digits[:8]
        number = self._days.get(day)
        if number is None:
            if len(self._days) > 10000:
                self._days.clear()
            number = self._days[day] = _day(day)
        hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:14])
        if number < _FIRST or hour > 23 or minute > 59 or second > 59:
            return None
        return number + (hour * 3600 + minute * 60 + second) / 86400

    def _begin(self, names: list[str]) -> None:
        self._names = names
        self._columns = [(letters(at), name in TIMES) for at, name in enumerate(names)]
        self._sheets += 1
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w", force_zip64=True)
        widths = "".join(
            f'<col min="{at}" max="{at}" width="{20 if name in _WIDE else 12}" customWidth="1"/>'
            for at, name in enumerate(names, 1)
        )
        head = "".join(
            f'<c r="{column}1" s="2" t="inlineStr"><is><t>{escaped(name)}</t></is></c>'
            for (column, _), name in zip(self._columns, names, strict=True)
        )
        cols = f"<cols>{widths}</cols>" if names else ""
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        view = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        text = f'{_XML}<worksheet xmlns="{_MAIN}">{view}{cols}<sheetData><row r="1">{head}</row>'
        self._sheet.write(text.encode())
        self._line = 1

    def _end(self) -> None:
        self._flush()
        last = f"{letters(max(0, len(self._names) - 1))}{self._line}"
        filters = f'<autoFilter ref="A1:{last}"/>' if self._names else ""
        self._sheet.write(f"</sheetData>{filters}</worksheet>".encode())
        self._sheet.close()

    def _complete(self) -> None:
        numbers = range(1, self._sheets + 1)
        part = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        types = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
        types += [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
        overrides = "".join(f'<Override PartName="{name}" ContentType="{part}.{kind}+xml"/>' for name, kind in types)
        kinds = f"{_SPACE}package/2006/content-types"
        defaults = (
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
        )
        sheets = "".join(
            f'<sheet name="Results{"" if number == 1 else f" {number}"}" sheetId="{number}" r:id="rId{number}"/>'
            for number in numbers
        )
        links = [(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
        for name, text in (
            ("[Content_Types].xml", f'<Types xmlns="{kinds}">{defaults}{overrides}</Types>'),
            ("_rels/.rels", _relationships([("rId1", "officeDocument", "xl/workbook.xml")])),
            ("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OF}"><sheets>{sheets}</sheets></workbook>'),
            ("xl/_rels/workbook.xml.rels", _relationships([*links, ("rId0", "styles", "styles.xml")])),
        ):
            self._zip.writestr(name, _XML + text)
        self._zip.writestr("xl/styles.xml", _STYLES)


def _relationships(links: list[tuple[str, str, str]]) -> str:
    each = "".join(f'<Relationship Id="{name}" Type="{_OF}/{kind}" Target="{to}"/>' for name, kind, to in links)
    return f'<Relationships xmlns="{_SPACE}package/2006/relationships">{each}</Relationships>'


def _day(digits: str) -> int:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal() - _EPOCH
    except ValueError:
        return -1


def write(rows: Iterable[dict], path: str) -> int:
    """Write the rows to `path` and return how many; OSError if writing fails."""
    with whole(path) as part, Book(part) as book:
        for row in rows:
            book.write(row)
    return book.count
