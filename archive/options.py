"""What the archive's commands share: the database, the broker, how mistakes are reported, a check for the libraries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import click

from toolcart.archive.database.environment import PLACE_VARIABLE
from toolcart.archive.file_formats import export
from toolcart.base import private_files
from toolcart.base.installation import how_to_get
from toolcart.base.terminal_safe import visible_lines

EXIT_NOTHING = 1
EXIT_WRONG = 2
FILE: dict[str, Any] = {"type": click.Path(), "metavar": "FILE"}
option = partial(click.option, show_default=True)


def with_options(*rows: tuple[str, str, str]):
    """Return what gives a command these options, in this order: name, what it wants (a FILE is a path), its help."""

    def decorated(command):
        for name, metavar, text in reversed(rows):
            kind = click.Path() if metavar == "FILE" else str
            command = click.option(name, type=kind, metavar=metavar, help=text)(command)
        return command

    return decorated


def database_option(command):
    text = "SQLite file, or the URL of a PostgreSQL database such as postgresql://user@host/name."
    return option("--database", "place", default="archive.sqlite", envvar=PLACE_VARIABLE, help=text)(command)


def machine_option(command):
    return click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")(command)


def vins_of(text: str) -> tuple[str, ...]:
    """Return the VINs of `0,No BCode`."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))


def format_options(command):
    """An option for each format of a file but JSON, whose option others have too; what is no text goes into a FILE."""
    for one in reversed([one for one in export.FORMATS.values() if one.help]):
        kind: dict[str, Any] = {"is_flag": True} if one.write_text else FILE
        command = click.option(f"--{one.name}", **kind, help=one.help)(command)
    return command


def format_of(options: dict[str, Any]) -> tuple[export.FileFormat | None, str]:
    """Return the format that these options choose, and its file; None if they choose none."""
    chosen = [one for one in export.FORMATS.values() if options[_parameter_of(one)]]
    if len(chosen) > 1:
        fail(f"{', '.join('--' + one.name for one in chosen)}: one of them")
    return (chosen[0], options[_parameter_of(chosen[0])]) if chosen else (None, "")


def _parameter_of(one: export.FileFormat) -> str:
    return one.name.replace("-", "_") if one.help else f"as_{one.name}"


NUMBER_MOST = 2**63 - 1  # a database counts no further
NUMBER = click.IntRange(1, NUMBER_MOST)
DAYS = click.IntRange(1, 36525)  # a hundred years
web_option = click.option(
    "--web", "pages", metavar="HOST:PORT", help="Serve the pages too, at this address, in a process of their own."
)


def fail(text: str, exit_code: int = EXIT_WRONG) -> NoReturn:
    """Say what is wrong, and end."""
    click.echo(f"toolcart: {visible_lines(text)}", err=True)
    sys.exit(exit_code)


@contextmanager
def failing(*kinds: type[Exception]) -> Iterator[None]:
    """Say what goes wrong inside in one of these ways, and end."""
    try:
        yield
    except kinds as wrong:
        fail(str(wrong))


def say(text: str) -> None:
    """Print a line for the user."""
    click.echo(visible_lines(text))


@contextmanager
def reading(place: str):
    """A connection for reading; if the database cannot be used, say why and exit."""
    database = library()
    with failing(database.DatabaseUnusable):
        engine = database.connect(place, writes=False)
        try:
            with database.in_words(place), engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def library():
    """Return toolcart.archive.database.database, which an installation without the extra cannot import."""
    try:
        from toolcart.archive.database import database
    except ImportError as missing:
        fail(f"{missing.name} is not installed: {how_to_get('archive')}")
    return database


# How to reach a broker, beside its address.
broker_options = with_options(
    ("--client-id", "TEXT", "Name at the broker, which keeps what comes meanwhile under it."),
    ("--mqtt-password-file", "FILE", "The broker's password: its first line; mode 0600."),
    ("--mqtt-ca", "FILE", "Trust this CA (PEM) in place of the system's."),
    ("--mqtt-certificate", "FILE", "A certificate of one's own for the broker (PEM)."),
    ("--mqtt-key", "FILE", "Its private key (PEM)."),
)


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
    with failing(broker.BrokerSettingsError, private_files.PrivateFileError):
        broker_address = broker.address_of(url)
        if any(files):
            if broker_address.tls is None:
                fail(f"{url}: TLS files need mqtts://")
            broker_address = replace(broker_address, tls=broker.trusting(*files))
        if password:
            if not broker_address.user:
                fail(f"{url}: a password needs a user: mqtt://user@host")
            broker_address = replace(
                broker_address, password=private_files.text_of(password).partition("\n")[0].rstrip("\r")
            )
    return replace(
        broker_address, filters=(*broker_address.filters, *filters), client_id=options["client_id"] or default_id
    )


def consuming(url: str, filters: tuple[str, ...], place: str, options: dict[str, Any]) -> Any:
    """Return what begins to take batches, given the writer and who speaks (toolcart.archive.serving)."""
    from toolcart.archive.consume.topics import client_id_of

    broker_address = address(url, filters, options, client_id_of(place))
    if not broker_address.filters:
        fail(f"{url}: which topics? mqtt://host/toolcart/+/+ for instance")
    from toolcart.archive.consume.consumer import Consumer

    return partial(Consumer, broker_address, passes_gaps=options["pass_gaps"])
