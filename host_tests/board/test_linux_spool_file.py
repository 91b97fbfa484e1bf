"""A spool knows whose it is; what is not ours is left as it is."""

import errno
import os
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
        (lambda path: path.write_bytes(b"Dear ToolsNet, " * 1000), "does not begin as a spool"),
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
    refused(path, "belongs to user 1234, and the agent runs as" if os.geteuid() == 0 else "belongs to user")
    with pytest.raises(FlashUnusable, match="give the order as "):
        FileFlash(str(path), 0)


def test_a_mode_that_lets_others_in_is_tightened_and_reported(tmp_path):
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


def test_a_damaged_header_is_refused_and_one_damaged_copy_is_reported(tmp_path):
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
    assert [ident for _, ident in read_all(ring)] == list(range(1, ident + 1))
    store(ring, range(ident + 1, ident + 701))
    assert [ident for _, ident in read_all(ring)] == list(range(ident + 1, ident + 701))
    again = [ident for _, ident in read_all(mounted(flash))]
    assert again == list(range(again[0], ident + 701)) and again[0] <= ident + 1
    flash.close()
