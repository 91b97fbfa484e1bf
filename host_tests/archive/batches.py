"""Batches for tests: made by hand, and sent by a small outlet that keeps the contract (docs/library/consumers.md)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from toolcart.archive.consume.parcels import Parcels, parcel_of
from toolcart.archive.database import database
from toolcart.archive.storage.writer import PARCEL, Writer
from host_tests.support.running import wait_for

DEADLINE_S = 30.0
RESEND_S = 0.5
WINDOW = 4
BATCH_MOST = 16
_LINE = {
    "schema": 1,
    "type": "result",
    "station": 7,
    "number": 1,
    "spindle": 1,
    "time": "2026-03-14T09:26:53",
    "time_source": "controller",
    "tightening_id": "1",
    "vin": "WVWZZZ1KZAW123456",
    "program": "12",
    "status": "OK",
    "torque": "42.37",
    "torque_unit": "Nm",
    "torque_status": "OK",
    "angle": 95,
    "angle_status": "OK",
    "fetched": False,
    "again": False,
}


def line(number: int, ident: int | None = None, **fields: object) -> dict:
    """The line of a result; its tightening ID is its number if not said otherwise."""
    return {**_LINE, "number": number, "tightening_id": str(number if ident is None else ident), **fields}


def message(
    after: int, last: int, lines: list[dict], identity: str = "0000000a", station: int = 7, **head: object
) -> bytes:
    """A batch as it is published."""
    place = {"schema": 1, "system_type": 1, "system": 3, "station": station, "identity": identity}
    whole = {**place, "after": after, "last": last, "count": len(lines), **head}
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in (whole, *lines))


class Outlet:
    """A station with a log: what is in it goes out in batches until receipts say it is stored.

    `kill` is as a power cut: what is left is the log and the cursor. `start` is the next start.
    """

    def __init__(self, port: int, station: int, identity: str) -> None:
        self.port, self.station, self.identity = port, station, identity
        self.topic = f"toolcart/1/{station}"
        self.log: list[dict] = []  # record n has the number n + 1
        self.cursor = 0
        self.receipts = 0
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        self.start()

    def tighten(self, count: int = 1) -> None:
        """So many results, durable in the log."""
        for _ in range(count):
            number = len(self.log) + 1
            self.log.append(line(number, self.station * 10_000_000 + number, station=self.station))

    def start(self) -> None:
        """Begin to deliver."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._ended,), daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End at once."""
        self._ended.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311, reconnect_on_failure=False)
            client.on_message = self._take_receipt
            client.on_connect = lambda connected, *_: connected.subscribe(f"{self.topic}/receipt", 1)
            try:
                client.connect("127.0.0.1", self.port, 30)
            except OSError:
                ended.wait(0.1)
                continue
            client.loop_start()
            self._deliver(client, ended)
            peer = client.socket()
            if peer is not None:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)  # the library's thread looks up from its wait of a second
                peer.close()
            client.loop_stop()

    def _deliver(self, client: paho.Client, ended: threading.Event) -> None:
        sent, sent_at, confirmed = self.cursor, time.monotonic(), self.cursor
        began_s = time.monotonic()
        while not ended.wait(0.01):
            if not client.is_connected():
                if time.monotonic() - began_s > 2:
                    return
                continue
            began_s = 0
            now = time.monotonic()
            if self.cursor != confirmed:
                confirmed, sent_at, sent = self.cursor, now, max(sent, self.cursor)
            elif sent > confirmed and now - sent_at > RESEND_S:
                sent = confirmed
            while sent < len(self.log) and sent - confirmed < WINDOW * BATCH_MOST:
                some = self.log[sent : sent + BATCH_MOST]
                octets = message(sent, sent + len(some), some, self.identity, self.station)
                client.publish(f"{self.topic}/results", octets, 1)
                sent, sent_at = sent + len(some), now

    def _take_receipt(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        with self._lock:
            self.receipts += 1
            if receipt["identity"] == self.identity:
                if receipt["number"] > len(self.log):
                    self.wrong.append(f"{receipt} of {len(self.log)}")
                self.cursor = max(self.cursor, receipt["number"])


class Peer:
    """A client that publishes, and hears receipts."""

    def __init__(self, port, tls=None, password=None):
        self.messages = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        if tls:
            self._client.tls_set_context(tls)
            self._client.username_pw_set("anna", password)
        self._client.on_message = lambda _client, _userdata, message: self.messages.append(
            (message.topic, json.loads(message.payload), message.retain)
        )
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("toolcart/+/receipt", 1)
        assert subscribed.wait(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, octets, topic="toolcart/x/results", retain=False):
        published = self._client.publish(topic, octets, 1, retain)
        published.wait_for_publish(DEADLINE_S)
        assert published.is_published()

    def wait(self, count):
        wait_for(lambda: self.messages, lambda: len(self.messages) >= count)
        return self.messages[count - 1]


class Kept:
    """A writer on a database, and what it has."""

    def __init__(self, engine, is_shared=False):
        self.engine = engine
        self.log = []
        self.writer = Writer(engine, self.log.append, is_shared, Parcels)

    def take(self, batches):
        """Each one's receipt and outcome; they come at once, so that a commit has several of them."""
        parcels = [parcel_of(batch) for batch in batches]
        outcomes = self.commit([(PARCEL, parcel) for parcel in parcels])
        return [(parcel["number"], outcome) for parcel, outcome in zip(parcels, outcomes, strict=True)]

    def commit(self, what):
        """The outcomes of these, telegrams or parcels, which one commit stores."""
        outcomes, all_done = {}, threading.Event()

        def note_outcome(index, outcome):
            outcomes[index] = outcome
            if len(outcomes) == len(what):
                all_done.set()

        with self.writer._wake:  # it takes none of them before it can take all
            for index, (kind, fields) in enumerate(what):
                assert self.writer.put(kind, fields, partial(note_outcome, index))
        assert not what or all_done.wait(DEADLINE_S)
        return [outcomes[index] for index in range(len(what))]

    def change(self, sql):
        with self.engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def ask(self, sql):
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@contextmanager
def kept(place, is_shared=False):
    """An archive at this place, new or not; others may write there too if all are shared."""
    with database.writing(str(place), is_shared) as engine:
        archive = Kept(engine, is_shared)
        try:
            yield archive
        finally:
            archive.writer.close()
