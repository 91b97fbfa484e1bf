"""What once lost results can still be broken again on purpose, each in one place, and is then found."""

import json

from click.testing import CliRunner

from host_tests.test_faults import FAULTS, functions_of
from tools.bench import hunt
from tools.bench.causes import CAUSES
from tools.bench.mutation import CHECKOUT, check_places
from tools.cli import main

OUTSIDE = {12}  # files, drivers, installer and tables for people: no world has them


def test_every_cause_still_has_its_place():
    check_places(CHECKOUT, CAUSES)
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)


def test_every_fault_that_a_world_could_have_has_a_cause():
    assert {cause.fault for cause in CAUSES} - {0} == set(range(1, FAULTS + 1)) - OUTSIDE


def test_every_cause_names_a_test_that_exists():
    for cause in CAUSES:
        module, _, test = cause.test.partition(".py::")
        assert test in functions_of(module.removeprefix("test_")), cause.name


def test_a_cause_that_no_world_finds_is_given_to_its_test():
    arguments = ["bench", "causes", "delivered-is-not-waiting", "--worlds", "1", "--seed", "3", "--json"]
    done = CliRunner().invoke(main, arguments)
    (told,) = json.loads(done.stdout)["causes"]
    assert done.exit_code == 0 and (told["worlds"], told["found in"], told["first seed"]) == (1, 0, None)
    assert told["test"] == "test_restart.py::test_every_count_of_results_says_after_a_start_what_it_said_before"


def test_what_nobody_finds_is_told(monkeypatch):
    monkeypatch.setattr(hunt, "caught_by", lambda root, tests: "")
    monkeypatch.setattr(hunt, "_worlds", lambda root, first, count, one_more: [(first, [])])
    done = CliRunner().invoke(main, ["bench", "causes", "stop-spins", "--worlds", "1"])
    assert done.exit_code == 1 and "NOBODY finds it" in done.stdout


def test_what_a_world_says_without_the_cause_does_not_count(monkeypatch):
    kinds = iter(([(7, ["stuck"])], [(7, ["lost", "stuck"])]))
    monkeypatch.setattr(hunt, "_worlds", lambda root, first, count, one_more: next(kinds))
    (found,) = hunt.hunt(["stop-spins"], 7, 1, lambda share: None)
    assert found.seeds == [7] and dict(found.kinds) == {"lost": 1}
    assert hunt.report([found], 7)["figures"][0]["value"] == 1


def test_an_unknown_cause_is_told():
    done = CliRunner().invoke(main, ["bench", "causes", "nothing-of-the-kind"])
    assert done.exit_code == 2 and "no cause is called nothing-of-the-kind" in done.stderr
