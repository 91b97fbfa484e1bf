"""A file as flash: locked, grown but never cut, and an error withholds the acknowledgement."""

import errno
import os

import pytest

from toolcart.agent.cart.status import REFUSED_NAMES
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, REFUSED_GONE
from toolcart.agent.log.log import LOG_FAILED
from toolcart.board.linux import flash as linux_flash
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import spool_file
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.board.linux.spool_header import PAGE_BYTES
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.messages import attention
from host_tests.support.disk import refusing
from host_tests.support.log import append, mounted, read_all

KIB = 1024


def test_a_second_agent_is_told_that_the_file_is_in_use(tmp_path):
    path = str(tmp_path / "spool")
    first = FileFlash(path, 64 * KIB)
    with pytest.raises(FlashUnusable, match="in use by another agent"):
        FileFlash(path, 64 * KIB)
    first.close()
    FileFlash(path, 64 * KIB).close()


def test_nothing_is_said_of_a_process_whose_files_may_be_listed_and_not_looked_at(tmp_path, monkeypatch):
    """As those of the agent by its own user in another group: it may have the spool open."""
    path = str(tmp_path / "spool")
    first = FileFlash(path, 64 * KIB)
    parent, stat = os.getppid(), os.stat
    assert "in use by another agent" in spool_file.in_use(path, parent)

    def refused(name, **more):
        if str(name).startswith("/proc/"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return stat(name, **more)

    monkeypatch.setattr(os, "stat", refused)
    assert spool_file.in_use(path, parent) == ""
    monkeypatch.undo()
    first.close()


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


@pytest.mark.parametrize("comes_back", ["itself", "a copy", None])
def test_a_file_that_was_away_is_known_to_be_back_and_waits_for_a_start(tmp_path, comes_back):
    path, elsewhere = tmp_path / "spool", tmp_path / "elsewhere"
    flash = FileFlash(str(path), 64 * KIB)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE and not flash.is_back()
    path.rename(elsewhere)
    assert append(ring, 2) == LOG_FAILED and not flash.is_back()
    if comes_back == "itself":
        elsewhere.rename(path)
    elif comes_back:
        path.write_bytes(elsewhere.read_bytes())
    assert flash.is_back() == (comes_back == "itself")
    assert append(ring, 2) == LOG_FAILED, "nobody knows what was written there meanwhile"
    flash.close()


@pytest.mark.parametrize("there", ["another spool", "nothing"])
@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS])
def test_disk_that_fails_and_is_exchanged_asks_for_a_start(tmp_path, monkeypatch, there, code):
    """The old one is still open and fails for ever: what is mounted in its place says that the agent has to start."""
    path = tmp_path / "spool"
    flash = FileFlash(str(path), 64 * KIB)
    ring = mounted(flash)
    assert append(ring, 1) == FLASH_DONE
    with monkeypatch.context() as patch:
        patch.setattr(linux_flash.os, "fdatasync", refusing(code))
        assert append(ring, 2) == LOG_FAILED
        assert flash.refusal() != REFUSED_GONE and os.strerror(code) in flash.last_error
        path.rename(tmp_path / "taken out")
        if there != "nothing":
            path.write_bytes((tmp_path / "taken out").read_bytes())
        assert append(ring, 2) == LOG_FAILED
        assert flash.refusal() == REFUSED_GONE and "replaced" in flash.last_error
    assert append(ring, 2) == LOG_FAILED
    flash.close()
    again = FileFlash(str(tmp_path / "taken out"), 64 * KIB)
    assert read_all(mounted(again))[0] == (1, 1)
    again.close()


CURES = {  # what helps against each error of a write, in a word of it
    errno.ENOSPC: "df -h",
    errno.EDQUOT: "raise its quota",
    errno.EFBIG: "LimitFSIZE",
    errno.EROFS: "check it with `fsck` and mount it again; if `dmesg` shows neither, `mount -o remount,rw`",
    errno.EIO: "spool rescue",
    errno.ENODEV: "dying or loose",
    errno.ENXIO: "dying or loose",
    errno.EACCES: "ls -l",
    errno.EPERM: "lsattr",
    errno.ENOMEM: "free -m",
    errno.ESTALE: "put it back",
    errno.EINVAL: "dmesg",
}


@pytest.mark.parametrize("code", CURES, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_each_error_of_a_write_has_its_cure_wherever_it_is_said(tmp_path, monkeypatch, code, call):
    flash = FileFlash(str(tmp_path / "spool"), 64 * KIB)
    ring = mounted(flash)
    with monkeypatch.context() as patch:
        patch.setattr(linux_flash.os, call, refusing(code))
        assert append(ring, 1) == LOG_FAILED
    slug = REFUSED_NAMES.split(",")[flash.refusal()]
    spool = {"refused": slug, "refused_words": flash.last_error, "path": flash.path}
    [need] = [need for need in attention.needs({"mounted": True, "spool": spool}) if need.slug == "disk"]
    assert CURES[code] in need.hint and need.words.count(flash.last_error) == 1, need
    assert code == errno.EINVAL or ("dmesg" in need.hint) == (
        code in (errno.EIO, errno.ENODEV, errno.ENXIO, errno.EROFS)
    )
    assert linux_refusal.advice_for(OSError(code, os.strerror(code)), flash.path) == need.hint, "doctor says the same"
    assert (append(ring, 1) == FLASH_DONE) == (code != errno.ESTALE), "it goes on, or asks for a start"
    flash.close()


LASTING = "set LimitFSIZE=infinity in the unit of the agent's service, or start it where `ulimit -f` is unlimited"


@pytest.mark.parametrize("user", [0, 1001])
def test_a_limit_is_raised_for_the_process_that_goes_on_and_for_the_next_start(tmp_path, monkeypatch, user):
    error = OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    path = str(tmp_path / "cart.spool")
    monkeypatch.setattr(linux_refusal.os, "getuid", lambda: user)
    assert linux_refusal.advice_for(error, path) == LASTING, "of a start, which has ended"
    at_once = f"; at once `{'sudo ' * bool(user)}prlimit --fsize=unlimited --pid 4711` does it for the agent that runs"
    spool = {"refused": "limit", "path": path, "pid": 4711}
    [need] = [need for need in attention.needs({"mounted": True, "spool": spool}) if need.slug == "disk"]
    assert need.hint == LASTING + at_once
    at_once = at_once.replace("4711", str(os.getpid()))
    assert linux_refusal.of_number(errno.EFBIG, path) == LASTING + at_once, "an outlet's file"


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
