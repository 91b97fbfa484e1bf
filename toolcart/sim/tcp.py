"""Endpoints on real TCP: one loop for any number of listening addresses, and a real clock for them.

Rules:
1. One thread runs the loop; other threads hand over their work with `Loop.call`.
2. A cut address resets its connections and refuses new ones; later it listens again on the same port.
3. Before an endpoint's connection is closed at its wish, everything it wants sent is sent.
"""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent import futures

from toolcart.base.clock import TICKS_PERIOD, stamp_text

# The longest the loop sleeps; limits the delay of an endpoint that announces late.
LONGEST_WAIT_MS = 500
RECEIVE_BYTES = 65536
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST
KEPT_PORTS = range(12000, 32000)  # below those that Linux gives to clients, and to who asks for port 0
TRIED_PORTS = 20


class RealClock:
    """The interface of SimClock on the machine's clock; its ticks start just before the wrap too.

    `slower` times slower than the machine's: for a peer whose processor is simulated, and slow on a busy machine.
    """

    def __init__(self, slower: int = 1) -> None:
        self._slower = slower
        self._origin = time.monotonic_ns()

    @property
    def total_ms(self) -> int:
        return (time.monotonic_ns() - self._origin) // (1_000_000 * self._slower)

    @property
    def now(self) -> int:
        return (self.total_ms - 5000) % TICKS_PERIOD

    def stamp(self) -> str:
        """Return the local wall time as YYYY-MM-DD:HH:MM:SS."""
        local = time.localtime()
        return stamp_text(int(time.time()) + local.tm_gmtoff)


class _Stream:
    """One accepted connection and its endpoint."""

    def __init__(self, loop: Loop, sock: socket.socket, endpoint) -> None:
        self.loop = loop
        self.sock = sock
        self.endpoint = endpoint
        self.unsent = b""
        self.closed = False
        sock.setblocking(False)
        loop.selector.register(sock, selectors.EVENT_READ, self)
        endpoint.connected(loop.clock.now)

    def ready(self, events: int) -> None:
        if events & selectors.EVENT_READ:
            try:
                octets = self.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            if not octets:
                self.endpoint.ended()
                self.close()
                return
            self.endpoint.receive(octets, self.loop.clock.now)

    def pump(self) -> int:
        """Send what can be sent; return ms until the endpoint needs to be called again."""
        wait = self.endpoint.tick(self.loop.clock.now)
        self.unsent += self.endpoint.outgoing()
        if self.unsent:
            try:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
            except BlockingIOError:
                pass
            except OSError:
                self.close()
                return wait
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        self.loop.selector.modify(self.sock, events, self)
        if self.endpoint.wants_close and not self.unsent:
            self.close()
        return wait

    def close(self, reset: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        self.loop.selector.unregister(self.sock)
        if reset:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self.sock.close()
        self.endpoint.disconnected(self.loop.clock.now)


class Served:
    """One address whose connections get endpoints from a factory; port 0 takes a free one and keeps it."""

    def __init__(self, loop: Loop, factory: Callable, host: str = "127.0.0.1", port: int = 0) -> None:
        self.loop = loop
        self.factory = factory
        self.host = host
        self.port = port
        self.streams: list[_Stream] = []
        self._listener: socket.socket | None = None
        loop.served.append(self)
        self.listen()

    def listen(self) -> None:
        if self._listener is not None:
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._bind(listener)
            listener.listen(16)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self.loop.selector.register(listener, selectors.EVENT_READ, self)

    def _bind(self, listener: socket.socket) -> None:
        """Take the port; of free ones one that the system gives to nobody, who might have it while this is cut."""
        for _ in range(0 if self.port else TRIED_PORTS):
            with contextlib.suppress(OSError):
                listener.bind((self.host, KEPT_PORTS[secrets.randbelow(len(KEPT_PORTS))]))
                return
        listener.bind((self.host, self.port))

    def cut(self) -> None:
        """Reset every connection and refuse new ones until `listen`."""
        if self._listener is not None:
            self.loop.selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for stream in self.streams:
            stream.close(reset=True)
        self.streams = []

    def ready(self, events: int) -> None:
        try:
            sock, _ = self._listener.accept() if self._listener else (None, None)
        except OSError:
            return
        if sock is not None:
            with contextlib.suppress(OSError):  # it may have been reset already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.streams.append(_Stream(self.loop, sock, self.factory()))

    def pump(self) -> int:
        wait = LONGEST_WAIT_MS
        for stream in self.streams:
            if not stream.closed:
                wait = min(wait, stream.pump())
        self.streams = [stream for stream in self.streams if not stream.closed]
        return wait


class Loop:
    """Runs served addresses and timed work in one thread."""

    def __init__(self, clock: RealClock | None = None) -> None:
        self.clock = clock or RealClock()
        self.selector = selectors.DefaultSelector()
        self.served: list = []  # Served, or anything with its methods
        self.workers: list[Callable[[], int]] = []  # each is called every turn and returns ms until its next work
        self.lock = threading.RLock()
        self._calls: list[Callable[[], None]] = []
        self._runs = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self.selector.register(self._wake_read, selectors.EVENT_READ, None)

    def call(self, action: Callable[[], object], timeout_s: float = 10.0) -> object:
        """Run `action` between two turns of the loop, or at once if it does not run; return its result."""
        outcome: futures.Future = futures.Future()

        def run() -> None:
            try:
                outcome.set_result(action())
            except Exception as error:
                outcome.set_exception(error)

        with self.lock:
            if not self._runs:
                return action()
            self._calls.append(run)
        self._wake()
        if not futures.wait([outcome], timeout_s).done:
            raise TimeoutError("the simulators' loop does not run")
        return outcome.result()

    def turn(self) -> None:
        """Do what is due and wait for the next event."""
        with self.lock:
            calls, self._calls = self._calls, []
            for call in calls:
                call()
            wait_ms = LONGEST_WAIT_MS
            for worker in self.workers:
                wait_ms = min(wait_ms, worker())
            for served in self.served:
                wait_ms = min(wait_ms, served.pump())
        ready = self.selector.select(max(0, wait_ms) / 1000)
        with self.lock:
            for key, events in ready:
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_read.recv(RECEIVE_BYTES)
                else:
                    key.data.ready(events)

    def run(self, stop: Callable[[], bool] | None = None) -> None:
        """Turn until the loop is closed or `stop()` is true."""
        self._runs = True
        try:
            while not self._stopping.is_set() and not (stop is not None and stop()):
                self.turn()
        finally:
            with self.lock:
                self._runs = False
                for call in self._calls:  # that came in its last turn
                    call()

    def start(self, name: str) -> None:
        """Run in a thread until `close`."""
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and close every address and connection."""
        self._stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(10)
        for served in self.served:
            served.cut()
        self.selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")
