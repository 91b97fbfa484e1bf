"""A controller that writes what it keeps otherwise than what it pushes, always in the same way, is the same one."""

from datetime import datetime, timedelta

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.differing_formats import OtherFormat, fits_by_time
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart

TIME = "%Y-%m-%d:%H:%M:%S"


def shifted(**by):
    """Each time is off by so much."""
    return lambda one: {"time": (datetime.strptime(one.time, TIME) + timedelta(**by)).strftime(TIME)}


def off_by(field, by):
    return lambda one: {field: max(getattr(one, field) + by, 0)}


def rounded(one):
    """Torque and angle are now one more, now not."""
    return {"torque": one.torque + one.torque % 2, "angle": one.angle + one.angle % 2}


def both(*ways):
    def write(one):
        answers = {}
        for way in ways:
            answers.update(way(one))
        return answers

    return write


FETCHED = {
    "a second later": shifted(seconds=1),
    "an hour later": shifted(hours=1),
    "an hour earlier": shifted(hours=-1),
    "two hours earlier": shifted(hours=-2),
    "a day earlier": shifted(days=-1),
    "without seconds": lambda one: {"time": one.time[:-2] + "00"},
    "always the same": lambda one: {"time": "2000-01-01:00:00:00"},
    "torque one more": off_by("torque", 1),
    "torque one less": off_by("torque", -1),
    "torque of another unit": lambda one: {"torque": one.torque * 10},
    "no torque": lambda one: {"torque": 0},
    "angle one more": off_by("angle", 1),
    "angle one less": off_by("angle", -1),
    "rounded": rounded,
    "no torque, an hour earlier": both(off_by("torque", -9999999), shifted(hours=-1)),
}
PUSHED = {"an hour earlier": shifted(hours=-1), "two hours later": shifted(hours=2), "rounded": rounded}


def written(monkeypatch, name, way):
    """Let the controller write such messages so."""
    write = getattr(controller_session.frames, name)
    monkeypatch.setattr(
        controller_session.frames,
        name,
        lambda result, revision, pad=b" ", instead=(): write(result, revision, pad, dict(instead, **way(result))),
    )


def agrees(cart):
    stored = cart.stored_ids()
    assert sorted(stored) == cart.controller.produced, stored
    assert cart.stored_again() == 0 and cart.station.ledger.gone() == 0
    assert cart.station.ledger.epoch() == 0 and cart.counted(counter.CONTROLLER_RESETS) == 0
    return True


@pytest.mark.parametrize(("way", "revision"), each_choice(list(FETCHED), [999, 3]))
def test_answers_that_differ_in_one_way_are_of_the_same_controller(monkeypatch, way, revision):
    written(monkeypatch, "old_result_data", FETCHED[way])
    assert agrees(Cart(controller={"result_revisions": (revision,)}).outages())


@pytest.mark.parametrize("way", PUSHED)
def test_pushes_that_differ_in_one_way_are_of_the_same_controller(monkeypatch, way):
    written(monkeypatch, "result_data", PUSHED[way])
    assert agrees(Cart().outages())


def test_pushes_in_front_of_the_proof_are_known_again(monkeypatch):
    written(monkeypatch, "old_result_data", FETCHED["two hours earlier"])
    cart = Cart().outages(1)
    cart.produce(3, 1300)
    for _ in range(3):
        cart.miss(2, 1300)
        cart.produce(2, 200)
        cart.cut()
        cart.until_ready(60000)
        cart.produce(2, 200)
        cart.settle()
    assert agrees(cart)


@pytest.mark.parametrize("way", ["an hour later", "torque one more", "no torque", "angle one less"])
def test_what_is_not_proven_and_stored_again_is_counted(monkeypatch, way):
    written(monkeypatch, "old_result_data", FETCHED[way])
    cart = Cart().outages(1, 1, 1)
    stored = cart.stored_ids()
    assert set(stored) == {1, 2} and len(stored) - 2 <= cart.stored_again() <= 1


@pytest.mark.parametrize("options", [{"time_text": "2000-01-01:00:00:00"}, {}])
def test_count_that_begins_afresh_is_seen(options):
    cart = Cart(controller=options).outages(1, 5, 0)
    cart.controller.reset_ids()
    cart.miss(5, 1300)
    cart.settle()
    assert cart.stored_ids() == [1, 2, 3, 4, 5] * 2
    assert cart.station.ledger.epoch() == 1 and cart.counted(counter.CONTROLLER_RESETS) == 1


def test_rounded_answers_of_another_hour_are_counted(monkeypatch):
    written(monkeypatch, "old_result_data", both(rounded, shifted(hours=1)))
    cart = Cart().outages(3)
    stored = cart.stored_ids()
    assert set(stored) == set(cart.controller.produced) and len(stored) - len(set(stored)) <= cart.stored_again()


def digest_of(number, second, torque, angle):
    """Return the digest of a result of this second; `torque` in hundredths."""
    text = "%010d20260301080%d%02d%06d%02d" % (number, second // 60, second % 60, torque, angle % 100)
    return bytes.fromhex(text)


def test_two_results_of_one_second_are_not_one_in_another_writing():
    of_a_second = digest_of(3, 7, 1204, 61)
    for other, is_same in ((1250, False), (1205, True), (0, True), (1204, True)):
        for angle, is_alike in ((48, False), (62, True), (61, True)):
            answer = digest_of(3, 7, other, angle)
            assert fits_by_time(answer, of_a_second) == fits_by_time(of_a_second, answer) == (is_same or is_alike)
    shown = OtherFormat()
    shown._pushed = [digest_of(7, 9, 1180, 77)]
    shown._note_pair(digest_of(3, 7, 1204, 61), of_a_second)
    assert not shown.take(digest_of(7, 9, 1261, 35)) and not shown.is_proven
