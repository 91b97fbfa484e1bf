"""MicroPython's unix port as a board: the whole agent on the runtime of a chip, with a PC's sockets and files.

Rules
1. The ports are those of the chips (toolcart.board.sockets).
2. A spool is a folder of files, as on a chip without raw flash. Durable means flush(): this port's file system calls
   fsync for it (extmod/vfs_posix_file.c, MP_STREAM_FLUSH).
3. Names are looked up by a blocking call here; give addresses.
"""

import select
import time

from toolcart.board.folder_flash import FolderFlash
from toolcart.board.sockets import TcpPort


class Board:
    """What toolcart.agent.cart.app asks of a board; spool paths are relative to `folder`, the configuration file's."""

    def __init__(self, folder="."):
        self.folder = folder
        self.poll = select.poll()
        self.heard = self.tried = False  # like those of toolcart.board.sockets.Sockets; nothing looks at them here
        self._open = {}  # ports by what the poll gives
        self._tls = None
        self._said = ""

    def is_up(self):
        """True: the network is the system's business here."""
        return True

    def now(self):
        """Return the ticks."""
        return time.ticks_ms() & 0x3FFFFFFF  # type: ignore

    def stamp_into(self, buf):
        """Write the local time as 19 characters."""
        buf[0:19] = ("%04d-%02d-%02d:%02d:%02d:%02d" % time.localtime()[:6]).encode()

    def seed(self):
        """Return a number that differs from start to start."""
        return time.ticks_us() & 0xFFFF  # type: ignore

    def tcp(self):
        """Return a new port."""
        return TcpPort(self)

    def looks_up(self, host, port):
        """False: names are looked up by a blocking call."""
        return False

    def listen(self, port, sock, events):
        """Wake the port's slot whenever one of these events happens at `sock`."""
        self.poll.register(sock, events)
        self._open[sock] = port

    def forget(self, sock):
        """Wake nobody for it any more."""
        self.poll.unregister(sock)
        del self._open[sock]

    def tls(self, toolsnet):
        """Return a new port that speaks TLS as these settings say; ValueError if that is not possible."""
        from toolcart.board.tls import Tls  # few carts have it

        if self._tls is None:
            self._tls = Tls(self, self.folder, toolsnet)
        return self._tls.port(toolsnet)

    def serial(self, controller):
        """Return a new port for the serial line of these controller settings."""
        from toolcart.board.unix.serial import SerialPort

        return SerialPort(controller, self)

    def flash(self, spool):
        """Open the folder of these spool settings; None if it is not available now."""
        path = spool["path"]
        if not path.startswith("/"):
            path = self.folder + "/" + path
        try:
            return FolderFlash(path, spool["size_kib"] * 1024)
        except OSError as error:
            if str(error) != self._said:
                self._said = str(error)
                print("toolcart: spool %s: %s" % (path, error))
            return None

    def watch(self, port, slot):
        """Wake `slot` whenever something happens at the port."""
        port.slot = slot

    def wait(self, app, wait_ms):
        """Sleep until input or for `wait_ms`; wake the slots that have input."""
        for sock, events in self.poll.ipoll(wait_ms):
            port = self._open[sock]
            port.events = events
            if port.slot >= 0:
                app.scheduler.wake(port.slot, self.now())
