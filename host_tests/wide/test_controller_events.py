"""What a controller tells beside results becomes events of the log, once each."""

from toolcart.agent.base import health as h
from toolcart.agent.base.health import Health
from toolcart.agent.log.log import LOG_FULL
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import FLAG_EDGE_TIME
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NOT_KEPT
from toolcart.agent.wide.controller_events import ControllerEvents
from host_tests.support.frames import message
from host_tests.support.log import Area, held
from host_tests.support.world import Cart

TIME = b"2024-03-14:09:26:53"
PACKED = b"\x20\x24\x03\x14\x09\x26\x53"

# 003:7448-7508, 003:7524-7538, 003:7553-7618, and releases 2.9 and later: MID, data, (what, code, ready, text).
TOLD = (
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


class Clock:
    def stamp_into(self, buf):
        buf[:] = b"2030-01-01:00:00:07"


class Bench:
    """A station's log, and what controller_events know of the rest of it."""

    def __init__(self, blocks=15):
        self.area = Area(blocks, 1024, 16)
        self.health = Health()
        self.clock = Clock()
        self.station = 10
        self.limits = None
        self.start()

    def start(self):
        self.log = self.area.mount()[1]
        self.controller_events = ControllerEvents(self)

    def ready(self):
        return self.log.settle()

    def put(self, mid, data):
        frame = b"##" + message(mid, data)
        return self.controller_events.put(mid, frame, 2, len(frame) - 2, 1000)

    def events(self):
        """Return (flags, payload) of each event, oldest first."""
        return [(flags, payload) for _, kind, flags, payload in held(self.log) if kind == KIND_EVENT]


def test_every_form_of_an_alarm_is_read():
    for mid, data, (what, code, ready, text) in TOLD:
        bench = Bench()
        assert bench.put(mid, data) == KEPT
        ((flags, payload),) = bench.events()
        assert flags == 0 and ev.is_event(payload, 0, len(payload))
        assert payload[:7] == b"\1\0\0\0\x0a\0" + bytes((what,))
        assert payload[ev.TIME : ev.TIME + 7] == PACKED
        assert (payload[ev.CODE : ev.CODE + 5], payload[20:22], payload[22:]) == (code, ready, text), data
        assert bench.health.counters[h.EVENTS] == 1


def test_an_alarm_that_is_told_again_is_known_whichever_message_tells_it():
    bench = Bench()
    assert bench.put(*TOLD[3][:2]) == KEPT
    assert bench.put(*TOLD[3][:2]) == KEPT_BEFORE
    assert bench.put(76, b"011" + b"02E404 " + b"030" + b"040" + b"05" + TIME) == KEPT_BEFORE
    assert bench.put(71, TOLD[3][1].replace(b"E404", b"E405")) == KEPT
    assert bench.put(71, TOLD[3][1].replace(TIME, b"2024-03-14:09:26:54")) == KEPT
    assert len(bench.events()) == 3


def test_an_alarm_acknowledged_on_the_controller_has_the_time_of_the_agent():
    for code in (b"E404", b"10102"):
        bench = Bench()
        assert bench.put(74, code) == KEPT
        ((flags, payload),) = bench.events()
        assert flags == FLAG_EDGE_TIME and payload[ev.WHAT] == ev.ALARM_ACKNOWLEDGED
        assert payload[ev.CODE : ev.CODE + 5] == (code + b" ")[:5] and payload[ev.TIME : ev.TIME + 2] == b"\x20\x30"


def test_no_alarm_is_no_event():
    bench = Bench()
    assert bench.put(76, b"010" + b"02    " + b"031" + b"041" + b"05" + b" " * 19) == KEPT_BEFORE
    assert bench.events() == []


def test_messages_that_end_early_are_read_as_far_as_they_go_or_counted():
    for mid, data, (_, code, _, _) in TOLD:
        for length in range(len(data)):
            bench = Bench()
            kept = bench.put(mid, data[:length])
            assert kept in (KEPT, KEPT_BEFORE)
            events = bench.events()
            malformed = bench.health.counters[h.CONTROLLER_MALFORMED]
            assert len(events) + malformed == 1 or (mid == 76 and not events)
            if events:
                assert events[0][1][ev.CODE : ev.CODE + 4] == code[:4]


def test_a_log_that_takes_none_says_so():
    bench = Bench()
    bench.log.append = lambda kind, flags, length: LOG_FULL
    assert bench.put(*TOLD[0][:2]) == NOT_KEPT and bench.health.counters[h.EVENTS] == 0


def test_without_an_outlet_for_events_no_one_asks_for_alarms():
    cart = Cart().ready()
    cart.run(3000)
    assert 70 not in cart.controller.messages


PSET_1 = b"012" + TIME
PSET_2 = b"01012" + b"02" + b"Airbag".ljust(25) + b"03" + TIME + b"041" + b"0506" + b"x" * 60
JOB_1 = b"0107" + b"020" + b"031" + b"040008" + b"050003" + b"06" + TIME
JOB_4 = b"010007" + JOB_1[4:] + b"07001" + b"08003" + b"0901" + b"1001"
JOB_5 = JOB_4 + b"1100042" + b"12" + b"VIN".ljust(25) + (b"13" + b" " * 25) + (b"14" + b" " * 25) + (b"15" + b" " * 25)
VIN_2 = b"01" + b"WVW1".ljust(25) + b"02" + b"two".ljust(25) + b"03" + b" " * 25 + b"04" + b"four".ljust(25)


def told_by(bench):
    """Return (what, code, text) of each event."""
    return [
        (payload[ev.WHAT], payload[ev.CODE : ev.CODE + 5].strip(), payload[ev.TEXT :]) for _, payload in bench.events()
    ]


def test_parameter_sets_jobs_and_vehicles_are_read_in_every_form():
    figures = b"0" + b"1" + b"0008" + b"0003"
    for mid, data, told in (
        (15, PSET_1, (ev.PSET_SELECTED, b"012", TIME)),
        (15, PSET_2, (ev.PSET_SELECTED, b"012", TIME + b"Airbag")),
        (35, JOB_1, (ev.JOB, b"07", figures)),
        (35, JOB_4[:45], (ev.JOB, b"0007", figures)),
        (35, JOB_4, (ev.JOB, b"0007", figures + b"001" + b"003" + b"01" + b"01")),
        (35, JOB_5, (ev.JOB, b"0007", figures + b"001" + b"003" + b"01" + b"01" + b"00042")),
        (52, b"WVW1".ljust(25), (ev.VIN, b"", b"WVW1")),
        (52, b"x" * 40, (ev.VIN, b"", b"x" * 40)),
        (52, b"01" + b"WVW1".ljust(25), (ev.VIN, b"", b"WVW1")),
        (52, b"01" + b"WVW1".ljust(25) + b"\0", (ev.VIN, b"", b"WVW1")),
        (52, b"01WVW1".ljust(25), (ev.VIN, b"", b"01WVW1")),
        (52, b"01" + b"x" * 26, (ev.VIN, b"", b"01" + b"x" * 26)),
        (52, b"02" + b"x" * 25, (ev.VIN, b"", b"02" + b"x" * 25)),
        (52, VIN_2, (ev.VIN, b"", b"WVW1".ljust(40) + b"two".ljust(50) + b"four")),
        (1000, b"E8511" + TIME + b"000", (ev.ALARM, b"E8511", b"")),
    ):
        bench = Bench()
        assert bench.put(mid, data) == KEPT
        assert told_by(bench) == [told]
        (flags, payload) = bench.events()[0]
        assert flags == (0 if mid in (35, 1000) else FLAG_EDGE_TIME) and ev.is_event(payload, 0, len(payload))
        assert (payload[ev.TIME : ev.TIME + 7] == PACKED) == (mid in (35, 1000))


def test_what_was_known_last_of_its_kind_is_not_written_again_after_a_start_either():
    bench = Bench()
    for mid, data in ((15, PSET_2), (35, JOB_5), (52, VIN_2)):
        assert bench.put(mid, data) == KEPT
        assert bench.put(mid, data) == KEPT_BEFORE
    bench.start()
    for mid, data in ((15, PSET_2), (35, JOB_5), (52, VIN_2)):
        assert bench.put(mid, data) == KEPT_BEFORE
    assert bench.put(15, PSET_2.replace(b"01012", b"01013")) == KEPT
    assert bench.put(15, PSET_2) == KEPT, "the set before the last one is news"
    assert bench.put(52, b" " * 25) == KEPT, "no vehicle any more"
    assert len(bench.events()) == 6


def test_counter_of_job_is_no_event_but_what_becomes_of_job_is():
    bench = Bench()

    def tell(counter, status=b"0", tightening=b"01", sequence=b"00042"):
        data = JOB_5.replace(b"050003", b"05" + counter).replace(b"020", b"02" + status, 1)
        return bench.put(35, data.replace(b"1001", b"10" + tightening).replace(b"1100042", b"11" + sequence))

    assert tell(b"0000") == KEPT
    for counter in (b"0001", b"0002", b"0003"):
        assert tell(counter) == KEPT_BEFORE
    assert tell(b"0003", tightening=b"02") == KEPT_BEFORE
    assert tell(b"0004", tightening=b"06") == KEPT, "bypassed"
    assert tell(b"0004", tightening=b"06") == KEPT_BEFORE
    assert tell(b"0003") == KEPT, "the counter went back"
    assert tell(b"0008", status=b"1") == KEPT
    assert tell(b"0008", status=b"1", sequence=b"00043") == KEPT
    bench.start()
    assert tell(b"0008", status=b"1", sequence=b"00043") == KEPT_BEFORE


def test_no_length_and_no_octet_does_harm():
    for mid, data in ((15, PSET_2), (35, JOB_5), (52, VIN_2), (71, TOLD[3][1]), (76, TOLD[6][1]), (1000, PSET_2)):
        for spoiled in (data, b"\xff" * len(data), b"\0" * len(data), b" " * len(data)):
            bench = Bench()
            for length in range(0, len(data) + 1, 3):
                assert bench.put(mid, spoiled[:length]) in (KEPT, KEPT_BEFORE)
            for _, payload in bench.events():
                assert ev.is_event(payload, 0, len(payload))
        assert Bench().put(mid, data + b"9" * 900) in (KEPT, KEPT_BEFORE)


def test_results_have_the_right_of_way():
    class Cart:
        full = False
        said = []

        class session:
            mid = 71

        class link:
            buf = message(*TOLD[0][:2])
            at = 0
            length = len(buf)

        def answer(self, kept, now):
            self.said.append(kept)

    Cart.session.link = Cart.link
    Cart.session.withhold = staticmethod(lambda: Cart.said.append("withheld"))
    bench = Bench()
    room = bench.log.has_room
    bench.log.has_room = lambda length: False
    bench.controller_events.take(Cart(), False, 1000)
    assert Cart.said == ["withheld"] and bench.events() == []
    bench.log.has_room = room
    bench.controller_events.take(Cart(), False, 1000)
    bench.controller_events.take(Cart(), False, 1000)
    assert Cart.said[1:] == [KEPT, KEPT_BEFORE] and len(bench.events()) == 1
