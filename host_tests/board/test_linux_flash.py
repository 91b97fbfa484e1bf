"""A file as flash: locked, grown but never cut, and an error withholds the acknowledgement."""

import errno
import os

import pytest

from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import LOG_DONE, LOG_FAILED
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.base.clock import Dice
from toolcart.board.linux import flash as linux_flash
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.spool_header import PAGE_BYTES
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import LONG
from host_tests.support.disk import Disk, refusing
from host_tests.support.log import Area, append, mounted, read_all
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

KIB = 1024


def test_a_second_agent_is_told_that_the_file_is_in_use(tmp_path):
    path = str(tmp_path / "spool")
    first = FileFlash(path, 64 * KIB)
    with pytest.raises(FlashUnusable, match="in use by another agent"):
        FileFlash(path, 64 * KIB)
    first.close()
    FileFlash(path, 64 * KIB).close()


def test_a_new_file_is_made_whole_and_erased(tmp_path):
    path = tmp_path / "spool"
    FileFlash(str(path), 64 * KIB).close()
    assert path.read_bytes()[4096:] == b"\xff" * 64 * KIB
    assert path.stat().st_blocks * 512 >= 64 * KIB, "not preallocated"


def test_growing_the_setting_grows_the_file_and_keeps_every_record(tmp_path):
    path = str(tmp_path / "spool")
    flash = FileFlash(path, 64 * KIB)
    ring = mounted(flash)
    made = 0
    while append(ring, made + 1) == FLASH_DONE:
        made += 1
    flash.close()
    flash = FileFlash(path, 128 * KIB)
    assert flash.block_count == 32 and flash.note == ""
    ring = mounted(flash)
    assert [ident for _, ident in read_all(ring)] == list(range(1, made + 1))
    for ident in range(made + 1, made + 901):
        if append(ring, ident) != FLASH_DONE:
            read_all(ring)
            assert append(ring, ident) == FLASH_DONE
    flash.close()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(FlashUnusable, match=r"cannot open .*nowhere: No such file"):
        FileFlash(str(tmp_path / "nowhere" / "spool"), 64 * KIB)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_an_error_of_the_disk_withholds_the_acknowledgement_and_is_named(tmp_path, monkeypatch, code):
    flash = FileFlash(str(tmp_path / "spool"), 64 * KIB)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE

    with monkeypatch.context() as patch:
        patch.setattr(linux_flash.os, "fdatasync", refusing(code))
        assert append(ring, 2) == LOG_FAILED
        assert os.strerror(code) in flash.last_error
        assert append(ring, 2) == LOG_FAILED
    assert append(ring, 2) == FLASH_DONE
    assert append(ring, 3) == FLASH_DONE
    assert read_all(ring) == [(1, 1), (2, 2), (3, 3)]
    flash.close()
    assert read_all(mounted(FileFlash(str(tmp_path / "spool"), 64 * KIB))) == [(1, 1), (2, 2), (3, 3)]


def test_a_short_write_is_no_success(tmp_path, monkeypatch):
    flash = FileFlash(str(tmp_path / "spool"), 64 * KIB)
    with monkeypatch.context() as patch:
        patch.setattr(linux_flash.os, "pwrite", lambda fd, buf, at: len(buf) - 1)
        assert flash.program(0, bytearray(16), 16) == FLASH_IO
        assert flash.erase(0) == FLASH_IO


def test_every_program_is_written_through_before_it_returns(tmp_path, monkeypatch):
    flash = FileFlash(str(tmp_path / "spool"), 64 * KIB)
    calls = []
    real_write, real_sync = os.pwrite, os.fdatasync
    monkeypatch.setattr(linux_flash.os, "pwrite", lambda fd, b, at: calls.append("write") or real_write(fd, b, at))
    monkeypatch.setattr(linux_flash.os, "fdatasync", lambda fd: calls.append("sync") or real_sync(fd))
    assert flash.program(4096, bytearray(16), 16) == FLASH_DONE
    assert calls == ["write", "sync"]


def deleted(path):
    path.unlink()


def linked(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("change", [deleted, linked])
def test_file_that_goes_under_running_agent_is_noticed_before_the_next_acknowledgement(tmp_path, change):
    path = tmp_path / "spool"
    flash = FileFlash(str(path), 64 * KIB)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE
    change(path)
    for _ in range(3):
        assert append(ring, 2) == LOG_FAILED
    assert "was deleted, replaced or cut while the agent was running" in flash.last_error
    assert flash.program(4096, bytearray(16), 16) == flash.erase(3) == FLASH_IO
    flash.close()


def test_path_that_cannot_be_looked_at_withholds_the_acknowledgement_until_it_can(tmp_path, monkeypatch):
    flash = FileFlash(str(tmp_path / "spool"), 64 * KIB)
    with monkeypatch.context() as patch:
        patch.setattr(linux_flash.os, "stat", refusing(errno.EIO))
        assert flash.program(0, bytearray(16), 16) == FLASH_IO
        assert os.strerror(errno.EIO) in flash.last_error
    assert flash.program(0, bytearray(16), 16) == FLASH_DONE
    flash.close()


def test_a_spoiled_sector_costs_no_acknowledged_result(tmp_path):
    path = tmp_path / "spool"
    flash = FileFlash(str(path), 64 * KIB, 512)
    ring = mounted(flash)
    written = []
    program = flash.program
    flash.program = lambda address, buf, n: written.append((address, n)) or program(address, buf, n)
    for ident in range(1, 20):
        del written[:]
        assert append(ring, ident) == FLASH_DONE
        spoiled = bytearray(path.read_bytes())
        for address, n in written:
            first = (PAGE_BYTES + address) // 512 * 512
            last = (PAGE_BYTES + address + n - 1) // 512 * 512
            spoiled[first : last + 512] = b"?" * (last + 512 - first)
        copy = RamFlash(16, 4096, 512)
        copy.cells[:] = spoiled[PAGE_BYTES:]
        assert [one for _, one in read_all(mounted(copy))] == list(range(1, ident)), ident
    flash.close()


# A sync that fails: whatever the cache shows and the disk has lost, what was acknowledged is there after every end.
#
# The real FileFlash over a cache and a disk of 512 bytes a page: a failed sync marks every page clean and writes any of
# them (fsync(2)); a start of the program finds the cache, one after a power cut the disk. A fault names its seed.

LIVES = 3000 if LONG else 50
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
        self.disk.opened[self.flash._descriptor] = self.file
        area = Area(flash=self.flash)
        state, log = area.mount(payload_most=self.shape.payload)
        assert area.found == MOUNT_DONE
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
    def lived(seed):
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

    return lived


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
