"""A repeat is known by ID and time, as far back as is searched, and never by a record that does not count."""

from agent.record import result as res
from agent.spool.search import holds, holds_another
from host_tests.support_spool import append, body_of, mounted, read_all
from tools.sim.flash import EMERGES, FADES, PowerCut, SimFlash

PORTABLE = True
HEAP = "2m"


def ring_of(count, blocks=6):
    ring = mounted(SimFlash(blocks, 1024, 16))
    for ident in range(1, count + 1):
        if append(ring, ident):
            read_all(ring)
            append(ring, ident)
    return ring


def test_every_kept_result_is_known_and_no_other():
    ring = ring_of(30)
    for ident in range(1, 31):
        assert holds(ring, body_of(ident), 0), ident
    assert not holds(ring, body_of(31), 0)


def test_the_same_id_at_another_time_is_another_tightening():
    ring = ring_of(10)
    body = body_of(7)
    body[56] ^= 1
    assert not holds(ring, body, 0)


def test_a_fetched_result_may_say_the_same_in_another_way():
    ring = ring_of(10)
    body = body_of(7)
    body[res.BATCH_STATUS] = 0x33
    body[res.ANGLE] = 0x39
    assert not holds(ring, body, 0)
    assert not holds(ring, body, 0, flags=res.FLAG_RECOVERED)  # the angle differs
    assert holds(ring, body, 0, flags=res.FLAG_RECOVERED | res.FLAG_ODD)  # it is in parts of a degree
    body[res.BATCH_COUNTER : res.BATCH_COUNTER + 4] = b"0000"  # not kept by the controller
    assert holds(ring, body, 0, flags=res.FLAG_RECOVERED | res.FLAG_ODD)
    body[res.TORQUE] = 0x39
    assert not holds(ring, body, 0, flags=res.FLAG_RECOVERED | res.FLAG_ODD)


def test_status_beyond_ok_may_be_fetched_as_plain_not_ok():
    ring = ring_of(10)
    body = body_of(7)  # with status 0
    for status, is_same in ((0x30, True), (0x31, False), (0x32, True), (0x35, True), (0x20, True)):
        body[res.TIGHTENING_STATUS] = status
        assert holds(ring, body, 0, flags=res.FLAG_RECOVERED) == is_same, status
        assert holds(ring, body, 0) == (status < 0x31), status


def test_another_one_under_the_same_id_and_time_is_told_by_both_of_its_values():
    ring = ring_of(10)
    body = body_of(7)
    assert not holds_another(ring, body, 0, res.FLAG_RECOVERED)
    body[res.TORQUE] = 0x39
    assert not holds_another(ring, body, 0, res.FLAG_RECOVERED)  # it may be said in another way
    body[res.ANGLE] = 0x39
    assert holds_another(ring, body, 0, res.FLAG_RECOVERED)
    body[res.TIME + 5] ^= 1
    assert not holds_another(ring, body, 0, res.FLAG_RECOVERED)
    assert not holds_another(ring, body_of(31), 0, res.FLAG_RECOVERED)


def test_what_a_worn_block_has_kept_from_before_others_that_are_gone_shows_no_other_one():
    ring = ring_of(9)
    worn = ring.block
    ring.device.bad_erase.add(worn)
    for ident in range(10, 70):
        if append(ring, ident):
            read_all(ring)
            append(ring, ident)
    assert not holds(ring, body_of(20), 0), "the lap is not over"
    stale = [ident for ident in range(1, 20) if holds(ring, body_of(ident), 0)]
    assert stale
    for ident, shows in ((stale[0], False), (stale[-1], False), (69, True), (50, True)):
        body = body_of(ident)
        body[res.TORQUE] = body[res.ANGLE] = 0x39
        assert holds_another(ring, body, 0, res.FLAG_RECOVERED)
        assert holds_another(ring, body, 0, res.FLAG_RECOVERED, unbroken=True) == shows, ident


def test_as_many_blocks_are_searched_as_are_asked_for():
    ring = ring_of(30)
    assert not holds(ring, body_of(1), 0, blocks=2)
    assert holds(ring, body_of(30), 0, blocks=2)


def test_an_area_that_has_grown_is_searched_past_its_empty_blocks():
    ring = ring_of(38)
    grown = mounted(ring.device.grown(12))
    append(grown, 39)
    for ident in range(36, 40):
        assert holds(grown, body_of(ident), 0), ident


def test_what_a_cut_left_is_not_known_when_it_emerges():
    ring = ring_of(3)
    flash = ring.device
    flash.cut_at = flash.operations + 1
    flash.cut_shape = EMERGES
    try:
        append(ring, 4)
    except PowerCut:
        pass
    flash.restart()
    ring = mounted(flash)
    flash.restart()  # now it can be read
    assert not holds(ring, body_of(4), 0)
    append(ring, 5)
    assert not holds(ring, body_of(4), 0)
    assert [ident for _, ident in read_all(ring)] == [1, 2, 3, 5]


def test_what_fades_while_it_is_relied_on_is_not_acknowledged():
    ring = ring_of(3)
    flash = ring.device
    flash.cut_at = flash.operations + 1
    flash.cut_shape = FADES
    try:
        append(ring, 4)
    except PowerCut:
        pass
    flash.restart()
    from agent.spool.mount import mount
    from agent.spool.ring import Ring

    ring = Ring(flash)
    assert mount(ring) == 1
    assert holds(ring, body_of(4), 0)
    flash.restart()
    assert not ring.confirm()  # who has found it is told
    assert ring.confirm()  # nothing is left that would have to be relied on
    assert not holds(ring, body_of(4), 0)
    append(ring, 4)
    assert [ident for _, ident in read_all(ring)] == [1, 2, 3, 4]
