"""board/linux: ports over real sockets, and the loop that wakes what has input. Every wait has a deadline."""

import os
import socket
import threading
import time

import pytest

from toolcart.agent.base.scheduler import Scheduler
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
)
from toolcart.board import loop
from toolcart.board.linux import board as linux
from toolcart.board.linux.board import Board
from host_tests.support.running import wait_for

DEADLINE_S = 10


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE_S)
        yield server


def settle(port, wanted):
    wait_for("the port's state", lambda: port.state() == wanted)


def read_until(port, count):
    buf, got = bytearray(4096), b""
    until = time.monotonic() + DEADLINE_S
    while len(got) < count:
        assert time.monotonic() < until
        n = port.readinto(buf, len(buf))
        if n < 0:
            return got, n
        got += bytes(buf[:n])
    return got, 0


def connected(board, listener):
    port = board.tcp()
    port.open("127.0.0.1", listener.getsockname()[1])
    peer, _ = listener.accept()
    settle(port, PORT_OPEN)
    return port, peer


def test_a_port_opens_writes_reads_and_sees_the_end(board, listener):
    port, peer = connected(board, listener)
    with peer:
        assert port.readinto(bytearray(8), 8) == 0
        assert port.write(b"..hello", 2, 5) == 5
        assert peer.recv(16) == b"hello"
        peer.sendall(b"answer")
        assert read_until(port, 6) == (b"answer", 0)
        peer.sendall(b"last")
    got, end = read_until(port, 5)
    assert (got, end) == (b"last", PORT_LOST)


def test_small_messages_leave_without_delay(board, listener):
    port, peer = connected(board, listener)
    with peer:
        assert port.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_refused_connection_is_closed_and_may_be_tried_again(board, listener):
    number = listener.getsockname()[1]
    listener.close()
    port = board.tcp()
    port.open("127.0.0.1", number)
    settle(port, PORT_CLOSED)
    assert port.readinto(bytearray(4), 4) == PORT_LOST and port.write(b"x", 0, 1) == PORT_LOST
    with socket.create_server(("127.0.0.1", number)) as server:
        server.settimeout(DEADLINE_S)
        port.open("127.0.0.1", number)
        settle(port, PORT_OPEN)


def test_a_name_is_looked_up_without_blocking(board, listener, monkeypatch):
    looked_up = threading.Event()
    real = socket.getaddrinfo

    def slow(host, *args, **kwargs):
        assert looked_up.wait(DEADLINE_S)
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    port = board.tcp()
    port.open("toolsnet.plant", listener.getsockname()[1])
    assert port.state() == PORT_OPENING and port.looks_up()
    looked_up.set()
    settle(port, PORT_OPEN)
    assert port.looked_up == ("toolsnet.plant", "127.0.0.1")
    port.open("127.0.0.1", listener.getsockname()[1])
    settle(port, PORT_OPEN)
    assert port.looked_up == ("toolsnet.plant", "127.0.0.1"), "an address is none's"


def test_where_a_name_has_several_addresses_the_next_one_is_tried_after_a_failure(board, listener, monkeypatch):
    number = listener.getsockname()[1]
    places = [(socket.AF_INET, 1, 6, "", (host, number)) for host in ("127.0.0.2", "127.0.0.1")]  # as ::1 of localhost
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    port = board.tcp()
    for state in (PORT_CLOSED, PORT_OPEN, PORT_OPEN):
        port.open("localhost", number)
        settle(port, state)
    assert port.sock.getpeername() == ("127.0.0.1", number)


def test_a_board_that_is_closed_leaves_nothing_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    made = Board(str(tmp_path))
    made.close()
    made.request_stop()
    assert os.listdir("/proc/self/fd") == before, "a reload makes another one in the same process"


class Sleeper:
    """A task that sleeps until woken."""

    def __init__(self):
        self.steps = 0

    def step(self, now):
        self.steps += 1
        return FOREVER


class AppOf:
    """What Board.wait needs of an app."""

    def __init__(self, scheduler):
        self.scheduler = scheduler


def test_input_wakes_the_slot_it_belongs_to_and_no_other(board, listener):
    port, peer = connected(board, listener)
    scheduler = Scheduler(16)
    reader, other = Sleeper(), Sleeper()
    board.watch(port, scheduler.add(reader, board.now()))
    scheduler.add(other, board.now())
    scheduler.step(board.now())
    with peer:
        peer.sendall(b"x")
        board.wait(AppOf(scheduler), DEADLINE_S * 1000)
        scheduler.step(board.now())
    assert (reader.steps, other.steps) == (2, 1)


def test_a_request_to_stop_ends_a_sleep_at_once(board):
    begun = time.monotonic()
    timer = threading.Timer(0.05, board.request_stop)
    timer.start()
    board.wait(AppOf(Scheduler(16)), DEADLINE_S * 1000)
    assert board.stop_asked and time.monotonic() - begun < DEADLINE_S / 2


def test_the_loop_runs_until_told_and_sleeps_no_longer_than_asked(board):
    class Once:
        scheduler = Scheduler(16)
        steps = 0

        def step(self, now):
            self.steps += 1
            return FOREVER

    app = Once()
    turns = []

    def on_turn(now):
        turns.append(now)
        return 5 if len(turns) < 3 else -1

    loop.run(app, board, on_turn)
    assert app.steps == 3


def test_the_stamp_is_nineteen_characters_of_a_time(board):
    stamp = bytearray(19)
    board.stamp_into(stamp)
    assert time.strptime(stamp.decode(), "%Y-%m-%d:%H:%M:%S")


def test_a_spool_that_cannot_be_opened_is_reported_with_its_reason(board, tmp_path):
    (tmp_path / "taken.spool").write_bytes(b"this is a letter, no spool" * 300)
    assert board.flash({"path": "taken.spool", "size_kib": 64}) is None
    (reason,) = board.unusable.values()
    assert "does not begin as a spool" in reason


def test_spool_is_made_with_the_unit_of_the_settings_for_its_owner(board):
    device = board.flash({"path": "a.spool", "size_kib": 64, "unit": 256, "owner": (3, 1, 7)})
    assert device.unit_bytes == 256 and board.spool_notes() == []
    (made,) = board.spools_made()
    assert "a new spool was made at" in made and "a.spool" in made and "is not fetched" in made
    board.close()
    assert board.flash({"path": "a.spool", "size_kib": 64, "unit": 16, "owner": (3, 1, 8)}) is None
    (reason,) = board.unusable.values()
    assert "belongs to station 7" in reason
    assert board.flash({"path": "a.spool", "size_kib": 32, "unit": 16, "owner": (3, 1, 7)}).unit_bytes == 256
    assert board.spools_made() == [], "it was there"
    (note,) = board.spool_notes()
    assert "keeps its 64 KiB" in note and "keeps its unit of 256 bytes" in note


ODD_HOSTS = ["", "\0", "127.0.0.1\0", "a\0b", "b\xfcro.plant", "\u20ac", "\ud800", "a" * 300, "a b", "\x1b[2J"]


@pytest.mark.parametrize("host", ODD_HOSTS, ids=ascii)
def test_a_host_that_can_be_none_closes_the_port_and_raises_nothing(board, monkeypatch, host):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it was looked up"))
    port = board.tcp()
    port.open(host, 4545)
    assert port.state() == PORT_CLOSED
    assert port.readinto(bytearray(4), 4) == PORT_LOST and port.write(b"x", 0, 1) == PORT_LOST
    port.open("127.0.0.1", 1 << 40)
    assert port.state() == PORT_CLOSED


def test_a_name_that_no_system_can_look_up_closes_the_port(board):
    port = board.tcp()
    port.open("a..b", 4545)
    settle(port, PORT_CLOSED)


def test_a_system_without_another_thread_closes_the_port(board, monkeypatch):
    def fail(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    port = board.tcp()
    port.open("toolsnet.plant", 4545)
    assert port.state() == PORT_CLOSED


def test_whether_the_clock_is_kept_is_what_the_system_says(board, monkeypatch, tmp_path):
    import ctypes

    assert board.clock_is_set() in (True, False)
    for answer, kept in ((0, True), (4, True), (5, False), (-1, False)):
        library = type("Library", (), {"adjtimex": staticmethod(lambda buf, answer=answer: answer)})
        monkeypatch.setattr(ctypes, "CDLL", lambda name, library=library: library)
        assert board.clock_is_set() is kept
    synchronized = tmp_path / "synchronized"
    monkeypatch.setattr(linux, "TIMESYNC", str(synchronized))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert board.clock_is_set() is False
    synchronized.touch()  # a service that may not ask the kernel takes systemd's word
    assert board.clock_is_set() is True
