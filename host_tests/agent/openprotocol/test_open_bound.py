"""How many results may be missing, as it is shown: what was stored is not one of them."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_session import ControllerSession
from host_tests.support.combinations import all_pairs
from host_tests.support.recovery import Bench
from host_tests.support.world import Cart


def test_what_is_pushed_before_an_answer_is_not_missing():
    bench = Bench().open()
    for _ in range(9):
        bench.live()
        assert missing_most(bench.ledger) == 0
    for _ in range(4):
        bench.memory.make()
    bench.live()
    bench.live()
    assert missing_most(bench.ledger) == 4
    bench.start()
    assert missing_most(bench.ledger) == 4
    bench.open().settle()
    assert missing_most(bench.ledger) == 0 and len(bench.stored()) == 15


def test_empty_memory_that_is_reported_by_another_code():
    cart = Cart(toolsnet=None, controller={"refuse": {64: 8}}).until_ready(2000)
    for _ in range(20):
        cart.produce(1, 1000)
        assert missing_most(cart.station.ledger) == 0


def test_what_pushes_skipped_is_no_more_than_what_the_newest_has_shown():
    bench = Bench().met(5)
    bench.away(6)
    assert bench.ask() == 0
    bench.answer(bench.memory.find(0))  # above the highest known
    bench.live()
    assert missing_most(bench.ledger) == 6


def unusable(how, result, revision, session):
    """Return the octets of an answer that shows no ID."""
    content = frames.old_result_data(result, revision, session.options.pad, ())
    ident = content.index(b"01%010d" % result.tightening_id)
    content = {
        "rubbish": b"#" * len(content),
        "header": b"",
        "blank": content[:ident] + b"01" + b" " * 10 + content[ident + 12 :],
        "other": frames.result_data(result, 1, session.options.pad),
    }[how]
    return b"%04d0065%03d         " % (20 + len(content), revision) + content + b"\0"


@pytest.mark.parametrize(
    ("how", "begins", "ending"),
    all_pairs(["rubbish", "header", "blank", "other"], ["never", "live", "away", "between"], [Cart.drop, Cart.cut]),
)
def test_what_pushes_skip_is_open_where_no_answer_can_be_used_also_of_a_count_that_begins_anew(
    monkeypatch, how, begins, ending
):
    monkeypatch.setattr(
        ControllerSession,
        "_say_old",
        lambda session, result, revision, spindle=None: session.deliver(unusable(how, result, revision, session)),
    )
    cart = Cart(toolsnet=None, first_id=300).until_ready(8000)
    controller = cart.controller
    cart.produce(5, 400)
    if begins == "live":
        controller.reset_ids()
    cart.produce(1, 400)
    for missed in (6, 4):
        if begins == ("away" if missed == 6 else "between"):
            cart.drop()
            controller.reset_ids()
        cart.miss(missed, 100)
        cart.run(9000)
        cart.produce(3, 400)
    lacking = len(controller.produced) - len(cart.stored_ids())
    ledger = cart.station.ledger
    assert (missing_most(ledger) + ledger.gone(), lacking) == (10, 10)
    ending(cart)
    cart.run(1800000)
    ledger = cart.station.ledger
    assert missing_most(ledger) + ledger.gone() == 10
