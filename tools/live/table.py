"""A table of the live view: as many of its columns as fit, with a heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.text import Text

from toolcart.tools.live.panels import fitted

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Column(Generic[Thing]):
    """`tell(thing)` gives text and colour; shown from `from_width` cells on, `more(width)` cells wider."""

    title: str
    cells: int
    tell: Callable[[Thing], tuple[str, str]]
    from_width: int = 0
    right: bool = False
    more: Callable[[int], int] = lambda width: 0


def _shown(columns: Sequence[Column[Thing]], width: int) -> list[tuple[Column[Thing], int]]:
    return [(column, column.cells + column.more(width)) for column in columns if width >= column.from_width]


def heading(columns: Sequence[Column[Thing]], width: int, between: str) -> str:
    """Return the line above the table."""
    told = _shown(columns, width)
    return between.join(
        column.title.rjust(cells) if column.right else column.title.ljust(cells) for column, cells in told
    )


def put(text: Text, columns: Sequence[Column[Thing]], thing: Thing, width: int, between: str) -> None:
    """Add the line of a thing; each cell is followed by what is between two of them."""
    for column, cells in _shown(columns, width):
        value, style = column.tell(thing)
        text.append(value.rjust(cells) if column.right and len(value) <= cells else fitted(value, cells), style)
        text.append(between)
