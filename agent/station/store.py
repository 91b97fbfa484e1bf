"""Turns a result message into a durable record, once, and says whether it may be acknowledged.

Rules
1. KEPT means that the record is on flash, KEPT_BEFORE that the log holds this same tightening and nothing in it is in
   doubt. Nothing else may be acknowledged.
2. There is one way: read into the stage, check whether the log has it, append, `ledger.stored`, `recovery.pushed`. What
   the log already has overwrites nothing: only an append does. If the log cannot be read, nothing is stored; if an
   older block of it cannot, STORED_AGAIN is one more, durably, before the append: no record would say so. Whatever
   tells two messages apart tells their records apart (toolcart.agent.record.provenance).
3. A result that cannot be read is kept raw and acknowledged like any other, or it would come forever (protocol.md 5.1).
4. An invalid time is replaced by the agent's own and flagged (protocol.md 2.2, 9.2).
5. On a serial line (`plausible` is set) what is odd or cannot be read must come twice: without a 0062 it does
   (OP 4.3.3 p. 62). So must what was joined of parts: those of two results may be more or less than one.
6. A start that finds numbers gone in what it replays, or behind it, doubts what is missing from there on
   (toolcart.agent.openprotocol.id_ledger, rule 8): what is fetched then may have been stored before.
7. A push that has neither an ID nor a time of the controller is stored each time, as nothing tells it from the one in
   front: what the log has like it is one more in STORED_AGAIN. A loss would be silent, what may be there twice is said.
"""

from struct import pack_into

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import copy, fill, get_u32, is_blank, is_plain
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.cursor import WANTS_FRAMES, WANTS_RESULTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.log import LOG_DONE, LOG_FAILED, LOG_FULL
from toolcart.agent.log.snapshot import STATE_LAST
from toolcart.agent.log.snapshot_fields import LOG, NEXT, STORED, STORED_AGAIN
from toolcart.agent.log.staging import PAYLOAD_AT
from toolcart.agent.openprotocol.duplicate_search import HELD, HELD_UNKNOWN, NOT_HELD, RECENT
from toolcart.agent.openprotocol.header import HEADER_BYTES, SPINDLE, STATION, place_of
from toolcart.agent.openprotocol.id_ledger import EPOCH, SPINDLES
from toolcart.agent.openprotocol.ids import id_at
from toolcart.agent.openprotocol.light_result import LIGHT_BYTES, is_proven, read_light
from toolcart.agent.record import FRAME_MOST, KIND_RAW, KIND_RESULT, PAYLOAD_MAX, SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import NO_SOURCE, NONE_NAMED, ORIGIN_BYTES, SPINDLE_BITS, put_origin, source_of
from toolcart.agent.record.provenance import SPINDLE as SPINDLE_AT

KEPT = const(1)
KEPT_BEFORE = const(2)  # a repeat
NOT_SURE = const(-1)  # odd, and over a line that may have corrupted it: it must come again unchanged
# Not kept as a result: it has no figures, or its torque may be of another unit than Nm (id_ledger, rule 11).
NO_FIGURES = const(-2)
NOT_KEPT = const(0)  # no room, or the flash refused: no acknowledgement

_LIGHT_PAYLOAD = const(114)  # HEAD_BYTES + BODY_BYTES
_WITH_LIMITS = const(151)  # and LIMITS_BYTES
_MONTH = const(58)  # TIME + 2: there is no month 0
_CHANGE_END = const(108)  # of a light message: the last separator of its second time
_PARTS = const(18)  # in the header: 0 where parts were joined (toolcart.agent.openprotocol.linked_messages)
_TORQUE_END = const(50)
_ANGLE_END = const(55)
_HOUR = const(60)  # of the time
_MINUTE = const(61)
_SECOND = const(62)
_DAY_MS = const(86400000)
# Places in every MID 0065 (OP 5.8.6 p. 146-152), from the message's first byte.
_FETCHED_ID = const(22)
_FETCHED_VIN = const(34)
_FETCHED_PSET = const(61)


class Store:
    """One station's way from a message into its log."""

    body = PAYLOAD_AT + res.HEAD_BYTES  # where in log.stage the body of what was read last is

    def __init__(self, log, ledger, recovery, duplicates, counters, clock, station):
        self.log = log
        self.ledger = ledger
        self.recovery = recovery
        self.duplicates = duplicates
        self.counters = counters
        self.clock = clock
        self.station = station
        self.serial = bytearray(b" " * res.SERIAL_BYTES)
        self.wants_time = False  # the controller's time is needed: the next live result puts it into `live_time`
        self.live_time = bytearray(res.TIME_BYTES)
        # toolcart.agent.openprotocol.plausibility's, on a line that may corrupt a message
        self.plausible = None
        self.limits = None  # toolcart.agent.openprotocol.queries, if configured
        self.longest = log.payload_most() - ORIGIN_BYTES - res.QUARANTINE_BYTES  # the quarantine can take that, too
        self._numbers = log.state.numbers
        self._scout = None  # reads what comes after the snapshot, until that is done
        self._odd = 0  # checksum of the last odd message
        self._shifted_reported = Timer()  # armed for a day
        self._stamp = bytearray(res.STAMP_BYTES)
        self._recent = [0] * RECENT  # a mark of each result stored lately, by the last digits of its number
        self._knows_recent = False  # else they have to be read from the log
        self._compares = RECENT  # how many results are compared with them yet
        self._last_moment = 0  # hour, minute and second of the last result
        self.flags = 0  # of what was fetched or taken
        self._names_spindle = True  # the answer in the stage
        self._found = res.RESULT_READ  # how it was read: RESULT_
        self.length = 0  # of the payload in the stage

    # -- the start -----------------------------------------------------------------------------------------------

    def start(self):
        """Count what comes after the snapshot of a log just mounted; return True if that is done (`finish_replay`)."""
        self._scout = scout = Cursor()
        scout.wants = WANTS_RESULTS | WANTS_FRAMES
        scout.number = max(0, self.log.state.numbers[LOG + NEXT] - 1)
        return self.finish_replay()

    def finish_replay(self):
        """True once everything in the log is counted and nothing is in doubt; until then each call tries again."""
        scout = self._scout
        if scout is None:
            return True
        if self._replay(scout) != RECORD_NONE or not self.log.settle() or self._replay(scout) != RECORD_NONE:
            return False
        ledger = self.ledger
        if ledger.has_other_unit() and not ledger.unit:
            from toolcart.agent.station.named_unit import find

            if not find(self.log, ledger):
                return False
        self._scout = None
        ledger.end_contact()
        if ledger.doubted and ledger.is_met():
            from toolcart.agent.openprotocol.unfetchable import count_skipped  # most connections are proven soon

            count_skipped(self.duplicates, ledger)
        return True

    def _replay(self, scout):
        """Count what is certain, and let snapshots say so; return RECORD_NONE, or RECORD_LOST if it cannot be read."""
        log = self.log
        kind = self._peek(scout)
        while kind > RECORD_NONE:
            if not self._knows_recent:
                self._know_recent(scout.found)  # it may read other blocks
                kind = log.peek(scout)
                continue
            self._count(kind, log.flags, log.page, log.at, log.length)
            if kind == KIND_RESULT:
                mark = _mark_of(log.page, log.at + res.HEAD_BYTES)
                if mark in self._recent and not log.flags & (res.FLAG_RECOVERED | res.FLAG_EDGE_TIME):
                    payload = bytes(log.page[log.at : log.at + log.length])  # others are read into the page
                    again = self.duplicates.holds_contents(payload, 0, len(payload), log.flags)
                    self._numbers[STORED_AGAIN] += again
                self._recent[scout.found % RECENT] = mark
            scout.advance()
            kind = self._peek(scout)
        log.checkpoint(scout.number)
        return kind

    def _peek(self, scout):
        """Find the scout's next record; what stood in numbers before it that are gone may be fetched once more."""
        log = self.log
        before, unwanted = scout.number, scout.sequence_lag
        kind = log.peek(scout)
        passed = scout.found - 1 if kind > RECORD_NONE else scout.number
        if kind == RECORD_NONE and passed >= log.number:
            passed = log.next - 1  # what a start skips was there
        if kind >= RECORD_NONE and passed - before > scout.sequence_lag - unwanted:
            self.ledger.doubt(before + 1)
        return kind

    # -- what is pushed ------------------------------------------------------------------------------------------

    def put_pushed(self, link, revision, cut_short, now):
        """Store the MID 0061 that the link shows: KEPT, KEPT_BEFORE, NOT_SURE or NOT_KEPT. Hot: allocates nothing."""
        buf = link.buf
        at = link.at
        length = link.length
        log = self.log
        stage = log.stage
        body = self.body
        # Before anything else, even if nothing is appended: by this number an outlet knows what is in the stage.
        spindle = 1 if buf[at + SPINDLE] == 0x20 == buf[at + SPINDLE + 1] else place_of(buf, at + SPINDLE) or 1
        pack_into("<IHBB", stage, PAYLOAD_AT, log.next, self.station, spindle, self.ledger.octets[EPOCH])
        read = res.RESULT_READ
        source = NO_SOURCE  # nothing it says is left out
        if (
            revision == 999
            and length >= LIGHT_BYTES
            and read_light(stage, body, buf, at) == res.RESULT_READ
            and (  # its separators
                (length == LIGHT_BYTES and stage[body + _MONTH] and buf[at + _CHANGE_END] == 0x3A)
                or is_proven(buf, at, length)
            )
        ):
            self.length = _LIGHT_PAYLOAD
            pack_into("14s", stage, body + res.SERIAL, self.serial)
        else:
            read = self._read_pushed(buf, at, length, revision)
            source = NO_SOURCE if cut_short else revision
        # Odd, and joined of parts, which end where the buffer does:
        doubts = read != res.RESULT_READ and at + length == len(buf) and buf[at + _PARTS] == 0x30 and not cut_short
        if (doubts or self.plausible is not None) and not self.is_sure(
            read == res.RESULT_READ, buf, at, length, revision, now
        ):
            return NOT_SURE
        if read == res.RESULT_UNREADABLE:
            return self._put_raw(buf, at, length, res.FLAG_TRUNCATED if cut_short else 0, now)
        if self.limits is not None and revision == 999 and read != res.RESULT_ODD:
            self.length = _LIGHT_PAYLOAD + self.limits.put(stage, body)
        if self.ledger.unit > 0x31 and not self._names_unit():
            from toolcart.agent.station.named_unit import put  # hardly any controller names another unit than Nm

            put(self, now)
        if source or buf[at + STATION] > 0x30 or buf[at + STATION + 1] > 0x31:  # a station other than 1
            self._sign(1, source, buf, at, length)
        if cut_short:  # what is kept of a result comes first in it
            self.counters.count(counter.CUT_SHORT)
        flags = res.FLAG_ODD if read == res.RESULT_ODD else 0
        if stage[body + _MONTH] == 0 or (
            stage[body + res.TIGHTENING_STATUS] != 0x31 and stage[body + _TORQUE_END] <= 0x30
        ):
            flags = self._complete(flags)
        ledger = self.ledger
        is_next = stage.find(ledger.expected, body + res.TIGHTENING_ID, body + res.SERIAL) > 0
        is_other = stage[PAYLOAD_AT + SPINDLE_AT] & SPINDLE_BITS != ledger.octets[SPINDLES]  # than the only spindle
        # If each of the last RECENT results is later than the one before, one that is later again is none of them.
        moment = stage[body + _HOUR] << 16 | stage[body + _MINUTE] << 8 | stage[body + _SECOND]
        if moment <= self._last_moment:
            self._compares = RECENT
        self._last_moment = moment
        is_alike = self._compares and (not self._knows_recent or _mark_of(stage, body) in self._recent)
        if not is_next or is_other or flags or self.recovery.flags or self.wants_time or is_alike:
            return self._put_read(flags, now)
        return self._put_next(stage, body, now)

    def take_body(self, body, octets, found, buf, at, unnamed=1):
        """Put a whole body and what follows it, already read from the message at buf[at:], into the stage.

        `found` is the RESULT_ code of that read; `unnamed` is the spindle of a message that names none.
        """
        stage = self.log.stage
        self._put_head(res.HEAD_BYTES + octets, buf, at, unnamed)
        copy(stage, self.body, body, 0, octets)
        if place_of(buf, at + STATION) > 1:
            self._sign(unnamed, NO_SOURCE, buf, at, HEADER_BYTES)
        if is_blank(body, res.SERIAL, res.SERIAL_BYTES):
            copy(stage, self.body + res.SERIAL, self.serial, 0, res.SERIAL_BYTES)
        self._note_found(found)

    def put_taken(self, now, asks=True):
        """Store the pushed result that `take_body` has taken; return KEPT, KEPT_BEFORE or NOT_KEPT.

        `asks` False: this controller cannot be asked for results, so what it pushes needs no other proof.
        """
        if asks:
            kept = self._put_read(self._complete(self.flags), now)
        else:
            kept = self.repeated(now)
            if kept < NOT_KEPT:
                kept = self._commit_pushed(self.flags, now)
        if kept == KEPT and self._found > res.RESULT_READ:
            self.counters.count(counter.ODD_FIELDS)
        return kept

    def repeated(self, now):
        """Return KEPT_BEFORE if the log has what `take_body` took, below 0 if not, NOT_KEPT if it cannot be read."""
        self.flags = self._complete(self.flags)
        held = self._holds(self.flags)
        return self._known_before(held, now) if held else -1

    def put_unread(self, buf, at, length, now):
        """Store a pushed message that cannot be read; return KEPT, KEPT_BEFORE or NOT_KEPT."""
        return self._put_raw(buf, at, length, 0, now)

    def is_sure(self, read, buf, at, length, revision, now):
        """True if the message is not odd, or is the same as the last odd one."""
        # type: ignore - what could be read comes here only where `plausible` is set
        if read and (revision != 999 or self.plausible(self.log.stage, self.body, buf, at, length)):
            return True
        check = crc30(buf, at, at + length)
        if check == self._odd:
            return True
        self._odd = check
        self.counters.note(counter.ODD_ON_THE_LINE, length, now)
        return False

    # -- what was asked for --------------------------------------------------------------------------------------

    def read_fetched(self, buf, at, length, revision, spindle=NONE_NAMED):
        """Read the MID 0065 at buf[at:at+length] into the stage; return False if only its ID could be read.

        `spindle` is the one that was asked: one that its answer does not name is that.
        """
        self._put_head(0, buf, at, spindle)
        self._names_spindle = place_of(buf, at + SPINDLE) > 0
        read = self.read_long(65, buf, at, length, revision)
        stage = self.log.stage
        place = self.body + res.TIGHTENING_ID
        if read == res.RESULT_ODD and id_at(stage, place) < 0 and not is_blank(stage, place, res.ID_BYTES):
            read = res.RESULT_UNREADABLE  # it answers nothing
        self._note_found(read)
        if read:
            self._sign(NONE_NAMED, source_of(65, revision), buf, at, length)
            return True
        fill(stage, self.body, res.BODY_BYTES, 0)
        octets = bytes(buf[at : at + min(length, _FETCHED_PSET)])
        behind = octets[_FETCHED_VIN - 2 :]
        is_alone = behind and not any(0x30 <= one | 0x20 <= 0x7A for one in behind)  # no text nor number follows
        # Else the number may be wider or narrower.
        if octets[HEADER_BYTES:_FETCHED_ID] == b"01" and (
            is_alone or (behind[:2] == b"02" and octets[_FETCHED_PSET - 2 :] == b"03")
        ):
            copy(stage, place, buf, at + _FETCHED_ID, res.ID_BYTES)
        return False

    def put_fetched(self, now):
        """Store what `read_fetched` or `take_body` has read; return KEPT, KEPT_BEFORE, NOT_KEPT or NO_FIGURES."""
        flags = self._complete(self.flags) | res.FLAG_RECOVERED
        held = self._holds(flags, False)
        if not (held or self._names_spindle or self.recovery.is_of_asked(self.log.stage, self.body, flags)):
            held = HELD  # of another spindle
        otherwise = NOT_HELD if held else self.recovery.holds_otherwise(self.log.stage, self.body, flags)
        if held or otherwise == HELD:
            return self._known_before(held or otherwise, now)
        if self._found == res.RESULT_UNREADABLE or (self.ledger.has_other_unit() and not self._names_unit()):
            return NO_FIGURES
        kept = self._commit(flags, now, otherwise == HELD_UNKNOWN and not self.ledger.has_unnamed())
        if kept == KEPT:
            self.counters.count(counter.RECOVERED)
            if self._found > res.RESULT_READ:
                self.counters.count(counter.ODD_FIELDS)
        return kept

    # -- what was stored lately ----------------------------------------------------------------------------------

    def _is_recent(self, flags):
        """True if the pushed result in the stage was stored lately, though the log has it not under its ID."""
        if flags & res.FLAG_EDGE_TIME:
            return False
        log = self.log
        self._know_recent(log.next)
        if _mark_of(log.stage, self.body) not in self._recent:
            return False
        return self.duplicates.holds_contents(log.stage, log.payload_at, self.length, flags)

    def _know_recent(self, record):
        """Take what was stored in front of this record, and of the start, if that is not known."""
        if self._knows_recent:
            return
        self._knows_recent = True
        for page, at, _ in self.duplicates.results(max(record - RECENT, 1)):
            number = get_u32(page, at - res.HEAD_BYTES)
            if number < record:
                self._recent[number % RECENT] = _mark_of(page, at)

    def _commit_pushed(self, flags, now):
        """Append the pushed result in the stage; what was stored lately is stored again then, and counted."""
        skipped = self.duplicates.search.skipped
        is_again = self._is_recent(flags)
        kept = self._commit(flags, now, skipped)
        if kept == KEPT and is_again:
            self._numbers[STORED_AGAIN] += 1  # a start in front of the next snapshot counts it as well
        return kept

    def _names_unit(self):
        """True if what is in the stage says the unit of its torque."""
        return self.length >= _WITH_LIMITS and self.log.stage[self.body + res.BODY_BYTES + res.TORQUE_UNIT] > 0x20

    def put_fetched_raw(self, buf, at, length, asked, pushed_at, now, is_read=False):
        """Store the MID 0065 at buf[at:at+length], which cannot be read; return KEPT, KEPT_BEFORE or NOT_KEPT.

        Also KEPT_BEFORE if an unread MID 0061 with the ID in `asked`, at `pushed_at`, is kept. `is_read`: all of it can
        be read but the unit (NO_FIGURES); the frame is marked so.
        """
        duplicates = self.duplicates
        held = duplicates.holds_pushed(asked, pushed_at, self.ledger.epoch(), place_of(buf, at + SPINDLE))
        if held:
            return self._known_before(held, now)
        flags = res.FLAG_RECOVERED | (res.FLAG_ODD if is_read else 0)
        return self._put_raw(buf, at, length, flags, now, duplicates.search.skipped)

    def report_gone(self, first, last, count, total, epoch, why):
        """Report that `count` of the IDs first..last are gone, `total` including these; False if it must wait.

        `why`: see toolcart.agent.station.missing_results.
        """
        from toolcart.agent.station.missing_results import put_gone

        return put_gone(self.log, self.clock, self.station, first, last, count, total, epoch, why)

    # -- steps ---------------------------------------------------------------------------------------------------

    def _put_head(self, length, buf, at, unnamed=1):
        """Begin a payload of this length; `unnamed` is the spindle of a message that names none."""
        self.length = length
        log = self.log
        epoch = self.ledger.epoch()  # it tells apart frames of which nothing else can be read
        spindle = place_of(buf, at + SPINDLE) or unnamed
        pack_into("<IHBB", log.stage, log.payload_at, log.next, self.station, spindle, epoch)

    def _sign(self, unnamed, source, buf, at, length):
        """Put behind the payload what else tells this message from others (toolcart.agent.record.provenance)."""
        log = self.log
        station = place_of(buf, at + STATION) or unnamed
        end = at + length
        self.length = put_origin(log.stage, log.payload_at, self.length, station, source, buf, at + HEADER_BYTES, end)

    def _holds(self, flags, is_pushed=True):
        """Look for what is in the stage; return HELD, NOT_HELD or HELD_UNKNOWN."""
        log = self.log
        return self.duplicates.holds(log.stage, log.payload_at, self.length, flags, is_pushed)

    def _read_pushed(self, buf, at, length, revision):
        """Read a MID 0061 that is not light, or not as documented; return a RESULT_ code."""
        if revision != 999:
            self.counters.count(counter.OTHER_REVISION)
        read = self.read_long(61, buf, at, length, revision)
        if read > res.RESULT_READ:
            self.counters.count(counter.ODD_FIELDS)
        place = self.body + res.SERIAL
        if read and is_blank(self.log.stage, place, res.SERIAL_BYTES):
            copy(self.log.stage, place, self.serial, 0, res.SERIAL_BYTES)
        return read

    def read_long(self, mid, buf, at, length, revision):
        """Read any revision leniently; return a RESULT_ code."""
        from toolcart.agent.openprotocol import (
            layouts,  # only if a controller has no revision 999, or for what was missed
        )

        if layouts.layout_of(mid, revision) is None:
            return res.RESULT_UNREADABLE
        if layouts.in_place(mid, revision, buf, at, length):
            return self.read_proven(mid, buf, at, length, revision)
        return self._read_found(mid, buf, at, length, revision)

    def read_proven(self, mid, buf, at, length, revision):
        """Read a message whose fields are in place; return a RESULT_ code."""
        from toolcart.agent.openprotocol import layouts

        stage = self.log.stage
        layout = layouts.layout_of(mid, revision)
        read, octets = layouts.read_whole(layout, buf, at, length, stage, self.body)
        self.length = res.HEAD_BYTES + octets
        return read

    def _read_found(self, mid, buf, at, length, revision):
        """Read what can be proven of a message whose fields are not in place; return a RESULT_ code."""
        from toolcart.agent.openprotocol import shifted_result  # hardly any controller ever sends one

        found = shifted_result.find(mid, revision, buf, at, length)
        if found is None:
            return res.RESULT_UNREADABLE
        revision, copied, how = found
        read = self.read_proven(mid, copied, 0, len(copied), revision)
        if not read or not how:
            return read
        self.keep_marked(buf, at, length, how)
        return res.RESULT_ODD

    def keep_marked(self, buf, at, length, how):
        """Mark the result in the stage, read from the message at buf[at:at+length], as SHIFTED or INCOMPLETE."""
        from toolcart.agent.record.malformed import mark

        self.length = mark(self.log.stage, self.log.payload_at, self.length, how)

    def _note_found(self, outcome):
        self._found = outcome
        self.flags = res.FLAG_ODD if outcome == res.RESULT_ODD else 0

    def _complete(self, flags):
        """Count a result without values; put in the agent's time if it has none. Return the record's flags."""
        stage = self.log.stage
        body = self.body
        if stage[body + res.TIGHTENING_STATUS] != 0x31 and res.looks_empty(stage, body):
            self.counters.count(counter.NO_VALUES)
        if stage[body + _MONTH]:
            return flags
        self.counters.count(counter.EDGE_TIME)
        self.clock.stamp_into(self._stamp)
        res.put_time(stage, body, self._stamp, 0)
        return flags | res.FLAG_EDGE_TIME

    def _put_read(self, flags, now):
        """Store the pushed result in the stage, unless the log has it."""
        stage = self.log.stage
        body = self.body
        recovery = self.recovery
        if self.wants_time and not flags:
            self.wants_time = False
            copy(self.live_time, 0, stage, body + res.TIME, res.TIME_BYTES)
        held = self._holds(flags)
        if not held and recovery.other_format is not None:
            held = recovery.holds_otherwise(stage, body, flags)
        if held:
            return self._known_before(held, now)
        kept = self._commit_pushed(flags | recovery.flags, now)
        if kept == KEPT and not recovery.pushed(self.log.next - 1, now):
            self.counters.note(counter.OUT_OF_SEQUENCE, 0, now)
        return kept

    def _put_next(self, stage, body, now):
        """Store the result in the stage, the next one of a proven ID count. Hot: allocates nothing.

        It is above all IDs in the log, and nothing is to be concluded from it.
        """
        code = self.log.append(KIND_RESULT, 0, self.length)
        if code != LOG_DONE:
            return self._refuse(code, now)
        self.ledger.follows(stage, body)
        if self._compares:
            self._recent[self.log.number % RECENT] = _mark_of(stage, body)
            self._compares -= 1
            if not self._compares:
                self._knows_recent = False
        if self.length >= _WITH_LIMITS:
            self.ledger.note_unit(stage, body)
        self._numbers[STORED] += 1
        self.counters.counts[counter.STORED] += 1  # without a call
        if self.length >= SEVERAL_LEAST or not (
            is_plain(stage, body, res.VIN_BYTES) and is_plain(stage, body + res.SERIAL, res.SERIAL_BYTES)
        ):
            self._note_text()
        return KEPT

    def _commit(self, flags, now, is_unsure=False):
        """Append the result in the stage, which may be there if that `is_unsure`; return KEPT or NOT_KEPT."""
        code = self._append(KIND_RESULT, flags, is_unsure)
        if code != LOG_DONE:
            return self._refuse(code, now)
        self.counters.counts[counter.STORED] += 1
        if flags & res.FLAG_ODD:
            self._note_shifted(now)
        self._note_text()
        return KEPT

    def _note_shifted(self, now):
        """Count the result in the stage, which was kept, if its fields were found elsewhere; log that once a day."""
        from toolcart.agent.record.malformed import is_shifted  # hardly any log has such a record

        if not is_shifted(self.log.stage, self.log.payload_at, self.length):
            return
        self.counters.count(counter.SHIFTED)
        if not self._shifted_reported.armed or self._shifted_reported.expired(now):
            self._shifted_reported.start(now, _DAY_MS)
            self.counters.log.add(counter.SHIFTED, 0, now)

    def _note_text(self):
        """Count the result in the stage, which was kept, if an outlet escapes some of its text."""
        stage, body = self.log.stage, self.body
        if self.length < SEVERAL_LEAST and is_plain(stage, body, res.VIN_BYTES):
            if is_plain(stage, body + res.SERIAL, res.SERIAL_BYTES):
                return
        from toolcart.agent.record.trailer import is_text_plain  # hardly any result has other text, or more behind

        if not is_text_plain(stage, self.log.payload_at, self.length):
            self.counters.count(counter.TEXT_ESCAPED)

    def _append(self, kind, flags, is_unsure=False):
        """Append what is in the stage and was not found in the log, and count it; return the LOG_ code.

        With `is_unsure`, or if the search had to leave something out, it may have been there.
        """
        if self._scout is not None:
            return LOG_FAILED
        log, numbers = self.log, self._numbers
        is_unsure = is_unsure or self.duplicates.search.skipped
        if is_unsure:
            numbers[STORED_AGAIN] += 1
            if not log.state.save():
                numbers[STORED_AGAIN] -= 1
                return LOG_FAILED
        code = log.append(kind, flags, self.length)
        if code == LOG_DONE:
            self._count(kind, flags, log.stage, log.payload_at, self.length)
            if kind == KIND_RESULT:
                self._recent[log.number % RECENT] = _mark_of(log.stage, self.body)
                self._compares = RECENT
                if self.recovery.contents is not None:
                    self.recovery.contents.added(log.next - 1, log.stage, self.body, flags)
        elif is_unsure:
            numbers[STORED_AGAIN] -= 1
        return code

    def _count(self, kind, flags, buf, at, length):
        """Count the record whose payload is at buf[at:], after an append or at a start."""
        self._numbers[STORED] += 1
        again = self.ledger.stored(kind, flags, buf, at, length)
        if again:
            self.ledger.count_again(again, max(self.log.first_above(0), self.log.whole))

    def _put_raw(self, buf, at, length, flags, now, is_unsure=False):
        kept = length if length < FRAME_MOST else FRAME_MOST
        if kept < length:
            flags |= res.FLAG_TRUNCATED
        held = self.duplicates.holds_frame(buf, at, kept)
        if held:
            return self._known_before(held, now)
        self._put_head(res.HEAD_BYTES + kept, buf, at)
        copy(self.log.stage, self.body, buf, at, kept)
        code = self._append(KIND_RAW, flags, is_unsure)
        if code != LOG_DONE:
            return self._refuse(code, now)
        self.counters.note(counter.RAW, length, now)
        if flags & res.FLAG_TRUNCATED:
            self.counters.count(counter.CUT_SHORT)
        return KEPT

    def _known_before(self, held, now):
        """Return KEPT_BEFORE for a repeat, NOT_KEPT if that is unknown (HELD_UNKNOWN) or still in doubt.

        With a state that is worn out the log's last record is read, but it may fade.
        """
        if held == HELD_UNKNOWN or self._scout is not None or self.log.state.alarm == STATE_LAST:
            return self._refuse(LOG_FAILED, now)
        self.counters.count(counter.DUPLICATES)
        return KEPT_BEFORE

    def _refuse(self, code, now):
        code = counter.REFUSED_FULL if code == LOG_FULL else counter.FLASH_FAILED
        self.counters.note(code, self.log.device.refusal(), now)
        return NOT_KEPT


def _mark_of(buf, body):
    """Return the last digits of time, torque and angle of the body at buf[body:] as one number below 2**30.

    Hot: allocates nothing. Four bits are enough for what is a digit nearly always.
    """
    digits = buf[body + _TORQUE_END] << 8 ^ buf[body + _TORQUE_END - 1] << 4 ^ buf[body + _ANGLE_END]
    return buf[body + _SECOND] << 12 ^ digits


assert (
    PAYLOAD_MAX == FRAME_MOST + res.HEAD_BYTES + res.QUARANTINE_BYTES
    and _LIGHT_PAYLOAD == res.HEAD_BYTES + res.BODY_BYTES
)
assert _WITH_LIMITS == _LIGHT_PAYLOAD + res.LIMITS_BYTES
assert _HOUR + 2 == _MINUTE + 1 == _SECOND == res.TIME + res.TIME_BYTES - 1 == res.ANGLE + res.ANGLE_BYTES + 6
assert _MONTH == res.TIME + 2 and _TORQUE_END == res.ANGLE - 1 and res.TIGHTENING_ID + res.ID_BYTES == res.SERIAL
