"""`toolcart line` says of every octet what it is for, and shows a live line the same way."""

import os
import pty
import threading
import tty

import pytest
from click.testing import CliRunner

from toolcart.codec.capture import Heard, NoCapture, line_of, read
from toolcart.tools.line import Explain3964R, ExplainAscii, Load, Shower, line
from lab.harness.serial_cart import SerialCart


def capture_of(kind):
    """A whole start and one result on a simulated line, as (capture lines, octets)."""
    cart = SerialCart(kind)
    cart.line.record = []
    cart.run(60000, cart.is_ready)
    cart.controller.produce()
    cart.run(3000)
    octets = [Heard(us / 1e6, not to_agent, octet) for us, to_agent, octet in cart.line.record]
    return [line_of(heard) for heard in octets], octets


def test_capture_reads_back_what_was_written():
    lines, octets = capture_of("3964r")
    assert [(h.from_agent, h.octet) for h in read(lines)] == [(h.from_agent, h.octet) for h in octets]
    several = list(read(["# baud 9600", "1.0 > 02 10", "", "1.5 < ff"]))
    assert [h.octet for h in several] == [2, 16, 255] and abs(several[1].at_s - 1.0010417) < 1e-6


def test_text_that_is_no_capture_is_told_with_its_line():
    for text in ("hello", "1.0 x 02", "1.0 > 100", "1.0 > zz", "1.0 >"):
        with pytest.raises(NoCapture, match="line 2"):
            list(read(["# first", text]))


def words(explainer, octets):
    return [explainer.explain(heard) for heard in octets]


def test_every_octet_of_a_whole_3964r_session_is_explained():
    _, octets = capture_of("3964r")
    told = words(Explain3964R(), octets)
    assert len(told) == len(octets)
    assert not [text for text in told if "noise" in text or "wrong" in text or "fail" in text or "not belong" in text]
    assert told[:3] == ["STX: asks to send", "DLE: go ahead, I listen", "tag of the integrator"]
    assert "MID '1' = MID 0001" in told and "MID '1' = MID 0061" in told
    assert any(text.startswith("BCC") and text.endswith("right") for text in told)


def test_every_octet_of_a_whole_ascii_session_is_explained():
    _, octets = capture_of("ascii")
    told = words(ExplainAscii(), octets)
    assert not [text for text in told if "ignored" in text or "dropped" in text]
    assert told.count("ETX of the message") >= 6


def test_faults_are_named():
    def said(*octets):
        return words(Explain3964R(), [Heard(at_s, from_agent, octet) for at_s, from_agent, octet in octets])

    assert "wrong" in said((0, True, 2), (0, False, 16), (0, True, 65), (0, True, 16), (0, True, 3), (0, True, 0))[-1]
    assert "more than ZVZ" in said((0, True, 2), (0, False, 16), (0.3, True, 65))[-1]
    assert "more than QVZ" in said((0, True, 2), (3.0, True, 2))[-1]
    assert "both ask" in said((0, True, 2), (0, False, 2))[-1]
    assert "noise" in said((0, False, 65))[-1]
    assert (
        "to be repeated"
        in said((0, True, 2), (0, False, 16), (0, True, 16), (0, True, 3), (0, True, 0x13), (0, False, 0x15))[-1]
    )
    assert "spoiled" in said((0, True, 2), (0, False, 16), (0, True, 16), (0, True, 65))[-1]


def test_decode_prints_one_line_an_octet(tmp_path):
    lines, octets = capture_of("3964r")
    file = tmp_path / "capture.txt"
    file.write_text("\n".join(lines))
    done = CliRunner().invoke(line, ["decode", str(file)])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == len(octets)
    assert "agent" in done.output.splitlines()[0] and "asks to send" in done.output.splitlines()[0]


def test_decode_says_what_is_wrong_with_a_file(tmp_path):
    file = tmp_path / "no.txt"
    file.write_text("nonsense\n")
    done = CliRunner().invoke(line, ["decode", str(file)])
    assert done.exit_code == 1 and "line 1" in done.output
    assert CliRunner().invoke(line, ["decode", str(tmp_path / "missing")]).exit_code == 2


def monitored(octets, *more):
    """What `line monitor` says of a live line on which `octets` come after 0.3 s."""
    pytest.importorskip("serial")
    master, slave = pty.openpty()
    tty.setraw(slave)
    writer = threading.Timer(0.3, lambda: os.write(master, octets))
    writer.start()
    try:
        return CliRunner().invoke(line, ["monitor", os.ttyname(slave), *more])
    finally:
        writer.join()
        os.close(master)
        os.close(slave)


def test_monitor_shows_and_records_a_live_line(tmp_path):
    record = tmp_path / "record.txt"
    done = monitored(b"\x02", "--seconds", "0.8", "--record", str(record))
    assert done.exit_code == 0 and "controller  02  STX: asks to send" in done.output
    assert [(h.from_agent, h.octet) for h in read(record.read_text().splitlines())] == [(False, 2)]


def test_monitor_tells_how_busy_the_line_is():
    done = monitored(b"\x02" * 96, "--seconds", "1.4", "--busy")
    assert done.exit_code == 0 and "STX" not in done.output
    assert "controller ##" in done.stdout and "96 bytes" in done.stdout
    assert "the line was busy: controller" in done.stderr and "(96 bytes)" in done.stderr


def test_an_octet_takes_its_bits_at_the_line_s_rate():
    load = Load(9600, "even", 1, (False, True))
    assert load.octet_s == pytest.approx(11 / 9600)
    load.hear(True, 436)  # half a second's worth
    assert "controller .................... " in load.window(1.0) and "agent 50.0 %" in load.account(1.0)
    assert "agent ####################" not in load.window(2.0), "a window tells what is new in it"
    load.hear(False, 5000)
    assert "controller #################### 100 %" in load.window(3.0)


def test_shower_tells_how_long_after():
    shower = Shower(Explain3964R())
    shower.line(Heard(1.0, True, 2))
    assert "+2.500 ms" in shower.line(Heard(1.0025, False, 16)).replace(" ", "").replace("ms", " ms")
