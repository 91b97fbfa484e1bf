"""A serial device or a pty on MicroPython's unix port, through its files: polled, read when there is something.

Rules
1. `stty` sets the line up (baud, parity, raw); without it, or without the device, the port stays closed.
2. A file blocks here and `readinto` waits for all that it asks for, so `poll` is called before every read and write,
   and the line is set to answer a read with what there is (VMIN 0): the second read inside finds nothing and ends it.
"""

import os
import select

from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, WHY_NOT_A_TTY, WHY_NOT_SETTABLE, WHY_UNPLUGGED
from toolcart.board.errno_reasons import why_of

_PARITY = {"none": "-parenb", "even": "parenb -parodd inpck", "odd": "parenb parodd inpck"}
_TROUBLE = select.POLLERR | select.POLLHUP


class SerialPort:
    """One serial line (toolcart.agent.link.port); `settings` is `controller` of the completed configuration."""

    def __init__(self, settings, board):
        self.settings = settings
        self.board = board
        self.sock = None  # the file
        self.slot = -1
        self.events = 0
        self.why = 0
        self.why_code = 0
        self._mine = select.poll()

    def open(self, device, baud):
        self.close()
        self.why = self.why_code = 0
        settings = self.settings
        if settings["rs485"] or settings["invert"]:
            self.why = WHY_NOT_SETTABLE
            return
        words = "stty -F '%s' %d raw -echo min 0 time 0 %scrtscts clocal %s %s >/dev/null 2>&1" % (
            device.replace("'", ""),
            baud,
            "" if settings["flow"] == "rts_cts" else "-",
            _PARITY[settings["parity"]],
            "cstopb" if settings["stop_bits"] == 2 else "-cstopb",
        )
        try:
            os.stat(device)
            if os.system(words):
                self.why = WHY_NOT_A_TTY
                return
            self.sock = open(device, "r+b")
        except OSError as error:
            self.sock = None
            self.why_code = error.errno or 0
            self.why = why_of(error.errno)
            return
        self.board.listen(self, self.sock, select.POLLIN)
        self._mine.register(self.sock, select.POLLIN | select.POLLOUT)

    def state(self):
        return PORT_CLOSED if self.sock is None else PORT_OPEN

    def readinto(self, buf, n):
        if self.sock is None:
            return PORT_LOST
        events = self._ready()
        if n == 0:
            return 0
        if events & select.POLLIN:
            try:
                count = self.sock.readinto(buf, n)
            except OSError:
                count = 0
            if not count:
                self.why = WHY_UNPLUGGED
            return count if count else PORT_LOST
        if events & _TROUBLE:
            self.why = WHY_UNPLUGGED
            return PORT_LOST
        return 0

    def write(self, buf, start, n):
        if self.sock is None:
            return PORT_LOST
        events = self._ready()
        if events & _TROUBLE:
            return PORT_LOST
        if not events & select.POLLOUT:
            return 0
        try:
            return self.sock.write(buf, start, n) or 0
        except OSError:
            return PORT_LOST

    def overruns(self):
        """Return -1: overruns are not known here."""
        return -1

    def close(self):
        if self.sock is not None:
            self.board.forget(self.sock)
            self._mine.unregister(self.sock)
            self.sock.close()
        self.sock = None

    def _ready(self):
        for _, events in self._mine.ipoll(0):
            return events
        return 0
