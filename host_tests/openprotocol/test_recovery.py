"""All a controller has and the log lacks is fetched, once, oldest first, in few questions; and no push ever waits."""

from toolcart.agent.openprotocol import questions as qs
from toolcart.agent.openprotocol import replies
from toolcart.agent.openprotocol.filling import CLOSED_MOST
from toolcart.agent.openprotocol.ids import ID_PERIOD
from toolcart.agent.openprotocol.known import SPINDLES
from toolcart.agent.openprotocol.question import UNANSWERED_MOST
from toolcart.agent.openprotocol.recovery import LOOK_AGAIN_MS, OFF_MS
from toolcart.agent.openprotocol.whose import GONE_OWN
from toolcart.agent.record import result as res
from toolcart.agent.record.origin import SPINDLE
from host_tests.support.recovery import BLANK, IDENTITY, STATION, Bench, Memory, Result

PORTABLE = True
HEAP = "8m"

LAST_ID = ID_PERIOD - 1


def numbers(first, last):
    return list(range(first, last + 1))


def met(count=3, **settings):
    """A controller that is met while it has nothing, and has pushed `count` results since."""
    bench = Bench(**settings).met()
    for _ in range(count):
        bench.live()
        bench.settle()
    bench.asked = []
    bench.news = []
    return bench


def told(bench):
    """Return what was told as gone: first, last and how many."""
    return [run[:3] for run in bench.gone.runs]


# -- the first meeting -------------------------------------------------------------------------------------------


def test_first_meeting_learns_the_newest_and_stores_nothing():
    bench = Bench(Memory(100)).open()
    for _ in range(5):
        bench.memory.make()
    assert bench.recovery.flags == res.FLAG_UNPROVEN
    assert bench.settle() == 1 and bench.stored() == []
    assert bench.known.top() == 104 and bench.recovery.flags == 0
    bench.live()
    assert bench.settle() == 0 and bench.stored() == [105]


def test_push_that_comes_before_the_first_answer_is_what_is_known():
    bench = Bench(Memory(100)).open()
    bench.live()
    assert bench.known.top() == 100
    bench.memory.make()
    bench.settle()
    assert bench.stored() == [100, 101] and bench.known.top() == 101


def test_controller_that_was_empty_has_all_fetched_that_it_makes_later():
    bench = Bench(Memory(7)).open()
    assert bench.settle() == 1 and bench.known.is_empty() and bench.recovery.flags == 0
    bench.away(5)
    bench.settle()
    assert bench.stored() == numbers(7, 11) and bench.known.top() == 11


def test_first_push_of_a_controller_that_was_empty_shows_what_lies_in_front_of_it():
    bench = Bench().met()
    bench.memory.make()
    bench.memory.make()
    bench.live()
    assert bench.recovery.flags == 0 and bench.known.top() == 3, "it is known at once"
    assert bench.known.missing() == 1, "no one knows how many"
    assert bench.settle() == 1 + GONE_OWN + 2  # on the walk 1, and what was never made, then both
    assert bench.stored() == [3, 1, 2] and bench.known.gone() == 0
    bench.live()
    assert bench.settle() == 0


def named(uid, ident, key):
    """A result of the first spindle."""
    result = Result(uid, ident, key)
    payload = bytearray(result.payload)
    payload[SPINDLE] = 1
    result.payload = bytes(payload)
    return result


def test_each_spindle_is_asked_for_highest_known_though_log_has_lost_it():
    bench = Bench()
    bench.memory.result = named
    bench.met()
    for _ in range(3):
        bench.live()
        bench.settle()
    bench.known.octets[SPINDLES] = 0x82  # the second one's part of 3 may never have been stored
    bench.log.records.clear()
    bench.away(1)
    bench.settle()
    assert bench.asked == [0, 0, 3, 3, 3, 4, 4]


def test_newest_below_what_the_connection_before_asked_for_is_no_sign_of_shared_ids():
    bench = Bench().met()
    bench.memory.make()
    bench.live()
    bench.step()
    assert bench.asked[-1] == 1 and bench.step() and bench.asked[-1] == LAST_ID
    bench.again().settle()
    assert bench.recovery.whose.shared is None, "else one spindle alone would be asked"
    assert bench.stored() == [2, 1]


def test_what_was_never_made_is_asked_for_twelve_times_and_is_not_gone():
    bench = Bench().met()
    bench.away(3)
    bench.settle()
    assert len([number for number in bench.asked if number > 3]) == GONE_OWN + 2
    assert bench.known.gone() == 0 and told(bench) == []


def test_controller_that_was_empty_and_begins_in_front_of_the_wrap_has_all_fetched():
    bench = Bench(Memory(4294967290)).met()
    for _ in range(8):
        bench.memory.make()
    bench.live()
    bench.settle()
    assert bench.known.top() == 2 and sorted(bench.uids()) == numbers(1, 6) + [8, 9], "0 cannot be asked for"


def test_what_is_lost_behind_the_first_push_of_a_controller_that_was_empty_is_counted():
    bench = Bench(Memory(77, 2)).met()
    bench.live()
    bench.away(5)
    bench.settle()
    assert bench.stored() == [77, 81, 82] and bench.known.gone() == 3


def test_newest_without_an_id_again_and_again_ends_the_questions():
    bench = Bench().met()
    bench.live()
    bench.away(0)
    bench.memory.make(BLANK)
    bench.memory.find = lambda number: bench.memory.made[-1]
    assert bench.settle() == 5 and not bench.recovery.seeks()


def test_poll_that_brings_no_id_again_and_again_ends_the_questions():
    bench = Bench().met()
    bench.live(BLANK)
    bench.memory.find = lambda number: bench.memory.made[-1]
    bench.recovery.poll()
    assert bench.settle() == 1 + UNANSWERED_MOST and not bench.recovery.can_poll()


def test_newest_that_cannot_be_read_again_and_again_ends_the_questions():
    bench = Bench().met()
    bench.live()
    bench.again()
    for _ in range(UNANSWERED_MOST):
        assert bench.ask() == 0
        bench.recovery.fetched_unread(bytearray(b"?" * res.ROOM_BYTES), 0, 1, bench.now)
        bench.now = (bench.now + 60000) & 0x3FFFFFFF
    assert not bench.recovery.seeks()


def test_controller_that_is_found_empty_behind_a_result_counts_afresh():
    bench = met(3)
    bench.memory.reset()
    bench.away(0)
    bench.settle()
    assert bench.known.is_empty() and bench.known.epoch() == 1


# -- in an ordinary life -----------------------------------------------------------------------------------------


def test_nothing_is_fetched_when_the_newest_is_known():
    bench = met(3)
    bench.away(0)
    saves = bench.state.saves
    assert bench.settle() == 1 and bench.stored() == [1, 2, 3]
    assert bench.state.saves == saves, "nothing was to be written down"


def test_what_was_missed_is_fetched_oldest_first_in_two_questions_more():
    bench = met(3)
    bench.away(40)
    assert bench.settle() == 2 + 40
    assert bench.asked[:2] == [0, 3] and bench.asked[2:] == numbers(4, 43)
    assert bench.stored() == numbers(1, 43)
    assert bench.known.missing() == 0 and not bench.recovery.seeks()


def test_live_results_cost_no_question_and_leave_nothing_open():
    bench = met(1)
    for _ in range(30):
        assert bench.live()
        assert not bench.recovery.seeks() and bench.log.records[-1][1] == 0
    assert bench.asked == [] and bench.known.top() == 31


def test_jump_of_the_pushed_ids_is_fetched_and_holds_up_nothing():
    bench = met(3)
    bench.memory.make()
    bench.memory.make()
    assert bench.live() and bench.recovery.flags == 0 and bench.known.missing() == 2
    assert bench.settle() == 2 and bench.stored() == [1, 2, 3, 6, 4, 5]


def test_jump_is_one_write_with_the_push_that_made_it():
    bench = met(3)
    bench.state.save()
    bench.memory.make()
    bench.live()
    saves = bench.state.saves
    bench.start().open()
    assert bench.state.saves == saves and bench.known.missing() == 1, "the record alone says it"
    bench.settle()
    assert sorted(bench.stored()) == [1, 2, 3, 4, 5]


def test_pushes_go_on_while_hundreds_are_missing():
    bench = met(1)
    bench.away(600)
    for _ in range(300):
        bench.step()
        assert bench.live()
        assert bench.log.records[-1][2] is bench.memory.made[-1]
    proven = [record for record in bench.log.records[-200:] if not record[1] & res.FLAG_RECOVERED]
    assert all(record[1] == 0 for record in proven)
    bench.settle(5000)
    assert sorted(bench.uids()) == numbers(1, 901)


def test_result_pushed_while_its_answer_is_on_the_way_is_stored_once():
    bench = met(2)
    bench.away(2)
    bench.step()
    bench.step()
    assert bench.ask() == 3
    bench.push(bench.memory.find(3))
    bench.answer(bench.memory.find(3))
    bench.settle()
    assert sorted(bench.stored()) == [1, 2, 3, 4]


def test_what_was_pushed_unproven_is_not_stored_again():
    bench = met(2)
    bench.away(1)
    assert bench.live() and bench.live()
    assert [record[1] for record in bench.log.records[-2:]] == [res.FLAG_UNPROVEN] * 2
    assert bench.known.top() == 2, "what is not proven moves nothing"
    bench.settle()
    assert bench.stored() == [1, 2, 4, 5, 3] and bench.known.top() == 5


def test_a_push_before_the_session_stands_proves_nothing():
    bench = met(2)
    bench.close()
    for _ in range(3):
        bench.memory.make()
    assert bench.live() and bench.log.records[-1][1] == res.FLAG_UNPROVEN and bench.known.top() == 2
    bench.open()
    bench.settle()
    assert sorted(bench.stored()) == [1, 2, 3, 4, 5, 6] and bench.known.top() == 6


def test_nothing_is_asked_between_two_connections():
    bench = met(1)
    bench.away(3)
    bench.step()
    bench.close()
    assert not bench.recovery.seeks() and bench.ask() == -1


def test_disabled_recovery_asks_nothing_and_stores_all_the_same():
    bench = Bench(recovers=False).open()
    bench.live()
    bench.memory.make()
    assert bench.live() and bench.log.records[-1][1] == 0
    assert not bench.recovery.seeks() and bench.settle() == 0 and bench.stored() == [1, 3]


# -- a count that begins afresh ----------------------------------------------------------------------------------


def test_reset_while_away_is_found_wherever_the_new_count_stands():
    for count in (1, 2, 4, 5, 6, 9):  # below, equal, above
        bench = met(5)
        bench.close()
        bench.memory.reset()
        bench.away(count)
        bench.settle()
        made = [one.uid for one in bench.memory.made]
        assert sorted(bench.uids()) == made, count
        assert bench.known.top() == count and bench.known.epoch() == 1, count
        assert bench.news.count(qs.NEWS_RESET) == 1, count
        bench.live()
        assert bench.settle() == 0, count


def test_reset_while_connected_shows_by_the_push_that_does_not_fit():
    bench = met(5)
    bench.memory.reset()
    bench.memory.make()
    assert bench.live(), "it is stored at once"
    assert bench.recovery.flags == res.FLAG_UNPROVEN
    bench.settle()
    assert sorted(bench.uids()) == numbers(1, 7) and bench.known.top() == 2 and bench.known.epoch() == 1


def test_clock_set_back_loses_nothing_where_the_last_one_known_is_gone():
    bench = Bench(Memory(limit=4)).met()
    bench.memory.made = [Result(uid, 0, uid) for uid in numbers(1, 2000)]  # so late is it
    bench.live()
    bench.settle()
    late = bench.memory.kept[-1].time
    bench.memory.made = bench.memory.made[:10]
    bench.away(6)
    assert bench.memory.kept[-1].time < late, "all of them are earlier than what is stored"
    bench.settle()
    assert bench.stored() == [1] + [one.ident for one in bench.memory.kept]


def test_what_was_missing_before_a_reset_is_told_as_gone():
    bench = met(3)
    bench.away(4)
    bench.step()
    bench.step()
    bench.close()
    assert bench.known.missing() == 4
    bench.memory.reset()
    bench.away(1)
    bench.settle()
    assert bench.gone.runs == [(4, 7, 4, True)] and bench.known.gone() == 4


def test_look_is_begun_again_once_a_minute_at_most():
    bench = met(5)
    questions = 0
    for ident in (2, 1, 2, 1):
        bench.live(ident)
        recovery = bench.recovery
        while recovery.want(bench.now):
            questions += 1
            bench.answer(bench.memory.find(int(bytes(recovery.ask_id))))
    assert 0 < questions < GONE_OWN + 10 and recovery.seeks()
    assert 0 < recovery.wait_least(bench.now, LOOK_AGAIN_MS * 2) <= LOOK_AGAIN_MS
    bench.settle()
    assert recovery.flags == 0 and sorted(bench.uids()) == numbers(1, 9)


def test_answer_to_a_question_of_before_is_not_taken():
    bench = met(5)
    bench.away(1)
    assert bench.ask() == 0
    bench.recovery.look_again(bench.now)
    assert bench.answer(bench.memory.find(2)) == qs.NEWS_NONE
    bench.settle()
    assert bench.known.top() == 6 and bench.stored() == numbers(1, 6)


# -- the circle, and IDs that say little -------------------------------------------------------------------------


def test_wrap_over_the_last_id_is_no_reset_and_zero_is_never_asked_for_by_number():
    bench = Bench(Memory(LAST_ID - 2)).open()
    bench.live()
    bench.settle()
    bench.asked = []
    bench.away(6)
    bench.settle()
    assert bench.asked[2:] == [LAST_ID - 1, LAST_ID, 1, 2, 3]
    assert bench.stored() == [LAST_ID - 2, LAST_ID - 1, LAST_ID, 1, 2, 3] and bench.known.epoch() == 0


def test_walk_goes_over_the_wrap_where_the_log_has_id_near_it():
    bench = Bench(Memory(LAST_ID - 8)).met()
    for _ in range(3):
        bench.again().live()  # nothing is proven
    bench.start()
    bench.away(40)
    bench.settle()
    assert sorted(bench.uids()) == [one.uid for one in bench.memory.made if one.ident]


def test_live_results_count_over_the_wrap():
    bench = Bench(Memory(LAST_ID - 1)).open()
    for _ in range(6):
        bench.live()
        bench.settle()
    assert bench.stored() == [LAST_ID - 1, LAST_ID, 0, 1, 2, 3]
    assert bench.asked == [0] and bench.known.missing() == 0


def test_id_that_stands_still_is_stored_each_time_and_costs_one_question_a_connection():
    bench = Bench(Memory(fixed=7)).met()
    for _ in range(5):
        bench.live()
        bench.settle()
    assert bench.stored() == [7] * 5 and bench.known.top() == 7
    bench.away(0)
    assert bench.settle() == 1
    bench.away(2)
    bench.settle()
    assert bench.uids() == [1, 2, 3, 4, 5, 7], "there is one under an ID, and that is fetched"


def test_answer_that_came_before_pushes_with_its_id_is_not_taken():
    bench = Bench(Memory(fixed=7)).met()
    bench.live()
    bench.settle()
    bench.away(1)
    first = bench.memory.make()
    second = bench.memory.make()
    while bench.ask() != 7 or bench.recovery.phase != qs.PHASE_FILL:
        bench.answer(bench.memory.find(bench.asked[-1]))
    bench.push(first)
    bench.answer(second)
    assert bench.uids() == [1, 3]
    bench.push(second)
    bench.settle()
    assert bench.uids() == [1, 3, 4] and bench.known.missing() == 0


def test_results_without_an_id_are_stored_and_ask_for_nothing():
    bench = met(2)
    for _ in range(3):
        assert bench.live(BLANK) and not bench.recovery.seeks()
    assert not bench.push(bench.memory.made[-1]), "told by its time and values"
    assert bench.stored() == [1, 2, BLANK, BLANK, BLANK] and bench.known.top() == 2


def test_answer_whose_id_is_padded_is_compared_as_a_number_and_kept_as_ten_digits():
    for pad in (b"4         ", b"         4", b"    4     ", b"\0\0\0\0\0\0\0\0\x004"):
        bench = met(3)
        bench.away(1)
        bench.step()
        bench.step()
        bench.ask()
        payload = bytearray(bench.memory.find(4).payload)
        at = res.HEAD_BYTES + res.TIGHTENING_ID
        payload[at : at + res.ID_BYTES] = pad
        assert bench.recovery.fetched(payload, res.HEAD_BYTES, bench.now) == qs.NEWS_STORE, pad
        assert bytes(payload[at : at + res.ID_BYTES]) == b"0000000004", pad


# -- what is gone ------------------------------------------------------------------------------------------------


def test_gone_id_is_closed_counted_told_and_never_asked_again():
    bench = met(3)
    bench.away(5)
    bench.memory.forget(5, 6)
    bench.settle()
    assert bench.stored() == [1, 2, 3, 4, 7, 8] and bench.known.gone() == 2
    assert bench.gone.runs == [(5, 6, 2, False)]
    bench.away(0)
    assert bench.settle() == 1


def test_where_many_in_a_row_are_gone_a_walk_finds_what_is_left_in_few_questions():
    bench = met(3)
    bench.away(3000)
    bench.step()
    bench.step()
    bench.memory.kept = bench.memory.kept[-500:]
    before = len(bench.asked)
    bench.settle(2000)
    assert bench.stored() == [1, 2, 3] + numbers(2504, 3003)
    assert len(bench.asked) - before < 500 + GONE_OWN + 150
    assert told(bench) == [(4, 2503, 2500)] and bench.known.gone() == 2500


def test_what_is_lost_when_the_last_one_known_is_gone_is_told():
    bench = Bench(Memory(limit=5)).met()
    bench.live()
    bench.settle()
    bench.away(20)
    bench.settle()
    assert bench.stored() == [1] + numbers(17, 21)
    assert told(bench) == [(2, 16, 15)] and bench.known.gone() == 15 and bench.known.epoch() == 0


def test_what_walk_found_is_not_asked_for_again_after_a_power_cut():
    bench = met(3)
    bench.away(1000)
    bench.step()
    bench.step()
    bench.memory.kept = bench.memory.kept[-20:]
    while not bench.gone.runs:
        bench.step()
    bench.start().open()
    bench.asked = []
    bench.settle()
    assert len(bench.asked) == 2 + 20 - 1 and bench.stored() == [1, 2, 3] + numbers(984, 1003)


def test_a_power_cut_costs_few_questions_for_what_was_closed_before_it():
    bench = met(3)
    bench.away(200)
    for _ in range(100):
        bench.step()
    bench.asked = []
    bench.start().open()
    bench.settle()
    assert len(bench.asked) <= 2 + 102 + CLOSED_MOST
    assert bench.stored() == numbers(1, 203)
    assert bench.gone.runs == []


def test_end_of_a_connection_saves_how_far_a_range_is_closed():
    bench = met(3)
    bench.away(20)
    for _ in range(7):
        bench.step()
    bench.close()
    bench.asked = []
    bench.start().open()
    bench.settle()
    assert bench.asked == [0] + numbers(9, 23) and bench.stored() == numbers(1, 23)


def test_event_that_finds_no_room_keeps_what_is_gone_open():
    bench = met(3)
    bench.away(5)
    bench.memory.forget(5, 6)
    bench.gone.refuses = True
    for _ in range(40):
        bench.step()
    assert bench.known.gone() == 0 and bench.known.missing() == 5
    bench.gone.refuses = False
    bench.settle()
    assert told(bench) == [(5, 6, 2)] and bench.known.missing() == 0 and bench.stored() == [1, 2, 3, 4, 7, 8]


def test_two_ranges_are_kept_and_the_two_that_are_nearest_become_one():
    bench = met(3)
    for ident in (6, 9, 30):
        bench.live(ident)
    assert bench.known.ranges == [[4, 8], [10, 29]]
    bench.live(33)
    assert bench.known.ranges == [[4, 29], [31, 32]]


def test_what_lies_between_two_ranges_is_not_asked_for():
    bench = met(3)
    for ident in (6, 30):
        bench.live(ident)
    before = len(bench.asked)
    bench.settle()
    assert bench.asked[before:] == [4, 5] + numbers(7, 29) and not bench.known.ranges


# -- answers that are none ---------------------------------------------------------------------------------------


def test_silence_and_refusals_that_may_pass_leave_everything_as_it_is():
    for kind in (replies.REFUSED_OTHER, replies.REFUSED_LATER, replies.REFUSED_BUSY, None):
        bench = met(3)
        bench.away(2)
        for step in range(4):
            number = bench.ask()
            assert bench.live() and bench.recovery.flags == (res.FLAG_UNPROVEN if step < 2 else 0)
            if kind is None:
                bench.recovery.silent(bench.now)
            else:
                bench.refuse(kind)
            assert bench.recovery.wait_least(bench.now, 1000000) == 30000
            assert bench.ask() == number, "the same again"
            bench.answer(bench.memory.find(number))
        bench.settle()
        assert sorted(bench.uids()) == numbers(1, 9) and bench.known.gone() == 0, kind


def test_refused_revision_falls_back_to_the_next_and_then_recovery_is_off():
    bench = met(3, revisions=(7, 2, 1))
    bench.away(1)
    for revision in (7, 2, 1):
        assert bench.ask() == 0 and bench.recovery.revision() == revision
        bench.refuse(replies.REFUSED_REVISION)
    assert bench.recovery.phase == qs.PHASE_OFF and bench.ask() == -1
    assert bench.live() and bench.log.records[-1][1] == res.FLAG_UNPROVEN


def test_refused_revision_is_asked_for_again_after_an_hour_as_a_controller_in_trouble_says_so_too():
    bench = met(3, revisions=(2, 1))
    bench.away(4)
    for _ in range(2):
        assert bench.ask() == 0
        bench.refuse(replies.REFUSED_REVISION)
    bench.now += OFF_MS // 2
    assert bench.ask() == -1
    bench.now += OFF_MS // 2
    bench.settle()
    assert bench.stored() == numbers(1, 7)


def test_controller_that_does_not_know_0064_gets_one_question_a_connection():
    bench = Bench().open()
    for _ in range(4):
        assert bench.ask() == 0
        bench.refuse(replies.REFUSED_NEVER)
        assert bench.ask() == -1
        bench.live()
        bench.live()
        bench.again()
    assert len(bench.asked) == 4 and bench.stored() == numbers(1, 8)
    bench.settle()  # it knows it now
    assert bench.stored() == numbers(1, 8) and bench.recovery.flags == 0


def test_what_is_lost_where_nothing_can_be_asked_for_is_known_after_a_start():
    bench = Bench().open()
    for ident in (1, 9):
        assert bench.ask() == 0
        bench.refuse(replies.REFUSED_NEVER)
        bench.live(ident)
        bench.again()
    assert bench.known.gone() == 7
    bench.start()
    assert bench.known.gone() == 7


def unanswered_4():
    """A bench that misses 4, 5 and 6: 4 was never answered, and 5 is."""
    bench = met(3)
    bench.away(3)
    bench.step()
    bench.step()
    for _ in range(UNANSWERED_MOST):
        assert bench.ask() == 4
        bench.recovery.silent(bench.now)
    assert bench.ask() == 5
    bench.answer(bench.memory.find(5))
    return bench


def test_id_that_is_never_answered_is_closed_when_next_one_is_answered():
    bench = unanswered_4()
    assert bench.ask() == 4, "the controller may be well again since"
    bench.recovery.silent(bench.now)
    bench.settle()
    assert bench.stored() == [1, 2, 3, 5, 6] and told(bench) == [(4, 4, 1)]


def test_id_that_is_not_answered_for_while_is_stored_when_it_is():
    bench = unanswered_4()
    bench.settle()
    assert bench.stored() == numbers(1, 6) and told(bench) == []


def test_nothing_is_closed_while_nothing_at_all_is_answered():
    bench = met(3)
    bench.away(3)
    bench.step()
    bench.step()
    for _ in range(30):
        assert bench.ask() in (4, 5)
        bench.recovery.silent(bench.now)
    assert bench.known.missing() == 3
    bench.settle()
    assert 5 in bench.stored() and 6 in bench.stored() and len(bench.stored()) + bench.known.gone() == 6


def test_witness_and_walk_that_are_never_answered_hold_up_nothing_for_ever():
    bench = met(3)
    bench.away(3)
    silent = {3, 5}
    for _ in range(200):
        number = bench.ask()
        if number in silent:
            bench.recovery.silent(bench.now)
        elif number >= 0:
            bench.answer(bench.memory.find(number))
    assert bench.stored() == [1, 2, 3, 4, 6] and not bench.recovery.seeks()


def test_controller_whose_newest_has_no_id_is_asked_again_when_a_push_has_one():
    bench = met(3)
    bench.away(2)
    nameless = Result(9, BLANK, 9)
    for _ in range(UNANSWERED_MOST):
        assert bench.ask() == 0
        bench.answer(nameless)
    assert bench.ask() == -1 and not bench.recovery.seeks()
    bench.live()
    bench.settle()
    assert sorted(bench.stored()) == numbers(1, 6) and bench.recovery.flags == 0


def test_controller_that_does_not_know_id_zero_is_asked_for_the_last_one_known_and_upward():
    bench = met(3)
    find = bench.memory.find
    bench.memory.find = lambda number: find(number) if number else None
    bench.away(4)
    bench.settle()
    assert bench.asked[:2] == [0, 3] and bench.stored() == numbers(1, 7)
    bench.live()
    assert bench.settle() == 0
    bench.memory.reset()
    bench.live()  # 1: does not fit
    bench.settle()
    assert bench.uids() == numbers(1, 9) and bench.known.top() == 1


def test_controller_that_does_not_know_id_zero_and_was_taken_for_empty_is_met_by_its_next_push():
    bench = Bench()
    find = bench.memory.find
    bench.memory.find = lambda number: find(number) if number else None
    bench.met()
    bench.away(2)
    bench.settle()
    assert bench.stored() == []
    bench.live()
    bench.settle()
    assert sorted(bench.stored()) == [1, 2, 3] and bench.known.top() == 3


def test_answers_that_no_one_can_read_are_kept_as_they_came():
    bench = met(3)
    bench.away(2)
    asked = []
    while bench.ask() >= 0:
        number = bench.asked[-1]
        asked.append(number)
        found = bench.memory.find(number)
        if number == 3:
            bench.answer(found)
            continue
        body = bytearray(res.BODY_BYTES)
        body[res.TIGHTENING_ID : res.SERIAL] = b"%010d" % found.ident
        if bench.recovery.fetched_unread(body, 0, found.uid, bench.now) == qs.NEWS_STORE:
            bench.recovery.kept(bench.now)
    assert asked == [0, 3, 4, 5] and bench.known.top() == 5 and bench.recovery.flags == 0
    body[res.TIGHTENING_ID : res.SERIAL] = b"%010d" % 5
    bench.away(0)
    assert bench.ask() == 0
    bench.recovery.fetched_unread(body, 0, 5, bench.now)
    assert bench.recovery.phase != qs.PHASE_WALK, "the same frame"
    bench.away(0)
    assert bench.ask() == 0
    bench.recovery.fetched_unread(body, 0, 6, bench.now)
    assert bench.recovery.phase == qs.PHASE_WALK, "another one under its ID: the count began afresh"
    bench.away(0)
    bench.settle()
    assert bench.known.epoch() == 1, "one that can be read is another one, too"


# -- what cannot be written --------------------------------------------------------------------------------------


def test_snapshot_that_is_refused_leaves_the_machine_where_it_is():
    bench = met(3)
    bench.away(3)
    bench.state.refuses = 2
    before = bytes(bench.state.octets)
    bench.step()
    bench.step()
    recovery = bench.recovery
    assert recovery.phase == qs.PHASE_SETTLE and recovery.flags == res.FLAG_UNPROVEN
    assert bytes(bench.state.octets) == before and recovery.known.not_saved == 1
    assert bench.live()
    assert bench.ask() == -1 and recovery.known.not_saved == 2
    assert bench.ask() == 4 and recovery.flags == 0, "written down without a further question"
    bench.answer(bench.memory.find(4))
    bench.settle()
    assert bench.stored() == [1, 2, 3, 7, 4, 5, 6] and bench.known.top() == 7


def reset_while_away():
    """The IDs began again while the agent was away, and four of the count before are lost."""
    bench = met(3)
    bench.away(4)
    bench.step()
    bench.step()
    bench.close()
    bench.memory.reset()
    bench.away(1)
    return bench


def test_what_is_lost_is_told_once_though_the_snapshot_is_refused():
    bench = reset_while_away()
    bench.state.refuses = 3
    bench.settle()
    for _ in range(6):
        bench.ask()
    bench.settle()
    assert bench.recovery.known.not_saved == 3 and bench.known.top() == 1
    assert bench.gone.runs == [(4, 7, 4, True)] and bench.known.gone() == 4


def test_what_is_lost_is_told_once_though_the_connection_ends_before_it_is_written_down():
    bench = reset_while_away()
    bench.state.refuses = 1
    while not bench.recovery.known.not_saved:
        bench.step()
    assert bench.gone.runs == [(4, 7, 4, True)]
    bench.again().settle()
    assert bench.known.top() == 1
    assert bench.gone.runs == [(4, 7, 4, True)] and bench.known.gone() == 4


def test_jump_behind_the_newest_before_that_is_proven_is_fetched_too():
    bench = met(3)
    bench.away(1)
    bench.step()  # the newest is 4
    bench.memory.make()
    bench.live()
    bench.settle()
    assert sorted(bench.stored()) == numbers(1, 6)


def test_log_that_cannot_be_read_proves_nothing_and_loses_nothing():
    bench = met(3)
    bench.away(1)
    bench.log.unread = True
    bench.step()
    bench.step()
    assert bench.ask() == 4
    assert bench.recovery.fetched(bytearray(bench.memory.find(4).payload), res.HEAD_BYTES, bench.now) == qs.NEWS_STORE
    bench.recovery.wait_for_room(bench.now)
    bench.log.unread = False
    bench.settle()
    assert bench.stored() == numbers(1, 4)


# -- another controller, and who counts --------------------------------------------------------------------------


def other_identity():
    identity = bytearray(IDENTITY)
    identity[35] ^= 1
    return bytes(identity)


def test_another_controller_is_believed_at_second_time_and_met_for_the_first():
    bench = met(3)
    bench.close()
    bench.memory.reset(500)
    for _ in range(5):
        bench.memory.make()
    bench.opens_with = (other_identity(), 1)
    bench.open().settle()
    assert bench.news[-1] == qs.NEWS_ASK_AGAIN and bench.recovery.phase == qs.PHASE_OFF
    bench.again().settle()
    assert bench.stored() == [1, 2, 3] and bench.known.top() == 504 and bench.known.epoch() == 1
    bench.away(2)
    bench.settle()
    assert bench.stored() == [1, 2, 3, 505, 506]


def test_controller_that_calls_itself_otherwise_and_has_last_result_is_the_same():
    bench = met(3)
    bench.opens_with = (other_identity(), 1)
    bench.away(2)
    bench.settle()
    assert bench.stored() == numbers(1, 5) and bench.known.epoch() == 0
    bench.start().open().settle()
    assert qs.NEWS_ASK_AGAIN not in bench.news


def test_no_version_says_whether_ids_are_shared_and_only_a_setting_needs_a_named_station():
    for system_type, sharing, needs in (
        (0, qs.SHARING_AUTO, ""),
        (1, qs.SHARING_AUTO, ""),
        (3, qs.SHARING_AUTO, ""),
        (3, qs.SHARING_OWN, ""),
        (3, qs.SHARING_ALL, "station_id"),
        (1, qs.SHARING_ALL, "station_id"),
    ):
        bench = Bench(sharing=sharing)
        bench.opens_with = (IDENTITY, system_type)
        bench.open()
        assert bench.recovery.whose.needs == needs, (system_type, sharing)
        assert (bench.ask() == 0) == (needs == ""), (system_type, sharing)
        assert bench.live()
        bench.opens_with = (STATION, system_type)
        bench.again()
        assert bench.recovery.whose.needs == "" and bench.ask() == 0


def test_walk_is_short_where_the_ids_are_the_stations_own():
    for system_type, sharing, most in (
        (1, qs.SHARING_AUTO, GONE_OWN),
        (3, qs.SHARING_AUTO, GONE_OWN),
        (0, qs.SHARING_OWN, GONE_OWN),
        (0, qs.SHARING_AUTO, 100),
    ):
        bench = Bench(Memory(1000, limit=3), sharing=sharing)
        bench.opens_with = (IDENTITY, system_type)
        bench.open().live()
        bench.settle()
        bench.away(300)
        count = bench.settle()
        assert most <= count - 2 - 3 <= most + 12, (system_type, sharing, count)
        assert len(bench.stored()) == 4


# -- results that the controller has queued while no one was there -------------------------------------------------


def backlog(missed, pushed, limit=0, held=50, pause_ms=20):
    """`held` are stored, `missed` more are made while away, and the last `pushed` of them come from a queue.

    In each pause the controller answers one question. Return the bench when all is pushed, and which were proven then.
    """
    bench = met(held, limit=limit)
    bench.away(missed)
    recovery = bench.recovery
    for result in bench.memory.made[held + missed - pushed :]:
        bench.push(result)
        bench.now += pause_ms
        if recovery.want(bench.now):
            bench.asked.append(int(bytes(recovery.ask_id)))
            bench.answer(bench.memory.find(bench.asked[-1]))
    return bench, [one[2].ident for one in bench.log.records if not one[1] and one[2].ident > held]


def test_queued_results_are_proven_as_soon_as_last_one_known_is_found():
    bench, proven = backlog(49, 49)
    assert proven == numbers(53, 99), "two come before the answers for the newest and for the last one known"
    assert bench.asked == [0, 50] and bench.known.top() == 99
    assert bench.settle() == 1 and bench.asked[-1] == 51, "one question shows that all of them are what it has"
    assert bench.stored() == numbers(1, 99) and bench.known.missing() == 0


def test_what_was_pushed_on_this_connection_is_not_fetched_though_the_log_has_lost_it():
    bench, _ = backlog(250, 10, limit=190)
    assert bench.settle(2000) == 241
    assert bench.log.number == 300 and bench.known.missing() == 0, "each is stored once"


def test_what_is_missing_behind_what_was_pushed_is_fetched_too():
    bench = met(50)
    bench.away(30)
    recovery = bench.recovery
    for result in bench.memory.made[60:70]:
        bench.push(result)
        bench.now += 20
        if recovery.want(bench.now):
            bench.answer(bench.memory.find(int(bytes(recovery.ask_id))))
    bench.asked = []
    bench.settle()
    assert bench.asked == numbers(51, 61) + numbers(71, 80), "what was pushed costs one question"
    assert sorted(bench.uids()) == numbers(1, 80)


def test_a_queued_result_of_before_a_reset_is_not_taken_for_the_one_that_has_its_id_now():
    bench = Bench().open()
    bench.live()  # 1
    queued = bench.memory.make()  # 2, which no one has heard
    bench.memory.reset()
    bench.memory.make()
    bench.settle()
    bench.away(2)
    assert bench.push(queued)
    bench.settle()
    assert sorted(bench.uids()) == numbers(1, 5)


def test_the_queue_of_count_that_began_afresh_is_proven_in_one_look():
    bench = met(50)
    bench.close()
    bench.memory.reset()
    bench.asked = []
    for _ in range(30):
        bench.memory.make()
    bench.open()
    for result in bench.memory.made[-30:]:
        bench.push(result)
        bench.now += 20
        if bench.recovery.want(bench.now):
            bench.asked.append(int(bytes(bench.recovery.ask_id)))
            bench.answer(bench.memory.find(bench.asked[-1]))
    bench.settle()
    assert bench.asked.count(0) == 1 and sorted(bench.uids()) == numbers(1, 80) and bench.known.epoch() == 1


# -- what may be stored twice ----------------------------------------------------------------------------------------


def test_nothing_is_counted_as_perhaps_stored_twice_where_nothing_was_pushed_before():
    bench, _ = backlog(250, 0, limit=40)
    bench.settle(2000)
    assert bench.log.number == 300 and bench.said_twice == 0 and bench.known.doubted == 0


def test_what_was_pushed_before_a_connection_ended_unproven_is_counted_when_the_log_has_lost_it():
    bench = met(50, limit=60)
    bench.away(99)
    for result in bench.memory.made[50:]:
        bench.push(result)  # nothing is answered meanwhile
    bench.state.save()
    bench.start().open()  # and the power goes
    bench.settle()
    twice = bench.log.number - len(bench.memory.made)
    assert twice == 98 and bench.said_twice == 98 and bench.known.doubted == 0
    bench.away(70)
    bench.settle()
    assert bench.said_twice == 98, "that is over"


def test_a_queue_that_is_proven_is_counted_as_stored_once():
    bench, _ = backlog(250, 100, limit=190)
    bench.settle(2000)
    assert bench.log.number == 300 and bench.said_twice == 0


def test_pushes_behind_a_run_that_was_closed_are_another_run():
    bench = met(50)
    bench.away(40)
    queue = iter(bench.memory.made[50:])
    for count in (4, 16, 20):
        for _ in range(count):
            bench.push(next(queue))
        for _ in range(3):
            bench.step()
    bench.settle()
    assert bench.asked[:3] == [0, 50, 51] and len(bench.asked) < 10 and sorted(bench.uids()) == numbers(1, 90)


def test_queued_results_that_were_fetched_meanwhile_and_lost_by_the_log_are_counted_as_stored_again():
    bench = met(5, limit=8)
    bench.away(30)
    queue = bench.memory.made[5:]
    bench.settle()
    assert bench.uids()[-1] == 35 and bench.said_twice == 0
    for result in queue:
        if bench.push(result):
            bench.settle()
    twice = bench.log.number - len(bench.memory.made)
    assert twice > 20 and bench.said_twice >= twice
    bench.settle()
    said = bench.said_twice
    for _ in range(20):
        bench.live()
        bench.settle()
    assert bench.said_twice == said, "that is over"


def test_what_a_controller_pushes_that_cannot_be_asked_is_not_counted_as_stored_again():
    bench = Bench(Memory(100), limit=3).open()
    for _ in range(2):
        assert bench.ask() == 0
        bench.refuse(replies.REFUSED_NEVER)
        for _ in range(9):
            bench.live()
        bench.memory.reset()
        bench.again()
    assert bench.said_twice == 0


def test_an_id_that_stands_still_is_not_counted_as_stored_again():
    bench = Bench(Memory(fixed=7), limit=3).met()
    for _ in range(9):
        bench.live()
        bench.settle()
    assert bench.said_twice == 0 and bench.log.number == 9


def test_a_run_of_pushes_of_the_connection_before_is_in_doubt():
    bench = met(50, limit=60)
    bench.away(99)
    for result in bench.memory.made[50:]:
        bench.push(result)
    bench.again().settle()
    twice = bench.log.number - len(bench.memory.made)
    assert bench.said_twice >= twice > 30


def test_what_was_fetched_in_between_is_not_counted_as_lost_where_nothing_can_be_asked_for():
    bench = Bench().open()
    bench.ask()
    bench.refuse(replies.REFUSED_NEVER)
    bench.live()
    bench.away(5)
    bench.settle()
    bench.away(0)
    assert bench.ask() == 0
    bench.refuse(replies.REFUSED_NEVER)
    bench.live()
    assert bench.known.gone() == 0 and bench.stored() == numbers(1, 7)


def test_a_controller_that_answers_again_may_have_been_fetched_from():
    bench = Bench(limit=8).open()
    bench.ask()
    bench.refuse(replies.REFUSED_NEVER)
    bench.live()
    bench.away(30)
    bench.settle()
    for result in bench.memory.made[1:]:
        if bench.push(result):
            bench.settle()
    assert bench.said_twice >= bench.log.number - len(bench.memory.made) > 20


def test_an_answer_that_comes_twice_is_taken_once():
    bench = met(3)
    bench.away(3)
    bench.step()
    bench.step()
    assert bench.ask() == 4
    for _ in range(3):
        bench.answer(bench.memory.find(4))
    bench.settle()
    assert bench.stored() == numbers(1, 6)


def test_what_may_be_fetched_later_is_not_lost_though_a_connection_before_could_not_be_asked():
    bench = Bench().open()
    bench.ask()
    bench.refuse(replies.REFUSED_NEVER)
    bench.live()
    bench.away(4)
    bench.step()
    bench.live()
    assert bench.ask() == 1
    bench.refuse(replies.REFUSED_NEVER)
    bench.live()
    assert bench.known.gone() == 0
    bench.again().settle()
    assert sorted(bench.stored()) == numbers(1, 7)


def test_nothing_is_in_doubt_once_nothing_is_missing():
    bench = met(3)
    bench.again().live()
    assert bench.known.doubted == 4
    bench.settle()
    assert bench.known.doubted == 0


def test_another_controller_that_was_believed_is_the_one_from_then_on():
    bench = met(3)
    bench.close()
    bench.memory.reset(500)
    bench.memory.make()
    bench.opens_with = (other_identity(), 1)
    bench.open().settle()
    bench.again().settle()
    bench.live()
    bench.memory.reset(1)
    bench.memory.make()
    bench.live()
    bench.settle()
    assert bench.uids() == [1, 2, 3, 5, 7, 6], "what it has made since its IDs began again is fetched"


def test_pushes_behind_a_run_that_was_closed_put_nothing_in_doubt():
    bench, _ = backlog(49, 49, held=10, limit=40)
    while bench.recovery.pushes.last >= 0:
        bench.step()
    assert bench.known.run == 0 and bench.known.doubted == 0
    missed = bench.memory.make()
    for _ in range(60):
        bench.live()
    bench.settle()
    assert missed.uid in bench.uids() and bench.said_twice == 0


def test_of_several_spindles_no_run_of_pushes_is_asked_for_once():
    bench = two_spindles()
    bench.again()
    bench.live()
    bench.live()
    assert bench.known.run == 0 and bench.known.doubted == 4
    bench.settle()
    assert bench.asked.count(4) == bench.asked.count(5) == 2, "each of both"


def two_spindles():
    """A controller of two spindles that may each have a result under one ID."""
    bench = Bench()
    bench.memory.result = named
    bench.met()
    for _ in range(3):
        bench.live()
        bench.settle()
    bench.asked = []
    bench.known.octets[SPINDLES] = 0x82
    return bench


def test_an_id_that_one_of_two_spindles_has_is_not_gone():
    bench = two_spindles()
    bench.away(2)
    while bench.ask() >= 0:
        if bench.asked[-1] == 4 and bench.recovery.ask_spindle == 2:
            bench.refuse(replies.REFUSED_GONE)
        else:
            bench.answer(bench.memory.find(bench.asked[-1]))
    assert bench.asked.count(4) == 2 and bench.known.gone() == 0 and bench.stored() == numbers(1, 5)


def test_another_result_of_one_of_two_spindles_under_the_highest_id_shows_that_the_ids_began_again():
    bench = two_spindles()
    bench.memory.reset()
    bench.away(5)
    while bench.ask() >= 0:
        if bench.asked[-1] == 3 and bench.recovery.ask_spindle == 2:
            bench.refuse(replies.REFUSED_GONE)
        else:
            bench.answer(bench.memory.find(bench.asked[-1]))
    assert bench.known.epoch() == 1 and sorted(bench.uids()) == numbers(1, 8)


def test_part_of_another_spindle_does_not_take_the_place_of_the_newest():
    bench = two_spindles()
    bench.away(1)
    while bench.recovery.heard.is_nothing():
        bench.step()
    before = bytes(bench.recovery.heard.top)
    bench.push(Result(9, 4, 99, time=4))
    assert bytes(bench.recovery.heard.top) == before
