"""What a spool that is there keeps of its settings: `config check` says it, and so does the start."""

import fcntl
import json
import os
import re

import pytest

from toolcart.agent.cart.app import App
from toolcart.agent.cart.status import snapshot
from toolcart.board.linux.board import Board
from toolcart.tools.config import file as config_file
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention
from host_tests.support.combinations import all_pairs
from host_tests.support.running import cart_of, toolcart, written

PLAIN = {"path": "a.spool", "size_kib": 256}
MADE = {**PLAIN, "parked_kib": 32}
ASKED = {"controller": {"traces": ["angle"]}}


def configured(folder, spool, **cart):
    return written(folder, cart_of(station={"spool": spool}, **cart))


def start(path):
    """The station's status after a start, and what the log says of settings that the spool keeps others of."""
    board = Board(str(path.parent))
    app = App(config_file.read(path), board)
    for _ in range(20):
        app.step(board.now())
    [station] = json.loads(json.dumps(snapshot(app)))["stations"]
    notes = board.spool_notes()
    board.close()
    assert station["mounted"]
    line = {"kind": "status", "stations": [station], "scheduler": {"faults": 0}}
    return station, [*notes, *[change.text for change in Figures().feed(line, 0.0)]]


def warnings_of(path, *more, code=0):
    checked = json.loads(toolcart("config", "check", "--json", path, *more, code=code).output)
    return [one for one in checked["warnings"] if one.startswith("stations[0].spool.") and " lies in " not in one]


OTHER = {  # a setting that is another one now: what is said of it
    "size_kib": (64, "a.spool keeps its 256 KiB: a spool does not shrink", "of 64 KiB (--size-kib)"),
    "unit": (512, "a.spool keeps its unit of 16 bytes", "of another unit (--unit)"),
    "parked_kib": (16, "a.spool keeps its 32 KiB for what ToolsNet refuses", "with others (--parked-kib)"),
    "graphs_kib": (64, "a.spool keeps to results alone: it has no room for curves", "with some (--graphs-kib)"),
}


@pytest.mark.parametrize("key", OTHER)
@pytest.mark.parametrize("words", [(), ("--reload",)])
def test_a_setting_that_the_spool_there_does_not_take_is_a_warning(tmp_path, key, words):
    value, fact, cure = OTHER[key]
    now = {**(PLAIN if key == "size_kib" else MADE), key: value}
    path = configured(tmp_path, now, **ASKED if key == "graphs_kib" else {})
    assert warnings_of(path, *words) == [], "a new spool takes what is given"
    start(configured(tmp_path, MADE))
    path = configured(tmp_path, now, **ASKED if key == "graphs_kib" else {})
    move = f"`toolcart spool take-over {tmp_path}/a.spool NEW` moves it into one {cure}"
    assert warnings_of(path, *words) == [f"stations[0].spool.{key}: {fact}; {move}"]
    doctor = " ".join(toolcart("doctor", "--offline", "--config", path, code=None).output.split())
    assert f"spool.{key}: {fact}" in doctor and cure in doctor


def test_less_room_is_only_said_of_a_spool_that_has_less(tmp_path):
    """Curves that no controller is asked for cost room in a new spool, and none in one that keeps its own."""
    path = configured(tmp_path, {**PLAIN, "graphs_kib": 64})
    assert "no effect but less room for results" in warnings_of(path)[0]
    start(configured(tmp_path, PLAIN))
    path = configured(tmp_path, {**PLAIN, "graphs_kib": 64})
    [warning] = warnings_of(path)
    assert "less room" not in warning and "it has no room for curves" in warning


# Values of a spool that is there, and of the file now.
VALUES = {
    "size": (64, 256, 5000),
    "size now": (64, 128, 256, 300),
    "parked": (None, 12, 13, 16),
    "parked now": (None, 12, 13, 16, 24),
    "graphs": (0, 1, 16, 18),
    "graphs now": (0, 1, 16, 18, 20),
    "unit": (16, 64),
    "unit now": (16, 64),
}
CASES = [
    dict(zip(VALUES, values, strict=True))
    for values in [
        *all_pairs(*list(VALUES.values())[:4], (0,), (0,), (16,), (16,)),
        *all_pairs((256,), (256,), *list(VALUES.values())[2:]),
    ]
]


def settings(case, suffix):
    keys = {"size": "size_kib", "parked": "parked_kib", "graphs": "graphs_kib", "unit": "unit"}
    given = {keys[name]: case[name + suffix] for name in keys}
    return {"path": "a.spool", **{key: value for key, value in given.items() if value is not None}}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_check_and_the_start_name_the_same_settings(tmp_path, case):
    start(configured(tmp_path, settings(case, "")))
    path = configured(tmp_path, settings(case, " now"))
    before = (tmp_path / "a.spool").read_bytes()
    kept = [re.match(r"stations\[0\]\.spool\.(\w+): a.spool keeps", one) for one in warnings_of(path)]
    named = {found[1] for found in kept if found}
    assert (tmp_path / "a.spool").read_bytes() == before, "it is only looked at"
    _, log = start(path)
    in_log = {
        "size_kib": any("a spool does not shrink" in text for text in log),
        "unit": any("keeps its unit of" in text for text in log),
        "parked_kib": case["parked now"] is not None and any("keeps the parked_kib" in text for text in log),
        "graphs_kib": any("keeps the graphs_kib" in text for text in log),
    }
    assert named == {key for key, is_told in in_log.items() if is_told}


def test_curves_that_can_never_come_are_a_need_and_no_note(tmp_path):
    start(configured(tmp_path, PLAIN))
    station, log = start(configured(tmp_path, {**PLAIN, "graphs_kib": 64}, **ASKED))
    [need] = [need for need in attention.needs(station) if need.slug == "curves"]
    assert log.count(need.text()) == 1 and not [text for text in log if "keeps the graphs_kib" in text]
    assert "(--graphs-kib)" in need.hint


def test_a_spool_with_room_for_curves_or_no_wish_for_them_is_no_need(tmp_path):
    for spool, more in ((PLAIN, {}), ({**PLAIN, "graphs_kib": 64}, {})):
        station, _ = start(configured(tmp_path, spool, **more))
        assert "curves" not in {need.slug for need in attention.needs(station)}
    (tmp_path / "a.spool").unlink()
    for kib in (64, 128):
        station, _ = start(configured(tmp_path, {**PLAIN, "graphs_kib": kib}, **ASKED))
        assert "curves" not in {need.slug for need in attention.needs(station)}, "it has some room for them"


def spoilt(path, how):
    octets = bytearray(path.read_bytes())
    if how == "nothing in it":
        octets = b""
    elif how == "no header":
        octets[:4096] = bytes(4096)
    elif how == "no state":
        octets[4096:] = bytes(len(octets) - 4096)
    elif how == "cut short":
        del octets[5000:]
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize("how", ["nothing in it", "no header", "no state", "cut short", "a folder", "a link", "locked"])
def test_a_spool_that_no_check_can_read_breaks_none(tmp_path, how):
    start(configured(tmp_path, MADE))
    path, spool = configured(tmp_path, {**PLAIN, "size_kib": 64}), tmp_path / "a.spool"
    descriptor = os.open(spool, os.O_RDWR)
    if how == "locked":
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    elif how in ("a folder", "a link"):
        spool.rename(tmp_path / "b.spool")
        spool.mkdir() if how == "a folder" else spool.symlink_to("b.spool")
    else:
        spoilt(spool, how)
    warnings = warnings_of(path, code=None)
    assert [one for one in warnings if "spool.size_kib" in one or how not in ("locked", "no state")] == (
        warnings if how in ("locked", "no state") else []
    )
    assert bool(warnings) == (how in ("locked", "no state")), "its size is known, whatever is in it"
    os.close(descriptor)
