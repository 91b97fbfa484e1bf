"""Results that ToolsNet got a while ago: under which sequence."""

from agent.log.back import walk
from agent.log.cursor import Cursor
from agent.toolsnet.telegram import SEQUENCES

CPYTHON_ONLY = True  # only curves name results that are done with


class Rows:
    """Finds the sequences of results that were delivered a while ago, in ascending order as a rule."""

    def __init__(self, policy):
        self.policy = policy
        self._scout = Cursor()
        self._scout.wants = policy.cursor.wants

    def forget(self):
        """ToolsNet's row may have been set again."""
        self._scout.number = 0

    def sequence_of(self, number):
        """Return the sequence under which ToolsNet has the log's `number`."""
        policy, log, scout = self.policy, self.policy.log, self._scout
        if not 0 < scout.number < number:
            cursor = policy.cursor
            log.peek(cursor)
            log.rewind(scout, number - 1)
            first = scout.number
            scout.ahead = 0
            walk(log, scout, cursor.number)
            ahead = cursor.ahead + policy.lates - scout.ahead
            log.rewind(scout, first)
            scout.ahead = ahead
        walk(log, scout, number - 1)
        log.peek(scout)  # and what lies in front of it
        return (number - scout.ahead + policy.lates_before(number) - 1) % SEQUENCES + 1
