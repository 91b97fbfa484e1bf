"""A spool of format 2 or 3 becomes one of this format: nothing that it held is lost, and ToolsNet sees no seam.

The spools in host_tests/data were written by the last program that had format 3, and by one that had format 2, against
a simulated ToolsNet; the JSON beside each is what that program itself found in it.
"""

import json
import lzma
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.log import numbers as n
from agent.log.cursor import WANTS_EVENTS, WANTS_FRAMES, WANTS_RESULTS, Cursor
from agent.openprotocol.look import Look
from agent.record import KIND_EVENT, KIND_RESULT
from agent.record import result as res
from board import linux_header
from board.linux_flash import FileFlash
from board.linux_header import PAGE_BYTES
from host_tests.support.log import Area
from host_tests.support.toolsnet import NUMBER, Outlet
from tools.cli import main as cli
from tools.spool import take_over
from tools.spool.old import account as old
from tools.spool.opened import opened
from tools.spool.take_over import CannotTakeOver, Plan, take_over_if_old

RESULTS = WANTS_RESULTS | WANTS_FRAMES
ALL = RESULTS | WANTS_EVENTS
DATA = Path(__file__).parents[1] / "data"
NAMES = ("backlog", "delivered", "wrapped", "aside", "doubtful", "torn", "sweep")
PLAN = Plan(512 * 1024, 64 * 1024)
SETTINGS = {"size_kib": 512, "parked_kib": 64, "graphs_kib": 0, "unit": 16}


def spool(name):
    return lzma.open(DATA / f"{name}.spool.xz").read()


def told(name):
    return json.load(lzma.open(DATA / f"{name}.json.xz"))


def account_of(name):
    return old.read(linux_header.blocks_of(spool(name)))


def made_of(name, plan=PLAN):
    return take_over.make(account_of(name), plan, 4711)


def up(device):
    """The area as a start finds it, with nothing in doubt."""
    found = opened(device)
    assert found is not None and found.log.settle() and found.quarantine.settle()
    return found


def content(log):
    """What the page shows: the tightening ID, the words of a frame, or what an event is about."""
    page, at, length = log.page, log.at, log.length
    if log.kind == KIND_EVENT:
        return int.from_bytes(page[at + 8 : at + 12], "little")
    if log.kind != KIND_RESULT:
        return bytes(page[at + res.HEAD_BYTES : at + length]).decode("latin-1")
    at += res.HEAD_BYTES + res.TIGHTENING_ID
    return int(page[at : at + res.ID_BYTES])


def behind(log, number, wants):
    """What a reader with these wants finds behind a number: kind, number, content."""
    scout = Cursor()
    scout.wants = wants
    log.rewind(scout, number)
    found = []
    while (kind := log.peek(scout)) > 0:
        name = "event" if kind == KIND_EVENT else "result" if kind == KIND_RESULT else "frame"
        found.append([name, scout.found, content(log)])
        scout.advance()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_waits_waits_under_its_number_and_what_toolsnet_may_have_is_known(name):
    was, now = told(name), up(made_of(name).device)
    numbers = now.state.numbers
    assert behind(now.log, now.log.cursors[0].number, RESULTS) == was["waiting"]
    assert now.log.cursors[0].number == was["done"] and numbers[n.LIMIT] == max(was["limit"], was["done"])
    assert numbers[n.AHEAD] == -was["base"] % 99999 and numbers[n.DELIVERED] == was["delivered"]
    assert numbers[n.SENT] & 7 == was["flags"] and numbers[n.STORED] == was["stored"]
    assert numbers[n.OVERWRITTEN] == was["overwritten"]
    assert now.log.next > was["stored"], "no number is used twice"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_set_aside_is_set_aside_with_its_reason(name):
    was, quarantine = told(name), up(made_of(name).device).quarantine
    found = []
    for number in quarantine.numbers():
        assert quarantine.find(number) > 0
        quarantine.log.length = quarantine.length
        found.append([number, quarantine.reason, content(quarantine.log)])
    assert found == sorted(was["kept"])
    assert quarantine.state.numbers[n.KEPT_LAST] == max([number for number, _, _ in found], default=0)
    assert quarantine.settle() and quarantine.measure(114)


@pytest.mark.parametrize("name", NAMES)
def test_the_other_outlet_goes_on_where_it_was_and_gets_its_events_behind_the_results(name):
    was, now = told(name), up(made_of(name).device)
    found = behind(now.log, now.log.cursors[1].number, ALL)
    results = [[kind, number, what] for kind, number, what in was["file_waiting"] if kind != "event"]
    assert [one for one in found if one[0] != "event"] == results
    events = [what for kind, _, what in found if kind == "event"]
    assert events == [what for kind, _, what in was["file_waiting"] if kind == "event"]
    assert now.log.cursors[2].number == now.log.cursors[3].number == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_highest_id_is_known_with_its_values_and_what_is_missing_is_covered(name):
    was, now = told(name), up(made_of(name).device)
    known = now.known
    assert known.top() == was["top"] and known.gone() == was["gone"]
    assert known.octets[2] != 0xFF or known.octets[12] != 0xFF
    for first, count in was["missing"]:
        assert any(low <= first and first + count - 1 <= high for low, high in known.ranges), (known.ranges, first)
    assert was["missing"] or not known.ranges


@pytest.mark.parametrize("name", NAMES)
def test_every_result_that_the_old_log_had_is_found_when_its_controller_brings_it_again(name):
    account, now = account_of(name), up(made_of(name).device)
    look = Look(now.log)
    results = [one for one in account.results if one.kind == KIND_RESULT]
    assert len(results) > 3
    for one in results:
        assert look.holds(one.payload, 0, len(one.payload), one.flags & ~(old.FLAG_RETRIED | old.FLAG_ASIDE)) == 1


class Taken(Outlet):
    """The station that goes on with a spool that was taken over, and the server that it knows."""

    def __init__(self, name):
        self.was = told(name)
        self.made = made_of(name)
        Outlet.__init__(self)

    def start(self):
        kept_blocks = opened(self.made.device).kept.device.block_count
        self.area = Area(kept_blocks=kept_blocks, flash=self.made.device)
        if self.was is not None:
            self.next_id = self.was["top"] + 1
            for sequence, ident in self.was["archive"]:
                record = {"system_type": 3, "system": 1, "station": NUMBER, "sequence": sequence, "time": str(ident)}
                self.archive.store_result(record)
            self.had = self.archive.stored
            self.was = None
        Outlet.start(self)

    def new_ones(self):
        """Sequence and tightening ID of what came since."""
        ids = [take_over_id(one) for one in self.archive.results[self.had :]]
        return list(zip(self.archive.sequences()[self.had :], ids, strict=True))


def take_over_id(result):
    from tools.sim.toolsnet_memory import tightening_id_of

    return int(tightening_id_of(result))


@pytest.mark.parametrize("name", NAMES)
def test_toolsnet_gets_what_it_lacks_once_and_under_the_sequence_that_it_would_have_had(name):
    was = told(name)
    station = Taken(name)
    there = {ident for _, ident in was["archive"]}
    latest = max(sequence for sequence, _ in was["archive"])
    wanted = []
    for kind, number, what in was["waiting"]:
        if kind == "result" and what not in there:
            wanted.append(((number + was["base"] - 1) % 99999 + 1, what))
    assert all(sequence > latest for sequence, _ in wanted)
    station.run(60000)
    assert station.new_ones() == wanted
    ids = station.store(3)
    station.run(60000)
    assert [ident for _, ident in station.new_ones()][len(wanted) :] == ids
    sequences = [sequence for sequence, _ in station.new_ones()]
    assert sequences == sorted(set(sequences)) and station.archive.repeated == 0
    station.clean()


def test_format_2_is_taken_over_as_far_as_it_goes():
    was = told("format2")
    made = made_of("format2")
    now = up(made.device)
    waiting = [
        [number, what if kind == "result" else "frame"] for kind, number, what in behind(now.log, was["done"], RESULTS)
    ]
    assert waiting == was["waiting"] and now.log.cursors[0].number == was["done"]
    assert [[number, 17 if number < 20 else 1001] for number in now.quarantine.numbers()] == was["parked"]
    assert now.state.numbers[n.LIMIT] == was["limit"] and now.state.numbers[n.AHEAD] == -was["base"] % 99999
    assert now.known.top() == 31 and now.state.numbers[n.SENT] == n.SENT_MET


def test_a_new_spool_that_is_too_small_is_made_larger():
    made = made_of("aside", Plan(40 * 1024, 12 * 1024))
    assert made.device.block_count > 10 and made.kept == len(told("aside")["kept"])
    now = up(made.device)
    assert now.quarantine.measure(200) and now.log.has_room(200)


def test_of_what_is_delivered_the_newest_are_carried_where_there_is_little_room():
    made = made_of("wrapped", Plan(52 * 1024, 12 * 1024))
    results = behind(up(made.device).log, 0, RESULTS)
    assert results[-1][2] == 630 and 30 < len(results) < len(account_of("wrapped").results)
    assert made.waiting == 30


def test_another_station_gets_the_results_and_meets_its_server_as_if_for_the_first_time():
    made = made_of("backlog", Plan(512 * 1024, 64 * 1024, station=12))
    now = up(made.device)
    numbers = now.state.numbers
    assert (
        numbers[n.SENT] == numbers[n.AHEAD] == 0
        and numbers[n.LIMIT] == now.log.cursors[0].number == told("backlog")["done"]
    )
    scout = Cursor()
    while now.log.peek(scout) > 0:
        assert now.log.page[now.log.at + 4] == 12
        scout.advance()


# -- files -----------------------------------------------------------------------------------------------------------


def put(folder, name="backlog"):
    path = folder / "cart.spool"
    path.write_bytes(spool(name))
    path.chmod(0o600)
    return path


def check(path, name="backlog"):
    """The spool is of this format, whole, and has what waits; nothing half made lies about."""
    assert sorted(one.name for one in path.parent.iterdir()) == ["cart.spool", "cart.spool.format3"]
    flash = FileFlash(str(path), 512 * 1024, 16, (3, 1, 10))
    now = up(flash)
    assert behind(now.log, now.log.cursors[0].number, RESULTS) == told(name)["waiting"]
    assert flash.block_count * flash.block_bytes >= 512 * 1024 and flash.note == ""
    flash.close()


@pytest.mark.parametrize("name", ["backlog", "aside", "delivered"])
def test_an_older_spool_is_taken_over_once_and_kept_beside(tmp_path, name):
    path = put(tmp_path, name)
    before = path.read_bytes()
    said = []
    done = take_over_if_old(str(path), {**SETTINGS, "owner": (3, 1, 10)}, said.append)
    was = told(name)
    assert f"{len(was['waiting'])} of them wait" in done and "cart.spool.format3" in done and "earlier" in said[0]
    assert path.with_name("cart.spool.format3").read_bytes() == before
    check(path, name)
    assert take_over_if_old(str(path), SETTINGS, said.append) is None and len(said) == 1


def test_other_files_are_left_alone(tmp_path):
    path = tmp_path / "cart.spool"
    assert take_over_if_old(str(path), SETTINGS, print) is None
    for octets in (b"", b"\xff" * 8192, b"something else" * 1000, b"toolcart" + b"\x01" * 8192):
        path.write_bytes(octets)
        assert take_over_if_old(str(path), SETTINGS, print) is None and path.read_bytes() == octets
    path.unlink()
    FileFlash(str(path), 64 * 1024).close()
    before = path.read_bytes()
    assert take_over_if_old(str(path), SETTINGS, print) is None and path.read_bytes() == before
    assert os.listdir(tmp_path) == ["cart.spool"]


def test_a_spool_that_was_made_and_never_used_becomes_an_empty_one(tmp_path):
    path = put(tmp_path)
    octets = bytearray(spool("backlog"))
    octets[PAGE_BYTES:] = b"\xff" * (len(octets) - PAGE_BYTES)
    path.write_bytes(octets)
    assert "0 results" in take_over_if_old(str(path), SETTINGS, print)
    octets[PAGE_BYTES:] = b"\x37" * (len(octets) - PAGE_BYTES)
    path.write_bytes(octets)
    with pytest.raises(CannotTakeOver, match="rescue"):
        take_over_if_old(str(path), SETTINGS, print)
    assert path.read_bytes() == octets


def test_a_spool_that_an_agent_has_open_is_left_alone(tmp_path):
    import fcntl

    path = put(tmp_path)
    before = path.read_bytes()
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(CannotTakeOver, match="in use by another agent"):
            take_over_if_old(str(path), SETTINGS, print)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["cart.spool"]


class Killed(BaseException):
    """The process is gone."""


CALLS = ("open", "pwrite", "fchmod", "fsync", "link", "rename", "unlink")


def with_cut(monkeypatch, at, links, act):
    """Call act(); it is killed in front of, or behind, the file operation with this number. How many there were."""
    count = [0]

    def cutting(real, name):
        def call(*arguments, **named):
            count[0] += 1
            if count[0] == 2 * at:
                raise Killed
            if name == "link" and not links:
                raise OSError(1, "Operation not permitted")
            done = real(*arguments, **named)
            if count[0] == 2 * at + 1:
                raise Killed
            count[0] += 1
            return done

        return call

    with monkeypatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, cutting(getattr(os, name), name))
        try:
            act()
        except Killed:
            pass
    return count[0] // 2


@pytest.mark.parametrize("links", [True, False])
def test_a_cut_anywhere_leaves_the_old_or_the_new_one_and_the_next_run_finishes(tmp_path, monkeypatch, links):
    monkeypatch.setattr(take_over, "_WRITE_BYTES", 1 << 18)
    at = 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        path = put(folder)
        before = path.read_bytes()
        done = with_cut(monkeypatch, at, links, lambda path=path: take_over_if_old(str(path), SETTINGS, print))
        if path.exists():
            if path.read_bytes() != before:
                flash = FileFlash(str(path), 0)
                assert opened(flash) is not None
                flash.close()
        else:
            assert not links and folder.joinpath("cart.spool.format3").read_bytes() == before
        take_over_if_old(str(path), SETTINGS, print)
        check(path)
        assert folder.joinpath("cart.spool.format3").read_bytes() == before, at
        if done < at:
            break
    assert at > 10


def test_the_agent_takes_its_spool_over_before_it_opens_it(tmp_path):
    from agent.cart.config import complete
    from tools.process.agent import Agent

    path = put(tmp_path)
    spool_settings = {"path": "cart.spool", "size_kib": 512}
    tree = {
        "toolsnet": {"pim_host": "127.0.0.1", "pim_port": 9},
        "stations": [{"number": 10, "controller": {"host": "127.0.0.1", "port": 9}, "spool": spool_settings}],
    }
    lines = []
    agent = Agent(complete(tree), str(tmp_path / "cart.json"), 50, lines.append)
    turns = iter(range(20))
    assert agent.run(lambda: next(turns, None) is not None) == 0
    assert agent.app.stations[0].mounted and agent.app.stations[0].state.numbers[n.STORED] == told("backlog")["stored"]
    agent.board.close()
    notes = [line["text"] for line in lines if line["kind"] == "note"]
    assert any("taken over, 16 of them wait" in text for text in notes), notes
    assert path.with_name("cart.spool.format3").exists()


def test_a_name_that_is_taken_is_not_overwritten(tmp_path):
    path = put(tmp_path)
    path.with_name("cart.spool.format3").write_bytes(b"of another day")
    assert "cart.spool.format3.1" in take_over_if_old(str(path), SETTINGS, print)
    assert path.with_name("cart.spool.format3").read_bytes() == b"of another day"
    assert path.with_name("cart.spool.format3.1").read_bytes() == spool("backlog")


def test_by_hand_also_into_another_station(tmp_path):
    path = put(tmp_path)
    target = tmp_path / "new.spool"
    ran = CliRunner().invoke(cli.main, ["spool", "take-over", str(path), str(target), "--station", "12"])
    assert ran.exit_code == 0 and "16 of them wait" in ran.output, ran.output
    flash = FileFlash(str(target), 0, 16, (3, 1, 12))
    assert behind(up(flash).log, told("backlog")["done"], RESULTS) == told("backlog")["waiting"]
    flash.close()
    assert path.read_bytes() == spool("backlog")
    again = CliRunner().invoke(cli.main, ["spool", "take-over", str(path), str(target)])
    assert again.exit_code == 2 and "is there already" in again.output
    none = CliRunner().invoke(cli.main, ["spool", "take-over", str(target), str(tmp_path / "x")])
    assert none.exit_code == 2 and "not an older spool" in none.output
