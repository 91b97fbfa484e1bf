"""A run without a screen: a line for each change, a summary every few seconds, a reconciliation at the end.

Rules:
1. A line has the time of day and the seconds since the start. It is flushed at once; if the reader goes away (a
   closed pipe) the run ends in order.
2. The machine form is one JSON object a line with a `kind`: change, summary, and in the last line account.
3. SIGINT, SIGTERM and the end of the terminal end the run in order; a second one ends it without waiting. Any other
   SIGHUP has the configuration read again (toolcart.tools.process.supervisor).
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from toolcart.base.exit_codes import EXIT_SPOOL
from toolcart.base.terminal_safe import visible, visible_lines
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change, Figures
from toolcart.tools.live.watch import ENDED, Watch, spool_failure, totals, totals_text
from toolcart.tools.process.supervisor import Lives

TURN_S = 0.05
SUMMARY_EVERY_S = 5.0
STATUS_EVERY_MS = 1000  # in the same process every status costs the agent a millisecond or two

MARKS = {GOOD: "+", INFO: " ", WARNING: "!", BAD: "X"}


class Lines:
    """Writes changes and summaries; `closed` once they are no longer read."""

    summary_every_s = SUMMARY_EVERY_S

    def __init__(self, out: TextIO, as_json: bool) -> None:
        self.out = out
        self.as_json = as_json
        self.closed = False

    def changes(self, changes: list[Change]) -> None:
        """Write a line for each change."""
        for change in changes:
            self._say("change", change.level, change.text, {}, change.at_s)

    def summary(self, at_s: float, figures: dict, text: str) -> None:
        """Write the figures."""
        self._say("summary", INFO, text, figures, at_s)

    def account(self, account: dict, lines: list[str]) -> None:
        """Write the last lines."""
        for line in [json.dumps({"kind": "account", **account})] if self.as_json else map(visible, lines):
            self._put(line)

    def _say(self, kind: str, level: str, text: str, told: dict, at_s: float) -> None:
        if self.as_json:
            moment = {"at_s": round(at_s, 2), "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            self._put(json.dumps({"kind": kind, **moment, **(told or {"level": level, "text": text})}))
        else:
            self._put(f"{time.strftime('%H:%M:%S')} {at_s:8.2f}  {MARKS[level]} {visible(text)}")

    def _put(self, line: str) -> None:
        if self.closed:
            return
        try:
            self.out.write(line + "\n")
            self.out.flush()
        except (OSError, ValueError):  # a closed pipe, a terminal that is gone, a full disk: the results matter more
            self.closed = True


def run_plain(watch: Watch, as_json: bool) -> int:
    """Run to the end and return the exit code."""
    lines = Lines(sys.stdout, as_json)
    summary_due_s = SUMMARY_EVERY_S
    ended_for_reader = False
    with watch.obeying():
        watch.start()
        while watch.phase != ENDED:
            watch.turn()
            lines.changes(watch.take_changes())
            if watch.elapsed_s() >= summary_due_s:
                summary_due_s = watch.elapsed_s() + SUMMARY_EVERY_S
                lines.summary(watch.elapsed_s(), watch.summary(), watch.summary_text())
            if lines.closed and not ended_for_reader:
                ended_for_reader = True
                watch.end()
            time.sleep(TURN_S)
        lines.changes(watch.take_changes())
        lines.account(watch.account(), watch.account_lines())
        return watch.exit_code


class InProcess:
    """The agent in this process, as a service manager wants it: no child, the same lines."""

    def __init__(self, config_path: str, seconds: float | None, lines: Lines) -> None:
        self.lines = lines
        self.figures = Figures()
        self.seconds = seconds
        self._begun_s = time.monotonic()
        self._summary_due_s = lines.summary_every_s
        self._lives = Lives(config_path, STATUS_EVERY_MS, self._tell)

    def run(self) -> int:
        """Run until a signal comes or the time is up; return the exit code."""
        lives = self._lives
        exit_code = lives.run(lambda: not self.lines.closed and not self._time_is_up())
        self._tell(lives.agent.last_line())
        lives.agent.board.close()
        told = totals(self.figures)
        self.lines.account(told, [totals_text(self.figures)])
        if exit_code == EXIT_SPOOL:
            print(visible_lines("\n".join(spool_failure(self.figures))), file=sys.stderr)
        return exit_code

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._begun_s

    def _time_is_up(self) -> bool:
        return self.seconds is not None and self._elapsed_s() >= self.seconds

    def _tell(self, line: dict) -> None:
        at_s = self._elapsed_s()
        changes = self.figures.feed(line, at_s)
        self.lines.changes(changes)
        if changes and isinstance(self.lines, LogLines):  # its summary is for days without changes
            self._summary_due_s = at_s + self.lines.summary_every_s
        if at_s >= self._summary_due_s:
            self._summary_due_s = at_s + self.lines.summary_every_s
            self.lines.summary(at_s, totals(self.figures), totals_text(self.figures))


# The log lines of a service: one for each change, one a day if nothing changes, with time, time zone and level.
#
# 1. Text: `2026-11-21T09:51:23+01:00 warning station 10: ...`. systemd's journal adds its own time, so it gets only the
#    level, as a priority (`<4>`, sd-daemon(3)); `journalctl -p warning` then shows what matters.
# 2. JSON: one object a line with time, level and text.
# 3. If the reader goes away the run ends in order: `closed`.

TEXT, JSON = "text", "json"
DAY_S = 86400.0

NAMES = {GOOD: "notice", INFO: "info", WARNING: "warning", BAD: "error"}
PRIORITIES = {GOOD: 5, INFO: 6, WARNING: 4, BAD: 3}  # syslog(3)


class LogLines(Lines):
    """Writes them for a service."""

    summary_every_s = DAY_S

    def __init__(self, out: TextIO, form: str = TEXT, environment: dict | None = None) -> None:
        super().__init__(out, form == JSON)
        self._is_journal = form == TEXT and is_journal(out, os.environ if environment is None else environment)

    def account(self, account: dict, lines: list[str]) -> None:
        for line in lines:
            self._say("account", INFO, f"ended: {line.strip()}", account, 0.0)

    def _say(self, kind: str, level: str, text: str, told: dict, at_s: float) -> None:
        moment = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        if self.as_json:
            line = json.dumps({"time": moment, "level": NAMES[level], "text": text, **told})
        elif self._is_journal:
            line = f"<{PRIORITIES[level]}>{visible(text)}"
        else:
            line = f"{moment} {NAMES[level]:<7} {visible(text)}"
        self._put(line)


def is_journal(out: TextIO, environment) -> bool:
    """True if this is systemd's journal: JOURNAL_STREAM has its device and inode (systemd.exec(5))."""
    try:
        about = os.fstat(out.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{about.st_dev}:{about.st_ino}"
