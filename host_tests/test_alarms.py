"""What a controller tells of alarms becomes events of the log, once each."""

from agent import health as h
from agent.alarms import Alarms
from agent.health import Health
from agent.record import event as ev
from agent.record.result import FLAG_EDGE_TIME
from agent.spool import record as rec
from agent.store import KEPT, KEPT_BEFORE, NOT_KEPT
from host_tests.support_frames import message
from host_tests.support_spool import mounted
from host_tests.support_world import Cart
from tools.sim.flash import SimFlash

PORTABLE = True
HEAP = "4m"

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
    def __init__(self, blocks=8):
        self.flash = SimFlash(blocks, 1024, 16)
        self.ring = mounted(self.flash)
        self.health = Health()
        self.alarms = Alarms(self.ring, self.health, Clock(), 10)

    def put(self, mid, data):
        frame = b"##" + message(mid, data)
        return self.alarms.put(mid, frame, 2, len(frame) - 2, 1000)

    def events(self):
        """Return (flags, payload) of each event, oldest first."""
        found = []
        walk = self.ring.walk
        for block in range(self.flash.block_count):
            walk.begin(block, 0, 0)
            while walk.next() > 0:
                if walk.kind == rec.KIND_EVENT:
                    at = rec.HEAD_BYTES
                    found.append((walk.seq, walk.flags, bytes(walk.page[at : at + walk.length])))
        return [one[1:] for one in sorted(found)]


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
    bench.ring.begin = lambda kind, octets: -1
    assert bench.put(*TOLD[0][:2]) == NOT_KEPT and bench.health.counters[h.EVENTS] == 0


def test_without_an_outlet_for_events_nobody_asks_for_alarms():
    cart = Cart().ready()
    cart.run(3000)
    assert 70 not in cart.controller.messages
