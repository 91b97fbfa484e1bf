"""What is said of missed results holds: no voice names fewer than are fetched then (toolcart.tools.messages)."""

import json
import re
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

pytest.importorskip("textual")

from toolcart.agent.cart.status import snapshot
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.doctor import commands as doctor
from toolcart.tools.doctor.finding import Finding
from toolcart.tools.live import panels
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import missed_results
from toolcart.tools.messages import status as words
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.running import cart_of, run_agent, written
from lab.harness.cart import Cart

MISSED = 38


def voices(station):
    """The sentence about missed results in the status, in the live view and in what doctor says."""
    return [
        " ".join(" ".join(words.problem_lines(station)).split()),
        " ".join(str(panels.links(station, {}, True, (200, 40))).split()),
        " ".join(line for finding in doctor._status_findings(station) for line in finding.lines()),
    ]


def missed_twice(first):
    """A cart that was cut off again with `first` results to fetch, and more have been made since."""
    cart = Cart(controller={"max_clients": 9}).until_ready()
    cart.controller.produce()
    cart.run(1000)
    cart.network.cut("cart0", 4545)
    for _ in range(MISSED):
        cart.controller.produce()
    cart.until(lambda: 0 < missing_most(cart.station.ledger) <= first)
    cart.network.cut("cart0", 4545)
    cart.run(100)
    for _ in range(MISSED):
        cart.controller.produce()
    return cart


@pytest.mark.parametrize("every", [1, 9])
@pytest.mark.parametrize("first", [20, MISSED])
def test_a_number_is_never_less_than_what_is_fetched_then(first, every):
    """Looked at after each step of the agent, or each ninth: a simulated network needs no time."""
    cart, figures = missed_twice(first), Figures()
    said, steps = [], 0

    def over():
        nonlocal steps
        steps += 1
        if steps % every and not _is_over(cart):
            return False
        station = json.loads(json.dumps(snapshot(cart.app, 0)["stations"][0]))
        texts = [change.text for change in figures.feed(status_of(station), steps / 1000)]
        for text in [*texts, *voices(station)]:
            for count in re.findall(r"(\d+) missed results? left in the controller", text):
                said.append((int(count), station["stored"], text))
            assert "fetching up to" not in text and "to fetch" not in text
        return _is_over(cart)

    cart.until(over)
    stored = 1 + 2 * MISSED
    assert said and all(stored - then <= count for count, then, _ in said), said


def _is_over(cart):
    return snapshot(cart.app, 0)["stations"][0]["stored"] == 1 + 2 * MISSED and not missing_most(cart.station.ledger)


@pytest.mark.parametrize("phase", ["idle", "asking for the newest", "walking back", "writing down"])
@pytest.mark.parametrize("state", ["closed", "ready"])
def test_before_the_controller_was_asked_there_may_be_more(phase, state):
    recovery = {"phase": phase, "open_ids": 5, "gone": 0, "epoch": 0}
    controller = {"host": "10.0.0.1", "port": 4545, "state": state, "why": "", "why_in": ""}
    station, figures = healthy_station(recovery=recovery, controller=controller), Figures()
    assert "missing at most 5 missed results from before, and what the controller has made since" in voices(station)[0]
    assert not [change for change in figures.feed(status_of(station), 1.0) if "missed" in change.text]


def test_what_is_not_fetched_is_said_so():
    recovery = {"phase": "off", "off": "controller", "open_ids": 1, "gone": 0, "epoch": 0}
    texts = [change.text for change in Figures().feed(status_of(healthy_station(recovery=recovery)), 1.0)]
    assert "missing: at most 1 missed result so far, not fetched now" in texts, texts


def test_ids_that_jump_ahead_are_told_as_missing_and_not_as_begun_again(tmp_path):
    told = Figures()
    texts = []
    with SimulatedPlant(first_id=3271) as plant:
        phase = []

        def goes_on(_agent, lines):
            for line in lines[-1:]:
                if line["kind"] != "status" or line is (phase and phase[-1]):
                    continue
                texts.extend(change.text for change in told.feed(line, 0.0))
                station = line["stations"][0]
                if not phase and station["mounted"] and station["controller"]["state"] == "ready":
                    plant.produce(1)
                    phase.append(line)
                elif len(phase) == 1 and station["stored"] == 1:
                    plant.loop.call(lambda: plant.controller.jump_ids(496729))
                    plant.produce(1)
                    phase.append(line)
            return not any("may be gone" in text for text in texts)

        run_agent(written(tmp_path, cart_of(plant)), goes_on)
    assert not [text for text in texts if "again" in text]
    assert [text for text in texts if text.startswith("496729 results may be gone")], texts


@pytest.mark.parametrize("off", ["", "in vain", "pause"])
def test_doctor_says_how_many_are_missed_as_status_does_and_that_not_everything_works(off, monkeypatch):
    recovery = {"phase": "filling", "off": off, "open_ids": 36, "gone": 0, "epoch": 0}
    station = healthy_station(recovery=recovery)
    missed = missed_results.of_station(station)
    (finding,) = [one for one in doctor._status_findings(station) if one.figures.get("open_ids")]
    assert finding.subject == f"station 1 {missed.label}" and finding.words == missed.words
    assert finding.figures == {"open_ids": 36}
    assert finding.verdict == ("warn" if off else "note")
    for findings, last in (
        ([finding, finding], "what was tried works, at most 72 results are missed"),
        ([], "everything works"),
    ):
        ran = [Finding("agent", "good", "runs"), *findings]
        monkeypatch.setattr(doctor, "examine", lambda *given, ran=ran: ran)
        monkeypatch.setattr(doctor, "_read", lambda path: SimpleNamespace(configuration={}))
        said = CliRunner().invoke(doctor.doctor, ["--config", "c.json"])
        assert said.exit_code == 0 and said.output.splitlines()[-1].startswith(last), said.output
