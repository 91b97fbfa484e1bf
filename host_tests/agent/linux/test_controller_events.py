"""What a controller tells beside results becomes events of the log, once each."""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.counters import Counters
from toolcart.agent.linux.controller_events import ControllerEvents
from toolcart.agent.log.log import LOG_FULL
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NOT_KEPT
from host_tests.portable import stub
from host_tests.support.frames import message
from host_tests.support.log import Area, held
from host_tests.support.station import Clock

TIME = b"2024-03-14:09:26:53"

# OP 5.10.2 p. 163-164, OP 5.10.5 p. 166, OP 5.10.7 p. 166-167, and releases 2.9 and later: MID, data, (what, code,
# ready, text).
EVENT_MESSAGES = (
    (71, b"01E404" + b"021" + b"030" + b"04" + TIME, (ev.ALARM, b"E404 ", b"10", b"")),
    (
        71,
        b"0110102" + b"020" + b"031" + b"04" + TIME + b"05" + b"Tool hot" + b" " * 42,
        (ev.ALARM, b"10102", b"01", b"Tool hot"),
    ),
    (71, b"01E404 " + b"021" + b"031" + b"04" + TIME, (ev.ALARM, b"E404 ", b"11", b"")),
    (
        71,
        b"01E404 " + b"021" + b"031" + b"04" + TIME + b"052" + b"06" + b"x" * 50,
        (ev.ALARM, b"E404 ", b"11", b"x" * 50),
    ),
    (76, b"011" + b"02E404" + b"031" + b"040" + b"05" + TIME, (ev.ALARM, b"E404 ", b"10", b"")),
    (76, b"011" + b"02E8511" + b"031" + b"041" + b"05" + TIME, (ev.ALARM, b"E8511", b"11", b"")),
    (76, b"011" + b"02E8511" + b"031" + b"041" + b"05" + TIME + b"061", (ev.ALARM, b"E8511", b"11", b"")),
)


class Bench:
    """A station's log, and what controller_events know of the rest of it."""

    def __init__(self, blocks=15):
        self.area = Area(blocks, 1024, 16)
        self.counters = Counters()
        self.clock = Clock()
        self.station = 10
        self.limits = None
        self.start()

    def start(self):
        self.log = self.area.mount()[1]
        self.controller_events = ControllerEvents(self)

    def finish_replay(self):
        return self.log.settle()

    def put(self, mid, data):
        frame = b"##" + message(mid, data)
        return self.controller_events.put(mid, frame, 2, len(frame) - 2, 1000)

    def events(self):
        """Return (flags, payload) of each event, oldest first."""
        return [(flags, payload) for _, kind, flags, payload in held(self.log) if kind == KIND_EVENT]


def test_a_log_that_accepts_none_says_so():
    bench = Bench()
    bench.log.append = lambda kind, flags, length: LOG_FULL
    assert bench.put(*EVENT_MESSAGES[0][:2]) == NOT_KEPT and bench.counters.counts[counter.EVENTS] == 0


PSET_2 = b"01012" + b"02" + b"Airbag".ljust(25) + b"03" + TIME + b"041" + b"0506" + b"x" * 60
JOB_1 = b"0107" + b"020" + b"031" + b"040008" + b"050003" + b"06" + TIME
JOB_4 = b"010007" + JOB_1[4:] + b"07001" + b"08003" + b"0901" + b"1001"
JOB_5 = JOB_4 + b"1100042" + b"12" + b"VIN".ljust(25) + (b"13" + b" " * 25) + (b"14" + b" " * 25) + (b"15" + b" " * 25)
VIN_2 = b"01" + b"WVW1".ljust(25) + b"02" + b"two".ljust(25) + b"03" + b" " * 25 + b"04" + b"four".ljust(25)


def test_counter_of_job_is_no_event_but_what_becomes_of_job_is():
    bench = Bench()

    def tell(made, status=b"0", tightening=b"01", sequence=b"00042"):
        data = JOB_5.replace(b"050003", b"05" + made).replace(b"020", b"02" + status, 1)
        return bench.put(35, data.replace(b"1001", b"10" + tightening).replace(b"1100042", b"11" + sequence))

    assert tell(b"0000") == KEPT
    for made in (b"0001", b"0002", b"0003"):
        assert tell(made) == KEPT_BEFORE
    assert tell(b"0003", tightening=b"02") == KEPT_BEFORE
    assert tell(b"0004", tightening=b"06") == KEPT, "bypassed"
    assert tell(b"0004", tightening=b"06") == KEPT_BEFORE
    assert tell(b"0003") == KEPT, "the counter went back"
    assert tell(b"0008", status=b"1") == KEPT
    assert tell(b"0008", status=b"1", sequence=b"00043") == KEPT
    bench.start()
    assert tell(b"0008", status=b"1", sequence=b"00043") == KEPT_BEFORE


def test_no_length_and_no_octet_does_harm():
    for mid, data in (
        (15, PSET_2),
        (35, JOB_5),
        (52, VIN_2),
        (71, EVENT_MESSAGES[3][1]),
        (76, EVENT_MESSAGES[6][1]),
        (1000, PSET_2),
    ):
        for spoiled in (data, b"\xff" * len(data), b"\0" * len(data), b" " * len(data)):
            bench = Bench()
            for length in range(0, len(data) + 1, 3):
                assert bench.put(mid, spoiled[:length]) in (KEPT, KEPT_BEFORE)
            for _, payload in bench.events():
                assert len(payload) == ev.EVENT_LEAST + payload[ev.TEXT_LENGTH] <= ev.EVENT_MOST
        assert Bench().put(mid, data + b"9" * 900) in (KEPT, KEPT_BEFORE)


def test_results_have_the_right_of_way():
    calls = []
    frame = message(*EVENT_MESSAGES[0][:2])
    cart = stub(
        cannot_store=False,
        link=stub(buf=frame, at=0, length=len(frame)),
        session=stub(received=stub(mid=71), withhold=lambda: calls.append("withheld")),
        answer=lambda kept, now: calls.append(kept),
    )
    bench = Bench()
    room = bench.log.has_room
    bench.log.has_room = lambda length: False
    bench.controller_events.take(cart, False, 1000)
    assert calls == ["withheld"] and bench.events() == []
    bench.log.has_room = room
    bench.controller_events.take(cart, False, 1000)
    bench.controller_events.take(cart, False, 1000)
    assert calls[1:] == [KEPT, KEPT_BEFORE] and len(bench.events()) == 1
