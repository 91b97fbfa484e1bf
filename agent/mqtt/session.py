"""A session with an MQTT 3.1.1 broker: connect, subscribe to one topic, publish with QoS 1, know what is acknowledged.

Sans I/O: `command()` says what the owner's port should do, the owner reports `opened` and `closed`, feeds `incoming`
(`inlet` and `receive` of toolcart.agent.base.fifo), asks `next_event` until EV_NONE, writes `pending` bytes of
`tx[tx_from:]`, reports `sent`, and calls `tick`. Numbers in brackets are clauses of the OASIS text.

Rules
1. Sessions are clean [3.1.2.4]: what is outstanding when a connection ends is forgotten; the owner publishes it again.
2. A PUBLISH is written in front of its payload, in place, and stays there until the port has all of it.
3. At most `window` PUBLISH are outstanding. Each carries the owner's tag; EV_ACKED gives them back in the order they
   went out, whatever the order of the PUBACKs.
4. What the broker publishes is small, or its payload is thrown away; QoS 1 is acknowledged either way, but where the
   topic alone is longer than the buffer: its identifier is out of reach then.
5. After the SUBACK a PINGREQ goes out: as a rule, what is retained has come when its answer comes.
6. A wait has a deadline: CONNACK, SUBACK, PINGRESP and the first PUBACK outstanding `ack_timeout_ms`, the connection
   itself CONNECT_TIMEOUT_MS; the SUBACK to `subscribe_again` has none. What breaks the rules of MQTT ends the
   connection [4.8.0-1].
7. `subscribe_again` sends SUBSCRIBE once more, for a broker that may have forgotten it. What is retained comes again
   then [3.8.4-3], with `is_retained`.
8. Between connects it waits 1, 2, 4 .. s up to `reconnect_ms`; from 1 s again once something was acknowledged that has
   a tag: what goes out with each connection has 0, and shows nothing.

                              .-------------------- without a topic: CONNACK --------------------v
    WAITING -> OPENING -> CONNECTING --CONNACK--> SUBSCRIBING --SUBACK--> SETTLING --PINGRESP--> UP --leave--> LEAVING
       ^__________|____________|_______________________|______________________|_________________|  any loss
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare
from toolcart.agent.base.ticks import FOREVER, Backoff, Timer
from toolcart.agent.mqtt import packets as mp
from toolcart.agent.mqtt.packets import Packets, put_fixed, put_front, put_u16, u16

RECEIPT_BYTES = const(160)  # of a message that is received whole, besides its topic
ACKS_MOST = const(8)  # PUBACKs of ours that wait for the port: then no more is looked at until one has room
CONNECT_TIMEOUT_MS = const(5000)
RETRY_LEAST_MS = const(1000)

STOPPED = const(0)
WAITING = const(1)
OPENING = const(2)
CONNECTING = const(3)
SUBSCRIBING = const(4)
SETTLING = const(5)
UP = const(6)
LEAVING = const(7)
STATE_NAMES = ("stopped", "closed", "opening", "connecting", "subscribing", "subscribed", "connected", "leaving")

CMD_NONE = const(0)
CMD_OPEN = const(1)
CMD_CLOSE = const(2)

_NO_PROTOCOL = const(1)  # a code of CONNACK (3.2.2.3); a broker of MQTT 5 alone has its own, in its own form
_NO_PROTOCOL_5 = const(0x84)

EV_NONE = const(0)
EV_UP = const(1)  # it takes messages now
EV_ACKED = const(2)  # PUBACK for the message with `tag`
EV_MESSAGE = const(3)  # incoming.buf[message_at:], `message_bytes` of it, 0 if too long, on the topic subscribed to
EV_REFUSED = const(4)  # CONNACK or SUBACK with `code`; the connection is closed
EV_LOST = const(5)  # the connection is gone
EV_SILENT = const(6)  # a deadline has passed in `lost_in`; the connection is closed
EV_MALFORMED = const(7)  # what came is not MQTT, or breaks its rules; the connection is closed
EV_SKIPPED = const(8)  # a message on another topic
EV_FOREIGN = const(9)  # a PUBACK for nothing that is out
EV_UNRETAINED = const(10)  # for its owner: EV_LOST, where the broker may have refused what is retained
EV_TAKES_NONE = const(11)  # for its owner: EV_LOST once more while results were out

NOT_SUBSCRIBED = const(0x80)  # 3.9.3

_SUBSCRIBE_ID = const(1)  # nothing else is out then
_PING = b"\xc0\x00"
_DISCONNECT = b"\xe0\x00"
_IDENT_MOST = const(65535)


class Window:
    """The messages that have no PUBACK, in their order: packet identifier and the owner's tag of each."""

    __slots__ = ("_first", "_idents", "_tags", "count", "ident", "width")

    def __init__(self, width):
        self.width = width
        self.count = 0
        self.ident = _SUBSCRIBE_ID  # that was used last
        self._idents = [0] * width  # 0: acknowledged, but not the first
        self._tags = [0] * width
        self._first = 0  # its place

    def clear(self):
        """Forget all of them."""
        self.count = 0
        for place in range(self.width):
            self._idents[place] = 0

    def put(self, tag):
        """Add a message; return its identifier, which is not in use and never 0 [2.3.1-1]."""
        while True:
            self.ident = self.ident + 1 if self.ident < _IDENT_MOST else 1
            if self.ident not in self._idents:
                break
        place = self._first + self.count
        if place >= self.width:
            place -= self.width
        self._idents[place] = self.ident
        self._tags[place] = tag
        self.count += 1
        return self.ident

    def acknowledge(self, ident, has_last):
        """The broker has the message of this identifier; False if there is none. The last one counts if `has_last`."""
        place = self._first
        left = self.count
        while left and ident:
            if self._idents[place] == ident:
                if left > 1 or has_last:
                    self._idents[place] = 0
                    return True
                return False
            left -= 1
            place = place + 1 if place + 1 < self.width else 0
        return False

    def has_acked(self):
        """True if the first one is acknowledged."""
        return self.count > 0 and self._idents[self._first] == 0

    def pop(self):
        """Remove the first one; return its tag."""
        tag = self._tags[self._first]
        self._first = self._first + 1 if self._first + 1 < self.width else 0
        self.count -= 1
        return tag


class PendingAcks:
    """The identifiers of what the broker published and we have to acknowledge, ACKS_MOST at most."""

    __slots__ = ("_idents", "_packet", "count")

    def __init__(self):
        self.count = 0
        self._idents = [0] * ACKS_MOST
        self._packet = bytearray(b"\x40\x02\x00\x00")

    def put(self, ident):
        """Owe one more."""
        self._idents[self.count] = ident
        self.count += 1

    def next(self):
        """Return the PUBACK for the first, and owe it no longer."""
        self.count -= 1
        put_u16(self._packet, 2, self._idents[0])
        for index in range(self.count):
            self._idents[index] = self._idents[index + 1]
        return self._packet


class Session:
    """One client of one broker. `connect` and `subscribe` are whole packets, `topic` is what is subscribed to.

    A message of up to `receipt_bytes` is received whole, besides its topic.
    """

    def __init__(
        self,
        connect,
        subscribe,
        topic,
        window,
        keepalive_ms,
        ack_timeout_ms,
        reconnect_ms,
        receipt_bytes=RECEIPT_BYTES,
    ):
        self.topic = topic
        self.window = Window(window)
        self.keepalive_ms = keepalive_ms
        self.ack_timeout_ms = ack_timeout_ms
        self.incoming = Packets(mp.front_bytes(topic) + receipt_bytes)
        self.tx = _PING
        self.tx_from = 0
        self.pending = 0
        self.state = STOPPED
        self.lost_in = STOPPED
        self.code = 0
        self.tag = 0  # of EV_ACKED; of the first that had no PUBACK when the connection ended, 0 if none was out
        self.message_at = 0
        self.message_bytes = 0
        self.is_retained = False  # the message was kept by the broker, for whoever subscribes
        self._connect = connect
        self._subscribe = subscribe
        self._acks = PendingAcks()
        self._is_publishing = False  # tx is a message of the owner's
        self._wait = Timer()  # for whatever the state waits for; UP: for the first PUBACK
        self._ping = Timer()  # for the PINGRESP
        self._keepalive_timer = Timer()  # until a PINGREQ is due
        self._retry = Backoff(RETRY_LEAST_MS, reconnect_ms)
        self._wants_ping = False
        self._wants_subscribe = False
        self._is_subscribing = False  # once more
        self._is_held = False  # what has come was not looked at to its end, for want of room for a PUBACK
        self.commanded = CMD_NONE  # what `command` will return

    # -- the owner's calls -------------------------------------------------------------------------------------

    def start(self, now):
        """Connect at once."""
        self.state = WAITING
        self._wait.start(now, 0)

    def connect_now(self, now):
        """Make the next attempt now instead of waiting for it."""
        if self.state == WAITING:
            self._wait.start(now, 0)

    def stop(self):
        """Close and stay closed."""
        self._forget()
        self.state = STOPPED
        self.commanded = CMD_CLOSE

    def leave(self):
        """Send DISCONNECT after what is being written, so that the broker forgets the will [3.14.4]; then close."""
        if self.state == UP:
            self.state = LEAVING

    def command(self):
        """Return what the port has to do now, once: CMD_."""
        command = self.commanded
        self.commanded = CMD_NONE
        return command

    def opened(self, now):
        """The connection asked for is open."""
        if self.state == OPENING:
            self.incoming.reset()
            self.state = CONNECTING
            self._send(self._connect)
            self._wait.start(now, self.ack_timeout_ms)

    def closed(self, now):
        """The connection failed, or was closed by the other side."""
        if self.state <= WAITING:
            return EV_NONE
        return self._lose(EV_LOST, now)

    def can_send(self):
        """True if a message may be published."""
        return self.state == UP and self.pending == 0 and self.window.count < self.window.width

    def publish(self, buf, start, end, topic, flags, tag, now):
        """Publish buf[start:end] with QoS 1; its header is written in front of it, `packets.front_bytes` at most.

        `flags`: DUP where it was sent before, RETAIN. The buffer is the session's until `pending` is 0.
        """
        if self.window.count == 0:
            self._wait.start(now, self.ack_timeout_ms)
        at = put_front(buf, start, topic, self.window.put(tag))
        self.tx_from = put_fixed(buf, at, mp.PUBLISH | mp.QOS_1 | flags, end - at)
        self.tx = buf
        self.pending = end - self.tx_from
        self._is_publishing = True

    def subscribe_again(self):
        """Send SUBSCRIBE once more as soon as no message is out, whose identifier may be the same."""
        self._wants_subscribe = self.state == UP and bool(self.topic)

    def sent(self, n, now):
        """The port took n bytes; True if `tick` has to be called again for that."""
        self.tx_from += n
        self.pending -= n
        if self.pending:
            return False
        self._is_publishing = False
        self._keepalive_timer.start(now, self.keepalive_ms)
        if self.tx is _DISCONNECT:
            self.stop()
        return True

    # -- events and time ---------------------------------------------------------------------------------------

    def is_due(self, now):
        """True if `next_event` has something to do although nothing came."""
        if self._is_held and self._acks.count < ACKS_MOST:
            return True
        return self._wait.expired(now) or self._ping.expired(now) or self.window.has_acked()

    def next_event(self, now):
        """Return the next EV_; EV_NONE when there is nothing to do until input or time comes."""
        if self.window.has_acked():
            return self._pop(now)
        incoming = self.incoming
        self._is_held = False
        while self.state >= CONNECTING:
            if self._acks.count == ACKS_MOST:
                self._is_held = True
                break
            kind = incoming.next()
            if kind == mp.PACKET_NEED_DATA:
                break
            if kind == mp.PACKET_BROKEN:
                return self._lose(EV_MALFORMED, now)
            event = self._take(kind == mp.PACKET_CUT, now)
            if event != EV_NONE:
                return event
        return self._check_timers(now)

    def tick(self, now, left=FOREVER):
        """Send what is due; return `left`, or the ms until something may be due again if that is less."""
        if self.pending == 0 and self.state >= CONNECTING:
            if self._acks.count:
                self._send(self._acks.next())
            elif self._wants_ping or (self.state == UP and self._keepalive_timer.expired(now)):
                self._wants_ping = False
                self._keepalive_timer.stop()
                self._send(_PING)
                if not self._ping.armed:
                    self._ping.start(now, self.ack_timeout_ms)
            elif self.state == LEAVING and self.tx is not _DISCONNECT:
                self._send(_DISCONNECT)
            elif self._wants_subscribe and self.window.count == 0:
                self._wants_subscribe = False
                self._is_subscribing = True
                self._send(self._subscribe)
        if self._is_held and self._acks.count < ACKS_MOST:
            return 0
        left = self._wait.least(now, left)
        left = self._ping.least(now, left)
        return self._keepalive_timer.least(now, left) if self.state == UP and self.pending == 0 else left

    # -- what goes out -----------------------------------------------------------------------------------------

    def _send(self, octets):
        self.tx = octets
        self.tx_from = 0
        self.pending = len(octets)

    # -- what comes in -----------------------------------------------------------------------------------------

    def _take(self, is_cut, now):
        incoming = self.incoming
        first = incoming.first
        state = self.state
        if state == CONNECTING:
            if first != mp.CONNACK or is_cut:
                return self._lose(EV_MALFORMED, now)  # [3.2.0-1]
            return self._connected(now)
        if first & 0xF0 == mp.PUBLISH:
            return self._message(is_cut, now)
        if is_cut:
            return self._lose(EV_MALFORMED, now)
        if first == mp.PUBACK and incoming.length == 2:
            return self._acknowledged(now)
        if first == mp.SUBACK and (state == SUBSCRIBING or self._is_subscribing) and incoming.length == 3:
            return self._subscribed(now)
        if first == mp.PINGRESP and incoming.length == 0:
            self._ping.stop()
            if state == SETTLING:
                return self._is_up(now)
            return EV_NONE
        return self._lose(EV_MALFORMED, now)

    def _connected(self, now):
        """Take a CONNACK (3.2); whether the broker had a session does not matter, ours is clean."""
        incoming = self.incoming
        octets = incoming.length
        code = incoming.buf[incoming.at + 1] if octets > 1 else 0
        if octets > 2 and code == _NO_PROTOCOL_5:
            code = _NO_PROTOCOL
        elif octets != 2 or incoming.buf[incoming.at] > 1:
            return self._lose(EV_MALFORMED, now)
        if code:
            self.code = code
            return self._lose(EV_REFUSED, now)
        if not self.topic:
            return self._is_up(now)
        self.state = SUBSCRIBING
        self._send(self._subscribe)
        self._wait.start(now, self.ack_timeout_ms)
        return EV_NONE

    def _subscribed(self, now):
        incoming = self.incoming
        code = incoming.buf[incoming.at + 2]
        if u16(incoming.buf, incoming.at) != _SUBSCRIBE_ID or 2 < code != NOT_SUBSCRIBED:
            return self._lose(EV_MALFORMED, now)
        if code == NOT_SUBSCRIBED:
            self.code = code
            return self._lose(EV_REFUSED, now)
        if self._is_subscribing:
            self._is_subscribing = False
            return EV_NONE
        self.state = SETTLING
        self._wait.stop()
        self._wants_ping = True
        return EV_NONE

    def _is_up(self, now):
        self.state = UP
        self._wait.stop()
        self._keepalive_timer.start(now, self.keepalive_ms)
        return EV_UP

    def _message(self, is_cut, now):
        """Take a PUBLISH (3.3): acknowledge it; it is an event, without its payload if that is cut."""
        incoming = self.incoming
        first = incoming.first
        buf = incoming.buf
        at = incoming.at
        end = at + incoming.length
        qos = first & mp.QOS_BITS
        if qos > mp.QOS_1:  # 3 does not exist [3.3.1-4], and 2 is more than was asked for
            return self._lose(EV_MALFORMED, now)
        topic_bytes = u16(buf, at) if incoming.length >= 2 else 0
        begin = at + 2 + topic_bytes
        payload = begin + 2 if qos else begin
        if topic_bytes == 0 or payload > end:
            # A topic longer than the buffer cannot be ours, and its identifier is out of reach.
            return EV_SKIPPED if is_cut and topic_bytes else self._lose(EV_MALFORMED, now)  # [4.7.3-1]
        if qos:
            ident = u16(buf, begin)
            if ident == 0:
                return self._lose(EV_MALFORMED, now)  # [2.3.1-1]
            self._acks.put(ident)
        topic = self.topic
        if topic_bytes != len(topic) or compare(buf, at + 2, topic, 0, topic_bytes):
            return EV_SKIPPED
        self.message_at = payload
        payload_bytes = end - payload
        is_too_long = is_cut or payload_bytes > incoming.size - mp.front_bytes(topic)
        self.message_bytes = 0 if is_too_long else payload_bytes
        self.is_retained = first & mp.RETAIN != 0
        return EV_MESSAGE

    def _acknowledged(self, now):
        """Take a PUBACK (3.4)."""
        incoming = self.incoming
        window = self.window
        # The broker cannot have what has not gone out.
        if not window.acknowledge(u16(incoming.buf, incoming.at), not self._is_publishing):
            return EV_FOREIGN
        return self._pop(now) if window.has_acked() else EV_NONE

    def _pop(self, now):
        """The first outstanding message is acknowledged."""
        self.tag = self.window.pop()
        if self.tag:
            self._retry.reset()
        if self.window.count:
            self._wait.start(now, self.ack_timeout_ms)
        else:
            self._wait.stop()
        return EV_ACKED

    # -- time and loss -----------------------------------------------------------------------------------------

    def _check_timers(self, now):
        if self._ping.expired(now):
            return self._lose(EV_SILENT, now)
        if not self._wait.expired(now):
            return EV_NONE
        if self.state == WAITING:
            self.state = OPENING
            self.commanded = CMD_OPEN
            self._wait.start(now, CONNECT_TIMEOUT_MS)
            return EV_NONE
        return self._lose(EV_SILENT, now)

    def _lose(self, event, now):
        self.lost_in = self.state
        self.tag = self.window.pop() if self.window.count else 0
        self._forget()
        self.commanded = CMD_CLOSE
        if self.lost_in == LEAVING:
            self.state = STOPPED
            return event
        self.state = WAITING
        self._wait.start(now, self._retry.next())
        return event

    def _forget(self):
        """Forget what is outstanding."""
        self.pending = self._acks.count = 0
        self.window.clear()
        self._is_publishing = self._wants_ping = self._wants_subscribe = self._is_subscribing = False
        self._is_held = False
        self._wait.stop()
        self._ping.stop()
        self._keepalive_timer.stop()
