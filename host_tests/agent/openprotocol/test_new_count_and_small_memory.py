"""A count that begins anew at a controller that keeps few: what it drops while it is asked is counted, and no more."""

import pytest

from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER


def make_anew(one, first, how, live):
    """The count goes on with `first`, on the same connection or behind an outage, and `live` results are pushed."""
    if how == "connected":
        one.cart.controller.reset_ids(first)
        one.make(live, 600)
    else:
        one.cart.network.down(*CONTROLLER)
        one.cart.run(3000)
        one.cart.controller.reset_ids(first)
        one.cart.network.up(*CONTROLLER)
        one.cart.until_ready(60000)
        one.make(live, 600)


@pytest.mark.parametrize("late_ms", [50, 200, 400])
@pytest.mark.parametrize("keeps", [4, 5, 8, 20])
@pytest.mark.parametrize("live", [1, 2, 4])
@pytest.mark.parametrize("first", [1, 501])
@pytest.mark.parametrize("how", ["connected", "behind an outage"])
def test_it_is_stored_or_counted(monkeypatch, how, first, live, keeps, late_ms):
    one = OddController(monkeypatch, keeps=keeps, first_id=1000)
    one.late_ms = late_ms
    one.cart.until_ready(5000)
    one.make(5, 600)
    make_anew(one, first, how, live)
    one.away(3, 300)
    one.make(14, 300)
    one.cart.run(200000)
    twice, again, missing, gone, opened = books = one.books()
    assert twice <= again and missing <= gone + opened, (books, one.cart.gone(), one.rows())
    most = 0 if first == 1 else 500  # where the count before is not there any more it may have begun with 1
    assert gone <= missing + most, (books, one.cart.gone())


@pytest.mark.parametrize("missed", [0, 3])
@pytest.mark.parametrize("live", [0, 2])
@pytest.mark.parametrize("drops", [True, False])
@pytest.mark.parametrize("keeps", [12, 500])
@pytest.mark.parametrize("back", [2, 4, 6])
def test_nothing_is_lost_in_front_of_what_was_there_before(monkeypatch, back, keeps, drops, live, missed):
    one = OddController(monkeypatch, keeps=keeps, first_id=1000)
    one.cart.until_ready(5000)
    one.make(8, 600)
    one.cart.network.down(*CONTROLLER)
    one.cart.run(3000)
    one.cart.controller.reset_ids(1008 - back)  # it was set back to a copy, or writes too late
    if drops:
        del one.kept[-back:]
    one.make(missed, 600)
    one.cart.network.up(*CONTROLLER)
    one.cart.until_ready(60000)
    one.make(live, 600)
    one.away(3, 300)
    one.make(2, 300)
    one.cart.run(200000)
    twice, again, missing, gone, opened = books = one.books()
    assert twice <= again and gone == missing == opened == 0, (books, one.cart.gone())
