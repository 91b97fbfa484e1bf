"""`toolcart spool` shows what an image holds, finds what is damaged, rescues what is left, and never writes."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from agent.spool.flash import FLASH_DONE, Part
from agent.spool.ring import ROLE_QUARANTINE
from board.folder_flash import FolderFlash
from host_tests.support_spool import append, mounted, read_all
from tools.sim.flash import SimFlash
from tools.spool import mutations
from tools.spool.commands import spool


@pytest.fixture
def image(tmp_path):
    """A file with a parking area of two blocks and 70 results, 20 of them delivered."""
    flash = SimFlash(10, 4096, 16)
    ring = mounted(Part(flash, 2, 8))
    for ident in range(1, 71):
        assert append(ring, ident) == FLASH_DONE
        if ident <= 20:
            read_all(ring)
    ring.save_cursor(0, 0)
    append(mounted(Part(flash, 0, 2), role=ROLE_QUARANTINE), 500, extra=8)
    path = tmp_path / "cart.spool"
    path.write_bytes(flash.cells)
    return path


def run(*arguments, code=0):
    done = CliRunner().invoke(spool, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.stdout


def test_info_names_size_content_and_wear(image):
    main, parked = json.loads(run("info", image, "--json"))["areas"]
    assert (main["area"], main["results"], main["delivered"], main["waiting"]) == ("main", 70, 20, 50)
    assert main["damaged"] == 0 and main["erases"] == 3 and main["unit_bytes"] == 16
    assert (parked["area"], parked["results"], parked["blocks"]) == ("parked", 1, 2)
    assert "results            70" in run("info", image)


def test_list_has_one_line_for_each_result(image):
    assert len(run("list", image).splitlines()) == 71
    lines = [json.loads(line) for line in run("list", image, "--json").splitlines()]
    assert [line["number"] for line in lines[:70]] == list(range(1, 71))
    assert len(run("list", "--all", image).splitlines()) > 71


def test_show_prints_fields_and_octets(image):
    text = run("show", image, 7)
    assert '"tightening_id": "7"' in text and "VIN" in text
    run("show", image, 9999, code=1)


def test_export_gives_csv_and_json(image):
    rows = list(csv.DictReader(io.StringIO(run("export", image, "--csv"))))
    assert [row["tightening_id"] for row in rows] == [str(n) for n in range(1, 71)] + ["500"]
    assert rows[-1]["area"] == "parked"
    assert len(json.loads(run("export", image, "--json"))) == 71


def test_check_counts_damage_and_writes_nothing(image):
    run("check", image)
    octets = bytearray(image.read_bytes())
    octets[3 * 4096 + 400] ^= 1
    image.write_bytes(octets)
    said = json.loads(run("check", image, "--json", code=1))
    assert said["damaged"] == 1
    assert image.read_bytes() == octets


def test_rescue_finds_every_sound_result_without_any_head(image):
    octets = bytearray(image.read_bytes())
    for block in range(10):
        octets[block * 4096 : block * 4096 + 128] = b"\x00" * 128
    image.write_bytes(octets)
    run("info", image, code=2)
    rows = list(csv.DictReader(io.StringIO(run("rescue", image))))
    assert [row["tightening_id"] for row in rows if row["octets"] == ""][:1]
    assert {row["tightening_id"] for row in rows} == {str(n) for n in range(1, 71)} | {"500"}


def test_rescue_reads_format_1(image):
    from agent.spool import record as rec

    buf = bytearray(126)
    from host_tests.support_spool import body_of

    buf[8:16] = b"\x09\x00\x00\x00\x0a\x00\x01\x00"
    buf[16:122] = body_of(9)
    rec.seal(buf, 0, 0x52, 0, 114, 3)
    image.write_bytes(b"\xff" * 4096 + buf + b"\xff" * 2000)
    assert [row["tightening_id"] for row in json.loads(run("rescue", image, "--json"))] == ["9"]


def test_a_folder_of_blocks_is_read_like_a_file(tmp_path):
    flash = FolderFlash(str(tmp_path / "spool"), 8 * 4096)
    ring = mounted(flash)
    for ident in range(1, 41):
        append(ring, ident)
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


def test_every_mutation_of_the_list_still_has_its_place():
    mutations.check_list()
    assert len({mutation.name for mutation in mutations.MUTATIONS}) == len(mutations.MUTATIONS) >= 25
