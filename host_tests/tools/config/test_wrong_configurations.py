"""Wrong configurations, each told at the right exit code, with the reason in front of what is expected.

2: wrong on every machine. 1: good in itself, but not all of it can run here. 0: a warning, as all the rest is done.
"""

import json
import os

import pytest

from toolcart.tools.config import file as config_file
from toolcart.tools.config import machine_checks, runner
from host_tests.support.running import toolcart, written

TOOLSNET = {"kind": "toolsnet"}
SECRET = {"file": "secret"}


def station(number=1, outlets=None, controller=None, path=None, **spool):
    tree = {
        "number": number,
        "controller": {"host": f"192.0.2.{number}"} if controller is None else controller,
        "spool": {"path": path or f"{number}.spool", "size_kib": 256, **spool},
    }
    return tree if outlets is None else {**tree, "outlets": [TOOLSNET, *outlets]}


def cart(*stations, toolsnet=None, **sections):
    pim = {"pim_host": "192.0.2.200", "pim_port": 6575, **(toolsnet or {})}
    return {"toolsnet": pim, "stations": list(stations) or [station()], **sections}


def at(host="192.0.2.1", **controller):
    return cart(station(controller={"host": host, **controller}))


def on(device="/dev/null", link="ascii", **controller):
    return cart(station(controller={"link": link, "device": device, **controller}))


def hook(**outlet):
    return cart(station(outlets=[{"kind": "webhook", "url": "https://hook/", **outlet}]))


def mqtt(**outlet):
    return cart(station(outlets=[{"kind": "mqtt", "host": "broker", **outlet}]))


def lines(*paths):
    outlets = [{"kind": "file", "path": path, "name": f"f{index}"} for index, path in enumerate(paths)]
    return cart(station(outlets=outlets))


def board(network, device="", unit=16, clock="off", **section):
    """Of a board: with raw flash."""
    controller = {"link": "ascii", "device": device} if device else None
    whole = station(controller=controller, path="raw", unit=unit)
    return cart(whole, toolsnet={"clock": clock}, board={"network": network, **section})


TLS_OF_BOARD = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key", "tls_name": "pim"}
OF_ISSUE = {
    "a wildcard in a topic": (mqtt(topic="graz/#"), 2, "[1].topic  a wildcard in it"),
    "a topic's name in braces": (mqtt(topic="graz/{name}"), 2, "[1].topic  {name} in it, which is not filled in"),
    "ftp": (hook(url="ftp://hook/"), 2, "[1].url  ftp:// in front, which is not for a webhook"),
    "a password in a URL": (hook(url="http://anna:geheim@hook/"), 2, 'a user in the URL: "http://***@hook/"'),
    "two peers at one port": (
        at("192.0.2.200", port=6575), 2, "pim_host  found 192.0.2.200 port 6575, where a controller is; expected"
    ),
    "two controllers at one port": (
        cart(station(1, controller={"host": "a"}), station(2, controller={"host": "a"})), 2, 'found "a port 4545"'
    ),
    "a blank around a path": (cart(station(path=" a.spool")), 2, 'spool.path  found a blank around it: " a.spool"'),
    "a host beside 3964r": (on(link="3964r", host="a"), 1, "controller.host: no effect with the link 3964r"),
    "curves without traces": (cart(toolsnet={"extras": ["curves"]}), 0, "toolsnet.extras: curves has no effect"),
    "a file that another renames to": (lines("a.jsonl", "a.jsonl.1"), 2, "found a.jsonl.1, which is the full file of"),
    "a device that is none": (on("/dev/null"), 1, "found /dev/null, which is a device, but no serial line"),
    "0.0.0.0": (at("0.0.0.0"), 2, "found 0.0.0.0, which means all addresses of this machine"),
}  # fmt: skip

MORE = {
    "a device that is not there": (on("/dev/ttyNONE"), 1, "found /dev/ttyNONE: No such file or directory"),
    "a device that is a file": (on("/etc/passwd"), 1, "found /etc/passwd, which is a file"),
    "a device that is a folder": (on("/dev"), 1, "found /dev, which is a folder"),
    "a device without its folder": (on("ttyUSB0"), 2, 'found "ttyUSB0", which is no path'),
    "a blank around a device": (on("/dev/ttyS0 "), 2, 'found a blank around it: "/dev/ttyS0 "'),
    "a password in a device server": (on("socket://a:geheim@b:1"), 2, 'found "socket://***@b:1"'),
    "a device server without its port": (on("rfc2217://10.0.0.9"), 2, 'found "rfc2217://10.0.0.9"'),
    "a device server at a controller's port": (
        cart(station(controller={"link": "ascii", "device": "socket://a:4545"}), station(2, controller={"host": "a"})),
        2, "found a port 4545, which is the same as socket://a:4545",
    ),
    "a baud rate beside tcp": (at(baud=19200), 0, "controller.baud: no effect with the link tcp"),
    "a device beside tcp": (at(device="/dev/ttyS0"), 0, "controller.device: no effect with the link tcp"),
    "a priority beside ascii": (on(priority="high"), 1, "controller.priority: no effect with the link ascii"),
    "a baud rate behind socket://": (on("socket://b:1", baud=19200), 0, "controller.baud: no effect with socket://"),
    "a pin on Linux": (on(rs485="5"), 1, 'rs485: found "5"; expected "" or rts'),
    "all addresses of IPv6": (at("::"), 2, "found ::, which means all addresses of this machine"),
    "a broadcast address": (at("255.255.255.255"), 2, "found 255.255.255.255, which is for broadcasts"),
    "a multicast address": (mqtt(host="239.1.1.1"), 2, "outlets[1].host  found 239.1.1.1, which is for multicast"),
    "an address of no machine": (at("0.0.0.5"), 2, "found 0.0.0.5, which no machine has"),
    "a link-local address alone": (at("fe80::1"), 2, "which is no address without its interface, as in fe80::1%eth0"),
    "0.0.0.0 in a URL": (hook(url="http://0.0.0.0/"), 2, "[1].url  found 0.0.0.0, which means all addresses"),
    "0.0.0.0 for ToolsNet": (cart(toolsnet={"pim_host": "0.0.0.0"}), 2, "toolsnet.pim_host  found 0.0.0.0, which"),
    "0.0.0.0 in place of a server": (cart(toolsnet={"host_override": "0.0.0.0"}), 2, "toolsnet.host_override  found"),
    "0.0.0.0 as a server": (cart(toolsnet={"allow_hosts": ["0.0.0.0"]}), 2, "toolsnet.allow_hosts  found 0.0.0.0"),
    "a broker at the PIM": (mqtt(host="192.0.2.200", port=6575), 2, "[1].host  found 192.0.2.200 port 6575, where"),
    "a web server at a controller": (hook(url="http://192.0.2.1:4545/"), 2, "found 192.0.2.1 port 4545, where"),
    "a web server at a broker": (
        cart(station(outlets=[{"kind": "mqtt", "host": "b"}, {"kind": "webhook", "url": "http://b:1883/"}])), 2,
        "[2].url  found b port 1883, where an MQTT broker is; expected another host or port than those of stations[0].",
    ),
    "a URL twice": (
        cart(station(outlets=[{"kind": "webhook", "url": "https://b/", "name": name} for name in ("a", "b")])), 0,
        "outlets[2].url: that of outlets[1]: the server gets each result twice",
    ),
    "a blank in a URL": (hook(url="https://hook/a b"), 2, '[1].url  a blank in it: "https://hook/a b"'),
    "a token in a URL with a blank": (hook(url="https://hook/?token=ge heim"), 2, '"https://hook/?***"'),
    "no URL": (hook(url="hook/x"), 2, '[1].url  no URL: "hook/x"'),
    "a user in a broker's host": (mqtt(host="anna:geheim@broker"), 2, 'found "***@broker"'),
    "a topic of a broker's own": (mqtt(topic="$SYS/a"), 2, "[1].topic  a $ in front, which is for the broker itself"),
    "an empty level of a topic": (mqtt(topic="a//b"), 2, "[1].topic  an empty level"),
    "a blank around a topic": (mqtt(topic="graz "), 2, '[1].topic  found a blank around it: "graz "'),
    "a secret without a name": (mqtt(user="u", password={"file": ""}), 2, '[1].password  found ""'),
    "a secret that is a folder": (mqtt(user="u", password={"file": "."}), 2, '[1].password  found "."'),
    "a blank around a secret's name": (mqtt(user="u", password={"file": "secret "}), 2, "found a blank around it"),
    "a secret that is a list": (mqtt(user="u", password=["geheim"]), 2, 'found ***; expected {"file": NAME}'),
    "a secret that is not there": (mqtt(user="u", password={"file": "none"}), 1, "none: No such file or directory"),
    "a blank around a file's name": (lines("a.jsonl "), 2, '[1].path  found a blank around it: "a.jsonl "'),
    "a folder in place of a file": (lines("a/"), 2, "[1].path  found a/: that is a folder's name"),
    "a folder in place of a spool": (cart(station(path="..")), 2, "spool.path  found ..: that is a folder's name"),
    "a blank around a certificate's name": (cart(toolsnet={"tls_ca": " ca.pem"}), 2, 'a blank around it: " ca.pem"'),
    "a certificate that is none": (cart(toolsnet={"tls_ca": "secret"}), 1, "no certificate in PEM that can be used"),
    "curves for an outlet without traces": (mqtt(graphs=True), 0, "outlets[1].graphs: no effect"),
    "room for curves without traces": (cart(station(graphs_kib=64)), 0, "spool.graphs_kib: no effect but less room"),
    "events that no controller is asked for": (cart(toolsnet={"events": ["vin"]}), 0, "toolsnet.events: vin has no"),
    "a quarantine without ToolsNet": (
        {"stations": [{**station(parked_kib=32), "outlets": [{"kind": "mqtt", "host": "b"}]}]}, 0,
        "spool.parked_kib: no effect but less room",
    ),
    "servers that are not asked": (
        cart(toolsnet={"host_override": "a", "allow_hosts": ["b"]}), 0, "toolsnet.allow_hosts: no effect"
    ),
    "a network's name without a network": (cart(board={"ssid": "plant"}), 0, "board.ssid: no effect"),
    "pins of Ethernet beside Wi-Fi": (
        board("wifi", ssid="plant", ethernet_pins="sck 10"), 0, "board.ethernet_pins: no effect, as board.network"
    ),
    "a time server without a network": (
        board("none", ntp_hosts=["ntp"]), 0, "board.ntp_hosts: no effect, as board.network is none"
    ),
    **{
        f"{key} without a network": (
            {**board("none"), "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575, **TLS_OF_BOARD}}, 1,
            f"toolsnet.{key}: no effect, as board.network is none",
        )
        for key in TLS_OF_BOARD
    },
    "one time server in two spellings": (
        board("ethernet", ntp_hosts=["pool.ntp.org", "POOL.ntp.org."]), 2, "twice in the list"
    ),
    "one server of ToolsNet twice": (cart(toolsnet={"allow_hosts": ["A", "a"]}), 2, "twice"),
    "null for a section": ({**cart(), "board": None}, 2, "board  found null; expected an object"),
    "null for a station": ({**cart(), "stations": [None]}, 2, "stations[0]  found null; expected an object"),
    "null for what is required": (cart(station(number=None)), 2, "number  found null; expected a whole number"),
    "null for all stations": ({**cart(), "stations": None}, 2, "stations  found null; expected a list of 1"),
    "no stations": ({"toolsnet": {"pim_host": "a", "pim_port": 1}}, 2, "stations  missing; expected a list of 1"),
    "a time zone without a time server": (board("ethernet", time_zone="IST-5:30"), 0, "board.time_zone: no effect, as"),
    "a clock that is not set": (board("ethernet", clock="set"), 0, "toolsnet.clock: no effect on a board, which"),
    "a unit on a board": (board("ethernet", unit=64), 0, "stations[0].spool.unit: no effect on a board"),
    "pins of RTS and CTS without flow control": (
        board("none", device="1:8,9,11,10"), 0, "device: the pins of RTS and CTS have no effect, as"
    ),
    "a lamp on Linux": (cart(board={"lamp": "5"}), 0, "board.lamp: no effect on Linux"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*OF_ISSUE, *MORE])
def test_each_is_told_at_its_exit_code_with_the_reason_first(tmp_path, name):
    tree, code, words = {**OF_ISSUE, **MORE}[name]
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    output = toolcart("config", "check", written(tmp_path, tree), code=code).output
    assert words in output and "geheim" not in output
    for line in output.splitlines():
        told = line.partition("expected ")[0]
        assert "; expected " not in line or told.strip().rstrip(";"), "the reason comes first"
        assert not line.strip().endswith(": expected") and "  expected " not in line and ": expected " not in line
    as_json = json.loads(toolcart("config", "check", written(tmp_path, tree), "--json", code=code).output)
    assert as_json["good"] == (code != 2)
    told = str([as_json["mistakes"], as_json.get("cannot_run_yet"), as_json.get("warnings")])
    assert "geheim" not in told and len(told) > len("[[], [], []]")


def test_what_a_good_configuration_says_by_its_defaults_is_told_by_no_one(tmp_path):
    defaults = {"port": 4545, "baud": 9600, "payload": "auto", "rs485": "", "invert": False, "traces": None}
    path = written(tmp_path, at(**defaults))
    assert "no effect" not in toolcart("config", "check", path).output


def test_what_a_board_has_from_its_settings_is_told_by_no_one(tmp_path):
    for tree in (
        board("ethernet", ethernet_pins="sck 10, mosi 11, miso 12", ntp_hosts=["ntp"], time_zone="IST-5:30"),
        board("wifi", ssid="plant", country="DE", address="dns 10.0.0.2"),
        board("none", device="1:8,9", lamp="2"),
    ):
        assert "no effect" not in toolcart("config", "check", written(tmp_path, tree)).output


@pytest.mark.parametrize(("lines_of_unit", "is_told"), [([], True), (["AmbientCapabilities=CAP_SYS_TIME"], False)])
def test_a_clock_that_the_service_may_not_set_is_told(tmp_path, monkeypatch, lines_of_unit, is_told):
    path = written(tmp_path, cart(toolsnet={"clock": "set"}))
    settings = runner._settings(written(tmp_path, "\n".join(["[Service]", *lines_of_unit]), "toolcart.service"))
    monkeypatch.setattr(runner, "unit_of", lambda _: ("toolcart", settings))
    output = toolcart("config", "check", path, code=1 if is_told else 0).output
    words = 'toolsnet.clock: found "set", which the service toolcart may not do; expected a service with Ambient'
    assert (words in output) == is_told


def test_a_terminal_is_a_serial_device(tmp_path):
    ours, other = os.openpty()
    try:
        assert machine_checks.device_problem(os.ttyname(other)) == ""
    finally:
        os.close(ours)
        os.close(other)


def test_names_are_relative_to_where_the_file_will_be(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "secret").write_text("x")
    (there / "secret").chmod(0o600)
    copy, path = written(here, mqtt(user="u", password=SECRET)), there / "cart.json"
    assert f"{here}/secret: No such file or directory" in toolcart("config", "check", copy, code=1).output
    output = toolcart("config", "check", "--as", path, copy).output
    assert f"{copy}: good, 1 station" in output and not path.exists()
    (there / "secret").unlink()
    assert f"found {there}/secret: No such file" in toolcart("config", "check", "--as", path, copy, code=1).output
    missing = here / "none.json"
    assert f"{missing}: 1 mistake" in toolcart("config", "check", "--as", path, missing, code=2).output
    wrong = written(here, mqtt(topic="a/#"), "wrong.json")
    assert f"{wrong}: 1 mistake" in toolcart("config", "check", "--as", path, wrong, code=2).output
    with pytest.raises(config_file.ConfigurationError):
        config_file.read(wrong)
