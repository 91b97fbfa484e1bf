"""A station's area as the agent's own code finds it at a start, on any device.

    found = opened(device)                 # to look: nothing is written, a last record in doubt counts
    found = begun(device)                  # to write: started as the agent starts, nothing is in doubt any more

A mount writes nothing, and leaves in doubt what a power cut may have torn: the last record of each log. Whoever writes
into a spool settles that first and counts what no snapshot has counted, as the agent does. So an order
given to a stopped agent can lose nothing that the same order to a running one would keep. The settings
`when_full` and `durable` are not known here: where no block is free, settling takes the oldest that some outlet still
has to take, and counts that, as the next start would. A log that refuses keeps one free of what durable outlets need.

A device on which nothing is stored is an area too, an empty one (`is_new`). The configuration of the
first agent says how it is divided, so nobody else writes to it: what is begun is a blank copy.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolcart.agent.cart import outlet_places
from toolcart.agent.log import missed_counts
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import WANTS_ALL, WANTS_EVENTS, Cursor
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.framing import WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.agent.log.log import BLOCKS_LEAST, Log
from toolcart.agent.log.mount import MOUNT_DONE, mount, pass_gone
from toolcart.agent.log.partitioning import divide
from toolcart.agent.log.snapshot import STATE_BLOCKS, Snapshot
from toolcart.agent.log.snapshot_v4 import KIND_UNKNOWN
from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import PAYLOAD_WIDE
from toolcart.agent.station.store import Store
from toolcart.board.linux import spool_content
from toolcart.board.ram_flash import RamFlash

OUTLETS = 4


class OfflineSpool:
    """State and logs of one station, mounted; `graphs` is None if there are none.

    `is_new`: nothing is stored there, and how it will be divided is not known.
    """

    def __init__(self, device, kept_blocks: int, graph_blocks: int, owned: Snapshot | None = None) -> None:
        first = STATE_BLOCKS + kept_blocks + graph_blocks
        self.state = Snapshot(Partition(device, 0, STATE_BLOCKS))
        part = Partition(device, first, device.block_count - first)
        self.log = Log(part, self.state, field.LOG, 0, when_full=WHEN_FULL_OVERWRITE, payload_most=PAYLOAD_WIDE)
        is_known = owned is not None and any(outlet_places.kind_at(owned, place) for place in range(OUTLETS))
        # That of an outlet which was removed keeps nothing, and nobody counts what it lacks before it returns.
        for place in [place for place in range(OUTLETS) if not is_known or outlet_places.is_in_use(owned, place)]:
            follow(self.log, field.CURSOR + place)
        self.may_refuse = (
            not is_known or outlet_places.kind_at(owned, 0) != 0
        )  # else there never was anything to set aside
        self.sends = not is_known or outlet_places.is_in_use(
            owned, 0
        )  # ToolsNet was among the outlets of the last session
        self._events = Cursor()
        self.state.follow(self._events, field.EVENT_CURSOR)
        part = Partition(device, STATE_BLOCKS, kept_blocks)
        self.kept = Log(part, self.state, field.QUARANTINE, cursor_slot=field.QUARANTINE_CURSOR, staging_of=self.log)
        self.graphs = None
        if graph_blocks:
            part = Partition(device, STATE_BLOCKS + kept_blocks, graph_blocks)
            self.graphs = Log(part, self.state, field.GRAPHS, OUTLETS, field.GRAPH_CURSOR, staging_of=self.log)
        self.answer = mount(self.state, [log for _, log in self.logs()], 0)
        # Nobody waits at a place that was never used, and those of earlier versions do not say whether they were.
        kinds = [outlet_places.kind_at(self.state, place) for place in range(OUTLETS)]
        is_certain = any(kinds) and KIND_UNKNOWN not in kinds
        self._waiting = [cursor for cursor in self.log.cursors if is_certain or cursor.number]
        self._damaged_before = owned.numbers[field.DAMAGED] if owned is not None and owned.found else 0
        self.is_new = False
        self.quarantine = Quarantine(self.kept, self.state, self.log)
        self.ledger = IdLedger(self.state)

    def look(self) -> None:
        """Count, in memory alone, what the agent would count; nothing may be written afterwards."""
        for _, log in self.logs():  # nothing is delivered from here: a last record in doubt counts too
            log.visible, log.doubtful = log.number, False
        self.log.damage.ignore_before(self.passed(self.log) + 1)
        if self.state.found:
            for cursor in self._waiting:
                pass_gone(self.log, cursor)
        self.begin()  # where nothing is in doubt it writes nothing

    def damaged(self, ring: int) -> int:
        """Return how many records at most the agent counts as unreadable that starts with this and delivers all.

        The log counts what its readers do not find, each number once, and forgives what all outlets have passed.
        """
        if ring == field.QUARANTINE:
            return self.quarantine.unreadable
        if ring != field.LOG:
            return 0  # nobody counts pieces of curves
        for _ in each(self.log, self.passed(self.log)):
            pass
        return self.state.numbers[field.DAMAGED] - self._damaged_before

    def passed(self, log: Log) -> int:
        """Return up to which number nothing is waited for in this log: blocks without more may be erased."""
        cursors = self._waiting if log is self.log else log.cursors
        return min((cursor.number for cursor in cursors), default=0)

    def begin(self) -> bool:
        """Start like toolcart.agent.cart.storage and toolcart.agent.cart.assembly; False if the flash takes nothing."""
        if self.log.free_blocks():  # else it overwrote: whatever starts there gives a block up, and counts it
            self.log.blocks.when_full = WHEN_FULL_REFUSE
        if self.state.older:  # no later start knows that
            for cursor in self._waiting:
                pass_gone(self.log, cursor)
            self._pass_gone_events()
        self.quarantine.start()
        duplicates = DuplicateSearch(self.log)
        store = Store(self.log, self.ledger, None, duplicates, None, None, 0)  # of which a start needs no more
        return store.start() and self.quarantine.settle()

    def _pass_gone_events(self) -> None:
        """Count the events that an older state has in front of what is gone, if ToolsNet ever was to have some."""
        was, first, numbers = self._events.number, self.log.first_above(0), self.state.numbers
        if self.sends and was and self.log.number and was < first - 1:
            ever = self.log.next - 1 - numbers[field.STORED]
            self.state.missed_counts[0] += max(0, min(first - 1 - was, ever - self.state.missed_counts[0]))
            missed_counts.put(self.state)
            self._events.number = first - 1

    def logs(self) -> Iterator[tuple[int, Log]]:
        """Each log with the number of its ring, the main one first."""
        yield field.LOG, self.log
        yield field.QUARANTINE, self.kept
        if self.graphs is not None:
            yield field.GRAPHS, self.graphs

    def counting(self, log: Log) -> dict[int, bytes]:
        """Return the payload of every record that counts, by number; the last one too, even if it is in doubt.

        Of the quarantine those count that it still has.
        """
        if log is self.kept:
            return dict(self._set_aside())
        return {number: bytes(log.page[log.at : log.at + log.length]) for number, _ in each(log)}

    def _set_aside(self) -> Iterator[tuple[int, bytes]]:
        quarantine, log = self.quarantine, self.kept
        after = 0
        while quarantine.next_listed(after) > 0:
            after = quarantine.entry
            yield after, bytes(log.page[log.at : log.at + log.length])


def follow(log: Log, slot: int) -> None:
    """Give the log the cursor of this place; that of any outlet but ToolsNet's has events, too."""
    cursor = Cursor()
    if slot != field.TOOLSNET_CURSOR:
        cursor.wants |= WANTS_EVENTS
    log.follow(cursor, slot, field.SEQUENCE_LAG if slot == field.TOOLSNET_CURSOR else -1)


def each(log: Log, behind: int = 0) -> Iterator[tuple[int, int]]:
    """Yield number and kind of each record behind this number, in order; what else there is of it is in the log."""
    scout = Cursor()
    scout.wants = WANTS_ALL
    log.seek(scout, behind)
    while (kind := log.peek(scout)) > 0:
        yield scout.found, kind
        scout.advance()


def opened(device) -> OfflineSpool | None:
    """Open the area on this device to look at it; None if it is not one of this version."""
    spool = _mounted(device)
    if spool is not None:
        spool.look()
    return spool


def begun(device) -> OfflineSpool | None:
    """Open the area on this device to write to it, None if it is none of this version; OSError if it takes nothing."""
    spool = _mounted(device)
    if spool is not None and not spool.begin():
        raise OSError("the spool cannot be read or written now")
    return spool


def _mounted(device) -> OfflineSpool | None:
    if device.block_count <= STATE_BLOCKS:
        return None
    kind = spool_content.kind_of(device)
    if kind == spool_content.SPOILT:
        return None
    if kind == spool_content.NEW:
        spool = OfflineSpool(RamFlash(device.block_count, device.block_bytes, device.unit_bytes), BLOCKS_LEAST, 0)
        spool.is_new = True
        return spool
    kept_blocks, graph_blocks, owned = divide(device, 0, 0)
    if kept_blocks < BLOCKS_LEAST or STATE_BLOCKS + kept_blocks + graph_blocks + BLOCKS_LEAST > device.block_count:
        return None
    spool = OfflineSpool(device, kept_blocks, graph_blocks, owned)
    return spool if spool.answer == MOUNT_DONE else None
