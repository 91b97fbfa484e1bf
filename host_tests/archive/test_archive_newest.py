"""A result is stored once, whether the archive knows it to be new or has to ask its database."""

from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from toolcart.archive import bulk, known
from host_tests.support.archive import EVENT, Served, place_in, result

LATER, EARLIER = "20240314092654", "20240314092653"


@pytest.fixture
def place(tmp_path):
    return place_in(tmp_path)


def arrivals(archive):
    return archive.rows("SELECT Sequence, Time, Arrivals FROM Result ORDER BY ResultId")


def send(archive, *telegrams):
    with archive.server() as server:
        for telegram in telegrams:
            assert server.ask(telegram)[21:24] == "000"


@pytest.fixture
def asked(monkeypatch):
    """The keys that the database was asked for."""
    keys = []
    had = bulk.known_keys

    def noted(connection, table, names, wanted):
        keys.extend(wanted)
        return had(connection, table, names, wanted)

    monkeypatch.setattr(bulk, "known_keys", noted)
    return keys


def test_what_is_later_than_all_of_its_station_is_not_asked_for(place, asked):
    with Served(place) as archive:
        send(archive, result(1, 17, time=EARLIER), result(2, 18, time=LATER), result(3, 19, time=LATER), EVENT)
        assert asked == []
        send(archive, result(1, 17, time=EARLIER))
        assert [key[3] for key in asked] == [17]
        assert arrivals(archive) == [(17, EARLIER, 2), (18, LATER, 1), (19, LATER, 1)]


def test_a_clock_that_was_set_back_doubles_nothing(place):
    with Served(place) as archive:
        send(archive, result(1, 17, time=LATER), result(2, 18, time=EARLIER), result(3, 18, time=EARLIER))
    with Served(place) as archive:
        again = (result(1, 17, time=LATER), result(2, 18, time=EARLIER), result(3, 19, time=LATER), EVENT, EVENT)
        send(archive, *again)
        assert arrivals(archive) == [(17, LATER, 2), (18, EARLIER, 3), (19, LATER, 1)]


def test_more_results_of_one_second_than_are_remembered_are_stored_once(place, monkeypatch):
    monkeypatch.setattr(known, "SEQUENCES_MOST", 3)
    with Served(place) as archive:
        for _ in range(2):
            send(archive, *[result(number, number) for number in range(1, 8)])
        assert [row[2] for row in arrivals(archive)] == [2] * 7


def test_commit_that_came_through_and_was_told_as_failed_is_found_again(place, monkeypatch):
    had = bulk.together

    @contextmanager
    def breaks(connection):
        monkeypatch.setattr(bulk, "together", had)
        with had(connection):
            yield
        raise OperationalError("COMMIT", None, Exception("the connection is lost"))

    with Served(place) as archive:
        send(archive, result(1, 17))
        monkeypatch.setattr(bulk, "together", breaks)
        with archive.server() as server:
            server.send(result(2, 18))
            while not archive.said:
                server.socket.settimeout(0.05)
                with pytest.raises(TimeoutError):
                    server.hear()
        send(archive, result(3, 18), result(4, 19))
        assert [(row[0], row[2]) for row in arrivals(archive)] == [(17, 1), (18, 2), (19, 1)]


def test_every_size_of_a_batch_is_written_whole(place):
    with Served(place) as archive, archive.server() as server:
        sizes = [1, 3, 4, 5, 21, 64, 150]
        sent = iter(range(1, sum(sizes) + 1))
        for size in sizes:
            numbers = [next(sent) for _ in range(size)]
            server.send(*[result(number, number, vin=f"CAR{number}") for number in numbers])
            for _ in range(size):
                assert server.hear()[21:24] == "000"
        rows = archive.rows(
            "SELECT r.Sequence, r.VIN, p.Value FROM Result r JOIN ResultParameter p USING (ResultId) "
            "WHERE p.ParameterId = 30 ORDER BY ResultId"
        )
        assert [(row[0], row[1]) for row in rows] == [(n, f"CAR{n}") for n in range(1, sum(sizes) + 1)]
        assert archive.rows("SELECT count(*) FROM Car") == [(sum(sizes),)]
