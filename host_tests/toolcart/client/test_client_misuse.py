"""What passes quietly elsewhere: a wrong call, a wrong peer, another process, a forgotten acknowledgement."""

import asyncio
import contextlib
import datetime
import gc
import logging
import os
import signal
import socket
import threading
import time
import traceback
import warnings

import pytest

import toolcart
from toolcart import catalogue
from toolcart.client import (
    ConnectionLost,
    OptionError,
    Refused,
    StateError,
    WrongAnswer,
    connect,
    connect_blocking,
)
from toolcart.simulated import controller
from host_tests.support.forks import fork
from host_tests.toolcart.client.test_client import QUICK, run

SOON_S = 5
WRONG_DIGITS = (1.5, True, float("inf"), 10**30, 0, 4, 7, "5", None)


@contextlib.contextmanager
def peer(reply, closes=False):
    """A server that answers everything it is sent with `reply(octets)`; `closes`: once, and ends the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                taken.append(line)
                with contextlib.suppress(OSError):
                    while octets := line.recv(4096):
                        line.sendall(reply(octets))
                        if closes:
                            line.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        for one in (listener, *taken):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.mark.parametrize(
    ("mid", "fields", "words"),
    [
        (1, {}, "begins the session"),
        (3, {}, "close"),
        (9999, {}, "keep_alive_s"),
        (60, {}, r"controller\.results\(\)"),
        (63, {}, r"controller\.results\(\)"),
        (70, {}, r"controller\.alarms\(\)"),
        (14, {}, r"controller\.parameter_sets\(\)"),
        (250, {}, r"controller\.stream\('selectors'\)"),
        (210, {}, "the option `also`"),
        (9110, {}, r"controller\.stream\('torches'\)"),
        (62, {}, "acknowledge"),
        (5, {"mid_accepted": 900}, "acknowledge"),
        (61, {}, "the controller sends it"),
        (8, {"subscribed_mid": 900, "subscribed_revision": 1}, r"controller\.curves\(\)"),
    ],
)
def test_what_is_no_request_is_refused_with_the_right_call(mid, fields, words):
    with controller() as simulated:
        with connect_blocking(
            simulated.host, simulated.port, also={"torches": (9110, 9113, ((9111, 9112),))}, **QUICK
        ) as one:
            with pytest.raises(StateError, match=words):
                one.ask_frame(catalogue.encode(mid, check=False, **fields))
            assert one.psets() == [1, 2, 12]
        simulated.assert_clean()


@pytest.mark.parametrize(
    ("mid", "data", "call", "words"),
    [
        (11, b"002001xxx", lambda one: one.psets(), "0010: its answer has pset_ids"),
        (11, b"002001   ", lambda one: one.psets(), "0010: its answer has pset_ids [1, None], wanted a list"),
        (11, b"003001002", lambda one: one.psets(), "0010: its answer has pset_ids"),
        (11, b"", lambda one: one.psets(), "0010: its answer has pset_ids None"),
        (81, b"2024-99-01:00:00:00", lambda one: one.time(), "0080: its answer has time '2024-99-01:00:00:00', wanted"),
        (81, b"xx", lambda one: one.time(), "0080: its answer has time"),
        (65, b"", lambda one: one.old_result(5), "0064: its answer has tightening_id None, wanted 5"),
        (65, None, lambda one: one.old_result(5), "0064: its answer has tightening_id 7, wanted 5"),
    ],
)
def test_an_answer_that_is_none_is_told(mid, data, call, words):
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            asked = asyncio.create_task(call(one))
            while mid - 1 not in simulated.messages:
                await asyncio.sleep(0.01)
            if data is None:
                simulated.push(65, tightening_id=7)
            else:
                simulated.inject(b"%04d%04d001         %s\0" % (20 + len(data), mid, data))
            with pytest.raises(WrongAnswer) as raised:
                await asked
            assert words in str(raised.value) and raised.value.mid == mid - 1

    with controller(refuse={mid - 1: None}) as simulated:
        run(body(simulated))


@pytest.mark.parametrize("data", [b" " * 19, b"0000-00-00:00:00:00"])
def test_a_clock_that_is_not_set_is_none(data):
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            asked = asyncio.create_task(one.time())
            while 80 not in simulated.messages:
                await asyncio.sleep(0.01)
            simulated.inject(b"00390081001         %s\0" % data)
            assert await asked is None

    with controller(refuse={80: None}) as simulated:
        run(body(simulated))


def test_code_00_is_a_yes_where_a_yes_was_asked_for_and_is_logged(caplog):
    """As the agent takes it: where data are the answer there are none, and a topic's revisions are all asked for."""
    with controller(refuse={18: 0, 10: 0, 60: 0}, result_revisions=(1,)) as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            assert one.select_pset(2).mid == 4
            with pytest.raises(Refused) as raised:
                one.psets()
            assert raised.value.code == 0
            with one.results(fill_gaps=False):
                pass
    warned = [record.message for record in caplog.records if "code 00" in record.message]
    assert ["0018" in warned[0], "0060" in warned[1], len(warned)] == [True, True, 2]


def test_what_cannot_be_asked_for_is_refused_before_it_is_sent():
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        for answer in (99999, "11", -1, True):
            with pytest.raises(OptionError, match="answer: found"):
                one.ask_frame(catalogue.encode(10), answer=answer)
        with pytest.raises(OptionError, match=r"time: found .*allowed a datetime"):
            one.set_time(datetime.date(2024, 3, 14))
        with pytest.raises(catalogue.FieldError):
            one.old_result(0, "11")
        for call, name in ((one.send_vin, "vin"), (one.send_identifier, "identifier")):
            with pytest.raises(OptionError, match=f"{name}: found None, allowed text"):
                call(None)
        assert not {10, 82, 50, 150} & set(simulated.messages)


@pytest.mark.parametrize(
    "call",
    [
        lambda: toolcart.wire("00209999001         "),
        lambda: toolcart.wire(toolcart.decode(toolcart.encode(9999))),
        lambda: toolcart.wire(None),
        lambda: toolcart.acknowledge(toolcart.encode(61)),
        lambda: toolcart.acknowledge("x"),
        lambda: toolcart.physical_values(b"x"),
        lambda: toolcart.read_extra(b"x"),
        lambda: toolcart.decode_parts(5),
        lambda: toolcart.Catalogue(only=("tightning",)),
        lambda: toolcart.Catalogue(only="tightening"),
        lambda: toolcart.Catalogue(only=5),
        lambda: toolcart.Catalogue(sent_by="controler"),
        lambda: toolcart.Catalogue(sent_by=[1]),
        lambda: toolcart.mids("vinn"),
        lambda: toolcart.mids(61),
        lambda: toolcart.mids([1]),
        *(lambda digits=digits: toolcart.data_field(1, 1, digits=digits) for digits in WRONG_DIGITS),
    ],
)
def test_a_wrong_argument_is_an_error_of_the_library(call):
    with pytest.raises(toolcart.Error) as raised:
        call()
    assert isinstance(raised.value, ValueError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_call_in_an_asyncio_child_is_refused():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one:
            child = fork()
            if not child:
                code = 1
                try:
                    calls = [one.psets, lambda: one.ask(18, pset_id=2), one.results().next, one.close]
                    for call in calls:
                        with contextlib.suppress(StateError):
                            await call()
                            os._exit(2)
                    code = 0
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert await one.psets() == [1, 2, 12]

    with controller() as simulated:
        run(body(simulated))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (lambda octets: octets, "an echo"),
        (lambda octets: bytes(100), "only NULs came"),
        (lambda octets: b"00570002001 ", "MID 0002 came short: 12 of the 57 bytes"),
        (lambda octets: b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (lambda octets: b"00240005001         0001\0", "MID 0005 came"),
        (lambda octets: b"", "no answer"),
    ],
)
def test_who_is_no_controller_is_told_by_what_came(reply, words):
    with peer(reply) as port:
        with pytest.raises(ConnectionLost, match=words) as raised:
            with connect_blocking("127.0.0.1", port, timeout=0.3, **QUICK):
                raise AssertionError("there is no session")
    assert ("no answer" in str(raised.value)) == (words == "no answer" or "0005" in words)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"refuse": {1: 79}}, "takes no revision of MID 0001: 0004 for 0001: code 79"),
        ({"refuse": {1: 79}, "ends_refused": {1: 0}}, ": 0004 for 0001: code 79"),
        ({"refuse": {1: 96}}, 'no room for another client: 0004 for 0001: code 96, "'),
        ({"refuse_once": [(1, 79)] + [(1, None)] * 9}, "within 0.5 s: 0004 for 0001: code 79"),
    ],
)
def test_a_refused_start_is_told_with_its_code(faults, words):
    """Whether the controller stays, closes, or says nothing more."""
    with controller(**faults) as simulated:
        with pytest.raises(ConnectionLost) as raised:
            with connect_blocking(simulated.host, simulated.port, **QUICK | {"timeout": 0.5}):
                raise AssertionError("there is no session")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("came", "words"), [(b"00240005001         0001\0", ": MID 0005 came, and no answer"), (b"", "")]
)
def test_what_came_is_told_where_the_connection_ends_behind_it(came, words):
    with peer(lambda octets: came, closes=True) as port:
        with pytest.raises(ConnectionLost) as raised:
            with connect_blocking("127.0.0.1", port, timeout=0.3, **QUICK):
                raise AssertionError("there is no session")
    assert str(raised.value).partition("the controller closed the connection")[2].removesuffix(" to MID 0001") == words


def test_a_refusal_of_before_is_no_reason_for_a_later_end():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.connections() as events:
            with pytest.raises(Refused):
                async with one.alarms():
                    raise AssertionError("it was not subscribed to")
            simulated.cut()
            assert "0004" not in (await events.next(timeout=SOON_S)).reason

    with controller(refuse={70: 99}) as simulated:
        run(body(simulated))


def test_a_closed_port_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(ConnectionLost, match=f"nothing listens at 127.0.0.1:{port}"):
        with connect_blocking("127.0.0.1", port):
            raise AssertionError("there is no session")
    assert time.monotonic() - begun < SOON_S


def test_a_port_that_closes_later_is_tried_again():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.connections() as events:
            simulated.cut()
            assert not (await events.next(timeout=SOON_S)).is_found
            await asyncio.sleep(0.1)
            simulated.restore()
            assert (await events.next(timeout=SOON_S)).is_found

    with controller() as simulated:
        run(body(simulated))


def session_tasks():
    """Return the tasks that keep a session up."""
    return [one for one in asyncio.all_tasks() if "_stay_connected" in one.get_coro().__qualname__]


@pytest.mark.parametrize("how", ["whoever leaves is cancelled", "two leave at once", "cancelled twice"])
def test_a_client_that_is_entered_while_it_is_left_has_one_session(how):
    """The new session begins when the one before has ended, whatever ended the waiting for that."""

    async def body(simulated):
        one = connect(simulated.host, simulated.port, **QUICK)
        for _ in range(5):
            await one.__aenter__()
            if how == "two leave at once":
                leaving = [asyncio.create_task(one.close()) for _ in range(2)]
                await asyncio.sleep(0)
            else:
                leaving = [asyncio.create_task(one.__aexit__(None, None, None))]
                for _ in range(2 if how == "cancelled twice" else 1):
                    await asyncio.sleep(0)
                    leaving[0].cancel()
            begun = simulated.messages.get(1, 0)
            entering = asyncio.create_task(one.__aenter__())
            while not entering.done():
                assert len(session_tasks()) <= 1
                await asyncio.sleep(0)
            await asyncio.wait(leaving)
            assert await entering is one and await one.psets() == [1, 2, 12]
            assert simulated.messages[1] == begun + 1 and len(session_tasks()) == 1
            await one.close()
            assert not session_tasks() and repr(one).endswith("not entered>")

    with controller() as simulated:
        run(body(simulated))
        assert simulated.complaints == []


def test_a_client_whose_loop_has_ended_can_be_entered_in_another():
    with controller(slot_kept_ms=0) as simulated:
        one = connect(simulated.host, simulated.port, **QUICK)

        async def entered():
            await one.__aenter__()
            return await one.psets()

        assert [asyncio.run(entered()) for _ in range(2)] == [[1, 2, 12]] * 2


def test_what_an_earlier_session_gave_does_not_end_what_the_present_one_reads():
    async def body(simulated):
        one = connect(simulated.host, simulated.port, **QUICK)
        async with one:
            old = one.results()
            await old.__aenter__()
        async with one, one.results() as results:
            with pytest.raises(ConnectionLost, match="the client is closed"):
                await old.next()
            await old.__aexit__()
            with pytest.raises(ConnectionLost, match="the client is closed"):
                await old.__aenter__()
            made = simulated.produce()
            assert (await results.next(timeout=SOON_S))["tightening_id"] == made

    with controller() as simulated:
        run(body(simulated))


def test_two_readers_of_one_stream_are_refused():
    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            for calls in ((results.next, results.__anext__), (results.__anext__, results.next)):
                first = asyncio.create_task(calls[0]())
                await asyncio.sleep(0)
                with pytest.raises(StateError, match="results: another reader waits"):
                    await calls[1]()
                made = simulated.produce()
                result = await first
                assert result["tightening_id"] == made and await result.acknowledge()
            first = asyncio.create_task(one.alarms().next())  # subscribes for one message
            await asyncio.sleep(0)
            with pytest.raises(StateError, match="alarms: another reader waits"):
                await one.alarms().next()
            simulated.raise_alarm("E404")
            assert (await first)["error_code"] == "E404"

    with controller() as simulated:
        run(body(simulated))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_call_in_a_child_is_refused_at_once():
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        results = one.results()
        child = fork()
        if not child:
            code = 1
            try:
                signal.alarm(10)  # ends it where it waits
                for call in (lambda: one.select_pset(1), lambda: results.next(), lambda: one.alarms()):
                    with contextlib.suppress(StateError):
                        call()
                        os._exit(2)
                one.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert one.psets() == [1, 2, 12]
        assert 3 not in simulated.messages


def test_a_blocking_client_that_is_left_open_warns_and_its_thread_ends():
    with controller() as simulated:
        one = connect_blocking(simulated.host, simulated.port, **QUICK)
        one.__enter__()
        thread = one._thread
        with pytest.warns(ResourceWarning, match="was not closed"):
            del one
            gc.collect()
        thread.join(SOON_S)
        assert not thread.is_alive() and simulated.messages[3] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
            one.psets()
        del one
        gc.collect()


def test_one_controller_in_two_loops_is_a_state_error():
    async def in_another(one, results, result):
        for call in (one.psets, results.next, result.acknowledge, one.close, one.alarms().next):
            with pytest.raises(StateError, match="the loop that it was entered in"):
                await call()

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            simulated.produce()
            result = await results.next(timeout=SOON_S)
            await asyncio.to_thread(asyncio.run, in_another(one, results, result))
            assert await result.acknowledge() and await one.psets() == [1, 2, 12]

    with controller() as simulated:
        run(body(simulated))
        simulated.assert_clean()


def test_the_blocking_client_speaks_of_with():
    with controller() as simulated:
        one = connect_blocking(simulated.host, simulated.port, **QUICK)
        calls = [lambda: one.started, one.psets, one.results]
        with one:
            entered = [lambda: iter(one.results()), lambda: next(one.results())]
            for call in entered:
                with pytest.raises(StateError, match="inside `with"):
                    call()
        one = connect_blocking(simulated.host, simulated.port, **QUICK)
        calls = [lambda: one.started, one.psets, one.results]
        for call in calls:
            with pytest.raises(StateError, match="inside `with`"):
                call()


def test_a_reader_that_forgets_to_acknowledge_is_warned_once(caplog):
    caplog.set_level(logging.INFO, "toolcart.client")
    with controller(ack_timeout_ms=30) as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            simulated.produce()
            for _ in range(3):
                result = results.next(timeout=SOON_S)
            result.acknowledge()
            simulated.produce()
            results.next(timeout=SOON_S).acknowledge()
    warned = [record for record in caplog.records if "not acknowledged" in record.message]
    assert len(warned) == 1 and "results" in warned[0].message and "acknowledge()" in warned[0].message


def test_found_lost_and_refused_connections_are_logged(caplog):
    caplog.set_level(logging.INFO, "toolcart.client")

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.connections() as events:
            simulated.change(max_clients=0)
            simulated.drop()
            assert not (await events.next(timeout=SOON_S)).is_found
            await asyncio.sleep(0.2)
            simulated.change(max_clients=1)
            assert (await events.next(timeout=SOON_S)).is_found

    with controller() as simulated:
        run(body(simulated))
    messages = [record.message for record in caplog.records if record.name == "toolcart.client"]
    place = f"{simulated.host}:{simulated.port}"
    assert messages[0] == messages[-1] == f"{place}: connected"
    assert messages[1].startswith(f"{place}: lost: ")
    assert any(one.startswith(f"{place}: not connected: the controller has no room") for one in messages)


def test_a_scaled_result_is_acknowledged_as_the_raw_one():
    with controller() as simulated:
        with connect_blocking(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            for turn in range(2):
                simulated.produce(torque=4237)
                result = results.next(timeout=SOON_S)
                scaled = result.scaled()
                assert str(scaled["torque"]) == "42.37" and scaled.raw()["torque"] == 4237
                assert (scaled if turn else scaled.raw()).acknowledge()
                assert result.acknowledged and scaled.acknowledged
            assert simulated.acknowledged == [1, 2]

    async def body(simulated):
        async with connect(simulated.host, simulated.port, **QUICK) as one, one.results() as results:
            simulated.produce()
            result = await results.next(timeout=SOON_S)
            assert await result.scaled().acknowledge() and result.acknowledged

    with controller() as simulated:
        run(body(simulated))


def test_names_and_reprs_say_what_something_is():
    message = toolcart.decode(toolcart.encode(18, pset_id=2))
    assert message.name == message.scaled().name == "Select parameter set"
    assert toolcart.decode(b"00209876001         ").name == "not in the catalogue"
    assert repr(toolcart.form(18)) == "<Form of MID 0018 revision 1, 1 fields>"
    assert repr(toolcart.form(18).fields[0]) == "<Field pset_id N3 at 21-23>"
    assert repr(toolcart.about(18)) == "<Mid 0018, Select parameter set>"
    with controller("nexo") as simulated:
        place = f"{simulated.host}:{simulated.port}"
        assert repr(simulated) == f"<SimulatedController nexo at {place}>"
        one = connect_blocking(simulated.host, simulated.port, **QUICK)
        assert repr(one) == f"<BlockingController {place}, not entered>"
        with one, one.results() as results:
            assert repr(one) == f"<BlockingController {place}, connected>"
            assert repr(results) == "<BlockingStream results, read>"
    assert repr(connect("192.0.2.1")) == "<Controller 192.0.2.1:4545, not entered>"


def test_a_traceback_names_an_error_as_the_library_does():
    for call in (lambda: toolcart.decode(b""), lambda: toolcart.connect("")):
        with pytest.raises(toolcart.Error) as raised:
            call()
        assert traceback.format_exception_only(raised.value)[0].startswith(f"toolcart.{type(raised.value).__name__}: ")


def test_public_names_are_for_their_users():
    public = {name for name in dir(toolcart.Stream) if name[0] != "_"}
    assert public == {"next"}
    public = {name for name in dir(toolcart.Received) if name[0] != "_"} - set(dir(toolcart.Message))
    assert public == {"acknowledge", "acknowledged", "fetched"}


@pytest.mark.parametrize("empty", ["", b"", None])
@pytest.mark.parametrize(("call", "mid"), [("send_vin", 50), ("send_identifier", 150)])
def test_an_empty_text_is_not_sent(call, mid, empty):
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        with pytest.raises(OptionError, match="text that is not empty"):
            getattr(one, call)(empty)
        getattr(one, call)("WVW1")
        assert simulated.messages[mid] == 1
        simulated.assert_clean()
