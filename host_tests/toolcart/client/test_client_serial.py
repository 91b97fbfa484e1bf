"""The client over serial lines: the simulated controller behind a pty, both procedures."""

import pytest

from toolcart.client import (
    connect_serial,
)
from toolcart.simulated import controller
from host_tests.toolcart.client.test_client import QUICK, run

pytest.importorskip("serial")


@pytest.mark.parametrize("procedure", ["3964r", "ascii"])
def test_a_controller_on_a_line_is_commanded_and_its_results_are_taken(procedure, tmp_path):
    async def body(simulated):
        async with connect_serial(simulated.device, procedure=procedure, **QUICK) as one:
            assert (await one.select_pset(2))["mid_accepted"] == 18
            async with one.results() as results:
                produced = simulated.produce()
                result = await results.next(timeout=5)
                assert await result.acknowledge()
            await one.time()
        return produced

    with controller(procedure=procedure, device=str(tmp_path / "line")) as simulated:
        produced = run(body(simulated))
        assert simulated.acknowledged == [produced] and simulated.complaints == []
