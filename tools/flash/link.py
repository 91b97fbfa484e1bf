"""What the tools ask of a chip at the other end of a cable, and how that can fail, in plain words.

Rules
1. Every path is absolute on the board's file system. A folder is made on the way to a file.
2. `rename` replaces its target in one step: every safe change here relies on that.
3. All failures come as a `BoardError` whose text says what happened, what is left on the board, what to do.
4. A text that may be shown or logged never contains a file's content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

ANSWER_S = 15.0  # a board may be busy: 10 s with its radio, some seconds with a spool in files
Progress = Callable[[int], None]  # bytes just moved


class BoardError(Exception):
    """Something is wrong with the board; the text is for the person at the keyboard."""


class BoardFull(BoardError):
    """The file system is full."""


class BoardGone(BoardError):
    """The board was there but is gone."""


@dataclass(frozen=True)
class About:
    """What a board says about itself."""

    platform: str  # sys.platform: rp2, esp32
    machine: str  # "Raspberry Pi Pico with RP2040"
    version: tuple[int, int, int]
    mpy: int  # the version of the .mpy format that it loads, 6
    architecture: str  # mpy-cross's -march for its native code, "" for none
    free_bytes: int  # in the file system; never negative, though littlefs may count more blocks as used than there are
    block_bytes: int
    frozen: str  # digest of the core frozen into its firmware, "" for none
    has_tls: bool = False  # it has the module `tls`
    heap_bytes: int = 0  # used and free, 0 if it does not say
    networks: tuple[str, ...] | None = None  # what its firmware has a driver for: wifi, ethernet; None: it is not said
    ring_kib: int = 0  # of raw flash for spools, 0 if there is none


class Link(Protocol):
    """One board, held at its REPL from `hold` to `restart`."""

    def hold(self) -> About:
        """End in order what runs there, and take the REPL."""

    def tree(self, path: str) -> dict[str, int]:
        """Return the files below a folder and their sizes; nothing if there is no such folder."""

    def hashes(self, paths: list[str]) -> dict[str, str]:
        """Return the SHA-256 in hexadecimal of each file that can be read."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None if there is none."""

    def write(self, path: str, content: bytes, progress: Progress) -> None:
        """Replace a file; if cut, a part of it is left."""

    def copy(self, source: str, target: str) -> None:
        """Copy a file on the board."""

    def rename(self, source: str, target: str) -> None:
        """Rename a file over another in one step."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    def remove_empty(self, folder: str) -> None:
        """Remove the empty folders in this one: each would hide a package of that name which the firmware has."""

    def missing_pins(self, numbers: list[int]) -> list[int]:
        """Return which of these pins the chip does not have."""

    def pin_number(self, name: str) -> int:
        """Return the number of the chip's pin that the board has under this name, -1 if there is none."""

    def has_adc(self, number: int) -> bool:
        """True if the chip can measure the voltage at this pin."""

    def install_package(self, name: str) -> None:
        """Install a package of micropython-lib into /lib (mip)."""

    def restart(self) -> None:
        """Reset the board; from then on it runs by itself."""

    def lines(self, seconds: float) -> Iterator[str]:
        """Yield what it prints, line by line, until the time is up; an empty line now and then while it is silent."""

    def close(self) -> None:
        """Let go of the port."""


class ConsoleLink(Link, Protocol):
    """A link that can also send a line to a running agent's console."""

    def ask(self, line: str, seconds: float) -> list[dict] | None:
        """Return the lines of the answer, None if nothing answers."""

    def run(self, source: str) -> str:
        """Run some lines of code on the board while it is held."""


def console_line(text: str) -> dict | None:
    """Return the object in a line of the console (toolcart.board.console), None for any other line."""
    at = text.find("toolcart{")
    if at < 0:
        return None
    try:
        decoded = json.loads(text[at + len("toolcart") :])
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None
