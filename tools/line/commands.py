"""`toolcart line`: explains what goes over a controller's serial line, from a capture or live."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

from toolcart.base import installation
from toolcart.base.command_group import SECONDS
from toolcart.base.exit_codes import fail
from toolcart.base.serial_settings import PROCEDURES
from toolcart.base.terminal_safe import visible
from toolcart.codec.capture import Heard
from toolcart.tools.config import file as config_file

# What every octet on a serial line is for: this follows both ends as a bystander.
#
# Rules:
# 1. Nothing is assumed that the octets do not say; what does not fit is marked as such, and the next octet is tried.
# 2. A wait that is longer than the procedure allows is named: ZVZ inside a block, QVZ before an answer.
# 3. A payload octet is named by its place in the message: length, MID, revision .. data.

STX = 0x02
ETX = 0x03
BEL = 0x07
HT = 0x09
DLE = 0x10
NAK = 0x15

NAMES = {0: "NUL", STX: "STX", ETX: "ETX", BEL: "BEL", HT: "HT", DLE: "DLE", NAK: "NAK"}
HEADER = ((4, "length"), (8, "MID"), (11, "revision"), (12, "no-ack flag"), (14, "station"), (16, "spindle"))
HEADER_REST = ((18, "sequence number"), (19, "number of parts"), (20, "part"))
WHO = {True: "agent", False: "controller"}


class Payload:
    """Names the octets around and in one message."""

    def __init__(self) -> None:
        self.text = b""
        self._begun = False
        self.whole = False

    def name(self, octet: int) -> str:
        if not self._begun and octet in (BEL, HT):
            return "tag of the integrator"
        if not self._begun and octet == STX:
            return "STX of the message"
        self._begun = True
        at = len(self.text)
        length = int(self.text[:4]) if self.text[:4].isdigit() and at >= 4 else 9999
        if at >= length:
            self.whole = True
            return {0: "NUL behind the message", ETX: "ETX of the message"}.get(octet, "does not belong here")
        self.text += bytes([octet])
        if len(self.text) == length:
            self.whole = True
        for end, what in HEADER + HEADER_REST:
            if at < end:
                return f"{what} {_shown(octet)}" + self._told(at + 1)
        return f"data {at - 19}: {_shown(octet)}"

    def _told(self, count: int) -> str:
        if count == 4:
            return f" = {self.text.decode('latin-1')} bytes"
        if count == 8:
            return f" = MID {self.text[4:].decode('latin-1')}"
        return ""


class Explain3964R:
    """Follows the handshakes of 3964R."""

    def __init__(self, qvz_s: float = 2.0, zvz_s: float = 0.1) -> None:
        self.qvz_s = qvz_s
        self.zvz_s = zvz_s
        self._state = "idle"
        self._asker = False
        self._payload = Payload()
        self._check = 0
        self._place = ""
        self._before_s: float | None = None

    def explain(self, heard: Heard) -> str:
        """Return the words for one octet, including waits that are too long (`late`)."""
        gap_s = 0.0 if self._before_s is None else heard.at_s - self._before_s
        self._before_s = heard.at_s
        late = ""
        if self._state == "block" and gap_s > self.zvz_s:
            late = f"; {gap_s * 1000:.0f} ms is more than ZVZ: the block should have been given up"
            if heard.octet in (STX, NAK):
                self._state = "idle"
        elif self._state in ("asked", "closing") and gap_s > self.qvz_s:
            late = f"; {gap_s * 1000:.0f} ms is more than QVZ: the sender starts over"
            self._state = "idle"
        return getattr(self, "_" + self._state)(heard.from_agent, heard.octet) + late

    def _idle(self, who: bool, octet: int) -> str:
        if octet == STX:
            self._state = "asked"
            self._asker = who
            return "STX: asks to send"
        if octet == NAK:
            return "NAK while nothing is under way: gives up, or answers noise"
        return f"{_shown(octet)}: no one asked to send, noise"

    def _asked(self, who: bool, octet: int) -> str:
        if octet == DLE:
            if who == self._asker:
                # Both had asked; the one that says DLE yields.
                self._asker = not who
            self._state = "block"
            self._payload = Payload()
            self._check = 0
            self._place = ""
            return "DLE: go ahead, I listen"
        if octet == STX:
            return "STX: asks again" if who == self._asker else "STX: both ask: the low priority answers DLE"
        self._state = "idle"
        return "NAK: not now" if octet == NAK else f"{_shown(octet)}: no answer to an STX, the attempt has failed"

    def _block(self, who: bool, octet: int) -> str:
        if who != self._asker:
            return "NAK: stop, start over" if octet == NAK else f"{_shown(octet)}: said into the block"
        if self._place == "end":
            self._state = "closing"
            if octet == self._check:
                return f"BCC {octet:02x}, right"
            return f"BCC {octet:02x}, wrong: the bytes before it make {self._check:02x}"
        self._check ^= octet
        if self._place == "dle":
            self._place = "end" if octet == ETX else ""
            if octet == ETX:
                return "ETX: end of the block, its check follows"
            if octet == DLE:
                return "second half of a doubled 10: " + self._payload.name(octet)
            return f"{_shown(octet)} behind a single DLE: the block is spoiled"
        if octet == DLE:
            self._place = "dle"
            return "DLE: doubled 10, or the end"
        return self._payload.name(octet)

    def _closing(self, who: bool, octet: int) -> str:
        if who == self._asker:
            self._state = "idle"
            return self._idle(who, octet)
        self._state = "idle"
        if octet == DLE:
            return "DLE: block taken"
        if octet == NAK:
            return "NAK: block rejected, to be repeated"
        if octet == STX:
            return self._idle(who, octet) + " in place of an answer: its DLE was lost"
        return f"{_shown(octet)}: no answer to a block, it will be repeated"


class ExplainAscii:
    """Follows plain ASCII: each direction by itself."""

    def __init__(self) -> None:
        self._payloads: dict[bool, Payload | None] = {True: None, False: None}

    def explain(self, heard: Heard) -> str:
        """Return the words for one octet."""
        payload = self._payloads[heard.from_agent]
        if payload is None:
            if heard.octet == STX:
                self._payloads[heard.from_agent] = payload = Payload()
                return payload.name(heard.octet)
            if heard.octet in (BEL, HT):
                return "tag of the integrator"
            return f"{_shown(heard.octet)}: outside a message, ignored"
        words = payload.name(heard.octet)
        if payload.whole and heard.octet == ETX and "ETX" in words:
            self._payloads[heard.from_agent] = None
        elif "not belong" in words or (len(payload.text) <= 4 and not payload.text.isdigit()):
            self._payloads[heard.from_agent] = None
            words += "; the message is dropped"
        return words


# By the procedure, given QVZ and ZVZ in seconds.
EXPLAINERS: dict[str, Callable[[float, float], Explain3964R | ExplainAscii]] = {
    "3964r": Explain3964R,
    "ascii": lambda qvz_s, zvz_s: ExplainAscii(),
}


class Shower:
    """Turns octets into lines: time, time since the last octet, who, octet, meaning."""

    def __init__(self, explainer: Explain3964R | ExplainAscii) -> None:
        self.explainer = explainer
        self._before_s: float | None = None

    def line(self, heard: Heard) -> str:
        gap_s = 0.0 if self._before_s is None else heard.at_s - self._before_s
        self._before_s = heard.at_s
        words = visible(self.explainer.explain(heard))
        who = WHO[heard.from_agent]
        return f"{heard.at_s:12.6f} s {gap_s * 1000:+10.3f} ms  {who:<10}  {heard.octet:02x}  {words}"


def _shown(octet: int) -> str:
    if octet in NAMES:
        return NAMES[octet]
    return f"'{chr(octet)}'" if 0x20 <= octet <= 0x7E else f"{octet:02x}"


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

    shower = Shower(EXPLAINERS[kind](qvz_ms / 1000, zvz_ms / 1000))
    try:
        with file.open(encoding="ascii", errors="replace") as lines:
            for heard in read(lines):
                click.echo(shower.line(heard))
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
    from toolcart.tools.messages import reasons

    if not config_file.has_serial_lines():
        fail("pyserial is not installed", f"{installation.how_to_get('serial')} brings it.")
    ports = []
    for path, from_agent in ((device, False), (other, True)):
        if path is not None:
            port = SerialPort({"parity": parity, "stop_bits": stop_bits})
            port.open(path, baud)
            if not port.state():
                side = reasons.Side(reasons.CONTROLLER, path, baud, "controller.device")
                reason = reasons.connect_reason(side, why_name(port.why), "", port.why_code or 0)
                fail(reason.words, reason.hint.replace(" in controller.device", ""), EXIT_NO_DEVICE)
            ports.append((port, from_agent))
    shower = Shower(EXPLAINERS[kind](qvz_ms / 1000, zvz_ms / 1000))
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


# How busy a serial line is: the share of the time in which octets were on each of its two wires.
#
# 1. An octet takes its start bit, eight bits, parity and stop bits, at the line's rate; between them the wire is idle.
# 2. A live line's windows are whole seconds of the clock that gives the moments; the total covers all of it.

BAR_CELLS = 20


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
