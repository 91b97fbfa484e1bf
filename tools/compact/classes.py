"""Makes one class of a line of classes: on a chip each class has its dict, and a look-up goes through all of them.

A class that is long is several for the reader (`Ring(Fold)`, `Fold(Blocks)`). MicroPython looks a method up in the
object, then in its class, then in each class that this one derives from.

Rules
1. A class goes into the one that derives from it if no other one does, and if it is named for nothing else but to call
   what the other one has in its place: `Base.__init__(self, ...)`.
2. Such a method gets a private name. One that is replaced and never called goes.
3. Both are in the same module, and nothing asks for the class by a string.
"""

from __future__ import annotations

import ast

from tools.compact.lines import parse, unparse
from tools.compact.prune import strings_in
from tools.compact.walk import walk


def one_class_a_line(sources: dict[str, str], keep: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the program with fewer classes; those named in `keep` stay."""
    trees = {name: parse(text) for name, text in sources.items()}
    refused = set(keep) | strings_in(trees.values())
    asked = {name: _asked_for(tree) for name, tree in trees.items()}
    for name, tree in trees.items():
        if name.startswith("agent"):
            _join_in(tree, refused.union(*(asked[other] for other in trees if other != name)))
            asked[name] = _asked_for(tree)
    return {name: unparse(tree) for name, tree in trees.items()}


def _asked_for(tree: ast.Module) -> set[str]:
    """What this module imports or looks up in another one."""
    found = set()
    for node in walk(tree):
        if isinstance(node, ast.alias):
            found.add(node.name)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def _join_in(tree: ast.Module, refused: set[str]) -> None:
    """Put bases into what derives from them, the first of a line first."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in list(classes.values()):
        base = classes.get(node.bases[0].id) if len(node.bases) == 1 and isinstance(node.bases[0], ast.Name) else None
        if base is None or base.name in refused or not _is_plain(base) or not _is_plain(node):
            continue
        asked = [part for part in walk(node) if _is_of(part, base.name)]
        if _named(tree, base.name) == 1 + len(asked) and _can_join(node, base):
            _join(node, base)
            tree.body.remove(base)


def _is_plain(node: ast.ClassDef) -> bool:
    return not node.decorator_list and all(
        isinstance(one, (ast.FunctionDef, ast.Assign, ast.Pass)) for one in node.body
    )


def _is_of(node: ast.AST, base: str) -> bool:
    """True if it is `Base.name`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == base


def _named(tree: ast.Module, name: str) -> int:
    return sum(isinstance(node, ast.Name) and node.id == name for node in walk(tree))


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}


def _is_repeat(one: ast.stmt, base: str) -> bool:
    """True if it is `name = Base.name` in the class's body."""
    if not isinstance(one, ast.Assign) or not _is_of(one.value, base) or len(one.targets) != 1:
        return False
    return isinstance(one.targets[0], ast.Name) and one.targets[0].id == one.value.attr  # type: ignore[attr-defined]


def _can_join(node: ast.ClassDef, base: ast.ClassDef) -> bool:
    """True if each `Base.name` is a repeat, or the call of one of its methods on `self`."""
    methods = _methods(base)
    fits = {id(one.value) for one in node.body if _is_repeat(one, base.name) and one.value.attr in methods}  # type: ignore
    for part in walk(node):
        if isinstance(part, ast.Call) and _is_of(part.func, base.name) and part.args:
            first = part.args[0]
            if part.func.attr in methods and isinstance(first, ast.Name) and first.id == "self":  # type: ignore
                fits.add(id(part.func))
    return all(id(part) in fits for part in walk(node) if _is_of(part, base.name))


def _join(node: ast.ClassDef, base: ast.ClassDef) -> None:
    node.body = [one for one in node.body if not _is_repeat(one, base.name)]
    replaced = set(_methods(node))
    for one in node.body:
        if isinstance(one, ast.Assign):
            replaced |= {part.id for target in one.targets for part in walk(target) if isinstance(part, ast.Name)}
    called = set()
    for part in walk(node):
        if isinstance(part, ast.Call) and _is_of(part.func, base.name):
            name = part.func.attr  # type: ignore[attr-defined]
            called.add(name)
            part.func = ast.Attribute(part.args.pop(0), _inner(name, base) if name in replaced else name, ast.Load())
    inherited: list[ast.stmt] = []
    for one in base.body:
        if isinstance(one, ast.FunctionDef) and one.name in replaced:
            if one.name not in called:
                continue
            one.name = _inner(one.name, base)
        elif isinstance(one, ast.Assign):
            one.targets = [part for part in one.targets if not isinstance(part, ast.Name) or part.id not in replaced]
            if not one.targets:
                continue
        elif isinstance(one, ast.Pass):
            continue
        inherited.append(one)
    node.body = [*inherited, *(one for one in node.body if not isinstance(one, ast.Pass))] or [ast.Pass()]
    node.bases = base.bases


def _inner(name: str, base: ast.ClassDef) -> str:
    return "_" + name.strip("_") + "_of_" + base.name.lower()
