"""Worlds with a broker or a webhook beside ToolsNet: both promises hold; an outlet that trusts too early is found."""

import json

import pytest

from toolcart.agent.linux import webhook
from toolcart.agent.outlets.mqtt import Mqtt
from host_tests.lab.worlds.test_worlds import failures
from host_tests.portable import LONG
from lab.worlds.script import BESIDE, SHAPE_ODDS, draw
from lab.worlds.world_run import run

BESIDE_WORLDS = 400 if LONG else 3
BESIDE_SLICES = 2


@pytest.mark.parametrize("shape", BESIDE)
@pytest.mark.parametrize("slice_", range(BESIDE_SLICES))
def test_toolsnet_and_the_consumer_have_what_was_acknowledged(shape, slice_):
    assert failures(range(1 + slice_, 1 + BESIDE_WORLDS, BESIDE_SLICES), shape) == {}


@pytest.mark.parametrize("shape", BESIDE)
def test_another_outlet_changes_no_other_world(shape):
    usual, with_outlet = draw(3, "usual"), draw(3, shape)
    assert shape not in [other for _, other in SHAPE_ODDS]
    assert [event for event in with_outlet["events"] if event[1] != "other_outlet"] == usual["events"]
    assert json.dumps(usual["toolsnet"]) == json.dumps(with_outlet["toolsnet"])


@pytest.mark.long("a broken outlet is hunted")
def test_an_outlet_that_takes_a_puback_for_a_receipt_is_found(monkeypatch):
    def trusts(self, now):
        session = self.session
        while True:
            event = session.next_event(now)
            if event == 0:
                return
            if event == 2 and session.tag > 0:
                progress = self.progress
                progress.base = progress.receipt = progress.last_result = max(progress.base, session.tag)
                progress.confirm(session.window.count)
            elif event == 1:
                self.progress.go_back(session.window.count)
            elif event in (4, 5, 6, 7):
                self._lost(event, now)

    monkeypatch.setattr(Mqtt, "_handle_events", trusts)
    kinds = [kind for seed in range(9, 21) for kind in run(draw(seed, "mqtt")).verdict.kinds()]
    assert "lost" in kinds


@pytest.mark.long("a broken outlet is hunted")
def test_an_outlet_that_takes_any_answer_for_a_receipt_is_found(monkeypatch):
    def trusts(self, now):
        self.confirmed.confirms(self.confirmed.last, self._batch.count)
        self._retry.reset()
        self.state = webhook.IDLE
        if self.confirmed.last >= self.cursor.number:
            self.log.seek(self.cursor, self.confirmed.last)
        return 0

    for answered in ("_take_receipt", "_refused"):  # a number below what was sent would mend it
        monkeypatch.setattr(webhook.WebhookOutlet, answered, trusts)
    kinds = [kind for seed in range(9, 21) for kind in run(draw(seed, "webhook")).verdict.kinds()]
    assert "lost" in kinds
