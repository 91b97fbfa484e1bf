"""`toolcart ask` asks a controller once and leaves it as it was; whatever goes wrong is said in words."""

import json
import socket
import threading
import time

from click.testing import CliRunner

from toolcart.agent import catalogue
from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.cli import main as cli

DEADLINE_S = 20


def ask(*arguments):
    return CliRunner().invoke(cli.main, ["ask", "127.0.0.1", *[str(argument) for argument in arguments]])


def lines(done):
    return [json.loads(line) for line in done.output.splitlines()]


def test_the_port_may_stand_behind_the_host():
    with SimulatedPlant() as plant:
        done = CliRunner().invoke(cli.main, ["ask", f"127.0.0.1:{plant.controller_port}", "0001"])
    assert done.exit_code == 0 and "MID 0002" in done.output, done.output


def test_a_refusal_is_shown_in_words_and_has_its_own_exit_code():
    with SimulatedPlant() as plant:
        done = ask("64", "tightening_id=4711", "--port", plant.controller_port, "--json")
    assert done.exit_code == 1
    answer = lines(done)[-1]
    assert answer["mid"] == 4 and answer["fields"]["error_code"]["value"] == 15


def test_what_is_pushed_after_a_subscription_is_shown_and_stays_unacknowledged():
    with SimulatedPlant(rate=20) as plant:
        done = ask("60", "-r", 999, "--watch", 0.5, "--port", plant.controller_port, "--json")
        assert done.exit_code == 0 and [one["mid"] for one in lines(done)][:2] == [2, 5]
        assert 61 in [one["mid"] for one in lines(done)]
        assert plant.controller.acknowledged == []


def test_a_result_that_comes_instead_of_0005_is_the_answer():
    options = ControllerOptions(push_instead_of_answer=True, push_last_result=True)
    with SimulatedPlant(rate=50, count=1, controller_options=options) as plant:
        until = time.monotonic() + DEADLINE_S
        while not plant.controller.produced and time.monotonic() < until:
            time.sleep(0.01)
        done = ask("60", "-r", 999, "--port", plant.controller_port, "--json")
    assert done.exit_code == 0, done.output
    assert [(one["mid"], one["is_answer"]) for one in lines(done)] == [(2, False), (61, True)]


def test_every_start_revision_is_tried_and_a_taken_slot_is_said():
    with SimulatedPlant(controller_options=ControllerOptions(start_revisions=(2,))) as plant:
        done = ask("0001", "--port", plant.controller_port, "--json")
        assert done.exit_code == 0 and lines(done)[0]["revision"] == 2
    with SimulatedPlant(controller_options=ControllerOptions(max_clients=0)) as plant:
        done = ask("0040", "--port", plant.controller_port)
        assert done.exit_code == 3 and "takes no session" in done.output and "connected" in done.output.lower()


def test_what_changes_something_is_sent_with_yes_alone():
    with SimulatedPlant() as plant:
        for mid in ("0042", "0043", "0038", "0018", "0082"):
            done = ask(mid, "--port", plant.controller_port)
            assert done.exit_code == 2 and "--yes" in done.output
        assert plant.controller.connections == 0
        done = ask("0043", "--yes", "--port", plant.controller_port)
        assert done.exit_code in (0, 1) and plant.controller.messages[43] == 1


def test_a_wrong_request_is_said_before_anybody_is_asked():
    for arguments, words in (
        (("0061",), "is what a controller sends"),
        (("0064", "number=1"), "allowed one of: tightening_id"),
        (("0064", "tightening_id=abc"), "allowed a number"),
        (("0064", "tightening_id"), "name=value"),
        (("0064", "-r", 99), "no described revision 99"),
        (("8000",), "no table"),
    ):
        done = ask(*arguments)
        assert done.exit_code == 2 and words in done.output, arguments


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answered_by(octets):
    """Return the port of a peer that says this to whoever comes, and hangs up when the other side does."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server:
            server.settimeout(DEADLINE_S)
            peer, _ = server.accept()
            with peer:
                peer.settimeout(DEADLINE_S)
                peer.recv(4096)
                if octets is None:
                    return
                peer.sendall(octets)
                while peer.recv(4096):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def test_a_connection_that_fails_says_why():
    done = ask("0040", "--port", closed_port())
    assert done.exit_code == 3 and "nothing listens there" in done.output
    for octets, words in (
        (None, "6: it closes the connection"),
        (b"", "does not answer MID 0001"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak Open Protocol"),
        (catalogue.wire(catalogue.encode(9999)), "does not answer MID 0001"),
    ):
        done = ask("0040", "--wait", 0.5, "--port", answered_by(octets))
        assert done.exit_code == 3 and words in done.output, (octets, done.output)
        assert "Traceback" not in done.output
