"""A ToolsNet that stores each result and answers none so that it can be read: it is never said to be well."""

import json

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as words
from host_tests.agent.outlets.test_odd_answers import ODD_05
from host_tests.support.agent_lines import status_of
from host_tests.support.combinations import each_choice
from lab.harness.cart import Cart

ALWAYS = [number for number in range(1, 200) for _ in range(9)]
STEP_MS = 500


@pytest.mark.parametrize(
    ("options_and_ups", "every_s"),
    each_choice(
        [({"spoil_05": ODD_05["letters"]}, 0), ({"lost_acks": ALWAYS}, 1), ({"drop_after_store": ALWAYS}, 1)], [3, 40]
    ),
)
def test_a_toolsnet_whose_05_cannot_be_read_is_not_said_to_take_results_again(options_and_ups, every_s):
    options, ups = options_and_ups
    cart, figures = Cart(toolsnet=options), Figures()
    texts, shown = [], []
    at_ms = 0

    def watch(seconds):
        nonlocal at_ms
        for _ in range(seconds * 1000 // STEP_MS):
            cart.run(STEP_MS)
            at_ms += STEP_MS
            station = json.loads(json.dumps(snapshot(cart.app)["stations"][0]))
            texts.extend(change.text for change in figures.feed(status_of(station), at_ms / 1000))
            shown.append(" ".join(words.station_lines(station)))

    watch(5)
    for _ in range(200 // every_s):
        cart.controller.produce()
        watch(every_s)
    lost = next(at for at, text in enumerate(texts) if text.startswith("ToolsNet lost"))
    well = [text for text in texts[lost:] if "takes results" in text or text == "ToolsNet connected"]
    assert len(well) <= 2 * ups, texts
    assert len([text for text in texts if text.startswith("ToolsNet lost")]) <= 1 + ups, texts
    assert len([text for text in texts if "does not answer, " in text]) <= 1 + ups, texts
    assert all("why: ToolsNet" in one for one in shown[len(shown) // 2 :])
    del texts[:]
    cart.toolsnet.options.spoil_05 = None
    cart.toolsnet.options.lost_acks, cart.toolsnet.options.drop_after_store = [], []
    cart.controller.produce()
    watch(90)
    assert texts.count("ToolsNet connected, it takes results") == 1 >= texts.count(attention.OVER["refused"]), texts
    assert "refused" not in figures.stations[cart.station.number].needs
    assert "why:" not in shown[-1]
