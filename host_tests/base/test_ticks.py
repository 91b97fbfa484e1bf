"""Moments wrap after 2**30 ms and are still compared, added and waited for correctly."""

from toolcart.agent.base.ticks import FOREVER, TICKS_MAX, TICKS_PERIOD, Timer, ticks_add, ticks_diff

PORTABLE = True

HALF = TICKS_PERIOD // 2
# Both ends of the circle, its middle, and what lies beside them.
MOMENTS = (0, 1, 2, HALF - 1, HALF, HALF + 1, TICKS_PERIOD - 2, TICKS_PERIOD - 1)


def test_constants_are_those_of_a_32_bit_board():
    assert TICKS_PERIOD == 1 << 30
    assert TICKS_MAX == TICKS_PERIOD - 1
    assert FOREVER == HALF - 1


def test_adding_stays_on_the_circle():
    for moment in MOMENTS:
        for ms in (0, 1, 1000, HALF - 1):
            assert ticks_add(moment, ms) == (moment + ms) % TICKS_PERIOD


def test_difference_is_signed_and_the_shorter_way_round():
    for earlier in MOMENTS:
        for ms in (-HALF, -HALF + 1, -1000, -1, 0, 1, 1000, HALF - 1):
            assert ticks_diff((earlier + ms) % TICKS_PERIOD, earlier) == ms


def test_timer_expires_at_its_moment_and_not_before_whatever_the_start():
    timer = Timer()
    for start in MOMENTS:
        for ms in (1, 50, 6000, FOREVER):
            timer.start(start, ms)
            assert timer.left(start) == ms
            before = ticks_add(start, ms - 1)
            assert not timer.expired(before) and timer.left(before) == 1
            due = ticks_add(start, ms)
            assert timer.expired(due) and timer.left(due) == 0
