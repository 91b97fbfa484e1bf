"""A sync that fails: whatever the cache shows and the disk has lost, what was acknowledged is there after every end.

The real FileFlash over a cache and a disk of 512 bytes a page: a failed sync marks every page clean and writes any of
them (fsync(2)); a start of the program finds the cache, one after a power cut the disk. A fault names its seed.
"""

import errno
import os

import pytest

from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.base.clock import Dice
from toolcart.board.linux import flash as linux_flash
from toolcart.board.linux.flash import FileFlash
from toolcart.board.linux.header import PAGE_BYTES
from host_tests.portable import LONG
from host_tests.support.log import Area
from host_tests.support.log_promise import (
    APPEND,
    GIVE,
    GIVE_ALL,
    GIVE_SAVE,
    MAINTAIN,
    SAVE,
    SETTLE,
    Client,
    Promise,
    Shape,
    drained,
)
from lab.harness.flash import PowerCut

LIVES = 3000 if LONG else 150
STEPS = 150
SECTOR = 512
KIB = 1024
BLOCKS = 14  # four of the state, three of a quarantine, seven of the log
OPERATIONS = APPEND * 8 + GIVE * 2 + GIVE_SAVE * 3 + GIVE_ALL + SAVE * 2 + MAINTAIN * 3 + SETTLE


class Cached:
    """What `os` is for toolcart.board.linux.flash: one file, its cache, its disk."""

    strerror = staticmethod(os.strerror)

    def __init__(self, dice):
        self.dice = dice
        self.cache = bytearray(b"\xff" * (PAGE_BYTES + BLOCKS * 4096))
        self.disk = bytearray(self.cache)
        self.dirty = set()
        self.failing = 0  # syncs that will fail
        self.full = 0  # writes that will fail
        self.has_failed = False  # pages were written in the background, and that failed
        self.cut_after = -1
        self.refused = self.operations = 0
        self.worn = ()

    def power_cut(self):
        for sector in sorted(self.dirty):
            if self.dice.randrange(2):
                self._reach(sector)
        self.dirty = set()
        self.cache[:] = self.disk

    def write_back(self):
        """The system writes some pages by itself, well or not; the next sync tells which."""
        fails = self.dice.randrange(4) == 0
        for sector in sorted(self.dirty):
            if self.dice.randrange(2):
                self.dirty.discard(sector)
                if not fails or self.dice.randrange(2):
                    self._reach(sector)
                self.has_failed |= fails

    def _reach(self, sector):
        at = sector * SECTOR
        self.disk[at : at + SECTOR] = self.cache[at : at + SECTOR]

    def _begin(self):
        if self.cut_after == 0:
            self.cut_after = -1
            raise PowerCut
        self.cut_after -= self.cut_after > 0

    def _refuse(self, code):
        self.refused += 1
        raise OSError(code, os.strerror(code))

    def open(self, path, flags):
        return os.open(path, os.O_RDONLY)

    close = staticmethod(os.close)
    O_WRONLY = O_NOFOLLOW = O_CLOEXEC = 0

    # -- as os has them ----------------------------------------------------------------------------------------

    def preadv(self, _, buffers, at):
        [buf] = buffers
        buf[:] = self.cache[at : at + len(buf)]
        return len(buf)

    def pwrite(self, _, octets, at):
        self._begin()
        self.operations += 1
        if self.full:
            self.full -= 1
            part = self.dice.randrange(len(octets)) // SECTOR * SECTOR
            self._put(octets[:part], at)
            self._refuse(errno.ENOSPC)
        self._put(octets, at)
        return len(octets)

    def _put(self, octets, at):
        self.cache[at : at + len(octets)] = octets
        if octets:
            self.dirty |= set(range(at // SECTOR, (at + len(octets) - 1) // SECTOR + 1))

    def fdatasync(self, _):
        self._begin()
        fails = self.failing > 0 or self.has_failed
        self.has_failed = False
        for sector in sorted(self.dirty):
            if not fails or self.dice.randrange(2):
                self._reach(sector)
        self.dirty = set()
        if fails:
            self.failing -= self.failing > 0
            self._refuse(errno.EIO)


class Life:
    """One agent's file from its first start to the end."""

    def __init__(self, seed, path):
        self.dice = Dice(seed)
        self.os = Cached(self.dice)
        self.path = path
        unit = (16, 64, 256)[self.dice.randrange(3)]
        self.shape = Shape(unit=unit, payload=600, spread=self.dice.randrange(2) * 200)
        self.shape.unit = unit
        self.promise = Promise()
        self.restarts, self.cuts = self.dice.randrange(12), self.dice.randrange(8)
        self.fails = (2, 10, 40)[self.dice.randrange(3)]
        self.flash = None
        self.story = []

    def start(self):
        """A new process over the file, as it reads now."""
        if self.flash is not None:
            self.flash.close()
        self.flash = FileFlash(self.path, BLOCKS * 4 * KIB, self.shape.unit)
        area = Area(flash=self.flash)
        state, log = area.mount(payload_most=self.shape.payload)
        assert area.found == MOUNT_DONE
        self.client = Client(self.shape, self.os, self.promise, state, log)
        self.client.check_start()

    def run(self):
        self.start()
        for _ in range(STEPS):
            self.step()
        self.os.failing = self.os.full = 0
        self.os.has_failed, self.os.cut_after = False, -1
        if self.dice.randrange(2):
            self.os.power_cut()
        self.start()
        drained(self.client)
        assert self.client.append() == LOG_DONE

    def step(self):
        dice, disk = self.dice, self.os
        drawn = dice.randrange(100)
        if drawn < self.fails:
            disk.failing = 1 + dice.randrange(3)
        elif drawn < self.fails + 3:
            disk.full = 1 + dice.randrange(2)
        if dice.randrange(100) < self.cuts:
            disk.cut_after = dice.randrange(6)
        if dice.randrange(4) == 0:
            disk.write_back()
        try:
            operation = OPERATIONS[dice.randrange(len(OPERATIONS))]
            if dice.randrange(100) < self.restarts:
                operation = "restart"
            self.story.append(operation)
            if operation == "restart":
                self.start()
            else:
                self.client.run(operation)
        except PowerCut:
            self.story.append("cut")
            disk.failing, disk.full, disk.has_failed = 0, 0, False
            disk.power_cut()
            self.start()


@pytest.fixture
def live(tmp_path, monkeypatch):
    def lived(seed):
        life = Life(seed, str(tmp_path / f"{seed}.spool"))
        FileFlash(life.path, BLOCKS * 4 * KIB, life.shape.unit).close()
        with monkeypatch.context() as patch:
            patch.setattr(linux_flash, "os", life.os)
            try:
                life.run()
            except Exception as error:
                raise AssertionError(f"life {seed}: {error!r} after {' '.join(life.story[-40:])}") from error
        life.flash.close()
        os.unlink(life.path)
        return life

    return lived


def test_failed_syncs_restarts_and_cuts_lose_nothing(live):
    refused = acknowledged = 0
    for seed in range(1, LIVES + 1):
        life = live(seed)
        refused += life.os.refused
        acknowledged += len(life.promise.acked)
    assert refused > 10 * LIVES and acknowledged > 10 * LIVES


def test_sync_that_succeeds_does_not_write_what_one_that_failed_has_dropped():
    """It keeps what is synced, and may forget what was there at a failed sync."""
    disk = Cached(Dice(1))
    disk.pwrite(0, b"a", 0)
    disk.fdatasync(0)
    disk.power_cut()
    assert disk.cache[0] == ord("a")
    lost = 0
    for _ in range(20):
        disk.failing = 1
        disk.pwrite(0, b"b", 0)
        with pytest.raises(OSError):
            disk.fdatasync(0)
        disk.fdatasync(0)
        disk.power_cut()
        lost += disk.cache[0] == ord("a")
    assert lost, "a later sync that succeeds has not written it"
