"""Named dice: each purpose rolls its own, so that removing one event from a world does not change the others.

A text seed goes through SHA-512 inside `random.Random`, so the numbers depend on nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any


def dice(seed: int, *names: object) -> random.Random:
    """Return the dice for this purpose in the world of this seed."""
    return random.Random(":".join(["world", str(seed), *map(str, names)]))


def one_of(dice: random.Random, odds: Sequence[tuple[float, Any]]) -> Any:
    """Return one of the values, each with its weight: `one_of(d, [(3, "often"), (1, "seldom")])`."""
    at = dice.random() * sum(weight for weight, _ in odds)
    for weight, value in odds:
        at -= weight
        if at < 0:
            return value
    return odds[-1][1]
