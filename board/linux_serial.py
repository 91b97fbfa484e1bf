"""A serial line on Linux through pyserial: exclusive, never blocking, low latency, in the board's own poll loop.

Rules
1. Opening is done at once or has failed; an adapter that is unplugged, or one that another program holds, is an outage
   like any other: the intake tries again.
2. pyserial sets the line up; octets go through the descriptor itself, without copies.
3. VMIN is 1: with the 0 that pyserial sets, "nothing there" and "unplugged" would both read as 0 octets.
4. An octet with a parity error is read as NUL (INPCK without IGNPAR), so the block check or the length finds it.
"""

import contextlib
import errno
import os
import termios

from agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    WHY_FAILED,
    WHY_IN_USE,
    WHY_NO_DEVICE,
    WHY_NO_DRIVER,
    WHY_UNPLUGGED,
)
from board.why import why_of

CPYTHON_ONLY = True

_INPUT_FLAGS = 0
_CONTROL_CHARACTERS = 6


class SerialPort:
    """One serial line (agent.link.port); `settings` is the `controller` part of the completed configuration."""

    def __init__(self, settings):
        self.parity = settings["parity"]
        self.stop_bits = settings["stop_bits"]
        self.sock = None  # the pyserial object: the board asks it for its descriptor
        self.slot = -1
        self.wants_out = False
        self.last_error = ""
        self.why = 0
        self.why_code = 0
        self._descriptor = -1

    def open(self, device, baud):
        """Open the device; `state` tells whether that worked, `last_error` why not."""
        self.close()
        self.why = self.why_code = 0
        try:
            import serial
        except ImportError:
            self.why = WHY_NO_DRIVER
            self.last_error = "pyserial is not installed"
            return
        try:
            self.sock = serial.Serial(
                device,
                baud,
                parity={"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}[self.parity],
                stopbits=self.stop_bits,
                timeout=0,
                exclusive=True,
            )
            self._descriptor = self.sock.fileno()
            self._set_up(self.sock)
        except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
            self.last_error = str(error)
            self.why_code = _number_of(error)
            if self.why_code == errno.EAGAIN:  # the lock that `exclusive` asks for is another one's
                self.why = WHY_IN_USE
            elif self.why_code in (errno.EISDIR, errno.ENOTDIR):
                self.why = WHY_NO_DEVICE
            else:
                self.why = why_of(self.why_code)
            self.close()

    def state(self):
        """Return PORT_CLOSED or PORT_OPEN."""
        return PORT_CLOSED if self.sock is None else PORT_OPEN

    def readinto(self, buf, n):
        """Read up to n octets into buf[0:]; 0 if there are none, PORT_LOST when the adapter is gone."""
        if self.sock is None:
            return PORT_LOST
        if n == 0:
            return 0
        try:
            count = os.readv(self._descriptor, [memoryview(buf)[:n]])
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            return self._lost(error)
        if not count:
            self.why = WHY_UNPLUGGED
        return count or PORT_LOST

    def write(self, buf, start, n):
        """Hand buf[start:start+n] over; return how many octets were taken."""
        if self.sock is None:
            return PORT_LOST
        try:
            count = os.write(self._descriptor, memoryview(buf)[start : start + n])
        except (BlockingIOError, InterruptedError):
            count = 0
        except OSError as error:
            return self._lost(error)
        self.wants_out = count < n
        return count

    def close(self):
        """Close at once."""
        if self.sock is not None:
            with contextlib.suppress(OSError, termios.error):
                self.sock.close()
        self.sock = None
        self._descriptor = -1
        self.wants_out = False

    def looks_up(self):
        """A device has no name to look up."""
        return False

    def _lost(self, error):
        self.last_error = error.strerror or str(error)
        self.why_code = error.errno or 0
        self.why = WHY_UNPLUGGED if self.why_code in (errno.EIO, errno.ENXIO, errno.ENODEV) else WHY_FAILED
        return PORT_LOST

    def _set_up(self, line):
        flags = termios.tcgetattr(self._descriptor)
        flags[_CONTROL_CHARACTERS][termios.VMIN] = 1
        flags[_CONTROL_CHARACTERS][termios.VTIME] = 0
        if self.parity != "none":
            flags[_INPUT_FLAGS] |= termios.INPCK
        termios.tcsetattr(self._descriptor, termios.TCSANOW, flags)
        termios.tcflush(self._descriptor, termios.TCIOFLUSH)  # what came while the port was closed is dropped
        # FTDI adapters hold input for 16 ms otherwise; a driver that does not know the request refuses it.
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            line.set_low_latency_mode(True)


def _number_of(error):
    """Return the system's error number: pyserial hides it behind a text at times, and termios has it as its first."""
    while error is not None:
        if getattr(error, "errno", None):
            return error.errno  # type: ignore
        if isinstance(error, termios.error) and error.args:
            return error.args[0]
        error = error.__context__
    return 0
