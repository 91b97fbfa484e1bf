"""What tests of the installed command share: one wheel in one venv, an empty home and a plant for each test."""

from contextlib import ExitStack

import pytest

from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from toolcart.sim.toolsnet import ToolsNetOptions
from host_tests.plant.as_installed import AsInstalled, install, python_for_all
from lab.cache import whole_folder


@pytest.fixture(scope="session")
def _site(of_all_workers, built_wheel):
    if not python_for_all():
        pytest.skip("no Python 3.11 that every user can start")
    venv = of_all_workers / "venv"
    with AsInstalled(whole_folder(venv, lambda building: install(built_wheel, building, venv))) as made:
        yield made


@pytest.fixture
def site(_site):
    """The installed toolcart with an empty home; what a test starts is ended in order behind it."""
    _site.clean()
    yield _site
    _site.end_all(in_order=True)


@pytest.fixture
def stays(site):
    """A stack of what is there until the agents that the test has started are ended in order."""
    with ExitStack() as stack:
        yield stack
        site.end_all(in_order=True)


@pytest.fixture
def plants(stays):
    """Makes a simulated controller and ToolsNet, with these options of theirs."""

    def made(controller=(), toolsnet=(), **more):
        options = {"controller_options": ControllerOptions(**dict(controller))}
        options["toolsnet_options"] = ToolsNetOptions(**dict(toolsnet))
        return stays.enter_context(SimulatedPlant(**options, **more))

    return made


@pytest.fixture
def plant(plants):
    return plants()


@pytest.fixture
def hasty(site):
    """Short waits: silence is found in seconds."""
    site.hasty = True
