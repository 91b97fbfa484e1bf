"""What a result costs on a Cortex-M3, to the instruction, against the table the repository keeps."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_tests.portable import LONG
from host_tests.support.firmware import need_cortex
from host_tests.support.running import toolcart
from lab.bench import board
from lab.firmware import programs, sources

pytestmark = pytest.mark.long("an image is built of MicroPython's sources")

# A change of the code moves the counts; this much without a new baseline (python -m lab.bench.board).
TOLERANCE = 0.10


# Each form takes a program of its own; boards have machine code.
FORMS = board.FORMS if LONG else ("fast",)


@pytest.fixture(scope="module")
def measured():
    need_cortex()
    return board.measure(FORMS)


@pytest.fixture(scope="module")
def baseline():
    return json.loads(board.BASELINE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", FORMS)
def test_a_result_costs_no_more_instructions_than_the_baseline_says(measured, baseline, form):
    for name in ("result", "idle_wake", "from_backlog"):
        assert measured[form][name] <= baseline[form][name] * (1 + TOLERANCE), name


@pytest.mark.parametrize("form", FORMS)
def test_counting_shows_the_steady_state_allocates_nothing_but_slices(measured, form):
    # The Cortex image is MicroPython 1.25, which puts a slice object of 16 octets on the heap; 1.26 does not.
    assert measured[form]["allocated"] <= 64


def test_machine_code_twins_save_a_third_and_more(measured, baseline):
    plain = measured["plain"] if LONG else baseline["plain"]
    assert measured["fast"]["result"] < plain["result"] * 2 / 3


@pytest.mark.long("everything is counted twice")
def test_two_counts_of_the_same_files_are_the_same(measured):
    again = board.measure(FORMS)
    for form in FORMS:
        # One tick of the timer each way, over forty results.
        assert abs(again[form]["result"] - measured[form]["result"]) <= 100


@pytest.mark.parametrize("lacks", ["programs", "sources"])
def test_bench_board_without_what_it_needs_says_so_within_a_second(monkeypatch, tmp_path, lacks):
    if lacks == "programs":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(programs, "missing", lambda *wanted: [])
        monkeypatch.setattr(sources, "FOLDER", tmp_path / "none")
    began = time.process_time()
    output = toolcart("bench", "figures", "board", code=1).output
    assert time.process_time() - began < 1
    hint = "sudo apt-get install qemu-system-arm" if lacks == "programs" else "python -m lab.runtimes fetch"
    assert hint in output and "not taken" not in output


def test_the_installed_command_says_it_in_one_line_too(tmp_path):
    command = [str(Path(sys.executable).with_name("toolcart")), "bench", "figures", "board"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1].startswith("toolcart: bench figures board: ") and "apt-get install" in done.stderr
    )
