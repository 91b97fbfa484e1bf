"""MQTT packets in a stream: every split, too large, broken; headers octet for octet (OASIS MQTT 3.1.1)."""

from toolcart.agent.mqtt import packets as p

PORTABLE = True
HEAP = "1m"

# A CONNACK, a PUBACK, a PUBLISH of 5 octets with QoS 1 retained, a SUBACK, a PINGRESP.
STREAM = b"\x20\x02\x00\x00\x40\x02\x12\x34\x33\x0a\x00\x01r\x00\x07hello\x90\x03\x00\x01\x01\xd0\x00"
PACKETS = [
    (p.PACKET_FOUND, 0x20, b"\x00\x00"),
    (p.PACKET_FOUND, 0x40, b"\x12\x34"),
    (p.PACKET_FOUND, 0x33, b"\x00\x01r\x00\x07hello"),
    (p.PACKET_FOUND, 0x90, b"\x00\x01\x01"),
    (p.PACKET_FOUND, 0xD0, b""),
]


def read(packets, pieces):
    """Feed the pieces; return what was found, and whether the frame was lost."""
    found = []
    for piece in pieces:
        while piece:
            inlet = packets.inlet()
            n = min(packets.free, len(piece))
            assert n > 0, "it is full and finds nothing"
            inlet[:n] = piece[:n]
            packets.receive(n)
            piece = piece[n:]
            while True:
                code = packets.next()
                if code == p.PACKET_NEED_DATA:
                    break
                if code == p.PACKET_BROKEN:
                    return found, True
                found.append((code, packets.first, bytes(packets.buf[packets.at : packets.at + packets.length])))
    return found, False


def test_packets_are_found_at_every_split():
    for first in range(len(STREAM) + 1):
        for second in range(first, len(STREAM) + 1):
            packets = p.Packets(32)
            pieces = (STREAM[:first], STREAM[first:second], STREAM[second:])
            assert read(packets, pieces) == (PACKETS, False), (first, second)
    assert read(p.Packets(32), [STREAM[at : at + 1] for at in range(len(STREAM))]) == (PACKETS, False)


def test_packet_larger_than_buffer_is_cut_short_and_its_rest_thrown_away():
    for octets in (31, 100, 127, 128, 200, 16383, 16384):
        body = bytes([octet & 0xFF for octet in range(octets)])
        head = bytes([octets]) if octets < 128 else bytes([octets & 127 | 128, octets >> 7])
        if octets >= 16384:
            head = bytes([octets & 127 | 128, octets >> 7 & 127 | 128, octets >> 14])
        stream = STREAM[:4] + b"\x32" + head + body + STREAM
        for split in (1 if octets < 500 else 5000, 700, len(stream)):
            found, broken = read(p.Packets(32), [stream[at : at + split] for at in range(0, len(stream), split)])
            assert not broken and found[0] == PACKETS[0] and found[2:] == PACKETS
            code, first, kept = found[1]
            assert (code, first) == (p.PACKET_CUT, 0x32) and kept == body[: 32 - 1 - len(head)]


def test_a_remaining_length_of_five_octets_loses_the_frame():
    found, broken = read(p.Packets(32), [STREAM + b"\x30\x80\x80\x80\x80\x01"])
    assert found == PACKETS and broken
    for octets in range(1, 4):  # 2.2.3, table 2.4: the longest of each length
        packets = p.Packets(32)
        found, broken = read(packets, [b"\x30" + b"\xff" * octets + b"\x7f" + bytes(40)])
        assert not broken and found[0][0] == p.PACKET_CUT


def test_random_octets_never_raise_and_never_stick():
    seed = 7
    for size in (16, 33):
        packets = p.Packets(size)
        for _ in range(3000):
            piece = bytearray()
            for _ in range(1 + seed % 40):
                seed = seed * 1103 % 1048573
                piece.append(seed & 0xFF if seed % 3 else seed & 0x7F)
            if read(packets, [bytes(piece)])[1]:
                packets.reset()


def test_headers_are_written_in_front_of_what_is_there():
    buf = bytearray(20) + b"hello"
    start = p.put_front(buf, 20, b"a/b", 0x1234)
    start = p.put_fixed(buf, start, p.PUBLISH | p.QOS_1 | p.DUP, len(buf) - start)
    assert bytes(buf[start:]) == b"\x3a\x0c\x00\x03a/b\x12\x34hello"
    assert 20 - start <= p.front_bytes(b"a/b")
    for length, octets in ((0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (16383, b"\xff\x7f")):
        at = p.put_fixed(buf, 20, 0x30, length)
        assert bytes(buf[at:20]) == b"\x30" + octets
    for length, octets in (
        (16384, b"\x80\x80\x01"),
        (2097151, b"\xff\xff\x7f"),
        (2097152, b"\x80\x80\x80\x01"),
        (p.LENGTH_MOST, b"\xff\xff\xff\x7f"),
    ):
        at = p.put_fixed(buf, 20, 0x30, length)
        assert bytes(buf[at:20]) == b"\x30" + octets


def test_connect_and_subscribe_are_as_the_document_draws_them():
    plain = p.connect_packet(b"cart", b"", b"", 60, b"", b"")
    assert plain == b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04cart"  # 3.1
    whole = p.connect_packet(b"cart", b"user", b"pass", 600, b"s", b"gone")
    # user, password, will retain, will QoS 1, will flag, clean session: 3.1.2.3
    assert whole == b"\x10\x25\x00\x04MQTT\x04\xee\x02\x58\x00\x04cart\x00\x01s\x00\x04gone\x00\x04user\x00\x04pass"
    assert p.connect_packet(b"c", b"", b"pass", 1, b"", b"")[9] == 0x02  # no password without a user
    assert p.subscribe_packet(1, b"a/b") == b"\x82\x08\x00\x01\x00\x03a/b\x01"  # 3.8.3
