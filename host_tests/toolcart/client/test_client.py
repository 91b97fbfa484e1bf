"""The client against the simulated controllers, over loopback: all profiles, and what goes wrong with them."""

import asyncio
import concurrent.futures
import contextlib

import pytest

from toolcart import catalogue
from toolcart.agent.link.header_layouts import HEADERS
from toolcart.client import (
    ConnectionLost,
    OutOfOrder,
    Refused,
    StateError,
    Unanswered,
    connect,
    connect_blocking,
)
from toolcart.client.topics import TOPICS
from toolcart.simulated import controller, profiles
from host_tests.support.frames import EXAMPLE
from host_tests.support.scripted_controller import result

DEADLINE_S = 20
QUICK = {"pause_s": 0.02, "pause_most_s": 0.1, "busy_pause_s": 0.02}


def run(work):
    """Run this to its end, and end it where it hangs."""

    async def bounded():
        async with asyncio.timeout(DEADLINE_S):
            return await work

    return asyncio.run(bounded())


def test(profile="power-focus-4000", faults=None, **options):
    """Return a decorator that makes a test of `async def body(simulated, controller)`."""

    def decorate(body):
        async def connected(simulated):
            async with connect(simulated.host, simulated.port, **{**QUICK, **options}) as one:
                await body(simulated, one)

        def whole():
            with controller(profile, **(faults or {})) as simulated:
                run(connected(simulated))
                simulated.assert_clean()

        whole.__doc__ = body.__doc__
        return whole

    return decorate


test.__test__ = False


def header_of(profile):
    return profile if profile in HEADERS else "standard"


async def until(stream, is_wanted):
    """Return the first of a stream that is wanted."""
    async for one in stream:
        if is_wanted(one):
            return one
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("profile", profiles())
def test_a_client_of_every_profile_commands_it_and_takes_its_results(profile):
    last = {"mt-focus-6000": 1202, "stepsync": 1202}

    async def body(simulated):
        async with connect(simulated.host, simulated.port, header=header_of(profile), **QUICK) as one:
            assert one.started.mid == 2
            if profile == "minimal":
                with pytest.raises(Refused, match="0004 for 0018: code 99"):
                    await one.select_pset(2)
            else:
                assert (await one.select_pset(2))["mid_accepted"] == 18
            async with one.results() as results:
                produced = [simulated.produce() for _ in range(3)]
                ends = 0
                async for result in results:
                    assert await result.acknowledge()
                    ends += result.mid == last.get(profile, result.mid)
                    if ends == len(produced):
                        break
        return produced

    with controller(profile) as simulated:
        produced = run(body(simulated))
        simulated.assert_clean()
        assert simulated.messages[3] >= 1
        if profile == "mt-focus-6000":
            assert simulated.messages[1203] == 2 * len(produced)
        else:
            assert simulated.acknowledged == produced


@pytest.mark.parametrize("profile", profiles())
def test_nothing_is_subscribed_to_that_no_one_reads(profile):
    async def body(simulated):
        async with connect(simulated.host, simulated.port, header=header_of(profile), **QUICK) as one:
            simulated.produce()
            with contextlib.suppress(Refused):
                await one.time()

    with controller(profile) as simulated:
        run(body(simulated))
        assert set(simulated.messages) == {1, 80, 3}


@test(revisions={"alarms": (1,)})
async def test_a_topic_has_one_reader_at_a_time(simulated, one):
    async with one.alarms():
        with pytest.raises(StateError, match="alarms: it is being read already"):
            await one.alarms().__aenter__()
    assert simulated.messages[70] == simulated.messages[73] == 1


@test(faults={"ack_timeout_ms": 50})
async def test_a_result_is_acknowledged_by_nothing_but_its_reader(simulated, one):
    async with one.results() as results:
        produced = simulated.produce()
        first = await anext(results)
        again = await anext(results)  # since it was not acknowledged
        assert first["tightening_id"] == again["tightening_id"] == produced
        assert simulated.acknowledged == []
        assert await again.acknowledge() and first.acknowledged
        await one.time()  # behind the acknowledgement
        assert simulated.acknowledged == [produced]


@test(faults={"window": 2})
async def test_later_result_is_not_acknowledged_in_the_place_of_an_older_one(simulated, one):
    async with one.results() as results:
        produced = [simulated.produce(), simulated.produce()]
        first, second = await anext(results), await anext(results)
        with pytest.raises(OutOfOrder):
            await second.acknowledge()
        assert await first.acknowledge() and await second.acknowledge()
        await one.time()
        assert simulated.acknowledged == produced


@test(faults={"identity": {"sequence_numbers": 1}}, link_level=True)
async def test_on_link_level_everything_is_numbered(simulated, one):
    assert one.started["sequence_numbers"] == 1
    async with one.results() as results:
        produced = []
        for _ in range(3):
            produced.append(simulated.produce())
            assert await (await anext(results)).acknowledge()
            await one.select_pset(1)
        assert simulated.acknowledged == produced
        assert 62 not in simulated.messages and simulated.messages[9997] >= 3


@test(faults={"identity": {"sequence_numbers": 1}}, link_level=True)
async def test_on_link_level_what_is_not_acknowledged_holds_up_the_answers_and_comes_again(simulated, one):
    async with one.results() as results:
        produced = simulated.produce()
        first = await anext(results)
        again = await anext(results)
        assert first["tightening_id"] == again["tightening_id"] == produced and simulated.acknowledged == []
        with pytest.raises(Unanswered):
            await one.ask(80, timeout=0.1)
        assert await again.acknowledge()
        await one.select_pset(1)
        assert simulated.acknowledged == [produced]


@test()
async def test_cut_is_reported_and_mended_and_what_was_subscribed_to_comes_again(simulated, one):
    async with one.connections() as events, one.results() as results:
        produced = simulated.produce()
        result = await anext(results)
        simulated.cut()
        lost = await until(events, lambda event: not event.is_found)
        assert lost.reason
        assert await result.acknowledge() is False  # the connection that it came over is gone
        simulated.restore()
        connection = await until(events, lambda event: event.is_found)
        assert connection.started.mid == 2
        assert await result.acknowledge() is False and simulated.acknowledged == []
        newer = simulated.produce()
        result = await anext(results)
        assert result["tightening_id"] == newer and await result.acknowledge()
        assert (await one.old_result(produced))["tightening_id"] == produced
        assert simulated.acknowledged == [newer]


@test(faults={"refuse": {80: None}})
async def test_what_is_not_answered_ends_at_its_deadline_and_names_the_mid(simulated, one):
    with pytest.raises(Unanswered, match=r"0080: no answer within 0\.1 s"):
        await one.ask(80, timeout=0.1)
    await one.select_pset(1)


@test(faults={"refuse": {80: None}})
async def test_a_request_that_was_under_way_at_a_cut_fails_and_is_not_sent_again(simulated, one):
    request = asyncio.create_task(one.time())
    while 80 not in simulated.messages:
        await asyncio.wait([request], timeout=0.005)
    simulated.cut()
    with pytest.raises(ConnectionLost, match="0080: "):
        await request
    simulated.restore()
    await one.select_pset(1)  # waits for the connection
    assert simulated.messages[80] == 1


@pytest.mark.parametrize("before", ["nothing", "a request", "a stream", "a stream that was left", "no subscription"])
def test_pauses_are_doubled_whatever_was_before_the_loss(before, monkeypatch):
    pauses = []
    wait_for = asyncio.wait_for

    async def recorded(waiting, timeout):
        pauses.append(timeout)
        return await wait_for(waiting, timeout)

    async def body(simulated):
        async with connect(simulated.host, simulated.port, pause_s=0.01, pause_most_s=0.08) as one:
            request = asyncio.create_task(one.ask(80, timeout=5)) if before == "a request" else None
            while request and 80 not in simulated.messages:
                await asyncio.wait([request], timeout=0.005)
            if before.startswith("a stream"):
                results = await one.results().__aenter__()
                if before.endswith("left"):
                    await results.__aexit__()
            if before == "no subscription":
                with pytest.raises(Refused):
                    await one.curves().__aenter__()
            simulated.cut()
            if request:
                with pytest.raises(ConnectionLost):
                    await request
            while len(pauses) < 6:
                await asyncio.sleep(0.001)
            assert pauses[:6] == [0.01, 0.02, 0.04, 0.08, 0.08, 0.08]
            simulated.restore()
            await one.ask(10, timeout=5)
            pauses.clear()
            simulated.cut()
            while len(pauses) < 2:
                await asyncio.sleep(0.001)
            assert pauses[:2] == [0.01, 0.02], "a connection that stood begins them again"

    monkeypatch.setattr(asyncio, "wait_for", recorded)
    monkeypatch.setattr("random.uniform", lambda least, most: least)
    with controller(refuse={80: None}, result_revisions=(3,)) as simulated:
        run(body(simulated))


@test(keep_alive_s=0.05, silence_s=0.2)
async def test_a_controller_that_hangs_is_left_and_found_again(simulated, one):
    async with one.connections() as events:
        simulated.change(silent=True)
        lost = await until(events, lambda event: not event.is_found)
        assert "does not answer" in lost.reason
        simulated.change(silent=False)
        await until(events, lambda event: event.is_found)
        await one.select_pset(1)


@pytest.mark.parametrize(
    ("is_gone", "words"), [(False, "no room for another client"), (True, "nothing listens at 127")]
)
def test_a_controller_that_is_busy_or_gone_is_an_error_that_says_so(is_gone, words):
    async def body(simulated):
        with pytest.raises(ConnectionLost, match=words):
            async with connect(simulated.host, simulated.port, timeout=0.3, **QUICK):
                raise AssertionError("there is no session")

    with controller(max_clients=0) as simulated:
        if is_gone:
            simulated.cut()  # no one listens
        run(body(simulated))


@pytest.mark.parametrize("host", ["a..b", "a" * 300], ids=ascii)
def test_a_host_that_no_name_can_be_is_no_session(host):
    with pytest.raises(ConnectionLost, match="no session within"), connect_blocking(host, timeout=0.2, **QUICK):
        raise AssertionError("there is no session")


@test(faults={"max_clients": 1})
async def test_a_client_that_leaves_frees_its_slot(simulated, one):
    await one.close()
    async with connect(simulated.host, simulated.port, **QUICK) as other:
        await other.select_pset(1)
    assert simulated.messages[3] == 2
    with pytest.raises(ConnectionLost, match="closed"):
        await one.select_pset(1)


@test()
async def test_a_refusal_has_its_mid_its_code_and_the_words(simulated, one):
    with pytest.raises(Refused) as raised:
        await one.select_pset(99)
    assert (raised.value.mid, raised.value.code) == (18, 3)
    assert str(raised.value) == '0004 for 0018: code 03, "parameter set can not be set"'
    with pytest.raises(Refused, match="0004 for 0064: code 15"):
        await one.old_result(4711)


@pytest.mark.parametrize("name", ["results", "alarms"])
def test_topic_that_controller_does_not_have_is_refused_and_rest_goes_on(name):
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            with pytest.raises(Refused):
                await one.stream(name).__aenter__()
            await one.select_pset(1)

    with controller(refuse={8: 99, 60: 1, 70: 99}) as simulated:
        run(body(simulated))


@test()
async def test_alarms_jobs_parameter_sets_and_vehicles_are_pushed_too(simulated, one):
    alarms, jobs, psets, vins = one.alarms(), one.jobs(), one.parameter_sets(), one.vins()
    async with alarms, jobs, psets, vins:
        simulated.raise_alarm("E404", "tool")
        assert (await anext(alarms))["error_code"].strip() == "E404"
        await one.select_pset(12)
        pushed = await anext(psets)
        assert pushed["pset_id"] == 12 and await pushed.acknowledge()
        await one.send_vin("WVW1")
        assert (await anext(vins))["vin"].strip() == "WVW1"
        await one.select_job(1)
        assert (await anext(jobs))["job_id"] == 1


@test(faults={"traces": (1,)})
async def test_curves_are_pushed_with_their_samples(simulated, one):
    async with one.curves() as curves:
        simulated.produce()
        curve = await anext(curves)
        assert curve.mid == 900 and len(curve.frame) > 100
        assert await curve.acknowledge()


def test_a_topic_of_one_s_own_is_three_numbers():
    async def body(simulated):
        also = {"custom": (216, 219, ((217, 218),))}
        async with connect(simulated.host, simulated.port, also=also, **QUICK) as one:
            async with one.stream("custom") as stream:
                simulated.push(217, function=25, status=1)
                pushed = await anext(stream)
                assert pushed["function"] == 25 and await pushed.acknowledge()
        assert [simulated.messages[mid] for mid in (216, 218, 219)] == [1, 1, 1]

    with controller(commands=(216, 218, 219)) as simulated:
        run(body(simulated))


@test()
async def test_a_message_that_no_one_asked_for_is_counted_and_changes_nothing(simulated, one):
    simulated.inject(b"00200099001         \0")
    await one.select_pset(1)
    assert one.unexpected == {99: 1}


@test()
async def test_what_is_pushed_and_no_one_reads_is_counted(simulated, one):
    for pushed in (result(7), result(8), catalogue.encode(52, vin="WVW"), catalogue.encode(71, error_code="E404")):
        simulated.inject(pushed + b"\0")
    await one.select_pset(1)
    assert one.unexpected == {61: 2, 52: 1, 71: 1}


@test()
async def test_octets_that_are_no_message_are_passed_over(simulated, one):
    simulated.inject(b"ABCD0061001         \0")
    await one.select_pset(1)
    assert one.unexpected[0] == 1


@test()
async def test_a_result_with_a_wrong_length_is_given(simulated, one):
    async with one.results() as results:
        for by in (-5, 0):
            simulated.inject(b"%04d" % (len(EXAMPLE) + by) + EXAMPLE[4:] + b"\0")
            assert (await results.next(timeout=5))["tightening_id"] == 1234567


@test()
async def test_a_stream_that_is_none_ends_the_connection_and_says_so(simulated, one):
    async with one.connections() as events:
        simulated.inject(b"ABCD0061001         \0" * 500)
        assert "no message" in (await until(events, lambda event: not event.is_found)).reason
        await until(events, lambda event: event.is_found)
        await one.select_pset(1)


@test()
async def test_callers_take_turns(simulated, one):
    answers = await asyncio.gather(one.time(), one.select_pset(1), one.psets(), one.select_pset(2))
    assert answers[2] == [1, 2, 12] and answers[1].mid == answers[3].mid == 5


def test_a_stream_ends_when_its_client_is_closed():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            results = await one.results().__aenter__()
            reading = asyncio.create_task(_all_of(results))
            await asyncio.sleep(0)
        return await reading

    with controller() as simulated:
        assert run(body(simulated)) == []


async def _all_of(stream):
    return [one async for one in stream]


def test_the_blocking_form_has_the_same_calls():
    with controller() as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            assert one.started.mid == 2
            assert one.psets() == [1, 2, 12]
            with pytest.raises(Refused, match="0018"):
                one.select_pset(99)
            with one.results() as results:
                produced = simulated.produce(torque=1234)
                for result in results:
                    assert result["torque"] == 1234 and result.decimal("torque") == "12.34"
                    assert result.acknowledge()
                    break
        assert simulated.acknowledged == [produced] and simulated.complaints == []


def test_a_blocking_client_that_cannot_connect_leaves_no_thread_behind():
    with controller(max_clients=0) as simulated:
        client = connect_blocking(simulated.host, simulated.port, timeout=0.2, **QUICK)
        with pytest.raises(ConnectionLost), client:
            raise AssertionError("it has no slot")


def test_calls_that_wait_end_when_their_client_is_closed():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            requests = [asyncio.create_task(one.time()) for _ in range(3)]
            while 80 not in simulated.messages:
                await asyncio.wait(requests, timeout=0.005)
        async with asyncio.timeout(5):
            return [str(error) for error in await asyncio.gather(*requests, return_exceptions=True)]

    with controller(refuse={80: None}) as simulated:
        assert run(body(simulated)) == ["0080: the client is closed"] * 3


def test_a_thread_that_waits_goes_on_when_another_one_closes_its_client():
    with controller(refuse={80: None}) as simulated, concurrent.futures.ThreadPoolExecutor() as threads:
        one = connect_blocking(simulated.host, simulated.port, **QUICK).__enter__()
        with one.vins() as entered:
            reading = threads.submit(list, entered)
            calls = [threads.submit(one.results().next)] + [threads.submit(one.time) for _ in range(3)]
            while 80 not in simulated.messages:
                concurrent.futures.wait(calls, timeout=0.005)
            one.close()
            assert reading.result(timeout=5) == []
            for call in calls:
                with pytest.raises(ConnectionLost, match="the client is closed"):
                    call.result(timeout=5)


def test_every_topic_pushes_what_the_catalogue_knows_as_event_with_that_answer():
    for name, rows in TOPICS.items():
        for row, _ in rows:
            for pushed, answer in row[5]:
                about = catalogue.about(pushed)
                assert about.kind == "E" and int(about.answer[:4]) == answer, (name, pushed)
            if not row[2]:
                assert catalogue.about(row[0]).kind == catalogue.about(row[1]).kind == "S", name


def test_what_comes_in_linked_parts_is_whole():
    """An answer of more than 9,999 bytes, and a curve in nine parts: more has no room in a header."""
    parts = catalogue.encode_linked(31, 2, job_ids=list(range(3000)))
    curve = catalogue.encode_linked(900, result_id=7, samples=[5] * 38000)
    assert sum(map(len, parts)) > 9999 and len(curve) == 9

    async def peer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                mid = int((await reader.readuntil(b"\0"))[4:8])
                if mid == 1:
                    answer = [catalogue.encode(2, cell_id=1, channel_id=1, controller_name="parts")]
                else:
                    accepted = [catalogue.encode(5, mid_accepted=mid)] if mid != 5 else []
                    answer = {30: parts, 8: accepted + curve}.get(mid, accepted)
                writer.write(b"".join(part + b"\0" for part in answer))
        writer.close()

    async def body():
        async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect("127.0.0.1", port, start_revisions=(1,)) as one:
                assert (await one.ask(30, 2))["job_ids"] == list(range(3000))
                pushed = await one.curves().next(timeout=5)
                assert catalogue.samples_of(pushed["samples"]) == [5] * 38000 and await pushed.acknowledge()
                assert not one.unexpected

    run(body())
