"""The file outlet on a disk that loses what was not synced: each line once and in order, whatever is cut or fails."""

import json

import pytest

from toolcart.agent.base.health import Health
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.wide.file import FileOutlet
from toolcart.base.clock import Dice
from toolcart.board.linux import lines as linux_lines
from host_tests.portable import LONG
from host_tests.support.disk import Disk
from host_tests.support.log import Area, append
from lab.harness.flash import PowerCut

STORED = 24
NAME = "/lines"
FAILURES = [("fdatasync",), ("pwrite",), ("ftruncate",), ("fdatasync", "ftruncate"), ("pwrite", "ftruncate")]

PAGE_BYTES = 64  # small, so that a line lies on several


class Bench:
    """One log with ToolsNet's cursor, which takes everything at once, and one file on the disk."""

    saves = True

    def __init__(self, monkeypatch, seed=1):
        self.disk = Disk(Dice(seed), PAGE_BYTES)
        monkeypatch.setattr(linux_lines, "os", self.disk)
        self.area = Area(blocks=32, unit_bytes=64)
        self.now = 0
        self.ident = 0
        self.start()

    def start(self):
        self.area.mount(cursors=2, events=(1,))
        self.lines = linux_lines.LineFile(NAME, 4096, 99)
        self.outlet = FileOutlet(self.area.log, 1, self.lines, Health())
        self.outlet.begin(self.now)

    def store(self, count):
        for _ in range(count):
            assert append(self.area.log, self.ident + 1) == 0
            self.ident += 1

    def run(self):
        """Until there is nothing to do; how far it is becomes durable whenever somebody saves, so it is saved here."""
        for _ in range(400):
            left = self.outlet.step(self.now)
            assert not self.saves or self.area.state.save()
            if left == FOREVER:
                return
            self.now = (self.now + left) & 0x3FFFFFFF
        raise AssertionError("it never comes to rest")

    def work(self):
        """A shift: batches of several sizes."""
        for count in (1, 3, 2, 9, 1, 8):
            self.store(count)
            self.run()

    def cut(self):
        self.disk.restart()
        self.start()

    def found(self):
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
        assert self.found() == list(range(1, self.ident + 1))


def operations(monkeypatch):
    bench = Bench(monkeypatch)
    bench.work()
    assert bench.found() == list(range(1, STORED + 1)) and NAME + ".1" in bench.disk.names
    return bench.disk.operations


@pytest.mark.parametrize("seed", [1, 2] if LONG else [1])
def test_a_cut_at_every_operation_of_the_disk(monkeypatch, seed):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = Bench(monkeypatch, seed + operation)
        bench.disk.cut_at = operation
        with pytest.raises(PowerCut):
            bench.work()
        bench.cut()
        bench.run()
        bench.check()


@pytest.mark.parametrize("fails", FAILURES if LONG else FAILURES[-1:], ids=" ".join)
def test_a_failure_at_every_operation_and_a_cut_behind_it(monkeypatch, fails):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = Bench(monkeypatch, operation)
        bench.disk.fails = fails
        bench.disk.fail_at = operation
        bench.work()
        bench.check()


def rested(monkeypatch, seed):
    """Each batch is cut at rest, when no one has saved how far the file is: the last line is of a doubtful record."""
    bench = Bench(monkeypatch, seed)
    bench.saves = False
    for count in (1, 3, 2, 9, 1):
        bench.store(count)
        bench.run()
        bench.cut()
        bench.run()
    bench.check()


def test_a_failed_sync_whose_lines_cannot_be_taken_back_at_once(monkeypatch):
    bench = Bench(monkeypatch)
    bench.store(3)
    bench.run()
    real, bench.disk.ftruncate = bench.disk.ftruncate, broken
    bench.disk.fails, bench.disk.fail_at = ("fdatasync",), bench.disk.operations + 1
    bench.store(4)
    assert bench.outlet.step(bench.now) > 0 and not bench.outlet.is_up()
    bench.disk.ftruncate = real
    bench.run()
    bench.check()


def broken(descriptor, octets):
    raise OSError(5, "Input/output error")
