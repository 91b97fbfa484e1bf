"""Tries a consumer of batches (docs/library/consumers.md): `python -m lab.consumers.check URL` from a checkout.

Exit codes: 0 right, 1 something is wrong with the consumer, 2 it could not be tried.
"""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import asdict
from typing import Any

import click

from toolcart.archive.options import EXIT_NOTHING, address, broker_options, fail, failing, machine_option, option
from toolcart.base.command_group import SECONDS
from lab.consumers import trials


@click.command()
@click.argument("url")
@broker_options
@click.option("--topic", metavar="TEXT", help="Base topic.  [default: toolcart/check/ and a random word]")
@option("--wait", "wait_s", type=SECONDS, default=5.0, help="Longest wait for a receipt, in s.")
@click.option("--restart", metavar="COMMAND", default="", help="Command that kills the consumer and starts it again.")
@click.option(
    "--count", metavar="COMMAND", default="", help="Command that prints how many results the consumer has stored."
)
@machine_option
def main(url: str, topic: str | None, wait_s: float, restart: str, count: str, as_json: bool, **options: Any):
    """Try a consumer of batches over its broker and judge its receipts.

    docs/library/consumers.md has the contract.

    It plays an outlet: it sends batches, repeats, gaps, overlaps, new spools and garbage, and judges the receipts. The
    consumer has to take the topic, such as toolcart/check/+/results. What it stores is from station 9999.
    """
    where = address(url, (), options, "")
    base = topic or "/".join((*where.filters, f"toolcart/check/{secrets.token_hex(3)}")[:1])
    if not base or any(letter in base for letter in "+#"):
        fail(f"{base}: one topic, without wildcards")
    if not as_json:
        click.echo(f"batches go to {base}/results of {where}; receipts are to come to {base}/receipt")
    wrong = 0
    with failing(trials.NotPossible):
        for finding in trials.check(where, base, trials.Plan(wait_s, restart, count)):
            wrong += finding.right is False
            word = {True: "right", False: "WRONG", None: "-"}[finding.right]
            click.echo(json.dumps(asdict(finding)) if as_json else f"{word:6}{finding.text}")
    if not as_json:
        click.echo("nothing is wrong with it" if not wrong else f"{wrong} wrong")
    sys.exit(EXIT_NOTHING if wrong else 0)


if __name__ == "__main__":
    try:
        sys.exit(main(standalone_mode=False))
    except click.ClickException as wrong:  # one line, without the usage, which is longer
        click.echo(f"python -m lab.consumers.check: {wrong.format_message()}", err=True)
        sys.exit(2)
