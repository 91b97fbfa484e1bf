"""`toolcart web`: serves the page until Ctrl-C or SIGTERM.

Exit codes: 0 fine, 1 it could not listen, 2 the command line is wrong, or every configuration it names is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from toolcart.archive.web.users import is_loopback
from toolcart.base import installation, private_files
from toolcart.base.command_group import seconds_option
from toolcart.base.exit_codes import EXIT_CONFIGURATION
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.tools.config import socket_location
from toolcart.tools.status import client

HERE = Path(__file__).parent
PORT = 9477
TOKEN_LEAST = 16
EXIT_LISTEN = 1


@click.command("web")
@click.argument("sockets", nargs=-1, type=click.Path(), metavar="[SOCKET]...")
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=click.Path(readable=False),
    metavar="FILE",
    help="Show the agent of this configuration; repeatable.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--token-file", type=click.Path(), metavar="FILE", help="File of mode 0600 with the token that clients must send."
)
@click.option("--open", "is_open", is_flag=True, help="Allow access from the network without a token.")
@click.option("--dashboard", is_flag=True, help="Print the dashboard for Grafana and end.")
@seconds_option
def web(
    sockets: tuple[str, ...],
    configs: tuple[str, ...],
    host: str,
    port: int,
    token_file: str | None,
    is_open: bool,
    dashboard: bool,
    seconds: float | None,
) -> None:
    """Serve a status page and Prometheus metrics.

    The page is read-only; the metrics are under /metrics.

    Without SOCKET and --config it shows every agent that runs as a service. The agents open no port for it: it asks
    their sockets, so it has to run as their user.
    """
    if dashboard:
        click.echo((HERE / "dashboard.json").read_text(encoding="utf-8"), nl=False)
        return
    only_here = is_loopback(host)
    if not only_here and token_file is None and not is_open:
        raise click.UsageError(f"on {host} others can look: --token-file FILE asks them for a token, --open does not.")
    token = _token(token_file) if token_file else ""
    try:
        from toolcart.tools.web.app import make
        from toolcart.tools.web.page import WatchedAgents, ask_or_check
        from toolcart.tools.web.serving import run
    except ModuleNotFoundError as missing_module:
        click.echo(f"toolcart: {missing_module.name} is not installed: {installation.how_to_get('web')}", err=True)
        sys.exit(EXIT_LISTEN)
    sockets_of = {socket_location.to_ask(path): path for path in configs}
    if not _can_be_shown(sockets, sockets_of):
        sys.exit(EXIT_CONFIGURATION)
    watched = WatchedAgents([*sockets, *sockets_of], ask_or_check(sockets_of))
    try:
        with nonblocking_output():
            run(make(watched, token, only_here), host, port, seconds, lambda text: click.echo(text))
    except OSError as error:
        click.echo(f"toolcart: cannot listen on {host}, port {port}: {error.strerror or error}", err=True)
        click.echo("  Is another one running? Choose a free port with --port.", err=True)
        sys.exit(EXIT_LISTEN)


def _can_be_shown(sockets: tuple[str, ...], configs: dict[str, str]) -> bool:
    """Say what is wrong with the configurations; False if all are wrong and no agent runs with one of them."""
    from toolcart.tools.web.page import mistakes_of

    broken = [(path, mistakes) for path, config in configs.items() if (mistakes := mistakes_of(config)) is not None]
    for _, mistakes in broken:
        click.echo(f"toolcart: {mistakes}", err=True)
    return bool(sockets) or len(broken) < len(configs) or not configs or any(_answers(path) for path, _ in broken)


def _answers(path: str) -> bool:
    try:
        client.ask(path)
    except client.NoAgent:
        return False
    return True


def _token(path: str) -> str:
    # A credential from systemd is for one service; its user's access list looks like a group right (systemd.exec(5)).
    is_credential = Path(path).parent == Path(os.environ.get("CREDENTIALS_DIRECTORY") or "/nowhere")
    try:
        token = private_files.text_of(path, is_credential).strip()
    except private_files.PrivateFileError as error:
        raise click.UsageError(f"--token-file {error}") from None
    if len(token) < TOKEN_LEAST or not token.isascii() or not token.isprintable():
        raise click.UsageError(
            f"--token-file {path}: a token has at least {TOKEN_LEAST} printable characters; `openssl rand -hex 16`"
        )
    return token
