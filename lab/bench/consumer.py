"""Measures the way from a controller over the agent's MQTT outlet and a broker into the database: time and processor.

    python -m lab.bench.consumer

Rules
1. Agent, broker, consumer and database are processes of their own; the controller is simulated in this one, which also
   receives the receipts. A result's time ends when the receipt that covers it arrives: after the commit, and later by
   the broker's way. Every commit waits for the disk.
2. It also measures how many results a second the consumer stores when batches come as fast as it takes them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from toolcart.base import child
from toolcart.base.command_line import CommandLine
from toolcart.base.report import Report
from toolcart.base.sources import Unavailable
from toolcart.sim.serve import SimulatedPlant
from lab.bench.figures import tell
from lab.bench.postgresql import postgresql
from lab.bench.processes import memory_mib, running, worked_s

RATE_PER_S, SECONDS = 50.0, 30.0
SETTLE_S = 5.0
LIMIT_S = 60.0
STATION = 7
BATCHES, BATCH = 1000, 32
AHEAD = 100  # batches without a receipt; an outlet's window is bounded too: Mosquitto drops beyond 1000
TOPIC = f"toolcart/1/{STATION}"


class Receipts:
    """When each number was receipted; also publishes."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[float, int]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self.client.max_inflight_messages_set(100)
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(f"{TOPIC}/receipt", 1)
        self.client.loop_start()

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.heard.append((time.monotonic(), json.loads(message.payload)["number"]))

    def wait(self, number: int) -> float:
        """Wait until this number is receipted; return when that was."""
        until_s = time.monotonic() + LIMIT_S
        while not self.heard or self.heard[-1][1] < number:
            if time.monotonic() > until_s:
                raise RuntimeError(f"no receipt for {number}, the last one was {self.heard[-1:]}")
            time.sleep(0.002)
        return self.heard[-1][0]

    def close(self) -> None:
        """Close the connection."""
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def quiet(command: list[str], folder: str) -> Iterator[subprocess.Popen]:
    """A process that writes its output to a file."""
    with open(Path(folder, "told"), "ab") as told, running(command, stdout=told, stderr=told) as process:
        yield process


@contextmanager
def broker(folder: str) -> Iterator[tuple[int, int]]:
    """Mosquitto: its process and port. Unavailable if there is none."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Unavailable("no Mosquitto: apt install mosquitto")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = Path(folder, "mosquitto.conf")
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    with quiet([program, "-c", str(config)], folder) as made:
        until_s = time.monotonic() + LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > until_s:
                    raise Unavailable("Mosquitto does not listen") from None
                time.sleep(0.05)
        yield made.pid, port


def consumer(folder: str, port: int, place: str):
    """Return the consumer's process."""
    command = child.command("-m", "toolcart.tools.cli.main", "archive", "consume", "--database", place)
    return quiet([*command, f"mqtt://127.0.0.1:{port}/toolcart/+/+"], folder)


def agent(folder: str, port: int, plant: SimulatedPlant):
    """Return the agent's process, with ToolsNet and this broker."""
    station = {
        "number": STATION,
        "controller": {"host": "127.0.0.1", "port": plant.controller_port},
        "spool": {"path": str(Path(folder, "7.spool"))},
        "outlets": [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "127.0.0.1", "port": port}],
    }
    config = Path(folder, "cart.json")
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port}
    config.write_text(json.dumps({"toolsnet": toolsnet, "stations": [station]}), encoding="utf-8")
    return quiet(child.command("-m", "toolcart.tools.cli.main", "run", "--config", str(config), "--plain"), folder)


def measure_way(report: Report, name: str, place: str, folder: str) -> None:
    """Measure the whole way at RATE_PER_S."""
    with ExitStack() as stack:
        number, port = stack.enter_context(broker(folder))
        plant = stack.enter_context(SimulatedPlant())
        made: dict[int, float] = {}
        produce = plant.controller.produce

        def timed(*arguments: object, **fields: object) -> int:
            began_s = time.monotonic()
            ident = produce(*arguments, **fields)
            assert ident is not None, "the simulated tool is locked"
            made[ident] = began_s
            return ident

        plant.controller.produce = timed  # type: ignore[method-assign]
        stored = stack.enter_context(consumer(folder, port, place))
        station = stack.enter_context(agent(folder, port, plant))
        receipts = Receipts(port)
        stack.callback(receipts.close)
        time.sleep(SETTLE_S)
        plant.produce(1)
        receipts.wait(1)
        made.clear()
        processes = {"agent": station.pid, "consumer": stored.pid, "broker": number}
        before = {what: worked_s(pid) for what, pid in processes.items()}
        plant.produce_rate(RATE_PER_S)
        time.sleep(SECONDS)
        plant.stop_producing()
        count = len(made)
        receipts.wait(1 + count)
        used = {what: 1000 * (worked_s(pid) - before[what]) / count for what, pid in processes.items()}
        tell_way(report, name, list(made.values()), receipts.heard)
        for what, ms in used.items():
            report.add(f"processor time of the {what} a result, {name}", round(ms, 2), "ms")


def tell_way(report: Report, name: str, made: list[float], heard: list[tuple[float, int]]) -> None:
    """Report the times from the controller to the receipt; the very first result had number 1, these follow."""
    took, at = [], 0
    for index, began_s in enumerate(made):
        while heard[at][1] < index + 2:
            at += 1
        took.append(1000 * (heard[at][0] - began_s))
    words = f"{len(took)} results, {RATE_PER_S:g} a second"
    report.add(f"controller to receipt, median, {name}", round(median(took), 1), "ms", how=words)
    report.add(f"controller to receipt, p99, {name}", round(quantiles(took, n=100)[98], 1), "ms", how=words)


def measure_rate(report: Report, name: str, place: str, folder: str, batch_of: Callable[[int, int], bytes]) -> None:
    """Measure how fast waiting batches are stored."""
    with broker(folder) as (_, port), consumer(folder, port, place) as made:
        receipts = Receipts(port)
        until_s = time.monotonic() + LIMIT_S
        while not receipts.heard and time.monotonic() < until_s:  # until the consumer is there
            receipts.client.publish(f"{TOPIC}/results", batch_of(0, BATCH), 1)
            time.sleep(0.5)
        before_s, began_s = worked_s(made.pid), time.monotonic()
        sender = threading.Thread(target=_send, args=(receipts, batch_of))
        sender.start()
        took_s = receipts.wait(BATCHES * BATCH) - began_s
        sender.join()
        results = (BATCHES - 1) * BATCH
        report.add(f"results stored a second, batches of {BATCH}, {name}", round(results / took_s), "1/s")
        used_us = 1e6 * (worked_s(made.pid) - before_s) / results
        report.add(f"processor time of the consumer a result then, {name}", round(used_us), "us")
        report.add(f"most memory of the consumer then, {name}", round(memory_mib(made.pid)), "MiB")
        receipts.close()


def _send(receipts: Receipts, batch_of: Callable[[int, int], bytes]) -> None:
    """Send batches as fast as they are stored, in order."""
    for index in range(1, BATCHES):
        receipts.client.publish(f"{TOPIC}/results", batch_of(index * BATCH, (index + 1) * BATCH), 1)
        if index >= AHEAD:
            receipts.wait((index - AHEAD) * BATCH)


def measure(report: Report) -> None:
    """Measure all of it, on both databases."""
    from toolcart.archive.consume.check import sample

    with postgresql(synced=True) as databases:
        for name, new_place in (("SQLite", lambda: str(Path(folder, "archive.sqlite"))), ("PostgreSQL", databases)):
            for kind in ("way", "rate"):
                print(f"{name}: {kind}", file=sys.stderr)
                with tempfile.TemporaryDirectory(prefix="toolcart-consumer-") as folder:
                    if kind == "way":
                        measure_way(report, name, new_place(), folder)
                    else:
                        measure_rate(report, name, new_place(), folder, sample)


if __name__ == "__main__":
    tell(CommandLine(__doc__), lambda report, _: measure(report))
