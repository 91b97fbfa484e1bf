"""Makes functions of private methods: on a chip `self._name()` is looked up in the object first, where it never is.

A method that only its own class calls is found by MicroPython in three steps: not in the object's dict (which is full,
so all of it is looked through), then in the class, then in its bases. A function of the module is found in one.

Rules
1. A method goes out of its class if its name begins with one underscore and every use of that name in the program is a
   call `self.name(...)` in a class that has it or derives from the one that has it.
2. Not if two classes of one line have it: which of them is meant is known only when it runs.
3. `self` stays its first argument, and its name tells the class: `parts_of` finds it for who asks what a class sets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.compact.prune import strings_in
from tools.compact.walk import walk

_OF = "__of"


def parts_of(node: ast.ClassDef, tree: ast.Module) -> Iterator[ast.AST]:
    """Every node of a class, of its methods that went out of it as well."""
    yield from walk(node)
    for other in tree.body:
        if isinstance(other, ast.FunctionDef) and other.name.startswith(node.name + _OF):
            yield from walk(other)


def functions_of_methods(sources: dict[str, str], keep: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the program with functions in the place of private methods; those named in `keep` stay methods."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    refused = set(keep) | strings_in(trees.values()) | _used_otherwise(trees)
    for name, tree in trees.items():
        if name.startswith("agent"):
            _rewrite(tree, refused)
    return {name: ast.unparse(tree) + "\n" if tree.body else "" for name, tree in trees.items()}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _used_otherwise(trees: dict[str, ast.Module]) -> set[str]:
    """The private names that are used in any other way than as `self.name(...)` in a class whose line has that method.

    The line ends with the module: a class that derives from one of another module finds its methods as methods only.
    """
    called: set[int] = set()
    for name, tree in trees.items():
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for owner, body in classes.items() if name.startswith("agent") else ():
            has = {method for one in _line(owner, classes) for method in _methods(classes[one])}
            for node in walk(body):
                if isinstance(node, ast.Call) and _own_method(node) in has:
                    called.add(id(node.func))
    return {
        node.attr
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and id(node) not in called
    }


def _own_method(call: ast.Call) -> str:
    """The name in `self.name(...)`, an empty one for any other call."""
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self":
        return function.attr if _is_private(function.attr) else ""
    return ""


def _rewrite(tree: ast.Module, refused: set[str]) -> None:
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lines = {name: _line(name, classes) for name in classes}
    homes: dict[tuple[str, str], str] = {}  # class and method: the function's name
    for owner, node in classes.items():
        for method in _methods(node):
            if method not in refused and _is_one(owner, method, classes, lines):
                homes[owner, method] = owner + _OF + method
    for owner, node in classes.items():
        for call in walk(node):
            if isinstance(call, ast.Call) and _own_method(call):
                name = call.func.attr  # type: ignore[attr-defined]
                home = next((homes[one, name] for one in lines[owner] if (one, name) in homes), None)
                if home is not None:
                    call.args.insert(0, call.func.value)  # type: ignore[attr-defined]
                    call.func = ast.Name(home, ast.Load())
    for owner, node in classes.items():
        out = [one for one in node.body if isinstance(one, ast.FunctionDef) and (owner, one.name) in homes]
        node.body = [one for one in node.body if one not in out] or [ast.Pass()]
        at = tree.body.index(node) + 1
        for function in out:
            function.name = homes[owner, function.name]
        tree.body[at:at] = out


def _line(name: str, classes: dict[str, ast.ClassDef]) -> list[str]:
    """The class and the ones it derives from, as far as the module has them."""
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


def _is_one(owner: str, method: str, classes: dict[str, ast.ClassDef], lines: dict[str, list[str]]) -> bool:
    """Tell whether no class in the owner's line, up or down, has a method of that name as well."""
    kin = {name for name in classes if owner in lines[name] or name in lines[owner]} - {owner}
    return not any(method in _methods(classes[name]) for name in kin)
