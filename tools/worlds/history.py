"""What the models saw, and what the agent said of itself at the end: all that the judge knows.

Moments are ms since the world began. A result is known by its station and its production number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

READABLE, UNREADABLE = "readable", "unreadable"


@dataclass
class Result:
    """One tightening that a controller made."""

    station: int  # 0: another one than ours
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
    hidden: bool = False  # by a number that is used anew: no subscription brings it (rule 24)
    shown_status: str = ""  # of a NOK in 0061 revision 999, where that is not 0
    disliked: bool = False  # ToolsNet refuses it by its content
    blamed: bool = (
        False  # refused by a server in trouble in the row that ended with one that it took: as if by its content
    )
    pushes: list[int] = field(default_factory=list)  # when the agent had read an 0061 of it
    fetches: list[int] = field(default_factory=list)  # when the agent had read an 0065 of it
    asked_for: list[int] = field(default_factory=list)  # those of them that were asked for by its ID, not as the newest
    acks: list[int] = field(default_factory=list)  # when a 0062 came that can mean no other
    passed_over: list[int] = field(default_factory=list)  # when the controller did not give what was asked for
    block_count: int = -1  # erases, at its first acknowledgement or row, of the block programmed last before it
    block: int = -1
    pushed_gone: list[int] = field(default_factory=list)  # pushes after that block was erased
    counts_anew: bool = False  # its ID, since a reset
    asked_gone: list[int] = field(default_factory=list)  # where it counts anew: those asked for after that as well
    held: bool = False  # at the end: under an ID that is its alone
    after_meeting: bool = False  # made after the controller was met

    def offered(self) -> int | None:
        """The first moment at which the agent could know it."""
        return min([*self.pushes[:1], *self.fetches[:1]], default=None)

    def offers(self) -> list[int]:
        """The moments at which the agent was given it, before it was acknowledged if it was."""
        until = self.acks[0] if self.acks else float("inf")
        return [moment for moment in [*self.pushes, *self.fetches] if moment <= until]

    def last_offered(self) -> int:
        """The last of them."""
        return max(self.offers(), default=self.offered() or 0)


@dataclass
class Row:
    """One telegram 04 that ToolsNet stored."""

    station: int
    arrived: int
    sequence: int
    number: int | None  # of the result, by the VIN; None where nobody made it
    wrong: str = ""  # the first field that is not as produced
    foreign: bool = False  # another station of the controller made it
    vouched: bool = False
    forgotten: int | None = None  # when the server forgot it


@dataclass
class Questions:
    """What one session with a controller asked of its old results."""

    began: int
    asked: int = 0  # questions that were answered truthfully
    last: int = -1  # when the last one behind all that brought a result for the first time
    used: int = 0  # IDs that the controller had used by then, for whomever


@dataclass
class Said:
    """What the agent says of one station."""

    waiting: int = 0
    overwritten: int = 0
    kept: int = 0
    kept_gone: int = 0
    kept_payloads: list[bytes] = field(default_factory=list)


@dataclass
class StationRules:
    """What the configuration asks of one station, and what its controller can do."""

    number: int
    numbered: bool = True  # the controller writes IDs
    overwrite: bool = False
    recover: bool = True  # and the controller answers 0064
    cursor_batch: int = 32
    block_results: int = 31  # usual ones that a block of its log holds
    kept_octets: int = 8192
    records: int = 1  # how many times the room of a usual result one takes
    rewind: bool = False
    resend: bool = False  # `server_empty` is "resend"
    window: int = 1  # results that may be out at once


@dataclass
class StationHistory:
    """All of one station."""

    rules: StationRules
    results: dict[int, Result] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)  # as they arrived
    forgets: list[int] = field(default_factory=list)
    tight: set[int] = field(default_factory=set)  # those moments, and lies', at which no block of the log was erased
    vouches: list[int] = field(default_factory=list)  # when the agent had read a truthful 08
    lies: list[tuple[int, int]] = field(default_factory=list)  # when it had read a lie; the sequence named, 0: nothing
    sessions: list[Questions] = field(default_factory=list)
    said: Said = field(default_factory=Said)  # at the end of the calm
    connections: int = 0  # to the server, over which a result was offered
    said_after: Said | None = None  # after the switch off and on behind it
    came_after: set[int] = field(default_factory=set)  # first rows that came after that switch only
    alarms_told: int = 0  # by the controller
    alarms: list[int] = field(default_factory=list)  # codes of those that are durable
    events: list[tuple[int, int]] = field(default_factory=list)  # sequence and code, as they arrived


@dataclass
class History:
    """One world."""

    stations: dict[int, StationHistory] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)
    misuse: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # of the agent's own check
    calm_over: int = -1  # when the calm ended and the last switch off and on began
    cuts: int = 0
    starts: int = 0
