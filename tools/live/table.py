"""A table of the live view: as many of its columns as fit, with a heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.text import Text

from toolcart.tools.live.panels import fitted

Item = TypeVar("Item")


@dataclass(frozen=True)
class Column(Generic[Item]):
    """`cell(item)` returns text and colour; shown from `from_width` cells on, `more(width)` cells wider."""

    title: str
    cells: int
    cell: Callable[[Item], tuple[str, str]]
    from_width: int = 0
    right: bool = False
    more: Callable[[int], int] = lambda width: 0


def _visible(columns: Sequence[Column[Item]], width: int) -> list[tuple[Column[Item], int]]:
    return [(column, column.cells + column.more(width)) for column in columns if width >= column.from_width]


def heading(columns: Sequence[Column[Item]], width: int, separator: str) -> str:
    """Return the line above the table."""
    visible = _visible(columns, width)
    return separator.join(
        column.title.rjust(cells) if column.right else column.title.ljust(cells) for column, cells in visible
    )


def append_row(text: Text, columns: Sequence[Column[Item]], item: Item, width: int, separator: str) -> None:
    """Add the line of a thing; each cell is followed by what is between two of them."""
    for column, cells in _visible(columns, width):
        value, style = column.cell(item)
        text.append(value.rjust(cells) if column.right and len(value) <= cells else fitted(value, cells), style)
        text.append(separator)
