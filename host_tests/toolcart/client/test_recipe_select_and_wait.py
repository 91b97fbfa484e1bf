"""The recipe of docs/library/select-and-wait.md returns the tightening that the tool was enabled for, no older one."""

import asyncio

import pytest

from toolcart.client import NothingCame, connect
from toolcart.simulated import controller
from host_tests.support.scripted_controller import ScriptedController, accepted, refused, result
from host_tests.toolcart.client.test_client import QUICK, run
from host_tests.toolcart.client.test_library_book import programs

QUIET_S = 0.1


def recipe(wait_s=10):
    """Return the function of the recipe, with short waits."""
    program = programs("select-and-wait.md")[0]
    program = program[: program.index("\nasync def main")].replace("take(60)", f"take({wait_s})")
    room = {}
    exec(program, room)
    room["QUIET_S"] = QUIET_S
    return room["tighten_once"]


async def enabled(simulated, times, task):
    """Wait until the tool was enabled so often."""
    while simulated.messages.get(43, 0) < times:
        await asyncio.wait([task], timeout=0.005)
        if task.done():
            raise AssertionError(f"it is over before the tool is enabled: {await task}")


LINK_LEVEL = {"identity": {"sequence_numbers": 1}}


@pytest.mark.parametrize(
    ("faults", "options"),
    [
        ({}, {}),
        ({"push_last_result": True}, {}),
        ({"push_last_result": True, "refuse": {64: 99}}, {}),
        ({"push_last_result": True, **LINK_LEVEL}, {"link_level": True}),
    ],
)
def test_each_car_has_its_own_result(faults, options):
    tighten_once = recipe()

    async def body(simulated):
        simulated.produce(torque=111)
        async with connect(simulated.host, simulated.port, **QUICK, **options) as one:
            for car in range(3):
                kept = []
                waiting = asyncio.create_task(tighten_once(one, 2, kept.append))
                await enabled(simulated, car + 1, waiting)
                produced = simulated.produce(torque=1000 + car)
                taken = await waiting
                assert (taken["tightening_id"], taken["torque"]) == (produced, 1000 + car)
                assert kept[-1] == taken and simulated.acknowledged[-1] == produced

    with controller(**faults) as simulated:
        run(body(simulated))
        simulated.assert_clean()


@pytest.mark.parametrize("is_made_meanwhile", [False, True])
def test_the_last_result_that_comes_again_after_a_reconnect_is_not_taken(is_made_meanwhile):
    tighten_once = recipe()

    async def body(simulated):
        simulated.produce(torque=111)
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.connections() as events:
            waiting = asyncio.create_task(tighten_once(one, 2, lambda result: None))
            await enabled(simulated, 1, waiting)
            simulated.cut()
            if is_made_meanwhile:
                simulated.produce(torque=222)
            simulated.restore()
            while not (await events.next(timeout=5)).is_found:
                pass
            if not is_made_meanwhile:
                await asyncio.wait([waiting], timeout=3 * QUIET_S)
                simulated.produce(torque=222)
            assert (await waiting)["torque"] == 222

    with controller(push_last_result=True) as simulated:
        run(body(simulated))
        simulated.assert_clean()


def test_what_nobody_acknowledged_before_is_kept_and_not_taken():
    tighten_once = recipe()
    left = [result(1, torque=111), result(2, torque=222)]

    def answer(mid, data):
        if mid == 60:
            return [accepted(60), left[0]]
        if mid == 62:
            left.pop(0)
            return left[:1]
        if mid == 43:
            assert not left
            left.append(result(3, torque=333))
            return [accepted(43), left[0]]
        return None

    async def body():
        async with ScriptedController(answer) as scripted, connect(scripted.host, scripted.port, **QUICK) as one:
            kept = []
            assert (await tighten_once(one, 2, kept.append))["torque"] == 333
            assert [one["torque"] for one in kept] == [111, 222, 333] and not left

    run(body())


def test_a_controller_that_pushes_what_its_memory_does_not_have_gives_no_result_of_before():
    """MID 0064 is answered with "no such result"; nothing is tightened."""
    tighten_once = recipe(wait_s=0.3)

    def answer(mid, data):
        return {60: [accepted(60), result(41, torque=111)], 64: [refused(64, 15)]}.get(mid)

    async def body():
        async with ScriptedController(answer) as scripted, connect(scripted.host, scripted.port, **QUICK) as one:
            kept = []
            with pytest.raises(NothingCame):
                await tighten_once(one, 2, kept.append)
            assert [one["torque"] for one in kept] == [111] and scripted.count(62) == 1
            assert scripted.got[-2][1] == 42 and scripted.got[-1][1] == 63

    run(body())


@pytest.mark.parametrize("answer", [99, None])
@pytest.mark.parametrize("is_lost", [False, True])
def test_what_may_have_been_tightened_while_the_connection_was_lost_is_said(is_lost, answer):
    """Without MID 0064, and with nothing pushed afterwards."""
    tighten_once = recipe(wait_s=1)

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK, response_s=0.1) as one:
            waiting = asyncio.create_task(tighten_once(one, 2, lambda result: None))
            await enabled(simulated, 1, waiting)
            if is_lost:
                simulated.cut()
                simulated.produce(torque=222)
                simulated.restore()
            with pytest.raises(RuntimeError if is_lost else NothingCame) as raised:
                await waiting
            assert "it may have been tightened: results: nothing came" in str(raised.value) or not is_lost
            assert simulated.messages[42] == 2, "it is locked"

    with controller(refuse={64: answer}) as simulated:
        run(body(simulated))


def test_a_result_between_two_cars_is_not_taken_for_the_second_one():
    tighten_once = recipe()

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            for car in (1, 2):
                kept = []
                waiting = asyncio.create_task(tighten_once(one, 2, kept.append))
                await enabled(simulated, car, waiting)
                simulated.produce(torque=car)
                assert (await waiting)["torque"] == car
                simulated.produce(torque=111)
            assert [one["torque"] for one in kept] == [111, 2]

    with controller() as simulated:
        run(body(simulated))
