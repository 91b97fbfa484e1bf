"""The bar that something long shows on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

STEPS = 1000


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Show a bar and give the function that moves it, which takes the share done, 0 to 1."""
    with click.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:
        done = 0

        def progress(share: float) -> None:
            nonlocal done
            step = int(share * STEPS) - done
            if step > 0:
                bar.update(step)
                done += step

        yield progress
