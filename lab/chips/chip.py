"""The world of a simulated chip: its power, its flash, the air, names, and every peer, on one clock that only jumps.

    with Chip("rp2", tree) as chip:
        chip.run(60000); chip.air.silent = True; chip.run(600000); chip.ask("?status")

Rules
1. The board program is the one that `toolcart flash` installs, on 32-bit MicroPython, in the heap of the real board
   (lab.chips.rules): from its own /main.py, out of a ROMFS or, with `copied`, out of /a. `script` runs in its place.
   The spool is in raw flash, or in files if there is no `ring`.
2. It is another process; what only a port provides, it asks for here (lab.chips.inside). It computes in no time: time
   passes while it waits, in flash operations, in scans, and in calls that block.
3. A reset ends the process and starts the next. `resets` has when and why: "watchdog", "reset", "cut".
4. Power fails in the flash operation whose number is `cut_at`; `torn` says how many of its bytes are done.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from toolcart.base.clock import Dice, SimClock
from toolcart.sim.controller import Controller
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.serial_peers import PEERS
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.tools.flash import package
from lab import runtimes
from lab.cache import Unavailable
from lab.chips import rules
from lab.chips.name_server import NameServer
from lab.chips.process import PIPES, Process
from lab.chips.radio import Air
from lab.chips.sockets import Sockets
from lab.firmware import romfs
from lab.harness.line import Network
from lab.harness.serial_line import MicroClock, SerialLine

INSIDE = ("inside.py", "rules.py")
BOOT_MS = 500  # from power to boot.py
SAFE_MODE = "SAFE MODE"
BLOCK_BYTES = 4096
FILES_BLOCKS = {"rp2": 64, "esp32": 160}  # toolcart.board.rp2.flash.FILES_BYTES; a table with a spool partition
STOCK_BLOCKS = 352  # of stock firmware, which has a file system alone
RING_BLOCKS = 16
EXECUTES_MS = 600000  # at the prompt, at most
MEASURING_HEAP_BYTES = 1 << 20  # with room for the fakes and a ROMFS; a larger one takes longer to look through
OPERATIONS_MAX = 200000  # without any time passing: more is an endless loop

CONTROLLER = ("192.0.2.10", 4545)
PIM = ("192.0.2.20", 6575)
SERVER = ("192.0.2.20", 10111)

TREE = {
    "toolsnet": {"pim_host": PIM[0], "pim_port": PIM[1]},
    "stations": [
        {"number": 1, "controller": {"host": CONTROLLER[0]}, "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12}}
    ],
    "board": {"network": "wifi", "ssid": "Plant"},
}

_measured: dict[tuple, tuple[int, int]] = {}  # what each chip with the same parts has: see Chip._measure


class Chip:
    """One board with its world; see the module."""

    def __init__(
        self,
        platform: str,
        tree: dict = TREE,
        heap: int = 0,
        copied: bool = False,
        ring: bool = True,
        script: str = "",
        controller: dict | None = None,
        serial: bool = False,
    ):
        self.platform = platform
        self.runtime = runtimes.named("unix32")
        reason = self.runtime.fetch()
        if reason:
            raise Unavailable(reason)
        self.clock: Any = MicroClock() if serial else SimClock()
        self.network = Network(self.clock, Dice(1))
        self.controller = Controller(self.clock, ControllerOptions(**(controller or {})))
        self.line = None
        if serial:
            peer = PEERS[tree["stations"][0]["controller"]["link"]]
            self.line = SerialLine(self.clock, Dice(2), peer(self.controller.endpoint, self.clock))
        self.archive = MemoryArchive(20000)
        self.toolsnet = ToolsNet(self.clock, self.archive, ToolsNetOptions(server_host=SERVER[0]))
        self.network.listen(*CONTROLLER, self.controller.endpoint)
        self.network.listen(*PIM, self.toolsnet.pim_endpoint)
        self.network.listen(*SERVER, self.toolsnet.server_endpoint)
        self.air = Air(platform)
        self.name_server = NameServer()
        peers = CONTROLLER, PIM, SERVER
        self.sockets = Sockets(platform, self.clock, self.network, self.air, self.name_server, peers)
        self.resets: list[tuple[int, str]] = []
        self.operations = 0
        self.cut_at = 0
        self.torn = 0
        self.watchdog_bites = True
        self.busy_ms = 0  # how long the chip does something else when it would next wait
        self.looks_at_heap = not heap  # one collection more than the board makes
        self.least_free = 1 << 30
        self.fakes_bytes = 0  # bytes of heap that the fakes take
        self.names_known = 0  # names behind which the table of names has room for all
        self.heap = heap or rules.HEAP_BYTES[platform]
        self.files = STOCK_BLOCKS if copied else FILES_BLOCKS[platform]
        self.in_place = 0 if copied or script else rules.ROMFS_BYTES
        self.ring = ring and not copied
        self.process: Process | None = None
        self._question: tuple | None = None
        self._fed_ms = self._watchdog_ms = 0
        self._text = ""  # what earlier starts have printed
        self._until_ms = self._since_time = 0
        self._interrupts = False
        self._waiting: int | None = None  # since when the chip waits
        self.folder = Path(tempfile.mkdtemp(prefix="toolcart-chip-")).resolve()
        try:
            self._install(tree, copied, script)
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        self._end()
        shutil.rmtree(self.folder)

    # -- what a test does --------------------------------------------------------------------------------------------

    def run(self, ms: int) -> None:
        """Let time pass."""
        self._until_ms = self.clock.total_ms + ms
        while self.clock.total_ms < self._until_ms:
            if self.process is None:
                self._advance(BOOT_MS)
                self._start("run")
            if self._question is None:
                self._question = self._running().next_request()
            if self.at_prompt():
                self._advance(self._until_ms - self.clock.total_ms)
                break
            if self._question is not None and self._answered(*self._question):
                self._question = None

    def at_prompt(self) -> bool:
        """True if main.py has ended and the REPL waits."""
        return self._question is not None and self._question[0] == rules.REPL

    def hold(self) -> None:
        """Press Ctrl-C until the REPL is there."""
        self._interrupts = True
        self.until(self.at_prompt, 30000)
        self._interrupts = False

    def execute(self, source: str) -> tuple[bool, str] | None:
        """Run some lines at the prompt; return whether nothing was raised, and the output. None if the chip is gone."""
        if not self.at_prompt():
            return None
        before = len(self.output())
        self._answer(0, source.encode())
        self._until_ms = self.clock.total_ms + EXECUTES_MS
        process, self._question = self.process, None
        while self._question is None:
            question = self._running().next_request()
            if question is None or not (question[0] == rules.REPL or self._answered(*question)):
                break
            self._question = question if question[0] == rules.REPL else None
        if self._question is None or self.process is not process:
            return None
        return not self._question[2], self.output()[before:]

    def until(self, condition, limit_ms: int = 600000) -> int:
        """Let time pass until the condition holds; return the ms it took."""
        start = self.clock.total_ms
        while not condition():
            assert self.clock.total_ms - start < limit_ms, f"not within {limit_ms} ms\n{self.output()[-3000:]}"
            self.run(100)
        return self.clock.total_ms - start

    def produce(self, count: int, every_ms: int = 1000) -> None:
        """Let the controller push that many results."""
        for _ in range(count):
            self.controller.produce()
            self.run(every_ms)

    def missing(self) -> list[int]:
        """Return the IDs of all results that are not in the archive, acknowledged or not."""
        there = set(self.archive.tightening_ids())
        return [number for number in range(1, len(self.controller.produced) + 1) if number not in there]

    def lost(self) -> list[int]:
        """Return the IDs of all acknowledged results that are not in the archive."""
        there = set(self.archive.tightening_ids())
        return [number for number in self.controller.acknowledged if number not in there]

    def ask(self, line: str, limit_ms: int = 20000) -> str:
        """Type a line at the console; return the output up to the answer's end."""
        before = len(self.output())
        self.type(line)
        self.until(lambda: '"end": true' in self.output()[before:], limit_ms)
        return self.output()[before:]

    def type(self, line: str) -> None:
        """Type a line at the console."""
        self._running().type(line.encode())

    def power_off(self) -> None:
        """Switch the power off; `run` gives it back."""
        self._reset("cut")

    def output(self) -> str:
        """Return everything printed, by all starts."""
        return self._text + (self.process.output() if self.process is not None else "")

    def flash(self, octets: bytes | None = None) -> bytes:
        """Return the whole flash, or replace its content, while the power is off."""
        assert self.process is None
        if octets is not None:
            (self.folder / "flash").write_bytes(octets)
        return (self.folder / "flash").read_bytes()

    def file(self, name: str) -> str:
        """Return a file of the board, while its power is off."""
        self._end()
        self._start("cat", name)
        return self._finished().strip()

    def failures(self) -> int:
        """Return the number of consecutive failed starts in the board's state."""
        return int(self.file("/toolcart.state").split()[3])

    # -- the process -------------------------------------------------------------------------------------------------

    def _install(self, tree: dict, copied: bool, script: str) -> None:
        """Put the version onto a blank chip, as `toolcart flash` leaves it."""
        for name in INSIDE:  # no path of this machine takes room in the measured heap
            shutil.copy(Path(__file__).with_name(name), self.folder)
        config = self.folder / "config.json"
        config.write_text(json.dumps(tree))
        frozen = "" if copied else package.core_digest(self.platform)
        version = package.build(self.platform, "", config, frozen)
        contents = {f"/a/{name}": content for name, content in version.files.items()} | version.root
        contents |= {"/a/version.json": version.manifest(), "/toolcart.state": b"a - 0 0 -\n"}
        if script:
            contents["/main.py"] = script.encode()
        if not copied:
            (self.folder / "rom").write_bytes(_rom_of(self.platform))
        (self.folder / "install").mkdir()
        (self.folder / "names").write_text("".join(name + "\n" for name in contents))
        for at, content in enumerate(contents.values()):
            (self.folder / f"install/{at}").write_bytes(content)
        blocks = self.files + RING_BLOCKS * self.ring
        (self.folder / "flash").write_bytes(b"\xff" * (blocks * BLOCK_BYTES))
        for name in PIPES:
            os.mkfifo(self.folder / name)
        self._start("install")
        self._finished()
        self._measure()

    def _measure(self) -> None:
        """Measure the fakes' share of the heap; their report is not answered: the board's program never begins.

        It is that of every chip with the same parts.
        """
        parts = self.platform, self.files, self.ring, (self.folder / "rom").exists()
        if parts in _measured:
            self.fakes_bytes, self.names_known = _measured[parts]
            return
        self._start("run")
        while not self.fakes_bytes:
            question = self._running().next_request()
            assert question is not None, self.output()
            what, number, value, _, _ = question
            if what == rules.NOTICE and number:
                self.fakes_bytes = value
            else:
                self._answered(*question)
        self._end()
        _measured[parts] = self.fakes_bytes, self.names_known

    def _start(self, mode: str, *more: str) -> None:
        total = self.files + RING_BLOCKS * self.ring
        fakes_bytes = (self.in_place + self.fakes_bytes) * rules.HEAP_WITH_TABLES // rules.HEAP_WITHOUT
        own = self.heap + fakes_bytes if self.fakes_bytes and mode == "run" else MEASURING_HEAP_BYTES
        words = (self.platform, mode, str(self.files), str(total))
        script = self.folder / INSIDE[0]
        command = self.runtime.command(script, str(own), (*words, *more), self.folder)
        at = command.index(str(script))  # as a module: a script's whole path goes into the heap
        command[at : at + 1] = ["-m", script.stem]
        command = [word.replace(str(self.folder), ".") for word in command]
        self.process = Process(command, self.folder)
        self._question = self._waiting = None
        self._watchdog_ms = 0
        self.air.power_off()

    def _running(self) -> Process:
        assert self.process is not None
        return self.process

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self._text = self.output()
        self.process = None
        self.sockets.close_all()
        self._question = None

    def _answer(self, code: int, octets: bytes = b"") -> bool:
        self._running().answer(code, octets)
        return True

    def _reset(self, why: str) -> None:
        self.resets.append((self.clock.total_ms, why))
        self._end()

    def _finished(self) -> str:
        """Serve a process that only uses the flash until it ends; return its output."""
        before = len(self._text)
        while True:
            question = self._running().next_request()
            if question is None:
                break
            self._answered(*question)
        code = self._running().wait()
        output = self.output()[before:]
        self._end()
        assert code == 0, output
        return output

    # -- time --------------------------------------------------------------------------------------------------------

    def _advance(self, ms: int) -> None:
        """Let time pass for everything but the chip; at the prompt its timers feed the watchdog."""
        end = self.clock.total_ms + ms
        self._since_time = 0
        while self.clock.total_ms < end:
            self.network.step()
            due = self.network.next_due()
            step = max(1, min(end - self.clock.total_ms, due))
            if self.line is None:
                self.clock.advance(step)
            else:
                self.line.pass_us(step * 1000)
        self.network.step()
        if self._question is not None and self._question[0] == rules.REPL and self._question[3]:
            self._fed_ms = self.clock.total_ms

    def _bites(self, ms: int) -> bool:
        """True if the watchdog ends the chip within the next `ms`: then it has."""
        left_ms = self._fed_ms + self._watchdog_ms - self.clock.total_ms
        bites = self.watchdog_bites and self._watchdog_ms > 0 and ms > left_ms
        if bites:
            self._advance(max(0, left_ms))
            self._reset("watchdog")
        return bites

    # -- answers -----------------------------------------------------------------------------------------------------

    def _answered(self, what: int, number: int, a: int, b: int, octets: bytes) -> bool:
        """Answer a question; False if it must wait, or if the chip is gone."""
        self._since_time += 1
        assert self._since_time < OPERATIONS_MAX, "no time passes\n" + self.output()[-2000:]
        if what == rules.WAIT:
            return self._wait(a, octets)
        if what in (rules.STALL, rules.PROGRAM, rules.ERASE):
            return self._stall(what, a, b)
        if what == rules.RESET:
            self._reset("reset")
            return False
        if what == rules.WATCHDOG:
            self._watchdog_ms = a
            self._fed_ms = self.clock.total_ms
        elif what == rules.FEED:
            self._fed_ms = self.clock.total_ms
        elif what == rules.FREE and not a:
            return self._answer(int(self.looks_at_heap))
        elif what == rules.FREE:
            self.least_free = min(self.least_free, a)
        elif what == rules.NAMES and not a:
            return self._answer(self.names_known)
        elif what == rules.NAMES:
            self.names_known = a
        elif what == rules.NOTICE:
            if not number:  # the power has failed
                self._reset("cut")
                return False
        else:
            return self._connection(what, number, a, octets)
        return self._answer(0)

    def _wait(self, ms: int, wanted: bytes) -> bool:
        """Wait until something is ready, `ms` are over, or the test's time is: then the rest is for the next run."""
        since = self._waiting = self.clock.total_ms if self._waiting is None else self._waiting
        busy_ms, self.busy_ms = self.busy_ms, 0
        self._advance(busy_ms)
        end = since + ms
        if self._interrupts:
            self._waiting = None
            return self._answer(-1)
        while True:
            self.network.step()
            ready = self._ready(wanted)
            if ready or self.clock.total_ms >= end:
                break
            if self.clock.total_ms >= self._until_ms:
                return False
            step = min(end, self._until_ms) - self.clock.total_ms
            step = min(step, self.network.next_due(), 250 if self.sockets else step)
            step = max(1, step if self.line is None else min(step, self.line.due_us() // 1000))
            if self._bites(step):
                return False
            self._advance(step)
        passed = self.clock.total_ms - since
        self._waiting = None
        return self._answer(passed, ready)

    def _stall(self, what: int, ms: int, octets: int) -> bool:
        if what != rules.STALL and self.fakes_bytes:
            self.operations += 1
            if self.operations == self.cut_at:
                self.cut_at = 0
                return self._answer(self.torn % (octets + 1))
        if self.fakes_bytes:
            if self._bites(ms):
                return False
            if self.line is not None:
                self.line.port.deaf = what != rules.STALL
            self._advance(ms)
            if self.line is not None:
                self.line.port.receive_again()
        return self._answer(-1)

    # -- the network -------------------------------------------------------------------------------------------------

    def _connection(self, what: int, number: int, a: int, octets: bytes) -> bool:
        """Answer what the radio, a socket or a UART is asked for."""
        if what == rules.WLAN:
            return self._answer(*self.air.answer(number, a, self.clock.total_ms))
        if what == rules.UART:
            assert self.line is not None
            self.line.port.open("", a)
            return self._answer(self.sockets.add_serial(self.line.port))
        return self._answer(*self.sockets.answer(what, number, a, octets))

    def _ready(self, wanted: bytes) -> bytes:
        ready = b""
        for number, events in zip(wanted[::2], wanted[1::2], strict=True):
            got = self._events(number) & (events | rules.ALWAYS_REPORTED[self.platform])
            if got:
                ready += bytes((number, got))
        return ready

    def _events(self, number: int) -> int:
        if number == rules.CONSOLE:
            return rules.POLLIN if self._running().has_input() else 0
        return self.sockets.events(number)


@functools.cache
def _rom_of(platform: str) -> bytes:
    """Return the ROMFS with a platform's program and safe_mode."""
    files = {**package.compiled(platform, "", package.OPTIONAL_SOURCES), "safe_mode.mpy": package.compiled_safe_mode()}
    files["toolcart_frozen.py"] = f"CORE_HASH = {package.core_digest(platform)!r}\n".encode()
    with tempfile.TemporaryDirectory(prefix="toolcart-rom-") as name:
        for path, content in files.items():
            target = Path(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return romfs.image(Path(name))
