"""A file as an outlet: every result, event and unread frame as one line of JSON (docs/outlets.md).

The file is what the board's `lines(settings)` returns. It writes whole lines or none, makes them durable, and begins a
new file when one is full (toolcart.board.linux.lines):

    open() -> bool       use the file; its content is then durable, and what a power cut has spoilt is removed
    is_begun             there is a line in this file
    backwards()          yields the lines of this file and of the latest full one, the newest first; b"" and no more if
                         one cannot be read now
    add(line) -> bool    append the line; an incomplete one is taken back
    sync() -> bool       make all lines durable, in the file with the name; False: what was not durable is taken back
    close(); why, cure   why it could not be used, in words, and what helps

Rules
1. The cursor goes past a batch when the file has it durably, never before; there is one batch at a time.
2. The log's cursor may be behind the file: after a power cut, or after a failure that leaves unclear what was written.
   The file settles it: it has all records up to its newest line that tells one of the log. So each is written once.
   The cursor may be ahead as well: another outlet's was taken over, or the file was restored or exchanged. Then it goes
   back to that line; to the oldest record of the log if no line tells one. A file without a line is a new one, which
   people make by emptying or moving it: it says nothing, and never moves the cursor back. A file lacks nothing of what
   the cursor was moved past before the file had it (Snapshot.put_moved).
3. A record that a start left in doubt is not written before it is settled; that may need room which only what is
   written in front of it makes.
4. Where graphs are wanted, their lines follow those of their results (toolcart.agent.linux.curve_assembly).
5. A file that cannot be used is tried again after 1, 2, 4 .. 60 s, for ever; counted and shown. Nothing waits for it.
6. What goes into the file again is counted, and what it lacks that the log no longer has as what the log gave up.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import FOREVER, Backoff, Timer
from toolcart.agent.linux import Outlet
from toolcart.agent.linux.json_line import is_graph_line, is_same_record, line_of, number_in, station_in
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.refound_damage import count_between
from toolcart.agent.outlets.redelivery import Redelivery

CPYTHON_ONLY = True  # no board has a file to write lines into

BATCH = 32  # lines that become durable together
LOOK_MOST = 50000  # lines that are looked at: those of two full files
RETRY_LEAST_MS = 1000
RETRY_MOST_MS = 60000

CLOSED = 0
LOOKING = 1  # for the newest line that tells a record of the log
WRITING = 2
STATE_NAMES = ("cannot be used", "looking where to go on", "open")


class Rewritten(Redelivery):
    """What a file lacks that it had, or that another one had in its place; of `given` each is a line."""

    def __init__(self, log, cursor):
        Redelivery.__init__(self, log, cursor)
        self.newest = b""  # line of the file


class FileOutlet(Outlet):
    """One file of one station."""

    kind = "file"
    port = None
    longest_ms = RETRY_MOST_MS

    def __init__(self, log, index, lines, counters):
        self.log = log
        self.index = index
        self.lines = lines
        self.counters = counters
        self.cursor = log.cursors[index]
        self.state = CLOSED
        self.attempts = 0
        self.written = 0  # lines since the start
        self.rewritten = Rewritten(log, self.cursor)
        self._scout = Cursor()
        self._scout.wants = self.cursor.wants
        self._lines = iter(())  # of the file, the newest first, while it is looked through
        self._line = None  # of these: to be looked at next
        self._looked = 0  # how many were
        self._hold = Timer()
        self._retry = Backoff(RETRY_LEAST_MS, RETRY_MOST_MS)
        self._stopping = False
        self._graphs = None
        self._begun = False  # a batch was begun; if its step broke off, the file shows how much of it was written
        self._is_lost = False  # the log's next record cannot be read now
        self._refusal = None  # why it could not be used, and what helps, until it takes lines again

    def take_graphs(self, graphs):
        """Write the curves of this log as well."""
        from toolcart.agent.linux.curve_assembly import GraphLines  # hardly any station has one

        self._graphs = GraphLines(graphs, self.index)

    def begin(self, now):
        """Open the file at the next step: the log is mounted."""
        self._hold.start(now, 0)

    def stop(self):
        """Close the file and make the cursors durable."""
        self._stopping = True
        self.lines.close()
        self.state = CLOSED
        for cursor in (self.cursor,) if self._graphs is None else (self._graphs.cursor, self.cursor):
            if not self.log.state.save_cursor(cursor):
                self.counters.count(counter.NOT_SAVED)

    def reset_after_fault(self, now):
        """Open the file again, after a fault."""
        self.counters.note(counter.FAULTS, 2, now)
        self._fail(now)

    def is_up(self):
        """True if the file takes lines."""
        return self.state != CLOSED and self._refusal is None

    def put_state(self, report):
        report["state"] = STATE_NAMES[self.state if self._refusal is None else CLOSED]
        report["place"] = self.lines.path
        report["lines_written"] = self.written
        report["given_again"] = self.rewritten.given
        report["why"], report["cure"] = self._refusal or ("", "")
        if self._graphs is not None:
            report["graph_pieces_waiting"] = self._graphs.log.backlog_of(self._graphs.cursor)

    def step(self, now):
        """Write a batch; return the ms until there may be more."""
        if self._stopping:
            return FOREVER
        if self._begun:
            self.lines.close()
            self._open(now)
            return 0
        if self.state == CLOSED:
            if not self._hold.expired(now):
                return self._hold.left(now)
            self._open(now)
            return 0 if self.state != CLOSED else self._hold.left(now)
        if not self._is_certain():
            self._refusal = None  # it is the spool that keeps it from writing now
            return RETRY_LEAST_MS
        if self.state == LOOKING:
            return self._look(now)
        if self._graphs is not None and self._graphs.looking:
            self._graphs.look(BATCH)
            return 0
        return self._write(now)

    # -- steps -------------------------------------------------------------------------------------------------

    def _open(self, now):
        self.attempts += 1
        self._begun = False
        if self.lines.open():
            if self._graphs is not None:
                self._graphs.begin(next((line for line in self.lines.backwards() if is_graph_line(line)), b""))
            self._lines = self.lines.backwards()
            self._line = None
            self.rewritten.newest = b""
            self._looked = 0
            self.state = LOOKING
        else:
            self._fail(now)

    def _fail(self, now):
        """Close the file and find out later how much of the batch it has; return the ms until then."""
        self._begun = False
        self.lines.close()
        self.state = CLOSED
        self._refusal = self.lines.why, self.lines.cure
        self.counters.note(counter.OUTLET_FAILED, self.index, now)
        self._hold.start(now, self._retry.next())
        return self._hold.left(now)

    def _is_certain(self):
        """True if the log can be relied on: its state is durable. What it has in doubt is settled if there is room."""
        if not self.log.state.ensure_reliable():
            return False
        self.log.settle()
        if self._graphs is not None and not self._graphs.log.settle():
            self.counters.count(counter.NOT_SAVED)  # curves wait, results do not
        return True

    def _next(self):
        """Return the line of the scout's next record; None if there is none."""
        log = self.log
        kind = log.peek(self._scout)
        self._is_lost = kind < RECORD_NONE
        if kind <= RECORD_NONE:
            return None
        return line_of(log.page, log.at, kind, log.flags, log.length)

    def _look(self, now):
        """Look through the file for its newest line that tells a record of the log, a batch at a time."""
        for _ in range(BATCH):
            if self._line is None:
                self._line = next(self._lines, None)
                self._looked += 1
            line = self._line
            if line is None or self._looked > LOOK_MOST:
                self._go_on_without()
                return 0
            if not line:
                return self._fail(now)
            if not is_graph_line(line):
                self.rewritten.newest = self.rewritten.newest or line
                is_named = self._is_named_by(line)
                if self._is_lost:
                    return RETRY_LEAST_MS
                if is_named:
                    self._scout.advance()
                    self.rewritten.put_first(self._scout.number)
                    self._go_on_at_scout()
                    return 0
            self._line = None
        return 0

    def _is_named_by(self, line):
        """True if the log has the record of this line: the scout has found it."""
        scout, before = self._scout, number_in(line) - 1
        self._is_lost = False
        if before < 0 or (not self.lines.is_begun and before < self.cursor.number):
            return False
        log = self.log
        log.seek(scout, before)
        if scout.number != before:
            return False
        visible = log.visible
        log.visible = log.number  # a line may tell the record that is in doubt, which is not written again then
        found = self._next()
        log.visible = visible
        return found is not None and scout.found == before + 1 and is_same_record(found, line)

    def _go_on_without(self):
        """Go on where no line tells a record: at the oldest one, if the file lacks what was written."""
        scout, again, newest = self._scout, self.rewritten, self.rewritten.newest
        if newest and self.lines.is_begun:
            self.log.seek(scout, 0)
            oldest = self._next()
            is_own = oldest is None or station_in(oldest) == station_in(newest)
            number = number_in(newest) if is_own else 0
            if number <= scout.number:
                again.put_first(number)
            had = self.log.state.confirmed(self.cursor)
            if scout.number < had:
                again.lose(min(number, scout.number), had)
            elif number < had:
                again.put_lost(number, had)
            self._save()
        self._end_look()

    def _go_on_at_scout(self):
        """Go on writing where the scout is: the file has what is in front of that."""
        cursor, state = self.cursor, self.log.state
        before, had = cursor.number, state.confirmed(cursor)
        count_between(self.log, before, self._scout.number)
        cursor.stand_at(self._scout)
        state.put_confirmed(cursor)
        if cursor.number < before:
            self.rewritten.lose(cursor.number, had)
            self._save()
        self._end_look()

    def _save(self):
        """Make durable where the cursor is, and what the file lacks for good."""
        if not self.rewritten.save():
            self.counters.count(counter.NOT_SAVED)

    def _end_look(self):
        self._lines = iter(())
        self.state = WRITING

    def _write(self, now):
        scout = self._scout
        scout.stand_at(self.cursor)
        graphs = self._graphs
        if graphs is not None:
            graphs.restart()
        line = None
        count = again = 0
        self._is_lost = False
        for _ in range(BATCH):
            curve = None if graphs is None else graphs.next(scout.number, self.log.number)
            line = self._next() if curve is None else curve
            if line is None:
                break
            self._begun = True
            if not self.lines.add(line):
                return self._fail(now)
            count += 1
            if curve is None or graphs is None:
                scout.advance()
                again += scout.number <= self.rewritten.up_to
            else:
                graphs.advance()
        if count and not self.lines.sync():
            return self._fail(now)
        self.cursor.stand_at(scout)
        if graphs is not None:
            graphs.settle()
        self._begun = False
        self._refusal = None
        self.written += count
        self.rewritten.given += again
        if count:
            self.log.state.put_confirmed(self.cursor)
            self._retry.reset()
        if self._is_lost:
            return RETRY_LEAST_MS
        if line is None:
            return RETRY_LEAST_MS if self.log.doubtful else FOREVER
        return 0
