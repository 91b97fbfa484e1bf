"""What a snapshot has room for of what ToolsNet may lack: where that ends is exact, what has no room is unknown."""

from toolcart.agent.log.doubt_range import put_width, width_of
from toolcart.agent.log.snapshot_fields import AGAIN_MOST, BOTH_MOST, DOUBT_LACKS, DOUBT_TO, NUMBERS, again_to

PORTABLE = True


def written(lacks, number, end, width):
    """Return what is read of it: up to which number results are in doubt, their width, up to which some go out."""
    numbers = [0] * NUMBERS
    numbers[DOUBT_LACKS] = lacks
    put_width(numbers, number, end, width)
    return numbers[DOUBT_TO], width_of(numbers), again_to(numbers)


def test_what_goes_out_again_ends_where_it_ends_however_long_ago_the_doubt_was():
    for far in (0, 1, BOTH_MOST, BOTH_MOST + 1, AGAIN_MOST):
        assert written(50, 70, 70 + far, 50) == (70, 50, 70 + far)
    for far in (AGAIN_MOST + 1, 3 * AGAIN_MOST):
        end = 70 + far
        assert written(50, 70, end, 50) == (end - AGAIN_MOST, -1, end), "more may lie in front of that number"


def test_a_width_is_exact_or_unknown():
    for far in (0, 1, BOTH_MOST, BOTH_MOST + 1, AGAIN_MOST + 1):
        for more in (1, BOTH_MOST, BOTH_MOST + 1, AGAIN_MOST, AGAIN_MOST + 1):
            doubt_to, width, end = written(50, 70, 70 + far, 50 + more)
            assert width in (50 + more, -1) and end == 70 + far
            assert doubt_to == 70 or width == -1
