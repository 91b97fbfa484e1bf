"""`toolcart archive`: query, import, move-old and the rest: what people ask, what machines get, what cannot be."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import sqlite3
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.record.result import LIMITS_BYTES
from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.archive.database import queries, sequence_gaps
from toolcart.archive.storage import maintenance
from toolcart.archive.storage.maintenance import Retention, RetentionPeriods
from toolcart.archive.storage.quarantine import WHY_SET_ASIDE
from toolcart.board.linux.flash import FileFlash
from toolcart.tools.cli.main import main
from host_tests.archive.test_archive_exports import cells_of
from host_tests.support.archive import EVENT, GRAPH, RESULT, Served, change, place_in, reading, reported, result
from host_tests.support.archive import run as command
from host_tests.support.log import body_of, put
from host_tests.support.quarantine import QuarantineBench, spool_with
from host_tests.support.running import wait_for


@pytest.fixture
def place(tmp_path):
    good = result(2, 18, vin="ZFA1", time="20240315000000")
    odd = result(3, 21, vin="ZFA1\x1b[2J", station=11, time="20240315000100")
    wrapped = [result(4, 21, time="20240316000000"), *[result(n, 20, time="20240316000001") for n in (5, 6)]]
    return reported(place_in(tmp_path), RESULT, GRAPH, EVENT, good[:98] + "0" + good[99:], odd, *wrapped)


def run(place, *words, code=0):
    return command(words[0], "--database", place, *words[1:], code=code)


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
    for part, sequences in (
        ("ZFA", [21, 18]),
        ("A1", [18]),
        ("3456", [20, 21, 17]),
        ("WVWZZZ1KZAW123456", [20, 21, 17]),
    ):
        assert [row["Sequence"] for row in rows(place, "--vin-part", part)] == sequences
    assert "no such result" in run(place, "query", "--vin-part", "ZZZ", code=1).stderr


def test_tables_show_no_control_characters_and_say_units_and_verdicts(place):
    output = run(place, "query").stdout
    assert "\x1b" not in output and "Torque  " in output
    line = next(line for line in output.splitlines() if "2024-03-14" in line)
    assert (
        line.split()
        == "2024-03-14 09:26:53 Station 10 WVWZZZ1KZAW123456 Program 12 NOK 42.37 Nm 95.0 deg high 17 1234567".split()
    )


def with_parameter(telegram, number, name, value):
    """The same telegram 04 with one parameter more."""
    return telegram.replace("00572", "00672", 1) + f"00010012{number}{name:<25}{value:<25}0      00"


def test_a_number_in_another_unit_is_never_shown_as_newton_metres(tmp_path):
    percent = with_parameter(result(2, 18, time="20240315000000"), 60004, "Torque unit", "%")
    press = with_parameter(result(3, 19, time="20240316000000"), 60008, "Press", "kN, mm")
    two = with_parameter(RESULT[:65] + "0002" + RESULT[69:150] + "0002" + RESULT[84:], 60004, "Torque unit", "%")
    place = reported(place_in(tmp_path), RESULT, percent, press, two.replace("0004200003", "0004300003", 1))
    found = [(one["TorqueUnit"], one["AngleUnit"]) for one in rows(place)]
    assert found[::-1][:3] == [("Nm", "deg"), ("%", "deg"), ("kN", "mm")]
    lines = run(place, "query").stdout.splitlines()
    assert [line for line in lines if "Nm" in line] == [line for line in lines if "2024-03-14 09" in line]
    assert any("42.37 %" in line for line in lines) and any("42.37 kN" in line and "95.0 mm" in line for line in lines)
    of_csv = list(csv.DictReader(io.StringIO(run(place, "query", "--csv").stdout)))
    assert [(one["TorqueUnit"], one["AngleUnit"]) for one in of_csv] == found


def test_csv_has_a_header_and_every_row(place):
    lines = list(csv.DictReader(io.StringIO(run(place, "query", "--csv", "--all").stdout)))
    assert len(lines) == 5 and lines[-1]["VIN"] == "WVWZZZ1KZAW123456" and lines[-1]["Torque"] == "42.37"
    assert lines[-1]["Time"] == "2024-03-14 09:26:53" and re.fullmatch(
        r"\d{4}(-\d\d){2} \d\d(:\d\d){2}", lines[0]["Arrived"]
    )


def test_a_sheet_is_written_to_its_file(place, tmp_path):
    assert run(place, "query", "--xlsx", tmp_path / "results.xlsx", "--all").output == ""
    assert [line["E"] for line in cells_of(tmp_path / "results.xlsx")] == ["Sequence", "20", "21", "21", "18", "17"]


def test_parquet_has_every_row_with_its_types(place, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "results.parquet"
    run(place, "query", "--parquet", str(file), "--all")
    of_file = parquet.read_table(file).to_pylist()
    of_query = rows(place, "--all")
    for row, other in zip(of_file, of_query, strict=True):
        for name, zone in (("Time", None), ("Arrived", UTC)):
            assert row.pop(name) == datetime.strptime(other.pop(name), "%Y%m%d%H%M%S").replace(tzinfo=zone)
    assert of_file == of_query and len(of_file) == 5
    run(place, "query", "--parquet", str(tmp_path / "none.parquet"), "--vin", "nobody", code=1)
    assert "No such file" in run(place, "query", "--parquet", str(tmp_path / "no/where"), code=2).stderr
    assert [path.name for path in tmp_path.glob("*parquet*")] == ["results.parquet"]


def test_check_reports_gaps_what_is_behind_and_what_came_again(place):
    gaps = [json.loads(line) for line in run(place, "check", "--json", code=1).stdout.splitlines()]
    assert [(one["kind"], one["first"], one["last"], one["count"]) for one in gaps] == [
        ("behind", 20, 20, 1),
        ("again", 20, 20, 1),
        ("missing", 19, 19, 1),
    ]
    assert "missing 1, behind 1, again 1" in run(place, "check", code=1).stdout
    reported(place, EVENT.replace("00004", "00007"))
    assert "station 3/1/10: event 00005 to 00006 missing, 2" in run(place, "check", code=1).stdout


def test_a_telegram_with_several_spindles_is_no_repetition(tmp_path):
    two = RESULT[:65] + "0002" + RESULT[69:150] + "0002" + RESULT[84:]
    place = reported(place_in(tmp_path), two)
    assert Served(place).rows("SELECT COUNT(*) FROM Result") == [(2,)]
    assert run(place, "check").stdout == "missing 0, behind 0, again 0\n"


def test_what_came_late_is_not_missing_and_makes_no_hole_of_what_follows(tmp_path):
    """An import of what an archive lacked, or of a quarantine: each result behind it was called missing."""
    late, anew = (101, 102, 109, 103, 104, 107, 110), (1, 2, 4)  # a station that begins anew has later times
    telegrams = [result(n, n, time=f"20240314092{n}") for n in late] + [
        result(n, n, time=f"2024031500000{n}") for n in anew
    ]
    telegrams = run(reported(place_in(tmp_path), *telegrams), "check", code=1).stdout.splitlines()
    assert [line.split(": ")[1].split(", arrived")[0] for line in telegrams[:-1]] == [
        "00103 behind, 1",
        "00107 behind, 1",
        "00001 behind, 1",
        "00105 to 00106 missing, 2",
        "00108 missing, 1",
        "00003 missing, 1",
    ]
    assert telegrams[-1] == "missing 4, behind 3, again 0"


@given(
    st.permutations(range(9)),
    st.sets(st.integers(1, 98000), max_size=3),
    st.sampled_from([1, 3, 9, 100]),
    st.sampled_from([1, 50_000, 99_990]),
)
def test_what_is_stored_is_never_missing_in_whatever_order_it_comes(order, lost, in_a_second, begin):
    """Swapped results of one second were called missing, though both are stored."""
    places = [at + swapped for at in range(0, 36, 9) for swapped in order]
    places = [0, *[1 + place for place in places if 1 + place not in {one % 36 + 1 for one in lost}], 40]
    sequences = sequence_gaps._Sequences("result")
    for place in places:
        time = f"{20261125080000 + place // in_a_second}"
        list(sequences.take((3, 1, 1), sequence_at(begin + place), time, time, 0))
    gaps = [range(gap.count) for gap in sequences.missing()]
    named = {sequence_at(gap.first + at) for gap in sequences.missing() for at in range(gap.count)}
    assert named == {sequence_at(begin + place) for place in range(41)} - {sequence_at(begin + one) for one in places}
    assert sum(map(len, gaps)) == len(named)


@pytest.mark.parametrize("times", [("0500", "0600", "0600", "0700"), ("0500", "0600", "0601", "0700")])
def test_check_misses_no_result_of_which_a_later_one_came_first(tmp_path, times):
    order = zip((7, 9, 8, 10), times, strict=True)
    place = reported(place_in(tmp_path), *[result(n, n, time=f"2026112508{time}") for n, time in order])
    assert run(place, "check", code=1).stdout.splitlines()[1:] == ["missing 0, behind 1, again 0"]


def test_check_follows_the_wrap(tmp_path):
    place = reported(place_in(tmp_path), *[result(1, sequence) for sequence in (99997, 99998, 99999, 1, 2)])
    assert run(place, "check").stdout == "missing 0, behind 0, again 0\n"


def test_what_is_forgotten_is_gone_and_the_08_goes_back(place):
    assert "nothing is changed" in run(place, "forget", "--newest", "2", code=2).stderr
    assert run(place, "forget", "--newest", "2", "--yes").stdout == "2 results are gone\n"
    assert [row["Sequence"] for row in rows(place)] == [21, 18, 17]
    with Served(place) as archive, archive.pim() as pim:
        pim.receive()
        assert pim.ask("0700001000300010010")[7:12] == "00018"
        [(who, what)] = archive.rows("SELECT Who, What FROM Audit")
        assert "@" in who and what == "forget: the newest 2 results"


def test_events_and_curves_that_came_since_are_forgotten_too(tmp_path):
    telegrams = []
    for at in range(4):
        telegrams += [
            result(at + 1, 17 + at),
            EVENT[:2] + f"{at + 11:05d}" + EVENT[7:33] + f"{at + 1:05d}" + EVENT[38:],
        ]
        telegrams.append(GRAPH[:2] + b"%05d" % (at + 21) + GRAPH[7:44] + b"%05d" % (17 + at) + GRAPH[49:])
    place = reported(place_in(tmp_path), *telegrams)
    for table in ("Result", "Event", "Graph"):
        change(place, f"UPDATE {table} SET Arrived = '2026112116000' || ({table}Id - 1)")
    assert run(place, "forget", "--newest", "1", "--yes").stdout == "1 result is gone\n"
    with Served(place) as archive, archive.pim() as pim:
        for table, key in (("Result", 19), ("Graph", 19), ("Event", 3)):
            assert archive.rows(f"SELECT COUNT(*), MAX(Sequence) FROM {table}") == [(3, key)], table
        assert archive.rows("SELECT COUNT(*) FROM EventParameter") == [(3,)]
        pim.receive()
        assert pim.ask("0700001000300010010")[7:17] == "0001900003"


def test_import_takes_each_result_once(place, tmp_path):
    telegrams = (RESULT, result(9, 99, station=12), EVENT.replace("00004", "00005"), GRAPH)
    other = reported(tmp_path / "other.sqlite", *telegrams, GRAPH.replace(b"00017000", b"00099000"))
    counts = json.loads(run(place, "import", "--json", other).stdout)
    assert counts == {"taken": 1, "again": 1, "events": 1, "graphs": 1, "failed": 0}
    again = json.loads(run(place, "import", "--json", other).stdout)
    assert again == {"taken": 0, "again": 2, "events": 0, "graphs": 0, "failed": 0}
    imported = rows(place, "--station", "12")
    assert [row["Sequence"] for row in imported] == [99]
    with Served(place) as archive:
        parameters = archive.rows("SELECT Value FROM ResultParameter WHERE ResultId = ?", imported[0]["ResultId"])
        assert ("1234567",) in [(value.strip().lstrip("0"),) for (value,) in parameters]
        assert archive.rows("SELECT COUNT(*), COUNT(DISTINCT EventId) FROM EventParameter") == [(2, 2)]
        with archive.pim() as pim:
            pim.receive()
            assert pim.ask("0700001000300010012")[7:12] == "00099"
            assert pim.ask("0700001000300010010")[12:17] == "00005"
    assert "no such archive" in run(place, "import", "nowhere.sqlite", code=2).stderr


def test_curves_gives_the_values_of_the_curve(place):
    number = rows(place, "--to", "2024-03-15")[0]["ResultId"]
    details = json.loads(run(place, "curves", str(number), "--json").stdout)
    assert details["Graphs"][0]["Values"] == [0.0, 0.13, 2.56, 10.42, 28.15, 42.37, 41.9, -0.25]  # example.md 3
    assert details["Graphs"][0]["TimesMs"][:3] == [0.0, 2.0, 4.0]
    printed = run(place, "curves", str(number)).stdout.splitlines()
    assert [line.split(",")[5:] for line in printed[1:3]] == [
        ["torque", "Nm", "0.0", "0.0"],
        ["torque", "Nm", "2.0", "0.13"],
    ]
    assert "without a graph" in run(place, "curves", str(number + 1), code=1).stderr
    assert "there is no result 999" in run(place, "curves", "999", code=1).stderr


def test_curves_of_bolts_without_a_row_are_found_with_their_result(tmp_path):
    graphs = [GRAPH[:2] + b"%05d" % (50 + bolt) + GRAPH[7:22] + b"%04d" % bolt + GRAPH[26:] for bolt in (2, 3)]
    place = reported(place_in(tmp_path), RESULT, *graphs)
    number = str(rows(place)[0]["ResultId"])
    assert "came without a graph; with --bolt: 2, 3" in run(place, "curves", number, code=1).stderr
    details = json.loads(run(place, "curves", number, "--bolt", "3", "--json").stdout)
    assert details["Bolts"] == [2, 3] and [graph["Spindle"] for graph in details["Graphs"]] == [3]
    assert "bolt 3" in run(place, "curves", number, "--bolt", "3").stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("query", "--station", "a"), "--station 'a'"),
        (("query", "--station", "12345"), "--station '12345'"),
        (("import", "--station", "3/1/70000", "quarantine"), "--station '3/1/70000'"),
        *[
            (("query", "--from", text), f"--from '{text}'")  # its digits alone would be another time
            for text in ("yesterday", "2026-1-5", "21.11.2026", "2026-13-01", "2026-11-21T25", "2026-11-5")
        ],
        *[(("query", name, "\udcff"), f"{name} \\udcff: not UTF-8") for name in ("--vin", "--vin-part")],
        (("query", "--csv", "--json"), "--csv, --json: one of them"),
        *[(("query", name, 10**30), f"'{name}'") for name in ("--id", "--limit")],
        (("curves", 10**30), "RESULT"),
        (("forget", "--yes", "--newest", 10**30), "'--newest'"),
        (("move-old", "--into", "other", "--keep-days", 10**8), "'--keep-days'"),
        (("report", "--of", "0001-01-01"), "a day of the years 1000 to 9998"),
        (("report", "--of", "9999-12-31"), "a day of the years 1000 to 9998"),
        (("serve", "--seconds", 0.1, "--keep-ok-days", 3), "--keep-ok-days only with them"),
        (
            ("serve", "--seconds", 0.1, "--tell-host", "a-name.that.an.08.has.no.room.for"),
            "of 15 characters, by --tell-host",
        ),
    ],
)
def test_a_wrong_option_says_what_is_right(place, words, hint):
    assert hint in run(place, *words, code=2).stderr


def test_old_records_are_not_moved_into_the_archive_that_is_served(place):
    for same in (place, f"sqlite:///{place}"):
        words = ("--seconds", 0.1, "--keep-days", 3, "--old-into", same)
        assert "the archive itself" in run(place, "serve", *words, code=2).stderr


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://[::1", "not a file and not a URL"),
        ("postgresql://db:port/archive", "not a file and not a URL"),
        ("mysql://db/archive", "a PostgreSQL database (postgresql://...)"),
        ("http://db/archive", "a PostgreSQL database (postgresql://...)"),
        ("postgresql+psycopg2://127.0.0.1:1/archive", "onnection refused"),  # by the driver that is there
    ],
)
def test_a_url_that_leads_to_no_archive_is_reported(url, error):
    assert error in run(url, "query", code=2).stderr


def test_what_is_no_file_is_not_replaced_by_a_sheet(place, tmp_path):
    """A device was: root's /dev/stdout was an XLSX file afterwards."""
    os.mkfifo(tmp_path / "pipe")
    for kind in ("xlsx", "parquet"):
        assert "name a file" in run(place, "query", f"--{kind}", tmp_path / "pipe", code=2).stderr
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link").symlink_to(tmp_path / "sheet")
    run(place, "query", "--xlsx", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and len(cells_of(tmp_path / "sheet")) == 6
    assert "this is the archive" in run(place, "query", "--xlsx", place, code=2).stderr


def test_a_pipe_is_not_imported(place, tmp_path):
    """It has an end only if somebody writes to it, and is read once."""
    os.mkfifo(tmp_path / "pipe")
    assert "has to be a file" in run(place, "import", tmp_path / "pipe", code=2).stderr


def test_an_archive_whose_name_is_no_text_is_imported(place, tmp_path):
    other = tmp_path / "other\udcff.sqlite"
    shutil.copy(place, other)
    assert "taken 5" in run(tmp_path / "new.sqlite", "import", other).stdout


def test_an_archive_that_is_not_there_is_not_made_by_looking(tmp_path):
    assert "there is no such archive" in run(tmp_path / "nothing.sqlite", "query", code=2).stderr
    assert list(tmp_path.iterdir()) == []


ON_AN_ARCHIVE = [["query", "--all"], ["check"], ["curves", "1"], ["report"], ["servers"]]
CHANGING = [["forget", "--newest", "1", "--yes"], ["move-old", "--keep-days", "1", "--into", "old.sqlite"]]


@pytest.mark.parametrize("words", ON_AN_ARCHIVE + CHANGING, ids=lambda words: words[0])
def test_no_command_makes_an_archive_of_a_wrong_name(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.sqlite").symlink_to("behind.sqlite")
    for name in ("none.sqlite", "link.sqlite"):
        assert f"{name}: there is no such archive; is the name right?" in run(tmp_path / name, *words, code=2).stderr
    (tmp_path / "empty.sqlite").write_bytes(b"")
    assert "holds no archive of toolcart; is the name right?" in run(tmp_path / "empty.sqlite", *words, code=2).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.sqlite", "link.sqlite"]
    assert (tmp_path / "empty.sqlite").stat().st_size == 0


MAKING = [["import", "good.sqlite"], ["serve", "--seconds", "0.05", "--pim-port", "0", "--server-port", "0"]]


@pytest.mark.parametrize("words", ON_AN_ARCHIVE + CHANGING + MAKING, ids=lambda words: words[0])
def test_no_command_touches_the_file_of_another_program(tmp_path, monkeypatch, place, words):
    monkeypatch.chdir(tmp_path)
    shutil.copy(place, "good.sqlite")
    other = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE Customer (x)")
        connection.commit()
    before = other.read_bytes()
    why = "has tables of its own called Customer and is no archive; name another place"
    words_of = why if words in MAKING else "holds no archive of toolcart; is the name right?"
    assert words_of in run(other, *words, code=2).stderr
    assert other.read_bytes() == before
    assert not (tmp_path / "old.sqlite").exists()


def test_old_results_are_not_moved_into_the_file_of_another_program(tmp_path, place):
    other = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE Customer (x)")
        connection.commit()
    before = other.read_bytes(), run(place, "query", "--all").stdout
    assert "has tables of its own" in run(place, "move-old", "--keep-days", "1", "--into", other, code=2).stderr
    assert (other.read_bytes(), run(place, "query", "--all").stdout) == before


def test_serve_says_where_it_listens_and_what_it_stored(tmp_path):
    output = run(tmp_path / "a.sqlite", "serve", "--pim-port", "0", "--server-port", "0", "--seconds", "0.05").stdout
    assert output.splitlines()[0].startswith("PIM on 127.0.0.1:") and "stored 0, again 0" in output


def test_a_port_that_is_taken_is_reported(tmp_path):
    with Served(place_in(tmp_path)) as archive:
        port = str(archive.pim_port)
        errors = run(tmp_path / "b.sqlite", "serve", "--pim-port", port, "--server-port", "0", code=1).stderr
    assert "cannot listen" in errors and "--pim-port" in errors


STATION = "3/1/10"


@pytest.fixture
def spool(tmp_path):
    """Five results that were refused with code 17, and an unreadable frame."""
    return spool_with(tmp_path, b"0061 nonsense of some octets")


def taken(place, spool):
    return json.loads(run(place, "import", "--station", STATION, "--json", spool).stdout)


def test_results_are_taken_once_and_the_spool_stays_as_it_is(spool, tmp_path):
    place, before = tmp_path / "a.sqlite", spool.read_bytes()
    assert taken(place, spool) == {"taken": 5, "again": 0, "unreadable": 1, "failed": 0}
    assert taken(place, spool) == {"taken": 0, "again": 5, "unreadable": 1, "failed": 0}
    assert spool.read_bytes() == before
    results = rows(place, "--all")
    assert sorted(row["TighteningId"] for row in results) == [1, 2, 3, 4, 5]
    assert {(row["SystemType"], row["System"], row["Station"]) for row in results} == {(3, 1, 10)}
    assert len({row["Sequence"] for row in results}) == 5


def test_a_slow_database_is_waited_for(spool, tmp_path, monkeypatch):
    """What it had no room for was left out, and not counted."""
    monkeypatch.setattr("toolcart.archive.storage.writer.WAITING_MOST", 1)
    assert taken(tmp_path / "a.sqlite", spool)["taken"] == 5


def test_each_says_why_it_was_set_aside(spool, tmp_path):
    place = tmp_path / "a.sqlite"
    taken(place, spool)
    with reading(place) as connection:
        details = queries.result(connection, 1)
    why = {one["ParameterId"]: one["Value"] for one in details["Parameters"]}
    assert why[WHY_SET_ASIDE] == "refused by ToolsNet with code 17"[:25].strip()


def test_additional_identifiers_are_taken_too(tmp_path):
    place, path = tmp_path / "a.sqlite", tmp_path / "cart.spool"
    flash = FileFlash(str(path), 16 * 4096)
    bench = QuarantineBench(flash=flash, results=1)
    identifiers = b"I" + b"".join(one.ljust(25) for one in (b"102456", b"", b"GEAR"))
    assert put(bench.log, body_of(2) + b" " * LIMITS_BYTES + identifiers) == 0
    bench.keep(1, 2)
    flash.close()
    assert taken(place, path) == {"taken": 2, "again": 0, "unreadable": 0, "failed": 0}
    with reading(place) as connection:
        vins = [vin["VIN"] for vin in queries.result(connection, 2)["VINs"]]
    assert vins == ["102456", "GEAR"]


def test_what_was_dropped_is_not_taken(spool, tmp_path):
    done = CliRunner().invoke(main, ["quarantine", "drop", "2-3", "--yes", "--spool", str(spool)])
    assert done.exit_code == 0, done.output
    place = tmp_path / "a.sqlite"
    assert taken(place, spool)["taken"] == 3
    assert sorted(row["TighteningId"] for row in rows(place, "--all")) == [1, 4, 5]


def test_an_import_leaves_the_08_as_it_was(spool, tmp_path):
    place, other = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    for where, sequences in ((place, (500, 501)), (other, (7, 8))):
        reported(where, *[result(sequence, sequence) for sequence in sequences])
    taken(place, spool)
    command("import", "--database", place, other)
    assert len(rows(place, "--all")) == 9
    with Served(place) as archive:
        assert archive.writer.latest((3, 1, 10)) == (501, 0)


@pytest.mark.parametrize(
    ("octets", "words"), [(b"no spool at all", "spool"), (b"\xff" * 8192, "spool"), (b"", "holds no archive")]
)
def test_a_file_that_is_neither_is_reported(octets, words, tmp_path):
    source = tmp_path / "x"
    source.write_bytes(octets)
    errors = command("import", "--database", tmp_path / "a.sqlite", "--station", STATION, source, code=2).stderr
    assert words in errors and "Traceback" not in errors


def test_a_spool_of_no_one_wants_a_station(spool, tmp_path):
    blocks = tmp_path / "chip.image"
    blocks.write_bytes(spool.read_bytes()[4096:])
    errors = command("import", "--database", tmp_path / "a.sqlite", blocks, code=2).stderr
    assert "--station" in errors
    assert taken(tmp_path / "a.sqlite", blocks)["taken"] == 5


OLD = "20200101000000"


def with_vin(telegram, vin):
    """The same with an additional number."""
    return telegram[:71] + "01" + telegram[73:150] + "0002" + vin.ljust(25) + telegram[150:]


@pytest.fixture
def old_place(tmp_path):
    """Ten results, an event, a curve and a breach; all but the last three results are old."""
    telegrams = []
    for number in range(1, 11):
        telegram = result(number, number, vin=f"CAR{(number - 1) // 2}", time=f"202403140926{number:02d}")
        telegrams.append(with_vin(telegram, f"BODY{number}") if number in (2, 9) else telegram)
    later = EVENT.replace("0900045", "0900046").replace("20240314", "20240315")
    place = reported(place_in(tmp_path), *telegrams, EVENT, later, GRAPH, "0400099garbage")
    change(place, f"UPDATE Result SET Arrived = '{OLD}' WHERE ResultId <= 7")
    change(place, *[f"UPDATE {table} SET Arrived = '{OLD}'" for table in ("Event", "Breach")])
    return place


def whole(old_place):
    """All results with everything that belongs to them, and all events, without their numbers."""
    records = set()
    with reading(old_place) as connection:

        def rows(sql):
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

        for number, *row in rows("SELECT * FROM Result"):
            vins = rows(f"SELECT Identifier, VIN FROM ResultVIN WHERE ResultId = {number}")
            parameters = rows(f"SELECT Name, Value, Unit FROM ResultParameter WHERE ResultId = {number}")
            records.add((*row, tuple(vins), tuple(parameters)))
        for number, *row in rows("SELECT * FROM Event"):
            records.add((*row, *rows(f"SELECT Value FROM EventParameter WHERE EventId = {number}")))
        cars = {row[0] for row in rows("SELECT VIN FROM Car")}
        assert cars == {row[0] for row in rows("SELECT VIN FROM Result UNION SELECT VIN FROM ResultVIN")} - {""}
    return records


def test_what_is_old_is_in_the_other_archive_and_the_rest_here(old_place, tmp_path):
    before, into = whole(old_place), tmp_path / "old.sqlite"
    counts = json.loads(
        command("move-old", "--database", old_place, "--keep-days", 30, "--into", into, "--json").stdout
    )
    assert counts.pop("breaches") > 0
    assert counts == {"taken": 7, "events": 1, "graphs": 0}
    here, there = whole(old_place), whole(into)
    assert "BODY2" in str(there) and "BODY9" in str(here)
    assert len(there) == 8 and here | there == before and not here & there
    assert "moved 0 results" in command("move-old", "--database", old_place, "--keep-days", 30, "--into", into).stdout
    assert "missing 0, behind 0" in command("check", "--database", old_place).stdout
    command("import", "--database", old_place, into)
    assert whole(old_place) == before


def test_an_08_names_the_same_and_numbers_go_on(old_place, tmp_path):
    change(old_place, f"UPDATE Result SET Arrived = '{OLD}'")
    command("move-old", "--database", old_place, "--keep-days", 1, "--into", tmp_path / "old.sqlite")
    with Served(old_place) as archive:
        assert archive.writer.latest((3, 1, 10)) == (10, archive.writer.latest((3, 1, 10))[1])
        archive.report(result(11, 11, time="20240314092711"))
        assert archive.rows("SELECT ResultId FROM Result ORDER BY 1") == [(10,), (11,)]


def test_cut_off_anywhere_both_together_have_all(old_place, tmp_path, monkeypatch):
    monkeypatch.setattr(maintenance, "_AT_ONCE", 2)
    before, into = whole(old_place), tmp_path / "old.sqlite"
    steps = ("_take_some", "_delete")
    for step in steps * 4:
        done, left = getattr(maintenance, step), [1]

        def cut(*words, done=done, left=left):
            if not left:
                raise KeyboardInterrupt
            left.pop()
            return done(*words)

        words = ["archive", "move-old", "--database", old_place, "--keep-days", "30", "--into", str(into)]
        with monkeypatch.context() as patched:
            patched.setattr(maintenance, step, cut)
            CliRunner().invoke(main, words)
        assert whole(old_place) | whole(into) == before
    command("move-old", "--database", old_place, "--keep-days", 30, "--into", into)
    assert len(whole(into)) == 8 and whole(old_place) | whole(into) == before and not whole(old_place) & whole(into)


def test_an_archive_is_not_moved_into_itself_or_while_it_is_served(old_place, tmp_path):
    words = ["move-old", "--database", old_place, "--keep-days", 30, "--into"]
    assert "the archive itself" in command(*words, f"{tmp_path}/../{tmp_path.name}/archive.sqlite", code=2).stderr
    with Served(old_place):
        assert "another archive writes there" in command(*words, tmp_path / "old.sqlite", code=2).stderr


def test_ok_results_go_earlier_but_not_beside_one_that_is_not_ok(old_place, tmp_path):
    change(old_place, "UPDATE Result SET Overall = ResultId % 2", f"UPDATE Graph SET Arrived = '{OLD}'")
    change(old_place, "UPDATE Result SET Sequence = 1, Time = 'x', Spindle = ResultId WHERE ResultId <= 2")
    before, into = whole(old_place), tmp_path / "old.sqlite"
    words = ("--keep-days", 10000, "--keep-ok-days", 30, "--into", into, "--json")
    counts = json.loads(command("move-old", "--database", old_place, *words).stdout)
    assert counts["taken"] == 2, "4 and 6, not 2"
    assert counts["events"] == 0 and whole(old_place) | whole(into) == before


def test_what_is_old_goes_while_the_archive_is_served(old_place, tmp_path, monkeypatch):
    monkeypatch.setattr(maintenance, "FIRST_S", 0.0)
    monkeypatch.setattr(maintenance, "STEP", 2)
    monkeypatch.setattr(maintenance, "PAUSE_S", 0.001)
    before, into, messages = whole(old_place), tmp_path / "old.sqlite", []
    with Served(old_place) as archive:
        engine = archive.writer._engine
        moving = Retention(engine, str(old_place), archive.writer, RetentionPeriods(str(into), 30), messages.append)
        new = [result(number, number, vin="CAR0", time="20240315000000") for number in range(100, 160)]
        archive.report(*new)  # a car that goes with its results comes back with a new one
        wait_for("it moves nothing", lambda: messages)
        moving.close()
    assert messages == ["moved 7 results, 1 events, 0 curves"]
    here, there = whole(old_place), whole(into)
    assert len(there) == 8 and before <= here | there and not here & there and len(here) == len(before) - 8 + 60
    assert "move-old into" in str(Served(old_place).rows("SELECT What FROM Audit"))
