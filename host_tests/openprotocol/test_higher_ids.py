"""A controller whose answers have IDs that are one too high: all it has is stored once, under the ID that was pushed.

Two kinds: one answers n with n's result under the ID n + 1 ("said"), the other keeps n's result under n + 1 ("kept").
"""

from toolcart.agent.openprotocol import questions as qs
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


def test_an_outage_in_which_nothing_was_made_stores_nothing():
    for kind in KINDS:
        cart = cart_of(kind)
        for _ in range(3):
            cart.away(0)
            cart.settle()
        assert cart.stored() == [1, 2, 3] and cart.known.epoch() == 0 and cart.known.gone() == 0, kind
        assert cart.recovery.higher == kind and cart.news.count(qs.NEWS_HIGHER) == 3
        assert qs.NEWS_RESET not in cart.news and len(cart.asked) <= 6


def test_what_was_missed_is_stored_once_under_the_id_it_has():
    for kind in KINDS:
        cart = cart_of(kind)
        for _ in range(3):
            cart.away(4)
            cart.settle()
            cart.live()
        assert cart.stored() == list(range(1, 19)) and cart.uids() == list(range(1, 19)), kind
        assert qs.NEWS_RESET not in cart.news and cart.known.gone() == 0 and cart.known.top() == 18


def test_a_jump_in_pushed_ids_is_fetched_under_the_right_ids():
    for kind in KINDS:
        cart = cart_of(kind)
        cart.away(0)
        cart.settle()
        cart.memory.make()
        cart.memory.make()
        cart.live()
        cart.settle()
        assert sorted(cart.stored()) == list(range(1, 7)) and cart.known.gone() == 0, kind


def test_it_is_recognised_though_the_highest_known_is_gone():
    cart = cart_of(HIGHER_SAID, limit=3)
    cart.away(4)
    cart.settle()
    assert cart.recovery.higher == HIGHER_SAID and cart.known.top() == 7
    assert cart.stored() == [1, 2, 3, 5, 6, 7]
    cart = cart_of(HIGHER_KEPT, limit=5)  # the one before the highest known is gone
    cart.away(4)
    cart.settle()
    assert cart.stored() == [1, 2, 3, 4, 5, 6, 7]


def test_a_count_that_begins_again_is_still_told():
    for kind in KINDS:
        cart = cart_of(kind)
        cart.close()
        cart.memory.reset()
        cart.away(2)
        cart.settle()
        assert cart.known.epoch() == 1 and sorted(cart.uids()) == [1, 2, 3, 4, 5], kind


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


def test_a_controller_that_answers_rightly_is_left_as_it_is():
    bench = Bench().met()
    for key in (7, 7, 7):
        bench.live(key=key)
    bench.settle()
    bench.close()
    for _ in range(3):
        made = bench.memory.make(key=7)
        made.time = bench.memory.made[0].time
        made.payload = made._payload()  # what is missing has the time and values of what is known
    bench.open().settle()
    assert bench.recovery.higher == HIGHER_NO and bench.stored() == list(range(1, 7))


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
