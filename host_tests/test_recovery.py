"""What was missed is found and fetched once: every row of DIGEST D.6, and random lives beside a model."""

import sys

import agent.spool.ring  # noqa: F401 - MicroPython's stack is too short for the whole chain of imports at once
from agent.base.ticks import FOREVER, ticks_add
from agent.openprotocol import known as kn
from agent.openprotocol import questions as qs
from agent.openprotocol.gaps import GAP_IDS_MAX
from agent.openprotocol.missing import PATIENCE_MS, UNANSWERED_MOST, WALK_GONE
from agent.record.result import BODY_BYTES, ID_EPOCH, TIGHTENING_ID
from agent.log.flash import FLASH_IO
from agent.store import KEPT, KEPT_BEFORE, NOT_SURE
from host_tests.support_recovery_model import BLANK, IDENTITY, LAST_ID, Life, Memory, Result, Tank
from host_tests.support_world import WatchedFlash
from tools.sim.clock import START_TICKS

PORTABLE = True
HEAVY = True
HEAP = "8m"

ON_A_COMPUTER = sys.implementation.name == "cpython"
LIVES = 60 if ON_A_COMPUTER else 5
MET_WITHIN = 150  # questions to a controller that was empty when it was met, and has counted far meanwhile
IN_FRONT_OF_THE_WRAP = [LAST_ID - back for back in range(WALK_GONE)]


class Bench(Tank):
    """A tank and the results of a controller; `fetch` goes through one question and its answer."""

    def __init__(self, has=(), **settings):
        self.memory = Memory()
        self.latest_works = True
        self.codes = {}  # ID asked -> error code instead of the result
        blocks = settings.pop("blocks", 24)
        Tank.__init__(self, WatchedFlash(blocks, 4096, 16), **settings)
        for number in has:
            self.make(number)

    def make(self, *numbers, time_s=None):
        for number in numbers:
            if time_s is not None:
                self.memory.time_s = time_s - 1
            self.memory.make(1, number)

    def connect(self, identity=IDENTITY):
        self.lose()
        return Tank.connect(self, identity)

    def restart(self):
        """Power cut: everything new over what was saved."""
        return self.start()

    def live(self, number, time_s=None):
        """The controller makes a result and pushes it at once; returns what the store says."""
        self.make(number, time_s=time_s)
        return self.push(self.memory.kept[-1])

    def again(self, number):
        """It pushes an old one once more."""
        return self.push(self.memory.find(number))

    def fetch(self):
        """Ask and answer once; False when nothing is wanted."""
        number = self.ask()
        if number < 0:
            return False
        found = self.memory.find(number)
        if number == 0 and not self.latest_works:
            found = None
        if found is None or number in self.codes:
            self.refuse(self.codes.get(number, 15))
        else:
            self.answer(found)
        return True

    def rest(self, most=3000):
        """Fetch until nothing is wanted; return the IDs asked for."""
        self.asked = []
        for _ in range(most):
            if not self.fetch():
                self.check_memory()
                return self.asked
        raise AssertionError("it never ends")

    def ids(self):
        return [int(ident) for _, _, ident in self.stored()]

    def missing(self):
        gaps = self.known.gaps
        return [(gaps.firsts[index], gaps.counts[index]) for index in range(gaps.count)]


def met(has, **settings):
    """A bench that has met its controller and knows its newest."""
    bench = Bench(has, **settings).connect()
    bench.rest()
    return bench


def met_empty(**settings):
    return met((), **settings)


# The rows of D.6


def test_first_meeting_learns_the_newest_and_stores_nothing():
    bench = Bench([3, 4, 5]).connect()
    assert bench.rest() == [0]
    assert bench.ids() == [] and bench.known.top() == 5
    assert bench.live(6) == KEPT and bench.rest() == []


def test_first_meeting_stores_the_newest_where_that_is_configured():
    bench = Bench([3, 4, 5], store_newest=True).connect()
    assert bench.rest() == [0, 5] and bench.ids() == [5]


def test_empty_controller_is_remembered_and_all_that_it_makes_later_is_fetched():
    bench = met_empty()
    bench.restart()
    bench.make(1, 2, 3)
    bench.connect()
    assert bench.rest() == [0, 3, 2, 1] + IN_FRONT_OF_THE_WRAP + [1, 2, 3]
    assert bench.ids() == [1, 2, 3] and bench.known.gone() == 0


def test_push_that_comes_before_the_answer_hides_nothing_of_a_controller_that_was_empty():
    bench = met_empty()
    bench.make(1, 2, 3)
    bench.connect()
    bench.live(4)
    assert bench.rest() == [0, 3, 2, 1] + IN_FRONT_OF_THE_WRAP + [1, 2, 3]
    assert bench.ids() == [4, 1, 2, 3] and bench.known.gone() == 0
    bench.live(6)
    bench.rest()
    assert bench.known.gone() == 1  # from here on what is gone was made


def test_controller_that_was_empty_is_searched_on_both_sides_of_the_wrap():
    for pushed in (False, True):
        for last in (1, 5):
            bench = met_empty()
            bench.make(LAST_ID - 2, LAST_ID - 1, LAST_ID, *range(1, last))
            bench.connect()
            if pushed:
                bench.live(last)
            bench.rest()
            assert len(bench.asked) <= MET_WITHIN and bench.known.gone() <= 1  # the ID 0
            older = [LAST_ID - 2, LAST_ID - 1, LAST_ID] + list(range(1, last))
            assert bench.ids() == ([last] if pushed else []) + older, (pushed, last)


def test_controller_that_was_empty_and_names_id_0_as_its_newest_has_what_lies_in_front_of_the_wrap_fetched():
    bench = met_empty()
    bench.make(LAST_ID - 1, LAST_ID, 0)
    bench.connect()
    bench.rest()
    assert bench.ids() == [LAST_ID - 1, LAST_ID]


def test_live_results_of_a_controller_that_was_empty_leave_nothing_open():
    bench = met_empty()
    assert bench.live(1) == KEPT and bench.live(2) == KEPT
    assert bench.rest() == IN_FRONT_OF_THE_WRAP  # it may have begun there
    assert bench.missing() == [] and bench.known.gone() == 0
    for _ in range(3):
        bench.restart().connect()
        assert bench.rest() in ([0], [0, 2])  # the newest, and whether it still means the same
    assert bench.ids() == [1, 2]


def test_what_lies_in_front_of_the_first_result_of_all_is_never_told_as_gone():
    for connects in (False, True):  # the newest tells of the reset, or a push
        bench = met_empty()
        bench.live(8)
        bench.live(10)
        bench.memory.wipe()
        if connects:
            bench.make(1, 2, 3)
            bench.connect().rest()
        else:
            bench.live(3)
        assert bench.known.gone() == bench.known.untold_ids() == 1, "the one behind 8"
        bench.check_memory()


def test_controller_met_empty_fetches_nothing_again_at_its_second_and_third_start():
    for pushed in (False, True):
        bench = met_empty()
        bench.make(1, 2, 3)
        bench.connect()
        if pushed:
            bench.live(4)
        bench.rest()
        held = sorted(bench.ids())
        for _ in range(3):
            bench.restart().connect()
            assert len(bench.rest()) <= 2
        assert sorted(bench.ids()) == held == sorted(set(held)) and bench.missing() == []


def test_controller_met_empty_that_has_counted_far_costs_few_questions():
    bench = met_empty()
    bench.connect()
    assert bench.live(50000) == KEPT
    assert len(bench.rest()) <= MET_WITHIN
    assert bench.ids() == [50000] and bench.missing() == []
    bench.restart().connect()
    assert len(bench.rest()) <= 2
    # The same if it was found as the newest.
    bench = met_empty()
    bench.make(49998, 49999, 50000)
    bench.connect()
    assert len(bench.rest()) <= MET_WITHIN and bench.ids() == [49998, 49999, 50000]


def test_nothing_is_fetched_when_the_newest_is_known():
    bench = met([7])
    bench.connect()
    assert bench.rest() == [0] and bench.news[-1] == qs.NEWS_NONE


def test_what_was_missed_is_fetched_oldest_first_one_at_a_time():
    bench = met([10])
    bench.make(11, 12, 13)
    bench.connect()
    assert bench.rest() == [0, 10, 11, 12, 13]  # 10: the IDs still mean the same
    assert bench.ids() == [11, 12, 13] and bench.recovery.known.gaps.total() == 0


def test_gone_id_is_closed_and_counted_and_never_asked_again():
    bench = met([10])
    bench.make(11, 13)
    bench.connect()
    assert bench.rest() == [0, 10, 11, 12, 13]
    assert bench.known.gone() == 1 and bench.missing() == []
    bench.restart().connect()
    assert bench.rest() == [0] and bench.known.gone() == 1


def test_ids_that_are_gone_are_written_down_together_and_at_the_end_of_a_connection():
    bench = met([10], round_ids=500)
    bench.make(400)
    bench.connect()
    before = bench.ring.seq
    bench.rest()
    assert bench.ids() == [400] and bench.known.gone() == 389 and bench.ring.seq - before <= 8
    bench = met([10])
    bench.make(60)
    bench.connect()
    for _ in range(12):
        bench.fetch()
    bench.lose()
    assert bench.restart().missing() == [(21, 40)]


def test_any_other_refusal_leaves_the_id_open_and_the_order_as_it_is():
    for code in (1, 27, 28, 79, 92, 98):
        bench = met([10])
        bench.make(11, 12, 13)
        bench.codes = {12: code}
        bench.connect()
        assert bench.rest() == [0, 10, 11, 12]
        assert bench.missing() == [(12, 2)]
        bench.wait(29999)
        assert bench.rest() == [] and bench.recovery.wait_least(bench.now, FOREVER) == 1
        bench.wait(1)
        assert bench.rest() == [12]
        bench.codes = {}
        bench.connect()
        assert bench.rest() == [0, 12, 13] and bench.ids() == [11, 12, 13]


def test_id_that_is_never_answered_is_closed_once_others_are():
    for count in (1, 3):
        bench = met([10])
        bench.make(*range(11, 11 + count))
        bench.live(20)
        bench.codes = {11: 79}
        for _ in range(2 * UNANSWERED_MOST + 2):
            bench.wait()
            bench.rest()
        assert bench.missing() == [] and bench.known.gone() >= 1
        assert bench.ids() == [20] + list(range(12, 11 + count))


def test_trouble_that_is_over_when_the_id_behind_is_asked_for_closes_nothing():
    bench = met([10])
    bench.make(11)
    bench.connect()
    bench.codes = {11: 79}
    for _ in range(2 * UNANSWERED_MOST):
        bench.rest()
        bench.wait()
        if bench.recovery.want(bench.now) and bytes(bench.recovery.ask_id).endswith(b"12"):  # which was never made
            bench.codes = {}
            bench.refuse(15)
    bench.rest()
    assert bench.codes == {} and bench.ids() == [11] and bench.known.gone() == 0


def test_nothing_is_closed_while_nothing_at_all_is_answered():
    bench = met([10])
    bench.make(11, 12, 13)
    bench.connect()
    bench.fetch()
    bench.fetch()
    for _ in range(50):
        bench.wait()
        while bench.ask() >= 0:
            bench.silent()
    assert bench.missing() == [(11, 3)] and bench.known.gone() == 0


def test_silence_on_the_question_for_the_newest_is_asked_again_later():
    bench = Bench([10]).connect()
    assert bench.ask() == 0
    bench.silent()
    assert bench.ask() == -1
    bench.wait()
    assert bench.rest() == [0]


def test_refused_revision_falls_back_to_the_next_and_then_recovery_is_off():
    for code in (97, 74, 76):
        bench = Bench([10], revisions=(2, 1)).connect()
        assert bench.recovery.revision() == 2
        bench.codes = {0: code}
        bench.fetch()
        assert bench.recovery.revision() == 1
        bench.fetch()
        assert bench.recovery.phase == qs.PHASE_OFF and bench.rest() == []
        bench.restart()
        assert not bench.known.fetches()


def test_controller_that_does_not_know_0064_gets_one_question_a_connection():
    for code in (99, 73, 75):
        bench = Bench([10]).connect()
        bench.codes = {0: code}
        assert bench.rest() == [0]
        # Live results go on.
        assert bench.live(11) == KEPT and bench.live(15) == KEPT and bench.missing() == []
        bench.connect()
        assert bench.rest() == [0]
        bench.codes = {}  # its software was renewed
        bench.make(16)
        bench.connect()
        bench.rest()
        assert bench.ids() == [11, 15, 16]


def test_disabled_recovery_asks_nothing_and_stores_all_the_same():
    bench = Bench([10], enabled=False).connect()
    assert bench.rest() == []
    for number in (1000, 1001, 1005, 1, 2):
        assert bench.live(number) == KEPT
    assert bench.again(2) == KEPT_BEFORE
    assert bench.missing() == [] and bench.rest() == []


def test_controller_that_does_not_know_id_zero_is_probed_from_the_last_one_known():
    bench = met([10])
    bench.latest_works = False
    bench.make(11, 12)
    bench.connect()
    assert bench.rest() == [0, 11, 12, 13]
    assert bench.ids() == [11, 12]


def test_what_is_missing_is_fetched_before_a_controller_that_does_not_know_id_zero_is_probed():
    bench = met([10])
    bench.latest_works = False
    bench.make(11, 12, 13, 14)
    bench.live(15)
    bench.make(16, 17)
    bench.codes = {12: 98}
    bench.connect()
    assert bench.rest() == [0, 11, 12]
    bench.codes = {}
    bench.wait()
    assert bench.rest() == [12, 13, 14, 0, 16, 17, 18]
    assert bench.ids() == [15, 11, 12, 13, 14, 16, 17]


def test_gap_that_a_push_opens_while_a_controller_is_probed_is_filled_before_the_probing_goes_on():
    bench = met([10])
    bench.latest_works = False
    bench.make(11, 12)
    bench.connect()
    bench.fetch()
    bench.fetch()
    assert bench.ask() == 12
    bench.live(15)
    bench.answer(bench.memory.find(12))
    bench.make(13, 14, 16)
    assert bench.rest() == [12, 13, 14, 0, 16, 17]
    assert bench.ids() == [11, 15, 12, 13, 14, 16]


# Large gaps


def test_large_gap_is_walked_back_to_its_beginning_first():
    bench = met([10], round_ids=5)
    bench.make(*range(11, 21))
    bench.connect()
    assert bench.rest() == [0, 10] + list(range(20, 10, -1)) + list(range(11, 21))
    assert bench.ids() == list(range(11, 21))


def test_way_back_is_gone_once_however_much_is_fetched_behind_it():
    bench = met([10], round_ids=50)
    bench.make(*range(11, 211))
    bench.connect()
    assert len(bench.rest()) == 2 + 200 + 200
    assert bench.ids() == list(range(11, 211))


def test_way_back_ends_after_a_hundred_that_are_gone_in_a_row():
    bench = met([10], round_ids=5)
    bench.make(1000, 1001, 1003)
    bench.connect()
    asked = bench.rest()
    assert asked[: 2 + 4 + WALK_GONE] == [0, 10] + list(range(1003, 999 - WALK_GONE, -1))
    assert asked[2 + 4 + WALK_GONE :] == list(range(1000, 1004))
    assert bench.ids() == [1000, 1001, 1003] and bench.missing() == []


def test_what_the_way_back_was_told_to_be_gone_is_not_asked_for_again():
    bench = met([1], round_ids=5)
    bench.live(60)  # fewer than would end a way back
    bench.make(61)
    bench.memory.kept = bench.memory.kept[-1:]
    assert bench.rest() == list(range(59, 1, -1)) and bench.missing() == []
    assert bench.known.gone() == 58


def test_way_back_goes_on_over_connections_that_end_because_a_push_waits_for_it():
    for has in ((), range(20, 170)):
        bench = met([10], round_ids=50) if has else met_empty()
        bench.make(*has)
        for number in (200, 202, 204, 206, 208):
            bench.live(number)
        bench.make(210)
        connections = 0
        while bench.connect().again(210) == NOT_SURE and connections < 60:
            connections += 1
            for _ in range(10):
                bench.fetch()
        assert connections < 60, has
        bench.rest()
        assert sorted(bench.ids()) == list(has) + [200, 202, 204, 206, 208, 210] and bench.missing() == []


def test_way_back_whose_end_was_not_written_down_is_not_gone_again_one_by_one():
    bench = met_empty()
    bench.live(5)
    bench.connect()
    bench.device.code = FLASH_IO
    while bench.fetch():
        pass
    assert len(bench.asked) > WALK_GONE and bench.missing() == [(LAST_ID - GAP_IDS_MAX + 7, GAP_IDS_MAX - 1)]
    bench.lose()
    bench.device.code = 0
    bench.connect()
    assert len(bench.rest()) <= 8 and bench.missing() == [] and bench.ids() == [5]


def test_refusal_that_may_pass_does_not_end_a_way_back():
    bench = met([10], round_ids=5)
    bench.make(*range(11, 21))
    bench.codes = {15: 98}
    bench.connect()
    bench.rest()
    assert bench.ids() == []
    bench.codes = {}
    bench.wait()
    bench.rest()
    assert bench.ids() == list(range(11, 21))


def test_push_into_the_gap_does_not_make_it_be_asked_for_one_by_one():
    bench = met([10], round_ids=50)
    bench.make(*range(19000, 19006))
    bench.connect()
    for _ in range(6):
        bench.fetch()
    assert bench.again(19001) == KEPT
    assert len(bench.rest()) < 500
    assert sorted(bench.ids()) == list(range(19000, 19006)) and bench.missing() == []


def test_every_large_gap_is_walked_back_whichever_place_it_has():
    for ends in ((12, 20012), (12, 16, 20016, 20018), (9000, 18000, 27000, 36000), (5000, 5010, 10000)):
        bench = met([10])
        for number in ends:
            bench.live(number)
        assert len(bench.rest()) <= len(ends) * (WALK_GONE + 1) + 20, ends
        assert bench.missing() == [] and bench.known.gone() == ends[-1] - 10 - len(ends)


def test_results_in_a_large_gap_behind_another_one_are_found_in_their_order():
    bench = met([10])
    bench.live(12)
    bench.make(19990, 19992, 20012)
    bench.again(20012)
    assert len(bench.rest()) < 200
    assert bench.ids() == [12, 20012, 19990, 19992] and bench.missing() == []


def test_gap_that_grows_large_while_it_is_filled_is_walked_back():
    bench = met([10])
    bench.make(200)
    bench.connect()
    for _ in range(5):
        bench.fetch()
    bench.memory.kept = []
    bench.make(19000)
    bench.recovery.look_again()  # the newest is far away now
    assert len(bench.rest()) < 4 * WALK_GONE
    assert bench.ids() == [19000] and bench.missing() == []


def test_jump_of_a_billion_ids_costs_few_questions():
    bench = met([10])
    bench.live(1210061999)
    bench.make(1210061997, 1210061998)
    assert len(bench.rest()) <= MET_WITHIN
    assert bench.ids() == [1210061999, 1210061997, 1210061998]
    assert bench.known.gone() == kn.GONE_MOST and bench.known.gaps.total() <= GAP_IDS_MAX


def test_results_pushed_during_a_way_back_are_stored_once():
    bench = met([10], round_ids=5)
    bench.make(*range(11, 21))
    bench.connect()
    for _ in range(6):
        bench.fetch()
    assert bench.live(21) == KEPT and bench.again(21) == KEPT_BEFORE
    assert bench.again(15) == KEPT
    bench.rest()
    assert sorted(bench.ids()) == list(range(11, 22))
    assert bench.live(22) == KEPT and bench.rest() == []


# The wrap


def test_wrap_over_the_last_id_is_no_reset_and_zero_is_never_asked_for_by_number():
    bench = met([LAST_ID - 2])
    bench.make(LAST_ID - 1, LAST_ID, 0, 1, 2)
    bench.connect()
    assert bench.rest() == [0, LAST_ID - 2, LAST_ID - 1, LAST_ID, 1, 2]
    assert bench.ids() == [LAST_ID - 1, LAST_ID, 1, 2] and bench.ring.memory[kn.EPOCH] == 0
    assert bench.missing() == []


def test_way_back_of_a_large_gap_goes_over_the_wrap():
    wanted = [LAST_ID - back for back in range(19, -1, -1)] + [1, 2, 3]
    bench = met([LAST_ID - 20], round_ids=5)
    bench.make(*wanted)
    bench.connect()
    bench.rest()
    assert bench.ids() == wanted


def test_gap_that_begins_or_ends_at_zero_has_an_end():
    bench = met([LAST_ID], round_ids=5)
    bench.make(*range(12))
    bench.connect()
    bench.rest()
    assert bench.ids() == list(range(1, 12))
    bench = met([LAST_ID - 12], round_ids=5)
    bench.make(*[LAST_ID - back for back in range(11, -1, -1)], 0)
    bench.live(1)
    bench.rest()
    assert sorted(bench.ids())[1:] == [LAST_ID - back for back in range(11, -1, -1)] and bench.missing() == []


def test_gap_of_zero_alone_behind_the_one_in_front_of_the_first_result_has_an_end():
    for settings in ({}, {"round_ids": 1}):
        bench = met_empty(**settings)
        for number in (LAST_ID, 1, 2):
            bench.live(number)
        assert len(bench.rest()) <= MET_WITHIN and bench.missing() == []


def test_live_results_count_over_the_wrap():
    bench = met([LAST_ID - 1])
    for number in (LAST_ID, 0, 1, 2):
        assert bench.live(number) == KEPT
    bench.connect()
    assert bench.rest() == [0]


# A controller that counts anew


def test_reset_is_found_by_the_newest():
    bench = met(range(900, 1001))
    bench.memory.wipe()
    bench.make(1, 2, 3)
    bench.connect()
    bench.rest()
    assert bench.ids() == [1, 2, 3]
    assert qs.NEWS_RESET in bench.news and bench.ring.memory[kn.EPOCH] == 1 and not bench.known.looks()


def test_results_of_before_a_reset_are_not_taken_again():
    bench = met([999], store_newest=True)
    bench.live(1000, 900)
    for number in range(50, 60):
        bench.make(number, time_s=number)
    bench.make(60, 61, time_s=5001)
    bench.connect()
    bench.rest()
    assert bench.ids() == [999, 1000, 60, 61]


def test_reset_that_counts_past_the_old_highest_id_has_all_its_lower_ones_fetched():
    for last in (99, 100, 101, 130):
        bench = met([89])
        for number in range(90, 101):
            bench.live(number)
        bench.memory.wipe()
        bench.make(*range(1, last + 1))
        bench.connect()
        bench.rest()
        old, new = bench.ids()[:11], bench.ids()[11:]
        assert old == list(range(90, 101)) and new == list(range(1, last + 1)), last
        assert bench.ring.memory[kn.EPOCH] == 1 and not bench.known.looks()
        bench.restart().connect()
        assert len(bench.rest()) <= 2 and len(bench.ids()) == 11 + last


def test_reset_in_a_small_log_that_has_gone_round_doubles_nothing_old():
    bench = met([10], blocks=3)
    for number in range(11, 200):
        bench.live(number)
        take_all(bench.ring)
    bench.memory.kept = bench.memory.kept[-40:]  # 160 and later stay; what follows takes the numbers before
    bench.memory.next_id = 1
    count = bench.ring.number
    for number in range(1, 61):
        bench.make(number)
    bench.connect()
    for _ in range(2000):
        if not bench.fetch():
            break
        take_all(bench.ring)
    assert bench.ring.number == count + 60


def test_reset_that_a_live_result_shows_loses_nothing_that_was_missed_before_it():
    bench = met([1000])
    bench.memory.wipe()
    bench.make(1, 2, 3)
    bench.connect()
    assert bench.live(4) == KEPT
    bench.rest()
    assert bench.ids() == [4, 1, 2, 3]
    assert bench.ring.memory[kn.EPOCH] == 1


def test_reset_whose_newest_was_pushed_into_an_old_gap_is_found():
    bench = met([3])
    bench.make(*range(4, 25))
    bench.connect()
    bench.fetch()
    bench.fetch()
    bench.memory.wipe()
    bench.make(*range(1, 18))
    bench.connect()
    assert bench.again(17) == KEPT
    bench.rest()
    assert sorted(bench.ids()) == list(range(1, 18))


def test_reset_that_only_a_push_has_shown_is_not_forgotten():
    for has_gap in (False, True):
        for first in (2, 17, 24):
            bench = met([3])
            if has_gap:
                bench.make(*range(4, 25))
                bench.connect()
                bench.fetch()
                bench.fetch()
            else:
                for number in range(4, 26):
                    bench.live(number)
            bench.memory.wipe()
            bench.make(*range(1, first))
            bench.connect()
            before = len(bench.ids())
            for number in range(first, 31):  # past the highest ID of before, and nothing was asked yet
                assert bench.live(number, 5000 + number) == KEPT
            bench.restart().connect()
            bench.rest()
            assert sorted(bench.ids()[before:]) == list(range(1, 31)), (has_gap, first)
            assert bench.known.memory[kn.EPOCH] == 1 and not bench.known.looks()


def test_what_was_pushed_since_a_reset_is_not_asked_for():
    for has_gap in (False, True):
        bench = met([99])
        bench.live(100)
        if has_gap:
            bench.live(150)
        bench.lose()
        bench.memory.wipe()
        bench.make(1, 2, 3)
        bench.connect()
        assert bench.ask() == 0
        for number in (4, 5, 6):
            bench.live(number)
        bench.answer(bench.memory.find(5))
        bench.live(7)
        bench.make(8, 9)
        assert qs.NEWS_RESET not in bench.news
        assert bench.rest() == [0, 1, 2, 3, 8, 9, 0] and bench.news.count(qs.NEWS_RESET) == 1
        assert bench.ids()[-9:] == [4, 5, 6, 7, 1, 2, 3, 8, 9] and not bench.known.looks()
        assert bench.known.memory[kn.EPOCH] == 1
        bench.restart().connect()
        assert len(bench.rest()) <= 2


def test_what_was_pushed_above_the_old_highest_id_before_a_reset_is_found_is_not_asked_for():
    bench = met([89])
    for number in range(90, 101):
        bench.live(number)
    bench.memory.wipe()
    bench.make(*range(1, 106))
    bench.connect()
    bench.live(106)
    below = list(range(1, 106))
    assert bench.rest() == [0, 100, 100] + below + [0]  # MicroPython has no stars in lists
    assert bench.ids()[11:] == [106] + below and not bench.known.looks()


def test_live_results_while_a_reset_is_looked_through_hold_up_nothing():
    bench = met([100])
    bench.memory.wipe()
    bench.make(*range(1, 21))
    bench.connect()
    bench.fetch()
    bench.fetch()
    bench.fetch()
    assert bench.known.looks()
    bench.make(21, 22, 23)
    bench.recovery.look_again()
    bench.fetch()
    for number, fetched in ((21, 3), (22, 4), (23, 5)):
        assert bench.ask() == fetched
        bench.again(number)
        bench.answer(bench.memory.find(fetched))
    assert bench.ids()[-6:] == [21, 3, 22, 4, 23, 5]


def test_newest_that_crossed_a_push_behind_a_reset_is_asked_for_once_more_and_not_the_witness():
    bench = met(range(1, 10))
    bench.lose()
    bench.memory.wipe()
    bench.connect()
    assert bench.live(1) == KEPT and bench.known.looks()
    bench.restart().connect()
    assert bench.ask() == 0
    bench.answer(bench.memory.find(1))
    bench.live(2)
    assert bench.rest() == [1] and bench.known.looks()
    bench.wait()
    assert bench.rest() == [0] and not bench.known.looks()
    bench.wait()
    assert bench.rest() == [] and bench.ids() == [1, 2]


def test_ids_that_were_gone_before_a_reset_are_not_closed_after_it():
    bench = met([0])
    bench.live(30)
    for _ in range(6):
        bench.fetch()  # of the gap that begins at 1
    bench.memory.wipe()
    bench.make(*range(1, 9))
    bench.live(9)
    bench.connect().rest()
    assert sorted(bench.ids()[1:]) == list(range(1, 10))


def counts_anew_unseen(bench):
    """It begins anew while nobody listens, comes to the highest ID of before, and answers nothing before a push."""
    bench.live(11)
    bench.lose()
    bench.memory.wipe()
    bench.make(*range(1, 12))
    bench.codes = {0: 98}
    bench.connect().fetch()
    for number in (12, 13):
        assert bench.live(number) == KEPT
    bench.lose()


def test_reset_that_comes_to_the_highest_id_of_before_is_seen_once_a_question_is_answered():
    for restarts in range(3):
        for silent in range(3):  # connections more that prove nothing
            bench = met([10])
            counts_anew_unseen(bench)
            for count in range(3):
                if count < silent:
                    bench.connect().fetch()
                    assert bench.live(14 + count) == KEPT
                    bench.lose()
                if count < restarts:
                    bench.restart()
            bench.codes = {}
            bench.connect().rest()
            assert sorted(bench.ids()) == sorted([11] + list(range(1, 14 + silent))), (restarts, silent)
            assert bench.missing() == [] and not bench.known.looks()


def test_witness_of_before_that_is_gone_does_not_keep_the_way_back_from_telling():
    bench = met([10])
    counts_anew_unseen(bench)
    bench.memory.kept = bench.memory.kept[-3:]  # 11, 12 and 13
    bench.restart()
    bench.codes = {}
    bench.connect().rest()
    assert sorted(bench.ids()) == [11, 11, 12, 13] and bench.missing() == []


def test_second_reset_behind_one_that_only_a_push_has_shown_is_seen_once_a_question_is_answered():
    for connections in (2, 3):
        for restarts in range(3):
            bench = met([10])
            bench.live(11)
            bench.lose()
            bench.memory.wipe()
            bench.codes = {0: 98}
            for pushed in ((1, 2), (3, 4), (5,))[
                :connections
            ]:  # the second one begins anew, and comes as far while nobody listens
                if pushed[0] == 3:
                    bench.memory.wipe()
                    bench.make(1, 2)
                bench.connect().fetch()
                for number in pushed:
                    assert bench.live(number) == KEPT
                bench.lose()
            for _ in range(restarts):
                bench.restart()
                bench.connect().fetch()
                bench.lose()
            bench.codes = {}
            bench.connect().rest()
            assert sorted(bench.ids()) == sorted([11, 1, 2] + [one.ident for one in bench.memory.kept]), (
                connections,
                restarts,
            )
            assert bench.missing() == [] and not bench.known.looks()


def test_search_for_a_witness_goes_on_over_connections_that_end():
    bench = met([50])
    bench.memory.wipe()
    for number in range(1, 31):
        bench.live(number)
    bench.make(*range(40, 45))
    bench.memory.kept = bench.memory.kept[-3:]
    for _ in range(12):
        bench.connect()
        for _ in range(8):  # that many questions, then it ends because a push waits
            bench.fetch()
        bench.lose()
    assert bench.missing() == [] and bench.ids() == list(range(1, 31)) + [42, 43, 44]


def test_second_reset_is_seen_by_a_result_under_an_id_in_front_of_the_oldest_that_the_log_has():
    bench = met([10])
    bench.live(11)
    bench.lose()
    bench.memory.wipe()
    bench.make(*range(3, 9))
    bench.connect()
    while bench.ids()[-1:] != [3]:
        bench.fetch()
    bench.lose()
    bench.memory.wipe()
    bench.make(1, *range(12, 21))
    bench.connect().rest()
    assert bench.ids() == [11, 3, 1] + list(range(12, 21)) and not bench.known.looks()


def test_result_that_begins_a_new_count_belongs_to_it():
    for number in (3, 12):  # below all that is known, out of a gap
        bench = met([10])
        bench.live(11)
        bench.live(14)
        bench.memory.wipe()
        for epoch, ident in enumerate((15, number, number + 1)):
            assert bench.live(ident) == KEPT
            assert bench.ring.stage[bench.ring.payload_at + ID_EPOCH] == min(epoch, 1) == bench.known.memory[kn.EPOCH]


def test_pushes_before_the_first_answer_of_a_controller_that_goes_on_cost_one_question():
    bench = met([10])
    bench.lose()
    for number in range(11, 40):
        if number % 7 == 0:
            bench.connect()
        assert bench.live(number) == KEPT
    bench.restart()
    bench.asked = []
    bench.connect().rest()
    assert bench.asked == [0, 13]
    assert bench.ids() == list(range(11, 40)) and not bench.known.looks()
    bench.asked = []
    bench.connect().rest()
    assert bench.asked == [0]


def test_reset_stays_known_over_power_cuts_until_it_is_settled():
    for steps in range(1, 12):
        bench = met([100])
        bench.memory.wipe()
        bench.make(1, 2, 3)
        bench.connect()
        bench.live(4)
        for _ in range(steps):
            bench.fetch()
        # Meanwhile the controller counts on, past the highest ID of before.
        bench.make(*range(5, 121))
        bench.restart().connect()
        bench.rest()
        assert sorted(bench.ids()) == list(range(1, 121)), steps
        assert not bench.known.looks()


def test_reset_within_the_second_of_the_last_result_is_found():
    for before in (1, 3):
        for count in range(1, 6):
            bench = met_empty()
            for number in range(1, before + 1):
                bench.live(number, 7)
            bench.rest()
            bench.memory.wipe()
            for number in range(1, count + 1):
                bench.make(number, time_s=7)
            bench.connect()
            bench.rest()
            stored = list(range(1, before + 1)) + list(range(1, count + 1))
            assert bench.ids() == stored and not bench.known.looks(), (before, count)
            bench.connect()
            assert bench.rest() == [0] and qs.NEWS_RESET in bench.news, (before, count)


def test_answer_that_cannot_be_compared_with_the_log_is_asked_for_again_and_proves_nothing():
    for counts_anew in (False, True):
        bench = met_empty()
        bench.live(1, 7)
        bench.rest()
        if counts_anew:
            bench.memory.wipe()
            bench.make(1, time_s=7)  # by its values alone it is another one
        bench.connect()
        bench.device.unreadable = range(bench.device.block_count)
        for _ in range(5):
            assert bench.fetch() and not bench.fetch()  # once, and then not before some time has passed
            bench.wait()
        bench.device.unreadable = ()
        bench.rest()
        assert bench.ids() == ([1, 1] if counts_anew else [1]) and (qs.NEWS_RESET in bench.news) == counts_anew


def test_result_pushed_within_the_second_of_the_last_one_before_a_reset_is_stored():
    bench = met_empty()
    bench.live(1, 7)
    bench.live(2, 7)
    bench.memory.wipe()
    bench.connect()
    for number in (1, 2, 3):
        assert bench.live(number, 7) == KEPT and bench.again(number) == KEPT_BEFORE, number
    bench.rest()
    assert bench.ids() == [1, 2, 1, 2, 3]


def test_reset_is_found_though_nobody_can_read_what_stands_under_the_highest_id_of_before():
    for last, unreadable in ((3, [3]), (3, [1, 2, 3]), (5, [3]), (5, [3, 4, 5]), (2, [2])):
        bench = met([1])
        bench.live(2)
        bench.live(3)
        bench.memory.wipe()
        bench.make(*range(1, last + 1))
        for number in unreadable:
            bench.memory.find(number).readable = False
        bench.connect()
        bench.rest()
        readable = [number for number in range(1, last + 1) if number not in unreadable]
        assert bench.ids() == [2, 3] + readable and bench.ring.number == 2 + last, (last, unreadable)
        bench.connect()
        assert bench.rest()[0] == 0 and bench.ring.number == 2 + last and not bench.known.looks(), (last, unreadable)


def test_reset_is_found_though_nobody_could_read_the_highest_id_of_before():
    for last in (1, 2):
        bench = met_empty()
        bench.make(1)
        bench.memory.find(1).readable = False
        bench.connect()
        bench.rest()
        assert bench.ring.number == 1 and bench.restart().known.memory[kn.FLAGS] & kn.FLAG_UNTIMED
        bench.connect()
        assert bench.rest() == [0]  # as it was
        bench.memory.wipe()
        bench.make(*range(1, last + 1))
        bench.connect()
        bench.rest()
        assert bench.ids() == list(range(1, last + 1)) and not bench.known.memory[kn.FLAGS] & kn.FLAG_UNTIMED, last


def test_reset_between_two_results_that_nobody_can_read_is_found_by_their_octets():
    for front in (0, 1, 3):  # results in front of each, which can be read
        bench = met_empty()
        for life in (1, 2):
            bench.memory.wipe()
            for number in range(1, front + 1):
                bench.make(number)
            bench.make(front + 1)
            bench.memory.find(front + 1).readable = False
            bench.connect().rest()
            assert bench.ids() == life * list(range(1, front + 1)) and bench.ring.number == life * (front + 1), front
            bench.connect()
            assert bench.rest() == [0] and bench.ring.number == life * (front + 1), front  # as it was


def test_result_that_nobody_can_read_behind_one_of_before_the_meeting_is_kept():
    bench = Bench([1])
    bench.memory.find(1).readable = False
    bench.connect().rest()
    assert bench.ring.number == 0
    bench.memory.wipe()
    bench.make(1)
    bench.memory.find(1).readable = False
    bench.connect().rest()
    assert bench.ring.number == 1
    bench.connect()
    assert bench.rest() == [0] and bench.ring.number == 1


def test_reset_whose_results_were_pushed_under_the_highest_id_of_before_is_found_though_nobody_could_read_that():
    for last in (2, 3, 6):
        bench = met([1])
        bench.make(2)
        bench.memory.find(2).readable = False
        bench.connect().rest()
        bench.memory.wipe()
        bench.make(*range(1, last + 1))
        bench.connect()
        for number in range(2, last + 1):
            assert bench.again(number) == KEPT, (last, number)
        bench.rest()
        assert sorted(bench.ids()) == list(range(1, last + 1)) and not bench.known.looks(), last


def test_newest_that_can_be_read_again_is_no_reset():
    bench = met([1])
    bench.live(2)
    bench.connect()
    bench.memory.find(2).readable = False  # the line spoils one answer
    assert bench.fetch()
    bench.memory.find(2).readable = True
    assert bench.rest() == [0] and bench.ids() == [2] and bench.ring.memory[kn.EPOCH] == 0


def test_reset_to_just_below_the_old_highest_id_is_found_though_the_newest_cannot_be_read():
    for has_gap in (False, True):
        bench = met([10])
        bench.live(14 if has_gap else 11)
        bench.memory.wipe(5)
        bench.make(5, 6, 7, 8)
        bench.connect()
        assert bench.ask() == 0
        body = bytearray(BODY_BYTES)  # only its ID could be read
        body[TIGHTENING_ID : TIGHTENING_ID + 10] = b"0000000008"
        bench.news.append(bench.recovery.fetched(body, 0, bench.now))
        bench.rest()
        assert bench.ids()[1:] == [5, 6, 7, 8] and not bench.known.looks(), has_gap


def test_second_reset_while_the_first_is_looked_through_loses_nothing_wherever_the_second_count_stands():
    for done in (1, 20, 39):
        for last in (3, 6, 21, 60):
            for pushed in (False, True):
                for later_s in (None, 3000 + done):  # None: from the next second on
                    bench = met([1000])
                    bench.memory.wipe()
                    bench.make(*range(1, 41))
                    bench.connect()
                    for _ in range(2 + done):
                        bench.fetch()
                    bench.memory.wipe()
                    bench.make(1, time_s=later_s)
                    bench.make(*range(2, last + 1))
                    bench.connect()
                    if pushed:
                        bench.again(last)
                        bench.restart().connect()  # before the newest was asked for
                    bench.rest()
                    assert sorted(bench.ids()[done + 1 :]) == list(range(1, last + 1)), (done, last, pushed, later_s)
                    assert not bench.known.looks()


def test_connection_lost_while_a_reset_is_looked_through_asks_for_nothing_again():
    bench = met([1000])
    bench.memory.wipe()
    bench.make(*range(1, 41))
    bench.connect()
    for _ in range(20):
        bench.fetch()
    bench.memory.kept = [one for one in bench.memory.kept if one.ident not in (18, 19)]
    for _ in range(5):
        bench.connect()
        bench.fetch()
    bench.connect()
    assert bench.rest()[:6] == [0, 19, 18, 17, 20, 21]
    assert bench.ids() == list(range(1, 41)) and bench.known.memory[kn.EPOCH] == 1


def test_connection_lost_while_a_reset_is_looked_through_and_the_log_has_lost_the_witness_doubles_nothing():
    for reset in (False, True):
        bench = met([1000], blocks=4)
        bench.memory.wipe()
        bench.make(*range(1, 11))
        bench.connect()
        for _ in range(5):
            bench.fetch()
        count = bench.ring.number
        assert bench.missing() == [(5, 6)]
        for number in range(11, 201):
            assert bench.live(number) == KEPT
            take_all(bench.ring)
        assert bench.missing() == [(5, 6)] and bench.known.looks()
        if reset:
            bench.memory.wipe()
            bench.make(*range(1, 211))
        bench.restart().connect()
        for _ in range(2000):
            if not bench.fetch():
                break
            take_all(bench.ring)
        assert bench.ring.number == count + 190 + (210 if reset else 6) and not bench.known.looks(), reset


def test_what_was_missing_and_is_pushed_before_a_second_reset_is_found_is_not_asked_for():
    for named, before in ((54, 57), (55, 57), (56, 57), (56, 100)):  # or a push of 90 finds it
        bench = met([1000], blocks=4)
        bench.memory.wipe()
        bench.make(1, 2, 3, 4)
        bench.connect()
        bench.fetch()
        bench.live(90)
        assert bench.known.looks() and bench.missing() == [(1, 89)]
        bench.memory.wipe()
        bench.make(*range(1, named + 1))
        bench.restart().connect()
        count = bench.ring.number
        for number in (52, 53, 54):
            assert bench.again(number) == KEPT
        assert bench.ask() == 0
        newest = bench.memory.find(0)
        for number in range(55, before):
            assert (bench.again(number) if number <= named else bench.live(number)) == KEPT
            take_all(bench.ring)
        bench.answer(newest)
        bench.fetch()
        for number in range(before, 200):  # the log loses what was pushed
            assert bench.live(number) == KEPT
            take_all(bench.ring)
        for _ in range(2000):
            if not bench.fetch():
                break
            take_all(bench.ring)
        assert bench.ring.number == count + 199 and not bench.known.looks(), (named, before)


def test_controller_that_is_emptied_while_a_reset_is_looked_through_has_an_end():
    for left in ((), (1, 2, 3)):
        bench = met([1000])
        bench.memory.wipe()
        bench.make(*range(1, 11))
        bench.connect()
        for _ in range(5):
            bench.fetch()
        bench.memory.wipe()
        bench.make(*left)
        for _ in range(4):
            bench.rest()
            bench.wait()
        assert not bench.known.looks() and bench.rest() == []


def test_witness_that_was_deleted_is_asked_for_once():
    bench = met([10])
    bench.live(11)
    bench.memory.limit = 5
    bench.make(*range(12, 31))
    bench.connect()
    assert len(bench.rest()) < 60
    assert bench.ids() == [11, 26, 27, 28, 29, 30] and not bench.known.looks()
    bench.connect()
    assert bench.rest() == [0]


def test_what_was_missing_when_the_witness_was_deleted_is_not_lost():
    bench = met([10])
    bench.make(*range(11, 31))
    bench.connect()
    for _ in range(3):
        bench.fetch()
    bench.memory.kept = [one for one in bench.memory.kept if one.ident != 30]
    bench.make(31)
    bench.connect()
    bench.rest()
    assert bench.ids() == list(range(11, 30)) + [31]


def in_doubt(last, blocks=24):
    """A controller that has deleted 10, the last one proven; `last` was pushed since, and proved nothing."""
    bench = met([9], blocks=blocks)
    bench.live(10)
    bench.rest()
    bench.make(*range(11, last))
    bench.restart().connect()
    bench.live(last)
    bench.memory.kept = bench.memory.kept[10:]
    return bench


def test_what_is_fetched_because_the_witness_was_deleted_is_not_asked_for_again():
    bench = in_doubt(200, blocks=4)
    bench.restart().connect()
    count = bench.ring.number
    bench.asked = []
    while bench.fetch():
        take_all(bench.ring)  # the log goes round, and has lost the first of them at the end
    assert bench.ring.number == count + len(bench.memory.kept) - 1 and bench.missing() == []
    assert len(bench.asked) < len(bench.memory.kept) + 50
    assert not bench.known.looks() and bench.known.gone() == 8


def test_what_was_pushed_behind_a_witness_that_is_gone_is_compared_with_the_log():
    bench = in_doubt(30)
    bench.memory.wipe()
    bench.make(*range(11, 31))  # others, under the same IDs
    bench.restart().connect()
    bench.rest()
    assert bench.ids()[:2] == [10, 30] and sorted(bench.ids()[2:]) == list(range(11, 31))


def test_witness_is_the_highest_id_known_though_missing_ones_were_fetched_last():
    bench = met([9])
    bench.live(10)
    bench.make(11, 12, 13)
    for number in range(14, 19):
        bench.live(number)
    bench.rest()
    assert bench.ids() == [10, 14, 15, 16, 17, 18, 11, 12, 13]
    bench.restart().connect()
    bench.live(19)  # nothing was answered
    bench.memory.kept = [one for one in bench.memory.kept if one.ident > 13]
    bench.restart().connect()
    assert bench.rest() == [0, 18] and not bench.known.looks()


def test_what_was_missing_in_front_of_a_witness_that_is_gone_is_fetched_before_the_doubt_is_noted():
    bench = met([3])
    bench.make(4, 5)
    bench.live(10)
    bench.make(*range(11, 30))
    bench.restart().connect()
    bench.live(30)  # nothing was answered
    bench.memory.kept = [one for one in bench.memory.kept if one.ident != 10]
    bench.restart().connect()
    asked = bench.rest()
    assert bench.ids() == [10, 30, 4, 5] + list(range(11, 30)) and bench.missing() == []
    assert [asked.count(number) for number in (3, 10, 30)] == [1, 3, 1]


def reset_while_missing(later_s, newest):
    """A controller that has pushed 8, with 3 and 4 unheard, and then began anew unheard, so much later.

    It has made 1 to 3, left the others out, and come to `newest`, if that is not 0: there is no 8 among its IDs.
    """
    bench = met([2])
    bench.make(3, 4)
    bench.live(8)
    bench.memory.wipe()
    bench.lose()
    bench.make(1, 2, 3, time_s=bench.memory.time_s + later_s)
    if newest:
        bench.make(newest)
    bench.connect()
    return bench


def test_what_a_controller_that_counts_anew_has_under_a_missing_id_is_not_stored_in_front_of_what_it_made_before():
    for later_s in (5, 0):  # of one second with the last one before, the first one of it shows nothing
        bench = reset_while_missing(later_s, 20)
        bench.rest()
        assert bench.ids() == [8, 1, 2, 3, 20] and bench.missing() == [], later_s


def test_missing_id_of_a_controller_that_says_nothing_of_its_newest_tells_that_it_counts_anew():
    bench = reset_while_missing(5, 0)
    bench.latest_works = False
    bench.rest()
    assert bench.ids() == [8, 1, 2, 3] and bench.missing() == []


def test_way_back_in_front_of_the_first_result_does_not_hide_a_reset_from_short_connections():
    bench = met_empty()
    bench.live(15)  # what is in front of it may have been made
    bench.memory.wipe()
    bench.make(3, 4, 40)
    bench.connect()
    for _ in range(20):  # a start would begin the way back once more
        bench.fetch()
    assert bench.known.looks()
    bench.rest()
    assert bench.ids() == [15, 3, 4, 40] and bench.missing() == []


def test_spoiled_answer_under_a_missing_id_begins_nothing_anew():
    bench = met([2])
    bench.make(3, 4)
    bench.live(8)
    bench.make(20)
    bench.memory.kept = [one for one in bench.memory.kept if one.ident != 8]
    bench.connect()
    bench.fetch(), bench.fetch()
    bench.ask()
    bench.answer(Result(99, 3, bench.memory.time_s + 100))
    bench.rest()
    assert bench.ids() == [8, 3, 4, 20] and bench.known.memory[kn.EPOCH] == 0


def test_what_is_gone_behind_a_witness_that_is_gone_is_not_asked_for_in_each_of_many_short_connections():
    bench = met([9])
    bench.live(10)
    bench.rest()
    bench.restart().connect()
    for number in range(11, 61):
        assert bench.live(number) == KEPT  # before any question was answered: they prove nothing
    bench.memory.kept = [one for one in bench.memory.kept if one.ident > 55]
    bench.restart()
    asked = []
    for _ in range(8):
        bench.connect()
        bench.asked = []
        for _ in range(20):
            bench.fetch()
        asked += bench.asked
    assert [asked.count(number) for number in (11, 30, 40, 54)] == [1, 1, 1, 1]


def test_what_is_above_the_highest_id_waits_for_those_below_that_may_count_anew():
    bench = met([9])
    bench.live(10)
    bench.rest()
    bench.restart().connect()
    bench.live(13)  # before any question was answered: it proves nothing
    bench.restart()
    bench.memory.wipe()
    bench.make(13, 14)  # the witness, 10, is deleted
    bench.connect()
    bench.live(15)
    bench.rest()
    assert bench.ids() == [10, 13, 15, 13, 14]


def test_results_on_both_sides_of_the_wrap_are_fetched_though_the_last_one_known_is_gone_and_a_new_one_was_pushed():
    for last in (1, 5):
        bench = met([LAST_ID - 20])
        bench.live(LAST_ID - 19)
        bench.memory.limit = 10
        bench.make(*[LAST_ID - back for back in range(18, -1, -1)])
        bench.make(*range(1, last))
        bench.connect()
        bench.live(last)
        bench.rest()
        kept = [one.ident for one in bench.memory.kept]
        assert bench.ids() == [LAST_ID - 19, last] + kept[:-1], last
        assert bench.known.gone() == 19 + last - len(kept) + 1, last  # and the ID 0


def looked_through_with_the_highest_id_missing():
    """It began anew unseen, which looks like the wrap; 2 of its IDs are known, 1 was pushed, 2 is missing."""
    bench = met([LAST_ID - 34])
    bench.live(LAST_ID - 33)
    bench.memory.wipe()
    bench.connect()
    bench.fetch()
    assert bench.live(1) == KEPT
    bench.make(2)
    bench.restart().connect()
    while not bench.known.looks():
        bench.fetch()
    assert bench.known.top() == 2 and (2, 1) in bench.missing()
    return bench


def test_another_reset_shows_by_the_highest_id_that_is_stored_where_the_highest_one_known_is_missing():
    bench = looked_through_with_the_highest_id_missing()
    bench.memory.wipe()
    bench.make(1, 2)
    bench.connect().rest()
    assert {one.uid for one in bench.memory.kept} <= {uid for _, uid, _ in bench.stored()}


def test_what_a_connection_has_shown_stays_shown_though_the_log_had_no_room_for_it_and_loses_the_evidence():
    bench = looked_through_with_the_highest_id_missing()
    bench.memory.wipe()
    bench.make(1, 2)
    bench.connect()
    bench.device.code = FLASH_IO
    while bench.fetch():
        pass
    assert bench.asked[-2:] == [1, 1] and bench.known.memory[kn.EPOCH] == 0  # heard twice, and not written down
    bench.device.code = 0
    cells = bench.device.cells
    at = bytes(cells).find(b"0000000001")
    while at >= 0:  # its block was needed for another result
        cells[at] ^= 1
        at = bytes(cells).find(b"0000000001")
    bench.wait()
    bench.rest()
    assert bench.known.memory[kn.EPOCH] == 1
    assert {one.uid for one in bench.memory.kept} <= {uid for _, uid, _ in bench.stored()}


def test_what_was_stored_long_ago_is_not_gone_where_the_last_one_known_is():
    bench = met([1000000])
    bench.memory.limit = 20
    bench.live(1000001)
    bench.make(*range(1000002, 1000040))
    bench.connect().rest()
    assert bench.ids() == [1000001] + list(range(1000020, 1000040)) and bench.known.gone() == 18


def test_connections_too_short_for_the_way_to_an_id_that_is_there_still_go_on_with_it():
    bench = met([1000])
    bench.memory.wipe()
    bench.make(*range(1, 42))
    bench.connect()
    for _ in range(22):
        bench.fetch()
    assert bench.known.looks() and bench.missing() == [(22, 20)]
    bench.memory.kept = bench.memory.kept[-10:]
    for _ in range(60):
        bench.connect()
        for _ in range(5):
            bench.fetch()
    assert bench.missing() == [] and sorted(bench.ids()) == list(range(1, 22)) + list(range(32, 42))


def test_nothing_is_asked_again_while_the_log_has_no_room_for_what_was_said():
    bench = met([10], blocks=4)
    number = 11
    while bench.live(number) == KEPT:
        number += 1
    while bench.ring.has_spare():
        assert bench.ring.begin_memory() >= 0 and bench.ring.commit_memory() == 0
    bench.make(*range(number + 1, number + 5))
    bench.connect()
    bench.asked = []
    for _ in range(100):
        while bench.fetch():
            pass
        bench.wait()
    assert bench.asked == [0, number - 1]
    take_all(bench.ring)
    bench.wait()
    bench.rest()
    assert bench.ids()[-5:] == list(range(number, number + 5)) and bench.missing() == []


def test_result_pushed_while_the_witness_is_asked_for_is_not_asked_for_again():
    bench = met([10])
    bench.live(11)
    bench.memory.limit = 3
    bench.connect()
    for number in range(12, 16):
        bench.live(number)
    assert bench.fetch() and bench.recovery.phase == qs.PHASE_WITNESS
    bench.live(16)  # above the newest that the controller has named; the witness is gone since
    assert 16 not in bench.rest() and bench.known.top() == 16
    assert bench.ids() == [11, 12, 13, 14, 15, 16] and not bench.known.looks()


def test_another_controller_is_trusted_in_nothing():
    bench = met([10])
    bench.connect(IDENTITY[:31] + b"C7654321            ")
    assert bench.recovery.other
    bench = met([10])
    bench.connect(IDENTITY[:6] + b"Renamed controller       " + IDENTITY[31:])
    assert not bench.recovery.other


# Live results meanwhile


def test_pushed_result_above_the_next_opens_a_gap_without_being_held_up():
    bench = met([10])
    assert bench.live(14) == KEPT
    bench.make(11, 12, 13)
    assert bench.rest() == [11, 12, 13]
    assert bench.ids() == [14, 11, 12, 13]


def test_pushed_result_inside_a_gap_closes_its_id():
    bench = met([10])
    bench.make(12)
    bench.live(14)
    assert bench.again(12) == KEPT
    assert bench.rest() == [11, 13]


def test_repeat_of_a_stored_result_is_known():
    bench = met([10])
    bench.live(11)
    assert bench.again(11) == KEPT_BEFORE
    bench.restart()
    assert bench.again(11) == KEPT_BEFORE


def test_result_pushed_while_its_fetch_is_under_way_is_not_stored_twice():
    bench = met([10])
    bench.make(11, 12)
    bench.connect()
    bench.fetch()
    bench.fetch()
    assert bench.ask() == 11
    assert bench.again(11) == KEPT
    bench.answer(bench.memory.find(11))
    bench.rest()
    assert bench.ids() == [11, 12]


def test_old_id_that_comes_late_asks_for_the_newest_once_and_moves_nothing():
    bench = met(range(1, 101))
    assert bench.again(50) == KEPT
    assert bench.rest() == [0]
    assert bench.again(50) == KEPT_BEFORE and bench.rest() == []
    assert bench.ring.memory[kn.EPOCH] == 0 and bench.live(101) == KEPT


def test_answer_to_a_question_of_before_a_reset_is_not_taken_for_the_newest():
    bench = met([1000])
    bench.live(1004)
    assert bench.ask() == 1001
    bench.memory.wipe()
    bench.live(1)
    bench.answer(Result(77, 1001, 1))
    assert bench.recovery.phase == qs.PHASE_NEWEST and bench.ids() == [1004, 1]


def test_answer_to_another_question_is_not_taken():
    bench = met([10])
    bench.make(11, 12)
    bench.connect()
    bench.fetch()
    bench.fetch()
    assert bench.ask() == 11
    bench.answer(bench.memory.find(12))
    assert bench.ids() == [] and bench.ask() == -1
    bench.wait()
    bench.rest()
    assert bench.ids() == [11, 12]


def test_newest_that_is_pushed_at_each_connection_is_known_when_the_log_has_lost_it():
    for limit in (100000, 150):  # the highest ID from before is there still, or it is not
        bench = met([10], blocks=3)
        bench.live(11)
        bench.lose()
        bench.memory.limit = limit
        bench.make(*range(12, 301))
        bench.connect()
        assert bench.again(300) == KEPT
        while bench.fetch():
            take_all(bench.ring)
        count = bench.ring.number
        for _ in range(3):
            bench.connect()
            assert bench.again(300) == KEPT_BEFORE
            bench.rest()
            bench.restart()
        assert bench.ring.number == count


def test_newest_that_is_pushed_after_it_was_named_is_known_when_the_log_has_lost_it():
    bench = met([10], blocks=3)
    bench.live(11)
    bench.lose()
    bench.make(*range(12, 301))
    bench.connect()
    bench.fetch()
    bench.fetch()
    assert bench.missing() == [(12, 289)] and bench.again(300) == KEPT
    while bench.fetch():
        take_all(bench.ring)
    assert bench.again(300) == KEPT_BEFORE
    bench.restart()
    assert bench.again(300) == KEPT_BEFORE and bench.live(301) == KEPT and bench.again(301) == KEPT_BEFORE


def test_newest_under_an_id_that_stands_still_is_known_when_the_log_has_lost_it():
    bench = met_empty(blocks=3)
    bench.memory.fixed = 7
    for _ in range(3):
        bench.push(bench.memory.make())
        bench.rest()
    for _ in range(4):  # each start opens a block
        take_all(bench.ring)
        assert bench.ring.save_cursors(0) == 0
        bench.restart().connect().rest()
    assert bench.ring.number == 3 and bench.known.memory[kn.EPOCH] == 0
    bench.memory.make()
    bench.connect().rest()
    assert bench.ring.number == 4, "another one is not the one that was known"


def test_two_results_of_one_id_within_one_second_are_two():
    bench = met_empty()
    bench.memory.fixed = 7
    first, second = bench.memory.make(), bench.memory.make(0)
    for result in (first, second):
        assert bench.push(result) == KEPT and bench.push(result) == KEPT_BEFORE
        bench.rest()
    third = bench.memory.make(0)
    bench.restart().connect()
    bench.rest()  # the newest is not the one that the log holds
    assert bench.push(third) == KEPT_BEFORE
    assert [uid for _, uid, _ in bench.stored()] == [1, 2, 3]


def test_constant_and_blank_ids_cost_no_more_than_one_question_a_result():
    for ident in (7, 0, BLANK):
        bench = Bench([])
        bench.memory.fixed = ident
        bench.connect()
        bench.rest()
        for number in range(30):
            result = bench.memory.make()
            assert bench.push(result) == KEPT and bench.push(result) == KEPT_BEFORE
            assert len(bench.rest()) <= (1 if number else WALK_GONE + 1)  # once: what was in front of it
        assert [uid for _, uid, _ in bench.stored()] == list(range(1, 31))
        bench.restart().connect()
        for _ in range(3):
            bench.wait()
            assert len(bench.rest()) <= 25
        assert [uid for _, uid, _ in bench.stored()] == list(range(1, 31))


def test_id_that_stands_still_begins_nothing_anew_once_the_newest_of_the_connection_was_heard():
    for steps in (0, 20, 200):  # of the look through a new count, that a cut ended
        bench = met_empty()
        bench.memory.fixed = 77
        bench.memory.make()
        bench.connect()
        bench.rest()
        bench.lose()
        bench.memory.make()
        bench.connect()
        for _ in range(steps):
            bench.fetch()
        bench.restart().connect()
        bench.rest()
        for _ in range(10):
            assert bench.push(bench.memory.make()) == KEPT
            assert len(bench.rest()) <= 1, steps


def test_id_that_stands_still_while_missing_ones_are_asked_for_begins_nothing_anew():
    bench = met_empty()
    bench.memory.fixed = 77
    bench.lose()
    bench.memory.make()
    bench.connect()
    for _ in range(6):
        bench.fetch()  # the newest, and some of what may be in front of it
    asked = len(bench.asked)
    for _ in range(30):
        assert bench.push(bench.memory.make()) == KEPT
        for _ in range(5):
            bench.fetch()
    assert 77 - 6 < len(bench.asked) - asked <= 77 + 2 * 30
    bench.rest()
    assert [uid for _, uid, _ in bench.stored()] == list(range(2, 32)) and not bench.known.looks()


def test_reset_to_the_same_highest_id_before_the_newest_was_heard_begins_anew_once_more():
    bench = met(range(1, 6))
    for _ in range(2):  # each time three more, of which the third is pushed
        bench.lose()
        bench.memory.wipe()
        bench.make(1, 2)
        bench.connect()
        assert bench.live(3) == KEPT
        while bench.missing() or bench.known.looks() == 0:
            bench.fetch()
    bench.connect()
    bench.rest()
    assert sorted([uid for _, uid, _ in bench.stored()]) == list(range(6, 12))


def test_what_a_reset_has_pushed_again_in_this_connection_is_not_asked_for_in_a_log_that_may_lose_it():
    bench = met_empty()
    for _ in range(12):
        assert bench.push(bench.memory.make(0)) == KEPT  # all in one second: no time tells that 5 is another one
    bench.lose()
    bench.memory.wipe()
    bench.memory.make(0)
    bench.memory.make(0)
    bench.connect()
    again = [bench.memory.make(0) for _ in range(3)]
    for one in again:
        assert bench.push(one) == KEPT
    bench.restart().connect()
    for one in again:
        assert bench.push(one) == KEPT_BEFORE
    bench.rest()
    assert 2 in bench.asked and not {3, 4, 5} & set(bench.asked)
    assert sorted([uid for _, uid, _ in bench.stored()]) == list(range(1, 18))


def test_push_within_the_second_of_the_highest_id_counts_anew_where_the_log_has_a_higher_id_of_an_earlier_one():
    for times, shows in (((1, 2, 3, 4, 4), True), ((4, 4, 4, 4, 4), False), ((4, 4, 4, 4, 5), False)):
        bench = met_empty()
        for number in range(1, 6):
            bench.live(number, times[number - 1])
        bench.rest()
        bench.memory.wipe()
        bench.restart().connect()
        assert bench.live(2, 4) == KEPT  # nothing was answered
        assert (bench.known.memory[kn.EPOCH], bench.known.top()) == ((1, 2) if shows else (0, 5))
        assert bench.ring.stage[bench.ring.payload_at + ID_EPOCH] == bench.known.memory[kn.EPOCH]
        bench.check_memory()
        assert bench.missing() == ([(1, 1)] if shows else []) and bench.again(2) == KEPT_BEFORE
        assert bench.restart().known.memory[kn.EPOCH] == shows


def test_higher_id_of_an_earlier_time_shows_nothing_across_the_wrap_or_where_it_is_not_proven():
    for has in ([LAST_ID - 2, LAST_ID - 1, LAST_ID, 1, 2, 3], [1, 2, 3]):
        bench = met(has[:1])
        for number in has[1:]:
            bench.live(number)
        bench.rest()
        bench.restart().connect()
        bench.live(4)
        last = bench.memory.time_s
        bench.live(5, last + 1)
        bench.lose()
        bench.memory.wipe()
        bench.connect()
        assert bench.live(3, last + 1) == KEPT and bench.known.memory[kn.EPOCH] == 0


# More gaps than can be noted


def test_newest_that_needs_a_gap_too_many_waits_until_one_is_filled():
    bench = met([10])
    for number in (12, 14, 16, 18, 20):
        bench.live(number)
    bench.make(11, 13, 15, 17, 19, 21, 22)
    bench.connect()
    bench.rest()
    assert sorted(bench.ids()) == list(range(11, 23)) and bench.known.gone() == 0


def test_newest_that_moves_on_over_short_connections_stays_one_gap():
    bench = met([10])
    for last in range(12, 40, 3):
        bench.make(*range(bench.memory.next_id, last))
        bench.connect()
        bench.fetch()
        bench.fetch()
    assert len(bench.missing()) == 1
    bench.rest()
    assert bench.ids() == list(range(11, 39)) and bench.known.gone() == 0


def test_pushed_result_that_needs_a_gap_too_many_is_withheld_and_comes_again():
    bench = met([10])
    for number in (12, 14, 16, 18, 20):
        bench.live(number)
    bench.make(11, 13, 15, 17, 19, 21)
    assert bench.live(22) == NOT_SURE
    bench.fetch()
    assert bench.again(22) == KEPT
    bench.rest()
    assert sorted(bench.ids()) == list(range(11, 23))


def test_pushed_result_that_needs_a_gap_too_many_waits_for_a_controller_that_answers_nothing_for_a_while():
    bench = met([10])
    for number in (12, 14, 16, 18, 20):
        bench.live(number)
    bench.make(11, 13, 15, 17, 19, 21)
    bench.make(22)
    bench.codes = dict.fromkeys(range(30), 98)
    for _ in range(PATIENCE_MS // 30000):
        bench.connect().fetch()
        assert bench.again(22) == NOT_SURE and bench.known.gone() == 0
        bench.wait()
    bench.codes = {}
    bench.rest()
    assert bench.again(22) == KEPT_BEFORE and sorted(bench.ids()) == list(range(11, 23))


def test_controller_that_was_empty_while_the_flash_refused_to_say_so_has_all_fetched_that_it_makes_unheard():
    for refuses_at_the_second in (False, True):
        bench = Bench()
        bench.connect()
        bench.device.code = FLASH_IO
        assert bench.fetch() and not bench.fetch()
        bench.device.code = 0
        bench.lose()
        bench.make(1, 2, 3)
        bench.device.code = FLASH_IO if refuses_at_the_second else 0
        bench.connect()
        bench.device.code = 0
        if refuses_at_the_second:
            bench.connect()
        assert bench.live(4) == KEPT
        bench.rest()
        assert sorted(bench.ids()) == [1, 2, 3, 4] and bench.missing() == []


def test_pushed_result_does_not_wait_for_ever_for_what_no_connection_lasts_long_enough_to_prove():
    bench = met([10])
    for number in (12, 14, 16, 18, 20):
        bench.live(number)
    bench.restart()
    bench.connect()
    for number in range(21, 31):
        assert bench.live(number) == KEPT  # in doubt, as the controller was asked nothing before
    bench.make(40)
    bench.memory.kept = [made for made in bench.memory.kept if made.ident != 20]
    waited_ms = 0
    while bench.connect().again(40) == NOT_SURE:
        for _ in range(4):  # then the controller waits no longer for an acknowledgement
            assert bench.fetch()
        waited_ms += 30000
        assert waited_ms <= PATIENCE_MS + 30000 and bench.ids()[-1] == 30
        bench.wait()
    assert waited_ms >= PATIENCE_MS and bench.ids()[-1] == 40
    bench.rest()
    assert bench.missing() == [] and bench.known.gone() == len((11, 13, 15, 17, 19)) + len(range(31, 40))


def test_pushed_result_that_needs_a_gap_too_many_does_not_wait_for_ever():
    bench = met([10])
    for number in (12, 14, 16, 18, 20):
        bench.live(number)
    bench.make(22)
    bench.codes = dict.fromkeys(range(1, 30), 98)  # it says what its newest is, and no more
    for _ in range(PATIENCE_MS // 30000 + 1):
        bench.connect().fetch()
        bench.fetch()
        bench.fetch()
        if bench.again(22) == KEPT:
            break
        bench.wait()
    assert bench.ids()[-1] == 22 and bench.known.gone() == 1


# What is durable


def test_memory_of_any_instant_goes_on_where_it_stood():
    for steps in range(1, 14):
        bench = met([10])
        bench.make(11, 12, 14, 15, 16)
        bench.connect()
        for _ in range(steps):
            bench.fetch()
            bench.check_memory()
        bench.restart().connect()
        bench.rest()
        assert bench.ids() == [11, 12, 14, 15, 16], steps


def test_what_a_gap_asks_for_and_the_log_holds_closes_the_gap_for_good():
    bench = met([10])
    for number in (11, 12, 13):  # within one second: their times say nothing
        bench.live(number, 100)
    bench.make(14)
    bench.memory.kept = [one for one in bench.memory.kept if one.ident in (11, 12, 14)]
    bench.connect()
    while not bench.asked or bench.asked[-1] != 11:
        bench.fetch()
    assert bench.known.looks() and bench.missing() == [(12, 3)]
    assert bench.restart().missing() == [(12, 3)]
    bench.connect().rest()
    assert bench.ids() == [11, 12, 13, 14] and bench.missing() == []
    assert bench.restart().missing() == []


def test_flash_that_refuses_changes_nothing_and_is_asked_again():
    bench = met([10])
    bench.make(11, 12, 14)
    for _ in range(3):
        bench.connect()
        before = bytes(bench.ring.memory)
        bench.device.code = FLASH_IO
        for _ in range(6):
            bench.fetch()
        assert bytes(bench.ring.memory) == before
        bench.device.code = 0
        bench.fetch()
        bench.wait()
    bench.rest()
    assert bench.ids() == [11, 12, 14]


def test_nothing_is_asked_between_two_connections():
    bench = met([10])
    bench.live(14)
    bench.silent()
    bench.lose()
    assert bench.recovery.wait_least(bench.now, FOREVER) == FOREVER and bench.ask() == -1
    assert bench.now == START_TICKS == ticks_add(bench.now, 0)


def take_all(ring):
    """Whoever waits for results has taken all of them."""
    while ring.peek(0) > 0:
        ring.advance(0)


# The model


def test_random_lives_store_each_tightening_the_controller_has_exactly_once():
    for seed in range(1, LIVES + 1):
        Life(seed).live(40)


def test_random_lives_in_a_small_log_that_goes_round():
    for seed in range(1, LIVES // 3 + 1):
        Life(seed, small=True).live(40)


def test_random_lives_of_a_controller_whose_ids_say_nothing():
    for seed in range(1, LIVES // 3 + 1):
        Life(seed, fixed=(7, 0, BLANK)[seed % 3]).live(30)
