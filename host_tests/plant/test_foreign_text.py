"""An installed agent, VINs and names beyond ASCII: what file, ToolsNet and archive get, and what is said of it."""

import json
import sqlite3

from toolcart.agent.record.text_form import octets_of
from toolcart.archive.beside import Beside
from toolcart.sim.controller import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for

VINS = (
    "Lenks\xe4ule 7".encode(),
    "Lenks\xe4ule 7".encode("latin-1"),
    b"Lenks?ule 7",
    "\u8f66\u8eab 123".encode(),
    "\u8f66\u8eab 123".encode("gbk"),
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db".encode(),  # 24 bytes: does not fit the field of telegram 04
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db\u4e94".encode("gbk"),
    "\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db\u516d".encode("gbk"),
    b"A~E4",
    b"A\xe4",
    b"A\0B\x1b[2J\xff",
)
STORED = ("Lenks\xe4ule 7", "Lenks~E4ule 7", "Lenks?ule 7", "\u8f66\u8eab 123", "~B3~B5~C9~ED 123")
STORED += ("\u8f66\u8eab\u53f7\u7801\u4e00\u4e8c\u4e09\u56db",)


def told_names(plant):
    return {row[0] for row in plant.archive.query("SELECT Name FROM TNMapProgram")}


def run(site, plant, form=str):
    """Each VIN tightened once, delivered; the lines of the file, and what status says."""
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "lines.jsonl"}]
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": plant.pim_port, "extras": ["names"]}
    cart = site.cart(plant, station={"name": "Wheels", "outlets": outlets}, toolsnet=toolsnet)
    agent = site.start("run", "--plain", "--config", cart)
    agent.wait_for("controller ready")
    made = [plant.produce(vin=vin)[0] for vin in VINS]
    wait_for("all at ToolsNet", lambda: len(plant.archive.tightening_ids()) == len(made))
    file = site.home / "lines.jsonl"
    wait_for("all in the file", lambda: file.exists() and len(file.read_bytes().splitlines()) == len(made))
    status = site.run("status", "--config", cart).stdout
    lines = [json.loads(line) for line in file.read_text("ascii").splitlines()]
    names = {pset.pset_name for pset in plant.controller.psets.values()}
    wait_for("the names of all programs", lambda: names <= {form(name) for name in told_names(plant)})
    assert agent.end() == 0
    return lines, status


def test_text_beyond_ascii_can_be_turned_back_and_is_counted(site):
    with SimulatedPlant(controller_options=ControllerOptions()) as plant:
        for pset in plant.controller.psets.values():
            pset.pset_name = "Lenks\xe4ule %d" % pset.pset
        lines, status = run(site, plant, lambda name: octets_of(name).decode())
        at_toolsnet = [row[0] for row in plant.archive.query("SELECT VIN FROM Result ORDER BY ResultId")]
        assert plant.complaints() == []
    assert [octets_of(line["vin"]) for line in lines] == list(VINS)
    assert lines[0]["vin"] == STORED[0] and lines[3]["vin"] == STORED[3]
    assert len(set(at_toolsnet)) == len(VINS) and all(vin.isascii() and vin.isprintable() for vin in at_toolsnet)
    assert at_toolsnet[:3] == ["Lenks~C3~A4ule 7", "Lenks~E4ule 7", "Lenks?ule 7"]
    told = "10 results since the start with text that is not plain ASCII: it goes out escaped where that is needed"
    assert told in status and "docs/outlets.md" in status


def test_archive_turns_the_vin_and_a_program_s_name_back(site):
    place = str(site.folder / "archive.sqlite")
    with SimulatedPlant(archived=Beside(place).ready()) as plant:
        for pset in plant.controller.psets.values():
            pset.pset_name = "Lenks\xe4ule %d" % pset.pset
        run(site, plant)
    with sqlite3.connect(place) as books:
        vins = [row[0] for row in books.execute("SELECT VIN FROM Result ORDER BY ResultId")]
    assert tuple(vins[: len(STORED)]) == STORED and len(set(vins)) == len(VINS)
