"""A controller that sends an old result unasked in front of each answer is asked no more often, and nothing is lost."""

import random

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import id_ownership
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController

IN_FRONT = {
    "the previous answer": lambda odd, last: last,
    "the newest": lambda odd, last: odd.kept[-1],
    "the oldest": lambda odd, last: odd.kept[0],
    "any": lambda odd, last: random.Random(len(odd.requests)).choice(odd.kept),
}


class Talkative(OddController):
    """Sends one in front of each answer, also of a rejection."""

    def __init__(self, monkeypatch, in_front, **settings):
        super().__init__(monkeypatch, **settings)
        self.in_front = IN_FRONT[in_front]
        self.last = None

    def _answer(self, session, revision, number):
        if self.last is not None:
            session._say_old(self.in_front(self, self.last), revision)
        result = self.answers(self.kept, number) if number else self.kept[-1] if self.kept else None
        self.last = result or self.last
        super()._answer(session, revision, number)


@pytest.mark.parametrize(
    ("in_front", "answers", "keeps_and_missed", "cut"),
    all_pairs(list(IN_FRONT), ["exactly", "newest"], [(50, 9), (8, 20), (8, 3)], [False, True]),
)
@pytest.mark.parametrize("revisions", [(1,), (1, 2, 3, 4, 5, 6)])
def test_questions_are_no_more_than_what_is_missing(monkeypatch, in_front, answers, keeps_and_missed, cut, revisions):
    keeps, missed = keeps_and_missed
    odd = Talkative(
        monkeypatch, in_front, answers=answers, keeps=keeps, first_id=500, controller={"start_revisions": revisions}
    )
    odd.cart.until_ready(2000)
    odd.make(6)
    odd.cart.run(60000)
    for _ in range(3):
        odd.away(missed, cut=cut)
        odd.make(2)
        odd.cart.run(120000)
    odd.make(1)
    odd.cart.run(120000)
    twice, again, missing, gone, opened = odd.books()
    assert (twice, again, opened) == (0, 0, 0) and missing == gone <= 3 * max(0, missed + 2 - keeps), odd.books()
    ids = dict(zip(odd.made, odd.cart.controller.produced, strict=True))
    assert [ids[one] for one in odd.rows()] == odd.cart.stored_ids()
    assert odd.cart.counted(counter.CONTROLLER_RESETS) == odd.cart.counted(counter.IDS_OFF) == 0
    # A walk may end where so many are gone in a row, each asked for twice if it is answered with another one.
    assert len(odd.requests) <= 2 * id_ownership.GONE_SHARED + 3 * (3 * missed + 10), len(odd.requests)
