"""An HTTP/1.1 client without I/O: one request at a time, its answer read by h11 in any pieces, everything bounded.

    READY --ask--> ASKED --a whole answer--> READY, or OVER if the connection may not go on
                     | not a valid answer, too long, too late: BROKEN, `why` says what

Rules
1. The owner reads into `inlet`; `receive(n)` takes what came. `outgoing` is what is still to be written, `sent(n)` says
   how much of it was. `tick(now)` is the ms until the exchange is given up, whatever comes meanwhile.
2. A head has HEAD_MOST bytes at most with the 1xx answers in front of it; a body has BODY_MOST, in PIECES_MOST pieces;
   an answer with its chunks' own bytes has PASSED_MOST. A trailer and a chunk's extension have HEAD_MOST and what one
   read brings. Anything longer is not accepted.
3. Where Content-Length and Transfer-Encoding are both given, or the latter by HTTP/1.0, the answer is not accepted: the
   two sides would read different answers. Everything else of the syntax is h11's (RFC 9112).
4. Bytes behind the answer belong to none: the connection is not used again.
5. Nothing is followed, stored or decompressed: the request says that it takes no coding; `coding` has what came.

h11 is an extra, `webhook`: it is imported with the first connection.
"""

from importlib import invalidate_caches
from importlib.util import find_spec

from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.linux.http_fields import excerpt, fields_of, printable

CPYTHON_ONLY = True  # a board has ToolsNet

INLET_BYTES = 4096
HEAD_MOST = 16384
BODY_MOST = 1048576  # a receipt has some 60 bytes; what its server adds is its own affair
PIECES_MOST = 16384  # so that chunks of one octet come to an end as well: each costs time
PASSED_MOST = 2097152

READY = 0
ASKED = 1
OVER = 2  # the answer is whole, and the connection ends with it
BROKEN = 3


_BEGINS = b"HTTP/"  # every answer
_KEPT = ("content-encoding", "retry-after", "date", "location")


# What h11 does not accept, by a word of its own.
_UNREADABLE = (
    ("Transfer-Encoding", "its body has a Transfer-Encoding other than chunked"),
    ("Content-Length", "its Content-Length is no number, or is there several times"),
    ("chunk", "the length of a chunk cannot be read"),
    ("header", "a line of its head cannot be read"),
)

_HEAD_TOO_LONG = "the head of the answer, or its trailer, is longer than %d octets" % HEAD_MOST


def is_missing():
    """True if the library for it is not installed: that of the extra `webhook`."""
    invalidate_caches()  # it may have been installed since it was looked for last
    return find_spec("h11") is None


class _Unfit(Exception):
    """What came is no valid answer, or too long; the text says why."""


class HttpClient:
    """The exchanges over one connection."""

    def __init__(self, timeout_ms):
        self.timeout_ms = timeout_ms
        self.inlet = bytearray(INLET_BYTES)
        self._deadline = Timer()
        self._begin()

    def opened(self):
        """Start again with a new connection."""
        import h11  # an extra

        self._h11 = h11
        self._connection = self._h11.Connection(self._h11.CLIENT, max_incomplete_event_size=HEAD_MOST)
        self._begin()

    def _begin(self):
        self.state = READY
        self.why = ""
        self.status = 0
        self.fields = {}  # of the answer, by lower-case name; only those that matter
        self.coding = ""  # the content codings of its body; "" if it is plain
        self.body = bytearray()
        self.answered = False  # a byte of the answer has come
        self.has_ended = False  # the connection ended before one came
        self.is_late = False  # it did not come whole in time
        self.outgoing = memoryview(b"")
        self._passed = self._pieces = 0  # bytes of the answer, and pieces of its body
        self._deadline.stop()

    def ask(self, address, authorization, body, now):
        """Send a POST of this body; the connection must be READY."""
        connection = self._connection
        if connection.our_state is self._h11.DONE:
            connection.start_next_cycle()
        self._begin()
        head = self._h11.Request(
            method="POST", target=address.path, headers=fields_of(address, len(body), authorization)
        )
        octets = connection.send(head) + connection.send(self._h11.Data(data=body))
        self.outgoing = memoryview(octets + (connection.send(self._h11.EndOfMessage()) or b""))
        self.state = ASKED
        self._deadline.start(now, self.timeout_ms)

    def sent(self, n):
        """Remove the n bytes of `outgoing` that were written."""
        self.outgoing = self.outgoing[n:]

    def tick(self, now):
        """Return the ms until the answer is given up; FOREVER if none is awaited."""
        if self.state != ASKED:
            return FOREVER
        if self._deadline.expired(now):
            self.is_late = True
            self._break("no whole answer came within %d s" % (self.timeout_ms // 1000))
            return 0
        return self._deadline.left(now)

    def receive(self, n):
        """Take the first n bytes of the inlet."""
        if self.state != ASKED:
            self._break("something came that was not asked for")
            return
        octets = bytes(self.inlet[:n])
        at = self._passed
        if octets[: max(0, len(_BEGINS) - at)] != _BEGINS[at : at + n]:  # h11 would wait for the end of a head
            self._break(_words_of_no_answer(octets, at))
        self.answered = True
        self._passed += n
        room = n if self.status else HEAD_MOST - at
        if self.state == ASKED and room:
            self._take(octets[:room])
        if n > room:
            self._take_behind_head(octets[room:])

    def _take_behind_head(self, octets):
        """Take what came behind all that a head may have: h11 itself takes a longer one that is whole."""
        if self.state == READY:
            self.state = OVER  # rule 4
        elif self.state == ASKED and not self.status:
            self._break(_HEAD_TOO_LONG)
        elif self.state == ASKED:
            self._take(octets)

    def ended(self):
        """The other side has closed the connection: the answer may end there."""
        if self.state != ASKED:
            self.state = OVER
        elif not self.answered:
            self.has_ended = True
            self._break("")
        else:
            self._take(b"")
            if self.state == READY:
                self.state = OVER

    def _take(self, octets):
        """Read as much of the answer as is there."""
        try:
            self._connection.receive_data(octets)
            while self.state == ASKED and self._take_event(self._connection.next_event()):
                pass
        except _Unfit as why:
            self._break(str(why))
        except self._h11.RemoteProtocolError as why:
            self._break(self._words_of(why, octets))

    def _words_of(self, why, octets):
        """Say what h11 does not accept."""
        if why.error_status_hint == 431:
            return _HEAD_TOO_LONG
        if not octets:
            return "the connection ended in the middle of an answer"
        reasons = [words for word, words in _UNREADABLE if word in str(why)]
        return "what came is no answer of HTTP/1.1: " + (reasons[0] if reasons else excerpt(octets))

    def _take_event(self, event):
        """Take what h11 has read; True if there may be more."""
        h11 = self._h11
        if event is h11.NEED_DATA:
            self._stay_bounded()
            return False
        if isinstance(event, h11.Data):
            self.body += event.data
            self._pieces += 1
            self._stay_bounded()
        elif isinstance(event, h11.Response):
            self._take_head(event)
        elif isinstance(event, h11.EndOfMessage):
            connection = self._connection
            goes_on = connection.our_state is h11.DONE and connection.their_state is h11.DONE
            self.state = READY if goes_on and not connection.trailing_data[0] else OVER  # rule 4
            self._deadline.stop()
        return True

    def _stay_bounded(self):
        if len(self.body) > BODY_MOST:
            raise _Unfit("the body of the answer is longer than %d octets" % BODY_MOST)
        if self._pieces > PIECES_MOST:
            raise _Unfit("the body of the answer has more than %d pieces" % PIECES_MOST)
        if self._passed > PASSED_MOST:
            raise _Unfit("the answer with its chunks is longer than %d octets" % PASSED_MOST)

    def _take_head(self, event):
        self.status = event.status_code
        if self.status > 599:
            raise _Unfit("status %d is none" % self.status)
        lengths = coding = ""
        for octets, value in event.headers:
            name, text = octets.decode("latin-1"), value.decode("latin-1")
            if name in _KEPT:
                self.fields[name] = self.fields[name] + "," + text if name in self.fields else text
            elif name == "content-length":
                lengths = text
            elif name == "transfer-encoding":
                coding = text
        codings = [one.strip() for one in self.fields.get("content-encoding", "").lower().split(",")]
        self.coding = ", ".join([one for one in codings if one and one != "identity"])
        if coding and (lengths or event.http_version < b"1.1"):
            raise _Unfit("the answer's body cannot be told apart: Transfer-Encoding " + printable(coding))

    def _break(self, why):
        self.state = BROKEN
        self.why = why
        self._deadline.stop()


def _words_of_no_answer(octets, at):
    """Say how what came at this place of an answer differs from the beginning of one."""
    if at == 0 and octets[:1] in b"\r\n":
        return "an empty line is in front of the answer's status line, which HTTP/1.1 does not allow"
    return "what came is no answer of HTTP/1.1: " + excerpt(octets)
