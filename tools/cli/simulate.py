"""`toolcart simulate`: either side of the plant over TCP, the controller also over a serial line, with every option.

Rules:
1. Whatever is asked for by name is checked before the simulator listens: the error for an unknown name lists the known
   ones, that for a value of the wrong kind shows one of the right kind.
2. It runs until Ctrl-C, SIGTERM or the end of --seconds and then prints its figures.
3. No traceback reaches a user; errors say what, where, and what to do.

Exit codes: 0 fine; 1 it could not listen, open or go on, or --strict found something; 2 the command line is wrong.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

import click

from toolcart.base import working_folder
from toolcart.base.command_group import Amount, seconds_option
from toolcart.base.exit_codes import fail
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.base.serial_settings import BAUDS, LINKS, NAMED
from toolcart.base.terminal_safe import visible, visible_lines
from toolcart.sim import profiles
from toolcart.sim.option_values import setting_of

EXIT_ODD = 1
PORT = click.IntRange(0, 65535)


@click.group()
def simulate() -> None:
    """Simulate a controller or ToolsNet."""


def _more_options(example: str):
    text = f"Another option of the simulator, such as {example}; the value is JSON or plain text. Repeatable."
    return click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=text)


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=4545, show_default=True, help="Open Protocol port; 0 takes a free one.")
@click.option("--rate", type=Amount(0, 1000), default=1.0, show_default=True, help="Results per second.")
@click.option(
    "--jitter", type=Amount(0, 1), default=0.2, show_default=True, help="Share by which each interval varies."
)
@click.option("--count", type=click.IntRange(min=0), help="Stop after this many tightenings.")
@click.option(
    "--first-id", type=click.IntRange(1, 4294967295), default=1, show_default=True, help="First tightening ID."
)
@click.option("--link", type=click.Choice(LINKS), default="tcp", show_default=True)
@click.option(
    "--device",
    type=click.Path(),
    metavar="DEVICE",
    help="Serial port; a path that does not exist becomes a pty.  [default: ./controller.tty]",
)
@click.option("--baud", type=click.Choice([str(baud) for baud in BAUDS]), default="9600", show_default=True)
@click.option(
    "--profile",
    type=click.Choice(profiles.names()),
    help="Behave like this controller (docs/controllers.md); --set is applied on top.",
)
@click.option(
    "--traces", is_flag=True, help="Make curves of each tightening, for clients that subscribe to them (MID 0900)."
)
@click.option("--strict", is_flag=True, help="Report everything odd in what is received, and exit 1 if there was any.")
@click.option("--orders", is_flag=True, help="Read orders from standard input, one a line; `help` lists them.")
@seconds_option
@_more_options("max_clients=2")
def controller(
    host: str,
    port: int,
    settings: tuple[str, ...],
    baud: str,
    profile: str | None,
    traces: bool,
    strict: bool,
    orders: bool,
    seconds: float | None,
    **production: Any,
) -> None:
    """Simulate a controller.

    It tightens screws and speaks Open Protocol, over TCP or a serial line, until Ctrl-C.

    It accepts every header that the document allows, and its own are exact. With --strict it reports, once for each
    kind of message, what another controller may not accept: a header in a rare form, a missing NUL. Mistakes are
    always reported.
    """
    from toolcart.sim.controller_quirks import ControllerOptions
    from toolcart.sim.orders import Orders
    from toolcart.sim.serve import serve_controller

    base = profiles.profile_options(profile) if profile else {}
    if traces:
        base = {**base, "traces": (1, 2, 3)}
        base["unknown_mids"] = tuple(mid for mid in base.get("unknown_mids", ()) if mid not in (8, 9))
    options = _options(ControllerOptions, settings, base, strict=strict)
    taker = Orders(sys.stdin, _report) if orders else None
    device = production["device"]
    line = production["link"] != "tcp"
    if device and not line:
        raise click.UsageError(f"--device is a serial line's: --link {NAMED} with it")
    if line and not device:
        working_folder.need_for("controller.tty")
    served = _serve(
        lambda: serve_controller(
            host,
            port,
            options=options,
            report=_report,
            baud=int(baud),
            orders=taker,
            stop=_time_is_up(seconds),
            **production,
        ),
        f"open the line {device or './controller.tty'}" if line else f"listen on {host}, port {port}",
        "Is it there, a serial port, and yours to use? Name another with --device." if line else _other_place("--port"),
    )
    if strict and served.complaints:
        click.echo(f"toolcart: {len(served.complaints)} things were odd or wrong, see above", err=True)
        sys.exit(EXIT_ODD)


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--pim-port", type=PORT, default=6575, show_default=True, help="Port of the PIM; 0 takes a free one.")
@click.option("--server-port", type=PORT, default=10111, show_default=True, help="Port of the server.")
@click.option(
    "--told-host", "announced_host", metavar="HOST", help="Server address that the PIM gives, if it is not --host."
)
@seconds_option
@_more_options("ack_delay_ms=500")
def toolsnet(
    host: str, pim_port: int, server_port: int, settings: tuple[str, ...], seconds: float | None, **rest: Any
) -> None:
    """Simulate a ToolsNet.

    A PIM and a server until Ctrl-C; what arrives is kept in memory. `toolcart archive serve` keeps it on disk.
    """
    from toolcart.sim.serve import serve_toolsnet
    from toolcart.sim.toolsnet import ToolsNetOptions

    options = _options(ToolsNetOptions, settings)
    _serve(
        lambda: serve_toolsnet(
            host, pim_port, server_port, options=options, report=_report, stop=_time_is_up(seconds), **rest
        ),
        f"listen on {host}, port {pim_port} or {server_port}",
        _other_place("--pim-port or --server-port"),
    )


def _options(kind, settings: tuple[str, ...], base: dict | None = None, **more: Any):
    values = dict(base or {}, **more)
    try:
        for setting in settings:
            name, value = setting_of(kind, setting)
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
        return kind(**values)
    except ValueError as error:
        raise click.UsageError(f"--set {error}") from None


def _report(text: str) -> None:
    click.echo(visible_lines(text))


def _time_is_up(seconds: float | None):
    """Return a function that says whether a simulator's time is up."""
    if seconds is None:
        return None
    end_s = time.monotonic() + seconds
    return lambda: time.monotonic() >= end_s


def _other_place(option: str) -> str:
    return f"Is another one running? Choose a free port with {option}, an address of this machine with --host."


def _serve(serve, action: str, advice: str) -> Any:
    """Run a simulator to its end; if something stops it earlier, say what in words."""
    old_handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with nonblocking_output(ends_with_reader=True):
            return serve()
    except BrokenPipeError:
        raise  # the reader has gone
    except OSError as error:
        fail(visible(f"cannot {action}: {error.strerror or error}"), advice)
    except Exception as error:  # the effects of --set cannot all be checked beforehand
        kind = type(error).__name__
        fail(visible(f"the simulator cannot go on: {kind}: {error}"), "Is a value of --set one that it cannot use?")
    finally:
        signal.signal(signal.SIGTERM, old_handler)
