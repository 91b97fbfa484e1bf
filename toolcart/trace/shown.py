"""Puts drawings where a command wants them: its terminal or a picture; errors in words, with an exit code."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from toolcart.base.installation import how_to_get
from toolcart.base.printable import visible

if TYPE_CHECKING:
    from toolcart.trace.draw import Panel

EXIT_WRONG = 2
LINES = 16
COLUMNS_MOST = 160  # a wider drawing is no clearer


def draw(title: str, drawn: list[Panel], png: str | None, width: int | None = None, height: int = LINES) -> None:
    """Draw in the terminal or into a picture; if that fails, end the command and say why."""
    from toolcart.trace.draw import Missing, in_terminal, into_picture  # it imports the catalogue

    try:
        if png is not None:
            into_picture(visible(title), drawn, png)
            click.echo(f"{png}: {visible(title)}")
        else:
            columns = width or min(shutil.get_terminal_size((100, 24)).columns, COLUMNS_MOST)
            click.secho(visible(title), bold=True)
            click.echo(in_terminal(drawn, columns, height, sys.stdout.isatty()))
    except Missing as missing:
        advice = f"{how_to_get('plot')} brings it; --json tells the numbers without it."
        fail(f"{missing} is not installed.", advice, EXIT_WRONG)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fail(f"cannot write {png}: {what}", "Name a .png in a folder that may be written to.", EXIT_WRONG)


def fail(what: str, advice: str, code: int) -> NoReturn:
    """End the command; say what happened, and what to do."""
    click.echo(f"toolcart: {what}", err=True)
    click.echo(f"  {advice}", err=True)
    sys.exit(code)
