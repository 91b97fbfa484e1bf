"""tools/compact: the rewritten program does the same with fewer names."""

import types

import pytest

from tools.compact.source import compact
from tools.compact.tree import compile_compacted


def run(sources, name):
    """Execute the modules of a rewritten program and return one of them."""
    modules = {}
    for dotted in sources:
        modules[dotted] = types.ModuleType(dotted)
    rewritten = compact(sources)
    for dotted, text in rewritten.items():
        lines = [line for line in text.splitlines() if not line.startswith("from base import")]
        scope = modules[dotted].__dict__
        for line in text.splitlines():
            if line.startswith("from base import"):
                for imported in line.removeprefix("from base import ").split(", "):
                    scope[imported] = modules["base"].__dict__[imported]
        exec("\n".join(lines), scope)
    return modules[name], rewritten


BASE = """
const = lambda value: value
LIMIT = const(7)
TWICE = const(LIMIT * 2)
KEPT = 3
def double(amount, by=2):
    return amount * by
"""


def test_a_constant_of_another_module_becomes_a_number():
    user, texts = run(
        {"base": BASE, "user": "from base import LIMIT, TWICE, double\ndef f():\n    return double(LIMIT + TWICE)\n"},
        "user",
    )
    assert user.f() == 42
    assert "LIMIT" not in texts["user"] and "TWICE" not in texts["base"]


def test_a_plain_global_keeps_its_name():
    user, texts = run({"base": BASE, "user": "from base import KEPT\ndef f():\n    return KEPT\n"}, "user")
    assert user.f() == 3 and "KEPT" in texts["base"]


def test_private_names_are_short_and_still_found():
    text = (
        "class Box:\n    def __init__(self, long_argument):\n        self._contents_of_box = long_argument\n"
        "    def _look_inside(self):\n        return self._contents_of_box\n"
        "    def open(self):\n        return self._look_inside()\n"
    )
    user, texts = run({"base": BASE, "user": text}, "user")
    assert user.Box(5).open() == 5
    assert "_contents_of_box" not in texts["user"] and "long_argument" not in texts["user"]


def test_an_argument_passed_by_name_keeps_its_name():
    user, texts = run({"base": BASE, "user": "from base import double\ndef f():\n    return double(4, by=3)\n"}, "user")
    assert user.f() == 12 and "by=2" in texts["base"]


def test_the_private_name_of_another_module_is_refused():
    with pytest.raises(ValueError, match="_hidden is private"):
        compact(
            {
                "a": "class A:\n    def __init__(self):\n        self._hidden = 1\n",
                "b": "def f(a):\n    return a._hidden\n",
            }
        )


def test_the_whole_product_compiles_and_is_a_quarter_smaller(tmp_path):
    from tools.runtimes.build import compile_object, product_sources

    sizes = compile_compacted(tmp_path)
    plain = {}
    for source in product_sources():
        if source.name in sizes:
            compiled, said = compile_object(source, "")
            assert compiled is not None, said
            plain[source.name] = compiled.stat().st_size
    agent = [name for name in sizes if name.startswith("agent/")]
    assert sum(sizes[name] for name in agent) < 0.75 * sum(plain[name] for name in agent)


def test_private_names_of_a_class_and_of_its_base_in_another_module_stay_apart():
    base = (
        "class Base:\n    def _own_of_base(self):\n        return 1\n"
        "    def base(self):\n        return self._own_of_base()\n"
    )
    user = (
        "from base import Base\nclass User(Base):\n    def _own_of_user(self):\n        return 2\n"
        "    def user(self):\n        return self._own_of_user()\n"
    )
    module, _ = run({"base": base, "user": user}, "user")
    assert (module.User().base(), module.User().user()) == (1, 2)
