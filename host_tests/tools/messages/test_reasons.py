"""Every way a connection fails, met on real sockets and lines, and the words that people are told."""

import os
import pty
import socket
import threading
import time

import pytest

from toolcart.agent.base import connection_fault
from toolcart.agent.cart.status import WHY_NAMES, why_name
from toolcart.agent.link import port as contract
from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING
from toolcart.agent.openprotocol import session_states
from toolcart.board.linux import tcp as linux_tcp
from toolcart.board.linux.serial import SerialPort
from toolcart.board.linux.tcp import TcpPort
from toolcart.tools.messages import reasons

DEADLINE_S = 10
SERIAL = {"parity": "none", "stop_bits": 1}


def _settled(port):
    until = time.monotonic() + DEADLINE_S
    while port.state() == PORT_OPENING:
        assert time.monotonic() < until
        time.sleep(0.005)
    return why_name(port.why)


def _controller(slug, state="closed", code=0, mid=0, **more):
    controller = {
        "host": "10.1.2.3",
        "port": 4545,
        "why": slug,
        "why_in": state,
        "why_code": code,
        "why_mid": mid,
        **more,
    }
    return reasons.of_controller(controller)


def _on_line(slug, host="/dev/ttyUSB0", **more):
    return _controller(slug, "starting", host=host, port=9600, line={"payload": "x"}, **more)


def _toolsnet(slug, state, **more):
    outlet = {"host": "pim.plant", "port": 6575, "server": "10.9.9.9:10111", **more}
    outlet.update(why=slug, why_in=state, why_code=0)
    return reasons.of_toolsnet(outlet)


# -- what the ports find -------------------------------------------------------------------------------------------


def test_a_port_where_nothing_listens_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = TcpPort()
        port.open("127.0.0.1", taken.getsockname()[1])
        assert _settled(port) == "refused" and port.state() == PORT_CLOSED


def _fails(error):
    def fail(*_arguments, **_more):
        raise error

    return fail


@pytest.mark.parametrize(
    ("found", "words"), [("/usr/bin/resolvectl", "`resolvectl status`"), (None, "/etc/resolv.conf")]
)
def test_name_servers_are_looked_for_where_this_machine_has_them(monkeypatch, found, words):
    monkeypatch.setattr("shutil.which", lambda _name: found)
    assert f"name servers ({words})" in _controller("DNS slow").hint


@pytest.mark.parametrize(("number", "slug"), [(socket.EAI_NONAME, "name not found"), (socket.EAI_AGAIN, "DNS slow")])
def test_an_unknown_name_and_a_silent_server_are_told_apart(monkeypatch, number, slug):
    monkeypatch.setattr(linux_tcp.socket, "getaddrinfo", _fails(socket.gaierror(number, "x")))
    port = TcpPort()
    port.open("controller.plant", 4545)
    assert _settled(port) == slug


def test_a_name_that_takes_long_says_so_while_it_is_looked_up(monkeypatch):
    answers = threading.Event()

    def waits(*_arguments, **_more):
        answers.wait(DEADLINE_S)
        return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(linux_tcp.socket, "getaddrinfo", waits)
    monkeypatch.setattr(linux_tcp, "SLOW_S", 0.0)
    port = TcpPort()
    port.open("controller.plant", 4545)
    assert port.state() == PORT_OPENING and why_name(port.why) == "DNS slow"
    answers.set()
    assert _settled(port) == "refused"


def test_other_side_that_closes_and_the_one_that_resets_are_told_apart():
    for reset in (False, True):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = TcpPort()
            port.open("127.0.0.1", server.getsockname()[1])
            peer, _ = server.accept()
            assert _settled(port) == "" and port.state() == PORT_OPEN
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            peer.close()
            until = time.monotonic() + DEADLINE_S
            while port.readinto(bytearray(8), 8) == 0:
                assert time.monotonic() < until
        assert why_name(port.why) == ("reset" if reset else "ended")
        port.close()
        assert port.why, "close leaves the reason"


@pytest.mark.parametrize(
    ("number", "slug"),
    [(113, "no route"), (101, "no network"), (100, "no network"), (110, "timed out"), (98, "in use"), (99, "in use")]
    + [(24, "no socket"), (13, "no permission"), (71, "failed")],
)
def test_what_the_system_says_of_a_connect_has_a_word(monkeypatch, number, slug):
    monkeypatch.setattr(linux_tcp.socket.socket, "connect", _fails(OSError(number, "x")))
    port = TcpPort()
    port.open("192.0.2.1", 4545)
    assert _settled(port) == slug and port.why_code == number


def test_what_is_no_address_is_not_tried():
    port = TcpPort()
    port.open("a b", 4545)
    assert why_name(port.why) == "no address"


def test_what_keeps_a_device_from_being_opened_has_a_word(tmp_path):
    port = SerialPort(SERIAL)
    for device, slug in ((str(tmp_path / "ttyUSB9"), "no device"), ("/dev/null", "not a tty"), ("/tmp", "no device")):
        port.open(device, 9600)
        assert port.state() == PORT_CLOSED and why_name(port.why) == slug, device
    master, slave = pty.openpty()
    device = os.ttyname(slave)
    port.open(device, 9600)
    assert port.state() == PORT_OPEN and port.why == 0
    second = SerialPort(SERIAL)
    second.open(device, 9600)
    assert why_name(second.why) == "in use"
    os.close(slave)
    os.close(master)
    assert port.readinto(bytearray(8), 8) < 0 and why_name(port.why) == "unplugged"
    port.close()


def test_a_device_that_is_not_ours_has_a_word(monkeypatch):
    serial = pytest.importorskip("serial")
    error = serial.SerialException(13, "could not open port /dev/ttyS0: [Errno 13] Permission denied")
    monkeypatch.setattr(serial, "Serial", _fails(error))
    port = SerialPort(SERIAL)
    port.open("/dev/ttyS0", 9600)
    assert why_name(port.why) == "no permission"


# -- the words -----------------------------------------------------------------------------------------------------


def test_every_number_has_a_word_and_every_word_a_sentence():
    numbers = {value for name, value in vars(contract).items() if name.startswith("WHY_")}
    numbers |= {value for name, value in vars(session_states).items() if name.startswith("WHY_")} - {
        session_states.WHY_NOTHING
    }
    numbers |= {connection_fault.NO_PIM, connection_fault.FOREIGN_PIM, connection_fault.NO_INFO}
    numbers |= {connection_fault.NO_ANSWER, connection_fault.MALFORMED, connection_fault.NOT_ALLOWED}
    numbers |= {connection_fault.NOT_WRITTEN, connection_fault.NO_PORT, connection_fault.KEPT_AGAIN}
    names = WHY_NAMES.split(",")
    assert numbers == set(range(1, len(names)))
    for slug in set(names) - {"", "stopped"}:
        for reason in (_controller(slug), _controller(slug, line={"payload": "whole"}), _toolsnet(slug, "pim verify")):
            assert reason.slug == slug and len(reason.words) > len(slug) and "{" not in reason.text(), reason


@pytest.mark.parametrize(
    ("reason", "words", "hint"),
    [
        (_controller("name not found"), "the name 10.1.2.3 is not found", "controller.host"),
        (
            _controller("refused"),
            "10.1.2.3:4545 refused the connection: the host is there",
            "Is Open Protocol switched on",
        ),
        (_controller("no route"), "no route to the host", "ip route get 10.1.2.3"),
        (_controller("timed out"), "10.1.2.3:4545 did not answer in time", "firewall"),
        (_controller("in use"), "address in use", "connections"),
        (_controller("DNS slow"), "the name servers do not answer", "or fix this machine's name servers ("),
        (
            _controller("reset", "starting"),
            "reset the connection before a session was established",
            "Many take one only",
        ),
        (_controller("silence", "starting", mid=1), "does not answer MID 0001", "Open Protocol port"),
        (
            _controller("slot taken", code=96, mid=1),
            "0004 to MID 0001 with code 96 (reject connection, client",
            "not timed",
        ),
        (
            _controller("knows no MID 0060", code=4, mid=8),
            "accepts no subscription to results, by MID 0060 or",
            "controllers",
        ),
        (
            _controller("refused by code", code=92, mid=60),
            "rejected MID 0060: 0004 with code 92 (Open Protocol",
            "another",
        ),
        (_controller("refused by code", code=-1, mid=60), "rejected MID 0060: 0004 without a code", ""),
        (
            _controller("refused by code", code=97, mid=1),
            "rejected MID 0001: 0004 with code 97 (MID rev",
            "start_revisions",
        ),
        (_on_line("not a tty", "/dev/null"), "/dev/null is not a serial line", "controller.device"),
        (_on_line("no permission", "/dev/ttyS0"), "no permission to use /dev/ttyS0", "dialout"),
        (_on_line("unplugged"), "the adapter /dev/ttyUSB0 was unplugged", "back"),
        (_on_line("in use"), "in use by another program", "fuser"),
        (_on_line("silence"), "nothing answers on /dev/ttyUSB0 at 9600 baud", "3964r"),
        (_on_line("silence", code=266), "what comes on /dev/ttyUSB0 at 9600 baud is no answer", "Wrong baud"),
        (_toolsnet("refused", "pim opening"), "PIM pim.plant:6575 refused", "pim_port"),
        (_toolsnet("timed out", "server opening"), "ToolsNet server 10.9.9.9:10111 did not answer", "firewall"),
        (_toolsnet("foreign PIM", "pim verify"), "what answers there is not a PIM", "6575"),
        (_toolsnet("no PIM", "pim verify"), "did not identify itself as a PIM", "pim_port"),
        (_toolsnet("no PIM", "pim verify"), "ToolsNet 1.5", "not supported"),
        (_toolsnet("no info", "pim info"), "no 08", "system.number"),
        (_toolsnet("no answer", "streaming"), "did not acknowledge", "server port"),
        *(
            (
                _toolsnet(slug, "server opening", server=f"{host}:10111"),
                f"the PIM names {host}:10111 as the server, which is for {use}: no server can be there",
                "who set up the PIM",
            )
            for slug in ("no network", "no route", "timed out", "failed", "no permission")
            for host, use in (("255.255.255.255", "broadcasts"), ("224.0.0.5", "multicast"))
        ),
        (_toolsnet("malformed", "pim info"), "PIM pim.plant:6575 answers, but by no 08 that can be read", "own log"),
        (_toolsnet("malformed", "streaming"), "10.9.9.9:10111 answers, but by no 05 that can be read", "own log"),
        (_toolsnet("no port", "server opening"), "names a port for the server at 10.9.9.9 that cannot be", "65535"),
        (
            _toolsnet("no answer", "streaming", server_port_named=False),
            "did not acknowledge",
            "08 names no port, so the PIM's own is used. Is this ToolsNet's",
        ),
    ],
)
def test_the_words_say_who_what_and_what_to_do(reason, words, hint):
    assert words in reason.words and hint in reason.hint, reason


PLACES = ("mqtt://10.1.2.3:8883/toolcart/1/10", "https://10.1.2.3/x", "https://10.1.2.3:8443/x")


def _tls(slug, code=0):
    outlet = {"why": slug, "why_code": code}
    return [reasons.of_outlet({"kind": "", "place": place, **outlet}).text() for place in PLACES] + [
        reasons.of_toolsnet({"host": "10.1.2.3", "port": 6575, "why_in": "pim verify", **outlet}).text()
    ]


def test_each_outlet_says_the_same_of_tls():
    for slug, code, words in (
        ("not trusted", 10, "its certificate has expired"),
        ("not trusted", 9, "its certificate is not valid yet"),
        ("not trusted", 20, "its certificate is not signed by tls_ca"),
        ("not trusted", 64, "its certificate is for another host"),
        ("not trusted", 62, "its certificate is for another host"),
        ("TLS refused", 116, "refuses our side of TLS: alert 116, certificate required"),
        ("TLS refused", 0, "refuses our side of TLS. Does it require a certificate of ours (tls_certificate"),
        ("TLS ended", 0, "closed the connection before anything came over TLS. Does it require"),
        ("TLS broken", 0, "was damaged on the way"),
        ("no permission", 1, "this machine does not permit the connection"),
    ):
        assert all(words in text and "dialout" not in text for text in _tls(slug, code)), _tls(slug, code)
    assert not any(
        "adapter" in text or "there is no" in text for slug in ("no device", "unplugged") for text in _tls(slug, 5)
    )


OF_OUR_CERTIFICATE = (*range(40, 47), 48, 49, 116)


def test_certificate_is_asked_for_only_where_the_alert_may_want_one():
    for code in (10, 20, 21, 22, 30, *range(40, 52), 60, 71, 80, 86, 90, 100, *range(109, 117), 120):
        for text in _tls("TLS refused", code):
            assert f"refuses our side of TLS: alert {code}, " in text and text.endswith("Its own log says why."), text
            assert ("Does it require a certificate of ours" in text) == (code in OF_OUR_CERTIFICATE), text
    for code in (0, 0x7780):  # which one is not known; mbedTLS says it of each
        for text in _tls("TLS refused", code):
            assert "alert" not in text and "refuses our side of TLS. Does it require a certificate" in text


def test_what_asks_for_tls_is_named_as_it_is_set():
    """A webhook has TLS by its url, the others by tls_ca."""
    webhook = reasons.of_outlet({"kind": "", "place": "https://host:1/x", "why": "no TLS"}).hint
    assert "Without TLS its url begins with http://" in webhook and "leave out" not in webhook
    broker = reasons.of_outlet({"kind": "", "place": "mqtt://broker:1883", "why": "no TLS"}).hint
    for hint in (broker, reasons.of_toolsnet({"host": "pim", "port": 1, "why": "no TLS"}).hint):
        assert "Without TLS leave out tls_ca" in hint and "url" not in hint


def test_a_side_that_is_up_has_no_reason():
    assert not reasons.of_controller({"host": "x", "port": 1, "why": ""}) and not reasons.of_toolsnet({"why": ""})


def test_the_same_reason_is_reported_once_until_something_has_worked():
    one = connection_fault.ConnectionFault()
    assert one.set(19, 0, 111, 0, 5) and not one.set(19, 0, 111, 0, 5)
    assert one.set(20, 0, 113, 0, 5) and one.set(19, 0, 111, 0, 5)
    one.over()
    assert one.why == 0 and not one.set(19, 0, 111, 0, 5)
    assert one.set(19, 0, 111, 0, 6)


def test_broker_s_reason_is_sentence_and_an_outlet_s_own_words_stay():
    outlet = {"place": "mqtt://broker:8883/toolcart/1/10", "why": "not trusted", "why_code": 18}
    assert reasons.of_outlet(outlet).words.startswith("broker broker:8883: its certificate is not signed by tls_ca")
    assert "8883" in reasons.of_outlet({**outlet, "why": "refused"}).hint
    for place in ("", "/var/lib/results.jsonl", "mqtt://broker:8883/x"):
        assert reasons.of_outlet({"place": place, "why": "no room is left"}).text() == "no room is left"
    assert not reasons.of_outlet({**outlet, "why": ""})
