"""A file of an outlet that was restored, shortened or exchanged: it gets what it lacks, as far as the log has it."""

import json
import os

import pytest

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from toolcart.board.linux.lines import UNSYNCED_MOST, LineFile
from toolcart.tools.messages import latched_conditions
from host_tests.agent.linux.test_file import Bench
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from host_tests.support.log import Area, held

STORED = 59
OTHERS = b'{"schema":1,"type":"result","station":11,"number":%d,"tightening_id":"7"}\n'
POLICIES = (WHEN_FULL_REFUSE, WHEN_FULL_OVERWRITE)


class FileBench(Bench):
    """A log that has gone round, and a file on this machine's disk that has all of it."""

    def __init__(self, folder, when_full=WHEN_FULL_REFUSE, rotate_bytes=1 << 20):
        self.path = folder / "lines"
        self.rotate_bytes = rotate_bytes
        self.when_full = when_full
        super().__init__(Area(12, 1024, 16))
        for ident in range(1, STORED + 1):
            self.store(ident, ident)
            self.run()
        assert self.area.state.save()
        self.oldest = held(self.log)[0][0]
        assert 20 < self.oldest < STORED - 10 and (rotate_bytes < 1 << 20 or self.in_file() == list(range(1, 60)))

    def start(self):
        self.lines = LineFile(str(self.path), self.rotate_bytes, 9)
        mount = self.area.mount
        self.area.mount = lambda **options: mount(when_full=self.when_full, **options)
        super().start()
        self.area.mount = mount

    def again(self, way):
        """Go on behind a change of the file."""
        if way == "cut":
            self.flash.restart()
            self.start()
        elif way == "restart":
            self.outlet.stop()
            self.start()
        elif way == "reload":
            self.outlet.reset_after_fault(self.now)
        else:
            self.store(STORED + 1, STORED + 1)
        for _ in range(99):
            left = self.run()
            if left == FOREVER:
                break
            self.now = (self.now + left) & 0x3FFFFFFF
        if way != "running":
            self.store(STORED + 1, STORED + 1)
            assert self.run() == FOREVER

    def in_file(self):
        """The numbers of our lines in all files, the oldest file first."""
        octets = b""
        for index in range(9, -1, -1):
            path = self.path.with_name("lines.%d" % index if index else "lines")
            octets += path.read_bytes() if path.exists() else b""
        lines = [json.loads(line) for line in octets.splitlines()]
        return [one["number"] for one in lines if one["station"] == 10]

    def counts(self):
        status = {}
        self.outlet.put_state(status)
        return status["given_again"], self.area.state.missed_counts[1]

    def write(self, octets):
        """Others write the file anew, in its place."""
        self.path.write_bytes(octets)

    def first(self, count):
        """So many lines of the file."""
        return b"".join(self.path.read_bytes().splitlines(keepends=True)[:count])


def numbers(first, last):
    return list(range(first, last + 1))


WAYS = ("cut", "restart", "reload", "running")
BOTH = pytest.mark.parametrize("when_full", POLICIES, ids=("refuse", "overwrite"))
ANY_WAY = pytest.mark.parametrize("way", WAYS)
SOME_WAYS = pytest.mark.parametrize("way", WAYS if LONG else ("restart", "running"))


@BOTH
@ANY_WAY
def test_file_older_than_the_log_gets_all_that_the_log_has(tmp_path, when_full, way):
    bench = FileBench(tmp_path, when_full)
    bench.write(bench.first(9))
    bench.again(way)
    lowest = bench.in_file()[9]
    assert bench.in_file() == [*numbers(1, 9), *numbers(lowest, STORED + 1)] and lowest <= bench.oldest + 8
    assert bench.counts() == (STORED + 1 - lowest, lowest - 10)
    bench.again("restart")
    assert bench.in_file()[9:] == numbers(lowest, STORED + 2) and bench.counts() == (0, lowest - 10)


@BOTH
@SOME_WAYS
def test_file_whose_last_line_the_log_has_goes_on_after_it(tmp_path, when_full, way):
    for count in (45, 58):
        bench = FileBench(tmp_path, when_full)
        bench.write(bench.first(count))
        bench.again(way)
        assert bench.in_file() == numbers(1, STORED + 1) and bench.counts() == (STORED - count, 0)
        os.unlink(bench.path)


@SOME_WAYS
def test_file_that_ends_within_a_line_or_in_garbage_goes_on_after_the_last_good_one(tmp_path, way):
    many = b"\xff garbage\n" * (3 * UNSYNCED_MOST + 1)
    for rest in (
        b'{"schema":1,"type":"res',
        b"garbage\n",
        b"\0" * 5000,
        b"\0" * 5000 + b"\n",
        b'{"schema":1\n}\n',
        many,
    ):
        bench = FileBench(tmp_path)
        bench.write(bench.first(50) + rest)
        bench.again(way)
        assert bench.in_file() == numbers(1, STORED + 1) and bench.counts() == (STORED - 50, 0), rest
        os.unlink(bench.path)


@BOTH
@SOME_WAYS
def test_file_of_another_station_gets_all_that_the_log_has(tmp_path, when_full, way):
    for last in (3, 50, STORED, 5000):
        bench = FileBench(tmp_path, when_full)
        bench.write(b"".join([OTHERS % number for number in range(max(1, last - 50), last + 1)]))
        bench.again(way)
        lowest = bench.in_file()[0]
        assert bench.in_file() == numbers(lowest, STORED + 1) and lowest <= bench.oldest + 8, last
        assert bench.counts() == (STORED + 1 - lowest, lowest - 1)
        os.unlink(bench.path)


@SOME_WAYS
def test_file_of_another_station_of_the_same_length_gets_all_that_the_log_has(tmp_path, way):
    bench = FileBench(tmp_path)
    ours = bench.path.read_bytes()
    theirs = ours.replace(b'"station":10', b'"station":11')
    assert len(theirs) == len(ours)
    bench.write(theirs)
    os.utime(bench.path, ns=(0, os.stat(bench.path).st_mtime_ns + 4000000))  # a moment later, by the disk's clock
    bench.again(way)
    lowest = bench.in_file()[0]
    assert bench.in_file() == numbers(lowest, STORED + 1) and lowest <= bench.oldest + 8
    assert bench.counts() == (STORED + 1 - lowest, lowest - 1)


@SOME_WAYS
def test_lines_of_others_after_ours_double_nothing(tmp_path, way):
    bench = FileBench(tmp_path)
    bench.write(bench.first(52) + OTHERS % 4 + OTHERS % 55 + OTHERS % 7000)
    bench.again(way)
    assert bench.in_file() == numbers(1, STORED + 1) and bench.counts() == (STORED - 52, 0)


@SOME_WAYS
def test_file_that_is_emptied_moved_or_removed_is_begun_anew(tmp_path, way):
    for change in ("empty", "move", "remove"):
        bench = FileBench(tmp_path)
        if change == "empty":
            bench.write(b"")
        elif change == "move":
            bench.path.rename(tmp_path / "elsewhere")
        else:
            bench.path.unlink()
        bench.again(way)
        assert bench.in_file() == [STORED + 1] and bench.counts() == (0, 0), change
        os.unlink(bench.path)


@SOME_WAYS
def test_file_restored_after_full_ones_goes_on_after_the_newest_line_of_either(tmp_path, way):
    bench = FileBench(tmp_path, rotate_bytes=5000)
    assert bench.path.with_name("lines.2").exists()
    bench.write(bench.first(1))
    first = bench.in_file()[-1]
    bench.again(way)
    assert bench.in_file() == numbers(1, STORED + 1) and bench.counts() == (STORED - first, 0)
    for index in range(10):
        bench.path.with_name("lines.%d" % index if index else "lines").unlink(missing_ok=True)
    bench = FileBench(tmp_path, rotate_bytes=5000)
    bench.write(OTHERS % 50)
    newest = bench.in_file()[-1]
    bench.again(way)
    assert bench.in_file() == numbers(1, STORED + 1) and bench.counts() == (STORED - newest, 0)


def test_cut_while_a_file_gets_what_it_lacks_doubles_nothing(tmp_path):
    for steps in range(1, 8):
        bench = FileBench(tmp_path)
        bench.write(bench.first(9))
        bench.again("cut") if steps == 1 else bench.outlet.reset_after_fault(bench.now)
        bench.now = (bench.now + 60000) & 0x3FFFFFFF
        for _ in range(steps):
            bench.outlet.step(bench.now)
        bench.again("cut")
        written = bench.in_file()
        assert written[9:] == numbers(written[9], STORED + 1) or steps == 1, steps
        os.unlink(bench.path)


def test_line_of_an_older_version_is_known_by_the_fields_that_both_have(tmp_path):
    bench = FileBench(tmp_path)
    lines = bench.path.read_bytes().splitlines()
    record = json.loads(lines[49])
    del record["identifier_4"], record["again"]
    record["gone since"] = 7
    bench.write(b"\n".join([*lines[:49], json.dumps(record, separators=(",", ":")).encode(), b""]))
    bench.again("restart")
    assert bench.in_file() == numbers(1, STORED + 1)


def test_spool_older_than_its_file_goes_on_after_the_newest_record_that_both_have(tmp_path):
    bench = FileBench(tmp_path)
    rest = [json.loads(line) for line in bench.path.read_bytes().splitlines()[-3:]]
    for number, record in enumerate(rest, STORED + 1):
        record.update(number=number, vin="of the time behind the copy")
    more = b"".join([json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in rest])
    bench.write(bench.first(STORED) + more)
    bench.again("restart")
    assert bench.in_file() == [*numbers(1, STORED + 3), STORED + 1] and bench.counts() == (0, 0)


def test_what_is_given_again_or_gone_is_reported_with_the_station():
    station = {"mounted": True, "outlets": [{"kind": "file", "name": "lines", "given_again": 12, "given_up": 3}]}
    needs = {(need.slug, need.key): need for need in latched_conditions.count_needs(station)}
    assert "lost" in needs["given again", "12"].text()
    assert needs["overwritten", "3"].words.startswith("3 records at most given up before")
    assert "had lost them" in needs["overwritten", "3"].words


@pytest.mark.parametrize(("count", "moments"), each_choice([45, 9, 0], ["", "c", "cc", "s", "scs"]))
def test_what_a_file_lost_while_it_was_away_is_counted_once_whatever_ends_between(tmp_path, moments, count):
    bench = FileBench(tmp_path, WHEN_FULL_OVERWRITE)
    away = tmp_path / "away"
    had = bench.first(count) if count else OTHERS % 4
    bench.path.rename(away)
    bench.path.mkdir()  # no file can be there
    bench.outlet.reset_after_fault(bench.now)
    last = STORED
    for end in ["", *moments, ""]:
        if end:
            assert bench.area.state.save()
            if end == "s":
                bench.outlet.stop()
            bench.start()
        for _ in range(40):
            last += 1
            bench.store(last, last)
            bench.now = (bench.now + 60000) & 0x3FFFFFFF
            bench.run()
    bench.path.rmdir()
    bench.write(had)
    bench.now = (bench.now + 60000) & 0x3FFFFFFF
    bench.run()
    for end in "-" + moments + "-":
        if end == "s":
            bench.outlet.stop()
        if end != "-":
            assert bench.area.state.save()  # else what it took since may count as well
            bench.start()
        last += 1
        bench.store(last, last)
        for _ in range(9):
            bench.now = (bench.now + 60000) & 0x3FFFFFFF
            bench.run()
        written = bench.in_file()
        assert written[count:] == numbers(written[count], last)
        assert bench.area.state.missed_counts[1] == last - len(written) > STORED - count
