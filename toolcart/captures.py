"""Telegrams out of captures, logs and dumps: who sent each, and when (docs/library/captures.md).

    for telegram in toolcart.captures.read("talk.pcap"):
        print(telegram.time, telegram.sent_by, telegram.message)

What can be read is what `toolcart decode` reads: pcap, pcapng and what `tcpdump -X` prints, with both directions,
hexadecimal text, a dump, a log or a mail with telegrams in it, a capture of a serial line, the lines of
`toolcart decode --json`, bare bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from toolcart.catalogue import CONTROLLER, INTEGRATOR, FrameError, Message
from toolcart.client.errors import OptionError
from toolcart.codec.inputs import KINDS, NAMES, OPEN_PROTOCOL, CaptureItem, messages

__all__ = ["Capture", "Problem", "Telegram", "read"]

_SENDERS = {"I": INTEGRATOR, "C": CONTROLLER}
_OTHER = {INTEGRATOR: CONTROLLER, CONTROLLER: INTEGRATOR, "": ""}
_CALENDAR_S = range(100_000_000, 253_402_300_800)  # others are no dates: a serial capture begins at 0


@dataclass(frozen=True)
class Telegram:
    """One message of a capture.

    `at_s`: in seconds, since 1970 in a pcap, since its begin in a serial capture; None in a text. `sent_by`:
    "integrator" or "controller", by the MID, or by what else came the same way; empty if nothing tells. `way`: its
    addresses, "192.0.2.1:50001 > 192.0.2.10:4545", or the line of a text.

    >>> import toolcart
    >>> [telegram] = toolcart.captures.read(b"00200060001         ")
    >>> telegram.sent_by, telegram.message.mid, telegram.time
    ('integrator', 60, None)
    """

    message: Message
    at_s: float | None
    sent_by: str
    way: str

    @property
    def time(self) -> datetime | None:
        """When it was captured, in UTC; None where the capture does not say."""
        if self.at_s is None or int(self.at_s) not in _CALENDAR_S:
            return None
        return datetime.fromtimestamp(self.at_s, UTC)


@dataclass(frozen=True)
class Problem:
    """Bytes that are not a message: why, and where.

    >>> import toolcart
    >>> [problem] = toolcart.captures.read(b"00200060001         0021", kind="octets").problems
    >>> problem.octets
    b'0021'
    """

    octets: bytes
    why: str
    at_s: float | None
    way: str


class Capture(list[Telegram]):
    """The telegrams in their order; `problems` are what could not be read. ToolsNet telegrams are left out.

    >>> import toolcart
    >>> capture = toolcart.captures.read(b"00200060001         ")
    >>> len(capture), capture.problems
    (1, [])
    """

    problems: list[Problem]


def read(
    source: str | PathLike[str] | bytes, *, kind: str = "auto", header: str = "standard", scaled: bool = False
) -> Capture:
    """Return the telegrams of a file, by its name, or of its bytes.

    `kind`: "pcap", "hex", "text", "serial", "json" or "octets", if the bytes do not show it. `header`: "op-ford" or
    "op-bmw" where the spindle stands in front of the revision. `scaled`: as in `toolcart.decode`. OSError if the file
    cannot be read, OptionError for another kind or header.

    >>> import toolcart
    >>> [telegram] = toolcart.captures.read(b"00230018001         002")
    >>> telegram.sent_by, telegram.message["pset_id"]
    ('integrator', 2)
    """
    for name, value, allowed in (("kind", kind, KINDS), ("header", header, NAMES)):
        if value not in allowed:
            raise OptionError(name, value, "one of " + ", ".join(allowed))
    if isinstance(source, str | PathLike):
        octets = Path(source).read_bytes()
    elif isinstance(source, bytes | bytearray | memoryview):
        octets = bytes(source)
    else:
        raise OptionError("source", source, "the name of a file, or bytes")
    capture = Capture()
    capture.problems = []
    decoded: list[tuple[CaptureItem, Message]] = []
    for seen in messages(octets, kind, header):
        try:
            if seen.problem:
                raise FrameError(seen.problem)
            if seen.protocol == OPEN_PROTOCOL:
                decoded.append((seen, seen.message(scaled)))
        except FrameError as error:
            capture.problems.append(Problem(seen.octets, str(error), seen.at_s, seen.way))
    sides = _sides(decoded)
    capture += [Telegram(one, seen.at_s, _sender(one) or sides.get(seen.way, ""), seen.way) for seen, one in decoded]
    return capture


def _sender(message: Message) -> str:
    """Return who sends such a message; empty for one of both."""
    return _SENDERS.get(message.form.about.sender, "")


def _sides(decoded: list[tuple[CaptureItem, Message]]) -> dict[str, str]:
    """Return who sends on each way, by the messages that only one side sends."""
    sides: dict[str, str] = {}
    for seen, message in decoded:
        sender = _sender(message)
        if sender:
            sides.setdefault(seen.way, sender)
            source, _, target = seen.way.partition(" > ")
            sides.setdefault(f"{target} > {source}", _OTHER[sender])
    return sides
