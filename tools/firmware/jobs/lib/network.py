"""Lies in /lib of a simulated RP2040 and stands for the driver of a W5500: a cable that is always there."""


class WIZNET5K:
    """The interface as board.rp2 makes it and board.network looks at it."""

    def __init__(self, spi, chip_select, reset):
        self._address = ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def active(self, on):
        """It is."""

    def isconnected(self):
        """The cable is in."""
        return True

    def ifconfig(self, fixed=None):
        """Take or tell the address."""
        if fixed is not None:
            self._address = fixed
        return self._address
