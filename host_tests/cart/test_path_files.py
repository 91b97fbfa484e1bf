"""The whole way with files beside ToolsNet: each outlet for itself, no one waits, and a person sees what happens."""

import json

from toolcart.agent.cart.liveness import Liveness
from toolcart.agent.cart.status import snapshot
from lab.harness.cart import Cart

PORTABLE = False

DURABLE = {"path": "a.jsonl"}
BEST_EFFORT = {"path": "b.jsonl", "durable": False}


def started(*files, **settings):
    cart = Cart(files=files, **settings)
    cart.until_ready()
    cart.run(500)
    return cart


def produce(cart, count, every_ms=300):
    for _ in range(count):
        cart.controller.produce()
        cart.run(every_ms)


def in_file(cart, path="a.jsonl"):
    return [int(json.loads(line)["tightening_id"]) for line in cart.lines[path].lines()]


def ids(last, first=1):
    return list(range(first, last + 1))


def test_every_outlet_gets_every_result_once_and_in_order():
    cart = started(DURABLE, BEST_EFFORT, {"path": "c.jsonl"})
    produce(cart, 30)
    cart.until_quiet()
    assert cart.ids() == in_file(cart) == in_file(cart, "b.jsonl") == in_file(cart, "c.jsonl") == ids(30)
    assert cart.controller.acknowledged == ids(30)
    first = json.loads(cart.lines["a.jsonl"].lines()[0])
    assert (first["station"], first["number"], first["vin"]) == (10, 1, cart.controller.result(1).vin.decode())


def test_cuts_lose_and_double_nothing_in_the_file():
    cart = started(DURABLE)
    for kept in (0, 40, 900, 5):
        produce(cart, 5, 40)
        cart.lines["a.jsonl"].cut(kept)
        cart.cut()
        cart.until_ready()
    produce(cart, 5)
    cart.until_quiet()
    assert in_file(cart) == cart.ids() == ids(25)


def test_a_person_sees_every_outlet():
    cart = started(DURABLE)
    produce(cart, 3)
    cart.until_quiet()
    toolsnet, file = snapshot(cart.app)["stations"][0]["outlets"]
    assert (toolsnet["kind"], toolsnet["durable"], toolsnet["state"], toolsnet["waiting"]) == (
        "toolsnet",
        True,
        "streaming",
        0,
    )
    assert (file["kind"], file["durable"], file["state"], file["lines_written"]) == ("file", True, "writing", 3)
    cart.lines["a.jsonl"].refuses = ("sync", "open")
    produce(cart, 1)
    shown = snapshot(cart.app)["stations"][0]
    assert (shown["outlets"][1]["is_up"], shown["outlets"][1]["waiting"], shown["outlets"][1]["why"]) == (
        False,
        1,
        "it refuses",
    )
    assert shown["backlog"] == 0 and shown["counters"]["outlet failed"] == 1
    json.dumps(shown)


def test_file_that_is_tried_again_and_again_is_no_reason_for_restart():
    cart = started(DURABLE)
    cart.lines["a.jsonl"].refuses = ("open", "sync")
    produce(cart, 1)
    liveness = Liveness(cart.app, cart.clock.now)
    for _ in range(60):
        cart.run(60000)
        assert liveness.may_feed(cart.clock.now), liveness.reason
