"""Installed agents at controllers whose header has the spindle in front of the revision: OP-Ford and OP-BMW."""

import contextlib
import socket
import threading

import pytest

from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.profiles import row
from toolcart.sim.serve import SimulatedPlant
from host_tests.plant.peers import Peer
from host_tests.support.running import wait_for

pytestmark = pytest.mark.usefixtures("hasty")


def at_toolsnet(plant, made):
    wait_for("all results at ToolsNet", lambda: sorted(plant.archive.tightening_ids()) == sorted(made))
    assert plant.complaints() == []


def plant_of(name, **changed):
    return SimulatedPlant(controller_options=ControllerOptions(**row(name, **changed)))


def told(site, *words):
    run = site.run(*words)
    return run.returncode, run.stdout + run.stderr


def test_results_of_any_spindle_come_live_and_from_an_outage(site):
    for name, spindle in (("op-ford", 0), ("op-ford", 7), ("op-bmw", 42)):
        site.clean()
        with plant_of(name, spindle="%02d" % spindle) as plant:
            settings = {"header": name, "spindle_id": spindle or None}
            cart = site.cart(plant, controller=settings)
            agent = site.start("run", "--plain", "--config", cart)
            agent.wait_for("controller ready")
            made = plant.produce(3)
            at_toolsnet(plant, made)
            plant.cut_controller(True)
            made += plant.produce(4)
            plant.cut_controller(False)
            at_toolsnet(plant, made)
            assert agent.end() == 0
            _, said = told(site, "doctor", "--config", cart)
            assert "answers MID 0001 in revision 2" in said and "results are pushed in revision 999" in said, said
            assert plant.complaints() == []


def test_doctor_names_the_header_that_a_controller_has(site):
    for spindle in ("00", "07", "42"):
        with plant_of("op-ford", spindle=spindle) as plant:
            code, said = told(site, "doctor", "--config", site.cart(plant))
            assert code and 'Set controller.header to "op-ford" or "op-bmw"' in said, said
        site.clean()
    for name in ("power-focus-4000", "minimal"):
        with plant_of(name) as plant:
            code, said = told(site, "doctor", "--config", site.cart(plant, controller={"header": "op-ford"}))
            assert code and 'or set it to "standard"' in said, said
            code, said = told(site, "doctor", "--config", site.cart(plant))
            assert "controller.header" not in said, said
        site.clean()


def hears_one_header(port, is_own, is_silent):
    """What a Peer does in front of a controller that is silent to the other header, or closes, and says no code."""

    def behave(sock):
        heard = sock.recv(4096)
        while is_silent and heard and not is_own(heard):
            heard = sock.recv(4096)
        if not is_own(heard):
            return
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(heard)
            back = threading.Thread(target=passed_on, args=(other, sock), daemon=True)
            back.start()
            passed_on(sock, other)
            back.join(10)

    return behave


def passed_on(one, other):
    with contextlib.suppress(OSError):
        while octets := one.recv(4096):
            other.sendall(octets)
        other.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    "is_silent", [pytest.param(True, id="silent", marks=pytest.mark.long("silence")), pytest.param(False, id="closes")]
)
@pytest.mark.parametrize(
    "name,other,hint",
    [
        ("op-ford", "standard", 'Set controller.header to "op-ford" or "op-bmw"'),
        ("minimal", "op-bmw", 'or set it to "standard"'),
    ],
)
def test_doctor_tries_the_other_header_where_nothing_is_answered(site, name, other, hint, is_silent):
    def is_own(telegram):  # behind MID and the first five digits a standard header has a blank or more digits of parts
        return telegram[11:13].isdigit() == (name == "op-ford")

    with plant_of(name) as plant, Peer(hears_one_header(plant.controller_port, is_own, is_silent)) as peer:
        settings = {"port": peer.port, "header": other}
        code, said = told(site, "doctor", "--config", site.cart(plant, controller=settings))
        assert code and "it answers only where controller.header is another" in said and hint in said, said
        code, said = told(site, "doctor", "--config", site.cart(plant, controller={**settings, "header": name}))
        assert "it answers only where" not in said, said
        assert plant.complaints() == []


def test_ask_and_decode_read_such_a_header(site):
    with plant_of("op-bmw", spindle="07") as plant:
        plant.produce(2)
        place = f"127.0.0.1:{plant.controller_port}"
        code, said = told(site, "ask", place, "64", "tightening_id=2", "--header", "op-bmw", "--spindle", "7")
        assert code == 0 and "MID 0065" in said and plant.complaints() == [], said
    frame = "0024" + "0005" + "07" + "001" + "0000000" + "0060"
    path = site.home / "seen.log"
    path.write_text(frame + "\n")
    code, said = told(site, "decode", str(path), "--header", "op-ford")
    assert code == 0 and "revision 1" in said and "spindle 7" in said and "mid_accepted  60" in said, said


@pytest.mark.long("refusals until the agent gives up")
def test_results_are_kept_where_their_acknowledgements_are_rejected(site):
    with plant_of("op-ford", ack_refusal_code=99) as plant:
        cart = site.cart(plant, controller={"header": "op-ford"})
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("controller ready")
        made = plant.produce(2)
        at_toolsnet(plant, made)
        agent.wait_for("rejected MID 0062")
        assert agent.end() == 0 and plant.account()["repeated"] == 0
