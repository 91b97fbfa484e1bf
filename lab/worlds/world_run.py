"""The course of a world: its events, the calm, one power cycle, and the judge.

Rules
1. In the calm nothing fails, a last good result is produced until one is taken over, and an operator comes when
   needed. It ends when nothing is open and QUIET_MS more have passed, or after CALM_MAX_MS (plus VISIT_MS for each
   time an operator is needed, as often as there are results; SILENT_MS for each one without an answer, MUTE_MS at each
   of those times), or when an agent works hard and nothing changes.
2. Then power goes off and on again, to see what only that brings, and what the agent still knows.
3. In a world that changes its configuration the calm ends when nothing waits; SETTLED_MS more have to pass. A good
   result is made again while one waits for ToolsNet: the last one may be refused.
4. A start may have room where a full log had none. A result that is owed only since then, because it was acknowledged
   there, gets a calm of its own, and power goes off and on again after that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.worlds import adapter
from lab.worlds.changing_world import ChangingWorld
from lab.worlds.events import Events
from lab.worlds.history import History, StationHistory, Verdict
from lab.worlds.judge import judge
from lab.worlds.obligations import is_owed, still_open
from lab.worlds.script import CHANGES, filled
from lab.worlds.world import World

CALM_MAX_MS = 3 * 3600 * 1000
DROPPED_MS = 10 * 60 * 1000  # between two orders of an operator
VISIT_MS = 30 * 60 * 1000  # more for each time one is needed: a lookahead of silent ones fills a quarantine
MUTE_MS = 240 * 1000  # and for each silent one that its lookaheads met: a silence and a reconnect, three times
SILENT_MS = 30 * 60 * 1000  # and for each one never answered by a server that answers nothing else: twenty silences
RETRY_MS, RETRIED_MOST = 60000, 6  # with more entries than these an operator has all of them offered again
RETRIES_MOST = 16
QUIET_MS = 15 * 60 * 1000
LOOK_MS = 20 * 1000  # how often the calm checks whether anything is open
SPUN_READS, SPUN_MS = 300000, 120000  # the calm ends early when so much work has changed nothing
DARK_MS = 2000
SETTLED_MS, CHANGED_MAX_MS = 90 * 1000, 90 * 60 * 1000
AFTER_MS = 180 * 1000  # quiet time with power on again after the calm; QUIET_MS at most


@dataclass
class Outcome:
    """The outcome of one world."""

    script: dict
    history: History
    verdict: Verdict
    simulated_ms: int

    @property
    def results(self) -> int:
        return sum(len(station.results) for station in self.history.stations.values())


def run(script: dict) -> Outcome:
    """Run the world of this script and judge it."""
    if script.get("shape") == CHANGES:
        world: World = ChangingWorld(filled(script))
        run_changes(world)  # type: ignore[arg-type]
    else:
        world = World(filled(script))
        Course(world).run()
    return Outcome(script, world.history, judge(world.history), world.time.now)


def _play(world: World, look: Callable[[], object]) -> None:
    """Let a world live from its first start until its faults cease; `look` at it all the while."""
    events = Events(world)
    for event in world.script["events"]:
        world.time.at(event[0], lambda event=event: events.happen(event))
    world.power_on()
    while world.time.now < world.script["end_ms"]:
        world.run_until(min(world.time.now + LOOK_MS, world.script["end_ms"]))
        look()
    events.faults_cease()
    world.calm = True


def run_changes(world: ChangingWorld) -> None:
    """Run a world that changes its configuration, from its first start to its last question."""
    _play(world, world.look)
    _settle(world)
    world.history.calm_over = world.time.now
    world.switch_off(DARK_MS)
    _settle(world)
    world.record_final_state()


def _settle(world: ChangingWorld) -> None:
    """Let time pass until nothing has waited for a while, or nothing more helps."""
    begun = open_until = world.time.now
    while world.time.now < min(open_until + SETTLED_MS, begun + CHANGED_MAX_MS):
        agent = world.agent
        waits = agent is not None and adapter.has_toolsnet(agent, 0) and adapter.waiting(agent, 0) > 0
        world.controllers[0].make_last(waits)
        world.run_until(world.time.now + LOOK_MS)
        world.look()
        if not world.is_settled():
            open_until = world.time.now


class Course:
    """One world from its first start to its last question."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._waited = 0
        self._retries = 0
        self._looked = (0, [])  # how many were open at the last count, and what stood where

    def run(self) -> None:
        """Run all of it."""
        world = self.world
        _play(world, world.operator.look)
        world.time.after(RETRY_MS, self._retry)
        self._calm(CALM_MAX_MS, QUIET_MS)
        while self._lets_in_by_switching():
            self._calm(CALM_MAX_MS, QUIET_MS)
        world.record_final_state()

    def _retry(self) -> None:
        """Have kept ones offered again: late offers are minutes apart, too slow where many are kept."""
        world = self.world
        for number in world.history.stations:
            if world.agent is None or adapter.is_away(world.agent, number - 1):
                continue
            if adapter.counts(world.agent, number - 1)[1] > RETRIED_MOST:
                world.operator.order("retry", number, 0)
        self._retries += 1
        if self._retries < RETRIES_MOST:  # an agent takes only so many wishes at once
            world.time.after(DROPPED_MS, self._retry)

    def _lets_in_by_switching(self) -> bool:
        """Ask, switch off and on, ask again; True if a result is owed now that was not before."""
        world = self.world
        self._ask()
        stations = world.history.stations
        rows = {number: len(station.rows) for number, station in stations.items()}
        reports = {number: station.report for number, station in stations.items()}
        owed = {number: _owed(station) for number, station in stations.items()}
        world.history.calm_over = world.time.now
        world.toolsnet.disturbed()
        world.switch_off(DARK_MS)
        self._calm(QUIET_MS, AFTER_MS, makes=False)
        self._ask()
        let_in = False
        for number, station in stations.items():
            new = _owed(station) - owed[number]
            let_in = let_in or bool(new)
            before = {row.number for row in station.rows[: rows[number]]}
            station.came_after |= {row.number for row in station.rows[rows[number] :] if row.number} - before - new
            station.report, station.report_after = reports[number], station.report
        return let_in

    def _calm(self, longest_ms: int, quiet_ms: int, makes: bool = True) -> None:
        """Let time pass until nothing has been open for a while, or nothing more helps."""
        world = self.world
        begun = open_until = changed = world.time.now
        was_open = reads = 0
        came = world.operator.came
        made = sum(len(station.results) for station in world.history.stations.values())
        while world.time.now < open_until + quiet_ms:
            visits = min(world.operator.came - came, made)  # each of them settles at least one
            more = visits * (VISIT_MS + self._silent() * MUTE_MS) + self._silent() * SILENT_MS
            if world.time.now >= begun + longest_ms + more:
                break
            for index, controller in enumerate(world.controllers if makes else []):
                controller.make_last(world.agent is not None and adapter.waiting(world.agent, index) > 0)
            world.run_until(world.time.now + LOOK_MS)
            world.operator.look()
            is_open = self._open()
            if is_open:
                open_until = world.time.now
            if is_open != was_open:
                was_open, changed, reads = is_open, world.time.now, world.reads
            elif is_open and world.reads > reads + SPUN_READS and world.time.now > changed + SPUN_MS:
                break

    def _silent(self) -> int:
        stations = self.world.history.stations.values()
        return sum(result.content_refusal == "silent" for station in stations for result in station.results.values())

    def _open(self) -> int:
        """Return how much is open; while the backlog shrinks, its size is enough."""
        world = self.world
        if world.agent is None:
            return 1
        waiting = sum(adapter.waiting(world.agent, index) for index in range(len(world.controllers)))
        waiting += sum(adapter.waiting_for_others(world.agent, index) for index in range(len(world.controllers)))
        waited, self._waited = self._waited, waiting
        if waiting and waiting != waited:
            return waiting
        stations = world.history.stations.values()
        stands = [count for station in stations for count in (len(station.rows), len(station.results))]
        for index, _ in enumerate(world.controllers):
            stands += adapter.stands(world.agent, index)
        if stands != self._looked[1]:
            self._ask()
            self._looked = sum(still_open(station) for station in stations), stands
        return self._looked[0]

    def _ask(self) -> None:
        """Ask the agent about each station, and the controllers what they hold."""
        world = self.world
        for index, controller in enumerate(world.controllers):
            controller.record_final_state()
            if world.agent is not None:
                controller.history.report = adapter.report_of(world.agent, index)
            else:
                world.history.raised.append("there is no agent to ask")


def _owed(station: StationHistory) -> set[int]:
    """Return the results of this station that are owed by now."""
    return {result.number for result in station.results.values() if is_owed(result, station)}
