"""The lines of a run without a screen: a line for each change, summaries, the account at the end.

1. A line has the time of day and the seconds since the start. It is flushed at once; if the reader goes away (a
   closed pipe) `closed` says so, and the run ends in order.
2. The machine form is one JSON object a line with a `kind`: change, summary, and in the last line account.
"""

from __future__ import annotations

import json
import time
from typing import TextIO

from toolcart.base.terminal_safe import visible
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change

SUMMARY_EVERY_S = 5.0
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
            self._write_entry("change", change.level, change.text, {}, change.at_s)

    def summary(self, at_s: float, figures: dict, text: str) -> None:
        """Write the figures."""
        self._write_entry("summary", INFO, text, figures, at_s)

    def account(self, account: dict, lines: list[str]) -> None:
        """Write the last lines."""
        for line in [json.dumps({"kind": "account", **account})] if self.as_json else map(visible, lines):
            self._write_line(line)

    def _write_entry(self, kind: str, level: str, text: str, fields: dict, at_s: float) -> None:
        if self.as_json:
            moment = {"at_s": round(at_s, 2), "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            self._write_line(json.dumps({"kind": kind, **moment, **(fields or {"level": level, "text": text})}))
        else:
            self._write_line(f"{time.strftime('%H:%M:%S')} {at_s:8.2f}  {MARKS[level]} {visible(text)}")

    def _write_line(self, line: str) -> None:
        if self.closed:
            return
        try:
            self.out.write(line + "\n")
            self.out.flush()
        except (OSError, ValueError):  # a closed pipe, a terminal that is gone, a full disk: the results matter more
            self.closed = True
