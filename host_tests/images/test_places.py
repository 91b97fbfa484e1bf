"""Names of a frozen core fall into places of their own in the dicts of MicroPython's objects."""

import ast

import pytest

from tools.compact.names import _texts
from tools.compact.places import dicts_of, hash_of, placed, with_free_places
from tools.compact.program import Program
from tools.compact.scopes import scopes
from tools.runtimes import catalogue
from tools.runtimes.harness import Machine

PARTS = """
class Base:
    def __init__(self):
        self.first = 1
        self.second = 2
    def come(self):
        return self.first
class One(Base):
    def __init__(self):
        Base.__init__(self)
        self.third = 3
    def go(self):
        return self.third
class Other:
    def __init__(self):
        self.first = 1
    def go(self):
        self.fourth = 4
        return self.first
"""


def dicts(text):
    tree = ast.parse(text)
    scopes(tree)
    return {one.name: one for one in dicts_of([tree])}


def large(count, more=""):
    sets = "".join(f"        self.part_{number} = {number}\n" for number in range(count))
    return f"class Large:\n    def __init__(self):\n{sets}    def go(self):\n        return self.part_0\n{more}"


def test_the_hash_of_a_name_is_that_of_micropython():
    runtime = catalogue.named("unix32")
    if runtime.fetch():
        pytest.skip("no MicroPython here")
    names = ["a", "_spare", "next_message", "xq", "Zz"]
    done = Machine(runtime).run_source("print(" + ", ".join(f"hash({name!r})" for name in names) + ")")
    assert [hash_of(name) for name in names] == [int(word) & 0xFFFF for word in done.stdout.split()]


def test_a_dict_is_what_a_class_and_its_bases_set():
    found = dicts(PARTS)
    assert set(found) == {"One", "Other"}
    assert found["One"].data == {"first", "second", "third"} and found["One"].places == 4
    assert {"come", "go"} <= found["One"].methods and found["Other"].data == {"first", "fourth"}


@pytest.mark.parametrize("count", [13, 16, 22, 36, 46])
def test_what_is_set_has_places_of_its_own_and_every_method_a_free_one(count):
    one = dicts(large(count, "    def come(self):\n        return 1\n"))["Large"]
    wanted = sorted((one.data | one.methods) - {"__init__"})
    chosen = placed(wanted, [one], _texts({"aa", "go"}))
    assert set(chosen) == set(wanted) and len(set(chosen.values())) == len(wanted)
    assert not {"aa", "go"} & set(chosen.values())
    places = {hash_of(chosen[name]) % one.places for name in one.data}
    assert len(places) == count
    assert not places & {hash_of(chosen[name]) % one.places for name in ("go", "come")}


def test_what_keeps_its_name_keeps_its_place():
    one = dicts(large(16))["Large"]
    kept = {"part_3", "part_9"}
    chosen = placed(sorted(one.data - kept), [one], _texts(set()))
    places = [hash_of(chosen.get(name, name)) % one.places for name in one.data]
    assert len(set(places)) == len({hash_of(name) % one.places for name in kept}) + 14


def test_what_two_dicts_have_lies_at_one_place_in_both():
    found = dicts(PARTS)
    chosen = placed(["first", "second", "third", "fourth", "go", "come"], list(found.values()), _texts(set()))
    value = hash_of(chosen["first"])
    assert value % found["One"].places == value % found["Other"].places


def test_a_full_dict_gets_a_place_more_and_only_in_a_frozen_core():
    for count, is_full in ((17, True), (16, False), (12, True), (4, False)):
        text = with_free_places({"agent.app": large(count)})["agent.app"]
        assert ("_spare" in text) is is_full
        made = {}
        exec(text, made)
        assert made["Large"]().go() == 0
    sources = {"agent.app": large(17, "def main():\n    return Large().go()\nmain()\n")}
    assert Program(sources).texts["agent.app"].count(" = ") < Program(sources, own_image=True).texts["agent.app"].count(
        " = "
    )
