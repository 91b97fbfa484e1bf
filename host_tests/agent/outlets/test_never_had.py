"""What is reported of what a ToolsNet lacks is never too low, though the log holds, or gave up, what it never had."""

import pytest

from toolcart.agent.base.counters import RESUME_UNKNOWN, SERVER_BEHIND, Counters
from toolcart.agent.cart import storage
from toolcart.agent.cart.outlet_places import RETURNED
from toolcart.agent.linux.offer_again import carry_out
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.log.snapshot_fields import DELIVERED, GRAPH_CURSOR, OVERWRITTEN, STORED
from toolcart.agent.outlets.toolsnet import data_loss
from toolcart.base.clock import Dice
from host_tests.portable import LONG
from host_tests.support.log import numbers
from host_tests.support.toolsnet import PIM, SERVER, Outlet


class Small(Outlet):
    """A small log that overwrites; `had` are the results that ToolsNet is known to have had, up to the cursor."""

    def __init__(self, blocks=13, **settings):
        self.had = set()
        self.is_added = False
        self.how = RETURNED  # it comes to its place
        super().__init__(blocks=blocks, when_full=WHEN_FULL_OVERWRITE, cursor_batch=8, **settings)

    def start(self):
        """As after power has come back; if it `is_added`, as a start that finds it configured again."""
        mount = self.area.mount

        def mounted(**options):
            state, log = mount(**options)
            log.cursors[0].durable = False
            left_out, lost = storage._begin(log, log.cursors[0], self.how, log.number)
            log.cursors[0].durable = True
            state.numbers[OVERWRITTEN] += left_out + lost
            return state, log

        if self.is_added:
            self.area.mount = mounted
        super().start()
        if self.is_added:
            del self.area.mount
        self.is_added = False
        self.state.numbers[STORED] = self.log.number  # results alone are in it

    def store(self, count=1, **fields):
        ids = super().store(count, **fields)
        self.state.numbers[STORED] = self.log.number
        return ids

    def look(self, is_reached=True):
        if is_reached:
            self.had |= {*self.ids()}
        self.had = {number for number in self.had if number <= self.cursor.number}

    def away(self):
        self.network.down(*PIM)
        self.network.cut(*SERVER)
        self.run(1000)

    def again(self):
        self.network.up(*PIM)
        self.network.cut(*SERVER)
        self.run(1000)
        self.until(self.forward.is_up)
        self.until_passed(and_ms=1000)
        self.look()
        return self

    def added_again(self, count):
        """ToolsNet is not configured while so many are stored, and is again then."""
        self.away()
        self.forward.stop()
        self.store(count)
        self.is_added = True
        self.cut()
        return self.again()

    def order(self, first):
        def act(number, count, doubted, unread):
            return self.forward.offer_again(number, count, doubted, self.clock.now, unread)

        list(carry_out(self.policy, 10, None, ["offer-again", "from", str(first)], act))

    def lacking(self):
        return self.had - {*self.ids()}

    def reported(self):
        return self.status()["lost_there"]


def delivering(count, **settings):
    outlet = Small(**settings)
    outlet.store(count)
    outlet.until_stored(count, and_ms=100)
    assert outlet.policy.save_at_end()
    outlet.look()
    return outlet


@pytest.mark.parametrize("forgotten", [5, 30, 60])
def test_what_was_left_out_is_not_taken_off_what_is_lacking(forgotten):
    outlet = delivering(60, rewind=True).added_again(70)
    there = len(outlet.ids())
    assert there < 130 and outlet.state.numbers[DELIVERED] == there
    outlet.archive.restore_backup(there - 60 + forgotten)
    outlet.again()
    assert outlet.reported() >= len(outlet.lacking())
    if forgotten < 60:
        there = len(outlet.ids())
        outlet.archive.clear()
        outlet.again()
        assert outlet.reported() >= len(outlet.lacking()) >= there


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize("has", [0, 50, 57])
def test_what_was_left_out_is_nothing_that_a_server_lacks_which_some_were_in_doubt_of_before(has, rewind):
    outlet = delivering(60, rewind=rewind)
    outlet.archive.restore_backup(3)
    outlet.again()
    outlet.away()
    if has:
        outlet.archive.restore_backup(len(outlet.ids()) - has)
    else:
        outlet.archive.clear()
    outlet.added_again(70)
    assert outlet.state.numbers[OVERWRITTEN] > 30 and outlet.state.is_moved(outlet.cursor)
    assert outlet.reported() == len(outlet.lacking())
    is_certain = not rewind or not has  # else what was left out may have been sent with the others
    for _ in range(2 if is_certain else 0):
        outlet.forward.stop()
        outlet.cut()
        outlet.archive.clear()
        outlet.again()
        assert outlet.reported() == len(outlet.lacking())


def test_nothing_is_added_to_what_a_server_lacks_that_was_overwritten_and_known_to_be():
    outlet = delivering(60)
    outlet.away()
    outlet.store(200)
    outlet.again()
    assert outlet.state.numbers[OVERWRITTEN] > 100
    there = len(outlet.ids())
    outlet.archive.clear()
    outlet.again()
    assert outlet.reported() == there == len(outlet.lacking())


def test_what_went_out_right_before_a_cut_and_was_overwritten_is_lacking_too():
    for emptied in (False, True):
        outlet = Small()
        outlet.store(21)
        outlet.until_stored(21, and_ms=1000)
        outlet.look()
        outlet.away()
        outlet.cut()  # the durable cursor stands in front of some of them
        outlet.store(150)
        outlet.archive.clear() if emptied else outlet.archive.restore_backup(20)
        outlet.had = {*numbers(1, 21)}
        outlet.network.up(*PIM)
        outlet.until(outlet.forward.is_up)
        outlet.run(3000)
        assert outlet.reported() >= 20 + emptied


def test_a_server_set_back_twice_across_an_order_gets_each_result_under_a_sequence_of_its_own():
    outlet = delivering(26)
    outlet.settings["rewind"] = True
    outlet.order(21)
    outlet.again()
    outlet.forward.stop()
    outlet.cut()
    for has in (3, 19):  # it is sent the others each time
        outlet.archive.restore_backup(len(outlet.ids()) - has)
        outlet.again()
        assert {*outlet.ids()} == {*numbers(1, 26)}, has


def test_what_is_sent_again_before_a_break_has_no_sequence_that_the_server_has():
    outlet = delivering(22)
    outlet.archive.restore_backup(4)
    outlet.again()
    outlet.order(21)
    outlet.again()
    outlet.settings["rewind"] = True
    outlet.forward.stop()
    outlet.cut()
    outlet.archive.restore_backup(10)
    outlet.again()
    assert {*outlet.ids()} == {*numbers(1, 22)} and outlet.archive.repeated == 0


MORE = pytest.mark.long("more lives")


@pytest.mark.parametrize("part", [0, *[pytest.param(part, marks=MORE) for part in (1, 2, 3)]])
def test_in_any_order_of_days_never_less_is_reported_than_is_lacking(part):
    for seed in range(40 * part, 40 * part + (40 if LONG else 6)):
        dice = Dice(seed)
        outlet = Small(13 + dice.randrange(3), rewind=dice.randrange(2) == 0)
        is_down = False
        events = []
        for _ in range(14):
            what = dice.randrange(9)
            events.append(what)
            if what < 2:
                for _ in range(1 + dice.randrange(4)):
                    outlet.store(1 + dice.randrange(12))
                    outlet.run(500)
            elif what == 2:
                outlet.away()
                is_down = True
            elif what == 3:
                outlet.store(1 + dice.randrange(150))
            elif what == 4:
                outlet.away()
                is_down = True
                outlet.store(20 + dice.randrange(150))
                outlet.is_added = True
                outlet.forward.stop()
                outlet.cut()
            elif what == 5:
                outlet.settings["rewind"] = dice.randrange(2) == 0
                outlet.cut()
                outlet.look(False)
            elif what == 6 and outlet.ids():
                outlet.look(not is_down)
                outlet.archive.restore_backup(1 + dice.randrange(len(outlet.ids())))
            elif what == 7:
                outlet.look(not is_down)
                outlet.archive.clear()
            elif what == 8 and outlet.log.number:
                outlet.order(1 + dice.randrange(outlet.log.number))
            if what > 4 or dice.randrange(3) == 0:
                is_down = False
                outlet.again()
            if outlet.counted(RESUME_UNKNOWN):
                break
            if not is_down:
                assert outlet.reported() >= len(outlet.lacking()), (seed, events, outlet.lacking(), outlet.reported())


def emptied(outlet):
    outlet.away()
    outlet.archive.clear()
    return outlet.again()


def restarted(outlet):
    outlet.forward.stop()
    outlet.cut()
    return outlet.again()


@pytest.mark.parametrize("is_left_out", [False, True])
@pytest.mark.parametrize("restarts", ["none", "before", "behind", "both"])
@pytest.mark.parametrize("is_emptied_before", [False, True])
def test_what_was_left_out_or_overwritten_is_nothing_that_an_order_behind_it_sends(
    is_emptied_before, restarts, is_left_out
):
    outlet = delivering(60)
    if is_left_out:
        outlet.added_again(150)
    else:
        outlet.away()
        outlet.store(150)
        outlet.again()
    there = len(outlet.ids())
    assert outlet.state.numbers[OVERWRITTEN] == 210 - there > 30
    if restarts in ("before", "both"):
        restarted(outlet)
    if is_emptied_before:
        emptied(outlet)
        assert outlet.reported() == there
    outlet.order(181)
    outlet.again()
    assert outlet.state.numbers[DELIVERED] == there and outlet.reported() == (there - 30) * is_emptied_before
    if restarts in ("behind", "both"):
        restarted(outlet)
    emptied(outlet)
    assert outlet.reported() == there
    outlet.store(10)
    outlet.again()
    emptied(outlet)
    assert outlet.reported() == there + 10


def leave(outlet):
    list(carry_out(outlet.policy, 10, None, ["offer-again", "leave"]))
    outlet.had &= {*outlet.ids()}


@pytest.mark.parametrize("part", [0, *[pytest.param(part, marks=MORE) for part in (1, 2, 3)]])
def test_in_any_order_of_days_no_more_is_reported_than_toolsnet_ever_had(part, monkeypatch):
    places = []
    put_again = data_loss._put_again

    def put(policy, was, count, doubt):
        places.append(policy.cursor.number)
        put_again(policy, was, count, doubt)

    monkeypatch.setattr(data_loss, "_put_again", put)
    for seed in range(21 + 40 * part, 21 + 40 * part + (40 if LONG else 8)):
        dice = Dice(seed)
        outlet = Small(13 + dice.randrange(6), rewind=dice.randrange(2) == 0)
        ever, left_out_to, reaches = set(), 0, False
        days = []
        for _ in range(14):
            day = dice.randrange(9)
            days.append(day)
            places.clear()
            if day < 2:
                outlet.store(1 + dice.randrange(60))
                outlet.until_passed(and_ms=1000)
                outlet.look()
            elif day == 2:
                outlet.away()
                outlet.store(1 + dice.randrange(150))
            elif day == 3:
                outlet.added_again(20 + dice.randrange(150))
                if outlet.state.is_moved(outlet.cursor):
                    left_out_to = outlet.state.numbers[GRAPH_CURSOR]
            elif day == 4:
                outlet.settings["rewind"] = dice.randrange(2) == 0
                restarted(outlet)
            elif day == 5 and outlet.ids():
                outlet.away()
                outlet.archive.restore_backup(1 + dice.randrange(len(outlet.ids())))
            elif day == 6:
                emptied(outlet)
            elif day == 7 and outlet.log.number:
                outlet.order(max(1, outlet.log.number - dice.randrange(80)))
            elif day == 8:
                leave(outlet)
            outlet.again()
            if outlet.counted(RESUME_UNKNOWN):
                break
            ever |= {*outlet.ids()}
            reaches = reaches or (left_out_to > 0 and min([left_out_to, *places]) < left_out_to)
            most = len(ever) + outlet.state.numbers[OVERWRITTEN] * reaches
            assert len(outlet.lacking()) <= outlet.reported() <= most, (seed, days, reaches, len(ever))


def test_the_log_says_of_a_restored_server_what_is_in_doubt_and_nothing_of_what_it_never_had(monkeypatch):
    outlet = delivering(20)
    outlet.away()
    outlet.store(120)
    outlet.again()
    assert outlet.state.numbers[OVERWRITTEN] > 10
    values = []
    note = Counters.note

    def noted(counters, what, value, now):
        if what == SERVER_BEHIND:
            values.append(value)
        note(counters, what, value, now)

    monkeypatch.setattr(Counters, "note", noted)
    outlet.archive.restore_backup(len(outlet.ids()) - 20)
    outlet.again()
    assert values == [outlet.reported()]
