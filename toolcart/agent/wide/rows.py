"""Finds the sequence under which ToolsNet has a result that was delivered a while ago."""

from toolcart.agent.log.back import walk
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.record import RECORD_NONE
from toolcart.agent.toolsnet.telegram import sequence_at

CPYTHON_ONLY = True  # only curves name results that are done with


class Rows:
    """Finds the sequences of delivered results, usually asked for in ascending order."""

    def __init__(self, policy):
        self.policy = policy
        self._scout = Cursor()
        self._scout.wants = policy.cursor.wants

    def forget(self):
        """Forget the place reached: ToolsNet's row may have been set again."""
        self._scout.number = 0

    def sequence_of(self, number):
        """Return the sequence under which ToolsNet has the log's `number`; -1 if that cannot be told now."""
        policy, log, scout = self.policy, self.policy.log, self._scout
        if not 0 < scout.number < number:
            cursor = policy.cursor
            log.rewind(scout, number - 1)
            first = scout.number
            if log.peek(cursor) < RECORD_NONE or not walk(log, scout, cursor.number):
                self.forget()
                return -1
            log.rewind(scout, first, cursor.ahead + policy.offer.used - scout.ahead)
        if not walk(log, scout, number - 1):
            return -1
        return sequence_at(number - scout.ahead + policy.offer.used_before(number))
