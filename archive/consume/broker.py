"""A connection to an MQTT broker that reconnects by itself, in a thread of its own, around paho's client.

    serve(handler)     the thread: connects, subscribes, hands on what comes, until `close`
    done(mark)         from any thread: the message with this mark is safe; it is acknowledged in its turn
    publish(topic, ..) from any thread: retained, if the broker retains anything; only the newest of a topic waits
    send(topic, ..)    from any thread: not retained, every one, in order
    drop(why)          from any thread: end this connection; what is not acknowledged comes again

Rules
1. Only the thread calls paho's client: what others want waits in an outbox, and a socket wakes the thread.
2. Acknowledgements are sent in the order in which the messages came (MQTT 3.1.1, 4.6), and only for what is done.
3. While the handler has no room nothing is read: the broker keeps it.
4. MQTT 5, which bounds a message's size, is tried first, then 3.1.1 if a broker does not know it. Pauses between
   connections are 0.5, 1, 2 .. 30 s, and start from 0.5 s again after a connection that lasted a minute.
5. The broker keeps the session under the client's name, so that messages wait there meanwhile.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from toolcart.base import tls_files

PORT, TLS_PORT = 1883, 8883
KEEPALIVE_S = 60
CONNECT_S = 5.0  # a broker that does not know MQTT 5 may be silent
PAUSE_LEAST_S, PAUSE_MOST_S = 0.5, 30.0
STABLE_S = 60.0
PACKET_MOST = 5 * 2**20
UNDER_WAY_MOST = 100  # messages not acknowledged yet
RECEIPTS_MOST = 10_000  # topics
SESSION_S = 7 * 24 * 3600
_TURN_MS = 1000
_GOOD = MQTTErrorCode.MQTT_ERR_SUCCESS
_URL = re.compile(r"(mqtts?)://(?:([^@/:]+)@)?(\[[^\]]+\]|[^:/@\[\]]+)(?::(\d{1,5}))?(?:/(.*))?")


class BrokerSettingsError(Exception):
    """The address or a file cannot be used; the text says why."""


class _ConnectionLost(Exception):
    """The connection is over; the text says why."""


@dataclass(frozen=True)
class Address:
    """Where a broker is, and what to ask of it."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    filters: tuple[str, ...] = ()
    client_id: str = ""
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def address_of(url: str) -> Address:
    """Read `mqtt://user@host:port/filter`, or mqtts:// for TLS; BrokerSettingsError. A `#` is part of the filter."""
    match = _URL.fullmatch(url)
    if not match:
        raise BrokerSettingsError(
            f"{url}: mqtt://user@host:port/topic-filter, or mqtts:// for TLS; a password comes from a file"
        )
    scheme, user, host, port, path = match.groups()
    if port and not 0 < int(port) < 65536:
        raise BrokerSettingsError(f"{url}: port {port}")
    filters = (unquote(path),) if path else ()
    tls = ssl.create_default_context() if scheme == "mqtts" else None
    return Address(
        host.strip("[]"), int(port or (TLS_PORT if tls else PORT)), unquote(user or ""), "", filters, "", tls
    )


def trusting(ca: str | None, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Return a client's context that trusts the CA in this file (None: the system's); BrokerSettingsError."""
    try:
        context = tls_files.client_context(ca)
        if certificate:
            tls_files.load_own(context, certificate, key)
    except (OSError, ssl.SSLError) as wrong:
        raise BrokerSettingsError(f"TLS: {ca or ''} {certificate or ''}: {wrong}") from None
    return context


@dataclass(frozen=True, slots=True)
class Delivery:
    """Which message of which connection."""

    connection: int
    place: int


class Handler(Protocol):
    """What gets the messages; called only by the thread."""

    def tick(self) -> None:
        """Do what is due; called before each wait for the broker."""
        ...

    def has_room(self) -> bool:
        """True if another message can be taken."""
        ...

    def take(self, mark: Delivery, topic: str, payload: bytes, retained: bool) -> None:
        """Take a message; call `done(mark)` when it is safe."""
        ...


class Broker:
    """One broker."""

    def __init__(
        self, address: Address, say: Callable[[str], None], keeps: bool = True, like: Broker | None = None
    ) -> None:
        self.address = address
        self.connections = 0
        self.is_connected = False
        self.is_subscribed = False
        self._keeps = keeps  # rule 5; False: the session ends with the connection
        self._say = say
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._inner, self._outer = socket.socketpair()
        self._inner.setblocking(False)
        self._outer.setblocking(False)
        self._done: list[Delivery] = []
        self._due: dict[str, bytes] = {}  # to be published
        self._to_send: list[tuple[str, bytes]] = []
        self._sent: dict[int, tuple[str, bytes]] = {}  # not acknowledged by the broker yet, by paho's number
        self._under_way: deque[tuple[int, int]] = deque()  # place and paho's number of messages, oldest first
        self._safe: set[int] = set()  # places
        self._place = 0
        self._dropped = ""
        self._protocol = like._protocol if like else paho.MQTTv5  # the version that it found out
        self._last_failure = ""
        self._answer: Any = None
        self._may_retain = True
        self._refused = ""
        self._wakes = True  # nothing is read before `serve`

    # -- from any thread -------------------------------------------------------------------------------------------

    def done(self, mark: Delivery) -> None:
        """Note that the message is safe."""
        with self._lock:
            self._done.append(mark)
        self.wake()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish, retained if may be, now or when there is a connection; a newer payload of the topic replaces it."""
        with self._lock:
            self._due.pop(topic, None)
            self._due[topic] = payload
            if len(self._due) > RECEIPTS_MOST:
                self._due.pop(next(iter(self._due)))
        self.wake()

    def send(self, topic: str, payload: bytes) -> None:
        """Publish after what was sent before; what a lost connection has not delivered is gone."""
        with self._lock:
            self._to_send.append((topic, payload))
        self.wake()

    def drop(self, why: str) -> None:
        """End this connection; after a pause a new one begins."""
        self._dropped = self._dropped or why
        self.wake()

    def close(self) -> None:
        """End `serve`."""
        self._ended.set()
        self.wake()

    def wake(self) -> None:
        """Have the thread look for work."""
        with suppress(OSError):  # it is awake, or has ended
            self._outer.send(b"\0")

    # -- the thread ------------------------------------------------------------------------------------------------

    def serve(self, handler: Handler) -> None:
        """Connect and hand on what comes, until `close`."""
        pause_s = PAUSE_LEAST_S
        while not self._ended.is_set():
            began_s = time.monotonic()
            client = self._client(handler)
            try:
                self._connect(client)
                self._last_failure = ""
                self._turn_round(client, handler)
                why = ""
            except _ConnectionLost as lost:
                why = str(lost)
            except (OSError, ValueError) as wrong:
                why = str(wrong) or type(wrong).__name__
            except Exception as wrong:  # whatever a broker may send that paho cannot read
                why = f"{type(wrong).__name__}: {wrong}"
            self._let_go(client, orderly=not why)
            if self._ended.is_set():
                break
            if why != self._last_failure:
                self._say(f"{self.address}: {why}; tried again")
                self._last_failure = why
            pause_s = PAUSE_LEAST_S if time.monotonic() - began_s > STABLE_S else pause_s
            self._ended.wait(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MOST_S)
        self._inner.close()
        self._outer.close()

    def _client(self, handler: Handler) -> paho.Client:
        self._dropped = ""
        self._answer = None
        self._refused = ""
        self.connections += 1
        connection = self.connections
        is_old = self._protocol != paho.MQTTv5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self.address.client_id,
            clean_session=not self._keeps if is_old else None,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        if self.address.user:
            client.username_pw_set(self.address.user, self.address.password or None)
        if self.address.tls:
            client.tls_set_context(self.address.tls)

        def connected(_client: Any, _userdata: Any, _flags: Any, code: Any, properties: Any) -> None:
            self._answer = code
            self._may_retain = getattr(properties, "RetainAvailable", 1) != 0  # MQTT 5, 3.2.2.3.5

        def subscribed(_client: Any, _userdata: Any, _mid: int, codes: list, _properties: Any) -> None:
            refused = [str(code) for code in codes if code.is_failure]
            self._refused = f"the broker refuses the subscription: {', '.join(refused)}" if refused else ""
            self.is_subscribed = not refused

        def took(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
            self._place += 1
            if message.qos:
                self._under_way.append((self._place, message.mid))
            handler.take(Delivery(connection, self._place), message.topic, bytes(message.payload), bool(message.retain))

        def published(_client: Any, _userdata: Any, mid: int, _code: Any, _properties: Any) -> None:
            self._sent.pop(mid, None)

        def lost(_client: Any, _userdata: Any, _flags: Any, code: Any, _properties: Any) -> None:
            self._dropped = self._dropped or f"the connection was lost: {code}"

        client.on_connect, client.on_message, client.on_publish = connected, took, published
        client.on_disconnect, client.on_subscribe = lost, subscribed
        return client

    def _connect(self, client: paho.Client) -> None:
        address = self.address
        more: dict = {}
        if self._protocol == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.MaximumPacketSize = PACKET_MOST
            properties.ReceiveMaximum = UNDER_WAY_MOST
            properties.SessionExpiryInterval = SESSION_S if self._keeps else 0
            more = {"clean_start": not self._keeps, "properties": properties}
        client.connect(address.host, address.port, KEEPALIVE_S, **more)
        peer = client.socket()
        if isinstance(peer, socket.socket):  # else a receipt after a PUBACK waits for a delayed ACK, about 40 ms
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until_s = time.monotonic() + CONNECT_S
        try:
            while self._answer is None:
                if time.monotonic() > until_s or self._ended.is_set():
                    raise _ConnectionLost("the broker does not answer")
                self._turn(client, reads=True, most_ms=100)
        except Exception:
            if self._answer is None:  # a broker that does not know this version may answer anything, or hang up
                self._other_version()
                raise
        if self._answer.is_failure:
            if "protocol" in str(self._answer).lower():
                self._other_version()
            raise _ConnectionLost(f"the broker refuses: {self._answer}")
        self._under_way.clear()
        self._safe.clear()
        client.subscribe([(one, 1) for one in address.filters])
        self.is_connected = True
        self._say(f"{address}: connected, MQTT {'5' if self._protocol == paho.MQTTv5 else '3.1.1'}")

    def _other_version(self) -> None:
        self._protocol = paho.MQTTv311 if self._protocol == paho.MQTTv5 else paho.MQTTv5

    def _turn_round(self, client: paho.Client, handler: Handler) -> None:
        while not self._ended.is_set():
            self._hand_out(client)
            if self._dropped or self._refused:
                raise _ConnectionLost(self._dropped or self._refused)
            handler.tick()
            self._turn(client, handler.has_room(), _TURN_MS)

    def _turn(self, client: paho.Client, reads: bool, most_ms: int) -> None:
        """Wait for something to do, and do it once."""
        peer = client.socket()
        if peer is None:
            raise _ConnectionLost(self._dropped or "the connection was lost")
        number = peer.fileno()
        waits = select.poll()
        waits.register(self._inner, select.POLLIN)
        wanted = (select.POLLIN if reads else 0) | (select.POLLOUT if client.want_write() else 0)
        if wanted:  # else poll would keep reporting that the other side has gone
            waits.register(peer, wanted)
        is_waiting = reads and isinstance(peer, ssl.SSLSocket) and peer.pending() > 0
        events = dict(waits.poll(0 if is_waiting else most_ms))
        if self._inner.fileno() in events:
            self._inner.recv(4096)
        happened = events.get(number, 0)
        if reads and (is_waiting or happened & ~select.POLLOUT):
            self._expect(client.loop_read())
        if happened & select.POLLOUT and client.socket() is not None:
            self._expect(client.loop_write())
        self._expect(client.loop_misc())

    def _expect(self, code: MQTTErrorCode) -> None:
        if code not in (_GOOD, MQTTErrorCode.MQTT_ERR_AGAIN):
            raise _ConnectionLost(self._dropped or f"the connection was lost: {paho.error_string(code)}")

    def _hand_out(self, client: paho.Client) -> None:
        """Acknowledge what is safe, in order, and publish what is due."""
        with self._lock:
            done, self._done = self._done, []
            to_send, self._to_send = self._to_send, []
            due: list[tuple[str, bytes]] = []
            while self._due and len(self._sent) + len(due) < UNDER_WAY_MOST:
                topic = next(iter(self._due))
                due.append((topic, self._due.pop(topic)))
        self._safe.update(mark.place for mark in done if mark.connection == self.connections)
        for topic, payload in due:  # before the acknowledgements: a receipt must not come after its PUBACK
            info = client.publish(topic, payload, qos=1, retain=self._may_retain)
            self._sent[info.mid] = (topic, payload)
        for topic, payload in to_send:
            client.publish(topic, payload, qos=1)
        while self._under_way and self._under_way[0][0] in self._safe:
            place, number = self._under_way.popleft()
            self._safe.discard(place)
            client.ack(number, 1)

    def _let_go(self, client: paho.Client, orderly: bool) -> None:
        """End the connection; what was published but not acknowledged is due again."""
        self.is_connected = self.is_subscribed = False
        client.on_disconnect = None
        with suppress(OSError, ValueError):
            if orderly:
                client.disconnect()
                for _ in range(10):
                    if client.socket() is None or not client.want_write():
                        break
                    client.loop_write()
            if (peer := client.socket()) is not None:
                peer.close()
        with self._lock:
            for topic, payload in self._sent.values():
                self._due.setdefault(topic, payload)
        self._sent.clear()
