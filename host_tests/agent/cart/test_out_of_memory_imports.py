"""Memory runs out at every allocation from main.py's first line on, imports and all: the board says so and restarts.

As test_out_of_memory.py: the heap is filled up to so many octets, the board starts in what is left, and the octets grow
step by step until it gets through. Every STRIDE-th of these starts is made, all of them in the long run
(./tools/test --long). What survives a start is what a reset leaves: the flash, the files, and the peers.
"""

import gc
import json
import os
import sys

import toolcart.agent.cart.app  # noqa: F401 - first: imports nest, and from deeper down the stack of this port would not do
from toolcart.board import safe_mode
from toolcart.board.no_network import NoNetwork
from toolcart.board.ram_flash import RamFlash
from host_tests.agent.cart.test_out_of_memory import STEP_BYTES, Ballast, skip_where_the_heap_is_no_boards
from host_tests.board.test_safe_mode import Place
from host_tests.portable import LONG
from lab.harness.allocation_free_peers import QuietBoard, QuietController, QuietToolsNet, configuration
from lab.harness.portable_session import Skip

PORTABLE = True
HEAP = "6m"

STRIDE = 1 if LONG else 60
MOST_BYTES = 256 * 1024
# An import of native code leaves 224 octets that nothing but a reset clears. They lie wherever there was room, and
# some hundreds of starts would leave the heap in pieces: so it is imported again in every FRESH-th step only.
NATIVE = "toolcart.agent.base.fields_viper"
FRESH = 20
PIECES = 20000  # the plain form leaves thousands of small ones between what it imports
# Below this not even the words of a fault can be put together; what is left then is the restart.
SILENT_BYTES = 8192
LITTLE_BYTES = 20000  # enough for safe_mode, too little for the agent
RESULTS = 2


class Sockets:
    """Those of a network that is never silent."""

    has_received = tried = True


class Chip(QuietBoard):
    """The board of one start; time passes in `wait` alone. It ends as by Ctrl-C when enough has got through."""

    ntp = clock = watchdog = None

    def __init__(self, trial):
        QuietBoard.__init__(self, (trial.controller, trial.toolsnet), trial.flash, trial.moment)
        self.trial = trial
        self.network = NoNetwork()
        self.sockets = Sockets()
        self.messages = []
        self.wanted = trial.toolsnet.stored + RESULTS

    def show_lamp(self, on):
        pass

    def read_console(self):
        return ""

    def start_watchdog(self):
        pass

    def hold_watchdog(self):
        pass

    def wait(self, app, wait_ms):
        trial = self.trial
        log = app.stations[0].log
        for _, slot in self.watched:
            app.scheduler.wake(slot, self.moment)
        trial.moment = self.moment = (self.moment + 50) & 0x3FFFFFFF
        trial.turns += 1
        if trial.turns > 4000:
            raise AssertionError("it does not become healthy")
        if log is None or not self.watched or not trial.controller.opened or trial.turns % 40:
            return
        if trial.controller.acknowledged < trial.produced:
            return
        if trial.toolsnet.stored < self.wanted:
            trial.produced += 1
            trial.controller.produce()
        elif log.backlog_of(log.cursors[0]) == 0 and safe_mode.read(trial.root).failures == 0:
            raise KeyboardInterrupt


class Trial:
    """What survives a start, and the start itself as main.py and safe_mode make it."""

    def __init__(self, root):
        self.root = root
        self.flash = RamFlash(10)
        self.controller = QuietController()
        self.toolsnet = QuietToolsNet()
        self.ballast = Ballast(PIECES)
        self.moment = 0x3FFFFFFF - 2000
        self.turns = self.produced = self.resets = self.waited_s = 0
        self.native = sys.modules.get(NATIVE)
        self.calls = (self.run, self.wait, self.reset)  # bound once: the tests' own allocations are none of the board's
        with open(root + "/a/config.json", "w") as file:
            json.dump(dict(configuration(), completed=True), file)  # as toolcart.tools.flash.package writes it
        safe_mode.write(safe_mode.State(confirmed="a"), root)

    def run(self, path, mode, confirmation):
        """safe_mode._run, with the board of this test in place of a chip's."""
        from toolcart.board import main

        main.make_chip = self.chip
        main.start(path, mode, confirmation)

    def chip(self, configuration):
        return Chip(self)

    def wait(self, seconds):
        self.waited_s += seconds

    def reset(self):
        self.resets += 1

    def start(self, octets=-1):
        """One life of the board, in so many octets; True if it came to its results and was ended by hand."""
        forget(self.native if octets < 0 or octets % (STEP_BYTES * FRESH) else None)
        self.turns = self.waited_s = 0
        resets = self.resets
        if octets >= 0:
            self.ballast.leave(octets)
        try:
            # main.py, as tools/flash/package.py writes it
            from toolcart.board import safe_mode as fresh

            fresh.start(self.root, *self.calls)
        except MemoryError:
            self.resets += 1
        self.ballast.give_back()
        forget(self.native)
        return self.resets == resets

    def fault(self):
        try:
            with open(self.root + safe_mode.FAULT_FILE) as file:
                return file.read()
        except OSError:
            return ""

    def check(self):
        """After a failure, with memory again: it runs, and nothing acknowledged is missing."""
        assert self.start(), self.fault()
        assert self.toolsnet.disorder == 0
        assert self.toolsnet.stored >= self.controller.acknowledged


def forget(native):
    """What a reset does: no module of ours is loaded; `native` is, where it is given."""
    gc.threshold(-1)  # as main.py finds it; with the one that it sets, the ballast took most of the time
    for name in list(sys.modules):
        if name.split(".")[0] in ("toolcart",):
            del sys.modules[name]
    if native is not None:
        sys.modules[NATIVE] = native
    gc.collect()


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def skip_elsewhere():
    skip_where_the_heap_is_no_boards()
    if sys.platform == "qemu":
        raise Skip("needs files; the 32-bit unix port has them")


def test_memory_that_runs_out_anywhere_is_reported_and_started_again():
    skip_elsewhere()
    with Place("a") as place:
        trial = Trial(place.root)
        trial.check()
        octets = refused = silent = 0
        while octets < MOST_BYTES:
            remove(place.root + safe_mode.FAULT_FILE)
            if trial.start(octets):
                break
            refused += 1
            log_text = trial.fault()
            silent += "MemoryError" not in log_text
            assert "MemoryError" in log_text or octets < SILENT_BYTES, "%d octets: %s" % (octets, log_text)
            trial.check()
            octets += STEP_BYTES * STRIDE
        print(
            "out of memory %d times from the first line on, which takes %d octets; unreported %d"
            % (refused, octets, silent)
        )
        assert octets < MOST_BYTES
        assert refused > (50 if LONG else 4)
        assert trial.resets == refused


def test_a_failed_start_waits_for_ctrl_c_even_where_no_memory_is_left_to_tell_it():
    skip_elsewhere()
    with Place("a") as place:
        trial = Trial(place.root)
        for octets in range(SILENT_BYTES, LITTLE_BYTES, 16 * (7 if LONG else 143)):
            safe_mode.write(safe_mode.State(confirmed="a"), place.root)
            assert not trial.start(octets)
            assert trial.waited_s == safe_mode.RESET_WAIT_S, octets


def test_memory_that_never_suffices_ends_in_safe_mode_with_the_spool_untouched():
    skip_elsewhere()
    with Place("a") as place:
        trial = Trial(place.root)
        trial.check()
        cells = bytes(trial.flash.cells)
        resets = trial.resets
        for _ in range(safe_mode.FAILURES_MAX):
            assert not trial.start(LITTLE_BYTES)
            assert trial.waited_s == safe_mode.RESET_WAIT_S
        assert not trial.start(LITTLE_BYTES)
        # Safe mode first, the REPL within reach; then one more start.
        assert trial.waited_s == safe_mode.SAFE_WAIT_S + safe_mode.RESET_WAIT_S
        assert trial.resets == resets + safe_mode.FAILURES_MAX + 1
        assert bytes(trial.flash.cells) == cells
        # With memory again the next start out of safe mode is healthy, and the count of failures begins again.
        trial.check()
        assert safe_mode.read(place.root).failures == 0
