"""One agent after the other in one process: SIGHUP has the configuration read again, SIGTERM and SIGINT end it.

Rules
1. What SIGHUP finds is checked first. If it cannot be taken the agent goes on with what it has, and says so; else it
   ends in order (MID 0003 to the controllers, the cursors durable) and the next one begins, in the same process.
2. When the terminal of this process is closed the system sends SIGHUP too: then it is the orderly end.
3. A SIGHUP that is ignored from the start, as with nohup, stays ignored. One that comes before there is an agent waits
   for it (toolcart.base.hangup).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from toolcart.base import hangup
from toolcart.tools.config.files import read_to_run
from toolcart.tools.process.agent import Agent, ViewedStation


class Supervisor:
    """The agents of one configuration file; `agent` is the present one. Wrong if the file cannot be used now."""

    def __init__(
        self, path: str, every_ms: int | None, emit: Callable[[dict], None], viewed: ViewedStation | None = None
    ) -> None:
        configuration, files = read_to_run(path)
        self._emit = emit
        self.agent = Agent(configuration, path, every_ms, emit, viewed, files)
        self._ends = False

    def run(self, keeps_running: Callable[[], bool]) -> int:
        """Run until a signal ends it, `keeps_running` returns False, or no spool can be used; return the exit code."""
        end_or_reload(self.end, lambda: self.agent.request_reload())
        while True:
            exit_code = self.agent.run(lambda: keeps_running() and not self._ends)
            successor = self.agent.successor
            if successor is None or self._ends:
                return exit_code
            self._emit(self.agent.last_line())
            self.agent.board.close()
            successor.reload_asked = self.agent.reload_asked  # it was asked for once more meanwhile
            self.agent = successor

    def end(self) -> None:
        self._ends = True
        self.agent.board.request_stop()


def end_or_reload(end: Callable[[], None], reload: Callable[[], None]) -> dict:
    """Have the signals of this process call these; return what was called before, for `restore`.

    SIGHUP stays as it is then: a terminal that goes while a run has ended and its process has not yet must not become
    its exit code.
    """
    had_terminal = _has_terminal()
    terminal_descriptors = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]
    is_ending = False

    def ended(*_) -> None:
        nonlocal is_ending
        is_ending = True
        end()

    def hung_up(*_) -> None:
        if not had_terminal or _has_terminal():
            reload()
            return
        while terminal_descriptors:  # else each write fails from now on
            os.dup2(os.open(os.devnull, os.O_RDWR), terminal_descriptors.pop())
        if not is_ending:  # the shell and the system may both say it, and a second `end` does not wait
            ended()

    before = {number: signal.signal(number, ended) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hung_up)
    hangup.release()
    return before


def restore(handlers: dict) -> None:
    """Have the signals call what they called before."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _has_terminal() -> bool:
    """True if this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
