"""The session with PIM and server keeps its order, its time-outs and its identifiers, whatever the other side does."""

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.toolsnet import session as ts
from toolcart.base.clock import SimClock
from host_tests.portable import stub

PORTABLE = True

VERIFICATION = b"00071200007"
ACKNOWLEDGE_12 = b"00240500007" + b"0" * 14 + b"000"


def acknowledge(ident, code=0):
    return b"002405%05d20240314092654%03d" % (ident, code)


def information(ident, result=16, address=b"10.0.0.5", port=b"10111"):
    return b"003708%05d%05d00003" % (ident, result) + (address + b" " * 15)[:15] + port


class Driven:
    """A session whose port takes everything at once; `now` moves only in `wait`."""

    def __init__(self, **settings):
        self.clock = SimClock()
        self.session = ts.Session(3, 1, 10, **settings)
        self.commands = []
        self.takes = 9999  # octets the port takes
        self.session.start(self.clock.now)
        self.turn()

    def turn(self):
        """Let the session do what it can now; return (events, octets written)."""
        session = self.session
        now = self.clock.now
        events = []
        written = b""
        while True:
            event = session.next_event(now)
            if event == ts.EV_NONE:
                break
            events.append(event)
        command = session.command()
        if command:
            self.commands.append(command)
        while True:
            session.tick(now)
            n = min(session.pending, self.takes)
            if n == 0:
                return events, written
            written += bytes(session.tx[session.tx_from : session.tx_from + n])
            self.takes -= n
            session.sent(n, now)

    def receive(self, octets):
        incoming = self.session.incoming
        assert len(octets) <= incoming.room()
        incoming.inlet()[0 : len(octets)] = octets
        incoming.receive(len(octets))
        return self.turn()

    def opened(self):
        self.session.opened(self.clock.now)
        return self.turn()

    def closed(self):
        event = self.session.closed(self.clock.now)
        self.turn()
        return event

    def wait(self, ms):
        """Let `ms` pass and stop at every deadline on the way; return (events, octets written)."""
        events = []
        written = b""
        while True:
            left = min(self.session.tick(self.clock.now), ms)
            self.clock.advance(left)
            ms -= left
            more, octets = self.turn()
            events += more
            written += octets
            if ms == 0:
                return events, written

    def to_pim_info(self):
        while self.session.state == ts.WAITING:
            self.wait(self.session.tick(self.clock.now))
        self.opened()
        return self.receive(VERIFICATION)

    def to_streaming(self, result=16):
        self.to_pim_info()
        self.receive(information(self.session.ident - 1, result))
        events, octets = self.opened()
        assert events == [ts.EV_STREAMING] and octets == b""
        assert self.session.state == ts.STREAMING
        return self

    def send(self, octets=600):
        """Send a telegram of so many octets; return its identifier and what was written."""
        session = self.session
        assert session.can_send()
        ident = session.ident
        session.result[0:11] = b"%04d04%05d" % (octets - 4, ident)
        session.send(octets)
        return ident, self.turn()[1]


def streaming(**settings):
    return Driven(**settings).to_streaming()


# -- the way to the server


def test_verification_is_acknowledged_then_the_request_follows_at_once():
    driven = Driven()
    assert driven.opened() == ([], b"")
    assert driven.receive(VERIFICATION) == ([], ACKNOWLEDGE_12 + b"00190700001000300010010")
    assert driven.session.state == ts.PIM_INFO


def test_pim_without_a_verification_is_left_after_its_time():
    driven = Driven()
    driven.opened()
    assert driven.wait(4999) == ([], b"")
    assert driven.wait(1) == ([ts.EV_NO_PIM], b"")
    assert driven.commands[-1] == ts.CMD_CLOSE
    assert driven.wait(59999) == ([], b"") and driven.session.state == ts.WAITING
    driven.wait(1)
    assert driven.commands[-1] == ts.CMD_OPEN_PIM


def test_information_for_another_request_is_counted_and_waited_past():
    driven = Driven()
    driven.to_pim_info()
    assert driven.receive(information(2)) == ([ts.EV_FOREIGN], b"")
    assert driven.receive(information(1)) == ([ts.EV_INFO], b"")


def test_information_that_is_short_or_has_no_sequence_is_malformed():
    driven = Driven()
    driven.to_pim_info()
    assert driven.receive(b"0036" + information(1)[4:-1]) == ([ts.EV_MALFORMED], b"")
    assert driven.receive(b"00370800001abcde" + information(1)[16:]) == ([ts.EV_MALFORMED], b"")
    assert driven.receive(information(1)) == ([ts.EV_INFO], b"")


# -- the 05 for the 12


def lose_at_pim(driven):
    """Let the PIM close after the 12; return what was written to it."""
    written = driven.to_pim_info()[1]
    assert driven.closed() == ts.EV_LOST
    return written


def test_auto_omits_the_05_after_a_pim_led_nowhere_then_returns():
    driven = Driven()
    assert [lose_at_pim(driven).startswith(ACKNOWLEDGE_12) for _ in range(4)] == [True, False, True, False]


# -- one telegram and its 05


def test_result_is_refused_by_a_05_with_a_code():
    driven = streaming()
    ident = driven.send()[0]
    assert driven.receive(acknowledge(ident, 123)) == ([ts.EV_REFUSED], b"")
    assert driven.session.code == 123 and driven.session.can_send()


def test_05_without_a_code_is_malformed_and_accepts_nothing():
    driven = streaming()
    ident = driven.send()[0]
    assert driven.receive(b"002105" + acknowledge(ident)[6:25]) == ([ts.EV_MALFORMED], b"")
    assert driven.receive(acknowledge(ident)[:-3] + b"   ") == ([ts.EV_MALFORMED], b"")
    assert not driven.session.can_send()


def test_late_05_of_first_copy_accepts_and_that_of_second_is_nothing():
    driven = streaming()
    ident = driven.send()[0]
    driven.wait(5000)
    assert driven.receive(acknowledge(ident)) == ([ts.EV_ACCEPTED], b"")
    assert driven.receive(acknowledge(ident)) == ([], b"")
    following = driven.send()[0]
    assert following != ident
    assert driven.receive(acknowledge(ident)) == ([ts.EV_FOREIGN], b"")
    assert driven.receive(acknowledge(following)) == ([ts.EV_ACCEPTED], b"")


def test_05_before_the_telegram_has_gone_out_whole_acknowledges_nothing():
    driven = streaming()
    driven.takes = 300
    ident, octets = driven.send()
    assert len(octets) == 300
    assert driven.receive(acknowledge(ident)) == ([ts.EV_FOREIGN], b"")
    driven.takes = 9999
    assert len(driven.turn()[1]) == 300
    assert driven.receive(acknowledge(ident)) == ([ts.EV_ACCEPTED], b"")


def test_pim_that_accepts_nothing_is_left_too():
    for loses in (False, True):
        driven = Driven()
        if loses:
            lose_at_pim(driven)
        driven.takes = 5
        driven.to_pim_info()
        assert driven.wait(14999) == ([], b"")
        assert driven.wait(1) == ([ts.EV_LOST], b"")


def test_identifier_follows_99999_by_1():
    driven = streaming()
    driven.session.ident = 99999
    idents = []
    for _ in range(3):
        idents.append(driven.send()[0])
        assert driven.receive(acknowledge(idents[-1]))[0] == [ts.EV_ACCEPTED]
    assert idents == [99999, 1, 2]


def test_unknown_and_too_large_telegrams_are_reported_and_passed_over():
    driven = streaming()
    ident = driven.send()[0]
    assert driven.receive(b"00071100001") == ([ts.EV_UNKNOWN], b"")
    assert driven.receive(b"00370800001" + b"0" * 30) == ([ts.EV_UNKNOWN], b"")
    assert driven.receive(b"0300") == ([ts.EV_UNKNOWN], b"")
    for _ in range(3):
        assert driven.receive(b"x" * 100) == ([], b"")
    assert driven.receive(acknowledge(ident)) == ([ts.EV_ACCEPTED], b"")


def test_identifier_of_a_05_may_be_padded_with_blanks():
    driven = streaming()
    ident = driven.send()[0]
    assert driven.receive(b"002405" + b"%5d" % ident + b"20240314092654000") == ([ts.EV_ACCEPTED], b"")


def test_stream_that_is_no_telegram_is_closed():
    driven = streaming()
    driven.send()
    assert driven.receive(b"HTTP/1.1 400") == ([ts.EV_MALFORMED], b"")
    assert driven.commands[-1] == ts.CMD_CLOSE and driven.session.state == ts.WAITING


# -- keep-alive


def keepalive(ident):
    return b"000706%05d" % ident


def test_keep_alive_comes_after_30_s_without_a_transmission():
    driven = streaming()
    assert driven.wait(29999) == ([], b"")
    assert driven.wait(1) == ([], keepalive(2))
    assert driven.receive(acknowledge(2)) == ([], b"")
    assert driven.wait(29999) == ([], b"")
    assert driven.wait(1) == ([], keepalive(3))


def test_every_transmission_puts_the_keep_alive_off():
    driven = streaming()
    driven.wait(20000)
    ident = driven.send()[0]
    driven.wait(6000)  # one retransmission after 5 s
    driven.receive(acknowledge(ident))
    assert driven.wait(28999) == ([], b"")
    assert driven.wait(1) == ([], keepalive(3))


def test_keep_alive_without_a_05_is_repeated_then_the_connection_is_closed():
    driven = streaming()
    assert driven.wait(44999) == ([], keepalive(2) * 3)
    assert driven.wait(1) == ([ts.EV_LOST], b"")


def mute_session(driven, with_result=True):
    """One session in which results may be acknowledged, keep-alives never; return whether it was closed for that."""
    driven.to_streaming()
    if with_result:
        driven.receive(acknowledge(driven.send()[0]))
    lost = driven.wait(46000)[0] == [ts.EV_LOST]
    if not lost:
        driven.closed()
    return lost


def test_keep_alive_acknowledgement_is_not_expected_after_three_sessions_without():
    driven = Driven()
    assert [mute_session(driven) for _ in range(5)] == [True, True, True, False, False]


def test_session_without_an_acknowledged_result_teaches_nothing_about_keep_alives():
    driven = Driven()
    assert [mute_session(driven, False) for _ in range(5)] == [True] * 5


def test_one_acknowledged_keep_alive_forgets_the_sessions_without():
    driven = Driven()
    assert [mute_session(driven) for _ in range(2)] == [True, True]
    driven.to_streaming()
    driven.wait(30000)
    driven.receive(acknowledge(driven.session.ident - 1))
    driven.closed()
    assert [mute_session(driven) for _ in range(4)] == [True, True, True, False]


def test_keep_alive_that_no_one_takes_neither_spins_nor_stays_for_ever():
    driven = Driven()
    while mute_session(driven):
        pass
    driven.to_streaming()
    driven.takes = 3
    driven.wait(30000)
    assert driven.session.tick(driven.clock.now) == 5000
    assert driven.wait(5000)[0] == [ts.EV_LOST]


# -- after a loss


def test_loss_forgets_telegram_that_was_out_and_next_connection_begins_with_06():
    driven = streaming()
    driven.takes = 300
    ident = driven.send()[0]
    driven.closed()
    driven.takes = 9999
    driven.wait(60000)
    assert driven.to_pim_info()[1].startswith(ACKNOWLEDGE_12)
    driven.receive(information(driven.session.ident - 1))
    assert driven.opened() == ([ts.EV_STREAMING], keepalive(4))
    assert driven.receive(acknowledge(ident)) == ([ts.EV_FOREIGN], b"")
    assert not driven.session.can_send()
    driven.receive(acknowledge(4))
    assert driven.session.can_send()
    driven.send()
    driven.closed()
    assert driven.session.proven


def closed_on_the_result(driven, sequence=16):
    """One connection: the 06 has its 05, the result has none; return the pause before the next one."""
    driven.takes = 9999
    driven.to_pim_info()
    driven.receive(information(driven.session.ident - 1, sequence))
    driven.opened()
    if driven.session.outstanding.kind:
        driven.receive(acknowledge(driven.session.ident - 1))
    driven.send()
    driven.closed()
    return pause(driven)


def pause(driven):
    """Return the ms until the next attempt, which is under way at once where there is none."""
    return driven.session.wait.left(driven.clock.now) if driven.session.state == ts.WAITING else 0


def test_server_that_answers_a_06_and_closes_on_each_result_is_not_stormed():
    driven = streaming()
    driven.send()
    driven.closed()
    driven.wait(60000)
    pauses = [closed_on_the_result(driven) for _ in range(22)]
    assert pauses == [0] + [1000] * 12 + [2000, 4000, 8000, 16000, 32000] + [60000] * 4


def test_short_reconnect_is_never_made_longer_and_a_05_or_an_08_with_news_ends_the_pauses():
    driven = streaming(reconnect_ms=100)
    driven.send()
    driven.closed()
    assert [closed_on_the_result(driven) for _ in range(20)] == [0] + [100] * 19
    driven = streaming()
    driven.send()
    driven.closed()
    assert [closed_on_the_result(driven, n) for n in (16, 16, 17, 18, 18)] == [0, 1000, 0, 0, 1000]
    driven.to_pim_info()
    driven.receive(information(driven.session.ident - 1, 18))
    driven.opened()
    driven.receive(acknowledge(driven.session.ident - 1))
    driven.session.owner = stub(newest_sent=1)
    driven.receive(acknowledge(driven.send()[0], 99))  # a refusal is an answer
    driven.closed()
    assert pause(driven) == 0


def answered_and_closed(driven, lasts_ms=0, newest=1, has_news=False):
    """One connection: what goes out has its 05, then it is closed; return the pause before the next one."""
    driven.takes = 9999
    driven.to_pim_info()
    driven.receive(information(driven.session.ident - 1, 16))
    driven.opened()
    driven.session.owner = stub(newest_sent=newest)
    driven.session.heartbeat.has_news = has_news
    driven.receive(acknowledge(driven.send()[0]))
    driven.clock.advance(lasts_ms)
    driven.closed()
    return pause(driven)


def test_server_that_takes_the_same_again_and_closes_is_not_stormed():
    driven = Driven()
    pauses = [answered_and_closed(driven) for _ in range(23)]
    assert pauses == [0] * 2 + [1000] * 12 + [2000, 4000, 8000, 16000, 32000] + [60000] * 4
    assert answered_and_closed(driven, newest=2) == 0, "it is a new one"
    assert [answered_and_closed(driven, newest=2) for _ in range(3)] == [0, 1000, 1000]
    assert answered_and_closed(driven, newest=2, has_news=True) == 0
    assert [answered_and_closed(driven, newest=2) for _ in range(2)] == [0, 1000]
    driven = Driven()
    assert [answered_and_closed(driven, lasts_ms=6000) for _ in range(20)] == [0] * 20, "it served for a while"


def wary(driven):
    """Let a result have no answer on a connection that answers nothing, and connect once more."""
    driven.send()
    driven.closed()
    assert not driven.session.proven
    driven.wait(60000)
    driven.to_pim_info()
    driven.receive(information(driven.session.ident - 1))
    return driven, driven.opened()[1]


def test_loss_while_waiting_is_none():
    driven = Driven()
    driven.closed()
    assert driven.closed() == ts.EV_NONE


def test_stopped_session_closes_and_asks_for_nothing_any_more():
    driven = streaming()
    driven.send()
    driven.session.stop()
    assert driven.turn() == ([], b"") and driven.commands[-1] == ts.CMD_CLOSE
    assert driven.session.tick(driven.clock.now) == FOREVER
    count = len(driven.commands)
    driven.clock.advance(100000)
    assert driven.turn() == ([], b"") and len(driven.commands) == count
