"""What the boards of all chips share: ticks, ports, spool, clock, watchdog, lamp, console.

Rules
1. A chip's module provides what differs: `radio()` and `ethernet()` (toolcart.board.network), `lamp_pin()`,
   `raw_flash()`, `supply(pin)`.
2. A spool path `raw` or `raw@KIB` is the flash behind the file system, from KIB on; if the firmware leaves none the
   spool is in files instead, and the start says which. Any other path is a folder. No part of the flash, no folder and
   no UART is given to two stations, however it is spelled: the second one is refused.
3. A spool is never inside a version's folder: relative paths begin at the root.
4. The watchdog starts with the loop and cannot be stopped; toolcart.board.watchdog_grace feeds it when a person ends
   the agent.
5. Where this board does not have what the settings name, `lacks` is true and `messages` say what: a version on trial
   fails for it (toolcart.board.main), any other runs without.
"""

import gc
import sys
import time

import machine

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import TICKS_MAX
from toolcart.agent.log.flash import Partition
from toolcart.board.clock import SOURCE_TOOLSNET, Clock
from toolcart.board.network import Interface
from toolcart.board.sockets import Sockets
from toolcart.board.watchdog_grace import HELD_FEED_MS

WATCHDOG_MS = const(8000)  # an RP2040 allows 8388
SCAN_MS = const(12000)  # the longest scan takes 10 s (extmod/network_cyw43.c, network_cyw43_scan)
NTP_PORT = const(123)
RAW = "raw"


def host_name():
    """Return the name by which DHCP and routers list the board."""
    return "toolcart-%02x%02x%02x" % tuple(machine.unique_id()[-3:])


class ChipClock:
    """machine.RTC, read and set as six numbers."""

    def __init__(self):
        self._rtc = machine.RTC()

    def read(self):
        """Return (year, month, day, hour, minute, second, ...)."""
        return time.localtime()

    def write(self, moment):
        """Set the clock; nothing uses the day of the week."""
        year, month, day, hour, minute, second = moment
        self._rtc.datetime((year, month, day, 0, hour, minute, second, 0))


def _udp():
    """Return a datagram socket that does not block."""
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def _place(host, port):
    """Return the socket address for a host in four numbers; that never blocks."""
    import socket

    return socket.getaddrinfo(host, port)[0][-1]


def _first_kib(path):
    """Return where a part of raw flash begins; -1 of a spool in a folder."""
    if path != RAW and not path.startswith(RAW + "@"):
        return -1
    return int(path[len(RAW) + 1 :] or "0")


class Board:
    """What toolcart.agent.cart.app and toolcart.board.housekeeping ask of a board."""

    def __init__(self, configuration, chip):
        self.settings = configuration["board"]
        self.messages = []  # messages of the start, in words
        self.lacks = False  # one of these is what the settings ask of this board in vain
        self.watchdog = None
        self._chip = chip
        self._flashes = {}
        now = self.now()
        self.clock = Clock(ChipClock(), now)
        self.network = self._bring_up(now)
        self.sockets = Sockets(self.network.is_up, self._make_resolver, self.now)
        self.ntp = None
        if self.settings["ntp_hosts"]:
            from toolcart.board.ntp import Ntp  # only if a server is asked
            from toolcart.board.zone import zone_of

            zone = zone_of(self.settings["time_zone"], self.messages)
            self.ntp = Ntp(self._datagram, self.settings["ntp_hosts"], zone, now)
        self._lamp = self._find_lamp()

    def _bring_up(self, now):
        """Return the network that the settings name; without its hardware the agent still runs, and this is said."""
        kind = self.settings["network"]
        try:
            if kind == "wifi":
                from toolcart.board.wifi import Wifi  # not with a cable

                return Wifi(self._chip.radio(self.settings), self.settings, self.scan, now)
            if kind == "ethernet":
                return Interface(self._chip.ethernet(self.settings["ethernet_pins"]), self.settings, now)
        except (OSError, ImportError, AttributeError, ValueError) as error:
            self._miss("no %s: %s" % (kind, error or type(error).__name__))
        from toolcart.board.no_network import NoNetwork

        return NoNetwork("" if kind == "none" else kind)

    # -- for toolcart.agent.cart.app -------------------------------------------------------------------------------

    def now(self):
        return time.ticks_ms() & TICKS_MAX  # type: ignore - an int, another type in the stubs

    def stamp_into(self, buf):
        self.clock.stamp_into(buf)

    def clock_is_set(self):
        """True if ToolsNet or NTP has set the clock, and not only a controller."""
        return self.clock.source >= SOURCE_TOOLSNET

    def seed(self):
        return time.ticks_us() & 0x3FFF ^ machine.unique_id()[-1] << 6  # type: ignore - likewise an int

    def tcp(self):
        return self.sockets.tcp()

    def serial(self, controller):
        from toolcart.board.uart import port_of  # not with controllers over TCP alone

        port, missing = port_of(controller, machine.UART, machine.Pin, self.sockets)
        if missing:
            self._miss(missing)
        return port

    def flash(self, spool):
        path = spool["path"]
        place = path, spool.get("owner", path)[-1]  # and the station's number
        if place not in self._flashes:
            device = self._open_flash(path, spool["size_kib"])
            if device is None:
                return None
            if self.settings["supply"]:
                from toolcart.board.supplied_flash import SuppliedFlash  # few boards have it

                device = SuppliedFlash(device, self._chip.supply(self.settings["supply"][0]), self.settings["supply"])
            self._flashes[place] = device
        return self._flashes[place]

    def watch(self, port, slot):
        port.slot = slot

    def wait(self, app, wait_ms):
        """Sleep until input or for `wait_ms`."""
        self.sockets.wait(app, wait_ms)

    # -- for toolcart.board.housekeeping ---------------------------------------------------------------------------

    def start_watchdog(self):
        """Start the watchdog: from here on the board restarts when it is not fed."""
        self.watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def hold_watchdog(self):
        """Feed the watchdog from a timer for HELD_S, then never again."""
        if self.watchdog is not None:
            from toolcart.board.watchdog_grace import hold

            hold(self.watchdog, self._chip.timer)

    def scan(self, wlan):
        """List the access points; feed the watchdog meanwhile, since that may take longer than it waits."""
        if self.watchdog is None:
            return wlan.scan()
        from toolcart.board.watchdog_grace import WatchdogGrace

        feeder = WatchdogGrace(self.watchdog, self._chip.timer, SCAN_MS // HELD_FEED_MS)
        try:
            return wlan.scan()
        finally:
            feeder.end()

    def show_lamp(self, on):
        if self._lamp is not None:
            self._lamp.value(1 if on else 0)

    def read_console(self):
        return self.sockets.read_console()

    def calendar(self, unix_s):
        """Return the six numbers of seconds since 1970, whatever epoch this port has."""
        offset_s = 0 if time.gmtime(0)[0] == 1970 else 946684800
        return time.gmtime(unix_s - offset_s)[:6]

    def about(self):
        gc.collect()
        octets = machine.unique_id()
        return {
            "chip": sys.platform,
            "firmware": "%d.%d.%d" % sys.implementation.version[:3],
            "free_bytes": gc.mem_free(),
            "said": self.messages,
            "supply": [flash.about() for flash in self._flashes.values()] if self.settings["supply"] else [],
            "up_ms": self.now(),
            "resolver": self.sockets.resolver and self.sockets.resolver.about(),
            "id": "%02x" * len(octets) % tuple(octets),
        }

    def reset(self):
        machine.reset()

    # -- parts -------------------------------------------------------------------------------------------------

    def _make_resolver(self):
        """Return a resolver of names; loaded only if the configuration or a telegram 08 has one."""
        import os

        from toolcart.board.resolver import Resolver

        def number():
            octets = os.urandom(2)
            return octets[0] << 8 | octets[1]

        return Resolver(self.sockets.poll, self.network.servers, _udp, _place, number)

    def _datagram(self, host):
        """Return an open datagram socket to the time server; None if there is none now, while its name is looked up."""
        address = self.sockets.address_of(host)
        if not address:
            return None
        try:
            sock = _udp()
            sock.connect(_place(address, NTP_PORT))
        except OSError:
            return None
        return sock

    def _find_lamp(self):
        try:
            return self._chip.lamp_pin(self.settings["lamp"])
        except (OSError, ValueError, TypeError) as error:
            note = self._miss if self.settings["lamp"] else self.messages.append  # nobody asked for the board's own
            note("no lamp: %s" % error)
            return None

    def _open_flash(self, path, size_kib):
        first_kib = _first_kib(path)
        if first_kib >= 0:
            device = self._chip.raw_flash()
            if device is not None:
                return self._part(device, path, first_kib, size_kib)
            self.messages.append("%s: there is no raw flash beside the file system, the spool lies in files" % path)
        from toolcart.board.folder_flash import open_folder  # not with raw flash alone

        device, missing = open_folder(path, size_kib, [place[0] for place in self._flashes])
        if missing:
            self._miss(missing)
        if device is not None:
            self.messages.append("%s: a folder of files, %d KiB" % (device.folder, size_kib))
        return device

    def _part(self, device, path, first_kib, size_kib):
        """Return a part of the raw flash; None if it does not fit there, or another spool has some of it."""
        block_kib = device.block_bytes // 1024
        kib = device.block_count * block_kib
        if first_kib + size_kib > kib:
            return self._miss(
                "%s: %d KiB from %d on do not fit the %d KiB of raw flash" % (path, size_kib, first_kib, kib)
            )
        for place in self._flashes:
            other = place[0]
            start_kib = _first_kib(other)
            end_kib = start_kib + self._flashes[place].block_count * block_kib
            if start_kib >= 0 and first_kib < end_kib and start_kib < first_kib + size_kib:
                return self._miss(
                    "%s: of its %d to %d KiB some belong to %s, which has %d to %d"
                    % (path, first_kib, first_kib + size_kib, other, start_kib, end_kib)
                )
        self.messages.append("%s: raw flash, %d of %d KiB" % (path, size_kib, kib))
        return Partition(device, first_kib // block_kib, size_kib // block_kib)

    def _miss(self, message):
        """Note what this board lacks of what the settings ask of it; once, though a spool is tried again."""
        self.lacks = True
        if message not in self.messages:
            self.messages.append(message)
