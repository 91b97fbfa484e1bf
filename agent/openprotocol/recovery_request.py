"""The outstanding request for an old result: for which ID, of which spindle, and what is done while no answer comes.

    state     asks for           answered             rejected or silent
    ITSELF    the ID             that is the answer   once more after a pause; NEXT after UNANSWERED_MOST tries, or
                                                      after LATER_MOST where a controller says "later" of an ID that
                                                      is looked for (unanswered_requests)
    NEXT      another ID         LAST                 ITSELF, after a pause
    LAST      the ID             that is the answer   it is given up: others are answered; before UNANSWERED_MOST: NEXT

NEXT is for requests for a certain ID alone: the one after it if it may be missing, else one that is known to be there
(toolcart.agent.openprotocol.unanswered_requests).
"""

from toolcart.agent.base.compat import const

ITSELF = const(0)
NEXT = const(1)
LAST = const(2)

_NO_CODE_YET = const(-2)  # below those that a rejection may have (error_codes.NO_CODE)
UNANSWERED_MOST = const(5)
LATER_MOST = const(2)


class RecoveryRequest:
    """One request, sent until it is answered or given up."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Nothing was asked, and no answer is awaited. `asked` 0 is the newest."""
        self.waits = False  # for an answer that is still of interest
        self.given_up_for = 0  # why the last one was given up that was looked for, as `why` of the recovery
        self._gone_code = _NO_CODE_YET  # of the second rejection in a row of one question
        self.begin(0)

    def begin(self, asked):
        """Ask for this ID, the first spindle first."""
        self.asked = asked
        self.spindle = 1  # that is asked
        self.there = False  # one of those asked before has it
        self.again()

    def again(self):
        """Begin to count how often it is asked in vain."""
        self.state = ITSELF
        self.tries = 0
        self._other = False  # it was answered with another ID
        self._rejected = -1  # the ID that was rejected with a code that need not mean gone

    def turn_spindle(self, count):
        """Turn to the next of so many spindles with the same request; False if it was the last one."""
        self.spindle = self.spindle + 1 if self.spindle < count else 1
        self.again()
        return self.spindle > 1

    def is_first_other(self):
        """Take an answer with another ID; True if that is the first one: it may be late."""
        is_first = not self._other
        self._other = True
        return is_first

    def is_first_rejection(self, number, code):
        """Take a rejection of this ID that need not mean gone; True if the same is to be asked for once more.

        Where that is rejected again, its code means gone from then on.
        """
        if code == self._gone_code:
            return False
        if number == self._rejected:
            self._gone_code = code
            return False
        self._rejected = number
        return True

    def is_answer_to_next(self):
        """Take an answer; True if it was to NEXT, which leaves the ID itself a last try."""
        is_to_next = self.state == NEXT
        if is_to_next:
            self.state = LAST
        return is_to_next

    def fails(self, is_certain, most=UNANSWERED_MOST):
        """No usable answer came; False if it is given up. `is_certain`: NEXT may be asked for in between.

        `most`: after so many NEXT is asked for, and again in front of each further one.
        """
        self.tries += 1
        if self.state == LAST and self.tries >= UNANSWERED_MOST:
            return False
        if self.tries >= most:
            self.state = NEXT if self.state != NEXT and is_certain else ITSELF
        return True
