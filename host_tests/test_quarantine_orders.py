"""What was set aside can be listed, given up and sent again; no cut loses one or sends it twice."""

from struct import pack_into

from agent import health as h
from agent.base.words import get_u32
from agent.outlets.toolsnet.outlet import Outlet
from agent.outlets.toolsnet.position import SET_ASIDE, SET_SOME
from agent.quarantine import NO_ROOM, PRESSURE_FULL, PRESSURE_NONE, PRESSURE_TIGHT
from agent.quarantine_list import InPlace, count_in_place, needs_operator
from agent.quarantine_orders import carry_out
from agent.quarantine_retry import oldest_block
from agent.record import result as res
from agent.record.result import TAKEN
from agent.log.flash import FLASH_IO, Part, RamFlash
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT
from host_tests.support_spool import append, body_of
from host_tests.support_station import Station

PORTABLE = True
HEAVY = True
HEAP = "2m"

LIGHT = (
    b"01210061999         "
    b"WVWZZZ1KZAW123456        07012000600040021004237000952024-03-14:09:26:532024-02-01:08:00:000000004711"
)


class Cut(Exception):
    pass


class Flash(RamFlash):
    """Loses its power at the n-th program."""

    left = -1
    refuses = False

    def program(self, address, buf, n):
        if self.refuses:
            return FLASH_IO
        if self.left == 0:
            raise Cut
        self.left -= 1
        return RamFlash.program(self, address, buf, n)


class Line:
    """A controller's line that is busy the first times it is asked."""

    def __init__(self, busy):
        self.busy = busy
        self.asked = 0

    def may_write(self, ring):
        self.asked += 1
        return self.asked > self.busy


class Bench(Station):
    """Both logs over one flash device."""

    def __init__(self, parked_blocks=4, blocks=12, flash=None):
        self.flash = flash or Flash(parked_blocks + blocks, 4096, 16)
        self.parked_blocks = parked_blocks
        self.blocks = blocks
        self.quiet = None
        self.start()

    def start(self):
        self.flash.left = -1
        main = Part(self.flash, self.parked_blocks, self.blocks)
        assert self.bring_up(main, Part(self.flash, 0, self.parked_blocks), recover=True)
        assert self.confirmed
        self.outlet = Outlet(self.ring, self.quarantine, self.health, 8, False, False)

    def stamp_into(self, buf):
        buf[0:19] = b"2024-05-06:07:08:09"

    def set_aside(self, count, first=1, move=True):
        for ident in range(first, first + count):
            assert append(self.ring, ident) == 0
        self.pass_all(17)
        return self.move_in() if move else 0

    def pass_all(self, reason, before=0):
        """Everything that waits is set aside in its place, as with no room in the quarantine."""
        self.quarantine.keep = lambda *_: NO_ROOM
        code = SET_SOME
        while code == SET_SOME:
            code = self.outlet.set_aside(before or self.ring.number + 1, reason, 0)
        assert code == SET_ASIDE
        del self.quarantine.keep

    def set_raw_aside(self, frame, flags=0):
        at = self.ring.begin(KIND_RAW, 8 + len(frame))
        pack_into("<IHBB", self.ring.stage, at, self.ring.number + 1, 10, 2, 3)
        self.ring.stage[at + 8 : at + 8 + len(frame)] = frame
        assert self.ring.commit(KIND_RAW, flags, 8 + len(frame)) == 0
        self.pass_all(res.PARKED_UNREADABLE)
        return self.move_in()

    def move_in(self):
        before = self.quarantine.taken
        while self.quarantine.take_oldest(self.ring) == TAKEN:
            pass
        return self.quarantine.taken - before

    def counted_in_place(self):
        """Return how many lie in place by what the status goes by, without the log."""
        return count_in_place(self.ring, self.quarantine, self.health.counters[h.PARKED])

    def order(self, *words):
        """Return every line of the answer."""
        lines = []
        turns = 0
        for line in carry_out(self.quarantine, self.ring, 10, self, self.quiet, list(words)):
            turns += 1
            assert turns < 100000
            if line is not None:
                lines.append(line)
        return lines

    def waiting(self):
        """Return (ID, flags) of every result that goes out, in order, and pass them as delivered."""
        found = []
        while self.ring.peek(0) > 0:
            walk = self.ring.walk
            at = HEAD_BYTES + 8 + res.TIGHTENING_ID
            if walk.kind == KIND_RESULT:
                found.append((int(bytes(walk.page[at : at + 10])), walk.flags))
            self.ring.advance(0)
        return found

    def listed(self):
        return [line["record"] for line in self.order("list") if "record" in line]


def test_what_is_set_aside_is_listed_in_words():
    station = Bench()
    assert station.set_aside(2) == 2
    station.set_raw_aside(b"0061 nonsense\x07")
    *records, end = station.order("list")
    assert [line["record"]["number"] for line in records] == [1, 2, 3]
    first = records[0]["record"]
    assert first["refused_number"] == 1 and first["reason"] == "refused by ToolsNet with code 17"
    assert first["tightening_id"] == "1" and first["vin"] and first["time"] and not first["in_place"]
    raw = records[2]["record"]
    assert raw["reason"] == "could not be read" and raw["frame"] == "0061 nonsense\x07" and raw["octets"] == 14
    assert end == {"station": 10, "parked": 3, "parked_in_place": 0, "needs_operator": None}


def test_one_record_is_shown_and_a_missing_one_is_told():
    station = Bench()
    station.set_aside(2)
    assert station.order("show", "2")[0]["record"]["tightening_id"] == "2"
    assert "no record 9" in station.order("show", "9")[0]["error"]
    assert "no number" in station.order("show", "x")[0]["error"]
    assert "no such order" in station.order("explode")[0]["error"]


def test_what_is_dropped_stays_dropped_after_a_start():
    station = Bench()
    station.set_aside(6)
    *dropped, end = station.order("drop", "2", "4-5")
    assert [line["dropped"] for line in dropped] == [2, 4, 5] and end["parked"] == 3
    station.start()
    assert [record["number"] for record in station.listed()] == [1, 3, 6]
    station.order("drop", "all")
    station.start()
    assert station.listed() == [] and station.quarantine.pressure() == PRESSURE_NONE


def test_an_order_for_one_that_is_not_there_changes_nothing():
    station = Bench()
    station.set_aside(2)
    for verb in ("drop", "retry"):
        assert "nothing was done" in station.order(verb, "1", "7")[0]["error"]
    assert len(station.listed()) == 2 and station.waiting() == []


def test_a_retried_result_goes_to_the_end_and_says_so():
    station = Bench()
    station.set_aside(3)
    assert append(station.ring, 4) == 0
    sent = station.order("retry", "2", "1")
    assert [line.get("sent_as") for line in sent[:2]] == [5, 6]
    assert station.waiting() == [(4, 0), (1, res.FLAG_RETRIED), (2, res.FLAG_RETRIED)]
    assert [record["number"] for record in station.listed()] == [3]


def test_what_was_refused_again_can_be_sent_again():
    station = Bench()
    station.set_aside(1)
    for _ in range(3):
        assert station.order("retry", "all")[-1]["count"] == 1
        station.pass_all(17)
        assert station.move_in() == 1
        station.start()
    (record,) = station.listed()
    assert record["refused_number"] == 4 and record["retried"]
    station.order("retry", "all")
    assert [ident for ident, _ in station.waiting()] == [1]


def test_flags_and_head_of_a_retried_result_survive():
    station = Bench()
    at = station.ring.begin(KIND_RESULT, 114)
    pack_into("<IHBB", station.ring.stage, at, 1, 300, 7, 2)
    station.ring.stage[at + 8 : at + 114] = body_of(5)
    assert station.ring.commit(KIND_RESULT, res.FLAG_RECOVERED | res.FLAG_EDGE_TIME, 114) == 0
    station.pass_all(17, before=2)
    assert station.move_in() == 1
    station.order("retry", "all")
    station.ring.peek(0)
    walk = station.ring.walk
    assert walk.flags == res.FLAG_RECOVERED | res.FLAG_EDGE_TIME | res.FLAG_RETRIED
    assert bytes(walk.page[HEAD_BYTES : HEAD_BYTES + 8]) == b"\x02\x00\x00\x00\x2c\x01\x07\x02"
    assert bytes(walk.page[HEAD_BYTES + 8 : HEAD_BYTES + 114]) == bytes(body_of(5))


def test_a_frame_that_can_be_read_now_goes_out_as_a_result():
    station = Bench()
    station.set_raw_aside(LIGHT)
    assert station.order("retry", "all")[0]["sent_as"] == 2
    assert station.waiting() == [(4711, res.FLAG_RETRIED)]
    assert station.listed() == []


def test_a_frame_that_still_cannot_be_read_stays():
    station = Bench()
    station.set_raw_aside(b"0061 nonsense of enough octets")
    told = station.order("retry", "all")
    assert "cannot read" in told[0]["unreadable"] and told[-1]["count"] == 0
    assert len(station.listed()) == 1 and station.waiting() == []


def test_what_is_kept_of_a_frame_may_be_enough_to_read_it():
    station = Bench()
    station.set_raw_aside(LIGHT, res.FLAG_TRUNCATED)
    station.set_raw_aside(LIGHT.replace(b"1", b" ", 1)[:110])
    assert [one.get("sent_as") for one in station.order("retry", "all")][:2] == [3, 4]
    assert station.listed() == []


def test_a_frame_whose_tightening_came_otherwise_meanwhile_is_not_sent_twice():
    station = Bench()
    station.set_raw_aside(LIGHT)
    station.set_raw_aside(b"another")
    station.order("retry", "1")
    assert station.waiting() == [(4711, res.FLAG_RETRIED)]
    station.set_raw_aside(LIGHT)
    told = station.order("retry", "3")
    assert told[0]["held_as"] == 3 and station.waiting() == []
    assert [record["number"] for record in station.listed()] == [2]


def test_a_cut_at_any_program_of_a_retry_neither_loses_nor_doubles():
    for cut_at in range(60):
        station = Bench()
        station.set_aside(20)
        station.flash.left = cut_at
        done = False
        try:
            station.order("retry", "all")
            done = True
        except Cut:
            station.start()
            station.order("retry", "all")
        idents = [ident for ident, _ in station.waiting()]
        assert idents == list(range(1, 21)), (cut_at, idents)
        assert station.listed() == []
        if done:
            assert cut_at > 20
            return
    raise AssertionError("the order never came to its end")


def test_a_retry_that_nobody_follows_to_its_end_sends_nothing_twice():
    for turns in range(1, 12):
        station = Bench()
        station.set_aside(3)
        answer = carry_out(station.quarantine, station.ring, 10, station, None, ["retry", "all"])
        for _ in range(turns):
            next(answer, None)
        answer.close()
        station.order("retry", "all") if station.quarantine.numbers() else None
        assert [ident for ident, _ in station.waiting()] == [1, 2, 3], turns


def test_a_flash_that_refuses_leaves_everything_where_it_is():
    station = Bench()
    station.set_aside(2)
    station.flash.refuses = True
    for words in (("retry", "all"), ("drop", "all")):
        assert "error" in station.order(*words)[-1]
    station.flash.refuses = False
    assert len(station.listed()) == 2
    station.order("retry", "all")
    assert [ident for ident, _ in station.waiting()] == [1, 2]


def test_a_full_spool_takes_no_retried_result_and_overwrites_nothing():
    for when_full in (0, 1):
        station = Bench()
        station.set_aside(2)
        ident = 100
        station.ring.when_full = 0
        while append(station.ring, ident) == 0:
            ident += 1
        station.ring.when_full = when_full
        assert "no room" in station.order("retry", "all")[0]["error"]
        assert len(station.listed()) == 2 and station.ring.overwritten == 0


def test_what_finds_no_room_is_listed_and_moves_in_after_a_drop():
    station = Bench(parked_blocks=3)
    station.set_aside(120, move=True)
    assert station.quarantine.take_oldest(station.ring) == NO_ROOM
    kept = station.quarantine.count()
    assert 20 < kept < 120 and station.quarantine.pressure() == PRESSURE_FULL
    assert "full" in needs_operator(station.quarantine, 10)["why"]
    records = station.listed()
    assert len(records) == 120
    assert [record["refused_number"] for record in records] == list(range(1, 121))
    assert records[-1]["in_place"] and records[-1]["number"] is None and "17" in records[-1]["reason"]
    assert count_in_place(station.ring, station.quarantine, 0) == 120 - kept
    station.order("drop", "all")
    assert station.quarantine.count() > 0
    assert station.listed()[0]["refused_number"] == kept + 1


def test_a_full_quarantine_can_always_be_emptied():
    for unit in (16, 256):
        flash = Flash(28, 4096, unit)
        station = Bench(parked_blocks=3, blocks=25, flash=flash)
        station.set_aside(150)
        assert station.quarantine.pressure() == PRESSURE_FULL
        refused = ""
        for number in reversed(station.quarantine.numbers()[1:]):
            answer = station.order("drop", str(number))
            station.quiet = Line(0)  # so that nothing moves in
            refused = answer[-1].get("error", "")
            if refused:
                break
        if refused:
            assert "have to go first" in refused, refused
            oldest = oldest_block(station.quarantine)
            assert "error" not in station.order("drop", "%d-%d" % (oldest[0], oldest[-1]))[-1]
        assert "error" not in station.order("drop", "all")[-1]
        station.start()
        station.move_in()
        assert "error" not in station.order("retry", "all")[-1]
        for _ in range(20):
            assert "error" not in station.order("retry", "all")[-1]
            while station.ring.peek(0) > 0:
                station.ring.advance(0)
            station.move_in()
        assert not station.ring.has_aside() and station.quarantine.count() == 0


def test_a_serial_line_is_waited_for_and_not_for_ever():
    station = Bench()
    station.set_aside(1)
    station.quiet = line = Line(5)
    assert station.order("retry", "all")[-1]["count"] == 1 and line.asked > 5
    station.set_aside(1, first=2)
    station.quiet = Line(1 << 20)
    assert "never quiet" in station.order("retry", "all")[-1]["error"]


def test_pressure_grows_before_it_is_full():
    station = Bench(parked_blocks=6, blocks=30)
    seen = []
    for ident in range(1, 200):
        station.set_aside(1, first=ident)
        if not seen or seen[-1] != station.quarantine.pressure():
            seen.append(station.quarantine.pressure())
    assert seen == [PRESSURE_NONE, PRESSURE_TIGHT, PRESSURE_FULL] or seen == [PRESSURE_NONE, PRESSURE_FULL]


def test_the_count_in_place_follows_without_going_through_the_log():
    station = Bench(parked_blocks=3)
    station.set_aside(100)
    before = station.counted_in_place()
    assert before == InPlace(station.ring, station.quarantine).count() > 0
    station.set_aside(7, first=500)
    assert station.counted_in_place() == before + 7 == InPlace(station.ring, station.quarantine).count()
    station.order("drop", "all")
    assert station.counted_in_place() == InPlace(station.ring, station.quarantine).count()


def test_what_is_moved_on_in_the_log_is_counted_in_place_once_at_any_time():
    from agent.spool import moving

    station = Bench(parked_blocks=2)
    station.set_aside(80)
    before = station.counted_in_place()
    is_in_the_way, moving.is_in_the_way = moving.is_in_the_way, lambda main: True
    for _ in range(5):
        assert station.quarantine.make_way(station.ring) == TAKEN
    moving.is_in_the_way = is_in_the_way
    assert station.counted_in_place() == before - 5 == InPlace(station.ring, station.quarantine).count(), "five wait"
    station.pass_all(17)
    assert station.counted_in_place() == before == InPlace(station.ring, station.quarantine).count()


def test_what_was_moved_on_and_is_refused_by_a_server_that_was_set_back_stands_there_once():
    from agent.spool import moving

    for moved in range(6):
        station = Bench(parked_blocks=2)
        station.set_aside(80)
        for _ in range(moved):
            assert moving.carry(station.ring, station.quarantine.last_kept()) == 0
        station.pass_all(17)
        assert station.ring.rewind(0, station.quarantine.last_kept())
        station.pass_all(17)
        in_place = InPlace(station.ring, station.quarantine).count()
        assert station.quarantine.count() + in_place == 80, moved
        station.start()
        assert moving.pass_moved(station.ring, station.quarantine.last_kept()) == 0
        assert InPlace(station.ring, station.quarantine).count() == in_place, moved


def test_a_slot_is_not_used_again_before_a_start_would_pass_it():
    station = Bench(parked_blocks=12, blocks=12)
    for first in range(1, 1000, 50):
        station.set_aside(50, first=first)
        station.order("drop", "all")
        while station.ring.peek(0) > 0:
            station.ring.advance(0)
        station.ring.save_cursors(0)
    station.start()
    assert station.listed() == [] and get_u32(station.quarantine.ring.memory, 0) == 1000
