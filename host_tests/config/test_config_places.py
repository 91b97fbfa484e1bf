"""A spool or a file of lines that could not be written is told by `config check`, before anything runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.agent.cart import config
from toolcart.tools.cli.main import main
from toolcart.tools.config import places as config_places

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
