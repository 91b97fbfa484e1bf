"""The one place where the interpreters differ gives the same number on both."""

from toolcart.agent.base import compat

PORTABLE = True


def test_constants_of_other_modules_can_be_read_from_outside():
    # A name with an underscore would be gone on MicroPython: what is used from outside has none.
    from toolcart.agent.base import ticks
    from toolcart.agent.link import LINK_BROKEN

    assert ticks.TICKS_MAX == 0x3FFFFFFF and LINK_BROKEN == -1
    assert hasattr(compat, "const")
