"""`toolcart ask` asks a controller once and leaves it as it was; whatever goes wrong is said in words."""

import socket
import time

from toolcart import catalogue
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from host_tests.support import peers
from host_tests.support.running import free_port, toolcart
from host_tests.tools.command.test_codec_commands import lines

DEADLINE_S = 20


def ask(plant, *words, code=0):
    """What `toolcart ask` says of this plant's controller, or of a port."""
    port = plant if isinstance(plant, int) else plant.controller_port
    return toolcart("ask", "127.0.0.1", *words, "--port", port, code=code)


def test_the_port_may_stand_after_the_host():
    with SimulatedPlant() as plant:
        assert "MID 0002" in toolcart("ask", f"127.0.0.1:{plant.controller_port}", "0001").output


def test_a_refusal_is_shown_in_words_and_has_its_own_exit_code():
    with SimulatedPlant() as plant:
        answer = lines(ask(plant, "64", "tightening_id=4711", "--json", code=1))[-1]
    assert answer["mid"] == 4 and answer["fields"]["error_code"]["value"] == 15


def test_what_is_pushed_after_a_subscription_is_shown_and_stays_unacknowledged():
    with SimulatedPlant(rate=20) as plant:
        mids = [one["mid"] for one in lines(ask(plant, "60", "-r", 999, "--watch", 0.5, "--json"))]
        assert mids[:2] == [2, 5] and 61 in mids
        assert plant.controller.acknowledged == []


def test_a_result_that_comes_instead_of_0005_is_the_answer():
    options = ControllerOptions(push_instead_of_answer=True, push_last_result=True)
    with SimulatedPlant(rate=50, count=1, controller_options=options) as plant:
        until = time.monotonic() + DEADLINE_S
        while not plant.controller.produced and time.monotonic() < until:
            time.sleep(0.01)
        done = ask(plant, "60", "-r", 999, "--json")
    assert [(one["mid"], one["is_answer"]) for one in lines(done)] == [(2, False), (61, True)]


def test_every_start_revision_is_tried_and_a_taken_slot_is_reported():
    with SimulatedPlant(controller_options=ControllerOptions(start_revisions=(2,))) as plant:
        assert lines(ask(plant, "0001", "--json"))[0]["revision"] == 2
    with SimulatedPlant(controller_options=ControllerOptions(max_clients=0)) as plant:
        output = ask(plant, "0040", code=3).output
        assert "takes no session" in output and "connected" in output.lower()


def test_what_changes_something_is_sent_with_yes_alone():
    with SimulatedPlant() as plant:
        for mid in ("0042", "0043", "0038", "0018", "0082"):
            assert "--yes" in ask(plant, mid, code=2).output
        assert plant.controller.connections == 0
        assert ask(plant, "0043", "--yes", code=None).exit_code in (0, 1) and plant.controller.messages[43] == 1


def test_a_wrong_request_is_reported_before_anybody_is_asked():
    for arguments, words in (
        (("0061",), "is what a controller sends"),
        (("0064", "number=1"), "allowed one of: tightening_id"),
        (("0064", "tightening_id=abc"), "allowed a number"),
        (("0064", "tightening_id=\u00b2"), "allowed a number"),
        (("0064", "tightening_id"), "name=value"),
        (("0064", "=5"), "name=value"),
        (("0064", "tightening_id=0", "check=0"), "name=value"),
        (("0064", "tightening_id=0", "--wait", "nan"), "not a valid float"),
        (("0064", "-r", 99), "no described revision 99"),
        (("8000",), "no table"),
        *(((mid,), "is no request") for mid in ("0003", "0004", "0005", "0062", "0072", "9997", "9998", "9999")),
    ):
        assert words in toolcart("ask", "127.0.0.1", *arguments, code=2).output, arguments


def test_a_name_server_that_does_not_answer_is_not_a_wrong_name(monkeypatch):
    def does_not_answer(*_):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "create_connection", does_not_answer)
    output = toolcart("ask", "controller.plant", "0040", code=3).output
    assert "controller.plant: no name server answers" in output and "no such name" not in output


def test_a_connection_that_fails_says_why():
    assert "nothing listens there" in ask(free_port(), "0040", code=3).output
    assert "[::1]:1: nothing" in toolcart("ask", "[::1]:1", "0040", code=3).output
    assert "no such name" in toolcart("ask", "a..b", "0040", code=3).output
    for place, port in (("127.0.0.1:99999", "99999"), ("localhost:0", "0"), ("[::1]:x", "x"), ("http://a", "//a")):
        assert f'{place}: "{port}" is no port' in toolcart("ask", place, "0040", code=2).output
    for place in ("127.0.0.1:4545:1", "[::1::]"):
        assert f"{place}: neither HOST" in toolcart("ask", place, "0040", code=2).output
    for behave, words in (
        (peers.closes, "6: it closes the connection"),
        (peers.is_silent, "does not answer MID 0001"),
        (peers.speaks(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak Open Protocol"),
        (peers.speaks(b"0020FOUR001         \0"), "does not speak Open Protocol"),
        (
            peers.speaks(catalogue.wire(catalogue.encode(9999))),
            "no answer to MID 0001 that can be used: what came is MID 9999",
        ),
        (
            peers.speaks(b"00570002001"),
            "no answer to MID 0001 that can be used: what came is a message that does not end",
        ),
    ):
        with peers.Peer(behave) as peer:
            output = ask(peer.port, "0040", "--wait", 0.5, code=3).output
        assert words in output and "Traceback" not in output, words
