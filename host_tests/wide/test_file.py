"""The file as an outlet: each record once and in order whatever is cut or refuses, and nothing waits for it."""

import json

from toolcart.agent.base.health import Health
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.agent.wide.file import RETRY_MOST_MS, FileOutlet
from host_tests.support.log import Area, append, append_event
from lab.harness.cart import SimLines
from lab.harness.flash import TEARS, PowerCut


class Bench:
    """One log with ToolsNet's cursor, which takes everything at once, and one file."""

    def __init__(self, durable=True, blocks=6):
        self.area = Area(blocks + 7, 1024, 16)
        self.flash = self.area.flash
        self.lines = SimLines()
        self.durable = durable
        self.now = (1 << 30) - 5000
        self.start()

    def start(self):
        best_effort = () if self.durable else (1,)
        for _ in range(3):  # what flickers may read otherwise a moment later
            self.state, self.log = self.area.mount(best_effort=best_effort, events=(1,), cursors=2)
            if self.area.found == MOUNT_DONE:
                break
        self.health = Health()
        self.outlet = FileOutlet(self.log, 1, self.lines, self.health)
        self.outlet.begin(self.now)

    def cut(self, octets=0):
        """Power fails; so many octets of what was not durable are in the file."""
        self.lines.cut(octets)
        self.flash.restart()
        self.start()

    def store(self, first, last):
        for ident in range(first, last + 1):
            if append(self.log, ident) != LOG_DONE:
                return ident
            self.deliver()
        return last + 1

    def deliver(self):
        """ToolsNet takes everything at once."""
        while self.log.peek(self.log.cursors[0]) > 0:
            self.log.cursors[0].advance()

    def waits(self):
        return self.log.waits(self.log.cursors[1])

    def run(self, ms=0):
        """Let the outlet work until it has nothing to do, and for so long."""
        end = ms
        for _ in range(5000):
            left = self.outlet.step(self.now)
            assert left >= 0
            if left:
                if left > end:
                    return left
                end -= left
                self.now = (self.now + left) & 0x3FFFFFFF
        raise AssertionError("it never comes to rest")

    def numbers(self):
        """The numbers of the results in the file."""
        told = [json.loads(line) for line in self.lines.lines()]
        return [one["number"] for one in told if one["type"] != "event"]


def test_a_cut_at_any_octet_of_a_batch_writes_each_record_once():
    for kept in range(0, 3000, 97):
        bench = Bench()
        bench.store(1, 4)
        bench.run()
        bench.store(5, 9)
        bench.lines.sync = lambda: False
        bench.outlet.step(bench.now)
        del bench.lines.sync
        bench.cut(kept)
        bench.store(10, 10)
        bench.run()
        assert bench.numbers() == list(range(1, 11)), kept


def test_what_cannot_be_used_is_tried_again_ever_more_rarely_and_shown():
    bench = Bench()
    bench.lines.refuses = ("open",)
    bench.store(1, 2)
    pauses = []
    for _ in range(9):
        pauses.append(bench.run())
        bench.now = (bench.now + pauses[-1]) & 0x3FFFFFFF
    assert pauses == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]
    assert max(pauses) <= RETRY_MOST_MS == bench.outlet.longest_ms and bench.outlet.attempts == 9
    shown = {}
    bench.outlet.put_state(shown)
    assert shown["state"] == "cannot be used" and shown["why"] == "it refuses" and shown["place"] == "lines"
    bench.lines.refuses = ()
    assert bench.run() == FOREVER and bench.numbers() == [1, 2]
    bench.outlet.put_state(shown)
    assert (shown["state"], shown["why"], shown["lines_written"]) == ("writing", "", 2)
    bench.lines.refuses = ("sync",)
    bench.store(3, 3)
    assert bench.run() == 1000, "after a success the pauses begin again"


def test_a_cut_at_every_operation_writes_every_record_once():
    operation = 0
    while True:
        operation += 1
        bench = Bench()
        bench.flash.cut_after = operation - 1
        bench.flash.look = TEARS[operation % len(TEARS)]
        acknowledged = 0
        try:
            for ident in range(1, 41):
                if ident % 7 == 0:
                    assert append_event(bench.log, ident) == LOG_DONE
                assert bench.store(ident, ident) == ident + 1
                acknowledged = ident
                if ident % 3 == 0:
                    bench.run()
        except PowerCut:
            bench.cut(operation * 61 % 500)
            bench.run()
            found = [int(json.loads(line).get("tightening_id", 0)) for line in bench.lines.lines()]
            found = [ident for ident in found if ident]
            # The one that the cut fell into may be there: the controller brings it again, and the log knows it.
            assert found in (list(range(1, acknowledged + 1)), list(range(1, acknowledged + 2))), operation
            continue
        break
    assert operation > 40


def test_a_step_that_is_broken_off_at_any_place_doubles_nothing():
    for name in ("add", "sync"):
        bench = Bench()
        bench.store(1, 3)
        bench.run()
        bench.store(4, 6)
        call = getattr(bench.lines, name)

        def broken(*line, call=call):
            call(*line)
            raise KeyboardInterrupt

        setattr(bench.lines, name, broken)
        try:
            bench.outlet.step(bench.now)
            raise AssertionError("it is not broken off")
        except KeyboardInterrupt:
            setattr(bench.lines, name, call)
        assert bench.run() == FOREVER and bench.numbers() == [1, 2, 3, 4, 5, 6]
