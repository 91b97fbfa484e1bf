"""Results that nothing but their ID tells apart show no offset: each keeps its ID, and what is missing is counted."""

from copy import copy

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record.result import ANGLE, HEAD_BYTES, TORQUE
from host_tests.support.combinations import all_pairs
from host_tests.support.world import Cart, id_of
from lab.harness.cart import CONTROLLER

FIRST = 101
NO_TIMES = ["0000-00-00:00:00:00", " " * 19, "2026-11-30T08:00:07"]
REVISIONS = [1, 3, 999]


def met(revision, **options):
    """Return a cart with a controller that is met, and has made three results before."""
    revisions = {"result_revisions": (revision,), "recover_revisions": (min(revision, 3),)}
    cart = Cart(controller=dict(revisions, **options), on=False, first_id=FIRST)
    cart.produce(3)
    cart.boot()
    cart.until_ready(2000)
    cart.settle()
    return cart


def outage(cart, missed, **fields):
    """Have five pushed, so many missed, and four pushed; return the IDs of all of them."""
    cart.produce(5, 1300, **fields)
    cart.run(60000)
    cart.network.down(*CONTROLLER)
    cart.produce(missed, 1300, **fields)
    cart.network.up(*CONTROLLER)
    cart.run(600000)
    cart.produce(4, 1300, **fields)
    cart.run(600000)
    return cart.controller.produced[3:]


def stored_ids(cart):
    return [id_of(one) for one in cart.stored()]


def noted(cart):
    """Return what the controller makes from now on: the ID by torque and angle."""
    controller = cart.controller
    made = {}

    def kept(result, keep=controller._keep):
        made[result.torque, result.angle] = result.tightening_id
        return keep(result)

    controller._keep = kept
    return made


def key_of(payload):
    """Return the torque and the angle of a result, as it has them."""
    body = payload[HEAD_BYTES:]
    return int(body[TORQUE : TORQUE + 6]), int(body[ANGLE : ANGLE + 5])


@pytest.mark.parametrize(
    ("time", "revision", "by", "memory"), all_pairs(NO_TIMES, REVISIONS, [1, -1, 2, -2], [4, 5000])
)
def test_one_wrong_answer_without_a_time(time, revision, by, memory):
    cart = met(revision, time_text=time, memory=memory)
    controller = cart.controller
    find = controller.result
    wrong = FIRST + 11
    made = noted(cart)

    def found(number):
        other = find(number + by) if number == wrong else None
        if other is None:
            return find(number)
        one = copy(other)
        one.tightening_id = wrong
        return one

    controller.result = found
    produced = outage(cart, 7)
    stored = cart.stored()
    assert cart.counted(counter.IDS_OFF) == 0
    assert [(id_of(one), made[key_of(one)]) for one in stored if made[key_of(one)] != id_of(one) != wrong] == []
    keys = [key_of(one) for one in stored]
    assert len(keys) - len(set(keys)) <= cart.stored_again()
    assert len(produced) - len(set(stored_ids(cart))) <= cart.station.ledger.gone() + missing_most(cart.station.ledger)


@pytest.mark.parametrize(
    ("revision", "memory", "missed", "is_vin_same"), all_pairs(REVISIONS, [1, 2, 3, 4, 5, 6], [6, 8, 10], [True, False])
)
def test_a_clock_that_stands_and_equal_values(revision, memory, missed, is_vin_same):
    cart = met(revision, time_text="2026-11-30:08:00:00", memory=memory, nok_percent=0)
    fields = {"torque": 1200, "angle": 90}
    if is_vin_same:
        fields.update(vin=b"CAR1", batch_counter=1, batch_status=0, pset=1)
    produced = outage(cart, missed, **fields)
    ids = stored_ids(cart)
    ledger = cart.station.ledger
    assert cart.counted(counter.IDS_OFF) == 0
    assert len(ids) - len(set(ids)) <= cart.stored_again() and set(ids) <= set(produced)
    assert len(produced) - len(set(ids)) == ledger.gone() + missing_most(ledger)


@pytest.mark.parametrize(("by", "memory"), all_pairs([-1, 3, -3], [4, 5000]))
def test_pushed_results_without_a_time_that_differ_show_by_how_much_all_are_off(by, memory):
    cart = met(2, time_text=NO_TIMES[0], memory=memory, ids_higher="kept", ids_off_by=by)
    made = noted(cart)
    outage(cart, 7)
    assert cart.counted(counter.IDS_OFF) == 1
    stored = [one for one in cart.stored() if key_of(one) in made]
    assert [id_of(one) for one in stored] == [made[key_of(one)] for one in stored]
