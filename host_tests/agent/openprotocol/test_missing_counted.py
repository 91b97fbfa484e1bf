"""What a controller made while no one heard, and cannot be asked for, is counted: all of it, each once, and named."""

from random import Random

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import ticks_diff
from toolcart.agent.cart.status import of_station
from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_session import ControllerSession
from toolcart.sim.profiles import profile_options
from toolcart.spool.offline_spool import opened
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from host_tests.support.recovery import REQUEST_EVERY_MS, Bench, Memory
from host_tests.support.world import CONTROLLER, Cart

LIVES = 40 if LONG else 2


def rejecting(kind, code=99):
    """How a controller answers each question: True if one was asked."""

    def answer(bench):
        if bench.ask() < 0:
            return False
        bench.recovery.rejected(kind, bench.now, code)
        return True

    return answer


def keeping_nothing(bench):
    """It says 15 to all."""
    if bench.ask() < 0:
        return False
    bench.answer(None)
    return True


def mute(bench):
    if bench.ask() < 0:
        return False
    bench.recovery.silent(bench.now)
    return True


def life(seed, answer, first=1):
    """Pushes, outages, restarts, cuts and reconnects in any order; returns the bench at its end."""
    dice = Random(seed)
    bench = Bench(Memory(first))
    is_open = answer(bench.open())  # one that answers the newest is met, and has pushed one
    bench.live()
    for _ in range(200):
        chance = dice.random()
        if chance < 0.25:
            if is_open:
                bench.live()
            else:
                bench.memory.make()
        elif chance < 0.35 and is_open:
            bench.close()
            is_open = False
        elif chance < 0.45:
            is_open = False
            bench.start()
            if dice.random() < 0.4:
                bench.push(bench.memory.make())  # in front of the session
        elif chance < 0.5:
            bench.state.refuses = dice.randrange(2)
        elif chance < 0.55:
            bench.gone.refuses = dice.random() < 0.5
        elif chance < 0.75 and not is_open:
            bench.open()
            is_open = True
        elif is_open:
            for _ in range(dice.choice((1, 1, 3, 20))):
                answer(bench)
    bench.state.refuses = 0
    bench.gone.refuses = False
    if not is_open:
        bench.open()
    for _ in range(120):  # more than three hours
        answer(bench)
    bench.live()
    for _ in range(300):
        answer(bench)
    return bench


def answering_otherwise(by):
    """It answers the question for an ID with the result so many IDs above it, under its own ID."""

    def answer(bench):
        number = bench.ask()
        if number < 0:
            return False
        asked = number + bench.recovery.offset.ask + by if number else 0
        bench.answer(bench.memory.find(asked) if asked > 0 or not number else None)
        return True

    return answer


def answering_with_the_newest(bench):
    """It answers each question with the newest."""
    number = bench.ask()
    if number >= 0:
        bench.answer(bench.memory.find(0))
    return number >= 0


def only_the_newest(kind, code=0):
    """It answers the question for the newest, and rejects all others; kind -1: it says nothing to them."""

    def answer(bench):
        number = bench.ask()
        if number < 0:
            return False
        if number == 0:
            bench.answer(bench.memory.find(0))
        elif kind < 0:
            bench.recovery.silent(bench.now)
        else:
            bench.recovery.rejected(kind, bench.now, code)
        return True

    return answer


HOW = {
    "unknown": rejecting(error_codes.REJECTED_NEVER),
    "every revision": rejecting(error_codes.REJECTED_REVISION, 97),
    "another code": rejecting(error_codes.REJECTED_OTHER, 79),
    "nothing kept": keeping_nothing,
    "no answer": mute,
    "later": rejecting(error_codes.REJECTED_LATER, 98),
    "busy": rejecting(error_codes.REJECTED_BUSY, 96),
    "no code": rejecting(error_codes.REJECTED_OTHER, error_codes.NO_CODE),
    "no error": rejecting(error_codes.REJECTED_NOTHING, 0),
    "the newest, one above": answering_otherwise(1),
    "the newest, two above": answering_otherwise(2),
    "the newest, seven above": answering_otherwise(7),
    "the newest, one below": answering_otherwise(-1),
    "the newest, three below": answering_otherwise(-3),
    "the newest to all": answering_with_the_newest,
    "the newest, no other": only_the_newest(-1),
    "the newest, others later": only_the_newest(error_codes.REJECTED_LATER, 98),
    "the newest, others rejected": only_the_newest(error_codes.REJECTED_OTHER, 79),
}

PUT_OFF = ("later", "busy", "the newest, others later")  # what is missing is not gone


@pytest.mark.parametrize("how", HOW)
def test_each_result_is_stored_or_counted_once_whatever_happens(how):
    for seed in range(LIVES):
        bench = life(seed, HOW[how], 1 + seed % 2 * 4000)
        uids = bench.uids()
        assert len(uids) == len(set(uids)), seed
        made = len(bench.memory.produced)
        if how in PUT_OFF:
            assert bench.ledger.gone() == 0 and made - len(uids) <= missing_most(bench.ledger), (how, seed)
            continue
        counted = len(uids) + bench.ledger.gone()
        is_bound = how.startswith("the newest,")  # it seems that the count has begun anew
        assert made <= counted if is_bound else made == counted, (how, seed, made, len(uids), bench.ledger.gone())
        assert not bench.ledger.ranges and bench.stored_twice == 0, (how, seed)


def test_what_is_gone_is_named_once_with_the_code_that_came():
    bench = Bench().open()
    never = HOW["unknown"]
    never(bench)
    bench.live()
    for _ in range(2):
        bench.away(3)
        bench.live()
        while never(bench):
            pass
    assert bench.gone.runs == [(2, 4, 3, -99), (6, 8, 3, -99)] and bench.ledger.gone() == 6
    bench.start().open()
    bench.memory.make()
    bench.live()
    assert bench.gone.runs[2:] == [], "it is asked first: what it answers may show more"
    while never(bench):
        pass
    assert bench.gone.runs[2:] == [(10, 10, 1, -99)]


def test_controller_that_answers_at_last_is_asked_like_any_other():
    bench = Bench().open()
    HOW["unknown"](bench)
    bench.live()
    bench.away(2)
    bench.settle()
    assert bench.stored() == [1, 2, 3] and bench.ledger.gone() == 0 and not bench.ledger.is_unanswering()


def test_another_controller_is_no_jump():
    bench = Bench().open()
    never = HOW["unknown"]
    never(bench)
    bench.live()
    bench.memory.reset(500000)
    identity, kind = bench.opens_with
    bench.opens_with = (identity[:35] + b"9" + identity[36:], kind)
    for _ in range(2):
        bench.close().open()
        bench.live()
        never(bench)
    bench.away(2)
    bench.live()
    while never(bench):
        pass
    assert bench.ledger.gone() == 2 and bench.ledger.top() == 500004


# On the wire, with the simulated controller.


def outages(cart, how_often=2, missed=4):
    cart.until_ready(2000)
    for _ in range(how_often):
        cart.produce(3, 200)
        cart.miss(missed, 200)
        cart.run(60000)
        cart.produce(1, 200)
        cart.cut()
        cart.produce(2, 200)
        cart.run(60000)
    cart.produce(2, 200)
    cart.run(5000)
    return cart


def agrees(cart):
    made, stored = cart.controller.produced, cart.stored_ids()
    assert len(stored) == len(set(stored)) and set(stored) <= set(made)
    assert len(made) == len(stored) + cart.station.ledger.gone(), (len(made), stored, cart.station.ledger.gone())
    assert cart.counted(counter.CONTROLLER_RESETS) == 0 and cart.station.ledger.epoch() == 0
    return True


def test_profile_that_knows_no_0064_loses_nothing_uncounted():
    for code in (97, 99, 73, 75):
        cart = outages(
            Cart(toolsnet=None, controller=profile_options("minimal", unknown_mids=(8, 9, 40), refuse={64: code}))
        )
        assert agrees(cart) and cart.station.ledger.gone() > 0
        assert cart.station.recovery.phase == phases.PHASE_OFF


def test_controller_that_never_answers_for_old_results_loses_nothing_uncounted():
    for code in (98, None, 79, 96):
        for answers_first in (False, True):
            cart = Cart(toolsnet=None, controller={"refuse": {} if answers_first else {64: code}}).until_ready(2000)
            cart.produce(2, 200)
            cart.miss(1, 200)
            cart.run(60000)
            cart.controller.options.refuse[64] = code
            cart.cut()
            outages(cart)
            cart.run(3600000)
            cart.produce(1, 200)
            cart.run(5000)
            made, stored = cart.controller.produced, cart.stored_ids()
            if code in (98, 96):  # "later": all is missing, and none of it gone
                ledger = cart.station.ledger
                assert ledger.gone() == 0 and len(made) - len(stored) <= missing_most(ledger), (code, answers_first)
                continue
            assert len(made) == len(stored) + cart.station.ledger.gone(), (code, answers_first, made, stored)
            assert len(stored) == len(set(stored)) and missing_most(cart.station.ledger) == 0, (code, answers_first)


def test_controller_that_closes_at_each_rejection_of_0064_comes_to_rest():
    rejections = ({64: 99}, {64: 97}, {64: 79}, {64: 98}, {64: 79, 40: 99})
    for refuse, after_ms in each_choice(rejections, (-1, 0, 300, 3000)):
        cart = Cart(toolsnet=None, controller={"refuse": refuse, "ends_refused": {64: after_ms, 40: after_ms}})
        case = (after_ms, refuse)
        outages(cart)
        cart.run(600000)
        connections, requests = cart.controller.connections, cart.controller.messages.get(64)
        cart.run(2400000)
        assert cart.controller.connections <= connections + 1, case
        assert cart.controller.messages[64] <= requests + 1, case
        cart.produce(2, 200)
        cart.run(5000)
        made, stored = cart.controller.produced, cart.stored_ids()
        met = stored[0] - 1  # what it made before is not ours
        if refuse == {64: 98} and after_ms >= 0:
            assert cart.station.ledger.gone() == 0 and stored[-2:] == made[-2:], case
            assert len(made) - met - len(stored) <= missing_most(cart.station.ledger), case
            continue
        assert stored[-2:] == made[-2:] and cart.station.ledger.gone() > 0, case
        assert len(made) - met == len(stored) + cart.station.ledger.gone(), (case, made, stored)


def test_questions_that_ended_connections_are_asked_again_after_an_hour():
    cart = Cart(toolsnet=None, controller={"refuse": {64: 79}, "ends_refused": {64: 0}})
    cart.run(60000)
    cart.produce(2, 200)
    cart.miss(2, 200)
    cart.run(20000)
    requests = cart.controller.messages[64]
    cart.run(3400000)
    assert cart.controller.messages[64] == requests
    cart.controller.options.refuse = {}
    cart.run(300000)
    cart.settle()
    assert cart.controller.messages[64] > requests and cart.stored_ids() == [1, 2, 3, 4]


def unnamed(cart, how):
    """Pushes 4 and 5 have no ID that can be read; 6 has one. Returns how many records there are of results."""
    cart.until_ready(2000)
    cart.produce(3, 200)
    cart.controller.options.pushed_as = how
    cart.produce(2, 200)
    cart.controller.options.pushed_as = {}
    cart.produce(1, 200)
    cart.settle()
    return len(cart.stored()) + len(cart.raw())


def test_result_pushed_without_an_id_is_known_again_when_it_is_fetched():
    for revision in (999, 1, 2, 5):
        cart = Cart(toolsnet=None, controller={"result_revisions": (revision,)})
        assert unnamed(cart, {"tightening_id": None}) == 6, (revision, cart.stored())
        assert cart.stored_again() == 0 and cart.station.ledger.gone() == 0
        cart.miss(2, 200)
        cart.settle()
        assert len(cart.stored()) == 8 and cart.stored_again() == 0


def test_result_that_cannot_be_known_again_counts_as_stored_again():
    for how in ({"tightening_id": None, "torque": 777}, {"tightening_id": None, "time": None}):
        for is_cut in (False, True):
            cart = Cart(toolsnet=None)
            count = unnamed(cart, how)
            if is_cut:
                cart.cut()
                cart.until_ready(60000)
                cart.settle()
            assert count > 6 and count - 6 <= cart.stored_again() <= 2, (how, count)


def test_results_by_1201_without_0006_lose_nothing_uncounted():
    for code in (99, 73, 79):
        cart = outages(Cart(toolsnet=None, controller=profile_options("stepsync", refuse={6: code})))
        assert agrees(cart) and cart.station.ledger.gone() > 0, code
        assert CONTROLLER and missing_most(cart.station.ledger) == 0


# Later releases, and a station that is made again.


def test_controller_that_knows_later_revisions_alone_is_asked_in_them():
    for revision in (8, 9, 10, 11):
        cart = Cart(toolsnet=None, controller={"recover_revisions": (revision,)}).until_ready(2000)
        cart.produce(2, 200)
        cart.miss(3, 200)
        cart.settle(120000)
        assert cart.stored_ids() == [1, 2, 3, 4, 5] and cart.station.ledger.gone() == 0, revision


@pytest.mark.parametrize("code, known", ((99, 1), (73, 2), (75, 1)))
def test_message_called_unknown_in_a_revision_is_asked_for_in_the_oldest(monkeypatch, code, known):
    rejects = ControllerSession.rejects

    def as_unknown(session, mid, *codes):
        return rejects(session, mid, *((told, code if given == 97 else given) for told, given in codes))

    monkeypatch.setattr(ControllerSession, "rejects", as_unknown)
    cart = outages(Cart(toolsnet=None, controller={"recover_revisions": (known,)}))
    assert cart.stored_ids() == cart.controller.produced and cart.station.ledger.gone() == 0


def test_station_made_again_under_another_number_gives_all_that_it_has():
    for system_type in (1, 3):
        identity = {"system_type": system_type, "station_number": 1}
        settings = {"identity": identity, "shares_ids": False, "recover_revisions": (1, 2, 3, 4, 5, 6, 7)}
        cart = Cart(toolsnet=None, controller=settings).until_ready(2000)
        cart.produce(20, 200)
        for _ in range(2):
            cart.network.down(*CONTROLLER)
            cart.run(20000)
            cart.controller.reset_ids()
            cart.controller.identity.station_number += 1
            cart.produce(33, 200, station_number=cart.controller.identity.station_number)
            cart.network.up(*CONTROLLER)
            cart.settle(600000)
        assert len(cart.stored_ids()) == len(cart.controller.produced) == 86, system_type
        assert cart.station.ledger.gone() == 0


# Codes of a rejection, their classes, and the reason that is told: 0 for an ID that is not there.
CODES = ((79, -79), (97, -97), (99, -99), (71, -71), (7, -7), (0, 0), (error_codes.NO_CODE, 0))


class OtherCode(Bench):
    """A controller that rejects the question for an ID that is not there with another code than 15."""

    code = 0

    def refuse(self, kind=error_codes.REJECTED_GONE):
        return self.recovery.rejected(error_codes.rejection_class(self.code), self.now, self.code)


def test_an_id_that_is_not_there_may_be_rejected_by_any_code():
    for code, why in CODES:
        bench = OtherCode(Memory(next_id=50))
        bench.code = code
        bench.make(0)
        bench.open()
        bench.make(3)
        bench.away(9)
        bench.memory.forget(54, 57)
        before = bench.now
        count = bench.settle()
        assert count < 30 and bench.now - before <= (count + 1) * REQUEST_EVERY_MS, (code, count)
        bench.make(2)
        assert bench.uids() == [uid for uid in range(1, 15) if uid not in (5, 8)], (code, bench.uids())
        assert bench.ledger.gone() == 2 and missing_most(bench.ledger) == 0, code
        assert bench.gone.runs == [(54, 57, 2, why)], (code, bench.gone.runs)


def test_one_that_rejects_the_newest_by_any_code_is_asked_for_the_rest():
    for code in (79, error_codes.NO_CODE, 15):
        bench = OtherCode(Memory(next_id=50))
        bench.open().make(3)
        bench.code = code
        find = bench.memory.find
        bench.memory.find = lambda number, find=find: find(number) if number else None
        bench.away(4)
        bench.settle()
        bench.make(1)
        assert sorted(bench.uids()) == list(range(1, 9)) and bench.ledger.gone() == 0, (code, bench.uids())


def test_rejection_without_a_code_holds_later_ids_back_no_longer_than_15():
    took = []
    for text in (None, "", "  ", "AB", "79", "00", "97"):
        cart = Cart(toolsnet=None, controller={"refusal_text": text}).until_ready(2000)
        cart.produce(3, 200)
        cart.miss(9, 200)
        cart.controller.forget(5)
        cart.controller.forget(8)
        began = cart.clock.now
        cart.settle(600000)
        took.append(ticks_diff(cart.clock.now, began))
        assert cart.stored_ids() == [1, 2, 3, 4, 6, 7, 9, 10, 11, 12], text
        assert cart.station.ledger.gone() == 2 and missing_most(cart.station.ledger) == 0, text
    assert max(took) < min(took) + 3000, took


@pytest.mark.parametrize("answers_newest", [False, True])
@pytest.mark.parametrize(
    "how", ["a push of it", "a push of the newest", "its fields in a push", "an empty push", "0066"]
)
def test_other_message_in_place_of_the_answer_counts_as_none(monkeypatch, how, answers_newest):
    answer = ControllerSession._say_old

    def say_old(session, result, revision, spindle=None):
        newest = session.controller.latest()
        if answers_newest and result is newest:
            answer(session, result, revision, spindle)
        elif how.startswith("a push"):
            session._say_result(result if how == "a push of it" else newest)
        else:
            data = frames.old_result_data(result, revision) if how != "an empty push" else b""
            session.say(66 if how == "0066" else 61, revision, data)

    cart = Cart(toolsnet=None).until_ready(2000).settle()
    cart.produce(5, 1300)
    cart.run(5000)
    monkeypatch.setattr(ControllerSession, "_say_old", say_old)
    cart.miss(4, 1300)
    cart.until_ready(60000)
    cart.produce(1, 1300)
    cart.run(2700000)
    made, stored = cart.controller.produced, cart.stored_ids()
    assert len(stored) == len(set(stored)) and len(made) == len(stored) + cart.station.ledger.gone(), stored


@pytest.mark.parametrize(("live", "answered"), each_choice([0, 2], [0, 1, 2]))
def test_what_pushes_have_skipped_is_within_the_bound(monkeypatch, live, answered):
    recover = ControllerSession._recover
    left = []

    def close(session, revision, tightening_id):
        if left:
            left.pop()
            recover(session, revision, tightening_id)
        else:
            session.controller.drop()

    cart = Cart(toolsnet=None).until_ready(2000).settle()
    cart.produce(live, 1300)
    cart.run(2000)
    monkeypatch.setattr(ControllerSession, "_recover", close)
    cart.miss(7, 1300)
    left[:] = [True] * answered
    cart.until_ready(60000)
    cart.produce(1)
    for _ in range(40):
        cart.run(1000)
        stored = cart.stored_ids()
        if live + 8 in stored:
            missing = live + 8 - len(set(stored)) - cart.station.ledger.gone()
            assert of_station(cart.station, cart.clock.now)["recovery"]["open_ids"] >= missing, stored
    assert live + 8 in stored


@pytest.mark.parametrize("code", [None, 79, 98, 15])
def test_what_pushes_skip_is_counted_once_over_kills_whatever_the_questions_bring(code):
    cart = Cart(toolsnet=None).until_ready(2000).settle()
    cart.produce(4, 300)
    cart.settle()
    cart.controller.options.refuse[64] = code
    for missed in range(1, 5):
        for is_made_durable in (False, True):
            cart.network.down(*CONTROLLER)
            cart.produce(missed, 100)
            cart.network.up(*CONTROLLER)
            cart.until_ready(60000)
            cart.produce(1, 1000)
            assert not is_made_durable or cart.station.state.save()
            counted = counts(cart.station.ledger)
            assert counts(opened(cart.device.clone()).ledger) == counted
            cart.cut()
            assert counts(cart.station.ledger) == counted
            cart.run(3000)
            missing = len(cart.controller.produced) - len(set(cart.stored_ids()))
            assert sum(counts(cart.station.ledger)) == missing, (code, missed)
    cart.run(4000000)
    assert counts(cart.station.ledger) == ((0, missing) if code == 98 else (missing, 0))


def counts(ledger):
    """Return how many IDs are gone, and how many may be missing."""
    return ledger.gone(), missing_most(ledger)
