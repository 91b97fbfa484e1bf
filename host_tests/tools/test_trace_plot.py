"""`toolcart trace plot`: a curve out of every kind of file, as numbers, letters and a picture; errors in words."""

import json

import pytest
from click.testing import CliRunner

from toolcart.agent import catalogue
from toolcart.sim import trace_frames as made
from toolcart.tools.cli.main import main
from toolcart.trace.curves import load
from toolcart.trace.draw import panels
from host_tests.support.frames import message
from host_tests.wide.test_graphs import cart_of

TIME = "2024-03-14:09:26:53"
TORQUE = (0, 100, 900, 2000, 1500)
ANGLE = (0, 50, 90, 100, 100)
EXAMPLE = (
    b"01480900001 0101    00012345672024-03-14:09:26:53001013010030100000000010201001001022130030100000001000010000000"
    b"007003032022.000008\0\0\0\0\x0d\x01\0\x04\x12\x0a\xff\x10\x8d\x10\x5e\xff\xe7"
)


def run(*words, stdin=None):
    return CliRunner().invoke(main, ["trace", "plot", *words], input=stdin)


def trace(what, samples, step="2.0", scale="0.01", unit=1, ident=7, **more):
    steps = (made.resolution(0, len(samples) - 1, step),)
    data = made.curve_data(ident, TIME, 1, what, unit, samples, ((2214, 3, unit, scale),), steps, **more)
    return message(900, data)


def pair(ident=7):
    return trace(2, TORQUE, ident=ident) + trace(1, ANGLE, scale="1.0", unit=50, ident=ident)


def numbers(*words, stdin=None):
    done = run("--json", *words, stdin=stdin)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_worked_example_has_its_physical_values():
    (one,) = numbers(stdin=EXAMPLE)
    (curve,) = one["curves"]
    assert curve["values"] == [0, 0.13, 2.56, 10.42, 28.15, 42.37, 41.9, -0.25]
    assert curve["ms"] == [0, 2, 4, 6, 8, 10, 12, 14] and curve["unit"] == "Nm" and one["tightening_id"] == "1234567"


def test_octets_hex_and_lines_of_file_outlet_give_same_kind_of_curves(tmp_path):
    path = tmp_path / "curves"
    for octets in (pair(), pair().hex().encode(), b"\n".join([trace(2, TORQUE).hex().encode(), pair().hex().encode()])):
        path.write_bytes(octets)
        (one,) = numbers(str(path))
        assert [curve["values"] for curve in one["curves"]] == [[0, 1, 9, 20, 15], [0, 50, 90, 100, 100]]
        assert one["torque_over_angle"] == [[0, 0], [50, 1], [90, 9], [100, 20], [100, 15]]
    cart = cart_of()
    for _ in range(2):
        cart.controller.produce()
        cart.run(3000)
    path.write_bytes(cart.lines["lines"].octets)
    found = numbers(str(path))
    assert [one["tightening_id"] for one in found] == ["1", "2"] and found[0]["station"] == 10
    torque = found[0]["curves"][0]
    assert max(torque["values"]) == pytest.approx(cart.controller.result(1).torque / 100, abs=0.02)
    assert len(torque["values"]) == len(torque["ms"]) == 400


def test_a_mt_focus_in_the_capture_turns_the_octets_round():
    start = catalogue.encode(2, 6, system_type=4)
    octets = trace(2, TORQUE, little=True)
    assert numbers(stdin=start + b"\0" + octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert numbers("--order", "little", stdin=octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert numbers("--order", "big", stdin=start + b"\0" + octets)[0]["curves"][0]["values"] != [0, 1, 9, 20, 15]


def test_what_a_curve_lacks_is_said():
    octets = trace(2, TORQUE, announced=9)
    done = run("--json", stdin=octets)
    assert "5 samples are there, 9 were announced" in done.stdout
    (one,), _ = load(message(900, made.curve_data(7, TIME, 1, 2, 1, TORQUE, (), ())))
    curve = one.curves["torque"]
    assert curve.times_ms == [] and "no coefficient" in curve.notes[0]
    assert panels(one)[0].across == "sample"


def test_errors_say_what_happened_and_what_to_do(tmp_path):
    done = run(str(tmp_path / "nothing"))
    assert done.exit_code == 2 and "No such file" in done.output and "Is the name right" in done.output
    done = run(stdin=b"hello\nworld\n")
    assert done.exit_code == 1 and "there is no curve in standard input" in done.output and "graphs" in done.output
    done = run("--id", "9", stdin=pair())
    assert done.exit_code == 1 and "no curve is of tightening 9" in done.output and "There are 7" in done.output
    done = run(stdin=b"\n".join([b"x"] * 50))
    assert done.output.count("toolcart:") <= 6
    done = run("--json", stdin=b'{"schema":1,"type":"graph"}\n{"schema":1,"type":"graph",broken\n')
    assert done.exit_code == 1 and "line 1" in done.output and "line 2" in done.output


def test_a_library_that_is_missing_is_named(monkeypatch, tmp_path):
    import sys

    for name, words in (("plotext", ()), ("matplotlib", ("--png", str(tmp_path / "x.png")))):
        monkeypatch.setitem(sys.modules, name, None)
        done = run(*words, stdin=pair())
        assert done.exit_code == 2 and f"{name} is not installed" in done.output and "[plot]" in done.output


def test_the_terminal_shows_three_drawings_and_which_tightening():
    pytest.importorskip("plotext")
    done = run("--width", "70", "--height", "10", stdin=pair(5) + pair(6))
    assert done.exit_code == 0, done.output
    for words in (
        "torque over time",
        "angle over time",
        "torque over angle",
        "tightening 6",
        "time (ms)",
        "torque (Nm)",
    ):
        assert words in done.stdout
    assert "of 2 tightenings the last one" in done.stderr and "5, 6" in done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 70


def test_the_picture_is_one_and_cannot_be_written_anywhere(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    done = run("--png", str(path), stdin=pair())
    assert done.exit_code == 0 and path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 20000
    for name, said in ((str(tmp_path / "no" / "x.png"), "No such file"), (str(tmp_path / "x.doc"), "cannot write")):
        done = run("--png", name, stdin=pair())
        assert done.exit_code == 2 and said in done.output and "Name a .png" in done.output
