"""The unit of a torque: an answer that names none is believed where none but Nm was named last."""

from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NO_FIGURES
from host_tests.support.frames import fetched, light, pushed
from host_tests.support.station import NOW, Bench

PORTABLE = True
HEAP = "2m"


def fetched_in(unit, revision=2, **values):
    """Return a MID 0065, whose unit is this octet if it has one."""
    frame = bytearray(fetched(revision, torque=20 * values["tightening_id"], **values))
    if revision > 2:
        frame[228] = unit
    return bytes(frame)


def pushed_in(unit, **values):
    frame = bytearray(pushed(4, torque=20 * values["tightening_id"], **values))
    frame[414] = unit
    return bytes(frame)


def answered(bench, frame):
    """What becomes of an answer to MID 0064."""
    assert bench.store.read_fetched(frame, 0, len(frame), int(frame[8:11]))
    return bench.store.put_fetched(NOW)


def test_fetched_torque_without_unit_is_believed_where_nm_was_named_last():
    for unit, wanted in (
        (b"1", KEPT),
        (b" ", KEPT),
        (b"2", NO_FIGURES),
        (b"8", NO_FIGURES),
        (b"7", NO_FIGURES),
        (b"9", NO_FIGURES),
    ):
        for again in (False, True):
            for revision in (1, 2, 3):
                bench = Bench()
                assert bench.push(pushed_in(unit[0], tightening_id=1)) == KEPT
                if again:
                    bench.start()
                assert answered(bench, fetched_in(0x20, revision, tightening_id=9)) == wanted, (unit, again, revision)
                assert len(bench.results()) == (wanted == KEPT) + (unit != b"9")
                assert answered(bench, fetched_in(0x32, 3, tightening_id=8)) == KEPT


def test_a_named_unit_holds_until_another_one_is_named():
    bench = Bench()
    assert answered(bench, fetched_in(0x20, 2, tightening_id=1)) == KEPT  # none was named
    bench.push(pushed_in(0x32, tightening_id=2))
    bench.push(light(tightening_id=3))  # names none
    assert answered(bench, fetched_in(0x20, 2, tightening_id=4)) == NO_FIGURES
    assert answered(bench, fetched_in(0x20, 2, tightening_id=2)) == KEPT_BEFORE  # it was pushed, with its unit
    assert answered(bench, fetched_in(0x31, 3, tightening_id=5)) == KEPT
    assert answered(bench, fetched_in(0x20, 2, tightening_id=4)) == KEPT
    bench.push(pushed_in(0x38, tightening_id=6))
    bench.ledger.put_controller(4711, False, True)  # another controller
    assert answered(bench, fetched_in(0x20, 2, tightening_id=7)) == KEPT


def test_each_of_many_pushes_in_order_says_the_unit():
    for units in ((0x31, 0x32), (0x32, 0x31)):
        bench = Bench()
        for ident in range(1, 6):
            bench.push(pushed_in(units[ident == 5], tightening_id=ident))
        wanted = NO_FIGURES if units[1] == 0x32 else KEPT
        assert answered(bench, fetched_in(0x20, 2, tightening_id=9)) == wanted
        assert answered(bench.start(), fetched_in(0x20, 2, tightening_id=10)) == wanted
