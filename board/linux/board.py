"""Linux on CPython, such as a Raspberry Pi: TCP, a file as flash, the system's clocks, one poll loop.

Rules
1. One `poll` serves all ports and the scheduler's deadline; a port that nothing waits for is not registered.
2. Nothing here is called from another thread, except `request_stop` and `end_sleep`.
"""

import os
import select
import time

from toolcart.agent.base.ticks import TICKS_MAX
from toolcart.board.linux.flash import UNIT_BYTES, FileFlash, FlashInUse, FlashUnusable
from toolcart.board.linux.spool_header import NO_OWNER
from toolcart.board.linux.tcp import TcpPort

CPYTHON_ONLY = True
LOOKUP_POLL_MS = 20  # how often a running look-up is asked for its result
WAIT_MAX_MS = 60000
TIMEX_BYTES = 1024  # struct timex has 208 bytes at most
CLOCK_IS_NOT_KEPT = 5  # TIME_ERROR of adjtimex(2)
MADE = "a new spool was made at %s: what the controller made before its first connection is not fetched"
TIMESYNC = "/run/systemd/timesync/synchronized"  # exists once systemd-timesyncd has an answer


class Board:
    """What toolcart.agent.cart.app asks of a board; spool paths are relative to `folder`, the configuration file's."""

    def __init__(self, folder="."):
        self.folder = folder
        self.unusable = {}  # path -> why its spool could not be opened
        self._flashes = {}
        self._may_wait = True  # for another process that has a spool; until one was waited for in vain
        self._ports = []
        self._poll = select.poll()
        self._registered = {}
        self._started_ns = time.monotonic_ns()
        # So that a signal or another thread ends a sleep at once.
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll.register(self._wake_read, select.POLLIN)
        self.stop_asked = False

    def now(self):
        return (time.monotonic_ns() - self._started_ns) // 1000000 & TICKS_MAX

    def stamp_into(self, buf):
        buf[0:19] = time.strftime("%Y-%m-%d:%H:%M:%S").encode()

    def clock_is_set(self):
        """True if the system's clock is kept right by NTP or the like."""
        import ctypes  # few carts need it, and once a day

        try:
            state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))  # only reads: no mode is set
        except (OSError, AttributeError):
            state = -1
        if state < 0:  # a service with ProtectClock= may not ask
            return os.path.exists(TIMESYNC)
        return state < CLOCK_IS_NOT_KEPT

    def wall_s(self):
        """Return the system's clock, seconds since 1970."""
        return time.time()

    def set_wall_s(self, seconds):
        """Set the system's clock; OSError if that is not allowed."""
        time.clock_settime(time.CLOCK_REALTIME, seconds)

    def seed(self):
        return int.from_bytes(os.urandom(3), "big")

    def tcp(self):
        port = TcpPort()
        self._ports.append(port)
        return port

    def tls(self, toolsnet):
        """Return a new port that speaks TLS as these settings say; their files are read when it is opened."""
        from toolcart.board.linux.tls import TlsPort, context_of  # few carts have it

        port = TlsPort(lambda: context_of(self.folder, toolsnet), toolsnet["tls_name"])
        self._ports.append(port)
        return port

    def serial(self, controller):
        if "://" in controller["device"]:
            from toolcart.board.linux.serial_server import SerialServerPort  # few carts have it

            port = SerialServerPort(controller)
        else:
            from toolcart.board.linux.serial import SerialPort  # only where there is one: pyserial is optional

            port = SerialPort(controller)
        self._ports.append(port)
        return port

    def flash(self, spool):
        """Open the file of these spool settings; None, and the reason in `unusable`, if it cannot be used now."""
        path = os.path.join(self.folder, spool["path"])
        if path in self._flashes:
            return self._flashes[path]
        try:
            size_bytes = spool["size_kib"] * 1024
            unit_bytes, owner = spool.get("unit", UNIT_BYTES), spool.get("owner", NO_OWNER)
            self._flashes[path] = FileFlash(path, size_bytes, unit_bytes, owner, self._may_wait)
        except FlashUnusable as reason:
            if isinstance(reason, FlashInUse):
                self._may_wait = False
            self.unusable[path] = self._of_another_station(path) or str(reason)
            return None
        self.unusable.pop(path, None)
        return self._flashes[path]

    def _of_another_station(self, path):
        """Say if a station of this agent has that file already, under another name; "" if not."""
        for other, flash in self._flashes.items():
            if os.path.exists(path) and os.path.samefile(path, other):
                words = "%s is the same file as %s, the spool of station %d; name another one in spool.path"
                return words % (path, other, flash.station)
        return ""

    def has_lost_spool(self, path):
        """True if the spool of this path is open, and its file is not there any more (FileFlash.is_exchanged)."""
        return path in self._flashes and self._flashes[path].is_exchanged()

    def spool_notes(self):
        """Return notes about the open spools: settings without effect, what was changed."""
        return [flash.note for flash in self._flashes.values() if flash.note]

    def spools_made(self):
        """Say which spools were not there: nothing tells a first start from one whose file is not in its place."""
        return [MADE % path for path, flash in self._flashes.items() if flash.is_new]

    def poll_also(self, ports):
        """Let `wait` also end when something happens at one of these (toolcart.board.linux.control)."""
        self._ports += ports

    def watch(self, port, slot):
        port.slot = slot

    def request_stop(self, *_):
        """Ask for the end, from a signal handler or another thread."""
        self.stop_asked = True
        self.end_sleep()

    def end_sleep(self):
        """End a sleep at once, from a signal handler or another thread."""
        try:
            os.write(self._wake_write, b"x")
        except OSError:
            pass

    def wait(self, app, wait_ms):
        """Sleep until input, a signal, or for `wait_ms`; wake the slots that have input."""
        wanted = {}
        for port in self._ports:
            if port.sock is not None:
                wanted[port.sock.fileno()] = (port, select.POLLIN | (select.POLLOUT if port.wants_out else 0))
            elif port.looks_up():
                wait_ms = min(wait_ms, LOOKUP_POLL_MS)
        self._register(wanted)
        ready = self._poll.poll(min(wait_ms, WAIT_MAX_MS))
        now = self.now()
        for descriptor, _ in ready:
            if descriptor == self._wake_read:
                os.read(self._wake_read, 64)
            elif descriptor in wanted and wanted[descriptor][0].slot >= 0:
                app.scheduler.wake(wanted[descriptor][0].slot, now)
        for port in self._ports:
            if port.looks_up() and port.slot >= 0:
                app.scheduler.wake(port.slot, now)

    def close(self):
        """Close the spool files; the app has closed its ports."""
        for flash in self._flashes.values():
            flash.close()
        self._flashes.clear()
        ends = (self._wake_read, self._wake_write)
        self._wake_read = self._wake_write = -1  # first: a signal may still come
        if ends[0] >= 0:
            os.close(ends[0])
            os.close(ends[1])

    def lines(self, outlet):
        """Return the file of lines of these outlet settings; it is opened later."""
        from toolcart.board.linux.lines import ROTATE_BYTES, LineFile  # only where there is one

        path = os.path.join(self.folder, outlet["path"])
        return LineFile(path, ROTATE_BYTES, outlet["keep"])

    def _register(self, wanted):
        for descriptor in list(self._registered):
            if descriptor not in wanted:
                del self._registered[descriptor]
                try:
                    self._poll.unregister(descriptor)
                except (KeyError, OSError):
                    pass
        for descriptor, (port, mask) in wanted.items():
            if self._registered.get(descriptor) != (port.sock, mask):
                self._registered[descriptor] = (port.sock, mask)
                self._poll.register(descriptor, mask)
