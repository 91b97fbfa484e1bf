"""MQTT brokers as processes of their own on the loopback: Mosquitto from Debian's packages, and amqtt from an index."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_tests.support.running import free_port

START_LIMIT_S = 30.0


class Broker:
    """A broker that may be killed and started again on the same port; it forgets everything then.

    With `tls`, the names of its `certificate` and `key`, it speaks TLS alone.
    """

    def __init__(self, folder: Path, tls: dict[str, str] | None = None) -> None:
        self.folder = Path(folder)
        self.tls = tls
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.start()

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        until_s = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until_s:
            assert self.process.poll() is None, f"{type(self).__name__} ended with {self.process.returncode}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{type(self).__name__} does not listen")

    def kill(self) -> None:
        """End it by SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError


class Mosquitto(Broker):
    """Debian's."""

    def __init__(self, folder: Path, tls: dict[str, str] | None = None, options: str = "allow_anonymous true") -> None:
        self.options = options
        super().__init__(folder, tls)

    def command(self) -> list[str]:
        config = self.folder / f"mosquitto-{self.port}.conf"
        user = "user root\n" if os.getuid() == 0 else ""  # it has to read the test's folder
        tls = "certfile {certificate}\nkeyfile {key}\n".format(**self.tls) if self.tls else ""
        fixed = "persistence false\nset_tcp_nodelay true"  # else each exchange waits 40 ms for a delayed ACK
        config.write_text(f"{user}listener {self.port} 127.0.0.1\n{tls}{fixed}\n{self.options}\n")
        return [mosquitto(), "-c", str(config)]


class Amqtt(Broker):
    """Another one: Python's, MQTT 3.1.1 alone."""

    def command(self) -> list[str]:
        program = self.folder / f"amqtt-{self.port}.py"
        listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}
        if self.tls:
            listener.update(ssl=True, certfile=self.tls["certificate"], keyfile=self.tls["key"])
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        program.write_text(
            "import asyncio, logging\nfrom amqtt.broker import Broker\nlogging.disable(logging.CRITICAL)\n"
            f"config = {{'listeners': {{'default': {listener}}}, 'plugins': {plugins}}}\n"
            "async def main():\n    await Broker(config).start()\n    await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        return [sys.executable, str(program)]


def mosquitto() -> str:
    """Its program; the test is skipped where there is none."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no Mosquitto: apt install mosquitto")
    return program


def need_amqtt() -> type[Amqtt]:
    """The class, or the test is skipped."""
    if importlib.util.find_spec("amqtt") is None:
        pytest.skip("no amqtt: pip install amqtt")
    return Amqtt
