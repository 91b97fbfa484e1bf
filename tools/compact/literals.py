"""Puts octets and tuples that a module has under a name into the places where it uses them.

On a chip a name at a module's top is an entry in its dict and, unless another name has the same text, a text of its
own; and each use of it is a look into that dict. The octets themselves are named by their number in a table of the
file, where the same ones stand once.

Rules
1. `NAME = <octets, or a tuple of what does not change>` goes if it is bound once, and nobody but its module asks for
   it: not by an import, as an attribute, or by a text.
2. What `is` compares stays one object: such a name stays.
3. What has to be worked out, `bytes(..)`, `+` and `*` of such values, is worked out here, up to MOST octets: an image
   has to carry what is longer.
"""

from __future__ import annotations

import ast
from collections import Counter

from tools.compact.bundle import NATIVES
from tools.compact.lines import parse, unparse
from tools.compact.prune import strings_in
from tools.compact.scopes import MODULE, scopes
from tools.compact.walk import walk

MOST = 64
_PARTS = (ast.Constant, ast.Tuple, ast.BinOp, ast.Add, ast.Mult, ast.Name, ast.Load, ast.Call)


def literals_in_place(sources: dict[str, str], keep: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the program with fewer names at the top of its modules; those in `keep` stay."""
    trees = {name: parse(text) for name, text in sources.items()}
    asked = {"", *keep, *strings_in(trees.values())}
    for tree in trees.values():
        for node in walk(tree):
            if isinstance(node, ast.Attribute):
                asked.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                asked.update(alias.name for alias in node.names)
            elif isinstance(node, ast.Compare) and any(isinstance(one, (ast.Is, ast.IsNot)) for one in node.ops):
                asked.update(one.id for one in (node.left, *node.comparators) if isinstance(one, ast.Name))
    changed = {
        name
        for name, tree in trees.items()
        if name.startswith("agent") and name not in NATIVES.values() and _put_in_place(tree, asked)
    }
    return {name: unparse(trees[name]) if name in changed else text for name, text in sources.items()}


def _put_in_place(tree: ast.Module, asked: set[str]) -> bool:
    if all(_target_of(statement) in asked for statement in tree.body):
        return False
    scopes(tree)
    names = [node for node in walk(tree) if isinstance(node, ast.Name) and _is_top(node)]
    stored = Counter(node.id for node in names if not isinstance(node.ctx, ast.Load))
    known: dict[str, object] = {}
    left = []
    for statement in tree.body:
        name = _target_of(statement)
        if name not in asked and stored[name] == 1:
            value = _value(statement.value, known)  # type: ignore[attr-defined]
            if _is_literal(value):
                known[name] = value
                continue
        left.append(statement)
    tree.body = left
    _Placer(known).visit(tree)
    return bool(known)


def _target_of(statement: ast.stmt) -> str:
    """The one name that a statement binds; "" for anything else."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    return target.id if isinstance(target, ast.Name) else ""


def _is_top(node: ast.Name) -> bool:
    return getattr(getattr(node, "home", None), "kind", "") == MODULE


def _value(node: ast.expr, known: dict[str, object]) -> object:
    """What an expression of literals is; None if it is anything else, or longer than what its text says."""
    for part in walk(node):
        if not isinstance(part, _PARTS):
            return None
        if isinstance(part, ast.Call) and not (isinstance(part.func, ast.Name) and part.func.id == "bytes"):
            return None
        if isinstance(part, ast.Name) and part.id not in known and part.id != "bytes":
            return None
    try:
        value = eval(compile(ast.Expression(node), "<literal>", "eval"), {"__builtins__": {}, "bytes": bytes}, known)
    except TypeError:
        return None
    plain = isinstance(node, (ast.Constant, ast.Tuple, ast.Name))
    return value if plain or (isinstance(value, (bytes, tuple)) and len(value) <= MOST) else None


def _is_literal(value: object) -> bool:
    return isinstance(value, bytes) or (isinstance(value, tuple) and all(_may_be_in(one) for one in value))


def _may_be_in(value: object) -> bool:
    return value is None or isinstance(value, (int, str)) or _is_literal(value)


class _Placer(ast.NodeTransformer):
    def __init__(self, known: dict[str, object]):
        self.known = known

    def visit_Name(self, node):
        if node.id in self.known and _is_top(node):
            return ast.parse(repr(self.known[node.id]), mode="eval").body
        return node
