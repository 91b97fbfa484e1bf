"""The network of a chip: none, a cable that is only checked, or Wi-Fi; brought up once, then asked.

Rules
1. A chip's module provides the hardware: `radio(settings)`, `ethernet(pins)`.
2. Without the hardware the agent still runs: results are kept, and the lamp and the status say why.
3. A link that claims to be up and carries nothing is restarted (`Silence`): the firmware of radios hangs, and may never
   report a lost link.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.board.wifi import RADIO_FAILED, RADIO_IDLE, RADIO_JOINED, RADIO_JOINING, Wifi
from toolcart.board.wifi import STATE_NAMES as WIFI_STATES

LINK_MS = const(1000)  # how often a cable is checked
SILENCE_MS = const(300000)
SILENCE_MAX_MS = const(3600000)


def bring_up(chip, settings, said, scan, now):
    """Return the network that the `board` settings name; what is wrong with it is added to `said`.

    `scan(wlan)` lists the access points without tripping the watchdog.
    """
    kind = settings["network"]
    try:
        if kind == "wifi":
            return WifiNetwork(Radio(chip.radio(settings), settings, scan), _name_server(settings), now)
        if kind == "ethernet":
            interface = chip.ethernet(settings["ethernet_pins"])
            interface.active(True)
            fix_address(interface, settings)
            return Cable(interface, settings, now)
    except (OSError, ImportError, AttributeError, ValueError) as error:
        said.append("no %s: %s" % (kind, error or type(error).__name__))
        return _NoHardware(kind)
    return NoNetwork()


class Silence:
    """Says when a network that is up and in use has carried nothing for so long that it must be restarted.

    The first time after SILENCE_MS; while nothing comes the time doubles, up to SILENCE_MAX_MS: a weekend with both
    sides off is no reason to restart a radio every five minutes.
    """

    def __init__(self, now):
        self.restarts = 0
        self._wait_ms = SILENCE_MS
        self._over = Timer()
        self._over.start(now, SILENCE_MS)

    def is_over(self, sockets, is_up, now):
        """True if the network is to be restarted now; call it every few seconds."""
        if sockets.heard:
            sockets.heard = False
            self._wait_ms = SILENCE_MS
            self._over.start(now, SILENCE_MS)
        elif not is_up:
            self._over.start(now, self._wait_ms)
        elif self._over.expired(now) and sockets.tried:
            sockets.tried = False
            self.restarts += 1
            self._wait_ms = min(self._wait_ms * 2, SILENCE_MAX_MS)
            self._over.start(now, self._wait_ms)
            return True
        return False


class NoNetwork:
    """A board with serial lines only."""

    def tick(self, now):
        """Do nothing; return the ms until the next call."""
        return LINK_MS * 60

    def is_up(self):
        """True: there is no network, and none is missed; else the lamp would always show it."""
        return True

    def servers(self):
        """Return (): there is no name server."""
        return ()

    def restart(self, is_deep, now):
        """Do nothing."""

    def about(self):
        """Return its part of the status."""
        return {"kind": "none"}


class Cable:
    """An Ethernet interface that comes up by itself (WIZNET5K, LAN): it is only checked."""

    def __init__(self, interface, settings, now):
        self.interface = interface
        self._settings = settings
        self.losses = 0
        # At once: a connection tried before the first check would wait for a minute (toolsnet.reconnect_ms).
        self._is_up = bool(interface.isconnected())
        self._next = Timer()
        self._next.start(now, LINK_MS)

    def tick(self, now):
        """Check the link; return the ms until the next check."""
        if self._next.expired(now):
            self._next.start(now, LINK_MS)
            was_up = self._is_up
            self._is_up = bool(self.interface.isconnected())
            if was_up and not self._is_up:
                self.losses += 1
        return self._next.left(now)

    def is_up(self):
        """True if there is a network."""
        return self._is_up

    def servers(self):
        """Return the addresses of the name servers."""
        return _servers(_name_server(self._settings), self.interface)

    def restart(self, is_deep, now):
        """Switch the interface off and on."""
        self.interface.active(False)
        self.interface.active(True)
        fix_address(self.interface, self._settings)

    def about(self):
        """Return its part of the status."""
        return {"kind": "ethernet", "up": self._is_up, "losses": self.losses, "address": _address(self.interface)}


class WifiNetwork:
    """Wi-Fi: the machine of toolcart.board.wifi with the chip's WLAN."""

    def __init__(self, radio, dns, now):
        self._radio = radio
        self._dns = dns
        self.machine = Wifi(radio, now)

    def tick(self, now):
        """Do what is due; return the ms until the next look."""
        return self.machine.tick(now)

    def is_up(self):
        """True if there is a network."""
        return self.machine.is_up()

    def servers(self):
        """Return the addresses of the name servers."""
        return _servers(self._dns, self._radio.wlan)

    def restart(self, is_deep, now):
        """Leave the network, switch the radio off and on, or its chip if `is_deep`, and join again."""
        self.machine.restart(is_deep, now)

    def about(self):
        """Return its part of the status."""
        wifi = self.machine
        told = {"kind": "wifi", "state": WIFI_STATES[wifi.state], "level_dbm": wifi.level_dbm, "joins": wifi.joins}
        told.update({"losses": wifi.losses, "failures": wifi.failures, "roams": wifi.roams, "restarts": wifi.restarts})
        told["address"] = _address(self._radio.wlan)
        return told


class Radio:
    """A WLAN in the form of toolcart.board.wifi. `settings` is the `board` part of the completed configuration."""

    def __init__(self, wlan, settings, scan):
        self.wlan = wlan
        self._settings = settings
        self._scan = scan
        self._bssid = None
        self.restart()

    def status(self):
        """Return a RADIO_ state: joined only with an address; failed for a negative code of lwIP, 200.. of ESP-IDF."""
        if self.wlan.isconnected():
            return RADIO_JOINED
        code = self.wlan.status()
        if code < 0 or 200 <= code < 300:
            return RADIO_FAILED
        return RADIO_IDLE if code == 0 else RADIO_JOINING

    def join(self, bssid):
        """Begin to join, at this access point if one is given."""
        settings = self._settings
        self._bssid = bssid
        try:
            if bssid is None:
                self.wlan.connect(settings["ssid"], settings["password"] or None)
            else:
                self.wlan.connect(settings["ssid"], settings["password"] or None, bssid=bssid)
        except OSError:
            pass  # status() shows it

    def leave(self):
        """Leave the network."""
        try:
            self.wlan.disconnect()
        except OSError:
            pass

    def level(self):
        """Return the strength in dBm."""
        try:
            return int(self.wlan.status("rssi"))
        except (OSError, ValueError, TypeError):
            return 0

    def scan(self):
        """List (bssid, dBm, whether it is the one joined) for the network's access points."""
        own = self._own_bssid()
        name = self._settings["ssid"].encode()
        try:
            found = self._scan(self.wlan)
        except OSError:
            return []
        return [(point[1], point[3], point[1] == own) for point in found if point[0] == name]

    def restart(self, is_deep=False):
        """Switch the radio off and on, its chip too if `is_deep` and possible; set its address again."""
        wlan = self.wlan
        wlan.active(False)
        if is_deep and hasattr(wlan, "deinit"):
            wlan.deinit()
        wlan.active(True)
        try:
            wlan.config(pm=wlan.PM_NONE)  # else an answer waits for a beacon, and some access points lose it
        except (AttributeError, ValueError, OSError):
            pass  # a port that does not know it
        fix_address(wlan, self._settings)

    def _own_bssid(self):
        try:
            return self.wlan.config("bssid")
        except (OSError, ValueError):
            return self._bssid  # a port that cannot say: the one chosen last


class _NoHardware:
    """A configured network that is missing."""

    def __init__(self, kind):
        self._kind = kind

    def tick(self, now):
        return LINK_MS * 60

    def is_up(self):
        return False

    def servers(self):
        return ()

    def restart(self, is_deep, now):
        pass

    def about(self):
        return {"kind": self._kind, "missing": True}


def fix_address(interface, settings):
    """Give the interface the fixed address of the settings; without one it asks DHCP."""
    fixed = settings["address"]
    if fixed and fixed[0]:
        interface.ifconfig(tuple(fixed))


def _name_server(settings):
    """Return the name server of the settings, "" if they leave it to DHCP."""
    return settings["address"][3] if settings["address"] else ""


def _servers(dns, interface):
    """Return the name servers: that of the settings, else the one that came with the address; () if there is none."""
    if dns:
        return (dns,)
    try:
        found = interface.ifconfig()[3]
    except (OSError, ValueError):
        return ()
    return (found,) if found and found != "0.0.0.0" else ()


def _address(interface):
    try:
        return interface.ifconfig()[0]
    except (OSError, ValueError):
        return ""
