"""A capture of a serial line as text: who said what and when.

    # anything
    0.000000 > 02           seconds, who, bytes in hex; > is the agent (integrator), < is the controller
    0.001042 < 10
    0.002084 > 30 30 32 30

Rules:
1. Several octets in a line came at the same moment, or one after the other at the baud rate of a `# baud 9600` line.
2. Times do not run backwards within a direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

BITS = 10  # an octet with start and stop bit


class Heard(NamedTuple):
    """One octet of a capture."""

    at_s: float
    from_agent: bool
    octet: int


class NoCapture(Exception):
    """The text is not a capture; the message says which line, and why."""


def read(lines: Iterable[str]) -> Iterator[Heard]:
    """Yield the octets of a capture in the order of the lines."""
    octet_s = 0.0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            if len(words) >= 3 and words[1] == "baud" and words[2].isdigit() and int(words[2]):
                octet_s = BITS / int(words[2])
            continue
        try:
            at_s = float(words[0])
            octets = [int(word, 16) for word in words[2:]]
        except ValueError:
            raise NoCapture(f"line {number}: expected seconds, > or <, bytes in hex") from None
        if len(words) < 3 or words[1] not in "<>" or any(not 0 <= octet <= 255 for octet in octets):
            raise NoCapture(f"line {number}: expected seconds, > or <, bytes in hex")
        for octet in octets:
            yield Heard(at_s, words[1] == ">", octet)
            at_s += octet_s


def line_of(heard: Heard) -> str:
    """Return the capture's line for one octet."""
    return f"{heard.at_s:.6f} {'>' if heard.from_agent else '<'} {heard.octet:02x}"
