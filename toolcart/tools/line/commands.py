"""`toolcart line`: explains what goes over a controller's serial line, from a capture or live."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from toolcart.base import installation
from toolcart.base.serial_settings import PROCEDURES
from toolcart.tools.config import file as config_file

EXIT_OTHER = 1
EXIT_WRONG = 2
EXIT_NO_DEVICE = 3
POLL_S = 0.002


@click.group()
def line() -> None:
    """Monitor a controller's serial line byte by byte."""


def _timers(command):
    command = click.option("--zvz-ms", default=100, show_default=True, help="Longest gap inside a block.")(command)
    command = click.option("--qvz-ms", default=2000, show_default=True, help="Longest wait for an answer.")(command)
    return click.option("--link", "kind", type=click.Choice(PROCEDURES), default="3964r", show_default=True)(command)


@line.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_timers
def decode(file: Path, kind: str, qvz_ms: int, zvz_ms: int) -> None:
    """Explain a capture of both directions.

    Who sent what, why, and how long after the last.

    FILE has lines such as `0.001042 < 10`: seconds, > for the agent or < for the controller, bytes in hex.
    """
    from toolcart.codec.capture import NoCapture, read
    from toolcart.tools.line.explain import Shower, explainer

    shower = Shower(explainer(kind, qvz_ms, zvz_ms))
    try:
        with file.open(encoding="ascii", errors="replace") as lines:
            for heard in read(lines):
                click.echo(shower.line(heard))
    except BrokenPipeError:
        raise  # the reader has gone
    except OSError as error:
        _fail(f"cannot read {file}: {error.strerror}", "Is the name right, and may you read it?", EXIT_WRONG)
    except NoCapture as error:
        _fail(f"{file}: {error}", "`toolcart line monitor --record FILE` writes such a file.")


@line.command()
@click.argument("device", type=click.Path())
@click.option(
    "--other",
    type=click.Path(),
    metavar="DEVICE",
    help="Second adapter, on the agent's wire; DEVICE is on the controller's.",
)
@click.option("--baud", type=int, default=9600, show_default=True)
@click.option("--parity", type=click.Choice(["none", "even", "odd"]), default="none", show_default=True)
@click.option("--stop-bits", type=click.IntRange(1, 2), default=1, show_default=True)
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Also write a capture.")
@click.option("--seconds", type=float, help="End after this time.  [default: at Ctrl-C]")
@click.option("--busy", is_flag=True, help="Show how busy the line is, once a second, instead of its bytes.")
@_timers
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
    from toolcart.codec.capture import Heard, line_of
    from toolcart.tools.line.explain import Shower, explainer
    from toolcart.tools.words import reasons

    if not config_file.has_serial_lines():
        _fail("pyserial is not installed", f"{installation.how_to_get('serial')} brings it.")
    ports = []
    for path, from_agent in ((device, False), (other, True)):
        if path is not None:
            port = SerialPort({"parity": parity, "stop_bits": stop_bits})
            port.open(path, baud)
            if not port.state():
                side = reasons.Side(reasons.CONTROLLER, path, baud, "controller.device")
                reason = reasons.connect_reason(side, why_name(port.why), "", port.why_code or 0)
                _fail(reason.words, reason.hint.replace(" in controller.device", ""), EXIT_NO_DEVICE)
            ports.append((port, from_agent))
    shower = Shower(explainer(kind, qvz_ms, zvz_ms))
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
                    _fail("the adapter is gone", "Plug it in again and start again.")
                load.hear(from_agent, count)
                for octet in buf[:count]:
                    heard = Heard(time.monotonic() - start_s, from_agent, octet)
                    if not busy:
                        click.echo(shower.line(heard))
                    if capture:
                        capture.write(line_of(heard) + "\n")
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        pass
    finally:
        if capture:
            capture.close()
        for port, _ in ports:
            port.close()
        click.echo(load.account(time.monotonic() - start_s), err=True)


def _fail(what: str, advice: str, code: int = EXIT_OTHER) -> NoReturn:
    click.echo(f"toolcart: {what}", err=True)
    click.echo(f"  {advice}", err=True)
    sys.exit(code)


# How busy a serial line is: the share of the time in which octets were on each of its two wires.
#
# 1. An octet takes its start bit, eight bits, parity and stop bits, at the line's rate; between them the wire is idle.
# 2. A live line's windows are whole seconds of the clock that gives the moments; the total covers all of it.

BAR_CELLS = 20
WHO = {False: "controller", True: "agent"}


class Load:
    """Counts what is heard on the monitored wires; `directions` are values of `Heard.from_agent`."""

    def __init__(self, baud: int, parity: str, stop_bits: int, directions: tuple[bool, ...]) -> None:
        self.octet_s = (1 + 8 + (parity != "none") + stop_bits) / baud
        self.total = dict.fromkeys(directions, 0)
        self._window = dict.fromkeys(directions, 0)
        self._begun_s = 0.0

    def hear(self, from_agent: bool, count: int) -> None:
        """Count octets that came."""
        self.total[from_agent] += count
        self._window[from_agent] += count

    def window(self, now_s: float) -> str:
        """Return what came since the last window, as bars, and begin a new one."""
        span_s = max(now_s - self._begun_s, 0.001)
        parts = []
        for direction, octets in self._window.items():
            percent = self.percent(octets, span_s)
            filled = round(percent * BAR_CELLS / 100)
            bar = "#" * filled + "." * (BAR_CELLS - filled)
            parts.append(f"{WHO[direction]} {bar} {percent:3.0f} % {octets:5} bytes")
        self._window = dict.fromkeys(self._window, 0)
        self._begun_s = now_s
        return f"{now_s:8.1f} s  " + "   ".join(parts)

    def account(self, span_s: float) -> str:
        """Return the load of the whole time, in words."""
        parts = [
            f"{WHO[direction]} {self.percent(octets, span_s):.1f} % ({octets} bytes)"
            for direction, octets in self.total.items()
        ]
        return f"the line was busy: {', '.join(parts)} of {span_s:.1f} s"

    def percent(self, octets: int, span_s: float) -> float:
        """Return the share of this time, 100 at most: a driver may deliver late what came before."""
        return min(100 * octets * self.octet_s / max(span_s, 0.001), 100.0)
