"""The log lines of a service: one for each change, one a day if nothing changes, with time, time zone and level.

Rules
1. Text: `2026-11-21T09:51:23+01:00 warning station 10: ...`. systemd's journal adds its own time, so it gets only the
   level, as a priority (`<4>`, sd-daemon(3)); `journalctl -p warning` then shows what matters.
2. JSON: one object a line with time, level and text.
3. If the reader goes away the run ends in order: `closed`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TextIO

from toolcart.base.printable import visible
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change

TEXT = "text"
JSON = "json"
FORMATS = (TEXT, JSON)
DAY_S = 86400.0

NAMES = {GOOD: "notice", INFO: "info", WARNING: "warning", BAD: "error"}
PRIORITIES = {GOOD: 5, INFO: 6, WARNING: 4, BAD: 3}  # syslog(3)


class LogLines:
    """Writes the lines; takes the same calls as toolcart.tools.live.plain.PlainLines."""

    summary_every_s = DAY_S

    def __init__(self, out: TextIO, form: str = TEXT, environment: dict | None = None) -> None:
        self.out = out
        self.form = form
        self.closed = False
        self._is_journal = form == TEXT and is_journal(out, os.environ if environment is None else environment)

    def changes(self, changes: list[Change]) -> None:
        """Write a line for each change."""
        for change in changes:
            self._say(change.level, change.text)

    def summary(self, _at_s: float, figures: dict, text: str) -> None:
        """Write the line for a day without changes."""
        self._say(INFO, text, figures)

    def account(self, account: dict, lines: list[str]) -> None:
        """Write the last lines."""
        for line in lines:
            self._say(INFO, f"ended: {line.strip()}", account)

    def _say(self, level: str, text: str, figures: dict | None = None) -> None:
        if self.closed:
            return
        moment = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        if self.form == JSON:
            line = json.dumps({"time": moment, "level": NAMES[level], "text": text, **(figures or {})})
        elif self._is_journal:
            line = f"<{PRIORITIES[level]}>{visible(text)}"
        else:
            line = f"{moment} {NAMES[level]:<7} {visible(text)}"
        try:
            self.out.write(line + "\n")
            self.out.flush()
        except (OSError, ValueError):  # the reader has gone, or the disk is full: the results matter more
            self.closed = True


def is_journal(out: TextIO, environment) -> bool:
    """True if this is systemd's journal: JOURNAL_STREAM has its device and inode (systemd.exec(5))."""
    try:
        about = os.fstat(out.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{about.st_dev}:{about.st_ino}"
