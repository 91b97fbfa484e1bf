"""What a controller tells on its whole way into the lines of a file, beside results and in their order."""

import json
from pathlib import Path

from toolcart.agent.cart import settings
from toolcart.agent.cart.status import snapshot
from toolcart.agent.cart.watchdog import Liveness
from toolcart.agent.linux.controller_events import ROWS
from toolcart.agent.linux.toolsnet_events import WORDS
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record.text import describe
from host_tests.support.log import numbers
from host_tests.support.world import CONTROLLER
from host_tests.support.world import Cart as Alone
from lab.harness.cart import Cart

ALL = {"events": ["alarms", "job", "pset", "vin"]}


def choices(table):
    """The words that the setting `events` of this table allows."""
    (row,) = (row.split() for row in table.split("\n") if row.startswith("events "))
    return row[-1].split(",")


def test_every_event_has_its_words_in_settings_lines_and_schema():
    assert choices(settings.TOOLSNET) == list(WORDS)
    assert sorted(choices(settings.CONTROLLER)) == sorted({word for word, _, _ in ROWS})
    assert set(choices(settings.CONTROLLER)) <= set(WORDS)
    words = []
    for what in sorted(what for whats in WORDS.values() for what in whats):
        page = bytearray(ev.EVENT_MOST)
        ev.put_event(page, 0, 1, 10, what)
        words.append(describe(page, 0, KIND_EVENT, 0, ev.end_text(page, 0, 0))["event"])
    schema = json.loads((Path(__file__).resolve().parents[3] / "docs/outlets.schema.json").read_text(encoding="utf-8"))
    (enum,) = [one["properties"]["event"]["enum"] for one in schema["$defs"].values() if "event" in one["properties"]]
    assert words == enum


def cart_of(settings=None, **options):
    files = ({"kind": "file", "path": "lines", "keep": 1},)
    return Alone(
        controller=dict({"max_clients": 9}, **options), files=files, settings={"controller": settings or {}}
    ).ready()


def lines_of(cart):
    return [json.loads(line) for line in cart.lines["lines"].lines()]


def outline(cart):
    return [
        (line["event"], line["code"], line["text"]) if line["type"] == "event" else line["tightening_id"]
        for line in lines_of(cart)
    ]


def events(cart, *names):
    return [[line[name] for name in names] for line in lines_of(cart) if line["type"] == "event"]


def test_parameter_sets_jobs_and_vehicles_are_in_the_file_once():
    for psets, jobs, vehicles in (((1,), (1,), (1,)), ((1, 2), (1, 2, 3, 4, 5), (1, 2))):
        cart = cart_of(ALL, pset_revisions=psets, job_revisions=jobs, vin_revisions=vehicles, job_at_once=True)
        cart.controller.select_pset(12)
        cart.controller.select_job(7)
        cart.controller.identify("WVW1", "second")
        cart.run(2000)
        for counter in (1, 2, 3):
            cart.produce()
            cart.controller.push_job(batch_counter=counter, tightening=1)
            cart.run(1000)
        for _ in range(2):
            cart.network.cut(CONTROLLER[0], CONTROLLER[1])
            cart.run(40000)
        cart.controller.push_job(batch_counter=4, status=1)
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
    cart.produce(1, 2000, pset=12, pset_change=cart.controller.psets[12].changed)
    result = next(line for line in lines_of(cart) if line["type"] == "result")
    assert (result["torque_min"], result["torque_target"], result["angle_max"]) == ("40.00", "45.00", 90)
    cart.controller.change_pset(12, torque_min=3900)
    cart.controller.select_pset(12)
    cart.run(2000)
    cart.produce(1, 2000, pset=12, pset_change=cart.controller.psets[12].changed)
    assert lines_of(cart)[-1]["torque_min"] == "39.00" and cart.controller.messages[12] == 3


PORTABLE = False

DURABLE = {"name": "a", "path": "a.jsonl"}
BEST_EFFORT = {"name": "b", "path": "b.jsonl", "durable": False}


def started(*files, **settings):
    return Cart(files=files, **settings).until_ready(and_ms=500)


def in_file(cart, path="a.jsonl"):
    return [int(json.loads(line)["tightening_id"]) for line in cart.lines[path].lines()]


def test_every_outlet_gets_every_result_once_and_in_order():
    cart = started(DURABLE, BEST_EFFORT, {"name": "c", "path": "c.jsonl"})
    cart.produce(30, 300)
    cart.until_quiet()
    assert cart.ids() == in_file(cart) == in_file(cart, "b.jsonl") == in_file(cart, "c.jsonl") == numbers(1, 30)
    assert cart.controller.acknowledged == numbers(1, 30)
    first = json.loads(cart.lines["a.jsonl"].lines()[0])
    assert (first["station"], first["number"], first["vin"]) == (10, 1, cart.controller.result(1).vin.decode())


def test_cuts_lose_and_double_nothing_in_the_file():
    cart = started(DURABLE)
    for kept in (0, 40, 900, 5):
        cart.produce(5, 40)
        cart.lines["a.jsonl"].cut(kept)
        cart.cut()
        cart.until_ready()
    cart.produce(5, 300)
    cart.until_quiet()
    assert in_file(cart) == cart.ids() == numbers(1, 25)


def test_one_of_several_files_goes_and_others_change_places_and_each_has_every_result():
    for names in ("b", "ba", "bac", "cb", "cab"):
        cart = started(DURABLE, {"name": "b", "path": "b.jsonl"}, {"name": "c", "path": "c.jsonl"})
        cart.produce(3, 300)
        cart.lines["b.jsonl"].refuses = cart.lines["c.jsonl"].refuses = ("open", "sync")
        cart.produce(5, 300)
        cart.lines["c.jsonl"].refuses = ()
        cart.run(60000)
        cart.lines["b.jsonl"].refuses = ()
        assert cart.station.state.save()
        other = Cart(files=[{"name": name, "path": name + ".jsonl"} for name in names])
        cart.configuration = other.configuration
        cart.lines["a.jsonl"].is_open = False
        cart.cut()
        cart.until_ready()
        cart.produce(2, 300)
        cart.until_quiet()
        for name in names:
            assert in_file(cart, name + ".jsonl") == numbers(1, 10), (names, name)
        assert [one for one in cart.station.at_start.removed if one[1]] == [], names


def test_a_file_that_was_restored_gets_again_what_the_spool_still_has():
    cart = started(DURABLE)
    cart.produce(3, 300)
    older = cart.lines["a.jsonl"].octets
    cart.produce(5, 300)
    assert cart.station.state.save()
    cart.cut()
    cart.lines["a.jsonl"].octets = older
    cart.until_ready()
    cart.produce(1)
    cart.until_quiet()
    assert in_file(cart) == numbers(1, 9)
    assert cart.station.state.save()
    cart.cut()
    cart.lines["a.jsonl"].octets = older.replace(b'"VIN', b'"XIN').replace(b'"vin":"', b'"vin":"of another')
    cart.until_ready()
    cart.produce(1)
    cart.until_quiet()
    assert in_file(cart) == [1, 2, 3, *numbers(1, 10)], "what is not of this spool says nothing of it"


def test_a_person_sees_every_outlet():
    cart = started(DURABLE)
    cart.produce(3, 300)
    cart.until_quiet()
    toolsnet, file = snapshot(cart.app)["stations"][0]["outlets"]
    assert (toolsnet["kind"], toolsnet["durable"], toolsnet["state"], toolsnet["waiting"]) == (
        "toolsnet",
        True,
        "streaming",
        0,
    )
    assert (file["kind"], file["durable"], file["state"], file["lines_written"]) == ("file", True, "open", 3)
    cart.lines["a.jsonl"].refuses = ("sync", "open")
    cart.produce(1, 300)
    station = snapshot(cart.app)["stations"][0]
    assert (station["outlets"][1]["is_up"], station["outlets"][1]["waiting"], station["outlets"][1]["why"]) == (
        False,
        1,
        "it refuses",
    )
    assert station["backlog"] == 1 and station["counters"]["outlet failed"] == 1
    json.dumps(station)


def test_file_that_is_tried_again_and_again_is_no_reason_for_restart():
    cart = started(DURABLE)
    cart.lines["a.jsonl"].refuses = ("open", "sync")
    cart.produce(1, 300)
    liveness = Liveness(cart.app, cart.clock.now)
    for _ in range(60):
        cart.run(60000)
        assert liveness.may_feed(cart.clock.now), liveness.reason
