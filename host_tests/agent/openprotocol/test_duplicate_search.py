"""The log says whether it holds this very tightening or frame, as far back as it is asked, or that it cannot say."""

from toolcart.agent.openprotocol.duplicate_search import BLOCKS_SEARCHED, SAME_ID_MOST, DuplicateSearch
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.portable import HAS_ALL
from host_tests.support.log import Area, body_of, take_all
from host_tests.support.log import put as put_anyhow

PORTABLE = True
HEAVY = True
HEAP = "2m"


def log_of(count, **options):
    log = Area(blocks=20, block_bytes=1024, unit_bytes=16).mount(**options)[1]
    for ident in range(1, count + 1):
        put(log, body_of(ident))
    return log


def payload_of(body, spindle=1, tail=b""):
    """A payload with this body, in a page."""
    return b"##" + bytes((9, 0, 0, 0, 10, 0, spindle, 0)) + bytes(body) + tail


def holds(look, body, flags=0, is_pushed=False, **where):
    payload = payload_of(body, **where)
    return look.holds(payload, 2, len(payload) - 2, flags, is_pushed)


def put(log, body, flags=0, kind=KIND_RESULT, epoch=0):
    """Append a body or a frame; what waits is taken, so that there is always room."""
    take_all(log)
    assert put_anyhow(log, body, kind, flags, bytes((10, 0, 1, epoch))) == 0


def test_id_that_stands_still_is_compared_with_the_newest_alone():
    def still(number):
        body = body_of(7)
        body[res.TORQUE : res.TORQUE + 6] = b"%06d" % number
        return body

    for block_bytes in (1024, 4096, 16384) if HAS_ALL else (4096,):
        log = Area(blocks=20, block_bytes=block_bytes, unit_bytes=16).mount(when_full=1)[1]
        look = DuplicateSearch(log)
        for number in range(5 * SAME_ID_MOST):
            assert holds(look, still(number)) == 0
            put(log, still(number))
            for behind in (0, 1, SAME_ID_MOST // 2, SAME_ID_MOST - 1):
                assert behind > number or holds(look, still(number - behind)) == 1, (block_bytes, number, behind)
    assert holds(look, still(0)) == 0, "each block is compared, however old"


def test_push_without_id_and_time_may_be_another_one_and_is_said_to_be_in_doubt():
    for ident, flags, is_pushed, expected in (
        (b" " * 10, res.FLAG_EDGE_TIME, True, (0, True)),
        (b"0" * 10, res.FLAG_EDGE_TIME, True, (0, True)),
        (b"0000000006", res.FLAG_EDGE_TIME, True, (1, False)),
        (b" " * 10, 0, True, (1, False)),
        (b" " * 10, res.FLAG_EDGE_TIME, False, (1, False)),
    ):
        log = log_of(5)
        look = DuplicateSearch(log)
        body = body_of(6)
        body[res.TIGHTENING_ID : res.SERIAL] = ident
        put(log, body, flags)
        assert (holds(look, body, flags, is_pushed), look.search.skipped) == expected
        assert holds(look, body_of(5)) == 1 and not look.search.skipped


def test_result_without_an_id_is_looked_for_in_the_newest_blocks():
    log = log_of(5)
    look = DuplicateSearch(log)
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
    look = DuplicateSearch(log)
    frame = b"0030006100100000      what no one can read"
    assert look.holds_frame(b"#" + frame, 1, len(frame)) == 0
    put(log, frame, 0, KIND_RAW)
    assert look.holds_frame(b"#" + frame, 1, len(frame)) == 1
    assert look.holds_frame(frame + b"!", 0, len(frame) + 1) == 0
    assert look.holds_frame(frame[:-1] + b"!", 0, len(frame)) == 0


def test_frame_that_was_pushed_is_known_by_the_id_in_it():
    log = log_of(3)
    look = DuplicateSearch(log)
    put(log, b"0061 0000000042 x", 0, KIND_RAW, 3)
    put(log, b"0065 0000000043 x", res.FLAG_RECOVERED, KIND_RAW, 3)
    assert look.holds_pushed(b"0000000042", 5, 3, 0) == 1
    assert look.holds_pushed(b"0000000042", 6, 3, 0) == 0
    assert look.holds_pushed(b"0000000042", 5, 4, 0) == 0, "its IDs meant something else"
    assert look.holds_pushed(b"0000000043", 5, 3, 0) == 0, "it was asked for"
    assert look.holds_pushed(b"0000000042", 100, 3, 0) == 0
