"""A connection to a controller without MID 0060: results by MID 0008 for 1201, old ones by MID 0006.

Rules
1. A MT Focus 6000 sends a result once and expects no acknowledgement (002:316-327); with `waits_for_1203` each part
   waits for its own (003:7022-7040) and is sent again without one; the third time the connection is closed.
2. In the data of MID 0008 all but MID, revision and length must be zeros, the last digit 0 or 1 (003:7051-7104).
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.sim import result_frames as frames
from toolcart.sim.controller_session import ControllerSession
from toolcart.sim.result_frames import spindles_of

PORTABLE = True


class OperationSession(ControllerSession):
    """See the module; made by Controller.endpoint() where the options name revisions of MID 1201."""

    def __init__(self, controller):
        super().__init__(controller)
        self.operation_revision = 0  # 0: no subscription
        self._sent_at = 0
        self._sends = 0

    def offer(self, result):
        if self.operation_revision and self.alive:
            self.unsent += self._parts(result, self.operation_revision, 8)
        if self.tracing is not None and self.alive:
            self.tracing.offer(result)

    def _answer(self, mid, revision, text, now):
        if (mid == 8 or mid == 9) and text[:4] == b"1201":
            self._subscribe_operations(mid, text)
        elif mid == 6 and text[:4] == b"1201":
            self._tell_old(text)
        elif mid == 1203:
            self._part_acknowledged(now)
        else:
            if mid == 3:
                self.operation_revision = 0
            super()._answer(mid, revision, text, now)

    def _named(self, mid):
        return 1201 if self.options.names_subscribed else mid

    def _subscribe_operations(self, mid, text):
        if not text[4:9].isdigit() or int(text[7:9]) != len(text) - 9:
            self.complain("%04d: %s" % (mid, text))
            return
        revision = int(text[4:7])
        if mid == 9:
            known = self.operation_revision
            self.operation_revision = 0
            self.unsent = []
            if known:
                self.accept(self._named(9))
            else:
                self.refuse(self._named(9), 72)
            return
        if text[7:9] != b"31" or text[9:39] != b"0" * 30 or text[39:] not in (b"0", b"1"):
            self.complain("0008: " + str(text))
        if self.operation_revision:
            self.refuse(self._named(8), 71)
        elif revision not in self.options.operations:
            self.refuse(self._named(8), 76)
        else:
            self.operation_revision = revision
            self.accept(self._named(8))
            if self.options.push_last_result and self.controller.latest() is not None:
                self.offer(self.controller.latest())

    def _tell_old(self, text):
        """Answer MID 0006 for 1201: index of 10 digits, 0 for the newest."""
        controller = self.controller
        if not self.options.operation_history:
            self.refuse(self._named(6), 75)
            return
        if text[:4] != b"1201" or text[7:9] != b"10" or len(text) != 19 or not text[9:].isdigit():
            self.complain("0006: " + str(text))
            return
        number = int(text[9:])
        result = controller.result(number) if number else controller.latest()
        revision = int(text[4:7])
        if revision not in self.options.operations:
            self.refuse(self._named(6), 76)
        elif result is None:
            self.refuse(self._named(6), self.options.history_refusal_code)
        else:
            controller.note_fetched(result.tightening_id, number != 0)
            for part in self._parts(result, revision, 6):
                self.say(part[0], part[1], part[2])

    def _parts(self, result, revision, asked_with):
        options = self.options
        objects = spindles_of(result, options.objects)
        idents = [self._ident(one) for one in objects]
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

    def _ident(self, one):
        """Return the object's ID: the plant's choice, but where there is only one object, the first."""
        return 100 + one.number if self.options.objects > 1 else 1

    # Results

    def _push(self, now):
        while self.unsent and self.alive and not self.wants_close and not self.owed:
            part = self.unsent.pop(0)
            if self.options.waits_for_1203:
                self.owed.append(part)
                self._sent_at = now
                self._sends = 1
            self.say(part[0], part[1], part[2])

    def _part_acknowledged(self, now):
        if not self.options.waits_for_1203:
            return
        if not self.owed:
            self.complain("1203 without an outstanding part")
            return
        part = self.owed.pop(0)
        if part[3] is not None:
            self.controller.note_acknowledged(part[3])
        self._push(now)

    def _watch_acknowledges(self, now):
        if not self.owed:
            return FOREVER
        left = ticks_diff(ticks_add(self._sent_at, self.options.ack_timeout_ms), now)
        if left > 0:
            return left
        if self._sends > self.options.resends:
            self.close("controller: 1201 was not acknowledged")
            return FOREVER
        self._sends += 1
        self._sent_at = now
        part = self.owed[0]
        self.say(part[0], part[1], part[2])
        return self.options.ack_timeout_ms
