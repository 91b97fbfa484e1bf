"""A Unix socket at which the owner of a spool (`<spool>.sock`) or of the agent gives orders while it runs.

    request   one line: `list`, `show 3`, `drop all`, `retry 5-9` (toolcart.agent.quarantine.orders), `status`,
              `offer-again from 5` (toolcart.agent.linux.offer_again); at the
              agent's own `status`, `reload-faults` and `command 10 select-pset 5` (toolcart.tools.status.server)
    answer    lines of one JSON object each; the last one has "end": true

Rules
1. Mode 0600 from its first moment. A socket left by a killed agent is removed: we have the spool's lock.
2. A limited number of clients at a time, one at a spool's socket; the others wait in the socket's own queue. One order
   each, of at most LINE_MAX bytes.
3. Nothing here waits. An order is a generator that does a little each turn, or yields the ms until it has something to
   do; while its answer is not read it rests. It is told who asks (SO_PEERCRED). A client that sends or reads nothing
   for PATIENCE_MS is cut off.
4. A client that closes its end gives its order up: it is not begun, or not gone on with (`while_wanted`; a command is
   withdrawn unless it was sent). One that no longer waits first closes its end, and then looks whether the order still
   lies unread (`_is_unread`): an agent reads it first and then looks for that end, so what was unread is never done.
   What had been read may be.
5. If no socket can be made (a path that is too long, a file system without sockets, another agent that answers there)
   the agent runs without it, and `problem` says why. Every LOOK_MS it is tried again, and made anew if its name was
   removed or is another's. Until that can be, as where its folder was renamed, the old one is listened at.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import stat
import struct
import termios
import time

from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.log.flash import REFUSED_NOTHING
from toolcart.board.linux.order_log import carried_out, is_looking, user_of, words_of
from toolcart.board.linux.refusal import advice, blocking_path, meaning, move_away, no_file_in

CPYTHON_ONLY = True
SUFFIX = ".sock"
LINE_MAX = 1000
PENDING_MAX = 65536  # bytes of an answer that wait for the reader
PATIENCE_MS = 10000
SLICE_S = 0.02  # of a turn for one client's order
QUEUE = 8
LOOK_MS = 2000
OF_FOLDER = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)  # the system's words say it
UNKNOWN = "no such order; this agent knows: "
PATH_MOST = 107  # bytes of a Unix socket's name (unix(7))
ANSWER_MAX = 64 * 1024 * 1024  # bytes: 1000 stations give about 5 MB
WITHDRAWN = "the order is withdrawn, and is not carried out"
SEE_LOG = (
    "it may have been carried out. The agent's log says what became of it, as `ordered` "
    "(`journalctl -u toolcart` for the service): look there before you give it again"
)


class Unanswered(TimeoutError):
    """No answer came in time. `was_read`: the agent has read the request, and may do or have done what it says."""

    def __init__(self, was_read):
        super().__init__("timed out")
        self.was_read = was_read


def answer_to(sock, request, until_s):
    """Send a request on a connected socket, and return the lines of its answer until its end, as far as it came.

    Unanswered if none comes until this moment (time.monotonic), another OSError if the agent ended and had not read it,
    OverflowError if the answer has no end. What has begun to come may take as long again, counted from its latest
    piece.
    """
    try:
        return _answer(sock, request, until_s)
    except TimeoutError:
        raise Unanswered(not _is_unread(sock)) from None


def _is_unread(sock):
    """Close our end; return True if the agent has not read what we sent, and so finds that we have gone."""
    try:
        sock.shutdown(socket.SHUT_WR)
        return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))) != (0,)
    except OSError:
        return False


def _answer(sock, request, until_s):
    patience_s = until_s - time.monotonic()
    sock.sendall(request.encode() + b"\n")
    octets = bytearray()
    piece = None
    while piece != b"" and not octets.endswith(b'{"end": true}\n'):
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(left_s)
        piece = sock.recv(PENDING_MAX)
        octets += piece
        until_s = max(until_s, time.monotonic() + patience_s)
        if len(octets) > ANSWER_MAX:
            raise OverflowError
    lines = []
    for line in bytes(octets).splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return lines


def connect(sock, path):
    """Connect a socket to this path. What is no socket refuses whoever asks: the kernel looks at its mode first."""
    try:
        sock.connect(path)
    except PermissionError:
        try:
            is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
        except OSError:
            is_socket = True  # nobody knows
        if is_socket:
            raise
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)) from None


def no_socket(path):
    """Say what keeps this user from making a socket of this path, and what helps; two "" if nothing is seen."""
    octets, folder = len(os.fsencode(path)), os.path.dirname(path) or "."
    if octets > PATH_MOST:
        cure = "move what it stands beside to a shorter path, and start the agent again"
        return "its path has %d bytes, and that of a socket may have %d" % (octets, PATH_MOST), cure
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return "that is %s" % ("a folder" if os.path.isdir(path) else "no socket"), move_away(path)
    except OSError:
        pass
    if not os.path.isdir(folder):
        return blocking_path(path), "make the folder again"
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return no_file_in(folder)
    return "", ""


class Port:
    """What toolcart.board.linux.board.Board polls: a socket, and whether something waits for it."""

    slot = -1

    def __init__(self):
        self.sock: socket.socket | None = None
        self.wants_out = False

    def looks_up(self):
        """False: no name is ever looked up here."""
        return False


class OrderClient:
    """The user whose process asks, from the kernel, and whether the process is still there."""

    gone = False

    def __init__(self, sock):
        _, self.uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))

    @property
    def user(self):
        """Return the user's name, else its number."""
        return user_of(self.uid)


class Conversation:
    """One client: its request, and the rest of its answer."""

    def __init__(self, dispatch):
        self.client = Port()
        self.pending = b""
        self._dispatch = dispatch
        self._line = b""
        self._job = None
        self._asker: OrderClient | None = None
        self._ends = False  # the answer is complete
        self._patience = Timer()
        self._pause = Timer()  # until the order has something to do

    def is_free(self):
        """True if another client may come: an order whose client is gone is first carried to its end."""
        return self.client.sock is None and self._job is None

    def begin(self, sock, now):
        """Talk to this client."""
        sock.setblocking(False)
        self.client.sock = sock
        self._asker = OrderClient(sock)
        self._line = self.pending = b""
        self._ends = False
        self._patience.start(now, PATIENCE_MS)

    def on_turn(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if self.client.sock is not None:
            self._converse(now)
        if self._job is not None and (not self._pause.armed or self._pause.expired(now)):
            self._go_on(now)
        if self.client.sock is not None:
            self._write(self.client.sock, now)
        if self._job is not None:
            if self._pause.armed:
                return self._pause.left(now)
            return 0 if len(self.pending) < PENDING_MAX else self._patience.left(now)
        return self._patience.left(now) if self.client.sock is not None else FOREVER

    def close(self):
        """Hang up, and give up the order."""
        self._hang_up()
        if self._job is not None:
            self._job.close()
            self._job = None

    def _converse(self, now):
        """Read the request; afterwards only notice that the client has gone."""
        octets = self._received()
        if octets == b"":
            self._hang_up()
            return
        if octets and self._job is None and not self._ends:
            self._line += octets
            if b"\n" in self._line:
                self._take(self._line.split(b"\n")[0])
            elif len(self._line) > LINE_MAX:
                self._hang_up()
        if self._job is not None and not self.pending:
            self._patience.start(now, PATIENCE_MS)  # it is the client that waits
        elif self._patience.expired(now):
            self._hang_up()

    def _received(self):
        """Return what the client sent, None if it sent nothing, b"" if it has gone."""
        sock = self.client.sock
        if sock is None:
            return b""
        try:
            return sock.recv(LINE_MAX)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def _take(self, line):
        words = line.decode("ascii", "replace").split()
        handler = self._dispatch.get(words[0]) if words else None
        if handler is None:
            orders = ", ".join(sorted(self._dispatch))
            self._tell({"error": UNKNOWN + orders})
            self._end()
        else:
            if not is_looking(words) and self._received() == b"":
                self._hang_up()
            self._job = handler(words, self._asker)

    def _go_on(self, now):
        """Do pieces of the order for some ms: an answer of many lines must not need as many turns of a busy agent."""
        self._pause.stop()
        until_s = time.monotonic() + SLICE_S
        while self._job is not None and not self._pause.armed and len(self.pending) < PENDING_MAX:
            self._do_piece(self._job, now)
            if time.monotonic() >= until_s:
                break

    def _do_piece(self, job, now):
        try:
            line = next(job)
        except StopIteration:
            self._job = None
            self._end()
            return
        except Exception as error:  # an order must not end the agent
            self._job = None
            self._tell({"error": words_of(error)})
            self._end()
            return
        if isinstance(line, int):
            self._pause.start(now, line)
        elif line is not None:
            self._tell(line)

    def _tell(self, line):
        if self.client.sock is not None:
            self.pending += json.dumps(line).encode() + b"\n"

    def _end(self):
        self._tell({"end": True})
        self._ends = True
        if self.client.sock is None:
            self._hang_up()

    def _write(self, sock, now):
        if self.pending:
            try:
                taken = sock.send(self.pending)
            except (BlockingIOError, InterruptedError):
                taken = 0
            except OSError:
                self._hang_up()
                return
            self.pending = self.pending[taken:]
            if taken:
                self._patience.start(now, PATIENCE_MS)
        self.client.wants_out = bool(self.pending)
        if self._ends and not self.pending:
            self._hang_up()

    def _hang_up(self):
        if self.client.sock is not None:
            self.client.sock.close()
            self.client.sock = None
            if self._asker is not None:
                self._asker.gone = True
        self.client.wants_out = False
        self.pending = b""
        self._patience.stop()


class Control:
    """A socket of this name; `dispatch`: first word of a request to a function(words, asker) that returns a generator.

    It serves so many `clients` at a time. `problem` says what keeps the socket from being made, "" if nothing does;
    `cure` what helps, if that is known. If it is `ours` by a lock it replaces an existing socket, else only one that
    does not answer.
    """

    def __init__(self, path, dispatch, clients=1, ours=True):
        self.path = path
        self.problem = self.cure = ""
        self.listener = Port()
        self.talks = [Conversation(dispatch) for _ in range(clients)]
        self._ours = ours
        self._listening = None
        self._inode = None
        self._look = Timer()
        self._open()

    def ports(self):
        """Return the ports that the board has to poll."""
        return [self.listener] + [talk.client for talk in self.talks]

    def on_turn(self, now):
        """Do what can be done now; return the ms until there may be more."""
        if not self._look.armed or self._look.expired(now):  # nobody is woken for it: turns come often enough
            self._look.start(now, LOOK_MS)
            if self._listening is None or _inode_of(self.path) != self._inode:
                self._open()
            else:
                self.problem = ""
        left = FOREVER
        has_room = False
        for talk in self.talks:
            if talk.is_free():
                self._accept(talk, now)
            if not talk.is_free():
                left = min(left, talk.on_turn(now))
            has_room = has_room or talk.client.sock is None
        self.listener.sock = self._listening if has_room else None
        return left

    def close(self):
        """Close everything and remove the socket's name."""
        for talk in self.talks:
            talk.close()
        is_named = self._listening is not None and _inode_of(self.path) == self._inode
        self._stop_listening()
        if is_named:
            try:
                os.unlink(self.path)
            except OSError:
                pass

    def _open(self):
        """Listen at the path, or keep why that cannot be, and where it was before: its folder may have a new name."""
        try:
            if not self._ours and _is_answered(self.path):
                raise OSError(errno.EADDRINUSE, "another agent answers there")
            listening = _listen(self.path)
        except OSError as error:
            words, self.cure = no_socket(self.path)
            if error.errno in OF_FOLDER:
                words = error.strerror
            self.problem = "%s: %s" % (self.path, words or error.strerror or error)
            return
        self._stop_listening()
        self.problem = ""
        self._listening = self.listener.sock = listening
        self._inode = _inode_of(self.path)

    def _stop_listening(self):
        if self._listening is not None:
            self._listening.close()
            self._listening = self.listener.sock = None

    def _accept(self, talk, now):
        if self._listening is None:
            return
        try:
            sock = self._listening.accept()[0]
        except OSError:
            return
        talk.begin(sock, now)


def station_orders(station, board, tell):
    """Return the dispatch for one station of a running agent; `tell` gets a line for its log about each order."""

    def quarantine(words, asker):
        from toolcart.agent.quarantine.orders import of_station

        job = _unless_stopped(of_station, station, board, words)
        return given(while_wanted(job, asker), words, asker, station, tell)

    def status(_words, _asker):
        from toolcart.agent.cart.status import of_station

        return iter([{"station": of_station(station, board.now())}])

    def again(words, asker):
        from toolcart.agent.linux.offer_again import of_station

        job = _unless_stopped(of_station, station, board, words)
        return given(while_wanted(job, asker), words, asker, station, tell)

    orders = dict.fromkeys(("list", "show", "drop", "retry"), quarantine)
    return {**orders, "offer-again": again, "status": status}


def _unless_stopped(of_station, station, board, words):
    """Return the order's generator; one that says why nothing is done if the spool takes nothing now."""
    if is_looking(words) or not station.mounted or station.log.device.refusal() == REFUSED_NOTHING:
        return of_station(station, board, words)
    device = station.log.device
    refused, path = device.refusal(), getattr(device.device, "path", "")
    why = "nothing was done: the spool of station %d takes nothing now: %s; %s"
    return iter([{"error": why % (station.number, meaning(refused), advice(refused, path, pid=os.getpid()))}])


def while_wanted(job, asker):
    """Yield what the order's generator yields, and break it off when its client has gone; a line says so to the log."""
    is_begun = False
    if not asker.gone:
        for line in job:
            yield line
            names = line or ()
            is_begun = is_begun or "dropped" in names or "asked" in names or "held" in names
            if asker.gone and not ("count" in names or "left" in names or "error" in names):  # its last one
                break
        else:
            return
    yield {"outcome": "its sender gave it up; %s" % ("part of it was done before" if is_begun else "nothing was done")}


def given(job, words, asker, station, tell):
    """Return the generator of an order whose outcome is told to the log, if it is more than a look."""
    return job if is_looking(words) else carried_out(job, words, asker.user, station.number, tell)


def _listen(path):
    """Return a listening socket of this name that only its owner may use."""
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


def _inode_of(path):
    """Return what no other file of this name has; None if there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_answered(path):
    """True if an agent listens at this socket; the socket of a killed one does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(path)
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
        return True
