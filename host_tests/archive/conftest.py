"""One PostgreSQL for all tests of archives that a process runs."""

import pytest

from toolcart.archive import database
from host_tests.support import memory
from host_tests.support.archive import place_in
from host_tests.support.archive_process import Starter
from host_tests.support.needed import needed
from lab.harness.archive_rows import Plant, fill, fill_beside
from lab.harness.postgresql import postgresql


@pytest.fixture(scope="session")
def databases():
    """`databases()` makes an empty database and gives its URL; without a PostgreSQL the test is skipped."""
    with needed("PostgreSQL", postgresql(beside=memory.folder())) as made:
        yield made


@pytest.fixture(scope="session")
def starter():
    """What makes archives that can be killed; it has imported everything, once for all tests."""
    with Starter() as made:
        yield made


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """Forty cars at three stations, with curves, events and breaches."""
    place = str(place_in(tmp_path_factory.mktemp("plant")))
    size = Plant(stations=3, cars=40, curves=10)
    with database.writing(place) as engine:
        fill(engine, size)
        fill_beside(engine, size)
    return place


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(request, tmp_path_factory):
    """`new_place()` names an empty archive, on each database in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("databases")
    return lambda: str(place_in(tmp_path_factory.mktemp("archive")))
