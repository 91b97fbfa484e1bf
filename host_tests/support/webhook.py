"""An HTTP server that takes batches as the contract says (docs/outlets.md): simulated, or a process to be killed.

`python -m host_tests.support.webhook PORT DATABASE TOKEN [CERTIFICATE]`, with it by TLS, stores batches in SQLite.
"""

from __future__ import annotations

import json
import sqlite3
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from toolcart.agent.cart.status import why_name
from toolcart.agent.linux.web_address import WebAddress
from toolcart.agent.linux.webhook import WebhookOutlet
from toolcart.agent.linux.webhook_settings import SETTINGS
from toolcart.sim.endpoint import Endpoint
from host_tests.support.consumer_model import Model
from host_tests.support.toolsnet import SecondOutlet

PLACE = ("hook", 8080)
URL = "http://hook:8080/results?cart=7"


def answer(status, body=b"", **fields):
    """Return the octets of an answer; `fields` are more lines of its head, `_` stands for `-`."""
    lines = ["HTTP/1.1 %d some words" % status, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Server:
    """What outlasts a connection: what was stored, and what is to be answered next.

    `answers` is a list of what the next requests get in place of a receipt: octets, None for silence, or a function of
    the receipt's body that returns octets.
    """

    def __init__(self):
        self.model = Model()
        self.lines = []  # every one that was stored
        self.heads = []  # of every request: its lines
        self.batches = []  # the first line of every batch, as an object
        self.answers = []
        self.closes = False  # behind every answer
        self.connections = 0
        self.complaints = []
        self.closings = []

    def endpoint(self):
        self.connections += 1
        return Connection(self)

    def ids(self):
        """The tightening IDs of what was stored, in that order."""
        return [int(line["tightening_id"]) for line in self.lines if line["type"] == "result"]

    def take(self, body):
        """Store a batch; return the receipt's body."""
        head, *lines = [json.loads(line) for line in body.splitlines()]
        assert head["schema"] == 1 and head["count"] == len(lines) and body.endswith(b"\n")
        numbers = [line["number"] for line in lines]
        assert numbers == sorted(numbers) and numbers[-1] <= head["last"]  # the last ones may be gone
        self.batches.append(head)
        before = len(self.model.stored)
        number, _ = self.model.take("hook", head["identity"], head["after"], head["last"], numbers)
        for _, _, stored in self.model.stored[before:]:
            self.lines.append(lines[numbers.index(stored)])
        return json.dumps({"identity": head["identity"], "number": number}).encode()


class Connection(Endpoint):
    """One connection to it."""

    def __init__(self, server):
        super().__init__(server.complaints, server.closings)
        self.server = server
        self._got = b""

    def tick(self, now):
        return self.release(now)

    def receive(self, octets, now):
        self._got += octets
        while not self.wants_close:
            head, end, rest = self._got.partition(b"\r\n\r\n")
            if not end:
                return
            lines = head.decode().split("\r\n")
            length = int(next(line for line in lines if line.startswith("Content-Length: "))[16:])
            if len(rest) < length:
                return
            self._got = rest[length:]
            self._reply(lines, rest[:length], now)

    def _reply(self, lines, body, now):
        server = self.server
        server.heads.append(lines)
        next_one = server.answers.pop(0) if server.answers else ()
        if next_one is None:
            return
        if isinstance(next_one, bytes):
            self.send(next_one)
        else:
            receipt = server.take(body)
            self.send(answer(200, receipt) if next_one == () else next_one(receipt))
        if server.closes:
            self.close("server: closes behind its answer")


class WebhookBench(SecondOutlet):
    """A log, the outlet and a server; `limits` are of the outlet's class, `settings` its own beside the defaults."""

    places = (PLACE,)

    def __init__(self, durable=True, limits=None, **settings):
        self.server = Server()
        self.durable = durable
        self.limits = limits or {}
        self.chosen = {**section(SETTINGS), "url": URL, **settings}
        self.ids = self.server.ids
        super().__init__()

    def make_outlet(self):
        self.network.listen(*PLACE, self.server.endpoint)
        self.port = self.tcp()
        kind = type("Limited", (WebhookOutlet,), self.limits)
        address = WebAddress(self.chosen["url"])
        return kind(self.log, 1, self.port, self.counters, (3, 1, 10), self.chosen, address)

    def status(self):
        state = super().status()
        return {"why": why_name(self.forward.fault.why), **state}

    def why(self):
        return self.status()["why"]


def section(table):
    """The defaults of a table of settings, times in milliseconds."""
    settings = {}
    for row in table.split("\n"):
        key, kind, default = row.split()[:3]
        if kind == "time":
            settings[key.removesuffix("_s") + "_ms"] = int(float(default) * 1000)
        else:
            settings[key] = None if default in "~-" else int(default) if kind == "int" else default == "true"
    return settings


TABLES = """CREATE TABLE IF NOT EXISTS have (identity TEXT PRIMARY KEY, number INTEGER);
CREATE TABLE IF NOT EXISTS records (
    identity TEXT, number INTEGER, type TEXT, line TEXT, PRIMARY KEY (identity, type, number)
);
"""


def stored(path: Path | str, type_: str = "result") -> list[dict]:
    """The lines of this type in the order of their numbers."""
    with sqlite3.connect(path, timeout=30) as database:
        database.executescript(TABLES)
        rows = database.execute("SELECT line FROM records WHERE type = ? ORDER BY number", (type_,)).fetchall()
    return [json.loads(line) for (line,) in rows]


def take(database: sqlite3.Connection, body: bytes) -> dict:
    """Store a batch in one transaction; the receipt. What is in it twice is an error: the primary key says so."""
    head, *lines = [json.loads(line) for line in body.splitlines()]
    assert head["schema"] == 1 and head["count"] == len(lines)
    identity = head["identity"]
    with database:
        database.execute("BEGIN IMMEDIATE")
        row = database.execute("SELECT number FROM have WHERE identity = ?", (identity,)).fetchone()
        have = row[0] if row else 0
        if head["after"] <= have < head["last"]:
            rows = [
                (identity, line["number"], line["type"], json.dumps(line)) for line in lines if line["number"] > have
            ]
            database.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)
            database.execute("INSERT OR REPLACE INTO have VALUES (?, ?)", (identity, head["last"]))
            have = head["last"]
    return {"identity": identity, "number": have}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._say(401, b"who are you?")
            return
        database = sqlite3.connect(DATABASE, timeout=30, isolation_level=None)
        try:
            self._say(200, json.dumps(take(database, body)).encode())
        finally:
            database.close()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to stderr."""


if __name__ == "__main__":
    PORT, DATABASE, TOKEN = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    with sqlite3.connect(DATABASE, timeout=30) as connection:
        connection.executescript("PRAGMA journal_mode = WAL;" + TABLES)
    ThreadingHTTPServer.allow_reuse_address = True
    served = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        served.socket = context.wrap_socket(served.socket, server_side=True)
    served.serve_forever()
