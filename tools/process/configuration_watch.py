"""What a running agent knows of its configuration: the files it was read from, and what a start would make of them now.

1. The files are looked at every LOOK_MS, and whenever somebody asks for the state. If they were changed they are
   checked as `toolcart config check` does, once for each state that they are in; while something is wrong at each look,
   since a mode or a folder may be what is put right. Nothing is used before SIGHUP asks.
2. What the agent lives with already refuses nothing (toolcart.tools.process.tolerated_faults).
3. A change is reported to the log when the files have rested from one look to the next: an editor writes in pieces.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from toolcart.agent.base.ticks import Timer
from toolcart.tools.config.files import Checked, Files, check

LOOK_MS = 2000


class ConfigurationWatch:
    """The files of one agent's configuration; `refusing` leaves of what was found what refuses a reload."""

    def __init__(
        self, path: str, files: Files, refusing: Callable[[Checked], Checked] = lambda checked: checked
    ) -> None:
        self._path = path
        self._refusing = refusing
        self._files = files
        self._changed: list[str] = []
        self._problem = ""  # what a reload would be refused for, as they are now
        self._is_found = True  # by a check; a reload may be refused for something else as well
        self._checked: tuple[bytes | str, ...] = files.state()
        self._reported: dict = {}
        self._refused: tuple[bytes | str, ...] = ()  # the state of the files that a reload has refused
        self._refusals = 0
        self._look = Timer()

    def report(self) -> dict:
        """Return what people want to know: the file, its digest as it was read, what was changed, what is wrong.

        `refused`: the last reload was refused for what is still wrong. `refusals` counts all such reloads.
        """
        self._look_now()
        report = {"file": self._path, "digest": self._files.digest, "changed": self._changed, "wrong": self._problem}
        is_refused = bool(self._problem) and self._is_refused()
        return {**report, "refused": is_refused, "refusals": self._refusals}

    def on_turn(self, now: int) -> int:
        """Look at the files if it is time; return the ms until the next time."""
        if not self._look.armed or self._look.expired(now):
            self._look.start(now, LOOK_MS)
            before = self._checked
            report = self.report()
            if before == self._checked:
                self._reported = report
        return self._look.left(now)

    def reported(self) -> dict:
        """Return what the log may say: as `report` was when the files rested."""
        return self._reported

    def refuse(self, problem: str) -> None:
        """A reload was asked for, and these files cannot be taken."""
        self._look_now()  # they may have been changed since the last look
        self._refused, self._problem = self._checked, problem
        self._is_found = bool(self.problem())
        self._refusals += 1
        self._reported = self.report()

    def problem(self) -> str:
        """Return what a reload would be refused for, "" if nothing."""
        return self._refusing(check(self._path, agent_pid=os.getpid())).first()

    def _is_refused(self) -> bool:
        """True if the files are as the last reload that was refused found them."""
        return bool(self._refused) and self._refused == self._checked

    def _look_now(self) -> None:
        self._changed = self._files.changed()
        state = self._files.state()
        if state != self._checked:
            self._checked = state
            self._is_found = True
        elif not (self._problem and self._is_found):
            return
        self._problem = self.problem() if self._changed or self._is_refused() else ""
