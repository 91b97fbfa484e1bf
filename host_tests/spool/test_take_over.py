"""A spool is moved into a new file: nothing that it held is lost, ToolsNet sees no seam, the old one stays as it is."""

import lzma
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.agent.cart.area import with_these
from toolcart.agent.log import numbers as n
from toolcart.board.linux.flash import FileFlash
from toolcart.sim.toolsnet_memory import tightening_id_of
from toolcart.tools.cli import main as cli
from toolcart.tools.spool import image, take_over
from toolcart.tools.spool.opened import begun, opened
from toolcart.tools.spool.take_over import Plan
from host_tests.support.log import Area
from host_tests.support.toolsnet import NUMBER, Outlet

ASIDE = Path(__file__).parents[1] / "data/aside.spool.xz"  # station 10: 4 results wait, 92 are set aside
PLAN = Plan(512 * 1024, 64 * 1024)


def moved(station, plan=PLAN):
    """What the flash of a station's outlet becomes."""
    return take_over.make(take_over.start(bytes(station.flash.cells), None), plan, 4711)


class Moved(Outlet):
    """The same station, clock and server, on the area that was made of another outlet's."""

    def __init__(self, before, made):
        Outlet.__init__(self)
        self.clock, self.network, self.toolsnet = before.clock, before.network, before.toolsnet
        self.archive, self.next_id = before.archive, before.next_id
        self.area = Area(kept_blocks=opened(made.device).kept.device.block_count, flash=made.device)
        self.start()


def idents(archive):
    return [int(tightening_id_of(one)) for one in archive.results]


def away(station, is_away):
    for name in ("pim", "tn"):
        station.network.cut(name) if is_away else station.network.heal(name)


@pytest.mark.parametrize("unit", [16, 64, 256])
@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("delivered", [0, 1, 40])
def test_what_waits_is_delivered_once_under_sequence_that_it_would_have_had(delivered, saved, unit):
    station = Outlet()
    station.store(delivered)
    station.run(60000)
    assert len(idents(station.archive)) == delivered
    station.network.abandon(station.port)
    station.store(25)  # nobody steps: they wait
    assert not saved or station.state.save()  # else the server alone knows what it has
    made = moved(station, Plan(256 * 1024, 48 * 1024, unit))
    assert (made.waiting == 25 or not saved) and made.records == delivered + 25
    after = Moved(station, made)
    after.run(60000)
    after.store(3)
    after.run(60000)
    assert idents(after.archive) == list(range(1, delivered + 29)) and after.archive.repeated == 0
    assert after.archive.sequences() == list(range(1, delivered + 29))
    after.clean()


def test_what_was_set_aside_is_still_kept_with_its_reason():
    before = begun_of(lzma.open(ASIDE).read())
    made = take_over.make(before, PLAN, 4711)
    after = begun(made.device)
    assert made.kept == 92 and after.quarantine.numbers() == before.quarantine.numbers()
    for number in after.quarantine.numbers():
        assert after.quarantine.find(number) > 0 and before.quarantine.find(number) > 0
        assert after.quarantine.reason == before.quarantine.reason
    for index in (n.STORED, n.DELIVERED, n.SET_ASIDE, n.KEPT_LAST, n.LIMIT, n.SENT, n.TAKEN, n.OVERWRITTEN):
        assert after.state.numbers[index] == before.state.numbers[index], index
    assert after.state.octets == before.state.octets and after.known.top() == before.known.top()
    assert [cursor.number for cursor in after.log.cursors] == [cursor.number for cursor in before.log.cursors]
    assert after.log.next == before.log.next


def begun_of(octets):
    from toolcart.board.linux import header as linux_header

    return take_over.start(linux_header.blocks_of(octets), linux_header.read(octets[: linux_header.PAGE_BYTES]))


def test_a_last_record_in_doubt_is_settled_and_carried():
    station = Outlet()
    station.store(5)
    made = moved(station)
    assert begun(made.device).log.number == 5 and made.waiting == 5


def test_of_what_is_delivered_newest_are_carried_where_there_is_little_room():
    station = Outlet(blocks=60)
    station.store(500)
    station.run(600000)
    station.network.abandon(station.port)
    station.store(10)
    station.state.owners = with_these(0, ["toolsnet"], [0])  # no other outlet waits for anything
    assert station.state.save()
    made = moved(station, Plan(52 * 1024, 12 * 1024))
    log = begun(made.device).log
    assert made.waiting == 10 and 20 < made.records < 510 and log.number == 510


def test_a_new_spool_that_is_too_small_is_made_larger():
    station = Outlet(blocks=60)
    station.store(600)
    made = moved(station, Plan(40 * 1024, 12 * 1024))
    assert made.waiting == made.records == 600
    after = begun(made.device)
    assert after.log.has_room(200) and len(made.device.cells) > 40 * 1024


def test_another_station_that_gets_the_results_meets_its_server_anew():
    station = Outlet()
    station.store(7)
    station.run(60000)
    station.network.abandon(station.port)
    station.store(4)
    assert station.state.save()
    after = begun(moved(station, Plan(256 * 1024, 48 * 1024, station=12)).device)
    numbers = after.state.numbers
    assert numbers[n.SENT] == numbers[n.TAKEN] == after.log.cursors[0].ahead == 0
    assert numbers[n.LIMIT] == after.log.cursors[0].number == 7
    assert {payload[4] | payload[5] << 8 for payload in after.counting(after.log).values()} == {12}
    assert NUMBER != 12


# -- files -----------------------------------------------------------------------------------------------------------


def put(folder):
    path = folder / "cart.spool"
    path.write_bytes(lzma.open(ASIDE).read())
    path.chmod(0o600)
    return path


def take(*arguments):
    return CliRunner().invoke(cli.main, ["spool", "take-over", *map(str, arguments)])


def test_by_hand_into_another_size_unit_and_station(tmp_path):
    path, target = put(tmp_path), tmp_path / "new.spool"
    before = path.read_bytes()
    ran = take(path, target, "--station", "12", "--size-kib", "1024", "--unit", "64")
    assert ran.exit_code == 0 and "4 of them waiting; 92 set aside" in ran.output, ran.output
    flash = FileFlash(str(target), 1 << 20, 64, (3, 1, 12))
    assert flash.note == "" and flash.block_count * flash.block_bytes >= 1 << 20
    flash.close()
    assert path.read_bytes() == before and sorted(one.name for one in tmp_path.iterdir()) == ["cart.spool", "new.spool"]
    assert image.read(target).opened.quarantine.count() == 92


def test_what_is_in_use_or_no_spool_is_left_alone(tmp_path):
    path, target = put(tmp_path), tmp_path / "new.spool"
    target.write_bytes(b"mine")
    again = take(path, target)
    assert again.exit_code == 2 and "already exists" in again.output and target.read_bytes() == b"mine"
    target.unlink()
    flash = FileFlash(str(path), 0)
    used = take(path, target)
    flash.close()
    assert used.exit_code == 2 and "open; stop it first" in used.output
    path.write_bytes(b"no block of ours" * 4096)
    none = take(path, target)
    assert none.exit_code == 2 and "no spool" in none.output and not target.exists()


def test_spool_of_another_version_is_refused_without_hint_that_does_not_help(tmp_path, monkeypatch):
    path = put(tmp_path)
    monkeypatch.setattr(image.linux_header, "VERSION", 3)
    for words in (["info", path], ["take-over", path, tmp_path / "new.spool"]):
        said = CliRunner().invoke(cli.main, ["spool", *map(str, words)])
        assert said.exit_code == 2 and "made by another version of toolcart (header 2, this one knows 3)" in said.output
        assert "rescue" not in said.output


def test_disk_without_room_leaves_no_new_spool_and_a_second_try_works(tmp_path, monkeypatch):
    path, target = put(tmp_path), tmp_path / "new.spool"
    real = take_over.Header.page

    def full(header):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(take_over.Header, "page", full)
    ran = take(path, target)
    assert ran.exit_code == 2 and "No space left on device; the disk needs room for it" in ran.output
    assert not target.exists()
    monkeypatch.setattr(take_over.Header, "page", real)
    assert take(path, target).exit_code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cart.spool", "new.spool"]
