"""`toolcart spool offer-again`: have delivered results sent to ToolsNet again, whether the agent runs or not.

The order goes where those to the quarantine go (toolcart.tools.spool.quarantine_commands), with the same exit codes.
"""

from __future__ import annotations

from datetime import datetime

import click

from toolcart.agent.linux.offer_again import DRY, LEAVE, ORDER
from toolcart.tools.messages.durations import counted

_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@click.command("offer-again")
@click.argument("station", type=int, required=False)
@click.option(
    "--since", type=click.DateTime(_TIMES), metavar="TIME", help="From the first result of this time or later."
)
@click.option("--from", "number", type=click.IntRange(1), metavar="NUMBER", help="From this number in the spool on.")
@click.option("--leave", is_flag=True, help="Send nothing: what ToolsNet has lost is to be left.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@click.option("--config", "config_path", type=click.Path(), metavar="FILE", help="The cart's configuration.")
@click.option(
    "--spool", "spool_file", type=click.Path(), metavar="FILE", help="The spool file itself, instead of --config."
)
def offer_again_command(
    station: int | None,
    since: datetime | None,
    number: int | None,
    leave: bool,
    dry_run: bool,
    config_path: str | None,
    spool_file: str | None,
) -> None:
    """Send delivered results to ToolsNet again.

    For a ToolsNet whose database was emptied or restored.

    All results from TIME or NUMBER on are sent, in order. TIME is the controller's, as `toolcart spool list` shows it.
    ToolsNet stores twice what it still has. The quarantine is left as it is; curves and events are not sent again.
    """
    from toolcart.tools.spool.quarantine_commands import Ask, end, good

    def act(ask: Ask) -> int:
        click.echo(_told(good(ask([ORDER, *which, *[DRY] * dry_run]))[-1]))
        return 0

    if (since is not None) + (number is not None) + leave != 1:
        raise click.UsageError("name one of --since TIME, --from NUMBER and --leave.")
    if leave and dry_run:
        raise click.UsageError("--leave sends nothing: there is nothing to try.")
    which = ["from", str(number)] if since is None else ["since", *str(since).split()]
    which = [LEAVE] if leave else which
    end(act, spool_file, config_path, station)


def _told(found: dict) -> str:
    """Return in words what was done, or would be."""
    if "left" in found:
        return f"what ToolsNet lacks is left so: up to {counted(found['left'], 'result')} that it had"
    count = found["count"]
    results = f"{counted(count, 'result')} {'is' if count == 1 else 'are'}"
    if not found["done"]:
        results = f"dry run: {counted(count, 'result')} would be"
    begins = "the agent runs" if found.get("configured", True) else "ToolsNet is configured again"
    when = "" if found["running"] or not found["done"] else f" when {begins}"
    said = f"{results} sent to ToolsNet again{when}, from number {found['from']} on ({found['time'] or 'no time'})"
    if found["waiting"]:
        said += f", before the {found['waiting']} that wait"
    if "oldest" in found:
        said += "; that is the oldest which the spool still has"
    if found["dropped"]:
        said += f"; up to {counted(found['dropped'], 'result')} of them had been dropped from the quarantine"
    if found.get("out"):
        said += f"; up to {found['out']} more, on the way to it just now, may be stored twice as well"
    if found["done"] and found["lacks"]:
        said += f"; up to {counted(found['lacks'], 'result')} that ToolsNet lacks stay in doubt"
    return said
