"""Results that a controller made and this client did not get."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Missed:
    """Results that a controller made, that did not come and cannot be fetched: `ids`, and `reason` in words.

    It stands in the stream of results where they belong. `ids` is empty where they cannot be known. A controller that
    keeps results for pushing longer than for MID 0064 may push one of them later: it is given then.

    >>> import toolcart
    >>> print(toolcart.Missed(range(7, 10), "the controller has them no more"))
    results 7 to 9 are missing: the controller has them no more
    """

    ids: range
    reason: str

    def __str__(self) -> str:
        if not self.ids:
            return f"results may be missing: {self.reason}"
        if len(self.ids) == 1:
            return f"result {self.ids[0]} is missing: {self.reason}"
        return f"results {self.ids[0]} to {self.ids[-1]} are missing: {self.reason}"
