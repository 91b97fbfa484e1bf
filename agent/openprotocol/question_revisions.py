"""In which revision old results are asked for with MID 0064.

Rules
1. A revision that is rejected as such is followed by the next one, until each was in a row: then nothing can be asked
   for.
2. What is rejected without a word about its revision may be so for another reason: then each is tried once, before
   anything was answered, and once more on a later connection if the memory may have been empty. Where that was ID 0
   in each, the highest result known is asked for at once, the first time.
3. One that calls the message unknown may mean its revision: before that is believed the two oldest are asked for.
   Nor is it believed, of one that has ever answered, behind a revision that was rejected without a word about it.
4. Some say "later" of a revision that they do not know: from _LATER_MOST on, in front of any answer, each in turn. As
   long as one was put off so, and not rejected since, nothing shows that nothing can be asked for.
5. Some end the connection at a revision that they do not know, without a word: after _ENDS_MOST in a row the next one
   has its turn, of one that was answered after _ENDS_MOST_KNOWN, until each was in a row; then one an hour. Only an
   end right behind the question counts: where a push came in between, or it was asked twice, a network may have failed.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import error_codes

# In the order of trying: 3 is the shortest that names the unit of its torque; few know those of later releases.
REVISIONS = (3, 4, 5, 6, 7, 2, 1, 8, 9, 10, 11)
NEWEST_UNANSWERED = const(1)  # ID 0 is rejected in each revision, or not answered
NEWEST_SHOWS_NOTHING = const(2)  # it is answered with a wrong ID, or another result than the newest
_OLD = const(2)  # and the one behind it, 1: who knows the message knows one of them
_LATER_MOST = const(3)
_ENDS_MOST = const(2)  # fewer than have MID 0064 left out (toolcart.agent.openprotocol.revision_fallback)
_ENDS_MOST_KNOWN = const(3)
_END = const(1 << 12)  # above the bits of the revisions

_WITHOUT_REASON = (
    error_codes.REJECTED_OTHER,
    error_codes.REJECTED_NOTHING,
    error_codes.REJECTED_EXISTS,
    error_codes.REJECTED_MISSING,
)


class QuestionRevisions:
    """Those of one controller, over all its connections."""

    def __init__(self, revisions):
        self._revisions = self._ordered = revisions
        self._index = 0
        self._rejected = 0  # in a row
        self._has_tried_known = False  # since then something else than the newest was asked for in vain
        self._without_reason = 0  # the first of them that was rejected without a word about its revision; 0: none
        self._had_results = False  # the memory was not empty as the session began
        self.lacks_newest = 0  # NEWEST_, of this connection; 0: it is answered
        self.does_without_newest = False  # it has answered questions for real IDs where it rejected the newest
        self._later_count = 0  # how often a controller that has never answered has said "later"
        self.put_off = 0  # the revision of which that was said last, and nothing else since; 0: none
        # Bits, by revision: connections have ended with a question in it since an answer; and _END for each of those in
        # a row that a question in the present one has ended. It begins below 0 where there was an answer in it.
        self._ends = 0

    def begin_session(self, shared, has_results):
        """A session is ready; `shared`: answers are to name our station; `has_results`: the memory is not empty."""
        if not self._are_all_rejected():  # the last connection ended in front of what came of it
            self._has_tried_known = False
        if self._without_reason and not self._had_results:
            self._rejected = 0
        self._without_reason = 0
        self.lacks_newest = 0
        self._had_results = has_results
        revisions = self._revisions
        if shared is not None:
            revisions = shared.ordered(revisions)
        if revisions != self._ordered:
            self._ordered = revisions  # an answer has shown that
            self._ends = 0
            self.begin_anew()

    def begin_anew(self):
        """Begin with the first one again."""
        self._go_on_with(0)

    def go_on_later(self):
        """MID 0064 is left out for an hour since connections end with it: go on with the next one then."""
        self._go_on_with(self._index + 1)

    def _go_on_with(self, index):
        self._turn_to(index)
        self._rejected = self.put_off = 0
        self._has_tried_known = False

    def begin_round(self):
        """The newest is rejected, something else is asked for: each may be tried again, from this one on."""
        self._rejected = 0
        self.lacks_newest = NEWEST_UNANSWERED
        self._has_tried_known = True

    def revision(self):
        """Return the revision to ask in."""
        return self._ordered[self._index]

    def is_answered(self):
        """There was an answer to it."""
        self._rejected = self.put_off = 0
        self._ends = (_ENDS_MOST - _ENDS_MOST_KNOWN) * _END
        self._has_tried_known = False

    def ended(self, by_question):
        """A connection without any answer has ended with a question in this revision; True if that is the first one.

        `by_question`: nothing else has come since it was asked (rule 5).
        """
        is_first = not self._ends >> self.revision() & 1
        self._ends |= 1 << self.revision()
        if by_question:
            self._ends += _END
        if self._ends >= _ENDS_MOST * _END and not self._are_all_rejected():
            self._rejected += 1
            if not self._are_all_rejected():
                self._turn_to(self._index + 1)
        return is_first

    def _are_all_rejected(self):
        return self._rejected >= len(self._ordered) and not self.put_off

    def _turn_to(self, index):
        self._index = index % len(self._ordered)
        self._ends &= _END - 1

    def is_deferred(self, has_answered):
        """A controller says "later"; `has_answered`: it has ever answered (rule 4)."""
        self.put_off = self.revision()
        self._later_count += not has_answered
        if self._later_count >= _LATER_MOST and not has_answered:
            self._turn_to(self._index + 1)

    def turns(self, kind, has_answered):
        """Take a rejection of this class, REJECTED_; True if another revision is to be asked for (rules 1 to 3).

        `has_answered`: this connection has brought an answer before.
        """
        is_without_reason = not has_answered and kind in _WITHOUT_REASON
        if is_without_reason and not self._without_reason:
            self._without_reason = self.revision()
        count = len(self._ordered)
        is_unknown = not has_answered and kind == error_codes.REJECTED_NEVER
        turns = is_unknown or is_without_reason or kind == error_codes.REJECTED_REVISION
        if turns and self.put_off == self.revision():
            self.put_off = 0
        if is_unknown and self._rejected < count - _OLD:
            self._turn_to(self._ordered.index(_OLD))
            self._rejected = count - _OLD
            return True
        if not turns or self._are_all_rejected():
            return False
        self._turn_to(self._index + 1)
        self._rejected += 1
        return not self._are_all_rejected()

    def lack_newest_alone(self):
        """True if each was rejected, with whatever code or none, and nothing but the newest was asked for."""
        return self._are_all_rejected() and not self._has_tried_known

    def may_be_known(self):
        """True if one was rejected without a word about its revision: it is tried again, once, as if none had been."""
        revision, self._without_reason = self._without_reason, 0
        if revision:
            self._turn_to(self._ordered.index(revision))
            self._rejected = 0
        return revision > 0
