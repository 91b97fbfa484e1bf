"""`toolcart doctor`: many stations side by side, and what a controller gives beside results."""

import threading
import time

import pytest

from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.profiles import profile_options
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.doctor import commands as together
from toolcart.tools.doctor import controller, extras, toolsnet
from toolcart.tools.doctor.finding import GOOD, WARN, Finding
from host_tests.support.running import cart_of, station_at
from host_tests.tools.command.test_doctor import _controller_findings, _examined, _of, quick  # noqa: F401 - a fixture


def _many(count, **shared):
    """A file of so many stations; each has a port of its own unless one is given."""
    return cart_of(stations=[station_at(number, **{"port": 5000 + number, **shared}) for number in range(1, count + 1)])


def test_stations_are_asked_at_once_and_reported_in_their_order(tmp_path, monkeypatch):
    all_there = threading.Barrier(together.AT_ONCE)
    under_way, most = [], []

    def ask(name, *_):
        under_way.append(name)
        most.append(len(under_way))
        if int(name.split()[1]) <= together.AT_ONCE:
            all_there.wait(20)
            time.sleep(0.01 * (together.AT_ONCE - int(name.split()[1])))  # the last one is ready first
        under_way.remove(name)
        return [Finding(f"{name} controller", GOOD, "asked")]

    monkeypatch.setattr(controller, "over_tcp", ask)
    monkeypatch.setattr(toolsnet, "examine", lambda name, *_: [Finding(f"{name} PIM", GOOD, "asked")])
    code, findings = _examined(tmp_path, _many(together.AT_ONCE + 3))
    order = [one["what"] for one in findings if one["words"] == "asked"]
    numbers = range(1, together.AT_ONCE + 4)
    assert code == 0 and order == [f"station {n} {what}" for n in numbers for what in ("controller", "PIM")]
    assert max(most) == together.AT_ONCE


def test_stations_of_one_controller_are_asked_one_after_the_other(tmp_path, monkeypatch):
    under_way = threading.Lock()

    def ask(name, *_):
        assert under_way.acquire(blocking=False), "two at once"
        time.sleep(0.02)
        under_way.release()
        return [Finding(f"{name} controller", GOOD, "asked")]

    monkeypatch.setattr(controller, "over_tcp", ask)
    monkeypatch.setattr(toolsnet, "examine", lambda *_: [])
    tree = _many(3, port=5000)
    for station in tree["stations"]:
        station["controller"]["station_id"] = station["number"]
    code, findings = _examined(tmp_path, tree)
    assert code == 0 and len(_of(findings, "controller")) == 3, findings


def test_what_goes_wrong_in_asking_is_not_kept_quiet(monkeypatch):
    monkeypatch.setattr(together, "_controller_address", lambda station: station["number"])
    monkeypatch.setattr(together, "_one_station", lambda _, station, *_more: [1 // (2 - station["number"])])
    progress = together._all_stations(_many(2), "cart.json")
    assert next(progress) == 1
    with pytest.raises(ZeroDivisionError):
        next(progress)


# -- beside results -----------------------------------------------------------------------------------------------

ALL = frozenset(("alarms", "pset", "job", "vin", "curves"))


def _event_findings(options, wants=ALL):
    """What is told of it, each MID that it was asked, and its complaints."""
    requests = []

    class Noted(controller.Asking):
        def ask(self, frame, watch_s=0):
            requests.append(frame[4:8] + (b" " + frame[20:24] if frame[4:8] in (b"0008", b"0009") else b""))
            return super().ask(frame, watch_s)

    with SimulatedPlant(controller_options=options) as plant, pytest.MonkeyPatch.context() as patch:
        plant.produce(1)
        patch.setattr(controller, "Asking", Noted)
        findings = _controller_findings(
            plant.controller_port, [6, 5, 1], wants, result_revisions=[1], traces=["torque"]
        )
        extra_findings = [one for one in findings if "beside results" in one.words or "asks for" in one.words]
        return extra_findings, requests, plant.complaints()


@pytest.mark.parametrize(
    ("profile", "wants", "words"),
    [
        ("power-focus-4000", set(), ["it reports alarms, parameter sets, jobs and VINs beside results"]),
        ("power-focus-6000-3.6", {"alarms"}, ["it reports alarms, parameter sets, jobs and VINs beside results"]),
        ("mt-focus-6000", {"pset"}, ["it reports alarms, parameter sets and jobs beside results; no VINs (MID 0051)"]),
        (
            "minimal",
            {"alarms", "curves"},
            [
                "it reports nothing beside results; "
                "no parameter sets (MID 0014), jobs (MID 0034) and no VINs (MID 0051)",
                "the configuration asks for alarms (MID 0070) and curves (MID 0008 for 0900): it gives none",
            ],
        ),
    ],
)
def test_what_a_controller_gives_beside_results_is_reported(profile, wants, words):
    findings, requests, complaints = _event_findings(ControllerOptions(**profile_options(profile)), frozenset(wants))
    words = [text.replace(")", ": code 99 (unknown MID))") for text in words]
    assert [one.words for one in findings] == words and complaints == []
    assert [one.verdict for one in findings[1:]] == [WARN] * (len(words) - 1)
    assert (b"0008 0900" in requests) == ("curves" in wants), "curves have exhausted a controller"


def test_what_is_asked_for_beside_results_is_ended_again():
    findings, requests, complaints = _event_findings(ControllerOptions(traces=(1, 2)))
    assert [one.verdict for one in findings] == [GOOD] and "and curves beside" in findings[0].words and complaints == []
    assert findings[0].figures == {"alarms": 2, "pset": 2, "job": 5, "vin": 2, "curves": 1}
    ends = (b"0073", b"0017", b"0037", b"0054", b"0009 0900")
    assert [mid for mid in requests if mid in ends] == list(ends)


def test_a_subscription_of_another_client_is_left_alone():
    findings, requests, _ = _event_findings(ControllerOptions(refuse={70: 11, 34: 18}))
    assert "it reports alarms, parameter sets, jobs" in findings[0].words, findings
    assert b"0073" not in requests and b"0037" not in requests and b"0017" in requests


def test_a_controller_that_leaves_a_question_open_is_asked_the_others():
    findings, _, _ = _event_findings(ControllerOptions(refuse={34: None}), frozenset(("job",)))
    assert findings[0].words == "it reports alarms, parameter sets and VINs beside results"
    assert findings[1].words == "the configuration asks for jobs (MID 0034 is not answered): it gives none"
    assert "controller.events" in findings[1].hint


def test_what_the_agent_would_ask_for_is_wanted():
    control = {"events": ("alarms", "job"), "traces": None}
    tree = {"toolsnet": {"events": None}}
    toolsnet_only, with_file = [{"kind": "toolsnet"}], [{"kind": "toolsnet"}, {"kind": "file"}]
    assert extras.wanted(tree, {"controller": control, "outlets": toolsnet_only}) == set()
    assert extras.wanted(tree, {"controller": control, "outlets": with_file}) == {"alarms", "job"}
    configuration = {"toolsnet": {"events": ("gone",)}}
    curves = {"controller": {**control, "traces": ("torque",)}, "outlets": toolsnet_only}
    assert extras.wanted(configuration, curves) == {"alarms", "job", "curves"} and extras.wanted(tree, curves) == {
        "curves"
    }
