"""A controller whose answers have IDs that are one too high: all it has is stored once, under the ID that was pushed.

Two kinds: one answers n with n's result under the ID n + 1 ("said"), the other keeps n's result under n + 1 ("kept").
"""

from toolcart.agent.openprotocol import question as qs
from toolcart.agent.openprotocol import replies
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.recovery import HIGHER_KEPT, HIGHER_NO, HIGHER_SAID
from toolcart.agent.record.result import HEAD_BYTES, TIGHTENING_ID
from host_tests.support.recovery import Bench, Memory, Result

PORTABLE = True
HEAP = "4m"

KINDS = (HIGHER_SAID, HIGHER_KEPT)


class Higher(Memory):
    """Its answers have the ID after the one that was pushed."""

    kind = HIGHER_SAID

    def find(self, number):
        if number and self.kind == HIGHER_KEPT:
            number -= 1
            found = Memory.find(self, number) if number else None
        else:
            found = Memory.find(self, number)
        return None if found is None else Result(found.uid, found.ident + 1, found.key, found.time)


class Cart(Bench):
    """As the intake asks, and as the session lets answers through."""

    def __init__(self, kind, **memory):
        Bench.__init__(self, Higher(**memory))
        self.memory.kind = kind

    def ask(self):
        number = Bench.ask(self)
        return number + 1 if number > 0 and self.recovery.asks_higher() else number

    def answer(self, result, flags=0):
        asked = self.asked[-1]
        if self.recovery.asks_higher():
            asked += 1
        if result is not None and asked and result.ident != asked and not self.recovery.hears_higher():
            self.recovery.silent(self.now)
            return qs.NEWS_NONE
        return Bench.answer(self, result, flags)

    def stored(self):
        """Return the IDs of the log as they stand in its records."""
        return [id_of(payload, HEAD_BYTES + TIGHTENING_ID) for payload, _, _ in self.log.records]


def cart_of(kind, count=3, **memory):
    cart = Cart(kind, **memory).met()
    for _ in range(count):
        cart.live()
    cart.settle()
    return cart


def test_one_met_before_it_pushed_anything_is_put_right():
    for before in (0, 3):
        cart = Cart(HIGHER_SAID)
        for _ in range(before):
            cart.memory.make()
        cart.met()
        cart.away(2)
        cart.settle()
        cart.live()
        cart.away(1)
        cart.settle()
        assert cart.uids() == list(range(before + 1, before + 5)), before
        assert cart.stored() == cart.uids() and cart.known.epoch() == 0 and cart.known.gone() == 0


def test_one_late_answer_is_not_taken_for_it():
    bench = Bench().met()
    for _ in range(3):
        bench.live()
    bench.settle()
    bench.away(2)
    assert bench.ask() == 0
    bench.answer(bench.memory.find(0))
    assert bench.ask() == 3
    assert bench.answer(bench.memory.find(4)) == qs.NEWS_NONE and bench.recovery.higher == HIGHER_NO
    bench.settle()
    assert bench.stored() == [1, 2, 3, 4, 5]


def test_unreadable_ones_get_the_id_that_they_have():
    cart = cart_of(HIGHER_SAID)
    cart.away(2)
    while cart.recovery.phase != qs.PHASE_FILL:
        cart.step()
    assert cart.ask() == 4
    body = cart.memory.find(4).payload
    assert cart.recovery.fetched_unread(body, HEAD_BYTES, 77, cart.now) == qs.NEWS_STORE
    cart.recovery.kept(cart.now)
    assert cart.ask() == 5 and cart.refuse(replies.REFUSED_GONE) == qs.NEWS_NONE
