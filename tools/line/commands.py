"""`toolcart line`: explains what goes over a controller's serial line, from a capture or live."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import click

from toolcart.base import installation
from toolcart.base.command_group import SECONDS
from toolcart.base.exit_codes import fail
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.base.serial_settings import PROCEDURES
from toolcart.base.terminal_safe import visible
from toolcart.codec.capture import CapturedOctet
from toolcart.tools.config import file as config_file
from toolcart.tools.line.explanation import EXPLAINERS, WHO, Explain3964R, ExplainAscii
from toolcart.tools.line.load import Load


class LinePrinter:
    """Turns octets into lines: time, time since the last octet, who, octet, meaning."""

    def __init__(self, explainer: Explain3964R | ExplainAscii) -> None:
        self.explainer = explainer
        self._before_s: float | None = None

    def line(self, captured: CapturedOctet) -> str:
        gap_s = 0.0 if self._before_s is None else captured.at_s - self._before_s
        self._before_s = captured.at_s
        meaning = visible(self.explainer.explain(captured))
        who = WHO[captured.from_agent]
        return f"{captured.at_s:12.6f} s {gap_s * 1000:+10.3f} ms  {who:<10}  {captured.octet:02x}  {meaning}"


EXIT_WRONG = 2
EXIT_NO_DEVICE = 3
POLL_S = 0.002
PATIENCE_S = 0.05  # the line fills its buffer meanwhile


@click.group()
def line() -> None:
    """Monitor a controller's serial line byte by byte."""


def _timers(command):
    command = click.option("--zvz-ms", default=100, show_default=True, help="Longest gap inside a block.")(command)
    command = click.option("--qvz-ms", default=2000, show_default=True, help="Longest wait for an answer.")(command)
    return click.option("--link", "kind", type=click.Choice(PROCEDURES), default="3964r", show_default=True)(command)


def _only_side(lines: TextIO) -> str:
    """Return which side a capture has, "" if it has both, or can be read only once."""
    from toolcart.codec.capture import NoCapture, read

    sides = set()
    if lines.seekable():
        with suppress(NoCapture):  # said where it is, behind what comes before it
            for captured in read(lines):
                sides.add(captured.from_agent)
                if len(sides) > 1:
                    break
        lines.seek(0)
    return WHO[sides.pop()] if len(sides) == 1 else ""


@line.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_timers
def decode(file: Path, kind: str, qvz_ms: int, zvz_ms: int) -> None:
    """Explain a capture of both directions.

    Who sent what, why, and how long after the last.

    FILE has lines such as `0.001042 < 10`: seconds, > for the agent or < for the controller, bytes in hex.
    """
    from toolcart.codec.capture import NoCapture, read

    try:
        with file.open(encoding="ascii", errors="replace") as lines:
            side = _only_side(lines)
            printer = LinePrinter(EXPLAINERS[kind](qvz_ms / 1000, zvz_ms / 1000, bool(side)))
            if side:
                click.echo(f"only the {side} is heard", err=True)
            for captured in read(lines):
                click.echo(printer.line(captured))
    except BrokenPipeError:
        raise  # the reader has gone
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", "Is the name right, and may you read it?", EXIT_WRONG)
    except NoCapture as error:
        fail(f"{file}: {error}", "`toolcart line monitor --record FILE` writes such a file.")


@line.command()
@click.argument("device", type=click.Path())
@click.option(
    "--other",
    type=click.Path(),
    metavar="DEVICE",
    help="Second adapter, on the agent's wire; DEVICE is on the controller's.",
)
@click.option("--baud", type=click.IntRange(50, 4_000_000), default=9600, show_default=True)
@click.option("--parity", type=click.Choice(["none", "even", "odd"]), default="none", show_default=True)
@click.option("--stop-bits", type=click.IntRange(1, 2), default=1, show_default=True)
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Also write a capture.")
@click.option("--seconds", type=SECONDS, help="End after this time.  [default: at Ctrl-C]")
@click.option("--busy", is_flag=True, help="Show how busy the line is, once a second, instead of its bytes.")
@_timers
@nonblocking_output(PATIENCE_S, ends_with_reader=True)
def monitor(
    device: str,
    other: str | None,
    baud: int,
    parity: str,
    stop_bits: int,
    record: Path | None,
    seconds: float | None,
    busy: bool,
    kind: str,
    qvz_ms: int,
    zvz_ms: int,
) -> None:
    """Show a line live, as decode does.

    It only listens: one adapter hears one direction, two hear both.

    At the end it says how much of the time the line was busy.
    """
    from toolcart.agent.cart.status import why_name
    from toolcart.board.linux.serial import SerialPort
    from toolcart.codec.capture import CapturedOctet, line_of
    from toolcart.tools.messages import reasons

    if not config_file.has_serial_lines():
        fail("pyserial is not installed", f"{installation.how_to_get('serial')} brings it.")
    ports = []
    for path, from_agent in ((device, False), (other, True)):
        if path is not None:
            port = SerialPort({"parity": parity, "stop_bits": stop_bits})
            port.open(path, baud)
            if not port.state():
                endpoint = reasons.Endpoint(reasons.CONTROLLER, path, baud, "controller.device")
                reason = reasons.connect_reason(endpoint, why_name(port.why), "", port.why_code or 0)
                fail(reason.words, reason.hint.replace(" in controller.device", ""), EXIT_NO_DEVICE)
            ports.append((port, from_agent))
    printer = LinePrinter(EXPLAINERS[kind](qvz_ms / 1000, zvz_ms / 1000, other is None))
    if other is None:
        click.echo(f"only the {WHO[False]} is heard: --other DEVICE hears the {WHO[True]}", err=True)
    capture = record.open("w", encoding="ascii") if record else None
    load = Load(baud, parity, stop_bits, tuple(from_agent for _, from_agent in ports))
    buf = bytearray(256)
    start_s = time.monotonic()
    windows = 0
    try:
        while seconds is None or time.monotonic() - start_s < seconds:
            if busy and time.monotonic() - start_s >= windows + 1:
                windows = int(time.monotonic() - start_s)
                click.echo(load.window(time.monotonic() - start_s))
            for port, from_agent in ports:
                count = port.readinto(buf, len(buf))
                if count < 0:
                    fail("the adapter is gone", "Plug it in again and start again.")
                load.add(from_agent, count)
                for octet in buf[:count]:
                    captured = CapturedOctet(time.monotonic() - start_s, from_agent, octet)
                    if not busy:
                        click.echo(printer.line(captured))
                    if capture:
                        capture.write(line_of(captured) + "\n")
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        pass
    finally:
        if capture:
            capture.close()
        for port, _ in ports:
            port.close()
        click.echo(load.account(time.monotonic() - start_s), err=True)
