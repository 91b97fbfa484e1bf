"""`toolcart config new`: seven answers make a good file; a wrong one is asked again, and nothing is overwritten."""

import json
import stat

import pytest
from click.testing import CliRunner

from toolcart.agent.cart import config
from toolcart.tools.cli.main import main
from toolcart.tools.config import file as config_file
from toolcart.tools.config import new as config_new
from host_tests.config.test_config_schema import SCHEMA, fits

ANSWERS = ["Cart 7", "10.0.0.10", "pim.plant:6575", "2", "12", "linux", "no"]


def new(folder, *answers, options=()):
    words = ["config", "new", str(folder / "cart.json"), *options]
    return CliRunner().invoke(main, words, input="".join(f"{answer}\n" for answer in answers))


def test_seven_answers_make_a_good_configuration(tmp_path):
    assert len(config_new.QUESTIONS) == len(ANSWERS) == 7
    done = new(tmp_path, *ANSWERS)
    assert done.exit_code == 0, done.output
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert tree["toolsnet"] == {"pim_host": "pim.plant", "pim_port": 6575} and tree["system"] == {"number": 2}
    [station] = tree["stations"]
    assert station == {
        "number": 12,
        "name": "Cart 7",
        "controller": {"host": "10.0.0.10"},
        "spool": {"path": "cart7.spool"},
    }
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree, SCHEMA)
    assert fits(tree, json.loads((tmp_path / tree["$schema"]).read_text()))
    assert f"toolcart run --config {tmp_path / 'cart.json'}" in done.output


def test_defaults_leave_two_questions(tmp_path):
    done = new(tmp_path, "", "10.0.0.10:4546", "10.0.0.5:6575", "", "", "", "")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "cart.json").read_text())["stations"][0]["controller"]["port"] == 4546


@pytest.mark.parametrize(
    ("at", "wrong", "allowed"),
    [
        (1, "10.0.0.10:", "HOST:PORT"),
        (2, "pim.plant", "HOST:PORT"),
        (4, "x", "1 to 9999"),
        (5, "windows", "linux, ethernet or wifi:NAME"),
        (6, "http://host:x/", "expected a port of 1 to 65535"),
    ],
)
def test_a_wrong_answer_is_told_and_asked_again(tmp_path, at, wrong, allowed):
    done = new(tmp_path, *ANSWERS[:at], wrong, *ANSWERS[at:])
    assert done.exit_code == 0 and allowed in done.output
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["number"] == 12


def test_what_an_option_says_is_not_asked_and_wrong_one_ends_it(tmp_path):
    options = ["--name", "A", "--controller", "ascii:/dev/ttyUSB0", "--pim", "10.0.0.5:6575", "--system", "1"]
    done = new(tmp_path, options=[*options, "--station", "3", "--on", "linux"])
    assert done.exit_code == 0 and "1." not in done.output.partition("good")[0]
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["controller"]["link"] == "ascii"
    done = new(tmp_path / "..", options=["--name", "A", "--controller", "a b"])
    assert done.exit_code == 2 and "--controller cannot be that" in done.output


def test_chip_in_wifi_network_gets_its_password_in_file_of_its_own(tmp_path):
    done = new(tmp_path, *ANSWERS[:5], "wifi:Plant", "mqtt://broker", "geheim-4711")
    assert done.exit_code == 0 and "geheim" not in done.output + (tmp_path / "cart.json").read_text()
    secret = tmp_path / config_new.PASSWORD_FILE
    assert secret.read_text() == "geheim-4711\n" and stat.S_IMODE(secret.stat().st_mode) == 0o600
    configuration, tree = config_file.read_whole(tmp_path / "cart.json")
    assert tree["board"]["password"] == configuration["board"]["password"] == "geheim-4711"
    assert config.check(tree) == [] and "toolcart flash" in done.output


@pytest.mark.parametrize(
    ("answer", "outlet"),
    [
        ("https://mes.plant/in?cart=7", {"kind": "webhook", "url": "https://mes.plant/in?cart=7"}),
    ],
)
def test_results_go_to_another_place_as_well(tmp_path, answer, outlet):
    options = ("--name", "A", "--controller", "h", "--pim", "h:1", "--system", "1", "--station", "1", "--on", "linux")
    done = new(tmp_path, options=(*options, "--also", answer))
    assert done.exit_code == 0, done.output
    [station] = json.loads((tmp_path / "cart.json").read_text())["stations"]
    assert station["outlets"] == [{"kind": "toolsnet"}, outlet]
    assert config_file.read_to_run(tmp_path / "cart.json")


def test_a_board_has_no_webhook(tmp_path):
    done = new(tmp_path, *ANSWERS[:5], "ethernet", "https://mes.plant/", "mqtt://broker")
    assert done.exit_code == 0 and "expected no, mqtt://BROKER" in done.output
    assert json.loads((tmp_path / "cart.json").read_text())["stations"][0]["outlets"][1]["kind"] == "mqtt"


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "cart.json").write_text("mine")
    done = new(tmp_path, *ANSWERS)
    assert done.exit_code == 1 and "already exists" in done.output
    assert (tmp_path / "cart.json").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_without_toolsnet_the_last_question_is_where_results_go(tmp_path):
    done = new(tmp_path, "Cart 7", "10.0.0.10", "no", "2", "12", "linux", "no", "mqtt://broker")
    assert done.exit_code == 0, done.output
    assert "7. Results to (mqtt://BROKER" in done.output and "expected mqtt://BROKER" in done.output
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert "toolsnet" not in tree and tree["stations"][0]["outlets"] == [{"kind": "mqtt", "host": "broker"}]
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree, SCHEMA)
