"""Tells systemd that the agent is ready, that it moves, and that it stops (sd_notify(3)): datagrams to one socket.

Rules
1. Without NOTIFY_SOCKET every call does nothing: the agent runs the same without systemd.
2. The watchdog is fed twice in the time that systemd allows (WATCHDOG_USEC), and only while Liveness
   (toolcart.agent.cart.watchdog) says so.
3. A name that begins with @ is in the abstract name space: its first byte on the wire is 0.
4. A full or missing socket is not the agent's concern: nothing is raised.
"""

import os
import socket
import time

CPYTHON_ONLY = True
STATUS_EVERY_MS = 10000


class Notifier:
    """The link from this process to the service manager."""

    def __init__(self, environment=None):
        environment = os.environ if environment is None else environment
        self.address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_ms = 0
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        if self.address and ours:
            self.watchdog_ms = int(environment.get("WATCHDOG_USEC", "0") or 0) // 1000
        self._socket = None
        if self.address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def ready(self):
        """Report that the agent runs; systemd starts what waits for it."""
        self.send("READY=1")

    def reloading(self):
        """Report that the configuration is read again; `ready` ends it (sd_notify(3), RELOADING=1)."""
        self.send("RELOADING=1\nMONOTONIC_USEC=%d" % (time.monotonic_ns() // 1000))

    def stopping(self):
        """Report that the orderly end has begun."""
        self.send("STOPPING=1")

    def status(self, text):
        """Set the line that `systemctl status` shows."""
        self.send("STATUS=" + text.replace("\n", " "))

    def feed(self):
        """Feed the watchdog: the agent moves."""
        self.send("WATCHDOG=1")

    def send(self, text):
        """Send one datagram; True if it went out."""
        if self._socket is None:
            return False
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            self._socket.sendto(text.encode(), address)
        except OSError:
            return False
        return True


class Supervision:
    """Notifier and Liveness together, as part of a loop's `on_turn`."""

    def __init__(self, notifier, liveness, now):
        from toolcart.agent.base.ticks import Timer

        self.notifier = notifier
        self.liveness = liveness
        self._next = Timer()
        self._every_ms = notifier.watchdog_ms // 2 or STATUS_EVERY_MS
        self._next.start(now, 0)
        notifier.ready()

    def on_turn(self, now, line):
        """Feed if it is time; `line()` returns the status in words. Return the ms until the next turn."""
        if self._next.expired(now):
            self._next.start(now, self._every_ms)
            if self.liveness.may_feed(now):
                self.notifier.feed()
                self.notifier.status(line())
            else:
                self.notifier.status("not fed: " + self.liveness.reason)
        return self._next.left(now)
