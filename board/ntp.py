"""NTP for a chip (RFC 4330, the simple client); loaded where a time server is configured.

Rules
1. It sends one datagram when it is due and looks for the answer; it never waits. An answer counts if it is a server's,
   is synchronised, and echoes the ticks that were sent as its origin.
2. Without an answer the next server is asked after RETRY_MS; with one the same server is asked again after EVERY_MS.
3. Summer time begins and ends on the second, even while no server answers: time is counted on from the last answer.
"""

# pyrefly: ignore-errors[missing-attribute]

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer, ticks_add, ticks_diff

EVERY_MS = const(3600000)
RETRY_MS = const(64000)
LOOK_MS = const(250)
ANSWER_MS = const(3000)
PACKET_BYTES = const(48)

_NTP_TO_UNIX_S = 2208988800  # 1900 to 1970


class Ntp:
    """`socket_of(host)` returns an open datagram socket (`write(buf)`, `readinto(buf)`, `close()`) or None."""

    def __init__(self, socket_of, hosts, zone, now):
        self._socket_of = socket_of
        self._hosts = hosts
        self._zone = zone
        self._packet = bytearray(PACKET_BYTES)
        self._sock = None
        self._mark = 0
        self._next = Timer()
        self._next.start(now, 0)
        self._over = Timer()
        self._index = 0
        self._offset_s = 0  # reported last
        self._at = now  # ticks of unix_s
        self.unix_s = 0  # 0 before the first answer
        self.answers = 0
        self.silent = 0  # questions without a valid answer
        self.last_server = ""  # the server that answered last
        self.stratum = 0  # how far that server is from a reference clock, 1 to 15
        self.dispersion_ms = 0  # its own estimate of its greatest error

    def about(self, now):
        """Return the quality of the time, for the status."""
        self._count_on(now)
        return {
            "server": self.last_server or None,
            "stratum": self.stratum,
            "dispersion_ms": self.dispersion_ms,
            "answers": self.answers,
            "silent": self.silent,
            "asks": self._hosts[self._index],
        }

    def tick(self, now, is_up, use_time):
        """Do what is due; `use_time(unix_s)` gets local time, seconds since 1970. Return the ms to the next call."""
        if self._sock is not None:
            return self._look(now, use_time)
        left = self._keep_zone(now, use_time)
        if not is_up or not self._next.expired(now):
            wait = self._next.left(now)
            return min(left, wait if wait > LOOK_MS else RETRY_MS)
        self._next.start(now, RETRY_MS)
        self._sock = self._socket_of(self._hosts[self._index])
        if self._sock is None:
            self._pass_on()
            return min(left, RETRY_MS)
        packet = self._packet
        for index in range(PACKET_BYTES):
            packet[index] = 0
        packet[0] = 0x23  # version 4, client
        self._mark = now & 0xFFFFFF
        for index in range(3):  # transmit timestamp: comes back as the origin
            packet[40 + index] = self._mark >> (8 * index) & 0xFF
        try:
            self._sock.write(packet)
        except OSError:
            self._close()
            self._pass_on()
            return min(left, RETRY_MS)
        self._over.start(now, ANSWER_MS)
        return LOOK_MS

    def _look(self, now, use_time):
        packet = self._packet
        try:
            octets = self._sock.readinto(packet) or 0
        except OSError:
            octets = 0
        if octets >= PACKET_BYTES and self._is_answer(packet):
            self._close()
            self._next.start(now, EVERY_MS)
            self._take(packet, now, use_time)
            return min(EVERY_MS, self._keep_zone(now, use_time))
        if self._over.expired(now):
            self._close()
            self._pass_on()
            return self._next.left(now)
        return LOOK_MS

    def _is_answer(self, packet):
        if packet[0] & 7 != 4 or packet[0] >> 6 == 3 or not 1 <= packet[1] <= 15:
            return False
        return packet[24] | packet[25] << 8 | packet[26] << 16 == self._mark

    def _take(self, packet, now, use_time):
        self.answers += 1
        self.last_server = self._hosts[self._index]
        self.stratum = packet[1]
        self.dispersion_ms = (packet[8] << 8 | packet[9]) * 1000 + ((packet[10] << 8 | packet[11]) * 1000 >> 16)
        seconds = int.from_bytes(packet[40:44], "big")
        if seconds < 0x80000000:  # era 1, from February 2036 (RFC 4330, 3)
            seconds += 0x100000000
        self.unix_s = seconds - _NTP_TO_UNIX_S
        self._at = now
        self._deliver(use_time)

    def _deliver(self, use_time):
        self._offset_s = self._zone.offset_s(self.unix_s)
        use_time(self.unix_s + self._offset_s)

    def _keep_zone(self, now, use_time):
        """Report the time again if summer time began or ended; return the ms to the next change, EVERY_MS at most."""
        if self.unix_s == 0:
            return EVERY_MS
        self._count_on(now)
        if self._zone.offset_s(self.unix_s) != self._offset_s:
            self._deliver(use_time)
        left_s = self._zone.left_s(self.unix_s)
        return EVERY_MS if left_s is None or left_s * 1000 > EVERY_MS else left_s * 1000

    def _count_on(self, now):
        if self.unix_s:
            seconds = ticks_diff(now, self._at) // 1000
            self.unix_s += seconds
            self._at = ticks_add(self._at, seconds * 1000)

    def _pass_on(self):
        """Ask the next server next time."""
        self.silent += 1
        self._index = (self._index + 1) % len(self._hosts)

    def _close(self):
        self._sock.close()
        self._sock = None
