"""One acknowledgement settles all copies of a message: MID 0062 names none, a second one settles the next result."""

import asyncio

import pytest

from toolcart.client import OutOfOrder, connect
from toolcart.simulated import controller
from host_tests.support.scripted_controller import ScriptedController, frame, result
from host_tests.toolcart.client.test_client import QUICK, run
from host_tests.toolcart.client.test_gap_fill import BLANK, ZERO, nameless

SOON_S = 5


def reading(body, **options):
    """Run `body(scripted, one, results)` against a scripted controller."""

    async def connected():
        async with ScriptedController() as scripted:
            async with connect(scripted.host, scripted.port, **QUICK) as one, one.results(**options) as results:
                await body(scripted, one, results)

    run(connected())


async def settled(one):
    """All that was sent before has been answered."""
    await one.select_pset(1)


@pytest.mark.parametrize("fill_gaps", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 1)])
def test_one_acknowledgement_settles_both_copies(order, fill_gaps):
    async def body(scripted, one, results):
        scripted.push(3)
        scripted.push_again()
        copies = [await results.next(timeout=SOON_S) for _ in range(2)]
        assert await copies[order[0]].acknowledge()
        assert all(copy.acknowledged for copy in copies)
        following = await results.next(timeout=SOON_S)
        assert await copies[order[1]].acknowledge(), "it is acknowledged already"
        await settled(one)
        assert following["tightening_id"] == 2
        assert scripted.acknowledged == [1] and scripted.count(62) == 1, "the next one is not kept yet"
        assert await following.acknowledge()
        await settled(one)
        assert scripted.acknowledged == [1, 2]

    reading(body, fill_gaps=fill_gaps)


def test_a_reader_may_pass_over_a_copy_of_what_it_has_acknowledged():
    async def body(scripted, one, results):
        scripted.push(3)
        scripted.push_again()
        await settled(one)
        for number in (1, 2, 3):
            taken = await results.next(timeout=SOON_S)
            while taken.acknowledged:
                taken = await results.next(timeout=SOON_S)
            assert taken["tightening_id"] == number and await taken.acknowledge()
        await settled(one)
        assert scripted.acknowledged == [1, 2, 3] and scripted.count(62) == 3

    reading(body)


def test_a_copy_that_crossed_the_acknowledgement_sends_none():
    async def body(scripted, one, results):
        scripted.push(3)
        first = await results.next(timeout=SOON_S)
        scripted.push_again()  # on its way while the acknowledgement is
        assert await first.acknowledge()
        copy = await results.next(timeout=SOON_S)
        assert copy["tightening_id"] == 1 and await copy.acknowledge()
        following = await results.next(timeout=SOON_S)
        await settled(one)
        assert following["tightening_id"] == 2 and scripted.acknowledged == [1]
        assert await following.acknowledge()
        await settled(one)
        assert scripted.acknowledged == [1, 2] and scripted.count(62) == 2

    reading(body)


def test_what_is_pushed_again_and_again_after_its_acknowledgement_is_acknowledged_again():
    async def body(scripted, one, results):
        for due in (1, 1, 2, 2, 3):
            scripted.send(result(1))
            assert await (await results.next(timeout=SOON_S)).acknowledge()
            await settled(one)
            assert scripted.count(62) == due

    reading(body)


@pytest.mark.parametrize("blanks", [BLANK, ZERO])
def test_what_has_neither_id_nor_time_is_the_next_one_and_acknowledged_each_time(blanks):
    """The same bytes after the acknowledgement: nothing tells that it is the same tightening."""

    async def body(scripted, one, results):
        for due in (1, 2, 3):
            scripted.send(nameless(1234, blanks))
            assert await (await results.next(timeout=SOON_S)).acknowledge()
            await settled(one)
            assert scripted.count(62) == due

    reading(body)


def test_what_has_neither_id_nor_time_and_comes_again_before_its_acknowledgement_has_one():
    """A controller sends the next one when it has the acknowledgement of this one."""

    async def body(scripted, one, results):
        for _ in range(2):
            scripted.send(nameless(1234))
        copies = [await results.next(timeout=SOON_S) for _ in range(2)]
        assert [await copy.acknowledge() for copy in copies] == [True, True]
        await settled(one)
        assert scripted.count(62) == 1

    reading(body)


def test_an_event_that_comes_twice_is_acknowledged_twice():
    async def body():
        vehicle = frame(52, b"WVWZZZ1KZAW123456".ljust(25))
        yes = {mid: [frame(5, b"%04d" % mid)] for mid in (51, 54)}
        async with ScriptedController(lambda mid, data: yes.get(mid)) as scripted:
            async with connect(scripted.host, scripted.port, **QUICK) as one, one.vins() as vins:
                for _ in range(2):
                    scripted.send(vehicle)
                    assert await (await vins.next(timeout=SOON_S)).acknowledge()
                await settled(one)
                assert scripted.count(53) == 2

    run(body())


def test_an_older_other_result_is_still_settled_first():
    async def body(scripted, one, results):
        for number in (1, 2, 1, 2):
            scripted.send(result(number))
        one_, two, one_again, two_again = [await results.next(timeout=SOON_S) for _ in range(4)]
        with pytest.raises(OutOfOrder):
            await two_again.acknowledge()
        assert await one_again.acknowledge() and one_.acknowledged and not two.acknowledged
        assert await two.acknowledge() and two_again.acknowledged
        await settled(one)
        assert scripted.count(62) == 2

    reading(body, fill_gaps=False)


def test_a_copy_over_the_next_connection_is_acknowledged_there():
    async def body(scripted, one, results):
        scripted.push(1)
        assert await (await results.next(timeout=SOON_S)).acknowledge()
        await settled(one)
        scripted.cut()
        while scripted.count(60) < 2:
            await asyncio.sleep(0)
        scripted.send(result(1))
        assert await (await results.next(timeout=SOON_S)).acknowledge()
        await settled(one)
        assert scripted.count(62) == 2

    reading(body, fill_gaps=False)


def test_the_last_result_that_a_new_subscription_gets_is_acknowledged_and_not_the_next_one_in_its_place():
    async def body():
        with controller(push_last_result=True) as simulated:
            produced = simulated.produce()
            async with connect(simulated.host, simulated.port, **QUICK) as one:
                for _ in range(3):
                    async with one.results() as results:
                        assert await (await results.next(timeout=SOON_S)).acknowledge()
                        await settled(one)
                async with one.results() as results:
                    last = await results.next(timeout=SOON_S)
                    newer = simulated.produce()
                    assert await last.acknowledge() and await (await results.next(timeout=SOON_S)).acknowledge()
                    await settled(one)
                assert simulated.messages[62] == 5 and simulated.acknowledged[-2:] == [produced, newer]
            simulated.assert_clean()

    run(body())
