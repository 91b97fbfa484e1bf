"""Commands that last, with lines that cannot be written: each goes on with its work and ends at once when told to."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from toolcart.base.line_writer import NOT_READ
from toolcart.simulated import controller
from host_tests.support.archive import EVENT, RESULT, Talk, empty, place_in
from host_tests.support.combinations import each_choice, some
from host_tests.support.descriptors import emptied, fill
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, command_of, free_port, wait_for

ENDS_WITHIN_S = 30  # two streams wait a second each for their reader; the rest is Python's end on a busy machine
BUSY = b"00200001            \0"
OUTPUTS = ["full pipe", "full disk", "no reader"]


@contextlib.contextmanager
def unwritable(kind):
    """Where no line can be written, for this reason; and its reader, if there is one."""
    if kind == "full disk":
        with open("/dev/full", "wb") as full:
            yield full.fileno(), None
        return
    reader, writer = os.pipe()
    if kind == "full pipe":
        fill(writer)
    else:
        os.close(reader)
    yield writer, reader
    os.close(writer)
    if kind == "full pipe":
        os.close(reader)


@contextlib.contextmanager
def nonblocking_output(words, stdout, stderr, code=0):
    """The process of this command, which TERM ends in time."""
    streams = {"stdout": stdout, "stderr": stderr, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command_of(*words), env=ENVIRONMENT, **streams) as process:
        try:
            yield process
            process.terminate()
            assert process.wait(ENDS_WITHIN_S) == code
        finally:
            process.kill()


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def takes_term(number):
    with open(f"/proc/{number}/status", encoding="ascii") as status:
        caught = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    return int(caught, 16) >> (signal.SIGTERM - 1) & 1


def archive_of(folder, port, *words):
    place = place_in(folder)
    ports = ("--pim-port", free_port(), "--server-port", port)
    return ["archive", "serve", "--database", place, *ports, *words]


def stores(port):
    """More complaints than anyone reads, and an event and a result that are answered."""
    for _ in range(20):
        with contextlib.suppress(OSError), Talk(port) as wrong:
            wrong.send("99nonsense")
    with Talk(port) as server:
        assert server.ask(EVENT)[:2] in ("05", "10") and server.ask(RESULT)[:2] == "05"


def shows(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=DEADLINE_S) as answer:
        assert answer.status == 200


def starts_sessions(port):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as client:
            client.settimeout(DEADLINE_S)
            client.sendall(b"nonsense\0" + BUSY)
            with contextlib.suppress(OSError):
                client.recv(100)
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as client:
        client.settimeout(DEADLINE_S)
        client.sendall(BUSY)
        assert client.recv(100)[4:8] == b"0002"


def takes_connections(port):
    for _ in range(5):
        socket.create_connection(("127.0.0.1", port), DEADLINE_S).close()


COMMANDS = {
    "archive serve": (archive_of, stores),
    "archive web": (
        lambda folder, port: ["archive", "web", "--database", empty(place_in(folder)), "--listen", f"127.0.0.1:{port}"],
        shows,
    ),
    "web": (lambda folder, port: ["web", "--port", port, folder / "none.socket"], shows),
    "simulate controller": (
        lambda folder, port: ["simulate", "controller", "--port", port, "--rate", 50],
        starts_sessions,
    ),
    "simulate toolsnet": (
        lambda folder, port: ["simulate", "toolsnet", "--pim-port", free_port(), "--server-port", port],
        takes_connections,
    ),
}
ENDS_WITH_ITS_READER = ("simulate controller", "simulate toolsnet")


@pytest.mark.parametrize(("name", "output"), each_choice([*COMMANDS], OUTPUTS))
def test_a_server_serves_on_and_ends_when_told_to_though_no_line_can_be_written(tmp_path, name, output):
    if output == "no reader" and name in ENDS_WITH_ITS_READER:
        return  # a person's, who has gone (host_tests/tools/command/test_cli.py)
    words_of, is_served = COMMANDS[name]
    port = free_port()
    with unwritable(output) as (stream, _), nonblocking_output(words_of(tmp_path, port), stream, stream):
        wait_for("it listens", lambda: is_open(port))
        is_served(port)
        time.sleep(1.2)  # figures come once a second
        is_served(port)


@pytest.mark.parametrize("output", some(OUTPUTS, 3))
def test_the_pages_beside_an_archive_do_not_wait_for_a_reader_either(tmp_path, output):
    port, pages = free_port(), free_port()
    words = archive_of(tmp_path, port, "--web", f"127.0.0.1:{pages}")
    with unwritable(output) as (stream, _), nonblocking_output(words, stream, stream):
        wait_for("both listen", lambda: is_open(port) and is_open(pages))
        stores(port)
        shows(pages)
    assert not is_open(pages)


@pytest.mark.parametrize("output", some(OUTPUTS, 2))
def test_a_consumer_ends_when_told_to_though_no_line_can_be_written(tmp_path, output):
    words = ["archive", "consume", f"mqtt://127.0.0.1:{free_port()}", "toolcart/#", "--database", place_in(tmp_path)]
    with unwritable(output) as (stream, _), nonblocking_output(words, stream, stream) as process:
        wait_for("it runs", lambda: takes_term(process.pid))
        time.sleep(1.5)


@pytest.mark.parametrize("output", some(["full disk", "full pipe"], 2))
def test_the_demo_ends_when_told_to_though_no_line_can_be_written(output):
    words = ["run", "--plain", "--rate", 20]
    with unwritable(output) as (stream, _), nonblocking_output(words, stream, stream) as process:
        wait_for("it runs", lambda: takes_term(process.pid))
        time.sleep(3)


@pytest.mark.parametrize("output", ["full pipe", "full disk"])
def test_a_request_ends_in_time_though_no_line_can_be_written_and_that_is_its_exit_code(output):
    with controller() as simulated:
        words = ["ask", f"127.0.0.1:{simulated.port}", "0010", "--watch", 1]
        with unwritable(output) as (stream, _):
            done = subprocess.run(
                command_of(*words), env=ENVIRONMENT, stdout=stream, stderr=subprocess.PIPE, timeout=DEADLINE_S
            )
    assert done.returncode == 1
    assert re.fullmatch(rb"toolcart: \d+ lines of standard output could not be written: .*\n", done.stderr)


def test_the_last_lines_say_what_was_lost_where_they_can_be_read(tmp_path):
    port = free_port()
    with unwritable("full pipe") as (stdout, _), open(tmp_path / "errors", "wb") as errors:
        with nonblocking_output(
            ["simulate", "toolsnet", "--pim-port", free_port(), "--server-port", port], stdout, errors
        ):
            wait_for("it listens", lambda: is_open(port))
    said = (tmp_path / "errors").read_text()
    assert re.fullmatch(rf"toolcart: \d+ lines? of standard output could not be written: {NOT_READ}\n", said), said


def test_a_reader_that_comes_back_learns_how_many_lines_were_lost_and_gets_the_newest(tmp_path):
    port = free_port()
    with unwritable("full pipe") as (stdout, reader):
        with nonblocking_output(archive_of(tmp_path, port), stdout, stdout) as process:
            wait_for("it listens", lambda: is_open(port))
            stores(port)
            emptied(reader)
            process.send_signal(signal.SIGTERM)
            process.wait(ENDS_WITHIN_S)
        lines = emptied(reader).decode().splitlines()
    assert re.fullmatch(rf"\d+ lines could not be written: {NOT_READ}", lines[0]), lines[0]
    assert lines[-1].startswith("stored 2, ")
