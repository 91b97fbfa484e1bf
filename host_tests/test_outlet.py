"""Where ToolsNet stands: settled when it is first met, written down before anything goes out, and never guessed."""

from agent import health as h
from agent.base.words import get_u32
from agent.outlets.toolsnet.outlet import FLAG_MET
from agent.outlets.toolsnet.position import FLAG_SWEEP, NOT_SET, OUTLET, SET_ASIDE
from agent.quarantine import NO_ROOM
from agent.spool.memory import OUTLET_FLAGS
from agent.spool.record import HEAD_BYTES, KIND_ASIDE, KIND_RESULT
from agent.spool.walk import READ_BYTES, Walk
from agent.toolsnet import session as ts
from host_tests.support_toolsnet import PIM, SERVER, Outlet
from tools.sim.flash import ALL, FADES, GARBAGE, NOTHING, PowerCut, SimFlash

PORTABLE = True
HEAP = "6m"


def numbers(first, last):
    return list(range(first, last + 1))


def chip(blocks):
    return SimFlash(blocks, unit_bytes=256)


def asides_in(flash):
    """Return how many records say that something was set aside."""
    walk = Walk(flash, READ_BYTES, None)
    found = 0
    for block in range(flash.block_count):
        walk.begin(block, 0, 0)
        while True:
            kind = walk.next()
            if kind <= 0:
                break
            found += kind == KIND_ASIDE
    return found


# -- the first meeting


def test_whatever_waits_when_the_server_is_first_met_follows_what_it_has():
    for stored, waiting in ((0, 40), (25, 40), (100, 120), (99990, 40), (99999, 3)):
        outlet = Outlet({"reported_result": stored})
        outlet.store(waiting)
        outlet.until_stored(waiting)
        outlet.run(100)
        expected = [(stored + n) % 99999 + 1 for n in range(waiting)]
        assert outlet.archive.sequences() == expected, (stored, outlet.archive.sequences()[:5])
        assert outlet.ids() == numbers(1, waiting) and outlet.archive.repeated == 0
        outlet.options.reported_result = None
        outlet.cut()
        outlet.store(2)
        outlet.until_stored(waiting + 2)
        assert outlet.archive.sequences()[waiting:] == [(stored + waiting + n) % 99999 + 1 for n in range(2)]
        outlet.clean()


def test_a_cut_right_after_the_first_meeting_changes_nothing_of_it():
    for cut_after in range(1, 12):
        outlet = Outlet({"reported_result": 25}, cursor_batch=4)
        outlet.store(10)
        for _ in range(cut_after):
            outlet.step()
        if outlet.archive.stored:
            outlet.options.reported_result = None
        outlet.cut()
        outlet.until_stored(1)
        outlet.options.reported_result = None
        outlet.until_stored(10)
        assert outlet.archive.sequences() == numbers(26, 35), cut_after
        assert outlet.ids() == numbers(1, 10)


def test_a_meeting_that_cannot_be_written_down_lets_nothing_go_out():
    outlet = Outlet({"reported_result": 25}, make_flash=chip)
    outlet.store(3)
    outlet.flash.refuses = True
    outlet.run(300000)
    assert outlet.archive.stored == 0 and "04" not in outlet.toolsnet.telegrams
    assert outlet.counted(h.NOT_SAVED) > 0
    outlet.flash.refuses = False
    outlet.until_stored(3)
    assert outlet.archive.sequences() == [26, 27, 28]


def test_the_last_result_a_start_found_is_known_when_the_08_names_it():
    outlet = Outlet()
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(100)
    outlet.store(1)
    outlet.until_stored(3)  # its 05 is still under way
    outlet.cut()
    assert outlet.ring.suspect and outlet.ring.number == 2, "what a start found last does not count yet"
    outlet.run(1000)
    assert outlet.counted(h.RESUME_UNKNOWN) == 0 and outlet.counted(h.RESUMED) >= 1
    outlet.store(1)
    outlet.until_stored(4)
    assert outlet.archive.sequences() == [1, 2, 3, 4] and outlet.archive.repeated == 0


def test_what_may_go_out_is_not_taken_from_a_record_that_may_fade():
    outlet = Outlet(make_flash=chip, cursor_batch=1)
    outlet.store(1)
    outlet.until_stored(1)
    outlet.run(100)
    outlet.store(2)
    outlet.flash.cut_at, outlet.flash.cut_shape = outlet.flash.operations + 1, FADES
    try:
        outlet.run(1000)
        raise AssertionError("nothing was written before it went out")
    except PowerCut:
        outlet.flash.restart()
    outlet.cut()
    outlet.flash.refuses = True
    outlet.run(10000)
    outlet.flash.restart()
    outlet.cut()
    outlet.flash.refuses = False
    outlet.until_stored(3)
    outlet.run(200000)
    assert outlet.ids() == numbers(1, 3) and outlet.archive.repeated == 0


def test_what_may_go_out_is_said_once_more_when_a_refused_record_may_have_taken_it_back():
    outlet = Outlet(make_flash=chip)
    outlet.store(3)
    outlet.until_stored(2)
    outlet.flash.refuses, outlet.flash.refused_shape = True, ALL
    outlet.network.cut(*SERVER)
    outlet.run(20000)
    outlet.flash.refuses = False
    outlet.cut()
    outlet.run(200000)
    assert outlet.ids() == numbers(1, 3) and outlet.archive.repeated == 0


def test_a_silent_result_has_its_turn_again_after_a_minute_in_which_nobody_could_be_passed_over():
    outlet = Outlet({"silent_sequences": (1,)}, make_flash=chip)
    outlet.store(4)
    outlet.until(lambda: outlet.counted(h.SERVER_SILENT) == 3)
    outlet.flash.refuses = True
    outlet.until(lambda: outlet.counted(h.NOT_SAVED) > 0)
    assert outlet.forward.is_up()
    outlet.options.silent_sequences = ()
    outlet.flash.refuses = False
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


def test_an_08_is_asked_for_again_while_the_flash_does_not_show_what_it_vouches_for():
    outlet = Outlet(make_flash=chip)
    outlet.store(4)
    outlet.until_stored(3)
    outlet.run(100)
    outlet.cut()
    outlet.flash.unreadable = True
    outlet.run(200000)
    assert outlet.counted(h.NOT_SAVED) > 1 and outlet.archive.repeated == 0
    outlet.flash.unreadable = False
    outlet.until_passed()
    assert outlet.ids() == [1, 2, 3, 4] and outlet.archive.repeated == 0
    assert outlet.archive.sequences() == [1, 2, 3, 4]


def test_an_08_is_believed_only_when_the_last_result_could_be_confirmed():
    outlet = Outlet(make_flash=chip)
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(100)
    outlet.store(1)
    outlet.until_stored(3)
    outlet.cut()
    outlet.flash.refuses = True
    outlet.run(300000)
    assert outlet.toolsnet.telegrams["04"] == 3 and outlet.counted(h.RESUME_UNKNOWN) == 0
    outlet.flash.refuses = False
    outlet.run(120000)
    assert outlet.archive.sequences() == [1, 2, 3] and outlet.ring.backlog(OUTLET) == 0


# -- a flash that refuses


class Refusing:
    """Lets the flash refuse while the outlet does what `name` says, as long as `on`."""

    def __init__(self, outlet, name, shape):
        self.on = True
        self.answers = []
        self._flashes = (outlet.flash, outlet.parked_flash)
        for flash in self._flashes:
            flash.refused_shape = shape
        self._method = getattr(outlet.forward.outlet, name)
        setattr(outlet.forward.outlet, name, self._do)

    def _do(self, *given):
        for flash in self._flashes:
            flash.refuses = self.on
        answer = self._method(*given)
        for flash in self._flashes:
            flash.refuses = False
        self.answers.append(answer)
        return answer


def watch_sends(outlet):
    """Return a list that grows by (number, limit on flash, flags on flash) with every result that goes out."""
    sent = []
    send = outlet.session.send

    def watched(octets):
        ring = outlet.ring_after_cut()
        sent.append((outlet.forward._sent, ring.cursors[OUTLET].limit, ring.memory[OUTLET_FLAGS]))
        send(octets)

    outlet.session.send = watched
    return sent


def test_nothing_goes_out_beyond_what_a_refusing_flash_holds_and_nothing_counts_as_delivered():
    for name in ("allow", "begin_sweep", "set_aside"):
        for shape in (NOTHING, ALL):
            outlet = Outlet(make_flash=chip, blocks=24, cursor_batch=2)
            sent = watch_sends(outlet)
            outlet.store(6)
            outlet.options.tightening_codes[3] = 17
            outlet.run(0)
            refusing = Refusing(outlet, name, shape)
            outlet.store(4)
            outlet.until(lambda refusing=refusing: len(refusing.answers) >= 3, 3600000)
            outlet.run(200)
            assert refusing.answers[:3] == [NOT_SET if name == "set_aside" else False] * 3, (name, refusing.answers)
            cursor = outlet.ring.cursors[OUTLET]
            durable = outlet.ring_after_cut()
            assert cursor.number < 3 or (3 not in outlet.ids() and name == "allow"), (name, cursor.number)
            assert outlet.counted(h.DELIVERED) == cursor.delivered <= cursor.number
            # A record that was refused after all of it was written counts for a start, and is right by then.
            assert outlet.counted(h.PARKED) == 0 and (shape == ALL or not durable.has_aside())
            assert max([0] + outlet.ids()) <= max(durable.cursors[OUTLET].limit, durable.cursors[OUTLET].number)
            refusing.on = False
            outlet.until_stored(9, 3600000)
            outlet.run(1000)
            assert outlet.ids() == [1, 2] + numbers(4, 10), (name, shape, outlet.ids())
            assert outlet.parked_numbers() == [3] and outlet.counted(h.PARKED) == 1
            assert outlet.archive.out_of_order == 0 and outlet.counted(h.NOT_SAVED) + outlet.counted(h.PARKED_FAILED)
            for number, limit, flags in sent:
                assert number <= limit, (name, number, limit)
                assert number <= 3 or 3 not in outlet.ids()[:number] or flags & FLAG_SWEEP, (name, number)


def test_a_result_taken_by_a_sweep_is_delivered_only_when_those_before_it_are_set_aside():
    outlet = Outlet(make_flash=chip)
    outlet.store(3)
    outlet.options.tightening_codes[1] = 17
    refusing = Refusing(outlet, "set_aside", NOTHING)
    outlet.until_stored(1)
    sent = outlet.toolsnet.telegrams["04"]
    outlet.run(200000)
    assert len(refusing.answers) > 2 and set(refusing.answers) == {NOT_SET}
    assert outlet.toolsnet.telegrams["04"] == sent, "it is there, and waits for those before it"
    cursor = outlet.ring.cursors[OUTLET]
    assert outlet.ids() == [2] and cursor.number == 0 and cursor.delivered == outlet.counted(h.DELIVERED) == 0
    # Now the power fails: only the log's word that a sweep was on tells what the 08 means.
    outlet.cut()
    outlet.until_stored(2)
    outlet.run(1000)
    assert outlet.ids() == [2, 3] and outlet.parked_numbers() == [1] and outlet.archive.repeated == 0


def test_what_was_allowed_and_not_sent_is_taken_back_when_the_connection_ends():
    outlet = Outlet(cursor_batch=20)
    outlet.store(3)
    outlet.until_stored(3)
    outlet.run(100)
    assert outlet.ring_after_cut().cursors[OUTLET].limit > 3
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)
    outlet.run(1000)
    assert outlet.ring_after_cut().cursors[OUTLET].limit == 3
    # So a server with another history that stands a little ahead has nothing taken from us.
    outlet.store(5)
    outlet.options.reported_result = 6
    outlet.cut()
    outlet.network.up(*PIM)
    outlet.until_stored(8)
    assert outlet.ids() == numbers(1, 8) and outlet.archive.sequences()[3:] == numbers(7, 11)


# -- what is set aside stays so


def test_an_unreadable_frame_is_set_aside_once_over_thirty_starts():
    for before, rewind, empty in (
        (0, False, "resend"),
        (2, True, "continue"),
        (2, False, "continue"),
        (0, True, "resend"),
    ):
        outlet = Outlet(rewind=rewind, server_empty=empty)
        outlet.store(before)
        outlet.store_raw()
        parked = told = 0
        for _ in range(30):
            outlet.run(3000)
            parked += outlet.counted(h.PARKED)
            told += outlet.counted(h.SERVER_BEHIND) + outlet.counted(h.SERVER_EMPTY)
            outlet.cut()
        outlet.run(3000)
        assert outlet.archive.stored == before and outlet.archive.repeated == 0
        assert parked == 1 and asides_in(outlet.flash) <= 1, (before, rewind, empty, parked)
        assert outlet.parked_numbers() == [before + 1] and outlet.quarantine.count() == 1
        assert told == 0, "the server has all that it ever got"
        outlet.store(1)
        outlet.until_stored(before + 1)
        assert outlet.archive.sequences()[-1] == before + 2


def test_what_starts_have_pushed_out_of_a_small_log_is_not_taken_for_lost_by_the_server():
    for before, frames, skipped in ((0, 1, 0), (1, 1, 0), (2, 3, 0), (1, 2, 1)):
        outlet = Outlet(blocks=4, rewind=True)
        outlet.store(before)
        for _ in range(skipped):
            outlet.ring.skip_number()  # what was damaged may have it: as good as lost
        for _ in range(frames):
            outlet.store_raw()
        outlet.until_stored(before)
        outlet.run(1000)
        for _ in range(9):  # each opens a block, and lets the oldest go
            assert outlet.ring.begin_memory() > 0 and outlet.ring.commit_memory() == 0
            outlet.cut()
            outlet.run(3000)
            ring = outlet.ring_after_cut()
            assert skipped or outlet.counted(h.SERVER_BEHIND) == 0, (before, frames)
            assert outlet.forward.outlet.cursor.limit <= ring.cursors[OUTLET].limit, "no more than the log says"
        assert outlet.archive.stored == before and outlet.quarantine.count() == frames
        outlet.store(1)
        outlet.until_stored(before + 1)


def test_a_server_that_lost_results_is_told_although_a_frame_that_was_set_aside_follows_them():
    outlet = Outlet(rewind=True)
    outlet.store(4)
    outlet.store_raw()
    outlet.until_stored(4)
    outlet.run(1000)
    outlet.archive.restore_backup(2)
    outlet.network.cut(*SERVER)
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.counted(h.SERVER_BEHIND) == 1
    assert outlet.quarantine.count() == 1, "it is kept already"


def test_what_was_set_aside_in_place_is_not_set_aside_anew_when_a_server_was_set_back():
    outlet = Outlet({"reported_result": 700}, rewind=True)
    outlet.run(1000)
    inner = outlet.forward.outlet
    inner.quarantine.keep = lambda *_: NO_ROOM
    for _ in range(3):
        outlet.store_raw()
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(1000)
    before = asides_in(outlet.flash)
    assert inner.cursor.number == 5 and before > 0
    assert inner.resume(700, outlet.clock.now)
    assert inner.cursor.number == 3, "the frames are passed at once"
    assert inner.next() == KIND_RESULT and inner.cursor.peek_number == 4
    assert asides_in(outlet.flash) == before
    outlet.options.reported_result = None
    assert asides_in(outlet.flash) == before


def test_what_was_set_aside_between_results_that_go_out_again_is_not_set_aside_anew():
    outlet = Outlet({"reported_result": 700}, rewind=True)
    outlet.run(1000)
    outlet.options.reported_result = None
    inner = outlet.forward.outlet
    inner.quarantine._keep = lambda *_: NO_ROOM
    for _ in range(3):
        outlet.store(1)
        outlet.store_raw()
    outlet.store(1)
    outlet.until_stored(4)
    outlet.run(1000)
    before = asides_in(outlet.flash)
    assert inner.cursor.number == 7 and before == 3
    for _ in range(3):
        assert inner.resume(701, outlet.clock.now) and inner.cursor.number == 2
        parked = outlet.counted(h.PARKED)
        while inner.cursor.number < 7:
            kind = inner.next()
            number = inner.cursor.peek_number
            if kind == KIND_RESULT:
                inner.deliver(number)
            else:
                assert inner.set_aside(number + 1, 1001, outlet.clock.now) == SET_ASIDE
        assert asides_in(outlet.flash) == before and outlet.counted(h.PARKED) == parked
    assert outlet.ring_after_cut().aside_ranges == outlet.ring.aside_ranges == 2


def test_a_range_that_was_set_aside_is_passed_at_once_and_durably():
    outlet = Outlet()
    outlet.run(1000)
    outlet.store(5)
    inner = outlet.forward.outlet
    inner.quarantine.keep = lambda *_: NO_ROOM
    assert inner.set_aside(4, 17, outlet.clock.now) == SET_ASIDE
    ring = outlet.ring_after_cut()
    assert ring.cursors[OUTLET].number == 3 and ring.has_aside()
    assert inner.set_aside(4, 17, outlet.clock.now), "nothing is left in front of it"
    assert outlet.counted(h.PARKED) == 3 and asides_in(outlet.flash) == 1
    assert inner.next() == KIND_RESULT and get_u32(inner.buf, HEAD_BYTES) == 4


def test_what_is_known_of_the_server_is_one_record_of_the_log():
    outlet = Outlet({"reported_result": 7})
    outlet.until(lambda: outlet.session.state == ts.STREAMING)
    assert outlet.ring_after_cut().memory[OUTLET_FLAGS] == FLAG_MET
    assert bytes(outlet.ring_after_cut().memory) == bytes(outlet.ring.memory)


# -- how many wait


def test_a_number_that_no_record_has_is_not_told_to_wait():
    outlet = Outlet({"code_all": 99}, make_flash=chip)
    outlet.store(3)
    outlet.flash.cut_at, outlet.flash.cut_shape = outlet.flash.operations + 1, GARBAGE
    try:
        outlet.store(1)
        raise AssertionError("power has not failed")
    except PowerCut:
        outlet.flash.restart()
    outlet.cut()
    assert outlet.ring.confirm() and outlet.ring.number == 4, "what cannot be read may have the next number"
    outlet.store(2)
    for waiting in (5, 6):
        outlet.run(1800000)
        assert outlet.ring.backlog(OUTLET) == waiting and outlet.ring.number == waiting + 1
        outlet.store(1)
