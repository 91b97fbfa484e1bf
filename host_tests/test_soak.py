"""A month on 32 bits: the heap of the last hour is that of the first, through losses and two wraps of the ticks."""

import gc
import sys

from agent.base.ticks import ticks_add
from host_tests.portable import Skip
from tools.bench.cart import configuration
from tools.bench.quiet import Workbench

PORTABLE = True
HEAP = "512k"

HOURS = 720
HOUR_MS = 3600000
RESULTS_AN_HOUR = 3


class Cart(Workbench):
    """A workbench that wakes for input and deadlines alone and lets whole hours pass."""

    def __init__(self):
        self.watched = []
        self.wraps = 0
        self.steps = 0
        Workbench.__init__(self, configuration())

    def watch(self, port, slot):
        Workbench.watch(self, port, slot)
        self.watched.append([port, slot, 0])

    def step(self):
        for entry in self.watched:
            port = entry[0]
            state = port.state()
            if port.left or state != entry[2]:
                self.app.scheduler.wake(entry[1], self.moment)
            entry[2] = state
        self.steps += 1
        return self.app.step(self.moment)

    def pass_time(self, ms):
        while ms > 0:
            left = self.step()
            if self.controller.left or self.toolsnet.left:
                left = 0
            if left > ms:
                left = ms
            later = ticks_add(self.moment, left)
            if later < self.moment:
                self.wraps += 1
            self.moment = later
            ms -= left


def an_hour(cart, hour):
    """Some results, and a fault that depends on the hour."""
    if hour % 7 == 3:
        cart.toolsnet.away = True
        cart.toolsnet.close()
    if hour % 5 == 2:
        cart.controller.close()
    if hour % 11 == 4:
        cart.controller.say(b"0000 this is no message at all\x00")
    cart.pass_time(HOUR_MS // 4)
    for _ in range(RESULTS_AN_HOUR):
        cart.controller.produce()
        cart.pass_time(10000)
    cart.toolsnet.away = False
    cart.pass_time(HOUR_MS - HOUR_MS // 4 - RESULTS_AN_HOUR * 10000)


def test_heap_of_hour_720_is_that_of_hour_1():
    if sys.implementation.name == "cpython" or sys.platform == "webassembly":
        raise Skip("the heap is measured where it is a board's")
    if sys.platform == "rp2" or sys.platform == "qemu":
        raise Skip("a month takes minutes here; the 32-bit unix port has the same objects")
    cart = Cart()
    cart.pass_time(HOUR_MS)
    least = most = 0
    for hour in range(1, HOURS + 1):
        an_hour(cart, hour)
        gc.collect()
        used = gc.mem_alloc()
        # The first twelve hours see each kind of fault for the first time: what is imported late is imported then.
        if hour == 12:
            least = most = used
        elif hour > 12:
            least = min(least, used)
            most = max(most, used)
    print(
        "hours %d, wraps %d, steps %d, results %d, heap %d"
        % (HOURS, cart.wraps, cart.steps, cart.toolsnet.stored, most)
    )
    assert cart.wraps >= 2
    assert cart.app.scheduler.faults == 0
    assert cart.toolsnet.stored == cart.controller.acknowledged == HOURS * RESULTS_AN_HOUR
    assert cart.toolsnet.disorder == 0
    assert least == most, "between %d and %d" % (least, most)
