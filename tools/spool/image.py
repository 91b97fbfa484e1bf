"""Every record of an image, sound ones told from void and damaged ones; the image is opened for reading only.

Rules
1. The geometry is taken from the HEADs found, so an image needs no configuration beside it.
2. Blocks are ordered by the `seq` of their first record; a record counts if it is below the next block's `after`.
3. The header page in front of the blocks of a file is no part of them; an image of a chip has none.
4. A HEAD alone in the newest block was never opened: neither it nor its `after` counts.
5. `scan` forgets all order and takes every sound record wherever it lies, of formats 1 and 2 as well: for rescue.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from agent.base.crc import crc30
from agent.base.words import get_u32
from agent.record import PAYLOAD_WIDE
from agent.spool import record as rec
from agent.spool.areas import divide
from agent.spool.flash import Part
from agent.spool.fold import ROLE_GRAPHS, ROLE_MAIN, ROLE_QUARANTINE
from agent.spool.walk import Walk
from board import linux_header

FOLDER_BLOCK_BYTES = 4096
AT_ROLE_2 = 18  # in a HEAD of format 2
LENGTHS_PARKED = (122, 158)  # a result's payload with what parking adds; 114 and 150 without
KIND_NAMES = {
    rec.KIND_HEAD: "head",
    rec.KIND_RESULT: "result",
    rec.KIND_RAW: "raw",
    rec.KIND_EVENT: "event",
    rec.KIND_GRAPH: "graph",
    rec.KIND_GAP: "gap",
    rec.KIND_ASIDE: "aside",
    rec.KIND_CURSOR: "cursor",
    rec.KIND_MEMORY: "memory",
    rec.KIND_SEAL: "seal",
}
_STEP_BYTES = 256  # no program unit and no block is finer where a HEAD may begin


class ImageError(Exception):
    """The file is no spool, or cannot be read; the text says why."""


@dataclass(frozen=True)
class Entry:
    """One sound record and where it lies. `void` ones were never acknowledged."""

    role: int
    block: int
    offset: int
    seq: int
    kind: int
    flags: int
    payload: bytes
    void: bool = False

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    @property
    def number(self) -> int:
        """The result number, 0 for what has none."""
        return get_u32(self.payload, 0) if self.kind in (rec.KIND_RESULT, rec.KIND_RAW) else 0


class _Bytes:
    """The image as a device that can only be read."""

    def __init__(self, octets: bytes, unit_bytes: int, block_bytes: int):
        self.octets = octets
        self.unit_bytes = unit_bytes
        self.block_bytes = block_bytes
        self.block_count = len(octets) // block_bytes

    def read_into(self, address: int, buf: bytearray, n: int) -> int:
        buf[:n] = self.octets[address : address + n]
        return 0


@dataclass
class Area:
    """One ring of the image: its newest HEAD and everything found in its blocks."""

    role: int
    first_block: int
    block_count: int
    head: Entry | None
    entries: list[Entry]
    damaged: int
    unreadable: int
    device: Part | None = None


def load(path: Path) -> bytes:
    """The blocks of a file, or of a folder with one file a block."""
    try:
        if not path.is_dir():
            return linux_header.blocks_of(path.read_bytes())
        files = {int(file.name): file for file in path.iterdir() if file.name.isdigit()}
        if not files:
            raise ImageError(f"{path} holds no block files")
        blocks = [files[n].read_bytes() if n in files else b"" for n in range(max(files) + 1)]
        return b"".join(block.ljust(FOLDER_BLOCK_BYTES, b"\xff") for block in blocks)
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from None


def is_held(path: Path) -> bool:
    """Tell whether an agent has the spool's lock. Trying to take it would be in the way of one that starts just now,
    so the kernel's list is read (proc_locks(5)); where there is none, the answer is no."""
    try:
        inode = path.stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return False
    rows = [row.split() for row in locks.splitlines()]
    return any(len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode) for row in rows)


def header(path: Path) -> linux_header.Header | None:
    """What the first page of a file says, None where there is no sound one."""
    if path.is_dir():
        return None
    with path.open("rb") as file:
        return linux_header.read(file.read(linux_header.PAGE_BYTES))


def _sound(octets: bytes, at: int, room: int) -> int:
    """The length of the sound record at `at`, 0 if there is none."""
    kind = octets[at] if at < len(octets) else 0xFF
    if kind != rec.KIND_HEAD and kind | 0x80 not in KIND_NAMES:
        return 0
    length = rec.FRAME_BYTES + int.from_bytes(octets[at + 2 : at + 4], "little")
    if length > room or at + length > len(octets) or length > rec.FRAME_BYTES + PAYLOAD_WIDE:
        return 0
    end = at + length - 4
    return length if get_u32(octets, end) == crc30(octets, at, end) else 0


def scan(octets: bytes) -> list[tuple[int, Entry]]:
    """Every sound record on any multiple of 8, with its address; the kinds of format 1 in today's numbers."""
    found = []
    at = 0
    role = ROLE_MAIN  # as the HEAD in front says, for a raw frame does not say it itself
    while at + rec.FRAME_BYTES <= len(octets):
        length = _sound(octets, at, len(octets) - at)
        if not length:
            at += rec.ALIGN_BYTES
            continue
        kind = octets[at] if octets[at] == rec.KIND_HEAD else octets[at] | 0x80
        payload = octets[at + rec.HEAD_BYTES : at + length - 4]
        if kind == rec.KIND_HEAD:
            role = _role(payload, role)
        mine = role
        if kind == rec.KIND_RESULT:
            mine = ROLE_QUARANTINE if len(payload) in LENGTHS_PARKED else ROLE_MAIN
        found.append((at, Entry(mine, 0, at, get_u32(octets, at + 4), kind, octets[at + 1], payload)))
        at += (length + rec.ALIGN_BYTES - 1) // rec.ALIGN_BYTES * rec.ALIGN_BYTES
    return found


def _role(payload: bytes, otherwise: int) -> int:
    """The role that a HEAD of any format names."""
    if len(payload) != rec.HEAD_PAYLOAD or not rec.is_spool_head(payload, 0):
        return otherwise
    return payload[AT_ROLE_2 if payload[rec.AT_VERSION] == 2 else rec.AT_ROLE]


def geometry(octets: bytes) -> tuple[int, int]:
    """Unit and block size as the first HEAD of this format says."""
    for at in range(0, len(octets), _STEP_BYTES):
        if octets[at : at + 1] != b"\x48" or not _sound(octets, at, rec.HEAD_OCTETS):
            continue
        if rec.is_head(octets, at + rec.HEAD_BYTES):
            payload = at + rec.HEAD_BYTES
            return 1 << octets[payload + rec.AT_UNIT_LOG], 1 << octets[payload + rec.AT_BLOCK_LOG]
        if rec.is_spool_head(octets, at + rec.HEAD_BYTES):
            version = octets[at + rec.HEAD_BYTES + rec.AT_VERSION]
            raise ImageError(f"this spool has format {version}, this program reads {rec.FORMAT_VERSION}; try `rescue`")
    raise ImageError("no block begins with a sound HEAD: this is no spool, or `rescue` is needed")


def read(octets: bytes) -> list[Area]:
    """The areas of an image: main, the quarantine, graphs if there are any; ImageError if it is no spool."""
    unit, block_bytes = geometry(octets)
    device = _Bytes(octets, unit, block_bytes)
    blocks: dict[int, list[Entry]] = {}
    skipped: dict[int, int] = {}
    roles: dict[int, int] = {}
    for block in range(device.block_count):
        blocks[block], skipped[block] = _read_block(device, block)
        head = next((e for e in blocks[block] if e.kind == rec.KIND_HEAD), None)
        if head is not None:
            roles[block] = head.payload[rec.AT_ROLE]
    parked, graphs = divide(device, 0, 0)
    places = [(ROLE_MAIN, parked + graphs, device.block_count), (ROLE_QUARANTINE, 0, parked)]
    if graphs:
        places.append((ROLE_GRAPHS, parked, parked + graphs))
    areas = []
    for role, first, end in places:
        mine = {n: blocks[n] for n in range(first, end) if blocks[n] and roles.get(n, role) == role}
        unreadable = sum(1 for n in range(first, end) if not blocks[n] and skipped[n])
        area = _area(role, first, end - first, mine, unreadable)
        area.device = Part(device, first, end - first) if end > first else None
        areas.append(area)
    return areas


def _read_block(device: _Bytes, block: int) -> tuple[list[Entry], int]:
    walk = Walk(device, rec.FRAME_BYTES + PAYLOAD_WIDE, None)
    walk.begin(block, 0, 0)
    entries = []
    while True:
        kind = walk.next()
        if kind <= rec.RECORD_NONE:
            return entries, walk.skipped
        payload = bytes(walk.page[rec.HEAD_BYTES : rec.HEAD_BYTES + walk.length])
        entries.append(Entry(-1, block, walk.record_at, walk.seq, kind, walk.flags, payload))


def _area(role: int, first: int, count: int, blocks: dict[int, list[Entry]], unreadable: int) -> Area:
    order = sorted(blocks, key=lambda block: blocks[block][0].seq)
    unopened = []
    while order and len(blocks[order[-1]]) == 1 and blocks[order[-1]][0].kind == rec.KIND_HEAD:
        unopened.append(order.pop())
    entries: list[Entry] = []
    head = None
    damaged = 0
    last = 0
    for place, block in enumerate(order):
        bound = rec.SEQ_TOP
        if place + 1 < len(order):
            bound = _after(blocks[order[place + 1]][0]) + 1
        for found in blocks[block]:
            void = found.seq >= bound
            entries.append(
                Entry(role, block - first, found.offset, found.seq, found.kind, found.flags, found.payload, void)
            )
            if void:
                continue
            if found.kind == rec.KIND_HEAD:
                head = entries[-1]
            expected = _after(found) if found.kind == rec.KIND_HEAD else found.seq - 1
            if last and expected > last:
                damaged += expected - last
            last = found.seq
    for block in unopened:
        entries.append(replace(blocks[block][0], role=role, block=block - first, void=True))
    return Area(role, first, count, head, entries, damaged, unreadable)


def _after(entry: Entry) -> int:
    if entry.kind == rec.KIND_HEAD and rec.is_head(entry.payload, 0):
        return get_u32(entry.payload, rec.AT_AFTER)
    return entry.seq - 2
