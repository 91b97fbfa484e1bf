"""`toolcart board`: look into a running chip: its state, its log, its configuration; pull its spool, or wipe it.

Rules
1. Commands that only look do not stop the agent: they ask its console (toolcart.board.console). A board whose agent
   does not run is held instead, and its report says so.
2. A wipe needs the station's number and an explicit yes; results that ToolsNet has not got need a second one.
3. Output for people goes to stdout as lines; --json gives one object.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import click

from toolcart.agent.cart import status
from toolcart.agent.cart.secrets import redacted
from toolcart.agent.log.snapshot_fields import DAMAGED, LOG, STORED
from toolcart.base.terminal_safe import visible, visible_lines
from toolcart.board import safe_mode
from toolcart.board.console import LINE_MAX
from toolcart.board.ram_flash import RamFlash
from toolcart.spool.offline_spool import opened
from toolcart.tools.flash import check, plan
from toolcart.tools.flash.commands import EXIT_BOARD, PORT_OPTION, open_link, say
from toolcart.tools.flash.link import ANSWER_S, BoardError, ConsoleLink
from toolcart.tools.messages import attention, reasons
from toolcart.tools.messages import status as words
from toolcart.tools.spool import quarantine_commands as orders
from toolcart.tools.spool.waiting import needed

ORDER_S = 30.0  # between two lines: a serial line may have to fall quiet first
PULL_TRIES = 3


SILENT = (
    f"no answer within {ANSWER_S:.0f} s: the board is busy or in safe mode, or no agent runs there. Nothing was "
    "stopped. `toolcart board status --hold` stops what runs, shows what is on the board and restarts it."
)


class NotRunning(BoardError):
    """The agent does not answer at its console."""


JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group()
def board() -> None:
    """Inspect a board: status, log, spool, configuration."""


@board.command("status")
@PORT_OPTION
@JSON_OPTION
@click.option(
    "--hold", "may_hold", is_flag=True, help="If the board does not answer, stop its program, look, and restart it."
)
def status_command(port: str, as_json: bool, may_hold: bool) -> None:
    """Show the state of the agent without stopping it."""
    _with_link(lambda link: show_status(link, as_json, port, may_hold), port)


@board.command("log")
@PORT_OPTION
@JSON_OPTION
def log_command(port: str, as_json: bool) -> None:
    """Print every station's log and the last failed start."""
    _with_link(lambda link: show_log(link, as_json), port)


@board.command("config")
@PORT_OPTION
def config_command(port: str) -> None:
    """Print a board's configuration; secrets are shown as ***."""
    _with_link(show_config, port)


@board.command("spool")
@PORT_OPTION
@click.option("--station", type=int, required=True, help="Number of the station.")
@click.option("--out", "target", type=click.Path(), metavar="FILE", help="Keep the pulled image here.")
@click.option(
    "--last", "count", type=click.IntRange(1, 1000), default=12, show_default=True, help="How many results to show."
)
def spool_command(port: str, station: int, target: str | None, count: int) -> None:
    """Copy a station's spool from a running board and read it."""
    _with_link(lambda link: show_spool(link, station, target, count), port)


@board.command("wipe")
@PORT_OPTION
@click.option("--station", type=int, required=True, help="Number of the station.")
@click.option("--yes", "agreed", is_flag=True, help="Do not ask.")
@click.option("--lose-waiting", is_flag=True, help="Go on even if ToolsNet has not received every result.")
def wipe_command(port: str, station: int, agreed: bool, lose_waiting: bool) -> None:
    """Erase a station's spool.

    What ToolsNet does not have is lost for good.
    """
    if not agreed:
        click.confirm(f"Erase the spool of station {station} on {port}?", abort=True)
    _with_link(lambda link: wipe(link, station, lose_waiting), port)


@board.command("quarantine")
@PORT_OPTION
@click.option("--station", type=int, required=True, help="Number of the station.")
@click.option("--yes", "agreed", is_flag=True, help="With drop: do not ask.")
@JSON_OPTION
@click.argument("order", type=click.Choice(["list", "show", "retry", "drop", "export"]))
@click.argument("which", nargs=-1)
def quarantine_command(
    port: str, station: int, agreed: bool, as_json: bool, order: str, which: tuple[str, ...]
) -> None:
    """List, retry or drop refused results on a board.

    `toolcart quarantine` explains the orders.
    """
    if (order in ("list", "export")) == bool(which):
        raise click.UsageError("show, retry and drop want numbers (or all); list and export want none.")
    if order == "drop":
        orders.confirm_drop(list(which), agreed)
    _with_link(lambda link: give_order(link, station, order, list(which), as_json), port)


@board.command("check")
@PORT_OPTION
@click.option(
    "--uart", default="", metavar="NUMBER", help="Test this UART with TX wired to RX: 1, or 1:8,9 with its pins."
)
@click.option("--cuts", type=click.IntRange(0, 100), default=3, show_default=True, help="How often to pull the plug.")
@click.option("--live/--no-live", default=True, help="Whether to wait for a result.")
@click.option(
    "--out", "target", type=click.Path(), default="board-check", show_default=True, help="Folder for both reports."
)
def check_command(port: str, uart: str, cuts: int, live: bool, target: str) -> None:
    """Test a board in steps and write a report to send in.

    Be beside the board; the report is JSON and text.
    """
    tester = check.Tester(click.echo, _prompt, lambda: time.sleep(1), uart, cuts, live)
    _with_link(lambda link: check_board(link, tester, Path(target)), port)


def _prompt(instruction: str) -> None:
    click.prompt(f"{instruction} Then press Enter", default="", show_default=False)


def check_board(link: ConsoleLink, tester: check.Tester, target: Path) -> None:
    """Run the steps, show each, write the report; exit with 1 if one of them is bad."""
    steps = []
    for step in check.steps(link, tester):
        steps.append(step)
        click.echo(visible(step.text()))
        report = {"toolcart": distribution("toolcart").version, "steps": [asdict(finished) for finished in steps]}
        target.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        lines = "".join(visible(finished.text()) + "\n" for finished in steps)
        target.with_suffix(".txt").write_text(lines, encoding="utf-8")
    click.echo(f"written: {target.with_suffix('.json')} and {target.with_suffix('.txt')}")
    if any(step.verdict == check.BAD for step in steps):
        sys.exit(1)


def look_at(port: str, as_json: bool) -> bool:
    """Do what `toolcart status --port` asks for; return True if something there needs somebody."""
    outcome: list[bool] = []
    _with_link(lambda link: outcome.append(show_status(link, as_json, port)), port)
    return outcome[0]


def command_lines(port: str, line: str, patience_s: float) -> list[dict]:
    """Return what the agent on the board answers to `toolcart command --port`."""
    answers: list[dict] = []

    def ask(link: ConsoleLink) -> None:
        if len(line) > LINE_MAX:
            raise BoardError(f"the command is longer than the {LINE_MAX} characters that a board hears.")
        answers.extend(_answers(link, f"?{line}", patience_s))

    _with_link(ask, port)
    return answers


def give_order(link: ConsoleLink, station: int, order: str, which: list[str], as_json: bool = False) -> None:
    """Have the agent on the board carry out an order, and say what became of it."""

    def ask(order_words: list[str]) -> list[dict]:
        line = f"?quarantine {station} {' '.join(order_words)}"
        if len(line) > LINE_MAX:
            raise BoardError("too many numbers for one order; name fewer, or a range such as 5-9.")
        return _answers(link, line, ORDER_S)

    try:
        code = orders.carry_out_and_print(ask, order, which, as_json)
    except orders.OrderNotGiven as error:
        raise BoardError(f"the board says: {error}") from None
    if code:
        sys.exit(code)


def _with_link(act: Callable[[ConsoleLink], object], port: str) -> None:
    link: Any = open_link(port)
    try:
        act(link)
    except BoardError as error:
        say(str(error))
        sys.exit(EXIT_BOARD)
    finally:
        link.close()


# -- looking -------------------------------------------------------------------------------------------------------


def show_status(link: ConsoleLink, as_json: bool = False, port: str = "PORT", may_hold: bool = False) -> bool:
    """Show a running agent's state; with `may_hold`, hold a board whose agent does not answer and show its state.

    Return True if something there needs somebody.
    """
    answers = link.ask("?status", ANSWER_S)
    if answers is None and not may_hold:
        raise NotRunning(SILENT)
    if answers is None:
        _show_while_held(link, as_json)
        return True
    status = check.status_tree(answers)
    status.update(running=True, stations=[of_board(station, port) for station in status["stations"]])
    if as_json:
        click.echo(json.dumps(status))
    else:
        for line in status_lines(status):
            click.echo(visible(line))
    return any(map(attention.is_for_somebody, status["stations"]))


def of_board(station: dict[str, Any], port: str) -> dict[str, Any]:
    """Return a station's status with what tells words about a board from those about a machine."""
    sides = {
        "controller": {**station.get("controller", {}), "of_board": True},
        "outlets": [{**outlet, "of_board": True} for outlet in station.get("outlets", ())],
    }
    return {**station, **sides, "port": port} if station.get("mounted") else {**station, "port": port}


def status_lines(status: dict[str, Any]) -> list[str]:
    """Return the state in words, for people."""
    board = status.get("board", {})
    lines = [
        f"{board.get('chip', '?')} {board.get('id', '')}, MicroPython {board.get('firmware', '?')}, "
        f"{board.get('free_bytes', 0) // 1024} KiB of heap free",
        f"clock: {board.get('clock', '?')}   network: {json.dumps(board.get('network', {}))}   "
        f"watchdog: {board.get('watchdog', '?')}   lamp: code {board.get('lamp', '?')}",
        *_ntp_lines(board.get("ntp")),
        *[_supply_line(supply) for supply in board.get("supply") or []],
        *[f"start: {entry}" for entry in board.get("said", [])],
    ]
    wants_none = board.get("network", {}).get("kind") == "none"
    for station in status["stations"]:
        if wants_none:
            entry = {"why": reasons.NO_NETWORK_WANTED, "next_try_ms": 0}
            station = {**station, "outlets": [{**outlet, **entry} for outlet in station.get("outlets", ())]}
        lines += words.station_lines(station)
        counter_text = ", ".join(f"{name} {count}" for name, count in station["counters"].items())
        lines.append(f"  counted     {counter_text or 'nothing'}")
    return lines + [f"error: {error}" for error in status.get("errors", [])]


def _ntp_lines(ntp: dict[str, Any] | None) -> list[str]:
    """Say how good the network's time is."""
    if not ntp:
        return []
    if not ntp["answers"]:
        return [f"ntp: no answer yet, {ntp['silent']} questions; asks {ntp['asks']}"]
    quality = f"stratum {ntp['stratum']}, {ntp['dispersion_ms']} ms of error at most"
    return [f"ntp: {ntp['server']}, {quality}; {ntp['answers']} answers, {ntp['silent']} without"]


def _supply_line(supply: dict[str, int]) -> str:
    """Say how good the flash's supply is."""
    least = f"{supply['least_mv'] / 1000:.2f} V"
    text = f"supply: {supply['mv'] / 1000:.2f} V, at least {least} wanted; {supply['refused']} writes not made"
    return text + ("; BELOW IT: no result is taken" if supply["mv"] < supply["least_mv"] else "")


def _show_while_held(link: ConsoleLink, as_json: bool) -> None:
    """The agent does not answer: take the REPL and say what is on the board, then start it again."""
    board = link.hold()
    try:
        content, fault = link.read(safe_mode.STATE_FILE), link.read(safe_mode.FAULT_FILE)
    finally:
        link.restart()
    state = safe_mode.parsed(content.decode(errors="replace")) if content else None
    report = {
        "running": False,
        "machine": board.machine,
        "firmware": ".".join(map(str, board.version)),
        "free_bytes": board.free_bytes,
        "state": state.text().strip() if state else "no version of toolcart is installed",
        "safe_mode": state is not None and state.failures >= safe_mode.FAILURES_MAX,
        "fault": fault.decode(errors="replace") if fault else "",
    }
    if as_json:
        click.echo(json.dumps(report))
        return
    firmware = f"{report['machine']}, MicroPython {report['firmware']}, {board.free_bytes // 1024} KiB of files free"
    click.echo(visible(firmware))
    click.echo("the agent did not answer" + ("; the board is in SAFE MODE" if report["safe_mode"] else ""))
    click.echo(f"confirmed, on trial, tries left, failed starts, rejected: {report['state']}")
    if report["fault"]:
        click.echo(visible_lines(f"the last failed start:\n{report['fault']}"))
    click.echo("the board was restarted")


def _answers(link: ConsoleLink, line: str, patience_s: float = ANSWER_S) -> list[dict]:
    answers = link.ask(line, patience_s)
    if answers is None:
        raise NotRunning(SILENT)
    return answers


def _ask(link: ConsoleLink, line: str) -> list[dict]:
    answers = _answers(link, line)
    for answer in answers:
        if "error" in answer:
            raise BoardError(f"the board says: {answer['error']}")
    return answers


def show_log(link: ConsoleLink, as_json: bool = False) -> None:
    """Print every station's log ring, oldest first."""
    stations = _ask(link, "?status")[0]["stations"]
    logs = {str(number): _ask(link, f"?log {number}") for number in stations}
    if as_json:
        click.echo(json.dumps(logs))
        return
    for number, entries in logs.items():
        click.echo(f"station {number}")
        for entry in entries:
            text = f" ({entry['text']})" if entry.get("text") else ""
            click.echo(visible(f"  {entry['age_ms'] / 1000:10.1f} s ago  {entry['name']} {entry['value']}{text}"))


def show_config(link: ConsoleLink) -> None:
    """Print the configuration; it is redacted on the board, and again here."""
    configuration = _ask(link, "?config")[0]["config"]
    click.echo(json.dumps(redacted(configuration), indent=2))


# -- the spool -----------------------------------------------------------------------------------------------------


def pull(link: ConsoleLink, station: int, moved: Callable[[int], None] = lambda blocks: None) -> tuple[dict, RamFlash]:
    """Copy a spool block by block while the agent runs; if blocks were erased meanwhile, begin again."""
    for _ in range(PULL_TRIES):
        shape = _ask(link, f"?spool {station}")[0]
        image = RamFlash(shape["block_count"], shape["block_bytes"], shape["unit_bytes"])
        for block in range(shape["block_count"]):
            for part in _ask(link, f"?block {station} {block}"):
                octets = bytes.fromhex(part["hex"])
                start = block * shape["block_bytes"] + part["at"]
                image.cells[start : start + len(octets)] = octets
            moved(1)
        after = _ask(link, f"?spool {station}")[0]
        if after["erases"] == shape["erases"]:
            return after, image
    raise BoardError("the spool changes faster than it can be pulled; stop the line, or try again at a quieter time.")


def show_spool(link: ConsoleLink, station: int, target: str | None, count: int) -> None:
    """Pull a spool, keep it if asked, and read it with the agent's own code."""
    blocks = _ask(link, f"?spool {station}")[0]["block_count"]
    with click.progressbar(length=blocks, label="pulling", file=sys.stderr) as bar:
        _, image = pull(link, station, bar.update)
    if target is not None:
        Path(target).write_bytes(image.cells)
    spool = opened(image)
    if spool is None:
        file = shlex.quote(target or "FILE")
        pulled = "" if target else "pull it with --out FILE; "
        raise BoardError(
            f"this is not a spool of this version; {pulled}`toolcart spool rescue {file}` reads what is left of it."
        )
    log, numbers = spool.log, spool.state.numbers
    spool.damaged(LOG)  # counts what no snapshot has
    waits = needed(spool)
    aside = f"{spool.quarantine.count()} set aside, " if spool.may_refuse else ""
    damaged = f"{numbers[DAMAGED]} damaged, {log.damage.torn} torn"
    click.echo(f"{numbers[STORED]} stored, {waits.waiting_text('waiting')}, {aside}{damaged}")
    for result in status.newest_results(log, count):
        fields = ("number", "source", "time", "vin", "program", "torque", "unit", "angle", "status")
        columns = [str(result[field]) for field in fields if result.get(field) not in (None, "")]
        click.echo(visible("  ".join(columns)))


def wipe(link: ConsoleLink, station: int, lose_waiting: bool) -> None:
    """End the agent, erase the station's spool, start it again."""
    shape = _ask(link, f"?spool {station}")[0]
    if shape["backlog"] and not lose_waiting:
        raise BoardError(
            f"up to {shape['backlog']} results of station {station} are waiting and would be lost. Nothing was erased; "
            "--lose-waiting erases them all the same."
        )
    link.hold()
    try:
        state = plan.read_state(link)
        folder = state.trial if state.trial != safe_mode.NONE else state.confirmed
        if folder == safe_mode.NONE:
            raise BoardError("no version is installed there; what runs there was started again.")
        output = link.run(WIPE.format(folder=f"/{folder}", station=station))
    finally:
        link.restart()
    if "wiped" not in output:
        raise BoardError("the spool could not be erased; the agent was started again.")
    click.echo(visible(f"station {station}: {output.strip()}"))


WIPE = """
import sys, json
'{folder}' in sys.path or sys.path.insert(0, '{folder}')
from toolcart.board import main
_cfg = main.load('{folder}/config.json')
_spools = [s['spool'] for s in _cfg['stations'] if s['number'] == {station}]
_cfg['board']['network'] = 'none'
_flash = main.make_chip(_cfg).flash(_spools[0])
_bad = sum([1 for b in range(_flash.block_count) if _flash.erase(b)])
print('wiped %d blocks, %d failed' % (_flash.block_count - _bad, _bad))
"""
