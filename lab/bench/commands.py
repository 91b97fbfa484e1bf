"""`toolcart bench`: what this machine makes of the program, and whether the promise holds; of a checkout alone."""

from __future__ import annotations

import importlib
import json
import sys

import click

from toolcart.base.cache import Unavailable
from toolcart.base.command_group import LazyGroup
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.progress import progress_bar
from toolcart.base.report import table


@click.group(cls=LazyGroup, places={"worlds": "lab.worlds.commands:worlds"})
def bench() -> None:
    """Measure on this machine."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def path(as_json: bool) -> None:
    """Measure the path of a result from the controller's bytes to ToolsNet's acknowledgement."""
    _measure("path", as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def serial(as_json: bool) -> None:
    """Measure the serial links over a line simulated byte by byte, and what the block check misses."""
    _measure("serial", as_json)


@bench.command("spool")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench_spool(as_json: bool) -> None:
    """Measure the spool's wear, start-up and durable appends, compared with littlefs and SQLite."""
    _measure("spool", as_json)


@bench.command("toolsnet")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench_toolsnet(as_json: bool) -> None:
    """Measure building telegrams, backlogs over slow lines, an archive with 1000 stations and ten million results."""
    _measure("toolsnet", as_json)


@bench.command("board")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_chip(as_json: bool) -> None:
    """Measure what the agent needs on a chip: instructions by stage on a Cortex-M3, flash and heap of an RP2040."""
    _measure("board", as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def codec(as_json: bool) -> None:
    """Measure the catalogue of Open Protocol against plain slicing, and what importing it costs."""
    _measure("codec", as_json)


@bench.command("stations")
@click.option("--stations", type=click.IntRange(1, 250), default=50, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 600), default=20.0, show_default=True, help="For each of two runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_stations(stations: int, seconds: float, as_json: bool) -> None:
    """Measure CPU and memory of an agent with many stations, a result a second from each, and of the live view."""
    _measure("stations", as_json, stations=stations, seconds=seconds)


@bench.command("causes")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seconds", type=click.IntRange(5, 36000), default=120, show_default=True, help="For each, at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_causes(names: tuple[str, ...], seconds: int, as_json: bool) -> None:
    """Break each rule of the core once, and check that worlds or an exhaustive run find it; exit code 1 if not.

    docs/worlds.md lists the names, and what found each.
    """
    from lab.bench import causes

    try:
        with progress_bar("causes") as progress:
            found = causes.run(names, seconds, progress)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from None
    click.echo(json.dumps({"causes": [vars(one) for one in found]}) if as_json else causes.table(found))
    sys.exit(0 if all(one.what for one in found) else 1)


def _measure(name: str, as_json: bool, **options: float) -> None:
    """Run one of the laboratory's benchmarks and print its figures."""
    benchmark = importlib.import_module(f"lab.bench.{name}")
    try:
        with progress_bar("measuring") as progress:
            report = benchmark.run(progress, **options)
    except Unavailable as reason:
        click.echo(f"toolcart: bench {name}: {reason}", err=True)
        sys.exit(EXIT_OTHER)
    click.echo(json.dumps(report) if as_json else table(report))
