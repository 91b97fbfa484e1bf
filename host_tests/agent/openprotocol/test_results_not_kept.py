"""A controller that does not keep all that it pushes: what the log has is not missing, whatever the memory says."""

import pytest

from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER

KEPT = {  # of what is pushed while it is connected, by its place among these
    "all but the last": lambda place, count: place < count - 1,
    "all but the last two": lambda place, count: place < count - 2,
    "every second": lambda place, count: place % 2 == 1,
    "none": lambda place, count: False,
}
QUESTIONS_MOST = 30  # for one outage


def meet(monkeypatch, before, **settings):
    """It has made so many before the first meeting."""
    one = OddController(monkeypatch, first_id=1000, **settings)
    one.cart.network.down(*CONTROLLER)
    one.make(before, 600)
    one.cart.network.up(*CONTROLLER)
    one.cart.until_ready(60000)
    one.cart.run(5000)
    return one


def push(one, count, keeps):
    """So many are pushed."""
    at = len(one.kept)
    one.make(count, 600)
    one.kept[at:] = [result for place, result in enumerate(one.kept[at:]) if keeps(place, count)]


@pytest.mark.parametrize(
    ("kept", "before", "missed"), all_pairs(list(KEPT), [0, 3, 12], [(3,), (1,), (3, 2), (3, 0, 2)])
)
def test_nothing_is_gone(monkeypatch, kept, before, missed):
    one = meet(monkeypatch, before)
    push(one, 4, KEPT[kept])
    for count in missed:
        asked = len(one.requests)
        one.away(count, 300)
        one.cart.run(5000)
        push(one, 3, KEPT[kept])
        one.cart.run(200000)
        questions = len(one.requests) - asked
        assert questions <= QUESTIONS_MOST, one.requests[asked:]
    twice, again, missing, gone, opened = books = one.books()
    assert missing == before and twice == again == gone == opened == 0, (books, one.cart.gone(), one.rows())
