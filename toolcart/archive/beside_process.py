"""The process of toolcart.archive.beside: an archive that takes orders on stdin and prints lines of JSON.

    python -m toolcart.archive.beside_process PLACE PIM-PORT SERVER-PORT cut|join

Rules
1. Orders are `cut` and `join`; at the end of stdin it commits what is waiting and ends.
2. It says `listens` with its ports once, `trouble` for what could not be stored, `failed` if it cannot start.
3. It is no slower and no kinder than `toolcart archive serve`: the same server, writer and database.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys

from toolcart.archive import database
from toolcart.archive.server import Archive
from toolcart.archive.writer import Writer

HOST = "127.0.0.1"


def _say(kind: str, **more: object) -> None:
    os.write(1, (json.dumps({"kind": kind, **more}) + "\n").encode())


async def _serve(place: str, pim_port: int, server_port: int, is_cut: bool) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    with database.writing(place) as engine:
        archive = Archive(Writer(engine, lambda text: _say("trouble", text=text)), HOST)
        try:
            if not (is_cut and pim_port):
                pim_port, server_port = await archive.listen(HOST, pim_port, server_port)
            _say("listens", pim_port=pim_port, server_port=server_port)
            gc.freeze()
            while order := (await orders.readline()).decode().strip():
                if (order == "cut") != is_cut:
                    is_cut = order == "cut"
                    await (archive.cut() if is_cut else archive.listen(HOST, pim_port, server_port))
        finally:
            await archive.close()


def main() -> None:
    """Serve until stdin ends."""
    place, pim_port, server_port, network = sys.argv[1:]
    try:
        asyncio.run(_serve(place, int(pim_port), int(server_port), network == "cut"))
    except (database.Unusable, OSError) as wrong:
        _say("failed", text=str(wrong))
        sys.exit(1)


if __name__ == "__main__":
    main()
