"""How the live view writes to its terminal: nothing but the screen ever waits for a terminal that is not read.

Textual writes in a thread, with room for 30 writes before it. Behind a stalled connection or a paused multiplexer the
thread stands still in write(2), then there is no room, and then so does the loop that has to start the agent again and
to end it. So that thread gets nothing to write.

Rules
1. `write` never waits. What there is no room for is dropped whole; the screen is drawn anew once all before it has been
   written. What begins or ends the application mode is never dropped.
2. The screen is as large as the terminal. COLUMNS and LINES of the environment, which textual believes, stay what they
   were when somebody set them, and do not change with the window.
3. At the end what is still to be written is waited for as long as the terminal takes some of it every LAST_WORDS_S.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textual.drivers.linux_driver import LinuxDriver

from toolcart.base.line_writer import LAST_WORDS_S

MOST_WRITES = 30  # as with textual; a screen takes up to three
PIECE_BYTES = 256  # what a slow line takes within LAST_WORDS_S


class TerminalDriver(LinuxDriver):
    """Textual's driver, with another thread that writes: the only one that waits for the terminal."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        assert self._file is not None, "a view has a terminal"
        self._descriptor, self._encoding = self._file.fileno(), self._file.encoding
        self._writes: deque[bytes] = deque()  # the first one is being written
        self._piece_count = 0
        self._changed = threading.Condition()  # reentrant: at Ctrl-Z a signal handler writes
        self._keeps_all = False
        self._has_dropped = False
        threading.Thread(target=self._write_all, name="terminal", daemon=True).start()

    def write(self, data: str) -> None:
        with self._changed:
            if not self._keeps_all and (self._has_dropped or len(self._writes) >= MOST_WRITES):
                self._has_dropped = True
                return
            self._writes.append(data.encode(self._encoding, "backslashreplace"))
            self._changed.notify_all()

    def _get_terminal_size(self) -> tuple[int, int]:
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._descriptor)
            if columns and lines:  # a serial line does not say
                return columns, lines
        return super()._get_terminal_size()

    def start_application_mode(self) -> None:
        self._keeping_all(super().start_application_mode)

    def stop_application_mode(self) -> None:
        self._keeping_all(super().stop_application_mode)

    def close(self) -> None:
        super().close()
        with self._changed:
            count = -1
            while self._writes and count != self._piece_count:
                count = self._piece_count
                self._changed.wait_for(lambda: not self._writes, LAST_WORDS_S)

    def _keeping_all(self, change_mode: Callable[[], None]) -> None:
        self._keeps_all = True
        try:
            change_mode()
        finally:
            self._keeps_all = False

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._writes)
                octets = self._writes[0]
            with suppress(OSError):  # the terminal has gone: the signal for that ends the run
                while octets:
                    octets = octets[self._write_piece(octets[:PIECE_BYTES]) :]
            with self._changed:
                self._writes.popleft()
                is_behind = self._has_dropped and not self._writes
                if is_behind:
                    self._has_dropped = False
                self._changed.notify_all()
            if is_behind:
                with suppress(RuntimeError):  # the view has ended
                    self._app.call_later(self._app.refresh)

    def _write_piece(self, octets: bytes) -> int:
        count = 0
        try:
            count = os.write(self._descriptor, octets)
        except BlockingIOError:  # somebody else who has this terminal has made it a non-blocking one
            select.select([], [self._descriptor], [])
        self._piece_count += count > 0
        return count
