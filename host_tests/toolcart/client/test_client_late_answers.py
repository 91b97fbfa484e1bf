"""An answer is to the request that was asked, however late it comes, and what was not sent is not called unanswered."""

import asyncio
import time

import pytest

from toolcart.client import ConnectionLost, NothingCame, NotSent, Refused, Unanswered, WrongAnswer, connect
from host_tests.support.scripted_controller import ScriptedController, accepted, frame, refused, result
from host_tests.toolcart.client.test_client import QUICK, run

AT_ONCE_S = 0.05
SOON_S = 5
MUTE = {8, 18, 42, 64, 80}  # are answered by the test alone


def asking(body, mute=MUTE, **options):
    """Run `body(scripted, one)` against a controller that answers none of `mute`."""

    async def connected():
        async with ScriptedController(lambda mid, data: [] if mid in mute else None) as scripted:
            async with connect(scripted.host, scripted.port, **{**QUICK, **options}) as one:
                await body(scripted, one)

    run(connected())


async def came(scripted, mid, count=1):
    """Wait until this MID came so often."""
    while scripted.count(mid) < count:
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_late_yes_is_not_the_answer_to_the_next_request(is_cancelled):
    async def body(scripted, one):
        if is_cancelled:
            first = asyncio.create_task(one.select_pset(1))
            await came(scripted, 18)
            first.cancel()
        else:
            with pytest.raises(Unanswered, match=r"0018: no answer within 0\.05 s"):
                await one.select_pset(1, timeout=AT_ONCE_S)
        second = asyncio.create_task(one.select_pset(2))
        await asyncio.wait([second], timeout=AT_ONCE_S)
        scripted.send(accepted(18))  # the late one
        await came(scripted, 18, 2)
        scripted.send(refused(18, 3))
        with pytest.raises(Refused, match="code 03"):
            await second
        assert [data for _, mid, data in scripted.got if mid == 18] == [b"001", b"002"]
        assert scripted.count(1) == 1, "over the same connection"

    asking(body)


def test_what_was_never_answered_is_asked_again_over_another_connection():
    async def body(scripted, one):
        with pytest.raises(Unanswered):
            await one.select_pset(1, timeout=AT_ONCE_S)
        assert (await one.enable_tool())["mid_accepted"] == 43, "another MID cannot be mistaken"
        assert scripted.count(1) == 1
        second = asyncio.create_task(one.select_pset(2, timeout=SOON_S))
        await came(scripted, 18, 2)
        scripted.send(refused(18, 3))
        with pytest.raises(Refused):
            await second
        assert [(where, data) for where, mid, data in scripted.got if mid == 18] == [(1, b"001"), (2, b"002")]
        assert scripted.count(3) == 1, "the one before was ended in order"

    asking(body, response_s=2 * AT_ONCE_S)


def test_a_late_old_result_is_not_the_newest():
    async def body(scripted, one):
        with pytest.raises(Unanswered):
            await one.old_result(5, timeout=AT_ONCE_S)
        second = asyncio.create_task(one.old_result(0))
        await asyncio.wait([second], timeout=AT_ONCE_S)
        scripted.send(result(5, 65))
        await came(scripted, 64, 2)
        scripted.send(result(9, 65))
        assert (await second)["tightening_id"] == 9
        third = asyncio.create_task(one.old_result(3))
        await came(scripted, 64, 3)
        scripted.send(result(5, 65))
        with pytest.raises(WrongAnswer):
            await third

    asking(body)


def test_what_waits_behind_another_request_was_not_sent():
    async def body(scripted, one):
        first = asyncio.create_task(one.disable_tool(timeout=SOON_S))
        await came(scripted, 42)
        with pytest.raises(NotSent, match=r"0018: not sent within 0\.05 s: MID 0042 is not answered yet") as error:
            await one.select_pset(1, timeout=AT_ONCE_S)
        assert isinstance(error.value, TimeoutError) and not isinstance(error.value, Unanswered)
        first.cancel()
        with pytest.raises(NotSent, match="MID 0042"):
            await one.select_pset(1, timeout=AT_ONCE_S)
        scripted.send(accepted(42))
        await one.enable_tool()
        assert scripted.count(18) == 0

    asking(body)


def test_without_a_connection_a_request_is_a_lost_one():
    async def body(scripted, one):
        scripted.hang_up()
        async with one.connections() as events:
            await events.next(timeout=SOON_S)
        with pytest.raises(ConnectionLost, match=r"0018: no connection within 0\.05 s") as error:
            await one.select_pset(1, timeout=AT_ONCE_S)
        assert error.value.mid == 18 and scripted.count(18) == 0

    asking(body)


def test_what_the_line_does_not_take_was_not_sent():
    async def body(scripted, one):
        one._conversation._line.pause_writing()
        with pytest.raises(NotSent, match="0080: not sent within"):
            for _ in range(2):  # the first one is in the link's buffer by now
                try:
                    await one.time(timeout=AT_ONCE_S)
                except Unanswered:
                    scripted.send(frame(81, b"2024-03-14:09:26:53"))
        one._conversation._line.resume_writing()
        await one.enable_tool()
        assert scripted.count(80) <= 1

    asking(body)


def test_a_deadline_holds_where_the_session_waits_longer():
    async def body(scripted, one):
        for seconds in (AT_ONCE_S, 2 * AT_ONCE_S):
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                await one.time(timeout=seconds)
            assert seconds <= time.monotonic() - begun < SOON_S

    asking(body)


@pytest.mark.parametrize("is_away", [False, True])
def test_the_wait_for_one_message_has_the_deadline_that_was_asked_for(is_away):
    async def body(scripted, one):
        if is_away:
            scripted.hang_up()
            async with one.connections() as events:
                await events.next(timeout=SOON_S)
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(NothingCame, match=r"results: nothing came within 0\.05 s"):
                await one.results().next(timeout=AT_ONCE_S)
            assert time.monotonic() - begun < SOON_S

    asking(body, {60})


@pytest.mark.parametrize("wait_s", [SOON_S, 0.02])
@pytest.mark.parametrize("silent", [{5}, {5, 6}, set(range(2, 9))])
def test_gaps_are_fetched_though_some_questions_are_never_answered(silent, wait_s):
    def answer(mid, data):
        if mid != 64:
            return None
        number = int(data[:10]) or (1 if len(asked) < 2 else 9)
        asked.append(number)
        return [] if number in silent else [result(number, 65)]

    asked = []

    async def body():
        async with ScriptedController(answer) as scripted:
            quick = {**QUICK, "response_s": 0.1}
            async with connect(scripted.host, scripted.port, revisions={"results": (1,)}, **quick) as one:
                async with one.results() as results:
                    asked.append(0)
                    scripted.cut()
                    seen, missed = [], []
                    while not seen or seen[-1] != 9:
                        if silent == set(range(2, 9)) and missed:
                            break
                        try:
                            taken = await results.next(timeout=wait_s)
                        except NothingCame:
                            continue
                        if hasattr(taken, "ids"):
                            missed += taken.ids
                        else:
                            seen.append(taken["tightening_id"])
                            await taken.acknowledge()
        assert silent <= set(missed) and not set(missed) & set(seen)
        assert {*seen, *missed} == set(range(2, 10)) and len(seen) + len(missed) == 8
        assert len(asked) <= 30, "it ends"

    run(body())
