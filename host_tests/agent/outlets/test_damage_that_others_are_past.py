"""Records that are gone, and that the other side had: they are counted though no cursor reads them."""

import pytest

from toolcart.agent.log.snapshot_fields import DAMAGED
from host_tests.agent.linux.test_file_restored import FileBench
from host_tests.agent.outlets.test_data_loss import again, delivering, order, restarted, set_back, up
from host_tests.support.mqtt import MqttBench
from host_tests.support.webhook import WebhookBench

COUNT = 200


def zero_a_block(area, log, newest=False):
    """Write zeros over a block in the middle, or the newest; return how many records that loses."""
    firsts = sorted([one for one in log.firsts if one])
    first = firsts[-1 if newest else len(firsts) // 2]
    size = log.device.block_bytes
    begin = (log.device.first_block + list(log.firsts).index(first)) * size
    area.flash.cells[begin : begin + size] = bytes(size)
    return (log.next if newest else log.first_above(first)) - first


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


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
def test_a_newest_block_that_is_gone_leaves_no_number_that_was_never_sent(bench):
    """A start skips all that the block may have held, and what the consumer has of that is no other database's."""
    plant = bench(limits={"records_most": 4})
    plant.store(COUNT)
    plant.log.seek(plant.log.cursors[0], COUNT)  # ToolsNet has all, too
    assert plant.cursor.number == 0 and plant.state.save()
    before = bytes(plant.area.flash.cells)
    plant.run(60000)
    assert plant.cursor.number >= COUNT
    plant.area.flash.cells[:] = before
    lost = zero_a_block(plant.area, plant.log, newest=True)
    for _ in range(3):
        plant.cut()
        plant.store(3)
        plant.run(60000)
        assert plant.cursor.number == plant.log.number > COUNT and plant.forward.is_up()
        assert lost <= plant.state.numbers[DAMAGED] <= lost + 1 and not plant.state.missed_counts[plant.forward.index]
        assert plant.status()["given_again"] == 0
    ids = plant.server.ids() if bench is WebhookBench else plant.ids()
    assert len(ids) == len(set(ids)) == COUNT + 9


def test_what_is_gone_from_a_spool_that_its_file_is_ahead_of_is_counted_once(tmp_path):
    bench = FileBench(tmp_path)
    log = bench.log
    log.seek(log.cursors[1], bench.oldest + 4)
    assert bench.area.state.save()
    lost = zero_a_block(bench.area, log)
    for _ in range(2):
        bench.again("cut")
        assert bench.area.state.numbers[DAMAGED] == lost > 0
        assert bench.area.state.save()


def restore(plant, bench):
    """The other side has nothing any more, and asks for all."""
    if bench is WebhookBench:
        for key in plant.server.model.have:
            plant.server.model.have[key] = 0
    else:
        plant.consumer.restore(0)
        for (topic, identity), number in plant.consumer.have.items():
            plant.consumer.confirm(topic, identity, number)


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("is_cut", [False, True])
def test_what_is_gone_when_a_restored_consumer_gets_all_again_is_counted_once(bench, is_cut):
    plant = bench(limits={"records_most": 4})
    plant.store(COUNT)
    plant.run(60000)
    plant.log.seek(plant.log.cursors[0], COUNT)  # ToolsNet has all, too
    assert plant.cursor.number >= COUNT and plant.state.save()
    plant.area.flash.wears = False  # else it gives up what is in front of the gap, too, and counts that so
    lost = zero_a_block(plant.area, plant.log)
    plant.cut()
    plant.run(20000)
    restore(plant, bench)
    plant.store(1)
    plant.run(20000)
    if is_cut:
        plant.cut()
    plant.run(60000)
    plant.log.seek(plant.log.cursors[0], plant.log.number)
    assert plant.state.save() and plant.cursor.number > COUNT and plant.state.numbers[DAMAGED] == lost > 0
    assert plant.status()["given_again"] == (0 if is_cut else COUNT - lost)
    plant.cut()
    plant.run(60000)
    assert plant.state.numbers[DAMAGED] == lost


def test_what_is_gone_when_a_file_gets_all_again_is_counted_once(tmp_path):
    bench = FileBench(tmp_path)
    bench.log.seek(bench.log.cursors[0], bench.log.number)
    bench.area.flash.wears = False
    assert bench.area.state.save()
    lost = zero_a_block(bench.area, bench.log)
    bench.again("restart")
    bench.write(bench.first(9))
    for _ in range(2):
        bench.again("restart")
        assert bench.area.state.numbers[DAMAGED] == lost > 0


@pytest.mark.parametrize("way", ["order", "rewind"])
def test_what_is_sent_to_toolsnet_again_and_cannot_be_read_is_counted_when_it_is_its_turn(way):
    outlet = delivering(COUNT, blocks=64, rewind=way == "rewind")
    outlet.flash.wears = False
    lost = zero_a_block(outlet.area, outlet.log)
    restarted(outlet)
    assert outlet.state.numbers[DAMAGED] == 0  # nobody lacks it
    for _ in range(2):
        if way == "order":
            assert order(outlet, "from", "1")["done"]
            up(outlet)
        else:
            set_back(outlet, COUNT - 2)
        outlet.run(5000)
        assert outlet.cursor.number == COUNT and outlet.state.numbers[DAMAGED] == lost > 0
        again(outlet)
    assert outlet.state.save()
    for _ in range(2):
        restarted(outlet)
        assert outlet.state.numbers[DAMAGED] == lost
