"""What was missed is found and fetched once: every row of DIGEST D.6, and random lives beside a model."""

import sys

import agent.forward  # noqa: F401 - MicroPython's stack is too short for the whole chain of imports at once
from agent.base.result import BODY_BYTES, TIGHTENING_ID, put_time
from agent.base.ticks import FOREVER, ticks_add
from agent.openprotocol import recovery as rc
from agent.openprotocol import replies
from agent.openprotocol.gaps import GAP_IDS_MAX
from host_tests.support_recovery_model import Life
from tools.sim.clock import START_TICKS, stamp_text

PORTABLE = True
HEAP = "8m"

LAST_ID = 4294967295
IDENTITY = b"000101Cart controller          C1234567  "
WALL_S = 1710408413
LIVES = 40 if sys.implementation.name == "cpython" else 6


def body(number, time_s=None):
    """Return a body with an ID and a time; without a time given, an ID is as many seconds old as it is small."""
    octets = bytearray(b"0" * BODY_BYTES)
    octets[TIGHTENING_ID : TIGHTENING_ID + 10] = ("%010d" % number).encode()
    put_time(octets, 0, stamp_text(WALL_S + (number % 100000 if time_s is None else time_s)).encode(), 0)
    return octets


class Bench:
    """A recovery and the results of a controller; `fetch` goes through one question and its answer."""

    def __init__(self, has=(), **settings):
        self.settings = settings
        self.memory = bytearray(52)
        self.recovery = rc.Recovery(self.memory, **settings)
        self.has = {}
        self.newest = 0
        for number in has:
            self.make(number)
        self.latest_works = True
        self.codes = {}  # ID asked -> error code instead of the result
        self.now = START_TICKS
        self.asked = []
        self.stored = []
        self.news = []

    def make(self, number, time_s=None):
        self.has[number] = body(number, time_s)
        self.newest = number

    def connect(self):
        self.recovery.closed()
        self.recovery.opened(IDENTITY)
        return self

    def restart(self, memory=None):
        """Power cut: a new object over what was saved."""
        saved = bytearray(self.memory if memory is None else memory)
        self.memory = saved
        self.recovery = rc.Recovery(saved, **self.settings)
        return self

    def push(self, number, time_s=None):
        """The controller makes a result and it is stored at once."""
        self.make(number, time_s)
        verdict = self.recovery.verdict(self.has[number], 0)
        self.stored.append(number)
        self.recovery.stored(self.has[number], 0)
        return verdict

    def fetch(self):
        """Ask and answer once; False when nothing is wanted."""
        recovery = self.recovery
        if not recovery.want(self.now):
            return False
        number = int(bytes(recovery.ask_id))
        self.asked.append(number)
        found = self._find(number)
        if found is None or number in self.codes:
            news = recovery.refused(replies.refusal_class(self.codes.get(number, 15)), self.now)
        else:
            news = recovery.fetched(found, 0)
        if news == rc.NEWS_STORE:
            self.stored.append(number)
            recovery.stored(found, 0)
        self.news.append(news)
        return True

    def _find(self, number):
        if number:
            return self.has.get(number)
        return self.has[self.newest] if self.latest_works and self.has else None

    def rest(self, most=3000):
        """Fetch until nothing is wanted; return the IDs asked for."""
        self.asked = []
        for _ in range(most):
            if not self.fetch():
                return self.asked
        raise AssertionError("it never ends")


def met(has, **settings):
    """A bench that has met its controller and knows its newest."""
    bench = Bench(has, **settings).connect()
    bench.rest()
    return bench


# The rows of D.6


def test_first_meeting_learns_the_newest_and_stores_nothing():
    bench = Bench([3, 4, 5]).connect()
    assert bench.rest() == [0]
    assert bench.stored == [] and bench.news == [rc.NEWS_SAVE]
    assert bench.push(6) == rc.VERDICT_NEW and bench.rest() == []


def test_first_meeting_stores_the_newest_where_that_is_configured():
    bench = Bench([3, 4, 5], store_newest=True).connect()
    assert bench.rest() == [0, 5] and bench.stored == [5]


def test_empty_controller_is_remembered_and_later_walked_back_to_its_first():
    bench = Bench().connect()
    assert bench.rest() == [0] and bench.news == [rc.NEWS_SAVE]
    bench.restart()
    for number in (1, 2, 3):
        bench.make(number)
    bench.connect()
    assert bench.rest() == [0, 2, 1, 1, 2, 3]
    assert bench.stored == [1, 2, 3]


def test_push_that_comes_before_the_answer_hides_nothing_of_a_controller_that_was_empty():
    bench = Bench().connect()
    bench.rest()
    for number in (1, 2, 3):
        bench.make(number)
    bench.connect()
    bench.push(4)
    assert bench.recovery.must_look()
    assert bench.rest() == [0, 3, 2, 1, 1, 2, 3, 4]


def test_live_results_of_a_controller_that_is_empty_now_need_no_walk():
    bench = Bench().connect()
    bench.rest()
    assert bench.push(1) == rc.VERDICT_NEW and bench.push(2) == rc.VERDICT_NEW
    assert not bench.recovery.must_look() and bench.rest() == []
    bench.connect()
    assert bench.rest() == [0]


def test_nothing_is_fetched_when_the_newest_is_known():
    bench = met([7])
    bench.connect()
    assert bench.rest() == [0] and bench.news[-1] == rc.NEWS_NONE


def test_what_was_missed_is_fetched_oldest_first_one_at_a_time():
    bench = met([10])
    for number in (11, 12, 13):
        bench.make(number)
    bench.connect()
    assert bench.rest() == [0, 11, 12, 13]
    assert bench.stored == [11, 12, 13] and bench.recovery.open_ids() == 0


def test_gone_id_is_closed_and_counted_and_never_asked_again():
    bench = met([10])
    bench.make(11)
    bench.make(13)
    bench.connect()
    assert bench.rest() == [0, 11, 12, 13]
    assert bench.news[-2] == rc.NEWS_GONE and bench.recovery.gone == 1
    bench.connect()
    assert bench.rest() == [0]


def test_any_other_refusal_leaves_the_id_open_for_later_and_for_the_next_connection():
    for code in (1, 27, 28, 79, 92, 98):
        bench = met([10])
        for number in (11, 12, 13):
            bench.make(number)
        bench.codes = {12: code}
        bench.connect()
        assert bench.rest() == [0, 11, 12, 13]
        assert bench.recovery.open_ids() == 1
        bench.now = ticks_add(bench.now, 29999)
        assert bench.rest() == [] and bench.recovery.wait_least(bench.now, FOREVER) == 1
        bench.now = ticks_add(bench.now, 1)
        assert bench.rest() == [12]
        bench.codes = {}
        bench.connect()
        assert bench.rest() == [0, 12] and bench.stored == [11, 13, 12]


def test_silence_leaves_the_id_open_and_asks_the_next_one():
    bench = met([10])
    bench.make(11)
    bench.make(12)
    bench.connect()
    bench.fetch()
    assert bench.recovery.want(bench.now)
    bench.recovery.silent(bench.now)
    assert bench.rest() == [12]
    bench.now = ticks_add(bench.now, 30000)
    assert bench.rest() == [11]


def test_silence_on_the_question_for_the_newest_is_asked_again_later():
    bench = Bench([10]).connect()
    assert bench.recovery.want(bench.now)
    bench.recovery.silent(bench.now)
    assert not bench.recovery.want(bench.now)
    bench.now = ticks_add(bench.now, 30000)
    assert bench.rest() == [0]


def test_refused_revision_falls_back_to_the_next_and_then_recovery_is_off():
    for code in (97, 74, 76):
        bench = Bench([10], revisions=(2, 1)).connect()
        assert bench.recovery.revision() == 2
        bench.codes = {0: code}
        bench.fetch()
        assert bench.recovery.revision() == 1
        bench.fetch()
        assert bench.recovery.phase == rc.PHASE_OFF and bench.rest() == []
        bench.connect()
        assert bench.rest() == []


def test_controller_that_does_not_know_0064_is_not_asked_again():
    for code in (99, 73, 75):
        bench = Bench([10]).connect()
        bench.codes = {0: code}
        assert bench.rest() == [0]
        bench.connect()
        assert bench.rest() == []
        # Live results go on.
        assert bench.push(11) == rc.VERDICT_NEW and bench.push(12) == rc.VERDICT_NEW


def test_disabled_recovery_asks_nothing_and_follows_a_reset_all_the_same():
    bench = Bench([10], enabled=False).connect()
    assert bench.rest() == []
    assert [bench.push(number) for number in (1000, 1001, 1005)] == [rc.VERDICT_NEW] * 3
    assert bench.push(1, 200000) == rc.VERDICT_LOOK
    assert bench.push(2, 200001) == rc.VERDICT_NEW


def test_controller_that_does_not_know_id_zero_is_probed_from_the_last_one_known():
    bench = met([10])
    bench.latest_works = False
    bench.make(11)
    bench.make(12)
    bench.connect()
    assert bench.rest() == [0, 11, 12, 13]
    assert bench.stored == [11, 12]


def test_large_gap_is_walked_back_to_the_last_one_known():
    bench = met([10], round_ids=5)
    for number in range(11, 21):
        bench.make(number)
    bench.connect()
    assert bench.rest() == [0] + list(range(19, 10, -1)) + list(range(11, 21))
    assert bench.stored == list(range(11, 21))


def test_walk_back_ends_after_a_hundred_that_are_gone_in_a_row():
    bench = met([10], round_ids=5)
    for number in (1000, 1001, 1003):
        bench.make(number)
    bench.connect()
    asked = bench.rest()
    assert asked[: 1 + 3 + rc.WALK_GONE] == [0] + list(range(1002, 999 - rc.WALK_GONE, -1))
    assert asked[1 + 3 + rc.WALK_GONE :] == [1000, 1001, 1002, 1003]
    assert bench.stored == [1000, 1001, 1003] and bench.recovery.gone == 1


def test_refusal_that_may_pass_does_not_end_a_walk_back():
    bench = met([10], round_ids=5)
    for number in range(11, 21):
        bench.make(number)
    bench.codes = {15: 98}
    bench.connect()
    bench.rest()
    assert bench.stored == []
    bench.codes = {}
    bench.now = ticks_add(bench.now, 30000)
    bench.rest()
    assert bench.stored == list(range(11, 21))


def test_reset_is_found_by_the_newest_and_walked_back_by_time():
    bench = met(range(900, 1001))
    bench.has = {}
    for number in (1, 2, 3):
        bench.make(number, 5000 + number)
    bench.connect()
    assert bench.rest() == [0, 2, 1, 1, 2, 3]
    assert bench.stored == [1, 2, 3]
    assert rc.NEWS_RESET in bench.news and bench.recovery.epoch() == 1


def test_walk_after_a_reset_ends_at_the_last_time_known():
    bench = met([1000])
    for number in range(50, 60):
        bench.make(number, 900 + number)  # before the last one known
    bench.make(60, 5001)
    bench.make(61, 5002)
    bench.connect()
    assert bench.rest() == [0, 60, 59, 60, 61]
    assert bench.stored == [60, 61]


def test_reset_that_a_live_result_shows_loses_nothing_that_was_missed_before_it():
    bench = met([1000])
    bench.has = {}
    for number in (1, 2, 3):
        bench.make(number, 5000 + number)
    bench.connect()
    assert bench.push(4, 5004) == rc.VERDICT_LOOK
    bench.rest()
    assert sorted(set(bench.stored)) == [1, 2, 3, 4]
    assert bench.recovery.epoch() == 1


def test_reset_stays_known_over_power_cuts_until_it_is_settled():
    bench = met([1000])
    bench.has = {}
    for number in (1, 2, 3):
        bench.make(number, 5000 + number)
    bench.connect()
    bench.push(4, 5004)
    saved = bytearray(bench.memory)
    # Meanwhile the controller counts past the highest ID of before: only the memory still tells.
    for number in range(5, 1100):
        bench.make(number, 5000 + number)
    bench.restart(saved).connect()
    bench.stored = []
    bench.rest()
    assert sorted(set(bench.stored)) == list(range(1, 1100))
    assert bench.recovery.must_look() is False


def test_wrap_over_the_last_id_is_no_reset_and_zero_is_never_asked_for_by_number():
    bench = met([LAST_ID - 2])
    for number in (LAST_ID - 1, LAST_ID, 0, 1, 2):
        bench.make(number, 200000 + (number + 5) % (LAST_ID + 1))
    bench.connect()
    assert bench.rest() == [0, LAST_ID - 1, LAST_ID, 1, 2]
    assert bench.stored == [LAST_ID - 1, LAST_ID, 1, 2] and bench.recovery.epoch() == 0


def test_walk_back_of_a_large_gap_goes_over_the_wrap():
    bench = met([LAST_ID - 20], round_ids=5)
    wanted = [LAST_ID - back for back in range(19, -1, -1)] + [1, 2, 3]
    for number in wanted:
        bench.make(number, 200000 + wanted.index(number))
    bench.connect()
    bench.rest()
    assert bench.stored == wanted


def test_live_results_count_over_the_wrap():
    bench = met([LAST_ID - 1])
    for number in (LAST_ID, 0, 1, 2):
        assert bench.push(number, 200000 + (number + 1) % (LAST_ID + 1)) == rc.VERDICT_NEW
    bench.connect()
    assert bench.rest() == [0]


def test_pushed_result_above_the_next_opens_a_gap_without_being_held_up():
    bench = met([10])
    assert bench.push(14) == rc.VERDICT_NEW
    for number in (11, 12, 13):
        bench.make(number, number)
    assert bench.rest() == [11, 12, 13]
    assert bench.stored == [14, 11, 12, 13]


def test_jump_of_a_billion_ids_asks_for_no_more_than_a_controller_keeps():
    bench = met([10], round_ids=5)
    bench.push(1210061999, 100)
    for number in (1210061997, 1210061998):
        bench.make(number, 99)
    count = 0
    while bench.fetch():
        count += 1
        bench.asked = []
        bench.news = []
    assert count == GAP_IDS_MAX
    assert bench.stored[1:] == [1210061997, 1210061998]


def test_pushed_result_inside_a_gap_closes_its_id():
    bench = met([10])
    bench.push(14)
    assert bench.push(12, 12) == rc.VERDICT_NEW
    assert bench.rest() == [11, 13]


def test_repeat_of_a_stored_result_is_looked_for():
    bench = met([10])
    bench.push(11)
    assert bench.recovery.verdict(body(11), 0) == rc.VERDICT_LOOK
    assert bench.recovery.verdict(body(5), 0) == rc.VERDICT_LOOK
    assert bench.recovery.verdict(body(12), 0) == rc.VERDICT_NEW


def test_result_pushed_while_its_fetch_is_under_way_is_not_stored_twice():
    bench = met([10])
    bench.make(11)
    bench.make(12)
    bench.connect()
    bench.fetch()
    assert bench.recovery.want(bench.now)
    bench.push(11)
    assert bench.recovery.fetched(bench.has[11], 0) == rc.NEWS_NONE
    assert bench.rest() == [12] and bench.stored == [11, 12]


def test_results_pushed_during_a_walk_back_belong_to_what_it_finds():
    bench = met([10], round_ids=5)
    for number in range(11, 21):
        bench.make(number)
    bench.connect()
    for _ in range(4):
        bench.fetch()
    assert bench.push(21) == rc.VERDICT_NEW
    assert bench.recovery.verdict(body(21), 0) == rc.VERDICT_UNSURE  # a repeat: the log tells
    bench.push(22)
    bench.rest()
    # 21 and 22 are asked for as well, and found in the log by the owner, because the recovery says that it must look.
    assert bench.asked[-12:] == list(range(11, 23))
    assert bench.push(23) == rc.VERDICT_NEW
    bench.connect()
    assert bench.rest() == [0]


def test_old_id_that_comes_late_asks_for_the_newest_once_and_moves_nothing():
    bench = met(range(1, 101))
    bench.rest()
    assert bench.push(50, 50) == rc.VERDICT_LOOK
    bench.newest = 100
    assert bench.rest() == [0]
    bench.push(51, 51)
    assert bench.rest() == []
    assert bench.recovery.epoch() == 0 and bench.push(101) == rc.VERDICT_NEW


def test_answer_to_a_question_of_before_a_reset_is_not_taken_for_the_newest():
    bench = met([1000])
    bench.push(1004)
    assert bench.recovery.want(bench.now)  # 1001
    bench.push(1, 5000)
    assert bench.recovery.fetched(body(1001), 0) == rc.NEWS_NONE
    assert bench.recovery.phase == rc.PHASE_NEWEST


def test_more_gaps_than_fit_are_joined_and_looked_through():
    bench = met([10])
    for number in (12, 14, 16, 18):
        bench.push(number)
    assert bench.recovery.must_look()
    for number in (11, 13, 15, 17):
        bench.make(number, number)
    bench.rest()
    assert bench.recovery.open_ids() == 0 and not bench.recovery.must_look()
    assert {11, 13, 15, 17} <= set(bench.stored)


def test_another_controller_is_trusted_in_nothing():
    bench = met([10])
    bench.recovery.closed()
    bench.recovery.opened(IDENTITY[:31] + b"C7654321  ")
    assert bench.recovery.must_look()
    bench.recovery.closed()
    bench = met([10])
    bench.recovery.closed()
    bench.recovery.opened(IDENTITY[:6] + b"Renamed controller       " + IDENTITY[31:])
    assert not bench.recovery.must_look()


def test_result_without_an_id_is_always_new_and_changes_nothing():
    bench = met([10])
    nameless = body(0)
    nameless[TIGHTENING_ID : TIGHTENING_ID + 10] = b" " * 10
    before = bytearray(bench.memory)
    assert bench.recovery.verdict(nameless, 0) == rc.VERDICT_NEW
    bench.recovery.stored(nameless, 0)
    assert bench.memory == before
    bench.connect()
    bench.recovery.want(bench.now)
    assert bench.recovery.fetched(nameless, 0) == rc.NEWS_NONE


# Memory


def test_memory_of_any_instant_goes_on_where_it_stood():
    for steps in range(1, 14):
        bench = met([10])
        for number in (11, 12, 14, 15, 16):
            bench.make(number)
        bench.connect()
        for _ in range(steps):
            bench.fetch()
        bench.restart().connect()
        bench.rest()
        assert bench.stored == [11, 12, 14, 15, 16], steps


def test_results_behind_the_memory_bring_it_up_to_date():
    bench = met([10])
    saved = bytearray(bench.memory)
    for number in (11, 12, 15, 16):
        bench.push(number)
    wanted = bytearray(bench.memory)
    bench.restart(saved)
    for number in (11, 12, 15, 16):
        bench.recovery.stored(bench.has[number], 0)
    assert bench.memory == wanted


def test_memory_that_may_be_older_than_the_log_is_not_trusted():
    bench = met([10])
    bench.recovery.distrust()
    assert bench.recovery.must_look()


def test_nothing_is_asked_between_two_connections():
    bench = met([10])
    bench.push(14)
    bench.recovery.silent(bench.now)
    bench.recovery.closed()
    assert bench.recovery.wait_least(bench.now, FOREVER) == FOREVER


# The model


def test_random_lives_store_each_tightening_the_controller_has_exactly_once():
    for seed in range(1, LIVES + 1):
        life = Life(seed)
        life.live(25)
        assert life.differences() == [], seed
