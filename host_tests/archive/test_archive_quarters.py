"""The sums that statistics are made of: equal to the results, whatever arrives, goes, or is summed again."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from toolcart.archive import bulk, changes, database, quarters
from toolcart.archive import tables as t
from host_tests.portable import LONG
from host_tests.support.archive import Served, place_in, result
from lab.harness.archive_rows import Plant, fill

REAL = st.none() | st.floats(-200, 200).map(lambda value: round(value, 3))


@st.composite
def archived(draw):
    """A row of Result, in a few quarters, programs and sets of limits."""
    moment = datetime(2026, 11, 20, 13, 50) + timedelta(seconds=draw(st.integers(0, 3600)))
    low, high = draw(st.sampled_from([(40.0, 50.0), (40.0, 48.0), (0.0, 0.0), (None, 50.0), (5.0, 5.0)]))
    bad, torque, angle = draw(st.integers(0, 1)), draw(REAL), draw(REAL)
    program, tool = draw(st.integers(1, 2)), draw(st.sampled_from(["", "C1"]))
    time = moment.strftime("%Y%m%d%H%M%S")
    values = (low, torque, high, 2 * bad, 30.0, angle, 90.0, 0, 0)
    return lambda number: (number, 3, 1, 1, number, time, time, "", 1, tool, program, bad, *values, number, 1, 0)


def table(connection):
    """The table as it is kept, and as the results give it: sums by key."""
    wide = len(quarters.KEY)
    return [
        {tuple(row[:wide]): list(row[wide:]) for row in connection.execute(asked)}
        for asked in (select(t.QUARTER), quarters.summed())
    ]


def is_equal(connection):
    kept, summed = table(connection)
    assert kept.keys() == summed.keys()
    for key, row in kept.items():
        assert row == [None if one is None else pytest.approx(one, abs=1e-6) for one in summed[key]], key
    return len(kept)


@pytest.fixture(scope="module")
def engines(new_place_of_module):
    with database.writing(new_place_of_module) as engine:
        yield engine


@pytest.fixture(scope="module")
def new_place_of_module(new_place):
    return new_place()


@settings(max_examples=200 if LONG else 10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(archived(), min_size=1, max_size=30), max_size=6), gone=st.randoms())
def test_the_table_is_what_the_results_give_after_any_batches_and_deletions(engines, batches, gone):
    with engines.connect() as connection:
        number = 0
        for batch in batches:
            rows = [make(number + at) for at, make in enumerate(batch, 1)]
            number += len(rows)
            bulk.insert(connection, t.RESULT, rows)
            quarters.add(connection, rows)
        is_equal(connection)
        some = [one for one in range(1, number + 1) if gone.random() < 0.3]
        asked = t.RESULT.c.ResultId.in_(some)
        rows = [dict(row) for row in connection.execute(select(t.RESULT).where(asked)).mappings()]
        connection.execute(t.RESULT.delete().where(asked))
        quarters.again(connection, quarters.places_of(rows))
        is_equal(connection)
        connection.rollback()


def test_what_comes_goes_moves_and_returns_is_in_the_sums(tmp_path, new_place):
    place, into = str(new_place()), str(place_in(tmp_path))
    dice = random.Random(3)
    with Served(place) as archive, archive.server() as server:
        for number in range(1, 60):
            time = f"202403{dice.randrange(10, 20)}{dice.randrange(10, 20)}{dice.randrange(10, 60)}00"
            server.ask(result(number, number, time=time, station=dice.randrange(1, 3)))
    with database.writing(place) as engine, engine.connect() as connection:
        assert is_equal(connection) > 20
    changes.forget_newest(place, 7)
    other = str(place_in(tmp_path / "other")) if (tmp_path / "other").mkdir() is None else ""
    with database.writing(other) as engine:
        fill(engine, Plant(stations=2, cars=20))
    assert changes.take_from(place, other, lambda share: None)["taken"] == 200
    with database.writing(place) as engine, engine.connect() as connection:
        assert is_equal(connection) > 20
    changes.move_old(place, into, changes.Old("20261120142000"), lambda share: None)
    for one in (place, into):
        with database.writing(one) as engine, engine.connect() as connection:
            assert is_equal(connection) > 1
