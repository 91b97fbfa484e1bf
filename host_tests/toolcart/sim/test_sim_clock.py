"""The simulated clock wraps where a board's does and tells the calendar right."""

import toolcart.sim.controller_model  # noqa: F401 - first: imports nest, and from deeper down this port's stack is too small
from toolcart.base.clock import Dice, SimClock, calendar, stamp_text
from host_tests.portable import error_of

PORTABLE = True
HEAP = "512k"


def test_stamp_moves_with_the_time():
    clock = SimClock()
    clock.advance(7 * 1000 + 999)
    assert clock.stamp() == "2024-03-14:09:27:00"


def test_calendar_knows_leap_years_and_centuries():
    assert calendar(0) == (1970, 1, 1, 0, 0, 0)
    assert calendar(951782399) == (2000, 2, 28, 23, 59, 59)
    assert calendar(951782400) == (2000, 2, 29, 0, 0, 0)
    assert calendar(951868800) == (2000, 3, 1, 0, 0, 0)
    assert stamp_text(1735689599) == "2024-12-31:23:59:59"
    assert stamp_text(4107542400) == "2100-03-01:00:00:00"


def test_clock_does_not_run_backwards():
    error_of(lambda: SimClock().advance(-1), ValueError)


def test_dice_give_the_same_numbers_everywhere_and_stay_in_range():
    dice = Dice(7)
    rolls = [dice.randrange(2, 5) for _ in range(50)]
    assert set(rolls) == {2, 3, 4}
    again = Dice(7)
    assert rolls == [again.randrange(2, 5) for _ in range(50)]
    assert 0 <= dice.randrange(3) < 3
