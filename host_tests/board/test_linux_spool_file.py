"""A spool knows whose it is, and its file has its name only when it is whole; what is not ours is left as it is."""

import errno
import fcntl
import os
import signal
import stat

import pytest

from toolcart.agent.base.fields import put_u32
from toolcart.agent.log.flash import FLASH_DONE
from toolcart.board.linux import spool_file as linux_spool_file
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.spool_header import COPY_AT
from host_tests.support.disk import refusing
from host_tests.support.log import append, mounted, read_all, store

KIB = 1024
OURS = (3, 1, 7)


def make(path, unit=16, owner=OURS, kib=64):
    FileFlash(str(path), kib * KIB, unit, owner).close()
    return path


def refused(path, words, owner=OURS):
    before = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    with pytest.raises(FlashUnusable, match=words) as raised:
        FileFlash(str(path), 64 * KIB, 16, owner)
    assert str(path) in str(raised.value) and len(str(raised.value).replace(str(path), "")) < 160
    if before is not None:
        assert path.read_bytes() == before


def change_header(path, at, octet):
    """Change both copies and make their CRC right again."""
    octets = bytearray(path.read_bytes())
    for copy in (0, COPY_AT):
        octets[copy + at] = octet
        put_u32(octets, copy + 44, linux_header.crc30(octets, copy, copy + 44))
    path.write_bytes(octets)


def test_the_mode_is_0600_whatever_the_umask_is(tmp_path):
    for mask in (0, 0o777):
        before = os.umask(mask)
        try:
            make(tmp_path / f"spool{mask}")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / f"spool{mask}").stat().st_mode) == 0o600


def test_links_are_not_followed(tmp_path):
    path = make(tmp_path / "spool")
    (tmp_path / "soft").symlink_to(path)
    refused(tmp_path / "soft", "is a symbolic link")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    refused(tmp_path / "dangling", "is a symbolic link")
    assert not (tmp_path / "nowhere").exists()
    os.link(path, tmp_path / "hard")
    refused(path, "has 2 names")


def test_a_link_that_comes_between_look_and_open_is_not_followed(tmp_path, monkeypatch):
    path = make(tmp_path / "spool")
    real = os.open

    def late(name, *arguments, **named):
        if name == str(path):
            path.rename(tmp_path / "other")
            path.symlink_to(tmp_path / "other")
        return real(name, *arguments, **named)

    monkeypatch.setattr(linux_spool_file.os, "open", late)
    with pytest.raises(FlashUnusable, match="cannot open"):
        FileFlash(str(path), 64 * KIB)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (os.mkdir, "is a folder"),
        (os.mkfifo, "is a device, pipe or socket"),
        (os.mknod, "is an empty file"),
        (lambda path: path.write_bytes(b"Dear ToolsNet, " * 1000), "is not a spool"),
    ],
)
def test_what_is_no_spool_is_refused_and_left_alone(tmp_path, made, words):
    made(tmp_path / "spool")
    (tmp_path / "spool").chmod(0o755)
    refused(tmp_path / "spool", words)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o755


def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch):
    path = make(tmp_path / "spool")
    if os.geteuid() == 0:
        os.chown(path, 1234, 1234)
    else:
        monkeypatch.setattr(linux_spool_file.os, "geteuid", lambda: 1234)
    refused(path, "belongs to user")


def test_a_mode_that_lets_others_in_is_tightened_and_told(tmp_path):
    path = make(tmp_path / "spool")
    path.chmod(0o666)
    flash = FileFlash(str(path), 64 * KIB)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "had mode 0666 and has 0600 now" in flash.note
    flash.close()


def test_a_mode_that_cannot_be_tightened_is_refused(tmp_path, monkeypatch):
    path = make(tmp_path / "spool")
    path.chmod(0o644)
    monkeypatch.setattr(linux_spool_file.os, "fchmod", lambda *_: None)  # as on FAT
    refused(path, "has mode 0644")


def test_the_spool_of_another_station_or_system_is_refused(tmp_path):
    path = make(tmp_path / "spool")
    for owner in ((3, 1, 8), (3, 2, 7), (4, 1, 7)):
        refused(path, r"belongs to station 7 of system 1 \(type 3\), not to station", owner)
    make(path)


def test_a_damaged_header_is_refused_and_one_damaged_copy_is_told(tmp_path):
    path = make(tmp_path / "spool")
    octets = bytearray(path.read_bytes())
    octets[30] ^= 1
    path.write_bytes(octets)
    flash = FileFlash(str(path), 64 * KIB, 16, OURS)
    assert "one of the two copies of its header is damaged" in flash.note
    flash.close()
    octets[COPY_AT + 30] ^= 1
    path.write_bytes(octets)
    refused(path, "has a damaged header")


def test_versions_and_divisions_that_are_not_known_are_refused(tmp_path):
    path = make(tmp_path / "spool")
    for at, octet, right, words in (
        (8, 3, 2, "another version of toolcart"),
        (8, 1, 2, "another version of toolcart"),
        (10, 17, 16, "units of 17"),
        (13, 0x11, 0x10, "blocks of 4352"),
        (13, 0x40, 0x10, "was cut short: it has 69632 bytes, and was made with 266240"),
    ):
        change_header(path, at, octet)
        refused(path, words)
        change_header(path, at, right)
    make(path)


def test_disk_without_room_to_grow_leaves_spool_in_use_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "spool"
    flash = FileFlash(str(path), 64 * KIB)
    assert append(mounted(flash), 1) == FLASH_DONE
    flash.close()

    monkeypatch.setattr(linux_spool_file, "fill", refusing(errno.ENOSPC))
    flash = FileFlash(str(path), 128 * KIB)
    assert flash.block_count == 16 and "cannot grow to 128 KiB: No space left" in flash.note
    assert path.stat().st_size == 4096 + 64 * KIB
    ring = mounted(flash)
    assert append(ring, 2) == FLASH_DONE and len(read_all(ring)) == 2
    flash.close()


def test_growing_that_was_cut_off_before_new_blocks_were_erased_harms_nothing(tmp_path):
    path = tmp_path / "spool"
    flash = FileFlash(str(path), 64 * KIB)
    ring = mounted(flash)
    ident = 0
    while append(ring, ident + 1) == FLASH_DONE:
        ident += 1
    flash.close()
    with path.open("ab") as file:
        file.write(bytes(64 * KIB + 100))  # allocated, not erased, and no whole number of blocks
    flash = FileFlash(str(path), 160 * KIB)
    assert flash.block_count == 40 and path.stat().st_size == 4096 + 160 * KIB
    ring = mounted(flash)
    assert [found for _, found in read_all(ring)] == list(range(1, ident + 1))
    store(ring, range(ident + 1, ident + 701))
    assert [found for _, found in read_all(ring)] == list(range(ident + 1, ident + 701))
    again = [found for _, found in read_all(mounted(flash))]
    assert again == list(range(again[0], ident + 701)) and again[0] <= ident + 1
    flash.close()


# A spool's file has its name only when it is whole; what a cut leaves is removed, what is not ours stays.


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
    with pytest.raises(FlashUnusable, match=r"another agent has made a spool in .* for 120 s"):
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
