"""Counts what one result costs on the machine it runs on, and what an idle wake costs.

Runs on MicroPython: the Cortex-M3 under QEMU, where every instruction takes 32 ns of its own time and the timer ticks
every 40 ns, so that `ticks * 1.25` counts instructions. Prints `name value ...` lines. `main` is called before anything
of the agent is imported.

Rules
1. Only the agent's time inside its scheduler's step is counted: port and flash are the board's.
2. Nothing but port and flash is dressed with counters; what that costs the caller is measured first and subtracted.
3. A figure is the mean of RESULTS results that pass one at a time: cursor records and an erased block contribute.
4. The heap is as on a board: configuration read, agent built, toolcart.agent.cart.config forgotten, collected. A
   function with many locals has its frame there, and MicroPython searches for a place from the heap's start on.
"""

import gc
import sys
import time

PORTABLE = True

WARM_UP = 72  # more than are compared with a repeat
SOUGHT_MS = 120000  # the controller was empty: results before its first ID are searched for once, and again
RECONNECT_MS = 61000  # the wait between connects (protocol.md 8.2), plus one second
RESULTS = 40
IDLE_WAKES = 50
FLASH_BLOCKS = 16
HOLE_BYTES = 1024
ticks = getattr(time, "ticks_cpu", int)  # on a PC only the tables are read
ticks_diff = getattr(time, "ticks_diff", int)

# Module, class, methods with the number of their arguments.
BOARD = (
    ("lab.harness.allocation_free_peers", "QuietController", (("write", 4), ("readinto", 3), ("state", 1))),
    ("lab.harness.allocation_free_peers", "QuietToolsNet", (("write", 4), ("readinto", 3), ("state", 1))),
    ("toolcart.board.ram_flash", "RamFlash", (("read_into", 4), ("program", 4), ("erase", 2))),
)


class Meter:
    """Exclusive times: ticks are counted for what was entered last."""

    def __init__(self):
        self.spent = {}
        self.calls = {}  # dressed calls out of a stage
        self.clear()

    def switch(self, stage):
        """Count for `stage` from here on; return the previous one."""
        now = ticks()
        before = self.current
        self.spent[before] += ticks_diff(now, self.since)
        self.current = stage
        self.since = ticks()
        return before

    def clear(self):
        for name in ("outside", "agent", "board", "caller", "sample"):
            self.spent[name] = self.calls[name] = 0
        self.current = "outside"
        self.since = ticks()


meter = Meter()


def dressed(plain, count, stage):
    """Return the function with a counter around it, in a form for each number of arguments: `*args` would allocate."""

    def enter():
        meter.calls[meter.current] += 1
        return meter.switch(stage)

    def one(a):
        before = enter()
        answer = plain(a)
        meter.switch(before)
        return answer

    def two(a, b):
        before = enter()
        answer = plain(a, b)
        meter.switch(before)
        return answer

    def three(a, b, c):
        before = enter()
        answer = plain(a, b, c)
        meter.switch(before)
        return answer

    def four(a, b, c, d):
        before = enter()
        answer = plain(a, b, c, d)
        meter.switch(before)
        return answer

    return {1: one, 2: two, 3: three, 4: four}[count]


def dress():
    """Put counters around what is the board's."""
    for module, name, methods in BOARD:
        __import__(module)
        cls = getattr(sys.modules[module], name)
        for method, count in methods:
            setattr(cls, method, dressed(getattr(cls, method), count, "board"))


def nothing(one, two):
    return one


def cost_of_dress():
    """Return the ticks that a dressed call adds to its caller's."""
    call = dressed(nothing, 2, "sample")
    counts = []
    for function in (call, nothing):
        meter.clear()
        meter.switch("caller")
        for _ in range(100):
            function(1, 2)
        meter.switch("outside")
        counts.append(meter.spent["caller"])
    return (counts[0] - counts[1]) / 100


def ready():
    """Return a workbench in the state of a board that has run for a while, its scheduler's step counted."""
    from toolcart.board.ram_flash import RamFlash
    from lab.harness.allocation_free_peers import Workbench, configuration

    class Bench(Workbench):
        """Wakes a task only for input once it counts, as a board does."""

        counts = False

        def step(self):
            if not self.counts:
                return super().step()
            for port, slot in self.watched:
                if port.left:
                    self.app.scheduler.wake(slot, self.moment)
            meter.switch("agent")
            left = self.app.step(self.moment)
            meter.switch("outside")
            return left

    bench = Bench(configuration(), RamFlash(FLASH_BLOCKS))
    for module in ("config", "settings"):
        sys.modules.pop("toolcart.agent.cart." + module, None)
        delattr(sys.modules["toolcart.agent.cart"], module)
    bench.settle()
    through = bench.many_results(WARM_UP)
    bench.wait(SOUGHT_MS)
    if not through or not bench.many_results(WARM_UP):
        raise RuntimeError("results do not get through")
    bench.counts = True
    hole.clear()
    gc.collect()
    gc.disable()
    meter.clear()
    return bench


def ticks_of_agent(outer):
    """Return the mean ticks of the agent for one result, without those of the dress."""
    return (meter.spent["agent"] - meter.calls["agent"] * outer) / RESULTS


def total():
    """Print the mean ticks of one result and of one idle wake, and what they allocate."""
    outer = cost_of_dress()
    dress()
    bench = ready()
    before = gc.mem_alloc()
    if not bench.many_results(RESULTS):
        raise RuntimeError("results do not get through")
    print("allocated", (gc.mem_alloc() - before) / RESULTS)
    print("result", ticks_of_agent(outer))
    meter.clear()
    for _ in range(IDLE_WAKES):
        wake_all(bench)
        bench.step()
    print("idle_wake", ticks_of_agent(outer) * RESULTS / IDLE_WAKES)
    print("from_backlog", backlog(bench, outer))


def wake_all(bench):
    """Let both tasks run at the next step."""
    for _, slot in bench.watched:
        bench.app.scheduler.wake(slot, bench.moment)


def backlog(bench, outer):
    """Return the mean ticks of sending one result that waits on the flash and taking its 05."""
    from toolcart.agent.base.ticks import ticks_add

    toolsnet = bench.toolsnet
    toolsnet.away = True
    toolsnet.close()
    wake_all(bench)
    wanted = toolsnet.stored + RESULTS + 1
    for _ in range(RESULTS + 1):
        bench.controller.produce()
        for _ in range(4):
            bench.step()
    toolsnet.away = False
    bench.moment = ticks_add(bench.moment, RECONNECT_MS)
    steps = 0
    while toolsnet.stored < wanted and steps < 8 * RESULTS:
        if toolsnet.stored < wanted - RESULTS:
            wake_all(bench)  # a connection that opens wakes its task
            meter.clear()  # the first one includes the connect
        bench.step()
        steps += 1
    if toolsnet.stored < wanted:
        raise RuntimeError("the backlog does not get through")
    return ticks_of_agent(outer)


hole = []


def main(form):
    """Count, of `plain` bytecode or with the `fast` twins in machine code."""
    hole.append(bytearray(HOLE_BYTES))  # like toolcart.board.main
    if form == "plain":
        sys.modules["toolcart.agent.base.fields_viper"] = None  # then compat finds no twins
    total()
