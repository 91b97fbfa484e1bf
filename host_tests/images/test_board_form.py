"""The form that boards get is what the portable tests meet, and what cannot hold there is named, and no more."""

import ast
import re
import types

import pytest

from tools.base.cache import CHECKOUT
from tools.base.sources import uses_library
from tools.compact import tree
from tools.compact.program import Program
from tools.compact.walk import walk
from tools.runtimes import board_form as tested
from tools.runtimes.build import is_heavy, is_portable, product_sources, support_sources
from tools.runtimes.harness import Outcome
from tools.runtimes.suite import chosen_files, light_files, portable_files

SOURCES = {
    "agent.ring": (
        "class Ring:\n    def __init__(self):\n        self.stored = 4\n        self.taken = [1]\n"
        "    def put(self, count):\n        if self._may(count):\n            self.stored += count\n"
        "        return self.stored\n"
        "    def _may(self, count):\n        return count > 0\n    def unused(self):\n        return self.taken\n"
        "def spare(by):\n    return by + 1\n"
    ),
    "agent.app": "from agent.ring import Ring\ndef run():\n    return Ring().put(2) + Ring().put(1)\n",
    "board": "from agent.app import run\nrun()\n",
}
PLAIN = (
    "from agent.ring import Ring\nfrom host_tests.support import Odd, made\ndef test_plain():\n"
    "    assert Odd().put(3) == 14\n    assert made(stored=5).put(1) == 6\n"
)
REACHES_IN = "from agent.ring import Ring, spare\ndef test_in():\n    assert Ring()._may(spare(0))\n"
SUPPORT = (
    "from agent.ring import Ring\nclass Odd(Ring):\n    def __init__(self):\n        Ring.__init__(self)\n"
    "        self.own = 7\n    def put(self, count):\n        return Ring.put(self, count) + self.own\n"
    "def made(**fields):\n    ring = Ring()\n    for name in fields:\n        setattr(ring, name, fields[name])\n"
    "    return ring\n"
)
MODULES = {
    "host_tests": "",
    "host_tests.portable": "",
    "host_tests.support": SUPPORT,
    "host_tests.test_plain": PLAIN,
    "host_tests.test_in": REACHES_IN,
}


def call(texts, module, name):
    """Run one function out of a program's texts and those beside it."""
    modules = {}

    def load(dotted, *rest):
        if dotted not in modules:
            modules[dotted] = types.ModuleType(dotted)
            modules[dotted].__dict__["__builtins__"] = {**vars(__import__("builtins")), "__import__": load}
            exec(texts[dotted], modules[dotted].__dict__)
        return modules[dotted]

    return getattr(load(module), name)()


def test_tests_beside_a_program_meet_its_very_functions_unless_they_reach_into_it():
    program = Program(SOURCES)
    plain, other = tested.groups(program, MODULES)
    assert (plain.tests, plain.keep) == (["host_tests.test_plain"], frozenset())
    assert (other.tests, other.keep, other.spare) == (["host_tests.test_in"], {"_may"}, {"spare"})
    texts, beside = program.tested(plain.outside, plain.spare, plain.keep)
    assert "stored" in texts["agent.app"] and "taken" not in texts["agent.app"]  # who asks by a string finds it
    assert texts["agent.app"].count("def ") == program.texts["agent.app"].count("def ") == 3
    call({**texts, **beside}, "host_tests.test_plain", "test_plain")
    texts, beside = program.tested(other.outside, other.spare, other.keep)
    assert texts["agent.app"].count("def ") == 5
    call({**texts, **beside}, "host_tests.test_in", "test_in")


@pytest.fixture
def not_here(monkeypatch):
    monkeypatch.setattr(tested, "NOT_HERE", {"test_a.test_one": "because", "test_b": "nothing of it can"})


def test_what_is_named_is_skipped_with_its_reason_and_nothing_else_is(not_here):
    said = "FAIL test_one\nTraceback\nok test_two\nFAIL test_three\n1 passed, 2 failed, 0 skipped"
    outcome = tested.told("test_a", Outcome(1, 2, 0, 0.1, said))
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 1, 1)
    assert "skip test_one: because" in outcome.text and "FAIL test_three" in outcome.text
    outcome = tested.told("test_b", Outcome(1, 1, 0, 0.1, "ok test_one\nFAIL test_two"))
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 0, 1)
    assert tested.told("test_b", Outcome(0, 1, 0, 0.1, "FAIL host_tests.test_b")).skipped == 1


def test_what_is_named_and_passes_is_a_failure(not_here):
    outcome = tested.told("test_a", Outcome(2, 0, 0, 0.1, "ok test_one\nok test_two"))
    assert (outcome.passed, outcome.failed) == (2, 1) and "NOT_HERE" in outcome.text
    assert tested.told("test_b", Outcome(1, 0, 0, 0.1, "ok test_one")).failed == 1
    # A word chose another test: nothing is known of the one that is named.
    assert tested.told("test_a", Outcome(1, 0, 0, 0.1, "ok test_two")).failed == 0
    assert tested.told("test_c", Outcome(1, 0, 0, 0.1, "ok test_one")).failed == 0


def test_the_list_names_portable_tests_that_there_are():
    for entry, reason in tested.NOT_HERE.items():
        module, _, test = entry.partition(".")
        text = next((CHECKOUT / "host_tests").rglob(f"{module}.py")).read_text(encoding="utf-8")
        assert is_portable(text) and reason
        assert re.search(rf"^def {test or 'test_'}", text, re.MULTILINE), entry


def test_what_other_interpreters_leave_to_the_long_run_is_met_in_this_form():
    files = portable_files([])
    light = light_files(files)
    heavy = [file for file in files if file not in light]
    assert heavy and len(light) > 4 * len(heavy)
    assert not {file.stem for file in heavy} & {entry.partition(".")[0] for entry in tested.NOT_HERE}
    texts = [file.read_text(encoding="utf-8") for file in (CHECKOUT / "host_tests").rglob("*.py")]
    assert sum(is_heavy(text) for text in texts) == len(heavy), "only what is portable can be heavy"


def test_what_no_board_has_is_met_by_the_plain_32_bit_form():
    light = light_files(portable_files([]))
    chosen = chosen_files(light, "unix32")
    left = [file for file in light if file not in chosen]
    assert left and len(chosen_files(light, "unix64")) < len(chosen) < len(light)
    for file in left:
        assert not re.search(r"agent(\.| import )catalogue", file.read_text(encoding="utf-8")), file.stem
        assert file.stem not in {entry.partition(".")[0] for entry in tested.NOT_HERE if "." not in entry}


def test_every_node_is_walked_once_outer_ones_first():
    marks = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
    for source in product_sources() + support_sources():
        tree = ast.parse(source.text)
        assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, marks)], source.name


def test_what_was_made_of_the_same_is_made_once_and_of_anything_else_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "REMEMBERED", tmp_path / "compact")
    made = []

    def make(what):
        return tree.remembered(what, lambda: made.append(what) or {"of": what})

    assert make(["a"]) == make(["a"]) == {"of": ["a"]} and make(["b"]) == {"of": ["b"]}
    assert made == [["a"], ["b"]]
    monkeypatch.setattr(tree, "CACHE", tmp_path / "none")
    assert make(["a"]) == {"of": ["a"]} and len(made) == 3


def test_the_library_and_its_tests_have_no_board_form():
    inside = [source.name for source in support_sources() if uses_library(source)]
    assert "host_tests/catalogue/test_catalogue.py" in inside and "agent/catalogue/__init__.py" in inside
    assert [name for name in inside if "catalogue" not in name] == [
        "host_tests/openprotocol/test_cycle.py",
        "tools/codec/examples.py",
    ]
    assert not [source.name for source in product_sources() if uses_library(source)]
