"""The file as an outlet: each record once and in order, whatever is cut, refuses or loses what was not synced."""

import json

import pytest

from toolcart.agent.base.counters import Counters
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.linux.file import RETRY_MOST_MS, FileOutlet
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.base.clock import Dice
from toolcart.board.linux import lines as linux_lines
from toolcart.board.linux import regular_file
from host_tests.portable import LONG
from host_tests.support.disk import Disk
from host_tests.support.log import Area, append, append_event, numbers, store, take_all
from lab.harness.cart import SimLines
from lab.harness.flash import TEARS, PowerCut


class Bench:
    """One log with ToolsNet's cursor, which takes everything at once, and one file."""

    def __init__(self, area=None):
        self.area = area or Area(13, 1024, 16)
        self.flash = self.area.flash
        self.lines = SimLines()
        self.now = (1 << 30) - 5000
        self.start()

    def start(self):
        self.log = self.area.mount(events=(1,), cursors=2)[1]
        assert self.area.mount_result == MOUNT_DONE
        self.outlet = FileOutlet(self.log, 1, self.lines, Counters())
        self.outlet.begin(self.now)

    def cut(self, octets=0):
        """Power fails; so many octets of what was not durable are in the file."""
        self.lines.cut(octets)
        self.flash.restart()
        self.start()

    def store(self, first, last):
        store(self.log, range(first, last + 1), take_all)

    def run(self):
        """Let the outlet work until it has nothing to do; return the ms until it has."""
        for _ in range(5000):
            left = self.outlet.step(self.now)
            assert left >= 0
            if left:
                return left
        raise AssertionError("it never comes to rest")

    def numbers(self):
        """The numbers of the results in the file."""
        lines = [json.loads(line) for line in self.lines.lines()]
        return [one["number"] for one in lines if one["type"] != "event"]


def test_a_cut_at_any_octet_of_a_batch_writes_each_record_once():
    for kept in range(0, 3000, 97):
        bench = Bench()
        bench.store(1, 4)
        bench.run()
        bench.store(5, 9)
        bench.lines.sync = lambda: False
        bench.outlet.step(bench.now)
        del bench.lines.sync
        bench.cut(kept)
        bench.store(10, 10)
        bench.run()
        assert bench.numbers() == list(range(1, 11)), kept


def test_what_cannot_be_used_is_tried_again_ever_more_rarely_and_shown():
    bench = Bench()
    bench.lines.refuses = ("open",)
    bench.store(1, 2)
    pauses = []
    for _ in range(9):
        pauses.append(bench.run())
        bench.now = (bench.now + pauses[-1]) & 0x3FFFFFFF
    assert pauses == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]
    assert max(pauses) <= RETRY_MOST_MS == bench.outlet.longest_ms and bench.outlet.attempts == 9
    status = {}
    bench.outlet.put_state(status)
    assert status["state"] == "cannot be used" and status["why"] == "it refuses" and status["place"] == "lines"
    bench.lines.refuses = ()
    assert bench.run() == FOREVER and bench.numbers() == [1, 2]
    bench.outlet.put_state(status)
    assert (status["state"], status["why"], status["lines_written"]) == ("open", "", 2)
    bench.lines.refuses = ("sync",)
    bench.store(3, 3)
    assert bench.run() == 1000, "after a success the pauses begin again"


def test_a_file_that_opens_and_takes_no_line_is_never_said_to_be_up_before_it_takes_one():
    bench = Bench()
    bench.store(1, 2)
    bench.lines.refuses = ("add",)
    pause = bench.run()
    bench.now = (bench.now + pause) & 0x3FFFFFFF
    shown = []
    while bench.outlet.step(bench.now) == 0 or not shown:
        status = {}
        bench.outlet.put_state(status)
        shown.append((status["state"], status["why"], bench.outlet.is_up()))
    assert len(shown) > 1 and set(shown) == {("cannot be used", "it refuses", False)}
    bench.lines.refuses = ()
    bench.now = (bench.now + 4 * pause) & 0x3FFFFFFF
    assert bench.run() == FOREVER and bench.outlet.is_up() and bench.numbers() == [1, 2]


def test_a_cut_at_every_operation_writes_every_record_once():
    operation = 0
    while True:
        operation += 1
        bench = Bench()
        bench.flash.cut_after = operation - 1
        bench.flash.look = TEARS[operation % len(TEARS)]
        acknowledged = 0
        try:
            for ident in range(1, 41):
                if ident % 7 == 0:
                    assert append_event(bench.log, ident) == LOG_DONE
                bench.store(ident, ident)
                acknowledged = ident
                if ident % 3 == 0:
                    bench.run()
        except PowerCut:
            bench.cut(operation * 61 % 500)
            bench.run()
            ids = [int(json.loads(line).get("tightening_id", 0)) for line in bench.lines.lines()]
            ids = [ident for ident in ids if ident]
            # The one that the cut fell into may be there: the controller brings it again, and the log knows it.
            assert ids in (list(range(1, acknowledged + 1)), list(range(1, acknowledged + 2))), operation
            continue
        break
    assert operation > 40


def test_a_file_that_goes_back_to_the_oldest_leaves_no_doubt_that_stays_after_a_cut():
    for count in range(60, 68):
        bench = Bench(Area(10, 1024, 16))
        files = [b""]
        for ident in range(1, count + 1):
            bench.store(ident, ident)
            bench.run()
            files.append(bench.lines.octets)
        bench.lines.octets = files[bench.log.first_above(0)]
        bench.outlet.reset_after_fault(bench.now)
        bench.now = (bench.now + RETRY_MOST_MS) & 0x3FFFFFFF
        bench.outlet.step(bench.now)
        bench.outlet.step(bench.now)
        assert bench.outlet.cursor.number == bench.log.first_above(0), "it has found where to go on"
        refused = append(bench.log, count + 1)  # no block may be free now
        bench.cut()
        bench.run()
        assert bench.numbers() == numbers(1, count + (not refused)), count
        bench.store(90, 90)


def test_a_step_that_is_broken_off_at_any_place_doubles_nothing():
    for name in ("add", "sync"):
        bench = Bench()
        bench.store(1, 3)
        bench.run()
        bench.store(4, 6)
        call = getattr(bench.lines, name)

        def broken(*line, call=call):
            call(*line)
            raise KeyboardInterrupt

        setattr(bench.lines, name, broken)
        try:
            bench.outlet.step(bench.now)
            raise AssertionError("it is not broken off")
        except KeyboardInterrupt:
            setattr(bench.lines, name, call)
        assert bench.run() == FOREVER and bench.numbers() == [1, 2, 3, 4, 5, 6]


STORED = 24
NAME = "/lines"
FAILURES = [("fdatasync",), ("pwrite",), ("ftruncate",), ("fdatasync", "ftruncate"), ("pwrite", "ftruncate")]

PAGE_BYTES = 64  # small, so that a line lies on several


class DiskBench(Bench):
    """The same with its file on the disk; how far it is becomes durable whenever somebody saves, so it is saved."""

    def __init__(self, monkeypatch, seed=1):
        self.disk = Disk(Dice(seed), PAGE_BYTES)
        for module in (linux_lines, regular_file):
            monkeypatch.setattr(module, "os", self.disk)
        self.ident = 0
        super().__init__(Area(blocks=32, unit_bytes=64))

    def start(self):
        self.lines = linux_lines.LineFile(NAME, 4096, 99)
        super().start()

    def store(self, count):
        super().store(self.ident + 1, self.ident + count)
        self.ident += count

    def run(self):
        while (left := super().run()) != FOREVER:
            assert self.area.state.save()
            self.now = (self.now + left) & 0x3FFFFFFF
        assert self.area.state.save()

    def work(self):
        """A shift: batches of several sizes."""
        for count in (1, 3, 2, 9, 1, 8):
            self.store(count)
            self.run()

    def cut(self):
        self.disk.restart()
        self.start()

    def numbers_in_files(self):
        """The numbers of all lines, oldest file first; every octet is of a whole line."""
        octets = b""
        for index in range(99, -1, -1):
            octets += self.disk.content(NAME + (".%d" % index if index else ""))
        return [int(json.loads(line)["tightening_id"]) for line in octets.splitlines()]

    def check(self):
        """What was stored is there, each once, after one more cut."""
        self.store(2)
        self.run()
        self.cut()
        self.run()
        assert self.numbers_in_files() == list(range(1, self.ident + 1))


def operations(monkeypatch):
    bench = DiskBench(monkeypatch)
    bench.work()
    assert bench.numbers_in_files() == list(range(1, STORED + 1)) and NAME + ".1" in bench.disk.names
    return bench.disk.operations


@pytest.mark.parametrize("seed", [1, 2] if LONG else [1])
def test_a_cut_at_every_operation_of_the_disk(monkeypatch, seed):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = DiskBench(monkeypatch, seed + operation)
        bench.disk.cut_at = operation
        with pytest.raises(PowerCut):
            bench.work()
        bench.cut()
        bench.run()
        bench.check()


@pytest.mark.parametrize("fails", FAILURES if LONG else FAILURES[-1:], ids=" ".join)
def test_a_failure_at_every_operation_and_a_cut_after_it(monkeypatch, fails):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = DiskBench(monkeypatch, operation)
        bench.disk.fails = fails
        bench.disk.fail_at = operation
        bench.work()
        bench.check()
