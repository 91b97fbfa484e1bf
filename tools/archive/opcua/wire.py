"""The port: the library's protocol within limits, and no session over an open channel if certificates are used.

Rules
1. A chunk is 64 KiB at most: a connection that sends a longer one, or does not read its answers, ends and is counted.
   The library would keep both for ever. While PENDING_MOST requests wait, a connection is not read.
2. If certificates are used, an open channel is only for discovery (OPC 10000-4, 5.5.1): the library would let sessions
   through it whatever its endpoints say.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
from typing import Any

from asyncua import Server as LibraryServer
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from tools.archive.opcua import limits
from tools.archive.opcua.limits import Counted
from tools.archive.opcua.sessions import Server as Sessions

_DISCOVERY = tuple(
    ua.NodeId(number)
    for number in (
        ua.ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary,
        ua.ObjectIds.FindServersRequest_Encoding_DefaultBinary,
        ua.ObjectIds.CloseSecureChannelRequest_Encoding_DefaultBinary,
    )
)
_NEVER = tuple(  # this is no discovery server that others register at
    ua.NodeId(number)
    for number in (
        ua.ObjectIds.RegisterServerRequest_Encoding_DefaultBinary,
        ua.ObjectIds.RegisterServer2Request_Encoding_DefaultBinary,
    )
)


class Processor(UaProcessor):
    """Answers what a connection sends, as far as its channel allows."""

    is_secure = False  # set if sessions need an encrypted channel
    counted = Counted()

    async def process_message(self, seqhdr: Any, body: Buffer) -> Any:
        """Refuse what the channel does not allow; leave the rest to the library."""
        request = body.copy()
        kind = nodeid_from_binary(request)
        is_open = isinstance(self._connection.security_policy, SecurityPolicyNone)
        if kind in _NEVER or (self.is_secure and is_open and kind not in _DISCOVERY):
            header = struct_from_binary(ua.RequestHeader, request)
            self.counted.refused_requests += 1
            fault = ua.ServiceFault()
            code = (
                ua.StatusCodes.BadServiceUnsupported if kind in _NEVER else ua.StatusCodes.BadSecurityModeInsufficient
            )
            fault.ResponseHeader.ServiceResult = ua.StatusCode(code)
            self.send_response(header.RequestHandle, seqhdr, fault)
            return True
        return await super().process_message(seqhdr, body)


class Connection(OPCUAProtocol):
    """One client's connection."""

    iserver: Sessions  # pyright: ignore[reportIncompatibleVariableOverride]
    _held = b""  # received, waiting for earlier bytes to be parsed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or refuse it."""
        if len(self.clients) >= limits.CONNECTIONS_MOST:
            self.iserver.counted.refused_connections += 1
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=limits.UNSENT_BYTES)
        super().connection_made(transport)
        if self.processor is not None:
            self.processor = Processor(self.iserver, transport, self.limits)
            self.processor.counted = self.iserver.counted
            self.processor.is_secure = bool(self.policies) and not any(
                policy.matches(SecurityPolicyNone.URI) for policy in self.policies
            )
            self.processor.set_policies(self.policies)

    def data_received(self, data: bytes) -> None:
        """Take what came: a piece at a time, and none while too many requests wait."""
        self._held += data
        self._feed()

    def _feed(self) -> None:
        transport = self.transport
        while self._held and transport is not None and not transport.is_closing():
            if self.messages.qsize() >= limits.PENDING_MOST:
                transport.pause_reading()
                return
            if len(self._buffer) > limits.CHUNK_BYTES:  # an incomplete chunk is longer than any may be
                self.iserver.counted.ended_oversize += 1
                transport.abort()
                break
            piece, self._held = self._held[: limits.PIECE_BYTES], self._held[limits.PIECE_BYTES :]
            super().data_received(piece)
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    async def _process_one_msg(self, header: Any, buf: Buffer) -> bool:
        goes_on = await super()._process_one_msg(header, buf)
        if self._held and self.messages.qsize() < limits.PENDING_MOST // 2:
            self._feed()
        return goes_on

    def pause_writing(self) -> None:
        """End the connection: too many answers are not read."""
        self.iserver.counted.ended_unread += 1
        if self.transport is not None:
            self.transport.abort()


class Port(BinaryServer):
    """Listens."""

    def _make_protocol(self) -> OPCUAProtocol:
        return Connection(self.iserver, self._policies, self.clients, self.closing_tasks, self.limits)


class Server(LibraryServer):
    """The library's server on this port."""

    async def start(self) -> None:
        """Listen; OSError if that fails."""
        await self._setup_server_nodes()
        await self.iserver.start()
        host, port = self._get_bind_socket_info()
        self.bserver = Port(self.iserver, str(host), int(port or 0), self.limits)
        self.bserver.set_policies(self._policies)
        try:
            await self.bserver.start()
        except OSError:
            await self.iserver.stop()
            raise
