"""A spool's file has its name only when it is whole; what a cut leaves is removed, what is not ours stays."""

import errno
import fcntl
import os
import signal

import pytest

from toolcart.board.linux import spool_file as linux_spool_file
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from host_tests.board.test_linux_spool_file import KIB
from host_tests.support.disk import refusing


def opened(path):
    flash = FileFlash(str(path), 64 * KIB)
    flash.close()
    return flash


class Steps:
    """Counts the calls that change the disk; the process ends in front of number `cut_at`, as at a power cut."""

    NAMES = ("open", "fchmod", "pwrite", "posix_fallocate", "fsync", "link", "unlink")

    def __init__(self, monkeypatch):
        self.count = 0
        self.cut_at = 0
        for name in self.NAMES:
            monkeypatch.setattr(linux_spool_file.os, name, self._counted(getattr(os, name)))

    def _counted(self, real):
        def step(*arguments, **named):
            self.count += 1
            if self.count == self.cut_at:
                os._exit(0)
            return real(*arguments, **named)

        return step


def in_a_process(act):
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def test_a_cut_at_any_step_leaves_no_half_made_spool(tmp_path, monkeypatch):
    steps = Steps(monkeypatch)
    opened(tmp_path / "counted")
    total = steps.count
    assert total > 7
    for cut_at in range(1, total + 1):
        path = tmp_path / f"spool{cut_at}"
        steps.count, steps.cut_at = 0, cut_at
        assert in_a_process(lambda path=path: opened(path)) == 0, "it was not cut"
        steps.cut_at = 0
        if path.exists():
            assert linux_header.read(path.read_bytes()[:4096]).copies == 2
            assert path.read_bytes()[4096:] == b"\xff" * 64 * KIB
        opened(path)
        assert [p.name for p in tmp_path.iterdir() if p.name.split(".")[0] == path.name] == [path.name]
        assert path.stat().st_nlink == 1


def test_a_full_disk_leaves_nothing_behind_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(linux_spool_file.os, "posix_fallocate", refusing(errno.ENOSPC))
    with pytest.raises(FlashUnusable, match="No space left"):
        opened(tmp_path / "spool")
    assert list(tmp_path.iterdir()) == []


def test_file_and_folder_are_synced_around_its_naming(tmp_path, monkeypatch):
    done = []
    real_sync, real_link = os.fsync, os.link

    def sync(descriptor):
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        real_sync(descriptor)

    def link(*arguments, **named):
        done.append("name")
        real_link(*arguments, **named)

    monkeypatch.setattr(linux_spool_file.os, "fsync", sync)
    monkeypatch.setattr(linux_spool_file.os, "link", link)
    opened(tmp_path / "spool")
    assert done == ["file", "name", "folder"]


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "spool"
    real = os.link

    def late(*arguments, **named):
        path.write_text("another's")
        real(*arguments, **named)

    monkeypatch.setattr(linux_spool_file.os, "link", late)
    with pytest.raises(FlashUnusable, match="File exists"):
        opened(path)
    assert path.read_text() == "another's" and [p.name for p in tmp_path.iterdir()] == ["spool"]


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(linux_spool_file.os, "link", refusing(errno.EPERM))
    opened(tmp_path / "spool")
    assert [p.name for p in tmp_path.iterdir()] == ["spool"]


def test_another_file_under_the_temporary_name_stays_and_is_named(tmp_path):
    for make in (
        lambda new: new.write_text("a draft"),
        lambda new: new.mkdir(),
        lambda new: new.symlink_to("elsewhere"),
        os.mkfifo,
    ):
        new = tmp_path / "spool.new"
        make(new)
        with pytest.raises(FlashUnusable, match=r"spool\.new is in the way"):
            opened(tmp_path / "spool")
        assert os.path.lexists(new) and not (tmp_path / "spool").exists()
        new.rmdir() if new.is_dir() else new.unlink()


class Waits:
    """Time as the wait for a folder sees it: each pause passes at once, and may let the other agent go on."""

    def __init__(self, then=None):
        self.now_s, self.then = 1000.0, then

    def monotonic(self):
        return self.now_s

    def sleep(self, pause_s):
        self.now_s += pause_s
        if self.then is not None and self.now_s > 1003:
            self.then()
            self.then = None


def test_of_two_agents_that_make_spools_in_one_folder_the_second_waits(tmp_path, monkeypatch):
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    waits = Waits(then=lambda: os.close(folder))
    monkeypatch.setattr(linux_spool_file, "time", waits)
    opened(tmp_path / "spool")
    assert waits.then is None and (tmp_path / "spool").exists()


def test_a_folder_that_is_never_free_ends_the_wait_and_is_named(tmp_path, monkeypatch):
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    monkeypatch.setattr(linux_spool_file, "time", Waits())
    with pytest.raises(FlashUnusable, match=r"another agent is making a spool in .*; try again"):
        opened(tmp_path / "spool")
    assert list(tmp_path.iterdir()) == []
    os.close(folder)


def test_process_killed_while_it_makes_spool_leaves_none_or_a_whole_one(tmp_path):
    for after_us in (100, 400, 1000, 3000):
        path = tmp_path / f"spool{after_us}"

        def make(path=path, after_us=after_us):
            signal.setitimer(signal.ITIMER_REAL, after_us / 1e6)  # SIGALRM kills: it has no handler
            FileFlash(str(path), 4096 * KIB).close()

        in_a_process(make)
        assert not path.exists() or path.stat().st_size == 4096 + 4096 * KIB
        FileFlash(str(path), 4096 * KIB).close()
        assert not path.with_name(path.name + ".new").exists()
