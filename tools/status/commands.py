"""`toolcart status`: look once, or once a second, at a running agent on this machine or on a board.

Exit codes: 0 the agent answers, 1 it answers and something needs somebody (toolcart.tools.messages.attention), 2 the
command line is wrong, 3 no agent answers. A plant that cannot be reached is not a failure of the agent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import click

from toolcart.base.terminal_safe import visible
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as words
from toolcart.tools.status import client, options
from toolcart.tools.status.options import agent_options

EXIT_NEEDS = 1
EXIT_NO_AGENT = 3
EVERY_S = 1.0


@click.command()
@agent_options
@click.option("--watch", is_flag=True, help="Repeat once a second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a line.")
def status(config_path: str | None, socket_path: str | None, port: str | None, watch: bool, as_json: bool) -> None:
    """Show the state of a running agent.

    Connections and why one is down, backlog, and what needs attention.
    """
    path = options.path_of(config_path, socket_path, port)
    if port is not None:
        _of_board(port, watch, as_json)
        return
    if config_path and _is_missing(config_path) and _is_missing(path):
        raise click.UsageError(f"--config {config_path}: there is no such file")

    def ask() -> dict:
        try:
            return client.ask(path)
        except client.NoAgent:
            options.refuse_no_configuration(config_path)
            raise

    _look(ask, watch, as_json)


def _is_missing(path: str) -> bool:
    """True if nothing is there; what may not be looked at may be there."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _look(ask: Callable[[], dict], watch: bool, as_json: bool) -> None:
    code = 0
    try:
        while True:
            code = _tell(ask, watch, as_json)
            if not watch:
                break
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


def _tell(ask: Callable[[], dict], watch: bool, as_json: bool) -> int:
    try:
        status = ask()
    except client.NoAgent as trouble:
        if as_json:
            click.echo(json.dumps({"running": False, "error": str(trouble), "hint": trouble.hint}))
        else:
            _clear(watch)
            click.echo(visible(f"toolcart: {trouble}"), err=not watch)
            click.echo(visible(f"  {trouble.hint}"), err=not watch)
        return EXIT_NO_AGENT
    if as_json:
        click.echo(json.dumps({"running": True, **status}))
    else:
        _clear(watch)
        for line in lines(status):
            click.echo(visible(line))
    return EXIT_NEEDS if attention.is_for_anybody(status) else 0


def lines(status: dict) -> list[str]:
    """Return the whole status for people."""
    shown = words.agent_lines(status["agent"])
    for station in status["stations"]:
        shown += words.station_lines(station)
    return shown


def _clear(watch: bool) -> None:
    if watch and sys.stdout.isatty():
        click.clear()


def _of_board(port: str, watch: bool, as_json: bool) -> None:
    from toolcart.tools.flash.board_commands import look_at  # only to ask a board: it needs the extra `flash`

    while True:
        is_for_somebody = look_at(port, as_json)
        if not watch:
            sys.exit(EXIT_NEEDS if is_for_somebody else 0)
        time.sleep(EVERY_S)
        _clear(watch)
