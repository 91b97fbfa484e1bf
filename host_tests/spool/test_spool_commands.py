"""`toolcart spool` shows what an image holds, finds what is damaged, rescues what is left, and never writes."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from toolcart.agent.log import numbers as n
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.known import Known
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.board.folder_flash import FolderFlash
from toolcart.board.linux.flash import FileFlash
from toolcart.tools.spool.commands import spool
from host_tests.support.log import Area, append, take_all
from lab.harness.cart import Cart

HEAD = 0x48  # a block's first record in formats 1 to 3


@pytest.fixture
def image(tmp_path):
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
    path = tmp_path / "cart.spool"
    path.write_bytes(area.flash.cells)
    return path


def run(*arguments, code=0):
    done = CliRunner().invoke(spool, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.stdout


def test_info_names_size_content_and_wear(image):
    main, parked = json.loads(run("info", image, "--json"))["areas"]
    assert (main["area"], main["results"], main["delivered"], main["waiting"]) == ("main", 70, 20, 50)
    assert main["damaged"] == 0 and 3 <= main["erases"] <= 4 and main["unit_bytes"] == 16 and main["format"] == 4
    assert (parked["area"], parked["results"], parked["blocks"], parked["kept"]) == ("parked", 1, 3, 1)
    assert "results            70" in run("info", image)


def test_list_has_one_line_for_each_result(image):
    assert len(run("list", image).splitlines()) == 71
    lines = [json.loads(line) for line in run("list", image, "--json").splitlines()]
    assert [line["number"] for line in lines[:70]] == list(range(1, 71))


def test_show_prints_fields_and_octets(image):
    text = run("show", image, 7)
    assert '"tightening_id": "7"' in text and "VIN" in text
    run("show", image, 9999, code=1)


def test_export_gives_csv_and_json(image):
    rows = list(csv.DictReader(io.StringIO(run("export", image, "--csv"))))
    assert [row["tightening_id"] for row in rows] == [str(ident) for ident in range(1, 71)] + ["7"]
    assert (rows[-1]["area"], rows[-1]["refused_number"], rows[-1]["refused_code"]) == ("parked", "7", "43")
    assert len(json.loads(run("export", image, "--json"))) == 71


def test_check_counts_damage_and_writes_nothing(image):
    run("check", image)
    octets = bytearray(image.read_bytes())
    octets[7 * 4096 + 400] ^= 1
    image.write_bytes(octets)
    said = json.loads(run("check", image, "--json", code=1))
    assert said["damaged"] == 1
    assert image.read_bytes() == octets


def test_rescue_finds_every_sound_result_without_any_head_or_state(image):
    octets = bytearray(image.read_bytes())
    for block in range(16):
        octets[block * 4096 : block * 4096 + 52] = b"\x00" * 52
    octets[: 4 * 4096] = b"\xff" * (4 * 4096)
    image.write_bytes(octets)
    run("info", image, code=2)
    rows = list(csv.DictReader(io.StringIO(run("rescue", image))))
    assert [row["tightening_id"] for row in rows if row["area"] == "main"] == [str(ident) for ident in range(1, 71)]
    assert [row["refused_number"] for row in rows if row["area"] == "parked"] == ["7"]


def test_an_area_without_its_state_is_read_as_a_start_would(image):
    octets = bytearray(image.read_bytes())
    octets[: 4 * 4096] = b"\xff" * (4 * 4096)
    image.write_bytes(octets)
    main = json.loads(run("info", image, "--json"))["areas"][0]
    assert (main["state_found"], main["results"], main["waiting"]) == (False, 70, 70)


def test_info_tells_what_is_remembered(tmp_path):
    area = Area(16, 4096, 16)
    state, log = area.mount()
    known = Known(state)
    for ident in (*range(1, 21), *range(24, 40)):
        append(log, ident)
        known.stored(KIND_RESULT, 0, log.stage, log.place, 114)
    log.cursors[0].ahead, state.numbers[n.SENT] = -700 % 99999, n.SENT_MET
    state.numbers[n.DELIVERED], log.cursors[0].number = 7, 7
    assert state.save()
    path = tmp_path / "cart.spool"
    path.write_bytes(area.flash.cells)
    main = json.loads(run("info", path, "--json"))["areas"][0]
    names = ("delivered", "waiting", "overwritten", "gone", "missing", "sequence", "format", "jumped")
    assert [main[name] for name in names] == [7, 29, 0, 0, 3, 707, 4, 0]


def test_what_is_void_is_shown_with_all_and_counts_for_nothing(tmp_path):
    area = Area(16, 4096, 16)
    area.mount()
    for ident in range(1, 6):
        append(area.log, ident)
    area.mount()
    assert append(area.log, 6) == LOG_DONE  # the five are carried over
    path = tmp_path / "cart.spool"
    path.write_bytes(area.flash.cells)
    lines = [json.loads(line) for line in run("list", "--all", "--json", path).splitlines()]
    assert [line["number"] for line in lines if not line["void"]] == [1, 2, 3, 4, 5, 6]
    assert [line["number"] for line in lines if line["void"]] == [1, 2, 3, 4, 5]
    assert json.loads(run("check", path, "--json")) == {"file": str(path), "records": 6, "damaged": 0, "void": 5}


def test_a_folder_of_blocks_is_read_like_a_file(tmp_path):
    flash = FolderFlash(str(tmp_path / "spool"), 16 * 4096)
    log = Area(flash=flash).mount()[1]
    for ident in range(1, 41):
        append(log, ident)
    flash.close()
    assert len(json.loads(run("export", tmp_path / "spool", "--json"))) == 40


def test_what_is_no_spool_is_named(tmp_path):
    (tmp_path / "letter").write_text("Dear ToolsNet" * 500)
    run("info", tmp_path / "letter", code=2)
    run("info", tmp_path / "nothing", code=2)
    run("rescue", tmp_path / "nothing", code=2)


def test_a_read_only_image_is_enough(image):
    copy = image.with_name("copy")
    shutil.copy(image, copy)
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
    path = tmp_path / "cart.spool"
    path.write_bytes(area.flash.cells)
    return path


def test_gaps_lists_what_cannot_be_had_any_more(gappy):
    said = json.loads(run("gaps", gappy, "--json"))
    assert (said["gone"], said["gone_not_listed"], said["missing"]) == (7, 2, 0)
    assert [(gap["first_id"], gap["last_id"], gap["count"]) for gap in said["gaps"]] == [("3", "5", 3), ("7", "8", 2)]
    assert {gap["reason"] for gap in said["gaps"]} == {"none"} and said["gaps"][1]["total"] == 5
    rows = list(csv.DictReader(io.StringIO(run("gaps", gappy, "--csv"))))
    assert [row["first_id"] for row in rows] == ["3", "7"] and rows[0]["time"] == "2030-01-01 00:00:00"
    text = run("gaps", gappy).splitlines()
    assert "IDs 3 to 5, 3 gone: the controller has nothing under these IDs" in text[0] and len(text) == 3
    assert text[2] == "7 gone in all, 2 of them not listed here; 0 missing that can still be fetched"


def test_info_and_export_tell_of_gaps(gappy):
    main = json.loads(run("info", gappy, "--json"))["areas"][0]
    assert (main["gone"], main["gone_ranges"], main["gone_not_listed"]) == (7, 2, 2)
    rows = list(csv.DictReader(io.StringIO(run("export", gappy))))
    gone = [row for row in rows if row["kind"] == "gone"]
    assert [(row["first_id"], row["last_id"], row["count"], row["reason"]) for row in gone] == [
        ("3", "5", "3", "none"),
        ("7", "8", "2", "none"),
    ]
    assert [row["tightening_id"] for row in rows if row["kind"] == "result"] == ["1", "2", "6", "9", "12"]


def test_gaps_of_a_log_without_any_is_an_empty_list(image):
    assert json.loads(run("gaps", image, "--json"))["gaps"] == []
    assert run("gaps", image).startswith("0 gone in all")


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
    main, parked, graphs = json.loads(run("info", path, "--json"))["areas"]
    assert (main["blocks"], parked["blocks"], graphs["blocks"]) == (22, 3, 8)
    assert main["stored"] == main["results"] == 4 and parked["results"] == graphs["results"] == 0
    assert graphs["area"] == "graphs" and graphs["kinds"]["graph"] >= graphs["pieces"] == cart.station.graphs.number
    assert json.loads(run("check", path, "--json"))["damaged"] == 0
    assert len(run("list", path).splitlines()) == 4 and "graph" in run("list", "--all", path)


def test_a_running_agents_spool_says_what_the_file_cannot_know(tmp_path):
    path = tmp_path / "cart.spool"
    flash = FileFlash(str(path), 65536)
    append(Area(flash=flash).mount()[1], 1)
    try:
        done = CliRunner().invoke(spool, ["info", str(path)])
        assert done.exit_code == 0 and "toolcart status" in done.output, done.output
        assert json.loads(CliRunner().invoke(spool, ["info", "--json", str(path)]).stdout)["running"] is True
    finally:
        flash.close()
    assert "toolcart status" not in CliRunner().invoke(spool, ["info", str(path)]).output
