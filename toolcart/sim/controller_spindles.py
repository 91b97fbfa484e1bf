"""A connection to a controller without MID 0060: to one with several spindles, or one that pushes MID 1201.

Results of spindles come by MID 0101, or by MID 0106 and 0107; those of an operation by MID 0008 for 1201, old ones by
MID 0006.

Rules of spindles
1. A subscription from revision 2 on names the data number to rewind to: later results follow, or everything kept if
   there is no such result; from revision 3 on only new ones, if that is asked for (OP 5.12.6 p. 172-173, 5.13.1 p.
   181). Revision 1 has no data: what was not acknowledged is sent ("old result data of the unsent result").
2. One message is out at a time. MID 0108 with Bolt Data 1 is answered with the next MID 0107, if one is left; otherwise
   the result is done (OP 5.13.4 p. 195). Without an acknowledgement it is sent again; finally the connection is closed.
3. A sync ID is the result's ID modulo 65536 (OP 5.12.7 p. 175).

Rules of an operation
1. A MT Focus 6000 sends a result once and expects no acknowledgement (MT notes on MID 0008); what comes is counted
   for the oldest part without one. With `waits_for_1203` each part waits for its own (OP 5.9 p. 153) and is sent again
   without one; the third time the connection is closed.
2. In the data of MID 0008 all but MID, revision and length must be zeros, the last digit 0 or 1 (OP 5.9.1.1 p. 154).
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.base.octets import digits_only
from toolcart.sim import operation_frames as frames
from toolcart.sim import spindle_frames
from toolcart.sim.controller_session import ControllerSession, rows
from toolcart.sim.pending_acknowledgement import PendingAcknowledgement
from toolcart.sim.spindle_frames import spindles_of

PORTABLE = True

_UNWAITED_MOST = 100


class OperationSession(ControllerSession):
    """See the module; made by Controller.endpoint() where the options name revisions of MID 1201."""

    ANSWERS = rows(
        ControllerSession.ANSWERS,
        {
            (6, 1201): "_push_old",
            (8, 1201): "_subscribe_operations",
            (9, 1201): "_unsubscribe_operations",
            1203: "_take_part_acknowledgement",
        },
    )

    def __init__(self, controller):
        super().__init__(controller)
        self.operation_revision = 0  # 0: no subscription
        self._sent = None  # the PendingAcknowledgement of what is out
        self._unwaited = []  # parts that need no 1203 and have none yet, oldest first

    def offer(self, result):
        if self.operation_revision and self.alive:
            self.unsent += self._parts(result, self.operation_revision, 8)
        if self.tracing is not None and self.alive:
            self.tracing.offer(result)

    def _stop(self, mid, revision, text, now):
        self.operation_revision = 0
        self._unwaited = []
        super()._stop(mid, revision, text, now)

    def _queue(self, result):
        """Such a controller has no MID 0061, though an option may let 0060 be accepted."""

    def _named(self, mid):
        return 1201 if self.options.names_subscribed else mid

    def _unsubscribe_operations(self, mid, revision, text, now):
        if self.parse_request(mid, text) is not None:
            if not self.rejects(self._named(9), (not self.operation_revision, 72)):
                self.accept(self._named(9))
            self.operation_revision = 0
            self.unsent = []
            self._unwaited = []

    def _subscribe_operations(self, mid, revision, text, now):
        request = self.parse_request(mid, text)
        if request is None:
            return
        _, revision, extra = request
        if extra[:30] != b"0" * 30 or extra[30:] not in (b"0", b"1"):
            self.complain("0008: " + str(text))
        is_unknown = revision not in self.options.operations
        if not self.rejects(self._named(8), (self.operation_revision, 71), (is_unknown, 76)):
            self.operation_revision = revision
            self.accept(self._named(8))
            if self.options.push_last_result and self.controller.latest() is not None:
                self.offer(self.controller.latest())

    def _push_old(self, mid, revision, text, now):
        """Answer MID 0006 for 1201: index of 10 digits, 0 for the newest."""
        controller = self.controller
        if self.rejects(self._named(6), (not self.options.operation_history, 75)):
            return
        request = self.parse_request(6, text)
        if request is None:
            return
        _, revision, index = request
        if len(index) != 10 or not digits_only(index):
            self.complain("0006: " + str(text))
            return
        number = int(index)
        result = controller.result(number) if number else controller.latest()
        is_unknown = revision not in self.options.operations
        is_gone = (result is None, self.options.history_refusal_code)
        if not self.rejects(self._named(6), (is_unknown, 76), is_gone):
            controller.note_fetched(result.tightening_id, number != 0)
            for part in self._parts(result, revision, 6):
                self.say(*part[:3])

    def _parts(self, result, revision, asked_with):
        options = self.options
        objects = spindles_of(result, options.objects)
        idents = frames.object_ids(options.objects)
        listed = [(ident, one.status, 2, 0) for ident, one in zip(idents, objects)]  # noqa: B905 - no strict there
        total = 1 + len(objects)
        object_revision = 1 if revision == 1 else 2
        parts = [(1201, revision, frames.overall_data(result, revision, total, asked_with, (), listed), None)]
        for index in range(len(objects)):
            if options.own_fields:
                fields = frames.own_fields(result, options.torque_unit)
            else:
                fields = frames.standard_fields(result, objects[index])
            data = frames.object_data(result, object_revision, fields, total, index + 2, idents[index])
            parts.append((1202, object_revision, data, result.tightening_id if index + 2 == total else None))
        return parts

    # Results

    def _push(self, now):
        while self.unsent and self.alive and not self.wants_close and not self.owed:
            part = self.unsent.pop(0)
            if self.options.waits_for_1203:
                self.owed.append(part)
            else:
                self._unwaited = self._unwaited[1 - _UNWAITED_MOST :] + [part]
            self._sent = PendingAcknowledgement(self, "1201", self._say_part, part, now)

    def _say_part(self, part):
        self.say(*part[:3])

    def _take_part_acknowledgement(self, mid, revision, text, now):
        sent = self.owed if self.options.waits_for_1203 else self._unwaited
        if not sent:
            if self.options.waits_for_1203:
                self.complain("1203 without an outstanding part")
            return
        part = sent.pop(0)
        if part[3] is not None:
            self.controller.note_acknowledged(part[3])
        self._push(now)

    def _watch_acknowledges(self, now):
        return self._sent.watch(now) if self.owed else FOREVER


_NOT_MASTER, _EXISTS, _MISSING = 30, 33, 34  # of 0100 and 0103
_CYCLES_EXIST, _CYCLES_MISSING = 71, 72  # of 0105 and 0109


class SpindleSession(OperationSession):
    """See the module; made by Controller.endpoint() where the options name revisions of MID 0101 or 0106."""

    ANSWERS = rows(
        OperationSession.ANSWERS,
        {
            100: "_subscribe_cycles",
            102: "_take_cycle_acknowledgement",
            103: "_unsubscribe_cycles",
            105: "_subscribe_cycles",
            108: "_take_cycle_acknowledgement",
            109: "_unsubscribe_cycles",
        },
    )

    def __init__(self, controller):
        super().__init__(controller)
        self.cycle_revision = 0  # 0: no subscription
        self.cycle_mid = 0
        self._results = []  # results, oldest first
        self._part = 0  # which message of the first one is out, 0: none
        self._again = []  # (due, result)

    def offer(self, result):
        if self.cycle_revision and self.alive:
            self._results.append(result)
            for turn in range(self.options.repeat):
                due = ticks_add(self.controller.clock.now, (turn + 1) * self.options.repeat_every_ms)
                self._again.append((due, result))
        else:
            super().offer(result)

    def _stop(self, mid, revision, text, now):
        self._leave_cycles()
        super()._stop(mid, revision, text, now)

    def _leave_cycles(self):
        self.cycle_revision = 0
        self._part = 0
        self._results = []
        self._again = []

    def _subscribe_cycles(self, mid, revision, text, now):
        options = self.options
        revisions = options.cycles if mid == 105 else options.sync
        if self.rejects(
            mid,
            (not revisions, _NOT_MASTER if mid == 100 and options.cycles else 99),
            (revision not in revisions, 97),
            (self.cycle_revision, _EXISTS if mid == 100 else _CYCLES_EXIST),
        ):
            return
        if len(text) != (0, 10, 11)[min(revision, 3) - 1] or (text and not text.isdigit()):
            self.complain("%04d: %s" % (mid, text))
        else:
            self.cycle_revision = revision
            self.cycle_mid = mid
            self.accept(mid)
            self._results = self._rewound(revision, text)

    def _rewound(self, revision, text):
        """Return what the subscription begins with (rule 1)."""
        controller = self.controller
        kept = controller.kept_ids()
        if revision == 1:
            last = controller.acknowledged[-1] if controller.acknowledged else None
            kept = kept[kept.index(last) + 1 :] if last in kept else kept if last is not None else []
        elif text[10:] == b"1":
            kept = []
        elif int(text[:10]) in kept:
            kept = kept[kept.index(int(text[:10])) + 1 :]
        return [one for one in [controller.result(number) for number in kept] if one.station_number == 1]

    def _unsubscribe_cycles(self, mid, revision, text, now):
        if not self.rejects(mid, (not self.cycle_revision, _MISSING if mid == 103 else _CYCLES_MISSING)):
            self._leave_cycles()
            self.accept(mid)

    # Results

    def _push(self, now):
        if not self.cycle_revision:
            super()._push(now)
            return
        for due, result in list(self._again):
            if ticks_diff(due, now) <= 0:
                self._again.remove((due, result))
                self._results.insert(1 if self._part else 0, result)
        if self._results and not self._part and self.alive and not self.wants_close:
            self._begin_part(1, now)

    def _begin_part(self, number, now):
        self._part = number
        self._sent = PendingAcknowledgement(self, "a result", self._say_result_part, self._results[0], now)

    def _say_result_part(self, result):
        revision = self.cycle_revision
        count = self.options.spindles
        if self.cycle_mid == 100:
            self.say(101, revision, spindle_frames.sync_data(result, revision, count))
        elif self._part == 1:
            self.say(106, revision, spindle_frames.station_data(result, revision, count))
        else:
            self.say(107, revision, spindle_frames.bolt_data(result, revision, self._part - 1, count))

    def _take_cycle_acknowledgement(self, mid, revision, text, now):
        if not self._part or mid != (102 if self.cycle_mid == 100 else 108):
            self.complain("%04d without an outstanding result" % mid)
            return
        if mid == 108 and text not in (b"0", b"1"):
            self.complain("0108: %s" % text)
            return
        if mid == 108 and text == b"1" and self._part <= self.options.spindles:
            self._begin_part(self._part + 1, now)
            return
        self._part = 0
        self.controller.note_acknowledged(self._results.pop(0).tightening_id)
        self._push(now)

    def _watch_acknowledges(self, now):
        if not self.cycle_revision:
            return super()._watch_acknowledges(now)
        waits = [FOREVER] + [max(0, ticks_diff(due, now)) for due, _ in self._again]
        if self._part:
            waits.append(self._sent.watch(now))
        return min(waits)
