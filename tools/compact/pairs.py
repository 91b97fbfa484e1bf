"""Writes `a, b = c, d` without parentheses: MicroPython's compiler makes a tuple only of `a, b = (c, d)`.

`ast.unparse` puts every tuple in parentheses, and on the path of a result nothing may be allocated.
"""

from __future__ import annotations

import ast

from tools.compact.lines import Text, same_statements
from tools.compact.walk import walk

MOST = 3  # of more the compiler makes a tuple in any case


def without_tuples(text: str) -> Text:
    """Return a module's text, made by `ast.unparse`, without the parentheses around values of such assignments."""
    lines = text.encode().split(b"\n")  # the tree counts bytes
    for node in walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and _is_pair(node) and node.value.lineno == node.value.end_lineno:
            line = lines[node.lineno - 1]
            first, end = node.value.col_offset, node.value.end_col_offset
            lines[node.lineno - 1] = line[:first] + line[first + 1 : end - 1] + line[end:]  # type: ignore[operator]
    return same_statements(text, b"\n".join(lines).decode())


def _is_pair(node: ast.Assign) -> bool:
    to, value = node.targets[0], node.value
    return (
        len(node.targets) == 1
        and isinstance(to, ast.Tuple)
        and isinstance(value, ast.Tuple)
        and 2 <= len(to.elts) == len(value.elts) <= MOST
        and not any(isinstance(one, ast.Starred) for one in (*to.elts, *value.elts))
    )
