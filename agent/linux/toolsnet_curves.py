"""Curves to ToolsNet: telegram 13 from the log of curves, each after the telegram 04 of its result.

Rules
1. A curve goes out once its result is delivered, with that result's sequence and time: nothing else links them
   (TN 5.13). One whose result is not known or is quarantined, or of a kind that ToolsNet does not take, is passed and
   counted.
2. Nothing waits for curves: all waiting results go first, and the log of curves gives up its oldest when it needs room.
3. The cursor is made durable after each curve, so that none is sent again after a restart.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.linux import telegram13 as graph13
from toolcart.agent.linux.curve_assembly import Curves
from toolcart.agent.linux.toolsnet_source import PAUSE_MS, ToolsNetSource
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.recount import walk
from toolcart.agent.record import graph as gr
from toolcart.agent.toolsnet.telegram import sequence_at

CPYTHON_ONLY = True  # only curves name results that are done with


TOOLSNET = 0  # its cursor
RETRY_MS = 1000  # until what a start has left in doubt is tried again


class ToolsNetCurves(ToolsNetSource):
    """The curves in `graphs`, for one way to ToolsNet."""

    gives_way = True

    def __init__(self, log, quarantine, graphs):
        ToolsNetSource.__init__(self)
        self.log = log
        self.quarantine = quarantine
        self.graphs = graphs
        self.curves = Curves(graphs, TOOLSNET)
        self.unlinked = self.others = 0
        self._lead = None  # of the next curve, once it is read
        self._data = b""
        self._number = 0  # of its first piece
        self._unsaved = False
        self._scout = Cursor()  # among the results, where the sequence of the last one was found

    def join(self, forward):
        ToolsNetSource.join(self, forward)
        self.policy = forward.policy
        self._scout.wants = self.policy.cursor.wants
        self.session = forward.session

    def put_state(self, report):
        report["graphs_sent"] = self.sent
        report["graphs_passed"] = self.passed
        report["graphs_without_result"] = self.unlinked
        report["graphs_of_other_kinds"] = self.others
        report["graph_pieces_waiting"] = self.graphs.backlog_of(self.curves.cursor)

    def waits(self):
        """True if a curve may go out, or the cursor is still to be made durable."""
        if self._lead is not None:
            return self._is_done(get_u32(self._lead, gr.RESULT)) or self._unsaved
        return self._unsaved or self.graphs.backlog_of(self.curves.cursor) > 0

    def send(self, now):
        self._save()
        self.busy = False
        if self.is_pausing(now) or not self._read(now):
            return 0
        lead = self._lead
        result = get_u32(lead, gr.RESULT)
        if not self._is_done(result):
            return 0
        sequence = self._sequence_of(result)
        if sequence < 0:
            self.pause.start(now, PAUSE_MS)
            return 0
        if not sequence:
            self.go_past()
            self.busy = True
            return 0
        session = self.session
        self.is_out = True
        self.tx = graph13.write(lead, self._data, session.ident, session.place[0], session.place[1], sequence)
        return len(self.tx)

    def _is_done(self, result):
        """True if the result is delivered or passed, or will never come."""
        return result <= self.policy.cursor.number or result > self.log.number

    def _read(self, now):
        """Read the next curve into memory; True if there is one."""
        if self._lead is None:
            if self.graphs.doubtful and not (self.forward.may_write() and self.graphs.settle()):
                self.pause.start(now, RETRY_MS)
                return False
            self.curves.restart()
            lead, data, _whole = self.curves.read()
            if lead is None:
                self.curves.settle()  # pieces of no use
                return False
            self._lead, self._data, self._number = lead, data, get_u32(lead, 0)
            self.begin_next()
        return True

    def _sequence_of(self, result):
        """Return the sequence under which ToolsNet has the result of the curve in memory; 0 if it cannot take it.

        -1 if that cannot be told now.
        """
        lead = self._lead or b""
        if lead[gr.WHAT] not in graph13.KINDS or len(self._data) < 2:
            self.others += 1
            return 0
        if not 0 < result <= self.log.number or self.quarantine.has(result):
            self.unlinked += 1
            return 0
        return self._sequence_at(result)

    def _sequence_at(self, number):
        """Return the sequence under which ToolsNet has the log's `number`, usually above the one asked for before."""
        policy, log, scout = self.policy, self.log, self._scout
        if not 0 < scout.number < number:
            cursor = policy.cursor
            log.seek(scout, number - 1)
            first = scout.number
            if log.peek(cursor) < RECORD_NONE or walk(log, scout, cursor.number) < 0:
                scout.number = 0
                return -1
            log.seek(scout, first, cursor.sequence_lag + policy.reoffer.used - scout.sequence_lag)
        if walk(log, scout, number - 1) < 0:
            return -1
        return sequence_at(number - scout.sequence_lag + policy.reoffer.used_before(number))

    def go_past(self):
        """Be done with the curve in memory; the log may have moved its cursor meanwhile."""
        self._lead = None
        cursor = self.curves.cursor
        if cursor.number <= self._number:
            self.curves.advance()
            self.curves.settle()
            self._unsaved = True

    def _save(self):
        if self._unsaved and self.forward.may_write():
            self._unsaved = not self.log.state.save_cursor(self.curves.cursor)

    def silent(self, now):
        """It may be stored or not: send it again, or pass it."""
        was_out = self.is_out
        ToolsNetSource.silent(self, now)
        if was_out and self.has_had_enough():
            self.give_up()

    def resume(self, now):
        """The 08 names no curves, but may have moved the row of their results; True: no other 08 is needed."""
        self._scout.number = 0
        return True
