"""A service that is installed over an agent by hand leaves no result behind in the spool that lies beside its file."""

import json
import os

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs a service")
def test_a_spool_with_waiting_results_is_seen_and_taken_along(site):
    root = site.folder / "root"
    with SimulatedPlant() as plant:
        cart = site.cart(plant)
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("ToolsNet takes results")
        plant.cut_toolsnet(True)
        plant.produce(3)
        wait_for("three are stored", lambda: len(plant.controller.acknowledged) == 3)
        install = ("install-service", "--config", cart, "--root", root, "--no-start")
        told = site.run(*install, as_root=True)
        spool = site.home / "7.spool"
        assert told.returncode == 1 and f"station 7: 3 results wait in {spool}" in told.stderr, told.stderr
        assert "--take-spools" in told.stderr and not root.exists()
        held = site.run(*install, "--take-spools", as_root=True)
        assert held.returncode == 1 and "is in use: end that agent first" in held.stderr, held.stderr
        assert agent.end() == 0
        done = site.run(*install, "--take-spools", as_root=True)
        moved = root / "var/lib/toolcart/7.spool"
        assert done.returncode == 0 and "with 3 results wait" in done.stdout, done.stdout + done.stderr
        assert moved.stat().st_mode & 0o777 == 0o600 and not spool.exists()
        assert json.loads((moved.parent / "config.json").read_text())["stations"][0]["number"] == 7
        info = site.run("spool", "info", moved, "--json", as_root=True)
        assert '"waiting": 3' in info.stdout, info.stdout
        plant.cut_toolsnet(False)
        service = site.start("run", "--plain", "--config", moved.parent / "config.json", as_root=True)
        wait_for("three at ToolsNet", lambda: plant.archive.tightening_ids() == [1, 2, 3])
        assert service.end() == 0
        spool.write_bytes(moved.read_bytes())  # delivered: nothing in it is left behind
        site.give(spool)
        assert site.run(*install, as_root=True).returncode == 0
