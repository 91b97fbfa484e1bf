"""What the archive's commands share: the database, how mistakes are reported, a check for the libraries."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import NoReturn

import click

from toolcart.base.installation import how_to_get
from toolcart.base.printable import visible_lines

EXIT_NOTHING = 1
EXIT_WRONG = 2
PLACE_VARIABLE = "TOOLCART_ARCHIVE"


def database_option(command):
    """--database, or TOOLCART_ARCHIVE."""
    text = "SQLite file, or the URL of a PostgreSQL database such as postgresql://user@host/name."
    return click.option(
        "--database", "place", default="archive.sqlite", show_default=True, envvar=PLACE_VARIABLE, help=text
    )(command)


def machine_option(command):
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")(command)


def fail(text: str, exit_code: int = EXIT_WRONG) -> NoReturn:
    """Say what is wrong, and end."""
    click.echo(f"toolcart: {visible_lines(text)}", err=True)
    sys.exit(exit_code)


def say(text: str) -> None:
    """Print a line for the user."""
    click.echo(visible_lines(text))


@contextmanager
def reading(place: str):
    """A connection for reading; if the database cannot be used, say why and exit."""
    database = library()
    try:
        engine = database.connect(place, writes=False)
    except database.Unusable as reason:
        fail(str(reason))
    try:
        with database.in_words(place), engine.connect() as connection:
            yield connection
    except database.Unusable as reason:
        fail(str(reason))
    finally:
        engine.dispose()


def library():
    """Return toolcart.archive.database, which an installation without the extra cannot import."""
    try:
        from toolcart.archive import database
    except ImportError as missing:
        fail(f"{missing.name} is not installed: {how_to_get('archive')}")
    return database
