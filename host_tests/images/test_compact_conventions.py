"""What the compactor takes for granted is checked, and whoever breaks it is told the file and the line."""

import ast

import pytest

from host_tests.portable import Skip
from tools.base.cache import Unavailable
from tools.compact.conventions import Broken, check
from tools.compact.tree import program_of, program_of_board
from tools.runtimes.build import Source, product_sources
from tools.runtimes.typecheck import PORTS, stubs

STATION = "class Station:\n    def __init__(self):\n        self.ring = None\n        self.cursors = [Cursor()]\n"
CURSOR = "class Cursor:\n    def __init__(self):\n        self.seq = 0\n"


def broken(text, **more):
    """The lines that are told of a program with the file agent/user.py."""
    files = {"agent/station.py": STATION + CURSOR, "agent/user.py": text}
    files.update({f"agent/{name}.py": source for name, source in more.items()})
    try:
        check(files)
    except Broken as said:
        return str(said).splitlines()
    return []


def test_the_product_breaks_none():
    check({source.name: source.text for source in product_sources()})


def test_what_is_set_from_outside_is_set_on_a_variable_called_after_a_class_that_has_it():
    good = "def f(station, cursors, other, _station):\n    station.ring = _station.ring = cursors[0].seq = 1\n"
    assert broken(good + "    station.cursors[1].seq = other.seq = 2\n") == []
    derived = "from agent.station import Station\nclass Small(Station):\n    pass\ndef f(small):\n    small.ring = 1\n"
    assert broken(derived) == []
    assert broken("def f(station):\n    station.seq = 1\n") == [
        "agent/user.py:2: station.seq is set from outside, and Station sets no seq on itself"
    ]
    assert broken("def f(scout):\n    scout.seq = 1\n    scout.ring = 1\n") == [
        "agent/user.py:3: scout.ring is set from outside, and Cursor sets no ring on itself"
    ]
    assert len(broken("def f(self, station):\n    self._station.seq += 1\n    station.cursors[0].ring = 1\n")) == 2


@pytest.mark.parametrize(
    "line",
    (
        "getattr(thing, name)",
        "setattr(thing, 'a' + name, 1)",
        "hasattr(thing, name)",
        "delattr(thing, name)",
        "globals()[name]",
        "vars(thing)",
        "dir(thing)",
        "locals()",
        "eval(name)",
        "thing.__dict__",
    ),
)
def test_a_computed_name_is_told_with_its_line(line):
    assert [said.split(" ")[0] for said in broken(f"def f(thing, name):\n    pass\n    {line}\n")] == [
        "agent/user.py:3:"
    ]


def test_names_that_are_written_down_or_stay_as_they_are_may_be_asked_for():
    text = (
        "import sys\ndef f(thing, name):\n    delattr(sys.modules[name], name)\n    return getattr(thing, 'a', 0)\n"
        "if FAST is not None:\n    for _name in FAST.NAMES:\n        globals()[_name] = getattr(FAST, _name)\n"
        "    globals()['one'] = FAST.one\n"
    )
    assert broken(text) == []
    assert broken("from agent.station import *\n")[0].startswith("agent/user.py:1:")


def test_a_dict_of_arguments_goes_to_who_takes_any_name_or_is_none_of_ours():
    any_name = (
        "def tell(**told):\n    print(told)\ndef f(machine, told):\n    tell(**told)\n    machine.UART(1, **told)\n"
    )
    assert broken(any_name) == []
    assert broken("def tell(a, **told):\n    pass\ndef f(told):\n    tell(**told)\n")[0].startswith("agent/user.py:4:")
    assert broken("class Box:\n    def __init__(self, a):\n        pass\ndef f(x):\n    Box(**x)\n")[0].startswith(
        "agent/user.py:5:"
    )


def test_the_line_of_a_class_is_known():
    assert broken("from agent import station\nclass A(station.Station):\n    pass\n")[0].startswith("agent/user.py:2:")


def test_no_program_is_made_of_files_that_break_one():
    with pytest.raises(Broken, match=r"^agent/app\.py:2: "):
        program_of([Source("agent/app.py", "def f(thing, name):\n    return getattr(thing, name)\n")])


# -- MicroPython's own names ---------------------------------------------------------------------------------------


def members(text):
    """What objects of a module's classes have, by its stub."""
    return {
        one.name if isinstance(one, ast.FunctionDef) else one.target.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        for one in node.body
        if isinstance(one, ast.FunctionDef) or (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name))
    }


def asked_in(name, text, renamed):
    """The places in a file of board/ where an object is asked for one of these names."""
    return [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in renamed
    ]


def test_no_name_that_a_chips_own_objects_have_is_another_one_in_board():
    files = {source.name: source.text for source in product_sources() if source.name.startswith("board/")}
    modules = {
        alias.name
        for text in files.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    try:
        folders = [stubs(port) for port in PORTS]
    except Unavailable as reason:
        raise Skip(str(reason))
    found = {}
    for folder in folders:
        for module in modules:
            for stub in [*folder.glob(f"{module}.pyi"), *folder.glob(f"{module}/*.pyi")]:
                found.setdefault(module, set()).update(members(stub.read_text(encoding="utf-8")))
    assert "readblocks" in found["rp2"] and "duty" in found["machine"] and "isconnected" in found["network"]
    renamed = {name for name in program_of_board().names.attributes if not name.startswith("_")}
    told = [
        line for name, text in files.items() for line in asked_in(name, text, renamed & set().union(*found.values()))
    ]
    assert told == []


def test_a_name_of_a_chip_that_were_another_is_told_with_its_line():
    stub = "class Pin:\n    OUT: int\n    def value(self): ...\n    def low(self): ...\ndef freq(): ...\n"
    assert members(stub) == {"OUT", "value", "low"}
    text = "import machine\nlamp = machine.Pin(1)\nlamp.low()\nlamp.value(1)\n"
    assert asked_in("board/lamp.py", text, {"low"} & members(stub)) == ["board/lamp.py:3: lamp.low"]
