"""The log lines of a service: one for each change, one a day if nothing changes, with time, time zone and level.

1. Text: `2026-11-21T09:51:23+01:00 warning station 10: ...`. systemd's journal adds its own time, so it gets only the
   level, as a priority (`<4>`, sd-daemon(3)); `journalctl -p warning` then shows what matters.
2. JSON: one object a line with time, level and text.
3. A service goes on without its lines, as without a reader.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from toolcart.base.line_writer import LAST_WORDS_S, LineWriter
from toolcart.base.terminal_safe import visible
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING
from toolcart.tools.live.lines import Lines

TEXT, JSON = "text", "json"
DAY_S = 86400.0

NAMES = {GOOD: "notice", INFO: "info", WARNING: "warning", BAD: "error"}
PRIORITIES = {GOOD: 5, INFO: 6, WARNING: 4, BAD: 3}  # syslog(3)


class LogLines(Lines):
    """Writes them for a service."""

    summary_every_s = DAY_S

    def __init__(self, writer: LineWriter, form: str = TEXT, environment: dict | None = None) -> None:
        super().__init__(writer, form == JSON)
        self._is_journal = form == TEXT and is_journal(
            writer.descriptor, os.environ if environment is None else environment
        )

    def account(self, account: dict, lines: list[str]) -> None:
        for line in lines:
            self._write_entry("account", INFO, f"ended: {line.strip()}", account, 0.0, LAST_WORDS_S)

    def _entry(self, kind: str, level: str, text: str, fields: dict, at_s: float) -> str:
        moment = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        if self.as_json:
            return json.dumps({"time": moment, "level": NAMES[level], "text": text, **fields})
        if self._is_journal:
            return f"<{PRIORITIES[level]}>{visible(text)}"
        return f"{moment} {NAMES[level]:<7} {visible(text)}"


def is_journal(descriptor: int, environment) -> bool:
    """True if this is systemd's journal: JOURNAL_STREAM has its device and inode (systemd.exec(5))."""
    stat = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM", "") == f"{stat.st_dev}:{stat.st_ino}"
