"""What the ports of MicroPython 1.25 refuse, block on and answer, each with file and line in their sources.

The fakes of `machine`, `network` and `socket` (lab.chips.inside, host_tests.board.fake_chip) take it from here.
"""

PORTABLE = True

# What the chip's side (lab.chips.inside) asks the side of the world for (lab.chips.chip).
(WAIT, STALL, SOCKET, CONNECT, READ, WRITE, CLOSE, NAME, SENDTO, RECVFROM) = range(10)
(WLAN, PROGRAM, ERASE, RESET, WATCHDOG, FEED, FREE, NOTICE, REPL, UART, NAMES) = range(10, 21)
CONSOLE = 255  # where a poll names what is ready; others are sockets

# Numbers of timers. ports/rp2/machine_timer.c:119: only -1; ports/esp32/machine_timer.c:112: 0 to 3, and -1 is unsigned
# there. The texts of the ValueError are theirs.
TIMERS = {"rp2": (-1,), "esp32": (0, 1, 2, 3)}
NO_TIMER = {"rp2": "Timer doesn't exist", "esp32": "invalid Timer number"}
# ports/rp2/machine_wdt.c:33 and 49. ports/esp32/machine_wdt.c:47 has only a least one.
WATCHDOG_MAX_MS = {"rp2": 8388, "esp32": 1 << 31}
# Where the heap ends: an RP2040's 264 KB without what the firmware with its radio takes (ports/rp2/memmap_mp_rp2040.ld:
# 249 to 256); an ESP32 grows its heap to what ESP-IDF leaves (ports/esp32/gccollect.c:85), some 112 KB in all
# (micropython/micropython#13219).
HEAP_BYTES = {"rp2": 190000, "esp32": 112000}
# A heap holds its own tables, 3 bits for each 16 bytes (py/gc.c, gc_setup_area): what lies beside the board's has them
# too.
HEAP_WITH_TABLES, HEAP_WITHOUT = 131, 128
RP2350_HEAP_BYTES = HEAP_BYTES["rp2"] + 256 * 1024  # so much more RAM (ports/rp2/memmap_mp_rp2350.ld:27)
# What modules out of a ROMFS take of the heap here, and frozen ones on a chip do not (py/persistentcode.c: raw code of
# functions and constants): the 91 modules that a board over TCP has imported take 72,112 bytes here, and 46,288 frozen
# on the RP2040. That is 25,824; what is counted is 928 less, by which two measurements of the same code have differed.
# The table of names has its room before (lab.chips.inside).
ROMFS_BYTES = 24896
# Names that are tried until the table has got a part of so many bytes, and how many at a time.
NAMES_MOST, NAMES_BYTES, NAMES_EACH = 6400, 30000, 64

# ports/rp2/machine_uart.c:465; ports/esp32/machine_uart.c:412: as many as the chip has, three on an ESP32.
UARTS = {"rp2": (0, 1), "esp32": (0, 1, 2)}

# A network with three name servers would take three times as long: lwIP's dns.c asks a server four times, waiting 1, 1,
# 2 and 3 s for an answer, and extmod/modlwip.c:1797 waits for it in a loop; ports/esp32/modsocket.c:247 likewise.
NAME_BLOCKS_MS = 7000
NAME_UNKNOWN = -2  # OSError(-2): extmod/modlwip.c:1747; ports/esp32/modsocket.c:262
# extmod/network_cyw43.c:235. ports/esp32/network_wlan.c:440 waits too, some seconds.
SCAN_BLOCKS_MS = {"rp2": 10000, "esp32": 3000}
SCAN_OFF = {"rp2": "", "esp32": "STA must be active"}  # ports/esp32/network_wlan.c:433

# Interrupts are off meanwhile: ports/rp2/rp2_flash.c, begin_critical_flash_section. The longest times of a Pico's
# flash, W25Q16JV data sheet 9.6: a page, a sector. ESP-IDF switches the cache off, with the same consequence.
PROGRAM_MS = 3
ERASE_MS = 400
PAGE_BYTES = 256  # ports/rp2/rp2_flash.c writes whole pages; anything else stops the chip (flash_range_program asserts)

# Sockets and their error numbers.
# rp2: py/mperrno.h:42 to 83 (ports/rp2/mpconfigport.h:129); esp32: newlib's errno.h (ports/esp32/mpconfigport.h:69).
_COMMON = {"EPERM": 1, "ENOENT": 2, "EIO": 5, "EBADF": 9, "EAGAIN": 11, "ENOMEM": 12, "EACCES": 13, "EEXIST": 17}
_COMMON.update({"ENODEV": 19, "EISDIR": 21, "EINVAL": 22, "EOPNOTSUPP": 95, "ECONNRESET": 104, "ENOBUFS": 105})
_COMMON["ECONNREFUSED"] = 111
ERRNO = {"rp2": dict(_COMMON), "esp32": dict(_COMMON)}
ERRNO["rp2"].update({"EADDRINUSE": 98, "ECONNABORTED": 103, "ENOTCONN": 107, "ETIMEDOUT": 110, "EHOSTUNREACH": 113})
ERRNO["rp2"].update({"EALREADY": 114, "EINPROGRESS": 115})
ERRNO["esp32"].update({"EADDRINUSE": 112, "ECONNABORTED": 113, "ENOTCONN": 128, "ETIMEDOUT": 116, "EHOSTUNREACH": 118})
ERRNO["esp32"].update({"EALREADY": 120, "EINPROGRESS": 119})
# How many sockets there are. lwIP's own number of TCP connections, and extmod/lwip-include/lwipopts_common.h:67 less
# what DNS, DHCP and mDNS take; ESP-IDF: CONFIG_LWIP_MAX_SOCKETS for both kinds, ports/esp32/modsocket.c:294.
TCP_SOCKETS = {"rp2": 5, "esp32": 16}
UDP_SOCKETS = {"rp2": 2, "esp32": 16}
NO_SOCKET = {"rp2": 12, "esp32": 23}  # ENOMEM: extmod/modlwip.c:900; ENFILE: ports/esp32/modsocket.c:294
DATAGRAMS = {"rp2": 1, "esp32": 6}  # extmod/modlwip.c:439 keeps one and drops the next

# What a poll reports of a failed connection, beside what was asked for:
# extmod/modlwip.c:1572 a reset one POLLOUT and POLLHUP, 1578 any other POLLERR;
# ports/esp32/modsocket.c:835 POLLHUP if asked for; otherwise it is readable and writable, and the read raises.
POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16
FAILED = {"rp2": {"ECONNRESET": POLLOUT | POLLHUP, "": POLLERR}, "esp32": {"": POLLIN | POLLOUT | POLLHUP}}
# An unanswered SYN: lwIP's tcp.c sends six more and gives up after some 95 s with ERR_ABRT.
CONNECT_GIVES_UP_MS = 95000
ALWAYS_REPORTED = {"rp2": POLLERR | POLLHUP, "esp32": 0}  # whether or not it was asked for


def failed_events(platform, name):
    """Return what a poll reports of a connection that ended with this error."""
    events = FAILED[platform]
    return events.get(name, events[""])
