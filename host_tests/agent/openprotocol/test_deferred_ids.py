"""One missing ID whose question is in vain, again and again, keeps nothing from the others, and stays open itself."""

from random import Random

import pytest

from toolcart.agent.openprotocol import deferred_ids, error_codes
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.portable import LONG
from host_tests.support.recovery import Bench, Memory


def answer_all_but(bench, bad, how, questions):
    """Answer so many questions, those for the ID `bad` by `how`; return how often that was asked for."""
    count = 0
    for _ in range(questions):
        number = bench.ask()
        if number == bad:
            count += 1
            how(bench)
        elif number >= 0:
            bench.answer(bench.memory.find(number))
    return count


def is_busy(bench):
    bench.recovery.rejected(error_codes.REJECTED_LATER, bench.now, 98)


def is_silent(bench):
    bench.recovery.silent(bench.now)


def closes(bench):
    bench.again()


@pytest.mark.parametrize("how", [is_busy, is_silent, closes])
@pytest.mark.parametrize("bad", [7, 9, 12])
def test_all_others_are_fetched_meanwhile(how, bad):
    bench = Bench(Memory(1)).met(6)
    bench.away(10)
    answer_all_but(bench, bad, how, 60)
    wanted = list(range(1, 17))
    wanted.remove(bad)
    assert sorted(bench.uids()) == wanted
    if how is is_silent:  # the others are answered: there will be no answer to this one
        assert bench.ledger.gone() == 1 or bench.ledger.misses(bad)
        return
    assert bench.ledger.misses(bad) and bench.ledger.gone() == 0
    for _ in range(3):  # what is missing later on has its turn, too
        bench.away(1)
        answer_all_but(bench, bad, how, 30)
    assert sorted(bench.uids()) == wanted + [17, 18, 19]
    bench.now += 4000000  # where it has ended many connections nothing is asked for in the last hour
    bench.settle()
    assert sorted(bench.uids()) == list(range(1, 20)) and bench.ledger.gone() == 0


def test_one_that_is_busy_holds_up_no_other_for_a_moment():
    bench = Bench(Memory(1)).met(6)
    bench.away(10)
    count = answer_all_but(bench, 7, is_busy, 13)
    assert len(bench.uids()) == 15 and count == 1, "a ring drops the others while it waits"


@pytest.mark.parametrize("how", [is_busy, closes])
def test_it_stays_open_over_a_start(how):
    bench = Bench(Memory(1)).met(6)
    bench.away(10)
    answer_all_but(bench, 9, how, 60)
    bench.ledger.load()
    assert bench.ledger.misses(9)
    bench.again().settle()
    bench.now += 700000
    bench.settle()
    assert sorted(bench.uids()) == list(range(1, 17)) and bench.ledger.gone() == 0


def test_question_that_ends_connections_is_seldom_asked():
    bench = Bench(Memory(1)).met(6)
    bench.away(3)
    begin = bench.now
    count = answer_all_but(bench, 8, closes, 200)
    assert 2 < count <= 3 + (bench.now - begin) // deferred_ids.AFTER_CUT_MS


def test_two_of_them_have_turns():
    bench = Bench(Memory(1)).met(6)
    bench.away(10)
    for _ in range(100):
        number = bench.ask()
        if number in (8, 11):
            is_busy(bench)
        elif number >= 0:
            bench.answer(bench.memory.find(number))
    assert sorted([8, 11] + bench.uids()) == list(range(1, 17)) and missing_most(bench.ledger) == 2
    answer_all_but(bench, 8, is_busy, 20)
    assert sorted([8] + bench.uids()) == list(range(1, 17)) and missing_most(bench.ledger) == 1


def test_many_that_are_put_off_lose_nothing():
    bench = Bench(Memory(1)).met(6)
    bench.away(60)
    bad = range(10, 60, 3)
    for _ in range(400):
        number = bench.ask()
        if number in bad:
            is_busy(bench)
        elif number >= 0:
            bench.answer(bench.memory.find(number))
    bench.settle()
    assert sorted(bench.uids()) == list(range(1, 67)) and bench.ledger.gone() == 0


class Forgetful(Bench):
    """Of a controller that has lost some, and answers some with "later"."""

    def __init__(self, dice):
        Bench.__init__(self, Memory(1))
        self.dice = dice
        self.busy = set()
        self.lost = 0

    def leave(self, count):
        """Results that no one hears of: some are lost, some are busy when they are asked for."""
        first = self.memory.next_id
        self.away(count)
        for number in range(first, first + count - 1):  # the newest is there
            if self.dice.random() < 0.5:
                self.memory.forget(number)
                self.lost += 1
            elif self.dice.random() < 0.4:
                self.busy.add(number)

    def step(self):
        number = self.ask()
        if number in self.busy:
            is_busy(self)
        elif number >= 0:
            self.answer(self.memory.find(number))
        return number >= 0


@pytest.mark.parametrize("seed", range(100 if LONG else 20))
def test_what_lies_between_those_that_are_put_off_is_counted_once(seed):
    dice = Random(seed)
    bench = Forgetful(dice).met(6)
    for _ in range(dice.choice((1, 2, 4))):
        bench.leave(dice.choice((4, 12, 20)))
        for _ in range(dice.choice((5, 60))):
            bench.step()
        for _ in range(dice.choice((0, 1, 3))):
            chance = dice.random()
            if chance < 0.3:
                bench.start().open()
            elif chance < 0.6:
                bench.again()
            elif bench.busy:
                bench.busy.remove(dice.choice(sorted(bench.busy)))
            for _ in range(dice.choice((3, 40))):
                bench.step()
            assert bench.ledger.gone() <= bench.lost
            missing = len(bench.memory.produced) - len(bench.uids())
            assert bench.ledger.gone() + missing_most(bench.ledger) >= missing
            bench.live()
            if dice.random() < 0.5:  # one that no push tells
                bench.memory.make()
                bench.live()
    bench.busy.clear()
    bench.now += 700000
    bench.settle()
    assert bench.ledger.gone() == bench.lost and len(bench.uids()) == len(bench.memory.produced) - bench.lost
    assert missing_most(bench.ledger) == 0 and bench.stored_twice == 0
    assert sum(run[2] for run in bench.gone.runs) == bench.lost


@pytest.mark.parametrize("kind", [error_codes.REJECTED_LATER, error_codes.REJECTED_BUSY])
def test_the_highest_known_that_is_put_off_for_good_holds_up_no_other_for_a_minute(kind):
    bench = Bench(Memory(1, limit=3)).met(3)
    bench.settle()
    bench.away(3)
    begun = bench.now
    while len(bench.uids()) < 6:
        number = bench.recovery.prepare_request(bench.now) and id_of(bench.recovery.ask_id, 0)
        if number is False:
            bench.now += 1000
        elif bench.memory.find(number) is None:
            bench.recovery.rejected(kind, bench.now, 98)
        else:
            bench.answer(bench.memory.find(number))
        assert bench.now - begun < 60000, "a ring drops the others while it waits"
    assert sorted(bench.uids()) == [1, 2, 3, 4, 5, 6] and bench.ledger.gone() == 0
