"""A ToolsNet that stores each result and answers none readably: it is said to be well once, if more come soon."""

import itertools
import json

import pytest

from toolcart.agent.cart.status import snapshot
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as words
from host_tests.agent.outlets.test_odd_answers import ODD_05
from host_tests.support.agent_lines import status_of
from host_tests.support.combinations import each_choice, some
from lab.harness.cart import PIM, Cart

ALWAYS = [number for number in range(1, 200) for _ in range(9)]
STEP_MS = 500


@pytest.mark.parametrize(
    ("options", "every_s"),
    each_choice([{"spoil_05": ODD_05["letters"]}, {"lost_acks": ALWAYS}, {"drop_after_store": ALWAYS}], [3, 25]),
)
def test_a_toolsnet_whose_05_cannot_be_read_is_not_said_to_take_results_again(options, every_s):
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
    assert len(well) <= 2, texts
    assert len([text for text in texts if text.startswith("ToolsNet lost")]) <= 2, texts
    assert len([text for text in texts if "does not answer, " in text]) <= 2, texts
    is_down = ["why: ToolsNet" in one for one in shown]
    assert sum(before and not now for before, now in itertools.pairwise(is_down)) <= 1
    assert sum(is_down) > len(shown) // 2
    del texts[:]
    cart.toolsnet.options.spoil_05 = None
    cart.toolsnet.options.lost_acks, cart.toolsnet.options.drop_after_store = [], []
    cart.controller.produce()
    watch(90)
    assert texts.count("ToolsNet connected, it takes results") == 1 >= texts.count(attention.OVER["refused"]), texts
    assert "refused" not in figures.stations[cart.station.number].needs
    assert "why:" not in shown[-1]


@pytest.mark.parametrize("form", some([*ODD_05], 3))
def test_a_toolsnet_that_is_cured_is_said_to_be_without_another_result(form):
    cart, figures = Cart(toolsnet={}), Figures()
    texts, station, answered = [], {}, []

    def watch(seconds):
        for _ in range(seconds * 1000 // STEP_MS):
            cart.run(STEP_MS)
            station.update(json.loads(json.dumps(snapshot(cart.app)["stations"][0])))
            at_s = cart.clock.total_ms / 1000
            texts.extend(change.text for change in figures.feed(status_of(station), at_s))

    watch(5)
    for _ in range(3):
        cart.controller.produce()
        watch(5)
    cart.toolsnet.options.spoil_05 = ODD_05[form]
    cart.controller.produce()
    watch(9)
    cart.network.down(*PIM)  # else it would be back before anyone has looked
    watch(20)
    cart.network.up(*PIM)
    cart.toolsnet.options.spoil_05 = lambda octets: answered.append(octets) or octets
    watch(120)
    outlet = station["outlets"][0]
    assert (station["delivered"], outlet["waiting"], outlet["why"], outlet["is_up"]) == (4, 0, "", True)
    assert answered == []  # the 08 alone has settled it
    lost = next(at for at, text in enumerate(texts) if text.startswith("ToolsNet lost"))
    assert [text for text in texts[lost:] if text.startswith("ToolsNet connected")], texts
    assert "why:" not in " ".join(words.station_lines(station))
