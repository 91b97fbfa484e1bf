"""What is known of a controller's IDs is the same at a start as while running, and a snapshot is all or nothing."""

from toolcart.agent.openprotocol import id_ledger as kn
from toolcart.agent.openprotocol.duplicate_search import BLOCKS_SEARCHED, SAME_ID_MOST, Look
from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.spindles import SeveralSubscription
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.support.log import Area, body_of, take_all
from host_tests.support.log import put as put_anyhow
from host_tests.support.recovery import PAYLOAD, FakeLog, FakeState, Result

PORTABLE = True
HEAP = "2m"

LAST_ID = ID_PERIOD - 1
PLACES = {"TORQUE": res.TORQUE, "ANGLE": res.ANGLE, "TIME": res.TIME}


def made():
    state = FakeState()
    state.log = FakeLog()
    return kn.Known(state)


def store(known, ident, key=1):
    known.stored(KIND_RESULT, 0, Result(key, ident, key).payload, 0, PAYLOAD)
    return known


def digest(ident, key=1, flags=0, **fields):
    found = bytearray(kn.DIGEST_BYTES)
    body = bytearray(Result(key, ident, key).payload[res.HEAD_BYTES :])
    for name, value in fields.items():
        at = PLACES[name]
        body[at : at + len(value)] = value
    kn.put_digest(found, 0, body, 0, flags)
    return found


def proven(*idents):
    """Known as after these were pushed on a connection that has proven what the IDs mean."""
    known = made()
    for ident in idents:
        store(known, ident)
    return known


def test_ids_go_over_the_wrap():
    known = proven(LAST_ID - 1, LAST_ID, 0, 1, 4)
    assert known.top() == 4 and known.ranges == [[2, 3]]
    known = proven(LAST_ID - 1, 2)
    assert known.ranges == [[LAST_ID, 1]] and known.missing() == 3
    known = proven(LAST_ID, 1)
    assert known.ranges == [], "0 cannot be asked for"


def test_a_third_range_joins_the_two_that_are_nearest():
    known = proven(1, 10, 12, 30)
    assert known.ranges == [[2, 11], [13, 29]]
    known = proven(1, 10, 11, 12, 30, 32)
    assert known.ranges == [[2, 9], [13, 31]]


def test_same_is_told_by_id_time_and_values():
    one = digest(41, 7)
    assert kn.same(one, digest(41, 7))
    assert not kn.same(one, digest(42, 7)) and not kn.same(one, digest(41, 8))
    assert not kn.same(one, digest(41, 7, TORQUE=b"000009"))
    assert not kn.same(one, digest(41, 7, ANGLE=b"00009"))
    assert kn.same(one, digest(41, 7, TORQUE=b"      ")), "a field that is blank says nothing"
    assert kn.same(one, digest(41, 7, ANGLE=b"     "))
    assert kn.same(one, digest(41, 7, res.FLAG_ODD, ANGLE=b"00070")), "in parts of a degree"
    assert kn.same(one, digest(41, 7, res.FLAG_EDGE_TIME, TIME=b"\x20\x30\x01\x01\0\0\0")), "the agent's own time"
    unread = bytearray(kn.DIGEST_BYTES)
    kn.put_unread(unread, 41)
    assert kn.same(one, unread) and not kn.same(digest(40, 7), unread)
    frames = [bytearray(kn.DIGEST_BYTES) for _ in range(2)]
    for check in (0, 0x80, 0xFF, 0x3FFFFFFF):
        kn.put_unread(frames[0], 41, check)
        kn.put_unread(frames[1], 41, check ^ 0x10)
        assert kn.same(frames[0], frames[0]) and not kn.same(*frames)
        assert not kn.same(one, frames[0]) and not kn.same(frames[0], digest(41, 7, TORQUE=b"      "))


def test_a_powermacs_is_asked_for_the_last_one_once_more():
    known = made()
    subscription = SeveralSubscription("powermacs", known)
    for stored, asked in ((0, LAST_ID), (1, LAST_ID), (2, 1), (LAST_ID, LAST_ID - 1)):
        known.put_top(digest(stored))
        subscription.revision()
        assert bytes(subscription.data[:10]) == b"%010d" % asked


# The log says whether it holds this very tightening or frame, as far back as it is asked, or that it cannot say.


def log_of(count, **options):
    log = Area(blocks=20, block_bytes=1024, unit_bytes=16).mount(**options)[1]
    for ident in range(1, count + 1):
        put(log, body_of(ident))
    return log


def payload_of(body, spindle=1, tail=b""):
    """A payload with this body, in a page."""
    return b"##" + bytes((9, 0, 0, 0, 10, 0, spindle, 0)) + bytes(body) + tail


def holds(look, body, flags=0, **where):
    payload = payload_of(body, **where)
    return look.holds(payload, 2, len(payload) - 2, flags)


def put(log, body, flags=0, kind=KIND_RESULT, epoch=0):
    """Append a body or a frame; what waits is taken, so that there is always room."""
    take_all(log)
    assert put_anyhow(log, body, kind, flags, bytes((10, 0, 1, epoch))) == 0


def test_id_that_stands_still_is_compared_with_the_newest_alone():
    def still(number):
        body = body_of(7)
        body[res.TORQUE : res.TORQUE + 6] = b"%06d" % number
        return body

    for block_bytes in (1024, 4096, 16384):
        log = Area(blocks=20, block_bytes=block_bytes, unit_bytes=16).mount(when_full=1)[1]
        look = Look(log)
        for number in range(5 * SAME_ID_MOST):
            assert holds(look, still(number)) == 0
            put(log, still(number))
            for behind in (0, 1, SAME_ID_MOST // 2, SAME_ID_MOST - 1):
                assert behind > number or holds(look, still(number - behind)) == 1, (block_bytes, number, behind)
    assert holds(look, still(0)) == 0, "each block is compared, however old"


def test_result_without_an_id_is_looked_for_in_the_newest_blocks():
    log = log_of(5)
    look = Look(log)
    body = body_of(6)
    body[res.TIGHTENING_ID : res.SERIAL] = b" " * 10
    assert holds(look, body) == 0
    put(log, body)
    for ident in range(6, 10):
        put(log, body_of(ident))
    assert holds(look, body) == 1
    for ident in range(10, 10 + BLOCKS_SEARCHED * 8):
        put(log, body_of(ident))
    assert holds(look, body) == 0


def test_frame_is_known_by_all_its_octets():
    log = log_of(3)
    look = Look(log)
    frame = b"0030006100100000      what no one can read"
    assert look.holds_frame(b"#" + frame, 1, len(frame)) == 0
    put(log, frame, 0, KIND_RAW)
    assert look.holds_frame(b"#" + frame, 1, len(frame)) == 1
    assert look.holds_frame(frame + b"!", 0, len(frame) + 1) == 0
    assert look.holds_frame(frame[:-1] + b"!", 0, len(frame)) == 0


def test_frame_that_was_pushed_is_known_by_the_id_in_it():
    log = log_of(3)
    look = Look(log)
    put(log, b"0061 0000000042 x", 0, KIND_RAW, 3)
    put(log, b"0065 0000000043 x", res.FLAG_RECOVERED, KIND_RAW, 3)
    assert look.holds_pushed(b"0000000042", 5, 3, 0) == 1
    assert look.holds_pushed(b"0000000042", 6, 3, 0) == 0
    assert look.holds_pushed(b"0000000042", 5, 4, 0) == 0, "its IDs meant something else"
    assert look.holds_pushed(b"0000000043", 5, 3, 0) == 0, "it was asked for"
    assert look.holds_pushed(b"0000000042", 100, 3, 0) == 0
