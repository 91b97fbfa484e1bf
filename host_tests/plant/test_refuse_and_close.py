"""Controllers that reject what a session begins with and end the connection: sessions, and words that are true."""

from contextlib import ExitStack

import pytest

from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.profiles import row
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for

pytestmark = pytest.mark.usefixtures("hasty")

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
            row("stepsync", ends_refused={60: ends_ms, 8: ends_ms}),
            "rejected MID 0060: 0004 with code 99 (unknown MID)",
        ),
        "no tool": ({"unknown_mids": (40,), "ends_refused": {40: ends_ms}}, ""),
    }


def _stations(plants):
    return [
        {
            "number": number,
            "controller": {"host": "127.0.0.1", "port": plant.controller_port, **REVISIONS},
            "spool": {"path": f"{number}.spool", "size_kib": 256},
        }
        for number, plant in enumerate(plants, 1)
    ]


def _plants(stack, options):
    return [stack.enter_context(SimulatedPlant(controller_options=ControllerOptions(**one))) for one in options]


def test_each_refusing_controller_gets_its_session_and_its_code_is_the_reason(site):
    named = {f"{name}, {ends_ms} ms": made for ends_ms in ENDS_MS for name, made in _refusing(ends_ms).items()}
    with ExitStack() as stack:
        plants = _plants(stack, [options for options, _ in named.values()])
        stations = _stations(plants)
        slow = list(named).index("knows revision 1, 0 ms")
        cart = site.cart(plants[0], stations=stations)
        agent = site.start("run", "--plain", "--config", cart)
        for number in range(1, len(plants) + 1):
            agent.wait_for(f"station {number}: controller ready")
        wait_for("no session ends any more", lambda: _are_steady(site, cart, len(plants)))
        connections = [plant.controller.connections for plant in plants]
        for plant in plants:
            plant.produce(MADE)
        wait_for("all at ToolsNet", lambda: len(plants[0].archive.tightening_ids()) >= MADE * len(plants))
        assert [plant.controller.connections for plant in plants] == connections
        assert site.run("status", "--config", cart).returncode == 0
        assert agent.end() == 0
    for number, (name, (options, told)) in enumerate(named.items(), 1):
        lines = [line for line in agent.said.splitlines() if f"station {number}: no controller: " in line]
        ends_ms = next(iter(options["ends_refused"].values()))
        if number == slow + 1:
            assert any(f"{told}. {STARTS}" in line for line in lines), (name, lines)
        assert ends_ms < 0 or not any(CLIENT in line for line in lines), (name, lines)
        assert ends_ms >= 0 or not any("0004" in line for line in lines), (name, lines)
        assert all(told in line for line in lines if "0004" in line), (name, lines)
        assert plants[number - 1].complaints() == [], name


def _are_steady(site, cart, count):
    told = site.run("status", "--config", cart).stdout
    return told.count("controller  ready") == count


@pytest.mark.long("several controllers, each given up")
def test_what_is_told_of_controller_without_a_session_is_what_it_said(site):
    options = {
        "accepts none of ours": {"start_revisions": (7,), "ends_refused": {1: 0}, "start_refusal_code": 98},
        "says nothing": {"start_revisions": (7,), "ends_refused": {1: -1}},
        "is occupied": {"max_clients": 0},
        "is occupied and closes": {"max_clients": 0, "busy_code": 16, "ends_refused": {1: 0}},
        "has no results": {"result_revisions": (), "ends_refused": {60: 0}, "unknown_mids": (8, 100, 105)},
    }
    told = {
        "accepts none of ours": (
            "accepts no revision of MID 0001 that is offered: 0004 with code 98",
            "Offer others in",
        ),
        "says nothing": ("closed the connection before a session was established", CLIENT),
        "is occupied": ("has no room for another client: 0004 to MID 0001 with code 96", "Another program holds its"),
        "is occupied and closes": ("has no room for another client: 0004 to MID 0001 with code 16", "Another program"),
        "has no results": (
            "accepts no subscription to results, by MID 0060 or another: 0004 to MID 0",
            "part of its licence",
        ),
    }
    examined = {
        "accepts none of ours": (
            "5: Controller internal request timeout",
            "Offer others in controller.start_revisions",
        ),
        "says nothing": ("5: it closes the connection, 6: it closes the connection", CLIENT),
        "is occupied": ("5: Reject connection, Client already connected", "Another program holds its connection"),
        "is occupied and closes": ("5: Connection rejected, protocol busy", "Another program holds its connection"),
        "has no results": ("by revision of MID 0060: 999: 97 (MID revision unsupported), 3: 97", "result_revisions?"),
    }
    with ExitStack() as stack:
        plants = _plants(stack, options.values())
        cart = site.cart(plants[0], stations=_stations(plants))
        agent = site.start("run", "--plain", "--config", cart)
        for words, _ in told.values():
            agent.wait_for(words)
        status = site.run("status", "--config", cart)
        parts = status.stdout.split("\nstation ")[1:]
        for part, (name, (words, hint)) in zip(parts, told.items(), strict=True):
            assert words in part and hint in part, (name, part)
            assert "controller  ready" not in part
        assert [plant.controller.messages.get(60, 0) for plant in plants[:4]] == [0] * 4
        assert agent.end() == 0
        said = agent.said
        doctor = site.run("doctor", "--config", cart)
        assert doctor.returncode == 1
        for number, (name, (words, hint)) in enumerate(examined.items(), 1):
            first = f"station {number} controller"
            part = doctor.stdout[doctor.stdout.index(first) :].split(f"station {number} server")[0]
            assert words.lower() in part.lower() and hint in part, (name, part)
    assert said.count(CLIENT) == 1
