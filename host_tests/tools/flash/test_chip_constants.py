"""What a chip gets: constants are numbers, and everything else stands where it stood."""

import ast

import pytest

from toolcart.base.constants import chip_sources, module_name, written_out
from toolcart.base.sources import Source, product_sources


@pytest.fixture(scope="module")
def files():
    return tuple(zip(product_sources(), chip_sources(), strict=True))


def given(text):
    return written_out(Source("lab/example.py", text))[0].text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A = const(4)  # words\nB = const(A * 2)\nprint(A, B)\n", "  # words\n\nprint(4, 8)\n"),
        ("from toolcart.agent.log.snapshot_fields import LOG, CURSOR as C\nx = C + LOG\n", "\nx = 9 + 0\n"),
        ("from toolcart.agent.log import snapshot_fields as field\nx = field.CURSOR\n", "\nx = 9\n"),
        ("from toolcart.agent.log.log import Log, LOG_FULL\nx = Log, LOG_FULL\n", None),
        ("from toolcart.agent.log.snapshot_fields import (\n    CURSOR,\n    LOG,\n)\nx = LOG\n", "\n\n\n\nx = 0\n"),
        (
            "def f():\n    from toolcart.agent.log.snapshot_fields import LOG\n    return LOG\n",
            "def f():\n    pass\n    return 0\n",
        ),
        ("LOG = const(3)\n\n\ndef f(LOG):\n    return LOG\n", "LOG = const(3)\n\n\ndef f(LOG):\n    return LOG\n"),
        ("x.LOG = y.LOG\nLOG = 1\n", "x.LOG = y.LOG\nLOG = 1\n"),
        ("from toolcart.agent.base.compat import ON_CPYTHON\nif ON_CPYTHON:\n    f()\n", "\nif 0:\n    f()\n"),
    ],
)
def test_a_constant_is_a_number_wherever_it_is_named(text, wanted):
    assert given(text) == (wanted or "from toolcart.agent.log.log import Log\nx = Log, (-3)\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A = const(4)\n_B = bytes((A,) * 2)  # words\nx = (1, _B)\n", "\n  # words\nx = (1, b'\\x04\\x04')\n"),
        (
            "from toolcart.agent.log import snapshot_fields as field\n_B = (field.CURSOR, None)\nx = _B\n",
            "\n\nx = (9, None)\n",
        ),
        ("_B = 1 << 3\nx = y[_B]\n", "\nx = y[8]\n"),
        ("_B = 'a'\n\n\ndef f():\n    global _B\n    _B = 'b'\n", None),
        ("_B = [1]\n_C = len(_B)\n_D = f\n_E = bytearray(2)\nx = _B, _C, _D, _E\n", None),
        ("B = (1, 2)\nx = B\n", None),  # others may ask whether it is this one
    ],
)
def test_a_private_table_of_constants_is_written_where_it_is_named(text, wanted):
    assert given(text) == (wanted or text)


def test_a_class_keeps_only_what_is_looked_up_in_it():
    text = 'class A:\n    """Words,\n    two lines."""\n\n    __slots__ = (\n        "a",\n    )\n\n    b = 1\n'
    made = given(text)
    assert made == "class A:\n    del __module__, __qualname__\n\n\n    \n\n\n\n    b = 1\n"
    assert given("class A:\n    pass\n") == "class A:\n    pass\n"


def test_a_module_whose_name_is_used_twice_is_refused():
    with pytest.raises(
        ValueError, match="field is a module whose constants are written out, and something else as well"
    ):
        given("from toolcart.agent.log import snapshot_fields as field\ndef f(field):\n    return field.LOG\n")


def test_every_function_of_a_chip_is_in_its_line(files):
    for source, chip in files:
        assert places(source) == places(chip), source.name
        assert source.text.count("\n") == chip.text.count("\n")


def places(source):
    kinds = ast.FunctionDef | ast.ClassDef
    return [(node.name, node.lineno) for node in ast.walk(ast.parse(source.text)) if isinstance(node, kinds)]


def test_every_name_that_a_chip_imports_is_there(files):
    has = {module_name(chip.name): bound(ast.parse(chip.text)) for _, chip in files}
    lacking = []
    for _, chip in files:
        for node in ast.walk(ast.parse(chip.text)):
            if isinstance(node, ast.ImportFrom) and node.module in has:
                names = {alias.name for alias in node.names if f"{node.module}.{alias.name}" not in has}
                lacking += [(chip.name, name) for name in names - has[node.module]]
    assert lacking == [("toolcart/agent/base/compat.py", "fields_cpython")]  # CPython alone asks for it


def bound(tree):
    """The names that a module has."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {(alias.asname or alias.name) for alias in node.names}
    return names


def test_nothing_of_the_product_is_left_a_constant(files):
    """But a name that one file uses for two things."""
    kept = [(chip.name, line) for _, chip in files for line in chip.text.splitlines() if "= const(" in line]
    assert len(kept) < 8, kept
