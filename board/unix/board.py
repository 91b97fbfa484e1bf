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
        self.has_received = self.tried = (
            False  # like those of toolcart.board.sockets.Sockets; nothing looks at them here
        )
        self._open = {}  # ports by what the poll gives
        self._tls = None
        self._last_error = ""

    def is_up(self):
        """True: the network is the system's business here."""
        return True

    def now(self):
        return time.ticks_ms() & 0x3FFFFFFF  # type: ignore - an int, another type in the stubs

    def stamp_into(self, buf):
        buf[0:19] = ("%04d-%02d-%02d:%02d:%02d:%02d" % time.localtime()[:6]).encode()

    def seed(self):
        return time.ticks_us() & 0xFFFF  # type: ignore - likewise an int

    def tcp(self):
        return TcpPort(self)

    def looks_up(self, host, port):
        """False: names are looked up by a blocking call."""
        return False

    def listen(self, port, sock, events):
        self.poll.register(sock, events)
        self._open[sock] = port

    def forget(self, sock):
        self.poll.unregister(sock)
        del self._open[sock]

    def tls(self, toolsnet):
        """Return a new port that speaks TLS as these settings say; ValueError if that is not possible."""
        from toolcart.board.tls import Tls  # few carts have it

        if self._tls is None:
            self._tls = Tls(self, self.folder, toolsnet)
        return self._tls.port(toolsnet)

    def serial(self, controller):
        from toolcart.board.unix.serial import SerialPort

        return SerialPort(controller, self)

    def flash(self, spool):
        path = spool["path"]
        if not path.startswith("/"):
            path = self.folder + "/" + path
        try:
            return FolderFlash(path, spool["size_kib"] * 1024)
        except OSError as error:
            if str(error) != self._last_error:
                self._last_error = str(error)
                print("toolcart: spool %s: %s" % (path, error))
            return None

    def watch(self, port, slot):
        port.slot = slot

    def wait(self, app, wait_ms):
        for sock, events in self.poll.ipoll(wait_ms):
            port = self._open[sock]
            port.events = events
            if port.slot >= 0:
                app.scheduler.wake(port.slot, self.now())
