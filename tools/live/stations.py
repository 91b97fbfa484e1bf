"""The overview of all stations: how each one is doing, in a few words and in a line of a table.

Rules
1. Pure: made from a station's state and what is kept about it; nothing here knows a screen.
2. A station's line says the worst that is wrong with it; the sign in the first column says how bad, without colour.
3. A table has as many columns as fit its width; the last one takes what is left.
"""

from __future__ import annotations

import textwrap

from rich.cells import cell_len
from rich.text import Text

from toolcart.base.terminal_safe import visible
from toolcart.tools.live import chart, panels, table
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING
from toolcart.tools.live.history import StationFigures
from toolcart.tools.live.table import Column
from toolcart.tools.messages import attention, connections, standing_conditions
from toolcart.tools.messages.connections import first_of, others_of
from toolcart.tools.messages.durations import span
from toolcart.tools.messages.reasons import Reason, short

FULL_PERCENT = 75  # of the spool's blocks: time to look, before it is full
MINI_CELLS = 20  # of the little curve
ORDER = (BAD, WARNING, INFO, GOOD)
SORTS = ("number", "worst first", "most waiting")


# For a missing side: the agent's word, that with the side's name, the sentence, that with what to do.
BARE, SHORT, WORDS, WHOLE = range(4)


def verdict(shown: dict, detail: int = SHORT) -> tuple[str, str]:
    """Return how bad it is, and what is wrong in words; "" if all is well."""
    if not shown["mounted"]:
        return BAD, attention.not_up(shown)
    controller = shown["controller"]
    if controller["state"] == panels.NO_AGENT:
        return BAD, "the agent does not run"
    bad = attention.bad(shown)
    if bad:
        return BAD, bad[0].text() if detail == WHOLE else bad[0].words
    wrong = [_missing(side, detail) for side in connections.both(shown).values() if not connections.is_well(side)]
    if detail == BARE and len(wrong) > len(set(wrong)):
        wrong = [f"both {wrong[0]}"]
    wrong += [f"{outlet.get('name', outlet['kind'])}: {outlet['why']}" for outlet in others_of(shown) if outlet["why"]]
    warnings = [need for need in standing_conditions.everything(shown) if need.level == attention.WARN]
    wrong += [need.words for need in warnings if need.slug != "outlet"]
    if percent_used(shown) >= FULL_PERCENT:
        wrong.append(f"spool {percent_used(shown)} % full")
    ahead_s = controller.get("clock_ahead_s") or 0
    if abs(ahead_s) > panels.CLOCK_APART_S:
        wrong.append(f"clock {'ahead' if ahead_s > 0 else 'behind'} {span(abs(ahead_s))}")
    if shown.get("parked"):
        wrong.append(f"{shown['parked']} set aside")
    if wrong:
        return WARNING, "; ".join(wrong).replace(".;", ".").replace("?;", "?")
    gone = shown["recovery"]["gone"]
    return (INFO, f"{gone} gone") if gone else (GOOD, "")


def _missing(side: dict, detail: int) -> str:
    """Say why this side is not connected."""
    reason = connections.reason_of(side) if detail > SHORT else Reason()
    if not reason and detail == BARE:
        return side.get("why") or side["state"]
    if not reason:
        return f"{connections.name_of(side)} {short(side) or side['state']}"
    return reason.text() if detail == WHOLE else reason.words


def percent_used(shown: dict) -> int:
    spool = shown["spool"]
    return 100 * spool["used_blocks"] // max(spool["blocks"], 1)


def _side(side: dict) -> tuple[str, str]:
    state = side.get("state", "")
    sign, style = panels.state_sign(side)
    return f"{sign} {state}" if state else "", style


def _oldest(known: StationFigures) -> tuple[str, str]:
    oldest = panels.oldest_text(known.shown.get("oldest_waiting"), panels.time.time())
    return oldest.removeprefix("oldest ").removeprefix("of "), ""


def _count(count: int) -> tuple[str, str]:
    return str(count), panels.WARNING_STYLE if count else "dim"


def _spool(known: StationFigures) -> tuple[str, str]:
    if "spool" not in known.shown:
        return "", ""
    percent = percent_used(known.shown)
    return f"{percent} %", panels.WARNING_STYLE if percent >= FULL_PERCENT else "dim"


def _more(width: int) -> int:
    """Return what the name gets beside its own cells where there is room."""
    return min(max(width - 100, 0) // 5, 18)


COLUMNS: tuple[Column[StationFigures], ...] = (  # behind the sign and the number
    Column("name", 12, lambda known: (visible(known.shown["name"]), ""), more=_more),
    Column("controller", 13, lambda known: _side(known.shown.get("controller", {}))),
    Column("outlet", 13, lambda known: _side(first_of(known.shown))),
    Column("in/s", 5, lambda known: (f"{known.rates()[0]:.1f}", ""), 84, True),
    Column("out/s", 5, lambda known: (f"{known.rates()[1]:.1f}", ""), 104, True),
    Column("waiting", 7, lambda known: _count(known.shown.get("backlog", 0)), 0, True),
    Column("oldest", 22, _oldest, 112),
    Column("aside", 6, lambda known: _count(known.shown.get("parked", 0)), 128, True),
    Column("stored", 9, lambda known: (str(known.shown.get("stored", 0)), ""), 140, True),
    Column("spool", 6, _spool, 96, True),
    Column("waiting, 2 min", MINI_CELLS, lambda known: (chart.mini(known.curve, MINI_CELLS), panels.CURVE_STYLE), 160),
)
WRONG = "what is wrong"


def heading(width: int) -> Text:
    """Return the line above the table."""
    return Text(f" no.   {table.heading(COLUMNS, width, ' ')}  {WRONG}", "dim", no_wrap=True, overflow="crop")


def row(known: StationFigures, width: int) -> Text:
    """Return a station's line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    level, _ = verdict(known.shown)
    text.append(f"{panels.LEVEL_SIGNS[level]} ", panels.LEVEL_STYLES[level] or panels.GOOD_STYLE)
    text.append(f"{known.shown['number']:>4} ")
    table.put(text, COLUMNS, known, width, " ")
    text.append(" ")
    for detail in (WHOLE, WORDS, SHORT, BARE):
        level, words = verdict(known.shown, detail)
        words = visible(words)
        if cell_len(words) <= width - text.cell_len:
            break
    text.append(words, panels.LEVEL_STYLES[level])
    return text


def is_well(known: StationFigures) -> bool:
    return not verdict(known.shown)[1]


def _urgency(known: StationFigures) -> tuple[int, int, int]:
    """Return a key that is lower the worse the station is: how bad it is, and how many sides are missing."""
    shown = known.shown
    stand = sum(map(connections.is_well, connections.both(shown).values()))
    return ORDER.index(verdict(shown)[0]), stand, shown["number"]


def worst(stations: list[StationFigures]) -> StationFigures | None:
    """Return the station to look at first; None if all are well."""
    return min((known for known in stations if not is_well(known)), key=_urgency, default=None)


def in_full(known: StationFigures, cells: int, lines: int) -> Text:
    """Say what is wrong with a station that is not well, and what to do if there is room."""
    for detail in (WHOLE, WORDS, SHORT):
        level, words = verdict(known.shown, detail)
        told = f"{panels.LEVEL_SIGNS[level]} station {known.shown['number']}: {visible(words)}"
        if len(textwrap.wrap(told, max(cells, 1), break_on_hyphens=False)) <= lines:
            break
    return Text(told, panels.LEVEL_STYLES[level])


def chosen(stations: list[StationFigures], word: str, sort: str) -> list[StationFigures]:
    """Return the stations with the word in their line, in the order asked for."""
    word = word.casefold()
    found = [known for known in stations if not word or word in _searched(known)]
    if sort == "worst first":
        found.sort(key=_urgency)
    elif sort == "most waiting":
        found.sort(key=lambda known: (-known.shown.get("backlog", 0), known.shown["number"]))
    return found


def _searched(known: StationFigures) -> str:
    shown = known.shown
    words = [str(shown["number"]), shown["name"], *verdict(shown)]
    words += [
        str(side.get(name, "")) for side in connections.both(shown).values() for name in ("state", "host", "place")
    ]
    return " ".join(words).casefold()


def summary(stations: list[StationFigures], rates: tuple[float, float], width: int) -> Text:
    """Sum up all stations in two lines: the connections, and the results."""
    count = len(stations)
    ready = sum(known.was_ready for known in stations)
    streaming = sum(known.was_streaming for known in stations)
    levels = [verdict(known.shown)[0] for known in stations]
    outlet = connections.common_name(known.shown for known in stations)
    for names in (("controllers ready", f"{outlet} takes results of"), ("controllers", outlet)):
        text = Text(no_wrap=True, overflow="ellipsis")
        for name, well in zip(names, (ready, streaming), strict=True):
            style = panels.GOOD_STYLE if well == count else panels.WARNING_STYLE
            text.append(f"{name} ", "dim").append(f"{well} of {count}", style).append("   ")
        text.append("with trouble ", "dim")
        text.append(f"{sum(level in (BAD, WARNING) for level in levels)}", "bold")
        if text.cell_len <= width:
            break
    text.append("\n")
    figures = [("in", f"{rates[0]:.1f}/s"), ("out", f"{rates[1]:.1f}/s")]
    named = (("waiting", "backlog"), ("stored", "stored"), ("delivered", "delivered"), ("set aside", "parked"))
    for name, key in named:
        told = [known.shown[key] for known in stations if key in known.shown]
        figures += [(name, str(sum(told)))] if told or name in ("waiting", "stored") else []
    dropped = sum(known.shown.get("dropped", 0) for known in stations)
    figures += [("dropped", str(dropped))] if dropped else []
    for name, value in figures:
        text.append(f"{name} ", "dim").append(value, "bold").append("   ")
    text.rstrip()
    return text
