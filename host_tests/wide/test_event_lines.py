"""What a controller tells on its whole way into the lines of a file, beside results and in their order."""

import json

from host_tests.support.world import CONTROLLER, Cart

ALL = {"events": ["alarms", "job", "pset", "vin"]}


def cart_of(settings=None, **options):
    files = ({"kind": "file", "path": "lines", "keep": 1},)
    return Cart(
        controller=dict({"max_clients": 9}, **options), files=files, settings={"controller": settings or {}}
    ).ready()


def lines_of(cart):
    return [json.loads(line) for line in cart.lines["lines"].lines()]


def told(cart):
    return [
        (line["event"], line["code"], line["text"]) if line["type"] == "event" else line["tightening_id"]
        for line in lines_of(cart)
    ]


def events(cart, *names):
    return [[line[name] for name in names] for line in lines_of(cart) if line["type"] == "event"]


def test_parameter_sets_jobs_and_vehicles_stand_in_the_file_once():
    for psets, jobs, vehicles in (((1,), (1,), (1,)), ((1, 2), (1, 2, 3, 4, 5), (1, 2))):
        cart = cart_of(ALL, pset_revisions=psets, job_revisions=jobs, vin_revisions=vehicles, job_at_once=True)
        cart.controller.select_pset(12)
        cart.controller.select_job(7)
        cart.controller.identify("WVW1", "second")
        cart.run(2000)
        for counter in (1, 2, 3):
            cart.controller.produce()
            cart.controller.tell_job(batch_counter=counter, tightening=1)
            cart.run(1000)
        for _ in range(2):
            cart.network.cut(CONTROLLER[0], CONTROLLER[1])
            cart.run(40000)
        cart.controller.tell_job(batch_counter=4, status=1)
        cart.run(2000)
        cart.cut()
        cart.run(40000)
        new = len(jobs) > 1
        assert events(cart, "event", "code", "text", "identifier_2", "job_status", "batch_counter") == [
            ["parameter set", "12", "Screw 12" if new else "", None, None, None],
            ["job", "7", "", None, "not completed", 0],
            ["vehicle", "", "WVW1", "second" if new else None, None, None],
            ["job", "7", "", None, "OK", 4],
        ]
        assert events(cart, "program_changed", "batch_size", "last_tightening", "job_sequence", "time_source") == [
            ["2024-02-01T08:00:00", None, None, None, "agent"],
            [None, 4, "off" if new else None, 1 if new else None, "controller"],
            [None, None, None, None, "agent"],
            [None, 4, "OK" if new else None, 1 if new else None, "controller"],
        ]
        assert cart.controller.complaints == [] and cart.is_ready()


def test_limits_of_a_selected_parameter_set_are_asked_for_at_once():
    cart = cart_of({"events": ["pset"], "limits": "ask"})
    cart.controller.select_pset(12)
    cart.run(2000)
    cart.controller.produce(pset=12, pset_change=cart.controller.psets[12].changed)
    cart.run(2000)
    result = next(line for line in lines_of(cart) if line["type"] == "result")
    assert (result["torque_min"], result["torque_target"], result["angle_max"]) == ("40.00", "45.00", 90)
    cart.controller.change_pset(12, torque_min=3900)
    cart.controller.select_pset(12)
    cart.run(2000)
    cart.controller.produce(pset=12, pset_change=cart.controller.psets[12].changed)
    cart.run(2000)
    assert lines_of(cart)[-1]["torque_min"] == "39.00" and cart.controller.messages[12] == 3


def test_results_that_are_gone_are_a_line_with_their_ids():
    cart = cart_of()
    cart.settle()
    cart.controller.produce()
    cart.settle()
    cart.controller.jump_ids(2)
    cart.controller.produce()
    cart.settle()
    cart.run(5000)
    (line,) = [line for line in lines_of(cart) if line["type"] == "event"]
    assert (line["event"], line["code"], line["first_id"], line["last_id"]) == ("results gone", "none", "2", "3")
    assert (line["count"], line["total"], line["id_epoch"]) == (2, 2, 0) and line["time_source"] == "agent"
    assert told(cart)[0] == "1" and told(cart)[1] == "4"
