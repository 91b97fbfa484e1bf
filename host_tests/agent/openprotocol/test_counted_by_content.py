"""What is stored though the log has its time and values is counted as stored again, whatever the controller does."""

import pytest

from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER, Cart

PUSHED_AS = {
    "always 1": lambda number: 1,
    "always 5": lambda number: 5,
    "always the last": lambda number: 4294967295,
    "1 to 8 in turn": lambda number: number % 8 + 1,
    "1 to 3 in turn": lambda number: number % 3 + 1,
    "each twice": lambda number: number // 2 + 1,
    "times 10": lambda number: number * 10,
    "one above": lambda number: number + 1,
    "two above": lambda number: number + 2,
    "four above": lambda number: number + 4,
    "eight above": lambda number: number + 8,
    "one below": lambda number: number - 1,
    "as kept": None,
}


def outages(odd, endings=("cut", "down", "cut")):
    cart = odd.cart
    cart.until_ready(2000)
    odd.make(6, 700)
    for ending in endings:
        odd.away(5, cut=ending == "cut")
        cart.run(6000)
        odd.make(4, 700)
        cart.run(100000)
    return odd


@pytest.mark.parametrize(("how", "first"), each_choice(list(PUSHED_AS), [1, 2, 9, 20]))
def test_pushed_ids_that_are_not_the_memory_s_double_nothing_uncounted(monkeypatch, how, first):
    odd = outages(OddController(monkeypatch, pushed_as=PUSHED_AS[how], first_id=first))
    odd.judge(most_gone=0 if how.endswith(("above", "below", "kept")) else None)


@pytest.mark.parametrize("is_orderly", [False, True])
@pytest.mark.parametrize("before", [0, 20])
@pytest.mark.parametrize("above", [1, 4, 8])
def test_a_start_behind_an_outage_takes_memory_ids_above_the_pushed_ones_for_no_new_count(
    monkeypatch, above, before, is_orderly
):
    odd = OddController(monkeypatch, pushed_as=lambda number: number - above, first_id=above + 1)
    cart = odd.cart
    cart.network.down(*CONTROLLER)
    odd.make(before)
    cart.network.up(*CONTROLLER)
    cart.until_ready(60000)
    odd.make(6)
    odd.away(6)
    cart.run(100000)
    for _ in range(2):
        if is_orderly:
            cart.app.stop(cart.clock.now)
            cart.until(cart.app.stopped)
            cart.app.close()
        cart.cut()
        cart.until_ready(60000)  # the controller ends the old connection first
        odd.make(2)
        cart.run(100000)
    assert odd.rows() == odd.made[before:] and odd.books()[1:] == (0, before, 0, 0)
    assert cart.stored_ids() == list(range(before + 1, before + 17))


def test_a_memory_larger_than_what_is_compared_doubles_nothing_uncounted(monkeypatch):
    monkeypatch.setattr("toolcart.agent.cart.assembly.CONTENTS_MOST", 16)
    outages(OddController(monkeypatch, pushed_as=PUSHED_AS["always 1"])).judge()


@pytest.mark.parametrize(("knows_newest", "keeps"), each_choice([True, False], [2, 4, 7, 12]))
def test_a_memory_that_has_every_id_it_is_asked_for_is_not_searched_for_ever(monkeypatch, knows_newest, keeps):
    odd = OddController(monkeypatch, answers="under any ID", keeps=keeps, first_id=1000)
    odd.knows_newest = knows_newest
    outages(odd)
    assert len(odd.requests) < 1000, odd.requests[-40:]


def test_a_bolt_that_is_answered_for_another_is_not_stored_and_its_own_result_counts_as_gone(monkeypatch):
    odd = outages(OddController(monkeypatch, bolts=True))
    assert odd.books() == (0, 0, 15, 15, 0)


@pytest.mark.parametrize(("endings", "every_ms", "again"), all_pairs([(), ("cut",), ("down",)], [1000, 3000], [1, 2]))
def test_what_is_pushed_again_under_another_id_is_counted(monkeypatch, endings, every_ms, again):
    odd = OddController(monkeypatch)
    odd.again = again
    odd.cart.until_ready(2000)
    odd.make(5, every_ms)
    for ending in endings:
        odd.away(2, cut=ending == "cut")
        odd.make(2, every_ms)
        odd.cart.run(60000)
    odd.judge()
    assert odd.books()[0] > 0


def test_a_controller_as_it_should_be_doubles_nothing(monkeypatch):
    odd = outages(OddController(monkeypatch), ("cut", "down", "cut", "down"))
    assert odd.books() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(("ending", "every_ms"), each_choice(["cut", "down"], [100, 1000, 60000]))
def test_results_that_share_a_second_or_a_quarter_of_an_hour_are_others_if_their_values_differ(
    monkeypatch, every_ms, ending
):
    odd = OddController(monkeypatch)
    odd.cart.until_ready(2000)
    odd.make(20, every_ms)
    odd.away(10, every_ms, cut=ending == "cut")
    odd.cart.run(60000)
    odd.make(5, every_ms)
    twice, again, *missing = odd.books()
    assert (twice, missing) == (0, [0, 0, 0]) and again <= 1, "a round torque may be one that was rounded"


@pytest.mark.parametrize("every_ms", [1000, 60000, 300000])
def test_pushed_results_with_one_value_at_other_times_are_others_for_a_start_too(every_ms):
    cart = Cart(toolsnet=None).until_ready(2000)
    for count in (10, 2):
        for _ in range(count):
            cart.controller.produce(torque=4321, angle=56)
            cart.run(every_ms)
        assert cart.stored_again() == 0
        cart.cut()
        cart.until_ready(60000)
    assert len(cart.stored()) == 12 and cart.stored_again() == 0


def test_two_results_that_look_the_same_by_chance_are_not_taken_for_all_that_is_fetched(monkeypatch):
    odd = OddController(monkeypatch, keeps=2000)
    odd.cart.until_ready(2000)
    odd.make(300, 100)
    odd.cart.network.down(*CONTROLLER)
    odd.make(302, 100)
    pushed, kept = odd.kept[-340], odd.kept[-300]
    kept.time, kept.torque, kept.angle = pushed.time, pushed.torque, pushed.angle
    odd.made[-300] = pushed.torque
    odd.cart.network.up(*CONTROLLER)
    odd.cart.until_ready(60000)
    odd.cart.run(400000)
    twice, again, *missing = odd.books()
    assert (twice, missing) == (1, [0, 0, 0]) and 1 <= again <= 3, again
