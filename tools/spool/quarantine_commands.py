"""`toolcart quarantine`: list, show, retry, drop or export what was set aside, whether the agent runs or not.

Rules
1. If an agent runs on the spool, its socket is asked (toolcart.board.linux.control); else the spool is opened under its
   lock. Orders that only look then work on a copy, and need no right to write.
2. If an agent runs but does not answer, nothing is touched and the message says what to do.
3. `drop` is final: on a terminal it asks first, elsewhere it needs --yes.

Exit codes: 0 done, 1 not done or not all of it, also where a list is not all that was set aside, 2 the configuration,
the command line or the spool is wrong, 3 an agent has the spool but does not answer, and nothing is done, 5 it has read
the order and does not answer: it may have been carried out.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from toolcart.agent.base.counters import Counters
from toolcart.agent.linux import offer_again
from toolcart.agent.log.snapshot_fields import TOOLSNET_CURSOR
from toolcart.agent.outlets.toolsnet.policy import Policy
from toolcart.agent.quarantine.orders import NO_TOOLSNET, carry_out
from toolcart.agent.record.text import CLOCK_UNSET
from toolcart.base.command_group import say_done
from toolcart.base.path_access import obstacle
from toolcart.base.terminal_safe import visible
from toolcart.board.linux import order_log
from toolcart.board.linux.control import SEE_LOG, SUFFIX, UNKNOWN, WITHDRAWN, Unanswered, answer_to, connect, no_socket
from toolcart.board.linux.flash import FileFlash, FlashInUse, FlashUnusable
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.board.linux.refusal import owner_of
from toolcart.board.linux.spool_header import NO_OWNER
from toolcart.board.ram_flash import RamFlash
from toolcart.spool import image
from toolcart.spool.offline_spool import begun, follow, opened
from toolcart.tools.config import file as config_file
from toolcart.tools.spool import report

EXIT_NOT_DONE = 1
EXIT_WRONG = 2
EXIT_IN_USE = 3
EXIT_UNKNOWN = 5
ANSWER_S = 30.0

_AS_SET = {"refused": "park", "rewind": False}  # of no effect: nothing is sent here
Ask = Callable[[list[str]], Iterable[dict]]


class OrderNotGiven(order_log.NotDone):
    """What keeps the order from being given; the text says what to do."""

    def __init__(self, text: str, exit_code: int = EXIT_WRONG) -> None:
        super().__init__(text)
        self.exit_code = exit_code


# -- where the orders go -------------------------------------------------------------------------------------------


class LocalSpool:
    """One spool on this machine; `sends`: ToolsNet is among its outlets, as far as a configuration is named.

    `owner` is the station that the configuration gives it.
    """

    def __init__(self, path: Path, sends: bool = True, owner: tuple[int, int, int] = NO_OWNER) -> None:
        self.path = path
        self.sends = sends
        self.owner = owner

    def ask(self, words: list[str]) -> Iterable[dict]:
        """Have the order carried out; return the lines of the answer."""
        words = " ".join(words).encode("ascii", "replace").decode().split()  # as an agent reads them
        hidden = obstacle(self.path)
        if hidden:
            raise OrderNotGiven(f"{self.path}: {hidden}")
        if not os.path.exists(self.path):
            raise OrderNotGiven(f"{self.path}: there is no such spool; the setting stations[].spool.path names it")
        is_looking = order_log.is_looking(words)
        answer = self._answer(words, is_looking)
        # A socket that knows no such orders is beside a configuration: what that file is, is said below.
        if answer is not None and not (answer and answer[-1].get("error", "").startswith(UNKNOWN)):
            return answer
        try:
            if is_looking:
                return self._ask_stopped(image.copy_of(self.path, self.owner), words)
            flash = FileFlash(str(self.path), 0, owner=self.owner)
        except FlashInUse as reason:
            answer = ask_agent(str(self.path) + SUFFIX, words)  # it may have been starting
            if answer is not None:
                return answer
            more = "an agent without a control socket takes no orders (`systemctl stop toolcart` where it is a service)"
            words, cure = no_socket(str(self.path) + SUFFIX)
            if words:
                more += f"; it cannot make {self.path}{SUFFIX}: {words}; {cure}"
            raise OrderNotGiven(f"{reason}; {more}", EXIT_IN_USE) from None
        except FlashUnusable as reason:
            raise OrderNotGiven(str(reason)) from None
        with contextlib.closing(flash):
            return self._ask_stopped(flash, words)

    def _answer(self, words: list[str], is_looking: bool) -> list[dict] | None:
        """Give the order to the running agent; None if none runs."""
        try:
            return ask_agent(str(self.path) + SUFFIX, words)
        except OrderNotGiven:
            if is_looking and image.is_held(self.path) is False:
                return None  # a killed agent left the socket, and it is another user's
            raise

    def _ask_stopped(self, device: RamFlash | FileFlash, words: list[str]) -> list[dict]:
        header = image.header(self.path)
        station = header.owner[2] if header is not None else 0
        job = orders(device, station, words, self.path, self.sends)
        if not order_log.is_looking(words):
            job = order_log.carried_out(job, words, order_log.user_of(os.getuid()), station, self._keep_for_log)
        return [line for line in job if line is not None]

    def _keep_for_log(self, line: str) -> None:
        """Keep the order for the log of the next agent."""
        try:
            order_log.keep(str(self.path), line)
        except OSError as error:
            click.echo(f"toolcart: the agent's log will not have this order: {error.strerror}", err=True)


class _Clock:
    @staticmethod
    def stamp_into(buf: bytearray) -> None:
        buf[0:19] = time.strftime("%Y-%m-%d:%H:%M:%S").encode()


def orders(
    device: Any, station: int, words: list[str], file: str | Path = "FILE", sends: bool = True
) -> Iterable[dict | None]:
    """Carry out the order on a device that no agent uses; `file` is where it is stored, for hints to the user.

    With `sends` the next agent sends to ToolsNet if the last one did.

    Whatever it is, the spool is started first as the agent starts it (toolcart.spool.offline_spool), unless ToolsNet
    never was among its outlets.
    """
    check = f"toolcart spool check {shlex.quote(str(file))}"
    found = opened(device)
    if found is not None and not found.may_refuse:  # a start may have to give something up: not for nothing
        raise OrderNotGiven(NO_TOOLSNET % station, EXIT_NOT_DONE)
    try:
        spool = begun(device)
    except OSError as reason:
        raise OrderNotGiven(f"nothing was done: {reason}; `{check}` tells more", EXIT_NOT_DONE) from None
    if spool is None:
        raise OrderNotGiven(f"the spool cannot be read or is of another version; `{check}` tells more")
    if words[0] == offer_again.ORDER:
        if spool.log.cursor_at(TOOLSNET_CURSOR) is None:  # it is not configured now, but what it had is there
            follow(spool.log, TOOLSNET_CURSOR)
        policy = Policy(spool.log, spool.state, spool.quarantine, Counters(), _AS_SET, 1)
        lines = offer_again.carry_out(policy, station, None, words)
    else:
        lines = carry_out(spool.quarantine, spool.log, station, _Clock, None, words)
    for line in lines:
        yield {**line, "configured": spool.sends and sends} if line and "running" in line else line


def ask_agent(path: str, words: list[str]) -> list[dict] | None:
    """Give the order to the running agent; None if none listens at this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(ANSWER_S)
        try:
            connect(sock, path)
        except PermissionError:
            raise OrderNotGiven(
                f"{path}: only {owner_of(path)}, whose socket that is, may give orders there", EXIT_IN_USE
            ) from None
        except TimeoutError as error:  # so many wait before us
            raise _unanswered(path, words, error) from None
        except OSError:
            return None
        try:
            lines = answer_to(sock, " ".join(words), time.monotonic() + ANSWER_S)
        except OSError as error:
            raise _unanswered(path, words, error) from None
        except OverflowError:
            raise OrderNotGiven(f"{path} sends without end: it is not an agent's socket", EXIT_IN_USE) from None
    if not lines or lines[-1] != {"end": True}:
        problem = f"the agent at {path} stopped in the middle of its answer"
        if order_log.is_looking(words):
            raise OrderNotGiven(f"{problem}; ask again", EXIT_IN_USE)
        raise OrderNotGiven(f"{problem}: {SEE_LOG}", EXIT_UNKNOWN)
    return lines[:-1]


def _unanswered(path: str, words: list[str], error: OSError) -> OrderNotGiven:
    """Say that no answer came, and what that means for the order."""
    why = f" within {ANSWER_S:g} s" if isinstance(error, TimeoutError) else f": {error.strerror or error}"
    problem = f"the agent at {path} does not answer{why}"
    if order_log.is_looking(words):
        return OrderNotGiven(problem, EXIT_IN_USE)
    if isinstance(error, Unanswered) and error.was_read:
        return OrderNotGiven(f"{problem}, and it has read the order: {SEE_LOG}", EXIT_UNKNOWN)
    return OrderNotGiven(f"{problem}; {WITHDRAWN}", EXIT_IN_USE)


def spool_of(
    spool_file: str | None, config_path: str | None, station: int | None, parameter: str = "--station"
) -> LocalSpool:
    """Return the spool that the command line names; `parameter` is what names the station there."""
    if spool_file is None and config_path is None and Path(config_file.SERVICE_CONFIG).is_file():
        config_path = str(config_file.SERVICE_CONFIG)
    if (spool_file is None) == (config_path is None):
        raise click.UsageError(
            f"name either a spool file, or --config (and {parameter} where it has several); without them the service's "
            f"{config_file.SERVICE_CONFIG} is meant, if it is there."
        )
    if spool_file is not None:
        if station is not None:
            raise click.UsageError(f"a spool file is of one station: it goes without {parameter}.")
        return LocalSpool(Path(spool_file))
    try:
        configuration = config_file.read(config_path or "")
    except config_file.ConfigurationError as error:
        raise OrderNotGiven(str(error), error.exit_code) from None
    stations, system = configuration["stations"], configuration["system"]
    numbers = [station_settings["number"] for station_settings in stations]
    if station is None and len(stations) > 1:
        raise click.UsageError(f"{parameter} is needed, one of {', '.join(map(str, numbers))}.")
    if station is not None and station not in numbers:
        raise OrderNotGiven(f"{config_path} has no station {station}; it has {', '.join(map(str, numbers))}")
    settings = stations[numbers.index(station) if station is not None else 0]
    owner = (system["type"], system["number"], settings["number"])
    sends = "toolsnet" in [outlet["kind"] for outlet in settings["outlets"]]
    return LocalSpool(config_file.folder_of(config_path or "") / settings["spool"]["path"], sends, owner)


# -- what people see -----------------------------------------------------------------------------------------------


def carry_out_and_print(
    ask: Ask, order: str, which: Sequence[str] = (), as_json: bool = False, spool_file: Path | None = None
) -> int:
    """Have an order carried out, and print what became of it; return the exit code.

    `spool_file` is where what is listed lies, if that is on this machine.
    """
    answer = ask(["list" if order == "export" else order, *which])
    if order == "retry":
        return _print_retry(answer)
    lines = lines_unless_refused(answer)
    _PRINTERS[order](lines, as_json)
    unreadable = _unreadable_words(lines[-1], spool_file)
    if unreadable:
        click.echo(f"toolcart: {unreadable}", err=True)
    return EXIT_NOT_DONE if unreadable else 0


def _unreadable_words(counts: dict, spool_file: Path | None) -> str:
    """Say what a list lacks, "" if it is all that was set aside."""
    if counts.get("parked_damaged"):
        count = counts["parked_damaged"]
        words = f"up to {count} more {agreeing(count, 'was')} set aside and cannot be read"
    elif counts.get("is_known", True):
        return ""
    else:
        words = "more may have been set aside, as the spool's state cannot be read"
    return f"{words}; `toolcart spool check {shlex.quote(str(spool_file))}` tells more" if spool_file else words


def _print_list(answer: list[dict], as_json: bool) -> None:
    """Print one line for each record, then the counts."""
    records = [line["record"] for line in answer if "record" in line]
    counts = answer[-1]
    if as_json:
        click.echo(json.dumps({"records": records, **counts}))
        return
    for record in records:
        click.echo(visible(_record_text(record)))
    is_whole = not _unreadable_words(counts, None)
    click.echo(f"{counts['parked']} in the quarantine{'' if is_whole else ' can be read'}")
    if counts["needs_operator"]:
        aside = f"{counted(counts['parked'], 'record')} set aside, none is dropped without an order"
        room = "retry or drop some, the first of them: room comes by whole blocks"
        if counts.get("oldest_block"):
            room += f", the next when the first {counts['oldest_block']} of this list are gone"
        click.echo(f"needs an operator: {counts['needs_operator']['why']}; {aside}; {room}")


def _record_text(record: dict) -> str:
    columns = [f"{record['number']:>7}"]
    if "frame" in record:
        columns.append(f"{record['octets']} bytes: {record['frame'][:60]}")
    else:
        columns += [f"{record['time'] or 'no time'}  {record['vin']}  {record['torque']} {record['unit']}"]
        columns += [f"{record['angle']} deg  {record['status']}  ID {record['tightening_id']}"]
        if record["time_source"] == CLOCK_UNSET:
            columns.append(f"({CLOCK_UNSET})")
    columns.append(record["reason"])
    return "  ".join(columns)


def _print_record(answer: list[dict], as_json: bool) -> None:
    """Print everything about one record."""
    record = answer[0]["record"]
    if as_json:
        click.echo(json.dumps(record))
        return
    for name, value in record.items():
        if value not in (None, ""):
            click.echo(f"  {name.replace('_', ' '):18} {visible(value)}")


def _print_drop(answer: list[dict], _as_json: bool) -> None:
    """Say which were given up."""
    counts = answer[-1]
    if counts.get("soon"):
        restarts = "give the order again if the agent restarts first"
        say_done(f"the first is dropped as soon as it is known what became of it: {restarts}")
        return
    again = counts.get("again", 0)
    resent = (
        f"; {again} of them {agreeing(again, 'goes')} out all the same, with what `offer-again` has sent again"
        if again
        else ""
    )
    given_up = f", up to {counts['given_up']} that cannot be read given up" if counts.get("given_up") else ""
    say_done(f"{counts['count']} dropped{given_up}; {counts['parked']} in the quarantine{resent}")


def _print_retry(answer: Iterable[dict]) -> int:
    """Say what becomes of each that is offered again."""
    exit_code = 0
    for line in answer:
        if "error" in line:
            click.echo(f"toolcart: {line['error']}", err=True)
            return EXIT_NOT_DONE
        if "stays" in line:
            say_done(f"{line['number']:>7}  stays: {line['stays']}")
            exit_code = EXIT_NOT_DONE
        elif "held" in line:
            say_done(f"{line['number']:>7}  is in the log already; removed from the quarantine")
        elif "gone" in line:
            say_done(f"{line['gone']:>7}  is no longer in the quarantine")
        elif "count" in line:
            begins = "the agent runs" if line.get("configured", True) else "ToolsNet is configured again"
            then = f"when {begins}, and ToolsNet has taken results for ten minutes"
            if line["running"]:
                then = "now if ToolsNet is connected, else as soon as it is "
                then += "(give the order again if the agent restarts first)"
            if line["count"]:
                say_done(f"{line['count']} to be offered again {then}; {line['parked']} in the quarantine until then")
            else:
                say_done(f"none is to be offered again; {line['parked']} in the quarantine")
    return exit_code


def _print_export(answer: list[dict], as_json: bool) -> None:
    """Print every record as `toolcart spool export` does."""
    report.write([_export_row(line["record"]) for line in answer if "record" in line], report.COLUMNS, as_json)


def _export_row(record: dict) -> dict:
    kind = "raw" if "frame" in record else "result"
    return {**record, "area": "parked", "kind": kind, "refused_number": record["number"]}


_PRINTERS = {"list": _print_list, "show": _print_record, "drop": _print_drop, "export": _print_export}


def lines_unless_refused(answer: Iterable[dict]) -> list[dict]:
    """Return the answer's lines; OrderNotGiven if the order was refused."""
    lines = list(answer)
    for line in lines:
        if "error" in line:
            raise OrderNotGiven(line["error"], EXIT_NOT_DONE)
    return lines


def confirm_drop(which: Sequence[str], agreed: bool) -> None:
    """Ask before something is given up for good."""
    if agreed:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("dropping cannot be undone; confirm with --yes.")
    click.confirm(f"Give up {' '.join(which)} for good? ToolsNet will never get them.", abort=True)


# -- the commands --------------------------------------------------------------------------------------------------


def _station_options(command: Callable) -> Callable:
    command = click.option("--station", type=int, help="Number of the station, if the file has several.")(command)
    return click.option(
        "--config", "config_path", type=click.Path(readable=False), metavar="FILE", help="The cart's configuration."
    )(command)


JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
SPOOL = click.option(
    "--spool", "spool_file", type=click.Path(), metavar="FILE", help="The spool file itself, instead of --config."
)
WHICH = click.argument("which", nargs=-1, required=True)


@click.group()
def quarantine() -> None:
    """List, retry or drop results that ToolsNet refused.

    Unreadable frames are there as well.
    """


@quarantine.command("list")
@_station_options
@SPOOL
@JSON
def list_command(as_json: bool, **named: Any) -> None:
    """Print one line for each entry, with the reason."""
    _run_order("list", (), as_json, **named)


@quarantine.command("show")
@click.argument("number")
@_station_options
@SPOOL
@JSON
def show_command(number: str, as_json: bool, **named: Any) -> None:
    """Show one entry in full."""
    _run_order("show", (number,), as_json, **named)


@quarantine.command("retry")
@WHICH
@click.option(
    "--in-doubt", is_flag=True, help="Include those that ToolsNet may already have; it may then store them twice."
)
@_station_options
@SPOOL
def retry_command(which: tuple[str, ...], in_doubt: bool, **named: Any) -> None:
    """Offer entries to ToolsNet again at once.

    WHICH is `all`, numbers, or ranges such as 5-9. What ToolsNet takes leaves the quarantine.
    """
    _run_order("retry", (*["in-doubt"] * in_doubt, *which), **named)


@quarantine.command("drop")
@WHICH
@click.option("--yes", "agreed", is_flag=True, help="Do not ask.")
@_station_options
@SPOOL
def drop_command(which: tuple[str, ...], agreed: bool, **named: Any) -> None:
    """Delete entries for good.

    WHICH is `all`, numbers, ranges such as 5-9, or `first`: the one that holds up all others.
    """
    confirm_drop(which, agreed)
    _run_order("drop", which, **named)


@quarantine.command("export")
@_station_options
@SPOOL
@JSON
def export_command(as_json: bool, **named: Any) -> None:
    """Export all entries as CSV or JSON.

    The columns are those of `toolcart spool export`.
    """
    _run_order("export", (), as_json, **named)


def _run_order(order: str, which: Sequence[str] = (), as_json: bool = False, **named: Any) -> None:
    def act(spool: LocalSpool) -> int:
        return carry_out_and_print(spool.ask, order, which, as_json, spool.path)

    run_and_exit(act, **named)


def run_and_exit(
    act: Callable[[LocalSpool], int],
    spool_file: str | None,
    config_path: str | None,
    station: int | None,
    parameter: str = "--station",
) -> None:
    """Give orders to the spool that the command line names, and end with the exit code."""
    try:
        sys.exit(act(spool_of(spool_file, config_path, station, parameter)))
    except OrderNotGiven as error:
        click.echo(f"toolcart: {error}", err=True)
        sys.exit(error.exit_code)
