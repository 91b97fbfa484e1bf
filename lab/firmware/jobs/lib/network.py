"""In /lib of a simulated RP2040 this stands for the driver of a W5500: a cable that is always plugged in."""


class WIZNET5K:
    """The interface as toolcart.board.rp2.board makes it and board.network checks it."""

    def __init__(self, spi, chip_select, reset, interrupt):
        pass

    def active(self, on):
        """Do nothing: it is always active."""

    def isconnected(self):
        """Return True: the cable is plugged in."""
        return True

    def ipconfig(self, what):
        """Return the address and its mask."""
        return ("127.0.0.1", "255.0.0.0")
