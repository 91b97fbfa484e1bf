"""Link-level numbers, both ways: one message outstanding, repeated until its 9997 comes (003:1455-1480).

Rules:
1. Numbers go 01..99 and again from 01; the first message after 0002 has the first number (003:1460-1462).
2. 9997 has the number after the acknowledged one, and the message's MID. Each repetition may bring one more;
   anything else is a complaint.
3. 9998 with our number and code 3 makes us send it again at once, any other 9998 closes (003:1473-1476).
4. Three repetitions, then the connection is closed (003:1477-1480).
5. A numbered message of the integrator's is acknowledged as soon as its header is read, and again when it is
   repeated; if it is not the next one it is rejected with 9998 code 3. One without a number is accepted as usual.
6. On request the line loses messages of ours (`link_lost`).
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.sim.controller_frames import field, header

PORTABLE = True

LAST_NUMBER = 99
CODE_WRONG_NUMBER = 3  # 003:3052-3053
# Always sent without a number: the start's answer, link acknowledges, the mirrored keep-alive.
UNNUMBERED = (2, 9997, 9998, 9999)


class NumberedSender:
    """The sending direction of a session whose 0002 said that numbers are used."""

    def __init__(self, session):
        self.session = session
        self.number = session.options.link_first
        self.queue = []  # (MID, frame, tightening id or None), the first one is outstanding
        self.sends = 0
        self.sent_at = 0
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
        self._spare = [(number, mid)] * (self.sends - 1)
        self.number = number
        if self.queue:
            self._begin(session.controller.clock.now)
        return tightening_id

    def refused(self, number, code, now):
        """Handle a 9998."""
        if self.queue and code == CODE_WRONG_NUMBER and number == self.number:
            self._send(self.number, now)
        else:
            self.session.close("controller: 9998 code %d for number %02d" % (code, number))

    def watch(self, now):
        """Repeat what was not acknowledged in time; return ms until the next check."""
        if not self.queue:
            return FOREVER
        options = self.session.options
        left = ticks_diff(ticks_add(self.sent_at, options.ack_timeout_ms), now)
        if left > 0:
            return left
        if self.sends > options.resends:
            self.session.close("controller: number %02d was not acknowledged" % self.number)
            return FOREVER
        self._send(self.number, now)
        return options.ack_timeout_ms

    def _begin(self, now):
        options = self.session.options
        number = self.number
        if options.link_wrong_once:
            options.link_wrong_once = False
            number = (number + 4) % LAST_NUMBER + 1
        self.sends = 0
        self._send(number, now)

    def _send(self, number, now):
        frame = self.queue[0][1]
        self.sends += 1
        self.sent_at = now
        self._count += 1
        if self._count in self.session.options.link_lost:
            return
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
