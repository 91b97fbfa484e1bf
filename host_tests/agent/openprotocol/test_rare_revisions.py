"""Revisions that hardly any controller needs are found where nothing else is taken, and delay no other controller."""

import pytest

import toolcart
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.revision_fallback import BLANK, Revisions
from toolcart.sim import profiles
from toolcart.sim.controller_session import ControllerSession
from host_tests.agent.openprotocol.test_codeless_rejections import words_of_doctor
from host_tests.support.frames import refused
from host_tests.support.talk import Talk
from lab.harness.cart import Cart

SIMULATED = [name for name in profiles.names() if name not in ("op-ford", "op-bmw")]
SERVED_MS = 300000
BEFORE = {"start_revisions": [5, 6, 4, 3, 2, 1], "result_revisions": [999, *range(3, 12), 2, 1]}  # without rare ones


def served(settings=None, **options):
    """A cart as soon as it has a session with a controller like this, and the ms that took."""
    cart = Cart(controller=options, settings=settings or {}, blocks=24)
    station = cart.station
    took = cart.until(lambda: station.session is not None and station.session.state == session_states.READY, SERVED_MS)
    return cart, took


def test_controller_with_revision_7_of_mid_0001_alone_is_served():
    cart, took = served(start_revisions=(7,))
    cart.produce(1, 2000)
    assert cart.ids() == [1] and took < 2000 and not cart.controller.complaints


def test_revision_7_says_that_keep_alive_is_needed():
    talk = Talk(start_revisions=(5, 7))
    talk.deliver(refused(1, 97))
    assert talk.take()[-1] == b"00230001007         010"


def test_controller_with_revision_998_of_mid_0060_alone_is_served():
    cart, took = served(result_revisions=(998,))
    cart.produce(2, 2000)
    assert cart.ids() == [1, 2] and took < 60000 and not cart.controller.complaints


@pytest.mark.parametrize("more", [{}, {"ends_refused": {0: 0}}, {"ends_refused": {0: -1}}, {"refusal_text": "  "}])
def test_controller_that_accepts_only_a_blank_revision_is_served(more):
    cart, took = served(blank_revision_only=True, **more)
    cart.run(60000)  # what is not needed is left out, a connection each
    cart.produce(2, 3000)
    assert cart.ids() == [1, 2] and took < 120000 and not cart.controller.complaints
    if more.get("ends_refused") == {0: -1}:  # after a restart it takes minutes: its wait is doubled each time
        return
    cart.cut()
    cart.run(120000)
    cart.produce(1, 3000)
    assert cart.ids() == [1, 2, 3]


def test_controller_that_accepts_a_blank_revision_of_mid_0060_alone_is_served():
    cart, took = served(result_revisions=(), blank_results=True)
    cart.produce(2, 3000)
    assert cart.ids() == [1, 2] and took < 60000


def test_blank_is_tried_once_after_every_other_revision():
    talk = Talk(start_revisions=(5, 1, BLANK))
    revisions_tried = []
    for _ in range(3):
        revisions_tried.append(talk.take()[-1][8:11])
        events = talk.deliver(refused(1, 97))
    assert revisions_tried == [b"005", b"001", b"   "] and events[-1] == session_states.EV_OVER


def test_rare_revisions_are_asked_for_only_when_every_way_was_rejected():
    revisions = Revisions((3, 1, 998, BLANK))
    revisions.end = 2
    revisions_tried = []
    while revisions.rejected():
        revisions_tried.append(revisions.wanted())
    revisions.end = 4
    while revisions.rejected():
        revisions_tried.append(revisions.wanted())
    assert revisions_tried == [1, 1, 998, BLANK]


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("more", [{}, {"ends_refused": {0: 0}}])
def test_no_profile_gets_another_revision_or_a_longer_start(name, more):
    assert start_of(BEFORE, name, **more) == start_of({}, name, **more)


def test_results_by_another_way_come_as_soon_as_before():
    more = {"unknown_mids": (63, 64), "refuse": {60: 97}}  # not unknown: each revision of MID 0060 is asked for
    for ends in ({}, {0: 0}):
        before = start_of(BEFORE, "stepsync", ends_refused=ends, **more)
        assert before == start_of({}, "stepsync", ends_refused=ends, **more)


def start_of(settings, name, **more):
    """How long the session took with a controller like this, and how many messages, and what stands."""
    cart, took = served({"controller": settings}, **profiles.profile_options(name, **more))
    session = cart.station.session
    return (
        took,
        sum(cart.controller.messages.values()),
        session.start_revisions.wanted(),
        session.subscriptions[0].revision(),
    )


@pytest.mark.parametrize("after_ms", [-1, 0, 300])  # -1: in place of the rejection
@pytest.mark.parametrize("revisions", [(2, 1), *[(revision,) for revision in range(1, 12)]])
def test_revision_of_old_results_is_found_where_connections_end_at_all_others(revisions, after_ms):
    cart, _ = served(recover_revisions=revisions, ends_refused={64: after_ms})
    cart.produce(2, 2000)
    cart.run(60000)
    assert cart.station.recovery.revision() == revisions[0]
    cart.miss(5, 1000)
    cart.run(120000)
    cart.produce(1, 2000)
    assert sorted(cart.ids()) == list(range(1, 9)) and cart.station.ledger.gone() == 0


@pytest.mark.parametrize("behind", ["a push", "a keep-alive", "silence"])
def test_connections_that_end_behind_something_else_than_the_question_turn_no_revision(monkeypatch, behind):
    answer, ends = ControllerSession._recover, []

    def recover(session, revision, number):
        if len(ends) >= 4:
            answer(session, revision, number)
        elif behind != "silence" or ends[-1:] == [False]:  # then the second try is in vain, too
            if behind == "a push":
                cart.controller.produce()
            elif behind == "a keep-alive":
                session.say(9999, 1, b"")
            ends[-1:] = [True] if behind == "silence" else ends[-1:] + [True]
            session.close_behind = True
        else:
            ends.append(False)

    tick = ControllerSession.tick

    def close_then(session, now):
        wait = tick(session, now)
        if getattr(session, "close_behind", False):
            session.close("behind it")
        return wait

    monkeypatch.setattr(ControllerSession, "_recover", recover)
    monkeypatch.setattr(ControllerSession, "tick", close_then)
    cart = Cart(controller={"recover_revisions": (1, 2, 3)}, settings={}, blocks=24)
    cart.run(3000)
    cart.controller.produce()
    cart.run(120000)
    assert len(ends) == 4 and cart.station.recovery.revision() == 3
    cart.miss(3, 1000)
    cart.run(60000)
    assert sorted(cart.ids()) == cart.controller.produced and cart.station.ledger.gone() == 0


def test_old_results_are_left_out_where_connections_end_at_each_revision():
    cart, _ = served(recover_revisions=(), ends_refused={64: -1})
    cart.run(60000)
    asked = cart.controller.messages[64]
    assert asked == 25, "two ends each, five at the last one"
    cart.produce(2, 2000)
    cart.miss(5, 1000)
    cart.run(10000)
    cart.produce(1, 2000)
    cart.run(60000)
    assert cart.ids() == [1, 2, 8] and cart.station.ledger.gone() == 5
    cart.run(3600000 * 3)
    assert asked + 2 <= cart.controller.messages[64] <= asked + 3, "one an hour"


def test_doctor_finds_what_is_taken_only_without_a_revision():
    with toolcart.simulated.controller(blank_revision_only=True) as simulated:
        words = words_of_doctor(simulated)
    assert "results are pushed in revision blank" in words


@pytest.mark.parametrize("text", ["", "AB", "00", "79"])
def test_revisions_that_an_empty_memory_has_rejected_are_asked_for_again(text):
    cart, _ = served(recover_revisions=(2, 1), refusal_text=text)
    cart.run(60000)
    cart.produce(2, 2000)
    for _ in range(2):
        cart.miss(3, 1000)
        cart.run(200000)
        cart.produce(1, 2000)
    cart.run(200000)
    assert sorted(cart.ids()) == list(range(1, 11))
