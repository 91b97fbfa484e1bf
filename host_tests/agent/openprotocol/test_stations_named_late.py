"""Stations share the IDs, and the session began in a revision that does not say which one is ours."""

import pytest

from host_tests.support.world import Cart

STARTS = {"each": (1, 2, 3, 4, 5, 6), "6 alone": (6,), "5 at most": (1, 2, 3, 4, 5)}


def cart_at(starts=(1, 2, 3, 4, 5, 6), **options):
    options = {"start_revisions": starts, "recover_revisions": (7,), "answers_below": True, "elsewhere": 2, **options}
    identity = {"system_type": 1}
    return Cart(controller={"identity": identity, **options}, blocks=48)


def live(cart, outages=2):
    """Return the IDs of what was made here."""
    cart.until_ready(5000)
    for _ in range(outages):
        cart.produce(3, 1300)
        cart.settle()
        cart.miss(4, 1300)
        cart.settle()
    return list(cart.controller.produced)


@pytest.mark.parametrize("below", (True, False))
@pytest.mark.parametrize("starts", STARTS)
def test_results_of_another_station_are_not_stored(starts, below):
    cart = cart_at(STARTS[starts], answers_below=below)
    made = live(cart)
    assert sorted(cart.stored_ids()) == sorted(made)


def test_a_start_asks_for_the_name_once_more():
    cart = cart_at()
    made = live(cart, 1)
    cart.cut()
    made = live(cart, 1)
    assert sorted(cart.stored_ids()) == sorted(made)
