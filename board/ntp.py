"""Asks one NTP server for the time: one datagram, one answer, never waits (RFC 4330, the simple client).

Rules
1. `tick` sends when it is time and looks for the answer; it returns the ms until it wants to be called again.
2. An answer counts if it is a server's, is synchronised, and echoes the ticks that were sent as its origin.
3. Without an answer it asks again after RETRY_MS, with one after EVERY_MS.
"""

# pyright: reportOptionalMemberAccess=false

from agent.base.compat import const
from agent.base.ticks import Timer

EVERY_MS = const(3600000)
RETRY_MS = const(64000)
LOOK_MS = const(250)
ANSWER_MS = const(3000)
PACKET_BYTES = const(48)

_NTP_TO_UNIX_S = 2208988800  # 1900 to 1970


class Ntp:
    """`socket_of(host)` gives an open datagram socket (`send(buf)`, `recv_into(buf)` -> octets, `close()`) or None."""

    def __init__(self, socket_of, host, utc_offset_min, now):
        self._socket_of = socket_of
        self._host = host
        self._offset_s = utc_offset_min * 60
        self._packet = bytearray(PACKET_BYTES)
        self._sock = None
        self._mark = 0
        self._next = Timer()
        self._next.start(now, 0)
        self._over = Timer()
        self.answers = 0

    def tick(self, now, is_up, heard):
        """Go on; `heard(unix_s)` is called with the local time in seconds since 1970."""
        if self._sock is not None:
            return self._look(now, heard)
        if not is_up or not self._next.expired(now):
            left = self._next.left(now)
            return left if left > LOOK_MS else RETRY_MS
        self._next.start(now, RETRY_MS)
        self._sock = self._socket_of(self._host)
        if self._sock is None:
            return RETRY_MS
        packet = self._packet
        for index in range(PACKET_BYTES):
            packet[index] = 0
        packet[0] = 0x23  # version 4, client
        self._mark = now & 0xFFFFFF
        for index in range(3):  # transmit timestamp: comes back as the origin
            packet[40 + index] = self._mark >> (8 * index) & 0xFF
        try:
            self._sock.send(packet)
        except OSError:
            self._close()
            return RETRY_MS
        self._over.start(now, ANSWER_MS)
        return LOOK_MS

    def _look(self, now, heard):
        packet = self._packet
        try:
            octets = self._sock.recv_into(packet)
        except OSError:
            octets = 0
        if octets >= PACKET_BYTES and self._is_answer(packet):
            self._close()
            self._next.start(now, EVERY_MS)
            self.answers += 1
            seconds = int.from_bytes(packet[40:44], "big")
            if seconds < 0x80000000:  # era 1, from February 2036 (RFC 4330, 3)
                seconds += 0x100000000
            heard(seconds - _NTP_TO_UNIX_S + self._offset_s)
            return EVERY_MS
        if self._over.expired(now):
            self._close()
            return self._next.left(now)
        return LOOK_MS

    def _is_answer(self, packet):
        if packet[0] & 7 != 4 or packet[0] >> 6 == 3 or not 1 <= packet[1] <= 15:
            return False
        return packet[24] | packet[25] << 8 | packet[26] << 16 == self._mark

    def _close(self):
        self._sock.close()
        self._sock = None
