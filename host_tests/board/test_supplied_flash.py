"""Below the limit of the supply a flash is not touched, no result is acknowledged, and nothing is allocated for it."""

from toolcart.agent.base import counters as counter
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.board.ram_flash import RamFlash
from toolcart.board.supplied_flash import SuppliedFlash
from host_tests.support.heap import allocated, heap_tools
from lab.harness.allocation_free_peers import Workbench, configuration

PORTABLE = True
HEAP = "1m"

SUPPLY = [29, 29127, 4400]  # pin, limit in the ADC's figures, in mV
GOOD, LOW = 33000, 29000


class Adc:
    """What lies at the pin."""

    def __init__(self):
        self.figure = GOOD

    def read_u16(self):
        return self.figure


def supplied():
    adc = Adc()
    cells = RamFlash(16)
    return adc, cells, SuppliedFlash(cells, adc.read_u16, SUPPLY)


def test_below_limit_no_result_is_taken_and_above_it_they_all_come():
    adc, flash, device = supplied()
    bench = Workbench(configuration(), device)
    bench.settle()
    assert bench.many_results(5)
    stored = bench.toolsnet.stored
    adc.figure = LOW
    cells = bytes(flash.cells)
    assert not bench.many_results(1)
    assert bench.controller.acknowledged == stored and bench.station.intake.cannot_store, "the controller keeps it"
    assert bytes(flash.cells) == cells and device.refused > 0
    assert bench.station.counters.counts[counter.FLASH_FAILED] > 0
    adc.figure = GOOD
    bench.wait(120000)
    assert bench.many_results(5) and bench.sound()


def test_neither_a_look_at_the_supply_nor_a_refusal_allocates():
    adc, _, device = supplied()
    page = bytearray(256)

    def work():
        adc.figure = GOOD
        assert device.erase(3) == FLASH_DONE and device.program(3 * 4096, page, 256) == FLASH_DONE
        adc.figure = LOW
        assert device.erase(3) == FLASH_IO and device.program(3 * 4096, page, 256) == FLASH_IO

    work()
    assert device.refused == 2 and device.about() == {"mv": 4380, "least_mv": 4400, "refused": 2}
    heap_tools()
    assert not allocated(work)
