"""`toolcart simulate`: either side of the plant over TCP, the controller over a serial line too, with every option.

Rules:
1. What a simulator is asked for by name is checked before it listens; an unknown name lists the known ones.
2. It runs until Ctrl-C and then says its figures.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from tools.printable import visible_lines

EXIT_OTHER = 1
PORT = click.IntRange(0, 65535)
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


@click.group()
def simulate() -> None:
    """Be one side of the plant over TCP, to try a configuration against, until Ctrl-C."""


def _more_options(command):
    text = "Another option of the simulator, such as max_clients=2; the value is JSON or plain text. Repeatable."
    return click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=text)(command)


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=4545, show_default=True, help="Open Protocol port; 0 takes a free one.")
@click.option("--rate", type=click.FloatRange(0, 1000), default=1.0, show_default=True, help="Results per second.")
@click.option(
    "--jitter", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Share each interval varies."
)
@click.option("--count", type=click.IntRange(min=0), help="Stop tightening after so many.")
@click.option(
    "--first-id", type=click.IntRange(1, 4294967295), default=1, show_default=True, help="First tightening ID."
)
@click.option("--link", type=click.Choice(["tcp", "ascii", "3964r"]), default="tcp", show_default=True)
@click.option("--device", help="Serial port; a path that does not exist becomes a pty.  [default: ./controller.tty]")
@click.option("--baud", type=click.Choice([str(baud) for baud in BAUDS]), default="9600", show_default=True)
@_more_options
def controller(host: str, port: int, settings: tuple[str, ...], baud: str, **production: Any) -> None:
    """Be a controller that tightens screws and speaks Open Protocol, over TCP or a serial line."""
    from tools.sim.controller_model import ControllerOptions
    from tools.sim.serve import serve_controller

    options = _options(ControllerOptions, settings)
    _serve(
        lambda: serve_controller(host, port, options=options, report=_report, baud=int(baud), **production),
        production["device"] or host,
        f"{port}",
        "--port",
    )


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--pim-port", type=PORT, default=6575, show_default=True, help="Port of the PIM; 0 takes a free one.")
@click.option("--server-port", type=PORT, default=10111, show_default=True, help="Port of the server.")
@click.option(
    "--archive", "archive_path", default="archive.sqlite", show_default=True, help="SQLite file of the archive."
)
@click.option("--told-host", metavar="HOST", help="Server address that the PIM tells, if it is not --host.")
@_more_options
def toolsnet(host: str, pim_port: int, server_port: int, settings: tuple[str, ...], **rest: Any) -> None:
    """Be a ToolsNet: a PIM, a server, and an archive to look into with any SQLite tool."""
    from tools.sim.serve import serve_toolsnet
    from tools.sim.toolsnet import ToolsNetOptions

    options = _options(ToolsNetOptions, settings)
    _serve(
        lambda: serve_toolsnet(host, pim_port, server_port, options=options, report=_report, **rest),
        host,
        f"{pim_port} or {server_port}",
        "--pim-port or --server-port",
    )


def _options(kind, settings: tuple[str, ...]):
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in kind.DEFAULTS:
            known = ", ".join(sorted(kind.DEFAULTS))
            raise click.UsageError(f"--set {setting}: give NAME=VALUE with one of these names: {known}")
        values[name] = value_like(kind.DEFAULTS[name], text)
    return kind(**values)


def value_like(default: object, text: str) -> object:
    """Read a value in the form its option has: JSON knows neither tuples nor octets nor numbers as keys."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(default, bytes):
        return str(value).encode("latin-1", "replace")
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, dict) and isinstance(value, dict):
        return {int(key) if key.isdigit() else key: item for key, item in value.items()}
    return value


def _report(text: str) -> None:
    click.echo(visible_lines(text))


def _serve(serve, host: str, ports: str, option: str) -> None:
    try:
        serve()
    except OSError as error:
        click.echo(f"toolcart: cannot listen on {host}, port {ports}: {error.strerror or error}", err=True)
        click.echo(
            f"  Is another one running? Choose a free port with {option}, an address of this machine with --host.",
            err=True,
        )
        sys.exit(EXIT_OTHER)
