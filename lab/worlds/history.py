"""What the models saw, what the agent said about itself, and the names of what the judge can report and excuse.

Moments are ms since the world began. A result is identified by its station and its production number.
A Finding has a kind for each rule of docs/internals/worlds.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

READABLE, UNREADABLE = "readable", "unreadable"


@dataclass
class Result:
    """One tightening that a controller made."""

    station: int  # 0: a station other than ours
    number: int
    id_text: str  # ten characters as sent; blanks where the controller sends none
    made: int
    vin: str
    stamp: str  # 14 digits, the controller's clock
    torque: str  # as ToolsNet writes it
    angle: str
    statuses: str  # overall, torque, angle, as ToolsNet writes them
    frame: str = READABLE
    spindles: int = 1
    spindle: int = 0  # that its header names, where several have one tightening: all else of them is equal
    hidden: bool = False  # by a reused number: no subscription brings it
    shown_status: str = ""  # of a NOK in 0061 revision 999, if it is not 0
    content_refusal: str = ""  # how ToolsNet treats its content: "refuses" it, or is "silent"
    answered_id: str = ""  # in answers that have another ID
    count: int = 0  # how often the controller's count had restarted when it was made
    pushes: list[int] = field(default_factory=list)  # when the agent had read a 0061 of it
    fetches: list[int] = field(default_factory=list)  # when the agent had read a 0065 of it
    asked_for: list[int] = field(default_factory=list)  # those asked for by its ID, not as the newest
    acks: list[int] = field(default_factory=list)  # when a 0062 came that can mean no other result
    passed_over: list[int] = field(default_factory=list)  # when the controller did not return it though asked for it
    again: list[int] = field(default_factory=list)  # when the agent was given it after the log had lost it
    tried: list[int] = field(default_factory=list)  # when the server was offered it and did not take it
    retried: list[int] = field(default_factory=list)  # when an operator's order to retry it was accepted
    dropped: bool = False  # by an operator
    gone: int | None = None  # when its block was erased, or became the next to be erased, though it was not stored
    gone_full: bool = False  # the log was full then
    held: bool = False  # at the end: under an ID that belongs to it alone
    after_meeting: bool = False  # made after the controller was met
    stands: bool = False  # at the end, in the log's blocks

    def tightening(self) -> int:
        """The number of the first result of this tightening: what all its spindles have in common is made from it."""
        return self.number - max(self.spindle - 1, 0)

    def offered(self) -> int | None:
        """The first moment at which the agent could know of it."""
        return min([*self.pushes[:1], *self.fetches[:1]], default=None)

    def is_liked(self) -> bool:
        """True if the server takes it."""
        return not self.content_refusal and self.frame == READABLE


@dataclass
class StoredTelegram:
    """One telegram 04 that ToolsNet stored."""

    station: int
    arrived: int
    sequence: int
    number: int | None  # of the result, by the VIN; None if it was never made
    wrong: str = ""  # the first field that differs from what was produced
    foreign: bool = False  # another station of the controller made it
    vouched: bool = False
    forgotten: int | None = None  # when the server forgot it


@dataclass
class SessionQueries:
    """What one session with a controller asked about old results."""

    began: int
    asked: int = 0  # questions that were answered truthfully
    last: int = -1  # when the last one after all that brought a result for the first time
    newest: int = -1000000  # when the newest was asked for last
    used: int = 0  # IDs that the controller had used by then, for any station


@dataclass
class HeadOfLineDelay:
    """A result waited behind refused ones while the server was well."""

    since: int  # the first refusal, or the acknowledgement of the waiting result if that came later
    until: int
    refused: int  # results in front of it
    was_there: bool  # at the first refusal
    is_proven: bool = False  # whether that came soon after another one was passed


@dataclass
class AgentReport:
    """What the agent says about one station."""

    waiting: int = 0
    overwritten: int = 0
    kept: int = 0
    gone: int = 0  # IDs that the controller no longer had
    afresh: int = 0  # how often a count restarted
    set_aside: int = 0
    dropped: int = 0
    full: bool = False
    needs_operator: bool = False
    kept_payloads: list[bytes] = field(default_factory=list)
    moment: int = 0


@dataclass
class StationRules:
    """What the configuration asks of one station, and what its controller can do."""

    number: int
    numbered: bool = True  # the controller writes IDs
    overwrite: bool = False
    recover: bool = True  # and the controller answers 0064
    cursor_batch: int = 32
    log_blocks: int = 4
    spindles: int = 0  # whose results share a VIN and an ID, the spindle in the header; 0: none do
    is_usual: bool = True  # a record of its log has one tightening, without spindles and steps
    rewind: bool = False
    round_trip_ms: int = 20
    tells_gone: bool = True  # an ID missing there belongs to a result of this station


@dataclass
class StationHistory:
    """Everything about one station."""

    rules: StationRules
    results: dict[int, Result] = field(default_factory=dict)
    rows: list[StoredTelegram] = field(default_factory=list)  # as they arrived
    forgets: list[int] = field(default_factory=list)
    lies: list[int] = field(default_factory=list)  # when the agent had read a false 08
    sessions: list[SessionQueries] = field(default_factory=list)
    # the controller has reported its newest result and the session went on, or it takes no such question
    is_met: bool = True
    held_up: list[HeadOfLineDelay] = field(default_factory=list)
    late_acks: list[str] = field(default_factory=list)
    wrong_words: list[str] = field(default_factory=list)  # false statements of the agent in between
    wrong_holds: list[str] = field(default_factory=list)
    disobeyed: list[str] = field(default_factory=list)
    report: AgentReport = field(default_factory=AgentReport)  # at the end of the calm
    report_after: AgentReport | None = None  # after the power cycle that follows it
    came_after: set[int] = field(default_factory=set)  # first rows that came only after that power cycle
    consumed: set[int] | None = None  # what the consumer beside ToolsNet has; None if the log keeps nothing for one
    alarms_reported: int = 0  # reported by the controller
    alarms: list[int] = field(default_factory=list)  # codes of those that are durable
    events: list[tuple[int, int]] = field(default_factory=list)  # sequence and code, as they arrived


@dataclass
class OutletHistory:
    """What one outlet, known by its name and kind, must have had and has had; results by their production numbers."""

    name: str
    kind: str
    owed: set[int] = field(default_factory=set)  # acknowledged, and in the log when it was there first or made later
    had: set[int] = field(default_factory=set)
    places: list[int] = field(default_factory=list)  # numbers in the log of what its place has at the end, in its order
    spans: list[list[int]] = field(default_factory=list)  # what came first between two orders, as it came
    repeats: dict[int, int] = field(default_factory=dict)  # what came more often than it was forgotten, and how often
    lacks: set[int] = field(default_factory=set)  # owed, still in the log at the end, and forgotten there


@dataclass
class Ledger:
    """All outlets of a station whose configuration changes, and what the agent has counted."""

    outlets: list[OutletHistory] = field(default_factory=list)
    is_exact: bool = False  # `overwritten` has to be what ToolsNet lacks
    overwritten: int = 0
    missed: int = 0
    gone_with_places: int = 0  # of `missed`, counted for outlets whose places went to others
    left_out: int = 0  # of all starts
    nobody_had: set[int] = field(default_factory=set)  # left out by a start, though no outlet had had it
    damaged: int = 0
    is_block_gone: bool = False  # one shows what it held before its newest erase
    stored_again: int = 0
    unsure: set[int] = field(
        default_factory=set
    )  # no one can say how often one may miss these: not acknowledged, or wanted again
    waits: int = 0  # at the end, for all outlets
    is_taken: bool = True  # the last good result is acknowledged
    negative: list[str] = field(default_factory=list)  # counts below 0
    unsaid: list[str] = field(default_factory=list)  # what was said, and no longer is


@dataclass
class History:
    """One world."""

    stations: dict[int, StationHistory] = field(default_factory=dict)
    ledger: Ledger | None = None  # of a world that changes its configuration
    malformed: list[str] = field(default_factory=list)
    misuse: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # of the agent's own check
    out_of_order: list[str] = field(default_factory=list)  # what the agent says is, at the end, though all is well
    calm_over: int = -1  # when the calm ended and the last power cycle began
    cuts: int = 0
    starts: int = 0


LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP = "lost", "doubled", "out of order", "garbled", "stuck", "held up"
LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN = "late", "aside", "untruthful", "disobeyed", "endless", "broken"
# In the order of the rules.
KINDS = (LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP, LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN)
KEPT, OVERWRITTEN, DROPPED = "kept", "overwritten", "dropped by an operator"
FORGOTTEN, FALSE_08, AGAIN, RETRIED = "forgotten", "false 08", "given again", "retried"
OFFERED_LATE, PASSED_OVER, BROUGHT_BACK = "offered late", "passed over", "brought back"


@dataclass
class Finding:
    """One breach of the promise."""

    kind: str
    station: int
    text: str
    count: int = 1


@dataclass
class Verdict:
    """What the judge found in one world."""

    findings: list[Finding] = field(default_factory=list)
    excused: Counter = field(default_factory=Counter)
    owed: int = 0

    def add(self, kind: str, station: int, text: str, count: int = 1) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, station, text, count))

    def kinds(self) -> list[str]:
        """Return the kinds found, worst first, each once."""
        found = {finding.kind for finding in self.findings}
        return [kind for kind in KINDS if kind in found]
