"""`toolcart archive consume` and `check-consumer`.

Exit codes as for all of `toolcart archive`; `check-consumer` ends with 1 if something is wrong with the consumer.
"""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import asdict
from typing import Any

import click

from toolcart.archive.options import (
    EXIT_NOTHING,
    address,
    broker_options,
    consumer_options,
    consuming,
    database_option,
    fail,
    failing,
    library,
    machine_option,
    option,
    web_option,
)
from toolcart.archive.serve_commands import listening, password_option, serve_until_told
from toolcart.base.command_group import SECONDS, seconds_option


@click.command()
@database_option
@click.argument("url")
@click.argument("filters", nargs=-1, metavar="[TOPIC-FILTER]...")
@consumer_options
@web_option
@password_option
@seconds_option
def consume(place: str, url: str, filters: tuple[str, ...], pages: str | None, **options: Any) -> None:
    """Store the batches of MQTT outlets.

    Each result once, until Ctrl-C.

    URL is mqtt://user@host:port/topic-filter, or mqtts:// for TLS; a filter that names no kind of message asks for
    results and state, and `toolcart/#` takes events and curves too. The receipt goes out after the commit, so an outlet
    with `confirm: "consumer"` loses nothing, whatever is killed. `serve --consume` does the same beside PIM and server.
    """
    library()
    from toolcart.archive.server import serving
    from toolcart.archive.server.fault_injection import Faults

    where_pages = listening(pages, options) if pages else None
    is_shared = "://" in place and not place.startswith("sqlite")
    where = serving.Place(
        place, role=serving.CONSUMER, consuming=consuming(url, filters, place, options), is_shared=is_shared
    )
    serve_until_told(where, Faults(), options["seconds"], where_pages)


@click.command("check-consumer")
@click.argument("url")
@broker_options
@click.option("--topic", metavar="TEXT", help="Base topic.  [default: toolcart/check/ and a random word]")
@option("--wait", "wait_s", type=SECONDS, default=5.0, help="Longest wait for a receipt, in s.")
@click.option("--restart", metavar="COMMAND", default="", help="Command that kills the consumer and starts it again.")
@click.option(
    "--count", metavar="COMMAND", default="", help="Command that prints how many results the consumer has stored."
)
@machine_option
def check_consumer(url: str, topic: str | None, wait_s: float, restart: str, count: str, as_json: bool, **options: Any):
    """Test a consumer of batches.

    docs/library/consumers.md has the contract.

    It plays an outlet: it sends batches, repeats, gaps, overlaps, new spools and garbage, and judges the receipts. The
    consumer has to take the topic, such as toolcart/check/+/results. What it stores is from station 9999.
    """
    where = address(url, (), options, "")
    from toolcart.archive.consume import check

    base = topic or "/".join((*where.filters, f"toolcart/check/{secrets.token_hex(3)}")[:1])
    if not base or any(letter in base for letter in "+#"):
        fail(f"{base}: one topic, without wildcards")
    if not as_json:
        click.echo(f"batches go to {base}/results of {where}; receipts are to come to {base}/receipt")
    wrong = 0
    with failing(check.NotPossible):
        for found in check.check(where, base, check.Plan(wait_s, restart, count)):
            wrong += found.right is False
            word = {True: "right", False: "WRONG", None: "-"}[found.right]
            click.echo(json.dumps(asdict(found)) if as_json else f"{word:6}{found.text}")
    if not as_json:
        click.echo("nothing is wrong with it" if not wrong else f"{wrong} wrong")
    sys.exit(EXIT_NOTHING if wrong else 0)
