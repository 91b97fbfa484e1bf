"""Words against truth: faults are driven at an installed agent, and every surface says what was done, nothing else.

A new fault is a row of CONTROLLERS or TOOLSNETS, or a test with @shows and `Words`.
"""

import contextlib
import errno
import json
import os
import pty
import re
import signal
import threading
import time
from dataclasses import dataclass, field
from itertools import chain

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim.profiles import profile_options as row_of
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import status as status_words
from host_tests.agent.openprotocol.test_shifted_fields import frame_of
from host_tests.plant.as_installed import delivered, stored
from host_tests.plant.libc import FailingDisk, ShiftedClock
from host_tests.plant.plant_words import (
    EVERYWHERE,
    STATES,
    Truth,
    Words,
    check_shown,
    shows,
)
from host_tests.support import peers
from host_tests.support.agent_lines import status_of
from host_tests.support.peers import BrokerThat, Peer
from host_tests.support.running import free_port, station_at, wait_for
from lab.harness.cart import Cart

LONG = pytest.mark.long("more faults of a kind")
SOON = {"reconnect_s": 0.5}

pytestmark = pytest.mark.usefixtures("hasty")


class Row:
    """A fault from the start on: what the other side is, and what is said of it ({place}: host and port).

    `peer` is what a Peer does, None: nothing listens; with `options` it is a simulated side that has them.
    """

    def __init__(self, name, *texts, peer=None, settings=(), on=EVERYWHERE, is_steady=True, **options):
        self.name, self.texts, self.peer, self.settings, self.options = name, texts, peer, dict(settings), options
        self.on = on
        self.is_steady = is_steady  # else it is connected and loses its connection again and again


CONTROLLERS = (
    Row("nothing listens", "{place} refused the connection: the host is there", "Is Open Protocol switched on"),
    Row(
        "closes at once",
        "{place} closed the connection before a session was established",
        "Is another client connected to the controller?",
        peer=peers.closes,
    ),
    Row("resets", "{place} reset the connection before a session was established", peer=peers.resets),
    Row(
        "is silent",
        "{place} accepted the connection but does not answer MID 0001",
        "Is this a controller's Open Protocol port?",
        peer=peers.is_silent,
    ),
    Row(
        "is another server",
        "{place}: what answers there is not Open Protocol",
        "Does something else listen there?",
        peer=peers.speaks(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ),
    Row(
        "has no slot",
        "{place} has no room for another client: 0004 to MID 0001 with code 96",
        "Another program holds its connection",
        max_clients=0,
    ),
    Row("refuses the start", "with code 92 (Open Protocol commands disabled)", refuse={1: 92}),
    Row(
        "accepts no revision",
        "{place} accepts no revision of MID 0001 that is offered: 0004 with code 97",
        "Offer others in controller.start",
        refuse={1: 97},
    ),
    Row("refuses results", "with code 92 (Open Protocol commands disabled)", refuse={60: 92}),
    Row(
        "ends with each start",
        "The other revisions in controller.start_revisions are",
        refuse={1: 79},
        ends_refused={1: 0},
        on=("log",),
    ),
    Row(
        "ends with each subscription",
        "It is asked again, in another revision or way where",
        refuse={60: 92},
        ends_refused={60: 0},
        on=("log",),
    ),
    Row(
        "knows no results",
        "{place} accepts no subscription to results, by MID 0060 or another",
        "Is the subscription to results part of its licence?",
        refuse={60: 99, 8: 99},
    ),
)
TOOLSNETS = (
    Row("nothing listens", "PIM {place} refused the connection: the host is there", "is this its PIM's port"),
    Row(
        "closes at once",
        "PIM {place} closed the connection before its 08",
        "Does ToolsNet know this",
        peer=peers.leaves,
    ),
    Row(
        "is silent",
        "PIM {place} did not identify itself as a PIM (telegram 12)",
        "ToolsNet 1.5 is not supported",
        peer=peers.is_silent,
    ),
    Row(
        "is another server",
        "PIM {place}: what answers there is not a PIM",
        "Each plant chooses it; 6575",
        peer=peers.begins(b"SSH-2.0-OpenSSH_9.2\r\n"),
    ),
    Row("tells no server", "{place} sent its 12 and then no 08", "Compare system.number", pim_silent=True),
    Row(
        "names a server that is away",
        "ToolsNet server 127.0.0.1:1 refused the connection",
        "The PIM names this address",
        server_port=1,
    ),
    Row(
        "names a foreign server",
        *("the PIM names 192.0.2.9:", "which toolsnet.allow_hosts does not have", "Add that host, or ask who changed"),
        server_host="192.0.2.9",
        settings={"allow_hosts": ["127.0.0.1"]},
    ),
    Row(
        "answers nothing",
        "accepts the connection but did not acknowledge a telegram in time (no 05)",
        "Is this ToolsNet's server",
        silent=True,
        is_steady=False,
    ),
    Row(
        "has no TLS",
        "PIM {place} does not speak TLS",
        "Without TLS leave out tls_ca",
        send_12=True,
        settings={"tls_ca": "ca.pem"},
    ),
    Row(
        "no certificate",
        "PIM {place}: no connection is tried, since a file for TLS cannot be used",
        "Correct it: it is read again at each",
        send_12=True,
        settings={"tls_ca": "none.pem"},
    ),
)


USUAL = ("nothing listens", "tells no server", "answers nothing")  # without --long
BROKERS = (
    Row(
        "nothing listens", "broker {place} refused the connection: the host is there", "Does the broker run there, and"
    ),
    Row("another protocol", "the broker does not speak MQTT 3.1.1", peer=BrokerThat(_1=b"\x20\x02\x00\x01")),
    Row("MQTT 5 alone", "the broker does not speak MQTT 3.1.1", peer=BrokerThat(_1=b"\x20\x03\x00\x84\x00")),
    Row("another client", "the broker refuses the client identifier", peer=BrokerThat(_1=b"\x20\x02\x00\x02")),
    Row("not available", "the broker is not available", peer=BrokerThat(_1=b"\x20\x02\x00\x03")),
    Row("a wrong password", "user or password is wrong", peer=BrokerThat(_1=b"\x20\x02\x00\x04")),
    Row("another user", "the broker does not let this user in", peer=BrokerThat(_1=b"\x20\x02\x00\x05")),
    Row("a code of its own", "the broker refuses with code 77", peer=BrokerThat(_1=b"\x20\x02\x00\x4d")),
    Row("no receipts", "the broker refuses the subscription to", peer=BrokerThat(_8=b"\x90\x03\x00\x01\x80")),
    Row("another server", "what answers does not speak MQTT", peer=peers.speaks(b"HTTP/1.1 400 Bad\r\n" + b"x" * 200)),
    Row("is silent", "the broker does not answer CONNECT", peer=peers.is_silent),
    Row("forgets SUBSCRIBE", "the broker does not answer SUBSCRIBE", peer=BrokerThat(_8=None)),
    Row("forgets PUBLISH", "the broker does not acknowledge", peer=BrokerThat(_3=None)),
    Row("no consumer", "no receipt from a consumer", peer=BrokerThat()),
    Row("another cart's consumer", "a receipt names more than this spool has", peer=BrokerThat(receipt=99999)),
)


def begun(site, plant, around=None, **cart):
    """An agent that delivers, and what is said of it."""
    path = site.cart(plant, **cart)
    agent = site.begin(path, "ToolsNet connected", **(around or {}))
    return agent, Words(site, path, agent)


def pieces_of(rows):
    return [max(piece.split("{place}"), key=len).strip(" :") for row in rows for piece in row.texts]


@pytest.fixture(autouse=True)
def _check_pieces(request):
    """What a test is marked with was said in it."""
    pieces = getattr(request.function, "shows", ())
    if "row" in request.fixturenames:
        pieces = pieces_of([request.getfixturevalue("row")])
    yield
    if "piece" not in request.fixturenames:
        check_shown(pieces)


@shows(*pieces_of(CONTROLLERS))
def test_each_controller_that_gives_no_session_has_its_own_reason(site, plants, stays):
    good = plants()
    ports = {number: _port(plants, stays, row, "controller") for number, row in enumerate(CONTROLLERS, 1)}
    places = {number: f"127.0.0.1:{port}" for number, port in ports.items()}
    stations = [station_at(number, port) for number, port in ports.items()]
    cart = site.cart(good, stations=[*stations, station_at(50, good.controller_port)])
    agent = site.begin(cart)
    words = Words(site, cart, agent)
    words.until(lambda states: states[50]["controller"]["state"] == "ready", "the good one is ready")
    words.until(lambda states: all(states[number]["controller"]["why"] for number in places), "reasons")
    wanted = {
        number: [piece.format(place=places[number]) for piece in row.texts] for number, row in enumerate(CONTROLLERS, 1)
    }
    for number, pieces in wanted.items():
        wait_for(f"{number}: {pieces}", lambda pieces=pieces: all(piece in agent.output for piece in pieces))
    words.again()
    for number, row in enumerate(CONTROLLERS, 1):
        words.assert_shown(*wanted[number], on=row.on)
    words.agree({number: Truth(controller=False, waiting=0) for number in places} | {50: Truth(waiting=0)})
    words.assert_absent("missed results", "results may", "waiting results")
    delivered(good, 3)  # the others do not hinder it


def _port(plants, stays, row, side):
    """The port of the other side of this row: "controller" or "toolsnet"."""
    if not row.options:
        return stays.enter_context(Peer(row.peer)).port if row.peer else free_port()
    plant = plants()
    for name, value in row.options.items():
        setattr(getattr(plant, side).options, name, value)
    return plant.controller_port if side == "controller" else plant.pim_port


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=() if row.name in USUAL else LONG) for row in TOOLSNETS]
)
@shows(*pieces_of(TOOLSNETS))
def test_each_toolsnet_that_accepts_nothing_has_its_own_reason(site, plant, plants, stays, row):
    port = _port(plants, stays, row, "toolsnet")
    if row.settings.get("tls_ca") == "ca.pem":
        from host_tests.support.tls import certificate_files

        site.give(certificate_files(site.home)["ca"])
    cart = site.cart(plant, toolsnet={"pim_port": port, **SOON, **row.settings})
    agent = site.begin(cart, "controller ready")
    stored(plant, 2)
    words = Words(site, cart, agent)
    words.until(lambda states: states[7]["outlets"][0]["why"] and states[7]["backlog"] == 2, "a reason")
    pieces = [piece.format(place=f"127.0.0.1:{port}") for piece in row.texts]
    wait_for(f"{pieces}", lambda: all(piece in agent.output for piece in pieces))
    if row.is_steady:
        words.again().assert_shown(*pieces)
        words.agree({7: Truth(toolsnet=False, waiting=2)})
        words.assert_absent("ToolsNet connected, it takes", "controller lost")
    assert agent.output.count("ToolsNet connected") <= 1, agent.output


@LONG
@shows(
    "{} fell silent: it did not answer the keep-alive",
    "{} left in order",
    "at most {} left in the controller",
    "no missed result is left in the controller",
    "backlog delivered (",
    "agent started, process",
    "stored so far,",
    ", running for {} since",
    ", a sync takes",
)
def test_an_ended_session_and_a_lost_network_are_reported_meanwhile(site, plant):
    agent, words = begun(site, plant, toolsnet=SOON)
    made = delivered(plant, 2)
    words.again().agree({7: Truth(waiting=0)})
    words.assert_absent("refused the connection", "closed the connection", "lost")
    plant.cut_toolsnet(True)
    agent.wait_for("ToolsNet lost")
    made += plant.produce(8)
    words.until(lambda states: states[7]["backlog"] == 8 and states[7]["outlets"][0]["why"] == "refused", "a backlog")
    time.sleep(1.5)  # the log looks once a second
    words.agree({7: Truth(toolsnet=False, waiting=8)})
    words.assert_shown(f"127.0.0.1:{plant.pim_port} refused the connection", on=STATES)
    plant.cut_toolsnet(False)
    agent.wait_for("backlog delivered (")
    words.again().agree({7: Truth(waiting=0)})
    words.assert_absent("refused the connection", on=STATES)

    plant.controller.options.silent = True
    agent.wait_for("fell silent: it did not answer the keep-alive")
    assert "missed results" not in agent.output, "there is nobody to ask"
    made += plant.produce(900)
    plant.controller.options.silent = False
    agent.wait_for("fetching: at most ", 30)
    agent.wait_for("no missed result is left in the controller")
    wait_for("all delivered", lambda: plant.archive.tightening_ids() == made)
    words.again().agree({7: Truth(waiting=0)})
    words.assert_absent("fell silent", "missed results", on=STATES)
    plant.cut_controller(True)
    agent.wait_for(f"controller lost: controller 127.0.0.1:{plant.controller_port} reset the connection")
    agent.wait_for(f"no controller: controller 127.0.0.1:{plant.controller_port} refused the connection")
    words.again().agree({7: Truth(controller=False, waiting=0)})
    assert agent.end() == 0 and "left in order" in agent.output
    assert agent.output.count("ToolsNet lost") == 1 and agent.output.count("controller lost") == 2, agent.output


@LONG
@shows(
    *pieces_of(BROKERS),
    "{} cannot be used: {}",
    "receipts of MQTT since the start named more than was sent",
    "does another cart have this topic",
    "{} takes records again",
)
def test_each_broker_that_accepts_nothing_has_its_own_reason(site, plants, stays):
    made, stations, places = [], [], {}
    for number, row in enumerate(BROKERS, 1):
        made.append(plants())
        port = _port(plants, stays, row, "broker")
        places[number] = f"127.0.0.1:{port}"
        outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "127.0.0.1", "port": port}]
        stations.append({**station_at(number, made[-1].controller_port), "outlets": outlets})
    cart = site.cart(made[0], stations=stations)
    agent = site.begin(cart)
    words = Words(site, cart, agent)
    words.until(lambda states: all(states[number]["controller"]["state"] == "ready" for number in places), "ready")
    for plant in made:
        plant.produce(2)
    wanted = [[piece.format(place=places[at]) for piece in row.texts] for at, row in enumerate(BROKERS, 1)]
    for piece in chain(*wanted):
        agent.wait_for(piece)
    words.agree({number: Truth() for number in places})
    assert words.now["status"].count("2 waiting for MQTT, 0 for ToolsNet") == len(BROKERS)
    unusable = [line for line in agent.output.splitlines() if "cannot be used" in line]
    for number in places:
        own = [line for line in unusable if f"station {number}: " in line]
        assert len(own) == len({*own}), own
    words.assert_shown(*chain(*wanted[:7]))
    assert words.doctor.returncode == 1
    words.assert_absent("takes records again")
    with Peer(BrokerThat(receipt=2), int(places[1].partition(":")[2])):
        agent.wait_for(f"station 1: mqtt://{places[1]}/toolcart/1/1 takes records again")


# -- what ToolsNet refuses, forgets or never had ---------------------------------------------------------------------


def all_but(plant, count, refused):
    """Have so many results made, and wait until all but this one are at ToolsNet."""
    others = [one for one in plant.produce(count) if one != refused]
    wait_for("the others arrive", lambda: sorted(plant.archive.tightening_ids()) == others)


@shows(
    "ToolsNet refused what was sent with code",
    "a result was set aside: {reason}",
    "set aside will be offered to ToolsNet again while it takes others",
)
def test_one_refused_result_is_reported_of_that_one_alone(site, plants):
    plant = plants(toolsnet={"tightening_codes": {2: 17}})
    agent, words = begun(site, plant, toolsnet=SOON)
    all_but(plant, 5, 2)
    words.until(lambda states: states[7]["parked"] == 1 and states[7]["backlog"] == 0, "it is set aside")
    agent.wait_for("a result was set aside: refused by ToolsNet with code 17")
    words.again().agree({7: Truth(waiting=0, set_aside=1)})
    words.assert_shown("1 result set aside", on=("status", "doctor", "page"))
    words.assert_shown('what="set aside",level="note"} 1', on=("metrics",))
    words.assert_absent("refuses everything that it is offered now", "needs an operator", "2 results set aside")


def test_an_acknowledgement_that_is_owed_is_reported_of_its_result(site, plants):
    plant = plants(toolsnet={"silent_sequences": (3,)})
    agent, _ = begun(site, plant, toolsnet=SOON)
    all_but(plant, 6, 3)
    agent.wait_for("ToolsNet did not acknowledge result 3 in time; the next connection shows whether it has it")
    assert agent.end() == 0
    results = set(re.findall(r"did not acknowledge result (\d+)", agent.output))
    assert results == {"3"}, agent.output


def test_results_in_their_order_are_never_out_of_it(site, plant):
    cart = site.cart(plant)
    plant.produce_rate(200)
    agent = site.begin(cart)
    wait_for("some", lambda: len(plant.archive.tightening_ids()) > 50)
    plant.stop_producing()
    assert agent.end() == 0
    assert "out of the order" not in agent.output, agent.output


@LONG
@shows("set aside: refused by ToolsNet, in doubt or unreadable")
def test_a_refused_result_with_none_after_it_is_not_everything(site, plants):
    plant = plants(toolsnet={"tightening_codes": {3: 17}})
    lines = {"kind": "file", "path": "lines/x.jsonl"}
    agent, words = begun(site, plant, toolsnet=SOON, station={"outlets": [{"kind": "toolsnet"}, lines]})
    agent.wait_for("x.jsonl cannot be used")
    plant.produce(3)
    words.until(
        lambda states: (states[7]["outlets"][0]["refused"] or {}).get("next_try_ms", 0) > 8000, "a pass was made"
    )
    words.assert_shown("ToolsNet refuses (code 17), next try in", on=("status", "page", "live"))
    words.assert_absent("refuses everything", "look into ToolsNet")
    plant.produce(1)
    words.until(lambda states: states[7]["parked"] == 1 and states[7]["outlets"][0]["waiting"] == 0, "it is set aside")
    words.assert_shown("1 result set aside: refused by ToolsNet, in doubt or unreadable", on=("status", "doctor"))
    (site.home / "lines").mkdir()
    site.give(site.home / "lines")
    agent.wait_for("x.jsonl takes records again")
    before = len(agent.output)
    assert agent.end() == 0
    assert "cannot be used" not in agent.output[before:], agent.output[before:]


@LONG
@shows("refuses everything that it is offered now", "look into ToolsNet: is its database there")
def test_toolsnet_that_refuses_everything_is_reported_so_and_nothing_is_set_aside(site, plants):
    plant = plants(toolsnet={"code_all": 9})
    agent, words = begun(site, plant, toolsnet=SOON)
    plant.produce(4)
    agent.wait_for("refuses everything that it is offered now (code 9)")
    words.until(lambda states: (states[7]["outlets"][0]["refused"] or {}).get("trouble"), "it is known")
    words.agree({7: Truth(toolsnet=None, waiting=4, set_aside=0)})
    words.assert_shown("refuses everything that it is offered now (code 9)", "4 waiting", on=("status", "page", "live"))
    words.assert_shown('what="refused",level="bad"} 1', on=("metrics",))
    assert words.doctor.returncode == 1 == site.run("status", "--config", words.cart).returncode
    plant.cut_toolsnet(True)
    words.until(lambda states: states[7]["outlets"][0]["why_in"] == "pim opening", "it is away")
    words.assert_shown("ToolsNet refused everything that was offered (code 9)", on=("status", "page", "live"))
    words.assert_absent("refuses everything", on=STATES)
    words.assert_shown('what="refused",level="warn"} 1', on=("metrics",))
    assert site.run("status", "--config", words.cart).returncode == 0
    plant.toolsnet.options.code_all = None
    plant.cut_toolsnet(False)
    back_s = time.monotonic()
    agent.wait_for("ToolsNet takes results again")
    assert time.monotonic() - back_s < 30
    words.until(lambda states: states[7]["backlog"] == 0, "delivered")
    words.agree({7: Truth(waiting=0, set_aside=0)})
    words.assert_absent("refuses", on=STATES)


@shows("that it had: was its database emptied or restored", "which this spool never sent")
@pytest.mark.parametrize(
    ("held", "piece"),
    [
        pytest.param(0, "ToolsNet lacks up to 6 results that it had", marks=LONG),
        (4, "ToolsNet lacks up to 2 results that it had"),
        pytest.param(40000, "ToolsNet has named result 40000 of station 7, which this spool never sent", marks=LONG),
    ],
)
def test_a_toolsnet_that_forgets_is_a_doubt_with_its_figures(site, plant, held, piece):
    agent, words = begun(site, plant, toolsnet=SOON)
    delivered(plant, 6)
    words.agree({7: Truth(waiting=0)})
    words.assert_absent("DOUBT", "ToolsNet holds", "results that it had")
    plant.toolsnet.options.reported_result = held
    plant.loop.call(plant.toolsnet.drop)
    agent.wait_for(piece)
    words.until(lambda states: states[7]["outlets"][0]["state"] == "streaming", "connected again")
    words.assert_shown(piece, on=("status", "doctor", "page", "live"))
    words.agree({7: Truth(waiting=0)})


# -- the service, its lines, its clock -------------------------------------------------------------------------------


@shows(
    "nothing is taken from a controller",
    "process {} runs for {}",
    "{} with this configuration yet",
    "the spool is in use, and no agent answers",
    "as a service.",
)
def test_an_agent_that_ends_is_missed_on_every_surface(site, plant):
    cart = site.cart(plant)
    words = Words(site, cart)
    words.assert_shown("with this configuration yet", "as a service.", on=("doctor",))
    agent = words.agent = site.begin(cart, "ToolsNet connected")
    words.again().assert_shown(f"process {agent.process.pid} runs for ", on=("doctor",))
    plant.cut_toolsnet(True)
    agent.wait_for("ToolsNet lost")
    stored(plant, 2)
    agent.process.send_signal(signal.SIGSTOP)
    words.texts.append(site.output("doctor", "--offline", "--config", cart))
    assert "the spool is in use, and no agent answers" in words.texts[-1], words.texts[-1]
    agent.process.send_signal(signal.SIGCONT)
    assert agent.end(signal.SIGKILL) == -signal.SIGKILL
    plant.cut_toolsnet(False)
    words.again().assert_shown(
        "up to 2 results wait for ToolsNet, and nothing is taken from a controller", on=("doctor",)
    )
    words.assert_shown("no agent runs here", on=("status", "page"))
    words.assert_absent("everything works", "controller ready", on=STATES)
    assert words.doctor.returncode == 1 and site.run("status", "--config", cart).returncode == 3


@shows(
    "there is no device {host}",
    "{host} is not a serial line",
    "no permission to use {host}",
    "nothing answers on {} at",
    "what comes on {} at {} baud is no answer",
    "Is the adapter plugged in?",
    "Name the adapter's device in",
    "The agent's user has to be in the group dialout",
    "Check cable, baud, parity and link",
    "Wrong baud, parity or link (ascii or 3964r)?",
)
def test_each_line_that_gives_no_session_has_its_own_reason(site):
    quiet, noisy, others = pty.openpty(), pty.openpty(), pty.openpty()
    silent, loud, closed = (os.ttyname(pair[1]) for pair in (quiet, noisy, others))
    over = threading.Event()

    def talk():
        os.set_blocking(noisy[0], False)
        while not over.wait(0.05):
            with contextlib.suppress(BlockingIOError):
                os.write(noisy[0], b"\xf0\x0f" * 20)
                os.read(noisy[0], 4096)

    try:
        lines = {
            1: ("/dev/ttyUSB97", ("there is no device /dev/ttyUSB97", "Is the adapter plugged in?")),
            2: ("/dev/zero", ("/dev/zero is not a serial line", "Name the adapter's device in controller.device")),
            3: (silent, (f"nothing answers on {silent} at 9600 baud", "Check cable, baud, parity and link")),
            4: (loud, (f"what comes on {loud} at 9600 baud is no answer", "Wrong baud, parity or link")),
        }
        if site.other_user:
            lines[5] = (closed, (f"no permission to use {closed}", "The agent's user has to be in the group"))
            os.chmod(closed, 0o600)
            site.give(silent)
            site.give(loud)
        threading.Thread(target=talk, daemon=True).start()
        side = {"link": "ascii", "baud": 9600}
        stations = [station_at(number, device=device, **side) for number, (device, _) in lines.items()]
        cart = site.cart(stations=stations)
        agent = site.begin(cart)
        words = Words(site, cart, agent)
        words.until(lambda states: all(states[number]["controller"]["why"] for number in lines), "reasons")
        for number in lines:
            agent.wait_for(f"station {number}: no controller: ")
        words.again()
        for _, pieces in lines.values():
            words.assert_shown(*pieces)
        for number in lines:
            log = words.again().now["log"]
            own = [line for line in log.splitlines() if f"station {number}: no controller" in line]
            assert len(own) == 1, own
        assert agent.end() == 0
    finally:
        over.set()
        time.sleep(0.1)
        for pair in (quiet, noisy, others):
            for one in pair:
                os.close(one)


@shows("NOT synchronised (no NTP)")
def test_a_clock_at_1970_is_ours_and_no_controllers(site, plant, tmp_path_factory):
    shift = ShiftedClock(site.folder, -int(time.time()) + 5)
    agent, words = begun(site, plant, shift.around, controller={"clock": "check"})
    assert agent.output.startswith("1970-01-01T"), agent.output
    delivered(plant, 2)
    words.agree({7: Truth(waiting=0)})
    words.assert_absent("its clock is", "clock ahead", "clock behind", "Set it there", "and was set")


@shows(
    "no result can be stored, the controller keeps them",
    "its file system is full",
    "free some room: `df -h",
    "controller left in order",
    "there is no session, as this station's own flash or disk refused a write",
    "the spool can be read and written again",
)
def test_a_full_disk_is_no_full_spool(site, plant):
    disk = FailingDisk(site.folder)
    agent, words = begun(site, plant, disk.around)
    disk.fails("write,sync", errno.ENOSPC, site.home / "7.spool")
    plant.produce(1)
    agent.wait_for("no result can be stored, the controller keeps them: its file system is full")
    words.assert_shown("its file system is full", "free some room: `df -h", on=("status", "doctor", "page"))
    words.assert_shown('what="disk",level="bad"} 1', on=("metrics",))
    words.assert_shown("there is no session, as this station's own flash or disk refused a write", on=STATES)
    words.assert_absent("the spool is full", "spool.size_kib", on=STATES)
    words.agree({7: Truth(controller=None, waiting=0)})
    assert words.doctor.returncode == 1
    disk.works()
    agent.wait_for("the spool can be read and written again")
    wait_for("nothing is lost", lambda: plant.archive.tightening_ids() == plant.controller.produced)
    words.again().agree({7: Truth(waiting=0)})
    words.assert_absent("its file system is full", on=STATES)


# -- entries of the log, in simulated time: each is made by what it says ----------------------------------------------


@dataclass
class Entry:
    """What is done once both sides stand, and what the log says of it, and does not say."""

    text: str
    do: object = None
    options: dict = field(default_factory=dict)
    never: tuple[str, ...] = ()
    ms: int = 10000


def from_controller(octets):
    return lambda cart: cart.controller.sessions[0].send(octets)


def from_toolsnet(octets):
    return lambda cart: cart.toolsnet.server_sessions[0].send(octets)


def one_more(cart):
    cart.controller.produce()


def reset(cart):
    for first_id in (1, 1):
        cart.controller.produce()
        cart.run(500)
        cart.controller.reset_ids(first_id)
    cart.controller.produce()


CLOCK = {"controller": {"clock": "set"}}
ENTRIES = (
    Entry(
        "the controller sent MID 0005, which was not asked for; it was ignored",
        lambda cart: cart.controller.sessions[0].accept(18),
    ),
    Entry(
        "a result's fields were found where its revision does not have them; told once a day",
        from_controller(bytes(frame_of(61, 3, {"pset_name": "P01 10.0\u00b10.8N.m".ljust(25).encode()})) + b"\0"),
    ),
    Entry(
        "a result that cannot be read came, 40 bytes: it is kept",
        from_controller(b"00400061001         garbagegarbage--ab  \0"),
    ),
    Entry("the controller sent octets that are no message", from_controller(b"abcdefghijklmnopqrstuvwxyz\0")),
    Entry("sent too much that is no message", from_controller(b"abcdefghijklmnopqrstuvwxyz\0" * 500)),
    Entry("the controller's tightening IDs do not go on from those known: they began again or went round", reset),
    Entry("a result came out of order by its tightening ID", reset),
    Entry(
        "the clock of the controller and ours are 100 s apart",
        options={"controller": {"clock_ahead_s": 100}, "settings": {"controller": {"clock": "check"}}},
        never=("and was set",),
    ),
    Entry(
        "the controller's clock was 100 s apart from ours and was set",
        options={"controller": {"clock_ahead_s": 100}, "settings": CLOCK},
    ),
    Entry(
        "the controller does not have a revision of MID 0001 that", options={"controller": {"start_revisions": (1,)}}
    ),
    Entry("ToolsNet's 05 named another telegram than", one_more, {"toolsnet": {"foreign_ack": True}}),
    Entry("ToolsNet sent something that is not a telegram", from_toolsnet(b"garbage!!")),
    Entry(
        "ToolsNet did not acknowledge result 2 in time; the next connection shows whether it has it",
        one_more,
        {"toolsnet": {"silent_sequences": (2,)}},
        ("result 1;",),
        20000,
    ),
    Entry(
        "the PIM names another host for the server than toolsnet.pim_host: server:10111; results are to go there",
        options={"toolsnet": {"server_host": "server"}},
        never=("results go there",),  # nothing listens there
    ),
    Entry(
        "this controller sends each result once: what is not stored", options={"controller": row_of("mt-focus-6000")}
    ),
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.text)
def test_an_entry_of_the_log_is_made_by_what_it_says(entry):
    cart, figures, texts, done = Cart(**entry.options), Figures(), [], False
    for at_ms in range(250, entry.ms, 250):
        cart.run(250)
        line = status_of(*json.loads(json.dumps(snapshot(cart.app)["stations"])))
        texts += [change.text for change in figures.feed(line, at_ms / 1000)]
        if not done and figures.all_connected():
            assert not [text for text in texts if entry.do and entry.text in text], "before it was done"
            cart.controller.produce()
            cart.run(200)
            done = True
            if entry.do:
                entry.do(cart)
    assert [text for text in texts if entry.text in text], texts
    assert not [text for text in texts for piece in entry.never if piece in text], texts


def test_missed_results_are_reported_while_they_are_fetched():
    cart = Cart(controller={"max_clients": 9}).until_ready()
    cart.controller.produce()
    cart.run(1000)
    cart.network.cut("cart0", 4545)
    for _ in range(50):
        cart.controller.produce()
    lines = []
    for condition in (lambda: missing_most(cart.station.ledger), lambda: not missing_most(cart.station.ledger)):
        cart.until(condition)
        station = snapshot(cart.app, 0)["stations"][0]
        lines.append(" ".join(" ".join(status_words.station_lines(station)).split()))
    assert "at most 50 missed results" in lines[0], lines
    assert "missed" not in lines[1]


@shows("the spool keeps the parked_kib that it was made with", "the spool keeps the graphs_kib that it was made with")
def test_size_that_a_spool_cannot_take_is_said_to_have_no_effect(site, plant):
    for kib in (64, 256):
        spool = {"path": "7.spool", "parked_kib": kib, "graphs_kib": 2 * kib}
        agent, words = begun(site, plant, station={"spool": spool})
        if kib == 64:
            words.assert_absent("has no effect")
        assert agent.end() == 0
