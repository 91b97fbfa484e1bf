"""ToolsNet was emptied: the log warns, and an operator has a range sent again, of a running agent and a stopped one."""

import json
import re
import signal

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import free_port, wait_for


def told_of(site, cart):
    return json.loads(site.run("status", "--json", "--config", cart).stdout)["stations"][0]


def ordered(site, cart, *words, code=0, station=7):
    """Give the order; return what it says."""
    run = site.run("spool", "offer-again", station, *words, "--config", cart)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_an_emptied_toolsnet_is_a_warning_and_gets_a_range_again(site):
    with SimulatedPlant() as plant:
        cart = site.cart(plant)
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("ToolsNet takes results")
        made = plant.produce(10)
        wait_for("delivered", lambda: plant.archive.tightening_ids() == made and told_of(site, cart)["backlog"] == 0)
        # ToolsNet's database is a new one.
        plant.loop.call(plant.archive.clear)
        plant.loop.call(plant.toolsnet.drop)
        agent.wait_for("ToolsNet holds no result of station 7, of 10 that were sent")
        [line] = [line for line in agent.said.splitlines() if "ToolsNet holds no result" in line]
        assert " ! " in line or "WARN" in line.upper(), line
        new = plant.produce(2)  # which the operator notices late: the 08 says nothing any more
        wait_for("the new ones", lambda: plant.archive.tightening_ids() == new)

        said = ordered(site, cart, "--from", 4, "--dry-run")
        assert said.startswith("dry run: 9 results would be sent to ToolsNet again, from number 4 on ("), said
        assert plant.archive.tightening_ids() == new
        said = ordered(site, cart, "--from", 4)
        assert said.startswith("9 results are sent to ToolsNet again, from number 4 on ("), said
        wait_for("all from the fourth on", lambda: plant.archive.tightening_ids()[2:] == made[3:] + new)
        wait_for("nothing waits", lambda: told_of(site, cart)["backlog"] == 0)
        assert plant.complaints() == []

        assert agent.end(signal.SIGKILL) == -signal.SIGKILL
        plant.loop.call(plant.archive.clear)
        rows = json.loads(site.run("spool", "export", "--json", site.home / "7.spool").stdout)
        said = ordered(site, cart, "--since", rows[0]["time"], "--dry-run")
        assert "would be sent to ToolsNet again, from number 1 on" in said, said
        again, waiting = re.search(r"run: (\d+) results? would .* before the (\d+) that wait;", said).groups()
        assert int(again) + int(waiting) == 12  # what the kill has left unsaid waits: it goes out in any case
        assert "that is the oldest which the spool still has" in said
        said = ordered(site, cart, "--since", rows[0]["time"])
        assert f"{again} results are sent to ToolsNet again when the agent runs, from number 1 on" in said, said
        last = plant.produce(1)
        agent = site.start("run", "--plain", "--config", cart)
        wait_for("all", lambda: plant.archive.tightening_ids() == made + new + last)
        wait_for("nothing waits", lambda: told_of(site, cart)["backlog"] == 0)
        assert plant.complaints() == []
        assert "no result from there on" in ordered(site, cart, "--since", "2099-01-01", code=1)
        assert agent.end() == 0


def test_an_order_without_room_says_from_where_there_is(site):
    with SimulatedPlant() as plant:
        cart = site.cart(plant, station={"spool": {"path": "7.spool", "size_kib": 48}})
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("ToolsNet takes results")
        made = plant.produce(150)
        wait_for("delivered", lambda: plant.archive.tightening_ids() == made and told_of(site, cart)["backlog"] == 0)
        rows = json.loads(site.run("spool", "export", "--json", site.home / "7.spool").stdout)
        oldest = rows[0]["number"]
        said = ordered(site, cart, "--from", oldest, code=1)
        assert "the spool has no room for that" in said and "a quarter has to stay" in said, said
        number = int(said.split("from number ")[1].split()[0])
        count = int(said.split("that is ")[1].split()[0])
        assert oldest < number and count == 150 - number + 1, said
        assert plant.archive.tightening_ids() == made
        before = len(made)
        assert f"{count} results are sent" in ordered(site, cart, "--from", number)
        wait_for("again", lambda: plant.archive.tightening_ids()[before:] == made[-count:])
        assert agent.end() == 0


def test_a_wrong_order_is_refused_in_words(site):
    lines = {"kind": "file", "path": "lines.jsonl"}
    with SimulatedPlant() as plant:
        cart = site.cart(plant)
        assert "name either --since TIME or --from NUMBER" in ordered(site, cart, code=2)
        assert "there is no such spool" in ordered(site, cart, "--from", 1, code=2)
        assert "has no station 8; it has 7" in ordered(site, cart, "--from", 1, code=2, station=8)
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("ToolsNet takes results")
        assert "has no result in its spool any more that ToolsNet has taken" in ordered(site, cart, "--from", 1, code=1)
        assert agent.end() == 0
        alone = site.cart(
            plant,
            name="alone.json",
            number=8,
            toolsnet=None,
            station={"outlets": [lines], "controller": {"host": "127.0.0.1", "port": free_port()}},
        )
        agent = site.start("run", "--plain", "--config", alone)
        agent.wait_for("file takes results")
        said = ordered(site, alone, "--from", 1, code=1, station=8)
        assert "station 8 has no quarantine: ToolsNet is not among its outlets" in said
        assert agent.end() == 0
