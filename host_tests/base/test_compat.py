"""The one place where the interpreters differ gives the same number on both."""

from toolcart.agent.base import compat
from toolcart.agent.base.compat import const

PORTABLE = True


def test_const_is_the_number_itself():
    assert const(0) == 0
    assert const(0x3FFFFFFF) == 1073741823
    assert const(-2) == -2


def test_constants_of_other_modules_can_be_read_from_outside():
    # A name with an underscore would be gone on MicroPython: what is used from outside has none.
    from toolcart.agent.base import ticks
    from toolcart.agent.link import LINK_BROKEN

    assert ticks.TICKS_MAX == 0x3FFFFFFF and LINK_BROKEN == -1
    assert hasattr(compat, "const")
