"""What a controller makes from its first session on is ours, also where nothing was answered or pushed in that."""

import pytest

from toolcart.agent.log.snapshot_fields import STORED_AGAIN
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.openprotocol.recovery_phases import ON_ITS_WAY_MS
from host_tests.agent.openprotocol.test_ended_count import Wrapping
from host_tests.agent.openprotocol.test_missing_counted import HOW
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.recovery import Bench, Memory, Result, Spindles
from host_tests.support.world import CONTROLLER, Cart

UNUSABLE = {
    **{one: HOW[one] for one in ("unknown", "every revision", "another code", "no answer", "later", "busy", "no code")},
    "no error": HOW["no error"],
}


def unanswered(bench, how, questions=1):
    """A first session in which nothing is answered or pushed."""
    bench.open()
    for _ in range(questions):
        UNUSABLE[how](bench)
    return bench


@pytest.mark.parametrize(("how", "questions"), each_choice(list(UNUSABLE), [0, 1, 3, 60]))
def test_what_was_made_while_away_is_fetched(how, questions):
    for ends in (Bench.start, Bench.close, lambda bench: bench.close().start()):
        for first in (1, 500000):
            bench = unanswered(Bench(Memory(first)), how, questions)
            ends(bench)
            bench.away(6)
            bench.settle()
            bench.make(2)
            assert bench.uids() == list(range(1, 9)), (how, first)
            assert bench.ledger.gone() == 0 == bench.stored_twice and missing_most(bench.ledger) == 0


@pytest.mark.parametrize("how", ("another code", "no answer", "later", "busy", "no code"))
def test_push_in_front_of_the_first_answer_hides_none(how):
    bench = unanswered(Bench(Memory(40)), how).start()
    for _ in range(5):
        bench.memory.make()
    bench.live()
    bench.open()
    bench.live()
    bench.settle()
    assert sorted(bench.uids()) == list(range(1, 8)) and bench.ledger.gone() == 0


def test_what_cannot_be_distinguished_from_older_ones_is_fetched_too():
    bench = Bench()
    for _ in range(5):
        bench.memory.make()
    unanswered(bench, "later").start()
    bench.away(6)
    bench.settle()
    assert bench.uids() == list(range(1, 12))


@pytest.mark.parametrize("is_cut", [False, True])
def test_what_was_there_before_an_answer_or_a_push_is_not_ours(is_cut):
    for first in ("answer", "push"):
        bench = Bench()
        for _ in range(5):
            bench.memory.make()
        bench.open()
        if first == "answer":
            bench.step()
            bench.now += ON_ITS_WAY_MS
            assert bench.settle() == 0
        else:
            bench.live()
        if is_cut:
            bench.start()
        bench.away(2)
        bench.settle()
        assert bench.uids() == ([6, 7] if first == "answer" else [6, 7, 8]), (first, bench.uids())


@pytest.mark.parametrize(("before", "made", "is_cut"), all_pairs([0, 5], [1, 3], [False, True]))
def test_what_it_has_made_and_not_pushed_yet_as_it_answers_is_fetched_behind_a_cut(before, made, is_cut):
    bench = Bench()
    for _ in range(before):
        bench.memory.make()
    bench.open()
    for _ in range(made):
        bench.memory.make()
    bench.step()
    bench.close()
    if is_cut:
        bench.start()
    bench.away(2)
    bench.settle()
    bench.make(1)
    assert bench.uids() == list(range(1, before + made + 4)) and bench.ledger.gone() == 0


@pytest.mark.parametrize(("made", "pushed", "is_cut"), all_pairs([1, 3], [1, 2, 3], [False, True]))
def test_what_it_has_made_and_pushes_behind_its_answer_is_all_ours(made, pushed, is_cut):
    bench = Bench()
    for _ in range(5):
        bench.memory.make()
    bench.open()
    made = [bench.memory.make() for _ in range(made)]
    bench.step()
    for one in made[:pushed]:
        bench.push(one)
    if is_cut:
        bench.close().start()
        bench.open()
    bench.settle()
    bench.make(1)
    assert sorted(bench.uids()) == list(range(6, 7 + len(made))) and bench.ledger.gone() == 0
    assert missing_most(bench.ledger) == 0 == bench.stored_twice


@pytest.mark.parametrize("apart", [0, 1, None])
@pytest.mark.parametrize("are_named", [False, True])
@pytest.mark.parametrize("questions", [0, 1])
@pytest.mark.parametrize("made", [1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_a_spindle_that_is_pushed_behind_the_first_answer_begins_no_count(count, made, questions, are_named, apart):
    # `questions`: so many are answered between what was made and its first push
    for before, pushed in all_pairs((0, 3), range(1, count * made)):
        case = (before, pushed)
        bench = Bench(Spindles(count, are_named, 989, apart))
        for _ in range(before):
            bench.memory.tighten()
        bench.open()
        results = [one for _ in range(made) for one in bench.memory.tighten()]
        for _ in range(questions):
            bench.step()
        for one in results[:pushed]:
            bench.push(one)
        while bench.recovery.flags:  # until it is written down
            bench.step()
        for one in results[pushed:]:
            bench.push(one)
        bench.settle()
        assert len(bench.requested) < 12, (case, bench.requested)
        for one in [one for _ in range(2) for one in bench.memory.tighten()]:
            bench.push(one)
        bench.settle()
        ours = [one.uid for one in bench.memory.produced[before * count :]]
        assert sorted(bench.uids()) == ours and bench.ledger.epoch() == 0, (case, bench.uids())
        assert bench.ledger.gone() == 0 == missing_most(bench.ledger), (case, bench.gone.runs)


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("hours", [1, 2])
def test_a_first_result_that_is_kept_with_another_time_begins_no_count(hours, before):
    bench = Bench(Memory(989))
    for _ in range(before):
        bench.memory.make()
    bench.open()
    for _ in range(3):
        made = bench.memory.make()
        bench.push(made)
        bench.memory.kept[-1] = Result(made.uid, made.ident, made.key, made.time + 3600 * hours)
        bench.settle()
    assert bench.uids() == list(range(before + 1, before + 4)) and bench.ledger.epoch() == 0
    assert bench.ledger.gone() == 0 == missing_most(bench.ledger), bench.gone.runs


def test_on_the_wire_after_a_power_cut():
    for code in (None, 98, 96, 99, 79):
        for had in (0, 3):
            cart = Cart(toolsnet=None, controller={"refuse": {64: code}})
            cart.network.down(*CONTROLLER)
            cart.produce(had, 100)
            cart.network.up(*CONTROLLER)
            cart.until_ready(60000)
            cart.run(12000)
            cart.cut()
            cart.network.down(*CONTROLLER)
            cart.produce(6, 300)
            cart.controller.options.refuse.clear()
            cart.network.up(*CONTROLLER)
            cart.until_ready(60000)
            cart.run(60000)
            cart.produce(2, 300)
            cart.settle()
            made = cart.controller.produced
            assert cart.stored_ids() == made and cart.station.ledger.gone() == 0, (code, had, cart.stored_ids())
            assert cart.station.ledger.state.numbers[STORED_AGAIN] == 0


BEGIN_ANEW = [(255, 1), (99, 0), (1000, 1), (9999, 0), (65535, 1), (4294967295, 0), (None, 1), (None, 400), (None, 495)]


@pytest.mark.parametrize(("ends", "begins"), BEGIN_ANEW)
def test_what_a_count_that_begins_anew_makes_is_fetched_though_what_lies_in_front_of_the_first_is_not_yet(ends, begins):
    # `questions`: so many are answered in front of the end of a connection; `away`: made before each next one
    for early, questions, away, ending, is_live, is_cut_again in all_pairs(
        (1, 3), (0, 1, 3, 12), (1, 4, 15), (Bench.close, Bench.start), (True, False), (True, False)
    ):
        case = (early, questions, away, ending, is_live, is_cut_again)
        bench = Bench(Wrapping(501 if ends is None else ends - early, ends, begins)).met()
        for _ in range(early):
            bench.live()
            for _ in range(questions):
                bench.step()
        bench.memory.next_id = begins if ends is None else bench.memory.next_id
        for _ in range(2 if is_live else 0):
            bench.live()
        for _ in range(1 + is_cut_again):
            ending(bench)
            bench.away(away)
            for _ in range(questions):
                bench.step()
        bench.settle()
        bench.make(2)
        bench.settle()
        uids = bench.uids()
        lacks = [one.ident for one in bench.memory.produced if one.uid not in uids]
        assert set(lacks) <= {0} and len(uids) == len(set(uids)), (case, lacks)
        assert missing_most(bench.ledger) == 0, case


@pytest.mark.parametrize(
    ("unanswered", "before", "stays_ms", "ending"),
    all_pairs([70, 34, 64], [0, 3], [1000, 3000, 9000], ["cut", "drop"]),
)
def test_a_connection_that_ends_as_another_subscription_is_unanswered_is_the_first(
    unanswered, before, stays_ms, ending
):
    cart = Cart(
        toolsnet=None,
        controller={"refuse": {unanswered: None}},
        files=({"path": "all"},),
        settings={"controller": {"events": ["alarms", "job"]}},
    )
    cart.network.down(*CONTROLLER)
    cart.produce(before, 100)
    cart.network.up(*CONTROLLER)
    cart.until_ready(stays_ms)
    if ending == "cut":
        cart.cut()
    else:
        cart.drop()
    cart.network.down(*CONTROLLER)
    cart.produce(6, 300)
    cart.controller.options.refuse.clear()
    cart.network.up(*CONTROLLER)
    cart.until(cart.is_ready)
    cart.run(60000)
    cart.produce(2, 300)
    cart.settle()
    made = cart.controller.produced
    assert cart.stored_ids() == made and cart.station.ledger.gone() == 0, cart.stored_ids()
