"""All a controller has and the log lacks is fetched, once, oldest first, in few questions; and no push ever waits."""

from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_SILENT
from toolcart.agent.openprotocol.id_ledger import SPINDLES
from toolcart.agent.openprotocol.id_ownership import GONE_OWN
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.openprotocol.recovery_phases import LOOK_AGAIN_MS, OFF_MS, PHASE_OFF
from toolcart.agent.openprotocol.recovery_request import UNANSWERED_MOST
from toolcart.agent.openprotocol.unanswered_requests import IN_A_ROW_MOST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import SPINDLE
from host_tests.support.log import numbers
from host_tests.support.recovery import BLANK, IDENTITY, STATION, Bench, Memory, Result

PORTABLE = True
HEAP = "8m"


# -- the first meeting -------------------------------------------------------------------------------------------


def named(uid, ident, key):
    """A result of the first spindle."""
    result = Result(uid, ident, key)
    payload = bytearray(result.payload)
    payload[SPINDLE] = 1
    result.payload = bytes(payload)
    return result


def test_losses_after_an_empty_controller_s_first_push_are_counted():
    bench = Bench(Memory(77, 2)).met()
    bench.live()
    bench.away(5)
    bench.settle()
    assert bench.stored() == [77, 81, 82] and bench.ledger.gone() == 3


def test_poll_that_brings_no_id_again_and_again_ends_the_questions():
    bench = Bench().met()
    bench.live(BLANK)
    bench.memory.find = lambda number: bench.memory.produced[-1]
    bench.recovery.poll()
    assert bench.settle() == UNANSWERED_MOST and not bench.recovery.can_poll()


def test_answers_without_an_id_again_and_again_end_the_questions_and_what_pushes_skip_is_gone():
    bench = Bench().met(3)
    bench.away(2)
    bench.live()
    asked = []
    while bench.recovery.phase != PHASE_OFF:
        asked.append(bench.ask())
        bench.recovery.fetched_unread(bytearray(b"?" * res.ROOM_BYTES), 0, 1, bench.now)
    assert asked[: UNANSWERED_MOST + 1] == [0] * UNANSWERED_MOST + [3] and len(asked) == IN_A_ROW_MOST
    assert bench.ledger.is_unanswering() and bench.gone.runs == [(4, 5, 2, WHY_SILENT)]
    bench.again()
    assert bench.ask() == 0
    bench.recovery.fetched_unread(bytearray(b"?" * res.ROOM_BYTES), 0, 1, bench.now)
    assert bench.recovery.phase == PHASE_OFF and bench.ledger.is_unanswering()
    bench.again().settle()
    bench.away(2).settle()
    assert bench.stored() == [1, 2, 3, 6, 7, 8] and bench.ledger.gone() == 2


# -- in an ordinary life -----------------------------------------------------------------------------------------


def test_disabled_recovery_asks_nothing_and_stores_all_the_same():
    bench = Bench(recovers=False).open()
    bench.live()
    bench.memory.make()
    assert bench.live() and bench.log.records[-1][1] == 0
    assert not bench.recovery.seeks() and bench.settle() == 0 and bench.stored() == [1, 3]


# -- a count that begins afresh ----------------------------------------------------------------------------------


def test_look_is_begun_again_once_a_minute_at_most():
    bench = Bench().met(5)
    questions = 0
    for ident in (2, 1, 2, 1):
        bench.live(ident)
        recovery = bench.recovery
        while recovery.prepare_request(bench.now):
            questions += 1
            bench.answer(bench.memory.find(int(bytes(recovery.ask_id))))
    assert 0 < questions < 2 * GONE_OWN + 10 and recovery.seeks()
    assert 0 < recovery.wait_least(bench.now, LOOK_AGAIN_MS * 2) <= LOOK_AGAIN_MS
    bench.settle()
    assert recovery.flags == 0 and sorted(bench.uids()) == numbers(1, 9)


def test_answer_to_a_question_of_before_is_not_taken():
    bench = Bench().met(5)
    bench.away(1)
    assert bench.ask() == 0
    bench.recovery.start_over_later(bench.now)
    assert bench.answer(bench.memory.find(2)) == phases.OUTCOME_NONE
    bench.settle()
    assert bench.ledger.top() == 6 and bench.stored() == numbers(1, 6)


# -- what is gone ------------------------------------------------------------------------------------------------


def test_event_that_finds_no_room_keeps_what_is_gone_open():
    bench = Bench().met(3)
    bench.away(5)
    bench.memory.forget(5, 6)
    bench.gone.refuses = True
    for _ in range(40):
        bench.step()
    assert bench.ledger.gone() == 0 and missing_most(bench.ledger) == 2 and sorted(bench.stored()) == [1, 2, 3, 4, 7, 8]
    bench.gone.refuses = False
    bench.settle()
    assert bench.gone.runs == [(5, 6, 2, False)] and missing_most(bench.ledger) == 0
    assert bench.stored() == [1, 2, 3, 4, 7, 8]


# -- answers that are none ---------------------------------------------------------------------------------------


def test_refused_revision_is_asked_for_again_after_an_hour():
    bench = Bench(revisions=(2, 1)).met(3)
    bench.away(4)
    for number in (0, 0, 3, 3):  # ID 0 alone may be unknown
        assert bench.ask() == number
        bench.refuse(error_codes.REJECTED_REVISION)
    bench.now += OFF_MS // 2
    assert bench.ask() == -1
    bench.now += OFF_MS // 2
    bench.settle()
    assert bench.stored() == numbers(1, 7)


def test_witness_and_walk_that_are_never_answered_hold_up_nothing_for_ever():
    bench = Bench().met(3)
    bench.away(3)
    silent = {3, 5}
    for _ in range(200):
        number = bench.ask()
        if number in silent:
            bench.recovery.silent(bench.now)
        elif number >= 0:
            bench.answer(bench.memory.find(number))
    assert bench.stored() == [1, 2, 3, 4, 6] and not bench.recovery.seeks()


def test_newest_without_an_id_is_asked_for_again():
    bench = Bench().met(3)
    bench.away(2)
    nameless = Result(9, BLANK, 9)
    for _ in range(UNANSWERED_MOST):
        assert bench.ask() == 0
        bench.answer(nameless)
    assert bench.ask() == 3  # the highest known, under its own ID
    bench.answer(bench.memory.find(3))
    bench.settle()
    assert bench.stored() == numbers(1, 5) and bench.recovery.flags == 0


# -- what cannot be written --------------------------------------------------------------------------------------


def test_what_is_lost_is_reported_once_though_the_snapshot_is_refused():
    # The IDs began again while the agent was away, and four of the count before are lost.
    bench = Bench().met(3)
    bench.away(4)
    bench.step()
    bench.step()
    bench.close()
    bench.memory.reset()
    bench.away(1)
    bench.state.refuses = 3
    bench.settle()
    for _ in range(6):
        bench.ask()
    bench.settle()
    assert bench.recovery.ledger.not_saved == 3 and bench.ledger.top() == 1
    assert bench.gone.runs == [(4, 7, 4, True)] and bench.ledger.gone() == 4


# -- another controller, and who counts --------------------------------------------------------------------------


def test_another_controller_is_believed_at_second_time_and_met_for_the_first():
    bench = Bench().met(3)
    bench.close()
    bench.memory.reset(500)
    for _ in range(5):
        bench.memory.make()
    bench.opens_with = (IDENTITY[:35] + bytes([IDENTITY[35] ^ 1]) + IDENTITY[36:], 1)
    bench.open().settle()
    assert bench.outcomes[-1] == phases.OUTCOME_ASK_AGAIN and bench.recovery.phase == phases.PHASE_OFF
    bench.again().settle()
    assert bench.stored() == [1, 2, 3] and bench.ledger.top() == 504 and bench.ledger.epoch() == 1
    bench.away(2)
    bench.settle()
    assert bench.stored() == [1, 2, 3, 505, 506]


def test_no_version_says_whether_ids_are_shared():
    for system_type, sharing in (
        (0, phases.SHARING_AUTO),
        (1, phases.SHARING_AUTO),
        (3, phases.SHARING_AUTO),
        (3, phases.SHARING_OWN),
        (3, phases.SHARING_ALL),
        (1, phases.SHARING_ALL),
    ):
        bench = Bench(sharing=sharing)
        bench.opens_with = (IDENTITY, system_type)
        bench.open()
        assert bench.recovery.ownership.needs == "" and bench.ask() == 0, (system_type, sharing)
        assert bench.live()
        bench.opens_with = (STATION, system_type)
        bench.again()
        assert bench.recovery.ownership.needs == "" and bench.ask() == 0


def test_walk_is_short_where_the_ids_are_the_stations_own():
    for system_type, sharing, most in (
        (1, phases.SHARING_AUTO, GONE_OWN),
        (3, phases.SHARING_AUTO, GONE_OWN),
        (0, phases.SHARING_OWN, GONE_OWN),
        (0, phases.SHARING_AUTO, 100),
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


def backlog(missed, pushed, limit=0, held=50):
    """`held` are stored, `missed` more are made while away, and the last `pushed` of them come from a queue.

    In each pause the controller answers one question. Return the bench when all is pushed, and which were proven then.
    """
    bench = Bench(limit=limit).met(held)
    bench.away(missed)
    recovery = bench.recovery
    for result in bench.memory.produced[held + missed - pushed :]:
        bench.push(result)
        bench.now += 20
        if recovery.prepare_request(bench.now):
            bench.requested.append(int(bytes(recovery.ask_id)))
            bench.answer(bench.memory.find(bench.requested[-1]))
    return bench, [one[2].ident for one in bench.log.records if not one[1] and one[2].ident > held]


def test_queued_results_are_proven_as_soon_as_last_one_known_is_found():
    bench, proven = backlog(49, 49)
    assert proven == numbers(54, 99), "three come before the answers for the newest, the last known and that newest"
    assert bench.requested == [0, 50, 99] and bench.ledger.top() == 99
    assert bench.settle() == 1 and bench.requested[-1] == 51, "one question shows that all of them are what it has"
    assert bench.stored() == numbers(1, 99) and missing_most(bench.ledger) == 0


def call_unknown(bench):
    """It is asked in both revisions, for the newest and for what it has pushed last; then no more."""
    asked = 0
    while bench.ask() >= 0:
        asked += 1
        bench.refuse(error_codes.REJECTED_NEVER)
    assert 2 <= asked <= 4


# -- what may be stored twice ----------------------------------------------------------------------------------------


def test_pushes_of_who_cannot_be_asked_are_not_counted_twice():
    bench = Bench(Memory(100), limit=3).open()
    for _ in range(2):
        call_unknown(bench)
        for _ in range(9):
            bench.live()
        bench.memory.reset()
        bench.again()
    assert bench.stored_twice == 0


def test_what_was_fetched_in_between_is_not_counted_as_lost():
    bench = Bench().open()
    call_unknown(bench)
    bench.live()
    bench.away(5)
    bench.settle()
    bench.away(0)
    call_unknown(bench)
    bench.live()
    assert bench.ledger.gone() == 0 and bench.stored() == numbers(1, 7)


def test_pushes_after_a_run_that_was_closed_put_nothing_in_doubt():
    bench, _ = backlog(49, 49, held=10, limit=40)
    while bench.recovery.push_run.last >= 0:
        bench.step()
    assert bench.ledger.run == 0 and bench.ledger.doubted == 0
    missed = bench.memory.make()
    for _ in range(60):
        bench.live()
    bench.settle()
    assert missed.uid in bench.uids() and bench.stored_twice == 0


def two_spindles():
    """A controller of two spindles that may each have a result under one ID."""
    bench = Bench()
    bench.memory.result = named
    bench.met(3)
    bench.ledger.octets[SPINDLES] = 0x82
    return bench


def test_another_result_under_the_highest_id_shows_a_new_count():
    bench = two_spindles()
    bench.memory.reset()
    bench.away(5)
    while bench.ask() >= 0:
        if bench.requested[-1] == 3 and bench.recovery.ask_spindle == 2:
            bench.refuse(error_codes.REJECTED_GONE)
        else:
            bench.answer(bench.memory.find(bench.requested[-1]))
    assert bench.ledger.epoch() == 1 and sorted(bench.uids()) == numbers(1, 8)


def test_newest_of_which_only_the_id_can_be_read_begins_no_new_count():
    bench = Bench(Memory()).met(3)
    for frame, requested in ((b"no torque", [0, 3, 2]), (b"its 000003", [0, 3])):
        bench.memory.kept[-1].frame = frame
        bench.requested = []
        bench.again().settle()
        assert bench.requested[: len(requested)] == requested
        assert bench.ledger.epoch() == 0 and bench.stored() == [1, 2, 3] and bench.raw == []


def test_count_that_begins_again_up_to_one_of_which_only_the_id_can_be_read():
    bench = Bench(Memory()).met(3)
    bench.close()
    bench.memory.reset()
    bench.away(3)
    bench.memory.kept[-1].frame = b""
    bench.settle()
    assert bench.ledger.epoch() == 1 and bench.stored() == [1, 2, 3, 1, 2] and bench.raw == [6]


def test_an_id_of_the_count_before_is_not_taken_for_a_missing_one_after_a_start():
    bench = Bench(Memory(limit=3)).met(6)
    bench.close()
    bench.memory.reset()
    bench.memory.make()
    bench.open().settle()
    bench.make(4)
    assert bench.ledger.epoch() == 1
    bench.start()
    for _ in range(34):
        bench.memory.make()
    bench.open()
    bench.live()  # before anything is proven: some may be in the log
    bench.settle()
    bench.away(0)
    bench.settle()
    assert len(bench.uids()) + bench.ledger.gone() == len(bench.memory.produced), bench.gone.runs
