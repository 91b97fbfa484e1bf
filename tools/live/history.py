"""What is kept about one station between two states of the agent: rates, the backlog over time, the newest results.

Rules
1. Nothing grows with time: rates come from the last seconds, results are the newest RESULTS_KEPT.
2. A rate begins with the first state in which an agent tells the station's counts, anew with each agent.
3. Results are only kept for the station that is on the screen; looking elsewhere drops them all, so there are no gaps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from toolcart.tools.live.count_history import Curve
from toolcart.tools.messages import waiting_by_outlet
from toolcart.tools.messages.transitions import ReportedReasons

RATE_WINDOW_S = 5.0
RESULTS_KEPT = 1000  # an hour of a busy station


@dataclass
class StationFigures:
    """What is kept about one station between two status lines."""

    status: dict = field(default_factory=dict)
    logged: int = 0
    was_ready: bool = False
    was_streaming: bool = False
    takes_results: bool = False  # the first outlet, as far as the log has said
    delivered_away: int | None = None  # when the first outlet was last not up
    has_met_controller: bool = False  # since the agent's start
    open_ids: int = 0
    is_missing: bool = False  # something was known to be missing, though perhaps not how much
    gone_before: int = 0  # before what is missing
    filling_percent: int = 0
    highest_backlog: int = 0  # of `backlog_outlets`, since it was last 0
    backlog_outlets: list[tuple] = field(default_factory=list)
    undelivered_before: dict = field(default_factory=dict)  # what had not been delivered before it began
    spool_reported: bool = False
    event_doubts: int = 0  # how many there have been since the agent's start
    undelivered: dict = field(default_factory=dict)
    losses_reported_s: dict[str, float] = field(default_factory=dict)  # when each of those was told last
    needs: dict = field(default_factory=dict)  # toolcart.tools.messages.attention.Needs by slug
    progress_at_need: dict = field(default_factory=dict)  # toolcart.tools.messages.attention.progress_at_need, by slug
    others: dict[str, set[str]] = field(
        default_factory=dict
    )  # of each other outlet: the reasons reported since it was up
    waited: dict[str, int] = field(default_factory=dict)  # records at each other outlet when it was last not up
    reported_reasons: ReportedReasons = field(default_factory=ReportedReasons)
    mounted_s: float | None = None  # when the spool was first seen up: nothing is connected to before
    never_connected: set[str] = field(default_factory=lambda: {"controller", "outlet"})
    history: deque[tuple[float, int, int]] = field(default_factory=deque)
    curve: Curve = field(default_factory=Curve)
    results: list[dict] = field(default_factory=list)  # newest first

    def begin(self) -> None:
        """An agent has started, or read its configuration again: all that it finds is told as if nothing had been."""
        self.spool_reported = self.has_met_controller = False
        self.undelivered, self.needs, self.others, self.waited = {}, {}, {}, {}
        self.reported_reasons = ReportedReasons()
        self.mounted_s, self.never_connected = None, {"controller", "outlet"}
        self.filling_percent = self.event_doubts = 0
        self.delivered_away = None
        self.open_ids, self.is_missing = 0, False

    def keep(self, status: dict, at_s: float) -> None:
        """Take the newest state."""
        self.status = status
        self.has_met_controller = self.has_met_controller or status.get("controller", {}).get("state") == "ready"
        self._keep_counts(status, at_s)
        self.curve.add(status.get("backlog", 0), at_s)
        self._keep_results(status.get("results") or [])

    def rates(self) -> tuple[float, float]:
        """Return the results stored and those the first outlet has taken, per second over the last few seconds."""
        if len(self.history) < 2:
            return 0.0, 0.0
        oldest, newest = self.history[0], self.history[-1]
        span_s = max(newest[0] - oldest[0], 0.001)
        return max(0.0, (newest[1] - oldest[1]) / span_s), max(0.0, (newest[2] - oldest[2]) / span_s)

    def _keep_counts(self, status: dict, at_s: float) -> None:
        """Take the counts for the rates, which begin anew where they are not known: all that is stored is not new."""
        if not status["mounted"] or status.get("stored_at_least"):
            self.history.clear()
            return
        self.history.append((at_s, status["stored"], waiting_by_outlet.delivered_of(status)))
        while at_s - self.history[0][0] > RATE_WINDOW_S and len(self.history) > 2:
            self.history.popleft()

    def _keep_results(self, newest: list[dict]) -> None:
        if not newest:
            self.results = []
            return
        # Numbers only grow; if they do not, this is another spool.
        is_same_spool = bool(self.results) and self.results[0]["number"] <= newest[0]["number"]
        older = [result for result in self.results if result["number"] < newest[-1]["number"]] if is_same_spool else []
        self.results = [*newest, *older][:RESULTS_KEPT]
