"""ESP32: Wi-Fi, wired Ethernet with a LAN8720, the lamp, and a partition for the spool."""

# pyrefly: ignore-errors[unexpected-keyword]
# (the stubs know only LAN(id), the firmware takes what is given below)

import machine

from toolcart.board.chip import Board as ChipBoard
from toolcart.board.chip import host_name


class Esp32:
    """What differs from other chips."""

    timer = 0  # the number of a hardware timer: there are no others (ports/esp32/machine_timer.c)

    def radio(self, settings):
        """Return the station interface."""
        import network

        if settings["country"]:
            network.country(settings["country"])
        network.hostname(host_name())
        return network.WLAN(network.STA_IF)

    def ethernet(self, pins):
        """Return the LAN8720 at these pins (toolcart.tools.flash.pins)."""
        import network

        pin = machine.Pin
        mdc, mdio, power, reset = [pin(number) if number >= 0 else None for number in pins[:4]]
        address, clock_in, clock_out = pins[4:]
        clock = {}
        if clock_in >= 0 or clock_out >= 0:
            clock["ref_clk"] = pin(clock_out if clock_out >= 0 else clock_in)
            clock["ref_clk_mode"] = pin.OUT if clock_out >= 0 else pin.IN
        kind = network.PHY_LAN8720
        return network.LAN(mdc=mdc, mdio=mdio, power=power, reset=reset, phy_type=kind, phy_addr=address, **clock)

    def lamp_pin(self, name):
        """Return the lamp; boards differ, so there is one only if the configuration names it."""
        if not name:
            return None
        return machine.Pin(int(name) if name.isdigit() else name, machine.Pin.OUT)

    def supply(self, pin):
        """Return what reads the supply: microvolts at the pin, calibrated."""
        return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB).read_uv

    def raw_flash(self):
        """Return the partition of the spool; None if the table has none."""
        from toolcart.board.esp32 import flash as esp32_flash

        return esp32_flash.ring()


class Board(ChipBoard):
    """The board of an ESP32."""

    def __init__(self, configuration):
        super().__init__(configuration, Esp32())
