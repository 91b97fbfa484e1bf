"""What is no spool's own in a file, or cannot be read as one, is said by every command, in the same words."""

import json
import random

import pytest

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import KIND_RESULT
from toolcart.board.linux.flash import FileFlash, FlashUnusable
from toolcart.tools.doctor import local
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, WARN
from toolcart.tools.service import undelivered_spools
from host_tests.support.log import Area, append, take_all
from host_tests.support.running import toolcart

PAGE = BLOCK = 4096
BLOCKS = 16
OWNER = (3, 1, 1)
QUARANTINE, LOG = 4, 7  # the first blocks of the quarantine and of the log
SKIPPED = range(31, 41)  # IDs that the controller made for another station
HEADER = "its header is damaged or gone: no agent starts with it"
STATE = "its state cannot be read: what was delivered, what the controller no longer has and what can still be fetched"
NO_RECORD = "hold what is no record: zeros, what a power cut has left, or something that is not of this spool"
BEHIND = "bytes behind its last whole block are not of it"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A spool with 70 results, 20 of them delivered, in three blocks, and one in the quarantine."""
    path = tmp_path_factory.mktemp("spool") / "cart.spool"
    flash = FileFlash(str(path), BLOCKS * BLOCK, 16, OWNER)
    area = Area(BLOCKS, BLOCK, 16, flash=flash)
    state, log = area.mount()
    state.places = 1  # ToolsNet's
    ledger = IdLedger(state)
    for index, ident in enumerate([ident for ident in range(1, 81) if ident not in SKIPPED]):
        assert append(log, ident) == LOG_DONE
        ledger.stored(KIND_RESULT, 0, log.stage, log.payload_at, 114)
        state.numbers[field.STORED] += 1
        if index < 20:
            take_all(log)
            state.numbers[field.DELIVERED] += 1
    assert [log.firsts[place] for place in range(4)] == [1, 32, 63, 0] and missing_most(ledger) == 10
    quarantine = Quarantine(area.kept, state, log)
    quarantine.start()
    assert quarantine.admit(7, 43) > 0 and state.save()
    flash.close()
    return path.read_bytes()


def over(octets, block, content):
    at = PAGE + block * BLOCK
    return octets[:at] + content + octets[at + len(content) :]


def zeroed(*blocks):
    def spoil(octets):
        for block in blocks:
            octets = over(octets, block, bytes(BLOCK))
        return octets

    return spoil


CASES = {  # what is done: how many acknowledged records cannot be read, results that can be, what is said
    "nothing": (lambda octets: octets, 0, 71, ()),
    "a block of zeros after it": (lambda octets: octets + bytes(BLOCK), 0, 71, ("1 block holds what is no record",)),
    "blocks of zeros after it": (lambda octets: octets + bytes(10 * BLOCK), 0, 71, (f"10 blocks {NO_RECORD}",)),
    "anything after it": (
        lambda octets: octets + random.Random(1).randbytes(5 * BLOCK),
        0,
        71,
        (f"5 blocks {NO_RECORD}",),
    ),
    "a part of a block after it": (lambda octets: octets + b"x" * 100, 0, 71, (f"100 {BEHIND}",)),
    "a block and a part": (
        lambda octets: octets + bytes(BLOCK * 3 // 2),
        0,
        71,
        ("1 block holds what is no record", f"2048 {BEHIND}"),
    ),
    "erased blocks after it": (lambda octets: octets + b"\xff" * 3 * BLOCK, 0, 71, ()),
    "a block that was never used": (zeroed(14), 0, 71, ("1 block holds what is no record",)),
    "a free block of the quarantine": (zeroed(QUARANTINE + 1), 0, 71, ("1 block holds what is no record",)),
    "the oldest block of the log": (zeroed(LOG), 11, 40, ("1 block holds what is no record",)),
    "a block within the log": (zeroed(LOG + 1), 31, 40, ("1 block holds what is no record",)),
    "the newest block of the log": (zeroed(LOG + 2), 9, 63, ("1 block holds what is no record",)),
    "all of the log": (zeroed(LOG, LOG + 1, LOG + 2), 51, 1, (f"3 blocks {NO_RECORD}",)),
    "the quarantine": (zeroed(QUARANTINE), 1, 70, ("1 block holds what is no record",)),
    "the first block": (zeroed(0), 0, 71, (STATE,)),
    "all of the state": (zeroed(0, 1, 2, 3), 0, 71, (STATE,)),
    "the header": (lambda octets: bytes(PAGE) + octets[PAGE:], 0, 71, (HEADER,)),
    "both copies of the header": (
        lambda octets: octets[:20] + b"\0" + octets[21:2068] + b"\0" + octets[2069:],
        0,
        71,
        (HEADER,),
    ),
    "header and state": (lambda octets: zeroed(0)(bytes(PAGE) + octets[PAGE:]), 0, 71, (HEADER, STATE)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_as_it_should_be_is_said_by_every_command_alike(tmp_path, sound, case):
    spoil, damaged, readable, said = CASES[case]
    path = tmp_path / "cart.spool"
    path.write_bytes(spoil(sound))
    summary = json.loads(toolcart("spool", "check", path, "--json", code=None).stdout)
    assert (summary["damaged"], summary["records"]) == (damaged, readable), summary
    is_bad = damaged > 0 or STATE in said or HEADER in said
    codes = {"show": 0, "take-over": int(damaged > 0 or STATE in said)}  # a new file has a sound header
    outputs = {
        command[0]: toolcart("spool", *command, code=codes.get(command[0], int(is_bad)))
        for command in (
            ["check", path],
            ["info", path],
            ["list", path],
            ["show", path, 40],
            ["export", path],
            ["gaps", path],
            ["take-over", path, tmp_path / "new.spool"],
        )
        if command[0] != "show" or "log" not in case
    }
    records = "1 record that was" if damaged == 1 else f"{damaged} records that were"
    damage = (f"up to {records} acknowledged cannot be read",) * (damaged > 0)
    for command, output in outputs.items():
        notes = [line for line in output.stderr.splitlines() if line.startswith("note: ")]
        assert len(notes) == len(said) + len(damage), (command, output.stderr)
        for piece in (*said, *damage):
            assert any(piece in note for note in notes), (command, piece, notes)
    for command in ("info", "list", "export", "gaps"):
        assert is_bad == ("`toolcart spool check " in outputs[command].stderr), (command, outputs[command].stderr)
    nothing = outputs["info"].stdout.count("nothing waits in it")
    assert not (nothing and is_bad)
    assert f"{damaged} damaged" in outputs["check"].stdout
    listed = [line.split()[3] for line in outputs["list"].stdout.splitlines()]  # what is set aside is there once
    assert len(listed) == len(set(listed)) and readable - len(listed) in (0, 1)
    info = json.loads(toolcart("spool", "info", path, "--json", code=int(is_bad)).stdout)
    main = info["areas"][0]
    unknown = [name for name in ("delivered", "gone", "missing", "stored") if main[name] is None]
    gaps = json.loads(toolcart("spool", "gaps", path, "--json", code=int(is_bad)).stdout)
    if STATE in said:
        assert unknown == ["delivered", "gone", "missing", "stored"] and main["state_found"] is False
        assert gaps["missing"] is None and gaps["gone"] is None and "not known" in outputs["gaps"].stdout
    else:
        assert unknown == [] and main["delivered"] == 20 and main["stored"] == 70
        assert gaps["missing"] == 10 and "at most 10 missing that can still be fetched" in outputs["gaps"].stdout


KNOWS = {  # of what was set aside: exit code of a list, and what it says of what it lacks
    "the quarantine": (1, "up to 1 more was set aside and cannot be read; `toolcart spool check "),
    "all of the state": (
        1,
        "more may have been set aside, as the spool's state cannot be read; `toolcart spool check ",
    ),
    "the header": (2, "does not begin as a spool"),
    "both copies of the header": (2, "damaged header"),
    "header and state": (2, "does not begin as a spool"),
}
KNOWS["the first block"] = KNOWS["all of the state"]


@pytest.mark.parametrize("case", CASES)
def test_a_list_of_the_quarantine_does_not_call_empty_what_cannot_be_read(tmp_path, sound, case):
    path = tmp_path / "cart.spool"
    path.write_bytes(octets := CASES[case][0](sound))
    code, lacks = KNOWS.get(case, (0, ""))
    for command in (["list"], ["list", "--json"], ["export"], ["export", "--json"]):
        output = toolcart("quarantine", *command, "--spool", path, code=code)
        assert lacks in output.stderr and bool(lacks) == bool(output.stderr), output.stderr
        assert "in the quarantine\n" not in output.stdout or not lacks
        if command[-1] == "--json" and code < 2:
            found = json.loads(output.stdout)
            records = found["records"] if command[0] == "list" else found
            assert len(records) == int(case != "the quarantine")
        if command == ["list", "--json"] and code < 2:
            assert (found["parked_damaged"], found["is_known"]) == (
                int(case == "the quarantine"),
                STATE not in CASES[case][3],
            )
    assert path.read_bytes() == octets


def test_a_spool_that_cannot_be_read_is_not_left_behind_as_an_empty_one(tmp_path, sound):
    path = tmp_path / "cart.spool"
    path.write_bytes(sound[: len(sound) // 2])
    assert "cannot be counted (it was cut short" in undelivered_spools.words_of(path, ())
    path.write_bytes(zeroed(LOG, LOG + 1, LOG + 2)(sound))
    assert "nothing waits in it" not in toolcart("spool", "info", path, code=1).stdout


@pytest.mark.parametrize("case", CASES)
def test_doctor_says_what_an_agent_would_start_with(tmp_path, sound, case):
    spoil, damaged, _, said = CASES[case]
    path = tmp_path / "cart.spool"
    path.write_bytes(spoil(sound))
    findings = local.spool("station 1", path, {"owner": OWNER, "size_kib": 64})
    words = [finding.words for finding in findings if finding.subject == "station 1 spool" and finding.verdict != GOOD]
    if "header" in case:
        assert len(words) == 1 and ("damaged header" in words[0] or "does not begin as a spool" in words[0]), words
        return
    assert len(words) == len(said) + (damaged > 0), words
    for piece in said:
        assert any(piece in one for one in words), (piece, words)
    levels = {finding.verdict for finding in findings if finding.subject == "station 1 spool"} - {GOOD}
    assert levels == ({WARN} if damaged or STATE in said else {NOTE} if said else set())


def test_a_spool_that_no_agent_has_begun_is_new_whatever_lies_after_it(tmp_path):
    path = tmp_path / "cart.spool"
    FileFlash(str(path), BLOCKS * BLOCK, 16, OWNER).close()
    path.write_bytes(path.read_bytes() + bytes(3 * BLOCK))
    output = toolcart("spool", "info", path)
    assert "new and empty" in output.stdout and f"3 blocks {NO_RECORD}" in output.stderr


def test_what_a_chip_s_image_has_no_header_for_is_nothing_that_is_missing(tmp_path, sound):
    path = tmp_path / "pulled.spool"
    path.write_bytes(sound[PAGE:])
    output = toolcart("spool", "check", path)
    assert output.stderr == "" and "71 records, 0 damaged" in output.stdout


def test_blocks_of_several_spools_are_none(tmp_path, sound):
    path = tmp_path / "cart.spool"
    path.write_bytes(sound + sound)
    words = {
        toolcart("spool", *command, code=2).stderr
        for command in (["check", path], ["info", path], ["gaps", path], ["take-over", path, tmp_path / "new.spool"])
    }
    assert len(words) == 1 and "its areas do not fit" in words.pop()


@pytest.mark.parametrize("content", [random.Random(2).randbytes(BLOCKS * BLOCK), bytes(BLOCKS * BLOCK)])
def test_what_is_no_spool_behind_a_sound_header_is_left_as_it_is(tmp_path, content):
    """An agent would take it for a new one, and erase what `rescue` may still find."""
    path = tmp_path / "cart.spool"
    FileFlash(str(path), BLOCKS * BLOCK, 16, OWNER).close()
    octets = path.read_bytes()[:PAGE] + content
    path.write_bytes(octets)
    with pytest.raises(FlashUnusable, match="holds nothing that can be read as a spool, and is not blank"):
        FileFlash(str(path), BLOCKS * BLOCK, 16, OWNER)
    commands = (["check", path], ["info", path], ["gaps", path], ["take-over", path, tmp_path / "new.spool"])
    for command in commands:
        assert "its areas do not fit" in toolcart("spool", *command, code=2).stderr
    assert "is not blank" in toolcart("quarantine", "list", "--spool", path, code=2).stderr
    findings = local.spool("station 1", path, {"owner": OWNER, "size_kib": 64})
    assert [one.words for one in findings if one.verdict == BAD and "its areas do not fit" in one.words]
    assert path.read_bytes() == octets


@pytest.fixture
def delivered(tmp_path):
    """A spool with 150 results in five blocks, all of them delivered."""
    path = tmp_path / "cart.spool"
    flash = FileFlash(str(path), BLOCKS * BLOCK, 16, OWNER)
    area = Area(BLOCKS, BLOCK, 16, flash=flash)
    state, log = area.mount()
    state.places = 1
    for ident in range(1, 151):
        assert append(log, ident) == LOG_DONE
    take_all(log)
    assert state.save() and [log.firsts[place] for place in range(5)] == [1, 32, 63, 94, 125]
    flash.close()
    return path


@pytest.mark.parametrize(
    ("content", "block", "numbers"),
    [
        (bytes(BLOCK), 2, [*range(1, 63), *range(94, 151)]),
        (b"\xff" * BLOCK, 2, [*range(1, 63), *range(94, 151)]),
        (b"x" * 700, 1, [*range(1, 32), *range(63, 151)]),
        (bytes(BLOCK), 0, [*range(32, 151)]),
    ],
)
def test_what_is_in_front_of_a_damaged_block_counts_although_all_was_delivered(delivered, content, block, numbers):
    delivered.write_bytes(over(delivered.read_bytes(), LOG + block, content))
    for _ in range(2):
        rows = [json.loads(line) for line in toolcart("spool", "list", delivered, "--json").stdout.splitlines()]
        assert [row["record"] for row in rows] == numbers
        assert f"{len(numbers)} records, 0 damaged" in toolcart("spool", "check", delivered).stdout
        flash = FileFlash(str(delivered), 0)  # a start, and what it has to write before the first append
        area = Area(BLOCKS, BLOCK, 16, flash=flash)
        state, log = area.mount()
        assert log.settle() and state.ensure_reliable()
        assert log.whole == {0: 0, 1: 63, 2: 94}[block]
        flash.close()


def test_a_spool_whose_state_was_lost_is_one_without_a_state_after_a_take_over_too(tmp_path, sound):
    path, new = tmp_path / "cart.spool", tmp_path / "new.spool"
    path.write_bytes(zeroed(0, 1, 2, 3)(sound))
    toolcart("spool", "take-over", path, new, code=1)
    assert STATE in toolcart("spool", "check", new, code=1).stderr
    records = [json.loads(toolcart("spool", "check", one, "--json", code=1).stdout)["records"] for one in (path, new)]
    assert records[0] == records[1]
