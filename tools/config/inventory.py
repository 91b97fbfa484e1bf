"""The inventory of a plant's carts: one row a cart, as CSV with a header line, or as TOML with [[cart]].

Rules
1. Every row has `name` and `host`; the files are named after `name`; Ansible reaches the cart at `host`.
2. All mistakes come at once, as InventoryError, each with row and column as people count them.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from toolcart.board.linux import regular_file
from toolcart.board.linux.plurals import counted
from toolcart.tools.config.file_text import NotText, text_of

ROWS_MOST = 10000
COLUMNS = ("name", "host")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9@:%._\[\]-]{0,254}")  # never an option of a command


class InventoryError(Exception):
    """The inventory, the template or what both make cannot be used; mistakes are lines for people, by their file."""

    def __init__(self, path: str | Path, mistakes: list[str], *more: tuple[str | Path, list[str]]) -> None:
        self.by_file = [(str(file), wrong) for file, wrong in ((path, mistakes), *more) if wrong]
        lines: list[str] = []
        for file, wrong in self.by_file:
            lines += [f"{file}: {counted(len(wrong), 'mistake')}", *(f"  {mistake}" for mistake in wrong)]
        super().__init__("\n".join(lines))

    @property
    def mistakes(self) -> list[str]:
        """All of them, whatever their file."""
        return [mistake for _, wrong in self.by_file for mistake in wrong]


@dataclass(frozen=True)
class Cart:
    """One row: `row` counts from 1 as an editor does; row 1 of a CSV is its header."""

    row: int
    columns: dict[str, str]

    @property
    def name(self) -> str:
        return self.columns["name"]

    @property
    def host(self) -> str:
        return self.columns["host"]


@dataclass(frozen=True)
class Inventory:
    """The carts of a file in order; `names_row` is the row with the columns' names, 0 in TOML."""

    path: str | Path
    carts: list[Cart]
    names_row: int = 0


def read(path: str | Path) -> Inventory:
    """Return the carts in order; InventoryError if there is a mistake."""
    try:
        text = text_of(regular_file.argument_content_of(path))
    except OSError as error:
        raise InventoryError(path, [f"{error.strerror}; name an inventory that can be read"]) from None
    except NotText as error:
        place = "line {}, column {}: ".format(*error.at) if error.at else ""
        raise InventoryError(path, [f"{place}{error.problem}"]) from None
    read_text = _toml if str(path).lower().endswith(".toml") else _csv
    carts, mistakes, names_row = read_text(path, text)
    mistakes = mistakes or _columns(carts)
    if not mistakes:
        mistakes = [*_shared_values(carts, "name"), *_shared_values(carts, "host")]
    if not carts and not mistakes:
        mistakes = ["no cart: below the line of names comes a row for each"]
    if mistakes:
        raise InventoryError(path, mistakes)
    return Inventory(path, carts, names_row)


def _csv(path: str | Path, text: str) -> tuple[list[Cart], list[str], int]:
    header = "".join(re.findall(r"^[^#\s,;].*", text, re.MULTILINE)[:1])  # the line of names
    # A cell may hold line ends: they are kept, and refused where they mean something.
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=header.count), strict=True)
    carts: list[Cart] = []
    mistakes: list[str] = []
    names: list[str] = []
    names_row = 0
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not names:
                names, names_row = cells, reader.line_num
                mistakes += [f"row {reader.line_num}: column {name!r} twice" for name in _duplicates(names)]
            elif len(cells) != len(names):
                mistakes.append(
                    f"row {reader.line_num}: {counted(len(cells), 'column')}, the line of names has {len(names)}"
                )
            else:
                carts.append(Cart(reader.line_num, dict(zip(names, cells, strict=True))))
            if len(carts) > ROWS_MOST:
                raise InventoryError(path, [f"more than {ROWS_MOST} carts"])
    except csv.Error as error:
        mistakes.append(f"row {reader.line_num}: no CSV ({error}); is a quote left open?")
    return carts, mistakes, names_row


def _toml(_path: str | Path, text: str) -> tuple[list[Cart], list[str], int]:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [f"no TOML: {error}"], 0
    except (ValueError, RecursionError):  # Python's limits
        return [], ["a number is too long, or brackets are nested too deeply"], 0
    rows = tree.get("cart")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > ROWS_MOST:
        return [], [f"no [[cart]]: one for each cart, at most {ROWS_MOST}"], 0
    carts: list[Cart] = []
    mistakes: list[str] = []
    for index, row in enumerate(rows, 1):
        invalid_columns = [name for name, value in row.items() if isinstance(value, (dict, list, bool))]
        mistakes += [f"cart {index}, column {name!r}: a text or a number is allowed" for name in invalid_columns]
        carts.append(Cart(index, {name: str(value).strip() for name, value in row.items()}))
    return carts, mistakes, 0


def _columns(carts: list[Cart]) -> list[str]:
    mistakes: list[str] = []
    for cart in carts:
        for column, form in zip(COLUMNS, (_NAME, _HOST), strict=True):
            cell = cart.columns.get(column)
            if cell is None:
                mistakes.append(f"row {cart.row}: no column {column!r}; every cart has name and host")
            elif not form.fullmatch(cell):
                mistakes.append(f"row {cart.row}, column {column!r}: {cell!r}; letters, digits, dot, dash are allowed")
    return mistakes


def _duplicates(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _shared_values(carts: list[Cart], column: str) -> list[str]:
    first_cart: dict[str, Cart] = {}
    mistakes: list[str] = []
    for cart in carts:
        other = first_cart.setdefault(cart.columns[column].lower(), cart)
        if other is not cart:
            mistakes.append(f"row {cart.row}, column {column!r}: {cart.columns[column]!r} is in row {other.row}, too")
    return mistakes
