"""What a running agent knows of its configuration: the files it was read from, and what a start would make of them now.

1. The files are looked at every LOOK_MS, and whenever somebody asks for the state. If they were changed they are
   checked as `toolcart config check` does, at each look while something is wrong, since a mode or a folder may be what
   is put right, and at each CHECKED_EACH-th one while nothing is: it may go. Nothing is used before SIGHUP asks.
2. What the agent lives with already refuses nothing (toolcart.tools.process.tolerated_faults).
3. What refused the last reload is remembered with the state that the files were in, and looked at again. In that state
   it is all that is wrong, and over when nothing is; in another one it is what is wrong there as well, with the same
   value: another one would be refused, and was not yet. Only that state tells whether it is over. What no check finds
   is wrong in that state alone.
4. A change is reported to the log when the files have rested from one look to the next: an editor writes in pieces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from toolcart.agent.base.ticks import Timer
from toolcart.tools.config import file as config_file
from toolcart.tools.config.file import Mistake
from toolcart.tools.config.files import Checked, Files, check, first_of

LOOK_MS = 2000
CHECKED_EACH = 5  # a check of many stations takes a small computer a while


class ConfigurationWatch:
    """The files of one agent's configuration; `reload_faults` turns what a check found into what refuses a reload."""

    def __init__(
        self, path: str, files: Files, reload_faults: Callable[[Checked], Checked] = lambda checked: checked
    ) -> None:
        self._path = os.path.abspath(path)  # who reads what is said of it may be in another folder
        self._reload_faults = reload_faults
        self._files = files
        self._changed: list[str] = []
        self._wrong: list[Mistake] = []  # what a reload would be refused for, as the files are now
        self._looked_at: tuple[bytes | str, ...] = files.state()
        self._reported: dict = {}
        self._last_refused_for: list[Mistake] = []  # what the last reload was refused for, and still would be
        self._files_at_refusal: tuple[bytes | str, ...] = ()  # the state that the files were in then
        self._looks = 0
        self._found_by_no_check: list[Mistake] = []  # what it was refused for that no check finds
        self._refusal_count = 0
        self._is_over = False
        self._look = Timer()

    def check_and_report(self) -> dict:
        """Return what people want to know: the file, its digest as it was read, what was changed, what is wrong.

        `wrong`: what a reload would be refused for. `refused`: the last one was, for that. `refusals` counts them all.
        """
        self._look_now()
        return self._report()

    def on_turn(self, now: int) -> int:
        """Look at the files if it is time; return the ms until the next time."""
        if not self._look.armed or self._look.expired(now):
            self._look.start(now, LOOK_MS)
            before = self._looked_at
            report = self.check_and_report()
            if before == self._looked_at:
                self._reported = report
        return self._look.left(now)

    def reported(self) -> dict:
        """Return what the log may say: as `check_and_report` was when the files rested."""
        return self._reported

    def note_refused_reload(self, found: list[Mistake], otherwise: str = "") -> None:
        """A reload was asked for, and is refused: for what `problems` found, or for what no check finds."""
        self._look_now()  # the files may have been changed since the last look
        self._found_by_no_check = [(config_file.WHOLE_FILE, "", otherwise)] if otherwise else []
        self._wrong = [*found, *self._found_by_no_check]
        self._last_refused_for, self._files_at_refusal = self._wrong, self._looked_at
        self._refusal_count += 1
        self._reported = self._report()

    def stop(self) -> None:
        """They were read again, for the agent that follows: what is changed is no news of this one any more."""
        self._is_over = True

    def problems(self) -> list[Mistake]:
        """Return what a reload would be refused for."""
        return self._reload_faults(check(self._path, agent_pid=os.getpid())).all()

    def _report(self) -> dict:
        refused = [one for one in self._wrong if self._was_refused_for(one)]
        others = [one for one in self._wrong if one not in refused]
        return {
            "file": self._path,
            "digest": self._files.digest,
            "changed": self._changed,
            "wrong": first_of([*refused, *others]),
            "refused": bool(refused),
            "refusals": self._refusal_count,
        }

    def _look_now(self) -> None:
        if self._is_over:
            return
        self._changed = self._files.changed()
        state = self._files.state()
        self._looks += 1
        is_due = self._wrong or (self._changed and self._looks % CHECKED_EACH == 0)
        if state == self._looked_at and not is_due:
            return
        self._looked_at = state
        wrong = self.problems() if self._changed or self._last_refused_for else []
        if self._last_refused_for and state == self._files_at_refusal:
            wrong += self._found_by_no_check
            self._last_refused_for = wrong
        self._wrong = wrong if self._changed or any(map(self._was_refused_for, wrong)) else []

    def _was_refused_for(self, mistake: Mistake) -> bool:
        """True if the last reload was refused for this one, too."""
        if self._looked_at == self._files_at_refusal:
            return _what(mistake) in map(_what, self._last_refused_for)
        return _value(mistake) in map(_value, self._last_refused_for)


def _value(mistake: Mistake) -> tuple[str, str, str]:
    """Return place, what is found and what is allowed, without figures that change by themselves, as of free room."""
    place, found, allowed = mistake
    return place, re.sub(r"\d+ KiB", "", found), allowed


def _what(mistake: Mistake) -> tuple[str, str]:
    """Return by what it is known again: its place and what is allowed there; what is found may be a changing figure."""
    place, _, allowed = mistake
    return place, allowed
