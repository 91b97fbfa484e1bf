"""A controller that loses its connection at some questions for old results: what it pushes is taken all along."""

import random

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import of_station
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_session
from host_tests.support.world import Cart

MINUTE_MS = 60000
EVERY_MS = 3000  # a result


@pytest.fixture
def crashes(monkeypatch):
    """Return a dictionary: a "share" of the questions crash the connection, as its "dice" fall; "ends" counts them."""
    crashes = {"share": 0.0, "dice": random.Random(0), "ends": 0}
    recover = controller_session.ControllerSession._recover

    def crash_or_answer(self, revision, tightening_id):
        if crashes["dice"].random() < crashes["share"]:
            crashes["ends"] += 1
            self.close("controller: crashed")
        else:
            recover(self, revision, tightening_id)

    monkeypatch.setattr(controller_session.ControllerSession, "_recover", crash_or_answer)
    return crashes


def crashing_cart(crashes, share, seed, pushed, missed):
    """Return one that has missed results of a controller that crashes from now on, and had pushed some before."""
    cart = Cart(seed=seed, controller={})
    cart.until_ready(2000)
    cart.settle()
    cart.produce(pushed, 1300)
    crashes.update(share=share, dice=random.Random(seed))
    cart.miss(missed, 1300)
    return cart


def pushed_in(cart, minutes):
    """Let a result be made every EVERY_MS; return how many were stored as they were pushed, of how many."""
    before, made = _pushed(cart), minutes * MINUTE_MS // EVERY_MS
    cart.produce(made, EVERY_MS)
    return _pushed(cart) - before, made


def _pushed(cart):
    return len(cart.stored_ids()) - cart.counted(counter.RECOVERED)


def has_all(cart):
    """True if what was made is in the log, once; a look reads all of it."""
    return sorted(cart.stored_ids()) == cart.controller.produced


SEEDS = {0.1: 2, 0.3: 4, 1.0: 1}


@pytest.mark.parametrize(("share", "seed"), [(share, seed) for share in SEEDS for seed in range(SEEDS[share])])
def test_what_is_pushed_is_taken_and_all_is_there_once_it_is_well(crashes, share, seed):
    cart = crashing_cart(crashes, share, seed, 5 * (seed % 2), 11)
    early = pushed_in(cart, 10)
    early_ends, crashes["ends"] = crashes["ends"], 0
    later = pushed_in(cart, 15)
    assert early[0] >= 0.85 * early[1] and early_ends <= 40, (early, early_ends)
    assert later[0] >= 0.95 * later[1] and crashes["ends"] <= 25, (later, crashes["ends"])
    assert missing_most(cart.station.ledger) <= len(cart.controller.produced)
    crashes["share"] = 0.0
    cart.until(lambda: missing_most(cart.station.ledger) == 0 and has_all(cart), 70 * MINUTE_MS)
    cart.settle()
    assert has_all(cart) and cart.stored_again() == 0 and missing_most(cart.station.ledger) == 0
    assert cart.station.ledger.gone() == 0 or share == 1.0


def test_a_few_ends_make_short_pauses_and_the_status_says_that_there_is_one(crashes):
    cart = crashing_cart(crashes, 0.0, 1, 5, 40)
    cart.settle()
    crashes["share"] = 0.05
    cart.miss(40, 1300)
    cart.settle(5 * MINUTE_MS)
    assert 0 < crashes["ends"] <= 7 and sorted(cart.stored_ids()) == cart.controller.produced
    crashes["share"] = 0.6
    cart.miss(60)
    pause = cart.station.recovery.deferred.pause
    cart.until(lambda: 10000 < pause.left(cart.clock.now) <= 60 * MINUTE_MS, 20 * MINUTE_MS)
    cart.run(5000)
    assert cart.is_ready() and of_station(cart.station, cart.clock.now)["recovery"]["off"] == "pause"
