"""Makes mpy-cross number a module's names by how often they are used: the first 128 take one byte, the others two.

mpy-cross numbers names in the order it meets them, and it meets the module's own text first: the names of
all functions, each used once. So the module begins with a loop that is never run and names the others.
"""

from __future__ import annotations

import ast
from collections import Counter

from tools.compact.lines import behind
from tools.compact.walk import walk

ONE_OCTET = 124  # of the 128, less what mpy-cross itself puts in front
WORTH_BYTES = 200  # with fewer names in a module nothing is gained


def ordered(text: str) -> str:
    """Return the module with its most used names in front, if it has more than take one byte."""
    tree = ast.parse(text)
    used: Counter[str] = Counter()
    for function in walk(tree):
        if isinstance(function, ast.FunctionDef):
            used.update(_names_in(function))
    if len(used) < WORTH_BYTES:
        return text
    names = [name for name, _ in used.most_common(ONE_OCTET)]
    return behind(f"for _ in ():\n    _.{'.'.join(names)}\n", text)


def _names_in(function: ast.FunctionDef):
    local = {node.arg for node in walk(function) if isinstance(node, ast.arg)}
    local |= {node.id for node in walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for node in walk(function):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name) and node.id not in local:
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
