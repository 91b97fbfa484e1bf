"""The file as an outlet: each record once and in order, whatever is cut, refuses or loses what was not synced."""

import json

import pytest

from toolcart.agent.base.counters import Counters
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.cart.liveness import Liveness
from toolcart.agent.cart.status import snapshot
from toolcart.agent.linux.file import RETRY_MOST_MS, FileOutlet
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.base.clock import Dice
from toolcart.board.linux import lines as linux_lines
from host_tests.portable import LONG
from host_tests.support.disk import Disk
from host_tests.support.log import Area, append, append_event, numbers, store, take_all
from host_tests.support.world import CONTROLLER
from host_tests.support.world import Cart as Alone
from lab.harness.cart import Cart, SimLines
from lab.harness.flash import TEARS, PowerCut


class Bench:
    """One log with ToolsNet's cursor, which takes everything at once, and one file."""

    def __init__(self, area=None):
        self.area = area or Area(13, 1024, 16)
        self.flash = self.area.flash
        self.lines = SimLines()
        self.now = (1 << 30) - 5000
        self.start()

    def start(self):
        self.log = self.area.mount(events=(1,), cursors=2)[1]
        assert self.area.found == MOUNT_DONE
        self.outlet = FileOutlet(self.log, 1, self.lines, Counters())
        self.outlet.begin(self.now)

    def cut(self, octets=0):
        """Power fails; so many octets of what was not durable are in the file."""
        self.lines.cut(octets)
        self.flash.restart()
        self.start()

    def store(self, first, last):
        store(self.log, range(first, last + 1), take_all)

    def run(self):
        """Let the outlet work until it has nothing to do; return the ms until it has."""
        for _ in range(5000):
            left = self.outlet.step(self.now)
            assert left >= 0
            if left:
                return left
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
                bench.store(ident, ident)
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


def test_a_file_that_goes_back_to_the_oldest_leaves_no_doubt_that_stays_behind_a_cut():
    for count in range(60, 68):
        bench = Bench(Area(10, 1024, 16))
        files = [b""]
        for ident in range(1, count + 1):
            bench.store(ident, ident)
            bench.run()
            files.append(bench.lines.octets)
        bench.lines.octets = files[bench.log.first_above(0)]
        bench.outlet.recover(bench.now)
        bench.now = (bench.now + RETRY_MOST_MS) & 0x3FFFFFFF
        bench.outlet.step(bench.now)
        bench.outlet.step(bench.now)
        assert bench.outlet.cursor.number == bench.log.first_above(0), "it has found where to go on"
        refused = append(bench.log, count + 1)  # no block may be free now
        bench.cut()
        bench.run()
        assert bench.numbers() == numbers(1, count + (not refused)), count
        bench.store(90, 90)


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


STORED = 24
NAME = "/lines"
FAILURES = [("fdatasync",), ("pwrite",), ("ftruncate",), ("fdatasync", "ftruncate"), ("pwrite", "ftruncate")]

PAGE_BYTES = 64  # small, so that a line lies on several


class DiskBench(Bench):
    """The same with its file on the disk; how far it is becomes durable whenever somebody saves, so it is saved."""

    def __init__(self, monkeypatch, seed=1):
        self.disk = Disk(Dice(seed), PAGE_BYTES)
        monkeypatch.setattr(linux_lines, "os", self.disk)
        self.ident = 0
        super().__init__(Area(blocks=32, unit_bytes=64))

    def start(self):
        self.lines = linux_lines.LineFile(NAME, 4096, 99)
        super().start()

    def store(self, count):
        super().store(self.ident + 1, self.ident + count)
        self.ident += count

    def run(self):
        while (left := super().run()) != FOREVER:
            assert self.area.state.save()
            self.now = (self.now + left) & 0x3FFFFFFF
        assert self.area.state.save()

    def work(self):
        """A shift: batches of several sizes."""
        for count in (1, 3, 2, 9, 1, 8):
            self.store(count)
            self.run()

    def cut(self):
        self.disk.restart()
        self.start()

    def found(self):
        """The numbers of all lines, oldest file first; every octet is of a whole line."""
        octets = b""
        for index in range(99, -1, -1):
            octets += self.disk.content(NAME + (".%d" % index if index else ""))
        return [int(json.loads(line)["tightening_id"]) for line in octets.splitlines()]

    def check(self):
        """What was stored is there, each once, after one more cut."""
        self.store(2)
        self.run()
        self.cut()
        self.run()
        assert self.found() == list(range(1, self.ident + 1))


def operations(monkeypatch):
    bench = DiskBench(monkeypatch)
    bench.work()
    assert bench.found() == list(range(1, STORED + 1)) and NAME + ".1" in bench.disk.names
    return bench.disk.operations


@pytest.mark.parametrize("seed", [1, 2] if LONG else [1])
def test_a_cut_at_every_operation_of_the_disk(monkeypatch, seed):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = DiskBench(monkeypatch, seed + operation)
        bench.disk.cut_at = operation
        with pytest.raises(PowerCut):
            bench.work()
        bench.cut()
        bench.run()
        bench.check()


@pytest.mark.parametrize("fails", FAILURES if LONG else FAILURES[-1:], ids=" ".join)
def test_a_failure_at_every_operation_and_a_cut_behind_it(monkeypatch, fails):
    for operation in range(1, operations(monkeypatch) + 1):
        bench = DiskBench(monkeypatch, operation)
        bench.disk.fails = fails
        bench.disk.fail_at = operation
        bench.work()
        bench.check()


# What a controller tells on its whole way into the lines of a file, beside results and in their order.

ALL = {"events": ["alarms", "job", "pset", "vin"]}


def cart_of(settings=None, **options):
    files = ({"kind": "file", "path": "lines", "keep": 1},)
    return Alone(
        controller=dict({"max_clients": 9}, **options), files=files, settings={"controller": settings or {}}
    ).ready()


def lines_of(cart):
    return [json.loads(line) for line in cart.lines["lines"].lines()]


def told(cart):
    return [
        (line["event"], line["code"], line["text"]) if line["type"] == "event" else line["tightening_id"]
        for line in lines_of(cart)
    ]


def events(cart, *names):
    return [[line[name] for name in names] for line in lines_of(cart) if line["type"] == "event"]


def test_parameter_sets_jobs_and_vehicles_stand_in_the_file_once():
    for psets, jobs, vehicles in (((1,), (1,), (1,)), ((1, 2), (1, 2, 3, 4, 5), (1, 2))):
        cart = cart_of(ALL, pset_revisions=psets, job_revisions=jobs, vin_revisions=vehicles, job_at_once=True)
        cart.controller.select_pset(12)
        cart.controller.select_job(7)
        cart.controller.identify("WVW1", "second")
        cart.run(2000)
        for counter in (1, 2, 3):
            cart.produce()
            cart.controller.tell_job(batch_counter=counter, tightening=1)
            cart.run(1000)
        for _ in range(2):
            cart.network.cut(CONTROLLER[0], CONTROLLER[1])
            cart.run(40000)
        cart.controller.tell_job(batch_counter=4, status=1)
        cart.run(2000)
        cart.cut()
        cart.run(40000)
        new = len(jobs) > 1
        assert events(cart, "event", "code", "text", "identifier_2", "job_status", "batch_counter") == [
            ["parameter set", "12", "Screw 12" if new else "", None, None, None],
            ["job", "7", "", None, "not completed", 0],
            ["vehicle", "", "WVW1", "second" if new else None, None, None],
            ["job", "7", "", None, "OK", 4],
        ]
        assert events(cart, "program_changed", "batch_size", "last_tightening", "job_sequence", "time_source") == [
            ["2024-02-01T08:00:00", None, None, None, "agent"],
            [None, 4, "off" if new else None, 1 if new else None, "controller"],
            [None, None, None, None, "agent"],
            [None, 4, "OK" if new else None, 1 if new else None, "controller"],
        ]
        assert cart.controller.complaints == [] and cart.is_ready()


def test_limits_of_a_selected_parameter_set_are_asked_for_at_once():
    cart = cart_of({"events": ["pset"], "limits": "ask"})
    cart.controller.select_pset(12)
    cart.run(2000)
    cart.produce(1, 2000, pset=12, pset_change=cart.controller.psets[12].changed)
    result = next(line for line in lines_of(cart) if line["type"] == "result")
    assert (result["torque_min"], result["torque_target"], result["angle_max"]) == ("40.00", "45.00", 90)
    cart.controller.change_pset(12, torque_min=3900)
    cart.controller.select_pset(12)
    cart.run(2000)
    cart.produce(1, 2000, pset=12, pset_change=cart.controller.psets[12].changed)
    assert lines_of(cart)[-1]["torque_min"] == "39.00" and cart.controller.messages[12] == 3


PORTABLE = False

DURABLE = {"name": "a", "path": "a.jsonl"}
BEST_EFFORT = {"name": "b", "path": "b.jsonl", "durable": False}


def started(*files, **settings):
    return Cart(files=files, **settings).until_ready(and_ms=500)


def in_file(cart, path="a.jsonl"):
    return [int(json.loads(line)["tightening_id"]) for line in cart.lines[path].lines()]


def test_every_outlet_gets_every_result_once_and_in_order():
    cart = started(DURABLE, BEST_EFFORT, {"name": "c", "path": "c.jsonl"})
    cart.produce(30, 300)
    cart.until_quiet()
    assert cart.ids() == in_file(cart) == in_file(cart, "b.jsonl") == in_file(cart, "c.jsonl") == numbers(1, 30)
    assert cart.controller.acknowledged == numbers(1, 30)
    first = json.loads(cart.lines["a.jsonl"].lines()[0])
    assert (first["station"], first["number"], first["vin"]) == (10, 1, cart.controller.result(1).vin.decode())


def test_cuts_lose_and_double_nothing_in_the_file():
    cart = started(DURABLE)
    for kept in (0, 40, 900, 5):
        cart.produce(5, 40)
        cart.lines["a.jsonl"].cut(kept)
        cart.cut()
        cart.until_ready()
    cart.produce(5, 300)
    cart.until_quiet()
    assert in_file(cart) == cart.ids() == numbers(1, 25)


def test_one_of_several_files_goes_and_others_change_places_and_each_has_every_result():
    for names in ("b", "ba", "bac", "cb", "cab"):
        cart = started(DURABLE, {"name": "b", "path": "b.jsonl"}, {"name": "c", "path": "c.jsonl"})
        cart.produce(3, 300)
        cart.lines["b.jsonl"].refuses = cart.lines["c.jsonl"].refuses = ("open", "sync")
        cart.produce(5, 300)
        cart.lines["c.jsonl"].refuses = ()
        cart.run(60000)
        cart.lines["b.jsonl"].refuses = ()
        assert cart.station.state.save()
        other = Cart(files=[{"name": name, "path": name + ".jsonl"} for name in names])
        cart.configuration = other.configuration
        cart.lines["a.jsonl"].is_open = False
        cart.cut()
        cart.until_ready()
        cart.produce(2, 300)
        cart.until_quiet()
        for name in names:
            assert in_file(cart, name + ".jsonl") == numbers(1, 10), (names, name)
        assert [one for one in cart.station.at_start.removed if one[1]] == [], names


def test_a_file_that_was_restored_gets_again_what_the_spool_still_has():
    cart = started(DURABLE)
    cart.produce(3, 300)
    older = cart.lines["a.jsonl"].octets
    cart.produce(5, 300)
    assert cart.station.state.save()
    cart.cut()
    cart.lines["a.jsonl"].octets = older
    cart.until_ready()
    cart.produce(1)
    cart.until_quiet()
    assert in_file(cart) == numbers(1, 9)
    assert cart.station.state.save()
    cart.cut()
    cart.lines["a.jsonl"].octets = older.replace(b'"VIN', b'"XIN').replace(b'"vin":"', b'"vin":"of another')
    cart.until_ready()
    cart.produce(1)
    cart.until_quiet()
    assert in_file(cart) == [1, 2, 3, *numbers(1, 10)], "what is not of this spool says nothing of it"


def test_a_person_sees_every_outlet():
    cart = started(DURABLE)
    cart.produce(3, 300)
    cart.until_quiet()
    toolsnet, file = snapshot(cart.app)["stations"][0]["outlets"]
    assert (toolsnet["kind"], toolsnet["durable"], toolsnet["state"], toolsnet["waiting"]) == (
        "toolsnet",
        True,
        "streaming",
        0,
    )
    assert (file["kind"], file["durable"], file["state"], file["lines_written"]) == ("file", True, "writing", 3)
    cart.lines["a.jsonl"].refuses = ("sync", "open")
    cart.produce(1, 300)
    shown = snapshot(cart.app)["stations"][0]
    assert (shown["outlets"][1]["is_up"], shown["outlets"][1]["waiting"], shown["outlets"][1]["why"]) == (
        False,
        1,
        "it refuses",
    )
    assert shown["backlog"] == 0 and shown["counters"]["outlet failed"] == 1
    json.dumps(shown)


def test_file_that_is_tried_again_and_again_is_no_reason_for_restart():
    cart = started(DURABLE)
    cart.lines["a.jsonl"].refuses = ("open", "sync")
    cart.produce(1, 300)
    liveness = Liveness(cart.app, cart.clock.now)
    for _ in range(60):
        cart.run(60000)
        assert liveness.may_feed(cart.clock.now), liveness.reason
