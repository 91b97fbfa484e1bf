"""`toolcart archive consume` and `check-consumer`, and what `serve --consume` needs of them.

Exit codes as of all of `toolcart archive`; `check-consumer` ends with 1 if something is wrong with the consumer.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import Any

import click

from tools.archive.options import EXIT_NOTHING, database_option, fail, library
from tools.base.installation import how_to_get

_SECONDS = click.FloatRange(min=0, min_open=True)


def broker_options(command):
    """How a broker is reached, beside its address."""
    for name, metavar, text in (
        ("mqtt-key", "FILE", "Its private key (PEM)."),
        ("mqtt-certificate", "FILE", "A certificate of one's own for the broker (PEM)."),
        ("mqtt-ca", "FILE", "Trust this CA (PEM) in place of the system's."),
        ("mqtt-password-file", "FILE", "The broker's password: its first line; mode 0600."),
        ("client-id", "TEXT", "Name at the broker, which keeps what comes meanwhile under it."),
    ):
        command = click.option(f"--{name}", metavar=metavar, help=text)(command)
    return command


def address(url: str, filters: tuple[str, ...], options: dict[str, Any], default_id: str) -> Any:
    """The broker as these options have it; what is wrong with them is told, and it ends."""
    try:
        from tools.archive.consume import broker
    except ImportError as missing:
        fail(f"{missing.name} is not installed: {how_to_get('archive-mqtt')}")
    password = options["mqtt_password_file"]
    files = [options[name] for name in ("mqtt_ca", "mqtt_certificate", "mqtt_key")]
    try:
        found = broker.address_of(url)
        if any(files):
            if found.tls is None:
                fail(f"{url}: TLS files need mqtts://")
            found = replace(found, tls=broker.trusting(*files))
        if password:
            if not found.user:
                fail(f"{url}: a password needs a user: mqtt://user@host")
            found = replace(found, password=broker.password_in(password))
    except broker.Wrong as wrong:
        fail(str(wrong))
    return replace(found, filters=(*found.filters, *filters), client_id=options["client_id"] or default_id)


def consuming(url: str, filters: tuple[str, ...], place: str, options: dict[str, Any]) -> Any:
    """What tools.archive.serving hands to the writer."""
    from tools.archive.consume.names import client_id_of

    found = address(url, filters, options, client_id_of(place))
    if not found.filters:
        fail(f"{url}: which topics? mqtt://host/toolcart/+/+/+ for instance")
    from tools.archive.consume.consumer import Consuming

    return Consuming(found)


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
    from tools.archive.serve_commands import child_of, listening, say

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
