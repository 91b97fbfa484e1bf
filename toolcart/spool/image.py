"""Every record of an image, those that count apart from void and damaged ones; the image is only read.

Rules
1. The geometry is taken from the heads found, or from the header of a file, so an image needs no configuration.
2. The agent's own code decides what counts (toolcart.spool.offline_spool): a mount writes nothing. Every other
   sound record is void: a copy that was cut, or what was refused, or superseded by a later block.
3. One in which no agent has stored anything yet is not divided: all behind the state is one area, without a record.
4. The header page in front of a file's blocks is not one of them; an image of a chip has none. Where it was lost, the
   state behind it is still found.
5. `scan`, for rescue, ignores all order and takes every sound record wherever it is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import get_u32
from toolcart.agent.log import block_head
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.framing import ALIGN_BYTES, FRAME_BYTES, HEAD_BYTES, NUMBER
from toolcart.agent.log.snapshot import STATE_BLOCKS, STATE_FOUND, Snapshot
from toolcart.agent.log.snapshot_fields import GRAPHS, LOG, QUARANTINE
from toolcart.agent.record import KIND_RAW, KIND_RESULT, KINDS, PAYLOAD_WIDE
from toolcart.agent.record.provenance import origin_bytes
from toolcart.agent.record.result import QUARANTINE_BYTES
from toolcart.board.linux import regular_file, spool_content
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.flash import SPOILT, FlashUnusable
from toolcart.board.linux.refusal import explanation
from toolcart.board.linux.spool_file import lock, refuse_kind, sound_header
from toolcart.board.ram_flash import RamFlash
from toolcart.spool.offline_spool import OfflineSpool, opened

FOLDER_BLOCK_BYTES = 4096
FOLDER_MORE = 2
KIND_NAMES = dict(zip(KINDS, ("result", "raw", "event", "graph"), strict=True))
NAMES = {LOG: "main", QUARANTINE: "parked", GRAPHS: "graphs"}  # of the areas, by ring
STEP_BYTES = 256  # no block is smaller
_RESULT_BYTES = (114, 151)  # without an origin, and without the tail that the quarantine adds


class ImageError(Exception):
    """The file is not a spool, or cannot be read; the text says why, without the file's name."""


class DamagedSpool(ImageError):
    """This may once have been a spool: `toolcart spool rescue` looks for its results."""


@dataclass(frozen=True)
class Entry:
    """One sound record and where it is. `void` ones do not count; `record` is its number in its own log."""

    ring: int
    block: int
    offset: int
    record: int
    kind: int
    flags: int
    payload: bytes
    void: bool = False

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    @property
    def number(self) -> int:
        """Return the result's number in the main log, wherever the record is; 0 if it is not a result."""
        return get_u32(self.payload, 0) if self.kind in (KIND_RESULT, KIND_RAW) else 0


@dataclass
class Area:
    """One log of the image: its blocks, everything found in them, and how many records cannot be read.

    `damaged` is what an agent counts that starts with it: records that are still needed. Lost curves are not counted.
    A block that holds something, but no record, need not have held one: it may have been in the file before it was part
    of the spool, or its first record was torn by a power cut. What it had is missed between the numbers of others.
    """

    ring: int
    first_block: int
    block_count: int
    entries: list[Entry] = field(default_factory=list)
    damaged: int = 0
    without_record: int = 0  # blocks that hold something, but no record


@dataclass
class Image:
    """A whole spool: its areas, and what a start would find. `flaws` say what is not as it should be, for people."""

    areas: list[Area]
    opened: OfflineSpool
    flaws: list[str]

    @property
    def lacks_content(self) -> bool:
        """True if a record that was acknowledged, or the state, or the newest of it, cannot be read."""
        state = self.opened.state
        return any(area.damaged for area in self.areas) or state.lost or state.older

    @property
    def is_damaged(self) -> bool:
        """True if a record that was acknowledged, the state or the header cannot be read."""
        return self.lacks_content or HEADER_FLAW in self.flaws


HEADER_FLAW = "its header is damaged or gone: no agent starts with it"
STATE_FLAW = (
    "its state cannot be read: what was delivered, what the controller no longer has and what can still be fetched "
    "from it is not known"
)
OLDER_FLAW = (
    "the newest of its state cannot be read, after damage or a power cut as it was saved: counts, and how far each "
    "outlet was, may be of before that"
)
START_WITHOUT_STATE = "; a start takes everything in the spool for waiting"


def load(path: Path) -> bytes:
    """Return the blocks of a file, or of a folder with one file a block."""
    return linux_header.blocks_of(content_of(path))


def content_of(path: Path) -> bytes:
    """Return all of a file with its header, or the blocks of a folder."""
    try:
        if path.is_char_device() or path.is_block_device():
            raise ImageError("it is a device; a board's spool is pulled first (docs/boards.md)")
        if path.is_fifo():
            raise ImageError("it is a pipe; a spool is read more than once, so it has to be a file")
        if path.is_socket():
            raise ImageError("it is a socket, and no file")
        if not path.is_dir():
            return regular_file.content_of(path)
        files = {int(file.name): file for file in path.iterdir() if file.name.isdigit() and file.is_file()}
        if not files:
            raise ImageError("it holds no block files")
        count = max(files) + 1 + FOLDER_MORE  # blocks at the end that have never been written have no file
        blocks = [regular_file.content_of(files[n]) if n in files else b"" for n in range(count)]
        return b"".join(block.ljust(FOLDER_BLOCK_BYTES, b"\xff") for block in blocks)
    except OSError as error:
        raise ImageError(error.strerror) from None


def is_held(path: Path) -> bool | None:
    """True if the spool's lock is taken: by an agent, an order or a take-over. None if this user cannot find out.

    The lock is tried, shared and for a moment: whoever wants it waits longer (LOCK_WAIT_S of spool_file). The kernel's
    list would not do, since its devices and inodes need not be those of stat (overlay, btrfs).
    """
    try:
        if not path.is_file():
            return False
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return False if error.errno == errno.ELOOP else None  # an agent follows no link
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)  # else no agent could lock it either
    finally:
        os.close(descriptor)
    return False


def copy_of(path: Path, owner: tuple[int, int, int]) -> RamFlash:
    """Return a copy of a spool that the owner's agent would open; FlashUnusable if it would not.

    It is opened to be read alone, so a user or a file system that allows no more is enough; FlashInUse while another
    process has it.
    """
    name = os.path.abspath(path)
    try:
        refuse_kind(name, os.lstat(name).st_mode)
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            with contextlib.suppress(OSError):  # a file system without locks
                lock(descriptor, name, how=fcntl.LOCK_SH)
            content = file.read()
            sound_header(name, content[: linux_header.PAGE_BYTES], os.fstat(descriptor), owner)
    except OSError as error:
        raise FlashUnusable(f"cannot open {name}: {explanation(error, name)}") from None
    device = device_of(content)
    if spool_content.kind_of(device) == spool_content.SPOILT:
        raise FlashUnusable(SPOILT % (name, shlex.quote(name)))
    return device


def header(path: Path) -> linux_header.Header | None:
    """Return what the first page of a file says, None if it is not sound."""
    if path.is_dir():
        return None
    with open(path, "rb", opener=regular_file.opener) as file:
        return linux_header.read(file.read(linux_header.PAGE_BYTES))


def read(path: Path) -> Image:
    """Return the areas of a spool: main, the quarantine, graphs if there are any; ImageError if it is not a spool."""
    return of_content(content_of(path))


def of_content(content: bytes) -> Image:
    """Return the areas of the spool in this content of a file or folder; ImageError if it is not a spool."""
    device, flaws = _device(content)
    spool = opened(device)
    if spool is None:
        if _is_of_another_version(device):
            raise ImageError("it was made by another version of toolcart; use that version")
        raise DamagedSpool("its areas do not fit: it is damaged, no spool, or parts of several")
    areas = []
    if spool.is_new:
        areas.append(_area(LOG, device, STATE_BLOCKS, device.block_count - STATE_BLOCKS, {}))
    else:
        for ring, log in spool.logs():
            if ring == QUARANTINE and not spool.may_refuse:
                continue  # the room for a quarantine, for when there is an outlet that refuses
            part = log.device
            areas.append(_area(ring, device, part.first_block, part.block_count, spool.counting(log)))
            areas[-1].damaged = spool.damaged(ring)
    flaws += [STATE_FLAW + START_WITHOUT_STATE * (HEADER_FLAW not in flaws)] * spool.state.lost
    flaws += [OLDER_FLAW] * spool.state.older
    damaged = sum(area.damaged for area in areas)
    if damaged:
        records = "1 record that was" if damaged == 1 else f"{damaged} records that were"
        flaws.append(f"up to {records} acknowledged cannot be read")
    blocks = sum(area.without_record for area in areas)
    if blocks:
        words = "1 block holds what is no record" if blocks == 1 else f"{blocks} blocks hold what is no record"
        flaws.append(
            f"{words}: zeros, what a power cut has left, or something that is not of this spool; an "
            "agent erases such a block before it uses it"
        )
    return Image(areas, spool, flaws)


def device_of(content: bytes) -> RamFlash:
    """Return a device with a copy of the blocks in this content of a file or folder; ImageError if there are none."""
    return _device(content)[0]


def _device(content: bytes) -> tuple[RamFlash, list[str]]:
    """Return it with what is wrong around the blocks."""
    if not content:
        raise ImageError("it is empty")
    octets, header = linux_header.blocks_of(content), linux_header.read(content[: linux_header.PAGE_BYTES])
    if header is None and linux_header.is_ours(content) and not octets:
        raise DamagedSpool("it was cut short within its header")
    is_spoilt = header is None and len(octets) < len(content)
    unit, block_bytes = geometry(octets, header)
    if header is None and not is_spoilt and _begins_after_a_header(content, unit, block_bytes):
        octets, is_spoilt = content[linux_header.PAGE_BYTES :], True
    if header is not None and (why := linux_header.cut_short(header, len(content))):
        raise DamagedSpool(f"it {why}")
    device = RamFlash(len(octets) // block_bytes, block_bytes, unit, wears=header is None and not is_spoilt)
    device.cells[:] = octets[: len(device.cells)]
    flaws = [HEADER_FLAW] * is_spoilt
    rest = len(octets) - len(device.cells)
    if rest:
        flaws.append(f"{rest} bytes behind its last whole block are not of it")
    return device, flaws


def _is_of_another_version(device: RamFlash) -> bool:
    """True if a sound head of a block says so."""
    for block in range(device.block_count):
        begin = block * device.block_bytes
        page = device.cells[begin : begin + block_head.HEAD_OCTETS]
        if page[:2] == b"TL" and page[2] != block_head.VERSION and _has_head_sum(page):
            return True
    return False


def _has_head_sum(page: bytes | bytearray) -> bool:
    return get_u32(page, block_head.AT_CRC) == crc30(page, 0, block_head.AT_CRC)


def _begins_after_a_header(content: bytes, unit: int, block_bytes: int) -> bool:
    """True if a state, else the blocks' numbers, are in place behind the header of a file, and not at the beginning."""
    fits = []
    for begin in (0, linux_header.PAGE_BYTES):
        octets = content[begin : begin + STATE_BLOCKS * block_bytes]
        device = RamFlash(STATE_BLOCKS, block_bytes, unit)
        device.cells[: len(octets)] = octets
        fits.append(Snapshot(Partition(device, 0, STATE_BLOCKS)).load() == STATE_FOUND)
    if not any(fits):
        fits = [_is_numbered(content[begin:], block_bytes) for begin in (0, linux_header.PAGE_BYTES)]
    return fits == [False, True]


def _is_numbered(octets: bytes, block_bytes: int) -> bool:
    """True if a block of the log is at the place that its number says (toolcart.agent.log.log)."""
    count = len(octets) // block_bytes
    for place in range(count):
        head = octets[place * block_bytes : place * block_bytes + block_head.HEAD_OCTETS]
        if _size_at(head, 0) and head[block_head.AT_RING] == LOG:
            first = STATE_BLOCKS + block_head.u16(head, block_head.AT_KEPT) + block_head.u16(head, block_head.AT_GRAPHS)
            number = get_u32(head, block_head.AT_NUMBER)
            return count > first and number % (count - first) == place - first
    return False


def geometry(octets: bytes, header: linux_header.Header | None) -> tuple[int, int]:
    """Return unit and block size from the first head of this format, else from the file's header."""
    if header is not None and (why := linux_header.unknown(header)):
        raise ImageError(f"it {why}; use that version")
    for at in range(0, len(octets), STEP_BYTES):
        size = _size_at(octets, at)
        if size:
            return 1 << (size >> 4), STEP_BYTES << (size & 15)
    if header is not None:
        return header.unit_bytes, header.block_bytes
    raise DamagedSpool("no block begins with a sound head: it is damaged, or no spool")


def _size_at(octets: bytes, at: int) -> int:
    """Return the size byte (unit and block) of a sound head of this format at `at`, 0 if there is none."""
    page = octets[at : at + block_head.HEAD_OCTETS]
    if page[:2] != b"TL" or len(page) < block_head.HEAD_OCTETS or page[2] != block_head.VERSION:
        return 0
    return page[block_head.AT_SIZE] if _has_head_sum(page) else 0


def _sound(octets: bytes, at: int, room: int) -> int:
    """Return the length of the sound record at `at`, 0 if there is none."""
    kind = octets[at] if at < len(octets) else 0xFF
    if kind not in KIND_NAMES:
        return 0
    length = FRAME_BYTES + int.from_bytes(octets[at + 2 : at + 4], "little")
    if length > room or at + length > len(octets) or length > FRAME_BYTES + PAYLOAD_WIDE:
        return 0
    end = at + length - 4
    return length if get_u32(octets, end) == crc30(octets, at, end) else 0


def _area(ring: int, device: RamFlash, first: int, count: int, counting: dict[int, bytes]) -> Area:
    """Return everything in these blocks; `counting` is the payloads that count, by number."""
    area = Area(ring, first, count)
    numbers: set[int] = set()
    for block in range(first, first + count):
        start = block * device.block_bytes
        octets = bytes(device.cells[start : start + device.block_bytes])
        if not octets.strip(b"\xff"):
            continue
        records = list(_records(octets, device.unit_bytes))
        for offset, length in records:
            payload = octets[offset + HEAD_BYTES : offset + length - 4]
            number = get_u32(octets, offset + NUMBER)
            void = number in numbers or counting.get(number) != payload
            if not void:
                numbers.add(number)
            entry = Entry(ring, block - first, offset, number, octets[offset], octets[offset + 1], payload, void)
            area.entries.append(entry)
        area.without_record += not records
    area.entries.sort(key=lambda entry: (entry.record, entry.void))
    return area


def _records(octets: bytes, unit: int) -> Iterator[tuple[int, int]]:
    """Yield offset and length of each sound record of a block; where none is sound every multiple of 4 is tried."""
    step = max(unit, ALIGN_BYTES)
    at = block_head.HEAD_OCTETS
    while at + FRAME_BYTES <= len(octets):
        length = _sound(octets, at, len(octets) - at) if octets[at] in KIND_NAMES else 0
        if length:
            yield at, length
            at = -(-(at + length) // step) * step
        else:
            at += 4


def scan(octets: bytes) -> list[tuple[int, Entry]]:
    """Return every sound record wherever it is, with its address."""
    entries = []
    end = 0
    kept = False  # from the head before it: a raw frame does not say it itself
    for match in re.finditer(rb"[\xd2\xd7\xc5\xc9]|TL", octets):
        at = match.start()
        if at < end or at % 4:
            continue
        if _size_at(octets, at):
            kept = octets[at + block_head.AT_RING] == QUARANTINE
            continue
        length = _sound(octets, at, len(octets) - at)
        if not length:
            continue
        end = at + length
        kind = octets[at]
        payload = octets[at + HEAD_BYTES : end - 4]
        ring = QUARANTINE if kept else LOG
        if kind == KIND_RESULT:  # its length says which, as long as there is one spindle
            plain = len(payload) - origin_bytes(payload, 0)
            ring = LOG if plain in _RESULT_BYTES else ring
            ring = QUARANTINE if plain - QUARANTINE_BYTES in _RESULT_BYTES else ring
        entries.append((at, Entry(ring, 0, at, get_u32(octets, at + NUMBER), kind, octets[at + 1], payload)))
    return entries
