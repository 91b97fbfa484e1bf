"""A chip's /metrics: whole, from one small buffer, without a single allocation, and never in the agent's way."""

import gc
import sys

from toolcart.agent.link.port import WHY_REFUSED
from toolcart.agent.log.numbers import DAMAGED, OVERWRITTEN
from toolcart.board.clock import SOURCE_NTP, SOURCE_RTC
from toolcart.board.metrics_page import Page
from host_tests.portable import Skip
from host_tests.support.heap import allocated
from lab.harness.configuration import configuration
from lab.harness.quiet import QuietToolsNet, Workbench

PORTABLE = True
HEAP = "2m"

PORT = 19477
ASKED = b"GET /metrics HTTP/1.1\r\nHost: cart\r\n\r\n"
WAITING = 5
STATIONS = 8
IDLE_STEPS = 2000

if not hasattr(gc, "mem_alloc"):  # CPython has no heap of a fixed size
    gc.mem_alloc = lambda: 1000  # type: ignore[attr-defined]
    gc.mem_free = lambda: 2000  # type: ignore[attr-defined]


class Away(QuietToolsNet):
    """A ToolsNet that cannot be reached."""

    why = WHY_REFUSED

    def open(self, host, port_number):
        self.close()


class Bench(Workbench):
    """A workbench without a ToolsNet, so that its results wait."""

    taken = 0

    def tcp(self):
        self.taken += 1
        return self.controller if self.taken == 1 else Away()


class Network:
    up = True

    def is_up(self):
        return self.up


class Clock:
    source = SOURCE_NTP


class Ntp:
    dispersion_ms = 1015


class Board:
    """What toolcart.board.metrics asks of a chip's board."""

    def __init__(self, network, ports):
        self.network = network
        self.clock = Clock()
        self.ntp = Ntp()
        self.sockets = ports
        self.stamp = b"2024-03-15:10:26:53"  # a day and an hour behind the result of lab.harness.quiet

    def stamp_into(self, buf):
        for index in range(19):
            buf[index] = self.stamp[index]


def waiting():
    """An agent with results that wait for ToolsNet, and IDs that its controller had no more."""
    bench = Bench(configuration())
    bench.settle()
    for _ in range(WAITING):
        bench.controller.produce()
        bench.wait(1000)
    # What lies in front of its first ID is looked for once. Until then such IDs are open, and one of more than 30 bits
    # is an object on a chip.
    bench.idle(IDLE_STEPS)
    return bench


def told(page):
    """The whole page, as who asks gets it: so many octets at a time."""
    page.begin()
    told_octets = b""
    while page.fill():
        octets = min(100, page.at - page.sent)
        told_octets += bytes(page.buf[page.sent : page.sent + octets])
        page.sent += octets
    return told_octets.decode()


def octets_of(work):
    """The bytes that `work()` allocates; None where that says nothing of a board."""
    if sys.implementation.name == "micropython" and sys.maxsize <= 0x7FFFFFFF:
        return allocated(work)
    work()
    return None


# -- the page --------------------------------------------------------------------------------------------------------


def test_every_figure_that_is_known_is_on_the_page():
    bench = waiting()
    bench.station.name = 'Rear "left"'
    text = told(Page(bench.app, Board(Network(), None)))
    labels = '{station="1",name="Rear \\"left\\""'
    assert "\ntoolcart_results_stored_total%s} %d\n" % (labels, WAITING) in text
    assert "\ntoolcart_results_waiting%s} %d\n" % (labels, WAITING) in text
    # The second of the quiet controller's results ends with the last digit of their ID.
    assert "\ntoolcart_oldest_waiting_seconds%s} %d\n" % (labels, 86400 + 3602) in text
    assert '\ntoolcart_connected%s,side="controller"} 1\n' % labels in text
    assert '\ntoolcart_connected%s,side="toolsnet"} 0\n' % labels in text
    assert '\ntoolcart_connection_why%s,side="toolsnet",why="refused"} 1\n' % labels in text
    assert 'side="controller",why' not in text
    assert "\ntoolcart_clock_kept 1\n" in text and "\ntoolcart_clock_error_seconds 1.015\n" in text
    assert text.startswith("# TYPE toolcart_agent_memory_bytes gauge\ntoolcart_agent_memory_bytes ")
    assert text.endswith("# TYPE toolcart_needs gauge\n")


def test_the_page_says_what_toolcart_web_says_of_the_same_agent():
    if sys.implementation.name != "cpython":
        raise Skip("toolcart web is CPython's")
    import time

    from toolcart.agent.cart.status import snapshot
    from toolcart.tools.web.metrics import FAMILIES, Agent
    from toolcart.tools.web.metrics import text_of as text_of_web

    bench = waiting()
    log, numbers = bench.station.log, bench.station.state.numbers
    log.torn, log.worn, numbers[DAMAGED], numbers[OVERWRITTEN] = 2, 1, 3, 7
    bench.station.intake.full = True
    for index in range(len(bench.station.health.counters)):
        bench.station.health.counters[index] += 100 + index
    ours = told(Page(bench.app, Board(Network(), None)))
    status = dict(snapshot(bench.app), agent={})
    moment_s = time.mktime((2024, 3, 15, 10, 26, 53, 0, 0, -1))
    theirs = text_of_web([Agent("x", status)], moment_s).replace('agent="x",', "")
    for line in ours.splitlines():
        name = line.split()[2] if line.startswith("#") else line.split("{")[0].split(" ")[0]
        assert name in FAMILIES or name == "toolcart_agent_memory_free_bytes", line
        if line.startswith("#"):
            assert name not in FAMILIES or line.endswith(" " + FAMILIES[name][0])
        elif "{" in line:
            figure = line.rpartition(" ")
            assert "%s %s" % (figure[0], figure[2]) in theirs.replace(".0\n", "\n"), line
    elsewhere = ("noted", 'level="note"')  # a Pi's page also tells what is only noted
    told_there = [line for line in theirs.splitlines() if "{station" in line]
    assert ours.count("{") == len([line for line in told_there if not any(word in line for word in elsewhere)])


def test_a_figure_that_is_not_known_is_left_out():
    bench = waiting()
    board = Board(Network(), None)
    board.clock.source = SOURCE_RTC
    board.stamp = b"2000-01-01:00:00:00"  # a clock that was never set
    text = told(Page(bench.app, board))
    assert "oldest_waiting_seconds{" not in text and "clock_error" not in text
    assert "\ntoolcart_clock_kept 0\n" in text


def test_a_station_without_a_spool_says_that_alone():
    bench = waiting()
    bench.station.mounted = False
    text = told(Page(bench.app, Board(Network(), None)))
    assert '\ntoolcart_spool_up{station="1",name=""} 0\n' in text and "results_stored_total{" not in text


def test_a_page_longer_than_the_buffer_has_every_station_and_allocates_nothing():
    bench = waiting()
    stations = bench.app.stations
    while len(stations) < STATIONS:
        stations.append(stations[0])
    page = Page(bench.app, Board(Network(), None))
    text = told(page)
    assert len(text) > 10 * len(page.buf)
    assert text.count("toolcart_spool_up{") == text.count("toolcart_flash_erases_rated{") == STATIONS
    assert text.count("# TYPE toolcart_connected ") == 1
    page.begin()

    def make():
        while page.fill():
            page.sent = page.at

    octets = octets_of(make)
    print("allocated for a page of %d octets: %s bytes" % (len(text), octets))
    assert not octets


# -- connections -----------------------------------------------------------------------------------------------------


class Poll:
    """The port's own poll, with what its calls allocate: it looks things up by `id`, an int of an address, which is a
    small one on a chip (RAM lies below 0x40000000 on an RP2 and an ESP32) and is not here.
    """

    def __init__(self, poll):
        self.ipoll = poll.ipoll
        self.register = poll.register
        self.poll = poll
        self.octets = 0

    def modify(self, thing, events):
        before = gc.mem_alloc()
        self.poll.modify(thing, events)
        self.octets += gc.mem_alloc() - before

    def unregister(self, thing):
        before = gc.mem_alloc()
        self.poll.unregister(thing)
        self.octets += gc.mem_alloc() - before


class Asked:
    """A board with results that wait, its port, and who asks there."""

    def __init__(self):
        if sys.implementation.name != "micropython":
            raise Skip("CPython's sockets read into a part of a buffer otherwise")
        try:
            import socket

            from toolcart.board.metrics import Metrics
            from toolcart.board.sockets import Sockets
        except ImportError:
            raise Skip("this runtime has no sockets")
        self.bench = waiting()
        self.network = Network()
        self.board = Board(self.network, Sockets(self.network.is_up, None, None))
        self.poll = self.board.sockets.poll = Poll(self.board.sockets.poll)
        self.metrics = Metrics(self.bench.app, self.board, PORT, self.bench.moment)
        self.socket = socket
        self.clients = []
        self.listener = None

    def listen(self):
        self.metrics.turn(self.bench.moment)
        self.listener = self.metrics.sock
        return self

    def turn(self):
        """One turn of the loop; the bytes that its part of it allocates."""
        self.board.sockets.wait(self.bench.app, 20, self.bench.now)
        return octets_of(self.go_on)

    def go_on(self):
        self.metrics.turn(self.bench.moment)

    def client(self, octets):
        """Somebody who connects and says this."""
        client = self.socket.socket()
        client.connect(self.socket.getaddrinfo("127.0.0.1", PORT)[0][-1])
        client.write(octets)
        self.clients.append(client)
        return client

    def answered(self, client):
        """Let it be answered: what it was told, and the bytes that this took behind the connection's taking."""
        while self.metrics.sock is self.listener:
            self.turn()
        octets = 0
        self.poll.octets = 0
        while self.metrics.sock is not self.listener:
            octets += self.turn() or 0
        if sys.maxsize <= 0x7FFFFFFF:
            octets -= self.poll.octets
            assert self.poll.octets == 0 or id(self.listener) > 0x3FFFFFFF
        return client.read().decode(), octets

    def close(self):
        for client in self.clients:
            client.close()
        if self.metrics.sock is not None:
            self.metrics.sock.close()


def asked(work):
    """Do `work` with a board that listens."""
    board = Asked()
    try:
        work(board.listen())
    finally:
        board.close()


def test_who_asks_is_told_the_page_and_nothing_is_allocated_for_it():
    def work(board):
        text, octets = board.answered(board.client(ASKED))
        again, more = board.answered(board.client(ASKED))
        assert text.startswith("HTTP/1.0 200 OK\r\n") and "text/plain; version=0.0.4" in text
        page = text.partition("\r\n\r\n")[2]
        assert page.startswith("# TYPE toolcart_") and page.endswith("total counter\n# TYPE toolcart_needs gauge\n")
        assert len(again) > 2000 and board.metrics.answers == 2
        print("allocated for an answer of %d octets: %d and %d bytes" % (len(text), octets, more))
        assert octets == more == 0

    asked(work)


def test_a_question_that_comes_in_pieces_is_heard():
    def work(board):
        client = board.client(b"GET /metrics HTTP/1.1\r\nHost: cart\r")
        for _ in range(3):
            board.turn()
        client.write(b"\n\r")
        for _ in range(2):
            board.turn()
        client.write(b"\n")
        assert "toolcart_results_stored_total" in board.answered(client)[0]

    asked(work)


def test_who_asks_for_something_else_is_told_where_it_is():
    def work(board):
        text, _ = board.answered(board.client(b"GET / HTTP/1.0\r\n\r\n"))
        assert text.startswith("HTTP/1.0 404") and text.endswith("/metrics.\n")

    asked(work)


def test_who_says_nothing_is_left_and_the_next_one_is_answered():
    def work(board):
        board.client(b"GET /met")
        second = board.client(ASKED)
        while board.metrics.sock is board.listener:
            board.turn()
        for _ in range(3):
            board.turn()
        assert board.metrics.sock is not board.listener
        board.bench.wait(6000)
        board.turn()
        assert "toolcart_results_stored_total" in board.answered(second)[0]

    asked(work)


def test_who_goes_away_in_the_middle_is_no_fault():
    def work(board):
        client = board.client(ASKED)
        while board.metrics.sock is board.listener:
            board.turn()
        client.close()
        while board.metrics.sock is not board.listener:
            board.turn()
        assert "toolcart_results_stored_total" in board.answered(board.client(ASKED))[0]

    asked(work)


def test_nothing_listens_while_there_is_no_network():
    board = Asked()
    board.network.up = False
    try:
        assert board.metrics.turn(board.bench.moment) > 0 and not board.metrics.about()["listens"]
        board.network.up = True
        board.listen()
        assert board.metrics.about() == {"port": PORT, "listens": True, "answers": 0}
    finally:
        board.close()
