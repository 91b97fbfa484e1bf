"""The file of lines on Linux: whole lines or none, a new file when one is full, and every error in words."""

import errno
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from toolcart.board.linux import lines as linux_lines
from toolcart.board.linux import mounts, regular_file
from toolcart.board.linux.lines import LineFile
from toolcart.tools.config import path_checks
from toolcart.tools.messages import reasons

NOBODY = 65534


def line(number, octets=40):
    text = b'{"schema":1,"number":%d,' % number
    return text.ljust(octets - 2, b" ") + b"}\n"


@pytest.fixture
def file(tmp_path):
    made = LineFile(str(tmp_path / "out.jsonl"), 100, 2)
    yield made
    made.close()


def content(file, suffix=""):
    with open(file.path + suffix, "rb") as opened:
        return opened.read()


def newest_in(file):
    return next(file.backwards(), b"")


def test_lines_are_written_whole_and_durable_when_it_says_so(file, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(descriptor))
    assert file.open() and newest_in(file) == b"" and len(synced) == 1, (
        "what is there is believed when it is on the disk"
    )
    assert file.add(line(1)) and file.add(line(2)) and len(synced) == 1
    assert file.sync() and len(synced) == 2
    assert content(file) == line(1) + line(2) and newest_in(file) == line(2)


def test_half_a_first_line_or_zeros_are_what_a_cut_leaves_too(file):
    for octets in (b'{"sch', b'{"schema":1,"numb', b"\0" * 30):
        with open(file.path, "wb") as opened:
            opened.write(octets)
        assert file.open() and newest_in(file) == b"" and content(file) == b"", octets


def test_a_last_line_of_any_length_is_found(file):
    for octets in (50, 4090, 4097, 9000):
        with open(file.path, "wb") as opened:
            opened.write(line(1, 30) + line(2, octets) + b'{"schema":1')
        assert file.open() and newest_in(file) == line(2, octets)


def test_a_file_that_holds_something_else_is_left_alone(file):
    with open(file.path, "wb") as opened:
        opened.write(b"precious, and no line end")
    assert not file.open() and "something else" in file.why
    assert content(file) == b"precious, and no line end"
    os.unlink(file.path)
    os.mkfifo(file.path)
    assert not file.open() and file.why.endswith(regular_file.NO_FILE)


def test_a_full_file_becomes_the_first_of_those_that_stay(file):
    assert file.open()
    for number in range(1, 10):
        assert file.add(line(number)) and file.sync()
    assert content(file) == line(9)
    assert content(file, ".1") == line(7) + line(8) and content(file, ".2") == line(5) + line(6)
    assert not os.path.exists(file.path + ".3")
    file.close()
    os.unlink(file.path)  # a cut right behind the renaming
    assert file.open() and newest_in(file) == line(8), "where to go on says the one that became full"


def test_a_full_file_that_cannot_be_renamed_costs_one_older_at_most(file, monkeypatch):
    file.keep = 3
    assert file.open() and all(file.add(line(number)) and file.sync() for number in range(1, 9))

    def replace(newer, older, real=os.replace):
        if newer == file.path:
            raise PermissionError(errno.EPERM, "Operation not permitted")  # another user's in a sticky folder
        real(newer, older)

    with monkeypatch.context() as refused:
        refused.setattr(os, "replace", replace)
        for _ in range(3):
            assert not file.add(line(9)) and file.why.endswith("out.jsonl.1: Operation not permitted") and file.open()
    assert file.add(line(9)) and content(file) == line(9)
    assert [content(file, end) for end in (".1", ".2", ".3")] == [line(n) + line(n + 1) for n in (7, 5, 3)]


@pytest.fixture
def others_folder():
    """A folder that nobody owns beside other users' files."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


def reason_of(file):
    """Why the outlet of this file cannot be used, as status and log say it."""
    connection = {"kind": "file", "place": file.path, "why": file.why, "cure": file.cure}
    return reasons.of_outlet(connection)


WAYS = {  # what is done to the folder, and what is said of it
    "another's folder": (lambda path: os.chmod(os.path.dirname(path), 0o755), "nobody may rename no file in "),
    "its own folder": (
        lambda path: (os.chown(os.path.dirname(path), NOBODY, -1), os.chmod(os.path.dirname(path), 0o555)),
        "nobody may rename no file in ",
    ),
    "sticky": (
        lambda path: (os.chmod(os.path.dirname(path), 0o1777), os.chown(path, 1, -1), os.chmod(path, 0o666)),
        "is not nobody's, and its folder has the sticky bit",
    ),
    "a folder is .1": (
        lambda path: (os.chmod(os.path.dirname(path), 0o777), os.mkdir(path + ".1")),
        ".1 is a folder",
    ),
    "a folder is .2": (
        lambda path: (os.chmod(os.path.dirname(path), 0o777), open(path + ".1", "w").close(), os.mkdir(path + ".2")),
        ".2 is a folder",
    ),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("keep", [0, 3])
@pytest.mark.parametrize("way", WAYS)
def test_a_full_file_that_cannot_be_renamed_says_so_before_and_as_it_happens(others_folder, way, keep):
    do, words = WAYS[way]
    if words.endswith("is a folder"):
        keep = 3
    file = LineFile(os.path.join(others_folder, "a cart's lines"), 100, keep)
    with open(file.path, "wb") as made:
        made.write(line(1) + line(2))
    os.chown(file.path, NOBODY, -1)
    do(file.path)
    before = sorted(os.listdir(others_folder))
    os.seteuid(NOBODY)
    try:
        told, told_cure = linux_lines.not_renamed(file.path, keep)
        assert words in told, told
        assert file.open() and not file.add(line(3))
        asked = f"renamed to {file.path}.1" if keep else "removed"
        assert file.why == f"it is full, and cannot be {asked}: {told}" and file.cure == told_cure
        assert sorted(os.listdir(others_folder)) == before, "nothing is moved"
        reason = reason_of(file)
        assert reason.words == file.why and reason.hint == told_cure and "path names" not in reason.text()
    finally:
        os.seteuid(0)
    cures = re.findall("`(.+?)`", told_cure)
    assert cures, told_cure
    subprocess.run(cures[0], shell=True, check=True)
    os.seteuid(NOBODY)
    try:
        assert linux_lines.not_renamed(file.path, keep) == ("", "")
        assert file.open() and file.add(line(3)) and file.sync() and content(file) == line(3)
    finally:
        os.seteuid(0)
    file.close()


@pytest.mark.parametrize("mounted", ["", ".1"])
def test_a_file_that_is_a_mount_of_its_own_cannot_be_renamed_and_says_so(file, monkeypatch, mounted):
    assert file.open() and file.add(line(1)) and file.add(line(2)) and file.sync()
    open(file.path + ".1", "w").close()
    real = os.path.realpath(file.path) + mounted
    listed = "29 1 0:25 / / rw - ext4 /dev/root rw\n30 29 0:26 / %s rw - ext4 /dev/sda rw\n" % real.replace(
        " ", "\\040"
    )
    with open(file.path + ".mounts", "w") as table:
        table.write(listed)
    monkeypatch.setattr(mounts, "MOUNTS", file.path + ".mounts")

    def replace(newer, older):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(os, "replace", replace)
    told, cure = linux_lines.not_renamed(file.path, 2)
    assert told == f"{real} is a mount of its own" and "mount its folder" in cure
    assert not file.add(line(3)) and told in file.why and file.cure == cure


def test_what_keeps_it_from_being_renamed_and_was_not_seen_is_said_in_the_system_s_words(file, monkeypatch):
    def replace(newer, older):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", replace)
    assert file.open() and all(file.add(line(number)) for number in (1, 2))
    assert not file.add(line(3)) and file.why.endswith(f"renamed to {file.path}.1: Permission denied")
    assert "lsattr -d" in file.cure and shlex.quote(os.path.dirname(file.path)) in file.cure


@pytest.mark.parametrize("what", ["a folder", "a pipe"])
def test_what_is_in_place_of_the_latest_full_file_is_named_at_the_start(file, what):
    os.mkdir(file.path + ".1") if what == "a folder" else os.mkfifo(file.path + ".1")
    assert file.open() and list(file.backwards()) == [b""]
    assert file.why.startswith(f"{file.path}.1 is a") and f"mv {shlex.quote(file.path)}.1" in file.cure
    assert reason_of(file).hint == file.cure
    outlets = [{"kind": "file", "path": file.path, "keep": 2}]
    configuration = {"board": {"network": "none"}, "system": {"type": 1, "number": 1}}
    configuration["stations"] = [{"number": 1, "spool": {"path": "a.spool"}, "outlets": outlets}]
    [(place, words, cure)] = path_checks.not_renamed(configuration, Path("/"))
    assert place == "stations[0].outlets[0].path" and cure == file.cure
    assert words == f"{file.path}: at 10 MiB it cannot be renamed to {file.path}.1: {file.why}"


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EFBIG, "ulimit -f"),
        (errno.ENOMEM, "free -m"),
        (errno.EIO, "dying or loose"),
        (errno.EROFS, "remount,rw"),
        (errno.EDQUOT, "raise its quota"),
        (errno.EACCES, "ls -l"),
    ],
)
def test_each_error_of_the_disk_has_the_cure_of_an_outlet_s_file(file, monkeypatch, number, cure):
    assert file.open()

    def pwrite(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert not file.add(line(1)) and file.why == os.strerror(number)
    assert cure in reason_of(file).hint and "toolcart spool" not in file.cure


def test_without_any_to_keep_a_full_file_goes(tmp_path):
    file = LineFile(str(tmp_path / "out.jsonl"), 100, 0)
    assert file.open() and all(file.add(line(number)) for number in range(1, 4))
    assert content(file) == line(3) and os.listdir(tmp_path) == ["out.jsonl"]
    file.close()


def test_a_line_longer_than_a_file_has_one_of_its_own(file):
    assert file.open() and file.add(line(1, 300)) and file.add(line(2))
    assert content(file, ".1") == line(1, 300) and content(file) == line(2)


def test_a_disk_that_gets_full_leaves_no_half_line(file, monkeypatch):
    assert file.open() and file.add(line(1))
    real = os.pwrite

    def full(descriptor, octets, at):
        if at > len(line(1)):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, octets[:10], at)

    monkeypatch.setattr(os, "pwrite", full)
    assert not file.add(line(2)) and file.why == "No space left on device"
    assert content(file) == line(1)


def test_a_folder_that_is_gone_or_was_never_there_is_reported(tmp_path):
    file = LineFile(str(tmp_path / "gone" / "out.jsonl"), 100, 2)
    assert not file.open() and file.why == f"the folder {tmp_path}/gone is not there (mkdir -p {tmp_path}/gone)"
    (tmp_path / "gone").mkdir()
    assert file.open() and file.add(line(1))
    os.unlink(file.path)
    assert not file.sync(), "a deleted file takes octets and says nothing"
    assert file.open() and file.add(line(1)) and file.sync()
    os.rename(file.path, file.path + ".away")
    with open(file.path, "wb"):
        assert not file.sync() and file.why == "another file has its name now"
    file.close()


def test_a_file_that_others_empty_or_write_into_is_opened_again_first(file):
    for octets in (b"", line(8, 25), line(9, 60)):
        assert file.open() and file.add(line(1, 30)) and file.add(line(2, 25)) and file.sync()
        with open(file.path, "r+b") as opened:  # as logrotate's copytruncate does
            opened.truncate()
            opened.write(octets)
        assert not file.add(line(3)) and file.why == "others have changed it"
        assert file.open() and file.add(line(3)) and file.sync() and content(file) == octets + line(3)
        os.unlink(file.path)


def test_what_was_closed_takes_nothing(file):
    assert not file.add(line(1)) and not file.sync()
