"""One world: all its models, built from a script; time that jumps, power that comes and goes.

Rules
1. Time stands while the agent works, but for what its flash takes; an agent that always wants to run at once gets a
   millisecond for every SPINS steps.
2. A cut takes the agent as it stands; what the peers see of it is the network's affair.
3. What becomes of a world from its first start to the judge is in `course.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.worlds import adapter
from tools.worlds.board import TICKS, Board
from tools.worlds.controller import Controller
from tools.worlds.dice import dice
from tools.worlds.flash import BLOCK_BYTES, NorFlash
from tools.worlds.flash_file import FileFlash
from tools.worlds.history import History, StationHistory, StationRules
from tools.worlds.network import Network
from tools.worlds.power import ERASE, Fuse, Hung, PowerCut
from tools.worlds.script_events import records_of
from tools.worlds.timeline import Timeline
from tools.worlds.toolsnet import ToolsNet

SPINS = 30
STOP_LIMIT_MS = 3000
ERASE_MS, PROGRAM_MS = 45, 2
_ERASED_BLOCK = b"\xff" * BLOCK_BYTES
FAR = 1 << 60


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
        self.agent: adapter.Agent | None = None
        self.board: Board | None = None
        self.calm = False
        self.again: list = []  # fuses of the starts that follow
        self.dark_ms = 1000
        self.began = 0  # of the power that is on now
        self._due = FAR
        self._spins = 0
        self._steps = 0
        self.reads = 0
        self._check_every = script["step"]["check_every"]
        self._starts = dice(seed, "starts")

    def _station(self, seed: int, settings: dict, traits: dict) -> None:
        spool, toolsnet = settings["spool"], self.tree["toolsnet"]
        number = settings["number"]
        flash, rolled = traits["flash"], dice(seed, "flash", number)
        model = FileFlash if flash["model"] == "file" else NorFlash
        device = model(flash["unit"], spool["size_kib"] // 4 + flash["more_blocks"], rolled, self.fuse)
        if flash["takes_time"]:
            device.spend = self._spend
        self.flashes[spool["path"]] = device
        rules = StationRules(
            number=number,
            numbered=traits["controller"]["ids"] != "blank",
            overwrite=spool["when_full"] == "overwrite",
            recover=settings["controller"]["recover"],
            cursor_batch=spool["cursor_batch"],
            block_results=16 if flash["unit"] == 256 else 31,
            kept_octets=1024 * spool["parked_kib"],
            records=records_of(traits["controller"]),
            rewind=toolsnet["rewind"],
            resend=toolsnet["server_empty"] == "resend",
            window=toolsnet["window"],
        )
        history = self.history.stations[number] = StationHistory(rules)
        controller = Controller(self.time, history, traits["controller"], self)
        self.controllers.append(controller)
        self.network.serve(settings["controller"]["host"], settings["controller"]["port"], controller.service)

    # -- what the models ask ---------------------------------------------------------------------------------------

    def device(self, number: int) -> NorFlash:
        """The flash of this station."""
        return self.flashes[self.tree["stations"][number - 1]["spool"]["path"]]

    def last_programmed(self, number: int) -> tuple[int, int]:
        """The block that was programmed last, and how often it was erased."""
        device = self.device(number)
        return device.last_block, device.erase_counts[device.last_block]

    def erases_of(self, number: int, block: int) -> int:
        """How often this block was erased."""
        return self.device(number).erase_counts[block]

    def stands_on_flash(self, number: int, text: str) -> bool:
        """Whether these octets stand anywhere on the flash of this station."""
        return text.encode() in self.device(number).cells

    def has_erased_block(self, number: int) -> bool:
        """Whether a block of this station's log, behind what is kept, reads as erased."""
        first = self.history.stations[number].rules.kept_octets // BLOCK_BYTES
        cells = self.device(number).cells
        blocks = range(first * BLOCK_BYTES, len(cells), BLOCK_BYTES)
        return any(cells.startswith(_ERASED_BLOCK, at) for at in blocks)

    def sound_since(self, number: int) -> int:
        """Since when there is power and a flash that works; far in the future if one of them is missing."""
        device = self.device(number)
        if self.agent is None or device.refusing or device.refusals_left:
            return FAR
        return max(self.began, device.sound_since)

    def malformed(self, what: str) -> None:
        """Note what the documents do not allow."""
        if len(self.history.malformed) < 20:
            self.history.malformed.append(what)

    def _spend(self, operation: int) -> None:
        self.time.now += ERASE_MS if operation == ERASE else PROGRAM_MS

    # -- power -----------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """A start; the next fuse of a row of cuts is armed for it."""
        if self.agent is not None:
            return
        for device in self.flashes.values():
            device.power_on()
        first = TICKS - self.script["step"]["ticks_before_wrap_ms"] if not self.history.starts else None
        ticks = first if first is not None else self._starts.choice((0, 1234, TICKS - 1, TICKS - 20000))
        self.history.starts += 1
        self.began = self.time.now
        self.network.powered = True
        if self.again and not self.calm:
            self.fuse.arm(*self.again.pop(0))
        board = Board(self.time, self.network, self.flashes, ticks, self._starts.randrange(1 << 16), self._wake)
        self.board = board

        def build() -> None:
            self.agent = adapter.build(self.tree, board)

        self.fuse.reads = 0
        if self._survives(build):
            self._due = self.time.now

    def power_off(self, dark_ms: int | None = None) -> None:
        """A cut: the agent is gone, and comes back after the dark."""
        self.history.cuts += 1
        self.switch_off(self.dark_ms if dark_ms is None else dark_ms)

    def switch_off(self, dark_ms: int) -> None:
        """The agent is gone; a start follows the dark."""
        if self.agent is not None:
            self._note_raised()
        self.agent = None
        self._due = FAR
        self.fuse.disarm()
        self.network.power_off()
        self.time.after(dark_ms, self.power_on)

    def orderly(self, dark_ms: int) -> None:
        """Switch off in order: stop, at most three seconds more, close, dark."""
        agent = self.agent
        if agent is None:
            return
        adapter.stop(agent, self.board.now())  # type: ignore[union-attr]
        self._due = self.time.now
        until = self.time.now + STOP_LIMIT_MS

        def look() -> None:
            if self.agent is not agent:
                return  # cut while it was stopping
            if not adapter.stopped(agent) and self.time.now < until:
                self.time.after(20, look)
                return
            self.fuse.reads = 0
            if self._survives(lambda: adapter.close(agent)):
                self.switch_off(dark_ms)

        self.time.after(1, look)

    def network_is_up(self) -> None:
        """Tell the agent that its network has come."""
        if self.agent is not None:
            adapter.network_is_up(self.agent, self.board.now())  # type: ignore[union-attr]
            self._due = self.time.now

    def alarm(self, number: int) -> None:
        """A controller's alarm, whose code no other one has."""
        agent, board = self.agent, self.board
        if agent is None or board is None:
            return
        station = self.history.stations[number]
        station.alarms_told += 1

        def write() -> None:
            if adapter.alarm(agent, number - 1, station.alarms_told, board.now()):
                station.alarms.append(station.alarms_told)

        self.fuse.reads = 0
        self._survives(write)
        self._due = self.time.now if self.agent is not None else FAR

    def _survives(self, work: Callable[[], None]) -> bool:
        """Let the agent do this; False if the power went, or had to go because the agent raised or never came back."""
        said = ""
        try:
            work()
            return True
        except PowerCut:
            pass
        except Hung:
            said = "does not come back from a step"
        except Exception as fault:
            said = f"{type(fault).__name__}: {fault}"
        if said:
            self.history.raised.append(f"at {self.time.now} ms: {said}")
        self.power_off()
        return False

    def _note_raised(self) -> None:
        said = adapter.raised(self.agent) if self.agent is not None else ""
        if said and len(self.history.raised) < 20:
            self.history.raised.append(said)

    def _wake(self, slot: int) -> None:
        if self.agent is not None:
            adapter.wake(self.agent, slot, self.board.now())  # type: ignore[union-attr]
            self._due = self.time.now

    # -- time ------------------------------------------------------------------------------------------------------

    def run_until(self, until: int) -> None:
        """Let time pass up to this moment."""
        time = self.time
        while time.now < until:
            time.run_due()
            if self._due <= time.now:
                self._step()
            time.now = max(time.now, min(time.next(until), self._due))

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

        if not self._survives(step):
            return
        self._spins = self._spins + 1 if wait_ms <= 0 else 0
        if self._spins >= SPINS:
            self._spins, wait_ms = 0, 1
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

    def close_account(self) -> None:
        """Note what the flashes objected to, and what the agent raised last."""
        self._note_raised()
        for device in self.flashes.values():
            self.history.misuse.extend(device.misuse)
