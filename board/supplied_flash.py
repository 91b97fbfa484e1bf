"""A flash device that is written to only while the chip's supply is above a limit: a brown-out spoils what it hits.

Rules
1. The supply is read before every program and every erase, by one call that allocates nothing.
2. Below the limit both return FLASH_IO: the log then withholds the acknowledgement, so the controller keeps its
   results, and the agent tries again as with any flash that fails (toolcart.agent.log.flash rule 4).
3. `supply` is [pin, limit, least_mv]: the limit in the ADC's own figures, computed by toolcart.tools.flash.pins.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.flash import FLASH_IO, REFUSED_SUPPLY

_PROBE_MS = const(2000)


class SuppliedFlash:
    """Wraps another device; `read` returns the ADC's figure."""

    __slots__ = (
        "_device",
        "_is_low",
        "_read",
        "_supply",
        "block_bytes",
        "block_count",
        "read_into",
        "refused",
        "unit_bytes",
    )

    def __init__(self, device, read, supply):
        self.unit_bytes = device.unit_bytes
        self.block_bytes = device.block_bytes
        self.block_count = device.block_count
        self.read_into = device.read_into
        self.refused = 0
        self._device = device
        self._is_low = False  # it was at the last operation
        self._read = read
        self._supply = supply

    def program(self, address, buf, n):
        return FLASH_IO if self._refuses() else self._device.program(address, buf, n)

    def erase(self, block):
        return FLASH_IO if self._refuses() else self._device.erase(block)

    def refusal(self):
        """Return REFUSED_SUPPLY while the supply is too low, else what the device says."""
        return REFUSED_SUPPLY if self._is_low else self._device.refusal()

    def probe_ms(self):
        """Return a pause while the supply is too low: nothing is written then."""
        return _PROBE_MS if self._is_low else 0

    def _refuses(self):
        self._is_low = self._read() < self._supply[1]
        self.refused += self._is_low
        return self._is_low

    def about(self):
        _, limit, least_mv = self._supply
        return {"mv": self._read() * least_mv // limit, "least_mv": least_mv, "refused": self.refused}
