"""What a file, server or consumer had and lacks now, as it was restored, emptied or exchanged; what came after all.

Rules
1. Once that is known the cursor goes back, as far as the log has it: what is to be given again waits like all that was
   never given, and a durable outlet keeps it.
2. What it lacks that the log has no more counts like all that the log gave up before an outlet had it
   (`Snapshot.missed_counts`), and is durable with the place of the cursor and with what it has (Snapshot.put_moved):
   a start counts none of it again. It is a bound: what it loses again counts again, up to all that there ever was.
3. `given` is counted since the start.
4. What the log gives up while it is on its way is counted before anything else happens, and no longer once the other
   side confirms it. A connection that is lost meanwhile, or a pause for which it is sent again, leaves it counted.
5. Where the other side has a number that the log has not had, records that are gone had the numbers up to it: of a
   newer copy of the spool's file, or of a block that was lost. It gets all that the log has, once. As long as that is
   its newest number it is not believed, also once the log has come so far: what is stored under such numbers since the
   outlet began it takes for what it had. So many are missed at most, until it forgets the number. None where the log
   cannot come so far before that (unsent_number). Of several such numbers the latest one counts, and no other.
6. That is durable before more is sent, and the number too: where the place says what the outlet has, which is above the
   cursor then (Snapshot.put_moved). A start that finds it so goes on from there: another number counts by how much it
   is above that one, and a right one takes off what is above the log as that start found it. What was stored under such
   numbers before that start stays counted: a bound. What is more than there were records shows how high a number was
   at least that nothing says any more: a lower one shows that it was forgotten.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.framing import RETAINED_MAX
from toolcart.agent.log.snapshot_fields import CURSOR

_LOWERED_MOST = const(8)  # a consumer that names this and that by turns wears no flash


class Redelivery:
    """That of one outlet. `given`: numbers confirmed again. What is sent up to `up_to` is sent again."""

    def __init__(self, log, cursor):
        self.given = self.up_to = 0
        self._again_to = 0  # the highest number that was sent since the other side lost something
        self._log = log
        self._cursor = cursor
        self._place = cursor.slot - CURSOR
        self.above = 0  # the number that was never sent, and the other side has; 0: none
        self.unsaved = False  # what is missed is to be made durable
        self._begun_at = 0  # the log's number when the outlet began, or the last such number that it has come to
        self._reused = 0  # how many behind that are missed under numbers that were used before
        self._most = self._lowered = 0  # as that is durable, or the most so far; how often it became less
        self.forget_out()

    def begin(self):
        """The log is mounted: whatever it has may have been sent before."""
        state, begun_at = self._log.state, self._log.number
        self._begun_at = begun_at
        had = state.had[self._place]
        if state.is_moved(self._cursor) and had > self._cursor.number:  # rule 6
            self.above = had
            self._reused = self._most = max(0, had - begun_at)

    def lose(self, number, had):
        """The other side has nothing of what comes after `number`, and had it up to `had`; the cursor goes back."""
        log, cursor = self._log, self._cursor
        before = log.state.had[self._place]
        self.forget_out()
        self.up_to = max(self.up_to, had)
        self._again_to = 0
        if log.state.is_moved(cursor) and before > 0:
            had = min(had, before)  # what comes behind that counts already
        log.seek(cursor, number)
        had = min(cursor.number, had)
        if self.above:  # nobody knows what it has of that before it names another number
            self._put_above(had)
        else:
            self.put_lost(number, had)
        log.reopen()

    def save(self):
        """Make durable where the cursor is, and what is missed for good; True if it is."""
        state = self._log.state
        if not (state.save() if self.unsaved else state.save_cursor(self._cursor)):
            return False
        self.unsaved = False
        return True

    def put_first(self, number):
        """The other side has everything up to `number`; where nobody knew what it had it may lack what comes behind."""
        state, cursor = self._log.state, self._cursor
        if state.is_moved(cursor) and state.had[self._place] < 0 < number:
            state.had[self._place] = had = min(number, cursor.number)
            too_many = state.missed_counts[self._place] - (cursor.number - had)
            if too_many > 0:
                self._miss(-too_many)
                self._missed -= too_many
                self.unsaved = True

    def put_lost(self, number, to):
        """The other side has nothing of what comes after `number`; of that it had what the log has not, up to `to`."""
        state, cursor = self._log.state, self._cursor
        count = min(to - number, cursor.number - state.missed_counts[self._place])
        if count > 0:
            self._miss(count)
            self._missed += count
            self.unsaved = True
        state.put_confirmed(cursor)
        if cursor.number > number:
            state.put_moved(cursor, number)

    def is_above(self, number, sent):
        """Take what the other side names; True if it was never sent, or still is the number that was not (rule 5)."""
        log = self._log
        above = self.above
        if number > sent or (number and number == above > self._begun_at):
            self.above = number
            self._put_above(log.state.confirmed(self._cursor))
            self._count_reused(max(0, number - self._begun_at) if self._is_near() else 0)
            return True
        self.above = excess = 0
        missed = log.state.missed_counts[self._place]
        if missed > number:
            from toolcart.agent.outlets.unsent_number import excess_of  # rare

            excess = excess_of(log, missed, number)
        had = log.state.confirmed(self._cursor)
        if number < above or excess:
            self._reused = max(self._reused, excess)
            self._count_reused(0)
        if number < above:  # it has forgotten that, and what it had, if this is no more than it was sent since
            self.put_lost(0 if number <= self._out_to else number, had)
        elif above:  # the log has come to it, and goes on behind it: what counts for it stays
            self._begun_at = max(self._begun_at, above)
            self._reused = 0
        return False

    def _is_near(self):
        """True if the log may come to the number that was never sent (unsent_number)."""
        return self.above <= self._log.number + RETAINED_MAX

    def _put_above(self, had):
        """Let the place say that number, or what the other side had if the log cannot come to it."""
        state, cursor = self._log.state, self._cursor
        state.put_confirmed(cursor)
        state.put_moved(cursor, self.above if self._is_near() else had)

    def above_words(self):
        """Return what ends a reason that names such a number."""
        from toolcart.agent.outlets.unsent_number import words_of  # rare

        return words_of(self._log, self.above)

    def _count_reused(self, count):
        """Let so many be missed under numbers that were used before."""
        if count != self._reused:
            by = max(count - self._reused, -self._log.state.missed_counts[self._place])
            self._miss(by)
            self._missed += by
            self._reused = count
            if count > self._most or self._lowered < _LOWERED_MOST:
                self._lowered += count < self._most
                self._most = count
                self.unsaved = True

    def _miss(self, by):
        """Let so many more be missed, or fewer."""
        from toolcart.agent.log.missed_counts import put  # most spools have lost nothing

        state = self._log.state
        state.missed_counts[self._place] += by
        put(state)

    def forget_out(self):
        """Nothing is on its way, or nobody knows what becomes of that."""
        self._out_to = 0  # everything behind the cursor was sent up to here, but what the log gave up before
        self._missed = self._log.state.missed_counts[self._place]  # without what it gave up on its way

    def put_out(self, last):
        """All that the log has behind the cursor is on its way up to `last`."""
        given_up = self._log.state.missed_counts[self._place] - self._missed
        if given_up > 0:
            self._missed += min(given_up, max(0, self._cursor.number - self._out_to))
        self._out_to = last
        self._again_to = max(self._again_to, last)

    def note_delivered(self, number):
        """The other side has what is on its way up to `number`: what the log gave up of that is not missed.

        Up to where the cursor is, or all that is on its way, or nothing: a connection that is lost forgets the rest.
        """
        state, here, place = self._log.state, self._cursor.number, self._place
        given_up = state.missed_counts[place] - self._missed
        if given_up > 0 and number >= min(here, self._out_to):
            arrived = given_up - max(0, here - self._out_to)
            if arrived > 0:
                self._miss(-arrived)
            self._missed = state.missed_counts[place]
            if 0 <= state.had[place] < number < here:  # what it loses of that counts again
                state.had[place] = number

    def confirm(self, first, last):
        """Count what of the numbers behind `first`, up to `last`, was confirmed before and sent again."""
        self.note_delivered(last)
        end = min(last, self.up_to, self._again_to)
        if end > first:
            self.given += end - first
            if self._log.damage.counted_spans:
                from toolcart.agent.log.refound_damage import known_between  # hardly any spool has lost something

                self.given -= known_between(self._log, first, end)
        if last >= self.up_to:
            self.up_to = 0
