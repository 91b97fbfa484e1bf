"""ESP32: Wi-Fi, wired Ethernet by a LAN8720, the lamp, and a partition for the spool.

Pins of the LAN8720 are those of the common boards (WT32-ETH01, Olimex ESP32-POE): MDC 23, MDIO 18, and address 1 or 0
as the board straps it; the clock comes from outside on GPIO0.
"""

# pyright: reportCallIssue=false
# (the stubs know LAN(id) only, the firmware takes what is given below)

import machine

from agent.base.compat import const
from board.chip import Board as ChipBoard

LAN_MDC = const(23)
LAN_MDIO = const(18)
LAN_POWER = const(16)
LAN_PHY_ADDRESS = const(1)


class Esp32:
    """What differs from other chips."""

    timer = 0  # the number of a timer in hardware: there are no others (ports/esp32/machine_timer.c)

    def radio(self, settings):
        """Return the station interface."""
        import network

        if settings["country"]:
            network.country(settings["country"])
        network.hostname(settings["hostname"])
        return network.WLAN(network.STA_IF)

    def ethernet(self):
        """Return the wired interface."""
        import network

        pin = machine.Pin
        return network.LAN(
            mdc=pin(LAN_MDC),
            mdio=pin(LAN_MDIO),
            power=pin(LAN_POWER),
            phy_type=network.PHY_LAN8720,
            phy_addr=LAN_PHY_ADDRESS,
        )

    def lamp_pin(self, name):
        """Return the lamp; boards differ, so there is one only where the configuration names it."""
        if not name:
            return None
        return machine.Pin(int(name) if name.isdigit() else name, machine.Pin.OUT)

    def raw_flash(self):
        """Return the partition of the spool; None on a table that has none."""
        from board import esp32_flash

        return esp32_flash.ring()


class Board(ChipBoard):
    """The board of an ESP32."""

    def __init__(self, configuration):
        super().__init__(configuration, Esp32())
