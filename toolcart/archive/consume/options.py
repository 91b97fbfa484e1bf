"""Options of all commands that use a broker: how to reach it, and as whom."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import click

from toolcart.archive.options import fail
from toolcart.base import private
from toolcart.base.installation import how_to_get


def broker_options(command):
    """How to reach a broker, beside its address."""
    for name, metavar, text in (
        ("mqtt-key", "FILE", "Its private key (PEM)."),
        ("mqtt-certificate", "FILE", "A certificate of one's own for the broker (PEM)."),
        ("mqtt-ca", "FILE", "Trust this CA (PEM) in place of the system's."),
        ("mqtt-password-file", "FILE", "The broker's password: its first line; mode 0600."),
        ("client-id", "TEXT", "Name at the broker, which keeps what comes meanwhile under it."),
    ):
        kind = click.Path() if metavar == "FILE" else str
        command = click.option(f"--{name}", type=kind, metavar=metavar, help=text)(command)
    return command


def consumer_options(command):
    """The same, and what a consumer does with what arrives."""
    text = 'The outlets have confirm "broker" and send nothing again: store what comes, and count what is missing.'
    return broker_options(click.option("--pass-gaps", is_flag=True, help=text)(command))


def address(url: str, filters: tuple[str, ...], options: dict[str, Any], default_id: str) -> Any:
    """Return the broker that these options name; if something is wrong with them, say so and exit."""
    try:
        from toolcart.archive.consume import broker
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
            found = replace(found, password=private.text_of(password).partition("\n")[0].rstrip("\r"))
    except (broker.Wrong, private.Wrong) as wrong:
        fail(str(wrong))
    return replace(found, filters=(*found.filters, *filters), client_id=options["client_id"] or default_id)


def consuming(url: str, filters: tuple[str, ...], place: str, options: dict[str, Any]) -> Any:
    """Return what begins to take batches, given the writer and who speaks (toolcart.archive.serving)."""
    from toolcart.archive.consume.batch import client_id_of

    found = address(url, filters, options, client_id_of(place))
    if not found.filters:
        fail(f"{url}: which topics? mqtt://host/toolcart/+/+ for instance")
    from toolcart.archive.consume.consumer import Consumer

    return partial(Consumer, found, passes_gaps=options["pass_gaps"])
