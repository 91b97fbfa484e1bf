"""Keeps what ToolsNet refuses and unreadable frames, each once, until ToolsNet takes it or it is dropped.

It is a log of its own with the code of the main one. An entry is the record as it was, with eight more bytes after its
payload. It has two numbers: the one in the main log, which people see, and the one in this ring (`entry`).

Rules
1. `admit` copies durably and once: a number above QUARANTINE_LAST is new, any other is looked up. The last record found
   by a start counts only when it is settled; QUARANTINE_LAST follows from the records after the snapshot.
2. An entry is gone when a snapshot says so: the cursor is past it, or it is in a gap
   (toolcart.agent.quarantine.gaps). The cursor passes what is gone at the front, and with it what can no longer be
   read, counted as DAMAGED. Until then these are entries, too: the numbers up to the log's next one, whatever is there.
3. With four gaps in use the oldest entry is written again after the newest (`tidy`), until a gap is passed. A cut
   between copy and snapshot leaves it twice: a start then counts the older one as gone.
4. While one is offered again (REOFFERED) one gap is left for it.
5. One block stays free beside the one that the log keeps free, as one of them may be worn. Where the copy would open
   it, all that is left in the oldest block is moved there, and counts from the snapshot that lets the cursor pass the
   old one. So a drop is always possible.

    after the payload | number u32 | reason u16 | 0 u16 |
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, get_u32
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import FRAME_BYTES, NUMBER_TOP, RECORD_LOST, RECORD_NONE
from toolcart.agent.log.log import LOG_DONE, LOG_FULL
from toolcart.agent.quarantine.gaps import Gaps
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record.result import QUARANTINE_BYTES, QUARANTINED_IN_DOUBT, QUARANTINED_UNREADABLE, ROOM_BYTES

ADMITTED = const(1)
ADMITTED_BEFORE = const(2)
NO_ROOM = const(-1)
FAILED = const(-2)

# What an outlet returns when told to drop the first one that it is refused
DROP_NONE = const(0)  # nothing is held, or the flash takes nothing
DROP_DONE = const(1)
DROP_SOON = const(2)  # it is outstanding: dropped when its outcome is known

# Answers to a request to offer one again; in words: toolcart.agent.quarantine.orders
ASK_DONE = const(0)
ASK_UNREADABLE = const(1)
ASK_GONE = const(2)
ASK_FRAME = const(3)  # no reader has made it a result
ASK_IN_DOUBT = const(4)  # and the request is not for such ones
ASK_MANY = const(5)
ASK_NO_ROOM = const(6)

BLOCKS_LEAST = const(3)  # one in use, one that the log keeps free, one for what is moved

PRESSURE_NONE = const(0)
PRESSURE_TIGHT = const(1)  # more than three quarters of the blocks are not free for new entries
PRESSURE_FULL = const(2)


class Quarantine:
    """One station's entries. `log` is its ring, `main` the log of results; they share stage and page."""

    def __init__(self, log, state, main):
        self.log = log
        self.state = state
        self.entry = 0  # of the entry found last: its number in the ring
        self.number = 0  # in the main log
        self.reason = 0
        self.length = 0  # of its payload, without what follows it
        self.lost = 0  # how many before it, from where the search began, cannot be read
        self.unreadable = 0  # how many entries cannot be read, at most, as the last look at all of them found
        self._main = main
        self._gaps = Gaps(state.numbers)
        self._scout = Cursor()
        self._fold = Cursor()
        self._source = Cursor()  # in the main log
        self._settled = False
        self._none_from = self._none_to = 0  # no entry has a number of the main log between these
        self._below = self._above = 0  # the nearest numbers met in a search
        self._rest = self._blocks = 0  # bytes and blocks left after those asked for

    # -- a start -----------------------------------------------------------------------------------------------

    def start(self):
        """Take in, after the mount, what the snapshot does not know; return True if all of it is settled."""
        self.log.damage.ignore_before(NUMBER_TOP)  # what cannot be read is counted when it is passed
        self.log.seek(self._fold, self.state.numbers[field.QUARANTINE + field.NEXT] - 1)
        self._settled = not self.log.doubtful and self._catch_up()
        self._count_unreadable()
        return self._settled

    def _count_unreadable(self):
        entry = lost = 0
        while self.next_listed(entry) > RECORD_NONE:
            lost += self.lost
            entry = self.entry
        self.unreadable = lost + self.lost

    def settle(self):
        """Settle what the start found; return True if all of it is. If not, the next call tries again."""
        if not self._settled and self.log.settle():
            main = self._main
            self._settled = self._catch_up() or (main.doubtful and main.settle() and self._catch_up())
        return self._settled

    def _catch_up(self):
        """Take in the records after the snapshot; return True if all could be read."""
        log, fold = self.log, self._fold
        while True:
            kind = log.peek(fold)
            if kind == RECORD_NONE:
                log.checkpoint(log.number)
                return self._pass_kept()
            if kind < RECORD_NONE:
                return False
            self._read_tail(fold.found)
            if not self._take_in(self.entry, self.number) or log.peek(fold) <= RECORD_NONE:
                return False
            fold.advance()

    def _pass_kept(self):
        """Pass what was kept but not passed when the power failed: else, once dropped, it would be kept again."""
        main = self._main
        cursor = main.cursor_at(field.TOOLSNET_CURSOR)
        if cursor is None:
            return True  # ToolsNet is not there: its next start does it
        while cursor.number < self.state.numbers[field.QUARANTINE_LAST]:
            kind = main.peek(cursor)
            if kind <= RECORD_NONE:
                return kind == RECORD_NONE and not main.doubtful
            kept = self.has(cursor.found)
            if kept <= 0:
                return kept == 0
            cursor.advance()
        return True

    def _take_in(self, entry, number):
        numbers = self.state.numbers
        self._none_to = 0
        if number > numbers[field.QUARANTINE_LAST]:
            numbers[field.QUARANTINE_LAST] = number
            numbers[field.QUARANTINED] += 1
            return True
        kind = self._seek(0, entry, number)
        if kind > RECORD_NONE:
            self._leave_moved(self.entry, entry)
        elif kind == RECORD_NONE:  # dropped, and refused again by a server that was set back
            numbers[field.QUARANTINED] += 1
        return kind != RECORD_LOST

    # -- what outlets call -------------------------------------------------------------------------------------

    def octets(self):
        """Return how many bytes are left; writes nothing."""
        blocks = self._spare_blocks()
        return self._left() + blocks * self.log.device.block_bytes if blocks >= 0 else 0

    def measure(self, length, count=1):
        """True if `count` records with payloads of this length fit. After that `fits` answers for further ones."""
        if not self.settle():
            self._rest, self._blocks = 0, 0
            return False
        log = self.log
        if log.begun and log.cursors[0].number >= log.number and not log.unsaved:
            log.open_to = log.offset  # it is empty: the next one opens a fresh block, and the newest is finished
        self._rest = self._left()
        self._blocks = self._spare_blocks()
        if self._blocks < 0:
            self._rest = self._blocks = 0
        do_fit = True
        for _ in range(count):
            do_fit = self.fits(length)
        return do_fit

    def fits(self, length):
        """True if one more record fits after all those asked for since `measure`."""
        log = self.log
        octets = log.next_record_offset(0, FRAME_BYTES + length + QUARANTINE_BYTES)
        if octets > self._rest and self._blocks:
            self._blocks -= 1
            self._rest = log.device.block_bytes
            octets = log.next_record_offset(0, HEAD_OCTETS + FRAME_BYTES + length + QUARANTINE_BYTES)
        self._rest -= octets
        return self._rest >= 0

    def has(self, number):
        """Return 1 if the main log's record `number` is kept, 0 if not, -1 if that cannot be read now."""
        if number > self.state.numbers[field.QUARANTINE_LAST] or self._none_from < number < self._none_to:
            return 0
        kind = self.find(number)
        return 1 if kind > RECORD_NONE else kind // 2

    def admit(self, number, reason):
        """Copy the main log's record `number`; return ADMITTED, ADMITTED_BEFORE or less."""
        if not self.settle():
            return FAILED
        kept = self.has(number)
        if kept:
            return ADMITTED_BEFORE if kept > 0 else FAILED
        main, log = self._main, self.log
        if not self._reread(number):
            return FAILED
        if not self.measure(main.length):
            return NO_ROOM
        if not self._reread(number):  # both logs share the page
            return FAILED
        kind, flags, length = main.kind, main.flags, main.length
        copy(log.stage, log.payload_at, main.page, main.at, length)
        code = QUARANTINED_UNREADABLE if kind == KIND_RAW else reason
        pack_into("<IHH", log.stage, log.payload_at + length, number, code, 0)
        code = log.append(kind, flags, length + QUARANTINE_BYTES)
        if code != LOG_DONE:
            return NO_ROOM if code == LOG_FULL else FAILED
        numbers = self.state.numbers
        self._none_to = 0
        numbers[field.QUARANTINE_LAST] = max(numbers[field.QUARANTINE_LAST], number)
        numbers[field.QUARANTINED] += 1
        return ADMITTED

    def _reread(self, number):
        main, source = self._main, self._source
        main.seek(source, number - 1)
        return main.peek(source) > RECORD_NONE and source.found == number

    def may_be_reoffered(self):
        """True if the entry found last may be offered again without an operator's order."""
        is_result = self.log.kind == KIND_RESULT
        return is_result and self.reason != QUARANTINED_IN_DOUBT and self.reason != QUARANTINED_UNREADABLE

    def may_leave(self):
        """True if there is a gap for an entry that is offered again; else `tidy` comes first."""
        return self.settle() and self._gaps.free() > self._spare()

    def end_reoffer(self, taken):
        """End the offer, as taken or not; the next snapshot makes this durable. Return False to be called again."""
        numbers = self.state.numbers
        if not self.settle() or (taken and numbers[field.REOFFERED] and not self._leave(numbers[field.REOFFERED], 0)):
            return False
        numbers[field.REOFFERED] = 0
        return True

    # -- looking -----------------------------------------------------------------------------------------------

    def count(self):
        """Return how many entries there are, including those that can no longer be read."""
        return self._count_left(self.log.cursors[0].number, self.log.next - 1)

    def _count_left(self, after, last):
        """Return how many numbers above `after` and not above `last` are not gone."""
        return max(0, last - after - self._gaps.count(after, last))

    def next_entry(self, after):
        """Read the first entry after number `after` of the ring into the page; return its kind, RECORD_NONE or _LOST.

        `entry`, `number`, `reason` and `length` then describe it; `lost` is how many before it cannot be read.
        """
        log = self.log
        after = max(after, log.cursors[0].number)
        self.lost = 0
        while True:
            kind = self._peek_behind(after)
            if kind <= RECORD_NONE:
                self.lost += self._count_left(after, self._end())
                return kind
            found = self._scout.found
            self.lost += self._count_left(after, found - 1)
            after = self._gaps.end_of(found)
            if after == 0:
                self._read_tail(found)
                return kind

    def _end(self):
        """Return up to which number of the ring there may be entries; not the last one while it is in doubt."""
        log = self.log
        return log.next - 1 if log.visible == log.number else log.visible

    def next_listed(self, after):
        """As `next_entry`, only to tell of it: also the last one of a start, which may still be in doubt."""
        log = self.log
        visible = log.visible
        log.visible = log.number
        kind = self.next_entry(after)
        log.visible = visible
        return kind

    def place(self):
        """Return the block of the entry found last."""
        return self._scout.place

    def find(self, number):
        """Read the entry of the main log's record `number` into the page; return its kind, RECORD_NONE or _LOST."""
        last = self.entry  # several are usually asked for in their order
        self._below, self._above = 0, NUMBER_TOP
        kind = self._seek(last - 1, self.log.number + 1, number)
        if kind == RECORD_NONE:
            kind = self._seek(0, last, number)
        if kind == RECORD_NONE:
            self._none_from, self._none_to = self._below, self._above
        return kind

    def pressure(self):
        """Return a PRESSURE_ code: whether an operator is needed. Writes nothing."""
        if self.count() <= 0:
            return PRESSURE_NONE  # blocks that hold nothing any more are erased when they are needed
        if self.octets() < self.log.next_record_offset(0, FRAME_BYTES + ROOM_BYTES):
            return PRESSURE_FULL
        blocks = self.log.device.block_count - self.log.blocks.count_worn()
        used = blocks - self.log.free_blocks()  # not those that the cursor has passed
        return PRESSURE_TIGHT if used > 1 and used * 4 > (blocks - 2) * 3 else PRESSURE_NONE

    def _peek_behind(self, after):
        log, scout = self.log, self._scout
        if scout.number < after == scout.found:
            scout.advance()
        elif scout.number != after:
            log.seek(scout, after)
        return log.peek(scout)

    def _seek(self, after, end, number):
        """Look for the main log's `number` after entry `after` and before entry `end`."""
        while True:
            kind = self.next_entry(after)
            if kind <= RECORD_NONE:
                return kind
            after = self.entry
            if after >= end:
                return RECORD_NONE
            if self.number == number:
                return kind
            if self._below < self.number < number:
                self._below = self.number
            elif number < self.number < self._above:
                self._above = self.number

    def _read_tail(self, entry):
        log = self.log
        self.entry = entry
        self.length = log.length - QUARANTINE_BYTES
        tail = log.at + self.length
        self.number = get_u32(log.page, tail)
        self.reason = log.page[tail + 4] | log.page[tail + 5] << 8

    def _left(self):
        """Return the bytes left in the newest block, or after what an append carries over from it."""
        log = self.log
        block_bytes = log.device.block_bytes
        if log.cursors[0].number >= log.number:
            end = 0  # a fresh block is opened
        elif log.unsaved:
            end = block_bytes
        elif log.begun and (log.open_to or self._spare_blocks() > 0):
            end = log.open_to
        else:  # a session's first append, or one after a refused program that may not open a block: it carries
            is_whole = log.offset <= block_bytes - block_bytes // 8 or self._spare_blocks() <= 0
            end = block_bytes if is_whole else 0
        return end - log.offset if end > log.offset else 0

    def _spare_blocks(self):
        """Return how many more blocks may be opened; below 0 the open one is reserved for what is moved."""
        log = self.log
        free = log.free_blocks()
        if log.cursors[0].number >= log.number:
            free = min(free + 1, log.device.block_count)  # the newest one is finished, too
        return free - 2

    # -- what is gone ------------------------------------------------------------------------------------------

    def remove(self, numbers, counter):
        """Take entries out with one snapshot: the first of the list, as many as there are gaps for.

        `counter` is the number of the state that counts them, but for those that `is_sent_again`, which count when
        that is done. Return how many are durably gone; 0 if `tidy` must come first or the first is not there, FAILED
        if nothing could be done now.
        """
        if not self.settle():
            return FAILED
        cursor, counts = self.log.cursors[0], self.state.numbers
        gaps, damaged, passed, sent = self._gaps.saved(), counts[field.DAMAGED], cursor.number, counts[field.SENT]
        unreadable = self.unreadable
        done = counted = 0
        for number in numbers:
            if self.find(number) <= RECORD_NONE or not self._leave(self.entry, self._spare()):
                break
            done += 1
            counted += not self.is_sent_again(number)
            if number <= counts[field.DOUBT_TO]:
                from toolcart.agent.log.doubt_range import widen  # a ToolsNet that was restored is rare

                widen(counts)
        counts[counter] += counted
        if done and self.state.save():
            return done
        counts[counter] -= counted
        self._gaps.restore(gaps)
        counts[field.DAMAGED], counts[field.SENT] = damaged, sent
        self.unreadable = unreadable
        self._put_cursor(passed)
        return FAILED if done else 0

    def give_up_unreadable(self):
        """Pass the oldest entries, which cannot be read, up to one that can; return how many, FAILED if not durable."""
        if not self.settle():
            return FAILED
        cursor, counts = self.log.cursors[0], self.state.numbers
        gaps, damaged, passed, unreadable = self._gaps.saved(), counts[field.DAMAGED], cursor.number, self.unreadable
        self._absorb_front()
        if cursor.number == passed:
            return 0
        if self.state.save():
            return counts[field.DAMAGED] - damaged
        self._gaps.restore(gaps)
        counts[field.DAMAGED], self.unreadable = damaged, unreadable
        self._put_cursor(passed)
        return FAILED

    def is_sent_again(self, number):
        """True if the main log's record `number` waits to be sent, although it was quarantined: an order has it so."""
        cursor = self._main.cursor_at(field.TOOLSNET_CURSOR)
        return cursor is not None and cursor.number < number <= field.again_to(self.state.numbers)

    def tidy(self):
        """Move the oldest entry after the newest if no gap is left; return False if that cannot be done now."""
        if not self.settle():
            return False
        if self._gaps.free() > self._spare():
            return True
        if self._spare_blocks() <= 0 and self.next_entry(0) > RECORD_NONE:
            if self._left() < self.log.next_record_offset(0, FRAME_BYTES + self.log.length):
                return self._move_block()  # rule 5
        return self.move_oldest()

    def move_oldest(self):
        """Move the oldest entry after the newest; return False if that cannot be done now. All must be settled."""
        log = self.log
        kind = self.next_entry(0)
        if kind <= RECORD_NONE:
            return False
        copy(log.stage, log.payload_at, log.page, log.at, log.length)
        return self._append_again(kind, log.flags, log.length) or (log.is_still_full() and self._move_block())

    def _move_block(self):
        from toolcart.agent.quarantine.compaction import move_block  # rarely needed

        return move_block(self)

    def pass_up_to(self, entry, lost):
        """Pass everything up to `entry`: it has been moved, except `lost` entries that could not be read."""
        self.state.numbers[field.DAMAGED] += lost
        self._gaps.absorb_front(entry)
        self._put_cursor(entry)
        self._absorb_front()

    def replace_oldest(self, kind, flags, length, reason):
        """Replace the entry found last, which is the oldest, by the payload of `length` bytes in the stage.

        Return False if that cannot be done now. All must be settled.
        """
        pack_into("<IHH", self.log.stage, self.log.payload_at + length, self.number, reason, 0)
        return self._append_again(kind, flags, length + QUARANTINE_BYTES)

    def _append_again(self, kind, flags, length):
        old = self.entry
        if self.log.append(kind, flags, length) != LOG_DONE:
            return False
        self._leave_moved(old, self.log.number)
        return self.state.save()

    def _leave_moved(self, old, new):
        """Let entry `new` replace entry `old`, which needs no gap because it is the oldest."""
        numbers = self.state.numbers
        self._leave(old, 0)
        if numbers[field.REOFFERED] == old:
            numbers[field.REOFFERED] = new

    def _spare(self):
        return 1 if self.state.numbers[field.REOFFERED] else 0  # rule 4

    def _leave(self, entry, spare):
        """Take an entry out: the cursor passes it, or it goes into a gap; return True if that could be done."""
        gaps = self._gaps
        gaps.gone = entry
        self._absorb_front()
        gaps.gone = 0
        return self.log.cursors[0].number >= entry or gaps.end_of(entry) != 0 or gaps.add(entry, spare)

    def _absorb_front(self):
        """Move the cursor up to the oldest entry that is left."""
        log, gaps = self.log, self._gaps
        cursor = log.cursors[0]
        kind = self.next_entry(0)
        if kind == RECORD_LOST:
            return
        last = self.entry - 1 if kind > RECORD_NONE else self._end()
        gaps.absorb_front(last)
        self.state.numbers[field.DAMAGED] += self.lost
        self.unreadable = max(0, self.unreadable - self.lost)
        if last > cursor.number:
            self._put_cursor(last)

    def _put_cursor(self, number):
        """Let everything up to `number` be gone, whether the log still has it or not: nobody reads with this cursor."""
        cursor = self.log.cursors[0]
        cursor.number = number
        cursor.version = -1
