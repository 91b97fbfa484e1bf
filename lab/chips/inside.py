"""The chip's side of lab.chips.chip, run by MicroPython itself: fakes of what only a port has, and then the board.

    inside.py PLATFORM install|run|cat BLOCKS_OF_FILES BLOCKS [FILE]        (in the folder of its files)

Rules
1. Time, network and power are up to the other side: every call that takes time, moves bytes or changes the flash is a
   request over two pipes. A chip that loses its power gets no answer; the process is ended from outside.
2. The file system is a littlefs in a part of the file `flash`, mounted at `/`; the program is in a ROMFS, or was
   copied.
3. What these fakes take of the heap is measured before the board is loaded, reported, and added on top.
"""

import gc
import os
import struct
import sys
import time as real_time

import rules
import vfs

PORTABLE = True

TICKS = (1 << 30) - 1
BLOCK = 4096
WLAN_ACTIVE, WLAN_CONNECT, WLAN_LEAVE, WLAN_IS_UP, WLAN_STATUS, WLAN_DEINIT, WLAN_POINTS, WLAN_ADDRESS = range(8)
LOOK_AT_HEAP_MS = 30000


class Wire:
    """One question, one answer."""

    def __init__(self):
        self._out = open("asks", "wb")
        self._in = open("answers", "rb")
        self._head = bytearray(12)
        self.buf = bytearray(2048)
        self.length = 0

    def ask(self, what, number=0, a=0, b=0, octets=b""):
        struct.pack_into("<BBHii", self._head, 0, what, number, len(octets), a, b)
        self._out.write(self._head)
        if octets:
            self._out.write(octets)
        self._fill(self._head, 8)
        answer, self.length = struct.unpack_from("<ii", self._head, 0)
        self._fill(self.buf, self.length)
        return answer

    def _fill(self, buf, count):
        at = 0
        view = memoryview(buf)
        while at < count:
            got = self._in.readinto(view[at:count])
            if not got:
                sys.exit(3)  # the other side is gone
            at += got


class Time:
    """`time`, and the only place where it passes."""

    def __init__(self):
        self.now = 0
        self.timers = []
        self._free_due = 0

    def ticks_ms(self):
        return self.now & TICKS

    def ticks_us(self):
        return self.now * 1000 & TICKS

    def ticks_diff(self, a, b):
        return real_time.ticks_diff(a, b)

    def localtime(self, seconds=None):
        return real_time.gmtime(self.now // 1000 if seconds is None else seconds)

    gmtime = localtime

    def sleep(self, seconds):
        self.sleep_ms(int(seconds * 1000))

    def sleep_ms(self, ms):
        self.wait(ms, b"")

    def wait(self, ms, wanted):
        """Let time pass until something of `wanted` is ready, with timers firing; return how many are."""
        self._look_at_heap()
        while True:
            step = ms
            for timer in self.timers:
                left = timer.due - self.now
                step = left if left < step else step
            passed = wire.ask(rules.WAIT, 0, step if step > 0 else 0, 0, wanted)
            if passed < 0:
                raise KeyboardInterrupt
            self.now += passed
            ms -= passed
            self.fire()
            if wire.length or ms <= 0:
                return wire.length // 2

    def fire(self):
        for timer in list(self.timers):
            timer.fire_if_due()

    def stall(self, what, ms):
        """Let time pass with nothing running, not even a timer."""
        self.now += ms
        wire.ask(what, 0, ms)

    def _look_at_heap(self):
        if self.now >= self._free_due:
            self._free_due = self.now + LOOK_AT_HEAP_MS
            if wire.ask(rules.FREE) > 0:
                gc.collect()
                wire.ask(rules.FREE, 0, gc.mem_free())
            else:
                self._free_due = 1 << 40


class Poll:
    """`select.poll`."""

    def __init__(self):
        self._things = []
        self._wanted = bytearray()

    def _at(self, thing):
        for at in range(len(self._things)):
            if self._things[at] is thing:
                return at
        return -1

    def register(self, thing, events=5):
        number = rules.CONSOLE if thing is sys.stdin else thing.number
        if self._at(thing) < 0:
            self._things.append(thing)
            self._wanted.extend(bytes((number, events)))
        else:
            self.modify(thing, events)

    def modify(self, thing, events):
        at = self._at(thing)
        if at < 0:
            raise OSError(2)
        self._wanted[2 * at + 1] = events

    def unregister(self, thing):
        at = self._at(thing)
        if at < 0:
            raise KeyError(thing)
        del self._things[at]
        self._wanted = self._wanted[: 2 * at] + self._wanted[2 * at + 2 :]

    def ipoll(self, ms=-1):
        count = time.wait(ms if ms >= 0 else 60000, self._wanted)
        ready = [(wire.buf[2 * at], wire.buf[2 * at + 1]) for at in range(count)]
        for at in range(len(self._things)):
            for number, events in ready:
                if self._wanted[2 * at] == number:
                    yield self._things[at], events


class Select:
    POLLIN, POLLOUT, POLLERR, POLLHUP = rules.POLLIN, rules.POLLOUT, rules.POLLERR, rules.POLLHUP
    poll = Poll


class Sock:
    """`socket.socket`: one that may block is refused, because on a board it stops everything."""

    def __init__(self, family=2, kind=1, proto=0):
        self.number = checked(wire.ask(rules.SOCKET, 0, kind))
        self._blocks = True

    def setblocking(self, blocks):
        self._blocks = blocks

    def setsockopt(self, level, option, value):
        pass

    def connect(self, address):
        self._must_not_block()
        checked(wire.ask(rules.CONNECT, self.number, address[1], 0, numeric(address[0])))

    def read(self, n):
        buf = bytearray(n)
        got = self.readinto(buf, n)
        return None if got is None else bytes(buf[:got])

    def readinto(self, buf, n=-1):
        self._must_not_block()
        got = wire.ask(rules.READ, self.number, len(buf) if n < 0 else n)
        if got == -EAGAIN:
            return None
        checked(got)
        buf[0:got] = memoryview(wire.buf)[:got]
        return got

    def write(self, buf, start=0, n=-1):
        self._must_not_block()
        end = len(buf) if n < 0 else start + n
        put = wire.ask(rules.WRITE, self.number, 0, 0, memoryview(buf)[start:end])
        return None if put == -EAGAIN else checked(put)

    send = write

    def sendto(self, octets, address):
        self._must_not_block()
        return checked(wire.ask(rules.SENDTO, self.number, address[1], 0, numeric(address[0]) + b"\0" + octets))

    def recvfrom(self, n):
        self._must_not_block()
        checked(wire.ask(rules.RECVFROM, self.number, n))
        host, _, octets = bytes(memoryview(wire.buf)[2 : wire.length]).partition(b"\0")
        return octets, (host.decode(), wire.buf[0] | wire.buf[1] << 8)

    def close(self):
        if self.number:
            wire.ask(rules.CLOSE, self.number)
            self.number = 0

    def _must_not_block(self):
        if self._blocks:
            raise RuntimeError("a call on a socket that blocks")


class Socket:
    AF_INET, SOCK_STREAM, SOCK_DGRAM = 2, 1, 2
    socket = Sock

    def getaddrinfo(self, host, port, *more):
        try:
            numeric(host)
        except ValueError:  # the whole board stands still
            time.stall(rules.STALL, rules.NAME_BLOCKS_MS)
            if wire.ask(rules.NAME, 0, 0, 0, host.encode()) < 0:
                raise OSError(rules.NAME_UNKNOWN)
            host = bytes(memoryview(wire.buf)[: wire.length]).decode()
        return [(2, 1, 0, "", (host, port))]


def numeric(host):
    """extmod/modlwip.c:391: an address is four numbers, else ValueError."""
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isdigit() and int(part) < 256 for part in parts):
        raise ValueError("invalid arguments")
    return host.encode()


def checked(code):
    if code < 0:
        raise OSError(-code)
    return code


def addresses():
    """Return address, mask, gateway and name server as DHCP has given them."""
    wire.ask(rules.WLAN, WLAN_ADDRESS)
    return tuple(bytes(memoryview(wire.buf)[: wire.length]).decode().split(" "))


class Wlan:
    """`network.WLAN`."""

    PM_NONE = 0xA11140

    def __init__(self, *arguments, **named):
        self._fixed = None
        if platform == "rp2":
            self.deinit = self._deinit  # ports/esp32/network_wlan.c has none

    def _ask(self, what, a=0, octets=b""):
        return wire.ask(rules.WLAN, what, a, 0, octets)

    def active(self, on=None):
        return bool(self._ask(WLAN_ACTIVE, -1 if on is None else int(on)))

    def connect(self, ssid=None, key=None, *, bssid=None):
        if bssid is not None and len(bssid) != 6:
            raise ValueError  # extmod/network_cyw43.c:285, ports/esp32/network_wlan.c:330
        checked(self._ask(WLAN_CONNECT, 0, b"%s\0%s\0%s" % (ssid.encode(), (key or "").encode(), bssid or b"")))

    def disconnect(self):
        checked(self._ask(WLAN_LEAVE))

    def isconnected(self):
        return bool(self._ask(WLAN_IS_UP))

    def status(self, what=None):
        if what not in (None, "rssi"):
            raise ValueError("unknown status param")
        return self._ask(WLAN_STATUS, 0 if what is None else 1)

    def _deinit(self):
        self._ask(WLAN_DEINIT)

    def config(self, what=None, **named):
        for name in named:
            if name != "pm":
                raise ValueError("unknown config param")
        if what is not None:
            raise ValueError("unknown config param")  # neither port reports "bssid" by this call

    def ipconfig(self, what=None, **settings):
        if settings:
            self._fixed = settings.get("addr4")
            return None
        if self._fixed and self.isconnected():
            return self._fixed
        return addresses()[:2]

    def scan(self):
        if platform == "esp32" and not self.active():
            raise OSError(rules.SCAN_OFF[platform])
        time.sleep_ms(rules.SCAN_BLOCKS_MS[platform])  # timers fire meanwhile
        points = []
        for at in range(self._ask(WLAN_POINTS)):
            name = b"Plant"
            points.append((name, bytes(wire.buf[8 * at : 8 * at + 6]), 1, -wire.buf[8 * at + 6], 3, 1))
        return points


class Cable(Wlan):
    """`network.WIZNET5K` and `network.LAN`: while active it asks for an address on its own."""

    def active(self, on=None):
        result = Wlan.active(self, on)
        if on:
            self._ask(WLAN_CONNECT)
        return result

    connect = disconnect = status = scan = None


class Network:
    WLAN = Wlan
    WIZNET5K = LAN = Cable
    STA_IF, PHY_LAN8720 = 0, 1

    def hostname(self, name):
        pass

    def ipconfig(self, what):
        return addresses()[3]

    country = hostname


class Pin:
    OUT = 1

    def __init__(self, name, mode=0):
        pass

    def value(self, level):
        pass

    def on(self):
        pass

    off = on


class Timer:
    PERIODIC = 1

    def __init__(self, number=-1):
        if number not in rules.TIMERS[platform]:
            raise ValueError(rules.NO_TIMER[platform])

    def init(self, period, mode, callback):
        self.period, self.callback = period, callback
        self.due = time.now + period
        self.deinit()
        time.timers.append(self)

    def deinit(self):
        if self in time.timers:
            time.timers.remove(self)

    def fire_if_due(self):
        if self.due <= time.now:
            self.due = time.now + self.period
            self.callback(self)


class Watchdog:
    def __init__(self, id=0, timeout=5000):
        if id or not 0 < timeout <= rules.WATCHDOG_MAX_MS[platform]:
            raise ValueError("timeout exceeds %d" % rules.WATCHDOG_MAX_MS[platform])
        wire.ask(rules.WATCHDOG, 0, timeout)

    def feed(self):
        wire.ask(rules.FEED)


class Uart:
    """`machine.UART`: what the world has for it comes in whole; a FIFO that overruns is lab.harness.serial_line's."""

    RTS, CTS, INV_TX, INV_RX = 2, 1, 1, 2

    def __init__(self, number, **settings):
        if number not in rules.UARTS[platform]:
            raise ValueError("UART(%d) doesn't exist" % number)
        self.number = wire.ask(rules.UART, 0, settings["baudrate"])

    def any(self):
        return wire.ask(rules.READ, self.number, -1)

    def readinto(self, buf, n):
        got = wire.ask(rules.READ, self.number, n)
        buf[0:got] = memoryview(wire.buf)[:got]
        return got or None

    def write(self, buf, start, n):
        return wire.ask(rules.WRITE, self.number, 0, 0, memoryview(buf)[start : start + n])

    def flush(self):
        pass

    def deinit(self):
        wire.ask(rules.CLOSE, self.number)


class Rtc:
    def datetime(self, moment=None):
        pass


class Unit:
    def __init__(self, *arguments, **named):
        pass


class Machine:
    Pin, Timer, WDT, RTC, SPI, UART = Pin, Timer, Watchdog, Rtc, Unit, Uart

    def unique_id(self):
        return b"\xe6\x61\x00\x07"

    def reset(self):
        wire.ask(rules.RESET)


_BLANK = b"\xff" * 256
_PIECE = bytearray(256)


def dead(torn):
    """End here if `torn` says that the power failed: this request is never answered."""
    if torn >= 0:
        wire.ask(rules.NOTICE)


class Blocks:
    """`rp2.Flash` and `esp32.Partition`: whole blocks of `flash` from `start` on; a program only clears bits."""

    def __init__(self, file, start, count):
        self._file = file
        self._start = start
        self._count = count

    def readblocks(self, block, buf, offset=0):
        self._file.seek(self._start + block * BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            for at in range(len(buf) // BLOCK):
                self.ioctl(6, block + at)
            offset = 0
        start = self._start + block * BLOCK + offset
        if platform == "rp2" and (len(buf) % rules.PAGE_BYTES or start % rules.PAGE_BYTES):
            raise RuntimeError("a program of %d octets at %d" % (len(buf), start))
        torn = time_stall(rules.PROGRAM, rules.PROGRAM_MS * (1 + len(buf) // rules.PAGE_BYTES), len(buf))
        self._clear(start, buf, len(buf) if torn < 0 else torn)
        dead(torn)

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._count
        if command == 5:
            return BLOCK
        if command == 6:
            torn = time_stall(rules.ERASE, rules.ERASE_MS, BLOCK)
            self._file.seek(self._start + argument * BLOCK)
            left = BLOCK if torn < 0 else torn
            while left > 0:
                left -= self._file.write(_BLANK, left if left < 256 else 256)
            dead(torn)
        return 0

    def _clear(self, start, buf, count):
        """Program so many bytes without allocating anything of their size: the heap is the board's."""
        done = 0
        while done < count:
            piece = count - done if count - done < 256 else 256
            self._file.seek(start + done)
            self._file.readinto(_PIECE, piece)
            for at in range(piece):
                _PIECE[at] &= buf[done + at]
            self._file.seek(start + done)
            self._file.write(_PIECE, piece)
            done += piece

    def info(self):
        return (1, 0x40, self._start, self._count * BLOCK, "spool", False)


def time_stall(what, ms, octets):
    """Return how much of a flash operation is done when the power fails in it, -1 if it does not fail."""
    time.now += ms
    torn = wire.ask(what, 0, ms, octets)
    time.fire()
    return torn


class Ring(bytearray):
    """Mapped flash that keeps its bytes in the heap beside the board's and in the file."""

    def set(self, blocks):
        self._blocks = blocks
        return self

    def readblocks(self, block, buf, offset=0):
        self._blocks.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset):
        self._blocks.writeblocks(block, buf, offset)
        at = block * BLOCK + offset
        for octet in buf:
            self[at] &= octet
            at += 1

    def ioctl(self, command, argument=0):
        result = self._blocks.ioctl(command, argument)
        if command == 6:
            for at in range(argument * BLOCK, argument * BLOCK + BLOCK):
                self[at] = 0xFF
        return result


class Chip:
    """`rp2` and `esp32`."""

    TYPE_DATA = 1

    def __init__(self, file, files, total):
        self._file, self._files, self._total = file, files, total
        self.ring = None
        self.Partition = self

    def country(self, name):
        pass

    def Flash(self, start=-1, len=-1):
        if start < 0:
            return Blocks(self._file, 0, self._total)
        return self.ring

    def make_ring(self):
        blocks = Blocks(self._file, self._files * BLOCK, self._total - self._files)
        self.ring = blocks
        if platform == "rp2":
            self.ring = Ring(blocks.ioctl(4) * BLOCK).set(blocks)
            blocks.readblocks(0, self.ring)

    def find(self, kind, label=""):
        return [self.ring] if label == "spool" and self.ring is not None else []


class Sys:
    """`sys` with another platform."""

    path, modules, implementation, stdin, stdout = sys.path, sys.modules, sys.implementation, sys.stdin, sys.stdout

    def __init__(self):
        self.platform = platform
        self.exit, self.print_exception = sys.exit, sys.print_exception


class Errno:
    """`errno` has these names and no others (py/moderrno.c:38)."""


def install_fakes(files, total):
    """Put the fakes in place of the modules."""
    global wire, time, EAGAIN
    wire = Wire()
    time = Time()
    EAGAIN = rules.ERRNO[platform]["EAGAIN"]
    errno = Errno()
    for name, number in rules.ERRNO[platform].items():
        setattr(errno, name, number)
    chip = Chip(open("flash", "r+b"), files, total)
    if total > files:
        chip.make_ring()
    modules = {"machine": Machine(), "network": Network(), "socket": Socket(), "select": Select(), "time": time}
    modules["errno"], modules["sys"] = errno, Sys()
    modules[platform] = chip
    sys.modules.update(modules)
    return chip._file


def mounted(file, files):
    """Mount the littlefs at `/`, made if there is none, as the ports' _boot does."""
    device = Blocks(file, 0, files)
    options = (
        {"progsize": 256} if platform == "rp2" else {}
    )  # ports/rp2/modules/_boot.py, ports/esp32/modules/inisetup.py
    try:
        chip = vfs.VfsLfs2(device, **options)
    except OSError:
        vfs.VfsLfs2.mkfs(device, **options)
        chip = vfs.VfsLfs2(device, **options)
    vfs.umount("/")
    vfs.mount(chip, "/")
    os.chdir("/")


def main():
    global platform
    platform, mode = sys.argv[1:3]
    files, total = int(sys.argv[3]), int(sys.argv[4])
    contents = []
    if mode == "install":
        with open("names") as names:
            for name in names.read().split("\n")[:-1]:
                with open("install/" + str(len(contents)), "rb") as file:
                    contents.append((name, file.read()))
    rom = None
    if mode == "run" and "rom" in os.listdir():
        rom = bytearray(os.stat("rom")[6])
        with open("rom", "rb") as file:
            file.readinto(rom)
    mounted(install_fakes(files, total), files)
    if mode == "install":
        install(contents)
    elif mode == "cat":
        show(sys.argv[5])
    else:
        run(rom)


def install(contents):
    for name, octets in contents:
        at = name.find("/", 1)
        while at > 0:
            try:
                os.mkdir(name[:at])
            except OSError:
                pass
            at = name.find("/", at + 1)
        with open(name, "wb") as file:
            file.write(octets)


def show(name):
    try:
        with open(name) as file:
            print(file.read())
    except OSError as error:
        print("none", error)


def know_names():
    """Let the table of names have room for all of the agent's: each part of it is twice as large as the one before.

    Else one name more may take 36 KB. A chip has the names of frozen code in its flash (py/qstr.c: a pool has the ones
    of the firmware, others begin small). How many names that takes is found once. What was made for them is given back
    every NAMES_EACH, so that it does not lie between what stays.
    """
    nothing = object()
    known = wire.ask(rules.NAMES)
    used = gc.mem_alloc()
    for first in range(0, known or rules.NAMES_MOST, rules.NAMES_EACH):
        for number in range(first, first + rules.NAMES_EACH):
            getattr(nothing, "~%d" % number, None)
        gc.collect()
        before, used = used, gc.mem_alloc()
        if not known and used - before > rules.NAMES_BYTES:
            wire.ask(rules.NAMES, 0, first + rules.NAMES_EACH)
            return


def run(rom):
    sys.path[:] = ["/"]
    if rom is not None:
        vfs.mount(vfs.VfsRom(rom), "/rom")
        sys.path.append("/rom")
        know_names()
    gc.collect()
    wire.ask(rules.NOTICE, 1, gc.mem_alloc())  # what all this takes
    for name in ("/boot.py", "/main.py"):
        with open(name) as file:
            text = file.read()
        exec(text, {"__name__": "__main__"})
    names = {"__name__": "__main__"}
    fault = 0
    while True:  # the REPL, for whoever holds the chip
        wire.ask(rules.REPL, 0, fault, len(time.timers))
        fault = 0
        try:
            exec(bytes(memoryview(wire.buf)[: wire.length]), names)
        except Exception as raised:
            fault = 1
            sys.print_exception(raised)


main()
