"""A walk finds the lowest ID that is kept, past holes of others' IDs, in few questions."""

from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.walk import Walk
from toolcart.base.clock import Dice

PORTABLE = True


def walked(there, above, left, most):
    """Walk down from `above` where the IDs in `there` are kept; returns the lowest and what was asked for."""
    walk = Walk()
    asked = []
    goes_on = walk.begin(above, left, most)
    while goes_on:
        asked.append(walk.asked)
        assert len(asked) < 5000
        goes_on = walk.hear(walk.asked in there)
    return walk.lowest(), asked


def test_lowest_of_a_row_is_found_wherever_it_begins():
    for most in (1, 3, 10):
        for above in (1, 2, 3, 17, 40):
            for kept in range(above):
                there = set(range(above - kept, above))
                lowest, asked = walked(there, above, above - 1, most)
                assert lowest == above - kept, (most, above, kept)
                assert len(asked) == len(set(asked)) or most > 1
                assert 0 not in asked and all(0 < one < above for one in asked)


def test_holes_shorter_than_the_run_that_ends_it_do_not_end_it():
    dice = Dice(7)
    for _ in range(200):
        most = dice.randrange(1, 12)
        there = set()
        ident = 5000
        for _ in range(dice.randrange(60)):
            ident -= dice.randrange(1, most + 1)
            there.add(ident)
        assert walked(there, 5000, 4999, most)[0] == min(there | {5000})


def test_thousands_that_are_kept_cost_a_handful_of_questions():
    there = set(range(5001, 10001))
    lowest, asked = walked(there, 10000, 9999, 10)
    assert lowest == 5001 and len(asked) < 110
    lowest, asked = walked(there, 10000, 9999, 100)
    assert lowest == 5001 and len(asked) < 600


def test_few_that_are_kept_cost_little_more_than_a_plain_walk():
    for kept in (1, 3, 8, 20, 40):
        lowest, asked = walked(set(range(1000 - kept, 1000)), 1000, 999, 10)
        assert lowest == 1000 - kept and len(asked) <= kept + 10 + 12


def test_nothing_below_what_is_of_interest_is_asked_for():
    there = set(range(1, 200))
    for left in (0, 1, 2, 7, 50):
        lowest, asked = walked(there, 100, left, 10)
        assert lowest == 100 - left and all(100 - left <= one < 100 for one in asked)
        lowest, asked = walked(set(), 100, left, 10)
        assert lowest == 100 and all(100 - left <= one < 100 for one in asked)


def test_walk_goes_over_the_wrap_and_never_asks_for_zero():
    for kept in range(1, 30):
        there = {(8 - step) % ID_PERIOD for step in range(1, kept + 1)} - {0}
        lowest, asked = walked(there, 8, ID_PERIOD // 2, 3)
        wanted = (8 - kept) % ID_PERIOD
        assert lowest == (wanted or 1) and 0 not in asked
