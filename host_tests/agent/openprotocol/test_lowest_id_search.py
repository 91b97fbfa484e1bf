"""The lowest ID that is kept is found, past gaps of others' IDs, in few questions."""

from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.lowest_id_search import LowestIdSearch

PORTABLE = True
HEAP = "8m"


def walked(there, above, left, most):
    """Walk down from `above` where the IDs in `there` are kept; returns the lowest and what was asked for."""
    walk = LowestIdSearch()
    requests = []
    goes_on = walk.begin(above, left, most)
    while goes_on:
        requests.append(walk.asked)
        assert len(requests) < 5000
        goes_on = walk.answered(walk.asked in there)
    return walk.lowest(), requests


def test_lowest_of_a_row_is_found_wherever_it_begins():
    for most in (1, 3, 10):
        for above in (1, 2, 3, 17, 40):
            for kept in range(above):
                there = set(range(above - kept, above))
                lowest, requests = walked(there, above, above - 1, most)
                assert lowest == above - kept, (most, above, kept)
                assert len(requests) == len(set(requests)) or most > 1
                assert 0 not in requests and all(0 < one < above for one in requests)


def test_walk_goes_over_the_wrap_and_never_asks_for_zero():
    for kept in range(1, 30):
        there = {(8 - step) % ID_PERIOD for step in range(1, kept + 1)} - {0}
        lowest, requests = walked(there, 8, ID_PERIOD // 2, 3)
        wanted = (8 - kept) % ID_PERIOD
        assert lowest == (wanted or 1) and 0 not in requests
