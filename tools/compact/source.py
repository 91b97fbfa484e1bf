"""Rewrites all modules of one program together: numbers take the place of constants, private names become short.

On a board every public name costs about 40 octets of heap (its text, a place in its module's dict, the code that puts
it there), measured on the 32-bit unix port. A named constant is for the reader; a chip needs the number only.

Rules
1. `NAME = const(<whole number>)` at a module's top is replaced by its value everywhere in the program, also where it
   is imported or reached through its module, and the definition goes. A name that is looked up in any other way
   (`getattr`, a star import) would be missed: `agent/` does neither, and the tests run on the result.
2. A name that begins with one underscore becomes `_` and a letter or two; every module begins anew with `_a`, so that
   the same few texts serve all. A module that names another's private name is refused.
3. An argument that is nowhere passed by name gets such a name too. Locals cost nothing and stay.
4. Nothing else changes. Public functions, methods and classes keep their names, so that a traceback can be read.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import count


@dataclass
class Module:
    """One module on its way: its dotted name, its tree, and what it defines as whole numbers."""

    name: str
    tree: ast.Module
    constants: dict[str, int] = field(default_factory=dict)


def compact(sources: dict[str, str]) -> dict[str, str]:
    """Return the rewritten source of every module of `sources` (dotted name -> text)."""
    modules = {name: Module(name, ast.parse(text)) for name, text in sources.items()}
    _find_constants(modules)
    _check_private(modules)
    keywords = {
        node.arg
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg
    }
    # All names are chosen before the first tree is changed: a class and its base elsewhere must not get the same one.
    short = {name: _short_names(module, modules) for name, module in modules.items()}
    return {name: _text(_rewrite(module, modules, keywords, short[name])) for name, module in modules.items()}


def _find_constants(modules: dict[str, Module]) -> None:
    """Evaluate every `NAME = const(...)`; a value may use constants that were found before, also imported ones."""
    unresolved = True
    while unresolved:
        unresolved = False
        for module in modules.values():
            known = _visible(module, modules)
            for statement in module.tree.body:
                name, value = _const_of(statement)
                if name and name not in module.constants:
                    number = _evaluate(value, known)
                    if number is not None:
                        module.constants[name] = known[name] = number
                        unresolved = True


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


def _evaluate(value: ast.expr | None, known: dict[str, int]) -> int | None:
    if value is None:
        return None
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and node.id not in known:
            return None
        if isinstance(node, ast.Constant) and not isinstance(node.value, int):
            return None
        if not isinstance(
            node, (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
        ):
            return None
    number = eval(compile(ast.Expression(value), "<const>", "eval"), {"__builtins__": {}}, dict(known))
    return number if isinstance(number, int) else None


def _visible(module: Module, modules: dict[str, Module]) -> dict[str, int]:
    """The constants a module can name directly: its own and those it imports by name."""
    visible = dict(module.constants)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            constants = modules[node.module].constants
            for alias in node.names:
                if alias.name in constants:
                    visible[alias.asname or alias.name] = constants[alias.name]
    return visible


def _module_aliases(module: Module, modules: dict[str, Module]) -> dict[str, Module]:
    """The names under which a module reaches other modules as a whole."""
    aliases = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                reached = f"{node.module}.{alias.name}"
                if reached in modules:
                    aliases[alias.asname or alias.name] = modules[reached]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname and alias.name in modules:
                    aliases[alias.asname] = modules[alias.name]
    return aliases


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 3


def _bases(module: Module, modules: dict[str, Module]) -> list[Module]:
    """The modules whose classes this module's classes inherit from: one object carries the private names of both."""
    origins = {
        alias.asname or alias.name: modules[node.module]
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for alias in node.names
    }
    names = {
        base.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    return [origins[name] for name in sorted(names) if name in origins]


def _short_names(module: Module, modules: dict[str, Module]) -> dict[str, str]:
    """A short name for each private one of this module, the most used first; the same few serve every module."""
    uses: dict[str, int] = {}
    taken: set[str] = set()
    for base in _bases(module, modules):
        taken.update(_short_names(base, modules).values())
    for node in ast.walk(module.tree):
        for name in _names_in(node):
            taken.add(name)
            if _is_private(name):
                uses[name] = uses.get(name, 0) + 1
    fresh = (name for name in map(_letters, count()) if name not in taken)
    return {name: next(fresh) for name in sorted(uses, key=lambda name: (-uses[name], name))}


def _check_private(modules: dict[str, Module]) -> None:
    """Refuse a program in which one module names another's private names: they are shortened apart."""
    for module in modules.values():
        defined = set()
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined.add(node.name)
            elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
                defined.add(node.id if isinstance(node, ast.Name) else node.attr)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in defined:
                raise ValueError(f"{module.name}:{node.lineno}: {node.attr} is private to another module")


def _letters(number: int) -> str:
    text = ""
    while True:
        text = chr(ord("a") + number % 26) + text
        number //= 26
        if number == 0:
            return "_" + text
        number -= 1


def _names_in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.arg, ast.keyword)):
        return [node.arg] if node.arg else []
    if isinstance(node, ast.alias):
        return [node.asname or node.name]
    return []


def _rewrite(module: Module, modules: dict[str, Module], keywords: set[str], short: dict[str, str]) -> ast.Module:
    tree = _Rewriter(_visible(module, modules), _module_aliases(module, modules), modules, short).visit(module.tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            _shorten_arguments(node, keywords)
    return tree


def _shorten_arguments(function: ast.FunctionDef, keywords: set[str]) -> None:
    """Rename the arguments that nobody in the program passes by name: an argument's name is kept in the heap."""
    inside = [node for node in ast.walk(function) if node is not function]
    if any(isinstance(node, (ast.FunctionDef, ast.Lambda, ast.Global)) for node in inside):
        return
    taken = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    fresh = (name for name in map(_letters, count()) if name not in taken)
    arguments = function.args.posonlyargs + function.args.args
    long_names = [arg.arg for arg in arguments if len(arg.arg) > 2 and arg.arg not in keywords and arg.arg != "self"]
    short = {name: next(fresh) for name in long_names}
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            node.arg = short.get(node.arg, node.arg)
        elif isinstance(node, ast.Name):
            node.id = short.get(node.id, node.id)


class _Rewriter(ast.NodeTransformer):
    def __init__(self, numbers, aliases, modules, short):
        self.numbers = numbers
        self.aliases = aliases
        self.modules = modules
        self.short = short
        self.is_viper = False

    def visit_Assign(self, node):
        name, _ = _const_of(node)
        if name in self.numbers:
            return None
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__slots__":
            return None  # MicroPython does not use it, and it would keep the long names
        return self.generic_visit(node)

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        node.name = self.short.get(node.name, node.name)
        self.is_viper = any(isinstance(one, ast.Attribute) and one.attr == "viper" for one in node.decorator_list)
        self.generic_visit(node)
        self.is_viper = False
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_ClassDef(self, node):
        node.name = self.short.get(node.name, node.name)
        self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_ImportFrom(self, node):
        constants = self.modules[node.module].constants if node.module in self.modules else {}
        kept = [alias for alias in node.names if alias.name not in constants]
        if not kept:
            return None
        for alias in kept:
            if node.module in self.modules or f"{node.module}.{alias.name}" in self.modules:
                alias.name = self.short.get(alias.name, alias.name)
            if alias.asname:
                alias.asname = self.short.get(alias.asname, alias.asname)
        node.names = kept
        return node

    def visit_Name(self, node):
        if node.id in self.numbers and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(self.numbers[node.id]), node)
        node.id = self.short.get(node.id, node.id)
        return node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id in self.aliases:
            constants = self.aliases[node.value.id].constants
            if node.attr in constants:
                return ast.copy_location(ast.Constant(constants[node.attr]), node)
        node.attr = self.short.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_arg(self, node):
        node.arg = self.short.get(node.arg, node.arg)
        if not self.is_viper:  # there an annotation is the machine's type
            node.annotation = None
        return node

    def visit_keyword(self, node):
        node.arg = self.short.get(node.arg, node.arg)
        return self.generic_visit(node)


def _text(tree: ast.Module) -> str:
    """Write the module out again; the text is for mpy-cross, not for a reader."""
    if not tree.body:
        return ""
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
