"""Writes down which results cannot be had any more: an event for each range of tightening IDs that is gone.

    code    none   the controller has nothing under these IDs      many   more was missing than can be noted
            reset  its IDs began anew, or it is another one        ?      several of these, or power was cut
            never  it cannot be asked (no MID 0064)                       before it was told
    text    first ID, last ID, how many of the IDs between are gone, how many are told in all, epoch

Rules
1. What is counted as gone is told once: the event says how many are told with it (agent.openprotocol.untold), so a
   start goes on where the log ends, and the counts of all events together are what is counted as gone.
2. Told when nothing is asked for any more, and at most one record in TELL_EVERY_MS: what goes meanwhile is one range as
   far as it is of one kind. So a controller of any kind fills 1,440 records a day, most of them none.
3. Results have the right of way: with no room for both it is told later.
4. Where a power cut came between, the last event that the log has says how many were told; the IDs are blank then.

Imported when the first ID is gone.
"""

from agent import health as h
from agent.base.compat import const
from agent.base.fields import copy, fill
from agent.base.ticks import Timer
from agent.newest_event import newest_event
from agent.openprotocol import untold as un
from agent.openprotocol.ids import id_of, put_id
from agent.openprotocol.questions import PHASE_IDLE, PHASE_OFF
from agent.record import KIND_EVENT
from agent.record import event as ev
from agent.record.result import FLAG_EDGE_TIME, ID_BYTES, STAMP_BYTES
from agent.spool import record as rec

TELL_EVERY_MS = const(60000)
BLOCKS_SEARCHED = const(256)

_CODES = (b"none", b"reset", b"never", b"many", b"?")
_NOTED_MOST = const(0x3FFFFFFF)  # what the log of events holds


class Gone:
    """One station's account of what is gone."""

    def __init__(self, store):
        self.store = store
        self._pause = Timer()  # since something was told
        self._patience = Timer()  # while more is asked for

    def write_down(self, recovery, room_bytes, now):
        """Write down what is due; whether something was written."""
        known = recovery.known
        if self._pause.armed and not self._pause.expired(now):
            return False
        if recovery.phase != PHASE_IDLE and recovery.phase != PHASE_OFF and not self._patience.expired(now):
            if not self._patience.armed:
                self._patience.start(now, TELL_EVERY_MS)
            return False  # more of it may follow
        if not self.store.ring.confirm() or not known.has_untold():  # the last record may be the event itself
            return False
        if known.told < 0:
            self._look_for_told(known)
        count = known.gone() - known.told - known.untold_ids()
        if known.told < 0:
            known.untold = [[un.ANY_ID, un.ANY_ID, -1, un.WHY_UNKNOWN, 0]]
        elif count > 0 or not known.untold:
            known.untold.insert(0, [un.ANY_ID, un.ANY_ID, count, un.WHY_UNKNOWN, 0])
        self._pause.start(now, TELL_EVERY_MS)
        self._patience.stop()
        count = known.untold[0][un.COUNT]
        if not self.store.ring.has_room(room_bytes) or not self._write(known, known.untold[0]):
            return False
        self.store.health.note(h.IDS_GONE, min(max(count, 0), _NOTED_MOST), now)
        return True

    def _look_for_told(self, known):
        """After a start: how many are told says the last event that the log has of them, none if all of it is here."""
        ring = self.store.ring
        told = last_total(ring)
        if told < 0 and ring.block_no < ring.device.block_count and ring.block_no < BLOCKS_SEARCHED:
            told = 0
        if told >= 0:
            known.told = min(told, known.gone() - known.untold_ids())

    def _write(self, known, entry):
        ring = self.store.ring
        at = ring.begin(KIND_EVENT, ev.EVENT_LEAST + ev.GONE_BYTES)
        if at < 0:
            return False
        stage = ring.stage
        ev.put_event(stage, at, ring.event_number + 1, self.store.station, ev.GONE)
        code = _CODES[entry[un.WHY]]
        copy(stage, at + ev.CODE, code, 0, len(code))
        stamp = bytearray(STAMP_BYTES)
        self.store.clock.stamp_into(stamp)
        ev.put_time(stage, at, stamp, 0)
        text = at + ev.TEXT
        fill(stage, text, ev.GONE_BYTES)
        total = known.told + entry[un.COUNT] if known.told >= 0 else known.gone()
        _put(stage, text + ev.GONE_FIRST, entry[un.FIRST])
        _put(stage, text + ev.GONE_LAST, entry[un.LAST])
        _put(stage, text + ev.GONE_COUNT, entry[un.COUNT])
        _put(stage, text + ev.GONE_TOTAL, min(total, known.gone()))
        if entry[un.FIRST] >= 0:
            for index in range(3):
                stage[text + ev.GONE_EPOCH + index] = 0x30 + entry[un.IN_EPOCH] // (100, 10, 1)[index] % 10
        stage[at + ev.TEXT_LENGTH] = ev.GONE_BYTES
        return ring.commit(KIND_EVENT, FLAG_EDGE_TIME, ev.EVENT_LEAST + ev.GONE_BYTES) == 0


def _put(stage, at, value):
    if value >= 0:
        digits = bytearray(ID_BYTES)
        put_id(digits, value)
        copy(stage, at, digits, 0, ID_BYTES)


def latest(ring, walk, blocks):
    """Return the newest of these events in the last blocks in words, by a walk of the caller's; None without one."""
    return newest_event(ring, walk, ev.GONE, blocks, _in_words)


def _in_words(walk):
    from agent.record.text import describe  # for people

    return describe(walk.page, rec.HEAD_BYTES, KIND_EVENT, walk.flags, walk.length)


def last_total(ring):
    """Return how many IDs the newest event of this kind says were told with it; -1 if no block searched has one."""
    total = newest_event(ring, ring.walk, ev.GONE, BLOCKS_SEARCHED, _total)
    return -1 if total is None else total


def _total(walk):
    total = id_of(walk.page, rec.HEAD_BYTES + ev.TEXT + ev.GONE_TOTAL)
    return total if total >= 0 else None
