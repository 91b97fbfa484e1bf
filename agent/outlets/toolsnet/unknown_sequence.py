"""The 08 names a sequence that was never sent from here: what the state was before, until something is sent.

An 08 that is answered by another database moves the sequences and puts all that was delivered in doubt. If the next one
names another sequence and nothing went out between, the state of before is back, and judges that one: so the right
database ends the doubt, whatever the other one had named. The memory alone knows it: a start forgets it.

Imported when an 08 names such a sequence.
"""

from toolcart.agent.log.snapshot_fields import (
    DELIVERED,
    DOUBT_LACKS,
    DOUBT_TO,
    DROPPED,
    OVERWRITTEN,
    REOFFERED,
    SEND_LIMIT,
    SENT,
    TAKEN,
)

_NUMBERS = (TAKEN, SENT, SEND_LIMIT, DELIVERED, OVERWRITTEN, DROPPED, DOUBT_LACKS, DOUBT_TO, REOFFERED)


class UnknownSequence:
    """Made in front of the change; `stored` is what the 08 names."""

    def __init__(self, policy, stored):
        self.stored = stored
        self._policy = policy
        self._before = self._state()
        self._doubted = policy.resume_point.doubted
        self._perhaps_there = policy.resume_point.perhaps_there
        self._after = self._before

    def _state(self):
        policy = self._policy
        state = policy.in_flight.state
        place = [policy.cursor.number, policy.cursor.sequence_lag, policy.in_flight.may_have]
        return place + [state.broke_at, state.broke_by, state.places] + [policy.numbers[index] for index in _NUMBERS]

    def is_written(self):
        """The change is durable."""
        self._after = self._state()

    def take_back(self):
        """Let the state be as before, if nothing went out since and nothing else has changed it; False: not saved."""
        if self._state() != self._after:
            return True
        policy, point = self._policy, self._policy.resume_point
        self._put(self._before)
        if not policy.in_flight.save():
            self._put(self._after)
            return False
        policy.in_flight.may_send_to = policy.cursor.number
        point.doubted = self._doubted
        point.perhaps_there = self._perhaps_there
        point.unknown = None
        return True

    def _put(self, values):
        policy = self._policy
        state = policy.in_flight.state
        _, policy.cursor.sequence_lag, policy.in_flight.may_have = values[:3]
        state.broke_at, state.broke_by, state.places = values[3:6]
        for place in range(len(_NUMBERS)):
            policy.numbers[_NUMBERS[place]] = values[6 + place]
