"""Link-level numbers of a connection to the simulated controller, those that it sends and those that it receives.

Rules:
1. Link-level numbers go 01..99 and again from 01; the first message after 0002 has the first number (OP 3.2.2 p. 36).
   One message is outstanding, repeated until its 9997 comes (OP 3.2.2 p. 36): thrice, then the connection is closed.
2. 9997 has the number after the acknowledged one, and the message's MID. Each repetition may bring one more;
   anything else is a complaint. 9998 with our number and code 3 makes us send it again at once, any other closes.
3. A numbered message of the integrator's is acknowledged as soon as its header is read, and again when it is
   repeated; if it is not the next one it is rejected with 9998 code 3. One without a number is accepted as usual.
4. On request the line loses messages of ours (`link_lost`).
"""

from toolcart.agent.base.ticks import FOREVER
from toolcart.sim.controller_frames import field, header
from toolcart.sim.pending_acknowledgement import PendingAcknowledgement

PORTABLE = True

LAST_NUMBER = 99
CODE_WRONG_NUMBER = 3  # OP 5.1.1 p. 69


class NumberedSender:
    """The sending direction of a session whose 0002 said that numbers are used."""

    def __init__(self, session):
        self.session = session
        self.number = session.options.link_first
        self.queue = []  # (MID, frame, tightening id or None), the first one is outstanding
        self._sent = None  # the PendingAcknowledgement of that one
        self._is_new = True  # it was not sent before
        self._spare = []  # (number, MID) of the 9997 that answer repetitions
        self._count = 0  # messages sent, including repetitions

    def add(self, mid, frame, tightening_id, now):
        self.queue.append((mid, frame, tightening_id))
        if len(self.queue) == 1:
            self._begin(now)

    def acknowledged(self, number, mid):
        """Handle a 9997; return the tightening ID it settles, or None."""
        session = self.session
        if (number, mid) in self._spare:
            self._spare.remove((number, mid))
            return None
        if not self.queue or number != self.number % LAST_NUMBER + 1 or mid != self.queue[0][0]:
            session.complain("9997 for %04d with %02d does not fit" % (mid, number))
            return None
        tightening_id = self.queue.pop(0)[2]
        self._spare = [(number, mid)] * (self._sent.sends - 1)
        self.number = number
        if self.queue:
            self._begin(session.controller.clock.now)
        return tightening_id

    def refused(self, number, code, now):
        """Handle a 9998."""
        if self.queue and code == CODE_WRONG_NUMBER and number == self.number:
            self._sent.again(now)
        else:
            self.session.close("controller: 9998 code %d for number %02d" % (code, number))

    def watch(self, now):
        """Repeat what was not acknowledged in time; return ms until the next check."""
        return self._sent.watch(now) if self.queue else FOREVER

    def _begin(self, now):
        self._is_new = True
        self._sent = PendingAcknowledgement(
            self.session, "number %02d" % self.number, self._send, self.queue[0][1], now
        )

    def _send(self, frame):
        options = self.session.options
        number = self.number
        if self._is_new and options.link_wrong_once:
            options.link_wrong_once = False
            number = (number + 4) % LAST_NUMBER + 1
        self._is_new = False
        self._count += 1
        if self._count not in options.link_lost:
            self.session.deliver(frame[:16] + field(number, 2) + frame[18:])


class NumberedReceiver:
    """The receiving direction."""

    def __init__(self, session):
        self.session = session
        self.expected = 1

    def admits(self, number, mid):
        """Acknowledge the message with this number; False if it is not to be handled."""
        is_next = number == self.expected
        if not is_next and number % LAST_NUMBER + 1 != self.expected:
            self._answer(9998, mid, CODE_WRONG_NUMBER)
            return False
        if is_next:
            self.expected = self.expected % LAST_NUMBER + 1
        self._answer(9997, mid, 0)
        return is_next

    def _answer(self, mid, about, code):
        frame = header(mid, 1, 8 if code else 4, self.session.options.header, "  ", "  ")
        data = field(about, 4) + (field(code, 4) if code else b"")
        self.session.deliver(frame[:16] + field(self.expected, 2) + frame[18:] + data)
