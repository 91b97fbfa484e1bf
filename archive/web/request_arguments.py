"""What addresses say: stations, times, numbers, places in a list. What cannot be read is an InvalidRequest."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime

from starlette.requests import Request

from toolcart.archive.database.queries import digits_of, station_of
from toolcart.archive.statistics import rates
from toolcart.archive.web import page_queries

_FILLED = {"from": "000001010000", "to": "999912312359"}  # fills in what a time leaves out
NONE = "-"  # a tool without a serial number


class InvalidRequest(Exception):
    """The address names nothing that can be shown; a page says why, under this title."""

    status, title = 400, "This cannot be read"


class NotThere(InvalidRequest):
    """There is no such thing; the text says what was asked for."""

    status, title = 404, "Not found"


def station(text: str) -> page_queries.Station:
    """Read type/system/station, or the last number alone."""
    key = station_of(text)
    if key is None:
        raise InvalidRequest(f"station {text!r}: type/system/station such as 3/1/10, or the last number alone")
    return key


def number(request: Request, name: str, within: range = range(10**9)) -> int | None:
    """Return a number; None if the address has none of this name."""
    text = request.query_params.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in within):
        bounds = "" if len(within) == 10**9 else f", {within[0]} to {within[-1]}"
        raise InvalidRequest(f"{name} {text!r}: a number{bounds}")
    return int(text)


def text(request: Request, name: str, most: int) -> str | None:
    """Return a text without the blanks around it; None if the address has none of this name."""
    return request.query_params.get(name, "").strip()[:most] or None


def tool(request: Request) -> str | None:
    """Return a tool's serial number, "" for tools without one; None if the address names no tool."""
    serial = text(request, "tool", 10)
    return "" if serial == NONE else serial


def cause(request: Request) -> tuple[int, int, int] | None:
    """Return the statuses of torque, angle and time that a cause means; None if the address names no cause."""
    words = text(request, "cause", 100)
    statuses = rates.statuses(words) if words else None
    if words and statuses is None:
        raise InvalidRequest(f"cause {words!r}: such as torque low, or torque low, angle high")
    return statuses


def one_of(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    """Return one of these words, the first if the address has none."""
    value = request.query_params.get(name, "") or allowed[0]
    if value not in allowed:
        raise InvalidRequest(f"{name} {value!r}: one of {', '.join(allowed)}")
    return value


def time(request: Request, name: str, is_day: bool = False) -> str | None:
    """Return the digits of a time or of its beginning, `is_day`: of a day."""
    text = request.query_params.get(name, "")
    digits = digits_of(text, is_day)
    if text and digits is None:
        raise InvalidRequest(f"{name} {text!r}: a time such as 2026-11-21 or 2026-11-21T14:30")
    return digits


def minute(request: Request, name: str) -> datetime | None:
    """Return the minute of `from` or `to`; for a day, a month or a year, its first or last."""
    digits, filled = time(request, name), _FILLED[name]
    if digits is None:
        return None
    try:
        if name == "to" and len(digits) == len("202611"):
            digits += str(monthrange(int(digits[:4]), int(digits[4:]))[1])
        return datetime.strptime((digits[:12] + filled[len(digits) :]), "%Y%m%d%H%M")
    except ValueError:
        raise InvalidRequest(f"{name} {request.query_params[name]!r}: there is no such time") from None


def field(time: datetime | None) -> str:
    """Return a time as a browser's field has it."""
    return time.isoformat(timespec="minutes") if time else ""


def shorter(request: Request) -> dict[str, dict[str, str]] | None:
    """Return the fields of a form that asks the same of less, and what it keeps; None if the page takes no times."""
    taken = getattr(request.state, "taken", ())
    if "from" not in taken:
        return None
    asked = ("from", "to", *(name for name in ("station", "program") if name in taken))
    fields = {name: request.query_params.get(name, "") for name in asked}
    fields |= {name: field(minute(request, name)) for name in ("from", "to")}
    kept = {name: value for name, value in request.query_params.items() if name not in (*asked, "behind", "as", "wait")}
    return {"fields": fields, "kept": kept}


def behind_day(digits: str | None) -> str | None:
    """Return an end that includes the whole day or minute named, as people mean it."""
    return None if digits is None else digits + "a"


def place(request: Request) -> page_queries.PagePosition | None:
    """Return where a list goes on."""
    text = request.query_params.get("behind")
    if not text:
        return None
    time, _, number = text.partition("-")
    if not (
        number.isascii() and number.isdigit() and len(number) < 19 and len(time) <= 14 and time.isalnum() | (not time)
    ):
        raise InvalidRequest(f"behind {text!r}: the address of a further page, as the page before has it")
    return page_queries.PagePosition(time, int(number))
