"""What tells two messages apart tells their records apart: spindle and station of the header, parts, all they say."""

from toolcart.agent.record import KIND_RAW
from toolcart.agent.record.origin import spindle_in
from toolcart.agent.station.store import KEPT, KEPT_BEFORE
from host_tests.portable import HAS_ALL
from host_tests.support.frames import fetched, garbled, light, pushed
from host_tests.support.station import NOW, Bench

PORTABLE = True
HEAP = "2m"

REVISIONS = (999, 1, 2, 3, 4, 5, 6, 7) if HAS_ALL else (999, 1, 7)


def placed(frame, station=b"01", spindle=b"01"):
    """The frame with these two fields of its header."""
    return frame[:12] + station + spindle + frame[16:]


def made(revision, **fields):
    return light(**fields) if revision == 999 else pushed(revision, **fields)


def test_stations_on_one_connection_are_stored_each_once():
    for revision in REVISIONS:
        frame = made(revision)
        bench = Bench()
        for station, kept in ((b"  ", KEPT), (b"02", KEPT), (b"01", KEPT_BEFORE), (b"00", KEPT_BEFORE), (b"10", KEPT)):
            assert bench.push(placed(frame, station)) == kept, (revision, station)
        bench.start()
        for station, kept in ((b"01", KEPT_BEFORE), (b"02", KEPT_BEFORE), (b"10", KEPT_BEFORE), (b"20", KEPT)):
            assert bench.push(placed(frame, station)) == kept, (revision, station)


def test_whatever_else_a_longer_message_says_tells_two_apart():
    for revision, fields in ((1, ("cell", "channel")), (2, ("channel", "sync_id", "rundown")), (7, ("current",))):
        for field in fields:
            bench = Bench()
            one = pushed(revision, **{field: 3})
            other = pushed(revision, **{field: 4})
            assert bench.push(one) == KEPT and bench.push(other) == KEPT, (revision, field)
            bench.start()
            assert bench.push(one) == KEPT_BEFORE and bench.push(other) == KEPT_BEFORE


def test_fetched_result_of_another_spindle_is_stored():
    for revision in (1, 2, 7):
        for pushed_as in REVISIONS:
            bench = Bench()
            bench.push(placed(made(pushed_as), b"01", b"02"))
            answer = fetched(revision)
            assert bench.fetch(placed(answer, b"01", b"02")) == KEPT_BEFORE
            assert bench.fetch(placed(answer, b"  ", b"  ")) == KEPT_BEFORE, "it names none"
            assert bench.fetch(placed(answer, b"01", b"01")) == KEPT
            assert bench.fetch(placed(answer, b"02", b"02")) == KEPT
            assert [spindle_in(payload, 0) for _, _, payload in bench.results()] == [2, 1, 2]


def test_frames_no_one_can_read_are_told_apart_by_their_headers():
    bench = Bench()
    for station, spindle, kept in (
        (b"01", b"01", KEPT),
        (b"01", b"02", KEPT),
        (b"02", b"01", KEPT),
        (b"01", b"02", KEPT_BEFORE),
    ):
        assert bench.push(placed(garbled(), station, spindle)) == kept
    assert len(bench.records(KIND_RAW)) == 3


def test_frame_fetched_of_another_spindle_than_the_one_pushed_is_kept():
    bench = Bench()
    frame = placed(light(status=b"#", time=b"#" * 19, torque=b"#" * 6), b"01", b"02")
    assert bench.push(frame) == KEPT and len(bench.records(KIND_RAW)) == 1
    answer = b"0065" + frame[4:]
    for spindle, kept in ((b"  ", KEPT_BEFORE), (b"02", KEPT_BEFORE), (b"01", KEPT)):
        other = placed(answer, b"01", spindle)
        assert bench.store.put_fetched_raw(other, 0, len(other), b"0001234567", 111, NOW) == kept, spindle
