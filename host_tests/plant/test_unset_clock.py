"""Neither the controller's clock nor the agent's was set: the result's date is marked as such wherever it is shown."""

import json
import time

from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.libc import ShiftedClock
from host_tests.support.running import wait_for


def test_a_date_of_an_unset_clock_is_marked_everywhere(site):
    shift = ShiftedClock(site.folder, -int(time.time()) + 5)
    lines = site.home / "lines.jsonl"
    with SimulatedPlant(controller_options=ControllerOptions(time_text="0000-00-00:00:00:00")) as plant:
        outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": lines.name}]
        cart = site.cart(plant, station={"outlets": outlets})
        for around, source, edge in (
            (shift.around, "agent, clock unset", "EDGE, CLOCK UNSET"),
            ({}, "agent", "EDGE"),
        ):
            agent = site.start("run", "--plain", "--config", cart, **around)
            agent.wait_for("ToolsNet takes results")
            made = plant.produce(1)
            wait_for("delivered", lambda made=made: plant.archive.tightening_ids()[-1:] == made)
            wait_for("in the file", lambda made=made: str(made[0]) in lines.read_text())
            assert agent.end() == 0
            told = json.loads(lines.read_text().splitlines()[-1])
            assert told["time_source"] == source and told["time"].startswith("1970-01-01T" if around else "20"), told
            rows = plant.archive.query('SELECT * FROM "ResultParameter" ORDER BY 1')
            assert edge in str(rows[-20:]) if around else "'EDGE'" in str(rows), rows
        listed = site.run("spool", "list", site.home / "7.spool").stdout.splitlines()
        assert [("(agent, clock unset)" in line) for line in listed] == [True, False], listed
        assert "agent, clock unset" in site.run("spool", "export", site.home / "7.spool").stdout
