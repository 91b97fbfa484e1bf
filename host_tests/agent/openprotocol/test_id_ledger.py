"""What is known of a controller's IDs is the same at a start as while running, and a snapshot is all or nothing."""

from toolcart.agent.openprotocol import id_ledger, result_digest
from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.openprotocol.spindle_subscription import MultiSpindleSubscription
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.support.recovery import PAYLOAD, FakeLog, FakeState, Result

PORTABLE = True
HEAP = "2m"

LAST_ID = ID_PERIOD - 1
PLACES = {"TORQUE": res.TORQUE, "ANGLE": res.ANGLE, "TIME": res.TIME}


def made():
    state = FakeState()
    state.log = FakeLog()
    return id_ledger.IdLedger(state)


def store(ledger, ident, key=1):
    ledger.stored(KIND_RESULT, 0, Result(key, ident, key).payload, 0, PAYLOAD)
    return ledger


def digest(ident, key=1, flags=0, **fields):
    octets = bytearray(result_digest.FINGERPRINT_BYTES)
    body = bytearray(Result(key, ident, key).payload[res.HEAD_BYTES :])
    for name, value in fields.items():
        at = PLACES[name]
        body[at : at + len(value)] = value
    result_digest.put_digest(octets, 0, body, 0, flags)
    return octets


def proven(*idents):
    """The ledger as after these were pushed on a connection that has proven what the IDs mean."""
    ledger = made()
    for ident in idents:
        store(ledger, ident)
    return ledger


def test_ids_go_over_the_wrap():
    ledger = proven(LAST_ID - 1, LAST_ID, 0, 1, 4)
    assert ledger.top() == 4 and ledger.ranges == [[2, 3]]
    ledger = proven(LAST_ID - 1, 2)
    assert ledger.ranges == [[LAST_ID, 1]] and missing_most(ledger) == 3
    ledger = proven(LAST_ID, 1)
    assert ledger.ranges == [], "0 cannot be asked for"


def test_of_more_than_two_ranges_the_first_is_written_apart():
    ledger = proven(1, 10, 12, 30)
    assert ledger.ranges == [[2, 9], [11, 11], [13, 29]] and missing_most(ledger) == 26
    ledger.load()
    assert ledger.ranges == [[2, 9], [11, 29]] and ledger.doubted == 1
    ledger = proven(*range(2, 200, 2))
    assert len(ledger.ranges) == 12 and ledger.ranges[:2] == [[3, 3], [5, 5]] and ledger.ranges[-1] == [25, 197]


def test_a_repeat_is_recognised_by_id_time_and_values():
    one = digest(41, 7)
    assert result_digest.same(one, digest(41, 7))
    assert not result_digest.same(one, digest(42, 7)) and not result_digest.same(one, digest(41, 8))
    assert not result_digest.same(one, digest(41, 7, TORQUE=b"000009"))
    assert not result_digest.same(one, digest(41, 7, ANGLE=b"00009"))
    assert result_digest.same(one, digest(41, 7, TORQUE=b"      ")), "a field that is blank says nothing"
    assert result_digest.same(one, digest(41, 7, ANGLE=b"     "))
    assert result_digest.same(one, digest(41, 7, res.FLAG_ODD, ANGLE=b"00070")), "in parts of a degree"
    assert result_digest.same(one, digest(41, 7, res.FLAG_EDGE_TIME, TIME=b"\x20\x30\x01\x01\0\0\0")), (
        "the agent's own time"
    )
    unread = bytearray(result_digest.FINGERPRINT_BYTES)
    result_digest.put_unread(unread, 41)
    assert result_digest.same(one, unread) and not result_digest.same(digest(40, 7), unread)
    frames = [bytearray(result_digest.FINGERPRINT_BYTES) for _ in range(2)]
    for check in (0, 0x80, 0xFF, 0x3FFFFFFF):
        result_digest.put_unread(frames[0], 41, check)
        result_digest.put_unread(frames[1], 41, check ^ 0x10)
        assert result_digest.same(frames[0], frames[0]) and not result_digest.same(*frames)
        assert not result_digest.same(one, frames[0]) and not result_digest.same(
            frames[0], digest(41, 7, TORQUE=b"      ")
        )


def test_a_powermacs_is_asked_for_the_last_one_once_more():
    ledger = made()
    subscription = MultiSpindleSubscription("powermacs", ledger)
    for stored, number in ((0, LAST_ID), (1, LAST_ID), (2, 1), (LAST_ID, LAST_ID - 1)):
        ledger.put_top(digest(stored))
        subscription.revision()
        assert bytes(subscription.data[:10]) == b"%010d" % number
