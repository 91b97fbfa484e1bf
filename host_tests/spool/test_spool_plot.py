"""`toolcart spool plot`: torques by program with their limits, out of a spool and its quarantine; errors in words."""

import json

import pytest
from click.testing import CliRunner

from toolcart.agent.base.fields import fill
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.light import read_light
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.tools.spool.commands import spool
from host_tests.cart.test_status import LIGHT
from host_tests.support.log import Area

PSET_AT = LIGHT.index(b"070120006") + 2  # behind the job: three digits of the parameter set
AT_TORQUE = LIGHT.index(b"004237")


def append(log, torque, program, good=True, limits=(), parked=0):
    """A result of that torque in 1/100 Nm; limits are low, high, target in the same."""
    message = bytearray(LIGHT)
    message[PSET_AT : PSET_AT + 3] = b"%03d" % program
    message[AT_TORQUE : AT_TORQUE + 6] = b"%06d" % torque
    length = res.HEAD_BYTES + res.BODY_BYTES
    length += (res.LIMITS_BYTES if limits else 0) + (res.PARKED_BYTES if parked else 0)
    at = log.place
    number = log.next
    body = at + res.HEAD_BYTES
    log.stage[at:body] = bytes([number & 255, number >> 8, 0, 0, 10, 0, 2, 0])
    fill(log.stage, body, length - res.HEAD_BYTES)
    read_light(log.stage, body, message, 0, len(message))
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
    done = CliRunner().invoke(spool, ["plot", *words])
    assert done.exit_code == code, done.output
    return done


def numbers(*words):
    return json.loads(run("--json", *words).stdout)


def test_every_program_has_its_torques_its_limits_and_what_is_not_ok(image):
    two, twelve = numbers(image)
    assert (two["program"], two["count"], two["nok"]) == ("2", 11, 1)
    assert (two["low"], two["high"], two["target"], two["limits_changed"]) == (22.0, 27.0, 25.0, 1)
    assert [one["torque"] for one in two["results"]] == [*(25 + index / 10 for index in range(10)), 26.0]
    assert [one["number"] for one in two["results"]] == [*range(1, 20, 2), 21] and two["results"][-1]["parked"]
    assert two["mean"] == pytest.approx((sum(25 + index / 10 for index in range(9)) + 26) / 10)
    assert (twelve["program"], twelve["low"], twelve["high"], twelve["nok"]) == ("12", None, None, 0)


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
