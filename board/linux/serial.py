"""A serial line on Linux through pyserial: exclusive, never blocking, low latency, in the board's own poll loop.

Rules
1. Opening succeeds or fails at once; an unplugged adapter, or one that another program holds, is an outage like any
   other: the intake tries again.
2. pyserial sets the line up; bytes go through the descriptor itself, without copies.
3. VMIN is 1: with the 0 that pyserial sets, "nothing there" and "unplugged" would both read as 0 bytes.
4. A byte with a parity error is read as NUL (INPCK without IGNPAR), so the block check or the length finds it.
"""

import array
import contextlib
import errno
import fcntl
import os
import termios

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    WHY_FAILED,
    WHY_IN_USE,
    WHY_NO_DEVICE,
    WHY_NO_DRIVER,
    WHY_NOT_SETTABLE,
    WHY_UNPLUGGED,
)
from toolcart.board.errno_reasons import why_of

CPYTHON_ONLY = True

_INPUT_FLAGS = 0
_CONTROL_CHARACTERS = 6
# struct serial_icounter_struct (linux/serial.h): 20 numbers, of which two count lost bytes.
_TIOCGICOUNT = 0x545D
_ICOUNTERS = 20
_OVERRUN = 7  # the UART's own buffer was full
_BUF_OVERRUN = 10  # the system's


class SerialPort:
    """One serial line (toolcart.agent.link.port); `settings` is `controller` of the completed configuration."""

    input_octets = 8192  # of Linux, which keeps 4096 for a reader and at least as much in front of them

    def __init__(self, settings):
        self.parity = settings["parity"]
        self.stop_bits = settings["stop_bits"]
        self.has_flow = settings.get("flow") == "rts_cts"
        self.rs485 = settings.get("rs485", "")
        self.invert = settings.get("invert", False)
        self.sock = None  # the pyserial object: the board asks it for its descriptor
        self.slot = -1
        self.wants_out = False
        self.last_error = ""
        self.why = 0
        self.why_code = 0
        self._descriptor = -1
        self._lost_before = 0

    def open(self, device, baud):
        """Open the device; `state` says whether that worked, `last_error` why not."""
        self.close()
        self.why = self.why_code = 0
        try:
            import serial
        except ImportError:
            self.why = WHY_NO_DRIVER
            self.last_error = "pyserial is not installed"
            return
        if self.invert or self.rs485 not in ("", "rts"):
            self.why = WHY_NOT_SETTABLE  # no Linux driver inverts, and a pin number belongs to a chip
            self.last_error = "Linux can neither invert a line nor switch an RS485 pin"
            return
        try:
            self.sock = serial.Serial(
                device,
                baud,
                parity={"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}[self.parity],
                stopbits=self.stop_bits,
                timeout=0,
                exclusive=True,
                rtscts=self.has_flow,
            )
            self._descriptor = self.sock.fileno()
            self._set_up(self.sock)
            self._lost_before = max(0, self._lost())
            self._set_direction(self.sock)
        except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
            self.last_error = str(error)
            self.why_code = _number_of(error)
            if self.why == WHY_NOT_SETTABLE:
                pass
            elif self.why_code == errno.EAGAIN:  # another program has the lock that `exclusive` asks for
                self.why = WHY_IN_USE
            elif self.why_code in (errno.EISDIR, errno.ENOTDIR):
                self.why = WHY_NO_DEVICE
            else:
                self.why = why_of(self.why_code)
            self.close()

    def state(self):
        return PORT_CLOSED if self.sock is None else PORT_OPEN

    def readinto(self, buf, n):
        if self.sock is None:
            return PORT_LOST
        if n == 0:
            return 0
        try:
            count = os.readv(self._descriptor, [memoryview(buf)[:n]])
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            return self._ended(error)
        if not count:
            self.why = WHY_UNPLUGGED
        return count or PORT_LOST

    def write(self, buf, start, n):
        if self.sock is None:
            return PORT_LOST
        try:
            count = os.write(self._descriptor, memoryview(buf)[start : start + n])
        except (BlockingIOError, InterruptedError):
            count = 0
        except OSError as error:
            return self._ended(error)
        self.wants_out = count < n
        return count

    def close(self):
        if self.sock is not None:
            with contextlib.suppress(OSError, termios.error):
                if self.has_flow:  # else Linux waits up to 30 s for a CTS that does not come (closing_wait)
                    termios.tcflush(self._descriptor, termios.TCOFLUSH)
                self.sock.close()
        self.sock = None
        self._descriptor = -1
        self.wants_out = False

    def looks_up(self):
        """False: a device has no name to look up."""
        return False

    def overruns(self):
        """Return how many bytes the driver of this line has lost since opening; -1 if it does not count them."""
        lost = self._lost()
        return lost if lost < 0 else lost - self._lost_before

    def _lost(self):
        counts = array.array("i", bytes(4 * _ICOUNTERS))
        try:
            fcntl.ioctl(self._descriptor, _TIOCGICOUNT, counts)
        except (OSError, ValueError):
            return -1
        return counts[_OVERRUN] + counts[_BUF_OVERRUN]

    def _set_direction(self, line):
        """Let the driver switch RTS around what is sent; it knows when the last bit is out."""
        if not self.rs485:
            return
        from serial.rs485 import RS485Settings

        self.why = WHY_NOT_SETTABLE  # if the next line raises
        line.rs485_mode = RS485Settings()
        self.why = 0

    def _ended(self, error):
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
        # FTDI adapters otherwise hold input for 16 ms; a driver that does not know the request rejects it.
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            line.set_low_latency_mode(True)


def _number_of(error):
    """Return the system's error number: pyserial sometimes hides it behind a text, and termios has it first in args."""
    while error is not None:
        if getattr(error, "errno", None):
            return error.errno
        if isinstance(error, termios.error) and error.args:
            return error.args[0]
        error = error.__context__
    return 0
