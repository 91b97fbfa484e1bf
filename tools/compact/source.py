"""Replaces constants by numbers, and leaves out what is for a reader: docstrings, slots, annotations.

On a board every public name costs about 40 bytes of heap (its text, a place in its module's dict, the code that puts
it there), measured on the 32-bit unix port. A named constant is for the reader; a chip needs only the number.

Rules
1. `NAME = const(<whole number>)` at a module's top level is replaced by its value everywhere in the program, even where
   it is imported or reached through its module, and the definition is dropped. So is what such numbers compute.
2. `bytes((1, 2, ...))` of numbers becomes the bytes themselves, and so does what a module's top makes of bytes. In
   our own image so do tuples: there a constant is in the flash; in a .mpy it is longer than the code that makes it.
3. A name looked up in any other way (`getattr`, a star import) would be missed: `agent/` does neither, and the
   tests run on the result.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections import Counter
from dataclasses import dataclass, field

from tools.compact.lines import parse, unparse
from tools.compact.walk import walk

FOLDED_OCTETS = 64  # a longer one takes more than the code that makes it
_FOLDS = (ast.Tuple, ast.BinOp, ast.Add, ast.Mult, ast.Constant, ast.Name, ast.Call, ast.expr_context)


Numbers = dict[str, dict[str, int]]  # what each module defines as whole numbers


@dataclass
class Module:
    """One module being changed: its dotted name, its tree, and what it defines as whole numbers."""

    name: str
    tree: ast.Module
    constants: dict[str, int] = field(default_factory=dict)

    @functools.cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """The imports, while the tree is still the source's."""
        return [node for node in walk(self.tree) if isinstance(node, (ast.Import, ast.ImportFrom))]

    @functools.cached_property
    def computed(self) -> list[tuple[str, ast.expr | None]]:
        """What is written as a constant, and in `agent/` every name in capitals that is bound once, at the top."""
        return _computed(self)


def constants(sources: dict[str, str], own_image: bool = False) -> dict[str, str]:
    """Return the source of every module of `sources` (dotted name -> text) with numbers in place of constants."""
    return with_numbers(sources, {}, own_image)[0]


def with_numbers(sources: dict[str, str], known: Numbers, own_image: bool = False) -> tuple[dict[str, str], Numbers]:
    """Do the same, and return the numbers too; `known` are those of modules around them that were read before."""
    kinds = (bytes, tuple) if own_image else (bytes,)
    modules = {name: Module(name, ast.Module([], []), dict(numbers)) for name, numbers in known.items()}
    modules |= {name: Module(name, parse(text)) for name, text in sources.items()}
    _find_constants(modules)
    texts = {}
    for name in sources:
        module = modules[name]
        rewriter = _Rewriter(
            _visible(module, modules), _module_aliases(module, modules), modules, frozenset(module.constants)
        )
        texts[name] = unparse(_folded(rewriter.visit(module.tree), kinds))
    return texts, {name: module.constants for name, module in modules.items()}


def _folded(tree: ast.Module, kinds: tuple[type, ...]) -> ast.Module:
    """Return the module with what its top level makes of bytes and tuples, if of one of these kinds, and not long."""
    stored = Counter(node.id for node in walk(tree) if isinstance(node, ast.Name) and _is_store(node))
    known: dict[str, object] = {}
    for statement in tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(statement, ast.Assign) or not isinstance(target, ast.Name) or stored[target.id] != 1:
            continue
        for node in walk(statement.value):
            is_bytes = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bytes"
            if not isinstance(node, _FOLDS) or (isinstance(node, ast.Call) and not (is_bytes and len(node.args) == 1)):
                break
            if isinstance(node, ast.Name) and node.id not in (*known, "bytes"):
                break
        else:
            value = eval(compile(ast.Expression(statement.value), "<fold>", "eval"), {"bytes": bytes}, known)
            if isinstance(value, kinds) and _octets_in(value) <= FOLDED_OCTETS:
                known[target.id] = value
                made = ast.parse(repr(value), mode="eval").body
                for node in walk(made):
                    ast.copy_location(node, statement.value)
                statement.value = made
    return tree


def _octets_in(value: object) -> int:
    if isinstance(value, tuple):
        return sum(map(_octets_in, value))
    return len(value) if isinstance(value, (bytes, str)) else 1


def _find_constants(modules: dict[str, Module]) -> None:
    """Evaluate every `NAME = const(...)`; a value may use constants found before, even imported ones."""
    unresolved = True
    while unresolved:
        unresolved = False
        for module in modules.values():
            known = _visible(module, modules)
            aliases = _module_aliases(module, modules)
            unresolved |= bool(known.keys() - module.constants.keys())
            module.constants.update(known)  # so that whoever imports them from here finds them
            for name, value in module.computed:
                if value is not None and name not in module.constants:
                    number = _evaluate(_Rewriter(known, aliases, modules).visit(copy.deepcopy(value)), known)
                    if number is not None:
                        module.constants[name] = known[name] = number
                        unresolved = True


def _octets(call: ast.Call) -> bytes | None:
    """Return what `bytes((1, 2, ...))` makes of whole numbers; None for any other call."""
    if not isinstance(call.func, ast.Name) or call.func.id != "bytes" or len(call.args) != 1:
        return None
    if not isinstance(call.args[0], ast.Tuple):
        return None
    numbers = [_evaluate(one, {}) for one in call.args[0].elts]
    return None if None in numbers else bytes(numbers)  # type: ignore[arg-type]


def _const_of(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "const"
    ):
        return statement.targets[0].id, statement.value.args[0]
    return "", None


def _computed(module: Module) -> list[tuple[str, ast.expr | None]]:
    found = [_const_of(statement) for statement in module.tree.body]
    if module.name.startswith("agent"):
        stored = [node.id for node in walk(module.tree) if isinstance(node, ast.Name) and _is_store(node)]
        for statement in module.tree.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Name) and target.id.isupper() and stored.count(target.id) == 1:
                found.append((target.id, statement.value))  # type: ignore[attr-defined]
    return [(name, value) for name, value in found if name]


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _evaluate(value: ast.expr | None, known: dict[str, int]) -> int | None:
    if value is None:
        return None
    for node in walk(value):
        if isinstance(node, ast.Name) and node.id not in known:
            return None
        if isinstance(node, ast.Constant) and type(node.value) is not int:
            return None
        if not isinstance(
            node, (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
        ):
            return None
    number = eval(compile(ast.Expression(value), "<const>", "eval"), {"__builtins__": {}}, dict(known))
    return number if isinstance(number, int) else None


def _visible(module: Module, modules: dict[str, Module]) -> dict[str, int]:
    """Return the constants a module can name directly: its own and those it imports by name."""
    visible = dict(module.constants)
    for node in module.imports:
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            constants = modules[node.module].constants
            for alias in node.names:
                if alias.name in constants:
                    visible[alias.asname or alias.name] = constants[alias.name]
    return visible


def _module_aliases(module: Module, modules: dict[str, Module]) -> dict[str, Module]:
    """Return the names under which a module reaches other modules as a whole."""
    aliases = {}
    for node in module.imports:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                reached = f"{node.module}.{alias.name}"
                if reached in modules:
                    aliases[alias.asname or alias.name] = modules[reached]
        else:
            for alias in node.names:
                if alias.asname and alias.name in modules:
                    aliases[alias.asname] = modules[alias.name]
    return aliases


class _Rewriter(ast.NodeTransformer):
    def __init__(self, numbers, aliases, modules, gone=frozenset()):
        self.gone = gone
        self.numbers = numbers
        self.aliases = aliases
        self.modules = modules
        self.is_viper = False

    def visit_Call(self, node):
        self.generic_visit(node)
        octets = _octets(node)
        return node if octets is None else ast.copy_location(ast.Constant(octets), node)

    def visit_Assign(self, node):
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id in self.gone:
            return None
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__slots__":
            return None  # MicroPython does not use it, and it would keep the long names
        return self.generic_visit(node)

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self.is_viper = any(isinstance(one, ast.Attribute) and one.attr == "viper" for one in node.decorator_list)
        self.generic_visit(node)
        self.is_viper = False
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_ImportFrom(self, node):
        constants = self.modules[node.module].constants if node.module in self.modules else {}
        node.names = [alias for alias in node.names if alias.name not in constants]
        return node if node.names else None

    def visit_Name(self, node):
        if node.id in self.numbers and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(self.numbers[node.id]), node)
        return node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id in self.aliases:
            constants = self.aliases[node.value.id].constants
            if node.attr in constants:
                return ast.copy_location(ast.Constant(constants[node.attr]), node)
        return self.generic_visit(node)

    def visit_arg(self, node):
        if not self.is_viper:  # there an annotation is the machine's type
            node.annotation = None
        return node
