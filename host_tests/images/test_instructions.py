"""What a result costs on a Cortex-M3, to the instruction, against the table the repository keeps."""

import json

import pytest

from host_tests.support.firmware import need_cortex
from tools.bench import board

# A change of the code moves the counts; this much without a new baseline (python -m tools.bench.board --baseline).
TOLERANCE = 0.10
# A stage is smaller than the whole, and what moves from one to another is no loss.
STAGE_TOLERANCE = 0.25
STAGE_SLACK = 10000


@pytest.fixture(scope="module")
def measured():
    need_cortex()
    return board.measure()


@pytest.fixture(scope="module")
def baseline():
    return json.loads(board.BASELINE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", board.FORMS)
def test_a_result_costs_no_more_instructions_than_the_baseline_says(measured, baseline, form):
    for name in ("result", "idle_wake", "from_backlog"):
        assert measured[form][name] <= baseline[form][name] * (1 + TOLERANCE), name


@pytest.mark.parametrize("form", board.FORMS)
def test_no_stage_has_grown_unseen(measured, baseline, form):
    for stage, instructions in baseline[form]["stages"].items():
        now = measured[form]["stages"][stage]
        assert now <= instructions * (1 + STAGE_TOLERANCE) + STAGE_SLACK, stage


@pytest.mark.parametrize("form", board.FORMS)
def test_stages_add_up_to_the_whole(measured, form):
    figures = measured[form]
    assert abs(sum(figures["stages"].values()) - figures["result"]) < figures["result"] * 0.08


@pytest.mark.parametrize("form", board.FORMS)
def test_counting_shows_the_steady_state_allocates_nothing_but_slices(measured, form):
    # The Cortex image is MicroPython 1.25, which puts a slice object of 16 octets on the heap; 1.26 does not.
    assert measured[form]["allocated"] <= 64


def test_machine_code_twins_save_a_third_and_more(measured):
    assert measured["fast"]["result"] < measured["plain"]["result"] * 2 / 3


def test_two_counts_of_the_same_files_are_the_same(measured):
    again = board.measure()
    for form in board.FORMS:
        # One tick of the timer each way, over forty results.
        assert abs(again[form]["result"] - measured[form]["result"]) <= 100
