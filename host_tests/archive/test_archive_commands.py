"""`toolcart archive`: what people ask, what machines get, and what is said where it cannot be."""

import csv
import io
import json
import re
import sqlite3
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from toolcart.archive import serving
from toolcart.archive.faults import Faults
from toolcart.tools.cli.main import main
from host_tests.support.archive import EVENT, GRAPH, RESULT, Served, place_in, result


@pytest.fixture
def place(tmp_path):
    where = place_in(tmp_path)
    with Served(where) as archive, archive.server() as server:
        server.ask(RESULT)
        server.ask(GRAPH)
        server.ask(EVENT)
        good = result(2, 18, vin="ZFA1", time="20240315000000")
        server.ask(good[:98] + "0" + good[99:])
        server.ask(result(3, 21, vin="ZFA1\x1b[2J", station=11, time="20240315000100"))
        server.ask(result(4, 21, station=10, time="20240316000000"))
        server.ask(result(5, 20, station=10, time="20240316000001"))
        server.ask(result(6, 20, station=10, time="20240316000001"))
    return where


def run(place, *words, code=0):
    done = CliRunner().invoke(main, ["archive", words[0], "--database", str(place), *words[1:]])
    assert done.exit_code == code, done.output
    return done


def rows(place, *words):
    return [json.loads(line) for line in run(place, "query", "--json", *words).stdout.splitlines()]


def test_query_finds_by_car_station_time_verdict_and_id(place):
    assert [row["Sequence"] for row in rows(place)] == [20, 21, 21, 18, 17]
    assert [row["Sequence"] for row in rows(place, "--vin", "ZFA1")] == [18]
    assert [row["Sequence"] for row in rows(place, "--station", "11")] == [21]
    assert [row["Sequence"] for row in rows(place, "--station", "3/1/10", "--limit", "2")] == [20, 21]
    assert [row["Sequence"] for row in rows(place, "--from", "2024-03-15", "--to", "2024-03-15 00:01")] == [18]
    assert len(rows(place, "--nok")) == 4 and len(rows(place, "--id", "1234567", "--all")) == 5
    assert rows(place, "--vin", "ZFA1")[0]["StationName"] == "Station 10"
    for part, found in (("ZFA", [21, 18]), ("A1", [18]), ("3456", [20, 21, 17]), ("WVWZZZ1KZAW123456", [20, 21, 17])):
        assert [row["Sequence"] for row in rows(place, "--vin-part", part)] == found
    run(place, "query", "--vin-part", "ZZZ", code=1)


def test_tables_show_no_control_characters_and_say_units_and_verdicts(place):
    shown = run(place, "query").stdout
    assert "\x1b" not in shown and "Torque Nm" in shown
    line = next(line for line in shown.splitlines() if "2024-03-14" in line)
    assert (
        line.split()
        == "2024-03-14 09:26:53 Station 10 WVWZZZ1KZAW123456 Program 12 NOK 42.37 95.0 high 17 1234567".split()
    )


def test_csv_has_a_header_and_every_row(place):
    told = list(csv.DictReader(io.StringIO(run(place, "query", "--csv", "--all").stdout)))
    assert len(told) == 5 and told[-1]["VIN"] == "WVWZZZ1KZAW123456" and told[-1]["Torque"] == "42.37"
    assert told[-1]["Time"] == "2024-03-14 09:26:53" and re.fullmatch(
        r"\d{4}(-\d\d){2} \d\d(:\d\d){2}", told[0]["Arrived"]
    )


def test_parquet_has_every_row_with_its_types(place, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "results.parquet"
    run(place, "query", "--parquet", str(file), "--all")
    told = parquet.read_table(file).to_pylist()
    asked = rows(place, "--all")
    for row, other in zip(told, asked, strict=True):
        for name, zone in (("Time", None), ("Arrived", UTC)):
            assert row.pop(name) == datetime.strptime(other.pop(name), "%Y%m%d%H%M%S").replace(tzinfo=zone)
    assert told == asked and len(told) == 5
    run(place, "query", "--parquet", str(tmp_path / "none.parquet"), "--vin", "nobody", code=1)
    assert "No such file" in run(place, "query", "--parquet", str(tmp_path / "no/where"), code=2).stderr
    assert [path.name for path in tmp_path.glob("*parquet*")] == ["results.parquet"]


def test_nothing_found_is_told_by_the_exit_code(place):
    assert "no such result" in run(place, "query", "--vin", "nobody", code=1).stderr


def test_check_tells_holes_what_is_behind_and_what_came_again(place):
    told = [json.loads(line) for line in run(place, "check", "--json", code=1).stdout.splitlines()]
    assert [(one["kind"], one["first"], one["last"], one["count"]) for one in told] == [
        ("missing", 19, 20, 2),
        ("behind", 20, 20, 1),
        ("again", 20, 20, 1),
    ]
    assert "missing 2, behind 1, again 1" in run(place, "check", code=1).stdout
    with Served(place) as archive, archive.server() as server:
        server.ask(EVENT.replace("00004", "00007"))
    assert "station 3/1/10: event 00005 to 00006 missing, 2" in run(place, "check", code=1).stdout


def test_a_telegram_with_several_spindles_is_no_repetition(tmp_path):
    two = RESULT[:65] + "0002" + RESULT[69:150] + "0002" + RESULT[84:]
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        server.ask(two)
        assert archive.rows("SELECT COUNT(*) FROM Result") == [(2,)]
    assert run(place_in(tmp_path), "check").stdout == "missing 0, behind 0, again 0\n"


def test_check_follows_the_wrap(tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for number, sequence in enumerate((99997, 99998, 99999, 1, 2), 1):
            server.ask(result(number, sequence))
    assert run(place_in(tmp_path), "check").stdout == "missing 0, behind 0, again 0\n"


def test_what_is_forgotten_is_gone_and_the_08_goes_back(place):
    assert "nothing is changed" in run(place, "forget", "--newest", "2", code=2).stderr
    assert run(place, "forget", "--newest", "2", "--yes").stdout == "2 results are gone\n"
    assert [row["Sequence"] for row in rows(place)] == [21, 18, 17]
    with Served(place) as archive, archive.pim() as pim:
        pim.hear()
        assert pim.ask("0700001000300010010")[7:12] == "00018"
        [(who, what)] = archive.rows("SELECT Who, What FROM Audit")
        assert "@" in who and what == "forget: the newest 2 results"


def test_events_and_curves_that_came_since_are_forgotten_too(tmp_path):
    place = place_in(tmp_path)
    with Served(place) as archive, archive.server() as server:
        for index in range(4):
            server.ask(result(index + 1, 17 + index))
            server.ask(EVENT[:2] + f"{index + 11:05d}" + EVENT[7:33] + f"{index + 1:05d}" + EVENT[38:])
            server.ask(GRAPH[:2] + b"%05d" % (index + 21) + GRAPH[7:44] + b"%05d" % (17 + index) + GRAPH[49:])
    books = sqlite3.connect(place)
    for table, first in (("Result", "ResultId"), ("Event", "EventId"), ("Graph", "GraphId")):
        books.execute(f"UPDATE {table} SET Arrived = '2026112116000' || ({first} - 1)")
    books.commit()
    assert run(place, "forget", "--newest", "1", "--yes").stdout == "1 result is gone\n"
    for table, key in (("Result", 19), ("Graph", 19), ("Event", 3)):
        assert books.execute(f"SELECT COUNT(*), MAX(Sequence) FROM {table}").fetchone() == (3, key), table
    assert books.execute("SELECT COUNT(*) FROM EventParameter").fetchone() == (3,)
    books.close()
    with Served(place) as archive, archive.pim() as pim:
        pim.hear()
        assert pim.ask("0700001000300010010")[7:17] == "0001900003"


def test_import_takes_each_result_once(place, tmp_path):
    other = tmp_path / "other.sqlite"
    with Served(other) as archive, archive.server() as server:
        server.ask(RESULT)
        server.ask(result(9, 99, station=12))
        server.ask(EVENT.replace("00004", "00005"))
        server.ask(GRAPH)
        server.ask(GRAPH.replace(b"00017000", b"00099000"))
    told = json.loads(run(place, "import", "--json", str(other)).stdout)
    assert told == {"taken": 1, "again": 1, "events": 1, "graphs": 1, "failed": 0}
    again = json.loads(run(place, "import", "--json", str(other)).stdout)
    assert again == {"taken": 0, "again": 2, "events": 0, "graphs": 0, "failed": 0}
    found = rows(place, "--station", "12")
    assert [row["Sequence"] for row in found] == [99]
    with Served(place) as archive:
        parameters = archive.rows("SELECT Value FROM ResultParameter WHERE ResultId = ?", found[0]["ResultId"])
        assert ("1234567",) in [(value.strip().lstrip("0"),) for (value,) in parameters]
        assert archive.rows("SELECT COUNT(*), COUNT(DISTINCT EventId) FROM EventParameter") == [(2, 2)]
        with archive.pim() as pim:
            pim.hear()
            assert pim.ask("0700001000300010012")[7:12] == "00099"
            assert pim.ask("0700001000300010010")[12:17] == "00005"
    assert "no such archive" in run(place, "import", "nowhere.sqlite", code=2).stderr


def test_plot_gives_the_values_of_the_curve(place):
    number = rows(place, "--to", "2024-03-15")[0]["ResultId"]
    told = json.loads(run(place, "plot", str(number), "--json").stdout)
    assert told["Graphs"][0]["Values"] == [0.0, 0.13, 2.56, 10.42, 28.15, 42.37, 41.9, -0.25]  # DIGEST H, physical Nm
    assert told["Graphs"][0]["TimesMs"][:3] == [0.0, 2.0, 4.0]
    drawn = run(place, "plot", str(number)).stdout
    assert "torque over time" in drawn and "Nm" in drawn
    assert "without a graph" in run(place, "plot", str(number + 1), code=1).stderr
    assert "there is no result 999" in run(place, "plot", "999", code=1).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("query", "--station", "a"), "--station 'a'"),
        (("query", "--from", "yesterday"), "--from 'yesterday'"),
        (("serve", "--fail-refuse", "vin"), "CODE:FIELD=PATTERN"),
    ],
)
def test_a_wrong_option_says_what_is_right(place, words, said):
    assert said in run(place, *words, code=2).stderr


def test_an_archive_that_is_not_there_is_not_made_by_looking(tmp_path):
    assert "there is no such archive" in run(tmp_path / "nothing.sqlite", "query", code=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_says_where_it_listens_and_what_it_stored(tmp_path):
    shown = run(tmp_path / "a.sqlite", "serve", "--pim-port", "0", "--server-port", "0", "--seconds", "0.05").stdout
    assert shown.splitlines()[0].startswith("PIM on 127.0.0.1:") and "stored 0, again 0" in shown


def test_every_fault_can_be_asked_for(tmp_path, monkeypatch):
    seen = []

    async def looked_at(place, faults, say, seconds, start_pages):
        seen.append(faults)

    monkeypatch.setattr(serving, "run", looked_at)
    words = "--fail-refuse 7:vin=W.* --fail-late-ms 4 --fail-silent 06 --fail-lose 5 --fail-close 6 --fail-identifier "
    words += "--fail-say-result 8 --fail-say-event 9 --fail-say-host 10 --fail-without-12 --events-by-10"
    run(tmp_path / "a.sqlite", "serve", *words.split())
    told = vars(seen[0])
    healthy = vars(Faults())
    assert [name for name in healthy if told[name] == healthy[name]] == ["_results"]
    assert told["refuse"][0][:2] == (7, "vin") and told["silent"] == ("06",)


def test_a_port_that_is_taken_is_told(tmp_path):
    with Served(place_in(tmp_path)) as archive:
        port = str(archive.pim_port)
        said = run(tmp_path / "b.sqlite", "serve", "--pim-port", port, "--server-port", "0", code=1).stderr
    assert "cannot listen" in said and "--pim-port" in said
