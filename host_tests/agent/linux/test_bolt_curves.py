"""Curves of several bolts have one result ID and one time: each is kept, and stays the curve of its bolt everywhere."""

import json

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.linux.mid0900 import READ
from toolcart.agent.record import graph as gr
from toolcart.sim import curve_frames
from toolcart.sim.profiles import profile_options
from toolcart.trace.curves import load
from host_tests.support.frames import header, message
from host_tests.support.graphs import FACTOR, TIME, Bench, cart_with_curves, curves_in, samples_for

BOLTS = (1, 2, 3)
OBJECTS = (101, 102, 103)  # the plant's choice


def fixture(named_by, objects=3, **more):
    """A cart at a fixtured system whose three bolts have curves each."""
    options = profile_options(
        "stepsync", objects=objects, trace_bolts=3, bolts_named_by=named_by, push_last_result=True
    )
    options["traces"] = (3,) if named_by == "object" else (1, 2, 3)
    return started(options, **more)


def started(options, **more):
    settings = {"toolsnet": {"extras": ["curves"]}}
    return cart_with_curves(controller=options, settings=settings, files=({"path": "lines", "graphs": True},), **more)


def lines_of(cart):
    """(spindle, bolt, object, curve) of each curve's line."""
    lines = [json.loads(line) for line in cart.lines["lines"].lines()]
    return [tuple(one[name] for name in ("spindle", "bolt", "object", "curve")) for one in lines if "curve" in one]


def sent(cart):
    """(spindle, kind) of each telegram 13, torque 0 and angle 1."""
    return [(one["spindle"], one["graph_type"]) for one in cart.archive.graphs]


@pytest.mark.parametrize("named_by", ["pid", "header", "object"])
def test_each_bolt_s_curve_is_kept_and_sent_as_its_own(named_by):
    cart = fixture(named_by)
    cart.produce(1, 8000)
    spindles = OBJECTS if named_by == "object" else BOLTS
    curves = lines_of(cart)
    assert [(spindle, what) for spindle, _, _, what in curves] == [
        (spindle, what) for spindle in spindles for what in ("torque", "angle")
    ]
    assert sent(cart) == [(spindle, kind) for spindle in spindles for kind in (0, 1)]
    assert [bolt for _, bolt, _, _ in curves] == [one if named_by == "pid" else None for one in (1, 1, 2, 2, 3, 3)]
    assert cart.counted(counter.TRACES) == 7, "and the plot parameters"
    assert cart.counted(counter.TRACES_LOST) == 0


@pytest.mark.parametrize("named_by", ["pid", "header", "object"])
def test_curves_that_come_again_after_a_restart_are_kept_once(named_by):
    cart = fixture(named_by)
    cart.produce(1, 8000)
    for _ in range(2):
        cart.cut()
        cart.run(30000)
    assert len(curves_in(cart.station.graphs)) == 7 and len(lines_of(cart)) == 6 and len(sent(cart)) == 6


def test_bolts_of_a_result_without_rows_are_kept_apart():
    for named_by in ("pid", "header"):
        cart = started({"trace_bolts": 3, "bolts_named_by": named_by})
        cart.produce(2, 8000)
        assert sent(cart) == [(bolt, kind) for _ in range(2) for bolt in BOLTS for kind in (0, 1)]


def test_curve_has_the_limits_of_its_own_row():
    cart = fixture("object")
    cart.produce(1, 8000)
    lines = [json.loads(line) for line in cart.lines["lines"].lines()]
    result = next(one for one in lines if one["type"] == "result")
    rows = {one["spindle"]: one for one in result["spindles"]["each"]}
    torques = [one for one in lines if one.get("curve") == "torque"]
    assert [one["low"] for one in torques] == [rows[one["spindle"]]["torque_min"] for one in torques]
    assert all(one["low"] is not None for one in torques)


def bolt_message(ident, bolt, what=2, spindle="01", revision=1, object_id=1, count=20, pid=1301):
    """Return a MID 0900 that names a bolt by its PID, its header or its object."""
    samples = samples_for(ident, what, count)
    fields = ((pid, 1, 0, "%04d" % bolt),) if bolt else ()
    steps = (curve_frames.resolution(0, count - 1, "2.0"),)
    more = {"fields": fields, "object_id": object_id}
    data = curve_frames.curve_data(ident, TIME, revision, what, 1, samples, FACTOR, steps, **more)
    return header(900, revision, len(data), "digits", "01", spindle) + data


def test_repeats_of_many_bolts_are_found_over_a_restart():
    bench = Bench(blocks=63, graphs=40)
    bench.put_result(7)
    frames = [bolt_message(7, bolt, what, count=768) for bolt in range(1, 13) for what in (1, 2)]
    assert [bench.put(frame) for frame in frames] == [READ] * 24
    bench.start()
    assert all(bench.put(frame) < READ for frame in frames) and len(bench.curves()) == 24
    assert bench.put(bolt_message(8, 1)) == READ and bench.put(bolt_message(7, 13)) == READ


def test_same_bolt_by_header_pid_and_object_is_told_apart_by_each():
    bench = Bench()
    bench.put_result(7)
    frames = [bolt_message(7, bolt, spindle=spindle) for bolt in (0, 1, 2) for spindle in ("  ", "02", "03")]
    frames += [bolt_message(7, 0, revision=3, object_id=one) for one in (2, 3)]
    revisions = [1] * 9 + [3] * 2
    assert [bench.put(one, revision=which) for one, which in zip(frames, revisions, strict=True)] == [READ] * 11
    for one, which in zip(frames, revisions, strict=True):
        bench.start()
        assert bench.put(one, revision=which) < READ


def test_bolt_that_is_no_number_names_none():
    bench = Bench()
    bench.put_result(7)
    for bolt in (b"   A", b"    ", b"0000"):
        frame = bolt_message(7, 1)
        at = frame.index(b"01301") + 17
        bench.put(frame[:at] + bolt + frame[at + 4 :])
    assert [(gr.bolt_of(lead, 0), gr.spindle_of(lead, 0)) for lead, _, _ in bench.curves()] == [(0, 3)]


def test_trace_tells_the_tightenings_of_bolts_apart():
    cart = fixture("pid")
    cart.produce(1, 8000)
    of_lines, _ = load(b"\n".join(cart.lines["lines"].lines()))
    of_messages, problems = load(b"".join(bolt_message(7, bolt) for bolt in BOLTS))
    parts = ["bolt 1", "bolt 2", "bolt 3"]
    assert [one.part for one in of_lines] == parts == [one.part for one in of_messages], problems


def test_plot_parameters_name_their_bolt():
    bench = Bench()
    bench.put_result(7)
    for bolt in BOLTS:
        data = curve_frames.parameter_data(7, TIME, 1, ((1301, 1, 0, "%04d" % bolt), (2002, 3, 1, "50.00")))
        assert bench.put(message(901, data), mid=901) == READ
    assert [gr.bolt_of(lead, 0) for lead, _, _ in bench.curves()] == list(BOLTS)
