"""Lines to a descriptor: whole or lost and counted, whatever becomes of the disk or the reader."""

import errno
import os
import pty
import random
import threading

import pytest

from toolcart.base import line_writer
from toolcart.base.line_writer import LineWriter
from host_tests.support.descriptors import emptied, fill


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            pass


def test_a_line_that_a_pipe_has_no_room_for_is_lost_and_counted_and_nothing_waits(pipe):
    writer = LineWriter(pipe[1])
    fill(pipe[1])
    assert not writer.send("one") and not writer.send("two")
    assert (writer.lost, writer.why) == (2, line_writer.NOT_READ)
    emptied(pipe[0])
    assert writer.send("three") and emptied(pipe[0]) == b"three\n"


def test_a_terminal_with_room_for_a_part_of_a_piece_is_not_waited_for_and_stays_as_it_is():
    reader, terminal = pty.openpty()
    dice, writer = random.Random(1), LineWriter(terminal)
    done = threading.Event()

    def fill_slowly():
        while writer.send("l" * dice.randrange(2000)):
            pass
        done.set()

    threading.Thread(target=fill_slowly, daemon=True).start()
    is_done = done.wait(20)
    os.close(reader)  # ends the wait if there is one
    assert is_done and os.get_blocking(terminal)
    os.close(terminal)


def test_a_line_that_was_begun_is_finished_before_another_one(pipe):
    writer = LineWriter(pipe[1])
    long = "l" * (1 << 20)
    assert writer.send(long) and not writer.send("lost")
    said = b""
    while len(said) <= len(long):
        said += emptied(pipe[0])
        writer.push()
    assert said.decode() == long + "\n" and writer.lost == 1
    assert writer.send("next") and emptied(pipe[0]) == b"next\n"


def test_a_reader_that_has_gone_is_seen_and_the_next_one_gets_what_was_begun_and_what_comes(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = LineWriter(os.open(path, os.O_WRONLY))
    long = "l" * (1 << 17)  # the pipe has room for a part of it
    assert writer.send(long)
    os.close(reader)
    assert not writer.send("lost") and writer.closed
    assert (writer.lost, writer.why) == (1, os.strerror(errno.EPIPE))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    said = emptied(reader)
    while len(said) <= len(long):
        writer.push()
        said += emptied(reader)
    assert said.decode() == long + "\n"
    assert writer.send("heard") and not writer.closed and emptied(reader) == b"heard\n"
    os.close(reader)
    os.close(writer.descriptor)


def test_half_a_line_on_a_full_disk_is_finished_once_there_is_room(tmp_path, monkeypatch):
    room = [3]
    write = os.write

    def with_room(descriptor, octets):
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = write(descriptor, octets[: room[0]])
        room[0] -= taken
        return taken

    with open(tmp_path / "log", "wb", buffering=0) as log:
        monkeypatch.setattr(line_writer.os, "write", with_room)
        writer = LineWriter(log.fileno())
        assert writer.send("begun") and not writer.send("lost")
        assert (writer.lost, writer.why, writer.closed) == (1, os.strerror(errno.ENOSPC), False)
        room[0] = 100
        assert writer.send("next")
        assert (tmp_path / "log").read_bytes() == b"begun\nnext\n"


def test_the_last_line_waits_for_its_reader_but_not_for_ever(pipe):
    writer = LineWriter(pipe[1])
    fill(pipe[1])
    reader = threading.Timer(0.1, lambda: emptied(pipe[0]))
    reader.start()
    assert writer.send("the last", line_writer.LAST_WORDS_S) and emptied(pipe[0]) == b"the last\n"
    reader.join()
    fill(pipe[1])
    assert not writer.send("never", 0.05)


def test_what_an_encoding_cannot_say_is_escaped(pipe):
    assert LineWriter(pipe[1], "ascii").send("5 µm")
    assert emptied(pipe[0]) == b"5 \\xb5m\n"
