"""MicroPython's `machine`, `network`, `rp2` and `esp32` for board/ on CPython: enough to run a chip's board in a test.

Rules
1. `installed(platform)` puts the modules in place for a block and takes them and every board module that saw them away.
2. What a board did is kept: pins, the watchdog's feeds, calls of the radio.
"""

import contextlib
import sys
import time
import types

from lab.chips import rules

SEEN = (
    "toolcart.board.chip",
    "toolcart.board.watchdog_grace",
    "toolcart.board.network",
    "toolcart.board.rp2.board",
    "toolcart.board.esp32.board",
    "toolcart.board.resolver",
    "toolcart.board.rp2.flash",
    "toolcart.board.esp32.flash",
    "toolcart.board.sockets",
    "toolcart.board.tls",
)


class Pin:
    IN, OUT = 0, 1
    made: dict = {}

    def __init__(self, name, mode=None):
        if name == "no such pin":
            raise ValueError("unknown named pin")
        self.name = name
        self.level = None
        Pin.made[name] = self

    def value(self, level):
        self.level = level


class WDT:
    platform = "rp2"

    def __init__(self, timeout):
        if not 0 < timeout <= rules.WATCHDOG_MAX_MS[self.platform]:
            raise ValueError("timeout exceeds 8388")
        self.timeout = timeout
        self.feeds = 0

    def feed(self):
        self.feeds += 1


class Timer:
    """One of the numbers of lab.chips.rules."""

    PERIODIC = 1
    numbers: tuple = ()
    made: list = []

    def __init__(self, number):
        if number not in self.numbers:
            raise ValueError("invalid Timer number")
        Timer.made.append(self)
        self.callback = None
        self.ended = False

    def init(self, period, mode, callback):
        self.period = period
        self.callback = callback

    def deinit(self):
        self.ended = True

    def fire(self):
        if not self.ended:
            self.callback(self)


class UART:
    def __init__(self, number, **settings):
        self.number = number
        self.settings = settings

    def fileno(self):
        return 1  # only so that a real poll takes it

    def deinit(self):
        pass


class ADC:
    """By the rules of ports/rp2/machine_adc.c:34 and ports/esp32/machine_adc.c:202; `mv` is what lies at each pin."""

    ATTN_11DB = 3
    pins: tuple = ()
    mv: dict = {}

    def __init__(self, pin, atten=0):
        if pin.name not in self.pins:
            raise ValueError("Pin doesn't have ADC capabilities")
        self.pin = pin.name

    def read_u16(self):
        return int(self.mv[self.pin] * 65536 / 3300)

    def read_uv(self):
        return int(self.mv[self.pin] * 1000)


class RTC:
    moment = (2021, 1, 1, 0, 0, 0)

    def datetime(self, values):
        RTC.moment = (values[0], values[1], values[2], values[4], values[5], values[6])


class SPI:
    def __init__(self, *arguments, **named):
        self.arguments = arguments
        self.named = named


class Interface:
    """A WLAN, a W5500 or a LAN; `dns` is what the stack knows, whatever the interface."""

    dns = "0.0.0.0"

    def __init__(self, *arguments, **named):
        self.arguments = arguments
        self.named = named
        self.calls = []
        self.connected = False
        self.code = 1
        self.around = []
        self.dhcp4 = True
        self.fixed = {}
        Interface.last = self

    def active(self, on):
        self.calls.append(("active", on))

    def isconnected(self):
        return self.connected

    def status(self, what=None):
        return -61 if what == "rssi" else self.code

    def connect(self, *arguments, **named):
        self.calls.append(("connect", arguments, named))

    def disconnect(self):
        self.calls.append(("disconnect",))

    def scan(self):
        return self.around

    PM_NONE = 0xA11140

    def config(self, what=None, **named):
        if named:
            self.calls.append(("config", named))
        return b"here"

    def deinit(self):
        self.calls.append(("deinit",))

    def ipconfig(self, what=None, **settings):
        if what is not None:
            return self.fixed.get(what, ("0.0.0.0", "0.0.0.0"))
        if "dhcp4" in settings:
            self.dhcp4 = settings.pop("dhcp4")
            self.fixed = {}  # extmod/network_lwip.c: dhcp_release_and_stop
        self.fixed.update(settings)
        return None


class RomFlash(bytearray):
    """rp2.Flash and esp32.Partition: a block device, and as rp2.Flash is one: its octets are a buffer.

    Cells in `stuck` are not programmed.
    """

    stuck: tuple = ()

    def __init__(self, blocks=352, **_):
        super().__init__(b"\xff" * blocks * 4096)

    def readblocks(self, block, buf, offset=0):
        start = block * 4096 + offset
        buf[:] = self[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        start = block * 4096 + offset
        for index, octet in enumerate(buf):
            if start + index not in self.stuck:
                self[start + index] &= octet

    def ioctl(self, command, argument):
        if command == 4:
            return len(self) // 4096
        if command == 6:
            self[argument * 4096 : argument * 4096 + 4096] = b"\xff" * 4096
        return 0


class Partition(RomFlash):
    TYPE_DATA = 1
    table: dict = {}

    @classmethod
    def find(cls, kind, label):
        return [cls.table[label]] if label in cls.table else []

    def info(self):
        return (1, 0x40, 0x200000, len(self), "spool", False)


def driven(platform, blocks=4):
    """Return the driver of a platform over a flash of these blocks, and that flash; inside of `installed`."""
    if platform == "rp2":
        from toolcart.board.rp2 import flash as rp2_flash

        cells = RomFlash(blocks)
        rp2_flash.rp2.Flash = lambda **_: cells
        return rp2_flash.Rp2Flash(), cells
    from toolcart.board.esp32.flash import PartitionFlash

    cells = Partition(blocks)
    return PartitionFlash(cells), cells


def modules(platform, with_network=True):
    """The modules of a platform by name."""
    machine = types.SimpleNamespace(
        Pin=Pin,
        UART=UART,
        WDT=WDT,
        Timer=Timer,
        ADC=ADC,
        RTC=RTC,
        SPI=SPI,
        unique_id=lambda: b"\xe6\x61\x00\x07",
        reset=lambda: None,
    )
    network = types.SimpleNamespace(
        WLAN=Interface, WIZNET5K=Interface, LAN=Interface, STA_IF=0, PHY_LAN8720=1, hostname=lambda n: None
    )
    network.country = lambda c: None
    network.ipconfig = lambda what: Interface.dns
    Interface.dns = "0.0.0.0"
    found = {"machine": machine}
    if with_network:
        found["network"] = network
    if platform == "rp2":
        found["rp2"] = types.SimpleNamespace(Flash=RomFlash, country=lambda c: None)
    else:
        found["esp32"] = types.SimpleNamespace(Partition=Partition)
    return found


def forgotten(name):
    """Take a module out of the interpreter, and out of its package, which `from package import module` asks first."""
    room, _, last = name.rpartition(".")
    if hasattr(sys.modules.get(room), last):
        delattr(sys.modules[room], last)
    return sys.modules.pop(name, None)


@contextlib.contextmanager
def installed(platform, with_network=True):
    """Run a block as if on a chip of this platform."""
    put = modules(platform, with_network)
    Timer.numbers = rules.TIMERS[platform]
    WDT.platform = platform
    ADC.pins = (26, 27, 28, 29) if platform == "rp2" else (*range(32, 40),)
    ADC.mv = {}
    Timer.made = []
    kept = {name: forgotten(name) for name in ("machine", "network", "rp2", "esp32", *SEEN)}
    sys.modules.update(put)
    Pin.made = {}
    RTC.moment = (2021, 1, 1, 0, 0, 0)
    clock = {"ticks_ms": lambda: int(time.monotonic() * 1000), "ticks_us": lambda: 1, "mem_free": lambda: 100000}
    import gc

    for name in ("ticks_ms", "ticks_us"):
        setattr(time, name, clock[name])
    gc.mem_free = clock["mem_free"]
    try:
        yield put
    finally:
        for name in ("ticks_ms", "ticks_us"):
            delattr(time, name)
        del gc.mem_free
        for name, module in kept.items():
            forgotten(name)
            if module is not None:
                sys.modules[name] = module
                room, _, last = name.rpartition(".")
                if room:
                    setattr(sys.modules[room], last, module)
