"""`toolcart spool`: look at a spool file, a folder of blocks or an image pulled from a board, which stay as they are.

`take-over` moves one into a new file; `offer-again` is an order.

Exit codes: 0 fine, 1 something in it that is needed cannot be read, so what is shown or taken over is not all of it, 2
it cannot be read or is not a spool.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import NoReturn

import click

from toolcart.agent.log.snapshot_fields import QUARANTINE
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record.text import CLOCK_UNSET
from toolcart.base.command_group import say_done
from toolcart.base.terminal_safe import visible
from toolcart.board.linux.plurals import counted
from toolcart.spool import image
from toolcart.tools.spool import report, waiting
from toolcart.tools.spool.offer_again_command import offer_again_command

_FILE = click.argument("file", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for machines.")


EXIT_DAMAGED = 1
NOTHING_NEEDED = "nothing waits in it"
NOTHING_READABLE_NEEDED = "nothing waits in what can be read of it"
NEW = "new and empty: nothing is stored in it, and the next start of an agent divides its blocks"
RUNNING = (
    "this spool is in use. If an agent has it, only that agent knows what it has delivered since it wrote its cursor, "
    "and whether anything is connected: `toolcart status` asks a service. The figures here are those of the file."
)


@click.group()
def spool() -> None:
    """Inspect a spool; send results to ToolsNet again.

    Only offer-again and take-over write.
    """


def _read(file: Path) -> image.Image:
    """Return what is in the file; on stderr it is said what is not as it should be."""
    try:
        found = image.read(file)
    except image.ImageError as reason:
        _fail(file, reason)
    _note_flaws(found.flaws)
    return found


def _end(file: Path, found: image.Image) -> NoReturn:
    """End with 1 if what was shown is not all that was in the file, and say what tells more."""
    if found.is_damaged:
        quoted = shlex.quote(str(file))
        hint = f"`toolcart spool check {quoted}` tells more, `toolcart spool rescue {quoted}` looks for what is missing"
        click.echo(f"  {hint}.", err=True)
    sys.exit(EXIT_DAMAGED if found.is_damaged else 0)


def _note_flaws(flaws: list[str]) -> None:
    for flaw in flaws:
        click.echo(f"note: {flaw}", err=True)


def _fail(file: Path, reason: image.ImageError) -> NoReturn:
    click.echo(f"{file}: {reason}", err=True)
    if isinstance(reason, image.DamagedSpool):
        click.echo(f"  `toolcart spool rescue {shlex.quote(str(file))}` looks for results in it.", err=True)
    sys.exit(2)


@spool.command()
@_FILE
@_JSON
def info(file: Path, as_json: bool) -> None:
    """Show size, contents and wear."""
    spool = _read(file)
    needed = waiting.needed(spool.opened)
    accounts = [report.account(spool, area) for area in spool.areas]
    running = image.is_held(file)
    owner = report.owner(image.header(file))
    if as_json:
        report_fields = {"file": str(file), "owner": owner, "running": running, "new": spool.opened.is_new}
        click.echo(json.dumps({**report_fields, "flaws": spool.flaws, "areas": accounts}))
        _end(file, spool)
    if running:
        click.echo(f"note: {RUNNING}", err=True)
    if owner is not None and owner["station"]:
        click.echo("station {station} of system {system} (type {type}), spool {identity}".format(**owner))
    if spool.opened.is_new:
        click.echo(NEW)
    click.echo(needed.words() or (NOTHING_READABLE_NEEDED if spool.is_damaged else NOTHING_NEEDED))
    for account in accounts:
        click.echo(f"{account.pop('area')} area")
        account.pop("waiting_for", None)
        for name, value in account.items():
            if name == "waiting":
                value = needed.waiting_text()
            if isinstance(value, dict):
                value = ", ".join(f"{count} {kind}" for kind, count in value.items()) or "none"
            click.echo(f"  {name.replace('_', ' '):18} {'unknown' if value is None else visible(value)}")
    _end(file, spool)


@spool.command("list")
@_FILE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
@click.option("--all", "everything", is_flag=True, help="Show every record, even those that do not count.")
def list_records(file: Path, as_json: bool, everything: bool) -> None:
    """Print one line for each result, oldest first.

    Those that are set aside are marked, and come last where only the quarantine still has them.
    """
    found = _read(file)
    listed: set[int] = set()  # what is set aside is in the log as well, until that is overwritten
    aside = {entry.number for area in found.areas if area.ring == QUARANTINE for entry in report.results(area)}
    for area in found.areas:
        entries = area.entries if everything else report.results(area)
        for entry in entries:
            if everything or entry.number not in listed:
                _print_entry(entry, as_json, entry.number in aside)
        listed.update(entry.number for entry in entries)
    _end(file, found)


def _print_entry(entry: image.Entry, as_json: bool, is_set_aside: bool) -> None:
    fields: dict[str, object] = {"record": entry.record, "block": entry.block, "offset": entry.offset}
    fields.update(void=entry.void, kind=entry.kind_name)
    if entry.number:
        fields.update(report.row(entry))
    if as_json:
        click.echo(json.dumps(fields))
        return
    columns = [f"{entry.record:8} {entry.block:5}+{entry.offset:<6} {entry.kind_name:7}"]
    for name in ("number", "time", "vin", "program", "torque", "angle", "status", "source"):
        if fields.get(name) not in (None, ""):
            columns.append(str(fields[name]))
    if fields.get("time_source") == CLOCK_UNSET:
        columns.append(f"({CLOCK_UNSET})")
    if is_set_aside and not entry.void:
        columns.append("(set aside)")
    click.echo(visible(" ".join(columns)) + (" (void)" if entry.void else ""))


@spool.command()
@_FILE
@click.argument("number", type=int)
def show(file: Path, number: int) -> None:
    """Show one result in full, with its bytes."""
    is_found, found = False, _read(file)
    for area in found.areas:
        for entry in area.entries:
            if entry.number == number and number:
                is_found = True
                click.echo(json.dumps(report.row(entry), indent=2))
                for at in range(0, len(entry.payload), 16):
                    piece = entry.payload[at : at + 16]
                    text = "".join(chr(o) if 0x20 <= o <= 0x7E else "." for o in piece)
                    click.echo(f"  {at:4} {piece.hex(' '):48} {text}")
    if not is_found:
        known = " that can be read" * found.is_damaged
        click.echo(f"{file}: there is no result {number}{known}", err=True)
        sys.exit(1)


@spool.command()
@_FILE
@click.option("--csv", "as_csv", is_flag=True, help="CSV (the default).")
@_JSON
def export(file: Path, as_csv: bool, as_json: bool) -> None:
    """Export all results as CSV or JSON, and what is gone.

    CSV shows control characters as escapes.
    """
    if as_csv and as_json:
        raise click.UsageError("either --csv or --json")
    found = _read(file)
    areas = found.areas
    rows = [report.row(entry) for area in areas for entry in report.results(area)]
    rows += [report.gap_row(gap) for area in areas for gap in report.gaps(area)]
    report.write(rows, report.COLUMNS, as_json)
    _end(file, found)


@spool.command()
@_FILE
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@_JSON
def gaps(file: Path, as_csv: bool, as_json: bool) -> None:
    """List results that the controller no longer has.

    Which tightening IDs, since when, and why.
    """
    if as_csv and as_json:
        raise click.UsageError("either --csv or --json")
    spool = _read(file)
    listed = [gap for area in spool.areas for gap in report.gaps(area)]
    account = report.account(spool, spool.areas[0])
    if as_json:
        totals = {name: account.get(name) for name in ("gone", "gone_not_listed", "missing")}
        click.echo(json.dumps({"file": str(file), **totals, "flaws": spool.flaws, "gaps": listed}, indent=1))
        _end(file, spool)
    if as_csv:
        report.write(listed, report.GAP_COLUMNS)
        _end(file, spool)
    for gap in listed:
        first, last = gap["first_id"], gap["last_id"]
        ids = "unknown IDs" if first is None else f"ID {first}" if first == last else f"IDs {first} to {last}"
        count = "some" if gap["count"] is None else f"at most {gap['count']}"
        reason = gap["why"] or "power was cut before it was noted which, or for several reasons"
        click.echo(visible(f"{gap['time']}  {ids}, {count} gone: {reason}"))
    if spool.opened.state.lost:
        click.echo("how many are gone in all, and how many are missing that can still be fetched, is not known")
        _end(file, spool)
    click.echo(
        f"at most {account.get('gone', 0)} gone in all, {account.get('gone_not_listed', 0)} of them not listed here; "
        f"at most {account.get('missing', 0)} missing that can still be fetched, as far as that is written down"
    )
    _end(file, spool)


@spool.command()
@_FILE
@_JSON
def check(file: Path, as_json: bool) -> None:
    """Check every byte.

    `damaged` are records that an outlet still needs and nobody can read: at most as many as an agent says that starts
    with this spool. Exit code 1 if there are any, or if the state, the newest of it or the header cannot be
    read.
    """
    found = _read(file)
    areas = found.areas
    damaged = sum(area.damaged for area in areas)
    records = sum(1 for area in areas for entry in area.entries if not entry.void)
    void = sum(1 for area in areas for entry in area.entries if entry.void)
    summary = {"file": str(file), "records": records, "damaged": damaged, "void": void, "flaws": found.flaws}
    if as_json:
        click.echo(json.dumps(summary))
    else:
        voids = f"{void} void (copies, never acknowledged, or in front of a lost block)"
        click.echo(f"{counted(records, 'record')}, {damaged} damaged, {voids}")
    sys.exit(EXIT_DAMAGED if found.is_damaged else 0)


@spool.command()
@_FILE
@click.option("--csv", "as_csv", is_flag=True, help="CSV (the default).")
@_JSON
def rescue(file: Path, as_csv: bool, as_json: bool) -> None:
    """Export every result that a damaged spool still has."""
    if as_csv and as_json:
        raise click.UsageError("either --csv or --json")
    try:
        octets = image.load(file)
    except image.ImageError as reason:
        _fail(file, reason)
    rows = rescued(octets)
    report.write(rows, report.COLUMNS, as_json)
    found = len({row["number"] for row in rows})
    click.echo(f"{counted(found, 'result')} found in {len(octets) // 1024} KiB", err=True)


def rescued(octets: bytes) -> list[dict[str, object]]:
    """Return every result and raw frame, each once, by number; two different ones under one number are both kept."""
    rows: dict[tuple[int, bytes], dict[str, object]] = {}
    for _, entry in image.scan(octets):
        if entry.kind in (KIND_RESULT, KIND_RAW) and len(entry.payload) >= (
            114 if entry.kind == KIND_RESULT else 16 if entry.ring else 8
        ):
            rows.setdefault((entry.number, entry.payload), report.row(entry))
    return [rows[key] for key in sorted(rows)]


@spool.command("take-over")
@click.argument("source", metavar="OLD", type=click.Path(path_type=Path))
@click.argument("target", metavar="NEW", type=click.Path(path_type=Path))
@click.option(
    "--station", type=click.IntRange(1, 9999), default=None, help="Station number, if it is not that of the old spool."
)
@click.option(
    "--size-kib", type=click.IntRange(40, 65536), default=16384, show_default=True, help="The same as spool.size_kib."
)
@click.option(
    "--parked-kib",
    type=click.IntRange(12, 16384),
    help="The same as spool.parked_kib.  [default: the old one's, or a quarter if it had that or more]",
)
@click.option(
    "--graphs-kib",
    type=click.IntRange(0, 32768),
    help="The same as spool.graphs_kib.  [default: the old one's, at most half of --size-kib]",
)
@click.option("--unit", type=click.Choice(["16", "64", "256", "512"]), default="16", show_default=True)
def take_over_command(
    source: Path,
    target: Path,
    station: int | None,
    size_kib: int,
    parked_kib: int | None,
    graphs_kib: int | None,
    unit: str,
) -> None:
    """Copy a spool to another size, division, unit or station.

    OLD is a file, a folder of blocks or an image of a board. NEW gets all that an outlet still needs, else the newest
    that there is room for. What is left behind is said.

    With another --station the waiting results go to ToolsNet under that number, as at a first contact.
    """
    from toolcart.tools.spool.take_over import CannotTakeOver, Plan, take_over

    if parked_kib is not None and 2 * parked_kib > size_kib:
        raise click.UsageError(f"--parked-kib is at most half of --size-kib ({size_kib})")
    most_kib = 3 * size_kib // 4 - (parked_kib or size_kib // 4)
    if graphs_kib and graphs_kib > most_kib:
        raise click.UsageError(f"--graphs-kib is at most {most_kib} here: results need a quarter of --size-kib")
    exit_code = 0

    def note(found: image.Image) -> None:
        nonlocal exit_code
        _note_flaws(found.flaws)
        exit_code = EXIT_DAMAGED if found.lacks_content else 0  # a new header is sound

    try:
        graphs_bytes = None if graphs_kib is None else graphs_kib * 1024
        plan = Plan(size_kib * 1024, (parked_kib or 0) * 1024, int(unit), station or 0, graphs_bytes)
        done, is_whole = take_over(source, target, plan, note)
        say_done(done)
        exit_code = exit_code if is_whole else EXIT_DAMAGED
    except image.ImageError as reason:
        _fail(source, reason)
    except CannotTakeOver as reason:
        click.echo(str(reason), err=True)
        sys.exit(2)
    sys.exit(exit_code)


spool.add_command(offer_again_command)
