"""A ToolsNet that was emptied or restored: what it lacks is durable, said, sent again or left, and ends by itself."""

import pytest

from toolcart.agent.base.counters import RESUME_UNKNOWN
from toolcart.agent.linux.offer_again import carry_out
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.log.snapshot_fields import DELIVERED, OVERWRITTEN, SEND_LIMIT
from toolcart.agent.outlets.toolsnet.data_loss import taken_by_reoffer
from toolcart.agent.quarantine.orders import carry_out as quarantine_order
from toolcart.base.clock import Dice
from toolcart.tools.spool.quarantine_commands import orders
from host_tests.portable import LONG
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.log import numbers
from host_tests.support.toolsnet import PIM, SERVER, Outlet
from lab.harness.flash import PowerCut


def delivering(count, **settings):
    """An outlet of which ToolsNet has taken so many results."""
    outlet = Outlet(**settings)
    outlet.store(count)
    outlet.until_stored(count, and_ms=100)
    assert outlet.policy.save_at_end()
    return outlet


def again(outlet):
    """The connection breaks and comes again."""
    outlet.network.cut(*SERVER)
    outlet.until(lambda: not outlet.forward.is_up())
    return up(outlet)


def up(outlet):
    """ToolsNet is reached, and has a second for what waits."""
    outlet.until(outlet.forward.is_up)
    outlet.run(1000)
    return outlet


def restarted(outlet):
    """The agent is stopped and started, and ToolsNet is reached again."""
    outlet.forward.stop()
    outlet.cut()
    return up(outlet)


def order(outlet, *words):
    """An operator's order to the running agent; its last line."""

    def act(number, count, doubted, unread):
        return outlet.forward.offer_again(number, count, doubted, outlet.clock.now, unread)

    return [line for line in carry_out(outlet.policy, 10, None, ["offer-again", *words], act) if line][-1]


def lacks(outlet):
    """What is said: how many ToolsNet lacks, whether the spool has some of them, how many are being sent again."""
    status = outlet.status()
    assert 0 <= status["lost_there_kept"] <= status["lost_there"]
    return status["lost_there"], status["lost_there_kept"] > 0, status["sent_again"]


def delivered(outlet):
    return outlet.state.numbers[DELIVERED]


NOTHING = (0, False, 0)


def emptied(outlet):
    outlet.archive.clear()
    return again(outlet)


def set_back(outlet, forgotten):
    outlet.archive.restore_backup(forgotten)
    return again(outlet)


def test_nothing_is_in_doubt_of_a_server_that_keeps_what_it_has():
    outlet = delivering(10)
    for _ in range(3):
        assert lacks(again(outlet)) == NOTHING
        assert lacks(restarted(outlet)) == NOTHING and delivered(outlet) == 10


@pytest.mark.parametrize("forgotten", [1, 4, 10])
def test_what_a_server_lacks_is_known_after_any_number_of_restarts(forgotten):
    outlet = delivering(10)
    if forgotten == 10:
        emptied(outlet)
    else:
        set_back(outlet, forgotten)
    for _ in range(3):
        assert lacks(outlet) == (forgotten, True, 0)
        restarted(outlet)
        again(outlet)
    outlet.store(3)
    outlet.run(1000)
    for _ in range(2):
        assert lacks(outlet) == (forgotten, True, 0) and delivered(outlet) == 13
        restarted(outlet)


def test_a_server_emptied_while_the_agent_is_off_is_noticed_once():
    outlet = delivering(10)
    outlet.cut()
    outlet.archive.clear()
    outlet.run(1000)
    assert lacks(outlet) == (10, True, 0)
    outlet.store(1)
    outlet.run(1000)
    outlet.archive.clear()
    assert lacks(restarted(outlet)) == (11, True, 0)


@pytest.mark.parametrize("forgets", ["all", "some"])
@pytest.mark.parametrize("more", [0, 3])
def test_what_is_sent_again_is_waited_for_and_then_nothing_is_left(forgets, more):
    outlet = delivering(10)
    emptied(outlet) if forgets == "all" else set_back(outlet, 4)
    outlet.store(more)
    outlet.run(1000)
    first = 1 if forgets == "all" else 7
    assert order(outlet, "from", str(first), "dry")["count"] == 11 - first + more
    assert lacks(outlet) == (11 - first, True, 0), "a dry run changes nothing"
    answer = order(outlet, "from", str(first))
    assert answer["lacks"] == 0
    assert lacks(outlet) == (0, False, 11 - first + more) and delivered(outlet) == first - 1
    outlet.cut()
    assert lacks(outlet) == (0, False, 11 - first + more)
    up(outlet)
    assert lacks(outlet) == NOTHING and delivered(outlet) == 10 + more
    assert sorted(set(outlet.ids())) == numbers(1, 10 + more)
    assert lacks(restarted(outlet)) == NOTHING


def test_an_order_for_some_leaves_the_others_in_doubt():
    outlet = emptied(delivering(10))
    assert order(outlet, "from", "8")["lacks"] == 7
    assert lacks(outlet) == (7, True, 3)
    outlet.cut()
    assert lacks(outlet) == (7, True, 3), "known after a restart"
    for _ in range(3):
        restarted(outlet)
        assert lacks(outlet) == (7, True, 0)
    assert outlet.ids() == [8, 9, 10] and delivered(outlet) == 10
    assert order(outlet, "from", "5")["lacks"] == 4  # those from 8 on go out twice, and count once
    again(outlet)
    assert lacks(outlet) == (4, True, 0) and delivered(outlet) == 10
    assert order(outlet, "from", "1")["lacks"] == 0
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING and delivered(outlet) == 10


def test_what_the_spool_has_no_more_stays_in_doubt_until_it_is_left():
    outlet = Outlet(blocks=13)
    outlet.store(1)
    outlet.until_stored(1)
    for _ in range(100):
        outlet.store(1)
        outlet.run(50)
    oldest = order(outlet, "from", "1", "dry").get("from")
    assert oldest is None or oldest > 1
    emptied(outlet)
    before = lacks(outlet)
    assert before[0] == 101
    room = order(outlet, "from", "90")
    up(outlet)
    assert lacks(outlet)[0] == 101 - room["count"]
    answer = order(outlet, "leave")
    assert answer["left"] == 101 - room["count"] and lacks(outlet) == NOTHING
    assert "error" in order(outlet, "leave")
    assert lacks(again(outlet)) == lacks(restarted(outlet)) == NOTHING


@pytest.mark.parametrize("forgotten", [4, 10])
def test_what_an_operator_leaves_is_no_news_at_the_same_server(forgotten):
    outlet = delivering(10)
    outlet.archive.clear() if forgotten == 10 else outlet.archive.restore_backup(forgotten)
    again(outlet)
    assert order(outlet, "leave") == {"left": forgotten, "station": 10, "done": True, "running": True}
    for _ in range(2):
        assert lacks(outlet) == NOTHING
        again(outlet)
        assert lacks(outlet) == NOTHING
        restarted(outlet)
    outlet.store(2)
    outlet.run(1000)
    assert lacks(restarted(outlet)) == NOTHING and delivered(outlet) == 12
    set_back(outlet, 1)
    assert lacks(outlet)[0] == 1, "what is lost after that is new"


@pytest.mark.parametrize("forgotten", [0, 10, None])
@pytest.mark.parametrize("stopped", [False, True])
def test_no_order_to_a_server_that_keeps_what_it_has_leaves_a_doubt(forgotten, stopped):
    """Whatever the log gave up, and a server that was set back lacks, before the orders."""
    outlet = Outlet(blocks=13, when_full=WHEN_FULL_OVERWRITE)
    outlet.store(40)
    outlet.until_stored(40, and_ms=1000)
    outlet.network.line(*PIM).black_hole = outlet.network.line(*SERVER).black_hole = True
    outlet.network.cut(*SERVER)
    for _ in range(200):
        outlet.store(1)
        outlet.run(50)
    outlet.network.line(*PIM).black_hole = outlet.network.line(*SERVER).black_hole = False
    outlet.until_passed(and_ms=100000)
    assert outlet.state.numbers[OVERWRITTEN] > 48
    if forgotten is None:
        emptied(outlet)
    elif forgotten:
        set_back(outlet, forgotten)
    if forgotten != 0:
        assert order(outlet, "leave")["left"]
    outlet.store(20)
    outlet.run(3000)
    for count in (16, 16, 6, 16, 1):
        if stopped:
            outlet.forward.stop()
            outlet.cut()
            words = ["offer-again", "from", str(outlet.log.number + 1 - count)]
            assert list(carry_out(outlet.policy, 10, None, words))[-1]["count"] == count
            outlet.cut()
        else:
            assert order(outlet, "from", str(outlet.log.number + 1 - count))["count"] == count
        up(outlet)
        outlet.until_passed(and_ms=1000)
        assert lacks(outlet) == NOTHING and lacks(restarted(outlet)) == NOTHING, count


@pytest.mark.parametrize("forgotten", [4, 10])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("restart", [False, True])
def test_the_right_database_ends_the_doubt(forgotten, left, restart):
    outlet = delivering(10)
    right = outlet.toolsnet
    has = list(outlet.archive.results), dict(outlet.archive._keys), dict(outlet.archive._latest)
    outlet.archive.clear() if forgotten == 10 else outlet.archive.restore_backup(forgotten)
    again(outlet)
    assert lacks(outlet)[0] == forgotten and right is outlet.toolsnet
    if left:
        order(outlet, "leave")
    if restart:
        restarted(outlet)
    outlet.archive.results, outlet.archive._keys, outlet.archive._latest = has
    again(outlet)
    assert lacks(outlet) == NOTHING and delivered(outlet) == 10
    outlet.store(2)
    outlet.run(1000)
    assert lacks(restarted(outlet)) == NOTHING and outlet.ids() == numbers(1, 12) and delivered(outlet) == 12
    assert outlet.archive.repeated == 0


@pytest.mark.parametrize("rewind", [False, True])
def test_what_was_stored_between_two_losses_is_no_right_database(rewind):
    outlet = emptied(delivering(6, rewind=rewind))
    outlet.store(2)
    outlet.until_passed(and_ms=1000)
    for more in range(3):
        set_back(restarted(outlet), len(outlet.ids()) - 1)  # it has 7
        outlet.until_passed(and_ms=1000)
        # All but the one that it has; that one may be what another database lacks that comes back.
        assert lacks(outlet)[0] in ((6,) if rewind else (7 + more, 8 + more))
        outlet.store(1)
        outlet.until_passed(and_ms=1000)
        assert lacks(restarted(outlet))[0] in ((6,) if rewind else (7 + more, 8 + more))


@pytest.mark.parametrize("part", range(4))
def test_whatever_a_server_loses_is_never_more_than_is_reported(part):
    for seed in range(40 * part, 40 * part + (40 if LONG else 5)):
        dice = Dice(seed + 1)
        outlet = delivering(1 + dice.randrange(12), rewind=dice.randrange(3) == 0)
        for step in range(3 + dice.randrange(10)):
            what = dice.randrange(8)
            if what < 2:
                outlet.store(1 + dice.randrange(5))
                outlet.run(1000)
            elif what < 5 and outlet.ids():
                set_back(outlet, 1 + dice.randrange(len(outlet.ids())))
            elif what == 5:
                emptied(outlet)
            elif what == 6:
                order(outlet, "from", str(1 + dice.randrange(outlet.log.number)))
                up(outlet)
            else:
                outlet.settings["rewind"] = dice.randrange(3) == 0
                restarted(outlet)
            outlet.until_passed(and_ms=1000)
            if outlet.counted(RESUME_UNKNOWN):
                break  # it is further back than there are results: some were sent twice
            lacking = {*numbers(1, outlet.cursor.number)} - {*outlet.ids()}
            assert lacks(outlet)[0] >= len(lacking), (seed, step, what, lacking, lacks(outlet))


class Databases:
    """Several of them behind one ToolsNet; `use` puts another one there."""

    def __init__(self, archive, count):
        self.archive = archive
        self.kept = [([], {}, {}) for _ in range(count)]
        self.number = 0

    def _state(self):
        return list(self.archive.results), dict(self.archive._keys), dict(self.archive._latest)

    def use(self, number):
        self.kept[self.number] = self._state()
        self.number = number
        results, keys, latest = self.kept[number]
        self.archive.results, self.archive._keys, self.archive._latest = list(results), dict(keys), dict(latest)

    def copy_to(self, number):
        self.kept[number] = self._state()


def is_bound(outlet, context):
    lacking = {*numbers(1, outlet.cursor.number)} - {*outlet.ids()}
    assert lacks(outlet)[0] >= len(lacking), (context, lacking, lacks(outlet))


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("of_before", [0, 5])
def test_of_two_databases_by_turns_never_less_is_reported_than_each_lacks(of_before, restart):
    outlet = delivering(of_before) if of_before else Outlet()
    databases = Databases(outlet.archive, 2)
    if of_before:
        databases.copy_to(1)
    outlet.store(10)
    outlet.until_stored(of_before + 10, and_ms=100)
    for turn, (number, made) in enumerate(((1, 5), (0, 5), (1, 0), (0, 3), (1, 4), (0, 0), (1, 2))):
        databases.use(number)
        again(outlet)
        is_bound(outlet, turn)
        if made:
            outlet.store(made)
            outlet.until_passed(and_ms=1000)
        if restart:
            restarted(outlet)
        is_bound(outlet, turn)
    assert lacks(outlet)[0] <= delivered(outlet)
    order(outlet, "leave")
    assert lacks(outlet)[0] == 0


def test_what_is_sent_again_by_itself_is_certain_only_of_the_database_that_answers():
    outlet = delivering(10, rewind=True)
    databases = Databases(outlet.archive, 2)  # the other one is empty
    databases.copy_to(0)
    copy = databases.kept[0]
    outlet.store(10)
    outlet.until_passed(and_ms=1000)
    databases.use(1)
    again(outlet)
    assert lacks(outlet) == (20, True, 0)
    outlet.store(1)
    outlet.until_passed(and_ms=1000)
    databases.kept[0] = copy
    databases.use(0)
    again(outlet)
    outlet.until_passed(and_ms=1000)
    for number in (0, 1, 0, 1):
        outlet.store(1)
        outlet.until_passed(and_ms=1000)
        assert lacks(restarted(outlet)) == (20, True, 0), "the other one has 21 at most"
        databases.use(1 - number)
        again(outlet)
        is_bound(outlet, number)
    assert order(outlet, "from", "5")["lacks"] == 4
    up(outlet)
    assert order(outlet, "from", "1")["lacks"] == 0
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING


@pytest.mark.parametrize(("part", "rewind"), each_choice(range(4), [False, True]))
def test_however_databases_are_swapped_never_less_is_reported_than_each_lacks(part, rewind):
    for seed in range(40 * part, 40 * part + (40 if LONG else 6)):
        dice = Dice(seed + 77)
        outlet = delivering(1 + dice.randrange(12), rewind=rewind)
        databases = Databases(outlet.archive, 3)
        for step in range(4 + dice.randrange(10)):
            what = dice.randrange(8)
            if what < 3:
                outlet.store(1 + dice.randrange(5))
                outlet.run(1000)
            elif what < 6:
                databases.use(dice.randrange(3))
                again(outlet)
            elif what == 6:
                databases.copy_to(dice.randrange(3))
            else:
                restarted(outlet)
            outlet.until_passed(and_ms=1000)
            if outlet.counted(RESUME_UNKNOWN):
                break
            is_bound(outlet, (seed, step, what))


def test_a_server_set_back_again_lacks_more():
    outlet = set_back(delivering(10), 3)
    assert lacks(outlet)[0] == 3
    set_back(outlet, 2)
    assert lacks(outlet) == (5, True, 0), "7 were left, and 5 are now"
    outlet.store(4)
    outlet.run(1000)
    set_back(outlet, 1)  # it has 1 to 5 and 11 to 13
    for _ in range(2):
        assert lacks(outlet) == (6, True, 0)
        restarted(outlet)
    set_back(outlet, 4)  # 1 to 4
    assert lacks(outlet)[0] == 10
    emptied(outlet)
    assert lacks(outlet)[0] == 14
    order(outlet, "from", "1")
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING and outlet.ids() == numbers(1, 14)


def set_back_twice(**settings):
    """ToolsNet has 1 to 40 and 61 to 65 of the 70 that it was given."""
    outlet = set_back(delivering(60, **settings), 20)
    assert lacks(outlet) == (20, True, 0)
    outlet.store(10)
    outlet.run(3000)
    return outlet


@pytest.mark.parametrize(("first", "restart"), each_choice([1, 38, 41, 42, 45, 60, 61, 66, 68, 70], [False, True]))
def test_what_a_server_kept_between_two_restores_ends_no_doubt(first, restart):
    outlet = set_back(set_back_twice(), 5)
    assert lacks(outlet) == (25, True, 0)
    if restart:
        restarted(outlet)
    least = max(0, min(first, 61) - 41) + max(0, first - 66)
    answer = order(outlet, "from", str(first))
    assert least <= answer["lacks"] <= min(25, max(0, first - 41)), answer
    up(outlet)
    restarted(outlet)
    assert lacks(outlet) == (answer["lacks"], answer["lacks"] > 0, 0)
    answer = order(outlet, "from", "45")
    assert answer["lacks"] == (4 if first >= 45 else least)
    up(outlet)
    assert order(outlet, "from", "41")["lacks"] == 0
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING and delivered(outlet) == 70


@pytest.mark.parametrize("later", [False, True])
def test_a_second_restore_that_is_healed_leaves_the_first_in_doubt(later):
    outlet = set_back_twice()
    if later:
        set_back(outlet, 5)
    outlet.settings["rewind"] = True
    if not later:
        restarted(outlet)
        outlet.archive.restore_backup(5)
    restarted(outlet)
    # After a restart all that was in doubt stays.
    assert lacks(outlet) == (25 if later else 20, True, 0)
    assert order(outlet, "from", "45")["lacks"] == 4
    up(outlet)
    assert lacks(restarted(outlet)) == (4, True, 0)


def test_an_order_to_a_stopped_agent_ends_no_doubt_either():
    outlet = set_back(set_back_twice(), 5)
    outlet.forward.stop()
    answer = [line for line in orders(outlet.flash, 10, ["offer-again", "from", "45"]) if line][-1]
    assert answer["count"] == 26 and answer["lacks"] == 4
    outlet.cut()
    up(outlet)
    assert lacks(restarted(outlet)) == (4, True, 0)


def test_results_that_were_dropped_end_no_doubt_of_a_server_that_was_emptied():
    outlet = Outlet()
    outlet.store(20)
    outlet.options.tightening_codes.update({18: 17, 19: 17})
    outlet.until_stored(18, and_ms=1000)
    list(quarantine_order(outlet.policy.lookahead.quarantine, outlet.log, 10, outlet.clock, None, ["drop", "all"]))
    emptied(outlet)
    assert lacks(outlet) == (18, True, 0)
    outlet.options.tightening_codes.clear()
    assert order(outlet, "from", "16")["lacks"] == 15, "1 to 15; of the five that go out two were dropped"


def test_dropped_ones_that_an_order_has_sent_are_not_taken_for_late_ones_ever_after():
    outlet = Outlet(rewind=True)
    outlet.store(20)
    outlet.options.tightening_codes.update({18: 17, 19: 17})
    outlet.until_stored(18, and_ms=1000)
    list(quarantine_order(outlet.policy.lookahead.quarantine, outlet.log, 10, outlet.clock, None, ["drop", "all"]))
    outlet.options.tightening_codes.clear()
    order(outlet, "from", "1")
    up(outlet)
    assert outlet.ids()[-1] == 20 and not lacks(outlet)[0] and not taken_by_reoffer(outlet.policy)
    for _ in range(3):
        outlet.store(5)
        up(outlet)
        set_back(outlet, 5)
        up(outlet)
        assert not lacks(outlet)[0]


def test_a_server_set_back_while_it_is_sent_all_again_lacks_what_it_lost():
    outlet = emptied(delivering(30))
    order(outlet, "from", "1")
    outlet.until(lambda: len(outlet.ids()) >= 10)
    emptied(outlet)
    has = len(outlet.ids())
    assert lacks(outlet)[0] + has == 30 and lacks(outlet)[0] >= 9
    up(outlet)
    order(outlet, "from", "1")
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING and sorted(set(outlet.ids())) == numbers(1, 30)
    assert delivered(outlet) == 30


@pytest.mark.parametrize("restart", [False, True])
def test_rewind_sends_what_is_lacking_and_leaves_no_doubt(restart):
    outlet = delivering(10, rewind=True)
    outlet.archive.restore_backup(4)
    outlet.network.cut(*SERVER)
    outlet.until(lambda: outlet.counted(32) == 1)
    assert lacks(outlet)[0] == 0 and lacks(outlet)[2] > 0 and delivered(outlet) < 10
    if restart:
        outlet.cut()
        assert lacks(outlet)[2] > 0
    up(outlet)
    assert lacks(outlet) == NOTHING and outlet.ids() == numbers(1, 10) and delivered(outlet) == 10
    assert lacks(restarted(outlet)) == NOTHING


def test_rewind_set_later_sends_what_a_server_lacks():
    outlet = set_back(delivering(10), 4)
    outlet.settings["rewind"] = True
    restarted(outlet)
    assert lacks(outlet) == NOTHING and outlet.ids() == numbers(1, 10) and delivered(outlet) == 10


def without(outlet, *lost):
    """The same after a restart at which these records of the log do not read well any more."""
    outlet.forward.stop()
    cells, log = outlet.flash.cells, outlet.log.device
    for number in lost:
        at = cells.find(b"%010d" % number, log.first_block * log.block_bytes)
        assert at > 0
        cells[at] ^= 0x40
    outlet.cut()
    return up(outlet)


@pytest.mark.parametrize("lost", [(4,), (7,), (10,), (5, 6)])
@pytest.mark.parametrize("way", ["rewind", "again", "all"])
def test_what_cannot_be_read_any_more_is_not_sent_again_and_stays_lacking(lost, way):
    outlet = without(delivering(10, rewind=way == "rewind"), *lost)
    if way == "all":
        emptied(outlet)
        order(outlet, "from", "1")
    else:
        set_back(outlet, 7)
        if way == "again":
            order(outlet, "from", "4")
    up(outlet)
    has = {*outlet.ids()}
    assert has == {*numbers(1, 10)} - {*lost}
    for _ in range(2):
        assert lacks(outlet)[0] == len(lost) and lacks(outlet)[2] == 0
        assert delivered(outlet) == 10
        restarted(outlet)
    again(outlet)
    assert lacks(outlet)[0] == len(lost)


def test_what_is_kept_aside_is_not_lacking():
    outlet = Outlet()
    outlet.store(10)
    outlet.options.tightening_codes.update({5: 17, 8: 17})
    outlet.until_stored(8, and_ms=1000)
    set_back(outlet, 5)  # it keeps 1, 2, 3
    assert lacks(outlet) == (5, True, 0)
    order(outlet, "from", "4")
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING and outlet.ids() == [1, 2, 3, 4, 6, 7, 9, 10]
    assert delivered(outlet) == 8


def going(outlet):
    """What is said of what is sent again: how many were taken, since when that is counted, how many are to go."""
    status = outlet.status()
    return status["sent_again_done"], status["sent_again_since"], status["sent_again"]


@pytest.mark.parametrize("first", [1, 11])
def test_what_is_sent_again_is_counted_while_it_goes_out(first):
    outlet = emptied(delivering(30))
    count = 31 - first
    order(outlet, "from", str(first))
    assert going(outlet) == (0, "order", count)
    outlet.until(lambda: len(outlet.ids()) >= 5)
    done = going(outlet)[0]
    assert len(outlet.ids()) - done in (0, 1) and going(outlet) == (done, "order", count - done)
    assert lacks(outlet)[0] == first - 1
    assert outlet.policy.save_at_end()
    outlet.network.down(*PIM)
    outlet.cut()
    assert going(outlet) == (0, "start", count - done) and lacks(outlet)[0] == first - 1
    outlet.network.up(*PIM)
    up(outlet)
    assert lacks(outlet) == ((first - 1, True, 0) if first > 1 else NOTHING) and delivered(outlet) == 30


def test_an_order_during_another_sends_what_that_one_has_not():
    outlet = emptied(delivering(30))
    order(outlet, "from", "11")
    outlet.until(lambda: len(outlet.ids()) >= 5)
    done = len(outlet.ids())
    order(outlet, "from", "8")
    assert lacks(outlet) == (7, True, 23) and going(outlet)[0] == 0 and delivered(outlet) == 7
    up(outlet)
    assert lacks(outlet) == (7, True, 0) and delivered(outlet) == 30 and len(outlet.ids()) == 23 + done


def test_what_a_server_loses_of_what_is_sent_again_is_lacking_and_the_rest_still_goes():
    outlet = emptied(delivering(30))
    order(outlet, "from", "11")
    outlet.until(lambda: len(outlet.ids()) >= 5)
    outlet.archive.clear()
    outlet.network.cut(*SERVER)
    outlet.until(lambda: not outlet.forward.is_up())
    left = 30 - outlet.cursor.number
    outlet.until(lambda: outlet.counted(30) == 2)
    assert lacks(outlet)[0] >= 14 and 0 < lacks(outlet)[2] <= left
    up(outlet)
    assert lacks(outlet)[2] == 0 and delivered(outlet) == 30


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("lost", [1, 4, 10])
def test_what_was_lost_unseen_before_an_order_is_in_doubt(lost, restart):
    outlet = delivering(10)
    outlet.archive.clear() if lost == 10 else outlet.archive.restore_backup(lost)
    outlet.network.down(*PIM)
    order(outlet, "from", "9")
    if restart:
        outlet.cut()
    outlet.network.up(*PIM)
    up(outlet)
    unseen = max(0, lost - 2)
    assert lacks(outlet) == (unseen, unseen > 0, 0)
    assert delivered(outlet) == 10
    again(outlet)
    assert lacks(outlet)[0] == unseen


def test_an_order_after_a_doubt_that_is_known_counts_it_once():
    outlet = emptied(delivering(10))
    order(outlet, "from", "9")
    up(outlet)
    assert lacks(outlet) == (8, True, 0)
    outlet = set_back(delivering(10), 4)
    order(outlet, "from", "9")
    up(outlet)
    assert lacks(outlet) == (2, True, 0)


def test_what_the_quarantine_holds_is_not_said_to_be_sent_again():
    outlet = Outlet()
    outlet.store(10)
    outlet.options.tightening_codes.update({5: 17, 8: 17})
    outlet.until_stored(8, and_ms=1000)
    assert outlet.policy.save_at_end()
    assert order(outlet, "from", "4")["count"] == 5 == lacks(outlet)[2]
    status = outlet.status()
    assert status["waiting"] == 5, "those two are set aside, and nothing else"


def test_what_is_on_its_way_when_an_order_comes_is_a_bound_in_its_answer():
    outlet = delivering(10)
    outlet.store(20)
    outlet.until(lambda: outlet.cursor.number > 14 and outlet.policy.out)
    answer = order(outlet, "from", "3")
    outlet.run(5000)
    up(outlet)
    assert answer["out"] == 1 and answer["count"] <= len(outlet.ids()) - 30 <= answer["count"] + answer["out"]
    assert sorted(set(outlet.ids())) == numbers(1, 30)


def cut_everywhere(make, act, check):
    """The power fails in each flash operation of `act`; after each `check` says what has to hold."""
    after = 0
    while True:
        outlet = make()
        outlet.flash.cut_after = after
        try:
            act(outlet)
            is_cut = outlet.flash.cut_after is None
        except PowerCut:
            is_cut = True
        outlet.flash.restart()
        outlet.cut()
        check(outlet, after)
        after += 1
        if not is_cut:
            return after


@pytest.mark.parametrize("forgotten", [4, 10])
@pytest.mark.parametrize("rewind", [False, True])
def test_a_cut_while_a_doubt_is_noted_forgets_nothing(forgotten, rewind):
    def lose(outlet):
        outlet.archive.clear() if forgotten == 10 else outlet.archive.restore_backup(forgotten)
        again(outlet)

    def check(outlet, after):
        up(outlet)
        if rewind and forgotten == 4:
            assert lacks(outlet) == NOTHING and outlet.ids() == numbers(1, 10), after
        else:
            assert lacks(outlet) == (forgotten, True, 0), after
        assert delivered(outlet) == 10, after

    assert cut_everywhere(lambda: delivering(10, rewind=rewind), lose, check) > 1


@pytest.mark.parametrize("words", [("from", "1"), ("from", "6"), ("leave",)])
def test_a_cut_within_an_order_does_it_or_leaves_all_as_it_was(words):
    def give(outlet):
        assert order(outlet, *words)["done"]

    seen = set()

    def check(outlet, after):
        first, count = lacks(outlet)[0], lacks(outlet)[2]
        seen.add((first, count))
        assert delivered(outlet) == {(10, 0): 10, (0, 10): 0, (5, 5): 5, (0, 0): 10}[first, count], after
        if first:
            order(outlet, "from", "1")
        up(outlet)
        assert lacks(restarted(outlet)) == NOTHING, after
        assert set(outlet.ids()) >= (set() if words == ("leave",) and not first else set(range(1, 11))), after

    assert cut_everywhere(lambda: emptied(delivering(10)), give, check) > 1
    done = {("from", "1"): (0, 10), ("from", "6"): (5, 5), ("leave",): (0, 0)}[words]
    assert seen == {(10, 0), done}


def exchanged(outlet, copy=None):
    """ToolsNet goes to this database, or an empty one; return a copy of the one before."""
    archive = outlet.archive
    before = list(archive.results), dict(archive._keys), dict(archive._latest)
    if copy is None:
        archive.clear()
    else:
        archive.results, archive._keys, archive._latest = list(copy[0]), dict(copy[1]), dict(copy[2])
    again(outlet)
    return before


def lacking(outlet):
    return len({*numbers(1, outlet.cursor.number)} - {*outlet.ids()})


def more(outlet, count):
    outlet.store(count)
    outlet.until_passed(and_ms=1000)


@pytest.mark.parametrize(
    ("kept", "on_first", "on_second", "restart"), all_pairs([0, 20], [0, 3], [0, 3], [False, True])
)
def test_a_database_that_comes_back_ends_no_doubt_of_the_one_that_was_sent_results(kept, on_first, on_second, restart):
    outlet = delivering(40)
    first = exchanged(outlet) if not kept else None
    if kept:
        first = list(outlet.archive.results), dict(outlet.archive._keys), dict(outlet.archive._latest)
        set_back(outlet, 40 - kept)
    assert lacks(outlet) == (40 - kept, True, 0)
    more(outlet, 5)
    database = first
    for turn, count in enumerate((on_first, on_second, 0)):
        if restart:
            restarted(outlet)
        database = exchanged(outlet, database)
        more(outlet, count)
        assert lacking(outlet) <= lacks(outlet)[0] <= outlet.cursor.number
        if not on_first and turn == 1 and not restart:
            assert lacks(outlet)[0] == 40 - kept, "nothing was sent to the first one meanwhile"
    assert order(outlet, "from", "1")["lacks"] == 0
    up(outlet)
    assert lacks(restarted(outlet)) == NOTHING


def test_a_doubt_of_before_stays_when_the_right_database_ends_the_next_one():
    outlet = set_back(delivering(40), 10)
    more(outlet, 5)
    assert lacks(outlet)[0] == 10
    right = exchanged(outlet)
    assert lacks(outlet)[0] == 45
    exchanged(outlet, right)
    assert lacks(outlet)[0] == 10
    set_back(outlet, 2)
    assert lacks(outlet)[0] == 12
    exchanged(outlet, right)
    assert lacks(restarted(outlet))[0] == 10
    more(outlet, 1)
    assert lacks(restarted(outlet))[0] == 10


def copied(outlet, kept=None):
    """A copy of the database, with what it got first alone if `kept` says how many."""
    archive = outlet.archive
    copy = list(archive.results), dict(archive._keys), dict(archive._latest)
    if kept is None or kept >= len(copy[0]):
        return copy
    archive.restore_backup(len(copy[0]) - kept)
    older = list(archive.results), dict(archive._keys), dict(archive._latest)
    archive.results, archive._keys, archive._latest = copy
    return older


@pytest.mark.parametrize(
    ("first", "ordered", "between", "restart"), all_pairs([5, 50, 120], [0, 1, 3, 40], [20, 150, 300], [False, True])
)
def test_whatever_copy_is_restored_after_an_order_never_less_is_reported_than_it_lacks(
    first, ordered, between, restart
):
    """One from before the loss, between it and the order, or after; also where the log has overwritten what was lost.

    A spool of some 70 results, in which nothing is given up before ToolsNet has it.
    """
    for moment, kept in ((0, 2), (0, 17), (1, 2), (1, 32), (1, 1000), (2, 2), (2, 32), (2, 1000)):
        outlet = delivering(5, blocks=13, when_full=WHEN_FULL_OVERWRITE)
        for _ in range((first - 5) // 5):
            more(outlet, 5)
        copies = [copied(outlet, kept)]
        emptied(outlet)
        for _ in range(between // 10):
            more(outlet, 10)
        copies.append(copied(outlet, kept))
        if ordered and "error" not in order(outlet, "from", str(outlet.cursor.number - ordered + 1)):
            up(outlet)
        more(outlet, 20)
        copies.append(copied(outlet, kept))
        if restart:
            restarted(outlet)
        exchanged(outlet, copies[moment])
        more(outlet, 3)
        assert outlet.state.numbers[OVERWRITTEN] == 0
        assert lacking(outlet) <= lacks(outlet)[0] <= outlet.cursor.number, (moment, kept)


@pytest.mark.parametrize("restart", [False, True])
def test_what_may_be_stored_without_an_answer_is_no_nothing_sent_meanwhile(restart):
    outlet = delivering(40)
    first = exchanged(outlet)
    outlet.options.lost_acks = [41]
    outlet.store(1)
    outlet.until(lambda: outlet.ids() == [41])
    outlet.run(100)
    assert outlet.cursor.number == 40
    if restart:
        outlet.forward.stop()
        second = list(outlet.archive.results), dict(outlet.archive._keys), dict(outlet.archive._latest)
        outlet.archive.results, outlet.archive._keys, outlet.archive._latest = first
        outlet.cut()
        up(outlet)
    else:
        second = exchanged(outlet, first)
    more(outlet, 3)
    assert lacks(outlet)[0] >= 40
    exchanged(outlet, second)
    assert lacks(outlet)[0] >= 43 == lacking(outlet)


def is_done(outlet, dice, what):
    """Let this happen while the database stays the same; False if `what` is to happen to the database itself."""
    if what < 2:
        more(outlet, 1 + dice.randrange(4))
    elif what == 2:
        restarted(outlet)
    elif what == 3 and outlet.ids():
        set_back(outlet, 1 + dice.randrange(len(outlet.ids())))
    else:
        return False
    return True


@pytest.mark.parametrize("part", range(2))
def test_however_databases_are_exchanged_none_lacks_more_than_is_reported(part):
    for seed in range(20 * part, 20 * part + 20):
        dice = Dice(seed + 1000)
        outlet, others = delivering(5 + dice.randrange(12)), []
        for step in range(3 + dice.randrange(8)):
            what = dice.randrange(7)
            if not is_done(outlet, dice, what):
                if not others or dice.randrange(3) == 0:
                    others.append(exchanged(outlet))
                else:
                    index = dice.randrange(len(others))
                    others[index] = exchanged(outlet, others[index])
            outlet.until_passed(and_ms=1000)
            if outlet.counted(RESUME_UNKNOWN):
                break  # it is further back than there are results: some were sent twice
            assert lacks(outlet)[0] >= lacking(outlet), (seed, step, what)


def names(outlet, stored):
    """ToolsNet goes to a database that names this sequence."""
    outlet.options.reported_result = stored
    again(outlet)
    outlet.options.reported_result = None
    return outlet


@pytest.mark.parametrize("stored", [13, 60, 50000, 50011, 90000, 99990])
def test_what_waits_when_a_database_names_what_was_never_sent_may_reach_it_twice(stored):
    outlet = delivering(10)
    outlet.network.down(*SERVER)
    outlet.network.cut(*SERVER)
    outlet.store(4)
    outlet.options.reported_result = stored
    outlet.network.up(*SERVER)
    outlet.until(lambda: outlet.counted(RESUME_UNKNOWN))
    status = {}
    outlet.forward.put_state(status)
    assert status["perhaps_there"] == min(4, stored - 10)
    # Another answer of that kind: those of the first may be there twice all the same.
    outlet.until_passed(and_ms=1000)
    outlet.network.down(*SERVER)
    outlet.network.cut(*SERVER)
    outlet.store(2)
    outlet.options.reported_result = (stored + 1000) % 99999
    outlet.network.up(*SERVER)
    outlet.until(lambda: outlet.counted(RESUME_UNKNOWN) == 2)
    assert outlet.status()["perhaps_there"] == min(4, stored - 10) + 2


@pytest.mark.parametrize(("rewind", "stored"), each_choice([False, True], [13, 14, 50000, 50011, 90000, 99990]))
def test_a_database_that_names_what_was_never_sent_may_lack_all_that_was_delivered(stored, rewind):
    outlet = delivering(10, rewind=rewind)
    outlet.archive.clear()
    names(outlet, stored)
    assert outlet.counted(RESUME_UNKNOWN) == 1
    for _ in range(2):
        assert lacks(outlet) == (10, True, 0)
        outlet.store(2)
        outlet.until_passed(and_ms=1000)
        assert outlet.forward.is_up() and outlet.ids()[-1] == outlet.cursor.number, "it goes on"
        restarted(outlet)
    assert outlet.counted(RESUME_UNKNOWN) == 0 and lacks(outlet) == (10, True, 0)
    assert order(outlet, "from", "1")["lacks"] == 0
    up(outlet).until_passed(and_ms=1000)
    assert {*outlet.ids()} == {*numbers(1, 14)} and lacks(restarted(outlet)) == NOTHING


@pytest.mark.parametrize("stored", [13, 50000, 90000])
def test_what_was_left_is_no_news_when_the_same_database_is_met_again(stored):
    outlet = delivering(10)
    outlet.archive.clear()
    names(outlet, stored)
    order(outlet, "leave")
    outlet.options.reported_result = stored
    assert lacks(again(outlet)) == lacks(restarted(outlet)) == NOTHING
    assert names(outlet, stored + 5) and lacks(outlet) == (10, True, 0), "another one"


@pytest.mark.parametrize("stored", [13, 50000, 90000])
def test_after_an_order_another_database_may_lack_what_is_not_sent_again(stored):
    outlet = delivering(10)
    order(outlet, "from", "8")
    outlet.archive.clear()
    outlet.options.reported_result = stored
    up(outlet)
    outlet.options.reported_result = None
    outlet.until_passed(and_ms=1000)
    assert lacks(restarted(outlet))[0] >= 7 == lacking(outlet)


@pytest.mark.parametrize("part", range(2))
def test_however_foreign_databases_come_and_go_none_lacks_more_than_is_reported(part):
    for seed in range(20 * part, 20 * part + 20):
        dice = Dice(seed + 3000)
        outlet = delivering(5 + dice.randrange(12))
        for step in range(3 + dice.randrange(8)):
            what = dice.randrange(5)
            if not is_done(outlet, dice, what):
                outlet.archive.clear()
                names(outlet, 1 + dice.randrange(99999))
                assert outlet.forward.is_up()
            outlet.until_passed(and_ms=1000)
            assert lacks(outlet)[0] >= lacking(outlet), (seed, step, what, lacks(outlet), lacking(outlet))


def state_of(outlet):
    """What a start would find, and where the next result goes."""
    state = outlet.state
    return [*state.numbers[:]], state.broke_at, state.broke_by, outlet.cursor.number, outlet.cursor.sequence_lag


@pytest.mark.parametrize(("rewind", "stored"), each_choice([False, True], [21, 25, 520, 40020, 60020, 90000]))
def test_right_database_ends_the_doubt_of_a_sequence_that_was_never_sent(stored, rewind):
    outlet = delivering(20, rewind=rewind)
    before = state_of(outlet)
    for wrong in (stored, (stored + 333) % 99999):
        names(outlet, wrong)
        assert lacks(outlet)[0] == 20 and outlet.status()["unknown_sequence"] == wrong
    again(outlet)
    assert lacks(outlet) == NOTHING and outlet.status()["unknown_sequence"] is None and state_of(outlet) == before
    outlet.store(3)
    outlet.until_passed(and_ms=1000)
    assert outlet.ids() == numbers(1, 23) and outlet.counted(RESUME_UNKNOWN) == 2
    assert lacks(restarted(outlet)) == NOTHING


def test_once_something_was_sent_the_doubt_of_a_sequence_that_was_never_sent_stays():
    outlet = delivering(20)
    names(outlet, 520)
    outlet.store(1)
    outlet.until_passed(and_ms=1000)
    names(outlet, 20)
    assert lacks(outlet)[0] >= 20 and outlet.status()["unknown_sequence"] == 520


@pytest.mark.parametrize(("rewind", "stored"), each_choice([False, True], [998, 995, 990]))
def test_what_a_database_had_before_another_answered_is_not_taken_for_what_waits(stored, rewind):
    outlet = Outlet({"reported_result": 1000}, blocks=48, rewind=rewind)
    up(outlet)
    outlet.options.reported_result = None
    outlet.store(20)
    outlet.until_stored(20, and_ms=100)
    assert outlet.archive.sequences()[-1] == 1020
    outlet.network.down(*SERVER)
    outlet.network.cut(*SERVER)
    outlet.options.reported_result = stored  # below all that this spool has sent
    outlet.store(40)
    outlet.network.up(*SERVER)
    outlet.until(lambda: outlet.state.durable[SEND_LIMIT] > 40)
    outlet.cut()  # right after the state says that a batch may have been sent
    outlet.options.reported_result = None
    outlet.until_passed(and_ms=1000)
    assert {*outlet.ids()} == {*numbers(1, 60)}, "1020 is the twentieth, whatever was named meanwhile"
