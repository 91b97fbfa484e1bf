"""The pages as HTML: an overview of all stations, and one agent's status in the words of `toolcart status`.

Rules
1. No script and nothing from elsewhere: a page reloads itself. It shares frame, style and the way foreign text is shown
   with the archive's pages (toolcart.pages).
2. A colour is never used alone: the word beside it says the same.
3. On a phone a station's cells are below each other, so that there is no sideways scrolling.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from toolcart.pages import templates
from toolcart.tools.web.polling import Seen
from toolcart.tools.words import attention, reasons, sides
from toolcart.tools.words import status as words

REFRESH_S = 5
_NAMES = ("Station", "Controller", "Outlet", "Stored", "Delivered", "Waiting", "Set aside")


def overview(seen: list[Seen]) -> str:
    """Return the page of all agents: every station, and below it what is wrong with it."""
    agents = [{**_heading(one), "rows": _rows(one)} for one in seen]
    return _rendered("stations.html", agents=agents, names=_NAMES)


def agent(one: Seen) -> str:
    """Return one agent's page, in the words of the command line."""
    lines = words.agent_lines(one.status["agent"]) if one.status else []
    for station in one.status["stations"] if one.status else ():
        lines += ["", *words.station_lines(station)]
    return _rendered("agent.html", one=_heading(one), lines=lines)


def trouble(text: str) -> str:
    return _rendered("trouble.html", title="Not here", text=text)


def row(station: dict) -> str:
    told: dict[str, Any] = {
        "name": f"{station['number']} {station.get('name') or ''}".strip(),
        "not_up": "",
        "notes": [],
    }
    if not station["mounted"]:
        told["not_up"] = attention.not_up(station)
        return _templates().get_template("station.html").render(told)
    outlet = sides.first_of(station)
    told["sides"] = [_side("Controller", station["controller"]), _side(sides.name_of(outlet), outlet)]
    figures = (station["stored"], station.get("delivered", "-"), station["backlog"], station.get("parked", "-"))
    told["figures"] = list(zip(_NAMES[3:], figures, strict=True))
    for side in (station["controller"], outlet):
        reason = sides.reason_of(side)
        if reason:
            told["notes"].append((f"{reason.words}.", reason.hint))
    told["notes"] += [(" ".join(line.split()), "") for line in words.sorrow_lines(station)]
    return _templates().get_template("station.html").render(told)


def _rows(one: Seen) -> list[Markup]:
    return [Markup(row(station)) for station in one.status["stations"]] if one.status else []


def _heading(one: Seen) -> dict[str, Any]:
    about = words.agent_lines(one.status["agent"])[0] if one.status else ""
    trouble = "" if one.status else one.trouble or "it does not answer"
    notes = [(need.words, need.hint) for need in attention.of_agent(one.status["agent"])] if one.status else []
    return {"name": one.name, "about": about, "trouble": trouble, "hint": one.hint, "notes": notes}


def _side(name: str, shown: dict) -> dict[str, Any]:
    place = reasons.and_next_try(sides.place_of(shown), shown)
    return {"name": name, "state": shown["state"], "is_good": sides.is_well(shown), "place": place}


@functools.cache
def _templates() -> Environment:
    return templates(Path(__file__).parent / "templates")


def _rendered(name: str, **values: Any) -> str:
    return _templates().get_template(name).render(refresh_s=REFRESH_S, **values)
