"""The board a world gives the agent: a clock that wraps, flashes, ports. New at every start; the flashes stay.

What the agent writes to a port may be its last before a cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolcart.agent.link.port import WHY_ENDED, WHY_REFUSED
from lab.worlds.flash import NorFlash
from lab.worlds.network import Link, Network
from lab.worlds.power import SEND, PowerCut
from lab.worlds.timeline import Timeline

TICKS = 0x40000000
CLOSED, OPENING, OPEN = 0, 1, 2
LOST = -1
LEVEL_MS, LEVEL_MAX_MS = 1, 128  # a port with input wakes its slot again and again, at growing intervals


class Board:
    """The board of one start. `ticks_at_first` is the tick counter at this start."""

    def __init__(
        self,
        time: Timeline,
        network: Network,
        flashes: dict[str, NorFlash],
        ticks_at_first: int,
        seed: int,
        wake: Callable[[int], None],
        lines: Callable[[dict], Any],
    ) -> None:
        self._time = time
        self._network = network
        self._flashes = flashes
        self._offset = ticks_at_first - time.now
        self._seed = seed
        self._wake = wake
        self.lines = lines  # of an outlet's settings: the file that it writes
        self.ports: list[Port] = []

    def now(self) -> int:
        """Return the tick counter."""
        return (self._time.now + self._offset) % TICKS

    def stamp_into(self, buf) -> None:
        """Write the wall clock, which was never set: it differs from the controller's by years."""
        seconds = self._time.now // 1000
        days, seconds = divmod(seconds, 86400)
        text = f"2021-01-{1 + days % 28:02d}:{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        buf[0:19] = text.encode()

    def wall_s(self) -> int:
        """Return the same, in seconds since 1970."""
        return 1609459200 + self._time.now // 1000 % (28 * 86400)

    def tcp(self) -> Port:
        """Return a new port."""
        port = Port(self._network, self._ready)
        self.ports.append(port)
        return port

    def serial(self, controller):
        """Return nothing: these worlds have no serial line."""
        raise ValueError("no serial line")

    def flash(self, spool) -> NorFlash | None:
        """Return the device for these settings."""
        flash = self._flashes[spool["path"]]
        return None if flash.refusing == "absent" else flash

    def seed(self) -> int:
        """Return a seed for the jitter."""
        return self._seed

    def watch(self, port: Port, slot: int) -> None:
        """Wake this slot when the port has input."""
        port.slot = slot

    def _ready(self, port: Port) -> None:
        if port.slot >= 0:
            self._wake(port.slot)


class Port:
    """The agent's end, by the contract of its ports."""

    def __init__(self, network: Network, on_ready: Callable[[Port], None]) -> None:
        self.why = self.why_code = 0
        self._network = network
        self._on_ready = on_ready
        self.slot = -1
        self.link: Link | None = None
        self._state = CLOSED
        self._broken = False
        self._inbox = bytearray()
        self._attempt = 0
        self._level_ms = 0
        self._level_of = -1

    def open(self, host: str, number: int) -> None:
        """Begin to connect."""
        self.close()
        self._state = OPENING
        self.why = 0
        self._attempt += 1
        attempt = self._attempt
        network = self._network
        network.time.after(network.latency(), lambda: self._reached(attempt, (host, number)))

    def _reached(self, attempt: int, place: tuple[str, int]) -> None:
        if attempt != self._attempt or self._state != OPENING:
            return
        network = self._network
        service = network.services.get(place)
        if service is not None and service.state == "hole":
            network.waiting.append((service, lambda: self._reached(attempt, place)))
            return
        if service is None or service.state != "up":
            self._state = CLOSED
            self.why = WHY_REFUSED
        else:
            self._state = OPEN
            self._broken = False
            self.link = Link(network, service, self)
            network.links.append(self.link)
            self.link.peer = service.accept(self.link)
        self._on_ready(self)

    def state(self) -> int:
        """Return CLOSED, OPENING or OPEN."""
        return self._state

    def readinto(self, buf, n: int) -> int:
        """Return how many bytes were read; 0 if there are none, LOST if the other side is gone."""
        if self._state != OPEN:
            return LOST
        count = min(n, len(self._inbox))
        if count:
            buf[0:count] = self._inbox[:count]
            del self._inbox[:count]
            if self.link is not None:
                self.link.count_read(count)
            return count
        if self._broken:
            self.why = WHY_ENDED
        return LOST if self._broken else 0

    def write(self, buf, start: int, n: int) -> int:
        """Return how many bytes were taken, LOST if the other side is gone."""
        if self._state != OPEN or self._broken or self.link is None:
            return LOST
        network = self._network
        taken = n
        if n > 1 and network.dice.random() < network.short_write_odds:
            taken = network.dice.randrange(n)
            network.time.after(network.latency() + 1, lambda: self._on_ready(self))
        burns = network.fuse.left and network.fuse.burns(SEND)
        if burns and network.dice.random() < 0.5:
            raise PowerCut
        if taken:
            self.link.write(bytes(buf[start : start + taken]))
        if burns:
            raise PowerCut
        return taken

    def close(self) -> None:
        """Close at once."""
        self._attempt += 1
        self._state = CLOSED
        self._inbox.clear()
        link, self.link = self.link, None
        if link is not None:
            link.leave()

    def arrived(self, piece: bytes) -> None:
        """Handle bytes that can be read."""
        self._inbox += piece
        self._on_ready(self)

    def lost(self) -> None:
        """Handle the loss of the other side."""
        self.link_gone()
        self._on_ready(self)

    def link_gone(self) -> None:
        """The peer is gone; what has arrived can still be read."""
        self._broken = True

    def has_something(self) -> bool:
        """True if a poll would report this port now."""
        return self._state == OPEN and (self._broken or bool(self._inbox))

    def level(self) -> int:
        """Return in how many ms a poll reports unread input again, 0 if there is none."""
        if not self.has_something():
            self._level_of = -1
            return 0
        if self._level_of == len(self._inbox):
            self._level_ms = min(2 * self._level_ms, LEVEL_MAX_MS)
        else:
            self._level_ms = LEVEL_MS
        self._level_of = len(self._inbox)
        return self._level_ms
