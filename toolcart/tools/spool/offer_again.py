"""`toolcart spool offer-again`: have delivered results sent to ToolsNet again, whether the agent runs or not.

The order goes where those to the quarantine go (toolcart.tools.spool.quarantine_commands), with the same exit codes.
"""

from __future__ import annotations

import sys
from datetime import datetime

import click

from toolcart.agent.wide.offer_again import DRY, ORDER

_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@click.command("offer-again")
@click.argument("station", type=int)
@click.option(
    "--since", type=click.DateTime(_TIMES), metavar="TIME", help="From the first result of this time or later."
)
@click.option("--from", "number", type=click.IntRange(1), metavar="NUMBER", help="From this number in the spool on.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@click.option("--config", "config_path", type=click.Path(), metavar="FILE", help="The cart's configuration.")
def offer_again_command(
    station: int, since: datetime | None, number: int | None, dry_run: bool, config_path: str | None
) -> None:
    """Send delivered results to ToolsNet again.

    For a ToolsNet whose database was emptied or restored.

    All results from TIME or NUMBER on are sent, in order. TIME is the controller's, as `toolcart spool list` shows it.
    ToolsNet stores twice what it still has. The quarantine is left as it is; curves and events are not sent again.
    """
    from toolcart.tools.spool.quarantine_commands import EXIT_NOT_DONE, Trouble, place_of

    if (since is None) == (number is None):
        raise click.UsageError("name either --since TIME or --from NUMBER.")
    which = ["from", str(number)] if since is None else ["since", *str(since).split()]
    try:
        found = list(place_of(None, config_path, station).ask([ORDER, *which, *[DRY] * dry_run]))[-1]
        if "error" in found:
            raise Trouble(found["error"], EXIT_NOT_DONE)
    except Trouble as trouble:
        click.echo(f"toolcart: {trouble}", err=True)
        sys.exit(trouble.exit_code)
    click.echo(_told(found))


def _told(found: dict) -> str:
    """Return in words what was done, or would be."""
    count = found["count"]
    results = "1 result is" if count == 1 else f"{count} results are"
    if not found["done"]:
        results = f"dry run: {count} {'result' if count == 1 else 'results'} would be"
    when = "" if found["running"] or not found["done"] else " when the agent runs"
    said = f"{results} sent to ToolsNet again{when}, from number {found['from']} on ({found['time'] or 'no time'})"
    if found["waiting"]:
        said += f", before the {found['waiting']} that wait"
    if "oldest" in found:
        said += "; that is the oldest which the spool still has"
    return said
