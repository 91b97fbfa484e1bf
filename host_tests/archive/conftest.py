"""What tests of archives share: one PostgreSQL for all, a filled plant, files without a process of their own."""

import pytest

from toolcart.archive.database import database
from toolcart.archive.file_formats import export
from toolcart.archive.web import exports, list_rows
from host_tests.support import memory
from host_tests.support.archive import Starter, place_in
from host_tests.support.needed import needed
from lab.harness.archive_rows import Plant, fill, fill_other_tables
from lab.harness.postgresql import postgresql


@pytest.fixture(scope="session")
def databases():
    """`databases()` makes an empty database and gives its URL; without a PostgreSQL the test is skipped."""
    with needed("PostgreSQL", postgresql(parent=memory.folder())) as servers:
        yield servers


@pytest.fixture(scope="session")
def starter():
    """What makes archives that can be killed; it has imported everything, once for all tests."""
    with Starter() as processes:
        yield processes


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """Forty cars at three stations, with curves, events and breaches."""
    place = str(place_in(tmp_path_factory.mktemp("plant")))
    size = Plant(stations=3, cars=40, curves=10)
    with database.writing(place) as engine:
        fill(engine, size)
        fill_other_tables(engine, size)
    return place


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(request, tmp_path_factory):
    """`new_place()` names an empty archive, on each database in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("databases")
    return lambda: str(place_in(tmp_path_factory.mktemp("archive")))


@pytest.fixture
def in_this_process(monkeypatch):
    """Files are written here: a process for each takes a second; test_archive_exports.py has it."""

    async def run(self, job):
        engine = database.connect(self._place, writes=False)
        export.FORMATS[job.kind].write(list_rows.rows(engine, list_rows.read(job.listed.text())), job.path)
        engine.dispose()
        job.is_whole = True

    monkeypatch.setattr(exports.Exports, "_run", run)
