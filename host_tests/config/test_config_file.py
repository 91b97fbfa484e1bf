"""A configuration file is read whole or every mistake in it is told; a key that stands twice is one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.agent.cart import config
from toolcart.base import installation
from toolcart.tools.cli.main import main
from toolcart.tools.config import checked
from toolcart.tools.config import file as config_file
from toolcart.tools.config import places as config_places
from toolcart.tools.flash.package import checked_config

GOOD = """{
  "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
  "board": {"network": "ethernet"},
  "stations": [
    {"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}},
    {"number": 2, "controller": {"host": "192.0.2.11"}, "spool": {"path": "raw@1024"}}
  ]
}"""


def mistakes_of(tmp_path, old, new, read=config_file.read):
    assert GOOD.count(old) == 1
    path = tmp_path / "cart.json"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(config_file.Wrong) as raised:
        read(path)
    return raised.value.mistakes


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
def test_a_key_that_stands_twice_is_named_with_its_place(tmp_path, old, new, place, read):
    told = mistakes_of(tmp_path, old, new, read)
    assert told == [(place, "", "given more than once")]


def test_keys_that_stand_twice_are_told_together_with_all_other_mistakes(tmp_path):
    places = [place for place, *_ in mistakes_of(tmp_path, '"number": 2', '"number": 2, "number": 1, "nmae": ""')]
    assert sorted(places) == ["stations[1].nmae", "stations[1].number", "stations[1].number"]


def test_serial_line_without_pyserial_is_mistake_of_running_not_of_the_file(tmp_path, monkeypatch):
    old, new = '"controller": {"host": "192.0.2.10"}', '"controller": {"link": "3964r", "device": "/dev/ttyUSB0"}'
    path = tmp_path / "cart.json"
    path.write_text(GOOD.replace(old, new))
    assert config_file.read_to_run(path)["stations"][0]["controller"]["link"] == "3964r"
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, found, allowed)] = mistakes_of(tmp_path, old, new, config_file.read_to_run)
    assert (place, found) == ("stations[0].controller.link", '"3964r"')
    assert installation.how_to_get("serial") in allowed
    assert config_file.read(path)
    demo = CliRunner().invoke(main, ["run", "--link", "ascii", "--headless"])
    assert demo.exit_code == 2 and installation.how_to_get("serial") in demo.output


def test_a_tree_of_any_depth_is_walked_without_recursion(tmp_path):
    path = tmp_path / "cart.json"
    path.write_text('{"a":' * 400 + '{"b": 1, "b": 2}' + "}" * 400)
    with pytest.raises(config_file.Wrong) as raised:
        config_file.parse(path)
    assert raised.value.mistakes[0][0].count(".") == 400


def test_files_of_tls_are_looked_at_before_anything_runs(tmp_path):
    tls = '"pim_port": 6575, "tls_ca": "nothing.pem"'
    (tmp_path / "cart.json").write_text(GOOD.replace('"pim_port": 6575', tls))
    assert config_file.read_to_run(tmp_path / "cart.json"), "an agent collects without it"
    [(place, found, _)] = checked.check(tmp_path / "cart.json").lacks
    assert place == "toolsnet.tls_ca" and found == f"{tmp_path}/nothing.pem: No such file or directory"
    said = CliRunner().invoke(main, ["config", "check", str(tmp_path / "cart.json")])
    assert said.exit_code == 0 and "cannot run as it is on this machine" in said.output and "nothing.pem" in said.output


def test_time_zone_that_is_none_is_mistake_before_a_board_has_it(tmp_path):
    found = mistakes_of(tmp_path, '"ethernet"', '"ethernet", "time_zone": "garbage!!"')
    assert found[0][:2] == ("board.time_zone", '"garbage!!"') and "CET-1CEST" in found[0][2]


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_what_is_no_json_is_told_in_words(tmp_path, text, said):
    path = tmp_path / "cart.json"
    path.write_text(text)
    with pytest.raises(config_file.Wrong) as raised:
        config_file.read(path)
    ((place, found, wrong),) = raised.value.mistakes
    assert place.startswith(("line ", "(file)")) and found == "" and any(words in wrong for words in said.split("|"))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("host", "10.20.7.300", '300 is above 255: "10.20.7.300"; expected a name'),
        ("host", "10.0.0.5:4545", "a port, which is a setting of its own"),
        ("host", "http://10.0.0.5", "a URL"),
        ("host", " 10.0.0.5", "a blank in it"),
        ("host", "", "empty"),
        ("host", "10.0.0", "an IPv4 address has four numbers"),
        ("port", "4545", "a number in quotes"),
        ("recover", "true", "in quotes"),
        ("link", "TCP", "capital letters"),
        ("link", "rs232", 'expected one of tcp, ascii, 3964r; found "rs232"'),
    ],
)
def test_what_is_wrong_with_a_value_comes_first(tmp_path, place, value, said):
    tree = json.loads(GOOD)
    tree["stations"][0]["controller"][place] = value
    path = tmp_path / "cart.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(config_file.Wrong) as raised:
        config_file.read(path)
    assert f"stations[0].controller.{place}  {said}" in str(raised.value)


# A spool or a file of lines that could not be written is told by `config check`, before anything runs.

TREE = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "a.spool"}}],
}


def found_with(folder, path="a.spool", outlets=None, **board):
    station = dict(TREE["stations"][0], spool={"path": path})
    if outlets:
        station["outlets"] = outlets
    tree = dict(TREE, stations=[station], board=board)
    return config_places.unusable(config.complete(tree), Path(folder))


def test_place_that_can_be_written_is_good_and_nothing_is_left_there(tmp_path):
    assert found_with(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (".", "that is a folder"),
    ],
)
def test_place_that_cannot_is_told_with_its_setting_and_what_would_do(tmp_path, path, words):
    [(place, found, allowed)] = found_with(tmp_path, path)
    assert place == "stations[0].spool.path" and words in found and allowed == config_places.A_FILE


@pytest.mark.parametrize("is_there", [False, True])
def test_what_this_user_may_not_write_names_the_user(tmp_path, monkeypatch, is_there):
    def no(*_):
        raise PermissionError(13, "Permission denied")

    if is_there:
        (tmp_path / "a.spool").touch()
    monkeypatch.setattr("os.open", no)
    monkeypatch.setattr(config_places, "user_name", lambda: "anna")
    [(_, found, _)] = found_with(tmp_path)
    assert "anna may" in found


def test_files_of_lines_are_looked_at_too(tmp_path):
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "nowhere/lines"}]
    [(place, found, _)] = found_with(tmp_path, outlets=outlets)
    assert place == "stations[0].outlets[1].path" and "mkdir" in found


def test_config_check_says_it_and_json_has_it_beside_the_mistakes(tmp_path):
    cart = tmp_path / "cart.json"
    cart.write_text(json.dumps(TREE).replace("a.spool", "/proc/nothere"))
    said = CliRunner().invoke(main, ["config", "check", str(cart)])
    assert said.exit_code == 0 and "cannot run as it is on this machine" in said.output
    assert "found /proc/nothere: no file can be made in /proc" in said.output
    told = json.loads(CliRunner().invoke(main, ["config", "check", "--json", str(cart)]).output)
    assert told["good"] and [one["place"] for one in told["cannot_run_yet"]] == ["stations[0].spool.path"]
    assert ": good, 1 station; checked as " in CliRunner().invoke(main, ["config", "check", str(good(tmp_path))]).output


def good(folder):
    path = folder / "good.json"
    path.write_text(json.dumps(TREE))
    return path
