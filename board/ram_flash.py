"""A flash device in RAM: for tests, and for a copy of what a board has."""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill
from toolcart.agent.log.flash import FLASH_DONE, REFUSED_NOTHING

_ERASED = const(0xFF)


class RamFlash:
    """So many blocks, all erased at first. `wears` is that of the device that it is a copy of."""

    __slots__ = ("block_bytes", "block_count", "cells", "unit_bytes", "wears")

    def __init__(self, block_count=16, block_bytes=4096, unit_bytes=256, wears=True):
        self.unit_bytes = unit_bytes
        self.block_bytes = block_bytes
        self.block_count = block_count
        self.wears = wears
        self.cells = bytearray(b"\xff" * (block_count * block_bytes))

    def read_into(self, address, buf, n):
        copy(buf, 0, self.cells, address, n)
        return FLASH_DONE

    def program(self, address, buf, n):
        copy(self.cells, address, buf, 0, n)
        return FLASH_DONE

    def erase(self, block):
        fill(self.cells, block * self.block_bytes, self.block_bytes, _ERASED)
        return FLASH_DONE

    def refusal(self):
        return REFUSED_NOTHING
