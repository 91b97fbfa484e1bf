"""Counts what one result costs on the machine it runs on, stage by stage, and what an idle wake costs.

Runs on MicroPython: the Cortex-M3 under QEMU, where every instruction takes 32 ns and the timer has 40 ns, so that
`ticks * 1.25` counts instructions. Prints `name value` lines.

Rules
1. Counted is the agent's time inside its scheduler's step alone: ports and flash are the board's, simulators are not.
2. The total is measured with nothing but ports and flash dressed. The stages are measured in a second pass, with the
   methods of STAGES dressed; what the dress costs is measured first and taken off.
3. A function with many locals has its frame on the heap, and MicroPython searches a place for it from the first free
   octet on. The agent's boards keep a hole low in the heap for that (board/main.py); here the simulators would fill
   it, so it is kept taken while they run.
4. A figure is the mean of RESULTS results that pass one at a time: cursor records and the erased block have their part.
"""

import gc
import sys
import time

from agent.base.fields import copy
from agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING
from agent.spool.flash import RamFlash
from tools.bench import hole
from tools.bench.rig import Rig

PORTABLE = True

WARM_UP = 8
RESULTS = 40
IDLE_WAKES = 50
BUFFER_BYTES = 4096
ticks = time.ticks_cpu
ticks_diff = time.ticks_diff

# Module, class, methods: the stage. A method that calls one of another stage is interrupted by it.
STAGES = (
    ("agent.intake", "Intake", ("step",), "intake"),
    ("agent.link.stream", "Stream", ("next_message", "post", "receive", "tick", "outgoing", "sent"), "framing"),
    ("agent.openprotocol.session", "Session", ("next_event", "acknowledge", "tick"), "session"),
    ("agent.store", "Store", ("put_pushed",), "reading"),
    ("agent.spool.ring", "Ring", ("begin", "commit", "maintain", "save_cursor", "advance"), "spool"),
    ("agent.forward", "Forward", ("step",), "forward"),
    ("agent.spool.ring", "Ring", ("peek",), "peek"),
    ("agent.toolsnet.result04", "ResultWriter", ("write",), "telegram"),
    ("agent.toolsnet.session", "Session", ("next_event", "send", "tick", "sent"), "toolsnet"),
)


class Meter:
    """Exclusive times: what runs last is what the ticks are counted for."""

    def __init__(self):
        self.spent = {}
        self.calls = {}
        self.current = "outside"
        self.since = ticks()

    def switch(self, stage):
        """Count from here for `stage`; returns the one before."""
        now = ticks()
        before = self.current
        self.spent[before] = self.spent.get(before, 0) + ticks_diff(now, self.since)
        self.current = stage
        self.since = ticks()
        return before

    def clear(self):
        self.spent.clear()
        self.calls.clear()


meter = Meter()


class Device:
    """A flash device whose own time is not the agent's."""

    def __init__(self, inner):
        self.inner = inner
        self.unit_bytes = inner.unit_bytes
        self.block_bytes = inner.block_bytes
        self.block_count = inner.block_count

    def read_into(self, address, buf, n):
        before = meter.switch("board")
        code = self.inner.read_into(address, buf, n)
        meter.switch(before)
        return code

    def program(self, address, buf, n):
        before = meter.switch("board")
        code = self.inner.program(address, buf, n)
        meter.switch(before)
        return code

    def erase(self, block):
        before = meter.switch("board")
        code = self.inner.erase(block)
        meter.switch(before)
        return code


class Port:
    """A port that touches its own buffers alone while the agent runs, as a chip's does; `pump` moves them on."""

    def __init__(self, inner):
        self.inner = inner
        self.rx = bytearray(BUFFER_BYTES)
        self.tx = bytearray(BUFFER_BYTES)
        self.rx_count = 0
        self.tx_count = 0
        self.address = None
        self.closing = False
        self.lost = False
        self.seen = PORT_CLOSED

    @property
    def _connection(self):
        return self.inner._connection

    def open(self, host, number):
        self.address = (host, number)
        self.close()
        self.seen = PORT_OPENING

    def state(self):
        return self.seen

    def close(self):
        self.closing = True
        self.rx_count = 0
        self.tx_count = 0
        self.lost = False
        self.seen = PORT_CLOSED

    def readinto(self, buf, n):
        before = meter.switch("board")
        count = self.rx_count
        if count:
            copy(buf, 0, self.rx, 0, count)
            self.rx_count = 0
        elif self.lost:
            count = -1
        meter.switch(before)
        return count

    def write(self, buf, start, n):
        before = meter.switch("board")
        copy(self.tx, self.tx_count, buf, start, n)
        self.tx_count += n
        meter.switch(before)
        return n

    def pump(self):
        """Do outside what was asked for inside; whether there is news for the agent."""
        if self.closing:
            self.inner.close()
            self.closing = False
        if self.address:
            self.inner.open(self.address[0], self.address[1])
            self.address = None
        if self.tx_count:
            self.inner.write(self.tx, 0, self.tx_count)
            self.tx_count = 0
        state = self.inner.state()
        news = state != self.seen and self.seen != PORT_CLOSED
        if news:
            self.seen = state
        if self.seen == PORT_OPEN and not self.rx_count:
            count = self.inner.readinto(self.rx, BUFFER_BYTES)
            self.lost = count < 0
            self.rx_count = count if count > 0 else 0
        return news or self.rx_count > 0 or self.lost


class MeteredRig(Rig):
    """A rig that counts the agent's steps."""

    counting = False

    def make_port(self):
        return Port(self.network.port())

    def step(self):
        self.network.step()
        for port, slot, _, _ in self.board.watched:
            if port.pump():
                self.app.scheduler.wake(slot, self.clock.now)
        self.steps += 1
        left = self.app_step()
        news = self.network.step()
        for port, _, _, _ in self.board.watched:
            news = port.pump() or news
        for station in self.app.stations:  # those that are not watched yet
            for port in (station.controller_port, station.toolsnet_port):
                port.pump()
        return 0 if news or self.network.step() else min(left, self.network.next_due())

    def app_step(self):
        now = self.clock.now
        if not self.counting:
            return self.app.step(now)
        hole.give()
        gc.collect()
        meter.switch("agent")
        left = self.app.step(now)
        meter.switch("outside")
        gc.collect()
        hole.take()
        return left


def dress(cls, name, stage):
    """Put a counter around a method of the class."""
    plain = getattr(cls, name)

    def counted(*args):
        calls = meter.calls
        calls[stage] = calls.get(stage, 0) + 1
        before = meter.switch(stage)
        answer = plain(*args)
        meter.switch(before)
        return answer

    setattr(cls, name, counted)


class Sample:
    def nothing(self, one, two):
        return one


def cost_of_dress():
    """The ticks a dressed call adds to its own stage and to the caller's."""
    sample = Sample()
    call = Sample.nothing
    dress(Sample, "nothing", "sample")
    meter.clear()
    meter.switch("caller")
    for _ in range(100):
        sample.nothing(1, 2)
    meter.switch("outside")
    inner, outer = meter.spent["sample"], meter.spent["caller"]
    meter.clear()
    meter.switch("caller")
    for _ in range(100):
        call(sample, 1, 2)
    meter.switch("outside")
    return inner / 100, (outer - meter.spent["caller"]) / 100


def pass_results(rig, count):
    """Let so many results through one after the other; the archive has each before the next is made."""
    for _ in range(count):
        rig.controller.produce()
        rig.until_stored(len(rig.controller.produced))
        rig.run(50)


def ready_rig():
    """A rig that has passed its first results."""
    rig = MeteredRig(flash=Device(RamFlash(32, 4096, 256)))
    rig.run(5000)
    pass_results(rig, WARM_UP)
    rig.counting = True
    return rig


def total():
    """The mean ticks of one result."""
    rig = ready_rig()
    meter.clear()
    pass_results(rig, RESULTS)
    print("result", meter.spent["agent"] / RESULTS)
    print("board", meter.spent["board"] / RESULTS)
    idle(rig)


def idle(rig):
    """The mean ticks of a wake without anything to do, and the wakes of an hour without results."""
    spent = 0
    for _ in range(IDLE_WAKES):
        rig.app.scheduler.wake(rig.board.watched[0][1], rig.clock.now)
        rig.app.scheduler.wake(rig.board.watched[1][1], rig.clock.now)
        meter.clear()
        rig.app_step()
        spent += meter.spent["agent"]
    print("idle_wake", spent / IDLE_WAKES)
    steps = rig.steps
    rig.counting = False
    rig.run(3600000)
    print("idle_steps_an_hour", rig.steps - steps)


def stages():
    """The mean ticks of each stage of one result."""
    inner, outer = cost_of_dress()
    meter.clear()
    for module, cls, names, stage in STAGES:
        __import__(module)
        for name in names:
            dress(getattr(sys.modules[module], cls), name, stage)
    rig = ready_rig()
    meter.clear()
    pass_results(rig, RESULTS)
    # The dress of a call weighs on its own stage, and around it on the one that called: nearly always the stage before.
    for stage in sorted(meter.spent):
        if stage not in ("outside", "board"):
            calls = meter.calls.get(stage, 0)
            print("stage." + stage, meter.spent[stage] / RESULTS - calls * inner / RESULTS, calls / RESULTS)
    print("dress", inner, outer, sum(meter.calls.values()) / RESULTS)


if __name__ == "__main__":
    {"total": total, "stages": stages}[sys.argv[1]]()
