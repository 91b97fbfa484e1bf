"""The radio of a simulated chip: the access points, and what MicroPython's `network.WLAN` is told of them."""

from lab.chips import rules

NAME_SERVER = "192.0.2.53"
ADDRESS = "192.0.2.7 255.255.255.0 192.0.2.1 " + NAME_SERVER
NO_ADDRESS = "0.0.0.0 0.0.0.0 0.0.0.0 0.0.0.0"
JOINS_MS = 2000


class Air:
    """The access points, and what the radio of a chip of this platform says of itself."""

    def __init__(self, platform: str):
        self.points = {b"point1": 50}  # strength in -dBm
        self.silent = False  # joined, but nothing goes through: the radio reports no loss
        self.on = False
        self.joined_ms = -1  # when it has an address; -1: not joining
        self.restarts = self.joins = 0
        self._platform = platform

    def power_off(self) -> None:
        self.on = False
        self.joined_ms = -1

    def is_up(self, now_ms: int) -> bool:
        return self.on and bool(self.points) and 0 <= self.joined_ms <= now_ms

    def reaches(self, now_ms: int) -> bool:
        """True if what is sent arrives."""
        return self.is_up(now_ms) and not self.silent

    def status(self, now_ms: int) -> int:
        is_rp2 = self._platform == "rp2"
        if self.is_up(now_ms):
            return 3 if is_rp2 else 1010  # CYW43_LINK_UP; STAT_GOT_IP
        if self.joined_ms < 0:
            return 0 if is_rp2 else 1000
        if not self.points:
            return -2 if is_rp2 else 201  # CYW43_LINK_NONET; WIFI_REASON_NO_AP_FOUND
        return 1 if is_rp2 else 1001

    def answer(self, what: int, a: int, now_ms: int) -> tuple[int, bytes]:
        """Return what a call of the interface gives (lab.chips.inside has their numbers)."""
        if what == 0 and a >= 0:
            self.restarts += self.on and not a
            self.on = bool(a)
            self.joined_ms = -1
        elif what == 1:
            if not self.on:
                return -rules.ERRNO[self._platform]["EPERM"], b""
            self.joins += 1
            self.joined_ms = now_ms + JOINS_MS
        elif what == 2:
            self.joined_ms = -1
        elif what == 3:
            return int(self.is_up(now_ms)), b""
        elif what == 4:
            return (-max(self.points.values(), default=90) if a else self.status(now_ms)), b""
        elif what == 5:
            self.power_off()
        elif what == 6:
            return len(self.points), b"".join(name + bytes((level, 0)) for name, level in self.points.items())
        elif what == 7:
            return 0, (ADDRESS if self.is_up(now_ms) else NO_ADDRESS).encode()
        return int(self.on), b""
