"""What has to be done to bring a version onto a board: file by file, with the reason, before anything is touched.

    keep   the file is there already          copy   the version that runs has it: copied on the board
    send   it goes over the cable             drop   it no longer belongs to any version

Rules
1. The new version goes into the folder that is not confirmed. What runs is not touched, whatever is cut and when.
2. Files in the root change only if their content does, each by write and rename; a foreign main.py or boot.py is
   copied to NAME.before first. Files that the firmware has itself are removed last of all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from toolcart.board import safe_mode
from toolcart.board.folder_flash import folder_of
from toolcart.tools.config.raw_spools import part_of
from toolcart.tools.flash.frozen import core_digest
from toolcart.tools.flash.link import About, BoardError, BoardFull, Link
from toolcart.tools.flash.package import VERSION_FILE, Version, sha256

KEEP = "keep"
COPY = "copy"
SEND = "send"
DROP = "drop"

OLDEST = (1, 25, 0)
MPY_FORMAT = 6
MARK = b"toolcart"  # a file in the root with this word in it is ours
_LISTED = 5  # files that are named where there is no room
SPARE_BLOCKS = 4  # littlefs needs some room to work in
# The least heap of a whole board with one station over TCP, by bisection (lab/bench/board.py): as copied files, and on
# an RP2040 and an ESP32 that have the agent in their firmware.
COPIED_LEAST_BYTES = 322304
FROZEN_LEAST_BYTES = {"rp2": 91904, "esp32": 89856}
# And what lies elsewhere in the heap on a chip.
COPIED_HEAP_BYTES = COPIED_LEAST_BYTES + 512
FROZEN_HEAP_BYTES = FROZEN_LEAST_BYTES["rp2"] + 768


@dataclass(frozen=True)
class Step:
    """One file and what is done with it; `source` is where a copy comes from."""

    kind: str
    path: str
    octets: int
    source: str = ""


@dataclass(frozen=True)
class Plan:
    """All steps, the folder they fill, and the board's state before."""

    version: Version
    folder: str
    state: safe_mode.State
    steps: list[Step]
    root: list[Step]
    foreign: list[str]
    running: str  # digest of the confirmed version, "" if there is none

    def octets(self, kind: str) -> int:
        """Return the bytes of all steps of a kind."""
        return sum(step.octets for step in [*self.steps, *self.root] if step.kind == kind)

    def remains(self) -> str:
        """Say what a board still has where installing this version was broken off."""
        if self.running:
            return f"Version {self.running}, which ran before, is whole on it."
        return "No version was confirmed on it before, and the new one may not be whole."

    def is_there(self) -> bool:
        """True if exactly this version runs and is confirmed."""
        return self.running == self.version.digest and all(step.kind == KEEP for step in self.root)


def check_board(board: About, platform: str) -> None:
    """Raise BoardError unless this is the platform asked for, with a MicroPython that can run the agent."""
    if board.platform != platform:
        raise BoardError(
            f"this is a board of platform {board.platform} ({board.machine}), not {platform}: nothing was changed."
        )
    if board.version < OLDEST:
        have = ".".join(map(str, board.version))
        raise BoardError(f"MicroPython {have} is too old, 1.25 or later is needed: nothing was changed.")
    if board.mpy != MPY_FORMAT:
        raise BoardError(f"this firmware loads .mpy of format {board.mpy}, not {MPY_FORMAT}: nothing was changed.")
    if not board.block_bytes:
        raise BoardError(
            "the board has no file system that can be mounted: it is damaged. Nothing was changed, and a raw spool "
            "behind it is untouched. To begin again, erase the flash and load the firmware again; that erases both."
        )


def check_heap(board: About, version: Version) -> None:
    """Raise BoardError if the board says how large its heap is and this version cannot start in it."""
    needed = FROZEN_HEAP_BYTES if version.is_frozen else COPIED_HEAP_BYTES
    if not board.heap_bytes or board.heap_bytes >= needed:
        return
    have = f"{board.machine} has {board.heap_bytes // 1024} KiB of heap"
    if version.is_frozen:
        raise BoardError(f"{have}, the agent needs {-(-needed // 1024)} KiB. Nothing was changed.")
    as_files = f"as copied files needs {-(-needed // 1024)} KiB: it could not start. Nothing was changed."
    enough = f"{-(-FROZEN_HEAP_BYTES // 1024)} KiB are enough"
    if board.frozen:
        raise BoardError(
            f"the firmware of this board has the agent of another version in it ({board.frozen}, here "
            f"{core_digest(board.platform)}). {have}, and the one of this version {as_files} In the firmware {enough}: "
            "load one that has this version, which `toolcart image` makes, or use the toolcart that made that one."
        )
    raise BoardError(
        f"{have}, and the agent {as_files} In a firmware with the agent in it {enough}: `toolcart image` makes one."
    )


def read_state(link: Link) -> safe_mode.State:
    """Return the board's state, as toolcart.board.safe_mode would read it."""
    content = link.read(safe_mode.STATE_FILE)
    state = safe_mode.parsed(content.decode(errors="replace")) if content else None
    if state is not None:
        return state
    folders = [name for name in safe_mode.FOLDERS if link.read(f"/{name}/{VERSION_FILE}") is not None]
    return safe_mode.guessed(folders)


def make(link: Link, board: About, version: Version) -> Plan:
    """Compare what is on the board with what should be; BoardError if it cannot fit."""
    state = read_state(link)
    folder = safe_mode.FOLDERS[state.confirmed == safe_mode.FOLDERS[0]]
    if state.confirmed == safe_mode.NONE and state.trial == folder:
        folder = safe_mode.FOLDERS[1]  # the version on trial may be the only one: take the other folder
    present = link.tree(f"/{folder}")
    running_folder = f"/{state.confirmed}" if state.confirmed != safe_mode.NONE else ""
    running = link.tree(running_folder) if running_folder else {}
    same_size = {f"/{folder}/{name}": len(content) for name, content in version.files.items()}
    comparable = [path for path, size in same_size.items() if present.get(path) == size]
    sources = {f"{running_folder}/{name}": len(content) for name, content in version.files.items()}
    comparable += [path for path, size in sources.items() if running.get(path) == size]
    hashes = link.hashes(comparable)
    steps = []
    for name, content in sorted(version.files.items()):
        path, source, digest = f"/{folder}/{name}", f"{running_folder}/{name}", sha256(content)
        if hashes.get(path) == digest:
            steps.append(Step(KEEP, path, len(content)))
        elif running_folder and hashes.get(source) == digest:
            steps.append(Step(COPY, path, len(content), source))
        else:
            steps.append(Step(SEND, path, len(content)))
    wanted = {step.path for step in steps} | {f"/{folder}/{VERSION_FILE}"}  # `install` handles that one, first and last
    drops = [Step(DROP, path, size) for path, size in present.items() if path not in wanted]
    root, foreign = _root_steps(link, version)
    plan = Plan(version, folder, state, [*drops, *steps], root, foreign, _digest_of(link, running_folder))
    _check_room(plan, board, link)
    return plan


def _largest(link: Link) -> str:
    """Name the largest files that are of no version, "" without any."""
    files = {path: size for path, size in link.tree("/").items() if path.split("/")[1] not in safe_mode.FOLDERS}
    listed = sorted(files.items(), key=lambda file: -file[1])[:_LISTED]
    names = ", ".join(f"{path} ({-(-size // 1024)} KiB)" for path, size in listed)
    return f"The largest of its other files: {names}. " if names else ""


def _spool_bytes(link: Link, board: About, configuration: dict) -> int:
    """Return how many bytes of the file system the spools have still to take."""
    wanted = 0
    for station in configuration.get("stations", ()):
        spool = station["spool"]
        if part_of(spool) is None or not board.ring_kib:
            there = sum(link.tree(folder_of(spool["path"])).values())
            wanted += max(0, spool["size_kib"] * 1024 - there)
    return wanted


def _root_steps(link: Link, version: Version) -> tuple[list[Step], list[str]]:
    steps = []
    foreign = []
    for path, content in version.root.items():
        present = link.read(path)
        if present == content:
            steps.append(Step(KEEP, path, len(content)))
            continue
        if present is not None and path.endswith(".py") and MARK not in present and not _is_stock(present):
            foreign.append(path)
        steps.append(Step(SEND, path, len(content)))
    for path in version.unwanted:  # after everything that is sent: `install` keeps this order
        present = link.read(path)
        if present is not None:
            steps.append(Step(DROP, path, len(present)))
    return steps, foreign


def _is_stock(content: bytes) -> bool:
    """True for the boot.py that an ESP32's firmware makes: only comments."""
    return all(line.startswith(b"#") or not line.strip() for line in content.splitlines())


def _digest_of(link: Link, folder: str) -> str:
    content = link.read(f"{folder}/{VERSION_FILE}") if folder else None
    try:
        return str(json.loads(content)["digest"]) if content else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _check_room(plan: Plan, board: About, link: Link) -> None:
    """Raise BoardFull if the files do not fit beside the spools, counted in whole blocks of the file system."""
    block = board.block_bytes

    def blocks(kinds: tuple[str, ...]) -> int:
        return sum(-(-step.octets // block) for step in plan.steps if step.kind in kinds)

    needed = blocks((COPY, SEND)) + SPARE_BLOCKS + -(-len(plan.version.manifest()) // block)
    replaced = blocks((DROP,))
    free = board.free_bytes
    if needed - replaced > free // block:
        short = (needed - replaced) * block - free
        raise BoardFull(
            f"the board's file system has {free // 1024} KiB free, {-(-short // 1024)} KiB too few for the "
            f"new version{' beside the one that runs' if plan.running else ''}. Nothing was changed. {_largest(link)}"
            "A spool in files can be made smaller, or move to raw flash (docs/boards.md)."
        )
    left = free // block - needed + replaced
    spool_bytes = _spool_bytes(link, board, plan.version.configuration)
    if -(-spool_bytes // block) > left:
        raise BoardFull(
            f"the spools in files are to take {spool_bytes // 1024} KiB more, and beside the new version "
            f"{left * block // 1024} KiB are free. Nothing was changed. Make spool.size_kib smaller, or have them in "
            "raw flash (docs/boards.md)."
        )
