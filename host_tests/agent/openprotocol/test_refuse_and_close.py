"""Controllers that reject a request and end the connection, at once, later or never: each revision gets its turn."""

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from host_tests.support.frames import accepted, message, refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True
HEAP = "2m"

RESULT_REVISIONS = (999, 3, 4, 2, 1)

# How a connection ends with a rejection: (0004 comes, messages that are answered after it, it closes).
AT_ONCE = (True, 0, True)
WITHOUT_A_WORD = (False, 0, True)
MUTE = (True, 0, False)
LATER = (True, 1, True)
MUCH_LATER = (True, 4, True)
NOT_AT_ALL = (True, 99, False)
ENDS = (AT_ONCE, WITHOUT_A_WORD, MUTE, LATER, MUCH_LATER, NOT_AT_ALL)


class Controller:
    """Knows one revision of MID 0001 and one way to subscribe to results, and ends connections in one way."""

    def __init__(self, start, way, ends, code=97, others=(40,)):
        self.start = start
        self.way = way  # (MID, revision)
        self.code = code
        self.others = others  # MIDs that are not needed, and that it knows
        self.answers, self.most, self.closes = ends
        self.connections = 0
        self.requests = []  # (MID, revision) of everything that it was asked for
        self.subscribed = ()

    def connected(self):
        self.connections += 1
        self.subscribed = ()
        self._left = -1  # messages until it ends, if not negative

    def answer_to(self, frame):
        """Return what it answers, and whether it closes now."""
        mid = int(frame[4:8])
        one = (mid, int(frame[24:27] if mid == 8 else frame[8:11]))
        self.requests.append(one)
        if self._left == 0 or (mid == 9999 and self._left > 0 and self.closes):  # some seconds later at most
            return b"", self.closes
        if self._left > 0:
            self._left -= 1
        answer = self._answer(mid, one, frame)
        if answer[4:8] == b"0004" and self._left < 0:
            self._left = self.most
            return (answer if self.answers else b""), self.closes and not self.most
        return answer, self.closes and self._left == 0

    def _answer(self, mid, one, frame):
        if mid == 1:
            return STARTED if one[1] == self.start else refused(1, self.code)
        if mid == 3:
            return accepted(3)
        if mid == 9999:
            return message(9999)
        if one == self.way:
            self.subscribed = one
        if one == self.way or mid in self.others:
            return accepted(int(frame[20:24]) if mid == 8 else mid)
        return refused(mid, self.code)


class Line(Talk):
    """A session and a controller: `run` lets them speak until the session is ready, or the connection ends."""

    def __init__(self, controller, subscriptions=None, **settings):
        self.controller = controller
        Talk.__init__(self, 2048, subscriptions or (Subscription(RESULTS, RESULT_REVISIONS),), **settings)

    def connect(self):
        self.outgoing = []  # it went out on a connection that had ended
        self.controller.connected()
        Talk.connect(self)

    def run(self, ms=60000):
        """Speak on this connection for so long at most; True if the session was ready when it ended."""
        session = self.session
        was_ready = False
        while session.state != session_states.OVER:
            was_ready = was_ready or session.state == session_states.READY
            frames = self.take()
            if not frames:
                if session.state == session_states.READY or ms <= 0:
                    break
                ms -= 1000
                self.wait(1000)
            if self._is_closed_by(frames):
                return was_ready or session.state == session_states.READY
        return was_ready

    def _is_closed_by(self, frames):
        """Let the controller answer all of this; True if it has closed the connection."""
        for frame in frames:
            answer, closes = self.controller.answer_to(frame)
            if answer:
                self.deliver(answer)
            if closes:
                return True
        return False

    def until_it_lasts(self, most):
        """Connect until a session stands and stays; return how many connections that took."""
        for count in range(1, most + 1):
            if self.run() and self._stays():
                return count
            self.lose()
        return most + 1

    def _stays(self):
        """True if the session goes on: nothing that was asked for ends it."""
        if self.session.state != session_states.READY:
            return False
        self.session.ask_tool()
        self.settle()
        for _ in range(4):
            if self._is_closed_by(self.take()):
                return False
            self.wait(7000)
        return self.session.state == session_states.READY


def test_what_is_not_needed_is_left_out_where_connections_end_with_it():
    alarms = (70, 73, 0, b"", False, ((71, 72),))
    psets = (14, 17, 0, b"", False, ((15, 16),))
    curves = (8, 9, 900, b"00", False, ((900, 5),))
    for ends in ENDS:
        for others in ((), (70,), (14, 40), (40,), (70, 14)):
            wanted = [Subscription(RESULTS, (999, 1))]
            wanted += [Subscription(alarms, (2, 1)), Subscription(psets, (1,)), Subscription(curves, (1,))]
            controller = Controller(5, (60, 999), ends, 99, others)
            line = Line(controller, tuple(wanted))
            count = line.until_it_lasts(12)
            assert count < 12, (ends, others, controller.requests)
            line.lose()  # from one that has lasted: all is asked for again
            controller.requests = []
            line.run()
            assert {mid for mid, _ in controller.requests} >= {1, 60, 70}
            line.lose()
            assert line.until_it_lasts(12) < 12, (ends, others, controller.requests)
            assert set(others) <= {mid for mid, _ in controller.requests}


def test_what_ended_two_connections_is_not_asked_for_again_for_an_hour():
    alarms = (70, 73, 0, b"", False, ((71, 72),))
    for ends in (AT_ONCE, WITHOUT_A_WORD, LATER):
        controller = Controller(5, (60, 999), ends, 99, ())
        line = Line(controller, (Subscription(RESULTS, (999, 1)), Subscription(alarms, (1,))))
        for _ in range(2):
            assert line.until_it_lasts(12) < 12, ends
            line.lose()  # after it has lasted
        assert line.until_it_lasts(12) < 12, ends
        controller.requests = []
        for _ in range(5):
            line.lose()
            assert line.until_it_lasts(2) == 1, ends
        assert not {70, 40} & {mid for mid, _ in controller.requests}, (ends, controller.requests)
        for _ in range(600):
            controller.answer_to(message(9999)) if line.take() else None
            line.deliver(message(9999))
            line.wait(7000)
        line.lose()
        line.until_it_lasts(12)
        assert {70} <= {mid for mid, _ in controller.requests}, ends


def test_the_code_that_came_is_the_reason_while_a_session_begins():
    for ends, why in (
        (AT_ONCE, session_states.WHY_REJECTED),
        (LATER, session_states.WHY_REJECTED),
        (MUTE, session_states.WHY_REJECTED),
    ):
        line = Line(Controller(1, (60, 999), ends, 79))
        line.run()
        assert (line.session.why, line.session.received.rejected_mid, line.session.received.rejected_code) == (
            why,
            1,
            79,
        ), ends
        line = Line(Controller(5, (60, 1), ends, 15))
        line.run()
        assert (line.session.why, line.session.received.rejected_mid, line.session.received.rejected_code) == (
            why,
            60,
            15,
        ), ends
    line = Line(Controller(1, (60, 999), WITHOUT_A_WORD))
    line.run()
    assert line.session.why == session_states.WHY_NOTHING
    line = Line(Controller(5, (), AT_ONCE))
    reasons = []
    for _ in range(30):
        line.run()
        reasons.append(line.session.why)
        line.lose()
    first = reasons.index(session_states.WHY_NO_RESULTS)
    assert (
        reasons == [session_states.WHY_REJECTED] * first + [session_states.WHY_NO_RESULTS] * (30 - first)
        and 5 < first < 20
    )
    line = Line(Controller(0, (60, 999), AT_ONCE))
    for count in range(9):
        line.run()
        assert line.session.why == (session_states.WHY_NO_REVISION if count > 4 else session_states.WHY_REJECTED), count
        line.lose()
