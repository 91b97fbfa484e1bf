"""Turns a result message into a durable record, once, and says whether it may be acknowledged.

Rules
1. KEPT means: the record is on flash, or the log already holds this very tightening. Nothing else may be acknowledged.
2. A result that cannot be read is kept raw and acknowledged like any other, or it would come for ever (DIGEST D.1).
3. The body is written straight into the spool's stage; a result that turns out to be known is simply not committed.
4. A time that is none is replaced by the agent's own and flagged (DIGEST G.6, trap 42).
5. On a serial line (`strict`) what is odd or cannot be read must come twice: without a 0062 it does (003:2152-2154).
"""

from struct import pack_into

from agent import health as h
from agent.base.compat import ON_CPYTHON, const
from agent.base.crc import crc30
from agent.base.fields import all_digits, copy, fill, is_blank
from agent.base.words import put_u32
from agent.openprotocol.header import spindle_of
from agent.openprotocol.ids import id_of
from agent.openprotocol.known import EPOCH, VERDICT_LATER, VERDICT_LOOK, VERDICT_MISSING, VERDICT_NEW
from agent.openprotocol.light import read_light
from agent.openprotocol.plausible import plausible
from agent.record import PAYLOAD_MAX
from agent.record.raw import FRAME_MOST
from agent.record.result import (
    BODY_BYTES,
    FLAG_EDGE_TIME,
    FLAG_ODD,
    FLAG_RECOVERED,
    FLAG_TRUNCATED,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    LIMITS_BYTES,
    PARKED_BYTES,
    RESULT_ODD,
    RESULT_READ,
    RESULT_UNREADABLE,
    SERIAL,
    SERIAL_BYTES,
    STAMP_BYTES,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TIME,
    TIME_BYTES,
    has_time,
    looks_empty,
    put_time,
)
from agent.spool.blocks import SPOOL_FULL, WHEN_FULL_OVERWRITE
from agent.spool.flash import FLASH_IO
from agent.spool.record import HEAD_BYTES as FRAME_HEAD
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.spool.search import holds
from agent.spool.unread import FETCHED_ID, holds_frame, holds_pushed

KEPT = const(1)
KEPT_BEFORE = const(2)  # a repeat
NOT_SURE = const(-1)  # odd, and over a line that may have spoiled it: it has to come once more, exactly so
NOT_KEPT = const(0)  # no room, or the flash refused: no acknowledgement

_LIGHT_PAYLOAD = const(114)  # HEAD_BYTES + BODY_BYTES


class Store:
    """One station's way from a message into its spool."""

    def __init__(self, ring, known, recovery, health, clock, station):
        self.ring = ring
        self.known = known
        self.recovery = recovery
        self.health = health
        self.clock = clock
        self.station = station
        self.serial = bytearray(b" " * SERIAL_BYTES)
        self.wants_time = False  # set by who needs the controller's time; the next live result puts it into `heard`
        self.heard = bytearray(TIME_BYTES)
        self.strict = False
        self.limits = None  # agent.errands.Limits, where the settings want it
        self._light_payload = _LIGHT_PAYLOAD
        self._odd = 0  # checksum of the odd message that came last
        self._stamp = bytearray(STAMP_BYTES)
        self._payload = None  # room for one, once it is needed
        self._kind = KIND_RESULT
        self._flags = 0  # of what was fetched
        self._length = 0
        self._place = 0  # of the body in the stage
        self._code = 0

    def put_pushed(self, buf, at, length, revision, cut_short, now):
        """Store the MID 0061 at buf[at:at+length]; returns KEPT, KEPT_BEFORE, NOT_SURE or NOT_KEPT."""
        read = self._read_pushed(buf, at, length, revision)
        if self.strict and not self._is_sure(read == RESULT_READ, buf, at, length, revision, now):
            return NOT_SURE
        if not read:
            return self._put_raw(buf, at, length, FLAG_TRUNCATED if cut_short else 0, now)
        if self.limits is not None and revision == 999:
            self._length = _LIGHT_PAYLOAD + self.limits.put(self.ring.stage, self._place)
        if cut_short:  # what is kept of a result stands in front
            self.health.count(h.CUT_SHORT)
        return self._put_read(FLAG_ODD if read == RESULT_ODD else 0, now)

    def keep_limits(self, limits):
        """Put what `limits` knows behind every result that comes without."""
        self.limits = limits
        self._light_payload = _LIGHT_PAYLOAD + LIMITS_BYTES

    def read_fetched(self, buf, at, length, revision):
        """Read the MID 0065 at buf[at:at+length] into the stage; whether it could be read, but for its ID."""
        read = self._read_long(65, buf, at, length, revision)
        self._flags = FLAG_ODD if read == RESULT_ODD else 0
        if read:
            return True
        self._begin(KIND_RESULT, _LIGHT_PAYLOAD, buf, at)
        fill(self.ring.stage, self._place, BODY_BYTES, 0)
        if length >= FETCHED_ID + ID_BYTES:
            copy(self.ring.stage, self._place + TIGHTENING_ID, buf, at + FETCHED_ID, ID_BYTES)
        return False

    def body_place(self):
        """Return where in ring.stage the body of what was read last stands."""
        return self._place

    def put_fetched(self, now):
        """Store what `read_fetched` has read; returns KEPT, KEPT_BEFORE or NOT_KEPT."""
        flags = self._complete(self._flags) | FLAG_RECOVERED
        held = self._is_held(flags) if self.known.looks() or self.recovery.other else 0
        if held:
            return self._known_before(held, now)
        kept = self._commit(flags, now)
        if kept == KEPT:
            self.health.count(h.RECOVERED)
        return kept

    def put_fetched_raw(self, buf, at, length, asked, pushed_at, now):
        """Store the MID 0065 at buf[at:at+length], which cannot be read; returns KEPT, KEPT_BEFORE or NOT_KEPT.

        KEPT_BEFORE also if the MID 0061 of the ID in `asked` is kept, which has it at `pushed_at`, unread as well.
        """
        held = holds_pushed(self.ring, asked, pushed_at)
        if held:
            return self._known_before(held, now)
        return self._put_raw(buf, at, length, FLAG_RECOVERED, now)

    def take_body(self, body, octets, flags, buf, at):
        """Put a whole body with all behind it, read elsewhere out of the message at buf[at:], into the stage."""
        self._begin(KIND_RESULT, HEAD_BYTES + octets, buf, at)
        copy(self.ring.stage, self._place, body, 0, octets)
        if is_blank(body, SERIAL, SERIAL_BYTES):
            copy(self.ring.stage, self._place + SERIAL, self.serial, 0, SERIAL_BYTES)
        self._flags = flags

    def put_taken(self, now):
        """Store the pushed result that `take_body` has taken; returns KEPT, KEPT_BEFORE, NOT_SURE or NOT_KEPT."""
        return self._put_read(self._flags, now)

    def put_unread(self, buf, at, length, now):
        """Store a pushed message that nobody can read; returns KEPT, KEPT_BEFORE or NOT_KEPT."""
        return self._put_raw(buf, at, length, 0, now)

    def _is_held(self, flags):
        """Tell whether the log holds the tightening that stands in the stage; RECORD_BAD if it cannot be read."""
        return holds(self.ring, self.ring.stage, self._place, flags=flags)

    def _is_sure(self, read, buf, at, length, revision, now):
        """Tell whether the message is nothing odd, or came exactly so before."""
        if read and (revision != 999 or plausible(self.ring.stage, self._place, buf, at, length)):
            return True
        check = crc30(buf, at, at + length)
        if check == self._odd:
            return True
        self._odd = check
        self.health.note(h.ODD, length, now)
        return False

    # -- steps -------------------------------------------------------------------------------------------------

    def _read_pushed(self, buf, at, length, revision):
        """Bring the message into the stage; returns a RESULT_."""
        if revision != 999:
            self.health.count(h.OTHER_REVISION)
        else:
            self._begin(KIND_RESULT, self._light_payload, buf, at)
            if read_light(self.ring.stage, self._place, buf, at, length) == RESULT_READ:
                pack_into("14s", self.ring.stage, self._place + SERIAL, self.serial)
                return RESULT_READ
        read = self._read_long(61, buf, at, length, revision)
        if read and is_blank(self.ring.stage, self._place + SERIAL, SERIAL_BYTES):
            copy(self.ring.stage, self._place + SERIAL, self.serial, 0, SERIAL_BYTES)
        return read

    def _put_read(self, flags, now):
        """Store the pushed result that stands in the stage, if it is not known already."""
        flags = self._complete(flags)
        stage = self.ring.stage
        if self.wants_time and not flags:
            self.wants_time = False
            copy(self.heard, 0, stage, self._place + TIME, TIME_BYTES)
        verdict = self.known.verdict(stage, self._place)
        if verdict == VERDICT_NEW:
            return self._commit(flags | self.recovery.doubt, now)
        if verdict == VERDICT_LATER and self.recovery.postpones(now):
            self.health.note(h.DEFERRED, 0, now)
            return NOT_SURE
        may_be_held = verdict == VERDICT_LOOK or (verdict == VERDICT_MISSING and self.known.looks())
        at = self._place + TIGHTENING_ID
        number = id_of(stage, at) if may_be_held and all_digits(stage, at, ID_BYTES) else -1
        held = self._is_held(flags) if may_be_held else 0
        if may_be_held and held == 0 and not flags:
            held = self.recovery.stood_once(stage, self._place)
        if held:
            kept = self._known_before(held, now)
            verdict = VERDICT_MISSING  # nothing new: nothing to look for
        else:
            flags |= self.recovery.doubt
            if self.recovery.begins_anew(flags, stage, self._place):
                stage[self._place - HEAD_BYTES + ID_EPOCH] = (self.known.memory[EPOCH] + 1) & 0xFF
            if verdict == VERDICT_LOOK and self.ring.number:
                self.health.note(h.OUT_OF_SEQUENCE, 0, now)
            kept = self._commit(flags, now)
        if kept > NOT_KEPT and number >= 0:
            self.recovery.heard_of(number)
        if kept == KEPT and verdict == VERDICT_LOOK:
            self.recovery.look_again()
        return kept

    def _begin(self, kind, length, buf, at):
        """Ask the ring for a place. Without one the stage still serves to find out whether the result is known."""
        ring = self.ring
        ring.sparing = True  # for what the log may hold already nothing is given up
        place = ring.begin(kind, length)
        ring.sparing = False
        self._code = place if place < 0 else 0
        if place < 0:
            place = FRAME_HEAD
        self._kind = kind
        self._length = length
        self._place = place + HEAD_BYTES
        pack_into(
            "<IHBB", ring.stage, place, ring.number + 1, self.station, spindle_of(buf, at), self.known.memory[EPOCH]
        )

    def _read_long(self, mid, buf, at, length, revision):
        from agent.openprotocol import layouts  # only where a controller has no revision 999, or for what was missed

        layout = layouts.layout_of(mid, revision)
        if layout is None:
            return RESULT_UNREADABLE
        more = 0
        if ON_CPYTHON:
            more = identifiers.octets_of(mid, revision, buf, at, length) if layout[2] else 0
        if revision != 999:  # else it was begun already
            self._begin(KIND_RESULT, _LIGHT_PAYLOAD + (LIMITS_BYTES + more if layout[2] else 0), buf, at)
        read, octets = layouts.read_whole(layout, buf, at, length, self.ring.stage, self._place)
        self._length = HEAD_BYTES + octets
        if ON_CPYTHON:
            if more and read:
                identifiers.put(self.ring.stage, self._place + octets, mid, buf, at, length)
                self._length += more
        if read > RESULT_READ:
            self.health.count(h.ODD_FIELDS)
        return read

    def _complete(self, flags):
        """Look whether the message says anything; put in a time where it has none. Return the record's flags."""
        stage = self.ring.stage
        place = self._place
        if stage[place + TIGHTENING_STATUS] != 0x31 and looks_empty(stage, place):
            self.health.count(h.NO_VALUES)
        if has_time(stage, place):
            return flags
        self.health.count(h.EDGE_TIME)
        self.clock.stamp_into(self._stamp)
        put_time(stage, place, self._stamp, 0)
        return flags | FLAG_EDGE_TIME

    def _put_raw(self, buf, at, length, flags, now):
        kept = length if length < FRAME_MOST else FRAME_MOST
        if kept < length:
            flags |= FLAG_TRUNCATED
        self._begin(KIND_RAW, HEAD_BYTES + kept, buf, at)
        held = holds_frame(self.ring, buf, at, kept)
        if held:
            return self._known_before(held, now)
        copy(self.ring.stage, self._place, buf, at, kept)
        if self._write(flags) < 0:
            return self._refuse(now)
        self.health.note(h.RAW, length, now)
        if flags & FLAG_TRUNCATED:
            self.health.count(h.CUT_SHORT)
        return KEPT

    def _commit(self, flags, now):
        if self._write(flags) < 0:
            return self._refuse(now)
        self.health.counters[h.STORED] += 1  # without a call
        return KEPT

    def _write(self, flags):
        """Program what stands in the stage: FLASH_DONE or a SPOOL_."""
        ring = self.ring
        code = self._code
        if code == 0:
            code = ring.commit(self._kind, flags, self._length)
            if code == 0:
                return 0
            self._place = ring.payload_at + HEAD_BYTES  # what was to be erased for it does not work, perhaps
        if code == SPOOL_FULL and ring.when_full == WHEN_FULL_OVERWRITE:
            code = self._overwrite() or ring.commit(self._kind, flags, self._length)
        self._code = code
        return code

    def _overwrite(self):
        """What stands in the stage is new: begin once more, and let the oldest go for it; 0 or a SPOOL_."""
        ring = self.ring
        if self._payload is None:
            self._payload = bytearray(ring.payload_most)
        copy(self._payload, 0, ring.stage, self._place - HEAD_BYTES, self._length)
        place = ring.begin(self._kind, self._length)  # writes in the stage, if cursors have to be saved
        if place < 0:
            return place
        self._place = place + HEAD_BYTES
        copy(ring.stage, place, self._payload, 0, self._length)
        put_u32(ring.stage, place, ring.number + 1)  # numbers may have been passed over
        return 0

    def _known_before(self, held, now):
        """A repeat may be acknowledged only if what the log holds of it will still be there tomorrow.

        `begin` has tried to confirm: later, what was read may read otherwise. Below 0 `held` says that nothing was.
        """
        if held < 0:
            self._code = FLASH_IO
            return self._refuse(now)
        if self.ring.suspect:
            return NOT_KEPT
        self.health.count(h.DUPLICATES)
        return KEPT_BEFORE

    def _refuse(self, now):
        self.health.note(h.REFUSED_FULL if self._code == SPOOL_FULL else h.FLASH_FAILED, self._code, now)
        return NOT_KEPT


if ON_CPYTHON:
    from agent.openprotocol import identifiers

assert PAYLOAD_MAX == FRAME_MOST + HEAD_BYTES + PARKED_BYTES and _LIGHT_PAYLOAD == HEAD_BYTES + BODY_BYTES
