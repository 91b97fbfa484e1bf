"""Link-level numbers of what we receive: how a numbered message is answered (protocol.md 3, OP 3.2.2 p. 36).

Runs only where MID 0002 said so (byte 176 = `1`) and the message carries 01..99. A session started with revision 6
gets numbered messages even though we send none (OP 3.2 p. 34), and an unanswered one drops the link.

Rules
1. The first number received is taken if it is 01 or 02: a peer may count MID 0002 itself. Else 01 is expected.
2. The expected number is delivered; its acknowledgement names the next one, 99 is followed by 1.
3. The number before it is a repeat: acknowledged again, not delivered. Any other is answered with 9998 code 3.
4. One answer is owed at a time, MID 9997 or 9998; where a message is acknowledged later, the session says when.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number, put_number
from toolcart.agent.openprotocol.header import HEADER_BYTES, put_header, sequence_of

NUMBER_DELIVER = const(0)
NUMBER_REPEAT = const(1)
NUMBER_WRONG = const(2)

CODE_NONE = const(0)
CODE_WRONG = const(3)
CODE_PART = const(4)  # a part that does not fit the others (OP 5.1.1 p. 69)

_LINK_REJECTION_BYTES = const(28)  # MID 9998 with the MID that it rejects, and a code


class LinkLevelReceiver:
    """The receiving direction of one connection."""

    __slots__ = ("_code", "expected", "owed")

    def __init__(self):
        self.expected = 0
        self.owed = 0  # the MID that has to be answered
        self._code = CODE_NONE

    def owe(self, mid, code):
        """Answer the message next: with MID 9997, or with 9998 and a code."""
        self.owed = mid
        self._code = code

    def admits(self, mid, sequence, later):
        """True if this message is delivered; if not, or if it is not acknowledged `later`, its answer is owed."""
        verdict = self.judge(sequence)
        if verdict != NUMBER_DELIVER or not later:
            self.owe(mid, CODE_WRONG if verdict == NUMBER_WRONG else CODE_NONE)
        return verdict == NUMBER_DELIVER

    def is_in_turn(self, session, mid, later):
        """Look at the number of the message that the session has; False if it is a repeat or out of turn."""
        if mid != 9997 and mid != 9998:
            session.received.sequence = sequence_of(session.link.buf, session.link.at)
        sequence = session.received.sequence
        return not sequence or self.admits(mid, sequence, later)

    def is_ack_rejected(self, session):
        """True if the MID 9998 that the session has rejects an acknowledgement of ours."""
        link = session.link
        if link.length < _LINK_REJECTION_BYTES:
            return False  # after it is another message's, or nothing
        session.received.named = number(link.buf, link.at + 20, 4)
        session.received.code = max(number(link.buf, link.at + 24, 4), 0)
        return session.acknowledges(session.received.named)

    def owes_again(self):
        """True if the answer that is owed is to a message that came again."""
        return self._code == CODE_NONE

    def put_owed(self, buf, at):
        """Write the answer that is owed to buf[at:]; return its length."""
        code = self._code
        octets = HEADER_BYTES + (8 if code else 4)
        put_header(buf, at, octets, 9998 if code else 9997, 1)
        put_number(buf, at + 20, 4, self.owed)
        if code:
            put_number(buf, at + 24, 4, code)
        following = self.expected
        if code == CODE_PART:  # "received + 1" (OP 3.2.2 p. 36), though the number stays open: the part may come again
            following = following % 99 + 1
        put_number(buf, at + 16, 2, following)
        self.owed = 0
        return octets

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
