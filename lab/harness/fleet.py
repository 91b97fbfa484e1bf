"""Many carts on 127.0.0.1: any number of controllers and one ToolsNet, in one thread, and their configuration.

Rules
1. Each controller tightens at the same rate, with a seed of its own, and numbers its results from 1.
2. `cut(index)` takes one controller's network away, `cut_toolsnet` ToolsNet's; the archive is in memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.serve import Producer, served_toolsnet
from toolcart.sim.tcp import Loop, Served
from toolcart.sim.toolsnet import ToolsNet

HOST = "127.0.0.1"
JITTER = 0.3
# Where they would be in a plant; the names in an overview.
PLACES = ("Door left", "Door right", "Seat front", "Seat rear", "Wheel FL", "Wheel FR", "Wheel RL", "Wheel RR", "Dash")


class Fleet:
    """`count` controllers and a ToolsNet; a context manager."""

    def __init__(self, count: int, rate_per_s: float = 0.0) -> None:
        self.loop = Loop()
        self.archive = MemoryArchive()
        self.toolsnet = ToolsNet(self.loop.clock, self.archive)
        self._pim, self._server = served_toolsnet(self.loop, self.toolsnet)
        self.controllers = [Controller(self.loop.clock, ControllerOptions(seed=index)) for index in range(count)]
        self._served = [Served(self.loop, controller.endpoint, HOST, 0) for controller in self.controllers]
        self._producers = [Producer(controller, index) for index, controller in enumerate(self.controllers)]
        self.loop.workers += [producer.work for producer in self._producers]
        self.produce_rate(rate_per_s)

    def __enter__(self) -> Fleet:
        self.loop.start("fleet")
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.close()
        self.archive.close()

    def configuration(self, **controller: object) -> dict[str, object]:
        """Return the configuration of the agent for all of them, with these settings for every controller."""
        stations = [
            {
                "number": index + 1,
                "name": f"{PLACES[index % len(PLACES)]} {index // len(PLACES) + 1}",
                "controller": {"host": HOST, "port": served.port, **controller},
                "spool": {"path": f"{index + 1}.spool", "size_kib": 256},
            }
            for index, served in enumerate(self._served)
        ]
        toolsnet: Mapping[str, object] = {"pim_host": HOST, "pim_port": self._pim.port, "reconnect_s": 1}
        return {"system": {"name": "Fleet"}, "toolsnet": dict(toolsnet), "stations": stations}

    def produce_rate(self, per_second: float) -> None:
        """Let every controller tighten at this rate."""
        with self.loop.lock:
            for producer in self._producers:
                producer.set_rate(per_second, JITTER)

    def produced(self) -> int:
        with self.loop.lock:
            return sum(len(controller.produced) for controller in self.controllers)

    def all_talk(self) -> bool:
        """True if every controller has a session."""
        with self.loop.lock:
            return all(any(one.started for one in controller.sessions) for controller in self.controllers)

    def cut(self, index: int, cut: bool = True) -> None:
        """Take one controller's network away, or give it back."""
        self.loop.call(self._served[index].cut if cut else self._served[index].listen)

    def cut_toolsnet(self, cut: bool = True) -> None:
        for one in (self._pim, self._server):
            self.loop.call(one.cut if cut else one.listen)
