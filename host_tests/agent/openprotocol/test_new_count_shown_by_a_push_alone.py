"""ID 0 is rejected, or answered with the oldest, and the count begins again in an outage: a push alone shows it."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER


class Plant:
    """A cart at such a controller, whose count goes on with 1 behind `limit`."""

    def __init__(self, monkeypatch, newest, first, limit, late_ms):
        self.one = one = OddController(monkeypatch, first_id=first)
        self.limit = limit
        one.late_ms = late_ms
        if newest == "the oldest":
            one.newest_place = 0
        elif newest:
            one.knows_newest, one.newest_code = False, newest
        one.cart.until_ready(5000)
        self.make(3, 500)
        one.cart.run(3000)

    def make(self, count, every_ms):
        controller = self.one.cart.controller
        for _ in range(count):
            if controller._next_id > self.limit:
                controller.reset_ids(1)
            self.one.make(1, every_ms)

    def away(self, count, contact_ms):
        """So many are made while no one hears; the next connection has its subscription since so long."""
        cart = self.one.cart
        cart.network.down(*CONTROLLER)
        self.make(count, 50)
        cart.run(500)
        cart.controller.messages.pop(60)
        cart.network.up(*CONTROLLER)
        cart.until_ready(contact_ms)

    def nothing_is_lost(self):
        """All is stored once, and nothing is counted but ID 0, where the count ends with its digits or bits."""
        twice, again, missing, gone, opened = books = self.one.books()
        assert twice == missing == opened == 0 and again <= 3, (books, self.one.cart.gone())
        assert gone == 0 or self.one.cart.gone() == [(0, 0)], self.one.cart.gone()


@pytest.mark.parametrize(
    ("newest", "late_ms", "contact_ms", "live", "outages"),
    all_pairs(
        [15, 97, "the oldest"],
        [0, 5, 20, 100, 400],
        [0, 5, 20, 50, 100, 400, 2000],
        [(1, 20), (2, 20), (2, 300), (5, 100)],
        [[33], [33, 9], [22, 1]],
    ),
)
def test_a_push_below_what_is_asked_for_upward_begins_a_count(monkeypatch, newest, late_ms, contact_ms, live, outages):
    plant = Plant(monkeypatch, newest, 32744, 32767, late_ms)
    for count in outages[:-1]:
        plant.away(count, 2000)
    plant.away(outages[-1], contact_ms)
    plant.make(*live)
    plant.one.cart.run(80000)
    plant.nothing_is_lost()


@pytest.mark.parametrize(
    ("newest", "limit", "away", "live", "later"),
    all_pairs(["the oldest", 15, None], [100, 102, 255], [0, 3, 8], [2, 6], [[0], [2], [0, 0], [30, 1]]),
)
def test_the_oldest_of_the_count_before_is_not_the_newest(monkeypatch, newest, limit, away, live, later):
    """It is above what the new count has made: that is none that may be missing."""
    plant = Plant(monkeypatch, newest, limit - 2, limit, 20)
    plant.away(away, 2000)
    plant.make(live, 300)
    plant.one.cart.run(40000)
    for count in later:
        plant.away(count, 400)
        assert missing_most(plant.one.cart.station.ledger) < 40
        plant.make(1, 300)
        plant.one.cart.run(100000)
    plant.nothing_is_lost()
