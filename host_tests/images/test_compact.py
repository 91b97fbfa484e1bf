"""tools/compact: the rewritten program does the same with fewer names, functions and modules."""

import ast
import hashlib
import os
import subprocess
import sys
import types

import pytest

from tools.base.cache import CHECKOUT
from tools.base.sources import product_sources
from tools.compact.bundle import NATIVES, has_natives
from tools.compact.inline import bind_builtins
from tools.compact.methods import functions_of_methods
from tools.compact.names import FOREIGN, Missing, Names
from tools.compact.program import Program, compact
from tools.compact.scopes import scopes
from tools.compact.slots import slots
from tools.compact.source import constants
from tools.compact.tree import compile_compacted, program_of_board
from tools.compact.twins import only_twins
from tools.runtimes.build import compile_object


def run(sources, name, texts=None):
    """Execute the modules of a rewritten program; its module `name` as it is now, and all the texts."""
    texts = texts or compact(sources)
    modules = {}

    def load(dotted, *rest):
        fromlist = rest[2] if len(rest) > 2 else ()
        if dotted not in texts:
            return __import__(dotted)
        if dotted not in modules:
            modules[dotted] = types.ModuleType(dotted)
            modules[dotted].__dict__["__builtins__"] = {**vars(__import__("builtins")), "__import__": load}
            exec(texts[dotted], modules[dotted].__dict__)
        for one in fromlist or ():
            if f"{dotted}.{one}" in texts:
                setattr(modules[dotted], one, load(f"{dotted}.{one}", None, None, ("",)))
        return modules[dotted]

    return load(name, None, None, ("",)), texts


BASE = """
from agent.base.compat import const
LIMIT = const(7)
TWICE = const(LIMIT * 2)
KEPT = [3]
def double(amount, by=2):
    return amount * by
"""
COMPAT = "def const(value):\n    return value\n"


def test_a_constant_of_another_module_becomes_a_number():
    sources = {
        "agent.base.compat": COMPAT,
        "agent.base": BASE,
        "user": "from agent.base import LIMIT, TWICE, double\ndef f():\n    return double(LIMIT + TWICE)\n",
    }
    user, texts = run(sources, "user")
    assert user.f() == 42
    assert "LIMIT" not in "".join(texts.values()) and "TWICE" not in "".join(texts.values())


def test_all_that_the_app_imports_is_one_module_and_the_others_find_it_there():
    sources = {
        "agent": "",
        "agent.base.compat": COMPAT,
        "agent.base": BASE,
        "agent.one": (
            "from agent.base import double\n_STEP = [1]\ndef take(number):\n    return double(number) + _STEP[0]\n"
        ),
        "agent.app": (
            "from agent import one\nfrom agent.base import double as twice\n_STEP = [2]\n"
            "def run(number):\n    from agent.late import last\n    return last(one.take(twice(number)) + _STEP[0])\n"
        ),
        "agent.late": (
            "from agent.base import KEPT\nfrom agent import one as h\ndef last(n):\n    return h.take(n) + KEPT[0]\n"
        ),
        "board": "from agent.app import run\ndef go(number):\n    return run(number)\n",
    }
    board, texts = run(sources, "board")
    assert board.go(5) == ((5 * 2 * 2 + 1) + 2) * 2 + 1 + 3
    assert "agent.one" not in texts and "agent.base" not in texts
    assert set(texts) == {"agent", "agent.app", "agent.late", "board"}


def test_what_stays_apart_is_imported_where_the_bundle_uses_it():
    sources = {
        "agent.app": "from agent.log.mount import mount\ndef up():\n    return mount()\ndef idle():\n    return 1\n",
        "agent.log.mount": "def mount():\n    return 7\n",
        "board": "from agent.app import up, idle\ndef go():\n    return up() + idle()\n",
    }
    board, texts = run(sources, "board")
    assert board.go() == 8
    assert not texts["agent.app"].startswith("from agent.log")


def test_a_function_that_nothing_uses_is_left_out():
    sources = {
        "agent.app": "class Box:\n    def used(self):\n        return 1\n"
        "    def unused_one(self):\n        return 2\n"
        "def spare_one():\n    return 3\n",
        "board": "from agent.app import Box\ndef go():\n    return Box().used()\n",
    }
    board, texts = run(sources, "board")
    assert board.go() == 1 and "return 2" not in texts["agent.app"] and "return 3" not in texts["agent.app"]


def test_names_for_a_person_go_to_who_shows_them():
    sources = {
        "agent.base.health": "NAMES = ('stored', 'gone')\ndef counters():\n    return [0] * len(NAMES)\n",
        "agent.app": "from agent.base.health import counters\ndef run():\n    return counters()\n",
        "agent.status": "from agent.base import health as h\ndef show():\n    return h.NAMES[1]\n",
        "board": "from agent.app import run\nfrom agent.status import show\ndef go():\n    return run(), show()\n",
    }
    board, texts = run(sources, "board")
    assert board.go() == ([0, 0], "gone")
    assert "gone" not in texts["agent.app"]


def test_attributes_are_short_and_apart_in_each_class_and_its_base():
    text = (
        "class Base:\n    def __init__(self, long_argument):\n        self._own_of_base = long_argument\n"
        "    def public_of_base(self):\n        return self._own_of_base\n"
        "class User(Base):\n    def __init__(self):\n        Base.__init__(self, 1)\n        self.own_of_user = 2\n"
        "    def both(self):\n        return self.public_of_base(), self.own_of_user, self._own_of_base\n"
        "class Other:\n    def __init__(self):\n        self.own_of_other = 5\n"
        "def f():\n    return User().both(), Other().own_of_other\n"
    )
    board, texts = run({"agent.app": text, "board": "from agent.app import f\ndef go():\n    return f()\n"}, "board")
    assert board.go() == ((1, 2, 1), 5)
    assert "own_of" not in texts["agent.app"] and "long_argument" not in texts["agent.app"]


def test_an_argument_passed_by_name_keeps_its_name():
    sources = {
        "agent.base.compat": COMPAT,
        "agent.base": BASE,
        "user": "from agent.base import double\ndef f():\n    other = double\n    return other(4, by=3)\n",
    }
    user, texts = run(sources, "user")
    assert user.f() == 12 and "by=2" in texts["agent.base"]


def test_what_other_objects_have_keeps_its_name():
    sources = {
        "agent.app": (
            "class Port:\n    def close(self):\n        self.first = 1\n    def settle(self):\n        self.close()\n"
        ),
        "board": "from agent.app import Port\ndef go(socket):\n    Port().settle()\n    socket.close()\n",
    }
    names = Names(sources)
    assert "close" not in names.attributes and "settle" in names.attributes
    assert {"close", "readinto", "append", "write", "any"} <= FOREIGN


def test_a_script_beside_the_program_is_written_against_its_names_or_refused():
    program = Program(
        {
            "agent.ring": "class Ring:\n    def __init__(self):\n        self.stored = 4\n",
            "agent.app": "from agent.ring import Ring\ndef run():\n    return Ring().stored\n",
            "board": "from agent.app import run\nrun()\n",
        }
    )
    text = program.beside({"job": "from agent.ring import Ring\nprint(Ring().stored)\n"})["job"]
    assert text.startswith("from agent.app import") and "stored" not in text
    with pytest.raises((Missing, KeyError)):
        program.beside({"job": "from agent.ring import Rong\n"})


def imported_twice(text):
    """Names that two imports at the top of a module bind."""
    names = [
        alias.asname or alias.name
        for node in ast.parse(text).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]
    return {name for name in names if names.count(name) > 1}


@pytest.mark.parametrize("own_image", [False, True])
def test_no_new_name_is_one_that_a_module_is_imported_under(own_image):
    aliases = "abcdefgh"  # unused but for the last, and kept: somebody may look them up by these strings
    sources = {
        "agent": "",
        "agent.app": "from agent import one\ndef run(number):\n    return one.take(number)\n",
        "agent.one": (
            "def take(number):\n    if number:\n        number += 1\n    return number\n"
            "def twice(number):\n    if number:\n        number *= 2\n    return number\n"
        ),
        "agent.late": "".join(f"from agent import one as {name}\n" for name in aliases)
        + "from agent.one import take\ndef go(number):\n    return take(take(number)) + h.twice(h.twice(number))\n",
        "board": f"from agent.late import go\nSAID = {tuple(aliases)}\ndef run(number):\n    return go(number), SAID\n",
    }
    texts = Program(sources, own_image=own_image).texts
    assert not [module for module, text in texts.items() if imported_twice(text)]
    assert run(sources, "board", texts)[0].run(5)[0] == 5 + 2 + 5 * 4


def test_the_program_of_a_board_finds_every_name_it_uses():
    program = program_of_board()
    for module, text in program.texts.items():
        compile(text, module, "exec")
        assert not imported_twice(text), module
    assert program.place("agent.log.log", "Log")[0] == "agent.app"


def test_the_whole_product_compiles_and_is_less_than_half_as_large(tmp_path):
    sizes = compile_compacted(tmp_path, "armv6m")
    plain = {}
    for source in product_sources():
        if source.name.startswith("agent/"):
            compiled, said = compile_object(source, "armv6m" if source.is_native else "")
            assert compiled is not None, said
            plain[source.name] = compiled.stat().st_size
    agent = [name for name in sizes if name.startswith("agent/")]
    assert sum(sizes[name] for name in agent) < 0.6 * sum(plain.values())


CALLS = """
class Box:
    def __init__(self):
        self.seen = []
    def _early(self, number):
        if number < 0:
            return -1
        for _ in range(2):
            self.seen.append(number)
        if number > 5:
            return 5
        return number
    def _last(self, number, by=1):
        while True:
            number += by
            if number > 20:
                return number
    def _twice(self, number):
        number = number * 2
        return number
    def run(self, number):
        kept = number
        found = self._early(number)
        if not self._twice(found) < 10:
            return self._last(found), kept
        return found, kept
def go(numbers):
    box = Box()
    return [box.run(number) for number in numbers], box.seen
"""


def test_a_function_called_from_one_place_goes_there_and_does_the_same():
    sources = {
        "agent.app": CALLS,
        "board": "from agent.app import go\ndef all_of(numbers):\n    return go(numbers)\n",
    }
    plain: dict = {}
    exec(CALLS, plain)
    board, texts = run(sources, "board")
    numbers = [-3, 0, 3, 5, 6, 9]
    assert board.all_of(numbers) == plain["go"](numbers)
    assert texts["agent.app"].count("def ") == 4  # __init__, run, go, and _last, whose answer is part of another


def test_what_is_called_twice_or_found_by_a_string_or_makes_the_frame_large_stays_a_function():
    many = "".join(f"        v{index} = number + {index}\n" for index in range(12))
    total = " + ".join(f"v{index}" for index in range(12))
    text = (
        "class Box:\n    def _twice(self):\n        one = 1\n        return one\n"
        "    def _asked(self):\n        return 2\n"
        f"    def _large(self, number):\n{many}        return {total}\n"
        "    def run(self):\n        a = self._twice() + self._twice()\n        b = self._asked()\n"
        "        b += getattr(self, '_asked')()\n        return a, b, self._large(1)\n"
    )
    board, texts = run(
        {"agent.app": text, "board": "from agent.app import Box\ndef go():\n    return Box().run()\n"},
        "board",
    )
    assert board.go() == (2, 4, 78)
    assert texts["agent.app"].count("def ") == 4


ASKED = """
class Part:
    def __init__(self, log):
        self.log = log
        self.level = 0
    def is_high(self):
        return self.level > 3
    def is_low(self, least=1):
        return self.level < least
    def step(self, number):
        self.log.append(("a step", number))
        self.level = number
        return number % 3
    def sign_of(self, number):
        if number > 6:
            self.log.append("large")
            if number == 8:
                return 8
        self.log.append("plain")
        return 2
    def find(self, number):
        for index in range(4):
            self.log.append(index)
            if index == number:
                return index
        else:
            self.log.append("through")
        return -1
    def search(self, number):
        while True:
            number += 1
            if number % 5 == 0:
                return number
    def deep(self, number):
        for one in range(3):
            for other in range(3):
                if one * other == number:
                    return one
        return 9
    def ended(self, number):
        for index in range(3):
            if index == number:
                break
        else:
            return 7
        return index
    def next_of(self):
        return self.changed() + self.level
    def changed(self):
        self.level += 1
        return 1
class Box:
    def __init__(self):
        self.log = []
        self.part = Part(self.log)
        self.many = 0
    def run(self, number):
        part = self.part
        told = []
        if number > 1 and part.step(number):
            told.append("one of three")
        if number < 0 or not self.part.sign_of(number) == 2:
            told.append("sign")
        else:
            told.append("no sign")
        self.many = part.find(number) if number else None
        while part.is_low(number) and part.search(part.level) < 9:
            part.level += 5
        found = number > 2 and part.deep(number) or part.ended(number)
        told.append((self.many, found, self.part.is_high(), part.is_high(), part.next_of()))
        return told, self.log
def go(number):
    return Box().run(number)
"""


def test_calls_behind_conditions_and_returns_out_of_loops_do_the_same_in_the_same_order():
    sources = {
        "agent.app": ASKED,
        "board": "from agent.app import go\ndef all_of(number):\n    return go(number)\n",
    }
    plain: dict = {}
    exec(ASKED, plain)
    board, _ = run(sources, "board")
    for number in range(-2, 12):
        assert board.all_of(number) == plain["go"](number), number
    # deep returns out of two loops; with a frame that is large enough the others go in.
    shaped = Program(sources, own_image=True).shaped["agent.app"]
    names = ("step", "sign_of", "find", "search", "deep", "is_high")
    assert [name for name in names if f"def {name}(" in shaped] == ["deep"]


def test_an_expression_goes_in_only_where_all_of_its_names_mean_the_same():
    text = (
        "LEVEL = [3]\ndef level_of(number):\n    return LEVEL[0] + number\n"
        "class Box:\n    def __init__(self):\n        self.kept = 1\n        self.steady = 5\n"
        "    def moved(self):\n        self.kept += 1\n        return self.kept\n"
        "    def twice(self, one):\n        return self.moved() * 10 + one\n"
        "    def once(self, one):\n        return self.moved() * 10 + one\n"
        "    def run(self):\n        LEVEL = 4\n"
        "        return level_of(LEVEL), self.twice(self.kept), self.once(self.steady)\n"
        "def go():\n    return Box().run(), Box().run()\n"
    )
    plain: dict = {}
    exec(text, plain)
    sources = {"agent.app": text, "board": "from agent.app import go\ndef all_of():\n    return go()\n"}
    board, _ = run(sources, "board")
    assert board.all_of() == plain["go"]()
    # level_of meets a local called LEVEL, twice an attribute that its own call changes; once can go.
    shaped = Program(sources).shaped["agent.app"]
    assert [f"def {name}(" in shaped for name in ("level_of", "twice", "once")] == [True, True, False], shaped


def test_locals_share_a_place_only_when_none_of_them_is_needed():
    text = (
        "def f(first, second):\n    a = first + 1\n    b = a * 2\n    c = b + 3\n    for d in range(3):\n"
        "        e = c + d\n        if e > 5:\n            g = e\n    return g + second\n"
    )
    function = ast.parse(text).body[0]
    scope = scopes(ast.Module([function], []))[1]
    found = slots(function, scope.names)
    assert (found["first"], found["second"]) == (0, 1)
    assert found["a"] == found["b"] == found["c"] == 0  # first is not needed any more
    assert len({found["c"], found["d"], found["e"], found["g"], found["second"]}) == 5
    plain: dict = {}
    exec(text, plain)
    rewritten: dict = {}
    texts = compact({"agent.app": text, "board": "from agent.app import f\nf(1, 2)\n"})
    exec(texts["agent.app"], rewritten)
    assert next(value for value in rewritten.values() if isinstance(value, types.FunctionType))(1, 10) == plain["f"](
        1, 10
    )


def test_a_local_that_lives_on_into_the_next_turn_of_a_loop_keeps_its_place():
    text = (
        "def f(numbers):\n    last = 0\n    total = 0\n    for number in numbers:\n        step = number - last\n"
        "        total += step * step\n        last = number\n    return total\n"
    )
    function = ast.parse(text).body[0]
    scope = scopes(ast.Module([function], []))[1]
    found = slots(function, scope.names)
    assert len({found["last"], found["total"], found["number"], found["step"]}) == 4


def test_a_local_that_only_some_turns_of_a_loop_set_keeps_its_place():
    text = (
        "def f(numbers):\n    count = 0\n    for number in numbers:\n        step = number + 1\n"
        "        if count == 0:\n            first = step\n        count += 1\n        both = first + step\n"
        "        more = both + number\n        if more > 15:\n            return more + both\n    return count\n"
    )
    function = ast.parse(text).body[0]
    scope = scopes(ast.Module([function], []))[1]
    found = slots(function, scope.names)
    assert found["first"] not in [found[name] for name in ("step", "both", "more", "number", "count")]
    plain: dict = {}
    exec(text, plain)
    rewritten: dict = {}
    exec(
        compact({"agent.app": text, "board": "from agent.app import f\nf((1,))\n"})["agent.app"],
        rewritten,
    )
    shaped = next(value for value in rewritten.values() if isinstance(value, types.FunctionType))
    assert shaped((1, 2, 7)) == plain["f"]((1, 2, 7)) == 27


def test_a_builtin_has_a_short_way_but_the_loop_over_a_range_stays_free():
    text = bind_builtins("def f(x):\n    for i in range(len(x)):\n        pass\n    return len(x)\n")
    assert text.count("len") == text.count("len__bound") + 1
    assert "in range(len__bound(x))" in text


def test_bytes_of_numbers_become_octets():
    source = "from agent.base.compat import const\nTWO = const(2)\nrow = bytes((1, TWO, TWO * 16 + 3))\n"
    source += "plain = bytes(row)[:1]\n"
    text = constants({"agent.base.compat": COMPAT, "user": source})["user"]
    assert "row = b'\\x01\\x02#'" in text and "plain = bytes(row)[:1]" in text


def test_what_a_module_makes_of_octets_is_made_already_and_tuples_where_they_lie_in_the_flash():
    source = (
        "from agent.base.compat import const\nTWO = const(2)\n_DO = bytes((TWO,) * 2 + (7,))\nLONG = b'x' * 65\n"
        "_ALL = _DO + b'a' * 3\nROW = (TWO, _ALL)\nMADE = (1, other())\nTWICE = b'a' + b'b'\nTWICE = b'c'\n"
    )
    lines = constants({"agent.base.compat": COMPAT, "agent.user": source})["agent.user"].split("\n")
    flash = constants({"agent.base.compat": COMPAT, "agent.user": source}, True)["agent.user"].split("\n")
    for text in (lines, flash):
        assert "_DO = b'\\x02\\x02\\x07'" in text and "_ALL = b'\\x02\\x02\\x07aaa'" in text
        assert "LONG = b'x' * 65" in text and "MADE = (1, other())" in text and "TWICE = b'a' + b'b'" in text
    assert "ROW = (2, _ALL)" in lines and "ROW = (2, b'\\x02\\x02\\x07aaa')" in flash


FAST, FAST_CRC = NATIVES.values()


def test_with_machine_code_in_the_program_its_twins_are_all_there_is():
    native = "import micropython\ndef twice(a):\n    return a + a\ndef same(a):\n    return a\nNAMES = ('twice',)\n"
    other = "import micropython\ndef thrice(a):\n    return a + a + a\nNAMES = ('thrice',)\n"
    user = (
        "from agent.base.compat import FAST\ndef twice(a):\n    return 2 * a\ndef same(a):\n    return a * 1\n"
        "def other(a):\n    return a\nsize = 3 if FAST is None else 5\n"
        "if FAST is not None:\n    for _name in FAST.NAMES:\n        globals()[_name] = getattr(FAST, _name)\n"
        "    _same = FAST.same\n    def _better(a):\n        return _same(a)\n    globals()['same'] = _better\n"
    )
    summed = (
        "from agent.base.compat import FAST_CRC\ndef thrice(a):\n    return 3 * a\n"
        "if FAST_CRC is not None:\n    for _name in FAST_CRC.NAMES:\n"
        "        globals()[_name] = getattr(FAST_CRC, _name)\n"
    )
    program = only_twins({FAST: native, FAST_CRC: other, "user": user, "summed": summed})
    with_native = program["user"]
    assert with_native.count("def ") == 2 and "2 * a" not in with_native and "a * 1" not in with_native
    names = {"FAST": types.SimpleNamespace(twice=lambda a: a + a, same=lambda a: a)}
    exec(with_native.replace("from agent.base.compat import FAST", ""), names)
    assert (names["twice"]("x"), names["same"](4), names["other"](5), names["size"]) == ("xx", 4, 5, 5)
    assert program["summed"].split("\n")[1:] == ["thrice = FAST_CRC.thrice", ""]
    assert only_twins({"user": user}) == {"user": user}


def test_a_program_has_all_of_the_machine_code_or_none():
    assert has_natives([FAST, FAST_CRC, "agent.app"]) and not has_natives(["agent.app"])
    with pytest.raises(ValueError, match=r"agent\.base\.fast alone"):
        has_natives([FAST, "agent.app"])


def test_without_machine_code_what_asks_for_any_of_it_is_decided():
    compat = (
        "try:\n    from agent.base import fast as FAST\n    from agent.base import fast_crc as FAST_CRC\n"
        "except ImportError:\n    FAST = None\n    FAST_CRC = None\n"
    )
    app = (
        "from agent.base.compat import FAST, FAST_CRC\ndef loop():\n    return 1\ndef run():\n    return loop()\n"
        "if FAST is not None:\n    globals()['loop'] = FAST.loop\n"
        "if FAST_CRC is not None:\n    globals()['run'] = FAST_CRC.run\n"
    )
    program = Program({"agent.base.compat": compat, "agent.app": app}, keep=frozenset({"run"}))
    assert "FAST" not in "".join(program.texts.values()) and "fast" not in "".join(program.texts.values())


METHODS = """
class Base:
    def __init__(self):
        self.total = 0
    def _add(self, amount):
        self.total += amount
    def _twice(self, amount):
        self._add(amount)
        self._add(amount)
    def _which(self):
        return "base"
    def asked(self):
        return self._which()
class Derived(Base):
    def _which(self):
        return "derived"
    def run(self):
        self._twice(5)
        self._add(self.total)
        return self._only(3)
    def _only(self, amount, by=2):
        self.extra = [self._kept, self._kept]
        return self.total * amount * by
    def _kept(self):
        return self.total
"""


def test_private_methods_become_functions_unless_something_else_is_done_with_them():
    texts = functions_of_methods({"agent.app": METHODS})
    tree = ast.parse(texts["agent.app"])
    classes = {node.name: [one.name for one in node.body] for node in tree.body if isinstance(node, ast.ClassDef)}
    # `_which` is in both classes of a line, `_kept` is taken as a value.
    assert classes == {"Base": ["__init__", "_which", "asked"], "Derived": ["_which", "run", "_kept"]}
    for text in (METHODS, texts["agent.app"]):
        names: dict = {}
        exec(text, names)
        one = names["Derived"]()
        assert (one.run(), one.total, one.asked(), names["Base"]().asked()) == (120, 20, "derived", "base")
        assert one.extra[0]() == 20


APART = """
class Walker:
    def __init__(self):
        self.at = 0
    def go(self):
        self._step(2)
        return self.at
    def _step(self, by):
        self.at += by
class Clock:
    def __init__(self):
        self._step = 5
    def go(self):
        return self._step
def both():
    return Walker().go(), Clock().go()
"""
KEEPS = """
class Keeper(Walker):
    def kept(self):
        self.kept = self._step
        self.kept(3)
        return self.at
"""


def test_a_name_that_a_class_of_another_line_uses_for_itself_keeps_no_method_in_its_class():
    text = functions_of_methods({"agent.app": APART})["agent.app"]
    assert methods_in(text) == {"Walker": ["__init__", "go"], "Clock": ["__init__", "go"]}
    names: dict = {}
    exec(text, names)
    assert names["both"]() == (2, 5)
    # In its own line it may be asked for as a value: there it stays.
    text = functions_of_methods({"agent.app": APART + KEEPS})["agent.app"]
    assert methods_in(text)["Walker"] == ["__init__", "go", "_step"]
    names = {}
    exec(text, names)
    assert names["both"]() == (2, 5) and names["Keeper"]().kept() == 3


def test_a_call_on_another_name_than_self_keeps_the_method():
    box = "class Box:\n    def __init__(self):\n        self.full = 0\n"
    put = "    def _put(self, count):\n        self.full += count\n        return self.full\n"
    caller = "def fill(box):\n    return box._put(3) + box._put(4)\n"
    text = functions_of_methods({"agent.app": box + put + caller})["agent.app"]
    assert "_put" in methods_in(text)["Box"] and text.count("box._put") == 2


def test_methods_of_one_name_get_names_of_their_own_and_stay_where_names_have_a_price():
    texts = functions_of_methods({"agent.app": APART.replace("self._step = 5", "self.at = 5")}, out=False)
    text = texts["agent.app"].replace("return self._step", "return self.at")
    assert methods_in(text)["Walker"] == ["__init__", "go", "Walker__of_step"]
    names: dict = {}
    exec(text, names)
    assert names["both"]() == (2, 5)


def test_what_another_module_does_with_the_name_on_an_object_keeps_the_method():
    texts = functions_of_methods({"agent.app": APART, "board": "def look(walker):\n    return walker._step(1)\n"})
    assert methods_in(texts["agent.app"])["Walker"] == ["__init__", "go", "_step"]


def methods_in(text):
    return {
        node.name: [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }


def test_a_private_method_that_a_class_of_another_module_calls_stays_a_method():
    sources = {
        "agent.base": "class Base:\n    def both(self):\n        return self._one() + self._one()\n"
        "    def _one(self):\n        return 1\n",
        "agent.late": "from agent.base import Base\nclass Derived(Base):\n    def go(self):\n"
        "        return self._one() + self.both()\ndef late():\n    return Derived().go()\n",
        "agent.app": "from agent.base import Base\ndef run():\n    return Base().both()\n",
        "board": "from agent.app import run\nfrom agent.late import late\ndef go():\n    return run(), late()\n",
    }
    board, _ = run(sources, "board")
    assert board.go() == (2, 3)


def test_a_constant_that_a_module_passes_on_is_a_number_for_who_takes_it_there():
    sources = {
        "agent.base.compat": COMPAT,
        "agent.base": BASE,
        "agent.ring": "from agent.base import LIMIT\ndef least():\n    return LIMIT\n",
        "user": "from agent.ring import LIMIT, least\ndef f():\n    return LIMIT, least()\n",
    }
    user, texts = run(sources, "user")
    assert user.f() == (7, 7) and "LIMIT" not in "".join(texts.values())


def test_rest_of_the_arguments_is_needed_from_the_first_line_on():
    text = (
        "def _f(first, *rest):\n    a = first + 1\n    b = a + first\n    b += a\n"
        "    for one in rest:\n        b += one\n    return b\ndef go():\n    return _f(1, 10, 20)\n"
    )
    function = ast.parse(text).body[0]
    found = slots(function, scopes(ast.Module([function], []))[1].names)
    assert found["rest"] not in (found["first"], found["a"], found["b"])
    user, _ = run({"user": text}, "user")
    assert user.go() == 35


def test_what_a_method_sets_that_became_a_function_still_counts_as_its_classs():
    source = """
class One:
    def __init__(self):
        self.first = 1
    def go(self):
        self._set()
        self._set()
        return self.first + self.second
    def _set(self):
        self.second = 2
"""
    app, texts = run({"agent.app": source + "\nanswer = One().go()\n"}, "agent.app")
    assert 3 in vars(app).values()
    assert "_set" not in texts["agent.app"]


def test_a_variable_tells_what_it_holds_after_its_function_went_into_another():
    source = """
class Cursor:
    def __init__(self):
        self.seq = 0
class Log:
    def __init__(self):
        self.one = self.two = self.three = 1
        self.cursors = [Cursor(), Cursor()]
    def go(self):
        scout = self.cursors[1]
        scout.seq = 7
        ahead(self.cursors[0], 2)
        return self.one + self.two + self.three, [cursor.seq for cursor in self.cursors]
def ahead(cursor, by):
    cursor.seq += by * len(str(by))
"""
    program = Program({"agent.app": source, "board": "from agent.app import Log\nfound = Log().go()\n"})
    assert "ahead" not in program.shaped["agent.app"].split("def ")[0] and "cursor.seq" in program.shaped["agent.app"]
    assert program.attribute("seq") in map(program.attribute, ("one", "two", "three", "cursors"))
    board, _ = run({}, "board", program.texts)
    assert board.found == (3, [2, 7])


def test_the_program_is_the_same_whatever_order_python_gives_its_sets():
    script = (
        "import hashlib\nfrom tools.compact.program import Program\nfrom tools.compact.tree import dotted\n"
        "from tools.base.sources import product_sources\n"
        "sources = {dotted(source.name): source.text for source in product_sources()}\n"
        "print(hashlib.sha256(repr(sorted(Program(sources).texts.items())).encode()).hexdigest())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    # Made by a process whose sets have another order.
    ours = hashlib.sha256(repr(sorted(program_of_board().texts.items())).encode()).hexdigest()
    assert said.strip() == ours


def test_a_name_that_a_function_imports_is_not_taken_for_the_one_of_its_module():
    sources = {
        "agent.app": "from agent.here import words\nanswer = words(1)\n",
        "agent.here": """
WORDS = "mine"
def words(turns):
    from agent.there import WORDS
    for _ in range(turns):
        found = WORDS, mine(turns)
    return found
def mine(turns):
    while turns > 5:
        turns -= 1
    return WORDS
""",
        "agent.there": "WORDS = 'theirs'\n",
    }
    for rewritten in (Names(sources).rewritten(), compact(sources)):
        app, _ = run(sources, "agent.app", rewritten)
        assert ("theirs", "mine") in vars(app).values()


def test_modules_that_do_not_see_each_other_share_names():
    sources = {
        "agent": "",
        "agent.low": "def both(n):\n    return n + 1\ndef alone(n):\n    return both(n)\nabs_of = abs\n",
        "agent.left": "from agent.low import both\ndef mine(n):\n    return both(n) + both(n)\n",
        "agent.right": "def theirs(n):\n    from agent.low import alone\n    return alone(n) + alone(1) + abs(-1)\n",
        "user": (
            "from agent.left import mine\nfrom agent.right import theirs\nfrom agent.low import abs_of\n"
            "def f():\n    return mine(1), theirs(2), abs_of(-3)\n"
        ),
    }
    user, _ = run(sources, "user")
    assert user.f() == (4, 6, 3)
    tops = Names(sources).tops
    seen = {}  # what each module has in its dict
    for module, mine in (("agent.low", ()), ("agent.left", ("both",)), ("agent.right", ())):
        names = [short for (of, _), short in tops.items() if of == module]
        names += [tops["agent.low", name] for name in mine]
        assert len(set(names)) == len(names), module
        seen[module] = set(names)
    assert seen["agent.low"] & seen["agent.right"]
    assert "abs" not in tops.values()  # somebody means the builtin


def test_what_a_function_imports_under_the_name_of_a_value_of_its_module_is_another():
    sources = {
        "agent": "",
        "agent.low": "NAMES = ('low',)\n",
        "agent.high": (
            "NAMES = ('high',)\nOTHERS = ('other',)\n"
            "def names():\n    from agent.low import NAMES\n    return NAMES[0]\n"
            "def own():\n    return NAMES[0] + OTHERS[0] + OTHERS[0][0]\n"
        ),
        "user": "from agent.high import names, own\ndef f():\n    return names(), own()\n",
    }
    user, _ = run(sources, "user")
    assert user.f() == ("low", "highothero")
