"""MicroPython's unix port as a board: the whole agent on the runtime of a chip, with a PC's sockets and files.

Rules
1. The ports are those of the chips (toolcart.board.sockets).
2. Durable means flush(): this port's file system calls fsync for it (extmod/vfs_posix_file.c, MP_STREAM_FLUSH).
3. A spool's file has the header of toolcart.board.linux.header, is made under another name, and a foreign one is
   refused. This port can neither lock a file nor sync a folder, nor tell links and owners: CPython can
   (toolcart.board.linux.flash).
4. Names are looked up by a blocking call here; give addresses.
"""

import os
import select
import time

from toolcart.agent.base.compat import const
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, REFUSED_NO_ROOM, REFUSED_NOTHING
from toolcart.board.linux import header as linux_header
from toolcart.board.linux.header import IDENTITY_BYTES, NO_OWNER, PAGE_BYTES, Header
from toolcart.board.sockets import TcpPort
from toolcart.board.why import refusal_of

BLOCK_BYTES = const(4096)
UNIT_BYTES = const(16)


class ForeignFile(OSError):
    """The file exists and is not ours; the text says what it is."""


class FileFlash:
    """A file of whole blocks as a flash device, made and erased if missing; ForeignFile if it is not ours."""

    def __init__(self, path, size_bytes, unit_bytes=UNIT_BYTES, owner=NO_OWNER):
        self.block_bytes = BLOCK_BYTES
        self.block_count = size_bytes // BLOCK_BYTES
        self._blank = b"\xff" * 256
        self._refusal = REFUSED_NOTHING
        if _size_of(path) < 0:
            self._make(path, Header(unit_bytes, BLOCK_BYTES, self.block_count, owner, _identity()))
        self._file = open(path, "r+b")
        header = linux_header.read(self._file.read(PAGE_BYTES))
        if header is None or header.version != linux_header.VERSION or header.block_bytes != BLOCK_BYTES:
            self._file.close()
            raise ForeignFile("%s is not a spool of this version; name another path" % path)
        if owner != NO_OWNER and header.owner not in (NO_OWNER, owner):
            self._file.close()
            raise ForeignFile("%s belongs to station %d of system %d" % (path, header.owner[2], header.owner[1]))
        self.unit_bytes = header.unit_bytes
        have = _size_of(path) // BLOCK_BYTES - 1
        if have > self.block_count:
            self.block_count = have
        self._fill(have)

    def _make(self, path, header):
        """Make it under another name first: the next start overwrites what a power cut leaves of it."""
        self._file = open(path + ".new", "wb")  # type: ignore
        self._file.write(header.page())
        self._fill(0)
        self._file.close()
        os.rename(path + ".new", path)

    def _fill(self, have):
        """Erase the blocks behind the first `have`."""
        self._file.seek(PAGE_BYTES + have * BLOCK_BYTES)
        for _ in range((self.block_count - have) * (BLOCK_BYTES // 256)):
            self._file.write(self._blank)
        self._file.flush()

    def read_into(self, address, buf, n):
        """Copy `n` bytes from `address` into buf[0:n]."""
        try:
            self._file.seek(PAGE_BYTES + address)
            return FLASH_DONE if self._file.readinto(buf, n) == n else FLASH_IO  # type: ignore
        except OSError as error:
            return self._refuse(error)

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and through to the disk."""
        try:
            self._file.seek(PAGE_BYTES + address)
            put = self._file.write(buf, 0, n)  # type: ignore
            self._file.flush()
        except OSError as error:
            return self._refuse(error)
        self._refusal = REFUSED_NOTHING if put == n else REFUSED_NO_ROOM
        return FLASH_DONE if put == n else FLASH_IO

    def erase(self, block):
        """Make every byte of the block 0xFF; durable with the next `program`."""
        try:
            self._file.seek(PAGE_BYTES + block * BLOCK_BYTES)
            for _ in range(BLOCK_BYTES // 256):
                self._file.write(self._blank)
        except OSError as error:
            return self._refuse(error)
        return FLASH_DONE

    def refusal(self):
        """Return why the file refused last, until a program succeeds."""
        return self._refusal

    def _refuse(self, error):
        self._refusal = refusal_of(error.errno)
        return FLASH_IO

    def close(self):
        """Close the file."""
        self._file.close()


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
        """Open the file of these spool settings; None if it is not available now."""
        path = spool["path"]
        if not path.startswith("/"):
            path = self.folder + "/" + path
        try:
            return FileFlash(
                path, spool["size_kib"] * 1024, spool.get("unit", UNIT_BYTES), spool.get("owner", NO_OWNER)
            )
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


def _size_of(path):
    """Return the length of the file in bytes; -1 if it does not exist."""
    try:
        return os.stat(path)[6]
    except OSError:
        return -1


def _identity():
    with open("/dev/urandom", "rb") as lot:
        return lot.read(IDENTITY_BYTES)
