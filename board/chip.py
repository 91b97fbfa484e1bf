"""What every chip's board shares: ticks, ports, spool, clock, watchdog, lamp, console, and how a network is brought up.

Rules
1. A chip's module gives what differs: `radio()`, `ethernet()`, `lamp_pin()`, `raw_flash(first_kib, size_kib)`.
2. A spool path `raw` or `raw@KIB` is the flash behind the file system, from KIB on; where the firmware leaves none the
   spool lies in files instead, and the start says which. Any other path is a folder.
3. A spool does not lie inside a version's folder: relative paths begin at the root.
4. The watchdog starts with the loop and cannot be stopped. When a person ends the agent a timer goes on feeding it for
   HELD_S, then the board starts again by itself: no cart stays switched off because somebody forgot it.
"""

import gc
import sys
import time

import machine

from agent.base.compat import const
from agent.base.ticks import TICKS_MAX, Timer
from agent.spool.flash import Part
from board.clock import Clock
from board.ntp import Ntp
from board.sockets import Sockets
from board.uart import UartPort
from board.wifi import RADIO_FAILED, RADIO_IDLE, RADIO_JOINED, RADIO_JOINING, Wifi
from board.wifi import STATE_NAMES as WIFI_STATES

WATCHDOG_MS = const(8000)  # an RP2040 allows 8388
HELD_S = 1800
HELD_FEED_MS = const(2000)
LINK_MS = const(1000)  # how often a cable is looked at
RAW = "raw"
FOLDER = "/spool"

# A timer that nobody holds is ended by the next collection, and the board of an ended agent is held by nobody.
held = []


class NoNetwork:
    """A board on serial lines only."""

    def tick(self, now):
        """Nothing to do."""
        return LINK_MS * 60

    def is_up(self):
        """There is none, and none is missed: a lamp that says so would never be off."""
        return True

    def about(self):
        """Its part of the status."""
        return {"kind": "none"}


class Cable:
    """An Ethernet interface that comes up by itself (WIZNET5K, LAN): it is only looked at."""

    def __init__(self, interface, now):
        self.interface = interface
        self.losses = 0
        # At once: who tries to connect before the first look waits for a minute (toolsnet.reconnect_ms).
        self._is_up = bool(interface.isconnected())
        self._next = Timer()
        self._next.start(now, LINK_MS)

    def tick(self, now):
        """Look whether the link is there; the ms until the next look."""
        if self._next.expired(now):
            self._next.start(now, LINK_MS)
            was_up = self._is_up
            self._is_up = bool(self.interface.isconnected())
            if was_up and not self._is_up:
                self.losses += 1
        return self._next.left(now)

    def is_up(self):
        """Tell whether there is a network."""
        return self._is_up

    def about(self):
        """Its part of the status."""
        return {"kind": "ethernet", "up": self._is_up, "losses": self.losses, "address": _address(self.interface)}


class WifiNetwork:
    """Wi-Fi: the machine of board.wifi and the chip's WLAN."""

    def __init__(self, radio, now):
        self._radio = radio
        self.machine = Wifi(radio, now)

    def tick(self, now):
        """Go on; the ms until the next look."""
        return self.machine.tick(now)

    def is_up(self):
        """Tell whether there is a network."""
        return self.machine.is_up()

    def about(self):
        """Its part of the status."""
        wifi = self.machine
        told = {"kind": "wifi", "state": WIFI_STATES[wifi.state], "level_dbm": wifi.level_dbm, "joins": wifi.joins}
        told.update({"losses": wifi.losses, "failures": wifi.failures, "roams": wifi.roams, "restarts": wifi.restarts})
        told["address"] = _address(self._radio.wlan)
        return told


class Radio:
    """A WLAN as board.wifi wants it. `settings` is the `board` part of the completed configuration."""

    def __init__(self, wlan, settings):
        self.wlan = wlan
        self._settings = settings
        self._bssid = None
        self.restart()

    def status(self):
        """RADIO_JOINED only with an address; a negative code of lwIP or 200.. of ESP-IDF is a failure."""
        if self.wlan.isconnected():
            return RADIO_JOINED
        code = self.wlan.status()
        if code < 0 or 200 <= code < 300:
            return RADIO_FAILED
        return RADIO_IDLE if code == 0 else RADIO_JOINING

    def join(self, bssid):
        """Begin to join, this access point if one is given."""
        settings = self._settings
        self._bssid = bssid
        try:
            if bssid is None:
                self.wlan.connect(settings["ssid"], settings["password"] or None)
            else:
                self.wlan.connect(settings["ssid"], settings["password"] or None, bssid=bssid)
        except OSError:
            pass  # status() tells

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
        """List (bssid, dBm, whether it is the one joined) of the network's access points."""
        own = self._own_bssid()
        name = self._settings["ssid"].encode()
        try:
            found = self.wlan.scan()
        except OSError:
            return []
        return [(point[1], point[3], point[1] == own) for point in found if point[0] == name]

    def restart(self):
        """Switch the radio off and on, with the fixed address if there is one."""
        self.wlan.active(False)
        self.wlan.active(True)
        fix_address(self.wlan, self._settings)

    def _own_bssid(self):
        try:
            return self.wlan.config("bssid")
        except (OSError, ValueError):
            return self._bssid  # a port that cannot say it: what was chosen last


class ChipClock:
    """machine.RTC with six numbers."""

    def __init__(self):
        self._rtc = machine.RTC()

    def read(self):
        """Return (year, month, day, hour, minute, second)."""
        return time.localtime()[:6]

    def write(self, moment):
        """Set it; the day of the week is not used by anybody."""
        year, month, day, hour, minute, second = moment
        self._rtc.datetime((year, month, day, 0, hour, minute, second, 0))


class Board:
    """What agent.app and board.upkeep ask of a board."""

    def __init__(self, configuration, chip):
        self.settings = configuration["board"]
        self.said = []  # what the start has to say, in words
        self.watchdog = None
        self._chip = chip
        self._flashes = {}
        now = self.now()
        self.clock = Clock(ChipClock(), now)
        self.network = self._bring_up(now)
        self.sockets = Sockets(self.network.is_up)
        self.ntp = None
        if self.settings["ntp_host"]:
            self.ntp = Ntp(_datagram, self.settings["ntp_host"], self.settings["utc_offset_min"], now)
        self._lamp = self._find_lamp()

    # -- what agent.app asks -----------------------------------------------------------------------------------

    def now(self):
        """Return the ticks."""
        return time.ticks_ms() & TICKS_MAX  # type: ignore[operator]

    def stamp_into(self, buf):
        """Write the local time as 19 characters."""
        self.clock.stamp_into(buf)

    def seed(self):
        """Return a number that differs from start to start."""
        return time.ticks_us() & 0x3FFF ^ machine.unique_id()[-1] << 6  # type: ignore[operator]

    def tcp(self):
        """Return a new port."""
        return self.sockets.tcp()

    def serial(self, controller):
        """Return a new port for the UART of these controller settings."""
        port = UartPort(controller, machine.UART, machine.Pin, self.sockets.poll)
        self.sockets.add(port)
        return port

    def flash(self, spool):
        """Open the flash of these spool settings; None if it cannot be had now."""
        path = spool["path"]
        if path not in self._flashes:
            device = self._open_flash(path, spool["size_kib"])
            if device is None:
                return None
            self._flashes[path] = device
        return self._flashes[path]

    def watch(self, port, slot):
        """Wake `slot` whenever the port has something to say."""
        port.slot = slot

    def wait(self, app, wait_ms):
        """Sleep until input or for `wait_ms`."""
        self.sockets.wait(app, wait_ms, self.now)

    # -- what board.upkeep asks --------------------------------------------------------------------------------

    def start_watchdog(self):
        """From here on the board restarts when nobody feeds it."""
        if self.settings["watchdog"]:
            self.watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def hold_watchdog(self):
        """Feed the watchdog from a timer for HELD_S, then never again."""
        if self.watchdog is not None:
            held.append(Hold(self.watchdog, HELD_S * 1000 // HELD_FEED_MS))

    def show_lamp(self, on):
        """Switch the lamp."""
        if self._lamp is not None:
            self._lamp.value(1 if on else 0)

    def read_console(self):
        """Return what was typed."""
        return self.sockets.read_console()

    def calendar(self, unix_s):
        """Return the six numbers of seconds since 1970, whatever this port counts from."""
        offset_s = 0 if time.gmtime(0)[0] == 1970 else 946684800
        return time.gmtime(unix_s - offset_s)[:6]

    def about(self):
        """The board's part of the status."""
        gc.collect()
        return {
            "chip": sys.platform,
            "firmware": ".".join([str(part) for part in sys.implementation.version[:3]]),
            "free_bytes": gc.mem_free(),  # type: ignore[attr-defined]
            "said": self.said,
            "up_ms": self.now(),
            "id": "".join(["%02x" % octet for octet in machine.unique_id()]),
        }

    def reset(self):
        """Start anew."""
        machine.reset()

    # -- parts -------------------------------------------------------------------------------------------------

    def _bring_up(self, now):
        """Without the hardware the agent runs all the same: results are kept, and the lamp and the status say why."""
        kind = self.settings["network"]
        try:
            if kind == "wifi":
                return WifiNetwork(Radio(self._chip.radio(self.settings), self.settings), now)
            if kind == "ethernet":
                interface = self._chip.ethernet()
                interface.active(True)
                fix_address(interface, self.settings)
                return Cable(interface, now)
        except (OSError, ImportError, AttributeError, ValueError) as error:
            self.said.append("no %s: %s" % (kind, error or type(error).__name__))
            return _NoHardware(kind)
        return NoNetwork()

    def _find_lamp(self):
        try:
            return self._chip.lamp_pin(self.settings["lamp"])
        except (OSError, ValueError, TypeError) as error:
            self.said.append("no lamp: %s" % error)
            return None

    def _open_flash(self, path, size_kib):
        if path == RAW or path.startswith(RAW + "@"):
            first_kib = int(path[len(RAW) + 1 :] or "0")
            device = self._chip.raw_flash()
            if device is not None:
                return self._part(device, path, first_kib, size_kib)
            self.said.append("%s: there is no raw flash beside the file system, the spool lies in files" % path)
            path = path.replace("@", "_")
        return self._open_folder(path, size_kib)

    def _part(self, device, path, first_kib, size_kib):
        """A part of the raw flash; None if it does not fit there."""
        kib = device.block_count * device.block_bytes // 1024
        if first_kib + size_kib > kib:
            self.said.append(
                "%s: %d KiB from %d on do not fit the %d KiB of raw flash" % (path, size_kib, first_kib, kib)
            )
            return None
        self.said.append("%s: raw flash, %d of %d KiB" % (path, size_kib, kib))
        block_kib = device.block_bytes // 1024
        return Part(device, first_kib // block_kib, size_kib // block_kib)

    def _open_folder(self, path, size_kib):
        import os

        from board.folder_flash import FolderFlash

        try:
            if not path.startswith("/"):
                try:
                    os.mkdir(FOLDER)
                except OSError:
                    pass  # it is there; if not, the next line says so
                path = FOLDER + "/" + path
            device = FolderFlash(path, size_kib * 1024)
        except OSError as error:
            self.said.append("%s: %s" % (path, error))
            return None
        self.said.append("%s: a folder of files, %d KiB" % (path, size_kib))
        return device


class _NoHardware:
    """A network that was asked for and cannot be."""

    def __init__(self, kind):
        self._kind = kind

    def tick(self, now):
        return LINK_MS * 60

    def is_up(self):
        return False

    def about(self):
        return {"kind": self._kind, "missing": True}


class Hold:
    """Feeds a watchdog from a timer, so often and no oftener."""

    def __init__(self, watchdog, feeds):
        self._watchdog = watchdog
        self._left = feeds
        watchdog.feed()
        self._timer = machine.Timer(-1)
        self._timer.init(period=HELD_FEED_MS, mode=machine.Timer.PERIODIC, callback=self._feed)

    def _feed(self, timer):
        if self._left > 0:
            self._left -= 1
            self._watchdog.feed()
        else:
            timer.deinit()


def fix_address(interface, settings):
    """Give the interface the fixed address of the settings; without one it asks DHCP."""
    if not settings["address"]:
        return
    address, _, prefix = settings["address"].partition("/")
    bits = int(prefix or "24")
    mask = (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
    netmask = ".".join([str(mask >> shift & 255) for shift in (24, 16, 8, 0)])
    gateway = settings["gateway"] or "0.0.0.0"
    interface.ifconfig((address, netmask, gateway, gateway))


def _address(interface):
    try:
        return interface.ifconfig()[0]
    except (OSError, ValueError):
        return ""


class _Datagram:
    """One UDP socket as board.ntp wants it."""

    def __init__(self, sock):
        self._sock = sock

    def send(self, buf):
        self._sock.write(buf)

    def recv_into(self, buf):
        return self._sock.readinto(buf) or 0

    def close(self):
        self._sock.close()


def _datagram(host):
    """An open datagram socket to the time server, None if it cannot be had now."""
    import socket

    try:
        address = socket.getaddrinfo(host, 123, 0, socket.SOCK_DGRAM)[0][-1]
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.connect(address)
    except OSError:
        return None
    return _Datagram(sock)
