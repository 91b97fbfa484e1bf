"""`toolcart board check` against a whole simulated chip: every step, what is wrong with a board, and the report."""

import contextlib
import io
import json
import sys
import types
from dataclasses import replace

import pytest

from toolcart.tools.flash import board_commands, check, plan
from toolcart.tools.flash import board_commands as commands
from toolcart.tools.flash.link import About, BoardGone
from host_tests.support.firmware import running_chip
from host_tests.support.running import toolcart
from host_tests.tools.flash.chip_link import ChipLink
from host_tests.tools.flash.test_board_commands import Running

HEAP = {"free_bytes": 100000, "piece_bytes": 60000}


@pytest.fixture
def chip():
    with running_chip() as made:
        yield made


class Person:
    """Does what the steps ask for, on a simulated chip."""

    def __init__(self, chip, pulls=True, tightens=True):
        self.chip = chip
        self.pulls = pulls
        self.tightens = tightens
        self.lines_printed = []

    def tester(self, **wanted):
        return check.Tester(self.tell, self.ask, lambda: self.chip.run(1000), **wanted)

    def tell(self, words):
        self.lines_printed.append(words)
        if "Tighten" in words and self.tightens:
            self.chip.controller.produce()

    def ask(self, words):
        self.lines_printed.append(words)
        if "plug" in words and self.pulls:
            self.chip.power_off()


def tried(chip, person, **wanted):
    results = {step.name: step for step in check.steps(ChipLink(chip), person.tester(**wanted))}
    return results, {name: step.verdict for name, step in results.items()}


def test_a_good_board_passes_every_step_and_the_report_has_the_figures(chip, tmp_path, capsys):
    chip.produce(3)
    stored = len(chip.controller.produced)
    person = Person(chip)
    board_commands.check_board(ChipLink(chip), person.tester(cuts=2), tmp_path / "report.x")
    report = json.loads((tmp_path / "report.json").read_text())
    steps = {step["name"]: step for step in report["steps"]}
    verdicts = {name: step["verdict"] for name, step in steps.items()}
    assert set(verdicts.values()) == {"good", "skipped"}, report
    assert [name for name, verdict in verdicts.items() if verdict == "skipped"] == ["uart", "names"]
    assert steps["raw flash"]["figures"]["blocks"] == 16
    assert all(ms > 0 for ms in steps["raw flash"]["figures"]["erase_ms"])
    assert 0 < steps["heap"]["figures"]["piece_bytes"] <= steps["heap"]["figures"]["free_bytes"]
    assert steps["files"]["figures"]["right"] and steps["live result"]["figures"] == {"stored": 1, "delivered": 1}
    assert steps["power cut 2"]["figures"]["stored"] == [stored + 1, stored + 1]
    text = (tmp_path / "report.txt").read_text()
    assert text in capsys.readouterr().out and len(text.splitlines()) == len(steps)
    assert chip.missing() == [] and "password" not in json.dumps(report)


@pytest.mark.long("a network that stays silent")
def test_board_that_nothing_reaches_has_its_reasons_and_the_exit_is_1(chip, tmp_path):
    chip.air.points = {}
    chip.power_off()
    chip.run(30000)
    with pytest.raises(SystemExit) as end:
        board_commands.check_board(ChipLink(chip), Person(chip, tightens=False).tester(), tmp_path / "report")
    steps = json.loads((tmp_path / "report.json").read_text())["steps"]
    steps_by_name = {step["name"]: (step["verdict"], step["words"]) for step in steps}
    assert end.value.code == 1
    assert steps_by_name["network"] == ("bad", "no wifi within 90 s")
    assert steps_by_name["connections"][0] == "bad" and "station 1: " in steps_by_name["connections"][1]
    assert steps_by_name["live result"] == ("bad", "no result came within 120 s")
    assert steps_by_name["files"][0] == "good"


def test_a_plug_that_was_never_pulled_is_noticed(chip):
    results, verdicts = tried(chip, Person(chip, pulls=False), cuts=1, live=False)
    assert verdicts["live result"] == "skipped"
    assert verdicts["power cut 1"] == "bad" and "never without power" in results["power cut 1"].words


def test_a_chip_that_reads_back_wrong_or_goes_away_is_reported(chip, monkeypatch):
    run = ChipLink.run

    def fails(link, source):
        if source == check._FILES:
            return '{"right": false, "write_32_kib_ms": 1, "most_4_kib_ms": 1, "read_32_kib_ms": 1}'
        if source == check._RAW:
            raise BoardGone("the board went away")
        if source == check._HEAP:
            return "nonsense"
        return run(link, source)

    monkeypatch.setattr(ChipLink, "run", fails)
    results, verdicts = tried(chip, Person(chip), live=False)
    assert verdicts["files"] == verdicts["raw flash"] == verdicts["heap"] == "bad"
    assert results["raw flash"].words == "the board went away" and "cannot be read" in results["heap"].words
    assert verdicts["agent"] == "good", "the board is started again whatever happened"


class Loop:
    """machine.UART whose two pins are connected; `loses` octets on the way."""

    loses = 0
    made: list = []

    def __init__(self, number, **settings):
        Loop.made.append((number, settings))
        self._inside = b""

    def write(self, octets):
        self._inside = octets[Loop.loses :]

    def read(self):
        got, self._inside = self._inside, b""
        return got or None

    def deinit(self):
        pass


class LoopLink:
    """Runs a step's lines on CPython, with a clock that a look moves on."""

    def run(self, source):
        now = iter(range(0, 1 << 20, 50))
        clock = types.SimpleNamespace(
            sleep_ms=lambda ms: None, ticks_ms=lambda: next(now), ticks_diff=lambda later, earlier: later - earlier
        )
        machine = types.SimpleNamespace(UART=Loop, Pin=lambda number: number)
        kept = {name: sys.modules.get(name) for name in ("machine", "time")}
        sys.modules.update({"machine": machine, "time": clock})
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                exec(source, {})
        finally:
            for name, module in kept.items():
                sys.modules.pop(name)
                if module is not None:
                    sys.modules[name] = module
        return output.getvalue()


@pytest.mark.parametrize(("loses", "verdict"), [(0, "good"), (1, "bad")])
def test_a_uart_in_a_loop_says_what_came_back_at_both_speeds(monkeypatch, loses, verdict):
    monkeypatch.setattr(Loop, "loses", loses)
    monkeypatch.setattr(Loop, "made", [])
    questions = []
    tester = check.Tester(print, questions.append, lambda: None, uart="1:8,9")
    got, words, figures = check._uart(LoopLink(), tester)
    assert got == verdict and f"{256 - loses} of 256 bytes at 115200 baud" in words
    assert [(number, made["baudrate"], made["tx"], made["rx"]) for number, made in Loop.made] == [
        (1, 9600, 8, 9),
        (1, 115200, 8, 9),
    ]
    assert len(questions) == 2 and figures["9600"]["received"] == 256 - loses


class Answers:
    """A board that says what the test has for each kind of question; the last answer stays."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def run(self, source):
        return json.dumps(self.next())

    def ask(self, question, seconds):
        answer = self.next()
        return answer and [{"board": answer["board"]}, {"station": answer["station"]}]

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def status(stored=5, delivered=5, up_ms=9000, damaged=0, mounted=True, **board):
    station = {"mounted": mounted, "stored": stored, "delivered": delivered, "spool": {"damaged": damaged}}
    return {"board": {"up_ms": up_ms, **board}, "station": station}


def names(**addresses):
    return status(resolver={"names": addresses, "answers": 1, "silent": 2})


TESTER = check.Tester(lambda words: None, lambda words: None, lambda: None)
SMALL = About("esp32", "ESP32", (1, 25, 0), 6, "", 0, 4096, "", heap_bytes=112000)
OLD = replace(SMALL, version=(1, 20, 0))
HEAP = {"free_bytes": 100000, "piece_bytes": 60000}


@pytest.mark.parametrize(
    ("step", "verdict", "words"),
    [
        (lambda: check._firmware(OLD), "bad", "MicroPython 1.20.0"),
        (lambda: check._heap(Answers(HEAP), SMALL), "bad", "112000 bytes, 100000 free"),
        (
            lambda: check._heap(Answers(HEAP), replace(SMALL, frozen="x")),
            "good",
            f"which needs {plan.FROZEN_HEAP_BYTES}",
        ),
        (lambda: check._raw(Answers({"blocks": 0, "erase_ms": []})), "skipped", "it lies in files"),
        (lambda: check._raw(Answers({"blocks": 9, "erase_ms": []})), "skipped", "none of 9 blocks is blank"),
        (lambda: check._agent(Answers([]), TESTER), "bad", "`toolcart flash` does that"),
        (lambda: check._agent(Answers(status(mounted=False)), TESTER), "bad", "does not come up"),
        (lambda: check._network(Answers(status(network={"kind": "none"})), TESTER), "skipped", "board.network is none"),
        (lambda: check._names(Answers(names(a="192.0.2.1"))), "good", "1 found, 2 questions without an answer"),
        (lambda: check._names(Answers(names(a="192.0.2.1", b=""))), "bad", "not every name is found"),
        (lambda: check._live(Answers(status(), status(stored=6)), TESTER), "bad", "was stored and did not reach"),
        (lambda: check._cut(Answers(status(), status(stored=4, up_ms=1)), TESTER), "bad", "a result may be lost"),
        (lambda: check._cut(Answers(status(), status(damaged=1, up_ms=1)), TESTER), "bad", "1 damaged"),
        (lambda: check._cut(Answers(status(), []), TESTER), "bad", "did not come back within 90 s"),
    ],
)
def test_each_step_says_what_is_wrong(step, verdict, words):
    got, output, _ = step()
    assert got == verdict and words in output, output


@pytest.mark.parametrize("spool", [{}, {"state_alarm": 2}])
def test_status_of_a_board_ends_with_1_where_something_needs_somebody(monkeypatch, spool):
    class Answering(Running):
        def ask(self, *words):
            return [
                {**line, "station": {**line["station"], "spool": {**line["station"]["spool"], **spool}}}
                if "station" in line
                else line
                for line in Running.ask(self, *words)
            ]

        def close(self):
            pass

    monkeypatch.setattr(commands, "open_link", lambda port: Answering())
    assert toolcart("status", "--port", "ttyX", code=1 if spool else 0).output.count("station 10") == 1
