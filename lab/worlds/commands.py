"""`toolcart bench worlds`: whole simulated worlds, judged; exit code 1 if the promise breaks in any of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("worlds")
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
    from toolcart.base.command_group import progress_bar
    from lab.bench.report import table
    from lab.worlds import bench
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
        told = bench.many(seed, count, shape, jobs, progress, names)
    if shrinks:
        bench.shrink(told, shape, lambda text: click.echo(text, err=True), names)
    tree = bench.report(told, seed, shape, names)
    if as_json:
        click.echo(json.dumps(tree))
    else:
        click.echo(table(tree))
        if tree["failures"]:
            click.echo(bench.failures_as_text(tree))
    sys.exit(1 if tree["failures"] else 0)


def _one_script(path: str, as_json: bool) -> int:
    from lab.worlds.course import run

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
