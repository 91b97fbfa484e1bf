"""The table at the head of agent/outlets/toolsnet/policy.py as a model: numbers of a log, nothing else, no time.

It has the names of the code. Whatever waits for its time may come at any moment; a reoffered one goes out when an
operator asks for it. `host_tests/agent/outlets/test_refusals_compared.py` runs it and the real policy side by side.
"""

from host_tests.agent.outlets.refusals import Cut

IN_ORDER, RETRY, LOOKAHEAD, FINISH, HOLD, REOFFER = range(6)
NOTHING, SEND, WRITE, BUSY = range(4)
RAISE_LIMIT, QUARANTINE, BEGIN_LOOKAHEAD, FINISHES, BEGIN_REOFFER, END_REOFFER, DROP = range(1, 8)
UNKNOWN, MUTE, REFUSED = -1, 0, 17  # codes of a refusal
OFFERS = 4
WIDER_MOST = 11  # then a lookahead reaches further than any log
SNAPSHOT = (
    *("cursor", "send_limit", "is_lookahead", "is_met", "reoffered", "taken"),
    *(
        "delivered",
        "lacks",
        "doubt_to",
        "was_empty",
        "was_back",
        "is_older",
        "width",
        "dropped",
        "sequence_lag",
        "gone",
    ),
)


class Model:
    """Where ToolsNet stands in a log that ends at `end`; the quarantine has room for `room`."""

    def __init__(self, end, room, batch, reach, patience):
        self.end, self.room, self.batch, self.reach, self.patience = end, room, batch, reach, patience
        self.entries = ()  # durable, each with its number in the log; which have left it is in the snapshot
        self.cut_at = 0  # the power fails in front of this operation
        self.cursor = self.send_limit = self.reoffered = self.sequence_lag = self.taken = 0
        self.delivered = self.lacks = self.doubt_to = self.width = self.dropped = 0
        self.is_lookahead = self.is_met = self.was_empty = self.was_back = self.is_older = False
        self.gone = ()
        self.durable = self.snapshot()
        self.start()

    def snapshot(self):
        """What is durable, but for the entries."""
        return tuple([getattr(self, name) for name in SNAPSHOT])

    def start(self):
        """Begin after a power cut."""
        for name, value in zip(SNAPSHOT, self.durable, strict=True):
            setattr(self, name, value)
        self.may_send_to = min(self.send_limit, self.cursor + self.batch)
        self.may_have = min(self.send_limit, self.end)
        self.quarantine_last = max((0, *self.entries))
        self.pending_write = self.before = self.entry = self.unsettled_to = self.left = self.number = 0
        self.retries = []
        self.is_taken = self.out = self.is_reliable = self.has_refused_head = False
        self.doubted = None  # what was in doubt when something was sent last; sequence_lag, and how many were aside
        self.awaits_08 = True
        self.resume_in_order()
        self.may_send_to = min(self.send_limit, self.cursor + self.batch)

    def operate(self):
        """Something is about to be durable."""
        self.cut_at -= 1
        if self.cut_at == 0:
            raise Cut

    def save(self):
        self.operate()
        self.durable = self.snapshot()
        self.is_reliable = True

    def declare(self, limit, is_lookahead):
        self.send_limit, self.is_lookahead = max(limit, self.may_have), is_lookahead
        self.save()
        self.may_send_to = limit

    def in_order(self):
        return self.is_lookahead and self.cursor < self.unsettled_to

    def kept(self):
        """The numbers that the quarantine has, by entry."""
        return {entry: n for entry, n in enumerate(self.entries, 1) if entry not in self.gone}

    def octets(self):
        return self.room - len(self.kept())

    # -- what goes out

    def next(self):
        """NOTHING, SEND, WRITE or BUSY."""
        if self.phase == REOFFER:
            if self.pending_write == END_REOFFER or self.reoffered not in self.kept():
                return self.request_write(END_REOFFER)
            number = self.kept()[self.reoffered]
            self.retries = [one for one in self.retries if one != number]
            return self.send(number, self.taken + 1)
        if self.phase == FINISH:
            return self.request_write(FINISHES)
        if self.cursor < self.drop_number:
            return self.request_write(DROP)
        if self.phase == LOOKAHEAD:
            return self.next_of_lookahead()
        if self.cursor >= self.unsettled_to:
            self.retries = [one for one in self.retries if one in self.kept().values()]
            if self.retries:
                self.entry = min(entry for entry, number in self.kept().items() if number == self.retries[0])
                return self.request_write(BEGIN_REOFFER)
        return self.next_in_order() if self.phase == IN_ORDER else self.next_retry()

    def request_write(self, write):
        self.pending_write = write
        return WRITE

    def send(self, number, sequence):
        self.number, self.sequence, self.out = number, sequence, True
        self.may_have = max(self.may_have, number)
        return SEND

    def next_in_order(self):
        number = self.cursor + 1
        if number > self.end:
            return NOTHING
        if number in self.kept().values():
            return self.request_write(QUARANTINE)
        return (
            self.request_write(RAISE_LIMIT)
            if number > self.may_send_to
            else self.send(number, number - self.sequence_lag)
        )

    def next_retry(self):
        if self.phase == HOLD:
            self.retry_head()
        code = self.next_in_order()
        if code != NOTHING and self.cursor + 1 != self.head:
            self.head_is_gone()
            self.head = self.cursor + 1
        elif code == NOTHING and self.cursor >= self.head:
            self.resume_in_order()
        return code

    def next_of_lookahead(self):
        if self.cursor >= self.head or self.cursor + 1 != self.head > self.pos:
            self.retry_head()
            return BUSY
        if self.pos < self.head:
            self.room_was = self.octets()
            if self.room_was < 1:
                self.short, self.phase = self.room_was, HOLD
                return NOTHING
            self.pos, self.left = self.head, self.room_was - 1
        self.lookahead_ends = self.head + (self.reach << min(self.failed_lookaheads, WIDER_MOST))
        while self.pos < self.end and self.pos < self.lookahead_ends and self.left >= 0:
            if self.pos + 1 not in self.kept().values():
                if not self.is_lookahead or self.pos + 1 > self.may_send_to:
                    return self.request_write(BEGIN_LOOKAHEAD)
                return self.send(self.pos + 1, self.pos + 1 - self.sequence_lag)
            self.pass_over()
        short = -1 if self.left >= 0 else self.room_was
        self.settle()
        self.retry_head()
        self.unanswered, self.short = 0, short
        self.failed_lookaheads += 1
        return NOTHING

    def pass_over(self):
        self.pos += 1
        self.left -= 1

    # -- what became of it

    def accepted(self):
        self.out = False
        if self.phase == REOFFER:
            self.is_taken, self.pending_write = True, END_REOFFER
        elif self.phase == LOOKAHEAD:
            self.found_taken(self.number, self.sequence)
        else:
            self.cursor, self.taken = self.number, self.sequence
            self.delivered += 1
            if self.phase:
                self.resume_in_order()

    def refused(self):
        self.out = False
        if self.phase == REOFFER:
            self.is_taken, self.pending_write = False, END_REOFFER
        elif self.phase == LOOKAHEAD:
            self.pass_over()
        else:
            self.make_head(REFUSED)
            self.has_refused_head = True
            if self.unsettled_to <= self.number:
                self.unsettled_to = 0
            self.head_failed()

    def silent(self, proven):
        self.awaits_08 = True
        was_out, self.out = self.out, False
        if not was_out or self.phase == REOFFER:
            return
        if self.phase != LOOKAHEAD:
            self.make_head(MUTE)
        counts = proven or self.unanswered >= self.patience
        self.unanswered += not counts
        if self.phase != LOOKAHEAD:
            if counts:
                self.head_failed()
            return
        if counts and self.mute == self.number:
            self.pass_over()
        elif counts:
            self.mute = self.number
        self.connections_lost += self.has_refused_head
        if (self.code or not proven) and not (self.has_refused_head and self.connections_lost > 1):
            self.phase = RETRY

    def found_taken(self, number, sequence):
        self.lookahead_taken, self.lookahead_sequence, self.short, self.phase = number, sequence, -1, FINISH

    # -- the head is refused

    def make_head(self, code):
        if self.number != self.head:
            self.resume_in_order()
            self.head = self.number
        self.phase, self.code = RETRY, code

    def head_failed(self):
        self.head_failures += self.head_failures < OFFERS
        if self.head_failures == OFFERS:
            self.phase = LOOKAHEAD

    def resume_in_order(self):
        self.phase = IN_ORDER
        self.head_failures = self.failed_lookaheads = 0
        self.head = self.unanswered = self.drop_number = self.pos = self.mute = self.lookahead_taken = 0
        self.connections_lost = 0
        self.code = self.short = -1
        if self.is_lookahead:
            self.may_send_to = self.cursor

    def retry_head(self):
        self.phase, self.head_failures, self.pos = RETRY, OFFERS, 0

    def head_is_gone(self):
        self.retry_head()
        self.failed_lookaheads, self.drop_number, self.code, self.short = 0, 0, UNKNOWN, -1

    def is_stuck(self):
        return (self.phase == FINISH or self.cursor < self.head) and 0 <= self.short >= self.octets()

    def settle(self):
        self.may_have, self.unsettled_to = self.cursor, 0

    # -- what is durable first

    def write(self):
        """Do what `next` has asked for."""
        if self.pending_write == RAISE_LIMIT:
            is_alone = self.phase != IN_ORDER or self.cursor < self.unsettled_to
            self.declare(self.cursor + 1 + (0 if is_alone else self.batch - 1), self.in_order())
        elif self.pending_write == QUARANTINE:
            self.quarantine_and_pass()
        elif self.pending_write == BEGIN_LOOKAHEAD:
            self.declare(max(self.lookahead_ends, self.send_limit), True)
        elif self.pending_write == FINISHES:
            self.finish()
        elif self.pending_write == BEGIN_REOFFER:
            self.reoffered, self.sequence_lag = self.entry, self.sequence_lag - 1
            self.is_older = True
            self.declare(self.cursor, self.in_order())
            self.before, self.phase = self.phase, REOFFER
        elif self.pending_write == END_REOFFER:
            self.conclude(False)
        else:
            self.drop_first()

    def quarantine_and_pass(self):
        """Pass the next one: the quarantine has it."""
        if self.durable[0] < self.cursor > self.quarantine_last:
            self.save()
        self.cursor += 1

    def finish(self):
        while self.cursor + 1 < self.lookahead_taken:
            number = self.cursor + 1
            if number not in self.kept().values():
                if self.octets() <= 0:
                    self.short = self.octets()
                    return
                self.operate()
                self.entries += (number,)
                self.quarantine_last = max(self.quarantine_last, number)
            self.short = -1
            self.cursor += 1
        self.cursor, self.taken = self.lookahead_taken, self.lookahead_sequence
        self.delivered += 1
        self.settle()
        self.resume_in_order()
        self.declare(self.cursor + self.batch, self.in_order())

    def conclude(self, is_unknown):
        if self.reoffered:
            if self.is_taken:
                if self.kept()[self.reoffered] <= self.doubt_to and self.width > 0:
                    self.width += 1
                self.gone += (self.reoffered,)
                self.delivered += 1
            self.reoffered = 0
            if self.is_taken or is_unknown:
                self.taken += 1
                self.was_empty = False
            else:
                self.sequence_lag += 1
        self.save()
        self.pending_write = 0
        if self.phase == REOFFER:
            self.phase = self.before

    # -- what an 08 says

    def resume(self, named):
        """The 08 names this sequence."""
        self.lookahead_taken, is_odd, self.has_refused_head = 0, False, False
        if self.phase == FINISH:
            self.phase = RETRY
        if not self.is_reliable:
            self.save()
        if not self.is_met:
            self.rebase(named)
        else:
            if self.reoffered or self.phase == REOFFER:
                self.is_taken = named == self.taken + 1 if self.reoffered else self.is_taken
                self.conclude(named != self.taken)
            is_odd = self.resume_at(named)
        self.awaits_08 = False
        self.unsettled_to = self.may_have if is_odd else 0
        if self.is_lookahead and not is_odd:
            self.may_have = self.lookahead_taken or self.cursor
        if self.phase == IN_ORDER and self.is_lookahead:
            self.retry_head()
        elif self.phase == IN_ORDER:
            self.resume_in_order()

    def resume_at(self, named):
        """True if it is odd."""
        here = self.cursor - self.sequence_lag
        if named == 0:
            self.note_empty()
            return True
        if (self.was_empty or self.was_back) and self.has_more(named, here):
            self.save()
            return False
        if named == self.taken != here and self.lacks and self.doubt_to == self.cursor:
            return True
        if named == self.taken or self.taken < named <= here:
            self.taken = named
            return False
        if here < named <= self.may_have - self.sequence_lag:
            if self.is_lookahead:
                self.found_taken(named + self.sequence_lag, named)
                return False
            while self.cursor < named + self.sequence_lag:
                if self.cursor + 1 in self.kept().values():
                    self.quarantine_and_pass()
                else:
                    self.cursor += 1
                    self.delivered += 1
            self.taken = named
            self.resume_in_order()
            return False
        if 0 < self.taken - named <= self.cursor:
            self.note_behind(named, here)
        else:
            self.doubt_all()
            self.rebase(named)
        return True

    def note_empty(self):
        if self.delivered and not (self.was_empty and self.doubt_to == self.cursor):
            self.doubt_all()
            self.was_empty = True
            self.save()

    def doubt_all(self):
        if self.delivered:
            before = self.begin_doubt()
            self.doubt(self.delivered, -1 if before[0] else self.delivered + self.dropped, before)

    def lacking(self, back):
        return max(0, back - len([one for one in self.kept().values() if self.cursor - back < one <= self.cursor]))

    def begin_doubt(self):
        """What was in doubt when something was sent last: how many, among how many up to which."""
        before = self.lacks, self.width, self.doubt_to
        if self.doubt_to == self.cursor >= self.may_have and self.was_back:
            if self.doubted and self.doubted[1] == self.sequence_lag:
                (lacks, width, doubt_to), _, aside = self.doubted
                return lacks, width + max(0, aside - self.aside(doubt_to)) if width > 0 else width, doubt_to
            if not self.is_older:
                before = 0, 0, self.doubt_to
        self.doubted = before, self.sequence_lag, self.aside(before[2])
        return before

    def aside(self, last):
        """How many up to this number the quarantine has."""
        return len([one for one in self.kept().values() if one <= last])

    def doubt(self, lacks, width, before):
        """`lacks` results up to the cursor are in doubt, among `width`; -1: nobody knows."""
        self.lacks, self.doubt_to = lacks, self.cursor
        self.width = -1 if width < 0 else max(width, lacks)
        self.was_empty, self.was_back, self.is_older = False, True, before[0] > 0

    def with_last(self, back, before):
        """How many are in doubt with the last `back` ones beside those of `before`, and among how many."""
        rows, (lacks, width, doubt_to) = self.lacking(back), before
        wide = rows + min(rows, max(0, len(self.gone) - self.dropped))  # reoffered ones lie elsewhere on the wire
        if not width:
            return min(rows, self.delivered), wide
        most = max(lacks, self.delivered)
        if width < 0:
            return min(lacks + rows, most), -1
        width = max(wide, width + self.lacking(self.cursor - doubt_to))
        return min(lacks + rows, width, most), width

    def note_behind(self, named, here):
        before = self.begin_doubt()
        lacks, width = self.with_last(here - named, before)
        if not self.lacks:
            lacks = min(lacks, self.taken - named)
        self.doubt(max(1, lacks), width, before)
        self.taken = named
        self.save()

    def has_more(self, named, here):
        """True if the server has what it was believed to lack."""
        was_empty, self.was_empty = self.was_empty, False
        back = here - named
        if not (0 <= self.cursor - self.doubt_to <= back <= here - self.taken and self.was_back):
            return False
        if named == self.taken and not was_empty:
            return False
        before = self.begin_doubt()
        lacks, width = self.with_last(back, before)
        self.doubt(min(self.lacks, lacks), width, before)
        self.taken = named
        return True

    def rebase(self, named):
        self.was_empty = self.was_back = False
        self.sequence_lag, self.taken, self.may_have = self.cursor - named, named, self.cursor
        self.is_met = True
        self.declare(self.cursor, self.in_order())
        self.resume_in_order()

    # -- orders

    def offer_on_order(self, number):
        """An operator wants this one offered; False if it cannot be."""
        if self.phase == FINISH and self.is_stuck():
            return False
        self.retries.append(number)
        return True

    def drop_first(self):
        """An operator drops the head; False if none is held."""
        is_held = (self.short >= 0 or self.failed_lookaheads) and (self.phase == FINISH or self.cursor < self.head)
        if not is_held or self.cursor >= self.end:
            return False
        if self.out or self.awaits_08 or self.phase == REOFFER:
            self.drop_number = self.cursor + 1
            return True
        self.cursor += 1
        self.dropped += 1
        if self.phase == FINISH:
            self.save()
        else:
            self.declare(self.cursor, self.in_order())
            self.head_is_gone()
        return True
