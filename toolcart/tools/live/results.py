"""The table of results in the live view: its heading and its rows, as wide as the room allows.

Rules
1. A column is shown if there is room for it, the important ones first.
2. A value that is not OK is marked by a sign, too high or too low, not only by its colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from toolcart.tools.live.panels import BAD_STYLE, GOOD_STYLE, WARNING_STYLE, fitted

ROOMY = 84  # from this many cells on, columns are further apart
_SIGNS = {"OK": " ", "": " ", "high": "▲", "low": "▼"}


@dataclass(frozen=True)
class Column:
    """`tell(result)` gives text and colour; shown from `from_width` cells on, `wide` cells wide from `wide_from` on."""

    title: str
    cells: int
    tell: Callable[[dict], tuple[str, str]]
    from_width: int = 0
    right: bool = False
    wide: int = 0
    wide_from: int = 1000


def _torque(result: dict) -> tuple[str, str]:
    return _judged(f"{result['torque']} {result['unit']}", result["torque_status"])


def _angle(result: dict) -> tuple[str, str]:
    return _judged(f"{result['angle']}°", result["angle_status"])


def _judged(value: str, status: str) -> tuple[str, str]:
    return value + _SIGNS.get(status, "!"), "" if status in ("OK", "") else BAD_STYLE


def _status(result: dict) -> tuple[str, str]:
    return result["status"], "bold " + GOOD_STYLE if result["status"] == "OK" else BAD_STYLE


def _source(result: dict) -> tuple[str, str]:
    return result["source"].lower(), "dim" if result["source"] == "LIVE" else WARNING_STYLE


COLUMNS = (
    Column("no.", 6, lambda result: (str(result["number"]), ""), 0, True),
    Column("date", 10, lambda result: ((result["time"] or " ").split(" ")[0], "dim"), 106),
    Column("time", 8, lambda result: ((result["time"] or " ").split(" ")[-1], "")),
    Column("VIN", 17, lambda result: (result["vin"], ""), 0, False, 25, 96),
    Column("prog", 4, lambda result: (result["program"], ""), 0, True),
    Column("torque", 11, _torque, 0, True),
    Column("angle", 7, _angle, 0, True),
    Column("", 3, _status),
    Column("batch", 13, lambda result: (result["batch_status"], "dim"), 120),
    Column("tightening ID", 13, lambda result: (result.get("tightening_id") or "", "dim"), 134, True),
    Column("source", 9, _source, 72),
)


def _columns(width: int) -> list[tuple[Column, int]]:
    return [
        (column, column.wide if width >= column.wide_from else column.cells)
        for column in COLUMNS
        if width >= column.from_width
    ]


def _between(width: int) -> str:
    """Return what separates two columns."""
    return "  " if width >= ROOMY else " "


def heading(width: int) -> Text:
    """Return the line above the table."""
    titles = [
        f"{column.title:>{cells}}" if column.right else f"{column.title:<{cells}}" for column, cells in _columns(width)
    ]
    return Text(_between(width).join(titles).rstrip(), "dim", no_wrap=True, overflow="crop")


def row(result: dict, width: int) -> Text:
    """Return the line of a result, or of a frame that could not be read as one."""
    text = Text(no_wrap=True, overflow="crop")
    if result["source"] == "RAW":
        text.append(f"{result['number']:>6}  ")
        text.append(f"could not be read, kept as it came ({result['octets']} bytes)", "bold " + WARNING_STYLE)
        return text
    for column, cells in _columns(width):
        value, style = column.tell(result)
        text.append(value.rjust(cells) if column.right and len(value) <= cells else fitted(value, cells), style)
        text.append(_between(width))
    text.rstrip()
    return text


def has(result: dict, word: str) -> bool:
    """True if the word is anywhere in the result; NOK finds what is not OK, and OK what is."""
    if word.upper() in ("OK", "NOK"):
        return result.get("status") == word.upper()
    return any(word.casefold() in str(value).casefold() for value in result.values())
