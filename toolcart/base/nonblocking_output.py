"""The streams of a command that lasts: whatever it prints is written as whole lines, or lost and counted.

Rules
1. Inside `nonblocking_output()` nothing that prints waits: not for a pipe that nobody reads, not for a full disk, not
   for a terminal that was stopped (toolcart.base.line_writer). That holds for print, click, warnings and logging alike,
   which all write to sys.stdout or sys.stderr.
2. The newest line is kept until the next one comes: a reader that comes back gets it, and before it how many were lost.
3. A server goes on without its reader. What a person looks at ends with it: BrokenPipeError (`ends_with_reader`).
4. At the end the last line waits LAST_WORDS_S; what was lost then is said on the other stream.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolcart.base.line_writer import LAST_WORDS_S, LineWriter
from toolcart.board.linux.plurals import counted

NAMES = {"stdout": "standard output", "stderr": "standard error"}


class LineStream(io.TextIOBase):
    """Takes the place of sys.stdout or sys.stderr; a line goes out with its end."""

    def __init__(self, name: str, stream: Any, patience_s: float, ends_with_reader: bool) -> None:
        """`patience_s`: how long a line may wait for a reader that has taken all those before."""
        self.lost = 0
        self._name = name
        self._stream = stream
        self._writer = LineWriter(stream.fileno(), stream.encoding or "utf-8")
        self._patience_s = patience_s
        self._ends_with_reader = ends_with_reader
        self._begun = ""
        self._newest: str | None = None  # that could not be written yet
        self._lock = threading.RLock()

    encoding = property(lambda self: self._stream.encoding)  # type: ignore[assignment]
    errors = property(lambda self: "backslashreplace")  # type: ignore[assignment]

    def fileno(self) -> int:
        return self._writer.descriptor

    def isatty(self) -> bool:
        return self._stream.isatty()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._take(line)
            if lines and self.is_left:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return len(text)

    def finish(self) -> None:
        """Write what is left, patiently."""
        with self._lock:
            if self._begun:
                self._take(self._begun)
                self._begun = ""
            self._send_newest(LAST_WORDS_S)
            if self._newest is not None:
                self._newest = None
                self._lose()

    @property
    def is_left(self) -> bool:
        """True if its reader, without whom nothing goes on, has gone."""
        return self._ends_with_reader and self._writer.closed

    def lacks(self) -> str:
        """Return how many lines could not be written, nor that said here; "" if none."""
        lost = self._writer.lost
        return (
            f"{counted(lost, 'line')} of {NAMES[self._name]} could not be written: {self._writer.why}" if lost else ""
        )

    def _take(self, line: str) -> None:
        if self._newest is not None:
            self._send_newest(0.0)
        if self._newest is not None:
            self._lose()
            self._newest = line
        else:
            self._newest = line
            self._send_newest(self._patience_s)

    def _lose(self) -> None:
        self._writer.lost += 1
        self.lost += 1

    def _send_newest(self, patience_s: float) -> None:
        """Write the line that waits, behind how many were lost before it."""
        if self._newest is not None and self._writer.catch_up(str, patience_s):
            if self._writer.offer(self._newest, patience_s):
                self._newest = None


class Streams:
    """`lost`: how many lines of the two could not be written, once they have ended."""

    lost = 0


@contextmanager
def nonblocking_output(patience_s: float = 0.0, ends_with_reader: bool = False) -> Iterator[Streams]:
    """Let nothing that is printed inside wait; no files are streams that stay as they are."""
    streams = Streams()
    before = {name: getattr(sys, name) for name in NAMES}
    ours = {
        name: LineStream(name, stream, patience_s, ends_with_reader)
        for name, stream in before.items()
        if hasattr(select, "poll") and _is_a_file(stream)
    }
    for name, stream in ours.items():
        before[name].flush()
        setattr(sys, name, stream)
    try:
        yield streams
    finally:
        streams.lost = _finish(list(ours.values()))
        for name, stream in before.items():
            setattr(sys, name, stream)


def _is_a_file(stream: Any) -> bool:
    try:
        return stream.fileno() >= 0
    except (AttributeError, OSError, ValueError):
        return False


def _finish(streams: list[LineStream]) -> int:
    """Write the last lines, and what one lacks to the other; return how many lines were lost."""
    for one in streams:
        one.finish()
    lacking = [one for one in streams if one.lacks()]
    if len(lacking) == 1 and not lacking[0].is_left:
        for other in streams:
            if other is not lacking[0]:
                other.write(f"toolcart: {lacking[0].lacks()}\n")
                other.finish()
    return sum(one.lost for one in streams)
