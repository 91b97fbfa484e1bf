"""A chip's way to others: Wi-Fi is joined again and again."""

from toolcart.base.clock import SimClock
from toolcart.board import wifi

PORTABLE = True


class Air:
    """A WLAN whose surroundings a test arranges: access points of the network, and one of another."""

    PM_NONE = 0xA11140

    def __init__(self):
        self.there = True
        self.points = {b"one": -50}
        self.joined = None
        self.switched_on = 0
        self.refuses = False

    def active(self, on):
        self.switched_on += on

    def config(self, what=None, pm=None):
        return self.joined

    def isconnected(self):
        return self.there and self.joined in self.points

    def status(self, what=None):
        if what == "rssi":
            return self.points[self.joined]
        return -3 if self.refuses else 1

    def connect(self, ssid, key, bssid=None):
        if not self.there or self.refuses or (bssid is not None and bssid not in self.points):
            return
        self.joined = bssid
        if bssid is None:
            for name in self.points:
                if self.joined is None or self.points[name] > self.points[self.joined]:
                    self.joined = name

    def disconnect(self):
        self.joined = None

    def scan(self):
        points_seen = [(b"Guest", b"x", 1, -20)]
        for name in self.points:
            points_seen.append((b"Plant", name, 1, self.points[name]))
        return points_seen


class Cart:
    def __init__(self):
        self.clock = SimClock()
        self.air = Air()
        settings = {"ssid": "Plant", "password": "geheim-4711", "address": []}
        self.wifi = wifi.Wifi(self.air, settings, lambda wlan: wlan.scan(), self.clock.now)

    def go(self, seconds):
        """Let time pass as the loop would: called when it is asked for, never oftener."""
        end_ms = self.clock.total_ms + seconds * 1000
        while self.clock.total_ms < end_ms:
            wait_ms = self.wifi.tick(self.clock.now)
            assert wait_ms > 0
            rest_ms = end_ms - self.clock.total_ms
            self.clock.advance(wait_ms if wait_ms < rest_ms else rest_ms)
        return self


def test_loss_is_followed_by_an_attempt_at_once_and_the_way_back():
    cart = Cart().go(30)
    cart.air.there = False
    cart.go(10)
    assert not cart.wifi.is_up() and cart.wifi.losses == 1
    cart.air.there = True
    cart.go(60)
    assert cart.wifi.is_up() and cart.wifi.joins == 2


def test_the_radio_is_switched_off_and_on_after_five_failures():
    cart = Cart()
    cart.air.refuses = True
    cart.go(40)
    assert cart.wifi.restarts == 1 and cart.air.switched_on == 2


def test_weak_for_long_and_a_stronger_point_is_a_change():
    cart = Cart().go(10)
    cart.air.points[b"one"] = -80
    cart.air.points[b"two"] = -60
    cart.go(60)
    assert cart.air.joined == b"two" and cart.wifi.roams == 1 and cart.wifi.is_up()
