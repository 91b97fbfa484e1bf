"""The agent as a world sees it, and the only file here that knows it: build, step, stop, ask.

Everything else in `tools/worlds` uses the functions below and `Agent`'s attributes `app` and `board` not at all.
"""

from __future__ import annotations

from agent.app import App
from agent.base.ticks import FOREVER
from agent.base.words import get_u32
from agent.config import complete
from agent.openprotocol.known import Known
from agent.record import KIND_EVENT, event
from agent.record.result import FLAG_ASIDE
from agent.spool import aside, record
from agent.log.flash import Part
from agent.spool.mount import mount
from agent.spool.ring import Ring
from agent.status import of_station
from tools.worlds.history import Said

TICKS_MAX = 0x3FFFFFFF


class Agent:
    """One run of the agent, from power on to power off."""

    def __init__(self, tree: dict, board) -> None:
        self.board = board
        self.app = App(tree, board)


def completed(tree: dict) -> dict:
    """Return the configuration with every default filled in; raise for any mistake."""
    return complete(tree)


def build(tree: dict, board) -> Agent:
    """Start the agent with this completed configuration on this board."""
    return Agent(tree, board)


def step(agent: Agent, now: int) -> int:
    """Run what is due; return the ms until the next thing is, at most half a day."""
    return min(agent.app.step(now), FOREVER)


def wake(agent: Agent, slot: int, now: int) -> None:
    """The port that was watched for this slot has something to say."""
    agent.app.scheduler.wake(slot, now)


def alarm(agent: Agent, index: int, code: int, now: int) -> bool:
    """Have the agent write down an alarm of this station's controller; whether it is durable."""
    station = agent.app.stations[index]
    ring = station.ring
    if not station.mounted or ring is None:
        return False
    at = ring.begin(KIND_EVENT, event.EVENT_LEAST)
    if at < 0:
        return False
    event.put_event(ring.stage, at, ring.event_number + 1, station.number, event.ALARM)
    event.put_code(ring.stage, at, b"%05d" % code, 0, event.CODE_BYTES)
    event.put_time(ring.stage, at, b"2026-03-01:06:00:00", 0)
    done = ring.commit(KIND_EVENT, 0, event.EVENT_LEAST) == 0
    for slot in range(agent.app.scheduler.count):
        agent.app.scheduler.wake(slot, now)
    return done


def events_given_up(agent: Agent, index: int) -> int:
    """How many events of this station the agent has passed, or the log has given up."""
    station = agent.app.stations[index]
    if not station.mounted or station.ring is None:
        return 0
    shown: dict = {}
    station.outlets[0].put_state(shown)
    return shown["events_passed"] + station.ring.missed


def network_is_up(agent: Agent, now: int) -> None:
    """The board's network has come back."""
    agent.app.network_is_up(now)


def stop(agent: Agent, now: int) -> None:
    """Begin the orderly end; go on stepping until `stopped`, then `close`."""
    agent.app.stop(now)


def stopped(agent: Agent) -> bool:
    """Tell whether the orderly end has been reached."""
    return agent.app.stopped()


def close(agent: Agent) -> None:
    """Close everything."""
    agent.app.close()


def raised(agent: Agent) -> str:
    """What a task of the agent raised last, empty if nothing."""
    scheduler = agent.app.scheduler
    fault = scheduler.last_fault
    return f"{type(fault).__name__}: {fault}" if scheduler.faults else ""


def waiting(agent: Agent, index: int) -> int:
    """How many results of this station the agent says wait for ToolsNet; asked often, so it is cheap."""
    station = agent.app.stations[index]
    ring = station.ring
    return ring.backlog(0) if station.mounted and ring is not None else 1


def stands(agent: Agent, index: int) -> list[object]:
    """Where the logs of one station stand: as long as nothing of it changes, the agent says the same."""
    station = agent.app.stations[index]
    if not station.mounted or station.ring is None or station.quarantine is None:
        return [object()]  # like nothing else
    cursor, kept = station.ring.cursors[0], station.quarantine.ring
    waits = waiting(agent, index)  # numbers that nobody has count until a search of the log has found that
    return [waits, station.ring.seq, station.ring.overwritten, cursor.seq, cursor.number, kept.seq, bytes(kept.memory)]


def said(agent: Agent, index: int) -> Said:
    """What the agent says of one station: waiting, overwritten, kept, given up, and the kept payloads."""
    station = agent.app.stations[index]
    shown = of_station(station, agent.app.board.now())
    if not shown["mounted"]:
        return Said(waiting=1)
    kept = _kept(station)
    return Said(waiting=shown["backlog"], overwritten=shown["overwritten"], kept=len(kept), kept_payloads=kept)


def check(agent: Agent) -> list[str]:
    """Complaints of the agent's own invariants after a step: what it remembers is what its flash says.

    Every remembered field is compared with what a start on a copy of the flash finds before it writes anything. Only
    the first outlet's cursor may run ahead of the log, and with it what was delivered, which the server vouches for,
    and what was overwritten, which the flash still holds.
    """
    complaints = []
    for station in agent.app.stations:
        ring = station.ring
        if station.mounted and ring is not None and not ring.suspect:
            complaints += _differences(station)
    return complaints


def _differences(station) -> list[str]:
    ring = station.ring
    device = ring.device
    if ring.offset >= device.block_bytes:
        return []  # after a refusal nobody knows what was written: the HEAD of the next block says that it is void
    part = Part(device.device.clone(), device.first_block, device.block_count)
    twin = Ring(part, outlets=len(ring.cursors), when_full=ring.when_full)
    known = Known(twin.memory, station.known.enabled)
    twin.owner = known
    if mount(twin) < 0:
        return []  # the device refuses to be read just now
    _let_last_count(twin)
    mine, its = ring.cursors[0], twin.cursors[0]
    if not mine.jumped:
        twin.find_next(its)  # only this counts what was overwritten in front of the cursor
    found = []
    void = ring.lost + (ring.torn > 0)  # numbers given to nobody, since what was torn or cannot be read may carry them
    for name in ("number", "event_number"):
        if not 0 <= getattr(ring, name) - getattr(twin, name) <= void:
            found.append(f"{name} is {getattr(ring, name)}, the flash says {getattr(twin, name)}")
    if twin.memory[4:] != ring.memory[4:]:
        found.append(f"memory is {bytes(ring.memory).hex()}, the flash says {bytes(twin.memory).hex()}")
    if known.expected != station.known.expected:
        found.append(f"the next ID is {station.known.expected}, the flash says {known.expected}")
    # A cursor that was set back, with nothing allowed yet: the log says so before anything goes out once more.
    # It may have been ahead of the log before, and still be.
    is_set_back = mine.limit <= mine.number and (mine.number <= its.number or mine.limit < its.limit)
    ahead = mine.number - its.number - (mine.delivered - its.delivered)
    if is_set_back and ahead < 0:
        ahead = 0
    if not 0 <= ring.overwritten - twin.overwritten <= ahead:
        found.append(
            f"overwritten is {ring.overwritten}, the flash says {twin.overwritten}, the cursor is {ahead} ahead"
        )
    if not is_set_back and (its.number > mine.number or its.limit != mine.limit or its.delivered > mine.delivered):
        found.append(
            f"the cursor is at {mine.number}/{mine.limit}/{mine.delivered}, "
            f"the flash says {its.number}/{its.limit}/{its.delivered}"
        )
    return found


def _let_last_count(twin: Ring) -> None:
    """Apply the last record that the copy's start has found, as its `confirm` would, but write nothing.

    To confirm it would open a block there: in a full log that has no room, or overwrites what our log still holds.
    """
    walk = twin.walk
    if twin.suspect and record.is_for_outlets(twin.last_kind):
        walk.begin(twin.last_block, twin.last_record_at, twin.seq - 1, twin.seq + 1)
        if walk.next() == twin.last_kind:
            twin.apply(twin.last_kind, walk.flags, walk.page, record.HEAD_BYTES, walk.length)
    twin.suspect = False


def _kept(station) -> list[bytes]:
    """The payload of every record that is set aside, in the quarantine or still in its place."""
    found = []
    quarantine = station.quarantine
    known = get_u32(quarantine.ring.memory, 0)
    for number in quarantine.numbers():
        if quarantine.find(number) > 0:
            walk = quarantine.ring.walk
            found.append(bytes(walk.page[record.HEAD_BYTES : record.HEAD_BYTES + walk.length]))
    ring = station.ring
    walk = ring.walk
    after = ring.aside_first - 1 if ring.has_aside() else None
    while after is not None:
        first, last, _ = aside.find_range(ring, after) or (0, 0, 0)
        if not first:
            break

        def visit(kind):
            nonlocal known  # a copy has the number of the record that it repeats
            if kind in (record.KIND_RESULT, record.KIND_RAW) and get_u32(walk.page, record.HEAD_BYTES) > known:
                known = get_u32(walk.page, record.HEAD_BYTES)
                found.append(bytes(walk.page[record.HEAD_BYTES : record.HEAD_BYTES + walk.length]))
            return False

        aside.walk_from(ring, ring.aside_block, first, last + 1, visit)
        after = last
    cursor = ring.cursors[0]

    def moved(kind):
        if kind in (record.KIND_RESULT, record.KIND_RAW) and walk.flags & FLAG_ASIDE:
            found.append(bytes(walk.page[record.HEAD_BYTES : record.HEAD_BYTES + walk.length]))
        return False

    if cursor.seq < ring.seq:  # what was moved on in the log and waits for its turn
        aside.walk_from(ring, cursor.block, cursor.seq + 1, record.SEQ_TOP, moved)
    return found
