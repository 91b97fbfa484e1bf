"""Every way in which the log and its state can be cut, on small flashes: nothing acknowledged is lost.

A part of it in the normal run, all of it with --long. What is checked stands in host_tests.support.log_proof; a fault
ends with a way that `replay` there follows again, operation by operation.
"""

import pytest

from toolcart.base.clock import Dice
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from host_tests.support.log_promise import APPEND, APPEND_NEW, GIVE, GIVE_ALL, GIVE_SAVE, MAINTAIN, SAVE, Shape
from host_tests.support.log_proof import Explorer, LostState, StateExplorer, WornStateExplorer, bases, replay
from lab.harness.flash import BAD, NEW, UNTOUCHED

ALL = APPEND + APPEND_NEW + GIVE + GIVE_SAVE + GIVE_ALL + SAVE + MAINTAIN
DAILY = APPEND + GIVE + GIVE_SAVE + GIVE_ALL
TWO, THREE = 512, 768  # octets of a state block of two and of three slots
SHAPES = [
    Shape(state_bytes=state, log_blocks=blocks, when_full=full)
    for state in (TWO, THREE)
    for blocks in (3, 4)
    for full in (0, 1)
]
SOME = SHAPES if LONG else [SHAPES[0], SHAPES[7]]
FEW = SHAPES if LONG else [SHAPES[0], SHAPES[7]]
FLICKERING = [
    Shape(state_bytes=state, log_blocks=3, when_full=full, flickers=True) for state in (TWO, THREE) for full in (0, 1)
]
FINE = [Shape(unit=unit, log_blocks=3, log_bytes=640, payload=190) for unit in (16, 64)]
EMPTY_AND_MORE = 40  # images at rest of one shape in the normal run
MANY = 400


def named(shape):
    return shape.name


def explore(explorer, cuts, share, share_long):
    """Explore from one in `share` of some images at rest, in the long run from one in `share_long` of many."""
    rest = bases(explorer.shape, MANY if LONG else EMPTY_AND_MORE)
    share = share_long if LONG else share
    for image, promise, way in rest[share // 2 :: share]:
        explorer.explore(image, promise, cuts, (way,))
    print("%s: %d images, %d sessions" % (explorer.shape.name, explorer.images, explorer.sessions))
    assert explorer.images > 1


@pytest.mark.parametrize("shape", SOME, ids=named)
def test_one_cut_loses_nothing(shape):
    explore(Explorer(shape, ALL, 1), 1, 10, 2)


@pytest.mark.parametrize("shape", FEW if LONG else FEW[1:], ids=named)
def test_two_cuts_lose_nothing(shape):
    explore(Explorer(shape, DAILY, 1), 2, EMPTY_AND_MORE, 16)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FEW, ids=named)
def test_one_cut_in_sessions_of_three_operations_loses_nothing(shape):
    explore(Explorer(shape, DAILY + MAINTAIN, 3), 1, EMPTY_AND_MORE, 8)


@pytest.mark.parametrize("shape", FEW if LONG else FEW[:1], ids=named)
def test_one_refused_operation_and_a_cut_lose_nothing(shape):
    explore(Explorer(shape, ALL, 1, refusals=(UNTOUCHED, BAD, NEW)), 1, EMPTY_AND_MORE, 4)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FLICKERING, ids=named)
def test_units_that_read_otherwise_at_each_start_lose_nothing(shape):
    explore(Explorer(shape, DAILY, 1), 1, 8, 2)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("shape", FINE, ids=named)
def test_records_of_several_units_are_as_safe(shape):
    explore(Explorer(shape, ALL, 1), 1, 8, 2)


@pytest.mark.parametrize("shape", [s for s in SHAPES if not s.when_full][:: 1 if LONG else 2], ids=named)
def test_without_its_state_log_still_has_all_that_no_one_has_taken(shape):
    explore(LostState(shape, DAILY + MAINTAIN, 1), 1, 20, 2)


@pytest.mark.long("another shape, the same cuts")
@pytest.mark.parametrize("worn", [(0,), (1,), (2,), (3,), (1, 3)])
def test_worn_blocks_of_state_cost_nothing_as_long_as_two_are_left(worn):
    explore(Explorer(Shape(log_blocks=4), DAILY, 1, worn=worn), 1, 8, 2)


@pytest.mark.parametrize(("slots", "flickers"), each_choice((TWO, THREE), (True, False)))
def test_a_state_that_was_saved_is_read_again(slots, flickers):
    """From no, some and all blocks in use on."""
    for saves, cuts in [(1, 1 + (LONG or slots == TWO)), (2, 1 + LONG), (4, 1 + LONG)]:
        explorer = StateExplorer(Shape(state_bytes=slots, flickers=flickers), SAVE, saves)
        for starts in (0, 3, 4, 5, 6):
            explorer.explore_after(starts, cuts + (LONG and not flickers))
        assert explorer.images > 40


@pytest.mark.long("two cuts on worn blocks")
@pytest.mark.parametrize("worn", [(0, 1), (1, 3)])
@pytest.mark.parametrize(("slots", "kind"), [(TWO, StateExplorer), (THREE, WornStateExplorer)])
def test_with_two_worn_blocks_two_cuts_leave_a_state(slots, kind, worn):
    """The twin of one opening reads well once and fades, and the other block was erased because of it."""
    explorer = kind(Shape(state_bytes=slots), SAVE, 1, worn=worn)
    for starts in (0, 2, 3, 4):
        explorer.explore_after(starts, 2)
    assert explorer.images > 40


@pytest.mark.parametrize("shape", SOME + (FLICKERING if LONG else FLICKERING[1:3]), ids=named)
def test_three_and_four_cuts_at_random_lose_nothing(shape):
    explorer = Explorer(shape, ALL, 1)
    dice = Dice(17)
    rest = bases(shape, 400 if LONG else EMPTY_AND_MORE)
    for _ in range(5000 if LONG else 30):
        image, promise, way = rest[dice.randrange(len(rest))]
        explorer.sample(image, promise, 3 + dice.randrange(2), dice, (way,))


def test_a_way_that_once_lost_something_loses_nothing():
    """Two blocks of copies and no state: the newer one reaches further."""
    replay(Shape(), "/A/S/A/M/lose", report=lambda line: None, kind=LostState)
