"""Link-level numbers as a receiver: what a numbered message is answered with (DIGEST B, 003:1455-1480).

Runs only where MID 0002 said so (byte 176 = `1`) and the message carries 01..99. A session started with revision 6
gets numbered messages even from us who send none (003:1416-1418), and an unanswered one drops the link.

Rules
1. The first number received is taken if it is 01 or 02: a peer may count MID 0002 itself. Else 01 is expected.
2. The expected number is delivered; its acknowledgement names the next one, 99 is followed by 1.
3. The one before is a repeat: acknowledged again, not delivered. Any other is refused with 9998 code 3.
"""

from agent.base.compat import const

NUMBER_DELIVER = const(0)
NUMBER_REPEAT = const(1)
NUMBER_WRONG = const(2)


class Numbering:
    """The receiving direction of one session."""

    __slots__ = ("active", "expected")

    def __init__(self):
        self.active = False
        self.expected = 0

    def reset(self):
        """A new connection: numbers start again (003:1460-1462), and are off until 0002 says otherwise."""
        self.active = False
        self.expected = 0

    def judge(self, sequence):
        """Say what to do with a message that carries `sequence` 1..99, and move on if it is the expected one."""
        expected = self.expected
        if expected == 0:
            expected = self.expected = sequence if sequence <= 2 else 1
            if sequence > 2:
                return NUMBER_WRONG
        if sequence == expected:
            self.expected = 1 if sequence == 99 else sequence + 1
            return NUMBER_DELIVER
        before = 99 if expected == 1 else expected - 1
        return NUMBER_REPEAT if sequence == before else NUMBER_WRONG
