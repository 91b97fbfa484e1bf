"""The archive by OPC UA as a process of its own, beside an archive in this one, and clients of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from asyncua import Client, Node, ua
from asyncua.client.client import Client as LibraryClient
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from tools.archive.opcua import nodesets
from tools.archive.opcua.certificate import make
from tools.base import child

START_LIMIT_S = 120.0
WORD = "OPC UA on "


class Process:
    """`toolcart archive opcua`; `kill` is as a power cut, `start` begins it again on the same port."""

    def __init__(self, folder: Path, place: str, *options: str) -> None:
        self.folder = folder
        self.place = place
        self.options = options
        self.port = 0
        self.lines: list[str] = []
        self.start()

    def start(self) -> None:
        words = ["archive", "opcua", "--database", self.place, "--bind", f"127.0.0.1:{self.port}"]
        words += ["--state", str(self.folder / "opcua.sqlite"), *self.options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli.main", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child.environment(),
            text=True,
        )
        assert self.process.stdout is not None
        until = time.monotonic() + START_LIMIT_S
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith(WORD):
                self.port = int(line.split("//")[1].split(",")[0].rpartition(":")[2])
                return
            assert time.monotonic() < until
        raise AssertionError(f"it did not begin: {self.lines}")

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> list[str]:
        """End it as a service manager does, and return what it said."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=START_LIMIT_S)
        self.lines += out.splitlines()
        return self.lines


@contextmanager
def serving(folder: Path, place: str, *options: str):
    """The process, which is gone afterwards."""
    process = Process(folder, place, *options)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.stop()
        print("\n".join(process.lines))  # pytest shows it where something failed


def client_certificate(folder: Path) -> tuple[str, str]:
    """A certificate and a key of a client, which has a URI among its names."""
    files = str(folder / "client.pem"), str(folder / "client-key.pem")
    make(*files, "127.0.0.1")
    return files


@asynccontextmanager
async def connected(url: str, user: str | None = None, password: str = "", certificate: tuple[str, str] | None = None):
    """A client of asyncua that knows the types."""
    client = Client(url, timeout=30, watchdog_intervall=20)  # a busy machine is no lost connection
    client.session_timeout = 60_000
    if certificate:
        await client.set_security(SecurityPolicyBasic256Sha256, *certificate)
    if user:
        client.set_user(user)
        client.set_password(password)
    async with client:
        yield client


async def learn(client: LibraryClient) -> None:
    """The types that the server has."""
    await client.load_data_type_definitions()
    nodesets.subtypes_as_objects()


class System:
    """A joining system as a client sees it."""

    def __init__(self, client: LibraryClient, namespaces: list[str], node: Node) -> None:
        self.client = client
        self.namespaces = namespaces
        self.node = node

    @classmethod
    async def of(cls, client: LibraryClient, station: str = "3/1/10") -> System:
        namespaces = await client.get_namespace_array()
        machines = await client.nodes.objects.get_child(f"{namespaces.index(nodesets.MACHINERY)}:Machines")
        for node in await machines.get_children():
            if (await node.read_browse_name()).Name == station:
                return cls(client, namespaces, node)
        raise AssertionError(f"no {station} among {await machines.get_children()}")

    def type(self, number: int) -> Node:
        """A type of OPC 40450-1."""
        return self.client.get_node(ua.NodeId(number, self.namespaces.index(nodesets.BASE)))

    async def management(self) -> Node:
        return await self.node.get_child(f"{self.namespaces.index(nodesets.RESULT)}:ResultManagement")

    async def variable(self, name: str) -> Node:
        return self.client.get_node(
            ua.NodeId(f"{self.node.nodeid.Identifier}/ResultManagement/Results/{name}", self.node.nodeid.NamespaceIndex)
        )

    async def call(self, method: str, *arguments: ua.Variant | int | float | str):
        """The answer of a method of ResultManagement."""
        management = await self.management()
        for node in await management.get_methods():
            if (await node.read_browse_name()).Name == method:
                return await management.call_method(node, *arguments)
        raise AssertionError(f"no {method}")


def ids(*texts: str) -> ua.Variant:
    """ResultIds as an argument."""
    return ua.Variant(list(texts), ua.VariantType.String, is_array=True)


def u64(number: int) -> ua.Variant:
    return ua.Variant(number, ua.VariantType.UInt64)


def u32(number: int) -> ua.Variant:
    return ua.Variant(number, ua.VariantType.UInt32)
