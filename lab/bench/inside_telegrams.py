# type: ignore  # of MicroPython's gc and time, as lab/bench/inside.py
"""What runs inside an interpreter that is measured: the time to write each telegram, and what telegram 09 allocates.

On MicroPython it needs a tree that has the modules for CPython as well: boards do not get the writers of 01, 02, 09 and
13. lab/bench/telegrams.py makes one and puts this module there, which is therefore not marked portable.

Rules
1. A record, an event and a curve are prepared; measured is the time to bring them into the transmit buffer, as for the
   first time: the values of the next record differ.
2. Plain is a telegram 05 put together by `%`, in the same turn: every other time is given as a multiple of it.
3. `events` takes events from a record of the log to the handled 05 or 10, with results in between.
"""

import gc
import sys
import time
from struct import pack_into

from toolcart.agent.base.fields import copy, number, put_number
from toolcart.agent.openprotocol.light import read_light
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from lab.harness.quiet import QuietController, QuietToolsNet, Workbench

PAGES = 8  # records that differ
SPINDLES = 4
PROGRAMS = 10
SAMPLES = 500
TURNS = 8
WARM_UP = 40
STEPS_MAX = 64

_ON_CPYTHON = sys.implementation.name == "cpython"
_STAMP = b"20240314092654"
_TIME = b"2024-03-14:09:26:53"
_CODE = b"E404"
_STORED_BY_10 = b"003810000020003000100012024031409265400000"  # 004:206-215


def now_us():
    """Return the time in us: of this thread alone where that is available."""
    return time.thread_time_ns() // 1000 if _ON_CPYTHON else time.ticks_us()


def us_since(start):
    """Return the us since then."""
    return now_us() - start if _ON_CPYTHON else time.ticks_diff(time.ticks_us(), start)


# -- what lies ready ---------------------------------------------------------------------------------------------------


def results(extra=b""):
    """Yield PAGES payloads of results one after the other, as in the log, with `extra` after body and limits."""
    controller = QuietController()
    found = []
    for index in range(PAGES):
        controller.produce()
        page = bytearray(b" " * (res.HEAD_BYTES + res.BODY_BYTES + (res.LIMITS_BYTES if extra else 0))) + extra
        pack_into("<IHBB", page, 0, index + 1, 1, 1, 0)
        read_light(page, res.HEAD_BYTES, controller.result, 0, 121)
        found.append(page)
    return found


def several():
    """Return the same of SPINDLES spindles each (toolcart.agent.record.spindles, SYNC)."""
    rows = b"".join([b"%02d01111%06d00095" % (index + 1, 4237 + index) for index in range(SPINDLES)])
    return results(b"S1%02d%02d     " % (SPINDLES, SPINDLES) + rows)


def alarms():
    """Yield PAGES payloads of events: an alarm with its text."""
    found = []
    for index in range(PAGES):
        page = bytearray(ev.EVENT_MOST)
        ev.put_event(page, 0, index + 1, 1, ev.ALARM)
        ev.put_code(page, 0, b"E40%d" % index, 0, 4)
        ev.put_time(page, 0, _TIME, 0)
        ev.put_ready(page, 0, 0x31, 0x30)
        ev.put_words(page, 0, b"Tool is too hot", 0, 15)
        found.append(page)
    return found


def curve():
    """Return the lead of a curve (toolcart.agent.record.graph) and its samples."""
    from toolcart.agent.record import graph as gr

    lead = bytearray(gr.FIRST_STEP + gr.STEP_BYTES)
    pack_into("<IHBBI", lead, 0, 1, 10, 0, 1, 17)
    lead[gr.RESULT_TIME : gr.RESULT_TIME + 7] = b"\x20\x24\x03\x14\x09\x26\x53"
    lead[gr.SPINDLE] = 1
    lead[gr.WHAT] = gr.TORQUE
    lead[gr.STEPS] = 1
    pack_into("<H4s6s6sB", lead, gr.UNIT, 1, b"0012", b"000400", b"000500", 1)
    pack_into("<bII", lead, gr.SHIFT, 0, 1, 100)
    pack_into("<HII", lead, gr.FIRST_STEP, SAMPLES - 1, 2, 1)
    return bytes(lead), bytes([index & 0x7F for index in range(2 * SAMPLES)])


# -- the time of each --------------------------------------------------------------------------------------------------


class _Sender:
    """What a writer uses of a session."""

    result = bytearray()


def writers():
    """Return (name, function of a number, where it is) for each telegram that a station builds, the plain one first.

    The function returns the telegram, or its bytes where the third entry is the buffer that holds it.
    """
    from toolcart.agent.toolsnet import telegram as tel
    from toolcart.agent.toolsnet.result04 import ResultWriter
    from toolcart.agent.toolsnet.session import RESULT_BYTES
    from toolcart.agent.wide import telegram02 as describe
    from toolcart.agent.wide import telegram13 as graph13
    from toolcart.agent.wide.telegram09 import EVENT_BYTES_MAX, EventWriter

    def result_of(name, pages):
        writer = ResultWriter(bytearray(RESULT_BYTES), 3, 1)
        writer.session = _Sender()

        def write(index):
            page = pages[index % PAGES]
            return writer.write(page, 0, len(page), 0, index, index)

        return name, write, lambda: writer.tx

    def noted(name, write):
        return name, write, lambda: note

    note = bytearray(28)
    events = EventWriter(bytearray(EVENT_BYTES_MAX), 3, 1)
    happened = alarms()
    lead, data = curve()
    programs = [(program, "Screw %d" % program) for program in range(1, PROGRAMS + 1)]
    here = "192.168.1.10"
    return (
        ("plain", lambda index: ("002405%05d%s%03d" % (index, "20240314092654", 0)).encode(), None),
        ("01", lambda index: describe.system(index, 3, 1, here, "Cart 7"), None),
        ("02", lambda index: describe.station(index, 3, 1, 10, here, "Left", [(1, "Spindle 1", programs)]), None),
        result_of("04", results()),
        result_of("04 of 4 spindles", several()),
        noted("05", lambda index: tel.put_acknowledge(note, index, _STAMP)),
        noted("06", lambda index: tel.put_keepalive(note, index)),
        noted("07", lambda index: tel.put_info_request(note, index, 3, 1, 10)),
        ("09", lambda index: events.write(happened[index % PAGES], 0, index, index), lambda: events.tx),
        ("13 of 500 samples", lambda index: graph13.write(lead, data, index, 3, 1, 17, 9999), None),
    )


def times(rounds):
    """Print ns of each telegram, the best of TURNS turns of `rounds`; and the bytes on the heap that one takes, if
    they can be counted.
    """
    found = [[name, write, 0] for name, write, _ in writers()]
    for turn in range(TURNS):
        for one in found:
            write = one[1]
            gc.collect()
            start = now_us()
            for index in range(1, rounds + 1):
                write(index)
            took = us_since(start)
            if turn == 0 or took < one[2]:
                one[2] = took
    for one in found:
        octets = -1 if _ON_CPYTHON else _allocated(one[1])
        print("took", one[0].replace(" ", "_"), one[2] * 1000 // rounds, octets)


def _allocated(write):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    write(1)
    took = gc.mem_alloc() - before
    gc.enable()
    return took


# -- telegram 09 from its record to its answer -------------------------------------------------------------------------


class EventToolsNet(QuietToolsNet):
    """Stores events as well, by counting them; answers by 05 and by 10 in turn (004:206-223)."""

    def __init__(self):
        QuietToolsNet.__init__(self)
        self.events = 0
        self.keepalives = 0
        self.by_10 = bytearray(_STORED_BY_10)

    def write(self, buf, start, n):
        telegram = number(buf, start + 4, 2) if self.opened else 0
        if telegram == 6:
            self.keepalives += 1
        if telegram != 9:
            return QuietToolsNet.write(self, buf, start, n)
        sequence = number(buf, start + 37, 5)
        if sequence <= number(self.information, 16, 5):  # sequences of results are skipped
            self.disorder += 1
        put_number(self.information, 16, 5, sequence)
        self.following = 0  # the next result leaves a hole for this one
        self.events += 1
        answer = self.by_10 if self.events & 1 else self.stored_answer
        copy(answer, 6, buf, start + 6, 5)
        self.say(answer)
        return n


class EventBench(Workbench):
    """A station that sends alarms."""

    def tcp(self):
        """Return the controller's port, then ToolsNet's, which takes events."""
        port = self._ports.pop(0)
        if not self._ports:
            port = self.toolsnet = EventToolsNet()
        return port

    def put_alarm(self):
        """Write an alarm into the log, as toolcart.agent.wide.controller_events does; True if it is there."""
        log = self.station.log
        stage, at = log.stage, log.place
        ev.put_event(stage, at, log.next, 1, ev.ALARM)
        ev.put_code(stage, at, _CODE, 0, 4)
        ev.put_time(stage, at, _TIME, 0)
        return log.append(KIND_EVENT, 0, ev.EVENT_LEAST) == 0

    def one_event(self):
        """Take one more alarm from its record to the handled answer; False if it did not get through."""
        wanted = self.toolsnet.events + 1
        if not self.put_alarm():
            return False
        cursor = self.station.outlets[0].sources[0].cursor
        for _ in range(STEPS_MAX):
            self.step()
            if self.toolsnet.events == wanted and cursor.number == self.station.log.number:
                return self.app.scheduler.faults == 0
        return False

    def many_events(self, count):
        """Take `count` alarms, each after a result; False if one did not get through."""
        while count > 0:
            if not self.one_result() or not self.one_event():
                return False
            count -= 1
        return True


def event_bench():
    """Return a settled station with alarms to ToolsNet.

    On MicroPython the parts for CPython are added after all others, which stay as they are there.
    """
    from toolcart.agent.base import compat
    from toolcart.agent.cart import app
    from lab.harness.configuration import configuration

    settings = configuration()
    Workbench(settings).settle()  # now everything is loaded
    settings = configuration()
    settings["toolsnet"]["events"] = ["alarms"]
    settings["toolsnet"]["window"] = 1  # a setting of CPython's
    compat.ON_CPYTHON = app.ON_CPYTHON = True
    bench = EventBench(settings)
    bench.settle()
    if not bench.many_events(WARM_UP):
        raise RuntimeError("events do not get through: %s" % bench.app.scheduler.last_fault)
    return bench


def events(count):
    """Print the bytes that `count` events with a result each allocate, and as many idle steps with their 06."""
    bench = event_bench()
    bench.idle(250)  # the controller keeps nothing: it is found empty, and asked once about the next
    bench.many_events(1)
    bench.idle(250)
    bench.many_events(1)  # the first one after idle minutes
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    through = bench.many_events(count)
    after_events = gc.mem_alloc()
    kept_alive = bench.toolsnet.keepalives
    bench.idle(count)
    after_idle = gc.mem_alloc()
    if not through or bench.toolsnet.disorder or bench.toolsnet.keepalives == kept_alive:
        raise RuntimeError("events do not get through")
    print("allocated", after_events - before, after_idle - after_events)
