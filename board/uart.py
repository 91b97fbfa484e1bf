"""A chip's UART as the agent's serial line: `any`, `readinto`, `write` in bounded steps; nothing waits or allocates.

The device in the configuration is a UART's number, with pins where the board's own are not wanted: `0`, `1`, `1:8,9`
(transmit pin 8, receive pin 9).

Rules
1. Reads take min(any(), room): a larger `readinto` waits for the time-out between characters on RP2 and STM32.
2. Writes are WRITE_OCTETS at a time: on STM32 `write` waits for the wire; RP2 and ESP32 put them into a buffer.
3. The receive buffer holds RX_OCTETS: more than a second at 9600 baud, and the longest message that is kept whole.
"""

import select

from agent.base.compat import const
from agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, WHY_NO_DEVICE

RX_OCTETS = const(1024)
TX_OCTETS = const(256)  # more than any block of ours, so that one step takes it
WRITE_OCTETS = const(16)

_PARITY = {"none": None, "even": 0, "odd": 1}


def parse_device(device):
    """Return (number, transmit pin or -1, receive pin or -1) of a device's text; ValueError if it is none."""
    number, _, pins = device.partition(":")
    if not pins:
        return int(number), -1, -1
    transmit, _, receive = pins.partition(",")
    return int(number), int(transmit), int(receive)


class UartPort:
    """One UART (agent.link.port); `make_uart` and `make_pin` are machine.UART and machine.Pin, `poll` the board's."""

    def __init__(self, settings, make_uart, make_pin, poll):
        self.parity = _PARITY[settings["parity"]]
        self.stop_bits = settings["stop_bits"]
        self.sock = None  # the UART; ports are known to the poll by this name
        self.slot = -1
        self.events = 0
        self.why = 0
        self.why_code = 0
        self._poll = poll
        self._make_uart = make_uart
        self._make_pin = make_pin

    def open(self, device, baud):
        """Set the UART up; a number or pins that the chip does not have leave the port closed."""
        self.close()
        self.why = 0
        try:
            number, transmit, receive = parse_device(device)
            settings = {
                "baudrate": baud,
                "bits": 8,
                "parity": self.parity,
                "stop": self.stop_bits,
                "rxbuf": RX_OCTETS,
                "txbuf": TX_OCTETS,
                "timeout": 0,
                "timeout_char": 0,
            }
            if transmit >= 0:
                settings["tx"] = self._make_pin(transmit)
                settings["rx"] = self._make_pin(receive)
            self.sock = self._make_uart(number, **settings)
            self._poll.register(self.sock, select.POLLIN)
        except (OSError, ValueError):
            self.sock = None
            self.why = WHY_NO_DEVICE

    def state(self):
        """Return PORT_CLOSED or PORT_OPEN."""
        return PORT_CLOSED if self.sock is None else PORT_OPEN

    def readinto(self, buf, n):
        """Read what is there, up to n octets, into buf[0:]; a cable that is pulled out looks like silence here."""
        uart = self.sock
        if uart is None:
            return PORT_LOST
        have = uart.any()
        if have < n:
            n = have
        if n == 0:
            return 0
        return uart.readinto(buf, n) or 0

    def write(self, buf, start, n):
        """Hand over up to WRITE_OCTETS of buf[start:start+n]; return how many were taken."""
        uart = self.sock
        if uart is None:
            return PORT_LOST
        if n > WRITE_OCTETS:
            n = WRITE_OCTETS
        return uart.write(buf, start, n) or 0

    def close(self):
        """Give the UART back."""
        if self.sock is not None:
            self._poll.unregister(self.sock)
            self.sock.deinit()
        self.sock = None
