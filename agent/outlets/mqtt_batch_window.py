"""How many batches may be without a receipt: a broker drops in silence what its queue has no room for.

Rules
1. `most` may be. If they are not confirmed in time, and the last one was not alone when it went out, a queue may have
   been full: one goes out then, and one more at a time with each that is confirmed, up to half of what was out.
2. Behind some that were confirmed with `most` out, twice as many are tried; if that fails, only behind twice as many as
   before.
"""

from toolcart.agent.base.compat import const

TRIED_LEAST = const(128)  # batches until more are tried
TRIED_MOST = const(4096)


class BatchWindow:
    """One consumer's. `out` batches are without a receipt; `level` of them were when the last one went out."""

    __slots__ = (
        "_ends",
        "_first",
        "_has_come",
        "_is_trial",
        "_proven",
        "_tried_behind",
        "_up_to",
        "level",
        "most",
        "out",
    )

    def __init__(self, most):
        self.most = self._up_to = most
        self.out = self.level = 0
        self._ends = [0] * most  # numbers: where each ends that is out, the oldest at _first
        self._first = 0
        self._proven = 0  # confirmed with `most` out
        self._tried_behind = TRIED_LEAST
        self._has_come = False  # something was confirmed since the last silence
        self._is_trial = False  # `_up_to` has not been proven yet

    def forget(self):
        """What is out is sent again, or was given up."""
        self.out = self.level = 0

    def put_sent(self, number):
        """A batch has gone out that ends with this number."""
        place = self._first + self.out
        self._ends[place if place < len(self._ends) else place - len(self._ends)] = number
        self.out += 1
        self.level = self.out

    def put_confirmed(self, number):
        """The consumer has everything up to this number."""
        while self.out and self._ends[self._first] <= number:
            self._first = self._first + 1 if self._first + 1 < len(self._ends) else 0
            self.out -= 1
            self._has_come = True
            if self.most < self._up_to:
                self.most += 1
            elif self.level >= self.most:
                self._proven += 1
        if self._proven >= self._tried_behind:
            if self._is_trial:
                self._tried_behind = TRIED_LEAST
            self._proven = 0
            self._is_trial = self._up_to < len(self._ends)
            self._up_to = min(2 * self._up_to, len(self._ends))

    def put_silence(self):
        """What is out was not confirmed in time; True if it went out alone, so that no queue was too short for it."""
        has_come = self._has_come
        self._has_come = False
        if self.level <= 1:
            return True
        self.most = 1
        self._proven = 0
        if not has_come:
            return False  # nobody may have been there
        self._up_to = self.level // 2
        if self._is_trial and self._tried_behind < TRIED_MOST:
            self._tried_behind *= 2
        self._is_trial = False
        return False
