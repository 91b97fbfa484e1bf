"""MicroPython's unix port as a board: the whole agent on the runtime of a chip, with a PC's sockets and files.

Rules
1. The ports are those of the chips (board.sockets).
2. Durable means flush(): this port's file system calls fsync for it (extmod/vfs_posix_file.c, MP_STREAM_FLUSH).
3. Names are looked up by a blocking call here; give addresses.
"""

import os
import select
import time

from agent.base.compat import const
from agent.spool.flash import FLASH_DONE, FLASH_IO
from board.sockets import TcpPort

BLOCK_BYTES = const(4096)
UNIT_BYTES = const(16)


class FileFlash:
    """A file of whole blocks as a flash device, made erased if it is not there."""

    def __init__(self, path, size_bytes):
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = size_bytes // BLOCK_BYTES
        self._blank = b"\xff" * 256
        try:
            have = os.stat(path)[6] // BLOCK_BYTES
        except OSError:
            have = 0
            open(path, "wb").close()
        self._file = open(path, "r+b")
        if have > self.block_count:
            self.block_count = have
        self._file.seek(have * BLOCK_BYTES)
        for _ in range((self.block_count - have) * (BLOCK_BYTES // 256)):
            self._file.write(self._blank)
        self._file.flush()

    def read_into(self, address, buf, n):
        """Copy `n` octets from `address` into buf[0:n]."""
        try:
            self._file.seek(address)
            return FLASH_DONE if self._file.readinto(buf, n) == n else FLASH_IO
        except OSError:
            return FLASH_IO

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and through to the disk."""
        try:
            self._file.seek(address)
            put = self._file.write(buf, 0, n)
            self._file.flush()
        except OSError:
            return FLASH_IO
        return FLASH_DONE if put == n else FLASH_IO

    def erase(self, block):
        """Make every octet of the block 0xFF; durable with the next `program`."""
        try:
            self._file.seek(block * BLOCK_BYTES)
            for _ in range(BLOCK_BYTES // 256):
                self._file.write(self._blank)
        except OSError:
            return FLASH_IO
        return FLASH_DONE

    def close(self):
        """Close the file."""
        self._file.close()


class Board:
    """What agent.app asks of a board; spool paths are relative to `folder`, the configuration file's."""

    def __init__(self, folder="."):
        self.folder = folder
        self.poll = select.poll()
        self._ports = []

    def is_up(self):
        """Tell whether there is a network: the system's business here."""
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
        port = TcpPort(self)
        self._ports.append(port)
        return port

    def serial(self, controller):
        """Return a new port for the serial line of these controller settings."""
        from board.unix_serial import SerialPort

        port = SerialPort(controller, self)
        self._ports.append(port)
        return port

    def flash(self, spool):
        """Open the file of these spool settings; None if it cannot be had now."""
        path = spool["path"]
        if not path.startswith("/"):
            path = self.folder + "/" + path
        try:
            return FileFlash(path, spool["size_kib"] * 1024)
        except OSError:
            return None

    def watch(self, port, slot):
        """Wake `slot` whenever the port has something to say."""
        port.slot = slot

    def wait(self, app, wait_ms):
        """Sleep until input or for `wait_ms`; wake the slots that have input."""
        for sock, events in self.poll.ipoll(wait_ms):
            for port in self._ports:
                if port.sock is sock:
                    port.events = events
                    if port.slot >= 0:
                        app.scheduler.wake(port.slot, self.now())
