"""By how much the IDs of a controller's answers are off: a Global 400mp of Sturtevant Richmont names one too high.

Rules
1. Off by the same amount, OFFSET_MOST at most in either direction, in one of two ways: the question for n is answered
   with n's result under another ID (said), or results are kept, and found, under other IDs than they were pushed.
2. One answer shows nothing: it may be late. It is known when two show the same: the result that was pushed as `w`, by
   its time and values, twice; or the answers to the questions for two IDs (rule 5). Then the look begins
   anew, every ID is put right, and `w` itself where it came from such an answer.
3. Until `w` was found under the ID that it was pushed with, the log is asked for each fetched result whether it has it
   under an ID nearby. What is there is not stored again, and the ID that was asked for is gone.
4. Answers that are off by now this, now that are taken for answers to earlier questions.
5. A result that the log has under the very ID that its answer names refutes it: ID and result belong together, and the
   controller answers another question. The second ID that is asked for is one whose answer would show that: `w` less
   the amount.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol.ids import ID_PERIOD, after, before

OFFSET_MOST = const(8)
_LOOKED_AT_MOST = const(24)  # answers of a connection: those that are off by now this, now that would never end it
_NOWHERE = const(-1)


def apart(number, other):
    """Return by how much `number` is ahead of `other`, negative if behind; 0 too if that is more than OFFSET_MOST."""
    ahead = (number - other) % ID_PERIOD
    if ahead <= OFFSET_MOST:
        return ahead
    behind = ID_PERIOD - ahead
    return -behind if behind <= OFFSET_MOST else 0


class Offset:
    """What is known of one connection's answers."""

    def __init__(self):
        self.begin_connection()

    def begin_connection(self):
        """Nothing is known."""
        self.by = 0  # what the ID of an answer has too much
        self.is_kept = False  # results are found under that ID
        self.is_none = False  # `w` was found under the ID that it was pushed with
        self._looked_at = 0
        self.begin_look()

    def begin_look(self):
        """A look or a range begins: what one answer has shown is forgotten."""
        self._seen = 0
        self._home = _NOWHERE  # what was asked for, while another ID is asked for to see whether it is off likewise
        self._is_refuted = False
        self.beside = 0  # how many IDs beside `w` were asked for

    def right(self, number):
        """Return what the ID of an answer should be."""
        return (number - self.by) % ID_PERIOD

    def may_be_off(self):
        """True if an answer may show something."""
        return self.by == 0 and not self._is_refuted and self._looked_at < _LOOKED_AT_MOST

    def is_probing(self):
        """True if the question is one of rule 2."""
        return self._home >= 0

    def goes_on(self, question):
        """The question was of rule 2, and shows nothing: ask for the ID on the other side, or what was to be asked for.

        False if it was no such question.
        """
        home = self._home
        if home < 0:
            return False
        is_last = question.asked != before(home)
        question.begin(home if is_last else after(home))
        if is_last:
            self._home = _NOWHERE
            self._is_refuted = True
        return True

    def refute(self, question):
        """The log has the answer under the ID that it names; True if another question follows (rule 5)."""
        home = self._home
        self._looked_at += 1
        self._home = _NOWHERE
        self._is_refuted = True
        if home >= 0:
            question.begin(home)
        return home >= 0

    def shows(self, by, is_kept, is_like, question, top):
        """Take an answer that is off `by` so much; True if that is known now.

        `is_like`: it is the result that is `w`, whose ID is `top`. Else, if this is the first one, another ID is asked
        for next.
        """
        self._looked_at += 1
        if by == self._seen and (is_like or self._home >= 0):
            self.by = by
            self.is_kept = is_kept
            return True
        if not is_like and self._home < 0:
            self._home = question.asked
            tells = (top - by) % ID_PERIOD  # answered with `w` itself where the question is off, and not the ID
            question.begin(before(question.asked) if top <= 0 or tells == question.asked else tells)
            self._seen = by
        elif is_like:
            self._seen = by
        else:
            self.goes_on(question)
        return False

    def next_beside(self, most):
        """Return how far beside `w` it is looked for next: at `most`, then nearest first; 0 if it was everywhere."""
        at = self.beside
        self.beside = at + 1
        if self.by:
            return -self.by if at == 0 else 0
        if at == 0 and most:
            return most
        while at <= 2 * OFFSET_MOST:
            beside = (at + 1) // 2 if at % 2 else -(at // 2)
            if beside and beside < most:
                return beside
            at = self.beside
            self.beside = at + 1
        return 0
