"""`toolcart archive import` of a quarantine, and what stays as it is: the spool, the 08, results that are there."""

import json

import pytest
from click.testing import CliRunner

from toolcart.archive.quarantine import WHY_SET_ASIDE
from toolcart.tools.cli.main import main
from host_tests.support.archive import Served, reading, result, run
from host_tests.support.quarantine import spool_with

STATION = "3/1/10"


@pytest.fixture
def spool(tmp_path):
    """Five results that were refused with code 17, and an unreadable frame."""
    return spool_with(tmp_path, b"0061 nonsense of some octets")


def taken(place, spool, *more):
    return json.loads(run("import", "--database", place, "--station", STATION, "--json", *more, spool).stdout)


def rows(place):
    said = run("query", "--database", place, "--json", "--all").stdout
    return [json.loads(line) for line in said.splitlines()]


def test_results_are_taken_once_and_the_spool_stays_as_it_is(spool, tmp_path):
    place, before = tmp_path / "a.sqlite", spool.read_bytes()
    assert taken(place, spool) == {"taken": 5, "again": 0, "unreadable": 1, "failed": 0}
    assert taken(place, spool) == {"taken": 0, "again": 5, "unreadable": 1, "failed": 0}
    assert spool.read_bytes() == before
    found = rows(place)
    assert sorted(row["TighteningId"] for row in found) == [1, 2, 3, 4, 5]
    assert {(row["SystemType"], row["System"], row["Station"]) for row in found} == {(3, 1, 10)}
    assert len({row["Sequence"] for row in found}) == 5


def test_each_says_why_it_was_set_aside(spool, tmp_path):
    from toolcart.archive import queries

    place = tmp_path / "a.sqlite"
    taken(place, spool)
    with reading(place) as connection:
        told = queries.result(connection, 1)
    why = {one["ParameterId"]: one["Value"] for one in told["Parameters"]}
    assert why[WHY_SET_ASIDE] == "refused by ToolsNet with code 17"[:25].strip()


def test_what_was_dropped_is_not_taken(spool, tmp_path):
    done = CliRunner().invoke(main, ["quarantine", "drop", "2-3", "--yes", "--spool", str(spool)])
    assert done.exit_code == 0, done.output
    place = tmp_path / "a.sqlite"
    assert taken(place, spool)["taken"] == 3
    assert sorted(row["TighteningId"] for row in rows(place)) == [1, 4, 5]


def test_an_08_says_what_it_said_before(spool, tmp_path):
    place, other = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    for where, sequences in ((place, (500, 501)), (other, (7, 8))):
        with Served(where) as archive, archive.server() as server:
            for sequence in sequences:
                server.ask(result(sequence, sequence))
    taken(place, spool)
    run("import", "--database", place, other)
    assert len(rows(place)) == 9
    with Served(place) as archive:
        assert archive.writer.latest((3, 1, 10)) == (501, 0)


@pytest.mark.parametrize(
    ("octets", "words"), [(b"no spool at all", "spool"), (b"\xff" * 8192, "spool"), (b"", "holds no archive")]
)
def test_a_file_that_is_neither_is_told(octets, words, tmp_path):
    source = tmp_path / "x"
    source.write_bytes(octets)
    said = run("import", "--database", tmp_path / "a.sqlite", "--station", STATION, source, code=2).stderr
    assert words in said and "Traceback" not in said


def test_a_spool_of_no_one_wants_a_station(spool, tmp_path):
    blocks = tmp_path / "chip.image"
    blocks.write_bytes(spool.read_bytes()[4096:])
    said = run("import", "--database", tmp_path / "a.sqlite", blocks, code=2).stderr
    assert "--station" in said
    assert taken(tmp_path / "a.sqlite", blocks)["taken"] == 5
