"""What runs inside an interpreter that is measured: each function prints one line and raises when it goes wrong.

The same functions run on every MicroPython and on CPython; tools/bench/path.py starts them and reads the lines.
"""

import gc
import sys
import time

from tools.harness.configuration import configuration
from tools.harness.quiet import Workbench

PORTABLE = True

WARM_UP = 40  # results before anything is counted: blocks are opened, a cursor is saved
SOUGHT = 250  # idle steps: the controller was empty, so what lies in front of its first ID is looked for once


def allocation(count):
    """Print the bytes that `count` results and `count` idle steps allocate."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(SOUGHT)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    through = bench.many_results(count)
    after_results = gc.mem_alloc()
    bench.idle(count)
    after_idle = gc.mem_alloc()
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("allocated", after_results - before, after_idle - after_results)


def speed(count):
    """Print the milliseconds that `count` results take."""
    bench = Workbench(configuration())
    bench.settle()
    if not bench.many_results(WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(SOUGHT)
    begin = _now_ms()
    through = bench.many_results(count)
    took = _now_ms() - begin
    if not through or not bench.sound():
        raise RuntimeError("the results do not get through")
    print("took", took)


def _now_ms():
    return time.perf_counter_ns() // 1000000 if sys.implementation.name == "cpython" else time.ticks_ms()
