"""Who opens too much, says nothing whole, does not read, or has no right certificate takes nothing from the others."""

import resource
import socket
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcart.archive.server import connections, server, server_state, unknown_connections
from toolcart.archive.server.connection_limits import ConnectionLimits
from toolcart.archive.storage import writer
from host_tests.support.archive import DESCRIBED, RESULT, Served, place_in, result


def is_closed(talk):
    """True if the other side has closed or reset the connection."""
    try:
        return talk.receive() == ""
    except ConnectionError:
        return True


def test_one_address_may_not_take_all_places(tmp_path, monkeypatch):
    monkeypatch.setattr(server_state, "FROM_ONE_MOST", 3)
    with Served(place_in(tmp_path)) as archive:
        stations = [archive.server() for _ in range(3)]
        assert all(
            talk.ask(result(1, number, station=number))[21:24] == "000" for number, talk in enumerate(stations, 1)
        )
        assert is_closed(archive.server())
        other = socket.create_connection(("127.0.0.1", archive.server_port), 5, ("127.0.0.2", 0))
        with other:
            other.settimeout(5)
            other.sendall(b"00070600098")
            assert other.recv(100)[4:6] == b"05"
        stations.pop().socket.close()
        stations[0].ask("0600099")  # so that the close was seen
        archive.report(RESULT)
        assert archive.state.turned_away == 1


def test_who_has_brought_nothing_makes_room_for_who_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(server_state, "FROM_ONE_MOST", 3)
    with Served(place_in(tmp_path)) as archive, archive.server() as active:
        assert active.ask(result(1, 1))[21:24] == "000"
        idle = [archive.server(), archive.pim()]
        assert idle[0].ask("0600099")[:2] == "05" and idle[1].receive()[:2] == "12"
        for number in range(2, 6):
            with archive.server() as station:
                assert station.ask(result(1, number, station=number))[21:24] == "000"
                assert active.ask("0600097")[2:7] == "00097"
        assert is_closed(idle[0]) and not archive.state.writer.failed


def test_all_places_together_are_bounded_by_what_may_be_open(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        with Served(place_in(tmp_path)) as archive:
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(server.FILES_WANTED, hard)
            assert archive.state.connection_limits.most <= server_state.CLIENTS_MOST
            archive.state.connection_limits.most = 1
            with archive.server() as first:
                assert first.ask(RESULT)[21:24] == "000"
                assert is_closed(archive.server())
                assert first.ask("0600098")[2:7] == "00098"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


GUESTS = st.tuples(st.sampled_from(["come", "trust", "leave"]), st.integers(0, 30), st.sampled_from("abc"))


@given(st.lists(GUESTS, max_size=120), st.integers(1, 6), st.integers(1, 6))
def test_places_are_bounded_and_who_has_brought_something_keeps_one(steps, most, of_one):
    places, there, trusted = ConnectionLimits(most, of_one), {}, set()
    for what, guest, address in steps:
        if what == "come" and guest not in there:
            of_its = [one for one in there if there[one] == address]
            crowd = of_its if len(of_its) >= of_one else list(there) if len(there) >= most else []
            unknown = [one for one in crowd if one not in trusted]
            out = places.take(guest, address)
            assert out == ((unknown or [guest])[0] if crowd else None)
            there.pop(out, None)
            if out != guest:
                there[guest] = address
        elif what == "trust" and guest in there:
            places.trust(guest)
            trusted.add(guest)
        elif what == "leave":
            places.leave(guest)
            there.pop(guest, None)
            trusted.discard(guest)
        assert list(places) == list(there) and len(places) <= most
        assert {one for one in there if places.is_unknown(one)} == set(there) - trusted


class Flood:
    """An unknown connection that always has something more, of which each telegram takes a while."""

    def __init__(self, clock, telegrams):
        self.clock, self.left = clock, telegrams
        self.reads = True

    def take(self, most):
        taken = min(most, self.left)
        self.left -= taken
        self.clock.s += taken * 0.0001
        return taken == most

    def read(self, on):
        self.reads = on


class Clock:
    """A loop whose time is what is said."""

    def __init__(self):
        self.s = 100.0
        self.due = []

    def call_later(self, delay_s, what):
        self.due.append((self.s + max(0.0, delay_s), what))
        return what

    def run_next(self):
        when, what = self.due.pop(0)
        self.s = max(self.s, when)
        before = self.s
        what()
        return self.s - before


def test_unknown_connections_take_turns_and_all_is_taken(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(unknown_connections.time, "perf_counter", lambda: clock.s)
    served = unknown_connections.UnknownConnections(clock)
    floods = [Flood(clock, 400) for _ in range(10)]
    for flood in floods:
        served.serve(flood)
    assert clock.s - 100 < 2 * unknown_connections.SHARE_S
    began_s, used_s = clock.s, 0.0
    while clock.due:
        used_s += clock.run_next()
        left = [flood.left for flood in floods]
        assert max(left) - min(left) <= 2 * unknown_connections.TELEGRAMS_MOST
    assert not any(left) and all(flood.reads for flood in floods)
    assert used_s < 0.4 * (clock.s - began_s)


def test_an_unknown_connection_alone_waits_for_nothing(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(unknown_connections.time, "perf_counter", lambda: clock.s)
    served = unknown_connections.UnknownConnections(clock)
    for _ in range(50):
        flood = Flood(clock, 3)
        served.serve(flood)
        assert not flood.left and not clock.due
        clock.s += unknown_connections.PERIOD_S


def test_an_octet_now_and_then_keeps_no_place(tmp_path):
    with Served(place_in(tmp_path), silence_s=0.5) as archive, archive.server() as talk:
        talk.socket.settimeout(0.05)
        for octet in b"0399" + b"0" * 200:
            try:
                talk.socket.sendall(bytes([octet]))
                if talk.socket.recv(1) == b"":
                    break
            except TimeoutError:
                continue  # nothing was said, and it is open
            except ConnectionError:
                break
        else:
            raise AssertionError("it is still open")


def test_peer_that_does_not_read_is_reset_and_its_results_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "UNSENT_BYTES_MOST", 512)
    with Served(place_in(tmp_path)) as archive:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.settimeout(20)
        deaf.connect(("127.0.0.1", archive.server_port))
        keep_alive = b"00070600099" * 1000
        try:
            for _ in range(2000):
                deaf.sendall(keep_alive)
            raise AssertionError("nothing has stopped it")
        except ConnectionError:
            pass
        finally:
            deaf.close()
        assert archive.state.unread == 1
        archive.report(result(1, 1))


@pytest.mark.parametrize("too_much", ["of one", "of all"])
def test_what_is_not_committed_is_bounded_and_stored_in_the_end(tmp_path, monkeypatch, too_much):
    """The database stands still, one station sends 300 results, another one its single one."""
    bound, octets = 5000, connections.TELEGRAM_BYTES + len(RESULT)
    monkeypatch.setattr(connections, "UNCOMMITTED_OF_ONE_MOST", bound if too_much == "of one" else 10**9)
    monkeypatch.setattr(connections, "UNCOMMITTED_MOST", bound if too_much == "of all" else 10**9)
    with Served(place_in(tmp_path)) as archive, archive.server() as many, archive.server() as one:
        assert one.ask(result(1, 1, station=11))[21:24] == "000"
        standing = sqlite3.connect(place_in(tmp_path), isolation_level=None)
        standing.execute("BEGIN IMMEDIATE")
        many.send(*[result(number, number) for number in range(1, 301)])
        for _ in range(10000):
            one.ask("0600099")
            if archive.state.uncommitted >= bound:
                break
        for _ in range(50):
            one.ask("0600099")  # whatever else had come would be read by now
        assert bound <= archive.state.uncommitted <= bound + octets
        one.send(result(2, 2, station=11))
        standing.execute("ROLLBACK")
        standing.close()
        assert one.receive()[21:24] == "000"
        answers = [many.receive() for _ in range(300)]
        assert [int(answer[2:7]) for answer in answers] == list(range(1, 301))
        assert {answer[21:24] for answer in answers} == {"000"}
        assert archive.state.uncommitted == 0
        assert archive.rows("SELECT count(*) FROM Result") == [(302,)]


def test_two_stations_with_one_number_are_both_stored_and_noted(tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as here, archive.server() as second:
        assert here.ask(result(1, 1))[21:24] == second.ask(result(2, 2))[21:24] == "000"
        assert archive.state.breaches == 0  # a station may connect twice
        elsewhere = archive.server(host="127.0.0.2")
        assert elsewhere.ask(result(3, 3))[21:24] == "000"
        assert archive.state.breaches == 0  # the other one may be gone
        assert here.ask(result(4, 4))[21:24] == elsewhere.ask(result(5, 5))[21:24] == "000"
        elsewhere.socket.close()
        assert archive.rows("SELECT count(*) FROM Result") == [(5,)]
    breaches = archive.rows("SELECT Peer, Field, Found, Allowed FROM Breach ORDER BY Peer")
    assert [(row[0].partition(":")[0], *row[1:3]) for row in breaches] == [
        ("127.0.0.1", "station", "3/1/10"),
        ("127.0.0.2", "station", "3/1/10"),
    ]
    assert "one at 127.0.0.2 has it too" in breaches[0][3]


def test_names_that_are_no_longer_remembered_stay_as_they_are(tmp_path, monkeypatch):
    """The map has more rows than a writer remembers."""
    monkeypatch.setattr(writer, "MAPPED_MOST", 3)
    with Served(place_in(tmp_path)) as archive:
        archive.report(DESCRIBED, *[result(number, number, station=number) for number in range(1, 8)], result(9, 9))
        assert archive.rows("SELECT Name FROM TNMapStation WHERE Station = 10") == [("Left front",)]
        assert archive.rows("SELECT Name FROM TNMapProgram WHERE Station = 10") == [("Wheel nuts",)]
        assert archive.rows("SELECT count(*) FROM TNMapStation") == [(8,)]
