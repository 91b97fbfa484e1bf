"""When the demo cuts a network or kills the agent or the archive, at times or at random; and the account at its end.

Rules:
1. Times are seconds after the first result; what is due is returned once, in order of time.
2. The dice have a seed, so that a run can be repeated; only the timing of processes still differs.
3. After the end of the run nothing more is due: everything is connected again.
4. The account compares what the controller made with what the archive holds. Lost is what was acknowledged and is
   nowhere: not in the archive, not waiting in the spool, not set aside. Doubled is what the archive holds twice under
   different sequence numbers: a repeat that ToolsNet could not recognise.
"""

from __future__ import annotations

import heapq
import random
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from toolcart.board.linux.plurals import counted
from toolcart.sim.serve import Archived

CUT_TOOLSNET = "cut ToolsNet"
JOIN_TOOLSNET = "join ToolsNet"
CUT_CONTROLLER = "cut controller"
JOIN_CONTROLLER = "join controller"
KILL = "kill"
KILL_ARCHIVE = "kill archive"

# Seconds between two faults of a kind, and how long an outage lasts: some of each in a minute, with enough quiet
# between them to work off backlogs.
_QUIET_S = {CUT_TOOLSNET: (4.0, 15.0), CUT_CONTROLLER: (6.0, 20.0), KILL: (8.0, 25.0), KILL_ARCHIVE: (10.0, 40.0)}
_OUTAGE_S = (0.3, 6.0)
_JOINS = {CUT_TOOLSNET: JOIN_TOOLSNET, CUT_CONTROLLER: JOIN_CONTROLLER}
# The side whose network an action cuts, or joins again.
SWITCHES = {CUT_TOOLSNET: ("outlet", True), JOIN_TOOLSNET: ("outlet", False)}
SWITCHES |= {CUT_CONTROLLER: ("controller", True), JOIN_CONTROLLER: ("controller", False)}


@dataclass(frozen=True)
class Outage:
    """An outage from `begin_s` to `end_s`."""

    begin_s: float
    end_s: float

    @staticmethod
    def parse(text: str) -> Outage:
        """Read `A:B`; ValueError says what is wrong with it."""
        begin, _, end = text.partition(":")
        try:
            span = Outage(float(begin), float(end))
        except ValueError:
            raise ValueError(f"{text!r} is no outage: give begin and end in seconds, such as 5:8") from None
        if not 0 <= span.begin_s < span.end_s:
            raise ValueError(f"{text!r} is no outage: it must begin at 0 or later and end after it began")
        return span


@dataclass
class Faults:
    """The faults of one run; `due(at_s)` gives those whose time has come."""

    outages: Iterable[Outage] = ()
    controller_outages: Iterable[Outage] = ()
    kills_s: Iterable[float] = ()
    archive_kills_s: Iterable[float] = ()
    random_seed: int | None = None
    _plan: list[tuple[float, int, str]] = field(default_factory=list)
    _order: int = 0

    def __post_init__(self) -> None:
        for cut, spans in ((CUT_TOOLSNET, self.outages), (CUT_CONTROLLER, self.controller_outages)):
            for span in spans:
                self._add(span.begin_s, cut)
                self._add(span.end_s, _JOINS[cut])
        for action, moments_s in ((KILL, self.kills_s), (KILL_ARCHIVE, self.archive_kills_s)):
            for at_s in moments_s:
                self._add(at_s, action)
        self._dice = random.Random(self.random_seed)
        self._next_s = {}
        if self.random_seed is not None:
            self._next_s = {action: self._dice.uniform(1.0, quiet[1]) for action, quiet in _QUIET_S.items()}

    def last_s(self) -> float:
        """Return when the last scripted fault ends, 0 if there is none."""
        return max((at_s for at_s, _, _ in self._plan), default=0.0)

    def due(self, at_s: float) -> list[str]:
        for action, next_s in self._next_s.items():
            if next_s <= at_s:
                self._throw(action, next_s)
        actions = []
        while self._plan and self._plan[0][0] <= at_s:
            actions.append(heapq.heappop(self._plan)[2])
        return actions

    def _throw(self, action: str, at_s: float) -> None:
        self._add(at_s, action)
        if action in _JOINS:
            at_s += self._dice.uniform(*_OUTAGE_S)
            self._add(at_s, _JOINS[action])
        self._next_s[action] = at_s + self._dice.uniform(*_QUIET_S[action])

    def _add(self, at_s: float, action: str) -> None:
        self._order += 1  # two faults at the same moment keep the order in which they were given
        heapq.heappush(self._plan, (at_s, self._order, action))


_ROWS = (
    ("produced by the controller", "produced"),
    ("acknowledged to the controller", "acknowledged"),
    ("in ToolsNet's archive", "delivered"),
    ("sent to ToolsNet again, stored once", "repeated"),
    ("stored by ToolsNet twice", "doubled"),
    ("lost", "lost"),
    ("out of spool order", "out_of_order"),
)


def lost(books: dict, waiting: int, parked: int) -> int:
    """Return how many acknowledged results are nowhere, according to SimulatedPlant.account."""
    missing = max(books.get("overtaken", 0), books.get("lost", 0) - waiting)
    return max(0, missing - parked)


def doubled(archive: Archived, first_id: int) -> int:
    """Return how many results from `first_id` on the archive holds more than once."""
    query = "SELECT COUNT(*) - COUNT(DISTINCT TighteningId) FROM Result WHERE TighteningId >= ?"
    return archive.query(query, (first_id,))[0][0]


def is_wrong(account: dict) -> bool:
    """True if a reconciliation is not perfect."""
    return _is_broken(account) or account["produced"] != account["delivered"]


def lines(account: dict, kept_in: str, archive: str = "") -> list[str]:
    """Return the reconciliation for people; `kept_in` names the folder if it is kept, `archive` the file in it."""
    faults = [counted(account["kills"], "hard kill"), counted(account["toolsnet_outages"], "ToolsNet outage")]
    faults += [counted(account["controller_outages"], "controller outage"), f"{account['seconds']} s"]
    figures = [f"  {name:<38}{account[key]:>8}" for name, key in _ROWS]
    if account.get("archive_kills"):
        figures.append(f"  {counted(account['archive_kills'], 'hard kill')} of the archive")
    kept_lines = [f"  Spool and archive are kept in {kept_in}"] if kept_in else []
    if kept_lines and archive:
        kept_lines += [f"  Query it: toolcart archive query --all --database {shlex.quote(archive)}"]
    return [*figures, "  " + ", ".join(faults), f"  {_verdict(account)}", *kept_lines]


def _is_broken(account: dict) -> bool:
    return bool(account["lost"] or account["out_of_order"] or account["doubled"])


def _verdict(account: dict) -> str:
    if not account["produced"]:
        return "No result was made: controller, agent and ToolsNet never worked together."
    if not is_wrong(account):
        return "Every result is in the archive, in the order in which the cart stored them."
    if _is_broken(account):
        return "FAILED: results are lost, out of spool order or stored twice."
    missing = account["produced"] - account["delivered"]
    leftover = f"{account['waiting']} waiting in the spool, {account['parked']} set aside"
    return f"{missing} not in the archive: {leftover}."
