"""`toolcart bench`: what this machine makes of the program, and whether the promise holds; of a checkout alone."""

from __future__ import annotations

import importlib
import json
import sys

import click

from toolcart.base.command_group import LazyGroup
from toolcart.base.exit_codes import EXIT_OTHER
from lab.bench.report import table
from lab.cache import Unavailable

PARTS = {
    "path": "a result's way from the controller's bytes to ToolsNet's acknowledgement: speed, allocations on files",
    "spool": "the spool's wear, start and durable appends",
    "drain": "a backlog on its way to ToolsNet over lines with a round trip",
    "board": "instructions on a Cortex-M3; least heap of a board",
    "stations": "live view and status of 50 stations, a result a second each",
    "codec": "the catalogue and the client beside plain slicing and a bare asyncio loop; what an import takes",
    "archive": "results committed a second, how long an acknowledgement takes, memory, pages over ten million results",
}


@click.group(cls=LazyGroup, places={"worlds": "lab.worlds.commands:worlds"})
def bench() -> None:
    """Measure on this machine."""


@bench.command()
@click.argument("parts", nargs=-1, type=click.Choice(tuple(PARTS)), metavar="[PART]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def figures(parts: tuple[str, ...], as_json: bool) -> None:
    """Take the figures of these PARTs, or say what each part measures."""
    if not parts:
        click.echo("\n".join(f"{name:<14} {about}" for name, about in PARTS.items()))
        return
    reports = {part: _measured(part) for part in parts}
    click.echo(json.dumps(reports) if as_json else "\n\n".join(map(table, reports.values())))


@bench.command("causes")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seconds", type=click.IntRange(5, 36000), default=120, show_default=True, help="For each, at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_causes(names: tuple[str, ...], seconds: int, as_json: bool) -> None:
    """Break each rule of the core once and see it found.

    By generated worlds or an exhaustive run; exit code 1 if one is not found.

    Without a NAME it breaks all of them; lab/worlds/causes.py has each in words.
    """
    from toolcart.base.command_group import progress_bar
    from lab.worlds import causes

    try:
        with progress_bar("causes") as progress:
            found = causes.run(names, seconds, progress)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from None
    click.echo(json.dumps({"causes": [vars(one) for one in found]}) if as_json else causes.table(found))
    sys.exit(0 if all(one.what for one in found) else 1)


def _measured(part: str) -> dict:
    """Run one part; end with exit code 1 if this machine lacks what it needs."""
    from toolcart.base.command_group import progress_bar

    try:
        with progress_bar(part) as progress:
            return importlib.import_module(f"lab.bench.{part}").run(progress)
    except Unavailable as reason:
        click.echo(f"toolcart: bench figures {part}: {reason}", err=True)
        sys.exit(EXIT_OTHER)
