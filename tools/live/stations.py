"""The overview of all stations: how each one is doing, in a few words and in a line of a table.

Rules
1. Pure: made from a station's state and what is kept about it; nothing here knows a screen.
2. A station's line says the worst that is wrong with it; the sign in the first column says how bad, without colour.
3. A table has as many columns as fit its width; the last one takes what is left.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from rich.cells import cell_len
from rich.text import Text

from toolcart.base.terminal_safe import visible
from toolcart.tools.live import chart, panels, table
from toolcart.tools.live.figures import BAD, GOOD, INFO, NO_AGENT, NO_ANSWER, WARNING, is_ready, is_streaming
from toolcart.tools.live.history import StationFigures
from toolcart.tools.live.table import Column
from toolcart.tools.messages import (
    attention,
    connections,
    latched_conditions,
    outlet_names,
    spool_room,
    waiting_by_outlet,
)
from toolcart.tools.messages.attention import of_outlet
from toolcart.tools.messages.durations import span
from toolcart.tools.messages.outlet_names import first_outlet, other_outlets
from toolcart.tools.messages.reasons import Reason, short_word

MINI_CELLS = 20  # of the little curve
WITHOUT_STATE = {NO_AGENT: "the agent does not run", NO_ANSWER: "the agent does not answer"}
ORDER = (BAD, WARNING, INFO, GOOD)
SORTS = ("number", "worst first", "most waiting")


# For a missing side: the agent's word, that with the side's name, the sentence, that with what to do.
BARE, SHORT, WORDS, WHOLE = range(4)


def verdict(status: dict, detail: int = SHORT) -> tuple[str, str]:
    """Return how bad it is, and what is wrong in words; "" if all is well."""
    if not status["mounted"]:
        return BAD, attention.spool_problem(status)
    controller = status["controller"]
    if controller["state"] in WITHOUT_STATE:
        return BAD, WITHOUT_STATE[controller["state"]]
    needs = attention.bad_needs(status)
    if needs:
        return BAD, needs[0].text() if detail == WHOLE else needs[0].words
    sides = connections.main_connections(status).values()
    texts = [(attention.level_of(side), _reason_text(side, detail)) for side in sides]
    texts = [text for text in texts if text[0]]
    if detail == BARE and len(texts) > len({text for _, text in texts}):
        texts = [(min(level for level, _ in texts), f"both {texts[0][1]}")]
    texts += [_outlet_text(need, outlet, detail) for outlet in other_outlets(status) if (need := of_outlet(outlet))]
    problems = [text for wanted in (attention.BAD, attention.WARN) for level, text in texts if level == wanted]
    warnings = [need for need in latched_conditions.all_needs(status) if need.level == attention.WARN]
    problems += [need.words for need in warnings if need.slug != "outlet"]
    if spool_room.percent_full(status) >= spool_room.HIGH_PERCENT:
        problems.append(f"spool {spool_room.percent_full(status)} % full")
    ahead_s = controller.get("clock_ahead_s") or 0
    if abs(ahead_s) > panels.CLOCK_APART_S:
        problems.append(f"clock {'ahead' if ahead_s > 0 else 'behind'} {span(abs(ahead_s))}")
    if status.get("parked"):
        problems.append(f"{status['parked']} set aside")
    if problems:
        is_bad = any(level == attention.BAD for level, _ in texts)
        return BAD if is_bad else WARNING, "; ".join(problems).replace(".;", ".").replace("?;", "?")
    gone_count = status["recovery"]["gone"]
    return (INFO, f"{gone_count} gone") if gone_count else (GOOD, "")


def _reason_text(connection: dict, detail: int) -> str:
    """Say why this side is not connected."""
    reason = connections.reason_of(connection) if detail > SHORT else Reason()
    if not reason and detail == BARE:
        return connection.get("why") or connection["state"]
    if not reason:
        return f"{outlet_names.name_of(connection)} {short_word(connection) or connection['state']}"
    return reason.text() if detail == WHOLE else reason.words


def _outlet_text(need: attention.Need, outlet: dict, detail: int) -> tuple[str, str]:
    """Return how bad it is that an outlet beside the first cannot be used, and why."""
    if detail <= SHORT:
        return need.level, f"{outlet_names.name_of(outlet)}: {short_word(outlet)}"
    return need.level, need.text() if detail == WHOLE else need.words


def _state_cell(connection: dict) -> tuple[str, str]:
    state = connection.get("state", "")
    sign, style = panels.state_sign(connection)
    return f"{sign} {state}" if state else "", style


def _oldest_cell(figures: StationFigures) -> tuple[str, str]:
    return waiting_by_outlet.oldest_text(figures.status), ""


def _count_cell(count: int) -> tuple[str, str]:
    return str(count), panels.WARNING_STYLE if count else "dim"


def _spool_cell(figures: StationFigures) -> tuple[str, str]:
    if "spool" not in figures.status:
        return "", ""
    percent = spool_room.percent_full(figures.status)
    return f"{percent} %", panels.WARNING_STYLE if percent >= spool_room.HIGH_PERCENT else "dim"


def _name_growth(width: int) -> int:
    """Return what the name gets beside its own cells where there is room."""
    return min(max(width - 100, 0) // 5, 18)


COLUMNS: tuple[Column[StationFigures], ...] = (  # behind the sign and the number
    Column("name", 12, lambda figures: (visible(figures.status["name"]), ""), more=_name_growth),
    Column("controller", 13, lambda figures: _state_cell(figures.status.get("controller", {}))),
    Column("outlet", 13, lambda figures: _state_cell(first_outlet(figures.status))),
    Column("in/s", 5, lambda figures: (f"{figures.rates()[0]:.1f}", ""), 84, True),
    Column("out/s", 5, lambda figures: (f"{figures.rates()[1]:.1f}", ""), 104, True),
    Column("waiting", 7, lambda figures: _count_cell(figures.status.get("backlog", 0)), 0, True),
    Column("oldest", 22, _oldest_cell, 112),
    Column("aside", 6, lambda figures: _count_cell(figures.status.get("parked", 0)), 128, True),
    Column("stored", 9, lambda figures: (str(figures.status.get("stored", 0)), ""), 140, True),
    Column("spool", 6, _spool_cell, 96, True),
    Column(
        "waiting, 2 min",
        MINI_CELLS,
        lambda figures: (chart.sparkline(figures.curve, MINI_CELLS), panels.CURVE_STYLE),
        160,
    ),
)
WRONG = "what is wrong"


def heading(width: int) -> Text:
    """Return the line above the table."""
    return Text(f" no.   {table.heading(COLUMNS, width, ' ')}  {WRONG}", "dim", no_wrap=True, overflow="crop")


def row(figures: StationFigures, width: int) -> Text:
    """Return a station's line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    level, _ = verdict(figures.status)
    text.append(f"{panels.LEVEL_SIGNS[level]} ", panels.LEVEL_STYLES[level] or panels.GOOD_STYLE)
    text.append(f"{figures.status['number']:>4} ")
    table.append_row(text, COLUMNS, figures, width, " ")
    text.append(" ")
    for detail in (WHOLE, WORDS, SHORT, BARE):
        level, text_cell = verdict(figures.status, detail)
        text_cell = visible(text_cell)
        if cell_len(text_cell) <= width - text.cell_len:
            break
    text.append(text_cell, panels.LEVEL_STYLES[level])
    return text


def is_well(figures: StationFigures) -> bool:
    return not verdict(figures.status)[1]


def _urgency(figures: StationFigures) -> tuple[int, int, int]:
    """Return a key that is lower the worse the station is: how bad it is, and how many sides are missing."""
    status = figures.status
    connected_count = sum(map(connections.is_working, connections.main_connections(status).values()))
    return ORDER.index(verdict(status)[0]), connected_count, status["number"]


def worst(stations: list[StationFigures]) -> StationFigures | None:
    """Return the station to look at first; None if all are well."""
    return min((figures for figures in stations if not is_well(figures)), key=_urgency, default=None)


def problem_text(figures: StationFigures, cells: int, lines: int) -> Text:
    """Say what is wrong with a station that is not well, and what to do if there is room."""
    for detail in (WHOLE, WORDS, SHORT):
        level, problem = verdict(figures.status, detail)
        text = f"{panels.LEVEL_SIGNS[level]} station {figures.status['number']}: {visible(problem)}"
        if len(textwrap.wrap(text, max(cells, 1), break_on_hyphens=False)) <= lines:
            break
    return Text(text, panels.LEVEL_STYLES[level])


def selected(stations: list[StationFigures], filter_word: str, sort: str) -> list[StationFigures]:
    """Return the stations with the word in their line, in the order asked for."""
    filter_word = filter_word.casefold()
    selected = [figures for figures in stations if not filter_word or filter_word in _searchable_text(figures)]
    if sort == "worst first":
        selected.sort(key=_urgency)
    elif sort == "most waiting":
        selected.sort(key=lambda figures: (-figures.status.get("backlog", 0), figures.status["number"]))
    return selected


def _searchable_text(figures: StationFigures) -> str:
    status = figures.status
    searchable = [str(status["number"]), status["name"], *verdict(status)]
    searchable += [
        str(connection.get(name, ""))
        for connection in connections.main_connections(status).values()
        for name in ("state", "host", "place")
    ]
    return " ".join(searchable).casefold()


_IN_WORDS: dict[str, Callable[[Iterable[dict]], str]] = {
    "backlog": waiting_by_outlet.waiting_text,
    "stored": waiting_by_outlet.stored_text,
    "delivered": waiting_by_outlet.delivered_text,
}


def summary(stations: list[StationFigures], rates: tuple[float, float], width: int) -> Text:
    """Sum up all stations in two lines: the connections, and the results."""
    count = len(stations)
    ready = sum(is_ready(figures.status) for figures in stations)
    streaming = sum(is_streaming(figures.status) for figures in stations)
    levels = [verdict(figures.status)[0] for figures in stations]
    outlet = outlet_names.common_name(figures.status for figures in stations)
    for names in (("controllers ready", f"{outlet} connected"), ("controllers", outlet)):
        text = Text(no_wrap=True, overflow="ellipsis")
        for name, connected in zip(names, (ready, streaming), strict=True):
            style = panels.GOOD_STYLE if connected == count else panels.WARNING_STYLE
            text.append(f"{name} ", "dim").append(f"{connected} of {count}", style).append("   ")
        text.append("with trouble ", "dim")
        text.append(f"{sum(level in (BAD, WARNING) for level in levels)}", "bold")
        if text.cell_len <= width:
            break
    text.append("\n")
    totals = [("in", f"{rates[0]:.1f}/s"), ("out", f"{rates[1]:.1f}/s")]
    named = (("waiting", "backlog"), ("stored", "stored"), ("delivered", "delivered"), ("set aside", "parked"))
    for name, key in named:
        counts = [figures.status[key] for figures in stations if key in figures.status]
        in_words = _IN_WORDS.get(key)
        total = in_words([figures.status for figures in stations]) if in_words else str(sum(counts))
        totals += [(name, total)] if counts or name in ("waiting", "stored") else []
    dropped = sum(figures.status.get("dropped", 0) for figures in stations)
    totals += [("dropped", str(dropped))] if dropped else []
    for name, value in totals:
        text.append(f"{name} ", "dim").append(value, "bold").append("   ")
    text.rstrip()
    return text
