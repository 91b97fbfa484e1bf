"""A result is stored once, whatever came in between."""

import socket
import ssl
import subprocess
import threading
import urllib.request
from contextlib import contextmanager

import pytest
import trustme
from sqlalchemy.exc import IntegrityError, OperationalError

from toolcart.archive.database import bulk_insert
from toolcart.archive.database.tables import RESULT as RESULT_TABLE
from toolcart.archive.server import server as served_by
from toolcart.archive.server.tls import Tls
from toolcart.archive.storage import writer
from toolcart.base.sources import ROOT
from host_tests.support.archive import (
    DEADLINE_S,
    EVENT,
    RESULT,
    Served,
    Talk,
    empty,
    place_in,
    result,
    run,
    serving_in,
)
from host_tests.support.running import wait_for
from host_tests.support.tls import certificate_files

LATER, EARLIER = "20240314092654", "20240314092653"


@pytest.fixture
def place(tmp_path):
    return place_in(tmp_path)


def arrivals(archive):
    return archive.rows("SELECT Sequence, Time, Arrivals FROM Result ORDER BY ResultId")


def test_a_clock_that_was_set_back_doubles_nothing(place):
    with Served(place) as archive:
        archive.report(result(1, 17, time=LATER), result(2, 18, time=EARLIER), result(3, 18, time=EARLIER))
    with Served(place) as archive:
        again = (result(1, 17, time=LATER), result(2, 18, time=EARLIER), result(3, 19, time=LATER), EVENT, EVENT)
        archive.report(*again)
        assert arrivals(archive) == [(17, LATER, 2), (18, EARLIER, 3), (19, LATER, 1)]


def test_results_of_one_second_are_stored_once(place):
    with Served(place) as archive:
        for _ in range(2):
            archive.report(*[result(number, number) for number in range(1, 8)])
        assert [row[2] for row in arrivals(archive)] == [2] * 7


def test_commit_that_came_through_and_was_reported_as_failed_is_found_again(place, monkeypatch):
    had = bulk_insert.together

    @contextmanager
    def breaks(connection):
        monkeypatch.setattr(bulk_insert, "together", had)
        with had(connection):
            yield
        raise OperationalError("COMMIT", None, Exception("the connection is lost"))

    with Served(place) as archive:
        archive.report(result(1, 17))
        monkeypatch.setattr(bulk_insert, "together", breaks)
        with archive.server() as server:
            server.send(result(2, 18))
            assert server.receive() == "" and archive.log
        archive.report(result(3, 18), result(4, 19))
        assert [(row[0], row[2]) for row in arrivals(archive)] == [(17, 1), (18, 2), (19, 1)]


@pytest.mark.parametrize("is_of_one", [False, True])
def test_nothing_behind_what_was_not_stored_is_stored_and_its_connection_is_closed(place, monkeypatch, is_of_one):
    monkeypatch.setattr(writer, "BATCH_MOST", 3)
    write, begun, held = writer.Writer._write, threading.Event(), threading.Event()
    names = []

    def hold(_):
        begun.set()
        assert held.wait(DEADLINE_S)

    def refuses(self, connection, batch):
        names.append([row[4] for row in batch.rows.get(RESULT_TABLE, ())])
        if 17 in names[-1]:
            kind = IntegrityError if is_of_one else OperationalError
            raise kind("INSERT", None, Exception("refused"))
        write(self, connection, batch)

    with Served(place) as archive, archive.server() as server, archive.server() as other:
        monkeypatch.setattr(writer.Writer, "_write", refuses)
        holds = threading.Thread(target=archive.writer.change, args=(hold,))
        holds.start()
        assert begun.wait(DEADLINE_S)
        server.send(*[result(number, 16 + number) for number in range(1, 5)])
        wait_for("not queued", lambda: len(archive.writer._waiting) == 4)
        other.send(result(9, 99, station=11))
        wait_for("not queued", lambda: len(archive.writer._waiting) == 5)
        held.set()
        assert other.receive()[21:24] == "000" and server.receive() == ""
        holds.join()
        monkeypatch.setattr(writer.Writer, "_write", write)
        assert archive.rows("SELECT Sequence, Station FROM Result") == [(99, 11)] and archive.writer.failed == 4
        with archive.pim() as pim:
            pim.receive()
            assert pim.ask("0700002000300010010")[7:17] == "0000000000"
        archive.report(*[result(number, 16 + number) for number in range(1, 5)])
        assert [row[0] for row in arrivals(archive)] == [99, 17, 18, 19, 20]


def test_a_telegram_that_finds_the_queue_full_closes_its_connection(place, monkeypatch):
    monkeypatch.setattr(writer, "WAITING_MOST", 0)
    with Served(place) as archive, archive.server() as server:
        server.send(result(1, 17), result(2, 18))
        assert server.receive() == "" and not arrivals(archive)


def test_every_size_of_a_batch_is_written_whole(place):
    with Served(place) as archive, archive.server() as server:
        sizes = [1, 3, 4, 5, 21, 64, 150]
        sent = iter(range(1, sum(sizes) + 1))
        for size in sizes:
            numbers = [next(sent) for _ in range(size)]
            server.send(*[result(number, number, vin=f"CAR{number}") for number in numbers])
            for _ in range(size):
                assert server.receive()[21:24] == "000"
        rows = archive.rows(
            "SELECT r.Sequence, r.VIN, p.Value FROM Result r JOIN ResultParameter p USING (ResultId) "
            "WHERE p.ParameterId = 30 ORDER BY ResultId"
        )
        assert [(row[0], row[1]) for row in rows] == [(n, f"CAR{n}") for n in range(1, sum(sizes) + 1)]
        assert archive.rows("SELECT count(*) FROM Car") == [(sum(sizes),)]


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture
def files(ca, tmp_path):
    """A certificate of this machine, its key, and the authority's."""
    return certificate_files(tmp_path, ca)


def station(ca, with_certificate=False):
    """What a station trusts, and its own certificate."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    if with_certificate:
        ca.issue_cert("cart@plant").configure_cert(context)
    return context


def tls(files, ca=None):
    return Tls(files["certificate"], files["key"], ca).context()


def test_a_station_reports_over_tls_and_one_without_is_refused(files, ca, tmp_path):
    with Served(place_in(tmp_path), tls=tls(files)) as archive:
        with Talk(archive.pim_port, station(ca)) as pim:
            assert pim.receive()[:2] == "12"
            assert pim.ask("07000010003000100100")[:2] == "08"
        with Talk(archive.server_port, station(ca)) as server:
            server.send(*[result(number, number) for number in range(1, 301)])
            assert [server.receive()[2:7] for _ in range(300)] == [f"{number:05d}" for number in range(1, 301)]
        with Talk(archive.server_port) as plain:
            plain.send(RESULT)
            try:
                assert plain.receive()[:2] != "05"
            except (ConnectionError, ValueError):
                pass  # an alert of TLS, or a reset
        with pytest.raises(ssl.SSLError):
            Talk(archive.server_port, ssl.create_default_context())  # does not trust it
        assert archive.rows("SELECT count(*) FROM Result") == [(300,)]


def test_a_station_needs_a_certificate_where_that_is_set(files, ca, tmp_path):
    with Served(place_in(tmp_path), tls=tls(files, files["ca"])) as archive:
        with Talk(archive.server_port, station(ca, with_certificate=True)) as server:
            assert server.ask(RESULT)[21:24] == "000"
        stranger = station(ca)
        trustme.CA().issue_cert("cart@plant").configure_cert(stranger)
        for context in (station(ca), stranger):
            try:
                with Talk(archive.server_port, context) as other:
                    assert other.ask(result(1, 99)) == ""  # TLS 1.3 tells it behind the handshake
            except (ssl.SSLError, ConnectionError):
                continue
        assert archive.rows("SELECT Sequence FROM Result") == [(17,)]


def test_who_begins_no_handshake_is_let_go(files, tmp_path, monkeypatch):
    monkeypatch.setattr(served_by, "HANDSHAKE_S", 0.1)
    with Served(place_in(tmp_path), tls=tls(files)) as archive:
        with socket.create_connection(("127.0.0.1", archive.server_port), 20) as idle:
            assert idle.recv(100) == b""
        assert len(archive.state.connection_limits) == 0


def test_pages_and_ports_of_the_command(files, ca, tmp_path):
    tls = ["--tls-certificate", files["certificate"], "--tls-key", files["key"]]
    words = serving_in(tmp_path, "--web", "127.0.0.1:0", *tls)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as served:
        try:
            lines = sorted(served.stdout.readline() for _ in range(2))
            assert lines[0].endswith(", TLS\n") and lines[1].startswith("pages on https://")
            with Talk(int(lines[0].split("server on 127.0.0.1:")[1].split(",")[0]), station(ca)) as server:
                assert server.ask(RESULT)[21:24] == "000"
            address = lines[1].split()[2]
            with urllib.request.urlopen(f"{address}/station/10", timeout=20, context=station(ca)) as answer:
                assert b"Station 10" in answer.read()
        finally:
            served.terminate()


def test_files_that_cannot_be_used_are_reported(files, tmp_path):
    place = empty(place_in(tmp_path))

    def error_of(command="serve", **names):
        options = [word for name, file in names.items() for word in (f"--tls-{name}", file)]
        return run(command, "--database", place, *options, code=2).stderr

    key, certificate = files["key"], files["certificate"]
    assert "needs both" in error_of(certificate=certificate) and "needs both" in error_of("web", key=key)
    assert "No such file" in error_of(certificate=certificate, key=str(tmp_path / "none"))
    assert "no certificate in PEM with its key" in error_of("web", certificate=key, key=key)
    assert "no certificate" in error_of(certificate=certificate, key=key, ca=key)
    (tmp_path / "key.pem").chmod(0o644)
    assert "chmod 600" in error_of(certificate=certificate, key=key)
