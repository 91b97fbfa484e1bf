"""Passes by place what a call passes by keyword: an argument that is passed by name must keep it, and pay for it.

Rules
1. What is called is a function or a class of the program: by a name of the module, defined there or imported, or as a
   method whose name one class alone has and nobody stores.
2. All that comes before the last keyword is given, or has a constant for its default, which is put there.
3. The values are evaluated in the order in which they stood, unless none of them calls anything.
"""

from __future__ import annotations

import ast
from collections import Counter

from tools.compact.lines import parse, unparse
from tools.compact.walk import bound_by, walk

Tops = dict[tuple[str, str], ast.FunctionDef | ast.ClassDef]


def without_keywords(sources: dict[str, str]) -> dict[str, str]:
    """Return the program with fewer arguments passed by keyword."""
    trees = {name: parse(text) for name, text in sources.items()}
    tops: Tops = {
        (module, node.name): node
        for module, tree in trees.items()
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    methods = _lone_methods(trees)
    changed = set()
    for module, tree in trees.items():
        names = _names_in(module, tree, tops)
        for call in walk(tree):
            if isinstance(call, ast.Call) and call.keywords:
                arguments = _arguments_of(call, names, methods)
                if arguments is not None and _place(call, arguments):
                    changed.add(module)
    return {name: unparse(tree) if name in changed else sources[name] for name, tree in trees.items()}


def _names_in(module: str, tree: ast.Module, tops: Tops) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """What the names of a module stand for, where they stand for one thing only."""
    found: dict[str, ast.FunctionDef | ast.ClassDef] = {name: node for (of, name), node in tops.items() if of == module}
    bound: Counter[str] = Counter()
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound[alias.asname or alias.name] += 1
                if (node.module, alias.name) in tops:
                    found[alias.asname or alias.name] = tops[node.module, alias.name]  # type: ignore[index]
        else:
            bound[bound_by(node)] += 1
    return {name: node for name, node in found.items() if bound[name] == 1}


def _lone_methods(trees: dict[str, ast.Module]) -> dict[str, ast.FunctionDef]:
    """The methods whose name nothing else in the program has."""
    found: dict[str, ast.FunctionDef] = {}
    counts: Counter[str] = Counter()
    for tree in trees.values():
        for node in walk(tree):
            if isinstance(node, ast.ClassDef):
                found |= {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
            if isinstance(node, ast.FunctionDef):
                counts[node.name] += 1
            elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                counts[node.attr] += 1
    return {name: node for name, node in found.items() if counts[name] == 1 and not node.decorator_list}


def _arguments_of(call: ast.Call, names: dict, methods: dict[str, ast.FunctionDef]) -> ast.arguments | None:
    """The arguments of what is called, without `self`; None if it is not known."""
    called = call.func
    if isinstance(called, ast.Attribute):
        node = methods.get(called.attr)
    else:
        node = names.get(called.id) if isinstance(called, ast.Name) else None
        if isinstance(node, ast.FunctionDef):
            return node.args
        if isinstance(node, ast.ClassDef):
            starts = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
            node = starts[0] if starts else None
    if node is None:
        return None
    return ast.arguments([], node.args.args[1:], node.args.vararg, node.args.kwonlyargs, [], None, node.args.defaults)


def _place(call: ast.Call, arguments: ast.arguments) -> bool:
    """Put the keywords into their places; False, and nothing changed, if one cannot be."""
    if arguments.vararg or arguments.kwonlyargs or any(isinstance(one, ast.Starred) for one in call.args):
        return False
    names = [one.arg for one in arguments.args]
    given = {one.arg: one.value for one in call.keywords}
    if not set(given) <= set(names[len(call.args) :]):
        return False
    defaults = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    last = max(names.index(name) for name in given)  # type: ignore[arg-type]
    values = []
    for name in names[len(call.args) : last + 1]:
        value = given.get(name, defaults.get(name))
        if value is None or (name not in given and not isinstance(value, ast.Constant)):
            return False
        values.append(value)
    order = [name for name in names if name in given]
    if order != [one.arg for one in call.keywords]:
        if any(isinstance(node, ast.Call) for value in given.values() for node in walk(value)):
            return False
    call.args += values
    call.keywords = []
    return True
