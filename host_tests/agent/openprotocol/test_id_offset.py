"""A controller whose answers have IDs that are off: all it has is stored once, under the ID that was pushed."""

from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST
from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record.result import HEAD_BYTES, TIGHTENING_ID
from host_tests.support.recovery import Bench, Memory, Result

PORTABLE = True
HEAVY = True
HEAP = "8m"


class Off(Memory):
    """Its answers have IDs that are off by so much; `is_kept`: it finds its results under these."""

    def __init__(self, by, is_kept=False, **options):
        Memory.__init__(self, **options)
        self.by = by
        self.is_kept = is_kept

    def find(self, number):
        asked = number - self.by if self.is_kept and number else number
        found = None if number and asked <= 0 else Memory.find(self, asked)
        return None if found is None else Result(found.uid, (found.ident + self.by) % ID_PERIOD, found.key, found.time)


class Cart(Bench):
    """As the intake asks, and as the session lets answers through."""

    def ask(self):
        number = Bench.ask(self)
        return number + self.recovery.offset.ask if number > 0 else number

    def step(self):
        number = self.ask()
        if number < 0:
            return False
        self.answer(self.memory.find(number))
        return True

    def stored(self):
        """Return the IDs of the log as they stand in its records."""
        return [id_of(payload, HEAD_BYTES + TIGHTENING_ID) for payload, _, _ in self.log.records]


AMOUNTS = [by for by in range(-OFFSET_MOST, OFFSET_MOST + 1) if by]


def test_ids_that_are_off_by_any_amount_are_put_right():
    for is_kept in (False, True):
        for by in AMOUNTS:
            cart = Cart(Off(by, is_kept, next_id=50)).open()
            cart.live()
            for missed in (4, 7, 1):
                cart.make(2)
                cart.away(missed)
                cart.settle()
                cart.live()
                cart.away(0)
                cart.start().open()
                cart.settle()
            assert cart.uids() == sorted(set(cart.uids())) and len(cart.uids()) == len(cart.memory.produced), (
                is_kept,
                by,
            )
            assert cart.stored() == [uid + 49 for uid in cart.uids()], (is_kept, by)
            assert cart.ledger.epoch() == 0 and cart.ledger.gone() == 0 and cart.stored_twice == 0, (is_kept, by)


def test_one_met_before_it_pushed_anything_is_put_right():
    for by in AMOUNTS:
        for before in (0, 30):
            cart = Cart(Off(by, next_id=50))
            for _ in range(before):
                cart.memory.make()
            cart.met()
            cart.away(2)
            cart.settle()
            cart.live()
            cart.away(1)
            cart.settle()
            assert sorted(cart.uids()) == list(range(before + 1, before + 5)), (by, before, cart.uids())
            assert cart.stored() == [uid + 49 for uid in cart.uids()] and cart.ledger.epoch() == 0, (by, before)
            # An empty one whose answers name lower IDs than it ever made is found out by its first push.
            assert cart.ledger.gone() <= max(-by - 2, 0) * (before == 0), (by, before)


def test_fetched_result_that_is_the_highest_known_at_a_start_waits_for_a_push_whose_id_is_another_s():
    for is_kept in (False, True):
        for by in range(1, OFFSET_MOST + 1):
            for before in (0, 3, 20):
                cart = Cart(Off(by, is_kept, next_id=50))
                for _ in range(before):
                    cart.memory.make()
                cart.met()
                cart.make(6)
                cart.away(6)
                cart.settle()
                for missed in (0, 2):
                    cart.start().away(missed)
                    cart.settle()
                    cart.make(2)
                case = (by, is_kept, before, cart.stored())
                assert sorted(cart.uids()) == list(range(before + 1, before + 19)), case
                assert cart.stored() == [uid + 49 for uid in cart.uids()], case
                assert cart.ledger.epoch() == 0 and cart.ledger.gone() == 0 and cart.stored_twice == 0, case


class Drifting(Off):
    """Its answers are off by another amount each time."""

    def find(self, number):
        self.by = (self.by * 5 + 3) % 17 - 8
        return Off.find(self, number)


def test_ids_that_are_off_by_no_constant_are_counted():
    for seed in range(-8, 9):
        cart = Cart(Drifting(seed, next_id=50), sharing=phases.SHARING_OWN).open()
        for missed in (0, 4, 7):
            cart.away(missed)
            cart.settle()
            cart.live()
        for _ in range(3):
            cart.settle()
        twice = len(cart.uids()) - len(set(cart.uids()))
        lost = len(cart.memory.produced) - len(set(cart.uids()))
        assert twice == 0 and lost <= cart.ledger.gone() and missing_most(cart.ledger) == 0, seed


def test_one_late_answer_is_not_taken_for_it():
    bench = Bench().met(3)
    bench.away(2)
    assert bench.ask() == 0
    bench.answer(bench.memory.find(0))
    assert bench.ask() == 3
    assert bench.answer(bench.memory.find(4)) == phases.OUTCOME_NONE and bench.recovery.offset.by == 0
    bench.settle()
    assert bench.recovery.offset.by == 0 and bench.stored() == [1, 2, 3, 4, 5]


def test_unreadable_ones_get_the_id_that_they_have():
    cart = Cart(Off(1)).met(3)
    cart.away(2)
    while cart.recovery.phase != phases.PHASE_FILL:
        cart.step()
    assert cart.ask() == 4
    body = cart.memory.find(4).payload
    assert cart.recovery.fetched_unread(body, HEAD_BYTES, 77, cart.now) == phases.OUTCOME_STORE
    cart.recovery.stored(cart.now)
    assert cart.ask() == 5 and cart.refuse(error_codes.REJECTED_GONE) == phases.OUTCOME_NONE


class NumbersOffset(Memory):
    """It answers the question for n with the result n + `by`, under its own ID."""

    def __init__(self, by):
        Memory.__init__(self)
        self.by = by

    def find(self, number):
        asked = number + self.by if number else 0
        return Memory.find(self, asked) if asked or not number else None


def test_right_ids_of_answers_to_other_questions_are_not_put_right():
    for by in AMOUNTS:
        for number in (1, 2, 3, 5, 12, 30):
            for missed in ((5, 2), (1, 1), (12, 3)):
                cart = Cart(NumbersOffset(by)).open()
                cart.make(number)
                for count in missed:
                    cart.away(count)
                    cart.settle()
                    cart.live()
                cart.settle()
                case = (by, number, missed, cart.stored())
                assert cart.stored() == cart.uids() and len(cart.uids()) == len(set(cart.uids())), case
                assert phases.OUTCOME_OFFSET not in cart.outcomes, case
                assert len(cart.memory.produced) == len(cart.uids()) + cart.ledger.gone(), case
                assert missing_most(cart.ledger) == 0 and cart.recovery.ownership.needs == "", case


def test_answers_to_other_questions_show_nothing_before_a_push():
    for by in AMOUNTS:
        for before in (1, 4, 20):
            for is_cut in (False, True):
                cart = Cart(NumbersOffset(by))
                for _ in range(before):
                    cart.memory.make()
                cart.met()
                cart.away(3)
                cart.settle()
                if is_cut:
                    cart.start().open()
                cart.live()
                cart.settle()
                cart.away(2)
                cart.settle()
                cart.live()
                cart.settle()
                case = (by, before, is_cut, cart.stored())
                assert cart.stored() == cart.uids() and len(cart.uids()) == len(set(cart.uids())), case
                assert len(cart.memory.produced) - before == len(cart.uids()) + cart.ledger.gone(), case
                assert missing_most(cart.ledger) == 0 and cart.recovery.ownership.needs == "", case


def test_what_is_there_waits_for_a_push_where_all_that_was_pushed_is_forgotten():
    for by in AMOUNTS:
        for limit in (2, 3):
            for is_cut in (False, True):
                cart = Cart(Off(by, next_id=50, limit=limit)).open()
                cart.settle()
                cart.make(4)
                cart.away(limit + 4)
                if is_cut:
                    cart.start().open()
                cart.settle()
                missing = len(cart.memory.produced) - len(cart.uids())
                assert cart.ledger.gone() <= missing - limit, "what is there is not gone"
                cart.live()
                cart.settle()
                case = (by, limit, is_cut, cart.stored(), cart.ledger.gone())
                assert len(cart.uids()) + cart.ledger.gone() == len(cart.memory.produced), case
                assert cart.stored() == [uid + 49 for uid in cart.uids()] and missing_most(cart.ledger) == 0, case
                assert max(cart.uids()) - limit + 1 in cart.uids(), case


def test_push_that_is_forgotten_before_it_is_asked_for_lets_the_next_one_show_it():
    cart = Cart(Off(1, next_id=50, limit=2)).open()
    cart.settle()
    cart.make(4)
    cart.away(6)
    cart.start().open()
    cart.settle()
    cart.live()
    for _ in range(5):  # these are not pushed
        cart.memory.make()
    cart.settle()
    cart.live()
    cart.settle()
    assert len(cart.uids()) + cart.ledger.gone() == len(cart.memory.produced), cart.ledger.gone()
    assert cart.stored() == [uid + 49 for uid in cart.uids()] and len(cart.uids()) == 4 + 1 + 2


class Other(Memory):
    """Answers the question for an ID with the result `to` IDs above it; behind the ID `ends` comes `begins`."""

    def __init__(self, to, next_id, ends, begins):
        Memory.__init__(self, next_id)
        self.to, self.ends, self.begins = to, ends, begins

    def make(self, ident=None, key=None):
        if self.next_id > self.ends:
            self.next_id = self.begins
        return Memory.make(self, ident, key)

    def find(self, number):
        return Memory.find(self, number + self.to if number else 0)


def test_ids_of_a_new_count_that_cannot_be_asked_for_are_counted():
    for to in range(1, OFFSET_MOST + 1):
        for ends, begins in [(100, 1), (255, 0), (999, 1), (65535, 0), (507, 1)]:
            for missed in (11, 20):
                cart = Cart(Other(to, ends - 8, ends, begins))
                for _ in range(3):
                    cart.memory.make()
                cart.open().settle()
                cart.make(5)
                cart.away(missed)
                cart.settle()
                cart.make(4)
                lost = [one.ident for one in cart.memory.produced[3:] if one.uid not in cart.uids()]
                case = (to, ends, begins, missed, lost, cart.gone.runs)
                assert set(lost) <= set(range(to + 1)) and cart.stored_twice <= 1, case
                assert len(lost) <= cart.ledger.gone() <= to + 1, case
