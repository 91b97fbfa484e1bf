"""An installed agent whose controller is on a serial line behind a device server: socket:// and rfc2217://."""

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.plant.peers import Peer, begins, closes, is_silent
from host_tests.plant.serial_bridge import SerialBridge
from host_tests.support.running import free_port, wait_for

pytestmark = pytest.mark.usefixtures("hasty")

# A server that speaks RFC 2217 and answers another baud than the one asked for (RFC 2217, section 3: SET-BAUDRATE).
TAKES_NO_BAUD = bytes((255, 253, 44, 255, 250, 44, 101, 0, 0, 0, 0, 255, 240))


ALSO = pytest.mark.long("the plain line notices a cut only by the silence behind it")


def cart_of(site, plant, link, device, **settings):
    return site.cart(plant, controller={"link": link, "device": device, "baud": 115200, "port": 4545, **settings})


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("3964r", "socket"),
        ("3964r", "rfc2217"),
        pytest.param("ascii", "socket", marks=ALSO),
        pytest.param("ascii", "rfc2217", marks=ALSO),
    ],
)
def test_results_come_over_a_device_server_and_again_after_it_was_cut(site, tmp_path, link, kind):
    line = tmp_path / "line"
    with SimulatedPlant(link=link, line_path=line) as plant, SerialBridge(line, kind) as server:
        cart = cart_of(site, plant, link, server.device)
        assert site.run("config", "check", cart).returncode == 0
        doctor = site.run("doctor", "--config", cart).stdout
        assert f"a controller answers on {server.device} ({link})" in doctor
        agent = site.begin(cart, "controller ready")
        made = plant.produce(3)
        wait_for("at ToolsNet", lambda: sorted(plant.archive.tightening_ids()) == made)
        server.kill()
        agent.wait_for(f"serial device server 127.0.0.1:{server.port} refused the connection")
        made += plant.produce(2)
        server.start()
        made += plant.produce(1)
        wait_for("at ToolsNet", lambda: sorted(plant.archive.tightening_ids()) == made)
        assert plant.complaints() == [] and agent.end() == 0


def said_by_both(site, plant, device, *texts, link="3964r"):
    """These words come from doctor, and from the log and status of an agent."""
    cart = cart_of(site, plant, link, device)
    doctor = site.run("doctor", "--config", cart).stdout
    agent = site.begin(cart)
    for text in texts:
        assert text in " ".join(doctor.split())
        agent.wait_for(text)
        wait_for("status says it", lambda at=text: at in " ".join(site.run("status", "--config", cart).stdout.split()))
    assert "adapter" not in agent.said + doctor and "pyserial" not in agent.said + doctor
    assert agent.end() == 0
    return " ".join(doctor.split())


@pytest.mark.long("half a minute of silence")
def test_a_server_that_refuses_closes_or_is_silent_is_told_in_words(site, plant):
    nothing = free_port()
    for kind in ("socket", "rfc2217"):
        refused = f"serial device server 127.0.0.1:{nothing} refused the"
        doctor = said_by_both(site, plant, f"{kind}://127.0.0.1:{nothing}", refused)
        assert (
            "Is this the port of that line, and the server in the mode of socket:// (raw TCP) or rfc2217://?" in doctor
        )
        with Peer(closes) as peer:
            closed = f"{peer.port} closed the connection"
            doctor = said_by_both(site, plant, f"{kind}://127.0.0.1:{peer.port}", closed)
            assert "Does another client have this line? Many such servers take one at a time." in doctor
    with Peer(is_silent) as peer:
        device = f"socket://127.0.0.1:{peer.port}"
        silent = f"{device} accepted the connection, but nothing answers on its line"
        doctor = said_by_both(site, plant, device, silent)
        assert "Check the cable behind the server, its baud and parity, and link (ascii or 3964r)." in doctor
        words = f"serial device server 127.0.0.1:{peer.port} accepted the connection but does not speak RFC 2217"
        doctor = said_by_both(site, plant, f"rfc2217://127.0.0.1:{peer.port}", words)
        assert "Is this its port for RFC 2217? For a port with raw TCP write socket:// in controller.device." in doctor
    with Peer(begins(TAKES_NO_BAUD)) as peer:
        words = f"{peer.port} does not set what controller.baud, parity, stop_bits and flow ask for"
        doctor = said_by_both(site, plant, f"rfc2217://127.0.0.1:{peer.port}", words)
        assert "Can this port of it do that? With socket:// its own settings apply." in doctor


def test_what_is_no_address_of_server_is_a_mistake_of_the_configuration(site):
    for device in (
        "socket://",
        "socket://host",
        "rfc2217://host:0",
        "rfc2217://host:99999",
        "loop://",
        "socket://a:1/x",
    ):
        run = site.run("config", "check", cart_of(site, None, "ascii", device))
        assert run.returncode and "socket://host:port or rfc2217://host:port" in run.stdout + run.stderr
    raw = site.run("config", "check", cart_of(site, None, "ascii", "socket://10.0.0.7:4001", flow="rts_cts"))
    assert raw.returncode and "rfc2217:// sets it from here" in raw.stdout + raw.stderr
