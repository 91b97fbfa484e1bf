"""A simulated controller on a real serial port or on a pty: the serial sibling of toolcart.sim.tcp.Served.

Rules:
1. If `path` names no device a pty is made; `path` is a link to it that stays the same whenever the pty is made again.
   A link to a pty left by an earlier run is replaced; anything else is left alone, and refused.
2. A cut is an unplugged adapter: the pty goes away, or the device is closed. The controller itself goes on.
3. A pty has no baud rate: bytes arrive at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from toolcart.sim.serial_peers import PEERS
from toolcart.sim.tcp import LONGEST_WAIT_MS, Loop

READ_OCTETS = 4096
PTYS = ("/dev/pts/", "/dev/ttys")  # where Linux and macOS have them


class ServedLine:
    """One line of a simulated controller; a member of `loop.served`."""

    def __init__(
        self, loop: Loop, factory: Callable, kind: str, path: str, device: bool = False, baud: int = 9600
    ) -> None:
        self.loop = loop
        self.path = path
        self.port = 0  # there is no TCP port
        self.peer = PEERS[kind](factory, loop.clock)
        self._is_device = device
        self._baud = baud
        self._fd = -1
        self._slave = -1
        self._unsent = b""
        loop.served.append(self)
        self.listen()

    def listen(self) -> None:
        """Plug the adapter in."""
        if self._fd >= 0:
            return
        if self._is_device:
            self._fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                _set_up(self._fd, self._baud)
            except termios.error as error:
                os.close(self._fd)
                self._fd = -1
                raise OSError(*error.args) from None
        else:
            self._fd, self._slave = os.openpty()
            os.set_blocking(self._fd, False)
            tty.setraw(self._slave)
            try:
                self._link()
            except OSError:
                os.close(self._fd)
                os.close(self._slave)
                self._fd = self._slave = -1
                raise
        self.loop.selector.register(self._fd, selectors.EVENT_READ, self)

    def _link(self) -> None:
        if is_pty_link(self.path):
            os.unlink(self.path)
        try:
            os.symlink(os.ttyname(self._slave), self.path)
        except FileExistsError as error:
            raise FileExistsError(error.errno, "it exists and is not a serial port", self.path) from None

    def cut(self) -> None:
        """Pull the adapter out."""
        if self._fd < 0:
            return
        self.loop.selector.unregister(self._fd)
        if self._slave >= 0:
            with contextlib.suppress(OSError):
                if os.readlink(self.path) == os.ttyname(self._slave):
                    os.unlink(self.path)
            os.close(self._slave)
        os.close(self._fd)
        self._fd = self._slave = -1
        self._unsent = b""

    def ready(self, events: int) -> None:
        try:
            octets = os.read(self._fd, READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:  # a real adapter was pulled out
            self.cut()
            return
        for octet in octets:
            self.peer.octet(octet, self.loop.clock.now)
            self._say()

    def pump(self) -> int:
        """Let the peer work; return ms until it needs to be called again."""
        wait = min(self.peer.tick(self.loop.clock.now), LONGEST_WAIT_MS)
        if self._fd < 0:
            self.peer.outgoing()
            return wait
        self._say()
        if self._slave >= 0:
            # An agent that was killed leaves its claim on the pty as long as our end is open.
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
        return wait if not self._unsent else min(wait, 10)

    def _say(self) -> None:
        octets = self.peer.outgoing()
        self._unsent += octets
        if not self._unsent:
            return
        try:
            self._unsent = self._unsent[os.write(self._fd, self._unsent) :]
        except OSError:
            return
        if not self._unsent:
            self.peer.wire_free(self.loop.clock.now)


def is_pty_link(path: str) -> bool:
    """True if an earlier run may have left `path`: a link to a pty."""
    return os.path.islink(path) and os.readlink(path).startswith(PTYS)


def is_device(path: str) -> bool:
    """True if `path` is an existing serial port: a device, or a link to one that is not a pty."""
    return Path(path).is_char_device() and not is_pty_link(path)


def default_path() -> str:
    """Return where the pty of a simulated controller is by default."""
    return str(Path.cwd() / "controller.tty")


def _set_up(descriptor: int, baud: int) -> None:
    tty.setraw(descriptor)
    flags = termios.tcgetattr(descriptor)
    flags[2] |= termios.CLOCAL | termios.CREAD
    flags[4] = flags[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(descriptor, termios.TCSANOW, flags)
