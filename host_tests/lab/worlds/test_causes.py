"""What `toolcart bench causes` breaks stands where it says, for every fault of the list; its hunt finds and misses."""

import contextlib
import json
import signal

import pytest
from click.testing import CliRunner

from toolcart.tools.cli.main import main
from host_tests.lab.worlds import explorers
from host_tests.support import log_proof
from lab.worlds import causes

FAULTS = set(range(1, 12))  # of the core; 12 needs several results outstanding, 13 was a way to write
QUICK = "state-block-not-erased"
IMAGES = 100  # so many are enough to find that
DEADLINE_S = 600  # of what ends by itself
# Of what each of them counts it goes through one more: as many as take a second or less.
FIRST = {
    "worlds": 0,
    "log proof": 20,
    "disk proof": 30,
    "quarantine model": 3,
    "recovery model": 800,
    "refusals model": 1,
}


def cause(name):
    return next(one for one in causes.CAUSES if one.name == name)


@pytest.mark.parametrize("one", causes.CAUSES, ids=lambda one: one.name)
def test_the_place_of_each_is_there_once_and_the_changed_file_compiles(one):
    text = causes.changed(one)
    assert text != (causes.ROOT / one.file).read_text(encoding="utf-8")
    compile(text, one.file, "exec")
    assert one.why and one.by in explorers.EXPLORERS


def test_a_text_that_is_nowhere_or_twice_is_an_error(tmp_path):
    one = cause(QUICK)
    place = tmp_path / one.file
    place.parent.mkdir(parents=True)
    for times in (0, 2):
        place.write_text(one.old * times)
        with pytest.raises(ValueError, match=f"{times} times"):
            causes.changed(one, tmp_path)


def test_every_fault_of_the_core_has_one_and_no_name_is_there_twice():
    assert {one.fault for one in causes.CAUSES} == FAULTS | {0}
    assert len({one.name for one in causes.CAUSES}) == len(causes.CAUSES)
    assert set(causes.UNITS) == set(explorers.EXPLORERS)


def test_a_broken_rule_is_found():
    finding = causes.hunt(cause(QUICK), DEADLINE_S)
    assert "programmed a second time" in finding.what and finding.count < IMAGES


def test_the_explorer_that_finds_it_finds_nothing_in_the_program(monkeypatch, capsys):
    def looked(explorer, *_):
        if explorer.images > IMAGES:
            raise explorers.Over

    monkeypatch.setattr(log_proof.Explorer, "looked", looked)
    explorers.main("log proof", DEADLINE_S, cause(QUICK).aim)
    last = json.loads(capsys.readouterr().out)
    assert last["found"] == "" and last["count"] > IMAGES


def test_what_a_world_has_as_it_is_does_not_count(monkeypatch):
    findings = [{"found": "stuck", "count": 1, "seed": 7}, {"found": "lost", "count": 2, "seed": 8}]
    monkeypatch.setattr(causes, "_explored", lambda *given: iter(findings))
    monkeypatch.setattr(causes, "_usual", lambda aim, seed: ("stuck",))
    finding = causes.hunt(cause("no-lookahead"), DEADLINE_S)
    assert (finding.what, finding.count) == ("lost (seed 8)", 2)


def test_an_explorer_ends_though_one_alarm_is_lost(monkeypatch, capsys):
    def deaf(tally):
        with contextlib.suppress(explorers.Over):
            signal.pause()
        tally.count = 1
        signal.pause()

    monkeypatch.setitem(explorers.EXPLORERS, "deaf", deaf)
    explorers.main("deaf", 1)
    assert json.loads(capsys.readouterr().out) == {"found": "", "count": 1, "seed": 0}
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


class FirstOnes(explorers.Tally):
    """A tally that ends the exploring behind so many, however fast the machine is."""

    most = 0

    @property
    def count(self):
        return self._count

    @count.setter
    def count(self, count):
        self._count = count
        if count > self.most:
            raise explorers.Over


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.long("a world for each rule") if name == "worlds" else ())
        for name in explorers.EXPLORERS
    ],
)
def test_what_an_explorer_goes_through_first_breaks_nothing_in_the_program(name, monkeypatch, capsys):
    monkeypatch.setattr(FirstOnes, "most", FIRST[name])
    monkeypatch.setattr(explorers, "Tally", FirstOnes)
    monkeypatch.setattr(explorers, "RECOVERY_STATES", (100,))
    explorers.main(name, DEADLINE_S, *(["lives"] if name == "log proof" else []))
    last = json.loads(capsys.readouterr().out)
    assert last["found"] == "" and last["count"] > FIRST[name]


def test_the_command_tells_what_was_found_and_what_was_not(monkeypatch):
    def hunted(one, seconds):
        what = "stuck (seed 1)" if one.name == "no-lookahead" else ""
        return causes.CauseOutcome(one.name, one.fault, one.by, what, 3, "worlds", 1.0, one.why)

    monkeypatch.setattr(causes, "hunt", hunted)
    done = CliRunner().invoke(main, ["bench", "causes", "no-lookahead"])
    assert done.exit_code == 0 and "stuck (seed 1)" in done.stdout
    done = CliRunner().invoke(main, ["bench", "causes", "no-lookahead", "lookahead-of-one"])
    assert done.exit_code == 1 and "not found: lookahead-of-one" in done.stdout
    assert CliRunner().invoke(main, ["bench", "causes", "no-such"]).exit_code == 2
