"""A chip's UART as the agent's serial line: `any`, `readinto`, `write` in bounded steps; nothing waits or allocates.

The device in the configuration is a UART's number, with pins if the board's own are not wanted: `0`, `1`, `1:8,9`
(transmit pin 8, receive pin 9), `1:8,9,11,10` (RTS and CTS too).

Rules
1. Reads take min(any(), room): a larger `readinto` waits for the time-out between characters on RP2 and STM32.
2. Writes are WRITE_OCTETS at a time: on STM32 `write` waits for the wire; RP2 and ESP32 put them into a buffer.
3. RS485: the driver's pin is up from the first bit to the last; `flush` waits for the last, since the other side may
   answer at once. So a message goes out in one piece there, and the loop stands still meanwhile.
4. Ports do not report overruns. A buffer found full counts as one (uart_drain_rx_fifo of ports/rp2).
5. The receive buffer holds RX_OCTETS: more than a second at 9600 baud, and the longest message that is kept whole.
"""

import select

from toolcart.agent.base.compat import const
from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, WHY_NO_DEVICE

RX_OCTETS = const(1024)
TX_OCTETS = const(256)  # more than any block of ours, so that one step takes it
WRITE_OCTETS = const(16)

_PARITY = {"none": None, "even": 0, "odd": 1}
_PINS = ("tx", "rx", "rts", "cts")
_users = {}  # by a UART's number the sockets of the board that has given it to a station


def parse_device(device):
    """Return the number and a dict of the pins from a device's text; ValueError if it is not valid."""
    number, colon, named = device.partition(":")
    pins = [int(pin) for pin in named.split(",")] if colon else []
    if len(pins) not in (0, 2, 4):
        raise ValueError("transmit and receive, or RTS and CTS as well")
    return int(number), {_PINS[index]: pins[index] for index in range(len(pins))}


def port_of(controller, make_uart, make_pin, sockets):
    """Return the closed port of a station with these `controller` settings, and what the board lacks for it, or ""."""
    port = UartPort(controller, make_uart, make_pin, sockets)
    port.open(controller["device"], controller["baud"])
    missing = ""
    if port.why:
        missing = "UART %s: this chip has none of this number, or not at these pins" % controller["device"]
    elif port.is_another_s():
        missing = "UART %s: another station has it" % controller["device"]
        controller["device"] = ""  # so that the intake, which opens it, never does
    port.close()
    return port, missing


class UartPort:
    """One UART (toolcart.agent.link.port); `make_uart` and `make_pin` are machine.UART and machine.Pin."""

    def __init__(self, settings, make_uart, make_pin, sockets):
        self.parity = _PARITY[settings["parity"]]
        self.stop_bits = settings["stop_bits"]
        self._has_flow = settings["flow"] == "rts_cts"
        self._invert = settings["invert"]
        self._rs485 = settings["rs485"]
        self._driver = None  # the pin of RS485's driver
        self._full = 0
        self._number = -1
        self._most = WRITE_OCTETS
        self.sock = None  # the UART
        self.slot = -1
        self.events = 0
        self.why = 0
        self.why_code = 0
        self._sockets = sockets
        self._make_uart = make_uart
        self._make_pin = make_pin

    def open(self, device, baud):
        """Set the UART up; if the chip lacks the number or the pins the port stays closed."""
        self.close()
        self.why = 0
        try:
            self._number, pins = parse_device(device)
            uart = self._make_uart
            settings = {
                "baudrate": baud,
                "bits": 8,
                "parity": self.parity,
                "stop": self.stop_bits,
                "rxbuf": RX_OCTETS,
                "txbuf": TX_OCTETS,
                "timeout": 0,
                "timeout_char": 0,
                "flow": uart.RTS | uart.CTS if self._has_flow else 0,  # a chip keeps settings that are not given
                "invert": uart.INV_TX | uart.INV_RX if self._invert else 0,
            }
            for name in pins:
                settings[name] = self._make_pin(pins[name])
            if self._rs485:
                self._driver = self._make_pin(int(self._rs485), self._make_pin.OUT, value=0)
                self._most = TX_OCTETS
            self.sock = uart(self._number, **settings)
            self._full = 0
            self._sockets.listen(self, self.sock, select.POLLIN)
        except (OSError, ValueError):
            self.sock = None
            self.why = WHY_NO_DEVICE

    def is_another_s(self):
        """True if the board has given this UART to another station; from now on it is this one's."""
        is_given = _users.get(self._number) is self._sockets
        _users[self._number] = self._sockets
        return is_given

    def state(self):
        return PORT_CLOSED if self.sock is None else PORT_OPEN

    def readinto(self, buf, n):
        """Read what there is, up to n bytes, into buf[0:]; an unplugged cable looks like silence here."""
        uart = self.sock
        if uart is None:
            return PORT_LOST
        have = uart.any()
        if have >= RX_OCTETS:
            self._full += 1
        if have < n:
            n = have
        if n == 0:
            return 0
        return uart.readinto(buf, n) or 0

    def write(self, buf, start, n):
        """Write as much of buf[start:start+n] as one step takes; return how many bytes were taken."""
        uart = self.sock
        if uart is None:
            return PORT_LOST
        if n > self._most:
            n = self._most
        driver = self._driver
        if driver is None:
            return uart.write(buf, start, n) or 0
        driver.value(1)
        try:
            n = uart.write(buf, start, n) or 0
            uart.flush()
        except OSError:
            pass  # it took longer than these bytes can
        driver.value(0)
        return n

    def overruns(self):
        """Return how often the buffer was found full since the line was opened."""
        return self._full

    def close(self):
        if self.sock is not None:
            self._sockets.forget(self.sock)
            self.sock.deinit()
        self.sock = None
