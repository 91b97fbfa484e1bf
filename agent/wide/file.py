"""A file as an outlet: every result, event and unread frame as one line of JSON (docs/outlets.md).

The board's `lines` is the file: it writes whole lines or none, makes them durable, and begins a new file when one is
full (board.linux_lines). What is told here and there in numbers of lines:

    open() -> bool       use the file; what a cut has left of a half line is gone then
    last                 the last line in it, empty if there is none
    last_of(is_one)      the last one of which is_one(line) is true, empty if there is none
    add(line) -> bool    write it behind the others; what is not whole is taken back
    sync() -> bool       make all of it durable, in the file that has the name
    close(); why         why it could not be used, in words

Rules
1. The cursor goes past a batch when the file has it durably, never before.
2. The log's cursor may be behind the file: after a cut, or after a failure behind which nobody knows what is there.
   The file's last line tells: records up to the one that gives this very line are there. So each is written once.
3. What was moved on in the log (FLAG_ASIDE) is a record that the file has already: it is passed over.
4. Where graphs are wanted their lines stand behind those of their results (agent.wide.graphs).
5. A file that cannot be used is tried again after 1, 2, 4 .. 60 s, for ever; that is counted and shown. Nobody waits.
"""

from agent import health as h
from agent.base.ticks import FOREVER, Timer
from agent.wide.line import is_graph_line, is_other_line, line_of, number_in
from agent.record import KIND_EVENT
from agent.record.result import FLAG_ASIDE
from agent.spool.cursors import Cursor
from agent.spool.record import HEAD_BYTES, RECORD_NONE

CPYTHON_ONLY = True  # no board has a file to write lines into
BATCH = 32  # lines that become durable together
RETRY_LEAST_MS = 1000
RETRY_MOST_MS = 60000

CLOSED = 0
LOOKING = 1  # for the record that the last line was made of
WRITING = 2
STATE_NAMES = ("cannot be used", "looking where to go on", "writing")


class FileOutlet:
    """One file of one station."""

    kind = "file"
    port = None
    longest_ms = RETRY_MOST_MS

    def __init__(self, ring, index, lines, health):
        self.ring = ring
        self.index = index
        self.lines = lines
        self.health = health
        self.cursor = ring.cursors[index]
        self.state = CLOSED
        self.attempts = 0
        self.written = 0  # lines since the start
        self._scout = Cursor()
        self._last = b""
        self._hold = Timer()
        self._retry_ms = RETRY_LEAST_MS
        self._stopping = False
        self._graphs = None
        self._begun = False  # a batch was; where its step was broken off, the file tells what it has of it

    def take_graphs(self, ring):
        """Write what lies in this ring as well."""
        from agent.wide.graphs import GraphLines  # hardly any station has one

        self._graphs = GraphLines(ring, self.index)

    def begin(self, now):
        """The log is mounted."""
        self._hold.start(now, 0)

    def stop(self):
        """Close, and let the log say how far the file is."""
        self._stopping = True
        self.lines.close()
        self.state = CLOSED
        if self._graphs is not None and not self._graphs.save():
            self.health.count(h.NOT_SAVED)
        if self.cursor.number == self.cursor.saved_number or not self.ring.has_spare():
            return
        if self.ring.save_cursors(self.ring.cursors[0].limit) < 0:
            self.health.count(h.NOT_SAVED)

    def recover(self, now):
        """After a fault: open the file anew."""
        self.health.note(h.FAULTS, 2, now)
        self._fail(now)

    def hurry(self, now):
        """Nothing that comes with the network: the file has its own pauses."""

    def is_up(self):
        """Tell whether the file takes lines."""
        return self.state != CLOSED

    def put_state(self, shown):
        """Add what people want to know."""
        shown["state"] = STATE_NAMES[self.state]
        shown["path"] = self.lines.path
        shown["lines_written"] = self.written
        shown["why"] = self.lines.why if self.state == CLOSED else ""
        if self._graphs is not None:
            shown["graph_pieces_waiting"] = self._graphs.ring.backlog(self.index)

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
        if self.ring.peek(self.index) < RECORD_NONE:
            return RETRY_LEAST_MS  # the flash cannot be read now
        self._scout.wants = self.cursor.wants
        if self.state == LOOKING:
            return self._look()
        if self._graphs is not None and self._graphs.looking:
            self._graphs.look(BATCH)
            return 0
        left = self._write(now)
        suspect = self.ring.suspect or (self._graphs is not None and self._graphs.ring.suspect)
        return RETRY_LEAST_MS if left == FOREVER and suspect else left  # the last record comes later

    # -- steps -------------------------------------------------------------------------------------------------

    def _open(self, now):
        self.attempts += 1
        self._begun = False
        if self.lines.open():
            self._last = self.lines.last
            if self._graphs is not None or is_graph_line(self._last):
                self._find_lasts()
            self._scout.stand_at(self.cursor)
            self.state = LOOKING if self._last else WRITING
        else:
            self._fail(now)

    def _find_lasts(self):
        """Results and curves have a last line of their own each."""
        self._last = self.lines.last_of(is_other_line)
        if self._graphs is not None:
            self._graphs.begin(self.lines.last_of(is_graph_line))

    def _fail(self, now):
        """Let go of the file and try again later: what of the batch it holds is found out then."""
        self._begun = False
        self.lines.close()
        self.state = CLOSED
        self.health.note(h.OUTLET_FAILED, self.index, now)
        self._hold.start(now, self._retry_ms)
        self._retry_ms = self._retry_ms * 2 if self._retry_ms * 2 < RETRY_MOST_MS else RETRY_MOST_MS

    def _next(self):
        """Find the scout's next record: its line, None if there is none, empty for one that the file has already."""
        ring = self.ring
        kind = ring.peek_from(self._scout)
        if kind <= RECORD_NONE:
            return None
        walk = ring.walk
        if kind != KIND_EVENT and walk.flags & FLAG_ASIDE:
            return b""
        return line_of(walk.page, HEAD_BYTES, kind, walk.flags, walk.length)

    def _look(self):
        """Look for the record of which the last line was made, a batch at a time."""
        number = number_in(self._last)
        scout = self._scout
        if scout.seq < self.cursor.seq:  # it was moved on meanwhile
            scout.stand_at(self.cursor)
        for _ in range(BATCH):
            line = self._next()
            # It can be no further ahead than its number says, whatever kind it is of.
            if line is None or (scout.peek_number > number and scout.peek_event > number):
                self.state = WRITING
                return 0
            scout.advance()
            if line == self._last:
                self.cursor.stand_at(scout)
                self.state = WRITING
                return 0
        return 0

    def _write(self, now):
        scout = self._scout
        scout.stand_at(self.cursor)
        lines = self.lines
        line = None
        count = 0
        graphs = self._graphs
        if graphs is not None:
            graphs.restart()
        for _ in range(BATCH):
            curve = None if graphs is None else graphs.next(scout.number, self.ring.number)
            line = self._next() if curve is None else curve
            if line is None:
                break
            self._begun = True
            if line and not lines.add(line):
                self._fail(now)
                return self._hold.left(now)
            count += len(line) != 0
            if curve is None or graphs is None:
                scout.advance()
            else:
                graphs.advance()
        if count and not lines.sync():
            self._fail(now)
            return self._hold.left(now)
        self.cursor.stand_at(scout)
        if graphs is not None:
            graphs.settle()
        self._begun = False
        self.written += count
        if count:
            self._retry_ms = RETRY_LEAST_MS
        return FOREVER if line is None else 0
