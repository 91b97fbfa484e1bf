"""A MID 0004 without a code, or one that names its request otherwise, is a rejection at once, and told as it is."""

import pytest

import toolcart
from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import of_station
from toolcart.agent.openprotocol.error_codes import NO_CODE, UNNAMED, code_of, named_in, noted
from toolcart.agent.openprotocol.question_revisions import REVISIONS
from toolcart.agent.openprotocol.session_states import READY
from toolcart.codec.ask import Asking
from toolcart.sim.controller_session import ControllerSession
from toolcart.tools.doctor.controller import over_tcp
from toolcart.tools.messages.log_entries import explain
from toolcart.tools.messages.reasons import of_controller, with_code
from host_tests.support.combinations import each_choice
from host_tests.support.world import Cart as World
from lab.harness.cart import Cart

CODELESS = ("", "  ", "AB", "9A", "\0\0", "-1", " ")
SOON_MS = 20000  # it took 186 s


def begun(**options):
    """A cart at a controller like this, as soon as it has a session."""
    cart = Cart(controller=options, blocks=24)
    station = cart.station
    cart.until(lambda: station.session is not None and station.session.state == READY, SOON_MS)
    return cart


def refusals(cart):
    return [value for _, code, value in cart.station.counters.log.entries() if code == counter.CONTROLLER_REFUSALS]


def test_every_code_that_is_none_is_read_as_none():
    for text in CODELESS:
        assert code_of(b"0060" + text.encode() + b"97", 4, 4 + len(text)) == NO_CODE, text
    for text, code in (
        ("00", 0),
        ("97", 97),
        ("097", 97),
        (" 9", 9),
        ("9 ", 9),
        ("97X", 97),
        ("0097", 97),
        ("999", 999),
    ):
        assert code_of(text.encode(), 0, len(text)) == code, text
    assert code_of(b"9999", 0, 4) == NO_CODE


def test_mid_that_is_named_is_read_padded_and_cut_short():
    for text, mid in (
        ("0060", 60),
        ("  60", 60),
        ("60  ", 60),
        ("60", 60),
        ("060", 60),
        ("    ", UNNAMED),
        ("", UNNAMED),
    ):
        assert named_in(text.encode() + b"    ", 0, len(text)) == mid, text
    assert named_in(b"00A0", 0, 4) < 0 and noted(60, NO_CODE) == -61 and noted(60, 97) == 60097


@pytest.mark.parametrize("text", CODELESS)
def test_rejections_without_a_code_cost_no_time_and_are_reported_so(text):
    cart = begun(start_revisions=(1,), result_revisions=(2, 1), refusal_text=text)
    assert -2 in refusals(cart) and -61 in refusals(cart)
    cart.produce(2, 2000)
    assert cart.ids() == [1, 2]


@pytest.mark.parametrize("named", ["short", "padded", "blank"])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_answers_that_name_their_request_otherwise_cost_no_time(named, text):
    cart = begun(start_revisions=(1,), result_revisions=(1,), names_answered=named, refusal_text=text)
    cart.produce(2, 2000)
    assert cart.ids() == [1, 2] and (60097 if text is None else -61) in refusals(cart)


def test_people_read_that_there_was_no_code():
    assert explain("controller refusals", -61, 1) == "the controller rejected MID 0060 without a code"
    assert "without a code" in with_code(NO_CODE) == with_code(None) and with_code(97).startswith("with code 97 (")
    cart = Cart(controller={"start_revisions": (), "refusal_text": "  "}, blocks=24)
    cart.run(30000)
    controller = of_station(cart.station, cart.clock.now)["controller"]
    words = of_controller(controller).words
    assert controller["why_code"] == NO_CODE and words.endswith("0004 without a code") and "no error" not in words


def test_a_client_is_refused_without_a_code():
    with toolcart.simulated.controller(refuse={18: 3}, refusal_text="  ") as simulated:
        with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
            with pytest.raises(toolcart.Refused, match="0004 for 0018, without a code") as error:
                controller.select_pset(7)
    assert error.value.code is None


def test_a_client_is_refused_at_once_by_an_unnamed_answer():
    with toolcart.simulated.controller(refuse={18: 3}, names_answered="blank") as simulated:
        with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
            with pytest.raises(toolcart.Refused, match="0004 for 0018: code 03"):
                controller.select_pset(7)


def words_of_doctor(simulated):
    """Return what doctor finds at this controller, in one text."""
    settings = {
        "host": simulated.host,
        "port": simulated.port,
        "start_revisions": [5, 1],
        "result_revisions": [3, 2],
    }
    return " ".join(one.words for one in over_tcp("station 1", settings))


def test_doctor_and_ask_go_on_after_a_rejection_without_a_code():
    options = {"start_revisions": (1,), "result_revisions": (2,), "refusal_text": "", "names_answered": "short"}
    with toolcart.simulated.controller(**options) as simulated:
        asking = Asking(simulated.host, simulated.port, 2)
        assert asking.start().revision == 1
        asking.leave()
        words = words_of_doctor(simulated)
    assert "results are pushed in revision 2" in words and "no error" not in words


@pytest.mark.parametrize(("text", "revision"), each_choice([*CODELESS, "00", "01", "77", "79", "999"], [2, 6, 11]))
def test_old_results_are_asked_for_in_each_revision(monkeypatch, text, revision):
    recover = ControllerSession._recover

    def only(session, in_revision, tightening_id):
        if in_revision == revision:
            recover(session, in_revision, tightening_id)
        else:
            session.say(4, 1, b"0064" + text.encode())

    monkeypatch.setattr(ControllerSession, "_recover", only)
    cart = World(controller={"recover_revisions": (revision,)}).until_ready(2000)
    cart.produce(3, 200)
    for _ in range(2):
        cart.miss(3, 200)
        cart.settle()
        cart.produce(1, 200)
    assert cart.stored_ids() == cart.controller.produced and cart.station.ledger.gone() == 0


@pytest.mark.parametrize("text", ["", "79"])
def test_no_revision_is_asked_for_again_and_again(text):
    cart = World(controller={"recover_revisions": (), "refuse": {64: 79}, "refusal_text": text}).until_ready(2000)
    cart.produce(3, 200)
    cart.miss(3, 200)
    cart.run(600000)
    cart.produce(1, 200)
    cart.run(3000)  # what was skipped may come behind it
    assert len(cart.stored_ids()) + cart.station.ledger.gone() == len(cart.controller.produced)
    assert cart.controller.messages[64] <= 4 * len(REVISIONS)


@pytest.mark.parametrize("text", ["", "79"])
def test_each_revision_is_asked_for_once_more_when_something_may_be_kept_and_then_no_more(text):
    cart = World(controller={"recover_revisions": (), "refuse": {64: 79}, "refusal_text": text}).until_ready(2000)
    cart.produce(3, 200)
    assert cart.controller.messages[64] == len(REVISIONS)
    asked = []
    for _ in range(4):
        before = cart.controller.messages[64]
        cart.miss(1, 200)
        cart.run(60000)
        asked.append(cart.controller.messages[64] - before)
    assert asked == [2 * len(REVISIONS) + 1, 2, 2, 2]  # the first time what was pushed is asked for in each, too
