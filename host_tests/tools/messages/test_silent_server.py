"""A ToolsNet server that is silent is away: it refuses nothing, and nobody has to see to it (docs/watching.md)."""

import json

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as words
from host_tests.portable import LONG
from host_tests.support.agent_lines import status_of
from host_tests.support.combinations import each_choice
from lab.harness.cart import Cart

STEP_MS = 1000 if LONG else 2500
ALL = range(1, 200)


class _Watched:
    """A cart, what was said of it at each step, and whether it called for somebody."""

    def __init__(self, toolsnet, **settings):
        self.cart, self.figures = Cart(toolsnet=toolsnet, settings={"toolsnet": settings}), Figures()
        self.texts, self.somebody = [], []
        self.at_ms = 0

    def watch(self, seconds):
        for _ in range(seconds * 1000 // STEP_MS):
            self.cart.run(STEP_MS)
            self.at_ms += STEP_MS
            self.station = json.loads(json.dumps(snapshot(self.cart.app)["stations"][0]))
            self.texts += [change.text for change in self.figures.feed(status_of(self.station), self.at_ms / 1000)]
            self.somebody.append(attention.is_for_somebody(self.station))

    def shown(self):
        return " ".join(words.station_lines(self.station))


@pytest.mark.parametrize(
    ("silence", "refused"),
    each_choice(
        [{"silent": True}, {"silent_sequences": list(ALL)[3:], "silent_telegrams": ("06",)}], ["park", "block"]
    ),
)
def test_a_silent_server_is_away_for_as_long_as_it_is_silent(silence, refused):
    watched = _Watched(silence, refused=refused)
    watched.watch(5)
    for _ in range(25):
        watched.cart.controller.produce()
        watched.watch(60)
    assert not any(watched.somebody)
    assert "did not acknowledge a telegram in time (no 05)" in watched.shown() and "waiting" in watched.shown()
    assert not [text for text in watched.texts if "refuse" in text or "operator" in text or "answer, " in text]
    lost = [text for text in watched.texts if text.startswith(("ToolsNet lost", "no ToolsNet"))]
    assert len(lost) == 1, watched.texts
    del watched.texts[:]
    watched.cart.options.silent, watched.cart.options.silent_sequences = False, ()
    watched.cart.options.silent_telegrams = ()
    watched.watch(180)
    assert watched.texts.count("ToolsNet connected, it takes results") == 1
    assert watched.station["backlog"] == 0 and not any(watched.somebody)
    assert attention.OVER["refused"] not in watched.texts, "it never refused any"


def test_a_full_spool_behind_a_silent_server_needs_no_order():
    """What an operator could drop is no obstacle."""
    watched = _Watched({"silent": True})
    watched.watch(5)
    for _ in range(22):
        for _ in range(10):
            watched.cart.controller.produce()
        watched.watch(200)
    assert watched.station["controller"]["waits_for_room"]
    assert [need.slug for need in attention.bad_needs(watched.station)] == ["full"]


def test_a_server_that_answers_all_but_results_is_there():
    watched = _Watched({"silent_sequences": list(ALL)})
    watched.watch(5)
    watched.cart.controller.produce()
    watched.watch(240)
    assert watched.somebody[-1] and not any(watched.somebody[:20])
    assert "REFUSED     ToolsNet leaves a result unanswered" in watched.shown()
