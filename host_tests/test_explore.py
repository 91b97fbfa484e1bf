"""Whatever may happen to three results on their way to ToolsNet, in any order: each state is looked at, none is drawn.

`FAULTS` is the depth: how many of the moves of `support_explore` that nobody need make come on one way. Between them
the ordinary way is followed, from every state to its end.
"""

import os

import pytest

from agent.outlets.toolsnet.forward import Forward
from agent.outlets.toolsnet.outlet import Outlet
from agent.quarantine import Quarantine
from agent.spool.ring import Ring
from host_tests import support_explore as explore

LONG = os.environ.get("TOOLCART_LONG") == "1"

# Which of the three are refused for what they are, and how many faults are explored: usually, and in the long run.
FAULTS = {
    (): (2, 3),
    (1,): (2, 3),
    (2,): (1, 2),
    (3,): (1, 2),
    (1, 2): (1, 2),
    (1, 3): (1, 2),
    (2, 3): (1, 2),
    (1, 2, 3): (1, 2),
}
RESENDS = {"rewind": True, "server_empty": "resend"}


def explored(refused, faults, **settings):
    explorer = explore.Explorer(faults)
    explorer.explore(explore.World(refused, **settings))
    found = (refused, faults, explorer.longest, explorer.states, explorer.moves, explorer.accounts)
    print("refused %s, %d faults: ways of up to %d moves, %d states, %d moves, %d accounts" % found)
    return explorer


@pytest.mark.parametrize("refused", FAULTS, ids=str)
def test_every_order_of_answers_losses_and_cuts_ends_with_a_right_account(refused):
    explorer = explored(refused, FAULTS[refused][LONG])
    assert explorer.states > 200 and explorer.accounts > 20


def test_a_server_that_lost_results_gets_them_again_where_that_is_asked_for():
    explored((), 2 if LONG else 1, **RESENDS)
    explored((2,), 2 if LONG else 1, **RESENDS)


def test_the_same_way_is_explored_twice_alike():
    first, second = explored((2,), 1), explored((2,), 1)
    assert (first.states, first.moves, first.accounts) == (second.states, second.moves, second.accounts)


# -- what it would find


def refuses_to_hold(refused, faults=1):
    with pytest.raises(explore.Breach) as breach:
        explored(refused, faults)
    return str(breach.value)


def test_a_result_that_goes_out_without_a_word_in_the_log_is_found(monkeypatch):
    monkeypatch.setattr(Outlet, "allow", lambda self, number: True)
    assert "the log allows" in refuses_to_hold(())


def test_a_refusal_that_is_taken_for_an_acknowledgement_is_found(monkeypatch):
    monkeypatch.setattr(Forward, "_refused", Forward._accepted)
    assert "is lost" in refuses_to_hold((2,))


def test_a_sweep_that_sets_nothing_aside_is_found(monkeypatch):
    monkeypatch.setattr(Outlet, "set_aside", lambda self, before, reason, now, is_taken=False: True)
    assert "is lost" in refuses_to_hold((2,)) or "stuck" in refuses_to_hold((2,))


def test_a_record_that_is_kept_twice_is_found(monkeypatch):
    monkeypatch.setattr(Quarantine, "stored", lambda self, kind, flags, buf, at, length: None)
    assert refuses_to_hold((1,))


def test_a_result_that_is_given_up_at_its_first_refusal_is_found():
    with pytest.raises(explore.Breach) as breach:
        explored((), 2, refused_attempts=1)
    assert "kept without a reason" in str(breach.value)


def test_memory_that_a_start_does_not_find_again_is_found(monkeypatch):
    apply = Ring.apply

    def early(self, kind, flags, buf, at, length):
        apply(self, kind, flags, buf, at, length)
        self.memory[7] ^= 0x40

    monkeypatch.setattr(Ring, "apply", early)
    assert refuses_to_hold(())


def test_an_08_that_is_not_believed_is_found(monkeypatch):
    monkeypatch.setattr(Outlet, "resume", lambda self, stored, now: True)
    assert "the 08 had told" in refuses_to_hold(())


def test_how_many_were_delivered_is_right_after_a_cut_between_quarantine_and_cursor():
    """An acknowledgement, a record moved into the quarantine, and a cut in front of the next cursor record."""
    world = explore.World((1,))
    for move in (explore.PRODUCE, explore.REFUSE, explore.PRODUCE, explore.PRODUCE, explore.WAIT, explore.REFUSE):
        world.do(move)
    for move in (explore.WAIT, explore.REFUSE, explore.ACCEPT):
        world.do(move)
    explore.arm(world, 1, explore.ALL)
    try:
        world.do(explore.ACCEPT)
        world.turn()
    except explore.PowerCut:
        assert world.flash.is_off or world.kept_flash.is_off
    world.flash.before_operation = world.kept_flash.before_operation = None
    world.cut()
    world.turn()
    world.settle()
    assert world.server.ever == [2, 3, 4] and world.kept() == [1] and world.ring.cursors[0].delivered == 3
