"""Gives everything in `agent/` a short name, and everything private of the other modules: names cost memory on a chip.

A name that is not in the firmware costs its text and about eight bytes beside it, and two bytes of bytecode instead
of one at each use, once a module has more than 127 of them.

Rules
1. Attributes share: two get one name if no class has both, since no object can then be asked for both. What a class
   has is its methods, what it sets on `self`, and the same of its bases and of its subclasses.
2. A public attribute is renamed only if a class of `agent/` defines it and nothing outside the program has one of that
   name (FOREIGN): a socket's `close` must keep its name.
3. Functions, classes and values of `agent/`'s modules share with those of modules whose dicts have none of them, and
   with attributes. Locals and arguments begin again in each function. What is passed by keyword keeps its name.
4. Modules and packages, the public names of `board/`, and what is looked up by a string keep their names.
5. In a frozen core names cost no heap. There, without `sharing`, no two attributes share a name: MicroPython remembers
   for each name where in a dict it was last found, which helps only if it means one kind of object.
   Each name is chosen by the place it falls into (tools.compact.places).
6. `python -m tools.compact NAME` tells what a name in a board's traceback stands for.
"""

from __future__ import annotations

import array
import ast
import builtins
import io
import json
import keyword
import os
import select
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, count

from tools.compact.bundle import ENTRY, NATIVES, _asked_by_string
from tools.compact.conventions import called, holder_of
from tools.compact.lines import parse, unparse
from tools.compact.methods import parts_of
from tools.compact.pairs import without_tuples
from tools.compact.places import dicts_of, placed
from tools.compact.scopes import CLASS, FUNCTION, MODULE, scopes
from tools.compact.slots import arguments_of, is_simple, slots
from tools.compact.walk import walk

# What foreign objects may have: Python's own, and of MicroPython's those that the stubs of its ports name.
_OF_PYTHON = (
    *(str, bytes, bytearray, list, dict, tuple, set, int, float, memoryview, array.array, slice, range, BaseException),
    *(io.FileIO, io.StringIO, socket.socket, select.epoll, OSError, type(iter([])), type(_ for _ in ())),
    *(io, json, os, select, socket, struct, sys, time),
)
_OF_MICROPYTHON = (
    "active any atten block bus calibration channel config connect datetime deinit disable duty enable feed freq "
    "gather get_time handler id ifconfig info init ioctl ipconfig ipoll irq isconnected mac mode mount now off on "
    "poll pull read readblocks readinto register reset scan send set set_time sendbreak status toggle txdone umount "
    "unregister "
    "value wake_reason width write writeblocks flush Flash Partition find writev schedule mem_alloc mem_free collect "
    "threshold ticks_ms ticks_us ticks_diff ticks_add sleep_ms unique_id bootloader lightsleep mkfs"
).split()
FOREIGN = frozenset(name for one in _OF_PYTHON for name in dir(one)) | frozenset(_OF_MICROPYTHON)

# What `toolcart board` asks of a board whatever version runs there (WIPE in tools/flash/board_commands.py).
ASKED_BY_HOST = frozenset(("block_count", "erase"))
# Also in the root of a board's file system, compiled as it is: `toolcart flash` puts it there.
TWICE = ("board.safe_mode",)


class Names:
    """The names chosen for one program: `attributes` by name, `tops` by module and name.

    `companions` run beside it: in none of their classes do two attributes get one name. What is `said` stays as it is.
    `classes` is the program with its methods intact: there a variable's name still tells what it holds.
    """

    def __init__(
        self,
        sources: dict[str, str],
        companions: dict[str, str] | None = None,
        sharing: bool = True,
        said: frozenset[str] = frozenset(),
        classes: dict[str, str] | None = None,
    ):
        self.companions = {name: parse(text) for name, text in (companions or {}).items()}
        self.trees = {name: parse(text) for name, text in sources.items()}
        self.attributes: dict[str, str] = {}
        self.tops: dict[tuple[str, str], str] = {}
        self.whole = self.trees if classes is None else {name: parse(text) for name, text in classes.items()}
        for trees in (self.trees, self.companions, self.whole if classes is not None else {}):
            for tree in trees.values():
                scopes(tree)
        self.asked = (
            _asked_by_string(self.trees.values())
            | _asked_of_objects(self.trees)
            | _met_outside(self.trees)
            | ASKED_BY_HOST
            | said
        )
        self.keywords = said | {
            node.arg
            for tree in self.trees.values()
            for node in walk(tree)
            if isinstance(node, ast.keyword) and node.arg
        }
        self._choose(sharing)

    def _choose(self, sharing: bool) -> None:
        together = _attributes_together(self.whole | self.companions)
        uses = Counter(
            node.attr for tree in self.trees.values() for node in walk(tree) if isinstance(node, ast.Attribute)
        )
        ours = _defined_in_agent(self.whole) - FOREIGN
        left = _attributes_in(chain(self.trees.values(), self.companions.values())) - self.asked
        wanted = [
            name
            for name in together
            if name in left and not name.startswith("__") and (name.startswith("_") or name in ours)
        ]
        tops = [key for key in _tops(self.trees) if key[1] not in self.asked]
        taken = self._kept(set(wanted), set(tops))
        wanted.sort(key=lambda name: (-uses[name], name))
        colour: dict[str, int] = {}
        for name in wanted if sharing else ():
            others = {colour[other] for other in together[name] if other in colour}
            colour[name] = next(number for number in count() if number not in others)
        if not sharing:
            texts = _texts(taken)
            short = [next(texts) for _ in tops]
            self.attributes = placed(wanted, dicts_of(self.trees.values()), texts)
            self.tops = dict(zip(_by_use(tops, self.trees), short, strict=True))
            return
        texts = _texts(taken)
        short = [next(texts) for _ in range(max(colour.values(), default=-1) + 1)]
        self.attributes = {name: short[number] for name, number in colour.items()}
        self._name_tops(_by_use(tops, self.trees), short)

    def _name_tops(self, tops: list[tuple[str, str]], short: list[str]) -> None:
        """Share names among modules that do not see each other's; those whose text exists anyway come first."""
        taken = self._met_at_the_top(set(tops))
        attributes = sorted({*short, *_attributes_left(self.trees.get(ENTRY), self.attributes)})
        free = [text for text in dict.fromkeys((*short, *attributes)) if text not in taken]
        texts = chain(free, _texts({*taken, *free}))
        names: list[str] = []
        seen_by = _seen_by(tops, self.trees)
        used: dict[str, set[str]] = {module: set() for module in self.trees}
        for key in tops:
            number = 0
            while True:
                if number == len(names):
                    names.append(next(texts))
                if not any(names[number] in used[module] for module in seen_by[key]):
                    break
                number += 1
            self.tops[key] = names[number]
            for module in seen_by[key]:
                used[module].add(names[number])

    def _met_at_the_top(self, tops: set[tuple[str, str]]) -> set[str]:
        """Return every identifier that a function may mean by a plain name: none may be given to anything else."""
        met = {*keyword.kwlist, *self.keywords, *self.asked}
        for module, tree in self.trees.items():
            met.update(module.split("."))
            for node in walk(tree):
                home = getattr(node, "home", None)
                if isinstance(node, ast.Name) and (home is None or home.kind == MODULE):
                    if (module, node.id) not in tops:
                        met.add(node.id)
                elif isinstance(node, ast.alias):
                    met.update((*node.name.split("."), node.asname or ""))
                elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    if home is not None and home.kind == MODULE and (module, node.name) not in tops:
                        met.add(node.name)
                    if isinstance(node, ast.FunctionDef) and not is_simple(node):  # its locals keep their names
                        met |= {one.id for one in walk(node) if isinstance(one, ast.Name)}
                        met |= {one.arg for one in walk(node) if isinstance(one, ast.arg)}
        return met

    def _kept(self, attributes: set[str], tops: set[tuple[str, str]]) -> set[str]:
        """Return every identifier that stays as it is: no new name may be one of these."""
        kept = {*dir(builtins), *keyword.kwlist, *self.keywords, *self.asked}
        for module, tree in self.trees.items():
            kept.add(module.rpartition(".")[2])
            for node in walk(tree):
                if isinstance(node, ast.Attribute) and node.attr not in attributes:
                    kept.add(node.attr)
                elif isinstance(node, ast.Name):
                    home = getattr(node, "home", None)
                    if home is None or (home.kind == MODULE and (module, node.id) not in tops):
                        kept.add(node.id)
                elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    if node.home.kind == MODULE and (module, node.name) not in tops:  # type: ignore[attr-defined]
                        kept.add(node.name)
                elif isinstance(node, ast.alias):
                    kept.update((*node.name.split("."), node.asname or ""))
        return kept - {""}

    def _check_foreign(self, module: str, tree: ast.Module) -> None:
        for node in tree.body:  # what a function imports is found missing only at run time, if at all
            if isinstance(node, ast.ImportFrom) and node.module in self.trees:
                for alias in node.names:
                    top = alias.name in self.trees[node.module].inner.names  # type: ignore[attr-defined, index]
                    if not top and f"{node.module}.{alias.name}" not in self.trees:
                        raise Missing(f"{module}: the program has no {node.module}.{alias.name}")
        if module in self.companions:
            return  # the names were chosen with it in mind
        for name, others in _attributes_together({module: tree}).items():
            short = self.attributes.get(name, name)
            clash = [other for other in others if self.attributes.get(other, other) == short]
            if clash:
                raise Missing(f"{module}: {name} and {clash[0]} would both be {short}")

    def rewritten(self) -> dict[str, str]:
        """Return the program with its new names."""
        return {module: self.apply(module, tree) for module, tree in self.trees.items()}

    def apply(self, module: str, tree: ast.Module) -> str:
        """Return one module with the new names; `tree` has its scopes marked. ValueError if it uses what is gone."""
        if module not in self.trees:
            self._check_foreign(module, tree)
        modules, tops = _bound(module, tree, self)
        if module not in self.trees:
            tops = {}  # it may call its imports what it likes
        _Renamer(self, module, modules, tops).visit(tree)
        for node in walk(tree):
            if isinstance(node, ast.FunctionDef) and node.home.kind != FUNCTION:  # type: ignore[attr-defined]
                _rename_locals(node, self.keywords)
        return without_tuples(unparse(tree))


class Missing(ValueError):
    """A script beside the program uses what the program does not have, or its names clash with the new ones."""


def _texts(taken: set[str]) -> Iterator[str]:
    for number in count():
        text = ""
        while True:
            text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 52] + text
            number //= 52
            if number == 0:
                break
            number -= 1
        if text not in taken:
            yield text


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "agent"


def _asked_of_objects(trees: dict[str, ast.Module]) -> set[str]:
    """Return names passed to `getattr` and its like."""
    return {
        one.value
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("getattr", "setattr", "hasattr", "delattr")
        for one in node.args[1:2]
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def _met_outside(trees: dict[str, ast.Module]) -> set[str]:
    """Return attributes in modules that a board also has uncompacted: they are used on the program's objects."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for module in TWICE
        if module in trees
        for node in walk(trees[module])
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))
    }


# -- attributes ----------------------------------------------------------------------------------------------------


def _of_class(node: ast.ClassDef, tree: ast.Module) -> set[str]:
    found = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    for part in parts_of(node, tree):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
            found.add(part.attr)
        elif isinstance(part, ast.Name) and getattr(getattr(part, "home", None), "kind", "") == CLASS:
            found.add(part.id)
    return found


def _attributes_in(trees: Iterable[ast.Module]) -> set[str]:
    """Return every name that an object is asked for, or that a class defines."""
    found = set()
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif getattr(getattr(node, "home", None), "kind", "") == CLASS:
                found.add(node.id if isinstance(node, ast.Name) else getattr(node, "name", ""))
    return found


def _defined_in_agent(trees: dict[str, ast.Module]) -> set[str]:
    """Return attributes that classes of agent/ define: methods, and what they set on themselves."""
    found = set()
    for module, tree in trees.items():
        for node in walk(tree) if _is_ours(module) else ():
            if isinstance(node, ast.ClassDef):
                found |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                found |= {
                    part.attr
                    for part in parts_of(node, tree)
                    if isinstance(part, ast.Attribute)
                    and isinstance(part.ctx, ast.Store)
                    and isinstance(part.value, ast.Name)
                    and part.value.id == "self"
                }
    return found


def _attributes_together(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return for each attribute of any class the others that some object has as well."""
    own: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for module, tree in trees.items():
        origin = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in walk(tree):
            if isinstance(node, ast.ClassDef):
                name = f"{module}.{node.name}"
                own[name] = own.get(name, set()) | _of_class(node, tree)
                bases[name] = {
                    origin.get(base.id, f"{module}.{base.id}") for base in node.bases if isinstance(base, ast.Name)
                }

    everywhere = _set_from_outside(trees, own)

    def whole(name: str) -> set[str]:
        return own.get(name, set()).union(*(whole(base) for base in bases.get(name, ())))

    together: dict[str, set[str]] = {}
    for name in own:
        everything = whole(name)
        for attribute in everything:
            together.setdefault(attribute, set()).update(everything - {attribute})
    for attribute in everywhere:
        others = set(together) - {attribute}
        together.setdefault(attribute, set()).update(others)
        for other in others:
            together[other].add(attribute)
    return together


def _set_from_outside(trees: dict[str, ast.Module], own: dict[str, set[str]]) -> set[str]:
    """Add what is set on a `station` to the class Station; what is set on any other object, any class may have.

    `tools.compact.conventions` checks that a `station` never holds an Outlet.
    """
    named: dict[str, list[str]] = {}
    for name in own:
        named.setdefault(called(name.rpartition(".")[2]), []).append(name)
    everywhere = set()
    for tree in trees.values():
        for node in walk(tree):
            if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load):
                continue
            holder = holder_of(node)
            if holder == "self":
                continue
            for name in named.get(holder, ()):
                own[name].add(node.attr)
            if holder not in named:
                everywhere.add(node.attr)
    return everywhere


# -- names at the top of modules -----------------------------------------------------------------------------------


def _tops(trees: dict[str, ast.Module]) -> list[tuple[str, str]]:
    """Return the names at the top of modules that may be renamed: all of agent/'s, the private ones of the others."""
    found = []
    for module, tree in trees.items():
        if module in NATIVES.values():
            continue
        modules = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in trees
        }
        passed_on = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module in trees
            for alias in node.names
        }
        for name in sorted(tree.inner.names - modules - passed_on):  # type: ignore[attr-defined]
            if name.startswith("__") or not (_is_ours(module) or name.startswith("_")):
                continue
            found.append((module, name))
    return found


def _by_use(tops: list[tuple[str, str]], trees: dict[str, ast.Module]) -> list[tuple[str, str]]:
    """Return the most used ones first."""
    named = Counter(node.id for tree in trees.values() for node in walk(tree) if isinstance(node, ast.Name))
    return sorted(tops, key=lambda key: (-named[key[1]], key))


def _seen_by(tops: list[tuple[str, str]], trees: dict[str, ast.Module]) -> dict[tuple[str, str], set[str]]:
    """Return the modules in whose dict each name is: its own, and those that import it at their top."""
    seen_by = {key: {key[0]} for key in tops}
    for module, tree in trees.items():
        for node in walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.home.kind == MODULE and (node.module, alias.name) in seen_by:  # type: ignore[attr-defined]
                        seen_by[node.module, alias.name].add(module)  # type: ignore[index]
    return seen_by


def _attributes_left(tree: ast.Module | None, renamed: dict[str, str]) -> set[str]:
    """Return names that a module has anyway, because it uses them as attributes."""
    found = {node.attr for node in walk(tree) if isinstance(node, ast.Attribute)} if tree is not None else set()
    return found - set(renamed)


def _bound(module: str, tree: ast.Module, names: Names) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the names in `tree` stand for: modules of the program by alias, and new names by old ones."""
    modules: dict[str, str] = {}
    tops = {name: short for (of, name), short in names.tops.items() if of == module}
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name
                if f"{node.module}.{alias.name}" in names.trees:
                    modules[bound] = f"{node.module}.{alias.name}"
                elif (node.module, alias.name) in names.tops and alias.home.kind == MODULE:  # type: ignore[attr-defined]
                    tops[bound] = names.tops[(node.module, alias.name)]  # type: ignore[index]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                modules[alias.asname or alias.name] = alias.name
    return modules, tops


class _Renamer(ast.NodeTransformer):
    def __init__(self, names: Names, module: str, modules: dict[str, str], tops: dict[str, str]):
        self.names = names
        self.module = module
        self.modules = modules
        self.tops = tops

    def new(self, node, name: str) -> str:
        home = getattr(node, "home", None)
        if home is None:
            return name
        if home.kind == MODULE:
            return self.tops.get(name, name)
        return self.names.attributes.get(name, name) if home.kind == CLASS else name

    def visit_FunctionDef(self, node):
        node.name = self.new(node, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node):
        node.name = self.new(node, node.name)
        return self.generic_visit(node)

    def visit_Name(self, node):
        node.id = self.new(node, node.id)
        return node

    def visit_Import(self, node):
        for alias in node.names:
            bound = alias.asname or alias.name
            new = self.new(alias, bound)
            if new != bound:
                alias.asname = new
        return node

    def visit_ImportFrom(self, node):
        for alias in node.names:
            bound = alias.asname or alias.name
            alias.name = self.names.tops.get((node.module or "", alias.name), alias.name)
            new = self.new(alias, bound)
            alias.asname = new if new != alias.name else None
        return node

    def visit_ExceptHandler(self, node):
        if node.name:
            node.name = self.new(node, node.name)
        return self.generic_visit(node)

    def visit_Global(self, node):
        node.names = [self.tops.get(name, name) for name in node.names]
        return node

    def visit_Attribute(self, node):
        value = node.value
        if isinstance(value, ast.Name) and value.id in self.modules and getattr(value, "home", None) is not None:
            reached = self.modules[value.id]
            node.attr = self.names.tops.get((reached, node.attr), node.attr)
        else:
            node.attr = self.names.attributes.get(node.attr, node.attr)
        return self.generic_visit(node)


# -- locals --------------------------------------------------------------------------------------------------------


def _rename_locals(function: ast.FunctionDef, keywords: frozenset[str]) -> None:
    """Rename arguments and locals from `a` on; with a function inside, each has its own name, none of the inner's."""
    inside = [node for node in walk(function) if node is not function]
    if any(isinstance(node, (ast.Import, ast.Global, ast.FunctionDef, ast.ClassDef)) for node in inside):
        return
    scope = function.inner  # type: ignore[attr-defined]
    arguments = arguments_of(function)
    kept = [name for name in arguments if name in keywords]
    used = {node.id for node in inside if isinstance(node, ast.Name) and getattr(node, "home", None) is not scope}
    used |= {node.arg for node in inside if isinstance(node, ast.arg) and getattr(node, "home", None) is not scope}
    fresh = _texts(used | set(kept) | set(keyword.kwlist))
    names: dict[int, str] = {}
    short = {}
    if function.decorator_list or not is_simple(function):  # in machine code a local has a type
        places = {name: index for index, name in enumerate([*arguments, *sorted(scope.names - set(arguments))])}
    else:
        places = slots(function, scope.names)
    for name, slot in sorted(places.items(), key=lambda pair: pair[1]):
        if slot not in names:
            names[slot] = arguments[slot] if slot < len(arguments) and arguments[slot] in kept else next(fresh)
        short[name] = names[slot]
    for node in inside:
        if getattr(node, "home", None) is not scope:
            continue
        if isinstance(node, ast.Name):
            node.id = short[node.id]
        elif isinstance(node, ast.arg):
            node.arg = short[node.arg]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            node.name = short[node.name]
        elif isinstance(node, ast.alias):
            bound = node.asname or node.name
            node.asname = short[bound]
