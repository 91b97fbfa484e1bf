"""The file of lines on Linux: whole lines or none, a new file when one is full, and every error in words."""

import errno
import os

import pytest

from toolcart.board.linux import regular_file
from toolcart.board.linux.lines import LineFile


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
            assert not file.add(line(9)) and file.why == "Operation not permitted" and file.open()
    assert file.add(line(9)) and content(file) == line(9)
    assert [content(file, end) for end in (".1", ".2", ".3")] == [line(n) + line(n + 1) for n in (7, 5, 3)]


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
