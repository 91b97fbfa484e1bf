"""A station's area on a simulated flash that can refuse, be unreadable and lose its power; state and logs over it.

    area = Area(blocks=16)
    state, log = area.mount()              # everything new over the same flash, as after a start
    append(log, 1); area.flash.cut_after = 3; ...; area.mount()

Blocks 0..3 are the state's, then `kept_blocks` of the quarantine, `graph_blocks` of the ring of graphs, the log. What
another part of the area owns is not imported before it is asked for: a small heap has room for some of it only.
"""

from toolcart.agent.base.fields import get_u32, pack_digits, put_u32
from toolcart.agent.log.cursor import WANTS_ALL
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.log import LOG_DONE, Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.snapshot import Snapshot
from toolcart.agent.log.snapshot_fields import GRAPH_CURSOR, GRAPHS, LOG, QUARANTINE, QUARANTINE_CURSOR
from toolcart.agent.record import KIND_EVENT, KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from lab.harness.flash import Nor

PORTABLE = True

STATE_BLOCKS = 4
PAYLOAD = res.HEAD_BYTES + res.BODY_BYTES
EVENT_PAYLOAD = 40


class Area:
    """One station's area; `flash` is what survives."""

    def __init__(
        self, blocks=16, block_bytes=4096, unit_bytes=256, kept_blocks=3, graph_blocks=0, make_flash=Nor, flash=None
    ):
        self.flash = flash or make_flash(blocks, block_bytes, unit_bytes)
        self.kept_blocks = kept_blocks
        self.graph_blocks = graph_blocks
        self.mounts = 0
        self.mount_result = 0  # what the last mount answered
        self.state = self.log = self.kept = self.graphs = None

    def clone(self):
        """The same area on a copy of the flash, not mounted."""
        return Area(kept_blocks=self.kept_blocks, graph_blocks=self.graph_blocks, flash=self.flash.clone())

    def mount(self, best_effort=(), events=(), **options):
        """Make everything new over the flash, as after a start; `options` go to the log.

        `best_effort` are the outlets that may be passed over, `events` those that want events as well. `found` is the
        answer of the mount; a test that wants it to fail looks there.
        """
        flash = self.flash
        self.state = state = Snapshot(Partition(flash, 0, STATE_BLOCKS))
        front = STATE_BLOCKS + self.kept_blocks + self.graph_blocks
        self.log = log = Log(Partition(flash, front, flash.block_count - front), state, LOG, **options)
        self.kept = Log(
            Partition(flash, STATE_BLOCKS, self.kept_blocks),
            state,
            QUARANTINE,
            cursor_slot=QUARANTINE_CURSOR,
            staging_of=log,
        )
        logs = [log, self.kept]
        self.graphs = None
        if self.graph_blocks:
            part = Partition(flash, STATE_BLOCKS + self.kept_blocks, self.graph_blocks)
            self.graphs = Log(part, state, GRAPHS, cursors=2, cursor_slot=GRAPH_CURSOR, staging_of=log)
            for cursor in self.graphs.cursors:
                cursor.durable = False
            logs.append(self.graphs)
        for index in best_effort:
            log.cursors[index].durable = False
        for index in events:
            log.cursors[index].wants = WANTS_ALL
        self.mounts += 1
        self.mount_result = mount(state, tuple(logs), self.mounts)
        return state, log


def numbers(first, last):
    return list(range(first, last + 1))


def mounted(flash, kept_blocks=3, **options):
    """Return a log that is up over this device, its last record settled if that can be."""
    area = Area(kept_blocks=kept_blocks, flash=flash)
    log = area.mount(**options)[1]
    assert area.mount_result == MOUNT_DONE
    log.settle()
    return log


# Tightenings that are told by their ID, each octet of them


def body_of(ident):
    """Return the 106 octets of one tightening."""
    body = bytearray(b"0" * res.BODY_BYTES)
    body[res.VIN : res.VIN + res.VIN_BYTES] = b"VIN%022d" % (ident * 7919)
    body[res.TIGHTENING_ID : res.TIGHTENING_ID + res.ID_BYTES] = b"%010d" % ident
    pack_digits(body, res.TIME, b"2024%02d%02d%02d%02d%02d" % (ident % 12 + 1, ident % 28 + 1, 9, 8, 7), 0, 14)
    return body


def ident_in(page, at):
    """Return which tightening the payload at page[at:] is; every octet of it must be as it was written."""
    at += res.HEAD_BYTES
    ident = int(bytes(page[at + res.TIGHTENING_ID : at + res.TIGHTENING_ID + res.ID_BYTES]))
    assert bytes(page[at : at + res.BODY_BYTES]) == bytes(body_of(ident)), "a wrong record is delivered"
    return ident


def put(log, content, kind=KIND_RESULT, flags=0, origin=b"\x0a\x00\x01\x00"):
    """Store this behind a number and an origin: station, spindle, epoch; return LOG_DONE or what the log answered."""
    stage, at = log.stage, log.payload_at
    end = at + res.HEAD_BYTES + len(content)
    put_u32(stage, at, log.next)
    stage[at + 4 : at + res.HEAD_BYTES] = origin
    stage[at + res.HEAD_BYTES : end] = content
    return log.append(kind, flags, end - at)


def append(log, ident, kind=KIND_RESULT, extra=0):
    """Store one tightening; return LOG_DONE or what the log answered."""
    return put(log, body_of(ident) + bytes([index & 0xFF for index in range(extra)]), kind)


def store(log, idents, then=None):
    """Store all of these, each with this done behind it."""
    for ident in idents:
        assert append(log, ident) == LOG_DONE, ident
        if then is not None:
            then(log)


def append_event(log, ident):
    """Store one event; return LOG_DONE or what the log answered."""
    stage, at = log.stage, log.payload_at
    for index in range(EVENT_PAYLOAD):
        stage[at + index] = 0x20
    stage[at + ev.TEXT_LENGTH] = EVENT_PAYLOAD - ev.EVENT_LEAST
    put_u32(stage, at, log.next)
    put_u32(stage, at + 8, ident)
    return log.append(KIND_EVENT, 0, EVENT_PAYLOAD)


def put_event(page, at, what, number=3, station=1000, code=b"", text=b"", time=b"", controller=0x20, tool=0x20):
    """Write an event's payload to page[at:] as the agent makes it from a message; return its length."""
    ev.put_event(page, at, number, station, what)
    ev.put_code(page, at, code, 0, len(code))
    ev.put_ready(page, at, controller, tool)
    if time:
        ev.put_time(page, at, time, 0)
    page[at + ev.TEXT : at + ev.TEXT + len(text)] = text
    return ev.end_text(page, at, len(text))


def read_all(log, index=0):
    """Take all that waits for an outlet: list of (number, tightening); an event is (number, its ident)."""
    cursor = log.cursors[index]
    records = []
    while True:
        kind = log.peek(cursor)
        if kind <= 0:
            assert kind == 0, kind
            return records
        number = get_u32(log.page, log.at)
        assert number == cursor.found
        is_event = kind == KIND_EVENT
        records.append((number, get_u32(log.page, log.at + 8) if is_event else ident_in(log.page, log.at)))
        cursor.advance()


def take_all(log, index=0):
    """Whoever waits for results has taken all of them."""
    cursor = log.cursors[index]
    while log.peek(cursor) > 0:
        cursor.advance()


def take(log, count, index=0):
    """Let the cursor pass so many."""
    cursor = log.cursors[index]
    for _ in range(count):
        assert log.peek(cursor) > 0
        cursor.advance()


def held(log):
    """Return (number, kind, flags, payload) of every record that the log still has, oldest first."""
    from toolcart.agent.log.cursor import Cursor

    scout = Cursor()
    scout.wants = WANTS_ALL
    entries = []
    while True:
        kind = log.peek(scout)
        if kind <= 0:
            return entries
        entries.append((scout.found, kind, log.flags, bytes(log.page[log.at : log.at + log.length])))
        scout.advance()
