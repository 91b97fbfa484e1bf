"""Makes functions of private methods: on a chip `self._name()` is first looked up in the object, in vain.

A method that only its own class calls is found by MicroPython in three steps: not in the object's dict (which is full,
so all of it is searched), then in the class, then in its bases. A function of the module is found in one.

Rules
1. A method leaves its class if its name begins with one underscore and every use of that name in the program is a
   call `self.name(...)` in a class that has it or derives from the one that has it. What an unrelated class does
   with a name of its own `self` does not matter.
2. Not if two related classes have it: which of them is meant is known only at run time.
3. This step comes before inlining (inline.py), and enables it: `_write` of three classes is three
   functions, each with one call. Where names cost nothing they stay methods, with unique names.
4. `self` stays its first argument, and its name has the class: `parts_of` finds it for whoever asks what a class sets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.compact.lines import parse, unparse
from tools.compact.prune import strings_in
from tools.compact.walk import walk

_OF = "__of"


def parts_of(node: ast.ClassDef, tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every node of a class, including its methods that left it."""
    yield from walk(node)
    for other in tree.body:
        if isinstance(other, ast.FunctionDef) and other.name.startswith(node.name + _OF):
            yield from walk(other)


def functions_of_methods(
    sources: dict[str, str], keep: frozenset[str] = frozenset(), out: bool = True
) -> dict[str, str]:
    """Return the program with functions in place of private methods; those named in `keep` stay as they are.

    Without `out` they stay methods, and get the names that the functions would have.
    """
    trees = {name: parse(text) for name, text in sources.items()}
    refused = set(keep) | strings_in(trees.values())
    uses = {name: _other_uses(name, tree) for name, tree in trees.items()}
    refused |= {name for by_class in uses.values() for name in by_class.get("", ())}
    for name, tree in trees.items():
        if name.startswith("agent"):
            _rewrite(tree, refused, uses[name], out)
    return {name: unparse(tree) for name, tree in trees.items()}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _other_uses(module: str, tree: ast.Module) -> dict[str, set[str]]:
    """Return by class the private names used on its `self` other than to call a method; under "" those of any class.

    The line ends with the module: a class that derives from one of another module finds its methods as methods only,
    and what it uses on `self` may belong to any.
    """
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    called: set[int] = set()
    found: dict[str, set[str]] = {}
    for owner, body in classes.items():
        line = _line(owner, classes)
        known = all(isinstance(base, ast.Name) and base.id in classes for one in line for base in classes[one].bases)
        has = {method for one in line for method in _methods(classes[one])} if module.startswith("agent") else set()
        for node in walk(body):
            if isinstance(node, ast.Call) and _own_method(node) in has:
                called.add(id(node.func))
        for node in walk(body) if known else ():
            if isinstance(node, ast.Attribute) and _is_private(node.attr) and id(node) not in called:
                if isinstance(node.value, ast.Name) and node.value.id == "self":
                    found.setdefault(owner, set()).add(node.attr)
                    called.add(id(node))
    found[""] = {
        node.attr
        for node in walk(tree)
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and id(node) not in called
    }
    return found


def _own_method(call: ast.Call) -> str:
    """Return the name in `self.name(...)`, "" for any other call."""
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self":
        return function.attr if _is_private(function.attr) else ""
    return ""


def _rewrite(tree: ast.Module, refused: set[str], uses: dict[str, set[str]], out: bool) -> None:
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lines = {name: _line(name, classes) for name in classes}
    homes: dict[tuple[str, str], str] = {}  # class and method: the function's name
    for owner, node in classes.items():
        for method in _methods(node):
            if method not in refused and _is_one(owner, method, classes, lines, uses):
                homes[owner, method] = owner + _OF + method
    for owner, node in classes.items():
        for call in walk(node):
            if isinstance(call, ast.Call) and _own_method(call):
                name = call.func.attr  # type: ignore[attr-defined]
                home = next((homes[one, name] for one in lines[owner] if (one, name) in homes), None)
                if home is None:
                    continue
                if out:
                    call.args.insert(0, call.func.value)  # type: ignore[attr-defined]
                    call.func = ast.Name(home, ast.Load())
                else:
                    call.func.attr = home  # type: ignore[attr-defined]
    for owner, node in classes.items():
        found = [one for one in node.body if isinstance(one, ast.FunctionDef) and (owner, one.name) in homes]
        for function in found:
            function.name = homes[owner, function.name]
        if out:
            node.body = [one for one in node.body if one not in found] or [ast.Pass()]
            at = tree.body.index(node) + 1
            tree.body[at:at] = found


def _line(name: str, classes: dict[str, ast.ClassDef]) -> list[str]:
    """Return the class and its bases, as far as the module has them."""
    line = [name]
    for base in classes[name].bases:
        if isinstance(base, ast.Name) and base.id in classes:
            line += _line(base.id, classes)
    return line


def _methods(node: ast.ClassDef) -> list[str]:
    return [
        one.name
        for one in node.body
        if isinstance(one, ast.FunctionDef) and _is_private(one.name) and not one.decorator_list
    ]


def _is_one(
    owner: str,
    method: str,
    classes: dict[str, ast.ClassDef],
    lines: dict[str, list[str]],
    uses: dict[str, set[str]],
) -> bool:
    """True if no class related to the owner has the method as well or uses the name otherwise."""
    kin = {name for name in classes if owner in lines[name] or name in lines[owner]}
    if any(method in uses.get(name, ()) for name in kin):
        return False
    return not any(method in _methods(classes[name]) for name in kin - {owner})
