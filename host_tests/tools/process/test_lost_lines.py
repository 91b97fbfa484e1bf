"""An agent whose lines cannot be written: it goes on, and says how many were lost once they can be."""

import contextlib
import os
import re
import socket
import subprocess
import time

import pytest

from toolcart.tools.config import socket_location
from toolcart.tools.status import client
from host_tests.support.descriptors import emptied, fill
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, cart_of, command_of, wait_for, written

FORMS = [["--plain"], ["--log-format", "json"], ["--json"]]
TURNS_S = 1.5  # longer than from one status to the next


@contextlib.contextmanager
def agent_with(folder, form, stdout):
    """An agent whose lines go there, once it answers; it has to go on, and to end in order at last."""
    path = written(folder, cart_of())

    def answers():
        assert process.poll() is None, process.stderr.read()
        with contextlib.suppress(client.NoAgent):
            return client.ask(socket_location.socket_of(str(path)))

    options = {"env": ENVIRONMENT, "stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "stdout": stdout}
    with subprocess.Popen(command_of("run", "--config", path, *form), **options) as process:
        try:
            wait_for("it answers", answers)
            time.sleep(TURNS_S)
            wait_for("it still answers", answers)
            yield
            process.terminate()
            assert process.wait(DEADLINE_S) == 0 and process.stderr.read() == b""
        finally:
            process.kill()


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_on_a_full_disk_the_agent_goes_on(tmp_path, form):
    with open("/dev/full", "wb") as full, agent_with(tmp_path, form, full):
        pass


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_without_a_reader_the_agent_goes_on_and_the_next_reader_learns_how_many_lines_were_lost(tmp_path, form):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with open(fifo, "wb") as stdout:
        os.close(reader)
        with agent_with(tmp_path, form, stdout):
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            assert lost_in(reader, "Broken pipe") > 1
    os.close(reader)


def test_a_reader_that_does_not_read_keeps_nothing_up(tmp_path):
    reader, stdout = os.pipe()
    fill(stdout)
    with agent_with(tmp_path, ["--plain"], stdout):
        emptied(reader)
        assert lost_in(reader, "nobody reads them") > 1
    os.close(reader)
    os.close(stdout)


def test_a_journal_that_has_gone_ends_no_agent(tmp_path):
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs, agent_with(tmp_path, ["--log-format", "text"], theirs):
        pass


def lost_in(reader, why):
    said = [b""]

    def is_said():
        said[0] += emptied(reader)
        return b"could not be written" in said[0] and said[0].endswith(b"\n")

    wait_for("it is said", is_said)
    return int(re.search(rf"(\d+) lines could not be written: {why}", said[0].decode())[1])
