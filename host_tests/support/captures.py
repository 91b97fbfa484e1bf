"""Packets and capture files for tests: TCP segments in Ethernet, as pcap and pcapng."""

import struct

CONTROLLER, INTEGRATOR = ("192.0.2.10", 4545), ("192.0.2.1", 50001)


def packet(source, target, number, payload, syn=False, version=4, vlan=False):
    tcp = struct.pack(">HHIIBBHHH", source[1], target[1], number, 0, 5 << 4, 2 if syn else 24, 8192, 0, 0) + payload
    if version == 4:
        ends = bytes(map(int, source[0].split("."))) + bytes(map(int, target[0].split(".")))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends
    else:
        ip = struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
    kind = b"\x08\x00" if version == 4 else b"\x86\xdd"
    return bytes(12) + (b"\x81\x00\0\5" if vlan else b"") + kind + ip + tcp + b"\0" * (60 - 54 - len(payload))


def classic(packets, order="<"):
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for index, one in enumerate(packets):
        out += struct.pack(order + "IIII", 1700000000, index * 1000, len(one), len(one)) + one
    return out


def next_generation(packets):
    """Return a pcapng whose time stamps count nanoseconds."""

    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHBxxx", 9, 1, 9) + struct.pack("<HH", 0, 0))
    for index, one in enumerate(packets):
        stamp = 1700000000 * 10**9 + index * 10**6
        out += block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(one), len(one)) + one)
    return out


def capture(frames):
    """Return a pcap of (from the controller, frame), a segment each, with NULs behind them."""
    packets, at = [], {False: 1, True: 1}
    for is_from_controller, frame in frames:
        ends = (CONTROLLER, INTEGRATOR) if is_from_controller else (INTEGRATOR, CONTROLLER)
        packets.append(packet(*ends, at[is_from_controller], frame + b"\0"))
        at[is_from_controller] += len(frame) + 1
    return classic(packets)
