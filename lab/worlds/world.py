"""One world: all its models, built from a script; time that jumps, power that comes and goes.

Rules
1. Time stands still while the agent works, except for flash operations where the trait `takes_time` is set; an agent
   that always wants to run at once gets a millisecond for every SPINS steps, and is broken if this lasts for REST_MS.
2. A cut takes the agent as it is; what the peers see of it is up to the network.
3. `world_run.py` has the course of a world from its first start to the judge, `operator.py` what an operator does.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

from lab.worlds import adapter
from lab.worlds.board import TICKS, Board
from lab.worlds.controller import Controller
from lab.worlds.dice import dice
from lab.worlds.file_flash import FileFlash
from lab.worlds.flash import NorFlash
from lab.worlds.history import READABLE, History, StationHistory, StationRules
from lab.worlds.identification import named_in
from lab.worlds.mqtt_outlet import MQTT, Plant
from lab.worlds.network import Network, Service
from lab.worlds.operator import KEPT_BEGINS, Operator
from lab.worlds.power import ERASE, Fuse, PowerCut, StepHung
from lab.worlds.timeline import Timeline
from lab.worlds.toolsnet import ToolsNet
from lab.worlds.webhook_outlet import WEBHOOK, WebhookServer

SPINS = 30
REST_MS = 5000  # an agent that wants a turn all the time for so long is broken
STOP_LIMIT_MS = 3000
ERASE_MS, PROGRAM_MS = 45, 2
FAR = 1 << 60
FRONT_BYTES = 8  # in front of a result's token; they tell a copy of a record from another record


class World:
    """All that exists in one world."""

    def __init__(self, script: dict) -> None:
        self.script = script
        seed = script["seed"]
        self.tree = adapter.completed(script["settings"])
        self.time = Timeline()
        self.fuse = Fuse()
        self.network = Network(self.time, dice(seed, "network"), self.fuse, script["network"])
        self.history = History({})
        self.flashes: dict[str, NorFlash] = {}
        self.controllers: list[Controller] = []
        for settings, traits in zip(self.tree["stations"], script["stations"], strict=True):
            self._station(seed, settings, traits)
        self.toolsnet = ToolsNet(self.network, self.history, script["toolsnet"], self)
        made = {MQTT: Plant, WEBHOOK: WebhookServer}.get(script.get("shape", ""))
        self.other_outlet = made(self) if made else None
        self.outlet_peers: dict[str, Any] = {}  # by their place, in a world that changes (outlet_peers.py)
        self.agent: adapter.Agent | None = None
        self.board: Board | None = None
        self.operator = Operator(self)
        self.calm = False
        self.is_leaving = False  # the agent was asked to stop in order
        self.touched: dict[int, int] = {}  # by station: when its controller's network last changed
        self._begun: dict[int, list[int]] = {}  # by station: blocks of its log, in the order in which they were begun
        self.again: list = []  # fuses of the starts that follow
        self.dark_ms = 1000
        self.began = 0  # when the present power came on
        self.stalled_until = -1  # the agent's process gets no turn before
        self._due = FAR
        self._spins = 0
        self._restless_ms = 0
        self._steps = 0
        self.reads = 0
        self._check_every = script["step"]["check_every"]
        self._starts = dice(seed, "starts")

    def _station(self, seed: int, settings: dict, traits: dict) -> None:
        spool, toolsnet = settings["spool"], self.tree["toolsnet"]
        number = settings["number"]
        flash, rolled = traits["flash"], dice(seed, "flash", number)
        model = FileFlash if flash["model"] == "file" else NorFlash
        block_kib = flash["block_kib"]
        blocks = spool["size_kib"] // block_kib + flash["more_blocks"]
        device = model(flash["unit"], blocks, rolled, self.fuse, block_kib * 1024)
        if flash["takes_time"]:
            device.spend = self._spend
        self.flashes[spool["path"]] = device
        device.on_erase = lambda block: self._erasing(number, block)
        device.on_open = lambda block: self._opening(number, block)
        controller = traits["controller"]
        is_usual = not (controller["cycles"] or controller["operations"])
        rules = StationRules(
            number=number,
            numbered=controller["ids"] != "blank",
            overwrite=spool["when_full"] == "overwrite",
            recover=settings["controller"]["recover"],
            cursor_batch=traits["agent"]["batch"],
            log_blocks=device.block_count - self.log_begins(number),
            spindles=controller["header_spindles"],
            is_usual=is_usual,
            rewind=toolsnet["rewind"],
            round_trip_ms=2 * self.script["network"]["latency_ms"],
            tells_gone=is_usual and not controller["shares_ids"] and settings["controller"]["recover"],
        )
        history = self.history.stations[number] = StationHistory(rules)
        controller = Controller(self.time, history, traits["controller"], self)
        self.controllers.append(controller)
        self.network.serve(settings["controller"]["host"], settings["controller"]["port"], controller.service)

    def lines(self, outlet: dict) -> Any:
        """Return the file of a file outlet; only worlds that change have any."""
        raise ValueError(f"no file {outlet['path']} in this world")

    def services(self) -> list[Service]:
        """Return all that the agent connects to, but what is beside ToolsNet."""
        return [self.toolsnet.pim, self.toolsnet.server, *[one.service for one in self.controllers]]

    # -- what the models ask ---------------------------------------------------------------------------------------

    def device(self, number: int) -> NorFlash:
        """Return the flash of this station."""
        return self.flashes[self.tree["stations"][number - 1]["spool"]["path"]]

    def log_begins(self, number: int) -> int:
        """Return the first block of this station's log."""
        spool = self.tree["stations"][number - 1]["spool"]
        kept_bytes = (spool["parked_kib"] + spool.get("graphs_kib", 0)) * 1024
        return KEPT_BEGINS + kept_bytes // self.device(number).block_bytes

    def stands_in_log(self, number: int, text: str, made: int = 0) -> bool:
        """True if these bytes are in the log of this station, in a block that was not to be erased.

        Where several spindles share a VIN, `made` is the production number that must stand there.
        """
        device, octets = self.device(number), text.encode()
        spindles = self.history.stations[number].rules.spindles
        blocks = set(range(self.log_begins(number), device.block_count)) - device.unerased - device.refused_erases
        for block in blocks:
            content = device.content(block)
            if octets in content and (not spindles or any(n == made for _, n in named_in(number, content, spindles))):
                return True
        return False

    def waiting_in(self, number: int, counts_again: bool = False) -> dict[int, set[int]]:
        """Return, by block of the log, what is there, not known to be in the store and not in the quarantine.

        With `counts_again` also what waits again: what was given again when it was no longer anywhere in the log, what
        the server has forgotten and gets again, and unreadable ones that are kept, as their ID is unknown.
        """
        device, first = self.device(number), self.log_begins(number)
        cells, block_bytes = device.cells, device.block_bytes
        station = self.history.stations[number]
        spindles = station.rules.spindles

        def found_in(begins: int, ends: int) -> set[int]:
            return {made for _, made in named_in(number, cells, spindles, begins * block_bytes, ends * block_bytes)}

        again = station.results if counts_again else {}
        sent_again = counts_again and station.rules.rewind
        settled = {
            row.number
            for row in station.rows
            if row.vouched
            and (row.number not in again or row.arrived > max(again[row.number].again, default=0))
            and not (sent_again and row.forgotten is not None)
        }
        if adapter.has_kept(self.agent, number - 1):
            for one, made in named_in(number, cells, spindles, KEPT_BEGINS * block_bytes, first * block_bytes):
                is_whole = not device.is_torn(one.start())
                if is_whole and (not counts_again or station.results[made].frame == READABLE):
                    settled.add(made)
        if self.other_outlet is not None and self.keeps_for_others(number):
            settled &= self.other_outlet.consumed(number)
        return {block: found_in(block, block + 1) - settled for block in range(first, device.block_count)}

    def keeps_for_others(self, number: int) -> bool:
        """True if the log of this station keeps what the consumer does not have."""
        return any(outlet.get("durable") for outlet in self.tree["stations"][number - 1]["outlets"])

    def is_full(self, number: int) -> bool:
        """True if all but two blocks hold what is not stored yet, and much of it (docs/internals/worlds.md)."""
        rules, device = self.history.stations[number].rules, self.device(number)
        waiting = {block: numbers for block, numbers in self.waiting_in(number, counts_again=True).items() if numbers}
        if device.faults or not rules.is_usual:
            return len(waiting) >= max(rules.log_blocks - 3 - len(device.worn), 1)
        most = rules.log_blocks - 2
        return len(waiting) >= most and self._octets_of(number, waiting) >= most * device.block_bytes // 2

    def _octets_of(self, number: int, waiting: dict[int, set[int]]) -> int:
        """Return the bytes of these results in these blocks. A copy counts once: its twin is in front of it.

        Unreadable ones may be there as pushed and as fetched, which counts twice. A block with something that was
        stored counts as a whole: it was passed, and left when the server forgot its content.
        """
        device, octets = self.device(number), {}
        spindles = self.history.stations[number].rules.spindles
        forgotten = {row.number for row in self.history.stations[number].rows if row.forgotten is not None}
        passed = {block for block, numbers in waiting.items() if numbers & forgotten}
        for block, numbers in waiting.items():
            if block in passed:
                continue
            content = device.content(block).rstrip(b"\xff")
            found = list(named_in(number, content, spindles))
            ends = [*(other.start() for other, _ in found[1:]), len(content)]
            for (one, made), end in zip(found, ends, strict=True):
                if made in numbers:
                    octets[content[max(one.start() - FRONT_BYTES, 0) : one.end()]] = end - one.start()
        return sum(octets.values()) + len(passed) * device.block_bytes

    def _nowhere_else(self, number: int) -> dict[int, set[int]]:
        """Return, by block of the log, what waits only there; a block that was to be erased does not count."""
        given_up = self.device(number).unerased
        waiting = {block: numbers for block, numbers in self.waiting_in(number).items() if block not in given_up}
        return {
            block: waiting[block].difference(*(waiting[other] for other in waiting if other != block))
            for block in waiting
        }

    def _erasing(self, number: int, block: int) -> None:
        """A block of this station is about to lose its content: note what is nowhere else."""
        if block >= self.log_begins(number):
            self._may_go(number, self._nowhere_else(number).get(block, set()))

    def _opening(self, number: int, block: int) -> None:
        """Another block is begun: in a full log that costs the one begun longest ago, which is erased now or next."""
        if block < self.log_begins(number):
            return
        begun = self._begun.setdefault(number, [])
        if self.is_full(number):
            self._lets_go_oldest(number)
        if block in begun:
            begun.remove(block)
        begun.append(block)

    def _lets_go_oldest(self, number: int, but: Set[int] = frozenset()) -> None:
        """Note what is nowhere else in the block begun longest ago, of those that hold more than `but`."""
        waiting = self._nowhere_else(number)
        left = [waiting[block] - but for block in self._begun.get(number, []) if block in waiting]
        self._may_go(number, next((numbers for numbers in left if numbers), set()))

    def _may_go(self, number: int, numbers: set[int]) -> None:
        full = bool(numbers) and self.is_full(number)
        results = self.history.stations[number].results
        for result in [results[n] for n in numbers if n in results]:
            result.gone, result.gone_full = self.time.now, result.gone_full or full
            if self.time.now in (*result.pushes, *result.fetches):  # read before it went, looked up after that
                result.again.append(self.time.now)

    def sound_since(self, number: int) -> int:
        """Return since when there is power and a working flash; far in the future if one of them is missing."""
        device = self.device(number)
        if self.time.now <= self.stalled_until:
            return FAR
        if self.agent is None or device.refusing or device.refusals_left or device.unreadable_left:
            return FAR
        return max(self.began, device.sound_since, self.stalled_until)

    def hindered_since(self, number: int) -> int:
        """Return when anything last stood between this controller and the flash; far in the future if anything does."""
        service = self.controllers[number - 1].service
        if service.state != "up" or self.is_leaving or self.time.now <= self.stalled_until:
            return FAR
        return max(self.sound_since(number), self.touched.get(number, 0))

    def way_and_back_ms(self) -> int:
        """Return the longest time bytes need to the agent and back, split writes and a slow flash included."""
        return 3 * self.script["network"]["latency_ms"] + 50

    def check_full_claim(self, number: int) -> bool:
        """True if the agent says that its log is full; noted as wrong if it is not."""
        full = self.agent is not None and adapter.says_full(self.agent, number - 1)
        if full and not self.is_full(number):
            self.operator.wrong(number, "says that its log is full")
        return full

    def check_operator_claim(self, number: int) -> bool:
        """True if the agent says it needs an operator; noted as wrong if its quarantine has room. No fuse blows."""
        left, self.fuse.left = self.fuse.left, 0
        is_needed = self.operator.check_claim(number)
        self.fuse.left = left
        return is_needed

    def malformed(self, what: str) -> None:
        """Note a breach of the documents."""
        if len(self.history.malformed) < 20:
            self.history.malformed.append(what)

    def _spend(self, operation: int) -> None:
        self.time.now += ERASE_MS if operation == ERASE else PROGRAM_MS

    # -- power -----------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start; the next fuse of a series of cuts is armed for it."""
        if self.agent is not None:
            return
        for device in self.flashes.values():
            device.power_on()
        first = TICKS - self.script["step"]["ticks_before_wrap_ms"] if not self.history.starts else None
        ticks = first if first is not None else self._starts.choice((0, 1234, TICKS - 1, TICKS - 20000))
        self.history.starts += 1
        self.began = self.time.now
        self.network.powered = True
        self.is_leaving = False
        self.toolsnet.disturbed()
        if self.again and not self.calm:
            self.fuse.arm(*self.again.pop(0))
        board = Board(
            self.time, self.network, self.flashes, ticks, self._starts.randrange(1 << 16), self._wake, self.lines
        )
        self.board = board

        def build() -> None:
            self.agent = adapter.Agent(self.tree, board, [one["agent"]["batch"] for one in self.script["stations"]])

        self.fuse.reads = 0
        if self.survives(build):
            self._due = self.time.now

    def power_off(self, dark_ms: int | None = None) -> None:
        """Cut the power: the agent is gone, and comes back after the dark."""
        self.history.cuts += 1
        for number, station in self.history.stations.items():
            # A full log may just have given up its oldest block without beginning another.
            gone = {result.number for result in station.results.values() if result.gone_full}
            if self.is_full(number) and adapter.overwritten(self.agent, number - 1) > len(gone):
                self._lets_go_oldest(number, gone)
        self.switch_off(self.dark_ms if dark_ms is None else dark_ms)

    def switch_off(self, dark_ms: int) -> None:
        """Remove the agent; a start follows after the dark."""
        if self.agent is not None:
            self._note_raised()
            self.toolsnet.disturbed()
        self.agent = None
        self._due = FAR
        self.stalled_until = -1
        self.fuse.disarm()
        self.network.power_off()
        self.time.after(dark_ms, self.power_on)

    def shut_down(self, dark_ms: int) -> None:
        """Switch off in order: stop, at most three seconds more, close, dark."""
        agent = self.agent
        if agent is None:
            return
        self.is_leaving = True
        agent.stop(self.board.now())  # type: ignore[union-attr]
        self._due = self.time.now
        until = self.time.now + STOP_LIMIT_MS

        def look() -> None:
            if self.agent is not agent:
                return  # cut while it was stopping
            if not agent.stopped() and self.time.now < until:
                self.time.after(20, look)
                return
            self.fuse.reads = 0
            if self.survives(agent.close):
                self.switch_off(dark_ms)

        self.time.after(1, look)

    def report_network_up(self) -> None:
        """Tell the agent that its network is up."""
        if self.agent is not None:
            self.agent.network_is_up(self.board.now())  # type: ignore[union-attr]
            self._due = self.time.now

    def alarm(self, number: int) -> None:
        """Raise a controller's alarm with a code of its own."""
        agent, board = self.agent, self.board
        if agent is None or board is None:
            return
        station = self.history.stations[number]
        station.alarms_reported += 1

        def write() -> None:
            if adapter.alarm(agent, number - 1, station.alarms_reported, board.now()):
                station.alarms.append(station.alarms_reported)

        self.fuse.reads = 0
        self.survives(write)
        self._due = self.time.now if self.agent is not None else FAR

    def survives(self, work: Callable[[], None]) -> bool:
        """Let the agent do this; False if the power went, or had to go because the agent raised or never came back."""
        reason = ""
        try:
            work()
            return True
        except PowerCut:
            pass
        except StepHung:
            reason = "does not come back from a step"
        except Exception as fault:
            reason = f"{type(fault).__name__}: {fault}"
        if reason:
            self.history.raised.append(f"at {self.time.now} ms: {reason}")
        self.power_off()
        return False

    def _note_raised(self) -> None:
        reason = adapter.raised(self.agent) if self.agent is not None else ""
        if reason and len(self.history.raised) < 20:
            self.history.raised.append(reason)

    def soon(self) -> None:
        """Let the agent have a turn."""
        if self.agent is not None:
            self._due = self.time.now

    def _wake(self, slot: int) -> None:
        if self.agent is not None:
            self.agent.scheduler.wake(slot, self.board.now())  # type: ignore[union-attr]
            self._due = self.time.now

    def stall(self, lasts_ms: int) -> None:
        """Give the agent no turn for so long, as if its process was stopped."""
        if self.agent is None:
            return
        self.stalled_until = self.time.now + lasts_ms
        self.toolsnet.disturbed()
        self.time.after(lasts_ms + 1, self.toolsnet.disturbed)
        for number in self.history.stations:
            self.touched[number] = self.stalled_until

    # -- time ------------------------------------------------------------------------------------------------------

    def run_until(self, until: int) -> None:
        """Let time pass up to this moment."""
        time = self.time
        while time.now < until:
            time.run_due()
            if max(self._due, self.stalled_until) <= time.now:
                self._step()
            time.now = max(time.now, min(time.next(until), max(self._due, self.stalled_until)))

    def _step(self) -> None:
        agent, board = self.agent, self.board
        if agent is None or board is None:
            self._due = FAR
            return
        self.reads += self.fuse.reads
        self.fuse.reads = 0
        wait_ms = 0

        def step() -> None:
            nonlocal wait_ms
            wait_ms = adapter.step(agent, board.now())

        if not self.survives(step):
            return
        self._spins = self._spins + 1 if wait_ms <= 0 else 0
        if wait_ms > 0:
            self._restless_ms = 0
        if self._spins >= SPINS:
            self._spins, wait_ms = 0, 1
            self._restless_ms += 1
            if self._restless_ms == REST_MS:
                self.history.raised.append(f"at {self.time.now} ms: has wanted a turn all the time for {REST_MS} ms")
        for port in board.ports:
            if port.has_something():
                again_ms = port.level()
                wait_ms = min(wait_ms, again_ms)
                if wait_ms == again_ms:
                    self.time.after(again_ms, lambda port=port: self._look_again(board, port))
        self._due = self.time.now + max(wait_ms, 0)
        self._steps += 1
        if self._steps % self._check_every == 0:
            complaints = adapter.check(agent)
            if complaints and len(self.history.complaints) < 20:
                self.history.complaints.extend(f"at {self.time.now} ms: {what}" for what in complaints)

    def _look_again(self, board: Board, port) -> None:
        if board is self.board and port.has_something():
            self._wake(port.slot)

    def record_final_state(self) -> None:
        """Note what the flashes objected to, and the agent's last exception."""
        self._note_raised()
        for device in self.flashes.values():
            self.history.misuse.extend(device.misuse)
        if self.agent is not None:
            for index in range(len(self.controllers)):
                self.history.out_of_order += adapter.out_of_order(self.agent, index)
        if self.other_outlet is not None:
            for number, station in self.history.stations.items():
                if self.keeps_for_others(number):
                    station.consumed = self.other_outlet.consumed(number)
            self.history.malformed.extend(self.other_outlet.complaints()[:20])
