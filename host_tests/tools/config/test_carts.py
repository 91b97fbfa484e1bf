"""An inventory and a template make the configurations of all carts, or every mistake in them is told with its row."""

import json
import shutil
import subprocess

import pytest

from toolcart.agent.cart import config
from toolcart.tools.config import carts, inventory
from host_tests.support.running import toolcart
from lab.cache import CHECKOUT

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
    with pytest.raises(inventory.InventoryError) as wrong:
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
        "row 4 (cart9), column 'station': stations[0].number: found 999999; expected a whole number from 1 to 9999",
        "row 5 (cart10), column 'station': stations[0].number: found 'ten'; expected a whole number",
        "row 6 (cart11), column 'controller': nothing is in it, and stations[0].controller.host wants it",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("cart7,other,9,192.0.2.9,x", "row 4, column 'name': 'cart7' is in row 2, too"),
        (
            "cart9,h9,8,192.0.2.9,x",
            "row 4 (cart9), column 'station': station 1/8 (system/station) is that of row 3 (cart8)",
        ),
        (
            "cart9,h9,9,192.0.2.7,x",
            "row 4 (cart9), column 'controller': controller 192.0.2.7:4545 is that of row 2 (cart7)",
        ),
        ("cart9,-oProxyCommand=x,9,192.0.2.9,x", "row 4, column 'host': '-oProxyCommand=x'; letters, digits"),
        ('"cart\n9",h9,9,192.0.2.9,x', "row 5, column 'name': 'cart\\n9'; letters, digits"),
        (
            'cart9,h9,9,"192.0.2.\n9",x',
            "row 5 (cart9), column 'controller': stations[0].controller.host: an invisible character in it, U+000A",
        ),
        ("cart9,h9,9", "row 4: 3 columns, the line of names has 5"),
        ("cart9", "row 4: 1 column, the line of names has 5"),
    ],
)
def test_nothing_is_there_twice_and_nothing_is_no_name(plant, row, expected):
    problems = mistakes(plant, GOOD + row + "\n")
    assert len(problems) == 1 and problems[0].startswith(expected), problems


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (HEAD, "a.csv", "no cart"),
        ('name,host\n"cart7,a\n', "a.csv", "row 2: no CSV"),
        ("name,host,name\n", "a.csv", "row 1: column 'name' twice"),
        ("station\n7\n", "a.csv", "row 2: no column 'name'"),
        ("[[cart]\n", "a.toml", "no TOML"),
        ("cart = 3\n", "a.toml", "no [[cart]]"),
    ],
)
def test_what_is_no_inventory_is_reported_so(plant, text, name, expected):
    assert any(one.startswith(expected) for one in mistakes(plant, text, name=name))


def test_a_template_that_asks_otherwise_is_reported(plant):
    odd = {**TEMPLATE, "system": {"number": "{station:hex}"}}
    assert "{station:hex}" in mistakes(plant, GOOD, odd)[0]
    for text in ("Cart {name", "Cart name}"):
        assert "a brace alone" in mistakes(plant, GOOD, {**TEMPLATE, "system": {"number": 1, "name": text}})[0], text


SECOND = {"number": 9, "controller": {"host": "10.0.0.9"}, "spool": {"path": "b.spool"}}
WITH_PORT = json.loads(json.dumps(TEMPLATE).replace("4545", '"{place:int}"'))


@pytest.mark.parametrize(
    ("text", "template", "of_inventory", "of_template"),
    [
        (GOOD.replace(",8,", ",eight,"), TEMPLATE, ["row 3 (cart8), column 'station': stations[0].number"], []),
        (GOOD.replace(",8,", ",0,"), TEMPLATE, ["row 3 (cart8), column 'station': stations[0].number"], []),
        (GOOD.replace(",8,", ",7,"), TEMPLATE, ["row 3 (cart8), column 'station': station 1/7"], []),
        (GOOD.replace(",8,", ",,"), TEMPLATE, ["row 3 (cart8), column 'station': nothing is in it"], []),
        (GOOD.replace(".8,", ".7,"), TEMPLATE, ["row 3 (cart8), column 'controller': controller 192.0.2.7:4545"], []),
        (GOOD.replace("192.0.2.8", "t\u00fcr"), TEMPLATE, ["row 3 (cart8), column 'controller': stations[0].con"], []),
        (
            GOOD.replace("roof", "r" * 99),
            TEMPLATE,
            ["row 3 (cart8), column 'place'", "row 3 (cart8), columns 'name' a"],
            [],
        ),
        (
            GOOD.replace("roof", "99999"),
            WITH_PORT,
            ["row 2 (cart7), column 'place'", "row 3 (cart8), column 'place'"],
            [],
        ),
        (
            "# x\n" + GOOD.replace("station", "staton"),
            TEMPLATE,
            ["row 2: no column 'station', which stations[0].num"],
            [],
        ),
        (GOOD, WITH_PORT, ["row 2 (cart7), column 'place': ", "row 3 (cart8), column 'place': "], []),
        (GOOD, {**TEMPLATE, "systm": {}}, [], ["systm: unknown setting"]),
        (GOOD, {**TEMPLATE, "x": "{name}"}, [], ["x: unknown setting"]),
        (GOOD, {**TEMPLATE, "system": {"number": 0}}, [], ["system.number: found 0; expected a whole number from 1"]),
        (GOOD, {**TEMPLATE, "system": {"number": "{station:hex}"}}, [], ["system.number: '{station:hex}'; allowed"]),
        (
            GOOD,
            {**TEMPLATE, "stations": [SECOND]},
            [],
            ["stations[0].controller.host: controller", "stations[0].number"],
        ),
        (
            GOOD.replace(",8,", ",9,"),
            {**TEMPLATE, "stations": [*TEMPLATE["stations"], {**SECOND, "controller": {"host": "{host}.a"}}]},
            ["row 2 (cart7), column 'host': ", "row 3 (cart8): stations[1].number: found 9; expected one of its own"],
            [],
        ),
        (
            GOOD.replace(",8,", ",eight,"),
            {**TEMPLATE, "systm": {}, "toolsnet": {"pim_host": "192.0.2.20"}},
            ["row 3 (cart8), column 'station'"],
            ["systm: unknown setting", "toolsnet.pim_port: missing"],
        ),
    ],
)
def test_a_mistake_is_headed_by_the_file_that_has_it(plant, text, template, of_inventory, of_template):
    path, form = plant(text, template)
    with pytest.raises(inventory.InventoryError) as wrong:
        carts.configurations(form, inventory.read(path))
    expected = {str(file): begins for file, begins in ((path, of_inventory), (form, of_template)) if begins}
    assert [file for file, _ in wrong.value.by_file] == [*expected], str(wrong.value)
    for file, lines in wrong.value.by_file:
        assert len(lines) == len(expected[file]), lines
        assert all(line.startswith(begin) for line, begin in zip(lines, expected[file], strict=True)), lines
        assert f"{file}: {len(lines)} mistake" in str(wrong.value)
    out = form.parent / "made"
    shown = json.loads(toolcart("config", "make", path, "--template", form, "--out", out, "--json", code=2).output)
    assert [one["file"] for one in shown["files"]] == [*expected] and not out.exists()


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
    assert "row 152 (cart151), column 'station': station 1/150" in toolcart(*make, out / "2", code=2).output
    assert not (out / "2").exists()


def test_what_carts_are_made_from_is_never_replaced(plant, tmp_path):
    path, form = plant(GOOD.replace("cart7,", "cart,"))
    before = form.read_text(encoding="utf-8")
    output = toolcart("config", "make", path, "--template", form, "--out", tmp_path, code=2).output
    assert "cart.json is what this is made from; name another folder" in output
    assert form.read_text(encoding="utf-8") == before and not (tmp_path / "cart8.json").exists()


@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="Ansible is not here (Debian: ansible-core)")
def test_the_role_for_ansible_is_one(tmp_path):
    (tmp_path / "carts.ini").write_text("cart7 toolcart_station=7\n")
    command = ["ansible-playbook", "-i", tmp_path / "carts.ini", "--syntax-check", CHECKOUT / "docs/ansible/site.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_template_or_inventory_that_is_nested_too_deeply_or_has_a_huge_number_is_one_mistake(plant):
    template = json.dumps(TEMPLATE).replace("6575", "[" * 900 + "6575" + "]" * 900)
    path, form = plant(GOOD)
    form.write_text(template)
    with pytest.raises(inventory.InventoryError) as wrong:
        carts.configurations(form, inventory.read(path))
    assert wrong.value.mistakes == ["nested too deeply: a configuration has 6 levels of brackets at most"]
    for value in ("[" * 5000 + "]" * 5000, "1" * 5000):
        text = f'[[cart]]\nname = "a"\nhost = "a"\nplace = {value}\n'
        assert mistakes(plant, text, name="carts.toml") == ["a number is too long, or brackets are nested too deeply"]
