"""An HTTP/1.1 client without I/O (RFC 9112): one request at a time, its answer read in any pieces, everything bounded.

    READY --ask--> ASKED --a whole answer--> READY, or OVER if the connection may not go on
                     | not a valid answer, too long, too late: BROKEN, `why` says what

Rules
1. The owner reads into `inlet`; `receive(n)` takes what came. `outgoing` is what is still to be written, `sent(n)` says
   how much of it was. `tick(now)` is the ms until the exchange is given up, whatever comes meanwhile.
2. The head may have LINES_MOST lines and HEAD_MOST bytes, including all 1xx answers in front of it; of a body BODY_MOST
   bytes are kept and PASSED_MOST are read. Anything longer is not accepted as an answer.
3. A body ends as Content-Length, chunks or the end of the connection say. If two of these are given, two lengths
   differ, or a length is not a number, the answer is not accepted: the two sides would read different answers.
4. Bytes behind the answer belong to none: the connection is not used again.
5. Nothing is followed, stored or decompressed: the request asks for none of it.
"""

from base64 import b64encode
from email.utils import mktime_tz, parsedate_tz

from toolcart.agent.base.ticks import FOREVER, Timer

CPYTHON_ONLY = True  # a board has ToolsNet

INLET_BYTES = 4096
HEAD_MOST = 16384
LINES_MOST = 100
BODY_MOST = 4096  # a receipt has some 60 bytes; more is kept to be shown
PASSED_MOST = 1048576
INTERIM_MOST = 8
CHUNK_DIGITS = 7

READY = 0
ASKED = 1
OVER = 2  # the answer is whole, and the connection ends with it
BROKEN = 3

SHOWN_MOST = 120  # characters of an answer that are shown to people

_KEPT = (b"content-length", b"transfer-encoding", b"connection", b"retry-after", b"date", b"location")


class _Unfit(Exception):
    """What came is no valid answer, or too long; the text says why."""


class HttpClient:
    """The exchanges over one connection."""

    def __init__(self, timeout_ms):
        self.timeout_ms = timeout_ms
        self.inlet = bytearray(INLET_BYTES)
        self._deadline = Timer()
        self.opened()

    def opened(self):
        """Start again with a new connection."""
        self.state = READY
        self.why = ""
        self.status = 0
        self.fields = {}  # of the answer, by lower-case name; only those that matter
        self.body = b""
        self.heard = False  # a byte of the answer has come
        self.outgoing = memoryview(b"")
        self._deadline.stop()

    def ask(self, octets, now):
        """Send this request, head and body; the connection must be READY."""
        self.opened()
        self.state = ASKED
        self.outgoing = memoryview(octets)
        self._deadline.start(now, self.timeout_ms)
        self._rest = bytearray()  # what came and is not read yet
        self._head = self._lines = 0  # bytes and lines of the head so far, including all 1xx answers
        self._passed = 0  # bytes of the body
        self._has_ended = False  # the connection
        self._answer = self._read()

    def sent(self, n):
        """Remove the n bytes of `outgoing` that were written."""
        self.outgoing = self.outgoing[n:]

    def tick(self, now):
        """Return the ms until the answer is given up; FOREVER if none is awaited."""
        if self.state != ASKED:
            return FOREVER
        if self._deadline.expired(now):
            self._break("no whole answer came within %d s" % (self.timeout_ms // 1000))
            return 0
        return self._deadline.left(now)

    def receive(self, n):
        """Take the first n bytes of the inlet."""
        if self.state != ASKED:
            self._break("something came that was not asked for")
            return
        self.heard = True
        self._rest += self.inlet[:n]
        self._go_on()

    def ended(self):
        """The other side has closed the connection: the answer may end there."""
        if self.state != ASKED:
            self.state = OVER
            return
        self._has_ended = True
        self._go_on()
        if self.state == ASKED:
            self._break("the connection ended in the middle of an answer" if self.heard else "")

    def _go_on(self):
        """Read as much of the answer as is there."""
        try:
            next(self._answer)
        except StopIteration as read:
            self.state = READY if read.value and not self._rest else OVER  # rule 4
            self._deadline.stop()
        except _Unfit as why:
            self._break(str(why))

    def _break(self, why):
        self.state = BROKEN
        self.why = why
        self._deadline.stop()

    # -- the answer: each of these yields where more has to come -------------------------------------------------

    def _read(self):
        """Read one answer; return whether another may follow on this connection."""
        keeps = yield from self._take_head()
        for _ in range(INTERIM_MOST):
            if self.status >= 200 or self.status == 101:
                break
            keeps = yield from self._take_head()
        if self.status < 200:
            raise _Unfit("status %d was not asked for" % self.status)
        length, coding = self.fields.get("content-length"), self.fields.get("transfer-encoding")
        if self.status == 204 or self.status == 304:
            return keeps
        if coding is not None:
            if length is not None or coding.strip().lower() != "chunked" or self._is_old:
                raise _Unfit("the answer's body cannot be told apart: Transfer-Encoding %s" % coding[:SHOWN_MOST])
            yield from self._take_chunks()
        elif length is not None:
            if not (length.isascii() and length.isdigit()) or len(length) > 9:
                raise _Unfit("the answer's length is no number")
            yield from self._take_body(int(length))
        else:
            while not self._has_ended:
                self._keep(len(self._rest))
                yield
            return False
        return keeps

    def _take_head(self):
        """Read a status and the fields behind it; return whether the connection may be kept."""
        self.fields = {}
        parts = (yield from self._line()).split(b" ", 2)
        version = parts[0]
        if len(parts) < 2 or not version.startswith(b"HTTP/1.") or not (len(parts[1]) == 3 and parts[1].isdigit()):
            raise _Unfit("what came is no answer of HTTP/1")
        self._is_old = version == b"HTTP/1.0"
        self.status = int(parts[1])
        if not 100 <= self.status <= 599:
            raise _Unfit("status %d is none" % self.status)
        line = yield from self._line()
        while line:
            self._take_field(line)
            line = yield from self._line()
        keeps = not self._is_old
        for word in self.fields.get("connection", "").lower().split(","):
            if word.strip() == "close":
                keeps = False
            elif word.strip() == "keep-alive" and self._is_old:
                keeps = True
        return keeps

    def _take_field(self, line):
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or line[:1] in (b" ", b"\t"):
            raise _Unfit("a line of the head is no field")
        if name.lower() not in _KEPT:
            return
        text = value.strip().decode("latin-1")
        name = name.lower().decode()
        before = self.fields.get(name, text)
        if name == "content-length" and before != text:
            raise _Unfit("the answer says two lengths")
        if name in self.fields and name in ("transfer-encoding", "connection"):
            text = before + "," + text
        self.fields[name] = text

    def _line(self):
        """Read a line of the head."""
        while True:
            end = self._rest.find(b"\n")
            if self._head + (end if end >= 0 else len(self._rest)) > HEAD_MOST:
                raise _Unfit("the head of the answer is longer than %d octets" % HEAD_MOST)
            if end >= 0:
                break
            yield
        line = bytes(self._rest[:end]).rstrip(b"\r")
        del self._rest[: end + 1]
        self._head += end + 1
        self._lines += 1
        if self._lines > LINES_MOST:
            raise _Unfit("the head of the answer has more than %d lines" % LINES_MOST)
        return line

    def _take_body(self, left):
        while left:
            left -= self._keep(left)
            if left:
                yield

    def _take_chunks(self):
        """Read chunks and the trailer behind them, to which the bounds of a head apply."""
        while True:
            self._head = self._lines = 0
            digits = (yield from self._line()).partition(b";")[0].strip()
            if not 0 < len(digits) <= CHUNK_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
                raise _Unfit("the length of a chunk is no number")
            if not int(digits, 16):
                break
            self._passed += 64  # so that chunks of one byte come to an end as well
            yield from self._take_body(int(digits, 16))
            if (yield from self._line()):
                raise _Unfit("a chunk is longer than it says")
        while (yield from self._line()):
            pass

    def _keep(self, most):
        """Take up to `most` bytes of the body; return how many there were."""
        piece = bytes(self._rest[:most])
        del self._rest[:most]
        self._passed += len(piece)
        if self._passed > PASSED_MOST:
            raise _Unfit("the answer is longer than %d octets" % PASSED_MOST)
        self.body += piece[: BODY_MOST - len(self.body)]
        return len(piece)


# What an HTTP request says besides its body, and when an answer asks us to come again.


def head_of(address, octets, authorization):
    """Return the head of a POST of so many bytes to a toolcart.agent.wide.http_client."""
    lines = [
        "POST %s HTTP/1.1" % address.path,
        "Host: %s" % address.name,
        "User-Agent: toolcart",
        "Accept: application/json",
        "Content-Type: application/x-ndjson",
        "Content-Length: %d" % octets,
    ]
    if authorization:
        lines.append("Authorization: " + authorization)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def authorization(token, user, password):
    """Return the credentials for the server (RFC 6750, 7617); "" if there are none."""
    if token:
        return "Bearer " + token
    if user:
        return "Basic " + b64encode(("%s:%s" % (user, password)).encode()).decode()
    return ""


def retry_after_ms(fields):
    """Return for how long the server asks us to wait; 0 if it does not say (RFC 9110, 10.2.3).

    A date is counted from the date of the answer itself: both are by the server's clock, so ours does not matter.
    """
    text = fields.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    until, made = _seconds(text), _seconds(fields.get("date", ""))
    return max(0, until - made) * 1000 if until is not None and made is not None else 0


def shown_body(http):
    """Return the beginning of an answer's body, made printable."""
    text = http.body[:SHOWN_MOST].decode("latin-1")
    return "".join([letter if " " <= letter <= "~" else " " for letter in text]).strip() or "nothing more"


def _seconds(text):
    parts = parsedate_tz(text)
    try:
        return None if parts is None else mktime_tz(parts)
    except (ValueError, OverflowError):
        return None


# The parts of an address `https://host:port/path?query`; refuses what an HTTP request cannot carry.

_PORTS = {"http": 80, "https": 443}


class WebAddress:
    """`fault` says what is wrong with the text; "" if nothing is."""

    def __init__(self, text):
        self.is_secure = False
        self.host = ""
        self.number = 0
        self.path = "/"
        self.name = ""  # of the host, as the request writes it
        self.fault = self._read(text)

    def _read(self, text):
        scheme, found, rest = text.partition("://")
        if not found or scheme.lower() not in _PORTS:
            return "an address that begins with http:// or https://"
        if [letter for letter in text if not "!" <= letter <= "~"] or "#" in text:
            return "printable ASCII characters without blanks and #; others as %XX"
        self.is_secure = scheme.lower() == "https"
        self.name = rest.replace("?", "/").partition("/")[0]
        path = rest[len(self.name) :]
        self.path = path if path.startswith("/") else "/" + path
        if "@" in self.name:
            return "an address without a user: the settings user and password are for that"
        host, number = self.name, ""
        if host.startswith("["):
            host, bracket, number = host[1:].partition("]")
            if not bracket or (number and not number.startswith(":")):
                return "a host; an address of IPv6 in brackets"
            number = number[1:]
        elif ":" in host:
            host, _, number = host.rpartition(":")
        if number and not (number.isdigit() and 1 <= int(number) <= 65535):
            return "a port of 1 to 65535"
        self.number = int(number) if number else _PORTS[scheme.lower()]
        self.host = host
        return "" if host else "a host"
