"""Finds whole MQTT control packets in a byte stream, and writes the headers of our own (MQTT 3.1.1, chapter 2).

    octet  0              1            ..5
           | type | flags | remaining length, 7 bits each, the lowest first | variable header, payload |

Rules
1. They may come split or joined in any way. A packet larger than the buffer is handed over cut short, and exactly its
   rest is thrown away.
2. A remaining length of more than four bytes loses the frame (2.2.3): the connection has to be closed.
3. Headers are written backwards, in front of what is there already.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.base.fifo import Fifo

PACKET_NEED_DATA = const(0)
PACKET_FOUND = const(1)
PACKET_CUT = const(2)  # `at` and `length` are of what is there
PACKET_BROKEN = const(-1)

CONNACK = const(0x20)  # first bytes: type and the flags that belong to it (2.2.2)
PUBLISH = const(0x30)
PUBACK = const(0x40)
SUBACK = const(0x90)
PINGRESP = const(0xD0)

DUP = const(8)
QOS_1 = const(2)
QOS_BITS = const(6)
RETAIN = const(1)

HEADER_MOST = const(5)  # of the fixed header
SIDE_BYTES = const(64)

_MORE = const(0x80)


class Packets(Fifo):
    """The receiving side of one connection; `first` is the packet's first byte, its variable header begins at `at`."""

    __slots__ = ("at", "first", "length")

    def __init__(self, size):
        Fifo.__init__(self, size, SIDE_BYTES)
        self.reset()

    def reset(self):
        """Begin a new connection."""
        self.clear()
        self.at = 0
        self.first = 0
        self.length = 0

    # inlet, room and receive are the Fifo's

    def next(self):
        """Find the next packet; its bytes stay where they are until more are read."""
        if self.skip:
            self.pass_over()
        if self.end - self.start < 2:
            return PACKET_NEED_DATA
        buf = self.buf
        at = self.start + 1
        length = 0
        unit = 1
        while True:
            if at == self.end:
                return PACKET_NEED_DATA
            octet = buf[at]
            at += 1
            length += (octet & 0x7F) * unit
            if octet < _MORE:
                break
            if unit == 2097152:
                self.clear()
                return PACKET_BROKEN
            unit *= 128
        return self._take(at, length)

    def _take(self, at, length):
        """Find the rest of the packet whose fixed header ends before `at`."""
        head = at - self.start
        have = self.end - at
        self.first = self.buf[self.start]
        if head + length > self.size:
            if self.end - self.start < self.size:
                return PACKET_NEED_DATA
            self.at = at
            self.length = have
            self.skip = length - have
            self.start = self.end
            return PACKET_CUT
        if have < length:
            return PACKET_NEED_DATA
        self.at = at
        self.length = length
        self.start = at + length
        return PACKET_FOUND


def put_front(buf, start, topic, ident):
    """Write the header of a PUBLISH with QoS 1 in front of the payload buf[start:]; `put_fixed` completes it."""
    start -= 2
    put_u16(buf, start, ident)
    n = len(topic)
    start -= n
    copy(buf, start, topic, 0, n)
    start -= 2
    put_u16(buf, start, n)
    return start


def put_fixed(buf, start, first, length):
    """Write the fixed header of a packet of `length` bytes in front of buf[start:]; return where it begins."""
    octets = 1
    rest = length >> 7
    while rest:
        rest >>= 7
        octets += 1
    start -= octets
    at = start
    while octets:
        octets -= 1
        buf[at] = length & 0x7F | (_MORE if octets else 0)
        length >>= 7
        at += 1
    start -= 1
    buf[start] = first
    return start


def put_u16(buf, at, value):
    """Write a number as two bytes, the high one first (1.5.2)."""
    buf[at] = value >> 8
    buf[at + 1] = value & 0xFF


def u16(buf, at):
    """Return the number in two bytes."""
    return buf[at] << 8 | buf[at + 1]


def front_bytes(topic):
    """Return how many bytes are in front of the payload of a PUBLISH on this topic, at most."""
    return HEADER_MOST + 2 + len(topic) + 2


def connect_packet(client, user, password, keepalive_s, will_topic, will, retain=RETAIN):
    """Return a CONNECT with a clean session (3.1); texts are bytes, empty for none. The will has QoS 1."""
    flags = 0x02
    if will_topic:
        flags |= 0x04 | 0x08 | (0x20 if retain else 0)  # 3.1.2.5, 3.1.2.6, 3.1.2.7
    if user:
        flags |= 0x80
        if password:
            flags |= 0x40  # never without a user [MQTT-3.1.2-22]
    body = b"\x00\x04MQTT\x04" + bytes([flags, keepalive_s >> 8, keepalive_s & 0xFF]) + _text(client)
    if will_topic:
        body += _text(will_topic) + _text(will)
    if user:
        body += _text(user)
        if password:
            body += _text(password)
    return _packet(0x10, body)


def subscribe_packet(ident, topic):
    """Return a SUBSCRIBE to one topic with QoS 1 (3.8)."""
    return _packet(0x82, bytes([ident >> 8, ident & 0xFF]) + _text(topic) + b"\x01")


def _packet(first, body):
    buf = bytearray(HEADER_MOST) + body
    return bytes(buf[put_fixed(buf, HEADER_MOST, first, len(body)) :])


def _text(octets):
    return bytes([len(octets) >> 8, len(octets) & 0xFF]) + octets
