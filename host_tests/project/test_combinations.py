"""The usual run leaves out combinations, and no value and no pair that was asked for; the long run has them all."""

from itertools import combinations, product

import pytest

from host_tests.support import combinations as chosen

PARAMETERS = [([1, 2], "abc"), ([1, 2, 3], "abc", [True, False]), ("abcd", "abcd", "xyz", "pq"), ("a", "bcd")]


@pytest.fixture(params=[False, True], ids=["usual", "long"])
def is_long(request, monkeypatch):
    monkeypatch.setattr(chosen, "LONG", request.param)
    return request.param


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_each_pair_is_in_a_row(is_long, parameters):
    rows = chosen.all_pairs(*parameters)
    assert len(rows) == len(set(rows)) and set(rows) <= set(product(*parameters))
    for one, other in combinations(range(len(parameters)), 2):
        assert {(row[one], row[other]) for row in rows} == set(product(parameters[one], parameters[other]))
    everything = list(product(*parameters))
    assert rows == everything if is_long else len(rows) < len(everything) or len(parameters) == 2


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_each_value_is_in_a_row(is_long, parameters):
    rows = chosen.each_choice(*parameters)
    for at, values in enumerate(parameters):
        assert {row[at] for row in rows} == set(values)
    assert rows == list(product(*parameters)) if is_long else len(rows) == max(map(len, parameters))


def test_every_such_one_is_chosen(is_long):
    assert chosen.some([1, 2, 3, 4, 5], 2) == ([1, 2, 3, 4, 5] if is_long else [1, 3, 5])
