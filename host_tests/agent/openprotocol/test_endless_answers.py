"""Whatever is asked for is answered under its ID: every way that asks ID after ID ends by itself, and nothing is kept
again and again under IDs that nobody made."""

import pytest

from toolcart.agent.openprotocol import id_walk
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.sim import controller_session
from host_tests.agent.openprotocol.test_newest_answered_otherwise import Zero
from host_tests.support.combinations import all_pairs
from host_tests.support.recovery import Bench, Memory
from host_tests.support.world import CONTROLLER

NAMED = {"its own": None, "0": lambda number: 0}


class Unreadable(Zero):
    """Two octets too many are in front of the eleventh field; `torn`: there is nothing but the ID, and # behind it."""

    def __init__(self, monkeypatch, torn=False, **settings):
        super().__init__(monkeypatch, answers="under any ID", controller={"recover_revisions": (3,)}, **settings)
        self.torn = torn
        self.write = controller_session.frames.old_result_data
        monkeypatch.setattr(controller_session.frames, "old_result_data", self.data)

    def data(self, *given, **named):
        content = self.write(*given, **named)
        if self.torn:
            return content[:12] + b"#" * (len(content) - 12)
        return content[:120] + b"  " + content[120:]


class EachAnother(Unreadable):
    """The octets behind the ID differ from answer to answer."""

    def data(self, *given, **named):
        content = super().data(*given, **named)
        return content[:90] + b"%06d" % len(self.requests) + content[96:]


@pytest.mark.parametrize(("named", "torn", "kind"), all_pairs(list(NAMED), [False, True], [Unreadable, EachAnother]))
def test_every_way_ends(monkeypatch, named, torn, kind):
    one = kind(monkeypatch, torn, named_so=NAMED[named])
    one.cart.until_ready(5000)
    one.make(3)
    one.away(3)
    one.cart.run(300000)
    asked = len(one.requests)
    one.cart.run(300000)
    assert len(one.requests) < asked + 20 < 1500, one.cart.station.recovery.phase
    one.make(1)
    one.cart.run(300000)
    recovery = one.cart.station.recovery
    told = one.cart.station.ledger.gone() + len(one.cart.raw()) + len(one.cart.stored()) - 4
    assert recovery.phase == phases.PHASE_IDLE or recovery.contradicts, recovery.phase
    assert told >= 3 or recovery.contradicts
    assert len(one.cart.raw()) <= 4


@pytest.mark.parametrize("named", NAMED)
def test_way_up_ends_with_what_id_0_brought(monkeypatch, named):
    one = Unreadable(monkeypatch, named_so=NAMED[named])
    one.cart.until_ready(5000)
    one.make(3)
    one.cart.run(10000)
    before = len(one.requests)
    one.away(3)
    one.cart.run(60000)
    assert len(one.cart.raw()) == 3 and one.cart.station.ledger.gone() == 0 and len(one.requests) < before + 15


def test_result_pushed_while_others_are_fetched_is_not_kept_again(monkeypatch):
    one = Unreadable(monkeypatch)
    one.cart.until_ready(5000)
    one.make(3)
    one.cart.run(10000)
    answer = one._answer

    def make_more(*request):
        answer(*request)
        if request[-1] == 4:
            one.make(1, 0)

    one._answer = make_more
    one.cart.controller._next_id += 10  # gone, or never made
    one.away(1)
    one.cart.run(60000)
    assert len(one.made) == 5 and len(one.cart.raw()) == 1 and one.cart.station.ledger.gone() == 10


@pytest.mark.parametrize("skips", [1, 7])
@pytest.mark.parametrize("missed", [3, 70])
def test_newest_under_ids_that_are_gone_is_kept_once(monkeypatch, missed, skips):
    one = Unreadable(monkeypatch)
    one.cart.until_ready(5000)
    for number in range(4 + missed):
        if number == 4:
            one.cart.run(60000)
            one.cart.network.down(*CONTROLLER)
        one.make(1)
        one.cart.controller._next_id += skips - 1
    one.cart.network.up(*CONTROLLER)
    one.cart.until_ready(60000)
    one.make(2)
    one.cart.run(900000)
    assert missed <= len(one.cart.raw()) <= missed + 2 + one.cart.stored_again(), len(one.cart.raw())


def test_a_walk_in_a_range_that_has_brought_it_no_nearer_to_its_end_is_the_last():
    bench = Bench(Memory(40)).met(3)
    recovery = bench.recovery
    for left, is_walking in ((60, True), (20, True), (20, False)):
        id_walk.go_down_in(recovery, 120, left, bench.now)
        assert (recovery.phase == phases.PHASE_WALK, recovery.contradicts) == (is_walking, not is_walking), left
    bench.now += phases.OFF_MS
    assert bench.ask() == 0, "in an hour"


def test_a_look_that_starts_over_walks_in_the_same_range_once_more():
    bench = Bench(Memory(500)).met()
    for _ in range(2):
        bench.memory.make()
    bench.live()
    for _ in range(4):
        bench.step()
    bench.recovery.start_over()
    bench.settle()
    assert bench.uids() == [3, 1, 2] and not bench.recovery.contradicts
