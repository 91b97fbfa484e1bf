"""IDs that fall, or come in no order: each push makes the recovery look again, and few questions do."""

import pytest

from toolcart.agent.openprotocol import id_ownership
from host_tests.support.combinations import each_choice
from host_tests.support.odd_controllers import OddController

IDS = {
    "fall": lambda number: 5000 - number,
    "fall by three": lambda number: 50000 - 3 * number,
    "in no order": lambda number: (number * 7919 + 13) % 100003,
    "in no order, of all": lambda number: (number * 2654435761 + 13) % 4294967291 + 1,
    "of two counts": lambda number: number // 2 + (1 if number % 2 else 5000),
}


class Ordered(OddController):
    """`ids` gives the ID of the n-th result; nothing says whether stations share them."""

    def __init__(self, monkeypatch, ids, **settings):
        self.ids = ids
        monkeypatch.setattr(
            id_ownership.IdOwnership, "begin_session", self._unsaid(id_ownership.IdOwnership.begin_session)
        )
        super().__init__(monkeypatch, **settings)

    def _unsaid(self, opened):
        def unsaid(ownership, identity, system_type, *rest):
            return opened(ownership, identity, 0, *rest)

        return unsaid

    def make(self, count=1, every_ms=1000):
        for _ in range(count):
            self.cart.controller._next_id = self.ids(len(self.made))
            super().make(1, every_ms)


@pytest.mark.parametrize(("ids", "keeps"), each_choice(list(IDS), [5, 500]))
def test_few_questions_are_asked(monkeypatch, ids, keeps):
    one = Ordered(monkeypatch, IDS[ids], keeps=keeps)
    one.make(20)
    before = len(one.made)
    one.cart.until_ready(5000)
    most = 0
    for _ in range(4):
        asked = len(one.requests)
        one.make(4)
        one.cart.run(150000)
        one.away(3)
        one.cart.run(150000)
        most = max(most, len(one.requests) - asked)
    one.make(2)
    one.cart.run(400000)
    one.made = one.made[before:]
    assert one.judge() and most < 550, most  # a step of 7919 is asked for where three in a row have it


def test_fewer_and_fewer_in_a_long_session(monkeypatch):
    one = Ordered(monkeypatch, IDS["in no order"])
    one.cart.until_ready(5000)
    hours = []
    for _ in range(3):
        asked = len(one.requests)
        for _ in range(90):
            one.make(1, 40000)
        hours.append(len(one.requests) - asked)
    assert one.judge() and hours[2] < 1500, hours


def test_pauses_stay_short_while_what_was_lost_is_found(monkeypatch):
    """Pushes that the line spoils, one in ten minutes: each is there a minute or so later."""
    one = OddController(monkeypatch)
    cart = one.cart
    cart.until_ready(5000)
    one.make(3)
    cart.run(150000)
    for _ in range(12):
        sessions, cart.controller.sessions[:] = cart.controller.sessions[:], []  # nothing is pushed
        one.make(1, 0)
        cart.controller.sessions[:] = sessions
        for _ in range(2):
            cart.station.recovery.start_over_later(cart.clock.now)
            cart.run(30000)
        cart.run(60000)
        assert len(one.rows()) == len(one.made)
        cart.run(480000)
    assert one.judge(0, 0)
