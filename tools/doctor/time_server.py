"""Asks a time server once (RFC 4330) and says how far off this machine's clock is."""

from __future__ import annotations

import os
import socket
import struct
import time

from toolcart.tools.doctor.finding import BAD, GOOD, WARN, Finding

NTP_PORT = 123
ANSWER_S = 3.0
PACKET_BYTES = 48
CLIENT = 0x23  # version 4, client
SERVER_MODE = 4
NTP_TO_UNIX_S = 2208988800  # 1900 to 1970
ERA_S = 1 << 32
CLOCK_TOLERANCE_S = 1.0


def ask_time(host: str, port: int = NTP_PORT) -> Finding:
    """Ask this server once."""
    origin = os.urandom(8)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sock:
            sock.settimeout(ANSWER_S)
            sock.connect(address)
            sent_s = time.time()
            sock.send(bytes([CLIENT]) + bytes(39) + origin)
            answer = sock.recv(512)
            received_s = time.time()
    except TimeoutError:
        return Finding("NTP", BAD, f"{host} did not answer in {ANSWER_S:g} s", "Is UDP port 123 open to it?")
    except (OSError, UnicodeError) as error:
        return Finding("NTP", BAD, f"{host} cannot be asked: {getattr(error, 'strerror', None) or error}")
    if len(answer) < PACKET_BYTES or answer[0] & 7 != SERVER_MODE or answer[24:32] != origin:
        return Finding("NTP", BAD, f"what answers at {host} is not a time server")
    if not 1 <= answer[1] <= 15 or answer[0] >> 6 == 3:
        return Finding("NTP", WARN, f"{host} says that it is not synchronised")
    ahead_s = (sent_s + received_s) / 2 - _moment(answer[40:48])
    figures = {"ahead_s": round(ahead_s, 3), "round_trip_s": round(received_s - sent_s, 4), "stratum": answer[1]}
    if abs(ahead_s) <= CLOCK_TOLERANCE_S:
        return Finding("NTP", GOOD, f"{host} agrees with our clock within {abs(ahead_s) * 1000:.0f} ms", "", figures)
    direction = "ahead of" if ahead_s > 0 else "behind"
    hint = "`timedatectl set-ntp true` lets the system keep it."
    return Finding("NTP", WARN, f"our clock is {abs(ahead_s):.1f} s {direction} {host}", hint, figures)


def _moment(field: bytes) -> float:
    """Return a timestamp as seconds since 1970; from 2036 on its highest bit is 0 (RFC 4330, 3)."""
    seconds, fraction = struct.unpack("!II", field)
    if seconds < 0x80000000:
        seconds += ERA_S
    return seconds - NTP_TO_UNIX_S + fraction / ERA_S
