"""The table of results in the live view: its heading and its rows, as wide as the room allows.

Rules
1. A column is shown if there is room for it, the important ones first.
2. A value that is not OK is marked by a sign, too high or too low, not only by its colour.
"""

from __future__ import annotations

from rich.text import Text

from toolcart.tools.live import table
from toolcart.tools.live.panels import BAD_STYLE, GOOD_STYLE, WARNING_STYLE
from toolcart.tools.live.table import Column

ROOMY = 84  # from this many cells on, columns are further apart
_SIGNS = {"OK": " ", "": " ", "high": "▲", "low": "▼"}


def _value_cell(value: str, status: str) -> tuple[str, str]:
    return value + _SIGNS.get(status, "!"), "" if status in ("OK", "") else BAD_STYLE


def _status_cell(result: dict) -> tuple[str, str]:
    return result["status"], "bold " + GOOD_STYLE if result["status"] == "OK" else BAD_STYLE


def _source_cell(result: dict) -> tuple[str, str]:
    return result["source"].lower(), "dim" if result["source"] == "LIVE" else WARNING_STYLE


COLUMNS = (
    Column("no.", 6, lambda result: (str(result["number"]), ""), 0, True),
    Column("date", 10, lambda result: ((result["time"] or " ").split(" ")[0], "dim"), 106),
    Column("time", 8, lambda result: ((result["time"] or " ").split(" ")[-1], "")),
    Column("VIN", 17, lambda result: (result["vin"], ""), more=lambda width: 8 if width >= 96 else 0),
    Column("prog", 4, lambda result: (result["program"], ""), 0, True),
    Column(
        "torque",
        11,
        lambda result: _value_cell(f"{result['torque']} {result['unit']}", result["torque_status"]),
        right=True,
    ),
    Column("angle", 7, lambda result: _value_cell(f"{result['angle']}°", result["angle_status"]), right=True),
    Column("", 3, _status_cell),
    Column("batch", 13, lambda result: (result["batch_status"], "dim"), 120),
    Column("tightening ID", 13, lambda result: (result.get("tightening_id") or "", "dim"), 134, True),
    Column("source", 9, _source_cell, 72),
)


def _separator(width: int) -> str:
    return "  " if width >= ROOMY else " "


def heading(width: int) -> Text:
    """Return the line above the table."""
    return Text(table.heading(COLUMNS, width, _separator(width)).rstrip(), "dim", no_wrap=True, overflow="crop")


def row(result: dict, width: int) -> Text:
    """Return the line of a result, or of a frame that could not be read as one."""
    text = Text(no_wrap=True, overflow="crop")
    if result["source"] == "RAW":
        text.append(f"{result['number']:>6}  ")
        text.append(f"could not be read, kept as it came ({result['octets']} bytes)", "bold " + WARNING_STYLE)
        return text
    table.append_row(text, COLUMNS, result, width, _separator(width))
    text.rstrip()
    return text


def matches(result: dict, word: str) -> bool:
    """True if the word is anywhere in the result; NOK finds what is not OK, and OK what is."""
    if word.upper() in ("OK", "NOK"):
        return result.get("status") == word.upper()
    return any(word.casefold() in str(value).casefold() for value in result.values())
