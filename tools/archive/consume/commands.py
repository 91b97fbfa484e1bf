"""`toolcart archive consume` and `check-consumer`.

Exit codes as of all of `toolcart archive`; `check-consumer` ends with 1 if something is wrong with the consumer.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import click

from tools.archive.consume.options import broker_options, consuming
from tools.archive.options import EXIT_NOTHING, database_option, fail, library
from tools.archive.serve_commands import child_of, listening, say

_SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@database_option
@click.argument("url")
@click.argument("filters", nargs=-1, metavar="[TOPIC-FILTER]...")
@broker_options
@click.option("--web", "pages", metavar="HOST:PORT", help="Serve the pages there too, in a process of their own.")
@click.option("--password-file", type=click.Path(), metavar="FILE", help="The pages' password; mode 0600.")
@click.option("--seconds", type=_SECONDS, help="End by itself.")
def consume(place: str, url: str, filters: tuple[str, ...], pages: str | None, **options: Any) -> None:
    """Store the batches of MQTT outlets, each result once, until Ctrl-C.

    URL is mqtt://user@host:port/topic-filter, or mqtts:// for TLS; `/results` is added to a filter that names no kind
    of message, and `toolcart/#` takes events and curves too. The receipt goes out behind the commit, so an outlet with
    `confirm: "consumer"` loses nothing, whatever is killed. `serve --consume` does the same beside PIM and server.
    """
    database = library()
    from tools.archive import serving
    from tools.archive.faults import Faults

    where_pages = None
    if pages:
        given = {"users_file": None, "trust_proxy": None, "user_header": "", "shifts": None}
        where_pages = listening(pages, {**given, "password_file": options["password_file"]})
    is_shared = "://" in place and not place.startswith("sqlite")
    where = serving.Place(
        place, role=serving.CONSUMER, consuming=consuming(url, filters, place, options), is_shared=is_shared
    )
    try:
        asyncio.run(serving.run(where, Faults(), say, options["seconds"], lambda: child_of(place, where_pages)))
    except database.Unusable as reason:
        fail(str(reason))
    except BrokenPipeError:  # whoever read what is told has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_NOTHING)
