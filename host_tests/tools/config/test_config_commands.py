"""`toolcart config`: new asks for seven answers and writes a configuration, which is checked and shown."""

import json
import stat
import subprocess

import pytest

from toolcart.agent.cart import config
from toolcart.tools.config import file as config_file
from toolcart.tools.config import new as config_new
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, command_of, toolcart
from host_tests.tools.config.test_config_schema_values import SCHEMA, fits

ANSWERS = ["Cart 7", "10.0.0.10", "pim.plant:6575", "2", "12", "linux", "no"]


OPTIONS = [*("--name", "A", "--controller", "h", "--pim", "h:1"), *("--system", 1, "--station", 1, "--on", "linux")]


def new(folder, *answers, options=(), code=0):
    """What `config new` says to these answers."""
    text = "".join(f"{answer}\n" for answer in answers)
    return toolcart("config", "new", folder / "cart.json", *options, text=text, code=code).output


def station_in(folder):
    """The station in the file that was written."""
    [station] = json.loads((folder / "cart.json").read_text())["stations"]
    return station


def test_seven_answers_make_a_good_configuration(tmp_path):
    assert len(config_new.QUESTIONS) == len(ANSWERS) == 7
    output = new(tmp_path, *ANSWERS)
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert tree["toolsnet"] == {"pim_host": "pim.plant", "pim_port": 6575} and tree["system"] == {"number": 2}
    own = {"controller": {"host": "10.0.0.10"}, "spool": {"path": "cart7.spool"}}
    assert tree["stations"] == [{"number": 12, "name": "Cart 7", **own}]
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree)
    assert json.loads((tmp_path / tree["$schema"]).read_text()) == SCHEMA
    assert f"toolcart run --config {tmp_path / 'cart.json'}" in output


def test_defaults_leave_two_questions(tmp_path):
    new(tmp_path, "", "10.0.0.10:4546", "10.0.0.5:6575", "", "", "", "")
    assert station_in(tmp_path)["controller"]["port"] == 4546


@pytest.mark.parametrize(
    ("at", "wrong", "allowed"),
    [
        (1, "10.0.0.10:", "HOST:PORT"),
        (1, "10.0.0.10:\u00b2", "HOST:PORT"),
        (1, "0.0.0.0:4545", "an address that a machine has"),
        (1, "ascii:ttyUSB0", "such as /dev/ttyUSB0"),
        (2, "pim.plant", "HOST:PORT"),
        (2, "10.0.0.10:4545", "another host or port than those of stations[0].controller.host"),
        (4, "x", "1 to 9999"),
        (5, "windows", "linux, ethernet or wifi:NAME"),
        (6, "http://host:x/", "expected a port of 1 to 65535"),
    ],
)
def test_a_wrong_answer_is_reported_and_asked_again(tmp_path, at, wrong, allowed):
    assert allowed in new(tmp_path, *ANSWERS[:at], wrong, *ANSWERS[at:])
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["number"] == 12


def test_address_of_ipv6_is_written_without_its_brackets(tmp_path):
    new(tmp_path, options=[*OPTIONS, "--controller", "[2001:db8::1]:4546", "--pim", "[::1]:6575"])
    assert station_in(tmp_path)["controller"] == {"host": "2001:db8::1", "port": 4546}
    assert config_file.read(tmp_path / "cart.json")["toolsnet"]["pim_host"] == "::1"
    (tmp_path / "cart.json").unlink()
    new(tmp_path, options=[*OPTIONS, "--controller", "2001:db8::1"])
    assert station_in(tmp_path)["controller"] == {"host": "2001:db8::1"}


def test_what_an_option_says_is_not_asked_and_wrong_one_ends_it(tmp_path):
    output = new(tmp_path, options=[*OPTIONS, "--controller", "ascii:/dev/ttyUSB0"])
    assert "1." not in output.partition("good")[0]
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["controller"]["link"] == "ascii"
    output = new(tmp_path / "..", options=["--name", "A", "--controller", "a b"], code=2)
    assert "--controller cannot be that" in output


def test_chip_in_wifi_network_gets_its_password_in_file_of_its_own(tmp_path):
    output = new(tmp_path, *ANSWERS[:5], "wifi:Plant", "mqtt://broker", "geheim-4711")
    assert "geheim" not in output + (tmp_path / "cart.json").read_text()
    secret = tmp_path / config_new.PASSWORD_FILE
    assert secret.read_text() == "geheim-4711\n" and stat.S_IMODE(secret.stat().st_mode) == 0o600
    configuration, tree = config_file.read_whole(tmp_path / "cart.json")
    assert tree["board"]["password"] == configuration["board"]["password"] == "geheim-4711"
    assert config.check(tree) == [] and "toolcart flash" in output


def test_results_go_to_another_place_as_well(tmp_path):
    url = "https://mes.plant/in?cart=7"
    new(tmp_path, options=(*OPTIONS, "--also", url))
    assert station_in(tmp_path)["outlets"] == [{"kind": "toolsnet"}, {"kind": "webhook", "url": url}]
    assert config_file.read_to_run(tmp_path / "cart.json")


def test_a_board_has_no_webhook(tmp_path):
    output = new(tmp_path, *ANSWERS[:5], "ethernet", "https://mes.plant/", "mqtt://broker")
    assert "expected no, mqtt://BROKER" in output and station_in(tmp_path)["outlets"][1]["kind"] == "mqtt"


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "cart.json").write_text("mine")
    assert "already exists" in new(tmp_path, *ANSWERS, code=1)
    assert (tmp_path / "cart.json").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_where_nothing_can_be_written_nothing_half_is_left(tmp_path):
    words = command_of("config", "new", tmp_path / "cart.json", *OPTIONS, "--also", "no")
    for limit, code in (("0", 1), ("unlimited", 0)):
        shell = ["sh", "-c", f'ulimit -f {limit}; exec "$@"', "sh", *words]
        done = subprocess.run(shell, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == code and "None" not in done.stderr, done.stderr
        assert bool(list(tmp_path.iterdir())) == (code == 0)


def test_a_place_that_a_mistake_names_is_explained():
    assert toolcart("config", "explain", "stations[0].spool.path").output.startswith("stations[].spool.path ")


def test_without_toolsnet_the_last_question_is_where_results_go(tmp_path):
    output = new(tmp_path, "Cart 7", "10.0.0.10", "no", "2", "12", "linux", "no", "mqtt://broker")
    assert "7. Results to (mqtt://BROKER" in output and "expected mqtt://BROKER" in output
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert "toolsnet" not in tree and tree["stations"][0]["outlets"] == [{"kind": "mqtt", "host": "broker"}]
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree)
