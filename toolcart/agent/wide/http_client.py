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

_LINE, _BODY, _CHUNK, _CHUNK_END, _TRAILER, _TO_END = range(6)
_KEPT = (b"content-length", b"transfer-encoding", b"connection", b"retry-after", b"date", b"location")


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
        self.state = ASKED
        self.outgoing = memoryview(octets)
        self.heard = False
        self._deadline.start(now, self.timeout_ms)
        self._head = 0  # bytes and lines of the head, including all 1xx answers
        self._lines = 0
        self._interim = 0
        self._begin_answer()

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
        while self.state == ASKED and self._take():
            pass
        if self.state == READY and self._rest:
            self.state = OVER  # rule 4

    def ended(self):
        """The other side has closed the connection: the answer may end there."""
        if self.state == ASKED and self._part == _TO_END:
            self._finish(False)
        elif self.state == ASKED:
            self._break("the connection ended in the middle of an answer" if self.heard else "")
        else:
            self.state = OVER

    # -- the answer ----------------------------------------------------------------------------------------------

    def _begin_answer(self):
        self.status = 0
        self.fields = {}
        self.body = b""
        self._rest = bytearray()
        self._part = _LINE
        self._left = 0  # bytes of the body, or of the chunk
        self._passed = 0
        self._keeps = True
        self._is_old = False  # HTTP/1.0

    def _take(self):
        """Take the next piece of what came; False if more has to come."""
        if self._part == _BODY or self._part == _CHUNK:
            return self._take_body()
        if self._part == _TO_END:
            self._keep(self._rest)
            self._rest = bytearray()
            return False
        end = self._rest.find(b"\n")
        if end < 0 or self._head + end > HEAD_MOST:
            if self._head + len(self._rest) > HEAD_MOST:
                self._break("the head of the answer is longer than %d octets" % HEAD_MOST)
            return False
        line = bytes(self._rest[:end]).rstrip(b"\r")
        del self._rest[: end + 1]
        self._head += end + 1
        self._lines += 1
        if self._lines > LINES_MOST and self._part != _CHUNK_END:
            self._break("the head of the answer has more than %d lines" % LINES_MOST)
        elif self._part == _CHUNK_END:
            self._take_chunk(line)
        elif self._part == _TRAILER:
            if not line:
                self._finish(self._keeps)
        elif not self.status:
            self._take_status(line)
        elif line:
            self._take_field(line)
        else:
            self._end_head()
        return True

    def _take_status(self, line):
        parts = line.split(b" ", 2)
        version = parts[0]
        if len(parts) < 2 or not version.startswith(b"HTTP/1.") or not (len(parts[1]) == 3 and parts[1].isdigit()):
            self._break("what came is no answer of HTTP/1")
            return
        self._is_old = version == b"HTTP/1.0"
        self._keeps = not self._is_old
        self.status = int(parts[1])
        if not 100 <= self.status <= 599:
            self._break("status %d is none" % self.status)

    def _take_field(self, line):
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or line[:1] in (b" ", b"\t"):
            self._break("a line of the head is no field")
            return
        name = name.lower()
        if name not in _KEPT:
            return
        text = value.strip().decode("latin-1")
        name = name.decode()
        if name in self.fields:
            if name == "content-length" and self.fields[name] != text:
                self._break("the answer says two lengths")
                return
            if name in ("transfer-encoding", "connection"):
                text = self.fields[name] + "," + text
        self.fields[name] = text

    def _end_head(self):
        if 100 <= self.status < 200:
            self._interim += 1
            if self.status == 101 or self._interim > INTERIM_MOST:
                self._break("status %d was not asked for" % self.status)
            self.status = 0
            self.fields = {}
            return
        for word in self.fields.get("connection", "").lower().split(","):
            if word.strip() == "close":
                self._keeps = False
            elif word.strip() == "keep-alive" and self._is_old:
                self._keeps = True
        length = self.fields.get("content-length")
        coding = self.fields.get("transfer-encoding")
        if self.status == 204 or self.status == 304:
            self._finish(self._keeps)
        elif coding is not None:
            if length is not None or coding.strip().lower() != "chunked" or self._is_old:
                self._break("the answer's body cannot be told apart: Transfer-Encoding %s" % coding)
            self._part = _CHUNK_END
            self._left = -1
        elif length is not None:
            if not (length.isascii() and length.isdigit()) or len(length) > 9:
                self._break("the answer's length is no number")
                return
            self._left = int(length)
            self._part = _BODY
            if self._left == 0:
                self._finish(self._keeps)
        else:
            self._part = _TO_END

    def _take_body(self):
        piece = self._rest[: self._left]
        del self._rest[: self._left]
        self._left -= len(piece)
        self._keep(piece)
        if self._left == 0 and self.state == ASKED:
            if self._part == _BODY:
                self._finish(self._keeps)
            else:
                self._part = _CHUNK_END
            return True
        return False

    def _take_chunk(self, line):
        """Take the line in front of a chunk, or the empty one behind it."""
        self._head -= len(line)  # not part of the head
        if self._left == 0:
            self._left = -1
            if line:
                self._break("a chunk is longer than it says")
            return
        digits = line.partition(b";")[0].strip()
        if not 0 < len(digits) <= CHUNK_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
            self._break("the length of a chunk is no number")
            return
        self._left = int(digits, 16)
        self._part = _CHUNK if self._left else _TRAILER
        self._lines = 0 if self._left else self._lines
        self._passed += 64  # so that chunks of one byte come to an end as well

    def _keep(self, piece):
        self._passed += len(piece)
        if self._passed > PASSED_MOST:
            self._break("the answer is longer than %d octets" % PASSED_MOST)
        self.body += bytes(piece[: BODY_MOST - len(self.body)])

    def _finish(self, keeps):
        self.state = READY if keeps else OVER
        self._deadline.stop()

    def _break(self, why):
        self.state = BROKEN
        self.why = why
        self._deadline.stop()


# What an HTTP request says besides its body, and when an answer asks us to come again.

SHOWN_MOST = 120  # characters of an answer that are shown to people


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
        ends = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
        end = min(ends) if ends else len(rest)
        self.name, path = rest[:end], rest[end:]
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
