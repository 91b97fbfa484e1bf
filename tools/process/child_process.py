"""The agent in a child process: started, listened to, stopped in order or killed hard, started again.

Rules:
1. A thread reads the child's lines at once; they can be taken with `take()` at any time.
2. The child has a session of its own, so that Ctrl-C in the terminal reaches only the parent.
3. `close()` leaves no process behind, whatever its state.
4. The child runs this same program (toolcart.base.subprocesses).
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

from toolcart.base import subprocesses
from toolcart.tools.process.agent import NONE

STDERR_LINES = 40  # how much of a traceback is kept
CANNOT_START = 126  # as a shell says of a program that cannot be run
STOP_LIMIT_S = 6.0  # the agent's own limit is 3 s, then it has to write its cursors


class AgentChild:
    """One agent; `take()` gives what it has said since the last call."""

    def __init__(self, config_path: str | Path) -> None:
        self.config_path = str(config_path)
        self._viewed = NONE
        self.starts = 0
        self.started_s = 0.0
        self.errors: list[str] = []
        self._lines: queue.SimpleQueue[dict] = queue.SimpleQueue()
        self._process: subprocess.Popen | None = None
        self._readers: list[threading.Thread] = []
        self._stop_by_s: float | None = None
        self._cannot_start = False

    def start(self) -> None:
        """Start it; an earlier one must have ended. One that cannot be started has ended with CANNOT_START."""
        self.starts += 1
        try:
            self._process = subprocess.Popen(
                subprocesses.command("-m", "toolcart.tools.process.standalone", self.config_path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._process, self._readers = None, []
            self._cannot_start, self.errors = True, [f"the agent's process cannot be started: {error}"]
            return
        self._cannot_start = False
        self.started_s = time.monotonic()
        self.errors = []
        self._stop_by_s = None
        self._readers = [
            threading.Thread(target=self._read_lines, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        if self._viewed != NONE:
            self._send_view()

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def exit_code(self) -> int | None:
        """Return None while it runs; the code (negative for a signal) once it has ended and all has been read."""
        if self._cannot_start:
            return CANNOT_START
        if self._process is None or self._process.poll() is None:
            return None
        for reader in self._readers:
            reader.join(2.0)
        return self._process.returncode

    def view_station(self, number: int) -> None:
        """Have this and every later agent send the newest results of this station from now on; NONE: no results."""
        if number != self._viewed:
            self._viewed = number
            self._send_view()

    def take(self) -> list[dict]:
        """Return the lines received since the last call."""
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                lines.append(self._lines.get_nowait())
        return lines

    def ask_to_stop(self) -> None:
        """Begin the orderly stop; `stop_overdue` says when it takes too long."""
        if self._process is not None and self._stop_by_s is None:
            self._stop_by_s = time.monotonic() + STOP_LIMIT_S
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def ask_to_reload(self) -> None:
        """Have it read its configuration again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop_overdue(self) -> bool:
        return self._stop_by_s is not None and time.monotonic() > self._stop_by_s

    def kill(self) -> None:
        """End it at once, as a power cut does (SIGKILL), and wait until it is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            for reader in self._readers:
                reader.join(2.0)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process is not None:
            if self._process.poll() is None:
                self.kill()
            if self._process.stdin is not None:
                with contextlib.suppress(OSError):  # what was not flushed has no reader any more
                    self._process.stdin.close()

    def _send_view(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it has gone, and the next one will be told
                self._process.stdin.write(b'{"look": %d}\n' % self._viewed)
                self._process.stdin.flush()

    def _read_lines(self, stream) -> None:
        with stream:
            for line in stream:
                try:
                    message = json.loads(line)
                except ValueError:  # the last line of a killed agent may be cut anywhere
                    continue
                self._lines.put(message)

    def _read_errors(self, stream) -> None:
        with stream:
            for line in stream:
                self.errors = [*self.errors[1 - STDERR_LINES :], line.decode(errors="replace").rstrip()]
