"""The recipe of docs/library/to-sqlite.md keeps every result that it acknowledges, and each once."""

import asyncio
import sqlite3
import threading

import pytest

from toolcart.client import connect_blocking
from toolcart.simulated import controller
from host_tests.support.scripted_controller import ScriptedController, result
from host_tests.toolcart.client.test_client import run
from host_tests.toolcart.client.test_gap_fill import BLANK, ZERO, nameless
from host_tests.toolcart.client.test_library_book import programs

DEADLINE_S = 10
TIGHTENED = {"torque": 1234, "time": (2024, 3, 14, 9, 26, 53), "tightening_status": 1}


@pytest.fixture
def record(tmp_path):
    """The function of the recipe, which writes into one database, and what is in there."""
    program = programs("to-sqlite.md")[0]
    room = {}
    exec(program[: program.index("\nwith toolcart.simulated")], room)
    file = str(tmp_path / "results.db")

    def rows(columns):
        return sqlite3.connect(file).execute(f"SELECT {columns} FROM result ORDER BY rowid").fetchall()

    def record(host, port, count):
        thread = threading.Thread(target=room["record"], args=(host, port, file, count), daemon=True)
        thread.start()
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), f"{len(rows('id'))} of {count} came"

    return record, rows


def recorded(record, *frames):
    """Let a controller push these one after the other, each once the one before is acknowledged, and record them."""

    async def body():
        left = list(frames)

        def answer(mid, data):
            if mid == 62:
                return [left.pop(0)] if left else []
            return None

        async with ScriptedController(answer) as scripted:
            recording = asyncio.create_task(asyncio.to_thread(record, scripted.host, scripted.port, len(frames)))
            while not scripted.count(64):
                await asyncio.wait([recording], timeout=0.005)
            scripted.send(left.pop(0))
            await recording
            assert scripted.count(62) == len(frames)

    run(body())


def test_a_result_under_an_id_that_was_there_before_is_kept(record):
    record, rows = record
    for torque in (1000, 2000):  # the controller was exchanged, or its memory cleared
        with controller(push_last_result=True) as simulated:
            assert simulated.produce(torque=torque) == 1
            record(simulated.host, simulated.port, 1)
            simulated.assert_clean()
    assert rows("id, torque") == [(1, "10"), (1, "20")]


def test_a_result_that_comes_again_is_one_row(record):
    record, rows = record
    recorded(record, result(1, **TIGHTENED))
    recorded(record, result(1, **TIGHTENED))
    assert rows("id, status, torque") == [(1, "OK", "12.34")]


@pytest.mark.parametrize("blanks", [BLANK, ZERO])
def test_a_result_that_has_neither_id_nor_time_is_a_row_each_time(record, blanks):
    record, rows = record
    recorded(record, *[nameless(0, blanks)] * 3, result(1, **TIGHTENED), nameless(0, blanks))
    assert rows("id, torque") == [(None, "0")] * 3 + [(1, "12.34"), (None, "0")]
    assert rows("count(DISTINCT message)") == [(2,)]


@pytest.mark.parametrize(
    ("place", "odd"),
    [
        (b"0000000002", b"00000000X2"),
        (b"0000000002", b"          "),
        (b"2024-03-14:09:26:53", b"Last Change Unknown"),
        (b"091", b"09X"),
        (b"001234", b"------"),
    ],
)
def test_what_cannot_be_read_is_kept_as_it_came(record, place, odd):
    record, rows = record
    whole = result(2, **TIGHTENED)
    assert whole.count(place) == 1
    recorded(record, whole.replace(place, odd), whole)
    assert len(rows("id")) == 2
    assert rows("id, status, torque")[1] == (2, "OK", "12.34")


@pytest.mark.parametrize(("place", "odd"), [(b"001234", b"00X234"), (b"091", b"09X"), (b"2024-03-14", b"2024-03-1X")])
def test_a_value_that_cannot_be_read_is_in_its_column_as_it_came(record, place, odd):
    record, rows = record
    whole = result(2, **TIGHTENED)
    assert whole.count(place) == 1
    recorded(record, whole.replace(place, odd))
    columns = rows("id, time, status, torque")[0]
    assert odd.decode().removeprefix("09") in [str(one)[:10] for one in columns]


@pytest.mark.parametrize("time", [b"-" * 19, b"2000-00-00:00:00:00", b"Last Change Unknown"])
@pytest.mark.parametrize("number", [b"0000000000", b" " * 10, b"00000000X2"])
def test_a_time_that_cannot_be_read_tells_no_results_apart(record, number, time):
    """The client acknowledges each as a new one."""
    record, rows = record
    odd = result(2147483648, torque=1234, time=(2024, 3, 14, 9, 26, 53))
    odd = odd.replace(b"2147483648", number).replace(b"2024-03-14:09:26:53", time)
    recorded(record, odd, odd, odd)
    assert rows("torque, key") == [("12.34", None)] * 3


def test_a_result_that_is_pushed_and_fetched_is_one_row(record):
    record, rows = record
    for is_pushed in (False, True):
        with controller(push_last_result=is_pushed, time_text="2024-03-14:09:26:53") as simulated:
            simulated.produce(torque=1234)
            record(simulated.host, simulated.port, 1)
            assert simulated.acknowledged == [1] * is_pushed
    assert rows("mid, id, torque") == [(65, 1, "12.34")]


def test_a_program_that_ended_before_the_commit_gets_the_result_when_it_starts_again(record):
    record, rows = record
    with controller() as simulated:
        for number in (1, 2, 3):
            simulated.produce(torque=1000 * number)
            with connect_blocking(simulated.host, simulated.port) as one, one.results() as results:
                simulated.produce(torque=1000 * number + 1)
                results.next(timeout=DEADLINE_S)  # and ends
            record(simulated.host, simulated.port, 2)
        simulated.assert_clean()
    assert rows("id, torque") == [(1, "10"), (2, "10.01"), (3, "20"), (4, "20.01"), (5, "30"), (6, "30.01")]


def test_without_mid_0064_a_program_that_starts_again_keeps_what_it_missed(record):
    record, rows = record
    with controller(push_last_result=True, refuse={64: 99}) as simulated:
        for made in (1, 3):
            for _ in range(made):
                simulated.produce()
            record(simulated.host, simulated.port, 1)
    assert rows("id") == [(1,), (4,)]
    missed = rows("(SELECT group_concat(first || ' to ' || last) FROM missed)")
    assert missed[0] == ("2 to 3",)


def test_a_gap_that_is_told_again_to_a_program_that_was_killed_is_one_row(record, tmp_path):
    record, rows = record
    with sqlite3.connect(tmp_path / "results.db") as database, controller(memory=2) as simulated:
        simulated.produce()
        record(simulated.host, simulated.port, 1)
        for _ in range(4):
            simulated.produce()
        database.execute("CREATE TRIGGER killed BEFORE INSERT ON result BEGIN SELECT RAISE(ABORT, 'killed'); END")
        room = {}
        program = programs("to-sqlite.md")[0]
        exec(program[: program.index("\nwith toolcart.simulated")], room)
        for _ in range(2):
            with pytest.raises(sqlite3.IntegrityError, match="killed"):
                room["record"](simulated.host, simulated.port, str(tmp_path / "results.db"), 2)
        database.execute("DROP TRIGGER killed")
        record(simulated.host, simulated.port, 2)
    assert rows("id") == [(1,), (4,), (5,)]
    assert database.execute("SELECT first, last FROM missed WHERE first NOT NULL").fetchall() == [(2, 3)]


def test_results_of_other_mids_are_kept_too(record):
    record, rows = record
    with controller("mt-focus-6000", push_last_result=True) as simulated:
        simulated.produce()
        for _ in range(2):
            record(simulated.host, simulated.port, 2)
    assert len(rows("message")) == 2
