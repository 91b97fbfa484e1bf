"""`toolcart config`: new asks for seven answers, make writes the configurations of all carts or tells each mistake."""

import json
import shutil
import stat
import subprocess

import pytest
from click.testing import CliRunner

from toolcart.agent.cart import config
from toolcart.tools.cli.main import main
from toolcart.tools.config import carts
from toolcart.tools.config import file as config_file
from toolcart.tools.config import new as config_new
from host_tests.config.test_config_schema import SCHEMA, fits
from lab.cache import CHECKOUT

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
    ("answer", "outlet"), [("https://mes.plant/in?cart=7", {"kind": "webhook", "url": "https://mes.plant/in?cart=7"})]
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


# An inventory and a template make the configurations of all carts, or every mistake in them is told with its row.

TEMPLATE = {
    "system": {"number": 1, "name": "{{hall}} {place}"},
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "stations": [
        {
            "number": "{station:int}",
            "name": "Cart {name}, {place}",
            "controller": {"host": "{controller}", "port": 4545},
            "spool": {"path": "{name}.spool"},
        }
    ],
}
HEAD = "name,host,station,controller,place\n"
GOOD = HEAD + "cart7,pi@cart7.plant,7,192.0.2.7,door left\ncart8,cart8,8,192.0.2.8,roof\n"


@pytest.fixture
def plant(tmp_path):
    """Make an inventory and a template; its paths."""

    def made(text, template=TEMPLATE, name="carts.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / "cart.json").write_text(json.dumps(template), encoding="utf-8")
        return tmp_path / name, tmp_path / "cart.json"

    return made


def mistakes(plant, text, template=TEMPLATE, **more):
    path, form = plant(text, template, **more)
    with pytest.raises(carts.Wrong) as wrong:
        carts.configurations(form, carts.read(path))
    return wrong.value.mistakes


@pytest.mark.parametrize(
    "text", [GOOD.replace(",", ";"), "\ufeff# plant 3\n" + GOOD.replace("\n", "\r\n") + "\n,,,,\n"]
)
def test_spreadsheets_of_all_kinds_are_read(plant, text):
    path, form = plant(text)
    assert list(carts.configurations(form, carts.read(path))) == ["cart7", "cart8"]


def test_toml_says_the_same(plant):
    rows = [row.split(",") for row in GOOD.splitlines()]
    text = "".join(
        "[[cart]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in zip(rows[0], row, strict=True))
        for row in rows[1:]
    ).replace('"7"', "7")
    path, form = plant(text, name="carts.toml")
    csv_path, _ = plant(GOOD)
    assert carts.configurations(form, carts.read(path)) == carts.configurations(form, carts.read(csv_path))


def test_every_mistake_names_its_row_and_its_column(plant):
    assert mistakes(plant, GOOD + "cart9,h9,999999,192.0.2.9,x\ncart10,h10,ten,192.0.2.10,x\ncart11,h11,11,,x\n") == [
        "row 4 (cart9), column 'station', stations[0].number: expected a whole number from 1 to 9999; found 999999",
        "row 5 (cart10): column 'station' is 'ten'; stations[0].number wants a whole number",
        "row 6 (cart11): column 'controller', which stations[0].controller.host wants, is empty or not there; "
        "there are name, host, station, controller, place",
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("cart7,other,9,192.0.2.9,x", "row 4, column 'name': 'cart7' is in row 2, too"),
        ("cart9,h9,8,192.0.2.9,x", "row 4 (cart9): station 1/8 (system/station) is that of row 3 (cart8)"),
        ("cart9,h9,9,192.0.2.7,x", "row 4 (cart9): controller 192.0.2.7:4545 is that of row 2 (cart7)"),
        ("cart9,-oProxyCommand=x,9,192.0.2.9,x", "row 4, column 'host': '-oProxyCommand=x'; letters, digits"),
        ("cart9,h9,9", "row 4: 3 columns, the line of names has 5"),
    ],
)
def test_nothing_is_there_twice_and_nothing_is_no_name(plant, row, told):
    found = mistakes(plant, GOOD + row + "\n")
    assert len(found) == 1 and found[0].startswith(told), found


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (HEAD, "a.csv", "no cart"),
        ('name,host\n"cart7,a\n', "a.csv", "row 2: no CSV"),
        ("name,host,name\n", "a.csv", "row 1: column 'name' twice"),
        ("station\n7\n", "a.csv", "row 2: no column 'name'"),
        ("[[cart]\n", "a.toml", "no TOML"),
        ("cart = 3\n", "a.toml", "no [[cart]]"),
    ],
)
def test_what_is_no_inventory_is_said_so(plant, text, name, told):
    assert any(one.startswith(told) for one in mistakes(plant, text, name=name))


def test_a_template_that_asks_otherwise_is_told(plant):
    odd = {**TEMPLATE, "system": {"number": "{station:hex}"}}
    assert "{station:hex}" in mistakes(plant, GOOD, odd)[0]


def test_150_carts_come_out_of_one_inventory(plant, tmp_path):
    rows = "".join(
        f"cart{n},10.0.{n // 250}.{n % 250 + 1},{n},10.1.{n // 250}.{n % 250 + 1},line {n % 9}\n" for n in range(1, 151)
    )
    path, form = plant(HEAD + rows)
    out = tmp_path / "made"
    done = CliRunner().invoke(main, ["config", "make", str(path), "--template", str(form), "--out", str(out), "--json"])
    assert done.exit_code == 0 and len(json.loads(done.output)["carts"]) == 150
    for file in out.iterdir():
        assert config.check(json.loads(file.read_text(encoding="utf-8"))) == []
    path.write_text(HEAD + rows + "cart151,h151,150,10.9.9.9,x\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["config", "make", str(path), "--template", str(form), "--out", str(out / "2")])
    assert done.exit_code == 2 and "row 152 (cart151): station 1/150" in done.output and not (out / "2").exists()


@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="Ansible is not here (Debian: ansible-core)")
def test_the_role_for_ansible_is_one(tmp_path):
    (tmp_path / "carts.ini").write_text("cart7 toolcart_station=7\n")
    command = ["ansible-playbook", "-i", tmp_path / "carts.ini", "--syntax-check", CHECKOUT / "docs/ansible/site.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
