"""Moves a spool into a new file: of another size or unit, of another station, out of an image of a board's flash.

Rules
1. The old one is read as a start would find it, and stays as it is. It is locked as an agent locks it until the new one
   is there: nothing is done to it meanwhile that the new one would not have. One that is in use is not touched.
2. A record keeps its number, so ToolsNet gets next what it would have got, under the same sequence, and its 08 still
   says what it may have. The same station keeps the identity that consumers know its numbers by, so what they have
   confirmed stays confirmed. With another station number the identity is another: server and consumers are as if they
   were new, and lose nothing by having less than the outlets' cursors say (Snapshot.put_moved).
3. All that an outlet still has to take is carried over, all that ToolsNet had and may lack now, and all that is kept
   aside: the new one is made larger than ordered if it has to be. Of what all have taken the newest, as far as there is
   room: what a controller gives again is looked up among them. Curves are not carried over, the room for them is. What
   is left is said. What is set aside and cannot be read is counted in the new one as in the old one. So is what is
   damaged, also where all outlets have had it, or one that was removed has not, and nothing between the records of the
   new one shows it: at once, while an agent counts it as an outlet goes back, or returns.
4. The new file is completed under `<name>.new`, its header last. What the log of the next agent has to say about orders
   (toolcart.board.linux.order_log) goes along.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from toolcart.agent.cart.outlet_places import kind_at
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.framing import FRAME_BYTES, RETAINED_MAX
from toolcart.agent.log.log import BLOCKS_LEAST, Log
from toolcart.agent.log.mount import mount
from toolcart.agent.log.removed_toolsnet import give_up
from toolcart.agent.log.snapshot import STATE_BLOCKS, Snapshot
from toolcart.agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from toolcart.agent.record import PAYLOAD_WIDE
from toolcart.agent.record.graph import ring_blocks
from toolcart.agent.record.result import FLAG_COPY
from toolcart.board.linux import order_log
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.board.linux.spool_file import (
    BLOCKS_MOST,
    MODE,
    NEW,
    FlashInUse,
    FlashUnusable,
    block_bytes_for,
    lock,
    remove_leftover,
)
from toolcart.board.linux.spool_header import IDENTITY_BYTES, NO_OWNER, PAGE_BYTES, Header
from toolcart.board.ram_flash import RamFlash
from toolcart.spool import image
from toolcart.spool.offline_spool import OfflineSpool, each, follow, opened
from toolcart.tools.spool.waiting import Waiting, waiting

_IDENTITY_TOP = 0x3FFFFFFF
_STATION = 4  # offset in every payload
_SPARE = 1.25  # a new area has room for at least this many times what has to be carried over
_STEP = 16  # records that are left behind where there is less room than was thought
_WRITE_BYTES = 1 << 20
# What belongs to the blocks themselves and not to what they hold.
_OF_THE_AREA = (*range(field.CURSOR), field.QUARANTINE_CURSOR, *range(field.GRAPH_CURSOR, field.SEND_LIMIT), field.AREA)
# What is known of the server of one station, and of no other.
_OF_THE_SERVER = (
    field.SENT,
    field.TAKEN,
    field.EVENT_SEQUENCE_LAG,
    field.REOFFERED,
    field.REOFFERED_TO,
    field.DELIVERED,
    field.DROPPED,
    field.DOUBT_TO,
    field.DOUBT_LACKS,
)


class CannotTakeOver(Exception):
    """The spool is left as it was; the text says why, and what to do."""


@dataclass(frozen=True)
class Plan:
    """The new spool: sizes in bytes; `station` is its number if it differs from the old one's, else 0.

    `kept_bytes` 0: the quarantine gets what it had, or its usual part of the size. `graphs_bytes` None: curves get the
    room that they had, or half of the size.
    """

    size_bytes: int
    kept_bytes: int = 0
    unit_bytes: int = 16
    station: int = 0
    graphs_bytes: int | None = None


@dataclass(frozen=True)
class Record:
    """A record that counts: its number in its log, kind, flags, payload."""

    number: int
    kind: int
    flags: int
    payload: bytes


@dataclass(frozen=True)
class NewArea:
    """A new area, and what was carried over into it; `waiting` is what some outlet still has to take.

    `left` is how many that no outlet waits for were left behind; of `all_bytes` it would have room for them.
    """

    device: RamFlash
    records: int
    waiting: int
    kept: int
    waits: tuple[Waiting, ...] = ()  # for whom
    in_doubt: int = 0
    doubt_left: int = 0  # what ToolsNet may lack of another station number's
    left: int = 0
    all_bytes: int = 0
    curves: int = 0  # pieces of them, which are left behind
    kept_unreadable: int = 0  # of `kept`, at most: they stay entries, and count as unreadable in the new one
    damaged: int = 0  # records of the old one that cannot be read


def take_over(
    source: Path, target: Path, plan: Plan, note: Callable[[image.Image], None] = lambda _: None
) -> tuple[str, bool]:
    """Make a new spool file at `target` from the file, folder of blocks or image at `source`; say what was done.

    `note` gets what was found in the old one. True if every record of that could be read.
    """
    if target.exists():
        raise CannotTakeOver(f"{target} already exists; it is not overwritten")
    with _locked(source):
        found = image.read(source)
        note(found)
        made = _moved(found.opened, source, target, plan)
        return f"{target.name}: {summary_of(made, plan)}", made.damaged == 0


@contextlib.contextmanager
def _locked(source: Path) -> Iterator[None]:
    """Hold the spool as an agent would. A folder of blocks or what cannot be opened is no agent's of this machine."""
    descriptor = -1
    for mode in (os.O_RDWR, os.O_RDONLY):  # some file systems lock only what may be written
        if descriptor < 0 and os.path.isfile(source):
            with contextlib.suppress(OSError):
                descriptor = os.open(source, mode | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if descriptor >= 0:
            lock(descriptor, str(source))
        yield
    except FlashInUse:
        why = f"an agent has {source} open; stop it first. If it is an order that is not done yet, try again"
        raise CannotTakeOver(why) from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _moved(old: OfflineSpool, source: Path, target: Path, plan: Plan) -> NewArea:
    header = image.header(source)
    owner = header.owner if header is not None else NO_OWNER
    if plan.station == _station_of(old, owner):
        plan = replace(plan, station=0)
    if plan.station:
        owner = (owner[0], owner[1], plan.station)
    try:
        orders = order_log.kept(str(source))
    except OSError as error:
        raise CannotTakeOver(f"cannot read {source}{order_log.SUFFIX}: {error.strerror}") from None
    made = make(old, plan, int.from_bytes(os.urandom(4), "little") % _IDENTITY_TOP + 1)
    new = target.with_name(target.name + NEW)
    try:
        remove_leftover(os.path.abspath(target))
    except (FlashUnusable, OSError) as why:
        raise CannotTakeOver(f"cannot make {target}: {why}") from None
    _write_file(new, made.device, owner)
    try:
        order_log.hand_on(orders, str(target))
    except OSError as error:
        new.unlink()
        raise CannotTakeOver(f"cannot write {target}{order_log.SUFFIX}: {error.strerror}") from None
    os.rename(new, target)
    _sync_folder(target)
    return made


def summary_of(made: NewArea, plan: Plan) -> str:
    """Say what was carried over, what was left behind, and what became of the size that was ordered."""
    waits = ", ".join(one.text() for one in made.waits if one.name)
    parts = [f"{counted(made.records, 'record')} taken over"]
    if made.records:
        waiting_text = f"up to {made.waiting} of them waiting" if made.waiting else "none of them waiting"
        parts[0] += f", {waiting_text}{f' ({waits})' if waits and made.waiting else ''}"
    if made.damaged:
        lost = f"{counted(made.damaged, 'record')} of the old one {agreeing(made.damaged, 'is')} damaged"
        parts.append(f"{lost}: counted as that from now on")
    if made.in_doubt:
        parts.append(f"ToolsNet may lack up to {made.in_doubt} that it had: what the old spool has of them is there")
    if made.doubt_left:
        lacking = f"ToolsNet may lack up to {made.doubt_left} that it had under the old station number"
        parts.append(f"{lacking}: the new spool does not say so")
    if made.kept:
        unreadable = f", up to {made.kept_unreadable} of them unreadable" if made.kept_unreadable else ""
        parts.append(f"{made.kept} set aside{unreadable}")
    if made.left:
        most = made.all_bytes // 1024
        more = f", of {most} KiB it would have them (--size-kib {most})" if most else ""
        parts.append(f"{made.left} older records that no configured outlet waits for were left behind{more}")
    if made.curves:
        parts.append(f"{made.curves} pieces of curves were left behind")
    size, ordered = len(made.device.cells) // 1024, plan.size_bytes // 1024
    if size != ordered:
        why = "what has to be kept needs that, with room for what comes meanwhile" if size > ordered else "whole blocks"
        parts.append(f"it is of {size} KiB, not of the {ordered} KiB that were ordered: {why}")
    return "; ".join(parts)


def _station_of(old: OfflineSpool, owner: tuple[int, int, int]) -> int:
    """Return the number of the station whose spool this is, 0 if nothing says it."""
    if owner[2]:
        return owner[2]
    for _ in each(old.log):
        return int.from_bytes(old.log.page[old.log.at + _STATION : old.log.at + _STATION + 2], "little")
    return 0


def start(content: bytes) -> OfflineSpool | None:
    """Return a spool in a copy of this file's content, counted as at a start; ImageError if it is none."""
    return opened(image.device_of(content))


def make(old: OfflineSpool, plan: Plan, seed: int) -> NewArea:
    """Carry everything over into a new area, which is made larger than planned if it has to be.

    `seed` is the identity of another station's.
    """
    block_bytes = block_bytes_for(plan.size_bytes)
    # Nothing in the new one tells that something was there: so what all outlets have had counts now, once more if it
    # counted before. Others may be restored.
    old.log.damage.ignored_to = min(old.log.damage.ignored_to, old.log.first_above(0) - 1)
    records, aside = _records(old.log), _records(old.kept, old.state.numbers[field.QUARANTINE_CURSOR])
    curves = 0 if old.graphs is None else old.graphs.device.block_count * old.graphs.device.block_bytes
    area = _Sizes(plan, block_bytes, _usual_kept(old), curves, aside)
    low = min([cursor.number for cursor in old.log.cursors if cursor.durable], default=0)
    doubt = old.state.numbers[field.DOUBT_LACKS]
    in_doubt = 0 if plan.station else doubt
    needed = [one for one in records if one.number > low or in_doubt]
    front = STATE_BLOCKS + area.kept_blocks(plan.size_bytes) + area.graph_blocks()
    least = BLOCKS_LEAST + (area.blocks(needed) if needed else 0)
    log_blocks = max(plan.size_bytes // block_bytes - front, least)
    made, first = None, _first_that_fits(records, len(records) - len(needed), area, log_blocks)
    while made is None:
        made = _filled(old, plan, seed, area, (front, log_blocks), records[first:], aside)
        if made is None and first == len(records) - len(needed):
            raise CannotTakeOver("what has to be kept does not fit the new spool; make it larger (--size-kib)")
        first = first if made is not None else min(first + _STEP, len(records) - len(needed))
    waits = waiting(old, {one.number: one.kind for one in records[first:]})
    return NewArea(
        made,
        len(records) - first,
        waits[0].count,
        old.quarantine.count(),  # of its ring's records some may be gone
        waits,
        in_doubt,
        doubt - in_doubt,
        first,
        area.size_for(records) if first else 0,
        0 if old.graphs is None else sum(1 for _ in each(old.graphs)),
        old.quarantine.unreadable,
        old.damaged(field.LOG),
    )


def _let_removed_count(spool: OfflineSpool) -> list[int]:
    """Let what is damaged of what a removed outlet lacks count as it is read; return where those that were stand.

    What was counted as the outlet was removed is counted once more, as it is where that returns: DAMAGED is a bound.
    """
    state, log = spool.state, spool.log
    slots = [field.CURSOR + place for place in range(field.PLACES) if kind_at(state, place)]
    removed = [state.numbers[slot] for slot in slots if log.cursor_at(slot) is None]
    log.damage.ignored_to = min([log.damage.ignored_to, *removed])
    return removed


@dataclass(frozen=True)
class _Sizes:
    """How many blocks of a new area its parts need; `usual` is how many the old quarantine has, 0 for a quarter.

    `curves` is how many bytes the old one has for curves.
    """

    plan: Plan
    block_bytes: int
    usual: int
    curves: int
    aside: list[Record]

    def blocks(self, records: list[Record]) -> int:
        """Return how many blocks these need, with room for what comes meanwhile."""
        octets = sum(_octets(one, self.plan.unit_bytes) for one in records)
        return int(octets * _SPARE) // (self.block_bytes - 64) + 1

    def kept_blocks(self, size_bytes: int) -> int:
        """Return how many blocks the quarantine of an area of this size gets."""
        quarter = size_bytes // 4 // self.block_bytes
        ordered = self.plan.kept_bytes // self.block_bytes or min(self.usual or quarter, quarter)
        least = self.blocks(self.aside) + 2 if self.aside else 0
        return max(ordered, KEPT_BLOCKS_LEAST, least)

    def graph_blocks(self) -> int:
        """Return how many blocks the ring of curves gets; 0: there is none."""
        ordered = self.plan.graphs_bytes
        wanted = min(self.curves, self.plan.size_bytes // 2) if ordered is None else ordered
        return ring_blocks(wanted, self.block_bytes)

    def packed(self, records: list[Record]) -> int:
        """Return how many blocks these take, one behind the other."""
        count, left = 0, 0
        for one in records:
            octets = _octets(one, self.plan.unit_bytes)
            if octets > left:
                octets = _octets(one, self.plan.unit_bytes, HEAD_OCTETS)
                count, left = count + 1, self.block_bytes
            left -= octets
        return count

    def size_for(self, records: list[Record]) -> int:
        """Return the least size that has room for all of these; 0 if no spool has."""
        size, wanted = self.plan.size_bytes // self.block_bytes, self.packed(records) + 1
        wanted += self.graph_blocks()
        while size - STATE_BLOCKS - self.kept_blocks(size * self.block_bytes) < wanted:
            size += 1
        return size * self.block_bytes if size <= BLOCKS_MOST and len(records) <= RETAINED_MAX else 0


def _usual_kept(old: OfflineSpool) -> int:
    """Return how many blocks the old quarantine has; 0 for the quarter of an area with ToolsNet, or unknown."""
    if old.is_new:
        return 0
    had, whole = old.kept.device.block_count, old.log.device.device.block_count
    return 0 if old.may_refuse and had == max(whole // 4, KEPT_BLOCKS_LEAST) else had


def _first_that_fits(records: list[Record], last: int, area: _Sizes, log_blocks: int) -> int:
    """Return from which record on there is room; not above `last`, from which on they are needed."""
    room = log_blocks if last == len(records) else log_blocks - 1  # one block stays free while something is needed
    low, high = max(0, min(last, len(records) - RETAINED_MAX)), last
    while low < high:
        middle = (low + high) // 2
        if area.packed(records[middle:]) <= room:
            high = middle
        else:
            low = middle + 1
    return low


def _filled(
    old: OfflineSpool,
    plan: Plan,
    seed: int,
    area: _Sizes,
    parts: tuple[int, int],
    carried: list[Record],
    aside: list[Record],
) -> RamFlash | None:
    """Return a new area with these records; None if it has no room for all of them."""
    front, log_blocks = parts
    if carried and not old.sends:
        give_up(old.log, carried[0].number)
    device = RamFlash(front + log_blocks, area.block_bytes, plan.unit_bytes, wears=False)
    state = Snapshot(Partition(device, 0, STATE_BLOCKS))
    log = Log(Partition(device, front, log_blocks), state, field.LOG, 0, payload_most=PAYLOAD_WIDE)
    for cursor in old.log.cursors:
        follow(log, cursor.slot)
    curves = area.graph_blocks()
    part = Partition(device, STATE_BLOCKS, front - STATE_BLOCKS - curves)
    kept = Log(part, state, field.QUARANTINE, cursor_slot=field.QUARANTINE_CURSOR, staging_of=log)
    logs = [log, kept]
    if curves:
        logs.append(Log(Partition(device, front - curves, curves), state, field.GRAPHS, 0, staging_of=log))
    mount(state, logs, seed if plan.station else old.state.identity or seed)
    state.rise(old.state.numbers[field.COUNTS_TO] // old.log.device.block_count)  # the count of erases goes on
    passed = [cursor.number for cursor in old.log.cursors]
    if not _carry(log, carried, passed, old.log.next, plan.station):
        return None
    if not _carry(kept, aside, [0], old.kept.next, plan.station):
        raise CannotTakeOver("what is set aside does not fit the new spool; make it larger (--parked-kib)")
    _remember(state, log, kept, old, plan.station != 0)
    log.checkpoint(log.number)
    kept.checkpoint(kept.number)
    if not state.save():
        raise CannotTakeOver("the new spool cannot be written")
    again = _found_again(device)
    if again:
        state.numbers[field.DAMAGED] -= min(again, state.numbers[field.DAMAGED])
        state.numbers[field.JUMPED] |= field.JUMPED_FINDS_AGAIN
        if not state.save():
            raise CannotTakeOver("the new spool cannot be written")
    if old.state.lost and not plan.station:  # its next start says what that means, as one with the old spool would
        for block in range(STATE_BLOCKS):
            device.erase(block)
    return device


def _found_again(device: RamFlash) -> int:
    """Return how many of the old one's damage is missing between two blocks: the next start counts that itself.

    So does the one with which a removed outlet returns.
    """
    copied = RamFlash(device.block_count, device.block_bytes, device.unit_bytes, device.wears)
    copied.cells[:] = device.cells
    new = opened(copied)
    if new is None:
        return 0
    new.damaged(field.LOG)
    for stands_at in _let_removed_count(new):  # from elsewhere another part of it may show
        for _ in each(new.log, stands_at):
            pass
    return new.damaged(field.LOG)


def _records(log: Log, behind: int = 0) -> list[Record]:
    """Return what a log holds behind this number, in order."""
    return [
        Record(number, kind, log.flags & ~FLAG_COPY, bytes(log.page[log.at : log.at + log.length]))
        for number, kind in each(log, behind)
    ]


def _octets(one: Record, unit: int, front: int = 0) -> int:
    step = max(unit, 8)
    return -(-(front + len(one.payload) + FRAME_BYTES) // step) * step


def _carry(log: Log, records: list[Record], passed: list[int], following: int, station: int) -> bool:
    """Append these records under their own numbers; the log goes on with `following`. False if they do not all fit.

    The cursors follow up to what they have `passed`, so that the last free block can be used where nobody waits.
    """
    first = records[0].number if records else following
    for cursor in log.cursors:
        cursor.number = first - 1
    for one in records:
        payload = bytearray(one.payload)
        if station:
            payload[_STATION : _STATION + 2] = station.to_bytes(2, "little")
        log.next = one.number
        log.stage[log.payload_at : log.payload_at + len(payload)] = payload
        if log.append(one.kind, one.flags, len(payload)) != 0:
            return False
        for cursor, most in zip(log.cursors, passed, strict=True):
            cursor.number = max(cursor.number, min(most, one.number))
    log.next = following
    return not records or log.first_above(0) == first


def _remember(state: Snapshot, log: Log, kept: Log, old: OfflineSpool, is_other: bool) -> None:
    """Set cursors, counts, what is known of the controller and, for the same station, of its server."""
    for index in range(field.NUMBERS):
        if index not in _OF_THE_AREA:
            state.numbers[index] = old.state.numbers[index]
    state.octets[:] = old.state.octets
    state.places, state.missed_counts, state.shared = (
        old.state.places,
        list(old.state.missed_counts),
        old.state.shared,
    )
    if not is_other:
        state.broke_at, state.broke_by = old.state.broke_at, old.state.broke_by
    state.names[:] = old.state.names
    for cursor, was in zip(log.cursors, old.log.cursors, strict=True):
        cursor.number, cursor.sequence_lag = was.number, was.sequence_lag
    if not is_other:
        state.had[:] = old.state.had
        for place in range(1, field.PLACES):  # of one whose cursor was moved what it has had stands there
            if state.places >> field.PLACE_BITS * place & field.MOVED:
                state.numbers[field.GRAPH_CURSOR + place] = old.state.numbers[field.GRAPH_CURSOR + place]
        if not state.graph_blocks() and not old.state.graph_blocks():  # up to where ToolsNet's were left out
            state.numbers[field.GRAPH_CURSOR] = old.state.numbers[field.GRAPH_CURSOR]
    kept.cursors[0].number = old.kept.cursors[0].number
    if not kept.number and not old.quarantine.count():  # nothing is left of what was set aside: its ring begins anew
        kept.cursors[0].number, kept.next = 0, 1
        for index in (field.REOFFERED, field.REOFFERED_TO, *range(field.GAPS, field.GAPS + 2 * field.GAPS_MOST)):
            state.numbers[index] = 0
    if is_other:
        for place in range(field.PLACES):
            cursor = Cursor()
            cursor.slot, cursor.number = field.CURSOR + place, old.state.numbers[field.CURSOR + place]
            if cursor.number and kind_at(state, place):
                state.put_moved(cursor, 0)
        state.places &= ~field.HAD_MORE
        state.numbers[field.QUARANTINED] -= min(state.numbers[field.QUARANTINED], state.numbers[field.DROPPED])
        for index in _OF_THE_SERVER:
            state.numbers[index] = 0
        state.numbers[field.SEQUENCE_LAG] = 0
        state.numbers[field.SEND_LIMIT] = state.numbers[field.CURSOR]
        toolsnet = log.cursor_at(field.TOOLSNET_CURSOR)
        if toolsnet is not None:
            toolsnet.sequence_lag = 0
            state.numbers[field.SEND_LIMIT] = toolsnet.number


def _write_file(path: Path, device: RamFlash, owner: tuple[int, int, int]) -> None:
    """Write this area to a new file: the header comes when everything else is on the disk."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, MODE), "r+b", buffering=0) as file:
            os.fchmod(file.fileno(), MODE)
            file.seek(PAGE_BYTES)
            for at in range(0, len(device.cells), _WRITE_BYTES):
                file.write(bytes(device.cells[at : at + _WRITE_BYTES]))
            os.fsync(file.fileno())
            sizes = device.unit_bytes, device.block_bytes, device.block_count
            file.seek(0)
            file.write(bytes(Header(*sizes, owner, os.urandom(IDENTITY_BYTES)).page()))
            os.fsync(file.fileno())
    except OSError as error:
        if not isinstance(error, FileExistsError):
            with contextlib.suppress(OSError):
                path.unlink()
        hint = "; the disk needs room for it" if error.errno == errno.ENOSPC else ""
        raise CannotTakeOver(f"cannot write {path}: {error.strerror}{hint}") from None


def _sync_folder(place: Path) -> None:
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
