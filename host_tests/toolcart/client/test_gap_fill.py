"""After a reconnect the missing results come first, in order and marked, and what cannot be fetched is told."""

import asyncio
import contextlib
import random
import subprocess
import sys
import time

import pytest

from toolcart.client import Missed, NothingCame, OptionError, OutOfOrder, connect, connect_blocking
from toolcart.simulated import controller
from host_tests.support.scripted_controller import ScriptedController, refused, result
from host_tests.toolcart.client.test_client import QUICK, run
from host_tests.toolcart.client.test_library_book import programs

SOON_S = 5
QUIET_S = 0.2


def seen(message):
    """Return what is compared: the ID of a result, marked if it was fetched, or what a Missed tells."""
    if isinstance(message, Missed):
        return message.ids
    return (message["tightening_id"], "fetched") if message.fetched else message["tightening_id"]


def taken(results, count):
    """Take, acknowledge and return so many; nothing more comes."""
    came = []
    for _ in range(count):
        message = results.next(timeout=SOON_S)
        if not isinstance(message, Missed):
            assert message.acknowledge()
        came.append(seen(message))
    with pytest.raises(NothingCame):
        results.next(timeout=QUIET_S)
    return came


@contextlib.contextmanager
def reading(fill_gaps=True, options=None, **faults):
    with controller(**faults) as simulated:
        with connect_blocking(simulated.host, simulated.port, **{**QUICK, **(options or {})}) as one:
            with one.results(fill_gaps=fill_gaps) as results:
                yield simulated, one, results
        simulated.assert_clean()


def gap(simulated, count, meanwhile=lambda: None):
    """Let so many be made while there is no connection."""
    simulated.cut()
    for _ in range(count):
        simulated.produce()
    meanwhile()
    simulated.restore()


def test_what_was_made_meanwhile_comes_first_in_order_and_marked():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 3)
        assert taken(results, 3) == [(2, "fetched"), (3, "fetched"), (4, "fetched")]
        simulated.produce()
        assert taken(results, 1) == [5]
        assert simulated.acknowledged == [1, 5]


def gap_and_push(simulated, one, missing):
    """Have so many results missed, and one pushed as soon as the connection is back, before they are fetched."""
    with one.connections() as events:
        gap(simulated, missing)
        while not events.next(timeout=SOON_S).is_found:
            pass
        simulated.produce()
        time.sleep(QUIET_S)


def test_what_is_pushed_before_they_are_fetched_waits_for_its_place():
    with reading() as (simulated, one, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap_and_push(simulated, one, 2)
        assert taken(results, 3) == [(2, "fetched"), (3, "fetched"), 4]


def test_a_connection_lost_before_the_first_result_loses_none():
    with reading() as (simulated, _, results):
        gap(simulated, 2)
        assert taken(results, 2) == [(1, "fetched"), (2, "fetched")]
    with reading(memory=2) as (simulated, _, results):
        gap(simulated, 5)
        assert taken(results, 3) == [range(0), (4, "fetched"), (5, "fetched")]


def test_results_from_before_the_reading_are_not_fetched():
    with controller() as simulated:
        for _ in range(3):
            simulated.produce()
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            gap(simulated, 1)
            assert taken(results, 1) == [(4, "fetched")]


def test_what_the_controller_has_no_more_is_told_at_its_place():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 5, lambda: [simulated._do(simulated._controller.forget, one) for one in (2, 3, 5)])
        assert taken(results, 4) == [range(2, 4), (4, "fetched"), range(5, 6), (6, "fetched")]
        gap(simulated, 1)
        assert taken(results, 1) == [(7, "fetched")], "what was told is not told again"


def test_a_small_memory_is_told_as_one_range():
    with reading(memory=2) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 10)
        assert taken(results, 3) == [range(2, 10), (10, "fetched"), (11, "fetched")]


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ({"refuse": {64: 99}}, "0004 for 0064: code 99"),
        ({"refuse": {64: 15}}, "0004 for 0064: code 15"),
        ({"refuse": {64: None}}, "the controller does not answer MID 0064"),
        ({"recover_revisions": ()}, "0004 for 0064: code "),
    ],
)
def test_without_mid_0064_the_next_result_tells_what_is_missing(refused, words):
    with reading(options={"response_s": 0.2}, **refused) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 2)
        with pytest.raises(NothingCame):
            results.next(timeout=QUIET_S)
        simulated.produce()
        missed = results.next(timeout=SOON_S)
        assert missed.ids == range(2, 4) and missed.reason.startswith(words)
        assert taken(results, 1) == [4]
        assert simulated.messages[64] <= 11, "it is not asked again and again"


NO_MID_0064 = refused(64, 99)
BLANK, ZERO = (b" " * 10, b" " * 19), (b"0" * 10, b"0000-00-00:00:00:00")


def nameless(torque, blanks=BLANK, mid=61):
    """Return a result that has neither ID nor time."""
    whole = result(2147483648, mid, torque=torque, time=(2024, 3, 14, 9, 26, 53))
    for place, blank in zip((b"2147483648", b"2024-03-14:09:26:53"), blanks, strict=True):
        assert whole.count(place) == 1
        whole = whole.replace(place, blank)
    return whole


def over_connections(*connections, recovery=NO_MID_0064):
    """Return what a reader gets of a controller without MID 0064 that pushes this over a connection after another."""

    async def body():
        async with ScriptedController(lambda mid, data: [recovery] if mid == 64 else None) as scripted:
            async with connect(scripted.host, scripted.port, **QUICK) as one, one.results() as results:
                came = []
                for place, pushed in enumerate(connections):
                    if place:
                        scripted.cut()
                        while scripted.count(60) <= place:
                            await asyncio.sleep(0.001)
                    for octets in pushed:
                        scripted.send(octets)
                        message = await results.next(timeout=SOON_S)
                        if isinstance(message, Missed):
                            assert message.reason
                            came.append(message.ids)
                            message = await results.next(timeout=SOON_S)
                        assert await message.acknowledge()
                        came.append(message["torque"])
                return came

    return run(body())


def of(*numbers, torque=0):
    return [result(number, torque=torque or number) for number in numbers]


@pytest.mark.parametrize(
    ("connections", "came"),
    [
        ((of(100, 101), of(102, 103)), [100, 101, 102, 103]),
        ((of(100, 101), of(104, 105)), [100, 101, range(102, 104), 104, 105]),
        ((of(100, 101), of(101, 102)), [100, 101, 101, 102]),  # the last one comes again
        ((of(100, 101), of(101, 103)), [100, 101, 101, range(102, 103), 103]),
        ((of(100, 101), of(3, 4), of(5)), [100, 101, range(0), 3, 4, 5]),  # IDs begin again
        ((of(100, 101), of(101, torque=777)), [100, 101, range(0), 777]),  # and come to the same one
        (((), of(5, 6)), [range(0), 5, 6]),
        (((), (), of(5)), [range(0), 5]),
    ],
)
def test_without_mid_0064_the_next_result_tells_whatever_its_id_is(connections, came):
    assert over_connections(*connections) == came


@pytest.mark.parametrize("blanks", [BLANK, ZERO])
def test_of_results_without_an_id_the_next_one_tells_once_a_reconnect(blanks):
    pushed = [[nameless(torque, blanks) for torque in torques] for torques in ((1, 2), (3, 4), (), (5, 5))]
    for recovery in (NO_MID_0064, nameless(2, blanks, 65)):
        came = over_connections(*pushed, recovery=recovery)
        assert came == [1, 2, range(0), 3, 4, range(0), 5, 5]


def test_without_mid_0064_each_connection_that_was_over_before_it_was_read_tells():
    async def body():
        async with ScriptedController(lambda mid, data: [NO_MID_0064] if mid == 64 else None) as scripted:
            async with connect(scripted.host, scripted.port, **QUICK) as one, one.results() as results:
                scripted.send(result(100))
                assert await (await results.next(timeout=SOON_S)).acknowledge()
                for place, number in ((1, 103), (2, 106)):
                    scripted.cut()
                    while scripted.count(60) <= place:
                        await asyncio.sleep(0.001)
                    scripted.send(result(number))
                    await one.select_pset(1)
                came = []
                for _ in range(4):
                    message = await results.next(timeout=SOON_S)
                    came.append(seen(message))
                    if not isinstance(message, Missed):
                        await message.acknowledge()
                assert came == [range(101, 103), 103, range(104, 106), 106]

    run(body())


def test_an_older_revision_of_mid_0064_does():
    with reading(recover_revisions=(1, 2)) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 1)
        assert taken(results, 1) == [(2, "fetched")]


def test_it_can_be_left_out():
    with reading(fill_gaps=False) as (simulated, one, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 2)
        with pytest.raises(NothingCame):
            results.next(timeout=QUIET_S)
        assert 64 not in simulated.messages
        with pytest.raises(OptionError, match="fill_gaps: found 'yes'"):
            one.results(fill_gaps="yes")


def test_what_was_given_and_not_acknowledged_comes_again():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        simulated.produce()
        lost = results.next(timeout=SOON_S)
        gap(simulated, 1)
        assert taken(results, 2) == [(2, "fetched"), (3, "fetched")]
        assert not lost.acknowledge()


def test_what_is_safe_though_it_could_not_be_acknowledged_does_not():
    with reading() as (simulated, _, results):
        simulated.produce()
        result = results.next(timeout=SOON_S)
        simulated.cut()
        time.sleep(QUIET_S)
        assert not result.acknowledge()
        simulated.produce()
        simulated.restore()
        assert taken(results, 1) == [(2, "fetched")]


def test_one_that_was_fetched_is_acknowledged_before_later_ones():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 2)
        first, second = (results.next(timeout=SOON_S) for _ in range(2))
        with pytest.raises(OutOfOrder):
            second.acknowledge()
        simulated.produce()
        third = results.next(timeout=SOON_S)
        with pytest.raises(OutOfOrder):
            third.acknowledge()
        assert not first.acknowledged and first.acknowledge() and first.acknowledged
        assert second.scaled().acknowledge() and third.acknowledge()
        assert simulated.acknowledged == [1, 3 + 1]


def test_a_connection_lost_while_it_fetches_goes_on():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 6)
        came = []
        for _ in range(3):
            result = results.next(timeout=SOON_S)
            came.append(seen(result))
            result.acknowledge()
        gap(simulated, 1)
        assert came + taken(results, 4) == [(one, "fetched") for one in range(2, 9)]


def test_a_short_wait_loses_nothing():
    with reading() as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 5)
        came = []
        until = time.monotonic() + SOON_S
        while len(came) < 5 and time.monotonic() < until:
            with contextlib.suppress(NothingCame):
                result = results.next(timeout=0.001)
                result.acknowledge()
                came.append(seen(result))
        assert came == [(one, "fetched") for one in range(2, 7)]


def test_ids_that_begin_again_and_another_controller_are_told():
    with reading() as (simulated, _, results):
        for _ in range(5):
            simulated.produce()
        assert taken(results, 5) == [1, 2, 3, 4, 5]
        gap(simulated, 2, lambda: simulated._do(simulated._controller.reset_ids) or simulated.produce())
        assert taken(results, 2) == [range(0), (1, "fetched")]
        simulated.produce()
        assert taken(results, 1) == [2]


def test_a_wrap_is_no_end():
    with reading() as (simulated, _, results):
        simulated.produce(tightening_id=4294967294)
        assert taken(results, 1) == [4294967294]
        gap(simulated, 3)  # ..95, 0 and 1: 0 cannot be asked for
        assert taken(results, 2) == [(4294967295, "fetched"), (1, "fetched")]


@pytest.mark.parametrize(("revision", "came"), [(7, [(5, "fetched")]), (1, [range(4, 7)])])
def test_results_of_another_station_are_not_taken_for_ours(revision, came):
    """Revision 7 names the station; in an older one it cannot be known, which is told."""
    with reading(elsewhere=1, recover_revisions=(revision,), start_revisions=(6,)) as (simulated, _, results):
        for number in (1, 3):
            simulated.produce()
            assert taken(results, 1) == [number]
        gap(simulated, 1)
        assert taken(results, 1) == came


def test_what_is_pushed_again_after_a_reconnect_does_not_make_the_stations_share():
    """A push that skips the IDs of the gap says nothing: what was made meanwhile is fetched, not pushed."""
    with reading(push_unacknowledged=True) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        simulated.produce()
        assert seen(results.next(timeout=SOON_S)) == 2, "it is not acknowledged, and comes again"
        gap(simulated, 1)
        assert taken(results, 2) == [2, (3, "fetched")]
        simulated.produce()
        assert taken(results, 1) == [4]
        gap(simulated, 2)
        assert taken(results, 2) == [(5, "fetched"), (6, "fetched")]
    assert simulated.acknowledged == [1, 2, 4]


def test_what_a_connection_pushed_that_was_lost_unread_is_given_at_its_place():
    with reading(push_unacknowledged=True) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        for _ in range(2):  # the second connection is over before its pushes are read
            gap(simulated, 2)
            time.sleep(QUIET_S)
            simulated.produce()
            time.sleep(QUIET_S)
        came = []
        with pytest.raises(NothingCame):
            while True:
                came.append(results.next(timeout=QUIET_S))
                came[-1].acknowledge()  # without effect for those of a connection that is gone
        ids = [one["tightening_id"] for one in came]
        assert ids == sorted(ids) and set(ids) == set(range(2, 8))
        gap(simulated, 1)
        assert taken(results, 1) == [(8, "fetched")]


@pytest.mark.parametrize("revisions", [(10,), (11,)])
@pytest.mark.parametrize("older", [(), (7,)])
def test_revisions_that_ask_for_those_made_offline_are_asked_for_the_newest(revisions, older):
    with reading(result_revisions=revisions, recover_revisions=older or revisions) as (simulated, one, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 1)
        assert taken(results, 1) == [(2, "fetched")]
        newest = one.old_result(0, older[0] if older else revisions[0])
        assert newest["tightening_id"] == 2 and newest.revision == (older or revisions)[0]


def test_on_link_level_what_was_pushed_first_is_given_first():
    identity = {"sequence_numbers": 1}
    with reading(options={"link_level": True}, identity=identity) as (simulated, _, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 2)
        assert taken(results, 2) == [(2, "fetched"), (3, "fetched")]


@pytest.mark.parametrize("seed", range(4))
def test_random_losses_lose_nothing_that_is_not_told(seed):
    """Whatever is cut when, and whatever a reader skips, each ID comes, fetched or pushed, or is told."""
    dice = random.Random(seed)

    async def body(simulated, rest):
        got = []
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            while len(set(got)) < rest:
                message = await results.next(timeout=SOON_S)
                if isinstance(message, Missed):
                    got += message.ids
                    continue
                if not got or dice.random() < 0.9:
                    with contextlib.suppress(OutOfOrder):
                        await message.acknowledge()
                got.append(message["tightening_id"])
        return got

    async def whole(simulated):
        reader = asyncio.create_task(body(simulated, 60))
        for mid in (64, 62):  # the first one is acknowledged: from there on all is known
            while mid not in simulated.messages:
                await asyncio.sleep(0.01)
            if mid == 64:
                simulated.produce()
        for number in range(1, 60):
            action = dice.choice([simulated.drop, simulated.cut, None, None])
            if action:
                action()
            simulated.produce()
            if dice.random() < 0.5:
                simulated._do(simulated._controller.forget, dice.randrange(number + 1))  # but the newest
            simulated.restore()
            await asyncio.sleep(0.005)
        return await reader

    with controller(ack_timeout_ms=50) as simulated:
        got = run(whole(simulated))
    assert set(got) == set(range(1, 61))


def test_the_recipe_for_sqlite_loses_nothing_of_a_reconnect(tmp_path):
    program = programs("to-sqlite.md")[0]
    begin = program.index("\nwith toolcart.simulated")
    program = program[:begin] + "\nimport sys\nrecord(sys.argv[1], int(sys.argv[2]), 'results.db', 10)\n"
    with controller() as simulated:
        child = subprocess.Popen(
            [sys.executable, "-c", program, simulated.host, str(simulated.port)], cwd=tmp_path, text=True
        )
        try:
            until = time.monotonic() + 30
            while 64 not in simulated.messages and time.monotonic() < until:
                time.sleep(0.05)
            for number in range(10):
                if number == 4:
                    simulated.cut()
                simulated.produce()
                if number == 8:
                    simulated.restore()
                time.sleep(0.02)
            assert child.wait(30) == 0
        finally:
            child.kill()
            child.wait()
    import sqlite3

    rows = sqlite3.connect(tmp_path / "results.db")
    assert [one for (one,) in rows.execute("SELECT id FROM result ORDER BY id")] == list(range(1, 11))
    assert rows.execute("SELECT count(*) FROM missed").fetchone() == (0,)


def scripted_reading(answer, body, options=None, **how):
    """Run `body(scripted, client, results, on)`; `on(n)` waits until the n-th subscription stands."""

    async def whole():
        async with ScriptedController(answer) as scripted:

            async def subscribed(times):
                while scripted.count(60) < times:
                    await asyncio.sleep(0.001)

            async with connect(scripted.host, scripted.port, **QUICK, **(options or {})) as one:
                async with one.results(**how) as results:
                    return await body(scripted, one, results, subscribed)

    return run(whole())


async def all_that_comes(results, wait_s=QUIET_S):
    came = []
    with contextlib.suppress(NothingCame):
        while True:
            message = await results.next(timeout=wait_s)
            came.append(seen(message))
            if not isinstance(message, Missed):
                await message.acknowledge()
    return came


WITHOUT_ID = result(2147483648, 65).replace(b"2147483648", b"00000000X2")


@pytest.mark.parametrize("at_entry", [(), (refused(64, 15),), (result(1, 65),)])
@pytest.mark.parametrize("later", [(), (refused(64, 99),), (WITHOUT_ID,)])
def test_each_gap_between_pushes_is_told_once_where_the_newest_cannot_be_asked_for(at_entry, later):
    """The pushes of four connections are read after the last one is lost."""
    answers = [list(at_entry)]

    async def body(scripted, one, results, subscribed):
        scripted.send(result(1))
        assert await (await results.next(timeout=SOON_S)).acknowledge()
        for place, number in enumerate((3, 5, 9), 1):
            scripted.cut()
            await subscribed(place + 1)
            scripted.send(result(number))
            scripted.send(result(number + 1))
            await one.select_pset(1)
        return await all_that_comes(results, 1)

    def answer(mid, data):
        return (answers.pop() if answers else list(later)) if mid == 64 else None

    came = scripted_reading(answer, body, {"response_s": 0.2})
    assert came == [range(2, 3), 3, 4, 5, 6, range(7, 9), 9, 10]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["silent", "refused", "no ID", "mixed"])
def test_random_losses_without_an_answer_are_told_once(kind, seed):
    """Between any two pushes that are given all IDs are told, and none is told that is given."""
    dice = random.Random(seed)
    entered = []
    replies = {"silent": [], "refused": [refused(64, 99)], "no ID": [WITHOUT_ID]}

    def answer(mid, data):
        if mid != 64:
            return None
        if not entered:
            entered.append(mid)
            return [refused(64, 15)]  # it has none yet
        return replies[dice.choice(list(replies)) if kind == "mixed" else kind]

    async def body(scripted, one, results, subscribed):
        scripted.send(result(1))
        assert await (await results.next(timeout=SOON_S)).acknowledge()
        reader = asyncio.create_task(all_that_comes(results, 1))
        number = 1
        for place in range(1, 8):
            scripted.cut()
            await subscribed(place + 1)
            number += dice.randrange(1, 4)
            for _ in range(dice.randrange(3)):
                scripted.send(result(number))
                number += 1
            await asyncio.sleep(dice.choice([0, 0.01, 0.3]))
        return await reader

    came = scripted_reading(answer, body, {"response_s": 0.2})
    ids = [number for one in came for number in (one if isinstance(one, range) else [one])]
    assert ids == list(range(2, 2 + len(ids))), came


def test_a_controller_that_had_no_result_and_has_none_has_made_none():
    with reading() as (simulated, _, results):
        for _ in range(2):
            simulated.drop()
            with pytest.raises(NothingCame):
                results.next(timeout=QUIET_S)
        simulated.produce()
        assert taken(results, 1) == [1]
        gap(simulated, 1)
        assert taken(results, 1) == [(2, "fetched")]


def left_with_the_second_open(simulated, one, between=lambda: None, **how):
    """Read 1 and 2 and acknowledge 1; return the second reading of the same client."""
    with one.results() as results:
        for _ in range(2):
            simulated.produce()
        results.next(timeout=SOON_S).acknowledge()
        assert seen(results.next(timeout=SOON_S)) == 2
    between()
    return one.results(**how)


@pytest.mark.parametrize("is_told", [False, True])
def test_what_was_open_when_its_reading_ended_comes_to_the_next_one(is_told):
    with controller(**({"refuse": {64: 99}} if is_told else {})) as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            with left_with_the_second_open(simulated, one, simulated.produce) as results:
                assert taken(results, 0 if is_told else 2) == ([] if is_told else [(2, "fetched"), (3, "fetched")])
                simulated.produce()
                assert taken(results, 2 if is_told else 1) == ([range(2, 4), 4] if is_told else [4])
            with one.results() as results:
                assert taken(results, 0) == [], "what is acknowledged is known"
        simulated.assert_clean()


@pytest.mark.parametrize("is_told", [False, True])
def test_a_client_that_is_entered_again_goes_on_behind_what_it_has_acknowledged(is_told):
    with controller(**({"refuse": {64: 99}} if is_told else {})) as simulated:
        one = connect_blocking(simulated.host, simulated.port, **QUICK)
        with one:
            left_with_the_second_open(simulated, one)
        simulated.produce()
        with one:
            simulated.produce()
            with one.results() as results:
                if is_told:
                    simulated.produce()
                    assert taken(results, 2) == [range(2, 5), 5]
                else:
                    assert taken(results, 3) == [(number, "fetched") for number in (2, 3, 4)]
        with one, one.results() as results:
            assert taken(results, 0) == []


def test_a_client_that_is_entered_again_in_another_loop_goes_on_too():
    with controller() as simulated:
        one = connect(simulated.host, simulated.port, **QUICK)

        async def read(count):
            async with one, one.results() as results:
                if not count:
                    simulated.produce()
                    return await (await results.next(timeout=SOON_S)).acknowledge()
                messages = [await results.next(timeout=SOON_S) for _ in range(count)]
                return [seen(message) for message in messages if await message.acknowledge()]

        assert run(read(0))
        simulated.produce()
        simulated.produce()
        assert run(read(2)) == [(2, "fetched"), (3, "fetched")]


def test_what_another_kind_of_reading_acknowledged_is_not_fetched():
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        with left_with_the_second_open(simulated, one, fill_gaps=False) as results:
            simulated.produce()
            assert taken(results, 1) == [3]
        with one.results() as results:
            assert taken(results, 0) == []
            gap(simulated, 1)
            assert taken(results, 1) == [(4, "fetched")]


def test_a_reading_begins_behind_what_its_program_has():
    with controller() as simulated:
        for _ in range(4):
            simulated.produce()
        for last, came in ((2, [3, 4]), (4, []), (0, [1, 2, 3, 4]), (None, [])):
            with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
                with one.results(after=last) as results:
                    assert taken(results, len(came)) == [(number, "fetched") for number in came]
                    gap(simulated, 0)
                    assert taken(results, 0) == []
                with one.results(after=1) as results:
                    assert taken(results, 0) == [], "the client knows better"
        simulated.assert_clean()


def test_a_reading_behind_nothing_takes_what_there_is_and_tells_that_there_may_be_more():
    with controller(memory=2) as simulated:
        for _ in range(3):
            simulated.produce()
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results(after=0) as results:
            assert taken(results, 3) == [range(0), (2, "fetched"), (3, "fetched")]


def test_a_reading_behind_what_its_program_has_is_told_what_is_missing_without_mid_0064():
    with controller(refuse={64: 99}) as simulated:
        simulated.produce()
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results(after=0) as results:
            simulated.produce()
            assert taken(results, 2) == [range(0), 2]
        simulated.produce()
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results(after=2) as results:
            simulated.produce()
            assert taken(results, 2) == [range(3, 4), 4]


def test_after_is_an_id_and_wants_gaps_to_be_filled():
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        with pytest.raises(OptionError, match="after: found -1, allowed 0 to 9999999999"):
            one.results(after=-1)
        with pytest.raises(OptionError, match="fill_gaps: found False, allowed one of True"):
            one.results(fill_gaps=False, after=1)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_push_of_what_was_fetched_is_not_given_and_acknowledged_when_that_is(is_late):
    """A controller keeps what nobody took, pushes one after each acknowledgement, and has it in its memory, too."""
    made = {number: result(number, 65) for number in range(1, 6)}
    left = []

    def answer(mid, data):
        if mid == 64:
            return [made[int(data[:10]) or 4]]
        if mid == 62 and left:
            left.pop(0)
            return [result(number) for number in left[:1]]
        return None

    async def body(scripted, one, results, subscribed):
        first = await results.next(timeout=SOON_S)
        left.extend((2, 3, 4, 5))
        scripted.send(result(2))
        await one.select_pset(1)
        came = [seen(first)]
        if is_late:
            second = await results.next(timeout=SOON_S)
            came.append(seen(second))
            assert left == [2, 3, 4, 5], "it is not acknowledged yet"
        await first.acknowledge()
        if is_late:
            await second.acknowledge()
        came += await all_that_comes(results)
        assert not left
        return came

    assert scripted_reading(answer, body, after=1) == [(2, "fetched"), (3, "fetched"), (4, "fetched"), 5]


def test_a_push_under_the_id_of_what_was_fetched_with_other_values_is_given():
    def answer(mid, data):
        return [result(2, 65, torque=5)] if mid == 64 else None

    async def body(scripted, one, results, subscribed):
        fetched = await results.next(timeout=SOON_S)
        assert seen(fetched) == (2, "fetched")
        await fetched.acknowledge()
        for torque in (5, 6):
            scripted.send(result(2, torque=torque))
        pushed = await results.next(timeout=SOON_S)
        assert pushed["torque"] == 6 and await pushed.acknowledge()
        await one.select_pset(1)
        assert scripted.count(62) == 2

    scripted_reading(answer, body, after=1)


def test_on_link_level_what_was_given_first_is_not_fetched_too():
    with reading(options={"link_level": True}, identity={"sequence_numbers": 1}) as (simulated, one, results):
        simulated.produce()
        assert taken(results, 1) == [1]
        gap_and_push(simulated, one, 2)
        assert taken(results, 3) == [4, (2, "fetched"), (3, "fetched")]
        gap(simulated, 1)
        assert taken(results, 1) == [(5, "fetched")]


def made(number, mid=61, second=None, has_id=True):
    """Return the result of this ID, with a time of its own; the push of one without an ID has blanks there."""
    second = number if second is None else second
    frame = result(2147483648, mid, torque=1000 + second, time=f"2026-12-01:10:00:{second:02d}")
    return frame.replace(b"2147483648", b"%010d" % number if has_id else b" " * 10)


class Memory:
    """Answers MID 0064 as a controller does that keeps `kept`; `newest` is what it answers ID 0 with."""

    def __init__(self, *kept, newest=max):
        self.kept = {number: number for number in kept}
        self.newest = newest

    def __call__(self, mid, data):
        if mid != 64:
            return None
        number = int(data[:10]) or (self.newest(self.kept) if self.kept else 0)
        return [made(number, 65, self.kept[number]) if number in self.kept else refused(64, 15)]


async def pushed(scripted, one, results, *frames):
    """Push these one by one; return what comes of them, acknowledged."""
    came = []
    for frame in frames:
        scripted.send(frame)
        message = await results.next(timeout=SOON_S)
        came.append(seen(message))
        if isinstance(message, Missed):
            message = await results.next(timeout=SOON_S)
            came.append(seen(message))
        assert await message.acknowledge()
    return came


@pytest.mark.parametrize("has_memory", [True, False])
def test_an_older_result_that_comes_once_more_does_not_put_the_position_back(has_memory):
    memory = Memory()

    async def body(scripted, one, results, subscribed):
        assert await pushed(scripted, one, results, *map(made, (1, 2, 3))) == [1, 2, 3]
        memory.kept = {3: 3}  # it keeps one
        assert await pushed(scripted, one, results, made(2)) == [2]
        scripted.cut()
        await subscribed(2)
        assert await all_that_comes(results) == []
        assert await pushed(scripted, one, results, made(2), made(4)) == [2, 4]

    def answer(mid, data):
        return [refused(64, 99)] if mid == 64 and not has_memory else memory(mid, data)

    scripted_reading(answer, body)


def test_ids_that_begin_again_while_connected_are_told_and_give_nothing_twice():
    memory = Memory()

    async def body(scripted, one, results, subscribed):
        frames = made(5), made(6), made(1, second=7), made(2, second=8)
        assert await pushed(scripted, one, results, *frames) == [5, 6, 1, 2]
        memory.kept = {1: 7, 2: 8}
        scripted.cut()
        await subscribed(2)
        assert await all_that_comes(results) == [], "its newest is known"
        assert await pushed(scripted, one, results, made(3, second=9)) == [range(0), 3]
        memory.kept.update({3: 9, 4: 10})
        scripted.cut()
        await subscribed(3)
        assert await all_that_comes(results) == [(4, "fetched")]
        assert await pushed(scripted, one, results, made(1, second=11)) == [1]
        memory.kept = {1: 11, 2: 12}
        scripted.cut()
        await subscribed(4)
        assert await all_that_comes(results) == [range(0), (2, "fetched")]

    scripted_reading(memory, body)


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_id_0_that_is_answered_with_the_oldest_does_not_say_that_the_ids_begin_again(is_kept):
    memory = Memory(newest=min)

    async def body(scripted, one, results, subscribed):
        assert await pushed(scripted, one, results, *map(made, (1, 2, 3))) == [1, 2, 3]
        memory.kept = {number: number for number in ((1, 2, 3, 4, 5) if is_kept else (1, 2, 3, 5))}
        scripted.cut()
        await subscribed(2)
        assert await all_that_comes(results) == ([(4, "fetched"), (5, "fetched")] if is_kept else [])
        came = await pushed(scripted, one, results, made(6))
        assert came == ([6] if is_kept else [range(4, 6), 6]), "the push tells what could not be found"

    scripted_reading(memory, body)


def test_what_was_told_as_missing_is_given_if_the_controller_pushes_it_later():
    memory = Memory()

    async def body(scripted, one, results, subscribed):
        assert await pushed(scripted, one, results, made(1)) == [1]
        memory.kept = {4: 4}
        scripted.cut()
        await subscribed(2)
        assert await all_that_comes(results) == [range(2, 4), (4, "fetched")]
        assert await pushed(scripted, one, results, made(2), made(3)) == [2, 3]
        scripted.cut()
        await subscribed(3)
        assert await all_that_comes(results) == [], "the position stays where it was"

    scripted_reading(memory, body)


def test_what_was_pushed_without_an_id_is_recognised_by_its_time_and_values():
    memory = Memory(7)

    async def body(scripted, one, results, subscribed):
        frames = [made(number, has_id=False) for number in (8, 9)]
        for frame in frames:
            scripted.send(frame)
            message = await results.next(timeout=SOON_S)
            assert message["torque"] in (1008, 1009) and await message.acknowledge()
        memory.kept.update({number: number for number in (8, 9, 10, 11)})
        scripted.cut()
        await subscribed(2)
        scripted.send(made(11, has_id=False))
        assert await all_that_comes(results) == [(10, "fetched"), (11, "fetched")]
        assert (2, 62, b"") in scripted.got, "the push of what was fetched is acknowledged"
        scripted.cut()
        await subscribed(3)
        assert await all_that_comes(results) == []

    scripted_reading(memory, body)


@pytest.mark.parametrize("newest", [3, 5])
def test_a_controller_that_was_exchanged_is_seen_by_the_result_under_the_last_id(newest):
    memory = Memory()

    async def body(scripted, one, results, subscribed):
        assert await pushed(scripted, one, results, *map(made, (1, 2, 3))) == [1, 2, 3]
        memory.kept = {number: 20 + number for number in range(1, newest + 1)}
        scripted.cut()
        await subscribed(2)
        assert await all_that_comes(results) == [
            range(0),
            *[(number, "fetched") for number in range(1, newest + 1)],
        ]
        scripted.cut()
        await subscribed(3)
        assert await all_that_comes(results) == []

    scripted_reading(memory, body)
