"""`toolcart spool` shows an image, finds damage, rescues and moves into a new file; it never writes into the old."""

import contextlib
import csv
import io
import json
import lzma
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from toolcart.agent.cart.outlet_places import RETURNED, STAYED, OutletPlaces
from toolcart.agent.log import snapshot_fields as n
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.quarantine.orders import carry_out
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.board.folder_flash import FolderFlash
from toolcart.board.linux.flash import FileFlash
from toolcart.tools.spool import image, take_over
from toolcart.tools.spool.offline_spool import begun, opened
from toolcart.tools.spool.take_over import Plan
from toolcart.toolsnet import tightening_id_of
from host_tests.support.log import Area, append, take_all
from host_tests.support.mqtt import MqttBench
from host_tests.support.quarantine import numbers_of
from host_tests.support.running import toolcart
from host_tests.support.toolsnet import NUMBER, Outlet
from host_tests.support.webhook import WebhookBench
from lab.harness.cart import Cart


def image_of(area, folder):
    path = folder / "cart.spool"
    path.write_bytes(area.flash.cells)
    return path


@pytest.fixture
def filled(tmp_path):
    """A file with 70 results, 20 of them delivered, and one in the quarantine."""
    area = Area(16, 4096, 16)
    state, log = area.mount()
    for ident in range(1, 71):
        assert append(log, ident) == LOG_DONE
        state.numbers[n.STORED] += 1
        if ident <= 20:
            take_all(log)
            state.numbers[n.DELIVERED] += 1
    quarantine = Quarantine(area.kept, state, log)
    quarantine.start()
    assert quarantine.keep(7, 43) > 0 and state.save()
    return image_of(area, tmp_path)


def run(*words, code=0):
    return toolcart("spool", *words, code=code).stdout


def told(*words, code=0):
    """What the command tells machines."""
    return json.loads(run(*words, "--json", code=code))


def table(*words):
    return list(csv.DictReader(io.StringIO(run(*words))))


def lines(*words):
    return [json.loads(line) for line in run("list", *words, "--json").splitlines()]


def test_info_names_size_content_and_wear(filled):
    main, parked = told("info", filled)["areas"]
    assert (main["area"], main["results"], main["delivered"], main["waiting"]) == ("main", 70, 20, 50)
    assert main["damaged"] == 0 and 3 <= main["erases"] <= 4 and main["unit_bytes"] == 16 and main["format"] == 4
    assert (parked["area"], parked["results"], parked["blocks"], parked["kept"]) == ("parked", 1, 3, 1)
    assert "results            70" in run("info", filled)


def test_list_has_one_line_for_each_result(filled):
    assert len(run("list", filled).splitlines()) == 71
    assert [line["number"] for line in lines(filled)[:70]] == list(range(1, 71))


def test_show_prints_fields_and_octets(filled):
    text = run("show", filled, 7)
    assert '"tightening_id": "7"' in text and "VIN" in text
    run("show", filled, 9999, code=1)


def test_export_gives_csv_and_json(filled):
    rows = table("export", filled, "--csv")
    assert [row["tightening_id"] for row in rows] == [str(ident) for ident in range(1, 71)] + ["7"]
    assert (rows[-1]["area"], rows[-1]["refused_number"], rows[-1]["refused_code"]) == ("parked", "7", "43")
    assert len(told("export", filled)) == 71


def test_check_counts_damage_and_writes_nothing(filled):
    run("check", filled)
    octets = bytearray(filled.read_bytes())
    octets[7 * 4096 + 400] ^= 1
    filled.write_bytes(octets)
    assert told("check", filled, code=1)["damaged"] == 1
    assert filled.read_bytes() == octets


def test_rescue_finds_every_sound_result_without_any_head_or_state(filled):
    octets = bytearray(filled.read_bytes())
    for block in range(16):
        octets[block * 4096 : block * 4096 + 52] = b"\x00" * 52
    octets[: 4 * 4096] = b"\xff" * (4 * 4096)
    filled.write_bytes(octets)
    run("info", filled, code=2)
    rows = table("rescue", filled)
    assert [row["tightening_id"] for row in rows if row["area"] == "main"] == [str(ident) for ident in range(1, 71)]
    assert [row["refused_number"] for row in rows if row["area"] == "parked"] == ["7"]


def test_an_area_without_its_state_is_read_as_a_start_would(filled):
    octets = bytearray(filled.read_bytes())
    octets[: 4 * 4096] = b"\xff" * (4 * 4096)
    filled.write_bytes(octets)
    main = told("info", filled)["areas"][0]
    assert (main["state_found"], main["results"], main["waiting"]) == (False, 70, 70)


def test_info_tells_what_is_remembered(tmp_path):
    area = Area(16, 4096, 16)
    state, log = area.mount()
    known = IdLedger(state)
    for ident in (*range(1, 21), *range(24, 40)):
        append(log, ident)
        known.stored(KIND_RESULT, 0, log.stage, log.place, 114)
    log.cursors[0].ahead, state.numbers[n.SENT] = -700 % 99999, n.SENT_MET
    state.numbers[n.DELIVERED], log.cursors[0].number = 7, 7
    assert state.save()
    main = told("info", image_of(area, tmp_path))["areas"][0]
    names = ("delivered", "waiting", "overwritten", "gone", "missing", "sequence", "format", "jumped")
    assert [main[name] for name in names] == [7, 29, 0, 0, 3, 707, 4, 0]


def test_what_is_void_is_shown_with_all_and_counts_for_nothing(tmp_path):
    area = Area(16, 4096, 16)
    area.mount()
    for ident in range(1, 6):
        append(area.log, ident)
    area.mount()
    assert append(area.log, 6) == LOG_DONE  # the five are carried over
    path = image_of(area, tmp_path)
    listed = lines("--all", path)
    assert [line["number"] for line in listed if not line["void"]] == [1, 2, 3, 4, 5, 6]
    assert [line["number"] for line in listed if line["void"]] == [1, 2, 3, 4, 5]
    assert told("check", path) == {"file": str(path), "records": 6, "damaged": 0, "void": 5}


def test_a_folder_of_blocks_is_read_like_a_file(tmp_path):
    flash = FolderFlash(str(tmp_path / "spool"), 16 * 4096)
    log = Area(flash=flash).mount()[1]
    for ident in range(1, 41):
        append(log, ident)
    flash.close()
    assert len(told("export", tmp_path / "spool")) == 40


def test_what_is_no_spool_is_named(tmp_path):
    (tmp_path / "letter").write_text("Dear ToolsNet" * 500)
    run("info", tmp_path / "letter", code=2)
    run("info", tmp_path / "nothing", code=2)
    run("rescue", tmp_path / "nothing", code=2)
    for command in ("info", "rescue"):
        assert "/dev/zero is a device" in toolcart("spool", command, "/dev/zero", code=2).output


def test_a_read_only_image_is_enough(filled):
    copy = filled.with_name("copy")
    shutil.copy(filled, copy)
    copy.chmod(0o400)
    run("export", copy)


@pytest.fixture
def gappy(tmp_path):
    """A log that tells of two runs that are gone, and of one more that no event names."""
    area = Area(16, 4096, 16)
    state, log = area.mount()
    for ident in (1, 2, 6, 9, 12):
        append(log, ident)
    for first, last, count, total in ((3, 5, 3, 3), (7, 8, 2, 5)):
        at = log.place
        ev.put_event(log.stage, at, log.next, 10, ev.GONE)
        text = b"%010d%010d%010d%010d000" % (first, last, count, total)
        log.stage[at + ev.CODE : at + ev.CODE + 4] = b"none"
        ev.put_time(log.stage, at, b"2030-01-01:00:00:00", 0)
        log.stage[at + ev.TEXT : at + ev.TEXT + len(text)] = text
        log.stage[at + ev.TEXT_LENGTH] = ev.GONE_BYTES
        assert log.append(0xC5, 2, ev.EVENT_LEAST + ev.GONE_BYTES) == LOG_DONE
    state.numbers[n.GONE] = 7
    assert state.save()
    return image_of(area, tmp_path)


def test_gaps_lists_what_cannot_be_had_any_more(gappy):
    said = told("gaps", gappy)
    assert (said["gone"], said["gone_not_listed"], said["missing"]) == (7, 2, 0)
    assert [(gap["first_id"], gap["last_id"], gap["count"]) for gap in said["gaps"]] == [("3", "5", 3), ("7", "8", 2)]
    assert {gap["reason"] for gap in said["gaps"]} == {"none"} and said["gaps"][1]["total"] == 5
    rows = table("gaps", gappy, "--csv")
    assert [row["first_id"] for row in rows] == ["3", "7"] and rows[0]["time"] == "2030-01-01 00:00:00"
    text = run("gaps", gappy).splitlines()
    assert "IDs 3 to 5, 3 gone: the controller has nothing under these IDs" in text[0] and len(text) == 3
    assert text[2] == "7 gone in all, 2 of them not listed here; 0 missing that can still be fetched"


def test_info_and_export_tell_of_gaps(gappy):
    main = told("info", gappy)["areas"][0]
    assert (main["gone"], main["gone_ranges"], main["gone_not_listed"]) == (7, 2, 2)
    rows = table("export", gappy)
    gone = [[row[name] for name in ("first_id", "last_id", "count", "reason")] for row in rows if row["kind"] == "gone"]
    assert gone == [["3", "5", "3", "none"], ["7", "8", "2", "none"]]
    assert [row["tightening_id"] for row in rows if row["kind"] == "result"] == ["1", "2", "6", "9", "12"]


def test_gaps_of_a_log_without_any_is_an_empty_list(filled):
    assert told("gaps", filled)["gaps"] == []
    assert run("gaps", filled).startswith("0 gone in all")


def test_an_image_with_curves_has_a_third_area(tmp_path):
    cart = Cart(
        controller={"traces": (1,), "max_clients": 9},
        settings={"controller": {"traces": ["torque"]}, "spool": {"graphs_kib": 32, "size_kib": 256}},
        blocks=32,
    )
    cart.run(3000)
    for _ in range(4):
        cart.controller.produce()
        cart.run(3000)
    path = tmp_path / "image"
    path.write_bytes(cart.flashes["spool0"].cells)
    main, parked, graphs = told("info", path)["areas"]
    assert (main["blocks"], parked["blocks"], graphs["blocks"]) == (22, 3, 8)
    assert main["stored"] == main["results"] == 4 and parked["results"] == graphs["results"] == 0
    assert graphs["area"] == "graphs" and graphs["kinds"]["graph"] >= graphs["pieces"] == cart.station.graphs.number
    assert told("check", path)["damaged"] == 0
    assert len(run("list", path).splitlines()) == 4 and "graph" in run("list", "--all", path)


def test_a_running_agents_spool_says_what_the_file_cannot_know(tmp_path):
    path = tmp_path / "cart.spool"
    flash = FileFlash(str(path), 65536)
    append(Area(flash=flash).mount()[1], 1)
    with contextlib.closing(flash):
        assert "toolcart status" in toolcart("spool", "info", path).output
        assert told("info", path)["running"] is True
    assert "toolcart status" not in toolcart("spool", "info", path).output


# A spool is moved into a new file: nothing that it held is lost, ToolsNet sees no seam, the old one stays as it is.

ASIDE = Path(__file__).parents[2] / "data/aside.spool.xz"  # station 10: 4 results wait, 92 are set aside
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
        self.flash = made.device
        self.start()


def left_with(delivered, waiting, **options):
    """An outlet that has delivered so many results; nobody steps while those that wait are stored."""
    station = Outlet(**options)
    station.store(delivered)
    station.run(max(60000, delivered * 1200))
    station.network.abandon(station.port)
    station.store(waiting)
    return station


def idents(archive):
    return [int(tightening_id_of(one)) for one in archive.results]


@pytest.mark.parametrize("unit", [16, 64, 256])
@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("delivered", [0, 1, 40])
def test_what_waits_is_delivered_once_under_sequence_that_it_would_have_had(delivered, saved, unit):
    station = left_with(delivered, 25)
    assert len(idents(station.archive)) == delivered
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
    assert made.kept == 92 and numbers_of(after.quarantine) == numbers_of(before.quarantine)
    for number in numbers_of(after.quarantine):
        assert after.quarantine.find(number) > 0 and before.quarantine.find(number) > 0
        assert after.quarantine.reason == before.quarantine.reason
    for index in (n.STORED, n.DELIVERED, n.SET_ASIDE, n.KEPT_LAST, n.LIMIT, n.SENT, n.TAKEN, n.OVERWRITTEN):
        assert after.state.numbers[index] == before.state.numbers[index], index
    assert after.state.octets == before.state.octets and after.ledger.top() == before.ledger.top()
    assert [cursor.number for cursor in after.log.cursors] == [cursor.number for cursor in before.log.cursors]
    assert after.log.next == before.log.next


KEEP = {"none": 0, "some": 3, "all": 8}


@pytest.mark.parametrize("keeps", KEEP)
@pytest.mark.parametrize("again", [1, 2])
@pytest.mark.parametrize("dropped", ["first", "last", "between"])
def test_what_is_left_in_a_quarantine_is_counted_right_after_a_take_over(keeps, again, dropped):
    station = Outlet()
    station.store(10)
    station.options.tightening_codes.update(dict.fromkeys(range(2, 10), 17))
    station.until_stored(2, and_ms=1000)
    kept = station.parked_numbers()
    left = {"first": kept[8 - KEEP[keeps] :], "last": kept[: KEEP[keeps]], "between": kept[::3][: KEEP[keeps]]}[dropped]
    left = kept if keeps == "all" else left
    gone = [one for one in kept if one not in left]
    assert station.quarantine.remove(gone, n.DROPPED) == len(gone) and station.policy.save_at_end()
    for _ in range(again):
        station = Moved(station, moved(station))
        assert station.quarantine.count() == len(left) == moved(station).kept
        assert station.quarantine.settle() and station.parked_numbers() == left
        assert station.quarantine.next_entry(0) >= 0 and station.quarantine.lost == 0
    listed = [line for line in carry_out(station.quarantine, station.log, 10, None, None, ["list"]) if line][-1]
    assert listed == {"station": 10, "parked": len(left), "parked_damaged": 0, "needs_operator": None}
    station.store(1)
    station.toolsnet.options.tightening_codes = {11: 17}
    station.store(1)
    station.until_stored(3, and_ms=1000)
    assert station.parked_numbers() == [*left, 11] and station.quarantine.count() == len(left) + 1
    assert station.state.numbers[n.SET_ASIDE] == 9
    station.forward.stop()
    station.cut()
    assert station.quarantine.settle() and station.parked_numbers() == [*left, 11] and station.archive.repeated == 0


def goes_on(before, made):
    """The same outlet, with its other side, on the area that was made of its own."""
    after = type(before)()
    after.clock, after.network, after.next_id = before.clock, before.network, before.next_id
    for name in ("server", "broker", "consumer"):
        if hasattr(before, name):
            setattr(after, name, getattr(before, name))
    after.ids = before.ids if isinstance(before, WebhookBench) else after.ids
    after.area = Area(kept_blocks=opened(made.device).kept.device.block_count, flash=made.device)
    after.start()
    return after


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("restarts", [0, 1])
def test_nobody_is_called_restored_after_a_take_over_to_another_station(bench, restarts):
    before = bench()
    ids = before.store(100)
    before.until(lambda: len(served(before)) == 100)
    before.run(1000)
    OutletPlaces(before.state, [{"kind": "toolsnet"}, {"kind": before.forward.kind}]).put(before.state)
    before.forward.stop()
    assert before.state.save()
    before.network.abandon(before.port)
    after = goes_on(before, moved(before, replace(PLAN, station=12)))
    for _ in range(restarts):
        assert after.state.save()
        after.cut()
    ids += after.store(5)
    after.until(lambda: len(served(after)) == 105)
    after.run(1000)
    shown = after.shown()
    assert served(after) == ids and shown["given_again"] == shown["not_given"] == 0
    assert shown.get("server_behind", 0) == shown.get("receipts_below", 0) == 0
    assert bench is MqttBench or after.server.batches[-1]["after"] == 0


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("saved", [True, False])
def test_a_consumer_gets_nothing_twice_after_a_take_over(bench, saved):
    before = bench()
    ids = before.store(100)
    before.until(lambda: len(served(before)) == 100)
    before.run(1000)
    if saved:
        before.forward.stop()
    before.network.abandon(before.port)
    ids += before.store(5)
    assert before.state.save() or not saved
    after = goes_on(before, moved(before))
    ids += after.store(5)
    after.until(lambda: len(served(after)) >= 110)
    after.run(1000)
    assert served(after) == ids and after.state.identity == before.state.identity
    if bench is MqttBench:
        assert after.consumer.repeats == 0
    else:
        assert [one["after"] for one in after.server.batches][-1] >= 100


def served(bench):
    return bench.ids()


def test_another_station_gets_another_identity_and_the_same_keeps_it():
    station = left_with(7, 4)
    assert station.state.save()
    assert begun(moved(station).device).state.identity == station.state.identity
    assert begun(moved(station, replace(PLAN, station=12)).device).state.identity == 4711


def test_places_and_names_of_all_outlets_come_along():
    station = left_with(7, 4)
    outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "name": "main"}, {"kind": "file", "name": "paper"}]
    OutletPlaces(station.state, outlets).put(station.state)
    OutletPlaces(station.state, outlets[:2]).put(station.state)  # the file is not configured any more
    assert station.state.save()
    after = begun(moved(station).device).state
    assert (after.places, after.names) == (station.state.places, station.state.names)
    assert OutletPlaces(after, outlets).how == [STAYED, STAYED, RETURNED]


def begun_of(octets):
    from toolcart.board.linux import spool_header as linux_header

    return take_over.start(linux_header.blocks_of(octets), linux_header.read(octets[: linux_header.PAGE_BYTES]))


def test_a_last_record_in_doubt_is_settled_and_carried():
    station = Outlet()
    station.store(5)
    made = moved(station)
    assert begun(made.device).log.number == 5 and made.waiting == 5


def test_of_what_is_delivered_newest_are_carried_where_there_is_little_room():
    station = left_with(500, 10, blocks=60)
    OutletPlaces(station.state, [{"kind": "toolsnet"}]).put(station.state)  # no other outlet waits for anything
    assert station.state.save()
    for kib in (40, 52):
        made = moved(station, Plan(kib * 1024, 12 * 1024))
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
    station = left_with(7, 4)
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


def take(*words, code=0):
    return toolcart("spool", "take-over", *words, code=code).output


def test_by_hand_into_another_size_unit_and_station(tmp_path):
    path, target = put(tmp_path), tmp_path / "new.spool"
    before = path.read_bytes()
    ran = take(path, target, "--station", 12, "--size-kib", 1024, "--unit", 64)
    assert "4 of them waiting; 92 set aside" in ran
    flash = FileFlash(str(target), 1 << 20, 64, (3, 1, 12))
    assert flash.note == "" and flash.block_count * flash.block_bytes >= 1 << 20
    flash.close()
    assert path.read_bytes() == before and sorted(one.name for one in tmp_path.iterdir()) == ["cart.spool", "new.spool"]
    assert image.read(target).opened.quarantine.count() == 92


def test_what_is_in_use_or_no_spool_is_left_alone(tmp_path):
    path, target = put(tmp_path), tmp_path / "new.spool"
    target.write_bytes(b"mine")
    assert "already exists" in take(path, target, code=2) and target.read_bytes() == b"mine"
    target.unlink()
    with contextlib.closing(FileFlash(str(path), 0)):
        assert "open; stop it first" in take(path, target, code=2)
    path.write_bytes(b"no block of ours" * 4096)
    assert "no spool" in take(path, target, code=2) and not target.exists()
    assert "No such file or directory\n" in take(put(tmp_path), tmp_path / "no" / "new.spool", code=2)


def test_spool_of_another_version_is_refused_without_hint_that_does_not_help(tmp_path, monkeypatch):
    path = put(tmp_path)
    monkeypatch.setattr(image.linux_header, "VERSION", 3)
    for words in (["info", path], ["take-over", path, tmp_path / "new.spool"]):
        said = toolcart("spool", *words, code=2).output
        assert "made by another version of toolcart (header 2, this one knows 3)" in said and "rescue" not in said


def test_a_copy_that_was_cut_short_is_no_sound_spool_but_can_be_rescued(tmp_path):
    path = put(tmp_path)
    octets = path.read_bytes()
    chip = octets[octets.index(b"TL") :][:8192]  # its flash has no header
    for cut, words in ((octets[:200_000], "it was cut short: it has 200000 bytes"), (chip, "areas do not fit")):
        path.write_bytes(cut)
        for command in ("info", "check", "export"):
            said = toolcart("spool", command, path, code=2).output
            assert words in said and "spool rescue" in said
        assert ("cut short" if cut[:1] == b"t" else "no spool") in take(path, tmp_path / "new.spool", code=2)


def test_disk_without_room_leaves_no_new_spool_and_a_second_try_works(tmp_path, monkeypatch):
    path, target = put(tmp_path), tmp_path / "new.spool"

    def full(header):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(take_over.Header, "page", full)
        assert "No space left on device; the disk needs room for it" in take(path, target, code=2)
    assert [one.name for one in tmp_path.iterdir()] == ["cart.spool"], "what has no room takes none away"
    take(path, target)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cart.spool", "new.spool"]
