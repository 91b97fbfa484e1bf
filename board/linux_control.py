"""A Unix socket beside each spool, `<spool>.sock`, at which the owner of the spool gives orders to the agent that runs.

    request   one line: `list`, `show 3`, `drop all`, `retry 5-9` (agent.quarantine_orders), `status`
    answer    lines of one JSON object each; the last one has "end": true

Rules
1. Mode 0600 from its first moment. What a killed agent left under the name is removed: we have the spool's lock.
2. One client at a time; the others wait in the socket's own queue. One order each, at most LINE_MAX octets.
3. Nothing here waits. An order is a generator that does a little each turn; while its answer is not taken it rests. A
   client that says or takes nothing for PATIENCE_MS is cut off, and its order is carried to its end all the same.
4. Where no socket can be had (a path that is too long, a file system without sockets) the agent runs without, and
   `note` says so.
"""

import json
import os
import socket
import stat

from agent.base.ticks import FOREVER, Timer

CPYTHON_ONLY = True
SUFFIX = ".sock"
LINE_MAX = 1000
PENDING_MAX = 65536  # octets of an answer that wait for the reader
PATIENCE_MS = 10000
QUEUE = 4


class Port:
    """What board.linux.Board polls: a socket and whether it is waited for."""

    slot = -1

    def __init__(self):
        self.sock = None
        self.wants_out = False

    def looks_up(self):
        """No name is ever looked up here."""
        return False


class Control:
    """The socket of one spool; `dispatch`: first word of a request to a function(words) that gives a generator."""

    def __init__(self, path, dispatch):
        self.path = path + SUFFIX
        self.note = ""
        self.listener = Port()
        self.client = Port()
        self._dispatch = dispatch
        self._listening = None
        self._line = b""
        self._pending = b""
        self._job = None
        self._ends = False  # the answer is whole
        self._patience = Timer()
        try:
            self._listening = _listen(self.path)
        except OSError as error:
            self.note = "no orders can be given while the agent runs: %s: %s" % (self.path, error.strerror or error)
        self.listener.sock = self._listening  # type: ignore

    def on_turn(self, now):
        """Do what can be done now; the ms until there may be more."""
        if self.client.sock is None and self._job is None:
            self._accept(now)
        if self.client.sock is not None:
            self._converse(now)
        if self._job is not None:
            self._go_on()
        if self.client.sock is not None:
            self._write(now)
        if self._job is not None:
            return 0 if len(self._pending) < PENDING_MAX else self._patience.left(now)
        return self._patience.left(now) if self.client.sock is not None else FOREVER

    def close(self):
        """Close everything; the name goes with it."""
        self._hang_up()
        if self._job is not None:
            self._job.close()
            self._job = None
        if self._listening is not None:
            self._listening.close()
            self._listening = self.listener.sock = None
            try:
                os.unlink(self.path)
            except OSError:
                pass

    def _accept(self, now):
        if self._listening is None:
            return
        try:
            self.client.sock = self._listening.accept()[0]  # type: ignore
        except OSError:
            return
        self.client.sock.setblocking(False)  # type: ignore
        self.listener.sock = None  # the next one waits
        self._line = self._pending = b""
        self._ends = False
        self._patience.start(now, PATIENCE_MS)

    def _converse(self, now):
        """Read the request; after it, only notice that the client went away."""
        if self._patience.expired(now):
            self._hang_up()
            return
        try:
            octets = self.client.sock.recv(LINE_MAX)  # type: ignore
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            octets = b""
        if not octets:
            self._hang_up()
        elif self._job is None and not self._ends:
            self._line += octets
            if b"\n" in self._line:
                self._begin(self._line.split(b"\n")[0])
            elif len(self._line) > LINE_MAX:
                self._hang_up()

    def _begin(self, line):
        words = line.decode("ascii", "replace").split()
        handler = self._dispatch.get(words[0]) if words else None
        if handler is None:
            known = ", ".join(sorted(self._dispatch))
            self._tell({"error": "no such order; this agent knows: %s" % known})
            self._end()
        else:
            self._job = handler(words)

    def _go_on(self):
        if len(self._pending) >= PENDING_MAX:
            return
        try:
            line = next(self._job)  # type: ignore
        except StopIteration:
            self._job = None
            self._end()
            return
        except Exception as error:  # an order must not end the agent
            self._job = None
            self._tell({"error": "%s: %s" % (type(error).__name__, error)})
            self._end()
            return
        if line is not None:
            self._tell(line)

    def _tell(self, line):
        if self.client.sock is not None:
            self._pending += json.dumps(line).encode() + b"\n"

    def _end(self):
        self._tell({"end": True})
        self._ends = True
        if self.client.sock is None:
            self._hang_up()

    def _write(self, now):
        if self._pending:
            try:
                taken = self.client.sock.send(self._pending)  # type: ignore
            except (BlockingIOError, InterruptedError):
                taken = 0
            except OSError:
                self._hang_up()
                return
            self._pending = self._pending[taken:]
            if taken:
                self._patience.start(now, PATIENCE_MS)
        self.client.wants_out = bool(self._pending)
        if self._ends and not self._pending:
            self._hang_up()

    def _hang_up(self):
        if self.client.sock is not None:
            self.client.sock.close()
            self.client.sock = None
        self.client.wants_out = False
        self._pending = b""
        self._patience.stop()
        self.listener.sock = self._listening  # type: ignore


def station_orders(station, board):
    """Return the dispatch for one station of a running agent."""

    def quarantine(words):
        from agent.quarantine_orders import carry_out

        if not station.mounted:
            return iter([{"error": "the spool of station %d is not up; the agent's log says why" % station.number}])
        return carry_out(station.quarantine, station.ring, station.number, board, station.quiet, words)

    def status(_words):
        from agent.status import of_station

        return iter([{"station": of_station(station, board.now())}])

    return {"list": quarantine, "show": quarantine, "drop": quarantine, "retry": quarantine, "status": status}


def _listen(path):
    """Return a listening socket under this name, which nobody but its owner may use."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listening.setblocking(False)
        listening.bind(path)
        listening.listen(QUEUE)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(mask)
    return listening
