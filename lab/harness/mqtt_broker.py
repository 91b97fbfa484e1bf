"""A simulated MQTT broker and the consumer behind it, written from the OASIS text and docs/outlets.md alone.

Rules
1. The broker has an endpoint for each connection (lab.harness.line). A breach of MQTT is a complaint.
2. The consumer stores records and its progress in one step, then publishes the receipt; what it has outlives
   the broker. Records that come twice or out of order are complaints: they would be in its database.
3. Faults: `forgets` (sends PUBACK and does nothing else), `queue_most` (drops the oldest message), `refuses` (a CONNACK
   code), `silent_acks` (no PUBACK), `silent_topic` (no PUBACK, and the message is dropped), `unacked` (by topic: the
   message is served, and its PUBACK names another identifier, or does not come), `closed_topic` (a message there ends
   the connection), `instead` (octets in place of a kind of packet, None for nothing), `payload_most`, `closes`,
   `allows_retained`; `restart` loses retained messages; a consumer may be `away`, or `restore` an older state.
"""

import json

from toolcart.agent.base.ticks import FOREVER

PORTABLE = True


class Broker:
    """One broker; `endpoint` makes the endpoint of a connection."""

    def __init__(self):
        self.retained = {}
        self.sessions = []
        self.consumers = []
        self.complaints = []
        self.published = 0
        self.alarms = []
        self.curves = []
        self.forgets = False
        self.refuses = 0
        self.silent_acks = False  # True, or of topics with this end
        self.silent_topic = self.closed_topic = None  # by its end
        self.unacked = {}  # by topic: how much the identifier in the PUBACK is off, 0: no PUBACK
        self.instead = {}  # by the kind of packet
        self.queue_most = 1000
        self.payload_most = 1 << 30  # octets; what is longer is acknowledged and dropped
        self.closes = False  # what is longer closes the connection
        self.allows_retained = True  # else a retained message closes it
        self.allows_retained_will = True

    def endpoint(self):
        session = BrokerSession(self)
        self.sessions.append(session)
        return session

    def publish(self, topic, payload, retain):
        """Deliver a message to all who subscribe to its topic."""
        self.published += 1
        if retain:
            self.retained[topic] = payload
        if self.forgets and not topic.endswith("/receipt"):
            return
        if topic.endswith("/alarms"):
            self.alarms.append(json.loads(payload))
        elif topic.endswith("/curves"):
            self.curves.append(json.loads(payload))
        for session in self.sessions:
            if topic in session.topics:
                session.deliver(topic, payload, False)
        for consumer in self.consumers:
            if topic.endswith("/results"):
                consumer.queue.append((topic, payload))
                if len(consumer.queue) > self.queue_most:
                    consumer.queue.pop(0)
                consumer.work()

    def restart(self):
        """Start again with nothing."""
        self.retained = {}
        for consumer in self.consumers:
            consumer.queue = []
        for session in list(self.sessions):
            session.will = None
            session.wants_close = True


class BrokerSession:
    """The broker's side of one connection."""

    def __init__(self, broker):
        self.broker = broker
        self.wants_close = False
        self.excused = False
        self.topics = ()
        self.will = None
        self.client = None
        self._in = b""
        self._out = b""
        self._is_known = False
        self._ident = 0
        self._unacked = ()

    def connected(self, now):
        pass

    def tick(self, now):
        return FOREVER

    def outgoing(self):
        octets = self._out
        self._out = b""
        return octets

    def disconnected(self, now):
        if self in self.broker.sessions:
            self.broker.sessions.remove(self)
            if self.will is not None:
                self.broker.publish(*self.will)

    def receive(self, octets, now):
        self._in += octets
        while not self.wants_close:
            packet = self._next()
            if packet is None:
                return
            self._take(packet[0], packet[1])

    def deliver(self, topic, payload, retain):
        """Send a message with QoS 1."""
        self._ident = self._ident % 65535 + 1
        self._unacked += (self._ident,)
        body = text(topic) + bytes((self._ident >> 8, self._ident & 255)) + payload
        self._send(0x33 if retain else 0x32, body)

    def _next(self):
        """Take the next packet from the input: first byte and body."""
        length = 0
        for at in range(1, min(5, len(self._in))):
            length |= (self._in[at] & 127) << 7 * (at - 1)
            if self._in[at] < 128:
                if len(self._in) < at + 1 + length:
                    return None
                packet = self._in[0], self._in[at + 1 : at + 1 + length]
                self._in = self._in[at + 1 + length :]
                return packet
        return None

    def _send(self, first, body):
        if first >> 4 in self.broker.instead:
            self._out += self.broker.instead[first >> 4] or b""
            return
        length, rest = b"", len(body)
        while True:
            octet, rest = rest & 127, rest >> 7
            length += bytes((octet | (128 if rest else 0),))
            if not rest:
                break
        self._out += bytes((first,)) + length + body

    def _complain(self, words):
        if not self.excused:
            self.broker.complaints.append(words)
        self.wants_close = True

    def _take(self, first, body):
        kind = first >> 4
        if not self._is_known:
            if first != 0x10:
                self._complain("something in front of CONNECT")
                return
            self._connect(body)
        elif kind == 3:
            self._publish(first, body)
        elif first == 0x82:
            topic = string(body, 2)
            self.topics = (topic,)
            self._send(0x90, body[:2] + b"\x01")
            if topic in self.broker.retained:
                self.deliver(topic, self.broker.retained[topic], True)
        elif first == 0x40:
            ident = body[0] << 8 | body[1]
            if ident not in self._unacked:
                self._complain("a PUBACK for nothing")
            self._unacked = tuple([one for one in self._unacked if one != ident])
        elif first == 0xC0 and not body:
            self._send(0xD0, b"")
        elif first == 0xE0 and not body:
            self.will = None
            self.wants_close = True
        else:
            self._complain("packet 0x%02x" % first)

    def _connect(self, body):
        if body[:7] != b"\x00\x04MQTT\x04" or not body[7] & 2:
            self._complain("a CONNECT of another version, or without a clean session")
            return
        self._is_known = True
        if body[7] & 32 and not self.broker.allows_retained_will:
            self.wants_close = True
            return
        self._send(0x20, bytes((0, self.broker.refuses)))
        if self.broker.refuses:
            self.wants_close = True
            return
        self.client = string(body, 10)
        for other in self.broker.sessions:
            if other is not self and other.client == self.client:
                other.wants_close = True  # 3.1.4-2
        at = 12 + len(self.client)
        if body[7] & 4:
            topic = string(body, at)
            at += 2 + len(topic)
            self.will = (topic, body[at + 2 : at + 2 + (body[at] << 8 | body[at + 1])], body[7] & 32 != 0)

    def _publish(self, first, body):
        topic = string(body, 0)
        at = 2 + len(topic)
        if first & 6 != 2 or not topic or "+" in topic or "#" in topic or body[at : at + 2] == b"\x00\x00":
            self._complain("a PUBLISH that may not be")
            return
        if first & 1 and not self.broker.allows_retained:
            self.wants_close = True
            return
        if self.broker.closed_topic and topic.endswith(self.broker.closed_topic):
            self.wants_close = True
            return
        if self.broker.silent_topic and topic.endswith(self.broker.silent_topic):
            return
        is_long = len(body) - at - 2 > self.broker.payload_most
        if is_long and self.broker.closes:
            self.wants_close = True
            return
        silent = self.broker.silent_acks
        off = self.broker.unacked.get(topic)
        if off:
            ident = (body[at] << 8 | body[at + 1]) + off
            self._send(0x40, bytes((ident >> 8 & 255, ident & 255)))
        elif off is None and silent is not True and not (silent and topic.endswith(silent)):
            self._send(0x40, body[at : at + 2])
        if not is_long:
            self.broker.publish(topic, body[at + 2 :], first & 1 != 0)


class Consumer:
    """Stores batches and answers with receipts."""

    def __init__(self, broker):
        self.broker = broker
        self.queue = []
        self.have = {}  # by topic and identity
        self.records = []  # (identity, number, record)
        self.away = False
        self.mute = False  # it stores, but its receipts are lost
        self.gaps = self.repeats = self.refused = 0
        broker.consumers.append(self)

    def work(self):
        """Process everything that waits."""
        while self.queue and not self.away:
            topic, payload = self.queue.pop(0)
            self._take(topic, payload)

    def restore(self, count):
        """Go back to the first records only, as from an old backup."""
        self.records = self.records[:count]
        for topic, identity in self.have:
            self.have[topic, identity] = max([0] + [one[1] for one in self.records if one[0] == identity])

    def _take(self, topic, payload):
        head, records, can_be = batch_of(payload)
        identity = head["identity"]
        key = (topic, identity)
        have = self.have.get(key, 0)
        if not can_be:
            self.refused += 1
            self.broker.complaints.append("a batch that cannot be: %s" % head)
            return
        if head["after"] > have and head.get("confirm") != "broker":
            self.gaps += 1
        elif head["last"] <= have:
            self.repeats += 1
        else:
            self.records += [(identity, record["number"], record) for record in records if record["number"] > have]
            self.have[key] = have = head["last"]
        self.confirm(topic, identity, have)

    def confirm(self, topic, identity, number):
        """Publish a receipt."""
        if not self.mute:
            receipt = {"identity": identity, "number": number}
            self.broker.publish(topic[: -len("results")] + "receipt", json.dumps(receipt).encode(), True)


def batch_of(payload):
    """Return the first line of a batch, its records, and whether it is what docs/outlets.md allows."""
    head, *records = [json.loads(line) for line in payload.decode().split("\n")[:-1]]
    numbers = [record["number"] for record in records]
    is_ascending = bool(numbers) and numbers == sorted(set(numbers)) and head["after"] < numbers[0]
    return head, records, is_ascending and head["count"] == len(records) and numbers[-1] <= head["last"]


def text(words):
    octets = words.encode()
    return bytes((len(octets) >> 8, len(octets) & 255)) + octets


def string(body, at):
    return body[at + 2 : at + 2 + (body[at] << 8 | body[at + 1])].decode()
