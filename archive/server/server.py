"""PIM and server as one asyncio program: each telegram is checked, stored, and answered after its commit.

    connection    PIM: 12 ->, <- 05, <- 07, 08 ->        server: <- 01 02 04 06 09 13, 05 -> (or 10 for 09)

Rules
1. A frame is four digits and as many bytes as they say (TN 5.1). An invalid length closes the connection; so does
   silence (TN 3).
2. Every telegram with an identifier is answered. One that can be stored under its names
   (toolcart.archive.server.reader) is stored, whatever else is odd about it; others get the code UNREADABLE. A breach
   goes into the database with telegram, field, position, found and allowed: the first of its kind from an address in an
   hour; the others are counted.
3. The same bytes under the same identifier on one connection are a retransmission: answered again, stored once.
4. An answer is sent after the commit of what it answers, and never if that failed.
5. What is not committed yet is bounded: a connection with too much of it is not read until its own is committed. While
   the total is too large, each connection may have one telegram at a time. So nothing is turned away.
6. A connection that is drained is no longer read, gets the answers to what it has sent, and ends.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache

from toolcart.archive.database import unescaping
from toolcart.archive.database.tables import Station
from toolcart.archive.server import reader
from toolcart.archive.server.admission import Admission
from toolcart.archive.server.fault_injection import Faults
from toolcart.archive.server.pim import Answer, InProcessServer, RegisteredServers
from toolcart.archive.server.tls import HANDSHAKE_S
from toolcart.archive.server.unknown_connections import UnknownConnections
from toolcart.archive.storage.writer import FAILED, Writer
from toolcart.base.open_files import require
from toolcart.base.terminal_safe import visible
from toolcart.toolsnet.records import station_of
from toolcart.toolsnet.telegrams import FOR_A_SERVER, Breach, frame

SILENCE_S = 60.0
CLIENTS_MOST = 5000
FROM_ONE_MOST = 2000  # connections from one address: a host that opens too many leaves room for the others
FILES_WANTED = 16384
FILES_FOR_OTHERS = 200  # the database, the pages, the log
BACKLOG = 1024  # connections waiting to be accepted
ACCEPTED_AT_ONCE = 8  # of them; each takes about 0.2 ms, during which no result is answered
UNSENT_BYTES_MOST = 65536  # two thousand answers that are not read
INLET_BYTES = 16384  # read at once
TELEGRAM_BYTES = 500  # what a telegram costs beside its own bytes
UNCOMMITTED_MOST = 2**22  # bytes of all connections; taken apart they need about ten times as much
UNCOMMITTED_OF_ONE_MOST = 2**17  # of one connection
HANDED_OVER_AT_ONCE = 50  # connections of stations that belong to another server
DRAINED_IN_S = 10.0
UNREADABLE = 2  # the code of a 05 for a telegram without a readable station, sequence or time


_INDEX = re.compile(r"\[\d+\]")


def stamp() -> str:
    """The server's time as a 05 carries it."""
    return _text_of(int(time.time()))


@lru_cache(1)
def _text_of(second: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.localtime(second))


class Archive:
    """What all connections share."""

    def __init__(
        self,
        writer: Writer,
        announced_host: str,
        faults: Faults | None = None,
        say: Callable[[str], None] = lambda text: None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.writer = writer
        self.guide: InProcessServer | RegisteredServers = InProcessServer(writer, announced_host)
        self.faults = faults or Faults()
        self.say = say
        self.silence_s = silence_s
        self.started_s = time.time()
        self.loop = asyncio.get_running_loop()
        self.places: Admission[_Client] = Admission(CLIENTS_MOST, FROM_ONE_MOST)
        self.refused = 0
        self.breaches = 0
        self.turned_away = 0  # connections for which there was no room, or that were closed to make some
        self.unread = 0  # connections reset because the other side does not read
        self.uncommitted = 0  # bytes
        self.inlet = memoryview(bytearray(INLET_BYTES))  # shared by all connections; what is read is copied at once
        self._speakers: dict[Station, ServerClient] = {}  # the last to speak for each station
        self._tls: ssl.SSLContext | None = None
        self.unknown_connections = UnknownConnections(self.loop)
        self._identifier = 0
        self._servers: list[asyncio.Server] = []
        self._settled: deque[tuple[ServerClient, str, dict, int, str]] = deque()
        self._wakes = False

    async def listen(
        self, host: str, pim_port: int | None, server_port: int | None, tls: ssl.SSLContext | None = None
    ) -> tuple[int, int]:
        """Open the ports (0: any free one, None: not opened) and return them; OSError if one cannot be opened.

        TooFewFiles if no connection could be taken.
        """
        self._tls = tls
        files = require(FILES_FOR_OTHERS + 1, "the archive needs", FILES_WANTED)
        self.places.most = min(CLIENTS_MOST, files - FILES_FOR_OTHERS)
        opened = 0 if server_port is None else await self._open(ServerClient, host, server_port)
        if isinstance(self.guide, InProcessServer):
            self.guide.port = opened
        return (0 if pim_port is None else await self._open(PimClient, host, pim_port)), opened

    async def _open(self, client: Callable[[Archive], _Client], host: str, port: int) -> int:
        how: dict = {"backlog": ACCEPTED_AT_ONCE}
        if self._tls is not None:
            how.update(ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S)
        server = await self.loop.create_server(lambda: client(self), host, port, **how)
        self._servers.append(server)
        for listening in server.sockets:  # the loop accepts `backlog` at once; let more wait
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(BACKLOG)
        return server.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        while self._servers:
            self._servers.pop().close()

    async def cut(self) -> None:
        """Reset every connection and free the ports, as if a cable were pulled; `listen` opens them again."""
        self._stop_listening()
        for client in list(self.places):
            client.abort()
        await asyncio.sleep(0)

    def hand_over(self, is_mine: Callable[[Station], bool]) -> None:
        """End some connections of stations that belong to another server; their PIM sends them there."""
        left = HANDED_OVER_AT_ONCE
        for client in list(self.places):
            if left and isinstance(client, ServerClient) and client.station and not is_mine(client.station):
                client.drain()
                left -= 1

    async def drain(self) -> None:
        """Accept no more connections, and end each one when what it has sent is answered."""
        self._stop_listening()
        until = self.loop.time() + DRAINED_IN_S
        while len(self.places) and self.loop.time() < until:
            for client in list(self.places):
                client.drain()
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close every connection; return when everything taken is committed."""
        self._stop_listening()
        for client in list(self.places):
            client.close()
        await asyncio.sleep(0)
        await asyncio.to_thread(self.writer.close)

    def next_identifier(self) -> int:
        """Return a new identifier for a telegram of ours."""
        self._identifier = self._identifier % 99999 + 1
        return self._identifier

    def settle(self, client: ServerClient, kind: str, fields: dict, octets: int, outcome: str) -> None:
        """Note what became of a client's telegram; called by the writer's thread. Wakes the loop once for many."""
        self._settled.append((client, kind, fields, octets, outcome))
        if not self._wakes:
            self._wakes = True
            self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._wakes = False  # first: whatever is settled from now on wakes the loop again
        while self._settled:
            client, kind, fields, octets, outcome = self._settled.popleft()
            self.uncommitted -= octets
            client.stored(kind, fields, octets, outcome)

    def admit(self, client: _Client) -> None:
        """Take a connection; reset the one that loses its place for it, which may be itself."""
        out = self.places.take(client, client.host)
        if out is not None:
            self.turned_away += 1
            out.abort()

    def meet(self, client: ServerClient, station: Station, telegram: str) -> None:
        """Note that a connection speaks for a station; if a station elsewhere has the same number, that is a breach."""
        other = self._speakers.get(station)
        if other is not None and other.overlaps(client):
            place = "/".join(map(str, station))
            allowed = f"a number of its own; one at {other.host} has it too"
            self.note(client.peer, telegram, Breach("station", 0, place, allowed))
        if client.station != station:
            self.part(client)
        client.station = station
        self._speakers[station] = client

    def part(self, client: ServerClient) -> None:
        """Note that a connection no longer speaks for its station."""
        if client.station and self._speakers.get(client.station) is client:
            del self._speakers[client.station]

    def note(self, peer: str, telegram: str, breach: Breach) -> None:
        """Count a breach of the document; store and log it if it is the first of its kind for a while."""
        self.breaches += 1
        kind = (peer.rpartition(":")[0], telegram, _INDEX.sub("[]", breach.field))
        if self.writer.note_breach(kind, peer, visible(telegram), breach):
            self.say(f"{peer}: telegram {visible(telegram)}: {visible(str(breach))}")


class _Client(asyncio.BufferedProtocol):
    """What PIM and server share: frames, silence, breaches."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.host = ""
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._silence: asyncio.TimerHandle | None = None
        self._last_telegram_s = self._began = 0.0
        self._telegrams = 0
        self._waits = False  # True: not read for now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peername = transport.get_extra_info("peername")
        self.host, self.peer = (peername[0], f"{peername[0]}:{peername[1]}") if peername else ("?", "?:0")
        self.archive.admit(self)
        if self._transport is None:
            return
        transport.set_write_buffer_limits(UNSENT_BYTES_MOST)
        self._last_telegram_s = self._began = self.archive.loop.time()
        self._watch()
        self.greet()

    def pause_writing(self) -> None:
        self.archive.unread += 1
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.archive.places.leave(self)
        self._transport = None
        if self._silence is not None:
            self._silence.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.archive.inlet

    def buffer_updated(self, nbytes: int) -> None:
        self._received += self.archive.inlet[:nbytes]
        if self.archive.places.is_unknown(self):
            self.archive.unknown_connections.serve(self)
        else:
            self.take(INLET_BYTES)

    def take(self, most: int) -> bool:
        """Take up to `most` telegrams of what has arrived; True if there may be more."""
        received, at = self._received, 0
        while self._transport is not None and not self._waits and len(received) - at >= 4:
            if not most:
                break
            most -= 1
            digits = bytes(received[at : at + 4])
            if not digits.isdigit() or int(digits) < 7:
                self.archive.note(self.peer, "", Breach("length", 0, repr(digits)[2:-1], "0007 to 9999"))
                self.close()
                break
            length = int(digits)
            if len(received) - at < 4 + length:
                break
            telegram = bytes(received[at + 4 : at + 4 + length])
            at += 4 + length
            # Only whole telegrams count: a byte now and then keeps no place.
            self._last_telegram_s = self.archive.loop.time()
            self._take(telegram)
        del received[:at]
        return not most

    def send(self, telegram: str) -> None:
        """Send a telegram if the connection is still there."""
        if self._transport is not None and not self._transport.is_closing():  # else asyncio would log every attempt
            self._transport.write(frame(telegram.encode("ascii", "replace")))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def abort(self) -> None:
        """Reset the connection; what was not sent is lost."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def drain(self) -> None:
        """End when there is nothing left to answer."""
        self.close()

    def read(self, on: bool) -> None:
        """Go on reading, or stop and let the other side wait."""
        if self._transport is not None and not (on and self._waits):
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def greet(self) -> None:
        """Send the first telegram, if there is one."""

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        raise NotImplementedError

    def _take(self, telegram: bytes) -> None:
        fields, breaches = reader.read(telegram)
        for breach in breaches:
            self.archive.note(self.peer, fields["id"], breach)
        unescaping.restore(fields, telegram)
        self._telegrams += 1
        self.handle(fields["id"], fields, telegram)
        most = self.archive.faults.close_after
        if most and self._telegrams >= most:
            self.close()

    def _watch(self) -> None:
        if self._waits:
            self._last_telegram_s = self.archive.loop.time()
        left = self._last_telegram_s + self.archive.silence_s - self.archive.loop.time()
        if left <= 0:
            self.close()
        else:
            self._silence = self.archive.loop.call_later(left, self._watch)


class PimClient(_Client):
    """A station that asks where the server is and what it has."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self._verification = 0

    def greet(self) -> None:
        if not self.archive.faults.without_12:
            self._verification = self.archive.next_identifier()
            self.send(f"12{self._verification:05d}")

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        if kind == "05":
            if fields["identifier"] != self._verification:
                allowed = f"{self._verification:05d}, that of the 12"
                self.archive.note(self.peer, kind, Breach("identifier", 3, f"{fields['identifier']:05d}", allowed))
        elif kind == "07":
            self._send_to_server(fields)
        elif fields["identifier"] >= 0:
            is_plugin = kind == "11"  # from a plug-in, which wants only the answer (TN Appendix A)
            if not is_plugin:
                self.archive.note(self.peer, kind, Breach("telegram", 1, kind, "05, 07 or 11 at a PIM"))
            self.send(f"05{fields['identifier']:05d}{stamp()}{0 if is_plugin else UNREADABLE:03d}")

    def _send_to_server(self, fields: dict) -> None:
        """Answer 07 with 08 (TN 5.9)."""
        archive = self.archive
        if "07" in archive.faults.silent or fields["identifier"] < 0:
            return
        archive.writer.mark_alive(station_of(fields))
        archive.guide.ask(station_of(fields), lambda answer: self._answer_request(fields, answer))

    def _answer_request(self, fields: dict, answer: Answer | None) -> None:
        if answer is None:
            self.close()
            return
        faults = self.archive.faults
        result = answer.result if faults.say_result is None else faults.say_result
        event = answer.event if faults.say_event is None else faults.say_event
        host = answer.host if faults.say_host is None else faults.say_host
        self.send(f"08{fields['identifier']:05d}{result:05d}{event:05d}{host:<15.15}{answer.port:05d}")


class ServerClient(_Client):
    """A station that reports."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.station: Station | None = None
        self._waiting: dict[int, bytes] = {}  # identifier: the telegram that is being committed
        self._uncommitted = 0  # bytes
        self._drains = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.archive.part(self)
        super().connection_lost(exc)

    def overlaps(self, other: ServerClient) -> bool:
        """True if it comes from another host, and has spoken since the other one connected."""
        return self.host != other.host and self._last_telegram_s > other._began

    def drain(self) -> None:
        if not self._uncommitted:
            self.close()
        elif not self._drains:
            self._drains = self._waits = True
            self.read(False)

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        archive = self.archive
        identifier = fields["identifier"]
        if identifier < 0 or kind in archive.faults.silent:
            return
        if kind not in FOR_A_SERVER:
            archive.note(self.peer, kind, Breach("telegram", 1, kind, "01, 02, 04, 06, 09 or 13 at a server"))
            archive.refused += 1
            self._answer(kind, fields, UNREADABLE)
            return
        if self._waiting.get(identifier) == telegram:
            return  # sent again while it is being committed: one answer serves both
        if kind == "06":
            if self.station:
                archive.writer.mark_alive(self.station)
            self._answer(kind, fields, 0)
            return
        code = archive.faults.code_for(kind, fields) or (0 if reader.is_complete(fields) else UNREADABLE)
        if code:
            archive.refused += 1
            self._answer(kind, fields, code)
            return
        if kind != "01":
            archive.meet(self, station_of(fields), kind)
        self._store(kind, fields, telegram)

    def _store(self, kind: str, fields: dict, telegram: bytes) -> None:
        archive, octets = self.archive, TELEGRAM_BYTES + len(telegram)

        def on_outcome(outcome: str) -> None:
            archive.settle(self, kind, fields, octets, outcome)

        if not archive.writer.put(kind, fields, on_outcome):
            return  # it will be sent again
        self._waiting[fields["identifier"]] = telegram
        self._uncommitted += octets
        archive.uncommitted += octets
        if self._has_too_much():
            self._waits = True
            self.read(False)

    def _has_too_much(self) -> bool:
        of_all = self.archive.uncommitted >= UNCOMMITTED_MOST
        return self._uncommitted >= (1 if of_all else UNCOMMITTED_OF_ONE_MOST)

    def stored(self, kind: str, fields: dict, octets: int, outcome: str) -> None:
        """Go on after a telegram that was committed or not."""
        self._waiting.pop(fields["identifier"], None)
        self._uncommitted -= octets
        if self._waits and not self._drains and not self._has_too_much():
            self._waits = False
            self.take(INLET_BYTES)
            if not self._waits:
                self.read(True)
        if outcome != FAILED:
            self.archive.places.trust(self)
        if outcome != FAILED and not self.archive.faults.loses_answer(kind):
            self._answer(kind, fields, 0)
        if self._drains:
            self.drain()

    def _answer(self, kind: str, fields: dict, code: int) -> None:
        faults = self.archive.faults
        if faults.wrong_identifier:
            self._send_later(f"05{fields['identifier'] % 99999 + 1:05d}{stamp()}000")
        if kind == "09" and faults.answer_events_by_10:
            place = "".join(f"{number:04d}" for number in station_of(fields))
            self._send_later(f"10{fields['identifier']:05d}{place}{stamp()}{code:05d}")
        else:
            self._send_later(f"05{fields['identifier']:05d}{stamp()}{code:03d}")

    def _send_later(self, telegram: str) -> None:
        late_ms = self.archive.faults.late_ms
        if late_ms:
            self.archive.loop.call_later(late_ms / 1000, self.send, telegram)
        else:
            self.send(telegram)
