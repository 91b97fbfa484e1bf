"""A run without a screen: a line for each change, a summary every few seconds, a reconciliation at the end.

SIGINT, SIGTERM and the end of the terminal end the run in order; a second one ends it without waiting. Any other
SIGHUP has the configuration read again (toolcart.tools.process.supervisor).
"""

from __future__ import annotations

import sys
import time

from toolcart.base.exit_codes import EXIT_SPOOL
from toolcart.base.line_writer import LineWriter
from toolcart.base.terminal_safe import visible_lines
from toolcart.tools.live.figures import Figures
from toolcart.tools.live.lines import SUMMARY_EVERY_S, Lines
from toolcart.tools.live.log_lines import LogLines
from toolcart.tools.live.watch import ENDED, Watch, account_of, account_text, spool_failure, totals, totals_text
from toolcart.tools.process.supervisor import Supervisor

TURN_S = 0.05
STATUS_EVERY_MS = 1000  # in the same process every status costs the agent a millisecond or two


def run_plain(watch: Watch, as_json: bool) -> int:
    """Run to the end and return the exit code."""
    lines = Lines(LineWriter(sys.stdout.fileno(), sys.stdout.encoding), as_json)
    summary_due_s = SUMMARY_EVERY_S
    ended_for_reader = False
    with watch.handling_signals():
        watch.start()
        while watch.phase != ENDED:
            watch.turn()
            lines.changes(watch.take_changes())
            if watch.elapsed_s() >= summary_due_s:
                summary_due_s = watch.elapsed_s() + SUMMARY_EVERY_S
                lines.summary(watch.elapsed_s(), watch.summary(), watch.summary_text())
            lines.catch_up(watch.elapsed_s())
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
        self._began_monotonic_s = time.monotonic()
        self._summary_due_s = lines.summary_every_s
        self._supervisor = Supervisor(config_path, STATUS_EVERY_MS, self._take_line)

    def run(self) -> int:
        """Run until a signal comes or the time is up; return the exit code."""
        supervisor = self._supervisor
        exit_code = supervisor.run(lambda: not self._time_is_up())
        self._take_line(supervisor.agent.last_line())
        supervisor.agent.board.close()
        text = [account_text(self.figures)] if self.figures.knows_a_spool() else []
        self.lines.account(account_of(self.figures), text)
        if exit_code == EXIT_SPOOL:
            print(visible_lines("\n".join(spool_failure(self.figures))), file=sys.stderr)
        return exit_code

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_monotonic_s

    def _time_is_up(self) -> bool:
        return self.seconds is not None and self._elapsed_s() >= self.seconds

    def _take_line(self, line: dict) -> None:
        at_s = self._elapsed_s()
        changes = self.figures.feed(line, at_s)
        self.lines.changes(changes)
        self.lines.catch_up(at_s)
        if changes and isinstance(self.lines, LogLines):  # its summary is for days without changes
            self._summary_due_s = at_s + self.lines.summary_every_s
        if at_s >= self._summary_due_s:
            self._summary_due_s = at_s + self.lines.summary_every_s
            self.lines.summary(at_s, totals(self.figures), totals_text(self.figures))
