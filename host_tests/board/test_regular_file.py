"""board/linux/regular_file.py: what stands in a file's place makes nobody wait."""

import os
import socket
import threading

import pytest

from toolcart.board.linux import order_log, regular_file
from toolcart.board.linux.lines import LineFile
from host_tests.support.no_wait import waits_for_nobody


@pytest.fixture(autouse=True)
def no_wait():
    with waits_for_nobody():
        yield


def _socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


IN_PLACE = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a socket": _socket,
}


@pytest.fixture(params=IN_PLACE)
def no_file(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "in.place"
    IN_PLACE[request.param](path)
    return path


def refused(work, *arguments):
    with pytest.raises(OSError) as raised:
        work(*arguments)
    return raised.value.strerror


def test_what_is_no_file_is_refused_at_once(no_file):
    for read in (regular_file.content_of, regular_file.argument_content_of):
        assert refused(read, no_file) == regular_file.NO_FILE
    assert refused(regular_file.opener, no_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) == regular_file.NO_FILE
    with pytest.raises(OSError), regular_file.held(no_file):
        pass


def test_a_file_and_only_a_file_is_opened(tmp_path):
    (tmp_path / "file").write_text("text")
    assert regular_file.content_of(tmp_path / "file") == b"text"
    with regular_file.held(tmp_path / "file") as descriptor, open(regular_file.name_of(descriptor)) as file:
        assert file.read() == "text"
    assert refused(regular_file.content_of, tmp_path) == "Is a directory"
    assert refused(regular_file.content_of, tmp_path / "none") == "No such file or directory"
    os.close(regular_file.opener(tmp_path / "new", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_shells_pipe_is_read_where_a_command_names_it():
    reading, writing = os.pipe()
    threading.Timer(0.1, lambda: (os.write(writing, b"text"), os.close(writing))).start()
    try:
        assert refused(regular_file.content_of, f"/dev/fd/{reading}") == regular_file.NO_FILE
        assert regular_file.argument_content_of(f"/dev/fd/{reading}") == b"text"
    finally:
        os.close(reading)


def test_orders_of_a_stopped_agent_wait_for_nobody(no_file, tmp_path):
    spool = tmp_path / "s.spool"
    spool.touch()
    os.rename(no_file, f"{spool}{order_log.SUFFIX}")
    told = []
    assert refused(order_log.take, str(spool), told.append) == regular_file.NO_FILE and not told
    assert refused(order_log.kept, str(spool)) == regular_file.NO_FILE
    assert refused(order_log.hand_on, b"anna ordered\n", str(spool))  # neither does the new one's
    refused(order_log.keep, str(spool), "anna ordered `drop 1` at station 1: 1 dropped")  # a link is not followed


def test_an_outlets_file_waits_for_nobody(no_file, tmp_path):
    lines = LineFile(str(no_file), 1000, 1)
    assert not lines.open() and lines.why == regular_file.NO_FILE
    assert list(lines.backwards()) == [b""]
