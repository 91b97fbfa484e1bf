"""The installed command at work as another user: from an empty folder to a result at ToolsNet."""

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for


def test_an_installed_agent_delivers_as_its_user(site):
    with SimulatedPlant() as plant:
        cart = site.cart(plant)
        checked = site.run("config", "check", cart)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("controller ready")
        made = plant.produce(5)
        wait_for("five results at ToolsNet", lambda: plant.archive.tightening_ids() == made)
        told = site.run("status", "--config", cart)
        assert told.returncode == 0, told.stdout + told.stderr
        assert agent.end() == 0
        assert (site.home / "7.spool").stat().st_uid != 0 or not site.other_user
