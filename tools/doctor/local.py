"""What can be checked without the plant: spools and their disk, the clock, host names; and of outlets that they listen.

Rules
1. No spool is changed, and no lock is taken: an agent may be running, or about to start.
2. A folder counts as writable if a file could be made in it, synced and removed, as an agent does. The file has a name
   that no spool has.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shlex
import socket
import struct
import time
from pathlib import Path

from toolcart.agent.cart.status import why_name
from toolcart.agent.link.port import WHY_NAME_SLOW, WHY_NAME_UNKNOWN, WHY_TIMED_OUT
from toolcart.agent.linux.web_address import WebAddress
from toolcart.board.errno_reasons import refusal_of, why_of
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux import volatile_storage
from toolcart.tools.config import path_checks
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, WARN, Found
from toolcart.tools.messages import connections, reasons
from toolcart.tools.status import server

# Checks the outlets other than ToolsNet as far as that can be done without disturbing anyone.
#
# A broker or a web server gets a TCP connection and nothing more: no agent's client identifier is used, and nothing is
# sent. A file's folder is checked with the configuration.

LIMIT_S = 5.0


def examine(name: str, outlet: dict) -> list[Found]:
    """Check one outlet of a station; nothing for one that has no address."""
    found = address_of(outlet)
    if found is None:
        return []
    host, port = found
    what = f"{name} {connections.name_of(outlet)}"
    try:
        socket.create_connection((host, port), LIMIT_S).close()
    except (OSError, UnicodeError) as error:
        name = reasons.BROKER if outlet["kind"] == "mqtt" else connections.name_of(outlet)
        return [unreached(what, reasons.Side(name, host, port, "outlets[]"), error)]
    words = f"{host}:{port} accepts connections; only the running agent can tell whether it accepts results"
    return [Found(what, GOOD, words)]


def unreached(what: str, side: reasons.Side, error: BaseException | None) -> Found:
    """Say why a connection cannot be made, as an agent says it."""
    code = getattr(error, "errno", None) or 0
    why = WHY_TIMED_OUT if isinstance(error, TimeoutError) else why_of(code)
    if isinstance(error, (socket.gaierror, UnicodeError)):  # the latter where no name can be so
        why = WHY_NAME_SLOW if code == socket.EAI_AGAIN else WHY_NAME_UNKNOWN
    reason = reasons.connect_reason(side, why_name(why), "", code)
    return Found(what, BAD, reason.words, reason.hint, {"why": reason.slug})


def address_of(outlet: dict) -> tuple[str, int] | None:
    """Return host and port of an outlet that has them."""
    if outlet.get("url"):
        address = WebAddress(outlet["url"])
        return None if address.fault else (address.host, address.number)
    return (outlet["host"], outlet["port"]) if outlet.get("host") else None


PROBE = ".toolcart-doctor"
SYNCS = 20
SYNC_OCTETS = 256
SYNC_SLOW_MS = 50  # a controller waits this long for each result's answer
SPARE_KIB = 1024
NAME_SLOW_S = 1.0
YEAR_LEAST = 2024  # a clock that starts at 1970 or at the system's own date has not been set
SET_THE_CLOCK = (
    "`timedatectl set-ntp true`, or name the plant's server in /etc/systemd/timesyncd.conf. Results have the "
    "controller's own time all the same."
)
LOOKUP_NAMES = ("pim_host", "host_override")


def spool(name: str, path: Path, settings: dict) -> list[Found]:
    """Check where one spool goes, and what is there."""
    folder = path.parent
    what = f"{name} spool"
    hint = f"spool.path names {path_checks.A_FILE}."
    wrong = (
        "" if path.is_file() else path_checks.wrong_with(path)
    )  # an existing file may be another user's: the agent's
    if wrong:
        return [Found(what, BAD, f"{path}: {wrong}", hint)]
    if not folder.exists():
        return [Found(what, NOTE, f"{path}: systemd makes {folder} when the service starts")]
    try:
        mean_ms, most_ms = _syncs(folder / PROBE)
    except PermissionError as error:
        return [Found(what, BAD, f"nothing can be written in {folder}: {error.strerror}", hint)]
    except OSError as error:
        hint = linux_refusal.advice(refusal_of(error.errno or 0), str(path))
        hint = f"{hint[0].upper()}{hint[1:]}."
        return [Found(what, BAD, f"nothing can be written in {folder}: {error.strerror or error}", hint)]
    found = [_file(what, path, settings), _disk(name, mean_ms, most_ms)]
    kept_in = volatile_storage.volatility(str(path))
    if kept_in:
        hint = "Name a file on a disk or card in spool.path, in a container one in a volume."
        found.append(Found(f"{name} disk", WARN, f"{folder} lies in {kept_in}; waiting results would be lost", hint))
    return found


def _syncs(probe: Path) -> tuple[float, float]:
    """Write and sync as for a result; return the mean and the longest time in ms."""
    took_ms = []
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, bytes(SYNCS * SYNC_OCTETS), 0)
        os.fsync(descriptor)
        for index in range(SYNCS):
            begun = time.monotonic()
            os.pwrite(descriptor, b"\xa5" * SYNC_OCTETS, index * SYNC_OCTETS)
            os.fdatasync(descriptor)
            took_ms.append((time.monotonic() - begun) * 1000)
    finally:
        os.close(descriptor)
        os.unlink(probe)
    return sum(took_ms) / len(took_ms), max(took_ms)


def _disk(name: str, mean_ms: float, most_ms: float) -> Found:
    figures = {"sync_ms_mean": round(mean_ms, 2), "sync_ms_most": round(most_ms, 2)}
    words = f"write latency: {mean_ms:.2g} ms mean, {most_ms:.2g} ms worst of {SYNCS}"
    if mean_ms > SYNC_SLOW_MS:
        hint = "The controller waits that long for each acknowledgement. Use another card."
        return Found(f"{name} disk", WARN, f"slow: {words}", hint, figures)
    return Found(f"{name} disk", GOOD, words, "", figures)


def _file(what: str, path: Path, settings: dict) -> Found:
    size = settings["size_kib"] * 1024
    if path.is_symlink():
        return Found(
            what, BAD, f"{path} is a link, which the agent does not follow", "Name the file itself in spool.path."
        )
    if not path.exists():
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
        if free < size + SPARE_KIB * 1024:
            words = f"{free // 1024} KiB are free in {path.parent}, the spool wants {settings['size_kib']}"
            return Found(what, BAD, words, "Make room, or set spool.size_kib lower.")
        return Found(what, GOOD, f"{path} is made at the first start: {settings['size_kib']} KiB")
    try:
        with path.open("rb") as file:
            page, octets = file.read(linux_header.PAGE_BYTES), os.fstat(file.fileno()).st_size
    except OSError as error:
        return Found(
            what, BAD, f"{path} cannot be read: {error.strerror}", "Only its agent's user may read it; try sudo."
        )
    rescue = f"toolcart spool rescue {shlex.quote(str(path))}"
    why, to_do = linux_header.refusal(page, octets, settings["owner"], rescue)
    if why:
        return Found(what, BAD, f"{path} {why}", f"{to_do[0].upper()}{to_do[1:]}.")
    kib = (octets - linux_header.PAGE_BYTES) // 1024
    return Found(what, GOOD, f"{path}: {kib} KiB, this station's")


def is_unset(told: dict) -> bool:
    """True if the clock (toolcart.tools.status.server) shows a year from before this program."""
    return int(told["now"][:4]) < YEAR_LEAST


def clock() -> list[Found]:
    """Check the machine's clock and its zone."""
    told = server.clock()
    words = f"{told['now']} ({told['zone']})"
    if is_unset(told):
        found = Found("clock", WARN, f"{words}: this machine's own clock is not set", SET_THE_CLOCK)
    elif told["kept"] is None:
        found = Found("clock", NOTE, f"{words}; cannot tell here whether it is synchronised")
    elif told["kept"]:
        found = Found("clock", GOOD, f"{words}, synchronised within {told['error_s']:.3g} s")
    else:
        found = Found("clock", WARN, f"{words}, not synchronised", SET_THE_CLOCK)
    found.figures = told
    return [found]


def hosts(configuration: dict) -> list[tuple[str, str]]:
    """Return every host that the configuration names, with its setting."""
    toolsnet = configuration["toolsnet"] or {}
    named = [(f"toolsnet.{key}", toolsnet[key]) for key in LOOKUP_NAMES if toolsnet.get(key)]
    for index, station in enumerate(configuration["stations"]):
        if station["controller"]["link"] == "tcp":
            named.append((f"stations[{index}].controller.host", station["controller"]["host"]))
        for place, outlet in enumerate(station["outlets"]):
            address = address_of(outlet)
            named += [(f"stations[{index}].outlets[{place}]", address[0])] if address else []
    return named


def names(configuration: dict) -> list[Found]:
    """Look up every name; an address needs no lookup."""
    found = []
    for host in sorted({host for _, host in hosts(configuration) if not _is_address(host)}):
        setting = next(setting for setting, named in hosts(configuration) if named == host)
        begun = time.monotonic()
        try:
            address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
        except (OSError, UnicodeError) as error:
            slow = getattr(error, "errno", 0) == socket.EAI_AGAIN
            words = "the name servers do not answer for it" if slow else "is not found"
            hint = "Fix this machine's name servers (`resolvectl status`)." if slow else f"Is {setting} spelled right?"
            found.append(Found("name", BAD, f"{host}: {words}", f"{hint} An address needs no name server."))
            continue
        took_s = time.monotonic() - begun
        figures = {"address": address, "took_s": round(took_s, 3)}
        if took_s > NAME_SLOW_S:
            words = f"{host} is {address}, and it took {took_s:.1f} s to find out"
            found.append(Found("name", WARN, words, f"Give the address in {setting}.", figures))
        else:
            found.append(Found("name", GOOD, f"{host} is {address}", "", figures))
    return found


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


# Asks a time server once (RFC 4330) and says how far off this machine's clock is.

NTP_PORT = 123
ANSWER_S = 3.0
PACKET_BYTES = 48
CLIENT = 0x23  # version 4, client
SERVER_MODE = 4
NTP_TO_UNIX_S = 2208988800  # 1900 to 1970
ERA_S = 1 << 32
APART_S = 1.0


def ask_time(host: str, port: int = NTP_PORT) -> Found:
    """Ask this server once."""
    origin = os.urandom(8)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as asking:
            asking.settimeout(ANSWER_S)
            asking.connect(address)
            sent_s = time.time()
            asking.send(bytes([CLIENT]) + bytes(39) + origin)
            answer = asking.recv(512)
            heard_s = time.time()
    except TimeoutError:
        return Found("NTP", BAD, f"{host} did not answer in {ANSWER_S:g} s", "Is UDP port 123 open to it?")
    except (OSError, UnicodeError) as error:
        return Found("NTP", BAD, f"{host} cannot be asked: {getattr(error, 'strerror', None) or error}")
    if len(answer) < PACKET_BYTES or answer[0] & 7 != SERVER_MODE or answer[24:32] != origin:
        return Found("NTP", BAD, f"what answers at {host} is not a time server")
    if not 1 <= answer[1] <= 15 or answer[0] >> 6 == 3:
        return Found("NTP", WARN, f"{host} says that it is not synchronised")
    ahead_s = (sent_s + heard_s) / 2 - _moment(answer[40:48])
    figures = {"ahead_s": round(ahead_s, 3), "round_trip_s": round(heard_s - sent_s, 4), "stratum": answer[1]}
    if abs(ahead_s) <= APART_S:
        return Found("NTP", GOOD, f"{host} agrees with our clock within {abs(ahead_s) * 1000:.0f} ms", "", figures)
    side = "ahead of" if ahead_s > 0 else "behind"
    hint = "`timedatectl set-ntp true` lets the system keep it."
    return Found("NTP", WARN, f"our clock is {abs(ahead_s):.1f} s {side} {host}", hint, figures)


def _moment(field: bytes) -> float:
    """Return a timestamp as seconds since 1970; from 2036 on its highest bit is 0 (RFC 4330, 3)."""
    seconds, fraction = struct.unpack("!II", field)
    if seconds < 0x80000000:
        seconds += ERA_S
    return seconds - NTP_TO_UNIX_S + fraction / ERA_S
