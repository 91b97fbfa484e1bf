"""Two outlets of one kind are told apart by their names wherever a station is shown, and each thing is said once."""

from html import unescape

import pytest

pytest.importorskip("textual")
pytest.importorskip("starlette")

from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as words
from toolcart.tools.web import page
from host_tests.support.agent_lines import status_of
from host_tests.tools.messages.test_one_truth import of_doctor, of_live_view, of_metrics, reported_station, started

NAMES = ("main", "backup")


def station(**changed):
    """A station with two MQTT outlets that go to one broker; both changed like that."""
    reported = reported_station(started())
    mqtt = {
        "kind": "mqtt",
        "durable": True,
        "waiting": 3,
        "is_up": True,
        "why": "",
        "state": "up",
        "place": "mqtt://b:1",
    }
    mqtt |= {"host": "b", "port": 1, "left_out": None, "lacks": 0, "next_try_ms": 0, "why_code": 0, "why_in": ""}
    reported["outlets"] += [{**mqtt, "name": name, **changed} for name in NAMES]
    reported["outlets"][0]["name"] = "plant"
    return reported


def ways(reported):
    lines, findings, screen = words.station_lines(reported), of_doctor(reported), of_live_view(reported)
    return {
        "status": "\n".join(lines),
        "doctor": "\n".join(one["words"] for one in findings),
        "page": unescape(page.row(reported)),
        "screen": screen,
        "log": "\n".join(change.text for change in Figures().feed(status_of(reported), 0.0)),
    }


def test_each_outlet_that_cannot_be_used_is_reported_by_its_name():
    for where, text in ways(station(is_up=False, why="refused", why_code=111, state="closed")).items():
        for name in NAMES:
            assert f"MQTT {name} at mqtt://b:1 cannot be used" in " ".join(text.split()), (where, text)


def test_each_outlet_that_was_added_is_reported_once_in_the_log():
    figures, reported = Figures(), station(left_out=0)
    texts = [change.text for _ in range(4) for change in figures.feed(status_of(reported), 0.0)]
    for name in NAMES:
        assert len([text for text in texts if text.startswith(f"MQTT {name} was added with this start")]) == 1


@pytest.mark.parametrize("changed", [{}, {"left_out": 0}, {"is_up": False, "why": "refused", "state": "closed"}])
def test_no_figure_of_the_metrics_comes_twice(changed):
    samples = [line.rpartition(" ")[0] for line in of_metrics(station(**changed)).splitlines() if line[0] != "#"]
    assert len(samples) == len(set(samples))
    for name in (*NAMES, "plant"):
        assert any(one.startswith("toolcart_outlet_waiting") and f'outlet="{name}"' in one for one in samples)
        assert any(one.startswith("toolcart_connected") and f'side="{name}"' in one for one in samples)
    assert any(one.startswith("toolcart_connects_total") and 'side="plant"' in one for one in samples)


def test_an_outlet_that_is_up_again_is_reported_by_its_name():
    figures = Figures()
    figures.feed(status_of(station(is_up=False, why="refused", why_code=111, state="closed")), 0.0)
    texts = [change.text for change in figures.feed(status_of(station(waiting=0)), 1.0)]
    for name in NAMES:
        assert f"MQTT {name} at mqtt://b:1 takes records again" in texts
    assert not attention.unusable_connections(station())


def webhook_station(**changed):
    """A station whose first outlet is ToolsNet, with a webhook beside it."""
    reported = reported_station(started())
    hook = {"kind": "webhook", "name": "webhook", "durable": True, "waiting": 0, "is_up": True, "why": "", "lacks": 0}
    hook |= {"state": "not tried yet", "place": "http://h/", "left_out": None, "next_try_ms": 0, "batches_sent": 0}
    reported["outlets"].append({**hook, **changed})
    return reported


def test_a_webhook_that_was_sent_nothing_takes_nothing_again_until_it_has():
    figures = Figures()
    why = {"is_up": False, "state": "not started", "why": "token: no such file"}
    texts = [change.text for change in figures.feed(status_of(webhook_station(**why)), 0.0)]
    assert any("token: no such file" in text for text in texts)
    texts = [change.text for change in figures.feed(status_of(webhook_station()), 1.0)]
    assert not any("takes records again" in text for text in texts)
    texts = [change.text for change in figures.feed(status_of(webhook_station(batches_sent=1, state="idle")), 2.0)]
    assert "http://h/ takes records again" in texts


def test_doctor_says_of_each_webhook_that_was_not_tried_that_nothing_is_proven():
    [finding] = [one for one in of_doctor(webhook_station()) if "webhook" in one["what"]]
    assert "nothing is proven" in finding["words"] and finding["figures"] == {"is_proven": False}
    assert not [one for one in of_doctor(webhook_station(batches_sent=1)) if "nothing is proven" in one["words"]]
