"""Several spindles on one connection, a MID 0061 each: every one is stored, fetched and delivered, each once."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import of_station
from host_tests.support.combinations import all_pairs, each_choice
from lab.harness.cart import CONTROLLER, Cart


def cart(spindles=(1, 2), revisions=(999,), **controller):
    one = Cart(
        controller={"header_spindles": spindles, "result_revisions": revisions, **controller},
        settings={"controller": {"result_revisions": list(revisions)}},
        blocks=24,
    )
    one.until_ready(and_ms=3000)
    return one


def stored(one):
    """(tightening ID, spindle) of each result in the archive, as it came."""
    ids = one.ids()
    return [(ident, row["spindles"][0]["spindle"]) for ident, row in zip(ids, one.archive.results, strict=True)]


def expected(ids, spindles):
    return sorted((ident, spindle) for ident in ids for spindle in spindles)


@pytest.mark.parametrize("revisions", [(999,), (1,), (2,)])
@pytest.mark.parametrize("spindles", [(1, 2), (2, 3), (1, 2, 3, 4)])
def test_each_spindle_reaches_toolsnet_once_over_connections_and_cuts(spindles, revisions):
    one = cart(spindles, revisions)
    one.produce(3, 1000)
    one.network.cut(*CONTROLLER)
    one.run(10000)
    one.produce(2, 1000)
    one.cut()
    one.run(10000)
    one.produce(2, 1000)
    one.run(20000)
    assert sorted(stored(one)) == expected(range(1, 8), spindles)
    assert one.counted(counter.CONTROLLER_RESETS) == 0 and one.station.ledger.epoch() == 0
    one.clean()


def away(one, count, resets=False):
    """Let the controller make some while the agent cannot reach it, perhaps with a count that begins again."""
    one.network.down(*CONTROLLER)
    one.network.cut(*CONTROLLER)
    one.run(5000)
    if resets:
        one.controller.reset_ids()
    one.produce(count)
    one.network.up(*CONTROLLER)
    one.run(60000)


@pytest.mark.parametrize(
    ("spindles", "answering"), each_choice([(1, 2), (2, 3), (1, 3)], ["addressed", "all", "unnamed"])
)
def test_what_was_made_without_the_agent_is_fetched_of_each_spindle(spindles, answering):
    names = answering != "unnamed"
    one = cart(spindles, answering_spindles=answering if names else "addressed", names_spindles=names)
    one.produce(2, 1000)
    away(one, 3)
    one.produce(2, 1000)
    one.cut()
    one.run(20000)
    away(one, 40)
    one.run(20000)
    assert sorted(stored(one)) == expected(range(1, 48), spindles)
    assert one.counted(counter.CONTROLLER_RESETS) == 0 and one.counted(counter.CONTROLLER_UNKNOWN) == 0


def test_controller_that_answers_for_one_spindle_alone_gives_nothing_twice():
    one = cart((1, 2), answering_spindles="first")
    one.produce(2, 1000)
    away(one, 3)
    one.produce(2, 1000)
    one.run(20000)
    assert sorted(stored(one)) == sorted(expected((1, 2, 6, 7), (1, 2)) + expected((3, 4, 5), (1,)))
    assert one.counted(counter.CONTROLLER_RESETS) == 0


def test_controller_with_one_spindle_is_asked_as_ever():
    one = cart((2,), answering_spindles="first")
    one.produce(2, 1000)
    before = one.controller.messages[64]
    away(one, 3)
    assert sorted(stored(one)) == expected(range(1, 6), (2,))
    assert one.controller.messages[64] - before == 1 + 1 + 1 + 3, (
        "the newest, the last known, the newest again, and what is missing"
    )


@pytest.mark.parametrize(
    ("spindles", "memory", "code", "resets"),
    all_pairs([(0, 1), (0, 2), (0, 1, 2), (0, 1, 2, 3), (1, 2, 0)], [2, 5000], [None, 99], [False, True]),
)
def test_what_the_second_one_of_spindles_counted_from_0_made_unheard_is_counted(spindles, memory, code, resets):
    one = cart(spindles, memory=memory, refuse={64: code} if code else {})
    for _ in range(2):
        one.produce(6, 1000)
        away(one, 3, resets)
    one.produce(6, 1000)
    one.run(20000)
    missing = len(spindles) * len(one.controller.produced) - len(stored(one))
    assert missing == one.station.ledger.gone() >= 3, (missing, one.station.ledger.gone())


@pytest.mark.parametrize("spindles", [(1, 2), (0, 1, 2), (0, 1, 2, 3)])
def test_each_result_of_spindles_counted_from_0_is_open_while_the_controller_puts_questions_off(spindles):
    one = cart(spindles)
    one.produce(2, 1000)
    one.controller.options.refuse = {64: 98}
    away(one, 3)
    one.produce(1, 1000)
    assert of_station(one.station, one.clock.now)["recovery"]["open_ids"] == 3 * len(spindles)


def test_spindle_1_of_a_count_that_begins_again_with_the_same_id_is_none_that_is_counted_from_0():
    one = cart((1, 2))
    for _ in range(3):
        one.produce(1, 1000)
        one.controller.reset_ids()
    away(one, 3)
    one.produce(1, 1000)
    one.run(20000)
    assert one.station.recovery.results_each() == 2


def test_spindle_that_is_configured_is_the_only_one_asked():
    one = Cart(controller={"header_spindles": (1, 2)}, settings={"controller": {"spindle_id": 2}}, blocks=24)
    one.until_ready(and_ms=3000)
    one.produce(2, 1000)
    away(one, 3)
    assert sorted(stored(one)) == sorted(expected((1, 2), (1, 2)) + expected((3, 4, 5), (2,)))


@pytest.mark.parametrize("spindles", [(1, 2), (2, 3)])
def test_connection_that_ends_between_two_spindles_loses_neither(spindles):
    one = cart(spindles)
    one.produce(2, 1000)
    one.controller.options.drop_after_sent = []
    session = one.controller.sessions[0]
    session.drop_sent = session.count_sent + 1
    one.produce(1, 60000)
    assert sorted(stored(one)) == expected(range(1, 4), spindles)
    assert one.counted(counter.CONTROLLER_RESETS) == 0


def lose_bolts(one, acknowledged, missed, ending, resets=False):
    """The connection ends as so many of an ID's bolts are acknowledged, and more IDs are made meanwhile."""
    session = one.controller.sessions[0]
    session.drop_sent = session.count_sent + acknowledged + 1
    one.controller.produce()
    one.until(lambda: not one.controller.sessions)
    one.network.down(*CONTROLLER)
    if ending == "cut":
        one.cut()
    one.run(5000)
    if resets:
        one.controller.reset_ids()
    one.produce(missed)
    one.network.up(*CONTROLLER)
    one.until(lambda: one.controller.sessions, 60000)
    one.run(3000)


@pytest.mark.parametrize(
    ("refused", "memory", "spindles", "missed", "ending"),
    each_choice([97, 99, 73, 75, None, 0], [1, 5000], [2, 3, 4], [0, 1, 2], ["drop", "cut"]),
)
def test_the_bolts_of_an_id_that_never_came_are_counted(refused, memory, spindles, missed, ending):
    refuse = {} if refused == 0 else {64: refused}
    one = cart(tuple(range(1, spindles + 1)), refuse=refuse, memory=memory)
    one.produce(3, 1000)
    for acknowledged in range(1, spindles):
        lose_bolts(one, acknowledged, missed, ending)
        one.produce(2, 1000)
        one.run(70000)
    one.run(600000)
    made = spindles * len(one.controller.produced)
    assert len(stored(one)) == len(set(stored(one)))
    assert made - len(stored(one)) == one.station.ledger.gone(), (made, len(stored(one)), one.station.ledger.gone())
    assert one.station.ledger.gone() > 0 or (refused == 0 and memory > 1)


@pytest.mark.parametrize(
    ("refused", "spindles", "missed", "ending"),
    each_choice([97, 99, 73, 75], [2, 3, 4], [0, 1, 2], ["drop", "cut"]),
)
def test_the_bolts_that_never_came_as_a_count_begins_anew_are_counted(refused, spindles, missed, ending):
    one = cart(tuple(range(1, spindles + 1)), refuse={64: refused})
    one.produce(6, 1000)
    for acknowledged in range(1, spindles):
        lose_bolts(one, acknowledged, missed, ending, True)
        one.produce(6, 1000)
        one.run(70000)
    made = spindles * len(one.controller.produced)
    assert made - len(stored(one)) == one.station.ledger.gone() > 0, (made, len(stored(one)))
