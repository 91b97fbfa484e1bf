"""The process of a simulated chip: MicroPython, and two pipes by which it asks for what only a port provides."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
from pathlib import Path

READ_S = 120  # of real time for one answer of the process: after that it hangs
LOOKS_S = 0.2  # so often it is checked whether it still runs
PIPES = ("asks", "answers")  # lab.chips.inside opens them by these names
SAID = "said"


class Process:
    """One start of the chip, in its folder, with what it prints in the file SAID there."""

    def __init__(self, command: list[str], folder: Path):
        self._said = folder / SAID
        self._out = self._said.open("wb")
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=self._out, stderr=subprocess.STDOUT
        )
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        # Opened to read and write, so that neither side waits for the other to open its end.
        self._asks, self._answers = (os.open(folder / name, os.O_RDWR) for name in PIPES)
        self._typed = b""

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._out.close()
        os.close(self._asks)
        os.close(self._answers)

    def wait(self) -> int:
        """Return its exit code, once it has ended by itself."""
        return self._process.wait()

    def output(self) -> str:
        """Return what it has printed."""
        return self._said.read_text(errors="replace")

    def next_request(self) -> tuple | None:
        """Return what it asks for, its number, two values and octets; None if it has ended."""
        head = self._read(12)
        if head is None:
            return None
        what, number, length, a, b = struct.unpack("<BBHii", head)
        octets = self._read(length) if length else b""
        return what, number, a, b, octets

    def answer(self, code: int, octets: bytes = b"") -> None:
        """Answer its last request."""
        os.write(self._answers, struct.pack("<ii", code, len(octets)) + octets)

    def type(self, line: bytes) -> None:
        """Type a line at its console."""
        os.write(self._stdin.fileno(), line + b"\r\n")
        self._typed += line + b"\r\n"

    def has_input(self) -> bool:
        """True if it has not read everything that was typed."""
        if not self._typed:
            return False
        left = bytearray(4)
        fcntl.ioctl(self._stdin.fileno(), termios.FIONREAD, left)
        if not any(left):
            self._typed = b""
        return any(left)

    def _read(self, count: int) -> bytes | None:
        octets = b""
        waits = int(READ_S / LOOKS_S)
        while len(octets) < count:
            if not select.select([self._asks], [], [], LOOKS_S)[0]:
                if self._process.poll() is not None:
                    return None
                waits -= 1
                assert waits, "the chip does nothing and asks nothing\n" + self.output()[-3000:]
                continue
            octets += os.read(self._asks, count - len(octets))
        return octets
