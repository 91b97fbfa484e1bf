"""`toolcart config`: new asks for seven answers, make writes the configurations of all carts or tells each mistake."""

import json
import shutil
import stat
import subprocess

import pytest

from toolcart.agent.cart import config
from toolcart.tools.config import carts, inventory
from toolcart.tools.config import file as config_file
from toolcart.tools.config import new as config_new
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, command_of, toolcart
from host_tests.tools.config.test_config_schema import SCHEMA, fits
from lab.cache import CHECKOUT

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
    said = new(tmp_path, *ANSWERS)
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert tree["toolsnet"] == {"pim_host": "pim.plant", "pim_port": 6575} and tree["system"] == {"number": 2}
    own = {"controller": {"host": "10.0.0.10"}, "spool": {"path": "cart7.spool"}}
    assert tree["stations"] == [{"number": 12, "name": "Cart 7", **own}]
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree)
    assert json.loads((tmp_path / tree["$schema"]).read_text()) == SCHEMA
    assert f"toolcart run --config {tmp_path / 'cart.json'}" in said


def test_defaults_leave_two_questions(tmp_path):
    new(tmp_path, "", "10.0.0.10:4546", "10.0.0.5:6575", "", "", "", "")
    assert station_in(tmp_path)["controller"]["port"] == 4546


@pytest.mark.parametrize(
    ("at", "wrong", "allowed"),
    [
        (1, "10.0.0.10:", "HOST:PORT"),
        (1, "10.0.0.10:\u00b2", "HOST:PORT"),
        (2, "pim.plant", "HOST:PORT"),
        (4, "x", "1 to 9999"),
        (5, "windows", "linux, ethernet or wifi:NAME"),
        (6, "http://host:x/", "expected a port of 1 to 65535"),
    ],
)
def test_a_wrong_answer_is_told_and_asked_again(tmp_path, at, wrong, allowed):
    assert allowed in new(tmp_path, *ANSWERS[:at], wrong, *ANSWERS[at:])
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["number"] == 12


def test_address_of_ipv6_is_written_without_its_brackets(tmp_path):
    new(tmp_path, options=[*OPTIONS, "--controller", "[fe80::1]:4546", "--pim", "[::1]:6575"])
    assert station_in(tmp_path)["controller"] == {"host": "fe80::1", "port": 4546}
    assert config_file.read(tmp_path / "cart.json")["toolsnet"]["pim_host"] == "::1"
    (tmp_path / "cart.json").unlink()
    new(tmp_path, options=[*OPTIONS, "--controller", "fe80::1"])
    assert station_in(tmp_path)["controller"] == {"host": "fe80::1"}


def test_what_an_option_says_is_not_asked_and_wrong_one_ends_it(tmp_path):
    said = new(tmp_path, options=[*OPTIONS, "--controller", "ascii:/dev/ttyUSB0"])
    assert "1." not in said.partition("good")[0]
    assert config_file.read(tmp_path / "cart.json")["stations"][0]["controller"]["link"] == "ascii"
    said = new(tmp_path / "..", options=["--name", "A", "--controller", "a b"], code=2)
    assert "--controller cannot be that" in said


def test_chip_in_wifi_network_gets_its_password_in_file_of_its_own(tmp_path):
    said = new(tmp_path, *ANSWERS[:5], "wifi:Plant", "mqtt://broker", "geheim-4711")
    assert "geheim" not in said + (tmp_path / "cart.json").read_text()
    secret = tmp_path / config_new.PASSWORD_FILE
    assert secret.read_text() == "geheim-4711\n" and stat.S_IMODE(secret.stat().st_mode) == 0o600
    configuration, tree = config_file.read_whole(tmp_path / "cart.json")
    assert tree["board"]["password"] == configuration["board"]["password"] == "geheim-4711"
    assert config.check(tree) == [] and "toolcart flash" in said


def test_results_go_to_another_place_as_well(tmp_path):
    url = "https://mes.plant/in?cart=7"
    new(tmp_path, options=(*OPTIONS, "--also", url))
    assert station_in(tmp_path)["outlets"] == [{"kind": "toolsnet"}, {"kind": "webhook", "url": url}]
    assert config_file.read_to_run(tmp_path / "cart.json")


def test_a_board_has_no_webhook(tmp_path):
    said = new(tmp_path, *ANSWERS[:5], "ethernet", "https://mes.plant/", "mqtt://broker")
    assert "expected no, mqtt://BROKER" in said and station_in(tmp_path)["outlets"][1]["kind"] == "mqtt"


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
    said = new(tmp_path, "Cart 7", "10.0.0.10", "no", "2", "12", "linux", "no", "mqtt://broker")
    assert "7. Results to (mqtt://BROKER" in said and "expected mqtt://BROKER" in said
    tree = json.loads((tmp_path / "cart.json").read_text())
    assert "toolsnet" not in tree and tree["stations"][0]["outlets"] == [{"kind": "mqtt", "host": "broker"}]
    assert config_file.read_to_run(tmp_path / "cart.json") and fits(tree)


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
    with pytest.raises(inventory.Wrong) as wrong:
        carts.configurations(form, inventory.read(path))
    return wrong.value.mistakes


@pytest.mark.parametrize(
    "text",
    [
        "# plant 3, hall 2\n\n" + GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        "\ufeff# plant 3\n" + GOOD.replace("\n", "\r\n") + "\n,,,,\n",
    ],
)
def test_spreadsheets_of_all_kinds_are_read(plant, text):
    path, form = plant(text)
    assert list(carts.configurations(form, inventory.read(path))) == ["cart7", "cart8"]


def test_toml_says_the_same(plant):
    rows = [row.split(",") for row in GOOD.splitlines()]
    text = "".join(
        "[[cart]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in zip(rows[0], row, strict=True))
        for row in rows[1:]
    ).replace('"7"', "7")
    path, form = plant(text, name="carts.toml")
    csv_path, _ = plant(GOOD)
    assert carts.configurations(form, inventory.read(path)) == carts.configurations(form, inventory.read(csv_path))


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
        ('"cart\n9",h9,9,192.0.2.9,x', "row 5, column 'name': 'cart\\n9'; letters, digits"),
        (
            'cart9,h9,9,"192.0.2.\n9",x',
            "row 5 (cart9), column 'controller', stations[0].controller.host: expected a name",
        ),
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
    for text in ("Cart {name", "Cart name}"):
        assert "a brace alone" in mistakes(plant, GOOD, {**TEMPLATE, "system": {"number": 1, "name": text}})[0], text


def test_150_carts_come_out_of_one_inventory(plant, tmp_path):
    rows = "".join(
        f"cart{n},10.0.{n // 250}.{n % 250 + 1},{n},10.1.{n // 250}.{n % 250 + 1},line {n % 9}\n" for n in range(1, 151)
    )
    path, form = plant(HEAD + rows)
    make, out = ["config", "make", path, "--template", form, "--out"], tmp_path / "made"
    assert len(json.loads(toolcart(*make, out, "--json").output)["carts"]) == 150
    for file in out.iterdir():
        assert config.check(json.loads(file.read_text(encoding="utf-8"))) == []
    path.write_text(HEAD + rows + "cart151,h151,150,10.9.9.9,x\n", encoding="utf-8")
    assert "row 152 (cart151): station 1/150" in toolcart(*make, out / "2", code=2).output
    assert not (out / "2").exists()


def test_what_carts_are_made_from_is_never_replaced(plant, tmp_path):
    path, form = plant(GOOD.replace("cart7,", "cart,"))
    before = form.read_text(encoding="utf-8")
    said = toolcart("config", "make", path, "--template", form, "--out", tmp_path, code=2).output
    assert "cart.json is what this is made from; name another folder" in said
    assert form.read_text(encoding="utf-8") == before and not (tmp_path / "cart8.json").exists()


@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="Ansible is not here (Debian: ansible-core)")
def test_the_role_for_ansible_is_one(tmp_path):
    (tmp_path / "carts.ini").write_text("cart7 toolcart_station=7\n")
    command = ["ansible-playbook", "-i", tmp_path / "carts.ini", "--syntax-check", CHECKOUT / "docs/ansible/site.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
