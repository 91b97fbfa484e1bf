"""Requests with link-level numbers: acknowledged by 9997, repeated, refused; and both sides over a bad line."""

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.link_level_send import RESENDS, WAIT_MS, LinkLevelSender
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL
from host_tests.support.frames import accepted, fetched, message, numbered
from host_tests.support.talk import Talk

PORTABLE = True
HEAP = "8m"

LIVES = 10 if HAS_ALL else 3
ANSWER_MS = 5000
LAST = 99


def started(flag):
    """MID 0002 of revision 6; its octet 176 says whether numbers are used (OP 5.2.2 p. 72)."""
    widths = (4, 2, 25, 3, 19, 19, 19, 24, 10, 3, 3, 1, 1, 10, 25, 1)
    values = {1: b"0001", 2: b"02", 3: b"Cart controller", 12: flag}
    data = b""
    for index in range(len(widths)):
        value = values.get(index + 1, b"")
        data += b"%02d" % (index + 1) + value + b" " * (widths[index] - len(value))
    return b"022100020060        " + data


def ack(mid, following):
    return message(9997, b"%04d" % mid)[:16] + b"%02d  %04d" % (following, mid)


def refusal(mid, number, code):
    return message(9998, b"%04d%04d" % (mid, code))[:16] + b"%02d  %04d%04d" % (number, mid, code)


class Numbered(Talk):
    """A talk that wants link-level numbers; `flag` is what MID 0002 says of them."""

    def __init__(self, flag=b"1", **settings):
        self.flag = flag
        self.wants = settings.pop("wants", True)
        Talk.__init__(self, start_revisions=(6,), response_timeout_ms=ANSWER_MS, tries=1, **settings)

    def connect(self):
        if self.wants:
            self.session.link_level_send = LinkLevelSender()
        Talk.connect(self)

    def begin(self):
        assert self.deliver(started(self.flag)) == [session_states.EV_STARTED]
        return self

    def ready(self):
        self.begin()
        self.deliver(ack(60, 2))
        assert self.deliver(numbered(accepted(60), 1)) == [session_states.EV_READY]
        self.take()
        return self

    def fetch(self, number=7):
        Talk.fetch(self, b"%010d" % number)

    def sent(self):
        """Return (MID, number) of what went out, the answers apart."""
        return [(int(one[4:8]), one[16:18]) for one in self.take() if one[4:8] not in (b"9997", b"9998", b"9999")]


def fetched_frame(number, place):
    return numbered(fetched(2, tightening_id=number), place)


# When numbers are used


# What becomes of a request


def test_answer_gets_its_time_from_the_acknowledgement_on():
    talk = Numbered().ready()
    talk.fetch()
    talk.deliver(ack(64, 3))
    assert talk.wait(WAIT_MS + ANSWER_MS - 1) == [] and talk.sent() == [(64, b"02")]
    assert talk.wait(1) == [session_states.EV_FETCH_SILENT]
    talk.fetch(8)
    assert talk.sent() == [(64, b"03")]


def test_what_is_not_acknowledged_is_repeated_with_its_number():
    talk = Numbered().ready()
    talk.fetch()
    assert talk.wait(RESENDS * WAIT_MS) == []
    assert talk.sent() == [(64, b"02")] * (RESENDS + 1)
    assert talk.wait(WAIT_MS) == [session_states.EV_OVER] and talk.session.why == session_states.WHY_SILENCE


def test_acknowledgement_that_is_not_ours_changes_nothing():
    talk = Numbered().ready()
    assert talk.deliver(ack(64, 3)) == [session_states.EV_UNKNOWN]
    talk.fetch()
    for strange in (ack(64, 2), ack(64, 4), ack(60, 3), ack(64, 0)):
        assert talk.deliver(strange) == [session_states.EV_UNKNOWN]
        assert talk.session.link_level_send.waits
    assert talk.deliver(message(9997, b"")) == [session_states.EV_MALFORMED]
    assert talk.deliver(message(9998, b"0064")) == [session_states.EV_MALFORMED]


def test_numbers_go_round():
    talk = Numbered().ready()
    wanted = 2
    ours = 2
    for _ in range(2 * LAST + 5):
        talk.fetch()
        assert talk.sent() == [(64, b"%02d" % wanted)]
        wanted = wanted % LAST + 1
        talk.deliver(ack(64, wanted))
        assert talk.deliver(fetched_frame(7, ours)) == [session_states.EV_FETCHED]
        ours = ours % LAST + 1
        talk.take()


def test_wrong_number_with_ours_named_is_repeated_at_once():
    talk = Numbered().ready()
    talk.fetch()
    talk.take()
    assert talk.deliver(refusal(64, 2, 3)) == []
    assert talk.sent() == [(64, b"02")]
    for _ in range(RESENDS - 1):
        talk.deliver(refusal(64, 2, 3))
    assert talk.deliver(refusal(64, 2, 3)) == [session_states.EV_OVER]


def test_wrong_number_with_another_one_ends_the_session():
    talk = Numbered().ready()
    talk.fetch()
    assert (
        talk.deliver(refusal(64, 5, 3)) == [session_states.EV_OVER] and talk.session.why == session_states.WHY_FRAMING
    )


def test_revision_that_header_check_does_not_know_is_left_for_the_next():
    talk = Numbered().begin()
    assert talk.sent() == [(1, b"  "), (60, b"01")]
    assert talk.deliver(refusal(60, 2, 2)) == [session_states.EV_REJECTED]
    (again,) = talk.take()
    assert again[4:11] == b"0060001" and again[16:18] == b"02" and talk.session.received.code == 2


def test_stop_is_numbered_and_waits_no_longer_than_ever():
    talk = Numbered(stop_wait_ms=1000).ready()
    talk.stop()
    assert talk.sent() == [(3, b"02")]
    talk.deliver(ack(3, 3))
    assert talk.wait(1000) == [session_states.EV_OVER] and talk.session.why == session_states.WHY_STOPPED


def test_stop_while_something_is_repeated_goes_out_when_its_time_is_over():
    talk = Numbered(stop_wait_ms=1000).ready()
    talk.fetch()
    talk.session.stop(talk.now)
    talk.take()
    talk.wait(WAIT_MS)
    assert (3, b"03") in talk.sent()


# Against a model of the other side


class Model:
    """The receiving side as the document has it (OP 3.2.2 p. 36), written without a look at ours."""

    def __init__(self):
        self.expected = 1
        self.delivered = []

    def take(self, mid, number):
        """Return (MID of the acknowledgement, number, code)."""
        if number == self.expected:
            self.expected = 1 if number == LAST else number + 1
            self.delivered.append(mid)
            return 9997, self.expected, 0
        if (1 if number == LAST else number + 1) == self.expected:
            return 9997, self.expected, 0
        return 9998, self.expected, 3


def test_every_request_is_delivered_once_over_a_line_that_loses_and_doubles():
    for seed in range(LIVES):
        dice = Dice(seed + 1)
        model = Model()
        model.expected = 2
        talk = Numbered().ready()
        ours = 2
        requests = 0
        for turn in range(60):
            talk.fetch(turn + 1)
            requests += 1
            answered = False
            for _ in range(RESENDS + 1):
                for mid, number in talk.sent():
                    if dice.randrange(3) == 0:
                        continue  # lost on its way there
                    for _ in range(1 + (dice.randrange(4) == 0)):
                        kind, following, code = model.take(mid, int(number))
                        if dice.randrange(3):
                            talk.deliver(ack(mid, following) if kind == 9997 else refusal(mid, following, code))
                if len(model.delivered) == requests and dice.randrange(3):
                    answered = True
                    assert session_states.EV_FETCHED in talk.deliver(fetched_frame(turn + 1, ours))
                    ours = ours % LAST + 1
                    break
                talk.wait(WAIT_MS)
                if talk.session.state == session_states.OVER or talk.session.can_fetch():
                    break
            if talk.session.state == session_states.OVER:
                break
            assert model.delivered == [64] * requests
            if not answered and not talk.session.can_fetch():
                talk.wait(WAIT_MS + ANSWER_MS)
                if talk.session.state == session_states.OVER:
                    break
            assert talk.session.can_fetch()
            talk.take()
        assert len(model.delivered) <= requests
