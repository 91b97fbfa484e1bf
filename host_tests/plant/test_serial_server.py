"""An installed agent whose controller is on a serial line behind a device server: socket:// and rfc2217://."""

import pytest

from host_tests.plant.serial_bridge import SerialBridge
from host_tests.support.peers import Peer, begins, closes, is_silent
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
def test_results_come_over_a_device_server_and_again_after_it_was_cut(site, plants, tmp_path, link, kind):
    line = tmp_path / "line"
    plant = plants(link=link, line_path=line)
    with SerialBridge(line, kind) as server:
        cart = cart_of(site, plant, link, server.device)
        site.output("config", "check", cart, code=0)
        assert f"a controller answers on {server.device} ({link})" in site.output("doctor", "--config", cart)
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


MODE = "Is this the port of that line, and the server in the mode of socket:// (raw TCP) or rfc2217://?"
OTHER = "Does another client have this line? Many such servers take one at a time."


@pytest.mark.long("half a minute of silence")
@pytest.mark.parametrize(
    ("kind", "behave", "words", "hint"),
    [
        ("socket", None, "serial device server {place} refused the", MODE),
        ("rfc2217", None, "serial device server {place} refused the", MODE),
        ("socket", closes, "{place} closed the connection", OTHER),
        ("rfc2217", closes, "{place} closed the connection", OTHER),
        (
            "socket",
            is_silent,
            "socket://{place} accepted the connection, but nothing answers on its line",
            "Check the cable behind the server, its baud and parity, and link (ascii or 3964r).",
        ),
        (
            "rfc2217",
            is_silent,
            "serial device server {place} accepted the connection but does not speak RFC 2217",
            "Is this its port for RFC 2217? For a port with raw TCP write socket:// in controller.device.",
        ),
        (
            "rfc2217",
            begins(TAKES_NO_BAUD),
            "{place} does not set what controller.baud, parity, stop_bits and flow ask for",
            "Can this port of it do that? With socket:// its own settings apply.",
        ),
    ],
)
def test_a_server_that_refuses_closes_or_is_silent_is_reported_in_words(site, plant, stays, kind, behave, words, hint):
    """These words come from doctor, and from the log and status of an agent."""
    port = stays.enter_context(Peer(behave)).port if behave else free_port()
    place = f"127.0.0.1:{port}"
    cart, words = cart_of(site, plant, "3964r", f"{kind}://{place}"), words.format(place=place)
    doctor = " ".join(site.output("doctor", "--config", cart).split())
    assert words in doctor and hint in doctor
    agent = site.begin(cart, words)
    wait_for("status says it", lambda: words in " ".join(site.output("status", "--config", cart).split()))
    assert "adapter" not in agent.output + doctor and "pyserial" not in agent.output + doctor


@pytest.mark.parametrize(
    "device",
    ["socket://", "socket://host", "rfc2217://host:0", "rfc2217://host:99999", "loop://", "socket://a:1/x"],
)
def test_what_is_no_address_of_server_is_a_mistake_of_the_configuration(site, device):
    output = site.output("config", "check", cart_of(site, None, "ascii", device), code=2)
    assert "socket://host:port or rfc2217://host:port" in output


def test_a_raw_line_sets_no_flow(site):
    cart = cart_of(site, None, "ascii", "socket://10.0.0.7:4001", flow="rts_cts")
    assert "rfc2217:// sets it from here" in site.output("config", "check", cart, code=2)
