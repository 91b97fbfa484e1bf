"""RP2040 and RP2350: Wi-Fi of the Pico W, Ethernet by a WIZnet chip on SPI, lamp, flash behind the file system.

The driver is in the firmware of the maker's own boards (W5100S- and W5500-EVB-Pico); without it the start says so.
"""

import machine

from toolcart.agent.base.compat import const
from toolcart.board.chip import Board as ChipBoard
from toolcart.board.chip import host_name
from toolcart.board.rp2 import flash as rp2_flash

W5500_HZ = const(20000000)  # the wires between two boards take more only if they are short


class Rp2:
    """What differs from other chips."""

    timer = -1  # the number of a software timer: there are no others (ports/rp2/machine_timer.c)

    def radio(self, settings):
        """Return the station interface of the Pico W."""
        import network
        import rp2

        if settings["country"]:
            rp2.country(settings["country"])
        network.hostname(host_name())
        return network.WLAN(network.STA_IF)

    def ethernet(self, pins):
        """Return the W5500 at these pins (toolcart.tools.flash.pins)."""
        import network

        sck, mosi, miso, *others = [machine.Pin(number) for number in pins if number >= 0]
        spi = machine.SPI(pins[0] >> 3 & 1, W5500_HZ, mosi=mosi, miso=miso, sck=sck)
        return network.WIZNET5K(spi, *others)  # type: ignore - only firmware for a W5500 has it

    def lamp_pin(self, name):
        """Return the lamp: the board's own, or the pin that the configuration names."""
        return machine.Pin(int(name) if name.isdigit() else name or "LED", machine.Pin.OUT)

    def supply(self, pin):
        """Return what reads the supply: 65536 is 3.3 V at the pin."""
        return machine.ADC(machine.Pin(pin)).read_u16

    def raw_flash(self):
        """Return the flash behind the file system; None if the firmware leaves none."""
        return rp2_flash.ring()


class Board(ChipBoard):
    """The board of an RP2."""

    def __init__(self, configuration):
        super().__init__(configuration, Rp2())
        message = rp2_flash.other_division()
        if message:
            self.messages.append(message)
