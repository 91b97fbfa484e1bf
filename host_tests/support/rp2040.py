"""The RP2040 image in rp2040js behind a pseudo terminal, for tools that want a serial port.

Rules
1. The terminal stays while the chip resets or loses its power: a reset of the simulated chip does not take USB away.
2. `cut_power` stops the chip where it is and keeps its flash; `power_on` starts it again with that flash.
"""

import os
import signal
import subprocess
import threading
import tty

from toolcart.base.cache import Unavailable
from lab.firmware import rp2040

CPYTHON_ONLY = True


def why_not():
    """Return why there is no image or no simulator here, "" if both are there."""
    try:
        rp2040.build()
        rp2040.simulator()
    except Unavailable as reason:
        return str(reason)
    return ""


class Chip:
    """One simulated chip with the flash in `flash`, a file; its port is `port`. `more` is for rp2040.command."""

    def __init__(self, flash, **more):
        # Once: whoever edits a file meanwhile must not change what is being tested.
        self._command = rp2040.command(flash=flash, **more)
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave = slave  # kept open, or the master would end with the last program that closes the port
        self.said = b""
        self._process = None
        self.power_on()

    def power_on(self):
        """Start with what is in the flash."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._threads = [
            threading.Thread(target=self._from_chip, args=(self._process,), daemon=True),
            threading.Thread(target=self._to_chip, args=(self._process,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def cut_power(self):
        """Take the power away at whatever it is doing."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def close(self):
        """End the simulator."""
        if self._process.poll() is None:
            self.cut_power()
        os.close(self._slave)

    def _from_chip(self, process):
        while octets := os.read(process.stdout.fileno(), 4096):
            self.said += octets
            os.write(self._master, octets)

    def _to_chip(self, process):
        while process.poll() is None:
            try:
                octets = os.read(self._master, 256)
                process.stdin.write(octets)
                process.stdin.flush()
            except OSError:
                return
