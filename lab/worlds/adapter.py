"""The agent as a world sees it, in the only file here that knows it: build, step, stop, ask, give orders.

The quarantine, and what a start would find, are read from a copy of the flash, so that nothing is disturbed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from toolcart.agent.base.counters import SERVER_EMPTY, Counters
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.cart import status
from toolcart.agent.cart.app import App, StartFindings
from toolcart.agent.cart.config import ConfigError, complete
from toolcart.agent.cart.outlet_places import KINDS, STAYED, OutletPlaces, hash_at, hash_of, kind_at
from toolcart.agent.cart.storage import bring_up
from toolcart.agent.linux import offer_again as offers
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.flash import Partition as PartOf
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.snapshot import STATE_BLOCKS, STATE_FOUND, Snapshot
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.quarantine.orders import of_station
from toolcart.agent.record import KIND_EVENT, event
from toolcart.spool.offline_spool import begun, opened
from toolcart.tools.messages import attention
from toolcart.tools.spool.take_over import CannotTakeOver, Plan, make
from lab.worlds.history import AgentReport

TICKS_MAX = 0x3FFFFFFF
TOOLSNET = "toolsnet"


completed = complete  # fills in every default of a configuration, or raises on any mistake


def configured(settings: dict) -> dict | None:
    """Return the completed configuration; None if the agent does not accept it.

    The section of ToolsNet is left out where no station has it.
    """
    kinds = {one["kind"] for station in settings["stations"] for one in station["outlets"]}
    try:
        return complete({key: settings[key] for key in settings if key != TOOLSNET or TOOLSNET in kinds})
    except ConfigError:
        return None


class Agent(App):
    """One run of the agent, from power-on to power-off; `batches` are the stations' cursor batches."""

    stations: list[Any]  # a station has its parts once it is up

    def __init__(self, tree: dict, board, batches: list[int]) -> None:
        self.tree = tree
        self.batches = dict(enumerate(batches))  # of the stations that are not up yet
        self.copies: dict[int, Any] = {}  # of a station's flash, each the last one looked at
        super().__init__(tree, board)

    def station(self, index: int):
        """Return the station if it is up, else None."""
        station = self.stations[index]
        return station if station.mounted and station.outlets else None


def step(agent: Agent, now: int) -> int:
    """Run what is due; return the ms until the next thing is due, at most half a day."""
    left = agent.step(now)
    for index in list(agent.batches):
        station = agent.station(index)
        if station is None:
            continue
        batch = agent.batches.pop(index)
        if station.outlets[0].kind != TOOLSNET:
            continue
        sent = station.outlets[0].policy.in_flight
        sent.batch, sent.most = min(sent.batch, batch), batch
        sent.may_send_to = min(sent.may_send_to, sent.cursor.number + sent.batch)
    return min(left, FOREVER)


def raised(agent: Agent) -> str:
    """Return the last exception of a task of the agent as text, empty if there was none."""
    scheduler = agent.scheduler
    fault = scheduler.last_fault
    return f"{type(fault).__name__}: {fault}" if scheduler.faults else ""


# -- events --------------------------------------------------------------------------------------------------------


def alarm(agent: Agent, index: int, code: int, now: int) -> bool:
    """Have the agent record an alarm of this station's controller; True if it is durable."""
    station = agent.station(index)
    if station is None:
        return False
    log = station.log
    event.put_event(log.stage, log.payload_at, log.next, station.number, event.ALARM)
    event.put_code(log.stage, log.payload_at, b"%05d" % code, 0, event.CODE_BYTES)
    event.put_time(log.stage, log.payload_at, b"2026-03-01:06:00:00", 0)
    done = log.append(KIND_EVENT, 0, event.EVENT_LEAST) == LOG_DONE
    for slot in range(agent.scheduler.count):
        agent.scheduler.wake(slot, now)
    return done


def events_given_up(agent: Agent, index: int) -> int:
    """Return how many events of this station ToolsNet lacks at most."""
    station = agent.station(index)
    if station is None:
        return 0
    status: dict = {}
    station.outlets[0].put_state(status)
    return status["events_missed"]


# -- what it says --------------------------------------------------------------------------------------------------


def is_away(agent: Agent, index: int) -> bool:
    """True if this station's log is not up."""
    return agent.station(index) is None


def waiting(agent: Agent, index: int) -> int:
    """Return how many of this station's records wait for ToolsNet, says the agent; cheap, as it is asked often."""
    station = agent.station(index)
    return 1 if station is None else station.log.backlog_of(station.log.cursors[0])


def waiting_for_others(agent: Agent, index: int) -> int:
    """Return how many numbers of the log wait for durable outlets other than ToolsNet."""
    station = agent.station(index)
    if station is None:
        return 0
    log = station.log
    return sum(log.backlog_of(cursor) for cursor in log.cursors[1:] if cursor.durable)


def counts(agent: Agent, index: int) -> tuple[int, int, int]:
    """Return how many are waiting, kept and overwritten."""
    station = agent.stations[index]
    return waiting(agent, index), station.quarantine.count(), station.state.numbers[field.OVERWRITTEN]


def overwritten(agent: Agent | None, index: int) -> int:
    """Return how many the agent has counted as overwritten; 0 where it is not up."""
    state = None if agent is None else agent.stations[index].state
    return 0 if state is None else state.numbers[field.OVERWRITTEN]


def has_kept(agent: Agent | None, index: int) -> bool:
    """True if anything in the quarantine counts, as far as is known: after a cut it holds copies that do not."""
    quarantine = None if agent is None else agent.stations[index].quarantine
    return quarantine is None or quarantine.count() > 0


def stands(agent: Agent, index: int) -> list[object]:
    """Return the positions of one station's logs: while none of them changes, the agent gives the same answers."""
    station = agent.station(index)
    if station is None:
        return [object()]  # equal to nothing else
    log, kept = station.log, station.quarantine.log
    return [log.number, log.cursors[0].number, kept.number, *station.state.numbers, needs_operator(agent, index)]


def says_full(agent: Agent, index: int) -> bool:
    """True if the log of this station accepts no result now."""
    station = agent.station(index)
    return station is not None and station.log.is_still_full()


def needs_operator(agent: Agent, index: int) -> bool:
    """True if good results cannot go out before an operator comes, or before a server takes what it refuses."""
    status = _way_to_toolsnet(agent, index)
    return bool(status["needs_operator"] or (status["refused"] or {}).get("tried_all"))


def is_mute_and_full(agent: Agent, index: int) -> bool:
    """True if the log has no room, and a lookahead through all of it had no answer: that may last for ever."""
    station = agent.station(index)
    if station is None or not station.outlets[0].policy.failed_lookaheads:
        return False
    return not station.log.has_room(station.log.room_bytes)


def _way_to_toolsnet(agent: Agent, index: int) -> dict:
    station = agent.station(index)
    status: dict = {"refused": None, "needs_operator": False, "waiting": 0}
    if station is not None:
        station.outlets[0].put_state(status)
    return status


JUDGED = ("operator", "lost there")  # slugs of what other rules judge


def out_of_order(agent: Agent, index: int) -> list[str]:
    """Return what is said to be out of order now, but that an operator is needed, and what ToolsNet may lack."""
    station = agent.station(index)
    if station is None:
        return []
    reported = status.of_station(station, agent.board.now())
    needs = [*attention.needs(reported), *attention.unusable_connections(reported)]
    return [f"{need.label} {need.text()}" for need in needs if need.level == attention.BAD and need.slug not in JUDGED]


def report_of(agent: Agent, index: int) -> AgentReport:
    """Return what the agent says about one station."""
    station = agent.station(index)
    if station is None:
        return AgentReport(waiting=1)
    numbers = station.state.numbers
    return AgentReport(
        waiting=waiting(agent, index),
        overwritten=numbers[field.OVERWRITTEN],
        kept=station.quarantine.count(),
        gone=station.ledger.gone(),
        afresh=station.ledger.epoch(),
        set_aside=numbers[field.QUARANTINED],
        dropped=numbers[field.DROPPED],
        full=says_full(agent, index),
        needs_operator=needs_operator(agent, index),
        kept_payloads=[payload for _, payload in entries(agent, index)],
    )


# -- outlets that come and go --------------------------------------------------------------------------------------


def in_log(device) -> list[tuple[int, bytes]]:
    """Return number and payload of each result and frame that a start on this device finds in its log."""
    found = opened(device.clone())
    if found is None:
        return []
    log, entries = found.log, []
    scout = Cursor()
    log.seek(scout, 0)
    while log.peek(scout) > 0:
        entries.append((scout.found, bytes(log.page[log.at : log.at + log.length])))
        scout.advance()
    return entries


def is_begun(agent: Agent, index: int) -> bool:
    """True if this station is up, and what it is has been written down."""
    station = agent.station(index)
    return station is not None and station.state.saves > 0


def knows(device, outlets: list[dict]) -> bool:
    """True if a start on this device takes these outlets, and no others, for those of the last session."""
    state = Snapshot(PartOf(device.clone(), 0, STATE_BLOCKS))
    if state.load() != STATE_FOUND:
        return False
    own = OutletPlaces(state, outlets)
    return set(own.how) == {STAYED} and not own.removed


def places(device) -> list[tuple[int, int, int]]:
    """Return the kind and the name's hash of the outlet at each place beside ToolsNet's, and the count of it."""
    state = Snapshot(PartOf(device.clone(), 0, STATE_BLOCKS))
    if state.load() != STATE_FOUND:
        return []
    return [(kind_at(state, at), hash_at(state, at), state.missed_counts[at]) for at in range(1, field.PLACES)]


def has_place(there: list[tuple[int, int, int]], name: str, kind: str) -> bool:
    """True if this outlet has one of these places."""
    return (KINDS.index(kind) + 1, hash_of(name)) in [place[:2] for place in there]


def taken_over(device, spool: dict, seed: int):
    """Return the device that `toolcart spool take-over` makes of this one; None if it cannot."""
    try:
        old = begun(device.clone())
        if old is None:
            return None
        plan = Plan(spool["size_kib"] * 1024, spool["parked_kib"] * 1024, device.unit_bytes)
        return make(old, plan, seed).device
    except (CannotTakeOver, OSError):
        return None


def has_toolsnet(agent: Agent | None, index: int) -> bool:
    """True if this station is up and has ToolsNet among its outlets."""
    station = None if agent is None else agent.station(index)
    return station is not None and station.outlets[0].kind == TOOLSNET


def left_out(agent: Agent, index: int) -> int:
    """Return how many records this start has left out for outlets that were added, says the agent."""
    return sum(count or 0 for count in agent.stations[index].at_start.added)


def left_out_numbers(agent: Agent, index: int) -> set[int]:
    """Return the numbers of the log that this start has left out for durable outlets; asked before they take anything.

    Later on these are numbers that an outlet has taken since.
    """
    station = agent.stations[index]
    found: set[int] = set()
    for cursor, count in zip(station.log.cursors, station.at_start.added, strict=True):
        if count and cursor.durable:
            found.update(range(cursor.number - count + 1, cursor.number + 1))
    return found


def waits(agent: Agent, index: int) -> list[int]:
    """Return how many records wait for each outlet, says the agent."""
    station = agent.station(index)
    return [1] if station is None else [station.log.backlog_of(cursor) for cursor in station.log.cursors]


def counted(agent: Agent, index: int) -> dict[str, int]:
    """Return what the agent has counted of records that did not go their way once and in order."""
    station = agent.station(index)
    if station is None:
        return {}
    numbers = station.state.numbers
    counts = {
        "overwritten": numbers[field.OVERWRITTEN],
        "missed": sum(station.state.missed_counts[1:]),  # the first is of events
        "damaged": numbers[field.DAMAGED],
        "stored_again": numbers[field.STORED_AGAIN],
        "delivered": numbers[field.DELIVERED],
        "dropped": numbers[field.DROPPED],
        "set_aside": numbers[field.QUARANTINED],
    }
    if station.quarantine is not None:
        counts["kept"] = station.quarantine.count()
    return counts


def says_emptied(agent: Agent, index: int) -> bool:
    """True if the agent says that its ToolsNet was emptied."""
    station = agent.station(index)
    return station is not None and (
        station.counters.counts[SERVER_EMPTY] > 0 or station.state.numbers[field.DOUBT_LACKS] > 0
    )


def offer_again(agent: Agent, index: int, number: int) -> Iterator[bool | None]:
    """Order everything from this number on for ToolsNet again; the last that it yields is whether that is done."""
    line = None
    for line in offers.of_station(agent.stations[index], agent.board, [offers.ORDER, "from", str(number)]):
        if line is None or "looked" in line:
            yield None
    yield bool(line and line.get("done"))


# -- the quarantine ------------------------------------------------------------------------------------------------


class _Twin:
    """What a start on this copy of a flash finds, and settles there."""

    def __init__(self, device, settings: dict, agent: Agent) -> None:
        self.settings = settings
        self.board = agent.board
        self.counters = Counters()
        self.why = 0
        self.at_start = StartFindings()
        self.graphs: Any = None
        self.state: Any = None
        self.log: Any = None
        self.quarantine: Any = None
        self.number = settings["number"]
        self.outlet_settings = [agent.tree.get(one["kind"]) or one for one in settings["outlets"]]
        self.is_up = bring_up(self, device)
        self.durable = list(self.state.durable) if self.is_up else []  # type: ignore  # before anything is settled
        self.in_doubt = int(self.is_up and self.quarantine.log.doubtful)  # type: ignore  # entries
        self.is_up = self.is_up and self.quarantine.settle()  # type: ignore


class _Copy:
    """A copy of a station's flash, and what a start on it finds: valid while the flash does not change."""

    def __init__(self, agent: Agent, index: int) -> None:
        self.device = agent.stations[index].log.device.device.clone()
        self._agent = agent
        self._settings = agent.tree["stations"][index]
        self._twin = twin = self._start()
        self._held: dict[int, list[tuple[int, bytes]]] = {}
        self.is_up = twin.is_up
        self.durable = twin.durable
        self.in_doubt = twin.in_doubt
        if twin.is_up:
            self.number, self.next = twin.log.number, twin.log.next
            self.cursor = twin.log.cursors[0].number
            self.kept = twin.quarantine.count()

    def _start(self) -> _Twin:
        """Start on a separate copy, as reading a log may settle it."""
        return _Twin(self.device.clone(), self._settings, self._agent)

    @cached_property
    def entries(self) -> list[tuple[int, bytes]]:
        """Everything that is kept."""
        found = []
        quarantine = self._twin.quarantine
        log = quarantine.log
        kind = quarantine.next_entry(0)
        while kind > 0:
            found.append((quarantine.number, bytes(log.page[log.at : log.at + log.length])))
            kind = quarantine.next_entry(quarantine.entry)
        return found

    def held(self, behind: int) -> list[tuple[int, bytes]]:
        """Return everything in the log behind this number."""
        found = self._held.get(behind)
        if found is None:
            found = self._held[behind] = []
            scout, log = Cursor(), self._start().log
            log.seek(scout, behind)
            for _ in range(2):
                while log.peek(scout) > 0:
                    found.append((scout.found, bytes(log.page[log.at : log.at + log.length])))
                    scout.advance()
                log.settle()  # makes the last one visible, and may overwrite the first
        return found

    def passed(self, behind: int) -> set[int]:
        """Return the numbers after this one that its cursor has passed."""
        return {number for number, _ in self.held(behind) if number <= self.cursor}

    @cached_property
    def top(self) -> int | None:
        """The highest ID known to a start after replay from the snapshot; None if it is not settled.

        Done as a start does it: certain records first, since a log that overwrites may lose some when the last is
        settled.
        """
        twin = self._twin
        ledger, log, scout = IdLedger(twin.state, twin.settings["controller"]["recover"]), twin.log, Cursor()
        log.seek(scout, twin.state.durable[field.LOG + field.NEXT] - 1)
        for is_settled in (False, True):
            if is_settled and not log.settle():
                return None
            while log.peek(scout) > 0:
                ledger.stored(log.kind, log.flags, log.page, log.at, log.length)
                scout.advance()
        return ledger.top()


def _copy(agent: Agent, index: int) -> _Copy:
    """Return what a start on a copy of this station's flash finds."""
    copy = agent.copies.get(index)
    if copy is None or not copy.device.is_like(agent.stations[index].log.device.device):
        copy = agent.copies[index] = _Copy(agent, index)
    return copy


def entries(agent: Agent, index: int) -> list[tuple[int, bytes]]:
    """Return everything that is kept: its number in the log, its payload; the oldest first."""
    copy = _copy(agent, index)
    return copy.entries if copy.is_up else []


def held(agent: Agent, index: int) -> list[tuple[int, bytes]]:
    """Return everything that waits, in the same form; the first entry is the one that holds up the others."""
    copy = _copy(agent, index)
    return copy.held(agent.stations[index].log.cursors[0].number) if copy.is_up else []


def order(agent: Agent, index: int, words: list[str], done: list[int]) -> Iterator[None]:
    """Have the agent do this, step by step; `done` gets the numbers it was done for. Let it step between two pieces."""
    first = held(agent, index) if words == ["drop", "first"] else []
    for line in of_station(agent.stations[index], agent.board, words):
        if line is None:
            yield None
        elif "dropped" in line:
            done.append(line["dropped"])
        elif line.get("asked"):
            done.append(line["number"])
        elif first and line.get("count"):
            done.append(first[0][0])


# -- what it remembers ---------------------------------------------------------------------------------------------


def check(agent: Agent) -> list[str]:
    """Return complaints after a step: what the agent remembers must be what a start on a copy of its flash finds."""
    complaints = []
    for index, station in enumerate(agent.stations):
        if agent.station(index) and station.state.writes_in_one_program() and not station.log.doubtful:
            complaints += _differences(station, _copy(agent, index))
    return complaints


def _differences(station, its: _Copy) -> list[str]:
    if not its.is_up:
        return []  # the device refuses reads at the moment
    found = []
    mine = station.log
    if its.durable != station.state.durable:
        pairs = enumerate(zip(station.state.durable, its.durable, strict=True))
        wrong = [f"{index}: {a}, not {b}" for index, (a, b) in pairs if a != b]
        found.append(f"of what it takes for durable the flash says otherwise: {', '.join(wrong)}")
    if its.number < mine.number or its.next < mine.next:
        found.append(f"the log ends at {mine.number}/{mine.next}, a start says {its.number}/{its.next}")
    if its.cursor > mine.cursors[0].number and its.passed(mine.cursors[0].number) - {one for one, _ in its.entries}:
        found.append(f"the cursor is at {mine.cursors[0].number}, a start says {its.cursor}, past what is not kept")
    # An entry being written when the power failed may read well again, or have faded by then.
    more = its.kept - station.quarantine.count()
    if more not in (0, its.in_doubt) and not (more < 0 and station.quarantine.log.doubtful):
        found.append(f"{station.quarantine.count()} are kept, a start says {its.kept}")
    # Not yet if another start has settled the log.
    counts_all = station.state.numbers[field.LOG + field.NEXT] > mine.number
    top = its.top if its.number == mine.number and counts_all else None
    if top not in (None, station.ledger.top()):
        found.append(f"the highest ID is {station.ledger.top()}, a start says {top}")
    return found
