"""Leaves out what never runs on a board: code for CPython, and the bytecode of what has a twin in machine code.

A chip's program either has `agent.base.fast` and its like, compiled for that very chip, or has none of them. In the
sources the choice is made when a module is imported, so that the same files run everywhere; when it is made here, code
that never runs is left out.

Rules
1. Only with machine code in the program (`bundle.NATIVES`). There `FAST is None` is False, and
   `if FAST is not None:` is replaced by its body.
2. `globals()["name"] = ...` in there becomes `name = ...`, and the earlier function of that name is dropped. A loop
   over the names of the twins becomes one such line for each.
3. If the machine code does not load after all, the import fails: that chip was given the wrong files.
4. `ON_CPYTHON` of agent.base.compat is False: the body of an `if ON_CPYTHON:` is dropped, and so is the name.
"""

from __future__ import annotations

import ast

from tools.compact.bundle import NATIVES, has_natives
from tools.compact.lines import parse, unparse

ON_CPYTHON = "ON_CPYTHON"


def without_cpython(sources: dict[str, str]) -> dict[str, str]:
    """Return the program without what is for CPython alone (rule 4)."""
    return {name: _for_a_board(text) if ON_CPYTHON in text else text for name, text in sources.items()}


def _for_a_board(text: str) -> str:
    tree = _ForABoard().visit(parse(text))
    left = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == ON_CPYTHON]
    if left:
        raise ValueError(f"{ON_CPYTHON} is asked for otherwise than by `if`: {ast.unparse(tree)}")
    return unparse(tree)


def only_twins(sources: dict[str, str]) -> dict[str, str]:
    """Return the program with the twins alone; unchanged if it has none."""
    if not has_natives(sources):
        return sources
    lists = {}
    for called, module in NATIVES.items():
        lists.update(_lists(called, parse(sources[module])))
    return {name: text if name in NATIVES.values() else _decided(text, lists) for name, text in sources.items()}


def _lists(called: str, native: ast.Module) -> dict[str, list[str]]:
    """Return the tuples of names at the end of a module of machine code, each as its users write it."""
    return {
        f"{called}.{statement.targets[0].id}": [
            str(one.value) for one in statement.value.elts if isinstance(one, ast.Constant)
        ]
        for statement in native.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Tuple)
    }


def _decided(text: str, lists: dict[str, list[str]]) -> str:
    if "FAST" not in text:
        return text
    tree = _Decider().visit(parse(text))
    body: list[ast.stmt] = []
    for statement in tree.body:
        taken = statement.body if _is_chosen(statement) else [statement]
        for one in taken:
            body += _bound(one, lists)
    last = {
        one.targets[0].id: one for one in body if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    tree.body = [one for one in body if not (isinstance(one, ast.FunctionDef) and one.name in last)]
    return unparse(tree)


def _is_chosen(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and isinstance(statement.test, ast.Constant) and statement.test.value is True


def _bound(statement: ast.stmt, lists: dict[str, list[str]]) -> list[ast.stmt]:
    """Return what a statement binds at the top of its module, written plainly."""
    if isinstance(statement, ast.For) and isinstance(statement.iter, ast.Attribute) and _is_fast(statement.iter.value):
        names = lists[ast.unparse(statement.iter)]
        return [_assign(name, ast.Attribute(statement.iter.value, name, ast.Load())) for name in names]
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        target = statement.targets[0]
        if isinstance(target.slice, ast.Constant) and ast.unparse(target.value) == "globals()":
            return [_assign(str(target.slice.value), statement.value)]
    return [statement]


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)


def _is_fast(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in NATIVES


class _Decider(ast.NodeTransformer):
    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if _is_fast(node.left) and isinstance(node.comparators[0], ast.Constant) and node.comparators[0].value is None:
            return ast.Constant(isinstance(node.ops[0], ast.IsNot))
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node


class _ForABoard(ast.NodeTransformer):
    """Decides conditions on CPython; any form but `if ON_CPYTHON` and `if not ON_CPYTHON and` is an error."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if _is_cpython(node.test):
            return node.orelse
        if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And):
            first = node.test.values[0]
            if isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.Not) and _is_cpython(first.operand):
                rest = node.test.values[1:]
                node.test = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        return None if _is_cpython(node.targets[0]) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        node.names = [alias for alias in node.names if alias.name != ON_CPYTHON]
        return node if node.names else None


def _is_cpython(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == ON_CPYTHON
