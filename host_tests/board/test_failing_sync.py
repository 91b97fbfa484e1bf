"""A sync that fails: whatever the cache shows and the disk has lost, what was acknowledged is there after every end.

The real FileFlash over a cache and a disk of 512 bytes a page: a failed sync marks every page clean and writes any of
them (fsync(2)); a start of the program finds the cache, one after a power cut the disk. A fault names its seed.
"""

import os
from collections import defaultdict

import pytest

from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.base.clock import Dice
from toolcart.board.linux import flash as linux_flash
from toolcart.board.linux.flash import FileFlash
from toolcart.board.linux.spool_header import PAGE_BYTES
from host_tests.board.test_linux_flash import KIB
from host_tests.portable import LONG
from host_tests.support.disk import Disk
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

LIVES = 3000 if LONG else 25
STEPS = 150
SECTOR = 512
BLOCKS = 14  # four of the state, three of a quarantine, seven of the log
OPERATIONS = APPEND * 8 + GIVE * 2 + GIVE_SAVE * 3 + GIVE_ALL + SAVE * 2 + MAINTAIN * 3 + SETTLE


class Seen:
    """What a client asks of a flash: how many programs there were, and how many were refused."""

    worn = ()

    def __init__(self, disk):
        self.disk = disk

    @property
    def operations(self):
        return self.disk.writes

    @property
    def refused(self):
        return self.disk.refused


class Life:
    """One agent's file from its first start to the end."""

    def __init__(self, seed, path):
        self.dice = Dice(seed)
        self.disk = Disk(self.dice, SECTOR)
        self.file = self.disk.make(path, b"\xff" * (PAGE_BYTES + BLOCKS * 4096))
        self.disk.names_on_disk = [dict(self.disk.names)]
        self.disk.opened = defaultdict(lambda: self.file)  # whatever descriptor the one spool is open as
        self.path = path
        unit = (16, 64, 256)[self.dice.randrange(3)]
        self.shape = Shape(unit=unit, payload=600, spread=self.dice.randrange(2) * 200)
        self.shape.unit = unit
        self.promise = Promise()
        self.promise.may_leave_rests = True
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
        assert area.mount_result == MOUNT_DONE
        self.client = Client(self.shape, Seen(self.disk), self.promise, state, log)
        self.client.check_start()

    def run(self):
        self.start()
        for _ in range(STEPS):
            self.step()
        self.disk.heal()
        if self.dice.randrange(2):
            self.disk.restart()
        self.start()
        drained(self.client)
        assert self.client.append() == LOG_DONE

    def step(self):
        dice, disk = self.dice, self.disk
        drawn = dice.randrange(100)
        if drawn < self.fails:
            disk.fails, disk.fail_at = ("fdatasync",) * (1 + dice.randrange(3)), 1
        elif drawn < self.fails + 3:
            disk.fails, disk.fail_at = ("pwrite",) * (1 + dice.randrange(2)), 1
        if dice.randrange(100) < self.cuts:
            disk.cut_at = disk.operations + 1 + dice.randrange(6)
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
            disk.restart()
            self.start()


@pytest.fixture
def live(tmp_path, monkeypatch):
    def run_life(seed):
        life = Life(seed, str(tmp_path / f"{seed}.spool"))
        FileFlash(life.path, BLOCKS * 4 * KIB, life.shape.unit).close()
        with monkeypatch.context() as patch:
            patch.setattr(linux_flash, "os", life.disk)
            try:
                life.run()
            except Exception as error:
                raise AssertionError(f"life {seed}: {error!r} after {' '.join(life.story[-40:])}") from error
        life.flash.close()
        os.unlink(life.path)
        return life

    return run_life


def test_failed_syncs_restarts_and_cuts_lose_nothing(live):
    refused = acknowledged = 0
    for seed in range(1, LIVES + 1):
        life = live(seed)
        refused += life.disk.refused
        acknowledged += len(life.promise.acked)
    assert refused > 10 * LIVES and acknowledged > 10 * LIVES


def test_sync_that_succeeds_does_not_write_what_one_that_failed_has_dropped():
    """It keeps what is synced, and may forget what was there at a failed sync."""
    disk = Disk(Dice(1), SECTOR)
    lost = 0
    disk.make("spool")
    disk.fsync(disk.open("", os.O_DIRECTORY))
    for _ in range(20):
        file = disk.open("spool", 0)
        disk.pwrite(file, b"a", 0)
        disk.fdatasync(file)
        disk.pwrite(file, b"b", 0)
        disk.fails, disk.fail_at = ("fdatasync",), 1
        with pytest.raises(OSError):
            disk.fdatasync(file)
        disk.fdatasync(file)
        disk.restart()
        assert disk.content("spool") in (b"a", b"b")
        lost += disk.content("spool") == b"a"
    assert lost, "a later sync that succeeds has not written it"
