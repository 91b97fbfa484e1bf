"""A controller that rejects ID 0, the newest, and answers questions for real IDs: what it has is fetched."""

import pytest

from toolcart.agent.openprotocol import recovery_phases as phases
from host_tests.agent.openprotocol.test_new_count_and_small_memory import muted
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.generated_firmware import PLAIN, Firmware
from host_tests.support.odd_controllers import OddController
from host_tests.support.world import CONTROLLER

USUAL = {**PLAIN, "first": 20, "between": 4}
CODES = [97, 74, 99, 73, 79, 15]


def firmware(monkeypatch, **given):
    return Firmware(monkeypatch, 1, **{**USUAL, "keeps": 500, **given})


@pytest.mark.parametrize(("code", "gone"), each_choice(list(CODES), ["15", "another code", "a revision"]))
def test_all_that_it_has_is_fetched(monkeypatch, code, gone):
    outages = [(12, "cut", False), (4, "cut", False), (30, "down", False)]
    one = firmware(monkeypatch, newest_rejected=code, gone=gone, outages=outages).live()
    assert one.books() == (0, 0, 0) and one.faults() == [] and one.cart.station.ledger.gone() == 0, one.cart.gone()
    assert one.cart.station.recovery.phase == phases.PHASE_IDLE


@pytest.mark.parametrize("code", CODES)
def test_what_it_no_longer_has_is_counted(monkeypatch, code):
    outages = [(12, "cut", False), (30, "cut", False)]
    one = firmware(monkeypatch, newest_rejected=code, keeps=10, outages=outages).live()
    false, twice, missing = one.books()
    assert false == twice == 0 and one.cart.station.ledger.gone() == missing < 42 - 10


@pytest.mark.parametrize("code", CODES)
def test_a_push_in_front_of_the_questions_counts_nothing_yet(monkeypatch, code):
    one = firmware(monkeypatch, newest_rejected=code)
    cart = one.cart
    cart.until_ready(2000)
    one.make(6, 700)
    cart.cut()
    cart.network.down(*CONTROLLER)
    one.make(5)
    cart.network.up(*CONTROLLER)
    cart.until_ready(60000)
    for _ in range(8):
        one.make(1, 0)
        cart.run(100)
    cart.run(400000)
    assert one.books() == (0, 0, 0) and cart.station.ledger.gone() == 0, cart.gone()


@pytest.mark.parametrize("code", [97, 99, 79])
def test_one_that_answers_no_real_id_either_is_asked_once_more(monkeypatch, code):
    one = firmware(monkeypatch, newest_rejected=code, outages=[(12, "cut", False)])
    answer = one._answer
    asked = []

    def reject_all(session, revision, number):
        asked.append(number)
        answer(session, revision, 0)

    one._answer = reject_all
    one.live()
    assert one.faults() == [] and one.cart.station.ledger.gone() == one.books()[2] == 12
    real = [number for number in asked if number]
    assert len(set(real)) == 1 and len(real) <= 11 + 5, "the highest known, in each revision"
    assert one.cart.station.recovery.phase == phases.PHASE_OFF


@pytest.mark.parametrize("code", [97, 79, 77, 1, 99])
def test_a_later_connection_does_without_the_newest_at_once(monkeypatch, code):
    one = firmware(monkeypatch, newest_rejected=code, outages=[(12, "cut", False)]).live()
    cart = one.cart
    for _ in range(3):
        before = len(cart.stored())
        cart.network.cut(*CONTROLLER)
        cart.network.down(*CONTROLLER)
        one.make(5)
        cart.network.up(*CONTROLLER)
        cart.until_ready(60000)
        cart.run(12000)
        assert len(cart.stored()) == before + 5, code


@pytest.mark.parametrize("text", ["  ", "", "79", "AB"])  # in place of each code
@pytest.mark.parametrize("revision", [1, 2, 7, 11])
def test_where_each_revision_was_rejected_what_was_pushed_is_asked_for_at_once(monkeypatch, revision, text):
    options = {"refusal_text": text, "recover_revisions": (revision,)}
    one = OddController(monkeypatch, controller=options, first_id=1000)
    one.knows_newest = False
    one.cart.until_ready(5000)
    one.make(4, 300)
    for _ in range(2):
        one.away(3, 300)
        one.make(2, 300)
        one.cart.run(12000)
        assert one.books()[2:] == (0, 0, 0), (one.books(), one.requests)


@pytest.mark.parametrize(
    ("code", "questions", "keeps", "is_twice"),
    all_pairs([1, 15, 79, 97, 99], [0, 5, 11, 12, 13, 16, 17], [3, 50], [False, True]),
)
def test_what_was_pushed_is_asked_for_again_where_the_connection_ended_in_front_of_that(
    monkeypatch, code, questions, keeps, is_twice
):
    one = OddController(monkeypatch, first_id=1000, keeps=keeps, controller={"recover_revisions": (7,)})
    one.knows_newest, one.newest_code = False, code
    cart = one.cart
    answers = muted(one, questions)
    cart.until_ready(5000)
    one.make(1, 1000)
    cart.network.down(*CONTROLLER)
    cart.run(1000)
    answers()
    one.make(3, 600)
    if is_twice:
        cart.network.up(*CONTROLLER)
        cart.until_ready(60000)
        cart.run(3000)
        cart.network.down(*CONTROLLER)
        cart.run(1000)
        answers = muted(one, questions)
        cart.network.up(*CONTROLLER)
        cart.until_ready(60000)
        cart.run(2000)
        cart.network.down(*CONTROLLER)
        cart.run(1000)
        answers()
    cart.network.up(*CONTROLLER)
    cart.until_ready(60000)
    one.make(2, 300)
    cart.run(12000)
    assert one.books()[2:] == (max(0, 5 - keeps), max(0, 5 - keeps), 0), (one.books(), one.requests)
