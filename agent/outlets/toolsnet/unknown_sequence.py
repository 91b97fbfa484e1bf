"""The 08 names a sequence that was never sent from here: what the state was before, until something is sent.

An 08 that is answered by another database puts all that was delivered in doubt, and may move the sequences. If the
next one names another sequence and nothing went out between, the state of before is back, and judges that one: so the
right database ends the doubt, whatever the other one had named. The memory alone knows it: a start forgets it.

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
    """Made in front of the change; `stored` is what the 08 names, `waiting` how many that wait it may have, at most."""

    def __init__(self, policy, stored, waiting):
        self.stored = stored
        self._policy = policy
        self._earlier = policy.resume_point.unknown
        self.perhaps_there = waiting + (self._earlier.perhaps_there if self._earlier else 0)  # at all such 08s
        self._before = self._state()
        self._doubted = policy.resume_point.doubted
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
        point.unknown = self._earlier
        return True

    def _put(self, values):
        policy = self._policy
        state = policy.in_flight.state
        _, policy.cursor.sequence_lag, policy.in_flight.may_have = values[:3]
        state.broke_at, state.broke_by, state.places = values[3:6]
        for place in range(len(_NUMBERS)):
            policy.numbers[_NUMBERS[place]] = values[6 + place]
