"""Makes a spool of this format from one of format 2 or 3: everything it holds and remembers goes into a new file.

Rules
1. A result keeps its number, so ToolsNet gets next what it would have got, under the same sequence, and its 08 still
   says what it may have. Events now share the numbers of results: those that are waiting come after the results.
2. Delivered results are carried over as far as there is room: what the controller sends again is looked up among them.
3. The new file is completed under `<name>.new`, its header last. Then the old one gets a second name,
   `<name>.format3`, and the new one takes its place in one step. A power cut leaves the old spool or the new one under
   the name, or neither if the disk has no links; the next run finishes in each case.
4. Curves are not carried over, nor which IDs are gone; only how many.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.log import numbers as n
from agent.log.flash import Part, RamFlash
from agent.log.log import BLOCKS_LEAST, RETAINED_MAX, Log
from agent.log.mount import mount
from agent.log.state import STATE_BLOCKS, State
from agent.openprotocol.known import DIGEST_BYTES, INDEXES, Known, put_digest, put_unread
from agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from agent.record import KIND_EVENT, KIND_RESULT, KINDS, LEAST, PAYLOAD_WIDE
from agent.record import result as res
from agent.toolsnet.telegram import SEQUENCES, sequence_at
from board import linux_header
from board.linux_header import IDENTITY_BYTES, NO_OWNER, PAGE_BYTES, Header
from board.linux_spool_make import MODE, NO_LINKS, FlashUnusable, block_bytes_for, lock, remove_leftover
from tools.spool import image
from tools.spool.old import account as old
from tools.spool.old.account import Account
from tools.spool.old.records import FORMATS, NotOld

OUTLETS = 4
UNIT_BYTES = 16
_IDENTITY_TOP = 0x3FFFFFFF
_STATION = 4  # offset in a payload
_SPARE = 1.25  # a new area has room for at least this many times what has to be carried over
_ID_KNOWN, _ID_EMPTY, _ID_SHARED = 1, 8, 32
_WRITE_BYTES = 1 << 20
_EVENT_LEAST = LEAST[KINDS.index(KIND_EVENT)]


class CannotTakeOver(Exception):
    """The spool is left as it was; the text says why, and what to do. `for_now`: because it is in use."""

    def __init__(self, text: str, for_now: bool = False) -> None:
        super().__init__(text)
        self.for_now = for_now


@dataclass(frozen=True)
class Plan:
    """The new spool: sizes in bytes; `station` is its number if it differs from the old one's, else 0."""

    size_bytes: int
    kept_bytes: int
    graph_bytes: int = 0
    unit_bytes: int = UNIT_BYTES
    station: int = 0


@dataclass
class Made:
    """A new area, and what was carried over into it."""

    device: RamFlash
    results: int
    waiting: int
    events: int
    kept: int


# -- the new area ----------------------------------------------------------------------------------------------------


def make(account: Account, plan: Plan, seed: int) -> Made:
    """Carry everything over into a new area, which is made larger than planned if it has to be."""
    unit = plan.unit_bytes
    block_bytes = block_bytes_for(plan.size_bytes)
    kept_octets = sum(_octets(len(one.payload) + res.PARKED_BYTES, unit) for one in account.kept)
    kept_blocks = max(plan.kept_bytes // block_bytes, KEPT_BLOCKS_LEAST, _blocks(kept_octets, block_bytes) + 2)
    graph_blocks = plan.graph_bytes // block_bytes
    low = min(account.passed(outlet) for outlet in [0, *account.others()])
    waiting = [one for one in account.results if one.number > low]
    events = _events(account)
    needed = sum(_octets(len(one.payload), unit) for one in waiting + events)
    front = STATE_BLOCKS + kept_blocks + graph_blocks
    log_blocks = max(plan.size_bytes // block_bytes - front, _blocks(needed, block_bytes) + BLOCKS_LEAST)
    history = _history(account, low, unit, int(log_blocks * block_bytes / _SPARE) - needed, RETAINED_MAX - len(waiting))
    device = RamFlash(front + log_blocks, block_bytes, unit)
    state = State(Part(device, 0, STATE_BLOCKS))
    log = Log(Part(device, front, log_blocks), state, n.LOG, OUTLETS, payload_most=PAYLOAD_WIDE)
    kept = Log(Part(device, STATE_BLOCKS, kept_blocks), state, n.KEPT, cursor_slot=n.KEPT_CURSOR, beside=log)
    mount(state, (log, kept), seed)
    state.numbers[n.GRAPH_BLOCKS] = graph_blocks
    _carry_results(log, history + waiting, account.number, plan.station)
    first_event = log.next
    for event in events:
        _append(log, event.kind, event.flags, log.next, event.payload[4:], plan.station)
    for one in account.kept:
        tail = one.number.to_bytes(4, "little") + one.reason.to_bytes(2, "little") + bytes(2)
        _append(kept, one.kind, one.flags, one.number, one.payload[4:] + tail, plan.station)
    _remember(state, log, kept, account, events, first_event, plan.station != 0)
    _know(Known(state), account)
    log.cover(log.number)
    kept.cover(kept.number)
    if not state.save():
        raise CannotTakeOver("the new spool cannot be written")
    wait = sum(one.number > account.done for one in waiting)
    return Made(device, len(history + waiting), wait, len(events), kept.number)


def _octets(length: int, unit: int) -> int:
    step = max(unit, 8)
    return -(-(length + 12) // step) * step


def _blocks(octets: int, block_bytes: int) -> int:
    return int(octets * _SPARE) // (block_bytes - 64) + 1


def _history(account: Account, low: int, unit: int, room: int, most: int) -> list[old.Stored]:
    """Return the results that all outlets have passed: the newest, as many as there is room for."""
    found: list[old.Stored] = []
    for one in reversed([one for one in account.results if one.number <= low]):
        room -= _octets(len(one.payload), unit)
        if room < 0 or len(found) >= most:
            break
        found.append(one)
    return found[::-1]


def _events(account: Account) -> list[old.Stored]:
    """Return the events that some outlet still has to take."""
    takers = account.others() + [old.EVENTS_OUTLET] * account.has_events
    low = min((account.seqs[outlet] for outlet in takers), default=0)
    return [one for one in account.events if one.seq > low and len(one.payload) >= _EVENT_LEAST]


def _carry_results(log: Log, results: list[old.Stored], last: int, station: int) -> None:
    first = results[0].number if results else last + 1
    for cursor in log.cursors:
        cursor.number = first - 1
    for one in results:
        log.next = one.number
        _append(log, one.kind, one.flags & ~(old.FLAG_RETRIED | old.FLAG_ASIDE), one.number, one.payload[4:], station)
    log.next = last + 1


def _append(log: Log, kind: int, flags: int, number: int, rest: bytes, station: int) -> None:
    payload = bytearray(number.to_bytes(4, "little") + rest)
    if kind == KIND_RESULT and len(payload) == res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES - 1:
        payload += b" "  # from format 2, which did not know how many digits of an angle are decimals
    if station:
        payload[_STATION : _STATION + 2] = station.to_bytes(2, "little")
    log.stage[log.place : log.place + len(payload)] = payload
    if log.append(kind, flags, len(payload)) != 0:
        raise CannotTakeOver(f"record {number} does not fit the new spool; make it larger (spool.size_kib)")


# -- what is remembered ----------------------------------------------------------------------------------------------


def _remember(
    state: State, log: Log, kept: Log, account: Account, events: list[old.Stored], first_event: int, is_other: bool
) -> None:
    """Set cursors, what may have been sent, and counts."""
    numbers = state.numbers
    for outlet in range(OUTLETS):
        log.cursors[outlet].number = 0  # for one that never took anything
    for outlet in [0, *account.others()]:
        log.cursors[outlet].number = _cursor(account, events, first_event, outlet)
    numbers[n.EVENT_CURSOR] = log.number
    numbers[n.STORED] = account.number
    numbers[n.DELIVERED] = account.delivered
    numbers[n.OVERWRITTEN] = account.overwritten
    numbers[n.MISSED] = account.missed
    numbers[n.GONE] = account.ids.gone
    numbers[n.SET_ASIDE] = kept.number
    numbers[n.KEPT_LAST] = max((one.number for one in account.kept), default=0)
    numbers[n.LIMIT] = max(account.limit, account.done)
    numbers[n.JUMPED] = numbers[n.DAMAGED] = 0
    if is_other:
        numbers[n.LIMIT] = account.done
        return
    log.cursors[0].ahead = -account.base % SEQUENCES
    numbers[n.SENT] = account.sent & (n.SENT_MET | n.SENT_PASS | n.SENT_WINDOW)
    numbers[n.TAKEN] = sequence_at(account.done + account.base) if account.sent & n.SENT_MET else 0
    if account.events_met:
        passed = [one.number for one in events if one.seq <= account.seqs[old.EVENTS_OUTLET]]
        numbers[n.EVENT_CURSOR] = first_event - 1 + len(passed)
        before = events[0].number if events else account.event_number + 1
        numbers[n.EVENT_AHEAD] = (first_event - before - account.events_base) % SEQUENCES
        numbers[n.SENT] |= n.SENT_EVENTS_MET


def _cursor(account: Account, events: list[old.Stored], first_event: int, outlet: int) -> int:
    """Return how far this outlet has got: if results are waiting for it, it may get again some events that it has."""
    passed = account.passed(outlet)
    if any(one.number > passed for one in account.results):
        return passed
    return first_event - 1 + sum(one.seq <= account.seqs[outlet] for one in events)


def _know(known: Known, account: Account) -> None:
    """Set the controller's IDs: the highest result known, with its time and values if the log has it."""
    ids = account.ids
    top = _top_of(account)
    if top is not None:
        known.put_top(top)
    elif ids.flags & _ID_EMPTY:
        known.put_empty()
    for count in range(ids.epoch + 1):
        known.put_controller(ids.identity & _IDENTITY_TOP, bool(ids.flags & _ID_SHARED), count > 0)
    known.octets[INDEXES] = ids.indexes
    for first, last in ids.missing:
        known.add(first % (1 << 32), last % (1 << 32))


def _top_of(account: Account) -> bytearray | None:
    """Return the digest of the highest result known; for format 2, of the newest one with an ID."""
    digest = bytearray(DIGEST_BYTES)
    for one in reversed(account.results):
        digits = one.payload[res.HEAD_BYTES + res.TIGHTENING_ID :][: res.ID_BYTES]
        if one.kind != KIND_RESULT or not digits.isdigit():
            continue
        if account.version == 2 or int(digits) == account.ids.top:
            put_digest(digest, 0, one.payload, res.HEAD_BYTES, one.flags)
            return digest
    if not account.ids.flags & _ID_KNOWN:
        return None
    put_unread(digest, account.ids.top)
    return digest


# -- files -----------------------------------------------------------------------------------------------------------


def take_over_if_old(path: str, settings: dict, say: Callable[[str], None]) -> str | None:
    """Take over the spool at `path` if it has an older format, or finish what was begun; say what was done, else None.

    `settings` are a station's `spool`. CannotTakeOver leaves everything as it was.
    """
    place = Path(path).resolve()
    finished = _finish(place)
    if finished is not None:
        return finished
    page = _first_page(place)
    if page is None:
        return None
    with place.open("rb") as file:
        _prepare(file.fileno(), place)
        say(f"{place.name} is a spool of an earlier toolcart; it is taken over, which takes some seconds")
        account = _account(place, linux_header.blocks_of(file.read()))
        plan = _plan(settings, place.stat().st_size)
        made = make(account, plan, _seed())
        told = linux_header.read(page)
        owner = told.owner if told is not None else settings.get("owner", NO_OWNER)
        write_file(_new(place), made.device, owner)
        kept_as = _swap(place, account.version)
    return f"{place.name}: {words(made, account)}; the old spool is kept as {kept_as.name}"


def take_over(source: Path, target: Path, plan: Plan) -> str:
    """Make a new spool file at `target` from the file, folder of blocks or image at `source`; say what was done."""
    if target.exists():
        raise CannotTakeOver(f"{target} is there already; nothing takes its place")
    told = image.header(source)
    try:
        account = old.read(image.load(source))
    except NotOld as reason:
        raise CannotTakeOver(f"{source} is not an older spool: {reason}") from None
    owner = told.owner if told is not None else NO_OWNER
    if plan.station:
        owner = (owner[0], owner[1], plan.station)
    made = make(account, plan, _seed())
    write_file(_new(target), made.device, owner)
    os.rename(_new(target), target)
    _sync_folder(target)
    return f"{target.name}: {words(made, account)}"


def words(made: Made, account: Account) -> str:
    """Say what was carried over, for people."""
    told = f"{made.results} results of a spool of format {account.version} taken over, {made.waiting} of them waiting"
    if made.kept:
        told += f"; {made.kept} set aside"
    if made.events:
        told += f"; {made.events} events"
    return told


def write_file(path: Path, device: RamFlash, owner: tuple[int, int, int]) -> None:
    """Write this area to a file: the header comes when everything else is on the disk."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, MODE)
        try:
            os.fchmod(descriptor, MODE)
            for at in range(0, len(device.cells), _WRITE_BYTES):
                _write(descriptor, bytes(device.cells[at : at + _WRITE_BYTES]), PAGE_BYTES + at)
            os.fsync(descriptor)
            sizes = device.unit_bytes, device.block_bytes, device.block_count
            _write(descriptor, bytes(Header(*sizes, owner, os.urandom(IDENTITY_BYTES)).page()), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotTakeOver(f"cannot write {path}: {error.strerror}; the disk needs room for it") from None


def _write(descriptor: int, octets: bytes, at: int) -> None:
    if os.pwrite(descriptor, octets, at) != len(octets):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _first_page(place: Path) -> bytes | None:
    """Return the first page of a spool of an older format; None for any other file, or if there is none."""
    try:
        if not place.is_file():
            return None
        with place.open("rb") as file:
            page = file.read(PAGE_BYTES)
            told = linux_header.read(page)
            if told is not None:
                return page if told.version == 1 else None
            block = page
            while block and not linux_header.is_ours(page):
                if block[:1] == b"\x48" and block[8:12] == b"TCSP" and block[12] in FORMATS:
                    return page  # without a header
                block = file.read(PAGE_BYTES)
    except OSError:
        pass
    return None


def _account(place: Path, octets: bytes) -> Account:
    try:
        return old.read(octets)
    except NotOld as reason:
        if octets.strip(b"\xff"):
            raise CannotTakeOver(
                f"{place}: {reason}; `toolcart spool rescue {shlex.quote(str(place))}` reads what is left of it, "
                "then move it away"
            ) from None
        return Account(3, UNIT_BYTES, 4096)  # made but never used


def _plan(settings: dict, size_bytes: int) -> Plan:
    size = max(settings["size_kib"] * 1024, size_bytes - PAGE_BYTES)
    graphs = settings.get("graphs_kib", 0) * 1024
    return Plan(size, settings["parked_kib"] * 1024, graphs, settings.get("unit", UNIT_BYTES))


def _seed() -> int:
    return int.from_bytes(os.urandom(4), "little") % _IDENTITY_TOP + 1


def _new(place: Path) -> Path:
    return place.with_name(place.name + ".new")


def _prepare(descriptor: int, place: Path) -> None:
    """Lock the old spool, and remove what a power cut has left of a new one."""
    try:
        lock(descriptor, str(place))
        remove_leftover(str(place))
    except FlashUnusable as reason:
        raise CannotTakeOver(str(reason), for_now=True) from None


def _swap(place: Path, version: int) -> Path:
    """Put the new file in the old one's place (rule 3)."""
    kept_as = _kept_name(place, version)
    try:
        if not kept_as.exists():
            os.link(place, kept_as, follow_symlinks=False)
            _sync_folder(place)
        os.rename(_new(place), place)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise CannotTakeOver(f"cannot put the new spool in place of {place}: {error.strerror}") from None
        os.rename(place, kept_as)
        _sync_folder(place)
        os.rename(_new(place), place)
    _sync_folder(place)
    return kept_as


def _kept_name(place: Path, version: int) -> Path:
    """Return a free name, or the one that this file already got before a power cut."""
    count = 0
    while True:
        name = place.with_name(f"{place.name}.format{version}" + (f".{count}" if count else ""))
        if not name.exists() or name.samefile(place):
            return name
        count += 1


def _finish(place: Path) -> str | None:
    """Give the new file its name if power failed between the two renames on a disk without links."""
    if place.exists() or not _new(place).is_file():
        return None
    kept = [name for name in (place.with_name(f"{place.name}.format{version}") for version in FORMATS) if name.exists()]
    with _new(place).open("rb") as file:
        told = linux_header.read(file.read(PAGE_BYTES))
    if not kept or told is None or told.version != linux_header.VERSION:
        return None
    os.rename(_new(place), place)
    _sync_folder(place)
    return f"{place.name}: the spool was taken over before the power failed; the old one is kept as {kept[0].name}"


def _sync_folder(place: Path) -> None:
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
