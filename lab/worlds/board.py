"""The board a world gives the agent: a clock that wraps, flashes, ports. New at every start; the flashes stay."""

from __future__ import annotations

from collections.abc import Callable

from lab.worlds.flash import NorFlash
from lab.worlds.network import Network
from lab.worlds.port import Port
from lab.worlds.timeline import Timeline

TICKS = 0x40000000


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
    ) -> None:
        self._time = time
        self._network = network
        self._flashes = flashes
        self._offset = ticks_at_first - time.now
        self._seed = seed
        self._wake = wake
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
