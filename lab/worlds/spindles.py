"""A connection to a controller with several spindles: MID 0101 of a StepSync, 0106 and 0107 of a PowerMACS, 1201.

Rules
1. MID 0108 with Bolt Data 1 brings the next MID 0107; with 0, or after the last one, the result is acknowledged
   (OP 5.13.4 p. 195). If there is no answer the outstanding message is sent again, not the whole result.
2. A subscription names the data number to begin after; if that is 0 or not held it begins with the oldest, or with
   what is new if it asks for that (OP 5.13.1 p. 181). Only this station's results are pushed.
3. A MT Focus 6000 sends both parts of a result, MID 1201 and 1202, at once and never again; MID 1203 is accepted and
   has no effect (MT notes on MID 0008). It does not learn what the agent has taken over: for the judge that is what it
   had read while nothing was in the way. Its history goes by MID 0006; a rejection names the MID that was sent (MT
   "Special MT Focus 6000 considerations, per mid").
"""

from __future__ import annotations

from typing import ClassVar

from lab.worlds import operation_frames, spindle_frames
from lab.worlds.controller_session import EXISTS, NOT_FOUND, REVISION, UNKNOWN, Session
from lab.worlds.frames import HEADER
from lab.worlds.history import READABLE, Result
from lab.worlds.operation_frames import details, overall

TAKEN_MS = 10000
_PUSHED, _ASKED = 8, 6
_SUBSCRIPTION = 40  # bytes of the data of 0008: MID, revision, length 31, alternative, times and indexes, objects


class GenericSession(Session):
    """A connection on which MID 0008 subscribes to MID 1201."""

    def _subscribe_generic(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        text, traits = content.decode("latin-1"), self.controller.traits
        if text[:4] != "1201":
            self._refuse(mid, UNKNOWN)
        elif len(text) != _SUBSCRIPTION or text[7:9] != "31" or not text[4:].isdigit():
            self._object(mid + content)
        elif self.revision:
            self._refuse(mid, EXISTS)
        elif int(text[4:7]) not in traits["result_revisions"]:
            self._refuse(mid, traits["result_code"])
        else:
            self._accept_generic(int(text[4:7]))

    def _accept_generic(self, revision: int) -> None:
        self._begin(revision, b"0008", [])


class OperationSession(GenericSession):
    """A MT Focus 6000."""

    reject_codes: ClassVar[dict[int, int]] = {79: 98}  # no document says which code means "not there"; 79 may

    def __init__(self, controller, link) -> None:
        super().__init__(controller, link)
        self._by_id_at = -TAKEN_MS - 1  # when the agent last asked for one by its ID

    def _pump(self) -> None:
        """Push each result at once, and never again."""
        while self._queue:
            self._push(self._queue.pop(0))

    def _push(self, result: Result) -> None:
        self._tell(result, self.revision, _PUSHED, lambda: self._was_read(result))

    def _tell(self, result: Result, revision: int, asked_with: int, on_read) -> None:
        behind = 1 if revision == 1 else 2
        self._send(1201, revision, overall(result, revision, asked_with))
        self._send(1202, behind, details(result, behind, asked_with == _PUSHED), on_read)

    def _was_read(self, result: Result) -> None:
        controller, moment = self.controller, self.controller.time.now
        if result.frame == READABLE:
            controller.was_pushed(result)
            if self._by_id_at < moment - TAKEN_MS:
                controller.time.after(TAKEN_MS, lambda: self._still_there(result, moment))

    def _still_there(self, result: Result, moment: int) -> None:
        controller = self.controller
        if controller.session is self and self._by_id_at < moment - TAKEN_MS:
            if controller.plant.sound_since(controller.number) <= moment:
                controller.taken_over(result, moment)

    def _acknowledged_part(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        if content:
            self._object(mid + content)

    def _request(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        """Answer MID 0006 for 1201: ten digits of the index, 0 for the newest."""
        controller = self.controller
        text = content.decode("latin-1")
        if text[:4] != "1201" and text[:9].isdigit():
            # Neither 0067 nor 0902 is known here, though 0067 is in its list (MT "Special MT Focus 6000 considerations,
            # per mid")
            self._refuse(mid, UNKNOWN)
            return
        if len(text) != HEADER - 1 or text[:4] != "1201" or text[7:9] != "10" or not text[4:].isdigit():
            self._object(mid + content)
            return
        wanted, number = int(text[4:7]), int(text[9:])
        result = controller.old(number)
        if number:
            self._by_id_at = controller.time.now
        if not controller.traits["old_revisions"]:
            self._refuse(mid, controller.traits["old_refusal"])
        elif wanted not in controller.traits["result_revisions"]:
            self._refuse(mid, REVISION)
        elif self._is_hindered(mid, result if number else None, number == 0):
            return
        elif result is None:
            self._send(4, 1, b"%s%02d" % (mid, NOT_FOUND), None if number else lambda: controller.was_met(self))
        else:
            self._tell(result, wanted, _ASKED, lambda: self._was_fetched(result, number))


_EXISTS = {b"0100": 33, b"0105": 71}


class SpindleSession(Session):
    """What both have in common."""

    def _subscribe_spindles(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        controller = self.controller
        if revision not in controller.traits["result_revisions"]:
            self._refuse(mid, controller.traits["result_code"])
        elif len(content) != (0, 10, 11)[min(revision, 3) - 1] or (content and not content.isdigit()):
            self._object(mid + content)
        elif self.revision:
            self._refuse(mid, _EXISTS[mid])
        else:
            old = self._old_ones(revision, content)
            self._begin(revision, mid, old, lambda: controller.was_met(self))

    def _old_ones(self, revision: int, content: bytes) -> list[Result]:
        return self.controller.unacknowledged


class SyncSession(SpindleSession):
    """A StepSync."""

    def _push(self, result: Result) -> None:
        self._sent += 1
        self._send(101, self.revision, spindle_frames.sync(result), lambda: self._was_read(result))


class PowerMacsSession(SpindleSession):
    """A PowerMACS."""

    is_prompt = False  # its parts come one by one

    def __init__(self, controller, link) -> None:
        super().__init__(controller, link)
        self._part = 0  # of the outstanding result: which of its messages

    def _old_ones(self, revision: int, content: bytes) -> list[Result]:
        if content[10:] == b"1":
            return []
        held = list(self.controller.memory.values())
        behind = int(content[:10])
        numbers = [int(result.id_text) for result in held]
        first = numbers.index(behind) + 1 if behind and behind in numbers else 0
        if first and not held[first - 1].pushes:  # by now the number belongs to another result
            for result in held[:first]:
                result.hidden = result.hidden or not self._was_shown(result)
        return [result for result in held[first:] if result.station]

    def _was_shown(self, result: Result) -> bool:
        """True if the agent has taken it over, or has read its number since power-on: else it cannot know of it."""
        seen = result.pushes if result.frame == READABLE else []
        return bool(result.acks) or any(moment >= self.controller.plant.began for moment in seen)

    def _push(self, result: Result) -> None:
        if self._part > 1 and self._tries:
            self._send(107, self.revision, spindle_frames.bolt(result, self.revision, self._part))
            return
        self._part = 1
        self._sent += 1
        self._send(106, self.revision, spindle_frames.station(result, self.revision), lambda: self._was_read(result))

    def _answered(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        if content not in (b"0", b"1"):
            self._object(mid + content)
            return
        if self._outstanding and content == b"1" and self._part <= self._outstanding[0].spindles:
            self._part += 1
            self._tries = 0
            self._send(107, self.revision, spindle_frames.bolt(self._outstanding[0], self.revision, self._part))
            self._arm()
            return
        self._acknowledged(mid, revision, content, reads)


class StepSyncSession(GenericSession):
    """A StepSync that is asked for MID 1201: each of its two parts is acknowledged by MID 1203 before the next goes out
    (A36 p. 36-40). An acknowledgement does not name its part, so a late one counts for the outstanding one.
    """

    is_prompt = False

    def __init__(self, controller, link) -> None:
        super().__init__(controller, link)
        self._part = 1201

    def _accept_generic(self, revision: int) -> None:
        """It names what is subscribed to."""
        controller = self.controller
        self._begin(revision, b"1201", controller.unacknowledged, lambda: controller.was_met(self))

    def _push(self, result: Result) -> None:
        if self._part == 1202 and self._tries:
            self._send(1202, 1, operation_frames.details(result, 1, True))
            return
        self._part = 1201
        self._sent += 1
        self._send(1201, 1, operation_frames.overall(result, 1, 8))

    def _answered(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        if content:
            self._object(mid + content)
        elif self._outstanding and self._part == 1201:
            self._part, self._tries = 1202, 0
            result = self._outstanding[0]
            self._send(1202, 1, operation_frames.details(result, 1, True), lambda: self._was_read(result))
            self._arm()
        else:
            self._acknowledged(mid, revision, content, reads)


_COMMON = {mid: handler for mid, handler in Session.handlers.items() if not b"0060" <= mid <= b"0065"}
_GENERIC = {**_COMMON, b"0008": GenericSession._subscribe_generic, b"0009": Session._unsubscribe}
OperationSession.handlers = {
    **_GENERIC,
    b"0006": OperationSession._request,
    b"1203": OperationSession._acknowledged_part,
}
SyncSession.handlers = {
    **_COMMON,
    b"0100": SyncSession._subscribe_spindles,
    b"0102": Session._acknowledged,
    b"0103": Session._unsubscribe,
}
PowerMacsSession.handlers = {
    **_COMMON,
    b"0105": PowerMacsSession._subscribe_spindles,
    b"0108": PowerMacsSession._answered,
    b"0109": Session._unsubscribe,
}
StepSyncSession.handlers = {**_GENERIC, b"1203": StepSyncSession._answered}
SESSIONS = {"operations": StepSyncSession, "sync": SyncSession, "powermacs": PowerMacsSession}
