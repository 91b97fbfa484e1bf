"""What can be changed on pages: a program's control limits, and remarks on a result. Both are kept, and audited."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from toolcart.archive.database import audit
from toolcart.archive.database.queries import ResultFilter, digits_of
from toolcart.archive.statistics import limits
from toolcart.archive.statistics.periods import moment
from toolcart.archive.web import page_queries, request_arguments, template_filters
from toolcart.archive.web.pages import Page, station_of
from toolcart.archive.web.reading import Reading, Writing
from toolcart.archive.web.request_arguments import InvalidRequest, NotThere

REFERENCE_DAYS = 30  # of a reference period, unless another one is chosen: twenty subgroups of a day, and more
WITHDRAW = "withdraw"


async def limits_page(read: Reading, request: Request) -> Page:
    """All limits of a program that were ever set."""
    station, wanted = await _program(read, request)
    names = await read(page_queries.program_names, wanted.station)
    kept = await read(limits.kept, wanted)
    newest = await read(page_queries.newest, wanted.station, wanted.program, wanted.spindle)
    until = moment(newest[0]) if newest else None
    form: dict[str, Any] = {"program": wanted.program, "spindle": wanted.spindle}
    for name, instant in (
        ("from", request_arguments.minute(request, "from") or (until and until - timedelta(days=REFERENCE_DAYS))),
        ("to", request_arguments.minute(request, "to") or until),
    ):
        form[name] = request_arguments.field(instant)
    values: dict[str, Any] = {"station": station, "form": form, "limits": kept, "note_most": limits.NOTE_MOST}
    values["title"] = names.get((wanted.spindle or 0, wanted.program or 0), f"Program {wanted.program}")
    return Page("limits.html", values)


async def set_limits(read: Reading, write: Writing, request: Request, form: dict[str, str], who: str) -> str:
    """Set limits from a reference period, or withdraw some; return the address of the page that lists them."""
    _, wanted = await _program(read, request)
    here = template_filters.link(request.url.path, program=wanted.program, spindle=wanted.spindle)
    if form.get(WITHDRAW):
        number = form[WITHDRAW]
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise InvalidRequest("withdraw: the number of limits in the list")
        if not await write(limits.withdraw, int(number), who):
            raise NotThere(f"there are no limits {number} in use")
        return here
    since, until, begins = (_minute(form, name) for name in ("from", "to", "begins"))
    reference = ResultFilter(wanted.station, wanted.spindle, wanted.program, since, until + "a")
    try:
        await write(limits.put, reference, begins, who, form.get("note", "").strip())
    except limits.TooFewValues as why:
        raise InvalidRequest(f"From {form['from']} to {form['to']} there are too few results. {why}") from None
    return here


async def add_remark(read: Reading, write: Writing, request: Request, form: dict[str, str], who: str) -> str:
    """Add a remark; return the address of the result."""
    number = request.path_params["number"]
    text = form.get("text", "").replace("\0", "").strip()
    if not text or len(text) > audit.REMARK_MOST:
        raise InvalidRequest(f"A remark has 1 to {audit.REMARK_MOST} characters.")
    if number >= 2**63 or not await write(audit.add_remark, number, who, text):
        raise NotThere(f"there is no result {number}")
    return f"/result/{number}"


async def _program(read: Reading, request: Request) -> tuple[dict, ResultFilter]:
    key, station = await station_of(read, request)
    program, spindle = request_arguments.number(request, "program"), request_arguments.number(request, "spindle")
    if program is None:
        raise InvalidRequest("program: limits are of one program of a station")
    return station, ResultFilter(key, 1 if spindle is None else spindle, program)


def _minute(form: dict[str, str], name: str) -> str:
    """Return 12 digits of a form's time."""
    text = form.get(name, "")
    digits = (digits_of(text) or "")[:12]
    try:
        datetime.strptime(digits.rjust(12), "%Y%m%d%H%M")
    except ValueError:
        raise InvalidRequest(f"{name} {text!r}: a time such as 2026-11-21T14:30") from None
    return digits
