"""The file outlet on a disk that loses what was not synced: each line once and in order, whatever is cut or fails."""

import errno
import json
import os
from types import SimpleNamespace

import pytest

from toolcart.agent.base.health import Health
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.wide.file import FileOutlet
from toolcart.base.clock import Dice
from toolcart.board.linux import lines as linux_lines
from host_tests.portable import LONG
from host_tests.support.log import Area, append
from lab.harness.flash import PowerCut

STORED = 24
NAME = "/lines"
FAILURES = [("fdatasync",), ("pwrite",), ("ftruncate",), ("fdatasync", "ftruncate"), ("pwrite", "ftruncate")]

PAGE_BYTES = 64  # small, so that a line lies on several


class Inode:
    """One file: what programs see and what the disk has."""

    def __init__(self, number):
        self.number = number
        self.cache = bytearray()
        self.disk = b""
        self.dirty = set()  # pages


class Disk:
    """A folder on a disk that loses what was not synced: it stands in for `os` in toolcart.board.linux.lines.

    What is written lies in the cache, and on the disk when a sync has succeeded. A sync that fails leaves the pages
    clean: they are read as they are, and no later sync writes them (fsync(2)). A cut keeps any of the pages that were
    dirty, page by page; what lies between and was never written reads as zeros. Names change on the disk in their
    order, all of them with a sync of the folder. `cut_at` and `fail_at` are numbers of operations that change
    something, counted from 1. From `fail_at` on the next operation of each name in `fails` fails, in their order.
    `restart` gives the power back, `content` is what programs read.
    """

    path = os.path
    strerror = staticmethod(os.strerror)
    O_RDWR, O_CREAT, O_CLOEXEC, O_RDONLY, O_DIRECTORY = os.O_RDWR, os.O_CREAT, os.O_CLOEXEC, os.O_RDONLY, os.O_DIRECTORY

    def __init__(self, dice):
        self.dice = dice
        self.names = {}
        self.names_on_disk = [{}]  # as they were after each change since the folder's last sync
        self.opened = {}
        self.operations = 0
        self.inodes = 0
        self.cut_at = 0
        self.fail_at = 0
        self.fails = ("fdatasync",)

    def restart(self):
        """The power fails here and comes back."""
        kept = self.dice.randrange(len(self.names_on_disk))
        self.names = dict(self.names_on_disk[kept])
        self.names_on_disk = [dict(self.names)]
        self.opened = {}
        self.cut_at = self.fail_at = 0
        for inode in set(self.names.values()):
            octets = bytearray(inode.disk)
            for page in sorted(inode.dirty):
                if self.dice.randrange(2):
                    piece = bytes(inode.cache[page * PAGE_BYTES : (page + 1) * PAGE_BYTES])
                    octets.extend(bytes(max(0, page * PAGE_BYTES - len(octets))))
                    octets[page * PAGE_BYTES : page * PAGE_BYTES + len(piece)] = piece
            inode.cache, inode.disk, inode.dirty = octets, bytes(octets), set()

    def content(self, name):
        return bytes(self.names[name].cache) if name in self.names else b""

    def _changes(self, name):
        self.operations += 1
        if self.operations == self.cut_at:
            raise PowerCut(name)
        if self.fail_at and self.operations >= self.fail_at and self.fails and name == self.fails[0]:
            self.fails = self.fails[1:]
            return OSError(errno.EIO, "Input/output error")
        return None

    def _named(self):
        self.names_on_disk.append(dict(self.names))

    # -- as os has them ----------------------------------------------------------------------------------------

    def open(self, path, flags, mode=0o777):
        if flags & os.O_DIRECTORY:
            self.opened[3] = None
            return 3
        if path not in self.names:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            self._changes("create")
            self.inodes += 1
            self.names[path] = Inode(self.inodes)
            self._named()
        descriptor = 4 + len(self.opened)
        self.opened[descriptor] = self.names[path]
        return descriptor

    def close(self, descriptor):
        assert descriptor in self.opened

    def fstat(self, descriptor):
        inode = self.opened[descriptor]
        return SimpleNamespace(st_dev=1, st_ino=inode.number, st_size=len(inode.cache))

    def stat(self, path):
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return SimpleNamespace(st_dev=1, st_ino=self.names[path].number)

    def pread(self, descriptor, count, at):
        return bytes(self.opened[descriptor].cache[at : at + count])

    def pwrite(self, descriptor, octets, at):
        error = self._changes("pwrite")
        if error is not None:
            raise error
        inode = self.opened[descriptor]
        inode.cache.extend(bytes(max(0, at - len(inode.cache))))
        inode.cache[at : at + len(octets)] = octets
        inode.dirty |= set(range(at // PAGE_BYTES, (at + len(octets) - 1) // PAGE_BYTES + 1))
        return len(octets)

    def ftruncate(self, descriptor, octets):
        error = self._changes("ftruncate")
        if error is not None:
            raise error
        inode = self.opened[descriptor]
        del inode.cache[octets:]
        inode.dirty = {page for page in inode.dirty if page * PAGE_BYTES < octets}
        if octets % PAGE_BYTES and octets < len(inode.disk):
            inode.dirty.add(octets // PAGE_BYTES)

    def fdatasync(self, descriptor):
        error = self._changes("fdatasync")
        inode = self.opened[descriptor]
        if error is not None:
            inode.dirty = set()
            raise error
        octets = bytearray(inode.disk[: len(inode.cache)])
        octets.extend(bytes(len(inode.cache) - len(octets)))
        for page in inode.dirty:
            octets[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = inode.cache[
                page * PAGE_BYTES : (page + 1) * PAGE_BYTES
            ]
        inode.disk = bytes(octets)
        inode.dirty = set()

    def fsync(self, descriptor):
        assert descriptor == 3, "only the folder"
        self._changes("fsync")
        self.names_on_disk = [dict(self.names)]

    def replace(self, old, new):
        self._changes("replace")
        if old not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.names[new] = self.names.pop(old)
        self._named()

    def unlink(self, path):
        self._changes("unlink")
        del self.names[path]
        self._named()


class Bench:
    """One log with ToolsNet's cursor, which takes everything at once, and one file on the disk."""

    saves = True

    def __init__(self, monkeypatch, seed=1):
        self.disk = Disk(Dice(seed))
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


@pytest.mark.parametrize("fails", FAILURES if LONG else FAILURES[3:], ids=" ".join)
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
    bench.disk.fail_at = bench.disk.operations + 1
    bench.store(4)
    assert bench.outlet.step(bench.now) > 0 and not bench.outlet.is_up()
    bench.disk.ftruncate = real
    bench.run()
    bench.check()


def broken(descriptor, octets):
    raise OSError(5, "Input/output error")
