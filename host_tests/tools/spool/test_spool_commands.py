"""`toolcart spool` shows an image, finds damage and rescues; it never writes into the old."""

import contextlib
import csv
import errno
import fcntl
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from toolcart.agent.log import missed_counts
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.board.folder_flash import FolderFlash
from toolcart.board.linux import order_log
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.spool import image
from toolcart.tools.spool import report, take_over
from host_tests.support.log import Area, append, take_all
from host_tests.support.running import ENVIRONMENT, toolcart
from host_tests.tools.spool.test_take_over import ASIDE
from lab.harness.cart import Cart
from lab.harness.flash import NEW, OLD


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
        state.numbers[field.STORED] += 1
        if ident <= 20:
            take_all(log)
            state.numbers[field.DELIVERED] += 1
    quarantine = Quarantine(area.kept, state, log)
    quarantine.start()
    assert quarantine.admit(7, 43) > 0 and state.save()
    return image_of(area, tmp_path)


def run(*words, code=0):
    return toolcart("spool", *words, code=code).stdout


def as_json(*words, code=0):
    """What the command tells machines."""
    return json.loads(run(*words, "--json", code=code))


def table(*words):
    return list(csv.DictReader(io.StringIO(run(*words))))


def lines(*words):
    return [json.loads(line) for line in run("list", *words, "--json").splitlines()]


def test_info_names_size_content_and_wear(filled):
    main, parked = as_json("info", filled)["areas"]
    assert (main["area"], main["results"], main["delivered"], main["waiting"]) == ("main", 70, 20, 50)
    assert main["damaged"] == 0 and 3 <= main["erases"] <= 4 and main["unit_bytes"] == 16 and main["format"] == 4
    assert (parked["area"], parked["results"], parked["blocks"], parked["kept"]) == ("parked", 1, 3, 1)
    assert "results            70" in run("info", filled)


@pytest.mark.parametrize(("days", "is_told"), [(0.01, False), (6, False), (8, True)])
def test_years_are_expected_once_results_came_for_a_week(filled, monkeypatch, days, is_told):
    first = datetime(2026, 1, 1)

    def row(entry):
        return {"time": f"{first + timedelta(days=days * entry.number / 69):%Y-%m-%d %H:%M:%S}"}

    monkeypatch.setattr(report, "row", row)
    main, _ = as_json("info", filled)["areas"]
    assert (main["expected_years"] is not None) == is_told


def test_list_has_one_line_for_each_result(filled):
    assert len(run("list", filled).splitlines()) == 70, "what is set aside is in the log as well"
    assert [line["number"] for line in lines(filled)] == list(range(1, 71))
    assert len(run("list", filled, "--all").splitlines()) == 71


def test_show_prints_fields_and_octets(filled):
    text = run("show", filled, 7)
    assert '"tightening_id": "7"' in text and "VIN" in text
    run("show", filled, 9999, code=1)


def test_export_gives_csv_and_json(filled):
    rows = table("export", filled, "--csv")
    assert [row["tightening_id"] for row in rows] == [str(ident) for ident in range(1, 71)] + ["7"]
    assert (rows[-1]["area"], rows[-1]["refused_number"], rows[-1]["refused_code"]) == ("parked", "7", "43")
    assert len(as_json("export", filled)) == 71


def test_check_counts_damage_and_writes_nothing(filled):
    run("check", filled)
    octets = bytearray(filled.read_bytes())
    octets[7 * 4096 + 400] ^= 1  # ToolsNet has it
    filled.write_bytes(octets)
    assert as_json("check", filled)["damaged"] == 0
    octets[8 * 4096 + 400] ^= 1
    filled.write_bytes(octets)
    assert as_json("check", filled, code=1)["damaged"] == 1
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
    main = as_json("info", filled, code=1)["areas"][0]
    assert (main["state_found"], main["results"], main["waiting"]) == (False, 70, 70)


def test_info_tells_what_is_remembered(tmp_path):
    area = Area(16, 4096, 16)
    state, log = area.mount()
    ledger = IdLedger(state)
    for ident in (*range(1, 21), *range(24, 40)):
        append(log, ident)
        ledger.stored(KIND_RESULT, 0, log.stage, log.payload_at, 114)
    log.cursors[0].sequence_lag, state.numbers[field.SENT] = -700 % 99999, field.SENT_MET
    state.numbers[field.DELIVERED], log.cursors[0].number = 7, 7
    assert state.save()
    main = as_json("info", image_of(area, tmp_path))["areas"][0]
    names = ("delivered", "waiting", "gone", "missing", "sequence", "format", "jumped")
    assert [main[name] for name in names] == [7, 29, 0, 3, 707, 4, 0]


@pytest.mark.parametrize("has_toolsnet", [False, True])
def test_info_tells_for_each_kind_what_was_given_up(tmp_path, has_toolsnet):
    """A spool does not know which of them are durable: what is `overwritten` for those that are is no word for all."""
    area = Area(16, 4096, 16)
    state, log = area.mount()
    assert append(log, 1) == LOG_DONE
    kinds = (1 if has_toolsnet else 0, 3, 4, 0)
    state.places = sum(kind << 6 * place for place, kind in enumerate(kinds))
    state.missed_counts[1:3], state.numbers[field.OVERWRITTEN] = (217, 31), 12 * has_toolsnet
    missed_counts.put(state)
    assert state.save()
    main = as_json("info", image_of(area, tmp_path))["areas"][0]
    told = {name: main[name] for name in main if "overwritten" in name or "given up" in name}
    others = {"given up for webhook": 217, "given up for mqtt": 31}
    assert told == ({"given up for toolsnet": 12, **others} if has_toolsnet else others)


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
    assert as_json("check", path) == {"file": str(path), "records": 6, "damaged": 0, "void": 5, "flaws": []}


def test_a_folder_of_blocks_is_read_like_a_file(tmp_path):
    flash = FolderFlash(str(tmp_path / "spool"), 16 * 4096)
    log = Area(flash=flash).mount()[1]
    for ident in range(1, 41):
        append(log, ident)
    flash.close()
    assert len(as_json("export", tmp_path / "spool")) == 40


def test_what_is_no_spool_is_named(tmp_path, monkeypatch):
    (tmp_path / "letter").write_text("Dear ToolsNet" * 500)
    run("info", tmp_path / "letter", code=2)
    run("info", tmp_path / "nothing", code=2)
    run("rescue", tmp_path / "nothing", code=2)
    (tmp_path / "empty").touch()
    monkeypatch.chdir(tmp_path)
    assert toolcart("spool", "info", "empty", code=2).output == "empty: it is empty\n"
    for command in ("info", "rescue"):
        assert "/dev/zero: it is a device;" in toolcart("spool", command, "/dev/zero", code=2).output


def new_spool(folder):
    """A spool that an agent made, which ended before it stored anything."""
    path = folder / "new.spool"
    FileFlash(str(path), 65536, owner=(3, 1, 10)).close()
    return path


def test_a_spool_that_no_agent_has_begun_is_new_and_empty(tmp_path):
    path = new_spool(tmp_path)
    octets = path.read_bytes()
    for command in ("info", "check", "list", "gaps", "export", "rescue"):
        output = toolcart("spool", command, path).output
        assert "is damaged" not in output and "version" not in output
    assert "station 10 of system 1" in run("info", path) and "new and empty" in run("info", path)
    account = as_json("info", path)
    assert account["new"] and [area["area"] for area in account["areas"]] == ["main"]
    assert (account["areas"][0]["blocks"], account["areas"][0]["waiting"]) == (12, 0)
    assert as_json("check", path)["damaged"] == 0 and table("export", path) == []
    assert path.read_bytes() == octets


@pytest.mark.parametrize("look", [OLD, NEW, None])
def test_a_power_cut_in_the_first_state_leaves_a_spool_new(tmp_path, look):
    path = new_spool(tmp_path)
    page, cut, states = path.read_bytes()[:4096], 0, []
    while len(states) == cut:
        area = Area(16, 4096, 16)
        state, log = area.mount()
        if area.flash.cut_in(state.save, cut, look) is None:
            path.write_bytes(page + area.flash.cells)
            as_json("check", path)
            states.append(as_json("info", path)["new"])
        cut += 1
    assert states[0] and cut > 2
    append(log, 1)
    path.write_bytes(page + area.flash.cells)
    assert not as_json("info", path)["new"]


def test_no_order_and_no_take_over_divides_a_spool_that_is_new(tmp_path):
    path, target = new_spool(tmp_path), tmp_path / "larger.spool"
    area = Area(16, 4096, 16)
    area.flash.cut_in(area.mount()[0].save, 1, None)
    octets = path.read_bytes()[:4096] + area.flash.cells
    path.write_bytes(octets)
    assert "0 dropped" in toolcart("quarantine", "drop", "all", "--yes", "--spool", path).output
    output = toolcart("spool", "offer-again", "--from", 1, "--spool", path, code=1).output
    assert "has no result that ToolsNet has taken" in output
    assert path.read_bytes() == octets
    take(path, target, "--size-kib", 1024)
    assert image.read(target).opened.kept.device.block_count == 64, "a quarter, as without a spool"


def test_a_read_only_image_is_enough(filled):
    copy = filled.with_name("copy")
    shutil.copy(filled, copy)
    copy.chmod(0o400)
    run("export", copy)


def put_gaps(log, rows):
    """Append an event for each row: first and last ID, how many are gone, and how many in all."""
    for first, last, count, total in rows:
        at = log.payload_at
        ev.put_event(log.stage, at, log.next, 10, ev.GONE)
        text = b"%010d%010d%010d%010d000" % (first, last, count, total)
        log.stage[at + ev.CODE : at + ev.CODE + 4] = b"none"
        ev.put_time(log.stage, at, b"2030-01-01:00:00:00", 0)
        log.stage[at + ev.TEXT : at + ev.TEXT + len(text)] = text
        log.stage[at + ev.TEXT_LENGTH] = ev.GONE_BYTES
        assert log.append(0xC5, 2, ev.EVENT_LEAST + ev.GONE_BYTES) == LOG_DONE


@pytest.fixture
def gappy(tmp_path):
    """A log that tells of two runs that are gone, and of one more that no event names."""
    area = Area(16, 4096, 16)
    state, log = area.mount()
    for ident in (1, 2, 6, 9, 12):
        append(log, ident)
    put_gaps(log, ((3, 5, 3, 3), (7, 8, 2, 5)))
    state.numbers[field.GONE] = 7
    assert state.save()
    return image_of(area, tmp_path)


def test_gaps_lists_what_cannot_be_had_any_more(gappy):
    answer = as_json("gaps", gappy)
    assert (answer["gone"], answer["gone_not_listed"], answer["missing"]) == (7, 2, 0)
    assert [(gap["first_id"], gap["last_id"], gap["count"]) for gap in answer["gaps"]] == [("3", "5", 3), ("7", "8", 2)]
    assert {gap["reason"] for gap in answer["gaps"]} == {"none"} and answer["gaps"][1]["total"] == 5
    rows = table("gaps", gappy, "--csv")
    assert [row["first_id"] for row in rows] == ["3", "7"] and rows[0]["time"] == "2030-01-01 00:00:00"
    text = run("gaps", gappy).splitlines()
    assert "IDs 3 to 5, at most 3 gone: the controller has nothing under these IDs" in text[0] and len(text) == 3
    assert text[2] == (
        "at most 7 gone in all, 2 of them not listed here; "
        "at most 0 missing that can still be fetched, as far as that is written down"
    )


def test_gaps_listed_twice_make_no_negative_count(tmp_path):
    area = Area(16, 4096, 16)
    state, log = area.mount()
    append(log, 2)
    put_gaps(log, ((3, 5, 3, 3), (3, 5, 3, 3)))
    state.numbers[field.GONE] = 3
    assert state.save()
    answer = as_json("gaps", image_of(area, tmp_path))
    assert (answer["gone"], answer["gone_not_listed"]) == (3, 0)


def test_missing_is_the_bound_that_status_shows(tmp_path):
    area = Area(16, 4096, 16)
    state, log = area.mount()
    append(log, 40)
    ledger = IdLedger(state)
    ledger.add_open(0, 39)  # its begin is not known
    assert state.save()
    image = image_of(area, tmp_path)
    assert as_json("gaps", image)["missing"] == missing_most(ledger, ledger.spindles()) == 39
    assert "at most 39 missing" in run("gaps", image)


def test_info_and_export_tell_of_gaps(gappy):
    main = as_json("info", gappy)["areas"][0]
    assert (main["gone"], main["gone_ranges"], main["gone_not_listed"]) == (7, 2, 2)
    rows = table("export", gappy)
    gone = [[row[name] for name in ("first_id", "last_id", "count", "reason")] for row in rows if row["kind"] == "gone"]
    assert gone == [["3", "5", "3", "none"], ["7", "8", "2", "none"]]
    assert [row["tightening_id"] for row in rows if row["kind"] == "result"] == ["1", "2", "6", "9", "12"]


def test_gaps_of_a_log_without_any_is_an_empty_list(filled):
    assert as_json("gaps", filled)["gaps"] == []
    assert run("gaps", filled).startswith("at most 0 gone in all")


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
    main, parked, graphs = as_json("info", path)["areas"]
    assert (main["blocks"], parked["blocks"], graphs["blocks"]) == (22, 3, 8)
    assert main["stored"] == main["results"] == 4 and parked["results"] == graphs["results"] == 0
    assert graphs["area"] == "graphs" and graphs["kinds"]["graph"] >= graphs["pieces"] == cart.station.graphs.number
    assert as_json("check", path)["damaged"] == 0
    assert len(run("list", path).splitlines()) == 4 and "graph" in run("list", "--all", path)


def test_a_running_agents_spool_says_what_the_file_cannot_know(tmp_path):
    path = tmp_path / "cart.spool"
    flash = FileFlash(str(path), 65536)
    append(Area(flash=flash).mount()[1], 1)
    with contextlib.closing(flash):
        assert "toolcart status" in toolcart("spool", "info", path).output
        assert as_json("info", path)["running"] is True
    assert "toolcart status" not in toolcart("spool", "info", path).output


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
    assert "up to 13 of them waiting; 92 set aside" in ran
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


@pytest.mark.parametrize("spoil", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize(("of", "does"), [("cart.spool", "read"), ("new.spool", "write")])
def test_take_over_names_whose_list_of_orders_is_at_fault(tmp_path, spoil, of, does):
    path, target = put(tmp_path), tmp_path / "new.spool"
    if of == "new.spool":
        order_log.keep(str(path), order_log.line_of("anna", ["drop", "1"], 1, "1 dropped"))
    spoil(tmp_path / f"{of}.orders")
    assert f"cannot {does} {tmp_path / of}.orders: " in take(path, target, code=2)
    assert not target.exists() and not target.with_name("new.spool.new").exists()


def test_take_over_refuses_what_no_configuration_allows(tmp_path):
    path, new = tmp_path / "old.spool", tmp_path / "new.spool"
    path.write_bytes(b"")
    many_curves = ("--size-kib", 256, "--graphs-kib", 129)
    for words in (("--size-kib", 40, "--parked-kib", 24), ("--station", 10000), many_curves):
        assert "Error" in toolcart("spool", "take-over", path, new, *words, code=2).output
        assert not new.exists()


def test_spool_of_another_version_is_refused_without_hint_that_does_not_help(tmp_path, monkeypatch):
    path = put(tmp_path)
    monkeypatch.setattr(image.linux_header, "VERSION", 3)
    for words in (["info", path], ["take-over", path, tmp_path / "new.spool"]):
        output = toolcart("spool", *words, code=2).output
        assert "made by another version of toolcart (header 2, this one knows 3)" in output and "rescue" not in output


def test_a_copy_that_was_cut_short_is_no_sound_spool_but_can_be_rescued(tmp_path):
    path = put(tmp_path)
    octets = path.read_bytes()
    chip = octets[octets.index(b"TL") :][:8192]  # its flash has no header
    for cut, words in ((octets[:200_000], "it was cut short: it has 200000 bytes"), (chip, "areas do not fit")):
        path.write_bytes(cut)
        for command in ("info", "check", "export"):
            output = toolcart("spool", command, path, code=2).output
            assert words in output and "spool rescue" in output
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


def test_nothing_is_done_to_a_spool_while_it_is_copied(tmp_path, monkeypatch):
    path, target = put(tmp_path), tmp_path / "new.spool"
    write, errors = take_over._write_file, []

    def meanwhile(*given):
        write(*given)
        for words in (["quarantine", "drop", "all", "--yes"], ["spool", "offer-again", "--from", 1]):
            errors.append(toolcart(*words, "--spool", path, code=3).stderr)
        with pytest.raises(FlashUnusable, match="take-over, that is not done yet"):
            FileFlash(str(path), 0)

    monkeypatch.setattr("toolcart.board.linux.spool_file.LOCK_WAIT_S", 0.2)
    monkeypatch.setattr(take_over, "_write_file", meanwhile)
    assert "92 set aside" in take(path, target)
    assert len(errors) == 2 and all("take-over, that is not done yet, wait for it" in one for one in errors)
    FileFlash(str(path), 0).close()
    assert image.read(target).opened.quarantine.count() == image.read(path).opened.quarantine.count() == 92


def test_what_the_log_has_to_say_about_orders_goes_along(tmp_path):
    path, target = put(tmp_path), tmp_path / "new.spool"
    toolcart("quarantine", "drop", "all", "--yes", "--spool", path)
    kept = Path(str(path) + order_log.SUFFIX).read_text()
    assert "ordered `drop all`" in kept
    take(path, target)
    for one in (path, target):
        assert Path(str(one) + order_log.SUFFIX).read_text() == kept
    assert os.stat(str(target) + order_log.SUFFIX).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [100, 2048, 4095, 4096, 65536])
def test_the_size_of_what_was_cut_short_is_that_of_the_file(tmp_path, size):
    path = tmp_path / "cart.spool"
    FileFlash(str(path), 65536, 16, (1, 1, 1)).close()
    os.truncate(path, size)
    done = toolcart("spool", "info", path, code=2)
    assert f"it was cut short: it has {size} bytes, and was made with 69632" in done.output and "rescue" in done.output
    assert "0 results found" in toolcart("spool", "rescue", path).output


def test_an_empty_file_is_reported_as_that(tmp_path):
    path = tmp_path / "cart.spool"
    path.touch()
    done = toolcart("spool", "info", path, code=2)
    assert "it is empty" in done.output and "rescue" not in done.output


@contextlib.contextmanager
def locked(path):
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_spool_is_in_use_while_it_is_locked(filled):
    assert image.is_held(filled) is False and "in use" not in toolcart("spool", "info", filled).output
    with locked(filled):
        assert image.is_held(filled) is True and "in use" in toolcart("spool", "info", filled).output


TWINS = """
import fcntl, os, pathlib, sys
from toolcart.spool import image
mine, other = (pathlib.Path(folder, "cart.spool") for folder in sys.argv[1:])
mine.touch(), other.touch()
assert mine.stat().st_ino == other.stat().st_ino and mine.stat().st_dev != other.stat().st_dev
with other.open("rb") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print(image.is_held(mine), image.is_held(other))
"""


def test_a_file_with_the_same_inode_on_another_file_system_is_another_spool(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    mounts = " && ".join(f"mount -t tmpfs none {folder}" for folder in folders)
    inside = ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh", sys.executable, "-c", TWINS, *folders]
    done = subprocess.run(inside, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("nothing may be mounted here")
    assert done.stdout == "False True\n", done.stderr


def test_a_lock_that_cannot_be_tried_is_not_known(filled, monkeypatch):
    def fails(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(image.os, "open", fails)
    assert image.is_held(filled) is None


@pytest.mark.parametrize("kind", ["pipe", "cut", "nothing of ours"])
def test_take_over_names_what_it_cannot_take(tmp_path, kind):
    path = put(tmp_path)
    if kind == "pipe":
        path.unlink()
        os.mkfifo(path)
    else:
        path.write_bytes(path.read_bytes()[:50000] if kind == "cut" else b"Dear ToolsNet")
    output = take(path, tmp_path / "new.spool", code=2)
    assert output.startswith(f"{path}: ") and ("looks for results" in output) is (kind != "pipe")


def test_a_take_over_replaces_what_it_left_itself_and_nothing_else(tmp_path):
    path, target, half = put(tmp_path), tmp_path / "new.spool", tmp_path / "new.spool.new"
    half.write_text("precious")
    assert "in the way" in take(path, target, code=2) and half.read_text() == "precious" and not target.exists()
    half.write_bytes(bytes(8192))
    assert "taken over" in take(path, target) and not half.exists()
