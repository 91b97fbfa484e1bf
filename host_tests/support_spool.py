"""A controller, a spool and an archive in one small model, for proofs about the spool alone.

1. Tightenings are numbered 1, 2, 3 ..; the controller goes on with the next one only when the last was acknowledged,
   and comes again with the one that was not. The archive keeps what it was given under the number it came with.
2. After a start the outlet does what ToolsNet's does: what the archive has, and the log said might be on its way, is
   passed over; everything else is sent.
3. `check` holds the whole promise: every acknowledged tightening is in the archive once and in order; at a best-effort
   outlet some may be missing. Events come in between, and again after a cut if they were not acknowledged.
"""

from agent.base.words import get_u32, pack_digits, put_u32
from agent.record import result as res
from agent.spool import record as rec
from agent.spool.cursors import WANTS_EVENTS, WANTS_FRAMES, WANTS_RESULTS
from agent.log.flash import FLASH_DONE
from agent.spool.mount import mount
from agent.spool.ring import Ring
from agent.spool.search import holds

PORTABLE = True

PAYLOAD = res.HEAD_BYTES + res.BODY_BYTES
EVENT_PAYLOAD = 40
BATCH = 5  # results that may go out on the word of one cursor record
_AT = rec.HEAD_BYTES + res.HEAD_BYTES


def body_of(ident):
    """Return the 106 octets of one tightening."""
    body = bytearray(b"0" * res.BODY_BYTES)
    body[res.VIN : res.VIN + res.VIN_BYTES] = b"VIN%022d" % (ident * 7919)
    body[res.TIGHTENING_ID : res.TIGHTENING_ID + res.ID_BYTES] = b"%010d" % ident
    pack_digits(body, res.TIME, b"2024%02d%02d%02d%02d%02d" % (ident % 12 + 1, ident % 28 + 1, 9, 8, 7), 0, 14)
    return body


def ident_in(page, at=_AT):
    """Return which tightening lies in the page; every octet of it must be as it was written."""
    ident = int(bytes(page[at + res.TIGHTENING_ID : at + res.TIGHTENING_ID + res.ID_BYTES]))
    assert bytes(page[at : at + res.BODY_BYTES]) == bytes(body_of(ident)), "a wrong record is delivered"
    return ident


def append(ring, ident, kind=rec.KIND_RESULT, extra=0, flags=0):
    """Store one tightening; return FLASH_DONE or what the ring answered."""
    at = ring.begin(kind, PAYLOAD + extra)
    if at < 0:
        return at
    stage = ring.stage
    put_u32(stage, at, ring.number + 1)
    stage[at + 4 : at + 8] = b"\x0a\x00\x01\x00"
    stage[at + 8 : at + 8 + res.BODY_BYTES] = body_of(ident)
    for index in range(extra):
        stage[at + PAYLOAD + index] = index & 0xFF
    return ring.commit(kind, flags, PAYLOAD + extra)


def append_event(ring, ident):
    """Store one event that carries a number of its own; return FLASH_DONE or what the ring answered."""
    at = ring.begin(rec.KIND_EVENT, EVENT_PAYLOAD)
    if at < 0:
        return at
    for index in range(EVENT_PAYLOAD):
        ring.stage[at + index] = 0x20
    put_u32(ring.stage, at, ring.event_number + 1)
    put_u32(ring.stage, at + 8, ident)
    return ring.commit(rec.KIND_EVENT, 0, EVENT_PAYLOAD)


def read_all(ring, outlet=0):
    """Take everything there is for an outlet: list of (number, tightening)."""
    found = []
    while True:
        kind = ring.peek(outlet)
        if kind <= 0:
            assert kind == rec.RECORD_NONE
            return found
        found.append((get_u32(ring.walk.page, rec.HEAD_BYTES), ident_in(ring.walk.page)))
        ring.advance(outlet)


def mounted(flash, best_effort=(), events=(), **options):
    """Return a ring that is up on this device, its last record confirmed if that can be.

    `best_effort` are the outlets that may be moved on, `events` those that want events as well.
    """
    ring = made(flash, best_effort, events, **options)
    assert mount(ring) >= 0
    ring.confirm()
    return ring


def made(flash, best_effort=(), events=(), recover=None, **options):
    """Return a ring with these outlets that is not up yet; its owner is what is known of a controller, if `recover`
    says whether that is asked for what is missing.
    """
    ring = Ring(flash, **options)
    if recover is not None:
        from agent.openprotocol.known import Known  # tests of the log alone do without

        ring.owner = Known(ring.memory, recover)
    for outlet in best_effort:
        ring.cursors[outlet].durable = False
    for outlet in events:
        ring.cursors[outlet].wants = WANTS_RESULTS | WANTS_FRAMES | WANTS_EVENTS
    return ring


def difference(ring):
    """Return what a start on a copy of the flash would remember otherwise, empty if nothing.

    The cursors may be ahead of what the log says of them, and with them what was delivered, overwritten or missed.
    """
    if ring.suspect or ring.offset >= ring.device.block_bytes:
        return ""
    events = [index for index, cursor in enumerate(ring.cursors) if cursor.wants & WANTS_EVENTS]
    twin = made(ring.device.clone(), (), events, outlets=len(ring.cursors), when_full=ring.when_full)
    assert mount(twin) >= 0
    if rec.is_for_outlets(twin.last_kind) and twin.suspect:
        walk = twin.walk
        walk.begin(twin.last_block, twin.last_record_at, twin.seq - 1, twin.seq + 1)
        assert walk.next() == twin.last_kind
        twin.apply(twin.last_kind, walk.flags, walk.page, rec.HEAD_BYTES, walk.length)
    found = []
    for name in ("number", "event_number", "seq"):
        # A number that something torn may carry is given to nobody; the log need not say so.
        given = name == "seq" or not ring.torn
        if not 0 <= getattr(ring, name) - getattr(twin, name) <= (0 if given else 1):
            found.append("%s is %d, the flash says %d" % (name, getattr(ring, name), getattr(twin, name)))
    if bytes(twin.memory[4:]) != bytes(ring.memory[4:]):
        found.append("the memory differs")
    if twin.missed > ring.missed or twin.overwritten > ring.overwritten:
        found.append("more is missed or overwritten")
    for index in range(len(ring.cursors)):
        mine, its = ring.cursors[index], twin.cursors[index]
        if mine.jumped or not mine.number:  # it learns its number with the next record
            continue
        events_differ = mine.wants & WANTS_EVENTS and its.event > mine.event
        if its.seq > mine.seq or its.number > mine.number or events_differ:
            found.append("a cursor is behind the flash")
        if mine.saved_number != its.number and not its.jumped and mine.saved_block == its.block:
            found.append("a durable cursor is at %d, the flash says %d" % (mine.saved_number, its.number))
    return ", ".join(found)


class Plant:
    """One controller, one spool, `outlets` archives."""

    def __init__(self, flash, outlets=1, when_full=0, best_effort=(), events=()):
        self.flash = flash
        self.outlets = outlets
        self.when_full = when_full
        self.best_effort = best_effort
        self.events = events
        self.acknowledged = 0  # tightenings 1 to this one
        self.acknowledged_events = 0
        self.archives = [[] for _ in range(outlets)]  # [(number, tightening)]
        self.event_archives = [[] for _ in range(outlets)]  # [(event number, event)]
        self.unsaid = 0  # up to here results went out though no record had room
        self.ring = None
        self.start()

    def clone(self, flash):
        """The same plant after a cut, on `flash`; not started yet."""
        twin = Plant.__new__(Plant)
        twin.flash = flash
        twin.outlets = self.outlets
        twin.when_full = self.when_full
        twin.best_effort = self.best_effort
        twin.events = self.events
        twin.acknowledged = self.acknowledged
        twin.acknowledged_events = self.acknowledged_events
        twin.archives = [list(archive) for archive in self.archives]
        twin.event_archives = [list(archive) for archive in self.event_archives]
        twin.unsaid = self.unsaid
        twin.ring = None
        return twin

    def start(self):
        self.ring = mounted(
            self.flash,
            best_effort=self.best_effort,
            events=self.events,
            outlets=self.outlets,
            when_full=self.when_full,
        )
        for outlet in range(self.outlets):
            archive = self.archives[outlet]
            cursor = self.ring.cursors[outlet]
            if outlet == 0:  # only the first outlet's limit is kept
                said = max(cursor.limit, cursor.number, self.unsaid)
                assert not archive or archive[-1][0] <= said, "sent without a word"
            is_moved_on = outlet in self.best_effort
            assert is_moved_on or not archive or cursor.number <= archive[-1][0], (
                "the cursor is ahead of what was acknowledged"
            )

    def restart(self):
        self.flash.restart()
        self.start()

    def produce(self):
        """The controller comes with its next result; True when it was acknowledged."""
        ring = self.ring
        ident = self.acknowledged + 1
        if holds(ring, body_of(ident), 0):
            if not ring.confirm():
                return False
        elif append(ring, ident) != FLASH_DONE:
            return False
        self.acknowledged = ident
        return True

    def produce_event(self):
        """The controller comes with its next event; True when it was acknowledged."""
        if append_event(self.ring, self.acknowledged_events + 1) != FLASH_DONE:
            return False
        self.acknowledged_events += 1
        return True

    def _take_event(self, outlet):
        """Hand the event that was found to the archive, if it does not have its number."""
        ring = self.ring
        archive = self.event_archives[outlet]
        number = ring.cursors[outlet].peek_event
        ident = get_u32(ring.walk.page, rec.HEAD_BYTES + 8)
        assert get_u32(ring.walk.page, rec.HEAD_BYTES) == number
        if not archive or number > archive[-1][0]:
            archive.append((number, ident))
        ring.advance(outlet)

    def deliver(self, outlet=0):
        """Hand one result to the archive, and the events in front of it; False if there is none."""
        ring = self.ring
        cursor = ring.cursors[outlet]
        archive = self.archives[outlet]
        while True:
            kind = ring.peek(outlet)
            if kind <= 0:
                return False
            if kind == rec.KIND_EVENT:
                self._take_event(outlet)
                continue
            number = cursor.peek_number
            ident = ident_in(ring.walk.page)
            if archive and number <= archive[-1][0]:
                # A number that was never sent may show up once it is too late for it: a void record whose HEAD faded.
                for known, stored in archive:
                    assert known != number or stored == ident, "one number, two results"
                ring.advance(outlet)
                continue
            if outlet == 0 and number > cursor.limit:
                may = self._may_go(number)
                if ring.peek(outlet) <= 0 or cursor.peek_number != number:
                    continue
                if not may:
                    return False
            archive.append((number, ident))
            ring.advance(outlet)
            return True

    def _may_go(self, number):
        """As the outlet does (agent.outlets.toolsnet.position): where no record finds room they go out unsaid."""
        ring = self.ring
        for _ in range(4):  # a block may fail, and the next one as well
            if ring.save_cursors(number + BATCH - 1) == FLASH_DONE:
                return True
            if not ring.can_write():
                ring.pressed = True
                if ring.save_cursors(number + BATCH - 1) != FLASH_DONE and not ring.can_write():
                    self.unsaid = number
                    return True
        return False

    def finish(self, more=2):
        """Go on for a little and empty the spool; then the whole account is checked."""
        for _ in range(more):
            tries = 0
            while not self.produce():
                for outlet in range(self.outlets):
                    self.deliver(outlet)
                tries += 1
                assert tries < 200, "the next append does not work"
        for outlet in range(self.outlets):
            while self.deliver(outlet):
                pass
        self.check()

    def check(self):
        for outlet, archive in enumerate(self.archives):
            idents = [ident for _, ident in archive]
            events = [ident for _, ident in self.event_archives[outlet]]
            if outlet in self.best_effort:
                assert sorted(set(idents)) == idents and sorted(events) == events
                continue
            if outlet in self.events:
                wanted = list(range(1, self.acknowledged_events + 1))
                assert sorted(events) == events and sorted(set(events) | set(wanted)) == sorted(set(events)), events
            if idents and idents[-1] == self.acknowledged + 1:
                idents.pop()  # on flash, but the acknowledgement was cut off: it comes again and is known
            assert idents == list(range(1, self.acknowledged + 1)), self._differ(idents)

    def _differ(self, idents):
        for index in range(self.acknowledged):
            if index >= len(idents) or idents[index] != index + 1:
                return "acknowledged %d, at %d: %s" % (self.acknowledged, index, idents[max(0, index - 2) : index + 4])
        return "too many: %s" % idents[self.acknowledged :]
