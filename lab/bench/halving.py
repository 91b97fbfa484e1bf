"""The least heap in which something runs, by halving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def least(
    runs: Callable[[int], Answer | None],
    low: int,
    high: int,
    step: int,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[int | None, Answer | None]:
    """Return the least multiple of `step` above `low` for which `runs` has an answer, and the answer for `high`.

    Both are None if even `high` is too small; `progress` gets the share done, 0 to 1.
    """
    most = runs(high)
    if most is None:
        return None, None
    below, above = low // step, high // step
    steps = above - below
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if runs(middle * step) is not None else (middle, above)
        progress(1 - (above - below) / steps)
    return above * step, most
