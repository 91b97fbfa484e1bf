"""A result's whole way on a Cortex-M3: simulated controller and ToolsNet on TCP, the agent behind two serial lines."""

import contextlib
import threading

import pytest

from toolcart.base.cache import CHECKOUT
from toolcart.sim.controller import Controller
from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.tcp import Loop, Served
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.sim.toolsnet_memory import MemoryArchive
from host_tests.support.firmware import lines_of, need_cortex
from lab.firmware import cortex
from lab.firmware.bridge import Bridge
from lab.runtimes.build import compiled_tree

RESULTS = 12
HEAP_BYTES = 256 * 1024
DEADLINE_S = 100
JOB = CHECKOUT / "lab/firmware/jobs/agent_job.py"


@contextlib.contextmanager
def running(loop):
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.stop()
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module", autouse=True)
def image_is_built():
    need_cortex()


def test_results_go_from_the_controller_through_the_cortex_into_the_archive():
    loop = Loop()
    controller = Controller(loop.clock, ControllerOptions())
    toolsnet = ToolsNet(loop.clock, MemoryArchive(), ToolsNetOptions(server_host="127.0.0.1"))
    cart = Served(loop, controller.endpoint)
    pim = Served(loop, toolsnet.pim_endpoint)
    server = Served(loop, toolsnet.server_endpoint)
    toolsnet.options.server_port = server.port

    def tighten():
        # Each when the one before is in the archive, so that the way is walked result by result.
        if controller.messages.get(60) and len(controller.produced) < RESULTS:
            if toolsnet.archive.stored >= len(controller.produced):
                controller.produce()
        return 20

    loop.workers.append(tighten)
    tree, refused = compiled_tree("armv7m")
    assert not refused
    with running(loop), Bridge() as bridge:
        args = (str(cart.port), str(pim.port), str(RESULTS))
        command = cortex.command(JOB, HEAP_BYTES, args, tree, serial=bridge.serial_options())
        code, lines = lines_of(command, DEADLINE_S)
    assert code == 0, lines[-1:]
    assert f"delivered {RESULTS}" in lines
    assert toolsnet.archive.tightening_ids() == sorted(controller.acknowledged)
    assert len(controller.acknowledged) == RESULTS
    assert controller.complaints == []
    assert toolsnet.complaints == []
