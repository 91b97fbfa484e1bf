"""By how much the IDs of a controller's answers are off, and those of the questions that it answers.

A Global 400mp of Sturtevant Richmont names one too high.

Rules
1. What counts is a result that was pushed, known by its time and values, as long as no other one is like it: how far
   the ID of the answer that brings it is from the one it was pushed with (`by`), and how far the ID that was asked for
   (`ask`). Both may be off, by OFFSET_MOST at most in either direction. Nothing else shows anything: two answers that
   are off alike may be right, and be answers to other questions.
2. One answer shows nothing: it may be late, or what the controller has in place of one that is gone. It is known when
   two show the same, and what they brought is not under the ID that it was pushed with. Then the recovery starts over,
   every ID is put right, and `top` itself where it came from such an answer. The next connection begins with it, and
   forgets it with the first answer that has another ID than was asked for, or is not `top`.
3. Where `top` was never pushed, and a question is answered with another ID, nothing is asked for until one is pushed:
   that one is looked for then, near its ID too where another result has that. So it is where an ID is answered with
   one nearby, as long as nothing that was pushed was found on this connection: `top` may be forgotten.
4. Until `top`, or another one, was found under the ID that it was pushed with, the log is asked for each fetched result
   whether it has it under an ID nearby. What is there is not stored again, and the ID that was asked for is gone.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol.ids import ahead_by, moved

OFFSET_MOST = const(8)
_PUSHES_MOST = const(3)  # of a connection are looked for in vain
_LOOKED_AT_MOST = const(24)  # answers of a connection: those that are off by now this, now that would never end it


def apart(number, other):
    """Return by how much `number` is ahead of `other`, negative if behind; 0 too if that is more than OFFSET_MOST."""
    ahead = ahead_by(number, other)
    if ahead <= OFFSET_MOST:
        return ahead
    behind = ahead_by(other, number)
    return -behind if behind <= OFFSET_MOST else 0


class IdOffset:
    """What is known of one connection's answers."""

    def __init__(self):
        self.forget()

    def opened(self):
        """A connection to the same controller begins: what is known is believed until an answer speaks against it."""
        by, ask, is_consistent = self.by, self.ask, self.is_consistent
        self.forget()
        self.by, self.ask, self.is_consistent = by, ask, is_consistent
        self.is_proven = not self.is_known()

    def forget(self):
        """Nothing is known."""
        self.is_proven = True  # False: it was found on an earlier connection, and not on this one yet
        self.by = 0  # what the ID of an answer has too much
        self.ask = 0  # what is to be added to the ID that is asked for
        self.is_consistent = False  # `by` is off in the same way as `ask`: a result is found under the ID that it names
        self.is_ruled_out = False  # `top`, or another one, was found under the ID that it was pushed with
        self.needs_push = False  # a question was answered with another ID, and no push can be compared (rule 3)
        self.other_by = 0  # how far off the last answer was that had another ID than was asked for
        self._looked_at = 0
        self.restart()

    def restart(self):
        """The recovery starts over, or a range begins: what one answer has shown is forgotten."""
        self._seen_by = self._seen_ask = 0
        self.suspect = -1  # what came under another ID is asked for under this one, which it was pushed with
        self.probed = 0  # how many IDs near `top` were asked for

    def corrected(self, number):
        """Return what the ID of an answer should be."""
        return moved(number, -self.by)

    def is_known(self):
        """True if anything is off, by so much."""
        return self.by != 0 or self.ask != 0

    def may_show_offset(self):
        """True if an answer may show something."""
        return not self.is_known() and self._looked_at < _LOOKED_AT_MOST

    def waits_for_another(self):
        """A push that was looked for is nowhere; True if the next one is to be looked for."""
        self._looked_at += _LOOKED_AT_MOST // _PUSHES_MOST
        return self.other_by != 0 and self.may_show_offset()

    def give_up(self):
        """No answer of this connection shows anything more."""
        self._looked_at = _LOOKED_AT_MOST

    def confirms(self, number, pushed, asked):
        """Take an answer: the result pushed as `pushed` came under `number`, when `asked` was asked for.

        True if it is known now by how much they are off; else the same is to be asked for once more.
        """
        self._looked_at += 1
        by = apart(number, pushed)
        ask = apart(asked, pushed)
        if by == self._seen_by and ask == self._seen_ask:
            self.by = by
            self.ask = ask
            self.is_consistent = by == ask
            return True
        self._seen_by = by
        self._seen_ask = ask
        return False

    def is_near(self, number, asked):
        """Take an answer with another ID than was asked for; True if that is nearby, and may be off by so much."""
        self.other_by = 0 if self.is_ruled_out else apart(number, asked)
        return self.other_by != 0

    def next_nearby(self, most):
        """Return how far from `top` it is looked for next: at `most`, then nearest first; 0 if it was everywhere."""
        at = self.probed
        self.probed = at + 1
        if self.by:
            return -self.by if at == 0 else 0
        if at == 0 and self.other_by:
            return -self.other_by
        if at == 0 and most:
            return most
        while at <= 2 * OFFSET_MOST:
            nearby = (at + 1) // 2 if at % 2 else -(at // 2)
            if nearby and nearby < most:
                return nearby
            at = self.probed
            self.probed = at + 1
        return 0
