"""`toolcart archive consume`: batches of MQTT outlets into the archive. Exit codes as for all of `toolcart archive`."""

from __future__ import annotations

from typing import Any

import click

from toolcart.archive.options import (
    consumer_options,
    consuming,
    database_option,
    library,
    web_option,
)
from toolcart.archive.serve_commands import listening, password_option, serve_until_stopped
from toolcart.base.command_group import seconds_option


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
    from toolcart.archive import serving

    where_pages = listening(pages, options) if pages else None
    is_shared = "://" in place and not place.startswith("sqlite")
    where = serving.Place(
        place, role=serving.CONSUMER, consuming=consuming(url, filters, place, options), is_shared=is_shared
    )
    serve_until_stopped(where, options["seconds"], where_pages)
