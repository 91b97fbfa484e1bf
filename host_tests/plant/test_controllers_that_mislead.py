"""Installed agents at controllers that stop pushing, share IDs, close, or have headers of their own: what is said."""

import contextlib
import signal
import socket
import threading

import pytest

from toolcart.sim.profiles import profile_options
from host_tests.support.peers import Peer
from host_tests.support.running import station_at, wait_for

pytestmark = pytest.mark.usefixtures("hasty")


def is_subscribed(plant):
    return plant.loop.call(lambda: any(one.result_revision for one in plant.controller.sessions))


def at_toolsnet(plant, count, before=()):
    """Have so many results made, and wait until they are at ToolsNet with those `before`; all of their IDs."""
    made = [*before, *plant.produce(count)]
    arrived = plant.archive.tightening_ids
    wait_for(lambda: f"made {made}, at ToolsNet {arrived()}", lambda: sorted(arrived()) == sorted(made))
    assert plant.complaints() == []
    return made


def begun(site, plant, **settings):
    cart = site.cart(plant, controller=settings)
    return cart, site.begin(cart, "controller ready")


def doctor(site, plant, code=None, **settings):
    """What doctor says of this plant's controller, with these settings."""
    return site.output("doctor", "--config", site.cart(plant, controller=settings), code=code)


@pytest.mark.long("the stall takes its time")
def test_subscription_that_ended_is_found_and_reported_after_stall_and_refused_answers(site, plants):
    plant = plants({"gives_up": "unsubscribes", "ack_timeout_ms": 400, "resends": 2, "silence_ms": 60000})
    cart, agent = begun(site, plant)
    made = at_toolsnet(plant, 2)
    agent.process.send_signal(signal.SIGSTOP)
    made += plant.produce(1)
    wait_for("the controller gives up", lambda: not is_subscribed(plant))
    agent.process.send_signal(signal.SIGCONT)
    made = at_toolsnet(plant, 3, made)
    agent.wait_for("the controller had stopped pushing results while connected: what it did not push")
    wait_for("it pushes again", lambda: is_subscribed(plant))
    plant.controller.options.ack_refusal_code = 19
    made += plant.produce(1)
    agent.wait_for("rejected MID 0062")
    wait_for("the controller gives up", lambda: not is_subscribed(plant))
    plant.controller.options.ack_refusal_code = 0
    made = at_toolsnet(plant, 2, made)
    wait_for("it pushes again", lambda: is_subscribed(plant))
    at_toolsnet(plant, 1, made)
    words = "2 times since the start the controller stopped pushing results while connected"
    assert words in site.output("status", "--config", cart)
    assert words in site.output("doctor", "--config", cart)
    assert "not asked for" not in agent.output and "mean other results" not in agent.output
    assert agent.end() == 0 and plant.controller.connections == 3


def test_shared_ids_are_found_by_answers_whatever_the_version(site, plants):
    options = profile_options("power-focus-6000-3.6", answers_below=True, shares_ids=True, elsewhere=2, slot_kept_ms=0)
    plant = plants(options)
    cart, agent = begun(site, plant)
    made = at_toolsnet(plant, 2)
    for _ in range(2):
        plant.cut_controller(True)
        made += plant.produce(3)
        plant.cut_controller(False)
        at_toolsnet(plant, 0, made)
    output = site.output("status", "--config", cart)
    assert "PASSED OVER" in output and 'set controller.tightening_ids to "own"' in output
    agent.wait_for("since MID 0065 names another station")
    assert "not asked for" not in agent.output
    assert agent.end() == 0
    assert "all its stations share the tightening IDs" in doctor(site, plant)
    assert "results of other stations are taken for its own now" in doctor(site, plant, 1, tightening_ids="own")


@pytest.mark.parametrize("how", ["said", "kept"])
def test_ids_that_are_one_too_high_store_nothing_twice(site, plants, how):
    plant = plants({"ids_higher": how})
    _, agent = begun(site, plant)
    made = at_toolsnet(plant, 3)
    for missed in (0, 2):
        plant.cut_controller(True)
        made += plant.produce(missed)
        plant.cut_controller(False)
        wait_for("the subscription", lambda: is_subscribed(plant))  # only a push shows that the IDs are off
        made = at_toolsnet(plant, 1, made)
    agent.wait_for("answers MID 0064 with tightening IDs that are off by 1")
    assert "mean other results" not in agent.output and agent.end() == 0
    assert plant.account()["repeated"] == 0


ENDS_MS = (-1, 0, 60, 400)  # in place of the 0004, with it, while the next one is asked for, in the session that stands
REVISIONS = {"result_revisions": [999, 3, 2, 1]}
MADE = 3
CLIENT = "Is another client connected"
STARTS = "The other revisions in controller.start_revisions are tried next"


def _refusing(ends_ms):
    """Controllers that reject at one step each: its name, options, and what is told of the code that comes."""
    code97 = "rejected MID 0001: 0004 with code 97 (MID revision unsupported)"
    code79 = "rejected MID 0001: 0004 with code 79 (command failed)"
    return {
        "knows revision 1": ({"start_revisions": (1,), "ends_refused": {1: ends_ms}}, code97),
        "knows revision 3": ({"start_revisions": (3,), "start_refusal_code": 79, "ends_refused": {1: ends_ms}}, code79),
        "results in 1": (
            {"result_revisions": (1,), "ends_refused": {60: ends_ms}},
            "rejected MID 0060: 0004 with code 97",
        ),
        "by 1201": (
            profile_options("stepsync", ends_refused={60: ends_ms, 8: ends_ms}),
            "rejected MID 0060: 0004 with code 99 (unknown MID)",
        ),
        "no tool": ({"unknown_mids": (40,), "ends_refused": {40: ends_ms}}, ""),
    }


def cart_at(site, made):
    """The configuration of a cart with a station at each of these plants."""
    ports = enumerate((plant.controller_port for plant in made), 1)
    return site.cart(made[0], stations=[station_at(number, port, size_kib=256, **REVISIONS) for number, port in ports])


def test_each_refusing_controller_gets_its_session_and_its_code_is_the_reason(site, plants):
    named = {f"{name}, {ends_ms} ms": made for ends_ms in ENDS_MS for name, made in _refusing(ends_ms).items()}
    made = [plants(options) for options, _ in named.values()]
    cart = cart_at(site, made)
    slow = list(named).index("knows revision 1, 0 ms")
    agent = site.begin(cart, *[f"station {number}: controller ready" for number in range(1, len(made) + 1)])
    wait_for("no session ends any more", lambda: _are_steady(site, cart, len(made)))
    connections = [plant.controller.connections for plant in made]
    for plant in made:
        plant.produce(MADE)
    wait_for("all at ToolsNet", lambda: len(made[0].archive.tightening_ids()) >= MADE * len(made))
    assert [plant.controller.connections for plant in made] == connections
    site.output("status", "--config", cart, code=0)
    assert agent.end() == 0
    for number, (name, (options, reason)) in enumerate(named.items(), 1):
        lines = [line for line in agent.output.splitlines() if f"station {number}: no controller: " in line]
        ends_ms = next(iter(options["ends_refused"].values()))
        if number == slow + 1:
            assert any(f"{reason}. {STARTS}" in line for line in lines), (name, lines)
        assert ends_ms < 0 or not any(CLIENT in line for line in lines), (name, lines)
        assert ends_ms >= 0 or not any("0004" in line for line in lines), (name, lines)
        assert all(reason in line for line in lines if "0004" in line), (name, lines)
        assert made[number - 1].complaints() == [], name


def _are_steady(site, cart, count):
    output = site.run("status", "--config", cart).stdout
    return output.count("controller  ready") == count


BUSY = "Another program holds its connection"
# Options of a controller that gives no session, what is told of it, and what doctor finds.
WITHOUT_SESSION = (
    (
        {"start_revisions": (7,), "ends_refused": {1: 0}, "start_refusal_code": 98},
        ("accepts no revision of MID 0001 that is offered: 0004 with code 98", "Offer others in"),
        ("5: Controller internal request timeout", "Offer others in controller.start_revisions"),
    ),
    (
        {"start_revisions": (7,), "ends_refused": {1: -1}},
        ("closed the connection before a session was established", CLIENT),
        ("5: it closes the connection, 6: it closes the connection", CLIENT),
    ),
    (
        {"max_clients": 0},
        ("has no room for another client: 0004 to MID 0001 with code 96", BUSY),
        ("5: Reject connection, Client already connected", BUSY),
    ),
    (
        {"max_clients": 0, "busy_code": 16, "ends_refused": {1: 0}},
        ("has no room for another client: 0004 to MID 0001 with code 16", BUSY),
        ("5: Connection rejected, protocol busy", BUSY),
    ),
    (
        {"result_revisions": (), "ends_refused": {60: 0}, "unknown_mids": (8, 100, 105)},
        ("accepts no subscription to results, by MID 0060 or another: 0004 to MID 0", "part of its licence"),
        ("by revision of MID 0060: 999: 97 (MID revision unsupported), 3: 97", "result_revisions?"),
    ),
)


@pytest.mark.long("several controllers, each given up")
def test_what_is_reported_of_controller_without_a_session_is_what_it_answered(site, plants):
    made = [plants(options) for options, _, _ in WITHOUT_SESSION]
    cart = cart_at(site, made)
    agent = site.begin(cart, *[reason[0] for _, reason, _ in WITHOUT_SESSION])
    parts = site.output("status", "--config", cart).split("\nstation ")[1:]
    for part, (options, (words, hint), _) in zip(parts, WITHOUT_SESSION, strict=True):
        assert words in part and hint in part and "controller  ready" not in part, (options, part)
    assert [plant.controller.messages.get(60, 0) for plant in made[:4]] == [0] * 4
    assert agent.end() == 0
    examined = site.output("doctor", "--config", cart, code=1)
    for number, (options, _, (words, hint)) in enumerate(WITHOUT_SESSION, 1):
        part = examined.partition(f"station {number} controller")[2].split(f"station {number} server")[0]
        assert words.lower() in part.lower() and hint in part, (options, part)
    assert agent.output.count(CLIENT) == 1


@pytest.mark.parametrize(
    ("name", "spindle"),
    [pytest.param("op-ford", 0, marks=pytest.mark.long("another spindle")), ("op-ford", 7), ("op-bmw", 42)],
)
def test_results_of_any_spindle_come_live_and_from_an_outage(site, plants, name, spindle):
    plant = plants(profile_options(name, spindle="%02d" % spindle))
    settings = {"header": name, "spindle_id": spindle or None}
    _, agent = begun(site, plant, **settings)
    made = at_toolsnet(plant, 3)
    plant.cut_controller(True)
    made += plant.produce(4)
    plant.cut_controller(False)
    at_toolsnet(plant, 0, made)
    assert agent.end() == 0
    output = doctor(site, plant, **settings)
    assert "answers MID 0001 in revision 2" in output and "results are pushed in revision 999" in output, output
    assert plant.complaints() == []


def test_doctor_names_the_header_that_a_controller_has(site, plants):
    for spindle in ("00", "07", "42"):
        plant = plants(profile_options("op-ford", spindle=spindle))
        assert 'Set controller.header to "op-ford" or "op-bmw"' in doctor(site, plant, 1)
    for name in ("power-focus-4000", "minimal"):
        plant = plants(profile_options(name))
        assert 'or set it to "standard"' in doctor(site, plant, 1, header="op-ford")
        assert "controller.header" not in doctor(site, plant)


def hears_one_header(port, is_own, is_silent):
    """What a Peer does in front of a controller that is silent to the other header, or closes, and says no code."""

    def behave(sock):
        octets = sock.recv(4096)
        while is_silent and octets and not is_own(octets):
            octets = sock.recv(4096)
        if not is_own(octets):
            return
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(octets)
            back = threading.Thread(target=passed_on, args=(other, sock), daemon=True)
            back.start()
            passed_on(sock, other)
            back.join(10)

    return behave


def passed_on(one, other):
    with contextlib.suppress(OSError):
        while octets := one.recv(4096):
            other.sendall(octets)
        other.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    "is_silent", [pytest.param(True, id="silent", marks=pytest.mark.long("silence")), pytest.param(False, id="closes")]
)
@pytest.mark.parametrize(
    "name,other,hint",
    [
        ("op-ford", "standard", 'Set controller.header to "op-ford" or "op-bmw"'),
        ("minimal", "op-bmw", 'or set it to "standard"'),
    ],
)
def test_doctor_tries_the_other_header_where_nothing_is_answered(site, plants, name, other, hint, is_silent):
    def is_own(telegram):  # behind MID and the first five digits a standard header has a blank or more digits of parts
        return telegram[11:13].isdigit() == (name == "op-ford")

    plant = plants(profile_options(name))
    with Peer(hears_one_header(plant.controller_port, is_own, is_silent)) as peer:
        output = doctor(site, plant, 1, port=peer.port, header=other)
        assert "it answers only where controller.header is another" in output and hint in output, output
        assert "it answers only where" not in doctor(site, plant, port=peer.port, header=name)
        assert plant.complaints() == []


def test_ask_and_decode_read_such_a_header(site, plants):
    plant = plants(profile_options("op-bmw", spindle="07"))
    plant.produce(2)
    place = f"127.0.0.1:{plant.controller_port}"
    words = ("64", "tightening_id=2", "--header", "op-bmw", "--spindle", 7)
    assert "MID 0065" in site.output("ask", place, *words, code=0) and plant.complaints() == []
    frame = "0024" + "0005" + "07" + "001" + "0000000" + "0060"
    output = site.output("decode", site.write("seen.log", f"{frame}\n"), "--header", "op-ford", code=0)
    assert "revision 1" in output and "spindle 7" in output and "mid_accepted  60" in output, output


@pytest.mark.long("refusals until the agent gives up")
def test_results_are_kept_where_their_acknowledgements_are_rejected(site, plants):
    plant = plants(profile_options("op-ford", ack_refusal_code=99))
    _, agent = begun(site, plant, header="op-ford")
    at_toolsnet(plant, 2)
    agent.wait_for("rejected MID 0062")
    assert agent.end() == 0 and plant.account()["repeated"] == 0
