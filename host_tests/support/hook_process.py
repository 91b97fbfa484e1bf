"""An HTTP server as a process: stores batches in SQLite as the contract says (docs/outlets.md), until it is killed.

`python -m host_tests.support.hook_process PORT DATABASE TOKEN [CERTIFICATE]`: with it by TLS
"""

from __future__ import annotations

import json
import sqlite3
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
        found = database.execute("SELECT number FROM have WHERE identity = ?", (identity,)).fetchone()
        have = found[0] if found else 0
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
    with sqlite3.connect(DATABASE, timeout=30) as made:
        made.executescript("PRAGMA journal_mode = WAL;" + TABLES)
    ThreadingHTTPServer.allow_reuse_address = True
    served = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        served.socket = context.wrap_socket(served.socket, server_side=True)
    served.serve_forever()
