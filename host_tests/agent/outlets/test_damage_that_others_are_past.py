"""Records that are gone, and that the other side had: they are counted though no cursor reads them."""

import pytest

from toolcart.agent.log.snapshot_fields import DAMAGED
from host_tests.agent.linux.test_file_restored import FileBench
from host_tests.support.mqtt import MqttBench
from host_tests.support.webhook import WebhookBench

COUNT = 200


def zero_a_block(area, log):
    """Write zeros over a block in the middle; return how many records that loses."""
    firsts = sorted([one for one in log.firsts if one])
    first = firsts[len(firsts) // 2]
    size = log.device.block_bytes
    begin = (log.device.first_block + list(log.firsts).index(first)) * size
    area.flash.cells[begin : begin + size] = bytes(size)
    return log.first_above(first) - first


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("starts", [1, 2])
def test_what_is_gone_from_a_spool_that_its_consumer_is_ahead_of_is_counted_once(bench, starts):
    plant = bench(limits={"records_most": 4})
    plant.store(COUNT)
    assert plant.cursor.number == 0 and plant.state.save()
    before = bytes(plant.area.flash.cells)
    plant.run(60000)
    assert plant.cursor.number >= COUNT
    plant.area.flash.cells[:] = before
    lost = zero_a_block(plant.area, plant.log)
    for _ in range(starts):
        plant.cut()
        plant.run(60000)
        assert plant.cursor.number >= COUNT and plant.state.numbers[DAMAGED] == lost > 0
        assert plant.state.save()


def test_what_is_gone_from_a_spool_that_its_file_is_ahead_of_is_counted_once(tmp_path):
    bench = FileBench(tmp_path)
    log = bench.log
    log.rewind(log.cursors[1], bench.oldest + 4)
    assert bench.area.state.save()
    lost = zero_a_block(bench.area, log)
    for _ in range(2):
        bench.again("cut")
        assert bench.area.state.numbers[DAMAGED] == lost > 0
        assert bench.area.state.save()
