"""Answers whose IDs are off, but not by a constant: each result is stored once under its own ID, or counted as gone."""

from random import Random

import pytest

from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart, key_of, packed_time


def from_on(number, by):
    return lambda ident, count: by if ident >= number else 0


def turns(*by):
    return lambda ident, count: by[count % len(by)]


def by_id(*by):
    return lambda ident, count: by[ident % len(by)]


def by_chance(ident, count):
    return Random(count).choice((-1, 0, 1))


OFF = {
    "-1 from 4 on": from_on(4, -1),
    "-1 from 6 on": from_on(6, -1),
    "-1 from 8 on": from_on(8, -1),
    "1 from 5 on": from_on(5, 1),
    "1 from 6 on": from_on(6, 1),
    "2 from 7 on": from_on(7, 2),
    "-1 each second time": turns(0, -1),
    "1 each second time": turns(0, 1),
    "now 1, now -1": turns(1, -1),
    "0, 1, 2": turns(0, 1, 2),
    "-1 for odd ones": by_id(0, -1),
    "1 for odd ones": by_id(0, 1),
    "1 for odd ones, else -1": by_id(-1, 1),
    "by chance": by_chance,
}


def off(monkeypatch, cart, by):
    """Let the controller's answers name IDs that are off so; return what it makes, by its time."""
    write = controller_session.frames.old_result_data
    count = [0]
    made = {}

    def data(result, revision, pad=b" ", instead=()):
        count[0] += 1
        number = result.tightening_id
        return write(result, revision, pad, dict(instead, tightening_id=max(number + by(number, count[0]), 0)))

    def kept(result, keep=cart.controller._keep):
        made[packed_time(result.time)] = result.tightening_id
        return keep(result)

    monkeypatch.setattr(controller_session.frames, "old_result_data", data)
    monkeypatch.setattr(cart.controller, "_keep", kept)
    return made


def is_at_rest(recovery):
    return recovery.phase == phases.PHASE_OFF or not recovery.seeks()


@pytest.mark.parametrize(("by", "live_and_missed"), each_choice(list(OFF), [(3, 2), (1, 4), (2, 6), (0, 3)]))
def test_each_is_stored_once_under_its_own_id_or_counted(monkeypatch, by, live_and_missed):
    live, missed = live_and_missed
    cart = Cart()
    made = off(monkeypatch, cart, OFF[by])
    cart.until_ready(2000)
    cart.settle()
    cart.produce(2, 1300)
    for _ in range(4):
        cart.run(20000)
        cart.produce(live, 1300)
        cart.run(20000)
        cart.miss(missed, 1300)
        cart.until(lambda: cart.is_ready() and is_at_rest(cart.station.recovery), 7200000)
    cart.produce(3, 1300)  # where it takes a push to know what answers mean
    cart.run(100000)
    cart.until(cart.is_quiet, 7200000)
    stored = [key_of(payload) for payload in cart.stored()]
    assert [number for number, time in stored if made.get(time) != number] == []
    missing = len(made) - len(set(stored))
    assert missing <= cart.station.ledger.gone() + missing_most(cart.station.ledger)
    assert len(stored) - len(set(stored)) <= cart.stored_again()
    assert not cart.station.ledger.shares()
