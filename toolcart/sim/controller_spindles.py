"""A connection to a controller with several spindles: results by MID 0101, or by MID 0106 and 0107.

Rules
1. A subscription from revision 2 on names the data number to rewind to: later results follow, or everything kept if
   there is no such result; from revision 3 on only new ones, if that is asked for (003:7758-7786, 8203-8225).
   Revision 1 has no data: what was not acknowledged is sent ("old result data of the unsent result").
2. One message is out at a time. MID 0108 with Bolt Data 1 is answered with the next MID 0107, if one is left; otherwise
   the result is done (003:9071-9087). Without an acknowledgement it is sent again; finally the connection is closed.
3. A sync ID is the result's ID modulo 65536 (003:7925-7933).
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.sim import result_frames as frames
from toolcart.sim.controller_operations import OperationSession

PORTABLE = True

_NOT_MASTER, _EXISTS, _MISSING = 30, 33, 34  # of 0100 and 0103
_CYCLES_EXIST, _CYCLES_MISSING = 71, 72  # of 0105 and 0109


class SpindleSession(OperationSession):
    """See the module; made by Controller.endpoint() where the options name revisions of MID 0101 or 0106."""

    def __init__(self, controller):
        super().__init__(controller)
        self.cycle_revision = 0  # 0: no subscription
        self.cycle_mid = 0
        self._queue = []  # results, oldest first
        self._part = 0  # which message of the first one is out, 0: none
        self._again = []  # (due, result)

    def offer(self, result):
        if self.cycle_revision and self.alive:
            self._queue.append(result)
            for turn in range(self.options.repeat):
                due = ticks_add(self.controller.clock.now, (turn + 1) * self.options.repeat_every_ms)
                self._again.append((due, result))
        else:
            super().offer(result)

    def _answer(self, mid, revision, text, now):
        if mid == 100 or mid == 105:
            self._subscribe_cycles(mid, revision, text)
        elif mid == 103 or mid == 109:
            self._unsubscribe_cycles(mid)
        elif mid == 102 or mid == 108:
            self._cycle_acknowledged(mid, text, now)
        else:
            if mid == 3:
                self._leave_cycles()
            super()._answer(mid, revision, text, now)

    def _leave_cycles(self):
        self.cycle_revision = 0
        self._part = 0
        self._queue = []
        self._again = []

    def _subscribe_cycles(self, mid, revision, text):
        options = self.options
        revisions = options.cycles if mid == 105 else options.sync
        if not revisions:
            self.refuse(mid, _NOT_MASTER if mid == 100 and options.cycles else 99)
        elif revision not in revisions:
            self.refuse(mid, 97)
        elif self.cycle_revision:
            self.refuse(mid, _EXISTS if mid == 100 else _CYCLES_EXIST)
        elif len(text) != (0, 10, 11)[min(revision, 3) - 1] or (text and not text.isdigit()):
            self.complain("%04d: %s" % (mid, text))
        else:
            self.cycle_revision = revision
            self.cycle_mid = mid
            self.accept(mid)
            self._queue = self._rewound(revision, text)

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

    def _unsubscribe_cycles(self, mid):
        if not self.cycle_revision:
            self.refuse(mid, _MISSING if mid == 103 else _CYCLES_MISSING)
            return
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
                self._queue.insert(1 if self._part else 0, result)
        if self._queue and not self._part and self.alive and not self.wants_close:
            self._part = 1
            self._send_part(now)
            self._sends = 1

    def _send_part(self, now):
        self._sent_at = now
        result = self._queue[0]
        revision = self.cycle_revision
        count = self.options.spindles
        if self.cycle_mid == 100:
            self.say(101, revision, frames.sync_data(result, revision, count))
        elif self._part == 1:
            self.say(106, revision, frames.station_data(result, revision, count))
        else:
            self.say(107, revision, frames.bolt_data(result, revision, self._part - 1, count))

    def _cycle_acknowledged(self, mid, text, now):
        if not self._part or mid != (102 if self.cycle_mid == 100 else 108):
            self.complain("%04d without an outstanding result" % mid)
            return
        if mid == 108 and text not in (b"0", b"1"):
            self.complain("0108: %s" % text)
            return
        if mid == 108 and text == b"1" and self._part <= self.options.spindles:
            self._part += 1
            self._send_part(now)
            self._sends = 1
            return
        self._part = 0
        self.controller.note_acknowledged(self._queue.pop(0).tightening_id)
        self._push(now)

    def _watch_acknowledges(self, now):
        if not self.cycle_revision:
            return super()._watch_acknowledges(now)
        wait = FOREVER
        for due, _ in self._again:
            wait = min(wait, max(0, ticks_diff(due, now)))
        if not self._part:
            return wait
        left = ticks_diff(ticks_add(self._sent_at, self.options.ack_timeout_ms), now)
        if left > 0:
            return min(wait, left)
        if self._sends > self.options.resends:
            self.close("controller: a result was not acknowledged")
            return FOREVER
        self._sends += 1
        self._send_part(now)
        return min(wait, self.options.ack_timeout_ms)
