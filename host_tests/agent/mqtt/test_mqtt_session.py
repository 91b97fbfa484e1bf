"""MQTT against a broker of octets: packets, the session by clause (OASIS 3.1.1), every split, a fuzz, no allocation."""

from toolcart.agent.mqtt import packets as mp
from toolcart.agent.mqtt import session as ms
from toolcart.agent.mqtt.packets import connect_packet, subscribe_packet
from host_tests.support.fifo import given
from host_tests.support.heap import allocated, heap_tools

PORTABLE = True
HEAP = "1m"

# A CONNACK, a PUBACK, a PUBLISH of 5 octets with QoS 1 retained, a SUBACK, a PINGRESP.
STREAM = b"\x20\x02\x00\x00\x40\x02\x12\x34\x33\x0a\x00\x01r\x00\x07hello\x90\x03\x00\x01\x01\xd0\x00"
PACKETS = [
    (mp.PACKET_FOUND, 0x20, b"\x00\x00"),
    (mp.PACKET_FOUND, 0x40, b"\x12\x34"),
    (mp.PACKET_FOUND, 0x33, b"\x00\x01r\x00\x07hello"),
    (mp.PACKET_FOUND, 0x90, b"\x00\x01\x01"),
    (mp.PACKET_FOUND, 0xD0, b""),
]


def read(packets, pieces):
    """Feed the pieces; return what was found, and whether the frame was lost."""
    packets_read = []
    for piece in pieces:
        for code in given(packets, piece, packets.next, mp.PACKET_NEED_DATA):
            if code == mp.PACKET_BROKEN:
                return packets_read, True
            packets_read.append((code, packets.first, bytes(packets.buf[packets.at : packets.at + packets.length])))
    return packets_read, False


def test_packets_are_found_at_every_split():
    for first in range(len(STREAM) + 1):
        for second in range(first, len(STREAM) + 1):
            packets = mp.Packets(32)
            pieces = (STREAM[:first], STREAM[first:second], STREAM[second:])
            assert read(packets, pieces) == (PACKETS, False), (first, second)
    assert read(mp.Packets(32), [STREAM[at : at + 1] for at in range(len(STREAM))]) == (PACKETS, False)


def test_packet_larger_than_buffer_is_cut_short_and_its_rest_thrown_away():
    for octets in (31, 100, 127, 128, 200, 16383, 16384):
        body = bytes([octet & 0xFF for octet in range(octets)])
        head = bytes([octets]) if octets < 128 else bytes([octets & 127 | 128, octets >> 7])
        if octets >= 16384:
            head = bytes([octets & 127 | 128, octets >> 7 & 127 | 128, octets >> 14])
        stream = STREAM[:4] + b"\x32" + head + body + STREAM
        for split in (1 if octets < 500 else 5000, 700, len(stream)):
            packets, broken = read(mp.Packets(32), [stream[at : at + split] for at in range(0, len(stream), split)])
            assert not broken and packets[0] == PACKETS[0] and packets[2:] == PACKETS
            code, first, kept = packets[1]
            assert (code, first) == (mp.PACKET_CUT, 0x32) and kept == body[: 32 - 1 - len(head)]


def test_a_remaining_length_of_five_octets_loses_the_frame():
    found, broken = read(mp.Packets(32), [STREAM + b"\x30\x80\x80\x80\x80\x01"])
    assert found == PACKETS and broken
    for octets in range(1, 4):  # 2.2.3, table 2.4: the longest of each length
        packets = mp.Packets(32)
        found, broken = read(packets, [b"\x30" + b"\xff" * octets + b"\x7f" + bytes(40)])
        assert not broken and found[0][0] == mp.PACKET_CUT


def test_random_octets_never_stick_in_packets():
    seed = 7
    for size in (16, 33):
        packets = mp.Packets(size)
        for _ in range(3000):
            piece = bytearray()
            for _ in range(1 + seed % 40):
                seed = seed * 1103 % 1048573
                piece.append(seed & 0xFF if seed % 3 else seed & 0x7F)
            if read(packets, [bytes(piece)])[1]:
                packets.reset()


def test_headers_are_written_in_front_of_what_is_there():
    buf = bytearray(20) + b"hello"
    start = mp.put_front(buf, 20, b"a/b", 0x1234)
    start = mp.put_fixed(buf, start, mp.PUBLISH | mp.QOS_1 | mp.DUP, len(buf) - start)
    assert bytes(buf[start:]) == b"\x3a\x0c\x00\x03a/b\x12\x34hello"
    assert 20 - start <= mp.front_bytes(b"a/b")
    for length, octets in ((0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (16383, b"\xff\x7f")):
        at = mp.put_fixed(buf, 20, 0x30, length)
        assert bytes(buf[at:20]) == b"\x30" + octets
    for length, octets in (
        (16384, b"\x80\x80\x01"),
        (2097151, b"\xff\xff\x7f"),
        (2097152, b"\x80\x80\x80\x01"),
        (268435455, b"\xff\xff\xff\x7f"),
    ):
        at = mp.put_fixed(buf, 20, 0x30, length)
        assert bytes(buf[at:20]) == b"\x30" + octets


def test_connect_and_subscribe_are_as_the_document_draws_them():
    plain = mp.connect_packet(b"cart", b"", b"", 60, b"", b"")
    assert plain == b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04cart"  # 3.1
    whole = mp.connect_packet(b"cart", b"user", b"pass", 600, b"s", b"gone")
    # user, password, will retain, will QoS 1, will flag, clean session: 3.1.2.3
    assert whole == b"\x10\x25\x00\x04MQTT\x04\xee\x02\x58\x00\x04cart\x00\x01s\x00\x04gone\x00\x04user\x00\x04pass"
    assert mp.connect_packet(b"c", b"", b"pass", 1, b"", b"")[9] == 0x02  # no password without a user
    assert mp.subscribe_packet(1, b"a/b") == b"\x82\x08\x00\x01\x00\x03a/b\x01"  # 3.8.3


TOPIC = b"b/receipt"
CONNECT = connect_packet(b"cart", b"", b"", 60, b"b/state", b"gone")
SUBSCRIBE = subscribe_packet(1, TOPIC)
ROOM = 64
NAMES = ("none", "up", "acked", "message", "refused", "lost", "silent", "malformed", "skipped", "foreign")


def message(payload, topic=TOPIC, ident=7, first=0x32):
    body = bytes([0, len(topic)]) + topic + (bytes([ident >> 8, ident & 255]) if first & 6 else b"") + payload
    buf = bytearray(mp.HEADER_MOST) + body
    return bytes(buf[mp.put_fixed(buf, mp.HEADER_MOST, first, len(body)) :])


class Wire:
    """The owner of a session, whose port takes everything at once."""

    def __init__(self, topic=TOPIC, window=3, connected=True):
        self.session = ms.Session(CONNECT, SUBSCRIBE, topic, window, 30000, 5000, 60000)
        self.now = 1000
        self.sent = b""
        self.events = []
        self.buf = bytearray(b" " * ROOM + b"payload")
        self.session.start(self.now)
        if connected:
            self.connect()

    def connect(self):
        self.turn()
        assert self.session.command() == ms.CMD_OPEN and self.session.state == ms.OPENING
        self.session.opened(self.now)
        self.turn()

    def up(self):
        self.receive(b"\x20\x02\x00\x00")
        self.receive(b"\x90\x03\x00\x01\x01")
        self.receive(b"\xd0\x00")
        assert self.session.state == ms.UP
        self.sent = b""
        self.events = []
        return self

    def receive(self, octets):
        incoming = self.session.incoming
        while octets and self.session.state >= ms.CONNECTING:
            inlet = incoming.inlet()
            n = min(incoming.free, len(octets))
            assert n, "nothing is taken any more"
            for index in range(n):
                inlet[index] = octets[index]
            incoming.receive(n)
            octets = octets[n:]
            self.turn()

    def turn(self):
        session = self.session
        while True:
            event = session.next_event(self.now)
            if event == ms.EV_MESSAGE:
                at = session.message_at
                self.events.append(bytes(session.incoming.buf[at : at + session.message_bytes]))
            elif event == ms.EV_ACKED:
                self.events.append(session.tag)
            elif event:
                self.events.append(NAMES[event])
            left = session.tick(self.now)
            if not session.pending and event == ms.EV_NONE:
                return left
            self.write()

    def write(self):
        session = self.session
        while session.pending:
            self.sent += bytes(session.tx[session.tx_from : session.tx_from + session.pending])
            session.sent(session.pending, self.now)

    def publish(self, tag, flags=0):
        assert self.session.can_send()
        self.session.publish(self.buf, ROOM, ROOM + 7, b"b/results", flags, tag, self.now)
        self.write()

    def later(self, ms_):
        while ms_ > 0:
            left = min(max(self.turn(), 1), ms_)
            self.now += left
            ms_ -= left
        self.turn()


def test_without_a_topic_it_is_up_after_the_connack():
    wire = Wire(topic=b"")
    wire.receive(b"\x20\x02\x00\x00")
    assert wire.sent == CONNECT and wire.events == ["up"]


def test_the_broker_may_split_what_it_says_anywhere():
    script = b"\x20\x02\x01\x00\x90\x03\x00\x01\x00" + message(b"one") + b"\xd0\x00" + message(b"two", first=0x30)
    expected = None
    for split in range(len(script) + 1):
        wire = Wire()
        wire.receive(script[:split])
        wire.receive(script[split:])
        outcome = (wire.events, len(wire.sent))  # whether PINGREQ or PUBACK goes first depends on it
        expected = expected or outcome
        assert outcome == expected, split
    assert expected[0] == [b"one", "up", b"two"]


def test_a_broker_of_mqtt_5_alone_says_in_its_own_form_that_it_does_not_speak_ours():
    for answer in (b"\x20\x03\x00\x84\x00", b"\x20\x08\x00\x84\x05\x1f\x00\x02no"):
        wire = Wire()
        wire.receive(answer)
        assert wire.session.code == 1 and wire.session.state == ms.WAITING


def test_a_refusal_ends_the_connection_and_says_why():
    for code in (1, 2, 3, 4, 5, 6, 255):  # 3.2.2.3
        wire = Wire()
        wire.receive(bytes([0x20, 2, 0, code]))
        assert wire.events == ["refused"] and wire.session.code == code and wire.session.lost_in == ms.CONNECTING
        assert wire.session.command() == ms.CMD_CLOSE and wire.session.state == ms.WAITING
    wire = Wire()
    wire.receive(b"\x20\x02\x00\x00\x90\x03\x00\x01\x80")  # 3.9.3
    assert wire.events == ["refused"] and wire.session.code == ms.NOT_SUBSCRIBED


def test_pauses_double_until_something_is_acknowledged():
    wire = Wire(connected=False)
    pauses = []
    for _ in range(9):
        wire.connect()
        wire.session.closed(wire.now)
        wire.session.command()
        before = wire.now
        while wire.session.state == ms.WAITING:
            wire.later(100)
        pauses.append(wire.now - before)
        wire.session.state = ms.WAITING
        wire.session.connect_now(wire.now)
    assert pauses[:7] == [1000, 2000, 4000, 8000, 16000, 32000, 60000] and pauses[8] == 60000
    wire.connect()
    wire.up().publish(0)  # goes out with each connection
    wire.receive(b"\x40\x02\x00\x02")
    wire.session.closed(wire.now)
    wire.session.command()
    wire.later(59999)
    assert wire.session.state == ms.WAITING
    wire.later(1)
    wire.connect()
    wire.up().publish(5)
    wire.receive(b"\x40\x02\x00\x03")
    wire.session.closed(wire.now)
    wire.session.command()
    wire.later(1000)
    assert wire.session.state == ms.OPENING


def test_messages_are_acknowledged_in_their_order_whatever_the_order_of_the_pubacks():
    wire = Wire().up()
    for tag in (11, 12, 13):
        wire.publish(tag)
    assert not wire.session.can_send() and wire.session.window.count == 3
    assert wire.sent[:2] == b"\x32\x14" and b"\x00\x09b/results\x00\x02payload" in wire.sent
    wire.receive(b"\x40\x02\x00\x03\x40\x02\x00\x04")
    assert wire.events == []
    wire.receive(b"\x40\x02\x00\x02")
    assert wire.events == [11, 12, 13] and wire.session.can_send()
    wire.receive(b"\x40\x02\x00\x02\x40\x02\x00\x00\x40\x02\xff\xff")
    assert wire.events[3:] == ["foreign"] * 3
    wire.publish(14, mp.DUP | mp.RETAIN)
    assert b"\x3b\x14\x00\x09b/results\x00\x05payload" in wire.sent


def test_an_identifier_in_use_and_0_are_left_out():
    wire = Wire(window=2).up()
    wire.publish(1)
    wire.session.window.ident = 65534
    for expected in (b"\xff\xff", b"\x00\x01", b"\x00\x03"):  # 2 is out
        wire.publish(2)
        assert wire.sent[-9:-7] == expected
        wire.receive(b"\x40\x02" + expected)
        wire.session.window._idents[1] = 0
        wire.session.window.count = 1


def test_what_has_not_gone_out_cannot_be_acknowledged():
    wire = Wire().up()
    wire.session.publish(wire.buf, ROOM, ROOM + 7, b"b/results", 0, 9, wire.now)
    incoming = wire.session.incoming
    incoming.inlet()[:4] = b"\x40\x02\x00\x02"
    incoming.receive(4)
    assert wire.session.next_event(wire.now) == ms.EV_FOREIGN and wire.session.window.count == 1


def test_every_wait_has_its_deadline():
    cases = (
        (b"", ms.CONNECTING),
        (b"\x20\x02\x00\x00", ms.SUBSCRIBING),
        (b"\x20\x02\x00\x00\x90\x03\x00\x01\x01", ms.SETTLING),
    )
    for octets, state in cases:
        wire = Wire()
        wire.receive(octets)
        wire.later(4999)
        assert wire.session.state == state
        wire.later(1)
        assert wire.events == ["silent"] and wire.session.lost_in == state
    wire = Wire(connected=False)
    wire.turn()
    assert wire.session.state == ms.OPENING
    wire.later(5000)
    assert wire.events == ["silent"]
    wire = Wire().up()
    wire.publish(1)
    wire.later(5000)
    assert wire.events == ["silent"] and wire.session.window.count == 0
    wire = Wire().up()
    wire.publish(1)
    wire.publish(2)
    wire.later(4000)
    wire.receive(b"\x40\x02\x00\x02")
    wire.later(4999)
    assert wire.events == [1]
    wire.later(1)
    assert wire.events == [1, "silent"]


def test_what_breaks_the_rules_ends_the_connection():
    before = (b"\xd0\x00", b"\x40\x02\x00\x02", b"\x90\x03\x00\x01\x01", message(b"x"), b"\x20\x02\x02\x00")
    for octets in before + (b"\x20\x01\x00", b"\x20\x03\x00\x00\x00", b"\x21\x02\x00\x00", b"\x20\xff\xff\xff\xff"):
        wire = Wire()  # [3.2.0-1], [3.2.2.1], 2.2.2, 2.2.3
        wire.receive(octets + b"\x00" * 300)
        assert wire.events == ["malformed"], octets
    wire = Wire()
    wire.receive(b"\x20\x02\x00\x00\x90\x03\x00\x02\x01")  # another SUBSCRIBE's
    assert wire.events == ["malformed"]
    after = [bytes([first, 0]) for first in range(0, 256, 16) if first not in (0x30, 0xD0)]
    after += [b"\x20\x02\x00\x00", b"\x42\x02\x00\x02", b"\x40\x03\x00\x02\x00", b"\xd1\x00", b"\xd0\x01\x00"]
    after += [b"\x90\x03\x00\x01\x01", message(b"x", first=0x34), message(b"x", first=0x36), message(b"x", topic=b"")]
    after += [message(b"x", ident=0), b"\x32\x02\x00\x09", b"\x30\x01\x00", b"\x30\x00", b"\x30\xff\xff\xff\xff\x01"]
    for octets in after:
        wire = Wire().up()
        wire.publish(1)
        wire.receive(octets)
        assert wire.events == ["malformed"] and wire.session.command() == ms.CMD_CLOSE, octets
        assert wire.session.window.count == 0 and wire.session.pending == 0


def test_what_is_too_large_or_of_another_topic_is_acknowledged_and_thrown_away():
    wire = Wire().up()
    wire.receive(message(b"x" * 5000, ident=9))
    assert wire.events == [b""] and wire.sent == b"\x40\x02\x00\x09"
    wire.receive(message(b"x", topic=b"b/receipT", ident=10))
    wire.receive(message(b"x" * 200, topic=b"t" * 255, ident=11))  # its identifier lies behind the buffer
    assert wire.events == [b"", "skipped", "skipped"] and wire.sent.endswith(b"\x40\x02\x00\x0a")
    wire.receive(message(b"fits"))
    assert wire.events[3:] == [b"fits"]


def test_a_payload_is_received_up_to_its_limit_with_each_quality_of_service():
    for octets, has in ((ms.RECEIPT_BYTES, True), (ms.RECEIPT_BYTES + 1, False), (ms.RECEIPT_BYTES + 5, False)):
        for first in (mp.PUBLISH, mp.PUBLISH | mp.QOS_1):
            wire = Wire().up()
            wire.receive(message(b"x" * octets, first=first))
            assert wire.events == [b"x" * octets if has else b""], (octets, first)


def test_it_leaves_with_a_disconnect():
    wire = Wire().up()
    wire.session.leave()
    assert not wire.session.can_send()
    wire.turn()
    assert wire.sent == b"\xe0\x00" and wire.session.state == ms.STOPPED and wire.session.command() == ms.CMD_CLOSE
    assert wire.turn() > 100000


def test_random_octets_never_raise_and_never_stick():
    seed = 11
    words = (b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01", b"\xd0\x00", b"\x40\x02\x00\x02", message(b"r"), b"\x32\x7f")
    for _ in range(400):
        wire = Wire()
        for _ in range(30):
            seed = seed * 1103 % 1048573
            piece = words[seed % 6] if seed % 4 else bytes([seed >> 3 & 255, seed >> 5 & 15, seed >> 7 & 255])
            if seed % 64 == 0 and wire.session.can_send():
                wire.publish(seed)
            wire.receive(piece)
            if wire.session.state == ms.WAITING:
                break
            wire.now += seed % 50
    wire.later(100)


def test_a_message_and_its_answers_allocate_nothing():
    heap_tools()
    wire = Wire().up()
    session = wire.session
    receipt = message(b'{"identity":"3fa9c1d2","number":1208}')
    puback = bytearray(b"\x40\x02\x00\x00")
    now = wire.now

    def receive(octets):
        n = len(octets)
        inlet = session.incoming.inlet()
        for index in range(n):
            inlet[index] = octets[index]
        session.incoming.receive(n)
        while session.next_event(now):
            pass
        session.tick(now)
        while session.pending:
            session.sent(session.pending, now)
            session.tick(now)

    def some():
        count = 50
        while count:
            count -= 1
            session.publish(wire.buf, ROOM, ROOM + 7, b"b/results", 0, 5, now)
            session.sent(session.pending, now)
            puback[3] = session.window.ident
            receive(puback)
            receive(receipt)

    some()
    assert session.window.count == 0
    assert allocated(some) == 0
