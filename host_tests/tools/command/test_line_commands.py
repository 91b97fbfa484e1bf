"""`toolcart line` says of every octet what it is for, and shows a live line the same way."""

import os
import pty
import threading
import tty

import pytest

from toolcart.codec.capture import CapturedOctet, NoCapture, line_of, read
from toolcart.tools.line.commands import LinePrinter
from toolcart.tools.line.explanation import Explain3964R, ExplainAscii
from toolcart.tools.line.load import Load
from host_tests.support.running import toolcart
from host_tests.support.serial_cart import SerialCart


def capture_of(kind):
    """A whole start and one result on a simulated line, as (capture lines, octets)."""
    cart = SerialCart(kind)
    cart.line.record = []
    cart.run(60000, cart.is_ready)
    cart.controller.produce()
    cart.run(3000)
    octets = [CapturedOctet(us / 1e6, not to_agent, octet) for us, to_agent, octet in cart.line.record]
    return [line_of(octet) for octet in octets], octets


def test_capture_reads_back_what_was_written():
    lines, octets = capture_of("3964r")
    assert [(h.from_agent, h.octet) for h in read(lines)] == [(h.from_agent, h.octet) for h in octets]
    several = list(read(["# baud 9600", "1.0 > 02 10", "", "1.5 < ff"]))
    assert [h.octet for h in several] == [2, 16, 255] and abs(several[1].at_s - 1.0010417) < 1e-6


def test_text_that_is_no_capture_is_reported_with_its_line():
    for text in ("hello", "1.0 x 02", "1.0 > 100", "1.0 > zz", "1.0 >"):
        with pytest.raises(NoCapture, match="line 2"):
            list(read(["# first", text]))


@pytest.mark.parametrize(
    ("kind", "explainer", "wrong", "required"),
    [
        ("3964r", Explain3964R, ("noise", "wrong", "fail", "not belong"), ("MID '1' = MID 0001", "MID '1' = MID 0061")),
        ("ascii", ExplainAscii, ("ignored", "dropped"), ("ETX of the message",) * 6),
    ],
)
def test_every_octet_of_a_whole_session_is_explained(kind, explainer, wrong, required):
    _, octets = capture_of(kind)
    explain = explainer().explain
    explanations = [explain(octet) for octet in octets]
    assert not [text for text in explanations if any(word in text for word in wrong)]
    assert all(explanations.count(text) >= required.count(text) for text in required)
    if kind == "3964r":
        assert explanations[:3] == ["STX: asks to send", "DLE: go ahead, I listen", "tag of the integrator"]
        assert any(text.startswith("BCC") and text.endswith("right") for text in explanations)


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        ("> 02, < 10, > 41, > 10, > 03, > 00", "wrong"),
        ("> 02, < 10, 0.3 > 41", "more than ZVZ"),
        ("> 02, 3.0 > 02", "more than QVZ"),
        ("> 02, < 02", "both ask"),
        ("< 41", "noise"),
        ("> 02, < 10, > 10, > 03, > 13, < 15", "to be repeated"),
        ("> 02, < 10, > 10, > 41", "spoiled"),
    ],
)
def test_faults_are_named(capture, words):
    lines = [one if one[0].isdigit() else f"0 {one}" for one in capture.split(", ")]
    explainer = Explain3964R()
    assert words in [explainer.explain(octet) for octet in read(lines)][-1]


def test_decode_prints_one_line_an_octet(tmp_path):
    lines, octets = capture_of("3964r")
    file = tmp_path / "capture.txt"
    file.write_text("\n".join(lines))
    output = toolcart("line", "decode", file).output.splitlines()
    assert len(output) == len(octets) and "agent" in output[0] and "asks to send" in output[0]


@pytest.mark.parametrize("from_agent", [True, False])
def test_a_line_of_which_one_side_is_heard_is_explained_as_that(tmp_path, from_agent):
    lines, octets = capture_of("3964r")
    heard = [line for line, octet in zip(lines, octets, strict=True) if octet.from_agent == from_agent]
    file = tmp_path / "capture.txt"
    file.write_text("\n".join(heard))
    done = toolcart("line", "decode", file)
    assert done.stderr == f"only the {'agent' if from_agent else 'controller'} is heard\n"
    wrong = ("no one asked", "noise", "wrong", "fail", "not belong", "did not ask", "invalid")
    assert not [line for line in done.stdout.splitlines() if any(word in line for word in wrong)]
    first = "0001" if from_agent else "0061"
    assert f"MID '1' = MID {first}" in done.stdout and "an answer to the side that is not heard" in done.stdout
    assert "right" in done.stdout and len(done.stdout.splitlines()) == len(heard)


def test_decode_says_what_is_wrong_with_a_file(tmp_path):
    file = tmp_path / "no.txt"
    file.write_text("nonsense\n")
    assert "line 1" in toolcart("line", "decode", file, code=1).output
    toolcart("line", "decode", tmp_path / "missing", code=2)


def test_a_speed_that_no_line_has_is_refused():
    for baud in (0, -9600, 1 << 40):
        assert "--baud" in toolcart("line", "monitor", "/dev/null", "--baud", baud, code=2).output


def monitored(octets, *more):
    """What `line monitor` says of a live line on which `octets` come after 0.3 s."""
    pytest.importorskip("serial")
    master, slave = pty.openpty()
    tty.setraw(slave)
    writer = threading.Timer(0.3, lambda: os.write(master, octets))
    writer.start()
    try:
        return toolcart("line", "monitor", os.ttyname(slave), *more)
    finally:
        writer.join()
        os.close(master)
        os.close(slave)


def test_monitor_shows_and_records_a_live_line(tmp_path):
    record = tmp_path / "record.txt"
    done = monitored(b"\x02", "--seconds", "0.8", "--record", record)
    assert "controller  02  STX: asks to send" in done.output
    assert "only the controller is heard: --other DEVICE hears the agent" in done.stderr
    assert [(h.from_agent, h.octet) for h in read(record.read_text().splitlines())] == [(False, 2)]


def test_monitor_tells_how_busy_the_line_is():
    done = monitored(b"\x02" * 96, "--seconds", "1.4", "--busy")
    assert "STX" not in done.output and "controller ##" in done.stdout and "96 bytes" in done.stdout
    assert "the line was busy: controller" in done.stderr and "(96 bytes)" in done.stderr


def test_monitor_refuses_a_time_that_is_none():
    assert "'--seconds'" in toolcart("line", "monitor", "/dev/null", "--seconds", "nan", code=2).output


def test_an_octet_takes_its_bits_at_the_line_s_rate():
    load = Load(9600, "even", 1, (False, True))
    assert load.octet_s == pytest.approx(11 / 9600)
    load.add(True, 436)  # half a second's worth
    assert "controller .................... " in load.window(1.0) and "agent 50.0 %" in load.account(1.0)
    assert "agent ####################" not in load.window(2.0), "a window tells what is new in it"
    load.add(False, 5000)
    assert "controller #################### 100 %" in load.window(3.0)


def test_shower_tells_how_long_after():
    shower = LinePrinter(Explain3964R())
    shower.line(CapturedOctet(1.0, True, 2))
    assert "+2.500 ms" in shower.line(CapturedOctet(1.0025, False, 16)).replace(" ", "").replace("ms", " ms")
