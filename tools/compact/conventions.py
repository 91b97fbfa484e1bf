"""Checks what the compactor assumes about agent/ and board/, and names file and line of every breach.

Rules
1. An attribute set on an object from outside is set on a variable called after its class (`station.ring`,
   `cursors[0].seq`) or after its part there (ROLES), and the class sets it on `self` too; or on a variable called after
   no class: then no other attribute shares its name.
2. No name is computed: `getattr` and its like are given a text, or an object that keeps its names (a module, the
   machine code); no `vars`, `dir`, `locals`, `eval`, `exec`, `__dict__`, no star import.
3. A dict goes into `**` only where the callee takes any name, or is not ours: arguments get other names.
4. A class derives from what its module imports by name or has, so that the ancestry of every class is known.
"""

from __future__ import annotations

import ast
from collections import defaultdict

from tools.compact.bundle import NATIVES
from tools.compact.walk import walk

_ASKERS = ("getattr", "setattr", "hasattr", "delattr")
# What a variable called after its purpose holds, by what the last class of its line is called.
ROLES = {
    **dict.fromkeys(("first", "scout"), "cursor"),
    **dict.fromkeys(("blocked", "jam", "silence", "wait"), "timer"),
    "main": "ring",
    "missing": "recovery",
    "writer": "resultwriter",
}
_NEVER = ("vars", "dir", "locals", "eval", "exec")


class Broken(ValueError):
    """A file breaks what the compactor assumes; each line of the text says where and what."""


def holder_of(target: ast.Attribute) -> str:
    """Return what an attribute is set on, as a class might be called: `self._cursors[0].seq` gives cursor."""
    holder = target.value
    many = isinstance(holder, ast.Subscript)
    if isinstance(holder, ast.Subscript):
        holder = holder.value
    said = holder.id if isinstance(holder, ast.Name) else getattr(holder, "attr", "")
    plain = said.strip("_").lower().removesuffix("s" if many else "")
    return ROLES.get(plain, plain)


def called(class_name: str) -> str:
    """Return the name of a variable that holds the class: `_Timer` and `Timer_2` (of the bundle) are a timer."""
    return class_name.strip("_").split("_")[0].lower()


def check(files: dict[str, str]) -> None:
    """Check the files, by their names in the checkout; Broken if one breaks a rule."""
    trees = {name: ast.parse(text) for name, text in files.items()}
    found = _Known(trees)
    said = [
        f"{name}:{getattr(node, 'lineno', 1)}: {what}"
        for name, tree in trees.items()
        for node in walk(tree)
        for what in (_wrong(node, found, tree),)
        if what
    ]
    if said:
        raise Broken("\n".join(said))


class _Known:
    """What the files define: attributes by class, classes by what their objects are called, arguments by function."""

    def __init__(self, trees: dict[str, ast.Module]):
        self.attributes: dict[str, set[str]] = defaultdict(set)
        self.bases: dict[str, list[str]] = defaultdict(list)
        self.classes: dict[str, list[str]] = defaultdict(list)
        self.arguments: dict[str, set[str]] = defaultdict(set)
        for tree in trees.values():
            for node in walk(tree):
                if isinstance(node, ast.ClassDef):
                    self._take(node)
                elif isinstance(node, ast.FunctionDef):
                    self.arguments[node.name].update(one.arg for one in node.args.args if one.arg != "self")

    def _take(self, node: ast.ClassDef) -> None:
        self.classes[called(node.name)].append(node.name)
        self.bases[node.name] += [one.id for one in node.bases if isinstance(one, ast.Name)]
        for part in walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
                if not isinstance(part.ctx, ast.Load):
                    self.attributes[node.name].add(part.attr)
        for part in node.body:
            if isinstance(part, ast.Assign):
                self.attributes[node.name].update(one.id for one in part.targets if isinstance(one, ast.Name))

    def has(self, owner: str, attribute: str) -> bool:
        return attribute in self.attributes[owner] or any(self.has(base, attribute) for base in self.bases[owner])


def _wrong(node: ast.AST, known: _Known, tree: ast.Module) -> str:
    """Return what is wrong with a node, "" if nothing is."""
    if isinstance(node, ast.Attribute):
        return "its names are others on a board" if node.attr == "__dict__" else _set_from_outside(node, known)
    if isinstance(node, ast.Call):
        return _computed(node, tree) or _spread(node, known)
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return "a star import hides what is used"
    if isinstance(node, ast.Subscript) and _is_call_of(node.value, "globals"):
        if not isinstance(node.slice, ast.Constant) and not _is_twin(node.slice, tree):
            return "a computed name of a module"
    if isinstance(node, ast.ClassDef) and not all(isinstance(one, ast.Name) for one in node.bases):
        return f"{node.name} derives from what is no plain name"
    return ""


def _set_from_outside(node: ast.Attribute, known: _Known) -> str:
    holder = holder_of(node)
    if isinstance(node.ctx, ast.Load) or (isinstance(node.value, ast.Name) and node.value.id == "self"):
        return ""
    classes = known.classes.get(holder, []) if holder else []
    if not classes or any(known.has(one, node.attr) for one in classes):
        return ""
    return f"{ast.unparse(node)} is set from outside, and {' or '.join(classes)} sets no {node.attr} on itself"


def _computed(node: ast.Call, tree: ast.Module) -> str:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NEVER:
        return f"{name}() shows or takes names that are others on a board"
    if name not in _ASKERS or isinstance(node.args[1], ast.Constant):
        return ""
    if isinstance(node.args[0], ast.Subscript) and ast.unparse(node.args[0].value) == "sys.modules":
        return ""  # a package: modules keep their names
    return "" if _is_twin(node.args[1], tree) else f"{name}() of a computed name"


def _is_twin(node: ast.expr, tree: ast.Module) -> bool:
    """True if the node is the name of a machine code twin: a loop over a list of a module of machine code binds it."""
    return isinstance(node, ast.Name) and any(
        isinstance(loop, ast.For)
        and isinstance(loop.target, ast.Name)
        and loop.target.id == node.id
        and isinstance(loop.iter, ast.Attribute)
        and ast.unparse(loop.iter.value) in NATIVES
        for loop in walk(tree)
    )


def _is_call_of(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _spread(node: ast.Call, known: _Known) -> str:
    if all(one.arg for one in node.keywords):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    named = known.arguments.get("__init__" if name in known.bases else name, set())
    return f"a dict gives {name} its arguments, which are called otherwise on a board" if named else ""
