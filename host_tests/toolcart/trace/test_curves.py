"""`toolcart trace`: curves out of every kind of file, as CSV and as JSON; errors in words."""

import csv
import json

import pytest

from toolcart import catalogue
from toolcart.sim import curve_frames
from toolcart.trace.curves import load
from host_tests.support.frames import message
from host_tests.support.graphs import cart_with_curves
from host_tests.support.running import toolcart

TIME = "2024-03-14:09:26:53"
TORQUE = (0, 100, 900, 2000, 1500)
ANGLE = (0, 50, 90, 100, 100)
EXAMPLE = (
    b"01480900001 0101    00012345672024-03-14:09:26:53001013010030100000000010201001001022130030100000001000010000000"
    b"007003032022.000008\0\0\0\0\x0d\x01\0\x04\x12\x0a\xff\x10\x8d\x10\x5e\xff\xe7"
)


def printed(*words, stdin=None, code=0):
    return toolcart("trace", *words, text=stdin, code=code)


def trace(what, samples, step="2.0", scale="0.01", unit=1, ident=7, **more):
    steps = (curve_frames.resolution(0, len(samples) - 1, step),)
    data = curve_frames.curve_data(ident, TIME, 1, what, unit, samples, ((2214, 3, unit, scale),), steps, **more)
    return message(900, data)


def pair(ident=7):
    return trace(2, TORQUE, ident=ident) + trace(1, ANGLE, scale="1.0", unit=50, ident=ident)


def curves(*words, stdin=None):
    return [json.loads(line) for line in printed("--json", *words, stdin=stdin).stdout.splitlines()]


def test_the_worked_example_has_its_physical_values():
    (one,) = curves(stdin=EXAMPLE)
    (curve,) = one["curves"]
    assert curve["values"] == [0, 0.13, 2.56, 10.42, 28.15, 42.37, 41.9, -0.25]
    assert curve["ms"] == [0, 2, 4, 6, 8, 10, 12, 14] and curve["unit"] == "Nm" and one["tightening_id"] == "1234567"


def test_octets_hex_and_lines_of_file_outlet_give_same_kind_of_curves(tmp_path):
    path = tmp_path / "curves"
    for octets in (pair(), pair().hex().encode(), b"\n".join([trace(2, TORQUE).hex().encode(), pair().hex().encode()])):
        path.write_bytes(octets)
        (one,) = curves(str(path))
        assert [curve["values"] for curve in one["curves"]] == [[0, 1, 9, 20, 15], [0, 50, 90, 100, 100]]
        assert one["torque_over_angle"] == [[0, 0], [50, 1], [90, 9], [100, 20], [100, 15]]
    cart = cart_with_curves(files=({"path": "lines", "graphs": True},))
    for _ in range(2):
        cart.controller.produce()
        cart.run(3000)
    path.write_bytes(cart.lines["lines"].octets)
    tightenings = curves(str(path))
    assert [one["tightening_id"] for one in tightenings] == ["1", "2"] and tightenings[0]["station"] == 10
    torque = tightenings[0]["curves"][0]
    assert max(torque["values"]) == pytest.approx(cart.controller.result(1).torque / 100, abs=0.02)
    assert len(torque["values"]) == len(torque["ms"]) == 400


def test_a_mt_focus_in_the_capture_turns_the_octets_round():
    start = catalogue.encode(2, 6, system_type=4)
    octets = trace(2, TORQUE, little=True)
    assert curves(stdin=start + b"\0" + octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert curves("--order", "little", stdin=octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert curves("--order", "big", stdin=start + b"\0" + octets)[0]["curves"][0]["values"] != [0, 1, 9, 20, 15]


def test_what_a_curve_lacks_is_reported():
    assert "5 samples are there, 9 were announced" in printed("--json", stdin=trace(2, TORQUE, announced=9)).stdout
    (one,), _ = load(message(900, curve_frames.curve_data(7, TIME, 1, 2, 1, TORQUE, (), ())))
    curve = one.curves["torque"]
    assert curve.times_ms == [] and "no coefficient" in curve.notes[0]


def test_csv_has_a_row_for_each_sample_of_each_tightening_or_of_one():
    done = printed(stdin=pair(5) + pair(6))
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["tightening_id"], row["curve"], row["unit"]) for row in rows[::5]] == [
        (ident, curve, unit) for ident in "56" for curve, unit in (("torque", "Nm"), ("angle", "deg"))
    ]
    assert [(row["ms"], row["value"]) for row in rows[:3]] == [("0.0", "0.0"), ("2.0", "1.0"), ("4.0", "9.0")]
    assert rows[0]["time"] == TIME and len(rows) == 20
    (_, first, *others) = printed("--id", "06", stdin=pair(5) + pair(6)).stdout.splitlines()
    assert first.startswith("6,") and len(others) == 9


def test_csv_leaves_ms_empty_and_notes_go_to_stderr_where_a_curve_has_no_times():
    done = printed(stdin=message(900, curve_frames.curve_data(7, TIME, 1, 2, 1, TORQUE, (), ())))
    assert {row["ms"] for row in csv.DictReader(done.stdout.splitlines())} == {""}
    assert "torque: " in done.stderr and "no coefficient" in done.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "code", "pieces"),
    [
        (["nothing"], None, 2, ("No such file", "Is the name right")),
        ([], b"hello\nworld\n", 1, ("there is no curve in standard input", "graphs")),
        (["--id", "9"], pair(), 1, ("no curve is of tightening 9", "There are 7")),
        (["--json"], b'{"schema":1,"type":"graph"}\n{"schema":1,"type":"graph",broken\n', 1, ("line 1", "line 2")),
        ([], b"\n".join([b"x"] * 50), 1, ("toolcart:",)),
    ],
)
def test_errors_say_what_happened_and_what_to_do(words, stdin, code, pieces):
    output = printed(*words, stdin=stdin, code=code).output
    assert all(piece in output for piece in pieces) and output.count("toolcart:") <= 6
