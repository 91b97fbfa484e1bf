"""A header with the spindle in front of the revision is the usual one for everything above the link."""

from toolcart.agent.link import LINK_MESSAGE
from toolcart.agent.link.header_layouts import header_of
from toolcart.agent.link.r3964 import R3964
from toolcart.agent.link.serial_ascii import SerialAscii
from toolcart.agent.link.stream import Stream
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.header import put_header
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from host_tests.agent.link.test_stream import feed
from host_tests.support.frames import EXAMPLE, accepted, refused
from host_tests.support.talk import STARTED, Talk, give

PORTABLE = True
HEAP = "2m"


def other(frame, spindle=b"00", spare=b"0" * 7):
    """The same message as it is there: length, MID, spindle, revision, seven that are skipped (878 p. 338)."""
    revision = frame[8:11] if frame[8:11].strip() else b"001"
    return frame[:8] + spindle + revision + spare + frame[20:]


def test_what_has_no_room_there_is_left_out():
    buf = bytearray(20)
    put_header(buf, 0, 20, 60, 999)
    buf[11:20] = b"0071208  "
    header_of("op-ford").write(buf, 0)
    assert buf == b"0020006012999" + b"0" * 7 or buf == b"0020006071999" + b"0" * 7, buf


def test_a_stream_reads_and_writes_it_wherever_it_is_cut():
    frames = [EXAMPLE, accepted(60), refused(1, 97)]
    octets = b"".join([other(frame, b"07") + b"\0" for frame in frames])
    for cut in range(1, len(octets), 7):
        stream = Stream(700)
        stream.header = header_of("op-ford")
        messages = []
        for piece in (octets[:cut], octets[cut:]):
            messages += [octets for _, octets in feed(stream, piece)]
        assert [frame[:4] + frame[4:8] + frame[14:16] + frame[20:] for frame in messages] == [
            frame[:8] + b"07" + frame[20:] for frame in frames
        ]


def test_a_serial_line_reads_and_writes_it_once():
    link = SerialAscii()
    link.header = header_of("op-bmw")
    octets = b"\x02" + other(accepted(60), b"02", b"spare**") + b"\0\x03"
    assert next(give(link, octets)) == LINK_MESSAGE and bytes(link.buf[8:24]) == b"001   02    0060"
    assert link.pushed() in (True, False)
    link.tx[link.tx_at : link.tx_at + 20] = b"002000600010  02    "
    link.post(20)
    sent = bytes(link.tx[link.tx_from : link.tx_from + link.pending])
    assert b"002000600200100000" in sent
    r3964 = R3964()
    r3964.header = header_of("op-bmw")
    r3964.tx[r3964.tx_at : r3964.tx_at + 20] = b"00200001006         "
    r3964.post(20)
    assert b"00200001000060000000" in bytes(r3964.tx)


class Ford(Talk):
    """A session whose controller speaks the other header; `deliver` brings what that says into this form."""

    def __init__(self, spindle=0, **settings):
        self.spindle = spindle
        Talk.__init__(self, **settings)

    def connect(self):
        self.link.header = header_of("op-ford")
        self.session.spindle_id = self.spindle
        Talk.connect(self)

    def deliver(self, *messages):
        return Talk.deliver(self, *[other(frame, b"%02d" % self.spindle, b"       ") for frame in messages])


def test_a_session_with_any_spindle_starts_subscribes_and_acknowledges():
    for spindle in (0, 1, 7, 42, 99):
        own = b"%02d" % spindle
        talk = Ford(spindle, subscriptions=(Subscription(RESULTS, (999, 1)),), start_revisions=(2, 1))
        assert talk.take() == [b"00200001" + own + b"002" + b"0" * 7]
        assert talk.deliver(refused(1, 97)) == [session_states.EV_REJECTED]
        assert talk.take() == [b"00200001" + own + b"001" + b"0" * 7]
        assert talk.deliver(STARTED) == [session_states.EV_STARTED]
        assert talk.take() == [b"00200060" + own + b"999" + b"0" * 7]
        assert talk.deliver(accepted(60)) == [session_states.EV_READY]
        assert talk.deliver(EXAMPLE) == [session_states.EV_PUSHED]
        assert talk.session.received.revision == 999 and talk.take() == [b"00200062" + own + b"001" + b"0" * 7]
        talk.wait(7500)
        assert talk.take() == [b"00209999" + own + b"001" + b"0" * 7]
        talk.session.fetch()
        talk.settle()
        assert talk.take() == [b"00300064" + own + b"002" + b"0" * 7 + b"0" * 10]
