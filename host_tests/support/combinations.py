"""Which combinations of parameters a test has: all of them in the long run, else few that cover what matters.

all_pairs([1, 2], "ab", [True, False]) -> in the usual run four rows, in which each two values meet
each_choice([1, 2, 3], "ab")           -> in the usual run (1, "a"), (2, "b"), (3, "a"): each value is in one
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

from host_tests.portable import LONG


def all_pairs(*parameters: Sequence[object]) -> list[tuple]:
    """Rows of a value of each parameter, such that any two values of two parameters are together in one of them."""
    rows = list(product(*[range(len(values)) for values in parameters]))
    if not LONG:
        rows = _covering(rows)
    return [_values(parameters, row) for row in rows]


def each_choice(*parameters: Sequence[object]) -> list[tuple]:
    """As many rows as the longest parameter has values, such that each value is in one of them."""
    if LONG:
        return list(product(*parameters))
    count = max(len(values) for values in parameters)
    return [_values(parameters, [at % len(values) for values in parameters]) for at in range(count)]


def some(rows: Sequence[object], every: int) -> Sequence[object]:
    """All rows in the long run, else every such one, from the first on."""
    return rows if LONG else rows[::every]


def _values(parameters: Sequence[Sequence[object]], places: Sequence[int]) -> tuple:
    return tuple(values[place] for values, place in zip(parameters, places, strict=True))


def _covering(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Take the row that has the most pairs which none has yet, until there are none."""
    pairs = {row: set(combinations(enumerate(row), 2)) for row in rows}
    left = set().union(*pairs.values())
    taken = []
    while left:
        best = max(rows, key=lambda row: len(pairs[row] & left))
        left -= pairs[best]
        taken.append(best)
    return sorted(taken)
