"""The telegrams of ToolsNet Open Protocol 3.4: found in a stream, written into and read from fixed buffers.

(protocol.md 8.1, 9.1; TN 5.1.)

    octet  0     4    6      11
           | len | id | ident| ...          `len` counts what follows it; everything is ASCII; no terminator

Offsets here count from 0 at the length field. Every writer returns the number of bytes to send, length field included.

Rules for finding them (TN 5.1)
1. They may come split or joined in any way. The answers we wait for have at most 41 bytes; a telegram longer than the
   buffer is skipped unread.
2. A length that is not a number above 0 loses the frame: the connection has to be closed.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, copy, fill, number, put_number
from toolcart.agent.base.fifo import Fifo

ID_RESULT = const(4)
ID_ACKNOWLEDGE = const(5)
ID_KEEPALIVE = const(6)
ID_INFO_REQUEST = const(7)
ID_INFO = const(8)
ID_EVENT_ACKNOWLEDGE = const(10)
ID_VERIFICATION = const(12)

LENGTH_BYTES = const(4)
BODY = const(4)  # byte 1 of the documents' tables
ADDRESS = const(21)  # of the 08: 15 characters
ADDRESS_BYTES = const(15)
IDENT_MAX = const(99999)
IDENTS = const(100000)
SEQUENCES = const(99999)  # of results and of events: 1..99999, 0 means nothing (protocol.md 8.4)
NO_CODE = const(-1)

ACKNOWLEDGE_BYTES = const(24)
_INFO_BYTES = const(37)

FRAME_NEED_DATA = const(0)
FRAME_FOUND = const(1)
FRAME_TOO_LARGE = const(2)
FRAME_BROKEN = const(-1)

BUFFER_BYTES = const(128)
SIDE_BYTES = const(32)


class Frames(Fifo):
    """The receiving side of one connection; `at` and `length` (without the length field) are the telegram found."""

    __slots__ = ("at", "length")

    def __init__(self):
        Fifo.__init__(self, BUFFER_BYTES, SIDE_BYTES)
        self.reset()

    def reset(self):
        """Begin a new connection."""
        self.clear()
        self.at = 0
        self.length = 0

    # inlet, room and receive are the Fifo's

    def next(self):
        """Find the next telegram; its bytes stay where they are until more are read."""
        if self.skip:
            self.pass_over()
        start = self.start
        have = self.end - start
        if have < 4:
            return FRAME_NEED_DATA
        length = number(self.buf, start, 4)
        if length < 1:
            self.clear()
            return FRAME_BROKEN
        if length + 4 > BUFFER_BYTES:
            self.skip = length + 4
            return FRAME_TOO_LARGE
        if have < length + 4:
            return FRAME_NEED_DATA
        self.at = start
        self.length = length
        self.start = start + length + 4
        return FRAME_FOUND


def begin(tx, telegram, ident):
    """Write the identification and the identifier after the length field; `finish` completes the telegram."""
    put_number(tx, 4, 2, telegram)
    put_number(tx, 6, 5, ident)


def finish(tx, end):
    """Write the length field of a telegram that ends before byte `end`; return `end`."""
    put_number(tx, 0, 4, end - LENGTH_BYTES)
    return end


def put_keepalive(tx, ident):
    """Write telegram 06 (TN 5.10)."""
    begin(tx, ID_KEEPALIVE, ident)
    return finish(tx, 11)


def put_info_request(tx, ident, system_type, system, station):
    """Write telegram 07 (TN 5.8)."""
    begin(tx, ID_INFO_REQUEST, ident)
    put_number(tx, 11, 4, system_type)
    put_number(tx, 15, 4, system)
    put_number(tx, 19, 4, station)
    return finish(tx, 23)


def put_acknowledge(tx, ident, stamp):
    """Write telegram 05 with code 000 for the PIM's 12; `stamp` is 14 digits, yyyymmddhhnnss (TN 5.6)."""
    begin(tx, ID_ACKNOWLEDGE, ident)
    copy(tx, 11, stamp, 0, 14)
    fill(tx, 25, 3, 0x30)
    return finish(tx, 28)


def head_of(buf, at, length):
    """Return telegram number * IDENTS + identifier, or a negative number if either is not a number."""
    if length < 7:
        return -1
    head = number(buf, at + 4, 7)
    if head >= 0:
        return head
    kind, ident = number(buf, at + 4, 2), _padded(buf, at + 6, 5)
    return kind * IDENTS + ident if kind >= 0 and ident >= 0 else BAD


def _padded(buf, at, n):
    """Return the number at buf[at:at+n], which may have blanks on either side; negative if it is none."""
    plain = number(buf, at, n)
    if plain >= 0:
        return plain
    end = at + n
    while at < end and buf[at] == 0x20:
        at += 1
    while at < end and buf[end - 1] == 0x20:
        end -= 1
    return number(buf, at, end - at) if at < end else BAD


def code_of(buf, at, length):
    """Return the error code of a 05, 0 for success; NO_CODE if it cannot be read."""
    if length < ACKNOWLEDGE_BYTES:
        return NO_CODE
    code = _padded(buf, at + 25, 3)
    return code if code >= 0 else NO_CODE


def is_info(length):
    """True if an 08 is long enough to hold all its fields."""
    return length >= _INFO_BYTES


def sequence_at(place):
    """Return the sequence, 1..99999, of a place in a row that wraps around (protocol.md 8.4)."""
    return (place - 1) % SEQUENCES + 1


def result_sequence_of(buf, at):
    """Return from an 08 the sequence of the latest result stored; negative if it is not a number (TN 5.9)."""
    return _padded(buf, at + 11, 5)


def event_sequence_of(buf, at):
    """Return from an 08 the sequence of the latest event stored; negative if it is not a number."""
    return _padded(buf, at + 16, 5)


def port_of(buf, at):
    """Return from an 08 the server's port: digits with blanks on either side; 0 if there is none, -1: it cannot be."""
    value = 0
    ended = False
    for index in range(at + 36, at + 41):
        octet = buf[index]
        if octet == 0x20 or octet == 0:
            ended = value > 0
        elif 0x30 <= octet <= 0x39 and not ended:
            value = value * 10 + octet - 0x30
        else:
            return -1
    return value if value < 65536 else -1
