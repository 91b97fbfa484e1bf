"""Images and simulated chips for tests: built once a session, skipped with the reason where they are not available."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import threading
import tty

import pytest

from lab.cache import Unavailable
from lab.chips.chip import Chip
from lab.firmware import cortex, rp2040

RUN_TIMEOUT_S = 280


@functools.cache
def _built(image):
    try:
        image.build()
        if image is rp2040:
            image.simulator()
    except Unavailable as reason:
        return str(reason)
    return ""


def need(image):
    """See to it that the image is there; in CI a missing one is a failure."""
    reason = _built(image)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def need_cortex():
    need(cortex)


def need_rp2040():
    need(rp2040)


def lines_of(command, timeout_s=RUN_TIMEOUT_S):
    """Run to the end; exit code and lines."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


@contextlib.contextmanager
def running_chip():
    """An RP2 with its program up; Skip if it cannot be simulated here."""
    try:
        chip = Chip("rp2")
    except Unavailable as reason:
        pytest.skip(str(reason))
    with chip:
        chip.run(30000)
        yield chip


class Rp2040:
    """The image in rp2040js behind a pseudo terminal, for tools that want a serial port; its port is `port`.

    Its flash is in `flash`, a file; `more` is for rp2040.command. The terminal stays while the chip resets or loses
    its power: a reset of the simulated chip does not take USB away.
    """

    def __init__(self, flash, **more):
        self._now = flash.with_suffix(".now")
        self._now.write_text("{}")
        self._trace = flash.with_suffix(".trace")
        # Once: whoever edits a file meanwhile must not change what is being tested.
        self._command = rp2040.command(flash=flash, now=self._now, trace=self._trace, **more)
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave = slave  # kept open, or the master would end with the last program that closes the port
        self.output = b""
        self._process = None
        self.power_on()
        # One for all lives: another one would take what is typed first after a cut, and lose it.
        threading.Thread(target=self._to_chip, daemon=True).start()

    def power_on(self):
        """Start with what is in the flash."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=self._from_chip, args=(self._process,), daemon=True).start()

    def change(self, **what):
        """Change `names`, `supply_mv` or `pace` of what is around it (rp2040js/rp.mjs): soon, and for later lives."""
        written = self._now.with_suffix(".written")
        written.write_text(json.dumps(json.loads(self._now.read_text()) | what))
        written.replace(self._now)

    def trace(self):
        """What went over its UARTs in the lives that have ended: (ms since power-on, UART, sign, octet) for each."""
        rows = (line.split() for line in self._trace.read_text().splitlines())
        return [(float(ms), int(uart), sign, int(octet)) for ms, uart, sign, octet in rows]

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
            self.output += octets
            os.write(self._master, octets)

    def _to_chip(self):
        while True:
            try:
                octets = os.read(self._master, 256)
            except OSError:
                return  # the terminal is closed
            with contextlib.suppress(OSError):  # the power is off
                self._process.stdin.write(octets)
                self._process.stdin.flush()
