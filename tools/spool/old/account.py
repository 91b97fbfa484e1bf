"""What an older spool holds and remembers: results, events, what was set aside, how far each outlet has got, the IDs.

Rules
1. Counters, cursors and memory come from the newest HEAD, and from the records after it in their order.
2. A number that was seen before is a copy. The very last record may be torn and still read well: it is taken over like
   any other, since that writes it again; if it was never acknowledged the controller sends it again, and it is
   recognised.
3. Set aside are: what the quarantine holds and was not dropped; what an ASIDE record names and the quarantine has not
   taken yet; and what was moved on in the log to be set aside there (flag 32). Each counts once.
4. From format 2 the IDs are not known: only its results, its quarantine, its numbers and its first cursor.
"""

from dataclasses import dataclass, field

from agent.base.words import get_u32
from agent.record.result import PARKED_BYTES, PARKED_MOVED, PARKED_UNREADABLE
from tools.spool.old import records as old
from tools.spool.old.records import Record

OUTLETS = 4
EVENTS_OUTLET = 2  # ToolsNet's own outlet for events, if the next outlet's place says how they are counted
FLAG_COPY = 4
FLAG_RETRIED = 16
FLAG_ASIDE = 32

SENT_MET = 1

_SLOTS = 352  # records of the quarantine, one bit each
_LOW = 0xFFFFFF

# Format 3: offsets in a HEAD's payload, and in the memory.
_OVERWRITTEN, _CURSORS, _MEMORY, _MEMORY_BYTES = 28, 32, 56, 60
_BASE, _SENT, _ASIDE_FIRST, _ASIDE_LENGTH = 4, 7, 8, 12
_GONE, _ID_FLAGS, _INDEXES, _EPOCH, _IDENTITY, _TOP, _TIME, _GAPS = 15, 19, 20, 21, 22, 26, 31, 38
_EVENTS_MARK, _EVENTS_MARKED, _EVENTS_MET, _EVENTS_BASE = 0xA80000, 0xFC0000, 0x20000, 0x1FFFF


@dataclass(frozen=True)
class Stored:
    """A result, frame or event of the main log, with its number."""

    number: int
    seq: int
    kind: int
    flags: int
    payload: bytes


@dataclass(frozen=True)
class Kept:
    """What was set aside: its number in the main log, and why."""

    number: int
    kind: int
    flags: int
    payload: bytes
    reason: int


@dataclass
class Ids:
    """What was known about the controller's tightening IDs."""

    flags: int = 0  # 1: the top ID is known, 8: there was no result, 32: all stations share them
    indexes: int = 0
    epoch: int = 0
    identity: int = 0
    top: int = 0
    time: bytes = bytes(7)
    gone: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Account:
    """An older spool."""

    version: int
    unit_bytes: int
    block_bytes: int
    results: list[Stored] = field(default_factory=list)  # and frames, one for each number, ascending
    events: list[Stored] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    number: int = 0  # of the last result
    event_number: int = 0
    done: int = 0  # ToolsNet's cursor: the number of its last result
    limit: int = 0
    seqs: list[int] = field(default_factory=lambda: [0] * OUTLETS)  # each outlet has passed the records up to this one
    base: int = 0
    sent: int = 0
    has_events: bool = False  # ToolsNet gets events as well
    events_met: bool = False
    events_base: int = 0
    delivered: int = 0
    overwritten: int = 0
    missed: int = 0
    ids: Ids = field(default_factory=Ids)

    def others(self) -> list[int]:
        """Return the outlets other than ToolsNet's that have ever taken anything."""
        return [index for index in range(1, 2 if self.has_events else OUTLETS) if self.seqs[index]]

    def passed(self, outlet: int) -> int:
        """Return the number of the last result that this outlet has passed."""
        if outlet == 0:
            return self.done
        return max((one.number for one in self.results if one.seq <= self.seqs[outlet]), default=0)


def read(octets: bytes) -> Account:
    """Return the account of an image without its file's header page; NotOld if it is not an older spool."""
    head = old.first_head(octets)
    found = old.areas(octets)
    account = Account(head.version, head.unit_bytes, head.block_bytes)
    main = found[old.MAIN].records
    memory = _fold(account, main)
    _collect(account, main)
    account.number += _lost(main) + found[old.MAIN].is_torn
    account.kept = _quarantine(found[old.QUARANTINE].records, head.version)
    if head.version == 3:
        _ids(account.ids, memory, main)
        account.kept += _in_place(account, main, memory)
    kept = {one.number for one in account.kept}
    # Where an outlet was set back, it would send again what it had already passed as set aside.
    account.results = [one for one in account.results if one.number not in kept or one.number <= account.done]
    account.results = [one for one in account.results if not one.flags & FLAG_ASIDE]
    return account


def _fold(account: Account, main: list[Record]) -> bytearray:
    """Apply rule 1; return the memory."""
    memory = bytearray(_MEMORY_BYTES)
    start = max((place for place, record in enumerate(main) if record.kind == old.HEAD), default=-1)
    if start < 0:
        return memory
    head = main[start]
    account.number, account.event_number = old.head_of(head.payload).number, old.head_of(head.payload).event_number
    if account.version == 2:
        _fold_2(account, main[start:])
        return memory
    _take_cursors(account, head.payload[_CURSORS:], head.seq)
    account.overwritten = get_u32(head.payload, _OVERWRITTEN)
    memory[:] = head.payload[_MEMORY : _MEMORY + _MEMORY_BYTES]
    for record in main[start + 1 :]:
        _apply(account, memory, record)
    account.delivered = get_u32(memory, 0)
    account.base = int.from_bytes(memory[_BASE:_SENT], "little")
    account.sent = memory[_SENT]
    return memory


def _apply(account: Account, memory: bytearray, record: Record) -> None:
    at = 12 if record.kind == old.ASIDE else 0
    if record.kind == old.CURSOR or record.kind == old.ASIDE:
        _take_cursors(account, record.payload[at:], record.seq)
        account.overwritten = get_u32(record.payload, at + 24)
        memory[:8] = record.payload[at + 28 : at + 36]
    elif record.kind == old.MEMORY:
        memory[4:] = record.payload[4:_MEMORY_BYTES]
        account.overwritten = get_u32(record.payload, _MEMORY_BYTES)
    if record.kind == old.ASIDE and not record.flags & FLAG_COPY and _u16(memory, _ASIDE_LENGTH) == 0:
        first, last = get_u32(record.payload, 0), get_u32(record.payload, 4)
        memory[_ASIDE_FIRST:_ASIDE_LENGTH] = first.to_bytes(4, "little")
        memory[_ASIDE_LENGTH : _ASIDE_LENGTH + 2] = (last - first + 1).to_bytes(2, "little")


def _take_cursors(account: Account, octets: bytes, own: int) -> None:
    """Take the cursors from HEAD or CURSOR record number `own`: of all outlets but the first it has the low 24 bits."""
    account.seqs[0], account.done, account.limit = get_u32(octets, 0), get_u32(octets, 4), get_u32(octets, 8)
    told = int.from_bytes(octets[18:21], "little")
    account.has_events = told & _EVENTS_MARKED == _EVENTS_MARK
    if account.has_events:
        account.events_met, account.events_base = told & _EVENTS_MET != 0, told & _EVENTS_BASE
    for outlet in range(1, OUTLETS):
        low = int.from_bytes(octets[9 + 3 * outlet : 12 + 3 * outlet], "little")
        account.seqs[outlet] = max(0, own - (own - low & _LOW))
    account.missed = int.from_bytes(octets[21:24], "little")


def _fold_2(account: Account, records: list[Record]) -> None:
    head = records[0].payload
    account.base = get_u32(head, 36)
    account.seqs[0], account.done, account.limit = get_u32(head, 40), get_u32(head, 44), get_u32(head, 48)
    for record in records[1:]:
        if record.kind == old.CURSOR and get_u32(record.payload, 0) == 0:
            octets = record.payload
            account.seqs[0], account.done, account.limit = get_u32(octets, 4), get_u32(octets, 8), get_u32(octets, 12)
        elif record.kind == old.MEMORY:
            account.base = get_u32(record.payload, 0)
    account.sent = SENT_MET if account.done else 0


def _collect(account: Account, main: list[Record]) -> None:
    """Collect results and events by number, each once."""
    results: dict[int, Stored] = {}
    events: dict[int, Stored] = {}
    for record in main:
        number = get_u32(record.payload, 0) if record.kind in (old.RESULT, old.RAW, old.EVENT) else 0
        row = events if record.kind == old.EVENT else results
        if number > 0:
            row.setdefault(number, Stored(number, record.seq, record.kind, record.flags & ~FLAG_COPY, record.payload))
    account.results = [results[number] for number in sorted(results)]
    account.events = [events[number] for number in sorted(events)]
    account.number = max([account.number, account.done, *results])
    account.event_number = max([account.event_number, *events])


def _lost(main: list[Record]) -> int:
    """Return how many records are missing after the last result: one may have had a number that was sent."""
    last = max((place for place, record in enumerate(main) if record.kind in (old.RESULT, old.RAW)), default=-1)
    if last < 0:
        return 0
    missing = 0
    for before, record in zip(main[last:], main[last + 1 :], strict=False):
        after = old.head_of(record.payload).after if record.kind == old.HEAD else record.seq - 1
        missing += max(0, after - before.seq)
    return missing


# -- what was set aside ----------------------------------------------------------------------------------------------


def _quarantine(records: list[Record], version: int) -> list[Kept]:
    """Return what the quarantine holds and was not dropped."""
    start = max((place for place, record in enumerate(records) if record.kind == old.HEAD), default=-1)
    memory = bytearray(_MEMORY_BYTES)
    gone = newest = 0
    if start >= 0 and version == 3:
        memory[:] = records[start].payload[_MEMORY : _MEMORY + _MEMORY_BYTES]
        gone = get_u32(records[start].payload, _CURSORS + 4)
        newest = old.head_of(records[start].payload).number
    found: dict[int, Record] = {}
    for place, record in enumerate(records):
        if record.kind in (old.RESULT, old.RAW):
            number = get_u32(record.payload, 0)
            found.setdefault(number, record)
            if place > start and number > newest:
                newest = number
                memory[16 + (number % _SLOTS >> 3)] &= ~(1 << (number % _SLOTS & 7)) & 0xFF
        elif place > start and version == 3 and record.kind == old.MEMORY:
            memory[:] = record.payload[:_MEMORY_BYTES]
        elif place > start and version == 3 and record.kind == old.CURSOR:
            gone = get_u32(record.payload, 4)
    kept: dict[int, Kept] = {}
    for number in sorted(found):
        dropped = memory[16 + (number % _SLOTS >> 3)] & 1 << (number % _SLOTS & 7)
        if number > gone and (version == 2 or not dropped):
            one = _kept(found[number])
            kept[one.number] = one
    return [kept[number] for number in sorted(kept)]


def _kept(record: Record) -> Kept:
    tail = len(record.payload) - PARKED_BYTES
    number = get_u32(record.payload, tail)
    payload = number.to_bytes(4, "little") + record.payload[4:tail]
    return Kept(number, record.kind, record.flags & ~FLAG_COPY, payload, _u16(record.payload, tail + 4))


def _in_place(account: Account, main: list[Record], memory: bytearray) -> list[Kept]:
    """Return what was set aside but is still in the log, because the quarantine had no room."""
    last_kept = max((one.number for one in account.kept), default=0)
    length = _u16(memory, _ASIDE_LENGTH)
    first = get_u32(memory, _ASIDE_FIRST) if length else old.SEQ_TOP
    ranges = [(first, first + length - 1, PARKED_MOVED)] if length else []
    for record in main:
        if record.kind == old.ASIDE and get_u32(record.payload, 4) >= first:
            ranges.append((get_u32(record.payload, 0), get_u32(record.payload, 4), _u16(record.payload, 8)))
    found: list[Kept] = []
    for one in account.results:
        reasons = [reason for low, high, reason in ranges if low <= one.seq <= high]
        if one.number <= last_kept or not (reasons or one.flags & FLAG_ASIDE):
            continue
        before = [other for other in found if other.payload[4:] == one.payload[4:]]
        if one.flags & FLAG_ASIDE and before:  # it was moved on, and an ASIDE record still names its old place
            continue
        reason = PARKED_UNREADABLE if one.kind == old.RAW else reasons[-1] if reasons else PARKED_MOVED
        found.append(Kept(one.number, one.kind, one.flags & ~(FLAG_ASIDE | FLAG_RETRIED), one.payload, reason))
    return found


# -- the controller's IDs --------------------------------------------------------------------------------------------


def _ids(ids: Ids, memory: bytearray, main: list[Record]) -> None:
    """Take the IDs from the memory and the results after the newest HEAD; ranges may be too wide, never too narrow."""
    ids.flags, ids.indexes, ids.epoch = memory[_ID_FLAGS], memory[_INDEXES], memory[_EPOCH]
    ids.gone = get_u32(memory[_GONE : _GONE + 3] + bytes([memory[_GONE + 3] & 0x3F]), 0)
    ids.identity = int.from_bytes(memory[_IDENTITY : _IDENTITY + 4], "little") & 0x3FFFFFFF
    ids.top = _bcd(bytes(memory[_TOP : _TOP + 5]))
    ids.time = bytes(memory[_TIME : _TIME + 7])
    at = _GAPS + 4
    first = int.from_bytes(memory[_GAPS : _GAPS + 4], "little")
    while at < _MEMORY_BYTES and _u16(memory, at):
        ids.missing.append((first, first + _u16(memory, at) - 1))
        first += _u16(memory, at) + (_u16(memory, at + 2) if at + 4 <= _MEMORY_BYTES else 0)
        at += 4
    start = max((place for place, record in enumerate(main) if record.kind == old.HEAD), default=len(main))
    for record in main[start + 1 :]:
        if record.kind == old.RESULT and not record.flags & (FLAG_COPY | FLAG_RETRIED):
            _hear(ids, record)


def _hear(ids: Ids, record: Record) -> None:
    digits = record.payload[8 + 82 : 8 + 92]
    if not digits.isdigit():
        return
    number = int(digits)
    if ids.flags & 1 and 0 < (number - ids.top) % (1 << 32) < 1 << 31:
        if number > ids.top + 1 and not ids.flags & 32:
            ids.missing.append((ids.top + 1, number - 1))
    elif ids.flags & 1:
        return
    ids.top = number
    ids.time = record.payload[8 + 56 : 8 + 63]
    ids.flags = ids.flags & ~8 | 1


def _bcd(octets: bytes) -> int:
    return int("".join(f"{octet >> 4}{octet & 15}" for octet in octets))


def _u16(octets: bytes | bytearray, at: int) -> int:
    return octets[at] | octets[at + 1] << 8
