"""The blocks of a log: which may be opened, and what has to be saved, erased or overwritten for that.

    blank     first 0       opened at once, if it was erased in this session
    passed    first <= low  everything in it was passed by all durable cursors of a snapshot: erased, then opened
    kept      above         overwritten, if the log does that: the cursors are moved past it, saved, then erased
    worn      WORN          never again

Free blocks are taken in the order of their places, beginning behind the newest: so erases spread evenly (wear
levelling). Which are worn is known once an erase or a program of this session has failed. An outlet that was added
leaves out what others have had, so that a quarter of the room is free (`floor`). A worn block is no room, so it takes
more of that (`reclaimable_up_to`), counted like what is overwritten: else no block might be free, and the last record
in doubt for ever.

Rules 2, 3 and 5 of toolcart.agent.log.log.
"""

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from toolcart.agent.log.framing import (
    BLOCKS_TRIED,
    LOG_DONE,
    LOG_FAILED,
    LOG_FULL,
    RECORD_NONE,
    RETAINED_MAX,
    TOP,
    WHEN_FULL_OVERWRITE,
    WORN,
)


class Blocks:
    """See the module. `kept_free` blocks stay free: two in a quarantine (its rule 5), else one."""

    __slots__ = (
        "_first_free",
        "_oldest",
        "added_cursors",
        "cut",
        "erased",
        "erases",
        "kept_free",
        "log",
        "passed_over",
        "reclaimable_up_to",
        "when_full",
    )

    def __init__(self, log, when_full, kept_free):
        self.log = log
        self.when_full = when_full
        self.kept_free = kept_free
        self.cut = -1  # a block with copies that do not count: it is opened first
        self.erased = -1  # a block erased in this session, to be opened next
        self.reclaimable_up_to = 0  # others have had all up to this: who is before it now was added
        self.added_cursors = ()  # those of outlets that were added
        # since the start
        self.erases = 0
        self.passed_over = 0  # records that cursors were moved past
        self._first_free = -1
        self._oldest = -1

    def saved_lowest(self):
        """Return the number that all durable cursors have passed, according to the last snapshot."""
        log = self.log
        low = log.lowest()
        durable = log.state.durable
        for cursor in log.cursors:
            if cursor.durable and durable[cursor.slot] < low:
                low = durable[cursor.slot]
        return low

    def leaves(self):
        """Return how many an append leaves free: none where overwriting finds one whenever it is needed."""
        if self.when_full == WHEN_FULL_OVERWRITE and self.count_worn() + 2 < self.log.device.block_count:
            return 0
        return 1

    def count_free(self, low, enough=TOP):
        """Return how many blocks may be opened if everything up to `low` is passed; `enough` blank ones suffice."""
        log = self.log
        firsts = log.firsts
        count = log.device.block_count
        place = log.block
        free = passed = 0
        least = WORN
        self._first_free = self._oldest = -1
        for _ in range(count):
            place += 1
            if place == count:
                place = 0
            first = firsts[place]
            if first == 0:
                free += 1
                if self._first_free < 0:
                    self._first_free = place
                if free >= enough:
                    return free
            elif first < WORN:
                if first <= low + 1:
                    passed += 1
                if first < least:
                    least = first
                    self._oldest = place
        return free + passed - 1 if passed else free

    def find(self, leaves, gives_up=True):
        """Return a block erased in this session that may be opened while `leaves` others stay free; or a LOG_ code."""
        log = self.log
        for _ in range(BLOCKS_TRIED):
            code = self._make_free(leaves, gives_up)
            if code != LOG_DONE or self.erased >= 0:
                return code if code != LOG_DONE else self.erased
            place = self._first_free
            if self.cut >= 0 and log.firsts[self.cut] == 0:
                place = self.cut
            elif place < 0:
                place = self._oldest
            code = self._erase(place)
            if code == FLASH_DONE:
                self.erased = place
                return place
            if code == FLASH_IO:
                break
        return LOG_FAILED

    def _make_free(self, leaves, gives_up):
        """Make sure that more than `leaves` blocks may be opened, by saving or overwriting; return a LOG_ code."""
        log = self.log
        overwrites = gives_up and self.when_full == WHEN_FULL_OVERWRITE
        if overwrites and leaves:
            leaves = self.leaves()
        while True:
            low = self.saved_lowest()
            free = self.count_free(low, leaves + 1)
            if free > leaves or (free and low >= log.number and not log.doubtful):
                return LOG_DONE
            if log.lowest() > low:
                if not log.state.save():
                    return LOG_FAILED
                continue
            code = self.give_up_oldest(low) if overwrites or (gives_up and self.is_reclaimable(low)) else LOG_FULL
            if code != LOG_DONE:
                return code

    def floor(self):
        """Return up to which number the records may go, so that a quarter of the room is free for new ones.

        Neither a worn block nor those that stay free anyway are room.
        """
        log = self.log
        firsts = sorted([first for first in log.firsts if 0 < first < WORN])
        usable = log.device.block_count - self.kept_free - self.count_worn()
        over = min(len(firsts) - max(usable, 0) * 3 // 4, len(firsts) - 1)  # the newest stays
        return max(firsts[over] - 1 if over > 0 else 0, log.number - RETAINED_MAX * 3 // 4)

    def is_reclaimable(self, low):
        """True if the oldest block above `low` may be taken from an outlet that was added: others are worn.

        Not if another one gets again what is in it, that it had lost.
        """
        log = self.log
        if low >= self.reclaimable_up_to or self.count_worn() == 0:
            return False
        end = log.first_above(low + 1) - 1
        for cursor in log.cursors:
            if cursor.durable and cursor not in self.added_cursors and cursor.number < end:
                return False
        return end <= min(self.reclaimable_up_to, self.floor())

    def count_worn(self):
        """Return how many blocks are known to be worn."""
        count = 0
        for first in self.log.firsts:
            count += first == WORN
        return count

    def _erase(self, place):
        """Erase a block that is not needed; return a FLASH_ code."""
        log = self.log
        first = log.firsts[place]
        if first:
            if log.ring_id == field.LOG and log.cursor_at(field.TOOLSNET_CURSOR) is None:
                numbers = log.state.numbers
                if numbers[field.TOOLSNET_CURSOR] < numbers[field.SEND_LIMIT]:
                    from toolcart.agent.log.removed_toolsnet import give_up  # hardly ever was something out

                    if not give_up(log, log.first_above(first)):
                        return FLASH_IO
            if not self._give_up(log.first_above(first), False):
                return FLASH_IO
            log.mark(place, 0)
        self.erases += 1
        code = log.device.erase(place)
        if code == FLASH_WORN:
            log.damage.worn += 1
            log.mark(place, WORN)
        elif code == FLASH_DONE and place == self.cut:
            self.cut = -1
        return code

    def give_up_oldest(self, low):
        """Move the durable cursors past the oldest block that is not passed; return a LOG_ code."""
        log = self.log
        bound = log.first_above(low + 1)
        if bound == TOP:
            return LOG_FULL
        return LOG_DONE if self._give_up(bound, True) else LOG_FAILED

    def _give_up(self, bound, durable):
        """Move all durable cursors, or all others, to `bound`; count what they miss, and save that.

        Return False if something cannot be read or saved. What is not saved is undone: if anything after it were sent,
        the 08 would vouch for what was given up and never sent.
        """
        log = self.log
        counts = log.state.numbers
        overwritten = counts[field.OVERWRITTEN]
        before_missed = None
        places = log.state.places
        own = self.passed_over
        done = True
        before = None
        is_saved = True
        for cursor in log.cursors:
            if cursor.durable == durable:
                if cursor.number < bound - 1:
                    if before is None:
                        before = [(one, one.number, one.found, one.sequence_lag) for one in log.cursors]
                        before_missed = list(log.state.missed_counts)
                    done = self._pass_over(cursor, bound) and done
                if log.state.durable[cursor.slot] < bound - 1 and log.ring_id != field.GRAPHS:
                    is_saved = False  # a start would find it in front of what is gone, as if that were damaged
        if before is not None:
            _share_missed(log.state)
        if (is_saved and before is None) or log.state.save():
            return done
        for one, number, found, lag in before or ():
            log.seek(one, number, lag)
            one.found = found  # it may be outstanding
        counts[field.OVERWRITTEN] = overwritten
        if before_missed is not None:
            log.state.missed_counts[:] = before_missed
            _share_missed(log.state)
        log.state.places = places
        self.passed_over = own
        return False

    def _pass_over(self, cursor, bound):
        log = self.log
        counts = log.state.numbers
        was = cursor.number
        while cursor.number < bound - 1:
            kind = log.peek(cursor)
            if kind < RECORD_NONE:
                return False
            if kind == RECORD_NONE or cursor.found >= bound:
                cursor.number = max(cursor.number, bound - 1)  # `peek` has counted what it does not want up to there
                break
            if cursor.slot == field.EVENT_CURSOR:  # it numbers what it wants
                count = cursor.give_up(log.page, log.at)
                self.passed_over += count
                log.state.missed_counts[0] += count
                continue
            cursor.advance()
            self.passed_over += 1
            if log.ring_id == field.LOG:
                if cursor.slot == field.TOOLSNET_CURSOR:
                    counts[field.OVERWRITTEN] += 1
                else:
                    log.state.missed_counts[cursor.slot - field.CURSOR] += 1
                    log.state.put_moved(cursor, was)
        return True


def _share_missed(state):
    if state.numbers[field.MISSED] or any(state.missed_counts):
        from toolcart.agent.log.missed_counts import put  # most spools have lost nothing

        put(state)
