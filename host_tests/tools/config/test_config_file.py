"""A configuration is read whole, or every mistake is told."""

import json

import pytest

from toolcart.base import installation
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files
from toolcart.tools.flash.package import checked_config
from host_tests.support.running import cart_of, toolcart, written

GOOD = """{
  "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
  "board": {"network": "ethernet"},
  "stations": [
    {"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}},
    {"number": 2, "controller": {"host": "192.0.2.11"}, "spool": {"path": "raw@1024"}}
  ]
}"""


def wrong(folder, content, read=config_file.read):
    """What is wrong with a file that has this content: a tree, or the text itself."""
    path = written(folder, content)
    with pytest.raises(config_file.ConfigurationError) as raised:
        read(path)
    return raised.value


def mistakes_of(tmp_path, old, new, read=config_file.read):
    assert GOOD.count(old) == 1
    return wrong(tmp_path, GOOD.replace(old, new), read).mistakes


def check(path, *words, code=0):
    """What `config check` says."""
    return toolcart("config", "check", path, *words, code=code).output


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6576', "toolsnet.pim_port"),
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6575', "toolsnet.pim_port"),
        ('"number": 2', '"number": 3, "number": 2', "stations[1].number"),
        ('"host": "192.0.2.11"', '"host": "192.0.2.12", "host": "192.0.2.11"', "stations[1].controller.host"),
        ('{"network": "ethernet"}', '{"network": "none"}, "board": {"network": "ethernet"}', "board"),
        ('"board": {', '"board": {"password": "hunter2", "password": "hunter3", ', "board.password"),
    ],
)
@pytest.mark.parametrize("read", [config_file.read, config_file.read_to_run, config_file.parse, checked_config])
def test_a_key_that_is_given_twice_is_named_with_its_place(tmp_path, old, new, place, read):
    mistakes = mistakes_of(tmp_path, old, new, read)
    assert mistakes == [(place, "", "given more than once")]


def test_keys_that_are_given_twice_are_reported_together_with_all_other_mistakes(tmp_path):
    places = [place for place, *_ in mistakes_of(tmp_path, '"number": 2', '"number": 2, "number": 1, "nmae": ""')]
    assert sorted(places) == ["stations[1].nmae", "stations[1].number", "stations[1].number"]


def test_serial_line_without_pyserial_is_mistake_of_running_not_of_the_file(tmp_path, monkeypatch):
    old, new = '"controller": {"host": "192.0.2.10"}', '"controller": {"link": "3964r", "device": "/dev/ttyUSB0"}'
    path = written(tmp_path, GOOD.replace(old, new))
    assert config_file.read_to_run(path)["stations"][0]["controller"]["link"] == "3964r"
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, value, allowed)] = mistakes_of(tmp_path, old, new, config_file.read_to_run)
    assert (place, value) == ("stations[0].controller.link", '"3964r"')
    assert installation.how_to_get("serial") in allowed
    assert config_file.read(path)
    assert installation.how_to_get("serial") in toolcart("run", "--link", "ascii", "--headless", code=2).output


def test_webhook_without_its_library_is_a_mistake_that_names_the_extra(tmp_path, monkeypatch):
    tree = json.loads(GOOD)
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "webhook", "url": "http://hook/"}]
    path = written(tmp_path, json.dumps(tree))
    assert config_file.not_runnable(config_file.read(path), tmp_path) == []
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, value, allowed)] = config_file.not_runnable(config_file.read(path), tmp_path)
    assert (place, value) == ("stations[0].outlets[1].kind", '"webhook"')
    assert "the extra `webhook`" in allowed and installation.how_to_get("webhook") in allowed
    assert config_file.read_to_run(path), "an agent collects without it, and says why"
    checked = toolcart("config", "check", str(path), code=None).output
    assert place in checked and installation.how_to_get("webhook") in checked


def test_a_tree_of_any_depth_is_walked_without_recursion(tmp_path):
    deep = '{"a":' * 400 + '{"b": 1, "b": 2}' + "}" * 400
    assert wrong(tmp_path, deep, config_file.parse).mistakes[0][0].count(".") == 400


def test_files_of_tls_are_looked_at_before_anything_runs(tmp_path):
    path = written(tmp_path, cart_of(toolsnet={"tls_ca": "nothing.pem"}))
    assert config_file.read_to_run(path), "an agent collects without it"
    [(place, value, allowed)] = files.check(path).lacks
    assert place == "toolsnet.tls_ca" and value == f"{tmp_path}/nothing.pem: No such file or directory"
    assert allowed == "a file in PEM"
    output = check(path, code=1)
    assert "cannot run as it is on this machine" in output and "nothing.pem" in output


WEBHOOK = {"kind": "webhook", "url": "https://hook/"}
MQTT = {"kind": "mqtt", "host": "broker"}


@pytest.mark.parametrize(
    ("outlet", "key"),
    [
        *[({**WEBHOOK, "url": url}, "url") for url in ("ftp://x/", "http://", "http://a..b/", "http://x:0/", "x")],
        *[({**WEBHOOK, "url": url}, "url") for url in (f"http://{'a' * 64}.b/", "http://300.1.1.1/", "http://u@x/")],
        ({**WEBHOOK, "user": "anna"}, "user"),
        ({**WEBHOOK, "password": {"file": "secret"}}, "user"),
        ({**WEBHOOK, "user": "a:b", "password": {"file": "secret"}}, "user"),
        ({**WEBHOOK, "token": {"file": "secret"}, "user": "a", "password": {"file": "secret"}}, "token"),
        ({**WEBHOOK, "url": "http://hook/", "tls_ca": "ca.pem"}, "tls_ca"),
        ({**WEBHOOK, "tls_key": "key.pem"}, "tls_certificate"),
        ({**WEBHOOK, "tls_name": ".hook"}, "tls_name"),
        *[({**MQTT, "topic": topic}, "topic") for topic in ("a/#", "+/a", "$SYS/a", "a//b", "{cart}/a", "a/")],
        ({**MQTT, "password": {"file": "secret"}}, "user"),
        ({**MQTT, "tls_name": "b"}, "tls_name"),
        *[({**MQTT, "host": host}, "host") for host in ("a..b", "a" * 64, ":::zz", ".")],
        *[({"kind": "file", "path": path}, "path") for path in ("cart.json.sock", "./cart.json.sock", "cart.json")],
    ],
)
def test_what_an_outlet_would_refuse_is_a_mistake_of_the_file_for_everybody(tmp_path, outlet, key):
    (tmp_path / "secret").write_text("geheim")
    (tmp_path / "secret").chmod(0o600)
    tree = cart_of(station={"outlets": [{"kind": "toolsnet"}, outlet]})
    place = f"stations[0].outlets[1].{key}"
    for read in (config_file.read, config_file.read_to_run, config_file.read_to_install):
        assert [setting for setting, *_ in wrong(tmp_path, tree, read).mistakes] == [place], read
    path = tmp_path / "cart.json"
    assert place in check(path, code=2) and place in toolcart("run", "--plain", "--config", path, code=2).output
    assert files.check(path).mistakes, "what a reload asks"


@pytest.mark.parametrize("key", ["tls_name", "tls_certificate", "tls_key"])
def test_toolsnet_without_tls_has_no_settings_of_tls(tmp_path, key):
    for read in (config_file.read, config_file.read_to_run):
        [(place, *_)] = wrong(tmp_path, cart_of(toolsnet={key: "x"}), read).mistakes
        assert place == f"toolsnet.{key}"


def test_a_secret_that_cannot_be_read_is_one_mistake_and_not_also_one_of_what_needs_it(tmp_path):
    hook = {**WEBHOOK, "user": "anna", "password": {"file": "nowhere"}}
    tree = cart_of(station={"outlets": [{"kind": "toolsnet"}, hook]})
    assert [place for place, *_ in wrong(tmp_path, tree, config_file.read_whole).mistakes] == [
        "stations[0].outlets[1].password"
    ]
    assert config_file.read_to_run(tmp_path / "cart.json"), "an agent collects without it"


@pytest.mark.parametrize(("key", "value"), [("invert", True), ("rs485", "5")])
def test_a_line_that_only_a_chip_can_have_is_reported_before_the_port_refuses_it(tmp_path, key, value):
    line = {"link": "ascii", "device": "/dev/ttyUSB0", key: value}
    path = written(tmp_path, cart_of(station={"controller": line}))
    assert f"stations[0].controller.{key}" in check(path, code=1)


def test_time_zone_that_is_none_is_mistake_before_a_board_has_it(tmp_path):
    mistakes = mistakes_of(tmp_path, '"ethernet"', '"ethernet", "time_zone": "garbage!!"')
    assert mistakes[0][:2] == ("board.time_zone", '"garbage!!"') and "CET-1CEST" in mistakes[0][2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n // no\n "b": 2}', "a comment"),
        ("", "the file is empty"),
        ("# cart\nsystem:\n  name: x\n", "YAML"),
        ("[system]\nname = 1\n", "TOML"),
        ("<config/>", "XML"),
        ('{"a": 1,\n}', "a comma behind the last entry"),
        ("{'a': 1}", "another quote"),
        ('{"a": True}', "small letters"),
        ('{"a": 07}', "begins with 0"),
        ('{"a": [1, 2', "ends too early"),
        ('{"a": 1 "b": 2}', "a comma or a closing bracket is missing"),
    ],
)
def test_what_is_no_json_is_reported_in_words(tmp_path, text, expected):
    [(place, value, words)] = wrong(tmp_path, text).mistakes
    assert place.startswith(("line ", "(file)")) and value == "" and expected in words


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1,\n}', "line 1, column 8"),
        ('{"a": [1, 2 ,\n\n  ]\n}', "line 1, column 13"),
        ('{"a": {"b": 1\n ,}}', "line 2, column 2"),
        ('{"a": 1,,}', "line 1, column 9"),
        ('{\n"a": 1 "b": 2}', "line 2, column 8"),
    ],
)
def test_what_is_no_json_is_reported_where_it_is(tmp_path, text, where):
    [(place, *_)] = wrong(tmp_path, text).mistakes
    assert place == where


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("host", "10.20.7.300", '300 is above 255: "10.20.7.300"; expected a name'),
        ("host", "10.0.0.5:4545", "a port, which is a setting of its own"),
        ("host", "http://10.0.0.5", "a URL"),
        ("host", "[fe80::1]", "in brackets"),
        ("host", " 10.0.0.5", "a blank in it"),
        ("host", "", "empty"),
        ("host", "10.0.0", "an IPv4 address has four numbers"),
        ("port", "4545", "a number in quotes"),
        ("recover", "true", "in quotes"),
        ("link", "TCP", "capital letters"),
        ("link", "rs232", 'expected one of tcp, ascii, 3964r; found "rs232"'),
    ],
)
def test_what_is_wrong_with_a_value_comes_first(tmp_path, place, value, expected):
    tree = json.loads(GOOD)
    tree["stations"][0]["controller"][place] = value
    assert f"stations[0].controller.{place}  {expected}" in str(wrong(tmp_path, tree))
