"""What a test needs that not every machine has: without it the test is skipped, and says what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from toolcart.base.sources import Unavailable


@contextmanager
def needed(what: str, context: AbstractContextManager) -> Iterator:
    """`made`, entered, or the test is skipped; what is Unavailable while the test runs is a failure, and no skip."""
    with ExitStack() as stack:
        try:
            value = stack.enter_context(context)
        except Unavailable as reason:
            pytest.skip(f"no {what}: {reason}")
        yield value
