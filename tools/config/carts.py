"""Makes the configurations of all carts from a template and the inventory, and checks each alone and all together.

The template is a configuration whose texts may name columns: "{name}" is replaced by the column's text, and a text that
is only "{station:int}" becomes a whole number. A literal brace is written twice.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from toolcart.tools.config import file as config_file
from toolcart.tools.messages.durations import counted

# The inventory of a plant's carts: one row a cart, as CSV with a header line, or as TOML with [[cart]].
#
# Rules
# 1. Every row has `name` and `host`; the files are named after `name`; Ansible reaches the cart at `host`.
# 2. All mistakes come at once, as Wrong, each with row and column as people count them.

ROWS_MOST = 10000
COLUMNS = ("name", "host")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9@:%._\[\]-]{0,254}")  # never an option of a command


class Wrong(Exception):
    """The inventory, the template or the result of both cannot be used; `mistakes` are lines for people."""

    def __init__(self, path: str | Path, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = counted(len(mistakes), "mistake")
        super().__init__("\n".join([f"{path}: {count}", *(f"  {mistake}" for mistake in mistakes)]))


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


def read(path: str | Path) -> list[Cart]:
    """Return the carts in order; Wrong if there is a mistake."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Wrong(path, [f"{error.strerror}; name an inventory that can be read"]) from None
    except UnicodeDecodeError as error:
        raise Wrong(path, [f"not UTF-8 at byte {error.start}; save it as UTF-8"]) from None
    carts, mistakes = (_toml if str(path).lower().endswith(".toml") else _csv)(path, text)
    mistakes = mistakes or _columns(carts)
    if not mistakes:
        mistakes = [*_twice(carts, "name"), *_twice(carts, "host")]
    if not carts and not mistakes:
        mistakes = ["no cart: below the line of names comes a row for each"]
    if mistakes:
        raise Wrong(path, mistakes)
    return carts


def _csv(path: str | Path, text: str) -> tuple[list[Cart], list[str]]:
    first = "".join(re.findall(r"^[^#\s,;].*", text, re.MULTILINE)[:1])  # the line of names
    # A cell may hold line ends: they are kept, and refused where they mean something.
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=first.count), strict=True)
    carts: list[Cart] = []
    mistakes: list[str] = []
    names: list[str] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not names:
                names = cells
                mistakes += [f"row {reader.line_num}: column {name!r} twice" for name in _doubled(names)]
            elif len(cells) != len(names):
                mistakes.append(f"row {reader.line_num}: {len(cells)} columns, the line of names has {len(names)}")
            else:
                carts.append(Cart(reader.line_num, dict(zip(names, cells, strict=True))))
            if len(carts) > ROWS_MOST:
                raise Wrong(path, [f"more than {ROWS_MOST} carts"])
    except csv.Error as error:
        mistakes.append(f"row {reader.line_num}: no CSV ({error}); is a quote left open?")
    return carts, mistakes


def _toml(_path: str | Path, text: str) -> tuple[list[Cart], list[str]]:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [f"no TOML: {error}"]
    rows = tree.get("cart")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > ROWS_MOST:
        return [], [f"no [[cart]]: one for each cart, at most {ROWS_MOST}"]
    carts: list[Cart] = []
    mistakes: list[str] = []
    for index, row in enumerate(rows, 1):
        odd = [name for name, value in row.items() if isinstance(value, (dict, list, bool))]
        mistakes += [f"cart {index}, column {name!r}: a text or a number is allowed" for name in odd]
        carts.append(Cart(index, {name: str(value).strip() for name, value in row.items()}))
    return carts, mistakes


def _columns(carts: list[Cart]) -> list[str]:
    mistakes: list[str] = []
    for cart in carts:
        for column, form in zip(COLUMNS, (_NAME, _HOST), strict=True):
            found = cart.columns.get(column)
            if found is None:
                mistakes.append(f"row {cart.row}: no column {column!r}; every cart has name and host")
            elif not form.fullmatch(found):
                mistakes.append(f"row {cart.row}, column {column!r}: {found!r}; letters, digits, dot, dash are allowed")
    return mistakes


def _doubled(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _twice(carts: list[Cart], column: str) -> list[str]:
    first: dict[str, Cart] = {}
    mistakes: list[str] = []
    for cart in carts:
        other = first.setdefault(cart.columns[column].lower(), cart)
        if other is not cart:
            mistakes.append(f"row {cart.row}, column {column!r}: {cart.columns[column]!r} is in row {other.row}, too")
    return mistakes


class _Absent(Exception):
    """A text that cannot be filled in: the column, and what is wrong with it."""


def configurations(template_path: str | Path, carts: list[Cart]) -> dict[str, str]:
    """Return the text of each cart's configuration by its name; Wrong with all mistakes of all carts."""
    try:
        template = config_file.parse(template_path)
    except config_file.Wrong as wrong:
        raise Wrong(
            template_path,
            [f"{place}: {config_file.sentence(found, allowed)}" for place, found, allowed in wrong.mistakes],
        ) from None
    mistakes: list[str] = []
    texts: dict[str, str] = {}
    completed: list[tuple[Cart, dict]] = []
    folder = Path(template_path).resolve().parent  # secrets' names are relative to it
    for cart in carts:
        try:
            texts[cart.name] = json.dumps(_filled(template, cart, ""), indent=2) + "\n"
            completed.append((cart, config_file.read_text(folder / f"{cart.name}.json", texts[cart.name])))
        except _Absent as absent:
            mistakes.append(f"row {cart.row} ({cart.name}): {absent}")
        except config_file.Wrong as wrong:
            mistakes += [_of_row(cart, template, mistake) for mistake in wrong.mistakes]
    mistakes += _taken_twice(completed)
    if mistakes:
        raise Wrong(template_path, mistakes)
    return texts


def _filled(part: object, cart: Cart, place: str) -> object:
    if isinstance(part, dict):
        return {key: _filled(value, cart, f"{place}.{key}" if place else key) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, cart, f"{place}[{index}]") for index, value in enumerate(part)]
    return _text(part, cart, place) if isinstance(part, str) else part


def _text(text: str, cart: Cart, place: str) -> str | int:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise _Absent(f"{place} has a brace alone in {text!r}; a literal one is written twice") from None
    said = ""
    for literal, column, kind, conversion in parts:
        said += literal
        if column is None:
            continue
        if kind == "int" and len(parts) == 1 and not literal:
            return _whole_number(column, cart, place)
        if kind or conversion:
            raise _Absent(f"{place} has {text!r}; allowed are {{column}}, and {{column:int}} with nothing around it")
        said += _value(column, cart, place)
    return said


def _whole_number(column: str, cart: Cart, place: str) -> int:
    value = _value(column, cart, place)
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise _Absent(f"column {column!r} is {value!r}; {place} wants a whole number")
    return int(value)


def _value(column: str, cart: Cart, place: str) -> str:
    if not cart.columns.get(column):
        known = ", ".join(cart.columns)
        raise _Absent(f"column {column!r}, which {place} wants, is empty or not there; there are {known}")
    return cart.columns[column]


def _of_row(cart: Cart, template: object, mistake: config_file.Mistake) -> str:
    place, found, allowed = mistake
    columns = [name for text in _texts_at(template, place) for name in re.findall(r"\{([^{}:]+)", text)]
    where = f"column {columns[0]!r}, {place}" if columns else place
    return f"row {cart.row} ({cart.name}), {where}: {config_file.sentence(found, allowed)}"


def _texts_at(template: object, place: str) -> Iterator[str]:
    part = template
    for key in re.findall(r"[^.\[\]]+", place):
        if isinstance(part, list) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, dict) and key in part:
            part = part[key]
        else:
            return
    if isinstance(part, str):
        yield part


def _taken_twice(completed: list[tuple[Cart, dict]]) -> list[str]:
    """Say which carts are the same station to ToolsNet, or want the same controller's place."""
    first: dict[tuple, Cart] = {}
    mistakes: list[str] = []
    for cart, tree in completed:
        own = set()
        for station in tree["stations"]:
            controller = station["controller"]
            own.add(("station", f"{tree['system']['number']}/{station['number']} (system/station)"))
            if controller["link"] == "tcp":
                own.add(("controller", f"{controller['host']}:{controller['port']}"))
        for what, which in sorted(own):
            other = first.setdefault((what, which), cart)
            if other is not cart:
                mistakes.append(
                    f"row {cart.row} ({cart.name}): {what} {which} is that of row {other.row} ({other.name})"
                )
    return mistakes
