"""Works on many things side by side; the results come in the order of the things."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def side_by_side(
    things: Sequence[Thing], place_of: Callable[[Thing], Hashable], work: Callable[[Thing], Result]
) -> Iterator[Result]:
    """Yield the result of each thing as soon as all results before it are there.

    Things of one place are worked on one after the other. A caller that stops early waits for what is under way.
    """
    told: list[Future[Result]] = [Future() for _ in things]
    places: dict[Hashable, list[int]] = {}
    for index, thing in enumerate(things):
        places.setdefault(place_of(thing), []).append(index)

    def at_one_place(indexes: list[int]) -> None:
        for index in indexes:
            try:
                told[index].set_result(work(things[index]))
            except BaseException as error:
                told[index].set_exception(error)

    pool = ThreadPoolExecutor(AT_ONCE, "asking")
    try:
        for indexes in places.values():
            pool.submit(at_one_place, indexes)
        for future in told:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
