"""Nothing is allocated on a result's way, in an idle step, or for any backlog: proven by a locked heap and by counting.

A locked heap does not show what a pre-made exception grows by, and a count does not show where: both are looked at.
The figure is 0 on 1.25 as well, where a slice costs 16 bytes even if it is only compared or stored: there is none.
"""

import gc
import sys

from host_tests.support.heap import allocated, heap_tools
from lab.harness.allocation_free_peers import Workbench, configuration

PORTABLE = True
HEAP = "2m"

RESULTS = 1000
IDLE_STEPS = 2000  # 1000 s: 142 keep-alives to the controller, 33 to ToolsNet


def settled():
    bench = Workbench(configuration())
    bench.settle()
    assert bench.many_results(40), "the results do not get through"
    bench.idle(200)  # the controller was empty: what lies in front of its first ID is looked for once
    assert bench.many_results(40), "the results do not get through"
    bench.idle(40)
    gc.collect()
    return bench


def test_count_sees_the_smallest_allocation():
    heap_tools()
    kept = []
    assert allocated(kept.append, b"x") == 0, "the list has room for four"
    assert allocated(bytearray, 1) >= 16


def test_result_allocates_nothing_from_its_first_octet_to_its_handled_05():
    heap_tools()
    bench = settled()
    octets = allocated(bench.many_results, RESULTS)
    print("allocated for %d results: %d bytes" % (RESULTS, octets))
    assert bench.sound(), "a result did not get through"
    assert octets == 0


def test_result_gets_through_with_the_heap_locked():
    micropython = heap_tools()
    bench = settled()
    micropython.heap_lock()
    through = bench.many_results(RESULTS)
    micropython.heap_unlock()
    fault = bench.app.scheduler.last_fault
    if fault is not None:
        sys.print_exception(fault)
    assert through and bench.sound()


def test_idle_step_allocates_nothing():
    micropython = heap_tools()
    bench = settled()
    bench.idle(IDLE_STEPS)  # the controller was empty: what lies in front of its first ID is looked for once
    forward = bench.station.outlets[0]
    before = forward.session.ident
    octets = allocated(bench.idle, IDLE_STEPS)
    print("allocated in %d idle steps: %d bytes" % (IDLE_STEPS, octets))
    assert octets == 0
    # Each 06 has an identifier of its own, and one without its 05 would have ended the connection.
    assert forward.session.ident - before >= 30 and forward.is_up()
    micropython.heap_lock()
    bench.idle(IDLE_STEPS)
    micropython.heap_unlock()
    assert bench.sound()


def test_backlog_takes_no_memory():
    heap_tools()
    bench = settled()
    # ToolsNet is away: results are stored and acknowledged, none goes out
    bench.station.outlets[0].port.write = taking_nothing

    def hundred(count):
        while count:
            bench.controller.produce()
            for _ in range(8):
                bench.step()
            count -= 1

    before = bench.controller.acknowledged
    octets = allocated(hundred, 100)
    assert (
        bench.controller.acknowledged == before + 100
        and bench.station.log.backlog_of(bench.station.log.cursors[0]) >= 99
    )
    print("allocated for a backlog of 100: %d bytes" % octets)
    assert octets == 0


def taking_nothing(buf, start, n):
    return 0
