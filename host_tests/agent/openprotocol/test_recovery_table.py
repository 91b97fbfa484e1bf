"""The table of toolcart.agent.openprotocol.recovery_phases as a model, side by side with the code over random events.

One spindle, IDs of our own, a controller that answers what it is asked or nothing. After each event both stand in the
same phase, ask for the same ID, believe the same highest result, and take the same IDs for missing.
"""

from random import Random

from toolcart.agent.openprotocol import deferred_ids, id_ownership
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import CLOSED_MOST
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST
from toolcart.agent.openprotocol.ids import after, following, is_ahead, is_open, length_of, moved, open_below, preceding
from toolcart.agent.openprotocol.lowest_id_search import LowestIdSearch
from toolcart.agent.openprotocol.recovery_request import ITSELF, LAST, NEXT, UNANSWERED_MOST
from host_tests.portable import LONG
from host_tests.support.recovery import Bench, Memory

NONE, EMPTY = "none", "empty"
NEWEST, WITNESS, NEARBY, WALK = phases.PHASE_NEWEST, phases.PHASE_WITNESS, phases.PHASE_NEARBY, phases.PHASE_WALK
CONFIRM, UP, SETTLE, FILL, IDLE, POLL, CLOSED = (
    phases.PHASE_CONFIRM,
    phases.PHASE_UPWARD,
    phases.PHASE_COMMIT,
    phases.PHASE_FILL,
    phases.PHASE_IDLE,
    phases.PHASE_POLL,
    phases.PHASE_CLOSED,
)
K = 4
LIVES = 120 if LONG else 40
EVENTS = 250


class Model:
    """The rules again, in results instead of octets; SETTLE is over at once, but for the first meeting."""

    def __init__(self):
        self.w, self.ranges, self.log = NONE, [], []
        self.before = 0  # so many ranges, from the first one on, are of the count before
        self.expected = self.pushed = self.run = self.last = None
        self.unproven, self.fetched, self.epochs = [], [], []  # by place in the log
        self.doubted = self.run_record = 0  # rule 8 of id_ledger.py
        self.since = 1
        self.epoch = 0
        self.saw_new_count = False
        self.first_record = 0  # of this connection, of what was not expected
        self.is_straight = self.was_settled = False
        self.phase, self.proven = CLOSED, False
        self.begin = self.at = self.row = self.closed = 0
        self.walk = LowestIdSearch()
        self.forget()

    def forget(self):
        self.newest = self.top = None
        self.is_held = self.is_zero_absent = self.is_confirmed = self.starts_over = False
        self.first = self.upto = self.up = 0
        self.ended = None  # while, and since, what the count before may have left is asked for: its last ID
        self.rising = self.falling = self.falls = self.is_before_there = False
        self.ended_top = self.found = None  # of a count between: the last one that is there
        self.is_between = self.is_of_between = self.hides = False
        self.hidden = 0  # so far an older count hides what the one of the highest ID known made
        self.known = None  # what is not above this, and not later than the highest ID known, ends a walk
        self.begin = self.at = self.row = self.closed = self.nearby = 0
        self.is_there = False  # there is a result under the highest ID known
        self.take_written()
        self.turn(self.phase, 0)

    def turn(self, phase, asked):
        self.phase, self.asked, self.state, self.tries = phase, asked, ITSELF, 0

    # -- the ranges ------------------------------------------------------------------------------------------------

    def add(self, first, last):
        if not length_of(first, last):
            return
        is_of_count = len(self.ranges) > self.before
        if is_of_count and length_of(self.ranges[-1][0], first) and length_of(first, self.ranges[-1][1]):
            if is_ahead(last, self.ranges[-1][1]):
                self.ranges[-1][1] = last
            return
        self.ranges.append([first, last])
        if len(self.ranges) > 2:
            self.doubted = 1

    def seen(self):
        """Return the last ID that was seen above `top`, 0: none was."""
        if len(self.ranges) <= self.before or self.w in (NONE, EMPTY):
            return 0
        if not is_ahead(self.ranges[-1][1], self.w.ident):
            return 0
        first, last = self.ranges[-1]
        return last if first == after(self.w.ident) or not is_ahead(first, self.w.ident) else 0

    def note(self, newest):
        before = self.seen()
        if newest > (before or self.w.ident):
            self.add(before or after(self.w.ident), newest)
        if not self.is_noted:
            self.seen_before, self.is_noted = before, True

    def cut_seen(self):
        if self.seen():
            first = self.ranges.pop()[0]
            if first != after(self.w.ident):
                self.ranges.append([first, self.w.ident])

    def take_written(self):
        if len(self.ranges) > 2:
            self.ranges = [self.ranges[0], [self.ranges[1][0], self.ranges[-1][1]]]
            self.before = min(self.before, 1)

    def keep(self, result, is_unproven=False):
        self.log.append(result)
        self.unproven.append(is_unproven)
        self.fetched.append(False)
        self.epochs.append(self.epoch)

    def doubt(self):
        self.doubted = self.doubted or len(self.log)

    def end_doubt(self):
        if not self.ranges:
            self.doubted = 0

    def flush(self):
        if self.ranges and self.ranges[0][0] == self.begin and self.at != self.begin:
            self.ranges[0][0] = self.begin = self.at
            self.closed = 0
            if not length_of(*self.ranges[0]):
                self.ranges.pop(0)
                self.before = 0
            self.end_doubt()

    def misses(self, number):
        ranges = self.ranges[self.before :]
        return any(length_of(first, number) and length_of(number, last) for first, last in ranges)

    # -- events ----------------------------------------------------------------------------------------------------

    def opened(self):
        self.phase, self.proven, self.pushed = NEWEST, False, None
        self.has_pushed = False  # what was not expected
        self.is_straight = False  # `top` was found where it was pushed
        self.is_checked = False  # whether it is, before any is gone
        self.is_noted = False  # what it has shown above `top`
        self.lacks_newest = False  # ID 0 is not answered
        self.forget()

    def lost(self):
        self.flush()
        if self.w == NONE:
            self.w = EMPTY  # what it made since it was seen first is ours
        self.phase, self.proven, self.run, self.run_record = CLOSED, False, None, 0
        self.first_record = 0
        self.forget()

    def look(self):
        self.flush()
        self.phase, self.proven = NEWEST, False
        self.forget()

    def polls(self):
        if self.phase == IDLE and not self.ranges:
            is_known = self.lacks_newest and self.w not in (NONE, EMPTY) and self.w.ident > 0
            self.turn(POLL, after(self.w.ident) if is_known else 0)

    def push(self, result):
        number = result.ident
        if self.proven and number == self.expected:
            self.keep(result)  # not looked up: nobody pushes once more what came before a reset
            self.w, self.expected, self.pushed = result, number + 1, None
            return
        if result in self.log:
            return
        self.keep(result, not self.proven)
        self.expected, self.pushed = None, result
        is_first, self.has_pushed = not self.has_pushed, True
        is_first_meeting = self.w == NONE
        self.first_record = self.first_record or len(self.log)
        known = [one for one in self.log[self.since - 1 : -1] if one.ident == number][-1:]
        if self.w in (NONE, EMPTY):
            if self.w == EMPTY and number != 1:
                self.add(open_below(preceding(number)), preceding(number))
            self.w = result
        elif self.proven and is_first and known and number == self.w.ident and not self.misses(number):
            self.w = known[0]
            self.doubt()
            self.look()
        elif self.proven and not is_ahead(self.w.ident, number):
            self.add(following(self.w.ident), preceding(number))
            self.w, self.expected = result, None if self.before else number + 1
        elif not self.proven or number != self.w.ident:
            self.doubt()
        follows = self.run is None or is_ahead(number, self.last)
        if self.run is None or number != after(self.last):
            self.run, self.run_record = result, len(self.log)
        self.last = number
        if self.phase == CLOSED:
            return
        if self.proven:
            if not self.misses(number) and number != self.w.ident:
                self.look()
        elif self.newest is not None:
            if is_ahead(number, self.top.ident):
                if number != after(self.top.ident):
                    self.upto = preceding(number)
                self.top = result
            elif number == self.top.ident and is_first_meeting and result is not self.top:
                self.look()
            elif number == self.top.ident:
                self.top = result
            elif is_first_meeting:
                self.first = following(number)
            elif not follows or (is_ahead(self.top.ident, self.w.ident) and not is_ahead(number, self.w.ident)):
                self.look()
        elif self.is_zero_absent and number and result is not self.w and not is_ahead(number, self.w.ident):
            self.look()

    def question(self):
        """Return the ID that is asked for; None: nothing is."""
        if self.phase == CLOSED or (self.phase == IDLE and not self.ranges):
            return None
        if self.closed >= CLOSED_MOST:
            self.flush()
        if self.phase == SETTLE:
            self.settle()
        if self.phase in (IDLE, FILL):
            self.turn_to_missing()
        if self.phase == IDLE:
            return None
        return after(self.asked) if self.state == NEXT else self.asked

    def turn_to_missing(self):
        while self.ranges:
            if not (self.proven or self.before):
                break
            first, last = self.ranges[0]
            if self.begin != first:
                self.begin = self.at = first
                self.row = self.closed = 0
                self.state, self.tries = ITSELF, 0
            left = length_of(self.at, last)
            if left and self.before and not is_ahead(last if is_open(self.at, last) else self.at, self.w.ident):
                reached = following(self.w.ident if is_ahead(last, self.w.ident) else last)
                self.closed += min((reached - self.at) % (1 << 32), CLOSED_MOST)
                self.at, self.row = reached, 0
                continue
            if left:
                self.phase, self.asked = FILL, self.at
                if is_open(self.at, last) or (self.row >= K and left > K):
                    self.walk.begin(after(last), left, K)
                    self.turn(WALK, self.walk.asked)
                return
            self.flush()
        if not self.proven:
            self.look()
            return
        self.phase, self.asked = IDLE, 0

    def silent(self):
        self.tries += 1
        if self.phase == POLL:
            self.turn(IDLE, 0)
        elif self.state == LAST:
            if self.phase == FILL:
                self.close()
            elif self.phase in (WITNESS, NEARBY, CONFIRM):
                self.gone()
            else:
                self.go_on(True)
        elif self.tries >= UNANSWERED_MOST and self.phase == NEWEST:
            if self.was_settled and self.ranges and self.w not in (NONE, EMPTY) and self.w.ident > 0:
                self.lacks_newest = True
                self.gone()
        elif self.tries >= UNANSWERED_MOST:
            may = self.phase not in (WITNESS, NEARBY) or self.newest is not None
            self.state = NEXT if self.state == ITSELF and may else ITSELF

    def answer(self, result):
        if self.state == NEXT:
            self.state = LAST
        elif result is None:
            self.gone()
        else:
            self.TABLE[self.phase][0](self, result)

    def gone(self):
        self.TABLE[self.phase][1](self)

    # -- the rows --------------------------------------------------------------------------------------------------

    def newest_there(self, result):
        self.newest = self.top = result
        self.is_held = result in self.log
        if self.w not in (NONE, EMPTY) and result is not self.w and not is_ahead(result.ident, self.w.ident):
            if result in self.log and result is not self.last_push()[0]:
                self.do_without()
                return
        elif self.is_of_count_before(result):
            self.do_without()
            return
        self.compare()

    def is_of_count_before(self, result):
        """True if the newest is above what is known, and is in the log in front of that."""
        if self.w in (NONE, EMPTY) or result not in self.log or self.w not in self.log[self.log.index(result) + 1 :]:
            return False
        return self.pushed is None or not is_ahead(self.pushed.ident, result.ident)

    def last_push(self):
        return [self.log[at] for at in range(len(self.log)) if not self.fetched[at]][-1:] + [None]

    def do_without(self):
        if self.is_noted:
            self.restore_seen()
        self.look()
        self.newest_gone()

    def restore_seen(self):
        self.cut_seen()
        self.add(after(self.w.ident), self.seen_before or self.w.ident)
        self.is_noted = False

    def is_open_yet(self):
        return self.newest is not None and not (self.is_zero_absent or self.is_confirmed)

    def confirm_there(self, result):
        if self.top.ident == self.newest.ident and result is not self.top:
            self.do_without()
            return
        self.is_confirmed = True
        if not self.is_there:
            self.compare()
        elif is_ahead(self.newest.ident, self.w.ident):
            self.first = following(self.w.ident)
            self.conclude()
        else:
            self.find_moved(self.w)

    def newest_gone(self):
        self.is_zero_absent = True
        push = self.pushed_newest() or self.last_below()
        if push is not None:
            self.newest = self.top = push
            self.is_held = True
            self.compare()
        elif self.w in (NONE, EMPTY):
            self.nothing()
        else:
            self.turn(WITNESS, self.w.ident)

    def pushed_newest(self):
        """Return what this connection has pushed, None: nothing, or it was late."""
        push = self.pushed
        if push is None or self.w in (NONE, EMPTY) or self.w.ident <= 0 or not is_ahead(self.w.ident, push.ident):
            return push
        return None if self.are_late() else push

    def are_late(self):
        """True if all pushes since `top` that are not above it go on with its count, and there are some."""
        places = [at for at in range(max(self.doubted, self.since, 1) - 1, len(self.log)) if not self.fetched[at]]
        below = [at for at in places if self.log[at] is not self.w and not is_ahead(self.log[at].ident, self.w.ident)]
        return len(below) > 0 and all(self.is_late(at) for at in below)

    def is_late(self, place):
        """True if this push goes on with the count in front of it: one that is near was stored, and not its own ID."""
        number = self.log[place].ident
        before = [one.ident for one in self.log[:place]]
        near = [one for one in before if one > 0 and number - OFFSET_MOST <= one <= number + 1]
        return number not in before and bool(near)

    def last_below(self):
        """Return the last push since `top`, of whatever connection, if it is not above it."""
        if self.w in (NONE, EMPTY) or not self.doubted:
            return None
        begin = max(self.doubted, self.since) - 1
        last = [self.log[at] for at in range(begin, len(self.log)) if not self.fetched[at]][-1:]
        is_below = last and last[0].ident not in (0, self.w.ident) and not is_ahead(last[0].ident, self.w.ident)
        return last[0] if is_below and not self.are_late() else None

    def pushed_before(self):
        """Return the last push of earlier connections above `top`, None: there is none, and what they have skipped."""
        last, skipped, top = None, [], self.w.ident
        places = range(self.since - 1, len(self.log))
        is_pushed = any(self.log[at] is self.w and not self.fetched[at] for at in places) and self.w.ident > 0
        if not (is_pushed or self.is_straight):
            return last, skipped
        end = self.first_record - 1 if self.first_record else len(self.log)
        for at in range(max(self.doubted, self.since) - 1, end if self.doubted else 0):
            one = self.log[at]
            if one is self.w and not self.fetched[at]:
                last, skipped, top = None, [], self.w.ident
            elif self.unproven[at] and self.epochs[at] == self.epoch and is_ahead(one.ident, top):
                if length_of(following(top), preceding(one.ident)):
                    skipped.append((following(top), preceding(one.ident)))
                last, top = one, one.ident
        return last, skipped

    def move_top(self, result, skipped):
        seen = self.seen()
        self.cut_seen()
        self.w, self.expected = result, None
        for first, last in skipped:
            self.add(first, last)
        if seen and is_ahead(seen, result.ident):
            self.add(after(result.ident), seen)

    def compare(self):
        newest = self.newest.ident
        if self.pushed is not None and is_ahead(self.pushed.ident, newest) and not is_ahead(self.w.ident, newest):
            self.newest = self.top = self.pushed
            self.is_held = True
            newest = self.newest.ident
        if self.w not in (NONE, EMPTY) and self.w.ident > 0 and is_ahead(newest, self.w.ident):
            last, skipped = self.pushed_before()
            if last is not None and not is_ahead(newest, last.ident) and self.top not in self.log:
                self.move_top(last, skipped)
        if self.w not in (NONE, EMPTY) and self.w.ident > 0 and not is_ahead(self.w.ident, newest):
            self.saw_new_count = self.saw_new_count or self.has_pushed_new_count()
        self.upto = preceding(newest) if self.is_held else newest
        if self.w == EMPTY and self.is_open_yet():
            self.turn(CONFIRM, newest)
            return
        self.starts_over = self.w == EMPTY
        self.first = open_below(self.upto) if self.w == EMPTY else following(self.upto)
        if self.w == NONE:
            self.phase = SETTLE
        elif self.w == EMPTY or self.top is self.w:
            self.conclude()
        elif is_ahead(newest, self.w.ident) or not self.is_straight:
            is_new = self.saw_new_count or not is_ahead(newest, self.w.ident)
            if is_new and newest > 0:
                self.see_new_count(newest)
            elif self.w.ident > 0 and is_ahead(newest, self.w.ident):
                self.note(newest)
            self.turn(WITNESS, self.w.ident)
        else:
            self.see_new_count(newest)
            self.walk_down()

    def has_pushed_new_count(self):
        """True if a push since `top`, of whatever connection, is not above it, and does not go on with its count."""
        is_new = False
        for at in range(max(self.doubted, self.since) - 1, len(self.log) if self.doubted else 0):
            if self.log[at] is self.w:
                is_new = False if not self.fetched[at] else is_new
            elif not self.fetched[at] and 0 < self.log[at].ident and not is_ahead(self.log[at].ident, self.w.ident):
                is_new = is_new or not self.is_late(at)
        return is_new

    def see_new_count(self, newest):
        is_sure = self.is_straight or is_ahead(moved(self.w.ident, -OFFSET_MOST), newest)
        self.saw_new_count = self.saw_new_count or (is_sure and newest > 0 and not self.is_held)

    def witness_there(self, result):
        if result is self.w and self.w.ident in self.pushed_ids():
            self.is_straight = True
        if result is self.w and self.is_open_yet():
            self.is_there = True
            if self.newest.ident == self.w.ident:
                self.do_without()
            else:
                self.turn(CONFIRM, self.newest.ident)
        elif result is not self.w or (self.newest is not None and not is_ahead(self.newest.ident, self.asked)):
            self.find_moved(result)
        else:
            self.first = following(self.asked)
            self.conclude()

    def find_moved(self, result):
        self.is_there = True
        if self.newest is None:
            self.newest = self.top = result
            self.upto = result.ident
        if self.is_noted:
            self.restore_seen()
        self.turn_nearby(result is not self.w and result.ident == self.w.ident)

    def pushed_ids(self):
        return [self.log[at].ident for at in range(self.since - 1, len(self.log)) if not self.fetched[at]]

    def witness_gone(self):
        self.turn_nearby()

    def turn_nearby(self, is_other=False):
        if self.newest is None:
            self.nothing()
            return
        ahead = self.newest.ident - self.w.ident
        far = is_ahead(self.w.ident, self.newest.ident) and ahead < -OFFSET_MOST
        most = OFFSET_MOST if far else min(ahead, OFFSET_MOST)
        by = [at for at in range(-OFFSET_MOST, most) if at]
        by.sort(key=lambda at: (abs(at), -at))
        by = [most] + by if most else by
        far = far and not (is_other or self.nearby)
        self.nearby += 1
        while self.nearby <= len(by) and self.w.ident + by[self.nearby - 1] <= 0:
            self.nearby += 1
        if self.is_straight or far or self.nearby > len(by):
            self.find_nothing()
            return
        self.turn(NEARBY, self.w.ident + by[self.nearby - 1])

    def nearby_there(self, result):
        self.turn_nearby()

    def nearby_gone(self):
        if self.nearby == 1 and self.newest.ident != self.w.ident and not self.is_there:
            self.find_nothing()
        else:
            self.turn_nearby()

    def is_reset(self):
        return self.is_there or self.saw_new_count

    def find_nothing(self):
        is_above = is_ahead(self.newest.ident, self.w.ident)
        last, skipped = self.pushed_before() if is_above and not self.is_reset() else (None, [])
        if last is not None and not skipped:
            self.move_top(last, skipped)
            self.look()
        else:
            self.walk_down()

    def walk_down(self):
        self.starts_over = True
        if self.w.ident > 0 and not is_ahead(self.newest.ident, self.w.ident):
            self.ended, self.rising, self.up = self.w.ident, True, 0
            self.turn(UP, self.w.ident)
        elif self.w.ident > 0 and self.is_reset():
            self.ended, self.rising, self.up = self.newest.ident, True, 0
            self.is_between = True
            self.turn(UP, after(self.newest.ident))
        else:
            self.walk_on()

    def is_lacking(self, result):
        """True if this answer is of what is asked for upward, and not in the log."""
        pushed = [self.log[at].ident for at in range(len(self.log)) if not (self.fetched[at] or self.unproven[at])]
        highest = max(pushed) if any(pushed) else 0
        if result.ident == self.w.ident and not is_ahead(self.newest.ident, self.w.ident):
            self.is_before_there = result is self.w
            if result not in self.log and result.time > self.w.time:
                self.is_between = True
                self.found = self.found if result.ident == self.newest.ident else result
            else:
                self.hides, self.hidden = result.time < self.w.time, self.w.ident
            return False
        if self.hides and after(self.hidden) == result.ident and result.time < self.w.time:
            self.hidden = result.ident
        if result in self.log:
            return False
        if self.is_between or (self.falling and not self.falls):
            is_lacking = not self.misses(result.ident) and result.time > self.w.time
        else:
            is_lacking = self.falls or not self.epoch or result.time >= self.w.time or result.ident > highest
        self.found = result if is_lacking else self.found
        return is_lacking

    def rise(self, is_new):
        self.up = 0 if is_new or self.w.ident != self.hidden == self.asked else self.up + 1
        if is_new and self.falling:
            self.upto = self.asked
            self.is_of_between = not self.falls
        elif is_new:
            self.ended, self.is_before_there = self.asked, self.is_before_there or not self.is_between
        if self.up < K and not (self.falling and after(self.asked) == self.w.ident):
            self.turn(UP, after(self.asked))
            return
        self.rising = False
        if self.falling:
            self.end_ways()
        else:
            self.walk_on()

    def end_ways(self):
        if self.found is not None and (self.is_between or self.is_of_between):
            self.is_of_between = True
            self.newest = self.top = self.found
            self.upto = self.found.ident
            self.settle()
            return
        is_searched = not (self.falls or self.upto != self.newest.ident - self.is_held)
        pushed = [self.log[at] for at in self.pushed_of_new_count(self.first_record)] if is_searched else []
        push = pushed[-1] if pushed and self.top not in pushed else None
        if push is not None and not is_ahead(self.newest.ident, push.ident):
            self.is_of_between = True
            self.newest = self.top = push
            self.upto = preceding(push.ident)
            self.settle()
        else:
            self.conclude()

    def pushed_of_new_count(self, first_record=0):
        """Return which pushes since `top` have begun a count, in front of this record if not 0."""
        if not self.doubted or self.w not in self.log[self.since - 1 :]:
            return []
        found = []
        for at in range(max(self.doubted, self.since) - 1, len(self.log)):
            one = self.log[at]
            if one is self.w and not self.fetched[at]:
                found = []
            elif not self.fetched[at] and one.ident > 0 and not is_ahead(one.ident, self.w.ident):
                found += [] if self.is_late(at) else [at]
        return [at for at in found if not first_record or at + 1 < first_record]

    def walk_on(self):
        newest = self.newest.ident
        left = 1 << 31 if self.ended is None else newest - 1
        is_pushed = any(self.log[at] is self.w and not self.fetched[at] for at in range(self.since - 1, len(self.log)))
        if self.ended is None and is_pushed and self.w.ident > 0 and not self.begins_again():
            self.known = preceding(self.ranges[0][0]) if self.ranges else self.w.ident
            left = length_of(self.known, preceding(newest)) + 4
        if self.walk.begin(newest, left, K):
            self.turn(WALK, self.walk.asked)
        else:
            self.end_walk()

    def go_on(self, there):
        if self.rising:
            self.rise(False)
        elif self.phase == UP:
            self.up = 0 if there else self.up + 1
            if self.up >= K:
                if self.newest is None:
                    self.stay()
                self.settle()
            else:
                self.turn(UP, after(self.asked))
        elif self.walk.answered(there):
            self.turn(WALK, self.walk.asked)
        elif self.begin:
            self.row = 0
            self.closed += min((self.walk.lowest() - self.at) % (1 << 32), CLOSED_MOST)
            self.at = self.walk.lowest()
            self.turn(FILL, self.at)
        else:
            self.end_walk()

    def walk_there(self, result):
        is_below = self.known is not None and not is_ahead(result.ident, self.known)
        if is_below and (result in self.log or result.time <= self.w.time):
            self.walk.skip(K)
            self.go_on(False)
            return
        if is_below and is_ahead(self.walk.lowest(), self.known):
            self.walk.extend(1 << 31)
        self.go_on(True)

    def end_walk(self):
        self.first = self.walk.lowest()
        newest = self.newest.ident
        self.falls = self.first == newest > 1
        if self.ended is not None and not self.is_between and is_ahead(self.w.ident, after(newest)):
            self.rising, self.falling, self.up = True, True, 0
            self.turn(UP, after(newest))
        elif self.ended is not None:
            self.end_ways()
        else:
            self.conclude()

    def up_there(self, result):
        if self.rising:
            self.rise(self.is_lacking(result))
            return
        self.newest = self.top = result
        self.upto = preceding(result.ident) if result in self.log else result.ident
        self.go_on(True)

    def nothing(self):
        if self.pushed_newest() is not None:
            self.newest_gone()
        else:
            if self.w in (NONE, EMPTY):
                self.newest, self.starts_over = None, True
            else:
                self.stay()
            self.settle()

    def stay(self):
        self.newest = self.top = self.w
        for at in range(max(self.doubted, self.since) - 1, len(self.log) if self.doubted else 0):
            if self.log[at] is self.w and not self.fetched[at]:
                self.newest = self.top = self.w
            elif self.unproven[at] and is_ahead(self.log[at].ident, self.newest.ident):
                self.newest = self.top = self.log[at]
        self.first, self.upto = following(self.w.ident), preceding(self.newest.ident)
        if self.newest is self.w:
            self.first = self.w.ident
        if self.seen() and (self.newest is self.w or self.seen() > self.newest.ident):
            self.first, self.upto = after(self.w.ident), self.seen()

    def conclude(self):
        if self.is_zero_absent:
            self.up = 0
            self.turn(UP, self.first if self.newest is None else after(self.newest.ident))
        else:
            self.settle()

    def settle(self):
        before = self.ranges[self.before :]
        above = self.seen_above()
        self.was_settled = True
        if self.starts_over:
            self.ranges = []
            self.before = 0
        else:
            self.cut_seen()
        if self.is_before_there:
            first = before[0][0] if before else following(self.w.ident)
            goes_on = before and (self.ended == self.w.ident or is_ahead(before[-1][1], self.ended))
            self.add(first, before[-1][1] if goes_on else self.ended)
            self.before = len(self.ranges)
        if self.starts_over:
            if self.begins_again():
                self.epoch += 1
                tops = [at + 2 for at in range(max(self.doubted, 1) - 1, len(self.log)) if self.log[at] is self.w]
                pushes = self.pushed_of_new_count() + [len(self.log)]
                self.since = max(tops + [self.doubted]) if self.doubted > 1 else pushes[0] + 1
            if self.w not in (NONE, EMPTY):
                self.doubted = 1
        if self.newest is not None:
            self.add(self.first, self.upto)
        for first, last in above:
            self.add(first, last)
        self.end_doubt()
        self.w = EMPTY if self.newest is None else self.top
        self.expected, self.proven, self.phase = None, not self.is_of_between, FILL
        self.saw_new_count = False
        self.forget()

    def begins_again(self):
        if not self.starts_over or self.newest is None or self.w in (NONE, EMPTY):
            return False
        return self.is_reset() or not is_ahead(self.newest.ident, self.w.ident)

    def seen_above(self):
        met = self.w not in (NONE, EMPTY)
        if self.ended is not None or self.begins_again():
            return []
        ends = [self.newest.ident, self.upto] if self.newest is not None else []
        ends += [self.w.ident] if met else []
        end = -1
        for one in ends:
            end = one if end < 0 or is_ahead(one, end) else end
        if met:
            return [(after(end), self.seen())] if self.seen() and is_ahead(self.seen(), end) else []
        parts = [(first, last) for first, last in self.ranges if end < 0 or (not is_open(first, last) and last > end)]
        return [(first if is_ahead(first, end) else after(end), last) for first, last in parts]

    def missing_there(self, result):
        self.row = 0
        if self.run is not None and result is self.run:
            self.closed += min((self.last - self.at) % (1 << 32), CLOSED_MOST)
            self.at, self.run = self.last, None
            if 1 < self.run_record == self.doubted:
                self.doubted = 0
            self.run_record = 0
        elif result not in self.log:
            self.keep(result)
            self.fetched[-1] = True
        self.close()

    def missing_gone(self):
        self.row += 1
        since = 1 if is_ahead(self.asked, self.w.ident) else self.since
        is_here = any(one.ident == self.asked for one in self.log[since - 1 :])
        if not (is_here or self.is_straight or self.is_checked) and self.proven:
            self.is_checked = True
            self.look()
            return
        self.close()

    def close(self):
        self.closed += 1
        self.at = after(self.at)
        self.turn(FILL, self.at)

    def poll_there(self, result):
        self.turn(IDLE, 0)

    def poll_gone(self):
        if self.asked or self.w in (NONE, EMPTY):
            self.turn(IDLE, 0)
        else:
            self.turn(POLL, after(self.w.ident))

    TABLE = {  # phase: it is there, it is gone
        NEWEST: (newest_there, newest_gone),
        WITNESS: (witness_there, witness_gone),
        NEARBY: (nearby_there, nearby_gone),
        WALK: (walk_there, lambda self: self.go_on(False)),
        UP: (up_there, lambda self: self.go_on(False)),
        FILL: (missing_there, missing_gone),
        POLL: (poll_there, poll_gone),
        CONFIRM: (confirm_there, do_without),
    }


class Both:
    """The model and the code, at one controller."""

    def __init__(self, dice):
        self.dice = dice
        self.bench = Bench(Memory(limit=dice.choice((3, 10, 60))))
        self.model = Model()
        self.knows_zero = dice.random() < 0.8
        self.queue = []

    def agree(self):
        model, bench, recovery = self.model, self.bench, self.bench.recovery
        ledger = bench.ledger
        w = EMPTY if ledger.is_empty() else ledger.top() if ledger.is_met() else NONE
        assert recovery.phase == model.phase, (phases.PHASE_NAMES[recovery.phase], phases.PHASE_NAMES[model.phase])
        assert (recovery.request.asked, recovery.request.state) == (model.asked, model.state)
        assert w == (model.w if model.w in (NONE, EMPTY) else model.w.ident)
        assert ledger.ranges == model.ranges and recovery.gap_fill.at == model.at
        assert (recovery.flags == 0) == model.proven and [one[2] for one in bench.log.records] == model.log

    def do(self):
        dice, bench, model, memory = self.dice, self.bench, self.model, self.bench.memory
        chance = dice.random()
        if model.phase == CLOSED:
            for _ in range(dice.choice((0, 1, 3, 12))):
                self.queue.append(memory.make())
            if chance < 0.1:
                memory.reset(dice.choice((1, max(memory.next_id - 3, 1))))
            self.queue = self.queue[len(self.queue) - dice.randrange(len(self.queue) + 1) :]
            bench.open()
            model.opened()
        elif chance < 0.04:
            bench.close()
            model.lost()
        elif chance < 0.06:
            memory.reset()
        elif chance < 0.08 and memory.kept:
            memory.forget(*[dice.choice(memory.kept).ident for _ in range(dice.choice((1, 6)))])
        elif chance < 0.1:
            bench.recovery.poll()
            model.polls()
        elif chance < 0.3:
            made = self.queue.pop(0) if self.queue else memory.make()
            if dice.random() < 0.8:
                bench.push(made)
                model.push(made)
        else:
            self.ask(dice.random() < 0.15)

    def ask(self, is_mute):
        number = self.bench.ask()
        expected = self.model.question()
        assert expected == (number if number >= 0 else None)
        if expected is None:
            return
        if is_mute:
            self.bench.recovery.silent(self.bench.now)
            self.model.silent()
        else:
            found = self.bench.memory.find(expected) if expected or self.knows_zero else None
            self.bench.answer(found)
            self.model.answer(found)
            while self.bench.recovery.phase == phases.PHASE_COMPARE:  # test_generated_firmware.py
                self.bench.answer(self.bench.memory.find(self.bench.ask()))


def test_model_and_code_go_the_same_way():
    before_it, id_ownership.GONE_OWN = id_ownership.GONE_OWN, K
    tries, deferred_ids.TRIES_MOST = deferred_ids.TRIES_MOST, EVENTS  # none is put off: test_deferred_ids.py
    seen = set()
    try:
        for seed in range(LIVES):
            both = Both(Random(seed))
            for step in range(EVENTS):
                try:
                    both.do()
                    both.agree()
                except AssertionError as error:
                    raise AssertionError("seed %d, event %d: %s" % (seed, step, error)) from error
                seen.add(both.model.phase)
    finally:
        id_ownership.GONE_OWN = before_it
        deferred_ids.TRIES_MOST = tries
    assert seen >= set(Model.TABLE)
