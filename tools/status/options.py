"""The options that say which running agent to ask."""

from __future__ import annotations

import codecs

import click

from toolcart.board.linux import regular_file
from toolcart.tools.config import socket_location


def path_of(config_path: str | None, socket_path: str | None, port: str | None) -> str:
    """Return the socket that these options name, "" if it is a board's port."""
    if sum(value is not None for value in (config_path, socket_path, port)) > 1:
        raise click.UsageError("one of --config, --socket and --port")
    if port is not None:
        return ""
    return socket_path or (socket_location.to_ask(config_path) if config_path else socket_location.default())


def refuse_no_configuration(config_path: str | None) -> None:
    """Raise UsageError if this is no configuration by its looks, for whoever got no answer of its agent.

    Only then: what an agent runs with may have been changed since.
    """
    if config_path and _is_no_configuration(config_path):
        raise click.UsageError(f"--config {config_path} is no configuration")


def _is_no_configuration(path: str) -> bool:
    """True if a file is there that is no text of a JSON object; what cannot be read may be one."""
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            return not file.read(_LOOKED_AT).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
    except OSError:
        return False


_LOOKED_AT = 4096  # octets: what stands in front of the first bracket is blank


def agent_options(command):
    """`--config`, `--socket` and `--port`, in this order."""
    for declared in (
        click.option(
            "--port", type=click.Path(), metavar="DEVICE", help="The board at this serial port: /dev/ttyACM0, COM3."
        ),
        click.option("--socket", "socket_path", type=click.Path(), metavar="PATH", help="The agent at this socket."),
        click.option(
            "--config",
            "config_path",
            type=click.Path(readable=False),  # only its name counts: it may be anything by now
            metavar="FILE",
            help="The agent of this configuration.  [default: the service]",
        ),
    ):
        command = declared(command)
    return command
