"""`toolcart spool plot` and `toolcart trace plot`: torques with limits, curves out of every file; errors in words."""

import errno
import json

import pytest

from toolcart import catalogue
from toolcart.agent.base.fields import fill
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.light_result import read_light
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.sim import curve_frames
from toolcart.trace import draw
from toolcart.trace.curves import load
from toolcart.trace.draw import panels
from host_tests.support.frames import light, message
from host_tests.support.graphs import cart_with_curves
from host_tests.support.log import Area
from host_tests.support.running import toolcart


def append(log, torque, program, good=True, limits=(), parked=0):
    """A result of that torque in 1/100 Nm; limits are low, high, target in the same."""
    length = res.HEAD_BYTES + res.BODY_BYTES
    length += (res.LIMITS_BYTES if limits else 0) + (res.PARKED_BYTES if parked else 0)
    at = log.place
    number = log.next
    body = at + res.HEAD_BYTES
    log.stage[at:body] = bytes([number & 255, number >> 8, 0, 0, 10, 0, 2, 0])
    fill(log.stage, body, length - res.HEAD_BYTES)
    read_light(log.stage, body, light(pset=program, torque=torque), 0)
    log.stage[body + res.TIGHTENING_STATUS] = 0x31 if good else 0x30
    for index, limit in enumerate(limits):
        place = body + res.BODY_BYTES + index * res.TORQUE_BYTES
        log.stage[place : place + res.TORQUE_BYTES] = b"%06d" % limit
    if parked:
        log.stage[at + length - 8 : at + length] = parked.to_bytes(4, "little") + b"\x11\0\0\0"
    assert log.append(KIND_RESULT, 0, length) == LOG_DONE


@pytest.fixture
def image(tmp_path):
    """Programs 2 and 12 in the log, one refused result of program 2 in the quarantine."""
    area = Area(16, 4096, 16)
    log = area.mount()[1]
    for index in range(10):
        append(log, 2500 + index * 10, 2, good=index != 9, limits=(2200, 2800 if index < 5 else 2700, 2500))
        append(log, 4000 + index, 12)
    append(area.kept, 2600, 2, limits=(2200, 2700, 2500), parked=21)
    path = tmp_path / "cart.spool"
    path.write_bytes(area.flash.cells)
    return str(path)


def run(*words, code=0):
    return toolcart("spool", "plot", *words, code=code)


def numbers(*words):
    return json.loads(run("--json", *words).stdout)


def test_one_program_and_one_area_can_be_had_alone(image):
    assert [one["program"] for one in numbers(image, "--program", "12")] == ["12"]
    assert [one["program"] for one in numbers(image, "--program", "002")] == ["2"]
    (parked,) = numbers(image, "--area", "parked")
    assert [one["torque"] for one in parked["results"]] == [26.0] and parked["mean"] is None
    assert [one["count"] for one in numbers(image, "--area", "main")] == [10, 10]


@pytest.mark.long("two plots of a whole spool")
def test_it_is_drawn_in_the_terminal_and_into_a_picture(image, tmp_path):
    pytest.importorskip("plotext")
    text = run(image, "--width", "90").stdout
    assert "program 2, 11 results, 1 NOK, OK ones 25." in text and "limits changed once" in text
    assert "torque (Nm)" in text and "x" in text and "•" in text and "---" in text
    pytest.importorskip("matplotlib")
    picture = tmp_path / "torques.png"
    run(image, "--png", str(picture))
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert "cannot write" in run(image, "--png", str(tmp_path / "none" / "x.png"), code=2).stderr


def test_what_cannot_be_drawn_says_why(image, tmp_path):
    assert "There are 2, 12." in run(image, "--program", "7", code=1).stderr
    alone = tmp_path / "alone.spool"
    area = Area(16, 4096, 16)
    append(area.mount()[1], 2500, 2)
    alone.write_bytes(area.flash.cells)
    assert "no result in" in run(str(alone), "--area", "parked", code=1).stderr
    assert run(str(tmp_path / "none"), code=2).output


# `toolcart trace plot`: a curve out of every kind of file, as numbers, letters and a picture; errors in words.

TIME = "2024-03-14:09:26:53"
TORQUE = (0, 100, 900, 2000, 1500)
ANGLE = (0, 50, 90, 100, 100)
EXAMPLE = (
    b"01480900001 0101    00012345672024-03-14:09:26:53001013010030100000000010201001001022130030100000001000010000000"
    b"007003032022.000008\0\0\0\0\x0d\x01\0\x04\x12\x0a\xff\x10\x8d\x10\x5e\xff\xe7"
)


def plot(*words, stdin=None, code=0):
    return toolcart("trace", "plot", *words, text=stdin, code=code)


def trace(what, samples, step="2.0", scale="0.01", unit=1, ident=7, **more):
    steps = (curve_frames.resolution(0, len(samples) - 1, step),)
    data = curve_frames.curve_data(ident, TIME, 1, what, unit, samples, ((2214, 3, unit, scale),), steps, **more)
    return message(900, data)


def pair(ident=7):
    return trace(2, TORQUE, ident=ident) + trace(1, ANGLE, scale="1.0", unit=50, ident=ident)


def curves(*words, stdin=None):
    return [json.loads(line) for line in plot("--json", *words, stdin=stdin).stdout.splitlines()]


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
    found = curves(str(path))
    assert [one["tightening_id"] for one in found] == ["1", "2"] and found[0]["station"] == 10
    torque = found[0]["curves"][0]
    assert max(torque["values"]) == pytest.approx(cart.controller.result(1).torque / 100, abs=0.02)
    assert len(torque["values"]) == len(torque["ms"]) == 400


def test_a_mt_focus_in_the_capture_turns_the_octets_round():
    start = catalogue.encode(2, 6, system_type=4)
    octets = trace(2, TORQUE, little=True)
    assert curves(stdin=start + b"\0" + octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert curves("--order", "little", stdin=octets)[0]["curves"][0]["values"] == [0, 1, 9, 20, 15]
    assert curves("--order", "big", stdin=start + b"\0" + octets)[0]["curves"][0]["values"] != [0, 1, 9, 20, 15]


def test_what_a_curve_lacks_is_said():
    assert "5 samples are there, 9 were announced" in plot("--json", stdin=trace(2, TORQUE, announced=9)).stdout
    (one,), _ = load(message(900, curve_frames.curve_data(7, TIME, 1, 2, 1, TORQUE, (), ())))
    curve = one.curves["torque"]
    assert curve.times_ms == [] and "no coefficient" in curve.notes[0]
    assert panels(one)[0].across == "sample"


@pytest.mark.parametrize(
    ("words", "stdin", "code", "told"),
    [
        (["nothing"], None, 2, ("No such file", "Is the name right")),
        ([], b"hello\nworld\n", 1, ("there is no curve in standard input", "graphs")),
        (["--id", "9"], pair(), 1, ("no curve is of tightening 9", "There are 7")),
        (["--json"], b'{"schema":1,"type":"graph"}\n{"schema":1,"type":"graph",broken\n', 1, ("line 1", "line 2")),
        ([], b"\n".join([b"x"] * 50), 1, ("toolcart:",)),
    ],
)
def test_errors_say_what_happened_and_what_to_do(words, stdin, code, told):
    said = plot(*words, stdin=stdin, code=code).output
    assert all(piece in said for piece in told) and said.count("toolcart:") <= 6


def test_a_library_that_is_missing_is_named(monkeypatch, tmp_path):
    import sys

    for name, words in (("plotext", ()), ("matplotlib", ("--png", str(tmp_path / "x.png")))):
        monkeypatch.setitem(sys.modules, name, None)
        said = plot(*words, stdin=pair(), code=2).output
        assert f"{name} is not installed" in said and "[plot]" in said


def test_the_terminal_shows_three_drawings_and_which_tightening():
    pytest.importorskip("plotext")
    done = plot("--width", "70", "--height", "10", stdin=pair(5) + pair(6))
    for words in ("torque over time", "angle over time", "torque over angle", "tightening 6"):
        assert words in done.stdout
    assert "time (ms)" in done.stdout and "torque (Nm)" in done.stdout
    assert "of 2 tightenings the last one" in done.stderr and "5, 6" in done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 70


def test_the_picture_is_one_and_cannot_be_written_anywhere(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    plot("--png", path, stdin=pair())
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 20000
    for name, said in (("no/x.png", "No such file"), ("x.doc", "cannot write"), (".", "Is a directory")):
        told = plot("--png", tmp_path / name, stdin=pair(), code=2).output
        assert said in told and "Name a .png" in told


def test_what_the_terminal_does_not_take_is_no_picture(monkeypatch):
    """It was `cannot write None`, and to name a .png."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(draw, "in_terminal", full)
    with pytest.raises(OSError, match="No space"):
        draw.draw("a tightening", [], None)
