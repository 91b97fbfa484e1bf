"""Pushes in another order than they were made, or with an ID that was spoiled: what the log has is not gone."""

import copy

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim.controller_session import ControllerSession
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController

CODES = [None, 79, 99, 15]


def questions_answered_with(odd, code, answers_newest=False):
    def answer(session, revision, number):
        if answers_newest and not number and odd.kept:
            session._say_old(odd.kept[-1], revision)
        elif code is not None:
            session.refuse(64, code)

    odd._answer = answer


class Reordering:
    """Holds the pushes of each session back, and lets them go in the reverse order."""

    def __init__(self, monkeypatch):
        self.queue = ControllerSession._queue
        self.held = None
        monkeypatch.setattr(ControllerSession, "_queue", lambda session, result: self.take(session, result))

    def take(self, session, result):
        if self.held is None:
            self.queue(session, result)
        else:
            self.held.append((session, result))

    def begin(self):
        self.held = []

    def end(self, cart):
        held, self.held = self.held, None
        for session, result in reversed(held):
            self.queue(session, result)
            cart.run(300)


@pytest.mark.parametrize(
    ("code", "course", "first", "answers_newest"),
    all_pairs(CODES, ["live", "away", "cut", "cut behind"], [1, 20, 500], [False, True]),
)
def test_in_reverse_order_what_is_stored_is_not_gone(monkeypatch, code, course, first, answers_newest):
    odd = OddController(monkeypatch, first_id=first)
    order = Reordering(monkeypatch)
    cart = odd.cart
    cart.until_ready(2000)
    odd.make(4, 500)
    cart.run(20000)
    questions_answered_with(odd, code, answers_newest)
    for count in (2, 5, 3):
        if course in ("away", "cut"):
            odd.away(2, cut=course == "cut")
        order.begin()
        odd.make(count, 0)
        order.end(cart)
        if course == "cut behind":
            cart.cut()
            cart.until_ready(60000)
        odd.make(1, 500)
        cart.run(5000000)
    missing = set(cart.controller.produced) - set(cart.stored_ids())
    ledger = cart.station.ledger
    assert ledger.gone() + missing_most(ledger) == len(missing), (sorted(missing), cart.gone())
    assert cart.counted(counter.CONTROLLER_RESETS) == 0


@pytest.mark.parametrize(("code", "spoiled_as", "course"), all_pairs(CODES, [1, 5, 30, 100], ["live", "cut"]))
def test_one_spoiled_digit_of_an_id_counts_nothing_as_gone_that_is_stored(monkeypatch, code, spoiled_as, course):
    odd = OddController(monkeypatch, first_id=500)
    queue = ControllerSession._queue
    spoiled = []

    def spoil(session, result):
        other = copy.copy(result)
        other.tightening_id += spoiled.pop() if spoiled else 0
        queue(session, other)

    monkeypatch.setattr(ControllerSession, "_queue", spoil)
    cart = odd.cart
    cart.until_ready(2000)
    odd.make(4, 500)
    cart.run(20000)
    questions_answered_with(odd, code)
    if course == "cut":
        odd.away(0, cut=True)
    spoiled.append(spoiled_as)
    odd.make(1, 500)
    odd.make(3, 500)
    cart.run(5000000)
    ledger = cart.station.ledger
    stored = set(cart.stored_ids())
    skipped = len([one for one in range(500, max(stored)) if one not in stored])
    each = ledger.results_each()  # two results under one ID may be two of each
    assert 1 <= ledger.gone() + missing_most(ledger) <= each * (skipped + 3), (sorted(stored), cart.gone())
