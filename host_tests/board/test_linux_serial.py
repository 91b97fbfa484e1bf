"""Serial ports of the boards keep the port contract: pyserial on a pty, a chip's UART on a made-up machine module."""

import os
import pty
import tty

import pytest

from agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN
from board.uart import RX_OCTETS, WRITE_OCTETS, UartPort, parse_device

serial = pytest.importorskip("serial")

from board.linux_serial import SerialPort  # noqa: E402

SETTINGS = {"parity": "none", "stop_bits": 1}


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


def test_port_writes_every_octet_as_it_is(line):
    port = opened(line[1])
    octets = bytes(range(256))
    assert port.write(octets, 1, 255) == 255
    assert os.read(line[0], 400) == octets[1:]
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
    """machine.UART as far as the port uses it."""

    def __init__(self, number, **settings):
        if number > 1:
            raise ValueError("UART does not exist")
        self.number = number
        self.settings = settings
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
        return n

    def deinit(self):
        self.closed = True


class MadeUpPoll:
    def __init__(self):
        self.things = []

    def register(self, thing, events):
        self.things.append(thing)

    def unregister(self, thing):
        self.things.remove(thing)


def uart_port():
    poll = MadeUpPoll()
    return UartPort(SETTINGS, MadeUpUart, lambda pin: ("pin", pin), poll), poll


def test_uart_reads_no_more_than_is_there_and_writes_in_small_steps():
    port, poll = uart_port()
    port.open("1", 19200)
    uart = port.sock
    assert port.state() == PORT_OPEN and poll.things == [uart]
    assert uart.settings["baudrate"] == 19200 and uart.settings["rxbuf"] == RX_OCTETS
    buf = bytearray(20)
    assert port.readinto(buf, 20) == 0 and uart.reads == []
    uart.inside = b"hello"
    assert port.readinto(buf, 3) == 3 and port.readinto(buf, 20) == 2 and uart.reads == [3, 2]
    assert port.write(b"x" * 50, 10, 40) == WRITE_OCTETS
    port.close()
    assert uart.closed and poll.things == [] and port.readinto(buf, 1) == PORT_LOST


def test_uart_takes_its_pins_from_the_device():
    assert parse_device("0") == (0, -1, -1) and parse_device("1:8,9") == (1, 8, 9)
    port, _ = uart_port()
    port.open("0:12,13", 9600)
    assert port.sock.settings["tx"] == ("pin", 12) and port.sock.settings["rx"] == ("pin", 13)
    for wrong in ("7", "x", "0:a,b", ""):
        port.open(wrong, 9600)
        assert port.state() == PORT_CLOSED
