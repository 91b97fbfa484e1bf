"""`toolcart spool offer-again`: have delivered results sent to ToolsNet again, whether the agent runs or not.

The order goes where those to the quarantine go (toolcart.tools.spool.quarantine_commands), with the same exit codes.
"""

from __future__ import annotations

from datetime import datetime

import click

from toolcart.agent.linux.offer_again import DRY, LEAVE, ORDER
from toolcart.base.command_group import say_done
from toolcart.board.linux.plurals import agreeing, counted

_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@click.command("offer-again")
@click.argument("station", type=int, required=False)
@click.option(
    "--since", type=click.DateTime(_TIMES), metavar="TIME", help="From the first result of this time or later."
)
@click.option("--from", "number", type=click.IntRange(1), metavar="NUMBER", help="From this number in the spool on.")
@click.option("--leave", is_flag=True, help="Send nothing: what ToolsNet has lost is to be left.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@click.option(
    "--config", "config_path", type=click.Path(readable=False), metavar="FILE", help="The cart's configuration."
)
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
    from toolcart.tools.spool.quarantine_commands import LocalSpool, lines_unless_refused, run_and_exit

    def act(spool: LocalSpool) -> int:
        text = _outcome_text(lines_unless_refused(spool.ask([ORDER, *which, *[DRY] * dry_run]))[-1])
        click.echo(text) if dry_run else say_done(text)
        return 0

    if (since is not None) + (number is not None) + leave != 1:
        raise click.UsageError("name one of --since TIME, --from NUMBER and --leave.")
    if leave and dry_run:
        raise click.UsageError("--leave sends nothing: there is nothing to try.")
    which = ["from", str(number)] if since is None else ["since", *str(since).split()]
    which = [LEAVE] if leave else which
    run_and_exit(act, spool_file, config_path, station, "STATION")


def _outcome_text(answer: dict) -> str:
    """Return in words what was done, or would be."""
    if "left" in answer:
        return f"what ToolsNet lacks is left so: up to {counted(answer['left'], 'result')} that it had"
    count = answer["count"]
    results = f"{counted(count, 'result')} {agreeing(count, 'is')}"
    if not answer["done"]:
        results = f"dry run: {counted(count, 'result')} would be"
    event = "the agent runs" if answer.get("configured", True) else "ToolsNet is configured again"
    condition = "" if answer["running"] or not answer["done"] else f" when {event}"
    sentence = (
        f"{results} sent to ToolsNet again{condition}, from number {answer['from']} on ({answer['time'] or 'no time'})"
    )
    if answer["waiting"]:
        sentence += f", before the {answer['waiting']} that wait"
    if "oldest" in answer:
        sentence += "; that is the oldest which the spool still has"
    if answer["dropped"]:
        sentence += f"; up to {counted(answer['dropped'], 'result')} of them had been dropped from the quarantine"
    if answer.get("out"):
        sentence += f"; up to {answer['out']} more, on the way to it just now, may be stored twice as well"
    if answer["done"] and answer["lacks"]:
        lacks = answer["lacks"]
        sentence += f"; up to {counted(lacks, 'result')} that ToolsNet lacks {agreeing(lacks, 'stays')} in doubt"
    return sentence
