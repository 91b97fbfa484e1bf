"""An answer of which only the ID can be read shows no other result: it begins no new count, and hides none."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart

CUT, BLANK, TORN = "cut", "blank", "torn"


def unreadable(content, result, how):
    """Return the data of an old result of which only the ID can be read."""
    time = result.time.encode()
    if how == CUT:
        return content.replace(time, time[:10], 1)
    ident = content.index(b"01%010d" % result.tightening_id)
    end = ident + 12
    if how == TORN:
        return content[:end] + b"#" * (len(content) - end)
    return b" " * ident + content[ident:end] + b" " * (len(content) - end)


class Answers:
    """The old results of one controller, some of which cannot be read."""

    def __init__(self, monkeypatch):
        self.write = controller_session.frames.old_result_data
        self.how = CUT
        self.torn = lambda result: True
        monkeypatch.setattr(controller_session.frames, "old_result_data", self.data)

    def data(self, result, *given, **named):
        content = self.write(result, *given, **named)
        return unreadable(content, result, self.how) if self.torn(result) else content


@pytest.fixture
def answers(monkeypatch):
    return Answers(monkeypatch)


def is_one_count(cart):
    return cart.station.ledger.epoch() == 0 and cart.counted(counter.CONTROLLER_RESETS) == 0


@pytest.mark.parametrize("revision", [999, 3])
@pytest.mark.parametrize(("live", "missed"), [(3, 2), (1, 1), (2, 7)])
def test_answers_that_cannot_be_read_are_of_the_same_controller(answers, live, missed, revision):
    cart = Cart(controller={"result_revisions": (revision,)}).outages(4, live, missed)
    assert len(cart.stored()) == 4 * live and len(cart.raw()) == 4 * missed and cart.stored_again() == 0
    assert is_one_count(cart) and cart.station.ledger.gone() == 0


def test_count_that_begins_again_is_seen_where_no_answer_can_be_read(answers):
    cart = Cart().outages(missed=2)
    cart.controller.reset_ids()
    cart.miss(2, 1300)
    cart.settle()
    assert cart.station.ledger.epoch() == 1 and len(cart.raw()) == 10


@pytest.mark.parametrize("how", [TORN, BLANK])
def test_answers_that_say_nothing_but_their_ids_end_no_count_and_hide_none(answers, how):
    answers.how = how
    cart = Cart().outages(missed=2)
    kept = {int(frame[frame.index(b"01", 20) + 2 :][:10]) for frame in cart.raw()}
    assert sorted(kept | set(cart.stored_ids())) == cart.controller.produced
    assert len(cart.stored()) == 12 and is_one_count(cart) and cart.station.ledger.gone() == 0
    assert len(cart.raw()) - 8 <= cart.stored_again()


@pytest.mark.parametrize(("every", "how"), each_choice([2, 3], [CUT, TORN, BLANK]))
def test_single_answers_that_cannot_be_read_change_nothing_for_the_others(answers, how, every):
    answers.how = how
    answers.torn = lambda result: result.tightening_id % every == 0
    cart = Cart().outages(6, 2, 3)
    missed = [number for number in cart.controller.produced if (number - 1) % 5 > 1]
    torn = [number for number in missed if number % every == 0]
    assert sorted(cart.stored_ids()) == [number for number in cart.controller.produced if number not in torn]
    assert len(cart.raw()) == len(torn) and cart.stored_again() == 0
    assert is_one_count(cart) and cart.station.ledger.gone() == 0


@pytest.mark.parametrize("how", [CUT, TORN, BLANK])
@pytest.mark.parametrize(
    ("live", "missed", "torn"), [(3, 3, 1), (1, 1, 1), (3, 3, 3), (3, 5, 3), (12, 12, 1), (2, 1, 1)]
)
def test_count_that_begins_again_up_to_one_that_cannot_be_read_hides_none(answers, how, live, missed, torn):
    answers.how = how
    answers.torn = lambda result: False
    cart = Cart().outages(1, live, 0)
    cart.controller.reset_ids()
    cart.miss(missed, 1300)
    last = cart.controller.produced[-missed:]
    answers.torn = lambda result: result.tightening_id in last[-torn:]
    cart.settle()
    assert sorted(cart.stored_ids()) == sorted(list(range(1, live + 1)) + last[:-torn])
    assert len(cart.raw()) == torn


@pytest.mark.parametrize("how", [CUT, TORN, BLANK])
def test_newest_that_could_not_be_read_and_can_be_now_is_the_same(answers, how):
    answers.how = how
    answers.torn = lambda result: result.tightening_id == 5
    cart = Cart().outages(1, missed=2)
    assert len(cart.raw()) == 1
    answers.torn = lambda result: False
    cart.drop()
    cart.settle()
    cart.miss(2, 1300)
    cart.settle()
    assert sorted(cart.stored_ids()) == [1, 2, 3, 4, 6, 7] and cart.stored_again() == 0 and is_one_count(cart)


@pytest.mark.parametrize("how", [CUT, TORN, BLANK])
def test_poll_whose_answer_cannot_be_read_ends_no_connection(answers, how):
    answers.how = how
    cart = Cart().outages(1, 3, 0)
    cart.until_ready(60000)
    before = cart.controller.sessions[-1]
    cart.run(30 * 60000)
    assert cart.controller.sessions[-1] is before and is_one_count(cart)
    assert len(cart.raw()) == cart.stored_again()  # all are kept as they came where nothing says what they are


@pytest.mark.parametrize("how", [CUT, TORN])
@pytest.mark.parametrize(("before", "after"), [(3, 4), (0, 2)])
def test_count_that_begins_again_is_seen_where_the_one_before_is_kept(answers, how, before, after):
    answers.how = how
    cart = Cart(first_id=1000).outages(missed=2)
    controller = cart.controller
    make = controller.produce
    made = []

    def produce(*given, **named):
        if len(made) == before:
            controller._next_id = 1
        made.append(controller._next_id)
        return make(*given, **named)

    controller.produce = produce
    raw = len(cart.raw())
    cart.miss(before + after, 1300)
    cart.run(400000)
    assert made[-1] == after and cart.station.ledger.top() == after
    assert len(cart.raw()) - raw + cart.station.ledger.gone() >= before + after


@pytest.mark.parametrize("how", [CUT, TORN, BLANK])
@pytest.mark.parametrize(("more", "torn"), [(1, 4), (3, 4), (9, 4), (9, 9)])
def test_new_count_that_goes_beyond_the_one_before_is_fetched_from_its_lowest_though_none_there_can_be_read(
    answers, how, more, torn
):
    answers.how = how
    answers.torn = lambda result: False
    cart = Cart().outages(1, 12, 0)
    cart.controller.reset_ids(9)
    cart.miss(4 + more, 1300)
    answers.torn = lambda result: result.tightening_id < 9 + torn
    cart.settle()
    made = range(9, 13 + more)
    assert sorted(cart.stored_ids()) == sorted([*range(1, 13), *[one for one in made if one >= 9 + torn]])
    assert len(cart.raw()) == min(torn, len(made))
