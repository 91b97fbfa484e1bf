"""What can be checked without the plant: spools and their disk, the clock, host names.

Rules
1. No spool is changed, and no lock is kept: an agent may be running, or about to start.
2. A folder counts as writable if a file could be made in it, synced and removed, as an agent does. The file has a name
   that no spool has.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import shlex
import socket
import time
from pathlib import Path

from toolcart.agent.log.flash import (
    REFUSED_GONE,
    REFUSED_NO_ROOM,
    REFUSED_NOT_ALLOWED,
    REFUSED_QUOTA,
    REFUSED_READ_ONLY,
)
from toolcart.base.path_access import obstacle
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file, volatile_storage
from toolcart.board.linux import spool_header as linux_header
from toolcart.spool import image
from toolcart.tools.config import path_checks
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, WARN, Finding
from toolcart.tools.doctor.outlets import address_of, setting_of
from toolcart.tools.messages import attention, commands, outlet_names
from toolcart.tools.messages.durations import rounded
from toolcart.tools.status import process

PROBE = ".toolcart-doctor"
SYNCS = 20
SYNC_OCTETS = 256
SYNC_SLOW_MS = 50  # a controller waits this long for each result's answer
NAME_SLOW_S = 1.0
YEAR_LEAST = 2024  # a clock that starts at 1970 or at the system's own date has not been set
SET_THE_CLOCK = (
    "`timedatectl set-ntp true`, or name the plant's server in /etc/systemd/timesyncd.conf. Results have the "
    "controller's own time all the same."
)
LOOKUP_NAMES = ("pim_host", "host_override")


def spool(
    name: str,
    path: Path,
    settings: dict,
    is_up: bool = False,
    is_gone: bool = False,
    no_room: str = "",
    agent: int | None = None,
) -> list[Finding]:
    """Check where one spool goes, and what is there; `is_up`: an agent has it, and tells what its disk refuses.

    `is_gone`: the agent's own file is not this one any more. `no_room`: why a start could not make it. `agent`: the
    user of its agent, None: this one.
    """
    folder = path.parent
    subject = f"{name} spool"
    is_seen = not obstacle(path)
    if is_gone or (is_up and is_seen and os.path.isdir(folder) and not os.path.lexists(path)):
        words = f"{path} is not the running agent's spool: {linux_refusal.meaning(REFUSED_GONE)}"
        return [Finding(subject, BAD, words, _as_sentence(linux_refusal.advice(REFUSED_GONE, str(path))))]
    if is_up and not (is_seen and os.path.isdir(folder)):
        return [
            Finding(subject, NOTE, f"{path}: the running agent has it, in a folder that is not to be seen from here")
        ]
    hint = f"spool.path names {path_checks.A_FILE}."
    # An existing file may be another user's: the agent's.
    is_link = os.path.islink(path)
    problem = path_checks.LINK if is_link else "" if os.path.isfile(path) else path_checks.path_problem(path)
    if problem:
        return [Finding(subject, BAD, f"{path}: {problem}", hint)]
    if not os.path.exists(folder):
        return [Finding(subject, NOTE, f"{path}: systemd makes {folder} when the service starts")]
    try:
        mean_ms, most_ms = _sync_times_ms(folder / PROBE)
    except OSError as error:
        return _refused(name, path, settings, error, is_up, agent)
    findings = [_file(subject, path, settings, no_room, agent), _disk(name, mean_ms, most_ms)]
    if findings[0].verdict == GOOD and path.is_file() and not is_up:  # an agent tells what it has found
        findings[1:1] = _flaws(subject, path)
    kept_in = volatile_storage.volatility(str(path))
    if kept_in:
        hint = "Name a file on a disk or card in spool.path, in a container one in a volume."
        findings.append(
            Finding(f"{name} disk", WARN, f"{folder} lies in {kept_in}; waiting results would be lost", hint)
        )
    return findings


def _refused(name: str, path: Path, settings: dict, error: OSError, is_up: bool, agent: int | None) -> list[Finding]:
    """Say what it means that nothing can be written beside the spool: a full disk leaves one alone that is there."""
    subject, words = f"{name} spool", f"no file can be made in {path.parent}: {error.strerror or error}"
    refusal = linux_refusal.refusal_of(error.errno or 0)
    if is_up:
        words += "; what the running agent's disk refuses is told with its state"
        file = _file(subject, path, settings, agent=agent)
        return [file, Finding(f"{name} disk", NOTE, f"write latency not measured: {words}")]
    if refusal in (REFUSED_NOT_ALLOWED, REFUSED_READ_ONLY) and _opens_for_writing(path):
        file = _file(subject, path, settings, agent=agent)
        words += (
            f": {'results can be stored, but ' * (file.verdict == GOOD)}no orders can be given while the agent runs"
        )
        hint = "An order to a running agent needs a socket beside the spool; a stopped agent's spool takes orders."
        return [file, Finding(f"{name} orders", WARN, words, hint)]
    if path.is_file() and refusal in (REFUSED_NO_ROOM, REFUSED_QUOTA):
        need = attention.full_disk(str(path), refusal)
        file = _file(subject, path, settings, agent=agent)
        return [file, Finding(f"{name} {need.slug}", need.level, need.words, need.hint)]
    hint = _as_sentence(linux_refusal.advice_for(error, str(path)))
    if isinstance(error, PermissionError):
        hint = f"spool.path names {path_checks.A_FILE}."
    return [Finding(subject, BAD, words, hint)]


def _opens_for_writing(path: Path) -> bool:
    """True if the spool is there and this user may write it; its file may be a mount of its own."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return path.is_file()


def _as_sentence(advice: str) -> str:
    return f"{advice[0].upper()}{advice[1:]}."


def _sync_times_ms(probe: Path) -> tuple[float, float]:
    """Write and sync as for a result; return the mean and the longest time in ms."""
    took_ms = []
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, bytes(SYNCS * SYNC_OCTETS), 0)
        os.fsync(descriptor)
        for index in range(SYNCS):
            started_s = time.monotonic()
            os.pwrite(descriptor, b"\xa5" * SYNC_OCTETS, index * SYNC_OCTETS)
            os.fdatasync(descriptor)
            took_ms.append((time.monotonic() - started_s) * 1000)
    finally:
        os.close(descriptor)
        os.unlink(probe)
    return sum(took_ms) / len(took_ms), max(took_ms)


def _disk(name: str, mean_ms: float, most_ms: float) -> Finding:
    figures = {"sync_ms_mean": round(mean_ms, 2), "sync_ms_most": round(most_ms, 2)}
    words = f"write latency: {rounded(mean_ms)} ms mean, {rounded(most_ms)} ms worst of {SYNCS}"
    if mean_ms > SYNC_SLOW_MS:
        hint = "The controller waits that long for each acknowledgement. Use another card."
        return Finding(f"{name} disk", WARN, f"slow: {words}", hint, figures)
    return Finding(f"{name} disk", GOOD, words, "", figures)


def _file(subject: str, path: Path, settings: dict, no_room: str = "", agent: int | None = None) -> Finding:
    if path.is_symlink():
        return Finding(
            subject, BAD, f"{path} is a link, which the agent does not follow", "Name the file itself in spool.path."
        )
    if not path.exists():
        if no_room:
            return Finding(subject, BAD, f"{path}: {no_room}", "Make room, or set spool.size_kib lower.")
        return Finding(subject, GOOD, f"{path} is made at the first start: {settings['size_kib']} KiB")
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            page, status = file.read(linux_header.PAGE_BYTES), os.fstat(file.fileno())
    except OSError as error:
        words, cure = f"{path} cannot be read: {error.strerror}", linux_refusal.advice_for(error, str(path))
        if error.errno == errno.EACCES:
            words, cure = linux_refusal.not_opened(path, agent)
        return Finding(subject, BAD, words, _as_sentence(cure))
    rescue = f"toolcart spool rescue {shlex.quote(str(path))}"
    why, to_do = linux_header.refusal(page, status, settings["owner"], rescue)
    if why:
        return Finding(subject, BAD, f"{path} {why}", _as_sentence(to_do))
    kib = (status.st_size - linux_header.PAGE_BYTES) // 1024
    return Finding(subject, GOOD, f"{path}: {kib} KiB, this station's")


def _flaws(subject: str, path: Path) -> list[Finding]:
    """Say what is not as it should be in a spool that a start would take."""
    try:
        found = image.read(path)
    except image.ImageError as reason:
        rescue = f"`toolcart spool rescue {shlex.quote(str(path))}` looks for results in it."
        return [Finding(subject, BAD, f"{path}: {reason}", rescue)]
    hint = f"`toolcart spool check {shlex.quote(str(path))}` tells more; look at the disk." * found.is_damaged
    return [Finding(subject, WARN if found.is_damaged else NOTE, f"{path}: {flaw}", hint) for flaw in found.flaws]


def is_unset(clock_state: dict) -> bool:
    """True if the clock (toolcart.tools.status.server) shows a year from before this program."""
    return int(clock_state["now"][:4]) < YEAR_LEAST


def clock() -> list[Finding]:
    """Check the machine's clock and its zone."""
    clock_state = process.clock()
    words = f"{clock_state['now']} ({clock_state['zone']})"
    if is_unset(clock_state):
        finding = Finding("clock", WARN, f"{words}: this machine's own clock is not set", SET_THE_CLOCK)
    elif clock_state["kept"] is None:
        finding = Finding("clock", NOTE, f"{words}; cannot tell here whether it is synchronised")
    elif clock_state["kept"]:
        finding = Finding("clock", GOOD, f"{words}, synchronised within {rounded(clock_state['error_s'], 3)} s")
    else:
        finding = Finding("clock", WARN, f"{words}, not synchronised", SET_THE_CLOCK)
    finding.figures = clock_state
    return [finding]


def hosts(configuration: dict) -> list[tuple[str, str]]:
    """Return every host that the configuration names, with its setting, as people call it."""
    toolsnet = configuration["toolsnet"] or {}
    named = [(f"toolsnet.{key}", toolsnet[key]) for key in LOOKUP_NAMES if toolsnet.get(key)]
    for station in configuration["stations"]:
        where = f"of station {station['number']}"
        if station["controller"]["link"] == "tcp":
            named.append((f"controller.host {where}", station["controller"]["host"]))
        for outlet in station["outlets"]:
            address = address_of(outlet)
            setting = f"the {setting_of(outlet)} of {outlet_names.name_of(outlet)} {where}"
            named += [(setting, address[0])] if address else []
    return named


def names(configuration: dict) -> list[Finding]:
    """Look up every name; an address needs no lookup."""
    findings = []
    for host in sorted({host for _, host in hosts(configuration) if not _is_address(host)}):
        setting = next(setting for setting, named in hosts(configuration) if named == host)
        started_s = time.monotonic()
        try:
            address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
        except (OSError, UnicodeError) as error:
            is_slow = getattr(error, "errno", 0) == socket.EAI_AGAIN
            words = "the name servers do not answer for it" if is_slow else "is not found"
            hint = f"Is {setting} spelled right?"
            if is_slow:
                hint = f"Fix this machine's name servers ({commands.name_servers()})."
            findings.append(Finding("name", BAD, f"{host}: {words}", f"{hint} An address needs no name server."))
            continue
        took_s = time.monotonic() - started_s
        figures = {"address": address, "took_s": round(took_s, 3)}
        if took_s > NAME_SLOW_S:
            words = f"{host} is {address}, and it took {took_s:.1f} s to find out"
            findings.append(Finding("name", WARN, words, f"Give the address in {setting}.", figures))
        else:
            findings.append(Finding("name", GOOD, f"{host} is {address}", "", figures))
    return findings


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
