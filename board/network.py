"""The network of a chip: a cable that is only checked, or Wi-Fi (toolcart.board.wifi); brought up once, then asked.

Rules
1. A chip's module provides the hardware: `radio(settings)`, `ethernet(pins)`.
2. Without the hardware the agent still runs: results are kept, and the lamp and the status say why.
3. A link that claims to be up and carries nothing is restarted (`Silence`): the firmware of radios hangs, and may never
   report a lost link.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.link.port import is_numeric

LINK_MS = const(1000)  # how often a cable is checked
SILENCE_MS = const(300000)
SILENCE_MAX_MS = const(3600000)


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
        if sockets.has_received:
            sockets.has_received = False
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


class Interface:
    """Ethernet (WIZNET5K, LAN), which comes up by itself and is only checked; `settings` is the part `board`."""

    def __init__(self, interface, settings, now):
        self._interface = interface
        self._settings = settings
        self.losses = 0
        self._next = Timer()
        self._next.start(now, LINK_MS)
        self._switch_on()
        # At once: a connection tried before the first check would wait for a minute (toolsnet.reconnect_ms).
        self._is_up = bool(interface.isconnected())

    def tick(self, now):
        if self._next.expired(now):
            self._next.start(now, LINK_MS)
            was_up = self._is_up
            self._is_up = bool(self._interface.isconnected())
            if was_up and not self._is_up:
                self.losses += 1
        return self._next.left(now)

    def is_up(self):
        return self._is_up

    def servers(self):
        """Return the name servers: that of the settings, else the one that came with the address; () if none."""
        fixed = self._settings["address"]
        if fixed and fixed[3]:
            return (fixed[3],)
        import network

        address = network.ipconfig("dns")
        return (address,) if is_numeric(address) and address != "0.0.0.0" else ()

    def restart(self, is_deep, now):
        """Switch the interface off and on."""
        self._interface.active(False)
        self._switch_on()

    def about(self):
        return {"kind": "ethernet", "up": self._is_up, "losses": self.losses, "address": self._address()}

    def _address(self):
        return self._interface.ipconfig("addr4")[0]

    def _switch_on(self):
        """Switch it on, with the fixed address of the settings; without one it asks DHCP."""
        self._interface.active(True)
        fixed = self._settings["address"]
        if fixed and fixed[0]:
            self._interface.ipconfig(dhcp4=False)  # first: it takes the address away
            self._interface.ipconfig(addr4=(fixed[0], fixed[1]), gw4=fixed[2])
