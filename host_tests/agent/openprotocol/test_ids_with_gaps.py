"""IDs with gaps wider than the agent asks for: what is missing is fetched by their step, or said to be skipped."""

import pytest

from toolcart.agent.log.search import Search
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record.text import describe
from host_tests.support.combinations import all_pairs
from host_tests.support.world import CONTROLLER
from lab.harness.cart import Cart

FIRST = 1000


def reasons(cart):
    """The reasons of all that is gone, by the first ID of each run."""
    log = cart.station.log
    found = {}
    search = Search(log)
    search.begin_newest(log.device.block_count, 1)
    kind = search.next()
    while kind > 0:
        if kind == KIND_EVENT:
            event = describe(log.page, log.at, kind, log.flags, log.length)
            found[int(event["first_id"])] = event["code"]
        kind = search.next()
    return found


class Plant:
    """A cart at a controller each of whose IDs is so much above the last one, as `steps` gives it."""

    def __init__(self, steps):
        self.cart = Cart(controller={}, blocks=24)
        self.cart.controller._next_id = FIRST
        self.made = []
        self._steps = steps

    def make(self, count, every_ms=2000):
        for _ in range(count):
            number = self.cart.controller._next_id
            self.cart.produce(1)
            self.made.append(number)
            self.cart.controller._next_id = number + self._steps(len(self.made))
            self.cart.run(every_ms)

    def live(self, away):
        """Tighten some, so many while it is away, and some more."""
        self.cart.until_ready(5000)
        self.make(5)
        self.cart.run(200000)
        self.cart.network.down(*CONTROLLER)
        self.make(away)
        self.cart.network.up(*CONTROLLER)
        self.cart.run(600000)
        self.make(2)
        self.cart.run(600000)


@pytest.mark.parametrize("away", [1, 2, 6, 40])
@pytest.mark.parametrize("step", [1, 2, 25, 26, 50, 100, 3000])
def test_what_is_missing_is_fetched_by_the_step_of_the_ids(step, away):
    plant = Plant(lambda place: step)
    plant.live(away)
    assert plant.cart.ids() == plant.made and not plant.cart.station.ledger.ranges
    assert plant.cart.station.ledger.gone() <= plant.made[-1] - FIRST + 1 - len(plant.made)
    assert set(reasons(plant.cart).values()) <= ({"none"} if step < 26 else {"none", "skip"})


@pytest.mark.parametrize("least", [26, 50, 1000])
def test_what_was_not_asked_for_is_not_said_to_be_nowhere(least):
    plant = Plant(lambda place: least + place * place % 7)
    plant.live(6)
    missing = sorted(set(plant.made) - set(plant.cart.ids()))
    assert missing and not plant.cart.station.ledger.ranges
    runs = reasons(plant.cart)
    assert {runs[max(first for first in runs if first <= one)] for one in missing} == {"skip"}, runs


@pytest.mark.parametrize(
    ("step", "live", "every_ms", "ending"),
    all_pairs([25, 26, 101], [3, 4, 6, 12], [50, 300, 1000], ["down", "cut", "down and cut"]),
)
def test_a_step_is_known_from_results_between_ranges_that_became_one(step, live, every_ms, ending):
    """They come so fast that each leaves a range: more than are written down are one, around what is in the log."""
    plant = Plant(lambda place: step)
    cart = plant.cart
    cart.until_ready(5000)
    plant.make(live, every_ms)
    if ending != "down":
        cart.cut()
    if ending != "cut":
        cart.network.down(*CONTROLLER)
        plant.make(10, 100)
        cart.network.up(*CONTROLLER)
    cart.until_ready(60000)
    plant.make(3, every_ms)
    cart.run(600000)
    assert sorted(cart.ids()) == plant.made and not cart.station.ledger.ranges
    assert cart.station.ledger.gone() <= plant.made[-1] - FIRST + 1 - len(plant.made)


def test_a_step_that_ends_asks_for_few_more():
    plant = Plant(lambda place: 30 if place != 5 else 10**9)
    plant.live(1)
    assert plant.cart.ids() == plant.made
    assert plant.cart.controller.messages[64] < 1000
