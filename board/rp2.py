"""RP2040 and RP2350: Wi-Fi of the Pico W, Ethernet by a W5500 on SPI0, the lamp, and the flash behind the file system.

Pins of the W5500 are those of the maker's own board (W5500-EVB-Pico): SCK 18, MOSI 19, MISO 16, CS 17, RST 20.
The driver is in the firmware built for that board; another firmware says so at the start.
"""

import machine

from agent.base.compat import const
from board.chip import Board as ChipBoard

W5500_SPI = const(0)
W5500_HZ = 20000000  # the wires between two boards take more only when they are short
W5500_SCK = const(18)
W5500_MOSI = const(19)
W5500_MISO = const(16)
W5500_CS = const(17)
W5500_RST = const(20)


class Rp2:
    """What differs from other chips."""

    timer = -1  # the number of a timer in software: there are no others (ports/rp2/machine_timer.c)

    def radio(self, settings):
        """Return the station interface of the Pico W."""
        import network
        import rp2

        if settings["country"]:
            rp2.country(settings["country"])
        network.hostname(settings["hostname"])
        return network.WLAN(network.STA_IF)

    def ethernet(self):
        """Return the W5500."""
        import network

        pin = machine.Pin
        spi = machine.SPI(W5500_SPI, W5500_HZ, mosi=pin(W5500_MOSI), miso=pin(W5500_MISO), sck=pin(W5500_SCK))
        return network.WIZNET5K(spi, pin(W5500_CS), pin(W5500_RST))  # type: ignore[attr-defined]

    def lamp_pin(self, name):
        """Return the lamp: the board's own, or the pin that the configuration names."""
        return machine.Pin(int(name) if name.isdigit() else name or "LED", machine.Pin.OUT)

    def raw_flash(self):
        """Return the flash behind the file system; None on firmware that leaves none."""
        from board import rp2_flash

        return rp2_flash.ring()


class Board(ChipBoard):
    """The board of an RP2."""

    def __init__(self, configuration):
        from board import rp2_flash

        super().__init__(configuration, Rp2())
        said = rp2_flash.other_division()
        if said:
            self.said.append(said)
