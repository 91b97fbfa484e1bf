"""A TCP connection of asyncio that reads into the link's own buffer."""

import asyncio
import socket
from typing import cast


class TcpLine(asyncio.BufferedProtocol):
    """One connection of a conversation; made by `open_tcp`."""

    def __init__(self, conversation) -> None:
        self._conversation = conversation
        self._transport: asyncio.Transport | None = None
        self._is_writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        line = transport.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, sizehint: int):
        link = self._conversation.link
        inlet = link.inlet()
        return memoryview(inlet)[: link.free]

    def buffer_updated(self, nbytes: int) -> None:
        self._conversation.received(nbytes)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._conversation.turn()

    def connection_lost(self, exc) -> None:
        self._transport = None
        self._conversation.line_ended(str(exc) if exc else "the controller closed the connection")

    def write(self, buf, start: int, octets: int) -> int:
        """Send `octets` bytes of buf[start:]; return how many were taken."""
        if self._transport is None or not self._is_writable:
            return 0
        self._transport.write(bytes(memoryview(buf)[start : start + octets]))
        return octets

    def close(self) -> None:
        """Close at once; what was written still goes out."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


async def open_tcp(conversation, host: str, port: int) -> TcpLine:
    """Connect; OSError if that fails."""
    try:
        _, line = await asyncio.get_running_loop().create_connection(lambda: TcpLine(conversation), host, port)
    except ValueError as error:  # no name can be so
        raise OSError(f"{host!r}: {error}") from None
    return line
