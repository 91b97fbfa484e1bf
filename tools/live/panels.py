"""The texts of the live view: every function makes one panel of a station's state; nothing here knows a screen.

Rules:
1. A panel fits the width it is told; what does not fit is left out from the right, the less important first.
2. Green is connected or OK, yellow is under way, red is cut off, lost or NOK; no meaning is told by colour alone.
"""

from __future__ import annotations

import time

from rich.text import Text

from tools.live.figures import files_of, toolsnet_of
from tools.printable import visible

GOOD_STATES = {"ready", "streaming"}
DOWN_STATES = {"closed", "stopped", "no agent", "over"}
LEVEL_STYLES = {"good": "green", "info": "", "warning": "yellow", "bad": "bold red"}
# Counters that mean trouble when they are there at all.
TROUBLE = {
    "raw",
    "refused full",
    "flash failed",
    "no values",
    "cut short",
    "ids gone",
    "controller resets",
    "refused by server",
    "parked",
    "parking failed",
    "server silent",
    "server foreign",
    "server malformed",
    "controller malformed",
    "no pim",
    "resume unknown",
    "server behind",
    "faults",
    "outlet failed",
}
CLOCK_APART_S = 5  # agent.errands
GAUGE_CELLS = 12
VIN_CELLS = 18


def seconds_text(seconds: float) -> str:
    """Return a span for people: 8 s, 3 min 20 s, 5 h 12 min, 3 days."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days"


def oldest_text(stamp: str | None, now_s: float) -> str:
    """Return how long the oldest waiting result has waited, by the controller's clock; its time if that is absurd."""
    if not stamp:
        return ""
    try:
        age_s = now_s - time.mktime(time.strptime(stamp, "%Y-%m-%d %H:%M:%S"))
    except (ValueError, OverflowError):
        return f"oldest of {stamp}"
    return f"oldest {seconds_text(max(age_s, 0))}" if -2 <= age_s < 30 * 86400 else f"oldest of {stamp}"


def links(station: dict, cut: dict[str, bool]) -> Text:
    """Both connections, files, the spool, the recovery: four lines, and one for each file."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if not station.get("mounted"):
        text.append("the spool is not ready", "bold red")
        return text
    for label, side, shown in (
        ("controller", "controller", station["controller"]),
        ("ToolsNet", "toolsnet", toolsnet_of(station)),
    ):
        _link_line(text, label, shown, cut.get(side, False))
    for file in files_of(station):
        _file_line(text, file)
    spool = station["spool"]
    used = spool["used_blocks"]
    filled = min(GAUGE_CELLS, -(-used * GAUGE_CELLS // max(spool["blocks"], 1)))
    text.append("spool       ", "dim")
    text.append("█" * filled, "red" if filled >= GAUGE_CELLS - 1 else "cyan")
    text.append("░" * (GAUGE_CELLS - filled), "bright_black")
    text.append(f"  {used} of {spool['blocks']} blocks")
    for trouble in ("damaged", "torn", "worn", "overwritten"):
        if spool[trouble]:
            text.append(f"  {spool[trouble]} {trouble}", "yellow")
    text.append("\n")
    _recovery_line(text, station)
    return text


def _link_line(text: Text, label: str, shown: dict, is_cut: bool) -> None:
    state = shown["state"]
    style = "green" if state in GOOD_STATES else "red" if is_cut or state in DOWN_STATES else "yellow"
    mark = "●" if style == "green" else "○" if style == "red" else "◐"
    text.append(f"{label:<12}", "dim")
    text.append(f"{mark} {state:<15}", style)
    ahead_s = shown.get("clock_ahead_s") or 0
    if is_cut:
        text.append("network cut  ", "bold red")
    elif shown.get("waits_for_room"):
        text.append("spool full  ", "bold red")
    elif abs(ahead_s) > CLOCK_APART_S:
        text.append(f"clock {'ahead' if ahead_s > 0 else 'behind'} {seconds_text(abs(ahead_s))}", "yellow")
    else:
        text.append(f"{shown['host']}:{shown['port']}", "dim")
    text.append("\n")


def _file_line(text: Text, file: dict) -> None:
    text.append("file        ", "dim")
    style = "green" if file["is_up"] else "red"
    text.append(f"{'●' if file['is_up'] else '○'} {file['waiting']} waiting  ", style)
    text.append(file["why"] or file["path"], "dim" if file["is_up"] else "red")
    text.append("\n")


def _recovery_line(text: Text, station: dict) -> None:
    recovery = station["recovery"]
    text.append("recovery    ", "dim")
    if recovery["open_ids"]:
        text.append(f"{recovery['open_ids']} missed results to fetch, {recovery['phase']}", "yellow")
    else:
        text.append("nothing missed" if recovery["phase"] == "idle" else recovery["phase"])
    if recovery["gone"]:
        text.append(f"  {recovery['gone']} gone", "yellow")
    if recovery["epoch"]:
        text.append(f"  reset {recovery['epoch']} times", "yellow")
    parked = station["parked"] + station.get("parked_in_place", 0)
    if parked:
        text.append(f"  {parked} parked", "bold yellow")
    if station.get("needs_operator"):
        text.append("  needs an operator", "bold red")


def backlog(station: dict, rates: tuple[float, float], now_s: float) -> Text:
    """The rates and the oldest: two lines beside the curve."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("in ", "dim").append(f"{rates[0]:.1f}/s", "bold").append("   out ", "dim").append(
        f"{rates[1]:.1f}/s", "bold"
    )
    text.append("\n")
    oldest = oldest_text(station.get("oldest_waiting"), now_s)
    text.append(oldest or "nothing waits", "yellow" if oldest else "green")
    return text


def results(station: dict, rows: int, width: int) -> Text:
    """The newest results, the newest first."""
    text = Text(no_wrap=True, overflow="crop")
    wide = width >= 92
    batch = f"  {'batch':<13}  " if wide else ""
    text.append(f"{'no.':>6}  {'time':<8}  {'VIN':<{VIN_CELLS}} {'prog':>4} {'torque':>10} {'angle':>6}  ", "dim")
    text.append(f"{'':<4}{batch}source", "dim")
    for result in station.get("results", [])[: max(rows - 1, 0)]:
        text.append("\n")
        if result["source"] == "RAW":
            text.append(f"{result['number']:>6}  ")
            text.append(f"could not be read, kept as it came ({result['octets']} octets)", "bold yellow")
            continue
        moment = (result["time"] or " ").split(" ")[-1]
        vin = result["vin"][:VIN_CELLS]
        text.append(f"{result['number']:>6}  {moment:<8}  {vin:<{VIN_CELLS}} {result['program']:>4} ")
        ok = result["status"] == "OK"
        torque_style = "" if result["torque_status"] in ("OK", "") else "bold red"
        angle_style = "" if result["angle_status"] in ("OK", "") else "bold red"
        text.append(f"{result['torque'] + ' ' + result['unit']:>10}", torque_style)
        text.append(f" {result['angle'] + '°':>6}  ", angle_style)
        text.append(f"{result['status']:<4}", "bold green" if ok else "bold red")
        if wide:
            text.append(f"  {result['batch_status']:<13}  ", "dim")
        text.append(result["source"].lower(), "dim" if result["source"] == "LIVE" else "cyan")
    return text


def counters(station: dict, rows: int, width: int) -> Text:
    """Every counter that is not zero, those that mean trouble first; `+ N` for what has no room."""
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
        text.append(f"{name} ", "yellow" if name in TROUBLE else "dim")
        text.append(f"{counted[name]}", "bold yellow" if name in TROUBLE else "bold")
    return text


def events(changes: list, rows: int) -> Text:
    """The last changes, the newest at the bottom."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for change in changes[-rows:]:
        if text.plain:
            text.append("\n")
        text.append(f"{clock(change.at_s)}  ", "dim").append(visible(change.text), LEVEL_STYLES[change.level])
    return text


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def both_books(books: dict, parked: int) -> Text:
    """Both sides' books: two lines. What is lost only the account at the end can tell: results may be on their way."""
    way = max(0, books.get("acknowledged", 0) - books.get("delivered", 0) - parked)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("controller  ", "dim")
    _figures(text, [("produced", books.get("produced", 0), ""), ("acknowledged", books.get("acknowledged", 0), "")])
    text.append("\n").append("ToolsNet    ", "dim")
    figures = [("in the archive", books.get("delivered", 0), ""), ("repeated", books.get("repeated", 0), "")]
    wrong = [("on the way", way, ""), ("out of order", books.get("out_of_order", 0), "bold red")]
    if parked:
        wrong.append(("parked", parked, "bold yellow"))
    if books.get("doubled"):
        wrong.append(("stored twice", books["doubled"], "bold red"))
    _figures(text, figures + wrong)
    return text


def account(told: dict) -> Text:
    """What the spool has seen since it was made: one line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    figures = [("stored", told["stored"], ""), ("passed on", told["delivered"], "")]
    _figures(text, [*figures, ("waiting", told["waiting"], "yellow"), ("parked", told["parked"], "bold red")])
    return text


def _figures(text: Text, figures: list[tuple[str, int, str]]) -> None:
    for name, count, style in figures:
        text.append(f"{name} ", "dim").append(f"{count}", style if style and count else "bold").append("   ")
