"""Drops what a board's program never uses: functions that only tests call, imports of constants, decided conditions.

Rules
1. From `agent/` it drops functions, classes and constants that the program never names, and methods whose name it
   never uses as an attribute; from the other modules only unused imports.
2. A tuple of constants that only other modules use (names for a person to read) moves to those that use it: they are
   loaded only when looked at.
3. What is found by a string (`getattr`, `globals()`) counts as used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tools.compact.bundle import ENTRY
from tools.compact.lines import parse, unparse
from tools.compact.scopes import scopes
from tools.compact.walk import walk


def prune(sources: dict[str, str], keep: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the program without what it does not use; names in `keep` count as used."""
    trees = {name: _decided(parse(text)) for name, text in sources.items()}
    _fold_lengths(trees)
    uses = {name: _Uses(tree) for name, tree in trees.items()}
    changed = _move_tables(trees, uses)
    while True:
        uses.update((name, _Uses(trees[name])) for name in changed)
        changed = _drop_names(trees, uses, keep) | _drop_methods(trees, uses, keep)
        if not changed:
            break
    return {name: unparse(tree) for name, tree in trees.items()}


def without_unused_imports(text: str) -> str:
    """Return a module outside the program without imported names that it neither uses nor passes on."""
    tree = parse(text)
    own = scopes(tree)[0]
    used = {node.id for node in walk(tree) if isinstance(node, ast.Name) and node.home is own}  # type: ignore
    used |= strings_in([tree])  # `__all__`
    _drop_imports(tree, used, "", set())
    return unparse(tree)


def strings_in(trees) -> set[str]:
    """Return every text that may be used to look up a name."""
    return {
        node.value
        for tree in trees
        for node in walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
    }


class _Uses:
    """What a module uses: gathered once, and again where something was dropped."""

    def __init__(self, tree: ast.Module):
        self.attributes: set[str] = set()
        self.strings = strings_in([tree])
        self.names: set[str] = set()  # of its own top level that it reads
        self.imports: set[tuple[str | None, str]] = set()
        own = scopes(tree)[0]
        for node in walk(tree):
            if isinstance(node, ast.Attribute):
                self.attributes.add(node.attr)
            elif isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load) and node.home is own:  # type: ignore[attr-defined]
                    self.names.add(node.id)
            elif isinstance(node, ast.ImportFrom):
                self.imports.update((node.module, alias.name) for alias in node.names)


def _all(sets: Iterable[set]) -> set:
    return set().union(*sets)


# -- conditions that are decided -----------------------------------------------------------------------------------


class _Decider(ast.NodeTransformer):
    def __init__(self, none: set[str]):
        self.none = none

    def truth(self, test: ast.expr) -> bool | None:
        if (
            isinstance(test, ast.Compare)
            and isinstance(test.left, ast.Name)
            and test.left.id in self.none
            and isinstance(test.comparators[0], ast.Constant)
            and test.comparators[0].value is None
        ):
            return isinstance(test.ops[0], ast.Is)
        return None

    def visit_If(self, node):
        self.generic_visit(node)
        truth = self.truth(node.test)
        return node if truth is None else node.body if truth else node.orelse

    def visit_IfExp(self, node):
        self.generic_visit(node)
        truth = self.truth(node.test)
        return node if truth is None else node.body if truth else node.orelse


def _decided(tree: ast.Module) -> ast.Module:
    """Take the one branch that is left where a constant of the module is None."""
    none = {
        one.targets[0].id
        for one in tree.body
        if isinstance(one, ast.Assign)
        and isinstance(one.targets[0], ast.Name)
        and one.targets[0].id.isupper()
        and isinstance(one.value, ast.Constant)
        and one.value.value is None
    }
    return _Decider(none).visit(tree) if none else tree


# -- tables --------------------------------------------------------------------------------------------------------


def _tables_of(tree: ast.Module) -> dict[str, ast.Assign]:
    return {
        one.targets[0].id: one
        for one in tree.body
        if isinstance(one, ast.Assign)
        and isinstance(one.targets[0], ast.Name)
        and isinstance(one.value, ast.Tuple)
        and all(isinstance(part, ast.Constant) for part in one.value.elts)
    }


def _fold_lengths(trees: dict[str, ast.Module]) -> None:
    """Replace `len(NAMES)` of a tuple of constants by a number."""

    class Folder(ast.NodeTransformer):
        def visit_Call(self, node):
            self.generic_visit(node)
            if isinstance(node.func, ast.Name) and node.func.id == "len" and isinstance(node.args[0], ast.Name):
                table = tables.get(node.args[0].id)
                if table is not None:
                    return ast.copy_location(ast.Constant(len(table.value.elts)), node)  # type: ignore[attr-defined]
            return node

    for tree in trees.values():
        tables = _tables_of(tree)
        if tables:
            Folder().visit(tree)


def _move_tables(trees: dict[str, ast.Module], uses: dict[str, _Uses]) -> set[str]:
    """Move the tables that the bundle itself does not use to those who do; return these modules."""
    entry = trees.get(ENTRY)
    if entry is None:
        return set()
    changed = set()
    tables = _tables_of(entry)
    for name, table in tables.items():
        if any(isinstance(node, ast.Name) and node.id == name and node is not table.targets[0] for node in walk(entry)):
            continue
        for module, one in uses.items():
            if module != ENTRY and (name in one.attributes or (ENTRY, name) in one.imports):
                _take_table(trees[module], name, table)
                changed.add(module)
    return changed


def _take_table(tree: ast.Module, name: str, table: ast.Assign) -> None:
    """Give a module that uses a table of the bundle its own copy."""
    aliases = _aliases_of_entry(tree)
    found: list[str] = []

    class Taker(ast.NodeTransformer):
        def visit_Attribute(self, node):
            self.generic_visit(node)
            if node.attr == name and isinstance(node.value, ast.Name) and node.value.id in aliases:
                found.append(name)
                return ast.copy_location(ast.Name(name, node.ctx), node)
            return node

        def visit_ImportFrom(self, node):
            for alias in node.names:
                if node.module == ENTRY and alias.name == name:
                    found.append(alias.asname or name)
            node.names = [alias for alias in node.names if node.module != ENTRY or alias.name != name]
            return node if node.names else None

    Taker().visit(tree)
    for bound in dict.fromkeys(found):
        tree.body.insert(0, ast.Assign([ast.Name(bound, ast.Store())], table.value, lineno=1))


def _aliases_of_entry(tree: ast.Module) -> set[str]:
    package, _, name = ENTRY.rpartition(".")
    return {
        alias.asname or alias.name
        for node in walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == package
        for alias in node.names
        if alias.name == name
    }


# -- names ---------------------------------------------------------------------------------------------------------


def _drop_names(trees: dict[str, ast.Module], uses: dict[str, _Uses], also: frozenset[str]) -> set[str]:
    """Drop unused names at the top of modules, and unused imports; return the modules that had them."""
    strings = _all(one.strings for one in uses.values()) | also
    wanted = _all(one.imports for one in uses.values())
    attributes = _all(one.attributes for one in uses.values())
    changed = set()
    for module, tree in trees.items():
        used = uses[module].names | strings
        keep = tree.body
        if module.startswith("agent"):
            # `__init__` of a package and the program's own modules are used from outside.
            used |= attributes | {name for of, name in wanted if of == module}
            keep = [one for one in tree.body if not _is_unused(one, used)]
        if len(keep) != len(tree.body):
            changed.add(module)
        tree.body = keep
        if _drop_imports(tree, used, module, wanted):
            changed.add(module)
    return changed


def _is_unused(statement: ast.stmt, used: set[str]) -> bool:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return statement.name not in used
    if isinstance(statement, ast.Assign) and all(isinstance(one, ast.Name) for one in statement.targets):
        calls = any(isinstance(node, ast.Call) for node in walk(statement.value))
        return not calls and not any(one.id in used for one in statement.targets)  # type: ignore[attr-defined]
    if isinstance(statement, ast.Try):
        bound = {node.name for node in walk(statement) if isinstance(node, ast.FunctionDef)}
        bound |= {alias.asname or alias.name for node in walk(statement) for alias in getattr(node, "names", ())}
        return bool(bound) and not bound & used
    return False


def _drop_imports(tree: ast.Module, used: set[str], module: str, wanted: set[tuple[str | None, str]]) -> bool:
    dropped = False
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            keep = [
                alias
                for alias in statement.names
                if (alias.asname or alias.name) in used or (module, alias.asname or alias.name) in wanted
            ]
            dropped |= len(keep) != len(statement.names)
            statement.names = keep
    tree.body = [one for one in tree.body if not isinstance(one, ast.ImportFrom) or one.names]
    return dropped


def _drop_methods(trees: dict[str, ast.Module], uses: dict[str, _Uses], also: frozenset[str]) -> set[str]:
    """Drop unused methods; return the modules that had them."""
    used = _all(one.attributes | one.strings for one in uses.values()) | also
    changed = set()
    for module, tree in trees.items():
        if not module.startswith("agent"):
            continue
        for node in walk(tree):
            if isinstance(node, ast.ClassDef):
                keep = [
                    one
                    for one in node.body
                    if not isinstance(one, ast.FunctionDef) or one.name.startswith("__") or one.name in used
                ]
                if len(keep) != len(node.body):
                    changed.add(module)
                node.body = keep or [ast.Pass()]
    return changed
