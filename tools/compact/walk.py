"""Every node of a syntax tree, in a quarter of the time that `ast.walk` takes: the steps of the compactor ask often."""

from __future__ import annotations

import ast

# Fields that hold no node, or one that says no more than its class (load, store, plus and the like).
_PLAIN = frozenset(
    "id attr arg name asname module level names ctx op ops kind type_comment conversion simple is_async".split()
)
_WITH_NODES = {"Constant": (), "Import": ("names",), "ImportFrom": ("names",), "keyword": ("value",)}
_fields: dict[type, tuple[str, ...]] = {type(None): ()}  # a default that is not there


def bound_by(node: ast.AST) -> str:
    """The name that a definition, an argument or a stored variable gives to something; empty for all else."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else ""


def walk(tree: ast.AST) -> list[ast.AST]:
    """All nodes as they are now, outer ones first, without the marks for load, store, plus and the like."""
    found = [tree]
    for node in found:
        kind = type(node)
        fields = _fields.get(kind)
        if fields is None:
            usual = tuple(field for field in node._fields if field not in _PLAIN)
            fields = _fields[kind] = _WITH_NODES.get(kind.__name__, usual)
        for field in fields:
            value = getattr(node, field)
            if type(value) is list:
                found += value
            elif value is not None:
                found.append(value)
    return found if None not in found else [node for node in found if node is not None]
