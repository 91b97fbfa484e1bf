"""Whether the files that a configuration names can be where it says, on this machine and for this user.

Rules
1. Nothing is left behind: a folder is tried by making, writing and removing a file, whose name no spool has.
2. A chip's configuration says nothing about this machine's folders: they are not checked.
3. What is there already has to be what an agent takes: a spool, or a file of its lines.
4. Two names are one file if they lead to the same one, by links of any kind or by another spelling. What is not there
   yet is told by its folder and its name. Each spool and outlet owns more files than it names: all are compared.
   A spool is where its path leads as text (`plain_spools`): `x/../a.spool` is a.spool, whatever x is.
5. The state folder of the service need not be there: systemd makes it (StateDirectory=).
6. What cannot be looked at is a mistake of the setting that names it, and of no other.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from toolcart.agent.log.flash import REFUSED_NO_ROOM
from toolcart.base.path_access import obstacle
from toolcart.base.private_files import user_name
from toolcart.board.linux import order_log, regular_file, service, spool_file, volatile_storage
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.control import SUFFIX
from toolcart.board.linux.spool_file import NEW

PROBE = ".toolcart-check"
STATE_FOLDER = "/var/lib/toolcart"  # the service's
_UART = re.compile(r"[\d:, ]+")  # a chip's; Linux has paths
RAW = "raw"  # a chip's flash after its file system (toolcart.board.chip)
TLS_FILES = ("tls_ca", "tls_certificate", "tls_key")  # read by toolcart.board.linux.tls, relative to the agent's folder
FIRST_KIB = 4  # what the header of a spool, or the first line of a file, takes of a disk
A_FILE = "a file in a folder that is there and that the agent's user may write"
A_SPOOL = "a spool of this station, or no file yet"
LINES = "a file of an agent's lines, or no file yet"
A_NAME = "the name without it"
A_DEVICE = "the device of a serial line, such as /dev/ttyUSB0"
ROOM = "room for it"
LINK = "that is a link, which the agent does not follow; name the file itself"  # of a spool

Mistake = tuple[str, str, str]  # place, found, allowed
Owner = tuple[int, int, int]  # of a spool, as its header has it; a file of lines has none


def unusable(configuration: dict, folder: Path, agent_pid: int = 0) -> list[Mistake]:
    """List the spools and outlets' files that could not be written; relative paths start from `folder`.

    A spool that another process has is one, if the process of the agent that runs with this configuration is known.
    """
    mistakes = []
    without_room = spools_without_room(configuration, folder)
    for place, path, owner in _named(configuration):
        is_link = owner and os.path.islink(folder / path)
        problem, allowed = (LINK, A_SPOOL) if is_link else (path_problem(folder / path), A_FILE)
        if problem and service.kept_from(folder / path):
            allowed = service.instead()
        if not problem:
            problem, allowed = _foreign(folder / path, owner), A_SPOOL if owner else LINES
        if not problem and owner:
            problem, allowed = spool_file.blocking_path(str(folder / path)), "no other file of that name"
        if not problem and owner and agent_pid:
            problem, allowed = spool_file.in_use(str(folder / path), agent_pid), "one that no other process has"
        if not problem:
            problem, allowed = without_room.get(place, "") if owner else no_room(folder / path), ROOM
        if problem:
            mistakes.append((place, f"{path}: {problem}", allowed))
    return mistakes


def spools_without_room(configuration: dict, folder: Path) -> dict[str, str]:
    """Return by its place why a spool that a start would make has no room, beside all that it makes or enlarges."""
    cure = linux_refusal.advice
    return {
        place: f"{words}; {cure(REFUSED_NO_ROOM, str(folder / path))}"
        for place, path, kept_kib, words in _spools_that_want_room(configuration, folder)
        if not kept_kib
    }


def not_grown(configuration: dict, folder: Path) -> list[Mistake]:
    """List the spools that a start leaves smaller than they are to be: place, why they cannot grow, what helps."""
    found = []
    for place, path, kept_kib, words in _spools_that_want_room(configuration, folder):
        if kept_kib:
            cure = linux_refusal.advice(REFUSED_NO_ROOM, str(folder / path))
            found.append((place, f"{path} keeps its {kept_kib} KiB: {words}", cure))
    return found


def _spools_that_want_room(configuration: dict, folder: Path) -> Iterator[tuple[str, str, int, str]]:
    """Give the place and path of each spool that a start can not make or enlarge, how many KiB it has, and why."""
    wanted_kib: dict[int, int] = {}  # by the file system
    for place, path, owner in _named(configuration):
        parent = (folder / path).parent
        if not owner or obstacle(folder / path) or not os.path.isdir(parent):
            continue
        size_kib = configuration["stations"][int(re.findall(r"\d+", place)[0])]["spool"]["size_kib"]
        kept_kib = _kib_of(folder / path, owner)
        if kept_kib >= size_kib:
            continue
        device = os.stat(parent).st_dev
        problem = _lack(folder / path, size_kib, wanted_kib.get(device, 0), kept_kib)
        if problem:
            yield place, path, kept_kib, f"it cannot grow to {size_kib} KiB: {problem}" if kept_kib else problem
        else:
            wanted_kib[device] = wanted_kib.get(device, 0) + size_kib - kept_kib


def _kib_of(path: Path, owner: Owner) -> int:
    """Return how much room the spool there has for blocks, 0 if there is none; what is not one never wants more."""
    if not os.path.lexists(path):
        return 0
    if os.path.islink(path) or path_problem(path) or _foreign(path, owner):
        return sys.maxsize
    return (os.stat(path).st_size - linux_header.PAGE_BYTES) // 1024


def odd_names(configuration: dict) -> list[Mistake]:
    """List the names that are wrong wherever the cart is: with a blank around them, of a folder, or of no device."""
    named = [(place, path) for place, path, _ in _named(configuration)]
    named += [*_of_tls(configuration), ("board.lamp", configuration["board"]["lamp"])]
    mistakes = [
        (place, f"{path}: that is a folder's name", "the name of a file")
        for place, path, owner in _named(configuration)
        if _is_of_folder(os.path.normpath(path) if owner else path)
    ]
    for index, station in enumerate(configuration["stations"]):
        place, controller = f"stations[{index}]", station["controller"]
        if controller["link"] != "tcp":
            device = controller["device"]
            named += [(f"{place}.controller.{key}", controller[key]) for key in ("device", "rs485")]
            if not is_of_a_chip(configuration) and "://" not in device and not device.strip().startswith("/"):
                mistakes.append((f"{place}.controller.device", f'"{device}", which is no path', A_DEVICE))
        for number, outlet in enumerate(station["outlets"]):
            named.append((f"{place}.outlets[{number}].topic", outlet.get("topic", "")))
    blanks = [(place, f'a blank around it: "{name}"', A_NAME) for place, name in named if name != name.strip()]
    return [*blanks, *mistakes]


def _is_of_folder(path: str) -> bool:
    """True if the name can only be a folder's; a Path drops such an end, an agent does not."""
    return path.rpartition("/")[2] in ("", ".", "..")


def shared(configuration: dict, folder: Path, read: Iterable[tuple[str, Path, str]] = ()) -> list[Mistake]:
    """List the spools and outlets' files that would get into each other's way, or write over what is only `read`.

    `read` are files: what each is, its path, and how that is written where it is named. What a certificate or key is
    for is read as well.
    """
    files = {
        identity(path): _File(name, "", spelled)
        for name, path, spelled in (*read, *[(name, folder / path, path) for name, path in _of_tls(configuration)])
    }
    mistakes = []
    for place, path, owner in _named(configuration):
        clash: tuple[_File, _File] | None = None
        for file in _owned(place, path, owner, configuration):
            leads_to = os.path.normpath(folder / file.path) if owner else folder / file.path
            other = files.setdefault(identity(Path(leads_to)), file)
            if other.place != place and clash is None:
                clash = file, other
        if clash is not None:
            file, other = clash
            clash_text = f"{path}, whose {file.role} is {file.path}" if file.role else path
            if other.role:
                spelled = f" {other.path}" if other.path != file.path else ""
                clash_text += f", which is the {other.role}{spelled} of the other"
            elif other.path != file.path:
                clash_text += f", which is the same file as {other.path}"
            mistakes.append((place, clash_text, f"another file than {other.place}"))
    return mistakes


class _File(NamedTuple):
    """A file, and what it is to the setting at `place`: "" what that names itself."""

    place: str
    role: str
    path: str


def _owned(place: str, path: str, owner: Owner | None, configuration: dict) -> Iterator[_File]:
    """Give every file that an agent makes, renames, writes or removes for this spool, or file of an outlet."""
    yield _File(place, "", path)
    if owner:
        path = os.path.normpath(path)
        yield _File(place, "file while it is made", path + NEW)
        yield _File(place, "socket", path + SUFFIX)
        yield _File(place, "list of orders", path + order_log.SUFFIX)
        return
    station, outlet = [int(number) for number in re.findall(r"\d+", place)]
    for index in range(1, configuration["stations"][station]["outlets"][outlet]["keep"] + 1):
        yield _File(place, "full file", f"{path}.{index}")


def _of_tls(configuration: dict) -> Iterator[tuple[str, str]]:
    """Give the place and path of each certificate and key."""
    sections = [("toolsnet", configuration["toolsnet"] or {})]
    for index, station in enumerate(configuration["stations"]):
        sections += [
            (f"stations[{index}].outlets[{number}]", outlet) for number, outlet in enumerate(station["outlets"])
        ]
    for place, section in sections:
        for key in TLS_FILES:
            if section.get(key):
                yield f"{place}.{key}", section[key]


def volatile_spools(configuration: dict, folder: Path) -> list[str]:
    """Say which spools would not outlive a restart of the machine, or of its container."""
    warnings = []
    for place, path, owner in _named(configuration):
        storage = volatile_storage.volatility(folder / path) if owner else ""
        if storage:
            warnings.append(f"{place}: {folder / path} lies in {storage}; results that wait there are lost then")
    return warnings


def not_renamed(configuration: dict, folder: Path) -> list[Mistake]:
    """List the outlets' files that will not be renamed when they are full: place, what keeps them from it, what helps.

    What cannot be written at all is a mistake of its own (`unusable`).
    """
    found = []
    for place, path, owner in _named(configuration):
        if owner or path_problem(folder / path):
            continue
        from toolcart.board.linux import lines

        station, outlet = [int(number) for number in re.findall(r"\d+", place)]
        keep = configuration["stations"][station]["outlets"][outlet]["keep"]
        words, cure = lines.not_renamed(str(folder / path), keep)
        if words:
            asked = lines.asked_of_full(folder / path, keep)
            size = f"{lines.ROTATE_BYTES >> 20} MiB"
            found.append((place, f"{path}: at {size} it cannot be {asked}: {words}", cure))
    return found


def identity(path: Path) -> tuple:
    """Return what all names of one file have in common."""
    with suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    real = Path(os.path.realpath(path))
    with suppress(OSError):
        status = os.stat(real.parent)
        return status.st_dev, status.st_ino, real.name
    return (str(real),)


def plain_spools(configuration: dict) -> dict:
    """Return the completed configuration with each spool's path spelled without what leads nowhere, but a chip's."""
    if not is_of_a_chip(configuration):
        for station in configuration["stations"]:
            station["spool"]["path"] = os.path.normpath(station["spool"]["path"])
    return configuration


def is_of_a_chip(configuration: dict) -> bool:
    """True if it names something that only a chip has: a network of its own, raw flash, or a UART by its number."""
    stations = configuration["stations"]
    return (
        configuration["board"]["network"] != "none"
        or any(f"{station['spool']['path']}@".startswith(f"{RAW}@") for station in stations)
        or any(_UART.fullmatch(station.get("controller", {}).get("device") or "") for station in stations)
    )


def _named(configuration: dict) -> Iterator[tuple[str, str, Owner | None]]:
    """Give the place and path of each spool and file of an outlet, and whose a spool is; none of a chip's."""
    if is_of_a_chip(configuration):
        return
    system = configuration["system"]
    for index, station in enumerate(configuration["stations"]):
        owner = (system["type"], system["number"], station["number"])
        yield f"stations[{index}].spool.path", station["spool"]["path"], owner
        for number, outlet in enumerate(station["outlets"]):
            if "path" in outlet:
                yield f"stations[{index}].outlets[{number}].path", outlet["path"], None


def path_problem(path: Path) -> str:
    """Say why a file cannot be used or made there, "" if it can."""
    kept_from = service.kept_from(path) or obstacle(path)
    if kept_from:
        return kept_from
    real = _made_at(path)
    try:
        if os.path.exists(path) and not os.path.isdir(path):
            return _file_problem(path)
        if str(path.parent) == STATE_FOLDER and not os.path.lexists(STATE_FOLDER):
            return ""  # rule 5
        blocking = linux_refusal.blocking_path(str(path))
        if blocking:
            return blocking
        probe = real.parent / f"{PROBE}-{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(probe, flags, 0o600)
        try:
            os.write(descriptor, bytes(FIRST_KIB * 1024))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            probe.unlink()
    except PermissionError:
        return f"{user_name()} may make no file in {real.parent}"
    except OSError as error:
        return f"no file can be made in {real.parent}: {linux_refusal.explanation(error, str(path))}"
    return ""


def _made_at(path: Path) -> Path:
    """Return where an agent makes this file: a file of lines may be a link. A spool that is one never gets here."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _file_problem(path: Path) -> str:
    """Say why an existing file cannot be opened for writing; that changes nothing in it."""
    if not path.is_file():
        return regular_file.NO_FILE
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return "; ".join(linux_refusal.not_opened(path))
    except OSError as error:
        return linux_refusal.explanation(error, str(path))
    return ""


def no_room(path: Path) -> str:
    """Say why a line of an outlet's file has no room there, and what helps; "" if it has."""
    path = _made_at(path)
    problem = _lack(path)
    return f"{problem}; {linux_refusal.advice(REFUSED_NO_ROOM, str(path))}" if problem else ""


def _lack(path: Path, size_kib: int = 0, others_kib: int = 0, kept_kib: int = 0) -> str:
    """Say what room a file there lacks, "" if it has it: a spool of this size, or one of lines, which needs some.

    The spool has been given `kept_kib`; `others_kib` is what others get of the same room.
    """
    if not os.path.isdir(path.parent):
        return ""
    try:
        file_system = os.statvfs(path.parent)
    except OSError:
        return ""
    free_kib = (file_system.f_bavail if os.geteuid() else file_system.f_bfree) * file_system.f_frsize // 1024
    first_kib = 0 if kept_kib else FIRST_KIB
    if not file_system.f_blocks or free_kib >= size_kib - kept_kib + others_kib + first_kib:
        return ""
    problem = linux_refusal.meaning(REFUSED_NO_ROOM)
    if free_kib >= FIRST_KIB:
        wants = f"{size_kib - kept_kib}{' more' if kept_kib else ''}"
        problem = f"{free_kib} KiB are free in {path.parent}, the spool wants {wants}"
        problem += f", and those before it in the configuration {others_kib}" if others_kib else ""
    return problem


def _foreign(path: Path, owner: Owner | None) -> str:
    """Say what an existing file is in place of what an agent takes, and what to do; "" if it takes it."""
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            page, status = file.read(linux_header.PAGE_BYTES), os.fstat(file.fileno())
    except OSError:  # there is none yet
        return ""
    if owner is None:
        from toolcart.board.linux import lines  # an agent without a file of lines does not load it

        return f"it {lines.HOLDS_OTHER}" if lines.is_foreign(page) else ""
    rescue = f"toolcart spool rescue {shlex.quote(str(path))}"
    reason, to_do = linux_header.refusal(page, status, owner, rescue)
    if not reason and status.st_uid not in (os.geteuid(), 0):
        reason, to_do = f"belongs to {user_name(status.st_uid)}", f"the agent's user has to own it, not {user_name()}"
    return f"it {reason}; {to_do}" if reason else ""
