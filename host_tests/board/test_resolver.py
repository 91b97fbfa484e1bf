"""Names are looked up without waiting; only who was asked is believed, and a dead server stops nothing."""

import os

from toolcart.agent.link.port import is_numeric
from toolcart.base.clock import Dice, SimClock
from toolcart.board import resolver
from host_tests.board.test_safe_mode import own_name
from host_tests.portable import need_files

PORTABLE = True

FILE = own_name("names_test")
SERVER = "10.0.0.53"
OTHER = "10.0.0.54"


class Poll:
    def __init__(self):
        self.socks = []

    def register(self, sock, events):
        self.socks.append(sock)

    def unregister(self, sock):
        assert not sock.closed, "unregistered behind its close"
        self.socks.remove(sock)


class Sock:
    def __init__(self, lan):
        self.lan = lan
        self.closed = False
        self.come = []

    def sendto(self, octets, place):
        if self.lan.down:
            raise OSError(113)
        self.lan.requests.append((bytes(octets), place))
        answer = self.lan.answer(bytes(octets), place)
        if answer is not None:
            self.come.append(answer)

    def recvfrom(self, n):
        if not self.come:
            raise OSError(11)
        octets, place = self.come.pop(0)
        return octets[:n], place

    def close(self):
        self.closed = True


class Lan:
    """A network with name servers; `zone` is name to address, "" for none, absent for silence."""

    def __init__(self, servers=(SERVER,)):
        self.clock = SimClock()
        self.dice = Dice(7)
        self.servers = servers
        self.zone = {}
        self.down = False
        self.requests = []
        self.poll = Poll()
        self.change = None  # what a test does to an answer
        self.resolver = resolver.Resolver(
            self.poll, lambda: self.servers, lambda: Sock(self), lambda host, port: (host, port), self.number, FILE
        )

    def number(self):
        return self.dice.randrange(65536)

    def answer(self, octets, place):
        address = self.zone.get((place[0], name_in(octets)))
        if address is None:
            return None
        made = reply(octets, address)
        return (made, place) if self.change is None else self.change(made, place)

    def go(self, ms):
        """Let time pass as the loop would: the socket is read when something came, `tick` when it asked for."""
        end = self.clock.total_ms + ms
        while self.clock.total_ms < end:
            if self.resolver.sock is not None and self.resolver.sock.come:
                self.resolver.receive()
            wait_ms = self.resolver.tick(self.clock.now)
            assert wait_ms > 0
            rest_ms = end - self.clock.total_ms
            self.clock.advance(wait_ms if wait_ms < rest_ms else rest_ms)
        self.resolver.receive()
        return self

    def ask(self, name):
        return self.resolver.ask(name, self.clock.now)


def name_in(octets):
    labels = []
    at = 12
    while octets[at]:
        labels.append(octets[at + 1 : at + 1 + octets[at]].decode())
        at += 1 + octets[at]
    return ".".join(labels)


def reply(query, address, chain=1):
    """A server's answer, with an alias in front of the address as RFC 1034, 3.6.2 has it; none for ""."""
    head = bytearray(query)
    head[2] = 0x81
    head[3] = 0x80 if address else 0x83
    if not address:
        return bytes(head)
    head[7] = chain + 1
    for _ in range(chain):
        head.extend(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01a\xc0\x0c")
    head.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04")
    head.extend(bytes([int(part) for part in address.split(".")]))
    return bytes(head)


class Kept:
    """A Lan; no file of an earlier test is there, before and after."""

    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        need_files()
        self.__exit__()
        return Lan(**self.options)

    def __exit__(self, *_):
        for name in (FILE, FILE + ".new"):
            try:
                os.remove(name)
            except OSError:
                pass


def test_numeric_hosts_are_no_names():
    for host in ("10.0.0.5", "0.0.0.0", "255.255.255.255"):
        assert is_numeric(host)
    for host in ("10.0.0.256", "10.0.0", "10.0.0.5.6", "pim", "10.0.0.x", "1000.0.0.1", "", "..."):
        assert not is_numeric(host)


def test_the_question_is_octet_for_octet_that_of_the_rfc():
    assert bytes(resolver.question("ab.c", 0x1234)) == (
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02ab\x01c\x00\x00\x01\x00\x01"
    )
    for name in ("a..b", ".", "x" * 64 + ".b"):
        assert resolver.question(name, 1) is None


def test_a_server_that_knows_no_such_name_is_an_answer():
    with Kept() as lan:
        lan.zone[SERVER, "pim"] = ""
        lan.ask("pim")
        lan.go(10)
        assert lan.resolver.state("pim") == resolver.UNKNOWN and lan.resolver.sock is None


def test_the_second_server_answers_for_a_dead_first():
    with Kept(servers=(SERVER, OTHER)) as lan:
        lan.zone[OTHER, "pim"] = "192.0.2.20"
        lan.ask("pim")
        lan.go(resolver.TRY_MS + 10)
        assert lan.resolver.address("pim") == "192.0.2.20"


def test_what_was_known_serves_on_after_one_question_also_after_a_restart():
    with Kept() as lan:
        lan.zone[SERVER, "pim"] = "192.0.2.20"
        lan.ask("pim")
        lan.go(10)
        lan.zone.clear()
        for _ in range(2):
            lan.ask("pim")
            lan.go(resolver.TRY_MS - 1)
            assert lan.resolver.state("pim") == resolver.ASKING
            lan.go(2)
            assert lan.resolver.state("pim") == resolver.KNOWN and lan.resolver.address("pim") == "192.0.2.20"
            lan = Lan()  # the board starts again, and the server is dead still
            assert lan.resolver.state("pim") == resolver.SILENT


def test_a_new_address_replaces_the_old_one():
    with Kept() as lan:
        for address in ("192.0.2.20", "192.0.2.21"):
            lan.zone[SERVER, "pim"] = address
            lan.ask("pim")
            lan.go(10)
            assert lan.resolver.address("pim") == address
        assert Lan().resolver.address("pim") == "192.0.2.21"


def test_a_network_that_accepts_nothing_is_asked_again_and_no_error():
    with Kept() as lan:
        lan.down = True
        assert lan.ask("pim") == resolver.ASKING
        lan.go(resolver.TRIES * resolver.TRY_MS + 10)
        assert lan.resolver.state("pim") == resolver.SILENT and lan.poll.socks == []
        lan.servers = ()
        lan.ask("pim")
        lan.go(resolver.TRIES * resolver.TRY_MS + 10)
        assert lan.resolver.state("pim") == resolver.SILENT


def test_answers_that_are_none_are_counted_and_change_nothing():
    changes = (
        ("other number", lambda made, place: (bytes([made[0] ^ 1]) + made[1:], place)),
        ("other sender", lambda made, place: (made, ("10.0.0.66", 53))),
        ("other port", lambda made, place: (made, (place[0], 5353))),
        ("other name", lambda made, place: (made.replace(b"\x03pim", b"\x03pam"), place)),
        ("a question", lambda made, place: (made[:2] + b"\x01" + made[3:], place)),
        ("in trouble", lambda made, place: (made[:3] + b"\x82" + made[4:], place)),
    )
    for name, change in changes:
        with Kept() as lan:
            lan.change = change
            lan.zone[SERVER, "pim"] = "192.0.2.20"
            lan.ask("pim")
            lan.go(resolver.TRIES * resolver.TRY_MS + 10)
            assert lan.resolver.state("pim") == resolver.SILENT and lan.resolver.strange == resolver.TRIES, name


def test_no_datagram_raises_whatever_is_cut_or_changed():
    query = bytes(resolver.question("pim.plant.example", 77))
    good = reply(query, "192.0.2.20", 2)
    for length in range(len(good)):
        assert resolver.answered(good[:length], query) is None
    dice = Dice(3)
    for _ in range(3000):
        octets = bytearray(good)
        for _ in range(1 + dice.randrange(4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        answer = resolver.answered(octets, query)
        assert answer is None or answer == "" or is_numeric(answer)


def test_names_are_bounded_and_the_one_in_use_stays():
    with Kept() as lan:
        for number in range(30):
            lan.ask("host%d" % number)
            lan.ask("pim")
        assert len(lan.resolver._names) == resolver.NAMES_MAX
        assert lan.resolver.state("pim") == resolver.ASKING
        lan.zone[SERVER, "pim"] = "192.0.2.20"
        lan.go(resolver.TRY_MS + 10)
        assert lan.resolver.address("pim") == "192.0.2.20"


def test_local_names_are_asked_of_the_neighbours():
    with Kept() as lan:
        lan.zone["224.0.0.251", "press.local"] = "192.0.2.9"
        lan.change = lambda made, place: (made, ("192.0.2.9", 5353))
        lan.ask("press.local")
        lan.go(10)
        assert lan.requests[0][1] == ("224.0.0.251", 5353)
        assert lan.resolver.address("press.local") == "192.0.2.9"
