"""board/tls.py over sockets that are played: no memory, mbedtls's numbers, what it owes, firmware with 1.2 alone."""

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NO_SOCKET,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
    WHY_RESET,
    WHY_TLS_BROKEN,
    WHY_TLS_REFUSED,
)
from lab.harness.portable_session import Skip

PORTABLE = True

NOTHING = None  # what a socket that does not wait returns where there is nothing


def system(number):
    """The error of this number; with a text, as CPython gives it no number without."""
    return OSError(number, "")


class Poll:
    """Who is looked after, and for what."""

    def __init__(self):
        self.registered = {}

    def register(self, sock, events):
        assert sock not in self.registered
        self.registered[sock] = events

    def modify(self, sock, events):
        assert sock in self.registered
        self.registered[sock] = events

    def unregister(self, sock):
        del self.registered[sock]


class Sock:
    """TCP, and what speaks TLS over it: gives what is in `script`, one thing for each read, and raises errors."""

    def __init__(self, script=()):
        self.script = list(script)
        self.room = 10000
        self.written = b""
        self.closed = 0

    def readinto(self, buf, n=1):
        thing = self.script.pop(0) if self.script else NOTHING
        if isinstance(thing, Exception):
            raise thing
        if isinstance(thing, bytes):
            buf[0] = thing[0]
            return 1
        return thing

    def write(self, buf, start, n):
        taken = n if n < self.room else self.room
        self.room -= taken
        self.written += bytes(buf[start : start + taken])
        return taken or NOTHING

    def close(self):
        self.closed += 1


class Shared:
    """What toolcart.board.tls.Tls is to a port; it is the context too."""

    def __init__(self, sock, has_13=True):
        self.context = self
        self.has_13 = has_13
        self.has_passed = False
        self.sock = sock

    def wrap_socket(self, tcp, server_hostname, do_handshake_on_connect):
        assert server_hostname == "pim" and do_handshake_on_connect is False
        if isinstance(self.sock, Exception):
            raise self.sock
        return self.sock


class Passing(Sock):
    """Its certificate passes with the read after so many."""

    def __init__(self, after, script):
        Sock.__init__(self, script)
        self.after = after
        self.shared = None

    def readinto(self, buf, n=1):
        if self.after == 0:
            self.shared.has_passed = True
        self.after -= 1
        return Sock.readinto(self, buf, n)


class Bench:
    """A port whose TCP connection is there; `input` is an event of the poll."""

    def __init__(self, sock, has_13=True):
        try:
            from toolcart.board.tls import TlsPort
        except ImportError:
            raise Skip("this runtime has no sockets")
        import select

        if not hasattr(select, "poll"):
            raise Skip("this runtime has no poll")
        self.poll = Poll()
        self.tcp = Sock()
        self.shared = Shared(sock, has_13)
        if isinstance(sock, Passing):
            sock.shared = self.shared
        self.port = port = TlsPort(self, self.shared, None)
        port._host = "pim"
        port.sock = self.tcp
        port.why = 0
        self.poll.register(self.tcp, 5)
        port._state = PORT_OPENING
        self.input = select.POLLIN

    def listen(self, port, sock, events):
        self.poll.register(sock, events)

    def forget(self, sock):
        self.poll.unregister(sock)

    def look(self, has_input=True):
        if has_input:
            self.port.events = self.input
        return self.port.state()


def opened(script=()):
    bench = Bench(Passing(0, [NOTHING] + list(script)))
    assert bench.look() == PORT_OPEN
    return bench


def test_it_is_opening_before_tcp_is_connected_and_while_it_shakes_hands():
    bench = Bench(Sock())
    assert bench.look(False) == PORT_OPENING and bench.tcp in bench.poll.registered
    for _ in range(3):
        assert bench.look() == PORT_OPENING
        assert list(bench.poll.registered) == [bench.shared.sock]
    bench.port.close()
    assert not bench.poll.registered and bench.tcp.closed and bench.shared.sock.closed
    bench.port.close()
    assert bench.look() == PORT_CLOSED


def test_no_memory_is_a_connection_that_could_not_be_opened():
    for error in (MemoryError(), system(12), system(-0x7F00), system(-0x2880 - 0x6A), system(16), system(-0x4D80)):
        for sock in (error, Sock([error]), Sock([NOTHING, error])):
            bench = Bench(sock)
            while bench.look() == PORT_OPENING:
                pass
            assert bench.look() == PORT_CLOSED and bench.port.why == WHY_NO_SOCKET, error
            assert bench.tcp.closed and not bench.poll.registered


def test_what_keeps_the_handshake_from_success_is_reported():
    for error, why in (
        (ValueError("The certificate has expired"), WHY_NOT_TRUSTED),
        (system(-0x2700), WHY_NOT_TRUSTED),
        (system(-0x7280), WHY_ENDED),
        (system(-0x7780), WHY_TLS_REFUSED),
        (system(-0x7200), WHY_NO_TLS),
        (system(104), WHY_RESET),
        (system(32), WHY_RESET),
        (0, WHY_ENDED),
    ):
        bench = Bench(Sock([NOTHING, error]))
        while bench.look() == PORT_OPENING:
            pass
        assert bench.port.why == why and bench.port.sock is None, error


def test_with_tls_1_3_it_is_open_when_the_certificate_has_passed():
    bench = Bench(Passing(1, []))
    assert bench.look() == PORT_OPENING
    assert bench.look() == PORT_OPEN


def test_without_it_when_something_has_come_since():
    bench = Bench(Passing(1, []), has_13=False)
    assert bench.look() == bench.look() == bench.look(False) == PORT_OPENING
    assert bench.look() == PORT_OPEN


def test_an_octet_that_comes_with_the_end_of_the_handshake_is_read():
    bench = Bench(Passing(0, [b"a", b"b", NOTHING]), has_13=False)
    buf = bytearray(8)
    assert bench.look() == PORT_OPEN
    assert bench.port.readinto(buf, 0) == 0
    assert bench.port.readinto(buf, 8) == 2 and bytes(buf[:2]) == b"ab"
    assert bench.port.readinto(buf, 8) == 0


def test_what_has_come_is_read_before_end_is_reported_and_end_wakes():
    for end, why in (
        (0, WHY_ENDED),
        (system(-0x7280), WHY_ENDED),
        (system(-104), WHY_RESET),
        (system(-0x7780), WHY_TLS_REFUSED),
        (system(-0x7180), WHY_TLS_BROKEN),
    ):
        bench = opened([b"a", b"b", end])
        buf = bytearray(8)
        before = bench.poll.registered[bench.port.sock]
        assert bench.port.readinto(buf, 8) == 2
        assert bench.poll.registered[bench.port.sock] != before  # for room to write: that is there at once
        assert bench.port.readinto(buf, 8) == bench.port.readinto(buf, 8) == PORT_LOST
        assert bench.port.why == why


def test_what_mbedtls_owes_goes_first_and_alone():
    bench = opened()
    port, sock = bench.port, bench.port.sock
    before = bench.poll.registered[sock]
    sock.room = 3
    assert port.write(b"-abcdefgh", 1, 5) == 3
    assert bench.poll.registered[sock] != before
    sock.room = 100
    assert port.write(b"defgh", 0, 5) == 2  # of the record that lies there
    assert port.write(b"fgh", 0, 3) == 3
    assert sock.written == b"abcdefgh" and bench.poll.registered[sock] == before


def test_a_lost_connection_is_noticed_by_a_write_too():
    bench = opened()

    class Broken(Sock):
        def write(self, buf, start, n):
            raise system(-104)

    bench.poll.registered = {}
    bench.port.sock = Broken()
    bench.poll.register(bench.port.sock, 1)
    assert bench.port.write(b"x", 0, 1) == PORT_LOST and bench.port.why == WHY_RESET


def test_lengths_of_certificates():
    try:
        from toolcart.board.tls import _length_of
    except ImportError:
        raise Skip("this runtime has no sockets")
    assert _length_of(b"\x30\x05abcde", 0) == 7
    assert _length_of(b"..\x30\x82\x01\x02", 2) == 4 + 258
    assert _length_of(b"\x30\x81\x80", 0) == 3 + 128
