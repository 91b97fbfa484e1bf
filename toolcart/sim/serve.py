"""The simulators over real TCP: each on its own for the command line, both in one thread for the demo.

Rules:
1. A plant's methods may be called from any thread; they are carried out between two turns of its loop.
2. The reconciliation compares what the controller had acknowledged with what the archive holds, by tightening ID.
3. A cut looks like a pulled cable with a quick switch: connections are reset, new ones refused.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.orders import Orders
from toolcart.sim.serial_serve import ServedLine, default_path, is_device
from toolcart.sim.tcp import LONGEST_WAIT_MS, Loop, RealClock, Served
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions

__all__ = ["Loop", "Producer", "RealClock", "Served", "SimulatedPlant", "serve_controller", "serve_toolsnet"]

# A producer that is further behind does not try to catch up: a machine that slept must not flood the line.
CATCH_UP_MS = 2000
KEPT = 20000  # results that a ToolsNet keeps: those before them it no longer knows


class Producer:
    """Lets a controller tighten screws at a rate; a worker of the loop."""

    def __init__(self, controller: Controller, seed: int = 1) -> None:
        self.controller = controller
        self.per_second = 0.0
        self.jitter = 0.0
        self.left: int | None = None  # None: without end
        self._random = random.Random(seed)
        self._due_ms = 0.0

    def set_rate(self, per_second: float, jitter: float = 0.0, count: int | None = None) -> None:
        """Produce `per_second` results; each interval varies by the share `jitter`; stop after `count`."""
        self.per_second = per_second
        self.jitter = min(max(jitter, 0.0), 1.0)
        self.left = count
        self._due_ms = self.controller.clock.total_ms + self._interval_ms()

    def stop(self) -> None:
        self.per_second = 0.0

    def work(self) -> int:
        """Produce what is due; return ms until the next result."""
        now_ms = self.controller.clock.total_ms
        self._due_ms = max(self._due_ms, now_ms - CATCH_UP_MS)
        while self.per_second > 0 and self.left != 0 and self._due_ms <= now_ms:
            if self.controller.is_locked:
                self._due_ms = now_ms + self._interval_ms()
                break
            self.controller.produce()
            if self.left is not None:
                self.left -= 1
            self._due_ms += self._interval_ms()
        if self.per_second <= 0 or self.left == 0:
            return LONGEST_WAIT_MS
        return max(1, int(self._due_ms - now_ms))

    def _interval_ms(self) -> float:
        if self.per_second <= 0:
            return LONGEST_WAIT_MS
        return 1000.0 / self.per_second * (1 + self.jitter * self._random.uniform(-1, 1))


def served_toolsnet(
    loop: Loop, toolsnet: ToolsNet, host: str = "127.0.0.1", pim_port: int = 0, server_port: int = 0
) -> tuple[Served, Served]:
    """Serve the PIM and the server of a ToolsNet, and have the one tell where the other is."""
    pim = Served(loop, toolsnet.pim_endpoint, host, pim_port)
    server = Served(loop, toolsnet.server_endpoint, host, server_port)
    toolsnet.options.server_host = host  # type: ignore
    toolsnet.options.server_port = server.port  # type: ignore
    return pim, server


def served_controller(
    loop: Loop, controller: Controller, link: str, path: str, host: str = "127.0.0.1", port: int = 0, baud: int = 9600
) -> Served | ServedLine:
    """Serve a controller at an address, or at the line of this path: a device, or where a pty is to be."""
    if link == "tcp":
        return Served(loop, controller.endpoint, host, port)
    return ServedLine(loop, controller.endpoint, link, path, is_device(path), baud)


class Archived(Protocol):
    """An archive that serves itself in place of the simulated ToolsNet (toolcart.archive.server.demo_server)."""

    pim_port: int
    server_port: int

    @property
    def complaints(self) -> list[str]: ...
    @property
    def repeated(self) -> int: ...
    @property
    def out_of_order(self) -> int: ...
    def tightening_ids(self) -> list[int | None]: ...
    def newest_tightening_id(self) -> int: ...
    def query(self, sql: str, values: tuple = ()) -> list[tuple]: ...
    def cut(self, cut: bool) -> None: ...
    def close(self) -> None: ...


class SimulatedPlant:
    """A controller and a ToolsNet on 127.0.0.1 in one thread; a context manager."""

    def __init__(
        self,
        rate: float = 0.0,
        count: int | None = None,
        first_id: int | None = None,
        controller_options: ControllerOptions | None = None,
        toolsnet_options: ToolsNetOptions | None = None,
        link: str = "tcp",
        line_path: str | Path = "controller.tty",
        archived: Archived | None = None,
    ) -> None:
        self.loop = Loop()
        self.archived = archived
        self.archive: Any = archived or MemoryArchive(KEPT)
        if first_id is None:
            # An archive used again holds earlier ids: the controller goes on from there.
            first_id = int(archived.newest_tightening_id()) + 1 if archived else 1
        self.controller = Controller(self.loop.clock, controller_options, first_id)
        self.toolsnet: Any = archived
        self._controller = served_controller(self.loop, self.controller, link, str(line_path))
        if archived is None:
            self.toolsnet = ToolsNet(self.loop.clock, self.archive, toolsnet_options)
            self._pim, self._server = served_toolsnet(self.loop, self.toolsnet)
        self.producer = Producer(self.controller)
        self.producer.set_rate(rate, count=count)
        self.loop.workers.append(self.producer.work)
        self._repeated_before = self.archive.repeated
        self._out_of_order_before = self.archive.out_of_order

    def __enter__(self) -> SimulatedPlant:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def controller_port(self) -> int:
        return self._controller.port

    @property
    def pim_port(self) -> int:
        return self.archived.pim_port if self.archived else self._pim.port

    @property
    def server_port(self) -> int:
        return self.archived.server_port if self.archived else self._server.port

    def start(self) -> None:
        self.loop.start("simulated plant")

    def close(self) -> None:
        """Stop the thread, close every socket and the archive."""
        self.loop.close()
        self.archive.close()

    def cut_toolsnet(self, cut: bool) -> None:
        """Cut PIM and server off, or connect them again."""
        if self.archived:
            self.archived.cut(cut)
        else:
            self.loop.call(lambda: _cut([self._pim, self._server], cut))

    def cut_controller(self, cut: bool) -> None:
        self.loop.call(lambda: _cut([self._controller], cut))

    def produce(self, count: int = 1, **fields: object) -> list[int]:
        """Tighten `count` screws at once; return their tightening IDs."""
        return self.loop.call(lambda: [self.controller.produce(**fields) for _ in range(count)])  # type: ignore

    def produce_rate(self, per_second: float, jitter: float = 0.0, count: int | None = None) -> None:
        self.loop.call(lambda: self.producer.set_rate(per_second, jitter, count))

    def stop_producing(self) -> None:
        self.loop.call(self.producer.stop)

    def complaints(self) -> list[str]:
        """Return what the agent did wrong, as seen by both simulators."""
        with self.loop.lock:
            return self.controller.complaints + self.toolsnet.complaints

    def account(self) -> dict:
        """Return how produced, acknowledged and delivered results compare.

        acknowledged   distinct ids of this run that the agent has taken: answered with 0062, sent in 0065 when asked
                       for by number, or in the archive
        answers_lost   those of them whose 0062 was cut off on its way: durable and delivered, but the controller does
                       not know (it does not repeat them, and 0064 does not return them: nothing is missing)
        delivered      distinct ids of this run in the archive
        missing, lost  acknowledged and not in the archive (yet): the list, its length
        waiting        those of them with nothing acknowledged delivered after them: the backlog
        overtaken      the others: with an agent that keeps the order these are lost, not backlog
        """
        with self.loop.lock:
            produced = list(self.controller.produced)
            acknowledged = dict.fromkeys(self.controller.acknowledged)
            acknowledged.update(self.controller.fetched_by_id)
            archived = set(self.archive.tightening_ids())
            repeated = self.archive.repeated - self._repeated_before
            out_of_order = self.archive.out_of_order - self._out_of_order_before
            complaints = len(self.controller.complaints) + len(self.toolsnet.complaints)
        unreported = [number for number in produced if number in archived and number not in acknowledged]
        missing = [number for number in acknowledged if number not in archived]
        waiting = 0
        for number in reversed(acknowledged):
            if number in archived:
                break
            waiting += 1
        return {
            "produced": len(produced),
            "acknowledged": len(acknowledged) + len(unreported),
            "answers_lost": len(unreported),
            "delivered": len(archived.intersection(produced)),
            "repeated": repeated,
            "lost": len(missing),
            "out_of_order": out_of_order,
            "missing": missing,
            "waiting": waiting,
            "overtaken": len(missing) - waiting,
            "complaints": complaints,
        }


def _cut(addresses: list[Served] | list[Served | ServedLine], cut: bool) -> None:
    for address in addresses:
        if cut:
            address.cut()
        else:
            address.listen()


def _reporting(clock: RealClock, complaints: list[str], figures: Callable[[], str], report: Callable) -> Callable:
    """Return a worker of the loop that prints new complaints at once, and figures once a second if they are others."""
    reported, last, due_ms = 0, "", 0

    def work() -> int:
        nonlocal reported, last, due_ms
        while reported < len(complaints):
            report("complaint: " + complaints[reported])
            reported += 1
        if clock.total_ms >= due_ms:
            due_ms = clock.total_ms + 1000
            if figures() != last:
                last = figures()
                report(last)
        return LONGEST_WAIT_MS

    return work


def serve_controller(
    host: str = "127.0.0.1",
    port: int = 4545,
    rate: float = 1.0,
    jitter: float = 0.2,
    count: int | None = None,
    first_id: int = 1,
    options: ControllerOptions | None = None,
    report: Callable[[str], None] = print,
    stop: Callable[[], bool] | None = None,
    link: str = "tcp",
    device: str | None = None,
    baud: int = 9600,
    orders: Orders | None = None,
) -> Controller:
    """Run a simulated controller until `stop()` is true or Ctrl-C; return it with its books."""
    loop = Loop()
    controller = Controller(loop.clock, options, first_id)
    path = device or (default_path() if link != "tcp" else "")
    served = served_controller(loop, controller, link, path, host, port, baud)
    producer = Producer(controller)
    producer.set_rate(rate, jitter, count)

    def figures() -> str:
        produced, acknowledged, fetched = map(len, (controller.produced, controller.acknowledged, controller.fetched))
        counts = f"produced {produced}, acknowledged {acknowledged}, fetched {fetched}"
        return f"{counts}, connections {len(controller.sessions)}"

    loop.workers += [producer.work, _reporting(loop.clock, controller.complaints, figures, report)]
    report(f"controller on {host}:{served.port}" if link == "tcp" else f"controller on {path}, {link}")
    if orders is not None:
        orders.begin(loop, controller, producer, served)
    _run(loop, stop, figures, report)
    return controller


def serve_toolsnet(
    host: str = "127.0.0.1",
    pim_port: int = 6575,
    server_port: int = 10111,
    announced_host: str | None = None,
    options: ToolsNetOptions | None = None,
    report: Callable[[str], None] = print,
    stop: Callable[[], bool] | None = None,
) -> ToolsNet:
    """Run a simulated PIM and server until `stop()` is true or Ctrl-C; `announced_host` replaces `host` in 08."""
    loop = Loop()
    archive = MemoryArchive(KEPT)
    toolsnet = ToolsNet(loop.clock, archive, options)
    pim, server = served_toolsnet(loop, toolsnet, host, pim_port, server_port)
    toolsnet.options.server_host = host if announced_host is None else announced_host  # type: ignore

    def figures() -> str:
        counts = (archive.stored, archive.repeated, archive.out_of_order, archive.events_stored, toolsnet.refused)
        return "stored %d, repeated %d, out of order %d, events %d, refused %d" % counts

    loop.workers.append(_reporting(loop.clock, toolsnet.complaints, figures, report))
    report(f"PIM on {host}:{pim.port}, server on {host}:{server.port}")
    _run(loop, stop, figures, report)
    return toolsnet


def _run(
    loop: Loop, stop: Callable[[], bool] | None, figures: Callable[[], str], report: Callable[[str], None]
) -> None:
    """Run a simulator to its end, then print its figures."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            loop.run(stop)
        report(figures())
    finally:
        loop.close()
