"""A simulated chip that has been running for half a minute, for the tests of what talks to one."""

import contextlib

from toolcart.base.cache import Unavailable
from host_tests.portable import Skip
from lab.chips.chip import Chip


@contextlib.contextmanager
def running_chip():
    """An RP2 with its program up; Skip if it cannot be simulated here."""
    try:
        chip = Chip("rp2")
    except Unavailable as reason:
        raise Skip(str(reason)) from None
    with chip:
        chip.run(30000)
        yield chip
