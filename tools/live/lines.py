"""The lines of a run without a screen: a line for each change, summaries, the account at the end.

1. A line has the time of day and the seconds since the start. It is written at once, or lost: no result waits for a
   reader or a disk that does not take lines (toolcart.base.line_writer).
2. How many lines are lost is a line of its own, as soon as one can be written again.
3. The machine form is one JSON object a line with a `kind`: change, summary, and in the last line account.
"""

from __future__ import annotations

import json
import time

from toolcart.base.line_writer import LAST_WORDS_S, LineWriter
from toolcart.base.terminal_safe import visible
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change

SUMMARY_EVERY_S = 5.0
MARKS = {GOOD: "+", INFO: " ", WARNING: "!", BAD: "X"}


class Lines:
    """Writes changes and summaries."""

    summary_every_s = SUMMARY_EVERY_S

    def __init__(self, writer: LineWriter, as_json: bool) -> None:
        self.as_json = as_json
        self._writer = writer
        self._at_s = 0.0  # when the last line came

    @property
    def closed(self) -> bool:
        """True once the reader has gone."""
        return self._writer.closed

    def changes(self, changes: list[Change]) -> None:
        """Write a line for each change."""
        for change in changes:
            self._write_entry("change", change.level, change.text, {}, change.at_s)

    def summary(self, at_s: float, figures: dict, text: str) -> None:
        """Write the figures."""
        self._write_entry("summary", INFO, text, figures, at_s)

    def account(self, account: dict, lines: list[str]) -> None:
        """Write the last lines; they wait a moment for a reader."""
        for line in [json.dumps({"kind": "account", **account})] if self.as_json else map(visible, lines):
            self._write_line(line, LAST_WORDS_S)

    def catch_up(self, at_s: float) -> None:
        """Write what could not be written before, and how many lines are lost; to be called now and then."""
        self._writer.catch_up(lambda text: self._entry("change", WARNING, text, {}, at_s))

    def _entry(self, kind: str, level: str, text: str, fields: dict, at_s: float) -> str:
        if self.as_json:
            moment = {"at_s": round(at_s, 2), "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            return json.dumps({"kind": kind, **moment, **(fields or {"level": level, "text": text})})
        return f"{time.strftime('%H:%M:%S')} {at_s:8.2f}  {MARKS[level]} {visible(text)}"

    def _write_entry(
        self, kind: str, level: str, text: str, fields: dict, at_s: float, patience_s: float = 0.0
    ) -> None:
        self._at_s = at_s
        self._write_line(self._entry(kind, level, text, fields, at_s), patience_s)

    def _write_line(self, line: str, patience_s: float = 0.0) -> None:
        self.catch_up(self._at_s)
        self._writer.send(line, patience_s)
