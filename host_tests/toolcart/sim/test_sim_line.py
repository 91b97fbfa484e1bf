"""Simulated lines keep the Port contract and break only in the ways they are told to."""

from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING, is_address
from toolcart.base.clock import Dice, SimClock
from toolcart.sim.endpoint import Endpoint
from lab.harness.line import Network

PORTABLE = True

PLACE = ("cart", 4545)


class Echo(Endpoint):
    """Sends back what it gets; remembers what happened."""

    instances = []

    def __init__(self):
        super().__init__([], [])
        self.received = []
        self.gone = False
        Echo.instances.append(self)

    def receive(self, octets, now):
        self.received.append(octets)
        self.send(octets)

    def tick(self, now):
        return self.release(now)

    def disconnected(self, now):
        super().disconnected(now)
        self.gone = True


def build(connect_now=True):
    Echo.instances = []
    clock = SimClock()
    network = Network(clock, Dice(3))
    line = network.listen(PLACE[0], PLACE[1], Echo)
    port = network.port()
    if connect_now:
        port.open(PLACE[0], PLACE[1])
        network.step()
    return clock, network, line, port


def read(port, n=100):
    """Return what one read gives, or its negative count."""
    buf = bytearray(n)
    count = port.readinto(buf, n)
    return bytes(buf[:count]) if count >= 0 else count


def drain(clock, network, port, limit_ms=100000):
    """Return all the bytes that come, and the pieces they came in."""
    pieces = []
    spent = 0
    while spent < limit_ms:
        network.step()
        piece = read(port)
        if piece == -1:
            break
        if piece:
            pieces.append(piece)
            continue
        wait = min(network.next_due(), limit_ms)
        clock.advance(wait)
        spent += wait
    return b"".join(pieces), pieces


def test_bytes_go_there_and_back_in_one_step_without_delay():
    _, network, _, port = build()
    assert port.state() == PORT_OPEN
    assert port.write(b"..hello", 2, 5) == 5
    assert network.step()
    assert network.readable()
    assert read(port) == b"hello"
    assert read(port) == b""


def test_connect_takes_its_time_and_says_when_it_is_due():
    clock, network, line, port = build(connect_now=False)
    line.connect_delay_ms = 30
    port.open(PLACE[0], PLACE[1])
    network.step()
    assert port.state() == PORT_OPENING
    assert port.write(b"x", 0, 1) == 0
    assert read(port) == b""
    assert network.next_due() == 30
    clock.advance(30)
    network.step()
    assert port.state() == PORT_OPEN


def test_delay_is_one_way_each():
    clock, network, line, port = build()
    line.delay_ms = 10
    port.write(b"abc", 0, 3)
    clock.advance(network.next_due())
    network.step()
    assert Echo.instances[0].received == [b"abc"]
    assert read(port) == b""
    assert network.next_due() == 10
    clock.advance(10)
    network.step()
    assert read(port) == b"abc"


def test_no_one_listening_refuses():
    _, network, _, port = build(connect_now=False)
    port.open("elsewhere", 1)
    network.step()
    assert port.state() == PORT_CLOSED
    assert network.refused == 1


def test_down_resets_and_refuses_until_up():
    _, network, _, port = build()
    network.down(PLACE[0], PLACE[1])
    assert port.state() == PORT_CLOSED
    assert read(port) == -1
    assert port.write(b"x", 0, 1) == -1
    assert Echo.instances[0].gone
    port.open(PLACE[0], PLACE[1])
    network.step()
    assert port.state() == PORT_CLOSED
    network.up(PLACE[0], PLACE[1])
    port.open(PLACE[0], PLACE[1])
    network.step()
    assert port.state() == PORT_OPEN


def test_cut_loses_what_is_under_way_and_lets_connect_again():
    clock, network, line, port = build()
    line.delay_ms = 10
    port.write(b"abc", 0, 3)
    network.cut(PLACE[0], PLACE[1])
    clock.advance(100)
    network.step()
    assert Echo.instances[0].received == []
    port.open(PLACE[0], PLACE[1])
    network.step()
    assert port.state() == PORT_OPEN


def test_black_hole_neither_delivers_nor_fails_and_goes_on_afterwards():
    clock, network, _, port = build()
    network.swallow(PLACE[0], PLACE[1])
    assert port.write(b"abc", 0, 3) == 3
    clock.advance(60000)
    network.step()
    assert port.state() == PORT_OPEN
    assert read(port) == b""
    assert Echo.instances[0].excused
    second = network.port()
    second.open(PLACE[0], PLACE[1])
    clock.advance(60000)
    network.step()
    assert second.state() == PORT_OPENING
    network.up(PLACE[0], PLACE[1])
    network.step()
    assert read(port) == b"abc"
    assert second.state() == PORT_OPEN


def test_peer_that_forgot_the_connection_answers_a_write_with_reset():
    _, network, _, port = build()
    network.half_open(PLACE[0], PLACE[1])
    network.step()
    assert port.state() == PORT_OPEN
    port.write(b"abc", 0, 3)
    network.step()
    assert port.state() == PORT_CLOSED


def test_agent_that_lost_power_leaves_its_peer_connected():
    _, network, _, port = build()
    network.abandon(port)
    network.step()
    assert port.state() == PORT_CLOSED
    assert not Echo.instances[0].gone
    assert Echo.instances[0].excused
    port.open(PLACE[0], PLACE[1])
    network.step()
    assert len(Echo.instances) == 2


def test_close_by_the_peer_is_read_after_the_last_byte():
    _, network, _, port = build()
    Echo.instances[0].send(b"bye")
    Echo.instances[0].wants_close = True
    network.step()
    assert read(port, 2) == b"by"
    assert read(port, 2) == b"e"
    assert read(port) == -1
    assert port.state() == PORT_CLOSED


def test_close_of_the_port_reaches_the_peer_after_what_was_written():
    _, network, _, port = build()
    port.write(b"abc", 0, 3)
    port.close()
    port.close()
    network.step()
    assert Echo.instances[0].received == [b"abc"]
    assert Echo.instances[0].gone


def test_every_split_position_delivers_the_same_stream():
    text = b"0123456789"
    for position in range(1, len(text)):
        clock, network, line, port = build()
        line.split_at = position
        port.write(text, 0, len(text))
        stream, pieces = drain(clock, network, port, 1000)
        assert stream == text
        assert pieces == [text[:position], text[position:]]


def test_random_splits_deliver_the_same_stream_in_pieces():
    clock, network, line, port = build()
    line.random_splits = True
    text = b"0123456789" * 8
    sent = 0
    while sent < len(text):
        sent += port.write(text, sent, len(text) - sent)
    stream, pieces = drain(clock, network, port, 1000)
    assert stream == text
    assert len(pieces) > 2
    assert len(Echo.instances[0].received) > 2


def test_limits_bound_reads_writes_and_segments():
    _, network, line, port = build()
    line.read_limit = 2
    line.write_limit = 5
    line.segment_bytes = 3
    assert port.write(b"0123456789", 0, 10) == 5
    network.step()
    assert Echo.instances[0].received == [b"012", b"34"]
    assert read(port) == b"01"


def test_full_buffer_accepts_nothing_until_the_peer_has_it():
    clock, network, line, port = build()
    line.delay_ms = 10
    line.buffer_bytes = 4
    assert port.write(b"0123456789", 0, 10) == 4
    assert port.write(b"456789", 0, 6) == 0
    clock.advance(10)
    network.step()
    assert port.write(b"456789", 0, 6) == 4


def test_bandwidth_makes_bytes_wait_for_each_other():
    clock, network, line, port = build()
    line.bytes_per_s = 1000
    port.write(b"x" * 100, 0, 100)
    assert network.next_due() == 100
    clock.advance(99)
    network.step()
    assert Echo.instances[0].received == []
    clock.advance(1)
    network.step()
    assert len(Echo.instances[0].received) == 1


def test_what_was_sent_later_waits_behind_what_was_sent_late():
    clock = SimClock()
    endpoint = Echo()
    endpoint.send_later(b"first", 20, clock.now)
    endpoint.send(b"second")
    assert endpoint.outgoing() == b""
    clock.advance(20)
    endpoint.tick(clock.now)
    assert endpoint.outgoing() == b"firstsecond"


def test_host_is_printable_ascii_of_name_s_length_and_port_is_one():
    for host in ("192.0.2.1", "::1", "fe80::1%eth0", "toolsnet.plant", "x", "a" * 253):
        assert is_address(host, 1) and is_address(host, 65535)
    for host in ("", "\0", "192.0.2.1\0", "a b", " ", "a\n", "\x7f", "b\xfcro", "\u20ac", "a" * 254):
        assert not is_address(host, 4545)
    for number in (0, -1, 65536, 1 << 31):
        assert not is_address("192.0.2.1", number)
