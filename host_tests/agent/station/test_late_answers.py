"""An old result that comes after its question was given up is stored, whatever is asked for meanwhile."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_session
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart

NEVER = -1


@pytest.fixture
def slow(monkeypatch):
    """Return a dictionary of IDs and after how many ms the controller answers each; None is for all others."""
    delays = {}
    say = controller_session.ControllerSession._say_old

    def say_old(self, result, revision, spindle=None):
        delay = delays.get(result.tightening_id, delays.get(None, 0))
        if isinstance(delay, list):
            delay = delay.pop(0) if delay else NEVER
        if not delay:
            say(self, result, revision, spindle)
            return
        send, sent = self.send, []
        self.send = sent.append
        say(self, result, revision, spindle)
        self.send = send
        if delay != NEVER:
            self.send_later(b"".join(sent), delay, self.controller.clock.now)

    monkeypatch.setattr(controller_session.ControllerSession, "_say_old", say_old)
    return delays


def cart_that_misses(count, revision=2, **options):
    cart = Cart(controller={"recover_revisions": (revision,), **options})
    cart.until_ready(2000)
    cart.settle()
    cart.produce(3, 1300)
    cart.settle()
    cart.miss(count, 1300)
    return cart


@pytest.mark.parametrize(
    ("late", "delay"),
    each_choice([(5,), (4,), (9,), (4, 6, 8), (5, 6)], [4000, 7000, 12000, 16000, 17000, 21000, 29000]),
)
def test_each_comes_once_however_late_it_is(slow, delay, late):
    slow.update(dict.fromkeys(late, delay))
    cart = cart_that_misses(6)
    cart.run(900000)
    assert sorted(cart.stored_ids()) == cart.controller.produced, cart.stored_ids()
    assert cart.stored_again() == 0 and cart.station.ledger.gone() == 0 and missing_most(cart.station.ledger) == 0


@pytest.mark.parametrize(("delay", "turn"), each_choice([5500, 10500, 12000, 15500, 16500, 19000], list(range(1, 13))))
def test_one_that_is_answered_once_is_taken_while_others_are_asked_for(slow, turn, delay):
    for first, revision in ((4, 1), (5, 2), (8, 7)):
        slow.clear()
        # Only one of its questions is answered.
        slow.update({first: [NEVER] * (turn - 1) + [delay], None: 3000})
        cart = cart_that_misses(6, revision)
        cart.run(900000)
        assert sorted(cart.stored_ids()) == cart.controller.produced, (first, cart.stored_ids())
        assert missing_most(cart.station.ledger) == 0 and cart.stored_again() == 0
        assert cart.station.ledger.gone() == 0


def test_one_that_cannot_be_read_is_kept_as_it_came(slow, monkeypatch):
    write = controller_session.frames.old_result_data

    def torn(result, *given, **named):
        data = write(result, *given, **named)
        return data[:44] + b"#" * (len(data) - 44) if result.tightening_id == 5 else data

    monkeypatch.setattr(controller_session.frames, "old_result_data", torn)
    slow.update({5: [NEVER] * 3 + [16500], None: 3000})
    cart = cart_that_misses(6)
    cart.run(900000)
    assert sorted(cart.stored_ids()) == [1, 2, 3, 4, 6, 7, 8, 9] and len(cart.raw()) == 1
    assert cart.station.ledger.gone() == 0 and missing_most(cart.station.ledger) == 0


def test_what_the_log_has_is_not_stored_again(slow):
    slow[None] = 16000
    cart = cart_that_misses(4)
    cart.run(1800000)
    ids = cart.stored_ids()
    assert len(ids) == len(set(ids)) and cart.stored_again() == 0
    assert len(ids) + cart.station.ledger.gone() + missing_most(cart.station.ledger) == len(cart.controller.produced)
