"""An outage longer than the memory of a controller that does not answer 15 for what is gone: the rest is fetched."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import id_ownership
from toolcart.agent.openprotocol import recovery_phases as phases
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.generated_firmware import PLAIN, Firmware
from host_tests.support.odd_controllers import OddController

USUAL = {**PLAIN, "first": 500, "keeps": 10, "between": 4}
EVERYWHERE = pytest.mark.parametrize("most", [id_ownership.GONE_OWN, id_ownership.GONE_SHARED])


def firmware(monkeypatch, most, **given):
    monkeypatch.setattr(id_ownership, "GONE_OWN", most)
    return Firmware(monkeypatch, 1, **{**USUAL, **given}).live()


def check(one, made):
    """All that it still has is in the log, and all else counts as gone."""
    false, twice, missing = one.books()
    assert one.faults() == [] and false == twice == 0 and one.cart.station.recovery.phase == phases.PHASE_IDLE
    dropped = max(made + one.traits["between"] - one.traits["keeps"], 0)  # in the meantime, too
    assert one.cart.station.ledger.gone() == missing <= dropped, one.cart.gone()


@EVERYWHERE
@pytest.mark.parametrize(("found", "made"), each_choice(["newest", "nearest", "oldest"], [5, 12, 40]))
def test_another_result_under_its_own_id(monkeypatch, found, made, most):
    check(firmware(monkeypatch, most, found=found, outages=[(made, "cut", False)]), made)


@EVERYWHERE
@pytest.mark.parametrize("made", [5, 12, 40])
def test_the_newest_under_the_id_asked_for(monkeypatch, made, most):
    check(firmware(monkeypatch, most, found="newest", named="as asked", outages=[(made, "cut", False)]), made)


@EVERYWHERE
@pytest.mark.parametrize(("gone", "made"), each_choice(["later", "busy"], [5, 12, 40]))
def test_a_word_that_it_will_be_answered_later(monkeypatch, gone, made, most):
    one = firmware(monkeypatch, most, gone=gone, outages=[(made, "cut", False)])
    one.cart.run(200000)
    check(one, made)


@EVERYWHERE
@pytest.mark.parametrize("made", [5, 12, 40])
def test_silence(monkeypatch, made, most):
    one = firmware(monkeypatch, most, gone="silence", outages=[(made, "cut", False)])
    one.cart.run(1200000)
    check(one, made)


@EVERYWHERE
@pytest.mark.parametrize("gone", ["later", "silence"])
def test_a_count_that_began_again(monkeypatch, gone, most):
    one = firmware(monkeypatch, most, gone=gone, outages=[(5, "cut", True)])
    one.cart.run(1200000)
    false, twice, missing = one.books()
    assert one.faults() == [] and false == twice == 0 and missing == one.unknowable == 2


@EVERYWHERE
@pytest.mark.parametrize("gone", ["later", "silence"])
def test_what_lies_above_the_newest_where_id_zero_is_not_known(monkeypatch, gone, most):
    one = firmware(monkeypatch, most, gone=gone, keeps=50, newest_rejected=97, outages=[(5, "cut", False)])
    one.cart.run(1200000)
    check(one, 5)


@pytest.mark.parametrize(("gone", "keeps", "limit"), all_pairs(["later", "busy"], [2, 5], [0, 255]))
def test_the_newest_may_be_gone_before_a_new_count_is_proven(monkeypatch, gone, keeps, limit):
    first = 250 if limit else 1000
    outages = [(8, "down", not limit)]
    settings = {"gone": gone, "keeps": keeps, "limit": limit, "first": first, "at_once": 1, "between": 5}
    one = firmware(monkeypatch, id_ownership.GONE_OWN, outages=outages, **settings)
    one.cart.run(1500000)
    ledger = one.cart.station.ledger
    assert one.books()[2] <= ledger.gone() + one.unknowable
    assert one.cart.station.recovery.phase == phases.PHASE_IDLE


@pytest.mark.parametrize(("keeps", "at_once", "made"), all_pairs([1, 4, 9], [0, 1, 5], [9, 20]))
def test_the_newest_under_each_id_that_is_asked_for_says_nothing_about_that_of_its_push(
    monkeypatch, keeps, at_once, made
):
    settings = {"found": "newest", "named": "as asked", "keeps": keeps, "at_once": at_once, "settles": True}
    one = firmware(monkeypatch, id_ownership.GONE_OWN, first=1, outages=[(made, "down", False)], **settings)
    assert one.faults() == [] and one.books()[:2] == (0, 0)
    assert one.cart.station.ledger.gone() <= made


@pytest.mark.parametrize("skipped", [1, 2, 5])
@pytest.mark.parametrize(("keeps", "rejects_every_second"), [(2, False), (4, False), (4, True)])
def test_the_newest_under_an_id_that_was_never_made_shows_no_offset(monkeypatch, skipped, keeps, rejects_every_second):
    odd = OddController(monkeypatch, answers="under the ID asked for", keeps=keeps, first_id=500)
    cart = odd.cart
    answer = odd._answer
    count = [0]

    def answers(session, revision, number):
        count[0] += 1
        if rejects_every_second and count[0] % 2:
            session.refuse(64, 79)
        else:
            answer(session, revision, number)

    odd._answer = answers
    cart.until_ready(2000)
    odd.make(4)
    cart.run(20000)
    never = []
    for _ in range(2):
        odd.away(5)
        odd.make(2, 500)
        cart.run(20000)
        never += range(cart.controller._next_id, cart.controller._next_id + skipped)
        cart.controller._next_id += skipped
        odd.make(3, 500)
        cart.run(100000)
    odd.away(3)
    odd.make(2)
    cart.run(600000)
    assert cart.counted(counter.IDS_OFF) == 0 and cart.station.recovery.offset.by == 0
    torques = dict(zip(cart.controller.produced, odd.made, strict=True))
    assert {one: torques.get(one) for one in cart.stored_ids()} == dict(zip(cart.stored_ids(), odd.rows(), strict=True))
    assert not set(never) & set(cart.stored_ids())
    _, again, missing, gone, opened = odd.books()
    assert (again, opened) == (0, 0) and missing + len(never) <= gone, odd.books()
    assert rejects_every_second or missing + len(never) == gone, odd.books()
