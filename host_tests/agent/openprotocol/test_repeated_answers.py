"""A controller whose answers come several times, each message under way for a while: none is taken for the next one."""

import random

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import ticks_add, ticks_diff
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.sim.controller_session import ControllerSession
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController

FIRST = 500
COPIES = {
    "none": lambda number, times, at: 1,
    "one three times, once": lambda number, times, at: 3 if (number, times) == (506, 1) else 1,
    "one five times, once": lambda number, times, at: 5 if (number, times) == (506, 1) else 1,
    "one three times, always": lambda number, times, at: 3 if number == 506 else 1,
    "every third twice": lambda number, times, at: 1 + (at % 3 == 0),
    "each twice": lambda number, times, at: 2,
    "each three times": lambda number, times, at: 3,
    "some, up to three times": lambda number, times, at: random.Random(at).choice([1, 1, 1, 2, 3]),
}


class Repeating(OddController):
    """Its messages are on the line one after another, each for `each_ms`."""

    def __init__(self, monkeypatch, copies, each_ms, always=False, **settings):
        super().__init__(monkeypatch, first_id=FIRST, **settings)
        self.copies = COPIES[copies]
        self.each_ms = each_ms
        self.always = always
        self.free_at = None
        monkeypatch.setattr(ControllerSession, "send", lambda session, octets: self._send(session, octets))

    def _send(self, session, octets):
        now = session.controller.clock.now
        times = 1
        if octets[4:8] == b"0065" and (self.always or len(self.made) > 4):
            times = self.copies(self.requests[-1], self.requests.count(self.requests[-1]), len(self.requests))
        for _ in range(times):
            begins = self.free_at if session._later and ticks_diff(self.free_at, now) > 0 else now
            self.free_at = ticks_add(begins, self.each_ms)
            session.send_later(octets, ticks_diff(self.free_at, now), now)


def run(odd, missed=10, outages=1, cut=False, live=0, settles=False):
    cart = odd.cart
    while not any(session.result_revision for session in cart.controller.sessions):
        cart.run(50)
    odd.make(4, 150)
    cart.run(60000 if settles else 0)
    for _ in range(outages):
        odd.away(missed, every_ms=0, cut=cut)
        odd.make(live, 700)
        cart.run(60000)
        odd.make(2, 150)
        cart.run(300000)


def check(odd, most_gone=0):
    """All that it still has is in the log, once, and what it had no more counts, once."""
    ids = dict(zip(odd.made, odd.cart.controller.produced, strict=True))
    assert [ids[one] for one in odd.rows()] == odd.cart.stored_ids()
    twice, again, missing, gone, opened = odd.books()
    assert (twice, again, opened) == (0, 0, 0) and missing == gone, (odd.books(), odd.cart.gone(), odd.requests)
    assert gone <= most_gone, (odd.books(), odd.cart.gone(), odd.requests)
    assert odd.cart.counted(counter.CONTROLLER_RESETS) == odd.cart.counted(counter.IDS_OFF) == 0
    assert odd.cart.station.recovery.phase == phases.PHASE_IDLE


@pytest.mark.parametrize("each_ms", [30, 130, 400])
@pytest.mark.parametrize("copies", COPIES)
def test_what_the_controller_has_is_fetched_once(monkeypatch, copies, each_ms):
    odd = Repeating(monkeypatch, copies, each_ms)
    run(odd)
    check(odd)


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize(
    ("copies", "each_ms", "cut", "live"), all_pairs(list(COPIES), [5, 30, 130, 400], [False, True], [0, 5])
)
def test_so_it_is_in_each_outage(monkeypatch, copies, each_ms, cut, live, settles):
    odd = Repeating(monkeypatch, copies, each_ms, always=True)
    run(odd, 10, 3, cut, live, settles)
    check(odd)


@pytest.mark.parametrize(("copies", "each_ms", "cut"), all_pairs(list(COPIES), [5, 30, 130, 400], [False, True]))
def test_only_what_it_has_no_more_is_gone(monkeypatch, copies, each_ms, cut):
    odd = Repeating(monkeypatch, copies, each_ms, keeps=12)
    run(odd, 15, 3, cut, settles=True)
    check(odd, 3 * (15 - 12))


@pytest.mark.parametrize("each_ms", [5, 130, 400])
@pytest.mark.parametrize("answers", ["newest", "nearest", "below"])
@pytest.mark.parametrize("copies", ["none", "one three times, once", "one five times, once"])
def test_nor_where_it_answers_with_another_result(monkeypatch, copies, answers, each_ms):
    """While it is found out what such an answer means a small memory goes on."""
    odd = Repeating(monkeypatch, copies, each_ms, answers=answers, keeps=12)
    run(odd, 15, 3, settles=True)
    check(odd, 3 * (15 + 2 - 12))
