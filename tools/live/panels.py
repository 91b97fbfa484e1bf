"""The texts of the live view: every function makes one panel from a station's state; nothing here knows a screen.

Rules:
1. A panel fits the width it is given; what does not fit is left out from the right, the least important first.
2. Blue is connected or OK, orange is under way or worth a look, red is cut off, lost or NOK. Colour-blind people can
   tell these three apart (M. Okabe, K. Ito, Color Universal Design, 2008), and none is ever used alone: a sign or a
   word says the same.
"""

from __future__ import annotations

import textwrap
import time
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from toolcart.base.terminal_safe import visible
from toolcart.tools.live.figures import NO_AGENT, NO_ANSWER, Change
from toolcart.tools.messages import (
    attention,
    connections,
    latched_conditions,
    missed_results,
    outlet_names,
    spool_room,
    waiting_by_outlet,
)
from toolcart.tools.messages.counter_rows import ROWS
from toolcart.tools.messages.durations import span
from toolcart.tools.messages.outlet_names import other_outlets
from toolcart.tools.messages.reasons import Reason, short_word, with_next_try

DOWN_STATES = {"closed", "stopped", NO_AGENT, NO_ANSWER, "over"}
GOOD_STYLE = "#56b4e9"
WARNING_STYLE = "#e69f00"
BAD_STYLE = "bold #ff6f3c"  # their vermilion, lighter: the background is dark
CURVE_STYLE = "#e69f00"
LEVEL_STYLES = {"good": GOOD_STYLE, "info": "", "warning": WARNING_STYLE, "bad": BAD_STYLE}
LEVEL_SIGNS = {"good": "●", "info": "·", "warning": "◐", "bad": "✖"}
TROUBLE = {name for name, row in ROWS.items() if row.is_trouble}  # counters that mean it if they are not zero
CLOCK_APART_S = 5  # toolcart.agent.openprotocol.queries
GAUGE_CELLS = 12
FIGURES_APART = 3  # cells between two figures of a line
REASON_INDENT = 14  # below the state's word
REASON_LEAST = 24  # cells; with fewer, a sentence becomes a column of words
EVENT_CLOCK = 9  # cells of the clock and the blank after it
EVENTS_CACHED = 4096  # as many as are kept, at the two widths of a screen that is resized


def links(station: dict, cut: dict[str, bool], has_connected: bool = True, room: tuple[int, int] = (0, 0)) -> Text:
    """Both connections, the spool and the recovery in four lines, and one for each other outlet and each need.

    `has_connected` says whether the controller has been connected since the agent's start. `room` is cells and lines:
    what is left of them says why a connection is down and what to do about it; without enough room one word says why.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    if not station.get("mounted"):
        text.append(visible(attention.spool_problem(station)), BAD_STYLE)
        return text
    diagnosis = _diagnose(station, cut, room)
    for side, connection in connections.main_connections(station).items():
        _link_line(text, connection, cut.get(side, False), bool(diagnosis.reasons[side]), room[0])
        for line in diagnosis.reasons[side]:
            text.append(" " * REASON_INDENT + line + "\n", WARNING_STYLE)
    for need, lines in diagnosis.needs:
        for index, line in enumerate(lines):
            text.append(f"{'' if index else need.label.lower():<12}", "dim")
            text.append(f"{line}\n", BAD_STYLE if need.level == attention.BAD else WARNING_STYLE)
    for outlet in other_outlets(station):
        _outlet_line(text, outlet)
    _spool_line(text, station, room[0])
    _recovery_line(text, station, has_connected)
    for line in _loss_lines(station, room[0]):
        text.append(f"\n{'':<12}").append(line, "bold " + WARNING_STYLE)
    return text


class _Diagnosis(NamedTuple):
    """The lines that say what is wrong: why a side is down, by side, and each need."""

    reasons: dict[str, list[str]]
    needs: list[tuple[attention.Need, list[str]]]


def _diagnose(station: dict, cut: dict[str, bool], room: tuple[int, int]) -> _Diagnosis:
    """Return as much as the room allows: hints are dropped before whole sentences, the reasons before the needs."""
    both = connections.main_connections(station)
    down = [side for side, connection in both.items() if not connections.is_working(connection) and not cut.get(side)]
    reasons = {side: connections.reason_of(both[side]) for side in down}
    in_states = attention.unusable_main_connections(station)  # their states say them
    needs = [need for need in latched_conditions.all_needs(station) if need.level != attention.NOTE]
    needs = [need for need in needs if need not in in_states]
    width, rows = room
    lines_left = rows - 4 - len(other_outlets(station)) - len(_loss_lines(station, width))
    none: dict[str, list[str]] = {side: [] for side in both}
    if width - REASON_INDENT < REASON_LEAST:
        return _Diagnosis(none, [(need, [visible(need.text())]) for need in needs])
    whole_need, sentence, whole_reason = attention.Need.text, lambda item: item.words, Reason.text
    for need_text, reason_text in (
        (whole_need, whole_reason),
        (sentence, whole_reason),
        (sentence, sentence),
        (whole_need, None),
        (sentence, None),
    ):
        texts = {
            side: with_next_try(reason_text(reason), both[side])
            for side, reason in reasons.items()
            if reason and reason_text
        }
        reason_lines = {side: _wrapped(text, width - REASON_INDENT) for side, text in texts.items()}
        need_lines = [(need, _wrapped(need_text(need), width - 12)) for need in needs]
        if sum(map(len, reason_lines.values())) + sum(len(lines) for _, lines in need_lines) <= lines_left:
            return _Diagnosis({**none, **reason_lines}, need_lines)
    return _Diagnosis(none, [(need, lines[:1]) for need, lines in need_lines])


def _wrapped(sentence: str, width: int) -> list[str]:
    return textwrap.wrap(visible(sentence), width)


def _loss_lines(station: dict, width: int) -> list[str]:
    """Say how many results did not get through, or go out again, in as many lines as it takes."""
    counts = [f"{need.key} {need.label.lower()}" for need in latched_conditions.count_needs(station) if need.key != "0"]
    counts += [f"{outlet['sent_again']} to be sent again" for outlet in station["outlets"] if outlet.get("sent_again")]
    counts = [count.replace(" ", "\u00a0") for count in counts]
    return [line.replace("\u00a0", " ") for line in textwrap.wrap(", ".join(counts), max(width - 12, REASON_LEAST))]


def state_sign(connection: dict, is_cut: bool = False) -> tuple[str, str]:
    """Return the sign of a connection's state, and its colour."""
    level = attention.level_of(connection) if connection else attention.WARN
    if not level:
        return LEVEL_SIGNS["good"], GOOD_STYLE
    if level == attention.BAD and not is_cut:
        return LEVEL_SIGNS["bad"], BAD_STYLE
    is_down = is_cut or connection.get("state", "") in DOWN_STATES
    return ("○", BAD_STYLE) if is_down else ("◐", WARNING_STYLE)


def _link_line(text: Text, connection: dict, is_cut: bool, in_full: bool, width: int) -> None:
    """Add one side; its address gets a line of its own if it does not fit."""
    sign, style = state_sign(connection, is_cut)
    text.append(f"{outlet_names.name_of(connection):<11} ", "dim")
    text.append(f"{sign} {connection['state']:<9}  ", style)
    ahead_s = connection.get("clock_ahead_s") or 0
    reason = "" if connections.is_working(connection) else short_word(connection)
    if is_cut:
        text.append("network cut  ", BAD_STYLE)
    elif connection.get("waits_for_room"):
        text.append("spool full  ", BAD_STYLE)
    elif abs(ahead_s) > CLOCK_APART_S:
        text.append(f"clock {'ahead' if ahead_s > 0 else 'behind'} {span(abs(ahead_s))}", WARNING_STYLE)
    else:
        place = connections.place_of(connection)
        if not in_full:  # the agent's short word and the next try; the events have the whole sentence
            text.append(f"{reason}  " if reason else "", WARNING_STYLE)
            place = with_next_try(place, connection)
        used = text.plain.rpartition("\n")[2]
        fits = cell_len(used) + cell_len(place) <= width or not width
        indent = min(REASON_INDENT, max(width - cell_len(place), 0))
        text.append(place if fits else f"\n{'':<{indent}}{place}", "dim")
    text.append("\n")


def _outlet_line(text: Text, outlet: dict) -> None:
    text.append(f"{outlet_names.name_of(outlet):<11} ", "dim")
    sign, style = state_sign(outlet)
    text.append(f"{sign} {waiting_by_outlet.outlet_text(outlet)}  ", style)
    text.append(outlet["place"], "dim" if connections.is_working(outlet) else style)
    text.append("\n")


def _recovery_line(text: Text, station: dict, has_connected: bool) -> None:
    recovery = station["recovery"]
    text.append("recovery    ", "dim")
    if missed := missed_results.of_station(station):
        text.append(f"{missed.label}: {missed.words}", WARNING_STYLE)
    elif not connections.is_working(station["controller"]):  # only the controller knows what was made meanwhile
        never = "not connected since the start" if station["stored"] else "never connected"
        text.append("not connected now" if has_connected else never, WARNING_STYLE)
    else:
        text.append("nothing missed" if recovery["phase"] == "idle" else recovery["phase"])
    if recovery["epoch"]:
        text.append(f"  reset {recovery['epoch']} times", WARNING_STYLE)


def _spool_line(text: Text, station: dict, width: int) -> None:
    """Add the spool; if there is no room for both, the gauge gives way to the figures."""
    spool, percent = station["spool"], spool_room.percent_full(station)
    figures = f"  {percent} % full"
    troubles = "".join(f"  {spool[trouble]} {trouble}" for trouble in ("damaged", "torn", "worn") if spool[trouble])
    cells = min(GAUGE_CELLS, max(width - 12 - len(figures + troubles), 2)) if width else GAUGE_CELLS
    filled = -(-percent * cells // 100)
    text.append("spool       ", "dim")
    text.append("█" * filled, BAD_STYLE if percent >= spool_room.HIGH_PERCENT else GOOD_STYLE)
    text.append("░" * (cells - filled), "bright_black")
    text.append(figures).append(f"{troubles}\n", WARNING_STYLE)


def backlog(station: dict, rates: tuple[float, float]) -> Text:
    """The rates and the oldest waiting result: two lines above the curve."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for label, rate in zip(("in ", "   out "), rates, strict=True):
        text.append(label, "dim").append(f"{rate:.1f}/s", "bold")
    text.append("\n")
    oldest = waiting_by_outlet.oldest_text(station)
    waiting = station.get("backlog", 0)
    style = WARNING_STYLE if waiting else GOOD_STYLE
    is_known = station.get("controller", {}).get("state") not in (NO_AGENT, NO_ANSWER)
    words = f"{waiting_by_outlet.backlog_text(station)} waiting" if waiting else "nothing waiting"
    text.append(f"oldest stored {oldest} ago" if oldest else words, style if is_known else "dim")
    return text


def counters(station: dict, rows: int, width: int) -> Text:
    """Every counter that is not zero, those that mean trouble first; `+ N` for those that do not fit."""
    text = Text(no_wrap=True)
    counted = station.get("counters", {})
    names = sorted(counted, key=lambda name: (name not in TROUBLE, -counted[name]))
    used = 0
    for index, name in enumerate(names):
        cells = len(f"{name} {counted[name]}") + (3 if used else 0)
        more = len(f"   + {len(names)}") if rows <= 1 and index + 1 < len(names) else 0
        if used + cells + more > width:
            if rows <= 1:
                text.append(f"   + {len(names) - index}", "dim")
                break
            rows -= 1
            used, cells = 0, cells - (3 if used else 0)
            text.append("\n")
        elif used:
            text.append("   ")
        used += cells
        text.append(f"{name} ", WARNING_STYLE if name in TROUBLE else "dim")
        text.append(f"{counted[name]}", "bold " + WARNING_STYLE if name in TROUBLE else "bold")
    return text


def event(change: Change, line: int, text_line: str, began_s: float) -> Text:
    """One line of a change; a sign in the first says how bad it is. `began_s` is when the view began (Unix time)."""
    text = Text(no_wrap=True, overflow="ellipsis")
    at = time.strftime("%H:%M:%S", time.localtime(began_s + change.at_s))
    begin = f"{at} {LEVEL_SIGNS[change.level]} "
    text.append(begin[:EVENT_CLOCK] if line == 0 else " " * EVENT_CLOCK, "dim")
    text.append(begin[EVENT_CLOCK:] if line == 0 else "  ", LEVEL_STYLES[change.level])
    text.append(text_line, LEVEL_STYLES[change.level])
    return text


@lru_cache(maxsize=EVENTS_CACHED)
def event_lines(text: str, width: int) -> tuple[str, ...]:
    """Wrap the words of a change to `width` cells; the first line's clock and sign are not counted."""
    return tuple(textwrap.wrap(visible(text), max(width - EVENT_CLOCK - 2, 20))) or ("",)


def fitted(text: str, cells: int) -> str:
    """Return the text in exactly `cells` cells, padded with blanks or cut with a sign that says so."""
    if cell_len(text) > cells:
        return set_cell_size(text, cells - 1) + "…"
    return set_cell_size(text, cells)


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def both_books(books: dict, parked: int, width: int) -> Text:
    """Both sides' books: two lines, more where the panel is narrow: a figure stays beside its word.

    Only the final reconciliation can say what is lost: results may still be on their way.
    """
    in_transit = max(0, books.get("acknowledged", 0) - books.get("delivered", 0) - parked)
    made = [("produced", books.get("produced", 0), ""), ("acknowledged", books.get("acknowledged", 0), "")]
    arrived = [("archived", books.get("delivered", 0), ""), ("repeated", books.get("repeated", 0), "")]
    arrived += [("on the way", in_transit, ""), ("out of spool order", books.get("out_of_order", 0), BAD_STYLE)]
    if parked:
        arrived.append(("set aside", parked, "bold " + WARNING_STYLE))
    if books.get("doubled"):
        arrived.append(("stored twice", books["doubled"], BAD_STYLE))
    text = Text().append("controller  ", "dim")
    _figures(text, made, width)
    text.append("\n").append("ToolsNet    ", "dim")
    _figures(text, arrived, width)
    return text


def account(status: dict) -> Text:
    """What one station's spool has seen since it was made: one line."""
    text = Text()
    waiting = "waiting at most" if waiting_by_outlet.is_bound(status) else "waiting"
    if status.get("backlog") and len(status.get("outlets", ())) > 1:
        waiting += f" for {waiting_by_outlet.backlog_for(status)}"
    delivered = "delivered at least" if waiting_by_outlet.is_least(status) else "delivered"
    stored = "stored at least" if status.get("stored_at_least") else "stored"
    names = ((stored, "stored", ""), (delivered, "delivered", ""), (waiting, "backlog", WARNING_STYLE))
    names = (*names, ("set aside", "parked", BAD_STYLE))
    names = (*names, ("dropped", "dropped", BAD_STYLE)) if status.get("dropped") else names
    _figures(text, [(label, status[name], style) for label, name, style in names if name in status])
    return text


def _figures(text: Text, figures: list[tuple[str, int, str]], width: int = 0) -> None:
    """Add them in as many lines of this width as it takes, each below the first figure; 0: in one line."""
    indent = used = len(text.plain.rpartition("\n")[2])
    for index, (name, count, style) in enumerate(figures):
        cells = len(f"{name} {count}")
        if index and width and used + FIGURES_APART + cells > width:
            text.append("\n" + " " * indent)
            used = indent
        elif index:
            text.append(" " * FIGURES_APART)
            used += FIGURES_APART
        text.append(f"{name} ", "dim").append(f"{count}", style if style and count else "bold")
        used += cells


DEMO_KEYS = [
    ("n", "disconnect ToolsNet's network, or reconnect it"),
    ("c", "the controller's network"),
    ("k", "kill the agent as a power cut would"),
    ("a", "kill ToolsNet's archive"),
    ("+ -", "more, fewer results per second"),
]
KEYS = [
    ("↑ ↓", "go through the list; Page up, Page down, Home, End as well"),
    ("Enter", "open the station; Esc goes back to all of them"),
    ("← →", "the station before, the next one"),
    ("Tab", "next list, such as the events"),
    ("/", "filter by a word, such as a VIN or NOK; Esc shows all"),
    ("s", "order of the stations: number, worst first, most waiting"),
    ("e", "events full screen, and back"),
    ("z", "waiting results over 2 minutes, an hour, a day"),
    ("q", "end in order, as Ctrl-C does; a second time: at once"),
]
SIGNS = [
    ("good", "connected, well"),
    ("info", "something to know"),
    ("warning", "in progress, or worth a look"),
    ("bad", "needs attention"),
]


def help_text(keys: list[tuple[str, str]]) -> Text:
    """Keys, signs, and how to get ASCII."""
    text = Text()
    for key, meaning in keys:
        text.append(f"  {key:<7}", "bold").append(f"{meaning}\n")
    text.append("\n")
    for level, meaning in SIGNS:
        text.append(f"  {LEVEL_SIGNS[level]:<7}", LEVEL_STYLES[level]).append(f"{meaning}\n")
    text.append(f"  {'○':<7}", BAD_STYLE).append("not connected\n")
    text.append(f"  {'▲ ▼':<7}", BAD_STYLE).append("a value above, below its limits\n\n")
    text.append("  Without a UTF-8 locale all signs are ASCII, as with --ascii.", "dim")
    return text
