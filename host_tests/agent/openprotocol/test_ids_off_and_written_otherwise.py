"""A controller whose answers have IDs that are off, and are written otherwise than what it pushes: each result once."""

import pytest

from toolcart.sim import controller_session
from host_tests.agent.openprotocol.test_answers_written_otherwise import FETCHED, agrees, written
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart

OFF = [("kept", 1), ("kept", -2), ("said", 1), ("said", -2)]


def cart_with(kind, by, *revisions):
    return Cart(controller={"ids_higher": kind, "ids_off_by": by, "recover_revisions": revisions})


def without_batch_status(monkeypatch):
    """MID 0065 revision 1 ends behind its time."""
    write = controller_session.frames.old_result_data
    monkeypatch.setattr(
        controller_session.frames,
        "old_result_data",
        lambda result, revision, *given, **named: write(result, revision, *given, **named)[
            : -3 if revision == 1 else None
        ],
    )


@pytest.mark.parametrize(("off", "revision"), each_choice(OFF, [1, 2, 7]))
def test_time_without_seconds(monkeypatch, off, revision):
    kind, by = off
    written(monkeypatch, "old_result_data", FETCHED["without seconds"])
    assert agrees(cart_with(kind, by, revision).outages(3, 3, 3))


@pytest.mark.parametrize("kind, by", OFF)
def test_no_batch_status(monkeypatch, kind, by):
    without_batch_status(monkeypatch)
    assert agrees(cart_with(kind, by, 1).outages(3, 3, 3))


@pytest.mark.parametrize(("way", "off"), each_choice(list(FETCHED), OFF))
def test_what_is_stored_twice_is_counted(monkeypatch, way, off):
    kind, by = off
    written(monkeypatch, "old_result_data", FETCHED[way])
    cart = cart_with(kind, by, 1, 2)
    for _ in range(2):
        cart.produce(3, 1300)
        cart.run(600000)
        cart.miss(3, 1300)
        cart.run(600000)

    twice = len(cart.stored()) - len(cart.controller.produced)
    assert twice <= cart.stored_again(), (twice, cart.stored_again(), cart.stored_ids())


@pytest.mark.parametrize("pushed_id", [0, 1])
@pytest.mark.parametrize("way", ["without seconds", "a tenth of a Nm"])
def test_what_was_pushed_under_one_id_and_comes_again_is_counted(monkeypatch, way, pushed_id):
    ways = dict(FETCHED, **{"a tenth of a Nm": lambda one: {"torque": one.torque // 10 * 10}})
    written(monkeypatch, "old_result_data", ways[way])
    cart = Cart(controller={"pushed_as": {"tightening_id": pushed_id}})
    for _ in range(3):
        cart.produce(3, 1300)
        cart.run(600000)
        cart.miss(3, 1300)
        cart.run(600000)
    assert 0 <= len(cart.stored()) - len(cart.controller.produced) <= cart.stored_again()
