"""The archive as the demo's ToolsNet: a process that can be killed, with books to read and a network to cut.

Rules
1. It keeps the contract of toolcart.sim.serve.Archived.
2. A cut resets every connection and frees the ports; joining, or another start, takes the same ports again.
3. It ends when the other end of its stdin is closed: however the demo ends, no process is left behind.
4. Unless `close` ended it, it is started again: `look_after` says so.

The process, `python -m toolcart.archive.server.demo_server PLACE PIM SERVER cut|join`, takes orders on stdin and prints
JSON
1. Orders are `cut` and `join`; at the end of stdin it commits what is waiting and ends.
2. It says `listens` with its ports once, `trouble` for what could not be stored, `failed` if it cannot start.
3. It is no slower and no kinder than `toolcart archive serve`: the same server, writer and database.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec

from toolcart.archive.server.demo_queries import ArchiveBooks
from toolcart.base import subprocesses

HOST = "127.0.0.1"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0


def missing() -> str | None:
    """Return a library that the archive needs and that is missing; None if all are there."""
    return next((name for name in ("sqlalchemy", "alembic") if find_spec(name) is None), None)


class DemoServer(ArchiveBooks):
    """An archive on two free ports of the loopback; OSError if it cannot start. `ready` waits until it listens."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.pim_port = self.server_port = 0
        self.kills = 0
        self.started_s = 0.0  # how long it took to listen, the first time
        self._is_cut = False
        self._troubles: list[str] = []
        self._wrong = ""
        self._listens = threading.Event()
        self._begun_s = time.monotonic()
        self._start()

    def ready(self) -> DemoServer:
        """Wait until it listens."""
        if not self._listens.wait(START_LIMIT_S) or self._wrong:
            self.close()
            raise OSError(f"the archive did not begin: {self._wrong or f'not within {START_LIMIT_S:.0f} s'}")
        return self

    @property
    def process_number(self) -> int:
        """The number of the process that serves now."""
        return self._process.pid

    # -- what happens to it ----------------------------------------------------------------------------------------

    def cut(self, cut: bool) -> None:
        """Cut PIM and server off the network, or connect them again."""
        self._is_cut = cut
        self._order("cut" if cut else "join")

    def kill(self) -> None:
        """Kill the process as a power cut would, and start it again on the same ports."""
        self.kills += 1
        self._process.kill()
        self._restart()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start the process again if it has ended."""
        code = self._process.poll()
        if code is not None:
            self._troubles.append(f"the archive ended with {code}{f': {self._wrong}' if self._wrong else ''}")
            say(f"{self._troubles[-1]}; it is started again")
            self._restart()

    def close(self) -> None:
        """Commit what is waiting, and end."""
        self.close_books()
        assert self._process.stdin is not None
        self._process.stdin.close()
        subprocesses.wait_or_kill(self._process, STOP_LIMIT_S)
        self._reader.join()

    @property
    def complaints(self) -> list[str]:
        """What it could not store, and what broke the document."""
        return [*self._troubles, *self.breaches]

    # -- the process -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        words = [self.place, str(self.pim_port), str(self.server_port), "cut" if self._is_cut else "join"]
        self._process = subprocess.Popen(
            subprocesses.command("-m", "toolcart.archive.server.demo_server", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _restart(self) -> None:
        assert self._process.stdin is not None
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._start()

    def _order(self, word: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the next process is told at its start

    def _read(self, output) -> None:
        with output:
            for line in output:
                message = json.loads(line)
                if message["kind"] == "listens":
                    self._wrong = ""
                    self.started_s = self.started_s or time.monotonic() - self._begun_s
                    self.pim_port, self.server_port = message["pim_port"], message["server_port"]
                    self._listens.set()
                elif message["kind"] == "failed":
                    self._wrong = message["text"]
                else:
                    self._troubles.append(message["text"])
        self._wrong = self._wrong or ("" if self._listens.is_set() else "it ended")
        self._listens.set()


# -- in the process: the archive's libraries are imported here alone ---------------------------------------------------


def _say(kind: str, **more: object) -> None:
    os.write(1, (json.dumps({"kind": kind, **more}) + "\n").encode())


async def _serve(place: str, pim_port: int, server_port: int, is_cut: bool) -> None:
    from toolcart.archive.database import database
    from toolcart.archive.server.server import ArchiveServer
    from toolcart.archive.server.server_state import ServerState
    from toolcart.archive.storage.writer import Writer

    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    with database.writing(place) as engine:
        server = ArchiveServer(ServerState(Writer(engine, lambda text: _say("trouble", text=text)), HOST))
        try:
            if not (is_cut and pim_port):
                pim_port, server_port = await server.listen(HOST, pim_port, server_port)
            _say("listens", pim_port=pim_port, server_port=server_port)
            gc.freeze()
            while order := (await orders.readline()).decode().strip():
                if (order == "cut") != is_cut:
                    is_cut = order == "cut"
                    await (server.reset_all() if is_cut else server.listen(HOST, pim_port, server_port))
        finally:
            await server.close()


def main() -> None:
    """Serve until stdin ends."""
    from toolcart.archive.database.database import DatabaseUnusable

    place, pim_port, server_port, network = sys.argv[1:]
    try:
        asyncio.run(_serve(place, int(pim_port), int(server_port), network == "cut"))
    except (DatabaseUnusable, OSError) as wrong:
        _say("failed", text=str(wrong))
        sys.exit(1)


if __name__ == "__main__":
    main()
