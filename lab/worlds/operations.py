"""One connection to a MT Focus 6000: results by MID 1201 and 1202, once each, and its history by MID 0006 (002).

Rules
1. Both parts of a result go out at once, and never again; MID 1203 is accepted and has no effect (002:316-327).
2. The controller does not learn what the agent has taken over. For the judge that is what it had read while nothing
   was in the way.
3. A rejection names the MID that was sent (002:139-150).
"""

from __future__ import annotations

from typing import ClassVar

from lab.worlds.controller_session import EXISTS, NOT_FOUND, REVISION, UNKNOWN, Session
from lab.worlds.frames import HEADER, details, overall
from lab.worlds.history import READABLE, Result

TAKEN_MS = 10000
_PUSHED, _ASKED = 8, 6
_SUBSCRIPTION = 40  # bytes of the data of 0008: MID, revision, length 31, alternative, times and indexes, objects


class OperationSession(Session):
    """The controller's end of one connection."""

    reject_codes: ClassVar[dict[int, int]] = {79: 98}  # no document says which code means "not there"; 79 may

    def __init__(self, controller, link) -> None:
        super().__init__(controller, link)
        self._by_id_at = -TAKEN_MS - 1  # when the agent last asked for one by its ID

    def _subscribe_generic(self, revision: int, content: bytes, reads: int) -> None:
        text = content.decode("latin-1")
        if text[:4] != "1201":
            self._refuse(b"0008", UNKNOWN)
        elif len(text) != _SUBSCRIPTION or text[7:9] != "31" or not text[4:].isdigit():
            self._object(b"0008" + content)
        elif self.revision:
            self._refuse(b"0008", EXISTS)
        elif int(text[4:7]) not in self.controller.traits["result_revisions"]:
            self._refuse(b"0008", self.controller.traits["result_code"])
        else:
            self.revision = int(text[4:7])
            self._accept(b"0008")
            if self.controller.traits["pushes_newest"] and self.controller.newest is not None:
                self.queue(self.controller.newest)

    def _unsubscribe_generic(self, revision: int, content: bytes, reads: int) -> None:
        self.revision = 0
        self._accept(b"0009")

    def queue(self, result: Result) -> None:
        """Push this result now, and never again."""
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

    def _acknowledged_part(self, revision: int, content: bytes, reads: int) -> None:
        if content:
            self._object(b"1203" + content)

    def _request(self, revision: int, content: bytes, reads: int) -> None:
        """Answer MID 0006 for 1201: ten digits of the index, 0 for the newest."""
        controller = self.controller
        text = content.decode("latin-1")
        if text[:4] != "1201" and text[:9].isdigit():
            self._refuse(b"0006", UNKNOWN)  # neither 0067 nor 0902 is known here, though 0067 is in its list (002:154)
            return
        if len(text) != HEADER - 1 or text[:4] != "1201" or text[7:9] != "10" or not text[4:].isdigit():
            self._object(b"0006" + content)
            return
        wanted, asked = int(text[4:7]), int(text[9:])
        result = controller.old(asked)
        if asked:
            self._by_id_at = controller.time.now
        if not controller.traits["old_revisions"]:
            self._refuse(b"0006", controller.traits["old_refusal"])
        elif wanted not in controller.traits["result_revisions"]:
            self._refuse(b"0006", REVISION)
        elif self._is_hindered(b"0006", result if asked else None, asked == 0):
            return
        elif result is None:
            self._send(4, 1, b"0006%02d" % NOT_FOUND, None if asked else lambda: controller.was_met(self))
        else:
            self._tell(result, wanted, _ASKED, lambda: self._was_fetched(result, asked))


OperationSession.handlers = {
    **{mid: handler for mid, handler in Session.handlers.items() if not b"0060" <= mid <= b"0065"},
    b"0006": OperationSession._request,
    b"0008": OperationSession._subscribe_generic,
    b"0009": OperationSession._unsubscribe_generic,
    b"1203": OperationSession._acknowledged_part,
}
