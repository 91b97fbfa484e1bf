"""An old result comes when its question was given up: it is stored under its ID, whatever is asked meanwhile.

Rules
1. It counts if its ID was missing when it was asked for on this connection, and the log still lacks it. What its ID
   means must be proven, and that it is not off: else it may be another one's.
2. One that is missing yet has its turn, but is closed without another question.
3. What is asked for now is not answered by it.

Imported where a question for a missing result got no answer in time.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import id_at, id_of, put_id
from toolcart.agent.openprotocol.stored_nearby import ahead_of_stored
from toolcart.agent.record.result import FLAG_RECOVERED, ID_BYTES, TIGHTENING_ID

_GIVEN_UP_MOST = const(16)
_NOT_KEPT = const(0)


class LateAnswers:
    """What one connection may answer yet."""

    def __init__(self):
        self._given_up = []

    def note(self, recovery):
        """No answer came in time to what was asked last."""
        if recovery.phase == phases.PHASE_FILL:
            number = id_of(recovery.ask_id, 0)
            if number not in self._given_up:
                self._given_up.append(number)
                del self._given_up[:-_GIVEN_UP_MOST]

    def take(self, intake, now):
        """Take the MID 0065 that the link shows; False if it is not late."""
        store = intake.store
        link = intake.link
        recovery = intake.recovery
        if not self._given_up:
            return False
        is_read = store.read_fetched(link.buf, link.at, link.length, intake.session.received.revision)
        body = intake.log.stage
        number = id_at(body, store.body + TIGHTENING_ID)
        if number not in self._given_up or recovery.awaits(number):
            return False
        self._given_up.remove(number)
        digits = bytearray(ID_BYTES)
        put_id(digits, 0, number)
        if self._is_proven(recovery, number, body, store, is_read) and not recovery.duplicates.has_id(
            digits, recovery.first_of_count()
        ):
            recovery.unanswered = 0
            if intake.put_fetched(is_read, now, digits) == _NOT_KEPT:
                return True
            recovery.stored_late += (number,)
            intake.wake_outlets(now)
        return True

    def _is_proven(self, recovery, number, body, store, is_read):
        """True if the answer in the stage is the result that was pushed, or would have been, under this ID."""
        offset = recovery.offset
        shared = recovery.ownership.shared
        if shared is not None and shared.may_be_others():
            return False
        if recovery.flags or offset.is_known() or not recovery.is_id_unique() or recovery.may_push_ids_differ():
            return False
        if offset.is_ruled_out or not is_read:
            return True
        flags = store.flags | FLAG_RECOVERED
        return not ahead_of_stored(recovery.duplicates, body, store.body, store.length, flags, number)
