"""A topic is subscribed to exactly while it is read, however reading ends; every wait ends in time."""

import asyncio
import logging

import pytest

from toolcart import captures
from toolcart.agent.openprotocol.session_states import READY
from toolcart.client import (
    BlockingController,
    ConnectionLost,
    NothingCame,
    OptionError,
    Refused,
    StateError,
    connect,
    connect_blocking,
)
from toolcart.client.controller import Controller
from toolcart.client.topics import TOPICS
from toolcart.simulated import controller, profiles
from host_tests.support.scripted_controller import ScriptedController, frame, result
from host_tests.toolcart.client.test_client import QUICK, header_of, run, test

HUNG_UP_MS = 50  # the controller gives a client up that acknowledges nothing after four times this


@test(faults={"ack_timeout_ms": HUNG_UP_MS})
async def test_what_is_not_acknowledged_when_topic_is_left_stays_with_the_controller(simulated, one):
    async with one.results() as results:
        produced = simulated.produce()
        result = await results.next(timeout=2)
    assert await result.acknowledge() is False and simulated.acknowledged == []
    async with one.results(fill_gaps=False) as results:
        simulated.produce()
        result = await results.next(timeout=2)
        assert await result.acknowledge()
        await one.time()
        assert simulated.acknowledged == [result["tightening_id"]]
    assert (await one.old_result(produced))["tightening_id"] == produced


@pytest.mark.parametrize(
    ("topic", "options", "received"),
    [
        *(("results", {"result_revisions": (1,)}, count) for count in (2, 3, 7, 11, 12)),
        ("results", {"result_revisions": (998,)}, 14),
        *(("alarms", {"alarm_revisions": (1,)}, count) for count in (2, 3, 4)),
        ("vins", {"vin_revisions": (1,)}, 3),
        ("jobs", {"job_revisions": (1,)}, 6),
        ("parameter_sets", {"pset_revisions": (1,)}, 3),
    ],
)
def test_a_connection_lost_between_two_revisions_is_no_refusal(topic, options, received):
    """It is told as what it is, and whoever subscribes again is not told that there is no such topic."""
    with controller(drop_after_received=[received], **options) as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            with pytest.raises(ConnectionLost, match="closed the connection"), one.stream(topic):
                raise AssertionError("it was not subscribed to")
            with one.stream(topic):
                pass
        simulated.assert_clean()


@test(faults={"result_revisions": (3,), "refuse_once": [(60, 97), (60, None)]}, response_s=0.1)
async def test_a_controller_that_falls_silent_after_a_refusal_has_not_refused(simulated, one):
    with pytest.raises(ConnectionLost, match="does not answer any more"):
        async with one.results(fill_gaps=False):
            raise AssertionError("it was not subscribed to")
    async with one.results(fill_gaps=False):
        pass


@pytest.mark.parametrize("older", [(), (11,), (11, 10, 9)])
def test_a_push_in_place_of_an_answer_is_a_yes_whatever_was_refused_before(older):
    async def body(simulated):
        produced = simulated.produce()
        revisions = {"results": (*older, 7)}
        async with connect(simulated.host, simulated.port, revisions=revisions, **QUICK) as one:
            async with one.results(fill_gaps=False) as results:
                result = await results.next(timeout=5)
                assert (result["tightening_id"], result.revision) == (produced, 7) and await result.acknowledge()
                await one.select_pset(1)
                assert simulated.acknowledged == [produced]

    with controller(push_instead_of_answer=True, push_last_result=True) as simulated:
        run(body(simulated))
        simulated.assert_clean()


def test_a_push_of_another_topic_is_no_yes():
    async def body():
        def answer(mid, data):
            if mid == 8:  # the result comes in one piece with the refusal
                return [frame(4, b"%s76" % data[:4]) + b"\0" + result(1)]
            return [frame(4, b"007099")] if mid == 70 else None

        async with ScriptedController(answer) as scripted:
            async with connect(scripted.host, scripted.port, **QUICK) as one, one.results(fill_gaps=False) as results:
                with pytest.raises(Refused, match="code 76"):
                    await one.alarms().__aenter__()
                assert (await results.next(timeout=5))["tightening_id"] == 1

    run(body())


@test()
async def test_an_exception_in_the_body_unsubscribes_too_and_goes_on_its_way(simulated, one):
    with pytest.raises(ZeroDivisionError):
        async with one.results():
            raise ZeroDivisionError
    assert simulated.messages[63] == 1


@test()
async def test_a_subscription_that_is_cancelled_before_it_stands_does_not_stay(simulated, one):
    async with one.connections() as events:
        task = asyncio.create_task(one.results().__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert "no one waits" in (await events.next(timeout=5)).reason and (await events.next(timeout=5)).is_found
        simulated.produce()
        with pytest.raises(NothingCame):
            await events.next(timeout=0.1)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_topic_that_is_read_again_over_a_new_connection_finds_the_slot_free(is_cancelled):
    """The slot of a session that ends without MID 0003 stays occupied, on a Power Focus 6000 for 15 s."""

    async def body(simulated):
        async with connect(simulated.host, simulated.port, timeout=5, **QUICK) as one:
            if is_cancelled:
                task = asyncio.create_task(one.results().__aenter__())
                while 60 not in simulated.messages:
                    await asyncio.wait([task], timeout=0)
                task.cancel()
                await asyncio.wait([task])
            else:
                async with one.results() as results:
                    simulated.produce()
                    await results.next(timeout=5)
            async with one.results() as results:
                simulated.produce()
                assert await (await results.next(timeout=5)).acknowledge()
        assert simulated.messages[1] == simulated.messages[3], "each session is ended in order"

    with controller("power-focus-6000-3.6") as simulated:
        run(body(simulated))
        simulated.assert_clean()


@test()
async def test_one_result_is_taken_by_one_call_that_unsubscribes_with_its_acknowledgement(simulated, one):
    taking = asyncio.create_task(one.results().next(timeout=5))
    session = one._conversation.session
    while 60 not in simulated.messages or session.state != READY:  # some revisions are refused in front of one
        await asyncio.sleep(0.005)
    produced = simulated.produce()
    result = await taking
    assert result["tightening_id"] == produced and 63 not in simulated.messages
    assert await result.acknowledge()
    assert simulated.messages[63] == 1 and simulated.acknowledged == [produced]
    with pytest.raises(NothingCame) as raised:
        await one.results().next(timeout=0.05)
    assert (raised.value.topic, raised.value.seconds) == ("results", 0.05) and isinstance(raised.value, TimeoutError)
    assert simulated.messages[63] == 2


@test()
async def test_a_tool_is_enabled_for_one_result_and_disabled(simulated, one):
    async with one.results() as results:
        await one.enable_tool()
        produced = simulated.produce()
        result = await results.next(timeout=5)
        await one.disable_tool()
        assert await result.acknowledge()
    assert simulated.acknowledged == [produced]
    mids = [mid for mid in simulated.messages if mid in (43, 42, 63)]
    assert mids == [43, 42, 63]


@test()
async def test_a_stream_is_not_read_outside_of_its_with(simulated, one):
    with pytest.raises(StateError, match="results: read it inside `async with"):
        async for _ in one.results():
            raise AssertionError("it is not subscribed to")
    with pytest.raises(StateError):
        await anext(one.results())
    assert 60 not in simulated.messages
    with pytest.raises(OptionError, match=r"timeout: found -1, allowed a number of seconds above 0"):
        await one.results().next(timeout=-1)
    with pytest.raises(OptionError, match="name: found 'nix', allowed one of results, alarms"):
        one.stream("nix")


@pytest.mark.parametrize("profile", profiles())
def test_every_topic_of_every_profile_can_be_left(profile):
    async def body(simulated):
        refused = set()
        async with connect(simulated.host, simulated.port, header=header_of(profile), **QUICK) as one:
            for name in (*TOPICS, "curves", *TOPICS):
                try:
                    async with one.stream(name):
                        pass
                except Refused:
                    refused.add(name)
            simulated.produce()
            simulated.raise_alarm("E404", "tool")
            async with one.connections() as events:
                with pytest.raises(NothingCame):
                    await events.next(timeout=0.1)
        return refused

    with controller(profile, ack_timeout_ms=20) as simulated:
        refused = run(body(simulated))
        assert "results" not in refused
        assert [one for one in simulated.complaints if "odd, and taken" not in one] == []


@test(faults={"identity": {"sequence_numbers": 1}}, link_level=True)
async def test_on_link_level_what_is_not_acknowledged_ends_the_connection_when_it_is_left(simulated, one):
    async with one.connections() as events:
        async with one.results() as results:
            simulated.produce()
            result = await results.next(timeout=5)
        event = await events.next(timeout=5)
        assert not event.is_found and "left" in event.reason
        assert (await events.next(timeout=5)).is_found and await result.acknowledge() is False
        await one.select_pset(1)


@test(faults={"refuse": {63: None}}, timeout=1)
async def test_controller_that_does_not_end_subscription_is_left_and_connected_to_again(simulated, one):
    async with one.connections() as events:
        async with one.results():
            pass
        assert "left" in (await events.next(timeout=5)).reason and (await events.next(timeout=5)).is_found
    assert simulated.messages[1] == 2 and simulated.messages[63] == 1


@test(faults={"refuse": {60: None}}, timeout=1)
async def test_what_could_not_be_subscribed_to_in_time_is_not_subscribed_to_later(simulated, one):
    with pytest.raises(TimeoutError):
        await one.results().__aenter__()
    simulated.change(refuse={})
    simulated.drop()
    await one.ask(80, timeout=5)
    await one.select_pset(1, timeout=5)
    produced = simulated.produce()
    async with one.results() as results:
        newer = simulated.produce()
        result = await results.next(timeout=5)
        assert result["tightening_id"] in (produced, newer)
        await result.acknowledge()


def test_a_client_can_be_entered_again_and_in_another_loop():
    with controller() as simulated:
        one = connect(simulated.host, simulated.port, **QUICK)  # outside of any loop

        async def once():
            async with one:
                with pytest.raises(StateError, match="connected already"):
                    await one.__aenter__()
                async with one.results() as results:
                    produced = simulated.produce()
                    result = await results.next(timeout=5)
                    assert result["tightening_id"] == produced and await result.acknowledge()

        for _ in range(2):
            run(once())
            with pytest.raises(ConnectionLost, match="0080: the client is closed"):
                run(one.time())
        simulated.assert_clean()


def test_a_client_that_is_not_entered_says_so():
    one = connect("127.0.0.1")
    for call in (one.results, one.connections, lambda: run(one.time()), lambda: run(one.ask(80))):
        with pytest.raises(StateError, match="not connected yet"):
            call()
    assert one.unexpected == {}
    with pytest.raises(StateError):
        one.started
    run(one.close())
    blocking = connect_blocking("127.0.0.1")
    for call in (blocking.time, blocking.results):
        with pytest.raises(StateError, match="not connected yet"):
            call()


def test_the_log_of_a_session_with_what_is_not_printable_is_read_back(caplog):
    caplog.set_level(logging.DEBUG, "toolcart.traffic")

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.curves() as curves:
            simulated.produce(torque=4237)
            await (await curves.next(timeout=2)).acknowledge()
            for vin in (b"Werk \xfcber1", b"Werk \\0 11"):
                await one.ask_frame(b"00300050001         " + vin)

    with controller(traces=(1,)) as simulated:
        run(body(simulated))
    records = [one for one in caplog.records if one.name == "toolcart.traffic"]
    log = "".join(f"2026-12-01 10:00:00,000 {one.getMessage()}\n" for one in records)
    telegrams = captures.read(log.encode())
    assert [one.message.frame for one in telegrams] == [one.octets for one in records] and telegrams.problems == []
    assert any(b"\0" in one.octets for one in records), "the samples of the curve"


def test_telegrams_are_logged_in_both_directions(caplog):
    caplog.set_level(logging.DEBUG, "toolcart.traffic")

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            await one.select_pset(2)

    with controller() as simulated:
        run(body(simulated))
    logged = [(one.direction, one.octets[:8]) for one in caplog.records if one.name == "toolcart.traffic"]
    assert [(way, octets[4:]) for way, octets in logged] == [
        ("out", b"0001"),
        ("in", b"0002"),
        ("out", b"0018"),
        ("in", b"0005"),
        ("out", b"0003"),
        ("in", b"0005"),
    ]
    assert f"{simulated.host}:{simulated.port} > 00230018001         002" in caplog.messages


class Full(logging.Handler):
    """Writes to a disk that is full."""

    def __init__(self):
        super().__init__()
        self.refused = []

    def emit(self, record):
        self.refused.append((record.filename, record.getMessage()))
        raise OSError(28, "No space left on device")


def test_exceptions_of_log_handlers_end_nothing(capsys):
    """Each line that is logged raises: connected, lost, a repeat, a Missed, every telegram."""
    full = Full()

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            produced = [simulated.produce()]
            for _ in range(3):
                result = await results.next(timeout=5)
            assert await result.acknowledge()
            waiting = asyncio.create_task(results.next(timeout=10))
            async with one.connections() as events:
                simulated.cut()
                produced.append(simulated.produce())
                simulated.restore()
                while not (await events.next(timeout=5)).is_found:
                    pass
            produced.append(simulated.produce())
            missed = await waiting
            assert list(missed.ids) == produced[1:2]
            assert await (await results.next(timeout=5)).acknowledge()
            await one.select_pset(1)
            assert simulated.acknowledged == [produced[0], produced[2]]

    loggers = [logging.getLogger(name) for name in ("toolcart.client", "toolcart.traffic")]
    for logger in loggers:
        logger.addHandler(full)
        logger.setLevel(logging.DEBUG)
    try:
        with controller(refuse={64: 99}, ack_timeout_ms=50) as simulated:
            run(body(simulated))
    finally:
        for logger in loggers:
            logger.removeHandler(full)
            logger.setLevel(logging.NOTSET)
    said = " ".join(text for _, text in full.refused)
    assert all(words in said for words in (": connected", ": lost: ", "third time", "is missing", " > ", " < "))
    assert {name for name, _ in full.refused} == {"controller.py", "conversation.py", "gap_fill.py", "traffic.py"}
    assert capsys.readouterr().err.count("\nOSError: [Errno 28] ") == len(full.refused)


@test(scaled=True)
async def test_a_client_can_have_all_its_messages_scaled(simulated, one):
    async with one.results() as results:
        simulated.produce(torque=1234)
        result = await results.next(timeout=5)
        assert str(result["torque"]) == "12.34" and result["tightening_status"] == "OK"
        assert await result.acknowledge()
    assert (await one.time()).year > 2000 and await one.psets() == [1, 2, 12]


# -- the blocking form ---------------------------------------------------------------------------------------------


def public(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_blocking_form_is_class_with_same_methods_their_names_and_their_help():
    assert public(BlockingController) == public(Controller) | {"timeout"}
    for name in public(Controller):
        method = getattr(BlockingController, name)
        if callable(method) and name != "close":
            assert method.__name__ == name and method.__qualname__ == f"BlockingController.{name}"
            assert method.__doc__ == getattr(Controller, name).__doc__


def test_a_blocking_stream_has_deadlines_and_unsubscribes():
    with controller() as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            with one.results() as results:
                with pytest.raises(NothingCame):
                    results.next(timeout=0.05)
                produced = simulated.produce(torque=1234)
                result = results.next(timeout=5)
                assert result["tightening_id"] == produced and result.acknowledge() and result.acknowledged
            assert simulated.messages[63] == 1
            with pytest.raises(StateError):
                next(iter(one.results()))
            with pytest.raises(NothingCame):
                one.connections().next(timeout=0.05)
            with pytest.raises(StateError, match="connected already"):
                one.__enter__()
        with pytest.raises(ConnectionLost, match="closed"):
            one.time()
        assert simulated.acknowledged == [produced] and simulated.complaints == []
        with one:
            one.select_pset(1, timeout=5)


def test_a_wait_in_which_nothing_comes_says_whether_the_connection_was_lost():
    def nothing(stream):
        with pytest.raises(NothingCame) as raised:
            stream.next(timeout=0.2)
        assert ("; the connection was lost since the reading began" in str(raised.value)) is raised.value.was_lost
        return raised.value.was_lost

    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        for _ in range(2):
            with one.results() as results, one.alarms() as alarms:
                assert not nothing(results) and not nothing(alarms)
                simulated.drop()
                assert nothing(results) and nothing(alarms) and nothing(results)
        assert not nothing(one.results())
