"""`toolcart trace`: the curves of tightenings as numbers in their units, in CSV or JSON.

Exit codes: 0 fine, 1 no curve found, 2 the command line or the file is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolcart.base.exit_codes import fail
from toolcart.base.terminal_safe import visible
from toolcart.codec.commands import AS, EXIT_NOTHING
from toolcart.trace.csv_rows import write_csv

if TYPE_CHECKING:
    from toolcart.trace.curves import Tightening

EXIT_WRONG = 2
LISTED_MOST = 12
PROBLEMS_MOST = 4


@click.command()
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--id", "ident", metavar="ID", help="Only this tightening ID.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each tightening instead.")
@AS
@click.option(
    "--order",
    type=click.Choice(["auto", "big", "little"]),
    default="auto",
    show_default=True,
    help="Byte order of a sample; auto is big, and little after a MID 0002 of an MT Focus 6000.",
)
def trace(file: str, ident: str | None, as_json: bool, kind: str, order: str) -> None:
    """Print the curves of tightenings as CSV.

    A row for each sample.

    FILE is a file from the `file` outlet with graphs in it, or anything that `toolcart decode` reads: a capture (pcap),
    hexadecimal text, a log, or the bytes of MID 0900 themselves.
    """
    from toolcart.trace.curves import load  # not above: it imports the catalogue, which other commands do without

    try:
        octets = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", "Is the name right, and may you read it?", EXIT_WRONG)
    tightenings, problems = load(octets, kind, order)
    for problem in problems[:PROBLEMS_MOST]:
        click.echo(f"toolcart: {visible(problem)}", err=True)
    if len(problems) > PROBLEMS_MOST:
        click.echo(f"toolcart: and {len(problems) - PROBLEMS_MOST} more that could not be read", err=True)
    if not tightenings:
        fail(
            f"there is no curve in {'standard input' if file == '-' else file}.",
            'A file outlet has them with "graphs": true, a capture as MID 0900; `toolcart decode` tells what is in it.',
            EXIT_NOTHING,
        )
    wanted = tightenings
    if ident is not None:
        wanted = [one for one in tightenings if one.ident.lstrip("0") == ident.lstrip("0")]
        if not wanted:
            fail(f"no curve is of tightening {visible(ident)}.", f"There are {_listed(tightenings)}.", EXIT_NOTHING)
    if as_json:
        for one in wanted:
            click.echo(json.dumps(_as_data(one)))
        return
    write_csv(wanted)
    for note in (f"{curve.name}: {note}" for one in wanted for curve in one.curves.values() for note in curve.notes):
        click.echo(note, err=True)


def _as_data(one: Tightening) -> dict[str, object]:
    return {
        "tightening_id": one.ident,
        "time": one.time or None,
        "station": one.station,
        "program": one.program,
        "part": one.part or None,
        "curves": [
            {
                "curve": curve.name,
                "unit": curve.unit or None,
                "low": curve.low,
                "high": curve.high,
                "ms": [round(place, 6) for place in curve.times_ms] or None,
                "values": [round(value, 6) for value in curve.values],
                "notes": curve.notes,
            }
            for curve in one.curves.values()
        ],
        "torque_over_angle": [[round(angle, 6), round(torque, 6)] for angle, torque in one.torque_over_angle()],
    }


def _listed(tightenings: list[Tightening]) -> str:
    names = [one.ident or "one without an ID" for one in tightenings]
    more = f" and {len(names) - LISTED_MOST} before them" if len(names) > LISTED_MOST else ""
    return visible(", ".join(names[-LISTED_MOST:]) + more)
