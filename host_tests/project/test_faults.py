"""docs/faults.md names for each fault that was found once the tests that find it now: all of them exist."""

import ast
import functools
import re

from toolcart.base.cache import CHECKOUT

TESTS = CHECKOUT / "host_tests"
FAULTS = 16

_ROW = re.compile(r"\| (\d+) \| .* \| (.*) \|")
_NAME = re.compile(r"`([^`]+)`")


def named():
    """Return what each row of the table names."""
    rows = {}
    for line in (CHECKOUT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines():
        found = _ROW.fullmatch(line)
        if found:
            rows[int(found[1])] = _NAME.findall(found[2])
    return rows


@functools.cache
def functions_of(module):
    """Return the names of the functions in a test module."""
    tree = ast.parse(next(TESTS.rglob(f"test_{module}.py")).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_fault_names_tests_that_exist():
    rows = named()
    assert list(rows) == list(range(1, FAULTS + 1))
    for number, names in rows.items():
        assert names, number
        for name in names:
            if name.startswith("worlds/"):
                assert (TESTS / name).is_file(), (number, name)
            else:
                module, _, test = name.partition(": ")
                assert f"test_{test}" in functions_of(module), (number, name)
