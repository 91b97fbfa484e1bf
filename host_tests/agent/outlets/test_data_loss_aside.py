"""What ToolsNet lacks is never said too low, whatever is set aside, taken late, dropped, ordered and left meanwhile."""

import pytest

from toolcart.agent.base.counters import RESUME_UNKNOWN
from toolcart.agent.quarantine.orders import carry_out as quarantine_order
from toolcart.base.clock import Dice
from host_tests.agent.outlets.test_data_loss import emptied, lacks, order, restarted, set_back, up
from host_tests.portable import LONG
from host_tests.support.toolsnet import Outlet

REFUSED = 17
LIVES = 60
# Lives in which it once was too low: one taken late, dropped or left, before an order, a restore, or an empty database
TOO_LOW_ONCE = (
    16,
    70,
    342,
    374,
    527,
    743,
    756,
    813,
    821,
    989,
    1036,
    1077,
    1111,
    1127,
    1444,
    1528,
    1777,
    3096,
    4105,
    4442,
    5747,
    21129,
)
# The same without `rewind`: also where orders broke the sequences before what was left, or some were taken late
TOO_LOW_WITHOUT_REWIND = (21247, 30370, 30928, 31644, 32068, 32731, 39101, 39720, 41823, 41851)
# The same where an operator orders and leaves often; without `rewind`, and with it
TOO_LOW_OFTEN = (
    (8, False),
    (41, False),
    (42, False),
    (71, False),
    (204, False),
    (264, False),
    (2682, True),
    (100254, True),
    (100263, True),
)


class Life:
    """An outlet, its operator, and what ToolsNet ever had of what it was sent."""

    most = 12  # of what happens beside the first three

    def __init__(self, seed, rewind=None):
        self.dice = Dice(seed)
        self.rewind = rewind  # None: it changes
        self.outlet = Outlet(rewind=self.rewinds())
        self.had, self.dropped, self.left, self.story = set(), set(), set(), []
        self.acts = [self.store] * 2 + [self.restore, self.empty, self.order_again, self.restart]
        self.acts += [self.refuse] * 2 + [self.refuse_old, self.drop, self.accept, self.leave]
        self.outlet.store(1 + self.dice.randrange(12))
        self.settle()

    def live(self):
        """Go through some days; return what was said too low, None if nothing was."""
        for _ in range(3 + self.dice.randrange(self.most)):
            act = self.acts[self.dice.randrange(len(self.acts))]
            self.story.append((act.__name__, act()))
            self.settle()
            if self.outlet.counted(RESUME_UNKNOWN):
                return None  # it is further back than there are results
            said, lacking = lacks(self.outlet)[0], self.lacking()
            self.left -= {*self.outlet.ids()}
            if said < len(lacking):
                return said, lacking, self.story
        return None

    def rewinds(self):
        drawn = self.dice.randrange(3) == 0
        return drawn if self.rewind is None else self.rewind

    def settle(self):
        try:
            self.outlet.until_passed(300000, and_ms=1000)
        except AssertionError:
            pass  # it is held, or everything is refused
        self.had |= {*self.outlet.ids()}

    def lacking(self):
        outlet = self.outlet
        gone = {number for number in self.had - {*outlet.ids()} if number <= outlet.cursor.number}
        return gone - {*outlet.parked_numbers()} - self.dropped - self.left

    # What happens

    def store(self):
        self.outlet.store(1 + self.dice.randrange(5))
        self.outlet.run(1000)

    def restore(self):
        if self.outlet.ids():
            set_back(self.outlet, 1 + self.dice.randrange(len(self.outlet.ids())))

    def empty(self):
        emptied(self.outlet)

    def order_again(self):
        number = 1 + self.dice.randrange(self.outlet.log.number)
        order(self.outlet, "from", str(number))
        up(self.outlet)
        return number

    def restart(self):
        self.outlet.settings["rewind"] = self.rewinds()
        restarted(self.outlet)

    def refuse(self):
        count = 1 + self.dice.randrange(4)
        self.refuse_these([self.outlet.next_id + self.dice.randrange(6) for _ in range(count)])
        self.outlet.store(6 + self.dice.randrange(3))
        self.outlet.run(60000)

    def refuse_old(self):
        self.refuse_these([1 + self.dice.randrange(self.outlet.log.number) for _ in range(3)])

    def refuse_these(self, idents):
        options = self.outlet.options
        options.tightening_codes = {**options.tightening_codes, **dict.fromkeys(idents, REFUSED)}

    def drop(self):
        parked = self.outlet.parked_numbers()
        wanted = [number for number in parked if self.dice.randrange(2)] or parked[:1]
        for number in wanted:
            self.ask("drop", str(number))
        self.dropped |= {*wanted} - {*self.outlet.parked_numbers()}

    def accept(self):
        self.outlet.options.tightening_codes = {}
        if self.outlet.parked_numbers() and self.dice.randrange(2):
            self.ask("retry", "all")
            self.outlet.run(5000)

    def leave(self):
        if "error" not in order(self.outlet, "leave"):
            self.left |= self.had - {*self.outlet.ids()}

    def ask(self, *words):
        outlet = self.outlet
        list(quarantine_order(outlet.quarantine, outlet.log, 10, outlet, None, list(words), outlet.forward))


class OftenLeft(Life):
    """A longer one, whose operator orders and leaves often."""

    most = 25

    def __init__(self, seed, rewind=None):
        super().__init__(seed, rewind)
        self.acts = [self.store, self.restore, self.restore, self.empty] + [self.order_again] * 3 + [self.leave] * 3
        self.acts += [self.refuse, self.restart, self.accept]


@pytest.mark.parametrize("seed", TOO_LOW_ONCE)
def test_what_left_the_quarantine_or_was_left_takes_nothing_off_what_is_lacking(seed):
    assert Life(seed).live() is None


@pytest.mark.parametrize("seed", TOO_LOW_WITHOUT_REWIND)
def test_what_was_left_is_a_gap_also_after_orders(seed):
    assert Life(seed, rewind=False).live() is None


@pytest.mark.parametrize(("seed", "rewind"), TOO_LOW_OFTEN)
def test_what_was_left_takes_nothing_off_what_is_lacking_after_any_orders(seed, rewind):
    assert OftenLeft(seed, rewind).live() is None


def test_more_late_ones_than_are_known_to_have_gone_out_since_may_all_be_lacking():
    """The server has lost all that was taken late, and some of what was taken before these."""
    outlet = Outlet(rewind=True)
    outlet.options.tightening_codes = dict.fromkeys(range(2, 20, 2), REFUSED)
    outlet.store(25)
    outlet.until_passed(900000, and_ms=1000)
    outlet.options.tightening_codes = {}
    assert len(outlet.parked_numbers()) == 9
    list(quarantine_order(outlet.quarantine, outlet.log, 10, outlet, None, ["retry", "all"], outlet.forward))
    outlet.until(lambda: not outlet.parked_numbers(), 600000)
    set_back(outlet, 9 + 4)
    outlet.until_passed(300000, and_ms=1000)
    assert {*range(1, 26)} - {*outlet.ids()} == {*range(2, 20, 2)} and lacks(outlet)[0] == 9


@pytest.mark.parametrize(
    "part", [0, *[pytest.param(part, marks=pytest.mark.long("more lives")) for part in range(1, 50)]]
)
def test_whatever_happens_to_the_quarantine_never_less_is_reported_than_is_lacking(part):
    for seed in range(LIVES * part, LIVES * (part + 1), 1 if LONG else 3):
        assert Life(seed).live() is None, seed
        assert OftenLeft(seed, seed % 2 == 0).live() is None, seed
