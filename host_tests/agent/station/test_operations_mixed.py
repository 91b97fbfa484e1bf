"""MID 1201 and 1202 in any order, doubled, missing, of two results mixed: each result once and whole, or counted."""

import random

import pytest

from host_tests.portable import LONG
from host_tests.support import mixed_operations as mixed
from host_tests.support.mixed_operations import MixedOperations

KINDS = (
    ("mt-focus-6000", 1, (1, 2, 3)),
    ("mt-focus-6000", 1, (1,)),
    ("stepsync", 1, (1,)),
    ("stepsync", 2, (1,)),
    ("stepsync", 3, (2, 3)),
)


def life(monkeypatch, seed):
    """Live through what this seed draws; return the controller."""
    dice = random.Random(seed)
    profile, objects, revisions = dice.choice(KINDS)
    ways = dice.choice((mixed.ORDERS, mixed.REPEATS, mixed.LOSSES, mixed.ORDERS + mixed.REPEATS + mixed.LOSSES))
    options = {"operations": revisions, "operation_history": dice.random() < 0.6}
    if profile == "stepsync":
        options["objects"] = objects
    one = MixedOperations(
        monkeypatch,
        seed,
        profile,
        pushes=mixed.USUAL * dice.choice((0, 2)) + ways,
        answers=dice.choice((mixed.USUAL, mixed.USUAL, mixed.USUAL + mixed.ORDERS, mixed.USUAL + ways)),
        mixes=dice.choice((0, 0, 0.4)),
        resumes=dice.choice(("nothing", "rest", "anew")),
        **options,
    )
    cart = one.cart
    cart.ready().run(3000)
    for _ in range(dice.choice((2, 3, 5))):
        one.make(dice.choice((1, 2, 5)), dice.choice((40, 700, 2500)))
        how = dice.choice(("run", "run", "drop", "down", "cut", "ends"))
        if how == "drop" and cart.controller.sessions:
            cart.controller.drop()
        elif how == "ends" and cart.controller.sessions:
            session = cart.controller.sessions[0]
            session.drop_sent = session.count_sent + dice.choice((1, 2, 3, 4))
            one.make(dice.choice((1, 2)), 200)
        elif how in ("down", "cut"):
            one.away(dice.choice((0, 1, 4)), how == "cut")
        one.judge_acknowledged()
        cart.run(dice.choice((500, 12000, 70000)))
        one.judge_acknowledged()
    one.mixes = 0  # what waits for another push gets one
    cart.until(cart.is_ready, 120000)
    cart.run(1000)
    one.make(1, 1500)  # shows what was made before it
    cart.run(180000)
    return one


@pytest.mark.parametrize("seed", range(100 if LONG else 8))
def test_whatever_comes_of_the_parts_each_result_is_stored_once_and_whole_or_counted(monkeypatch, seed):
    life(monkeypatch, seed).judge()
