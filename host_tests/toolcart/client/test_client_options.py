"""An option that means nothing is refused where the client is made, in words; every error reaches another process."""

import copy
import datetime
import inspect
import os
import pickle
import subprocess
import sys

import pytest

from toolcart import catalogue, client
from toolcart.client import (
    OptionError,
    StateError,
    connect,
    connect_blocking,
    connect_serial,
    connect_serial_blocking,
)
from toolcart.client.options import Options
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.profiles import profile_options
from toolcart.simulated import controller, profiles
from host_tests.support.forks import fork
from host_tests.toolcart.client.test_client import QUICK

WRONG = (
    ({"revisions": {"nix": (1,)}}, "revisions: found 'nix', allowed one of results, alarms"),
    ({"revisions": {"curves": (1,)}}, "revisions: found 'curves'"),
    ({"revisions": {"results": ()}}, "revisions['results']: found ()"),
    ({"revisions": {"results": 1}}, "revisions['results']: found 1, allowed revisions from 1 to 999"),
    ({"revisions": {"results": (0,)}}, "revisions['results']"),
    ({"revisions": {"results": ("1",)}}, "revisions['results']"),
    ({"revisions": (1,)}, "revisions: found (1,), allowed a dictionary"),
    ({"curves": ("nix",)}, "curves: found 'nix', allowed one of angle, torque, current"),
    ({"curves": "angle"}, "curves: found 'angle', allowed a list of angle, torque"),
    ({"curves": ()}, "curves: found ()"),
    ({"curves": ("angle", "angle")}, "curves"),
    ({"start_revisions": ()}, "start_revisions"),
    ({"start_revisions": (1000,)}, "start_revisions"),
    ({"header": "ford"}, "header: found 'ford', allowed one of standard, op-ford, op-bmw"),
    ({"station": 100}, "station: found 100, allowed 0 to 99"),
    ({"spindle": -1}, "spindle: found -1"),
    ({"spindle": True}, "spindle: found True"),
    ({"link_level": 1}, "link_level: found 1, allowed one of False, True"),
    ({"scaled": "yes"}, "scaled"),
    ({"timeout": 0}, "timeout: found 0, allowed a number of seconds above 0"),
    ({"timeout": "5"}, "timeout: found '5'"),
    ({"timeout": float("nan")}, "timeout: found nan"),
    ({"keep_alive_s": -1}, "keep_alive_s"),
    ({"silence_s": None}, "silence_s"),
    ({"response_s": float("inf")}, "response_s"),
    ({"pause_s": 40}, "pause_s: found 40, allowed at most pause_most_s, 30"),
    ({"pause_s": -0.1}, "pause_s: found -0.1, allowed a number of seconds, 0 to 432000"),
    ({"timeout": 600000}, "timeout: found 600000, allowed a number of seconds above 0, 432000 at most"),
    ({"keep_alive_s": 1e6}, "keep_alive_s: found 1000000.0"),
    ({"response_s": 10**400}, "response_s: found 1000000"),
    ({"silence_s": 10**9}, "silence_s"),
    ({"pause_most_s": 10**400}, "pause_most_s"),
    ({"busy_pause_s": 432001}, "busy_pause_s"),
    ({"also": {"results": (1, 2, ((3, 4),))}}, "also: found 'results', allowed a name that is not one of"),
    ({"also": {"mine": (1, 2)}}, "also['mine']: found (1, 2), allowed (MID that subscribes"),
    ({"also": {"mine": (1, 2, ((3,),))}}, "also['mine']"),
    ({"also": {"mine": (1, 2, ())}}, "also['mine']"),
    ({"also": {"mine": ("1", 2, ((3, 4),))}}, "also['mine']"),
    ({"also": {5: (1, 2, ((3, 4),))}}, "also: found 5"),
    (
        {"also": {"mine": (60, 2, ((3, 4),))}},
        "also['mine']: found (60, 2, ((3, 4),)), allowed no MID of another",
    ),
    (
        {"also": {"mine": (1001, 2, ((1201, 5),))}},
        "also['mine']: found (1001, 2, ((1201, 5),)), allowed no MID",
    ),
    ({"also": {"mine": (9110, 9110, ((9110, 5),))}}, "also['mine']"),
    ({"also": {"a": (9110, 9113, ((9111, 5),)), "b": (9114, 9115, ((9111, 5),))}}, "also['b']"),
)
ADDRESSES = (
    (("",), "host: found '', allowed a name or an address"),
    ((5,), "host: found 5"),
    (("192.0.2.1:4545",), "host: found '192.0.2.1:4545', allowed a name or an address without a port"),
    (("[::1]",), "host: found '[::1]', allowed a name or an address without a port"),
    ((" 192.0.2.1",), "host: found ' 192.0.2.1', allowed a name or an address, without blanks"),
    (("a\0b",), "host: found 'a\\x00b', allowed a name"),
    (("127.0.0.1", 0), "port: found 0, allowed 1 to 65535"),
    (("127.0.0.1", "4545"), "port: found '4545'"),
)
LINES = (
    ({"procedure": "nix"}, "procedure: found 'nix', allowed one of ascii, 3964r"),
    ({"parity": "mark"}, "parity: found 'mark', allowed one of none, even, odd"),
    ({"baud": 9601}, "baud: found 9601, allowed one of 1200, 2400"),
    ({"stop_bits": 3}, "stop_bits: found 3, allowed one of 1, 2"),
    ({"device": " "}, "device: found ' '"),
    ({"curves": ("nix",)}, "curves: found 'nix'"),
)


TCP, SERIAL = (connect, connect_blocking), (connect_serial, connect_serial_blocking)
REFUSED = [
    *[(TCP, {"host": "127.0.0.1", **options}, expected) for options, expected in WRONG],
    *[(TCP, dict(zip(("host", "port"), words, strict=False)), expected) for words, expected in ADDRESSES],
    *[(SERIAL, {"device": "/dev/null", **options}, expected) for options, expected in LINES],
]


@pytest.mark.parametrize(("calls", "options", "expected"), REFUSED, ids=[expected for _, _, expected in REFUSED])
def test_what_means_nothing_is_refused_by_its_name(calls, options, expected):
    for call in calls:
        with pytest.raises(OptionError) as raised:
            call(**options)
        assert str(raised.value).startswith(expected) and isinstance(raised.value, ValueError)
        assert "stations" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"procedure": "nix"}, "procedure"),
        ({"procedure": "ascii"}, "device"),
        ({"port": 70000}, "port"),
        ({"pushed_as": 5}, "pushed_as"),
        ({"pushed_as": {"nix": 5}}, "pushed_as"),
        ({"identity": {"cell": "x"}}, "identity"),
        ({"refuse": 5}, "refuse"),
        ({"refuse": {"x": 1}}, "refuse"),
        ({"refuse": {18: "y"}}, "refuse"),
        ({"refuse_once": [5]}, "refuse_once"),
        ({"ack_timeout_ms": -1}, "ack_timeout_ms"),
        ({"ack_timeout_ms": "5"}, "ack_timeout_ms"),
        ({"ack_timeout_ms": 600_000_000}, "ack_timeout_ms"),
        ({"traces": (9,)}, "traces"),
        ({"trace_types": (9,)}, "trace_types"),
        ({"start_revisions": ("x",)}, "start_revisions"),
        ({"answer_start_revision": "x"}, "answer_start_revision"),
        ({"silent": 1}, "silent"),
        ({"max_clients": True}, "max_clients"),
        ({"nok_percent": 300}, "nok_percent"),
        ({"time_text": 5}, "time_text"),
        ({"station": "1"}, "station"),
        ({"pad": " "}, "pad"),
        ({"drop_after_received": 3}, "drop_after_received"),
        ({"refuse_digits": True}, "refuse_digits"),
        ({"profile": "nix"}, "profile"),
    ],
)
def test_so_is_what_a_simulated_controller_cannot_be(given, name):
    with pytest.raises(OptionError, match=f"{name}: found"):
        controller(**given)


FIELDS = ({"torque": "x"}, {"torque": -5}, {"torque": True}, {"torque": 10**9}, {"angle": -1}, {"status": "maybe"})
FIELDS += ({"vin": 3}, {"time": 5}, {"tightening_id": -1}, {"nix": 1})


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_tightening_that_none_can_be_is_not_made(fields):
    with controller() as simulated:
        with pytest.raises(OptionError, match=f"{next(iter(fields))}: found"):
            simulated.produce(**fields)
        assert simulated.produce() == 1
    for call, wrong in (("select_pset", 99), ("select_job", "x"), ("raise_alarm", 404), ("identify", 5)):
        with controller() as simulated, pytest.raises(OptionError):
            getattr(simulated, call)(wrong)


def test_every_default_of_a_simulated_controller_and_of_its_profiles_may_be_given():
    for profile in profiles():
        options = {**ControllerOptions.DEFAULTS, **profile_options(profile)}
        with controller(profile, **options) as simulated:
            simulated.change(**options)


def test_faults_are_used_up_in_a_copy_of_what_the_test_gave():
    dropped, refused, fresh = [2], ((18, 3),), [(18, 3)]
    for _ in range(2):
        with controller(drop_after_received=dropped, refuse_once=refused) as simulated:
            with connect_blocking(simulated.host, simulated.port, **QUICK) as one:
                with pytest.raises(client.ConnectionLost):
                    one.psets()
                for _ in range(2):
                    with pytest.raises(client.Refused):
                        one.select_pset(1)
                    one.select_pset(1)
                    simulated.change(refuse_once=fresh)
    assert (dropped, refused, fresh) == ([2], ((18, 3),), [(18, 3)])


def test_a_simulated_controller_is_asked_before_and_after_its_with_too():
    simulated = controller()
    produced = simulated.produce()
    with simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        assert one.old_result()["tightening_id"] == produced
    assert simulated.messages[64] == 1
    simulated.assert_clean()


def test_a_simulated_controller_does_nothing_where_it_does_not_run():
    simulated = controller()
    for call in (lambda: simulated.push(18, pset_id=2), lambda: simulated.inject(b"x"), simulated.drop):
        with pytest.raises(StateError, match="does not run yet"):
            call()
    with simulated:
        pass
    calls = [
        lambda: simulated.push(18, pset_id=2),
        lambda: simulated.change(silent=True),
        lambda: simulated.raise_alarm("E404"),
        lambda: simulated.select_pset(1),
        lambda: simulated.select_job(1),
        lambda: simulated.identify("WVW1"),
        lambda: simulated.set_time(datetime.datetime(2024, 3, 14)),
        *(getattr(simulated, name) for name in ("produce", "cut", "restore", "drop")),
    ]
    for call in calls:
        with pytest.raises(StateError, match="has ended"):
            call()
    with pytest.raises(StateError, match="was entered before"), simulated:
        raise AssertionError("it runs once")
    assert simulated.messages == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_simulated_controller_runs_in_the_process_that_made_it():
    with controller() as simulated:
        child = fork()
        if not child:
            code = 1
            try:
                try:
                    simulated.produce()
                except StateError:
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert simulated.produce() == 1


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (lambda one: one.inject("00209999001         "), "octets"),
        (lambda one: one.set_time("2024-03-14:09:26:53"), "time"),
        (lambda one: one.set_time(datetime.date(2024, 3, 14)), "time"),
        (lambda one: one.raise_alarm("nope nope"), "code"),
        (lambda one: one.raise_alarm("E404", "x" * 51), "text"),
        (lambda one: one.acknowledge_alarm("E 4040"), "code"),
        (lambda one: one.identify("x" * 41), "vin"),
        (lambda one: one.identify("x", "y" * 26), "identifiers"),
        (lambda one: one.identify("x", "1", "2", "3", "4"), "identifiers"),
        (lambda _: controller(torque_unit=99), "torque_unit"),
        (lambda _: controller(spindles=0), "spindles"),
        (lambda _: controller(host="nope.invalid"), "host"),
        (lambda _: controller(host="192.0.2.1"), "host"),
        (lambda _: controller(host="127.0.0.1:4545"), "host"),
        (lambda one: controller(port=one.port), "port"),
    ],
)
def test_what_a_simulated_controller_cannot_do_is_refused_by_its_name(call, option):
    with controller() as simulated, connect_blocking(simulated.host, simulated.port, **QUICK) as one:
        with pytest.raises(OptionError) as raised:
            call(simulated)
        assert raised.value.option == option and pickle.loads(pickle.dumps(raised.value)).option == option
        assert one.psets() == [1, 2, 12]


def test_the_library_runs_without_what_windows_has_not():
    source = """if True:
        import sys
        sys.modules.update(dict.fromkeys(("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource")))
        import toolcart
        with toolcart.simulated.controller() as simulated:
            with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
                print(controller.psets(), len(toolcart.captures.read(b"00200060001         ")))
        try:
            toolcart.connect_serial("COM3")
        except ImportError as error:
            print(error.name)
    """
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["[1, 2, 12] 1", "fcntl"], done.stderr


def test_unknown_option_is_refused_with_all_options():
    for call, name in ((connect, "connect"), (connect_blocking, "connect"), (connect_serial, "connect_serial")):
        with pytest.raises(OptionError, match=rf"deadline_s: found 1, allowed one of the options of {name}: timeout, "):
            call("127.0.0.1", deadline_s=1)


def test_help_and_completion_show_every_option():
    options = list(inspect.signature(Options).parameters)
    for call in (connect, connect_serial, connect_blocking, connect_serial_blocking):
        assert list(inspect.signature(call).parameters)[-len(options) :] == options


ERRORS = (
    client.Refused(18, 3, "parameter set can not be set"),
    client.Unanswered(80, 0.5),
    client.NotSent(18, 0.5, "MID 0042 is not answered yet"),
    client.WrongAnswer(64, "tightening_id", 7, "5"),
    client.NothingCame("results", 2),
    client.NothingCame("results", 2, True),
    client.ConnectionLost("no answer", 80),
    client.OutOfOrder(61),
    client.OptionError("curves", ("nix",), "angle"),
    client.StateError("not connected"),
    catalogue.FieldError(61, 1, "torque", "141-146", -1, "0 to 999999", "Nm"),
    catalogue.FieldError(61, 1, "torque", "141-146", object, "0 to 999999", "Nm"),
    catalogue.NoField(61, 1, "nix", ["torque"]),
    catalogue.FrameError("5 bytes"),
    catalogue.TableError("no table"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_can_be_pickled_and_says_the_same(error):
    other = pickle.loads(pickle.dumps(error))
    assert isinstance(error, catalogue.Error) and type(error).__module__ == "toolcart"
    assert type(other) is type(error)
    if getattr(error, "found", None) is not object:
        assert str(other) == str(error) and vars(other) == vars(error)


def test_every_error_of_the_library_is_tried_here():
    names = {name for part in (client, catalogue) for name in part.__all__}
    kinds = {getattr(client, name, None) or getattr(catalogue, name) for name in names}
    errors = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)}
    assert errors - {catalogue.Error, client.ClientError} == {type(error) for error in ERRORS}


def test_a_message_can_be_pickled_and_copied_and_keeps_its_layout():
    own = catalogue.Catalogue()
    own.register("MID 9101 I Q 9102 Torch request @our manual 4.1\nREV 1\n-- lamp N2")
    plain = catalogue.decode(catalogue.encode(61, 999, torque=4237))
    for message in (plain, plain.scaled(), own.decode(own.encode(9101, lamp=3))):
        for other in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
            assert other == message and dict(other) == dict(message)
    assert len(pickle.dumps(plain)) < 300, "the layout of a usual message is named, not copied"
