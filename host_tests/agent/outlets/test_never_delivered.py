"""What ToolsNet never acknowledged is nothing that it lacks of those it had, whatever the log left out or gave up."""

import pytest

from toolcart.agent.cart.outlet_places import NEW, RETURNED
from toolcart.agent.log.snapshot_fields import DELIVERED, OVERWRITTEN
from toolcart.base.clock import Dice
from host_tests.agent.outlets.test_never_had import Small
from host_tests.support.combinations import all_pairs
from host_tests.support.log import numbers
from host_tests.support.toolsnet import PIM


def works(outlet):
    outlet.options.code_all = None
    outlet.options.silent_sequences = ()


def reached(outlet):
    """ToolsNet is reached, and has some time."""
    before = outlet.toolsnet.server_connections
    outlet.until(lambda: outlet.toolsnet.server_connections > before)
    outlet.run(3000)


def connect(outlet):
    """The connection comes again."""
    outlet.away()
    outlet.network.up(*PIM)
    reached(outlet)


def restart(outlet, is_orderly):
    if is_orderly:
        outlet.forward.stop()
    outlet.cut()
    reached(outlet)


def added(count, **settings):
    """An outlet that is added while the log is full of results of another one."""
    outlet = Small(**settings)
    outlet.network.down(*PIM)
    outlet.store(count)
    outlet.forward.stop()
    outlet.is_added, outlet.how = True, NEW
    outlet.cut()
    assert outlet.state.numbers[OVERWRITTEN] > 0
    outlet.network.up(*PIM)
    reached(outlet)
    return outlet


def overwritten(count, **settings):
    """An outlet that is away until the log has overwritten some."""
    outlet = Small(**settings)
    outlet.away()
    outlet.store(count)
    assert outlet.state.numbers[OVERWRITTEN] > 0
    connect(outlet)
    return outlet


@pytest.mark.parametrize(
    ("is_orderly", "begin", "how", "rewind"),
    all_pairs([False, True], [added, overwritten], ["refuses", "silent"], [False, True]),
)
def test_of_a_toolsnet_that_takes_nothing_nothing_is_in_doubt(begin, how, rewind, is_orderly):
    options = {"code_all": 24} if how == "refuses" else {"silent_sequences": tuple(range(1, 2000))}
    outlet = begin(220, options=options, rewind=rewind, refused="block")
    assert outlet.state.numbers[DELIVERED] == 0 and outlet.ids() == []
    for _ in range(2):
        connect(outlet)
        assert outlet.reported() == 0, "the next connection"
        restart(outlet, is_orderly)
        assert outlet.reported() == 0, "the next start"
        outlet.store(40)  # more is overwritten while one is out
        outlet.run(3000)
    before = outlet.state.numbers[OVERWRITTEN]
    works(outlet)
    connect(outlet)
    outlet.until_passed(and_ms=1000)
    assert outlet.reported() == 0
    restart(outlet, is_orderly)
    assert outlet.reported() == 0 and outlet.state.numbers[OVERWRITTEN] == before
    assert len(outlet.ids()) == outlet.state.numbers[DELIVERED] == outlet.log.number - before


@pytest.mark.parametrize("had", [1, 20])
def test_one_that_is_emptied_lacks_what_it_acknowledged_and_not_what_was_left_out(had):
    outlet = added(220, options={"silent_sequences": tuple(range(had + 1, 2000))})
    assert outlet.ids() == numbers(outlet.cursor.number - had + 1, outlet.cursor.number)
    for _ in range(2):
        outlet.archive.clear()
        connect(outlet)
        assert outlet.reported() == had
    restart(outlet, True)
    assert outlet.reported() == had


@pytest.mark.parametrize("part", range(2))
def test_in_any_order_of_days_a_toolsnet_that_takes_nothing_lacks_nothing(part):
    for seed in range(10 * part, 10 * part + 10):
        dice = Dice(seed)
        taken = ["code_all", "silent_sequences"][dice.randrange(2)]
        options = {taken: 24 if taken == "code_all" else tuple(range(1, 2000))}
        outlet = Small(13 + dice.randrange(3), options=options, rewind=dice.randrange(2) == 0, refused="block")
        days = []
        for _ in range(12):
            day = dice.randrange(6)
            days.append(day)
            if day < 2:
                outlet.store(1 + dice.randrange(60))
                outlet.run(500 + dice.randrange(8000))
            elif day == 2:
                outlet.away()
                outlet.store(1 + dice.randrange(200))
            elif day == 3:
                outlet.away()
                outlet.store(20 + dice.randrange(150))
                outlet.is_added, outlet.how = True, [NEW, RETURNED][dice.randrange(2)]
                outlet.forward.stop()
                outlet.cut()
            elif day == 4:
                if dice.randrange(2):
                    outlet.forward.stop()
                outlet.cut()
            if day > 3:
                outlet.network.up(*PIM)
                outlet.run(500 + dice.randrange(8000))
            assert outlet.reported() == 0, (seed, days)
