"""`toolcart bench`: what this machine makes of the program, and whether the promise holds; of a checkout alone."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import click

from toolcart.base.command_group import progress_bar
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


@click.group()
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
    from lab.worlds import causes

    try:
        with progress_bar("causes") as progress:
            trials = causes.run(names, seconds, progress)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from None
    click.echo(json.dumps({"causes": [vars(one) for one in trials]}) if as_json else causes.table(trials))
    sys.exit(0 if all(one.what for one in trials) else 1)


@bench.command()
@click.option("--worlds", "count", type=click.IntRange(min=1), default=200, show_default=True, help="How many worlds.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the first world.")
@click.option("--shape", default="", metavar="NAME", help="Only worlds about one thing (docs/internals/worlds.md).")
@click.option("--profiles", metavar="NAMES", help="Controllers by name, separated by commas; or all, or none.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
@click.option("--shrink", "shrinks", is_flag=True, help="Make the first failing worlds smaller.")
@click.option(
    "--script", "script_path", type=click.Path(), metavar="FILE", help="Run the world of this script instead of seeds."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def worlds(
    count: int,
    seed: int,
    shape: str,
    profiles: str | None,
    jobs: int,
    shrinks: bool,
    script_path: str | None,
    as_json: bool,
) -> None:
    """Run the agent in generated worlds with faults.

    Faults are of every kind; a judge compares what ToolsNet got with what was made.

    A world is defined by its seed. A failing one prints its seed, and with --shrink a short script that fails the same
    way; docs/internals/worlds.md says how a script becomes a test.
    """
    from lab.worlds import bench as judged
    from lab.worlds.profiles import names_of
    from lab.worlds.script import SHAPES

    if shape not in ("", *SHAPES):
        raise click.UsageError(f"--shape: {shape!r} is none of {', '.join(SHAPES)}")
    if script_path is not None:
        sys.exit(_one_script(script_path, as_json))
    try:
        names = names_of(profiles) if profiles else ()
    except ValueError as reason:
        raise click.UsageError(f"--profiles: {reason}") from None
    with progress_bar("worlds") as progress:
        judgements = judged.many(seed, count, shape, jobs, progress, names)
    if shrinks:
        judged.shrink(judgements, shape, lambda text: click.echo(text, err=True), names)
    tree = judged.report(judgements, seed, shape, names)
    if as_json:
        click.echo(json.dumps(tree))
    else:
        click.echo(table(tree))
        if tree["failures"]:
            click.echo(judged.failures_as_text(tree))
    sys.exit(1 if tree["failures"] else 0)


def _one_script(path: str, as_json: bool) -> int:
    from lab.worlds.world_run import run

    try:
        script = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise click.UsageError(f"{path}: {reason}") from None
    verdict = run(script).verdict
    if as_json:
        excused = {name: count for name, count in sorted(verdict.excused.items()) if count}
        findings = [vars(finding) for finding in verdict.findings]
        click.echo(json.dumps({"owed": verdict.owed, "findings": findings, "excused": excused}))
    else:
        for finding in verdict.findings:
            click.echo(f"{finding.kind}, station {finding.station}: {finding.text}")
        click.echo(f"{verdict.owed} owed, {len(verdict.findings)} findings")
    return 1 if verdict.findings else 0


def _measured(part: str) -> dict:
    """Run one part; end with exit code 1 if this machine lacks what it needs."""
    try:
        with progress_bar(part) as progress:
            return importlib.import_module(f"lab.bench.{part}").run(progress)
    except Unavailable as reason:
        click.echo(f"toolcart: bench figures {part}: {reason}", err=True)
        sys.exit(EXIT_OTHER)
