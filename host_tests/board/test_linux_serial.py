"""Serial ports keep the port contract: pyserial on a pty, and a chip's UART."""

import array
import os
import pty
import termios
import tty

import pytest

from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, WHY_NOT_SETTABLE
from toolcart.board.linux.serial import SerialPort
from toolcart.board.uart import RX_OCTETS, WRITE_OCTETS, UartPort, parse_device

serial = pytest.importorskip("serial")


SETTINGS = {"parity": "none", "stop_bits": 1, "flow": "none", "rs485": "", "invert": False}


@pytest.fixture
def line():
    """Both ends of a pty: the peer's descriptor and the path of the port."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    for descriptor in (master, slave):
        try:
            os.close(descriptor)
        except OSError:
            pass


def opened(path, **settings):
    port = SerialPort({**SETTINGS, **settings})
    port.open(path, 9600)
    assert port.state() == PORT_OPEN, port.last_error
    return port


def test_port_reads_what_is_there_and_zero_when_nothing_is(line):
    port = opened(line[1])
    buf = bytearray(10)
    assert port.readinto(buf, 10) == 0
    os.write(line[0], b"\x02\x00\x10\x03\xff\x11\x13\x0a\x0d")
    assert port.readinto(buf, 4) == 4 and buf[:4] == b"\x02\x00\x10\x03"
    assert port.readinto(buf, 10) == 5 and buf[:5] == b"\xff\x11\x13\x0a\x0d"
    assert port.readinto(buf, 0) == 0
    port.close()


def test_unplugged_port_is_lost_and_can_be_opened_again(line):
    port = opened(line[1])
    os.close(line[0])
    assert port.readinto(bytearray(5), 5) == PORT_LOST
    assert port.write(b"xx", 0, 2) == PORT_LOST
    port.close()
    port.close()
    assert port.state() == PORT_CLOSED and port.readinto(bytearray(5), 5) == PORT_LOST


def test_port_that_is_not_there_or_taken_stays_closed_and_says_why(line):
    port = SerialPort(SETTINGS)
    port.open("/dev/no-such-adapter", 9600)
    assert port.state() == PORT_CLOSED and "no-such-adapter" in port.last_error
    first = opened(line[1])
    second = SerialPort(SETTINGS)
    second.open(line[1], 9600)
    assert second.state() == PORT_CLOSED and second.last_error
    first.close()
    second.open(line[1], 9600)
    assert second.state() == PORT_OPEN
    second.close()


def test_full_line_takes_what_it_can_and_asks_for_a_wake(line):
    port = opened(line[1])
    octets = b"x" * 100000
    taken = port.write(octets, 0, len(octets))
    assert 0 < taken < len(octets) and port.wants_out
    port.close()


def test_parity_and_two_stop_bits_are_set(line):
    port = opened(line[1], parity="even", stop_bits=2)
    assert port.sock.parity == "E" and port.sock.stopbits == 2
    port.close()


class MadeUpUart:
    """machine.UART as far as the port uses it, with the rules of ports/rp2/machine_uart.c."""

    RTS, CTS, INV_TX, INV_RX = 2, 1, 1, 2

    def __init__(self, number, **settings):
        if number > 1:
            raise ValueError("UART does not exist")
        for name, rest in (("tx", 0), ("rx", 1), ("cts", 2), ("rts", 3)):
            pin = settings.get(name)
            if pin is not None and (pin.number & 3 != rest or (pin.number + 4 & 8) >> 3 != number):
                raise ValueError(f"bad {name} pin")
        self.number = number
        self.settings = settings
        self.on_the_wire = b""
        self.inside = b""
        self.written = b""
        self.reads = []
        self.closed = False

    def any(self):
        return len(self.inside)

    def readinto(self, buf, n):
        self.reads.append(n)
        buf[0:n] = self.inside[:n]
        self.inside = self.inside[n:]
        return n

    def write(self, buf, start, n):
        self.written += bytes(buf[start : start + n])
        if MadeUpPin.driver is not None:
            assert MadeUpPin.driver.levels[-1] == 1, "no one hears what is sent before the driver is on"
        return n

    def flush(self):
        assert MadeUpPin.driver.levels[-1] == 1, "the driver went off before the last bit"
        self.on_the_wire = self.written
        raise OSError(110)  # a line so slow that the port gives up waiting

    def deinit(self):
        self.closed = True


class MadeUpPin:
    """machine.Pin; `driver` is the one that was made an output."""

    OUT = 1
    driver = None

    def __init__(self, number, mode=None, value=None):
        self.number = number
        self.levels = [value]
        if mode == self.OUT:
            MadeUpPin.driver = self

    def value(self, level):
        self.levels.append(level)


class MadeUpSockets:
    def __init__(self):
        self.things = []

    def listen(self, port, thing, events):
        self.things.append(thing)

    def forget(self, thing):
        self.things.remove(thing)


def uart_port(**settings):
    sockets = MadeUpSockets()
    MadeUpPin.driver = None
    return UartPort({**SETTINGS, **settings}, MadeUpUart, MadeUpPin, sockets), sockets


def test_uart_reads_no_more_than_is_there_and_writes_in_small_steps():
    port, sockets = uart_port()
    port.open("1", 19200)
    uart = port.sock
    assert port.state() == PORT_OPEN and sockets.things == [uart]
    assert uart.settings["baudrate"] == 19200 and uart.settings["rxbuf"] == RX_OCTETS
    buf = bytearray(20)
    assert port.readinto(buf, 20) == 0 and uart.reads == []
    uart.inside = b"hello"
    assert port.readinto(buf, 3) == 3 and port.readinto(buf, 20) == 2 and uart.reads == [3, 2]
    assert port.write(b"x" * 50, 10, 40) == WRITE_OCTETS
    port.close()
    assert uart.closed and sockets.things == [] and port.readinto(buf, 1) == PORT_LOST


def test_uart_takes_its_pins_from_the_device():
    assert parse_device("0") == (0, {}) and parse_device("1:8,9") == (1, {"tx": 8, "rx": 9})
    port, _ = uart_port(flow="rts_cts")
    port.open("0:12,13,15,14", 9600)
    assert [port.sock.settings[name].number for name in ("tx", "rx", "rts", "cts")] == [12, 13, 15, 14]
    for wrong in ("7", "x", "0:a,b", "", "0:12", "0:13,12", "1:12,13", "0:12,13,14,15", "0:12,13,15"):
        port.open(wrong, 9600)
        assert port.state() == PORT_CLOSED


def test_driver_of_rs485_is_on_from_the_first_bit_to_the_last():
    port, _ = uart_port(rs485="22")
    port.open("1", 9600)
    driver = MadeUpPin.driver
    assert driver.number == 22 and driver.levels == [0], "it listens until it has something to say"
    assert port.write(bytes(range(100)), 0, 100) == 100, (
        "a message leaves in one piece: between two the line would float"
    )
    assert driver.levels == [0, 1, 0] and port.sock.on_the_wire == bytes(range(100))


def test_a_buffer_that_is_found_full_counts_as_an_overrun():
    port, _ = uart_port()
    port.open("0", 115200)
    port.sock.inside = b"x" * (RX_OCTETS - 1)
    port.readinto(bytearray(RX_OCTETS), RX_OCTETS)
    assert port.overruns() == 0
    port.sock.inside = b"x" * RX_OCTETS
    port.readinto(bytearray(RX_OCTETS), RX_OCTETS)
    assert port.overruns() == 1
    port.open("0", 115200)
    assert port.overruns() == 0


# -- what Linux is asked for ---------------------------------------------------------------------------------------


class Driver:
    """What a serial driver answers to ioctl: RS485 and the counts of lost octets."""

    def __init__(self, monkeypatch, rs485=True):
        import fcntl

        self.counts = [0] * 20
        self.rs485 = None
        real = fcntl.ioctl

        def ioctl(descriptor, request, *more):
            if request == 0x545D and descriptor >= 0:
                more[0][:] = array.array("i", self.counts)
            elif request in (0x542E, 0x542F):  # TIOCGRS485, TIOCSRS485
                if not rs485:
                    raise OSError(25, "Inappropriate ioctl for device")
                if request == 0x542F:
                    self.rs485 = list(more[0])
            else:
                return real(descriptor, request, *more)
            return 0

        monkeypatch.setattr(fcntl, "ioctl", ioctl)


def test_a_line_that_the_other_side_holds_up_is_closed_at_once(line, monkeypatch):
    port = opened(line[1], flow="rts_cts")
    flushed = []
    monkeypatch.setattr(termios, "tcflush", lambda descriptor, queue: flushed.append(queue))
    port.close()
    assert termios.TCOFLUSH in flushed, "Linux would wait 30 s for the CTS"


def test_rs485_is_the_drivers_and_one_that_has_none_is_reported(line, monkeypatch):
    driver = Driver(monkeypatch)
    port = opened(line[1], rs485="rts")
    assert driver.rs485[0] & 0b11 == 0b11 and port.why == 0, "enabled, RTS up while it sends"
    port.close()
    Driver(monkeypatch, rs485=False)
    port.open(line[1], 9600)
    assert port.state() == PORT_CLOSED and port.why == WHY_NOT_SETTABLE


def test_what_no_driver_of_linux_does_is_refused(line):
    port = SerialPort({**SETTINGS, "invert": True})
    port.open(line[1], 9600)
    assert port.state() == PORT_CLOSED and port.why == WHY_NOT_SETTABLE and port.last_error


def test_lost_octets_are_the_drivers_count_since_the_line_was_opened(line, monkeypatch):
    port = opened(line[1])
    assert port.overruns() == -1, "a pty does not count"
    port.close()
    driver = Driver(monkeypatch)
    driver.counts[7], driver.counts[10] = 5, 2
    port = opened(line[1])
    assert port.overruns() == 0
    driver.counts[7], driver.counts[10] = 8, 3
    assert port.overruns() == 4
    port.close()
    assert port.overruns() == -1
