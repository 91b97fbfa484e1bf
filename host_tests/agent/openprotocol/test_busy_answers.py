"""A controller that answers a question for an old result with "busy", or "later", is asked again: nothing is gone."""

import pytest

from toolcart.agent.openprotocol import error_codes
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.odd_controllers import OddController
from host_tests.support.recovery import Bench, Memory
from host_tests.support.world import Cart

OWN_COUNT = {"identity": {"system_type": 3}, "recover_revisions": (3,), "spindle": "  ", "station": "  "}
LATER = (error_codes.REJECTED_LATER, error_codes.REJECTED_BUSY)


def put_off(bench, kind, times):
    for _ in range(times):
        assert bench.ask() >= 0
        bench.recovery.rejected(kind, bench.now, 98)


@pytest.mark.parametrize("kind", LATER)
@pytest.mark.parametrize("times", [1, 6, 46, 200])
@pytest.mark.parametrize("count", range(5))
def test_what_is_asked_for_waits_however_often_it_is_put_off(count, times, kind):
    bench = Bench(Memory(100)).met(6)
    bench.away(4)
    for _ in range(count):
        bench.step()
    put_off(bench, kind, times)
    assert bench.ledger.gone() == 0 and not bench.ledger.is_unanswering()
    bench.settle()
    bench.make(1)
    assert sorted(bench.uids()) == list(range(1, 12)) and bench.ledger.gone() == 0


@pytest.mark.parametrize("kind", LATER)
def test_connections_that_end_with_it_give_up_nothing(kind):
    bench = Bench(Memory(100)).met(6)
    for _ in range(9):
        bench.away(3)
        put_off(bench, kind, 1)
        bench.close().open()
        bench.recovery.requests_suspended(bench.now)
    bench.now += 4000000
    bench.settle()
    assert len(bench.uids()) == 33 and bench.ledger.gone() == 0


@pytest.mark.parametrize(("code", "sessions"), each_choice([98, 28, 27, 96], [2, 3, 8]))
def test_sessions_that_end_soon_after_it_on_the_wire(code, sessions):
    cart = Cart(toolsnet=None)
    cart.until_ready(2000)
    cart.produce(6, 200)
    cart.run(8000)
    cart.controller.options.refuse = {64: code}
    for _ in range(sessions):
        cart.miss(4, 50)
        cart.until_ready(60000)
        cart.run(3000)
        cart.cut()
    cart.controller.options.refuse = {}
    cart.run(7300000)
    cart.settle()
    assert cart.station.ledger.gone() == 0
    assert cart.stored_ids() == cart.controller.produced


def test_short_sessions_in_which_questions_are_answered_shut_nothing_out():
    cart = Cart(toolsnet=None, controller=OWN_COUNT).ready()
    cart.produce(3, 200)
    cart.run(8000)
    for _ in range(8):  # a bad network: each ends soon after the answer that there is nothing above the newest
        cart.drop()
        cart.run(100)
        cart.until(cart.is_ready)
        cart.run(3000)
    cart.miss(4, 50)
    cart.until(cart.is_ready)
    cart.run(60000)
    assert sorted(cart.stored_ids()) == cart.controller.produced


@pytest.mark.parametrize("known", [(1,), (2,)])
def test_controller_that_says_later_of_revisions_it_does_not_know_is_asked_in_others(known):
    bench = Bench(Memory(1))
    for _ in range(4):
        bench.memory.make()
    bench.open()
    for _ in range(60):
        number = bench.ask()
        if number >= 0 and bench.recovery.revision() in known:
            bench.answer(bench.memory.find(number))
        elif number >= 0:
            bench.recovery.rejected(error_codes.REJECTED_BUSY, bench.now, 98)
    assert bench.recovery.revision() in known
    bench.make(1)
    bench.away(3)
    bench.settle()
    assert bench.ledger.gone() == 0 and bench.uids()[-4:] == [5, 6, 7, 8]


class Busy(OddController):
    """Knows MID 0064 in some revisions only, and is busy there until, behind an outage, so much is over: `ends`
    connections, then `more` questions.

    `ends_after_ms`: the connection ends so long behind such a word; 0: instead of it, with the question.
    """

    def __init__(self, monkeypatch, revisions, code, ends, ends_after_ms, more):
        super().__init__(monkeypatch, first_id=900, controller={"recover_revisions": revisions})
        self.code = code
        self.ends, self.ends_after_ms, self.more = ends, ends_after_ms, more
        self.ends_at = None
        self.was_away = False

    def _answer(self, session, revision, number):
        if revision in session.options.recover_revisions:
            if self.ends and self.was_away:
                if self.ends_at is None:
                    self.ends_at = self.cart.clock.total_ms + self.ends_after_ms
                if self.ends_after_ms:
                    session.refuse(64, self.code)
                return
            if self.more or not self.was_away:
                self.more -= self.was_away
                session.refuse(64, self.code)
                return
        super()._answer(session, revision, number)

    def run(self, ms):
        cart = self.cart
        end = cart.clock.total_ms + ms
        while cart.clock.total_ms < end:
            cart.run(500 if self.ends else end - cart.clock.total_ms)
            if self.ends_at is not None and cart.clock.total_ms >= self.ends_at:
                self.ends_at = None
                self.ends -= 1
                cart.drop()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("revisions", "code", "ends", "after_ms", "more"),
    all_pairs(
        [(1,), (2,), (3,), (1, 2), (7,), (11,)], [98, 27, 28, 96], [0, 1, 2, 3, 5], [0, 500, 3000, 12000], [0, 1, 3, 9]
    ),
)
def test_a_revision_that_was_put_off_is_not_rejected_whatever_connections_end(
    monkeypatch, revisions, code, ends, after_ms, more, restarts
):
    odd = Busy(monkeypatch, revisions, code, ends, after_ms, more)
    odd.cart.until_ready(2000)
    odd.make(4, 150)
    odd.run(1000)
    odd.was_away = True
    odd.away(6, every_ms=0)
    odd.run(40000)
    if restarts:
        odd.cart.cut()
        odd.cart.until_ready(60000)
    odd.run(100000)
    odd.make(2)
    odd.run(7300000)
    odd.cart.settle()
    assert odd.books() == (0, 0, 0, 0, 0), (odd.books(), odd.cart.gone(), odd.requests)
