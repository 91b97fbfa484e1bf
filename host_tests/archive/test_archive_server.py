"""The archive's PIM and server over sockets: what is answered and stored, and what becomes of breaches."""

import os
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from toolcart.archive.database import database, rollups
from toolcart.archive.database.tables import QUARTER, TABLES, VIEWS
from toolcart.archive.database.tables import RESULT as RESULT_TABLE
from toolcart.archive.storage import writer
from host_tests.support.archive import (
    DESCRIBED,
    EVENT,
    GRAPH,
    RESULT,
    Served,
    browsing,
    change,
    empty,
    filled,
    place_in,
    reading,
    reported,
    result,
    run,
)
from lab.harness import faulty_archive
from lab.harness.faulty_archive import Faults, refusal


@pytest.fixture
def served(tmp_path):
    with Served(place_in(tmp_path)) as archive:
        yield archive


def code(answer):
    return answer[21:24]


def test_pim_answers_where_the_server_is_and_what_it_has(served):
    with served.pim() as pim:
        hello = pim.receive()
        assert hello[:2] == "12" and len(hello) == 7
        pim.send(f"05{hello[2:7]}{' ' * 14}000")
        assert pim.ask("0700001000300010010") == f"08000010000000000{'127.0.0.1':<15}{served.server_port:05d}"
    with served.server() as server:
        assert server.ask(RESULT)[:7] == "0500042" and server.ask(EVENT)[:7] == "0500045"
    with served.pim() as pim:
        pim.receive()
        assert pim.ask("0700002000300010010")[7:17] == "0001700004"
        assert pim.ask("0700003000300010011")[7:17] == "0000000000"


def test_every_telegram_is_answered_and_stored_with_all_its_fields(served):
    with served.server() as server:
        system = "0100050" + "00030001" + "10.0.0.9       " + "Line 4".ljust(25) + "  "
        for telegram in (system, DESCRIBED, RESULT, EVENT, GRAPH, "0600052"):
            answer = server.ask(telegram)
            head = telegram[:7] if isinstance(telegram, str) else telegram[:7].decode()
            assert (answer[:2], answer[2:7], code(answer), len(answer)) == ("05", head[2:], "000", 24)
    row = served.rows(
        "SELECT VIN, SpindleSerial, Overall, TorqueLow, Torque, TorqueHigh, TorqueStatus, AngleLow, Angle, AngleHigh, "
        "AngleStatus, TighteningId, Sequence, Time FROM Result"
    )
    assert row == [
        ("WVWZZZ1KZAW123456", "C3412129", 1, 40.0, 42.37, 50.0, 0, 60.0, 95.0, 90.0, 3, 1234567, 17, "20240314092653")
    ]
    assert served.rows("SELECT ParameterId, Name, Value, Type FROM ResultParameter")[1] == (1500, "Job ID", "7", 1)
    assert served.rows("SELECT Name FROM TNMapSystem UNION ALL SELECT Name FROM TNMapStation") == [
        ("Line 4",),
        ("Left front",),
    ]
    assert served.rows("SELECT Name FROM TNMapProgram") == [("Wheel nuts",)]
    assert served.rows("SELECT Code, Level, Sequence FROM Event") == [(404, 2, 4)]
    assert served.rows("SELECT ParameterId, Type, Value FROM EventParameter") == [(1, 0, "E404")]
    assert served.rows("SELECT GraphType, FactorNom, SampleMs, Samples FROM Graph") == [(0, 100, 2.0, GRAPH[116:])]
    assert served.rows("SELECT * FROM Breach") == []


def test_a_station_is_watched_once_it_has_reported_for_an_hour(tmp_path, monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: seconds[0]))

    def watched(archive):
        return dict(archive.rows("SELECT Station, Watched FROM TNMapStation"))

    with Served(place_in(tmp_path)) as archive:
        for minute in range(0, 60, 5):
            seconds[0] = 60.0 * minute
            archive.report(result(1, minute, time=f"202403140926{minute:02d}"))
        archive.report(result(1, 1, station=99))
        seconds[0] = 3599.0
        archive.report(result(1, 61, time="20240314100000"))
        assert watched(archive) == {10: 0, 99: 0}
        seconds[0] = 3600.0
        archive.report(result(1, 62, time="20240314100001"))
        seconds[0] = 90_000.0  # the wrong number a second time
        archive.report(result(1, 2, station=99))
        assert watched(archive) == {10: 1, 99: 0}
        for station in ("10", "3/1/99"):
            run("station", station, "--remove", "--database", archive.place)
        with browsing(archive.place) as browser:
            assert browser.get("/?json").json()["systems"][0]["Stations"] == []
        assert archive.rows("SELECT count(*) FROM Result WHERE Station = 99") == [(2,)]
        for second in range(0, 4200, 600):
            seconds[0] = 90_100.0 + second
            archive.report(result(1, second, time=f"20240315{second:06d}"))
        assert watched(archive) == {10: 1, 99: -1}, "it reports again"
        assert run("station", "8", "--watch", "--database", archive.place, code=1).stderr
        notes = [what for (what,) in archive.rows("SELECT What FROM Audit")]
        assert notes == ["station 3/1/10: removed from the map", "station 3/1/99: removed from the map"]


def test_what_is_not_described_has_names_of_its_own(served):
    with served.server() as server:
        server.ask(result(station=7))
    assert served.rows("SELECT Name FROM TNMapStation") == [("Station 7",)]
    assert served.rows("SELECT Name FROM TNMapProgram") == [("Program 12",)]


def test_the_same_result_is_stored_once_however_often_and_wherever_it_comes(served):
    with served.server() as one, served.server() as other:
        assert code(one.ask(RESULT)) == code(one.ask(RESULT)) == code(other.ask(result(identifier=7))) == "000"
        # several of it in one commit
        other.send(*[result(identifier=number, sequence=18) for number in range(1, 6)])
        assert [other.receive()[2:7] for _ in range(5)] == [f"{number:05d}" for number in range(1, 6)]
        one.ask(result(43, 17, time="20240314092654"))  # the same number at another time is another result
    assert served.rows("SELECT Sequence, Time, Arrivals FROM Result") == [
        (17, "20240314092653", 3),
        (18, "20240314092653", 5),
        (17, "20240314092654", 1),
    ]


def test_a_new_start_answers_from_the_database(tmp_path):
    place = reported(place_in(tmp_path), *[result(sequence, sequence) for sequence in (99998, 99999, 1, 2)])
    with Served(place) as archive, archive.pim() as pim:
        pim.receive()
        assert pim.ask("0700002000300010010")[7:12] == "00002"
        with archive.server() as server:
            server.ask(result(5, 3))
        assert archive.rows("SELECT COUNT(*), COUNT(DISTINCT ResultId), SUM(Behind) FROM Result") == [(5, 5, 0)]


def test_an_08_names_nothing_that_is_not_committed(served):
    """A station that hears of its result in an 08 takes it for stored, and never sends it again."""
    named = []
    event.listen(served.writer._engine, "commit", lambda _: named.append(served.writer.latest((3, 1, 10))))
    with served.server() as server:
        server.ask(RESULT)
        server.ask(EVENT)
    assert named[:2] == [(0, 0), (17, 0)] and served.writer.latest((3, 1, 10)) == (17, 4)


@pytest.mark.parametrize(
    ("telegram", "field", "position", "answered"),
    [
        (RESULT[:99] + "0004x0.0" + RESULT[107:], "spindles[0].torque_low", 100, "000"),
        (RESULT[:40] + "\x01" + RESULT[41:], "vin", 41, "000"),
        (RESULT[:-1], "length", None, "000"),
        (RESULT[:140], "length", None, "002"),
        (RESULT[:35] + "000-1" + RESULT[40:], "sequence", 36, "002"),
        (RESULT[:21] + "20241314092653" + RESULT[35:], "time", 22, "002"),
        ("9900001", "telegram", 1, "002"),
        ("0700001000300010010", "telegram", 1, "002"),
        ("06x0052", "identifier", 3, None),
    ],
)
def test_breach_is_kept_with_field_and_position_and_the_rest_goes_on(served, telegram, field, position, answered):
    with served.server() as server:
        server.send(telegram)
        if answered is not None:
            assert code(server.receive()) == answered
        assert server.ask("0600099")[2:7] == "00099"
        assert server.ask(result(98, 98))[2:7] == "00098"
    kept = served.rows("SELECT Telegram, Field, Position FROM Breach")
    assert (telegram[:2], field, position) in kept
    count = served.rows("SELECT COUNT(*) FROM Result")
    assert count == [(2 if answered == "000" else 1,)]


def test_length_that_is_none_closes_and_a_cut_off_telegram_stores_nothing(served):
    with served.server() as server:
        server.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert server.receive() == ""
    with served.server() as server:
        server.socket.sendall(b"0510" + RESULT[:300].encode())
    with served.server() as server:
        server.ask(result(1, 1))
    assert served.rows("SELECT Sequence FROM Result") == [(1,)]
    assert served.rows("SELECT Field FROM Breach") == [("length",)]


def test_telegrams_in_single_octets_are_whole_in_the_end(served):
    with served.server() as server:
        for octet in b"%04d" % len(RESULT) + RESULT.encode():
            server.socket.sendall(bytes((octet,)))
        assert code(server.receive()) == "000"


def test_a_result_with_one_spindle_twice_is_refused_and_spoils_no_one(served):
    twice = RESULT[:65] + "0002" + RESULT[69:80] + RESULT[80:150] * 2 + RESULT[150:]
    with served.server() as bad, served.server() as good:
        bad.send(twice)
        assert code(good.ask(result(1, 1))) == "000"
        assert code(bad.receive()) == "002"
    assert served.rows("SELECT Sequence FROM Result") == [(1,)]


def test_what_the_database_refuses_is_not_answered_and_the_others_are(served, monkeypatch):
    write = writer.Writer._write

    def refuses(self, connection, batch):
        if any(row[4] == 2 for row in batch.rows.get(RESULT_TABLE, ())):
            raise IntegrityError("INSERT", None, Exception("refused"))
        write(self, connection, batch)

    monkeypatch.setattr(writer.Writer, "_write", refuses)
    with served.server() as server, served.server() as other:
        server.ask(result(1, 1))
        server.send(result(2, 2))
        assert other.ask(EVENT)[2:7] == "00045"  # in the same commit, or a later one
        assert server.receive() == ""
    assert "1 not stored" in served.log[-1]
    assert served.rows("SELECT Sequence FROM Result") == [(1,)]


def test_a_silent_connection_is_closed_and_a_talking_one_is_not(tmp_path):
    with Served(place_in(tmp_path), silence_s=0.3) as archive, archive.server() as server:
        assert server.ask("0600001") and server.receive() == ""


def test_one_archive_writes_at_a_time(new_place, monkeypatch):
    place = new_place()
    monkeypatch.setattr(database, "_LOCK_WAIT_S", 0.1)
    with (
        database.writing(place),
        pytest.raises(database.DatabaseUnusable, match="another archive writes there"),
        database.writing(place),
    ):
        pass


def test_one_archive_writes_at_a_time_by_whatever_name(tmp_path):
    (tmp_path / "link").symlink_to(place_in(tmp_path))
    with (
        database.writing(str(tmp_path / "link")),
        pytest.raises(database.DatabaseUnusable, match="another archive writes there"),
        database.writing(str(place_in(tmp_path))),
    ):
        pass


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere/at/all.sqlite", "name a file in a folder that is there and writable"),
        ("sqlite://", "names no file"),
        ("mysql://somebody@host/name", "an SQLite file, or a PostgreSQL database"),
        ("postgresql://nobody@127.0.0.1:1/name", "connection"),
    ],
)
def test_a_database_that_cannot_be_used_is_reported_in_words(tmp_path, monkeypatch, place, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(database.DatabaseUnusable, match=words):
        database.connect(place, writes=True)


def test_a_file_that_is_no_database_is_reported(tmp_path):
    place_in(tmp_path).write_text("no database at all, but long enough to be read as one" * 30)
    with pytest.raises(database.DatabaseUnusable, match="not a database: another kind of file"):
        database.connect(str(place_in(tmp_path)), writes=True)
    sqlite3.connect(tmp_path / "foreign.sqlite").execute("CREATE TABLE Theirs (x)").connection.commit()
    with pytest.raises(database.DatabaseUnusable, match="holds no archive of toolcart"):
        database.connect(str(tmp_path / "foreign.sqlite"), writes=False)


@pytest.mark.parametrize("writes", [False, True])
def test_archive_of_unknown_revision_is_refused_and_left_as_it_is(tmp_path, writes):
    place = reported(place_in(tmp_path), result(1, 1))
    change(place, "UPDATE alembic_version SET version_num = '8'")
    with pytest.raises(database.DatabaseUnusable, match="revision 8, which this version of toolcart does not know"):
        database.connect(place, writes=writes)
    with sqlite3.connect(place) as connection:
        assert connection.execute("SELECT COUNT(*) FROM Result").fetchall() == [(1,)]
    connection.close()


def test_commit_of_one_result_takes_a_page_of_each_index(tmp_path):
    place = place_in(tmp_path)
    with Served(place) as archive, archive.server() as server:
        server.ask(result(1, 1))
        with closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        for number in range(2, 22):
            server.ask(result(number, number, time=f"202403140927{number:02d}"))
        assert os.path.getsize(f"{place}-wal") / 20 < 36_000


def assert_is_as_the_tables_say(connection):
    differences = compare_metadata(MigrationContext.configure(connection), TABLES)
    on_sqlite = connection.dialect.name == "sqlite"
    others = {"CarByVIN"} if on_sqlite else set()  # PostgreSQL's alone
    # Of an index of an expression Alembic compares the text, which PostgreSQL writes in its own way.
    others |= {one[1].name for one in differences if one[1].name.endswith("ByShownTime")}
    assert [one for one in differences if one[1].name not in others] == []
    for name in ("results", "curves", "events"):
        assert connection.exec_driver_sql(f"SELECT max(time) FROM {name}").fetchall()


def test_migrations_make_what_the_tables_say(new_place):
    with reading(empty(new_place())) as connection:
        assert_is_as_the_tables_say(connection)


UNITS = (("Result", "Torque"), ("Result", "Angle"), ("ControlLimits", ""))
OF_QUARTERS = ", ".join(f'"{one.name}"' for one in QUARTER.columns if not one.name.endswith("Unit"))
BACK_TO_5 = (
    *[f"DROP VIEW {name}" for name in VIEWS],
    *[f'ALTER TABLE "{table}" DROP COLUMN "{name}Unit"' for table, name in UNITS],
    f'CREATE TABLE "Other" AS SELECT {OF_QUARTERS} FROM "Quarter"',
    'DROP TABLE "Quarter"',
    'ALTER TABLE "Other" RENAME TO "Quarter"',
    'ALTER TABLE "Server" ADD COLUMN "Weight" INTEGER NOT NULL DEFAULT 1',
    'ALTER TABLE "Server" ADD COLUMN "Draining" INTEGER NOT NULL DEFAULT 0',
    "UPDATE alembic_version SET version_num = '5'",
)
BACK_TO_4 = (
    *BACK_TO_5,
    *[f'DROP INDEX "{name}ByShownTime"' for name in ("Result", "Event", "Graph")],
    *[f'DROP INDEX "{name}"' for name in ("ResultByVIN", "ResultNOKByTime")],
    'CREATE INDEX "ResultByVIN" ON "Result" ("VIN", "SystemType", "System", "Station", "Program")',
    'ALTER TABLE "TNMapStation" DROP COLUMN "Watched"',
    "CREATE VIEW results AS SELECT 1 AS time",
    "UPDATE alembic_version SET version_num = '4'",
)


def test_results_of_revision_5_get_the_units_that_their_parameters_say(new_place):
    place = filled(new_place(), stations=1, cars=40)  # 5 results each
    parameter = "INSERT INTO \"ResultParameter\" VALUES ({}, 1, 0, 1, {}, '', '{}', 0, '', 0)"
    told = [(number, 60004, "%") for number in range(1, 151)] + [
        (151, 60008, "kN, mm"),
        (152, 60004, ""),
        (153, 30, "%"),
    ]
    limits = [
        f"INSERT INTO \"ControlLimits\" VALUES ({number}, 3, 1, 1, 1, 1, '{name}', '202611201500', '202611201000', "
        "'202611201500', 1, 99, 1, 1, '', '', '', '')"
        for number, name in enumerate(("Torque", "Angle"), 1)
    ]
    change(place, *BACK_TO_5, *[parameter.format(*one) for one in told], *limits)
    database.connect(place, writes=True).dispose()
    with reading(place) as connection:
        assert_is_as_the_tables_say(connection)
        found = connection.exec_driver_sql("SELECT torque_unit, angle_unit FROM results ORDER BY result_id").fetchall()
        assert found == [("%", "deg")] * 150 + [("kN", "mm")] + [("Nm", "deg")] * 49
        kept, summed = (set(connection.execute(one)) for one in (select(QUARTER), rollups.summed()))
        assert {row[:13] for row in kept} == {row[:13] for row in summed} and len(kept) == len(summed)
        assert connection.exec_driver_sql('SELECT "Unit" FROM "ControlLimits" ORDER BY 1').fetchall() == [
            ("%",),
            ("deg",),
        ]


def test_quarters_of_revision_6_are_summed_again(new_place):
    one_sided = [
        result(number, number).replace("00050.00", "99999.99").replace("00040.00", "    0.00") for number in (1, 2)
    ]
    place = reported(new_place(), *one_sided, *[result(number, number) for number in (3, 4)])
    before = 'UPDATE "Quarter" SET "TorqueLow" = 0, "TorqueHigh" = 0, "GoodTorqueSum" = -1e5 WHERE "TorqueHigh" > 9999'
    change(place, before, "UPDATE alembic_version SET version_num = '6'")
    database.connect(place, writes=True).dispose()
    with reading(place) as connection:
        kept, summed = (set(connection.execute(one)) for one in (select(QUARTER), rollups.summed()))
        assert kept == summed and len(kept) == 2
        assert connection.exec_driver_sql('SELECT max("TorqueHigh") FROM "Quarter"').scalar() == 99999.99


def test_an_archive_of_revision_4_is_brought_up_to_date_with_all_it_has(new_place):
    place = filled(new_place(), with_more=True, stations=2, cars=4, curves=2)
    change(place, *BACK_TO_4)
    with pytest.raises(database.DatabaseUnusable, match="serve` brings it up to date"):
        database.connect(place, writes=False)
    database.connect(place, writes=True).dispose()
    with reading(place) as connection:
        assert_is_as_the_tables_say(connection)
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in VIEWS]
        assert counts == [40, 4, 12, 0]
        assert connection.exec_driver_sql('SELECT "Watched" FROM "TNMapStation"').fetchall() == [(1,), (1,)]
        plan_of = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[connection.dialect.name]
        if plan_of == "EXPLAIN":
            connection.exec_driver_sql("SET enable_seqscan = off")
        for name, table in (("results", "Result"), ("curves", "Graph"), ("events", "Event")):
            query = f"SELECT time FROM {name} WHERE time >= '2026-11-20' AND time < '2026-11-21'"
            plan = connection.exec_driver_sql(f"{plan_of} {query}").fetchall()
            assert f"{table}ByShownTime" in str(plan), plan
            assert connection.exec_driver_sql(query).fetchall()


def test_a_programs_results_of_a_day_are_read_by_their_time(tmp_path):
    place = filled(place_in(tmp_path), stations=2, cars=40)
    within = "time >= '2026-11-20 14:00' AND time < '2026-11-20 14:11'"
    query = f"SELECT time, torque FROM results WHERE {within} AND station = '3/1/2' AND program = 1 ORDER BY time"
    with reading(place) as connection:
        assert len(connection.exec_driver_sql(query).fetchall()) == 11 * 4
        assert "ResultByShownTime" in str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").fetchall())


def test_a_role_that_only_reads_asks_views_by_time_with_an_index(databases):
    place = filled(databases(), stations=2, cars=40)
    views = ", ".join(VIEWS)
    change(place, "CREATE ROLE grafana_reads", f"GRANT SELECT ON {views} TO grafana_reads", "ANALYZE")
    within = "time BETWEEN '2026-11-20T14:00:00Z' AND '2026-11-20T14:10:00.5Z'"  # $__timeFilter(time)
    query = f"SELECT time, torque FROM results WHERE {within} AND station = '3/1/2' ORDER BY time"
    with reading(place) as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("SET ROLE grafana_reads")
        assert len(connection.exec_driver_sql(query).fetchall()) == 11 * 5
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql('SELECT * FROM "Result"')
        connection.rollback()
        connection.exec_driver_sql("SET enable_seqscan = off")
        plan = str(connection.exec_driver_sql(f"EXPLAIN {query}").fetchall())
        assert "ResultByShownTime" in plan and "Index Cond" in plan


def test_what_is_no_time_is_none_in_views(databases):
    times = ("20240229235959", "20230229000000", "20241301000000", "00000101000000", "20240101240000", "x" * 14)
    times += ("99991231235959", "00010101000000", "2024010100000 ", "20240431120000")
    place = reported(databases(), *[result(n, n, time=time) for n, time in enumerate(times, 1)])
    with reading(place) as connection:
        found = connection.exec_driver_sql("SELECT time FROM results ORDER BY result_id").scalars().all()
        good = [datetime.strptime(one, "%Y%m%d%H%M%S") for one in (times[0], times[6], times[7])]
        assert [one for one in found if one is not None] == good
        filtered = "time BETWEEN '2024-02-28T00:00:00Z' AND '2024-03-01T00:00:00.123Z'"  # as Grafana's macro writes it
        assert connection.exec_driver_sql(f"SELECT count(*) FROM results WHERE {filtered}").scalar() == 1
        arrived = "arrived BETWEEN now() - interval '1 hour' AND now() + interval '1 hour' AND time < now()"
        assert connection.exec_driver_sql(f"SELECT count(*) FROM results WHERE {arrived}").scalar() == 2


# -- faults --------------------------------------------------------------------------------------------------------


def faulty(tmp_path, **faults):
    return Served(place_in(tmp_path), Faults(**faults))


def test_a_refusal_by_content_stores_nothing_and_names_its_code(tmp_path):
    with faulty(tmp_path, refuse=[refusal("7:vin=WVW.*")]) as archive, archive.server() as server:
        assert code(server.ask(RESULT)) == "007"
        assert code(server.ask(result(43, 18, vin="ZFA123"))) == "000"
        assert archive.rows("SELECT Sequence FROM Result") == [(18,)]


def test_a_lost_answer_is_stored_and_the_next_try_is_answered(tmp_path):
    with faulty(tmp_path, lose_every=3) as archive, archive.server() as server:
        server.send(result(1, 1), result(2, 2), result(3, 3))
        assert [server.receive()[2:7], server.receive()[2:7]] == ["00001", "00002"]
        assert server.ask(EVENT)[2:7] == "00045"  # behind it, so that the third is no longer on its way
        assert server.ask(result(3, 3))[2:7] == "00003"
        assert archive.rows("SELECT Sequence FROM Result") == [(1,), (2,), (3,)]


def test_other_faults(tmp_path):
    with faulty(tmp_path, wrong_identifier=True, answer_events_by_10=True) as archive, archive.server() as server:
        assert server.ask(RESULT)[2:7] == "00043" and server.receive()[2:7] == "00042"
        server.ask(EVENT)
        assert server.receive()[:19] == "1000045" + "000300010010"
    with faulty(tmp_path, say_result=25, say_host="0.0.0.0", without_12=True, silent=("06",)) as archive:
        with archive.pim() as pim:
            assert pim.ask("0700001000300010010")[7:32] == "0002500004" + "0.0.0.0".ljust(15)
        with archive.server() as server:
            server.send("0600001", result(2, 2))
            assert server.receive()[2:7] == "00002"
    with faulty(tmp_path, late_ms=80) as archive, archive.server() as server:
        began_s = time.monotonic()
        assert server.ask("0600001")[2:7] == "00001" and time.monotonic() - began_s >= 0.08
    with faulty(
        tmp_path, refuse=[refusal("3:telegram=13"), refusal("4:program=12"), refusal("5:station=11")]
    ) as archive:
        with archive.server() as server:
            telegrams = (GRAPH, RESULT, result(station=11), "0600001")
            assert [code(server.ask(one)) for one in telegrams] == ["003", "004", "004", "000"]
    with faulty(tmp_path, close_after=2) as archive, archive.server() as server:
        server.send("0600001", "0600002", "0600003")
        assert [server.receive()[2:7], server.receive()[2:7], server.receive()] == ["00001", "00002", ""]


@pytest.mark.parametrize("text", ["vin=x", "0:vin=x", "1000:vin=x", "7:vin", "7:vin=["])
def test_a_refusal_that_cannot_be_read_is_reported(text):
    with pytest.raises(ValueError, match=r"\S"):
        refusal(text)


def test_every_fault_can_be_asked_for(tmp_path, monkeypatch):
    seen = []

    async def looked_at(place, say, seconds, server_of):
        seen.append(server_of.args[0])

    monkeypatch.setattr(faulty_archive.serving, "run", looked_at)
    words = "--refuse 7:vin=W.* --late-ms 4 --silent 06 --lose 5 --close 6 --identifier --say-result 8 --say-event 9 "
    words += "--say-host 10 --without-12 --events-by-10"
    place = ["--database", str(tmp_path / "a.sqlite")]
    assert CliRunner().invoke(faulty_archive.main, [*place, *words.split()]).exit_code == 0
    given, healthy = vars(seen[0]), vars(Faults())
    assert [name for name in healthy if given[name] == healthy[name]] == ["_results"]
    assert given["refuse"][0][:2] == (7, "vin") and given["silent"] == ("06",)
    done = CliRunner().invoke(faulty_archive.main, [*place, "--refuse", "vin"])
    assert done.exit_code == 2 and "CODE:FIELD=PATTERN" in done.output


def test_a_faulty_archive_is_served(tmp_path):
    words = ["--database", str(tmp_path / "a.sqlite"), "--pim-port", "0", "--server-port", "0", "--seconds", "0.05"]
    done = CliRunner().invoke(faulty_archive.main, words)
    assert done.exit_code == 0 and done.output.startswith("PIM on 127.0.0.1:") and "stored 0, again 0" in done.output


def test_the_latest_of_many_names_counts_and_a_blank_one_changes_nothing(tmp_path):
    def described(identifier, name):
        programs = "".join(f"{number:04d}{name + str(number) if name else '':<25}" for number in range(1, 301))
        spindle = f"0001{'Spindle':<25}0300{programs}"
        return f"02{identifier:05d}000300010010{'127.0.0.1':<15}{name:<25}0001{spindle}"

    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        server.send(described(1, "Old"), described(2, "New"), described(3, ""))
        assert [server.receive()[21:24] for _ in range(3)] == ["000"] * 3
        named = archive.rows("SELECT Program, Name FROM TNMapProgram ORDER BY Program")
        assert named == [(number, f"New{number}") for number in range(1, 301)]
        assert archive.rows("SELECT Name FROM TNMapStation") == [("New",)]
