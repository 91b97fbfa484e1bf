"""A station's connections, to PIM and server: each telegram is checked, stored, and answered after its commit.

    connection    PIM: 12 ->, <- 05, <- 07, 08 ->        server: <- 01 02 04 06 09 13, 05 -> (or 10 for 09)
                  a plug-in's: <- 11, 05 ->

Rules
1. A frame is four digits and as many bytes as they say (TN 5.1). An invalid length closes the connection; so does
   silence (TN 3).
2. Every telegram with an identifier is answered, but for one that the queue has no room for (rule 4). One that can be
   stored under its names (toolcart.archive.server.reader) is stored, whatever else is odd about it; others get the code
   UNREADABLE. A breach goes into the database with telegram, field, position, found and allowed: the first of its kind
   from an address in an hour; the others are counted.
3. The same bytes under the same identifier on one connection are a retransmission. While they are being committed one
   answer serves both; afterwards the writer knows them again, and they are answered again. They are stored once.
4. An answer is sent after the commit of what it answers. Of a connection whose telegram was not stored nothing more is
   stored, and it is closed: the station sends all of it again, in its order.
5. What is not committed yet is bounded: a connection with too much of it is not read until its own is committed. While
   the total is too large, each connection may have one telegram at a time. So a telegram waits, and none is refused.
6. A connection that is drained is no longer read, gets the answers to what it has sent, and ends.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache

from toolcart.archive.database import unescaping
from toolcart.archive.database.tables import Station
from toolcart.archive.server import reader
from toolcart.archive.server.pim_answers import Answer
from toolcart.archive.server.server_state import INLET_BYTES, ServerState
from toolcart.archive.storage.writer import FAILED
from toolcart.toolsnet.records import station_of
from toolcart.toolsnet.telegrams import FOR_A_SERVER, Breach, frame

UNSENT_BYTES_MOST = 65536  # two thousand answers that are not read
TELEGRAM_BYTES = 500  # what a telegram costs beside its own bytes
UNCOMMITTED_MOST = 2**22  # bytes of all connections; taken apart they need about ten times as much
UNCOMMITTED_OF_ONE_MOST = 2**17  # of one connection
UNREADABLE = 2  # the code of a 05 for a telegram without a readable station, sequence or time


def stamp() -> str:
    """The server's time as a 05 carries it."""
    return _text_of(int(time.time()))


@lru_cache(1)
def _text_of(second: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.localtime(second))


class Client(asyncio.BufferedProtocol):
    """What PIM and server share: frames, silence, breaches."""

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self.host = ""
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._silence: asyncio.TimerHandle | None = None
        self.last_telegram_s = self.connected_s = 0.0
        self._is_paused = False  # True: not read for now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peername = transport.get_extra_info("peername")
        self.host, self.peer = (peername[0], f"{peername[0]}:{peername[1]}") if peername else ("?", "?:0")
        self.state.admit(self)
        if self._transport is None:
            return
        transport.set_write_buffer_limits(UNSENT_BYTES_MOST)
        self.last_telegram_s = self.connected_s = self.state.loop.time()
        self._watch()
        self.greet()

    def pause_writing(self) -> None:
        self.state.unread += 1
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.state.connection_limits.leave(self)
        self._transport = None
        if self._silence is not None:
            self._silence.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.state.inlet

    def buffer_updated(self, nbytes: int) -> None:
        self._received += self.state.inlet[:nbytes]
        if self.state.connection_limits.is_unknown(self):
            self.state.unknown_connections.serve(self)
        else:
            self.take(INLET_BYTES)

    def take(self, most: int) -> bool:
        """Take up to `most` telegrams of what has arrived; True if there may be more."""
        received, at = self._received, 0
        while self._transport is not None and not self._is_paused and len(received) - at >= 4:
            if not most:
                break
            most -= 1
            digits = bytes(received[at : at + 4])
            if not digits.isdigit() or int(digits) < 7:
                self.state.note(self.peer, "", Breach("length", 0, repr(digits)[2:-1], "0007 to 9999"))
                self.close()
                break
            length = int(digits)
            if len(received) - at < 4 + length:
                break
            telegram = bytes(received[at + 4 : at + 4 + length])
            at += 4 + length
            # Only whole telegrams count: a byte now and then keeps no place.
            self.last_telegram_s = self.state.loop.time()
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
        if self._transport is not None and not (on and self._is_paused):
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def greet(self) -> None:
        """Send the first telegram, if there is one."""

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        raise NotImplementedError

    def _take(self, telegram: bytes) -> None:
        fields, breaches = reader.read(telegram)
        for breach in breaches:
            self.state.note(self.peer, fields["id"], breach)
        unescaping.restore(fields, telegram)
        self.handle(fields["id"], fields, telegram)

    def _watch(self) -> None:
        if self._is_paused:
            self.last_telegram_s = self.state.loop.time()
        left = self.last_telegram_s + self.state.silence_s - self.state.loop.time()
        if left <= 0:
            self.close()
        else:
            self._silence = self.state.loop.call_later(left, self._watch)


class PimClient(Client):
    """A station that asks where the server is and what it has."""

    def __init__(self, state: ServerState) -> None:
        super().__init__(state)
        self._verification = 0

    def greet(self) -> None:
        self._verification = self.state.next_identifier()
        self.send(f"12{self._verification:05d}")

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        if kind == "05":
            if fields["identifier"] != self._verification:
                allowed = f"{self._verification:05d}, that of the 12"
                self.state.note(self.peer, kind, Breach("identifier", 3, f"{fields['identifier']:05d}", allowed))
        elif kind == "07":
            self._look_up_server(fields)
        elif fields["identifier"] >= 0:
            is_plugin = kind == "11"  # from a plug-in, which wants only the answer (TN Appendix A)
            if not is_plugin:
                self.state.note(self.peer, kind, Breach("telegram", 1, kind, "05, 07 or 11 at a PIM"))
            self.send(f"05{fields['identifier']:05d}{stamp()}{0 if is_plugin else UNREADABLE:03d}")

    def _look_up_server(self, fields: dict) -> None:
        """Answer 07 with 08 (TN 5.9)."""
        state = self.state
        if fields["identifier"] < 0:
            return
        state.writer.mark_alive(station_of(fields))
        state.pim.ask(station_of(fields), lambda answer: self._send_address(fields, answer))

    def _send_address(self, fields: dict, answer: Answer | None) -> None:
        if answer is None:
            self.close()
            return
        latest = f"{answer.result:05d}{answer.event:05d}"
        self.send(f"08{fields['identifier']:05d}{latest}{answer.host:<15.15}{answer.port:05d}")


class ServerClient(Client):
    """A station that reports."""

    def __init__(self, state: ServerState) -> None:
        super().__init__(state)
        self.station: Station | None = None
        self._waiting: dict[int, bytes] = {}  # identifier: the telegram that is being committed
        self._uncommitted = 0  # bytes
        self._is_draining = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.state.release_station(self)
        super().connection_lost(exc)

    def drain(self) -> None:
        if not self._uncommitted:
            self.close()
        elif not self._is_draining:
            self._is_draining = self._is_paused = True
            self.read(False)

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        state = self.state
        identifier = fields["identifier"]
        if identifier < 0:
            return
        if kind not in FOR_A_SERVER:
            state.note(self.peer, kind, Breach("telegram", 1, kind, "01, 02, 04, 06, 09 or 13 at a server"))
            state.refused += 1
            self._acknowledge(kind, fields, UNREADABLE)
            return
        if self._waiting.get(identifier) == telegram:
            return  # sent again while it is being committed: one answer serves both
        if kind == "06":
            if self.station:
                state.writer.mark_alive(self.station)
            self._acknowledge(kind, fields, 0)
            return
        if not reader.is_complete(fields):
            state.refused += 1
            self._acknowledge(kind, fields, UNREADABLE)
            return
        if kind != "01":
            state.claim_station(self, station_of(fields), kind)
        self._store(kind, fields, telegram)

    def _store(self, kind: str, fields: dict, telegram: bytes) -> None:
        state, octets = self.state, TELEGRAM_BYTES + len(telegram)

        def on_outcome(outcome: str) -> None:
            state.settle(self, kind, fields, octets, outcome)

        if not state.writer.put(kind, fields, on_outcome, self):
            self.close()  # it will be sent again, and what is behind it
            return
        self._waiting[fields["identifier"]] = telegram
        self._uncommitted += octets
        state.uncommitted += octets
        if self._has_too_much():
            self._is_paused = True
            self.read(False)

    def _has_too_much(self) -> bool:
        of_all = self.state.uncommitted >= UNCOMMITTED_MOST
        return self._uncommitted >= (1 if of_all else UNCOMMITTED_OF_ONE_MOST)

    def stored(self, kind: str, fields: dict, octets: int, outcome: str) -> None:
        """Go on after a telegram that was committed or not."""
        self._waiting.pop(fields["identifier"], None)
        self._uncommitted -= octets
        if outcome == FAILED:
            self.close()
            return
        if self._is_paused and not self._is_draining and not self._has_too_much():
            self._is_paused = False
            self.take(INLET_BYTES)
            if not self._is_paused:
                self.read(True)
        self.state.connection_limits.trust(self)
        self._acknowledge(kind, fields, 0)
        if self._is_draining:
            self.drain()

    def _acknowledge(self, kind: str, fields: dict, code: int) -> None:
        self.send(f"05{fields['identifier']:05d}{stamp()}{code:03d}")
