"""Runs one agent in a child process: starts it, follows it, starts it again after a crash, ends it in order.

Rules:
1. `turn()` never waits: the plain lines call it in a loop, the live view on a timer.
2. Everything worth reporting is one Change: `take_changes()` gives each once, `recent` holds the last ones.
3. A wrong configuration or an unusable spool ends the run with the agent's own exit code.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_FINE, EXIT_OTHER, EXIT_SPOOL
from toolcart.base.terminal_safe import visible
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change, Figures, is_ready, is_streaming
from toolcart.tools.messages import latched_conditions, outlet_names, waiting_by_outlet
from toolcart.tools.process.child_process import AgentChild
from toolcart.tools.process.supervisor import end_or_reload, restore
from toolcart.tools.status.client import PATIENCE_S, STUCK

STARTING = "starting"
RUNNING = "running"
DRAINING = "draining"
STOPPING = "stopping"
ENDED = "ended"

RESTART_AFTER_S = 1.0
RECENT = 2000  # changes that a screen may want to show: still there after a coffee break
WAITING_MOST = 1000  # a live view takes none: what is not taken must not grow for ever
SILENT_AFTER_S = PATIENCE_S  # as long as `toolcart status` waits for an answer
TURN_MOST_S = 1.0  # a longer pause between two turns is this process's own, as with Ctrl-Z
CRASHES_IN_A_ROW = 3  # an agent that never gets going is not restarted for ever


class Watch:
    """The agent of one configuration file; it ends with `end()` or after `seconds`."""

    # What a demo has more (toolcart.tools.demo.plant).
    orders: tuple[str, ...] = ()  # what keys may do to the plant around the agent: its methods
    books: Any = None  # both sides' own accounts

    def __init__(self, config_path: str | Path, seconds: float | None = None) -> None:
        self.config_path = str(config_path)
        self.seconds = seconds
        self.cut: dict[str, bool] = {}  # which networks are cut, by side: none but a demo's
        self.child = AgentChild(config_path)
        self.figures = Figures()
        self.recent: deque[Change] = deque(maxlen=RECENT)
        self.change_count = 0  # how many changes there were
        self._waiting: deque[Change] = deque(maxlen=WAITING_MOST)
        self.phase = STARTING
        self.exit_code = EXIT_FINE
        self.crashes = 0
        self.began_s = time.time()
        self._began_monotonic_s = time.monotonic()
        self._crashes_in_a_row = 0
        self._restart_at_s: float | None = None
        self.silent_since = ""  # the time of day of the last state, once the agent does not answer
        self._heard_at_s = 0.0  # when that came
        self._silent_s: float | None = None  # for how long none has come; None while none has to
        self._turned_s = 0.0

    # -- for showing it ----------------------------------------------------------------------------------------

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_monotonic_s

    def title(self) -> str:
        return Path(self.config_path).name

    def activity(self) -> str:
        """Say what there is to say while it runs."""
        return ""

    def version(self) -> tuple[object, ...]:
        """Return a value that changes whenever there is something new to show."""
        return self.figures.status_count, self.change_count, self.phase

    def summary(self) -> dict:
        """Return the figures for one line."""
        return totals(self.figures)

    def summary_text(self) -> str:
        """Return the figures for one line, for people."""
        return totals_text(self.figures)

    def account(self) -> dict:
        """Return the last object of the machine form."""
        counters = {str(status["number"]): status["counters"] for status in self.figures.station_statuses()}
        return {**account_of(self.figures), "agent_crashes": self.crashes, "counters": counters}

    def account_lines(self) -> list[str]:
        """Return the reconciliation for people; none if no spool was ever up, of which nothing is known then."""
        if not self.figures.knows_a_spool():
            return []
        account = self.account()
        parts: list[tuple[str, object]] = [("stored since the spool was made", account["stored"])]
        if "delivered" in account:
            statuses = self.figures.station_statuses()
            name = outlet_names.toolsnet_name(*statuses)
            parts.append((f"delivered to {name}", waiting_by_outlet.delivered_text(statuses)))
        waits = waiting_by_outlet.waits_in_words(self.figures.station_statuses())
        parts += [(f"still waiting for {name}", count) for name, count in waits.items()]
        if "delivered" in account:
            parts.append(("set aside", account["parked"]))
        parts += lost_of(self.figures)
        return [f"  {name:<38}{count:>8}" for name, count in parts]

    # -- commands ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.child.start()

    def end(self) -> None:
        """End in order; a second call ends it at once."""
        if self.phase == STOPPING:
            self.child.kill()
        elif self.phase != ENDED:
            self._stop_agent()

    def reload(self) -> None:
        self.child.ask_to_reload()

    def close(self) -> None:
        """Leave nothing behind."""
        self.child.close()

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Let signals end it or have it read its configuration again; at last say why it could not go on, if so."""
        before = end_or_reload(self.end, self.reload)
        try:
            yield
            lines: list[str] = []
            if self.exit_code == EXIT_SPOOL:
                lines = spool_failure(self.figures)
            elif self.exit_code == EXIT_CONFIGURATION or self._crashes_in_a_row:
                lines = self.child.errors
            for line in lines:
                print(visible(line), file=sys.stderr)
        finally:
            self.close()
            restore(before)

    # -- turning -----------------------------------------------------------------------------------------------

    def turn(self) -> None:
        if self.phase == ENDED:
            return
        self._read_child_lines()
        self._check_silence()
        self._check_child()
        if self.phase == STARTING and self.figures.station_statuses():
            self._enter_running()
        elif self.phase in (STARTING, RUNNING) and self._time_is_up():
            self.end()
        elif self.phase == STOPPING:
            self.child.ask_to_stop()  # once: a signal may have come while this one was being started
            if self.child.stop_overdue():
                self.note(BAD, "the agent did not stop in time and was killed")
                self.exit_code = EXIT_OTHER
                self.child.kill()

    def note(self, level: str, text: str) -> None:
        self._report(Change(self.elapsed_s(), level, text))

    def take_changes(self) -> list[Change]:
        """Return the changes that have not been taken yet."""
        changes = list(self._waiting)
        self._waiting.clear()
        return changes

    def _report(self, change: Change) -> None:
        self.change_count += 1
        self.recent.append(change)
        self._waiting.append(change)

    def _enter_running(self) -> None:
        self.phase = RUNNING

    def _time_is_up(self) -> bool:
        return self.seconds is not None and self.elapsed_s() >= self.seconds

    def _read_child_lines(self) -> None:
        for line in self.child.take():
            self._hear(line.get("kind", ""))
            self._crashes_in_a_row = 0 if line.get("kind") == "status" else self._crashes_in_a_row
            for change in self.figures.feed(line, self.elapsed_s()):
                self._report(change)

    def _hear(self, kind: str) -> None:
        """Note that a line came: from its first state on an agent sends them all the time, until its last one."""
        if self.silent_since:
            self.silent_since = ""
            self.note(GOOD, "the agent answers again")
        self._heard_at_s = time.time()
        self._silent_s = 0.0 if kind == "status" else None

    def _check_silence(self) -> None:
        now_s = time.monotonic()
        turn_s, self._turned_s = min(now_s - self._turned_s, TURN_MOST_S), now_s
        if self._silent_s is None or self.silent_since:
            return
        self._silent_s += turn_s
        if self._silent_s > SILENT_AFTER_S:
            self.silent_since = time.strftime("%H:%M:%S", time.localtime(self._heard_at_s))
            self.figures.silent()
            self.note(BAD, f"the agent has not answered since {self.silent_since}; {STUCK}")

    def _check_child(self) -> None:
        if self._restart_at_s is not None:
            if self.phase == STOPPING:
                self._finish()
            elif time.monotonic() >= self._restart_at_s:
                self._restart_at_s = None
                self.child.start()
            return
        code = self.child.exit_code()
        if code is None:
            return
        self._read_child_lines()
        self.silent_since, self._silent_s = "", None
        self.figures.ended()
        if self.phase == STOPPING:
            # An agent that has only just been started does not know SIGTERM yet, and ends by it.
            if code not in (EXIT_FINE, -signal.SIGTERM) and self.exit_code == EXIT_FINE:
                self._report_exit(code)
                self.exit_code = EXIT_OTHER
            self._finish()
        elif code in (EXIT_CONFIGURATION, EXIT_SPOOL) or self._crashes_in_a_row + 1 >= CRASHES_IN_A_ROW:
            self.exit_code = code if code > 0 else EXIT_OTHER
            self._finish()
        elif code == EXIT_FINE:
            self.note(INFO, "the agent was stopped from outside")
            self._finish()
        else:
            self._crashed(code)

    def _crashed(self, code: int) -> None:
        self._report_exit(code)
        self.crashes += 1
        self._crashes_in_a_row += 1
        self._restart_at_s = time.monotonic() + RESTART_AFTER_S

    def _report_exit(self, code: int) -> None:
        code_text = f"signal {-code}" if code < 0 else f"exit code {code}"
        last_error = f": {self.child.errors[-1]}" if self.child.errors else ""
        self.note(BAD if code > 0 else WARNING, f"the agent ended with {code_text}{last_error}")

    def _stop_agent(self) -> None:
        self.phase = STOPPING
        self.child.ask_to_stop()

    def _finish(self) -> None:
        self.phase = ENDED


def totals(figures: Figures) -> dict:
    """Return the figures of all stations together."""
    stored_per_s, passed_per_s = figures.rates()
    delivered = {}
    if figures.has("delivered"):
        delivered["delivered"] = figures.total("delivered")
        passed_per_s = figures.rates("delivered")[1]  # not of stations without ToolsNet
    return {
        "stored": figures.total("stored"),
        **delivered,
        "waiting": figures.total("backlog"),
        "waiting_for": waiting_by_outlet.waits(figures.station_statuses()),
        "stored_per_s": round(stored_per_s, 1),
        "delivered_per_s": round(passed_per_s, 1),
        "controllers_ready": sum(map(is_ready, figures.station_statuses())),
        "outlets_up": sum(map(is_streaming, figures.station_statuses())),
        "stations": len(figures.station_statuses()),
    }


def totals_text(figures: Figures) -> str:
    """Return the totals in one line for people."""
    sums = totals(figures)
    rate = f"{sums['delivered_per_s']}/s"
    count = waiting_by_outlet.delivered_text(figures.station_statuses())
    delivered = f"delivered {count} ({rate})" if "delivered" in sums else f"passed on {rate}"
    outlet = outlet_names.common_name(figures.station_statuses())
    return (
        f"stored {waiting_by_outlet.stored_text(figures.station_statuses())} ({sums['stored_per_s']}/s), {delivered}, "
        f"waiting {waiting_by_outlet.waiting_text(figures.station_statuses())}; controllers {sums['controllers_ready']}"
        f"/{sums['stations']}, {outlet} {sums['outlets_up']}/{sums['stations']}"
    )


def lost_of(figures: Figures) -> list[tuple[str, int]]:
    """Return how many results of the backlog never arrive, each with its name; none of those that there are none of."""
    parts = [("dropped by an operator", figures.total("dropped"))]
    overwritten = latched_conditions.overwritten_by_outlet(figures.station_statuses())
    parts += [(f"not at {name}: overwritten, at most", count) for name, count in overwritten.items()]
    missed = latched_conditions.missed_by_outlet(figures.station_statuses())
    parts += [(f"not at {name}: missed, at most", count) for name, count in missed.items()]
    return [part for part in parts if part[1]]


def account_of(figures: Figures) -> dict:
    """Return the totals and what never arrives; no counts where no spool is up, as none is known then."""
    if not figures.knows_a_spool():
        return {"stations": len(figures.station_statuses())}
    return {**totals(figures), **figures.undelivered()}


def account_text(figures: Figures) -> str:
    """Return the reconciliation in one line for people."""
    set_aside = figures.total("parked")
    parts = [("set aside", set_aside)] * bool(set_aside) + lost_of(figures)
    return totals_text(figures) + "".join(f"; {label}: {count}" for label, count in parts)


def spool_failure(figures: Figures) -> list[str]:
    """Say why no spool can be used, for stderr."""
    return ["toolcart: no spool can be used:", *[f"  {problem}" for problem in figures.spool_problems]]
