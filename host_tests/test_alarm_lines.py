"""Alarms on their whole way from the controller into the lines of a file, beside results and in their order."""

import json

from host_tests.support_world import CONTROLLER, Cart


def cart_of(**options):
    files = ({"kind": "file", "path": "lines", "rotate_kib": 64, "keep": 1},)
    return Cart(controller=dict({"max_clients": 9}, **options), files=files).ready()


def lines_of(cart):
    return [json.loads(line) for line in cart.lines["lines"].lines()]


def told(cart):
    return [
        (line["event"], line["code"], line["text"]) if line["type"] == "event" else line["tightening_id"]
        for line in lines_of(cart)
    ]


def test_alarms_are_subscribed_and_stand_in_the_file_in_their_order():
    for revisions in ((1,), (2, 1), (3, 2, 1)):
        cart = cart_of(alarm_revisions=revisions)
        cart.controller.produce()
        cart.run(2000)
        cart.controller.raise_alarm("E404", "Tool hot")
        cart.run(2000)
        cart.controller.produce()
        cart.run(2000)
        cart.controller.acknowledge_alarm("E404")
        cart.run(5000)
        text = "" if revisions == (1,) else "Tool hot"
        assert told(cart) == ["1", ("alarm", "E404", text), "2", ("alarm acknowledged", "E404", "")]
        messages = cart.controller.messages
        assert (messages[70], messages[72], messages[75]) == (4 - max(revisions), 1, 1)
        assert cart.controller.complaints == []


def test_an_alarm_that_stands_is_told_once_over_every_connection_and_start():
    cart = cart_of()
    cart.controller.raise_alarm("E404", "Tool hot")
    cart.run(3000)
    for _ in range(3):
        cart.network.cut(CONTROLLER[0], CONTROLLER[1])
        cart.run(40000)
    cart.cut()
    cart.run(40000)
    assert cart.controller.messages[77] >= 4
    assert told(cart) == [("alarm", "E404", "Tool hot")]


def test_a_controller_that_knows_no_alarms_is_served_all_the_same():
    cart = cart_of(unknown_mids=(70,))
    cart.controller.produce()
    cart.run(3000)
    assert told(cart) == ["1"] and cart.is_ready()
