"""An operator lists, drops and retries what is set aside, in a full quarantine too: nothing is lost or goes twice."""

from toolcart.agent.log.snapshot_fields import CURSOR, DAMAGED, DROPPED, REOFFERED_TO
from toolcart.agent.quarantine.entries import needs_operator
from toolcart.agent.quarantine.orders import carry_out
from toolcart.agent.quarantine.quarantine import (
    ADMITTED,
    ASK_DONE,
    ASK_MANY,
    DROP_DONE,
    DROP_NONE,
    NO_ROOM,
    PRESSURE_FULL,
)
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.support.frames import fetched, light
from host_tests.support.log import STATE_BLOCKS
from host_tests.support.quarantine import QuarantineBench

PORTABLE = True
HEAVY = True
HEAP = "3m"

LIGHT = light(tightening_id=4711)


class Line:
    """A controller's line that is busy the first times it is asked."""

    def __init__(self, busy):
        self.busy = busy
        self.requests = 0

    def may_erase(self):
        self.requests += 1
        return self.requests > self.busy


class Policy:
    """ToolsNet's outlet, as far as orders know it."""

    def __init__(self, refuses=ASK_DONE):
        self.refuses = refuses
        self.requests = []
        self.held = 0

    def offer_on_order(self, number, in_doubt):
        if not self.refuses:
            self.requests.append((number, in_doubt))
        return self.refuses

    def drop_first(self):
        self.held -= 1
        return DROP_DONE if self.held >= 0 else DROP_NONE


class Bench(QuarantineBench):
    """A station's logs with results in them, and its orders."""

    flash_window = None
    policy = None

    def stamp_into(self, buf):
        buf[0:19] = b"2024-05-06:07:08:09"

    def order(self, *words):
        """Return every line of the answer."""
        lines = []
        turns = 0
        for line in carry_out(self.quarantine, self.log, 10, self, self.flash_window, list(words), self.policy):
            turns += 1
            assert turns < 30000
            if line is not None:
                lines.append(line)
        return lines

    def listed(self):
        return [line["record"]["number"] for line in self.order("list") if "record" in line]


def bench(kept, policy=None):
    """A bench with results 1 to `kept` set aside, and some behind; `policy` is that of its running outlet."""
    station = Bench(results=kept + 3)
    station.policy = policy
    assert station.keep(*range(1, kept + 1)) == ADMITTED
    return station


def test_what_is_set_aside_is_listed_in_words():
    station = bench(2)
    frame = station.keep_frame(b"0061 nonsense\x07")
    one, two, raw, end = station.order("list")
    assert [line["record"]["number"] for line in (one, two, raw)] == [1, 2, frame]
    assert one["record"]["reason"] == "refused by ToolsNet with code 17" and one["record"]["refused_code"] == 17
    assert one["record"]["tightening_id"] == "1" and one["record"]["vin"] and one["record"]["time"]
    assert raw["record"]["reason"] == "could not be read" and raw["record"]["frame"] == "0061 nonsense\x07"
    assert raw["record"]["octets"] == 14
    assert end == {
        "station": 10,
        "parked": 3,
        "parked_damaged": 0,
        "oldest_block": 3,
        "needs_operator": None,
        "is_known": True,
    }
    assert station.order("show", "2") == [two]


def test_a_drop_says_what_it_gives_up_that_cannot_be_read():
    """What cannot be read leaves with what was set aside before it: no answer may leave out that it did."""
    for words, count, given_up, left in (
        (("drop", "all"), 4, 2, 0),
        (("drop", "1", "2"), 2, 1, 3),
        (("drop", "2"), 1, 0, 5),
        (("drop", "4-6"), 2, 0, 4),
    ):
        station = bench(6)
        station.store()
        assert station.state.save()
        station.spoil(3)
        station.spoil(5)
        station.again()
        end = station.order(*words)[-1]
        assert (end["count"], end.get("given_up", 0), end["parked"]) == (count, given_up, left), (words, end)
        assert station.state.numbers[DAMAGED] == given_up
        station.again()
        assert (station.state.numbers[DAMAGED], station.quarantine.count()) == (given_up, left)


def test_what_is_not_there_or_no_order_is_reported():
    station = bench(2)
    assert "no record 9" in station.order("show", "9")[0]["error"]
    assert "no number" in station.order("show", "x")[0]["error"]
    for verb in ("drop", "retry"):
        assert station.order(verb, "2-1")[0]["error"] == "2-1 is the wrong way round: 1-2"
        for word in ("-1", "-", "1-x", "x-1"):
            assert station.order(verb, word)[0]["error"] == word + " is no number of a record"
    for words in ((), ("explode",), ("drop",), ("retry", "in-doubt"), ("list", "1")):
        assert "no such order" in station.order(*words)[0]["error"], words
    for verb in ("drop", "retry"):
        assert "no record 7 in the quarantine; nothing was done" in station.order(verb, "1", "7")[0]["error"]
    assert station.listed() == [1, 2]


def test_what_cannot_be_read_now_is_not_said_to_be_gone():
    station = bench(2)
    station.flash.unreadable = range(STATE_BLOCKS, STATE_BLOCKS + 4)
    assert "cannot be read now" in station.order("show", "2")[0]["error"]
    station.flash.unreadable = ()
    assert "record" in station.order("show", "2")[0]


def test_what_cannot_be_read_is_counted_in_the_list():
    station = bench(5)
    assert station.state.save()
    station.spoil(2)
    assert station.listed() == [1, 3, 4, 5] and station.order("list")[-1]["parked_damaged"] == 1


def test_what_is_dropped_is_gone_and_counted_and_stays_so():
    station = bench(6)
    answers = station.order("drop", "2", "4-5")
    assert answers == [{"dropped": 2}, {"dropped": 4}, {"dropped": 5}, {"count": 3, "parked": 3, "again": 0}]
    for _ in range(2):
        assert station.listed() == [1, 3, 6] and station.state.numbers[DROPPED] == 3
        station.again()
    assert station.order("drop", "all")[-1] == {"count": 3, "parked": 0, "again": 0}
    station.start()
    assert station.listed() == []


def test_any_can_be_dropped_from_a_full_quarantine_and_log():
    for unit in (16, 256):
        station = Bench(kept_blocks=4, blocks=14, unit_bytes=unit)
        kept = station.fill()
        while station.log.append(KIND_RESULT, 0, 114) == 0:
            pass
        assert station.quarantine.pressure() == PRESSURE_FULL
        odd = [str(number) for number in kept if number % 2]
        assert station.order("drop", *odd)[-1]["count"] == len(odd)
        assert sorted(station.listed()) == [number for number in kept if number % 2 == 0]
        assert station.order("drop", "all")[-1]["parked"] == 0


def test_a_cut_in_a_drop_drops_none_that_was_not_named():
    for cut in range(1, 30):
        station = bench(24)
        chosen = [str(number) for number in range(1, 25, 2)]
        answers = []
        order = carry_out(station.quarantine, station.log, 10, station, None, ["drop"] + chosen)
        station.flash.cut_in(lambda answers=answers, order=order: answers.extend(order), cut)
        dropped = [line["dropped"] for line in answers if line and "dropped" in line]
        station.again()
        left = station.listed()
        assert len(left) == len(set(left)) and not [number for number in dropped if number in left], (cut, left)
        assert set(range(2, 25, 2)) <= set(left), (cut, left)
        if len(dropped) == len(chosen):
            return
    raise AssertionError("the order never came to its end")


def test_a_flash_that_refuses_is_reported():
    station = bench(3)
    station.flash.code = -2
    assert "takes nothing now" in station.order("drop", "2")[-1]["error"]
    assert "takes nothing now" in station.order("retry", "2")[-1]["error"]
    station.flash.code = 0
    assert station.listed() == [1, 2, 3] and station.state.numbers[DROPPED] == 0


def test_a_retry_is_toolsnets_outlets():
    station = bench(4)
    station.keep(5, reason=res.QUARANTINED_IN_DOUBT)
    station.policy = Policy()
    answers = station.order("retry", "1", "3-5")
    assert answers[:2] == [{"number": 1, "asked": True}, {"number": 3, "asked": True}]
    assert answers[3]["number"] == 5 and "in doubt" in answers[3]["stays"]
    assert answers[-1] == {"count": 3, "parked": 5, "running": True}
    assert station.policy.requests == [(1, False), (3, False), (4, False)]
    assert station.order("retry", "in-doubt", "5")[-1]["count"] == 1 and station.policy.requests[-1] == (5, True)
    station.policy = Policy(ASK_MANY)
    assert station.order("retry", "1") == [
        {"number": 1, "stays": "many others are to be offered first; ask again later"},
        {"count": 0, "parked": 5, "running": True},
    ]
    assert station.listed() == [1, 2, 3, 4, 5], "an entry goes when it is taken"


def test_retry_while_agent_is_stopped_makes_it_first_of_the_next_run():
    station = bench(6)
    station.state.numbers[REOFFERED_TO] = 5
    assert station.order("retry", "3", "5")[-1] == {"count": 2, "parked": 6, "running": False}
    station.start()
    assert station.state.numbers[REOFFERED_TO] == 2
    station.keep(7, reason=res.QUARANTINED_IN_DOUBT)
    assert "has to run" in station.order("retry", "in-doubt", "7")[0]["stays"]


def test_frame_that_can_be_read_now_becomes_a_result_and_is_offered():
    for before in (0, 3):
        station = bench(before, Policy())
        frame = station.keep_frame(LIGHT)
        assert station.order("retry", "all")[-1]["count"] == before + 1
        assert station.policy.requests[-1] == (frame, False)
        for _ in range(2):
            assert sorted(station.listed()) == list(range(1, before + 1)) + [frame]
            (record,) = [line["record"] for line in station.order("show", str(frame))]
            assert record["tightening_id"] == "4711" and record["torque"] == "42.37" and "frame" not in record
            assert station.quarantine.find(frame) == KIND_RESULT and station.quarantine.may_be_reoffered()
            station.again()


def test_a_frame_that_cannot_be_read_stays():
    station = bench(1, Policy())
    frame = station.keep_frame(b"0061 nonsense of enough octets")
    answer, end = station.order("retry", str(frame))
    assert "cannot read" in answer["stays"] and end["count"] == 0 and station.listed() == [1, frame]


def test_frame_whose_unit_no_one_says_stays_one():
    station = bench(1, Policy())
    octets = fetched(2)
    for flags, stays in ((res.FLAG_ODD, True), (0, False)):
        frame = station.keep_frame(octets, res.FLAG_RECOVERED | flags)
        answer, end = station.order("retry", str(frame))
        assert ("cannot read" in answer.get("stays", "")) == stays and end["count"] == (not stays)


def store_result_of(station, frame):
    """The tightening of this frame comes otherwise, as a result."""
    log, quarantine = station.log, station.quarantine
    assert quarantine.find(frame) == KIND_RESULT
    length = quarantine.length
    log.stage[log.payload_at : log.payload_at + length] = log.page[log.at : log.at + length]
    log.stage[log.payload_at : log.payload_at + 4] = log.next.to_bytes(4, "little")
    assert log.append(KIND_RESULT, 0, length) == 0


def test_a_frame_whose_tightening_came_otherwise_is_taken_out():
    station = bench(0, Policy())
    frame = station.keep_frame(LIGHT)
    station.order("retry", "all")
    store_result_of(station, frame)
    again = station.keep_frame(LIGHT)
    assert station.order("retry", str(again))[0] == {"number": again, "held": True}
    assert station.listed() == [frame]


def test_frame_is_dropped_only_if_its_own_spindle_has_the_result():
    station = bench(0, Policy())
    for place, held in ((b"0101", False), (b"0102", False), (b"    ", True), (b"0102", True), (b"0202", False)):
        frame = station.keep_frame(LIGHT[:12] + place + LIGHT[16:])
        assert station.order("retry", str(frame))[0].get("held", False) == held, place
        if held:
            continue
        store_result_of(station, frame)


def test_the_one_that_holds_the_others_is_given_up_by_the_outlet():
    station = bench(1)
    assert "has to run" in station.order("drop", "first")[0]["error"]
    station.policy = Policy()
    station.policy.held = 1
    assert station.order("drop", "first") == [{"count": 1, "parked": 1, "soon": False}]
    assert "nothing is held" in station.order("drop", "first")[0]["error"]


def test_a_serial_line_is_waited_for_and_not_for_ever():
    station = bench(3)
    station.flash_window = line = Line(5)
    assert station.order("drop", "1")[-1]["count"] == 1 and line.requests > 5
    station.flash_window = Line(1 << 20)
    assert "never quiet" in station.order("drop", "2")[-1]["error"] and station.listed() == [2, 3]


def test_an_operator_is_needed_where_it_is_full_or_delivery_holds():
    station = Bench(kept_blocks=6, blocks=40)
    assert needs_operator(station.quarantine) is None
    assert "all others wait" in needs_operator(station.quarantine, True)["why"]
    blocked = needs_operator(station.quarantine, True, True)["why"]
    assert 'refused: "block"' in blocked and "by themselves once ToolsNet takes it" in blocked and "room" not in blocked
    station.fill()
    assert station.keep(station.store()) == NO_ROOM
    need = needs_operator(station.quarantine)
    assert "is full" in need["why"]
    assert station.state.numbers[CURSOR] >= 0


def test_the_list_says_how_many_have_to_go_before_there_is_room():
    station = Bench(kept_blocks=6, blocks=40)
    kept = station.fill()
    held = station.order("list")[-1]["oldest_block"]
    assert 1 < held < len(kept) and station.listed()[:held] == kept[:held]
    station.order("drop", *map(str, kept[:held]))
    assert station.quarantine.pressure() != PRESSURE_FULL, "the first ones of the list are gone: there is room"
    assert station.keep(station.store()) == ADMITTED
