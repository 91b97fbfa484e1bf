"""What the tools ask of a chip at the other end of a cable, and how it can fail them, in a person's words.

Rules
1. Every path is absolute on the board's file system. A folder is made on the way to a file.
2. `rename` replaces its target in one step: that is what every safe change here is built of.
3. Whatever goes wrong comes as a `BoardTrouble` whose text says what happened, what is left on the board, what to do.
4. A text that may be shown or logged never has a file's content in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

ANSWER_S = 15.0  # a board may be busy: with its radio 10 s, with a spool in files some seconds
Progress = Callable[[int], None]  # octets that were just moved


class BoardTrouble(Exception):
    """Something about the board; the text is for the person at the keyboard."""


class NotThere(BoardTrouble):
    """There is no such port."""


class Busy(BoardTrouble):
    """Another program has the port, or the right to open it is missing."""


class Mute(BoardTrouble):
    """The port is there and no MicroPython answers at it."""


class Wrong(BoardTrouble):
    """It is another board, or another firmware, than what was asked for."""


class Full(BoardTrouble):
    """The file system has no room."""


class Gone(BoardTrouble):
    """It was there and is not any more."""


class Failed(BoardTrouble):
    """The board refused an operation."""


@dataclass(frozen=True)
class About:
    """What a board says of itself."""

    platform: str  # sys.platform: rp2, esp32
    machine: str  # "Raspberry Pi Pico with RP2040"
    version: tuple[int, int, int]
    mpy: int  # the number of the .mpy format it loads, 6
    architecture: str  # mpy-cross's -march for its native code, "" for none
    free_bytes: int  # of the file system
    block_bytes: int
    frozen: str  # digest of the core that is frozen into its firmware, "" without one
    has_tls: bool = False  # the module `tls`
    heap_bytes: int = 0  # taken and free, 0 if it does not say


class Link(Protocol):
    """One board, held at its REPL from `hold` to `restart`."""

    def hold(self) -> About:
        """End what runs there, in order, and take the REPL."""
        ...

    def tree(self, path: str) -> dict[str, int]:
        """The files below a folder and their sizes; nothing if there is no such folder."""
        ...

    def hashes(self, paths: list[str]) -> dict[str, str]:
        """SHA-256 in hexadecimal of each file that can be read."""
        ...

    def read(self, path: str) -> bytes | None:
        """The content of a file, None if there is none."""
        ...

    def write(self, path: str, content: bytes, progress: Progress) -> None:
        """Replace a file; a cut leaves a part of it."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy a file on the board."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Rename a file over another, in one step."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        ...

    def install_package(self, name: str) -> None:
        """Install a package of micropython-lib into /lib (mip)."""
        ...

    def restart(self) -> None:
        """Reset the board; from here on it runs by itself."""
        ...

    def lines(self, seconds: float) -> Iterator[str]:
        """What it prints, line by line, until the time is up; an empty line now and then while it is silent."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


class Asked(Link, Protocol):
    """A link that can also put a line to a running agent's console."""

    def ask(self, line: str, seconds: float) -> list[dict] | None:
        """The lines of the answer, None if nothing answers."""
        ...

    def run(self, source: str) -> str:
        """Run some lines on the board while it is held."""
        ...


def console_line(text: str) -> dict | None:
    """The object of a line of the console (board.console), None for any other line."""
    at = text.find("toolcart{")
    if at < 0:
        return None
    try:
        told = json.loads(text[at + len("toolcart") :])
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
